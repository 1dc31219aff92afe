/* SPDX-License-Identifier: MIT */
/*
 * Claim: locks are taken in rising rank only, and debug builds of the user host check it at
 * the very place: a lock out of rank, taken twice or released by a stranger stops the
 * process. And a violation is reported with no lock held.
 *
 * Release builds check nothing; the test is skipped there.
 */
#include "tests/support/world.h"

#if !defined(NDEBUG)

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static struct dxgkmem_lock low, high;
static char printed[1024];

static void expect_panic(void (*mistake)(void), const char *sentence)
{
    int pipes[2], status = 0;
    size_t length = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    dxgkmem_host_lock_init(&low);
    dxgkmem_host_lock_init(&high);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(pipes[1], STDERR_FILENO);
        (void)signal(SIGABRT, SIG_DFL);
        mistake();
        _exit(0);
    }
    (void)close(pipes[1]);
    while ((got = read(pipes[0], printed + length, sizeof(printed) - 1 - length)) > 0)
        length += (size_t)got;
    printed[length] = '\0';
    (void)close(pipes[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (sentence == NULL) {
        assert_true(WIFEXITED(status));
        assert_string_equal(printed, "");
        return;
    }
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_non_null(strstr(printed, sentence));
}

static void falling(void)
{
    dxgkmem_host_lock_acquire(&high, 5);
    dxgkmem_host_lock_acquire(&low, 4);
}

static void two_of_one_rank(void)
{
    dxgkmem_host_lock_acquire(&high, 2);
    dxgkmem_host_lock_acquire(&low, 2);
}

static void twice(void)
{
    dxgkmem_host_lock_acquire(&low, 2);
    dxgkmem_host_lock_acquire(&low, 3);
}

static void of_a_stranger(void)
{
    dxgkmem_host_lock_release(&low);
}

static void rising(void)
{
    dxgkmem_host_lock_acquire(&low, 2);
    dxgkmem_host_lock_acquire(&high, 3);
    dxgkmem_host_lock_release(&low);
    dxgkmem_host_lock_release(&high);
    dxgkmem_host_lock_acquire(&low, 1);
    dxgkmem_host_lock_release(&low);
}

static void the_host_checks(void **state)
{
    (void)state;
    expect_panic(falling, "a thread took a lock out of rank");
    expect_panic(two_of_one_rank, "a thread took a lock out of rank");
    expect_panic(twice, "a thread took a lock that it holds");
    expect_panic(of_a_stranger, "a thread released a lock that it does not hold");
    expect_panic(rising, NULL);
}

/* A lock of the lowest rank may be taken only by who holds none. */
static struct dxgkmem_lock lowest;
static unsigned reports;

static void take_the_lowest(void *context, const struct dxgkmem_violation *violation)
{
    (void)context;
    (void)violation;
    dxgkmem_host_lock_acquire(&lowest, 1);
    reports++;
    dxgkmem_host_lock_release(&lowest);
}

static void start(void)
{
    struct dxgkmem_adapter_config adapter = adapter_identity(0, V31);
    struct dxgkmem_config config;

    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = dxgkmem_sim_machine(world.sim);
    config.violation = take_the_lowest;
    assert_int_equal(dxgkmem_start(&config), STATUS_SUCCESS);
    world.adapter = adapter_add(&adapter);
    assert_int_equal(dxgkmem_query_interface(world.adapter, &world.ddi), STATUS_SUCCESS);
    reports = 0;
}

static void mistakes(void)
{
    struct thing thing, none;
    struct view view;
    DXGK_ADL *adl;
    start();
    thing = thing_create(mdl_arguments(world.adapter, PAGE));
    adl = adl_allocate(thing.open, 0, PAGE);
    view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    thing_destroy(thing);
    thing_close(thing.open);
    adl_free(thing.open, NULL);
    view.bytes++;
    view_unmap(thing.object, view);
    (void)try_create(mdl_arguments(NULL, 0), &none);
    adl->PageCount = 0;
    adl_free(thing.open, adl);
    (void)adl_allocate(thing.open, 0, PAGE);
    (void)try_pin(world.adapter, 0, 1, 0, &adl);
    (void)try_pin(world.adapter, 0, PAGE, 0, &adl);
    dxgkmem_process_exit(1);
    adapter_remove(world.adapter);
    if (reports != 11)
        abort();
}

static void things_left_at_stop(void)
{
    struct thing thing;
    start();
    thing = thing_create(mdl_arguments(world.adapter, PAGE));
    (void)adl_allocate(thing.open, 0, PAGE);
    (void)view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    dxgkmem_stop(NULL);
    if (reports != 4)
        abort();
}

static void reports_hold_no_lock(void **state)
{
    (void)state;
    expect_panic(mistakes, NULL);
    expect_panic(things_left_at_stop, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_host_checks),
        cmocka_unit_test(reports_hold_no_lock),
    };
    dxgkmem_host_lock_init(&lowest);
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void skipped(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(skipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
