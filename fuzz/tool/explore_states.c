/* SPDX-License-Identifier: MIT */
/* Growing tables of states and numbers. */
#include "tool/explore_states.h"

#include "tool/tool.h"

#include <stdlib.h>

static size_t place_of(const struct explore_set *set, uint64_t number)
{
    size_t at = number & (set->places - 1);

    while (set->number[at] != 0 && set->number[at] != number)
        at = (at + 1) & (set->places - 1);
    return at;
}

bool explore_set_has(const struct explore_set *set, uint64_t number)
{
    return set->places != 0 && set->number[place_of(set, number)] != 0;
}

static void make_room(struct explore_set *set)
{
    struct explore_set larger = {.count = set->count, .places = set->places == 0 ? 1024 : 2 * set->places};

    if (2 * set->count < set->places)
        return;
    larger.number = tool_alloc(larger.places * sizeof larger.number[0]);
    for (size_t i = 0; i < set->places; i++)
        if (set->number[i] != 0)
            larger.number[place_of(&larger, set->number[i])] = set->number[i];
    free(set->number);
    *set = larger;
}

bool explore_set_add(struct explore_set *set, uint64_t number)
{
    make_room(set);
    size_t at = place_of(set, number);
    if (set->number[at] != 0)
        return false;
    set->number[at] = number;
    set->count++;
    return true;
}

void explore_states_add(struct explore_states *states, struct explore_state state)
{
    if (!explore_set_add(&states->known, state.number))
        return;
    if (states->count == states->room) {
        states->room = states->room == 0 ? 1024 : 2 * states->room;
        states->state = realloc(states->state, states->room * sizeof states->state[0]);
        if (states->state == NULL) {
            tool_error("no memory");
            exit(TOOL_BAD);
        }
    }
    states->state[states->count++] = state;
}

bool explore_known(const struct explore_states *states, uint64_t state, unsigned deviations, bool reordered)
{
    for (unsigned fewer = 0; fewer <= deviations; fewer++)
        if (explore_set_has(&states->known, explore_number(state, fewer, false)) ||
            (reordered && explore_set_has(&states->known, explore_number(state, fewer, true))))
            return true;
    return false;
}
