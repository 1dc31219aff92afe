/* SPDX-License-Identifier: MIT */
/*
 * Claim: when a process ends its user mappings are undone, oldest first, each reported
 * with the map that made it; nothing else changes, and other processes keep theirs.
 */
#include "tests/support/world.h"

static void mappings_of_one_process(void **state)
{
    struct thing one = thing_create(mdl_arguments(NULL, 4 * PAGE)),
                 two = thing_create(mdl_arguments(NULL, 4 * PAGE));
    struct view other, kernel, mine[6];
    struct state before;
    uint64_t made;
    (void)state;

    kernel = view_map(one.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    dxgkmem_sim_set_process(world.sim, 2);
    other = view_map(one.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    dxgkmem_sim_set_process(world.sim, 1);
    before = state_now();
    made = last_operation();
    for (unsigned i = 0; i < 6; i++)
        mine[i] = view_map(i % 2 == 0 ? one.object : two.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    /* The process is gone when the host says so: another one is current. */
    dxgkmem_sim_set_process(world.sim, 3);
    dxgkmem_process_exit(1);
    assert_int_equal(world.violations, 6);
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(world.seen[i].code, DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT);
        assert_int_equal(world.seen[i].call, DXGKMEM_CALL_PROCESS_EXIT);
        assert_int_equal(world.seen[i].operation, last_operation());
        assert_int_equal(world.seen[i].subject, (uintptr_t)mine[i].base);
        assert_int_equal(world.seen[i].earlier_operation, made + 1 + i);
        assert_int_equal(world.seen[i].earlier_call, DXGKMEM_CALL_MAP);
    }
    world.violations = 0;
    assert_int_equal(dxgkmem_sim_mappings(world.sim, 1), 0);
    assert_int_equal(dxgkmem_sim_mappings(world.sim, 2), 1);
    assert_int_equal(dxgkmem_sim_mappings(world.sim, 0), 1);
    assert_int_equal(state_now().machine, before.machine);
    assert_int_equal(state_now().pool_bytes, before.pool_bytes);
    dxgkmem_process_exit(1); /* nothing is left */
    expect_no_violation();

    dxgkmem_sim_set_process(world.sim, 2);
    view_unmap(one.object, other);
    view_unmap(one.object, kernel);
    dxgkmem_sim_set_process(world.sim, 1);
    thing_destroy(one);
    thing_destroy(two);
}

static void who_is_not_there(void **state)
{
    struct state before = state_now();
    (void)state;
    dxgkmem_process_exit(5);
    dxgkmem_process_exit(0); /* the kernel does not end */
    expect_no_violation();
    expect_unchanged(&before);
}

static void earlier_operation_of_a_late_unmap(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    struct view view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    uint64_t ended;
    (void)state;
    dxgkmem_process_exit(1);
    ended = last_operation();
    world.violations = 0;
    view_unmap(thing.object, view);
    expect_violation(DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, view.base, ended, DXGKMEM_CALL_PROCESS_EXIT);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(mappings_of_one_process, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(who_is_not_there, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(earlier_operation_of_a_late_unmap, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
