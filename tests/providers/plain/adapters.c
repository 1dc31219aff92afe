/* SPDX-License-Identifier: MIT */
/* Adapters: who sees which memory, linked adapters, removal, and saving the frame buffer. */
#include "plain.h"

#include <stdlib.h>

struct plain_adapter *plain_find_adapter(HANDLE handle)
{
    struct plain_adapter *adapter;

    LIST_FOREACH(adapter, &plain.adapters, next)
    if (adapter == (struct plain_adapter *)handle)
        return adapter;
    return NULL;
}

/* One past the last page below an address. */
static uint64_t pages_below(uint64_t address)
{
    return (address >> DXGKMEM_PAGE_SHIFT) + ((address & DXGKMEM_PAGE_MASK) == DXGKMEM_PAGE_MASK);
}

bool plain_sees(const struct plain_chain *chain, uint64_t first, uint64_t pages)
{
    return chain->remapped || first + pages <= pages_below(chain->highest_visible);
}

/* -- adding ------------------------------------------------------------------- */

static bool bad_config(const struct dxgkmem_adapter_config *config)
{
    const struct plain_adapter *adapter;

    LIST_FOREACH(adapter, &plain.adapters, next)
    if (adapter->device == config->device)
        return true;
    return !dxgkmem_ddi_version_known(config->version) ||
           pages_below((uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart) < 2 ||
           config->frame_buffer_bytes > DXGKMEM_OBJECT_BYTES_MAX ||
           (config->frame_buffer_bytes & DXGKMEM_PAGE_MASK) != 0 ||
           (unsigned)config->remapping > DXGKMEM_REMAPPING_ALWAYS;
}

static bool is_used(const struct plain_chain *chain)
{
    const struct plain_open *open;
    const struct plain_adapter *adapter;

    LIST_FOREACH(open, &plain.opens, next)
    if (open->chain == chain)
        return true;
    LIST_FOREACH(adapter, &plain.adapters, next)
    if (adapter->chain == chain && adapter->saved)
        return true;
    return false;
}

/* The chain that a linked adapter joins; NULL: it does not fit. */
static struct plain_chain *join(const struct dxgkmem_adapter_config *config, bool sees_all)
{
    struct plain_adapter *other = plain_find_adapter(config->link_to);
    uint64_t visible = (uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart;
    struct plain_chain *chain;

    if (!other)
        return NULL;
    chain = other->chain;
    if (chain->version != config->version || chain->indices == DXGKMEM_CHAIN_MAX)
        return NULL;
    if (chain->remapped ? !config->iommu_caps.DmaRemappingSupported : !sees_all)
        return NULL;
    if (pages_below(visible) < pages_below(chain->highest_visible) && is_used(chain))
        return NULL;
    if (visible < chain->highest_visible)
        chain->highest_visible = visible;
    return chain;
}

static NTSTATUS new_chain(const struct dxgkmem_adapter_config *config, bool sees_all,
                          struct plain_chain **made)
{
    struct plain_chain *chain;
    NTSTATUS status;

    if (!config->iommu_caps.DmaRemappingSupported && config->remapping == DXGKMEM_REMAPPING_ALWAYS)
        return STATUS_INVALID_PARAMETER;
    if (!config->iommu_caps.DmaRemappingSupported && !sees_all)
        return STATUS_NOT_SUPPORTED;
    chain = plain_alloc(sizeof *chain);
    if (!chain)
        return STATUS_INSUFFICIENT_RESOURCES;
    status = OPS->domain_create(plain.machine, &chain->domain);
    if (!NT_SUCCESS(status)) {
        free(chain);
        return status;
    }
    chain->remapped = config->remapping == DXGKMEM_REMAPPING_ALWAYS || !sees_all;
    chain->version = config->version;
    chain->highest_visible = (uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart;
    *made = chain;
    return STATUS_SUCCESS;
}

static void free_chain(struct plain_chain *chain)
{
    OPS->domain_destroy(plain.machine, chain->domain);
    free(chain);
}

static NTSTATUS add_locked(const struct dxgkmem_adapter_config *config, HANDLE *handle)
{
    uint64_t visible = (uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart;
    bool sees_all = pages_below(visible) > OPS->highest_ram_page(plain.machine);
    struct plain_chain *chain = NULL;
    struct plain_adapter *adapter;
    NTSTATUS status = STATUS_SUCCESS;

    if (bad_config(config))
        return STATUS_INVALID_PARAMETER;
    adapter = plain_alloc(sizeof *adapter);
    if (!adapter)
        return STATUS_INSUFFICIENT_RESOURCES;
    if (config->link_to) {
        chain = join(config, sees_all);
        status = chain ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    } else {
        status = new_chain(config, sees_all, &chain);
    }
    if (NT_SUCCESS(status))
        status = OPS->domain_attach(plain.machine, chain->domain, config->device);
    if (!NT_SUCCESS(status)) {
        if (chain && chain->present == 0)
            free_chain(chain);
        free(adapter);
        return status;
    }
    adapter->chain = chain;
    adapter->device = config->device;
    adapter->index = chain->indices++;
    adapter->frame_buffer_bytes = config->frame_buffer_bytes;
    chain->present++;
    LIST_INSERT_HEAD(&plain.adapters, adapter, next);
    *handle = adapter;
    return STATUS_SUCCESS;
}

NTSTATUS plain_add_adapter(const struct dxgkmem_adapter_config *config, HANDLE *handle)
{
    pthread_mutex_lock(&plain.lock);
    NTSTATUS status = add_locked(config, handle);
    pthread_mutex_unlock(&plain.lock);
    return status;
}

/* -- frame buffers ------------------------------------------------------------ */

/* The adapter of this index in the chain of the lead adapter; NULL: no such, or not the lead. */
static struct plain_adapter *member(const struct plain_adapter *lead, unsigned index)
{
    struct plain_adapter *adapter, *found = NULL;

    LIST_FOREACH(adapter, &plain.adapters, next)
    {
        if (adapter->chain != lead->chain)
            continue;
        if (adapter->index < lead->index)
            return NULL;
        if (adapter->index == index)
            found = adapter;
    }
    return found;
}

static NTSTATUS make_save_area(struct plain_adapter *adapter, bool prefer_contiguous)
{
    const struct plain_chain *chain = adapter->chain;
    struct dxgkmem_memory_request request = {
        .type = DXGK_PHYSICAL_MEMORY_TYPE_MDL,
        .cache = DXGK_MEMORY_CACHING_TYPE_CACHED,
        .pages = adapter->frame_buffer_bytes >> DXGKMEM_PAGE_SHIFT,
        .highest_page = OPS->highest_page(plain.machine),
        .prefer_contiguous = prefer_contiguous,
    };
    NTSTATUS status;

    if (!chain->remapped && pages_below(chain->highest_visible) <= request.highest_page)
        request.highest_page = pages_below(chain->highest_visible) - 1;
    status = OPS->memory_create(plain.machine, &request, &adapter->save);
    if (NT_SUCCESS(status))
        OPS->memory_zero(plain.machine, adapter->save);
    else
        adapter->save = NULL;
    return status;
}

static void free_save_area(struct plain_adapter *adapter)
{
    if (adapter->save)
        OPS->memory_destroy(plain.machine, adapter->save);
    adapter->save = NULL;
}

static NTSTATUS pin_locked(HANDLE handle, DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *args)
{
    struct plain_adapter *lead = plain_find_adapter(handle), *adapter;
    NTSTATUS status = STATUS_SUCCESS;
    bool first;

    if (!lead)
        return STATUS_INVALID_HANDLE;
    adapter = member(lead, args->PhysicalAdapterIndex);
    if (!adapter || adapter->saved || !args->CommitSize || args->CommitSize & DXGKMEM_PAGE_MASK ||
        args->CommitSize > adapter->frame_buffer_bytes)
        return STATUS_INVALID_PARAMETER;
    first = !adapter->save;
    if (first)
        status = make_save_area(adapter, args->Flags.PreferContiguous);
    if (NT_SUCCESS(status))
        status = plain_make_adl(lead->chain, adapter->save, 0, args->CommitSize >> DXGKMEM_PAGE_SHIFT,
                                &adapter->saved);
    if (!NT_SUCCESS(status)) {
        if (first)
            free_save_area(adapter);
        return status;
    }
    args->pAdl = &adapter->saved->handed_out;
    return STATUS_SUCCESS;
}

NTSTATUS APIENTRY CALLBACK plain_pin(HANDLE handle, DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *args)
{
    pthread_mutex_lock(&plain.lock);
    NTSTATUS status = pin_locked(handle, args);
    pthread_mutex_unlock(&plain.lock);
    return status;
}

static void unpin(struct plain_adapter *adapter)
{
    plain_free_one(adapter->saved);
    adapter->saved = NULL;
}

NTSTATUS APIENTRY CALLBACK plain_unpin(HANDLE handle, const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *args)
{
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    pthread_mutex_lock(&plain.lock);
    struct plain_adapter *lead = plain_find_adapter(handle);
    struct plain_adapter *adapter = lead ? member(lead, args->PhysicalAdapterIndex) : NULL;
    if (adapter && adapter->saved) {
        unpin(adapter);
        status = STATUS_SUCCESS;
    }
    pthread_mutex_unlock(&plain.lock);
    return status;
}

/* -- removal -------------------------------------------------------------------- */

static void close_all_on(const struct plain_chain *chain)
{
    struct plain_open *open = LIST_FIRST(&plain.opens), *after;

    for (; open; open = after) {
        after = LIST_NEXT(open, next);
        if (open->chain == chain)
            plain_close_open(open);
    }
}

void plain_remove(struct plain_adapter *adapter)
{
    struct plain_chain *chain = adapter->chain;

    if (adapter->saved)
        unpin(adapter);
    if (chain->present == 1)
        close_all_on(chain);
    OPS->domain_detach(plain.machine, chain->domain, adapter->device);
    free_save_area(adapter);
    LIST_REMOVE(adapter, next);
    free(adapter);
    if (--chain->present == 0)
        free_chain(chain);
}

NTSTATUS plain_remove_adapter(HANDLE handle)
{
    pthread_mutex_lock(&plain.lock);
    struct plain_adapter *adapter = plain_find_adapter(handle);
    if (adapter)
        plain_remove(adapter);
    pthread_mutex_unlock(&plain.lock);
    return adapter ? STATUS_SUCCESS : STATUS_INVALID_HANDLE;
}
