/* SPDX-License-Identifier: MIT */
/*
 * The WDDM 2.4 callbacks: contiguous memory, pages for an MDL, and their frees.
 *
 * A memory is recorded as the pages of a create of the same type, one ADL over all of them that nobody was
 * handed, and one mapping for the kernel. All of it goes with the memory's handle.
 */
#include "model_internal.h"

const struct model_adapter *model_resolve_offering(const struct model *model, HANDLE handle,
                                                   enum dxgkmem_call call,
                                                   struct model_expectation *expectation)
{
    const struct model_adapter *adapter = model_resolve(model, MODEL_ADAPTER, handle, call, expectation);

    if (adapter == NULL)
        return NULL;
    if (adapter->chain->version < DXGKDDI_INTERFACE_VERSION_WDDM2_4)
        model_refuse(expectation, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, adapter->handle);
    else if (adapter->objects_only)
        model_refuse(expectation, DXGKMEM_VIOLATION_LEGACY_CALLBACK, adapter->handle);
    else
        return adapter;
    return NULL;
}

/* -- what is asked for ----------------------------------------------------------- */

static create_arguments as_contiguous(const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *in)
{
    create_arguments create = {.Size = in->NumberOfBytes, .CacheType = in->CacheType};

    create.Type = DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY;
    create.ContiguousMemory.LowestAcceptableAddress = in->LowestAcceptableAddress;
    create.ContiguousMemory.HighestAcceptableAddress = in->HighestAcceptableAddress;
    create.ContiguousMemory.BoundaryAddressMultiple = in->BoundaryAddressMultiple;
    return create;
}

static create_arguments as_mdl(const DXGKARGCB_ALLOCATEPAGESFORMDL *in)
{
    create_arguments create = {.Size = in->TotalBytes, .CacheType = in->CacheType};

    create.Type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
    create.Mdl.LowAddress = in->LowAddress;
    create.Mdl.HighAddress = in->HighAddress;
    create.Mdl.SkipBytes = in->SkipBytes;
    create.Mdl.Flags = in->Flags;
    return create;
}

static void allocate(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                     const create_arguments *create, enum dxgkmem_call call,
                     struct model_expectation *expectation)
{
    const struct model_adapter *adapter = model_resolve_offering(model, handle, call, expectation);

    (void)conditions;
    if (adapter == NULL)
        return;
    model_check_fields(model, create, adapter->chain, expectation);
    if (expectation->violation != DXGKMEM_VIOLATION_NONE)
        return;
    if (!model_chain_quota(adapter->chain, model_pages_asked(create), 0, 1, expectation) ||
        !model_handle_room(model, 1, expectation))
        return;
    model_check_pages(model, create, adapter->chain, expectation);
    if (!expectation->must_fail)
        model_mapping_may_fail(model, model_pages_asked(create), expectation);
}

void model_allocate_contiguous(struct model *model, const struct model_conditions *conditions, HANDLE adapter,
                               const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *in,
                               struct model_expectation *expectation)
{
    if (!model_begin(model, conditions, expectation))
        return;
    create_arguments create = as_contiguous(in);
    allocate(model, conditions, adapter, &create, DXGKMEM_CALL_ALLOCATE_CONTIGUOUS, expectation);
}

void model_allocate_pages(struct model *model, const struct model_conditions *conditions, HANDLE adapter,
                          const DXGKARGCB_ALLOCATEPAGESFORMDL *in, struct model_expectation *expectation)
{
    if (!model_begin(model, conditions, expectation))
        return;
    create_arguments create = as_mdl(in);
    allocate(model, conditions, adapter, &create, DXGKMEM_CALL_ALLOCATE_PAGES, expectation);
}

/* -- what was made --------------------------------------------------------------- */

/* What a memory consists of, as it was handed out. */
struct parts {
    HANDLE adapter, handle;
    const void *base;
    const struct dxgkmem_mdl *mdl;
    const DXGK_ADL *pages;
    enum dxgkmem_call by;
};

const char *model_make_memory(struct model *model, const struct model_memory *made, uint64_t operation,
                              enum dxgkmem_call by, unsigned *invariant)
{
    struct model_memory *memory = &model->memory[model->allocations];

    if (model->allocations == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another memory");
    model->allocations++;
    *memory = *made;
    model_life_begin(&memory->life, operation, by);
    model_give_handle(model, MODEL_MEMORY, memory->handle, &memory->life, memory);
    memory->chain->pages += memory->adl->pages;
    memory->chain->memories++;
    model->live_memories++;
    if (memory->mapping == NULL)
        model->live_mdls++;
    return NULL;
}

static const char *make(struct model *model, const struct model_conditions *conditions,
                        const create_arguments *create, const struct parts *parts, unsigned *invariant)
{
    const struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(parts->adapter));
    const char *wrong = model_check_handle(model, parts->handle, invariant);

    if (adapter == NULL)
        return model_wrong(invariant, 1, "an allocation for an adapter that is not present succeeded");
    if (wrong != NULL)
        return wrong;
    if (model->objects == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another memory");
    struct model_chain *chain = adapter->chain;
    struct model_object *object = model_make_pages(model, create, chain, conditions->operation, parts->by);
    struct model_adl_wish wish = {.object = object,
                                  .chain = chain,
                                  .pages = object->pages,
                                  .require = object->one_block && !parts->mdl};
    wrong = model_make_reach(model, &wish, parts->pages, conditions->operation, parts->by, invariant);
    if (wrong != NULL)
        return wrong;
    struct model_mapping mapping = {.base = model_value(parts->base),
                                    .object = object,
                                    .pages = object->pages,
                                    .size = object->pages << DXGKMEM_PAGE_SHIFT};
    wrong = model_make_mapping(model, &mapping, conditions->operation, parts->by, invariant);
    if (wrong != NULL)
        return wrong;

    struct model_memory made = {
        .handle = model_value(parts->handle),
        .object = object,
        .chain = chain,
        .adl = model->live_adl[model->live_adls - 1],
        .mapping = model->live_mapping[model->live_mappings - 1],
        .mdl = parts->mdl,
    };
    return model_make_memory(model, &made, conditions->operation, parts->by, invariant);
}

const char *model_allocate_contiguous_done(struct model *model, const struct model_conditions *conditions,
                                           HANDLE adapter, const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *in,
                                           const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *out,
                                           const DXGK_ADL *pages, unsigned *invariant)
{
    create_arguments create = as_contiguous(in);
    struct parts parts = {.adapter = adapter,
                          .handle = out->hMemoryHandle,
                          .base = out->pMemory,
                          .pages = pages,
                          .by = DXGKMEM_CALL_ALLOCATE_CONTIGUOUS};

    return make(model, conditions, &create, &parts, invariant);
}

const char *model_check_mdl(const struct dxgkmem_mdl *mdl, uint64_t bytes, bool mapped, unsigned *invariant)
{
    if (mdl == NULL || model_value(mdl) % _Alignof(struct dxgkmem_mdl) != 0)
        return model_wrong(invariant, 2, "the address of a new MDL is NULL or not aligned");
    if (mdl->ByteOffset != 0 || mdl->ByteCount != bytes)
        return model_wrong(invariant, 6, "the MDL does not describe the bytes that were asked for");
    if (mdl->Next != NULL || (mdl->MdlFlags & DXGKMEM_MDL_PAGES_LOCKED) == 0)
        return model_wrong(invariant, 6, "the MDL is chained, or its pages are not locked");
    if (((mdl->MdlFlags & DXGKMEM_MDL_MAPPED_TO_SYSTEM_VA) != 0) != mapped)
        return model_wrong(invariant, 6, "the MDL is wrong about whether its pages are mapped");
    return NULL;
}

const char *model_allocate_pages_done(struct model *model, const struct model_conditions *conditions,
                                      HANDLE adapter, const DXGKARGCB_ALLOCATEPAGESFORMDL *in,
                                      const DXGKARGCB_ALLOCATEPAGESFORMDL *out, unsigned *invariant)
{
    create_arguments create = as_mdl(in);
    struct dxgkmem_mdl *mdl = (struct dxgkmem_mdl *)(void *)out->pMdl;
    const char *wrong =
        model_check_mdl(mdl, model_pages_asked(&create) << DXGKMEM_PAGE_SHIFT, true, invariant);

    if (wrong != NULL)
        return wrong;
    DXGK_ADL pages = {.PageCount = (UINT32)model_pages_asked(&create)};
    pages.Pages = (DXGK_PAGE_NUMBER *)dxgkmem_mdl_pages(mdl);
    struct parts parts = {.adapter = adapter,
                          .handle = out->hMemoryHandle,
                          .base = mdl->MappedSystemVa,
                          .mdl = mdl,
                          .pages = &pages,
                          .by = DXGKMEM_CALL_ALLOCATE_PAGES};

    return make(model, conditions, &create, &parts, invariant);
}

/* -- the frees --------------------------------------------------------------------- */

void model_end_memory(struct model *model, struct model_memory *memory, uint64_t operation,
                      enum dxgkmem_call by)
{
    uint64_t pages = memory->adl->pages;

    model_end_adl(model, memory->adl, operation, by);
    if (memory->mapping != NULL) {
        model_end_mapping(model, memory->mapping, operation, by);
        model_life_end(model, &memory->object->life, operation, by);
    } else {
        model->live_mdls--;
    }
    model_end_handle(model, &memory->life, operation, by);
    memory->chain->pages -= pages;
    memory->chain->memories--;
    model->live_memories--;
    model->live_pages -= pages;
}

/* Whether the driver changed what the MDL describes; only a live one may be looked at. */
static bool scribbled(const struct model_memory *memory)
{
    const struct dxgkmem_mdl *mdl = memory->mdl;
    const struct model_adl *adl = memory->adl;

    if (mdl == NULL)
        return false;
    if (mdl->ByteCount != adl->pages << DXGKMEM_PAGE_SHIFT || mdl->ByteOffset != 0)
        return true;
    for (uint64_t i = 0; i < adl->known; i++)
        if (adl->handed_out.Pages[i] != (adl->consecutive ? adl->base + i : adl->array[i]))
            return true;
    return false;
}

static enum dxgkmem_call maker_of(enum dxgkmem_call freed_by)
{
    if (freed_by == DXGKMEM_CALL_UNMAP_MDL)
        return DXGKMEM_CALL_MAP_MDL;
    return freed_by == DXGKMEM_CALL_FREE_PAGES ? DXGKMEM_CALL_ALLOCATE_PAGES
                                               : DXGKMEM_CALL_ALLOCATE_CONTIGUOUS;
}

void model_free_memory(struct model *model, const struct model_conditions *conditions, HANDLE handle,
                       HANDLE memory_handle, enum dxgkmem_call call, struct model_expectation *expectation)
{
    const struct model_adapter *adapter;
    const struct model_memory *memory;

    if (!model_begin(model, conditions, expectation))
        return;
    adapter = model_resolve_offering(model, handle, call, expectation);
    if (adapter == NULL)
        return;
    memory = model_resolve(model, MODEL_MEMORY, memory_handle, call, expectation);
    if (memory == NULL)
        return;
    if (memory->chain != adapter->chain)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_MEMORY_OF_OTHER_ADAPTER, memory->handle,
                           memory->life.made, memory->life.made_by);
    else if (memory->life.made_by != maker_of(call))
        model_refuse_after(expectation, DXGKMEM_VIOLATION_MEMORY_OF_OTHER_CALL, memory->handle,
                           memory->life.made, memory->life.made_by);
    else if (scribbled(memory))
        model_refuse_after(expectation, DXGKMEM_VIOLATION_MDL_SCRIBBLED, memory->handle, memory->life.made,
                           memory->life.made_by);
}

const char *model_free_memory_done(struct model *model, const struct model_conditions *conditions,
                                   HANDLE handle, HANDLE memory_handle, enum dxgkmem_call call,
                                   unsigned *invariant)
{
    const struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(handle));
    struct model_memory *memory = model_find_live(model, MODEL_MEMORY, model_value(memory_handle));

    if (adapter == NULL || memory == NULL || memory->chain != adapter->chain ||
        memory->life.made_by != maker_of(call))
        return model_wrong(invariant, 1, "a free of what is no such memory of the adapter succeeded");
    model_end_memory(model, memory, conditions->operation, call);
    return NULL;
}
