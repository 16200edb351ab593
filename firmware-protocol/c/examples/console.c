#define _POSIX_C_SOURCE 200809L

#include "console.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char *const states[] = {"STARTING",   "ACTIVATION", "READY",        "SUSPENDED", "NO_NETWORK",     "SENDING",  "ACCEPTED",
                                     "WAITING",    "APPROVED",   "ALREADY_PAID", "DECLINED",  "REFUSED",        "SECOND_PAYMENT", "IN_DOUBT",
                                     "CANCELLING", "NOT_CHARGED", "REFUNDED",    "LATE",      "COLLECTING",     "CLOSED_BY_TILL", "FAULT"};

/* ---- flash: a file, written through, so that a killed process is a power cut ---------------------------------------------------- */

static bool write_flash(const console *c, unsigned sector, uint32_t at, size_t length)
{
    int fd = open(c->flash_path, O_WRONLY);
    off_t offset = (off_t)(sector * sizeof c->flash[0] + at);
    bool written = fd >= 0 && pwrite(fd, &c->flash[sector][at], length, offset) == (ssize_t)length && fdatasync(fd) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return written;
}

static bool flash_erase(void *user, unsigned sector)
{
    console *c = user;
    memset(c->flash[sector], 0xff, sizeof c->flash[0]);
    return write_flash(c, sector, 0, sizeof c->flash[0]);
}

static bool flash_program(void *user, unsigned sector, uint32_t at, const void *bytes, size_t length)
{
    console *c = user;
    const uint8_t *b = bytes;
    for (size_t i = 0; i < length; i++) {
        c->flash[sector][at + i] &= b[i];
    }
    return write_flash(c, sector, at, length);
}

static bool flash_read(void *user, unsigned sector, uint32_t at, void *bytes, size_t length)
{
    console *c = user;
    memcpy(bytes, &c->flash[sector][at], length);
    return true;
}

static void open_flash(console *c)
{
    int fd = open(c->flash_path, O_RDWR | O_CREAT, 0600);
    memset(c->flash, 0xff, sizeof c->flash);
    if (fd < 0) {
        perror(c->flash_path);
        exit(1);
    }
    if (read(fd, c->flash, sizeof c->flash) != (ssize_t)sizeof c->flash) {
        memset(c->flash, 0xff, sizeof c->flash);
        if (pwrite(fd, c->flash, sizeof c->flash, 0) != (ssize_t)sizeof c->flash || fsync(fd) != 0) {
            perror(c->flash_path);
            exit(1);
        }
    }
    close(fd);
}

/* ---- the other hooks -------------------------------------------------------------------------------------------------------- */

static bool get_random(void *user, uint8_t *bytes, size_t length)
{
    int fd = open("/dev/urandom", O_RDONLY);
    bool got = fd >= 0 && read(fd, bytes, length) == (ssize_t)length;
    (void)user;
    if (fd >= 0) {
        close(fd);
    }
    return got;
}

static void show(void *user, const dhp_view *view)
{
    (void)user;
    printf("show %s", states[view->state]);
    if (view->request_id != NULL && view->request_id[0] != '\0') {
        printf(" id=%s", view->request_id);
    }
    if (view->amount_fen != 0) {
        printf(" amount=%lu", (unsigned long)view->amount_fen);
    }
    if (view->outcome != NULL) {
        printf(" result=%lu paid=%lu late=%d", (unsigned long)view->outcome->result, (unsigned long)view->outcome->paid_fen, view->outcome->late);
        if (view->outcome->reason != 0) {
            printf(" reason=%lu", (unsigned long)view->outcome->reason);
        }
    }
    if (view->refusal != 0) {
        printf(" refusal=%lu", (unsigned long)view->refusal);
    }
    if (view->text != NULL && view->text->text.length > 0) {
        printf(" text=\"%.*s\"", (int)view->text->text.length, (const char *)view->text->text.bytes);
    }
    printf("\n");
    fflush(stdout);
}

static void speak(void *user, const dhp_Speech *speech, const dhp_Outcome *outcome)
{
    (void)user;
    for (pb_size_t i = 0; i < speech->clips_count; i++) {
        printf("speak clip=%lu\n", (unsigned long)speech->clips[i]);
    }
    printf("speak amount=%lu\n", (unsigned long)outcome->paid_fen);
    fflush(stdout);
}

static void describe(void *user, bool first, dhp_Heartbeat *heartbeat)
{
    const console *c = user;
    heartbeat->power = dhp_POWER_SOURCE_MAINS;
    heartbeat->signal_dbm = c->signal_dbm;
    if (first && c->iccid[0] != '\0') {
        heartbeat->has_modem = true;
        strncpy(heartbeat->modem.iccid, c->iccid, sizeof heartbeat->modem.iccid - 1);
        heartbeat->modem.sim_slot = 1;
    }
}

/* This terminal takes every setting, and only prints it; a real one checks what it knows, and stores it at DHP_APPLY. */
static const char *configure(void *user, dhp_step step, const dhp_ConfigurationEntry *entry)
{
    (void)user;
    if (step == DHP_KEEP) {
        printf("setting %s=", entry->key);
        if (entry->which_value == dhp_ConfigurationEntry_text_tag) {
            printf("%s\n", entry->value.text);
        } else if (entry->which_value == dhp_ConfigurationEntry_number_tag) {
            printf("%lld\n", (long long)entry->value.number);
        } else {
            printf("%s\n", entry->value.flag ? "true" : "false");
        }
    } else if (step == DHP_APPLY) {
        printf("settings applied\n");
    }
    fflush(stdout);
    return NULL;
}

void console_start(console *c, int count, char **arguments)
{
    static const char *const capabilities[] = {"screen", "speech", "collect"};
    memset(c, 0, sizeof *c);
    c->flash_path = console_argument(count, arguments, "--flash", NULL);
    c->iccid = console_argument(count, arguments, "--iccid", "");
    c->signal_dbm = (int32_t)strtol(console_argument(count, arguments, "--signal", "0"), NULL, 10);
    open_flash(c);
    c->hooks.user = c;
    c->hooks.random = get_random;
    c->hooks.sector_bytes = sizeof c->flash[0];
    c->hooks.flash_erase = flash_erase;
    c->hooks.flash_program = flash_program;
    c->hooks.flash_read = flash_read;
    c->hooks.show = show;
    c->hooks.speak = speak;
    c->hooks.describe = describe;
    c->hooks.configure = configure;
    c->setup.serial_number = console_argument(count, arguments, "--serial", NULL);
    c->setup.hardware_id = console_argument(count, arguments, "--hardware-id", "linux-example");
    c->setup.firmware = "c-kit 1";
    c->setup.model = "linux";
    c->setup.capabilities = capabilities;
    c->setup.capability_count = 3;
    c->setup.text_encoding = dhp_TEXT_ENCODING_UTF8;
    c->setup.boot_reason = dhp_BOOT_REASON_POWER_ON;
    c->setup.time_to_live_ms = 30000;
    c->setup.hooks = &c->hooks;
    c->setup.staging = c->staging;
    c->setup.staging_bytes = sizeof c->staging;
}

uint32_t console_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint32_t)now.tv_sec * 1000u + (uint32_t)(now.tv_nsec / 1000000);
}

/* ---- the cashier ------------------------------------------------------------------------------------------------------------ */

static void scan(dhp_terminal *terminal, char *words)
{
    static const char *const answers[] = {"taken", "not now", "wrong code", "wrong amount", "wrong order number", "no flash"};
    const char *code = strtok(words, " ");
    const char *amount = strtok(NULL, " ");
    const char *order = strtok(NULL, " ");
    dhp_answer answer = dhp_scan(terminal, code != NULL ? code : "", amount != NULL ? (uint32_t)strtoul(amount, NULL, 10) : 0, order);
    printf("scan %s\n", answers[answer]);
}

static void obey(console *c, dhp_terminal *terminal, char *line)
{
    if (strncmp(line, "scan ", 5) == 0) {
        scan(terminal, line + 5);
    } else if (strncmp(line, "activate ", 9) == 0) {
        printf("activate %s\n", dhp_activate(terminal, line + 9) ? "taken" : "wrong code");
    } else if (strcmp(line, "ok") == 0) {
        dhp_press(terminal, DHP_KEY_OK);
    } else if (strcmp(line, "cancel") == 0) {
        dhp_press(terminal, DHP_KEY_CANCEL);
    } else if (strcmp(line, "query") == 0) {
        dhp_press(terminal, DHP_KEY_QUERY);
    } else if (strcmp(line, "quit") == 0) {
        c->ended = true;
    } else if (line[0] != '\0') {
        printf("activate CODE, scan CODE AMOUNT_FEN [ORDER_NUMBER], ok, cancel, query, quit\n");
    }
    fflush(stdout);
}

static void read_stdin(console *c, dhp_terminal *terminal)
{
    char bytes[128];
    ssize_t got = read(STDIN_FILENO, bytes, sizeof bytes);
    if (got <= 0) {
        c->ended = true;
    }
    for (ssize_t i = 0; i < got; i++) {
        if (bytes[i] == '\n') {
            c->line[c->line_length] = '\0';
            c->line_length = 0;
            obey(c, terminal, c->line);
        } else if (c->line_length + 1 < sizeof c->line && bytes[i] != '\r') {
            c->line[c->line_length++] = bytes[i];
        }
    }
}

void console_wait(console *c, dhp_terminal *terminal, int fd)
{
    struct pollfd waits[2] = {{STDIN_FILENO, POLLIN, 0}, {fd, POLLIN, 0}};
    if (poll(waits, fd >= 0 ? 2 : 1, 10) > 0 && waits[0].revents != 0) {
        read_stdin(c, terminal);
    }
}

const char *console_argument(int count, char **arguments, const char *name, const char *otherwise)
{
    for (int i = 1; i + 1 < count; i++) {
        if (strcmp(arguments[i], name) == 0) {
            return arguments[i + 1];
        }
    }
    if (otherwise == NULL) {
        fprintf(stderr, "%s: %s is needed\n", arguments[0], name);
        exit(2);
    }
    return otherwise;
}
