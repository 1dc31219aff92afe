/* SPDX-License-Identifier: MIT */
/* What lives, in a hash table by address; what is left when a life ends. */
#include "wdk.h"
#include "kit/kit.h"

#include <stdlib.h>

static struct wdk_thing *table;
static size_t room, live;

static size_t place_of(const struct wdk_thing *in, size_t places, const char *kind, const void *address)
{
    size_t place = (size_t)(((uintptr_t)address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 40) & (places - 1);

    while (in[place].kind != NULL && (in[place].address != address || strcmp(in[place].kind, kind) != 0))
        place = (place + 1) & (places - 1);
    return place;
}

void wdk_born(const struct wdk_thing *thing)
{
    if (live * 2 >= room) {
        size_t places = room != 0 ? room * 2 : 1024;
        struct wdk_thing *more = calloc(places, sizeof *more);

        if (more == NULL)
            abort();
        for (size_t i = 0; i < room; i++) {
            if (table[i].kind != NULL)
                more[place_of(more, places, table[i].kind, table[i].address)] = table[i];
        }
        free(table);
        table = more;
        room = places;
    }
    live++;
    table[place_of(table, room, thing->kind, thing->address)] = *thing;
}

struct wdk_thing *wdk_find(const char *kind, const void *address)
{
    size_t place;

    if (room == 0)
        return NULL;
    place = place_of(table, room, kind, address);
    return table[place].kind != NULL ? &table[place] : NULL;
}

const struct wdk_thing *wdk_block_around(const void *address)
{
    for (size_t i = 0; i < room; i++) {
        uintptr_t offset = (uintptr_t)address - (uintptr_t)table[i].address;

        if (table[i].kind != NULL && offset < table[i].bytes &&
            (strcmp(table[i].kind, "pool block") == 0 || strcmp(table[i].kind, "lookaside entry") == 0))
            return &table[i];
    }
    return NULL;
}

/* Those behind it move up, as far as their own places allow. */
void wdk_died(struct wdk_thing *thing)
{
    size_t place = (size_t)(thing - table);

    live--;
    table[place].kind = NULL;
    for (size_t next = (place + 1) & (room - 1); table[next].kind != NULL; next = (next + 1) & (room - 1)) {
        struct wdk_thing moved = table[next];

        table[next].kind = NULL;
        table[place_of(table, room, moved.kind, moved.address)] = moved;
    }
}

static void tell_left(const struct wdk_thing *thing)
{
    struct kit_finding finding = {.name = "left_at_end", .stack = thing->made};
    unsigned char tag[4];

    finding.call = thing->kind;
    memcpy(tag, &thing->tag, sizeof tag);
    if (thing->tag != 0)
        kit_find(&finding, "%zu bytes with tag '%c%c%c%c' were allocated here and never freed", thing->bytes,
                 tag[0], tag[1], tag[2], tag[3]);
    else
        kit_find(&finding, "what began here had not ended when the driver stopped");
}

void wdk_begin(void)
{
    wdk_threads_begin();
    wdk_try_begin();
    wdk_irql_begin();
    wdk_pool_begin();
    wdk_later_begin();
    wdk_registry_begin();
}

/* Kinds whose address is memory of the kit's. */
static bool is_allocated(const char *kind)
{
    static const char *const kinds[] = {"pool block", "lookaside entry", "work item", "MDL", "registry key"};

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

void wdk_end(bool left)
{
    wdk_irql_end(left);
    for (size_t i = 0; i < room; i++) {
        if (table[i].kind == NULL)
            continue;
        if (!left)
            tell_left(&table[i]);
        if (is_allocated(table[i].kind))
            free((void *)(uintptr_t)table[i].address);
        table[i].kind = NULL;
    }
    live = 0;
}

void wdk_mistake(const char *name, const char *call, kit_stack stack, kit_stack earlier, const char *sentence)
{
    struct kit_finding finding = {name, call, stack, earlier != 0 ? "an earlier call" : NULL, earlier};

    kit_find(&finding, "%s", sentence);
}

_Noreturn void wdk_fatal(const char *name, const char *call, kit_stack stack, kit_stack earlier,
                         const char *sentence)
{
    struct kit_finding finding = {name, call, stack, earlier != 0 ? "an earlier call" : NULL, earlier};

    kit_find_and_leave(&finding, "%s", sentence);
}
