/*
 * The kit in a task of an RTOS, over a modem's MQTT: this task owns the terminal; what happens elsewhere comes to it as events of a
 * queue. os_... is the RTOS's, modem_... the modem driver's, board_... the board's; the names are examples.
 */
#include "dhp.h"

typedef enum event_kind {
    EVENT_NONE,
    EVENT_MODEM_UP,
    EVENT_MODEM_DOWN,
    EVENT_MODEM_CLOSED,
    EVENT_MESSAGE,
    EVENT_SENT,
    EVENT_ACTIVATION,
    EVENT_SCANNED,
    EVENT_KEY
} event_kind;

typedef struct event {
    event_kind kind;
    dhp_key key;
    uint32_t amount_fen;
    uint16_t length;
    uint8_t bytes[DHP_MESSAGE_BYTES]; /* a message, or a code and its zero */
} event;

extern bool os_queue_take(event *next, uint32_t wait_ms);
extern uint32_t os_milliseconds(void);
extern void modem_connect(const char *client_id); /* TLS, CONNECT, SUBSCRIBE down; then EVENT_MODEM_UP or EVENT_MODEM_DOWN */
extern void modem_disconnect(void);
extern bool modem_publish(const uint8_t *bytes, size_t length); /* copies; EVENT_SENT when the next one may go */
extern const dhp_hooks board_hooks;
extern const char board_serial_number[];
extern const char board_hardware_id[];
extern void board_beep_low(void);

void terminal_task(void *argument);

static dhp_terminal terminal;
static bool up;
static bool publishing;

static void transport_open(void *user)
{
    (void)user;
    modem_connect(board_serial_number);
}

static void transport_close(void *user)
{
    (void)user;
    up = false;
    modem_disconnect();
}

static bool transport_ready(void *user)
{
    (void)user;
    return up && !publishing;
}

static bool transport_send(void *user, const uint8_t *message, size_t length)
{
    (void)user;
    publishing = modem_publish(message, length);
    return publishing;
}

static void take(const event *next)
{
    switch (next->kind) {
    case EVENT_MODEM_UP:
        up = true;
        publishing = false;
        dhp_connected(&terminal);
        break;
    case EVENT_MODEM_DOWN:
    case EVENT_MODEM_CLOSED:
        up = false;
        dhp_disconnected(&terminal, next->kind == EVENT_MODEM_CLOSED ? DHP_END_CLOSED : DHP_END_LOST, dhp_ReconnectCause_CAUSE_NO_NETWORK);
        break;
    case EVENT_MESSAGE:
        dhp_received(&terminal, next->bytes, next->length);
        break;
    case EVENT_SENT:
        publishing = false;
        break;
    case EVENT_ACTIVATION: /* the installer typed a code: asked for while DHP_ACTIVATION is shown */
        (void)dhp_activate(&terminal, (const char *)next->bytes);
        break;
    case EVENT_SCANNED:
        if (dhp_scan(&terminal, (const char *)next->bytes, next->amount_fen, NULL) != DHP_TAKEN) {
            board_beep_low();
        }
        break;
    case EVENT_KEY:
        dhp_press(&terminal, next->key);
        break;
    case EVENT_NONE:
        break;
    }
}

void terminal_task(void *argument)
{
    static const char *const capabilities[] = {"screen", "speech", "printer"};
    static const dhp_transport transport = {NULL, "mqtt", transport_open, transport_close, transport_ready, transport_send, NULL, false};
    static uint8_t staging[4096];
    static const dhp_setup setup = {board_serial_number, board_hardware_id,      "1.0.0", "S2",         capabilities, 3,       16,
                                    dhp_TEXT_ENCODING_GB18030, dhp_BOOT_REASON_POWER_ON, 30000,   &board_hooks, &transport, staging, sizeof staging};
    static event next;
    (void)argument;
    dhp_start(&terminal, &setup, os_milliseconds());
    for (;;) {
        if (os_queue_take(&next, 10)) {
            take(&next);
        }
        dhp_poll(&terminal, os_milliseconds());
    }
}
