/* SPDX-License-Identifier: MIT */
/*
 * Programs for several threads, made of programs for one: a few lines in the middle are given to
 * threads. Often the threads are rivals: they do the same to the same things, under names of their own for
 * what they make. Or one ends a thing while the others use it and make another like it.
 */
#include "compose.h"
#include "engine.h"

#include "program/operands.h"

#define WOVEN_LINES 24 /* of a program before it is woven */
#define SECTION_LINES 9
#define BELOW_IO 0xfdffffff /* the last byte below the I/O range that all worlds have */
#define NAMES_APART 5       /* variables of one thread lie so far from those of the next */

static bool is_control(const struct program_line *line)
{
    return line->opcode == OP_SCHEDULE || line->opcode == OP_THREAD || line->opcode == OP_SWITCH;
}

static bool append(struct program *program, const struct program_line *line)
{
    if (program->lines == PROGRAM_OPERATIONS)
        return false;
    program->line[program->lines++] = *line;
    return true;
}

static void append_thread(struct program *program, unsigned number)
{
    struct program_line line = {.opcode = OP_THREAD};

    line.operand[CONDITION_VALUE] = number;
    append(program, &line);
}

static void append_schedule(struct program *program, struct random *random)
{
    struct program_line line = {.opcode = OP_SCHEDULE};

    line.operand[SCHEDULE_STRATEGY] =
        random_chance(random, 160) ? PROGRAM_STRATEGY_PCT : PROGRAM_STRATEGY_RANDOM;
    line.operand[SCHEDULE_SEED] = random_next(random) & 0xffff;
    line.operand[SCHEDULE_BOUND] = 2 + random_below(random, 3);
    append(program, &line);
}

/* What a thread makes has another name than what the others make. `own`: bits of its own variables so far. */
static void rename_own(struct program_line *line, unsigned thread, uint16_t own[PROGRAM_KINDS])
{
    const struct program_operation *operation = &program_operations[line->opcode];
    unsigned by = thread * NAMES_APART;

    for (unsigned i = 0; i < operation->operands; i++) {
        const struct program_operand *operand = &operation->operand[i];
        unsigned variable = PROGRAM_VARIABLE_OF(line->operand[i]);
        unsigned renamed = (variable + by) % PROGRAM_VARIABLES;

        if (operand->type == PROGRAM_OPERAND_BIND) {
            own[operand->kind] |= (uint16_t)(1u << variable);
            line->operand[i] = renamed;
        } else if (operand->type == PROGRAM_OPERAND_THING && own[operand->kind] >> variable & 1) {
            line->operand[i] = PROGRAM_THING(PROGRAM_CLASS_OF(line->operand[i]), renamed);
        }
    }
}

static void append_lines(struct program *program, const struct program_line *first, unsigned count,
                         unsigned thread)
{
    uint16_t own[PROGRAM_KINDS] = {0};

    for (unsigned i = 0; i < count; i++) {
        struct program_line line = first[i];

        rename_own(&line, thread, own);
        append(program, &line);
    }
}

/* -- what the threads do ------------------------------------------------------------------ */

/* The call that ends what a line makes; false: it makes nothing. */
static bool ending_of(const struct program_line *made, struct program_line *end)
{
    const uint64_t *operand = made->operand;

    switch (made->opcode) {
    case OP_ADD:
        *end = (struct program_line){.opcode = OP_REMOVE, .operand = {operand[ADD_ADAPTER]}};
        return true;
    case OP_CREATE:
        *end = (struct program_line){.opcode = OP_DESTROY, .operand = {operand[CREATE_OBJECT]}};
        end->operand[DESTROY_WITH] = PROGRAM_CLASS_OF(operand[CREATE_ADAPTER]) == PROGRAM_NULL
                                         ? PROGRAM_THING(PROGRAM_NULL, 0)
                                         : operand[CREATE_ADAPTER_OBJECT];
        return true;
    case OP_OPEN:
        *end = (struct program_line){.opcode = OP_CLOSE, .operand = {operand[OPEN_ADAPTER_OBJECT]}};
        return true;
    case OP_MAP:
        *end =
            (struct program_line){.opcode = OP_UNMAP, .operand = {operand[MAP_OBJECT], operand[MAP_MAPPING]}};
        return true;
    case OP_ADL:
        *end = (struct program_line){.opcode = OP_FREE_ADL,
                                     .operand = {operand[ADL_ADAPTER_OBJECT], operand[ADL_ADL]}};
        return true;
    case OP_PIN:
    case OP_PIN_MDL:
        *end =
            (struct program_line){.opcode = OP_UNPIN, .operand = {operand[PIN_ADAPTER], operand[PIN_INDEX]}};
        return true;
    case OP_MAP_FB:
        *end = (struct program_line){
            .opcode = OP_UNMAP_FB,
            .operand = {operand[MAP_FB_ADAPTER], operand[MAP_FB_MAPPING], operand[MAP_FB_INDEX]}};
        return true;
    case OP_CONTIGUOUS:
    case OP_PAGES:
        *end = (struct program_line){.opcode = scope_end_of(made->opcode),
                                     .operand = {operand[CONTIGUOUS_ADAPTER], operand[CONTIGUOUS_MEMORY]}};
        return true;
    case OP_MAP_MDL:
        *end = (struct program_line){.opcode = OP_UNMAP_MDL,
                                     .operand = {operand[MAP_MDL_ADAPTER], operand[MAP_MDL_MEMORY]}};
        return true;
    default:
        return false;
    }
}

/* Another live object than this one, if there is one. */
static uint64_t other_object(struct composer *composer, uint64_t object)
{
    unsigned others = composer->scope.live[PROGRAM_OBJECT] & ~(1u << PROGRAM_VARIABLE_OF(object));

    return others ? compose_pick(composer, others) : object;
}

/* A call that names the object and adapter memory object of a line: an ADL, or an end that races with the other. */
static void use_object(struct composer *composer, const struct program_line *made, struct program_line *use)
{
    bool create = made->opcode == OP_CREATE;
    uint64_t adapter_object =
        made->operand[create ? (unsigned)CREATE_ADAPTER_OBJECT : (unsigned)OPEN_ADAPTER_OBJECT];
    uint64_t object = made->operand[create ? (unsigned)CREATE_OBJECT : (unsigned)OPEN_OBJECT];
    uint64_t adapter = made->operand[create ? (unsigned)CREATE_ADAPTER : (unsigned)OPEN_ADAPTER];
    unsigned variable = random_below(&composer->random, PROGRAM_VARIABLES);

    switch (random_below(&composer->random, 7)) {
    case 0:
        *use = (struct program_line){.opcode = OP_CLOSE, .operand = {adapter_object}};
        break;
    case 1: /* of this object or another one */
        *use = (struct program_line){.opcode = OP_DESTROY, .operand = {object, adapter_object}};
        if (!random_chance(&composer->random, 64))
            use->operand[DESTROY_OBJECT] = other_object(composer, object);
        break;
    case 2:
        *use = (struct program_line){.opcode = OP_MAP, .operand = {variable, object, 0, 0, 0x1000}};
        break;
    case 3:
    case 4:
        *use = (struct program_line){.opcode = OP_REMOVE, .operand = {adapter}};
        break;
    default:
        *use = (struct program_line){.opcode = OP_ADL, .operand = {variable, adapter_object, 0, 0x1000}};
        break;
    }
}

/* An adapter like that of a line, linked to it. */
static struct program_line linked_to(const struct program_line *made)
{
    struct program_line line = *made;
    unsigned adapter = PROGRAM_VARIABLE_OF(made->operand[ADD_ADAPTER]);

    line.operand[ADD_ADAPTER] = (adapter + 1) % PROGRAM_VARIABLES;
    line.operand[ADD_LINK] = PROGRAM_THING(PROGRAM_EXACT, adapter);
    return line;
}

/* One that sees less, too: what relies on what the chain sees stands in its way. */
static struct program_line joining(const struct program_line *made, struct random *random)
{
    struct program_line line = linked_to(made);

    line.operand[ADD_ADAPTER] =
        (line.operand[ADD_ADAPTER] + 1) % PROGRAM_VARIABLES; /* the next one may be there */
    line.operand[ADD_VISIBLE] = random_chance(random, 128) ? BELOW_IO : line.operand[ADD_VISIBLE] / 2;
    return line;
}

/* A call that names the adapter of a line, or the one that may be linked to it. */
static void use_adapter(struct composer *composer, const struct program_line *made, struct program_line *use)
{
    static const struct {
        uint8_t opcode, adapter, index; /* places of operands; index 0: there is none */
    } uses[] = {
        {OP_OPEN, OPEN_ADAPTER, 0},
        {OP_CREATE, CREATE_ADAPTER, 0},
        {OP_CREATE, CREATE_ADAPTER, 0},
        {OP_PIN, PIN_ADAPTER, PIN_INDEX},
        {OP_UNPIN, UNPIN_ADAPTER, UNPIN_INDEX},
        {OP_CONTIGUOUS, CONTIGUOUS_ADAPTER, 0},
        {OP_PAGES, CONTIGUOUS_ADAPTER, 0},
        {OP_MAP_MDL, MAP_MDL_ADAPTER, 0},
        {OP_MAP_MDL, MAP_MDL_ADAPTER, 0},
    };
    unsigned which = random_below(&composer->random, sizeof uses / sizeof uses[0]);
    unsigned adapter = PROGRAM_VARIABLE_OF(made->operand[ADD_ADAPTER]);

    if (random_chance(&composer->random, 24)) {
        *use = joining(made, &composer->random);
        return;
    }
    if (random_chance(&composer->random, 80))
        adapter = (adapter + 1) % PROGRAM_VARIABLES;
    compose_operation(composer, use, uses[which].opcode);
    use->operand[uses[which].adapter] = PROGRAM_THING(PROGRAM_EXACT, adapter);
    if (uses[which].index != 0)
        use->operand[uses[which].index] = random_below(&composer->random, 3);
}

/* The operand that says on which adapter a line makes something; the number of operands: it has none. */
static unsigned adapter_operand(const struct program_line *made)
{
    const struct program_operation *operation = &program_operations[made->opcode];
    unsigned i = 0;

    while (i < operation->operands && (operation->operand[i].type != PROGRAM_OPERAND_THING ||
                                       operation->operand[i].kind != PROGRAM_ADAPTER))
        i++;
    return i;
}

/* The last line that adds the adapter on which a line makes something; NULL: there is none. */
static const struct program_line *adapter_of(const struct program *from, const struct program_line *made)
{
    unsigned operand = adapter_operand(made);
    const struct program_line *added = NULL;

    if (operand == program_operations[made->opcode].operands)
        return NULL;
    for (unsigned at = 0; at < from->lines; at++)
        if (from->line[at].opcode == OP_ADD && PROGRAM_VARIABLE_OF(from->line[at].operand[ADD_ADAPTER]) ==
                                                   PROGRAM_VARIABLE_OF(made->operand[operand]))
            added = &from->line[at];
    return added;
}

/* Ends the memory of a line, or has its chain joined. */
static void use_memory(struct composer *composer, const struct program *from, const struct program_line *made,
                       struct program_line *use)
{
    const struct program_line *added = adapter_of(from, made);

    if (added == NULL || random_chance(&composer->random, 128))
        ending_of(made, use);
    else
        *use = joining(added, &composer->random);
}

/* A call that names what a line made; false: there is none. */
static bool use_of(struct composer *composer, const struct program *from, const struct program_line *made,
                   struct program_line *use)
{
    const uint64_t *operand = made->operand;

    switch (made->opcode) {
    case OP_ADD:
        use_adapter(composer, made, use);
        return true;
    case OP_CREATE:
    case OP_OPEN:
        use_object(composer, made, use);
        return true;
    case OP_ADL: /* through any object */
    case OP_PIN:
        *use = (struct program_line){.opcode = OP_FREE_ADL,
                                     .operand = {random_below(&composer->random, 4), operand[ADL_ADL]}};
        return true;
    case OP_CONTIGUOUS:
    case OP_PAGES:
    case OP_MAP_MDL:
        use_memory(composer, from, made, use);
        return true;
    default:
        return false;
    }
}

/* One of the lines that make something; `lines`: there is none. */
static unsigned some_maker(const struct program *from, struct random *random, unsigned lines)
{
    struct program_line end;
    unsigned chosen = lines;

    for (unsigned at = 0, makers = 0; at < lines; at++)
        if (ending_of(&from->line[at], &end) && random_below(random, ++makers) == 0)
            chosen = at;
    return chosen;
}

/* Consecutive lines behind the setup: the same for all, or for each thread its own. */
static void weave_lines(struct program *program, const struct program *from, struct random *random,
                        unsigned threads, unsigned lines)
{
    bool rivals = random_chance(random, 140);
    unsigned maker = rivals && random_chance(random, 128) ? some_maker(from, random, lines) : lines;
    unsigned each = 1 + random_below(random, SECTION_LINES / threads);
    unsigned taken = rivals ? each : each * threads;
    unsigned setup;

    if (maker < lines) /* what they do ends with it */
        lines = maker + 1;
    setup = lines > taken ? lines - taken : 0;
    for (unsigned at = 0; at < setup; at++)
        append(program, &from->line[at]);
    for (unsigned thread = 0; thread < threads; thread++) {
        unsigned first = setup + (rivals ? 0 : thread * each);
        unsigned last = first + each < lines ? first + each : lines;

        append_thread(program, thread + 1);
        if (first < last)
            append_lines(program, &from->line[first], last - first, thread);
    }
}

/* The first thread ends a thing, which it may use before and after; the others use it, and make another like it. */
static bool weave_turnover(struct program *program, const struct program *from, struct random *random,
                           unsigned threads, unsigned lines)
{
    struct composer composer = {.random = {random_next(random)}};
    struct program_line end, use, first = {.opcode = OP_THREAD};
    unsigned chosen = some_maker(from, random, lines), again;

    if (chosen == lines)
        return false;
    compose_swarm(&composer);
    scope_scan(&composer.scope, from, lines);
    for (unsigned at = 0; at < lines; at++)
        append(program, &from->line[at]);
    if (from->line[chosen].opcode == OP_ADD && random_chance(random, 80)) {
        use = linked_to(&from->line[chosen]);
        append(program, &use);
    }
    append_thread(program, 1);
    if (random_chance(random, 64) && use_of(&composer, from, &from->line[chosen], &first))
        append(program, &first);
    ending_of(&from->line[chosen], &end);
    append(program, &end);
    if (random_chance(random, 64) && use_of(&composer, from, &from->line[chosen], &use))
        append(program, &use);
    for (unsigned thread = 1; thread < threads; thread++) {
        append_thread(program, thread + 1);
        if (first.opcode != OP_THREAD && random_chance(random, 128)) /* a rival */
            append_lines(program, &first, 1, thread);
        again = random_below(random, 5); /* the uses come before it, or behind it */
        if (again == 0)
            append_lines(program, &from->line[chosen], 1, thread);
        for (unsigned uses = random_chance(random, 100) ? 2 : 1; uses > 0; uses--)
            if (random_chance(random, 170) && use_of(&composer, from, &from->line[chosen], &use))
                append(program, &use);
        if (again > 1)
            append_lines(program, &from->line[chosen], 1, thread);
    }
    return true;
}

/* The first thread makes a thing; the others join its chain and make another like it, on no adapter for once. */
static bool weave_joined(struct program *program, const struct program *from, struct random *random,
                         unsigned threads, unsigned lines)
{
    unsigned chosen = some_maker(from, random, lines);
    const struct program_line *added = chosen == lines ? NULL : adapter_of(from, &from->line[chosen]);
    struct program_line like, join;

    if (added == NULL)
        return false;
    like = from->line[chosen];
    join = joining(added, random);
    if (like.opcode == OP_CREATE && random_chance(random, 128))
        like.operand[CREATE_ADAPTER] = PROGRAM_THING(PROGRAM_NULL, 0);
    for (unsigned at = 0; at < chosen; at++)
        append(program, &from->line[at]);
    append_thread(program, 1);
    append(program, &from->line[chosen]);
    for (unsigned thread = 1; thread < threads; thread++) {
        append_thread(program, thread + 1);
        append_lines(program, &join, 1, thread);
        append_lines(program, &like, 1, thread);
    }
    return true;
}

/* Quotas so small that two threads cannot both have what one can. */
static void tighten(struct program *program, struct random *random)
{
    for (unsigned at = 0; at < program->lines; at++) {
        if (program->line[at].opcode != OP_ADD)
            continue;
        program->line[at].operand[ADD_QUOTA_PAGES] = random_below(random, 12);
        program->line[at].operand[ADD_QUOTA_ADLS] = random_below(random, 4);
    }
}

void engine_weave(struct program *program, struct program *room, uint64_t seed)
{
    struct random random = {seed};
    unsigned threads = random_chance(&random, 200) ? 2 : 3 + random_below(&random, 2);
    unsigned rest = random_below(&random, 4), lines;
    bool woven = false;
    unsigned most = 3 + random_below(&random, 1 + random_below(&random, WOVEN_LINES - 2));

    /* `most`: rather few. What a race takes is little, and the fewer steps the likelier is a schedule that shows it. */
    room->world = program->world;
    room->lines = 0;
    for (unsigned at = 0; at < program->lines && room->lines < most; at++)
        if (!is_control(&program->line[at]))
            append(room, &program->line[at]);
    if (random_chance(&random, 32))
        tighten(room, &random);
    lines = room->lines - (rest < room->lines ? rest : room->lines);
    program->lines = 0;
    append_schedule(program, &random);
    if (random_chance(&random, 16))
        woven = weave_joined(program, room, &random, threads, lines);
    else if (random_chance(&random, 128))
        woven = weave_turnover(program, room, &random, threads, lines);
    if (!woven)
        weave_lines(program, room, &random, threads, lines);
    append_thread(program, 0);
    for (unsigned at = lines; at < room->lines; at++)
        append(program, &room->line[at]);
}

bool engine_is_woven(const struct program *program)
{
    for (unsigned at = 0; at < program->lines; at++)
        if (program->line[at].opcode == OP_THREAD && program->line[at].operand[CONDITION_VALUE] != 0)
            return true;
    return false;
}

/* Another schedule for the same lines. */
static bool reschedule(struct program *program, struct random *random)
{
    for (unsigned at = 0; at < program->lines; at++) {
        struct program_line *line = &program->line[at];

        if (line->opcode != OP_SCHEDULE || line->operand[SCHEDULE_STRATEGY] == PROGRAM_STRATEGY_LISTED)
            continue;
        line->operand[SCHEDULE_SEED] = random_next(random) & 0xffff;
        if (random_chance(random, 64))
            line->operand[SCHEDULE_STRATEGY] ^= PROGRAM_STRATEGY_RANDOM ^ PROGRAM_STRATEGY_PCT;
        if (random_chance(random, 64))
            line->operand[SCHEDULE_BOUND] = 2 + random_below(random, 4);
        return true;
    }
    return false;
}

void engine_mutate_woven(struct program *program, struct program *room, uint64_t seed)
{
    struct random random = {seed};
    bool woven = engine_is_woven(program);

    if (woven && random_chance(&random, 64) && reschedule(program, &random))
        return;
    engine_mutate_program(program, random_next(&random));
    if (!woven || !engine_is_woven(program) || random_chance(&random, 100))
        engine_weave(program, room, random_next(&random));
}
