/* SPDX-License-Identifier: MIT */
/* IRQL and critical regions; the end; assertions. */
#include "wdk.h"

static unsigned regions; /* entered and not left */
static kit_stack raised; /* who raised the IRQL last */

void wdk_irql_begin(void)
{
    regions = 0;
    raised = 0;
}

void wdk_irql_end(bool left)
{
    if (!left && kit_irql() != PASSIVE_LEVEL)
        wdk_mistake("left_at_high_irql", NULL, raised, 0, "the IRQL was raised here and not lowered again");
    if (!left && regions != 0)
        wdk_mistake("left_in_region", NULL, 0, 0, "a critical or guarded region was entered and not left");
    kit_set_irql(PASSIVE_LEVEL);
}

#define SWAP(type, one, other)                                                                               \
    do {                                                                                                     \
        type kept_ = (one);                                                                                  \
        (one) = (other);                                                                                     \
        (other) = kept_;                                                                                     \
    } while (0)

struct wdk_self wdk_self_swap(const struct wdk_self *with)
{
    struct wdk_self self = *with;
    unsigned irql = kit_irql(), process = kit_process();

    kit_set_irql(self.irql);
    kit_set_process(self.process != 0 ? self.process : 1);
    self.irql = irql;
    self.process = process;
    SWAP(unsigned, regions, self.regions);
    SWAP(kit_stack, raised, self.raised);
    wdk_try_swap(&self);
    kit_stack_swap_limit(&self.limit, &self.limit_function);
    return self;
}

void wdk_at_most(unsigned irql, const char *call, kit_stack stack)
{
    if (kit_irql() > irql)
        wdk_mistake("irql_too_high", call, stack, raised,
                    irql == PASSIVE_LEVEL ? "called above PASSIVE_LEVEL"
                    : irql == APC_LEVEL   ? "called above APC_LEVEL"
                                          : "called above DISPATCH_LEVEL");
}

bool wdk_apcs_disabled(void)
{
    return regions != 0 || kit_irql() >= APC_LEVEL;
}

KIRQL KeGetCurrentIrql(VOID)
{
    return (KIRQL)kit_irql();
}

KIRQL KfRaiseIrql(KIRQL NewIrql)
{
    KIRQL old = (KIRQL)kit_irql();

    if (NewIrql < old)
        wdk_mistake("irql_order", "KeRaiseIrql", HERE, raised, "raises to a lower IRQL than the current one");
    else if (NewIrql > old)
        raised = HERE;
    kit_set_irql(NewIrql);
    return old;
}

VOID KeLowerIrql(KIRQL NewIrql)
{
    if (NewIrql > kit_irql())
        wdk_mistake("irql_order", "KeLowerIrql", HERE, raised,
                    "lowers to a higher IRQL than the current one");
    kit_set_irql(NewIrql);
}

KIRQL KeRaiseIrqlToDpcLevel(VOID)
{
    KIRQL old = (KIRQL)kit_irql();

    wdk_at_most(DISPATCH_LEVEL, "KeRaiseIrqlToDpcLevel", HERE);
    if (old < DISPATCH_LEVEL) {
        raised = HERE;
        kit_set_irql(DISPATCH_LEVEL);
    }
    return old;
}

static void leave(const char *call, kit_stack stack)
{
    if (regions == 0)
        wdk_mistake("region_not_entered", call, stack, 0, "leaves a region that was not entered");
    else
        regions--;
}

VOID KeEnterCriticalRegion(VOID)
{
    wdk_at_most(APC_LEVEL, "KeEnterCriticalRegion", HERE);
    regions++;
}

VOID KeLeaveCriticalRegion(VOID)
{
    leave("KeLeaveCriticalRegion", HERE);
}

VOID KeEnterGuardedRegion(VOID)
{
    wdk_at_most(APC_LEVEL, "KeEnterGuardedRegion", HERE);
    regions++;
}

VOID KeLeaveGuardedRegion(VOID)
{
    leave("KeLeaveGuardedRegion", HERE);
}

BOOLEAN KeAreApcsDisabled(VOID)
{
    return wdk_apcs_disabled();
}

VOID DxgkmemPagedCode(VOID)
{
    wdk_at_most(APC_LEVEL, "PAGED_CODE", HERE);
}

VOID KeBugCheckEx(ULONG BugCheckCode, ULONG_PTR P1, ULONG_PTR P2, ULONG_PTR P3, ULONG_PTR P4)
{
    struct kit_finding finding = {.name = "bug_check", .call = "KeBugCheckEx", .stack = HERE};

    kit_find_and_leave(&finding, "0x%x: 0x%lx 0x%lx 0x%lx 0x%lx", BugCheckCode, (unsigned long)P1,
                       (unsigned long)P2, (unsigned long)P3, (unsigned long)P4);
}

VOID DxgkmemAssertion(const char *What)
{
    wdk_fatal("assertion", "NT_ASSERT", HERE, 0, What);
}

VOID DxgkmemListCorrupt(const LIST_ENTRY *Entry)
{
    (void)Entry;
    wdk_fatal("list_corrupt", NULL, HERE, 0, "the neighbours of this list entry do not point to it");
}

/* -- processes ------------------------------------------------------------------------------------ */

PEPROCESS PsGetCurrentProcess(VOID)
{
    return (PEPROCESS)((ULONG_PTR)kit_process() << 12);
}

HANDLE PsGetCurrentProcessId(VOID)
{
    return (HANDLE)((ULONG_PTR)kit_process() * 4);
}

PKTHREAD KeGetCurrentThread(VOID)
{
    return wdk_thread();
}

VOID KeStackAttachProcess(PEPROCESS Process, PRKAPC_STATE ApcState)
{
    wdk_at_most(APC_LEVEL, "KeStackAttachProcess", HERE);
    ApcState->Process = kit_process();
    ApcState->Attached = TRUE;
    kit_set_process((unsigned)((ULONG_PTR)Process >> 12));
}

VOID KeUnstackDetachProcess(PRKAPC_STATE ApcState)
{
    kit_set_process(ApcState->Process);
    ApcState->Attached = FALSE;
}
