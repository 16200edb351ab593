/* The terminal's end of the serial link: ../serial.md "States". */
#include <string.h>

#include "dhp_internal.h"

enum { FRAME_HELLO = 0x01, FRAME_BAUD, FRAME_DATA, FRAME_ACK, FRAME_REPLY = 0x81, HUB_DATA = 0x83, HUB_ACK, HUB_CLOSE };

enum { LINK_OFF, LINK_HELLO, LINK_UP };

enum {
    FLAG_ACK = 1,   /* an ACK is to be sent */
    FLAG_SEND = 2,  /* the frame that waits is to be sent, or sent again */
    FLAG_BAUD = 4,  /* it is BAUD */
    FLAG_HELLO = 8, /* HELLO is to be sent */
    FLAG_TOLD = 16  /* the terminal was told that the link is up */
};

#define VERSION 1
#define MAX_SENDS 5
#define MAX_BAD 3
#define SILENCE_MS 5000u
#define IDLE_MS 1000u
#define HELLO_MS 1000u
#define CALLED_MS 250u /* a CLOSE 0 is answered by a HELLO, but not more often */
#define REFUSED_MS 30000u
#define QUIET_AFTER_BAUD_MS 100u
#define USB_LATENCY_MS 16u
#define DEFAULT_STALL_MS 300u

bool dhp_ring_put(dhp_ring *ring, uint8_t byte)
{
    uint16_t put = ring->put;
    if ((uint16_t)(put - ring->got) >= ring->size) {
        return false;
    }
    ring->bytes[put & (ring->size - 1u)] = byte;
    DHP_BARRIER();
    ring->put = (uint16_t)(put + 1u);
    return true;
}

static bool ring_get(dhp_ring *ring, uint8_t *byte)
{
    uint16_t got = ring->got;
    if (got == ring->put) {
        return false;
    }
    DHP_BARRIER();
    *byte = ring->bytes[got & (ring->size - 1u)];
    DHP_BARRIER();
    ring->got = (uint16_t)(got + 1u);
    return true;
}

static bool passed(const dhp_serial *s, uint32_t from, uint32_t ms) { return s->now - from >= ms; }

static uint32_t number(const uint8_t *bytes) { return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24; }

static uint8_t *put_number(uint8_t *to, uint32_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        *to++ = (uint8_t)value;
        value >>= 8;
    }
    return to;
}

static void set_rate(dhp_serial *s, uint32_t rate)
{
    if (s->rate != rate && s->line->set_rate != NULL) {
        s->line->set_rate(s->line->user, rate);
    }
    s->rate = rate;
    s->bad = 0;
}

static void set_timeout(dhp_serial *s)
{
    uint32_t content = s->agreed + (uint32_t)DHP_FRAME_EXTRA;
    uint32_t bits = 10 * (content + 5); /* 3 bytes of COBS for 512, and 2 zeros */
    uint32_t frame_ms = 0;
    for (uint32_t sent = 0; sent < bits * 1000; sent += s->rate) {
        frame_ms++;
    }
    s->timeout_ms = (uint16_t)(2 * frame_ms + USB_LATENCY_MS + (s->line->stall_ms != 0 ? s->line->stall_ms : DEFAULT_STALL_MS));
}

/* The first rate, a new boot id, nothing that waits. */
static void begin_anew(dhp_serial *s, uint8_t state)
{
    const dhp_hooks *hooks = s->terminal->setup->hooks;
    uint8_t id[4];
    s->state = state;
    s->flags = 0;
    s->sends = 0;
    s->payload = NULL;
    s->writer.stage = 0;
    s->quiet_ms = 0;
    set_rate(s, s->line->first_rate);
    do {
        if (!hooks->random(hooks->user, id, sizeof id)) {
            put_number(id, s->boot_id + s->now + 1, 4);
        }
        s->boot_id = number(id);
    } while (s->boot_id == 0);
    if (state == LINK_HELLO) {
        s->flags = FLAG_HELLO;
    }
}

static void down(dhp_serial *s, dhp_end end)
{
    bool told = (s->flags & FLAG_TOLD) != 0;
    begin_anew(s, end == DHP_END_AGAIN ? LINK_HELLO : LINK_OFF);
    if (told || end != DHP_END_AGAIN) {
        dhp_disconnected(s->terminal, end, dhp_ReconnectCause_CAUSE_CLOSED);
    }
}

static void be_quiet(dhp_serial *s, uint16_t ms)
{
    s->sent_at = s->now;
    s->quiet_from = s->now;
    s->quiet_ms = ms;
}

static void up(dhp_serial *s, uint32_t rate)
{
    s->state = LINK_UP;
    s->flags = 0;
    s->next = 0;
    s->last = 255;
    s->bad = 0;
    for (uint8_t i = 0; rate != 0 && i < s->line->rate_count && s->line->set_rate != NULL; i++) {
        if (s->line->rates[i] == rate) {
            put_number(s->rate_bytes, rate, 4);
            s->payload = s->rate_bytes;
            s->length = 4;
            s->sends = 0;
            s->flags = FLAG_BAUD | FLAG_SEND;
        }
    }
    set_timeout(s);
}

static void take_reply(dhp_serial *s, const uint8_t *reply, uint16_t length)
{
    if (length < 12 || reply[0] != VERSION) {
        return;
    }
    bool mine = number(reply + 1) == s->boot_id;
    if (s->state == LINK_UP) {
        if (!mine && reply[5] == 0) {
            down(s, DHP_END_AGAIN);
        }
        return;
    }
    if (s->state != LINK_HELLO || !mine) {
        return;
    }
    if (reply[5] != 0) {
        be_quiet(s, REFUSED_MS);
        if (reply[5] == 1) {
            dhp_refused(s->terminal, NULL, dhp_Refusal_CODE_VERSION);
        }
        return;
    }
    uint16_t largest = (uint16_t)(reply[6] | reply[7] << 8);
    s->agreed = largest != 0 && largest < DHP_MESSAGE_BYTES ? largest : DHP_MESSAGE_BYTES;
    up(s, number(reply + 8));
}

static void take_ack(dhp_serial *s, uint8_t sequence)
{
    if (s->payload == NULL || s->sends == 0 || sequence != s->next) {
        return;
    }
    s->payload = NULL;
    s->sends = 0;
    s->next++;
    s->flags = (uint8_t)(s->flags & ~FLAG_SEND);
    if ((s->flags & FLAG_BAUD) != 0) {
        s->flags = (uint8_t)((s->flags & ~FLAG_BAUD) | FLAG_ACK);
        s->writer.stage = 0;
        set_rate(s, number(s->rate_bytes));
        set_timeout(s);
        be_quiet(s, QUIET_AFTER_BAUD_MS);
    }
}

static void take_data(dhp_serial *s, uint8_t sequence, const uint8_t *payload, uint16_t length)
{
    if (sequence == s->last) {
        s->flags |= FLAG_ACK;
    } else if (sequence == (uint8_t)(s->last + 1)) {
        s->last = sequence;
        s->flags |= FLAG_ACK;
        dhp_received(s->terminal, payload, length);
    }
}

static void take_frame(dhp_serial *s)
{
    const uint8_t *frame = s->reader.bytes;
    uint16_t length = dhp_frame_payload_length(&s->reader);
    s->heard_at = s->now;
    s->bad = 0;
    if (frame[0] == FRAME_REPLY) {
        take_reply(s, frame + 2, length);
    } else if (frame[0] == HUB_CLOSE && length > 0 && s->state == LINK_UP) {
        down(s, frame[2] == 0 ? DHP_END_AGAIN : DHP_END_CLOSED);
    } else if (frame[0] == HUB_CLOSE && length > 0 && frame[2] == 0 && s->state == LINK_HELLO && s->quiet_ms == 0 && passed(s, s->sent_at, CALLED_MS)) {
        s->flags |= FLAG_HELLO;
    } else if (frame[0] == HUB_DATA && s->state == LINK_UP) {
        take_data(s, frame[1], frame + 2, length);
    } else if (frame[0] == HUB_ACK && s->state == LINK_UP) {
        take_ack(s, frame[1]);
    }
}

static void read_line(dhp_serial *s)
{
    uint8_t byte;
    for (uint16_t most = s->ring.size; most > 0 && ring_get(&s->ring, &byte); most--) {
        dhp_frame_event event = dhp_frame_read(&s->reader, byte);
        if (event == DHP_FRAME_GOOD) {
            take_frame(s);
        } else if (event != DHP_FRAME_NONE && s->state == LINK_UP && s->rate != s->line->first_rate && ++s->bad >= MAX_BAD) {
            down(s, DHP_END_AGAIN);
        }
    }
}

static void be_timely(dhp_serial *s)
{
    if (s->quiet_ms != 0 && passed(s, s->quiet_from, s->quiet_ms)) {
        s->quiet_ms = 0;
    }
    if (s->state == LINK_HELLO) {
        if (passed(s, s->sent_at, HELLO_MS)) {
            s->flags |= FLAG_HELLO;
        }
        return;
    }
    if (s->state != LINK_UP) {
        return;
    }
    bool waits = s->payload != NULL && s->sends > 0 && (s->flags & FLAG_SEND) == 0 && passed(s, s->waiting_at, s->timeout_ms);
    if (passed(s, s->heard_at, SILENCE_MS) || (waits && s->sends >= MAX_SENDS)) {
        down(s, DHP_END_AGAIN);
        return;
    }
    if (waits) {
        s->flags |= FLAG_SEND;
    }
    if (s->writer.stage == 0 && passed(s, s->sent_at, IDLE_MS)) {
        s->flags |= FLAG_ACK;
    }
    /* The link is up for the terminal once the rate is settled. */
    if ((s->flags & (FLAG_TOLD | FLAG_BAUD)) == 0 && s->quiet_ms == 0) {
        s->flags |= FLAG_TOLD;
        dhp_connected(s->terminal);
    }
}

/* HELLO is made in the terminal's buffer for uplinks: it has none to send before the link is up. */
static void write_hello(dhp_serial *s)
{
    const char *serial_number = s->terminal->setup->serial_number;
    size_t length = strlen(serial_number);
    uint8_t *payload = s->terminal->out;
    uint8_t *at = payload;
    *at++ = VERSION;
    at = put_number(at, s->boot_id, 4);
    at = put_number(at, DHP_MESSAGE_BYTES, 2);
    at = put_number(at, s->line->stall_ms, 2);
    *at++ = (uint8_t)length;
    memcpy(at, serial_number, length);
    at += length;
    uint8_t rates = s->line->set_rate == NULL ? 0 : s->line->rate_count;
    *at++ = rates;
    for (uint8_t i = 0; i < rates; i++) {
        at = put_number(at, s->line->rates[i], 4);
    }
    dhp_frame_writer_start(&s->writer, FRAME_HELLO, 0, payload, (uint16_t)(at - payload));
}

/* The next frame, if there is one: an ACK before all that waits. */
static bool next_frame(dhp_serial *s)
{
    if (s->quiet_ms != 0) {
        return false;
    }
    if (s->state == LINK_HELLO && (s->flags & FLAG_HELLO) != 0) {
        s->flags = (uint8_t)(s->flags & ~FLAG_HELLO);
        write_hello(s);
    } else if (s->state == LINK_UP && (s->flags & FLAG_ACK) != 0) {
        s->flags = (uint8_t)(s->flags & ~FLAG_ACK);
        dhp_frame_writer_start(&s->writer, FRAME_ACK, s->last, NULL, 0);
    } else if (s->state == LINK_UP && (s->flags & FLAG_SEND) != 0) {
        s->flags = (uint8_t)(s->flags & ~FLAG_SEND);
        s->sends++;
        s->waiting_at = s->now;
        dhp_frame_writer_start(&s->writer, (s->flags & FLAG_BAUD) != 0 ? FRAME_BAUD : FRAME_DATA, s->next, s->payload, s->length);
    } else {
        return false;
    }
    s->sent_at = s->now;
    return true;
}

static void write_line(dhp_serial *s)
{
    while (s->writer.stage != 0 || next_frame(s)) {
        dhp_frame_writer before = s->writer;
        uint8_t byte;
        if (dhp_frame_write(&s->writer, &byte) && s->line->write(s->line->user, &byte, 1) == 0) {
            s->writer = before; /* the line is full: this byte again at the next poll */
            return;
        }
    }
}

static void transport_poll(void *user, uint32_t now_ms)
{
    dhp_serial *s = user;
    s->now = now_ms;
    read_line(s);
    be_timely(s);
    write_line(s);
}

static void transport_open(void *user)
{
    dhp_serial *s = user;
    if (s->state == LINK_OFF) {
        begin_anew(s, LINK_HELLO);
    }
}

static void transport_close(void *user) { begin_anew(user, LINK_OFF); }

static bool transport_ready(void *user)
{
    const dhp_serial *s = user;
    bool being_written = s->writer.stage != 0 && s->writer.payload != NULL; /* once more, though its ACK has come */
    return s->state == LINK_UP && s->payload == NULL && !being_written && (s->flags & FLAG_TOLD) != 0 && s->quiet_ms == 0;
}

static bool transport_send(void *user, const uint8_t *message, size_t length)
{
    dhp_serial *s = user;
    if (!transport_ready(user) || length > s->agreed) {
        return false;
    }
    s->payload = message;
    s->length = (uint16_t)length;
    s->sends = 0;
    s->flags |= FLAG_SEND;
    write_line(s);
    return true;
}

void dhp_serial_start(dhp_serial *serial, dhp_terminal *terminal, const dhp_line *line, uint8_t *ring_bytes, uint16_t ring_size)
{
    memset(serial, 0, sizeof *serial);
    serial->line = line;
    serial->terminal = terminal;
    serial->rate = line->first_rate;
    serial->ring.bytes = ring_bytes;
    serial->ring.size = ring_size;
    serial->transport.user = serial;
    serial->transport.wire = "serial";
    serial->transport.open = transport_open;
    serial->transport.close = transport_close;
    serial->transport.ready = transport_ready;
    serial->transport.send = transport_send;
    serial->transport.poll = transport_poll;
    serial->transport.calls = true;
    dhp_frame_reader_start(&serial->reader, terminal->in, sizeof terminal->in);
}
