/* SPDX-License-Identifier: MIT */
/*
 * What the system does: adapters come and go, processes end, the instance
 * stops; and the conditions of the calls that follow. The system's own calls
 * are made at PASSIVE_LEVEL, whatever the level of the driver's is.
 */
#include "machine.h"

/* Process N for 1 to DXGKMEM_SIM_PROCESSES, and round again; 0 is the last one. */
#define PROCESS_OF(number) (((number) + DXGKMEM_SIM_PROCESSES - 1) % DXGKMEM_SIM_PROCESSES + 1)

static void begin(struct runner *runner)
{
    machine_set_irql(runner, PASSIVE_LEVEL);
    runner_begin_call(runner, false);
}

static void end(struct runner *runner)
{
    machine_set_irql(runner, runner->irql);
}

/* -- adapters ------------------------------------------------------------------------- */

static void fill_config(struct runner *runner, struct dxgkmem_adapter_config *config)
{
    static const uint32_t versions[PROGRAM_WDDMS] = {
        [PROGRAM_WDDM_2_0] = DXGKDDI_INTERFACE_VERSION_WDDM2_0,
        [PROGRAM_WDDM_2_4] = DXGKDDI_INTERFACE_VERSION_WDDM2_4,
        [PROGRAM_WDDM_2_6] = DXGKDDI_INTERFACE_VERSION_WDDM2_6,
        [PROGRAM_WDDM_2_9] = DXGKDDI_INTERFACE_VERSION_WDDM2_9,
        [PROGRAM_WDDM_3_0] = DXGKDDI_INTERFACE_VERSION_WDDM3_0,
        [PROGRAM_WDDM_3_1] = DXGKDDI_INTERFACE_VERSION_WDDM3_1,
        [PROGRAM_WDDM_3_2] = DXGKDDI_INTERFACE_VERSION_WDDM3_2,
    };
    uint64_t remap = runner_number(runner, ADD_REMAP);
    uint64_t adls = runner_number(runner, ADD_QUOTA_ADLS);

    *config = (struct dxgkmem_adapter_config){
        .device = runner_number(runner, ADD_ADAPTER), /* the variable's number */
        .version = versions[runner_number(runner, ADD_WDDM)],
        .frame_buffer_bytes = runner_number(runner, ADD_FRAME_BUFFER),
        .remapping = remap == PROGRAM_REMAP_ALWAYS ? DXGKMEM_REMAPPING_ALWAYS : DXGKMEM_REMAPPING_AUTO,
        .quota = {.pages = runner_number(runner, ADD_QUOTA_PAGES),
                  .adls = adls > UINT32_MAX ? UINT32_MAX : (uint32_t)adls},
    };
    config->memory_caps.HighestVisibleAddress.QuadPart = (LONGLONG)runner_number(runner, ADD_VISIBLE);
    config->iommu_caps.DmaRemappingSupported = remap != PROGRAM_REMAP_UNSUPPORTED;
    config->link_to = runner_handle(runner_resolve(runner, ADD_LINK).value);
}

/*
 * Whether the driver of an adapter that was just added must use physical memory objects, by what was asked:
 * what the first of its chain sees decides for all. It need not be the newest thing: other threads make some
 * while it asks for its interface.
 */
static bool objects_only(const struct runner *runner, const struct runner_thing *added)
{
    const struct dxgkmem_adapter_config *config = &runner->config;
    uint64_t highest = runner->here->model.highest_ram_page, visible;
    const struct program_line *line;
    unsigned first = 0;

    while (runner->thing[first].kind != PROGRAM_ADAPTER || runner->thing[first].chain != added->chain)
        first++;
    line = &runner->program->line[runner->thing[first].line];
    visible = line->operand[ADD_VISIBLE];
    return line->operand[ADD_REMAP] == PROGRAM_REMAP_ALWAYS ||
           (visible != UINT64_MAX && (visible + 1) >> DXGKMEM_PAGE_SHIFT <= highest) ||
           (config->iommu_caps.DmaRemappingSupported && config->version >= DXGKDDI_INTERFACE_VERSION_WDDM3_0);
}

static void keep_newer(DXGKRNL_INTERFACE *kept, const DXGKRNL_INTERFACE *received)
{
    if (kept->Size == 0 || received->Version >= kept->Version)
        *kept = *received;
}

/* The driver keeps the newest interface that any of its adapters was given; it outlives the adapter. */
static void receive_interface(struct runner *runner, HANDLE adapter, struct runner_thing *added)
{
    DXGKRNL_INTERFACE *received = &runner->received;
    uintptr_t member;

    memset(received, 0, sizeof(*received));
    received->Size = sizeof(*received);
    if (!NT_SUCCESS(runner->provider->query_interface(adapter, received))) {
        runner_find_that(runner, 2, "the new adapter has no interface");
        return;
    }
    for (size_t at = offsetof(DXGKRNL_INTERFACE, DxgkCbEvalAcpiMethod);
         at + sizeof(member) <= received->Size && !runner->again; at += sizeof(member)) {
        memcpy(&member, (const uint8_t *)received + at, sizeof(member));
        if (member == 0 && !runner->profile.empty_members) {
            runner_find_that(runner, 2, "the new adapter's interface has an empty member");
            return;
        }
    }
    added->objects_only = objects_only(runner, added);
    keep_newer(&runner->interface, received);
    keep_newer(added->objects_only ? &runner->refusing : &runner->offering, received);
}

/* In which chain an adapter is, and the how manieth it was there. */
static void place_adapter(struct runner *runner, struct runner_thing *thing, uint64_t link)
{
    const struct runner_thing *linked = link != 0 ? runner_find_live(runner, PROGRAM_ADAPTER, link, 0) : NULL;

    thing->chain = linked != NULL ? linked->chain : runner->chains++;
    if (linked == NULL)
        runner->chain_devices[thing->chain] = 0;
    for (unsigned i = 0; i < runner->things; i++) {
        const struct runner_thing *other = &runner->thing[i];

        if (other != thing && other->kind == PROGRAM_ADAPTER && other->chain == thing->chain)
            thing->index++;
    }
    thing->owner = thing->chain;
    thing->device = (uint8_t)runner_number(runner, ADD_ADAPTER);
    runner->chain_devices[thing->chain] |= (uint16_t)(1u << thing->device);
    runner->devices |= 1u << thing->device;
}

void runner_add(struct runner *runner)
{
    struct dxgkmem_adapter_config *config = &runner->config;
    HANDLE adapter = NULL;
    const char *wrong;
    unsigned invariant = 0;

    begin(runner);
    fill_config(runner, config);
    if (runner->model != NULL)
        model_add_adapter(runner->model, config, &runner->expected);
    if (!runner_may_call(runner)) {
        end(runner);
        return;
    }
    if (runner_end_call(runner, true, runner->provider->add_adapter(config, &adapter))) {
        wrong = runner->model == NULL
                    ? NULL
                    : model_add_adapter_done(runner->model, &runner->conditions, config, adapter, &invariant);
        if (wrong != NULL) {
            runner_find_that(runner, invariant, wrong);
        } else {
            struct runner_thing *added = runner_make(runner, PROGRAM_ADAPTER, runner_pointer(adapter));
            place_adapter(runner, added, runner_pointer(config->link_to));
            runner_bind(runner, PROGRAM_ADAPTER, (unsigned)runner_number(runner, ADD_ADAPTER));
            receive_interface(runner, adapter, added);
        }
    }
    end(runner);
}

/*
 * What was left behind has ended: `listed` things by the model's list, for an implementation that does not say
 * which; else those that were reported.
 */
static void end_left(struct runner *runner, size_t listed)
{
    bool full = runner->profile.reports == DXGKMEM_REPORTS_FULL || runner->model == NULL;
    size_t count = full ? runner->violations : listed;

    for (size_t i = 0; i < count; i++) {
        const struct dxgkmem_violation *left = full ? &runner->violation[i] : &runner->left[i];
        struct runner_thing *thing = NULL;

        if (left->code == DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT)
            thing = runner_find_live(runner, PROGRAM_MAPPING, left->subject, runner->exiting);
        else if (left->code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL)
            thing = runner_find_live(runner, PROGRAM_ADL, left->subject, 0);
        if (thing == NULL && left->code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL)
            thing = runner_find_live(runner, PROGRAM_ADAPTER_OBJECT, left->subject, 0);
        if (thing == NULL && left->code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL)
            thing = runner_find_live(runner, PROGRAM_MAPPING, left->subject, 0);
        if (thing == NULL && left->code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL)
            runner_end_memory(runner, left->subject);
        if (thing != NULL)
            runner_end(runner, thing);
    }
}

static void begin_removal(struct runner *runner, HANDLE adapter)
{
    if (runner->removal.within) /* it is a single step in the midst of another one */
        return;
    runner->removal.is = runner->model != NULL && runner->options.removal != NULL;
    runner->removal.begun = false;
    runner->removal.told = runner->removal.left = 0;
    runner->removal.adapter = adapter;
    runner->removal.expected = runner->expected;
}

/* The first step, for the model: the adapter is out of its chain. */
static void take_adapter_out(struct runner *runner)
{
    if (!runner->removal.begun)
        model_removal_begin(runner->model, &runner->conditions, runner->removal.adapter);
    runner->removal.begun = true;
}

static bool leave_next(struct runner *runner)
{
    return model_removal_next(runner->model, runner->left, RUNNER_VIOLATIONS, &runner->removal.left);
}

/* Those who make calls meanwhile can do so now. */
static void stand_still(struct runner *runner)
{
    unsigned told = (unsigned)runner->removal.told;

    runner->options.removal(runner->options.removal_context, runner->at, told);
    runner->expected = runner->removal.expected;
}

void runner_removal_told(struct runner *runner)
{
    if (runner->removal.within)
        return;
    take_adapter_out(runner);
    runner->removal.told++;
    (void)leave_next(runner);
    stand_still(runner);
}

void runner_removal_point(struct runner *runner)
{
    bool gone;

    if (!runner->removal.is || runner->removal.begun || runner->removal.within)
        return;
    runner->removal.within = true; /* the question takes locks, too */
    runner->received.Size = sizeof(runner->received);
    gone = !NT_SUCCESS(runner->provider->query_interface(runner->removal.adapter, &runner->received));
    runner->removal.within = false;
    if (!gone)
        return;
    take_adapter_out(runner);
    stand_still(runner);
}

/* What the model says is left by the whole of it. */
static size_t end_removal(struct runner *runner, HANDLE adapter)
{
    size_t others = runner->removal.within ? runner->removal.left : 0;

    if (runner->removal.within || !runner->removal.begun)
        return model_remove_adapter_done(runner->model, &runner->conditions, adapter, runner->left + others,
                                         RUNNER_VIOLATIONS - others);
    while (leave_next(runner))
        continue;
    model_removal_end(runner->model);
    return runner->removal.left;
}

void runner_remove(struct runner *runner)
{
    struct runner_thing *thing;
    NTSTATUS status;
    HANDLE adapter;
    size_t left = 0;

    if (!runner->started || !OFFERS(runner, remove_adapter)) { /* what it answers then is not laid down */
        runner->event.skipped = true;
        return;
    }
    begin(runner);
    adapter = runner_handle(runner_resolve(runner, REMOVE_ADAPTER).value);
    if (runner->model != NULL)
        model_remove_adapter(runner->model, adapter, &runner->expected);
    if (!runner_may_call(runner)) {
        end(runner);
        return;
    }
    begin_removal(runner, adapter);
    status = runner->provider->remove_adapter(adapter);
    runner->removal.is &= runner->removal.within;
    if (runner_end_call(runner, true, status)) {
        if (runner->model != NULL)
            left = end_removal(runner, adapter);
        end_left(runner, left);
        thing = runner_find_live(runner, PROGRAM_ADAPTER, runner_pointer(adapter), 0);
        if (thing != NULL)
            runner_end(runner, thing);
    }
    if (runner->model != NULL && !runner->removal.within)
        runner_compare_left(runner, left, true);
    end(runner);
}

/* -- processes and the end --------------------------------------------------------------- */

static bool may_exit(const struct runner *runner)
{
    if (!OFFERS(runner, process_exit))
        return false;
    return runner->model == NULL || !model_process_leaves(runner->model, runner->exiting) ||
           model_answer(runner->model, DXGKMEM_CALL_PROCESS_EXIT, DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT) !=
               DXGKMEM_ANSWER_UNCHECKED;
}

void runner_exit(struct runner *runner)
{
    size_t left = 0;

    runner->exiting = PROCESS_OF(runner_number(runner, CONDITION_VALUE));
    if (!may_exit(runner)) {
        runner->event.skipped = true;
        return;
    }
    begin(runner);
    runner->provider->process_exit(runner->exiting);
    runner->outcome = RUNNER_DONE;
    if (runner->model != NULL)
        left = model_process_exit(runner->model, &runner->conditions, runner->exiting, runner->left,
                                  RUNNER_VIOLATIONS);
    end_left(runner, left);
    if (runner->model != NULL)
        runner_compare_left(runner, left, true);
    end(runner);
}

static void compare_leaks(struct runner *runner, const struct dxgkmem_leaks *leaks,
                          const struct dxgkmem_leaks *expected)
{
    if (leaks->objects != expected->objects || leaks->adapter_objects != expected->adapter_objects ||
        leaks->adls != expected->adls || leaks->mappings != expected->mappings ||
        leaks->frame_buffers != expected->frame_buffers || leaks->memories != expected->memories)
        runner_find_that(runner, 14, "the counts of what was left differ from what was left");
}

/* The order in which things are left is not promised; in the trace it is that of their making. */
static void sort_reports(struct runner *runner)
{
    for (unsigned i = 1; i < runner->violations; i++) {
        struct dxgkmem_violation report = runner->violation[i];
        unsigned to = i;

        for (; to > 0 && runner->violation[to - 1].earlier_operation > report.earlier_operation; to--)
            runner->violation[to] = runner->violation[to - 1];
        runner->violation[to] = report;
    }
}

void runner_stop(struct runner *runner)
{
    struct dxgkmem_leaks leaks = {0}, expected = {0};
    size_t left;

    begin(runner);
    runner->provider->stop(&leaks);
    runner->outcome = RUNNER_DONE;
    if (runner->model != NULL) {
        left = model_stop(runner->model, &runner->conditions, runner->left, RUNNER_VIOLATIONS, &expected);
        runner_compare_left(runner, left, false);
        if (runner->profile.no_leaks)
            leaks = expected;
        compare_leaks(runner, &leaks, &expected);
        runner->wanted_leaks = expected;
    }
    sort_reports(runner);
    runner->started = false;
    for (unsigned i = 0; i < runner->things; i++)
        runner->thing[i].live = false;
    runner->event.value[0] = leaks.objects;
    runner->event.value[1] = leaks.adapter_objects;
    runner->event.value[2] = leaks.adls + leaks.frame_buffers;
    runner->event.value[3] = leaks.mappings;
    runner->event.values = 4;
    end(runner);
}

/* -- conditions ------------------------------------------------------------------------------ */

static bool offered(struct runner *runner, bool is)
{
    runner->event.skipped = !is;
    return is;
}

void runner_condition(struct runner *runner)
{
    static const uint8_t levels[] = {PASSIVE_LEVEL, APC_LEVEL, DISPATCH_LEVEL, HIGH_LEVEL};
    uint64_t value = runner_number(runner, CONDITION_VALUE);

    switch (runner->line->opcode) {
    case OP_PROCESS:
        if (!offered(runner, OFFERS(runner, set_process)))
            break;
        runner->process = PROCESS_OF(value);
        runner->processes |= 1u << runner->process;
        runner->provider->set_process(runner->sim, runner->process);
        break;
    case OP_IRQL:
        if (!offered(runner, OFFERS(runner, set_irql)))
            break;
        runner->irql = levels[value % sizeof(levels)];
        machine_set_irql(runner, runner->irql);
        break;
    case OP_FAIL:
        if (!offered(runner, OFFERS(runner, fail_at)))
            break;
        runner->provider->fail_at(runner->sim, value);
        runner->provider->fail_then(runner->sim, runner_number(runner, FAIL_THEN));
        break;
    case OP_ARGS:
        runner->arguments_are = (int)value;
        break;
    default: /* threads: here the lines are run as they are written */
        break;
    }
}
