/* SPDX-License-Identifier: MIT */
/*
 * Claim: the adapter memory object that DESTROY named has ended with the object, "but
 * not both": a CLOSE of it afterwards is refused with a violation of its own, and
 * whatever took the slot meanwhile is untouched.
 */
#include "tests/support/world.h"

static void close_after_destroy(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    struct state before;
    uint64_t destroyed;
    DXGK_ADL *adl;
    (void)state;

    thing_destroy(thing);
    destroyed = last_operation();
    expect_no_violation();
    before = state_now();
    thing_close(thing.open);
    expect_violation(DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY, thing.open, destroyed, DXGKMEM_CALL_DESTROY);
    expect_unchanged(&before);
    /* Any other use of it is a stale handle. */
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_STALE_HANDLE, thing.open, destroyed, DXGKMEM_CALL_DESTROY);
    expect_unchanged(&before);
}

static void close_after_destroy_while_others_live(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE)), others[100];
    struct state before;
    uint64_t destroyed;
    (void)state;

    thing_destroy(thing);
    destroyed = last_operation();
    for (unsigned i = 0; i < 100; i++)
        others[i] = thing_create(mdl_arguments(world.adapter, PAGE));
    before = state_now();
    thing_close(thing.open);
    expect_violation(DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY, thing.open, destroyed, DXGKMEM_CALL_DESTROY);
    expect_unchanged(&before);
    for (unsigned i = 0; i < 100; i++)
        thing_destroy(others[i]);
}

static void close_then_destroy_is_right(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    (void)state;
    thing_close(thing.open);
    thing.open = NULL;
    thing_destroy(thing);
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(close_after_destroy, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(close_after_destroy_while_others_live, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(close_then_destroy_is_right, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
