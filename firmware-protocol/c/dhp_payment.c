/* A payment, from the scan to the outcome that was shown: ../README.md "A payment" and "Refusals". */
#include <string.h>

#include "dhp_internal.h"

#define FIRST_REPEAT_MS 3000u
#define LAST_REPEAT_MS 12000u
#define DOUBT_MS 12000u
#define QUERY_MS 30000u
#define ASK_MS 30000u
#define APPROVED_MS 5000u
#define RESULT_MS 10000u

/* An age is never more than this: a request that is repeated for weeks does not look new again when the clock wraps. */
#define OLDEST_MS 0x40000000u

bool dhp_payment_open(const dhp_terminal *t)
{
    unsigned state = t->payment.state;
    return (state >= DHP_SENDING && state <= DHP_WAITING) || state == DHP_IN_DOUBT || state == DHP_CANCELLING;
}

static bool flagged(const dhp_terminal *t, unsigned flag) { return (t->payment.flags & flag) != 0; }

static void flag(dhp_terminal *t, unsigned flag) { t->payment.flags = (uint8_t)(t->payment.flags | flag); }

static void unflag(dhp_terminal *t, unsigned flag) { t->payment.flags = (uint8_t)(t->payment.flags & ~flag); }

static bool is_current(const dhp_terminal *t, const char *request_id)
{
    return dhp_payment_open(t) && strcmp(t->payment.request.request_id, request_id) == 0;
}

static void due_in(dhp_terminal *t, uint32_t ms)
{
    t->payment.due_from = t->now;
    t->payment.due_ms = ms;
}

void dhp_payment_forget(dhp_terminal *t)
{
    memset(&t->payment.request, 0, sizeof t->payment.request);
    t->payment.state = DHP_READY;
    t->payment.flags = 0;
    t->want &= (uint16_t) ~(WANT_REQUEST | WANT_QUERY | WANT_CANCEL | WANT_COLLECTING);
}

/* Nothing more will be heard of it: it is not asked about after a power loss either. */
static void settle(dhp_terminal *t)
{
    (void)dhp_log_settle(&t->log); /* if flash fails, it is asked about once more, and answered with what is known */
}

/* What comes next for the payment that is open: its request once more, or a question. */
static uint16_t next_message(const dhp_terminal *t)
{
    return flagged(t, PAYMENT_CONTENTS) && !flagged(t, PAYMENT_ANSWERED) ? WANT_REQUEST : WANT_QUERY;
}

void dhp_payment_start(dhp_terminal *t)
{
    dhp_pending pending;
    t->payment.state = DHP_READY;
    if (dhp_log_pending(&t->log, &pending)) {
        memcpy(t->payment.request.request_id, pending.request_id, DHP_REQUEST_ID_BYTES);
        t->payment.request.amount_fen = pending.amount_fen;
        t->payment.state = DHP_IN_DOUBT;
        t->payment.flags = PAYMENT_HANDED;
    }
}

/* ---- the cashier ------------------------------------------------------------------------------------------------------------ */

static bool is_printable(const char *code)
{
    size_t length = 0;
    for (; code[length] != '\0'; length++) {
        if (code[length] < ' ' || code[length] > '~') {
            return false;
        }
    }
    return length > 0 && length <= 64;
}

/* Without a division: of 64 bits it is a call of many instructions on small machines. The digits are made from the last on. */
size_t dhp_decimal(uint64_t value, char text[20])
{
    char digits[20];
    size_t count = 0;
    do {
        uint64_t quotient = 0;
        uint32_t rest = 0;
        for (unsigned bit = 64; bit-- > 0;) { /* long division by 10, bit by bit */
            rest = rest << 1 | (uint32_t)(value >> 63);
            value <<= 1;
            quotient <<= 1;
            if (rest >= 10) {
                rest -= 10;
                quotient |= 1;
            }
        }
        digits[count++] = (char)('0' + rest);
        value = quotient;
    } while (value != 0);
    for (size_t i = 0; i < count; i++) {
        text[i] = digits[count - 1 - i];
    }
    return count;
}

/* Epoch, '-' and the counter, which is never the same twice in a session. */
static void make_id(dhp_terminal *t)
{
    char *id = t->payment.request.request_id;
    size_t at = strlen(t->epoch);
    memset(id, 0, DHP_REQUEST_ID_BYTES);
    memcpy(id, t->epoch, at);
    id[at] = '-';
    (void)dhp_decimal(++t->counter, &id[at + 1]);
}

/* The request is whole: it is written down, then sent. */
static dhp_answer begin(dhp_terminal *t)
{
    dhp_pending pending;
    make_id(t);
    memset(&pending, 0, sizeof pending);
    pending.amount_fen = t->payment.request.amount_fen;
    memcpy(pending.request_id, t->payment.request.request_id, DHP_REQUEST_ID_BYTES);
    if (!dhp_log_begin(&t->log, &pending)) {
        return DHP_NO_FLASH;
    }
    t->payment.state = DHP_SENDING;
    t->payment.flags = PAYMENT_CONTENTS;
    t->payment.tries = 0;
    due_in(t, 0);
    t->view_ms = 0;
    dhp_refresh(t);
    return DHP_TAKEN;
}

static bool may_scan(const dhp_terminal *t)
{
    bool result = t->view == DHP_DECLINED || t->view == DHP_REFUSED || t->view == DHP_NOT_CHARGED;
    return t->session == SESSION_READY && (t->flags & (FLAG_SUSPENDED | FLAG_FAULT)) == 0 &&
           (t->payment.state == DHP_READY || t->payment.state == DHP_COLLECTING) && (t->view_ms == 0 || result);
}

dhp_answer dhp_scan(dhp_terminal *t, const char *code, uint32_t amount_fen, const char *order_number)
{
    dhp_PaymentRequest *request = &t->payment.request;
    bool charge = t->payment.state == DHP_COLLECTING;
    if (!may_scan(t)) {
        return DHP_NOT_NOW;
    }
    if (!is_printable(code)) {
        return DHP_WRONG_CODE;
    }
    if (!charge) {
        if (amount_fen == 0 || amount_fen > t->max_amount_fen) {
            return DHP_WRONG_AMOUNT;
        }
        if (order_number != NULL && !dhp_is_name(order_number, 0, 32)) {
            return DHP_WRONG_ORDER;
        }
        memset(request, 0, sizeof *request);
        request->amount_fen = amount_fen;
        if (order_number != NULL) {
            strncpy(request->order_number, order_number, sizeof request->order_number - 1);
        }
    }
    strncpy(request->payment_code, code, sizeof request->payment_code - 1); /* the rest is filled with zeros */
    request->repeat_of[0] = '\0';
    request->repeat_confirmed = false;
    request->time_to_live_ms = t->setup->time_to_live_ms;
    t->payment.scanned_at = t->now;
    dhp_answer answer = begin(t);
    if (answer != DHP_TAKEN && !charge) {
        dhp_payment_forget(t);
    }
    return answer;
}

/* The request will not be sent (any more): the charge that it was for waits for another scan; else there is no payment. */
static void drop_request(dhp_terminal *t)
{
    if (t->payment.request.charge_id[0] != '\0') {
        t->payment.state = DHP_COLLECTING;
        t->payment.flags = 0;
    } else {
        dhp_payment_forget(t);
    }
}

static void cancel(dhp_terminal *t)
{
    switch (t->payment.state) {
    case DHP_COLLECTING:
        dhp_charge_end(t, t->payment.request.charge_id, dhp_CollectEnded_REASON_CANCELLED);
        dhp_payment_forget(t);
        break;
    case DHP_SECOND_PAYMENT:
        drop_request(t);
        break;
    case DHP_SENDING:
        flag(t, PAYMENT_CANCEL); /* nobody knows whether the request arrived */
        break;
    case DHP_ACCEPTED:
    case DHP_WAITING:
    case DHP_IN_DOUBT:
        if (t->session != SESSION_READY || (flagged(t, PAYMENT_CONTENTS) && !flagged(t, PAYMENT_ANSWERED))) {
            flag(t, PAYMENT_CANCEL); /* when the hub has said that it has it */
            break;
        }
        t->payment.state = DHP_CANCELLING;
        t->want |= WANT_CANCEL;
        due_in(t, QUERY_MS);
        break;
    default:
        break;
    }
}

void dhp_press(dhp_terminal *t, dhp_key key)
{
    if (t->view_ms != 0) {
        t->view_ms = 0; /* a result was looked at */
    } else if (key == DHP_KEY_CANCEL) {
        cancel(t);
    } else if (key == DHP_KEY_QUERY && dhp_payment_open(t)) {
        t->want |= next_message(t);
    } else if (key == DHP_KEY_OK && t->payment.state == DHP_SECOND_PAYMENT) {
        if (t->session == SESSION_READY) {
            t->payment.request.repeat_confirmed = true;
            (void)begin(t); /* without flash the question stays */
        }
    } else if (key == DHP_KEY_OK && t->session == SESSION_OFFLINE) {
        t->attempt = 0;
        t->wait_ms = 0;
    }
    dhp_refresh(t);
}

/* ---- time ------------------------------------------------------------------------------------------------------------------- */

void dhp_payment_handed(dhp_terminal *t)
{
    if (!flagged(t, PAYMENT_HANDED)) {
        flag(t, PAYMENT_HANDED);
        t->payment.handed_at = t->now;
    }
    uint32_t wait = FIRST_REPEAT_MS << t->payment.tries;
    due_in(t, wait < LAST_REPEAT_MS ? wait : LAST_REPEAT_MS);
    t->payment.tries = (uint8_t)(t->payment.tries < 2 ? t->payment.tries + 1 : 2);
}

void dhp_payment_tick(dhp_terminal *t)
{
    dhp_payment *payment = &t->payment;
    if (t->now - payment->scanned_at > OLDEST_MS) {
        payment->scanned_at = t->now - OLDEST_MS;
    }
    if (payment->state == DHP_SECOND_PAYMENT && dhp_passed(t, payment->due_from, ASK_MS)) {
        drop_request(t);
    }
    if (!dhp_payment_open(t)) {
        return;
    }
    if (payment->state == DHP_SENDING && flagged(t, PAYMENT_HANDED) && dhp_passed(t, payment->handed_at, DOUBT_MS)) {
        payment->state = DHP_IN_DOUBT;
    }
    if (t->session == SESSION_READY && dhp_passed(t, payment->due_from, payment->due_ms)) {
        t->want |= next_message(t);
        due_in(t, next_message(t) == WANT_REQUEST ? LAST_REPEAT_MS : QUERY_MS);
    }
}

void dhp_payment_synced(dhp_terminal *t)
{
    if (dhp_payment_open(t)) {
        t->want |= next_message(t);
        due_in(t, next_message(t) == WANT_REQUEST ? LAST_REPEAT_MS : QUERY_MS);
    }
}

void dhp_payment_lost(dhp_terminal *t)
{
    if (t->payment.state == DHP_COLLECTING || t->payment.state == DHP_SECOND_PAYMENT) {
        dhp_payment_forget(t);
    } else if (t->payment.state == DHP_SENDING && !flagged(t, PAYMENT_HANDED)) {
        dhp_show(t, DHP_NO_NETWORK, NULL, NULL, 0, 0); /* with its id: it was not sent */
        settle(t);
        dhp_payment_forget(t);
    }
}

/* ---- the hub ---------------------------------------------------------------------------------------------------------------- */

/* Takes a payment over that the hub speaks of and this terminal has forgotten. False: another one is open. */
static bool take_over(dhp_terminal *t, const char *request_id, uint32_t amount_fen)
{
    if (is_current(t, request_id)) {
        return true;
    }
    if (dhp_payment_open(t)) {
        return false;
    }
    if (t->payment.state == DHP_COLLECTING) {
        dhp_charge_end(t, t->payment.request.charge_id, dhp_CollectEnded_REASON_BUSY);
    }
    dhp_payment_forget(t);
    strncpy(t->payment.request.request_id, request_id, DHP_REQUEST_ID_BYTES - 1);
    t->payment.request.amount_fen = amount_fen;
    t->payment.flags = PAYMENT_HANDED | PAYMENT_TAKEN;
    t->payment.state = DHP_IN_DOUBT;
    return true;
}

/* The hub has it in its ledger: a cancel that waited for that goes now. */
static void answered(dhp_terminal *t, dhp_state state)
{
    flag(t, PAYMENT_ANSWERED);
    t->payment.state = (uint8_t)state;
    t->want &= (uint16_t)~WANT_REQUEST;
    due_in(t, QUERY_MS);
    if (flagged(t, PAYMENT_CANCEL)) {
        unflag(t, PAYMENT_CANCEL);
        cancel(t);
    }
}

void dhp_payment_accepted(dhp_terminal *t, const dhp_Accepted *accepted)
{
    if (!take_over(t, accepted->request_id, 0)) {
        return;
    }
    switch (accepted->state) {
    case dhp_Accepted_STATE_WAITING_FOR_CUSTOMER:
        answered(t, DHP_WAITING);
        break;
    case dhp_Accepted_STATE_CANCELLING:
        answered(t, DHP_CANCELLING);
        break;
    default:
        answered(t, DHP_ACCEPTED);
        break;
    }
}

static void show_doubt(dhp_terminal *t, const dhp_Text *text)
{
    answered(t, DHP_IN_DOUBT);
    if (t->payment.state == DHP_IN_DOUBT && (t->view != DHP_IN_DOUBT || text != NULL)) {
        dhp_show(t, DHP_IN_DOUBT, NULL, text, 0, 0);
    }
}

void dhp_payment_in_doubt(dhp_terminal *t, const dhp_InDoubt *in_doubt)
{
    if (take_over(t, in_doubt->request_id, in_doubt->amount_fen)) {
        show_doubt(t, in_doubt->has_text ? &in_doubt->text : NULL);
    }
}

static dhp_shown *remembered(dhp_terminal *t, const char *request_id)
{
    for (unsigned i = 0; i < DHP_SHOWN_KEPT; i++) {
        if (t->shown[i].revision != 0 && strcmp(t->shown[i].request_id, request_id) == 0) {
            return &t->shown[i];
        }
    }
    return NULL;
}

/* The newest is first; the oldest is forgotten. */
static void remember(dhp_terminal *t, const dhp_Outcome *outcome)
{
    dhp_shown *shown = remembered(t, outcome->request_id);
    if (shown == NULL) {
        memmove(&t->shown[1], &t->shown[0], (DHP_SHOWN_KEPT - 1) * sizeof t->shown[0]);
        shown = &t->shown[0];
        memcpy(shown->request_id, outcome->request_id, DHP_REQUEST_ID_BYTES);
    }
    shown->revision = outcome->revision;
    shown->unsent = true;
    t->want |= WANT_SHOWN;
}

static void show_result(dhp_terminal *t, const dhp_Outcome *outcome, bool late)
{
    const dhp_Text *text = outcome->has_text ? &outcome->text : NULL;
    dhp_state state;
    uint32_t hold = UNTIL_A_KEY;
    if (outcome->paid_by[0] != '\0') {
        state = DHP_ALREADY_PAID;
    } else if (late) {
        state = DHP_LATE;
    } else if (outcome->result == dhp_Outcome_RESULT_APPROVED) {
        state = DHP_APPROVED;
        hold = APPROVED_MS;
    } else if (outcome->result == dhp_Outcome_RESULT_DECLINED) {
        state = DHP_DECLINED;
        hold = RESULT_MS;
    } else if (outcome->result == dhp_Outcome_RESULT_NOT_CHARGED) {
        state = DHP_NOT_CHARGED;
        hold = RESULT_MS;
    } else {
        state = DHP_REFUNDED;
    }
    dhp_show(t, state, outcome, text, 0, hold);
}

void dhp_payment_outcome(dhp_terminal *t, const dhp_Outcome *outcome)
{
    const dhp_hooks *hooks = t->setup->hooks;
    bool current = is_current(t, outcome->request_id);
    dhp_shown *shown = remembered(t, outcome->request_id);
    if (outcome->result > dhp_Outcome_RESULT_REFUNDED) {
        if (current) {
            show_doubt(t, outcome->has_text ? &outcome->text : NULL); /* newer than this firmware: nothing is announced */
        }
        return;
    }
    if (!current && shown != NULL && outcome->revision <= shown->revision) {
        shown->unsent = true;
        t->want |= WANT_SHOWN;
        return;
    }
    bool late = !current || outcome->late;
    show_result(t, outcome, late);
    if (!late && outcome->paid_by[0] == '\0' && outcome->has_speech && hooks->speak != NULL) {
        hooks->speak(hooks->user, &outcome->speech, outcome);
    }
    if (current) {
        settle(t);
        dhp_payment_forget(t);
    }
    if (outcome->paid_by[0] == '\0') {
        remember(t, outcome);
    }
}

/* The hub does not know it. With its contents the request goes once more, and is charged or EXPIRED; without them nothing was charged. */
static void unknown(dhp_terminal *t)
{
    if (flagged(t, PAYMENT_CONTENTS)) {
        if (t->payment.state == DHP_CANCELLING) {
            flag(t, PAYMENT_CANCEL);
        }
        unflag(t, PAYMENT_ANSWERED);
        t->payment.state = DHP_SENDING;
        t->payment.handed_at = t->now;
        t->payment.tries = 0;
        due_in(t, 0);
        return;
    }
    if (!flagged(t, PAYMENT_TAKEN)) {
        dhp_show(t, DHP_NOT_CHARGED, NULL, NULL, 0, RESULT_MS);
        settle(t);
    }
    dhp_payment_forget(t);
}

/* A new request was refused for good: nothing was charged under its id. */
static void end_request(dhp_terminal *t, const dhp_Refusal *refusal)
{
    uint32_t code = refusal->code;
    char other[DHP_REQUEST_ID_BYTES];
    memcpy(other, refusal->other_request_id, sizeof other);
    settle(t);
    if (code == dhp_Refusal_CODE_POSSIBLE_DUPLICATE) {
        t->payment.state = DHP_SECOND_PAYMENT;
        t->payment.flags = 0;
        memcpy(t->payment.request.repeat_of, other, sizeof other);
        due_in(t, 0);
        return;
    }
    dhp_show(t, DHP_REFUSED, NULL, refusal->has_text ? &refusal->text : NULL, code, RESULT_MS);
    if (code == dhp_Refusal_CODE_CHARGE_CLOSED) {
        dhp_payment_forget(t);
    } else {
        drop_request(t);
    }
    if (code == dhp_Refusal_CODE_ORDER_OPEN && other[0] != '\0' && take_over(t, other, 0)) {
        t->want |= WANT_QUERY;
        due_in(t, QUERY_MS);
    } else if (code == dhp_Refusal_CODE_SUSPENDED) {
        t->flags |= FLAG_SUSPENDED;
    } else if (code == dhp_Refusal_CODE_REQUEST_EPOCH) {
        dhp_end_session(t, DHP_END_LOST);
    }
}

void dhp_payment_refused(dhp_terminal *t, const dhp_Refusal *refusal)
{
    if (!is_current(t, refusal->request_id)) {
        return;
    }
    if (refusal->code == dhp_Refusal_CODE_UNKNOWN_PAYMENT) {
        unknown(t);
    } else if (refusal->code == dhp_Refusal_CODE_REQUEST_CONFLICT) {
        unflag(t, PAYMENT_CONTENTS); /* the hub has another payment of this id: its state is what counts */
        t->want |= WANT_QUERY;
    } else if (refusal->retry_after_ms > 0) {
        due_in(t, refusal->retry_after_ms);
    } else if (flagged(t, PAYMENT_CONTENTS) && !flagged(t, PAYMENT_ANSWERED)) {
        end_request(t, refusal);
    }
}
