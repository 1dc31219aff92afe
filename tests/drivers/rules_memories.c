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
};
const size_t rules_memories_count = sizeof rules_memories / sizeof *rules_memories;
