/* SPDX-License-Identifier: MIT */
/* OPEN, CLOSE and DESTROY. */
#include "plain.h"

#include <stdlib.h>

struct plain_object *plain_find_object(HANDLE handle)
{
    struct plain_object *object;

    LIST_FOREACH(object, &plain.objects, next)
    if (object == (struct plain_object *)handle)
        return object;
    return NULL;
}

struct plain_open *plain_find_open(HANDLE handle)
{
    struct plain_open *open;

    LIST_FOREACH(open, &plain.opens, next)
    if (open == (struct plain_open *)handle)
        return open;
    return NULL;
}

struct plain_open *plain_open_on(struct plain_object *object, struct plain_chain *chain)
{
    struct plain_open *open = plain_alloc(sizeof *open);

    if (!open)
        return NULL;
    open->object = object;
    open->chain = chain;
    object->open = open;
    LIST_INSERT_HEAD(&plain.opens, open, next);
    return open;
}

void plain_close_open(struct plain_open *open)
{
    struct plain_adl *adl = LIST_FIRST(&plain.adls), *after;

    for (; adl; adl = after) {
        after = LIST_NEXT(adl, next);
        if (adl->open == open)
            plain_free_one(adl);
    }
    open->object->open = NULL;
    LIST_REMOVE(open, next);
    free(open);
}

/* It is not open any more. */
void plain_end_object(struct plain_object *object)
{
    struct plain_mapping *mapping = LIST_FIRST(&plain.mappings), *after;

    for (; mapping; mapping = after) {
        after = LIST_NEXT(mapping, next);
        if (mapping->object == object)
            plain_unmap_one(mapping);
    }
    OPS->memory_destroy(plain.machine, object->memory);
    LIST_REMOVE(object, next);
    free(object);
}

static NTSTATUS open_locked(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *args)
{
    struct plain_object *object = plain_find_object(args->hPhysicalMemoryObject);
    struct plain_adapter *adapter = plain_find_adapter(args->hAdapter);

    if (!object || !adapter)
        return STATUS_INVALID_HANDLE;
    if (object->open)
        return STATUS_SHARING_VIOLATION;
    if (object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE &&
        !plain_sees(adapter->chain, object->io_page, object->pages))
        return STATUS_INVALID_PARAMETER;
    if (!plain_open_on(object, adapter->chain))
        return STATUS_INSUFFICIENT_RESOURCES;
    args->hAdapterMemoryObject = object->open;
    return STATUS_SUCCESS;
}

NTSTATUS APIENTRY CALLBACK plain_open_object(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&plain.lock);
    NTSTATUS status = open_locked(args);
    pthread_mutex_unlock(&plain.lock);
    return status;
}

void APIENTRY CALLBACK plain_close(const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&plain.lock);
    struct plain_open *open = plain_find_open(args->hAdapterMemoryObject);
    if (open)
        plain_close_open(open);
    pthread_mutex_unlock(&plain.lock);
}

void APIENTRY CALLBACK plain_destroy(const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *args)
{
    pthread_mutex_lock(&plain.lock);
    struct plain_object *object = plain_find_object(args->hPhysicalMemoryObject);
    bool named = args->hAdapterMemoryObject != NULL;
    if (object && (!named || (object->open && args->hAdapterMemoryObject == (HANDLE)object->open))) {
        if (object->open)
            plain_close_open(object->open);
        plain_end_object(object);
    }
    pthread_mutex_unlock(&plain.lock);
}
