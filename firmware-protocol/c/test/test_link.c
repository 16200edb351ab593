#include "hub.h"

#define NOTHING 0

/* The terminal's end is the kit, on a line that the test holds; the hub's end is the test. */
static dhp_serial serial;
static dhp_line line;
static uint8_t ring[1024];
static world w;
static uint32_t baud;
static uint8_t sent[4096];
static size_t sent_length;
static size_t room; /* of the line, a poll */
static dhp_frame_reader reader;
static uint8_t heard[DHP_MESSAGE_BYTES + DHP_FRAME_EXTRA];
static size_t read_to;
static uint32_t boot_id;

static size_t write_line(void *user, const uint8_t *bytes, size_t length)
{
    size_t take = length < room ? length : room;
    (void)user;
    CHECK(sent_length + take <= sizeof sent);
    memcpy(sent + sent_length, bytes, take);
    sent_length += take;
    room -= take;
    return take;
}

static void set_rate(void *user, uint32_t rate)
{
    (void)user;
    baud = rate;
}

static void run(uint32_t ms)
{
    for (uint32_t i = 0; i < ms; i += 10) {
        room = 1000;
        w.now += 10;
        dhp_poll(&w.t, w.now);
    }
}

static void boot(void)
{
    static const uint32_t rates[] = {921600, 460800};
    world_new(&w, true);
    memset(&line, 0, sizeof line);
    line.write = write_line;
    line.set_rate = set_rate;
    line.first_rate = 115200;
    line.rates = rates;
    line.rate_count = 2;
    baud = 115200;
    sent_length = read_to = 0;
    dhp_frame_reader_start(&reader, heard, sizeof heard);
    dhp_serial_start(&serial, &w.t, &line, ring, sizeof ring);
    w.setup.transport = &serial.transport;
    w.views = 0;
    dhp_start(&w.t, &w.setup, w.now);
}

/* The type of the next frame of the terminal that is not an idle ACK, within 1.2 s; NOTHING: there is none. */
static uint8_t next_frame(void)
{
    for (unsigned i = 0; i < 120; i++) {
        while (read_to < sent_length) {
            if (dhp_frame_read(&reader, sent[read_to++]) == DHP_FRAME_GOOD) {
                return heard[0];
            }
        }
        sent_length = read_to = 0;
        run(10);
    }
    return NOTHING;
}

static uint8_t next_but_acks(void)
{
    for (unsigned i = 0; i < 20; i++) {
        uint8_t type = next_frame();
        if (type != 4) {
            return type;
        }
    }
    return NOTHING;
}

static void say_frame(uint8_t type, uint8_t sequence, const uint8_t *payload, size_t length)
{
    dhp_frame_writer writer;
    uint8_t byte;
    dhp_frame_writer_start(&writer, type, sequence, payload, (uint16_t)length);
    while (dhp_frame_write(&writer, &byte)) {
        CHECK(dhp_ring_put(&serial.ring, byte));
    }
}

static void reply(uint32_t id, uint8_t result, uint32_t rate)
{
    uint8_t payload[12] = {1, (uint8_t)id, (uint8_t)(id >> 8), (uint8_t)(id >> 16), (uint8_t)(id >> 24), result, 0, 16,
                           (uint8_t)rate, (uint8_t)(rate >> 8), (uint8_t)(rate >> 16), (uint8_t)(rate >> 24)};
    say_frame(0x81, 0, payload, sizeof payload);
}

static void take_hello(void)
{
    CHECK_NUMBER(1, next_but_acks());
    boot_id = (uint32_t)heard[3] | (uint32_t)heard[4] << 8 | (uint32_t)heard[5] << 16 | (uint32_t)heard[6] << 24;
    CHECK(heard[2] == 1 && boot_id != 0);
}

/* The link is up, and the terminal's first DATA, its hello, is taken. */
static void link_up(void)
{
    boot();
    take_hello();
    reply(boot_id, 0, 0);
    CHECK_NUMBER(3, next_but_acks());
    CHECK_NUMBER(0, heard[1]);
}

static void acknowledge(uint8_t sequence) { say_frame(0x84, sequence, NULL, 0); }

static void hello_says_who_it_is_each_second_until_it_is_answered(void)
{
    static const uint8_t rates[] = {2, 0x00, 0x10, 0x0e, 0x00, 0x00, 0x08, 0x07, 0x00};
    boot();
    take_hello();
    uint32_t first = boot_id;
    CHECK_BYTES("\x00\x02\x00\x00\x08T0000001", heard + 7, 13);
    CHECK_BYTES(rates, heard + 20, sizeof rates);
    uint32_t at = w.now;
    take_hello();
    CHECK(boot_id == first && w.now - at >= 900 && w.now - at <= 1100);
    reply(first + 1, 0, 0); /* another boot's */
    take_hello();
    reply(first, 0, 0);
    CHECK_NUMBER(3, next_but_acks());
    CHECK_NUMBER(DHP_STARTING, world_view(&w));
}

static void data_is_repeated_5_times_and_then_the_link_begins_anew(void)
{
    link_up();
    uint32_t before = boot_id;
    for (unsigned repeats = 0; repeats < 4; repeats++) {
        uint32_t at = w.now;
        uint8_t last[2] = {heard[0], heard[1]};
        acknowledge(77); /* of nothing that waits */
        CHECK_NUMBER(3, next_but_acks());
        CHECK_BYTES(last, heard, 2);
        /* 2 x 46 + 16 + 300 */
        CHECK(w.now - at >= 390 && w.now - at <= 430);
    }
    take_hello();
    CHECK(boot_id != before);
}

static void an_acknowledged_frame_is_not_repeated_and_silence_of_5_s_is_the_end(void)
{
    link_up();
    acknowledge(0);
    uint32_t at = w.now;
    CHECK_NUMBER(1, next_but_acks());
    CHECK(w.now - at >= 4900 && w.now - at <= 5200);
}

static void an_idle_end_says_each_second_that_it_is_there(void)
{
    link_up();
    acknowledge(0);
    for (unsigned i = 0; i < 4; i++) {
        uint32_t at = w.now;
        CHECK_NUMBER(4, next_frame());
        CHECK_NUMBER(255, heard[1]);
        CHECK(w.now - at <= 1020);
    }
}

static void data_is_taken_once_in_order_and_acknowledged_at_once(void)
{
    uint8_t challenge[] = {0x0a, 0x12, 0x0a, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    link_up();
    acknowledge(0);
    say_frame(0x83, 1, challenge, sizeof challenge); /* a jump */
    run(20);
    CHECK_NUMBER(4, next_frame());
    CHECK_NUMBER(255, heard[1]); /* the idle one */
    say_frame(0x83, 0, challenge, sizeof challenge);
    CHECK_NUMBER(4, next_frame());
    CHECK_NUMBER(0, heard[1]);
    CHECK_NUMBER(3, next_frame()); /* proof */
    CHECK_NUMBER(1, heard[1]);
    acknowledge(1);
    say_frame(0x83, 0, challenge, sizeof challenge); /* a repeat */
    CHECK_NUMBER(4, next_frame());
    CHECK_NUMBER(0, heard[1]);
    CHECK_NUMBER(4, next_frame()); /* and no second proof */
}

static void a_reply_of_another_boot_or_a_close_begins_anew(void)
{
    link_up();
    uint32_t before = boot_id;
    reply(before, 0, 0);
    run(100);
    reply(before ^ 1, 2, 0); /* refused: of an older HELLO, and no link is made */
    run(100);
    CHECK(serial.boot_id == before);
    reply(before ^ 1, 0, 0);
    take_hello();
    CHECK(boot_id != before);
    link_up();
    say_frame(0x85, 0, (const uint8_t *)"\0", 1);
    uint32_t at = w.now;
    take_hello();
    CHECK(w.now - at <= 30);
    reply(boot_id, 0, 0);
    CHECK_NUMBER(3, next_but_acks());
    say_frame(0x85, 0, (const uint8_t *)"\x8e", 1); /* taken over: back-off with jitter */
    at = w.now;
    run(1000);
    sent_length = read_to = 0;
    say_frame(0x85, 0, (const uint8_t *)"\0", 1); /* a back-off is under way */
    CHECK_NUMBER(DHP_NO_NETWORK, world_view(&w));
    for (unsigned i = 0; i < 3200 && sent_length == 0; i++) {
        run(10);
    }
    take_hello();
    CHECK(w.now - at >= 1000);
}

static void a_call_of_the_hub_is_answered_but_not_too_often(void)
{
    boot();
    take_hello();
    uint32_t at = w.now;
    sent_length = read_to = 0;
    for (unsigned i = 0; i < 20; i++) {
        say_frame(0x85, 0, (const uint8_t *)"\0", 1);
        run(10);
    }
    CHECK(sent_length == 0);
    run(100);
    say_frame(0x85, 0, (const uint8_t *)"\0", 1);
    take_hello();
    CHECK(w.now - at < 500);
}

/* The link stands, and the hub's session says nothing: each time after 10 s the terminal begins anew, at once. */
static void a_session_that_is_not_answered_begins_anew_without_a_back_off(void)
{
    link_up();
    for (unsigned rounds = 0; rounds < 5; rounds++) {
        uint32_t before = boot_id;
        uint32_t at = w.now;
        acknowledge(0);
        for (unsigned i = 0; i < 98; i++) {
            run(100);
            sent_length = read_to = 0;
            acknowledge(0); /* the hub is there */
        }
        while (w.now - at < 10050) {
            run(10);
        }
        take_hello();
        CHECK(boot_id != before && w.now - at <= 10200);
        reply(boot_id, 0, 0);
        CHECK_NUMBER(3, next_but_acks());
    }
}

static void a_refused_hello_waits_30_s(void)
{
    boot();
    take_hello();
    reply(boot_id, 1, 0);
    run(20);
    CHECK_NUMBER(DHP_REFUSED, world_view(&w));
    CHECK_NUMBER(dhp_Refusal_CODE_VERSION, w.shown[w.views - 1].view.refusal);
    sent_length = read_to = 0;
    run(29000);
    CHECK_NUMBER(0, sent_length);
    run(1500);
    take_hello();
}

static void a_faster_rate_is_agreed_and_left_after_3_bad_frames(void)
{
    boot();
    take_hello();
    reply(boot_id, 0, 921600);
    CHECK_NUMBER(2, next_frame());
    CHECK(heard[1] == 0 && baud == 115200);
    CHECK_BYTES("\x00\x10\x0e\x00", heard + 2, 4);
    acknowledge(0);
    run(10);
    CHECK_NUMBER(921600, baud);
    sent_length = read_to = 0;
    run(90);
    CHECK_NUMBER(0, sent_length);
    CHECK_NUMBER(4, next_frame());
    CHECK_NUMBER(3, next_frame());
    CHECK_NUMBER(1, heard[1]);
    acknowledge(1);
    for (unsigned i = 0; i < 3; i++) {
        CHECK_NUMBER(921600, baud);
        dhp_ring_put(&serial.ring, 0x55);
        dhp_ring_put(&serial.ring, 0);
        run(10);
    }
    CHECK_NUMBER(115200, baud);
    take_hello();
}

static void text_and_noise_around_frames_are_skipped_and_a_slow_line_takes_what_it_can(void)
{
    boot();
    for (const char *text = "Boot 1.2\r\nclock 48 MHz\r\n"; *text != '\0'; text++) {
        dhp_ring_put(&serial.ring, (uint8_t)*text);
    }
    for (unsigned i = 0; i < 60; i++) {
        w.now += 10;
        room = 1; /* a byte a poll */
        dhp_poll(&w.t, w.now);
    }
    take_hello();
    reply(boot_id, 0, 0);
    CHECK_NUMBER(3, next_but_acks());
}

static void a_full_ring_refuses_and_loses_nothing_that_it_took(void)
{
    static uint8_t eight[8];
    dhp_ring r;
    memset(&r, 0, sizeof r);
    r.bytes = eight;
    r.size = 8;
    r.put = r.got = 65530; /* the counters wrap */
    for (uint8_t i = 0; i < 8; i++) {
        CHECK(dhp_ring_put(&r, i));
    }
    CHECK(!dhp_ring_put(&r, 99));
    r.got = (uint16_t)(r.got + 1);
    CHECK(dhp_ring_put(&r, 8));
    for (unsigned i = 0; i < 8; i++) {
        CHECK_NUMBER(i + 1, r.bytes[r.got & 7]);
        r.got = (uint16_t)(r.got + 1);
    }
}

static const test tests[] = {
    TEST(hello_says_who_it_is_each_second_until_it_is_answered),
    TEST(data_is_repeated_5_times_and_then_the_link_begins_anew),
    TEST(an_acknowledged_frame_is_not_repeated_and_silence_of_5_s_is_the_end),
    TEST(an_idle_end_says_each_second_that_it_is_there),
    TEST(data_is_taken_once_in_order_and_acknowledged_at_once),
    TEST(a_reply_of_another_boot_or_a_close_begins_anew),
    TEST(a_call_of_the_hub_is_answered_but_not_too_often),
    TEST(a_session_that_is_not_answered_begins_anew_without_a_back_off),
    TEST(a_refused_hello_waits_30_s),
    TEST(a_faster_rate_is_agreed_and_left_after_3_bad_frames),
    TEST(text_and_noise_around_frames_are_skipped_and_a_slow_line_takes_what_it_can),
    TEST(a_full_ring_refuses_and_loses_nothing_that_it_took),
};
TEST_MAIN(tests)
