/* SPDX-License-Identifier: MIT */
/*
 * Handles: values that were given out, for which kind of thing, and what became of it.
 *
 * A handle is an opaque number here. Adapters, physical memory objects,
 * adapter memory objects and memories have one; the addresses of ADLs and mappings are none.
 */
#include "model_internal.h"

void model_life_begin(struct model_life *life, uint64_t operation, enum dxgkmem_call by)
{
    *life = (struct model_life){.live = true, .made = operation, .made_by = by};
}

void model_life_end(const struct model *model, struct model_life *life, uint64_t operation,
                    enum dxgkmem_call by)
{
    life->live = false;
    life->ended = operation;
    life->ended_by = by;
    life->handles_when_ended = model->handles;
}

const struct model_handle *model_find_handle(const struct model *model, uint64_t value)
{
    for (unsigned i = model->handles; i-- > 0;)
        if (model->handle_value[i] == value)
            return &model->handle[i];
    return NULL;
}

void *model_find_live(const struct model *model, enum model_kind kind, uint64_t value)
{
    const struct model_handle *found = model_find_handle(model, value);

    return found != NULL && found->kind == kind && found->life->live ? found->thing : NULL;
}

/*
 * Two later handles may have used the slot of an ended one, and then nobody
 * remembers what ended it: it is merely stale.
 */
static void refuse_ended(const struct model *model, const struct model_handle *found, uint64_t value,
                         enum dxgkmem_call call, struct model_expectation *expectation)
{
    const struct model_life *life = found->life;
    enum dxgkmem_violation_code code = DXGKMEM_VIOLATION_STALE_HANDLE;

    if (life->ended_by == DXGKMEM_CALL_REMOVE_ADAPTER)
        code = DXGKMEM_VIOLATION_ADAPTER_REMOVED;
    else if (found->kind == MODEL_ADAPTER_OBJECT && call == DXGKMEM_CALL_CLOSE &&
             life->ended_by == DXGKMEM_CALL_DESTROY)
        code = DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY;
    model_refuse_after(expectation, code, value, life->ended, life->ended_by);
    if (model->handles - life->handles_when_ended >= 2) {
        expectation->earlier_unknown_allowed = true;
        expectation->stale_allowed = true;
    }
}

void *model_resolve(const struct model *model, enum model_kind kind, HANDLE handle, enum dxgkmem_call call,
                    struct model_expectation *expectation)
{
    uint64_t value = model_value(handle);

    if (value == 0) {
        model_refuse(expectation, DXGKMEM_VIOLATION_NULL_HANDLE, 0);
        return NULL;
    }
    const struct model_handle *found = model_find_handle(model, value);
    if (found == NULL)
        model_refuse(expectation, DXGKMEM_VIOLATION_UNKNOWN_HANDLE, value);
    else if (found->kind != kind)
        model_refuse(expectation, DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, value);
    else if (!found->life->live)
        refuse_ended(model, found, value, call, expectation);
    else
        return found->thing;
    return NULL;
}

bool model_handle_taken(const struct model *model, uint64_t value)
{
    const struct model_handle *found = model_find_handle(model, value);

    return found != NULL && (found->life->live || !model->profile.reuses_handles);
}

const char *model_check_handle(const struct model *model, HANDLE handle, unsigned *invariant)
{
    uint64_t value = model_value(handle);

    if (value == 0)
        return model_wrong(invariant, 2, "a handle that was given out is NULL");
    if (model_handle_taken(model, value))
        return model_wrong(invariant, 2, "a handle was given out that had been given out before");
    for (unsigned i = 0; i < model->live_adls; i++)
        if (model->live_adl[i]->address == value)
            return model_wrong(invariant, 2, "a handle is the address of an ADL");
    for (unsigned i = 0; i < model->live_mappings; i++)
        if (model->live_mapping[i]->base == value)
            return model_wrong(invariant, 2, "a handle is the address of a mapping");
    return NULL;
}

void model_give_handle(struct model *model, enum model_kind kind, uint64_t value, struct model_life *life,
                       void *thing)
{
    unsigned place = model->handles++;

    model->handle_value[place] = value;
    model->handle[place] = (struct model_handle){.kind = kind, .life = life, .thing = thing};
    model->live_handles++;
}

void model_end_handle(struct model *model, struct model_life *life, uint64_t operation, enum dxgkmem_call by)
{
    model_life_end(model, life, operation, by);
    model->live_handles--;
}
