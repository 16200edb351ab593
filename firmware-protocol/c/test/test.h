/* The tests' few helpers. Each test function is a sentence; each program prints "ok" or "not ok" for each of them. */
#ifndef TEST_H
#define TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Ends the test that runs. */
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            test_failed(__FILE__, __LINE__, #condition); \
        } \
    } while (0)

#define CHECK_NUMBER(expected, actual) test_number(__FILE__, __LINE__, #actual, (long long)(expected), (long long)(actual))
#define CHECK_TEXT(expected, actual) test_text(__FILE__, __LINE__, #actual, (expected), (actual))
#define CHECK_BYTES(expected, actual, length) test_bytes(__FILE__, __LINE__, #actual, (expected), (actual), (length))

#define TEST(name) {#name, name}

typedef struct test {
    const char *name;
    void (*run)(void);
} test;

int test_main(const test *tests, size_t count);
#define TEST_MAIN(tests) \
    int main(void) { return test_main(tests, sizeof tests / sizeof tests[0]); }

void test_failed(const char *file, int line, const char *what) __attribute__((noreturn));
void test_number(const char *file, int line, const char *what, long long expected, long long actual);
void test_text(const char *file, int line, const char *what, const char *expected, const char *actual);
void test_bytes(const char *file, int line, const char *what, const void *expected, const void *actual, size_t length);

/* Said with a failure: which vector, which cut. */
void test_about(const char *format, ...);

/* How many bytes; fails the test when it is no hex or does not fit. */
size_t test_hex(const char *hex, uint8_t *bytes, size_t room);

/* Always the same numbers. */
uint32_t test_random(uint32_t *state);

/* ---- vectors: a JSON array of flat objects ---------------------------------------------------------------------------------- */

typedef struct vectors {
    char *text;
    const char *at;
    const char *object; /* the present one */
} vectors;

/* A file of firmware-protocol/vectors. */
vectors vectors_open(const char *file);
bool vectors_next(vectors *v);
void vectors_close(vectors *v);

/* The value of a field of the present object, unescaped; "" when it is null or absent. Arrays and objects come as their JSON. */
void vectors_text(const vectors *v, const char *field, char *text, size_t room);
long vectors_number(const vectors *v, const char *field);
size_t vectors_hex(const vectors *v, const char *field, uint8_t *bytes, size_t room);

#endif
