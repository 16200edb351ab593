#include "dhp_fields.h"
#include "dhp_message.h"
#include "pb_decode.h"
#include "test.h"

static uint8_t bytes[1100];
static dhp_body body;

static const pb_msgdesc_t *const uplinks[] = {dhp_Hello_fields,          dhp_Proof_fields,          dhp_Activate_fields,      dhp_Heartbeat_fields,
                                              dhp_ConfigurationReport_fields, dhp_PaymentRequest_fields, dhp_PaymentQuery_fields,  dhp_PaymentCancel_fields,
                                              dhp_OutcomeShown_fields,   dhp_Sealed_fields,         dhp_Collecting_fields,    dhp_CollectEnded_fields};
static const pb_msgdesc_t *const downlinks[] = {dhp_Challenge_fields,          dhp_Offer_fields,    dhp_Welcome_fields, dhp_Synced_fields,
                                                dhp_ConfigurationChunk_fields, dhp_ConfigurationCommit_fields, dhp_Accepted_fields, dhp_InDoubt_fields,
                                                dhp_Outcome_fields,            dhp_Refusal_fields,  dhp_Sealed_fields,  dhp_Collect_fields,
                                                dhp_CollectCancel_fields};

/* The one body of an envelope, and its number. */
static unsigned open_envelope(const uint8_t *message, size_t length, const uint8_t **inner, size_t *inner_length)
{
    pb_istream_t stream = pb_istream_from_buffer(message, length);
    pb_wire_type_t type;
    uint32_t tag;
    uint32_t size = 0;
    bool end;
    CHECK(pb_decode_tag(&stream, &type, &tag, &end) && type == PB_WT_STRING && pb_decode_varint32(&stream, &size));
    CHECK_NUMBER(stream.bytes_left, size);
    *inner = message + (length - size);
    *inner_length = size;
    return tag;
}

static bool is_up(const vectors *v)
{
    char direction[8];
    vectors_text(v, "direction", direction, sizeof direction);
    return strcmp(direction, "up") == 0;
}

static dhp_Text *text_of(unsigned tag, dhp_body *of)
{
    return tag == dhp_Downlink_outcome_tag && of->outcome.has_text   ? &of->outcome.text
           : tag == dhp_Downlink_in_doubt_tag && of->in_doubt.has_text ? &of->in_doubt.text
           : tag == dhp_Downlink_refusal_tag && of->refusal.has_text   ? &of->refusal.text
                                                                      : NULL;
}

/* Both walks over the fields find the same in every downlink of the vectors; what nanopb finds in an uplink is written as it was. */
static void every_message_is_read_as_nanopb_reads_it_and_written_as_the_vectors_say(void)
{
    vectors v = vectors_open("messages.json");
    uint32_t seen[2] = {0, 0};
    while (vectors_next(&v)) {
        dhp_body other;
        const uint8_t *inner;
        size_t length = vectors_hex(&v, "hex", bytes, sizeof bytes);
        size_t inner_length;
        bool up = is_up(&v);
        unsigned tag = open_envelope(bytes, length, &inner, &inner_length);
        const pb_msgdesc_t *fields = up ? uplinks[tag - 1] : downlinks[tag - 1];
        CHECK(tag - 1 < (up ? sizeof uplinks : sizeof downlinks) / sizeof uplinks[0]);
        memset(&body, 0, sizeof body);
        memset(&other, 0, sizeof other);
        pb_istream_t stream = pb_istream_from_buffer(inner, inner_length);
        CHECK(pb_decode(&stream, fields, &other));
        if (up) {
            uint8_t written[1100];
            CHECK_NUMBER(length, dhp_write(tag, &other, written, sizeof written));
            CHECK_BYTES(bytes, written, length);
            for (size_t room = 0; room < length; room++) {
                CHECK_NUMBER(0, dhp_write(tag, &other, written, room));
            }
        } else {
            unsigned read;
            CHECK(dhp_decode(dhp_downlink_fields(tag), inner, inner_length, &body));
            if (tag == dhp_Downlink_configuration_chunk_tag) {
                CHECK(body.configuration_chunk.entries.bytes == inner && body.configuration_chunk.entries.length == inner_length);
                other.configuration_chunk.entries = body.configuration_chunk.entries;
            }
            dhp_Text *others = text_of(tag, &other);
            const dhp_Text *text = text_of(tag, &body);
            if (text != NULL) { /* nanopb has the last argument there, the kit all of them */
                dhp_bytes left = text->arguments;
                dhp_bytes argument = {NULL, 0};
                while (dhp_next_argument(&left, &argument)) {
                }
                CHECK_NUMBER(others->arguments.length, argument.length);
                CHECK_BYTES(others->arguments.bytes, argument.bytes, argument.length);
                others->arguments = text->arguments;
            }
            CHECK_BYTES(&other, &body, sizeof body);
            CHECK_NUMBER(DHP_FINE, dhp_read(bytes, length, &read, &body));
            CHECK_NUMBER(tag, read);
        }
        seen[up ? 0 : 1] |= 1u << tag;
    }
    vectors_close(&v);
    /* Each body but the sealed ones, which have vectors of their own. */
    CHECK_NUMBER(((1u << 13) - 2) & ~(1u << dhp_Uplink_sealed_tag), seen[0] & ~(1u << dhp_Uplink_sealed_tag));
    CHECK_NUMBER(((1u << 14) - 2) & ~(1u << dhp_Downlink_sealed_tag), seen[1] & ~(1u << dhp_Downlink_sealed_tag));
}

static dhp_fault read_sealed(const vectors *v, dhp_seals *seals, size_t length)
{
    unsigned tag;
    bool was_sealed;
    if (!is_up(v)) {
        return dhp_read_any(seals, bytes, length, &tag, &body, &was_sealed);
    }
    const uint8_t *inner;
    size_t inner_length;
    CHECK_NUMBER(dhp_Uplink_sealed_tag, open_envelope(bytes, length, &inner, &inner_length));
    memset(&body, 0, sizeof body);
    CHECK(dhp_decode(dhp_uplink_fields(dhp_Uplink_sealed_tag), inner, inner_length, &body));
    return dhp_open(seals, 'U', &body.sealed);
}

static void sealed_messages_are_those_of_the_vectors_and_open_once(void)
{
    vectors v = vectors_open("sealed.json");
    unsigned seen = 0;
    while (vectors_next(&v)) {
        dhp_seals seals;
        memset(&seals, 0, sizeof seals);
        CHECK_NUMBER(32, vectors_hex(&v, "session_key", seals.key, sizeof seals.key));
        size_t length = vectors_hex(&v, "hex", bytes, sizeof bytes);
        CHECK_NUMBER(DHP_FINE, read_sealed(&v, &seals, length));
        CHECK_NUMBER(vectors_number(&v, "sequence"), seals.opened);
        CHECK_NUMBER(DHP_REPLAYED, read_sealed(&v, &seals, length));
        seals.opened = 0;
        bytes[length - 1] = (uint8_t)(bytes[length - 1] ^ 1);
        CHECK_NUMBER(DHP_WRONG_MAC, read_sealed(&v, &seals, length));
        bytes[length - 1] = (uint8_t)(bytes[length - 1] ^ 1);
        if (is_up(&v) && body.sealed.body.bytes[0] != '{') {
            uint8_t inner[600];
            uint8_t written[600];
            dhp_body other;
            const uint8_t *content;
            size_t content_length;
            size_t inner_length = vectors_hex(&v, "body", inner, sizeof inner);
            unsigned tag = open_envelope(inner, inner_length, &content, &content_length);
            memset(&other, 0, sizeof other);
            pb_istream_t stream = pb_istream_from_buffer(content, content_length);
            CHECK(pb_decode(&stream, uplinks[tag - 1], &other));
            seals.sent = (uint32_t)vectors_number(&v, "sequence") - 1;
            CHECK_NUMBER(length, dhp_write_sealed(&seals, tag, &other, written, sizeof written));
            CHECK_BYTES(bytes, written, length);
        }
        seen++;
    }
    vectors_close(&v);
    CHECK(seen >= 15);
}

static void bad_sealed_messages_are_refused_with_the_error_that_they_name(void)
{
    static const struct {
        const char *error;
        dhp_fault fault;
    } names[] = {{"WrongMac", DHP_WRONG_MAC}, {"Replayed", DHP_REPLAYED}, {"NotMoney", DHP_NOT_MONEY}, {"NotAMessage", DHP_NOT_A_MESSAGE},
                 {"NoBody", DHP_NO_BODY},     {"Field", DHP_FIELD}};
    vectors v = vectors_open("sealed_bad.json");
    unsigned seen = 0;
    while (vectors_next(&v)) {
        dhp_seals seals;
        char error[20];
        memset(&seals, 0, sizeof seals);
        vectors_text(&v, "error", error, sizeof error);
        CHECK_NUMBER(32, vectors_hex(&v, "session_key", seals.key, sizeof seals.key));
        seals.opened = (uint64_t)vectors_number(&v, "after_sequence");
        size_t length = vectors_hex(&v, "hex", bytes, sizeof bytes);
        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
            if (strcmp(error, names[i].error) == 0) {
                /* What is in an uplink is the hub's to judge: opened well, it is fine here. */
                CHECK_NUMBER(is_up(&v) && i > 1 ? DHP_FINE : names[i].fault, read_sealed(&v, &seals, length));
                seen++;
            }
        }
    }
    vectors_close(&v);
    CHECK(seen >= 10);
}

/* The bad downlinks of the vectors are JSON; these are the same in the kit's encoding. */
static const struct {
    const char *name;
    const char *hex;
} bad_downlinks[] = {
    {"outcome_result_missing", "4a0e0a08414141414141414118012001"},
    {"accepted_state_missing", "3a0a0a084141414141414141"},
    {"challenge_nonce_short", "0a030a0100"},
    {"refusal_code_missing", "5203220178"},
    {"two_values_of_an_entry", NULL}, /* in protobuf the last one counts */
    {"offer_key_short", "12030a0100"},
    {"request_epoch_missing", "1a00"},
    {"unsettled_many", "1a101a0c4141454341775146426763494015"},
    {"chunk_entry_without_a_value", "2a0708011a030a0161"},
    {"chunk_entry_without_a_key", "2a0608011a021001"},
    {"chunk_index", "2a0c08011080021a050a01611001"},
    {"commit_hash_missing", "32020801"},
    {"commit_chunks_many", "3227080110810" "21a20202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"},
    {"request_id_of_accepted_missing", "3a021001"},
    {"request_id_of_in_doubt_missing", "42021001"},
    {"request_id_of_outcome_missing", "4a0410011801"},
    {"outcome_revision_0", "4a0c0a0841414141414141411001"},
    {"downlink_no_body", ""},
    {"collect_without_charge_id", "620510e2092801"},
    {"collect_amount_zero", "620c0a0841414141414141412801"},
    {"collect_order_number", "62140a08414141414141414110e2091a034120312801"},
    {"collect_without_time_to_live", "620d0a08414141414141414110e209"},
    {"collect_time_to_live", "62120a08414141414141414110e2092881dddb01"},
    {"collect_cancel_charge_id", "6a090a0731323334353637"},
};

static void bad_downlinks_are_refused_with_the_fault_that_the_vectors_name(void)
{
    vectors v = vectors_open("bad.json");
    unsigned seen = 0;
    while (vectors_next(&v)) {
        char name[60];
        char fault[20];
        char text[400];
        bool known = false;
        unsigned tag;
        vectors_text(&v, "name", name, sizeof name);
        vectors_text(&v, "fault", fault, sizeof fault);
        vectors_text(&v, "text", text, sizeof text);
        if (is_up(&v)) {
            continue;
        }
        for (size_t i = 0; i < sizeof bad_downlinks / sizeof bad_downlinks[0]; i++) {
            if (strcmp(name, bad_downlinks[i].name) == 0) {
                known = true;
                if (bad_downlinks[i].hex != NULL) {
                    size_t length = test_hex(bad_downlinks[i].hex, bytes, sizeof bytes);
                    CHECK_NUMBER(strcmp(fault, "Field") == 0 ? DHP_FIELD : DHP_NO_BODY, dhp_read(bytes, length, &tag, &body));
                }
                seen++;
            }
        }
        if (!known) {
            printf("%s %s\n", name, text);
        }
        CHECK(known);
    }
    vectors_close(&v);
    CHECK(seen >= 18);
}

static void fields_and_bodies_that_are_newer_than_this_firmware_are_skipped(void)
{
    unsigned tag;
    /* synced with field 99, then a body 200. */
    CHECK_NUMBER(DHP_FINE, dhp_read(bytes, test_hex("22059a0602" "0102" "c20c0401020304", bytes, sizeof bytes), &tag, &body));
    CHECK_NUMBER(dhp_Downlink_synced_tag, tag);
    CHECK_NUMBER(DHP_NO_BODY, dhp_read(bytes, test_hex("c20c0401020304", bytes, sizeof bytes), &tag, &body));
    /* refusal with a code of ten bytes, negative, as protobuf writes an enum. */
    CHECK_NUMBER(DHP_FINE, dhp_read(bytes, test_hex("520b08ffffffffffffffffff01", bytes, sizeof bytes), &tag, &body));
    CHECK_NUMBER(UINT32_MAX, body.refusal.code);
}

static void every_cut_of_every_message_is_no_message_or_another_one(void)
{
    vectors v = vectors_open("messages.json");
    while (vectors_next(&v)) {
        size_t length = vectors_hex(&v, "hex", bytes, sizeof bytes);
        for (size_t cut = 1; cut < length; cut++) {
            unsigned tag;
            CHECK(is_up(&v) || dhp_read(bytes, cut, &tag, &body) != DHP_FINE);
        }
    }
    vectors_close(&v);
}

/* They point into the message: what a firmware copies into 33 bytes must fit. */
static void an_argument_of_a_text_has_at_most_32_bytes(void)
{
    uint8_t two[70] = {0x12, 32};
    dhp_bytes left = {two, sizeof two};
    dhp_bytes argument;
    memset(two + 2, 'x', sizeof two - 2);
    two[34] = 0x12;
    two[35] = 33;
    CHECK(dhp_next_argument(&left, &argument));
    CHECK_NUMBER(32, argument.length);
    CHECK(!dhp_next_argument(&left, &argument));
}

static void the_largest_structs_are_what_the_context_has_room_for(void)
{
    CHECK(sizeof(dhp_Outcome) <= 376);
    CHECK(sizeof(dhp_Hello) <= 344);
    CHECK(sizeof(dhp_body) <= 376);
    CHECK(sizeof(dhp_field) == 6);
}

static void the_largest_uplinks_fit_their_buffer(void)
{
    uint8_t written[DHP_UPLINK_BYTES];
    dhp_seals seals;
    memset(&seals, 0, sizeof seals);
    seals.sent = UINT32_MAX - 1;
    memset(&body, 0, sizeof body);
    dhp_Hello *hello = &body.hello;
    hello->protocol_version = 1;
    memset(hello->hardware_id, 'x', 64);
    memset(hello->firmware, 'x', 32);
    memset(hello->model, 'x', 32);
    hello->boot_reason = 7;
    hello->text_encoding = 5;
    hello->max_message_bytes = 512;
    hello->text_columns = 255;
    for (hello->capabilities_count = 0; hello->capabilities_count < 8; hello->capabilities_count++) {
        memset(hello->capabilities[hello->capabilities_count], 'x', 12);
    }
    hello->open_request_ids_count = 1;
    memset(hello->open_request_ids[0], 'x', 36);
    hello->terminal_nonce.size = 16;
    CHECK(dhp_write(dhp_Uplink_hello_tag, &body, written, sizeof written) > 0);

    memset(&body, 0, sizeof body);
    memset(body.payment_request.request_id, 'x', 36);
    memset(body.payment_request.payment_code, 'x', 64);
    memset(body.payment_request.order_number, 'x', 32);
    memset(body.payment_request.repeat_of, 'x', 36);
    memset(body.payment_request.charge_id, 'x', 36);
    body.payment_request.amount_fen = UINT32_MAX;
    body.payment_request.age_ms = UINT32_MAX;
    body.payment_request.time_to_live_ms = UINT32_MAX;
    body.payment_request.repeat_confirmed = true;
    CHECK(dhp_write_sealed(&seals, dhp_Uplink_payment_request_tag, &body, written, sizeof written) > 0);

    memset(&body, 0xff, sizeof body);
    dhp_Heartbeat *beat = &body.heartbeat;
    memset(beat->firmware, 'x', 33);
    beat->firmware[32] = '\0';
    beat->reconnects_count = 8;
    beat->has_modem = beat->has_place = beat->has_connect_times = beat->place.has_cell = beat->place.has_gps = true;
    beat->modem.imei[16] = beat->modem.iccid[20] = beat->place.ip[45] = '\0';
    for (unsigned i = 0; i < 8; i++) {
        beat->reconnects[i].cause = 8;
        beat->reconnects[i].count = 65535;
    }
    beat->power = beat->reset_reason = beat->modem.bearer = beat->modem.sim_slot = 6;
    beat->place.cell.mcc = beat->place.cell.mnc = 999;
    beat->battery_percent = 100;
    CHECK(dhp_write(dhp_Uplink_heartbeat_tag, &body, written, sizeof written) > 0);
}

static const test tests[] = {
    TEST(every_message_is_read_as_nanopb_reads_it_and_written_as_the_vectors_say),
    TEST(sealed_messages_are_those_of_the_vectors_and_open_once),
    TEST(bad_sealed_messages_are_refused_with_the_error_that_they_name),
    TEST(bad_downlinks_are_refused_with_the_fault_that_the_vectors_name),
    TEST(fields_and_bodies_that_are_newer_than_this_firmware_are_skipped),
    TEST(every_cut_of_every_message_is_no_message_or_another_one),
    TEST(an_argument_of_a_text_has_at_most_32_bytes),
    TEST(the_largest_structs_are_what_the_context_has_room_for),
    TEST(the_largest_uplinks_fit_their_buffer),
};
TEST_MAIN(tests)
