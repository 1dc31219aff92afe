/* SPDX-License-Identifier: MIT */
/* DXGKRNL_INTERFACE: which function stands behind each member. */
#include "callbacks.h"

#include "adapter.h"

/*
 * Members that are not offered. They take no notice of their arguments, which
 * are not ours to know; on x86-64 any argument list may be passed to them.
 */
static NTSTATUS APIENTRY CALLBACK refuse_legacy(void)
{
    report_unnumbered(DXGKMEM_CALL_LEGACY, DXGKMEM_VIOLATION_LEGACY_CALLBACK);
    return STATUS_NOT_SUPPORTED;
}

static NTSTATUS APIENTRY CALLBACK refuse_unrelated(void)
{
    report_unnumbered(DXGKMEM_CALL_UNRELATED, DXGKMEM_VIOLATION_UNRELATED_CALLBACK);
    return STATUS_NOT_SUPPORTED;
}

/* One function per type, because a call through a pointer of another type is undefined. */
#define REFUSE_LEGACY(name, arguments)                                                                       \
    static NTSTATUS APIENTRY CALLBACK name(IN_CONST_HANDLE hAdapter, arguments pArgs)                        \
    {                                                                                                        \
        (void)hAdapter;                                                                                      \
        (void)pArgs;                                                                                         \
        return refuse_legacy();                                                                              \
    }

/* For drivers that must not use them: whose DMA is remapped, or who claim to support that at WDDM 3.0 or above. */
REFUSE_LEGACY(refuse_allocate_contiguous, INOUT_PDXGKARGCB_ALLOCATECONTIGUOUSMEMORY)
REFUSE_LEGACY(refuse_free_contiguous, IN_CONST_PDXGKARGCB_FREECONTIGUOUSMEMORY)
REFUSE_LEGACY(refuse_allocate_pages_for_mdl, INOUT_PDXGKARGCB_ALLOCATEPAGESFORMDL)
REFUSE_LEGACY(refuse_free_pages_from_mdl, IN_CONST_PDXGKARGCB_FREEPAGESFROMMDL)
REFUSE_LEGACY(refuse_pin_frame_buffer, INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE)
REFUSE_LEGACY(refuse_map_frame_buffer, INOUT_PDXGKARGCB_MAPFRAMEBUFFERPOINTER)
REFUSE_LEGACY(refuse_unmap_frame_buffer, IN_CONST_PDXGKARGCB_UNMAPFRAMEBUFFERPOINTER)
REFUSE_LEGACY(refuse_map_mdl_to_iommu, INOUT_PDXGKARGCB_MAPMDLTOIOMMU)

static VOID APIENTRY CALLBACK refuse_unmap_mdl_from_iommu(IN_CONST_HANDLE hAdapter,
                                                          IN_CONST_PDXGKARGCB_UNMAPMDLFROMIOMMU pArgs)
{
    (void)hAdapter;
    (void)pArgs;
    refuse_legacy();
}

/* Every member after the header is a function pointer; none is left NULL. */
static void fill_unrelated(DXGKRNL_INTERFACE *all)
{
    const DXGKMEM_DDI_UNRELATED refusal = refuse_unrelated;
    char *members = (char *)all;
    for (size_t at = offsetof(DXGKRNL_INTERFACE, DxgkCbEvalAcpiMethod); at < sizeof(*all);
         at += sizeof(refusal))
        memcpy(members + at, &refusal, sizeof(refusal));
}

/* The WDDM 2.4 callbacks that are offered. */
static void fill_memory(DXGKRNL_INTERFACE *all)
{
    all->DxgkCbAllocateContiguousMemory = dxgkmem_allocate_contiguous_memory;
    all->DxgkCbFreeContiguousMemory = dxgkmem_free_contiguous_memory;
    all->DxgkCbAllocatePagesForMdl = dxgkmem_allocate_pages_for_mdl;
    all->DxgkCbFreePagesFromMdl = dxgkmem_free_pages_from_mdl;
    all->DxgkCbPinFrameBufferForSave = dxgkmem_pin_frame_buffer_for_save;
    all->DxgkCbMapFrameBufferPointer = dxgkmem_map_frame_buffer_pointer;
    all->DxgkCbUnmapFrameBufferPointer = dxgkmem_unmap_frame_buffer_pointer;
    all->DxgkCbMapMdlToIoMmu = dxgkmem_map_mdl_to_iommu;
    all->DxgkCbUnmapMdlFromIoMmu = dxgkmem_unmap_mdl_from_iommu;
}

void interface_fill(DXGKRNL_INTERFACE *all, bool objects_only)
{
    fill_unrelated(all);
    all->DxgkCbAllocateContiguousMemory = refuse_allocate_contiguous;
    all->DxgkCbFreeContiguousMemory = refuse_free_contiguous;
    all->DxgkCbAllocatePagesForMdl = refuse_allocate_pages_for_mdl;
    all->DxgkCbFreePagesFromMdl = refuse_free_pages_from_mdl;
    all->DxgkCbPinFrameBufferForSave = refuse_pin_frame_buffer;
    all->DxgkCbMapFrameBufferPointer = refuse_map_frame_buffer;
    all->DxgkCbUnmapFrameBufferPointer = refuse_unmap_frame_buffer;
    all->DxgkCbMapMdlToIoMmu = refuse_map_mdl_to_iommu;
    all->DxgkCbUnmapMdlFromIoMmu = refuse_unmap_mdl_from_iommu;
    if (!objects_only)
        fill_memory(all);

    all->DxgkCbCreatePhysicalMemoryObject = dxgkmem_create_physical_memory_object;
    all->DxgkCbDestroyPhysicalMemoryObject = dxgkmem_destroy_physical_memory_object;
    all->DxgkCbMapPhysicalMemory = dxgkmem_map_physical_memory;
    all->DxgkCbUnmapPhysicalMemory = dxgkmem_unmap_physical_memory;
    all->DxgkCbAllocateAdl = dxgkmem_allocate_adl;
    all->DxgkCbFreeAdl = dxgkmem_free_adl;
    all->DxgkCbOpenPhysicalMemoryObject = dxgkmem_open_physical_memory_object;
    all->DxgkCbClosePhysicalMemoryObject = dxgkmem_close_physical_memory_object;
    all->DxgkCbPinFrameBufferForSave2 = dxgkmem_pin_frame_buffer_for_save2;
    all->DxgkCbUnpinFrameBufferForSave = dxgkmem_unpin_frame_buffer_for_save;
}

NTSTATUS dxgkmem_query_interface(HANDLE device_handle, DXGKRNL_INTERFACE *dxgkrnl_interface)
{
    const size_t header = offsetof(DXGKRNL_INTERFACE, DxgkCbEvalAcpiMethod);
    struct adapter_reference reference;
    struct call probe;
    size_t bytes;

    memset(&probe, 0, sizeof(probe));
    if (dxgkrnl_interface == NULL || ATOMIC_LOAD_ACQUIRE(&instance.started) == 0)
        return STATUS_INVALID_PARAMETER;
    if (dxgkrnl_interface->Size != 0 && dxgkrnl_interface->Size < header)
        return STATUS_INVALID_PARAMETER;
    if (!adapter_acquire(&probe, device_handle, 0, &reference))
        return STATUS_INVALID_HANDLE;
    bytes = dxgkmem_ddi_interface_size(reference.logical->version);
    if (dxgkrnl_interface->Size != 0)
        bytes = (size_t)least(bytes, dxgkrnl_interface->Size);
    /* Whole members only. */
    bytes -= (bytes - header) % sizeof(DXGKMEM_DDI_UNRELATED);
    memcpy((char *)dxgkrnl_interface + header,
           (const char *)&instance.callbacks[reference.objects_only] + header, bytes - header);
    dxgkrnl_interface->Size = (ULONG)bytes;
    dxgkrnl_interface->Version = reference.logical->version;
    dxgkrnl_interface->DeviceHandle = device_handle;
    adapter_release(&reference);
    return STATUS_SUCCESS;
}
