/* SPDX-License-Identifier: MIT */
/*
 * Page numbers of identity chains, which are physical: whether those of a new
 * ADL lie where they may, are the same as in earlier ADLs of the object, and
 * belong to no other live object.
 *
 * What is known of an object's pages is what its ADLs said since it was made,
 * ended ones included. Neighbours are compared as ranges; pages that came in an
 * array are also in a table by page number, so that two arrays are compared in
 * the time of the new one.
 */
#include "model_internal.h"

static uint64_t number_at(const struct model_adl *adl, uint64_t i)
{
    return adl->consecutive ? adl->base + i : adl->array[i];
}

/* -- constraints ------------------------------------------------------------------ */

static bool in_window(const struct model_bounds *bounds, uint64_t page)
{
    if (page < bounds->lowest)
        return false;
    if (bounds->skip == 0)
        return page <= bounds->highest;
    return (page - bounds->lowest) % bounds->skip <= bounds->highest - bounds->lowest;
}

static const char *check_windows(const struct model *model, const struct model_adl *adl, unsigned *invariant)
{
    const struct model_bounds *bounds = &adl->object->bounds;
    bool gaps = bounds->skip != 0 && bounds->highest - bounds->lowest < bounds->skip - 1;
    bool each = gaps || !adl->consecutive;

    if (adl->known == 0)
        return NULL;
    if (adl->highest > model->world.highest_page ||
        adl->highest >= model_pages_up_to(adl->chain->highest_visible))
        return model_wrong(invariant, 7, "the ADL names a page above what the adapter can see");
    for (uint64_t i = 0; each && i < adl->known; i++)
        if (!in_window(bounds, number_at(adl, i)))
            return model_wrong(invariant, 7, "the ADL names a page outside the object's bounds");
    if (!each && (!in_window(bounds, adl->lowest) || !in_window(bounds, adl->highest)))
        return model_wrong(invariant, 7, "the ADL names a page outside the object's bounds");
    return NULL;
}

static const char *check_chunks(const struct model_adl *adl, unsigned *invariant)
{
    uint64_t chunk = adl->object->bounds.chunk;

    if (chunk == 0 || chunk == DXGKMEM_CHUNK_WHOLE)
        return NULL;
    for (uint64_t i = 0; i < (adl->consecutive ? 1 : adl->known); i++) {
        uint64_t place = (adl->first + i) % chunk;
        if (number_at(adl, i) % chunk != place)
            return model_wrong(invariant, 7, "a chunk does not start at a multiple of its length");
        if (i != 0 && place != 0 && number_at(adl, i) != number_at(adl, i - 1) + 1)
            return model_wrong(invariant, 7, "the pages of a chunk are not neighbours");
    }
    return NULL;
}

/* An object that is one block is known as a whole from any part of it. */
static const char *check_block(const struct model_adl *adl, unsigned *invariant)
{
    const struct model_object *object = adl->object;
    const struct model_bounds *bounds = &object->bounds;

    if (!object->one_block)
        return NULL;
    if (!adl->consecutive)
        return model_wrong(invariant, 6,
                           "the ADL of an object that is one block names pages that are no neighbours");
    if (object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE && adl->base != object->first_page + adl->first)
        return model_wrong(invariant, 6, "the ADL of I/O space does not name the range's own pages");
    if (adl->base < adl->first || !in_window(bounds, adl->base - adl->first) ||
        !in_window(bounds, adl->base - adl->first + (object->pages - 1)))
        return model_wrong(invariant, 7, "the object's block reaches outside its bounds");
    uint64_t base = adl->base - adl->first;
    if (bounds->boundary != 0 && base / bounds->boundary != (base + (object->pages - 1)) / bounds->boundary)
        return model_wrong(invariant, 7, "the object's block crosses a multiple of its boundary");
    return NULL;
}

/* -- earlier ADLs ------------------------------------------------------------------- */

/*
 * Whether two ADLs of one object agree on the pages that both name. *covered:
 * the old one names all of the new one's.
 */
static bool agrees(const struct model_adl *adl, const struct model_adl *old, bool *covered)
{
    uint64_t from = model_max(adl->first, old->first);
    uint64_t to = model_min(adl->first + adl->known, old->first + old->known);

    *covered = from == adl->first && to == adl->first + adl->known;
    if (from >= to)
        return true;
    if (adl->consecutive && old->consecutive)
        return adl->base + (from - adl->first) == old->base + (from - old->first);
    for (uint64_t page = from; page < to; page++)
        if (number_at(adl, page - adl->first) != number_at(old, page - old->first))
            return false;
    return true;
}

/* The neighbours that an ADL shows an object to have: the whole block when it is one. */
static void span_of(const struct model_adl *adl, uint64_t *base, uint64_t *pages)
{
    *base = adl->object->one_block ? adl->base - adl->first : adl->base;
    *pages = adl->object->one_block ? adl->object->pages : adl->pages;
}

/* Whether an array names a page that the other ADL shows another object to have. */
static bool array_meets_span(const struct model_adl *array, const struct model_adl *other)
{
    uint64_t base, pages;

    span_of(other, &base, &pages);
    if (array->known == 0 || array->highest < base || array->lowest > base + (pages - 1))
        return false;
    for (uint64_t i = 0; i < array->known; i++)
        if (array->array[i] >= base && array->array[i] - base < pages)
            return true;
    return false;
}

/* Whether ADLs of two objects name a common page. Two arrays are left to the table. */
static bool share_a_page(const struct model_adl *a, const struct model_adl *b)
{
    uint64_t a_base, a_pages, b_base, b_pages;

    if (!a->consecutive && !b->consecutive)
        return false;
    if (!a->consecutive)
        return array_meets_span(a, b);
    if (!b->consecutive)
        return array_meets_span(b, a);
    span_of(a, &a_base, &a_pages);
    span_of(b, &b_base, &b_pages);
    return model_ranges_meet(a_base, a_pages, b_base, b_pages);
}

/*
 * Whether two ADLs of one object give different pages the same number: the same
 * number must stand for the same page. Arrays are left to the table again.
 */
static bool repeats_a_page(const struct model_adl *adl, const struct model_adl *old)
{
    const struct model_adl *array = adl->consecutive ? old : adl;
    const struct model_adl *range = adl->consecutive ? adl : old;

    if (adl->consecutive && old->consecutive)
        return model_ranges_meet(adl->base, adl->pages, old->base, old->pages) &&
               adl->base + old->first != old->base + adl->first;
    if (!range->consecutive)
        return false;
    for (uint64_t i = 0; i < array->known; i++)
        if (array->array[i] >= range->base && array->array[i] - range->base < range->pages &&
            array->array[i] - range->base + range->first != array->first + i)
            return true;
    return false;
}

static const char *check_earlier(const struct model *model, const struct model_adl *adl, unsigned *invariant)
{
    bool all_known = false;

    for (unsigned i = model->adls; i-- > 0;) {
        const struct model_adl *old = &model->adl[i];
        if (old->chain->remapped || !old->object->life.live)
            continue;
        if (old->object != adl->object) {
            if (share_a_page(adl, old))
                return model_wrong(invariant, 4, "the ADL names a page of another live object");
        } else if (!all_known) {
            if (!agrees(adl, old, &all_known))
                return model_wrong(invariant, 6,
                                   "the ADL names other pages than an earlier ADL of the same range");
            if (!all_known && repeats_a_page(adl, old))
                return model_wrong(invariant, 6, "two pages of the object have the same number");
        }
    }
    return NULL;
}

/* -- the table of pages from arrays ------------------------------------------------------- */

/* The slot of a page, or the free one where it would be. */
static struct model_owner *owner_slot(struct model *model, uint64_t page)
{
    uint32_t slot = (uint32_t)((page * 0x9E3779B97F4A7C15u) >> 32) & (MODEL_OWNER_SLOTS - 1);

    while (model->owner[slot].stamp == model_stamp(model) && model->owner[slot].page != page)
        slot = (slot + 1) & (MODEL_OWNER_SLOTS - 1);
    return &model->owner[slot];
}

static const char *register_array(struct model *model, const struct model_adl *adl, unsigned *invariant)
{
    uint32_t object = (uint32_t)(adl->object - model->object);

    for (uint64_t i = 0; i < adl->known; i++) {
        struct model_owner *owner = owner_slot(model, adl->array[i]);
        struct model_owner mine = {adl->array[i], model_stamp(model), (uint32_t)(adl->first + i), object};
        if (owner->stamp == mine.stamp && owner->object != object && model->object[owner->object].life.live)
            return model_wrong(invariant, 4, "the ADL names a page of another live object");
        if (owner->stamp == mine.stamp && owner->object == object && owner->object_page != mine.object_page)
            return model_wrong(invariant, 6, "two pages of the object have the same number");
        *owner = mine;
    }
    return NULL;
}

const char *model_check_physical(struct model *model, const struct model_adl *adl, unsigned *invariant)
{
    const char *wrong = check_windows(model, adl, invariant);

    if (wrong == NULL)
        wrong = check_chunks(adl, invariant);
    if (wrong == NULL)
        wrong = check_block(adl, invariant);
    if (wrong == NULL)
        wrong = check_earlier(model, adl, invariant);
    if (wrong == NULL && !adl->consecutive)
        wrong = register_array(model, adl, invariant);
    return wrong;
}
