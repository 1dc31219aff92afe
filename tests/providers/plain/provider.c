/* SPDX-License-Identifier: MIT */
/* The table of the plain implementation, its profile, start and stop. */
#include "plain.h"

#include <stdlib.h>

struct plain plain = {.lock = PTHREAD_MUTEX_INITIALIZER};

void *plain_alloc(size_t bytes)
{
    if (OPS->may_allocate && !OPS->may_allocate(plain.machine))
        return NULL;
    return calloc(1, bytes);
}

static NTSTATUS start(struct dxgkmem_sim *machine, const struct dxgkmem_config *config)
{
    (void)config;
    plain.machine = dxgkmem_sim_machine(machine);
    LIST_INIT(&plain.adapters);
    LIST_INIT(&plain.objects);
    LIST_INIT(&plain.opens);
    LIST_INIT(&plain.adls);
    LIST_INIT(&plain.mappings);
    return STATUS_SUCCESS;
}

static void stop(struct dxgkmem_leaks *leaks)
{
    (void)leaks;
    while (!LIST_EMPTY(&plain.adapters))
        plain_remove(LIST_FIRST(&plain.adapters));
    while (!LIST_EMPTY(&plain.objects))
        plain_end_object(LIST_FIRST(&plain.objects));
    plain.machine = NULL;
}

static NTSTATUS query_interface(HANDLE handle, DXGKRNL_INTERFACE *interface)
{
    const DXGKRNL_INTERFACE all = {
        .DeviceHandle = handle,
        .DxgkCbCreatePhysicalMemoryObject = plain_create,
        .DxgkCbDestroyPhysicalMemoryObject = plain_destroy,
        .DxgkCbMapPhysicalMemory = plain_map,
        .DxgkCbUnmapPhysicalMemory = plain_unmap,
        .DxgkCbAllocateAdl = plain_allocate_adl,
        .DxgkCbFreeAdl = plain_free_adl,
        .DxgkCbOpenPhysicalMemoryObject = plain_open_object,
        .DxgkCbClosePhysicalMemoryObject = plain_close,
        .DxgkCbPinFrameBufferForSave2 = plain_pin,
        .DxgkCbUnpinFrameBufferForSave = plain_unpin,
    };
    const struct plain_adapter *adapter = plain_find_adapter(handle);

    if (!adapter)
        return STATUS_INVALID_HANDLE;
    *interface = all;
    interface->Version = adapter->chain->version;
    interface->Size = (ULONG)dxgkmem_ddi_interface_size(adapter->chain->version);
    return STATUS_SUCCESS;
}

#define UNCHECKED(mistake)                                                                                   \
    {                                                                                                        \
        DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_##mistake, DXGKMEM_ANSWER_UNCHECKED, 0                          \
    }
#define IGNORED(mistake)                                                                                     \
    {                                                                                                        \
        DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_##mistake, DXGKMEM_ANSWER_IGNORE, 0                             \
    }
#define CARRIED_OUT(mistake)                                                                                 \
    {                                                                                                        \
        DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_##mistake, DXGKMEM_ANSWER_CARRY_OUT, 0                          \
    }
#define REFUSED(mistake, status)                                                                             \
    {                                                                                                        \
        DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_##mistake, DXGKMEM_ANSWER_REFUSE, status                        \
    }

static const struct dxgkmem_profile_rule rules[] = {
    {DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_NONE, DXGKMEM_ANSWER_REFUSE, STATUS_INVALID_PARAMETER},
    {DXGKMEM_CALL_ADD_ADAPTER, DXGKMEM_VIOLATION_NONE, DXGKMEM_ANSWER_REFUSE, 0},
    {DXGKMEM_CALL_UNPIN, DXGKMEM_VIOLATION_NONE, DXGKMEM_ANSWER_REFUSE, STATUS_INVALID_PARAMETER},
    REFUSED(NULL_HANDLE, STATUS_INVALID_HANDLE),
    REFUSED(UNKNOWN_HANDLE, STATUS_INVALID_HANDLE),
    REFUSED(STALE_HANDLE, STATUS_INVALID_HANDLE),
    REFUSED(WRONG_KIND_HANDLE, STATUS_INVALID_HANDLE),
    REFUSED(ADAPTER_REMOVED, STATUS_INVALID_HANDLE),
    REFUSED(SECOND_OPEN, STATUS_SHARING_VIOLATION),
    REFUSED(OPEN_ON_OTHER_ADAPTER, STATUS_SHARING_VIOLATION),
    UNCHECKED(NOT_STARTED),
    UNCHECKED(NULL_ARGUMENTS),
    UNCHECKED(MISALIGNED_ARGUMENTS),
    UNCHECKED(INVALID_CONSTRAINTS),
    UNCHECKED(IO_SPACE_OVERLAP),
    UNCHECKED(ADL_SCRIBBLED), /* it counts on its ADLs */
    UNCHECKED(DESTROY_WITH_LIVE_ADL),
    IGNORED(IRQL_TOO_HIGH),
    IGNORED(WRONG_WDDM_LEVEL),
    IGNORED(RESERVED_BITS),
    CARRIED_OUT(CLOSE_WITH_LIVE_ADL),
    CARRIED_OUT(DESTROY_WHILE_OPEN),
    CARRIED_OUT(DESTROY_WITH_LIVE_MAPPING),
};

static const struct dxgkmem_profile profile = {
    .rule = rules,
    .rules = sizeof rules / sizeof rules[0],
    .any_order = true,
    .reports = DXGKMEM_REPORTS_NONE,
    .outputs = DXGKMEM_OUTPUTS_KEPT,
    .map = DXGKMEM_MAP_ASKED,
    .map_to_page_end = true,
    .exhausted = {STATUS_NO_MEMORY, STATUS_INSUFFICIENT_RESOURCES},
    .no_limits = true,
    .reuses_handles = true,
    .logical_unbounded = true,
    .contiguous_at_will = true,
    .device_writes_sections = true,
    .no_leaks = true,
    .empty_members = true,
};

static const struct dxgkmem_provider provider = {
    .version = DXGKMEM_PROVIDER_VERSION,
    .size = sizeof(struct dxgkmem_provider),
    .name = "plain",
    .profile = &profile,
    DXGKMEM_PROVIDER_SIM,
    .start = start,
    .stop = stop,
    .add_adapter = plain_add_adapter,
    .remove_adapter = plain_remove_adapter,
    .query_interface = query_interface,
    .process_exit = plain_process_exit,
};

const struct dxgkmem_provider *dxgkmem_provider(void)
{
    return &provider;
}
