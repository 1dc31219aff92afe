/* SPDX-License-Identifier: MIT */
/* The controls of fake.h, and the routines of ntifs.h about processes, the IRQL and references. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>

struct _EPROCESS {
    unsigned number, references;
};

struct fake_now now;
static struct _EPROCESS processes[FAKE_PROCESSES + 1];
static unsigned attached_from, countdown;
static bool has_failed;

void broken(const char *routine, const char *rule)
{
    fprintf(stderr, "fake kernel: %s: %s\n", routine, rule);
    abort();
}

/* -- controls ---------------------------------------------------------------------------------- */

void fake_reset(void)
{
    RULE(fake_left() == 0, "something was not given back");
    for (unsigned i = 0; i <= FAKE_PROCESSES; i++)
        processes[i] = (struct _EPROCESS){i, 1};
    now.irql = countdown = attached_from = 0;
    now.process = 1;
    has_failed = false;
}

void fake_set_irql(unsigned to)
{
    now.irql = to;
}

void fake_set_process(unsigned process)
{
    now.process = process;
}

void fake_fail_at(unsigned nth)
{
    countdown = nth;
    has_failed = false;
}

bool fake_failed(void)
{
    return has_failed;
}

bool fails(void)
{
    if (countdown == 0 || --countdown != 0)
        return false;
    has_failed = true;
    return true;
}

unsigned fake_left(void)
{
    unsigned left = attached_from + ram_left() + sections_left() + lists_left();

    for (unsigned i = 1; i <= FAKE_PROCESSES; i++)
        left += processes[i].number != 0 && processes[i].references != 1;
    return left;
}

/* -- processes and references ---------------------------------------------------------------------- */

UCHAR KeGetCurrentIrql(void)
{
    return (UCHAR)now.irql;
}

HANDLE PsGetCurrentProcessId(void)
{
    return (HANDLE)(uintptr_t)now.process;
}

PEPROCESS PsGetCurrentProcess(void)
{
    return &processes[now.process];
}

void KeStackAttachProcess(PKPROCESS process, KAPC_STATE *state)
{
    PEPROCESS to = (PEPROCESS)(void *)process;

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    RULE(to->references > 0, "the process is gone");
    RULE(attached_from == 0, "the stand-in nests no attachments");
    state->attached = to;
    attached_from = now.process;
    now.process = to->number;
}

void KeUnstackDetachProcess(KAPC_STATE *state)
{
    RULE(attached_from != 0 && state->attached == &processes[now.process],
         "it is not the state of the attachment");
    now.process = attached_from;
    attached_from = 0;
}

void ObReferenceObject(void *object)
{
    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    ((PEPROCESS)object)->references++;
}

void ObDereferenceObject(void *object)
{
    struct section *section = section_of(object);

    RULE(now.irql <= DISPATCH, "IRQL > DISPATCH_LEVEL");
    if (section != NULL) {
        dereference_section(section);
        return;
    }
    PEPROCESS process = object;
    RULE(process > processes && process <= processes + FAKE_PROCESSES, "it is no object");
    RULE(process->references > 1, "one reference too few");
    process->references--;
}
