/* SPDX-License-Identifier: MIT */
/*
 * The runner: makes a program's calls, compares each with the model, checks the
 * invariants after every operation from outside, and writes the trace.
 *
 * It drives the implementation as a driver does, through DXGKRNL_INTERFACE, and everything
 * around it through a provider's table (provider.h). Freestanding: it also runs inside the drivers.
 * It owns one world at a time: machine, instance, model. No state survives from one program to the next.
 */
#ifndef DXGKMEM_RUNNER_H
#define DXGKMEM_RUNNER_H

#include "program.h"

#include <dxgkmem/dxgkmem.h>
#include <dxgkmem/provider.h>

struct runner;

/* provider_core.c: this project's own implementation. */
extern const struct dxgkmem_provider dxgkmem_provider_core;

/* What a finding is about, where more than one check looks at it, so that findings of one bug can be told. */
enum runner_fact {
    RUNNER_FACT_OTHER,      /* what one check alone looks at */
    RUNNER_FACT_ANSWER,     /* what the call answered; the others are about the state that it left */
    RUNNER_FACT_IOTLB,      /* it keeps what the tables gave up */
    RUNNER_FACT_NOT_ZERO,   /* pages are handed out before they are zero */
    RUNNER_FACT_ONE_TO_ONE, /* places and physical pages are not */
    RUNNER_FACTS
};

/* What a run found, if anything: the first violated invariant. */
struct runner_finding {
    unsigned invariant; /* 1..22, fuzz/model/INVARIANTS.md; 0: nothing was found */
    unsigned line;      /* index of the operation in the program; program->lines: at the final stop */
    enum runner_fact fact;
    char message[240]; /* what was expected and what happened, in one sentence */
};

/*
 * One operation's outcome, normalised: things by number, never an address.
 * The trace's hash is taken over these fields in order, so it is the same
 * whether anybody prints the trace or not.
 */
#define RUNNER_REPORTS 24
struct runner_event {
    unsigned line;
    uint8_t opcode;
    bool skipped; /* nothing to act on: no interface yet, no such address */
    bool has_status;
    NTSTATUS status;   /* of callbacks that have one, and of adapter functions */
    uint64_t value[4]; /* outputs that are no address: offset, size, pages, contiguous, data read, fault */
    unsigned values;
    /*
     * Not part of the hash. Of an implementation that reports nothing: the mistake for which the call was refused,
     * by the model's word; of a call that was skipped because its mistake is not looked for: that mistake.
     */
    enum dxgkmem_violation_code mistake;
    /* not part of the hash: injected faults that fired, fallible calls of the host since the last fail line */
    unsigned faults;
    uint64_t fallible_calls;
    bool
        unseen; /* not part of the hash: another thread ended what was made before the runner saw its pages */
    /* Not part of the hash. Of an access that was carried out: what it was made through, by number plus one, and where. */
    unsigned through;
    uint64_t address;
    unsigned reports; /* violations, at most RUNNER_REPORTS kept */
    struct {
        enum dxgkmem_violation_code code;
        enum dxgkmem_call earlier_call;
        unsigned earlier_line; /* line + 1 of the operation that made it a mistake; 0: none */
    } report[RUNNER_REPORTS];
};

#define RUNNER_LENT 2
struct runner_lent {
    const char *what; /* "ADL" */
    void *from;
    size_t bytes;
};

struct runner_options {
    /* What programs run on; it is complete and its profile sound. NULL: dxgkmem_provider_core. */
    const struct dxgkmem_provider *provider;
    /* Called before each operation. NULL: nobody looks. */
    void (*before)(void *context, const struct program *program, unsigned line);
    void *before_context;
    /* Called after each operation. NULL: nobody looks. */
    void (*event)(void *context, const struct program *program, const struct runner_event *event);
    void *event_context;
    /* Called with each matrix cell that an operation hits. */
    void (*cell)(void *context, unsigned cell);
    void *cell_context;
    /*
     * Where argument blocks are during their calls. hand_over is given the one of a line, filled in, and
     * returns what the callback is told; after the call take_back fills the block again.
     * Alignment is kept. lent: what else the driver can write while it is called: the ADL that ends and its page
     * array, or the MDL; bytes 0: none.
     * Without these two blocks are where they were filled in.
     */
    void *(*hand_over)(void *context, unsigned line, const void *block, size_t bytes,
                       const struct runner_lent lent[RUNNER_LENT]);
    void (*take_back)(void *context, void *block, size_t bytes);
    void *arguments_context;
    bool no_model; /* make the calls, check nothing: for comparison with plain fuzzing */
    const struct dxgkmem_sim_windows *windows; /* real CPU mappings; see sim.h */
    void *windows_context;
    /*
     * How often the host had no memory for its pool so far; NULL: it always has. A call during which
     * this grew may fail for that, whatever the program says, and must have changed nothing. What
     * is no call is done once more.
     */
    uint64_t (*refusals)(void);
    /* Whether another thread freed this block, which the implementation handed out. NULL: there are no others. */
    bool (*gone)(const void *block);
    /*
     * With a model: called in the midst of a removal, with no lock held, each time that it has come further: `ended`
     * things that were left have ended. Other lines can be run then (runner_line_within). May be NULL.
     */
    void (*removal)(void *context, unsigned line, unsigned ended);
    void *removal_context;
};

struct runner_result {
    struct runner_finding finding;
    uint64_t trace_hash;
    unsigned callbacks, successes; /* depth: callbacks made, and those that succeeded */
    uint64_t fallible_calls;       /* of the host, since the last fail line */
    bool unlike;                   /* it was not run: the provider cannot have the program's world */
};

/* The invariant that is broken when this mistake goes unpunished or is invented. */
unsigned runner_invariant_of(enum dxgkmem_violation_code code);

/* NULL when the host has no memory. Starts the instance: one runner at a time. */
struct runner *runner_create(const struct runner_options *options);
void runner_destroy(struct runner *runner);
/* Runs one program from a fresh world. */
void runner_run(struct runner *runner, const struct program *program, struct runner_result *result);

/*
 * The same line by line, for those who decide themselves which lines are run and when. Lines are
 * named by index; program->lines is the final stop. After a finding, further lines are not run.
 * False: nothing started, but finish all the same.
 */
bool runner_begin(struct runner *runner, const struct program *program);
void runner_line(struct runner *runner, unsigned at);
void runner_finish(struct runner *runner, struct runner_result *result);
struct dxgkmem_sim *runner_sim(const struct runner *runner);

/*
 * Threads that take turns in runner_line(), without a model: what of the runner belongs to the
 * call under way is put away when the turn passes, and brought back when it returns. The argument
 * block stays where the callback was told that it is; its contents change with the turn.
 * A thread's shard is what the host answers it, and is new to a turn that begins.
 */
#define RUNNER_SHARDS 5
struct runner_turn;
size_t runner_turn_bytes(void);
void runner_begin_turn(const struct runner *runner, struct runner_turn *turn, unsigned shard);
void runner_save_turn(const struct runner *runner, struct runner_turn *turn);
void runner_restore_turn(struct runner *runner, const struct runner_turn *turn);

/*
 * Of a run that is over: whether an access went beyond what it was made through, or where another thing was at any time,
 * too. What it met depends on where others were put.
 */
bool runner_strayed(const struct runner *runner, const struct runner_event *event);

/*
 * Calls of others in the midst of a removal: runner_removal_point is to be called by the host whenever no lock is
 * held; it tells when the adapter is gone and nothing else yet. runner_line_within runs a line from within
 * options.removal: it is compared with the model, but for the state, which is looked at when the removal is over.
 */
void runner_removal_point(struct runner *runner);
void runner_line_within(struct runner *runner, struct runner_turn *turn, unsigned at);

/*
 * Begins, and runs the lines before `end`, which were run before and found right: the state is not looked at, but
 * by the accesses that every run makes. What it is then is noted the first time, and the same each time.
 */
struct runner_noted {
    bool known; /* false: the first time */
    uint64_t digest, shape, pool_blocks, pool_bytes;
};
bool runner_begin_after(struct runner *runner, const struct program *program, unsigned end,
                        struct runner_noted *noted);

/* Whether the line that was run last was a call that changed nothing: it was refused, or failed, and was seen to. */
bool runner_left_as_it_was(const struct runner *runner);

/*
 * state.c: a number for the state that the run is in: of core and machine, of what variables name, of the
 * conditions of the next call, of what was written. Not in it: the numbers of lines, the IOTLB. Between lines.
 */
uint64_t runner_state(const struct runner *runner);
/*
 * A number for as much of it as a driver, its device and the CPU can tell: what lives under which name, how
 * large it is, who may do what with it, what it holds; not where it is.
 */
uint64_t runner_sight(const struct runner *runner);

/* The value that a class of a thing stands for in the state that the run is in. Between lines. */
uint64_t runner_value_of(struct runner *runner, enum program_kind kind, uint64_t thing);

/* -- for pictures and other forms of a program; none of it is in the trace ---------------------------- */

/* What an operand passed. thing: by number, -1: none. class: EXACT when the class asked for did not exist. */
struct runner_passed {
    int thing;
    enum program_class class;
    uint64_t value; /* of a MEMBER operand: which member was called; else what was passed, shift included */
};

/* A thing that the program made; they are numbered from 0 in the order of their making. */
struct runner_view {
    enum program_kind kind;
    unsigned variable, line;
    bool live;
    /*
     * A thing, or -1: of an adapter memory object and a mapping the object, of an ADL the former; of a pin and of what is
     * mapped of a save area the physical adapter.
     */
    int owner;
    bool pin;          /* an ADL of a frame buffer */
    unsigned device;   /* of an adapter */
    bool objects_only; /* of an adapter: its driver must not use the WDDM 2.4 callbacks */
    unsigned process;  /* of a mapping; 0: the kernel's */
    unsigned chain;    /* number of the logical adapter; of an object and a mapping meaningless */
    uint64_t size;     /* of a mapping, in bytes */
    uint64_t pages;    /* of an ADL */
    bool consecutive;  /* ADL: it has no page array */
};

/* Valid in the event callback, of the line that the event is about. */
const struct runner_passed *runner_passed(const struct runner *runner, unsigned operand);
/* False: no thing has this number yet. */
bool runner_view(const struct runner *runner, unsigned thing, struct runner_view *view);
/*
 * How a mapping must be mapped, and with which access devices reach pages through an ADL (cache is left alone then), as
 * the model has it. False: it knows of none like it that lives.
 */
bool runner_view_access(const struct runner *runner, unsigned thing, unsigned *access,
                        DXGK_MEMORY_CACHING_TYPE *cache);
/* The logical page of an ADL's page, as it was told when the ADL was made. */
uint64_t runner_view_page(const struct runner *runner, unsigned thing, uint64_t page);
/* The event as the model wants it, when this line is the one that broke an invariant. */
void runner_wanted(const struct runner *runner, struct runner_event *wanted);
/* members.c: the name of a member that is not offered, by its number. NULL: there is none. */
const char *runner_member_name(bool legacy, unsigned member);

/* trace.c: an event as a line of text, without newline; returns the length it would need. */
size_t trace_print(const struct program *program, const struct runner_event *event, char *text, size_t room);
const char *trace_status_name(NTSTATUS status);
/* The name of the operation that makes a call: "destroy". */
const char *trace_call_name(enum dxgkmem_call call);

/* matrix.c: cells are operation x handle operand x class x fate of the value passed. */
unsigned matrix_cells(void);         /* cell numbers are below this */
bool matrix_feasible(unsigned cell); /* whether any program can reach it */
/* The same on this implementation: a mistake that it does not look for is never made. NULL: ours. */
bool matrix_expected(const struct dxgkmem_provider *provider, unsigned cell);
size_t matrix_name(unsigned cell, char *text, size_t room); /* "close a exact ended-by-destroy" */
/* The parts of the name: row "close a", class "exact", fate "ended-by-destroy". */
struct matrix_parts {
    char row[32], class[16], fate[32];
};
void matrix_name_parts(unsigned cell, struct matrix_parts *parts);
unsigned matrix_row(unsigned cell);
enum program_class matrix_class(unsigned cell);

#endif
