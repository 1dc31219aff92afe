/* SPDX-License-Identifier: MIT */
/* Arguments of the callbacks, and calls that tests expect to succeed. All go through world.ddi. */
#include "world.h"

#include <dxgkmem/mdl.h>

/* A pattern that no callback leaves behind: out fields must have been written. */
#define UNTOUCHED ((HANDLE)(uintptr_t)0x55555550u)

NTSTATUS try_create(create_arguments arguments, struct thing *made)
{
    NTSTATUS status;
    arguments.hPhysicalMemoryObject = arguments.hAdapterMemoryObject = UNTOUCHED;
    status = world.ddi.DxgkCbCreatePhysicalMemoryObject(&arguments);
    made->object = arguments.hPhysicalMemoryObject;
    made->open = arguments.hAdapterMemoryObject;
    if (!NT_SUCCESS(status)) {
        assert_null(made->object);
        assert_null(made->open);
    }
    return status;
}

struct thing thing_create(create_arguments arguments)
{
    struct thing thing;
    assert_int_equal(try_create(arguments, &thing), STATUS_SUCCESS);
    assert_non_null(thing.object);
    if (arguments.hAdapter == NULL)
        assert_null(thing.open);
    else
        assert_non_null(thing.open);
    return thing;
}

HANDLE thing_open(HANDLE object, HANDLE adapter)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT arguments = {object, adapter, UNTOUCHED};
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&arguments), STATUS_SUCCESS);
    assert_non_null(arguments.hAdapterMemoryObject);
    return arguments.hAdapterMemoryObject;
}

void thing_close(HANDLE open)
{
    const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT arguments = {open};
    world.ddi.DxgkCbClosePhysicalMemoryObject(&arguments);
}

void thing_destroy(struct thing thing)
{
    const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT arguments = {thing.object, thing.open};
    world.ddi.DxgkCbDestroyPhysicalMemoryObject(&arguments);
}

NTSTATUS try_adl(HANDLE open, SIZE_T offset, SIZE_T bytes, unsigned flags, DXGK_ADL **adl)
{
    DXGKARGCB_ALLOCATE_ADL arguments;
    NTSTATUS status;
    memset(&arguments, 0, sizeof(arguments));
    arguments.hAdapterMemoryObject = open;
    arguments.Offset = offset;
    arguments.Size = bytes;
    arguments.Flags.Value = flags;
    arguments.pAdl = (DXGK_ADL *)(void *)UNTOUCHED;
    status = world.ddi.DxgkCbAllocateAdl(&arguments);
    *adl = arguments.pAdl;
    if (!NT_SUCCESS(status))
        assert_null(arguments.pAdl);
    return status;
}

DXGK_ADL *adl_allocate(HANDLE open, SIZE_T offset, SIZE_T bytes)
{
    DXGK_ADL *adl;
    assert_int_equal(try_adl(open, offset, bytes, 0, &adl), STATUS_SUCCESS);
    assert_non_null(adl);
    assert_int_equal(adl->PageCount, bytes / PAGE);
    return adl;
}

void adl_free(HANDLE open, DXGK_ADL *adl)
{
    const DXGKARGCB_FREE_ADL arguments = {open, adl};
    world.ddi.DxgkCbFreeAdl(&arguments);
}

NTSTATUS try_map(HANDLE object, SIZE_T offset, SIZE_T bytes, DXGK_ACCESS_MODE mode, struct view *view)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY arguments = {object, mode, offset, bytes, UNTOUCHED};
    NTSTATUS status = world.ddi.DxgkCbMapPhysicalMemory(&arguments);
    view->base = arguments.pMappedAddress;
    view->bytes = arguments.Size;
    view->offset = arguments.Offset;
    if (!NT_SUCCESS(status)) {
        assert_null(view->base);
        assert_int_equal(view->bytes, bytes);
        assert_int_equal(view->offset, offset);
    }
    return status;
}

struct view view_map(HANDLE object, SIZE_T offset, SIZE_T bytes, DXGK_ACCESS_MODE mode)
{
    struct view view;
    assert_int_equal(try_map(object, offset, bytes, mode, &view), STATUS_SUCCESS);
    assert_non_null(view.base);
    assert_int_equal((uintptr_t)view.base % PAGE, 0);
    assert_int_equal(view.bytes % PAGE, 0);
    return view;
}

void view_unmap(HANDLE object, struct view view)
{
    const DXGKARGCB_UNMAP_PHYSICAL_MEMORY arguments = {object, view.base, view.bytes};
    world.ddi.DxgkCbUnmapPhysicalMemory(&arguments);
}

NTSTATUS try_pin(HANDLE lead, UINT index, SIZE_T bytes, unsigned flags, DXGK_ADL **adl)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 arguments;
    NTSTATUS status;
    memset(&arguments, 0, sizeof(arguments));
    arguments.PhysicalAdapterIndex = index;
    arguments.CommitSize = bytes;
    arguments.Flags.Value = flags;
    arguments.pAdl = (DXGK_ADL *)(void *)UNTOUCHED;
    status = world.ddi.DxgkCbPinFrameBufferForSave2(lead, &arguments);
    *adl = arguments.pAdl;
    if (!NT_SUCCESS(status))
        assert_null(arguments.pAdl);
    return status;
}

NTSTATUS try_pin_mdl(HANDLE lead, UINT index, SIZE_T bytes, struct dxgkmem_mdl **mdl)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE arguments;
    NTSTATUS status;
    memset(&arguments, 0, sizeof(arguments));
    arguments.PhysicalAdapterIndex = index;
    arguments.CommitSize = bytes;
    arguments.pMdl = (PMDL)UNTOUCHED;
    status = world.ddi.DxgkCbPinFrameBufferForSave(lead, &arguments);
    *mdl = (struct dxgkmem_mdl *)(void *)arguments.pMdl;
    assert_true(NT_SUCCESS(status) == (*mdl != NULL));
    return status;
}

NTSTATUS try_unpin(HANDLE lead, UINT index)
{
    const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE arguments = {index};
    return world.ddi.DxgkCbUnpinFrameBufferForSave(lead, &arguments);
}

NTSTATUS try_map_frame_buffer(HANDLE lead, UINT index, SIZE_T offset, SIZE_T bytes, unsigned char **base)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER arguments = {index, bytes, offset, UNTOUCHED};
    NTSTATUS status = world.ddi.DxgkCbMapFrameBufferPointer(lead, &arguments);
    *base = arguments.pBaseAddress;
    assert_int_equal(arguments.PhysicalAdapterIndex, index);
    assert_int_equal(arguments.Size, bytes);
    assert_int_equal(arguments.Offset, NT_SUCCESS(status) ? 0 : offset);
    assert_true(NT_SUCCESS(status) == (*base != NULL));
    return status;
}

NTSTATUS try_unmap_frame_buffer(HANDLE lead, UINT index, void *base)
{
    const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER arguments = {index, base};
    return world.ddi.DxgkCbUnmapFrameBufferPointer(lead, &arguments);
}

NTSTATUS try_contiguous(HANDLE adapter, SIZE_T bytes, struct handed_memory *memory)
{
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY arguments;
    NTSTATUS status;
    memset(&arguments, 0, sizeof(arguments));
    arguments.NumberOfBytes = bytes;
    arguments.HighestAcceptableAddress = physical(EVERY_ADDRESS);
    arguments.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    arguments.hMemoryHandle = arguments.pMemory = UNTOUCHED;
    status = world.ddi.DxgkCbAllocateContiguousMemory(adapter, &arguments);
    *memory = (struct handed_memory){arguments.hMemoryHandle, arguments.pMemory, NULL};
    assert_true(NT_SUCCESS(status) == (memory->handle != NULL) &&
                NT_SUCCESS(status) == (memory->base != NULL));
    return status;
}

NTSTATUS try_pages(HANDLE adapter, SIZE_T bytes, ULONG flags, struct handed_memory *memory)
{
    DXGKARGCB_ALLOCATEPAGESFORMDL arguments;
    NTSTATUS status;
    memset(&arguments, 0, sizeof(arguments));
    arguments.TotalBytes = bytes;
    arguments.HighAddress = physical(EVERY_ADDRESS);
    arguments.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    arguments.Flags = flags;
    arguments.hMemoryHandle = UNTOUCHED;
    arguments.pMdl = (PMDL)UNTOUCHED;
    status = world.ddi.DxgkCbAllocatePagesForMdl(adapter, &arguments);
    *memory = (struct handed_memory){arguments.hMemoryHandle, NULL, arguments.pMdl};
    assert_true(NT_SUCCESS(status) == (memory->handle != NULL) &&
                NT_SUCCESS(status) == (memory->mdl != NULL));
    if (memory->mdl != NULL)
        memory->base = ((const struct dxgkmem_mdl *)(const void *)memory->mdl)->MappedSystemVa;
    return status;
}

struct handed_memory contiguous_allocate(HANDLE adapter, SIZE_T bytes)
{
    struct handed_memory memory;
    assert_int_equal(try_contiguous(adapter, bytes, &memory), STATUS_SUCCESS);
    return memory;
}

struct handed_memory pages_allocate(HANDLE adapter, SIZE_T bytes)
{
    struct handed_memory memory;
    assert_int_equal(try_pages(adapter, bytes, 0, &memory), STATUS_SUCCESS);
    return memory;
}

NTSTATUS try_free_contiguous(HANDLE adapter, HANDLE memory)
{
    const DXGKARGCB_FREECONTIGUOUSMEMORY arguments = {memory};
    return world.ddi.DxgkCbFreeContiguousMemory(adapter, &arguments);
}

NTSTATUS try_free_pages(HANDLE adapter, HANDLE memory)
{
    const DXGKARGCB_FREEPAGESFROMMDL arguments = {memory};
    return world.ddi.DxgkCbFreePagesFromMdl(adapter, &arguments);
}

struct own_mdl own_mdl(unsigned first, unsigned pages)
{
    struct own_mdl mdl;
    memset(&mdl, 0, sizeof(mdl));
    mdl.header.MdlFlags = DXGKMEM_MDL_PAGES_LOCKED;
    mdl.header.ByteCount = pages * (ULONG)PAGE;
    for (unsigned i = 0; i < pages; i++) {
        uint64_t page;
        assert_true(dxgkmem_sim_driver_page(world.sim, first + i, &page));
        mdl.page[i] = (ULONG_PTR)page;
    }
    return mdl;
}

NTSTATUS try_map_mdl(HANDLE adapter, const void *mdl, HANDLE *memory)
{
    DXGKARGCB_MAPMDLTOIOMMU arguments;
    NTSTATUS status;
    arguments.pMdl = (PMDL)(uintptr_t)mdl;
    arguments.hMemoryHandle = UNTOUCHED;
    status = world.ddi.DxgkCbMapMdlToIoMmu(adapter, &arguments);
    *memory = arguments.hMemoryHandle;
    assert_true(NT_SUCCESS(status) == (*memory != NULL));
    assert_ptr_equal(arguments.pMdl, mdl);
    return status;
}

HANDLE mdl_map(HANDLE adapter, unsigned first, unsigned pages)
{
    struct own_mdl mdl = own_mdl(first, pages);
    HANDLE memory;
    assert_int_equal(try_map_mdl(adapter, &mdl, &memory), STATUS_SUCCESS);
    return memory;
}

void mdl_unmap(HANDLE adapter, HANDLE memory)
{
    const DXGKARGCB_UNMAPMDLFROMIOMMU arguments = {memory};
    world.ddi.DxgkCbUnmapMdlFromIoMmu(adapter, &arguments);
}

uint64_t adl_page(const DXGK_ADL *adl, uint32_t i)
{
    assert_true(i < adl->PageCount);
    return adl->Flags.Contiguous ? adl->BasePageNumber + i : adl->Pages[i];
}
