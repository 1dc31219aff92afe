/* SPDX-License-Identifier: MIT */
/*
 * Claim: the policy decides what follows a mistake. Report: the call returns. Documented:
 * a bug check 0x113 where the documentation says so (destroy with a live ADL; IRQL too
 * high on WDDM 3.2). All: on every violation. The parameters are the violation code, the
 * operation, the subject and the earlier operation.
 */
#include "tests/support/world.h"

#include <dxgkmem/user.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char printed[4096];

static void setup_policy(enum dxgkmem_policy policy)
{
    struct dxgkmem_config config;
    memset(&config, 0, sizeof(config));
    config.policy = policy;
    world_make_machine(0);
    world_start(&config);
}

/* Runs a mistake in a child; returns how the child ended, with what it printed on stderr. */
static int in_child(void (*mistake)(void *), void *argument)
{
    int pipes[2], status = 0;
    size_t length = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(pipes), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)dup2(pipes[1], STDERR_FILENO);
        (void)close(pipes[0]);
        (void)signal(SIGABRT, SIG_DFL);
        mistake(argument);
        _exit(17); /* it went on */
    }
    (void)close(pipes[1]);
    while ((got = read(pipes[0], printed + length, sizeof(printed) - 1 - length)) > 0)
        length += (size_t)got;
    printed[length] = '\0';
    (void)close(pipes[0]);
    char *emulator = strstr(printed, "qemu: "); /* which tells of the signal as well */
    if (emulator != NULL)
        *emulator = '\0';
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static void destroy_it(void *thing)
{
    thing_destroy(*(const struct thing *)thing);
}

static void expect_bug_check(int status, enum dxgkmem_violation_code code, uint64_t operation,
                             const void *subject, uint64_t earlier)
{
    char expected[200];
    (void)snprintf(
        expected, sizeof(expected),
        "dxgkmem: bug check 0x113 (violation %s): 0x%x 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 "\n",
        dxgkmem_violation_name(code), (unsigned)code, operation, (uint64_t)(uintptr_t)subject, earlier);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
    assert_string_equal(printed, expected);
}

static void expect_return(int status)
{
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 17);
    assert_string_equal(printed, "");
}

static void destroy_with_live_adl(void **state)
{
    static const enum dxgkmem_policy policies[] = {DXGKMEM_POLICY_REPORT, DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED,
                                                   DXGKMEM_POLICY_BUG_CHECK_ALL};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct thing thing;
        DXGK_ADL *adl;
        int status;

        setup_policy(policies[i]);
        thing = thing_create(mdl_arguments(world.adapter, PAGE));
        adl = adl_allocate(thing.open, 0, PAGE);
        status = in_child(destroy_it, &thing);
        if (policies[i] == DXGKMEM_POLICY_REPORT)
            expect_return(status);
        else
            expect_bug_check(status, DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL, last_operation() + 1,
                             thing.object, last_operation());
        adl_free(thing.open, adl);
        thing_destroy(thing);
        world_end();
    }
}

static void undocumented_mistake(void **state)
{
    struct thing thing = {NULL, NULL};
    (void)state;
    setup_policy(DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED);
    expect_return(in_child(destroy_it, &thing));
    world_end();
    setup_policy(DXGKMEM_POLICY_BUG_CHECK_ALL);
    expect_bug_check(in_child(destroy_it, &thing), DXGKMEM_VIOLATION_NULL_HANDLE, last_operation() + 1, NULL,
                     0);
    world_end();
}

static void call_too_high(void *unused)
{
    (void)unused;
    dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);
    thing_close(NULL);
}

static void irql(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V32);
    HANDLE strict;
    (void)state;
    setup_policy(DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED);
    expect_return(in_child(call_too_high, NULL));
    strict = adapter_add(&config);
    expect_bug_check(in_child(call_too_high, NULL), DXGKMEM_VIOLATION_IRQL_TOO_HIGH, last_operation() + 1,
                     NULL, 0);
    adapter_remove(strict);
    expect_return(in_child(call_too_high, NULL));
    world_end();
}

/* A host may leave the bug check its own way: no lock is held then, and nothing has changed. */
static jmp_buf out;
static uint64_t checked[4];

static void leave(void *context, uint32_t code, const uint64_t parameters[4])
{
    (void)context;
    assert_int_equal(code, DXGKMEM_BUG_CHECK_CODE);
    memcpy(checked, parameters, sizeof(checked));
    longjmp(out, 1);
}

static void hook_may_leave(void **state)
{
    static struct thing thing;
    static struct state before;
    static DXGK_ADL *adl;
    (void)state;
    dxgkmem_user_set_bug_check_hook(leave, NULL);
    for (int policy = DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED; policy <= DXGKMEM_POLICY_BUG_CHECK_ALL; policy++) {
        setup_policy((enum dxgkmem_policy)policy);
        thing = thing_create(mdl_arguments(world.adapter, PAGE));
        adl = adl_allocate(thing.open, 0, PAGE);
        before = state_now();
        if (setjmp(out) == 0) {
            thing_destroy(thing);
            fail();
        }
        assert_int_equal(checked[0], DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL);
        assert_int_equal(checked[1], last_operation());
        assert_int_equal(checked[2], (uintptr_t)thing.object);
        assert_int_equal(checked[3], last_operation() - 1);
        (void)expect_code(DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL);
        expect_unchanged(&before);
        if (policy == DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED) {
            thing_close(NULL); /* is not documented: comes back */
            (void)expect_code(DXGKMEM_VIOLATION_NULL_HANDLE);
        }
        adl_free(thing.open, adl);
        thing_destroy(thing);
        world_end();
    }
    dxgkmem_user_set_bug_check_hook(NULL, NULL);
}

/* The violation is reported before the system stops. */
static void print_violation(void *context, const struct dxgkmem_violation *violation)
{
    (void)context;
    (void)fprintf(stderr, "reported %s, documented %d\n", dxgkmem_violation_name(violation->code),
                  (int)violation->documented);
}

static void report_comes_first(void **state)
{
    struct thing thing = {NULL, NULL};
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = dxgkmem_sim_machine(world.sim);
    config.policy = DXGKMEM_POLICY_BUG_CHECK_ALL;
    config.violation = print_violation;
    assert_int_equal(dxgkmem_start(&config), STATUS_SUCCESS);
    {
        struct dxgkmem_adapter_config adapter = adapter_identity(0, V31);
        world.adapter = adapter_add(&adapter);
        assert_int_equal(dxgkmem_query_interface(world.adapter, &world.ddi), STATUS_SUCCESS);
    }
    assert_true(WIFSIGNALED(in_child(destroy_it, &thing)));
    assert_string_equal(printed, "reported null_handle, documented 0\n"
                                 "dxgkmem: bug check 0x113 (violation null_handle): 0x6 0x2 0x0 0x0\n");
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(destroy_with_live_adl),
        cmocka_unit_test(undocumented_mistake),
        cmocka_unit_test(irql),
        cmocka_unit_test(hook_may_leave),
        cmocka_unit_test(report_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
