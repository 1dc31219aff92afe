/* SPDX-License-Identifier: MIT */
/*
 * The members of the interface that are not offered: the WDDM 2.4 memory callbacks to a driver that
 * must use physical memory objects, and all that is not about memory. Each must refuse, whatever it is given.
 */
#include "runner_internal.h"

#define PATTERN 0xcc
#define AT(member)                                                                                           \
    {                                                                                                        \
        offsetof(DXGKRNL_INTERFACE, member), #member                                                         \
    }

static const struct {
    uint16_t offset;
    const char *name;
} unrelated[] = {
    AT(DxgkCbEvalAcpiMethod),
    AT(DxgkCbGetDeviceInformation),
    AT(DxgkCbIndicateChildStatus),
    AT(DxgkCbMapMemory),
    AT(DxgkCbQueueDpc),
    AT(DxgkCbQueryServices),
    AT(DxgkCbReadDeviceSpace),
    AT(DxgkCbSynchronizeExecution),
    AT(DxgkCbUnmapMemory),
    AT(DxgkCbWriteDeviceSpace),
    AT(DxgkCbIsDevicePresent),
    AT(DxgkCbGetHandleData),
    AT(DxgkCbGetHandleParent),
    AT(DxgkCbEnumHandleChildren),
    AT(DxgkCbNotifyInterrupt),
    AT(DxgkCbNotifyDpc),
    AT(DxgkCbQueryVidPnInterface),
    AT(DxgkCbQueryMonitorInterface),
    AT(DxgkCbGetCaptureAddress),
    AT(DxgkCbLogEtwEvent),
    AT(DxgkCbExcludeAdapterAccess),
    AT(DxgkCbCreateContextAllocation),
    AT(DxgkCbDestroyContextAllocation),
    AT(DxgkCbSetPowerComponentActive),
    AT(DxgkCbSetPowerComponentIdle),
    AT(DxgkCbAcquirePostDisplayOwnership),
    AT(DxgkCbPowerRuntimeControlRequest),
    AT(DxgkCbSetPowerComponentLatency),
    AT(DxgkCbSetPowerComponentResidency),
    AT(DxgkCbCompleteFStateTransition),
    AT(DxgkCbCompletePStateTransition),
    AT(DxgkCbMapContextAllocation),
    AT(DxgkCbUpdateContextAllocation),
    AT(DxgkCbReserveGpuVirtualAddressRange),
    AT(DxgkCbAcquireHandleData),
    AT(DxgkCbReleaseHandleData),
    AT(DxgkCbHardwareContentProtectionTeardown),
    AT(DxgkCbMultiPlaneOverlayDisabled),
    AT(DxgkCbMitigatedRangeUpdate),
    AT(DxgkCbInvalidateHwContext),
    AT(DxgkCbIndicateConnectorChange),
    AT(DxgkCbUnblockUEFIFrameBufferRanges),
    AT(DxgkCbAcquirePostDisplayOwnership2),
    AT(DxgkCbSetProtectedSessionStatus),
    AT(DxgkCbReportDiagnostic),
    AT(DxgkCbSignalEvent),
    AT(DxgkCbIsFeatureEnabled),
    AT(DxgkCbSaveMemoryForHotUpdate),
    AT(DxgkCbNotifyCursorSupportChange),
    AT(DxgkCbQueryFeatureSupport),
    AT(DxgkCbDisconnectDoorbell),
};

enum legacy_member {
    ALLOCATE_CONTIGUOUS,
    FREE_CONTIGUOUS,
    ALLOCATE_PAGES,
    FREE_PAGES,
    PIN,
    MAP_FRAME_BUFFER,
    UNMAP_FRAME_BUFFER,
    MAP_MDL,
    UNMAP_MDL,
    LEGACY_MEMBERS
};

/* False: the implementation says nothing of such members, or has none. */
static bool begin(struct runner *runner, bool legacy)
{
    memset(runner->arguments.byte, PATTERN, sizeof(runner->arguments.byte));
    runner_begin_unnumbered(runner);
    if (runner->model != NULL)
        model_other_member(runner->model, legacy, &runner->expected);
    return !runner->profile.empty_members && runner_may_call(runner);
}

static void finish(struct runner *runner, bool has_status, NTSTATUS status)
{
    runner_end_call(runner, has_status, status);
    for (size_t i = 0; i < sizeof(runner->arguments.byte) && runner->model != NULL && !runner_found(runner);
         i++)
        if (runner->arguments.byte[i] != PATTERN && runner->arguments.byte[i] != 0)
            runner_find_that(runner, 22, "is not offered, and wrote to the argument block");
}

static NTSTATUS call_legacy(const DXGKRNL_INTERFACE *interface, unsigned member, HANDLE adapter,
                            void *arguments)
{
    switch (member) {
    case ALLOCATE_CONTIGUOUS:
        return interface->DxgkCbAllocateContiguousMemory(adapter, arguments);
    case FREE_CONTIGUOUS:
        return interface->DxgkCbFreeContiguousMemory(adapter, arguments);
    case ALLOCATE_PAGES:
        return interface->DxgkCbAllocatePagesForMdl(adapter, arguments);
    case FREE_PAGES:
        return interface->DxgkCbFreePagesFromMdl(adapter, arguments);
    case PIN:
        return interface->DxgkCbPinFrameBufferForSave(adapter, arguments);
    case MAP_FRAME_BUFFER:
        return interface->DxgkCbMapFrameBufferPointer(adapter, arguments);
    case UNMAP_FRAME_BUFFER:
        return interface->DxgkCbUnmapFrameBufferPointer(adapter, arguments);
    case MAP_MDL:
        return interface->DxgkCbMapMdlToIoMmu(adapter, arguments);
    default:
        interface->DxgkCbUnmapMdlFromIoMmu(adapter, arguments);
        return STATUS_SUCCESS;
    }
}

const char *runner_member_name(bool legacy, unsigned member)
{
    static const char *const names[LEGACY_MEMBERS] = {
        [ALLOCATE_CONTIGUOUS] = "DxgkCbAllocateContiguousMemory",
        [FREE_CONTIGUOUS] = "DxgkCbFreeContiguousMemory",
        [ALLOCATE_PAGES] = "DxgkCbAllocatePagesForMdl",
        [FREE_PAGES] = "DxgkCbFreePagesFromMdl",
        [PIN] = "DxgkCbPinFrameBufferForSave",
        [MAP_FRAME_BUFFER] = "DxgkCbMapFrameBufferPointer",
        [UNMAP_FRAME_BUFFER] = "DxgkCbUnmapFrameBufferPointer",
        [MAP_MDL] = "DxgkCbMapMdlToIoMmu",
        [UNMAP_MDL] = "DxgkCbUnmapMdlFromIoMmu",
    };

    if (legacy)
        return member < LEGACY_MEMBERS ? names[member] : NULL;
    return member < sizeof(unrelated) / sizeof(unrelated[0]) ? unrelated[member].name : NULL;
}

void runner_legacy(struct runner *runner)
{
    unsigned member = (unsigned)(runner_number(runner, MEMBER_MEMBER) % LEGACY_MEMBERS);
    NTSTATUS status;
    HANDLE adapter;

    if (runner->refusing.Size < DXGKMEM_DDI_THROUGH(DxgkCbUnmapMdlFromIoMmu) || !begin(runner, true)) {
        runner->event.skipped = true;
        return;
    }
    adapter = runner_handle(runner_resolve(runner, MEMBER_ADAPTER).value);
    runner_note_passed(runner, MEMBER_MEMBER, &(struct runner_value){.value = member, .thing = -1});
    status = call_legacy(&runner->refusing, member, adapter, &runner->arguments);
    finish(runner, member != UNMAP_MDL, status);
}

void runner_unrelated(struct runner *runner)
{
    struct runner_value chosen = {.thing = -1};
    unsigned members = 0;
    DXGKMEM_DDI_UNRELATED member;

    while (members < sizeof(unrelated) / sizeof(unrelated[0]) &&
           unrelated[members].offset + sizeof(member) <= runner->interface.Size)
        members++;
    if (members == 0 || !begin(runner, false)) {
        runner->event.skipped = true;
        return;
    }
    chosen.value = runner_number(runner, MEMBER_MEMBER) % members;
    runner_note_passed(runner, MEMBER_MEMBER, &chosen);
    memcpy(&member, (const uint8_t *)&runner->interface + unrelated[chosen.value].offset, sizeof(member));
    finish(runner, true, member());
}
