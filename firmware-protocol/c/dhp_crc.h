/* CRC-32/ISO-HDLC (of Ethernet and zip): 0xCBF43926 over "123456789". Begin with 0; go on with what came before. */
#ifndef DHP_CRC_H
#define DHP_CRC_H

#include <stddef.h>
#include <stdint.h>

uint32_t dhp_crc32(uint32_t crc, const void *bytes, size_t length);

#endif
