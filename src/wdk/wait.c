/* SPDX-License-Identifier: MIT */
/*
 * Waiting, and what is done later: work items, DPCs, timers. There is no clock: who waits runs
 * what is pending, and threads, until the object is signalled; time passes when nothing else is left to do.
 */
#include "wdk.h"
#include "kit/kit.h"

#include <stdlib.h>

enum { EVENT_NOTIFICATION = 1, EVENT_SYNCHRONIZATION, MUTANT, SEMAPHORE, TIMER, THREAD = WDK_THREAD };

enum later_kind { LATER_WORK, LATER_DPC, LATER_TIMER, LATER_TIMEOUT };

struct later {
    enum later_kind kind;
    LONGLONG due; /* 100 ns */
    void *object; /* IO_WORKITEM, KDPC, KTIMER or struct waiting */
    PVOID argument[2];
};

struct _IO_WORKITEM {
    PDEVICE_OBJECT device;
    PIO_WORKITEM_ROUTINE routine;
    PVOID context;
};

#define PENDING 256
static struct later pending[PENDING];
static unsigned pendings;
static LONGLONG now;

void wdk_later_begin(void)
{
    pendings = 0;
    now = 10000000;
}

static void add(enum later_kind kind, LONGLONG due, void *object, PVOID first, PVOID second)
{
    if (pendings == PENDING)
        wdk_fatal("too_much_pending", NULL, HERE, 0, "more than 256 work items, DPCs and timers are pending");
    pendings++;
    pending[pendings - 1] = (struct later){kind, due, object, {first, second}};
}

static bool take_out(void *object)
{
    for (unsigned i = 0; i < pendings; i++) {
        if (pending[i].object == object) {
            memmove(&pending[i], &pending[i + 1], (--pendings - i) * sizeof *pending);
            return true;
        }
    }
    return false;
}

static void run_dpc(PKDPC dpc, PVOID first, PVOID second)
{
    unsigned old = kit_irql();

    kit_set_irql(DISPATCH_LEVEL);
    dpc->DeferredRoutine(dpc, dpc->DeferredContext, first, second);
    kit_set_irql(old);
}

static void run_timer(PKTIMER timer)
{
    timer->Header.SignalState = 1;
    if (timer->Period != 0)
        add(LATER_TIMER, now + (LONGLONG)timer->Period * 10000, timer, NULL, NULL);
    if (timer->Dpc != NULL)
        run_dpc(timer->Dpc, NULL, NULL);
}

/* Runs the first that is due by `until`, or a thread; false when none is. Work waits for PASSIVE_LEVEL. */
static bool run_one(LONGLONG until)
{
    unsigned first = PENDING;

    if (kit_irql() <= APC_LEVEL && wdk_threads_run_one())
        return true;

    for (unsigned i = 0; i < pendings; i++) {
        if (pending[i].due <= until && (first == PENDING || pending[i].due < pending[first].due))
            first = i;
    }
    if (first == PENDING)
        return false;
    struct later later = pending[first];
    memmove(&pending[first], &pending[first + 1], (--pendings - first) * sizeof *pending);
    if (later.due > now)
        now = later.due;
    if (later.kind == LATER_WORK) {
        struct _IO_WORKITEM item = *(struct _IO_WORKITEM *)later.object;
        unsigned old = kit_irql();

        kit_set_irql(PASSIVE_LEVEL); /* another thread's */
        item.routine(item.device, item.context);
        kit_set_irql(old);
    } else if (later.kind == LATER_DPC) {
        run_dpc(later.object, later.argument[0], later.argument[1]);
    } else if (later.kind == LATER_TIMEOUT) {
        *(bool *)later.object = true;
    } else {
        run_timer(later.object);
    }
    return true;
}

bool wdk_others_run(bool (*ready)(const void *what), const void *what)
{
    return wdk_give_turn(ready, what) || run_one(INT64_MAX);
}

void wdk_run_pending(void)
{
    for (unsigned i = 0; i < 10000 && run_one(now); i++)
        ;
}

/* -- work items, DPCs, timers ------------------------------------------------------------------------ */

PIO_WORKITEM IoAllocateWorkItem(PDEVICE_OBJECT DeviceObject)
{
    kit_stack stack = HERE;
    PIO_WORKITEM item;

    wdk_at_most(DISPATCH_LEVEL, "IoAllocateWorkItem", stack);
    item = kit_fails(stack) ? NULL : calloc(1, sizeof *item);
    if (item == NULL)
        return NULL;
    item->device = DeviceObject;
    wdk_born(&(struct wdk_thing){.kind = "work item", .address = item, .made = stack});
    return item;
}

VOID IoFreeWorkItem(PIO_WORKITEM IoWorkItem)
{
    struct wdk_thing *thing = wdk_find("work item", IoWorkItem);

    if (thing == NULL) {
        wdk_mistake("work_item_not_allocated", "IoFreeWorkItem", HERE, 0,
                    "no work item begins at this address");
        return;
    }
    if (take_out(IoWorkItem))
        wdk_mistake("work_item_queued", "IoFreeWorkItem", HERE, thing->made,
                    "frees a work item that is still queued");
    wdk_died(thing);
    free(IoWorkItem);
}

VOID IoQueueWorkItem(PIO_WORKITEM IoWorkItem, PIO_WORKITEM_ROUTINE WorkerRoutine, WORK_QUEUE_TYPE QueueType,
                     PVOID Context)
{
    (void)QueueType;
    wdk_at_most(DISPATCH_LEVEL, "IoQueueWorkItem", HERE);
    if (take_out(IoWorkItem))
        wdk_mistake("work_item_queued", "IoQueueWorkItem", HERE, 0,
                    "queues a work item that is still queued");
    IoWorkItem->routine = WorkerRoutine;
    IoWorkItem->context = Context;
    add(LATER_WORK, now, IoWorkItem, NULL, NULL);
}

VOID KeInitializeDpc(PKDPC Dpc, PKDEFERRED_ROUTINE DeferredRoutine, PVOID DeferredContext)
{
    *Dpc = (KDPC){DeferredRoutine, DeferredContext};
}

BOOLEAN KeInsertQueueDpc(PKDPC Dpc, PVOID SystemArgument1, PVOID SystemArgument2)
{
    for (unsigned i = 0; i < pendings; i++) {
        if (pending[i].object == Dpc)
            return FALSE;
    }
    add(LATER_DPC, now, Dpc, SystemArgument1, SystemArgument2);
    return TRUE;
}

BOOLEAN KeRemoveQueueDpc(PKDPC Dpc)
{
    return take_out(Dpc);
}

VOID KeFlushQueuedDpcs(VOID)
{
    wdk_at_most(PASSIVE_LEVEL, "KeFlushQueuedDpcs", HERE);
    wdk_run_pending();
}

VOID KeInitializeTimer(PKTIMER Timer)
{
    memset(Timer, 0, sizeof *Timer);
    Timer->Header.Type = TIMER;
}

VOID KeInitializeTimerEx(PKTIMER Timer, ULONG Type)
{
    (void)Type;
    KeInitializeTimer(Timer);
}

BOOLEAN KeSetTimerEx(PKTIMER Timer, LARGE_INTEGER DueTime, LONG Period, PKDPC Dpc)
{
    BOOLEAN was = take_out(Timer);

    if (Timer->Header.Type != TIMER)
        wdk_mistake("not_initialised", "KeSetTimer", HERE, 0, "the timer was not initialised");
    Timer->Header.SignalState = 0;
    Timer->Dpc = Dpc;
    Timer->Period = Period;
    add(LATER_TIMER, DueTime.QuadPart < 0 ? now - DueTime.QuadPart : DueTime.QuadPart, Timer, NULL, NULL);
    return was;
}

BOOLEAN KeSetTimer(PKTIMER Timer, LARGE_INTEGER DueTime, PKDPC Dpc)
{
    return KeSetTimerEx(Timer, DueTime, 0, Dpc);
}

BOOLEAN KeCancelTimer(PKTIMER Timer)
{
    return take_out(Timer);
}

/* -- objects to wait for ---------------------------------------------------------------------------------- */

VOID KeInitializeEvent(PKEVENT Event, EVENT_TYPE Type, BOOLEAN State)
{
    Event->Header.Type = Type == NotificationEvent ? EVENT_NOTIFICATION : EVENT_SYNCHRONIZATION;
    Event->Header.SignalState = State;
}

LONG KeSetEvent(PKEVENT Event, KPRIORITY Increment, BOOLEAN Wait)
{
    LONG old = Event->Header.SignalState;

    (void)Increment;
    (void)Wait;
    wdk_at_most(DISPATCH_LEVEL, "KeSetEvent", HERE);
    if (Event->Header.Type != EVENT_NOTIFICATION && Event->Header.Type != EVENT_SYNCHRONIZATION)
        wdk_mistake("not_initialised", "KeSetEvent", HERE, 0, "the event was not initialised");
    Event->Header.SignalState = 1;
    return old;
}

LONG KeResetEvent(PKEVENT Event)
{
    LONG old = Event->Header.SignalState;

    Event->Header.SignalState = 0;
    return old;
}

VOID KeClearEvent(PKEVENT Event)
{
    Event->Header.SignalState = 0;
}

LONG KeReadStateEvent(PKEVENT Event)
{
    return Event->Header.SignalState;
}

VOID KeInitializeMutex(PKMUTEX Mutex, ULONG Level)
{
    (void)Level;
    *Mutex = (KMUTEX){{MUTANT, 1}, 0, NULL};
}

LONG KeReleaseMutex(PKMUTEX Mutex, BOOLEAN Wait)
{
    (void)Wait;
    if (Mutex->Depth == 0 || Mutex->Owner != wdk_thread()) {
        wdk_mistake("lock_not_held", "KeReleaseMutex", HERE, 0, "releases a mutex that is not held");
        return 1;
    }
    if (--Mutex->Depth == 0) {
        Mutex->Header.SignalState = 1;
        if (wdk_find("mutex", Mutex) != NULL)
            wdk_died(wdk_find("mutex", Mutex));
    }
    return 0;
}

VOID KeInitializeSemaphore(PKSEMAPHORE Semaphore, LONG Count, LONG Limit)
{
    *Semaphore = (KSEMAPHORE){{SEMAPHORE, Count}, Limit};
}

LONG KeReleaseSemaphore(PKSEMAPHORE Semaphore, KPRIORITY Increment, LONG Adjustment, BOOLEAN Wait)
{
    LONG old = Semaphore->Header.SignalState;

    (void)Increment;
    (void)Wait;
    if (Adjustment > Semaphore->Limit - old)
        wdk_mistake("semaphore_limit", "KeReleaseSemaphore", HERE, 0, "raises the semaphore above its limit");
    else
        Semaphore->Header.SignalState += Adjustment;
    return old;
}

/* Somebody who waits, and for how long. */
struct waiting {
    const DISPATCHER_HEADER *object; /* NULL: for time alone */
    const void *who;
    bool late;
};

static bool is_free(const DISPATCHER_HEADER *object, const void *who)
{
    const KMUTEX *mutex = (const KMUTEX *)(const void *)object;

    if (object->Type == MUTANT)
        return mutex->Depth == 0 || mutex->Owner == who;
    return object->SignalState > 0;
}

static bool may_go_on(const void *what)
{
    const struct waiting *waiting = what;

    return waiting->late || (waiting->object != NULL && is_free(waiting->object, waiting->who));
}

/* Whether the wait is over; then it took what it waited for. */
static bool satisfied(DISPATCHER_HEADER *object, kit_stack stack)
{
    KMUTEX *mutex = (KMUTEX *)(void *)object;

    if (!is_free(object, wdk_thread()))
        return false;
    if (object->Type == MUTANT) {
        if (mutex->Depth++ == 0)
            wdk_born(&(struct wdk_thing){.kind = "mutex", .address = object, .made = stack});
        mutex->Owner = wdk_thread();
        object->SignalState = 0;
    } else if (object->Type == EVENT_SYNCHRONIZATION || object->Type == SEMAPHORE) {
        object->SignalState--;
    }
    return true;
}

/* Others have their turns. False: until then there is nothing to be done, or nobody to do it. */
static bool wait_for(struct waiting *waiting, LONGLONG until)
{
    bool turn;

    if (until != INT64_MAX && until > now)
        add(LATER_TIMEOUT, until, &waiting->late, NULL, NULL);
    else if (until <= now)
        waiting->late = true;
    turn = wdk_give_turn(may_go_on, waiting);
    (void)take_out(&waiting->late);
    return turn ? !waiting->late : run_one(until) && !waiting->late;
}

NTSTATUS KeWaitForSingleObject(PVOID Object, KWAIT_REASON WaitReason, KPROCESSOR_MODE WaitMode,
                               BOOLEAN Alertable, PLARGE_INTEGER Timeout)
{
    kit_stack stack = HERE;
    struct waiting waiting = {.object = Object, .who = wdk_thread()};
    LONGLONG until = INT64_MAX;

    (void)WaitReason;
    (void)WaitMode;
    (void)Alertable;
    if (Timeout == NULL || Timeout->QuadPart != 0)
        wdk_at_most(APC_LEVEL, "KeWaitForSingleObject", stack);
    else
        wdk_at_most(DISPATCH_LEVEL, "KeWaitForSingleObject", stack);
    if (waiting.object->Type < EVENT_NOTIFICATION || waiting.object->Type > THREAD)
        wdk_fatal("not_initialised", "KeWaitForSingleObject", stack, 0, "the object was not initialised");
    if (Timeout != NULL)
        until = Timeout->QuadPart <= 0 ? now - Timeout->QuadPart : Timeout->QuadPart;
    while (!satisfied(Object, stack)) {
        if (wait_for(&waiting, until))
            continue;
        if (Timeout == NULL)
            wdk_fatal("deadlock", "KeWaitForSingleObject", stack, 0,
                      "waits for what nobody is left to signal: it would wait forever");
        now = until > now ? until : now;
        return satisfied(Object, stack) ? STATUS_SUCCESS : STATUS_TIMEOUT;
    }
    return STATUS_SUCCESS;
}

NTSTATUS KeDelayExecutionThread(KPROCESSOR_MODE WaitMode, BOOLEAN Alertable, PLARGE_INTEGER Interval)
{
    LONGLONG until = Interval->QuadPart < 0 ? now - Interval->QuadPart : Interval->QuadPart;
    struct waiting waiting = {.who = wdk_thread()};

    (void)WaitMode;
    (void)Alertable;
    wdk_at_most(APC_LEVEL, "KeDelayExecutionThread", HERE);
    while (wait_for(&waiting, until))
        ;
    now = until > now ? until : now;
    return STATUS_SUCCESS;
}

VOID KeStallExecutionProcessor(ULONG MicroSeconds)
{
    now += (LONGLONG)MicroSeconds * 10;
}

VOID KeQuerySystemTime(PLARGE_INTEGER CurrentTime)
{
    CurrentTime->QuadPart = now++; /* who looks until time passes must see it pass */
}

ULONGLONG KeQueryInterruptTime(VOID)
{
    return (ULONGLONG)now++;
}

LARGE_INTEGER KeQueryPerformanceCounter(PLARGE_INTEGER PerformanceFrequency)
{
    LARGE_INTEGER counter;

    if (PerformanceFrequency != NULL)
        PerformanceFrequency->QuadPart = 10000000;
    counter.QuadPart = now++;
    return counter;
}
