/* SPDX-License-Identifier: MIT */
/*
 * Lookaside lists. Nothing is kept for later: an entry is a block of the pool that knows its list, so that one
 * that is never given back, or goes to another list, is told with the call that took it.
 */
#include "wdk.h"

#define INITIALISED 0x4c4f4f4bu

static void initialise(PLOOKASIDE_LIST_EX list, const LOOKASIDE_LIST_EX *as, const char *call,
                       kit_stack stack)
{
    struct wdk_thing *there = wdk_find("lookaside list", list);

    wdk_at_most(DISPATCH_LEVEL, call, stack);
    if (as->Tag == 0)
        wdk_mistake("pool_tag", call, stack, 0, "the tag is 0");
    if (there != NULL) {
        wdk_mistake("lookaside_initialised_twice", call, stack, there->made,
                    "the list is initialised already and was not deleted");
        wdk_died(there);
    }
    *list = *as;
    list->Initialised = INITIALISED;
    wdk_born(&(struct wdk_thing){.kind = "lookaside list", .address = list, .made = stack});
}

static void must_live(PLOOKASIDE_LIST_EX list, const char *call, kit_stack stack)
{
    if (wdk_find("lookaside list", list) == NULL)
        wdk_fatal("not_initialised", call, stack, 0, "the lookaside list was not initialised, or is deleted");
}

static PVOID take(PLOOKASIDE_LIST_EX list, const char *call, kit_stack stack)
{
    must_live(list, call, stack);
    if (list->Allocate != NULL)
        return list->Allocate(list->Type, list->Size, list->Tag);
    if (list->AllocateEx != NULL)
        return list->AllocateEx(list->Type, list->Size, list->Tag, list);
    return wdk_allocate(&(struct wdk_thing){"lookaside entry", NULL, list->Size, list->Tag,
                                            list->Type == PagedPool, stack, list},
                        false, call);
}

static void give(PLOOKASIDE_LIST_EX list, PVOID entry, const char *call, kit_stack stack)
{
    struct wdk_thing *thing = wdk_find("lookaside entry", entry);

    must_live(list, call, stack);
    wdk_at_most(DISPATCH_LEVEL, call, stack);
    if (list->Free != NULL) {
        list->Free(entry);
    } else if (list->FreeEx != NULL) {
        list->FreeEx(entry, list);
    } else if (thing == NULL) {
        wdk_mistake(
            "lookaside_not_taken", call, stack, 0,
            "no entry of a lookaside list begins at this address: it was given back, or is another block");
    } else {
        if (thing->of != list)
            wdk_mistake("lookaside_other_list", call, stack, thing->made,
                        "the entry was taken from another list");
        wdk_release(thing, call, stack);
    }
}

static void end(PLOOKASIDE_LIST_EX list, const char *call, kit_stack stack)
{
    must_live(list, call, stack);
    wdk_at_most(DISPATCH_LEVEL, call, stack);
    wdk_died(wdk_find("lookaside list", list));
    list->Initialised = 0;
}

VOID ExInitializeNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                     PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    (void)Flags;
    (void)Depth;
    initialise(Lookaside,
               &(LOOKASIDE_LIST_EX){
                   .Type = NonPagedPoolNx, .Size = Size, .Tag = Tag, .Allocate = Allocate, .Free = Free},
               "ExInitializeNPagedLookasideList", HERE);
}

PVOID ExAllocateFromNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    return take(Lookaside, "ExAllocateFromNPagedLookasideList", HERE);
}

VOID ExFreeToNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    give(Lookaside, Entry, "ExFreeToNPagedLookasideList", HERE);
}

VOID ExDeleteNPagedLookasideList(PNPAGED_LOOKASIDE_LIST Lookaside)
{
    end(Lookaside, "ExDeleteNPagedLookasideList", HERE);
}

VOID ExInitializePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PALLOCATE_FUNCTION Allocate,
                                    PFREE_FUNCTION Free, ULONG Flags, SIZE_T Size, ULONG Tag, USHORT Depth)
{
    (void)Flags;
    (void)Depth;
    initialise(
        Lookaside,
        &(LOOKASIDE_LIST_EX){.Type = PagedPool, .Size = Size, .Tag = Tag, .Allocate = Allocate, .Free = Free},
        "ExInitializePagedLookasideList", HERE);
}

PVOID ExAllocateFromPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    return take(Lookaside, "ExAllocateFromPagedLookasideList", HERE);
}

VOID ExFreeToPagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside, PVOID Entry)
{
    give(Lookaside, Entry, "ExFreeToPagedLookasideList", HERE);
}

VOID ExDeletePagedLookasideList(PPAGED_LOOKASIDE_LIST Lookaside)
{
    end(Lookaside, "ExDeletePagedLookasideList", HERE);
}

NTSTATUS ExInitializeLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PALLOCATE_FUNCTION_EX Allocate,
                                     PFREE_FUNCTION_EX Free, POOL_TYPE PoolType, ULONG Flags, SIZE_T Size,
                                     ULONG Tag, USHORT Depth)
{
    kit_stack stack = HERE;

    (void)Flags;
    (void)Depth;
    if (kit_fails(stack))
        return STATUS_INSUFFICIENT_RESOURCES;
    initialise(Lookaside,
               &(LOOKASIDE_LIST_EX){
                   .Type = PoolType, .Size = Size, .Tag = Tag, .AllocateEx = Allocate, .FreeEx = Free},
               "ExInitializeLookasideListEx", stack);
    return STATUS_SUCCESS;
}

PVOID ExAllocateFromLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    return take(Lookaside, "ExAllocateFromLookasideListEx", HERE);
}

VOID ExFreeToLookasideListEx(PLOOKASIDE_LIST_EX Lookaside, PVOID Entry)
{
    give(Lookaside, Entry, "ExFreeToLookasideListEx", HERE);
}

VOID ExFlushLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    must_live(Lookaside, "ExFlushLookasideListEx", HERE);
}

VOID ExDeleteLookasideListEx(PLOOKASIDE_LIST_EX Lookaside)
{
    end(Lookaside, "ExDeleteLookasideListEx", HERE);
}
