/* SPDX-License-Identifier: MIT */
/* __try and __except (excpt.h), what raises, and probing of what a process gave. */
#include "wdk.h"
#include "kit/kit.h"

static struct dxgkmem_try *innermost; /* that is under way */
static struct dxgkmem_try *handling;  /* that raised, the innermost */

void wdk_try_begin(void)
{
    innermost = handling = NULL;
}

void wdk_try_swap(struct wdk_self *with)
{
    struct wdk_self was = {.innermost = innermost, .handling = handling};

    innermost = with->innermost;
    handling = with->handling;
    with->innermost = was.innermost;
    with->handling = was.handling;
}

/* Comes back when there is no handler. */
static void raise(NTSTATUS code)
{
    struct dxgkmem_try *try = innermost;

    if (try == NULL)
        return;
    innermost = try->outer; /* what its filter and its handler raise is for the next one */
    try->raised = 1;
    try->code = code;
    try->outer = handling;
    handling = try;
    longjmp(try->env, 1);
}

void wdk_catch(void)
{
    raise(STATUS_ACCESS_VIOLATION);
}

static _Noreturn void raise_or_end(NTSTATUS code, const char *call, kit_stack stack)
{
    raise(code);
    wdk_fatal("exception_unhandled", call, stack, 0,
              code == STATUS_ACCESS_VIOLATION ? "an access violation, and no __try is around it"
                                              : "a status is raised, and no __try is around it");
}

/* -- what the macros call ------------------------------------------------------------------------ */

int DxgkmemTryStep(struct dxgkmem_try *Try)
{
    if (!Try->begun) {
        Try->begun = 1;
        Try->outer = innermost;
        innermost = Try;
        return 1;
    }
    if (Try->raised && !Try->handled) {
        DxgkmemTryLeave(Try); /* its cleanup does not run any more */
        raise_or_end(Try->code, "__except", HERE);
    }
    return 0;
}

/* Whichever way the block is left: at its end, by return or by goto. */
void DxgkmemTryLeave(struct dxgkmem_try *Try)
{
    if (innermost == Try)
        innermost = Try->outer;
    if (handling == Try)
        handling = Try->outer;
}

ULONG DxgkmemTryCode(void)
{
    return handling != NULL ? (ULONG)handling->code : 0;
}

int DxgkmemTryFilter(int Filter)
{
    if (Filter == EXCEPTION_CONTINUE_EXECUTION)
        wdk_fatal("exception_continued", "__except", HERE, 0,
                  "EXCEPTION_CONTINUE_EXECUTION: what was raised here cannot go on where it was raised");
    handling->handled = Filter == EXCEPTION_EXECUTE_HANDLER;
    return handling->handled;
}

/* -- raising, probing ------------------------------------------------------------------------------ */

VOID ExRaiseStatus(NTSTATUS Status)
{
    raise_or_end(Status, "ExRaiseStatus", HERE);
}

VOID ExRaiseAccessViolation(VOID)
{
    raise_or_end(STATUS_ACCESS_VIOLATION, "ExRaiseAccessViolation", HERE);
}

VOID ExRaiseDatatypeMisalignment(VOID)
{
    raise_or_end(STATUS_DATATYPE_MISALIGNMENT, "ExRaiseDatatypeMisalignment", HERE);
}

/* The process may take its memory away at any time: it is a call that may fail. */
static void probe(const volatile VOID *address, SIZE_T length, ULONG alignment, const char *call,
                  kit_stack stack)
{
    const volatile UCHAR *first = address;

    wdk_at_most(APC_LEVEL, call, stack);
    if (innermost == NULL)
        wdk_mistake("probe_outside_try", call, stack, 0,
                    "it raises for an address that is no good, and no __try is around it");
    if (length == 0)
        return;
    if (((ULONG_PTR)first & (alignment - 1)) != 0)
        raise_or_end(STATUS_DATATYPE_MISALIGNMENT, call, stack);
    if (kit_fails(stack) || kit_of_the_kernel((const void *)(uintptr_t)first) ||
        kit_of_the_kernel((const void *)((uintptr_t)first + length - 1)))
        raise_or_end(STATUS_ACCESS_VIOLATION, call, stack);
}

VOID ProbeForRead(const volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    probe(Address, Length, Alignment, "ProbeForRead", HERE);
}

VOID ProbeForWrite(volatile VOID *Address, SIZE_T Length, ULONG Alignment)
{
    ULONG_PTR at = (ULONG_PTR)Address, end = at + Length;

    probe(Address, Length, Alignment, "ProbeForWrite", HERE);
    for (; at < end; at = ALIGN_DOWN_BY(at, PAGE_SIZE) + PAGE_SIZE) { /* of each page it touches, one byte */
        volatile UCHAR *byte = (volatile UCHAR *)at;

        *byte = *byte;
    }
}
