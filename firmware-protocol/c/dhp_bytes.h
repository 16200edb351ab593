/* Bytes that stay where they are, in the message that is being handled. */
#ifndef DHP_BYTES_H
#define DHP_BYTES_H

#include <stdint.h>

typedef struct dhp_bytes {
    const uint8_t *bytes;
    uint16_t length;
} dhp_bytes;

#endif
