/* SPDX-License-Identifier: MIT */
/* Implements peer.h. */
#include "peer.h"

#include <pthread.h>
#include <stdlib.h>
#include <uthash.h>

struct object {
    uintptr_t handle;
    struct dxgkmem_memory *memory;
    uint64_t pages;
    struct adapter_object *open;
    unsigned mappings;
    UT_hash_handle hh;
};

struct adapter_object {
    uintptr_t handle;
    struct object *object;
    unsigned adls;
    UT_hash_handle hh;
};

struct adl {
    const DXGK_ADL *address; /* the key: of the member below */
    struct adapter_object *owner;
    uint64_t first, page;
    DXGK_ADL handed_out;
    UT_hash_handle hh;
};

struct mapping {
    void *base;
    struct object *object;
    uint64_t pages;
    uint64_t process;
    UT_hash_handle hh;
};

static struct {
    pthread_mutex_t lock;
    struct dxgkmem_machine *machine;
    struct dxgkmem_domain *domain;
    uintptr_t last_handle;
    struct object *objects;
    struct adapter_object *adapter_objects;
    struct adl *adls;
    struct mapping *mappings;
} peer = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define OPS (peer.machine->ops)

static struct object *find_object(HANDLE handle)
{
    uintptr_t key = (uintptr_t)handle;
    struct object *object;

    HASH_FIND(hh, peer.objects, &key, sizeof key, object);
    return object;
}

static struct adapter_object *find_adapter_object(HANDLE handle)
{
    uintptr_t key = (uintptr_t)handle;
    struct adapter_object *adapter_object;

    HASH_FIND(hh, peer.adapter_objects, &key, sizeof key, adapter_object);
    return adapter_object;
}

static NTSTATUS create_locked(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args)
{
    struct object *object;
    struct dxgkmem_memory_request request = {
        .type = args->Type,
        .cache = args->CacheType,
        .pages = (args->Size + DXGKMEM_PAGE_MASK) >> DXGKMEM_PAGE_SHIFT,
        .lowest_page =
            (uint64_t)args->ContiguousMemory.LowestAcceptableAddress.QuadPart >> DXGKMEM_PAGE_SHIFT,
        .highest_page =
            (uint64_t)args->ContiguousMemory.HighestAcceptableAddress.QuadPart >> DXGKMEM_PAGE_SHIFT,
        .boundary_pages =
            (uint64_t)args->ContiguousMemory.BoundaryAddressMultiple.QuadPart >> DXGKMEM_PAGE_SHIFT,
    };

    if (args->Type != DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY || args->hAdapter || !args->Size)
        return STATUS_INVALID_PARAMETER;
    object = calloc(1, sizeof *object);
    if (!object)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = OPS->memory_create(peer.machine, &request, &object->memory);
    if (!NT_SUCCESS(status)) {
        free(object);
        return status;
    }
    OPS->memory_zero(peer.machine, object->memory);
    object->pages = request.pages;
    object->handle = ++peer.last_handle;
    HASH_ADD(hh, peer.objects, handle, sizeof object->handle, object);
    args->hPhysicalMemoryObject = (HANDLE)object->handle;
    return STATUS_SUCCESS;
}

static NTSTATUS APIENTRY CALLBACK create(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&peer.lock);
    NTSTATUS status = create_locked(args);
    pthread_mutex_unlock(&peer.lock);
    return status;
}

static void APIENTRY CALLBACK destroy(const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&peer.lock);
    struct object *object = find_object(args->hPhysicalMemoryObject);
    if (object && !object->open && !object->mappings) {
        HASH_DEL(peer.objects, object);
        OPS->memory_destroy(peer.machine, object->memory);
        free(object);
    }
    pthread_mutex_unlock(&peer.lock);
}

static NTSTATUS open_locked(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *args)
{
    struct object *object = find_object(args->hPhysicalMemoryObject);
    struct adapter_object *adapter_object;

    if (!object || args->hAdapter != (HANDLE)&peer)
        return STATUS_INVALID_HANDLE;
    if (object->open)
        return STATUS_SHARING_VIOLATION;
    adapter_object = calloc(1, sizeof *adapter_object);
    if (!adapter_object)
        return STATUS_INSUFFICIENT_RESOURCES;
    adapter_object->object = object;
    adapter_object->handle = ++peer.last_handle;
    object->open = adapter_object;
    HASH_ADD(hh, peer.adapter_objects, handle, sizeof adapter_object->handle, adapter_object);
    args->hAdapterMemoryObject = (HANDLE)adapter_object->handle;
    return STATUS_SUCCESS;
}

static NTSTATUS APIENTRY CALLBACK open_object(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&peer.lock);
    NTSTATUS status = open_locked(args);
    pthread_mutex_unlock(&peer.lock);
    return status;
}

static void APIENTRY CALLBACK close_object(const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&peer.lock);
    struct adapter_object *adapter_object = find_adapter_object(args->hAdapterMemoryObject);
    if (adapter_object && !adapter_object->adls) {
        HASH_DEL(peer.adapter_objects, adapter_object);
        adapter_object->object->open = NULL;
        free(adapter_object);
    }
    pthread_mutex_unlock(&peer.lock);
}

static NTSTATUS allocate_adl_locked(DXGKARGCB_ALLOCATE_ADL *args)
{
    struct adapter_object *owner = find_adapter_object(args->hAdapterMemoryObject);
    uint64_t first = args->Offset >> DXGKMEM_PAGE_SHIFT, pages = args->Size >> DXGKMEM_PAGE_SHIFT;
    struct adl *adl;

    if (!owner)
        return STATUS_INVALID_HANDLE;
    if ((args->Offset | args->Size) & DXGKMEM_PAGE_MASK || !pages || first > owner->object->pages ||
        pages > owner->object->pages - first)
        return STATUS_INVALID_PARAMETER;
    adl = calloc(1, sizeof *adl);
    if (!adl)
        return STATUS_INSUFFICIENT_RESOURCES;
    struct dxgkmem_memory *memory = owner->object->memory;
    NTSTATUS status = OPS->memory_lock(peer.machine, memory, first, pages);
    if (!NT_SUCCESS(status)) {
        free(adl);
        return status;
    }
    struct dxgkmem_run run = OPS->memory_run(peer.machine, memory, first);
    run.pages = pages;
    status =
        OPS->domain_map(peer.machine, peer.domain, run.page, run, DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE);
    if (!NT_SUCCESS(status)) {
        OPS->memory_unlock(peer.machine, memory, first, pages);
        free(adl);
        return status;
    }
    adl->owner = owner;
    adl->first = first;
    adl->page = run.page;
    adl->handed_out.PageCount = (UINT32)pages;
    adl->handed_out.Flags.Contiguous = 1;
    adl->handed_out.BasePageNumber = (DXGK_PAGE_NUMBER)run.page;
    adl->address = &adl->handed_out;
    owner->adls++;
    HASH_ADD_PTR(peer.adls, address, adl);
    args->pAdl = &adl->handed_out;
    return STATUS_SUCCESS;
}

static NTSTATUS APIENTRY CALLBACK allocate_adl(DXGKARGCB_ALLOCATE_ADL *args)
{
    pthread_mutex_lock(&peer.lock);
    NTSTATUS status = allocate_adl_locked(args);
    pthread_mutex_unlock(&peer.lock);
    return status;
}

static void APIENTRY CALLBACK free_adl(const DXGKARGCB_FREE_ADL *args)
{
    struct adl *adl;

    pthread_mutex_lock(&peer.lock);
    const DXGK_ADL *address = args->pAdl;
    struct adapter_object *owner = find_adapter_object(args->hAdapterMemoryObject);
    HASH_FIND_PTR(peer.adls, &address, adl);
    if (adl && adl->owner == owner) {
        uint64_t pages = adl->handed_out.PageCount;
        HASH_DEL(peer.adls, adl);
        OPS->domain_unmap(peer.machine, peer.domain, adl->page, pages);
        OPS->domain_flush(peer.machine, peer.domain, adl->page, pages);
        OPS->memory_unlock(peer.machine, owner->object->memory, adl->first, pages);
        owner->adls--;
        free(adl);
    }
    pthread_mutex_unlock(&peer.lock);
}

static NTSTATUS map_locked(DXGKARGCB_MAP_PHYSICAL_MEMORY *args)
{
    struct object *object = find_object(args->hPhysicalMemoryObject);
    uint64_t first = args->Offset >> DXGKMEM_PAGE_SHIFT, end;
    struct mapping *mapping;

    if (!object)
        return STATUS_INVALID_HANDLE;
    end = (args->Offset + args->Size + DXGKMEM_PAGE_MASK) >> DXGKMEM_PAGE_SHIFT;
    if (!args->Size || end > object->pages || first >= end)
        return STATUS_INVALID_PARAMETER;
    mapping = calloc(1, sizeof *mapping);
    if (!mapping)
        return STATUS_INSUFFICIENT_RESOURCES;
    NTSTATUS status = OPS->map(peer.machine, object->memory, first, end - first, args->AccessMode,
                               DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE, &mapping->base);
    if (!NT_SUCCESS(status)) {
        free(mapping);
        return status;
    }
    mapping->object = object;
    mapping->pages = end - first;
    mapping->process = args->AccessMode == DXGK_ACCESS_MODE_USER_MODE ? OPS->process(peer.machine) : 0;
    object->mappings++;
    HASH_ADD_PTR(peer.mappings, base, mapping);
    args->Offset &= DXGKMEM_PAGE_MASK;
    args->Size = (SIZE_T)(mapping->pages << DXGKMEM_PAGE_SHIFT);
    args->pMappedAddress = mapping->base;
    return STATUS_SUCCESS;
}

static NTSTATUS APIENTRY CALLBACK map(DXGKARGCB_MAP_PHYSICAL_MEMORY *args)
{
    pthread_mutex_lock(&peer.lock);
    NTSTATUS status = map_locked(args);
    pthread_mutex_unlock(&peer.lock);
    return status;
}

static void APIENTRY CALLBACK unmap(const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *args)
{
    struct mapping *mapping;

    pthread_mutex_lock(&peer.lock);
    void *base = args->pBaseAddress;
    struct object *object = find_object(args->hPhysicalMemoryObject);
    HASH_FIND_PTR(peer.mappings, &base, mapping);
    if (mapping && mapping->object == object && mapping->pages << DXGKMEM_PAGE_SHIFT == args->Size) {
        HASH_DEL(peer.mappings, mapping);
        OPS->unmap(peer.machine, object->memory, mapping->base, mapping->pages, mapping->process);
        object->mappings--;
        free(mapping);
    }
    pthread_mutex_unlock(&peer.lock);
}

bool peer_start(struct dxgkmem_machine *machine, uint64_t device, DXGKRNL_INTERFACE *callbacks)
{
    peer.machine = machine;
    if (!NT_SUCCESS(OPS->domain_create(machine, &peer.domain)) ||
        !NT_SUCCESS(OPS->domain_attach(machine, peer.domain, device)))
        return false;
    callbacks->DeviceHandle = (HANDLE)&peer;
    callbacks->DxgkCbCreatePhysicalMemoryObject = create;
    callbacks->DxgkCbDestroyPhysicalMemoryObject = destroy;
    callbacks->DxgkCbOpenPhysicalMemoryObject = open_object;
    callbacks->DxgkCbClosePhysicalMemoryObject = close_object;
    callbacks->DxgkCbMapPhysicalMemory = map;
    callbacks->DxgkCbUnmapPhysicalMemory = unmap;
    callbacks->DxgkCbAllocateAdl = allocate_adl;
    callbacks->DxgkCbFreeAdl = free_adl;
    return true;
}
