/*
 * Settings from the hub: ../README.md "Configuration". Entries are staged in the caller's memory, sorted by key as the hash wants
 * them, each as two bytes (its chunk's index, its length) and its bytes.
 */
#include <string.h>

#include "dhp_internal.h"

#define NO_ROOM "no room"
#define NOT_KNOWN "not known"
#define NO_FLASH "flash"

static uint8_t *entry_at(const dhp_terminal *t, size_t at) { return &t->setup->staging[at]; }

static size_t after(const dhp_terminal *t, size_t at) { return at + 2u + entry_at(t, at)[1]; }

static void drop(dhp_terminal *t)
{
    dhp_collected *c = &t->collected;
    c->version = 0;
    c->used = 0;
    c->refused_at = 0;
    c->committed = false;
    c->overflow = false;
    memset(c->seen, 0, sizeof c->seen);
}

static void report(dhp_terminal *t, uint64_t version, uint8_t result, const char *detail)
{
    t->collected.report_version = version;
    t->collected.result = result;
    t->collected.detail = detail;
    t->want |= WANT_REPORT;
}

static void remove_chunk(dhp_terminal *t, uint8_t index)
{
    size_t to = 0;
    size_t next;
    for (size_t at = 0; at < t->collected.used; at = next) {
        next = after(t, at);
        if (entry_at(t, at)[0] != index) {
            memmove(entry_at(t, to), entry_at(t, at), next - at);
            to += next - at;
        }
    }
    t->collected.used = (uint16_t)to;
}

/* Before, equal or after, bytewise; a shorter key comes before a longer one that begins with it. */
static int compare(const dhp_bytes *a, const dhp_bytes *b)
{
    int order = memcmp(a->bytes, b->bytes, a->length < b->length ? a->length : b->length);
    return order != 0 ? order : (int)a->length - (int)b->length;
}

static dhp_bytes staged(const dhp_terminal *t, size_t at)
{
    dhp_bytes entry = {entry_at(t, at) + 2, entry_at(t, at)[1]};
    return entry;
}

static void insert(dhp_terminal *t, uint8_t index, const dhp_bytes *entry)
{
    dhp_collected *c = &t->collected;
    dhp_bytes key;
    dhp_bytes other;
    size_t size = entry->length + 2u;
    size_t at = 0;
    if (c->used + size > t->setup->staging_bytes || !dhp_entry_key(entry, &key)) {
        c->overflow = true;
        return;
    }
    for (; at < c->used; at = after(t, at)) {
        dhp_bytes there = staged(t, at);
        if (dhp_entry_key(&there, &other) && compare(&key, &other) < 0) {
            break;
        }
    }
    memmove(entry_at(t, at + size), entry_at(t, at), c->used - at);
    entry_at(t, at)[0] = index;
    entry_at(t, at)[1] = (uint8_t)entry->length;
    memcpy(entry_at(t, at) + 2, entry->bytes, entry->length);
    c->used = (uint16_t)(c->used + size);
}

/* Of the version that is collected from now on; false: it is an older one. */
static bool begin(dhp_terminal *t, uint64_t version)
{
    uint64_t applied;
    uint8_t hash[32];
    dhp_log_configuration(&t->log, &applied, hash);
    if (version < applied || version < t->collected.version) {
        return false;
    }
    if (version != t->collected.version) {
        drop(t);
        t->collected.version = version;
    }
    return true;
}

void dhp_configuration_chunk(dhp_terminal *t)
{
    const dhp_ConfigurationChunk *chunk = &t->body.configuration_chunk;
    dhp_bytes left = chunk->entries;
    dhp_bytes entry;
    uint8_t index = (uint8_t)chunk->index;
    if (t->session != SESSION_READY || t->collected.committed || !begin(t, chunk->version)) {
        return;
    }
    remove_chunk(t, index);
    t->collected.seen[index >> 3] = (uint8_t)(t->collected.seen[index >> 3] | 1u << (index & 7));
    while (dhp_next_entry(&left, &entry)) {
        insert(t, index, &entry);
    }
}

static bool all_chunks_came(const dhp_terminal *t, uint32_t chunks)
{
    for (uint32_t i = 0; i < 256; i++) {
        bool came = (t->collected.seen[i >> 3] >> (i & 7) & 1) != 0;
        if (came != (i < chunks)) {
            return false;
        }
    }
    return true;
}

static void hash_entry(dhp_sha256 *hash, const dhp_ConfigurationEntry *entry)
{
    char text[20];
    dhp_sha256_add(hash, entry->key, strlen(entry->key) + 1);
    if (entry->which_value == dhp_ConfigurationEntry_flag_tag) {
        dhp_sha256_add(hash, entry->value.flag ? "f1" : "f0", 2);
    } else if (entry->which_value == dhp_ConfigurationEntry_number_tag) {
        dhp_sha256_add(hash, "n", 1);
        bool negative = entry->value.number < 0;
        uint64_t size = negative ? 0 - (uint64_t)entry->value.number : (uint64_t)entry->value.number;
        dhp_sha256_add(hash, "-", negative ? 1 : 0);
        dhp_sha256_add(hash, text, dhp_decimal(size, text));
    } else {
        dhp_sha256_add(hash, "t", 1);
        dhp_sha256_add(hash, entry->value.text, strlen(entry->value.text));
    }
    dhp_sha256_add(hash, "\n", 1);
}

/* Overwrites t->body. False: an entry is none. */
static bool hash_staged(dhp_terminal *t, uint8_t digest[32])
{
    dhp_sha256 hash;
    dhp_sha256_start(&hash);
    for (size_t at = 0; at < t->collected.used; at = after(t, at)) {
        if (!dhp_read_entry(entry_at(t, at) + 2, entry_at(t, at)[1], &t->body.entry)) {
            return false;
        }
        hash_entry(&hash, &t->body.entry);
    }
    dhp_sha256_finish(&hash, digest);
    return true;
}

void dhp_configuration_commit(dhp_terminal *t)
{
    dhp_ConfigurationCommit commit = t->body.configuration_commit;
    dhp_collected *c = &t->collected;
    uint64_t applied;
    uint8_t hash[32];
    if (t->session != SESSION_READY || c->committed || !begin(t, commit.version)) {
        return;
    }
    dhp_log_configuration(&t->log, &applied, hash);
    if (applied == commit.version && dhp_equal(hash, commit.hash.bytes, 32)) {
        drop(t);
        report(t, commit.version, dhp_ConfigurationReport_RESULT_APPLIED, NULL);
    } else if (c->overflow) {
        drop(t);
        report(t, commit.version, dhp_ConfigurationReport_RESULT_REFUSED, NO_ROOM);
    } else if (!all_chunks_came(t, commit.chunks) || !hash_staged(t, hash) || !dhp_equal(hash, commit.hash.bytes, 32)) {
        drop(t);
        report(t, commit.version, dhp_ConfigurationReport_RESULT_HASH_MISMATCH, NULL);
    } else {
        c->committed = true;
    }
}

/* One step over all entries; NULL: the settings are fine with all of them. */
static const char *each(dhp_terminal *t, dhp_step step)
{
    const dhp_hooks *hooks = t->setup->hooks;
    for (size_t at = 0; at < t->collected.used; at = after(t, at)) {
        (void)dhp_read_entry(entry_at(t, at) + 2, entry_at(t, at)[1], &t->body.entry); /* it was read for the hash */
        const char *why = hooks->configure == NULL ? NOT_KNOWN : hooks->configure(hooks->user, step, &t->body.entry);
        if (why != NULL) {
            t->collected.refused_at = (uint16_t)(at + 1);
            return why;
        }
    }
    return NULL;
}

static const char *apply(dhp_terminal *t)
{
    const dhp_hooks *hooks = t->setup->hooks;
    uint8_t hash[32];
    const char *why = each(t, DHP_CHECK);
    if (why == NULL) {
        why = each(t, DHP_KEEP);
    }
    if (why == NULL && hooks->configure != NULL) {
        why = hooks->configure(hooks->user, DHP_APPLY, NULL);
    }
    if (why == NULL && !(hash_staged(t, hash) && dhp_log_configure(&t->log, t->collected.version, hash))) {
        why = NO_FLASH;
    }
    return why;
}

void dhp_configuration_tick(dhp_terminal *t)
{
    dhp_collected *c = &t->collected;
    if (!c->committed || !dhp_may_interrupt(t)) {
        return;
    }
    const char *why = apply(t);
    report(t, c->version, why == NULL ? dhp_ConfigurationReport_RESULT_APPLIED : dhp_ConfigurationReport_RESULT_REFUSED, why);
    c->committed = false;
    if (why == NULL) {
        drop(t);
    } else {
        c->version = 0; /* the entry that was refused stays until the report is made */
        memset(c->seen, 0, sizeof c->seen);
    }
}

void dhp_configuration_lost(dhp_terminal *t) { drop(t); }

static void append(char *text, size_t room, const char *more, size_t length)
{
    size_t at = strlen(text);
    memcpy(text + at, more, length < room - 1 - at ? length : room - 1 - at);
}

void dhp_configuration_report(dhp_terminal *t, dhp_ConfigurationReport *report)
{
    dhp_collected *c = &t->collected;
    uint64_t applied;
    dhp_bytes key;
    report->version = c->report_version;
    report->result = c->result;
    dhp_log_configuration(&t->log, &applied, report->hash.bytes);
    report->hash.size = applied != 0 ? 32 : 0;
    if (c->detail != NULL && c->refused_at != 0) {
        dhp_bytes entry = staged(t, c->refused_at - 1u);
        if (dhp_entry_key(&entry, &key)) {
            append(report->detail, sizeof report->detail, (const char *)key.bytes, key.length);
            append(report->detail, sizeof report->detail, ": ", 2);
        }
    }
    if (c->detail != NULL) {
        append(report->detail, sizeof report->detail, c->detail, strlen(c->detail));
    }
}
