/* SPDX-License-Identifier: MIT */
/*
 * The model as a whole: its size, reset, the world it lives in, its counts.
 */
#include "model_internal.h"

size_t model_size(void)
{
    return sizeof(struct model);
}

/* Slots of the tables carry a stamp: when it has gone round, stale slots would look used. */
static void forget_stamps(struct model *model)
{
    for (unsigned i = 0; i < MODEL_WORD_SLOTS; i++)
        model->word[i].stamp = 0;
    for (unsigned i = 0; i < MODEL_OWNER_SLOTS; i++)
        model->owner[i].stamp = 0;
    model->resets = 0;
}

void model_reset(struct model *model)
{
    model->stopped = false;
    model->handles = model->live_handles = 0;
    model->chains = model->adapters = model->objects = 0;
    model->adapter_objects = model->adls = model->mappings = 0;
    model->live_adls = model->live_mappings = 0;
    model->allocations = model->live_memories = model->live_mdls = 0;
    model->driver_pages = 0;
    model->driver = NULL;
    model->leaving = NULL;
    model->live_adapters = model->live_objects = model->live_adapter_objects = model->live_frame_buffers = 0;
    model->live_pages = model->mapped_pages = 0;
    model->total.pages = model->total.objects = 0;
    model->memories = 0;
    model->arena_used = 0;
    model->words = 0;
    model->resets++;
    if (model->resets == UINT32_MAX)
        forget_stamps(model);
}

void model_set_profile(struct model *model, const struct dxgkmem_profile *profile)
{
    static const struct dxgkmem_profile own = {.rules = 0};

    model->profile = profile != NULL ? *profile : own;
    for (unsigned call = 0; call < DXGKMEM_CALL_COUNT; call++)
        for (unsigned mistake = 0; mistake < DXGKMEM_VIOLATION_COUNT; mistake++)
            model->answer[call][mistake] = profile_answer(&model->profile, (enum dxgkmem_call)call,
                                                          (enum dxgkmem_violation_code)mistake);
}

void model_set_world(struct model *model, const struct model_world *world)
{
    model->world = *world;
    model->world.highest_page = model_min(world->highest_page, MODEL_PAGE_NUMBERS - 1);
    if (model->profile.no_limits) {
        model->world.total = (struct dxgkmem_quota){.pages = 0};
        model->world.handles_limit = model->world.generations_limit = 0;
    }
}

void model_statistics(struct model *model, struct dxgkmem_statistics *statistics)
{
    *statistics = (struct dxgkmem_statistics){
        .adapters = model->live_adapters,
        .objects = model->live_objects,
        .adapter_objects = model->live_adapter_objects,
        .adls = model->live_adls - model->live_frame_buffers - model->live_memories,
        .mappings = model->live_mappings,
        .frame_buffers = model->live_frame_buffers,
        .memories = model->live_memories,
        .pages = model->live_pages,
    };
}

void model_other_member(struct model *model, bool legacy, struct model_expectation *expectation)
{
    (void)model;
    model_refuse(expectation,
                 legacy ? DXGKMEM_VIOLATION_LEGACY_CALLBACK : DXGKMEM_VIOLATION_UNRELATED_CALLBACK, 0);
}
