/* SPDX-License-Identifier: MIT */
/* More rules: lookaside lists, keys of the registry, exceptions and probing, system threads. */
#include "rules.h"

#include "kit/sweep.h"

#include <ntifs.h>
#include <dispmprt.h>

#define TAG 'eroM'

/* -- lookaside lists ------------------------------------------------------------------------------ */

static NPAGED_LOOKASIDE_LIST list, other;

static void initialise(PNPAGED_LOOKASIDE_LIST it)
{
    ExInitializeNPagedLookasideList(it, NULL, NULL, 0, 64, TAG, 0);
}

static void right_lookaside(void)
{
    LOOKASIDE_LIST_EX ex;
    PVOID one, two;

    initialise(&list);
    one = ExAllocateFromNPagedLookasideList(&list);
    two = ExAllocateFromNPagedLookasideList(&list);
    NT_ASSERT(one != NULL && two != NULL && one != two);
    RtlFillMemory(one, 64, 1);
    ExFreeToNPagedLookasideList(&list, two);
    ExFreeToNPagedLookasideList(&list, one);
    ExDeleteNPagedLookasideList(&list);
    NT_ASSERT(NT_SUCCESS(ExInitializeLookasideListEx(&ex, NULL, NULL, PagedPool, 0, 32, TAG, 0)));
    one = ExAllocateFromLookasideListEx(&ex);
    ExFreeToLookasideListEx(&ex, one);
    ExDeleteLookasideListEx(&ex);
}

static void lookaside_left(void)
{
    initialise(&list);
}

static void lookaside_entry_left(void)
{
    initialise(&list);
    NT_ASSERT(ExAllocateFromNPagedLookasideList(&list) != NULL);
    ExDeleteNPagedLookasideList(&list);
}

static void lookaside_other_list(void)
{
    PVOID entry;

    initialise(&list);
    initialise(&other);
    entry = ExAllocateFromNPagedLookasideList(&list);
    ExFreeToNPagedLookasideList(&other, entry);
    ExDeleteNPagedLookasideList(&list);
    ExDeleteNPagedLookasideList(&other);
}

static void lookaside_freed_twice(void)
{
    PVOID entry;

    initialise(&list);
    entry = ExAllocateFromNPagedLookasideList(&list);
    ExFreeToNPagedLookasideList(&list, entry);
    ExFreeToNPagedLookasideList(&list, entry);
    ExDeleteNPagedLookasideList(&list);
}

static void lookaside_entry_overrun(void)
{
    PUCHAR entry;

    initialise(&list);
    entry = (PUCHAR)ExAllocateFromNPagedLookasideList(&list);
    entry[64] = 1;
    ExFreeToNPagedLookasideList(&list, entry);
    ExDeleteNPagedLookasideList(&list);
}

static void lookaside_deleted(void)
{
    initialise(&list);
    ExDeleteNPagedLookasideList(&list);
    (void)ExAllocateFromNPagedLookasideList(&list);
}

/* -- the registry by handle --------------------------------------------------------------------------- */

DECLARE_CONST_UNICODE_STRING(key_name, L"\\Registry\\Machine\\System\\Driver");

static HANDLE open_key(ULONG attributes)
{
    OBJECT_ATTRIBUTES object;
    HANDLE key = NULL;

    InitializeObjectAttributes(&object, (PUNICODE_STRING)(ULONG_PTR)&key_name,
                               OBJ_CASE_INSENSITIVE | attributes, NULL, NULL);
    NT_ASSERT(NT_SUCCESS(ZwOpenKey(&key, KEY_READ, &object)));
    return key;
}

static void right_key(void)
{
    DECLARE_CONST_UNICODE_STRING(pages, L"RingPages");
    DECLARE_CONST_UNICODE_STRING(missing, L"Missing");
    PUNICODE_STRING name = (PUNICODE_STRING)(ULONG_PTR)&pages, none = (PUNICODE_STRING)(ULONG_PTR)&missing;
    HANDLE key = open_key(OBJ_KERNEL_HANDLE);
    UCHAR room[64];
    PKEY_VALUE_PARTIAL_INFORMATION partial = (PKEY_VALUE_PARTIAL_INFORMATION)(PVOID)room;
    PKEY_VALUE_FULL_INFORMATION full = (PKEY_VALUE_FULL_INFORMATION)(PVOID)room;
    ULONG bytes = 0, value = 0;

    dxgkmem_kit_registry(&kit, "RingPages", REG_DWORD, &(ULONG){16}, sizeof(ULONG));
    NT_ASSERT(ZwQueryValueKey(key, name, KeyValuePartialInformation, NULL, 0, &bytes) ==
              STATUS_BUFFER_TOO_SMALL);
    NT_ASSERT(bytes == (ULONG)FIELD_OFFSET(KEY_VALUE_PARTIAL_INFORMATION, Data) + sizeof(ULONG));
    NT_ASSERT(ZwQueryValueKey(key, name, KeyValuePartialInformation, room, bytes - 1, &bytes) ==
              STATUS_BUFFER_OVERFLOW);
    NT_ASSERT(NT_SUCCESS(ZwQueryValueKey(key, name, KeyValuePartialInformation, room, sizeof(room), &bytes)));
    RtlCopyMemory(&value, partial->Data, sizeof(value));
    NT_ASSERT(partial->Type == REG_DWORD && partial->DataLength == sizeof(ULONG) && value == 16);
    NT_ASSERT(NT_SUCCESS(ZwQueryValueKey(key, name, KeyValueFullInformation, room, sizeof(room), &bytes)));
    RtlCopyMemory(&value, room + full->DataOffset, sizeof(value));
    NT_ASSERT(full->NameLength == name->Length && value == 16);
    NT_ASSERT(ZwQueryValueKey(key, none, KeyValuePartialInformation, room, sizeof(room), &bytes) ==
              STATUS_OBJECT_NAME_NOT_FOUND);
    NT_ASSERT(NT_SUCCESS(ZwClose(key)));
}

static void key_left(void)
{
    (void)open_key(OBJ_KERNEL_HANDLE);
}

static void key_closed_twice(void)
{
    HANDLE key = open_key(OBJ_KERNEL_HANDLE);

    (void)ZwClose(key);
    (void)ZwClose(key);
}

static void key_of_the_process(void)
{
    (void)ZwClose(open_key(0));
}

static void key_high(void)
{
    KIRQL irql;

    KeRaiseIrql(APC_LEVEL, &irql);
    (void)ZwClose(open_key(OBJ_KERNEL_HANDLE));
    KeLowerIrql(irql);
}

/* -- exceptions and probing ------------------------------------------------------------------------------ */

/* Copies from a process, as drivers do. */
static NTSTATUS copy_in(PVOID to, const VOID *from, SIZE_T bytes)
{
    __try {
        ProbeForRead(from, bytes, sizeof(ULONG));
        RtlCopyMemory(to, from, bytes);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        return (NTSTATUS)GetExceptionCode();
    }
    return STATUS_SUCCESS;
}

static NTSTATUS write_one(PULONG to)
{
    volatile NTSTATUS status = STATUS_SUCCESS;

    __try {
        ProbeForWrite(to, sizeof(*to), sizeof(*to));
        *to = 1;       /* NOLINT(clang-analyzer-core.NullDereference): what the handler is there for */
        return status; /* out of the middle */
    } __except (GetExceptionCode() == (ULONG)STATUS_ACCESS_VIOLATION ? EXCEPTION_EXECUTE_HANDLER
                                                                     : EXCEPTION_CONTINUE_SEARCH) {
        status = STATUS_INVALID_PARAMETER;
    }
    return status;
}

static void right_probing(void)
{
    ULONG good[2] = {7, 8}, got[2] = {0, 0};
    volatile NTSTATUS raised = 0;

    NT_ASSERT(copy_in(got, good, sizeof(good)) == STATUS_SUCCESS && got[1] == 8);
    NT_ASSERT(copy_in(got, (PVOID)(ULONG_PTR)0x10000, sizeof(good)) == STATUS_ACCESS_VIOLATION);
    NT_ASSERT(copy_in(got, (PUCHAR)good + 1, 4) == STATUS_DATATYPE_MISALIGNMENT);
    NT_ASSERT(write_one(got) == STATUS_SUCCESS && got[0] == 1);
    NT_ASSERT(write_one(NULL) == STATUS_INVALID_PARAMETER);
    kit_plan.fail[0] = kit_plan.calls + 1; /* the process takes its memory away */
    NT_ASSERT(write_one(got) == STATUS_INVALID_PARAMETER);
    __try {
        __try {
            ExRaiseStatus(STATUS_DEVICE_NOT_READY);
        } __except (EXCEPTION_CONTINUE_SEARCH) {
            raised = 1;
        }
        raised = 2;
    } __except (GetExceptionCode() == (ULONG)STATUS_DEVICE_NOT_READY) {
        raised = (NTSTATUS)GetExceptionCode();
    }
    NT_ASSERT(raised == STATUS_DEVICE_NOT_READY);
}

static void probe_outside_try(void)
{
    ULONG good = 0;

    ProbeForRead(&good, sizeof(good), 1);
}

static void raised_outside_try(void)
{
    ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
}

static void raised_past_every_try(void)
{
    __try {
        ExRaiseStatus(STATUS_INSUFFICIENT_RESOURCES);
    } __except (EXCEPTION_CONTINUE_SEARCH) {
        KeBugCheck(1);
    }
}

/* A handler saves nobody from what is wrong with the driver's own memory. */
static void handler_for_the_kernel(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);

    __try {
        (void)*((volatile UCHAR *)dxgk + dxgk->Size);
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        KeBugCheck(1);
    }
}

static void fault_at_dispatch(void)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    __try {
        *(volatile ULONG *)(ULONG_PTR)0x10000 = 1;
    } __except (EXCEPTION_EXECUTE_HANDLER) {
        KeBugCheck(1);
    }
    KeLowerIrql(irql);
}

static void continued(void)
{
    __try {
        ExRaiseStatus(STATUS_UNSUCCESSFUL);
    } __except (EXCEPTION_CONTINUE_EXECUTION) {
        KeBugCheck(1);
    }
}

/* -- system threads ------------------------------------------------------------------------------------- */

static struct {
    KEVENT work, done;
    FAST_MUTEX lock;
    BOOLEAN stop;
    ULONG rounds;
    NTSTATUS timed;
} shared;

static HANDLE thread_made(PKSTART_ROUTINE routine)
{
    OBJECT_ATTRIBUTES attributes;
    HANDLE handle = NULL;

    RtlZeroMemory(&shared, sizeof(shared));
    KeInitializeEvent(&shared.work, SynchronizationEvent, FALSE);
    KeInitializeEvent(&shared.done, SynchronizationEvent, FALSE);
    ExInitializeFastMutex(&shared.lock);
    InitializeObjectAttributes(&attributes, NULL, OBJ_KERNEL_HANDLE, NULL, NULL);
    NT_ASSERT(NT_SUCCESS(
        PsCreateSystemThread(&handle, THREAD_ALL_ACCESS, &attributes, NULL, NULL, routine, &shared)));
    return handle;
}

static PVOID thread_of(HANDLE handle)
{
    PVOID thread = NULL;

    NT_ASSERT(
        NT_SUCCESS(ObReferenceObjectByHandle(handle, SYNCHRONIZE, *PsThreadType, KernelMode, &thread, NULL)));
    return thread;
}

static void wait_for(PVOID object)
{
    NT_ASSERT(KeWaitForSingleObject(object, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
}

static VOID worker(PVOID context)
{
    LARGE_INTEGER second = {.QuadPart = -10000000};

    NT_ASSERT(context == &shared && KeGetCurrentIrql() == PASSIVE_LEVEL);
    shared.timed = KeWaitForSingleObject(&shared.work, Executive, KernelMode, FALSE, &second);
    for (;;) {
        wait_for(&shared.work);
        if (shared.stop)
            (void)PsTerminateSystemThread(STATUS_SUCCESS);
        shared.rounds++;
        (void)KeSetEvent(&shared.done, IO_NO_INCREMENT, FALSE);
    }
}

static void right_thread(void)
{
    HANDLE handle = thread_made(worker);
    PVOID thread = thread_of(handle);
    LARGE_INTEGER second = {.QuadPart = -10000000};

    (void)ZwClose(handle);
    NT_ASSERT(thread != (PVOID)KeGetCurrentThread());
    NT_ASSERT(KeWaitForSingleObject(thread, Executive, KernelMode, FALSE, &second) == STATUS_TIMEOUT);
    for (ULONG i = 1; i < 4; i++) {
        (void)KeSetEvent(&shared.work, IO_NO_INCREMENT, FALSE);
        wait_for(&shared.done);
        NT_ASSERT(shared.rounds == i);
    }
    NT_ASSERT(shared.timed == STATUS_TIMEOUT);
    shared.stop = TRUE;
    (void)KeSetEvent(&shared.work, IO_NO_INCREMENT, FALSE);
    wait_for(thread);
    ObDereferenceObject(thread);
}

/* It holds the lock, at APC_LEVEL, from one turn to another. */
static VOID holder(PVOID context)
{
    LARGE_INTEGER second = {.QuadPart = -10000000};

    (void)context;
    ExAcquireFastMutex(&shared.lock);
    (void)KeSetEvent(&shared.done, IO_NO_INCREMENT, FALSE);
    (void)KeDelayExecutionThread(KernelMode, FALSE, &second);
    shared.rounds = 1;
    ExReleaseFastMutex(&shared.lock);
}

static void right_contention(void)
{
    HANDLE handle = thread_made(holder);
    PVOID thread = thread_of(handle);

    wait_for(&shared.done);
    NT_ASSERT(KeGetCurrentIrql() == PASSIVE_LEVEL && !ExTryToAcquireFastMutex(&shared.lock));
    ExAcquireFastMutex(&shared.lock);
    NT_ASSERT(shared.rounds == 1);
    ExReleaseFastMutex(&shared.lock);
    wait_for(thread);
    ObDereferenceObject(thread);
    (void)ZwClose(handle);
}

static VOID brief(PVOID context)
{
    (void)context;
}

static void thread_left(void)
{
    (void)ZwClose(thread_made(worker));
}

static void thread_handle_left(void)
{
    (void)thread_made(brief);
}

static void thread_reference_left(void)
{
    HANDLE handle = thread_made(brief);

    (void)thread_of(handle);
    (void)ZwClose(handle);
}

static void thread_waits_forever(void)
{
    PVOID thread = thread_of(thread_made(worker));

    wait_for(thread);
}

static void thread_handle_waited_for(void)
{
    (void)KeWaitForSingleObject(thread_made(brief), Executive, KernelMode, FALSE, NULL);
}

static VOID wrong_end(PVOID context)
{
    (void)context;
    (void)KfRaiseIrql(APC_LEVEL);
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

static void thread_ends_high(void)
{
    HANDLE handle = thread_made(wrong_end);

    dxgkmem_kit_run_pending(&kit);
    (void)ZwClose(handle);
}

static void no_system_thread(void)
{
    (void)PsTerminateSystemThread(STATUS_SUCCESS);
}

static VOID faulty(PVOID context)
{
    (void)context;
    *(volatile ULONG *)(ULONG_PTR)0x10000 = 1;
}

static void fault_in_thread(void)
{
    HANDLE handle = thread_made(faulty);

    dxgkmem_kit_run_pending(&kit);
    (void)ZwClose(handle);
}

static VOID taker(PVOID context)
{
    (void)context;
    ExAcquireFastMutex(&shared.lock);
    KeLowerIrql(PASSIVE_LEVEL);
}

static void lock_of_ended_thread(void)
{
    HANDLE handle = thread_made(taker);

    dxgkmem_kit_run_pending(&kit);
    (void)ZwClose(handle);
    ExAcquireFastMutex(&shared.lock);
}

/* -- all of them ---------------------------------------------------------------------------------------------- */

const struct rule rules_more[] = {
    {NULL, right_lookaside},
    {"left_at_end", lookaside_left},
    {"left_at_end", lookaside_entry_left},
    {"lookaside_other_list", lookaside_other_list},
    {"lookaside_not_taken", lookaside_freed_twice},
    {"pool_overrun", lookaside_entry_overrun},
    {"not_initialised", lookaside_deleted},
    {NULL, right_key},
    {"left_at_end", key_left},
    {"handle_not_open", key_closed_twice},
    {"handle_of_the_process", key_of_the_process},
    {"irql_too_high", key_high},
    {NULL, right_probing},
    {"probe_outside_try", probe_outside_try},
    {"exception_unhandled", raised_outside_try},
    {"exception_unhandled", raised_past_every_try},
    {"access_violation", handler_for_the_kernel},
    {"access_violation", fault_at_dispatch},
    {"exception_continued", continued},
    {NULL, right_thread},
    {NULL, right_contention},
    {"left_at_end", thread_left},
    {"left_at_end", thread_handle_left},
    {"left_at_end", thread_reference_left},
    {"deadlock", thread_waits_forever},
    {"access_violation", thread_handle_waited_for},
    {"irql_too_high", thread_ends_high},
    {"no_system_thread", no_system_thread},
    {"access_violation", fault_in_thread},
    {"deadlock", lock_of_ended_thread},
};
const size_t rules_more_count = sizeof rules_more / sizeof *rules_more;
