/* SPDX-License-Identifier: MIT */
/*
 * Claim: a memory of the WDDM 2.4 callbacks is zero when first seen; kernel and device reach it from the
 * allocation to the free, and nothing of it afterwards, also when the adapter goes or dxgkmem stops; it
 * counts against its adapter's quota, and a failure of the host leaves nothing of it.
 */
#include "tests/support/world.h"

#include <dxgkmem/mdl.h>

#define PAGES 3u

static uint64_t page_behind(const struct handed_memory *memory, uint64_t page)
{
    struct dxgkmem_sim_translation translation;
    assert_true(dxgkmem_sim_cpu_page(world.sim, 1, (const char *)memory->base + page * PAGE, &translation));
    if (memory->mdl != NULL)
        assert_int_equal(dxgkmem_mdl_pages((struct dxgkmem_mdl *)(void *)memory->mdl)[page],
                         translation.page);
    return translation.page;
}

static void allocate(struct handed_memory *memory, bool mdl)
{
    *memory =
        mdl ? pages_allocate(world.adapter, PAGES * PAGE) : contiguous_allocate(world.adapter, PAGES * PAGE);
}

static void release(const struct handed_memory *memory)
{
    assert_int_equal(memory->mdl != NULL ? try_free_pages(world.adapter, memory->handle)
                                         : try_free_contiguous(world.adapter, memory->handle),
                     STATUS_SUCCESS);
}

static void reached_and_zero(void **state)
{
    (void)state;
    for (unsigned mdl = 0; mdl < 2; mdl++) {
        for (unsigned round = 0; round < 3; round++) {
            uint64_t word, page[PAGES];
            struct handed_memory memory;
            allocate(&memory, mdl != 0);
            for (unsigned i = 0; i < PAGES; i++) {
                const uint64_t told = 0x1122334455667788u + i;
                page[i] = page_behind(&memory, i);
                word = 1;
                assert_true(dxgkmem_sim_dma_read(world.sim, 0, page[i] << 12, &word, sizeof(word)));
                assert_int_equal(word, 0);
                assert_true(dxgkmem_sim_dma_write(world.sim, 0, page[i] << 12, &told, sizeof(told)));
                assert_true(
                    dxgkmem_sim_cpu_read(world.sim, (char *)memory.base + i * PAGE, &word, sizeof(word)));
                assert_int_equal(word, told);
            }
            assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), PAGES);
            release(&memory);
            for (unsigned i = 0; i < PAGES; i++) {
                assert_false(dxgkmem_sim_dma_read(world.sim, 0, page[i] << 12, &word, sizeof(word)));
                assert_false(dxgkmem_sim_is_allocated(world.sim, page[i]));
            }
            assert_false(dxgkmem_sim_cpu_read(world.sim, memory.base, &word, sizeof(word)));
        }
    }
    expect_no_violation();
}

/* With the last adapter of the chain, oldest first; a linked one that goes takes nothing along. */
static void adapter_goes(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    HANDLE first = adapter_add(&config), second;
    struct handed_memory block, pages;
    uint64_t made;
    (void)state;
    config.device = 2;
    config.link_to = first;
    second = adapter_add(&config);
    block = contiguous_allocate(first, PAGE);
    made = last_operation();
    pages = pages_allocate(second, PAGE);
    adapter_remove(first);
    expect_no_violation();
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 2), 2);
    adapter_remove(second);
    assert_int_equal(world.violations, 2);
    assert_int_equal(world.seen[0].code, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
    assert_int_equal(world.seen[0].subject, (uintptr_t)block.handle);
    assert_int_equal(world.seen[0].earlier_operation, made);
    assert_int_equal(world.seen[0].earlier_call, DXGKMEM_CALL_ALLOCATE_CONTIGUOUS);
    assert_int_equal(world.seen[1].subject, (uintptr_t)pages.handle);
    assert_int_equal(world.seen[1].earlier_call, DXGKMEM_CALL_ALLOCATE_PAGES);
    world.violations = 0;
    assert_int_equal(try_free_contiguous(world.adapter, block.handle), STATUS_DEVICE_REMOVED);
    expect_violation(DXGKMEM_VIOLATION_ADAPTER_REMOVED, block.handle, last_operation() - 1,
                     DXGKMEM_CALL_REMOVE_ADAPTER);
}

static void left_at_stop(void **state)
{
    struct dxgkmem_leaks leaks;
    struct handed_memory block, pages;
    unsigned met = 0;
    (void)world_setup(state);
    block = contiguous_allocate(world.adapter, PAGE);
    pages = pages_allocate(world.adapter, 2 * PAGE);
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.memories, 2);
    assert_int_equal(leaks.mappings + leaks.objects + leaks.adls, 0);
    assert_int_equal(world.violations, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(world.seen[i].code, DXGKMEM_VIOLATION_LEFT_AT_STOP);
        met |= world.seen[i].subject == (uintptr_t)block.handle ? 1u : 0u;
        met |= world.seen[i].subject == (uintptr_t)pages.handle ? 2u : 0u;
    }
    assert_int_equal(met, 3);
    world.violations = 0;
    world_end();
}

static void quota_of_the_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    struct handed_memory block, pages, more;
    HANDLE adapter;
    (void)state;
    config.quota = (struct dxgkmem_quota){.pages = 3, .adls = 2};
    adapter = adapter_add(&config);
    block = contiguous_allocate(adapter, 2 * PAGE);
    assert_int_equal(try_pages(adapter, 2 * PAGE, 0, &more), STATUS_QUOTA_EXCEEDED); /* pages */
    pages = pages_allocate(adapter, PAGE);
    assert_int_equal(try_free_contiguous(adapter, block.handle), STATUS_SUCCESS);
    block = contiguous_allocate(adapter, PAGE);
    assert_int_equal(try_contiguous(adapter, PAGE, &more), STATUS_QUOTA_EXCEEDED); /* reach */
    assert_int_equal(try_free_contiguous(adapter, block.handle), STATUS_SUCCESS);
    assert_int_equal(try_free_pages(adapter, pages.handle), STATUS_SUCCESS);
    expect_no_violation();
}

static void host_fails(void **state)
{
    struct handed_memory memory;
    unsigned failures = 0;
    (void)state;
    for (unsigned mdl = 0; mdl < 2; mdl++) {
        allocate(&memory, mdl != 0); /* tables have grown */
        release(&memory);
        for (unsigned nth = 1;; nth++) {
            struct state before = state_now();
            NTSTATUS status;
            dxgkmem_sim_fail_at(world.sim, nth);
            status = mdl != 0 ? try_pages(world.adapter, PAGES * PAGE, 0, &memory)
                              : try_contiguous(world.adapter, PAGES * PAGE, &memory);
            dxgkmem_sim_fail_at(world.sim, 0);
            if (NT_SUCCESS(status)) {
                release(&memory);
                break;
            }
            failures++;
            expect_same_things(&before);
            expect_same_pool(&before);
        }
    }
    assert_true(failures >= 11); /* record, object, pages, lock, reach, mapping twice; the MDL once */
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reached_and_zero, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(adapter_goes, world_setup, world_teardown),
        cmocka_unit_test(left_at_stop),
        cmocka_unit_test_setup_teardown(quota_of_the_adapter, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(host_fails, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
