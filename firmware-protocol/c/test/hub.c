#include "hub.h"

#include "dhp_log.h"

#include "pb_decode.h"
#include "pb_encode.h"

static const pb_msgdesc_t *up_fields(unsigned tag)
{
    static const pb_msgdesc_t *const all[] = {dhp_Hello_fields,          dhp_Proof_fields,          dhp_Activate_fields,     dhp_Heartbeat_fields,
                                              dhp_ConfigurationReport_fields, dhp_PaymentRequest_fields, dhp_PaymentQuery_fields, dhp_PaymentCancel_fields,
                                              dhp_OutcomeShown_fields,   dhp_Sealed_fields,         dhp_Collecting_fields,   dhp_CollectEnded_fields};
    CHECK(tag - 1 < sizeof all / sizeof all[0]);
    return all[tag - 1];
}

static const pb_msgdesc_t *down_fields(unsigned tag)
{
    static const pb_msgdesc_t *const all[] = {dhp_Challenge_fields,          dhp_Offer_fields,               dhp_Welcome_fields,  dhp_Synced_fields,
                                              dhp_ConfigurationChunk_fields, dhp_ConfigurationCommit_fields, dhp_Accepted_fields, dhp_InDoubt_fields,
                                              dhp_Outcome_fields,            dhp_Refusal_fields,             dhp_Sealed_fields,   dhp_Collect_fields,
                                              dhp_CollectCancel_fields};
    CHECK(tag - 1 < sizeof all / sizeof all[0]);
    return all[tag - 1];
}

/* ---- the terminal's hooks ---------------------------------------------------------------------------------------------------- */

static world *world_of(void *user) { return (world *)(void *)((char *)user - offsetof(world, f)); } /* hooks share the flash's user */

static bool get_random(void *user, uint8_t *bytes, size_t length)
{
    world *w = world_of(user);
    while (length-- > 0) {
        *bytes++ = (uint8_t)test_random(&w->random);
    }
    return true;
}

static void show(void *user, const dhp_view *view)
{
    world *w = world_of(user);
    CHECK(w->views < VIEWS);
    shown_view *s = &w->shown[w->views++];
    memset(s, 0, sizeof *s);
    s->view = *view;
    if (view->request_id != NULL) {
        snprintf(s->request_id, sizeof s->request_id, "%s", view->request_id);
    }
    s->result = view->outcome != NULL ? view->outcome->result : 0;
    if (view->text != NULL) {
        snprintf(s->text_id, sizeof s->text_id, "%s", view->text->id);
    }
}

static void speak(void *user, const dhp_Speech *speech, const dhp_Outcome *outcome)
{
    CHECK(speech->clips_count > 0 && outcome != NULL);
    world_of(user)->spoken++;
}

static void describe(void *user, bool first, dhp_Heartbeat *heartbeat)
{
    (void)user;
    heartbeat->signal_dbm = -71;
    heartbeat->has_modem = first;
    heartbeat->modem.sim_slot = 1;
}

static const char *configure(void *user, dhp_step step, const dhp_ConfigurationEntry *entry)
{
    world *w = world_of(user);
    if (step == DHP_APPLY) {
        CHECK(entry == NULL);
        memcpy(w->kept, w->trial, sizeof w->kept);
        w->trial[0] = '\0';
        w->applied++;
        return NULL;
    }
    if (w->refuse != NULL && strcmp(entry->key, w->refuse) == 0) {
        return "out of range";
    }
    if (step == DHP_KEEP) {
        size_t at = strlen(w->trial);
        if (entry->which_value == dhp_ConfigurationEntry_flag_tag) {
            snprintf(w->trial + at, sizeof w->trial - at, "%s=%s;", entry->key, entry->value.flag ? "on" : "off");
        } else if (entry->which_value == dhp_ConfigurationEntry_number_tag) {
            snprintf(w->trial + at, sizeof w->trial - at, "%s=%lld;", entry->key, (long long)entry->value.number);
        } else {
            snprintf(w->trial + at, sizeof w->trial - at, "%s=%s;", entry->key, entry->value.text);
        }
    }
    return NULL;
}

static void transport_open(void *user)
{
    world *w = user;
    CHECK(!w->opened && !w->connected);
    w->opened = true;
    w->opens++;
}

static void transport_close(void *user)
{
    world *w = user;
    w->opened = false;
    w->connected = false;
    w->closes++;
}

static bool transport_ready(void *user)
{
    const world *w = user;
    return w->connected && !w->busy;
}

static bool transport_send(void *user, const uint8_t *message, size_t length)
{
    world *w = user;
    pb_istream_t stream = pb_istream_from_buffer(message, length);
    pb_wire_type_t type;
    uint32_t tag = 0;
    uint32_t size = 0;
    bool end;
    CHECK(w->connected && !w->busy && w->ups < UPLINKS && length <= DHP_UPLINK_BYTES);
    uplink *u = &w->up[w->ups++];
    memset(u, 0, sizeof *u);
    CHECK(pb_decode_tag(&stream, &type, &tag, &end) && pb_decode_varint32(&stream, &size) && size == stream.bytes_left);
    CHECK(pb_decode(&stream, up_fields(tag), &u->body));
    if (tag == dhp_Uplink_sealed_tag) {
        dhp_Sealed sealed = u->body.sealed;
        CHECK_NUMBER(DHP_FINE, dhp_open(&w->seals, 'U', &sealed));
        stream = pb_istream_from_buffer(sealed.body.bytes, sealed.body.length);
        memset(&u->body, 0, sizeof u->body);
        CHECK(pb_decode_tag(&stream, &type, &tag, &end) && pb_decode_varint32(&stream, &size) && size == stream.bytes_left);
        CHECK(pb_decode(&stream, up_fields(tag), &u->body));
        u->sealed = true;
    }
    u->tag = tag;
    u->views = w->views;
    return true;
}

/* ---- the world --------------------------------------------------------------------------------------------------------------- */

static const char *const capabilities[] = {"screen", "speech", "collect"};

void world_new(world *w, bool activated)
{
    memset(w, 0, sizeof *w);
    flash_new(&w->f);
    w->random = 99;
    w->now = 0xffff0000u; /* time wraps after a minute */
    memset(w->key, 0x5a, sizeof w->key);
    w->hooks.user = &w->f;
    w->hooks.random = get_random;
    w->hooks.sector_bytes = w->f.sector_bytes;
    w->hooks.flash_erase = flash_erase;
    w->hooks.flash_program = flash_program;
    w->hooks.flash_read = flash_read;
    w->hooks.show = show;
    w->hooks.speak = speak;
    w->hooks.describe = describe;
    w->hooks.configure = configure;
    w->transport.user = w;
    w->transport.wire = "mqtt";
    w->transport.open = transport_open;
    w->transport.close = transport_close;
    w->transport.ready = transport_ready;
    w->transport.send = transport_send;
    w->setup.serial_number = "T0000001";
    w->setup.hardware_id = "861234567890123";
    w->setup.firmware = "1.4.2";
    w->setup.model = "S1";
    w->setup.capabilities = capabilities;
    w->setup.capability_count = 3;
    w->setup.text_encoding = dhp_TEXT_ENCODING_UTF8;
    w->setup.boot_reason = dhp_BOOT_REASON_POWER_ON;
    w->setup.time_to_live_ms = 30000;
    w->setup.hooks = &w->hooks;
    w->setup.transport = &w->transport;
    w->setup.staging = w->staging;
    w->setup.staging_bytes = sizeof w->staging;
    if (activated) {
        dhp_log log;
        dhp_log_open(&log, &w->hooks);
        CHECK(dhp_log_offer(&log, w->key) && dhp_log_prove(&log));
    }
    world_boot(w);
}

void world_boot(world *w)
{
    w->opened = false;
    w->connected = false;
    w->f.off = false;
    w->f.power = -1;
    w->views = 0;
    w->ups = 0;
    memset(&w->t, 0xee, sizeof w->t);
    dhp_start(&w->t, &w->setup, w->now);
}

void world_run(world *w, uint32_t ms)
{
    for (uint32_t passed = 0; passed < ms; passed += 10) {
        w->now += 10;
        dhp_poll(&w->t, w->now);
    }
}

const uplink *world_take(world *w, unsigned tag)
{
    static uplink taken;
    world_run(w, 10);
    CHECK(w->ups > 0);
    taken = w->up[0];
    memmove(&w->up[0], &w->up[1], --w->ups * sizeof w->up[0]);
    CHECK_NUMBER(tag, taken.tag);
    return &taken;
}

void world_quiet(const world *w) { CHECK_NUMBER(0, w->ups > 0 ? w->up[0].tag : 0); }

void world_forget(world *w) { w->ups = 0; }

dhp_state world_view(const world *w)
{
    CHECK(w->views > 0);
    return w->shown[w->views - 1].view.state;
}

static size_t encode_down(unsigned tag, const void *body, uint8_t bytes[DHP_MESSAGE_BYTES])
{
    pb_ostream_t stream = pb_ostream_from_buffer(bytes, DHP_MESSAGE_BYTES);
    CHECK(pb_encode_tag(&stream, PB_WT_STRING, tag) && pb_encode_submessage(&stream, down_fields(tag), body));
    return stream.bytes_written;
}

void hub_send(world *w, unsigned tag, const void *body)
{
    uint8_t bytes[DHP_MESSAGE_BYTES];
    dhp_received(&w->t, bytes, encode_down(tag, body, bytes));
}

void hub_send_sealed(world *w, unsigned tag, const void *body)
{
    uint8_t bytes[DHP_MESSAGE_BYTES];
    dhp_Sealed sealed;
    memset(&sealed, 0, sizeof sealed);
    sealed.body.bytes = bytes;
    sealed.body.length = (uint16_t)encode_down(tag, body, bytes);
    sealed.sequence = ++w->seals.sent;
    sealed.mac.size = DHP_SEAL_BYTES;
    dhp_seal(w->seals.key, 'D', sealed.sequence, bytes, sealed.body.length, sealed.mac.bytes);
    hub_send(w, dhp_Downlink_sealed_tag, &sealed);
}

/* ---- the hub ----------------------------------------------------------------------------------------------------------------- */

void hub_connect(world *w)
{
    for (unsigned i = 0; i < 10000 && !w->opened; i++) {
        world_run(w, 10);
    }
    CHECK(w->opened);
    w->opened = false;
    w->connected = true;
    w->ups = 0;
    memset(&w->seals, 0, sizeof w->seals);
    dhp_connected(&w->t);
    world_run(w, 10);
}

void hub_challenge(world *w)
{
    dhp_Challenge challenge;
    const uplink *hello = world_take(w, dhp_Uplink_hello_tag);
    CHECK(!hello->sealed && hello->body.hello.terminal_nonce.size == DHP_NONCE_BYTES);
    memcpy(w->terminal_nonce, hello->body.hello.terminal_nonce.bytes, DHP_NONCE_BYTES);
    challenge.hub_nonce.size = DHP_NONCE_BYTES;
    for (unsigned i = 0; i < DHP_NONCE_BYTES; i++) {
        challenge.hub_nonce.bytes[i] = w->hub_nonce[i] = (uint8_t)test_random(&w->random);
    }
    hub_send(w, dhp_Downlink_challenge_tag, &challenge);
    world_run(w, 10);
}

void hub_welcome(world *w)
{
    dhp_Welcome welcome;
    uint8_t mac[32];
    const uplink *proof = world_take(w, dhp_Uplink_proof_tag);
    dhp_proof(w->key, w->transport.wire, w->setup.serial_number, w->setup.hardware_id, w->hub_nonce, w->terminal_nonce, mac);
    CHECK_BYTES(mac, proof->body.proof.mac.bytes, 32);
    dhp_session_key(w->key, w->setup.serial_number, w->hub_nonce, w->terminal_nonce, w->seals.key);
    memset(&welcome, 0, sizeof welcome);
    snprintf(welcome.request_epoch, sizeof welcome.request_epoch, "EPOCH%07u", ++w->epochs);
    welcome.heartbeat_interval_s = 300;
    welcome.max_amount_fen = 5000000;
    hub_send(w, dhp_Downlink_welcome_tag, &welcome);
    world_run(w, 10);
}

void hub_synced(world *w)
{
    dhp_Synced synced = {0};
    hub_send(w, dhp_Downlink_synced_tag, &synced);
    world_run(w, 10);
}

void hub_login(world *w)
{
    hub_connect(w);
    hub_challenge(w);
    hub_welcome(w);
    hub_synced(w);
    for (unsigned i = 0; i < w->ups; i++) {
        if (w->up[i].tag == dhp_Uplink_heartbeat_tag) {
            memmove(&w->up[i], &w->up[i + 1], (--w->ups - i) * sizeof w->up[0]);
            return;
        }
    }
    CHECK(false);
}

void hub_lose(world *w)
{
    w->connected = false;
    w->ups = 0;
    dhp_disconnected(&w->t, DHP_END_LOST, dhp_ReconnectCause_CAUSE_NO_NETWORK);
    world_run(w, 10);
}

void hub_accepted(world *w, const char *request_id, uint32_t state)
{
    dhp_Accepted accepted;
    memset(&accepted, 0, sizeof accepted);
    snprintf(accepted.request_id, sizeof accepted.request_id, "%s", request_id);
    accepted.state = state;
    hub_send_sealed(w, dhp_Downlink_accepted_tag, &accepted);
}

void hub_in_doubt(world *w, const char *request_id)
{
    dhp_InDoubt in_doubt;
    memset(&in_doubt, 0, sizeof in_doubt);
    snprintf(in_doubt.request_id, sizeof in_doubt.request_id, "%s", request_id);
    in_doubt.amount_fen = 1250;
    hub_send_sealed(w, dhp_Downlink_in_doubt_tag, &in_doubt);
}

void hub_outcome(world *w, const char *request_id, uint32_t result, uint32_t revision)
{
    dhp_Outcome outcome;
    memset(&outcome, 0, sizeof outcome);
    snprintf(outcome.request_id, sizeof outcome.request_id, "%s", request_id);
    outcome.result = result;
    outcome.revision = revision;
    outcome.amount_fen = 1250;
    outcome.paid_fen = result == dhp_Outcome_RESULT_APPROVED ? 1250 : 0;
    outcome.has_speech = true;
    outcome.speech.clips_count = 1;
    outcome.speech.clips[0] = 1;
    hub_send_sealed(w, dhp_Downlink_outcome_tag, &outcome);
}

void hub_refuse(world *w, const char *request_id, uint32_t code, uint32_t retry_after_ms, const char *other)
{
    dhp_Refusal refusal;
    memset(&refusal, 0, sizeof refusal);
    refusal.code = code;
    refusal.retry_after_ms = retry_after_ms;
    if (other != NULL) {
        snprintf(refusal.other_request_id, sizeof refusal.other_request_id, "%s", other);
    }
    if (request_id == NULL) {
        hub_send(w, dhp_Downlink_refusal_tag, &refusal);
    } else {
        snprintf(refusal.request_id, sizeof refusal.request_id, "%s", request_id);
        hub_send_sealed(w, dhp_Downlink_refusal_tag, &refusal);
    }
}
