#include "flash.h"

#include "test.h"

void flash_new(flash *f)
{
    memset(f, 0, sizeof *f);
    memset(f->bytes, 0xff, sizeof f->bytes);
    f->sector_bytes = FLASH_SECTOR;
    f->power = -1;
}

static bool has_power(flash *f)
{
    f->off = f->off || f->power == 0;
    f->power -= f->power > 0 ? 1 : 0;
    return !f->off;
}

bool flash_erase(void *user, unsigned sector)
{
    flash *f = user;
    CHECK(sector < 2);
    f->erases++;
    for (unsigned quarter = 0; quarter < 4; quarter++) {
        if (!has_power(f)) {
            return false;
        }
        /* Not from the start on: what is left may be any part. */
        memset(&f->bytes[sector][((quarter + 2) % 4) * f->sector_bytes / 4], 0xff, f->sector_bytes / 4);
    }
    memset(f->units[sector], 0, sizeof f->units[sector]);
    return true;
}

bool flash_program(void *user, unsigned sector, uint32_t at, const void *bytes, size_t length)
{
    flash *f = user;
    const uint8_t *b = bytes;
    CHECK(sector < 2 && at % DHP_FLASH_UNIT == 0 && length % DHP_FLASH_UNIT == 0 && length > 0 && at + length <= f->sector_bytes);
    if (f->broken) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (!has_power(f)) {
            return false;
        }
        if (i % DHP_FLASH_UNIT == 0) {
            CHECK_NUMBER(1, ++f->units[sector][(at + i) / DHP_FLASH_UNIT]);
        }
        f->bytes[sector][at + i] &= b[i];
        f->programmed++;
    }
    return true;
}

bool flash_read(void *user, unsigned sector, uint32_t at, void *bytes, size_t length)
{
    flash *f = user;
    CHECK(sector < 2 && at + length <= f->sector_bytes);
    memcpy(bytes, &f->bytes[sector][at], length);
    return true;
}
