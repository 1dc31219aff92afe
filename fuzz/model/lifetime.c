/* SPDX-License-Identifier: MIT */
/*
 * DESTROY, OPEN and CLOSE: the lives of physical memory objects and of adapter memory objects.
 */
#include "model_internal.h"

struct model_adl *model_oldest_adl(const struct model *model, const struct model_object *object)
{
    for (unsigned i = 0; object->adls != 0 && i < model->live_adls; i++)
        if (model->live_adl[i]->object == object)
            return model->live_adl[i];
    return NULL;
}

struct model_mapping *model_oldest_mapping(const struct model *model, const struct model_object *object)
{
    for (unsigned i = 0; object->mappings != 0 && i < model->live_mappings; i++)
        if (model->live_mapping[i]->object == object)
            return model->live_mapping[i];
    return NULL;
}

bool model_io_hidden(const struct model_chain *chain, uint64_t first_page, uint64_t pages)
{
    return !chain->remapped && first_page + pages > model_pages_up_to(chain->highest_visible);
}

/* -- records ------------------------------------------------------------------ */

void model_make_adapter_object(struct model *model, struct model_object *object, struct model_chain *chain,
                               uint64_t handle, uint64_t operation, enum dxgkmem_call by)
{
    struct model_adapter_object *opened = &model->adapter_object[model->adapter_objects++];

    *opened = (struct model_adapter_object){.handle = handle, .object = object, .chain = chain};
    model_life_begin(&opened->life, operation, by);
    object->open = opened;
    chain->pages += object->pages;
    chain->objects++;
    model->live_adapter_objects++;
    model_give_handle(model, MODEL_ADAPTER_OBJECT, handle, &opened->life, opened);
}

void model_end_adapter_object(struct model *model, struct model_adapter_object *opened, uint64_t operation,
                              enum dxgkmem_call by)
{
    model_end_handle(model, &opened->life, operation, by);
    opened->object->open = NULL;
    opened->chain->pages -= opened->object->pages;
    opened->chain->objects--;
    model->live_adapter_objects--;
}

void model_end_object(struct model *model, struct model_object *object, uint64_t operation,
                      enum dxgkmem_call by)
{
    model_end_handle(model, &object->life, operation, by);
    model->total.pages -= object->pages;
    model->total.objects--;
    model->live_objects--;
    model->live_pages -= object->pages;
}

/* What an implementation that carries a call out ends first; of others nothing is left by then. */
static void end_adls_of(struct model *model, const struct model_object *object, uint64_t operation,
                        enum dxgkmem_call by)
{
    struct model_adl *adl;

    while ((adl = model_oldest_adl(model, object)) != NULL)
        model_end_adl(model, adl, operation, by);
}

static void end_mappings_of(struct model *model, const struct model_object *object, uint64_t operation,
                            enum dxgkmem_call by)
{
    struct model_mapping *mapping;

    while ((mapping = model_oldest_mapping(model, object)) != NULL)
        model_end_mapping(model, mapping, operation, by);
}

/* -- DESTROY ------------------------------------------------------------------ */

void model_destroy(struct model *model, const struct model_conditions *conditions,
                   const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *in, struct model_expectation *expectation)
{
    const struct model_object *object;
    const struct model_adapter_object *opened = NULL;

    if (!model_begin(model, conditions, expectation))
        return;
    object = model_resolve(model, MODEL_OBJECT, in->hPhysicalMemoryObject, DXGKMEM_CALL_DESTROY, expectation);
    if (object == NULL)
        return;
    if (in->hAdapterMemoryObject != NULL) {
        opened = model_resolve(model, MODEL_ADAPTER_OBJECT, in->hAdapterMemoryObject, DXGKMEM_CALL_DESTROY,
                               expectation);
        if (opened == NULL)
            return;
    }
    const struct model_adl *adl = model_oldest_adl(model, object);
    const struct model_mapping *mapping = model_oldest_mapping(model, object);
    if (opened != NULL && opened->object != object)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_DESTROY_FOREIGN_ADAPTER_OBJECT, opened->handle,
                           opened->life.made, opened->life.made_by);
    else if (adl != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL, object->handle,
                           adl->life.made, adl->life.made_by);
    else if (object->open != NULL && opened == NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_DESTROY_WHILE_OPEN, object->handle,
                           object->open->life.made, object->open->life.made_by);
    else if (mapping != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_MAPPING, object->handle,
                           mapping->life.made, mapping->life.made_by);
}

const char *model_destroy_done(struct model *model, const struct model_conditions *conditions,
                               const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *in, unsigned *invariant)
{
    struct model_object *object =
        model_find_live(model, MODEL_OBJECT, model_value(in->hPhysicalMemoryObject));

    if (object == NULL)
        return model_wrong(invariant, 1, "a destroy of an object that is not alive succeeded");
    end_mappings_of(model, object, conditions->operation, DXGKMEM_CALL_DESTROY);
    if (object->open != NULL)
        model_end_adapter_object(model, object->open, conditions->operation, DXGKMEM_CALL_DESTROY);
    model_end_object(model, object, conditions->operation, DXGKMEM_CALL_DESTROY);
    return NULL;
}

/* -- OPEN --------------------------------------------------------------------- */

void model_open(struct model *model, const struct model_conditions *conditions,
                const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *in, struct model_expectation *expectation)
{
    const struct model_object *object;
    const struct model_adapter *adapter;

    if (!model_begin(model, conditions, expectation))
        return;
    object = model_resolve(model, MODEL_OBJECT, in->hPhysicalMemoryObject, DXGKMEM_CALL_OPEN, expectation);
    if (object == NULL)
        return;
    adapter = model_resolve(model, MODEL_ADAPTER, in->hAdapter, DXGKMEM_CALL_OPEN, expectation);
    if (adapter == NULL)
        return;
    const struct model_chain *chain = adapter->chain;
    const struct model_adapter_object *opened = object->open;
    if (chain->version < DXGKDDI_INTERFACE_VERSION_WDDM2_9 &&
        model_minds(model, DXGKMEM_CALL_OPEN, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL))
        model_refuse(expectation, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, adapter->handle);
    else if (opened != NULL)
        model_refuse_after(expectation,
                           opened->chain == chain ? DXGKMEM_VIOLATION_SECOND_OPEN
                                                  : DXGKMEM_VIOLATION_OPEN_ON_OTHER_ADAPTER,
                           object->handle, opened->life.made, opened->life.made_by);
    else if (object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE &&
             model_io_hidden(chain, object->first_page, object->pages))
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_VISIBLE, object->handle);
    else if (model_chain_quota(chain, object->pages, 1, 0, expectation))
        (void)model_handle_room(model, 1, expectation);
}

const char *model_open_done(struct model *model, const struct model_conditions *conditions,
                            const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *in,
                            const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *out, unsigned *invariant)
{
    struct model_object *object =
        model_find_live(model, MODEL_OBJECT, model_value(in->hPhysicalMemoryObject));
    const struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(in->hAdapter));

    if (object == NULL || adapter == NULL || object->open != NULL)
        return model_wrong(invariant, 1, "an open succeeded that must be refused");
    if (model->adapter_objects == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another adapter memory object");
    if (out->hPhysicalMemoryObject != in->hPhysicalMemoryObject || out->hAdapter != in->hAdapter)
        return model_wrong(invariant, 22, "open wrote to an input field");
    const char *wrong = model_check_handle(model, out->hAdapterMemoryObject, invariant);
    if (wrong != NULL)
        return wrong;
    model_make_adapter_object(model, object, adapter->chain, model_value(out->hAdapterMemoryObject),
                              conditions->operation, DXGKMEM_CALL_OPEN);
    return NULL;
}

/* -- CLOSE -------------------------------------------------------------------- */

void model_close(struct model *model, const struct model_conditions *conditions,
                 const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *in, struct model_expectation *expectation)
{
    const struct model_adapter_object *opened;

    if (!model_begin(model, conditions, expectation))
        return;
    opened =
        model_resolve(model, MODEL_ADAPTER_OBJECT, in->hAdapterMemoryObject, DXGKMEM_CALL_CLOSE, expectation);
    if (opened == NULL)
        return;
    const struct model_adl *adl = model_oldest_adl(model, opened->object);
    if (adl != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL, opened->handle, adl->life.made,
                           adl->life.made_by);
}

const char *model_close_done(struct model *model, const struct model_conditions *conditions,
                             const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *in, unsigned *invariant)
{
    struct model_adapter_object *opened =
        model_find_live(model, MODEL_ADAPTER_OBJECT, model_value(in->hAdapterMemoryObject));

    if (opened == NULL)
        return model_wrong(invariant, 1, "a close of what is not open succeeded");
    end_adls_of(model, opened->object, conditions->operation, DXGKMEM_CALL_CLOSE);
    model_end_adapter_object(model, opened, conditions->operation, DXGKMEM_CALL_CLOSE);
    return NULL;
}
