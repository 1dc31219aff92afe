/* SPDX-License-Identifier: MIT */
/*
 * Claim: PASSIVE_LEVEL and APC_LEVEL are admitted, everything above is refused before any
 * lock is taken; the violation is a documented bug check exactly while an adapter of WDDM
 * 3.2 or above is present.
 */
#include "tests/support/world.h"

static void levels(void **state)
{
    (void)state;
    for (unsigned irql = PASSIVE_LEVEL; irql <= HIGH_LEVEL; irql++) {
        struct thing thing;
        NTSTATUS status;
        dxgkmem_sim_set_irql(world.sim, irql);
        status = try_create(mdl_arguments(world.adapter, PAGE), &thing);
        if (irql <= APC_LEVEL) {
            assert_int_equal(status, STATUS_SUCCESS);
            thing_destroy(thing);
            expect_no_violation();
        } else {
            assert_int_equal(status, STATUS_INVALID_DEVICE_STATE);
            expect_violation(DXGKMEM_VIOLATION_IRQL_TOO_HIGH, NULL, 0, DXGKMEM_CALL_NONE);
        }
    }
    dxgkmem_sim_set_irql(world.sim, PASSIVE_LEVEL);
}

static bool documented(void)
{
    struct dxgkmem_violation violation;
    dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);
    thing_close(NULL);
    dxgkmem_sim_set_irql(world.sim, PASSIVE_LEVEL);
    violation = expect_code(DXGKMEM_VIOLATION_IRQL_TOO_HIGH);
    assert_int_equal(violation.call, DXGKMEM_CALL_CLOSE);
    return violation.documented;
}

static void documented_with_wddm_3_2(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V32);
    HANDLE one, two;
    (void)state;
    assert_false(documented());
    one = adapter_add(&config);
    assert_true(documented());
    config.device = 2;
    two = adapter_add(&config);
    adapter_remove(one);
    assert_true(documented());
    adapter_remove(two);
    assert_false(documented());
    (void)adapter_add(&config);
    assert_true(documented());
    dxgkmem_reset();
    assert_false(documented());
}

/* Checked before the handle, and after the block itself. */
static void place_in_the_order(void **state)
{
    (void)state;
    dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);
    world.ddi.DxgkCbClosePhysicalMemoryObject(NULL);
    (void)expect_code(DXGKMEM_VIOLATION_NULL_ARGUMENTS);
    thing_close((HANDLE)(uintptr_t)1);
    (void)expect_code(DXGKMEM_VIOLATION_IRQL_TOO_HIGH);
    dxgkmem_sim_set_irql(world.sim, PASSIVE_LEVEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(levels, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(documented_with_wddm_3_2, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(place_in_the_order, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
