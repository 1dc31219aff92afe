/* SPDX-License-Identifier: MIT */
/*
 * ALLOCATE_ADL and FREE_ADL: what they must answer, and the record of an ADL.
 *
 * An ADL is known by its address. The record keeps what the driver was given,
 * to tell later whether it was written to. Whether its page numbers are right is
 * decided in logical.c (remapped) and physical.c (identity).
 */
#include "model_internal.h"

#define REQUIRE_CONTIGUOUS 1u
#define PREFER_CONTIGUOUS 2u

struct model_adl *model_find_adl(const struct model *model, uint64_t address)
{
    for (unsigned i = model->adls; i-- > 0;)
        if (model->adl[i].address == address)
            return (struct model_adl *)&model->adl[i];
    return NULL;
}

struct model_adl *model_find_mdl(const struct model *model, uint64_t mdl)
{
    for (unsigned i = model->adls; i-- > 0;)
        if (model->adl[i].mdl == mdl)
            return (struct model_adl *)&model->adl[i];
    return NULL;
}

/* -- ALLOCATE_ADL --------------------------------------------------------------- */

void model_allocate_adl(struct model *model, const struct model_conditions *conditions,
                        const DXGKARGCB_ALLOCATE_ADL *in, struct model_expectation *expectation)
{
    const struct model_adapter_object *opened;

    if (!model_begin(model, conditions, expectation))
        return;
    opened = model_resolve(model, MODEL_ADAPTER_OBJECT, in->hAdapterMemoryObject, DXGKMEM_CALL_ALLOCATE_ADL,
                           expectation);
    if (opened == NULL)
        return;
    const struct model_object *object = opened->object;
    uint64_t bytes = object->pages << DXGKMEM_PAGE_SHIFT;
    bool block = object->type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY ||
                 object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE;
    if (opened->chain->present == 0) /* its removal is under way */
        model_refuse_after(expectation, DXGKMEM_VIOLATION_ADAPTER_REMOVED, opened->handle,
                           model->leaving->life.ended, DXGKMEM_CALL_REMOVE_ADAPTER);
    else if ((in->Flags.Value & ~(REQUIRE_CONTIGUOUS | PREFER_CONTIGUOUS)) != 0 &&
             model_minds(model, DXGKMEM_CALL_ALLOCATE_ADL, DXGKMEM_VIOLATION_RESERVED_BITS))
        model_refuse(expectation, DXGKMEM_VIOLATION_RESERVED_BITS, opened->handle);
    else if ((in->Flags.Value & REQUIRE_CONTIGUOUS) != 0 && !block)
        model_refuse(expectation, DXGKMEM_VIOLATION_CONTIGUOUS_OF_SCATTERED, opened->handle);
    else if (!model_page_multiple(in->Offset) || !model_page_multiple(in->Size))
        model_refuse(expectation, DXGKMEM_VIOLATION_UNALIGNED_RANGE, opened->handle);
    else if (in->Size == 0 || in->Size > bytes || in->Offset > bytes - in->Size)
        model_refuse(expectation, DXGKMEM_VIOLATION_ADL_OUT_OF_RANGE, opened->handle);
    else if (model_chain_quota(opened->chain, 0, 0, 1, expectation))
        (void)model_logical_room(model, opened->chain, &object->bounds,
                                 (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT, expectation);
}

const char *model_allocate_adl_done(struct model *model, const struct model_conditions *conditions,
                                    const DXGKARGCB_ALLOCATE_ADL *in, const DXGKARGCB_ALLOCATE_ADL *out,
                                    unsigned *invariant)
{
    struct model_adapter_object *opened =
        model_find_live(model, MODEL_ADAPTER_OBJECT, model_value(in->hAdapterMemoryObject));

    if (opened == NULL)
        return model_wrong(invariant, 1, "an ADL was made from an adapter memory object that is not open");
    if (out->hAdapterMemoryObject != in->hAdapterMemoryObject || out->Offset != in->Offset ||
        out->Size != in->Size || out->Flags.Value != in->Flags.Value)
        return model_wrong(invariant, 22, "the allocation of an ADL wrote to an input field");
    struct model_adl_wish wish = {
        .object = opened->object,
        .adapter_object = opened,
        .chain = opened->chain,
        .first = (uint64_t)in->Offset >> DXGKMEM_PAGE_SHIFT,
        .pages = (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT,
        .require = (in->Flags.Value & REQUIRE_CONTIGUOUS) != 0,
        .prefer = (in->Flags.Value & PREFER_CONTIGUOUS) != 0,
    };
    return model_make_adl(model, &wish, out->pAdl, conditions->operation, DXGKMEM_CALL_ALLOCATE_ADL,
                          invariant);
}

/* -- the record ------------------------------------------------------------------- */

static const char *check_address(const struct model *model, const DXGK_ADL *handed_out, unsigned *invariant)
{
    uint64_t address = model_value(handed_out);

    if (handed_out == NULL)
        return model_wrong(invariant, 2, "the address of a new ADL is NULL");
    if (address % _Alignof(DXGK_ADL) != 0)
        return model_wrong(invariant, 2, "the address of a new ADL is not aligned");
    if (model_handle_taken(model, address))
        return model_wrong(invariant, 2, "the address of a new ADL equals a handle");
    for (unsigned i = 0; i < model->live_adls; i++)
        if (model_ranges_meet(address, sizeof(DXGK_ADL), model->live_adl[i]->address, sizeof(DXGK_ADL)))
            return model_wrong(invariant, 2, "a new ADL lies over a live one");
    return NULL;
}

/* Everything that an ADL says but the page numbers. */
static const char *check_form(const struct model_adl_wish *wish, const DXGK_ADL *handed_out, bool at_will,
                              unsigned *invariant)
{
    bool asked = wish->require || wish->prefer;

    if (handed_out->PageCount != wish->pages)
        return model_wrong(invariant, 6, "the ADL's page count is not that of the range");
    if ((handed_out->Flags.Value & ~1u) != 0)
        return model_wrong(invariant, 6, "reserved flags of the ADL are set");
    if (handed_out->Flags.Contiguous) {
        if (!wish->chain->remapped && !asked && !at_will)
            return model_wrong(invariant, 6, "the ADL is contiguous, which nobody asked for");
        return NULL;
    }
    if (wish->chain->remapped)
        return model_wrong(invariant, 6, "the ADL is not contiguous although DMA is remapped");
    if (asked && wish->object->one_block)
        return model_wrong(invariant, 6,
                           "the ADL is not contiguous although it was asked for and the pages are one block");
    if (handed_out->Pages == NULL || model_value(handed_out->Pages) % _Alignof(DXGK_PAGE_NUMBER) != 0)
        return model_wrong(invariant, 6, "the ADL's page array is NULL or not aligned");
    return NULL;
}

static bool consecutive(const DXGK_ADL *handed_out)
{
    for (uint64_t i = 1; i < handed_out->PageCount; i++)
        if (handed_out->Pages[i] != handed_out->Pages[i - 1] + 1)
            return false;
    return true;
}

/* Takes the numbers of a page array into the arena, as many as there is room for. */
static void keep_array(struct model *model, struct model_adl *adl)
{
    uint64_t *array = &model->arena[model->arena_used];

    adl->array = array;
    adl->known = model_min(adl->pages, MODEL_ARENA - model->arena_used);
    adl->lowest = MODEL_UNLIMITED;
    adl->highest = 0;
    for (uint64_t i = 0; i < adl->known; i++) {
        array[i] = adl->handed_out.Pages[i];
        adl->lowest = model_min(adl->lowest, array[i]);
        adl->highest = model_max(adl->highest, array[i]);
    }
    model->arena_used += (uint32_t)adl->known;
}

static void keep_numbers(struct model *model, struct model_adl *adl)
{
    const DXGK_ADL *handed_out = &adl->handed_out;

    adl->consecutive = handed_out->Flags.Contiguous || consecutive(handed_out);
    if (!adl->consecutive) {
        keep_array(model, adl);
        return;
    }
    adl->base = handed_out->Flags.Contiguous ? handed_out->BasePageNumber : handed_out->Pages[0];
    adl->known = adl->pages;
    adl->lowest = adl->base;
    adl->highest = adl->base + (adl->pages - 1);
}

const char *model_make_adl(struct model *model, const struct model_adl_wish *wish, const DXGK_ADL *handed_out,
                           uint64_t operation, enum dxgkmem_call by, unsigned *invariant)
{
    const char *wrong = check_address(model, handed_out, invariant);

    if (wrong == NULL)
        wrong = model_make_reach(model, wish, handed_out, operation, by, invariant);
    if (wrong == NULL)
        model->live_adl[model->live_adls - 1]->address = model_value(handed_out);
    return wrong;
}

const char *model_make_reach(struct model *model, const struct model_adl_wish *wish, const DXGK_ADL *said,
                             uint64_t operation, enum dxgkmem_call by, unsigned *invariant)
{
    const char *wrong = check_form(wish, said, model->profile.contiguous_at_will, invariant);

    if (model->adls == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another ADL");
    if (wrong != NULL)
        return wrong;

    struct model_adl *adl = &model->adl[model->adls];
    *adl = (struct model_adl){
        .object = wish->object,
        .adapter_object = wish->adapter_object,
        .adapter = wish->adapter,
        .chain = wish->chain,
        .first = wish->first,
        .pages = wish->pages,
        .handed_out = *said,
    };
    keep_numbers(model, adl);
    if (adl->consecutive && adl->highest < adl->lowest)
        return model_wrong(invariant, 7, "the ADL's pages wrap around the end of the address space");
    if (adl->consecutive && !said->Flags.Contiguous && wish->prefer && !model->profile.contiguous_at_will)
        return model_wrong(invariant, 6,
                           "the ADL is a page array of neighbours although contiguous was preferred");
    wrong = wish->chain->remapped ? model_check_logical(model, adl, invariant)
                                  : model_check_physical(model, adl, invariant);
    if (wrong != NULL)
        return wrong;

    model_life_begin(&adl->life, operation, by);
    model->adls++;
    model->live_adl[model->live_adls++] = adl;
    adl->object->adls++;
    adl->chain->adls++;
    return NULL;
}

void model_end_adl(struct model *model, struct model_adl *adl, uint64_t operation, enum dxgkmem_call by)
{
    unsigned place = 0;

    while (model->live_adl[place] != adl)
        place++;
    for (model->live_adls--; place < model->live_adls; place++)
        model->live_adl[place] = model->live_adl[place + 1];
    model_life_end(model, &adl->life, operation, by);
    adl->object->adls--;
    adl->chain->adls--;
}

/* -- FREE_ADL ------------------------------------------------------------------------ */

/* Whether the driver wrote to what it was handed; only a live ADL may be looked at. */
static bool scribbled(const struct model_adl *adl)
{
    const DXGK_ADL *now = (const DXGK_ADL *)(uintptr_t)adl->address;
    const DXGK_ADL *then = &adl->handed_out;

    if (now->PageCount != then->PageCount || now->Flags.Value != then->Flags.Value ||
        now->BasePageNumber != then->BasePageNumber)
        return true;
    for (uint64_t i = 0; !then->Flags.Contiguous && i < adl->known; i++)
        if (then->Pages[i] != (adl->consecutive ? adl->base + i : adl->array[i]))
            return true;
    return false;
}

void model_free_adl(struct model *model, const struct model_conditions *conditions,
                    const DXGKARGCB_FREE_ADL *in, struct model_expectation *expectation)
{
    const struct model_adapter_object *opened;
    uint64_t address = model_value(in->pAdl);

    if (!model_begin(model, conditions, expectation))
        return;
    opened = model_resolve(model, MODEL_ADAPTER_OBJECT, in->hAdapterMemoryObject, DXGKMEM_CALL_FREE_ADL,
                           expectation);
    if (opened == NULL)
        return;
    const struct model_adl *adl = address != 0 ? model_find_adl(model, address) : NULL;
    if (adl == NULL)
        model_refuse(expectation, DXGKMEM_VIOLATION_ADL_FOREIGN, address);
    else if (!adl->life.live)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_ADL_ALREADY_FREED, address, adl->life.ended,
                           adl->life.ended_by);
    else if (adl->adapter_object == NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_ADL_OF_FRAME_BUFFER, address, adl->life.made,
                           DXGKMEM_CALL_PIN);
    else if (adl->adapter_object != opened)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_ADL_OF_OTHER_OBJECT, address, adl->life.made,
                           DXGKMEM_CALL_ALLOCATE_ADL);
    else if (scribbled(adl))
        model_refuse_after(expectation, DXGKMEM_VIOLATION_ADL_SCRIBBLED, address, adl->life.made,
                           DXGKMEM_CALL_ALLOCATE_ADL);
}

const char *model_free_adl_done(struct model *model, const struct model_conditions *conditions,
                                const DXGKARGCB_FREE_ADL *in, unsigned *invariant)
{
    struct model_adl *adl = model_find_adl(model, model_value(in->pAdl));

    if (adl == NULL || !adl->life.live || adl->adapter_object == NULL ||
        adl->adapter_object->handle != model_value(in->hAdapterMemoryObject))
        return model_wrong(invariant, 1, "a free of what is no ADL of the adapter memory object succeeded");
    model_end_adl(model, adl, conditions->operation, DXGKMEM_CALL_FREE_ADL);
    return NULL;
}
