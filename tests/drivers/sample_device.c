/* SPDX-License-Identifier: MIT */
/* Start and stop of the device, its command ring, and the log that it writes from early boot on. */
#include "sample.h"

/* Made before the adapter is known, and opened once it is. */
static NTSTATUS SmpStartLog(struct smp_adapter *Adapter)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open;
    NTSTATUS status;

    status = SmpMemoryCreate(&Adapter->dxgk, NULL, DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY,
                             SMP_BOOT_BYTES, 0, &Adapter->log);
    if (!NT_SUCCESS(status))
        return status;
    status = SmpMemoryMap(&Adapter->dxgk, &Adapter->log, SMP_BOOT_BYTES, DXGK_ACCESS_MODE_KERNEL_MODE);
    if (!NT_SUCCESS(status))
        return status;
    RtlStringCbPrintfA((PSTR)Adapter->log.bytes, SMP_BOOT_BYTES, "version 0x%x", Adapter->dxgk.Version);

    open.hPhysicalMemoryObject = Adapter->log.object;
    open.hAdapter = Adapter->dxgk.DeviceHandle;
    status = Adapter->dxgk.DxgkCbOpenPhysicalMemoryObject(&open);
    if (!NT_SUCCESS(status))
        return status;
    Adapter->log.open = open.hAdapterMemoryObject;
    status = SmpMemoryAttach(&Adapter->dxgk, &Adapter->log, SMP_BOOT_BYTES, TRUE);
    if (NT_SUCCESS(status))
        SmpHwWrite(SMP_LOG_BASE, SmpAdlPage(Adapter->log.adl, 0) << PAGE_SHIFT);
    return status;
}

static NTSTATUS SmpStartRing(struct smp_adapter *Adapter)
{
    struct smp_memory *ring = &Adapter->ring;
    NTSTATUS status;

    status = SmpMemoryCreate(&Adapter->dxgk, Adapter->dxgk.DeviceHandle,
                             DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY, SMP_RING_BYTES, 0, ring);
    if (NT_SUCCESS(status))
        status = SmpMemoryMap(&Adapter->dxgk, ring, SMP_RING_BYTES, DXGK_ACCESS_MODE_KERNEL_MODE);
    if (NT_SUCCESS(status))
        status = SmpMemoryAttach(&Adapter->dxgk, ring, SMP_RING_BYTES, TRUE);
    if (!NT_SUCCESS(status))
        return status;
    SmpHwWrite(SMP_RING_BASE, SmpAdlPage(ring->adl, 0) << PAGE_SHIFT);
    SmpHwWrite(SMP_RING_ENABLE, 1);
    return STATUS_SUCCESS;
}

static NTSTATUS SmpStartRegisters(struct smp_adapter *Adapter, ULONG64 Base, SIZE_T Bytes)
{
    NTSTATUS status = SmpMemoryCreate(&Adapter->dxgk, Adapter->dxgk.DeviceHandle,
                                      DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE, Bytes, Base, &Adapter->registers);

    if (NT_SUCCESS(status))
        status = SmpMemoryMap(&Adapter->dxgk, &Adapter->registers, Bytes, DXGK_ACCESS_MODE_KERNEL_MODE);
    if (NT_SUCCESS(status))
        *(volatile ULONG *)Adapter->registers.bytes = 1;
    return status;
}

static NTSTATUS SmpStartAperture(struct smp_adapter *Adapter)
{
    Adapter->aperture_bits = (PULONG)ExAllocatePool2(POOL_FLAG_NON_PAGED, SMP_APERTURE_PAGES / 8, SMP_TAG);
    if (Adapter->aperture_bits == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    RtlInitializeBitMap(&Adapter->aperture, Adapter->aperture_bits, SMP_APERTURE_PAGES);
    return STATUS_SUCCESS;
}

NTSTATUS SmpStartDevice(struct smp_adapter *Adapter, IN_PDXGKRNL_INTERFACE Interface, ULONG64 RegisterBase,
                        SIZE_T RegisterBytes)
{
    NTSTATUS status;

    PAGED_CODE();
    RtlZeroMemory(Adapter, sizeof(*Adapter));
    InitializeListHead(&Adapter->allocations);
    ExInitializeFastMutex(&Adapter->lock);
    KeInitializeSpinLock(&Adapter->ring_lock);
    if (Interface->Version < DXGKDDI_INTERFACE_VERSION_WDDM2_9 ||
        Interface->Size < RTL_SIZEOF_THROUGH_FIELD(DXGKRNL_INTERFACE, DxgkCbPinFrameBufferForSave2))
        return STATUS_NOT_SUPPORTED;
    RtlCopyMemory(&Adapter->dxgk, Interface,
                  Interface->Size < sizeof(Adapter->dxgk) ? Interface->Size : sizeof(Adapter->dxgk));
    Adapter->started = TRUE;

    status = SmpStartAperture(Adapter);
    if (NT_SUCCESS(status))
        status = SmpStartLog(Adapter);
    if (NT_SUCCESS(status))
        status = SmpStartRegisters(Adapter, RegisterBase, RegisterBytes);
    if (NT_SUCCESS(status))
        status = SmpStartRing(Adapter);
    if (!NT_SUCCESS(status)) {
        DbgPrintEx(DPFLTR_IHVVIDEO_ID, DPFLTR_ERROR_LEVEL, "sample: start failed: 0x%x\n", status);
        SmpStopDevice(Adapter);
    }
    return status;
}

/* Also of a device that did not start, or stopped. The device is told before its memory goes. */
VOID SmpStopDevice(struct smp_adapter *Adapter)
{
    PAGED_CODE();
    if (!Adapter->started)
        return;
    while (!IsListEmpty(&Adapter->allocations))
        SmpDestroyAllocation(Adapter,
                             CONTAINING_RECORD(Adapter->allocations.Flink, struct smp_allocation, entry));
    SmpHwWrite(SMP_RING_ENABLE, 0);
    SmpHwWrite(SMP_LOG_BASE, 0);
    SmpMemoryRelease(&Adapter->dxgk, &Adapter->ring);
    SmpMemoryRelease(&Adapter->dxgk, &Adapter->registers);
    SmpMemoryRelease(&Adapter->dxgk, &Adapter->log);
    if (Adapter->aperture_bits != NULL)
        ExFreePoolWithTag(Adapter->aperture_bits, SMP_TAG);
    Adapter->aperture_bits = NULL;
    Adapter->started = FALSE;
}

NTSTATUS SmpSubmit(struct smp_adapter *Adapter, ULONG Command)
{
    ULONG offset;
    KIRQL irql;

    if (!Adapter->started)
        return STATUS_DEVICE_NOT_READY;
    KeAcquireSpinLock(&Adapter->ring_lock, &irql);
    offset = Adapter->ring_next;
    Adapter->ring_next = (offset + (ULONG)sizeof(Command)) % SMP_RING_BYTES;
    RtlCopyMemory(Adapter->ring.bytes + offset, &Command, sizeof(Command));
    KeReleaseSpinLock(&Adapter->ring_lock, irql);
    SmpHwWrite(SMP_DOORBELL, offset);
    return STATUS_SUCCESS;
}
