/* SPDX-License-Identifier: MIT */
/*
 * Claim: a DXGK_ADL is named by its address alone, so the address of an ended one is used
 * again as late as the table allows: a second free, long after the first, still finds
 * nothing to end, also when the same object has new ADLs by then. Until then there are zeroes.
 */
#include "tests/support/world.h"

static void second_free_finds_nothing(void **state)
{
    enum { LATER = 32 };
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    DXGK_ADL *freed = adl_allocate(thing.open, 0, PAGE), *later[LATER];
    struct state before;
    uint64_t ended;
    (void)state;

    adl_free(thing.open, freed);
    ended = last_operation();
    assert_memory_equal(freed, &(DXGK_ADL){0}, sizeof(*freed));
    for (unsigned i = 0; i < LATER; i++) {
        later[i] = adl_allocate(thing.open, 0, PAGE);
        assert_ptr_not_equal(later[i], freed);
    }
    before = state_now();
    adl_free(thing.open, freed);
    expect_violation(DXGKMEM_VIOLATION_ADL_ALREADY_FREED, freed, ended, DXGKMEM_CALL_FREE_ADL);
    expect_unchanged(&before);
    for (unsigned i = 0; i < LATER; i++)
        adl_free(thing.open, later[i]);
    thing_destroy(thing);
}

static void oldest_first(void **state)
{
    enum { MANY = 200 };
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    DXGK_ADL *adls[MANY], *seen = NULL;
    unsigned calls = 0;
    (void)state;
    for (unsigned i = 0; i < MANY; i++)
        adls[i] = adl_allocate(thing.open, 0, PAGE);
    for (unsigned i = 0; i < MANY; i++)
        adl_free(thing.open, adls[i]);
    /* The one that ended last comes back last. */
    while (seen != adls[MANY - 1]) {
        seen = adl_allocate(thing.open, 0, PAGE);
        adl_free(thing.open, seen);
        calls++;
    }
    assert_true(calls >= MANY);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(second_free_finds_nothing, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(oldest_first, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
