/* SPDX-License-Identifier: MIT */
/*
 * The runner: right programs give no finding and the trace they should, classes
 * pass the values they promise, and runs do not depend on earlier ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/runner.h"

static struct runner *runner;
static struct program program;
static struct runner_result result;
static char trace[65536];
static size_t trace_length;
static unsigned char *cells;
static struct runner_event newest[PROGRAM_OPERATIONS + 1]; /* by line */

static void take_event(void *context, const struct program *of, const struct runner_event *event)
{
    (void)context;
    newest[event->line] = *event;
    assert_true(trace_length < sizeof(trace) - 4096);
    trace_length += trace_print(of, event, trace + trace_length, 2048);
    trace[trace_length++] = '\n';
    trace[trace_length] = '\0';
}

static void take_cell(void *context, unsigned cell)
{
    (void)context;
    assert_true(cell < matrix_cells());
    cells[cell]++;
}

static int setup(void **state)
{
    static const struct runner_options options = {.event = take_event, .cell = take_cell};

    (void)state;
    cells = calloc(matrix_cells(), 1);
    runner = runner_create(&options);
    return runner != NULL && cells != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    runner_destroy(runner);
    free(cells);
    return 0;
}

static void run(const char *text)
{
    struct program_error error;

    if (!program_parse(&program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
    trace_length = 0;
    trace[0] = '\0';
    runner_run(runner, &program, &result);
    if (result.finding.invariant != 0)
        fail_msg("invariant %u, line %u: %s\n%s", result.finding.invariant, result.finding.line + 1,
                 result.finding.message, trace);
}

/* Runs it and compares the whole trace, the end included. */
static void expect(const char *text, const char *expected)
{
    run(text);
    assert_string_equal(trace, expected);
}

/* Whether a line of the last trace contains this. */
static void traced(const char *part)
{
    if (strstr(trace, part) == NULL)
        fail_msg("no \"%s\" in\n%s", part, trace);
}

#define LIFE "add d0\ncreate o0 a0\nadl l0 a0\nmap m0 o0\n"
#define END "the end -> done objects=0 adapter_objects=0 adls=0 mappings=0\n"

static void test_empty(void **state)
{
    (void)state;
    expect("", END);
    assert_int_equal(result.callbacks, 0);
}

static void test_life(void **state)
{
    (void)state;
    expect(LIFE "unmap o0 m0\nfree_adl a0 l0\nclose a0\ndestroy o0\n",
           "add d0 -> STATUS_SUCCESS\n"
           "create o0 a0 -> STATUS_SUCCESS\n"
           "adl l0 a0 -> STATUS_SUCCESS pages=1 contiguous=0\n"
           "map m0 o0 -> STATUS_SUCCESS offset=0 size=0x1000\n"
           "unmap o0 m0 -> done\n"
           "free_adl a0 l0 -> done\n"
           "close a0 -> done\n"
           "destroy o0 -> done\n" END);
    assert_int_equal(result.callbacks, 7);
    assert_int_equal(result.successes, 7);
}

static void test_leaks(void **state)
{
    (void)state;
    run(LIFE);
    traced("the end -> done objects=1 adapter_objects=1 adls=1 mappings=1: ");
    traced("left_at_stop (made by create, line 2), left_at_stop (made by create, line 2), "
           "left_at_stop (made by adl, line 3), left_at_stop (made by map, line 4)");
}

static void test_without_interface(void **state)
{
    (void)state;
    expect("create o0 a0\nclose a0\nlegacy d0\n",
           "create o0 a0 -> skipped\nclose a0 -> skipped\nlegacy d0 -> skipped\n" END);
}

static void test_old_interface(void **state)
{
    (void)state;
    run("add d0 wddm=2.6\ncreate o0 a0\nunpin d0\nadd d1 wddm=2.9\ncreate o0 a0\ncreate o0 a0 adapter=d1\n");
    traced("create o0 a0 -> skipped\nunpin d0 -> STATUS_INVALID_DEVICE_STATE: not_pinned\n");
    traced("create o0 a0 -> STATUS_NOT_SUPPORTED: wrong_wddm_level\n");
    traced("create o0 a0 adapter=d1 -> STATUS_SUCCESS\n");
}

static void test_mistakes(void **state)
{
    (void)state;
    run(LIFE "close a0\ndestroy o0 with=a0\nfree_adl a0 l0\nfree_adl a0 l0\ndestroy o0 with=a0\nunmap o0 m0\n"
             "destroy o0 with=a0\nclose a0\ndestroy o0\n");
    traced("close a0 -> refused: close_with_live_adl (made by adl, line 3)\n");
    traced("destroy o0 with=a0 -> refused: destroy_with_live_adl (made by adl, line 3)\n");
    traced("free_adl a0 l0 -> refused: adl_already_freed (ended by free_adl, line 7)\n");
    traced("destroy o0 with=a0 -> refused: destroy_with_live_mapping (made by map, line 4)\n");
    traced("close a0 -> refused: close_after_destroy (ended by destroy, line 11)\n");
    traced("destroy o0 -> refused: stale_handle (ended by destroy, line 11)\n");
}

static void test_classes(void **state)
{
    (void)state;
    run(LIFE
        "create o1 a1\nclose null\nclose garbage:a0\nclose wrong_kind:a0\nclose next:a0\nclose flipped:a0\n"
        "close a9\nclose other:a0\ncreate o0 a0\nclose previous:a0\nclose a0\n");
    traced("close null -> refused: null_handle\n");
    traced("close garbage:a0 -> refused: unknown_handle\n");
    traced("close wrong_kind:a0 -> refused: wrong_kind_handle\n");
    traced("close next:a0 -> refused: unknown_handle\n");
    traced("close flipped:a0 -> refused: unknown_handle\n");
    traced("close a9 -> refused: unknown_handle\n");
    traced("close other:a0 -> done\n");
    traced("close previous:a0 -> refused: close_with_live_adl (made by adl, line 3)\n");
}

static void test_arguments(void **state)
{
    (void)state;
    run("add d0\nargs\ncreate o0 a0\nargs how=misaligned\ncreate o0 a0\ncreate o0 a0\nargs\nclose a0\n"
        "irql level=2\nclose a0\nirql\nclose a0\n");
    traced("create o0 a0 -> STATUS_INVALID_PARAMETER: null_arguments\n");
    traced("create o0 a0 -> STATUS_DATATYPE_MISALIGNMENT: misaligned_arguments\n");
    traced("create o0 a0 -> STATUS_SUCCESS\n");
    traced("close a0 -> refused: null_arguments\n");
    traced("close a0 -> refused: irql_too_high\n");
    traced("close a0 -> done\n");
}

static void test_access(void **state)
{
    (void)state;
    run(LIFE
        "dma_write d0 l0 value=0x1234\ncpu_read m0\ncpu_write m0 offset=8 value=7\ndma_read d0 l0 offset=8\n"
        "free_adl a0 l0\ndma_read d0 l0\nunmap o0 m0\ncpu_read m0\ndma_read d1 l0\ncpu_read m1\n");
    traced("cpu_read m0 -> 0x1234\n");
    traced("dma_read d0 l0 offset=8 -> 0x7\n");
    traced("dma_read d0 l0 -> fault\n");
    traced("cpu_read m0 -> fault\n");
    traced("dma_read d1 l0 -> fault\n");
    traced("cpu_read m1 -> skipped\n");
}

/* What an access met depends on where others were put when it went beyond its own thing, or where another is or was. */
static void test_strayed(void **state)
{
    static const bool strayed[] = {false, true, true, false, false, false};

    (void)state;
    run("add d0 remap=unsupported\n"
        "create o0 a0 type=contiguous size=0x4000\n"
        "map m0 o0 size=0x1000\n"
        "adl l0 a0 size=0x2000\n"
        "adl l1 a0 offset=0x1000 size=0x2000\n"
        "free_adl a0 l1\n"
        "adl l2 a0 offset=0x2000 size=0x1000\n"
        "dma_read d0 l0 page=0\n" /* its own */
        "dma_read d0 l0 page=1\n" /* another one's, too, at another time */
        "dma_read d0 l0 page=2\n" /* beyond, and another one's */
        "dma_read d0 l0 page=3\n" /* beyond, but nobody's */
        "cpu_read m0\n"
        "cpu_read m0 offset=0x1000\n");
    traced("fault");
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(runner_strayed(runner, &newest[7 + i]), strayed[i]);
}

static void test_scribble(void **state)
{
    (void)state;
    run(LIFE "scribble l0 field=entry value=0x77\nfree_adl a0 l0\nscribble l0\nadl l0 a0 size=0x1000\n"
             "scribble l0 field=base value=0\nfree_adl a0 l0\n");
    traced("free_adl a0 l0 -> done: adl_scribbled (made by adl, line 3)\n");
    traced("scribble l0 -> skipped\n");
    traced("free_adl a0 l0 -> done: adl_scribbled (made by adl, line 8)\n");
}

static void test_removal(void **state)
{
    (void)state;
    run(LIFE "remove d0\ndma_read d0 l0\nadl l1 a0\nfree_adl a0 l0\nremove d0\nadd d0\nopen a0 o0 d0\n");
    traced("remove d0 -> STATUS_SUCCESS: left_at_removal (made by adl, line 3), "
           "left_at_removal (made by create, line 2)\n");
    traced("dma_read d0 l0 -> fault\n");
    traced("adl l1 a0 -> STATUS_DEVICE_REMOVED: adapter_removed (ended by remove, line 5)\n");
    traced("remove d0 -> STATUS_INVALID_HANDLE\n");
    traced("open a0 o0 d0 -> STATUS_SUCCESS\n");
}

static void test_processes(void **state)
{
    (void)state;
    run(LIFE "map m1 o0 mode=user\nprocess number=3\ncpu_read m1\nunmap o0 m1\nmap m2 o0 mode=user\nexit "
             "number=1\n"
             "cpu_read m2\n");
    traced("cpu_read m1 -> fault\n");
    traced("unmap o0 m1 -> refused: unmap_wrong_process (made by map, line 5)\n");
    traced("exit number=1 -> done: left_at_process_exit (made by map, line 5)\n");
    traced("cpu_read m2 -> 0x0\n");
}

static void test_frame_buffers(void **state)
{
    (void)state;
    run("add d0\npin l0 d0\npin l1 d0\nfree_adl a0 l0\ndma_write d0 l0\nunpin d0\nunpin d0\ndma_read d0 "
        "l0\n");
    traced("pin l0 d0 -> STATUS_SUCCESS pages=1");
    traced("pin l1 d0 -> STATUS_INVALID_DEVICE_STATE: pinned_twice (made by pin, line 2)\n");
    traced("unpin d0 -> STATUS_INVALID_DEVICE_STATE: not_pinned\n");
    traced("dma_read d0 l0 -> fault\n");
}

static void test_links(void **state)
{
    (void)state;
    run("add d0 remap=always\nadd d1 link=d0\ncreate o0 a0\nadl l0 a0\ndma_write d0 l0 value=9\ndma_read d1 "
        "l0\n"
        "remove d0\ndma_read d0 l0\ndma_read d1 l0\n");
    traced("add d1 link=d0 -> STATUS_SUCCESS\n");
    traced("dma_read d1 l0 -> 0x9\nremove d0 -> STATUS_SUCCESS\ndma_read d0 l0 -> fault\ndma_read d1 l0 -> "
           "0x9\n");
}

static void test_faults(void **state)
{
    char text[256];

    (void)state;
    for (unsigned nth = 1; nth <= 40; nth++) { /* every fallible call of a life, one after the other */
        snprintf(text, sizeof(text),
                 "fail nth=0x%x\n" LIFE "unmap o0 m0\nfree_adl a0 l0\ndestroy o0 with=a0\n", nth);
        run(text);
    }
}

static void test_stopped(void **state)
{
    (void)state;
    run(LIFE "stop\nclose a0\nadd d1\ndma_read d0 l0\ncpu_read m0\nstop\n");
    traced("stop -> done objects=1 adapter_objects=1 adls=1 mappings=1: ");
    traced("close a0 -> refused");
    traced("dma_read d0 l0 -> fault\ncpu_read m0 -> fault\n");
    traced(END);
}

static void test_other_members(void **state)
{
    char text[64];

    (void)state;
    for (unsigned member = 0; member < 64; member++) {
        snprintf(text, sizeof(text), "add d0\nlegacy d0 member=0x%x\nunrelated d0 member=0x%x\n", member + 16,
                 member + 16);
        run(text);
        assert_int_equal(result.callbacks, 2);
        assert_int_equal(result.successes, 0);
        traced("unrelated_callback\n");
        traced("legacy_callback\n");
    }
}

static void test_no_memory_of_earlier_runs(void **state)
{
    static const char text[] =
        LIFE "dma_write d0 l0\nclose next:a0\nremove d0\nprocess number=4\nirql level=3\nfail\n";
    uint64_t hash;

    (void)state;
    run(text);
    hash = result.trace_hash;
    run("world tiny\nadd d0\ncreate o0 a0\nfail nth=3\nargs\n");
    run(text);
    assert_true(result.trace_hash == hash);
    run("world holes\n");
    run(LIFE "dma_write d0 l0 value=2\n");
    assert_true(result.trace_hash != hash);
}

static void test_without_model(void **state)
{
    static const struct runner_options options = {.no_model = true};
    static const char text[] =
        LIFE "close a0\nfree_adl a0 l0\nremove d0\nmap m1 other:o0\nclose previous:a0\n"
             "exit\nfree_adl a0 l0\ndestroy o0 with=a0\nstop\nadd d2\n";
    struct runner *plain;
    uint64_t hash;

    (void)state;
    run(text);
    hash = result.trace_hash;
    plain = runner_create(&options);
    assert_non_null(plain);
    runner_run(plain, &program, &result);
    assert_int_equal(result.finding.invariant, 0);
    assert_true(result.trace_hash == hash);
    runner_destroy(plain);
}

static bool hit(const char *name)
{
    char text[128];

    for (unsigned cell = 0; cell < matrix_cells(); cell++) {
        matrix_name(cell, text, sizeof(text));
        if (cells[cell] != 0 && strcmp(text, name) == 0) {
            assert_true(matrix_feasible(cell));
            return true;
        }
    }
    return false;
}

static void test_matrix(void **state)
{
    unsigned feasible = 0;

    (void)state;
    memset(cells, 0, matrix_cells());
    run(LIFE "close next:a0\nclose null\nclose wrong_kind:a0\nfree_adl a0 l0\nfree_adl a0 l0\nunmap o0 m0\n"
             "destroy o0 with=a0\nclose a0\nclose recycled:a0\n");
    assert_true(hit("close a next none"));
    assert_true(hit("close a null none"));
    assert_true(hit("close a wrong_kind live"));
    assert_true(hit("free_adl l exact live"));
    assert_true(hit("free_adl l exact ended-by-free_adl"));
    assert_true(hit("close a exact ended-by-destroy"));
    assert_false(hit("close a exact ended-by-close"));
    for (unsigned cell = 0; cell < matrix_cells(); cell++)
        feasible += matrix_feasible(cell);
    assert_in_range(feasible, 100, matrix_cells() / 2);
    assert_false(matrix_feasible(matrix_cells()));
}

static uint64_t seed;

static uint64_t random_below(uint64_t count)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % count;
}

static uint64_t random_variable(void)
{
    return random_below(3) != 0 ? 0 : random_below(3);
}

/* One operand in so many is out of the ordinary. */
static uint64_t oddity;

static uint64_t random_operand(const struct program_operand *operand)
{
    static const uint64_t sizes[] = {0x1000, 0x1000, 0x2000, 0x3000, 0x8000,
                                     0x1000, 0x2000, 0,      0x800,  0x1001};
    static const uint64_t numbers[] = {
        0,        1,          2,           8,           0xfff,         0x1000,
        0x10000,  0x100000,   0x200000,    0x1fffff,    0x80000000,    0xfe000000,
        0x107fff, 0xfe001000, 0x100000000, 0x100002000, 0x40000000000, UINT64_MAX};

    switch (operand->type) {
    case PROGRAM_OPERAND_BIND:
        return random_variable();
    case PROGRAM_OPERAND_THING:
        if (random_below(oddity) == 0)
            return PROGRAM_THING(random_below(PROGRAM_CLASSES), random_variable());
        return operand->name != NULL && random_below(2) == 0
                   ? operand->preset
                   : PROGRAM_THING(PROGRAM_EXACT, random_variable());
    case PROGRAM_OPERAND_CHOICE:
        return random_below(oddity) != 0 ? operand->preset : random_below(operand->count);
    default:
        if (random_below(oddity) == 0)
            return numbers[random_below(sizeof(numbers) / sizeof(numbers[0]))];
        if (operand->preset == 0x1000 && random_below(2) == 0)
            return sizes[random_below(sizeof(sizes) / sizeof(sizes[0]))];
        if (operand->taste == PROGRAM_TASTE_SMALL && random_below(8) == 0)
            return random_below(4);
        return operand->preset;
    }
}

static void random_line(struct program_line *line, uint8_t opcode)
{
    line->opcode = opcode;
    for (unsigned i = 0; i < program_operations[opcode].operands; i++)
        line->operand[i] = random_operand(&program_operations[opcode].operand[i]);
}

static void random_program(void)
{
    static const uint8_t first[] = {OP_ADD, OP_CREATE, OP_ADD, OP_CREATE, OP_ADL, OP_MAP};
    static const uint8_t usual[] = {OP_CREATE,    OP_CREATE,   OP_ADL,       OP_ADL,
                                    OP_MAP,       OP_FREE_ADL, OP_UNMAP,     OP_DMA_READ,
                                    OP_DMA_WRITE, OP_CPU_READ, OP_CPU_WRITE, OP_OPEN};

    memset(&program, 0, sizeof(program));
    program.world = (uint8_t)random_below(PROGRAM_WORLDS);
    program.lines = (uint16_t)(8 + random_below(56));
    oddity = 4 + random_below(30);
    for (unsigned at = 0; at < program.lines; at++) {
        uint8_t opcode = random_below(2) == 0 ? (uint8_t)random_below(PROGRAM_OPCODES)
                                              : usual[random_below(sizeof(usual))];

        if (opcode == OP_STOP && random_below(4) != 0)
            opcode = OP_OPEN;
        random_line(&program.line[at], at < sizeof(first) ? first[at] : opcode);
        if (opcode == OP_IRQL && random_below(2) == 0)
            program.line[at].operand[0] = random_below(2);
        if (at < sizeof(first) && (first[at] == OP_ADD || first[at] == OP_CREATE))
            program.line[at].operand[0] = at / 2;
    }
    assert_true(program_valid(&program));
}

/* Whatever a program does, right or wrong: nothing is found, and it is the same the next time. */
static void test_random(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t hash;

        seed = i;
        random_program();
        trace_length = 0;
        runner_run(runner, &program, &result);
        if (result.finding.invariant != 0)
            fail_msg("run %u: invariant %u, line %u: %s\n%s", i, result.finding.invariant,
                     result.finding.line + 1, result.finding.message, trace);
        if (i % 16 != 0)
            continue;
        hash = result.trace_hash;
        trace_length = 0;
        runner_run(runner, &program, &result);
        assert_true(result.trace_hash == hash);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty),         cmocka_unit_test(test_life),
        cmocka_unit_test(test_leaks),         cmocka_unit_test(test_without_interface),
        cmocka_unit_test(test_old_interface), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_classes),       cmocka_unit_test(test_arguments),
        cmocka_unit_test(test_access),        cmocka_unit_test(test_scribble),
        cmocka_unit_test(test_removal),       cmocka_unit_test(test_processes),
        cmocka_unit_test(test_frame_buffers), cmocka_unit_test(test_links),
        cmocka_unit_test(test_faults),        cmocka_unit_test(test_stopped),
        cmocka_unit_test(test_other_members), cmocka_unit_test(test_no_memory_of_earlier_runs),
        cmocka_unit_test(test_without_model), cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_random),        cmocka_unit_test(test_strayed),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
