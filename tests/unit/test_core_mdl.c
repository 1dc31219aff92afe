/* SPDX-License-Identifier: MIT */
/* MapMdlToIoMmu: which MDLs are taken, in which order mistakes are seen, machines that hold no pages. */
#include "tests/support/wrapped.h"

/* Refused with this violation, and nothing has changed but what the machine counts. */
static void refused(const void *mdl, enum dxgkmem_violation_code code)
{
    struct state before = state_now();
    HANDLE memory;
    assert_int_equal(try_map_mdl(world.adapter, mdl, &memory), dxgkmem_violation_status(code));
    expect_violation(code, NULL, 0, DXGKMEM_CALL_NONE);
    expect_same_things(&before);
    expect_same_pool(&before);
}

static void no_mdl(void **state)
{
    struct own_mdl mdl = own_mdl(0, 2);
    (void)state;
    refused(NULL, DXGKMEM_VIOLATION_INVALID_MDL);
    refused((char *)&mdl + 2, DXGKMEM_VIOLATION_INVALID_MDL);
    mdl.header.ByteCount = 0;
    refused(&mdl, DXGKMEM_VIOLATION_INVALID_MDL);
    mdl.header.ByteCount = 2;
    mdl.header.ByteOffset = 0x1000;
    refused(&mdl, DXGKMEM_VIOLATION_INVALID_MDL);
    mdl.header.ByteOffset = UINT32_MAX;
    refused(&mdl, DXGKMEM_VIOLATION_INVALID_MDL);
    mdl.header.ByteOffset = 0;
    mdl.header.MdlFlags =
        (int16_t) ~(DXGKMEM_MDL_PAGES_LOCKED | DXGKMEM_MDL_SOURCE_IS_NONPAGED_POOL | DXGKMEM_MDL_PARTIAL);
    refused(&mdl, DXGKMEM_VIOLATION_INVALID_MDL);
}

/* Locked by whatever routine; as many pages as the bytes touch. */
static void pages_that_stay(void **state)
{
    static const int16_t flags[] = {DXGKMEM_MDL_PAGES_LOCKED, DXGKMEM_MDL_SOURCE_IS_NONPAGED_POOL,
                                    DXGKMEM_MDL_PARTIAL, -1};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct own_mdl mdl = own_mdl(1, 3);
        HANDLE memory;
        mdl.header.MdlFlags = flags[i];
        mdl.header.ByteOffset = 0xfff;
        mdl.header.ByteCount = 2 + i / 2 * (ULONG)PAGE;
        assert_int_equal(try_map_mdl(world.adapter, &mdl, &memory), STATUS_SUCCESS);
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 2 + i / 2);
        mdl_unmap(world.adapter, memory);
    }
    expect_no_violation();
}

static void page_of_nobody(void **state)
{
    struct own_mdl mdl = own_mdl(0, 3);
    struct handed_memory block = contiguous_allocate(world.adapter, PAGE);
    struct dxgkmem_sim_translation translation;
    ULONG_PTR last = mdl.page[2];
    (void)state;
    mdl.page[2] = IO_PAGE;
    refused(&mdl, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    mdl.page[2] = RAM_HIGHEST; /* free */
    assert_false(dxgkmem_sim_is_allocated(world.sim, RAM_HIGHEST));
    refused(&mdl, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    assert_true(dxgkmem_sim_cpu_page(world.sim, 1, block.base, &translation));
    mdl.page[2] = (ULONG_PTR)translation.page;
    refused(&mdl, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    mdl.page[2] = ((ULONG_PTR)1 << (ADDRESS_BITS - 12)) - 1;
    refused(&mdl, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    mdl.page[2] = (ULONG_PTR)1 << (ADDRESS_BITS - 12);
    refused(&mdl, DXGKMEM_VIOLATION_NOT_VISIBLE);
    mdl.page[2] = (ULONG_PTR)-1;
    mdl.page[0] = IO_PAGE;
    refused(&mdl, DXGKMEM_VIOLATION_NOT_VISIBLE); /* comes first */
    mdl.page[0] = (ULONG_PTR)1 << (ADDRESS_BITS - 12);
    mdl.page[2] = last;
    refused(&mdl, DXGKMEM_VIOLATION_NOT_VISIBLE);
    mdl.page[0] = last;
    mdl.page[2] = IO_PAGE;
    refused(&mdl, DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    assert_int_equal(try_free_contiguous(world.adapter, block.handle), STATUS_SUCCESS);
}

/* One page has one place in an adapter's domain, whoever else maps it. */
static void page_twice(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    struct own_mdl mdl = own_mdl(0, 4);
    HANDLE other = adapter_add(&config), first = mdl_map(world.adapter, 3, 2), memory;
    uint64_t made = last_operation();
    (void)state;
    assert_int_equal(try_map_mdl(world.adapter, &mdl, &memory), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_MDL_PAGE_TWICE, NULL, made, DXGKMEM_CALL_MAP_MDL);
    assert_int_equal(try_map_mdl(other, &mdl, &memory), STATUS_SUCCESS);
    mdl_unmap(other, memory);
    mdl_unmap(world.adapter, first);
    mdl.page[3] = mdl.page[1];
    assert_int_equal(try_map_mdl(world.adapter, &mdl, &memory), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_MDL_PAGE_TWICE, NULL, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    memory = mdl_map(world.adapter, 0, 4);
    mdl_unmap(world.adapter, memory);
    expect_no_violation();
}

static void counted(void **state)
{
    struct dxgkmem_statistics before, now;
    HANDLE memory;
    (void)state;
    dxgkmem_query_statistics(&before);
    memory = mdl_map(world.adapter, 2, 5);
    dxgkmem_query_statistics(&now);
    assert_int_equal(now.memories, before.memories + 1);
    assert_int_equal(now.pages, before.pages + 5);
    assert_int_equal(now.mappings + now.adls + now.objects, before.mappings + before.adls + before.objects);
    (void)state_now(); /* audits */
    mdl_unmap(world.adapter, memory);
    dxgkmem_query_statistics(&now);
    assert_int_equal(now.memories, before.memories);
    assert_int_equal(now.pages, before.pages);
}

static void larger_than_one_object_may_be(void **state)
{
    struct dxgkmem_config config;
    struct own_mdl mdl;
    HANDLE memory;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.limits.object_bytes = 2 * PAGE;
    world_make_machine(0);
    world_start(&config);
    mdl = own_mdl(0, 3);
    refused(&mdl, DXGKMEM_VIOLATION_INVALID_SIZE);
    mdl.header.ByteCount = UINT32_MAX; /* the page numbers are not read */
    mdl.header.ByteOffset = 0xfff;
    refused(&mdl, DXGKMEM_VIOLATION_INVALID_SIZE);
    memory = mdl_map(world.adapter, 0, 2);
    mdl_unmap(world.adapter, memory);
    world_end();
}

/* The table of handles has room for the adapter and one more. */
static void no_handle_left(void **state)
{
    struct dxgkmem_config config;
    struct state before;
    struct own_mdl mdl;
    HANDLE memory, second;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.limits.handles = 2;
    world_make_machine(0);
    world_start(&config);
    memory = mdl_map(world.adapter, 0, 1);
    mdl = own_mdl(1, 1);
    before = state_now();
    assert_int_equal(try_map_mdl(world.adapter, &mdl, &second), STATUS_INSUFFICIENT_RESOURCES);
    expect_no_violation();
    expect_same_pool(&before);
    mdl_unmap(world.adapter, memory);
    world_end();
}

static struct dxgkmem_machine_ops other_ops;
static struct dxgkmem_machine other_machine;

static void start_on_another_machine(void)
{
    struct dxgkmem_config config;
    world_make_machine(0);
    other_machine = *wrapped_machine();
    other_ops = *other_machine.ops;
    other_machine.ops = &other_ops;
    memset(&config, 0, sizeof(config));
    config.machine = &other_machine;
    world_start(&config);
}

static void machine_that_holds_nothing(void **state)
{
    struct own_mdl mdl;
    HANDLE memory;
    (void)state;
    start_on_another_machine();
    mdl = own_mdl(0, 1);
    other_ops.memory_hold = NULL;
    assert_int_equal(try_map_mdl(world.adapter, &mdl, &memory), STATUS_NOT_SUPPORTED);
    expect_no_violation();
    world_end();
}

/* Its own status is what the caller gets, and what it left behind is not looked at. */
static void machine_that_cannot_hold(void **state)
{
    struct own_mdl mdl;
    HANDLE memory;
    (void)state;
    start_on_another_machine();
    mdl = own_mdl(0, 1);
    wrapped.failing = OP_MEMORY_HOLD;
    wrapped.failure = STATUS_UNSUCCESSFUL;
    assert_int_equal(try_map_mdl(world.adapter, &mdl, &memory), STATUS_UNSUCCESSFUL);
    assert_int_equal(wrapped.calls[OP_MEMORY_RUN] + wrapped.calls[OP_MEMORY_DESTROY], 0);
    expect_no_violation();
    world_end();
}

static bool first_page_alone;

/* What a run goes on with behind the MDL's last page is somebody else's. */
static struct dxgkmem_run longer_run(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory,
                                     uint64_t first)
{
    struct dxgkmem_run run = wrapped_machine()->ops->memory_run(wrapped_machine(), memory, first);
    (void)machine;
    run.pages = first_page_alone && first == 0 ? 1 : run.pages + 100;
    return run;
}

static void runs_end_with_the_mdl(void **state)
{
    HANDLE memory[3];
    (void)state;
    start_on_another_machine();
    other_ops.memory_run = longer_run;
    for (unsigned i = 0; i < 3; i++)
        memory[i] = mdl_map(world.adapter, i, 1);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 3);
    for (unsigned i = 0; i < 3; i++)
        mdl_unmap(world.adapter, memory[i]);
    first_page_alone = true;
    memory[0] = mdl_map(world.adapter, 0, 2);
    memory[1] = mdl_map(world.adapter, 2, 1);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 3);
    mdl_unmap(world.adapter, memory[1]);
    mdl_unmap(world.adapter, memory[0]);
    expect_no_violation();
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(no_mdl, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pages_that_stay, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(page_of_nobody, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(page_twice, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(counted, world_setup, world_teardown),
        cmocka_unit_test(larger_than_one_object_may_be),
        cmocka_unit_test(no_handle_left),
        cmocka_unit_test(machine_that_holds_nothing),
        cmocka_unit_test(machine_that_cannot_hold),
        cmocka_unit_test(runs_end_with_the_mdl),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
