/* SPDX-License-Identifier: MIT */
/*
 * One number for what a run has come to, for those who look for states that they know already. Two runs with
 * the same number differ in the order and the lines in which they got there, and behave alike from here on.
 */
#include "machine.h"

#include <dxgkmem/mdl.h>

#define SLOT_AND_GENERATION                                                                                  \
    (((uint64_t)1 << (DXGKMEM_HANDLE_INDEX_BITS + DXGKMEM_HANDLE_GENERATION_BITS)) - 1)

static void note(uint64_t *state, uint64_t value)
{
    uint64_t mixed = (*state ^ value) * 0x9e3779b97f4a7c15u;

    *state = mixed ^ mixed >> 29;
}

/* What the driver's memory says now: it may have been scribbled on. */
static void note_adl(uint64_t *state, const struct runner *runner, const struct runner_thing *thing)
{
    const DXGK_ADL *adl = (const DXGK_ADL *)(uintptr_t)thing->value;

    note(state, thing->pages);
    note(state, runner_adl_page(runner, thing, 0));
    if (!thing->live)
        return;
    if (thing->mdl) { /* nobody writes to it */
        note(state, thing->index);
        return;
    }
    note(state, adl->PageCount);
    note(state, adl->Flags.Value);
    if (thing->array == NULL) {
        note(state, adl->BasePageNumber);
        return;
    }
    /* the host's address, or what was scribbled over it */
    note(state, adl->Pages == thing->array ? 0 : runner_pointer(adl->Pages));
    for (uint64_t page = 0; page < thing->pages && page < RUNNER_ADL_FIRST; page++)
        note(state, thing->array[page]);
}

/* What a creation settled for good, and neither instance nor machine tells. */
static void note_object(uint64_t *state, const struct runner *runner, const struct runner_thing *thing)
{
    const struct program_line *line = &runner->program->line[thing->line];

    note(state, line->operand[CREATE_TYPE] << 8 | line->operand[CREATE_CACHE]);
}

/* What a handle tells of the state: of ours its slot and generation, of others, whose form nobody knows, nothing. */
static uint64_t name_of(const struct runner *runner, const struct runner_thing *thing)
{
    return runner->provider == &dxgkmem_provider_core ? thing->value & SLOT_AND_GENERATION : 0;
}

/* Of an MDL, too. */
static void note_memory(uint64_t *state, const struct runner *runner, const struct runner_thing *thing)
{
    const struct dxgkmem_mdl *mdl = thing->array != NULL && !thing->drivers ? runner_mdl_of(thing) : NULL;

    note(state, (uint64_t)runner->program->line[thing->line].opcode << 32 | thing->pages);
    note(state, runner_adl_page(runner, thing, 0));
    if (!thing->live || mdl == NULL)
        return;
    note(state, (uint64_t)mdl->ByteCount << 32 | mdl->ByteOffset);
    for (uint64_t page = 0; page < thing->pages && page < RUNNER_ADL_FIRST; page++)
        note(state, thing->array[page]);
}

static void note_thing(uint64_t *state, const struct runner *runner, unsigned number)
{
    const struct runner_thing *thing = &runner->thing[number];
    const struct runner_variable *variable = &runner->variable[thing->kind][thing->variable];
    unsigned held = variable->current == number + 1 ? 1 : variable->previous == number + 1 ? 2 : 0;

    note(state, (uint64_t)thing->kind << 32 | (uint64_t)thing->variable << 8 | held << 1 | thing->live);
    note(state, (uint64_t)thing->chain << 32 | thing->index << 8 | thing->frame_buffer);
    note(state, thing->process ^ thing->size << 8);
    if (thing->kind == PROGRAM_ADL) /* its address is the host's: what others say of it is enough */
        note_adl(state, runner, thing);
    else
        note(state, thing->kind == PROGRAM_MAPPING ? thing->value : name_of(runner, thing));
    if (thing->kind == PROGRAM_MEMORY)
        note_memory(state, runner, thing);
    if (thing->kind == PROGRAM_OBJECT)
        note_object(state, runner, thing);
}

uint64_t runner_state(const struct runner *runner)
{
    unsigned words = runner->words < RUNNER_WORDS ? runner->words : RUNNER_WORDS;
    uint64_t state = runner->shape;

    note(&state, machine_digest(runner));
    note(&state, (uint64_t)runner->irql << 32 | runner->process << 16 | runner->started);
    note(&state, (uint64_t)(unsigned)runner->arguments_are);
    note(&state, (uint64_t)runner->devices << 32 | runner->processes);
    for (unsigned kind = 0; kind < PROGRAM_KINDS; kind++)
        for (unsigned i = 0; i < runner->things; i++)
            if (runner->thing[i].kind == kind)
                note_thing(&state, runner, i);
    for (unsigned i = 0; i < words; i++) {
        const struct runner_word *word = &runner->word[i];

        note(&state, (uint64_t)word->memory << 48 ^ word->offset);
        note(&state, model_content(runner->model, word->memory, word->offset));
    }
    return state;
}

/* -- what can be told from outside --------------------------------------------------------- */

static void note_translation(uint64_t *state, bool reach, const struct dxgkmem_sim_translation *translation)
{
    note(state, reach ? (uint64_t)translation->access << 8 | (uint64_t)translation->cache << 1 | 1 : 0);
}

/* What device and CPU may do with it: its first page stands for all. */
static void note_access(uint64_t *state, const struct runner *runner, const struct runner_thing *thing)
{
    struct dxgkmem_sim_translation translation = {.access = 0};
    uint64_t process = thing->process != 0 ? thing->process : runner->process;
    uint64_t page = thing->kind == PROGRAM_ADL ? runner_adl_page(runner, thing, 0) : 0;
    unsigned devices = thing->chain != RUNNER_NO_CHAIN ? runner->chain_devices[thing->chain] : 0;
    bool reach;

    if (thing->kind == PROGRAM_MAPPING && OFFERS(runner, cpu_page)) {
        reach = runner->provider->cpu_page(runner->sim, process, (const void *)(uintptr_t)thing->value,
                                           &translation);
        note_translation(state, reach, &translation);
    }
    if (thing->kind != PROGRAM_ADL || !OFFERS(runner, device_page))
        return;
    for (unsigned device = 0; devices >> device != 0; device++) {
        if ((devices >> device & 1) == 0)
            continue;
        reach = runner->provider->device_page(runner->sim, device, page, &translation);
        note_translation(state, reach, &translation);
    }
}

uint64_t runner_sight(const struct runner *runner)
{
    unsigned words = runner->words < RUNNER_WORDS ? runner->words : RUNNER_WORDS;
    uint64_t sight = (uint64_t)runner->irql << 32 | runner->process << 16 | runner->started;

    note(&sight, (uint64_t)(unsigned)runner->arguments_are);
    for (unsigned i = 0; i < runner->things; i++) {
        const struct runner_thing *thing = &runner->thing[i];

        if (!thing->live)
            continue;
        note(&sight, (uint64_t)thing->kind << 32 | (uint64_t)thing->variable << 8 | thing->frame_buffer);
        note(&sight, thing->process ^ thing->size << 8);
        note(&sight, thing->pages << 1 | (thing->array != NULL));
        note_access(&sight, runner, thing);
    }
    for (unsigned i = 0; i < words; i++)
        note(&sight, model_content(runner->model, runner->word[i].memory, runner->word[i].offset));
    return sight;
}
