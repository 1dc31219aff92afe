/* SPDX-License-Identifier: MIT */
/* What another thread may do between two steps of a call when an adapter goes, or one joins the chain. */
#include "test_races.h"

static HANDLE adapter, given;

static void remove_it(void)
{
    adapter_remove(adapter);
}

static void adapter_goes_during_open(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open;
    (void)state;
    adapter = adapter_add(&config);
    thing = thing_create(mdl_arguments(NULL, PAGE));
    open = (DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT){thing.object, adapter, NULL};
    at_lock(RANK_LOGICAL, 0, remove_it);
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_DEVICE_REMOVED);
    expect_hooked();
    (void)expect_code(DXGKMEM_VIOLATION_ADAPTER_REMOVED);
    (void)state_now();
    /* It may be opened elsewhere: nothing of the attempt is left. */
    thing.open = thing_open(thing.object, world.adapter);
    thing_destroy(thing);
}

/* The removal that a test acts in has taken the adapter out of its chain. */
static void expect_taken_out(void)
{
    struct dxgkmem_adapter_info info;
    assert_int_equal(dxgkmem_query_adapter(adapter, &info), STATUS_INVALID_HANDLE);
}

static void close_left_thing(void)
{
    expect_taken_out();
    close_thing();
}

/* What removal is about to close is closed by its owner just then; what comes after it is closed all the same. */
static void owner_is_quicker_than_removal(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing later;
    (void)state;
    adapter = adapter_add(&config);
    thing = thing_create(mdl_arguments(adapter, PAGE));
    later = thing_create(mdl_arguments(adapter, PAGE));
    at_lock(RANK_SLOT, 2, close_left_thing); /* the adapter's slot twice, then the object's */
    adapter_remove(adapter);
    expect_hooked();
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_LEFT_AT_REMOVAL).subject, (uintptr_t)later.open);
    destroy_unopened();
    thing_destroy((struct thing){later.object, NULL});
}

/* Nothing is left of what went on since. */
static void expect_nothing_left(const struct state *before)
{
    struct state now = state_now();
    assert_memory_equal(&now.statistics, &before->statistics, sizeof(now.statistics));
    assert_int_equal(now.pool_blocks, before->pool_blocks);
    assert_int_equal(now.pool_bytes, before->pool_bytes);
}

/* What is left of a free that found its adapter before that went. */
static void free_given(void)
{
    struct call call;
    struct memory *found;
    expect_taken_out();
    call_number(&call, DXGKMEM_CALL_FREE_CONTIGUOUS);
    found = handle_acquire(&call, (uintptr_t)given, HANDLE_MEMORY);
    assert_non_null(found);
    memory_end(found, call.now);
}

static void owner_frees_quicker_than_removal(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct state before = state_now();
    HANDLE later;
    (void)state;
    adapter = adapter_add(&config);
    given = contiguous_allocate(adapter, PAGE).handle;
    later = contiguous_allocate(adapter, PAGE).handle;
    at_lock(RANK_SLOT, 2, free_given); /* the adapter's slot twice, then the memory's */
    adapter_remove(adapter);
    expect_hooked();
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_LEFT_AT_REMOVAL).subject, (uintptr_t)later);
    expect_nothing_left(&before);
}

/* When the call looks at what is visible, and when it is about to give out the handle. */
static void adapter_goes_during_allocation(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct state before = state_now();
    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        adapter = adapter_add(&config);
        at_lock(RANK_LOGICAL, after, remove_it);
        assert_int_equal(try_pages(adapter, 2 * PAGE, 0, &(struct handed_memory){0}), STATUS_DEVICE_REMOVED);
        expect_hooked();
        (void)expect_code(DXGKMEM_VIOLATION_ADAPTER_REMOVED);
        expect_nothing_left(&before);
    }
}

/* Both found the adapter; the one that comes second to the pin lock removes nothing. */
static void removed_by_two(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V32);
    struct state before = state_now();
    (void)state;
    adapter = adapter_add(&config);
    at_lock(RANK_PIN, 0, remove_it);
    assert_int_equal(dxgkmem_remove_adapter(adapter), STATUS_INVALID_HANDLE);
    expect_hooked();
    expect_no_violation();
    expect_nothing_left(&before);
}

static NTSTATUS pin_it(void)
{
    DXGK_ADL *adl;
    return try_pin(adapter, 0, PAGE, 0, &adl);
}

static NTSTATUS pin_it_for_an_mdl(void)
{
    struct dxgkmem_mdl *mdl;
    return try_pin_mdl(adapter, 0, PAGE, &mdl);
}

static NTSTATUS unpin_it(void)
{
    return try_unpin(adapter, 0);
}

/* Found, and gone when the pin lock is there: it is the removal that is told, not what the chain is without it. */
static void adapter_goes_before_a_pin(void **state)
{
    NTSTATUS (*const attempt[])(void) = {pin_it, pin_it_for_an_mdl, unpin_it};
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct state before = state_now();
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        adapter = adapter_add(&config);
        at_lock(RANK_PIN, 0, remove_it);
        assert_int_equal(attempt[i](), STATUS_DEVICE_REMOVED);
        expect_hooked();
        assert_int_equal(expect_code(DXGKMEM_VIOLATION_ADAPTER_REMOVED).subject, (uintptr_t)adapter);
        expect_nothing_left(&before);
    }
}

static void chain_goes_before_one_joins(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    HANDLE second = NULL;
    (void)state;
    adapter = adapter_add(&config);
    config.device = 2;
    config.link_to = adapter;
    at_lock(RANK_LOGICAL, 0, remove_it);
    assert_int_equal(dxgkmem_add_adapter(&config, &second), STATUS_INVALID_PARAMETER);
    expect_hooked();
    assert_null(second);
    (void)state_now();
}

/* The chain stays, but not the one that the new adapter is linked to: when the call looks, and at its last step. */
static void link_goes_before_one_joins(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    HANDLE second, third;
    (void)state;
    for (unsigned after = 0; after < 2; after++) {
        config.device = 1;
        config.link_to = NULL;
        adapter = adapter_add(&config);
        config.device = 2;
        config.link_to = adapter;
        second = adapter_add(&config);
        config.device = 3;
        at_lock(RANK_LOGICAL, after, remove_it);
        assert_int_equal(dxgkmem_add_adapter(&config, &third), STATUS_INVALID_PARAMETER);
        expect_hooked();
        assert_null(third);
        adapter_remove(second);
    }
    expect_no_violation();
    (void)state_now();
}

static HANDLE joined;

/* It sees all of RAM, and no I/O range above it. */
static void join_with_less(void)
{
    struct dxgkmem_adapter_config config = adapter_identity(2, V31);
    config.memory_caps.HighestVisibleAddress.QuadPart = (RAM_HIGHEST + 1) * (LONGLONG)PAGE - 1;
    config.link_to = adapter;
    joined = adapter_add(&config);
}

static void remove_chain(const struct state *before)
{
    adapter_remove(joined);
    adapter_remove(adapter);
    expect_no_violation();
    expect_nothing_left(before);
}

/* An I/O range that the chain sees when the call looks, and no more when the object is to be opened on it. */
static void range_vanishes_during_create(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct state before = state_now();
    struct dxgkmem_violation seen;
    (void)state;
    adapter = adapter_add(&config);
    at_lock(RANK_LOGICAL, 1, join_with_less);
    assert_int_equal(try_create(io_arguments(adapter, RAM_HIGHEST + 1, PAGE), &thing),
                     dxgkmem_violation_status(DXGKMEM_VIOLATION_NOT_VISIBLE));
    expect_hooked();
    seen = expect_code(DXGKMEM_VIOLATION_NOT_VISIBLE);
    assert_int_equal(seen.subject, 0);
    assert_int_equal(seen.earlier_operation, 0);
    remove_chain(&before);
    /* Its claim was given up, too. */
    thing_destroy(thing_create(io_arguments(NULL, RAM_HIGHEST + 1, PAGE)));
}

static void range_vanishes_during_open(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open;
    struct state before;
    (void)state;
    thing = thing_create(io_arguments(NULL, RAM_HIGHEST + 1, PAGE));
    before = state_now();
    adapter = adapter_add(&config);
    open = (DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT){thing.object, adapter, NULL};
    at_lock(RANK_LOGICAL, 1, join_with_less);
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open),
                     dxgkmem_violation_status(DXGKMEM_VIOLATION_NOT_VISIBLE));
    expect_hooked();
    assert_null(open.hAdapterMemoryObject);
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_NOT_VISIBLE).subject, (uintptr_t)thing.object);
    remove_chain(&before);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(adapter_goes_during_open, setup, world_teardown),
        cmocka_unit_test_setup_teardown(owner_is_quicker_than_removal, setup, world_teardown),
        cmocka_unit_test_setup_teardown(owner_frees_quicker_than_removal, setup, world_teardown),
        cmocka_unit_test_setup_teardown(adapter_goes_during_allocation, setup, world_teardown),
        cmocka_unit_test_setup_teardown(removed_by_two, setup, world_teardown),
        cmocka_unit_test_setup_teardown(adapter_goes_before_a_pin, setup, world_teardown),
        cmocka_unit_test_setup_teardown(chain_goes_before_one_joins, setup, world_teardown),
        cmocka_unit_test_setup_teardown(link_goes_before_one_joins, setup, world_teardown),
        cmocka_unit_test_setup_teardown(range_vanishes_during_create, setup, world_teardown),
        cmocka_unit_test_setup_teardown(range_vanishes_during_open, setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
