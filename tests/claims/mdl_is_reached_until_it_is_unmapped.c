/* SPDX-License-Identifier: MIT */
/*
 * Claim: the device reaches the pages of a mapped MDL, and of nothing else, from the map to the unmap; whatever
 * becomes of the MDL and of its pages meanwhile, they are nobody else's before; a failure of the host leaves
 * nothing mapped.
 */
#include "tests/support/world.h"

#include <stdlib.h>

#define PAGES 5u

static bool reads(uint64_t device, uint64_t page)
{
    uint64_t word;
    return dxgkmem_sim_dma_read(world.sim, device, page << 12, &word, sizeof(word));
}

static void reached(void **state)
{
    struct own_mdl mdl = own_mdl(0, DXGKMEM_SIM_DRIVER_PAGES);
    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        HANDLE memory = mdl_map(world.adapter, 2, PAGES);
        for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++)
            assert_int_equal(reads(0, mdl.page[i]), i >= 2 && i < 2 + PAGES);
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), PAGES);
        mdl_unmap(world.adapter, memory);
        for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++)
            assert_false(reads(0, mdl.page[i]));
    }
    expect_no_violation();
}

/* What the device writes the driver finds in its pages; they are not zeroed, and not by another adapter either. */
static void contents_are_the_drivers(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    HANDLE other = adapter_add(&config), memory = mdl_map(world.adapter, 0, 2), again;
    struct own_mdl mdl = own_mdl(0, 2);
    uint64_t word = 0x1234567890abcdef;
    (void)state;
    assert_true(dxgkmem_sim_dma_write(world.sim, 0, (uint64_t)mdl.page[1] << 12, &word, sizeof(word)));
    again = mdl_map(other, 1, 1);
    mdl_unmap(world.adapter, memory);
    word = 0;
    assert_false(reads(0, mdl.page[1]));
    assert_true(dxgkmem_sim_dma_read(world.sim, 1, (uint64_t)mdl.page[1] << 12, &word, sizeof(word)));
    assert_int_equal(word, 0x1234567890abcdef);
    mdl_unmap(other, again);
    assert_false(reads(1, mdl.page[1]));
    expect_no_violation();
}

/* The MDL is read by the call that maps it, and never again. */
static void mdl_goes_first(void **state)
{
    struct own_mdl *mdl = malloc(sizeof(*mdl));
    ULONG_PTR page[3];
    HANDLE memory;
    (void)state;
    assert_non_null(mdl);
    *mdl = own_mdl(4, 3);
    memcpy(page, mdl->page, sizeof(page));
    assert_int_equal(try_map_mdl(world.adapter, mdl, &memory), STATUS_SUCCESS);
    memset(mdl, 0xff, sizeof(*mdl));
    free(mdl);
    for (unsigned i = 0; i < 3; i++)
        assert_true(reads(0, page[i]));
    mdl_unmap(world.adapter, memory);
    for (unsigned i = 0; i < 3; i++)
        assert_false(reads(0, page[i]));
    expect_no_violation();
}

/* The driver gives its pages back while the device reaches them: nobody gets them before the last unmap. */
static void pages_go_first(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    HANDLE other = adapter_add(&config);
    HANDLE memory = mdl_map(world.adapter, 0, PAGES), second = mdl_map(other, 1, 1);
    struct own_mdl mdl = own_mdl(0, DXGKMEM_SIM_DRIVER_PAGES);
    (void)state;
    dxgkmem_sim_driver_gives(world.sim);
    for (unsigned i = 0; i < DXGKMEM_SIM_DRIVER_PAGES; i++)
        assert_int_equal(dxgkmem_sim_is_allocated(world.sim, mdl.page[i]), i < PAGES);
    assert_true(reads(0, mdl.page[1]));
    mdl_unmap(world.adapter, memory);
    for (unsigned i = 0; i < PAGES; i++)
        assert_int_equal(dxgkmem_sim_is_allocated(world.sim, mdl.page[i]), i == 1);
    assert_true(reads(1, mdl.page[1]));
    mdl_unmap(other, second);
    assert_false(dxgkmem_sim_is_allocated(world.sim, mdl.page[1]));
    expect_no_violation();
    /* They are not the driver's any more. */
    assert_int_equal(try_map_mdl(world.adapter, &mdl, &memory), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
}

static void adapter_goes(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    HANDLE adapter = adapter_add(&config), memory = mdl_map(adapter, 3, 2);
    uint64_t made = last_operation(), page;
    (void)state;
    assert_true(dxgkmem_sim_driver_page(world.sim, 4, &page));
    adapter_remove(adapter);
    expect_violation(DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, memory, made, DXGKMEM_CALL_MAP_MDL);
    assert_false(reads(1, page));
    mdl_unmap(world.adapter, memory);
    (void)expect_code(DXGKMEM_VIOLATION_ADAPTER_REMOVED);
    memory = mdl_map(world.adapter, 3, 2);
    mdl_unmap(world.adapter, memory);
    expect_no_violation();
}

static void left_at_stop(void **state)
{
    struct dxgkmem_leaks leaks;
    HANDLE memory;
    (void)world_setup(state);
    memory = mdl_map(world.adapter, 0, 3);
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.memories, 1);
    assert_int_equal(leaks.mappings + leaks.objects + leaks.adls, 0);
    expect_violation(DXGKMEM_VIOLATION_LEFT_AT_STOP, memory, last_operation() - 1, DXGKMEM_CALL_MAP_MDL);
    world_end();
}

static void quota_of_the_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    struct own_mdl mdl = own_mdl(8, 4);
    HANDLE adapter, first, second;
    (void)state;
    config.quota = (struct dxgkmem_quota){.pages = 5, .adls = 2};
    adapter = adapter_add(&config);
    first = mdl_map(adapter, 0, 2);
    assert_int_equal(try_map_mdl(adapter, &mdl, &second), STATUS_QUOTA_EXCEEDED); /* pages */
    second = mdl_map(adapter, 2, 3);
    mdl_unmap(adapter, first);
    first = mdl_map(adapter, 0, 1);
    mdl = own_mdl(8, 1);
    assert_int_equal(try_map_mdl(adapter, &mdl, &second), STATUS_QUOTA_EXCEEDED); /* reach */
    mdl_unmap(adapter, first);
    expect_no_violation();
    adapter_remove(adapter);
    (void)expect_code(DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
}

static void host_fails(void **state)
{
    struct own_mdl mdl = own_mdl(0, PAGES);
    HANDLE memory = mdl_map(world.adapter, 0, PAGES); /* tables grow */
    unsigned failures = 0;
    (void)state;
    mdl_unmap(world.adapter, memory);
    for (unsigned nth = 1;; nth++) {
        struct state before = state_now();
        NTSTATUS status;
        dxgkmem_sim_fail_at(world.sim, nth);
        status = try_map_mdl(world.adapter, &mdl, &memory);
        dxgkmem_sim_fail_at(world.sim, 0);
        if (NT_SUCCESS(status))
            break;
        failures++;
        expect_same_things(&before);
        expect_same_pool(&before);
    }
    mdl_unmap(world.adapter, memory);
    assert_true(failures >= 7); /* record, object, page numbers, hold, claim, lock, reach */
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reached, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(contents_are_the_drivers, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(mdl_goes_first, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pages_go_first, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(adapter_goes, world_setup, world_teardown),
        cmocka_unit_test(left_at_stop),
        cmocka_unit_test_setup_teardown(quota_of_the_adapter, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(host_fails, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
