/* SPDX-License-Identifier: MIT */
/*
 * Claim: the way back of every ADL is unmap, flush, unlock, in this order, and pages go
 * back to the machine only when no device can reach them: by whatever call they end.
 */
#include "tests/support/wrapped.h"

static struct {
    uint64_t mapped;    /* logical pages mapped for a device now */
    uint64_t unflushed; /* unmapped since, and not yet flushed */
    uint64_t locked;
    unsigned destroyed;
    bool failing; /* a call that is announced here may fail, so counts mean nothing */
} seen;

static void watch(enum wrapped_op op, uint64_t first, uint64_t pages)
{
    (void)first;
    switch (op) {
    case OP_MEMORY_LOCK:
        seen.locked += pages;
        break;
    case OP_DOMAIN_MAP:
        assert_true(seen.failing || seen.locked >= seen.mapped + pages); /* never reachable and not locked */
        seen.mapped += pages;
        break;
    case OP_DOMAIN_UNMAP:
        assert_true(seen.mapped >= pages);
        seen.mapped -= pages;
        seen.unflushed += pages;
        break;
    case OP_DOMAIN_FLUSH:
        assert_true(seen.unflushed >= pages);
        seen.unflushed -= pages;
        break;
    case OP_MEMORY_UNLOCK:
        assert_int_equal(seen.unflushed, 0);
        seen.locked -= pages;
        assert_true(seen.failing || seen.locked >= seen.mapped);
        break;
    case OP_MEMORY_DESTROY:
        assert_int_equal(seen.unflushed, 0);
        assert_int_equal(seen.mapped, 0); /* one object at a time here */
        assert_int_equal(seen.locked, 0);
        seen.destroyed++;
        break;
    default:
        break;
    }
}

static int setup(void **state)
{
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = wrapped_machine();
    world_start(&config);
    wrapped.before = watch;
    memset(&seen, 0, sizeof(seen));
    return 0;
}

static void free_and_destroy(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 16 * PAGE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, 16 * PAGE);
    (void)state;
    assert_int_equal(seen.mapped, 16);
    adl_free(thing.open, adl);
    assert_int_equal(seen.mapped, 0);
    assert_int_equal(seen.locked, 0);
    thing_destroy(thing);
    assert_int_equal(seen.destroyed, 1);
}

static void removal(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 16 * PAGE));
    (void)state;
    (void)adl_allocate(thing.open, 0, 16 * PAGE);
    adapter_remove(world.adapter);
    assert_int_equal(seen.mapped, 0);
    assert_int_equal(seen.locked, 0);
    assert_int_equal(seen.destroyed, 0);
    world.violations = 0;
    thing_destroy((struct thing){thing.object, NULL});
    assert_int_equal(seen.destroyed, 1);
}

static void unpin_and_removal_of_pinned(void **state)
{
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin(world.adapter, 0, 8 * PAGE, 0, &adl), STATUS_SUCCESS);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(seen.mapped, 0);
    assert_int_equal(seen.destroyed, 0); /* what is saved stays */
    assert_int_equal(try_pin(world.adapter, 0, 8 * PAGE, 0, &adl), STATUS_SUCCESS);
    adapter_remove(world.adapter);
    assert_int_equal(seen.mapped, 0);
    assert_int_equal(seen.destroyed, 1);
    world.violations = 0;
}

static void reset(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 16 * PAGE));
    (void)state;
    (void)adl_allocate(thing.open, 0, 16 * PAGE);
    (void)view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    dxgkmem_reset();
    assert_int_equal(seen.mapped, 0);
    assert_int_equal(seen.destroyed, 1);
    assert_int_equal(dxgkmem_sim_free_pages(world.sim), RAM_PAGES);
}

static void stop(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 16 * PAGE));
    struct dxgkmem_leaks leaks;
    (void)state;
    (void)adl_allocate(thing.open, 0, 16 * PAGE);
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.adls, 1);
    assert_int_equal(seen.mapped, 0);
    assert_int_equal(seen.destroyed, 1);
    world.violations = 0;
}

/* Half a way forth: what was connected before the failure goes the same way back. */
static void failed_connection(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, 16 * PAGE));
    DXGK_ADL *adl;
    bool fired = true;
    (void)state;
    seen.failing = true;
    for (unsigned nth = 1; fired; nth++) {
        dxgkmem_sim_fail_at(world.sim, nth);
        if (NT_SUCCESS(try_adl(thing.open, 0, 16 * PAGE, 0, &adl)))
            adl_free(thing.open, adl);
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
        assert_int_equal(seen.unflushed, 0);
        seen.mapped = seen.locked = 0; /* maps and locks that failed were counted too */
        fired = dxgkmem_sim_fault_fired(world.sim);
    }
    dxgkmem_sim_fail_at(world.sim, 0);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(free_and_destroy, setup, world_teardown),
        cmocka_unit_test_setup_teardown(removal, setup, world_teardown),
        cmocka_unit_test_setup_teardown(unpin_and_removal_of_pinned, setup, world_teardown),
        cmocka_unit_test_setup_teardown(reset, setup, world_teardown),
        cmocka_unit_test_setup_teardown(stop, setup, world_teardown),
        cmocka_unit_test_setup_teardown(failed_connection, setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
