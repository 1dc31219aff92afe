/* SPDX-License-Identifier: MIT */
/*
 * One lock in one word. Linux: a futex. Windows: the word is an SRWLOCK. Elsewhere the
 * word points to a mutex of the C library's threads.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif

#include "lock.h"

#if defined(__linux__)

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Waiting costs two system calls and more; critical sections are far shorter than that. */
#define SPINS 64

void user_lock_init(struct dxgkmem_lock *lock)
{
    lock->word[0] = 0;
}

void user_lock_destroy(struct dxgkmem_lock *lock)
{
    (void)lock;
}

static void pause_processor(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

void user_lock_wait(struct dxgkmem_lock *lock)
{
    user_lock_state *word = user_lock_word(lock);

    for (unsigned spin = 0; spin < SPINS; spin++) {
        user_lock_state none = 0;

        if (__atomic_load_n(word, __ATOMIC_RELAXED) == 0 &&
            __atomic_compare_exchange_n(word, &none, 1u, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
            return;
        pause_processor();
    }
    while (__atomic_exchange_n(word, 2u, __ATOMIC_ACQUIRE) != 0)
        (void)syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 2u, NULL, NULL, 0);
}

void user_lock_wake(struct dxgkmem_lock *lock)
{
    (void)syscall(SYS_futex, user_lock_word(lock), FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

#elif defined(_WIN32)

#include <windows.h>

_Static_assert(sizeof(SRWLOCK) <= sizeof(struct dxgkmem_lock), "an SRWLOCK is one pointer");

static PSRWLOCK srw_lock(struct dxgkmem_lock *lock)
{
    return (PSRWLOCK)(void *)lock->word;
}

void user_lock_init(struct dxgkmem_lock *lock)
{
    InitializeSRWLock(srw_lock(lock));
}

void user_lock_destroy(struct dxgkmem_lock *lock)
{
    (void)lock;
}

void user_lock_acquire(struct dxgkmem_lock *lock)
{
    AcquireSRWLockExclusive(srw_lock(lock));
}

void user_lock_release(struct dxgkmem_lock *lock)
{
    ReleaseSRWLockExclusive(srw_lock(lock));
}

#else

#include <pthread.h>
#include <stdlib.h>

static pthread_mutex_t *mutex_of(struct dxgkmem_lock *lock)
{
    return (pthread_mutex_t *)lock->word[0];
}

void user_lock_init(struct dxgkmem_lock *lock)
{
    pthread_mutex_t *mutex = malloc(sizeof *mutex);

    /* A lock cannot fail; without memory for one there is nothing to go on with. */
    if (mutex == NULL || pthread_mutex_init(mutex, NULL) != 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "no memory for a lock");
    lock->word[0] = (uintptr_t)mutex;
}

void user_lock_destroy(struct dxgkmem_lock *lock)
{
    (void)pthread_mutex_destroy(mutex_of(lock));
    free(mutex_of(lock));
}

void user_lock_acquire(struct dxgkmem_lock *lock)
{
    (void)pthread_mutex_lock(mutex_of(lock));
}

void user_lock_release(struct dxgkmem_lock *lock)
{
    (void)pthread_mutex_unlock(mutex_of(lock));
}

#endif
