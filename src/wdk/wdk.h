/* SPDX-License-Identifier: MIT */
/*
 * The inside of the stand-ins: what lives (blocks, held locks, work items), IRQL rules, what is to be
 * done later. They stand on the kit's ledger and on the IRQL and process of the machine.
 */
#ifndef DXGKMEM_WDK_WDK_H
#define DXGKMEM_WDK_WDK_H

#include "kit/ledger.h"
#include "kit/machine.h"

#include <ntifs.h>

/* One thing that must end before the life does: its kind ("pool block"), address, maker. */
struct wdk_thing {
    const char *kind; /* NULL: an empty place */
    const void *address;
    size_t bytes;
    ULONG tag;
    bool paged;
    kit_stack made;
    const void *of; /* the list that it was taken from, the thread that holds it */
};
void wdk_born(const struct wdk_thing *thing);
/* NULL: no such thing lives. The record is good until the next one is born. */
struct wdk_thing *wdk_find(const char *kind, const void *address);
void wdk_died(struct wdk_thing *thing);
/* The block of the pool, or the entry of a lookaside list, that the address is in; NULL: it is in none. */
const struct wdk_thing *wdk_block_around(const void *address);

/* A mistake of the caller, told with its stack; earlier: the call that made it one, or 0. */
void wdk_mistake(const char *name, const char *call, kit_stack stack, kit_stack earlier,
                 const char *sentence);
_Noreturn void wdk_fatal(const char *name, const char *call, kit_stack stack, kit_stack earlier,
                         const char *sentence);
/* The call may be made up to this IRQL. */
void wdk_at_most(unsigned irql, const char *call, kit_stack stack);

/* A block of the pool, as it says; NULL: none is left. And back, with a look at what lies behind it. */
PVOID wdk_allocate(const struct wdk_thing *what, bool zero, const char *call);
void wdk_release(struct wdk_thing *thing, const char *call, kit_stack stack);

/* -- threads: one has the turn ---------------------------------------------------------------------- */

#define WDK_THREAD 6 /* Type of a thread's header, behind those of wait.c */
#define WDK_THREAD_HANDLE "handle of a thread"

/* What belongs to the thread that has the turn, and changes with it. */
struct wdk_self {
    unsigned irql, regions, process;
    kit_stack raised;
    struct dxgkmem_try *innermost, *handling;
    const void *limit;
    uintptr_t limit_function;
};
/* Puts another one in its place. Returns what was there. */
struct wdk_self wdk_self_swap(const struct wdk_self *with);

PKTHREAD wdk_thread(void);
/* Gives a thread that is ready the turn until it waits or ends. False: there is none. */
bool wdk_threads_run_one(void);
/*
 * Gives the turn away until it is ready (NULL: at once, when others had theirs). False: the thread that the life
 * began with has the turn; it has the others run, one by one.
 */
bool wdk_give_turn(bool (*ready)(const void *what), const void *what);
/* Has another thread go on; false: there is nobody whose turn could help. */
bool wdk_others_run(bool (*ready)(const void *what), const void *what);
void wdk_thread_close(HANDLE handle);
void wdk_handle_of_process(const char *call, kit_stack stack);
void wdk_threads_begin(void);

void wdk_try_swap(struct wdk_self *with);

bool wdk_apcs_disabled(void);
void wdk_try_begin(void);
void wdk_irql_begin(void);
void wdk_irql_end(bool left);
void wdk_pool_begin(void);
void wdk_later_begin(void);
void wdk_registry_begin(void);

#define HERE KIT_STACK_HERE()

#endif
