/* SPDX-License-Identifier: MIT */
/* Allocations in scattered pages, the aperture segment, saving the frame buffer, memory for a process. */
#include "sample.h"

NTSTATUS SmpCreateAllocation(struct smp_adapter *Adapter, SIZE_T Size, struct smp_allocation **Allocation)
{
    struct smp_allocation *made;
    NTSTATUS status;

    *Allocation = NULL;
    made = (struct smp_allocation *)ExAllocatePool2(POOL_FLAG_PAGED, sizeof(*made), SMP_TAG);
    if (made == NULL)
        return STATUS_NO_MEMORY;
    made->size = Size;
    status = SmpMemoryCreate(&Adapter->dxgk, Adapter->dxgk.DeviceHandle, DXGK_PHYSICAL_MEMORY_TYPE_MDL, Size,
                             0, &made->memory);
    if (NT_SUCCESS(status))
        status = SmpMemoryAttach(&Adapter->dxgk, &made->memory, Size, FALSE);
    if (!NT_SUCCESS(status)) {
        SmpMemoryRelease(&Adapter->dxgk, &made->memory);
        ExFreePoolWithTag(made, SMP_TAG);
        return status;
    }
    ExAcquireFastMutex(&Adapter->lock);
    InsertTailList(&Adapter->allocations, &made->entry);
    ExReleaseFastMutex(&Adapter->lock);
    *Allocation = made;
    return STATUS_SUCCESS;
}

VOID SmpDestroyAllocation(struct smp_adapter *Adapter, struct smp_allocation *Allocation)
{
    ExAcquireFastMutex(&Adapter->lock);
    RemoveEntryList(&Allocation->entry);
    ExReleaseFastMutex(&Adapter->lock);
    SmpMemoryRelease(&Adapter->dxgk, &Allocation->memory);
    ExFreePoolWithTag(Allocation, SMP_TAG);
}

static VOID SmpWriteEntry(SIZE_T Index, ULONG64 Page)
{
    SmpHwWrite(SMP_ENTRY_INDEX, Index);
    SmpHwWrite(SMP_ENTRY_PAGE, Page);
}

NTSTATUS SmpBuildPagingBuffer(struct smp_adapter *Adapter, IN_PDXGKARG_BUILDPAGINGBUFFER Args)
{
    NTSTATUS status = STATUS_SUCCESS;
    SIZE_T first, count;

    ExAcquireFastMutex(&Adapter->lock);
    switch (Args->Operation) {
    case DXGK_OPERATION_MAP_APERTURE_SEGMENT2:
        first = Args->MapApertureSegment2.OffsetInPages;
        count = Args->MapApertureSegment2.NumberOfPages;
        for (SIZE_T i = 0; i < count; i++)
            SmpWriteEntry(first + i, SmpAdlPage(&Args->MapApertureSegment2.Adl,
                                                Args->MapApertureSegment2.AdlOffset + (ULONG)i));
        RtlSetBits(&Adapter->aperture, (ULONG)first, (ULONG)count);
        break;
    case DXGK_OPERATION_UNMAP_APERTURE_SEGMENT:
        first = Args->UnmapApertureSegment.OffsetInPages;
        count = Args->UnmapApertureSegment.NumberOfPages;
        for (SIZE_T i = 0; i < count; i++)
            SmpWriteEntry(first + i, 0);
        RtlClearBits(&Adapter->aperture, (ULONG)first, (ULONG)count);
        break;
    default:
        status = STATUS_NOT_SUPPORTED;
        break;
    }
    ExReleaseFastMutex(&Adapter->lock);
    return status;
}

/* Before the device loses power. There may be no memory: then it is saved in another way. */
NTSTATUS SmpSaveFrameBuffer(struct smp_adapter *Adapter, SIZE_T Size)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin;
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {0};
    NTSTATUS status;

    RtlZeroMemory(&pin, sizeof(pin));
    pin.CommitSize = Size;
    status = Adapter->dxgk.DxgkCbPinFrameBufferForSave2(Adapter->dxgk.DeviceHandle, &pin);
    if (!NT_SUCCESS(status))
        return status;
    for (ULONG i = 0; i < pin.pAdl->PageCount; i++)
        SmpHwWrite(SMP_SAVE_PAGE, SmpAdlPage(pin.pAdl, i));
    return Adapter->dxgk.DxgkCbUnpinFrameBufferForSave(Adapter->dxgk.DeviceHandle, &unpin);
}

/* Memory that the current process and the device see for the length of this call. */
NTSTATUS SmpShareWithProcess(struct smp_adapter *Adapter, SIZE_T Size, ULONG Value)
{
    struct smp_memory shared;
    NTSTATUS status;

    RtlZeroMemory(&shared, sizeof(shared));
    status = SmpMemoryCreate(&Adapter->dxgk, Adapter->dxgk.DeviceHandle, DXGK_PHYSICAL_MEMORY_TYPE_SECTION,
                             Size, 0, &shared);
    if (NT_SUCCESS(status))
        status = SmpMemoryMap(&Adapter->dxgk, &shared, Size, DXGK_ACCESS_MODE_USER_MODE);
    if (NT_SUCCESS(status))
        status = SmpMemoryAttach(&Adapter->dxgk, &shared, Size, FALSE);
    if (NT_SUCCESS(status)) {
        RtlCopyMemory(shared.bytes, &Value, sizeof(Value));
        SmpWriteEntry(0, SmpAdlPage(shared.adl, 0));
        SmpWriteEntry(0, 0);
    }
    SmpMemoryRelease(&Adapter->dxgk, &shared);
    return status;
}
