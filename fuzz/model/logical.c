/* SPDX-License-Identifier: MIT */
/*
 * Logical pages of remapped chains: where an ADL may lie, whether there is room
 * for one, and whether a new one keeps to it.
 */
#include "model_internal.h"

static bool crosses(uint64_t first, uint64_t pages, uint64_t boundary)
{
    return boundary != 0 && first / boundary != (first + (pages - 1)) / boundary;
}

/* The boundary that logical pages keep to. */
static uint64_t boundary_of(const struct model *model, const struct model_bounds *bounds)
{
    return model->profile.logical_unbounded ? 0 : bounds->boundary;
}

static uint64_t lowest_allowed(const struct model_bounds *bounds)
{
    return bounds->logical_low ? model_max(1, bounds->lowest) : 1;
}

/* One past the last; `bound` is the object's own. */
static uint64_t end_allowed(const struct model_chain *chain, const struct model_bounds *bounds,
                            uint64_t bound)
{
    uint64_t visible = model_pages_up_to(chain->highest_visible);

    return bounds->logical_high ? model_min(visible, bound + 1) : visible;
}

static const struct model_adl *meets_live(const struct model *model, const struct model_chain *chain,
                                          uint64_t first, uint64_t pages)
{
    for (unsigned i = 0; i < model->live_adls; i++) {
        const struct model_adl *adl = model->live_adl[i];
        if (adl->chain == chain && model_ranges_meet(first, pages, adl->base, adl->pages))
            return adl;
    }
    return NULL;
}

/* From the lowest place up: past what is in the way until it fits. */
static bool gap_exists(const struct model *model, const struct model_chain *chain, uint64_t first,
                       uint64_t end, uint64_t pages, uint64_t boundary)
{
    if (boundary != 0 && boundary < pages)
        return false;
    while (pages <= end && first <= end - pages) {
        const struct model_adl *in_the_way;

        if (crosses(first, pages, boundary))
            first = (first / boundary + 1) * boundary;
        else if ((in_the_way = meets_live(model, chain, first, pages)) != NULL)
            first = in_the_way->base + in_the_way->pages;
        else
            return true;
    }
    return false;
}

/*
 * The object's high bound is what the caller asked for. Where the machine or an
 * adapter lowered it for the physical pages, an implementation may hold logical
 * pages to the lowered one: running out between the two is right too.
 */
bool model_logical_room(const struct model *model, const struct model_chain *chain,
                        const struct model_bounds *bounds, uint64_t pages,
                        struct model_expectation *expectation)
{
    uint64_t low = lowest_allowed(bounds);

    if (!chain->remapped)
        return true;
    if (gap_exists(model, chain, low, end_allowed(chain, bounds, bounds->highest), pages,
                   boundary_of(model, bounds)))
        return true;
    if (gap_exists(model, chain, low, end_allowed(chain, bounds, bounds->asked_highest), pages,
                   boundary_of(model, bounds))) {
        model_may_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
        return true;
    }
    model_must_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
    return false;
}

const char *model_check_logical(const struct model *model, const struct model_adl *adl, unsigned *invariant)
{
    const struct model_bounds *bounds = &adl->object->bounds;

    if (adl->base == 0)
        return model_wrong(invariant, 7, "the ADL uses logical page 0");
    if (adl->base < lowest_allowed(bounds))
        return model_wrong(invariant, 7, "the ADL's logical pages lie below the object's low bound");
    if (adl->highest >= end_allowed(adl->chain, bounds, bounds->asked_highest))
        return model_wrong(invariant, 7,
                           "the ADL's logical pages lie above what the object or the adapter allows");
    if (crosses(adl->base, adl->pages, boundary_of(model, bounds)))
        return model_wrong(invariant, 7, "the ADL's logical pages cross a multiple of the boundary");
    if (meets_live(model, adl->chain, adl->base, adl->pages) != NULL)
        return model_wrong(invariant, 6, "the ADL's logical pages belong to another live ADL");
    return NULL;
}
