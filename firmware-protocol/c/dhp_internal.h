/* What the parts of the terminal's state machine tell each other: dhp_terminal.c (session), dhp_payment.c, dhp_configuration.c. */
#ifndef DHP_INTERNAL_H
#define DHP_INTERNAL_H

#include "dhp.h"
#include "dhp_log.h"

enum { SESSION_OFFLINE, SESSION_OPENING, SESSION_HELLO, SESSION_ACTIVATING, SESSION_PROOF, SESSION_SYNCING, SESSION_READY };

/* Messages that are to be sent, the most urgent first. */
enum {
    WANT_HELLO = 1,
    WANT_ACTIVATE = 2,
    WANT_PROOF = 4,
    WANT_COLLECTING = 8,
    WANT_CANCEL = 16,
    WANT_REQUEST = 32,
    WANT_QUERY = 64,
    WANT_SHOWN = 128,
    WANT_ENDED = 256,
    WANT_REPORT = 512,
    WANT_HEARTBEAT = 1024
};

enum {
    FLAG_SUSPENDED = 1,
    FLAG_TRIED = 2,      /* a connection has ended since boot: no more "starting" */
    FLAG_RECONNECT = 4,  /* a session has begun since boot */
    FLAG_FIRST_BEAT = 8, /* the next heartbeat is the first of its session */
    FLAG_NO_KEY = 16,    /* the hub does not know the only key there is */
    FLAG_USE_OLD = 32,   /* nor the offered one: the old one is tried */
    FLAG_FAULT = 64,     /* flash does not take what must be stored */
    FLAG_TYPING = 128
};

enum {
    PAYMENT_HANDED = 1,   /* bytes of the request may have left */
    PAYMENT_ANSWERED = 2, /* the hub has it in its ledger */
    PAYMENT_CONTENTS = 4, /* the request is known whole: it can be repeated */
    PAYMENT_CANCEL = 8,   /* the cashier wished to cancel before anybody knew of it */
    PAYMENT_TAKEN = 16    /* not of this terminal's own log: taken over */
};

#define UNTIL_A_KEY UINT32_MAX

bool dhp_passed(const dhp_terminal *t, uint32_t from, uint32_t ms);
bool dhp_has(const dhp_terminal *t, uint8_t flag);

/* Shows a result for so long (0: a state, until another one), or whatever the states of session and payment say. */
void dhp_show(dhp_terminal *t, dhp_state state, const dhp_Outcome *outcome, const dhp_Text *text, uint32_t refusal, uint32_t hold_ms);
void dhp_refresh(dhp_terminal *t);

/* Shows that the hub does not want a session, until a key or a session. */
void dhp_refused(dhp_terminal *t, const dhp_Text *text, uint32_t code);

/* Ends the session from this side. */
void dhp_end_session(dhp_terminal *t, dhp_end end);

/* dhp_payment.c */
size_t dhp_decimal(uint64_t value, char text[20]); /* how many digits; no zero follows them */
bool dhp_payment_open(const dhp_terminal *t); /* a request may be at the hub */
void dhp_payment_start(dhp_terminal *t);
void dhp_payment_tick(dhp_terminal *t);
void dhp_payment_synced(dhp_terminal *t);
void dhp_payment_lost(dhp_terminal *t); /* the session ended */
void dhp_payment_forget(dhp_terminal *t); /* there is none any more, nor a charge */
void dhp_payment_handed(dhp_terminal *t);
void dhp_payment_accepted(dhp_terminal *t, const dhp_Accepted *accepted);
void dhp_payment_in_doubt(dhp_terminal *t, const dhp_InDoubt *in_doubt);
void dhp_payment_outcome(dhp_terminal *t, const dhp_Outcome *outcome);
void dhp_payment_refused(dhp_terminal *t, const dhp_Refusal *refusal);

/* dhp_charge.c */
void dhp_charge_collect(dhp_terminal *t, const dhp_Collect *collect);
void dhp_charge_cancelled(dhp_terminal *t, const dhp_CollectCancel *cancel);
void dhp_charge_tick(dhp_terminal *t);
void dhp_charge_end(dhp_terminal *t, const char *charge_id, uint8_t reason); /* collect_ended is sent */

/* dhp_configuration.c */
void dhp_configuration_chunk(dhp_terminal *t);  /* of t->body, which is overwritten */
void dhp_configuration_commit(dhp_terminal *t); /* of t->body, which is overwritten */
void dhp_configuration_tick(dhp_terminal *t);
void dhp_configuration_lost(dhp_terminal *t);
void dhp_configuration_report(dhp_terminal *t, dhp_ConfigurationReport *report);

#endif
