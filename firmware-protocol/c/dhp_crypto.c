#include "dhp_crypto.h"

#include <string.h>

static void pad(dhp_hmac *hmac, uint8_t with)
{
    dhp_sha256_start(&hmac->hash);
    for (unsigned i = 0; i < 64; i++) {
        uint8_t byte = (uint8_t)(i < DHP_KEY_BYTES ? with ^ hmac->key[i] : with);
        dhp_sha256_add(&hmac->hash, &byte, 1);
    }
}

void dhp_hmac_start(dhp_hmac *hmac, const uint8_t key[DHP_KEY_BYTES])
{
    hmac->key = key;
    pad(hmac, 0x36);
}

void dhp_hmac_add(dhp_hmac *hmac, const void *bytes, size_t length) { dhp_sha256_add(&hmac->hash, bytes, length); }

void dhp_hmac_finish(dhp_hmac *hmac, uint8_t mac[32])
{
    dhp_sha256_finish(&hmac->hash, mac);
    pad(hmac, 0x5c);
    dhp_sha256_add(&hmac->hash, mac, 32);
    dhp_sha256_finish(&hmac->hash, mac);
    dhp_wipe(hmac, sizeof *hmac);
}

/* A name and the zero byte after it. */
static void add_name(dhp_hmac *hmac, const char *name) { dhp_hmac_add(hmac, name, strlen(name) + 1); }

void dhp_proof(const uint8_t key[DHP_KEY_BYTES], const char *wire, const char *serial_number, const char *hardware_id,
               const uint8_t hub_nonce[DHP_NONCE_BYTES], const uint8_t terminal_nonce[DHP_NONCE_BYTES], uint8_t mac[32])
{
    dhp_hmac hmac;
    dhp_hmac_start(&hmac, key);
    add_name(&hmac, "devicehub/v1/proof");
    add_name(&hmac, wire);
    add_name(&hmac, serial_number);
    add_name(&hmac, hardware_id);
    dhp_hmac_add(&hmac, hub_nonce, DHP_NONCE_BYTES);
    dhp_hmac_add(&hmac, terminal_nonce, DHP_NONCE_BYTES);
    dhp_hmac_finish(&hmac, mac);
}

void dhp_session_key(const uint8_t key[DHP_KEY_BYTES], const char *serial_number, const uint8_t hub_nonce[DHP_NONCE_BYTES],
                     const uint8_t terminal_nonce[DHP_NONCE_BYTES], uint8_t session_key[DHP_KEY_BYTES])
{
    dhp_hmac hmac;
    dhp_hmac_start(&hmac, key);
    add_name(&hmac, "devicehub/v1/seal");
    add_name(&hmac, serial_number);
    dhp_hmac_add(&hmac, hub_nonce, DHP_NONCE_BYTES);
    dhp_hmac_add(&hmac, terminal_nonce, DHP_NONCE_BYTES);
    dhp_hmac_finish(&hmac, session_key);
}

void dhp_seal(const uint8_t session_key[DHP_KEY_BYTES], char direction, uint64_t sequence, const uint8_t *body, size_t length,
              uint8_t mac[DHP_SEAL_BYTES])
{
    dhp_hmac hmac;
    uint8_t whole[32];
    uint8_t head[9];
    head[0] = (uint8_t)direction;
    for (unsigned i = 8; i > 0; i--) {
        head[i] = (uint8_t)sequence;
        sequence >>= 8;
    }
    dhp_hmac_start(&hmac, session_key);
    dhp_hmac_add(&hmac, head, sizeof head);
    dhp_hmac_add(&hmac, body, length);
    dhp_hmac_finish(&hmac, whole);
    memcpy(mac, whole, DHP_SEAL_BYTES);
}

bool dhp_equal(const uint8_t *a, const uint8_t *b, size_t length)
{
    uint8_t difference = 0;
    for (size_t i = 0; i < length; i++) {
        difference |= (uint8_t)(a[i] ^ b[i]);
    }
    return difference == 0;
}

void dhp_wipe(void *bytes, size_t length)
{
    volatile uint8_t *b = bytes;
    while (length-- > 0) {
        *b++ = 0;
    }
}
