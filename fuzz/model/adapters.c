/* SPDX-License-Identifier: MIT */
/*
 * Adapters: whether one can be added, which logical adapter it makes or joins.
 * What its removal ends is in endings.c.
 */
#include "model_internal.h"

static uint64_t highest_visible(const struct dxgkmem_adapter_config *config)
{
    return (uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart;
}

static bool sees_all_ram(const struct model *model, const struct dxgkmem_adapter_config *config)
{
    return model_pages_up_to(highest_visible(config)) > model->world.highest_ram_page;
}

static bool device_in_use(const struct model *model, uint64_t device)
{
    for (unsigned i = 0; i < model->adapters; i++)
        if ((model->adapter[i].life.live || model->leaving == &model->adapter[i]) &&
            model->adapter[i].device == device)
            return true;
    return false;
}

static bool bad_field(const struct model *model, const struct dxgkmem_adapter_config *config)
{
    return !dxgkmem_ddi_version_known(config->version) ||
           highest_visible(config) < 2 * DXGKMEM_PAGE_BYTES - 1 ||
           config->frame_buffer_bytes > DXGKMEM_OBJECT_BYTES_MAX ||
           !model_page_multiple(config->frame_buffer_bytes) ||
           (unsigned)config->remapping > DXGKMEM_REMAPPING_ALWAYS || device_in_use(model, config->device);
}

static NTSTATUS join_status(const struct model *model, const struct dxgkmem_adapter_config *config)
{
    const struct model_adapter *other = model_find_live(model, MODEL_ADAPTER, model_value(config->link_to));

    if (other == NULL)
        return STATUS_INVALID_PARAMETER;
    const struct model_chain *chain = other->chain;
    bool fits = chain->version == config->version && chain->indices_used < DXGKMEM_CHAIN_MAX;
    bool can = chain->remapped ? config->iommu_caps.DmaRemappingSupported != 0 : sees_all_ram(model, config);
    bool breaks_promise =
        model_pages_up_to(highest_visible(config)) < model_pages_up_to(chain->highest_visible) &&
        (chain->objects != 0 || chain->frame_buffers != 0 || chain->memories != 0);
    return fits && can && !breaks_promise ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
}

static NTSTATUS own_chain_status(const struct model *model, const struct dxgkmem_adapter_config *config)
{
    if (config->iommu_caps.DmaRemappingSupported)
        return STATUS_SUCCESS;
    if (config->remapping == DXGKMEM_REMAPPING_ALWAYS)
        return STATUS_INVALID_PARAMETER;
    return sees_all_ram(model, config) ? STATUS_SUCCESS : STATUS_NOT_SUPPORTED;
}

void model_add_adapter(struct model *model, const struct dxgkmem_adapter_config *config,
                       struct model_expectation *expectation)
{
    model_expect_success(expectation);
    if (model->stopped) {
        expectation->status = STATUS_INVALID_DEVICE_STATE;
        expectation->answer = model_answer(model, DXGKMEM_CALL_ADD_ADAPTER, DXGKMEM_VIOLATION_NOT_STARTED);
    } else if (bad_field(model, config)) {
        expectation->status = STATUS_INVALID_PARAMETER;
    } else {
        expectation->status =
            config->link_to != NULL ? join_status(model, config) : own_chain_status(model, config);
    }
    expectation->any_status = model->answer[DXGKMEM_CALL_ADD_ADAPTER][DXGKMEM_VIOLATION_NONE].any_error;
    if (expectation->status == STATUS_SUCCESS)
        (void)model_handle_room(model, 1, expectation);
}

static struct model_chain *make_chain(struct model *model, const struct dxgkmem_adapter_config *config)
{
    struct model_chain *chain = &model->chain[model->chains++];

    *chain = (struct model_chain){
        .remapped = config->remapping == DXGKMEM_REMAPPING_ALWAYS || !sees_all_ram(model, config),
        .version = config->version,
        .highest_visible = highest_visible(config),
        .quota = config->quota,
    };
    if (model->profile.no_limits)
        chain->quota = (struct dxgkmem_quota){.pages = 0};
    if (chain->quota.pages == 0)
        chain->quota.pages = MODEL_UNLIMITED;
    if (chain->quota.objects == 0)
        chain->quota.objects = UINT32_MAX;
    if (chain->quota.adls == 0)
        chain->quota.adls = UINT32_MAX;
    return chain;
}

const char *model_add_adapter_done(struct model *model, const struct model_conditions *conditions,
                                   const struct dxgkmem_adapter_config *config, HANDLE handle,
                                   unsigned *invariant)
{
    const struct model_adapter *other = model_find_live(model, MODEL_ADAPTER, model_value(config->link_to));

    if (config->link_to != NULL && other == NULL)
        return model_wrong(invariant, 1, "an adapter was linked to one that is not present");
    if (model->adapters == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another adapter");
    const char *wrong = model_check_handle(model, handle, invariant);
    if (wrong != NULL)
        return wrong;

    struct model_chain *chain = other != NULL ? other->chain : make_chain(model, config);
    struct model_adapter *adapter = &model->adapter[model->adapters++];
    *adapter = (struct model_adapter){
        .handle = model_value(handle),
        .chain = chain,
        .physical_index = chain->indices_used++,
        .device = config->device,
        .frame_buffer_bytes = config->frame_buffer_bytes,
        .objects_only = chain->remapped || (config->iommu_caps.DmaRemappingSupported != 0 &&
                                            config->version >= DXGKDDI_INTERFACE_VERSION_WDDM3_0),
    };
    chain->present++;
    chain->highest_visible = model_min(chain->highest_visible, highest_visible(config));
    model->live_adapters++;
    model_life_begin(&adapter->life, conditions->operation, DXGKMEM_CALL_ADD_ADAPTER);
    model_give_handle(model, MODEL_ADAPTER, adapter->handle, &adapter->life, adapter);
    return NULL;
}

static bool leaves_something(const struct model *model, const struct model_adapter *adapter)
{
    return adapter->frame_buffer != NULL || model_mapping_of(model, adapter) != NULL ||
           (adapter->chain->present == 1 && (adapter->chain->objects != 0 || adapter->chain->memories != 0));
}

void model_remove_adapter(struct model *model, HANDLE handle, struct model_expectation *expectation)
{
    const struct profile_answer *answer =
        &model->answer[DXGKMEM_CALL_REMOVE_ADAPTER][DXGKMEM_VIOLATION_LEFT_AT_REMOVAL];
    const struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(handle));

    model_expect_success(expectation);
    if (adapter == NULL) {
        expectation->status = STATUS_INVALID_HANDLE;
    } else if (answer->answer == DXGKMEM_ANSWER_UNCHECKED && leaves_something(model, adapter)) {
        expectation->answer = DXGKMEM_ANSWER_UNCHECKED;
    } else if (answer->answer == DXGKMEM_ANSWER_REFUSE && leaves_something(model, adapter)) {
        expectation->status = answer->status != 0 ? answer->status : STATUS_DEVICE_BUSY;
        expectation->any_status = answer->status == 0;
    }
}
