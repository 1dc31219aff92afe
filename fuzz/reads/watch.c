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
    uintptr_t also, also_end; /* watched besides */
    watch_hook *hook;
    void *context;
    struct watch_access access;   /* under way */
    bool tell;                    /* whether it is of interest */
    struct sigaction fault, step; /* of whoever had the signals before */
} watched;

static void protect(int protection)
{
    uintptr_t from = watched.also & ~(uintptr_t)(WATCH_BYTES - 1);

    (void)mprotect(watched.page, WATCH_BYTES, protection);
    if (watched.also != 0)
        (void)mprotect((void *)from, watched.also_end - from, protection);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;
    uintptr_t at = (uintptr_t)info->si_addr, page = (uintptr_t)watched.page, end = watched.also_end;
    bool own = at >= page && at < page + WATCH_BYTES;

    (void)number;
    if (!own && (at < (watched.also & ~(uintptr_t)(WATCH_BYTES - 1)) ||
                 at >= ((end + WATCH_BYTES - 1) & ~(uintptr_t)(WATCH_BYTES - 1)))) {
        /* Somebody else's: the instruction is tried again, and faults before them. */
        (void)sigaction(SIGSEGV, &watched.fault, NULL);
        return;
    }
    watched.tell = own || (at >= watched.also && at < end);
    watched.access.also = !own;
    watched.access.offset = (unsigned)(at - (own ? page : watched.also));
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
    watched.hook = hook;
    watched.context = context;
    return watched.page;
}

void watch_close(void)
{
    (void)munmap(watched.page, WATCH_BYTES);
    watched.page = NULL;
}

void watch_begin(void *also, size_t bytes)
{
    struct sigaction action;

    watched.also = (uintptr_t)also;
    watched.also_end = also != NULL ? watched.also + bytes : 0;
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

void watch_begin(void *also, size_t bytes)
{
    (void)also;
    (void)bytes;
}

void watch_end(void)
{
}

#endif
