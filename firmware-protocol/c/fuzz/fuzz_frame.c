/* Whatever a line delivers, into the frame reader; what comes out whole is written and read again. */
#include <stdlib.h>
#include <string.h>

#include "dhp_frame.h"

#define LARGEST 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(const uint8_t *frame, uint16_t length)
{
    static uint8_t copy[LARGEST + DHP_FRAME_EXTRA];
    static uint8_t bytes[LARGEST + DHP_FRAME_EXTRA];
    dhp_frame_reader reader;
    dhp_frame_writer writer;
    uint8_t byte;
    unsigned good = 0;
    memcpy(copy, frame, (size_t)length + 2);
    dhp_frame_reader_start(&reader, bytes, sizeof bytes);
    dhp_frame_writer_start(&writer, copy[0], copy[1], copy + 2, length);
    while (dhp_frame_write(&writer, &byte)) {
        good += dhp_frame_read(&reader, byte) == DHP_FRAME_GOOD ? 1 : 0;
    }
    if (good != 1 || dhp_frame_payload_length(&reader) != length || memcmp(bytes, copy, (size_t)length + 2) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[LARGEST + DHP_FRAME_EXTRA];
    dhp_frame_reader reader;
    dhp_frame_reader_start(&reader, bytes, sizeof bytes);
    for (size_t i = 0; i < size; i++) {
        if (dhp_frame_read(&reader, data[i]) == DHP_FRAME_GOOD) {
            again(bytes, dhp_frame_payload_length(&reader));
        }
    }
    /* And as a payload of its own. */
    if (size >= 2 && size <= LARGEST + 2) {
        again(data, (uint16_t)(size - 2));
    }
    return 0;
}
