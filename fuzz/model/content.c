/* SPDX-License-Identifier: MIT */
/*
 * What devices and the CPU reach, and what they see there.
 *
 * A place is a memory's number and a byte offset in it. Every object and every
 * save area is a memory of its own; all I/O space is one, because what
 * was written there outlives the object. Eight-byte words that were written are
 * kept in a table; everything else is zero.
 */
#include "model_internal.h"

/* -- reach ------------------------------------------------------------------------ */

static const struct model_chain *chain_of_device(const struct model *model, uint64_t device)
{
    for (unsigned i = model->adapters; i-- > 0;)
        if (model->adapter[i].life.live && model->adapter[i].device == device)
            return model->adapter[i].chain;
    return NULL;
}

/* Which page of the ADL a logical page is. */
static bool page_in_adl(const struct model_adl *adl, uint64_t logical, uint64_t *page)
{
    if (adl->known == 0 || logical < adl->lowest || logical > adl->highest)
        return false;
    if (adl->consecutive) {
        *page = logical - adl->base;
        return true;
    }
    for (uint64_t i = 0; i < adl->known; i++) {
        if (adl->array[i] == logical) {
            *page = i;
            return true;
        }
    }
    return false;
}

bool model_device_reach(struct model *model, uint64_t device, uint64_t address, bool write, uint32_t *memory,
                        uint64_t *object_offset)
{
    const struct model_chain *chain = chain_of_device(model, device);
    unsigned access = write ? DXGKMEM_ACCESS_WRITE : DXGKMEM_ACCESS_READ;
    bool unknown = false;

    for (unsigned i = chain != NULL ? model->live_adls : 0; i-- > 0;) {
        const struct model_adl *adl = model->live_adl[i];
        const struct model_object *object = adl->object;
        uint64_t page;
        if (adl->chain != chain)
            continue;
        if (page_in_adl(adl, address >> DXGKMEM_PAGE_SHIFT, &page)) {
            if ((object->device_access & access) == 0)
                return false;
            *memory = object->memory;
            *object_offset = ((object->first_page + adl->first + page) << DXGKMEM_PAGE_SHIFT) |
                             (address & DXGKMEM_PAGE_MASK);
            return true;
        }
        unknown = unknown || adl->known != adl->pages;
    }
    *memory = MODEL_MEMORY_UNKNOWN;
    *object_offset = 0;
    return unknown;
}

bool model_cpu_reach(struct model *model, uint64_t process, const void *address, bool write, uint32_t *memory,
                     uint64_t *object_offset)
{
    uint64_t at = model_value(address);
    unsigned access = write ? DXGKMEM_ACCESS_WRITE : DXGKMEM_ACCESS_READ;

    for (unsigned i = model->live_mappings; i-- > 0;) {
        const struct model_mapping *mapping = model->live_mapping[i];
        const struct model_object *object = mapping->object;
        if ((mapping->process != 0 && mapping->process != process) || at < mapping->base ||
            at - mapping->base >= mapping->pages << DXGKMEM_PAGE_SHIFT)
            continue;
        if ((object->cpu_access & access) == 0)
            return false;
        *memory = object->memory;
        *object_offset = ((object->first_page + mapping->first) << DXGKMEM_PAGE_SHIFT) + (at - mapping->base);
        return true;
    }
    return false;
}

/* -- contents ----------------------------------------------------------------------- */

/* The slot of a word, or the free one where it would be. */
static struct model_word *word_slot(struct model *model, uint32_t memory, uint64_t offset)
{
    uint64_t mixed = (offset / 8 + (uint64_t)memory * 0x10001u) * 0x9E3779B97F4A7C15u;
    uint32_t slot = (uint32_t)(mixed >> 32) & (MODEL_WORD_SLOTS - 1);

    while (model->word[slot].stamp == model_stamp(model) &&
           (model->word[slot].memory != memory || model->word[slot].offset != offset))
        slot = (slot + 1) & (MODEL_WORD_SLOTS - 1);
    return &model->word[slot];
}

uint64_t model_content(struct model *model, uint32_t memory, uint64_t offset)
{
    const struct model_word *word = word_slot(model, memory, offset);

    return word->stamp == model_stamp(model) ? word->value : 0;
}

bool model_write(struct model *model, uint32_t memory, uint64_t offset, uint64_t value)
{
    struct model_word *word = word_slot(model, memory, offset);

    if (word->stamp != model_stamp(model)) {
        if (model->words == MODEL_PAGES)
            return false;
        model->words++;
    }
    *word =
        (struct model_word){.offset = offset, .value = value, .memory = memory, .stamp = model_stamp(model)};
    return true;
}
