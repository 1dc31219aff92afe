/* SPDX-License-Identifier: MIT */
/*
 * What core does with the services of its host: every lock is made once, used while it is
 * there and ended once; every byte goes back with its size; the random bits that it asks
 * for are used. This program brings services that mind all of that.
 */
#include "tests/support/world.h"

#include <stdlib.h>

#include "core/object.h"

/* -- host services ------------------------------------------------------------------ */

#define LOCKS 4096u
#define BLOCKS 4096u

static const struct dxgkmem_lock *lock_at[LOCKS]; /* those that are there */
static bool lock_held[LOCKS];
static struct block {
    char *memory;
    size_t bytes;
} block_at[BLOCKS];
static unsigned locks, blocks;
static unsigned failing_allocation; /* from 1; 0: none */
static unsigned shard;
static uint64_t bits[3]; /* what random numbers are */
static unsigned drawn;

static unsigned lock_place(const struct dxgkmem_lock *lock)
{
    unsigned at = 0;
    while (at < locks && lock_at[at] != lock)
        at++;
    return at;
}

void *dxgkmem_host_alloc(size_t bytes)
{
    if (failing_allocation != 0 && --failing_allocation == 0)
        return NULL;
    assert_true(blocks < BLOCKS);
    block_at[blocks] = (struct block){calloc(1, bytes), bytes};
    assert_non_null(block_at[blocks].memory);
    return block_at[blocks++].memory;
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
    unsigned at = 0;

    if (memory == NULL)
        return;
    while (at < blocks && block_at[at].memory != memory)
        at++;
    assert_true(at < blocks);
    assert_int_equal(block_at[at].bytes, bytes);
    for (unsigned i = 0; i < locks; i++) /* no lock may go with it */
        assert_false((uintptr_t)lock_at[i] - (uintptr_t)memory < bytes);
    block_at[at] = block_at[--blocks];
    free(memory);
}

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    assert_int_equal(lock_place(lock), locks);
    assert_true(locks < LOCKS);
    lock_held[locks] = false;
    lock_at[locks++] = lock;
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    unsigned at = lock_place(lock);
    assert_true(at < locks);
    assert_false(lock_held[at]);
    lock_at[at] = lock_at[--locks];
    lock_held[at] = lock_held[locks];
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    unsigned at = lock_place(lock);
    (void)rank;
    assert_true(at < locks);
    assert_false(lock_held[at]);
    lock_held[at] = true;
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    unsigned at = lock_place(lock);
    assert_true(at < locks);
    assert_true(lock_held[at]);
    lock_held[at] = false;
}

unsigned dxgkmem_host_shard(void)
{
    return shard;
}

uint64_t dxgkmem_host_random(void)
{
    return bits[drawn++ % 3];
}

void dxgkmem_host_bug_check(uint32_t code, const uint64_t parameters[4])
{
    (void)code;
    (void)parameters;
    abort();
}

void dxgkmem_host_panic(const char *file, int line, const char *what)
{
    fail_msg("%s:%d: %s", file, line, what);
    abort();
}

/* -- a life of everything ------------------------------------------------------------- */

static void begin(void)
{
    struct dxgkmem_config config;

    memset(&config, 0, sizeof(config));
    config.limits.total.pages = 1000;
    world_make_machine(0);
    world_start(&config);
}

/* Uses every lock that there is a kind of. */
static void live(void)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    struct thing thing, io;
    struct view kernel, user;
    DXGK_ADL *adl, *pinned;
    HANDLE adapter;

    config.quota.pages = 500;
    adapter = adapter_add(&config);
    thing = thing_create(mdl_arguments(adapter, PAGE));
    io = thing_create(io_arguments(world.adapter, IO_PAGE, PAGE));
    adl = adl_allocate(thing.open, 0, PAGE);
    kernel = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    user = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &pinned), STATUS_SUCCESS);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    view_unmap(thing.object, user);
    view_unmap(thing.object, kernel);
    adl_free(thing.open, adl);
    thing_destroy(io);
    thing_destroy(thing);
    adapter_remove(adapter);
}

static void expect_nothing_left(void)
{
    assert_int_equal(locks, 0);
    assert_int_equal(blocks, 0);
}

static void locks_and_memory(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 2; run++) {
        begin();
        live();
        live();
        world_end();
        expect_nothing_left();
    }
}

/* What is abandoned goes the same way as what is ended. */
static void abandoned(void **state)
{
    const struct dxgkmem_adapter_config config = adapter_identity(0, V31);
    struct dxgkmem_statistics before, after;
    unsigned locks_before;
    struct thing thing;
    (void)state;
    begin();
    locks_before = locks;
    dxgkmem_query_statistics(&before);
    thing = thing_create(mdl_arguments(world.adapter, PAGE));
    adl_allocate(thing.open, 0, PAGE);
    view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    dxgkmem_reset();
    dxgkmem_sim_reset(world.sim);
    world.adapter = adapter_add(&config);
    dxgkmem_query_statistics(&after);
    assert_int_equal(locks, locks_before);
    assert_int_equal(after.pool_blocks, before.pool_blocks);
    assert_int_equal(after.pool_bytes, before.pool_bytes);
    live();
    world_end();
    expect_nothing_left();
}

/* Wherever the memory for a start runs out, all of it goes back. */
static void start_without_memory(void **state)
{
    struct dxgkmem_config config;
    unsigned failed = 0;
    (void)state;

    memset(&config, 0, sizeof(config));
    world_make_machine(0);
    config.machine = dxgkmem_sim_machine(world.sim);
    config.violation = world_violation;
    for (;;) {
        unsigned locks_before = locks, blocks_before = blocks;
        NTSTATUS status;
        failing_allocation = failed + 1;
        status = dxgkmem_start(&config);
        if (failing_allocation != 0) {
            failing_allocation = 0;
            assert_int_equal(status, STATUS_SUCCESS);
            break;
        }
        assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
        assert_int_equal(locks, locks_before);
        assert_int_equal(blocks, blocks_before);
        failed++;
    }
    assert_true(failed >= 3); /* handles, and ADLs in two planes */
    world_end();
    expect_nothing_left();
}

/* -- random bits ---------------------------------------------------------------------- */

struct seen {
    HANDLE object;
    uint64_t priority; /* of the only range in a tree */
};

static struct seen with_bits(uint64_t first, uint64_t second, uint64_t third)
{
    struct seen seen;
    struct thing io;

    bits[0] = first;
    bits[1] = second;
    bits[2] = third;
    drawn = 0;
    begin();
    assert_int_equal(drawn, 3);
    io = thing_create(io_arguments(world.adapter, IO_PAGE, PAGE));
    seen.object = io.object;
    seen.priority = instance.claims.root->priority;
    thing_destroy(io);
    world_end();
    return seen;
}

static void every_draw_counts(void **state)
{
    struct seen seen = with_bits(1, 2, 3), first = with_bits(9, 2, 3), second = with_bits(1, 9, 3),
                third = with_bits(1, 2, 9);
    (void)state;
    assert_ptr_not_equal(first.object, seen.object);
    assert_ptr_not_equal(second.object, seen.object);
    assert_ptr_not_equal(first.object, second.object);
    assert_ptr_equal(third.object, seen.object);
    assert_true(third.priority != seen.priority);
    assert_true(first.priority == seen.priority);
    seen = with_bits(1, 2, 3); /* nothing else is random */
    assert_ptr_equal(with_bits(1, 2, 3).object, seen.object);
}

/* -- numbers of operations ---------------------------------------------------------------- */

static void operations_of_every_shard(void **state)
{
    static const counter numbers[] = {0, 1, (counter)1 << 31, ((counter)1 << 47) - 1, ((counter)1 << 48) - 2};
    (void)state;
    begin();
    for (shard = 0; shard < 2 * INSTANCE_SHARDS; shard++) {
        counter *count = &instance.shard[shard % 16].count[COUNT_CALLS], kept = *count;
        for (unsigned i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
            struct call call;
            *count = numbers[i];
            call_number(&call, DXGKMEM_CALL_STOP);
            assert_int_equal(*count, numbers[i] + 1);
            assert_int_equal(stamp_call(call.now), DXGKMEM_CALL_STOP);
            assert_int_equal(stamp_operation(call.now), (uint64_t)(shard % 16) << 48 | (numbers[i] + 1));
        }
        *count = kept;
    }
    shard = 0;
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(locks_and_memory),          cmocka_unit_test(abandoned),
        cmocka_unit_test(start_without_memory),      cmocka_unit_test(every_draw_counts),
        cmocka_unit_test(operations_of_every_shard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
