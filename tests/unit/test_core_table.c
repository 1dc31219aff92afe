/* SPDX-License-Identifier: MIT */
/*
 * The growing table: segments, first-in-first-out reuse, the limit, lists of other shards,
 * finding by address, memory that runs out in either plane, reset.
 */
#include "tests/support/wrapped.h"

#include <pthread.h>
#include <unistd.h>

#include "core/instance.h"

struct entry {
    struct table_entry link;
    uint32_t payload[3];
};

struct outer {
    uint64_t words[2];
};

static struct table table;

static int setup(void **state)
{
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = wrapped_machine();
    world_start(&config); /* for the pool */
    return 0;
}

static void start(size_t outer_bytes, uint32_t limit)
{
    assert_true(table_start(&table, sizeof(struct entry), outer_bytes, limit));
}

static uint32_t take(void)
{
    uint32_t index = table_take(&table);
    assert_int_not_equal(index, TABLE_NONE);
    return index;
}

static void grows_over_segments(void **state)
{
    enum { MANY = 1000 };
    static void *where[2][MANY];
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(take(), i);
        assert_int_equal(table_used(&table), i + 1);
        for (unsigned plane = 0; plane < 2; plane++) {
            where[plane][i] = table_at(&table, plane, i);
            assert_int_equal(*(unsigned char *)where[plane][i], 0);
        }
        assert_int_equal(table_find(&table, where[1][i]), i);
    }
    /* Nothing moved, everything is apart. */
    for (uint32_t i = 0; i < MANY; i++) {
        assert_ptr_equal(table_at(&table, 0, i), where[0][i]);
        assert_ptr_equal(table_at(&table, 1, i), where[1][i]);
        memset(where[0][i], (int)(i & 0xff), sizeof(struct entry));
        memset(where[1][i], (int)(i & 0xff), sizeof(struct outer));
    }
    for (uint32_t i = 0; i < MANY; i++) {
        assert_int_equal(((unsigned char *)where[0][i])[sizeof(struct entry) - 1], i & 0xff);
        assert_int_equal(((unsigned char *)where[1][i])[0], i & 0xff);
    }
    table_stop(&table);
    table_stop(&table); /* twice does nothing */
}

static void finds_by_address(void **state)
{
    const char *first, *past;
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    for (unsigned i = 0; i < 100; i++)
        (void)take();
    first = table_at(&table, 1, 0);
    assert_int_equal(table_find(&table, first), 0);
    assert_int_equal(table_find(&table, first + 1), TABLE_NONE);
    assert_int_equal(table_find(&table, first + sizeof(struct outer) - 1), TABLE_NONE);
    assert_int_equal(table_find(&table, first + sizeof(struct outer)), 1);
    assert_int_equal(table_find(&table, first - 1), TABLE_NONE);
    assert_int_equal(table_find(&table, table_at(&table, 1, 99)), 99);
    past = first + 64 * sizeof(struct outer); /* of the first segment's last one; the next is elsewhere */
    assert_ptr_not_equal(past, table_at(&table, 1, 64));
    assert_int_equal(table_find(&table, past), TABLE_NONE);
    /* There, but never taken. */
    assert_int_equal(table_find(&table, (const char *)table_at(&table, 1, 99) + sizeof(struct outer)),
                     TABLE_NONE);
    assert_int_equal(table_find(&table, table_at(&table, 0, 5)), TABLE_NONE);
    assert_int_equal(table_find(&table, NULL), TABLE_NONE);
    assert_int_equal(table_find(&table, (void *)UINTPTR_MAX), TABLE_NONE);
    table_stop(&table);
}

static void first_in_first_out(void **state)
{
    (void)state;
    start(0, UINT32_MAX);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(take(), i);
    table_give(&table, 7);
    table_give(&table, 2);
    table_give(&table, 5);
    assert_int_equal(table_take(&table), 7);
    table_give(&table, 7);
    assert_int_equal(take(), 2);
    assert_int_equal(take(), 5);
    assert_int_equal(take(), 7);
    assert_int_equal(table_take(&table), 10);
    table_stop(&table);
}

/* With an outer plane entries are used again only when the segments have no new one and others rest. */
static void outer_plane_prefers_new_entries(void **state)
{
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    for (uint32_t i = 0; i < 64; i++) {
        assert_int_equal(take(), i);
        table_give(&table, i);
    }
    for (uint32_t round = 0; round < 3; round++)
        for (uint32_t i = 0; i < 64; i++) {
            assert_int_equal(take(), i);
            table_give(&table, i);
        }
    /* While enough others wait behind it, the one that waits longest is used again; then the table grows. */
    for (uint32_t i = 0; i <= 64 - TABLE_REST; i++)
        assert_int_equal(take(), i);
    assert_int_equal(take(), 64);
    table_stop(&table);
}

static void ends_at_its_limit(void **state)
{
    (void)state;
    start(0, 70);
    for (unsigned i = 0; i < 70; i++)
        assert_int_equal(take(), i);
    assert_int_equal(table_take(&table), TABLE_NONE);
    assert_int_equal(table_used(&table), 70);
    table_give(&table, 3);
    assert_int_equal(take(), 3);
    assert_int_equal(table_take(&table), TABLE_NONE);
    table_stop(&table);
}

static void *give_on_another_shard(void *index)
{
    table_give(&table, *(const uint32_t *)index);
    return NULL;
}

static void takes_from_other_shards(void **state)
{
    uint32_t index = 1;
    pthread_t thread;
    (void)state;
    start(0, 4);
    for (unsigned i = 0; i < 4; i++)
        (void)take();
    assert_int_equal(pthread_create(&thread, NULL, give_on_another_shard, &index), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* Not on the list of this thread; but better than nothing. */
    assert_int_equal(take(), 1);
    assert_int_equal(table_take(&table), TABLE_NONE);
    table_stop(&table);
}

static void *take_on_another_shard(void *index)
{
    *(uint32_t *)index = table_take(&table);
    return NULL;
}

/* Another shard's new entries come in blocks, so that those of two threads are apart; none is lost. */
static void other_shards_take_blocks(void **state)
{
    uint32_t index = TABLE_NONE;
    pthread_t thread;
    (void)state;
    start(0, 70);
    assert_int_equal(take(), 0);
    assert_int_equal(pthread_create(&thread, NULL, take_on_another_shard, &index), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(index, 1);
    assert_int_equal(table_used(&table), TABLE_BLOCK);
    for (uint32_t i = TABLE_BLOCK; i < 70; i++)
        assert_int_equal(take(), i);
    /* The limit: what is left of the block is better than nothing. */
    for (uint32_t i = 2; i < TABLE_BLOCK; i++)
        assert_int_equal(take(), i);
    assert_int_equal(table_take(&table), TABLE_NONE);
    table_stop(&table);
}

/* Two threads want the same block, and the table must grow for it: one of them asks again. */
static void two_shards_want_one_block(void **state)
{
    uint32_t index[2] = {TABLE_NONE, TABLE_NONE};
    pthread_t thread[2];
    (void)state;
    start(0, UINT32_MAX);
    for (unsigned i = 0; i < 64; i++)
        (void)take();
    lock_acquire(&table.growth, RANK_GROWTH);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_on_another_shard, &index[i]), 0);
    usleep(100000); /* both have seen entry 64 as the next, and wait for the lock */
    lock_release(&table.growth);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(index[0] + index[1], 64 + 64 + TABLE_BLOCK);
    assert_int_not_equal(index[0], index[1]);
    assert_int_equal(table_used(&table), 64 + 2 * TABLE_BLOCK);
    table_stop(&table);
}

static void *take_many_on_another_shard(void *indices)
{
    for (unsigned i = 0; i <= TABLE_BLOCK - TABLE_REST + 1; i++)
        ((uint32_t *)indices)[i] = table_take(&table);
    return NULL;
}

/* There an entry of the block counts as one that rests: the next block is taken when too few are left. */
static void other_shards_keep_enough_at_rest(void **state)
{
    uint32_t index[TABLE_BLOCK];
    pthread_t thread;
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    assert_int_equal(pthread_create(&thread, NULL, take_many_on_another_shard, index), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (uint32_t i = 0; i <= TABLE_BLOCK - TABLE_REST; i++)
        assert_int_equal(index[i], i);
    assert_int_equal(index[TABLE_BLOCK - TABLE_REST + 1], TABLE_BLOCK);
    assert_int_equal(table_used(&table), 2 * TABLE_BLOCK);
    table_stop(&table);
}

static void *give_and_take_on_another_shard(void *indices)
{
    uint32_t *index = indices;

    table_give(&table, index[0]);
    for (unsigned i = 1; i <= TABLE_BLOCK; i++)
        index[i] = table_take(&table);
    return NULL;
}

/* What was given back a moment ago is not taken for rested because a block of new entries came behind it. */
static void a_new_block_rests_nothing(void **state)
{
    uint32_t index[TABLE_BLOCK + 1];
    pthread_t thread;
    (void)state;

    start(16, 1000);
    index[0] = table_take(&table);
    assert_int_equal(pthread_create(&thread, NULL, give_and_take_on_another_shard, index), 0);
    pthread_join(thread, NULL);
    for (unsigned i = 1; i <= TABLE_BLOCK; i++)
        assert_int_not_equal(index[i], index[0]);
    table_stop(&table);
}

static void *take_all_on_another_shard(void *count)
{
    while (table_take(&table) != TABLE_NONE)
        ++*(uint32_t *)count;
    return NULL;
}

/* Every entry can be had, those of a block that the limit cuts and those that rest while a block joins them. */
static void blocks_lose_nothing(void **state)
{
    static const struct {
        size_t outer_bytes;
        uint32_t limit;
    } tables[] = {{0, TABLE_BLOCK + 2}, {sizeof(struct outer), 2 * TABLE_BLOCK}};
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        uint32_t count = 0;
        pthread_t thread;
        start(tables[i].outer_bytes, tables[i].limit);
        assert_int_equal(pthread_create(&thread, NULL, take_all_on_another_shard, &count), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(count, tables[i].limit);
        table_stop(&table);
    }
}

/* A plane that is not used takes no memory. */
static void one_plane_is_one_block(void **state)
{
    struct dxgkmem_statistics before, after;
    (void)state;
    dxgkmem_query_statistics(&before);
    start(0, UINT32_MAX);
    dxgkmem_query_statistics(&after);
    assert_int_equal(after.pool_blocks, before.pool_blocks + 1);
    table_stop(&table);
}

static void fail_next_allocation(unsigned nth)
{
    dxgkmem_sim_fail_at(world.sim, nth);
}

static void memory_runs_out(void **state)
{
    struct dxgkmem_statistics before, after;
    (void)state;
    dxgkmem_query_statistics(&before);
    for (unsigned nth = 1; nth <= 2; nth++) { /* in plane 0, in plane 1 */
        fail_next_allocation(nth);
        assert_false(table_start(&table, sizeof(struct entry), sizeof(struct outer), UINT32_MAX));
        dxgkmem_query_statistics(&after);
        assert_int_equal(after.pool_bytes, before.pool_bytes);
    }
    start(sizeof(struct outer), UINT32_MAX);
    for (unsigned i = 0; i < 64; i++)
        (void)take();
    dxgkmem_query_statistics(&before);
    for (unsigned nth = 1; nth <= 2; nth++) {
        fail_next_allocation(nth);
        assert_int_equal(table_take(&table), TABLE_NONE);
        dxgkmem_query_statistics(&after);
        assert_int_equal(after.pool_bytes, before.pool_bytes);
        assert_int_equal(table_used(&table), 64);
    }
    table_give(&table, 9);
    fail_next_allocation(1);
    assert_int_equal(take(), 9); /* what is there needs no memory */
    fail_next_allocation(0);
    assert_int_equal(take(), 64);
    table_stop(&table);
}

/* Twenty-six segments: no more, whatever the limit. */
static void ends_at_its_segments(void **state)
{
    (void)state;
    start(0, UINT32_MAX);
    table.segments = TABLE_SEGMENTS;
    table.fresh = UINT32_C(1) << 31;
    assert_int_equal(table_take(&table), TABLE_NONE);
    table.segments = 1;
    table.fresh = 0;
    table_stop(&table);
}

static void reset_forgets(void **state)
{
    struct dxgkmem_statistics first, again;
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    dxgkmem_query_statistics(&first);
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 500; i++) {
            struct entry *entry;
            assert_int_equal(table_take(&table), i);
            entry = table_at(&table, 0, i);
            assert_int_equal(entry->payload[2], 0);
            entry->payload[2] = 1;
            memset(table_at(&table, 1, i), 1, sizeof(struct outer));
        }
        table_give(&table, 3);
        table_reset(&table);
        assert_int_equal(table_used(&table), 0);
        dxgkmem_query_statistics(&again);
        assert_int_equal(again.pool_bytes, first.pool_bytes);
        assert_int_equal(*(unsigned char *)table_at(&table, 1, 63), 0);
    }
    table_reset(&table); /* of an empty one */
    table_stop(&table);
}

/* What rested before a reset does not count after it: what was given back last is not taken for rested. */
static void reset_rests_nothing(void **state)
{
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    for (uint32_t i = 0; i < 64; i++)
        (void)take();
    for (uint32_t i = 0; i < 64; i++)
        table_give(&table, i);
    table_reset(&table);
    for (uint32_t i = 0; i < 64; i++)
        assert_int_equal(take(), i);
    table_give(&table, 5);
    assert_int_equal(take(), 64);
    table_stop(&table);
}

/* A segment that went back at a reset does not go back again when it cannot be had any more. */
static void memory_runs_out_after_a_reset(void **state)
{
    struct dxgkmem_statistics before, after;
    (void)state;
    start(sizeof(struct outer), UINT32_MAX);
    for (unsigned i = 0; i <= 64; i++)
        (void)take();
    table_reset(&table);
    for (unsigned i = 0; i < 64; i++)
        (void)take();
    dxgkmem_query_statistics(&before);
    fail_next_allocation(1);
    assert_int_equal(table_take(&table), TABLE_NONE);
    dxgkmem_query_statistics(&after);
    assert_int_equal(after.pool_bytes, before.pool_bytes);
    fail_next_allocation(0);
    table_stop(&table);
}

/* Every entry is somebody's at most once, whoever takes and gives. */
static unsigned char taken[512];

static void *take_and_give(void *unused)
{
    (void)unused;
    for (unsigned i = 0; i < 20000; i++) {
        uint32_t mine[4];
        unsigned count = 0;
        while (count < 4 && (mine[count] = table_take(&table)) != TABLE_NONE) {
            if (__atomic_exchange_n(&taken[mine[count]], 1, __ATOMIC_RELAXED) != 0)
                return (void *)"taken twice";
            count++;
        }
        while (count-- > 0) {
            __atomic_store_n(&taken[mine[count]], 0, __ATOMIC_RELAXED);
            table_give(&table, mine[count]);
        }
    }
    return NULL;
}

static void threads(void **state)
{
    pthread_t thread[4];
    (void)state;
    start(sizeof(struct outer), 12); /* less than the threads want */
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, NULL), 0);
    for (unsigned i = 0; i < 4; i++) {
        void *problem = NULL;
        assert_int_equal(pthread_join(thread[i], &problem), 0);
        assert_null(problem);
    }
    table_stop(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_over_segments),
        cmocka_unit_test(finds_by_address),
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(outer_plane_prefers_new_entries),
        cmocka_unit_test(ends_at_its_limit),
        cmocka_unit_test(takes_from_other_shards),
        cmocka_unit_test(other_shards_take_blocks),
        cmocka_unit_test(two_shards_want_one_block),
        cmocka_unit_test(other_shards_keep_enough_at_rest),
        cmocka_unit_test(a_new_block_rests_nothing),
        cmocka_unit_test(blocks_lose_nothing),
        cmocka_unit_test(one_plane_is_one_block),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(ends_at_its_segments),
        cmocka_unit_test(reset_forgets),
        cmocka_unit_test(reset_rests_nothing),
        cmocka_unit_test(memory_runs_out_after_a_reset),
        cmocka_unit_test(threads),
    };
    return cmocka_run_group_tests(tests, setup, world_teardown);
}
