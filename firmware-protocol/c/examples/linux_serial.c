/*
 * A whole terminal on a serial line:
 *
 *   dhp_serial_line --port /dev/ttyUSB0 --serial MY-0001 --flash my.flash [--hardware-id ID] [--baud 115200] [--stall MS] [--signal -71] [--iccid ICCID]
 *
 * The cashier is stdin: "activate CODE", "scan CODE AMOUNT_FEN [ORDER_NUMBER]", "ok", "cancel", "query", "quit".
 * --stall is what HELLO states: on a busy machine a process may stand still for longer than the 300 ms that count without it.
 * A port that is gone is opened again each second.
 */
#define _DEFAULT_SOURCE

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "console.h"

typedef struct port {
    const char *path;
    int fd; /* -1: it is not there */
    uint32_t rate;
    uint32_t tried_at;
} port;

static speed_t speed_of(uint32_t rate)
{
    switch (rate) {
    case 9600:
        return B9600;
    case 230400:
        return B230400;
    case 460800:
        return B460800;
    case 921600:
        return B921600;
    default:
        return B115200;
    }
}

/* 8N1, raw, no flow control. */
static bool set_line(int fd, uint32_t rate)
{
    struct termios settings;
    if (tcgetattr(fd, &settings) != 0) {
        return false;
    }
    cfmakeraw(&settings);
    settings.c_cflag = (settings.c_cflag & ~(tcflag_t)(CSTOPB | CRTSCTS)) | CLOCAL | CREAD;
    settings.c_iflag &= ~(tcflag_t)(IXON | IXOFF);
    cfsetispeed(&settings, speed_of(rate));
    cfsetospeed(&settings, speed_of(rate));
    return tcsetattr(fd, TCSADRAIN, &settings) == 0;
}

static void open_port(port *p, uint32_t now)
{
    if (p->fd >= 0 || (p->tried_at != 0 && now - p->tried_at < 1000)) {
        return;
    }
    p->tried_at = now;
    p->fd = open(p->path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    if (p->fd >= 0 && !set_line(p->fd, p->rate)) {
        close(p->fd);
        p->fd = -1;
    }
}

static size_t write_line(void *user, const uint8_t *bytes, size_t length)
{
    port *p = user;
    ssize_t written = p->fd >= 0 ? write(p->fd, bytes, length) : 0;
    return written > 0 ? (size_t)written : 0;
}

static void set_rate(void *user, uint32_t rate)
{
    port *p = user;
    p->rate = rate;
    if (p->fd >= 0) {
        (void)set_line(p->fd, rate);
    }
}

/* What a receive interrupt does in a firmware. */
static void read_port(port *p, dhp_ring *ring)
{
    uint8_t bytes[256];
    ssize_t got = p->fd >= 0 ? read(p->fd, bytes, sizeof bytes) : -1;
    for (ssize_t i = 0; i < got; i++) {
        (void)dhp_ring_put(ring, bytes[i]);
    }
    struct termios settings;
    if (p->fd >= 0 && got <= 0 && tcgetattr(p->fd, &settings) != 0) { /* unplugged */
        close(p->fd);
        p->fd = -1;
    }
}

int main(int count, char **arguments)
{
    static const uint32_t rates[] = {921600, 460800, 230400};
    static console c;
    static dhp_terminal terminal;
    static dhp_serial serial;
    static uint8_t ring[4096];
    static port p;
    p.path = console_argument(count, arguments, "--port", NULL);
    p.rate = (uint32_t)strtoul(console_argument(count, arguments, "--baud", "115200"), NULL, 10);
    p.fd = -1;
    console_start(&c, count, arguments);

    uint16_t stall_ms = (uint16_t)strtoul(console_argument(count, arguments, "--stall", "0"), NULL, 10);
    dhp_line line = {&p, write_line, set_rate, p.rate, rates, p.rate == 115200 ? 3 : 0, stall_ms};
    dhp_serial_start(&serial, &terminal, &line, ring, sizeof ring);
    c.setup.transport = &serial.transport;
    dhp_start(&terminal, &c.setup, console_now());
    while (!c.ended) {
        uint32_t now = console_now();
        open_port(&p, now);
        console_wait(&c, &terminal, p.fd);
        read_port(&p, &serial.ring);
        dhp_poll(&terminal, console_now());
    }
    return 0;
}
