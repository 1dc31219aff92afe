/* SPDX-License-Identifier: MIT */
/*
 * Claim: nothing but the documented outputs carries an address to the caller: a handle is
 * a check, a kind, a generation and an index, and the check depends on a secret key.
 */
#include "tests/support/world.h"

#include <dxgkmem/user.h>

static uintptr_t field(HANDLE handle, unsigned shift, unsigned bits)
{
    return (uintptr_t)handle >> shift & (((uintptr_t)1 << bits) - 1);
}

#define INDEX(handle) field(handle, 0, DXGKMEM_HANDLE_INDEX_BITS)
#define GENERATION(handle) field(handle, DXGKMEM_HANDLE_INDEX_BITS, DXGKMEM_HANDLE_GENERATION_BITS)
#define BODY_BITS (DXGKMEM_HANDLE_INDEX_BITS + DXGKMEM_HANDLE_GENERATION_BITS + DXGKMEM_HANDLE_KIND_BITS)
#define KIND(handle)                                                                                         \
    field(handle, DXGKMEM_HANDLE_INDEX_BITS + DXGKMEM_HANDLE_GENERATION_BITS, DXGKMEM_HANDLE_KIND_BITS)
#define CHECK(handle) ((uintptr_t)(handle) >> BODY_BITS)

/* The body is what was counted: small numbers, equal in every run. */
static void body_is_slot_and_generation(void **state)
{
    struct thing one = thing_create(mdl_arguments(world.adapter, PAGE));
    struct thing two = thing_create(mdl_arguments(world.adapter, PAGE));
    (void)state;
    assert_int_equal(INDEX(world.adapter), 0);
    assert_int_equal(GENERATION(one.object), 1);
    assert_int_equal(GENERATION(one.open), 1);
    assert_true(INDEX(one.object) <= 2 && INDEX(one.open) <= 2);
    assert_true(INDEX(one.object) != INDEX(one.open));
    assert_int_equal(INDEX(two.object) + INDEX(two.open), 3 + 4);
    assert_true(KIND(one.object) != KIND(one.open) && KIND(one.object) != KIND(world.adapter));
    thing_destroy(one);
    thing_destroy(two);
}

static HANDLE handle_with_seed(uint64_t seed)
{
    struct thing thing;
    dxgkmem_user_seed(seed);
    (void)world_setup(NULL);
    thing = thing_create(mdl_arguments(NULL, PAGE));
    thing_destroy(thing);
    (void)world_teardown(NULL);
    return thing.object;
}

/* The same key gives the same handle, whatever lies where in memory; another key another check. */
static void check_is_keyed(void **state)
{
    HANDLE first = handle_with_seed(7), again = handle_with_seed(7);
    unsigned different = 0;
    (void)state;
    assert_ptr_equal(first, again);
    for (uint64_t seed = 100; seed < 132; seed++) {
        HANDLE other = handle_with_seed(seed);
        assert_int_equal((uintptr_t)other & (((uintptr_t)1 << BODY_BITS) - 1),
                         (uintptr_t)first & (((uintptr_t)1 << BODY_BITS) - 1));
        different += CHECK(other) != CHECK(first);
    }
    assert_true(different >= 30);
}

/* Every bit of the check depends on the body: over many handles each bit is about as often set as clear. */
static void check_is_spread(void **state)
{
    unsigned set[DXGKMEM_HANDLE_CHECK_BITS];
    enum { HANDLES = 2000 };
    (void)state;
    memset(set, 0, sizeof(set));
    for (unsigned i = 0; i < HANDLES; i++) {
        struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
        for (unsigned bit = 0; bit < DXGKMEM_HANDLE_CHECK_BITS; bit++)
            set[bit] += CHECK(thing.object) >> bit & 1;
        thing_destroy(thing);
    }
    for (unsigned bit = 0; bit < DXGKMEM_HANDLE_CHECK_BITS; bit++)
        assert_in_range(set[bit], HANDLES / 2 - 200, HANDLES / 2 + 200);
}

/* Out fields of a call that was refused are zero, not whatever was on a stack. */
static void refused_calls_carry_nothing(void **state)
{
    struct thing thing;
    struct view view;
    DXGK_ADL *adl;
    (void)state;
    assert_false(NT_SUCCESS(try_create(mdl_arguments(world.adapter, 0), &thing)));
    (void)expect_code(DXGKMEM_VIOLATION_INVALID_SIZE);
    assert_false(NT_SUCCESS(try_map(NULL, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view)));
    (void)expect_code(DXGKMEM_VIOLATION_NULL_HANDLE);
    assert_false(NT_SUCCESS(try_adl(NULL, 0, PAGE, 0, &adl)));
    (void)expect_code(DXGKMEM_VIOLATION_NULL_HANDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(body_is_slot_and_generation, world_setup, world_teardown),
        cmocka_unit_test(check_is_keyed),
        cmocka_unit_test_setup_teardown(check_is_spread, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(refused_calls_carry_nothing, world_setup, world_teardown),
    };
    dxgkmem_user_seed(3);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
