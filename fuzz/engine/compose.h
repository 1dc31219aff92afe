/* SPDX-License-Identifier: MIT */
/*
 * Composing single operations: right ones, as a driver in good order would make
 * them at this point of the program, and mistakes made out of right ones.
 */
#ifndef DXGKMEM_ENGINE_COMPOSE_H
#define DXGKMEM_ENGINE_COMPOSE_H

#include "random.h"
#include "scope.h"

/* What one seed is about; see compose.c for the operations each of them wants. */
enum theme {
    THEME_ANYTHING,
    THEME_LIFECYCLE,   /* one object from its making to its end, with everything it can have */
    THEME_CONSTRAINTS, /* where pages and logical addresses may lie */
    THEME_LINKED,      /* adapters of one chain */
    THEME_SCRIBBLE,    /* a driver that writes to its ADLs */
    THEME_QUOTA,       /* what is taken of quotas and given back */
    THEME_PROCESS,     /* user mappings in several processes */
    THEME_IRQL,
    THEME_LEVELS, /* adapters of several WDDM versions */
    THEME_FAULTS,
    THEME_MEMORIES, /* the WDDM 2.4 memory callbacks */
    THEMES
};

/* What one seed likes, and what the table says about it, gathered for speed. */
struct swarm {
    enum theme theme;
    uint16_t opcode[PROGRAM_OPCODES];
    uint16_t class[PROGRAM_CLASSES]; /* of mistakes; EXACT stands for another or an ended thing */
    uint8_t needs[PROGRAM_OPCODES];  /* one bit for each kind of thing that an operation must name */
    unsigned misuse;                 /* how many of 256 lines get a mistake */
    unsigned odd;                    /* how many of 256 choices and numbers are unusual but allowed */
};

struct composer {
    struct random random;
    struct swarm swarm;
    struct scope scope;
};

void compose_swarm(struct composer *composer);
/* An operation to go where the scope is; `ending`: it may end the whole. */
void compose_line(struct composer *composer, struct program_line *line, bool ending);
/* The same with the opcode given. */
void compose_operation(struct composer *composer, struct program_line *line, unsigned opcode);
/* Puts one mistake or another odd value into a line. */
void compose_mistake(struct composer *composer, struct program_line *line);
/* Gives a THING operand a live value that fits, if there is one. */
bool compose_repair(struct composer *composer, struct program_line *line);
/* Lets a THING operand name something that is not live, if the line has one. */
bool compose_break(struct composer *composer, struct program_line *line);

/* -- relate.c: what the operands of one operation must have to do with each other -- */

/* The line has fitting kinds and presets; makes it a right call. */
void compose_relate(struct composer *composer, struct program_line *line);

/* A variable of the mask as an exact thing; that of variable 0 when the mask is empty. */
static inline uint64_t compose_pick(struct composer *composer, unsigned mask)
{
    return mask ? PROGRAM_THING(PROGRAM_EXACT, random_bit(&composer->random, mask)) : 0;
}

/* Whether this time something unusual is wanted. */
static inline bool compose_odd(struct composer *composer)
{
    return random_chance(&composer->random, composer->swarm.odd);
}

/* Whether it happens: `usual` times out of 256, when the seed is about `theme` `themed` times. */
static inline bool compose_often(struct composer *composer, enum theme theme, unsigned usual, unsigned themed)
{
    return random_chance(&composer->random, composer->swarm.theme == theme ? themed : usual);
}

#endif
