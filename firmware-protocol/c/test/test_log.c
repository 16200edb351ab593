#include "dhp_log.h"
#include "flash.h"
#include "test.h"

static flash f;
static dhp_hooks hooks;
static dhp_log log_;

static void fresh(void)
{
    flash_new(&f);
    memset(&hooks, 0, sizeof hooks);
    hooks.user = &f;
    hooks.sector_bytes = f.sector_bytes;
    hooks.flash_erase = flash_erase;
    hooks.flash_program = flash_program;
    hooks.flash_read = flash_read;
    dhp_log_open(&log_, &hooks);
}

static void reboot(void)
{
    f.off = false;
    f.power = -1;
    dhp_log_open(&log_, &hooks);
}

static void key_of(unsigned n, uint8_t key[DHP_KEY_BYTES]) { memset(key, (int)n, DHP_KEY_BYTES); }

static dhp_pending pending_of(unsigned n)
{
    dhp_pending pending;
    memset(&pending, 0, sizeof pending);
    pending.amount_fen = n;
    snprintf(pending.request_id, sizeof pending.request_id, "AAECAwQFBgcI-%u", n);
    return pending;
}

/* All that the log says, to compare. */
typedef struct said {
    bool has[2];
    uint8_t key[2][DHP_KEY_BYTES];
    bool pending;
    dhp_pending payment;
    uint64_t version;
    uint8_t hash[32];
} said;

static said say(void)
{
    said s;
    memset(&s, 0, sizeof s);
    for (unsigned slot = 0; slot < 2; slot++) {
        s.has[slot] = dhp_log_has_key(&log_, (dhp_slot)slot);
        if (s.has[slot]) {
            CHECK(dhp_log_key(&log_, (dhp_slot)slot, s.key[slot]));
        }
    }
    s.pending = dhp_log_pending(&log_, &s.payment);
    dhp_log_configuration(&log_, &s.version, s.hash);
    return s;
}

/* One step of a terminal's life. */
static bool step(unsigned n)
{
    uint8_t bytes[32];
    dhp_pending pending = pending_of(n);
    key_of(n, bytes);
    switch (n % 7) {
    case 0:
        return dhp_log_offer(&log_, bytes);
    case 1:
        return dhp_log_has_key(&log_, DHP_SLOT_NEW) ? dhp_log_prove(&log_) : true;
    case 2:
        return dhp_log_configure(&log_, n + 1, bytes);
    case 3:
    case 5:
        return dhp_log_begin(&log_, &pending);
    default:
        return dhp_log_settle(&log_);
    }
}

static void a_new_flash_says_nothing_and_is_not_written(void)
{
    static const said nothing;
    fresh();
    said s = say();
    CHECK_BYTES(&nothing, &s, sizeof s);
    CHECK_NUMBER(0, f.programmed);
    CHECK_NUMBER(0, f.erases);
}

static void what_was_stored_is_there_after_a_reboot(void)
{
    uint8_t key[DHP_KEY_BYTES];
    uint8_t other[DHP_KEY_BYTES];
    dhp_pending pending = pending_of(7);
    dhp_pending longest = {100000000, "AAECAwQFBgcI-ABCDEFGHIJKLMNOPQRSTUVW"};
    fresh();
    key_of(1, key);
    CHECK(dhp_log_offer(&log_, key));
    reboot();
    CHECK(!dhp_log_has_key(&log_, DHP_SLOT_OLD) && dhp_log_key(&log_, DHP_SLOT_NEW, other));
    CHECK_BYTES(key, other, sizeof key);
    CHECK(dhp_log_prove(&log_));
    reboot();
    CHECK(!dhp_log_has_key(&log_, DHP_SLOT_NEW) && dhp_log_key(&log_, DHP_SLOT_OLD, other));
    CHECK_BYTES(key, other, sizeof key);
    CHECK(dhp_log_begin(&log_, &pending) && dhp_log_configure(&log_, 5, key));
    reboot();
    said s = say();
    CHECK(s.pending && s.version == 5);
    CHECK_BYTES(&pending, &s.payment, sizeof pending);
    CHECK_BYTES(key, s.hash, 32);
    CHECK(dhp_log_settle(&log_) && dhp_log_begin(&log_, &longest));
    reboot();
    s = say();
    CHECK_BYTES(&longest, &s.payment, sizeof longest);
}

static void a_payment_takes_at_most_64_bytes_and_a_boot_none(void)
{
    dhp_pending longest = {100000000, "AAECAwQFBgcI-ABCDEFGHIJKLMNOPQRSTUVW"};
    fresh();
    CHECK(dhp_log_settle(&log_) && dhp_log_begin(&log_, &longest) && dhp_log_settle(&log_));
    unsigned long before = f.programmed;
    CHECK(dhp_log_begin(&log_, &longest) && dhp_log_settle(&log_) && dhp_log_settle(&log_));
    CHECK(f.programmed - before <= 64);
    before = f.programmed;
    unsigned erases = f.erases;
    for (unsigned boots = 0; boots < 100; boots++) {
        reboot();
    }
    CHECK(f.programmed == before && f.erases == erases);
}

/* What is carried along when a sector is full is counted too; an id of this terminal's has at most 23 characters. */
static void a_payment_takes_at_most_64_bytes_with_all_changes_of_sectors(void)
{
    uint8_t bytes[32] = {1};
    dhp_pending pending = {100000000, "AAECAwQFBgcI-4294967295"};
    fresh();
    f.sector_bytes = hooks.sector_bytes = 1024;
    dhp_log_open(&log_, &hooks);
    CHECK(dhp_log_offer(&log_, bytes) && dhp_log_prove(&log_) && dhp_log_configure(&log_, 1, bytes));
    unsigned long before = f.programmed;
    for (unsigned n = 0; n < 1000; n++) {
        CHECK(dhp_log_begin(&log_, &pending) && dhp_log_settle(&log_));
    }
    CHECK(f.erases > 40 && f.programmed - before <= 64 * 1000);
}

static void sectors_take_turns_and_nothing_is_lost(void)
{
    fresh();
    for (unsigned n = 0; n < 3000; n++) {
        test_about("step %u", n);
        said before = say();
        CHECK(step(n));
        said after = say();
        reboot();
        said again = say();
        CHECK_BYTES(&after, &again, sizeof after);
        CHECK(n % 7 == 1 || n % 7 == 4 || n % 7 == 6 || memcmp(&before, &after, sizeof before) != 0);
    }
    CHECK(f.erases > 20);
}

/* The same life, with the power cut after each byte that is programmed and in each quarter of each erase; then the next steps go on. */
static void a_cut_anywhere_leaves_what_was_before_or_what_is_after(void)
{
    unsigned cuts = 0;
    fresh();
    f.sector_bytes = 512;
    hooks.sector_bytes = 512;
    dhp_log_open(&log_, &hooks);
    for (unsigned n = 0; n < 150; n++) {
        static flash start;
        said before = say();
        start = f;
        CHECK(step(n));
        said after = say();
        static flash done;
        done = f;
        for (long power = 0;; power++) {
            test_about("step %u, cut %ld", n, power);
            f = start;
            reboot();
            f.power = power;
            bool whole = step(n) && !f.off;
            bool lost = f.off;
            reboot();
            said now = say();
            CHECK(memcmp(&now, &before, sizeof now) == 0 || memcmp(&now, &after, sizeof now) == 0);
            CHECK(!whole || memcmp(&now, &after, sizeof now) == 0);
            /* It goes on: the same step again, and two more. */
            CHECK(step(n) && (n % 7 == 1 || step(n)));
            reboot();
            now = say();
            CHECK(n % 7 == 1 || memcmp(&now, &after, sizeof now) == 0);
            cuts += lost ? 1 : 0;
            if (!lost) {
                break;
            }
        }
        f = done;
        reboot();
    }
    CHECK(cuts > 4000);
}

/* Power that only sinks, so that a write fails and nobody boots: no unit is programmed twice (flash.c checks it). */
static void a_write_that_failed_is_not_repeated_in_its_place(void)
{
    for (unsigned n = 2; n < 7; n++) {
        for (long power = 0; power < 60; power++) {
            test_about("step %u, cut %ld", n, power);
            fresh();
            CHECK(step(0) && step(1) && step(3));
            f.power = power;
            (void)step(n);
            f.off = false;
            f.power = -1;
            CHECK(step(n));
            said after = say();
            reboot();
            said again = say();
            CHECK_BYTES(&after, &again, sizeof after);
        }
    }
}

static void flash_that_takes_nothing_is_said(void)
{
    uint8_t key[DHP_KEY_BYTES] = {1};
    fresh();
    f.broken = true;
    CHECK(!dhp_log_offer(&log_, key));
    CHECK(!dhp_log_has_key(&log_, DHP_SLOT_NEW));
}

static void a_flash_of_anything_else_says_nothing(void)
{
    static const said nothing;
    uint32_t random = 5;
    for (unsigned n = 0; n < 500; n++) {
        fresh();
        for (size_t i = 0; i < sizeof f.bytes; i++) {
            ((uint8_t *)f.bytes)[i] = (uint8_t)test_random(&random);
        }
        reboot();
        said s = say();
        CHECK_BYTES(&nothing, &s, sizeof s);
        memset(f.units, 0, sizeof f.units);
        CHECK(dhp_log_settle(&log_) && step(3));
    }
}

static const test tests[] = {
    TEST(a_new_flash_says_nothing_and_is_not_written),
    TEST(what_was_stored_is_there_after_a_reboot),
    TEST(a_payment_takes_at_most_64_bytes_and_a_boot_none),
    TEST(a_payment_takes_at_most_64_bytes_with_all_changes_of_sectors),
    TEST(sectors_take_turns_and_nothing_is_lost),
    TEST(a_cut_anywhere_leaves_what_was_before_or_what_is_after),
    TEST(a_write_that_failed_is_not_repeated_in_its_place),
    TEST(flash_that_takes_nothing_is_said),
    TEST(a_flash_of_anything_else_says_nothing),
};
TEST_MAIN(tests)
