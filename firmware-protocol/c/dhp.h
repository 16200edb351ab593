/*
 * dhp: a payment terminal that speaks the DeviceHub terminal protocol. Portable C99; no heap, no globals, nothing blocks.
 * ../README.md is the protocol, ../serial.md the serial link, README.md how to put this into a firmware.
 *
 * THE WHOLE API
 *
 *   dhp_start         once after boot: reads the flash log, begins to connect
 *   dhp_poll          again and again, every 1 to 20 ms: does what is due; all hooks are called from here or from the calls below
 *   dhp_activate      an activation code was typed
 *   dhp_scan          a payment code was scanned (with the amount, or for the charge that the till began)
 *   dhp_press         a key was pressed
 *   dhp_type          a person begins to type an amount, or has ended: the till's charges wait for that
 *   dhp_may_interrupt may the device reboot, update or change its settings now?
 *
 *   for a transport of your own (MQTT), which tells what happened:
 *   dhp_connected, dhp_received, dhp_disconnected
 *
 *   for the serial line, whose transport is in the kit:
 *   dhp_serial_start  makes the transport
 *   dhp_ring_put      a byte came: the one call that an interrupt may make
 *
 * WHAT THE INTEGRATOR SUPPLIES
 *
 *   time              a counter of milliseconds that never jumps, given to dhp_poll; it may wrap
 *   random            bytes that nobody can guess (hardware generator)
 *   flash             two sectors: erase, program, read
 *   show, speak       what people see and hear: the table of ../README.md "What the cashier sees and hears"
 *   describe          optional: what a heartbeat says of signal, battery, modem, place
 *   configure         optional: what settings there are, and to keep them
 *   send              a dhp_transport (MQTT), or a dhp_line (serial) and dhp_ring_put in the receive interrupt
 *   nanopb            its pb.h, pb_common.*, pb_encode.*, pb_decode.* and the output of its generator for terminal.proto
 *   SHA-256           optional: dhp_sha256.h says how to use your own
 *
 * ONE THREAD OWNS A TERMINAL: all calls for it come from there, but for dhp_ring_put. Hooks may call nothing of this file.
 */
#ifndef DHP_H
#define DHP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dhp_frame.h"
#include "dhp_message.h"

/* Bytes that flash programs at once: 8 fits most microcontrollers (a divisor of 256, at least 4). */
#ifndef DHP_FLASH_UNIT
#define DHP_FLASH_UNIT 8u
#endif

#define DHP_REQUEST_ID_BYTES 37 /* 36 and the zero */
#define DHP_SHOWN_KEPT 3        /* shown outcomes that are remembered */

typedef struct dhp_terminal dhp_terminal;

/* ---- what people see and hear ---------------------------------------------------------------------------------------------- */

/* The states of ../README.md "What the cashier sees and hears", in its order. */
typedef enum dhp_state {
    DHP_STARTING,
    DHP_ACTIVATION, /* type a code; with a refusal: that one was not accepted */
    DHP_READY,
    DHP_SUSPENDED,
    DHP_NO_NETWORK, /* with a request id: that payment was not sent and is gone */
    DHP_SENDING,
    DHP_ACCEPTED,
    DHP_WAITING, /* the customer types a password: clip 6 once */
    DHP_APPROVED,
    DHP_ALREADY_PAID,
    DHP_DECLINED,
    DHP_REFUSED,
    DHP_SECOND_PAYMENT, /* "second payment?": DHP_KEY_OK or DHP_KEY_CANCEL */
    DHP_IN_DOUBT,       /* clip 3 and its two-tone each 10 s, as long as this is shown */
    DHP_CANCELLING,
    DHP_NOT_CHARGED,
    DHP_REFUNDED,
    DHP_LATE,       /* `outcome` says of what */
    DHP_COLLECTING, /* the till wants this amount: forget codes that were read before; scan, or DHP_KEY_CANCEL */
    DHP_CLOSED_BY_TILL,
    DHP_FAULT       /* flash cannot be written: call service */
} dhp_state;

/* What is to be shown from now on. The pointers hold during the call. Show before you return: what was shown is confirmed to the hub. */
typedef struct dhp_view {
    dhp_state state;
    uint32_t amount_fen;        /* of the payment; 0: none, or not known */
    const char *request_id;     /* of the payment; NULL: none */
    const dhp_Outcome *outcome; /* of a result; else NULL */
    const dhp_Text *text;       /* the hub's words, or NULL: your own for the state, outcome->reason or refusal */
    uint32_t refusal;           /* dhp_Refusal_CODE_..., or 0 */
} dhp_view;

typedef enum dhp_key { DHP_KEY_OK, DHP_KEY_CANCEL, DHP_KEY_QUERY } dhp_key;

/* ---- what the integrator supplies ------------------------------------------------------------------------------------------ */

typedef enum dhp_step {
    DHP_CHECK, /* can this setting be applied? change nothing */
    DHP_KEEP,  /* all could: here they come once more, one by one */
    DHP_APPLY  /* that was all (entry is NULL): store what came durably, then use it in place of the old */
} dhp_step;

typedef struct dhp_hooks {
    void *user; /* given to every one of them */

    bool (*random)(void *user, uint8_t *bytes, size_t length);

    /* Flash: sectors 0 and 1 of sector_bytes each, at least 512 and 8 units, a multiple of DHP_FLASH_UNIT. Erased bytes read as 0xFF.
     * `at` and `length` of program are multiples of DHP_FLASH_UNIT, and no unit is programmed twice without an erase between. They
     * return when the work is done; false: it went wrong, or what is read fails its ECC, as after a power cut. */
    uint32_t sector_bytes;
    bool (*flash_erase)(void *user, unsigned sector);
    bool (*flash_program)(void *user, unsigned sector, uint32_t at, const void *bytes, size_t length);
    bool (*flash_read)(void *user, unsigned sector, uint32_t at, void *bytes, size_t length);

    void (*show)(void *user, const dhp_view *view);

    /* The hub's speech for a result; NULL: there is no speaker. Clips first; the amount is outcome->paid_fen. */
    void (*speak)(void *user, const dhp_Speech *speech, const dhp_Outcome *outcome);

    /* Sets fields of a heartbeat; `first` of a session: also modem, place and connect_times. NULL: nothing is known. */
    void (*describe)(void *user, bool first, dhp_Heartbeat *heartbeat);

    /* Settings. NULL back: fine; else why not, for the operator, in a text that stays where it is. NULL here: no setting is known, and a configuration is refused. */
    const char *(*configure)(void *user, dhp_step step, const dhp_ConfigurationEntry *entry);
} dhp_hooks;

/* A connection to the hub that carries whole messages. */
typedef struct dhp_transport {
    void *user;
    const char *wire; /* "mqtt" or "serial": it is in the proof */

    /* Begin to connect. The end of it is told by dhp_connected or dhp_disconnected, later. */
    void (*open)(void *user);

    /* Disconnect; nothing needs to be told. Also ends an open that is under way. */
    void (*close)(void *user);

    /* The message before has left `message`, and the next one would be taken. */
    bool (*ready)(void *user);

    /* Take a message; `message` stays as it is until ready says true again. False: not one byte of it has been or will be sent. */
    bool (*send)(void *user, const uint8_t *message, size_t length);

    /* What is due; called by dhp_poll first of all. NULL: nothing ever is. */
    void (*poll)(void *user, uint32_t now_ms);

    /* It calls until somebody is there, as the serial link does: a session that had no answer begins anew without a back-off. */
    bool calls;
} dhp_transport;

typedef struct dhp_setup {
    const char *serial_number; /* [A-Za-z0-9_-]{4,32}; this and all below stay where they are */
    const char *hardware_id;   /* [A-Za-z0-9._:-]{1,64} */
    const char *firmware;      /* at most 32 */
    const char *model;         /* at most 32 */
    const char *const *capabilities;
    uint8_t capability_count;  /* at most 8 */
    uint8_t text_columns;
    uint8_t text_encoding;     /* dhp_TEXT_ENCODING_... */
    uint8_t boot_reason;       /* dhp_BOOT_REASON_... */
    uint32_t time_to_live_ms;  /* of a request, 1,000 to 120,000 */
    const dhp_hooks *hooks;
    const dhp_transport *transport;
    uint8_t *staging;          /* a configuration is collected here: 16,400 bytes take the largest that there may be */
    uint16_t staging_bytes;    /* what does not fit is refused; 0 is allowed */
} dhp_setup;

/* ---- calls ------------------------------------------------------------------------------------------------------------------ */

void dhp_start(dhp_terminal *terminal, const dhp_setup *setup, uint32_t now_ms);
void dhp_poll(dhp_terminal *terminal, uint32_t now_ms);

/* 1 to 32 characters, as printed. False: it has another length. */
bool dhp_activate(dhp_terminal *terminal, const char *code);

typedef enum dhp_answer {
    DHP_TAKEN,
    DHP_NOT_NOW,    /* no network, suspended, starting, a payment is open, or a result waits for a key: beep low */
    DHP_WRONG_CODE, /* not 1 to 64 printable ASCII characters */
    DHP_WRONG_AMOUNT,
    DHP_WRONG_ORDER,
    DHP_NO_FLASH
} dhp_answer;

/* order_number: the merchant's own, or NULL. amount_fen is not looked at while the till's charge is collecting. */
dhp_answer dhp_scan(dhp_terminal *terminal, const char *code, uint32_t amount_fen, const char *order_number);

void dhp_press(dhp_terminal *terminal, dhp_key key);
void dhp_type(dhp_terminal *terminal, bool begins);

/* False while a payment is not final: do not reboot, update or switch off then. */
bool dhp_may_interrupt(const dhp_terminal *terminal);

typedef enum dhp_end {
    DHP_END_LOST,   /* the network, or it could not be reached: back-off, no jitter */
    DHP_END_CLOSED, /* the hub closed or refused: back-off with jitter */
    DHP_END_AGAIN   /* of the serial link, which calls on its own: no back-off */
} dhp_end;

void dhp_connected(dhp_terminal *terminal);
void dhp_received(dhp_terminal *terminal, const uint8_t *message, size_t length);

/* cause: dhp_ReconnectCause_CAUSE_..., for the next heartbeat. */
void dhp_disconnected(dhp_terminal *terminal, dhp_end end, uint8_t cause);

/* ---- the serial line -------------------------------------------------------------------------------------------------------- */

typedef struct dhp_line {
    void *user;

    /* Takes what fits its buffer now, and says how much that was. */
    size_t (*write)(void *user, const uint8_t *bytes, size_t length);

    /* From the next byte on; what was written before leaves at the old rate. NULL: the first rate only. */
    void (*set_rate)(void *user, uint32_t baud);

    uint32_t first_rate;   /* 115,200, or 9,600 */
    const uint32_t *rates; /* faster ones, the best first, at most 4 */
    uint8_t rate_count;
    uint16_t stall_ms;     /* the longest flash erase, 0 to 2,000; 0 means 300 */
} dhp_line;

/* Between the bytes of the ring and its counters. One core needs nothing: they are volatile. Where the interrupt runs on another
 * core, define it as a memory barrier. */
#ifndef DHP_BARRIER
#define DHP_BARRIER() ((void)0)
#endif

/* Bytes from an interrupt to the owner: one side puts, the other gets, neither waits. The machine reads and writes 16 bits in one
 * instruction; one of 8 bits does not, and cannot use this ring from an interrupt. */
typedef struct dhp_ring {
    volatile uint8_t *bytes;
    uint16_t size; /* a power of 2: what can come between two polls, and while flash is erased */
    volatile uint16_t put;
    volatile uint16_t got;
} dhp_ring;

/* False: it was full, and the byte is lost; the link repeats what it was of. */
bool dhp_ring_put(dhp_ring *ring, uint8_t byte);

typedef struct dhp_serial {
    dhp_transport transport; /* give this to dhp_setup */
    uint8_t state;
    uint8_t flags;
    uint8_t next; /* sequence of the next frame */
    uint8_t last; /* sequence taken last */
    uint8_t sends;
    uint8_t bad;
    uint16_t length;
    const uint8_t *payload; /* of the sequenced frame that waits for its ACK */
    const dhp_line *line;
    dhp_terminal *terminal;
    uint32_t now;
    uint32_t boot_id;
    uint32_t rate;
    uint32_t sent_at;    /* the last frame of any kind */
    uint32_t heard_at;   /* the last good frame */
    uint32_t waiting_at; /* the first byte of the last send of the frame that waits */
    uint32_t quiet_from; /* nothing is sent for quiet_ms */
    uint16_t quiet_ms;
    uint16_t timeout_ms;
    uint16_t agreed; /* largest payload */
    uint8_t rate_bytes[4];
    dhp_ring ring;
    dhp_frame_reader reader;
    dhp_frame_writer writer;
} dhp_serial;

/* ring_bytes: ring_size of them, a power of 2. Before dhp_start of the terminal, whose transport is &serial->transport. */
void dhp_serial_start(dhp_serial *serial, dhp_terminal *terminal, const dhp_line *line, uint8_t *ring_bytes, uint16_t ring_size);

/* ---- the context: the caller's memory, the kit's contents -------------------------------------------------------------------- */

typedef enum dhp_slot { DHP_SLOT_OLD, DHP_SLOT_NEW } dhp_slot; /* the key that counts; the one that was offered */

typedef struct dhp_log {
    const dhp_hooks *hooks;
    uint32_t number;
    uint32_t end;
    uint32_t key[2];
    uint32_t pending;
    uint32_t configuration;
    uint8_t sector;
} dhp_log;

typedef struct dhp_payment {
    uint8_t state; /* dhp_state of it; DHP_READY: there is none; DHP_COLLECTING: the request has a charge and no code yet */
    uint8_t flags;
    uint8_t tries;
    uint8_t ended_reason;
    uint32_t scanned_at;
    uint32_t handed_at;
    uint32_t due_from;
    uint32_t due_ms;
    uint32_t charge_from;
    uint32_t charge_ms;
    dhp_PaymentRequest request;
    char ended_id[DHP_REQUEST_ID_BYTES]; /* the charge of a collect_ended that waits */
} dhp_payment;

typedef struct dhp_shown {
    uint32_t revision; /* 0: none is here */
    bool unsent;
    char request_id[DHP_REQUEST_ID_BYTES];
} dhp_shown;

typedef struct dhp_collected {
    uint64_t version; /* 0: nothing is collected */
    uint64_t report_version;
    uint16_t used;
    uint16_t refused_at; /* the entry that was, and 1; 0: none */
    bool committed;
    bool overflow;
    uint8_t result; /* of the report that waits */
    const char *detail;
    uint8_t seen[32]; /* a bit for each chunk */
} dhp_collected;

/* The small and often used first: a Cortex-M0+ reaches bytes up to 31 and words up to 124 in one instruction. */
struct dhp_terminal {
    const dhp_setup *setup;
    uint32_t now;
    uint16_t want;
    uint8_t session;
    uint8_t flags;
    uint8_t attempt;
    uint8_t view; /* dhp_state that is shown */
    uint32_t uptime_s;
    uint32_t uptime_ms;
    uint32_t since;   /* when this state of the session began */
    uint32_t wait_ms; /* how long it may last */
    uint32_t connected_at;
    uint32_t login_ms;
    uint32_t heartbeat_from;
    uint32_t heartbeat_ms;
    uint32_t view_from;
    uint32_t view_ms;
    uint32_t max_amount_fen;
    uint32_t counter;
    dhp_log log;
    dhp_payment payment;
    dhp_shown shown[DHP_SHOWN_KEPT];
    dhp_seals seals; /* until welcome its key is the two nonces that it will be made of: the hub's and the terminal's */
    dhp_collected collected;
    uint8_t lost[9]; /* connections by cause */
    char epoch[13];
    char code[33];
    dhp_body body;
    uint8_t in[DHP_MESSAGE_BYTES + DHP_FRAME_EXTRA];
    uint8_t out[DHP_UPLINK_BYTES];
};

#endif
