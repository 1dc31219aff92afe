/* SPDX-License-Identifier: MIT */
/*
 * Runs one program: makes its world, goes through its lines, stops the instance
 * and looks at what is left. Owns the runner's memory, the machines (one a
 * world, made when first needed), the events and the trace's hash.
 */
#include "machine.h"

/* What comes after the last line. */
static const struct program_line final_stop = {.opcode = OP_STOP};

static void (*const functions[PROGRAM_OPCODES])(struct runner *runner) = {
    [OP_ADD] = runner_add,
    [OP_REMOVE] = runner_remove,
    [OP_CREATE] = runner_create_object,
    [OP_DESTROY] = runner_destroy_object,
    [OP_OPEN] = runner_open,
    [OP_CLOSE] = runner_close,
    [OP_MAP] = runner_map,
    [OP_UNMAP] = runner_unmap,
    [OP_ADL] = runner_allocate_adl,
    [OP_FREE_ADL] = runner_free_adl,
    [OP_PIN] = runner_pin,
    [OP_UNPIN] = runner_unpin,
    [OP_LEGACY] = runner_legacy,
    [OP_UNRELATED] = runner_unrelated,
    [OP_DMA_READ] = runner_dma,
    [OP_DMA_WRITE] = runner_dma,
    [OP_CPU_READ] = runner_cpu,
    [OP_CPU_WRITE] = runner_cpu,
    [OP_SCRIBBLE] = runner_scribble,
    [OP_PROCESS] = runner_condition,
    [OP_EXIT] = runner_exit,
    [OP_IRQL] = runner_condition,
    [OP_FAIL] = runner_condition,
    [OP_ARGS] = runner_condition,
    [OP_STOP] = runner_stop,
    [OP_SCHEDULE] = runner_condition,
    [OP_THREAD] = runner_condition,
    [OP_SWITCH] = runner_condition,
    [OP_CONTIGUOUS] = runner_allocate_contiguous,
    [OP_FREE_CONTIGUOUS] = runner_free_contiguous,
    [OP_PAGES] = runner_allocate_pages,
    [OP_FREE_PAGES] = runner_free_pages,
    [OP_MEMORY_READ] = runner_dma,
    [OP_MEMORY_WRITE] = runner_dma,
    [OP_SCRIBBLE_MDL] = runner_scribble_mdl,
    [OP_MAP_MDL] = runner_map_mdl,
    [OP_UNMAP_MDL] = runner_unmap_mdl,
    [OP_PIN_MDL] = runner_pin_mdl,
    [OP_MAP_FB] = runner_map_fb,
    [OP_UNMAP_FB] = runner_unmap_fb,
};

/* -- worlds --------------------------------------------------------------------------- */

static bool touches_ram(void *context, struct dxgkmem_run run)
{
    return machine_touches_ram(context, run);
}

static bool could_create(void *context, const struct dxgkmem_memory_request *request)
{
    struct runner *runner = context;
    uint64_t refusals = runner->refusals;
    bool could;

    runner_note_refusals(runner);
    could = runner->provider->could_create(runner->sim, request);
    if (!could && runner_was_refused(runner))
        could = runner->provider->could_create(runner->sim, request);
    runner->refusals = refusals;
    return could;
}

#if UINTPTR_MAX > 0xffffffffu
#define OBJECT_BYTES (((uint64_t)1 << 44) - DXGKMEM_PAGE_BYTES)
#else
#define OBJECT_BYTES ((uint64_t)1 << 31)
#endif
#define EFFECTIVE(limit, highest) ((limit) != 0 ? (limit) : (highest))

static uint64_t highest_ram_page(const struct dxgkmem_sim_config *config)
{
    uint64_t highest = 0;

    for (unsigned i = 0; i < config->ranges; i++)
        if (!config->range[i].io)
            highest = config->range[i].page + config->range[i].pages - 1;
    return highest;
}

static void describe(struct runner *runner, struct runner_world *world, const struct dxgkmem_limits *limits)
{
    const struct dxgkmem_sim_config *config = &world->machine;

    world->free_pages = OFFERS(runner, free_pages) ? runner->provider->free_pages(world->sim) : 0;
    world->digest = OFFERS(runner, digest) ? runner->provider->digest(world->sim) : 0;
    world->model = (struct model_world){
        .highest_ram_page = highest_ram_page(config),
        .highest_page = ((uint64_t)1 << (config->address_bits - DXGKMEM_PAGE_SHIFT)) - 1,
        .object_bytes_limit = EFFECTIVE(limits->object_bytes, OBJECT_BYTES),
        .total = {.pages = EFFECTIVE(limits->total.pages, UINT64_MAX),
                  .objects = EFFECTIVE(limits->total.objects, UINT32_MAX),
                  .adls = EFFECTIVE(limits->total.adls, UINT32_MAX)},
        .handles_limit = EFFECTIVE(limits->handles, (1u << DXGKMEM_HANDLE_INDEX_BITS) - 1),
        .generations_limit = EFFECTIVE(limits->generations, (1u << DXGKMEM_HANDLE_GENERATION_BITS) - 1),
        .touches_ram = touches_ram,
        .could_create = OFFERS(runner, could_create) ? could_create : NULL,
        .context = runner,
    };
}

/* The machine of a world, as new: made now, or reset at the end of the program before. */
static bool enter(struct runner *runner, enum program_world number)
{
    struct runner_world *world = &runner->world[number];

    if (world->sim == NULL) {
        NTSTATUS status;

        world->machine = program_worlds[number].machine;
        world->machine.windows = runner->options.windows;
        world->machine.windows_context = runner->options.windows_context;
        status = runner->provider->create(&world->machine, &world->sim);
        world->unlike = status == STATUS_NOT_SUPPORTED;
        if (!NT_SUCCESS(status)) {
            world->sim = NULL; /* whatever it left there */
            return false;
        }
        describe(runner, world, &program_worlds[number].limits);
    }
    runner->here = world;
    runner->sim = world->sim;
    return true;
}

static void take_violation(void *context, const struct dxgkmem_violation *violation)
{
    struct runner *runner = context;

    if (runner->profile.reports == DXGKMEM_REPORTS_NONE)
        return;
    runner->violations_in_all++;
    if (runner->violations < RUNNER_VIOLATIONS)
        runner->violation[runner->violations++] = *violation;
    if (runner->removal.is && violation->code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL)
        runner_removal_told(runner);
}

static bool start(struct runner *runner, enum program_world number)
{
    const struct dxgkmem_config config = {
        .violation = take_violation,
        .violation_context = runner,
        .limits = program_worlds[number].limits,
    };

    runner->started = NT_SUCCESS(runner->provider->start(runner->sim, &config));
    return runner->started;
}

/* -- events --------------------------------------------------------------------------------- */

static void begin_line(struct runner *runner, const struct program_line *line, unsigned at)
{
    struct runner_event *event = &runner->event;

    runner->line = line;
    runner->at = at;
    runner->violations = runner->ended = runner->made = runner->cells = 0;
    runner_note_refusals(runner);
    runner->outcome = RUNNER_NOT_CALLED;
    event->line = at;
    event->opcode = line->opcode;
    event->skipped = event->has_status = event->unseen = false;
    event->status = STATUS_SUCCESS;
    event->values = event->reports = event->faults = event->through = 0;
    event->mistake = DXGKMEM_VIOLATION_NONE;
    runner->faults_before_line = machine_fault_fired(runner);
    runner->wanted_left = 0;
    for (unsigned i = 0; i < program_operations[line->opcode].operands; i++)
        runner->passed[i] = (struct runner_passed){.thing = -1};
}

static void hash(struct runner *runner, uint64_t value)
{
    uint64_t mixed = (runner->result.trace_hash ^ value) * 0x9e3779b97f4a7c15u;

    runner->result.trace_hash = mixed ^ mixed >> 29;
}

static void hash_event(struct runner *runner)
{
    const struct runner_event *event = &runner->event;

    hash(runner, (uint64_t)event->line << 16 | (uint64_t)event->opcode << 8 | (uint64_t)event->skipped << 1 |
                     event->has_status);
    hash(runner, (uint64_t)(uint32_t)event->status << 16 | (uint64_t)event->values << 8 | event->reports);
    for (unsigned i = 0; i < event->values; i++)
        hash(runner, event->value[i]);
    for (unsigned i = 0; i < event->reports; i++)
        hash(runner, (uint64_t)event->report[i].code << 32 | (uint64_t)event->report[i].earlier_call << 16 |
                         event->report[i].earlier_line);
}

void runner_add_report(const struct runner *runner, struct runner_event *event,
                       const struct dxgkmem_violation *violation)
{
    unsigned earlier = 0;
    bool known = runner_line_of(runner, violation->earlier_operation, &earlier);

    if (event->reports == RUNNER_REPORTS)
        return;
    event->report[event->reports].code = violation->code;
    event->report[event->reports].earlier_call = violation->earlier_call;
    event->report[event->reports++].earlier_line = known ? earlier + 1 : 0;
}

static void end_line(struct runner *runner)
{
    struct runner_event *event = &runner->event;

    event->fallible_calls = machine_fallible_calls(runner);
    if (event->opcode != OP_FAIL)
        event->faults = machine_fault_fired(runner) - runner->faults_before_line;
    for (unsigned i = 0; i < runner->violations; i++)
        runner_add_report(runner, event, &runner->violation[i]);
    hash_event(runner);
    if (runner->options.event != NULL)
        runner->options.event(runner->options.event_context, runner->program, event);
}

/* -- a program ----------------------------------------------------------------------------------- */

static void check_line(struct runner *runner)
{
    bool started = runner->started;

    switch (program_operations[runner->line->opcode].role) {
    case PROGRAM_ROLE_CALLBACK:
    case PROGRAM_ROLE_SYSTEM:
        if (runner->outcome != RUNNER_NOT_CALLED && started)
            runner_check_state(runner);
        else if (!started)
            runner_check_stopped(runner);
        break;
    case PROGRAM_ROLE_ACCESS:
        if (!runner->event.skipped && started) {
            runner_check_contents(runner);
            machine_note_changes(runner);
        }
        break;
    default:
        break;
    }
}

static void run_line(struct runner *runner, const struct program_line *line, unsigned at)
{
    begin_line(runner, line, at);
    if (runner->options.before != NULL)
        runner->options.before(runner->options.before_context, runner->program, at);
    functions[line->opcode](runner);
    if (runner->model != NULL && !runner_found(runner) && !runner->removal.within)
        check_line(runner);
    end_line(runner);
}

static bool begin_program(struct runner *runner, const struct program *program)
{
    runner->program = program;
    runner_note_refusals(runner);
    runner->at = program->lines;
    runner->result.finding.invariant = 0;
    runner->result.finding.line = 0;
    runner->result.finding.message[0] = '\0';
    runner->result.trace_hash = program->world + 1u;
    runner->result.callbacks = runner->result.successes = 0;
    runner->result.unlike = false;
    runner->started = false;
    runner->violations_in_all = 0;
    runner->violations = runner->shard = 0;
    for (unsigned shard = 0; shard < RUNNER_SHARDS; shard++)
        runner->numbered[shard].count = 0;
    runner->irql = runner->machine_irql = PASSIVE_LEVEL;
    runner->process = 1;
    runner->processes = 1u << 0 | 1u << 1;
    runner->devices = 0;
    runner->arguments_are = -1;
    runner->interface.Size = runner->offering.Size = runner->refusing.Size = 0;
    runner->driver_pages = 0;
    runner->removal.is = runner->removal.within = false;
    runner->things = runner->adls = runner->chains = runner->words = 0;
    memset(runner->variable, 0, sizeof(runner->variable));
    if (!enter(runner, (enum program_world)program->world) ||
        !start(runner, (enum program_world)program->world))
        return false;
    if (runner->model != NULL) {
        model_reset(runner->model);
        model_set_world(runner->model, &runner->here->model);
        if (!runner->again)
            runner_note_state(runner);
    }
    return true;
}

/* As new; the machine of a provider that has no reset is made again when it is needed. */
static void reset_machine(struct runner *runner)
{
    if (OFFERS(runner, machine_reset)) {
        runner->provider->machine_reset(runner->sim);
        return;
    }
    runner->provider->destroy(runner->sim);
    runner->here->sim = runner->sim = NULL;
}

/*
 * Leaves nothing started, whatever happened, and the machine as new: with real
 * CPU mappings the machines of all worlds share one memory file.
 */
static void end_program(struct runner *runner)
{
    runner->result.fallible_calls = runner->sim != NULL ? machine_fallible_calls(runner) : 0;
    if (runner->started) {
        if (OFFERS(runner, fail_at))
            runner->provider->fail_at(runner->sim, 0);
        machine_set_irql(runner, PASSIVE_LEVEL);
        if (OFFERS(runner, reset))
            runner->provider->reset();
        runner->provider->stop(NULL);
        runner->started = false;
    }
    if (runner->sim != NULL)
        reset_machine(runner);
    if (runner_found(runner))
        write_close(&runner->says);
}

bool runner_begin(struct runner *runner, const struct program *program)
{
    runner->sim = NULL;
    if (begin_program(runner, program) || (runner_was_refused(runner) && begin_program(runner, program)))
        return true;
    if (runner->world[program->world].unlike)
        runner->result.unlike = true;
    else
        runner_find_that(runner, 18, "the instance does not start");
    return false;
}

void runner_line(struct runner *runner, unsigned at)
{
    if (!runner_found(runner))
        run_line(runner, at < runner->program->lines ? &runner->program->line[at] : &final_stop, at);
}

void runner_line_within(struct runner *runner, struct runner_turn *turn, unsigned at)
{
    if (runner_found(runner))
        return;
    runner->removal.within = true;
    runner_save_turn(runner, turn);
    machine_set_irql(runner, runner->irql);
    run_line(runner, &runner->program->line[at], at);
    runner_restore_turn(runner, turn);
    runner->ended = runner->made = 0; /* they are not probed */
    runner->removal.within = false;
}

bool runner_begin_after(struct runner *runner, const struct program *program, unsigned end,
                        struct runner_noted *noted)
{
    bool begun;

    runner->again = true;
    begun = runner_begin(runner, program);
    for (unsigned at = 0; at < end && begun; at++)
        runner_line(runner, at);
    runner->again = false;
    if (!begun || runner->model == NULL || runner_found(runner))
        return begun;
    if (!noted->known) {
        runner_note_state(runner);
        *noted = (struct runner_noted){true, runner->digest, runner->shape, runner->pool_blocks,
                                       runner->pool_bytes};
    }
    runner->digest = noted->digest;
    runner->shape = noted->shape;
    runner->pool_blocks = noted->pool_blocks;
    runner->pool_bytes = noted->pool_bytes;
    machine_note_changes(runner);
    return true;
}

bool runner_left_as_it_was(const struct runner *runner)
{
    return (runner->outcome == RUNNER_REFUSED || runner->outcome == RUNNER_FAILED) &&
           !runner->conditions.null_arguments && !runner->conditions.misaligned_arguments;
}

void runner_finish(struct runner *runner, struct runner_result *result)
{
    end_program(runner);
    *result = runner->result;
}

void runner_run(struct runner *runner, const struct program *program, struct runner_result *result)
{
    if (runner_begin(runner, program))
        for (unsigned at = 0; at <= program->lines; at++)
            runner_line(runner, at);
    runner_finish(runner, result);
}

struct dxgkmem_sim *runner_sim(const struct runner *runner)
{
    return runner->sim;
}

/* -- several threads ----------------------------------------------------------------------------- */

size_t runner_turn_bytes(void)
{
    return sizeof(struct runner_turn);
}

void runner_begin_turn(const struct runner *runner, struct runner_turn *turn, unsigned shard)
{
    runner_save_turn(runner, turn);
    turn->shard = shard;
    turn->violations = 0;
}

static size_t used_bytes(const struct runner_turn *turn)
{
    return offsetof(struct runner_turn, violation) + turn->violations * sizeof(turn->violation[0]);
}

void runner_save_turn(const struct runner *runner, struct runner_turn *turn)
{
    memcpy(turn, &runner->turn, used_bytes(&runner->turn));
}

void runner_restore_turn(struct runner *runner, const struct runner_turn *turn)
{
    memcpy(&runner->turn, turn, used_bytes(turn));
    machine_set_irql(runner, turn->machine_irql);
}

/* -- the runner ------------------------------------------------------------------------------------ */

struct runner *runner_create(const struct runner_options *options)
{
    struct runner *runner = dxgkmem_host_alloc(sizeof(*runner));

    if (runner == NULL)
        return NULL;
    runner->options = *options;
    runner->provider = options->provider != NULL ? options->provider : &dxgkmem_provider_core;
    if (runner->provider->profile != NULL)
        runner->profile = *runner->provider->profile;
    if (options->no_model)
        return runner;
    runner->model = dxgkmem_host_alloc(model_size());
    if (runner->model == NULL) {
        dxgkmem_host_free(runner, sizeof(*runner));
        return NULL;
    }
    model_set_profile(runner->model, &runner->profile);
    return runner;
}

void runner_destroy(struct runner *runner)
{
    if (runner == NULL)
        return;
    for (unsigned number = 0; number < PROGRAM_WORLDS; number++)
        if (runner->world[number].sim != NULL)
            runner->provider->destroy(runner->world[number].sim);
    if (runner->model != NULL)
        dxgkmem_host_free(runner->model, model_size());
    dxgkmem_host_free(runner, sizeof(*runner));
}
