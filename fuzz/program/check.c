/* SPDX-License-Identifier: MIT */
/*
 * One call against the model's expectation: the status, the violations, and the
 * argument block. Owns the conditions of a call and the messages of findings.
 */
#include "machine.h"

struct writer *runner_find(struct runner *runner, unsigned invariant)
{
    struct runner_finding *finding = &runner->result.finding;

    if (runner_found(runner)) { /* the first one counts */
        runner->sink = (struct writer){.room = 0};
        return &runner->sink;
    }
    finding->invariant =
        invariant != 0 ? invariant : 20; /* 0: the model ran out of room, the program is too long for it */
    finding->line = runner->at;
    finding->fact = RUNNER_FACT_OTHER;
    runner->says = (struct writer){.text = finding->message, .room = sizeof(finding->message)};
    if (runner->at < runner->program->lines) {
        size_t room = sizeof(finding->message) / 2;
        size_t length = program_print_line(runner->line, finding->message, room);

        runner->says.length = length < room ? length : room - 1;
    } else {
        write_text(&runner->says, "the final stop");
    }
    /* terminated at once, and again when the run ends */
    finding->message[runner->says.length] = '\0';
    return &runner->says;
}

void runner_find_that(struct runner *runner, unsigned invariant, const char *sentence)
{
    struct writer *says = runner_find(runner, invariant);

    write_text(says, ": ");
    write_text(says, sentence);
}

void runner_find_fact(struct runner *runner, unsigned invariant, enum runner_fact fact, const char *sentence)
{
    bool first = !runner_found(runner);

    runner_find_that(runner, invariant, sentence);
    if (first)
        runner->result.finding.fact = fact;
}

void runner_find_at(struct runner *runner, unsigned invariant, enum program_kind kind, uint64_t value,
                    uint64_t page, const char *wrong)
{
    struct writer *says = runner_find(runner, invariant);

    write_text(says, ": page ");
    write_hexadecimal(says, page);
    write_text(says, " of ");
    runner_name_thing(runner, says, kind, value);
    write_text(says, ": ");
    write_text(says, wrong);
}

unsigned runner_invariant_of(enum dxgkmem_violation_code code)
{
    switch (code) {
    case DXGKMEM_VIOLATION_STALE_HANDLE:
    case DXGKMEM_VIOLATION_ADAPTER_REMOVED:
    case DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY:
    case DXGKMEM_VIOLATION_NOT_STARTED:
    case DXGKMEM_VIOLATION_ADL_ALREADY_FREED:
    case DXGKMEM_VIOLATION_UNMAP_WRONG_BASE:
    case DXGKMEM_VIOLATION_NOT_PINNED:
    case DXGKMEM_VIOLATION_PINNED_TWICE:
    case DXGKMEM_VIOLATION_SECOND_OPEN:
    case DXGKMEM_VIOLATION_OPEN_ON_OTHER_ADAPTER:
    case DXGKMEM_VIOLATION_DESTROY_WHILE_OPEN:
    case DXGKMEM_VIOLATION_DESTROY_FOREIGN_ADAPTER_OBJECT:
    case DXGKMEM_VIOLATION_ADL_OF_OTHER_OBJECT:
    case DXGKMEM_VIOLATION_ADL_OF_FRAME_BUFFER:
    case DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT:
    case DXGKMEM_VIOLATION_MEMORY_OF_OTHER_ADAPTER:
    case DXGKMEM_VIOLATION_MEMORY_OF_OTHER_CALL:
        return 1;
    case DXGKMEM_VIOLATION_NULL_HANDLE:
    case DXGKMEM_VIOLATION_UNKNOWN_HANDLE:
    case DXGKMEM_VIOLATION_WRONG_KIND_HANDLE:
    case DXGKMEM_VIOLATION_ADL_FOREIGN:
        return 2;
    case DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM:
    case DXGKMEM_VIOLATION_IO_SPACE_OVERLAP:
    case DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD:
    case DXGKMEM_VIOLATION_MDL_PAGE_TWICE:
        return 4;
    case DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL:
    case DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL:
        return 5;
    case DXGKMEM_VIOLATION_CONTIGUOUS_OF_SCATTERED:
    case DXGKMEM_VIOLATION_ADL_OUT_OF_RANGE:
    case DXGKMEM_VIOLATION_UNALIGNED_RANGE:
        return 6;
    case DXGKMEM_VIOLATION_NOT_VISIBLE:
    case DXGKMEM_VIOLATION_INVALID_CONSTRAINTS:
    case DXGKMEM_VIOLATION_INVALID_SIZE:
    case DXGKMEM_VIOLATION_FRAME_BUFFER_SIZE:
        return 7;
    case DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE:
    case DXGKMEM_VIOLATION_UNMAP_WRONG_SIZE:
        return 10;
    case DXGKMEM_VIOLATION_INVALID_PROTECTION:
    case DXGKMEM_VIOLATION_INVALID_CACHE_TYPE:
        return 11;
    case DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_MAPPING:
    case DXGKMEM_VIOLATION_FRAME_BUFFER_MAPPED:
    case DXGKMEM_VIOLATION_IO_SPACE_TO_USER:
    case DXGKMEM_VIOLATION_UNMAP_WRONG_PROCESS:
    case DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT:
    case DXGKMEM_VIOLATION_LEFT_AT_REMOVAL:
        return 12;
    case DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER:
    case DXGKMEM_VIOLATION_FRAME_BUFFER_INDEX:
        return 13;
    case DXGKMEM_VIOLATION_LEFT_AT_STOP:
        return 14;
    case DXGKMEM_VIOLATION_ADL_SCRIBBLED:
    case DXGKMEM_VIOLATION_MDL_SCRIBBLED:
        return 16;
    case DXGKMEM_VIOLATION_IRQL_TOO_HIGH:
    case DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL:
        return 17;
    default:
        return 3;
    }
}

/* The call that an operation makes. */
enum dxgkmem_call runner_call_of(uint8_t opcode)
{
    static const uint8_t call[PROGRAM_OPCODES] = {
        [OP_ADD] = DXGKMEM_CALL_ADD_ADAPTER,
        [OP_REMOVE] = DXGKMEM_CALL_REMOVE_ADAPTER,
        [OP_CREATE] = DXGKMEM_CALL_CREATE,
        [OP_DESTROY] = DXGKMEM_CALL_DESTROY,
        [OP_OPEN] = DXGKMEM_CALL_OPEN,
        [OP_CLOSE] = DXGKMEM_CALL_CLOSE,
        [OP_MAP] = DXGKMEM_CALL_MAP,
        [OP_UNMAP] = DXGKMEM_CALL_UNMAP,
        [OP_ADL] = DXGKMEM_CALL_ALLOCATE_ADL,
        [OP_FREE_ADL] = DXGKMEM_CALL_FREE_ADL,
        [OP_PIN] = DXGKMEM_CALL_PIN,
        [OP_UNPIN] = DXGKMEM_CALL_UNPIN,
        [OP_LEGACY] = DXGKMEM_CALL_LEGACY,
        [OP_UNRELATED] = DXGKMEM_CALL_UNRELATED,
        [OP_EXIT] = DXGKMEM_CALL_PROCESS_EXIT,
        [OP_STOP] = DXGKMEM_CALL_STOP,
        [OP_CONTIGUOUS] = DXGKMEM_CALL_ALLOCATE_CONTIGUOUS,
        [OP_FREE_CONTIGUOUS] = DXGKMEM_CALL_FREE_CONTIGUOUS,
        [OP_PAGES] = DXGKMEM_CALL_ALLOCATE_PAGES,
        [OP_FREE_PAGES] = DXGKMEM_CALL_FREE_PAGES,
        [OP_MAP_MDL] = DXGKMEM_CALL_MAP_MDL,
        [OP_UNMAP_MDL] = DXGKMEM_CALL_UNMAP_MDL,
        [OP_PIN_MDL] = DXGKMEM_CALL_PIN_MDL,
        [OP_MAP_FB] = DXGKMEM_CALL_MAP_FRAME_BUFFER,
        [OP_UNMAP_FB] = DXGKMEM_CALL_UNMAP_FRAME_BUFFER,
    };
    return (enum dxgkmem_call)call[opcode];
}

/* " (stale_handle)" and what made it one. */
static void say_mistake(const struct runner *runner, struct writer *says, enum dxgkmem_violation_code code,
                        uint64_t earlier, enum dxgkmem_call by)
{
    unsigned line;

    write_text(says, code == DXGKMEM_VIOLATION_NONE ? "success" : dxgkmem_violation_name(code));
    if (earlier == 0)
        return;
    write_text(says, " (");
    write_text(says, trace_call_name(by));
    if (runner_line_of(runner, earlier, &line)) {
        write_text(says, ", line ");
        write_decimal(says, program_line_number(runner->program, line));
    } else {
        write_text(says, ", an operation that was not made");
    }
    write_character(says, ')');
}

static void say_report(const struct runner *runner, struct writer *says,
                       const struct dxgkmem_violation *report)
{
    say_mistake(runner, says, report->code, report->earlier_operation, report->earlier_call);
}

void runner_begin_unnumbered(struct runner *runner)
{
    runner->conditions = (struct model_conditions){.irql = runner->irql, .process = runner->process};
    runner->expected = (struct model_expectation){.status = STATUS_SUCCESS};
    runner->wrong = NULL;
    runner->faults_before = machine_fault_fired(runner);
}

void runner_begin_call(struct runner *runner, bool callback)
{
    runner_begin_unnumbered(runner);
    if (callback) {
        runner->conditions.null_arguments = runner->arguments_are == PROGRAM_HOW_NULL;
        runner->conditions.misaligned_arguments = runner->arguments_are == PROGRAM_HOW_MISALIGNED;
    } else {
        runner->conditions.irql = PASSIVE_LEVEL;
    }
    if (runner->started) {
        struct runner_operations *numbered = &runner->numbered[runner->shard];

        runner->conditions.operation = (uint64_t)runner->shard << 48 | ++numbered->count;
        numbered->line[numbered->count] = (uint16_t)runner->at;
    }
}

/* -- violations -------------------------------------------------------------------- */

/* What differs between the report and the expectation; NULL: nothing. */
static const char *report_fault(const struct runner *runner, const struct dxgkmem_violation *report)
{
    const struct model_expectation *expected = &runner->expected;
    bool earlier_unknown =
        (expected->earlier_unknown_allowed || expected->stale_allowed) && report->earlier_operation == 0;

    if (report->call != runner_call_of(runner->event.opcode))
        return "names another call";
    if (runner->profile.reports != DXGKMEM_REPORTS_FULL)
        return NULL;
    if (report->operation != runner->conditions.operation)
        return "has the wrong operation number";
    if (report->documented != expected->documented)
        return "is wrong about what is documented";
    if (report->subject != expected->subject)
        return "names the wrong thing";
    if (earlier_unknown)
        return NULL;
    if (report->earlier_operation != expected->earlier_operation)
        return "blames the wrong operation";
    if (report->earlier_call != expected->earlier_call)
        return "blames the wrong call";
    return NULL;
}

/*
 * The invariant that wrong reports break. same: the mistake was noticed but told wrongly, which only
 * matters by itself where the telling is what the rule is about.
 */
static unsigned broken_by(const struct runner *runner, bool same)
{
    enum dxgkmem_violation_code expected = runner->expected.violation;
    enum dxgkmem_violation_code reported =
        runner->violations > 0 ? runner->violation[0].code : DXGKMEM_VIOLATION_NONE;
    unsigned invariant = runner_invariant_of(expected != DXGKMEM_VIOLATION_NONE ? expected : reported);

    if (runner_invariant_of(reported) == 17) /* that check comes before the others */
        return 17;
    return same && invariant != 1 && invariant != 17 ? 3 : invariant;
}

static struct writer *find_answer(struct runner *runner, unsigned invariant)
{
    bool first = !runner_found(runner);
    struct writer *says = runner_find(runner, invariant);

    if (first)
        runner->result.finding.fact = RUNNER_FACT_ANSWER;
    return says;
}

/* The reports of a call; true: they are the ones expected. */
static bool check_reports(struct runner *runner)
{
    const struct model_expectation *expected = &runner->expected;
    const struct dxgkmem_violation *report = runner->violation;
    bool forgotten = expected->stale_allowed && report->code == DXGKMEM_VIOLATION_STALE_HANDLE &&
                     report->earlier_operation == 0;
    bool same = runner->violations == 1 && (report->code == expected->violation || forgotten);
    const char *fault = NULL;
    struct writer *says;

    if (runner->violations == 0 && expected->violation == DXGKMEM_VIOLATION_NONE)
        return true;
    if (!runner->started && runner->violations == 0) /* nobody is registered to be told */
        return true;
    if (same)
        fault = report_fault(runner, report);
    if (same && fault == NULL)
        return true;
    says = find_answer(runner, broken_by(runner, same));
    if (runner->violations == 0) {
        write_text(says,
                   NT_SUCCESS(runner->event.status) ? " was accepted" : " was refused without a report");
    } else {
        write_text(says, " was reported as ");
        say_report(runner, says, report);
    }
    if (runner->violations > 1) {
        write_text(says, " and ");
        say_report(runner, says, report + 1);
    }
    if (fault != NULL) {
        write_text(says, ", which ");
        write_text(says, fault);
    }
    write_text(says, ", expected ");
    say_mistake(runner, says, expected->violation, expected->earlier_operation, expected->earlier_call);
    return false;
}

/* -- statuses ---------------------------------------------------------------------- */

bool runner_may_fail_with(const struct runner *runner, NTSTATUS status)
{
    bool fired = machine_fault_fired(runner) != runner->faults_before;

    return (status == STATUS_NO_MEMORY || status == STATUS_INSUFFICIENT_RESOURCES) &&
           (fired || runner_was_refused(runner));
}

static bool is_resource_status(const struct runner *runner, NTSTATUS status)
{
    const struct model_expectation *expected = &runner->expected;
    if (status == STATUS_SUCCESS)
        return false;
    for (unsigned i = 0; i < DXGKMEM_PROFILE_STATUSES && expected->resource[0] != 0; i++)
        if (runner->profile.exhausted[i] == status)
            return true;
    for (unsigned i = 0; i < sizeof(expected->resource) / sizeof(expected->resource[0]); i++)
        if (expected->resource[i] == status)
            return true;
    return runner_may_fail_with(runner, status);
}

/* A refusal that is as good as the one expected. */
static bool is_other_refusal(const struct runner *runner, NTSTATUS status)
{
    const struct model_expectation *expected = &runner->expected;
    bool told = runner->profile.reports == DXGKMEM_REPORTS_NONE ||
                (runner->violations > 0 && runner->violation[0].code == DXGKMEM_VIOLATION_STALE_HANDLE);

    if (NT_SUCCESS(status))
        return false;
    if (expected->any_status)
        return true;
    if (expected->stale_allowed && told &&
        model_refuses_with(runner->model, runner_call_of(runner->event.opcode),
                           DXGKMEM_VIOLATION_STALE_HANDLE, status))
        return true;
    return expected->violation != DXGKMEM_VIOLATION_NONE && expected->answer == DXGKMEM_ANSWER_REFUSE &&
           model_may_refuse_with(runner->model, runner_call_of(runner->event.opcode), status);
}

static bool check_status(struct runner *runner, NTSTATUS status)
{
    const struct model_expectation *expected = &runner->expected;
    unsigned invariant = 18;
    struct writer *says;

    if (status == expected->status && !(expected->must_fail && status == STATUS_SUCCESS))
        return true;
    if (is_other_refusal(runner, status))
        return true;
    if (expected->violation == DXGKMEM_VIOLATION_NONE && is_resource_status(runner, status))
        return true;
    if (status == STATUS_SUCCESS && expected->must_fail)
        invariant = expected->resource[0] == STATUS_QUOTA_EXCEEDED ? 21 : 7;
    else if (expected->violation != DXGKMEM_VIOLATION_NONE)
        invariant = runner_invariant_of(expected->violation);
    says = find_answer(runner, invariant);
    write_text(says, " returned ");
    write_text(says, trace_status_name(status));
    write_text(says, ", expected ");
    if (expected->any_status) {
        write_text(says, "an error");
    } else {
        write_text(says, trace_status_name(expected->must_fail ? expected->resource[0] : expected->status));
    }
    if (runner->profile.reports == DXGKMEM_REPORTS_NONE && expected->violation != DXGKMEM_VIOLATION_NONE) {
        write_text(says, " for ");
        say_mistake(runner, says, expected->violation, expected->earlier_operation, expected->earlier_call);
    }
    return false;
}

bool runner_may_call(struct runner *runner)
{
    struct model_expectation *expected = &runner->expected;

    if (runner->model == NULL)
        return true;
    model_apply_profile(runner->model, runner_call_of(runner->event.opcode), expected);
    if (expected->answer != DXGKMEM_ANSWER_UNCHECKED)
        return true;
    if (runner->started && runner->conditions.operation != 0)
        runner->numbered[runner->shard].count--;
    runner->event.skipped = true;
    runner->event.mistake = expected->violation;
    runner->arguments_are = -1;
    return false;
}

/* Whether a call was refused for a mistake: by its report, or, where none is made, by what the model says. */
static bool was_mistaken(const struct runner *runner)
{
    const struct model_expectation *expected = &runner->expected;
    enum dxgkmem_violation_code code = expected->violation;

    if (runner->model != NULL && runner->profile.reports == DXGKMEM_REPORTS_NONE)
        return code != DXGKMEM_VIOLATION_NONE && expected->answer == DXGKMEM_ANSWER_REFUSE;
    if (runner->violations == 0)
        return false;
    code = runner->violation[0].code;
    return code != DXGKMEM_VIOLATION_ADL_SCRIBBLED && code != DXGKMEM_VIOLATION_MDL_SCRIBBLED &&
           code != DXGKMEM_VIOLATION_LEFT_AT_REMOVAL &&
           (runner->model == NULL || code != expected->violation ||
            expected->answer != DXGKMEM_ANSWER_CARRY_OUT);
}

bool runner_end_call(struct runner *runner, bool has_status, NTSTATUS status)
{
    bool mistaken = was_mistaken(runner);
    bool succeeded = has_status ? NT_SUCCESS(status) : !mistaken && runner->started;

    runner_tell_cells(runner);
    if (mistaken && runner->violations == 0)
        runner->event.mistake = runner->expected.violation;
    runner->event.has_status = has_status;
    runner->event.status = has_status ? status : STATUS_SUCCESS;
    runner->outcome = succeeded ? RUNNER_DONE : mistaken || !runner->started ? RUNNER_REFUSED : RUNNER_FAILED;
    if (program_operations[runner->event.opcode].role == PROGRAM_ROLE_CALLBACK) {
        runner->result.callbacks++;
        runner->result.successes += succeeded;
        runner->arguments_are = -1;
    }
    if (runner->model == NULL)
        return succeeded;
    /* what a removal left behind is compared with the model's list afterwards */
    if (runner->violations == 0 && has_status && runner_may_fail_with(runner, status))
        return false; /* also when a mistake would have been found a little later */
    if (runner->profile.reports != DXGKMEM_REPORTS_NONE && runner->event.opcode != OP_REMOVE &&
        !check_reports(runner))
        return false;
    if (has_status && !check_status(runner, status))
        return false;
    return succeeded;
}

/* -- things that were left ----------------------------------------------------------- */

static bool same_report(const struct runner *runner, const struct dxgkmem_violation *one,
                        const struct dxgkmem_violation *other)
{
    if (runner->profile.reports != DXGKMEM_REPORTS_FULL)
        return one->code == other->code && one->call == other->call;
    return one->code == other->code && one->call == other->call && one->documented == other->documented &&
           one->operation == other->operation && one->subject == other->subject &&
           one->earlier_operation == other->earlier_operation && one->earlier_call == other->earlier_call;
}

/* Where the report is among those not yet matched; `from` when they are in order. */
static unsigned find_left(const struct runner *runner, const struct dxgkmem_violation *wanted, unsigned from,
                          bool in_order)
{
    unsigned to = in_order && from < runner->violations ? from + 1 : runner->violations;

    for (unsigned i = from; i < to; i++)
        if (same_report(runner, &runner->violation[i], wanted))
            return i;
    return runner->violations;
}

void runner_compare_left(struct runner *runner, size_t left, bool in_order)
{
    struct writer *says;

    if (runner->profile.reports == DXGKMEM_REPORTS_NONE)
        return;
    runner->wanted_left = (unsigned)left;
    for (unsigned i = 0; i < left; i++) {
        unsigned found = find_left(runner, &runner->left[i], i, in_order);

        if (found >= runner->violations) {
            says = runner_find(runner, runner_invariant_of(runner->left[i].code));
            write_text(says, i < runner->violations ? ": wrong or out of order: the report of "
                                                    : ": missing: the report of ");
            say_report(runner, says, &runner->left[i]);
            return;
        }
        if (found != i) { /* those before i are matched */
            struct dxgkmem_violation moved = runner->violation[found];

            runner->violation[found] = runner->violation[i];
            runner->violation[i] = moved;
        }
    }
    if (runner->violations > left) {
        says = runner_find(runner, runner_invariant_of(runner->violation[left].code));
        write_text(says, ": one report too many: ");
        say_report(runner, says, &runner->violation[left]);
    }
}
