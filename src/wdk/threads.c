/* SPDX-License-Identifier: MIT */
/*
 * System threads: each has a stack of its own and runs when another one waits, from one wait to the next, so
 * that the same life goes the same way every time. Who waits, or wants what another one holds, gives its turn away.
 */
#define _GNU_SOURCE
/* Before the kernel's headers: __reserved is a word of theirs, and a field of Arm's contexts. */
#include <ucontext.h>

#include "wdk.h"
#include "kit/kit.h"

#include <stdlib.h>
#include <sys/mman.h>

#define STACK ((size_t)256 * 1024)
#define THREADS 16

struct _KTHREAD {
    DISPATCHER_HEADER header; /* signalled when it has ended */
    PKSTART_ROUTINE routine;
    PVOID context;
    kit_stack made;
    bool ended, turn;                /* turn: it has it, or gave it to one whose end it waits for */
    bool (*ready)(const void *what); /* NULL: nothing is waited for */
    const void *what;
    unsigned references;
    ucontext_t here, back; /* its own, and who gave it the turn */
    struct wdk_self self;
    unsigned char *stack;
};

static POBJECT_TYPE thread_type;
POBJECT_TYPE *PsThreadType = &thread_type;

static struct _KTHREAD *threads[THREADS]; /* in the order of making; NULL: none */
static struct _KTHREAD *running;          /* NULL: the thread that every life begins with */

PKTHREAD wdk_thread(void)
{
    static struct _KTHREAD first;

    return running != NULL ? running : &first;
}

static void release(struct _KTHREAD *thread)
{
    if (--thread->references != 0)
        return;
    for (unsigned i = 0; i < THREADS; i++) {
        if (threads[i] == thread)
            threads[i] = NULL;
    }
    (void)munmap(thread->stack, STACK);
    free(thread);
}

void wdk_threads_begin(void)
{
    running = NULL;
    for (unsigned i = 0; i < THREADS; i++) {
        if (threads[i] != NULL) { /* of a life before */
            threads[i]->references = 1;
            release(threads[i]);
        }
    }
}

/* -- turns ---------------------------------------------------------------------------------------- */

static _Noreturn void end_this(kit_stack stack)
{
    struct wdk_thing *thing = wdk_find("system thread", running);

    if (kit_irql() != PASSIVE_LEVEL)
        wdk_mistake("irql_too_high", "PsTerminateSystemThread", stack, 0,
                    "the thread ends above PASSIVE_LEVEL");
    if (thing != NULL)
        wdk_died(thing);
    running->ended = true;
    running->header.SignalState = 1;
    (void)setcontext(&running->back);
    abort();
}

__attribute__((noinline)) static void begin(void)
{
    kit_stack_set_limit(__builtin_frame_address(0), (const void *)(uintptr_t)begin);
    running->routine(running->context);
    end_this(running->made);
}

/* Gives a thread the turn until it waits or ends. */
static void run(struct _KTHREAD *thread)
{
    struct _KTHREAD *before = running;
    struct wdk_self self = wdk_self_swap(&thread->self);

    running = thread;
    thread->turn = true;
    (void)swapcontext(&thread->back, &thread->here);
    thread->turn = false;
    running = before;
    thread->self = wdk_self_swap(&self);
    if (thread->ended)
        release(thread); /* its own reference */
}

bool wdk_threads_run_one(void)
{
    for (unsigned i = 0; i < THREADS; i++) {
        struct _KTHREAD *thread = threads[i];

        if (thread == NULL || thread->ended || thread->turn ||
            (thread->ready != NULL && !thread->ready(thread->what)))
            continue;
        thread->ready = NULL;
        run(thread);
        return true;
    }
    return false;
}

bool wdk_give_turn(bool (*ready)(const void *what), const void *what)
{
    if (running == NULL)
        return false;
    running->ready = ready;
    running->what = what;
    (void)swapcontext(&running->here, &running->back);
    return true;
}

/* -- what drivers call -------------------------------------------------------------------------------- */

static bool make_stack(struct _KTHREAD *thread)
{
    thread->stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (thread->stack == MAP_FAILED)
        return false;
    (void)mprotect(thread->stack, KIT_PAGE, PROT_NONE); /* what runs over it is found there */
    (void)getcontext(&thread->here);
    thread->here.uc_stack.ss_sp = thread->stack;
    thread->here.uc_stack.ss_size = STACK;
    thread->here.uc_link = NULL;
    makecontext(&thread->here, begin, 0);
    return true;
}

static struct _KTHREAD *make(PKSTART_ROUTINE routine, PVOID context, kit_stack stack)
{
    struct _KTHREAD *thread;
    unsigned place = 0;

    while (place < THREADS && threads[place] != NULL)
        place++;
    if (place == THREADS)
        wdk_fatal("too_many_threads", "PsCreateSystemThread", stack, 0, "more than 16 system threads live");
    thread = calloc(1, sizeof *thread);
    if (thread == NULL || !make_stack(thread))
        abort();
    thread->header.Type = WDK_THREAD;
    thread->routine = routine;
    thread->context = context;
    thread->made = stack;
    thread->references = 2; /* the handle's, and its own */
    threads[place] = thread;
    wdk_born(&(struct wdk_thing){.kind = "system thread", .address = thread, .made = stack});
    return thread;
}

/* What no object is at, so that who takes a handle for an object is found. */
#define HANDLES ((ULONG_PTR)0xffffffff80000000u)

static HANDLE handle_of(const struct _KTHREAD *thread)
{
    ULONG_PTR place = 0;

    while (threads[place] != thread)
        place++;
    return (HANDLE)(HANDLES + 4 * (place + 1));
}

static struct _KTHREAD *thread_of(HANDLE handle)
{
    return threads[((ULONG_PTR)handle - HANDLES) / 4 - 1];
}

NTSTATUS PsCreateSystemThread(PHANDLE ThreadHandle, ULONG DesiredAccess, POBJECT_ATTRIBUTES ObjectAttributes,
                              HANDLE ProcessHandle, PCLIENT_ID ClientId, PKSTART_ROUTINE StartRoutine,
                              PVOID StartContext)
{
    kit_stack stack = HERE;

    (void)DesiredAccess;
    (void)ProcessHandle;
    wdk_at_most(PASSIVE_LEVEL, "PsCreateSystemThread", stack);
    if (ObjectAttributes == NULL || (ObjectAttributes->Attributes & OBJ_KERNEL_HANDLE) == 0)
        wdk_handle_of_process("PsCreateSystemThread", stack);
    if (kit_fails(stack))
        return STATUS_INSUFFICIENT_RESOURCES;
    *ThreadHandle = handle_of(make(StartRoutine, StartContext, stack));
    wdk_born(&(struct wdk_thing){.kind = WDK_THREAD_HANDLE, .address = *ThreadHandle, .made = stack});
    if (ClientId != NULL)
        *ClientId = (CLIENT_ID){NULL, *ThreadHandle};
    return STATUS_SUCCESS;
}

void wdk_thread_close(HANDLE handle)
{
    wdk_died(wdk_find(WDK_THREAD_HANDLE, handle));
    release(thread_of(handle));
}

NTSTATUS PsTerminateSystemThread(NTSTATUS ExitStatus)
{
    (void)ExitStatus;
    if (running == NULL) {
        wdk_mistake("no_system_thread", "PsTerminateSystemThread", HERE, 0,
                    "the thread that calls was not made by PsCreateSystemThread");
        return STATUS_INVALID_PARAMETER;
    }
    end_this(HERE);
}

#define REFERENCE "reference to a thread"

NTSTATUS ObReferenceObjectByHandle(HANDLE Handle, ACCESS_MASK DesiredAccess, POBJECT_TYPE ObjectType,
                                   KPROCESSOR_MODE AccessMode, PVOID *Object, PVOID HandleInformation)
{
    struct _KTHREAD *thread;

    (void)DesiredAccess;
    (void)ObjectType;
    (void)AccessMode;
    (void)HandleInformation;
    wdk_at_most(PASSIVE_LEVEL, "ObReferenceObjectByHandle", HERE);
    *Object = NULL;
    if (wdk_find(WDK_THREAD_HANDLE, Handle) == NULL) {
        wdk_mistake("handle_not_open", "ObReferenceObjectByHandle", HERE, 0,
                    "no open handle of a thread has this value");
        return STATUS_INVALID_HANDLE;
    }
    thread = thread_of(Handle);
    if (wdk_find(REFERENCE, thread) == NULL)
        wdk_born(&(struct wdk_thing){.kind = REFERENCE, .address = thread, .made = HERE});
    wdk_find(REFERENCE, thread)->bytes++;
    thread->references++;
    *Object = thread;
    return STATUS_SUCCESS;
}

VOID ObDereferenceObject(PVOID Object)
{
    struct wdk_thing *thing = wdk_find(REFERENCE, Object);

    wdk_at_most(DISPATCH_LEVEL, "ObDereferenceObject", HERE);
    if (thing == NULL) {
        wdk_mistake("object_not_referenced", "ObDereferenceObject", HERE, 0,
                    "nobody holds a reference to this");
        return;
    }
    if (--thing->bytes == 0)
        wdk_died(thing);
    release(Object);
}
