/*
 * Structs to bytes and back. The structs, and the numbers of their fields, are those that nanopb's generator makes of
 * terminal.proto with terminal.options; varints, tags and bounds are its stream functions'. Only the walk over the fields is the
 * kit's, by a table of six bytes a field: nanopb's own takes 4 KiB more code and 500 bytes more stack on a Cortex-M0+.
 * test_message.c compares both walks, field for field, over all vectors.
 */
#ifndef DHP_FIELDS_H
#define DHP_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "terminal.pb.h"

typedef struct dhp_field {
    uint8_t number; /* 0: the end of the table */
    uint8_t kind;
    uint16_t at;
    uint8_t size; /* of text with its zero, of bytes; of a message the distance to its has_ flag; of dhp_bytes the limit, 0: the message's */
    uint8_t more; /* of a message its table; of repeated ones how many */
} dhp_field;

/* The tables of the bodies; NULL: there is no such body. */
const dhp_field *dhp_uplink_fields(unsigned tag);
const dhp_field *dhp_downlink_fields(unsigned tag);
extern const dhp_field dhp_entry_fields[];

/* `to` is zero before. What the table does not know is skipped. False: not protobuf, or a field is too large. */
bool dhp_decode(const dhp_field *fields, const uint8_t *bytes, size_t length, void *to);

/* False: no room. Fields that are zero or empty are left out. */
bool dhp_encode(const dhp_field *fields, pb_ostream_t *stream, const void *from);

/* The same as the field `number` of the message around it. */
bool dhp_encode_message(uint32_t number, const dhp_field *fields, pb_ostream_t *stream, const void *from);

#endif
