/* SPDX-License-Identifier: MIT */
/*
 * The services of host.h for threads that take turns. A lock is one word: who
 * holds it. Ranks are checked in every build. Random numbers, bug check and panic are
 * those of the user host (host/user/ending.c).
 */
#include "scheduled_internal.h"

#include "host/user/held.h"

#include <dxgkmem/user.h>

#include <stdlib.h>
#include <string.h>

#if defined(SCHEDULED_ASAN)
#include <sanitizer/asan_interface.h>
#endif

/* Holders: thread + 1; outside a run NOBODY + 1; 0: free. */
static struct held_locks held[SCHEDULED_THREADS + 1];
static void (*watcher)(void *context);
static void *watcher_context;

void services_begin(unsigned threads)
{
    for (unsigned thread = 0; thread < threads; thread++)
        held[thread].count = 0;
}

void *dxgkmem_host_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

/* Blocks that were freed in the run under way. */
static struct gone {
    void *memory;
    size_t bytes;
} * gone;
static size_t gone_count, gone_room;

#define GONE_PATTERN 0xdd /* for who looks all the same, where AddressSanitizer does not */

static void keep_gone(void *memory, size_t bytes)
{
    if (gone_count == gone_room) {
        gone_room = gone_room * 2 + 64;
        gone = realloc(gone, gone_room * sizeof gone[0]);
        if (gone == NULL)
            dxgkmem_host_panic(__FILE__, __LINE__, "no memory for what was freed");
    }
    gone[gone_count++] = (struct gone){memory, bytes};
    memset(memory, GONE_PATTERN, bytes);
#if defined(SCHEDULED_ASAN)
    ASAN_POISON_MEMORY_REGION(memory, bytes);
#endif
}

void services_end(void)
{
    for (; gone_count > 0; gone_count--) {
#if defined(SCHEDULED_ASAN)
        ASAN_UNPOISON_MEMORY_REGION(gone[gone_count - 1].memory, gone[gone_count - 1].bytes);
#endif
        free(gone[gone_count - 1].memory);
    }
}

bool scheduled_gone(const void *block)
{
    for (size_t i = 0; i < gone_count; i++)
        if (gone[i].memory == block)
            return true;
    return false;
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
    if (memory != NULL && scheduled_thread() != SCHEDULED_NOBODY)
        keep_gone(memory, bytes);
    else
        free(memory);
}

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    lock->word[0] = 0;
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    if (lock->word[0] != 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "a lock is destroyed that is held");
}

unsigned scheduled_holder(const struct scheduled_point *point)
{
    const struct dxgkmem_lock *lock = (const struct dxgkmem_lock *)point->address;

    return lock->word[0] != 0 ? (unsigned)(lock->word[0] - 1) : SCHEDULED_NOBODY;
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    held_acquire(&held[scheduled_thread()], lock, rank);
    scheduled_point(SCHEDULED_ACQUIRE, lock, NULL, 0);
    if (lock->word[0] != 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "a lock that is held was taken");
    lock->word[0] = scheduled_thread() + 1u;
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    struct held_locks *own = &held[scheduled_thread()];

    held_release(own, lock);
    lock->word[0] = 0;
    scheduled_point(SCHEDULED_RELEASE, lock, NULL, 0);
    if (watcher != NULL && scheduled_thread() == SCHEDULED_NOBODY && own->count == 0)
        watcher(watcher_context);
}

void scheduled_watch(void (*unlocked)(void *context), void *context)
{
    watcher = unlocked;
    watcher_context = context;
}

/* What the simulated machine is told in its stead, so that addresses do not depend on who asks. */
unsigned scheduled_one_shard(void);
unsigned scheduled_one_shard(void)
{
    return 0;
}

/* The threads of a run from 1 on; what goes on before and after it is shard 0. */
unsigned dxgkmem_host_shard(void)
{
    return (scheduled_thread() + 1u) % (SCHEDULED_NOBODY + 1u);
}
