/* SPDX-License-Identifier: MIT */
/*
 * The states that programs lead to: kept as the first way that led to them, a tree of lines, in the order of their
 * finding, which is by depth; and which of them are known, and which answer alike.
 */
#ifndef DXGKMEM_EXPLORE_STATES_H
#define DXGKMEM_EXPLORE_STATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EXPLORE_DEEPEST 16      /* lines of a program */
#define EXPLORE_ROOT UINT32_MAX /* no parent; the line is then the number of the world's beginning */

struct explore_state {
    uint64_t number; /* explore_number() */
    uint64_t
        answers; /* to every line, once they were run; 0: not yet. With --orders without names and places */
    uint32_t parent;
    uint16_t line;
    uint8_t depth;          /* lines that led here */
    uint8_t deviations : 7; /* those of them that deviate, where these are bounded */
    uint8_t reordered : 1;  /* another state is like it, but for names and places; see explore_order.h */
};

/*
 * A state that took more deviations is another one: less may be tried from there. So is a reordered one: of a
 * program in the order of the table more is run.
 */
static inline uint64_t explore_number(uint64_t state, unsigned deviations, bool reordered)
{
    return state + deviations * 0x9e3779b97f4a7c15u + (reordered ? 0xd1b54a32d192ed03u : 0u);
}
/* The same without them. */
static inline uint64_t explore_plain_number(const struct explore_state *state)
{
    return state->number - explore_number(0, state->deviations, state->reordered);
}

/* Numbers, by open addressing; 0 is none. */
struct explore_set {
    uint64_t *number;
    size_t count, places; /* a power of two */
};
bool explore_set_has(const struct explore_set *set, uint64_t number);
/* False: it was there. */
bool explore_set_add(struct explore_set *set, uint64_t number);

struct explore_states {
    struct explore_state *state;
    size_t count, room;
    struct explore_set known, alike;
};

/* Nothing, when the state is known. */
void explore_states_add(struct explore_states *states, struct explore_state state);
/* Known with as many deviations or fewer; where it is reordered, in whatever order. */
bool explore_known(const struct explore_states *states, uint64_t state, unsigned deviations, bool reordered);

#endif
