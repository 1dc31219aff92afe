/* SPDX-License-Identifier: MIT */
/*
 * Accesses that the runner makes by itself: the words that programs wrote are
 * read through everything that shows them, and what was just made or ended is
 * tried out, so that translations get cached and stale ones are met.
 */
#include "machine.h"

/* -- contents ------------------------------------------------------------------------------- */

void runner_note_word(struct runner *runner, uint32_t memory, uint64_t offset)
{
    unsigned words = runner->words < RUNNER_WORDS ? runner->words : RUNNER_WORDS;

    for (unsigned i = 0; i < words; i++)
        if (runner->word[i].memory == memory && runner->word[i].offset == offset)
            return;
    runner->word[runner->words++ % RUNNER_WORDS] = (struct runner_word){.memory = memory, .offset = offset};
}

/* Whether these pages of a memory have the word; *at: its distance from their first byte. */
static bool holds(const struct runner_word *word, uint32_t memory, uint64_t first_page, uint64_t pages,
                  uint64_t *at)
{
    *at = word->offset - (first_page << DXGKMEM_PAGE_SHIFT);
    return word->memory == memory && word->offset >> DXGKMEM_PAGE_SHIFT >= first_page &&
           *at >> DXGKMEM_PAGE_SHIFT < pages;
}

static bool differs(struct runner *runner, const struct runner_word *word, uint64_t value,
                    enum program_kind kind, uint64_t thing)
{
    struct writer *says;

    if (value == model_content(runner->model, word->memory, word->offset))
        return false;
    says = runner_find(runner, 10);
    write_text(says, ": a word written reads as ");
    write_hexadecimal(says, value);
    write_text(says, " through ");
    runner_name_thing(runner, says, kind, thing);
    write_text(says, ", expected ");
    write_hexadecimal(says, model_content(runner->model, word->memory, word->offset));
    return true;
}

static void check_word(struct runner *runner, const struct runner_word *word)
{
    struct model_live_adl adl;
    struct model_live_mapping mapping;
    uint64_t at, value;
    size_t cursor = 0;

    while (model_next_adl(runner->model, &cursor, &adl)) {
        uint64_t device = adl.device_count > 0 ? adl.devices[runner->round % adl.device_count] : 0;

        if (adl.device_count == 0 || !OFFERS(runner, dma_read) ||
            !holds(word, adl.memory, adl.first_page, adl.pages, &at) ||
            !runner_knows_page(&adl, at >> DXGKMEM_PAGE_SHIFT))
            continue;
        value = ~(uint64_t)0;
        if (!runner->provider->dma_read(
                runner->sim, device,
                (runner_logical_page(&adl, at >> DXGKMEM_PAGE_SHIFT) << DXGKMEM_PAGE_SHIFT) +
                    (at & DXGKMEM_PAGE_MASK),
                &value, sizeof(value)))
            runner_find_that(runner, 5, "DMA to a live ADL faults");
        else
            differs(runner, word, value, PROGRAM_ADL, runner_pointer(adl.handed_out));
    }
    cursor = 0;
    while (model_next_mapping(runner->model, &cursor, &mapping)) {
        if (!holds(word, mapping.memory, mapping.first_page, mapping.pages, &at) ||
            (mapping.process != 0 && mapping.process != runner->process))
            continue;
        if (!machine_cpu_read(runner, mapping.base + (size_t)at, &value))
            runner_find_that(runner, 10, "a live mapping cannot be read");
        else
            differs(runner, word, value, PROGRAM_MAPPING, runner_pointer(mapping.base));
    }
}

void runner_check_contents(struct runner *runner)
{
    unsigned words = runner->words < RUNNER_WORDS ? runner->words : RUNNER_WORDS;

    for (unsigned i = 0; i < words && !runner_found(runner); i++)
        check_word(runner, &runner->word[i]);
}

/* -- what ended and what was made -------------------------------------------------------------- */

/* A device's access through the IOTLB and what the page table says, against the model. */
static void probe_device(struct runner *runner, const struct runner_thing *thing, uint64_t device,
                         uint64_t page, uint64_t in_page)
{
    enum program_kind kind = (enum program_kind)thing->kind;
    uint64_t address = (runner_adl_page(runner, thing, page) << DXGKMEM_PAGE_SHIFT) + in_page;
    struct dxgkmem_sim_translation translation;
    uint64_t offset, value = 0;
    uint32_t memory;
    bool reach = model_device_reach(runner->model, device, address, false, &memory, &offset);

    if (reach && memory == MODEL_MEMORY_UNKNOWN) /* an ADL too long for the model may cover it */
        return;
    if (OFFERS(runner, device_page) &&
        runner->provider->device_page(runner->sim, device, address >> DXGKMEM_PAGE_SHIFT, &translation) !=
            reach)
        runner_find_at(runner, 5, kind, thing->value, page,
                       reach ? "the device does not reach it" : "the device still reaches it");
    else if (!OFFERS(runner, dma_read))
        return;
    else if (runner->provider->dma_read(runner->sim, device, address, &value, sizeof(value)) != reach)
        runner_find_at(runner, 5, kind, thing->value, page, reach ? "DMA faults" : "DMA still goes through");
    else if (reach && value != model_content(runner->model, memory, offset))
        runner_find_at(runner, model_content(runner->model, memory, offset) == 0 ? 8 : 10, kind, thing->value,
                       page, "DMA reads what nobody wrote there");
}

static void probe_adl(struct runner *runner, const struct runner_thing *thing)
{
    uint16_t devices = thing->chain != RUNNER_NO_CHAIN ? runner->chain_devices[thing->chain] : 0;
    uint64_t page;

    for (unsigned device = 0; devices != 0 && !runner_found(runner); device++, devices >>= 1) {
        if ((devices & 1) == 0)
            continue;
        for (unsigned k = 0; runner_pick(runner, thing->pages, k, &page) && !runner_found(runner); k++)
            probe_device(runner, thing, device, page, k % 2 == 0 ? 0 : DXGKMEM_PAGE_BYTES - sizeof(uint64_t));
    }
}

static void probe_cpu(struct runner *runner, const struct runner_thing *thing, uint64_t at)
{
    const uint8_t *address = (const uint8_t *)(uintptr_t)thing->value + (size_t)at;
    uint64_t process = thing->process != 0 ? thing->process : runner->process;
    struct dxgkmem_sim_translation translation;
    uint64_t offset, value = 0;
    uint32_t memory;
    bool reach = model_cpu_reach(runner->model, process, address, false, &memory, &offset);

    if (OFFERS(runner, cpu_page) &&
        runner->provider->cpu_page(runner->sim, process, address, &translation) != reach)
        runner_find_at(runner, 10, PROGRAM_MAPPING, thing->value, at >> DXGKMEM_PAGE_SHIFT,
                       reach ? "the CPU does not reach it" : "the CPU still reaches it");
    else if (process != runner->process || !machine_can_read(runner, !reach))
        return;
    else if (machine_cpu_read(runner, address, &value) != reach)
        runner_find_at(runner, 10, PROGRAM_MAPPING, thing->value, at >> DXGKMEM_PAGE_SHIFT,
                       reach ? "it cannot be read" : "it can still be read");
    else if (reach && value != model_content(runner->model, memory, offset))
        runner_find_at(runner, model_content(runner->model, memory, offset) == 0 ? 8 : 10, PROGRAM_MAPPING,
                       thing->value, at >> DXGKMEM_PAGE_SHIFT, "it shows what nobody wrote there");
}

void runner_probe(struct runner *runner, const struct runner_thing *thing)
{
    if (thing->kind == PROGRAM_ADL || thing->kind == PROGRAM_MEMORY)
        probe_adl(runner, thing);
    if (thing->kind == PROGRAM_MAPPING && thing->size >= DXGKMEM_PAGE_BYTES) {
        probe_cpu(runner, thing, 0);
        probe_cpu(runner, thing, (thing->size - sizeof(uint64_t)) & ~(uint64_t)7);
    }
}
