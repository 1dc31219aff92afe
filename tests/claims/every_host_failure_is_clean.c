/* SPDX-License-Identifier: MIT */
/*
 * Claim: every host call that can fail may fail at any time: the callback in which it
 * failed changed nothing and handed out nothing, the rest of the scenario goes on, and at
 * the end nothing is left.
 *
 * Each scenario runs again and again with the 1st, 2nd, 3rd ... fallible call failing,
 * until none is left to fail.
 */
#include "tests/support/world.h"

/* A step that did not succeed must have been clean. Counts failures, which only the fault may cause. */
static unsigned failures;

static bool worked(const struct state *before, NTSTATUS status)
{
    expect_no_violation();
    if (NT_SUCCESS(status))
        return true;
    assert_true(status == STATUS_NO_MEMORY || status == STATUS_INSUFFICIENT_RESOURCES);
    failures++;
    expect_same_things(before);
    return false;
}

static bool step_create(create_arguments arguments, struct thing *thing)
{
    struct state before = state_now();
    return worked(&before, try_create(arguments, thing));
}

static bool step_open(HANDLE object, HANDLE adapter, HANDLE *open)
{
    struct state before = state_now();
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT arguments = {object, adapter, (HANDLE)(uintptr_t)8};
    NTSTATUS status = world.ddi.DxgkCbOpenPhysicalMemoryObject(&arguments);
    *open = arguments.hAdapterMemoryObject;
    assert_true(NT_SUCCESS(status) || *open == NULL);
    return worked(&before, status);
}

static bool step_adl(HANDLE open, SIZE_T first, SIZE_T pages, unsigned flags, DXGK_ADL **adl)
{
    struct state before = state_now();
    return worked(&before, try_adl(open, first * PAGE, pages * PAGE, flags, adl));
}

static bool step_map(HANDLE object, SIZE_T pages, DXGK_ACCESS_MODE mode, struct view *view)
{
    struct state before = state_now();
    return worked(&before, try_map(object, 0, pages * PAGE, mode, view));
}

static bool step_add(struct dxgkmem_adapter_config config, HANDLE *adapter)
{
    struct state before = state_now();
    NTSTATUS status = dxgkmem_add_adapter(&config, adapter);
    assert_true(NT_SUCCESS(status) || *adapter == NULL);
    if (NT_SUCCESS(status))
        state_watch(config.device, *adapter);
    return worked(&before, status);
}

/* Two overlapping ADLs over scattered pages, both kinds of mapping. */
static void use(struct thing thing, SIZE_T pages)
{
    DXGK_ADL *one, *two, *three;
    struct view kernel, user;
    bool has_one, has_two, has_three, has_kernel, has_user;

    has_one = step_adl(thing.open, 0, pages, 0, &one);
    has_two = step_adl(thing.open, pages / 2, pages - pages / 2, 2, &two);
    has_three = step_adl(thing.open, 1, 1, 0, &three);
    has_kernel = step_map(thing.object, pages, DXGK_ACCESS_MODE_KERNEL_MODE, &kernel);
    has_user = step_map(thing.object, pages, DXGK_ACCESS_MODE_USER_MODE, &user);
    if (has_two)
        adl_free(thing.open, two);
    if (has_one)
        adl_free(thing.open, one);
    if (has_three)
        adl_free(thing.open, three);
    if (has_user)
        view_unmap(thing.object, user);
    if (has_kernel)
        view_unmap(thing.object, kernel);
    expect_no_violation();
}

static void scattered(void)
{
    struct thing thing;
    if (!step_create(mdl_arguments(world.adapter, 12 * PAGE), &thing))
        return;
    use(thing, 12);
    thing_destroy(thing);
}

static void opened_later(void)
{
    struct thing thing;
    if (!step_create(section_arguments(NULL, 12 * PAGE, PAGE_READWRITE), &thing))
        return;
    if (step_open(thing.object, world.adapter, &thing.open)) {
        use(thing, 12);
        thing_close(thing.open);
        if (step_open(thing.object, world.adapter, &thing.open))
            use(thing, 5);
    }
    thing_destroy(thing);
}

static void on_remapped(void)
{
    struct thing thing;
    HANDLE adapter;
    if (!step_add(adapter_remapped(1, V31), &adapter))
        return;
    if (step_create(mdl_arguments(adapter, 12 * PAGE), &thing)) {
        use(thing, 12);
        thing_destroy(thing);
    }
    adapter_remove(adapter);
}

static void on_linked(void)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE lead, second;
    struct thing thing;
    if (!step_add(config, &lead))
        return;
    config.device = 2;
    config.link_to = lead;
    /* It sees less than the chain promised so far; only if it joins may that change. */
    config.memory_caps.HighestVisibleAddress.QuadPart = 0x7fffff;
    if (step_add(config, &second)) {
        if (step_create(contiguous_arguments(second, 12 * PAGE), &thing)) {
            use(thing, 12);
            thing_destroy(thing);
        }
        adapter_remove(second);
    }
    adapter_remove(lead);
}

static void io_range(void)
{
    struct thing thing;
    struct view view;
    DXGK_ADL *adl;
    if (!step_create(io_arguments(world.adapter, IO_PAGE, 12 * PAGE), &thing))
        return;
    if (step_adl(thing.open, 0, 12, 1, &adl))
        adl_free(thing.open, adl);
    if (step_map(thing.object, 12, DXGK_ACCESS_MODE_KERNEL_MODE, &view))
        view_unmap(thing.object, view);
    thing_destroy(thing);
}

static void pinned_frame_buffer(void)
{
    DXGK_ADL *adl;
    for (unsigned flags = 0; flags < 2; flags++) {
        struct state before = state_now();
        if (worked(&before, try_pin(world.adapter, 0, 8 * PAGE, flags, &adl)))
            assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    }
}

/* Tables grow on the way: more handles and ADLs than their first segments hold. */
static void growing_tables(void)
{
    enum { MANY = 40 };
    struct thing thing[MANY];
    DXGK_ADL *adl[2 * MANY];
    unsigned things = 0, adls = 0;
    for (unsigned i = 0; i < MANY; i++)
        if (NT_SUCCESS(try_create(mdl_arguments(world.adapter, PAGE), &thing[things])))
            things++;
        else
            failures++;
    for (unsigned i = 0; i < 2 * MANY && things > 0; i++)
        if (NT_SUCCESS(try_adl(thing[0].open, 0, PAGE, 0, &adl[adls])))
            adls++;
        else
            failures++;
    (void)state_now();
    while (adls > 0)
        adl_free(thing[0].open, adl[--adls]);
    while (things > 0)
        thing_destroy(thing[--things]);
}

static void until_nothing_fails(void (*scenario)(void))
{
    unsigned fired = 0;
    for (unsigned nth = 1;; nth++) {
        bool hit;
        (void)world_setup(NULL);
        failures = 0;
        dxgkmem_sim_fail_at(world.sim, nth);
        scenario();
        hit = dxgkmem_sim_fault_fired(world.sim);
        dxgkmem_sim_fail_at(world.sim, 0);
        if (hit)
            fired++;
        else
            assert_int_equal(failures, 0); /* nothing but the fault makes a step fail */
        expect_no_violation();
        world_end();
        if (!hit)
            break;
        assert_true(nth < 1000);
    }
    assert_true(fired > 1);
}

#define SCENARIO(name)                                                                                       \
    static void fail_##name(void **state)                                                                    \
    {                                                                                                        \
        (void)state;                                                                                         \
        until_nothing_fails(name);                                                                           \
    }

SCENARIO(scattered)
SCENARIO(opened_later)
SCENARIO(on_remapped)
SCENARIO(on_linked)
SCENARIO(io_range)
SCENARIO(pinned_frame_buffer)
SCENARIO(growing_tables)

/* Start itself: its pool allocations fail one by one, and it can be tried again. */
static void fail_start(void **state)
{
    NTSTATUS status = STATUS_UNSUCCESSFUL;
    (void)state;
    for (unsigned nth = 1; !NT_SUCCESS(status); nth++) {
        struct dxgkmem_config config;
        struct dxgkmem_leaks leaks;
        uint64_t bytes;
        assert_true(nth < 10);
        world_make_machine(0);
        bytes = dxgkmem_sim_pool_bytes(world.sim);
        memset(&config, 0, sizeof(config));
        config.machine = dxgkmem_sim_machine(world.sim);
        dxgkmem_sim_fail_at(world.sim, nth);
        status = dxgkmem_start(&config);
        if (NT_SUCCESS(status)) {
            assert_true(nth > 1);
            dxgkmem_stop(&leaks);
        } else {
            assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
            assert_int_equal(dxgkmem_add_adapter(NULL, NULL), STATUS_INVALID_DEVICE_STATE);
        }
        assert_int_equal(dxgkmem_sim_pool_bytes(world.sim), bytes);
        dxgkmem_sim_destroy(world.sim);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail_scattered),      cmocka_unit_test(fail_opened_later),
        cmocka_unit_test(fail_on_remapped),    cmocka_unit_test(fail_on_linked),
        cmocka_unit_test(fail_io_range),       cmocka_unit_test(fail_pinned_frame_buffer),
        cmocka_unit_test(fail_growing_tables), cmocka_unit_test(fail_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
