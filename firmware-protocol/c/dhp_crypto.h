/* HMAC-SHA256, and what the protocol makes of it: proof, session key, seal. ../README.md "Login" and "Sealing". */
#ifndef DHP_CRYPTO_H
#define DHP_CRYPTO_H

#include <stdbool.h>

#include "dhp_sha256.h"

#define DHP_KEY_BYTES 32
#define DHP_NONCE_BYTES 16
#define DHP_SEAL_BYTES 8

typedef struct dhp_hmac {
    dhp_sha256 hash;
    const uint8_t *key; /* stays where it is until finish */
} dhp_hmac;

void dhp_hmac_start(dhp_hmac *hmac, const uint8_t key[DHP_KEY_BYTES]);
void dhp_hmac_add(dhp_hmac *hmac, const void *bytes, size_t length);
void dhp_hmac_finish(dhp_hmac *hmac, uint8_t mac[32]);

/* wire: "mqtt" or "serial". */
void dhp_proof(const uint8_t key[DHP_KEY_BYTES], const char *wire, const char *serial_number, const char *hardware_id,
               const uint8_t hub_nonce[DHP_NONCE_BYTES], const uint8_t terminal_nonce[DHP_NONCE_BYTES], uint8_t mac[32]);

void dhp_session_key(const uint8_t key[DHP_KEY_BYTES], const char *serial_number, const uint8_t hub_nonce[DHP_NONCE_BYTES],
                     const uint8_t terminal_nonce[DHP_NONCE_BYTES], uint8_t session_key[DHP_KEY_BYTES]);

/* direction: 'U' up, 'D' down. */
void dhp_seal(const uint8_t session_key[DHP_KEY_BYTES], char direction, uint64_t sequence, const uint8_t *body, size_t length,
              uint8_t mac[DHP_SEAL_BYTES]);

/* In the same time whatever they hold. */
bool dhp_equal(const uint8_t *a, const uint8_t *b, size_t length);

/* Forgets a secret, also where a compiler sees that nobody reads it again. */
void dhp_wipe(void *bytes, size_t length);

#endif
