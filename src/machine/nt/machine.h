/* SPDX-License-Identifier: MIT */
/*
 * The real machine of a Windows kernel, for dxgkmem_config.machine: pages, sections and CPU mappings
 * over documented routines of the memory manager. It has not run on Windows; its tests run it against
 * a stand-in for those routines that checks their rules (tests/kernel/fake).
 *
 * Source of every rule here: our decision, except where a routine is named; then that routine's page.
 */
#ifndef DXGKMEM_MACHINE_NT_H
#define DXGKMEM_MACHINE_NT_H

#include <dxgkmem/host.h>

struct nt_machine;

struct nt_machine_config {
    /* The processor's physical address width, 32 to 52. 0: it is asked (x86-64 only). */
    unsigned address_bits;
    /*
     * Who programs the IOMMU: its six domain_ functions are used, and it outlives the machine. Windows
     * has an interface for that, but only for the driver that owns the device. NULL: there is no DMA
     * remapping; no adapter can then be added.
     */
    struct dxgkmem_machine *domains;
};

/* STATUS_INVALID_PARAMETER, STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS nt_machine_create(const struct nt_machine_config *config, struct nt_machine **machine);
/* Nothing of it is in use. */
void nt_machine_destroy(struct nt_machine *machine);
struct dxgkmem_machine *nt_machine_of(struct nt_machine *machine);

#endif
