/* Two sectors of flash that lose power: bits can only be cleared, an erase sets them, and either may be cut anywhere. */
#ifndef FLASH_H
#define FLASH_H

#include "dhp.h"

#define FLASH_SECTOR 2048

typedef struct flash {
    uint8_t bytes[2][FLASH_SECTOR];
    uint8_t units[2][FLASH_SECTOR / DHP_FLASH_UNIT]; /* how often programmed since the erase: more than once is a fault */
    uint32_t sector_bytes;
    long power;       /* so many bytes of program, or quarters of an erase, and then it is gone; negative: for ever */
    bool off;         /* it is gone: nothing more changes */
    bool broken;      /* programs nothing, and says so */
    unsigned erases;
    unsigned long programmed; /* bytes */
} flash;

void flash_new(flash *f);
bool flash_erase(void *user, unsigned sector);
bool flash_program(void *user, unsigned sector, uint32_t at, const void *bytes, size_t length);
bool flash_read(void *user, unsigned sector, uint32_t at, void *bytes, size_t length);

#endif
