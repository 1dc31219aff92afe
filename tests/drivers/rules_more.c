/* SPDX-License-Identifier: MIT */
/*
 * More rules: lookaside lists, keys of the registry, exceptions and probing, system threads, the WDDM 2.4
 * callbacks.
 */
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
        *to = 1;
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

/* -- the WDDM 2.4 callbacks --------------------------------------------------------------------------------- */

static HANDLE contiguous(PVOID *base)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY allocate;

    RtlZeroMemory(&allocate, sizeof(allocate));
    allocate.NumberOfBytes = PAGE_SIZE;
    allocate.HighestAcceptableAddress.QuadPart = MAXLONGLONG;
    allocate.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    NT_ASSERT(NT_SUCCESS(dxgk->DxgkCbAllocateContiguousMemory(dxgk->DeviceHandle, &allocate)));
    *base = allocate.pMemory;
    return allocate.hMemoryHandle;
}

static void right_memory(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_FREECONTIGUOUSMEMORY release;
    UCHAR seen = 0;
    PVOID base;

    release.hMemoryHandle = contiguous(&base);
    *(PUCHAR)base = 5;
    NT_ASSERT(dxgkmem_kit_dma_read(&kit, 0, (uint64_t)MmGetPhysicalAddress(base).QuadPart, &seen, 1) &&
              seen == 5);
    NT_ASSERT(NT_SUCCESS(dxgk->DxgkCbFreeContiguousMemory(dxgk->DeviceHandle, &release)));
}

static void memory_left(void)
{
    PVOID base;

    (void)contiguous(&base);
}

static void memory_used_after_free(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_FREECONTIGUOUSMEMORY release;
    PVOID base;

    release.hMemoryHandle = contiguous(&base);
    (void)dxgk->DxgkCbFreeContiguousMemory(dxgk->DeviceHandle, &release);
    *(volatile UCHAR *)base = 1;
}

static void memory_by_the_other_free(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_FREECONTIGUOUSMEMORY release;
    DXGKARGCB_FREEPAGESFROMMDL wrong;
    PVOID base;

    release.hMemoryHandle = wrong.hMemoryHandle = contiguous(&base);
    (void)dxgk->DxgkCbFreePagesFromMdl(dxgk->DeviceHandle, &wrong);
    (void)dxgk->DxgkCbFreeContiguousMemory(dxgk->DeviceHandle, &release);
}

static void mdl_without_pages(void)
{
    static UCHAR buffer[64];
    PMDL mdl = IoAllocateMdl(buffer, sizeof(buffer), FALSE, FALSE, NULL);

    (void)MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority);
    IoFreeMdl(mdl);
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
    {NULL, right_memory},
    {"left_at_stop", memory_left},
    {"access_violation", memory_used_after_free},
    {"memory_of_other_call", memory_by_the_other_free},
    {"mdl_without_pages", mdl_without_pages},
};
const size_t rules_more_count = sizeof rules_more / sizeof *rules_more;
