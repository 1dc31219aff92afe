/* SPDX-License-Identifier: MIT */
/*
 * What is probably alive at a line of a program: a cheap forward scan.
 *
 * It is a guess to compose sensible lines by, not a judgement: it ignores
 * quotas, exhaustion and injected faults. What is right is the model's business.
 */
#ifndef DXGKMEM_ENGINE_SCOPE_H
#define DXGKMEM_ENGINE_SCOPE_H

#include "program/program.h"

#define SCOPE_NONE 0xff /* no variable names it */
#define SCOPE_LOST 0xfe /* it is there, but no variable names it */

struct scope_adapter {
    uint8_t wddm;  /* enum program_wddm */
    uint8_t chain; /* a number of its own for each logical adapter */
    uint8_t index; /* physical index in the chain */
    bool pinned;
    uint8_t mapped; /* the variable of its frame buffer's mapping; SCOPE_NONE: it is not mapped */
    bool remapped;
    bool offers; /* the WDDM 2.4 memory callbacks */
    uint64_t frame_buffer;
};

struct scope_object {
    uint8_t type; /* enum program_type */
    bool open;
    uint8_t opened; /* variable of the adapter memory object */
    uint64_t size;
};

struct scope_adapter_object {
    uint8_t object, chain;
};

struct scope_adl {
    uint8_t owner; /* variable of the adapter memory object; SCOPE_NONE also for frame buffers */
    uint8_t chain;
    bool frame_buffer;
    uint64_t pages;
};

struct scope_memory {
    uint8_t chain, mapping; /* the variable of its mapping, or SCOPE_NONE */
    uint8_t made;           /* the opcode that made it */
    uint64_t pages;
    bool scribbled; /* the driver wrote to its MDL */
};

struct scope_mapping {
    uint8_t object,
        process; /* object: SCOPE_NONE also for a memory's or a frame buffer's; process 0: the kernel */
    uint64_t size;
};

struct scope {
    uint8_t world;
    uint16_t bound[PROGRAM_KINDS];   /* one bit a variable: it was bound by a line that probably succeeded */
    uint16_t live[PROGRAM_KINDS];    /* and what it names has probably not ended */
    uint16_t rebound[PROGRAM_KINDS]; /* and it named something else before */
    struct scope_adapter adapter[PROGRAM_VARIABLES];
    struct scope_object object[PROGRAM_VARIABLES];
    struct scope_adapter_object adapter_object[PROGRAM_VARIABLES];
    struct scope_adl adl[PROGRAM_VARIABLES];
    struct scope_mapping mapping[PROGRAM_VARIABLES];
    struct scope_memory memory[PROGRAM_VARIABLES];
    uint16_t scribbled; /* live ADLs that the driver wrote to */
    uint8_t chains;
    uint8_t irql, process;
    bool bad_arguments, stopped;
    unsigned callbacks, successes; /* of them, by this guess */
};

void scope_begin(struct scope *scope, uint8_t world);
/* The line happens; false when it would probably be refused. */
bool scope_apply(struct scope *scope, const struct program_line *line);
/* The state before line `line`. */
void scope_scan(struct scope *scope, const struct program *program, unsigned line);

/* Whether ADLs of an adapter memory object, or mappings and ADLs of an object, live. */
bool scope_has_adl(const struct scope *scope, unsigned adapter_object);
bool scope_in_use(const struct scope *scope, unsigned object);
/* A live adapter of a chain as a mask of variables. */
unsigned scope_chain(const struct scope *scope, uint8_t chain);
/* Adapters that offer the WDDM 2.4 memory callbacks. */
unsigned scope_offering(const struct scope *scope);
/* The callback that ends a memory made by this one. */
uint8_t scope_end_of(uint8_t made);
/* Mappings that the current process may use or end. */
unsigned scope_reachable_mappings(const struct scope *scope);

static inline bool scope_is_live(const struct scope *scope, enum program_kind kind, uint64_t thing)
{
    return PROGRAM_CLASS_OF(thing) == PROGRAM_EXACT && (scope->live[kind] >> PROGRAM_VARIABLE_OF(thing) & 1);
}

#endif
