/*
 * What must survive power loss, in two flash sectors: keys (the one that counts and one that was offered), the pending payment, and
 * the version and hash of the applied configuration. Records are appended; a sector that is full is copied, only what counts, to
 * the other one. A cut at any point leaves either what was before or what is after, never something else (test_log.c cuts at every
 * byte that is programmed and in every erase).
 *
 * A sector begins with a header that is programmed last when the sector is made: the valid header with the larger number counts.
 * A record is type, length, two bytes 0, CRC-32 of all but itself, then its bytes, filled with 0xFF to DHP_FLASH_UNIT.
 * A payment takes at most 56 bytes: 48 for its id and amount, 8 when it is settled. Nothing else is written while the terminal runs.
 */
#ifndef DHP_LOG_H
#define DHP_LOG_H

#include "dhp.h"

typedef struct dhp_pending {
    uint32_t amount_fen;
    char request_id[DHP_REQUEST_ID_BYTES];
} dhp_pending;

/* Looks what is there; writes nothing. */
void dhp_log_open(dhp_log *log, const dhp_hooks *hooks);

bool dhp_log_has_key(const dhp_log *log, dhp_slot slot);
bool dhp_log_key(const dhp_log *log, dhp_slot slot, uint8_t key[DHP_KEY_BYTES]);

/* An offered key: true when it is in flash and was read back. */
bool dhp_log_offer(dhp_log *log, const uint8_t key[DHP_KEY_BYTES]);

/* The hub has taken the offered key: it is the one that counts, the old one is gone. */
bool dhp_log_prove(dhp_log *log);

bool dhp_log_pending(const dhp_log *log, dhp_pending *pending);
bool dhp_log_begin(dhp_log *log, const dhp_pending *pending);
bool dhp_log_settle(dhp_log *log);

/* Version 0: none was applied. */
void dhp_log_configuration(const dhp_log *log, uint64_t *version, uint8_t hash[32]);
bool dhp_log_configure(dhp_log *log, uint64_t version, const uint8_t hash[32]);

#endif
