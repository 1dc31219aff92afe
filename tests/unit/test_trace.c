/* SPDX-License-Identifier: MIT */
/* The text of a trace line: what is said of an event, and how it is cut to a bounded buffer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "program/operands.h"
#include "program/runner.h"

static struct program program;
static char text[512];

static void parse(const char *source)
{
    struct program_error error;

    if (!program_parse(&program, source, strlen(source), &error))
        fail_msg("line %u: %s", error.line, error.message);
}

static void expect(const struct runner_event *event, const char *line)
{
    size_t length = trace_print(&program, event, text, sizeof(text));

    assert_string_equal(text, line);
    assert_int_equal(length, strlen(line));
}

static void test_status(void **state)
{
    struct runner_event event = {.opcode = OP_CREATE, .has_status = true};

    (void)state;
    parse("create o0 a0 adapter=d1 size=0x3000\n");
    expect(&event, "create o0 a0 adapter=d1 size=0x3000 -> STATUS_SUCCESS");
    event.status = STATUS_QUOTA_EXCEEDED;
    expect(&event, "create o0 a0 adapter=d1 size=0x3000 -> STATUS_QUOTA_EXCEEDED");
    event.status = STATUS_INVALID_PARAMETER;
    event.reports = 1;
    event.report[0].code = DXGKMEM_VIOLATION_INVALID_SIZE;
    expect(&event, "create o0 a0 adapter=d1 size=0x3000 -> STATUS_INVALID_PARAMETER: invalid_size");
}

static void test_refused(void **state)
{
    struct runner_event event = {.opcode = OP_CLOSE, .reports = 1};

    (void)state;
    parse("close a0\n");
    event.report[0].code = DXGKMEM_VIOLATION_STALE_HANDLE;
    event.report[0].earlier_call = DXGKMEM_CALL_DESTROY;
    event.report[0].earlier_line = 4;
    expect(&event, "close a0 -> refused: stale_handle (ended by destroy, line 4)");
    event.report[0].code = DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL;
    event.report[0].earlier_call = DXGKMEM_CALL_ALLOCATE_ADL;
    expect(&event, "close a0 -> refused: close_with_live_adl (made by adl, line 4)");
    event.reports = 0;
    expect(&event, "close a0 -> done");
    event.skipped = true;
    expect(&event, "close a0 -> skipped");
}

static void test_access(void **state)
{
    struct runner_event event = {.opcode = OP_DMA_READ, .values = 2, .value = {0, 0x7}};

    (void)state;
    parse("dma_read d0 l0\ndma_write d0 l0\nscribble l0\n");
    expect(&event, "dma_read d0 l0 -> 0x7");
    event.value[0] = 1;
    expect(&event, "dma_read d0 l0 -> fault");
    event = (struct runner_event){.line = 1, .opcode = OP_DMA_WRITE, .values = 1};
    expect(&event, "dma_write d0 l0 -> done");
    event = (struct runner_event){.line = 2, .opcode = OP_SCRIBBLE};
    expect(&event, "scribble l0 -> done");
}

static void test_end(void **state)
{
    struct runner_event event = {
        .line = 1, .opcode = OP_STOP, .values = 4, .value = {1, 0, 0, 16}, .reports = 2};

    (void)state;
    parse("close a0\n");
    event.report[0].code = event.report[1].code = DXGKMEM_VIOLATION_LEFT_AT_STOP;
    event.report[1].earlier_call = DXGKMEM_CALL_MAP;
    event.report[1].earlier_line = 1;
    expect(&event, "the end -> done objects=1 adapter_objects=0 adls=0 mappings=0x10: left_at_stop, "
                   "left_at_stop (made by map, line 1)");
}

static void test_cut(void **state)
{
    struct runner_event event = {.opcode = OP_CLOSE};
    size_t whole = strlen("close a0 -> done");

    (void)state;
    parse("close a0\n");
    for (size_t room = 0; room <= whole + 2; room++) {
        memset(text, 'x', sizeof(text));
        assert_int_equal(trace_print(&program, &event, text, room), whole);
        assert_int_equal(text[room], 'x');
        if (room > 0) {
            assert_int_equal(strlen(text), room > whole ? whole : room - 1);
            assert_memory_equal(text, "close a0 -> done", strlen(text));
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(trace_status_name(STATUS_DEVICE_REMOVED), "STATUS_DEVICE_REMOVED");
    assert_string_equal(trace_status_name((NTSTATUS)0x12345678), "another status");
    for (unsigned code = 1; code < DXGKMEM_VIOLATION_COUNT; code++)
        assert_string_not_equal(
            trace_status_name(dxgkmem_violation_status((enum dxgkmem_violation_code)code)), "another status");
    for (unsigned call = 0; call < DXGKMEM_CALL_COUNT; call++)
        assert_non_null(trace_call_name((enum dxgkmem_call)call));
}

/* Lines are those of the text when there is one: comments and empty lines count. */
static void test_source_lines(void **state)
{
    struct runner_event event = {.opcode = OP_CLOSE, .line = 1, .reports = 1};

    (void)state;
    parse("# a comment\nworld tiny\n\nadd d0\nclose a0\n");
    event.report[0].code = DXGKMEM_VIOLATION_STALE_HANDLE;
    event.report[0].earlier_call = DXGKMEM_CALL_DESTROY;
    event.report[0].earlier_line = 1;
    expect(&event, "close a0 -> refused: stale_handle (ended by destroy, line 4)");
    program.line[0].source = 0; /* as from the binary form */
    expect(&event, "close a0 -> refused: stale_handle (ended by destroy, line 1)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_status), cmocka_unit_test(test_refused), cmocka_unit_test(test_source_lines),
        cmocka_unit_test(test_access), cmocka_unit_test(test_end),     cmocka_unit_test(test_cut),
        cmocka_unit_test(test_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
