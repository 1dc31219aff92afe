/* SPDX-License-Identifier: MIT */
/*
 * The model's records as others see them: what a value means now, and the live
 * ADLs and mappings one after the other.
 */
#include "model_internal.h"

static struct model_fate fate_of(const struct model_life *life)
{
    return (struct model_fate){
        .known = true,
        .live = life->live,
        .ended_by = life->live ? DXGKMEM_CALL_NONE : life->ended_by,
    };
}

static struct model_fate mapping_fate(const struct model *model, uint64_t base, uint64_t process)
{
    for (unsigned i = 0; i < model->live_mappings; i++) {
        const struct model_mapping *mapping = model->live_mapping[i];
        if (mapping->base == base && (mapping->process == 0 || mapping->process == process))
            return fate_of(&mapping->life);
    }
    for (unsigned i = model->mappings; i-- > 0;)
        if (model->mapping[i].base == base)
            return fate_of(&model->mapping[i].life);
    return (struct model_fate){.known = false};
}

struct model_fate model_fate(struct model *model, enum model_kind kind, uint64_t value, uint64_t process)
{
    struct model_fate fate = {.known = false};

    if (value == 0)
        return fate;
    if (kind == MODEL_MAPPING)
        return mapping_fate(model, value, process);
    if (kind == MODEL_ADL) {
        const struct model_adl *adl = model_find_adl(model, value);
        if (adl == NULL)
            adl = model_find_mdl(model, value);
        if (adl != NULL) {
            fate = fate_of(&adl->life);
            fate.frame_buffer = adl->adapter_object == NULL;
        }
        return fate;
    }
    const struct model_handle *found = model_find_handle(model, value);
    return found != NULL && found->kind == kind ? fate_of(found->life) : fate;
}

static void list_devices(const struct model *model, const struct model_chain *chain,
                         struct model_live_adl *adl)
{
    adl->device_count = 0;
    for (unsigned i = 0; i < model->adapters && adl->device_count < DXGKMEM_CHAIN_MAX; i++)
        if (model->adapter[i].life.live && model->adapter[i].chain == chain)
            adl->devices[adl->device_count++] = model->adapter[i].device;
}

bool model_next_adl(struct model *model, size_t *cursor, struct model_live_adl *adl)
{
    if (*cursor >= model->live_adls)
        return false;
    const struct model_adl *record = model->live_adl[(*cursor)++];
    const struct model_object *object = record->object;
    adl->handed_out = (const DXGK_ADL *)(uintptr_t)record->address;
    adl->memory = object->memory;
    adl->first_page = object->first_page + record->first;
    adl->pages = record->pages;
    adl->consecutive = record->consecutive;
    adl->base = record->base;
    adl->logical = record->array;
    adl->known = record->known;
    adl->remapped = record->chain->remapped;
    adl->access = object->device_access;
    adl->type = object->type;
    adl->lowest_page = object->bounds.lowest;
    adl->highest_page = object->bounds.highest;
    adl->boundary_pages = object->bounds.boundary;
    adl->skip_pages = object->bounds.skip;
    adl->chunk_pages = object->bounds.chunk;
    list_devices(model, record->chain, adl);
    return true;
}

bool model_next_mapping(struct model *model, size_t *cursor, struct model_live_mapping *mapping)
{
    if (*cursor >= model->live_mappings)
        return false;
    const struct model_mapping *record = model->live_mapping[(*cursor)++];
    *mapping = (struct model_live_mapping){
        .base = (const uint8_t *)(uintptr_t)record->base,
        .process = record->process,
        .memory = record->object->memory,
        .first_page = record->object->first_page + record->first,
        .pages = record->pages,
        .access = record->object->cpu_access,
        .cache = record->object->cache,
    };
    return true;
}
