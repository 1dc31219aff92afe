/* SPDX-License-Identifier: MIT */
/*
 * The host whose threads take turns: what it makes of deadlocks, of threads that never end, of a lost
 * update; and that the same decisions give the same run.
 */
#include "host/scheduled/scheduled.h"

#include "schedule/concurrent.h"
#include "schedule/explore.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* -- the host by itself ----------------------------------------------------------------------- */

/* Turns change at every decision, if they can. */
static unsigned alternate(void *context, const struct scheduled_state *state)
{
    unsigned first = state->current == SCHEDULED_NOBODY ? 0 : state->current + 1;

    (void)context;
    for (unsigned i = 0; i < state->threads; i++)
        if (state->enabled >> (first + i) % state->threads & 1)
            return (first + i) % state->threads;
    return state->current;
}

static unsigned stay(void *context, const struct scheduled_state *state)
{
    (void)context;
    return strategy_plain(state);
}

struct shared {
    struct dxgkmem_lock lock[2];
    unsigned value, turns;
};

static void lose_an_update(void *context, unsigned thread)
{
    struct shared *shared = context;
    unsigned value;

    (void)thread;
    scheduled_point(SCHEDULED_READ, &shared->value, __FILE__, __LINE__);
    value = shared->value;
    scheduled_point(SCHEDULED_WRITE, &shared->value, __FILE__, __LINE__);
    shared->value = value + 1;
}

static void points_are_where_turns_change(void **state)
{
    struct shared shared = {.value = 0};
    struct scheduled_run run = {.threads = 2, .steps = 100, .context = &shared, .body = lose_an_update};
    struct scheduled_state end;

    (void)state;
    run.choose = stay;
    assert_int_equal(scheduled_run(&run, &end), SCHEDULED_DONE);
    assert_int_equal(shared.value, 2);
    shared.value = 0;
    run.choose = alternate;
    assert_int_equal(scheduled_run(&run, &end), SCHEDULED_DONE);
    assert_int_equal(shared.value, 1); /* the update of one is lost */
    assert_int_equal(scheduled_thread(), SCHEDULED_NOBODY);
}

static void add_under_lock(void *context, unsigned thread)
{
    struct shared *shared = context;

    dxgkmem_host_lock_acquire(&shared->lock[0], 1);
    lose_an_update(context, thread);
    dxgkmem_host_lock_release(&shared->lock[0]);
}

static void a_lock_keeps_others_out(void **state)
{
    struct shared shared = {.value = 0};
    const struct scheduled_run run = {
        .threads = 4, .steps = 1000, .context = &shared, .body = add_under_lock, .choose = alternate};
    struct scheduled_state end;

    (void)state;
    dxgkmem_host_lock_init(&shared.lock[0]);
    assert_int_equal(scheduled_run(&run, &end), SCHEDULED_DONE);
    assert_int_equal(shared.value, 4);
    dxgkmem_host_lock_destroy(&shared.lock[0]);
}

static void cross(void *context, unsigned thread)
{
    struct shared *shared = context;

    /* Ranks that agree with the order of each thread: the order of locks itself is what is wrong. */
    dxgkmem_host_lock_acquire(&shared->lock[thread], 1);
    dxgkmem_host_lock_acquire(&shared->lock[1 - thread], 2);
    dxgkmem_host_lock_release(&shared->lock[1 - thread]);
    dxgkmem_host_lock_release(&shared->lock[thread]);
}

static void a_deadlock_is_noticed(void **state)
{
    struct shared shared = {.value = 0};
    const struct scheduled_run run = {
        .threads = 2, .steps = 1000, .context = &shared, .body = cross, .choose = alternate};
    struct scheduled_state end;

    (void)state;
    dxgkmem_host_lock_init(&shared.lock[0]);
    dxgkmem_host_lock_init(&shared.lock[1]);
    assert_int_equal(scheduled_run(&run, &end), SCHEDULED_DEADLOCK);
    for (unsigned thread = 0; thread < 2; thread++) {
        assert_int_equal(end.point[thread].kind, SCHEDULED_ACQUIRE);
        assert_int_equal(scheduled_holder(&end.point[thread]), 1 - thread);
    }
}

static void wait_for_ever(void *context, unsigned thread)
{
    const struct shared *shared = context;

    while (thread == 0 || shared->value != 5)
        scheduled_point(SCHEDULED_READ, &shared->value, __FILE__, __LINE__);
}

static void a_thread_that_never_ends_is_noticed(void **state)
{
    struct shared shared = {.value = 0};
    const struct scheduled_run run = {
        .threads = 2, .steps = 500, .context = &shared, .body = wait_for_ever, .choose = alternate};
    struct scheduled_state end;

    (void)state;
    assert_int_equal(scheduled_run(&run, &end), SCHEDULED_ENDLESS);
    assert_int_equal(end.step, 500);
}

/* -- programs ------------------------------------------------------------------------------------ */

static void parse(struct program *program, const char *text)
{
    struct program_error error;

    if (!program_parse(program, text, strlen(text), &error))
        fail_msg("line %u: %s", error.line, error.message);
}

static const char two_frees[] = "add d0\ncreate o0 a0\nadl l0 a0\nschedule strategy=random seed=5\n"
                                "thread number=1\nfree_adl a0 l0\nclose a0\n"
                                "thread number=2\nfree_adl a0 l0\nclose a0\n"
                                "thread\ndestroy o0\n";

static void a_section_leaves_out_what_depends_on_the_schedule(void **state)
{
    static struct program program;
    static struct section section;

    (void)state;
    parse(&program,
          "add d0\nfail\ncreate o0 a0\nthread number=1\ncreate o1 a1\nirql\nclose other:a0\nclose a1\n"
          "thread number=3\nclose a1\nclose a0\nthread\nclose recycled:a0\ndestroy o0\n");
    section_find(&section, &program);
    assert_int_equal(section.threads, 2);
    assert_int_equal(section.first, 3);
    assert_int_equal(section.rest, 11);
    assert_int_equal(section.count[0], 2); /* create, close a1 */
    assert_int_equal(section.line[0][1], 7);
    assert_int_equal(section.count[1], 1); /* close a0; a1 is the other thread's */
    assert_int_equal(section.line[1][0], 10);
    assert_true(section_runs_alone(&section, &program, 0));
    assert_false(section_runs_alone(&section, &program, 1));  /* fail */
    assert_false(section_runs_alone(&section, &program, 12)); /* recycled */
    assert_true(section_runs_alone(&section, &program, 13));
}

static void the_same_seed_gives_the_same_run(void **state)
{
    static struct program program, spelled;
    static struct section_switch switched[STRATEGY_SWITCHES];
    struct concurrent *concurrent = concurrent_create(&(struct concurrent_options){.context = NULL});
    struct concurrent_result result;
    const struct strategy *strategy;
    uint64_t steps;
    unsigned switches;

    (void)state;
    assert_non_null(concurrent);
    parse(&program, two_frees);
    concurrent_run(concurrent, &program, 0, &result);
    assert_int_equal(result.invariant, 0);
    strategy = concurrent_strategy(concurrent);
    steps = result.steps;
    switches = strategy->switches;
    assert_true(switches > 1);
    memcpy(switched, strategy->switched, sizeof switched);
    concurrent_run(concurrent, &program, 1, &result); /* another schedule between */
    concurrent_run(concurrent, &program, 0, &result);
    assert_int_equal(result.steps, steps);
    assert_int_equal(strategy->switches, switches);
    assert_memory_equal(strategy->switched, switched, switches * sizeof *switched);

    /* and spelled out as a list */
    assert_true(section_spell_out(&program, switched, switches, &spelled));
    concurrent_run(concurrent, &spelled, 0, &result);
    assert_int_equal(result.steps, steps);
    assert_int_equal(strategy->switches, switches);
    assert_memory_equal(strategy->switched, switched, switches * sizeof *switched);
    concurrent_destroy(concurrent);
}

static void every_schedule_of_a_small_program(void **state)
{
    static struct program program;
    struct explore *explore = explore_create();
    struct concurrent_options options = {.context = NULL};
    struct concurrent *concurrent;
    struct concurrent_result result;
    uint64_t one, two;

    (void)state;
    explore_options(explore, &options);
    concurrent = concurrent_create(&options);
    parse(&program, two_frees);
    assert_false(explore_run(explore, concurrent, &program, 1, 100000, &result, &one));
    assert_false(explore_run(explore, concurrent, &program, 2, 100000, &result, &two));
    assert_true(one > 2);
    assert_true(two > one && two < 100000); /* the search came to its end */
    concurrent_destroy(concurrent);
    explore_destroy(explore);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_where_turns_change),
        cmocka_unit_test(a_lock_keeps_others_out),
        cmocka_unit_test(a_thread_that_never_ends_is_noticed),
        cmocka_unit_test(a_section_leaves_out_what_depends_on_the_schedule),
        cmocka_unit_test(the_same_seed_gives_the_same_run),
        cmocka_unit_test(every_schedule_of_a_small_program),
        cmocka_unit_test(a_deadlock_is_noticed), /* last: it leaves its locks held */
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
