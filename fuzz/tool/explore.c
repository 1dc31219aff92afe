/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem explore: every short program. Breadth first over the states that programs lead to, so the first
 * finding is a shortest one. Owns the processes among which a level is shared out, and the file.
 */
#include "tool/explore_work.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem explore --depth N [OPTION]...\n\n"
    "Runs every program of up to N operations over a small world: two adapters of one\n"
    "chain, two objects, adapter memory objects, ADLs and mappings, both modes of the\n"
    "domain, every class of operand. A state that two programs lead to is gone on from\n"
    "once, and of those that differ only in the order of independent lines what may\n"
    "depend on that is run, and all of one.\n\n"
    "  --depth N        operations of a program, 1 to 16\n"
    "  --deviations N   how many lines before the last may have an operand that deviates (any)\n"
    "  --alike N        of states that N lines or more led to and that answer every line\n"
    "                   alike, only the first is gone on from\n"
    "  --orders         run all of every order, and see that the answers are the same\n"
    "  --jobs N         processes (one a core)\n"
    "  --resume FILE    keep what was done in this file, and go on from it\n" TOOL_PROVIDER_HELP
    "  --help           this text\n\n"
    "exit status: 0 no divergence, 1 a finding (as a program, for dxgkmem run), 2 bad input,\n"
    "130 interrupted\n";

#define MOST_JOBS 256
#define PORTION 256        /* states of a process, before all come together, at least */
#define LARGE_PORTION 4096 /* and at most */
#define SAVE_SECONDS 10
#define SAVE_SHARE 20 /* of the time, at most */
#define NONE UINT64_MAX

static const char magic[8] = "dxgkexp3";

/* The file begins with this; then the states. */
struct saved {
    char magic[8];
    uint64_t build, lines, programs, states, next, check;
};

struct explore {
    unsigned depth, jobs;
    uint64_t deviations, alike; /* NONE: no bound; not at all */
    const char *file;
    struct explore_lines lines;
    struct explore_states states;
    size_t next; /* the state whose lines are run next */
    uint64_t programs, build;
    struct explore_shared *shared; /* one a job */
    uint32_t *found_at;            /* shared as well */
    FILE *out[MOST_JOBS];
    pid_t pid[MOST_JOBS];
    int ended[MOST_JOBS];        /* wait status */
    bool orders;                 /* all of every one is run */
    struct explore_set answered; /* by states that are not reordered; with orders */
    bool progress;
    struct timespec began;
    uint64_t programs_before; /* those of the file */
    time_t shown, saved, save_next;
};

/* -- the file ------------------------------------------------------------------------------- */

static uint64_t check_of(const struct saved *saved, const struct explore_state *states)
{
    return tool_hash(tool_hash(TOOL_HASH, saved, offsetof(struct saved, check)), states,
                     saved->states * sizeof *states);
}

/* Of this tool, and of the implementation if it is another one: states of another build mean something else. */
static uint64_t this_build(void)
{
    uint64_t sum = tool_hash_file(TOOL_HASH, "/proc/self/exe");
    const char *provider = getenv("DXGKMEM_PROVIDER"); /* not set: ours, or one that is linked in */

    return tool_provider() != NULL && provider != NULL ? tool_hash_file(sum, provider) : sum;
}

static int save(struct explore *explore)
{
    size_t bytes = explore->states.count * sizeof explore->states.state[0];
    struct saved *saved;
    time_t began;
    int status;

    if (explore->file == NULL)
        return 0;
    saved = tool_alloc(sizeof *saved + bytes);
    *saved = (struct saved){.build = explore->build,
                            .lines = explore->lines.digest,
                            .programs = explore->programs,
                            .states = explore->states.count,
                            .next = explore->next};
    memcpy(saved->magic, magic, sizeof magic);
    if (bytes != 0) /* at the end of the last depth there may be none, and no memory for them */
        memcpy(saved + 1, explore->states.state, bytes);
    saved->check = check_of(saved, explore->states.state);
    began = time(NULL);
    status = tool_write_file(explore->file, saved, sizeof *saved + bytes);
    free(saved);
    explore->saved = time(NULL);
    explore->save_next = explore->saved + SAVE_SECONDS + SAVE_SHARE * (explore->saved - began);
    return status;
}

static void take_state(struct explore *explore, struct explore_state state)
{
    explore_states_add(&explore->states, state);
    if (state.answers != 0)
        explore_set_add(&explore->states.alike, state.answers);
    if (state.answers != 0 && !state.reordered)
        explore_set_add(&explore->answered, state.answers);
}

/* What is wrong with a file; NULL: nothing. */
static const char *take_saved(struct explore *explore, FILE *file)
{
    struct explore_state *states;
    struct saved saved;
    const char *wrong = NULL;

    if (fread(&saved, sizeof saved, 1, file) != 1 && ferror(file))
        return "cannot be read";
    if (feof(file) || memcmp(saved.magic, magic, sizeof magic) != 0)
        return "is not a file of explore --resume";
    if (saved.build != explore->build || saved.lines != explore->lines.digest)
        return "is of another build of dxgkmem, or of other --deviations, --alike or --orders";
    if (saved.states > UINT32_MAX - 1 || saved.next > saved.states)
        return "is damaged";
    states = calloc(saved.states + 1, sizeof *states);
    if (states == NULL)
        return "has more states than there is memory for";
    if (fread(states, sizeof *states, saved.states + 1, file) != saved.states ||
        saved.check != check_of(&saved, states))
        wrong = "is damaged";
    for (size_t i = 0; i < saved.states && wrong == NULL; i++)
        take_state(explore, states[i]);
    free(states);
    explore->next = saved.next;
    explore->programs = explore->programs_before = saved.programs;
    return wrong;
}

static int load(struct explore *explore)
{
    FILE *file;
    const char *wrong;

    if (explore->file == NULL)
        return 0;
    file = fopen(explore->file, "rb");
    if (file == NULL && errno == ENOENT)
        return save(explore); /* whether it can be written is better known now */
    if (file == NULL)
        return tool_error("%s: cannot be read: %s", explore->file, strerror(errno));
    wrong = take_saved(explore, file);
    fclose(file);
    return wrong == NULL ? 0 : tool_error("%s: %s", explore->file, wrong);
}

/* -- processes ---------------------------------------------------------------------------------- */

static uint64_t programs_of(const struct explore *explore)
{
    uint64_t programs = explore->programs;

    for (unsigned job = 0; job < explore->jobs; job++)
        programs += __atomic_load_n(&explore->shared[job].programs, __ATOMIC_RELAXED);
    return programs;
}

/* first, end: the states of this depth. */
static void show_progress(struct explore *explore, size_t first, size_t end)
{
    time_t now = time(NULL);
    struct timespec clock;
    size_t done = explore->next - first;

    if (!explore->progress || now == explore->shown)
        return;
    explore->shown = now;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    for (unsigned job = 0; job < explore->jobs; job++)
        done += __atomic_load_n(&explore->shared[job].done, __ATOMIC_RELAXED);
    double seconds = (double)(clock.tv_sec - explore->began.tv_sec) + 1;
    double each = (double)(programs_of(explore) - explore->programs_before) / seconds;
    /* the states of this depth that are left, at the pace of all so far */
    double states = (double)(explore->next + done - (explore->next - first)) / seconds;
    fprintf(
        stderr,
        "\r\033[Kdepth %u of %u  %zu/%zu states  %zu states in all  %.0f states/s  %.0f programs/s  ETA of "
        "this depth %.0f s",
        explore->states.state[first].depth + 1u, explore->depth, done, end - first, explore->states.count,
        states, each, states > 0 ? (double)(end - first - done) / states : 0);
}

/* Nobody asks for the states that the last lines lead to but a file, with which a deeper search begins. */
static bool is_last(const struct explore *explore, size_t at)
{
    return explore->file == NULL && explore->states.state[at].depth + 1u == explore->depth;
}

/* The answers go to the work, where there is one. */
static struct runner *make_runner(struct explore_work *work)
{
    struct runner_options options = {.event = work != NULL ? explore_take_event : NULL,
                                     .event_context = work};

    guard_watch(&options);
    return runner_create(&options);
}

static _Noreturn void work(struct explore *explore, unsigned job, size_t end)
{
    static struct explore_work work; /* too large for a stack */

    work.lines = &explore->lines;
    work.states = &explore->states;
    work.shared = &explore->shared[job];
    work.found_at = explore->found_at;
    work.out = explore->out[job];
    work.bounded = explore->deviations != NONE;
    work.last = is_last(explore, explore->next);
    work.orders = explore->orders;
    signal(SIGINT, SIG_DFL); /* the end of all is told by one */
    signal(SIGTERM, SIG_DFL);
    work.runner = make_runner(&work);
    if (work.runner == NULL)
        _exit(TOOL_BAD);
    for (size_t at = explore->next + job; at < end; at += explore->jobs) {
        if (__atomic_load_n(explore->found_at, __ATOMIC_RELAXED) < at)
            break;
        if (explore->states.state[at].deviations <= explore->deviations &&
            !explore_state(&work, (uint32_t)at))
            break;
        work.shared->done++;
    }
    _exit(fflush(work.out) != 0 || ferror(work.out) ? TOOL_BAD : work.shared->found ? TOOL_FINDING : 0);
}

static int start(struct explore *explore, size_t end)
{
    fflush(stdout);
    for (unsigned job = 0; job < explore->jobs; job++) {
        explore->shared[job].found = false;
        explore->shared[job].done = 0;
        explore->shared[job].programs = 0;
        if (explore->out[job] != NULL)
            fclose(explore->out[job]);
        explore->out[job] =
            tmpfile(); /* anew: what was read of one stays in the stream's buffer, also after rewind() */
        if (explore->out[job] == NULL)
            return tool_error("no temporary file can be made: %s", strerror(errno));
        explore->pid[job] = fork();
        if (explore->pid[job] == 0)
            work(explore, job, end);
        if (explore->pid[job] < 0)
            return tool_error("no process can be made: %s", strerror(errno));
    }
    return 0;
}

/* Waits for all of them. */
static void await(struct explore *explore, size_t first, size_t end)
{
    const struct timespec moment = {.tv_nsec = 20 * 1000 * 1000};

    for (unsigned left = explore->jobs; left > 0;) {
        bool idle = true;

        for (unsigned job = 0; job < explore->jobs; job++) {
            if (explore->pid[job] == 0 || waitpid(explore->pid[job], &explore->ended[job], WNOHANG) == 0)
                continue;
            explore->pid[job] = 0;
            idle = false;
            left--;
            if (explore->ended[job] != 0 && explore->shared[job].at < *explore->found_at)
                __atomic_store_n(explore->found_at, explore->shared[job].at, __ATOMIC_RELAXED);
        }
        if (idle)
            nanosleep(&moment, NULL);
        show_progress(explore, first, end);
    }
}

static void take_step(struct explore *explore, const struct explore_step *step)
{
    struct explore_state state = {.number = explore_number(step->state, step->deviations, step->reordered),
                                  .parent = step->from,
                                  .line = step->line,
                                  .depth = (uint8_t)(explore->states.state[step->from].depth + 1),
                                  .deviations = (uint8_t)(step->deviations & 0x7fu),
                                  .reordered = step->reordered};

    if (!explore_known(&explore->states, step->state, step->deviations, step->reordered))
        explore_states_add(&explore->states, state);
}

/* What came of one state, from the file of the process that ran it. False: it was not run. */
static bool take_done(struct explore *explore, size_t at, FILE *from)
{
    struct explore_state *state = &explore->states.state[at];
    struct explore_done done;
    struct explore_step step;
    bool first;

    if (state->deviations > explore->deviations || (is_last(explore, at) && !explore->orders))
        return true;
    if (fread(&done, sizeof done, 1, from) != 1 || done.from != at)
        return false;
    state->answers = done.answers;
    if (!state->reordered)
        explore_set_add(&explore->answered, state->answers);
    first = explore_set_add(&explore->states.alike, state->answers);
    first = first || state->depth < explore->alike;
    for (uint32_t i = 0; i < done.steps; i++) {
        if (fread(&step, sizeof step, 1, from) != 1)
            return false;
        if (first)
            take_step(explore, &step);
    }
    return true;
}

/* New states, in the order of those that they come from: the same for any number of processes. */
static int gather(struct explore *explore, size_t end)
{
    for (unsigned job = 0; job < explore->jobs; job++)
        rewind(explore->out[job]);
    for (size_t at = explore->next; at < end; at++)
        if (!take_done(explore, at, explore->out[(at - explore->next) % explore->jobs]))
            return tool_error("a temporary file cannot be read");
    if (explore->states.count >= UINT32_MAX - 1)
        return tool_error("there are more states than can be numbered");
    explore->programs = programs_of(explore);
    for (unsigned job = 0; job < explore->jobs; job++)
        explore->shared[job].programs = 0;
    return 0;
}

/* -- the search -------------------------------------------------------------------------------------- */

static int tell(struct explore_shared *shared, bool found)
{
    struct program program = shared->program;
    struct runner_finding finding = shared->finding;
    int ended;
    bool reduced = explore_reduce(shared, &program, &ended);

    if (reduced || (ended == 0 && found))
        report_finding(stdout, NULL, &program, NULL, reduced ? &shared->finding : &finding);
    else if (ended == 0)
        printf("finding: the process that ran this program died; by itself the program does not do it\n");
    else if (WIFSIGNALED(ended) && WTERMSIG(ended) == SIGALRM)
        printf("finding: the run of this program hangs\n");
    else if (WIFSIGNALED(ended))
        printf("finding: the run of this program ends with signal %d\n", WTERMSIG(ended));
    else
        printf("finding: the run of this program ends with status %d\n", WEXITSTATUS(ended));
    printf("program:\n");
    report_program(stdout, &program);
    printf("end of program\n");
    return TOOL_FINDING;
}

/* What the processes found, if anything: of several the first. */
static int judge(struct explore *explore)
{
    int first = -1;

    for (unsigned job = 0; job < explore->jobs; job++) {
        int ended = explore->ended[job];

        if (ended == 0)
            continue;
        if (WIFSIGNALED(ended) && (WTERMSIG(ended) == SIGINT || WTERMSIG(ended) == SIGTERM))
            return TOOL_INTERRUPTED;
        if (WIFEXITED(ended) && WEXITSTATUS(ended) == TOOL_BAD)
            return tool_error("a process had no memory, or could not write its temporary file");
        if (first < 0 || explore->shared[job].at < explore->shared[first].at)
            first = (int)job;
    }
    if (first < 0)
        return 0;
    if (explore->progress)
        fputs("\r\033[K", stderr);
    return tell(&explore->shared[first], explore->shared[first].found);
}

static int run_portion(struct explore *explore, size_t first, size_t end)
{
    size_t each = (end - explore->next) / (16u * explore->jobs), to;
    int status;

    each = each < PORTION ? PORTION : each > LARGE_PORTION ? LARGE_PORTION : each;
    to = explore->next + each * explore->jobs;
    if (to > end)
        to = end;
    *explore->found_at = UINT32_MAX;
    status = start(explore, to);
    if (status)
        return status;
    await(explore, first, end);
    status = judge(explore);
    if (!status)
        status = gather(explore, to);
    if (status)
        return status;
    explore->next = to;
    return time(NULL) >= explore->save_next ? save(explore) : 0;
}

/* With --orders: each reordered state of a depth answers as one does that is not. */
static int compare_orders(struct explore *explore, size_t first, size_t end)
{
    const struct explore_states *states = &explore->states;
    struct program program;
    uint16_t led[EXPLORE_DEEPEST];

    for (size_t at = first; at < end && explore->orders; at++) {
        const struct explore_state *state = &states->state[at];

        if (!state->reordered || state->answers == 0 || explore_set_has(&explore->answered, state->answers))
            continue;
        explore_program(&explore->lines, states, (uint32_t)at, &program, led);
        if (explore->progress)
            fputs("\r\033[K", stderr);
        printf("finding: what comes after this program depends on the order of its lines\nprogram:\n");
        report_program(stdout, &program);
        printf("end of program\n");
        return TOOL_FINDING;
    }
    return 0;
}

/* States are in order of depth; a level ends where the next one begins. */
static int search(struct explore *explore)
{
    struct explore_states *states = &explore->states;
    int status = 0;

    while (!status && explore->next < states->count && states->state[explore->next].depth < explore->depth) {
        size_t first = explore->next, end = first;

        while (end < states->count && states->state[end].depth == states->state[first].depth)
            end++;
        while (!status && explore->next < end)
            status = run_portion(explore, first, end);
        if (!status)
            status = compare_orders(explore, first, end);
    }
    if (explore->progress)
        fputs("\r\033[K", stderr);
    return status;
}

struct beginning {
    struct runner *runner;
    struct explore_shared *shared;
    unsigned which;
    uint64_t number; /* of the state that it leads to */
    struct runner_result result;
};

static void run_beginning(void *context)
{
    struct beginning *beginning = context;

    beginning->number =
        explore_begin(beginning->runner, beginning->which, &beginning->shared->program, &beginning->result);
}

static int begin(struct explore *explore)
{
    struct beginning *beginning = guard_memory(sizeof *beginning);
    int status = 0;

    beginning->runner = make_runner(NULL);
    beginning->shared = &explore->shared[0];
    if (beginning->runner == NULL)
        return tool_error("no memory");
    for (; beginning->which < EXPLORE_BEGINNINGS && !status; beginning->which++) {
        status = guard_call(run_beginning, beginning);
        beginning->shared->finding = beginning->result.finding;
        if (!status && beginning->result.unlike)
            status = tool_error("%s has no world like %s", tool_provider()->name,
                                program_world_names[WORLD_SMALL]);
        else if (!status && beginning->result.finding.invariant != 0)
            status = tell(beginning->shared, true);
        if (!status)
            explore_states_add(&explore->states, (struct explore_state){.number = beginning->number,
                                                                        .parent = EXPLORE_ROOT,
                                                                        .line = (uint16_t)beginning->which});
    }
    runner_destroy(beginning->runner);
    return status;
}

static int prepare(struct explore *explore)
{
    if (!explore_lines_make(&explore->lines, WORLD_SMALL))
        return tool_error("the table of operations has more lines than explore can number");
    explore->lines.digest += explore->deviations + 64 * explore->alike + 4096 * explore->orders;
    explore->build = this_build();
    explore->progress = isatty(STDERR_FILENO);
    explore->saved = time(NULL);
    clock_gettime(CLOCK_MONOTONIC, &explore->began);
    explore->shared = mmap(NULL, explore->jobs * sizeof *explore->shared + sizeof *explore->found_at,
                           PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (explore->shared == MAP_FAILED)
        return tool_error("no memory");
    explore->found_at = (uint32_t *)(explore->shared + explore->jobs);
    return load(explore);
}

/* Those whose lines were run. */
static size_t states_below(const struct explore *explore, unsigned depth)
{
    size_t count = explore->states.count;

    while (count > 0 && explore->states.state[count - 1].depth >= depth)
        count--;
    return count;
}

static int run(struct explore *explore)
{
    int status = prepare(explore);

    if (!status && explore->states.count == 0)
        status = begin(explore);
    if (!status)
        status = search(explore);
    if (!status)
        status = save(explore);
    if (status)
        return status;
    printf("no divergence among %" PRIu64 " programs / %zu states to depth %u\n", explore->programs,
           states_below(explore, explore->depth), explore->depth);
    return TOOL_CLEAN;
}

int verb_explore(int count, char **arguments)
{
    static struct explore explore;
    uint64_t depth = 0, deviations = NONE, alike = NONE, jobs = (uint64_t)sysconf(_SC_NPROCESSORS_ONLN);
    const struct tool_option table[] = {
        {.name = "depth", .number = &depth, .least = 1, .most = EXPLORE_DEEPEST},
        {.name = "deviations", .number = &deviations, .most = EXPLORE_DEEPEST},
        {.name = "alike", .number = &alike, .least = 1, .most = EXPLORE_DEEPEST},
        {.name = "jobs", .number = &jobs, .least = 1, .most = MOST_JOBS},
        {.name = "orders", .flag = &explore.orders},
        {.name = "resume", .text = &explore.file},
        TOOL_PROVIDER_OPTION,
        {0},
    };

    jobs = jobs < 1 ? 1 : jobs > MOST_JOBS ? MOST_JOBS : jobs;
    int status = tool_options(count, arguments, table, help);
    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (optind < count)
        return tool_error("explore takes no file, but '%s'", arguments[optind]);
    if (depth == 0)
        return tool_error("explore wants --depth N");
    explore.depth = (unsigned)depth;
    explore.jobs = (unsigned)jobs;
    explore.deviations = deviations;
    explore.alike = alike;
    return run(&explore);
}
