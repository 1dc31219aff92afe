/* SPDX-License-Identifier: MIT */
/*
 * The services of host.h for a Windows driver, over documented routines of the kernel.
 *
 * Locks are fast mutexes taken the unsafe way, in a critical region: the IRQL stays where it is, so
 * that the machine may call routines under them that need PASSIVE_LEVEL. They take more than one
 * word: every file of the driver is compiled with DXGKMEM_LOCK_WORDS=8.
 */
#include <ntddk.h>
#include <bcrypt.h>

#include "nt.h"

#include "../splitmix.h"

#include <dxgkmem/host.h>

#define POOL_TAG 0x4d676b44u /* "DkgM" in a dump */

/* -- pool ------------------------------------------------------------------------------ */

void *dxgkmem_host_alloc(size_t bytes)
{
    /* ExAllocatePool2 would zero by itself, but is of Windows 10 2004, and this runs on older ones. */
    void *memory = ExAllocatePoolWithTag(NonPagedPoolNx, bytes, POOL_TAG);

    if (memory != NULL)
        RtlZeroMemory(memory, bytes);
    return memory;
}

/* In debug builds whoever looks at a block once more sees at once that it is no longer his. */
void dxgkmem_host_free(void *memory, size_t bytes)
{
    if (memory == NULL)
        return;
#if defined(NDEBUG)
    UNREFERENCED_PARAMETER(bytes);
#else
    RtlFillMemory(memory, bytes, 0xdd);
#endif
    ExFreePoolWithTag(memory, POOL_TAG);
}

/* -- locks ----------------------------------------------------------------------------- */

struct nt_lock {
    FAST_MUTEX mutex;
    HANDLE holder; /* its thread, so that taking it twice is noticed instead of waited for */
};

C_ASSERT(sizeof(struct nt_lock) <= sizeof(struct dxgkmem_lock));

static struct nt_lock *lock_of(struct dxgkmem_lock *lock)
{
    return (struct nt_lock *)(void *)lock->word;
}

void dxgkmem_host_lock_init(struct dxgkmem_lock *lock)
{
    ExInitializeFastMutex(&lock_of(lock)->mutex);
    lock_of(lock)->holder = NULL;
}

void dxgkmem_host_lock_destroy(struct dxgkmem_lock *lock)
{
    if (__atomic_load_n(&lock_of(lock)->holder, __ATOMIC_RELAXED) != NULL)
        dxgkmem_host_panic(__FILE__, __LINE__, "a lock was destroyed while it was held");
}

void dxgkmem_host_lock_acquire(struct dxgkmem_lock *lock, unsigned rank)
{
    HANDLE thread = PsGetCurrentThreadId();

    UNREFERENCED_PARAMETER(rank);
    if (__atomic_load_n(&lock_of(lock)->holder, __ATOMIC_RELAXED) == thread)
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread took a lock that it holds");
    KeEnterCriticalRegion();
    ExAcquireFastMutexUnsafe(&lock_of(lock)->mutex);
    __atomic_store_n(&lock_of(lock)->holder, thread, __ATOMIC_RELAXED);
}

void dxgkmem_host_lock_release(struct dxgkmem_lock *lock)
{
    if (__atomic_load_n(&lock_of(lock)->holder, __ATOMIC_RELAXED) != PsGetCurrentThreadId())
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread released a lock that it does not hold");
    __atomic_store_n(&lock_of(lock)->holder, NULL, __ATOMIC_RELAXED);
    ExReleaseFastMutexUnsafe(&lock_of(lock)->mutex);
    KeLeaveCriticalRegion();
}

/* -- what programs need to be the same in every run ---------------------------------------- */

static BOOLEAN seeded;
static struct splitmix seed_state;

void dxgkmem_nt_seed(uint64_t seed)
{
    __atomic_store_n(&seed_state.state, seed, __ATOMIC_RELAXED);
    __atomic_store_n(&seeded, TRUE, __ATOMIC_RELEASE);
}

/* The two lowest bits of a thread's number are always 0. */
unsigned dxgkmem_host_shard(void)
{
    if (__atomic_load_n(&seeded, __ATOMIC_ACQUIRE))
        return 0;
    return (unsigned)((uintptr_t)PsGetCurrentThreadId() >> 2);
}

uint64_t dxgkmem_host_random(void)
{
    uint64_t random = 0;

    if (__atomic_load_n(&seeded, __ATOMIC_ACQUIRE))
        return splitmix64(&seed_state);
    if (!NT_SUCCESS(BCryptGenRandom(NULL, (PUCHAR)&random, sizeof(random), BCRYPT_USE_SYSTEM_PREFERRED_RNG)))
        dxgkmem_host_panic(__FILE__, __LINE__, "the system has no random numbers");
    return random;
}

/* -- the end --------------------------------------------------------------------------- */

void dxgkmem_host_bug_check(uint32_t code, const uint64_t parameters[4])
{
    KeBugCheckEx(code, (ULONG_PTR)parameters[0], (ULONG_PTR)parameters[1], (ULONG_PTR)parameters[2],
                 (ULONG_PTR)parameters[3]);
}

void dxgkmem_host_panic(const char *file, int line, const char *what)
{
    KeBugCheckEx(DXGKMEM_NT_PANIC, (ULONG_PTR)file, (ULONG_PTR)line, (ULONG_PTR)what,
                 (ULONG_PTR)__builtin_return_address(0));
}
