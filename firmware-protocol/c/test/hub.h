/* A terminal on a bench: its flash, its screen, a transport that the test holds, and a hub that answers when the test says so. */
#ifndef HUB_H
#define HUB_H

#include "flash.h"
#include "test.h"

#define UPLINKS 16
#define VIEWS 600

/* What the terminal sent, opened. */
typedef struct uplink {
    unsigned tag;
    bool sealed;
    unsigned views; /* that had been shown when it was sent */
    dhp_body body;
} uplink;

typedef struct shown_view {
    dhp_view view;
    char request_id[DHP_REQUEST_ID_BYTES];
    uint32_t result;
    char text_id[33];
} shown_view;

typedef struct world {
    dhp_terminal t;
    dhp_setup setup;
    dhp_hooks hooks;
    dhp_transport transport;
    flash f;
    uint32_t now;
    uint32_t random;
    uint8_t staging[2000];

    bool opened;   /* the terminal wants to connect */
    bool connected;
    bool busy;     /* the transport takes nothing */
    unsigned opens;
    unsigned closes;
    uplink up[UPLINKS];
    unsigned ups;

    shown_view shown[VIEWS];
    unsigned views;
    unsigned spoken;

    char kept[400]; /* settings that were applied: "key=value;" */
    char trial[400];
    const char *refuse; /* a key that configure refuses */
    unsigned applied;

    uint8_t key[DHP_KEY_BYTES]; /* that the hub knows */
    uint8_t hub_nonce[DHP_NONCE_BYTES];
    uint8_t terminal_nonce[DHP_NONCE_BYTES];
    dhp_seals seals; /* the hub's: `sent` down, `opened` up */
    unsigned epochs;
} world;

/* Flash is empty; activated: it holds the key that the hub knows. */
void world_new(world *w, bool activated);
void world_boot(world *w); /* power on: only flash is as it was */
void world_run(world *w, uint32_t ms);

/* The oldest uplink that was not looked at must be this one. */
const uplink *world_take(world *w, unsigned tag);
void world_quiet(const world *w); /* nothing was sent that was not looked at */
void world_forget(world *w);      /* whatever was sent */
dhp_state world_view(const world *w);

void hub_connect(world *w);    /* after the terminal opened */
void hub_challenge(world *w);  /* hello is taken */
void hub_welcome(world *w);    /* proof is taken and checked */
void hub_synced(world *w);
void hub_login(world *w);      /* all of these, and the first heartbeat taken */
void hub_lose(world *w);       /* the network is gone */
void hub_send(world *w, unsigned tag, const void *body);
void hub_send_sealed(world *w, unsigned tag, const void *body);

/* Often needed. */
void hub_accepted(world *w, const char *request_id, uint32_t state);
void hub_in_doubt(world *w, const char *request_id);
void hub_outcome(world *w, const char *request_id, uint32_t result, uint32_t revision);
void hub_refuse(world *w, const char *request_id, uint32_t code, uint32_t retry_after_ms, const char *other);

#endif
