#include "dhp_message.h"

#include <string.h>

#include "dhp_fields.h"
#include "pb_decode.h"
#include "pb_encode.h"

#define MAX_REVISION 0x7fffffffu
#define MAX_KEY 48
#define MAX_ARGUMENT 32
#define SEAL_ROOM 8u /* tags and lengths before the body of a sealed message: at most 6 */
#define MAX_CHARGE_MS 3600000u

size_t dhp_write(unsigned tag, const void *body, uint8_t *bytes, size_t room)
{
    pb_ostream_t stream = pb_ostream_from_buffer(bytes, room);
    const dhp_field *fields = dhp_uplink_fields(tag);
    return fields != NULL && dhp_encode_message(tag, fields, &stream, body) ? stream.bytes_written : 0;
}

/* The body is written where it leaves room for what stands before it, sealed, and moved to its place. */
size_t dhp_write_sealed(dhp_seals *seals, unsigned tag, const void *body, uint8_t *bytes, size_t room)
{
    pb_ostream_t sizing = PB_OSTREAM_SIZING;
    dhp_Sealed sealed;
    const dhp_field *fields = dhp_uplink_fields(dhp_Uplink_sealed_tag);
    size_t length = room > SEAL_ROOM ? dhp_write(tag, body, bytes + SEAL_ROOM, room - SEAL_ROOM) : 0;
    if (length == 0) {
        return 0;
    }
    sealed.body.bytes = bytes + SEAL_ROOM;
    sealed.body.length = (uint16_t)length;
    sealed.sequence = ++seals->sent;
    sealed.mac.size = DHP_SEAL_BYTES;
    dhp_seal(seals->key, 'U', sealed.sequence, sealed.body.bytes, length, sealed.mac.bytes);

    pb_ostream_t stream = pb_ostream_from_buffer(bytes, SEAL_ROOM);
    if (!dhp_encode(fields, &sizing, &sealed) || !pb_encode_tag(&stream, PB_WT_STRING, dhp_Uplink_sealed_tag) ||
        !pb_encode_varint(&stream, sizing.bytes_written) || !pb_encode_tag(&stream, PB_WT_STRING, dhp_Sealed_body_tag) ||
        !pb_encode_varint(&stream, length)) {
        return 0;
    }
    size_t written = stream.bytes_written + length;
    memmove(bytes + stream.bytes_written, sealed.body.bytes, length);
    stream = pb_ostream_from_buffer(bytes + written, room - written);
    sealed.body.length = 0; /* it stands there */
    return dhp_encode(fields, &stream, &sealed) ? written + stream.bytes_written : 0;
}

bool dhp_is_name(const char *text, size_t from, size_t to)
{
    size_t length = strlen(text);
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '_' && c != '-') {
            return false;
        }
    }
    return length >= from && length <= to;
}

static bool is_request_id(const char *id) { return dhp_is_name(id, 8, 36); }

bool dhp_read_entry(const uint8_t *bytes, size_t length, dhp_ConfigurationEntry *entry)
{
    memset(entry, 0, sizeof *entry);
    return dhp_decode(dhp_entry_fields, bytes, length, entry) && entry->key[0] != '\0' && entry->which_value != 0;
}

/* Goes on to the next field of this number that has a length, in a message whose rest is `*left`; false: there is none. */
static bool next_bytes(dhp_bytes *left, unsigned number, dhp_bytes *found, bool *others)
{
    pb_istream_t stream = pb_istream_from_buffer(left->bytes, left->length);
    while (stream.bytes_left > 0) {
        pb_wire_type_t type;
        uint32_t here;
        uint32_t size;
        bool end;
        if (!pb_decode_tag(&stream, &type, &here, &end)) {
            return false;
        }
        if (here != number || type != PB_WT_STRING) {
            *others = true;
            if (!pb_skip_field(&stream, type)) {
                return false;
            }
            continue;
        }
        if (!pb_decode_varint32(&stream, &size) || size > stream.bytes_left) {
            return false;
        }
        found->bytes = left->bytes + (left->length - stream.bytes_left);
        found->length = (uint16_t)size;
        left->bytes = found->bytes + size;
        left->length = (uint16_t)(stream.bytes_left - size);
        return true;
    }
    left->length = 0;
    return false;
}

bool dhp_next_entry(dhp_bytes *entries, dhp_bytes *entry)
{
    bool others;
    return next_bytes(entries, dhp_ConfigurationChunk_entries_tag, entry, &others);
}

bool dhp_next_argument(dhp_bytes *arguments, dhp_bytes *argument)
{
    bool others;
    return next_bytes(arguments, dhp_Text_arguments_tag, argument, &others) && argument->length <= MAX_ARGUMENT;
}

bool dhp_entry_key(const dhp_bytes *entry, dhp_bytes *key)
{
    dhp_bytes left = *entry;
    dhp_bytes second;
    bool value = false;
    return entry->length <= UINT8_MAX && next_bytes(&left, dhp_ConfigurationEntry_key_tag, key, &value) && key->length > 0 && key->length <= MAX_KEY &&
           !next_bytes(&left, dhp_ConfigurationEntry_key_tag, &second, &value) && left.length == 0 && value;
}

static bool entries_are_right(const dhp_bytes *entries)
{
    dhp_bytes left = *entries;
    dhp_bytes entry;
    dhp_bytes key;
    while (dhp_next_entry(&left, &entry)) {
        if (!dhp_entry_key(&entry, &key)) {
            return false;
        }
    }
    return left.length == 0;
}

/* What the .proto says beside the fields, where the sizes of terminal.options have not said it yet. */
static bool fields_are_right(unsigned tag, const dhp_body *body)
{
    switch (tag) {
    case dhp_Downlink_challenge_tag:
        return body->challenge.hub_nonce.size == DHP_NONCE_BYTES;
    case dhp_Downlink_offer_tag:
        return body->offer.terminal_key.size == DHP_KEY_BYTES;
    case dhp_Downlink_welcome_tag:
        return dhp_is_name(body->welcome.request_epoch, 12, 12) && body->welcome.unsettled <= 20;
    case dhp_Downlink_configuration_chunk_tag:
        return body->configuration_chunk.version != 0 && body->configuration_chunk.index <= 255 &&
               body->configuration_chunk.entries.length > 0 && entries_are_right(&body->configuration_chunk.entries);
    case dhp_Downlink_configuration_commit_tag:
        return body->configuration_commit.version != 0 && body->configuration_commit.chunks <= 256 &&
               body->configuration_commit.hash.size == 32;
    case dhp_Downlink_accepted_tag:
        return is_request_id(body->accepted.request_id) && body->accepted.state != 0;
    case dhp_Downlink_in_doubt_tag:
        return is_request_id(body->in_doubt.request_id);
    case dhp_Downlink_outcome_tag:
        return is_request_id(body->outcome.request_id) && body->outcome.result != 0 && body->outcome.revision - 1 < MAX_REVISION;
    case dhp_Downlink_refusal_tag:
        return body->refusal.code != 0 && (body->refusal.request_id[0] == '\0' || is_request_id(body->refusal.request_id)) &&
               (body->refusal.other_request_id[0] == '\0' || is_request_id(body->refusal.other_request_id));
    case dhp_Downlink_collect_tag:
        return is_request_id(body->collect.charge_id) && body->collect.amount_fen != 0 && dhp_is_name(body->collect.order_number, 0, 32) &&
               body->collect.time_to_live_ms - 1 < MAX_CHARGE_MS;
    case dhp_Downlink_collect_cancel_tag:
        return is_request_id(body->collect_cancel.charge_id);
    case dhp_Downlink_sealed_tag:
        return body->sealed.body.length > 0 && body->sealed.mac.size == DHP_SEAL_BYTES;
    default:
        return true;
    }
}

dhp_fault dhp_read(const uint8_t *bytes, size_t length, unsigned *tag, dhp_body *body)
{
    pb_istream_t stream = pb_istream_from_buffer(bytes, length);
    *tag = 0;
    while (stream.bytes_left > 0) {
        pb_wire_type_t type;
        uint32_t number;
        uint32_t size;
        bool end;
        if (!pb_decode_tag(&stream, &type, &number, &end)) {
            return DHP_NOT_A_MESSAGE;
        }
        const dhp_field *fields = dhp_downlink_fields(number);
        if (fields == NULL || type != PB_WT_STRING) {
            if (!pb_skip_field(&stream, type)) {
                return DHP_NOT_A_MESSAGE;
            }
            continue;
        }
        memset(body, 0, sizeof *body);
        if (!pb_decode_varint32(&stream, &size) || size > stream.bytes_left ||
            !dhp_decode(fields, bytes + (length - stream.bytes_left), size, body)) {
            return DHP_NOT_A_MESSAGE;
        }
        (void)pb_read(&stream, NULL, size);
        *tag = number;
    }
    if (*tag == 0) {
        return DHP_NO_BODY;
    }
    return fields_are_right(*tag, body) ? DHP_FINE : DHP_FIELD;
}

dhp_fault dhp_open(dhp_seals *seals, char direction, const dhp_Sealed *sealed)
{
    uint8_t mac[DHP_SEAL_BYTES];
    dhp_seal(seals->key, direction, sealed->sequence, sealed->body.bytes, sealed->body.length, mac);
    if (sealed->mac.size != DHP_SEAL_BYTES || !dhp_equal(mac, sealed->mac.bytes, DHP_SEAL_BYTES)) {
        return DHP_WRONG_MAC;
    }
    if (sealed->sequence <= seals->opened) {
        return DHP_REPLAYED;
    }
    seals->opened = sealed->sequence;
    return DHP_FINE;
}

bool dhp_is_money(unsigned tag, const dhp_body *body)
{
    switch (tag) {
    case dhp_Downlink_accepted_tag:
    case dhp_Downlink_in_doubt_tag:
    case dhp_Downlink_outcome_tag:
    case dhp_Downlink_collect_tag:
    case dhp_Downlink_collect_cancel_tag:
        return true;
    case dhp_Downlink_refusal_tag:
        return body->refusal.request_id[0] != '\0';
    default:
        return false;
    }
}

dhp_fault dhp_read_any(dhp_seals *seals, const uint8_t *bytes, size_t length, unsigned *tag, dhp_body *body, bool *was_sealed)
{
    dhp_fault fault = dhp_read(bytes, length, tag, body);
    *was_sealed = fault == DHP_FINE && *tag == dhp_Downlink_sealed_tag;
    if (*was_sealed) {
        fault = dhp_open(seals, 'D', &body->sealed);
        if (fault == DHP_FINE) {
            dhp_bytes inner = body->sealed.body;
            fault = dhp_read(inner.bytes, inner.length, tag, body);
        }
        if (fault == DHP_FINE && !dhp_is_money(*tag, body)) {
            fault = DHP_NOT_MONEY;
        }
    }
    return fault;
}
