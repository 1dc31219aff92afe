/* SPDX-License-Identifier: MIT */
/* Implements watch.h with page protection and the processor's trap flag. */
#include "reads/watch.h"

#if defined(__x86_64__) && defined(__linux__)

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define TRAP_FLAG 0x100
#define WRITE_FAULT 2

static struct {
    unsigned char *page;
    uintptr_t from[WATCH_PLACES + 1], end[WATCH_PLACES + 1]; /* the page, and the places; end 0: none */
    watch_hook *hook;
    void *context;
    struct watch_access access;   /* under way */
    bool tell;                    /* whether it is of interest */
    struct sigaction fault, step; /* of whoever had the signals before */
} watched;

static uintptr_t page_of(uintptr_t address)
{
    return address & ~(uintptr_t)(WATCH_BYTES - 1);
}

static void protect(int protection)
{
    for (unsigned i = 0; i <= WATCH_PLACES; i++)
        if (watched.end[i] != 0)
            (void)mprotect((void *)page_of(watched.from[i]), watched.end[i] - page_of(watched.from[i]),
                           protection);
}

/* Whether the address is on the pages of something that is watched. */
static bool is_ours(uintptr_t at)
{
    for (unsigned i = 0; i <= WATCH_PLACES; i++)
        if (watched.end[i] != 0 && at >= page_of(watched.from[i]) &&
            at < page_of(watched.end[i] + WATCH_BYTES - 1))
            return true;
    return false;
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;
    uintptr_t at = (uintptr_t)info->si_addr;
    unsigned place = 0;

    (void)number;
    if (!is_ours(at)) {
        /* Somebody else's: the instruction is tried again, and faults before them. */
        (void)sigaction(SIGSEGV, &watched.fault, NULL);
        return;
    }
    while (place <= WATCH_PLACES && (at < watched.from[place] || at >= watched.end[place]))
        place++;
    watched.tell = place <= WATCH_PLACES;
    watched.access.place = place;
    watched.access.offset = watched.tell ? (unsigned)(at - watched.from[place]) : 0;
    watched.access.write = (machine->uc_mcontext.gregs[REG_ERR] & WRITE_FAULT) != 0;
    watched.access.instruction = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
    protect(PROT_READ | PROT_WRITE);
    machine->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;

    (void)number;
    (void)info;
    if (watched.tell)
        watched.hook(watched.context, &watched.access);
    protect(PROT_NONE);
    machine->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

unsigned char *watch_open(watch_hook *hook, void *context)
{
    void *page = mmap(NULL, WATCH_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    watched.page = page != MAP_FAILED ? page : NULL;
    watched.from[0] = (uintptr_t)page;
    watched.end[0] = watched.from[0] + WATCH_BYTES;
    watched.hook = hook;
    watched.context = context;
    return watched.page;
}

void watch_close(void)
{
    (void)munmap(watched.page, WATCH_BYTES);
    watched.page = NULL;
}

void watch_begin(const struct watch_place place[WATCH_PLACES])
{
    struct sigaction action;

    for (unsigned i = 0; i < WATCH_PLACES; i++) {
        watched.from[i + 1] = (uintptr_t)place[i].from;
        watched.end[i + 1] = place[i].bytes != 0 ? watched.from[i + 1] + place[i].bytes : 0;
    }
    memset(&action, 0, sizeof action);
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = on_fault;
    (void)sigaction(SIGSEGV, &action, &watched.fault);
    action.sa_sigaction = on_step;
    (void)sigaction(SIGTRAP, &action, &watched.step);
    protect(PROT_NONE);
}

void watch_end(void)
{
    protect(PROT_READ | PROT_WRITE);
    (void)sigaction(SIGSEGV, &watched.fault, NULL);
    (void)sigaction(SIGTRAP, &watched.step, NULL);
}

#else

unsigned char *watch_open(watch_hook *hook, void *context)
{
    (void)hook;
    (void)context;
    return NULL;
}

void watch_close(void)
{
}

void watch_begin(const struct watch_place place[WATCH_PLACES])
{
    (void)place;
}

void watch_end(void)
{
}

#endif
