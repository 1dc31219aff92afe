/* SPDX-License-Identifier: MIT */
/*
 * Claim: with the last adapter of a chain everything open on it ends, in the order that
 * the contract names, each thing reported with its making; the device reaches nothing,
 * the objects live on unopened, and their old handles say that the removal ended them.
 */
#include "tests/support/world.h"

static void expect_left(unsigned place, const void *subject, uint64_t made, enum dxgkmem_call call)
{
    assert_int_equal(world.seen[place].code, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
    assert_int_equal(world.seen[place].call, DXGKMEM_CALL_REMOVE_ADAPTER);
    assert_int_equal(world.seen[place].operation, last_operation());
    assert_int_equal(world.seen[place].subject, (uintptr_t)subject);
    assert_int_equal(world.seen[place].earlier_operation, made);
    assert_int_equal(world.seen[place].earlier_call, call);
}

static void last_of_its_chain(struct dxgkmem_adapter_config config)
{
    struct dxgkmem_adapter_info info;
    struct thing one, two, fresh;
    struct state before;
    DXGK_ADL *first, *second, *frame_buffer;
    struct view view;
    uint64_t at, removed;
    HANDLE adapter;

    one = thing_create(mdl_arguments(NULL, 4 * PAGE));
    view = view_map(one.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    before = state_now();
    adapter = adapter_add(&config);
    at = last_operation();
    two = thing_create(contiguous_arguments(adapter, 2 * PAGE));                       /* at + 1 */
    one.open = thing_open(one.object, adapter);                                        /* at + 2 */
    first = adl_allocate(one.open, 0, 2 * PAGE);                                       /* at + 3 */
    second = adl_allocate(one.open, PAGE, PAGE);                                       /* at + 4 */
    assert_int_equal(try_pin(adapter, 0, 2 * PAGE, 0, &frame_buffer), STATUS_SUCCESS); /* at + 5 */

    adapter_remove(adapter);
    removed = last_operation();
    assert_int_equal(world.violations, 5);
    expect_left(0, frame_buffer, at + 5, DXGKMEM_CALL_PIN);
    expect_left(1, two.open, at + 1, DXGKMEM_CALL_CREATE);
    expect_left(2, first, at + 3, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_left(3, second, at + 4, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_left(4, one.open, at + 2, DXGKMEM_CALL_OPEN);
    world.violations = 0;
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, config.device), 0);
    assert_int_equal(dxgkmem_query_adapter(adapter, &info), STATUS_INVALID_HANDLE);

    /* What ended says by what. */
    thing_close(one.open);
    expect_violation(DXGKMEM_VIOLATION_ADAPTER_REMOVED, one.open, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    adl_free(one.open, first);
    expect_violation(DXGKMEM_VIOLATION_ADAPTER_REMOVED, one.open, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    fresh = thing_create(mdl_arguments(world.adapter, PAGE));
    adl_free(fresh.open, first);
    expect_violation(DXGKMEM_VIOLATION_ADL_ALREADY_FREED, first, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    adl_free(fresh.open, frame_buffer);
    expect_violation(DXGKMEM_VIOLATION_ADL_ALREADY_FREED, frame_buffer, removed, DXGKMEM_CALL_REMOVE_ADAPTER);
    thing_destroy(fresh);

    /* The objects live on, and may be opened elsewhere. */
    two.open = thing_open(two.object, world.adapter);
    thing_destroy(two);
    assert_int_equal(state_now().pool_blocks, before.pool_blocks);
    view_unmap(one.object, view);
    thing_destroy((struct thing){one.object, NULL});
    expect_no_violation();
}

static void identity(void **state)
{
    (void)state;
    last_of_its_chain(adapter_identity(1, V31));
}

static void remapped(void **state)
{
    (void)state;
    last_of_its_chain(adapter_remapped(1, V31));
}

/* An adapter that is not the last takes only its handle and its frame buffer along. */
static void one_of_a_chain(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing thing = thing_create(mdl_arguments(world.adapter, 2 * PAGE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, 2 * PAGE), *frame_buffer;
    unsigned char byte;
    HANDLE second;
    uint64_t pinned;
    (void)state;

    config.link_to = world.adapter;
    second = adapter_add(&config);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &frame_buffer), STATUS_SUCCESS);
    pinned = last_operation();
    assert_true(dxgkmem_sim_dma_read(world.sim, 1, adl_page(adl, 0) * PAGE, &byte, 1));
    adapter_remove(world.adapter);
    assert_int_equal(world.violations, 1);
    expect_left(0, frame_buffer, pinned, DXGKMEM_CALL_PIN);
    world.violations = 0;
    assert_false(dxgkmem_sim_dma_read(world.sim, 0, adl_page(adl, 0) * PAGE, &byte, 1));
    assert_true(dxgkmem_sim_dma_read(world.sim, 1, adl_page(adl, 0) * PAGE, &byte, 1));
    /* The rest of the chain leads now. */
    assert_int_equal(try_pin(second, 1, PAGE, 0, &frame_buffer), STATUS_SUCCESS);
    assert_int_equal(try_unpin(second, 1), STATUS_SUCCESS);
    assert_int_equal(try_pin(second, 0, PAGE, 0, &frame_buffer), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX);
    adl_free(thing.open, adl);
    thing_destroy(thing);
    expect_no_violation();
}

static void device_number_is_free_again(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(0, V31);
    HANDLE again = NULL;
    (void)state;
    assert_int_equal(dxgkmem_add_adapter(&config, &again), STATUS_INVALID_PARAMETER);
    assert_null(again);
    adapter_remove(world.adapter);
    world.adapter = adapter_add(&config);
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(identity, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(remapped, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(one_of_a_chain, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(device_number_is_free_again, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
