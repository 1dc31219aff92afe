/* SPDX-License-Identifier: MIT */
/*
 * Claim: what is left at stop is listed exactly: each thing once, with its handle or
 * address and the call that made it, and the counts agree; everything is freed all the same.
 */
#include "tests/support/world.h"

static void expect_listed(const void *subject, uint64_t made, enum dxgkmem_call call)
{
    unsigned found = 0;
    for (unsigned i = 0; i < world.violations; i++)
        found += world.seen[i].subject == (uintptr_t)subject && world.seen[i].earlier_operation == made &&
                 world.seen[i].earlier_call == call;
    assert_int_equal(found, 1);
}

static void something_of_everything(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE remapped = adapter_add(&config);
    uint64_t at = last_operation();
    struct thing one = thing_create(mdl_arguments(world.adapter, 4 * PAGE));          /* at + 1 */
    struct thing two = thing_create(io_arguments(NULL, IO_PAGE, PAGE));               /* at + 2 */
    struct thing three = thing_create(section_arguments(NULL, PAGE, PAGE_READONLY));  /* at + 3 */
    HANDLE opened = thing_open(three.object, remapped);                               /* at + 4 */
    DXGK_ADL *first = adl_allocate(one.open, 0, PAGE);                                /* at + 5 */
    DXGK_ADL *second = adl_allocate(one.open, 0, 4 * PAGE);                           /* at + 6 */
    DXGK_ADL *third = adl_allocate(opened, 0, PAGE);                                  /* at + 7 */
    struct view kernel = view_map(two.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE); /* at + 8 */
    struct view user = view_map(one.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);     /* at + 9 */
    struct dxgkmem_statistics statistics;
    struct dxgkmem_leaks leaks;
    DXGK_ADL *frame_buffer;
    (void)state;

    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &frame_buffer), STATUS_SUCCESS); /* at + 10 */
    dxgkmem_sim_set_process(world.sim, 3); /* stop runs wherever it is called */
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.objects, 3);
    assert_int_equal(leaks.adapter_objects, 2);
    assert_int_equal(leaks.adls, 3);
    assert_int_equal(leaks.mappings, 2);
    assert_int_equal(leaks.frame_buffers, 1);
    assert_int_equal(world.violations, 11);
    for (unsigned i = 0; i < world.violations; i++) {
        assert_int_equal(world.seen[i].code, DXGKMEM_VIOLATION_LEFT_AT_STOP);
        assert_int_equal(world.seen[i].call, DXGKMEM_CALL_STOP);
        assert_int_equal(world.seen[i].operation, at + 11);
        assert_false(world.seen[i].documented);
    }
    expect_listed(one.object, at + 1, DXGKMEM_CALL_CREATE);
    expect_listed(one.open, at + 1, DXGKMEM_CALL_CREATE);
    expect_listed(two.object, at + 2, DXGKMEM_CALL_CREATE);
    expect_listed(three.object, at + 3, DXGKMEM_CALL_CREATE);
    expect_listed(opened, at + 4, DXGKMEM_CALL_OPEN);
    expect_listed(first, at + 5, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_listed(second, at + 6, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_listed(third, at + 7, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_listed(kernel.base, at + 8, DXGKMEM_CALL_MAP);
    expect_listed(user.base, at + 9, DXGKMEM_CALL_MAP);
    expect_listed(frame_buffer, at + 10, DXGKMEM_CALL_PIN);
    world.violations = 0;
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.pool_bytes, 0);
    assert_int_equal(dxgkmem_sim_free_pages(world.sim), RAM_PAGES);
}

/* Whatever its slot is: with room for two handles the object gets that of the adapter that was the first of all. */
static void in_the_first_slot(void **state)
{
    struct dxgkmem_adapter_config second = adapter_identity(1, V31);
    struct dxgkmem_config config;
    struct dxgkmem_leaks leaks;
    HANDLE object;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.limits.handles = 2;
    world_make_machine(0);
    world_start(&config);
    (void)adapter_add(&second);
    adapter_remove(world.adapter);
    object = thing_create(mdl_arguments(NULL, PAGE)).object;
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.objects, 1);
    assert_int_equal(world.violations, 1);
    assert_int_equal(world.seen[0].subject, (uintptr_t)object);
    world.violations = 0;
    world_end();
}

static void nothing_is_left(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    struct dxgkmem_leaks leaks, none;
    (void)state;
    memset(&none, 0, sizeof(none));
    memset(&leaks, 0xff, sizeof(leaks));
    thing_destroy(thing);
    dxgkmem_stop(&leaks); /* an adapter that is present is not a leak */
    assert_memory_equal(&leaks, &none, sizeof(none));
    expect_no_violation();
    memset(&leaks, 0xff, sizeof(leaks));
    dxgkmem_stop(&leaks); /* twice */
    assert_memory_equal(&leaks, &none, sizeof(none));
    dxgkmem_reset();
}

/* Reset frees as much and says nothing. */
static void reset_is_silent(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 4 * PAGE));
    DXGK_ADL *frame_buffer;
    struct state fresh;
    struct dxgkmem_statistics statistics;
    (void)state;
    (void)adl_allocate(thing.open, 0, PAGE);
    (void)view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &frame_buffer), STATUS_SUCCESS);
    dxgkmem_reset();
    expect_no_violation();
    fresh = state_now();
    assert_int_equal(fresh.free_pages, RAM_PAGES);
    assert_int_equal(fresh.statistics.objects + fresh.statistics.adapters + fresh.statistics.adls, 0);
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.calls, 0);
    assert_int_equal(statistics.violations, 0);
}

/* After a reset the same calls do the same: same operations, same pool. */
static void reset_begins_again(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(0, V31);
    struct state first, second;
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        struct thing things[200];
        dxgkmem_reset();
        dxgkmem_sim_reset(world.sim);
        world.adapter = adapter_add(&config);
        assert_int_equal(last_operation(), 1);
        for (unsigned i = 0; i < 200; i++)
            things[i] = thing_create(mdl_arguments(world.adapter, PAGE));
        (void)adl_allocate(things[7].open, 0, PAGE);
        second = state_now();
        if (round == 0)
            first = second;
        assert_int_equal(first.core, second.core);
        assert_int_equal(first.machine, second.machine);
        assert_int_equal(first.pool_bytes, second.pool_bytes);
    }
    dxgkmem_reset();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(something_of_everything, world_setup, world_teardown),
        cmocka_unit_test(in_the_first_slot),
        cmocka_unit_test_setup_teardown(nothing_is_left, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(reset_is_silent, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(reset_begins_again, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
