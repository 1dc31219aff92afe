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
    const void *of; /* the list that it was taken from */
};
void wdk_born(const struct wdk_thing *thing);
/* NULL: no such thing lives. The record is good until the next one is born. */
struct wdk_thing *wdk_find(const char *kind, const void *address);
void wdk_died(struct wdk_thing *thing);

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

bool wdk_apcs_disabled(void);
void wdk_try_begin(void);
void wdk_irql_begin(void);
void wdk_irql_end(bool left);
void wdk_pool_begin(void);
void wdk_later_begin(void);
void wdk_registry_begin(void);

#define HERE KIT_STACK_HERE()

#endif
