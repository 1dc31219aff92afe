/* SPDX-License-Identifier: MIT */
/*
 * A table that grows and never moves or frees an entry while the instance runs.
 *
 * Entries live in segments, each as large as all before it together, so looking
 * up an index takes no lock and never touches freed memory. A table has one or
 * two planes: the entries, and optionally a second array with as many elements
 * that is kept apart from them (what is handed to drivers lies there).
 *
 * Free entries wait in first-in-first-out lists, one a shard, so that an entry
 * is used again late. Who takes an entry owns it until it is given back.
 *
 * Shard 0 takes new entries one by one, the others in blocks: threads that work
 * on things of their own do not write to each other's cache lines.
 */
#ifndef DXGKMEM_CORE_TABLE_H
#define DXGKMEM_CORE_TABLE_H

#include "core.h"

#define TABLE_SEGMENTS 26
#define TABLE_FIRST_BITS 6 /* the first segment has 64 entries and lives as long as the table */
#define TABLE_SHARDS 16
#define TABLE_NONE UINT32_MAX
#define TABLE_REST 32
#define TABLE_BLOCK 64 /* divides every segment */

/* The first member of every entry. */
struct table_entry {
    uint32_t next_free;
};

struct table_plane {
    size_t element_bytes; /* 0: the plane is not used */
    char *segment[TABLE_SEGMENTS];
};

/* A shard's list on cache lines of its own, so that threads do not share them. */
struct table_shard {
    struct dxgkmem_lock lock;
    uint32_t last; /* of a list that is not empty */
    /*
     * Atomic, both written under the lock. `first` is read without it, relaxed, to learn whether the list
     * is empty; an entry is only taken under the lock, which orders it after what its giver did. `free`, the
     * length, is relaxed too: it decides where an entry comes from, not whether one may be had.
     */
    uint32_t first, free;
} __attribute__((aligned(64)));

struct table {
    struct table_plane plane[2];
    struct dxgkmem_lock growth;
    /* Atomic: released, under the growth lock, after the segments are there; acquired by who looks one up. */
    uint32_t segments;
    /*
     * Atomic: entries below it were taken, or wait in a shard's block. Raised with release, after segments was
     * acquired; acquired by who takes an index from outside for valid: he sees the segment. The one that raises
     * it may read it relaxed first: what he then needs to see is in segments.
     */
    uint32_t fresh;
    uint32_t limit; /* entries at most */
    struct table_shard shard[TABLE_SHARDS];
};

/*
 * Makes an empty table; false when there is no memory. outer_bytes 0: one
 * plane. With an outer plane, whose elements are known by address and so have
 * no generation, an entry is used again only when TABLE_REST others have been
 * free for longer (or memory is short), and on shard 0 only when the segments
 * have no fresh one left.
 */
bool table_start(struct table *table, size_t entry_bytes, size_t outer_bytes, uint32_t limit);
/* Forgets every entry; the first segment stays. No entry's own memory is freed. */
void table_reset(struct table *table);
void table_stop(struct table *table);

/* An entry that nobody has: TABLE_NONE when the limit is reached or memory is short. */
uint32_t table_take(struct table *table);
void table_give(struct table *table, uint32_t index);

/* Segment 0 holds the first 64 entries, segment k > 0 the entries [64 << (k - 1), 64 << k). */
static inline unsigned segment_of(uint32_t index)
{
    if (index >> TABLE_FIRST_BITS == 0)
        return 0;
    return 32u - (unsigned)__builtin_clz(index) - TABLE_FIRST_BITS;
}

static inline uint32_t segment_first(unsigned segment)
{
    return segment == 0 ? 0 : 1u << (TABLE_FIRST_BITS + segment - 1);
}

/* The element of an index below table_used(). */
static inline void *table_at(const struct table *table, unsigned plane, uint32_t index)
{
    unsigned segment = segment_of(index);
    const struct table_plane *p = &table->plane[plane];
    return p->segment[segment] + (size_t)(index - segment_first(segment)) * p->element_bytes;
}

/* Indices below it are valid: entries that were ever taken, or wait in a block. All zero until they are. */
uint32_t table_used(const struct table *table);
/* The index of the element of plane 1 that begins at this address, or TABLE_NONE. Reads nothing there. */
uint32_t table_find(const struct table *table, const void *address);

#endif
