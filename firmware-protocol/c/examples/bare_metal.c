/*
 * The kit without an operating system: main calls dhp_poll in its loop, the UART's receive interrupt puts bytes into the ring.
 * board_... is the board's: small functions over its registers.
 */
#include "dhp.h"

extern uint32_t board_milliseconds(void); /* of a timer that runs for ever and may wrap */
extern bool board_random(void *user, uint8_t *bytes, size_t length);
extern bool board_flash_erase(void *user, unsigned sector);
extern bool board_flash_program(void *user, unsigned sector, uint32_t at, const void *bytes, size_t length);
extern bool board_flash_read(void *user, unsigned sector, uint32_t at, void *bytes, size_t length);
extern size_t board_uart_write(void *user, const uint8_t *bytes, size_t length); /* into its send buffer, as far as there is room */
extern uint8_t board_uart_received(void);
extern void board_show(void *user, const dhp_view *view);
extern bool board_typed_activation(char code[33]); /* the installer typed a code: asked for while DHP_ACTIVATION is shown */
extern bool board_pressed(dhp_key *key); /* a late result waits for one: a board needs at least one key */
extern bool board_scanned(char code[65]); /* a code was read */
extern uint32_t board_amount_fen(void);   /* what was typed */
extern void board_beep_low(void);
extern const char *board_serial_number(void);
extern const char *board_hardware_id(void);

void board_uart_interrupt(void);
int main(void);

static dhp_terminal terminal;
static dhp_serial serial;
static uint8_t ring[512]; /* what comes at 115,200 baud in the 40 ms of an erase */

void board_uart_interrupt(void) { (void)dhp_ring_put(&serial.ring, board_uart_received()); }

int main(void)
{
    static const char *const capabilities[] = {"buzzer", "light", "collect"};
    static const dhp_hooks hooks = {NULL,             board_random, 2048, board_flash_erase, board_flash_program,
                                    board_flash_read, board_show,   NULL, NULL,              NULL};
    static const dhp_line line = {NULL, board_uart_write, NULL, 115200, NULL, 0, 40};
    static dhp_setup setup = {NULL, NULL, "1.0.0", "S1", capabilities, 3, 0, dhp_TEXT_ENCODING_NONE, dhp_BOOT_REASON_POWER_ON, 30000, &hooks, NULL, NULL, 0};
    char code[65];
    dhp_key key;
    setup.serial_number = board_serial_number();
    setup.hardware_id = board_hardware_id();
    setup.transport = &serial.transport;
    dhp_serial_start(&serial, &terminal, &line, ring, sizeof ring);
    dhp_start(&terminal, &setup, board_milliseconds());
    for (;;) {
        dhp_poll(&terminal, board_milliseconds());
        if (board_typed_activation(code)) {
            (void)dhp_activate(&terminal, code);
        }
        if (board_pressed(&key)) {
            dhp_press(&terminal, key);
        }
        if (board_scanned(code) && dhp_scan(&terminal, code, board_amount_fen(), NULL) != DHP_TAKEN) {
            board_beep_low();
        }
    }
}
