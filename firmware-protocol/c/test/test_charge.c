#include "hub.h"

#define CODE "130000000000001250"

static world w;

static void collect(const char *charge_id, uint32_t ttl_ms)
{
    dhp_Collect c;
    memset(&c, 0, sizeof c);
    snprintf(c.charge_id, sizeof c.charge_id, "%s", charge_id);
    c.amount_fen = 880;
    snprintf(c.order_number, sizeof c.order_number, "A-7");
    c.time_to_live_ms = ttl_ms;
    hub_send_sealed(&w, dhp_Downlink_collect_tag, &c);
}

static void check_collecting(const char *charge_id)
{
    const uplink *u = world_take(&w, dhp_Uplink_collecting_tag);
    CHECK(u->sealed);
    CHECK_TEXT(charge_id, u->body.collecting.charge_id);
}

static void check_ended(const char *charge_id, uint32_t reason)
{
    const uplink *u = world_take(&w, dhp_Uplink_collect_ended_tag);
    CHECK_TEXT(charge_id, u->body.collect_ended.charge_id);
    CHECK_NUMBER(reason, u->body.collect_ended.reason);
}

static void collecting(void)
{
    world_new(&w, true);
    hub_login(&w);
    collect("charge-000001", 60000);
    check_collecting("charge-000001");
    CHECK_NUMBER(DHP_COLLECTING, world_view(&w));
    CHECK_NUMBER(880, w.shown[w.views - 1].view.amount_fen);
}

/* The hub waits 3 s for the answer, and a screen may take as long. */
static void the_hub_is_answered_before_the_screen_is_drawn(void)
{
    collecting();
    unsigned before = w.views;
    collect("charge-000002", 60000);
    CHECK_NUMBER(before, world_take(&w, dhp_Uplink_collecting_tag)->views);
    CHECK_NUMBER(before + 1, w.views);
    CHECK_NUMBER(DHP_COLLECTING, world_view(&w));
}

static void the_next_scan_answers_the_charge(void)
{
    collecting();
    CHECK_NUMBER(DHP_TAKEN, dhp_scan(&w.t, CODE, 5, "other"));
    const uplink *u = world_take(&w, dhp_Uplink_payment_request_tag);
    CHECK_TEXT("charge-000001", u->body.payment_request.charge_id);
    CHECK_TEXT("A-7", u->body.payment_request.order_number);
    CHECK_NUMBER(880, u->body.payment_request.amount_fen);
    char id[DHP_REQUEST_ID_BYTES];
    snprintf(id, sizeof id, "%s", u->body.payment_request.request_id);
    collect("charge-000001", 60000); /* repeated: answered again */
    check_collecting("charge-000001");
    collect("charge-000002", 60000);
    check_ended("charge-000002", dhp_CollectEnded_REASON_BUSY);
    hub_outcome(&w, id, dhp_Outcome_RESULT_APPROVED, 1);
    CHECK_NUMBER(DHP_APPROVED, world_view(&w));
    world_take(&w, dhp_Uplink_outcome_shown_tag);
    CHECK_NUMBER(DHP_NOT_NOW, dhp_scan(&w.t, CODE, 5, NULL));
    world_run(&w, 5100);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

static void a_code_that_is_refused_leaves_the_charge_collecting(void)
{
    collecting();
    dhp_scan(&w.t, CODE, 0, NULL);
    char id[DHP_REQUEST_ID_BYTES];
    snprintf(id, sizeof id, "%s", world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request.request_id);
    hub_refuse(&w, id, dhp_Refusal_CODE_PAYMENT_CODE, 0, NULL);
    CHECK_NUMBER(DHP_REFUSED, world_view(&w));
    CHECK_NUMBER(DHP_TAKEN, dhp_scan(&w.t, "280000000000000880", 0, NULL));
    const uplink *u = world_take(&w, dhp_Uplink_payment_request_tag);
    CHECK_TEXT("charge-000001", u->body.payment_request.charge_id);
    CHECK(strcmp(id, u->body.payment_request.request_id) != 0);
    snprintf(id, sizeof id, "%s", u->body.payment_request.request_id);
    hub_refuse(&w, id, dhp_Refusal_CODE_CHARGE_CLOSED, 0, NULL);
    CHECK_NUMBER(DHP_REFUSED, world_view(&w));
    dhp_press(&w.t, DHP_KEY_OK);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    world_quiet(&w);
}

static void the_cashier_and_time_end_a_charge(void)
{
    collecting();
    dhp_press(&w.t, DHP_KEY_CANCEL);
    check_ended("charge-000001", dhp_CollectEnded_REASON_CANCELLED);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    collecting();
    world_run(&w, 50000);
    collect("charge-000001", 60000); /* its time counts from this one */
    check_collecting("charge-000001");
    world_run(&w, 59000);
    world_quiet(&w);
    world_run(&w, 1100);
    check_ended("charge-000001", dhp_CollectEnded_REASON_EXPIRED);
    CHECK_NUMBER(DHP_READY, world_view(&w));
}

static void the_till_ends_a_charge(void)
{
    dhp_CollectCancel cancel;
    memset(&cancel, 0, sizeof cancel);
    collecting();
    snprintf(cancel.charge_id, sizeof cancel.charge_id, "charge-000009");
    hub_send_sealed(&w, dhp_Downlink_collect_cancel_tag, &cancel);
    CHECK_NUMBER(DHP_COLLECTING, world_view(&w));
    snprintf(cancel.charge_id, sizeof cancel.charge_id, "charge-000001");
    hub_send(&w, dhp_Downlink_collect_cancel_tag, &cancel); /* bare */
    CHECK_NUMBER(DHP_COLLECTING, world_view(&w));
    hub_send_sealed(&w, dhp_Downlink_collect_cancel_tag, &cancel);
    CHECK_NUMBER(DHP_CLOSED_BY_TILL, world_view(&w));
    world_run(&w, 5100);
    CHECK_NUMBER(DHP_READY, world_view(&w));
    world_quiet(&w);
}

static void another_charge_takes_the_place_of_the_older_one(void)
{
    collecting();
    collect("charge-000002", 60000);
    check_collecting("charge-000002");
    dhp_scan(&w.t, CODE, 0, NULL);
    CHECK_TEXT("charge-000002", world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request.charge_id);
}

static void a_lost_connection_drops_the_charge_and_a_busy_cashier_refuses_it(void)
{
    collecting();
    hub_lose(&w);
    CHECK_NUMBER(DHP_NO_NETWORK, world_view(&w));
    hub_login(&w);
    dhp_type(&w.t, true);
    collect("charge-000003", 60000);
    check_ended("charge-000003", dhp_CollectEnded_REASON_BUSY);
    dhp_type(&w.t, false);
    collect("charge-000004", 60000);
    check_collecting("charge-000004");
}

static void a_possible_duplicate_of_a_charge_is_asked_and_keeps_the_charge(void)
{
    collecting();
    dhp_scan(&w.t, CODE, 0, NULL);
    char id[DHP_REQUEST_ID_BYTES];
    snprintf(id, sizeof id, "%s", world_take(&w, dhp_Uplink_payment_request_tag)->body.payment_request.request_id);
    hub_refuse(&w, id, dhp_Refusal_CODE_POSSIBLE_DUPLICATE, 0, "EPOCH0000000-9");
    CHECK_NUMBER(DHP_SECOND_PAYMENT, world_view(&w));
    dhp_press(&w.t, DHP_KEY_CANCEL);
    CHECK_NUMBER(DHP_COLLECTING, world_view(&w));
}

static const test tests[] = {
    TEST(the_hub_is_answered_before_the_screen_is_drawn),
    TEST(the_next_scan_answers_the_charge),
    TEST(a_code_that_is_refused_leaves_the_charge_collecting),
    TEST(the_cashier_and_time_end_a_charge),
    TEST(the_till_ends_a_charge),
    TEST(another_charge_takes_the_place_of_the_older_one),
    TEST(a_lost_connection_drops_the_charge_and_a_busy_cashier_refuses_it),
    TEST(a_possible_duplicate_of_a_charge_is_asked_and_keeps_the_charge),
};
TEST_MAIN(tests)
