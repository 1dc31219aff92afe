/* SPDX-License-Identifier: MIT */
/*
 * The lock of a user process, without regard to its rank: lock.c. The functions of
 * host.h, which look at ranks in debug builds, are in services.c.
 */
#ifndef DXGKMEM_USER_LOCK_H
#define DXGKMEM_USER_LOCK_H

#include <dxgkmem/host.h>

void user_lock_init(struct dxgkmem_lock *lock);
void user_lock_destroy(struct dxgkmem_lock *lock);
/* What acquire and release do when another thread is in the way. */
void user_lock_wait(struct dxgkmem_lock *lock);
void user_lock_wake(struct dxgkmem_lock *lock);

#if defined(__linux__)

/* The half of the word that the kernel looks at: 0 free, 1 held, 2 held and waited for. */
typedef uint32_t __attribute__((may_alias)) user_lock_state;

static inline user_lock_state *user_lock_word(struct dxgkmem_lock *lock)
{
    return (user_lock_state *)&lock->word[0];
}

static inline void user_lock_acquire(struct dxgkmem_lock *lock)
{
    user_lock_state none = 0;

    if (!__atomic_compare_exchange_n(user_lock_word(lock), &none, 1u, false, __ATOMIC_ACQUIRE,
                                     __ATOMIC_RELAXED))
        user_lock_wait(lock);
}

static inline void user_lock_release(struct dxgkmem_lock *lock)
{
    if (__atomic_exchange_n(user_lock_word(lock), 0u, __ATOMIC_RELEASE) == 2)
        user_lock_wake(lock);
}

#else

void user_lock_acquire(struct dxgkmem_lock *lock);
void user_lock_release(struct dxgkmem_lock *lock);

#endif

#endif
