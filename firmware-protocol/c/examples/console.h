/* What both examples for Linux share: a file that is the flash, a screen that is stdout, and a cashier that is stdin. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "dhp.h"

typedef struct console {
    const char *flash_path;
    const char *iccid;  /* "": there is no modem */
    int32_t signal_dbm; /* 0: not known */
    uint8_t flash[2][2048];
    dhp_hooks hooks;
    dhp_setup setup;
    uint8_t staging[16400];
    char line[256]; /* of stdin, as far as it came */
    size_t line_length;
    bool ended;
} console;

/*
 * Opens (or makes) the flash file and fills hooks and setup, but for the transport: --serial NAME --flash FILE [--hardware-id ID] [--signal DBM] [--iccid ICCID].
 * Exits with 1 when it cannot.
 */
void console_start(console *c, int count, char **arguments);

/* Milliseconds of a clock that never jumps. */
uint32_t console_now(void);

/* Waits at most 10 ms for stdin or `fd` (-1: none), and does what was typed. */
void console_wait(console *c, dhp_terminal *terminal, int fd);

/* "--name value" among the arguments; NULL: it is not there and `otherwise` is NULL (then it exits with 2). */
const char *console_argument(int count, char **arguments, const char *name, const char *otherwise);

#endif
