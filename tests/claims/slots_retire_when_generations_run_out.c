/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handle value is never given out twice. When the generations of a slot run out
 * it is retired, and when no slot is left a call fails for want of resources.
 */
#include "tests/support/world.h"

#include <stdlib.h>

static void start_with(uint32_t handles, uint32_t generations)
{
    struct dxgkmem_config config;
    memset(&config, 0, sizeof(config));
    config.limits.handles = handles;
    config.limits.generations = generations;
    world_make_machine(0);
    world_start(&config);
}

static uint64_t retired(void)
{
    struct dxgkmem_statistics statistics;
    dxgkmem_query_statistics(&statistics);
    return statistics.retired_slots;
}

static int by_value(const void *a, const void *b)
{
    const uintptr_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

static void never_the_same_handle(void **state)
{
    enum { HANDLES = 10, GENERATIONS = 7 };
    uintptr_t given[HANDLES * GENERATIONS * 2] = {0};
    unsigned count = 0;
    struct thing thing;
    NTSTATUS status;
    (void)state;

    start_with(HANDLES, GENERATIONS);
    while (NT_SUCCESS(status = try_create(mdl_arguments(world.adapter, PAGE), &thing))) {
        assert_true(count + 2 <= sizeof(given) / sizeof(given[0]));
        given[count++] = (uintptr_t)thing.object;
        given[count++] = (uintptr_t)thing.open;
        thing_destroy(thing);
    }
    assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    expect_no_violation();
    /* One slot is the adapter's; of the others one may be left, which cannot hold both handles. */
    assert_true(retired() >= HANDLES - 2);
    assert_true(count >= (HANDLES - 2) * GENERATIONS);
    qsort(given, count, sizeof(given[0]), by_value);
    for (unsigned i = 1; i < count; i++)
        assert_true(given[i - 1] != given[i]);
    world_end();
}

static void one_life_each(void **state)
{
    struct thing thing;
    struct state before;
    (void)state;
    start_with(3, 1);
    thing = thing_create(mdl_arguments(NULL, PAGE));
    thing_destroy(thing);
    assert_int_equal(retired(), 1);
    before = state_now();
    thing_destroy(thing); /* stale for ever */
    (void)expect_code(DXGKMEM_VIOLATION_STALE_HANDLE);
    expect_unchanged(&before);
    thing_destroy(thing_create(mdl_arguments(NULL, PAGE)));
    assert_int_equal(retired(), 2);
    assert_int_equal(try_create(mdl_arguments(NULL, PAGE), &thing), STATUS_INSUFFICIENT_RESOURCES);
    world_end();
}

/* A slot that was reserved by a call that failed has not been used: it does not age. */
static void failures_do_not_age_a_slot(void **state)
{
    struct thing thing;
    (void)state;
    start_with(2, 1);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(try_create(mdl_arguments(NULL, (RAM_PAGES + 1) * PAGE), &thing), STATUS_NO_MEMORY);
    assert_int_equal(retired(), 0);
    thing_destroy(thing_create(mdl_arguments(NULL, PAGE)));
    assert_int_equal(retired(), 1);
    world_end();
}

/* Reset begins again: other keys, so other values. */
static void reset_gives_slots_back(void **state)
{
    (void)state;
    start_with(2, 1);
    thing_destroy(thing_create(mdl_arguments(NULL, PAGE)));
    assert_int_equal(retired(), 1);
    dxgkmem_reset();
    assert_int_equal(retired(), 0);
    thing_destroy(thing_create(mdl_arguments(NULL, PAGE)));
    world_end();
}

/* With one slot left there is room for an object, but not for one that is open as well. */
static void both_handles_or_none(void **state)
{
    struct thing thing, none;
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open;
    struct state before;
    (void)state;
    start_with(2, 0);
    before = state_now();
    assert_int_equal(try_create(mdl_arguments(world.adapter, PAGE), &none), STATUS_INSUFFICIENT_RESOURCES);
    expect_same_things(&before);
    thing = thing_create(mdl_arguments(NULL, PAGE));
    before = state_now();
    assert_int_equal(try_create(mdl_arguments(world.adapter, PAGE), &none), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(try_create(mdl_arguments(NULL, PAGE), &none), STATUS_INSUFFICIENT_RESOURCES);
    memset(&open, 0, sizeof(open));
    open.hPhysicalMemoryObject = thing.object;
    open.hAdapter = world.adapter;
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_INSUFFICIENT_RESOURCES);
    assert_null(open.hAdapterMemoryObject);
    expect_no_violation();
    expect_same_things(&before);
    thing_destroy(thing);
    world_end();
}

static void limits_of_limits(void **state)
{
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = dxgkmem_sim_machine(world.sim);
    config.limits.generations = 1u << DXGKMEM_HANDLE_GENERATION_BITS;
    assert_int_equal(dxgkmem_start(&config), STATUS_INVALID_PARAMETER);
    config.limits.generations = (1u << DXGKMEM_HANDLE_GENERATION_BITS) - 1;
    config.limits.handles = 1u << DXGKMEM_HANDLE_INDEX_BITS;
    assert_int_equal(dxgkmem_start(&config), STATUS_INVALID_PARAMETER);
    config.limits.handles = (1u << DXGKMEM_HANDLE_INDEX_BITS) - 1;
    config.limits.object_bytes = ((uint64_t)1 << 44) - PAGE + 1;
    assert_int_equal(dxgkmem_start(&config), STATUS_INVALID_PARAMETER);
    config.limits.object_bytes = 0;
    assert_int_equal(dxgkmem_start(&config), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_start(&config), STATUS_INVALID_DEVICE_STATE);
    dxgkmem_stop(NULL);
    dxgkmem_sim_destroy(world.sim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(never_the_same_handle),      cmocka_unit_test(one_life_each),
        cmocka_unit_test(failures_do_not_age_a_slot), cmocka_unit_test(reset_gives_slots_back),
        cmocka_unit_test(both_handles_or_none),       cmocka_unit_test(limits_of_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
