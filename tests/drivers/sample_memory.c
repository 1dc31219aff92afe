/* SPDX-License-Identifier: MIT */
/* Physical memory objects with their mapping and their ADL. Owns making and releasing them. */
#include "sample.h"

static VOID SmpDescribe(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *create, ULONG64 Address)
{
    switch (create->Type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        create->ContiguousMemory.HighestAcceptableAddress.QuadPart = SMP_HIGHEST;
        break;
    case DXGK_PHYSICAL_MEMORY_TYPE_SECTION:
        create->Section.PageProtection = PAGE_READWRITE;
        break;
    case DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE:
        create->CacheType = DXGK_MEMORY_CACHING_TYPE_NON_CACHED;
        create->IOSpace.BaseAddress.QuadPart = (LONGLONG)Address;
        break;
    default:
        create->Mdl.HighAddress.QuadPart = SMP_HIGHEST;
        break;
    }
}

_Use_decl_annotations_ NTSTATUS SmpMemoryCreate(const DXGKRNL_INTERFACE *Dxgk, HANDLE Adapter,
                                                DXGK_PHYSICAL_MEMORY_TYPE Type, SIZE_T Size, ULONG64 Address,
                                                struct smp_memory *Memory)
{
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create;
    NTSTATUS status;

    PAGED_CODE();
    RtlZeroMemory(&create, sizeof(create));
    create.hAdapter = Adapter;
    create.Size = Size;
    create.Context = (ULONG_PTR)Memory;
    create.Type = Type;
    create.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    SmpDescribe(&create, Address);
    status = Dxgk->DxgkCbCreatePhysicalMemoryObject(&create);
    if (!NT_SUCCESS(status))
        return status;
    Memory->object = create.hPhysicalMemoryObject;
    Memory->open = create.hAdapterMemoryObject;
    return STATUS_SUCCESS;
}

NTSTATUS SmpMemoryMap(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory, SIZE_T Size,
                      DXGK_ACCESS_MODE Mode)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY map;
    NTSTATUS status;

    RtlZeroMemory(&map, sizeof(map));
    map.hPhysicalMemoryObject = Memory->object;
    map.AccessMode = Mode;
    map.Size = Size;
    status = Dxgk->DxgkCbMapPhysicalMemory(&map);
    if (!NT_SUCCESS(status))
        return status;
    Memory->base = map.pMappedAddress;
    Memory->mapped = map.Size;
    Memory->bytes = (PUCHAR)map.pMappedAddress + map.Offset;
    return STATUS_SUCCESS;
}

NTSTATUS SmpMemoryAttach(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory, SIZE_T Size,
                         BOOLEAN Contiguous)
{
    DXGKARGCB_ALLOCATE_ADL adl;
    NTSTATUS status;

    RtlZeroMemory(&adl, sizeof(adl));
    adl.hAdapterMemoryObject = Memory->open;
    adl.Size = ROUND_TO_PAGES(Size);
    adl.Flags.RequireContiguous = Contiguous ? 1u : 0u;
    adl.Flags.PreferContiguous = 1;
    status = Dxgk->DxgkCbAllocateAdl(&adl);
    if (NT_SUCCESS(status))
        Memory->adl = adl.pAdl;
    return status;
}

/* Contiguous may be set without having been asked for, so it is looked at always. */
ULONG64 SmpAdlPage(const DXGK_ADL *Adl, ULONG Index)
{
    NT_ASSERT(Index < Adl->PageCount);
    if (Adl->Flags.Contiguous)
        return Adl->BasePageNumber + Index;
    return Adl->Pages[Index];
}

VOID SmpMemoryUnmap(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory)
{
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY unmap;

    if (Memory->base == NULL)
        return;
    unmap.hPhysicalMemoryObject = Memory->object;
    unmap.pBaseAddress = Memory->base;
    unmap.Size = Memory->mapped;
    Dxgk->DxgkCbUnmapPhysicalMemory(&unmap);
    Memory->base = NULL;
    Memory->bytes = NULL;
}

/* However much of it was made. The destroy closes what is open. */
VOID SmpMemoryRelease(const DXGKRNL_INTERFACE *Dxgk, struct smp_memory *Memory)
{
    SmpMemoryUnmap(Dxgk, Memory);
    if (Memory->adl != NULL) {
        DXGKARGCB_FREE_ADL free_adl = {Memory->open, Memory->adl};

        Dxgk->DxgkCbFreeAdl(&free_adl);
    }
    if (Memory->object != NULL) {
        DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT destroy = {Memory->object, Memory->open};

        Dxgk->DxgkCbDestroyPhysicalMemoryObject(&destroy);
    }
    RtlZeroMemory(Memory, sizeof(*Memory));
}
