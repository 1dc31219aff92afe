/* SPDX-License-Identifier: MIT */
/*
 * Locks: a held one is a thing that lives, with the thread that holds it, so that taking it twice, which would never return
 * on a system, and forgetting it are told with the call that took it. Who wants what another one holds gives its turn away.
 */
#include "wdk.h"

#define READY 0x4b434f4cu

struct wanted {
    const char *kind;
    const void *lock;
};

static bool is_free(const void *what)
{
    const struct wanted *wanted = what;

    return wdk_find(wanted->kind, wanted->lock) == NULL;
}

static void take(const char *kind, const void *lock, const char *call, kit_stack stack)
{
    const struct wanted wanted = {kind, lock};
    const struct wdk_thing *held;

    while ((held = wdk_find(kind, lock)) != NULL) {
        if (held->of == wdk_thread())
            wdk_fatal("deadlock", call, stack, held->made,
                      "takes a lock that this thread holds: it would wait forever");
        if (!wdk_others_run(is_free, &wanted))
            wdk_fatal("deadlock", call, stack, held->made,
                      "takes a lock that another thread holds, which is not going to let it go");
    }
    wdk_born(&(struct wdk_thing){.kind = kind, .address = lock, .made = stack, .of = wdk_thread()});
}

/* False: it was not held, and nothing is to be restored. */
static bool drop(const char *kind, const void *lock, const char *call, kit_stack stack)
{
    struct wdk_thing *held = wdk_find(kind, lock);

    if (held == NULL)
        wdk_mistake("lock_not_held", call, stack, 0, "releases a lock that is not held");
    else if (held->of != wdk_thread())
        wdk_mistake("lock_not_held", call, stack, held->made, "releases a lock that another thread holds");
    if (held != NULL)
        wdk_died(held);
    return held != NULL;
}

static void ready(bool initialised, const char *call, kit_stack stack)
{
    if (!initialised)
        wdk_mistake("lock_not_initialised", call, stack, 0, "the lock was not initialised");
}

/* -- spin locks: DISPATCH_LEVEL -------------------------------------------------------------- */

#define SPIN "spin lock"

VOID KeInitializeSpinLock(PKSPIN_LOCK SpinLock)
{
    *SpinLock = 0;
}

static KIRQL spin(PKSPIN_LOCK lock, const char *call, kit_stack stack)
{
    KIRQL old = (KIRQL)kit_irql();

    wdk_at_most(DISPATCH_LEVEL, call, stack);
    take(SPIN, lock, call, stack);
    if (old < DISPATCH_LEVEL)
        (void)KfRaiseIrql(DISPATCH_LEVEL);
    return old;
}

KIRQL KeAcquireSpinLockRaiseToDpc(PKSPIN_LOCK SpinLock)
{
    return spin(SpinLock, "KeAcquireSpinLock", HERE);
}

VOID KeReleaseSpinLock(PKSPIN_LOCK SpinLock, KIRQL NewIrql)
{
    if (drop(SPIN, SpinLock, "KeReleaseSpinLock", HERE))
        KeLowerIrql(NewIrql);
}

VOID KeAcquireSpinLockAtDpcLevel(PKSPIN_LOCK SpinLock)
{
    if (kit_irql() < DISPATCH_LEVEL)
        wdk_mistake("irql_too_low", "KeAcquireSpinLockAtDpcLevel", HERE, 0, "called below DISPATCH_LEVEL");
    take(SPIN, SpinLock, "KeAcquireSpinLockAtDpcLevel", HERE);
}

VOID KeReleaseSpinLockFromDpcLevel(PKSPIN_LOCK SpinLock)
{
    (void)drop(SPIN, SpinLock, "KeReleaseSpinLockFromDpcLevel", HERE);
}

VOID KeAcquireInStackQueuedSpinLock(PKSPIN_LOCK SpinLock, PKLOCK_QUEUE_HANDLE LockHandle)
{
    LockHandle->Lock = SpinLock;
    LockHandle->OldIrql = spin(SpinLock, "KeAcquireInStackQueuedSpinLock", HERE);
}

VOID KeReleaseInStackQueuedSpinLock(PKLOCK_QUEUE_HANDLE LockHandle)
{
    if (drop(SPIN, LockHandle->Lock, "KeReleaseInStackQueuedSpinLock", HERE))
        KeLowerIrql(LockHandle->OldIrql);
}

/* -- fast and guarded mutexes: APC_LEVEL --------------------------------------------------------- */

#define MUTEX "fast or guarded mutex"

VOID ExInitializeFastMutex(PFAST_MUTEX FastMutex)
{
    FastMutex->Initialised = READY;
}

VOID ExAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    wdk_at_most(APC_LEVEL, "ExAcquireFastMutex", HERE);
    ready(FastMutex->Initialised == READY, "ExAcquireFastMutex", HERE);
    take(MUTEX, FastMutex, "ExAcquireFastMutex", HERE);
    FastMutex->OldIrql = kit_irql() < APC_LEVEL ? KfRaiseIrql(APC_LEVEL) : (KIRQL)kit_irql();
}

BOOLEAN ExTryToAcquireFastMutex(PFAST_MUTEX FastMutex)
{
    wdk_at_most(APC_LEVEL, "ExTryToAcquireFastMutex", HERE);
    if (wdk_find(MUTEX, FastMutex) != NULL)
        return FALSE;
    take(MUTEX, FastMutex, "ExTryToAcquireFastMutex", HERE);
    FastMutex->OldIrql = kit_irql() < APC_LEVEL ? KfRaiseIrql(APC_LEVEL) : (KIRQL)kit_irql();
    return TRUE;
}

VOID ExReleaseFastMutex(PFAST_MUTEX FastMutex)
{
    if (drop(MUTEX, FastMutex, "ExReleaseFastMutex", HERE))
        KeLowerIrql(FastMutex->OldIrql);
}

VOID ExAcquireFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    ready(FastMutex->Initialised == READY, "ExAcquireFastMutexUnsafe", HERE);
    if (!wdk_apcs_disabled())
        wdk_mistake("apcs_enabled", "ExAcquireFastMutexUnsafe", HERE, 0,
                    "called outside a critical region below APC_LEVEL");
    take(MUTEX, FastMutex, "ExAcquireFastMutexUnsafe", HERE);
}

VOID ExReleaseFastMutexUnsafe(PFAST_MUTEX FastMutex)
{
    (void)drop(MUTEX, FastMutex, "ExReleaseFastMutexUnsafe", HERE);
}

VOID KeInitializeGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    Mutex->Initialised = READY;
}

VOID KeAcquireGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    wdk_at_most(APC_LEVEL, "KeAcquireGuardedMutex", HERE);
    ready(Mutex->Initialised == READY, "KeAcquireGuardedMutex", HERE);
    take(MUTEX, Mutex, "KeAcquireGuardedMutex", HERE);
    KeEnterGuardedRegion();
}

VOID KeReleaseGuardedMutex(PKGUARDED_MUTEX Mutex)
{
    if (drop(MUTEX, Mutex, "KeReleaseGuardedMutex", HERE))
        KeLeaveGuardedRegion();
}

/* -- push locks and resources: with APCs disabled --------------------------------------------------- */

#define PUSH "push lock"
#define RESOURCE "ERESOURCE that was not deleted"

static void needs_region(const char *call, kit_stack stack)
{
    wdk_at_most(APC_LEVEL, call, stack);
    if (!wdk_apcs_disabled())
        wdk_mistake("apcs_enabled", call, stack, 0, "called outside a critical region");
}

VOID ExInitializePushLock(PEX_PUSH_LOCK PushLock)
{
    *PushLock = 0;
}

VOID ExAcquirePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    needs_region("ExAcquirePushLockExclusive", HERE);
    take(PUSH, PushLock, "ExAcquirePushLockExclusive", HERE);
}

/* A thread that takes it twice, shared, waits forever when another wants it exclusively in between. */
VOID ExAcquirePushLockShared(PEX_PUSH_LOCK PushLock)
{
    needs_region("ExAcquirePushLockShared", HERE);
    take(PUSH, PushLock, "ExAcquirePushLockShared", HERE);
}

VOID ExReleasePushLockExclusive(PEX_PUSH_LOCK PushLock)
{
    (void)drop(PUSH, PushLock, "ExReleasePushLockExclusive", HERE);
}

VOID ExReleasePushLockShared(PEX_PUSH_LOCK PushLock)
{
    (void)drop(PUSH, PushLock, "ExReleasePushLockShared", HERE);
}

NTSTATUS ExInitializeResourceLite(PERESOURCE Resource)
{
    memset(Resource, 0, sizeof *Resource);
    Resource->Initialised = READY;
    wdk_born(&(struct wdk_thing){.kind = RESOURCE, .address = Resource, .made = HERE});
    return STATUS_SUCCESS;
}

NTSTATUS ExDeleteResourceLite(PERESOURCE Resource)
{
    ready(Resource->Initialised == READY, "ExDeleteResourceLite", HERE);
    if (Resource->Shared + Resource->Exclusive != 0)
        wdk_mistake("lock_held", "ExDeleteResourceLite", HERE, 0, "deletes a resource that is held");
    if (wdk_find(RESOURCE, Resource) != NULL)
        wdk_died(wdk_find(RESOURCE, Resource));
    Resource->Initialised = 0;
    return STATUS_SUCCESS;
}

/* Free for this thread to have alone, or to share. Who shares is known as long as it is one thread. */
static bool exclusive_for(const ERESOURCE *resource, const void *who)
{
    return resource->Shared == 0 && (resource->Exclusive == 0 || resource->Owner == who);
}

static bool shared_for(const ERESOURCE *resource, const void *who)
{
    return resource->Exclusive == 0 || resource->Owner == who;
}

struct resource_wanted {
    const ERESOURCE *resource;
    const void *who;
    bool (*free_for)(const ERESOURCE *resource, const void *who);
};

static bool resource_is_free(const void *what)
{
    const struct resource_wanted *wanted = what;

    return wanted->free_for(wanted->resource, wanted->who);
}

static bool have_resource(const struct resource_wanted *wanted, BOOLEAN wait, const char *call,
                          kit_stack stack)
{
    needs_region(call, stack);
    ready(wanted->resource->Initialised == READY, call, stack);
    while (wait && !resource_is_free(wanted)) {
        if (wanted->resource->Owner == wanted->who)
            wdk_fatal("deadlock", call, stack, 0, "this thread holds the resource shared");
        if (!wdk_others_run(resource_is_free, wanted))
            wdk_fatal("deadlock", call, stack, 0,
                      "another thread holds the resource, and is not going to let it go");
    }
    return resource_is_free(wanted);
}

BOOLEAN ExAcquireResourceExclusiveLite(PERESOURCE Resource, BOOLEAN Wait)
{
    const struct resource_wanted wanted = {Resource, wdk_thread(), exclusive_for};

    if (!have_resource(&wanted, Wait, "ExAcquireResourceExclusiveLite", HERE))
        return FALSE;
    Resource->Owner = wdk_thread();
    Resource->Exclusive++;
    return TRUE;
}

BOOLEAN ExAcquireResourceSharedLite(PERESOURCE Resource, BOOLEAN Wait)
{
    const struct resource_wanted wanted = {Resource, wdk_thread(), shared_for};

    if (!have_resource(&wanted, Wait, "ExAcquireResourceSharedLite", HERE))
        return FALSE;
    if (Resource->Exclusive != 0) {
        Resource->Exclusive++;
    } else {
        Resource->Owner = Resource->Shared == 0 || Resource->Owner == wdk_thread() ? wdk_thread() : NULL;
        Resource->Shared++;
    }
    return TRUE;
}

VOID ExReleaseResourceLite(PERESOURCE Resource)
{
    if (Resource->Exclusive != 0)
        Resource->Exclusive--;
    else if (Resource->Shared != 0)
        Resource->Shared--;
    else
        wdk_mistake("lock_not_held", "ExReleaseResourceLite", HERE, 0,
                    "releases a resource that is not held");
}

BOOLEAN ExIsResourceAcquiredExclusiveLite(PERESOURCE Resource)
{
    return Resource->Exclusive != 0 && Resource->Owner == wdk_thread();
}
