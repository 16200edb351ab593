/* The session: connect, login, what is shown, and the one place where messages are read and sent. ../README.md "Login", "Timing". */
#include <string.h>

#include "dhp_internal.h"

#define ANSWER_MS 10000u
#define SLOW_ANSWER_MS 35000u /* wrong proofs and codes are answered late */
#define HOUR_MS 3600000u
#define JITTER_MS 30000u
#define MAX_BACK_OFF_SHIFT 6u
#define PROTOCOL_VERSION 1u

#define HUB_NONCE(t) ((t)->seals.key)
#define TERMINAL_NONCE(t) ((t)->seals.key + DHP_NONCE_BYTES)

bool dhp_passed(const dhp_terminal *t, uint32_t from, uint32_t ms) { return t->now - from >= ms; }

bool dhp_has(const dhp_terminal *t, uint8_t flag) { return (t->flags & flag) != 0; }

static void set(dhp_terminal *t, uint8_t flag) { t->flags |= flag; }

static void clear(dhp_terminal *t, unsigned flag) { t->flags = (uint8_t)(t->flags & ~flag); }

/* ---- what is shown ---------------------------------------------------------------------------------------------------------- */

void dhp_show(dhp_terminal *t, dhp_state state, const dhp_Outcome *outcome, const dhp_Text *text, uint32_t refusal, uint32_t hold_ms)
{
    const dhp_PaymentRequest *request = &t->payment.request;
    dhp_view view = {state, 0, NULL, outcome, text, refusal};
    if (outcome != NULL) {
        view.amount_fen = outcome->amount_fen;
        view.request_id = outcome->request_id;
    } else if (t->payment.state != DHP_READY) {
        view.amount_fen = request->amount_fen;
        view.request_id = request->request_id;
    }
    t->view = (uint8_t)state;
    t->view_ms = hold_ms;
    t->view_from = t->now;
    t->setup->hooks->show(t->setup->hooks->user, &view);
}

static bool can_log_in(const dhp_terminal *t)
{
    bool key = dhp_log_has_key(&t->log, DHP_SLOT_OLD) || dhp_log_has_key(&t->log, DHP_SLOT_NEW);
    return t->code[0] != '\0' || (key && !dhp_has(t, FLAG_NO_KEY));
}

static dhp_state base(const dhp_terminal *t)
{
    if (dhp_has(t, FLAG_FAULT)) {
        return DHP_FAULT;
    }
    if (t->payment.state != DHP_READY) {
        return (dhp_state)t->payment.state;
    }
    if (t->session == SESSION_READY) {
        return dhp_has(t, FLAG_SUSPENDED) ? DHP_SUSPENDED : DHP_READY;
    }
    if (!can_log_in(t)) {
        return DHP_ACTIVATION;
    }
    return dhp_has(t, FLAG_TRIED) ? DHP_NO_NETWORK : DHP_STARTING;
}

void dhp_refresh(dhp_terminal *t)
{
    dhp_state state = base(t);
    if (t->view_ms == 0 && state != (dhp_state)t->view) {
        dhp_show(t, state, NULL, NULL, 0, 0);
    }
}

/* ---- the session ------------------------------------------------------------------------------------------------------------ */

static void enter(dhp_terminal *t, uint8_t session, uint32_t wait_ms)
{
    t->session = session;
    t->since = t->now;
    t->wait_ms = wait_ms;
}

static void go_offline(dhp_terminal *t, dhp_end end)
{
    uint32_t wait = 0;
    if (end != DHP_END_AGAIN) {
        wait = t->attempt < MAX_BACK_OFF_SHIFT ? 1000u << t->attempt : 60000u;
        t->attempt = (uint8_t)(t->attempt < MAX_BACK_OFF_SHIFT ? t->attempt + 1 : t->attempt);
    }
    if (end == DHP_END_CLOSED) {
        uint8_t random[2] = {0, 0};
        (void)t->setup->hooks->random(t->setup->hooks->user, random, sizeof random); /* without it: no jitter */
        wait += (uint32_t)(random[0] | random[1] << 8) * JITTER_MS >> 16;
    }
    t->want = 0;
    clear(t, FLAG_SUSPENDED);
    set(t, FLAG_TRIED);
    dhp_wipe(&t->seals, sizeof t->seals);
    enter(t, SESSION_OFFLINE, wait);
    dhp_payment_lost(t);
    dhp_configuration_lost(t);
    dhp_refresh(t);
}

void dhp_end_session(dhp_terminal *t, dhp_end end)
{
    const dhp_transport *transport = t->setup->transport;
    transport->close(transport->user);
    go_offline(t, end == DHP_END_LOST && transport->calls ? DHP_END_AGAIN : end);
}

static void open_session(dhp_terminal *t)
{
    enter(t, SESSION_OPENING, 0);
    t->setup->transport->open(t->setup->transport->user);
}

void dhp_connected(dhp_terminal *t)
{
    const dhp_hooks *hooks = t->setup->hooks;
    if (t->session != SESSION_OPENING) {
        return; /* it was closed meanwhile */
    }
    t->connected_at = t->now;
    if (!can_log_in(t) || !hooks->random(hooks->user, TERMINAL_NONCE(t), DHP_NONCE_BYTES)) {
        dhp_end_session(t, DHP_END_LOST);
        return;
    }
    enter(t, SESSION_HELLO, ANSWER_MS);
    t->want = WANT_HELLO;
}

static void count_lost(dhp_terminal *t, uint8_t cause)
{
    if (cause < sizeof t->lost && t->lost[cause] < UINT8_MAX) {
        t->lost[cause]++;
    }
}

void dhp_disconnected(dhp_terminal *t, dhp_end end, uint8_t cause)
{
    count_lost(t, cause);
    if (t->session != SESSION_OFFLINE) {
        go_offline(t, end);
    }
}

static dhp_slot slot(const dhp_terminal *t)
{
    return dhp_log_has_key(&t->log, DHP_SLOT_NEW) && !dhp_has(t, FLAG_USE_OLD) ? DHP_SLOT_NEW : DHP_SLOT_OLD;
}

static void take_challenge(dhp_terminal *t)
{
    if (t->session != SESSION_HELLO) {
        return;
    }
    memcpy(HUB_NONCE(t), t->body.challenge.hub_nonce.bytes, DHP_NONCE_BYTES);
    if (t->code[0] != '\0') {
        enter(t, SESSION_ACTIVATING, SLOW_ANSWER_MS);
        t->want = WANT_ACTIVATE;
    } else {
        enter(t, SESSION_PROOF, SLOW_ANSWER_MS);
        t->want = WANT_PROOF;
    }
}

static void take_offer(dhp_terminal *t)
{
    if (t->session != SESSION_ACTIVATING) {
        return;
    }
    bool stored = dhp_log_offer(&t->log, t->body.offer.terminal_key.bytes);
    dhp_wipe(&t->body, sizeof t->body);
    if (!stored) {
        set(t, FLAG_FAULT);
        dhp_end_session(t, DHP_END_CLOSED);
        return;
    }
    memset(t->code, 0, sizeof t->code);
    clear(t, FLAG_USE_OLD | FLAG_NO_KEY);
    enter(t, SESSION_PROOF, SLOW_ANSWER_MS);
    t->want = WANT_PROOF;
}

static void take_welcome(dhp_terminal *t)
{
    const dhp_Welcome *welcome = &t->body.welcome;
    uint8_t key[DHP_KEY_BYTES];
    if (t->session != SESSION_PROOF) {
        return;
    }
    if (!dhp_log_key(&t->log, slot(t), key) || (slot(t) == DHP_SLOT_NEW && !dhp_log_prove(&t->log))) {
        dhp_wipe(key, sizeof key);
        set(t, FLAG_FAULT);
        dhp_end_session(t, DHP_END_CLOSED);
        return;
    }
    dhp_session_key(key, t->setup->serial_number, HUB_NONCE(t), TERMINAL_NONCE(t), t->seals.key);
    dhp_wipe(key, sizeof key);
    t->seals.sent = 0;
    t->seals.opened = 0;
    memcpy(t->epoch, welcome->request_epoch, sizeof t->epoch);
    t->counter = 0;
    t->max_amount_fen = welcome->max_amount_fen;
    t->heartbeat_ms = 1000u * (welcome->heartbeat_interval_s < 30 ? 30 : welcome->heartbeat_interval_s > 3600 ? 3600 : welcome->heartbeat_interval_s);
    enter(t, SESSION_SYNCING, ANSWER_MS);
}

static void take_synced(dhp_terminal *t)
{
    if (t->session != SESSION_SYNCING) {
        return;
    }
    enter(t, SESSION_READY, 0);
    t->attempt = 0;
    t->login_ms = t->now - t->connected_at;
    t->heartbeat_from = t->now;
    set(t, FLAG_FIRST_BEAT | FLAG_RECONNECT);
    t->want |= WANT_HEARTBEAT;
    if (t->view == DHP_REFUSED && t->view_ms == UNTIL_A_KEY) {
        t->view_ms = 0; /* an earlier login was */
    }
    dhp_payment_synced(t);
}

/* The key was refused: of two, the other one is tried; a lone one that was never proved is worth nothing without a code. */
static void credentials_refused(dhp_terminal *t)
{
    bool offered = dhp_log_has_key(&t->log, DHP_SLOT_NEW);
    bool old = dhp_log_has_key(&t->log, DHP_SLOT_OLD);
    if (offered && old) {
        t->flags ^= FLAG_USE_OLD;
    } else if (offered) {
        set(t, FLAG_NO_KEY);
    }
}

void dhp_refused(dhp_terminal *t, const dhp_Text *text, uint32_t code)
{
    if (!dhp_payment_open(t)) { /* else it would read as what became of the payment */
        dhp_show(t, code == dhp_Refusal_CODE_ACTIVATION ? DHP_ACTIVATION : DHP_REFUSED, NULL, text, code, UNTIL_A_KEY);
    }
}

/* A refusal that is not about a payment. It is bare, and so never about money. */
static void take_refusal(dhp_terminal *t)
{
    const dhp_Refusal *refusal = &t->body.refusal;
    uint32_t code = refusal->code;
    bool hour = code == dhp_Refusal_CODE_VERSION || code == dhp_Refusal_CODE_HARDWARE || code == dhp_Refusal_CODE_NOT_ACTIVE;
    switch (code) {
    case dhp_Refusal_CODE_SUSPENDED:
        set(t, FLAG_SUSPENDED);
        if (t->session == SESSION_READY && t->payment.state == DHP_READY) {
            dhp_show(t, DHP_SUSPENDED, NULL, refusal->has_text ? &refusal->text : NULL, code, 0);
        }
        return;
    case dhp_Refusal_CODE_NOT_LOGGED_IN:
    case dhp_Refusal_CODE_SEAL:
        dhp_end_session(t, DHP_END_LOST);
        return;
    case dhp_Refusal_CODE_CREDENTIALS:
        credentials_refused(t);
        break;
    case dhp_Refusal_CODE_ACTIVATION:
        memset(t->code, 0, sizeof t->code);
        break;
    case dhp_Refusal_CODE_VERSION:
    case dhp_Refusal_CODE_HARDWARE:
    case dhp_Refusal_CODE_NOT_ACTIVE:
    case dhp_Refusal_CODE_BUSY:
    case dhp_Refusal_CODE_TOO_FAST:
    case dhp_Refusal_CODE_STOPPING:
        break;
    default:
        return; /* a fault of firmware; the session goes on, or ends by its time-outs */
    }
    if (t->session == SESSION_READY && code == dhp_Refusal_CODE_BUSY) {
        return;
    }
    dhp_refused(t, refusal->has_text ? &refusal->text : NULL, code);
    count_lost(t, dhp_ReconnectCause_CAUSE_REFUSED);
    dhp_end_session(t, DHP_END_CLOSED);
    if (hour) {
        t->wait_ms = HOUR_MS;
    }
}

static void take(dhp_terminal *t, unsigned tag)
{
    if (dhp_is_money(tag, &t->body)) {
        if (t->session < SESSION_SYNCING) {
            return;
        }
        switch (tag) {
        case dhp_Downlink_accepted_tag:
            dhp_payment_accepted(t, &t->body.accepted);
            break;
        case dhp_Downlink_in_doubt_tag:
            dhp_payment_in_doubt(t, &t->body.in_doubt);
            break;
        case dhp_Downlink_outcome_tag:
            dhp_payment_outcome(t, &t->body.outcome);
            break;
        case dhp_Downlink_collect_tag:
            dhp_charge_collect(t, &t->body.collect);
            break;
        case dhp_Downlink_collect_cancel_tag:
            dhp_charge_cancelled(t, &t->body.collect_cancel);
            break;
        default:
            dhp_payment_refused(t, &t->body.refusal);
            break;
        }
        return;
    }
    switch (tag) {
    case dhp_Downlink_challenge_tag:
        take_challenge(t);
        break;
    case dhp_Downlink_offer_tag:
        take_offer(t);
        break;
    case dhp_Downlink_welcome_tag:
        take_welcome(t);
        break;
    case dhp_Downlink_synced_tag:
        take_synced(t);
        break;
    case dhp_Downlink_configuration_chunk_tag:
        dhp_configuration_chunk(t);
        break;
    case dhp_Downlink_configuration_commit_tag:
        dhp_configuration_commit(t);
        break;
    default:
        take_refusal(t);
        break;
    }
}

/* ---- sending ---------------------------------------------------------------------------------------------------------------- */

static void make_hello(const dhp_terminal *t, dhp_Hello *hello)
{
    const dhp_setup *setup = t->setup;
    hello->protocol_version = PROTOCOL_VERSION;
    strncpy(hello->hardware_id, setup->hardware_id, sizeof hello->hardware_id - 1);
    strncpy(hello->firmware, setup->firmware, sizeof hello->firmware - 1);
    strncpy(hello->model, setup->model, sizeof hello->model - 1);
    hello->boot_reason = dhp_has(t, FLAG_RECONNECT) ? dhp_BOOT_REASON_RECONNECT : setup->boot_reason;
    hello->max_message_bytes = DHP_MESSAGE_BYTES;
    hello->text_encoding = setup->text_encoding;
    hello->text_columns = setup->text_columns;
    for (; hello->capabilities_count < setup->capability_count && hello->capabilities_count < 8; hello->capabilities_count++) {
        strncpy(hello->capabilities[hello->capabilities_count], setup->capabilities[hello->capabilities_count], sizeof hello->capabilities[0] - 1);
    }
    if (dhp_payment_open(t)) {
        hello->open_request_ids_count = 1;
        memcpy(hello->open_request_ids[0], t->payment.request.request_id, DHP_REQUEST_ID_BYTES);
    }
    hello->terminal_nonce.size = DHP_NONCE_BYTES;
    memcpy(hello->terminal_nonce.bytes, TERMINAL_NONCE(t), DHP_NONCE_BYTES);
}

static bool make_proof(const dhp_terminal *t, dhp_Proof *proof)
{
    uint8_t key[DHP_KEY_BYTES];
    if (!dhp_log_key(&t->log, slot(t), key)) {
        return false;
    }
    proof->mac.size = 32;
    dhp_proof(key, t->setup->transport->wire, t->setup->serial_number, t->setup->hardware_id, HUB_NONCE(t), TERMINAL_NONCE(t), proof->mac.bytes);
    dhp_wipe(key, sizeof key);
    return true;
}

static void make_heartbeat(const dhp_terminal *t, dhp_Heartbeat *heartbeat)
{
    const dhp_hooks *hooks = t->setup->hooks;
    bool first = dhp_has(t, FLAG_FIRST_BEAT);
    uint8_t hash[32];
    heartbeat->uptime_s = t->uptime_s;
    strncpy(heartbeat->firmware, t->setup->firmware, sizeof heartbeat->firmware - 1);
    dhp_log_configuration(&t->log, &heartbeat->configuration_version, hash);
    heartbeat->reset_reason = t->setup->boot_reason;
    heartbeat->unsettled = dhp_payment_open(t) ? 1 : 0;
    for (unsigned i = 1; i < sizeof t->lost / sizeof t->lost[0]; i++) {
        if (t->lost[i] != 0) {
            dhp_ReconnectCause *cause = &heartbeat->reconnects[heartbeat->reconnects_count++];
            cause->cause = i;
            cause->count = t->lost[i];
        }
    }
    if (first) {
        heartbeat->has_connect_times = true;
        heartbeat->connect_times.login_ms = t->login_ms;
    }
    if (hooks->describe != NULL) {
        hooks->describe(hooks->user, first, heartbeat);
    }
}

/* The body of the message that is wanted, and its tag; 0: it cannot be made. */
static unsigned make(dhp_terminal *t, unsigned want)
{
    dhp_body *body = &t->body;
    memset(body, 0, sizeof *body);
    switch (want) {
    case WANT_HELLO:
        make_hello(t, &body->hello);
        return dhp_Uplink_hello_tag;
    case WANT_ACTIVATE:
        memcpy(body->activate.activation_code, t->code, sizeof t->code);
        return dhp_Uplink_activate_tag;
    case WANT_PROOF:
        return make_proof(t, &body->proof) ? dhp_Uplink_proof_tag : 0;
    case WANT_COLLECTING:
        memcpy(body->collecting.charge_id, t->payment.request.charge_id, DHP_REQUEST_ID_BYTES);
        return dhp_Uplink_collecting_tag;
    case WANT_CANCEL:
        memcpy(body->payment_cancel.request_id, t->payment.request.request_id, DHP_REQUEST_ID_BYTES);
        return dhp_Uplink_payment_cancel_tag;
    case WANT_REQUEST:
        t->payment.request.age_ms = t->now - t->payment.scanned_at;
        body->payment_request = t->payment.request;
        return dhp_Uplink_payment_request_tag;
    case WANT_QUERY:
        memcpy(body->payment_query.request_id, t->payment.request.request_id, DHP_REQUEST_ID_BYTES);
        return dhp_Uplink_payment_query_tag;
    case WANT_SHOWN:
        for (unsigned i = 0; i < DHP_SHOWN_KEPT; i++) {
            if (t->shown[i].unsent) {
                memcpy(body->outcome_shown.request_id, t->shown[i].request_id, DHP_REQUEST_ID_BYTES);
                body->outcome_shown.revision = t->shown[i].revision;
                return dhp_Uplink_outcome_shown_tag;
            }
        }
        return 0;
    case WANT_ENDED:
        memcpy(body->collect_ended.charge_id, t->payment.ended_id, DHP_REQUEST_ID_BYTES);
        body->collect_ended.reason = t->payment.ended_reason;
        return dhp_Uplink_collect_ended_tag;
    case WANT_REPORT:
        dhp_configuration_report(t, &body->configuration_report);
        return dhp_Uplink_configuration_report_tag;
    default:
        make_heartbeat(t, &body->heartbeat);
        return dhp_Uplink_heartbeat_tag;
    }
}

/* What a message that was handed over changes. False: another of its kind waits. */
static bool handed_over(dhp_terminal *t, unsigned want)
{
    if (want == WANT_REQUEST) {
        dhp_payment_handed(t);
    } else if (want == WANT_HEARTBEAT) {
        memset(t->lost, 0, sizeof t->lost);
        clear(t, FLAG_FIRST_BEAT);
    } else if (want == WANT_SHOWN) {
        bool sent = false;
        for (unsigned i = 0; i < DHP_SHOWN_KEPT; i++) {
            if (t->shown[i].unsent && sent) {
                return false;
            }
            sent = sent || t->shown[i].unsent;
            t->shown[i].unsent = false;
        }
    }
    return true;
}

static unsigned allowed(const dhp_terminal *t)
{
    switch (t->session) {
    case SESSION_HELLO:
    case SESSION_ACTIVATING:
    case SESSION_PROOF:
        return WANT_HELLO | WANT_ACTIVATE | WANT_PROOF;
    case SESSION_SYNCING:
        return WANT_SHOWN;
    case SESSION_READY:
        return ~0u;
    default:
        return 0;
    }
}

static void send_wanted(dhp_terminal *t)
{
    const dhp_transport *transport = t->setup->transport;
    for (unsigned wanted = t->want & allowed(t); wanted != 0 && transport->ready(transport->user); wanted = t->want & allowed(t)) {
        unsigned want = wanted & (~wanted + 1); /* the most urgent one */
        unsigned tag = make(t, want);
        size_t length = 0;
        if (tag != 0) {
            bool bare = (want & (WANT_HELLO | WANT_ACTIVATE | WANT_PROOF | WANT_REPORT | WANT_HEARTBEAT)) != 0;
            length = bare ? dhp_write(tag, &t->body, t->out, sizeof t->out) : dhp_write_sealed(&t->seals, tag, &t->body, t->out, sizeof t->out);
        }
        if (length > 0 && !transport->send(transport->user, t->out, length)) {
            return;
        }
        if (length == 0 || handed_over(t, want)) {
            t->want = (uint16_t)(t->want & ~want);
        }
    }
}

/* ---- calls ------------------------------------------------------------------------------------------------------------------ */

void dhp_start(dhp_terminal *t, const dhp_setup *setup, uint32_t now_ms)
{
    memset(t, 0, sizeof *t);
    t->setup = setup;
    t->now = now_ms;
    t->view = DHP_READY; /* nothing is shown yet, and this cannot be what is shown first */
    dhp_log_open(&t->log, setup->hooks);
    dhp_payment_start(t);
    dhp_refresh(t);
}

static void tick(dhp_terminal *t)
{
    if (t->view_ms != 0 && t->view_ms != UNTIL_A_KEY && dhp_passed(t, t->view_from, t->view_ms)) {
        t->view_ms = 0;
    }
    if (t->session == SESSION_OFFLINE && can_log_in(t) && dhp_passed(t, t->since, t->wait_ms)) {
        open_session(t);
    } else if (t->session > SESSION_OPENING && t->session < SESSION_READY && dhp_passed(t, t->since, t->wait_ms)) {
        dhp_end_session(t, DHP_END_LOST);
    } else if (t->session == SESSION_READY && dhp_passed(t, t->heartbeat_from, t->heartbeat_ms)) {
        t->heartbeat_from = t->now;
        t->want |= WANT_HEARTBEAT;
    }
    dhp_charge_tick(t);
    dhp_payment_tick(t);
    dhp_configuration_tick(t);
    dhp_refresh(t);
}

void dhp_poll(dhp_terminal *t, uint32_t now_ms)
{
    const dhp_transport *transport = t->setup->transport;
    t->uptime_ms += now_ms - t->now;
    for (; t->uptime_ms >= 1000; t->uptime_ms -= 1000) {
        t->uptime_s++;
    }
    t->now = now_ms;
    if (transport->poll != NULL) {
        transport->poll(transport->user, now_ms);
    }
    tick(t);
    send_wanted(t);
}

void dhp_received(dhp_terminal *t, const uint8_t *message, size_t length)
{
    unsigned tag;
    bool was_sealed;
    if (t->session < SESSION_HELLO || dhp_read_any(&t->seals, message, length, &tag, &t->body, &was_sealed) != DHP_FINE) {
        return; /* what is not understood, or does not open, is as if it had not come */
    }
    if (was_sealed == dhp_is_money(tag, &t->body)) {
        take(t, tag);
        send_wanted(t);
        dhp_refresh(t);
    }
}

bool dhp_activate(dhp_terminal *t, const char *code)
{
    size_t length = strlen(code);
    if (length == 0 || length >= sizeof t->code) {
        return false;
    }
    strncpy(t->code, code, sizeof t->code - 1); /* the rest is filled with zeros */
    t->attempt = 0;
    t->wait_ms = t->session == SESSION_OFFLINE ? 0 : t->wait_ms;
    t->view_ms = 0;
    dhp_refresh(t);
    return true;
}

void dhp_type(dhp_terminal *t, bool begins)
{
    if (begins) {
        set(t, FLAG_TYPING);
    } else {
        clear(t, FLAG_TYPING);
    }
}

bool dhp_may_interrupt(const dhp_terminal *t) { return t->payment.state == DHP_READY; }
