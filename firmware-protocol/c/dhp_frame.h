/* Frames of the serial link, ../serial.md "Frames": COBS between zero bytes, type, sequence, payload, CRC-32. */
#ifndef DHP_FRAME_H
#define DHP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DHP_FRAME_EXTRA 6 /* type, sequence, CRC */

typedef enum dhp_frame_event {
    DHP_FRAME_NONE,
    DHP_FRAME_GOOD, /* type, sequence and payload are in the reader's bytes until the next one is read */
    DHP_FRAME_COBS,
    DHP_FRAME_TOO_SHORT,
    DHP_FRAME_TOO_LONG,
    DHP_FRAME_CRC
} dhp_frame_event;

typedef struct dhp_frame_reader {
    uint8_t *bytes; /* the largest payload + DHP_FRAME_EXTRA */
    uint16_t room;
    uint16_t used;
    uint8_t left;  /* of the present piece */
    uint8_t piece; /* its first byte; 0: no piece yet */
    bool full;
} dhp_frame_reader;

void dhp_frame_reader_start(dhp_frame_reader *reader, uint8_t *bytes, uint16_t room);
dhp_frame_event dhp_frame_read(dhp_frame_reader *reader, uint8_t byte);

/* After DHP_FRAME_GOOD: bytes[0] is the type, bytes[1] the sequence, bytes + 2 the payload of this length. */
uint16_t dhp_frame_payload_length(const dhp_frame_reader *reader);

/* Writes a frame byte by byte: no second buffer is needed. */
typedef struct dhp_frame_writer {
    const uint8_t *payload; /* stays as it is until the frame is written */
    uint16_t length;
    uint16_t at;
    uint8_t head[2];
    uint8_t crc[4];
    uint8_t left;
    uint8_t piece;
    uint8_t stage; /* 0: done */
} dhp_frame_writer;

void dhp_frame_writer_start(dhp_frame_writer *writer, uint8_t type, uint8_t sequence, const uint8_t *payload, uint16_t length);

/* False: the frame has been written. */
bool dhp_frame_write(dhp_frame_writer *writer, uint8_t *byte);

#endif
