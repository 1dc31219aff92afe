/* SPDX-License-Identifier: MIT */
/*
 * What ends without a callback: removal of an adapter, end of a process, stop.
 * Each thing that was left is one violation that must be reported.
 */
#include "model_internal.h"

struct leaving { /* the list that is being filled, and what stands in each entry */
    struct dxgkmem_violation *left;
    size_t room, count;
    struct dxgkmem_violation common;
};

static void report(struct leaving *leaving, uint64_t subject, const struct model_life *life)
{
    if (leaving->count < leaving->room) {
        struct dxgkmem_violation *entry = &leaving->left[leaving->count++];
        *entry = leaving->common;
        entry->subject = subject;
        entry->earlier_operation = life->made;
        entry->earlier_call = life->made == 0 ? DXGKMEM_CALL_NONE : life->made_by;
    }
}

static struct leaving begin_report(const struct model_conditions *conditions,
                                   enum dxgkmem_violation_code code, enum dxgkmem_call call,
                                   struct dxgkmem_violation *left, size_t room)
{
    return (struct leaving){
        .left = left,
        .room = room,
        .common = {.code = code, .call = call, .operation = conditions->operation},
    };
}

/* The mapping of a frame buffer, or else its pin; false: neither is left. */
static bool leave_frame_buffer(struct model *model, struct model_adapter *adapter, struct leaving *leaving)
{
    struct model_mapping *mapping = model_mapping_of(model, adapter);
    const struct model_adl *adl = adapter->frame_buffer;

    if (mapping != NULL) {
        report(leaving, mapping->base, &mapping->life);
        model_end_mapping(model, mapping, leaving->common.operation, leaving->common.call);
    } else if (adl != NULL) {
        report(leaving, adl->mdl != 0 ? adl->mdl : adl->address, &adl->life);
        model_end_frame_buffer(model, adapter, leaving->common.operation, leaving->common.call);
    }
    return mapping != NULL || adl != NULL;
}

/* The oldest ADL of what is open, or that itself. */
static void leave_part_of(struct model *model, struct model_adapter_object *opened, struct leaving *leaving)
{
    for (unsigned i = 0; i < model->live_adls; i++) {
        struct model_adl *adl = model->live_adl[i];
        if (adl->adapter_object == opened) {
            report(leaving, adl->address, &adl->life);
            model_end_adl(model, adl, leaving->common.operation, leaving->common.call);
            return;
        }
    }
    report(leaving, opened->handle, &opened->life);
    model_end_adapter_object(model, opened, leaving->common.operation, leaving->common.call);
}

/* One thing that is open, in the order of opening, which is that of the records; false: nothing is. */
static bool leave_oldest_opened(struct model *model, const struct model_chain *chain, struct leaving *leaving)
{
    for (unsigned i = 0; i < model->adapter_objects; i++) {
        struct model_adapter_object *opened = &model->adapter_object[i];
        if (opened->life.live && opened->chain == chain) {
            leave_part_of(model, opened, leaving);
            return true;
        }
    }
    return false;
}

/* In the order of their making. */
static bool leave_oldest_memory(struct model *model, const struct model_chain *chain, struct leaving *leaving)
{
    for (unsigned i = 0; i < model->allocations; i++) {
        struct model_memory *memory = &model->memory[i];
        if (memory->life.live && memory->chain == chain) {
            report(leaving, memory->handle, &memory->life);
            model_end_memory(model, memory, leaving->common.operation, leaving->common.call);
            return true;
        }
    }
    return false;
}

/* Its handle and its place in the chain. Slot, device and save area are free when the removal is over. */
static void end_adapter(const struct model *model, struct model_adapter *adapter,
                        const struct leaving *leaving)
{
    model_life_end(model, &adapter->life, leaving->common.operation, leaving->common.call);
    adapter->chain->present--;
}

static void forget_adapter(struct model *model, struct model_adapter *adapter)
{
    model_end_area(model, adapter);
    model->live_handles--;
    model->live_adapters--;
}

size_t model_remove_adapter_done(struct model *model, const struct model_conditions *conditions,
                                 HANDLE handle, struct dxgkmem_violation *left, size_t room)
{
    struct model_adapter *other = model->leaving; /* this one comes in its midst */
    size_t count = 0;

    model_removal_begin(model, conditions, handle);
    while (model_removal_next(model, left, room, &count))
        continue;
    model_removal_end(model);
    model->leaving = other;
    return count;
}

/* -- removal, in its steps ---------------------------------------------------------------- */

static struct leaving begin_removal_report(uint64_t operation, struct dxgkmem_violation *left, size_t room)
{
    const struct model_conditions conditions = {.operation = operation};

    return begin_report(&conditions, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, DXGKMEM_CALL_REMOVE_ADAPTER, left,
                        room);
}

void model_removal_begin(struct model *model, const struct model_conditions *conditions, HANDLE handle)
{
    struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(handle));
    struct leaving leaving = begin_removal_report(conditions->operation, NULL, 0);

    model->leaving = adapter;
    if (adapter != NULL)
        end_adapter(model, adapter, &leaving);
}

bool model_removal_next(struct model *model, struct dxgkmem_violation *left, size_t room, size_t *count)
{
    struct model_adapter *adapter = model->leaving;
    bool ended;

    if (adapter == NULL)
        return false;
    struct leaving leaving = begin_removal_report(adapter->life.ended, left, room);
    leaving.count = *count;
    ended = leave_frame_buffer(model, adapter, &leaving) ||
            (adapter->chain->present == 0 && (leave_oldest_opened(model, adapter->chain, &leaving) ||
                                              leave_oldest_memory(model, adapter->chain, &leaving)));
    *count = leaving.count;
    return ended;
}

void model_removal_end(struct model *model)
{
    if (model->leaving != NULL)
        forget_adapter(model, model->leaving);
    model->leaving = NULL;
}

bool model_process_leaves(const struct model *model, uint64_t process)
{
    for (unsigned i = 0; i < model->live_mappings; i++)
        if (model->live_mapping[i]->process == process)
            return true;
    return false;
}

size_t model_process_exit(struct model *model, const struct model_conditions *conditions, uint64_t process,
                          struct dxgkmem_violation *left, size_t room)
{
    struct leaving leaving = begin_report(conditions, DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT,
                                          DXGKMEM_CALL_PROCESS_EXIT, left, room);

    for (unsigned i = 0; process != 0 && i < model->live_mappings;) {
        struct model_mapping *mapping = model->live_mapping[i];
        if (mapping->process == process) {
            report(&leaving, mapping->base, &mapping->life);
            model_end_mapping(model, mapping, conditions->operation, DXGKMEM_CALL_PROCESS_EXIT);
        } else {
            i++;
        }
    }
    return leaving.count;
}

static void leave_all_mappings(struct model *model, struct leaving *leaving)
{
    while (model->live_mappings != 0) {
        struct model_mapping *mapping = model->live_mapping[0];
        report(leaving, mapping->base, &mapping->life);
        model_end_mapping(model, mapping, leaving->common.operation, leaving->common.call);
    }
}

static void leave_all_objects(struct model *model, struct leaving *leaving)
{
    for (unsigned i = 0; i < model->objects; i++) {
        struct model_object *object = &model->object[i];
        if (object->life.live && object->handle != 0) { /* neither a save area nor the driver's own pages */
            report(leaving, object->handle, &object->life);
            model_end_object(model, object, leaving->common.operation, leaving->common.call);
        }
    }
}

size_t model_stop(struct model *model, const struct model_conditions *conditions,
                  struct dxgkmem_violation *left, size_t room, struct dxgkmem_leaks *leaks)
{
    struct leaving leaving =
        begin_report(conditions, DXGKMEM_VIOLATION_LEFT_AT_STOP, DXGKMEM_CALL_STOP, left, room);

    *leaks = (struct dxgkmem_leaks){
        .objects = model->live_objects,
        .adapter_objects = model->live_adapter_objects,
        .adls = model->live_adls - model->live_frame_buffers - model->live_memories,
        /* each memory but an MDL's has one, which goes with it */
        .mappings = model->live_mappings - (model->live_memories - model->live_mdls),
        .frame_buffers = model->live_frame_buffers,
        .memories = model->live_memories,
    };
    for (unsigned i = 0; i < model->adapters; i++)
        while (leave_frame_buffer(model, &model->adapter[i], &leaving))
            continue;
    for (unsigned i = 0; i < model->chains; i++)
        while (leave_oldest_memory(model, &model->chain[i], &leaving))
            continue;
    leave_all_mappings(model, &leaving);
    for (unsigned i = 0; i < model->chains; i++)
        while (leave_oldest_opened(model, &model->chain[i], &leaving))
            continue;
    leave_all_objects(model, &leaving);
    for (unsigned i = 0; i < model->adapters; i++)
        if (model->adapter[i].life.live) {
            end_adapter(model, &model->adapter[i], &leaving);
            forget_adapter(model, &model->adapter[i]);
        }
    model->stopped = true;
    return leaving.count;
}
