/* SPDX-License-Identifier: MIT */
/*
 * Between the driver and the WDDM 2.4 callbacks. Contrary, contiguous memory holds what was there before, pages
 * for an MDL are mapped for the kernel when the driver asks for it, as those of MmAllocatePagesForMdl are, and a piece
 * of the save area begins at an Offset from the base.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <dxgkmem/mdl.h>

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define STALE 0xcd

/* Those that live. */
struct memory {
    HANDLE handle;           /* the instance's; of a frame buffer, the MDL */
    unsigned char *base;     /* where the kernel sees it; NULL: nowhere */
    struct dxgkmem_mdl *mdl; /* NULL: contiguous memory */
    kit_stack made;
};
static struct memory *memory;
static size_t memories, room;

/* Addresses at which there is nothing, as many as an MDL may have: MappedSystemVa of one that is not mapped. */
#define NOWHERE_BYTES ((size_t)1 << 32)
static unsigned char *nowhere;

void kit_memories_begin(void)
{
    memories = 0;
    if (nowhere != NULL)
        return;
    nowhere = mmap(NULL, NOWHERE_BYTES, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (nowhere == MAP_FAILED)
        abort();
}

static struct memory *born(void)
{
    if (memories == room) {
        room = room != 0 ? room * 2 : 64;
        memory = realloc(memory, room * sizeof *memory);
        if (memory == NULL)
            abort();
    }
    return &memory[memories++];
}

bool kit_mdl_pages_at(const void *mdl, void **base)
{
    for (size_t i = 0; i < memories; i++) {
        if (memory[i].mdl == mdl) {
            *base = memory[i].base;
            return true;
        }
    }
    return false;
}

bool kit_mdl_unmapped_at(const void *address, kit_stack *made)
{
    const unsigned char *at = address;

    for (size_t i = 0; i < memories && at >= nowhere && at < nowhere + NOWHERE_BYTES; i++) {
        if (memory[i].mdl != NULL && memory[i].mdl->MappedSystemVa == nowhere) {
            *made = memory[i].made;
            return true;
        }
    }
    return false;
}

/* It is seen by the kernel, and by the device: page numbers are physical. */
static void made(const struct memory *it, size_t bytes, const uint64_t *pages, const char *by)
{
    struct kit_reach reach = {.key = it->handle, .is = "a memory", .contiguous = it->mdl == NULL};

    reach.pages = (uint32_t)((bytes + KIT_PAGE - 1) / KIT_PAGE);
    reach.made = it->made;
    reach.made_by = by;
    kit_reach_made(&reach, pages);
    if (it->base != NULL)
        kit_mapping_made(&(struct kit_mapping){
            .base = it->base, .bytes = reach.pages * KIT_PAGE, .made = it->made, .made_by = by});
    *born() = *it;
}

void kit_memory_ended(HANDLE handle, kit_stack stack, const char *by)
{
    for (size_t i = 0; i < memories; i++) {
        if (memory[i].handle == handle) {
            if (memory[i].base != NULL)
                kit_mapping_ended(memory[i].base, stack, by);
            memory[i] = memory[--memories];
            break;
        }
    }
    kit_reach_ended(handle, stack, by);
}

NTSTATUS APIENTRY kit_allocate_contiguous(IN_CONST_HANDLE adapter,
                                          INOUT_PDXGKARGCB_ALLOCATECONTIGUOUSMEMORY arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    uint64_t physical;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->hMemoryHandle = NULL;
        arguments->pMemory = NULL;
        return STATUS_NO_MEMORY;
    }
    status = kit_call_begin(stack)->DxgkCbAllocateContiguousMemory(kit_inside(adapter), arguments);
    kit_call_end();
    if (arguments == NULL || !NT_SUCCESS(status))
        return status;
    if (kit_physical(arguments->pMemory, &physical)) {
        physical >>= DXGKMEM_PAGE_SHIFT;
        made(&(struct memory){.handle = arguments->hMemoryHandle, .base = arguments->pMemory, .made = stack},
             arguments->NumberOfBytes, &physical, "DxgkCbAllocateContiguousMemory");
    }
    if ((kit.world.contrary & DXGKMEM_KIT_STALE) != 0)
        memset(arguments->pMemory, STALE, arguments->NumberOfBytes);
    arguments->hMemoryHandle = kit_outside(arguments->hMemoryHandle);
    return status;
}

static void made_for_mdl(const struct memory *it, const char *by)
{
    uint32_t pages = it->mdl->ByteCount / KIT_PAGE;
    uint64_t *page = calloc(pages + 1u, sizeof *page);

    if (page == NULL)
        abort();
    for (uint32_t i = 0; i < pages; i++)
        page[i] = dxgkmem_mdl_pages(it->mdl)[i];
    made(it, it->mdl->ByteCount, page, by);
    free(page);
}

static void turn_contrary(struct dxgkmem_mdl *mdl, bool zeroed)
{
    if ((kit.world.contrary & DXGKMEM_KIT_STALE) != 0 && !zeroed)
        memset(mdl->MappedSystemVa, STALE, mdl->ByteCount);
    if ((kit.world.contrary & DXGKMEM_KIT_UNMAPPED) != 0) {
        mdl->MappedSystemVa = nowhere;
        mdl->MdlFlags &= (int16_t)~DXGKMEM_MDL_MAPPED_TO_SYSTEM_VA;
    }
}

/* Its pages can be seen by the device only: there is no room to map them, as drivers must expect. */
NTSTATUS APIENTRY kit_pin_for_save(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    struct dxgkmem_mdl *mdl;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->pMdl = NULL;
        return STATUS_NO_MEMORY;
    }
    status = kit_call_begin(stack)->DxgkCbPinFrameBufferForSave(kit_inside(adapter), arguments);
    kit_call_end();
    if (arguments == NULL || !NT_SUCCESS(status))
        return status;
    mdl = (struct dxgkmem_mdl *)(void *)arguments->pMdl;
    made_for_mdl(&(struct memory){mdl, NULL, mdl, stack}, "DxgkCbPinFrameBufferForSave");
    mdl->MappedSystemVa = nowhere;
    kit_pinned(arguments->PhysicalAdapterIndex, mdl);
    return status;
}

NTSTATUS APIENTRY kit_allocate_pages(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_ALLOCATEPAGESFORMDL arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    struct dxgkmem_mdl *mdl;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->hMemoryHandle = NULL;
        arguments->pMdl = NULL;
        return STATUS_NO_MEMORY;
    }
    status = kit_call_begin(stack)->DxgkCbAllocatePagesForMdl(kit_inside(adapter), arguments);
    kit_call_end();
    if (arguments == NULL || !NT_SUCCESS(status))
        return status;
    mdl = (struct dxgkmem_mdl *)(void *)arguments->pMdl;
    made_for_mdl(&(struct memory){arguments->hMemoryHandle, mdl->MappedSystemVa, mdl, stack},
                 "DxgkCbAllocatePagesForMdl");
    turn_contrary(mdl, (arguments->Flags & MM_DONT_ZERO_ALLOCATION) == 0);
    arguments->hMemoryHandle = kit_outside(arguments->hMemoryHandle);
    return status;
}

NTSTATUS APIENTRY kit_free_contiguous(IN_CONST_HANDLE adapter,
                                      IN_CONST_PDXGKARGCB_FREECONTIGUOUSMEMORY arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_FREECONTIGUOUSMEMORY in = {kit_inside(arguments != NULL ? arguments->hMemoryHandle : NULL)};
    NTSTATUS status = kit_call_begin(stack)->DxgkCbFreeContiguousMemory(kit_inside(adapter),
                                                                        arguments != NULL ? &in : NULL);

    kit_call_end();
    if (NT_SUCCESS(status))
        kit_memory_ended(in.hMemoryHandle, stack, "DxgkCbFreeContiguousMemory");
    return status;
}

NTSTATUS APIENTRY kit_free_pages(IN_CONST_HANDLE adapter, IN_CONST_PDXGKARGCB_FREEPAGESFROMMDL arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_FREEPAGESFROMMDL in = {kit_inside(arguments != NULL ? arguments->hMemoryHandle : NULL)};
    NTSTATUS status =
        kit_call_begin(stack)->DxgkCbFreePagesFromMdl(kit_inside(adapter), arguments != NULL ? &in : NULL);

    kit_call_end();
    if (NT_SUCCESS(status))
        kit_memory_ended(in.hMemoryHandle, stack, "DxgkCbFreePagesFromMdl");
    return status;
}

/* A page in front of the piece, as MAP has one. Size goes in only. */
NTSTATUS APIENTRY kit_map_frame_buffer(IN_CONST_HANDLE adapter,
                                       INOUT_PDXGKARGCB_MAPFRAMEBUFFERPOINTER arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    size_t lead = kit_mapping_lead();
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->pBaseAddress = NULL;
        return STATUS_NO_MEMORY;
    }
    status = kit_call_begin(stack)->DxgkCbMapFrameBufferPointer(kit_inside(adapter), arguments);
    kit_call_end();
    if (arguments == NULL || !NT_SUCCESS(status))
        return status;
    arguments->pBaseAddress = (unsigned char *)arguments->pBaseAddress - lead;
    arguments->Offset += lead;
    kit_mapping_made(&(struct kit_mapping){.base = arguments->pBaseAddress,
                                           .bytes = lead + arguments->Size,
                                           .lead = lead,
                                           .ahead = lead != 0 ? KIT_AHEAD("pBaseAddress") : NULL,
                                           .made = stack,
                                           .made_by = "DxgkCbMapFrameBufferPointer"});
    return status;
}

NTSTATUS APIENTRY kit_unmap_frame_buffer(IN_CONST_HANDLE adapter,
                                         IN_CONST_PDXGKARGCB_UNMAPFRAMEBUFFERPOINTER arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER in = {0, NULL};
    NTSTATUS status;

    if (arguments != NULL) {
        in = *arguments;
        in.pBaseAddress = kit_mapping_inside(in.pBaseAddress);
    }
    status = kit_call_begin(stack)->DxgkCbUnmapFrameBufferPointer(kit_inside(adapter),
                                                                  arguments != NULL ? &in : NULL);
    kit_call_end();
    if (NT_SUCCESS(status))
        kit_mapping_ended(arguments->pBaseAddress, stack, "DxgkCbUnmapFrameBufferPointer");
    return status;
}
