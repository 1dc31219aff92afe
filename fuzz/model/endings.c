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

static void leave_frame_buffer(struct model *model, struct model_adapter *adapter, struct leaving *leaving)
{
    if (adapter->frame_buffer == NULL)
        return;
    report(leaving, adapter->frame_buffer->address, &adapter->frame_buffer->life);
    model_end_frame_buffer(model, adapter, leaving->common.operation, leaving->common.call);
}

static void leave_adls_of(struct model *model, const struct model_adapter_object *opened,
                          struct leaving *leaving)
{
    for (unsigned i = 0; i < model->live_adls;) {
        struct model_adl *adl = model->live_adl[i];
        if (adl->adapter_object == opened) {
            report(leaving, adl->address, &adl->life);
            model_end_adl(model, adl, leaving->common.operation, leaving->common.call);
        } else {
            i++;
        }
    }
}

/* In the order of opening, which is that of the records. */
static void leave_opened_on(struct model *model, const struct model_chain *chain, struct leaving *leaving)
{
    for (unsigned i = 0; i < model->adapter_objects; i++) {
        struct model_adapter_object *opened = &model->adapter_object[i];
        if (!opened->life.live || opened->chain != chain)
            continue;
        leave_adls_of(model, opened, leaving);
        report(leaving, opened->handle, &opened->life);
        model_end_adapter_object(model, opened, leaving->common.operation, leaving->common.call);
    }
}

/* In the order of their making. */
static void leave_memories(struct model *model, const struct model_chain *chain, struct leaving *leaving)
{
    for (unsigned i = 0; i < model->allocations; i++) {
        struct model_memory *memory = &model->memory[i];
        if (!memory->life.live || memory->chain != chain)
            continue;
        report(leaving, memory->handle, &memory->life);
        model_end_memory(model, memory, leaving->common.operation, leaving->common.call);
    }
}

static void end_adapter(struct model *model, struct model_adapter *adapter, const struct leaving *leaving)
{
    model_end_handle(model, &adapter->life, leaving->common.operation, leaving->common.call);
    adapter->chain->present--;
    model->live_adapters--;
}

size_t model_remove_adapter_done(struct model *model, const struct model_conditions *conditions,
                                 HANDLE handle, struct dxgkmem_violation *left, size_t room)
{
    struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(handle));
    struct leaving leaving =
        begin_report(conditions, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, DXGKMEM_CALL_REMOVE_ADAPTER, left, room);

    if (adapter == NULL)
        return 0;
    leave_frame_buffer(model, adapter, &leaving);
    if (adapter->chain->present == 1) {
        leave_opened_on(model, adapter->chain, &leaving);
        leave_memories(model, adapter->chain, &leaving);
    }
    end_adapter(model, adapter, &leaving);
    return leaving.count;
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
        if (object->life.live && object != model->driver) {
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
        leave_frame_buffer(model, &model->adapter[i], &leaving);
    for (unsigned i = 0; i < model->chains; i++)
        leave_memories(model, &model->chain[i], &leaving);
    leave_all_mappings(model, &leaving);
    for (unsigned i = 0; i < model->chains; i++)
        leave_opened_on(model, &model->chain[i], &leaving);
    leave_all_objects(model, &leaving);
    for (unsigned i = 0; i < model->adapters; i++)
        if (model->adapter[i].life.live)
            end_adapter(model, &model->adapter[i], &leaving);
    model->stopped = true;
    return leaving.count;
}
