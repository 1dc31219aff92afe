/* SPDX-License-Identifier: MIT */
/*
 * Shrinking, with judges that know what they want: what comes out is 1-minimal,
 * plain, the same each time, and never anything that the judge refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/engine/engine.h"
#include "fuzz/engine/shrink.h"
#include "fuzz/program/operands.h"

static struct shrink shrink;
static struct program program, before, shorter;

static unsigned count_of(const struct program *of, unsigned opcode)
{
    unsigned count = 0;

    for (unsigned i = 0; i < of->lines; i++)
        count += of->line[i].opcode == opcode;
    return count;
}

/* Whether the program parses as what is written here. */
static void check_text(const struct program *is, const char *text)
{
    struct program_error error = {0, ""};

    assert_true(program_parse(&shorter, text, strlen(text), &error));
    if (!program_equal(is, &shorter)) {
        char printed[2048];
        program_print(is, printed, sizeof printed);
        assert_string_equal(printed, text);
    }
}

static void parse(const char *text)
{
    struct program_error error = {0, ""};

    if (!program_parse(&program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
}

/* Judges that want something which no single operation carries alone. */
static bool wants_both(struct shrink *of, const struct program *candidate)
{
    (void)of;
    assert_true(program_valid(candidate));
    return count_of(candidate, OP_CREATE) >= 2 && count_of(candidate, OP_CLOSE) >= 1;
}

/* An even number of operations, so that only pairs can go. */
static bool wants_even(struct shrink *of, const struct program *candidate)
{
    (void)of;
    return candidate->lines % 2 == 0 && count_of(candidate, OP_STOP) >= 2;
}

static bool wants_large(struct shrink *of, const struct program *candidate)
{
    (void)of;
    for (unsigned i = 0; i < candidate->lines; i++)
        if (candidate->line[i].opcode == OP_CREATE && candidate->line[i].operand[CREATE_SIZE] > 0x5678)
            return true;
    return false;
}

/* A map and the create before it with the same size, that is more than a page. */
static bool wants_equal(struct shrink *of, const struct program *candidate)
{
    (void)of;
    return candidate->lines >= 2 && candidate->line[0].opcode == OP_CREATE &&
           candidate->line[1].opcode == OP_MAP &&
           candidate->line[0].operand[CREATE_SIZE] == candidate->line[1].operand[MAP_SIZE] &&
           candidate->line[0].operand[CREATE_SIZE] > 0x1000;
}

static void shrunk(bool (*keeps)(struct shrink *, const struct program *))
{
    shrink = (struct shrink){.keeps = keeps};
    before = program;
    assert_true(keeps(&shrink, &program));
    assert_true(engine_shrink(&shrink, &program));
    assert_true(keeps(&shrink, &program));
    for (unsigned at = 0; at < program.lines; at++) { /* none can go */
        shorter = program;
        memmove(&shorter.line[at], &shorter.line[at + 1], (program.lines - at - 1u) * sizeof shorter.line[0]);
        shorter.lines--;
        assert_false(keeps(&shrink, &shorter));
    }
}

static void test_operations(void **state)
{
    unsigned tried = 0;

    (void)state;
    for (uint64_t seed = 1; tried < 40; seed++) {
        engine_generate(&program, seed, 8 + (unsigned)(seed % 100));
        if (!wants_both(&shrink, &program))
            continue;
        tried++;
        shrunk(wants_both);
        assert_int_equal(program.lines, 3);
    }
}

static void test_pairs(void **state)
{
    (void)state;
    parse("add d0\nstop\nadd d1\nprocess\nstop\nirql level=1\nadd d2\nirql\n");
    shrunk(wants_even);
    check_text(&program, "stop\nstop\n");
}

static void test_plain(void **state)
{
    (void)state;
    parse("world huge\nadd d7 wddm=2.4\n"
          "create o9 a3 adapter=next:d7 type=section size=0x7fff3001 flags=no_wait|0x8000 high=0xffff\n"
          "close recycled:a3\n");
    shrunk(wants_large);
    check_text(&program, "create o0 a0 size=0x8000\n");
}

static void test_numbers_that_belong_together(void **state)
{
    (void)state;
    parse("create o2 a2 size=0x9000\nmap m1 o2 size=0x9000\n");
    shrunk(wants_equal);
    check_text(&program, "create o0 a0 size=0x2000\nmap m0 o0 size=0x2000\n");
}

static void test_deterministic(void **state)
{
    static struct program first;

    (void)state;
    for (uint64_t seed = 1; seed < 30; seed++) {
        engine_generate(&program, seed, 60);
        if (!wants_both(&shrink, &program))
            continue;
        shrunk(wants_both);
        first = program;
        program = before;
        shrunk(wants_both);
        assert_true(program_equal(&first, &program));
    }
}

/* A judge that has no more time: what it said yes to last is the result. */
static bool wants_until(struct shrink *of, const struct program *candidate)
{
    unsigned *left = of->context;

    if (*left == 0 || --*left == 0)
        of->stop = true;
    return wants_both(of, candidate) && !of->stop;
}

static void test_stop(void **state)
{
    (void)state;
    for (unsigned tries = 1; tries < 60; tries++) {
        unsigned left = tries;
        uint64_t seed = 1;
        do
            engine_generate(&program, seed++, 100);
        while (!wants_both(&shrink, &program));
        shrink = (struct shrink){.keeps = wants_until, .context = &left};
        assert_true(engine_shrink(&shrink, &program) == !shrink.stop);
        assert_true(shrink.tries <= tries && (shrink.stop || left > 0));
        assert_true(wants_both(&shrink, &program));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_operations),    cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_plain),         cmocka_unit_test(test_numbers_that_belong_together),
        cmocka_unit_test(test_deterministic), cmocka_unit_test(test_stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
