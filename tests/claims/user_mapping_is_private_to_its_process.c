/* SPDX-License-Identifier: MIT */
/*
 * Claim: a user mapping exists only in the process that made it: no other process can use
 * it or end it, whatever its own mappings look like. A kernel mapping is everybody's.
 */
#include "tests/support/world.h"

static bool readable(const void *address)
{
    unsigned char byte;
    return dxgkmem_sim_cpu_read(world.sim, address, &byte, 1);
}

static void only_in_its_process(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, 2 * PAGE));
    struct view view = view_map(thing.object, 0, 2 * PAGE, DXGK_ACCESS_MODE_USER_MODE);
    uint64_t made = last_operation();
    struct state before;
    (void)state;

    assert_true(readable(view.base));
    dxgkmem_sim_set_process(world.sim, 2);
    assert_false(readable(view.base));
    before = state_now();
    view_unmap(thing.object, view);
    expect_violation(DXGKMEM_VIOLATION_UNMAP_WRONG_PROCESS, view.base, made, DXGKMEM_CALL_MAP);
    expect_unchanged(&before);
    dxgkmem_sim_set_process(world.sim, 1);
    assert_true(readable(view.base));
    view_unmap(thing.object, view);
    expect_no_violation();
    assert_false(readable(view.base));
    thing_destroy(thing);
}

/* An address that one process gave up may become another's: for its object, and its process alone. */
static void address_of_one_process_after_another(void **state)
{
    struct thing one = thing_create(mdl_arguments(NULL, PAGE)), two = thing_create(mdl_arguments(NULL, PAGE));
    struct view first = view_map(one.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE), second;
    unsigned char written = 0x42, seen = 0;
    uint64_t ended;
    (void)state;

    assert_true(dxgkmem_sim_cpu_write(world.sim, first.base, &written, 1));
    view_unmap(one.object, first);
    ended = last_operation();
    dxgkmem_sim_set_process(world.sim, 2);
    second = view_map(two.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    assert_ptr_equal(second.base, first.base);
    assert_true(dxgkmem_sim_cpu_read(world.sim, second.base, &seen, 1));
    assert_int_equal(seen, 0);
    dxgkmem_sim_set_process(world.sim, 1);
    assert_false(readable(first.base));
    assert_int_equal(dxgkmem_sim_mappings(world.sim, 1), 0);
    assert_int_equal(dxgkmem_sim_mappings(world.sim, 2), 1);
    view_unmap(one.object, first);
    expect_violation(DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, first.base, ended, DXGKMEM_CALL_UNMAP);
    dxgkmem_sim_set_process(world.sim, 2);
    assert_true(readable(second.base));
    view_unmap(two.object, second);
    expect_no_violation();
    dxgkmem_sim_set_process(world.sim, 1);
    thing_destroy(one);
    thing_destroy(two);
}

static void kernel_mapping_is_everywhere(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    struct view view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    (void)state;
    for (uint64_t process = 1; process <= DXGKMEM_SIM_PROCESSES; process++) {
        dxgkmem_sim_set_process(world.sim, process);
        assert_true(readable(view.base));
        assert_int_equal(dxgkmem_sim_mappings(world.sim, process), 0);
    }
    view_unmap(thing.object, view); /* from the last process */
    expect_no_violation();
    dxgkmem_sim_set_process(world.sim, 1);
    thing_destroy(thing);
}

/* One write is seen through every mapping and by the device; overlapping mappings end one by one. */
static void one_memory_many_views(void **state)
{
    struct thing thing = thing_create(section_arguments(world.adapter, 4 * PAGE, PAGE_READWRITE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, 4 * PAGE);
    struct view kernel = view_map(thing.object, PAGE + 7, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    struct view user = view_map(thing.object, 0, 4 * PAGE, DXGK_ACCESS_MODE_USER_MODE);
    uint32_t seen = 0, value = 0x12345678;
    (void)state;
    assert_int_equal(kernel.offset, 7);
    assert_int_equal(kernel.bytes, 2 * PAGE);
    assert_true(dxgkmem_sim_cpu_write(world.sim, user.base + PAGE + 7, &value, sizeof(value)));
    assert_true(dxgkmem_sim_cpu_read(world.sim, kernel.base + kernel.offset, &seen, sizeof(seen)));
    assert_int_equal(seen, value);
    seen = 0;
    assert_true(dxgkmem_sim_dma_read(world.sim, 0, adl_page(adl, 1) * PAGE + 7, &seen, sizeof(seen)));
    assert_int_equal(seen, value);
    view_unmap(thing.object, kernel);
    assert_true(readable(user.base + PAGE));
    view_unmap(thing.object, user);
    assert_false(readable(user.base + PAGE));
    view_unmap(thing.object, user);
    expect_violation(DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, user.base, last_operation() - 1, DXGKMEM_CALL_UNMAP);
    adl_free(thing.open, adl);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_in_its_process, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(address_of_one_process_after_another, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(kernel_mapping_is_everywhere, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(one_memory_many_views, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
