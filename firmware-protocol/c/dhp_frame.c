#include "dhp_frame.h"

#include "dhp_crc.h"

#define LONGEST_PIECE 0xff

enum { STAGE_DONE, STAGE_FIRST_ZERO, STAGE_PIECE, STAGE_BYTES, STAGE_LAST_ZERO };

static void restart(dhp_frame_reader *reader)
{
    reader->used = 0;
    reader->left = 0;
    reader->piece = 0;
    reader->full = false;
}

void dhp_frame_reader_start(dhp_frame_reader *reader, uint8_t *bytes, uint16_t room)
{
    reader->bytes = bytes;
    reader->room = room;
    restart(reader);
}

uint16_t dhp_frame_payload_length(const dhp_frame_reader *reader) { return (uint16_t)(reader->used - DHP_FRAME_EXTRA); }

static dhp_frame_event judge(const dhp_frame_reader *reader)
{
    if (reader->full) {
        return DHP_FRAME_TOO_LONG;
    }
    if (reader->left > 0) {
        return DHP_FRAME_COBS;
    }
    if (reader->used < DHP_FRAME_EXTRA) {
        return DHP_FRAME_TOO_SHORT;
    }
    const uint8_t *crc = &reader->bytes[reader->used - 4];
    uint32_t stated = (uint32_t)crc[0] | (uint32_t)crc[1] << 8 | (uint32_t)crc[2] << 16 | (uint32_t)crc[3] << 24;
    return dhp_crc32(0, reader->bytes, (size_t)reader->used - 4) == stated ? DHP_FRAME_GOOD : DHP_FRAME_CRC;
}

static void keep(dhp_frame_reader *reader, uint8_t byte)
{
    if (reader->used < reader->room) {
        reader->bytes[reader->used++] = byte;
    } else {
        reader->full = true;
    }
}

dhp_frame_event dhp_frame_read(dhp_frame_reader *reader, uint8_t byte)
{
    if (byte == 0) {
        dhp_frame_event event = reader->piece == 0 ? DHP_FRAME_NONE : judge(reader);
        uint16_t used = reader->used;
        restart(reader);
        if (event == DHP_FRAME_GOOD) {
            reader->used = used; /* until the next piece begins */
        }
        return event;
    }
    if (reader->piece == 0) {
        reader->used = 0;
    }
    if (reader->left > 0) {
        reader->left--;
        keep(reader, byte);
        return DHP_FRAME_NONE;
    }
    if (reader->piece != 0 && reader->piece != LONGEST_PIECE) {
        keep(reader, 0);
    }
    reader->piece = byte;
    reader->left = (uint8_t)(byte - 1);
    return DHP_FRAME_NONE;
}

void dhp_frame_writer_start(dhp_frame_writer *writer, uint8_t type, uint8_t sequence, const uint8_t *payload, uint16_t length)
{
    writer->payload = payload;
    writer->length = length;
    writer->head[0] = type;
    writer->head[1] = sequence;
    uint32_t crc = dhp_crc32(dhp_crc32(0, writer->head, 2), payload, length);
    for (unsigned i = 0; i < 4; i++) {
        writer->crc[i] = (uint8_t)(crc >> (8 * i));
    }
    writer->at = 0;
    writer->stage = STAGE_FIRST_ZERO;
}

static uint16_t content_length(const dhp_frame_writer *writer) { return (uint16_t)(writer->length + DHP_FRAME_EXTRA); }

static uint8_t content(const dhp_frame_writer *writer, uint16_t at)
{
    if (at < 2) {
        return writer->head[at];
    }
    at = (uint16_t)(at - 2);
    return at < writer->length ? writer->payload[at] : writer->crc[at - writer->length];
}

/* The length of the piece that begins at `at`, and 1. */
static uint8_t piece_at(const dhp_frame_writer *writer, uint16_t at)
{
    uint8_t piece = 1;
    while (piece < LONGEST_PIECE && at < content_length(writer) && content(writer, at) != 0) {
        piece++;
        at++;
    }
    return piece;
}

bool dhp_frame_write(dhp_frame_writer *writer, uint8_t *byte)
{
    switch (writer->stage) {
    case STAGE_FIRST_ZERO:
        *byte = 0;
        writer->stage = STAGE_PIECE;
        return true;
    case STAGE_PIECE:
        writer->piece = piece_at(writer, writer->at);
        writer->left = (uint8_t)(writer->piece - 1);
        *byte = writer->piece;
        break;
    case STAGE_BYTES:
        *byte = content(writer, writer->at++);
        writer->left--;
        break;
    case STAGE_LAST_ZERO:
        *byte = 0;
        writer->stage = STAGE_DONE;
        return true;
    default:
        return false;
    }
    if (writer->left > 0) {
        writer->stage = STAGE_BYTES;
    } else if (writer->at >= content_length(writer)) {
        writer->stage = STAGE_LAST_ZERO;
    } else {
        if (writer->piece != LONGEST_PIECE) {
            writer->at++; /* the zero that the piece ends before; another piece follows, if only an empty one */
        }
        writer->stage = STAGE_PIECE;
    }
    return true;
}
