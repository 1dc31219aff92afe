/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handle that has ended is refused by every callback, changes nothing, and
 * the violation says which call ended it. This stays so when its slot has a new life.
 */
#include "tests/support/world.h"

static void stale_object(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    uint64_t ended;
    struct state before;
    struct view view;
    (void)state;

    thing_destroy(thing);
    ended = last_operation();
    before = state_now();

    assert_int_equal(try_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.object, ended, DXGKMEM_CALL_DESTROY);
    thing_destroy(thing);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.object, ended, DXGKMEM_CALL_DESTROY);
    view_unmap(thing.object, (struct view){(unsigned char *)4096, PAGE, 0});
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.object, ended, DXGKMEM_CALL_DESTROY);
    {
        DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {thing.object, world.adapter, NULL};
        assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_INVALID_HANDLE);
        expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.object, ended, DXGKMEM_CALL_DESTROY);
    }
    expect_unchanged(&before);
}

static void stale_adapter_object(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    uint64_t closed;
    struct state before;
    DXGK_ADL *adl;
    (void)state;

    thing_close(thing.open);
    closed = last_operation();
    before = state_now();
    thing_close(thing.open);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.open, closed, DXGKMEM_CALL_CLOSE);
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.open, closed, DXGKMEM_CALL_CLOSE);
    adl_free(thing.open, NULL);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.open, closed, DXGKMEM_CALL_CLOSE);
    thing_destroy(thing); /* names it */
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.open, closed, DXGKMEM_CALL_CLOSE);
    expect_unchanged(&before);
    thing.open = NULL;
    thing_destroy(thing);
}

/* Ends and makes objects until the slot of `wanted` is used again; returns its new handle. */
static struct thing reuse_slot(HANDLE wanted)
{
    const uintptr_t index = ((uintptr_t)1 << DXGKMEM_HANDLE_INDEX_BITS) - 1;
    for (unsigned i = 0; i < 1000; i++) {
        struct thing next = thing_create(mdl_arguments(NULL, PAGE));
        if (((uintptr_t)next.object & index) == ((uintptr_t)wanted & index))
            return next;
        thing_destroy(next);
    }
    fail_msg("the slot was never used again");
    return (struct thing){NULL, NULL};
}

static void recycled_slot(void **state)
{
    struct thing first = thing_create(mdl_arguments(NULL, PAGE)), second, third;
    uint64_t ended;
    struct state before;
    struct view view;
    (void)state;

    thing_destroy(first);
    ended = last_operation();
    second = reuse_slot(first.object);
    assert_ptr_not_equal(second.object, first.object);
    before = state_now();
    /* The life before the present one is still known. */
    assert_int_equal(try_map(first.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, first.object, ended, DXGKMEM_CALL_DESTROY);
    expect_unchanged(&before);
    /* And the new owner is untouched by the destroy of the old handle. */
    thing_destroy(first);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, first.object, ended, DXGKMEM_CALL_DESTROY);
    expect_unchanged(&before);

    thing_destroy(second);
    third = reuse_slot(first.object);
    /* Older lives are forgotten, but refused all the same. */
    thing_destroy(first);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, first.object, 0, DXGKMEM_CALL_NONE);
    thing_destroy(third);
}

/* The slot's next life may be of another kind: what ended the handle is still what is said. */
static void recycled_as_other_kind(void **state)
{
    const uintptr_t index = ((uintptr_t)1 << DXGKMEM_HANDLE_INDEX_BITS) - 1;
    struct thing first = thing_create(mdl_arguments(NULL, PAGE)), next;
    uint64_t ended;
    (void)state;

    thing_destroy(first);
    ended = last_operation();
    for (unsigned i = 0;; i++) {
        assert_true(i < 1000);
        next = thing_create(mdl_arguments(world.adapter, PAGE));
        if (((uintptr_t)next.open & index) == ((uintptr_t)first.object & index))
            break;
        if (((uintptr_t)next.object & index) == ((uintptr_t)first.object & index)) {
            /* Wrong way round: begin again with the newer handle. */
            first.object = next.object;
            thing_destroy(next);
            ended = last_operation();
            next = thing_create(mdl_arguments(NULL, PAGE));
        }
        thing_destroy(next);
    }
    thing_destroy(first);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, first.object, ended, DXGKMEM_CALL_DESTROY);
    thing_destroy(next);
}

static void stale_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    HANDLE adapter = adapter_add(&config);
    struct state before;
    struct thing thing;
    uint64_t removed;
    DXGK_ADL *adl;
    (void)state;

    adapter_remove(adapter);
    removed = last_operation();
    before = state_now();
    assert_int_equal(try_create(mdl_arguments(adapter, PAGE), &thing), STATUS_DEVICE_REMOVED);
    expect_violation(DXGKMEM_VIOLATION_ADAPTER_REMOVED, adapter, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    assert_int_equal(try_pin(adapter, 0, PAGE, 0, &adl), STATUS_DEVICE_REMOVED);
    expect_violation(DXGKMEM_VIOLATION_ADAPTER_REMOVED, adapter, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    assert_int_equal(try_unpin(adapter, 0), STATUS_DEVICE_REMOVED);
    expect_violation(DXGKMEM_VIOLATION_ADAPTER_REMOVED, adapter, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    expect_unchanged(&before);
    assert_int_equal(dxgkmem_remove_adapter(adapter), STATUS_INVALID_HANDLE);
    assert_int_equal(dxgkmem_query_interface(adapter, &world.ddi), STATUS_INVALID_HANDLE);
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(stale_object, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(stale_adapter_object, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(recycled_slot, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(recycled_as_other_kind, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(stale_adapter, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
