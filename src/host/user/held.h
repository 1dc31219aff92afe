/* SPDX-License-Identifier: MIT */
/*
 * Which locks one thread holds, in the order in which it took them: stops the process at a
 * lock that is taken out of rank or twice, or released by a stranger.
 */
#ifndef DXGKMEM_USER_HELD_H
#define DXGKMEM_USER_HELD_H

#include <dxgkmem/host.h>

#define HELD_LOCKS 16

struct held_locks {
    unsigned count;
    struct {
        const struct dxgkmem_lock *lock;
        unsigned rank;
    } lock[HELD_LOCKS];
};

static inline void held_acquire(struct held_locks *held, const struct dxgkmem_lock *lock, unsigned rank)
{
    for (unsigned i = 0; i < held->count; i++) {
        if (held->lock[i].lock == lock)
            dxgkmem_host_panic(__FILE__, __LINE__, "a thread took a lock that it holds");
        if (held->lock[i].rank >= rank)
            dxgkmem_host_panic(__FILE__, __LINE__, "a thread took a lock out of rank");
    }
    if (held->count == HELD_LOCKS)
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread holds too many locks");
    held->lock[held->count].lock = lock;
    held->lock[held->count++].rank = rank;
}

static inline void held_release(struct held_locks *held, const struct dxgkmem_lock *lock)
{
    unsigned i = held->count;

    while (i != 0 && held->lock[i - 1].lock != lock)
        i--;
    if (i == 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread released a lock that it does not hold");
    for (held->count--; i <= held->count; i++)
        held->lock[i - 1] = held->lock[i];
}

#endif
