/* SPDX-License-Identifier: MIT */
/* The growing table: segments, and free lists per shard. It knows nothing of what the entries mean. */
#include "table.h"

#include "instance.h"

static uint32_t segment_entries(unsigned segment)
{
    return segment == 0 ? 1u << TABLE_FIRST_BITS : segment_first(segment);
}

static void segment_free(struct table *table, unsigned segment)
{
    for (unsigned p = 0; p < 2; p++) {
        struct table_plane *plane = &table->plane[p];
        if (plane->segment[segment] != NULL)
            pool_free(plane->segment[segment], plane->element_bytes * segment_entries(segment));
        plane->segment[segment] = NULL;
    }
}

static bool segment_make(struct table *table, unsigned segment)
{
    for (unsigned p = 0; p < 2; p++) {
        struct table_plane *plane = &table->plane[p];
        if (plane->element_bytes == 0)
            continue;
        plane->segment[segment] = pool_alloc(plane->element_bytes * segment_entries(segment));
        if (plane->segment[segment] == NULL) {
            segment_free(table, segment);
            return false;
        }
    }
    return true;
}

/* Makes sure that the segment is there. */
static bool table_grow(struct table *table, unsigned segment)
{
    bool grown = true;
    if (ATOMIC_LOAD_ACQUIRE(&table->segments) > segment)
        return true;
    lock_acquire(&table->growth, RANK_GROWTH);
    while (grown && table->segments <= segment) {
        grown = table->segments < TABLE_SEGMENTS && segment_make(table, table->segments);
        if (grown)
            ATOMIC_STORE_RELEASE(&table->segments, table->segments + 1);
    }
    lock_release(&table->growth);
    return grown;
}

static void shards_reset(struct table *table)
{
    for (unsigned s = 0; s < TABLE_SHARDS; s++) {
        table->shard[s].first = table->shard[s].last = TABLE_NONE;
        table->shard[s].free = 0;
    }
}

bool table_start(struct table *table, size_t entry_bytes, size_t outer_bytes, uint32_t limit)
{
    memset(table, 0, sizeof(*table));
    table->plane[0].element_bytes = entry_bytes;
    table->plane[1].element_bytes = outer_bytes;
    table->limit = limit;
    if (!segment_make(table, 0))
        return false;
    table->segments = 1;
    dxgkmem_host_lock_init(&table->growth);
    for (unsigned s = 0; s < TABLE_SHARDS; s++)
        dxgkmem_host_lock_init(&table->shard[s].lock);
    shards_reset(table);
    return true;
}

void table_reset(struct table *table)
{
    uint32_t used = (uint32_t)least(table->fresh, segment_entries(0));
    for (unsigned p = 0; p < 2; p++) {
        struct table_plane *plane = &table->plane[p];
        if (plane->element_bytes != 0)
            memset(plane->segment[0], 0, plane->element_bytes * used);
    }
    /* Later segments go back, so that no run depends on how much the one before it used. */
    while (table->segments > 1)
        segment_free(table, --table->segments);
    table->fresh = 0;
    shards_reset(table);
}

void table_stop(struct table *table)
{
    if (table->segments == 0)
        return;
    while (table->segments > 0)
        segment_free(table, --table->segments);
    dxgkmem_host_lock_destroy(&table->growth);
    for (unsigned s = 0; s < TABLE_SHARDS; s++)
        dxgkmem_host_lock_destroy(&table->shard[s].lock);
}

static struct table_entry *entry_at(const struct table *table, uint32_t index)
{
    return table_at(table, 0, index);
}

/* The oldest free entry of one shard, or TABLE_NONE. */
static uint32_t shard_take(struct table *table, struct table_shard *shard)
{
    uint32_t index;
    /* An empty list is the usual case while the table fills: look before locking. */
    if (ATOMIC_LOAD(&shard->first) == TABLE_NONE)
        return TABLE_NONE;
    lock_acquire(&shard->lock, RANK_SHARD);
    index = shard->first;
    if (index != TABLE_NONE) {
        uint32_t next = shard->last == index ? TABLE_NONE : entry_at(table, index)->next_free;
        ATOMIC_STORE(&shard->first, next);
        ATOMIC_STORE(&shard->free, shard->free - 1);
    }
    lock_release(&shard->lock);
    return index;
}

static void shard_give(struct table *table, struct table_shard *shard, uint32_t index)
{
    lock_acquire(&shard->lock, RANK_SHARD);
    if (shard->first == TABLE_NONE)
        ATOMIC_STORE(&shard->first, index);
    else
        entry_at(table, shard->last)->next_free = index;
    shard->last = index;
    ATOMIC_STORE(&shard->free, shard->free + 1);
    lock_release(&shard->lock);
}

/* The end of what a shard takes at once, from `index` on. */
static uint32_t fresh_end(const struct table *table, unsigned home, uint32_t index)
{
    return home == 0 ? index + 1 : (uint32_t)least(table->limit, (index | (TABLE_BLOCK - 1)) + (uint64_t)1);
}

/*
 * Entries that nobody had yet, `index` to `last`, go in front of those that rest: behind them they would let
 * what was given back a moment ago seem rested.
 */
static void shard_give_fresh(struct table *table, struct table_shard *shard, uint32_t index, uint32_t last)
{
    for (uint32_t at = index; at < last; at++)
        entry_at(table, at)->next_free = at + 1;
    lock_acquire(&shard->lock, RANK_SHARD);
    if (shard->first == TABLE_NONE)
        shard->last = last;
    else
        entry_at(table, last)->next_free = shard->first;
    ATOMIC_STORE(&shard->first, index);
    ATOMIC_STORE(&shard->free, shard->free + (last - index + 1));
    lock_release(&shard->lock);
}

/* A never used entry, or TABLE_NONE. The rest of a block joins the shard's list. */
static uint32_t fresh_take(struct table *table, unsigned home, bool may_grow)
{
    uint32_t index = ATOMIC_LOAD(&table->fresh), end;
    do {
        if (index >= table->limit)
            return TABLE_NONE;
        end = fresh_end(table, home, index);
        if (may_grow ? !table_grow(table, segment_of(index))
                     : segment_of(index) >= ATOMIC_LOAD_ACQUIRE(&table->segments))
            return TABLE_NONE;
    } while (
        !__atomic_compare_exchange_n(&table->fresh, &index, end, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED));
    if (index + 1 < end)
        shard_give_fresh(table, &table->shard[home], index + 1, end - 1);
    return index;
}

uint32_t table_take(struct table *table)
{
    unsigned home = dxgkmem_host_shard() % TABLE_SHARDS;
    bool by_address = table->plane[1].element_bytes != 0;
    bool rested = !by_address || ATOMIC_LOAD(&table->shard[home].free) >= TABLE_REST;
    uint32_t index = TABLE_NONE;

    if (by_address && (home == 0 || !rested))
        index = fresh_take(table, home, !rested);
    if (index == TABLE_NONE)
        index = shard_take(table, &table->shard[home]);
    if (index == TABLE_NONE && rested)
        index = fresh_take(table, home, true);
    /* Nothing new to be had: what other shards have free is better than a refusal. */
    for (unsigned s = 1; index == TABLE_NONE && s < TABLE_SHARDS; s++)
        index = shard_take(table, &table->shard[(home + s) % TABLE_SHARDS]);
    return index;
}

void table_give(struct table *table, uint32_t index)
{
    shard_give(table, &table->shard[dxgkmem_host_shard() % TABLE_SHARDS], index);
}

uint32_t table_used(const struct table *table)
{
    return ATOMIC_LOAD_ACQUIRE(&table->fresh);
}

uint32_t table_find(const struct table *table, const void *address)
{
    const struct table_plane *plane = &table->plane[1];
    uint32_t used = table_used(table);
    uint32_t segments = ATOMIC_LOAD_ACQUIRE(&table->segments);
    for (unsigned s = 0; s < segments; s++) {
        uintptr_t offset = (uintptr_t)address - (uintptr_t)plane->segment[s];
        if (offset >= plane->element_bytes * segment_entries(s))
            continue;
        if (offset % plane->element_bytes != 0)
            return TABLE_NONE;
        uint32_t index = segment_first(s) + (uint32_t)(offset / plane->element_bytes);
        return index < used ? index : TABLE_NONE;
    }
    return TABLE_NONE;
}
