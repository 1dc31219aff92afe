/* SPDX-License-Identifier: MIT */
/*
 * Claim: when FREE_ADL (or UNPIN, or whatever else ended an ADL) returns, no translation
 * of its pages is cached: a device that used them just before faults.
 */
#include "tests/support/world.h"

static void warm(uint64_t device, const DXGK_ADL *adl, uint64_t *pages)
{
    unsigned char byte;
    for (uint32_t i = 0; i < adl->PageCount; i++) {
        pages[i] = adl_page(adl, i);
        assert_true(dxgkmem_sim_dma_read(world.sim, device, pages[i] * PAGE, &byte, 1));
    }
}

static void expect_cold(uint64_t device, const uint64_t *pages, uint32_t count)
{
    uint64_t domain, logical;
    unsigned char byte = 0;
    assert_false(dxgkmem_sim_stale_iotlb(world.sim, &domain, &logical));
    for (uint32_t i = 0; i < count; i++) {
        assert_false(dxgkmem_sim_dma_read(world.sim, device, pages[i] * PAGE, &byte, 1));
        assert_false(dxgkmem_sim_dma_write(world.sim, device, pages[i] * PAGE, &byte, 1));
    }
}

static void after_free(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapters[2] = {world.adapter, adapter_add(&config)};
    uint64_t pages[16] = {0};
    (void)state;
    for (unsigned device = 0; device < 2; device++) {
        struct thing thing = thing_create(mdl_arguments(adapters[device], 16 * PAGE));
        DXGK_ADL *adl = adl_allocate(thing.open, 0, 16 * PAGE);
        warm(device, adl, pages);
        adl_free(thing.open, adl);
        expect_cold(device, pages, 16);
        thing_destroy(thing);
    }
}

/* Half of the pages stay covered by another ADL: those stay reachable, the others do not. */
static void half_covered(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 16 * PAGE));
    DXGK_ADL *half = adl_allocate(thing.open, 8 * PAGE, 8 * PAGE),
             *all = adl_allocate(thing.open, 0, 16 * PAGE);
    uint64_t pages[16] = {0};
    unsigned char byte;
    (void)state;
    warm(0, all, pages);
    adl_free(thing.open, all);
    expect_cold(0, pages, 8);
    for (uint32_t i = 8; i < 16; i++)
        assert_true(dxgkmem_sim_dma_read(world.sim, 0, pages[i] * PAGE, &byte, 1));
    adl_free(thing.open, half);
    expect_cold(0, pages, 16);
    thing_destroy(thing);
}

static void after_unpin(void **state)
{
    uint64_t pages[FRAME_BUFFER_PAGES] = {0};
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin(world.adapter, 0, FRAME_BUFFER_PAGES * PAGE, 0, &adl), STATUS_SUCCESS);
    warm(0, adl, pages);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    expect_cold(0, pages, FRAME_BUFFER_PAGES);
}

static void after_removal(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapter = adapter_add(&config);
    struct thing thing = thing_create(mdl_arguments(adapter, 4 * PAGE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, 4 * PAGE);
    uint64_t pages[4] = {0};
    (void)state;
    warm(1, adl, pages);
    adapter_remove(adapter);
    expect_cold(1, pages, 4);
    assert_int_equal(world.violations, 2);
    world.violations = 0;
    thing_destroy((struct thing){thing.object, NULL});
}

/* The same logical pages, given to another object, lead to the new pages. */
static void logical_pages_used_again(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapter = adapter_add(&config);
    struct thing first = thing_create(mdl_arguments(adapter, PAGE)),
                 second = thing_create(mdl_arguments(adapter, PAGE));
    unsigned char byte = 0x5a, seen = 0xff;
    DXGK_ADL *adl = adl_allocate(first.open, 0, PAGE);
    uint64_t logical = adl->BasePageNumber;
    (void)state;
    assert_true(dxgkmem_sim_dma_write(world.sim, 1, logical * PAGE, &byte, 1));
    adl_free(first.open, adl);
    adl = adl_allocate(second.open, 0, PAGE);
    assert_int_equal(adl->BasePageNumber, logical); /* the lowest place is free again */
    assert_true(dxgkmem_sim_dma_read(world.sim, 1, logical * PAGE, &seen, 1));
    assert_int_equal(seen, 0);
    adl_free(second.open, adl);
    thing_destroy(first);
    thing_destroy(second);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(after_free, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(half_covered, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(after_unpin, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(after_removal, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(logical_pages_used_again, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
