/* SPDX-License-Identifier: MIT */
/*
 * Handles by themselves: slots, lives, kinds and what is known of the last two lives; and
 * that core's own assertions stop the system.
 */
#include "tests/support/world.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/adl.h"
#include "core/mapping.h"

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
    bool good = handle_check(&call, handle, kind);
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
    assert_int_equal(check(given[5] + ((uint64_t)1 << DXGKMEM_HANDLE_INDEX_BITS), HANDLE_OBJECT,
                           DXGKMEM_CALL_MAP, NULL),
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

/* -- assertions -------------------------------------------------------------------------- */

static void expect_panic(void (*wrong)(void))
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        wrong();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void end_what_is_not_live(void)
{
    handle_end(handle_reserve(), 0);
}

static void free_with_mappings(void)
{
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    (void)view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    object_free(handle_thing(handle_index((uintptr_t)thing.object), HANDLE_OBJECT));
}

static void close_with_adls(void)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    (void)adl_allocate(thing.open, 0, PAGE);
    object_close(handle_thing(handle_index((uintptr_t)thing.object), HANDLE_OBJECT));
}

static void assertions_stop_the_system(void **state)
{
    (void)state;
    expect_panic(end_what_is_not_live);
    expect_panic(free_with_mappings);
    expect_panic(close_with_adls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lives_of_a_slot, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(what_ended_it, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(stamps, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(assertions_stop_the_system, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
