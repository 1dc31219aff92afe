/* SPDX-License-Identifier: MIT */
/*
 * The fibers of scheduled.h: who runs, who waits, and the change of places.
 * Stacks are made once and kept.
 */
#include "scheduled_internal.h"

#include <stdlib.h>
#include <ucontext.h>

#if defined(SCHEDULED_ASAN)
#include <sanitizer/common_interface_defs.h>
#endif

#define STACK_BYTES ((size_t)256 << 10) /* sanitizers make large frames */

/* A place where control can be: a fiber, or the caller of scheduled_run(). */
struct place {
    ucontext_t context;
    void *stack; /* the bottom, for AddressSanitizer; of the caller learnt when it is left */
    size_t bytes;
    void *shadow; /* AddressSanitizer's, while it is not here */
};

struct fiber {
    struct place place;
    bool ended;
};

static struct fiber fibers[SCHEDULED_THREADS];
static struct place caller;
static const struct scheduled_run *run; /* NULL: none is under way */
static struct scheduled_state state;
static enum scheduled_end end;
static bool deciding; /* points of those who decide are nothing */

unsigned scheduled_thread(void)
{
    return run != NULL ? state.current : SCHEDULED_NOBODY;
}

static struct place *place_of(unsigned thread)
{
    return thread == SCHEDULED_NOBODY ? &caller : &fibers[thread].place;
}

/* dead: nobody will come back to `from`. */
static void change(struct place *from, struct place *to, bool dead)
{
#if defined(SCHEDULED_ASAN)
    __sanitizer_start_switch_fiber(dead ? NULL : &from->shadow, to->stack, to->bytes);
#else
    (void)dead;
#endif
    swapcontext(&from->context, &to->context);
#if defined(SCHEDULED_ASAN)
    __sanitizer_finish_switch_fiber(from->shadow, NULL, NULL);
#endif
}

/* Control is in a fiber for the first time. */
static void arrive(void)
{
#if defined(SCHEDULED_ASAN)
    const void *bottom;
    size_t bytes;

    __sanitizer_finish_switch_fiber(NULL, &bottom, &bytes);
    if (caller.stack == NULL) {
        caller.stack = (void *)(uintptr_t)bottom;
        caller.bytes = bytes;
    }
#endif
}

static bool is_enabled(unsigned thread)
{
    const struct scheduled_point *point = &state.point[thread];

    if (fibers[thread].ended)
        return false;
    return point->kind != SCHEDULED_ACQUIRE || scheduled_holder(point) == SCHEDULED_NOBODY;
}

/* Who goes on; NOBODY: the run is over, and `end` says how. */
static unsigned next(void)
{
    bool all_ended = true;

    state.enabled = 0;
    for (unsigned thread = 0; thread < state.threads; thread++) {
        all_ended &= fibers[thread].ended;
        if (is_enabled(thread))
            state.enabled |= 1u << thread;
    }
    if (state.enabled == 0 || state.step == run->steps) {
        end = all_ended ? SCHEDULED_DONE : state.enabled == 0 ? SCHEDULED_DEADLOCK : SCHEDULED_ENDLESS;
        return SCHEDULED_NOBODY;
    }
    unsigned chosen = run->choose(run->context, &state);
    state.step++;
    if (chosen >= state.threads || !(state.enabled >> chosen & 1))
        dxgkmem_host_panic(__FILE__, __LINE__, "a thread that cannot go on was chosen");
    return chosen;
}

static void go_on(bool dead)
{
    unsigned from = state.current, to;

    deciding = true;
    to = next();
    if (from != to && run->turn != NULL)
        run->turn(run->context, from, to);
    deciding = false;
    if (from == to)
        return;
    state.current = to;
    change(place_of(from), place_of(to), dead);
}

void scheduled_point(enum scheduled_kind kind, const volatile void *address, const char *file, int line)
{
    if (scheduled_thread() == SCHEDULED_NOBODY || deciding)
        return;
    state.point[state.current] = (struct scheduled_point){kind, (uintptr_t)address, file, line};
    go_on(false);
}

static void enter(void)
{
    unsigned thread = state.current;

    arrive();
    run->body(run->context, thread);
    fibers[thread].ended = true;
    go_on(true);
}

static bool prepare(struct fiber *fiber)
{
    struct place *place = &fiber->place;

    if (place->stack == NULL)
        place->stack = malloc(STACK_BYTES);
    if (place->stack == NULL || getcontext(&place->context) != 0)
        return false;
    place->bytes = STACK_BYTES;
    place->context.uc_stack.ss_sp = place->stack;
    place->context.uc_stack.ss_size = place->bytes;
    place->context.uc_link = NULL;
    makecontext(&place->context, enter, 0);
    fiber->ended = false;
    return true;
}

enum scheduled_end scheduled_run(const struct scheduled_run *wanted, struct scheduled_state *final)
{
    state = (struct scheduled_state){.threads = wanted->threads, .current = SCHEDULED_NOBODY};
    for (unsigned thread = 0; thread < wanted->threads; thread++)
        if (!prepare(&fibers[thread]))
            return SCHEDULED_NO_MEMORY;
    services_begin(wanted->threads);
    run = wanted;
    go_on(false);
    run = NULL;
    if (end == SCHEDULED_DONE)
        services_end();
    *final = state;
    return end;
}
