/* SPDX-License-Identifier: MIT */
/*
 * Each rule of the stand-ins and of the kit, broken once: a life for each, and the name that it must be found by;
 * and what is right, which must not be found. Findings go to stderr.
 */
#include "rules.h"

#include "kit/sweep.h"

#include <ntifs.h>
#include <ntstrsafe.h>
#include <dispmprt.h>

#define TAG 'eluR'

static ULONG runs;

static VOID work(PDEVICE_OBJECT device, PVOID context)
{
    (void)device;
    runs++;
    if (context != NULL)
        (void)KeSetEvent((PKEVENT)context, IO_NO_INCREMENT, FALSE);
}

static VOID dpc_routine(PKDPC dpc, PVOID context, PVOID first, PVOID second)
{
    (void)dpc;
    (void)first;
    (void)second;
    runs += KeGetCurrentIrql() == DISPATCH_LEVEL;
    if (context != NULL)
        (void)KeSetEvent((PKEVENT)context, IO_NO_INCREMENT, FALSE);
}

/* -- right ------------------------------------------------------------------------------------- */

static void right_locks(void)
{
    FAST_MUTEX fast;
    KSPIN_LOCK spin;
    KIRQL irql;
    ERESOURCE resource;
    EX_PUSH_LOCK push;
    KMUTEX mutex;

    ExInitializeFastMutex(&fast);
    KeInitializeSpinLock(&spin);
    KeInitializeMutex(&mutex, 0);
    ExInitializePushLock(&push);
    (void)ExInitializeResourceLite(&resource);
    ExAcquireFastMutex(&fast);
    NT_ASSERT(KeGetCurrentIrql() == APC_LEVEL);
    KeAcquireSpinLock(&spin, &irql);
    NT_ASSERT(irql == APC_LEVEL && KeGetCurrentIrql() == DISPATCH_LEVEL);
    KeReleaseSpinLock(&spin, irql);
    ExReleaseFastMutex(&fast);
    NT_ASSERT(KeGetCurrentIrql() == PASSIVE_LEVEL);
    KeEnterCriticalRegion();
    NT_ASSERT(ExAcquireResourceExclusiveLite(&resource, TRUE) &&
              ExAcquireResourceExclusiveLite(&resource, TRUE));
    ExReleaseResourceLite(&resource);
    ExReleaseResourceLite(&resource);
    ExAcquirePushLockExclusive(&push);
    ExReleasePushLockExclusive(&push);
    KeLeaveCriticalRegion();
    NT_ASSERT(KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    NT_ASSERT(KeWaitForSingleObject(&mutex, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS);
    (void)KeReleaseMutex(&mutex, FALSE);
    (void)KeReleaseMutex(&mutex, FALSE);
    (void)ExDeleteResourceLite(&resource);
}

static void right_later(void)
{
    PIO_WORKITEM item = IoAllocateWorkItem(NULL);
    LARGE_INTEGER second = {.QuadPart = -10000000};
    KEVENT event;
    KTIMER timer;
    KDPC dpc;

    runs = 0;
    KeInitializeEvent(&event, SynchronizationEvent, FALSE);
    IoQueueWorkItem(item, work, DelayedWorkQueue, &event);
    NT_ASSERT(runs == 0);
    NT_ASSERT(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS &&
              runs == 1);
    NT_ASSERT(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &second) == STATUS_TIMEOUT);
    KeInitializeDpc(&dpc, dpc_routine, &event);
    KeInitializeTimer(&timer);
    (void)KeSetTimer(&timer, second, &dpc);
    NT_ASSERT(KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL) == STATUS_SUCCESS &&
              runs == 2);
    NT_ASSERT(!KeCancelTimer(&timer));
    IoFreeWorkItem(item);
}

static void right_registry(void)
{
    ULONG read = 0, fallback = 9, other = 0;
    RTL_QUERY_REGISTRY_TABLE table[3];

    dxgkmem_kit_registry(&kit, "RingPages", REG_DWORD, &(ULONG){16}, sizeof(ULONG));
    RtlZeroMemory(table, sizeof(table));
    table[0].Flags = table[1].Flags = RTL_QUERY_REGISTRY_DIRECT;
    table[0].Name = (PWSTR)L"ringpages";
    table[0].EntryContext = &read;
    table[1].Name = (PWSTR)L"Missing";
    table[1].EntryContext = &other;
    table[1].DefaultType = REG_DWORD;
    table[1].DefaultData = &fallback;
    table[1].DefaultLength = sizeof(fallback);
    NT_ASSERT(NT_SUCCESS(RtlQueryRegistryValues(RTL_REGISTRY_ABSOLUTE, L"", table, NULL, NULL)));
    NT_ASSERT(read == 16 && other == 9);
}

static void right_strings(void)
{
    UNICODE_STRING a, b;
    CHAR text[8];
    ULONG bits[2];
    RTL_BITMAP map;

    RtlInitUnicodeString(&a, L"Adapter");
    RtlInitUnicodeString(&b, L"ADAPTER");
    NT_ASSERT(a.Length == 14 && a.MaximumLength == 16);
    NT_ASSERT(RtlEqualUnicodeString(&a, &b, TRUE) && !RtlEqualUnicodeString(&a, &b, FALSE));
    NT_ASSERT(RtlStringCbPrintfA(text, sizeof(text), "%d", 1234567) == STATUS_SUCCESS);
    NT_ASSERT(RtlStringCbPrintfA(text, sizeof(text), "%d", 12345678) == STATUS_BUFFER_OVERFLOW &&
              text[7] == 0);
    RtlInitializeBitMap(&map, bits, 64);
    RtlClearAllBits(&map);
    NT_ASSERT(RtlFindClearBitsAndSet(&map, 33, 0) == 0 && RtlFindClearBits(&map, 31, 0) == 33);
    NT_ASSERT(RtlFindClearBits(&map, 32, 0) == MAXULONG && RtlNumberOfSetBits(&map) == 33);
}

static void right_process(void)
{
    PEPROCESS other;
    KAPC_STATE state;

    dxgkmem_kit_process(&kit, 2);
    other = PsGetCurrentProcess();
    dxgkmem_kit_process(&kit, 1);
    KeStackAttachProcess(other, &state);
    NT_ASSERT(PsGetCurrentProcess() == other);
    KeUnstackDetachProcess(&state);
    NT_ASSERT(PsGetCurrentProcess() != other);
}

static void right_mdl(void)
{
    PUCHAR block = ExAllocatePool2(POOL_FLAG_NON_PAGED, 3 * PAGE_SIZE, TAG);
    PMDL mdl = IoAllocateMdl(block + 1, 2 * PAGE_SIZE, FALSE, FALSE, NULL);

    MmBuildMdlForNonPagedPool(mdl);
    NT_ASSERT(MmGetMdlByteCount(mdl) == 2 * PAGE_SIZE && MmGetMdlVirtualAddress(mdl) == block + 1);
    NT_ASSERT(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == block + 1);
    NT_ASSERT(MmGetMdlPfnArray(mdl)[1] != MmGetMdlPfnArray(mdl)[0]);
    IoFreeMdl(mdl);
    ExFreePool(block);
}

/* -- wrong ---------------------------------------------------------------------------------------- */

static void pool_leak(void)
{
    (void)ExAllocatePool2(POOL_FLAG_NON_PAGED, 10, TAG);
}
static void pool_tag(void)
{
    ExFreePoolWithTag(ExAllocatePoolWithTag(NonPagedPoolNx, 10, TAG), 'tseT');
}
static void pool_no_tag(void)
{
    ExFreePool(ExAllocatePoolZero(NonPagedPoolNx, 10, 0));
}
static void pool_stranger(void)
{
    ExFreePool(&runs);
}
static void pool_null(void)
{
    ExFreePoolWithTag(NULL, TAG);
}
static void pool_empty(void)
{
    ExFreePool(ExAllocatePool2(POOL_FLAG_PAGED, 0, TAG));
}

static void pool_twice(void)
{
    PVOID block = ExAllocatePool2(POOL_FLAG_PAGED, 10, TAG);

    ExFreePool(block);
    ExFreePool(block);
}

static void pool_overrun(void)
{
    PUCHAR block = ExAllocatePool2(POOL_FLAG_PAGED, 10, TAG);

    block[10] = 1;
    ExFreePool(block);
}

static void pool_paged_high(void)
{
    KIRQL irql;
    PVOID block;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    block = ExAllocatePool2(POOL_FLAG_PAGED, 10, TAG);
    KeLowerIrql(irql);
    ExFreePool(block);
}

static void paged_code_high(void)
{
    KIRQL irql;

    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    PAGED_CODE();
    KeLowerIrql(irql);
}

static void irql_kept(void)
{
    KIRQL irql;
    KeRaiseIrql(APC_LEVEL, &irql);
}

static void irql_up_by_lowering(void)
{
    KeLowerIrql(APC_LEVEL);
    KeLowerIrql(PASSIVE_LEVEL);
}
static void region_kept(void)
{
    KeEnterCriticalRegion();
}
static void region_left(void)
{
    KeLeaveCriticalRegion();
}

static void mutex_twice(void)
{
    FAST_MUTEX mutex;

    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
}

static void mutex_kept(void)
{
    static FAST_MUTEX mutex;

    ExInitializeFastMutex(&mutex);
    ExAcquireFastMutex(&mutex);
    KeLowerIrql(PASSIVE_LEVEL);
}

static void mutex_not_held(void)
{
    FAST_MUTEX mutex;

    ExInitializeFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
}

static void mutex_raw(void)
{
    FAST_MUTEX mutex = {0, 0};

    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
}

static void mutex_high(void)
{
    FAST_MUTEX mutex;
    KIRQL irql;

    ExInitializeFastMutex(&mutex);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    ExAcquireFastMutex(&mutex);
    ExReleaseFastMutex(&mutex);
    KeLowerIrql(irql);
}

static void spin_low(void)
{
    KSPIN_LOCK lock;

    KeInitializeSpinLock(&lock);
    KeAcquireSpinLockAtDpcLevel(&lock);
    KeReleaseSpinLockFromDpcLevel(&lock);
}

static void push_outside(void)
{
    EX_PUSH_LOCK lock;

    ExInitializePushLock(&lock);
    ExAcquirePushLockShared(&lock);
    ExReleasePushLockShared(&lock);
}

static void resource_left(void)
{
    static ERESOURCE resource;
    (void)ExInitializeResourceLite(&resource);
}

static void wait_high(void)
{
    LARGE_INTEGER later = {.QuadPart = -1};
    KEVENT event;
    KIRQL irql;

    KeInitializeEvent(&event, NotificationEvent, TRUE);
    KeRaiseIrql(DISPATCH_LEVEL, &irql);
    (void)KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, &later);
    KeLowerIrql(irql);
}

static void wait_forever(void)
{
    KEVENT event;

    KeInitializeEvent(&event, NotificationEvent, FALSE);
    (void)KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

static void wait_raw(void)
{
    KEVENT event = {{0, 0}};
    (void)KeWaitForSingleObject(&event, Executive, KernelMode, FALSE, NULL);
}

static void work_left(void)
{
    IoQueueWorkItem(IoAllocateWorkItem(NULL), work, DelayedWorkQueue, NULL);
}

static void work_freed_queued(void)
{
    PIO_WORKITEM item = IoAllocateWorkItem(NULL);

    IoQueueWorkItem(item, work, DelayedWorkQueue, NULL);
    IoFreeWorkItem(item);
}

static void mdl_left(void)
{
    (void)IoAllocateMdl(&runs, sizeof(runs), FALSE, FALSE, NULL);
}
static void asserted(void)
{
    NT_ASSERT(runs == 77777);
}
static void bug_check(void)
{
    KeBugCheckEx(0x10e, 1, 2, 3, 4);
}
static void near_null(void)
{
    static volatile uintptr_t eight = 8; /* the compiler would know better */
    *(volatile int *)eight = 1;
}

static void list_corrupt(void)
{
    LIST_ENTRY head, entry;

    InitializeListHead(&head);
    InsertTailList(&head, &entry);
    head.Flink = &head;
    (void)RemoveEntryList(&entry);
}

static void bits_outside(void)
{
    ULONG bits[1];
    RTL_BITMAP map;

    RtlInitializeBitMap(&map, bits, 32);
    RtlSetBits(&map, 30, 3);
}

static void device_stray(void)
{
    int value;
    (void)dxgkmem_kit_dma_read(&kit, 0, 0x200000, &value, sizeof value);
}

static void expected(void)
{
    dxgkmem_kit_expect(&kit, false, "never so");
}
static void member_missing(void)
{
    (void)dxgkmem_kit_interface(&kit, 0)->DxgkCbDisconnectDoorbell();
}

static void object_left(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create = {.Size = PAGE_SIZE};

    create.Mdl.HighAddress.QuadPart = INT64_MAX;
    (void)dxgk->DxgkCbCreatePhysicalMemoryObject(&create);
}

static void null_arguments(void)
{
    (void)dxgkmem_kit_interface(&kit, 0)->DxgkCbMapPhysicalMemory(NULL);
}

static void written_after_unmap(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create = {.Size = PAGE_SIZE};
    DXGKARGCB_MAP_PHYSICAL_MEMORY map = {.Size = PAGE_SIZE};
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY unmap;

    create.Mdl.HighAddress.QuadPart = INT64_MAX;
    (void)dxgk->DxgkCbCreatePhysicalMemoryObject(&create);
    map.hPhysicalMemoryObject = create.hPhysicalMemoryObject;
    (void)dxgk->DxgkCbMapPhysicalMemory(&map);
    unmap = (DXGKARGCB_UNMAP_PHYSICAL_MEMORY){map.hPhysicalMemoryObject, map.pMappedAddress, map.Size};
    dxgk->DxgkCbUnmapPhysicalMemory(&unmap);
    *((volatile UCHAR *)map.pMappedAddress + map.Offset) = 1;
}

/* -- all of them ------------------------------------------------------------------------------------- */

static const struct rule rules[] = {
    {NULL, right_locks},
    {NULL, right_later},
    {NULL, right_registry},
    {NULL, right_strings},
    {NULL, right_process},
    {NULL, right_mdl},
    {"left_at_end", pool_leak},
    {"pool_wrong_tag", pool_tag},
    {"pool_tag", pool_no_tag},
    {"pool_not_allocated", pool_stranger},
    {"pool_not_allocated", pool_null},
    {"pool_size", pool_empty},
    {"pool_freed_twice", pool_twice},
    {"pool_overrun", pool_overrun},
    {"irql_too_high", pool_paged_high},
    {"irql_too_high", paged_code_high},
    {"left_at_high_irql", irql_kept},
    {"irql_order", irql_up_by_lowering},
    {"left_in_region", region_kept},
    {"region_not_entered", region_left},
    {"deadlock", mutex_twice},
    {"left_at_end", mutex_kept},
    {"lock_not_held", mutex_not_held},
    {"lock_not_initialised", mutex_raw},
    {"irql_too_high", mutex_high},
    {"irql_too_low", spin_low},
    {"apcs_enabled", push_outside},
    {"left_at_end", resource_left},
    {"irql_too_high", wait_high},
    {"deadlock", wait_forever},
    {"not_initialised", wait_raw},
    {"left_at_end", work_left},
    {"work_item_queued", work_freed_queued},
    {"left_at_end", mdl_left},
    {"assertion", asserted},
    {"bug_check", bug_check},
    {"access_violation", near_null},
    {"list_corrupt", list_corrupt},
    {"bitmap_out_of_range", bits_outside},
    {"dma_fault", device_stray},
    {"expectation", expected},
    {"access_violation", member_missing},
    {"left_at_stop", object_left},
    {"null_arguments", null_arguments},
    {"access_violation", written_after_unmap},
};
static const struct rule *current;

static void life(struct dxgkmem_kit *of)
{
    (void)of;
    current->life();
}

const struct dxgkmem_harness dxgkmem_harness = {
    life, DXGKDDI_INTERFACE_VERSION_WDDM3_0, DXGKMEM_KIT_BOTH, 0, 0, 0, 0};

/* One life for each. False: something else was found, or nothing. */
static int run(const struct rule *from, size_t count, const char *file, struct kit_count *lives)
{
    int failed = 0;

    for (current = from; current < from + count; current++) {
        unsigned long before = kit_occurrences();
        const char *found;

        kit_plan.fail[0] = 0;
        (void)kit_one_life(lives);
        found = kit_occurrences() != before ? kit_latest() : NULL;
        if ((found == NULL) != (current->name == NULL) ||
            (found != NULL && strcmp(found, current->name) != 0)) {
            printf("FAIL %s, rule %d: found %s, not %s\n", file, (int)(current - from),
                   found != NULL ? found : "nothing", current->name != NULL ? current->name : "nothing");
            failed = 1;
        }
    }
    return failed;
}

int main(void)
{
    struct kit_world world[KIT_WORLDS];
    struct kit_count count = {0};
    int failed;

    (void)kit_worlds(world);
    kit_faults_install();
    if (kit_world_make(&world[0]) != NULL)
        return 2;
    failed = run(rules, sizeof rules / sizeof *rules, "rules.c", &count);
    failed |= run(rules_more, rules_more_count, "rules_more.c", &count);
    failed |= run(rules_memories, rules_memories_count, "rules_memories.c", &count);
    kit.world.contrary = DXGKMEM_KIT_OFFSET;
    failed |= run(rules_offset, rules_offset_count, "rules_memories.c with an Offset", &count);
    printf("%lu rules\n", count.lives);
    return failed;
}
