#include "dhp_fields.h"

#include <string.h>

#include "dhp_bytes.h"
#include "pb_decode.h"
#include "pb_encode.h"

enum { NUMBER_32 = 1, NUMBER_64, SIGNED_32, SIGNED_64, FLAG, TEXT, BYTES, POINTER, WHOLE, MESSAGE, TEXTS, NUMBERS, CAUSES };

#define CHOICE 0x80 /* sets which_value of a ConfigurationEntry */

#define OF(message, name, kind) {dhp_##message##_##name##_tag, kind, offsetof(dhp_##message, name), 0, 0}
#define SIZED(message, name, kind) {dhp_##message##_##name##_tag, kind, offsetof(dhp_##message, name), sizeof(((dhp_##message *)0)->name), 0}
#define BYTES_OF(message, name) \
    {dhp_##message##_##name##_tag, BYTES, offsetof(dhp_##message, name), sizeof(((dhp_##message *)0)->name.bytes), 0}
#define POINTED(message, name, kind, limit) {dhp_##message##_##name##_tag, kind, offsetof(dhp_##message, name), limit, 0}
#define SUB(message, name, table) \
    {dhp_##message##_##name##_tag, MESSAGE, offsetof(dhp_##message, name), offsetof(dhp_##message, name) - offsetof(dhp_##message, has_##name), table}
#define MANY(message, name, kind) \
    {dhp_##message##_##name##_tag, kind, offsetof(dhp_##message, name), sizeof(((dhp_##message *)0)->name[0]), \
     (sizeof(((dhp_##message *)0)->name) / sizeof(((dhp_##message *)0)->name[0])) | \
         (offsetof(dhp_##message, name) - offsetof(dhp_##message, name##_count)) << 5}
#define CHOSEN(name, kind, size) \
    {dhp_ConfigurationEntry_##name##_tag, CHOICE | (kind), offsetof(dhp_ConfigurationEntry, value.name), size, 0}
#define END {0, 0, 0, 0, 0}

/* `more` of a repeated field: how many there may be, and how far before it its count stands. */
#define MOST(field) ((field)->more & 31)
#define COUNT_AT(field) ((field)->at - ((field)->more >> 5))

static const dhp_field hello[] = {OF(Hello, protocol_version, NUMBER_32), SIZED(Hello, hardware_id, TEXT),     OF(Hello, boot_reason, NUMBER_32),
                                  SIZED(Hello, firmware, TEXT),           OF(Hello, max_message_bytes, NUMBER_32), OF(Hello, text_encoding, NUMBER_32),
                                  OF(Hello, text_columns, NUMBER_32),     MANY(Hello, capabilities, TEXTS),    MANY(Hello, open_request_ids, TEXTS),
                                  BYTES_OF(Hello, terminal_nonce),        SIZED(Hello, model, TEXT),           END};
static const dhp_field proof[] = {BYTES_OF(Proof, mac), END};
static const dhp_field activate[] = {SIZED(Activate, activation_code, TEXT), END};
static const dhp_field heartbeat[] = {OF(Heartbeat, uptime_s, NUMBER_64),
                                      SIZED(Heartbeat, firmware, TEXT),
                                      OF(Heartbeat, configuration_version, NUMBER_64),
                                      OF(Heartbeat, signal_dbm, SIGNED_32),
                                      OF(Heartbeat, battery_percent, NUMBER_32),
                                      OF(Heartbeat, power, NUMBER_32),
                                      OF(Heartbeat, reset_reason, NUMBER_32),
                                      MANY(Heartbeat, reconnects, CAUSES),
                                      SUB(Heartbeat, modem, 0),
                                      SUB(Heartbeat, place, 1),
                                      SUB(Heartbeat, connect_times, 2),
                                      OF(Heartbeat, unsettled, NUMBER_32),
                                      END};
static const dhp_field modem[] = {SIZED(Modem, imei, TEXT), SIZED(Modem, iccid, TEXT), OF(Modem, sim_slot, NUMBER_32), OF(Modem, bearer, NUMBER_32), END};
static const dhp_field place[] = {SUB(Place, cell, 3), SIZED(Place, ip, TEXT), SUB(Place, gps, 4), END};
static const dhp_field connect_times[] = {OF(ConnectTimes, attach_ms, NUMBER_32), OF(ConnectTimes, dns_ms, NUMBER_32),
                                          OF(ConnectTimes, tls_ms, NUMBER_32), OF(ConnectTimes, login_ms, NUMBER_32), END};
static const dhp_field cell[] = {OF(Place_Cell, mcc, NUMBER_32), OF(Place_Cell, mnc, NUMBER_32), OF(Place_Cell, area, NUMBER_32),
                                 OF(Place_Cell, cell_id, NUMBER_64), END};
static const dhp_field gps[] = {OF(Place_Gps, latitude_e7, SIGNED_32), OF(Place_Gps, longitude_e7, SIGNED_32), OF(Place_Gps, accuracy_m, NUMBER_32), END};
static const dhp_field cause[] = {OF(ReconnectCause, cause, NUMBER_32), OF(ReconnectCause, count, NUMBER_32), END};
static const dhp_field report[] = {OF(ConfigurationReport, version, NUMBER_64), BYTES_OF(ConfigurationReport, hash),
                                   OF(ConfigurationReport, result, NUMBER_32), SIZED(ConfigurationReport, detail, TEXT), END};
static const dhp_field request[] = {SIZED(PaymentRequest, request_id, TEXT),    OF(PaymentRequest, amount_fen, NUMBER_32),
                                    SIZED(PaymentRequest, currency, TEXT),      SIZED(PaymentRequest, payment_code, TEXT),
                                    SIZED(PaymentRequest, order_number, TEXT),  OF(PaymentRequest, age_ms, NUMBER_32),
                                    OF(PaymentRequest, time_to_live_ms, NUMBER_32), OF(PaymentRequest, wall_time_ms, NUMBER_64),
                                    SIZED(PaymentRequest, repeat_of, TEXT),     OF(PaymentRequest, repeat_confirmed, FLAG),
                                    SIZED(PaymentRequest, charge_id, TEXT),     END};
/* payment_query, payment_cancel, collecting and collect_cancel: one id, as field 1. */
static const dhp_field one_id[] = {SIZED(PaymentQuery, request_id, TEXT), END};
static const dhp_field shown[] = {SIZED(OutcomeShown, request_id, TEXT), OF(OutcomeShown, revision, NUMBER_32), END};
static const dhp_field ended[] = {SIZED(CollectEnded, charge_id, TEXT), OF(CollectEnded, reason, NUMBER_32), END};
static const dhp_field sealed[] = {POINTED(Sealed, body, POINTER, 0), OF(Sealed, sequence, NUMBER_64), BYTES_OF(Sealed, mac), END};

static const dhp_field challenge[] = {BYTES_OF(Challenge, hub_nonce), END};
static const dhp_field offer[] = {BYTES_OF(Offer, terminal_key), SIZED(Offer, merchant_name, TEXT), SIZED(Offer, store_name, TEXT), END};
static const dhp_field welcome[] = {OF(Welcome, hub_time_ms, NUMBER_64),           OF(Welcome, session_epoch, NUMBER_64),
                                    SIZED(Welcome, request_epoch, TEXT),           OF(Welcome, heartbeat_interval_s, NUMBER_32),
                                    OF(Welcome, configuration_version, NUMBER_64), BYTES_OF(Welcome, configuration_hash),
                                    BYTES_OF(Welcome, hub_nonce),                  OF(Welcome, unsettled, NUMBER_32),
                                    OF(Welcome, max_amount_fen, NUMBER_32),        END};
static const dhp_field synced[] = {OF(Synced, unsettled, NUMBER_32), END};
static const dhp_field chunk[] = {OF(ConfigurationChunk, version, NUMBER_64), OF(ConfigurationChunk, index, NUMBER_32),
                                  POINTED(ConfigurationChunk, entries, WHOLE, 0), END};
static const dhp_field commit[] = {OF(ConfigurationCommit, version, NUMBER_64), OF(ConfigurationCommit, chunks, NUMBER_32),
                                   BYTES_OF(ConfigurationCommit, hash), END};
static const dhp_field accepted[] = {SIZED(Accepted, request_id, TEXT), OF(Accepted, state, NUMBER_32), END};
static const dhp_field in_doubt[] = {SIZED(InDoubt, request_id, TEXT), OF(InDoubt, amount_fen, NUMBER_32), SUB(InDoubt, text, 5), END};
static const dhp_field outcome[] = {SIZED(Outcome, request_id, TEXT),   OF(Outcome, result, NUMBER_32),
                                    OF(Outcome, revision, NUMBER_32),   OF(Outcome, amount_fen, NUMBER_32),
                                    OF(Outcome, paid_fen, NUMBER_32),   OF(Outcome, discount_fen, NUMBER_32),
                                    OF(Outcome, wallet, NUMBER_32),     POINTED(Outcome, channel_transaction, POINTER, 64),
                                    POINTED(Outcome, payer, POINTER, 32),        POINTED(Outcome, merchant_name, POINTER, 64),
                                    SIZED(Outcome, order_number, TEXT), OF(Outcome, hub_time_ms, NUMBER_64),
                                    OF(Outcome, sent_time_ms, NUMBER_64), OF(Outcome, age_ms, NUMBER_32),
                                    OF(Outcome, late, FLAG),            SUB(Outcome, text, 5),
                                    SUB(Outcome, speech, 6),            OF(Outcome, reason, NUMBER_32),
                                    SIZED(Outcome, paid_by, TEXT),      END};
static const dhp_field text[] = {SIZED(Text, id, TEXT), POINTED(Text, arguments, WHOLE, 0), POINTED(Text, text, POINTER, 120), END};
static const dhp_field speech[] = {MANY(Speech, clips, NUMBERS), POINTED(Speech, text, POINTER, 120), END};
static const dhp_field refusal[] = {OF(Refusal, code, NUMBER_32),    SIZED(Refusal, request_id, TEXT),   SUB(Refusal, text, 5),
                                    SIZED(Refusal, detail, TEXT),    OF(Refusal, retry_after_ms, NUMBER_32), SIZED(Refusal, other_request_id, TEXT), END};
static const dhp_field collect[] = {SIZED(Collect, charge_id, TEXT),    OF(Collect, amount_fen, NUMBER_32), SIZED(Collect, order_number, TEXT),
                                    OF(Collect, sent_time_ms, NUMBER_64), OF(Collect, time_to_live_ms, NUMBER_32), END};

const dhp_field dhp_entry_fields[] = {SIZED(ConfigurationEntry, key, TEXT), CHOSEN(flag, FLAG, 0), CHOSEN(number, SIGNED_64, 0),
                                      CHOSEN(text, TEXT, sizeof(((dhp_ConfigurationEntry *)0)->value.text)), END};

/* `more` of SUB. */
static const dhp_field *const subs[] = {modem, place, connect_times, cell, gps, text, speech};

/* By number, from 1. */
static const dhp_field *const uplinks[] = {hello, proof, activate, heartbeat, report, request, one_id, one_id, shown, sealed, one_id, ended};
static const dhp_field *const downlinks[] = {challenge, offer, welcome, synced, chunk, commit, accepted, in_doubt, outcome, refusal, sealed, collect, one_id};

const dhp_field *dhp_uplink_fields(unsigned tag) { return tag - 1 < sizeof uplinks / sizeof uplinks[0] ? uplinks[tag - 1] : NULL; }

const dhp_field *dhp_downlink_fields(unsigned tag) { return tag - 1 < sizeof downlinks / sizeof downlinks[0] ? downlinks[tag - 1] : NULL; }

/* ---- bytes to structs ------------------------------------------------------------------------------------------------------- */

static bool decode_number(const dhp_field *field, pb_istream_t *stream, uint8_t *to)
{
    uint64_t value;
    if (!pb_decode_varint(stream, &value)) {
        return false;
    }
    int64_t decoded = (value & 1) != 0 ? (int64_t)~(value >> 1) : (int64_t)(value >> 1);
    uint32_t low = (uint32_t)value;
    switch (field->kind & ~CHOICE) {
    case FLAG:
        *(bool *)to = value != 0;
        return true;
    case NUMBER_64:
        memcpy(to, &value, sizeof value);
        return true;
    case SIGNED_64:
        memcpy(to, &decoded, sizeof decoded);
        return true;
    case SIGNED_32:
        low = (uint32_t)decoded;
        break;
    default:
        /* A negative enum, or a number that this version has no room for: the largest, which no table of meanings knows. */
        low = value > UINT32_MAX ? UINT32_MAX : low;
        break;
    }
    memcpy(to, &low, sizeof low);
    return true;
}

/* The numbers of clips are the only repeated ones; one above 255 is none that this version knows. */
static bool decode_clip(const dhp_field *field, pb_istream_t *stream, uint8_t *base)
{
    pb_size_t *count = (pb_size_t *)(void *)(base + COUNT_AT(field));
    uint64_t value;
    if (*count >= MOST(field) || !pb_decode_varint(stream, &value)) {
        return false;
    }
    base[field->at + (*count)++] = (uint8_t)(value > UINT8_MAX ? UINT8_MAX : value);
    return true;
}

static void point(uint8_t *to, const uint8_t *bytes, size_t length)
{
    dhp_bytes *pointed = (dhp_bytes *)(void *)to;
    pointed->bytes = bytes;
    pointed->length = (uint16_t)length;
}

/* The bytes of a field that has a length: `bytes` of `length`. */
static bool decode_bytes(const dhp_field *field, const uint8_t *bytes, size_t length, uint8_t *base)
{
    uint8_t *to = base + field->at;
    switch (field->kind & ~CHOICE) {
    case TEXT:
        if (length >= field->size || memchr(bytes, 0, length) != NULL) {
            return false;
        }
        memset(to, 0, field->size);
        memcpy(to, bytes, length);
        return true;
    case BYTES: {
        pb_size_t size = (pb_size_t)length;
        memcpy(to, &size, sizeof size);
        if (length <= field->size) {
            memcpy(to + sizeof size, bytes, length);
        }
        return length <= field->size;
    }
    case POINTER:
        point(to, bytes, length);
        return field->size == 0 || length <= field->size;
    case MESSAGE:
        *(bool *)(to - field->size) = true;
        return dhp_decode(subs[field->more], bytes, length, to);
    case NUMBERS: {
        pb_istream_t stream = pb_istream_from_buffer(bytes, length);
        while (stream.bytes_left > 0) {
            if (!decode_clip(field, &stream, base)) {
                return false;
            }
        }
        return true;
    }
    default:
        return false;
    }
}

static const dhp_field *find(const dhp_field *fields, uint32_t number)
{
    while (fields->number != 0 && fields->number != number) {
        fields++;
    }
    return fields->number != 0 ? fields : NULL;
}

static bool has_length(unsigned kind) { return kind >= TEXT && kind != CAUSES; }

bool dhp_decode(const dhp_field *fields, const uint8_t *bytes, size_t length, void *to)
{
    pb_istream_t stream = pb_istream_from_buffer(bytes, length);
    uint8_t *base = to;
    while (stream.bytes_left > 0) {
        pb_wire_type_t type;
        uint32_t number;
        bool end;
        if (!pb_decode_tag(&stream, &type, &number, &end)) {
            return false;
        }
        const dhp_field *field = find(fields, number);
        bool lengthy = field != NULL && has_length(field->kind & ~(unsigned)CHOICE);
        if (field == NULL || (type != PB_WT_STRING && (type != PB_WT_VARINT || (lengthy && field->kind != NUMBERS)))) {
            if (field != NULL || !pb_skip_field(&stream, type)) {
                return false;
            }
            continue;
        }
        if (type == PB_WT_VARINT) {
            if (!(field->kind == NUMBERS ? decode_clip(field, &stream, base) : decode_number(field, &stream, base + field->at))) {
                return false;
            }
        } else {
            uint32_t size;
            if (!lengthy || !pb_decode_varint32(&stream, &size) || size > stream.bytes_left) {
                return false;
            }
            const uint8_t *here = bytes + (length - stream.bytes_left);
            if (field->kind == WHOLE) {
                point(base + field->at, bytes, length);
            } else if (!decode_bytes(field, here, size, base)) {
                return false;
            }
            (void)pb_read(&stream, NULL, size);
        }
        if ((field->kind & CHOICE) != 0) {
            ((dhp_ConfigurationEntry *)to)->which_value = field->number;
        }
    }
    return true;
}

/* ---- structs to bytes ------------------------------------------------------------------------------------------------------- */

static bool encode_number(const dhp_field *field, pb_ostream_t *stream, const uint8_t *from)
{
    uint64_t value = 0;
    uint32_t low;
    if (field->kind == FLAG) {
        value = *(const bool *)from;
    } else if (field->kind == NUMBER_64) {
        memcpy(&value, from, sizeof value);
    } else {
        memcpy(&low, from, sizeof low);
        value = field->kind == SIGNED_32 ? (low << 1) ^ (uint32_t)(0 - (low >> 31)) : low;
    }
    return value == 0 || (pb_encode_tag(stream, PB_WT_VARINT, field->number) && pb_encode_varint(stream, value));
}

static bool encode_bytes(const dhp_field *field, pb_ostream_t *stream, const uint8_t *bytes, size_t length)
{
    return length == 0 || (pb_encode_tag(stream, PB_WT_STRING, field->number) && pb_encode_string(stream, bytes, length));
}

/* Sized first, then written. */
bool dhp_encode_message(uint32_t number, const dhp_field *fields, pb_ostream_t *stream, const void *from)
{
    pb_ostream_t sizing = PB_OSTREAM_SIZING;
    return dhp_encode(fields, &sizing, from) && pb_encode_tag(stream, PB_WT_STRING, number) && pb_encode_varint(stream, sizing.bytes_written) &&
           dhp_encode(fields, stream, from);
}

static bool encode_field(const dhp_field *field, pb_ostream_t *stream, const uint8_t *base)
{
    const uint8_t *from = base + field->at;
    pb_size_t count;
    switch (field->kind) {
    case TEXT:
        return encode_bytes(field, stream, from, strlen((const char *)from));
    case BYTES:
        memcpy(&count, from, sizeof count);
        return encode_bytes(field, stream, from + sizeof count, count);
    case MESSAGE:
        return !*(const bool *)(from - field->size) || dhp_encode_message(field->number, subs[field->more], stream, from);
    case TEXTS:
    case CAUSES:
        memcpy(&count, base + COUNT_AT(field), sizeof count);
        for (; count > 0; count--, from += field->size) {
            if (field->kind == CAUSES ? !dhp_encode_message(field->number, cause, stream, from)
                                      : !encode_bytes(field, stream, from, strlen((const char *)from))) {
                return false;
            }
        }
        return true;
    case POINTER: {
        dhp_bytes pointed;
        memcpy(&pointed, from, sizeof pointed);
        return encode_bytes(field, stream, pointed.bytes, pointed.length);
    }
    default:
        return encode_number(field, stream, from);
    }
}

bool dhp_encode(const dhp_field *fields, pb_ostream_t *stream, const void *from)
{
    for (; fields->number != 0; fields++) {
        if (!encode_field(fields, stream, from)) {
            return false;
        }
    }
    return true;
}
