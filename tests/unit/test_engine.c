/* SPDX-License-Identifier: MIT */
/*
 * The engine: whatever it is given, it makes valid programs that fit, the same
 * ones each time, with every operation, class and world among them, and most of
 * them go somewhere.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fuzz/engine/compose.h"
#include "fuzz/engine/engine.h"
#include "fuzz/engine/values.h"
#include "fuzz/program/operands.h"
#include "fuzz/program/world.h"
#include "fuzz/schedule/section.h"

static struct engine engine, other_engine;
static struct program program, other;
static uint8_t bytes[PROGRAM_BYTES], other_bytes[PROGRAM_BYTES], out[PROGRAM_BYTES];

static void check_canonical(const uint8_t *input, size_t size)
{
    program_decode(&other, input, size);
    assert_true(program_valid(&other));
    assert_int_equal(program_encode(&other, out, sizeof(out)), size);
    assert_memory_equal(out, input, size);
}

static size_t generate(uint64_t seed, unsigned lines, uint8_t *to)
{
    engine_generate(&program, seed, lines);
    size_t size = program_encode(&program, to, PROGRAM_BYTES);
    assert_true(size >= 2);
    return size;
}

static void test_random(void **state)
{
    struct random random = {7};
    unsigned seen = 0;
    static const uint16_t weight[] = {0, 3, 0, 1}, nothing[] = {0, 0};

    (void)state;
    assert_int_equal(random_below(&random, 0), 0);
    assert_int_equal(random_below(&random, 1), 0);
    assert_int_equal(random_weighted(&random, nothing, 2), 2);
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(random_below(&random, 10) < 10);
        assert_true(0x8421 >> random_bit(&random, 0x8421) & 1);
        seen |= 1u << random_bit(&random, 0x8421);
        unsigned place = random_weighted(&random, weight, 4);
        assert_true(place == 1 || place == 3);
    }
    assert_int_equal(seen, 0x8421);
}

static void test_generate(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 20000; seed++) {
        unsigned lines = seed % 40;
        engine_generate(&program, seed, lines);
        assert_int_equal(program.lines, lines);
        assert_true(program_valid(&program));
        engine_generate(&other, seed, lines);
        assert_true(program_equal(&program, &other));
    }
    engine_generate(&program, 1, 1000);
    assert_int_equal(program.lines, PROGRAM_OPERATIONS);
    assert_true(program_valid(&program));
}

/* Everything the language has occurs, and about as many calls go right as go wrong, or more. */
static void test_generated_mix(void **state)
{
    uint64_t opcodes = 0;
    unsigned classes = 0, worlds = 0, choices[PROGRAM_OPCODES][PROGRAM_OPERANDS] = {{0}};
    unsigned callbacks = 0, successes = 0, chains = 0, count = 20000;

    (void)state;
    for (unsigned seed = 0; seed < count; seed++) {
        struct scope scope;
        bool chain = false;
        engine_generate(&program, seed, 16);
        worlds |= 1u << program.world;
        scope_begin(&scope, program.world);
        for (unsigned i = 0; i < program.lines; i++) {
            const struct program_line *line = &program.line[i];
            const struct program_operation *operation = &program_operations[line->opcode];
            opcodes |= (uint64_t)1 << line->opcode;
            for (unsigned k = 0; k < operation->operands; k++) {
                if (operation->operand[k].type == PROGRAM_OPERAND_THING)
                    classes |= 1u << PROGRAM_CLASS_OF(line->operand[k]);
                if (operation->operand[k].type == PROGRAM_OPERAND_CHOICE)
                    choices[line->opcode][k] |= 1u << line->operand[k];
            }
            chain |= scope_apply(&scope, line) && line->opcode == OP_FREE_ADL;
        }
        callbacks += scope.callbacks;
        successes += scope.successes;
        chains += chain;
    }
    assert_int_equal(opcodes, ((uint64_t)1 << PROGRAM_OPCODES) - 1);
    assert_int_equal(classes, (1u << PROGRAM_CLASSES) - 1);
    assert_int_equal(worlds, (1u << PROGRAM_WORLDS) - 1);
    for (unsigned i = 0; i < PROGRAM_OPCODES; i++) {
        for (unsigned k = 0; k < program_operations[i].operands; k++) {
            if (program_operations[i].operand[k].type == PROGRAM_OPERAND_CHOICE)
                assert_int_equal(choices[i][k], (1u << program_operations[i].operand[k].count) - 1);
        }
    }
    assert_true(successes > callbacks * 2 / 5);
    assert_true(successes < callbacks * 9 / 10);
    assert_true(chains > count / 5);
}

static void test_mutate(void **state)
{
    size_t size = generate(1, 8, bytes);
    unsigned same = 0, longest = 0, lines = 0, count = 100000;

    (void)state;
    for (unsigned seed = 0; seed < count; seed++) {
        memcpy(other_bytes, bytes, size);
        size_t old = size;
        size = engine_mutate(&engine, bytes, size, 4096, seed);
        assert_true(size >= 2 && size <= 4096);
        check_canonical(bytes, size);
        same += size == old && !memcmp(bytes, other_bytes, size);
        lines += other.lines;
        longest = other.lines > longest ? other.lines : longest;
        if (seed % 16)
            continue;
        /* the same again, with a workspace that was used for something else */
        memset(&other_engine, (int)seed, sizeof(other_engine));
        assert_int_equal(engine_mutate(&other_engine, other_bytes, old, 4096, seed), size);
        assert_memory_equal(bytes, other_bytes, size);
    }
    assert_true(same < count / 20);
    assert_true(lines / count >= 8 && lines / count <= ENGINE_LINES);
    assert_true(longest <= 3 * ENGINE_LINES);
}

/* From any bytes, into any room: never a byte more. */
static void test_mutate_bounds(void **state)
{
    struct random random = {9};

    (void)state;
    for (unsigned i = 0; i < 30000; i++) {
        size_t max = random_below(&random, i % 64 ? 300 : 4000),
               size = random_below(&random, (unsigned)max + 1);
        uint8_t *data = malloc(max ? max : 1);
        assert_non_null(data);
        for (size_t k = 0; k < size; k++)
            data[k] = (uint8_t)random_below(&random, random_chance(&random, 128) ? 256 : 30);
        size_t result = engine_mutate(&engine, data, size, max, i);
        assert_true(result <= max);
        if (max >= 2)
            check_canonical(data, result);
        else
            assert_int_equal(result, max);
        free(data);
    }
}

static void test_mutate_smallest(void **state)
{
    uint8_t data[2] = {0xee, 0xee};

    (void)state;
    assert_int_equal(engine_mutate(&engine, data, 0, 0, 1), 0);
    assert_int_equal(data[0], 0xee);
    assert_int_equal(engine_mutate(&engine, data, 1, 1, 1), 1);
    assert_int_equal(data[0], PROGRAM_VERSION);
    assert_int_equal(data[1], 0xee);
    assert_int_equal(engine_mutate(&engine, data, 0, 2, 1), 2);
    assert_int_equal(data[0], PROGRAM_VERSION);
}

/* A full program stays within the number of operations a program may have. */
static void test_mutate_full(void **state)
{
    (void)state;
    for (unsigned seed = 0; seed < 5000; seed++) {
        engine_generate(&program, seed, PROGRAM_OPERATIONS - seed % 3);
        engine_mutate_program(&program, seed);
        assert_true(program_valid(&program));
    }
}

static void test_crossover_every_max(void **state)
{
    size_t an = generate(11, 12, bytes), bn = generate(12, 14, other_bytes);

    (void)state;
    for (size_t max = 0; max <= an + bn + 2; max++) {
        for (unsigned seed = 0; seed < 16; seed++) {
            uint8_t *result = malloc(max ? max : 1), *again = malloc(max ? max : 1);
            assert_non_null(result);
            assert_non_null(again);
            size_t size = engine_crossover(&engine, bytes, an, other_bytes, bn, result, max, seed);
            assert_true(size <= max);
            if (max >= 2)
                check_canonical(result, size);
            else
                assert_int_equal(size, max);
            assert_int_equal(engine_crossover(&other_engine, bytes, an, other_bytes, bn, again, max, seed),
                             size);
            assert_memory_equal(result, again, size);
            free(result);
            free(again);
        }
    }
}

static void test_crossover_mix(void **state)
{
    unsigned from_both = 0, count = 2000;
    struct program a = {.lines = 8}, *result = &program;
    struct program *b = &other;

    (void)state;
    *b = a;
    for (unsigned i = 0; i < 8; i++) {
        a.line[i] = (struct program_line){.opcode = OP_MAP, .operand = {i, i}};
        b->line[i] = (struct program_line){.opcode = OP_CLOSE, .operand = {i}};
    }
    for (unsigned seed = 0; seed < count; seed++) {
        unsigned maps = 0, closes = 0;
        engine_cross_programs(&a, b, result, seed);
        assert_true(program_valid(result) && result->lines <= 16);
        for (unsigned i = 0; i < result->lines; i++) {
            maps += result->line[i].opcode == OP_MAP;
            closes += result->line[i].opcode == OP_CLOSE;
        }
        assert_int_equal(maps + closes, result->lines);
        from_both += maps && closes;
    }
    assert_true(from_both > count / 2);
}

/* Long parents: cut to what a program may have, and mostly thinned out. */
static void test_crossover_long(void **state)
{
    unsigned lines = 0;

    (void)state;
    engine_generate(&engine.program[0], 1, PROGRAM_OPERATIONS);
    engine_generate(&engine.program[1], 2, PROGRAM_OPERATIONS);
    for (unsigned seed = 0; seed < 1000; seed++) {
        engine_cross_programs(&engine.program[0], &engine.program[1], &program, seed);
        assert_true(program_valid(&program));
        lines += program.lines;
    }
    assert_true(lines / 1000 < 2 * ENGINE_LINES);
}

/* -- the scan ------------------------------------------------------------------------------- */

static void scan(const char *text, struct scope *scope)
{
    struct program_error error;

    if (!program_parse(&program, text, strlen(text), &error))
        fail_msg("%u: %s", error.line, error.message);
    scope_scan(scope, &program, program.lines);
}

static void test_scope(void **state)
{
    struct scope scope;

    (void)state;
    scan("add d0\ncreate o0 a0\nadl l0 a0\nmap m0 o0\ncreate o1 a1 adapter=null\nopen a2 o1 d0", &scope);
    assert_int_equal(scope.callbacks, 5);
    assert_int_equal(scope.successes, 5);
    assert_int_equal(scope.live[PROGRAM_OBJECT], 3);
    assert_int_equal(scope.live[PROGRAM_ADAPTER_OBJECT], 5);
    assert_true(scope_has_adl(&scope, 0) && scope_in_use(&scope, 0));
    assert_false(scope_has_adl(&scope, 2) || scope_in_use(&scope, 1));

    /* what is refused changes nothing */
    scan("add d0\ncreate o0 a0\nadl l0 a0\nclose a0\ndestroy o0 with=a0\nfree_adl a0 null:l0\nopen a1 o0 d0\n"
         "adl l1 a0 size=0x2000\nmap m0 o0 size=0x1001\ncreate o1 a1 type=io base=1",
         &scope);
    assert_int_equal(scope.successes, 2);
    assert_int_equal(scope.bound[PROGRAM_ADL], 1);

    /* lives end */
    scan("add d0\ncreate o0 a0\nadl l0 a0\nmap m0 o0\nfree_adl a0 l0\nunmap o0 m0\ndestroy o0 with=a0",
         &scope);
    assert_int_equal(scope.successes, 6);
    for (unsigned kind = PROGRAM_OBJECT; kind < PROGRAM_KINDS; kind++)
        assert_int_equal(scope.live[kind], 0);
    assert_int_equal(scope.bound[PROGRAM_MAPPING], 1);

    /* the last adapter of a chain takes all with it, one of two does not */
    scan("add d0\nadd d1 link=d0\ncreate o0 a0\nadl l0 a0\npin l1 d0 index=1\nremove d1", &scope);
    assert_int_equal(scope.live[PROGRAM_ADL], 1);
    scan("add d0\nadd d1 link=d0\ncreate o0 a0\nadl l0 a0\nremove d0\nremove d1", &scope);
    assert_int_equal(scope.live[PROGRAM_ADL], 0);
    assert_int_equal(scope.live[PROGRAM_ADAPTER_OBJECT], 0);
    assert_int_equal(scope.live[PROGRAM_OBJECT], 1);

    /* processes and conditions */
    scan("add d0\ncreate o0 a0\nmap m0 o0 mode=user\nmap m1 o0\nprocess number=2\nunmap o0 m0", &scope);
    assert_int_equal(scope_reachable_mappings(&scope), 2);
    assert_int_equal(scope.successes, 3);
    scan("add d0\ncreate o0 a0\nmap m0 o0 mode=user\nexit number=1", &scope);
    assert_int_equal(scope.live[PROGRAM_MAPPING], 0);
    scan("add d0\nirql level=2\ncreate o0 a0\nirql\nargs\ncreate o0 a0\ncreate o0 a0\nstop\ncreate o1 a1",
         &scope);
    assert_int_equal(scope.callbacks, 4);
    assert_int_equal(scope.successes, 1);
}

/* How many threads have lines of their own. */
static unsigned threads_of(const struct program *woven)
{
    unsigned seen = 0, count = 0, thread = 0;

    for (unsigned at = 0; at < woven->lines; at++) {
        if (woven->line[at].opcode == OP_THREAD)
            thread = (unsigned)(woven->line[at].operand[CONDITION_VALUE] % (SECTION_THREADS + 1));
        else if (thread)
            seen |= 1u << thread;
    }
    for (; seen; seen &= seen - 1)
        count++;
    return count;
}

static void check_valid(const struct program *woven)
{
    size_t size = program_encode(woven, bytes, sizeof(bytes));

    assert_true(program_valid(woven));
    check_canonical(bytes, size);
}

/* Programs for several threads are valid, nearly all have threads that run something, and stay so when changed. */
static void test_weave(void **state)
{
    static struct program woven, room, again;
    enum { SEEDS = 3000 };
    unsigned several = 0, changed = 0, kept = 0;

    (void)state;
    for (unsigned seed = 0; seed < SEEDS; seed++) {
        engine_generate(&woven, seed, 1 + seed % PROGRAM_OPERATIONS);
        again = woven;
        engine_weave(&woven, &room, seed);
        check_valid(&woven);
        several += threads_of(&woven) >= 2;
        engine_weave(&again, &room, seed); /* the same seed, the same program */
        assert_true(program_equal(&woven, &again));
        engine_mutate_woven(&woven, &room, seed);
        check_valid(&woven);
        changed += !program_equal(&woven, &again);
        kept += threads_of(&woven) >= 2;
    }
    assert_true(several > SEEDS * 3 / 4);
    assert_true(changed > SEEDS * 3 / 4);
    assert_true(kept > SEEDS * 3 / 4);
}

/* Lines composed without a mistake are nearly always right. */
static void test_compose(void **state)
{
    unsigned made = 0, right = 0;

    (void)state;
    for (unsigned seed = 0; seed < 2000; seed++) {
        struct composer composer = {.random = {seed}};
        struct program_line line;
        compose_swarm(&composer);
        composer.swarm.misuse = 0;
        composer.swarm.odd = 0;
        scan("add d0\ncreate o0 a0 type=contiguous size=0x4000\nadl l0 a0\nmap m0 o0\npin l1 d0\n"
             "create o1 a1\ncreate o2 a2 adapter=null",
             &composer.scope);
        for (unsigned opcode = OP_CREATE; opcode <= OP_PIN; opcode++) {
            struct scope scope = composer.scope;
            compose_operation(&composer, &line, opcode);
            if (opcode == OP_PIN)
                continue; /* is pinned already */
            made++;
            right += scope_apply(&scope, &line);
        }
    }
    assert_true(right > made * 9 / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),        cmocka_unit_test(test_generate),
        cmocka_unit_test(test_generated_mix), cmocka_unit_test(test_mutate),
        cmocka_unit_test(test_mutate_bounds), cmocka_unit_test(test_mutate_smallest),
        cmocka_unit_test(test_mutate_full),   cmocka_unit_test(test_crossover_every_max),
        cmocka_unit_test(test_crossover_mix), cmocka_unit_test(test_crossover_long),
        cmocka_unit_test(test_scope),         cmocka_unit_test(test_weave),
        cmocka_unit_test(test_compose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
