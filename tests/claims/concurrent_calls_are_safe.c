/* SPDX-License-Identifier: MIT */
/*
 * Claim: concurrent calls behave as some order of single calls: no deadlock, no lost or
 * doubled end, nothing left. Threads work on things of their own, on shared ones, and race
 * for ends; adapters go away and processes end under load. ThreadSanitizer's builds look
 * for races in all of it.
 */
#include "tests/support/world.h"

#include <pthread.h>
#include <stdlib.h>

#define THREADS 4u
#define ROUNDS 400u

static unsigned round_limit = ROUNDS;
static uint64_t succeeded[THREADS];

/* A small generator per thread: what is tried must not depend on the others. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

static void run_threads(void *(*body)(void *))
{
    pthread_t threads[THREADS];
    memset(succeeded, 0, sizeof(succeeded));
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, body, (void *)i), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    (void)state_now(); /* audits */
}

/* -- own objects ---------------------------------------------------------------- */

/* No cmocka in threads: what goes wrong is left for the audit and the counts. */
static NTSTATUS create(create_arguments arguments, struct thing *thing)
{
    NTSTATUS status = world.ddi.DxgkCbCreatePhysicalMemoryObject(&arguments);
    thing->object = arguments.hPhysicalMemoryObject;
    thing->open = arguments.hAdapterMemoryObject;
    return status;
}

static DXGK_ADL *allocate(HANDLE open, SIZE_T pages)
{
    DXGKARGCB_ALLOCATE_ADL arguments;
    memset(&arguments, 0, sizeof(arguments));
    arguments.hAdapterMemoryObject = open;
    arguments.Size = pages * PAGE;
    (void)!NT_SUCCESS(world.ddi.DxgkCbAllocateAdl(&arguments));
    return arguments.pAdl;
}

static bool map(HANDLE object, DXGK_ACCESS_MODE mode, struct view *view)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY arguments = {object, mode, 0, PAGE, NULL};
    bool mapped = NT_SUCCESS(world.ddi.DxgkCbMapPhysicalMemory(&arguments));
    view->base = arguments.pMappedAddress;
    view->bytes = arguments.Size;
    view->offset = 0;
    return mapped;
}

static void *own_objects(void *index)
{
    for (unsigned i = 0; i < round_limit; i++) {
        struct thing thing;
        struct view kernel, user;
        DXGK_ADL *adl;
        if (!NT_SUCCESS(create(mdl_arguments(world.adapter, 4 * PAGE), &thing)))
            continue;
        adl = allocate(thing.open, 4);
        if (map(thing.object, DXGK_ACCESS_MODE_KERNEL_MODE, &kernel))
            view_unmap(thing.object, kernel);
        if (map(thing.object, DXGK_ACCESS_MODE_USER_MODE, &user))
            view_unmap(thing.object, user);
        adl_free(thing.open, adl);
        thing_destroy(thing);
        succeeded[(uintptr_t)index]++;
    }
    return NULL;
}

static void threads_with_own_objects(void **state)
{
    (void)state;
    run_threads(own_objects);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(succeeded[i], ROUNDS);
    expect_no_violation();
}

/* -- shared objects --------------------------------------------------------------- */

static struct thing shared[4];
static DXGK_ADL *shared_adl[8];
static HANDLE shared_adapter;

/* Handles and ADLs are passed around through atomics, as careless threads do. */
static void *fight(void *index)
{
    uint32_t seed = (uint32_t)(uintptr_t)index + 1;
    for (unsigned i = 0; i < round_limit * 4; i++) {
        struct thing *place = &shared[next_random(&seed) % 4];
        DXGK_ADL **adl_place = &shared_adl[next_random(&seed) % 8];
        struct thing thing = {__atomic_load_n(&place->object, __ATOMIC_RELAXED),
                              __atomic_load_n(&place->open, __ATOMIC_RELAXED)};
        HANDLE adapter = __atomic_load_n(&shared_adapter, __ATOMIC_RELAXED);
        DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {thing.object, adapter, NULL};
        struct view view;
        DXGK_ADL *adl;

        switch (next_random(&seed) % 9) {
        case 0:
            if (NT_SUCCESS(create(mdl_arguments(adapter, 2 * PAGE), &thing))) {
                __atomic_store_n(&place->object, thing.object, __ATOMIC_RELAXED);
                __atomic_store_n(&place->open, thing.open, __ATOMIC_RELAXED);
            }
            break;
        case 1:
            if (NT_SUCCESS(create(mdl_arguments(NULL, 2 * PAGE), &thing)))
                __atomic_store_n(&place->object, thing.object, __ATOMIC_RELAXED);
            break;
        case 2:
            thing_destroy(thing);
            break;
        case 3:
            if (NT_SUCCESS(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open)))
                __atomic_store_n(&place->open, open.hAdapterMemoryObject, __ATOMIC_RELAXED);
            break;
        case 4:
            thing_close(thing.open);
            break;
        case 5:
            adl = allocate(thing.open, 2);
            if (adl != NULL)
                __atomic_store_n(adl_place, adl, __ATOMIC_RELAXED);
            break;
        case 6:
            adl_free(thing.open, __atomic_load_n(adl_place, __ATOMIC_RELAXED));
            break;
        case 7:
            if (map(thing.object, next_random(&seed) % 2, &view))
                view_unmap(thing.object, view);
            break;
        default:
            if (NT_SUCCESS(create(io_arguments(adapter, IO_PAGE + next_random(&seed) % 4, 2 * PAGE), &thing)))
                thing_destroy(thing);
            break;
        }
    }
    return NULL;
}

static void *fight_while_adapters_go(void *index)
{
    if ((uintptr_t)index != 0)
        return fight(index);
    for (unsigned i = 0; i < round_limit / 4; i++) {
        struct dxgkmem_adapter_config config =
            i % 2 == 0 ? adapter_remapped(1, V31) : adapter_identity(1, V32);
        struct dxgkmem_adapter_config link = i % 2 == 0 ? adapter_remapped(2, V31) : adapter_identity(2, V32);
        HANDLE lead = NULL, second = NULL;
        if (!NT_SUCCESS(dxgkmem_add_adapter(&config, &lead)))
            continue;
        __atomic_store_n(&shared_adapter, lead, __ATOMIC_RELAXED);
        link.link_to = lead;
        (void)!NT_SUCCESS(dxgkmem_add_adapter(&link, &second));
        for (unsigned spin = 0; spin < 200; spin++) {
            DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin;
            memset(&pin, 0, sizeof(pin));
            pin.CommitSize = PAGE;
            (void)!NT_SUCCESS(world.ddi.DxgkCbPinFrameBufferForSave2(lead, &pin));
            if (spin % 2 == 1)
                (void)try_unpin(lead, 0);
        }
        (void)dxgkmem_remove_adapter(lead);
        if (second != NULL)
            (void)dxgkmem_remove_adapter(second);
    }
    return NULL;
}

static void *fight_while_processes_end(void *index)
{
    if ((uintptr_t)index != 0)
        return fight(index);
    for (unsigned i = 0; i < round_limit; i++)
        dxgkmem_process_exit(1);
    return NULL;
}

/* Ends whatever the fight has left, by what is reported at stop: that must be all there is. */
static void finish_fight(void)
{
    struct dxgkmem_statistics statistics;
    struct dxgkmem_leaks leaks;

    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.violations, __atomic_load_n(&world.violations, __ATOMIC_RELAXED));
    world.violations = 0;
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.objects, statistics.objects);
    assert_int_equal(leaks.adls, statistics.adls - statistics.frame_buffers);
    assert_int_equal(leaks.mappings, statistics.mappings);
    assert_int_equal(world.violations, leaks.objects + leaks.adapter_objects + leaks.adls + leaks.mappings +
                                           leaks.frame_buffers);
    world.violations = 0;
}

static void fight_with(void *(*body)(void *))
{
    memset(shared, 0, sizeof(shared));
    memset(shared_adl, 0, sizeof(shared_adl));
    shared_adapter = world.adapter;
    run_threads(body);
    finish_fight();
}

static void threads_with_shared_objects(void **state)
{
    (void)state;
    fight_with(fight);
}

static void removal_under_load(void **state)
{
    (void)state;
    fight_with(fight_while_adapters_go);
}

static void process_exit_under_load(void **state)
{
    (void)state;
    fight_with(fight_while_processes_end);
}

/* -- one thing, many who end it ---------------------------------------------------------- */

static pthread_barrier_t barrier;
static struct thing prize;
static DXGK_ADL *prize_adl;

static void *all_end_it(void *index)
{
    for (unsigned i = 0; i < round_limit; i++) {
        (void)pthread_barrier_wait(&barrier);
        if ((uintptr_t)index == 0) {
            (void)create(mdl_arguments(world.adapter, 2 * PAGE), &prize);
            prize_adl = allocate(prize.open, 2);
        }
        (void)pthread_barrier_wait(&barrier);
        adl_free(prize.open, prize_adl);
        (void)pthread_barrier_wait(&barrier);
        if (((uintptr_t)index + i) % 2 == 0)
            thing_destroy(prize);
        else
            thing_close(prize.open);
        (void)pthread_barrier_wait(&barrier);
        thing_destroy((struct thing){prize.object, NULL}); /* when a close won */
    }
    return NULL;
}

/* Of all ends of one thing exactly one succeeds; every other one is a violation. */
static void exactly_one_ends_it(void **state)
{
    struct dxgkmem_statistics statistics;
    (void)state;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    run_threads(all_end_it);
    (void)pthread_barrier_destroy(&barrier);
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.objects, 0);
    assert_int_equal(statistics.adapter_objects, 0);
    assert_int_equal(statistics.adls, 0);
    /* Each round: THREADS frees of which one is right; the rest depends on who won. */
    assert_true(statistics.violations >= (uint64_t)ROUNDS * 2 * (THREADS - 1));
    world.violations = 0;
}

/* -- quotas ------------------------------------------------------------------------------------ */

static void *within_quota(void *index)
{
    for (unsigned i = 0; i < round_limit; i++) {
        struct thing thing;
        if (NT_SUCCESS(create(mdl_arguments(shared_adapter, PAGE), &thing))) {
            succeeded[(uintptr_t)index]++;
            thing_destroy(thing);
        }
    }
    return NULL;
}

static void *beyond_quota(void *index)
{
    struct thing thing;
    if ((uintptr_t)index % 2 == 0)
        return within_quota(index);
    for (unsigned i = 0; i < round_limit; i++)
        if (NT_SUCCESS(create(mdl_arguments(shared_adapter, 3 * PAGE), &thing)))
            succeeded[(uintptr_t)index]++;
    return NULL;
}

/*
 * Two of four pages are taken for good. Two threads take one each: there is always room
 * for them. Two ask for three: there never is. In no order of these calls would one of the
 * first two fail.
 */
static void refused_requests_do_not_count(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing thing;
    (void)state;
    config.quota.pages = 4;
    shared_adapter = adapter_add(&config);
    thing = thing_create(mdl_arguments(shared_adapter, 2 * PAGE));
    round_limit = ROUNDS * 10;
    run_threads(beyond_quota);
    round_limit = ROUNDS;
    thing_destroy(thing);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(succeeded[i], i % 2 == 0 ? ROUNDS * 10 : 0);
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(threads_with_own_objects, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(threads_with_shared_objects, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(removal_under_load, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(process_exit_under_load, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(exactly_one_ends_it, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(refused_requests_do_not_count, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
