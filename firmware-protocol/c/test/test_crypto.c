#include "dhp_crc.h"
#include "dhp_crypto.h"
#include "test.h"

static void sha256_of_the_standards_examples(void)
{
    static const struct {
        const char *text;
        size_t times;
        const char *digest;
    } examples[] = {
        {"", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {"a", 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        uint8_t expected[32];
        uint8_t digest[32];
        dhp_sha256 hash;
        test_hex(examples[i].digest, expected, sizeof expected);
        dhp_sha256_start(&hash);
        for (size_t n = 0; n < examples[i].times; n++) {
            dhp_sha256_add(&hash, examples[i].text, strlen(examples[i].text));
        }
        dhp_sha256_finish(&hash, digest);
        CHECK_BYTES(expected, digest, 32);
    }
}

static void sha256_of_every_length_around_a_block_is_the_same_in_one_piece_and_byte_by_byte(void)
{
    uint8_t bytes[200];
    memset(bytes, 0xa5, sizeof bytes);
    for (size_t length = 0; length <= sizeof bytes; length++) {
        uint8_t one[32];
        uint8_t many[32];
        dhp_sha256 hash;
        dhp_sha256_start(&hash);
        dhp_sha256_add(&hash, bytes, length);
        dhp_sha256_finish(&hash, one);
        dhp_sha256_start(&hash);
        for (size_t i = 0; i < length; i++) {
            dhp_sha256_add(&hash, bytes + i, 1);
        }
        dhp_sha256_finish(&hash, many);
        CHECK_BYTES(one, many, 32);
    }
}

static void proofs_and_session_keys_are_those_of_the_vectors(void)
{
    vectors v = vectors_open("login.json");
    unsigned seen = 0;
    while (vectors_next(&v)) {
        char name[40];
        char serial_number[40];
        char hardware_id[80];
        uint8_t key[32];
        uint8_t hub_nonce[16];
        uint8_t terminal_nonce[16];
        uint8_t input[200];
        uint8_t expected[32];
        uint8_t mac[32];
        dhp_hmac hmac;
        vectors_text(&v, "name", name, sizeof name);
        vectors_text(&v, "serial_number", serial_number, sizeof serial_number);
        vectors_text(&v, "hardware_id", hardware_id, sizeof hardware_id);
        CHECK_NUMBER(32, vectors_hex(&v, "terminal_key", key, sizeof key));
        CHECK_NUMBER(16, vectors_hex(&v, "hub_nonce", hub_nonce, sizeof hub_nonce));
        CHECK_NUMBER(16, vectors_hex(&v, "terminal_nonce", terminal_nonce, sizeof terminal_nonce));
        CHECK_NUMBER(32, vectors_hex(&v, "hmac", expected, sizeof expected));
        size_t length = vectors_hex(&v, "input", input, sizeof input);
        dhp_hmac_start(&hmac, key);
        dhp_hmac_add(&hmac, input, length);
        dhp_hmac_finish(&hmac, mac);
        CHECK_BYTES(expected, mac, 32);
        memset(mac, 0, sizeof mac);
        if (strncmp(name, "proof_", 6) == 0) {
            dhp_proof(key, name + 6, serial_number, hardware_id, hub_nonce, terminal_nonce, mac);
        } else if (strcmp(name, "session_key") == 0) {
            dhp_session_key(key, serial_number, hub_nonce, terminal_nonce, mac);
        } else {
            CHECK_TEXT("token", name); /* the kit answers challenges, it makes no tokens */
            memcpy(mac, expected, sizeof mac);
        }
        CHECK_BYTES(expected, mac, 32);
        seen++;
    }
    vectors_close(&v);
    CHECK(seen >= 4);
}

static void equality_finds_a_difference_in_every_bit(void)
{
    uint8_t a[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    uint8_t b[8];
    CHECK(dhp_equal(a, a, sizeof a));
    for (unsigned bit = 0; bit < 64; bit++) {
        memcpy(b, a, sizeof b);
        b[bit / 8] = (uint8_t)(b[bit / 8] ^ 1u << bit % 8);
        CHECK(!dhp_equal(a, b, sizeof a));
    }
}

static void crc_has_its_check_value(void)
{
    CHECK_NUMBER(0xCBF43926, dhp_crc32(0, "123456789", 9));
    CHECK_NUMBER(0xCBF43926, dhp_crc32(dhp_crc32(0, "1234", 4), "56789", 5));
}

static const test tests[] = {
    TEST(sha256_of_the_standards_examples),
    TEST(sha256_of_every_length_around_a_block_is_the_same_in_one_piece_and_byte_by_byte),
    TEST(proofs_and_session_keys_are_those_of_the_vectors),
    TEST(equality_finds_a_difference_in_every_bit),
    TEST(crc_has_its_check_value),
};
TEST_MAIN(tests)
