/* Messages to bytes and back: one body at a time is in memory, and every field of it is bounded by terminal.options. */
#ifndef DHP_MESSAGE_H
#define DHP_MESSAGE_H

#include "dhp_crypto.h"
#include "terminal.pb.h"

/* The largest message that the kit takes; hello says so. */
#define DHP_MESSAGE_BYTES 512

/* The largest message that the kit sends: a hello with every field at its limit (test_message.c asserts it). */
#define DHP_UPLINK_BYTES 352

typedef enum dhp_fault {
    DHP_FINE,
    DHP_NOT_A_MESSAGE, /* not protobuf, or a field is larger than the protocol allows */
    DHP_NO_BODY,       /* no body that this version knows: to be ignored */
    DHP_FIELD,         /* a field is missing or out of its range */
    DHP_WRONG_MAC,
    DHP_REPLAYED,
    DHP_NOT_MONEY /* sealed, but not one of the messages that are */
} dhp_fault;

/* Every body of both directions; `tag` of dhp_read and dhp_write says which one it is. */
typedef union dhp_body {
    dhp_Hello hello;
    dhp_Proof proof;
    dhp_Activate activate;
    dhp_Heartbeat heartbeat;
    dhp_ConfigurationReport configuration_report;
    dhp_PaymentRequest payment_request;
    dhp_PaymentQuery payment_query;
    dhp_PaymentCancel payment_cancel;
    dhp_OutcomeShown outcome_shown;
    dhp_Collecting collecting;
    dhp_CollectEnded collect_ended;
    dhp_Sealed sealed;
    dhp_Challenge challenge;
    dhp_Offer offer;
    dhp_Welcome welcome;
    dhp_Synced synced;
    dhp_ConfigurationChunk configuration_chunk;
    dhp_ConfigurationCommit configuration_commit;
    dhp_Accepted accepted;
    dhp_InDoubt in_doubt;
    dhp_Outcome outcome;
    dhp_Refusal refusal;
    dhp_Collect collect;
    dhp_CollectCancel collect_cancel;
    dhp_ConfigurationEntry entry; /* of a chunk, one at a time */
} dhp_body;

typedef struct dhp_seals {
    uint8_t key[DHP_KEY_BYTES]; /* of this session */
    uint32_t sent;              /* the sequence of the last sealed uplink */
    uint64_t opened;            /* the largest that was opened */
} dhp_seals;

/* An Uplink with this body; 0 when it does not fit. */
size_t dhp_write(unsigned tag, const void *body, uint8_t *bytes, size_t room);

/* The same, sealed. */
size_t dhp_write_sealed(dhp_seals *seals, unsigned tag, const void *body, uint8_t *bytes, size_t room);

/* A bare Downlink, its fields checked. */
dhp_fault dhp_read(const uint8_t *bytes, size_t length, unsigned *tag, dhp_body *body);

/* Checks the seal of a message that was read: its MAC, then its sequence. direction: 'U' or 'D'. */
dhp_fault dhp_open(dhp_seals *seals, char direction, const dhp_Sealed *sealed);

/* One of the messages that count only when they are sealed. */
bool dhp_is_money(unsigned tag, const dhp_body *body);

/* A Downlink that may be sealed, and then opens. What `body` points to is in `bytes`. */
dhp_fault dhp_read_any(dhp_seals *seals, const uint8_t *bytes, size_t length, unsigned *tag, dhp_body *body, bool *was_sealed);

/* One entry of a chunk or of the staged ones; false: it is not one. */
bool dhp_read_entry(const uint8_t *bytes, size_t length, dhp_ConfigurationEntry *entry);

/* The next entry of a chunk's `entries`, which is cut down to the rest; false: no more. */
bool dhp_next_entry(dhp_bytes *entries, dhp_bytes *entry);

/* The same for a text's `arguments`; false also for one that is longer than 32 bytes. */
bool dhp_next_argument(dhp_bytes *arguments, dhp_bytes *argument);

/* The key of an entry; false: it has no key of 1 to 48 bytes, or no value, or is too long for one. */
bool dhp_entry_key(const dhp_bytes *entry, dhp_bytes *key);

/* [A-Za-z0-9_-]{from,to} */
bool dhp_is_name(const char *text, size_t from, size_t to);

#endif
