#include "dhp_log.h"

#include <string.h>

#include "dhp_crc.h"

#define MAGIC 0x31504844u /* DHP1 */
#define HEAD_BYTES 8u
#define MAX_BODY 40u
#define ROOM ((HEAD_BYTES + MAX_BODY + DHP_FLASH_UNIT - 1) / DHP_FLASH_UNIT * DHP_FLASH_UNIT)
#define FIRST ((12u + DHP_FLASH_UNIT - 1) / DHP_FLASH_UNIT * DHP_FLASH_UNIT) /* where the first record is */
#define NOWHERE 0u

enum { RECORD_OFFERED = 1, RECORD_PROVED, RECORD_PENDING, RECORD_SETTLED, RECORD_CONFIGURATION, RECORD_KEY };

typedef struct head {
    uint8_t type; /* cppcheck-suppress unusedStructMember */
    uint8_t length;
    uint16_t zero; /* cppcheck-suppress unusedStructMember */
    uint32_t crc;
} head;

typedef struct sector_head {
    uint32_t magic;
    uint32_t number;
    uint32_t crc;
} sector_head;

static uint32_t rounded(uint32_t length) { return (length + DHP_FLASH_UNIT - 1) / DHP_FLASH_UNIT * DHP_FLASH_UNIT; }

static bool read_flash(const dhp_log *log, unsigned sector, uint32_t at, void *bytes, size_t length)
{
    return log->hooks->flash_read(log->hooks->user, sector, at, bytes, length);
}

/* Programs whole units, and reads back what is there now. */
static bool program(const dhp_log *log, unsigned sector, uint32_t at, const uint8_t *bytes, uint32_t length)
{
    uint8_t back[ROOM];
    return log->hooks->flash_program(log->hooks->user, sector, at, bytes, length) && read_flash(log, sector, at, back, length) &&
           memcmp(back, bytes, length) == 0;
}

static bool is_erased(const dhp_log *log, uint32_t at)
{
    uint8_t unit[DHP_FLASH_UNIT];
    while (at < log->hooks->sector_bytes) {
        if (!read_flash(log, log->sector, at, unit, sizeof unit)) {
            return false;
        }
        for (unsigned i = 0; i < sizeof unit; i++) {
            if (unit[i] != 0xff) {
                return false;
            }
        }
        at += DHP_FLASH_UNIT;
    }
    return true;
}

static uint32_t record_crc(const uint8_t *record, uint32_t length)
{
    return dhp_crc32(dhp_crc32(0, record, 4), record + HEAD_BYTES, length);
}

/* A record as it stands in flash; 0: there is none, or it is torn. Its body is left in `record` after the head. */
static uint32_t read_record(const dhp_log *log, uint32_t at, uint8_t record[ROOM])
{
    head h;
    if (at + HEAD_BYTES > log->hooks->sector_bytes || !read_flash(log, log->sector, at, record, HEAD_BYTES)) {
        return 0;
    }
    memcpy(&h, record, sizeof h);
    if (h.length > MAX_BODY || at + HEAD_BYTES + h.length > log->hooks->sector_bytes ||
        !read_flash(log, log->sector, at + HEAD_BYTES, record + HEAD_BYTES, h.length) || h.crc != record_crc(record, h.length)) {
        return 0;
    }
    return rounded(HEAD_BYTES + h.length);
}

/* What a record changes. */
static void take(dhp_log *log, uint8_t type, uint32_t at)
{
    switch (type) {
    case RECORD_KEY:
        log->key[DHP_SLOT_OLD] = at;
        break;
    case RECORD_OFFERED:
        log->key[DHP_SLOT_NEW] = at;
        break;
    case RECORD_PROVED:
        log->key[DHP_SLOT_OLD] = log->key[DHP_SLOT_NEW];
        log->key[DHP_SLOT_NEW] = NOWHERE;
        break;
    case RECORD_PENDING:
        log->pending = at;
        break;
    case RECORD_SETTLED:
        log->pending = NOWHERE;
        break;
    case RECORD_CONFIGURATION:
        log->configuration = at;
        break;
    default: /* of a newer firmware */
        break;
    }
}

static bool sector_number(const dhp_log *log, unsigned sector, uint32_t *number)
{
    sector_head h;
    if (!read_flash(log, sector, 0, &h, sizeof h) || h.magic != MAGIC || h.crc != dhp_crc32(0, &h, 8)) {
        return false;
    }
    *number = h.number;
    return true;
}

void dhp_log_open(dhp_log *log, const dhp_hooks *hooks)
{
    uint8_t record[ROOM];
    uint32_t number[2] = {0, 0};
    memset(log, 0, sizeof *log);
    log->hooks = hooks;
    bool valid0 = sector_number(log, 0, &number[0]);
    bool valid1 = sector_number(log, 1, &number[1]);
    log->sector = (uint8_t)(valid1 && (!valid0 || (int32_t)(number[1] - number[0]) > 0) ? 1 : 0);
    log->number = number[log->sector];
    if (!valid0 && !valid1) {
        log->end = hooks->sector_bytes; /* full: the first record makes a sector */
        return;
    }
    log->end = FIRST;
    for (uint32_t length = read_record(log, log->end, record); length > 0; length = read_record(log, log->end, record)) {
        take(log, record[0], log->end);
        log->end += length;
    }
    if (!is_erased(log, log->end)) {
        log->end = hooks->sector_bytes; /* a torn record: nothing more is written here */
    }
    dhp_wipe(record, sizeof record);
}

static bool append(dhp_log *log, unsigned sector, uint32_t *end, uint8_t type, uint8_t length, uint8_t record[ROOM])
{
    head h = {type, length, 0, 0};
    uint32_t whole = rounded(HEAD_BYTES + length);
    if (*end + whole > log->hooks->sector_bytes) {
        return false;
    }
    memcpy(record, &h, sizeof h);
    h.crc = record_crc(record, length);
    memcpy(record, &h, sizeof h);
    memset(record + HEAD_BYTES + length, 0xff, whole - HEAD_BYTES - length);
    if (!program(log, sector, *end, record, whole)) {
        *end = log->hooks->sector_bytes; /* nobody knows what stands there: the next record goes to the other sector */
        return false;
    }
    *end += whole;
    return true;
}

/* Copies what counts to the other sector, then makes that one count. */
static bool change_sector(dhp_log *log)
{
    dhp_log next = *log;
    uint8_t record[ROOM];
    const uint32_t live[4] = {log->key[DHP_SLOT_OLD], log->key[DHP_SLOT_NEW], log->configuration, log->pending};
    next.sector = (uint8_t)(1 - log->sector);
    next.number = log->number + 1;
    next.end = FIRST;
    if (!log->hooks->flash_erase(log->hooks->user, next.sector)) {
        return false;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (live[i] != NOWHERE) {
            uint32_t at = next.end;
            uint32_t length = read_record(log, live[i], record);
            uint8_t type = i == 0 ? (uint8_t)RECORD_KEY : record[0];
            if (length == 0 || !append(&next, next.sector, &next.end, type, record[1], record)) {
                return false;
            }
            take(&next, type, at);
        }
    }
    sector_head h = {MAGIC, next.number, 0};
    h.crc = dhp_crc32(0, &h, 8);
    memset(record, 0xff, FIRST);
    memcpy(record, &h, sizeof h);
    if (!program(log, next.sector, 0, record, FIRST)) {
        return false;
    }
    dhp_wipe(record, sizeof record);
    *log = next;
    return true;
}

static bool add(dhp_log *log, uint8_t type, const void *body, uint8_t length)
{
    uint8_t record[ROOM];
    for (unsigned tries = 0; tries < 2; tries++) {
        uint32_t at = log->end;
        memcpy(record + HEAD_BYTES, body, length);
        if (append(log, log->sector, &log->end, type, length, record)) {
            take(log, type, at);
            dhp_wipe(record, sizeof record);
            return true;
        }
        if (!change_sector(log)) {
            return false;
        }
    }
    return false;
}

bool dhp_log_has_key(const dhp_log *log, dhp_slot slot) { return log->key[slot] != NOWHERE; }

bool dhp_log_key(const dhp_log *log, dhp_slot slot, uint8_t key[DHP_KEY_BYTES])
{
    return dhp_log_has_key(log, slot) && read_flash(log, log->sector, log->key[slot] + HEAD_BYTES, key, DHP_KEY_BYTES);
}

bool dhp_log_offer(dhp_log *log, const uint8_t key[DHP_KEY_BYTES]) { return add(log, RECORD_OFFERED, key, DHP_KEY_BYTES); }

bool dhp_log_prove(dhp_log *log) { return add(log, RECORD_PROVED, "", 0); }

bool dhp_log_pending(const dhp_log *log, dhp_pending *pending)
{
    uint8_t record[ROOM];
    if (log->pending == NOWHERE || read_record(log, log->pending, record) == 0 || record[1] < 4) {
        return false;
    }
    uint8_t id = (uint8_t)(record[1] - 4);
    memset(pending, 0, sizeof *pending);
    memcpy(&pending->amount_fen, record + HEAD_BYTES, 4);
    memcpy(pending->request_id, record + HEAD_BYTES + 4, id < sizeof pending->request_id ? id : sizeof pending->request_id - 1);
    return true;
}

bool dhp_log_begin(dhp_log *log, const dhp_pending *pending)
{
    uint8_t body[MAX_BODY];
    size_t id = strlen(pending->request_id);
    memcpy(body, &pending->amount_fen, 4);
    memcpy(body + 4, pending->request_id, id);
    return add(log, RECORD_PENDING, body, (uint8_t)(4 + id));
}

bool dhp_log_settle(dhp_log *log) { return log->pending == NOWHERE || add(log, RECORD_SETTLED, "", 0); }

void dhp_log_configuration(const dhp_log *log, uint64_t *version, uint8_t hash[32])
{
    uint8_t record[ROOM];
    *version = 0;
    if (log->configuration != NOWHERE && read_record(log, log->configuration, record) != 0) {
        memcpy(version, record + HEAD_BYTES, 8);
        memcpy(hash, record + HEAD_BYTES + 8, 32);
    }
}

bool dhp_log_configure(dhp_log *log, uint64_t version, const uint8_t hash[32])
{
    uint8_t body[MAX_BODY];
    memcpy(body, &version, 8);
    memcpy(body + 8, hash, 32);
    return add(log, RECORD_CONFIGURATION, body, sizeof body);
}
