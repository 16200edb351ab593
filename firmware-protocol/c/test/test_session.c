#include "hub.h"

static world w;

static void a_fresh_terminal_asks_for_a_code_and_does_not_connect(void)
{
    world_new(&w, false);
    world_run(&w, 60000);
    CHECK_NUMBER(DHP_ACTIVATION, world_view(&w));
    CHECK_NUMBER(0, w.opens);
}

static void send_offer(void)
{
    dhp_Offer offer;
    memset(&offer, 0, sizeof offer);
    offer.terminal_key.size = DHP_KEY_BYTES;
    memset(w.key, (int)(0x30 + w.epochs), sizeof w.key);
    memcpy(offer.terminal_key.bytes, w.key, sizeof w.key);
    hub_send(&w, dhp_Downlink_offer_tag, &offer);
}

static void activation_stores_the_key_and_proves_it_in_the_same_session(void)
{
    world_new(&w, false);
    CHECK(!dhp_activate(&w.t, "") && !dhp_activate(&w.t, "123456789012345678901234567890123"));
    CHECK(dhp_activate(&w.t, "ABCD-EFGH-JKMN"));
    hub_connect(&w);
    hub_challenge(&w);
    CHECK_TEXT("ABCD-EFGH-JKMN", world_take(&w, dhp_Uplink_activate_tag)->body.activate.activation_code);
    send_offer();
    hub_welcome(&w);
    hub_synced(&w);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    world_boot(&w);
    hub_login(&w);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

/* A power cut at every byte of what activation writes: it activates again, or logs in with what it has. */
static void a_power_cut_anywhere_in_activation_is_healed(void)
{
    for (long power = 0; power < 80; power++) {
        test_about("cut %ld", power);
        world_new(&w, false);
        dhp_activate(&w.t, "ABCD-EFGH-JKMN");
        hub_connect(&w);
        hub_challenge(&w);
        world_take(&w, dhp_Uplink_activate_tag);
        w.f.power = power;
        send_offer();
        world_run(&w, 10);
        if (!w.f.off && w.ups > 0) {
            hub_welcome(&w); /* the hub has seen the key proved */
        }
        world_boot(&w);
        if (world_view(&w) == DHP_ACTIVATION) {
            dhp_activate(&w.t, "ABCD-EFGH-JKMN");
            hub_connect(&w);
            hub_challenge(&w);
            world_take(&w, dhp_Uplink_activate_tag);
            send_offer();
            hub_welcome(&w);
            hub_synced(&w);
        } else {
            hub_login(&w);
        }
        CHECK_NUMBER(DHP_READY, world_view(&w));
    }
}

static void a_refused_code_is_asked_for_again(void)
{
    world_new(&w, false);
    dhp_activate(&w.t, "WRONG");
    hub_connect(&w);
    hub_challenge(&w);
    world_take(&w, dhp_Uplink_activate_tag);
    hub_refuse(&w, NULL, dhp_Refusal_CODE_ACTIVATION, 0, NULL);
    CHECK_NUMBER(DHP_ACTIVATION, world_view(&w));
    CHECK_NUMBER(dhp_Refusal_CODE_ACTIVATION, w.shown[w.views - 1].view.refusal);
    world_run(&w, 120000);
    CHECK_NUMBER(1, w.opens);
    dhp_activate(&w.t, "RIGHT");
    hub_connect(&w);
    hub_challenge(&w);
    CHECK_TEXT("RIGHT", world_take(&w, dhp_Uplink_activate_tag)->body.activate.activation_code);
}

static void an_unproved_key_that_the_hub_does_not_know_asks_for_a_code(void)
{
    world_new(&w, false);
    dhp_activate(&w.t, "ABCD");
    hub_connect(&w);
    hub_challenge(&w);
    world_take(&w, dhp_Uplink_activate_tag);
    send_offer();
    world_boot(&w);
    memset(w.key, 9, sizeof w.key);
    hub_connect(&w);
    hub_challenge(&w);
    world_take(&w, dhp_Uplink_proof_tag);
    hub_refuse(&w, NULL, dhp_Refusal_CODE_CREDENTIALS, 0, NULL);
    dhp_press(&w.t, DHP_KEY_OK);
    CHECK_NUMBER(DHP_ACTIVATION, world_view(&w));
}

static void login_says_what_the_terminal_is_and_the_first_heartbeat_how_it_is(void)
{
    world_new(&w, true);
    CHECK_NUMBER(DHP_STARTING, world_view(&w));
    hub_connect(&w);
    const dhp_Hello *hello = &w.up[0].body.hello;
    CHECK_NUMBER(1, hello->protocol_version);
    CHECK_TEXT("861234567890123", hello->hardware_id);
    CHECK_TEXT("1.4.2", hello->firmware);
    CHECK_TEXT("S1", hello->model);
    CHECK_NUMBER(512, hello->max_message_bytes);
    CHECK_NUMBER(3, hello->capabilities_count);
    CHECK_TEXT("collect", hello->capabilities[2]);
    CHECK_NUMBER(dhp_BOOT_REASON_POWER_ON, hello->boot_reason);
    CHECK_NUMBER(0, hello->open_request_ids_count);
    hub_challenge(&w);
    hub_welcome(&w);
    world_run(&w, 1000);
    hub_synced(&w);
    const uplink *beat = world_take(&w, dhp_Uplink_heartbeat_tag);
    CHECK(beat->body.heartbeat.has_modem && beat->body.heartbeat.signal_dbm == -71);
    CHECK(beat->body.heartbeat.connect_times.login_ms >= 1000);
    world_run(&w, 299000);
    world_quiet(&w);
    world_run(&w, 2000);
    beat = world_take(&w, dhp_Uplink_heartbeat_tag);
    CHECK(!beat->body.heartbeat.has_modem && beat->body.heartbeat.uptime_s >= 300);
    hub_lose(&w);
    hub_connect(&w);
    CHECK_NUMBER(dhp_BOOT_REASON_RECONNECT, w.up[0].body.hello.boot_reason);
    hub_challenge(&w);
    hub_welcome(&w);
    hub_synced(&w);
    beat = world_take(&w, dhp_Uplink_heartbeat_tag);
    CHECK(beat->body.heartbeat.reconnects_count == 1 && beat->body.heartbeat.reconnects[0].cause == dhp_ReconnectCause_CAUSE_NO_NETWORK);
}

static void heartbeats_and_boots_write_nothing_to_flash(void)
{
    world_new(&w, true);
    unsigned long before = w.f.programmed;
    for (unsigned boots = 0; boots < 5; boots++) {
        world_boot(&w);
        hub_login(&w);
        world_run(&w, 700000);
        world_forget(&w);
    }
    CHECK_NUMBER(before, w.f.programmed);
}

static uint32_t time_to_open(void)
{
    uint32_t from = w.now;
    for (unsigned i = 0; i < 500000 && !w.opened; i++) {
        world_run(&w, 10);
    }
    CHECK(w.opened);
    return w.now - from;
}

static void a_lost_network_is_tried_again_after_1_2_4_to_60_seconds_without_jitter(void)
{
    static const uint32_t waits[] = {0, 1, 2, 4, 8, 16, 32, 60, 60};
    world_new(&w, true);
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        uint32_t waited = time_to_open();
        CHECK(waited >= waits[i] * 1000 && waited <= waits[i] * 1000 + 20);
        w.opened = false;
        dhp_disconnected(&w.t, DHP_END_LOST, dhp_ReconnectCause_CAUSE_DNS);
        CHECK_NUMBER(DHP_NO_NETWORK, world_view(&w));
    }
    dhp_press(&w.t, DHP_KEY_OK);
    CHECK(time_to_open() <= 20);
}

static void after_the_hub_closed_there_is_jitter_and_after_synced_it_begins_anew(void)
{
    uint32_t least = UINT32_MAX;
    uint32_t most = 0;
    world_new(&w, true);
    for (unsigned i = 0; i < 40; i++) {
        hub_login(&w);
        w.connected = false;
        dhp_disconnected(&w.t, DHP_END_CLOSED, dhp_ReconnectCause_CAUSE_CLOSED);
        uint32_t waited = time_to_open();
        least = waited < least ? waited : least;
        most = waited > most ? waited : most;
    }
    CHECK(least >= 1000 && most <= 31020 && most - least > 15000);
}

static void a_hub_that_does_not_answer_is_left(void)
{
    world_new(&w, true);
    hub_connect(&w);
    world_run(&w, 9900);
    CHECK(w.connected);
    world_run(&w, 200);
    CHECK(!w.connected);
    hub_connect(&w);
    hub_challenge(&w);
    world_run(&w, 34900);
    CHECK(w.connected);
    world_run(&w, 200);
    CHECK(!w.connected);
}

static void login_refusals_are_shown_and_tried_again_when_their_table_says(void)
{
    static const struct {
        uint32_t code;
        uint32_t least_ms;
    } refusals[] = {{dhp_Refusal_CODE_HARDWARE, 3600000}, {dhp_Refusal_CODE_NOT_ACTIVE, 3600000}, {dhp_Refusal_CODE_VERSION, 3600000},
                    {dhp_Refusal_CODE_CREDENTIALS, 1000}, {dhp_Refusal_CODE_BUSY, 1000}};
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        world_new(&w, true);
        hub_connect(&w);
        hub_challenge(&w);
        hub_refuse(&w, NULL, refusals[i].code, 0, NULL);
        CHECK(!w.connected);
        CHECK(w.shown[w.views - 1].view.refusal == refusals[i].code && world_view(&w) == DHP_REFUSED);
        CHECK(time_to_open() >= refusals[i].least_ms);
    }
}

static void a_suspended_terminal_takes_no_scan_until_a_login_without_it(void)
{
    world_new(&w, true);
    hub_connect(&w);
    hub_challenge(&w);
    hub_welcome(&w);
    hub_synced(&w);
    hub_refuse(&w, NULL, dhp_Refusal_CODE_SUSPENDED, 0, NULL);
    CHECK_NUMBER(DHP_SUSPENDED, world_view(&w));
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, "130000000000001250", 1250, NULL));
    hub_lose(&w);
    hub_login(&w);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

static void what_comes_at_the_wrong_time_is_ignored(void)
{
    dhp_Welcome welcome;
    dhp_Synced synced = {0};
    dhp_Offer offer;
    memset(&welcome, 0, sizeof welcome);
    memset(&offer, 0, sizeof offer);
    offer.terminal_key.size = 32;
    memcpy(welcome.request_epoch, "AAAAAAAAAAAA", 13);
    world_new(&w, true);
    hub_connect(&w);
    hub_send(&w, dhp_Downlink_welcome_tag, &welcome);
    hub_send(&w, dhp_Downlink_synced_tag, &synced);
    hub_send(&w, dhp_Downlink_offer_tag, &offer);
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, "130000000000001250", 1250, NULL));
    hub_challenge(&w);
    hub_welcome(&w);
    hub_synced(&w);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

static void flash_that_takes_no_key_is_a_fault(void)
{
    world_new(&w, false);
    dhp_activate(&w.t, "ABCD");
    hub_connect(&w);
    hub_challenge(&w);
    world_take(&w, dhp_Uplink_activate_tag);
    w.f.broken = true;
    send_offer();
    CHECK_NUMBER(DHP_FAULT, world_view(&w));
    CHECK(!w.connected);
}

static void a_refused_login_is_shown_until_a_later_one_is_good(void)
{
    world_new(&w, true);
    hub_login(&w);
    hub_refuse(&w, NULL, dhp_Refusal_CODE_STOPPING, 0, NULL);
    CHECK_NUMBER(DHP_REFUSED, world_view(&w));
    hub_login(&w);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

/* Of a connection that the terminal has given up meanwhile: it waited in a queue. */
static void a_connection_that_nobody_opened_begins_no_session(void)
{
    world_new(&w, true);
    hub_login(&w);
    hub_refuse(&w, NULL, dhp_Refusal_CODE_STOPPING, 0, NULL);
    dhp_connected(&w.t);
    w.connected = true;
    world_run(&w, 500);
    world_quiet(&w);
    w.connected = false;
    hub_login(&w);
}

static const test tests[] = {
    TEST(a_fresh_terminal_asks_for_a_code_and_does_not_connect),
    TEST(activation_stores_the_key_and_proves_it_in_the_same_session),
    TEST(a_power_cut_anywhere_in_activation_is_healed),
    TEST(a_refused_code_is_asked_for_again),
    TEST(an_unproved_key_that_the_hub_does_not_know_asks_for_a_code),
    TEST(login_says_what_the_terminal_is_and_the_first_heartbeat_how_it_is),
    TEST(heartbeats_and_boots_write_nothing_to_flash),
    TEST(a_lost_network_is_tried_again_after_1_2_4_to_60_seconds_without_jitter),
    TEST(after_the_hub_closed_there_is_jitter_and_after_synced_it_begins_anew),
    TEST(a_hub_that_does_not_answer_is_left),
    TEST(login_refusals_are_shown_and_tried_again_when_their_table_says),
    TEST(a_suspended_terminal_takes_no_scan_until_a_login_without_it),
    TEST(what_comes_at_the_wrong_time_is_ignored),
    TEST(flash_that_takes_no_key_is_a_fault),
    TEST(a_refused_login_is_shown_until_a_later_one_is_good),
    TEST(a_connection_that_nobody_opened_begins_no_session),
};
TEST_MAIN(tests)
