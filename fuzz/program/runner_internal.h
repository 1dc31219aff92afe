/* SPDX-License-Identifier: MIT */
/*
 * The runner's insides, shared by its files only:
 *
 *   provider_core.c  the provider of this project's own implementation
 *   machine.h  what the provider offers, and what stands in for the rest
 *   runner.c   worlds, the loop over the lines, events and the trace's hash
 *   resolve.c  variables, the log of all things, what an operand's class means
 *   block.c    a callback's argument block
 *   calls.c    the callbacks
 *   memories.c the WDDM 2.4 memory callbacks
 *   mdl.c      those that map MDLs of a driver's own
 *   frame_buffer.c those that map frame-buffer save areas
 *   members.c  members of the interface that are not offered
 *   system.c   adapters, processes, stop, and the conditions of later calls
 *   access.c   DMA, the CPU, scribbling
 *   check.c    a call's outcome against the model's expectation
 *   sweep.c    the state of instance and machine against the model
 *   state.c    one number for all of it
 *   probe.c    accesses of the runner's own
 *
 * The runner keeps its own log of what was made and what ended, from statuses
 * and violations alone, so that a program means the same with and without the model.
 */
#ifndef DXGKMEM_RUNNER_INTERNAL_H
#define DXGKMEM_RUNNER_INTERNAL_H

#include "bytes.h"
#include "writer.h"
#include "operands.h"
#include "runner.h"
#include "world.h"

#include "../model/model.h"

#include <dxgkmem/mdl.h>
#include <dxgkmem/sim.h>

#define RUNNER_THINGS (2 * PROGRAM_OPERATIONS) /* no operation makes more than two */
#define RUNNER_VIOLATIONS (3 * PROGRAM_OPERATIONS)
#define RUNNER_NO_CHAIN 0xffffu

/* An ADL's pages that are remembered: the first, and the last two. */
#define RUNNER_ADL_FIRST 62
#define RUNNER_ADL_KEPT (RUNNER_ADL_FIRST + 2)

/* Words written by programs whose contents are looked at in sweeps: the most recent ones. */
#define RUNNER_WORDS 16

/* Distinct pages that one sweep tells apart; a power of two, filled at most by half. */
#define RUNNER_SEEN 2048

/* One thing that was made, alive or ended. */
struct runner_thing {
    uint64_t value; /* handle, pointer or base */
    uint64_t
        owner; /* mapping: object, memory or adapter of a save area; adapter memory object: the object; ADL: that; adapter: chain */
    uint64_t process;              /* mapping: 0 for the kernel */
    uint64_t size;                 /* mapping: the Size that map returned, in bytes */
    uint64_t pages;                /* ADL, memory */
    uint64_t base;                 /* contiguous ADL: first logical page */
    const DXGK_PAGE_NUMBER *array; /* ADL: the page array handed out, memory: that of the MDL; or NULL */
    uint32_t adl;                  /* ADL, memory: place in runner.adl_page */
    uint32_t chain;                /* adapter, adapter memory object, ADL: number of the logical adapter */
    uint32_t index;                /* adapter, ADL of a frame buffer: physical index in the chain */
    uint32_t line;                 /* that made it */
    uint8_t kind;                  /* enum program_kind */
    uint8_t device;                /* adapter */
    uint8_t variable;              /* that it was bound to */
    bool live, frame_buffer;
    bool mdl;          /* ADL of a frame buffer: the driver has an MDL, at `value` */
    bool drivers;      /* memory: the pages are the driver's own; array is part of runner.driver_page */
    bool objects_only; /* an adapter, see runner_view */
};

/* What a variable names: places in the log, plus one; 0: never bound. */
struct runner_variable {
    uint16_t current, previous;
};

/* What an operand passes. */
struct runner_value {
    uint64_t value;
    int thing;                /* in the log, or -1 */
    enum program_class class; /* EXACT when the class asked for did not exist */
};

/* Every argument block; `word` is how it is filled and compared, padding included. */
union runner_arguments {
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create;
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT destroy;
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open;
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT close;
    DXGKARGCB_MAP_PHYSICAL_MEMORY map;
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY unmap;
    DXGKARGCB_ALLOCATE_ADL allocate_adl;
    DXGKARGCB_FREE_ADL free_adl;
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin;
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin;
    DXGKARGCB_PINFRAMEBUFFERFORSAVE pin_mdl;
    DXGKARGCB_MAPFRAMEBUFFERPOINTER map_fb;
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER unmap_fb;
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY allocate_contiguous;
    DXGKARGCB_FREECONTIGUOUSMEMORY free_contiguous;
    DXGKARGCB_ALLOCATEPAGESFORMDL allocate_pages;
    DXGKARGCB_FREEPAGESFROMMDL free_pages;
    DXGKARGCB_MAPMDLTOIOMMU map_mdl;
    DXGKARGCB_UNMAPMDLFROMIOMMU unmap_mdl;
    uint8_t byte[96];
    uint64_t word[12];
};

/* An MDL of the driver's own. */
struct runner_mdl {
    struct dxgkmem_mdl header;
    ULONG_PTR page[DXGKMEM_SIM_DRIVER_PAGES];
};

/* How a call came out. */
enum runner_outcome {
    RUNNER_NOT_CALLED,
    RUNNER_DONE,
    RUNNER_REFUSED, /* a mistake of the caller */
    RUNNER_FAILED   /* something ran out */
};

/* A word that a program wrote. */
struct runner_word {
    uint32_t memory; /* the model's number */
    uint64_t offset;
};

/* An entry of a sweep's table; of another sweep when the epoch differs. */
struct runner_seen {
    uint64_t key, value;
    uint64_t epoch;
};

/* What a device must reach in all; `as`: the device whose count this one shares, being linked to it. */
struct runner_reach {
    uint64_t pages;
    uint8_t as;
    bool inexact; /* at least so many */
};

/* The operations of one shard: how many numbers were taken since the start, and by which lines. */
struct runner_operations {
    uint64_t count;
    uint16_t line[PROGRAM_OPERATIONS + 2];
};

/*
 * What belongs to the thread whose turn it is; see runner.h. A runner has these as members of its own, so
 * that they are put away and brought back as one. The violations come last: only those there are are copied.
 */
#define RUNNER_TURN_MEMBERS                                                                                  \
    {                                                                                                        \
        const struct program_line *line;                                                                     \
        unsigned at;                /* index of the line; program->lines: at the final stop */               \
        unsigned shard;             /* of the thread that makes the calls */                                 \
        unsigned machine_irql;      /* at this moment; irql is the driver's */                               \
        int arguments_are;          /* enum program_how of the next callback, or -1 */                       \
        DXGKRNL_INTERFACE received; /* of the newest adapter */                                              \
        struct dxgkmem_adapter_config config;                                                                \
        uint64_t exiting; /* the process that ends */                                                        \
        union runner_arguments arguments, before;                                                            \
        uint8_t misaligned[sizeof(union runner_arguments) + 1];                                              \
        struct model_conditions conditions;                                                                  \
        enum runner_outcome outcome;                                                                         \
        struct runner_event event;                                                                           \
        unsigned violations; /* reported during this line */                                                 \
        struct dxgkmem_violation violation[RUNNER_VIOLATIONS];                                               \
    }
struct runner_turn RUNNER_TURN_MEMBERS;

/* One machine with what it is like when nothing happens on it. */
struct runner_world {
    struct dxgkmem_sim *sim;
    bool unlike; /* the provider cannot have a machine like this */
    struct dxgkmem_sim_config machine;
    uint64_t free_pages, digest;
    struct model_world model;
};

struct runner {
    struct runner_options options;
    const struct dxgkmem_provider *provider;
    struct dxgkmem_profile profile;
    struct model *model; /* NULL with options.no_model */
    struct runner_world world[PROGRAM_WORLDS];
    struct runner_world *here; /* the current one */
    struct dxgkmem_sim *sim;   /* here->sim */
    bool started;
    bool again; /* these lines were run before and found right: the state is not looked at as a whole */

    union {
        struct runner_turn turn;
        struct RUNNER_TURN_MEMBERS;
    };

    /* the program */
    const struct program *program;
    unsigned faults_before_line;
    struct runner_result result;
    struct writer says; /* writes the finding's message */
    struct writer sink; /* swallows those of later ones */

    /* conditions */
    unsigned irql;
    uint64_t process;
    DXGKRNL_INTERFACE interface; /* Size 0: none was received yet */
    /* The newest that offers the WDDM 2.4 memory callbacks, and the newest that does not. */
    DXGKRNL_INTERFACE offering, refusing;

    /* things */
    struct runner_variable variable[PROGRAM_KINDS][PROGRAM_VARIABLES];
    unsigned things, adls, chains;
    unsigned devices,
        processes; /* bit per device that ever was an adapter's, per process that ever was current */
    struct runner_thing thing[RUNNER_THINGS];
    uint64_t adl_page[PROGRAM_OPERATIONS][RUNNER_ADL_KEPT];
    uint16_t chain_devices[PROGRAM_OPERATIONS]; /* bit per device that ever was in the chain */
    struct runner_operations numbered[RUNNER_SHARDS];
    unsigned driver_pages; /* that the driver has: 0 or all */
    DXGK_PAGE_NUMBER driver_page[DXGKMEM_SIM_DRIVER_PAGES];
    struct runner_mdl mdl[RUNNER_SHARDS]; /* handed over by the threads */

    /* the removal under way; `told` things of it were reported, `left` are those of the model */
    struct {
        bool is, begun, within; /* within: it stands still, and another line is run */
        HANDLE adapter;
        size_t told, left;
        struct model_expectation expected;
    } removal;

    /* the call under way */
    union runner_arguments compared;
    struct model_expectation expected;
    unsigned faults_before; /* that fired before this call */
    uint64_t refusals;      /* of the host, before this line */
    const char *wrong;      /* the model's sentence about the outputs of a call that succeeded */
    unsigned wrong_invariant;
    struct runner_passed passed[PROGRAM_OPERANDS];
    unsigned cells, cell[PROGRAM_OPERANDS]; /* of the matrix, to be told when the call is made */
    uint64_t wanted[2];                     /* of an access: whether it must fault, what it must read */
    struct dxgkmem_leaks wanted_leaks;
    unsigned wanted_left;                             /* reports in `left` */
    uint64_t violations_in_all;                       /* since the start */
    struct dxgkmem_violation left[RUNNER_VIOLATIONS]; /* what the model says is left */
    unsigned ended, made;                             /* things that ended or were made in this line */
    uint16_t ended_thing[RUNNER_THINGS];
    uint16_t made_thing[2];

    /* what was seen after the line before */
    uint64_t digest;  /* of instance and machine */
    uint64_t shape;   /* of the instance, of the same moment */
    uint64_t changes; /* dxgkmem_sim_changes at the last sweep */
    uint64_t pool_blocks, pool_bytes;

    /* sweeps */
    uint64_t epoch;
    unsigned seen_pages, seen_logical, round;
    struct runner_seen seen_page[RUNNER_SEEN];  /* physical page -> memory and page of it */
    struct runner_seen seen_place[RUNNER_SEEN]; /* memory and page of it -> physical page */
    struct runner_seen seen_reach[RUNNER_SEEN]; /* device and logical page */
    struct runner_reach reach[DXGKMEM_SIM_DEVICES];
    unsigned words;
    struct runner_word word[RUNNER_WORDS];
};

/* The index of the line that took an operation's number; false: nobody did. */
static inline bool runner_line_of(const struct runner *runner, uint64_t operation, unsigned *line)
{
    const struct runner_operations *numbered = &runner->numbered[(operation >> 48) % RUNNER_SHARDS];
    uint64_t number = operation & (((uint64_t)1 << 48) - 1);

    if (number == 0 || number > numbered->count || number >= PROGRAM_OPERATIONS + 2)
        return false;
    *line = numbered->line[number];
    return true;
}

/* The number an operand has; the place of one is named by operands.h. */
static inline uint64_t runner_number(const struct runner *runner, unsigned operand)
{
    return runner->line->operand[operand];
}

static inline HANDLE runner_handle(uint64_t value)
{
    return (HANDLE)(uintptr_t)value;
}

static inline uint64_t runner_pointer(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static inline void runner_note_refusals(struct runner *runner)
{
    runner->refusals = runner->options.refusals != NULL ? runner->options.refusals() : 0;
}

/* Whether the host refused memory since the line began. */
static inline bool runner_was_refused(const struct runner *runner)
{
    return runner->options.refusals != NULL && runner->options.refusals() != runner->refusals;
}

/* The MDL of a memory: its page array stands behind the header. */
static inline struct dxgkmem_mdl *runner_mdl_of(const struct runner_thing *thing)
{
    return (struct dxgkmem_mdl *)(uintptr_t)thing->array - 1;
}

/* Whether another thread freed a block that the implementation handed out. */
static inline bool runner_is_gone(const struct runner *runner, const void *block)
{
    return runner->options.gone != NULL && runner->options.gone(block);
}

/* -- resolve.c ---------------------------------------------------------------- */

/* The value of a THING operand of the current line. Tells the matrix. */
struct runner_value runner_resolve(struct runner *runner, unsigned operand);
/* The same, said of the class and variable themselves, and telling nobody. */
struct runner_value runner_resolve_class(struct runner *runner, enum program_kind kind, uint64_t thing);
/* Takes down what an operand passed, for pictures. */
static inline void runner_note_passed(struct runner *runner, unsigned operand,
                                      const struct runner_value *value)
{
    runner->passed[operand] =
        (struct runner_passed){.thing = value->thing, .class = value->class, .value = value->value};
}
/* Tells the matrix of a value that was passed for an operand of a callback. */
void runner_tell_matrix(struct runner *runner, unsigned operand, const struct runner_value *value);
/* A new live thing, in no variable yet; its fields but kind, value and line are 0. */
struct runner_thing *runner_make(struct runner *runner, enum program_kind kind, uint64_t value);
/* Binds a variable to the thing made last. */
void runner_bind(struct runner *runner, enum program_kind kind, unsigned variable);
void runner_end(struct runner *runner, struct runner_thing *thing);
/* The live thing of a value, or NULL. process: 0, or the one whose mapping it is if not the kernel's. */
struct runner_thing *runner_find_live(struct runner *runner, enum program_kind kind, uint64_t value,
                                      uint64_t process);
/* Takes down which pages an ADL named when it was made. */
void runner_remember_adl(struct runner *runner, struct runner_thing *thing, const DXGK_ADL *adl);
/* The logical page of an ADL's page, also after it ended and beyond its end. */
uint64_t runner_adl_page(const struct runner *runner, const struct runner_thing *thing, uint64_t page);
/* "l0", or what it is and the line that made it. */
void runner_name_thing(const struct runner *runner, struct writer *writer, enum program_kind kind,
                       uint64_t value);

/* calls.c: the live thing of a value has ended; the chain of a live adapter, else RUNNER_NO_CHAIN. */
void runner_end_value(struct runner *runner, enum program_kind kind, uint64_t value, uint64_t process);
uint32_t runner_chain_of(struct runner *runner, uint64_t adapter);
/* What a live pin of a frame buffer is known by: its ADL, or NULL. */
struct runner_thing *runner_pinned(struct runner *runner, uint32_t chain, uint32_t index);
/* An address operand with a shift; the matrix hears of unshifted ones only. */
struct runner_value runner_resolve_shifted(struct runner *runner, unsigned operand, unsigned shift);
/* What a choice of `cache` passes. */
DXGK_MEMORY_CACHING_TYPE runner_cache_type(uint64_t choice);

/* -- calls.c, memories.c, members.c, system.c, access.c: one function an operation ------------------- */

void runner_create_object(struct runner *runner);
void runner_destroy_object(struct runner *runner);
void runner_open(struct runner *runner);
void runner_close(struct runner *runner);
void runner_map(struct runner *runner);
void runner_unmap(struct runner *runner);
void runner_allocate_adl(struct runner *runner);
void runner_free_adl(struct runner *runner);
void runner_pin(struct runner *runner);
void runner_unpin(struct runner *runner);
void runner_pin_mdl(struct runner *runner);
void runner_map_fb(struct runner *runner);
void runner_unmap_fb(struct runner *runner);
void runner_allocate_contiguous(struct runner *runner);
void runner_free_contiguous(struct runner *runner);
void runner_allocate_pages(struct runner *runner);
void runner_free_pages(struct runner *runner);
void runner_map_mdl(struct runner *runner);
void runner_unmap_mdl(struct runner *runner);
/* A memory was freed by this call: the model's verdict, and what has ended. */
void runner_memory_freed(struct runner *runner, HANDLE adapter, HANDLE handle, enum dxgkmem_call by);
/* A memory of this value, and the mapping that came with it, have ended. */
void runner_end_memory(struct runner *runner, uint64_t value);
void runner_legacy(struct runner *runner);
void runner_unrelated(struct runner *runner);

void runner_add(struct runner *runner);
void runner_remove(struct runner *runner);
/* A violation was reported while an adapter is removed. */
void runner_removal_told(struct runner *runner);
void runner_exit(struct runner *runner);
void runner_stop(struct runner *runner);
/* process, irql, fail, args */
void runner_condition(struct runner *runner);

void runner_dma(struct runner *runner);
void runner_cpu(struct runner *runner);
void runner_scribble(struct runner *runner);
void runner_scribble_mdl(struct runner *runner);

/* -- check.c ------------------------------------------------------------------- */

/*
 * Begins the message of a finding, with the operation's text; the caller adds
 * to what comes back. Only the first finding of a run is kept.
 */
struct writer *runner_find(struct runner *runner, unsigned invariant);
static inline bool runner_found(const struct runner *runner)
{
    return runner->result.finding.invariant != 0;
}
/* A whole finding. */
void runner_find_that(struct runner *runner, unsigned invariant, const char *sentence);
/* One of a fact that more than one check sees. */
void runner_find_fact(struct runner *runner, unsigned invariant, enum runner_fact fact, const char *sentence);
/* One about a page of a thing. */
void runner_find_at(struct runner *runner, unsigned invariant, enum program_kind kind, uint64_t value,
                    uint64_t page, const char *wrong);

/* The call that an operation makes. */
enum dxgkmem_call runner_call_of(uint8_t opcode);
/* Takes an operation's number and sets the conditions. callback: pArgs may have been spoiled. */
void runner_begin_call(struct runner *runner, bool callback);
/* What an injected fault, or a host without memory, in this very call may make it return. */
bool runner_may_fail_with(const struct runner *runner, NTSTATUS status);
/*
 * Applies the profile to the expectation. False: what the call would do wrong is not looked for, so it must
 * not be made; the operation is skipped.
 */
bool runner_may_call(struct runner *runner);
/* The same for members that are not offered: they look at nothing and take no number. */
void runner_begin_unnumbered(struct runner *runner);
/*
 * Says how a call came out, and compares it with the expectation. `has_status`:
 * the callback returns one. True when it succeeded and nothing was found.
 */
bool runner_end_call(struct runner *runner, bool has_status, NTSTATUS status);
/* The cells of the matrix that the line touched: they count now. */
void runner_tell_cells(struct runner *runner);
/* The reports against runner->left, in order or in any. */
void runner_compare_left(struct runner *runner, size_t left, bool in_order);

/* runner.c: one violation more in an event. */
void runner_add_report(const struct runner *runner, struct runner_event *event,
                       const struct dxgkmem_violation *violation);

/* -- sweep.c ------------------------------------------------------------------- */

/* After a callback or a system operation. */
void runner_check_state(struct runner *runner);
/* Takes down the state that the first line begins with. */
void runner_note_state(struct runner *runner);
/* After the stop: the machine is as new. */
void runner_check_stopped(struct runner *runner);

/* -- probe.c ------------------------------------------------------------------- */

/* A program wrote this word. */
void runner_note_word(struct runner *runner, uint32_t memory, uint64_t offset);
/* The words written are seen through all that lives. */
void runner_check_contents(struct runner *runner);
/* An ADL or mapping that was just made or ended: accesses do as the model says. */
void runner_probe(struct runner *runner, const struct runner_thing *thing);

/* Pages that are looked at of one ADL at a time. */
#define RUNNER_PICKS 7

/* The kth page to look at: the first four, one that goes round, the last two. False: there are no more. */
static inline bool runner_pick(const struct runner *runner, uint64_t pages, unsigned k, uint64_t *page)
{
    if (pages <= RUNNER_PICKS) {
        *page = k;
        return k < pages;
    }
    *page = k < 4 ? k : k == 4 ? 4 + runner->round % (pages - 6) : pages - RUNNER_PICKS + k;
    return k < RUNNER_PICKS;
}

static inline uint64_t runner_logical_page(const struct model_live_adl *adl, uint64_t page)
{
    return adl->consecutive ? adl->base + page : adl->logical[page];
}

/* The model does not remember all pages of long page arrays. */
static inline bool runner_knows_page(const struct model_live_adl *adl, uint64_t page)
{
    return adl->consecutive || page < adl->known;
}

#endif
