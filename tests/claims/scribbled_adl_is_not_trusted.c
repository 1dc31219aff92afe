/* SPDX-License-Identifier: MIT */
/*
 * Claim: what the driver wrote into a DXGK_ADL or its page array decides nothing: FREE_ADL
 * says adl_scribbled and frees exactly what was allocated, from its own record.
 */
#include "tests/support/world.h"

static uint64_t pages[8];

static DXGK_ADL *fresh(HANDLE open)
{
    DXGK_ADL *adl = adl_allocate(open, 0, 8 * PAGE);
    for (uint32_t i = 0; i < 8; i++)
        pages[i] = adl_page(adl, i);
    return adl;
}

static void expect_freed(uint64_t device, HANDLE open, DXGK_ADL *adl, const struct state *before,
                         bool scribbled)
{
    uint64_t made = last_operation();
    struct state now;
    unsigned char byte;

    adl_free(open, adl);
    if (scribbled)
        expect_violation(DXGKMEM_VIOLATION_ADL_SCRIBBLED, adl, made, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_no_violation();
    for (unsigned i = 0; i < 8; i++)
        assert_false(dxgkmem_sim_dma_read(world.sim, device, pages[i] * PAGE, &byte, 1));
    now = state_now();
    assert_int_equal(now.machine, before->machine);
    assert_int_equal(now.statistics.adls, 0);
    assert_int_equal(now.pool_bytes, before->pool_bytes);
}

static void each_field(uint64_t device, HANDLE adapter)
{
    struct thing thing = thing_create(mdl_arguments(adapter, 8 * PAGE));
    struct thing other = thing_create(mdl_arguments(adapter, 8 * PAGE));
    DXGK_ADL *adl = fresh(thing.open), *others;
    struct state before;

    adl_free(thing.open, adl);
    before = state_now();

    adl = fresh(thing.open);
    expect_freed(device, thing.open, adl, &before, false);

    adl = fresh(thing.open);
    adl->PageCount = 1;
    expect_freed(device, thing.open, adl, &before, true);

    adl = fresh(thing.open);
    adl->PageCount = UINT32_MAX;
    expect_freed(device, thing.open, adl, &before, true);

    adl = fresh(thing.open);
    adl->Flags.Value ^= 1;
    expect_freed(device, thing.open, adl, &before, true);

    adl = fresh(thing.open);
    adl->Flags.Reserved = 5;
    expect_freed(device, thing.open, adl, &before, true);

    adl = fresh(thing.open);
    adl->BasePageNumber = 0;
    expect_freed(device, thing.open, adl, &before, true);

    adl = fresh(thing.open);
    memset(adl, 0xff, sizeof(*adl));
    expect_freed(device, thing.open, adl, &before, true);

    /* Another object's ADL, copied over this one, does not end that one. */
    adl = adl_allocate(other.open, 0, 8 * PAGE);
    others = fresh(thing.open);
    *others = *adl;
    adl_free(thing.open, others);
    (void)expect_code(DXGKMEM_VIOLATION_ADL_SCRIBBLED);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, device), 8);
    adl_free(other.open, adl);
    expect_no_violation();
    thing_destroy(other);
    thing_destroy(thing);
}

static void every_field(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE remapped = adapter_add(&config);
    (void)state;
    each_field(0, world.adapter);
    each_field(1, remapped);
}

/* The array is const for the driver, but memory all the same. */
static void page_array(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 8 * PAGE));
    DXGK_ADL *adl = fresh(thing.open);
    struct state before;
    (void)state;
    assert_false(adl->Flags.Contiguous); /* the machine scatters what need not be contiguous */
    adl_free(thing.open, adl);
    before = state_now();
    for (unsigned i = 0; i < 8; i++) {
        DXGK_PAGE_NUMBER *array;
        adl = fresh(thing.open);
        memcpy(&array, &adl->Pages, sizeof(array));
        array[i] ^= 1;
        expect_freed(0, thing.open, adl, &before, true);
    }
    thing_destroy(thing);
}

/* A scribble does not save an ADL from the other checks, nor a process of ending from being complete. */
static void scribbled_and_removed(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 8 * PAGE));
    DXGK_ADL *adl = fresh(thing.open);
    (void)state;
    memset(adl, 0xaa, sizeof(*adl));
    adapter_remove(world.adapter);
    assert_int_equal(world.violations, 2);
    assert_int_equal(world.seen[0].code, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
    world.violations = 0;
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    thing_destroy((struct thing){thing.object, NULL});
}

static void scribbled_frame_buffer(void **state)
{
    struct state before;
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin(world.adapter, 0, 8 * PAGE, 0, &adl), STATUS_SUCCESS);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    before = state_now(); /* with the save area, which stays */
    assert_int_equal(try_pin(world.adapter, 0, 8 * PAGE, 0, &adl), STATUS_SUCCESS);
    memset(adl, 0x11, sizeof(*adl));
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    expect_no_violation();
    expect_same_things(&before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_field, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(page_array, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(scribbled_and_removed, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(scribbled_frame_buffer, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
