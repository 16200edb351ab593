#include "dhp_frame.h"
#include "test.h"

#define LARGEST 512

static uint8_t line[4000];
static uint8_t payload[LARGEST + 100];
static uint8_t room[LARGEST + DHP_FRAME_EXTRA];

static size_t write_frame(uint8_t type, uint8_t sequence, size_t length)
{
    dhp_frame_writer writer;
    size_t written = 0;
    dhp_frame_writer_start(&writer, type, sequence, payload, (uint16_t)length);
    while (dhp_frame_write(&writer, &line[written])) {
        written++;
        CHECK(written < sizeof line);
    }
    return written;
}

static dhp_frame_event fault_of(const char *error)
{
    static const char *const names[] = {"Cobs", "TooShort", "TooLong", "Crc"};
    for (unsigned i = 0; i < 4; i++) {
        if (strcmp(error, names[i]) == 0) {
            return (dhp_frame_event)(DHP_FRAME_COBS + i);
        }
    }
    return DHP_FRAME_NONE;
}

static void every_vector_is_read_and_written_as_it_says(void)
{
    vectors v = vectors_open("serial.json");
    unsigned seen = 0;
    while (vectors_next(&v)) {
        dhp_frame_reader reader;
        dhp_frame_event last = DHP_FRAME_NONE;
        char type[20];
        char error[20];
        char written[10];
        unsigned good = 0;
        long bad = 0;
        size_t length = vectors_hex(&v, "hex", line, sizeof line);
        size_t expected = vectors_hex(&v, "payload", payload, sizeof payload);
        vectors_text(&v, "type", type, sizeof type);
        vectors_text(&v, "error", error, sizeof error);
        vectors_text(&v, "written", written, sizeof written);
        CHECK_NUMBER(LARGEST, vectors_number(&v, "largest_payload"));
        dhp_frame_reader_start(&reader, room, sizeof room);
        for (size_t i = 0; i < length; i++) {
            dhp_frame_event event = dhp_frame_read(&reader, line[i]);
            if (event == DHP_FRAME_GOOD) {
                good++;
                CHECK_NUMBER(vectors_number(&v, "type"), room[0]);
                CHECK_NUMBER(vectors_number(&v, "sequence"), room[1]);
                CHECK_NUMBER(expected, dhp_frame_payload_length(&reader));
                CHECK_BYTES(payload, room + 2, expected);
            } else if (event != DHP_FRAME_NONE) {
                bad++;
                last = event;
            }
        }
        CHECK_NUMBER(type[0] == '\0' ? 0 : 1, good);
        CHECK_NUMBER(vectors_number(&v, "bad"), bad);
        CHECK_NUMBER(fault_of(error), last);
        if (strcmp(written, "true") == 0) {
            static uint8_t golden[sizeof line];
            memcpy(golden, line, length);
            CHECK_NUMBER(length, write_frame((uint8_t)vectors_number(&v, "type"), (uint8_t)vectors_number(&v, "sequence"), expected));
            CHECK_BYTES(golden, line, length);
        }
        seen++;
    }
    vectors_close(&v);
    CHECK(seen >= 40);
}

static void frames_of_every_length_and_many_zeros_come_back_whole(void)
{
    uint32_t random = 1;
    for (size_t length = 0; length <= LARGEST; length++) {
        uint32_t share = test_random(&random) % 5;
        dhp_frame_reader reader;
        unsigned good = 0;
        for (size_t i = 0; i < length; i++) {
            payload[i] = (uint8_t)(test_random(&random) % 4 < share ? 0 : test_random(&random));
        }
        size_t written = write_frame(3, (uint8_t)length, length);
        CHECK(written <= length + 6 + (length + 6 + 253) / 254 + 2);
        CHECK(line[0] == 0 && line[written - 1] == 0 && memchr(line + 1, 0, written - 2) == NULL);
        dhp_frame_reader_start(&reader, room, sizeof room);
        for (size_t i = 0; i < written; i++) {
            good += dhp_frame_read(&reader, line[i]) == DHP_FRAME_GOOD ? 1 : 0;
        }
        CHECK_NUMBER(1, good);
        CHECK_NUMBER(length, dhp_frame_payload_length(&reader));
        CHECK_BYTES(payload, room + 2, length);
    }
}

static void every_single_flipped_bit_is_found(void)
{
    for (size_t i = 0; i < 40; i++) {
        payload[i] = (uint8_t)(i % 7 == 0 ? 0 : i);
    }
    size_t written = write_frame(3, 9, 40);
    for (size_t bit = 0; bit < written * 8; bit++) {
        dhp_frame_reader reader;
        dhp_frame_reader_start(&reader, room, sizeof room);
        line[bit / 8] = (uint8_t)(line[bit / 8] ^ 1u << bit % 8);
        for (size_t i = 0; i < written; i++) {
            bool whole = dhp_frame_read(&reader, line[i]) == DHP_FRAME_GOOD;
            /* A flipped bit in a zero around it may leave the frame whole. */
            CHECK(!whole || (dhp_frame_payload_length(&reader) == 40 && memcmp(payload, room + 2, 40) == 0));
        }
        line[bit / 8] = (uint8_t)(line[bit / 8] ^ 1u << bit % 8);
    }
}

static const test tests[] = {
    TEST(every_vector_is_read_and_written_as_it_says),
    TEST(frames_of_every_length_and_many_zeros_come_back_whole),
    TEST(every_single_flipped_bit_is_found),
};
TEST_MAIN(tests)
