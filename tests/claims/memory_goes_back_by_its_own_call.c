/* SPDX-License-Identifier: MIT */
/*
 * Claim: a memory of the WDDM 2.4 callbacks ends once, by the free call that belongs to its allocation, on
 * its own logical adapter; whatever else is passed is refused, with the call that made it a mistake.
 */
#include "tests/support/world.h"

#include <dxgkmem/mdl.h>

static void freed_twice(void **state)
{
    struct handed_memory memory = contiguous_allocate(world.adapter, 2 * PAGE);
    uint64_t made = last_operation();
    struct state before;
    (void)state;
    assert_int_equal(try_free_contiguous(world.adapter, memory.handle), STATUS_SUCCESS);
    expect_no_violation();
    before = state_now();
    assert_int_equal(try_free_contiguous(world.adapter, memory.handle), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, memory.handle, made + 1, DXGKMEM_CALL_FREE_CONTIGUOUS);
    assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, memory.handle, made + 1, DXGKMEM_CALL_FREE_CONTIGUOUS);
    expect_unchanged(&before);
    /* Not even when the slot has a new life. */
    memory = pages_allocate(world.adapter, PAGE);
    made = last_operation();
    assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_SUCCESS);
    assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, memory.handle, made + 1, DXGKMEM_CALL_FREE_PAGES);
}

static void by_the_wrong_call(void **state)
{
    struct handed_memory block = contiguous_allocate(world.adapter, PAGE), pages;
    uint64_t made = last_operation();
    (void)state;
    pages = pages_allocate(world.adapter, PAGE);
    assert_int_equal(try_free_pages(world.adapter, block.handle), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_MEMORY_OF_OTHER_CALL, block.handle, made,
                     DXGKMEM_CALL_ALLOCATE_CONTIGUOUS);
    assert_int_equal(try_free_contiguous(world.adapter, pages.handle), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_MEMORY_OF_OTHER_CALL, pages.handle, made + 1,
                     DXGKMEM_CALL_ALLOCATE_PAGES);
    assert_int_equal(try_free_contiguous(world.adapter, block.handle), STATUS_SUCCESS);
    assert_int_equal(try_free_pages(world.adapter, pages.handle), STATUS_SUCCESS);
    expect_no_violation();
}

/* Of another logical adapter never, of a linked one it is the same. */
static void through_the_wrong_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    HANDLE other = adapter_add(&config), linked;
    struct handed_memory memory = contiguous_allocate(world.adapter, PAGE);
    uint64_t made = last_operation();
    (void)state;
    assert_int_equal(try_free_contiguous(other, memory.handle), STATUS_INVALID_PARAMETER);
    expect_violation(DXGKMEM_VIOLATION_MEMORY_OF_OTHER_ADAPTER, memory.handle, made,
                     DXGKMEM_CALL_ALLOCATE_CONTIGUOUS);
    config = adapter_identity(2, V31);
    config.link_to = world.adapter;
    linked = adapter_add(&config);
    assert_int_equal(try_free_contiguous(linked, memory.handle), STATUS_SUCCESS);
    expect_no_violation();
}

/* Handles of every other kind are none, and a memory's is none of theirs. */
static void of_another_kind(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    struct handed_memory memory = pages_allocate(world.adapter, PAGE);
    struct view view;
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_free_pages(world.adapter, thing.object), STATUS_OBJECT_TYPE_MISMATCH);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    assert_int_equal(try_free_pages(world.adapter, thing.open), STATUS_OBJECT_TYPE_MISMATCH);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    assert_int_equal(try_free_pages(world.adapter, world.adapter), STATUS_OBJECT_TYPE_MISMATCH);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    assert_int_equal(try_free_pages(memory.handle, memory.handle), STATUS_OBJECT_TYPE_MISMATCH);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    assert_int_equal(try_map(memory.handle, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_OBJECT_TYPE_MISMATCH);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    assert_int_equal(try_adl(memory.handle, 0, PAGE, 0, &adl), STATUS_OBJECT_TYPE_MISMATCH);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    thing_close(memory.handle);
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    thing_destroy((struct thing){memory.handle, NULL});
    (void)expect_code(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    /* Its mapping is nobody's to end. */
    view_unmap(thing.object, (struct view){memory.base, PAGE, 0});
    (void)expect_code(DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT);
    assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_SUCCESS);
    thing_destroy(thing);
    expect_no_violation();
}

/* What the driver writes to the MDL is told and not believed; what it may write, it may. */
static void mdl_that_was_written_to(void **state)
{
    for (unsigned what = 0; what < 4; what++) {
        struct handed_memory memory = pages_allocate(world.adapter, 3 * PAGE);
        uint64_t made = last_operation();
        struct dxgkmem_mdl *mdl = (struct dxgkmem_mdl *)(void *)memory.mdl;
        uint64_t page = dxgkmem_mdl_pages(mdl)[2];
        (void)state;
        if (what == 0)
            mdl->ByteCount = (ULONG)PAGE;
        else if (what == 1)
            mdl->ByteOffset = 8;
        else if (what == 2)
            dxgkmem_mdl_pages(mdl)[2] = 0;
        else
            mdl->Next = mdl;
        assert_int_equal(try_free_pages(world.adapter, memory.handle), STATUS_SUCCESS);
        if (what < 3)
            expect_violation(DXGKMEM_VIOLATION_MDL_SCRIBBLED, memory.handle, made,
                             DXGKMEM_CALL_ALLOCATE_PAGES);
        expect_no_violation();
        assert_false(dxgkmem_sim_is_allocated(world.sim, page));
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(freed_twice, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(by_the_wrong_call, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(through_the_wrong_adapter, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(of_another_kind, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(mdl_that_was_written_to, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
