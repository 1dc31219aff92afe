/* SPDX-License-Identifier: MIT */
/* The WDDM 2.4 callbacks: where pages may lie, what an MDL says, what is in the audit. */
#include "tests/support/wrapped.h"

#include <dxgkmem/mdl.h>

static uint64_t first_page(const void *base)
{
    struct dxgkmem_sim_translation translation;
    assert_true(dxgkmem_sim_cpu_page(world.sim, 1, base, &translation));
    return translation.page;
}

static NTSTATUS bounded(uint64_t low, uint64_t high, uint64_t boundary, SIZE_T bytes,
                        DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *out)
{
    memset(out, 0, sizeof(*out));
    out->NumberOfBytes = bytes;
    out->LowestAcceptableAddress = physical(low);
    out->HighestAcceptableAddress = physical(high);
    out->BoundaryAddressMultiple = physical(boundary);
    out->CacheType = DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED;
    return world.ddi.DxgkCbAllocateContiguousMemory(world.adapter, out);
}

static void contiguous_within_bounds(void **state)
{
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY got;
    struct dxgkmem_sim_translation translation;
    uint64_t page;
    (void)state;
    assert_int_equal(bounded(0x10001, 0x1ffff, 0, 4 * PAGE + 1, &got), STATUS_SUCCESS);
    page = first_page(got.pMemory);
    assert_true(page >= 0x11 && page + 5 <= 0x20);
    for (unsigned i = 0; i < 5; i++) {
        const void *address = (const char *)got.pMemory + i * PAGE;
        assert_true(dxgkmem_sim_cpu_page(world.sim, 1, address, &translation));
        assert_int_equal(translation.page, page + i);
        assert_int_equal(translation.cache, DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED);
    }
    assert_int_equal(try_free_contiguous(world.adapter, got.hMemoryHandle), STATUS_SUCCESS);
    assert_int_equal(bounded(0x13000, EVERY_ADDRESS, 0x4000, 2 * PAGE, &got), STATUS_SUCCESS);
    page = first_page(got.pMemory);
    assert_int_equal(page / 4, (page + 1) / 4);
    assert_int_equal(try_free_contiguous(world.adapter, got.hMemoryHandle), STATUS_SUCCESS);
    assert_int_equal(bounded(0x10000, 0x11fff, 0, 3 * PAGE, &got), STATUS_NO_MEMORY);
    assert_int_equal(bounded(0, EVERY_ADDRESS, 0x1000, 2 * PAGE, &got), STATUS_NO_MEMORY);
    expect_no_violation();
    assert_int_equal(bounded(0x2000, 0x1000, 0, PAGE, &got), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    assert_int_equal(bounded(0, EVERY_ADDRESS, 0x3000, PAGE, &got), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
}

static void mdl_describes_pages(void **state)
{
    struct handed_memory memory;
    const struct dxgkmem_mdl *mdl;
    (void)state;
    assert_int_equal(try_pages(world.adapter, 2 * PAGE + 5, MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS, &memory),
                     STATUS_SUCCESS);
    mdl = (const struct dxgkmem_mdl *)(const void *)memory.mdl;
    assert_null(mdl->Next);
    assert_int_equal(mdl->Size, sizeof(*mdl) + 3 * sizeof(ULONG_PTR));
    assert_int_equal(mdl->ByteCount, 3 * PAGE);
    assert_int_equal(mdl->ByteOffset, 0);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(dxgkmem_mdl_pages((struct dxgkmem_mdl *)(void *)memory.mdl)[i],
                         first_page(memory.base) + i);
    assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_SUCCESS);
    assert_int_equal(try_pages(world.adapter, PAGE, MM_ALLOCATE_AND_HOT_REMOVE, &memory),
                     STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
}

static void pages_within_bounds(void **state)
{
    DXGKARGCB_ALLOCATEPAGESFORMDL args;
    const ULONG_PTR *numbers;
    (void)state;
    memset(&args, 0, sizeof(args));
    args.LowAddress = physical(0x20000);
    args.HighAddress = physical(0x21fff);
    args.TotalBytes = 2 * PAGE;
    args.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    assert_int_equal(world.ddi.DxgkCbAllocatePagesForMdl(world.adapter, &args), STATUS_SUCCESS);
    numbers = dxgkmem_mdl_pages((struct dxgkmem_mdl *)(void *)args.pMdl);
    assert_int_equal(numbers[0] & ~(ULONG_PTR)1, 0x20);
    assert_int_equal(numbers[0] ^ numbers[1], 1);
    assert_int_equal(try_free_pages(world.adapter, args.hMemoryHandle), STATUS_SUCCESS);
}

/* On 64-bit targets at the kernel's own offsets. */
static void mdl_layout(void **state)
{
    (void)state;
#if UINTPTR_MAX > 0xffffffffu
    assert_int_equal(offsetof(struct dxgkmem_mdl, MdlFlags), 0x0a);
    assert_int_equal(offsetof(struct dxgkmem_mdl, MappedSystemVa), 0x18);
    assert_int_equal(offsetof(struct dxgkmem_mdl, StartVa), 0x20);
    assert_int_equal(offsetof(struct dxgkmem_mdl, ByteCount), 0x28);
    assert_int_equal(offsetof(struct dxgkmem_mdl, ByteOffset), 0x2c);
    assert_int_equal(sizeof(struct dxgkmem_mdl), 0x30);
#endif
}

static void counted(void **state)
{
    struct dxgkmem_statistics before, now;
    struct handed_memory block, pages;
    (void)state;
    dxgkmem_query_statistics(&before);
    block = contiguous_allocate(world.adapter, 2 * PAGE);
    pages = pages_allocate(world.adapter, PAGE);
    dxgkmem_query_statistics(&now);
    assert_int_equal(now.memories, before.memories + 2);
    assert_int_equal(now.pages, before.pages + 3);
    assert_int_equal(now.mappings, before.mappings + 2);
    assert_int_equal(now.adls + now.objects, before.adls + before.objects);
    (void)state_now(); /* audits */
    assert_int_equal(try_free_pages(world.adapter, pages.handle), STATUS_SUCCESS);
    assert_int_equal(try_free_contiguous(world.adapter, block.handle), STATUS_SUCCESS);
    dxgkmem_query_statistics(&now);
    assert_int_equal(now.memories, before.memories);
    assert_int_equal(now.pages, before.pages);
}

/* A linked adapter that sees less may not join while a memory relies on what is visible. */
static void keeps_what_is_visible(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct handed_memory memory = contiguous_allocate(world.adapter, PAGE);
    HANDLE handle;
    (void)state;
    config.link_to = world.adapter;
    config.memory_caps.HighestVisibleAddress = physical((uint64_t)(RAM_HIGHEST + 1) * PAGE - 1);
    assert_int_equal(dxgkmem_add_adapter(&config, &handle), STATUS_INVALID_PARAMETER);
    assert_int_equal(try_free_contiguous(world.adapter, memory.handle), STATUS_SUCCESS);
    handle = adapter_add(&config);
    adapter_remove(handle);
}

/* The table of handles has room for the adapter and one more. */
static void no_handle_left(void **state)
{
    struct dxgkmem_config config;
    struct handed_memory memory, second;
    struct state before;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.limits.handles = 2;
    world_make_machine(0);
    world_start(&config);
    memory = contiguous_allocate(world.adapter, PAGE);
    before = state_now();
    assert_int_equal(try_contiguous(world.adapter, PAGE, &second), STATUS_INSUFFICIENT_RESOURCES);
    expect_no_violation();
    expect_same_pool(&before);
    assert_int_equal(try_free_contiguous(world.adapter, memory.handle), STATUS_SUCCESS);
    world_end();
}

static struct dxgkmem_machine_ops longer_ops;
static struct dxgkmem_machine longer_machine;

/* What is contiguous may go on after the object's last page. */
static struct dxgkmem_run longer_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                     uint64_t first)
{
    struct dxgkmem_run run = wrapped_machine()->ops->memory_run(wrapped_machine(), memory, first);
    (void)machine;
    run.pages += 100;
    return run;
}

static void mdl_ends_with_the_memory(void **state)
{
    struct dxgkmem_config config;
    struct handed_memory memory;
    (void)state;
    world_make_machine(0);
    longer_machine = *wrapped_machine();
    longer_ops = *longer_machine.ops;
    longer_ops.memory_run = longer_run;
    longer_machine.ops = &longer_ops;
    memset(&config, 0, sizeof(config));
    config.machine = &longer_machine;
    world_start(&config);
    memory = pages_allocate(world.adapter, PAGE);
    assert_int_equal(((const struct dxgkmem_mdl *)(const void *)memory.mdl)->ByteCount, PAGE);
    assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_SUCCESS);
    expect_no_violation();
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(contiguous_within_bounds, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(mdl_describes_pages, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pages_within_bounds, world_setup, world_teardown),
        cmocka_unit_test(mdl_layout),
        cmocka_unit_test_setup_teardown(counted, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(keeps_what_is_visible, world_setup, world_teardown),
        cmocka_unit_test(no_handle_left),
        cmocka_unit_test(mdl_ends_with_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
