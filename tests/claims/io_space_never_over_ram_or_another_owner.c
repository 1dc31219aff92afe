/* SPDX-License-Identifier: MIT */
/*
 * Claim: an I/O range lies over no RAM and over no live owner's range, within the physical
 * address width, and is free again when its owner ends or its creation failed.
 */
#include "tests/support/world.h"

static void expect_refused(uint64_t page, uint64_t pages, enum dxgkmem_violation_code code, uint64_t earlier)
{
    struct state before = state_now();
    struct thing thing;
    assert_int_equal(try_create(io_arguments(NULL, page, pages * PAGE), &thing),
                     dxgkmem_violation_status(code));
    expect_violation(code, NULL, earlier, earlier == 0 ? DXGKMEM_CALL_NONE : DXGKMEM_CALL_CREATE);
    expect_unchanged(&before);
}

static void never_over_ram(void **state)
{
    (void)state;
    expect_refused(0, 1, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    expect_refused(RAM_LOW_END - 1, 1, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    expect_refused(RAM_LOW_END - 1, 2, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    expect_refused(IO_PAGE, IO_PAGES + 1, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    expect_refused(IO_PAGE - 8, IO_PAGES + 16, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    expect_refused(RAM_HIGHEST, 0x1000, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    thing_destroy(thing_create(io_arguments(NULL, IO_PAGE, IO_PAGES * PAGE)));
    thing_destroy(thing_create(io_arguments(NULL, RAM_HIGHEST + 1, PAGE)));
}

static void never_another_owner(void **state)
{
    struct thing low = thing_create(io_arguments(NULL, IO_PAGE + 0x10, 0x10 * PAGE)), high, between;
    uint64_t made = last_operation();
    (void)state;
    high = thing_create(io_arguments(NULL, IO_PAGE + 0x30, 0x10 * PAGE));
    for (uint64_t first = 0; first < 0x50; first++) {
        for (uint64_t pages = 1; pages < 0x48; pages += 7) {
            bool over_low = first < 0x20 && first + pages > 0x10,
                 over_high = first < 0x40 && first + pages > 0x30;
            if (over_low || over_high) /* the owner of the lowest one is named */
                expect_refused(IO_PAGE + first, pages, DXGKMEM_VIOLATION_IO_SPACE_OVERLAP,
                               over_low ? made : made + 1);
            else
                thing_destroy(thing_create(io_arguments(NULL, IO_PAGE + first, pages * PAGE)));
        }
    }
    between = thing_create(io_arguments(NULL, IO_PAGE + 0x20, 0x10 * PAGE)); /* fills the gap exactly */
    thing_destroy(between);
    thing_destroy(low);
    low = thing_create(io_arguments(NULL, IO_PAGE, 0x30 * PAGE));
    thing_destroy(low);
    thing_destroy(high);
}

static void within_the_address_width(void **state)
{
    const uint64_t end = (uint64_t)1 << (ADDRESS_BITS - 12);
    (void)state;
    thing_destroy(thing_create(io_arguments(NULL, end - 1, PAGE)));
    expect_refused(end, 1, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0);
    expect_refused(end - 1, 2, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0);
    expect_refused(UINT64_MAX >> 12, 1, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0);
    expect_refused(UINT64_MAX >> 12, 0x1000, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0);
}

/* A creation that fails after its range was taken gives the range back. */
static void failure_gives_the_range_back(void **state)
{
    struct thing thing;
    bool fired = true;
    (void)state;
    for (unsigned nth = 1; fired; nth++) {
        dxgkmem_sim_fail_at(world.sim, nth);
        if (NT_SUCCESS(try_create(io_arguments(world.adapter, IO_PAGE, PAGE), &thing)))
            thing_destroy(thing);
        fired = dxgkmem_sim_fault_fired(world.sim);
    }
    dxgkmem_sim_fail_at(world.sim, 0);
    expect_no_violation();
    thing_destroy(thing_create(io_arguments(world.adapter, IO_PAGE, PAGE)));
}

/* Not visible: refused, and the range is free for those who see it. */
static void visibility(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing thing;
    HANDLE narrow;
    uint64_t top = RAM_HIGHEST + 0x100;
    (void)state;
    config.memory_caps.HighestVisibleAddress = physical(top * 4096 + 4095);
    narrow = adapter_add(&config);
    thing_destroy(thing_create(io_arguments(narrow, top, PAGE)));
    assert_int_equal(try_create(io_arguments(narrow, top, 2 * PAGE), &thing), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_NOT_VISIBLE, NULL, 0, DXGKMEM_CALL_NONE);
    thing = thing_create(io_arguments(world.adapter, top, 2 * PAGE));
    thing_destroy(thing);
    thing = thing_create(io_arguments(NULL, top, PAGE));
    thing.open = thing_open(thing.object, narrow);
    thing_destroy(thing);
    config = adapter_remapped(2, V31); /* names logical pages: it sees everything */
    thing_destroy(thing_create(io_arguments(adapter_add(&config), top, 2 * PAGE)));
}

/* Never mapped for a user, and never zeroed: the machine would complain. */
static void kernel_only(void **state)
{
    struct thing thing = thing_create(io_arguments(NULL, IO_PAGE, 2 * PAGE));
    struct view view;
    (void)state;
    assert_int_equal(try_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE, &view),
                     STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_IO_SPACE_TO_USER, thing.object, 0, DXGKMEM_CALL_NONE);
    view = view_map(thing.object, 0, 2 * PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    view_unmap(thing.object, view);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(never_over_ram, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(never_another_owner, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(within_the_address_width, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(failure_gives_the_range_back, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(visibility, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(kernel_only, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
