/* SPDX-License-Identifier: MIT */
/*
 * The services of host.h for a user process. The lock itself is in lock.c.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#if defined(_WIN32)
#define _CRT_RAND_S
#endif

#include "lock.h"

#include "../splitmix.h"

#include <dxgkmem/user.h>
#include <dxgkmem/violations.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/random.h>
#endif

/* -- pool ------------------------------------------------------------------------------ */

void *dxgkmem_host_alloc(size_t bytes)
{
    return calloc(1, bytes);
}

void dxgkmem_host_free(void *memory, size_t bytes)
{
    (void)bytes;
    free(memory);
}

/* -- locks ----------------------------------------------------------------------------- */

/*
 * In debug builds each thread knows which locks it holds, so that one taken out of
 * rank, twice, or released by a stranger stops the process at that very place.
 */
#if !defined(NDEBUG)

#define HELD_LOCKS 16

struct held {
    const struct dxgkmem_lock *lock;
    unsigned rank;
};

static _Thread_local struct held held_lock[HELD_LOCKS];
static _Thread_local unsigned held_locks;

static void check_acquire(const struct dxgkmem_lock *lock, unsigned rank)
{
    for (unsigned i = 0; i < held_locks; i++) {
        if (held_lock[i].lock == lock)
            dxgkmem_host_panic(__FILE__, __LINE__, "a thread took a lock that it holds");
        if (held_lock[i].rank >= rank)
            dxgkmem_host_panic(__FILE__, __LINE__, "a thread took a lock out of rank");
    }
    if (held_locks == HELD_LOCKS)
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread holds too many locks");
    held_lock[held_locks++] = (struct held){lock, rank};
}

static void check_release(const struct dxgkmem_lock *lock)
{
    unsigned i = held_locks;

    while (i != 0 && held_lock[i - 1].lock != lock)
        i--;
    if (i == 0)
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread released a lock that it does not hold");
    for (held_locks--; i <= held_locks; i++)
        held_lock[i - 1] = held_lock[i];
}

#else

static inline void check_acquire(const struct dxgkmem_lock *lock, unsigned rank)
{
    (void)lock;
    (void)rank;
}

static inline void check_release(const struct dxgkmem_lock *lock)
{
    (void)lock;
}

#endif

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    user_lock_init(lock);
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    user_lock_destroy(lock);
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    check_acquire(lock, rank);
    user_lock_acquire(lock);
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    check_release(lock);
    user_lock_release(lock);
}

/* -- threads --------------------------------------------------------------------------- */

/* Threads are numbered in the order in which they first ask. */
unsigned dxgkmem_host_shard(void)
{
    static unsigned threads;
    static _Thread_local unsigned number; /* plus one */

    if (number == 0)
        number = __atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED);
    return number - 1;
}

/* -- random numbers ---------------------------------------------------------------------- */

static bool seeded;
static uint64_t seed_state;

void dxgkmem_user_seed(uint64_t seed)
{
    __atomic_store_n(&seed_state, seed, __ATOMIC_RELAXED);
    __atomic_store_n(&seeded, true, __ATOMIC_RELEASE);
}

static bool system_random(uint64_t *random)
{
#if defined(__linux__)
    return getrandom(random, sizeof *random, 0) == (ssize_t)sizeof *random;
#elif defined(_WIN32)
    unsigned low, high;

    if (rand_s(&low) != 0 || rand_s(&high) != 0)
        return false;
    *random = (uint64_t)high << 32 | low;
    return true;
#else
    FILE *file = fopen("/dev/urandom", "rb");
    bool done = file != NULL && fread(random, sizeof *random, 1, file) == 1;

    if (file != NULL)
        (void)fclose(file);
    return done;
#endif
}

uint64_t dxgkmem_host_random(void)
{
    uint64_t random = 0;

    if (__atomic_load_n(&seeded, __ATOMIC_ACQUIRE))
        return splitmix64(&seed_state);
    if (!system_random(&random))
        dxgkmem_host_panic(__FILE__, __LINE__, "the system has no random numbers");
    return random;
}

/* -- the end ----------------------------------------------------------------------------- */

static dxgkmem_user_bug_check_hook *bug_check_hook;
static void *bug_check_context;

void dxgkmem_user_set_bug_check_hook(dxgkmem_user_bug_check_hook *hook, void *context)
{
    bug_check_hook = hook;
    bug_check_context = context;
}

/* Violation codes by number begin at 1, in the order of the list. */
static const char *violation_name(uint64_t code)
{
    static const char *const names[] = {"none",
#define NAME(constant, name, status, sentence) #name,
                                        DXGKMEM_VIOLATIONS(NAME)
#undef NAME
    };

    return code < sizeof names / sizeof *names ? names[code] : "unknown";
}

void dxgkmem_host_bug_check(uint32_t code, const uint64_t parameters[4])
{
    if (bug_check_hook != NULL)
        bug_check_hook(bug_check_context, code, parameters);
    (void)fprintf(stderr, "dxgkmem: bug check 0x%" PRIX32, code);
    if (code == VIDEO_DXGKRNL_FATAL_ERROR)
        (void)fprintf(stderr, " (violation %s)", violation_name(parameters[0]));
    (void)fprintf(stderr, ": 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 "\n", parameters[0],
                  parameters[1], parameters[2], parameters[3]);
    abort();
}

void dxgkmem_host_panic(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "dxgkmem: %s:%d: %s\n", file, line, what);
    abort();
}
