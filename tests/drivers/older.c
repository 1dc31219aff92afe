/* SPDX-License-Identifier: MIT */
/* Implements older.h. */
#include "older.h"

/* -- the ring ------------------------------------------------------------------------------ */

static NTSTATUS make_ring(struct old_adapter *Adapter)
{
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY allocate;
    NTSTATUS status;

    RtlZeroMemory(&allocate, sizeof(allocate));
    allocate.NumberOfBytes = OLD_RING_BYTES;
    allocate.HighestAcceptableAddress.QuadPart = OLD_HIGHEST;
    allocate.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    status = Adapter->dxgk.DxgkCbAllocateContiguousMemory(Adapter->dxgk.DeviceHandle, &allocate);
    if (!NT_SUCCESS(status))
        return status;
    Adapter->ring_memory = allocate.hMemoryHandle;
    Adapter->ring = (PULONG)allocate.pMemory;
    RtlZeroMemory(Adapter->ring, OLD_RING_BYTES);
    OldHwWrite(OLD_RING_BASE, (ULONG64)MmGetPhysicalAddress(Adapter->ring).QuadPart);
    return STATUS_SUCCESS;
}

static VOID free_ring(struct old_adapter *Adapter)
{
    DXGKARGCB_FREECONTIGUOUSMEMORY release = {Adapter->ring_memory};

    if (Adapter->ring_memory == NULL)
        return;
    OldHwWrite(OLD_RING_BASE, 0);
    (VOID) Adapter->dxgk.DxgkCbFreeContiguousMemory(Adapter->dxgk.DeviceHandle, &release);
}

NTSTATUS OldSubmit(struct old_adapter *Adapter, ULONG Command)
{
    if (Adapter->used + 1 >= OLD_RING_ENTRIES) /* the last one is 0 */
        return STATUS_DEVICE_BUSY;
    Adapter->ring[Adapter->used++] = Command;
    return STATUS_SUCCESS;
}

VOID OldRing(struct old_adapter *Adapter)
{
    OldHwWrite(OLD_DOORBELL, Adapter->used);
    RtlZeroMemory(Adapter->ring, Adapter->used * sizeof(ULONG));
    Adapter->used = 0;
}

/* -- the fence ----------------------------------------------------------------------------- */

static NTSTATUS make_fence(struct old_adapter *Adapter)
{
    DXGKARGCB_MAPMDLTOIOMMU map;
    NTSTATUS status;

    Adapter->fence = (ULONG64 *)ExAllocatePool2(POOL_FLAG_NON_PAGED, PAGE_SIZE, OLD_TAG);
    if (Adapter->fence == NULL)
        return STATUS_NO_MEMORY;
    Adapter->fence_mdl = IoAllocateMdl(Adapter->fence, PAGE_SIZE, FALSE, FALSE, NULL);
    if (Adapter->fence_mdl == NULL)
        return STATUS_NO_MEMORY;
    MmBuildMdlForNonPagedPool(Adapter->fence_mdl);
    RtlZeroMemory(&map, sizeof(map));
    map.pMdl = Adapter->fence_mdl;
    status = Adapter->dxgk.DxgkCbMapMdlToIoMmu(Adapter->dxgk.DeviceHandle, &map);
    if (!NT_SUCCESS(status))
        return status;
    Adapter->fence_memory = map.hMemoryHandle;
    OldHwWrite(OLD_FENCE, ((ULONG64)MmGetMdlPfnArray(Adapter->fence_mdl)[0] << PAGE_SHIFT) +
                              MmGetMdlByteOffset(Adapter->fence_mdl));
    return STATUS_SUCCESS;
}

static VOID free_fence(struct old_adapter *Adapter)
{
    DXGKARGCB_UNMAPMDLFROMIOMMU unmap = {Adapter->fence_memory};

    if (Adapter->fence_memory != NULL) {
        OldHwWrite(OLD_FENCE, 0);
        Adapter->dxgk.DxgkCbUnmapMdlFromIoMmu(Adapter->dxgk.DeviceHandle, &unmap);
    }
    if (Adapter->fence_mdl != NULL)
        IoFreeMdl(Adapter->fence_mdl);
    if (Adapter->fence != NULL)
        ExFreePoolWithTag(Adapter->fence, OLD_TAG);
}

ULONG64 OldTaken(const struct old_adapter *Adapter)
{
    return *(const volatile ULONG64 *)Adapter->fence;
}

/* -- page tables ------------------------------------------------------------------------------ */

static VOID free_table(struct old_adapter *Adapter, struct old_table *Table)
{
    DXGKARGCB_FREEPAGESFROMMDL release = {Table->memory};

    if (Table->memory == NULL)
        return;
    (VOID) Adapter->dxgk.DxgkCbFreePagesFromMdl(Adapter->dxgk.DeviceHandle, &release);
    RtlZeroMemory(Table, sizeof(*Table));
}

static NTSTATUS make_table(struct old_adapter *Adapter, ULONG Pages, struct old_table *Table)
{
    DXGKARGCB_ALLOCATEPAGESFORMDL allocate;
    NTSTATUS status;

    RtlZeroMemory(Table, sizeof(*Table));
    RtlZeroMemory(&allocate, sizeof(allocate));
    allocate.HighAddress.QuadPart = OLD_HIGHEST;
    allocate.TotalBytes = (SIZE_T)Pages * PAGE_SIZE;
    allocate.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    status = Adapter->dxgk.DxgkCbAllocatePagesForMdl(Adapter->dxgk.DeviceHandle, &allocate);
    if (!NT_SUCCESS(status))
        return status;
    Table->memory = allocate.hMemoryHandle;
    Table->mdl = allocate.pMdl;
    Table->pages = Pages;
    Table->entries = (PULONG64)MmGetSystemAddressForMdlSafe(Table->mdl, NormalPagePriority);
    if (Table->entries == NULL) {
        free_table(Adapter, Table);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    for (ULONG i = 0; i < Pages; i++)
        Table->entries[(SIZE_T)i * (PAGE_SIZE / sizeof(ULONG64))] = i + 1;
    return STATUS_SUCCESS;
}

static VOID show_table(const struct old_table *Table, ULONG Pages)
{
    for (ULONG i = 0; i < Pages; i++) {
        OldHwWrite(OLD_TABLE_INDEX, i);
        OldHwWrite(OLD_TABLE_PAGE, i < Table->pages ? MmGetMdlPfnArray(Table->mdl)[i] : 0);
    }
}

NTSTATUS OldSetTable(struct old_adapter *Adapter, ULONG Pages)
{
    struct old_table table;
    NTSTATUS status = make_table(Adapter, Pages, &table);

    if (!NT_SUCCESS(status))
        return status;
    show_table(&table, max(Pages, Adapter->table.pages));
    free_table(Adapter, &Adapter->table);
    Adapter->table = table;
    return STATUS_SUCCESS;
}

/* -- the frame buffer --------------------------------------------------------------------------- */

static VOID copy_piece(PUCHAR Area, ULONG First, ULONG Pages, BOOLEAN Save)
{
    if (Save)
        RtlCopyMemory(Area, OldHwVideo(First), (SIZE_T)Pages * PAGE_SIZE);
    else
        RtlCopyMemory(OldHwVideo(First), Area, (SIZE_T)Pages * PAGE_SIZE);
}

/* The CPU copies through a small view of the area, piece by piece: one page at a time when there is no room for more. */
static NTSTATUS transfer_in_pieces(struct old_adapter *Adapter, BOOLEAN Save)
{
    ULONG pages = OLD_PIECE_PAGES;

    for (ULONG first = 0; first < OLD_VIDEO_PAGES; first += pages) {
        DXGKARGCB_MAPFRAMEBUFFERPOINTER map;
        DXGKARGCB_UNMAPFRAMEBUFFERPOINTER unmap = {0, NULL};
        NTSTATUS status;

        pages = min(pages, OLD_VIDEO_PAGES - first);
        RtlZeroMemory(&map, sizeof(map));
        map.Offset = (SIZE_T)first * PAGE_SIZE;
        map.Size = (SIZE_T)pages * PAGE_SIZE;
        status = Adapter->dxgk.DxgkCbMapFrameBufferPointer(Adapter->dxgk.DeviceHandle, &map);
        if (!NT_SUCCESS(status) && pages > 1) {
            pages = 1;
            map.Size = PAGE_SIZE;
            status = Adapter->dxgk.DxgkCbMapFrameBufferPointer(Adapter->dxgk.DeviceHandle, &map);
        }
        if (!NT_SUCCESS(status))
            return status;
        copy_piece((PUCHAR)map.pBaseAddress + map.Offset, first, pages, Save);
        unmap.pBaseAddress = map.pBaseAddress;
        status = Adapter->dxgk.DxgkCbUnmapFrameBufferPointer(Adapter->dxgk.DeviceHandle, &unmap);
        if (!NT_SUCCESS(status))
            return status;
    }
    return STATUS_SUCCESS;
}

/* The device copies, while the area is pinned for it; else the CPU does. */
static NTSTATUS transfer(struct old_adapter *Adapter, BOOLEAN Save)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE pin = {0, OLD_VIDEO_PAGES * PAGE_SIZE, NULL};
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {0};

    if (!NT_SUCCESS(Adapter->dxgk.DxgkCbPinFrameBufferForSave(Adapter->dxgk.DeviceHandle, &pin)))
        return transfer_in_pieces(Adapter, Save);
    for (ULONG i = 0; i < OLD_VIDEO_PAGES; i++) {
        OldHwWrite(OLD_VIDEO_INDEX, i);
        OldHwWrite(Save ? OLD_SAVE_PAGE : OLD_RESTORE_PAGE, MmGetMdlPfnArray(pin.pMdl)[i]);
    }
    return Adapter->dxgk.DxgkCbUnpinFrameBufferForSave(Adapter->dxgk.DeviceHandle, &unpin);
}

NTSTATUS OldSaveFrameBuffer(struct old_adapter *Adapter)
{
    return transfer(Adapter, TRUE);
}

NTSTATUS OldRestoreFrameBuffer(struct old_adapter *Adapter)
{
    return transfer(Adapter, FALSE);
}

/* -- start and stop ----------------------------------------------------------------------------- */

NTSTATUS OldStart(struct old_adapter *Adapter, PDXGKRNL_INTERFACE Dxgk)
{
    NTSTATUS status;

    RtlZeroMemory(Adapter, sizeof(*Adapter));
    if (Dxgk->Version < DXGKDDI_INTERFACE_VERSION_WDDM2_4)
        return STATUS_NOT_SUPPORTED;
    RtlCopyMemory(&Adapter->dxgk, Dxgk, min(Dxgk->Size, sizeof(Adapter->dxgk)));
    status = make_ring(Adapter);
    if (NT_SUCCESS(status))
        status = make_fence(Adapter);
    if (NT_SUCCESS(status))
        status = OldSetTable(Adapter, 3);
    if (!NT_SUCCESS(status))
        OldStop(Adapter);
    return status;
}

VOID OldStop(struct old_adapter *Adapter)
{
    const struct old_table none = {NULL, NULL, NULL, 0};

    show_table(&none, Adapter->table.pages);
    free_table(Adapter, &Adapter->table);
    free_fence(Adapter);
    free_ring(Adapter);
    RtlZeroMemory(Adapter, sizeof(*Adapter));
}
