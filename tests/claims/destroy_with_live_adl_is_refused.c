/* SPDX-License-Identifier: MIT */
/*
 * Claim: while an ADL lives neither the object nor its adapter memory object can end:
 * the pages stay locked, owned and reachable, and the violation names the oldest ADL.
 */
#include "tests/support/world.h"

static void refused_in_every_form(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 2 * PAGE));
    DXGK_ADL *oldest = adl_allocate(thing.open, 0, PAGE), *other;
    uint64_t made = last_operation();
    unsigned char byte = 0xa5, seen = 0;
    struct state before;
    (void)state;

    other = adl_allocate(thing.open, PAGE, PAGE);
    before = state_now();
    thing_destroy(thing);
    expect_violation(DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL, thing.object, made, DXGKMEM_CALL_ALLOCATE_ADL);
    thing_destroy((struct thing){thing.object, NULL});
    expect_violation(DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL, thing.object, made, DXGKMEM_CALL_ALLOCATE_ADL);
    thing_close(thing.open);
    expect_violation(DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL, thing.open, made, DXGKMEM_CALL_ALLOCATE_ADL);
    expect_unchanged(&before);
    assert_true(dxgkmem_sim_dma_write(world.sim, 0, adl_page(oldest, 0) * PAGE, &byte, 1));
    assert_true(dxgkmem_sim_dma_read(world.sim, 0, adl_page(oldest, 0) * PAGE, &seen, 1));
    assert_int_equal(seen, byte);

    /* The next oldest is named when the first is gone. */
    adl_free(thing.open, oldest);
    thing_destroy(thing);
    expect_violation(DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL, thing.object, made + 1,
                     DXGKMEM_CALL_ALLOCATE_ADL);
    adl_free(thing.open, other);
    thing_destroy(thing);
}

static void other_reasons_to_refuse(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    uint64_t opened = last_operation(), mapped;
    struct thing foreign = thing_create(mdl_arguments(world.adapter, PAGE));
    struct view view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    struct state before;
    (void)state;

    mapped = last_operation();
    before = state_now();
    thing_destroy((struct thing){thing.object, NULL});
    expect_violation(DXGKMEM_VIOLATION_DESTROY_WHILE_OPEN, thing.object, opened, DXGKMEM_CALL_CREATE);
    thing_destroy((struct thing){thing.object, foreign.open});
    expect_violation(DXGKMEM_VIOLATION_DESTROY_FOREIGN_ADAPTER_OBJECT, foreign.open, opened + 1,
                     DXGKMEM_CALL_CREATE);
    thing_destroy(thing);
    expect_violation(DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_MAPPING, thing.object, mapped, DXGKMEM_CALL_MAP);
    expect_unchanged(&before);
    view_unmap(thing.object, view);
    thing_close(thing.open);
    /* An object that is not open has no adapter memory object that could be named. */
    thing_destroy((struct thing){thing.object, foreign.open});
    expect_violation(DXGKMEM_VIOLATION_DESTROY_FOREIGN_ADAPTER_OBJECT, foreign.open, opened + 1,
                     DXGKMEM_CALL_CREATE);
    thing_destroy((struct thing){thing.object, NULL});
    thing_destroy(foreign);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(refused_in_every_form, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(other_reasons_to_refuse, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
