/* A charge that the till began: ../README.md "A charge from the till". It is the payment's request, waiting for its code. */
#include <string.h>

#include "dhp_internal.h"

#define CLOSED_MS 5000u

void dhp_charge_end(dhp_terminal *t, const char *charge_id, uint8_t reason)
{
    memmove(t->payment.ended_id, charge_id, DHP_REQUEST_ID_BYTES);
    t->payment.ended_reason = reason;
    t->want |= WANT_ENDED;
}

void dhp_charge_collect(dhp_terminal *t, const dhp_Collect *collect)
{
    dhp_payment *payment = &t->payment;
    bool same = strcmp(payment->request.charge_id, collect->charge_id) == 0;
    bool waits = payment->state == DHP_READY || payment->state == DHP_COLLECTING;
    if (t->session != SESSION_READY) {
        return;
    }
    if (!waits && same) {
        t->want |= WANT_COLLECTING;
        return;
    }
    if (!waits || (!same && (t->flags & (FLAG_SUSPENDED | FLAG_FAULT | FLAG_TYPING)) != 0)) {
        dhp_charge_end(t, collect->charge_id, dhp_CollectEnded_REASON_BUSY);
        return;
    }
    payment->charge_from = t->now;
    payment->charge_ms = collect->time_to_live_ms;
    t->want |= WANT_COLLECTING;
    if (payment->state == DHP_COLLECTING && same) {
        return;
    }
    memset(&payment->request, 0, sizeof payment->request);
    memcpy(payment->request.charge_id, collect->charge_id, DHP_REQUEST_ID_BYTES);
    memcpy(payment->request.order_number, collect->order_number, sizeof payment->request.order_number);
    payment->request.amount_fen = collect->amount_fen;
    payment->state = DHP_COLLECTING;
    t->view = DHP_STARTING; /* to be drawn, also in place of another charge or of a result: when the hub has its answer */
    t->view_ms = 0;
}

void dhp_charge_cancelled(dhp_terminal *t, const dhp_CollectCancel *cancel)
{
    bool waits = t->payment.state == DHP_COLLECTING || t->payment.state == DHP_SECOND_PAYMENT;
    if (waits && strcmp(t->payment.request.charge_id, cancel->charge_id) == 0) {
        dhp_show(t, DHP_CLOSED_BY_TILL, NULL, NULL, 0, CLOSED_MS);
        dhp_payment_forget(t);
    }
}

void dhp_charge_tick(dhp_terminal *t)
{
    if (t->payment.state == DHP_COLLECTING && dhp_passed(t, t->payment.charge_from, t->payment.charge_ms)) {
        dhp_charge_end(t, t->payment.request.charge_id, dhp_CollectEnded_REASON_EXPIRED);
        dhp_payment_forget(t);
    }
}
