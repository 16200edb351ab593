#include "hub.h"
#include "pb_encode.h"

static world w;
static uint8_t raw[480];
static size_t raw_length;

/* Adds an entry to the chunk that is made: value "on", "off", a number, or a text. */
static void add(const char *key, const char *value)
{
    dhp_ConfigurationEntry entry;
    long number;
    char rest;
    memset(&entry, 0, sizeof entry);
    snprintf(entry.key, sizeof entry.key, "%s", key);
    if (strcmp(value, "on") == 0 || strcmp(value, "off") == 0) {
        entry.which_value = dhp_ConfigurationEntry_flag_tag;
        entry.value.flag = value[1] == 'n';
    } else if (sscanf(value, "%ld%c", &number, &rest) == 1) {
        entry.which_value = dhp_ConfigurationEntry_number_tag;
        entry.value.number = number;
    } else {
        entry.which_value = dhp_ConfigurationEntry_text_tag;
        snprintf(entry.value.text, sizeof entry.value.text, "%s", value);
    }
    pb_ostream_t stream = pb_ostream_from_buffer(raw + raw_length, sizeof raw - raw_length);
    CHECK(pb_encode_tag(&stream, PB_WT_STRING, dhp_ConfigurationChunk_entries_tag) && pb_encode_submessage(&stream, dhp_ConfigurationEntry_fields, &entry));
    raw_length += stream.bytes_written;
}

static void send_chunk(uint64_t version, uint32_t index)
{
    dhp_ConfigurationChunk chunk;
    memset(&chunk, 0, sizeof chunk);
    chunk.version = version;
    chunk.index = index;
    chunk.entries.bytes = raw;
    chunk.entries.length = (uint16_t)raw_length;
    hub_send(&w, dhp_Downlink_configuration_chunk_tag, &chunk);
    raw_length = 0;
}

static void send_commit(uint64_t version, uint32_t chunks, const char *hash)
{
    dhp_ConfigurationCommit commit;
    memset(&commit, 0, sizeof commit);
    commit.version = version;
    commit.chunks = chunks;
    commit.hash.size = (pb_size_t)test_hex(hash, commit.hash.bytes, 32);
    hub_send(&w, dhp_Downlink_configuration_commit_tag, &commit);
}

static const dhp_ConfigurationReport *check_report(uint64_t version, uint32_t result)
{
    const dhp_ConfigurationReport *report = &world_take(&w, dhp_Uplink_configuration_report_tag)->body.configuration_report;
    CHECK_NUMBER(version, report->version);
    CHECK_NUMBER(result, report->result);
    return report;
}

#define ONE_OF_EACH "ecf0453ab7b57a12b6e1b9d4f6288d2fddbe2c171b209b3df9a29cdfb852983a"
#define EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

static void one_of_each(uint64_t version)
{
    add("sound.volume", "7");
    add("sound.on", "on");
    send_chunk(version, 1);
    add("screen.idle_text", "Welcome");
    send_chunk(version, 0);
}

static void ready(void)
{
    world_new(&w, true);
    hub_login(&w);
}

/* The entries of a vector, cut into chunks in every way that two cuts allow, hash to what it says. */
static void every_set_of_the_vectors_hashes_as_it_says(void)
{
    vectors v = vectors_open("configuration.json");
    unsigned seen = 0;
    while (vectors_next(&v)) {
        char entries[2000];
        char hash[80];
        vectors_text(&v, "entries", entries, sizeof entries);
        vectors_text(&v, "hash", hash, sizeof hash);
        ready();
        uint32_t chunks = 0;
        vectors inner = {entries, entries + 1, NULL};
        while (vectors_next(&inner)) {
            char key[60];
            char value[300];
            vectors_text(&inner, "key", key, sizeof key);
            vectors_text(&inner, "number", value, sizeof value);
            if (value[0] == '\0') {
                vectors_text(&inner, "flag", value, sizeof value);
                strcpy(value, strcmp(value, "true") == 0 ? "on" : strcmp(value, "false") == 0 ? "off" : "");
            }
            if (value[0] == '\0') {
                vectors_text(&inner, "text", value, sizeof value);
            }
            add(key, value);
            send_chunk(3, chunks++);
        }
        send_commit(3, chunks, hash);
        const dhp_ConfigurationReport *report = check_report(3, dhp_ConfigurationReport_RESULT_APPLIED);
        uint8_t expected[32];
        test_hex(hash, expected, sizeof expected);
        CHECK_BYTES(expected, report->hash.bytes, 32);
        seen++;
    }
    vectors_close(&v);
    CHECK(seen >= 4);
}

static void a_configuration_is_applied_whole_and_once(void)
{
    ready();
    one_of_each(3);
    CHECK_NUMBER(0, w.applied);
    send_commit(3, 2, ONE_OF_EACH);
    check_report(3, dhp_ConfigurationReport_RESULT_APPLIED);
    CHECK_TEXT("screen.idle_text=Welcome;sound.on=on;sound.volume=7;", w.kept);
    send_commit(3, 2, ONE_OF_EACH); /* it is applied already */
    check_report(3, dhp_ConfigurationReport_RESULT_APPLIED);
    CHECK_NUMBER(1, w.applied);
    world_boot(&w);
    hub_connect(&w);
    hub_challenge(&w);
    hub_welcome(&w);
    hub_synced(&w);
    CHECK_NUMBER(3, world_take(&w, dhp_Uplink_heartbeat_tag)->body.heartbeat.configuration_version);
    one_of_each(2); /* older */
    send_commit(2, 2, ONE_OF_EACH);
    world_run(&w, 100);
    world_quiet(&w);
}

static void a_missing_chunk_a_wrong_hash_and_a_lost_connection_apply_nothing(void)
{
    ready();
    add("sound.on", "on");
    send_chunk(3, 1);
    send_commit(3, 2, ONE_OF_EACH);
    check_report(3, dhp_ConfigurationReport_RESULT_HASH_MISMATCH);
    one_of_each(3);
    send_commit(3, 2, EMPTY);
    check_report(3, dhp_ConfigurationReport_RESULT_HASH_MISMATCH);
    one_of_each(3);
    hub_lose(&w);
    hub_login(&w);
    send_commit(3, 2, ONE_OF_EACH);
    check_report(3, dhp_ConfigurationReport_RESULT_HASH_MISMATCH);
    one_of_each(3);
    one_of_each(3); /* chunks that come again replace themselves */
    send_commit(3, 2, ONE_OF_EACH);
    check_report(3, dhp_ConfigurationReport_RESULT_APPLIED);
}

static void a_newer_version_drops_the_older_chunks(void)
{
    ready();
    add("other", "1");
    send_chunk(3, 0);
    one_of_each(4);
    add("other", "1");
    send_chunk(3, 1);
    send_commit(4, 2, ONE_OF_EACH);
    check_report(4, dhp_ConfigurationReport_RESULT_APPLIED);
}

static void a_value_that_cannot_be_applied_leaves_the_old_ones_whole(void)
{
    ready();
    one_of_each(3);
    w.refuse = "sound.on";
    send_commit(3, 2, ONE_OF_EACH);
    const dhp_ConfigurationReport *report = check_report(3, dhp_ConfigurationReport_RESULT_REFUSED);
    CHECK_TEXT("sound.on: out of range", report->detail);
    CHECK_NUMBER(0, report->hash.size);
    CHECK_NUMBER(0, w.applied);
    CHECK_TEXT("", w.trial);
}

static void what_has_no_room_is_refused(void)
{
    char text[150];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    ready();
    for (uint32_t chunk = 0; chunk < 20; chunk++) {
        char key[20];
        snprintf(key, sizeof key, "key%u", (unsigned)chunk);
        add(key, text);
        send_chunk(3, chunk);
    }
    send_commit(3, 20, ONE_OF_EACH);
    CHECK_TEXT("no room", check_report(3, dhp_ConfigurationReport_RESULT_REFUSED)->detail);
}

static void a_payment_is_not_interrupted(void)
{
    ready();
    one_of_each(3);
    CHECK_NUMBER(DHP_TAKEN, dhp_scan(&w.t, "130000000000001250", 1250, NULL));
    world_take(&w, dhp_Uplink_payment_request_tag);
    send_commit(3, 2, ONE_OF_EACH);
    world_run(&w, 1000);
    world_quiet(&w);
    CHECK_NUMBER(0, w.applied);
    hub_outcome(&w, "EPOCH0000001-1", dhp_Outcome_RESULT_APPROVED, 1);
    world_take(&w, dhp_Uplink_outcome_shown_tag);
    check_report(3, dhp_ConfigurationReport_RESULT_APPLIED);
}

static void a_terminal_without_settings_takes_the_empty_configuration_only(void)
{
    world_new(&w, true);
    w.hooks.configure = NULL;
    hub_login(&w);
    send_commit(1, 0, EMPTY);
    check_report(1, dhp_ConfigurationReport_RESULT_APPLIED);
    one_of_each(2);
    send_commit(2, 2, ONE_OF_EACH);
    CHECK_TEXT("screen.idle_text: not known", check_report(2, dhp_ConfigurationReport_RESULT_REFUSED)->detail);
}

static const test tests[] = {
    TEST(every_set_of_the_vectors_hashes_as_it_says),
    TEST(a_configuration_is_applied_whole_and_once),
    TEST(a_missing_chunk_a_wrong_hash_and_a_lost_connection_apply_nothing),
    TEST(a_newer_version_drops_the_older_chunks),
    TEST(a_value_that_cannot_be_applied_leaves_the_old_ones_whole),
    TEST(what_has_no_room_is_refused),
    TEST(a_payment_is_not_interrupted),
    TEST(a_terminal_without_settings_takes_the_empty_configuration_only),
};
TEST_MAIN(tests)
