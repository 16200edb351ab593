#include "test.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

static jmp_buf out_of_test;
static char about[200];

void test_failed(const char *file, int line, const char *what)
{
    printf("%s:%d: %s%s%s\n", file, line, what, about[0] != '\0' ? " -- " : "", about);
    longjmp(out_of_test, 1);
}

void test_number(const char *file, int line, const char *what, long long expected, long long actual)
{
    if (expected != actual) {
        printf("expected %lld, is %lld\n", expected, actual);
        test_failed(file, line, what);
    }
}

void test_text(const char *file, int line, const char *what, const char *expected, const char *actual)
{
    if (strcmp(expected, actual) != 0) {
        printf("expected \"%s\", is \"%s\"\n", expected, actual);
        test_failed(file, line, what);
    }
}

void test_bytes(const char *file, int line, const char *what, const void *expected, const void *actual, size_t length)
{
    if (length > 0 && memcmp(expected, actual, length) != 0) {
        for (unsigned side = 0; side < 2; side++) {
            const uint8_t *bytes = side == 0 ? expected : actual;
            printf(side == 0 ? "expected " : "is       ");
            for (size_t i = 0; i < length; i++) {
                printf("%02x", bytes[i]);
            }
            printf("\n");
        }
        test_failed(file, line, what);
    }
}

void test_about(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(about, sizeof about, format, arguments);
    va_end(arguments);
}

int test_main(const test *tests, size_t count)
{
    volatile int failed = 0;
    for (volatile size_t i = 0; i < count; i++) {
        about[0] = '\0';
        if (setjmp(out_of_test) == 0) {
            tests[i].run();
            printf("ok %s\n", tests[i].name);
        } else {
            printf("not ok %s\n", tests[i].name);
            failed = 1;
        }
        fflush(stdout);
    }
    return failed;
}

size_t test_hex(const char *hex, uint8_t *bytes, size_t room)
{
    size_t length = strlen(hex) / 2;
    CHECK(strlen(hex) % 2 == 0 && length <= room);
    for (size_t i = 0; i < length; i++) {
        unsigned byte;
        CHECK(sscanf(hex + 2 * i, "%2x", &byte) == 1);
        bytes[i] = (uint8_t)byte;
    }
    return length;
}

uint32_t test_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* ---- vectors ---------------------------------------------------------------------------------------------------------------- */

static const char *skip_space(const char *at) { return at + strspn(at, " \t\r\n,:"); }

/* The end of the value that begins here. */
static const char *skip_value(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"') {
            for (at++; *at != '"'; at++) {
                at += *at == '\\' ? 1 : 0;
            }
            at++;
        } else if (*at == '{' || *at == '[') {
            depth++;
            at++;
        } else if (*at == '}' || *at == ']') {
            depth--;
            at++;
        } else {
            at += strcspn(at, depth > 0 ? "\"{}[]" : ",}] \r\n");
        }
    } while (depth > 0);
    return at;
}

vectors vectors_open(const char *file)
{
    char path[300];
    vectors v = {NULL, NULL, NULL};
    snprintf(path, sizeof path, "%s/%s", VECTORS, file);
    FILE *stream = fopen(path, "rb");
    CHECK(stream != NULL);
    fseek(stream, 0, SEEK_END);
    size_t length = (size_t)ftell(stream);
    rewind(stream);
    v.text = malloc(length + 1);
    CHECK(v.text != NULL && fread(v.text, 1, length, stream) == length);
    v.text[length] = '\0';
    fclose(stream);
    v.at = strchr(v.text, '[') + 1;
    return v;
}

bool vectors_next(vectors *v)
{
    char name[120];
    v->at = skip_space(v->at);
    if (*v->at != '{') {
        return false;
    }
    v->object = v->at;
    v->at = skip_value(v->at);
    vectors_text(v, "name", name, sizeof name);
    test_about("%s", name);
    return true;
}

void vectors_close(vectors *v)
{
    test_about("%s", "");
    free(v->text);
}

static void put_utf8(char **to, unsigned code)
{
    if (code < 0x80) {
        *(*to)++ = (char)code;
    } else if (code < 0x800) {
        *(*to)++ = (char)(0xc0 | code >> 6);
        *(*to)++ = (char)(0x80 | (code & 0x3f));
    } else {
        *(*to)++ = (char)(0xe0 | code >> 12);
        *(*to)++ = (char)(0x80 | (code >> 6 & 0x3f));
        *(*to)++ = (char)(0x80 | (code & 0x3f));
    }
}

static void unescape(const char *from, char *to, size_t room)
{
    char *end = to + room - 4;
    for (from++; *from != '"' && to < end; from++) {
        unsigned code;
        if (*from != '\\') {
            *to++ = *from;
        } else if (*++from == 'u') {
            CHECK(sscanf(from + 1, "%4x", &code) == 1);
            put_utf8(&to, code);
            from += 4;
        } else {
            *to++ = *from == 'n' ? '\n' : *from == 't' ? '\t' : *from == 'r' ? '\r' : *from;
        }
    }
    *to = '\0';
}

void vectors_text(const vectors *v, const char *field, char *text, size_t room)
{
    const char *at = skip_space(v->object + 1);
    text[0] = '\0';
    while (*at == '"') {
        const char *value = skip_space(skip_value(at));
        const char *end = skip_value(value);
        if (strncmp(at + 1, field, strlen(field)) == 0 && at[1 + strlen(field)] == '"') {
            if (*value == '"') {
                unescape(value, text, room);
            } else if (strncmp(value, "null", 4) != 0) {
                snprintf(text, room, "%.*s", (int)(end - value), value);
            }
            return;
        }
        at = skip_space(end);
    }
}

long vectors_number(const vectors *v, const char *field)
{
    char text[40];
    vectors_text(v, field, text, sizeof text);
    return strtol(text, NULL, 10);
}

size_t vectors_hex(const vectors *v, const char *field, uint8_t *bytes, size_t room)
{
    static char text[20000];
    vectors_text(v, field, text, sizeof text);
    return test_hex(text, bytes, room);
}
