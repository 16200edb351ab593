#include "hub.h"

#define CODE "130000000000001250"

static world w;
static char id[DHP_REQUEST_ID_BYTES];

static void ready(void)
{
    world_new(&w, true);
    hub_login(&w);
}

/* Scans, and takes the request. */
static void pay(void)
{
    CHECK_NUMBER(DHP_TAKEN, dhp_scan(&w.t, CODE, 1250, NULL));
    const uplink *u = world_take(&w, dhp_Uplink_payment_request_tag);
    CHECK(u->sealed);
    snprintf(id, sizeof id, "%s", u->body.payment_request.request_id);
}

static void check_shown(uint32_t revision)
{
    const uplink *u = world_take(&w, dhp_Uplink_outcome_shown_tag);
    CHECK(u->sealed);
    CHECK_TEXT(id, u->body.outcome_shown.request_id);
    CHECK_NUMBER(revision, u->body.outcome_shown.revision);
}

static void a_request_holds_what_was_scanned_and_an_id_of_this_session(void)
{
    ready();
    CHECK_NUMBER(DHP_TAKEN, dhp_scan(&w.t, CODE, 1250, "A-1001"));
    CHECK_NUMBER(DHP_SENDING, world_view(&w));
    const dhp_PaymentRequest *r = &world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request;
    CHECK_TEXT("EPOCH0000001-1", r->request_id);
    CHECK_TEXT(CODE, r->payment_code);
    CHECK_TEXT("A-1001", r->order_number);
    CHECK(r->amount_fen == 1250 && r->time_to_live_ms == 30000 && r->age_ms <= 20);
}

static void what_cannot_be_paid_is_not_taken(void)
{
    char longest[66];
    memset(longest, '1', 65);
    longest[65] = '\0';
    world_new(&w, true);
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, CODE, 1250, NULL));
    hub_login(&w);
    CHECK_NUMBER(DHP_WRONG_CODE, dhp_scan(&w.t, "", 1250, NULL));
    CHECK_NUMBER(DHP_WRONG_CODE, dhp_scan(&w.t, longest, 1250, NULL));
    CHECK_NUMBER(DHP_WRONG_CODE, dhp_scan(&w.t, "13000\t0000001250", 1250, NULL));
    CHECK_NUMBER(DHP_WRONG_AMOUNT, dhp_scan(&w.t, CODE, 0, NULL));
    CHECK_NUMBER(DHP_WRONG_AMOUNT, dhp_scan(&w.t, CODE, 5000001, NULL));
    CHECK_NUMBER(DHP_WRONG_ORDER, dhp_scan(&w.t, CODE, 1250, "A 1"));
    w.f.broken = true;
    CHECK_NUMBER(DHP_NO_FLASH, dhp_scan(&w.t, CODE, 1250, NULL));
    world_run(&w, 60000);
    world_quiet(&w);
}

static void an_approval_is_shown_spoken_confirmed_and_over(void)
{
    ready();
    pay();
    CHECK(!dhp_may_interrupt(&w.t));
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, CODE, 1250, NULL));
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    CHECK_NUMBER(DHP_ACCEPTED, world_view(&w));
    hub_accepted(&w, id, dhp_Accepted_STATE_WAITING_FOR_CUSTOMER);
    CHECK_NUMBER(DHP_WAITING, world_view(&w));
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1);
    CHECK_NUMBER(DHP_APPROVED, world_view(&w));
    CHECK(w.spoken == 1 && dhp_may_interrupt(&w.t));
    check_shown(1);
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, CODE, 1250, NULL));
    world_run(&w, 5010);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    pay();
    CHECK_TEXT("EPOCH0000001-2", id);
}

static void a_decline_may_be_scanned_over(void)
{
    ready();
    pay();
    hub_outcome(&w, id, dhp_Outcome_RESULT_DECLINED, 1);
    CHECK_NUMBER(DHP_DECLINED, world_view(&w));
    check_shown(1);
    pay();
}

static void a_request_is_repeated_after_3_6_12_12_seconds_and_in_doubt_after_12(void)
{
    static const uint32_t waits[] = {3000, 6000, 12000, 12000, 12000};
    ready();
    pay();
    uint32_t age = 0;
    for (size_t i = 0; i < sizeof waits / sizeof waits[0]; i++) {
        uint32_t from = w.now;
        while (w.ups == 0) {
            world_run(&w, 10);
            CHECK(w.now - from < 13000);
        }
        CHECK(w.now - from >= waits[i] - 40 && w.now - from <= waits[i] + 40);
        const dhp_PaymentRequest *r = &world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request;
        CHECK_TEXT(id, r->request_id);
        CHECK_TEXT(CODE, r->payment_code);
        CHECK(r->age_ms > age);
        age = r->age_ms;
    }
    CHECK_NUMBER(DHP_IN_DOUBT, world_view(&w));
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    CHECK_NUMBER(DHP_ACCEPTED, world_view(&w));
    world_run(&w, 29900);
    world_quiet(&w);
    world_run(&w, 200);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_query_tag)->body.payment_query.request_id);
    world_run(&w, 30100);
    world_take(&w, dhp_Uplink_payment_query_tag);
}

static void the_age_of_a_request_that_is_repeated_for_months_never_wraps(void)
{
    uint32_t age = 0;
    ready();
    pay();
    for (unsigned days = 0; days < 100; days++) {
        w.now += 86400000u;
        dhp_poll(&w.t, w.now);
        world_run(&w, 100);
        for (unsigned i = 0; i < w.ups; i++) {
            if (w.up[i].tag == dhp_Uplink_payment_request_tag) {
                CHECK(w.up[i].body.payment_request.age_ms >= age);
                age = w.up[i].body.payment_request.age_ms;
            }
        }
        w.ups = 0;
    }
    CHECK(age > 1000000000u);
}

static void nothing_that_is_not_sealed_or_does_not_open_is_believed(void)
{
    dhp_Outcome outcome;
    dhp_Accepted accepted;
    dhp_Refusal refusal;
    ready();
    pay();
    memset(&outcome, 0, sizeof outcome);
    memset(&accepted, 0, sizeof accepted);
    memset(&refusal, 0, sizeof refusal);
    memcpy(outcome.request_id, id, sizeof id);
    memcpy(accepted.request_id, id, sizeof id);
    memcpy(refusal.request_id, id, sizeof id);
    outcome.result = dhp_Outcome_RESULT_APPROVED;
    outcome.revision = 1;
    accepted.state = dhp_Accepted_STATE_WORKING;
    refusal.code = dhp_Refusal_CODE_EXPIRED;
    hub_send(&w, dhp_Downlink_outcome_tag, &outcome);
    hub_send(&w, dhp_Downlink_accepted_tag, &accepted);
    hub_send(&w, dhp_Downlink_refusal_tag, &refusal);
    w.seals.key[0] ^= 1;
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1);
    w.seals.key[0] ^= 1;
    CHECK_NUMBER(DHP_SENDING, world_view(&w));
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1);
    w.seals.sent--;
    check_shown(1);
    hub_outcome(&w, id, dhp_Outcome_RESULT_DECLINED, 2); /* a sequence that was there already */
    CHECK_NUMBER(DHP_APPROVED, world_view(&w));
    world_quiet(&w);
}

static void what_was_not_handed_over_is_not_sent_and_gone(void)
{
    ready();
    w.busy = true;
    CHECK_NUMBER(DHP_TAKEN, dhp_scan(&w.t, CODE, 1250, NULL));
    world_run(&w, 2000);
    hub_lose(&w);
    w.busy = false;
    bool told = false;
    for (unsigned i = 0; i < w.views; i++) {
        told = told || (w.shown[i].view.state == DHP_NO_NETWORK && strcmp(w.shown[i].request_id, "EPOCH0000001-1") == 0);
    }
    CHECK(told && dhp_may_interrupt(&w.t));
    world_boot(&w);
    hub_login(&w);
    world_run(&w, 20000);
    world_quiet(&w);
}

static void a_lost_connection_keeps_the_payment_and_its_id(void)
{
    ready();
    pay();
    hub_lose(&w);
    world_run(&w, 20000);
    CHECK_NUMBER(DHP_IN_DOUBT, world_view(&w));
    hub_connect(&w);
    CHECK(w.up[0].body.hello.open_request_ids_count == 1);
    CHECK_TEXT(id, w.up[0].body.hello.open_request_ids[0]);
    hub_challenge(&w);
    hub_welcome(&w);
    hub_synced(&w);
    const uplink *u = world_take(&w, dhp_Uplink_payment_request_tag);
    CHECK_TEXT(id, u->body.payment_request.request_id);
    CHECK(u->body.payment_request.age_ms >= 20000);
    world_take(&w, dhp_Uplink_heartbeat_tag);
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    hub_lose(&w);
    hub_login(&w);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_query_tag)->body.payment_query.request_id);
}

/* After a power loss the payment is in doubt before there is a network, is asked about, and ends as the hub says. */
static void a_power_loss_ends_in_the_outcome(void)
{
    ready();
    pay();
    world_boot(&w);
    CHECK_NUMBER(DHP_IN_DOUBT, world_view(&w));
    CHECK_TEXT(id, w.shown[w.views - 1].request_id);
    CHECK_NUMBER(1250, w.shown[w.views - 1].view.amount_fen);
    hub_login(&w);
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, CODE, 1250, NULL));
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_query_tag)->body.payment_query.request_id);
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1);
    CHECK_NUMBER(DHP_APPROVED, world_view(&w));
    check_shown(1);
    world_boot(&w);
    hub_login(&w);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    world_run(&w, 20000);
    world_quiet(&w);
}

static void a_payment_of_before_a_power_loss_that_the_hub_does_not_know_was_not_charged(void)
{
    ready();
    pay();
    world_boot(&w);
    hub_login(&w);
    world_take(&w, dhp_Uplink_payment_query_tag);
    hub_refuse(&w, id, dhp_Refusal_CODE_UNKNOWN_PAYMENT, 0, NULL);
    CHECK_NUMBER(DHP_NOT_CHARGED, world_view(&w));
    world_boot(&w);
    CHECK_NUMBER(DHP_STARTING, world_view(&w));
}

static void an_unknown_payment_whose_contents_are_known_is_sent_once_more(void)
{
    ready();
    pay();
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    hub_refuse(&w, id, dhp_Refusal_CODE_UNKNOWN_PAYMENT, 0, NULL);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request.request_id);
    hub_refuse(&w, id, dhp_Refusal_CODE_EXPIRED, 0, NULL);
    CHECK_NUMBER(DHP_REFUSED, world_view(&w));
    pay();
}

static void a_power_cut_at_every_byte_of_a_payment_never_forgets_one_that_was_sent(void)
{
    for (long power = 0; power < 90; power++) {
        test_about("cut %ld", power);
        ready();
        w.f.power = power;
        dhp_answer answer = dhp_scan(&w.t, CODE, 1250, NULL);
        world_run(&w, 20);
        bool sent = w.ups > 0;
        CHECK(sent == (answer == DHP_TAKEN));
        if (sent) {
            hub_outcome(&w, "EPOCH0000001-1", dhp_Outcome_RESULT_APPROVED, 1);
        }
        bool cut = w.f.off;
        world_boot(&w);
        dhp_state state = world_view(&w);
        CHECK(state == DHP_IN_DOUBT || state == DHP_STARTING);
        CHECK(!sent || state == DHP_IN_DOUBT || !cut);
        hub_login(&w);
        if (state == DHP_IN_DOUBT) {
            CHECK_TEXT("EPOCH0000001-1", world_take(&w, dhp_Uplink_payment_query_tag)->body.payment_query.request_id);
            hub_outcome(&w, "EPOCH0000001-1", dhp_Outcome_RESULT_APPROVED, 1);
        }
        CHECK(dhp_may_interrupt(&w.t));
    }
}

static void an_outcome_of_before_a_power_loss_is_a_late_result_and_confirmed(void)
{
    ready();
    snprintf(id, sizeof id, "%s", "EPOCH0000000-9");
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 3);
    CHECK_NUMBER(DHP_LATE, world_view(&w));
    CHECK_NUMBER(0, w.spoken);
    check_shown(3);
    unsigned views = w.views;
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 3); /* again: confirmed, not announced */
    check_shown(3);
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 2);
    check_shown(3);
    CHECK_NUMBER(views, w.views);
    hub_outcome(&w, id, dhp_Outcome_RESULT_REFUNDED, 4);
    CHECK_NUMBER(DHP_LATE, world_view(&w));
    check_shown(4);
    dhp_press(&w.t, DHP_KEY_OK);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

static void many_outcomes_at_login_are_all_confirmed(void)
{
    world_new(&w, true);
    hub_connect(&w);
    hub_challenge(&w);
    hub_welcome(&w);
    for (unsigned i = 1; i <= 20; i++) {
        snprintf(id, sizeof id, "EPOCH0000000-%u", i);
        hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1);
        check_shown(1);
    }
    hub_synced(&w);
}

static void what_the_hub_says_is_open_is_taken_over_and_blocks_scans(void)
{
    world_new(&w, true);
    hub_connect(&w);
    hub_challenge(&w);
    hub_welcome(&w);
    hub_in_doubt(&w, "EPOCH0000000-9");
    hub_synced(&w);
    CHECK_NUMBER(DHP_IN_DOUBT, world_view(&w));
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, CODE, 1250, NULL));
    hub_outcome(&w, "EPOCH0000000-9", dhp_Outcome_RESULT_NOT_CHARGED, 1);
    CHECK_NUMBER(DHP_NOT_CHARGED, world_view(&w));
}

static void a_cancel_waits_until_the_hub_knows_the_payment(void)
{
    ready();
    pay();
    dhp_press(&w.t, DHP_KEY_CANCEL);
    world_run(&w, 100);
    world_quiet(&w);
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_cancel_tag)->body.payment_cancel.request_id);
    CHECK_NUMBER(DHP_CANCELLING, world_view(&w));
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1); /* too late */
    CHECK_NUMBER(DHP_APPROVED, world_view(&w));
    check_shown(1);
}

/* "Refused" on the screen would read as the payment's end. */
static void a_refused_login_does_not_take_an_open_payment_from_the_screen(void)
{
    static const uint32_t codes[] = {dhp_Refusal_CODE_STOPPING, dhp_Refusal_CODE_CREDENTIALS, dhp_Refusal_CODE_HARDWARE};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        ready();
        pay();
        hub_in_doubt(&w, id);
        hub_refuse(&w, NULL, codes[i], 0, NULL);
        CHECK(!w.connected);
        CHECK_NUMBER(DHP_IN_DOUBT, world_view(&w));
    }
}

static void a_cancel_without_a_network_is_sent_when_there_is_one(void)
{
    for (unsigned boots = 0; boots < 2; boots++) {
        ready();
        pay();
        hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
        hub_lose(&w);
        if (boots != 0) {
            world_boot(&w);
        }
        dhp_press(&w.t, DHP_KEY_CANCEL);
        hub_login(&w);
        CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_query_tag)->body.payment_query.request_id);
        hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
        CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_cancel_tag)->body.payment_cancel.request_id);
        CHECK_NUMBER(DHP_CANCELLING, world_view(&w));
    }
}

static void a_cancel_of_a_payment_that_the_hub_has_lost_is_sent_after_its_request(void)
{
    ready();
    pay();
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    dhp_press(&w.t, DHP_KEY_CANCEL);
    world_take(&w, dhp_Uplink_payment_cancel_tag);
    hub_refuse(&w, id, dhp_Refusal_CODE_UNKNOWN_PAYMENT, 0, NULL);
    world_take(&w, dhp_Uplink_payment_request_tag);
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_cancel_tag)->body.payment_cancel.request_id);
}

static void a_second_scan_of_the_same_amount_asks_a_person(void)
{
    ready();
    pay();
    hub_refuse(&w, id, dhp_Refusal_CODE_POSSIBLE_DUPLICATE, 0, "EPOCH0000000-9");
    CHECK_NUMBER(DHP_SECOND_PAYMENT, world_view(&w));
    world_run(&w, 10000);
    dhp_press(&w.t, DHP_KEY_OK);
    const dhp_PaymentRequest *r = &world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request;
    CHECK(strcmp(id, r->request_id) != 0 && r->repeat_confirmed && r->amount_fen == 1250);
    CHECK_TEXT("EPOCH0000000-9", r->repeat_of);
    CHECK_TEXT(CODE, r->payment_code);
    CHECK(r->age_ms >= 10000); /* the code is as old as its scan */

    ready();
    pay();
    hub_refuse(&w, id, dhp_Refusal_CODE_POSSIBLE_DUPLICATE, 0, "EPOCH0000000-9");
    dhp_press(&w.t, DHP_KEY_CANCEL);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    pay();
    hub_refuse(&w, id, dhp_Refusal_CODE_POSSIBLE_DUPLICATE, 0, "EPOCH0000000-9");
    world_run(&w, 30100);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    world_quiet(&w);
}

static void refusals_do_what_their_table_says(void)
{
    static const uint32_t for_good[] = {dhp_Refusal_CODE_AMOUNT,    dhp_Refusal_CODE_PAYMENT_CODE, dhp_Refusal_CODE_EXPIRED, dhp_Refusal_CODE_NOT_BOUND,
                                        dhp_Refusal_CODE_NO_CHANNEL, dhp_Refusal_CODE_MALFORMED,    99};
    for (size_t i = 0; i < sizeof for_good / sizeof for_good[0]; i++) {
        ready();
        pay();
        hub_refuse(&w, id, for_good[i], 0, NULL);
        CHECK_NUMBER(DHP_REFUSED, world_view(&w));
        CHECK(dhp_may_interrupt(&w.t));
        pay();
    }
    ready();
    pay();
    hub_refuse(&w, id, dhp_Refusal_CODE_STORAGE, 5000, NULL);
    world_run(&w, 4900);
    world_quiet(&w);
    world_run(&w, 200);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request.request_id);
    hub_refuse(&w, id, dhp_Refusal_CODE_REQUEST_CONFLICT, 0, NULL);
    world_take(&w, dhp_Uplink_payment_query_tag);
    CHECK(!dhp_may_interrupt(&w.t));

    ready();
    pay();
    hub_refuse(&w, id, dhp_Refusal_CODE_ORDER_OPEN, 0, "EPOCH0000000-9");
    CHECK_TEXT("EPOCH0000000-9", world_take(&w, dhp_Uplink_payment_query_tag)->body.payment_query.request_id);
    hub_refuse(&w, "EPOCH0000000-9", dhp_Refusal_CODE_UNKNOWN_PAYMENT, 0, NULL); /* of another terminal */
    dhp_press(&w.t, DHP_KEY_OK);
    CHECK_NUMBER(DHP_READY, world_view(&w));

    ready();
    pay();
    hub_refuse(&w, id, dhp_Refusal_CODE_REQUEST_EPOCH, 0, NULL);
    CHECK(!w.connected && dhp_may_interrupt(&w.t));

    ready();
    pay();
    hub_refuse(&w, NULL, dhp_Refusal_CODE_SEAL, 0, NULL);
    CHECK(!w.connected && !dhp_may_interrupt(&w.t));
    hub_login(&w);
    CHECK_TEXT(id, world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request.request_id);
}

static void an_accepted_payment_is_not_ended_by_a_refusal(void)
{
    ready();
    pay();
    hub_accepted(&w, id, dhp_Accepted_STATE_WORKING);
    hub_refuse(&w, id, dhp_Refusal_CODE_BUSY, 0, NULL);
    hub_refuse(&w, id, dhp_Refusal_CODE_EXPIRED, 0, NULL);
    CHECK_NUMBER(DHP_ACCEPTED, world_view(&w));
}

static void an_order_that_is_paid_already_is_shown_and_not_confirmed(void)
{
    dhp_Outcome outcome;
    ready();
    pay();
    memset(&outcome, 0, sizeof outcome);
    memcpy(outcome.request_id, id, sizeof id);
    outcome.result = dhp_Outcome_RESULT_APPROVED;
    outcome.revision = 1;
    outcome.has_speech = true;
    snprintf(outcome.paid_by, sizeof outcome.paid_by, "T0000002/EPOCH0000000-9");
    hub_send_sealed(&w, dhp_Downlink_outcome_tag, &outcome);
    CHECK_NUMBER(DHP_ALREADY_PAID, world_view(&w));
    CHECK_NUMBER(0, w.spoken);
    world_run(&w, 100);
    world_quiet(&w);
}

static void a_result_that_is_newer_than_this_firmware_announces_nothing(void)
{
    ready();
    pay();
    hub_outcome(&w, id, 9, 1);
    CHECK_NUMBER(DHP_IN_DOUBT, world_view(&w));
    CHECK_NUMBER(0, w.spoken);
    hub_outcome(&w, id, dhp_Outcome_RESULT_DECLINED, 2);
    CHECK_NUMBER(DHP_DECLINED, world_view(&w));
}

static const test tests[] = {
    TEST(a_request_holds_what_was_scanned_and_an_id_of_this_session),
    TEST(what_cannot_be_paid_is_not_taken),
    TEST(an_approval_is_shown_spoken_confirmed_and_over),
    TEST(a_decline_may_be_scanned_over),
    TEST(a_request_is_repeated_after_3_6_12_12_seconds_and_in_doubt_after_12),
    TEST(the_age_of_a_request_that_is_repeated_for_months_never_wraps),
    TEST(nothing_that_is_not_sealed_or_does_not_open_is_believed),
    TEST(what_was_not_handed_over_is_not_sent_and_gone),
    TEST(a_lost_connection_keeps_the_payment_and_its_id),
    TEST(a_power_loss_ends_in_the_outcome),
    TEST(a_payment_of_before_a_power_loss_that_the_hub_does_not_know_was_not_charged),
    TEST(an_unknown_payment_whose_contents_are_known_is_sent_once_more),
    TEST(a_power_cut_at_every_byte_of_a_payment_never_forgets_one_that_was_sent),
    TEST(an_outcome_of_before_a_power_loss_is_a_late_result_and_confirmed),
    TEST(many_outcomes_at_login_are_all_confirmed),
    TEST(what_the_hub_says_is_open_is_taken_over_and_blocks_scans),
    TEST(a_cancel_waits_until_the_hub_knows_the_payment),
    TEST(a_refused_login_does_not_take_an_open_payment_from_the_screen),
    TEST(a_cancel_without_a_network_is_sent_when_there_is_one),
    TEST(a_cancel_of_a_payment_that_the_hub_has_lost_is_sent_after_its_request),
    TEST(a_second_scan_of_the_same_amount_asks_a_person),
    TEST(refusals_do_what_their_table_says),
    TEST(an_accepted_payment_is_not_ended_by_a_refusal),
    TEST(an_order_that_is_paid_already_is_shown_and_not_confirmed),
    TEST(a_result_that_is_newer_than_this_firmware_announces_nothing),
};
TEST_MAIN(tests)
