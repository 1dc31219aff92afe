/* SPDX-License-Identifier: MIT */
/*
 * Claim: the adapters of a link are one logical adapter: what is open through any of them
 * is open for all, each device reaches the same pages at the same logical addresses, also
 * when it joined later, and a second open through another of them is refused.
 */
#include "tests/support/world.h"

static void chain_of(bool remapped)
{
    struct dxgkmem_adapter_config config = remapped ? adapter_remapped(1, V31) : adapter_identity(1, V31);
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {NULL, NULL, NULL};
    unsigned char byte = 0x3c, seen;
    struct dxgkmem_adapter_info info;
    HANDLE chain[3];
    struct thing thing;
    DXGK_ADL *adl;
    uint64_t opened;

    chain[0] = adapter_add(&config);
    config.device = 2;
    config.link_to = chain[0];
    chain[1] = adapter_add(&config);
    thing = thing_create(mdl_arguments(chain[1], 2 * PAGE));
    opened = last_operation();
    adl = adl_allocate(thing.open, 0, 2 * PAGE);
    config.device = 3;
    config.link_to = chain[1];
    chain[2] = adapter_add(&config); /* after the ADL was made */
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(dxgkmem_query_adapter(chain[i], &info), STATUS_SUCCESS);
        assert_int_equal(info.physical_index, i);
        assert_int_equal(info.physical_adapters, 3);
        assert_int_equal(info.remapped, remapped);
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1 + i), 2);
        assert_true(dxgkmem_sim_dma_write(world.sim, 1 + i, adl_page(adl, 1) * PAGE + i, &byte, 1));
        open.hPhysicalMemoryObject = thing.object;
        open.hAdapter = chain[i];
        assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_SHARING_VIOLATION);
        expect_violation(DXGKMEM_VIOLATION_SECOND_OPEN, thing.object, opened, DXGKMEM_CALL_CREATE);
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_true(dxgkmem_sim_dma_read(world.sim, 1, adl_page(adl, 1) * PAGE + i, &seen, 1));
        assert_int_equal(seen, byte);
    }
    open.hAdapter = world.adapter;
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_SHARING_VIOLATION);
    expect_violation(DXGKMEM_VIOLATION_OPEN_ON_OTHER_ADAPTER, thing.object, opened, DXGKMEM_CALL_CREATE);
    adl_free(thing.open, adl);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1 + i), 0);
    /* Closed through nobody in particular, opened through another one. */
    thing_close(thing.open);
    thing.open = thing_open(thing.object, chain[0]);
    thing_destroy(thing);
    expect_no_violation();
}

static void identity(void **state)
{
    (void)state;
    chain_of(false);
}

static void remapped(void **state)
{
    (void)state;
    chain_of(true);
}

/* Each physical adapter has a frame buffer of its own, and the lead one speaks for all. */
static void frame_buffers(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    DXGK_ADL *adl[2];
    (void)state;
    config.link_to = world.adapter;
    config.frame_buffer_bytes = 2 * PAGE;
    (void)adapter_add(&config);
    assert_int_equal(try_pin(world.adapter, 1, 2 * PAGE, 0, &adl[1]), STATUS_SUCCESS);
    assert_int_equal(try_pin(world.adapter, 0, 3 * PAGE, 0, &adl[0]), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 5);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1), 5);
    assert_int_equal(try_unpin(world.adapter, 1), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1), 3);
    assert_int_equal(try_pin(world.adapter, 1, 3 * PAGE, 0, &adl[1]), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(identity, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(remapped, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(frame_buffers, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
