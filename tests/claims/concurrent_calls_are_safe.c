/* SPDX-License-Identifier: MIT */
/*
 * Claim: concurrent calls behave as some order of single calls: no deadlock, no lost or
 * doubled end, nothing left. Threads work on things of their own, on shared ones, and race
 * for ends; adapters go away and processes end under load (tests/stress). ThreadSanitizer's
 * builds look for races in all of it; tests/kernel/linux runs the same in ring 0.
 */
#include "tests/stress/stress.h"
#include "tests/support/world.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define ROUNDS 400u

struct thread {
    pthread_t thread;
    stress_body *body;
    void *argument;
    unsigned index;
};

static void *thread_main(void *argument)
{
    struct thread *thread = argument;
    thread->body(thread->argument, thread->index);
    return NULL;
}

static bool run(stress_body *body, void *argument)
{
    struct thread threads[STRESS_THREADS];

    for (unsigned i = 0; i < STRESS_THREADS; i++) {
        threads[i] = (struct thread){.body = body, .argument = argument, .index = i};
        if (pthread_create(&threads[i].thread, NULL, thread_main, &threads[i]) != 0)
            abort(); /* those that run wait for the others */
    }
    for (unsigned i = 0; i < STRESS_THREADS; i++)
        (void)pthread_join(threads[i].thread, NULL);
    return true;
}

static void let_others_run(void)
{
    (void)sched_yield();
}

static void failed(const char *scene, int line, const char *what)
{
    print_error("%s: tests/stress/stress.c:%d: %s\n", scene, line, what);
}

static void scene_holds(void **state)
{
    static const struct stress_host host = {run, let_others_run, failed};
    struct stress_world given = {
        .host = &host,
        .device = {0, 1, 2},
        .io_page = IO_PAGE,
        .rounds = ROUNDS,
    };

    world_make_machine(0);
    given.machine = dxgkmem_sim_machine(world.sim);
    assert_int_equal(stress_run(*state, &given).failures, 0);
    assert_int_equal(dxgkmem_sim_free_pages(world.sim), RAM_PAGES);
    assert_null(dxgkmem_sim_complaint(world.sim));
    dxgkmem_sim_destroy(world.sim);
}

int main(void)
{
    struct CMUnitTest tests[16];

    if (stress_scene_count > sizeof(tests) / sizeof(tests[0]))
        return 1;
    for (unsigned i = 0; i < stress_scene_count; i++)
        tests[i] = (struct CMUnitTest){
            .name = stress_scenes[i].name,
            .test_func = scene_holds,
            .initial_state = (void *)(uintptr_t)&stress_scenes[i],
        };
    return _cmocka_run_group_tests("concurrent calls are safe", tests, stress_scene_count, NULL, NULL);
}
