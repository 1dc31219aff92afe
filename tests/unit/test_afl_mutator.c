/* SPDX-License-Identifier: MIT */
/*
 * The engine as AFL++'s custom mutator, called in the order in which afl-fuzz
 * calls it: what comes out are programs that fit, the same ones for the same
 * seed; trimming leaves out every operation that does not matter, in no more
 * steps than it announced.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/program/operands.h"
#include "fuzz/targets/afl_mutator.c" /* NOLINT(bugprone-suspicious-include): its own parts are tested */

static struct program program;
static uint8_t one[PROGRAM_BYTES], other[PROGRAM_BYTES];

static size_t generate(uint64_t seed, unsigned lines, uint8_t *to)
{
    engine_generate(&program, seed, lines);
    return program_encode(&program, to, PROGRAM_BYTES);
}

static void check_program(const uint8_t *bytes, size_t size)
{
    static uint8_t again[PROGRAM_BYTES];

    assert_in_range(size, 2, INPUT_BYTES);
    program_decode(&program, bytes, size);
    assert_int_equal(program_encode(&program, again, sizeof again), size);
    assert_memory_equal(again, bytes, size);
}

static void test_fuzz(void **state)
{
    void *mutator = afl_custom_init(NULL, 5), *twin = afl_custom_init(NULL, 5);
    unsigned spliced = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        uint8_t *out = NULL, *out_twin = NULL;
        size_t size = generate(seed, 1 + (unsigned)seed % PROGRAM_OPERATIONS, one);
        size_t other_size = generate(seed + 1000, 8, other);

        size_t made = afl_custom_fuzz(mutator, one, size, &out, seed % 4 ? other : NULL, other_size, 1);
        check_program(out, made);
        spliced += strcmp(afl_custom_describe(mutator, 16), "splice") == 0;
        assert_true(seed % 4 || strcmp(afl_custom_describe(mutator, 16), "mutate") == 0);
        assert_int_equal(afl_custom_fuzz(twin, one, size, &out_twin, seed % 4 ? other : NULL, other_size, 1),
                         made);
        assert_memory_equal(out, out_twin, made);
        made = afl_custom_havoc_mutation(mutator, one, size, &out, PROGRAM_BYTES);
        check_program(out, made);
        (void)afl_custom_havoc_mutation(twin, one, size, &out_twin, PROGRAM_BYTES);
    }
    assert_in_range(spliced, 100, 200);
    assert_in_range(afl_custom_havoc_mutation_probability(mutator), 1, 100);
    afl_custom_deinit(mutator);
    afl_custom_deinit(twin);
}

/* What does not decode to anything, and what is longer than any input. */
static void test_any_bytes(void **state)
{
    void *mutator = afl_custom_init(NULL, 1);
    static uint8_t bytes[3 * INPUT_BYTES];
    uint8_t *out;

    (void)state;
    for (size_t size = 0; size <= sizeof bytes; size += size < 8 ? 1 : 1021) {
        memset(bytes, (int)size, sizeof bytes);
        size_t made = afl_custom_fuzz(mutator, bytes, size, &out, bytes, sizeof bytes, sizeof bytes);
        check_program(out, made);
        made = afl_custom_havoc_mutation(mutator, bytes, size, &out, sizeof bytes);
        check_program(out, made);
    }
    afl_custom_deinit(mutator);
}

static unsigned count_of(const struct program *in, uint8_t opcode)
{
    unsigned count = 0;

    for (unsigned i = 0; i < in->lines; i++)
        count += in->line[i].opcode == opcode;
    return count;
}

/* As afl-fuzz does it, for a target whose coverage is the number of its create operations. */
static unsigned trim(void *mutator, uint8_t *bytes, size_t size, unsigned wanted, unsigned *steps)
{
    int most = afl_custom_init_trim(mutator, bytes, size);
    unsigned lines = 0;

    program_decode(&program, bytes, size);
    lines = program.lines;
    for (int step = 0; step < most; ++*steps) {
        uint8_t *out;
        size_t left = afl_custom_trim(mutator, &out);

        assert_in_range(left, 2, size);
        program_decode(&program, out, left);
        assert_true(program.lines < lines);
        bool same = count_of(&program, OP_CREATE) == wanted;
        if (same)
            lines = program.lines;
        step = afl_custom_post_trim(mutator, same);
        assert_true(*steps < (unsigned)most);
    }
    return lines;
}

static void test_trim(void **state)
{
    void *mutator = afl_custom_init(NULL, 1);
    uint8_t empty[] = {PROGRAM_VERSION, WORLD_SMALL};

    (void)state;
    assert_int_equal(afl_custom_init_trim(mutator, empty, sizeof empty), 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        unsigned steps = 0;
        size_t size = generate(seed, 1 + (unsigned)seed % PROGRAM_OPERATIONS, one);
        unsigned creates = count_of(&program, OP_CREATE);

        /* With one line in it that matters, no other line is left; so with many. */
        assert_int_equal(trim(mutator, one, size, creates, &steps), creates);
        assert_true(steps > 0);
    }
    afl_custom_deinit(mutator);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fuzz),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_trim),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
