/* SPDX-License-Identifier: MIT */
/*
 * Handles by themselves: slots, lives, kinds, what is known of the last two lives, and
 * what passes for no handle.
 */
#include "tests/support/world.h"

#include "core/adl.h"

static struct call call_of(enum dxgkmem_call name)
{
    struct call call;
    call_number(&call, name);
    return call;
}

static enum dxgkmem_violation_code check(uint64_t handle, enum handle_kind kind, enum dxgkmem_call name,
                                         stamp *earlier)
{
    struct call call = call_of(name);
    stamp made;
    bool good = handle_check(&call, handle, kind, &made);
    assert_int_equal(good, call.violation.code == DXGKMEM_VIOLATION_NONE);
    if (earlier != NULL)
        *earlier = call.violation.earlier_operation;
    return call.violation.code;
}

static void lives_of_a_slot(void **state)
{
    uint32_t index = handle_reserve();
    uint64_t given[6];
    stamp ended[6], earlier;
    int thing = 0;
    (void)state;

    assert_int_equal(handle_slot(index)->life, 0);
    for (unsigned life = 0; life < 6; life++) {
        struct call made = call_of(DXGKMEM_CALL_CREATE), end;
        given[life] = handle_publish(index, HANDLE_OBJECT, made.now, &thing, 0);
        assert_int_equal(handle_of(index), given[life]);
        assert_int_equal(handle_made(index), made.now);
        assert_int_equal(handle_index(given[life]), index);
        assert_ptr_equal(handle_thing(index, HANDLE_OBJECT), &thing);
        assert_null(handle_thing(index, HANDLE_ADAPTER));
        assert_int_equal(check(given[life], HANDLE_OBJECT, DXGKMEM_CALL_MAP, NULL), DXGKMEM_VIOLATION_NONE);
        end = call_of(DXGKMEM_CALL_DESTROY);
        handle_end(index, end.now);
        ended[life] = stamp_operation(end.now);
        assert_null(handle_thing(index, HANDLE_OBJECT));
        for (unsigned before = 0; before <= life; before++) {
            assert_int_equal(check(given[before], HANDLE_OBJECT, DXGKMEM_CALL_MAP, &earlier),
                             DXGKMEM_VIOLATION_STALE_HANDLE);
            /* The present life and the one before are known. */
            assert_int_equal(earlier, life - before <= 1 ? ended[before] : 0);
        }
    }
    /* A generation that was not reached yet. */
    assert_int_equal(
        check(given[5] + ((uint64_t)1 << DXGKMEM_HANDLE_INDEX_BITS), HANDLE_OBJECT, DXGKMEM_CALL_MAP, NULL),
        DXGKMEM_VIOLATION_UNKNOWN_HANDLE);
    handle_release(index);
}

static void what_ended_it(void **state)
{
    uint32_t index = handle_reserve();
    struct call made = call_of(DXGKMEM_CALL_OPEN);
    uint64_t handle = handle_publish(index, HANDLE_ADAPTER_OBJECT, made.now, NULL, 0);
    (void)state;
    handle_end(index, call_of(DXGKMEM_CALL_DESTROY).now);
    assert_int_equal(check(handle, HANDLE_ADAPTER_OBJECT, DXGKMEM_CALL_CLOSE, NULL),
                     DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY);
    assert_int_equal(check(handle, HANDLE_ADAPTER_OBJECT, DXGKMEM_CALL_DESTROY, NULL),
                     DXGKMEM_VIOLATION_STALE_HANDLE);
    handle = handle_publish(index, HANDLE_ADAPTER_OBJECT, made.now, NULL, 0);
    handle_end(index, call_of(DXGKMEM_CALL_REMOVE_ADAPTER).now);
    assert_int_equal(check(handle, HANDLE_ADAPTER_OBJECT, DXGKMEM_CALL_CLOSE, NULL),
                     DXGKMEM_VIOLATION_ADAPTER_REMOVED);
    handle = handle_publish(index, HANDLE_ADAPTER_OBJECT, made.now, NULL, 0);
    handle_end(index, call_of(DXGKMEM_CALL_CLOSE).now);
    assert_int_equal(check(handle, HANDLE_ADAPTER_OBJECT, DXGKMEM_CALL_CLOSE, NULL),
                     DXGKMEM_VIOLATION_STALE_HANDLE);
    assert_int_equal(check(handle, HANDLE_OBJECT, DXGKMEM_CALL_CLOSE, NULL),
                     DXGKMEM_VIOLATION_WRONG_KIND_HANDLE);
    assert_int_equal(check(0, HANDLE_OBJECT, DXGKMEM_CALL_CLOSE, NULL), DXGKMEM_VIOLATION_NULL_HANDLE);
    handle_release(index);
}

static void stamps(void **state)
{
    struct call call = call_of(DXGKMEM_CALL_STOP);
    (void)state;
    assert_int_equal(stamp_call(call.now), DXGKMEM_CALL_STOP);
    assert_int_equal(stamp_operation(call.now), last_operation());
    assert_int_equal(stamp_operation(0), 0);
    assert_int_equal(stamp_call(0), DXGKMEM_CALL_NONE);
}

/* Every kind can be looked at without its lock; the answer comes with the call that made the thing. */
static void looked_at_without_a_lock(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    const struct handed_memory block = contiguous_allocate(world.adapter, PAGE),
                               pages = pages_allocate(world.adapter, PAGE);
    const HANDLE mapped = mdl_map(world.adapter, 0, 1);
    const uint64_t handles[] = {(uintptr_t)world.adapter, (uintptr_t)thing.object, (uintptr_t)thing.open,
                                (uintptr_t)block.handle,  (uintptr_t)pages.handle, (uintptr_t)mapped};
    const enum handle_kind kinds[] = {HANDLE_ADAPTER, HANDLE_OBJECT, HANDLE_ADAPTER_OBJECT,
                                      HANDLE_MEMORY,  HANDLE_MEMORY, HANDLE_MEMORY};
    const enum dxgkmem_call makers[] = {DXGKMEM_CALL_ADD_ADAPTER,    DXGKMEM_CALL_CREATE,
                                        DXGKMEM_CALL_CREATE,         DXGKMEM_CALL_ALLOCATE_CONTIGUOUS,
                                        DXGKMEM_CALL_ALLOCATE_PAGES, DXGKMEM_CALL_MAP_MDL};
    (void)state;
    for (unsigned i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
        struct call call = call_of(DXGKMEM_CALL_MAP);
        stamp made = 0;
        assert_true(handle_check(&call, handles[i], kinds[i], &made));
        assert_int_equal(stamp_call(made), makers[i]);
    }
    thing_destroy(thing);
    assert_int_equal(try_free_contiguous(world.adapter, block.handle), STATUS_SUCCESS);
    assert_int_equal(try_free_pages(world.adapter, pages.handle), STATUS_SUCCESS);
    mdl_unmap(world.adapter, mapped);
}

/*
 * Whoever could guess the check, by trying all of them, still gets nothing: an index that
 * was never used, generation 0 and a generation of the future are no handles either.
 */
/* A life is published stamp first. Then the stamp of two lives ago is gone, and the life there is has not changed yet. */
static void a_life_about_to_begin(void **state)
{
    struct call call = call_of(DXGKMEM_CALL_CREATE);
    uint32_t index = handle_reserve();
    uint64_t given[2];
    stamp ended[2], earlier;
    int thing = 0;
    (void)state;

    for (unsigned life = 0; life < 2; life++) {
        given[life] = handle_publish(index, HANDLE_OBJECT, call.now, &thing, 0);
        ended[life] = call_of(DXGKMEM_CALL_DESTROY).now;
        handle_end(index, ended[life]);
    }
    handle_slot(index)->when[1] = call.now; /* as publishing a third life begins */
    assert_int_equal(check(given[0], HANDLE_OBJECT, DXGKMEM_CALL_MAP, &earlier),
                     DXGKMEM_VIOLATION_STALE_HANDLE);
    assert_int_equal(earlier, 0);
    assert_int_equal(check(given[1], HANDLE_OBJECT, DXGKMEM_CALL_MAP, &earlier),
                     DXGKMEM_VIOLATION_STALE_HANDLE);
    assert_int_equal(earlier, stamp_operation(ended[1]));
    handle_release(index);
}

static void guessed_checks(void **state)
{
    const unsigned body_bits = sizeof(void *) * 8 - DXGKMEM_HANDLE_CHECK_BITS;
    const uint64_t kind = (uint64_t)HANDLE_OBJECT
                          << (DXGKMEM_HANDLE_INDEX_BITS + DXGKMEM_HANDLE_GENERATION_BITS);
    const uint64_t one = (uint64_t)1 << DXGKMEM_HANDLE_INDEX_BITS;
    uint32_t index = handle_reserve();
    int thing = 0;
    uint64_t given = handle_publish(index, HANDLE_OBJECT, call_of(DXGKMEM_CALL_CREATE).now, &thing, 0);
    const uint64_t bodies[] = {kind | one | (table_used(&instance.handles) + 5), kind | index,
                               kind | 2 * one | index, kind | one | index};
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        unsigned good = 0;
        for (uint64_t guess = 0; guess < (uint64_t)1 << DXGKMEM_HANDLE_CHECK_BITS; guess++)
            good += check(guess << body_bits | bodies[i], HANDLE_OBJECT, DXGKMEM_CALL_MAP, NULL) ==
                    DXGKMEM_VIOLATION_NONE;
        assert_int_equal(good, i == 3); /* the one that was given out */
    }
    assert_int_equal(given & (((uint64_t)1 << body_bits) - 1), bodies[3]);
    handle_end(index, call_of(DXGKMEM_CALL_DESTROY).now);
    handle_release(index);
}

/* What somebody who knows the key could make of a good handle: the same life of the same slot, as another kind. */
static uint64_t forged_as(uint64_t handle, enum handle_kind kind)
{
    const unsigned kind_shift = DXGKMEM_HANDLE_INDEX_BITS + DXGKMEM_HANDLE_GENERATION_BITS;
    const unsigned body_bits = kind_shift + DXGKMEM_HANDLE_KIND_BITS;
    uint64_t body = (handle & (((uint64_t)1 << kind_shift) - 1)) | (uint64_t)kind << kind_shift;
    uint64_t mixed = mix64(body ^ instance.handle_key[0]) ^ instance.handle_key[1];
    return mix64(mixed) >> (64 - DXGKMEM_HANDLE_CHECK_BITS) << body_bits | body;
}

static HANDLE forged_pointer(HANDLE handle, enum handle_kind kind)
{
    return handle_pointer(forged_as((uintptr_t)handle, kind));
}

/*
 * A guess whose check happens to be good names a slot that lives as another kind: it must
 * reach nothing. An object taken for an adapter once was.
 */
static void lucky_guess_of_another_kind(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE)), none;
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {thing.object, NULL, NULL};
    const HANDLE adapters[] = {forged_pointer(thing.object, HANDLE_ADAPTER),
                               forged_pointer(thing.open, HANDLE_ADAPTER)};
    const HANDLE objects[] = {forged_pointer(world.adapter, HANDLE_OBJECT),
                              forged_pointer(thing.open, HANDLE_OBJECT)};
    const HANDLE opens[] = {forged_pointer(world.adapter, HANDLE_ADAPTER_OBJECT),
                            forged_pointer(thing.object, HANDLE_ADAPTER_OBJECT)};
    struct state before = state_now();
    struct view view;
    DXGK_ADL *adl;
    (void)state;

    /* The forger knows the key: of its own kind a handle comes out as it was given. */
    assert_int_equal(forged_as((uintptr_t)thing.object, HANDLE_OBJECT), (uintptr_t)thing.object);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(try_create(mdl_arguments(adapters[i], PAGE), &none), STATUS_INVALID_HANDLE);
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, adapters[i], 0, DXGKMEM_CALL_NONE);
        open.hAdapter = adapters[i];
        assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_INVALID_HANDLE);
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, adapters[i], 0, DXGKMEM_CALL_NONE);
        assert_int_equal(try_map(objects[i], 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                         STATUS_INVALID_HANDLE);
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, objects[i], 0, DXGKMEM_CALL_NONE);
        thing_destroy((struct thing){objects[i], NULL});
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, objects[i], 0, DXGKMEM_CALL_NONE);
        assert_int_equal(try_adl(opens[i], 0, PAGE, 0, &adl), STATUS_INVALID_HANDLE);
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, opens[i], 0, DXGKMEM_CALL_NONE);
        thing_close(opens[i]);
        expect_violation(DXGKMEM_VIOLATION_UNKNOWN_HANDLE, opens[i], 0, DXGKMEM_CALL_NONE);
    }
    expect_unchanged(&before);
    thing_destroy(thing);
}

/* Nor does one whose index is the first that nobody was given yet: its segment may not even be there. */
static void lucky_guess_past_the_end(void **state)
{
    uint64_t handle;
    (void)state;
    while (table_used(&instance.handles) < 1u << TABLE_FIRST_BITS)
        assert_int_not_equal(handle_reserve(), TABLE_NONE);
    assert_int_equal(instance.handles.segments, 1);
    handle =
        forged_as((uint64_t)1 << DXGKMEM_HANDLE_INDEX_BITS | table_used(&instance.handles), HANDLE_OBJECT);
    assert_int_equal(check(handle, HANDLE_OBJECT, DXGKMEM_CALL_MAP, NULL), DXGKMEM_VIOLATION_UNKNOWN_HANDLE);
}

/* An ADL's place that was taken and never became one. */
static void adl_that_never_was(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    DXGK_ADL *adl;
    (void)state;
    dxgkmem_sim_fail_at(world.sim, 1);
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl), STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(table_used(&instance.adls), 1);
    adl = table_at(&instance.adls, 1, 0);
    adl_free(thing.open, adl);
    expect_violation(DXGKMEM_VIOLATION_ADL_FOREIGN, adl, 0, DXGKMEM_CALL_NONE);
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lives_of_a_slot, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_ended_it, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_life_about_to_begin, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(guessed_checks, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(lucky_guess_of_another_kind, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(lucky_guess_past_the_end, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(adl_that_never_was, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(looked_at_without_a_lock, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(stamps, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
