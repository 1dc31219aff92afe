/* SPDX-License-Identifier: MIT */
/*
 * Claim: nothing of a former owner is ever visible: whoever gets pages, for whatever
 * purpose, sees zeros, by CPU and by device, even when not zeroing was asked for.
 */
#include "tests/support/world.h"

static unsigned char bytes[4096];

static void fill(HANDLE object, SIZE_T size)
{
    struct view view = view_map(object, 0, size, DXGK_ACCESS_MODE_KERNEL_MODE);
    memset(bytes, 0xee, sizeof(bytes));
    for (SIZE_T at = 0; at < view.bytes; at += PAGE)
        assert_true(dxgkmem_sim_cpu_write(world.sim, view.base + at, bytes, sizeof(bytes)));
    view_unmap(object, view);
}

static void expect_zero_bytes(void)
{
    for (unsigned i = 0; i < sizeof(bytes); i++)
        assert_int_equal(bytes[i], 0);
}

static void expect_zero(HANDLE object, HANDLE open, SIZE_T size)
{
    struct view view = view_map(object, 0, size, DXGK_ACCESS_MODE_KERNEL_MODE);
    DXGK_ADL *adl = adl_allocate(open, 0, view.bytes);
    for (SIZE_T at = 0; at < view.bytes; at += PAGE) {
        assert_true(dxgkmem_sim_cpu_read(world.sim, view.base + at, bytes, sizeof(bytes)));
        expect_zero_bytes();
        assert_true(dxgkmem_sim_dma_read(world.sim, 0, adl_page(adl, (uint32_t)(at / PAGE)) * PAGE, bytes,
                                         sizeof(bytes)));
        expect_zero_bytes();
    }
    adl_free(open, adl);
    view_unmap(object, view);
}

/* All of RAM passes from hand to hand, so every page has had another owner. */
static void from_hand_to_hand(void **state)
{
    const SIZE_T size = 0x300 * PAGE; /* less than the smaller stretch */
    (void)state;
    for (unsigned round = 0; round < 8; round++) {
        create_arguments arguments;
        struct thing thing, rest;
        switch (round % 4) {
        case 0:
            arguments = mdl_arguments(world.adapter, size);
            arguments.Mdl.Flags = MM_DONT_ZERO_ALLOCATION;
            break;
        case 1:
            arguments = contiguous_arguments(world.adapter, size);
            break;
        case 2:
            arguments = section_arguments(world.adapter, size, PAGE_READWRITE);
            break;
        default:
            arguments = mdl_arguments(world.adapter, size);
            arguments.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
            break;
        }
        thing = thing_create(arguments);
        expect_zero(thing.object, thing.open, size);
        fill(thing.object, size);
        rest = thing_create(mdl_arguments(world.adapter, dxgkmem_sim_free_pages(world.sim) * PAGE));
        expect_zero(rest.object, rest.open, 0x100 * PAGE);
        fill(rest.object, 0x100 * PAGE);
        thing_destroy(rest);
        thing_destroy(thing);
    }
}

static void dirty_by_device(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, PAGE);
    (void)state;
    memset(bytes, 0x77, sizeof(bytes));
    assert_true(dxgkmem_sim_dma_write(world.sim, 0, adl_page(adl, 0) * PAGE, bytes, sizeof(bytes)));
    adl_free(thing.open, adl);
    thing_destroy(thing);
    thing = thing_create(mdl_arguments(world.adapter, RAM_PAGES * PAGE));
    expect_zero(thing.object, thing.open, RAM_PAGES * PAGE);
    thing_destroy(thing);
}

/* The tail past the size asked for belongs to the object's last page, so it is zero too. */
static void tail_of_the_last_page(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, RAM_PAGES * PAGE));
    (void)state;
    fill(thing.object, RAM_PAGES * PAGE);
    thing_destroy(thing);
    thing = thing_create(contiguous_arguments(world.adapter, 1));
    expect_zero(thing.object, thing.open, 1);
    thing_destroy(thing);
}

static void frame_buffer(void **state)
{
    const SIZE_T size = FRAME_BUFFER_PAGES * PAGE;
    struct thing thing = thing_create(mdl_arguments(world.adapter, RAM_PAGES * PAGE));
    DXGK_ADL *adl;
    (void)state;
    fill(thing.object, RAM_PAGES * PAGE);
    thing_destroy(thing);
    assert_int_equal(try_pin(world.adapter, 0, size, 0, &adl), STATUS_SUCCESS);
    for (uint32_t i = 0; i < FRAME_BUFFER_PAGES; i++) {
        assert_true(dxgkmem_sim_dma_read(world.sim, 0, adl_page(adl, i) * PAGE, bytes, sizeof(bytes)));
        expect_zero_bytes();
    }
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(from_hand_to_hand, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(dirty_by_device, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(tail_of_the_last_page, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(frame_buffer, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
