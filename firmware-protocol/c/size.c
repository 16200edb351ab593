/* What size.sh measures: everything that a serial terminal pulls in, and the memory that it keeps. board_... is not counted. */
#include "dhp.h"

extern const dhp_setup board_setup;
extern const dhp_line board_line;
extern uint32_t board_now(void);
extern const char *board_text(void);

void size_start(void);
void size_interrupt(void);

dhp_terminal size_terminal;
dhp_serial size_serial;
uint8_t size_ring[128];

void size_interrupt(void) { (void)dhp_ring_put(&size_serial.ring, 0); }

void size_start(void)
{
    dhp_serial_start(&size_serial, &size_terminal, &board_line, size_ring, sizeof size_ring);
    dhp_start(&size_terminal, &board_setup, board_now());
    for (;;) {
        dhp_poll(&size_terminal, board_now());
        dhp_activate(&size_terminal, board_text());
        dhp_scan(&size_terminal, board_text(), board_now(), NULL);
        dhp_press(&size_terminal, DHP_KEY_OK);
        dhp_type(&size_terminal, dhp_may_interrupt(&size_terminal));
    }
}
