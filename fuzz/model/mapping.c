/* SPDX-License-Identifier: MIT */
/*
 * MAP, UNMAP and the end of a process: CPU mappings.
 *
 * A mapping is known by where it begins and by its process; 0 stands for the
 * kernel's, which every process shares.
 */
#include "model_internal.h"

/*
 * Mapping so much, by one call or by all together, may use up the address space
 * that a host has for mappings; the contract promises no amount.
 */
#if UINTPTR_MAX > 0xffffffffu
#define PAGES_SURELY_MAPPABLE ((uint64_t)1 << 32)
#define PAGES_SURELY_MAPPABLE_AT_ONCE ((uint64_t)1 << 17)
#else
#define PAGES_SURELY_MAPPABLE ((uint64_t)1 << 17)
#define PAGES_SURELY_MAPPABLE_AT_ONCE ((uint64_t)1 << 15)
#endif

static uint64_t pages_of_range(uint64_t offset, uint64_t size)
{
    return ((offset + size - 1) >> DXGKMEM_PAGE_SHIFT) - (offset >> DXGKMEM_PAGE_SHIFT) + 1;
}

/* What MAP maps for a request: the first page of the object and how many. */
static void what_is_mapped(const struct model *model, const struct model_object *object,
                           const DXGKARGCB_MAP_PHYSICAL_MEMORY *in, struct model_mapping *mapping)
{
    if (model->profile.map == DXGKMEM_MAP_OBJECT) {
        mapping->first = 0;
        mapping->pages = object->pages;
    } else {
        mapping->first = (uint64_t)in->Offset >> DXGKMEM_PAGE_SHIFT;
        mapping->pages = pages_of_range(in->Offset, in->Size);
    }
    mapping->size = model->profile.map == DXGKMEM_MAP_ASKED ? in->Size : mapping->pages << DXGKMEM_PAGE_SHIFT;
}

void model_end_mapping(struct model *model, struct model_mapping *mapping, uint64_t operation,
                       enum dxgkmem_call by)
{
    unsigned place = 0;

    while (model->live_mapping[place] != mapping)
        place++;
    for (model->live_mappings--; place < model->live_mappings; place++)
        model->live_mapping[place] = model->live_mapping[place + 1];
    model_life_end(model, &mapping->life, operation, by);
    model->mapped_pages -= mapping->pages;
    mapping->object->mappings--;
    mapping->object->ended_base = mapping->base;
    mapping->object->ended_operation = operation;
    mapping->object->ended_by = by;
}

/* -- MAP ---------------------------------------------------------------------- */

void model_map(struct model *model, const struct model_conditions *conditions,
               const DXGKARGCB_MAP_PHYSICAL_MEMORY *in, struct model_expectation *expectation)
{
    const struct model_object *object;
    struct model_mapping mapping;
    uint64_t end;

    if (!model_begin(model, conditions, expectation))
        return;
    object = model_resolve(model, MODEL_OBJECT, in->hPhysicalMemoryObject, DXGKMEM_CALL_MAP, expectation);
    if (object == NULL)
        return;
    end = model->profile.map_to_page_end ? object->pages << DXGKMEM_PAGE_SHIFT : object->size;
    if ((unsigned)in->AccessMode > DXGK_ACCESS_MODE_USER_MODE)
        model_refuse(expectation, DXGKMEM_VIOLATION_INVALID_ACCESS_MODE, object->handle);
    else if (object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE &&
             in->AccessMode == DXGK_ACCESS_MODE_USER_MODE)
        model_refuse(expectation, DXGKMEM_VIOLATION_IO_SPACE_TO_USER, object->handle);
    else if (in->Size == 0 || in->Size > end || in->Offset > end - in->Size)
        model_refuse(expectation, DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE, object->handle);
    if (expectation->violation != DXGKMEM_VIOLATION_NONE)
        return;
    what_is_mapped(model, object, in, &mapping);
    model_mapping_may_fail(model, mapping.pages, expectation);
}

void model_mapping_may_fail(const struct model *model, uint64_t pages, struct model_expectation *expectation)
{
    if (pages <= PAGES_SURELY_MAPPABLE_AT_ONCE && model->mapped_pages + pages <= PAGES_SURELY_MAPPABLE)
        return;
    model_may_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
    model_may_fail(expectation, STATUS_NO_MEMORY);
}

static const char *check_base(const struct model *model, const struct model_mapping *new_mapping,
                              unsigned *invariant)
{
    uint64_t base = new_mapping->base, bytes = new_mapping->pages << DXGKMEM_PAGE_SHIFT;

    if (base == 0 || !model_page_multiple(base))
        return model_wrong(invariant, 10, "map returned a base that is no page address");
    if (base + (bytes - 1) < base)
        return model_wrong(invariant, 10, "map returned a base so high that the mapping wraps");
    if (model_handle_taken(model, base))
        return model_wrong(invariant, 2, "map returned a base that equals a handle");
    for (unsigned i = 0; i < model->live_mappings; i++) {
        const struct model_mapping *other = model->live_mapping[i];
        if ((other->process == 0 || new_mapping->process == 0 || other->process == new_mapping->process) &&
            model_ranges_meet(base, bytes, other->base, other->pages << DXGKMEM_PAGE_SHIFT))
            return model_wrong(invariant, 10, "a new mapping lies over a live one");
    }
    return NULL;
}

const char *model_map_done(struct model *model, const struct model_conditions *conditions,
                           const DXGKARGCB_MAP_PHYSICAL_MEMORY *in, const DXGKARGCB_MAP_PHYSICAL_MEMORY *out,
                           unsigned *invariant)
{
    struct model_object *object =
        model_find_live(model, MODEL_OBJECT, model_value(in->hPhysicalMemoryObject));

    if (object == NULL)
        return model_wrong(invariant, 1, "a map of an object that is not alive succeeded");
    if (out->hPhysicalMemoryObject != in->hPhysicalMemoryObject || out->AccessMode != in->AccessMode)
        return model_wrong(invariant, 22, "map wrote to an input field");

    struct model_mapping made = {
        .base = model_value(out->pMappedAddress),
        .object = object,
        .process = in->AccessMode == DXGK_ACCESS_MODE_USER_MODE ? conditions->process : 0,
    };
    what_is_mapped(model, object, in, &made);
    if ((uint64_t)out->Offset != (uint64_t)in->Offset - (made.first << DXGKMEM_PAGE_SHIFT))
        return model_wrong(invariant, 10, "map returned an offset that does not lead to the wanted byte");
    if ((uint64_t)out->Size != made.size)
        return model_wrong(invariant, 10, "map returned a size that is not that of the pages of the range");
    return model_make_mapping(model, &made, conditions->operation, DXGKMEM_CALL_MAP, invariant);
}

const char *model_make_mapping(struct model *model, const struct model_mapping *made, uint64_t operation,
                               enum dxgkmem_call by, unsigned *invariant)
{
    const char *wrong = check_base(model, made, invariant);

    if (wrong != NULL)
        return wrong;
    if (model->mappings == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another mapping");
    struct model_mapping *mapping = &model->mapping[model->mappings++];
    *mapping = *made;
    model_life_begin(&mapping->life, operation, by);
    model->live_mapping[model->live_mappings++] = mapping;
    model->mapped_pages += mapping->pages;
    mapping->object->mappings++;
    return NULL;
}

/* -- UNMAP -------------------------------------------------------------------- */

/* The live mapping that begins at a base, of the kernel or of this process. */
static struct model_mapping *find_usable(const struct model *model, uint64_t base, uint64_t process)
{
    for (unsigned i = 0; i < model->live_mappings; i++) {
        struct model_mapping *mapping = model->live_mapping[i];
        if (mapping->base == base && (mapping->process == 0 || mapping->process == process))
            return mapping;
    }
    return NULL;
}

/* The object's own mapping that begins there, of whatever process. */
static const struct model_mapping *find_elsewhere(const struct model *model, uint64_t base,
                                                  const struct model_object *object)
{
    for (unsigned i = 0; i < model->live_mappings; i++)
        if (model->live_mapping[i]->base == base && model->live_mapping[i]->object == object)
            return model->live_mapping[i];
    return NULL;
}

void model_check_unmap(struct model *model, uint64_t base, const struct model_object *object,
                       uint64_t process, struct model_expectation *expectation)
{
    const struct model_mapping *here = find_usable(model, base, process);
    const struct model_mapping *elsewhere = find_elsewhere(model, base, object);

    if (here != NULL && here->object == object)
        return;
    if (here != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT, base, here->life.made,
                           here->life.made_by);
    else if (elsewhere != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_UNMAP_WRONG_PROCESS, base, elsewhere->life.made,
                           DXGKMEM_CALL_MAP);
    else if (object->ended_base != 0 && object->ended_base == base)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, base, object->ended_operation,
                           object->ended_by);
    else
        model_refuse(expectation, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, base);
}

void model_unmap(struct model *model, const struct model_conditions *conditions,
                 const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *in, struct model_expectation *expectation)
{
    const struct model_object *object;
    uint64_t base = model_value(in->pBaseAddress);

    if (!model_begin(model, conditions, expectation))
        return;
    object = model_resolve(model, MODEL_OBJECT, in->hPhysicalMemoryObject, DXGKMEM_CALL_UNMAP, expectation);
    if (object == NULL)
        return;
    model_check_unmap(model, base, object, conditions->process, expectation);
    if (expectation->violation != DXGKMEM_VIOLATION_NONE)
        return;
    const struct model_mapping *here = find_usable(model, base, conditions->process);
    if ((uint64_t)in->Size != here->size)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_UNMAP_WRONG_SIZE, base, here->life.made,
                           DXGKMEM_CALL_MAP);
}

const char *model_unmap_done(struct model *model, const struct model_conditions *conditions,
                             const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *in, unsigned *invariant)
{
    struct model_mapping *mapping = find_usable(model, model_value(in->pBaseAddress), conditions->process);

    if (mapping == NULL || mapping->object->handle != model_value(in->hPhysicalMemoryObject))
        return model_wrong(invariant, 1, "an unmap of what is not mapped succeeded");
    model_end_mapping(model, mapping, conditions->operation, DXGKMEM_CALL_UNMAP);
    return NULL;
}
