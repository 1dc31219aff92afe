/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem_audit(): walks every structure, compares what it says with what the
 * others say of the same thing, and takes a digest of the state. Everything
 * stands still meanwhile.
 */
#include "adl.h"
#include "frame_buffer.h"
#include "mapping.h"
#include "memory.h"

/* What was met on the way, to be compared with the counters. */
struct walk {
    const char *problem;
    uint64_t digest, shape;
    uint64_t adapters, objects, adapter_objects, adls, mappings, frame_buffers, memories, pages;
};

static void problem_unless(struct walk *walk, bool sound, const char *problem)
{
    if (!sound && walk->problem == NULL)
        walk->problem = problem;
}

/* What is mixed does not wait for what was noted before. */
static void note_mixed(uint64_t *sum, uint64_t mixed)
{
    *sum = *sum * 0x9e3779b97f4a7c15u + mixed;
}

static void note(struct walk *walk, uint64_t value)
{
    uint64_t mixed = mix64(value + 0xd1b54a32d192ed03u);

    note_mixed(&walk->digest, mixed);
    note_mixed(&walk->shape, mixed);
}

/* Of when something happened the shape knows only which call it was. */
static void note_when(struct walk *walk, stamp when)
{
    note_mixed(&walk->digest, mix64(when + 0xd1b54a32d192ed03u));
    note_mixed(&walk->shape, when == 0 ? 0 : (uint64_t)stamp_call(when) + 1);
}

static void walk_adl(struct walk *walk, const struct object *object, const struct adl *adl)
{
    uint32_t index = adl->entry.next_free;

    problem_unless(walk, adl->owner == object, "an ADL in an object's list belongs to another");
    problem_unless(walk, index < table_used(&instance.adls) && table_at(&instance.adls, 0, index) == adl,
                   "an ADL does not know its own place");
    problem_unless(walk, (uint64_t)adl->first + adl->pages <= object->pages,
                   "an ADL reaches past its object");
    problem_unless(walk, ((adl->flags & ADL_CONTIGUOUS) == 0) == (adl->array != NULL),
                   "an ADL has an array exactly when it is not contiguous");
    note_when(walk, adl_when(adl));
    note(walk, (uint64_t)adl->first << 32 | adl->pages);
    note(walk, adl->flags);
    note(walk, adl->node.start);
    walk->adls += (adl->flags & ADL_FRAME_BUFFER) == 0;
}

static void walk_mapping(struct walk *walk, const struct object *object, const struct mapping *mapping)
{
    problem_unless(walk, mapping->object == object, "a mapping in an object's list belongs to another");
    note_when(walk, mapping->made);
    note(walk, mapping->node.start);
    note(walk, mapping->node.end);
    note(walk, mapping->process);
    walk->mappings++;
}

static void walk_object(struct walk *walk, const struct object *object)
{
    note(walk, (uint64_t)object->slot << 32 | object->adapter_slot);
    note(walk, object->size);
    note(walk, (uintptr_t)object->context);
    note(walk, object->last_unmapped);
    note_when(walk, object->last_unmapped_at);
    note(walk, (uint64_t)object->boundary_log2 << 8 | (uint64_t)object->access << 2 | object->type);
    note(walk, object->lowest_page);
    note(walk, object->highest_page);
    /* Whose the machine's pages are: its digest tells only that they are somebody's. A section's may be nowhere. */
    if (object->memory != NULL && object->type != DXGK_PHYSICAL_MEMORY_TYPE_SECTION) {
        struct dxgkmem_machine *machine = instance.machine;
        note(walk, machine->ops->memory_run(machine, object->memory, 0).page);
    }
    for (struct list_link *link = object->adls; link != NULL; link = list_next(object->adls, link))
        walk_adl(walk, object, CONTAINER_OF(link, struct adl, link));
    for (struct list_link *link = object->mappings; link != NULL; link = list_next(object->mappings, link))
        walk_mapping(walk, object, CONTAINER_OF(link, struct mapping, object_link));
    problem_unless(walk, object->memory != NULL, "a live object has no pages");
    problem_unless(walk, pages_of(object->size) == object->pages,
                   "an object's size is not that of its pages");
    problem_unless(walk, object->logical != NULL || object->adls == NULL,
                   "an object that is not open has an ADL");
    problem_unless(walk, object->adls != NULL || object->coverage.root == NULL,
                   "an object without an ADL has coverage");
    problem_unless(walk, range_audit(&object->coverage) == NULL, "an object's coverage is damaged");
    walk->pages += object->pages;
}

static void walk_memory(struct walk *walk, const struct memory *memory, uint32_t index)
{
    walk->memories++;
    problem_unless(walk, memory->slot == index, "a memory does not know its own slot");
    problem_unless(walk, memory->charged && memory->locked && memory->connected,
                   "a live memory is not complete");
    problem_unless(walk, memory->reach.pages == memory->object->pages, "the device reaches part of a memory");
    note(walk, (uint64_t)memory->made_by);
    walk_object(walk, memory->object);
}

static void walk_slot(struct walk *walk, uint32_t index)
{
    const struct handle_slot *slot = handle_slot(index);
    const struct object *object = handle_thing(index, HANDLE_OBJECT);

    /* A slot that was only ever reserved says nothing: a call that ran out of something may leave one. */
    if (slot->life == 0)
        return;
    note(walk, (uint64_t)index << 32 | slot->life);
    note_when(walk, slot->when[0]);
    note_when(walk, slot->when[1]);
    if (handle_thing(index, HANDLE_MEMORY) != NULL)
        walk_memory(walk, handle_thing(index, HANDLE_MEMORY), index);
    if (object == NULL)
        return;
    walk->objects++;
    problem_unless(walk, object->slot == index, "an object does not know its own slot");
    if (object->logical != NULL) {
        walk->adapter_objects++;
        problem_unless(walk, handle_slot(object->adapter_slot)->owner_index == index,
                       "an adapter memory object names another object's slot");
    }
    walk_object(walk, object);
}

static void walk_logical(struct walk *walk, const struct adapter *adapter)
{
    const struct logical_adapter *logical = adapter->logical;
    uint64_t pages = 0;
    uint32_t objects = 0, areas = 0, pinned = 0, memories = 0;

    for (struct list_link *link = logical->open.first; link != NULL; link = link->next) {
        const struct object *object = CONTAINER_OF(link, struct object, open_link);
        problem_unless(walk, object->logical == logical, "an object is on another adapter's list");
        pages += object->pages;
        objects++;
    }
    for (struct list_link *link = logical->memories; link != NULL;
         link = list_next(logical->memories, link)) {
        const struct memory *memory = CONTAINER_OF(link, struct memory, link);
        problem_unless(walk, memory->object->logical == logical, "a memory is on another adapter's list");
        pages += memory->object->pages;
        memories++;
    }
    for (unsigned i = 0; i < DXGKMEM_CHAIN_MAX; i++) {
        const struct frame_buffer *frame_buffer =
            logical->chain[i] != NULL ? &logical->chain[i]->frame_buffer : NULL;
        if (frame_buffer == NULL || frame_buffer->area == NULL)
            continue;
        pages += frame_buffer->area->pages;
        areas++;
        pinned += frame_buffer->pinned != 0;
    }
    problem_unless(walk, logical->opened == objects + pinned + memories,
                   "an adapter miscounts what is open on it");
    problem_unless(walk,
                   !logical->quota.limited ||
                       (logical->quota.objects == objects + areas && logical->quota.pages == pages),
                   "an adapter's quota does not match what is open on it");
    problem_unless(walk, range_audit(&logical->taken) == NULL, "an adapter's logical addresses are damaged");
    problem_unless(walk, range_audit(&logical->lent) == NULL,
                   "an adapter's claims on pages of MDLs are damaged");
    if (logical->lent.root != NULL) { /* a claim that a failed call kept would show here */
        note(walk, logical->lent.root->min_start);
        note(walk, logical->lent.root->max_end);
        note(walk, logical->lent.root->max_gap);
    }
    if (logical->taken.root != NULL) { /* room that a failed call kept would show in one of them */
        note(walk, logical->taken.root->min_start);
        note(walk, logical->taken.root->max_end);
        note(walk, logical->taken.root->max_gap);
    }
    note(walk, logical->quota.adls);
    note(walk, logical->quota.pages_limit);
    note(walk, logical->quota.adls_limit);
    note(walk, logical->highest_visible_page);
    note(walk, (uint64_t)logical->indices << 32 | (uint64_t)logical->version << 1 | logical->remapped);
    note_when(walk, logical->gone_at);
    note(walk, logical->references);
}

static void walk_frame_buffer(struct walk *walk, const struct frame_buffer *frame_buffer)
{
    problem_unless(walk, frame_buffer->pinned == 0 || frame_buffer->area != NULL,
                   "a frame buffer without a save area is pinned");
    problem_unless(walk,
                   (frame_buffer->adl != NULL) + (frame_buffer->memory != NULL) ==
                       (frame_buffer->pinned != 0 ? 1 : 0),
                   "a frame buffer is pinned exactly when the device reaches its save area");
    note_when(walk, frame_buffer->pinned);
    if (frame_buffer->area != NULL)
        walk_object(walk, frame_buffer->area);
    if (frame_buffer->memory != NULL)
        note(walk, frame_buffer->memory->reach.pages);
    walk->frame_buffers += frame_buffer->pinned != 0;
}

static void walk_adapters(struct walk *walk)
{
    for (struct list_link *link = instance.adapters; link != NULL;
         link = list_next(instance.adapters, link)) {
        const struct adapter *adapter = CONTAINER_OF(link, struct adapter, link);
        walk->adapters++;
        note(walk, (uint64_t)adapter->slot << 32 | adapter->physical_index);
        note(walk, adapter->device);
        note(walk, adapter->frame_buffer_bytes);
        walk_frame_buffer(walk, &adapter->frame_buffer);
        walk_logical(walk, adapter);
    }
}

static void walk_shared(struct walk *walk)
{
    problem_unless(walk, !instance.total.limited || instance.total.objects == walk->objects,
                   "the quota of all objects is wrong");
    note(walk, instance.total.pages);
    problem_unless(walk, range_audit(&instance.claims) == NULL, "the claims on I/O ranges are damaged");
    for (unsigned i = 0; i < MAPPING_STRIPES; i++) {
        problem_unless(walk, range_audit(&instance.stripe[i].kernel) == NULL,
                       "the kernel's mappings are damaged");
        for (const struct mapping_space *space = instance.stripe[i].spaces; space != NULL;
             space = space->next)
            problem_unless(walk, space->mappings != NULL && range_audit(&space->tree) == NULL,
                           "a process' mappings are damaged");
    }
}

static void compare_counters(struct walk *walk)
{
    struct dxgkmem_statistics statistics;

    dxgkmem_query_statistics(&statistics);
    problem_unless(walk, statistics.adapters == walk->adapters, "the count of adapters is wrong");
    problem_unless(walk, statistics.objects == walk->objects, "the count of objects is wrong");
    problem_unless(walk, statistics.adapter_objects == walk->adapter_objects,
                   "the count of adapter memory objects is wrong");
    problem_unless(walk, statistics.adls == walk->adls, "the count of ADLs is wrong");
    problem_unless(walk, statistics.mappings == walk->mappings, "the count of mappings is wrong");
    problem_unless(walk, statistics.frame_buffers == walk->frame_buffers,
                   "the count of frame buffers is wrong");
    problem_unless(walk, statistics.memories == walk->memories, "the count of memories is wrong");
    problem_unless(walk, statistics.pages == walk->pages, "the count of pages is wrong");
}

void dxgkmem_audit(struct dxgkmem_audit *audit)
{
    struct walk walk;

    memset(&walk, 0, sizeof(walk));
    if (ATOMIC_LOAD_ACQUIRE(&instance.started) != 0) {
        for (uint32_t i = 0; i < table_used(&instance.handles); i++)
            walk_slot(&walk, i);
        walk_adapters(&walk);
        walk_shared(&walk);
        compare_counters(&walk);
    }
    audit->problem = walk.problem;
    audit->digest = walk.digest;
    audit->shape = walk.shape;
}
