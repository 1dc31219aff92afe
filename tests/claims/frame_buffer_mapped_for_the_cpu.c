/* SPDX-License-Identifier: MIT */
/*
 * Claim: what MapFrameBufferPointer maps of a save area is what devices reach while it is pinned; it is mapped pinned or
 * not, one piece at a time; what was saved is there until the adapter goes; what is left of it is ended and listed.
 */
#include "tests/support/world.h"

#define PAGES 4u

static uint64_t device_reads(uint64_t page)
{
    uint64_t word = 0;
    assert_true(dxgkmem_sim_dma_read(world.sim, 0, page << 12, &word, sizeof(word)));
    return word;
}

static void shown(const ULONG_PTR *page)
{
    unsigned char *base;
    for (unsigned first = 0; first < PAGES; first++) {
        uint64_t word = 0x100 + first;
        assert_int_equal(try_map_frame_buffer(world.adapter, 0, first * PAGE, (PAGES - first) * PAGE, &base),
                         STATUS_SUCCESS);
        for (unsigned i = first; i < PAGES; i++, word++) {
            assert_true(dxgkmem_sim_cpu_write(world.sim, base + (i - first) * PAGE, &word, sizeof(word)));
            assert_int_equal(device_reads(page[i]), word);
        }
        assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_SUCCESS);
        assert_false(dxgkmem_sim_cpu_read(world.sim, base, &word, sizeof(word)));
        assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_INVALID_PARAMETER);
        expect_violation(DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, base, last_operation() - 1,
                         DXGKMEM_CALL_UNMAP_FRAME_BUFFER);
    }
}

static void by_either_pin(void **state)
{
    ULONG_PTR page[PAGES];
    struct dxgkmem_mdl *mdl;
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGES * PAGE, &mdl), STATUS_SUCCESS);
    memcpy(page, dxgkmem_mdl_pages(mdl), sizeof(page));
    shown(page);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(try_pin(world.adapter, 0, PAGES * PAGE, 0, &adl), STATUS_SUCCESS);
    for (uint32_t i = 0; i < PAGES; i++)
        page[i] = (ULONG_PTR)adl_page(adl, i);
    shown(page);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    expect_no_violation();
}

static void one_at_a_time(void **state)
{
    unsigned char *base, *again;
    uint64_t made;
    (void)state;
    assert_int_equal(try_map_frame_buffer(world.adapter, 0, 0, PAGE, &base), STATUS_SUCCESS);
    made = last_operation();
    assert_int_equal(try_map_frame_buffer(world.adapter, 0, PAGE, PAGE, &again), STATUS_DEVICE_BUSY);
    expect_violation(DXGKMEM_VIOLATION_FRAME_BUFFER_MAPPED, world.adapter, made,
                     DXGKMEM_CALL_MAP_FRAME_BUFFER);
    assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_SUCCESS);
    assert_int_equal(try_map_frame_buffer(world.adapter, 0, PAGE, PAGE, &again), STATUS_SUCCESS);
    assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, again), STATUS_SUCCESS);
    expect_no_violation();
}

/* The pin came to nothing: the frame buffer is saved piece by piece, and restored later by the device. */
static void saved_in_pieces(void **state)
{
    struct dxgkmem_mdl *mdl;
    unsigned char *base;
    uint64_t word;
    (void)state;
    for (unsigned page = 0; page < FRAME_BUFFER_PAGES; page++) {
        word = 0x5a0 + page;
        assert_int_equal(try_map_frame_buffer(world.adapter, 0, page * PAGE, PAGE, &base), STATUS_SUCCESS);
        assert_true(dxgkmem_sim_cpu_write(world.sim, base, &word, sizeof(word)));
        assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_SUCCESS);
    }
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    for (unsigned round = 0; round < 2; round++) {
        assert_int_equal(try_pin_mdl(world.adapter, 0, FRAME_BUFFER_PAGES * PAGE, &mdl), STATUS_SUCCESS);
        for (unsigned page = 0; page < FRAME_BUFFER_PAGES; page++)
            assert_int_equal(device_reads(dxgkmem_mdl_pages(mdl)[page]), 0x5a0 + page);
        assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    }
    expect_no_violation();
}

/* A view is of the area, not of the pin: the unpin does not end it. */
static void unpinned_while_mapped(void **state)
{
    unsigned char *base;
    uint64_t word = 7;
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin(world.adapter, 0, 2 * PAGE, 0, &adl), STATUS_SUCCESS);
    assert_int_equal(try_map_frame_buffer(world.adapter, 0, PAGE, 2 * PAGE, &base), STATUS_SUCCESS);
    assert_true(dxgkmem_sim_dma_write(world.sim, 0, adl_page(adl, 1) << 12, &word, sizeof(word)));
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    word = 0;
    assert_true(dxgkmem_sim_cpu_read(world.sim, base, &word, sizeof(word)));
    assert_int_equal(word, 7);
    assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_SUCCESS);
    expect_no_violation();
}

/* Each adapter has its own, and who comes after one that was removed finds nothing of it. */
static void of_its_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    uint64_t free_pages = dxgkmem_sim_free_pages(world.sim), word = 9;
    unsigned char *base;
    HANDLE adapter;
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        adapter = adapter_add(&config);
        assert_int_equal(try_map_frame_buffer(adapter, 0, 0, PAGE, &base), STATUS_SUCCESS);
        assert_true(dxgkmem_sim_cpu_read(world.sim, base, &word, sizeof(word)));
        assert_int_equal(word, 0);
        word = 9;
        assert_true(dxgkmem_sim_cpu_write(world.sim, base, &word, sizeof(word)));
        assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_INVALID_PARAMETER);
        expect_violation(DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT, base, last_operation() - 1,
                         DXGKMEM_CALL_MAP_FRAME_BUFFER);
        assert_int_equal(try_unmap_frame_buffer(adapter, 0, base), STATUS_SUCCESS);
        assert_int_equal(dxgkmem_sim_free_pages(world.sim), free_pages - FRAME_BUFFER_PAGES);
        adapter_remove(adapter);
        assert_int_equal(dxgkmem_sim_free_pages(world.sim), free_pages);
    }
    config.frame_buffer_bytes = 0;
    adapter = adapter_add(&config);
    assert_int_equal(try_map_frame_buffer(adapter, 0, 0, PAGE, &base), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, adapter, 0, DXGKMEM_CALL_NONE);
    expect_no_violation();
}

static void left(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    struct dxgkmem_statistics statistics;
    struct dxgkmem_leaks leaks;
    struct dxgkmem_mdl *mdl;
    unsigned char *base;
    HANDLE adapter;
    (void)world_setup(state);
    adapter = adapter_add(&config);
    assert_int_equal(try_pin_mdl(adapter, 0, 2 * PAGE, &mdl), STATUS_SUCCESS);
    assert_int_equal(try_map_frame_buffer(adapter, 0, PAGE, PAGE, &base), STATUS_SUCCESS);
    adapter_remove(adapter);
    assert_int_equal(world.violations, 2);
    assert_int_equal(world.seen[0].code, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
    assert_int_equal(world.seen[0].subject, (uintptr_t)base);
    assert_int_equal(world.seen[0].earlier_call, DXGKMEM_CALL_MAP_FRAME_BUFFER);
    assert_int_equal(world.seen[1].subject, (uintptr_t)mdl);
    assert_int_equal(world.seen[1].earlier_call, DXGKMEM_CALL_PIN_MDL);
    world.violations = 0;
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.mappings + statistics.frame_buffers, 0);
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &mdl), STATUS_SUCCESS);
    assert_int_equal(try_map_frame_buffer(world.adapter, 0, 0, PAGE, &base), STATUS_SUCCESS);
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.frame_buffers, 1);
    assert_int_equal(leaks.mappings, 1);
    assert_int_equal(leaks.memories + leaks.adls + leaks.objects, 0);
    assert_int_equal(world.violations, 2);
    world.violations = 0;
    world_end();
}

static void host_fails(void **state)
{
    unsigned char *base;
    unsigned failures = 0;
    (void)state;
    for (unsigned nth = 1;; nth++) {
        struct state before = state_now();
        NTSTATUS status;
        dxgkmem_sim_fail_at(world.sim, nth);
        status = try_map_frame_buffer(world.adapter, 0, 0, PAGE, &base);
        dxgkmem_sim_fail_at(world.sim, 0);
        if (NT_SUCCESS(status))
            break;
        failures++;
        expect_same_things(&before);
        expect_same_pool(&before);
    }
    assert_int_equal(try_unmap_frame_buffer(world.adapter, 0, base), STATUS_SUCCESS);
    assert_true(failures >= 4); /* the area, its pages, the record, the mapping */
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(by_either_pin, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(one_at_a_time, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(saved_in_pieces, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(unpinned_while_mapped, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(of_its_adapter, world_setup, world_teardown),
        cmocka_unit_test(left),
        cmocka_unit_test_setup_teardown(host_fails, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
