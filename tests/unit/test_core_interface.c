/* SPDX-License-Identifier: MIT */
/* The tables of names, sentences and statuses, and what a violation carries. */
#include "tests/support/world.h"

static void names_and_statuses(void **state)
{
    (void)state;
    assert_string_equal(dxgkmem_violation_name(DXGKMEM_VIOLATION_NONE), "none");
    assert_int_equal(dxgkmem_violation_status(DXGKMEM_VIOLATION_NONE), STATUS_SUCCESS);
#define EXPECT_ROW(constant, name, status, sentence)                                                         \
    assert_string_equal(dxgkmem_violation_name(DXGKMEM_VIOLATION_##constant), #name);                        \
    assert_string_equal(dxgkmem_violation_sentence(DXGKMEM_VIOLATION_##constant), sentence);                 \
    assert_int_equal(dxgkmem_violation_status(DXGKMEM_VIOLATION_##constant), status);
    DXGKMEM_VIOLATIONS(EXPECT_ROW)
#undef EXPECT_ROW
#define EXPECT_CALL(constant, name) assert_string_equal(dxgkmem_call_name(DXGKMEM_CALL_##constant), name);
    DXGKMEM_CALLS(EXPECT_CALL)
#undef EXPECT_CALL
}

/* What is no code is no violation. */
static void numbers_beyond_the_tables(void **state)
{
    (void)state;
    assert_string_equal(dxgkmem_violation_name(DXGKMEM_VIOLATION_COUNT), "none");
    assert_string_equal(dxgkmem_violation_name((enum dxgkmem_violation_code) - 1), "none");
    assert_non_null(dxgkmem_violation_sentence((enum dxgkmem_violation_code)10000));
    assert_int_equal(dxgkmem_violation_status((enum dxgkmem_violation_code)10000), STATUS_SUCCESS);
    assert_string_equal(dxgkmem_call_name(DXGKMEM_CALL_COUNT), "none");
    assert_string_equal(dxgkmem_call_name((enum dxgkmem_call) - 1), "none");
}

/* Every call takes one number, whether it succeeds or not. */
static void operations_are_numbered(void **state)
{
    uint64_t at = last_operation();
    HANDLE adapter = NULL;
    struct thing thing;
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(at, 1); /* the adapter */
    assert_false(NT_SUCCESS(try_create(mdl_arguments(world.adapter, 0), &thing)));
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_INVALID_SIZE).operation, at + 1);
    thing = thing_create(mdl_arguments(world.adapter, PAGE));
    assert_false(NT_SUCCESS(dxgkmem_add_adapter(NULL, &adapter)));
    assert_false(NT_SUCCESS(dxgkmem_remove_adapter(NULL)));
    dxgkmem_process_exit(1);
    assert_int_equal(last_operation(), at + 5);
    world.ddi.DxgkCbClosePhysicalMemoryObject(NULL);
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_NULL_ARGUMENTS).operation, at + 6);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_NOT_PINNED).operation, at + 7);
    assert_int_equal(try_adl(thing.open, 0, PAGE, 4, &adl), STATUS_INVALID_PARAMETER);
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_RESERVED_BITS).operation, at + 8);
    thing_destroy(thing);
    assert_int_equal(last_operation(), at + 9);
}

/* Statistics and audits of nothing are zero, and nobody needs to listen. */
static void nobody_listens(void **state)
{
    struct dxgkmem_statistics statistics;
    struct dxgkmem_audit audit;
    struct dxgkmem_config config;
    (void)state;
    dxgkmem_audit(&audit);
    assert_null(audit.problem);
    assert_int_equal(audit.digest, 0);
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = dxgkmem_sim_machine(world.sim);
    assert_int_equal(dxgkmem_start(NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(dxgkmem_start(&config), STATUS_SUCCESS);
    {
        struct dxgkmem_adapter_config adapter = adapter_identity(0, V31);
        world.adapter = adapter_add(&adapter);
        assert_int_equal(dxgkmem_query_interface(world.adapter, &world.ddi), STATUS_SUCCESS);
    }
    thing_close(NULL);
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.violations, 1);
    assert_int_equal(statistics.calls, 2);
    assert_int_equal(statistics.adapters, 1);
    world_end();
    config.machine = NULL;
    assert_int_equal(dxgkmem_start(&config), STATUS_INVALID_PARAMETER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_statuses),
        cmocka_unit_test(numbers_beyond_the_tables),
        cmocka_unit_test_setup_teardown(operations_are_numbered, world_setup, world_teardown),
        cmocka_unit_test(nobody_listens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
