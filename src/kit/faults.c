/* SPDX-License-Identifier: MIT */
/*
 * Access violations: what a driver does with an address that it should not have used, told in
 * the terms of the callbacks. A sanitizer or a fuzzing engine that was there first gets the signal next.
 */
#define _GNU_SOURCE
#include "kit.h"

#include <signal.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

static struct sigaction before[2];

static uintptr_t instruction_of(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (uintptr_t)context->uc_mcontext.pc;
#else
    (void)context;
    return 0;
#endif
}

static bool behind_interface(const unsigned char *address)
{
    return address >= kit.interface_pages && address < kit.interface_pages + KIT_ADAPTERS * 2 * KIT_PAGE;
}

bool kit_of_the_kernel(const void *address)
{
    const struct kit_mapping *mapping = kit_mapping_at(address);
    kit_stack made;

    return behind_interface(address) || kit_mdl_unmapped_at(address, &made) ||
           kit_adl_as_pointer((uintptr_t)address) != NULL || (mapping != NULL && !mapping->user);
}

/* What lies at the address, as far as anybody knows. */
static const char *explain(const unsigned char *address, struct kit_finding *finding)
{
    const struct kit_mapping *mapping = kit_mapping_at(address);
    const struct kit_reach *adl = kit_adl_as_pointer((uintptr_t)address);

    if (behind_interface(address))
        return "behind the Size of the interface: this version has no such member; look at Size and Version "
               "first, and copy no more than Size";
    if (adl != NULL) {
        finding->earlier_call = adl->made_by;
        finding->earlier = adl->made;
        return "BasePageNumber taken for the page array: Contiguous is set in this ADL";
    }
    if (kit_mdl_unmapped_at(address, &finding->earlier)) {
        finding->earlier_call = "DxgkCbAllocatePagesForMdl";
        return "MappedSystemVa of an MDL whose pages are not mapped: MmGetSystemAddressForMdlSafe maps them";
    }
    if ((uintptr_t)address < KIT_PAGE)
        return "near NULL";
    if (mapping == NULL)
        return "nothing that the kit knows";
    finding->earlier_call = mapping->ended != 0 ? mapping->ended_by : mapping->made_by;
    finding->earlier = mapping->ended != 0 ? mapping->ended : mapping->made;
    if (mapping->ended != 0)
        return "a mapping that has ended";
    if (address < mapping->base + mapping->lead)
        return mapping->ahead != NULL ? mapping->ahead : "in front of what was mapped";
    return "behind what was asked for, or a write to memory that may only be read";
}

static void restore(int number)
{
    (void)sigaction(number, &before[number == SIGBUS], NULL);
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    struct kit_finding finding = {.name = "access_violation"};
    const char *what;

    /* SI_KERNEL: an address that no process and no kernel has. */
    if (!kit.in_callback && info->si_code != SI_KERNEL && kit_irql() <= APC_LEVEL &&
        !kit_of_the_kernel(info->si_addr))
        wdk_catch();
    finding.stack = kit_stack_take_signal(instruction_of(context));
    what = explain(info->si_addr, &finding);
    if (kit_abort_on_finding || kit.in_callback || kit_leave == NULL) {
        kit_abort_on_finding = false;
        kit_find(&finding, "%p: %s", info->si_addr, what);
        restore(number); /* it happens again, and the next one in line sees it */
        return;
    }
    kit_find_and_leave(&finding, "%p: %s", info->si_addr, what);
}

void kit_faults_install(void)
{
    static unsigned char stack[64 * 1024];
    stack_t alternative = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action;

    memset(&action, 0, sizeof action);
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    (void)sigaltstack(&alternative, NULL);
    (void)sigaction(SIGSEGV, &action, &before[0]);
    (void)sigaction(SIGBUS, &action, &before[1]);
}
