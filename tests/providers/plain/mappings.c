/* SPDX-License-Identifier: MIT */
/* MAP, UNMAP and the end of a process. */
#include "plain.h"

#include <stdlib.h>

static NTSTATUS map_locked(DXGKARGCB_MAP_PHYSICAL_MEMORY *args)
{
    struct plain_object *object = plain_find_object(args->hPhysicalMemoryObject);
    bool user = args->AccessMode == DXGK_ACCESS_MODE_USER_MODE;
    struct plain_mapping *mapping;
    uint64_t bytes, first;
    NTSTATUS status;

    if (!object)
        return STATUS_INVALID_HANDLE;
    bytes = object->pages << DXGKMEM_PAGE_SHIFT;
    if ((!user && args->AccessMode != DXGK_ACCESS_MODE_KERNEL_MODE) ||
        (user && object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE) || !args->Size || args->Size > bytes ||
        args->Offset > bytes - args->Size)
        return STATUS_INVALID_PARAMETER;
    mapping = plain_alloc(sizeof *mapping);
    if (!mapping)
        return STATUS_INSUFFICIENT_RESOURCES;
    first = args->Offset >> DXGKMEM_PAGE_SHIFT;
    mapping->object = object;
    mapping->pages = ((args->Offset + args->Size - 1) >> DXGKMEM_PAGE_SHIFT) - first + 1;
    mapping->size = args->Size;
    mapping->process = user ? OPS->process(plain.machine) : 0;
    status = OPS->map(plain.machine, object->memory, first, mapping->pages, args->AccessMode, object->access,
                      &mapping->base);
    if (!NT_SUCCESS(status)) {
        free(mapping);
        return status;
    }
    LIST_INSERT_HEAD(&plain.mappings, mapping, next);
    args->pMappedAddress = mapping->base;
    args->Offset &= DXGKMEM_PAGE_MASK;
    return STATUS_SUCCESS;
}

NTSTATUS APIENTRY CALLBACK plain_map(DXGKARGCB_MAP_PHYSICAL_MEMORY *args)
{
    pthread_mutex_lock(&plain.lock);
    NTSTATUS status = map_locked(args);
    pthread_mutex_unlock(&plain.lock);
    return status;
}

void plain_unmap_one(struct plain_mapping *mapping)
{
    OPS->unmap(plain.machine, mapping->object->memory, mapping->base, mapping->pages, mapping->process);
    LIST_REMOVE(mapping, next);
    free(mapping);
}

void APIENTRY CALLBACK plain_unmap(const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *args)
{
    struct plain_mapping *mapping;

    pthread_mutex_lock(&plain.lock);
    LIST_FOREACH(mapping, &plain.mappings, next)
    if (mapping->base == args->pBaseAddress && mapping->size == args->Size &&
        mapping->object == (struct plain_object *)args->hPhysicalMemoryObject &&
        (mapping->process == 0 || mapping->process == OPS->process(plain.machine)))
        break;
    if (mapping)
        plain_unmap_one(mapping);
    pthread_mutex_unlock(&plain.lock);
}

void plain_process_exit(uint64_t process)
{
    struct plain_mapping *mapping, *after;

    pthread_mutex_lock(&plain.lock);
    for (mapping = LIST_FIRST(&plain.mappings); mapping; mapping = after) {
        after = LIST_NEXT(mapping, next);
        if (mapping->process == process)
            plain_unmap_one(mapping);
    }
    pthread_mutex_unlock(&plain.lock);
}
