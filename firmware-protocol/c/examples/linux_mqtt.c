/*
 * A whole terminal on MQTT, with libmosquitto:
 *
 *   dhp_mqtt --host 127.0.0.1 --port 1883 --serial MY-0001 --flash my.flash [--hardware-id ID] [--ca hub.pem] [--signal -71] [--iccid ICCID]
 *
 * The cashier is stdin: "activate CODE", "scan CODE AMOUNT_FEN [ORDER_NUMBER]", "ok", "cancel", "query", "quit".
 */
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "console.h"

typedef struct mqtt {
    struct mosquitto *client;
    dhp_terminal *terminal;
    const char *host;
    int port;
    char up[64];
    char down[64];
    bool open;      /* the terminal wants a connection */
    bool connected; /* and has one, with its subscription */
    bool in_flight; /* a publish without its PUBACK: one at a time, as through a modem */
} mqtt;

static void ended(mqtt *m, dhp_end end, uint8_t cause)
{
    if (m->open) {
        m->open = false;
        m->connected = false;
        dhp_disconnected(m->terminal, end, cause);
    }
}

static void on_connect(struct mosquitto *client, void *user, int code)
{
    mqtt *m = user;
    if (code != 0) {
        mosquitto_disconnect(client);
        ended(m, DHP_END_CLOSED, dhp_ReconnectCause_CAUSE_REFUSED);
    } else {
        mosquitto_subscribe(client, NULL, m->down, 1);
    }
}

static void on_subscribe(struct mosquitto *client, void *user, int id, int count, const int *granted)
{
    mqtt *m = user;
    (void)client;
    (void)id;
    (void)count;
    (void)granted;
    m->connected = true;
    m->in_flight = false;
    dhp_connected(m->terminal);
}

static void on_message(struct mosquitto *client, void *user, const struct mosquitto_message *message)
{
    mqtt *m = user;
    (void)client;
    if (m->connected && message->payloadlen > 0) {
        dhp_received(m->terminal, message->payload, (size_t)message->payloadlen);
    }
}

static void on_publish(struct mosquitto *client, void *user, int id)
{
    mqtt *m = user;
    (void)client;
    (void)id;
    m->in_flight = false;
}

static void on_disconnect(struct mosquitto *client, void *user, int code)
{
    (void)client;
    (void)code;
    ended(user, DHP_END_CLOSED, dhp_ReconnectCause_CAUSE_CLOSED);
}

/* libmosquitto makes the TCP connection here and now; a firmware asks its modem or stack to, and says later how it went. */
static void transport_open(void *user)
{
    mqtt *m = user;
    m->open = true;
    if (mosquitto_connect(m->client, m->host, m->port, 60) != MOSQ_ERR_SUCCESS) {
        m->open = false;
        dhp_disconnected(m->terminal, DHP_END_LOST, dhp_ReconnectCause_CAUSE_CONNECT);
    }
}

static void transport_close(void *user)
{
    mqtt *m = user;
    m->open = false;
    m->connected = false;
    mosquitto_disconnect(m->client);
}

static bool transport_ready(void *user)
{
    const mqtt *m = user;
    return m->connected && !m->in_flight;
}

static bool transport_send(void *user, const uint8_t *message, size_t length)
{
    mqtt *m = user;
    int sent = mosquitto_publish(m->client, NULL, m->up, (int)length, message, 1, false); /* it keeps a copy */
    m->in_flight = sent == MOSQ_ERR_SUCCESS;
    return m->in_flight;
}

/* Reads and writes what its socket can, and pings. */
static void serve(mqtt *m)
{
    int code = mosquitto_loop(m->client, 0, 16);
    if (code != MOSQ_ERR_SUCCESS && m->open) {
        ended(m, m->connected ? DHP_END_CLOSED : DHP_END_LOST, dhp_ReconnectCause_CAUSE_CLOSED);
    }
}

int main(int count, char **arguments)
{
    static console c;
    static dhp_terminal terminal;
    static mqtt m;
    const char *serial_number = console_argument(count, arguments, "--serial", NULL);
    const char *ca = console_argument(count, arguments, "--ca", "");
    console_start(&c, count, arguments);
    m.terminal = &terminal;
    m.host = console_argument(count, arguments, "--host", "127.0.0.1");
    m.port = atoi(console_argument(count, arguments, "--port", "1883"));
    snprintf(m.up, sizeof m.up, "dh/v1/%s/up", serial_number);
    snprintf(m.down, sizeof m.down, "dh/v1/%s/down", serial_number);

    mosquitto_lib_init();
    m.client = mosquitto_new(serial_number, true, &m);
    if (m.client == NULL || (ca[0] != '\0' && mosquitto_tls_set(m.client, ca, NULL, NULL, NULL, NULL) != MOSQ_ERR_SUCCESS)) {
        fprintf(stderr, "libmosquitto does not start\n");
        return 1;
    }
    mosquitto_connect_callback_set(m.client, on_connect);
    mosquitto_subscribe_callback_set(m.client, on_subscribe);
    mosquitto_message_callback_set(m.client, on_message);
    mosquitto_publish_callback_set(m.client, on_publish);
    mosquitto_disconnect_callback_set(m.client, on_disconnect);

    dhp_transport transport = {&m, "mqtt", transport_open, transport_close, transport_ready, transport_send, NULL, false};
    c.setup.transport = &transport;
    dhp_start(&terminal, &c.setup, console_now());
    while (!c.ended) {
        console_wait(&c, &terminal, m.open ? mosquitto_socket(m.client) : -1);
        serve(&m);
        dhp_poll(&terminal, console_now());
    }
    mosquitto_disconnect(m.client);
    mosquitto_loop(m.client, 0, 1);
    mosquitto_destroy(m.client);
    mosquitto_lib_cleanup();
    return 0;
}
