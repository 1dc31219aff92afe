/* SPDX-License-Identifier: MIT */
/*
 * Claim: a handle that was never given out is refused. Neither another index, nor
 * another generation or kind, nor any single changed bit, nor a pointer makes one.
 */
#include "tests/support/world.h"

#include <dxgkmem/user.h>

static const HANDLE garbage[] = {(HANDLE)(uintptr_t)1, (HANDLE)(uintptr_t)8,      (HANDLE)(uintptr_t)0x1000,
                                 (HANDLE)UINTPTR_MAX,  (HANDLE)(UINTPTR_MAX / 2), (HANDLE)&world};

static void refuse_as_object(HANDLE forged)
{
    struct state before = state_now();
    struct view view;
    assert_false(NT_SUCCESS(try_map(forged, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view)));
    expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, forged, 0, DXGKMEM_CALL_NONE);
    thing_destroy((struct thing){forged, NULL});
    expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, forged, 0, DXGKMEM_CALL_NONE);
    expect_unchanged(&before);
}

static void refuse_as_open(HANDLE forged)
{
    struct state before = state_now();
    DXGK_ADL *adl;
    thing_close(forged);
    expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, forged, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_adl(forged, 0, PAGE, 0, &adl), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, forged, 0, DXGKMEM_CALL_NONE);
    expect_unchanged(&before);
}

static void garbage_values(void **state)
{
    struct thing thing;
    (void)state;
    for (unsigned i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++) {
        refuse_as_object(garbage[i]);
        refuse_as_open(garbage[i]);
        assert_int_equal(try_create(mdl_arguments(garbage[i], PAGE), &thing), STATUS_INVALID_HANDLE);
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, garbage[i], 0, DXGKMEM_CALL_NONE);
    }
}

static void every_single_bit(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    (void)state;
    for (unsigned bit = 0; bit < sizeof(HANDLE) * 8; bit++) {
        refuse_as_object((HANDLE)((uintptr_t)thing.object ^ (uintptr_t)1 << bit));
        refuse_as_open((HANDLE)((uintptr_t)thing.open ^ (uintptr_t)1 << bit));
    }
    thing_destroy(thing);
}

/* The check of a good handle does not make another body good. */
static void transplanted_check(void **state)
{
    const unsigned body_bits = sizeof(HANDLE) * 8 - DXGKMEM_HANDLE_CHECK_BITS;
    const uintptr_t body = ((uintptr_t)1 << body_bits) - 1;
    struct thing first = thing_create(mdl_arguments(NULL, PAGE)),
                 second = thing_create(mdl_arguments(NULL, PAGE));
    uintptr_t check = (uintptr_t)first.object & ~body;
    (void)state;
    assert_true(check != ((uintptr_t)second.object & ~body)); /* else the key shows nothing here */
    refuse_as_object((HANDLE)(check | ((uintptr_t)second.object & body)));
    thing_destroy(first);
    thing_destroy(second);
}

/* A handle of one run is nobody's in the next: the key is new. */
static void handle_of_an_earlier_run(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE)), again;
    const struct dxgkmem_adapter_config config = adapter_identity(0, V31);
    (void)state;
    dxgkmem_reset();
    dxgkmem_sim_reset(world.sim);
    world.adapter = adapter_add(&config);
    again = thing_create(mdl_arguments(NULL, PAGE));
    assert_ptr_not_equal(again.object, thing.object);
    refuse_as_object(thing.object);
    thing_destroy(again);
}

static void null_handles(void **state)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {NULL, world.adapter, NULL};
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    struct state before = state_now();
    struct view view;
    DXGK_ADL *adl;
    (void)state;

    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    open.hPhysicalMemoryObject = thing.object;
    open.hAdapter = NULL;
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_map(NULL, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_adl(NULL, 0, PAGE, 0, &adl), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_pin(NULL, 0, PAGE, 0, &adl), STATUS_INVALID_HANDLE);
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    thing_destroy((struct thing){NULL, NULL});
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    thing_close(NULL);
    expect_violation(DXGKMEM_VIOLATION_NULL_HANDLE, NULL, 0, DXGKMEM_CALL_NONE);
    expect_unchanged(&before);
    thing_destroy(thing);
}

static void wrong_kind(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE)), none;
    struct state before = state_now();
    struct view view;
    DXGK_ADL *adl;
    (void)state;

    assert_int_equal(try_map(thing.open, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_OBJECT_TYPE_MISMATCH);
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, thing.open, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_adl(thing.object, 0, PAGE, 0, &adl), STATUS_OBJECT_TYPE_MISMATCH);
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, thing.object, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_create(mdl_arguments(thing.object, PAGE), &none), STATUS_OBJECT_TYPE_MISMATCH);
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, thing.object, 0, DXGKMEM_CALL_NONE);
    thing_destroy((struct thing){world.adapter, NULL});
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, world.adapter, 0, DXGKMEM_CALL_NONE);
    thing_destroy((struct thing){thing.object, thing.object});
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, thing.object, 0, DXGKMEM_CALL_NONE);
    thing_close(world.adapter);
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, world.adapter, 0, DXGKMEM_CALL_NONE);
    expect_unchanged(&before);
    thing_destroy(thing);
    /* Of the wrong kind, alive or not. */
    thing_close(thing.object);
    expect_violation(DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, thing.object, 0, DXGKMEM_CALL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(garbage_values, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(every_single_bit, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(transplanted_check, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(handle_of_an_earlier_run, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(null_handles, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(wrong_kind, world_setup, world_teardown),
    };
    /* The same key in every run: what is forged by luck once would be forged always. */
    dxgkmem_user_seed(1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
