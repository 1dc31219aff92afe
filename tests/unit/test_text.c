/* SPDX-License-Identifier: MIT */
/*
 * The text form of programs: what a person may write, what is printed, and what
 * is said about every mistake.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/engine/engine.h"
#include "fuzz/engine/random.h"
#include "fuzz/program/program.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static struct program program, other;
static char text[128 * 1024];

/* -- the text form ----------------------------------------------------------------------- */

static bool parse(const char *source, struct program_error *error)
{
    return program_parse(&program, source, strlen(source), error);
}

static void check_prints(const char *source, const char *canonical)
{
    struct program_error error;

    if (!parse(source, &error))
        fail_msg("%u: %s", error.line, error.message);
    assert_true(program_valid(&program));
    assert_int_equal(program_print(&program, text, sizeof(text)), strlen(canonical));
    assert_string_equal(text, canonical);
}

static void test_text(void **state)
{
    (void)state;
    check_prints("", "world small\n");
    check_prints("\n \t\r\n# nothing\n", "world small\n");
    check_prints("world tiny", "world tiny\n");
    check_prints("\xef\xbb\xbf# caf\xc3\xa9\r\nworld huge # yes\r\nstop\r\n", "world huge\nstop\n");
    check_prints("add\td0\twddm=3.2 visible=0xFFFFFFFF link=null",
                 "world small\nadd d0 visible=0xffffffff\n");
    check_prints(
        "create o0 a0 type=contiguous size=12288 adapter=d0\nadl l0 a0 size=0x3000 flags=require\n"
        "free_adl a0 recycled:l0",
        "world small\ncreate o0 a0 type=contiguous size=0x3000\nadl l0 a0 size=0x3000 flags=require\n"
        "free_adl a0 recycled:l0\n");
}

static void test_text_values(void **state)
{
    (void)state;
    check_prints("destroy null with=null:a3\nclose null:a0\nremove garbage:d15",
                 "world small\ndestroy null with=null:a3\nclose null\nremove garbage:d15\n");
    check_prints("unmap o0 m0 extra=-1 shift=-0x1000\nunmap o0 m0 extra=max shift=0xffffffffffffffff",
                 "world small\nunmap o0 m0 extra=-1 shift=-0x1000\nunmap o0 m0 extra=-1 shift=-1\n");
    check_prints("unmap o0 m0 extra=-0x8000000000000000 shift=-0",
                 "world small\nunmap o0 m0 extra=-0x8000000000000000\n");
    check_prints(
        "adl l0 a0 flags=prefer|require\nadl l0 a0 flags=0\nadl l0 a0 flags=4|require\nadl l0 a0 flags=0x10",
        "world small\nadl l0 a0 flags=require|prefer\nadl l0 a0\nadl l0 a0 flags=require|4\n"
        "adl l0 a0 flags=0x10\n");
    check_prints(
        "adl l0 a0 flags=max\ncreate o0 a0 flags=0x17f attributes=commit",
        "world small\nadl l0 a0 flags=max\ncreate o0 a0 flags=dont_zero|local_node|fully_required|no_wait|"
        "prefer_contiguous|require_chunks|large_pages|hot_remove attributes=commit\n");
    check_prints("fail nth=9\nfail nth=10\nfail nth=18446744073709551615",
                 "world small\nfail nth=9\nfail nth=0xa\nfail nth=max\n");
    check_prints("args\nargs how=misaligned\nprocess number=2\nirql\ncreate o0 a0 high=max adapter=null",
                 "world small\nargs\nargs how=misaligned\nprocess\nirql\ncreate o0 a0 adapter=null\n");
}

static void test_print_bounds(void **state)
{
    char small[64];

    (void)state;
    engine_generate(&program, 4, 3);
    size_t length = program_print(&program, text, sizeof(text));
    assert_int_equal(strlen(text), length);
    for (size_t room = 0; room <= sizeof(small); room++) {
        memset(small, 'x', sizeof(small));
        assert_int_equal(program_print(&program, small, room), length);
        if (room)
            assert_int_equal(strlen(small), room - 1 < length ? room - 1 : length);
        assert_memory_equal(small, text, room ? room - 1 : 0);
    }
    assert_int_equal(program_print(&program, NULL, 0), length);
    length = program_print_line(&program.line[0], text, sizeof(text));
    assert_int_equal(strlen(text), length);
    assert_int_equal(program_print_line(&program.line[0], small, 5), length);
    assert_int_equal(strlen(small), 4);
    program.line[0].opcode = PROGRAM_OPCODES;
    assert_true(program_print_line(&program.line[0], text, sizeof(text)) > 0);
}

static void test_is_text(void **state)
{
    (void)state;
    assert_true(program_is_text((const uint8_t *)"", 0));
    assert_true(program_is_text((const uint8_t *)"\tstop\r\n", 7));
    assert_false(program_is_text((const uint8_t *)"\1\0", 2));
    assert_false(program_is_text((const uint8_t *)"stop\0", 5));
    assert_false(program_is_text((const uint8_t *)"\10", 1));
}

/* -- what is said about a wrong text -------------------------------------------------------- */

struct mistake {
    const char *source;
    unsigned line;
    const char *message;
};

static const struct mistake mistakes[] = {
    {"stop\nmpa m0 o0", 2, "unknown operation 'mpa'; the nearest is map"},
    {"creat o0 a0", 1, "unknown operation 'creat'; the nearest is create"},
    {"free-adl a0 l0", 1, "unknown operation 'free-adl'; the nearest is free_adl"},
    {"STOP", 1, "unknown operation 'STOP'; the nearest is "},
    {"\x7f", 1, "the byte 0x7f is not text"},
    {"stop\nst\1p", 2, "the byte 0x1 is not text"},
    {"stop\rstop", 1, "the byte 0xd is not text"},
    {"open a0 o0", 1, "expected an adapter like d0, found nothing"},
    {"close", 1, "expected an adapter memory object like a0, found nothing"},
    {"close o1", 1, "expected an adapter memory object like a0, found 'o1'"},
    {"close a16", 1, "expected an adapter memory object like a0 (to 15), found 'a16'"},
    {"close a01", 1, "expected an adapter memory object like a0, found 'a01'"},
    {"close a", 1, "expected an adapter memory object like a0, found 'a'"},
    {"close garbage:o1", 1, "expected an adapter memory object like a0, found 'o1'"},
    {"close garbage", 1, "expected an adapter memory object like a0, found 'garbage'"},
    {"close stale:a1", 1,
     "unknown class 'stale'; classes: null, garbage, wrong_kind, next, flipped, recycled, previous, other"},
    {"close :a1", 1, "unknown class ''; classes: null"},
    {"map null o0", 1, "'null' has a class; this operation makes the thing: write a CPU mapping like m0"},
    {"map next:m0 o0", 1,
     "'next:m0' has a class; this operation makes the thing: write a CPU mapping like m0"},
    {"map m0 o0 colour=1", 1, "map has no key 'colour'; it takes mode, offset, size"},
    {"close a0 size=1", 1, "close has no key 'size'; it takes no keys"},
    {"map m0 o0 size=1 size=1", 1, "the key 'size' is given twice"},
    {"map m0 o0 size 1", 1, "expected key=value, found 'size'; it takes mode, offset, size"},
    {"stop now", 1, "expected key=value, found 'now'; it takes no keys"},
    {"map m0 o0 size=", 1, "expected a number, found nothing"},
    {"map m0 o0 size=0x", 1, "expected a number like 12, 0x3000 or max, found '0x'"},
    {"map m0 o0 size=12a", 1, "expected a number like 12, 0x3000 or max, found '12a'"},
    {"map m0 o0 size=-1", 1, "expected a number like 12, 0x3000 or max, found '-1'"},
    {"map m0 o0 size=18446744073709551616", 1, "the number '18446744073709551616' is above 2^64 - 1"},
    {"map m0 o0 size=0x10000000000000000", 1, "the number '0x10000000000000000' is above 2^64 - 1"},
    {"unmap o0 m0 extra=-0x8000000000000001", 1, "the number '-0x8000000000000001' is below -2^63"},
    {"unmap o0 m0 extra=--1", 1, "expected a number like 12, 0x3000 or max, found '-1'"},
    {"map m0 o0 mode=both", 1, "mode= does not take 'both'; it takes kernel, user, invalid"},
    {"add d0 wddm=4.0", 1, "wddm= does not take '4.0'; it takes 2.0, 2.4, 2.6, 2.9, 3.0, 3.1, 3.2"},
    {"adl l0 a0 flags=reqire", 1,
     "expected a number or names joined by |, found 'reqire'; the names: require, prefer"},
    {"adl l0 a0 flags=require|", 1,
     "expected a number or names joined by |, found ''; the names: require, prefer"},
    {"world", 1, "unknown world ''; worlds: small, holes, high, tiny, huge"},
    {"world smal", 1, "unknown world 'smal'; worlds: small, holes, high, tiny, huge"},
    {"world small tiny", 1, "expected the end of the world line, found 'tiny'"},
    {"world small\n\nworld small", 3, "a second world line; a program has one world"},
    {"stop\nworld small", 2, "the world line must come before every operation"},
    {"create o0 a0 sise=1", 1,
     "create has no key 'sise'; it takes adapter, type, size, cache, low, high, skip, boundary, flags, base, "
     "protection, attributes"},
};

static void test_mistakes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < COUNT(mistakes); i++) {
        struct program_error error;
        assert_false(parse(mistakes[i].source, &error));
        assert_int_equal(program.lines, 0);
        if (strncmp(error.message, mistakes[i].message, strlen(mistakes[i].message)) != 0)
            fail_msg("'%s' got '%s'", mistakes[i].source, error.message);
        assert_int_equal(error.line, mistakes[i].line);
        assert_true(strlen(error.message) < sizeof(error.message) - 1);
        /* nobody has to want the message */
        assert_false(parse(mistakes[i].source, NULL));
    }
}

static void test_nul_and_length(void **state)
{
    struct program_error error;

    (void)state;
    assert_false(program_parse(&program, "stop\nstop\0", 10, &error));
    assert_int_equal(error.line, 2);
    assert_string_equal(error.message, "the byte 0x0 (NUL) is not text; is this a binary program?");

    /* lines of any length: a comment, a token, blanks */
    memset(text, '#', sizeof(text));
    assert_true(program_parse(&program, text, sizeof(text), &error));
    memset(text, ' ', sizeof(text));
    memcpy(text + sizeof(text) - 4, "stop", 4);
    assert_true(program_parse(&program, text, sizeof(text), &error));
    assert_int_equal(program.lines, 1);
    memset(text, 'x', sizeof(text));
    assert_false(program_parse(&program, text, sizeof(text), &error));
    assert_int_equal(strncmp(error.message, "unknown operation 'xxxxxxxxxxxxxxxxxxxxxxxx...'", 47), 0);
    memcpy(text, "map m0 o0 size=", 15);
    memset(text + 15, '9', sizeof(text) - 15);
    assert_false(program_parse(&program, text, sizeof(text), &error));
    assert_non_null(strstr(error.message, "...' is above 2^64 - 1"));
}

static void test_too_many_operations(void **state)
{
    struct program_error error;

    (void)state;
    for (unsigned i = 0; i < 129; i++)
        memcpy(text + 5 * i, "stop\n", 5);
    assert_true(program_parse(&program, text, 128 * 5, &error));
    assert_int_equal(program.lines, PROGRAM_OPERATIONS);
    assert_false(program_parse(&program, text, 129 * 5, &error));
    assert_int_equal(error.line, 129);
    assert_string_equal(error.message, "too many operations: a program has 128 at most");
}

/* Texts that are nearly right: the parser neither crashes nor reads outside, and what it takes is valid. */
static void test_mangled_text(void **state)
{
    struct random random = {5};
    unsigned accepted = 0;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        struct program_error error;
        engine_generate(&program, i, random_below(&random, 5));
        size_t size = program_print(&program, text, sizeof(text));
        char *input = malloc(size);
        assert_non_null(input);
        memcpy(input, text, size);
        for (unsigned k = random_below(&random, 4); k; k--)
            input[random_below(&random, (unsigned)size)] = (char)random_below(&random, 256);
        size_t cut = random_chance(&random, 64) ? random_below(&random, (unsigned)size) : size;
        bool taken = program_parse(&other, input, cut, &error);
        free(input);
        accepted += taken;
        assert_true(program_valid(&other));
        assert_true(taken || (error.line && error.message[0]));
    }
    assert_true(accepted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_text_values),
        cmocka_unit_test(test_print_bounds),
        cmocka_unit_test(test_is_text),
        cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_nul_and_length),
        cmocka_unit_test(test_too_many_operations),
        cmocka_unit_test(test_mangled_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
