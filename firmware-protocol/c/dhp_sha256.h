/*
 * SHA-256, as the kit needs it. dhp_sha256.c is small and needs nothing; to use a hardware unit or the SHA-256 of a library that is
 * there anyway, leave dhp_sha256.c out of the build and supply these three functions. `words` is theirs: what does not fit in it
 * must not be kept elsewhere, since two hashes may be under way at a time.
 */
#ifndef DHP_SHA256_H
#define DHP_SHA256_H

#include <stddef.h>
#include <stdint.h>

#ifndef DHP_SHA256_WORDS
#define DHP_SHA256_WORDS 26 /* state of 8, block of 16, length, spare */
#endif

typedef struct dhp_sha256 {
    uint32_t words[DHP_SHA256_WORDS];
} dhp_sha256;

void dhp_sha256_start(dhp_sha256 *hash);
void dhp_sha256_add(dhp_sha256 *hash, const void *bytes, size_t length);
void dhp_sha256_finish(dhp_sha256 *hash, uint8_t digest[32]);

#endif
