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
    watch_hook *hook;
    void *context;
    struct watch_access access;   /* under way */
    struct sigaction fault, step; /* of whoever had the signals before */
} watched;

static void on_fault(int number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;
    uintptr_t at = (uintptr_t)info->si_addr, page = (uintptr_t)watched.page;

    (void)number;
    if (at < page || at >= page + WATCH_BYTES) {
        /* Somebody else's: the instruction is tried again, and faults before them. */
        (void)sigaction(SIGSEGV, &watched.fault, NULL);
        return;
    }
    watched.access.offset = (unsigned)(at - page);
    watched.access.write = (machine->uc_mcontext.gregs[REG_ERR] & WRITE_FAULT) != 0;
    watched.access.instruction = (uintptr_t)machine->uc_mcontext.gregs[REG_RIP];
    (void)mprotect(watched.page, WATCH_BYTES, PROT_READ | PROT_WRITE);
    machine->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_step(int number, siginfo_t *info, void *context)
{
    ucontext_t *machine = context;

    (void)number;
    (void)info;
    watched.hook(watched.context, &watched.access);
    (void)mprotect(watched.page, WATCH_BYTES, PROT_NONE);
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

void watch_begin(void)
{
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = on_fault;
    (void)sigaction(SIGSEGV, &action, &watched.fault);
    action.sa_sigaction = on_step;
    (void)sigaction(SIGTRAP, &action, &watched.step);
    (void)mprotect(watched.page, WATCH_BYTES, PROT_NONE);
}

void watch_end(void)
{
    (void)mprotect(watched.page, WATCH_BYTES, PROT_READ | PROT_WRITE);
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

void watch_begin(void)
{
}

void watch_end(void)
{
}

#endif
