/* SPDX-License-Identifier: MIT */
/*
 * What operands mean. Owns the variables and the log of all things: which value
 * a class derives from a variable. All of it is decided by the order in which
 * things were made and ended, so a program always resolves the same way.
 */
#include "runner_internal.h"

#define INDEX_MASK (((uint64_t)1 << DXGKMEM_HANDLE_INDEX_BITS) - 1)
#define GENERATION_MASK (((uint64_t)1 << DXGKMEM_HANDLE_GENERATION_BITS) - 1)
#define CHECK_SHIFT (DXGKMEM_HANDLE_INDEX_BITS + DXGKMEM_HANDLE_GENERATION_BITS + DXGKMEM_HANDLE_KIND_BITS)

/* Never given out: small, misaligned, all ones, where kernels live, where processes live, patterns. */
static const uint64_t garbage[PROGRAM_VARIABLES] = {
    0x1,
    0x2,
    0x8,
    0x1000,
    UINT64_MAX,
    UINT64_MAX - 7,
    0xffff800000001000,
    0xffff800000001004,
    0xffffffff80000000,
    0x00007ffffffff000,
    0x00007fffffff0008,
    0x8000000000000000,
    0x5555555555555555,
    0xaaaaaaaaaaaaaaaa,
    0x0000000100000001,
    0xdeadbeefdeadbee0,
};

/* A pointer's worth of it, as it will be passed. */
static uint64_t passed(uint64_t value)
{
    return (uint64_t)(uintptr_t)value;
}

static int place(const struct runner *runner, const struct runner_thing *thing)
{
    return (int)(thing - runner->thing);
}

struct runner_thing *runner_make(struct runner *runner, enum program_kind kind, uint64_t value)
{
    struct runner_thing *thing = &runner->thing[runner->things];

    *thing = (struct runner_thing){
        .value = value, .kind = (uint8_t)kind, .line = runner->at, .live = true, .chain = RUNNER_NO_CHAIN};
    if (runner->made < sizeof(runner->made_thing) / sizeof(runner->made_thing[0]))
        runner->made_thing[runner->made++] = (uint16_t)runner->things;
    runner->things++;
    return thing;
}

void runner_bind(struct runner *runner, enum program_kind kind, unsigned variable)
{
    struct runner_variable *bound = &runner->variable[kind][variable];

    bound->previous = bound->current;
    bound->current = (uint16_t)runner->things;
    runner->thing[runner->things - 1].variable = (uint8_t)variable;
}

void runner_end(struct runner *runner, struct runner_thing *thing)
{
    thing->live = false;
    runner->ended_thing[runner->ended++] = (uint16_t)place(runner, thing);
}

struct runner_thing *runner_find_live(struct runner *runner, enum program_kind kind, uint64_t value,
                                      uint64_t process)
{
    for (unsigned i = runner->things; i-- > 0;) {
        struct runner_thing *thing = &runner->thing[i];

        if (thing->live && thing->kind == kind && thing->value == value &&
            (process == 0 || thing->process == 0 || thing->process == process)) {
            return thing;
        }
    }
    return NULL;
}

void runner_remember_adl(struct runner *runner, struct runner_thing *thing, const DXGK_ADL *adl)
{
    uint64_t *kept = runner->adl_page[runner->adls];

    thing->adl = runner->adls++;
    if (!adl->Flags.Contiguous && runner_is_gone(runner, adl->Pages))
        return;
    thing->pages = adl->PageCount;
    if (adl->Flags.Contiguous) {
        thing->base = adl->BasePageNumber;
        return;
    }
    thing->array = adl->Pages;
    for (uint64_t page = 0; page < thing->pages && page < RUNNER_ADL_KEPT; page++)
        kept[page] = adl->Pages[page];
    if (thing->pages > RUNNER_ADL_KEPT) {
        kept[RUNNER_ADL_KEPT - 2] = adl->Pages[thing->pages - 2];
        kept[RUNNER_ADL_KEPT - 1] = adl->Pages[thing->pages - 1];
    }
}

/* Pages of a long array that are not kept stand for kept ones. */
uint64_t runner_adl_page(const struct runner *runner, const struct runner_thing *thing, uint64_t page)
{
    const uint64_t *kept = runner->adl_page[thing->adl];

    if (thing->array == NULL)
        return thing->base + page;
    if (thing->pages <= RUNNER_ADL_KEPT)
        return page < thing->pages ? kept[page] : kept[thing->pages - 1] + (page - thing->pages + 1);
    if (page >= thing->pages)
        return kept[RUNNER_ADL_KEPT - 1] + (page - thing->pages + 1);
    if (page + 2 >= thing->pages)
        return kept[RUNNER_ADL_FIRST + (page + 2 - thing->pages)];
    return kept[page % RUNNER_ADL_FIRST];
}

void runner_name_thing(const struct runner *runner, struct writer *writer, enum program_kind kind,
                       uint64_t value)
{
    for (unsigned variable = 0; variable < PROGRAM_VARIABLES; variable++) {
        unsigned current = runner->variable[kind][variable].current;

        if (current != 0 && runner->thing[current - 1].value == value) {
            write_character(writer, program_kind_letters[kind]);
            write_decimal(writer, variable);
            return;
        }
    }
    write_text(writer, program_kind_words[kind]);
    for (unsigned i = runner->things; i-- > 0;) {
        if (runner->thing[i].kind == kind && runner->thing[i].value == value) {
            write_text(writer, " made by line ");
            write_decimal(writer, program_line_number(runner->program, runner->thing[i].line));
            return;
        }
    }
}

/* -- classes ---------------------------------------------------------------------- */

static const struct runner_thing *first_live(const struct runner *runner, enum program_kind kind,
                                             uint64_t owner)
{
    for (unsigned i = 0; i < runner->things; i++) {
        const struct runner_thing *thing = &runner->thing[i];

        if (thing->live && thing->kind == kind && (owner == 0 || thing->owner == owner))
            return thing;
    }
    return NULL;
}

/* A live thing of the nearest other kind. */
static const struct runner_thing *other_kind(const struct runner *runner, enum program_kind kind,
                                             const struct runner_thing *thing)
{
    const struct runner_thing *found = NULL;

    switch (kind) {
    case PROGRAM_ADAPTER:
        return first_live(runner, PROGRAM_OBJECT, 0);
    case PROGRAM_OBJECT:
        if (thing != NULL)
            found = first_live(runner, PROGRAM_ADAPTER_OBJECT, thing->value);
        return found != NULL ? found : first_live(runner, PROGRAM_ADAPTER, 0);
    case PROGRAM_ADAPTER_OBJECT:
        for (unsigned i = 0; thing != NULL && i < runner->things; i++) {
            if (runner->thing[i].live && runner->thing[i].kind == PROGRAM_OBJECT &&
                runner->thing[i].value == thing->owner) {
                return &runner->thing[i];
            }
        }
        return first_live(runner, PROGRAM_OBJECT, 0);
    case PROGRAM_ADL:
        found = first_live(runner, PROGRAM_MAPPING, 0);
        return found != NULL ? found : first_live(runner, PROGRAM_ADAPTER_OBJECT, 0);
    case PROGRAM_MAPPING:
        /* Not an ADL: it is wherever memory was to be had, and how core searches for a base depends on its bits. */
        found = first_live(runner, PROGRAM_ADAPTER_OBJECT, 0);
        return found != NULL ? found : first_live(runner, PROGRAM_OBJECT, 0);
    case PROGRAM_MEMORY:
        found = first_live(runner, PROGRAM_OBJECT, 0);
        return found != NULL ? found : first_live(runner, PROGRAM_ADAPTER, 0);
    default:
        return NULL;
    }
}

static const struct runner_thing *another(const struct runner *runner, enum program_kind kind,
                                          const struct runner_thing *thing)
{
    const struct runner_thing *found = NULL;

    for (unsigned i = 0; i < runner->things; i++) {
        const struct runner_thing *other = &runner->thing[i];

        if (!other->live || other->kind != kind || (thing != NULL && other->value == thing->value))
            continue;
        if (thing == NULL || other->owner != thing->owner)
            return other;
        if (found == NULL)
            found = other;
    }
    return found;
}

/* The last thing that ended of those that had the slot which the thing has now. */
static const struct runner_thing *former(const struct runner *runner, enum program_kind kind,
                                         const struct runner_thing *thing)
{
    uint64_t mask = program_is_handle(kind) ? INDEX_MASK : UINT64_MAX;

    for (unsigned i = runner->things; thing != NULL && thing->live && i-- > 0;) {
        const struct runner_thing *other = &runner->thing[i];

        if (!other->live && other->kind == kind && (other->value & mask) == (thing->value & mask))
            return other;
    }
    return NULL;
}

static uint64_t next_value(enum program_kind kind, uint64_t value)
{
    if (program_is_handle(kind)) {
        uint64_t generation = value >> DXGKMEM_HANDLE_INDEX_BITS & GENERATION_MASK;
        uint64_t rest = value & ~(GENERATION_MASK << DXGKMEM_HANDLE_INDEX_BITS);

        return rest | ((generation + 1) & GENERATION_MASK) << DXGKMEM_HANDLE_INDEX_BITS;
    }
    return kind == PROGRAM_ADL ? value + sizeof(DXGK_ADL) : value + DXGKMEM_PAGE_BYTES;
}

static uint64_t flipped_value(enum program_kind kind, uint64_t value)
{
    if (program_is_handle(kind))
        return value ^ (uint64_t)1 << CHECK_SHIFT;
    return value ^ (kind == PROGRAM_ADL ? 8u : DXGKMEM_PAGE_BYTES);
}

static struct runner_value value_of(const struct runner *runner, const struct runner_thing *thing,
                                    enum program_class class)
{
    return (struct runner_value){.value = thing->value, .thing = place(runner, thing), .class = class};
}

/* Classes that pass the value of another thing, or NULL when there is none. */
static const struct runner_thing *related(const struct runner *runner, enum program_kind kind,
                                          enum program_class class, const struct runner_thing *thing,
                                          const struct runner_variable *variable)
{
    switch (class) {
    case PROGRAM_WRONG_KIND:
        return other_kind(runner, kind, thing);
    case PROGRAM_RECYCLED:
        return former(runner, kind, thing);
    case PROGRAM_PREVIOUS:
        return variable->previous != 0 ? &runner->thing[variable->previous - 1] : NULL;
    case PROGRAM_OTHER:
        return another(runner, kind, thing);
    default:
        return NULL;
    }
}

struct runner_value runner_resolve_class(struct runner *runner, enum program_kind kind, uint64_t operand)
{
    enum program_class class = PROGRAM_CLASS_OF(operand);
    unsigned number = PROGRAM_VARIABLE_OF(operand);
    const struct runner_variable *variable = &runner->variable[kind][number];
    const struct runner_thing *thing = variable->current != 0 ? &runner->thing[variable->current - 1] : NULL;
    const struct runner_thing *found;
    struct runner_value result = {.thing = -1, .class = class};

    if (class == PROGRAM_NULL)
        return result;
    if (class == PROGRAM_GARBAGE) {
        result.value = passed(garbage[number]);
        return result;
    }
    found = related(runner, kind, class, thing, variable);
    if (found != NULL) {
        result = value_of(runner, found, class);
        if (class == PROGRAM_RECYCLED && !program_is_handle(kind)) {
            result.class = PROGRAM_EXACT; /* the address is that of the live thing as well */
        }
        return result;
    }
    if (class == PROGRAM_WRONG_KIND) {
        result.value = passed(garbage[number]);
        result.class = PROGRAM_GARBAGE;
        return result;
    }
    if (thing == NULL) { /* never bound: a value that differs from NULL and from all others */
        result.value = passed((uint64_t)0x7a110000 + number * DXGKMEM_PAGE_BYTES);
        result.class = PROGRAM_EXACT;
        return result;
    }
    result = value_of(runner, thing, PROGRAM_EXACT);
    if (class == PROGRAM_NEXT || class == PROGRAM_FLIPPED) {
        result.value = passed(class == PROGRAM_NEXT ? next_value(kind, thing->value)
                                                    : flipped_value(kind, thing->value));
        result.class = class;
    }
    return result;
}

struct runner_value runner_resolve(struct runner *runner, unsigned operand)
{
    enum program_kind kind = program_operations[runner->line->opcode].operand[operand].kind;
    struct runner_value value = runner_resolve_class(runner, kind, runner_number(runner, operand));

    runner_note_passed(runner, operand, &value);
    runner_tell_matrix(runner, operand, &value);
    return value;
}
