#include "dhp_bytes.h"
#include "pb_decode.h"
#include "pb_encode.h"
#include "terminal.pb.h"

/* nanopb's own decoder and encoder call this for the four fields that are not copied. A chunk's entries are written as they stand. */
bool dhp_bytes_field(pb_istream_t *in, pb_ostream_t *out, const pb_field_t *field)
{
    dhp_bytes *pointed = field->pData;
    if (in != NULL) {
        pointed->bytes = in->state;
        pointed->length = (uint16_t)in->bytes_left;
        return pb_read(in, NULL, in->bytes_left);
    }
    if (pointed->length == 0) {
        return true;
    }
    if (field->descriptor == dhp_ConfigurationChunk_fields) {
        return pb_write(out, pointed->bytes, pointed->length);
    }
    return pb_encode_tag_for_field(out, field) && pb_encode_string(out, pointed->bytes, pointed->length);
}
