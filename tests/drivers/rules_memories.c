/* SPDX-License-Identifier: MIT */
/* Rules of the WDDM 2.4 callbacks, as the kit has them, and of MDLs. */
#include "rules.h"

#include "kit/sweep.h"

#include <ntifs.h>
#include <dispmprt.h>

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

static PMDL pin_for_mdl(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_PINFRAMEBUFFERFORSAVE pin = {0, PAGE_SIZE, NULL};

    NT_ASSERT(NT_SUCCESS(dxgk->DxgkCbPinFrameBufferForSave(dxgk->DeviceHandle, &pin)));
    return pin.pMdl;
}

static NTSTATUS unpin(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE release = {0};

    return dxgk->DxgkCbUnpinFrameBufferForSave(dxgk->DeviceHandle, &release);
}

static void right_pin(void)
{
    PMDL mdl = pin_for_mdl();

    NT_ASSERT(dxgkmem_kit_dma_write(&kit, 0, (uint64_t)MmGetMdlPfnArray(mdl)[0] << PAGE_SHIFT, "saved", 6));
    NT_ASSERT(MmGetSystemAddressForMdlSafe(mdl, NormalPagePriority) == NULL && NT_SUCCESS(unpin()));
}

static void pinned_used_after_unpin(void)
{
    uint64_t page = MmGetMdlPfnArray(pin_for_mdl())[0];

    (void)unpin();
    (void)dxgkmem_kit_dma_write(&kit, 0, page << PAGE_SHIFT, "saved", 6);
}

static void pinned_left(void)
{
    (void)pin_for_mdl();
}

/* -- the save area, piece by piece ------------------------------------------------------------------------- */

/* The second page of the area. */
static DXGKARGCB_MAPFRAMEBUFFERPOINTER map_piece(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = {0, PAGE_SIZE, PAGE_SIZE, NULL};

    NT_ASSERT(NT_SUCCESS(dxgk->DxgkCbMapFrameBufferPointer(dxgk->DeviceHandle, &map)));
    return map;
}

static NTSTATUS unmap_piece(PVOID base)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER unmap = {0, base};

    return dxgk->DxgkCbUnmapFrameBufferPointer(dxgk->DeviceHandle, &unmap);
}

static PUCHAR bytes_of(const DXGKARGCB_MAPFRAMEBUFFERPOINTER *map)
{
    return (PUCHAR)map->pBaseAddress + map->Offset;
}

/* All of it can be written, and is there when it is mapped again. */
static void right_piece(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    RtlFillMemory(bytes_of(&map), PAGE_SIZE, 0x5a);
    NT_ASSERT(NT_SUCCESS(unmap_piece(map.pBaseAddress)));
    map = map_piece();
    NT_ASSERT(bytes_of(&map)[0] == 0x5a && bytes_of(&map)[PAGE_SIZE - 1] == 0x5a);
    NT_ASSERT(NT_SUCCESS(unmap_piece(map.pBaseAddress)));
}

static void piece_with_offset(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    NT_ASSERT(map.Offset != 0 && map.Size == PAGE_SIZE);
    NT_ASSERT(NT_SUCCESS(unmap_piece(map.pBaseAddress)));
}

static void piece_left(void)
{
    (void)map_piece();
}

static void piece_mapped_twice(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece(), more = {0, PAGE_SIZE, 0, NULL};

    NT_ASSERT(!NT_SUCCESS(dxgk->DxgkCbMapFrameBufferPointer(dxgk->DeviceHandle, &more)) &&
              more.pBaseAddress == NULL && more.Offset == 0);
    NT_ASSERT(NT_SUCCESS(unmap_piece(map.pBaseAddress)));
}

static void piece_unmapped_twice(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    NT_ASSERT(NT_SUCCESS(unmap_piece(map.pBaseAddress)) && !NT_SUCCESS(unmap_piece(map.pBaseAddress)));
}

static void piece_unmapped_elsewhere(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    NT_ASSERT(!NT_SUCCESS(unmap_piece(bytes_of(&map) + PAGE_SIZE)));
    NT_ASSERT(NT_SUCCESS(unmap_piece(map.pBaseAddress)));
}

/* Where Offset is 0 nobody can tell. */
static void piece_unmapped_by_its_byte(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    NT_ASSERT(!NT_SUCCESS(unmap_piece(bytes_of(&map))) && NT_SUCCESS(unmap_piece(map.pBaseAddress)));
}

static void piece_read_in_front(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    (void)*(volatile UCHAR *)(bytes_of(&map) - 1);
}

static void piece_written_behind(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    *(volatile UCHAR *)(bytes_of(&map) + map.Size) = 1;
}

static void piece_used_after_unmap(void)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map = map_piece();

    (void)unmap_piece(map.pBaseAddress);
    *(volatile UCHAR *)bytes_of(&map) = 1;
}

/* MAP and UNMAP, by the byte and with what was asked for. */
static void object_unmapped_by_its_byte(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create = {.hAdapter = dxgk->DeviceHandle, .Size = PAGE_SIZE};
    DXGKARGCB_MAP_PHYSICAL_MEMORY map = {.Size = PAGE_SIZE};
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY by_byte, right;
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT destroy;

    create.Mdl.HighAddress.QuadPart = MAXLONGLONG;
    NT_ASSERT(NT_SUCCESS(dxgk->DxgkCbCreatePhysicalMemoryObject(&create)));
    map.hPhysicalMemoryObject = create.hPhysicalMemoryObject;
    NT_ASSERT(NT_SUCCESS(dxgk->DxgkCbMapPhysicalMemory(&map)));
    by_byte = (DXGKARGCB_UNMAP_PHYSICAL_MEMORY){map.hPhysicalMemoryObject,
                                                (PUCHAR)map.pMappedAddress + map.Offset, PAGE_SIZE};
    right = (DXGKARGCB_UNMAP_PHYSICAL_MEMORY){map.hPhysicalMemoryObject, map.pMappedAddress, map.Size};
    dxgk->DxgkCbUnmapPhysicalMemory(&by_byte);
    *(volatile UCHAR *)by_byte.pBaseAddress = 1; /* still there */
    dxgk->DxgkCbUnmapPhysicalMemory(&right);
    destroy =
        (DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT){create.hPhysicalMemoryObject, create.hAdapterMemoryObject};
    dxgk->DxgkCbDestroyPhysicalMemoryObject(&destroy);
}

/* -- MDLs of the driver's own ------------------------------------------------------------------------------ */

struct lent {
    PUCHAR bytes;
    PMDL mdl;
    DXGKARGCB_UNMAPMDLFROMIOMMU unmap;
};

static NTSTATUS map_mdl(struct lent *lent)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_MAPMDLTOIOMMU map = {.pMdl = lent->mdl};
    NTSTATUS status = dxgk->DxgkCbMapMdlToIoMmu(dxgk->DeviceHandle, &map);

    lent->unmap.hMemoryHandle = map.hMemoryHandle;
    return status;
}

static void unmap_mdl(const struct lent *lent)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);

    dxgk->DxgkCbUnmapMdlFromIoMmu(dxgk->DeviceHandle, &lent->unmap);
}

static struct lent describe(PVOID bytes, ULONG size)
{
    struct lent lent = {(PUCHAR)bytes, IoAllocateMdl(bytes, size, FALSE, FALSE, NULL), {NULL}};

    MmBuildMdlForNonPagedPool(lent.mdl);
    return lent;
}

static struct lent lend(SIZE_T size)
{
    struct lent lent = describe(ExAllocatePool2(POOL_FLAG_NON_PAGED, size, 'tneL'), (ULONG)size);

    NT_ASSERT(NT_SUCCESS(map_mdl(&lent)));
    return lent;
}

static void end_lent(const struct lent *lent)
{
    IoFreeMdl(lent->mdl);
    ExFreePoolWithTag(lent->bytes, 'tneL');
}

static uint64_t address_in(const struct lent *lent, ULONG offset)
{
    ULONG place = MmGetMdlByteOffset(lent->mdl) + offset;

    return ((uint64_t)MmGetMdlPfnArray(lent->mdl)[place >> PAGE_SHIFT] << PAGE_SHIFT) + BYTE_OFFSET(place);
}

/* Two small blocks, and one of three pages: the device reads what the driver wrote, and the other way round. */
static void right_mdls(void)
{
    struct lent lent[] = {lend(100), lend(100), lend(2 * PAGE_SIZE + 8)};
    ULONG last[] = {92, 92, 2 * PAGE_SIZE};

    for (unsigned i = 0; i < 3; i++) {
        uint64_t seen = 0, written = 0x1000 + i;

        RtlFillMemory(lent[i].bytes, last[i] + 8, (int)(0x40 + i));
        NT_ASSERT(dxgkmem_kit_dma_read(&kit, 0, address_in(&lent[i], last[i]), &seen, 8) &&
                  seen == 0x4040404040404040u + i * 0x0101010101010101u);
        NT_ASSERT(dxgkmem_kit_dma_write(&kit, 0, address_in(&lent[i], last[i]), &written, 8) &&
                  RtlCompareMemory(lent[i].bytes + last[i], &written, 8) == 8);
        NT_ASSERT(lent[i].bytes[last[i] - 1] == 0x40 + i);
    }
    for (unsigned i = 0; i < 3; i++) {
        unmap_mdl(&lent[i]);
        end_lent(&lent[i]);
    }
}

/* One after the other there is no limit. */
static void right_mdls_in_turn(void)
{
    for (unsigned i = 0; i < 40; i++) {
        struct lent lent = lend(PAGE_SIZE);

        unmap_mdl(&lent);
        end_lent(&lent);
    }
}

/* More pages than the kit has: the map fails, and no more. */
static void right_mdl_too_large(void)
{
    struct lent lent = describe(ExAllocatePool2(POOL_FLAG_NON_PAGED, 17 * PAGE_SIZE, 'tneL'), 17 * PAGE_SIZE);

    NT_ASSERT(map_mdl(&lent) == STATUS_INSUFFICIENT_RESOURCES && lent.unmap.hMemoryHandle == NULL);
    end_lent(&lent);
}

static void mdl_left_mapped(void)
{
    (void)lend(PAGE_SIZE);
}

static void mdl_unmapped_twice(void)
{
    struct lent lent = lend(PAGE_SIZE);

    unmap_mdl(&lent);
    unmap_mdl(&lent);
    end_lent(&lent);
}

static void mdl_used_after_unmap(void)
{
    struct lent lent = lend(PAGE_SIZE);
    UCHAR seen;

    unmap_mdl(&lent);
    (void)dxgkmem_kit_dma_read(&kit, 0, address_in(&lent, 0), &seen, 1);
    end_lent(&lent);
}

static void mdl_freed_while_mapped(void)
{
    struct lent lent = lend(PAGE_SIZE);

    IoFreeMdl(lent.mdl);
    unmap_mdl(&lent);
    ExFreePoolWithTag(lent.bytes, 'tneL');
}

static void pool_freed_while_mapped(void)
{
    struct lent lent = lend(PAGE_SIZE);
    uint64_t address = address_in(&lent, 0);

    ExFreePoolWithTag(lent.bytes, 'tneL');
    NT_ASSERT(dxgkmem_kit_dma_write(&kit, 0, address, "stray", 5));
    unmap_mdl(&lent);
    IoFreeMdl(lent.mdl);
}

static void mdl_of_paged_pool(void)
{
    struct lent lent = describe(ExAllocatePool2(POOL_FLAG_PAGED, PAGE_SIZE, 'tneL'), PAGE_SIZE);

    end_lent(&lent);
}

static void mdl_of_callbacks_memory(void)
{
    DXGKRNL_INTERFACE *dxgk = dxgkmem_kit_interface(&kit, 0);
    DXGKARGCB_FREECONTIGUOUSMEMORY release;
    struct lent lent;
    PVOID base;

    release.hMemoryHandle = contiguous(&base);
    lent = describe(base, PAGE_SIZE);
    NT_ASSERT(!NT_SUCCESS(map_mdl(&lent)));
    IoFreeMdl(lent.mdl);
    (void)dxgk->DxgkCbFreeContiguousMemory(dxgk->DeviceHandle, &release);
}

/* -- all of them ------------------------------------------------------------------------------------------- */

const struct rule rules_memories[] = {
    {NULL, right_memory},
    {"left_at_stop", memory_left},
    {"access_violation", memory_used_after_free},
    {"memory_of_other_call", memory_by_the_other_free},
    {"mdl_without_pages", mdl_without_pages},
    {NULL, right_pin},
    {"dma_fault", pinned_used_after_unpin},
    {"left_at_stop", pinned_left},
    {NULL, right_piece},
    {"left_at_stop", piece_left},
    {"frame_buffer_mapped", piece_mapped_twice},
    {"unmap_wrong_base", piece_unmapped_twice},
    {"unmap_wrong_base", piece_unmapped_elsewhere},
    {"access_violation", piece_read_in_front},
    {"access_violation", piece_written_behind},
    {"access_violation", piece_used_after_unmap},
    {NULL, right_mdls},
    {NULL, right_mdls_in_turn},
    {NULL, right_mdl_too_large},
    {"left_at_stop", mdl_left_mapped},
    {"stale_handle", mdl_unmapped_twice},
    {"dma_fault", mdl_used_after_unmap},
    {"mdl_freed_while_mapped", mdl_freed_while_mapped},
    {"pool_freed_while_mapped", pool_freed_while_mapped},
    {"mdl_of_paged_pool", mdl_of_paged_pool},
    {"mdl_page_not_held", mdl_of_callbacks_memory},
};
const size_t rules_memories_count = sizeof rules_memories / sizeof *rules_memories;

const struct rule rules_offset[] = {
    {NULL, right_piece},
    {NULL, piece_with_offset},
    {"left_at_stop", piece_left},
    {"frame_buffer_mapped", piece_mapped_twice},
    {"unmap_wrong_base", piece_unmapped_twice},
    {"unmap_wrong_base", piece_unmapped_elsewhere},
    {"unmap_wrong_base", piece_unmapped_by_its_byte},
    {"access_violation", piece_read_in_front},
    {"access_violation", piece_written_behind},
    {"access_violation", piece_used_after_unmap},
    {"unmap_wrong_base", object_unmapped_by_its_byte},
};
const size_t rules_offset_count = sizeof rules_offset / sizeof *rules_offset;
