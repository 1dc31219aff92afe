/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine: RAM, I/O ranges, an IOMMU, devices, processes, IRQL.
 *
 * It implements struct dxgkmem_machine (host.h) in portable, freestanding C:
 * memory comes from the host's pool only, so it runs in a user process and in a
 * kernel, and behaves the same in both. A page costs metadata when it is
 * allocated and storage when it is first written, so terabytes can be described.
 *
 * One thread may use the controls (irql, process, faults) at a time; the machine
 * functions themselves may be called from any thread.
 *
 * Source of every rule here: our decision.
 */
#ifndef DXGKMEM_SIM_H
#define DXGKMEM_SIM_H

#include <dxgkmem/host.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dxgkmem_sim;

struct dxgkmem_sim_range {
    uint64_t page;  /* first page */
    uint64_t pages; /* > 0 */
    bool io;        /* false: RAM. Whatever lies in no range is a hole; it behaves like I/O. */
};

/*
 * Where page contents live and how CPU mappings are made. NULL in the config:
 * contents in the host's pool, mappings as address ranges that nothing backs:
 * making one costs no system call, any direct access to one faults, and
 * dxgkmem_sim_cpu_read() and _write() are how they are used. src/host/user/memfd.c implements the
 * other kind: real mappings of one memory file, which a client may dereference.
 *
 * Both kinds number their windows alike, so that a program sees the same with either. The base of
 * a window follows from its slot; the slot of the window that ended last is used again first. All
 * processes share the slots of user windows: what is no address of one real process at a time
 * is none here, so two processes never have the same address at once, only one after the other. What
 * follows a window faults.
 */
struct dxgkmem_sim_windows {
    /* 4096 bytes, zero when first asked for, that stay where they are until `forget`; NULL: no memory. */
    void *(*page)(void *context, uint64_t page);
    /* The contents become zero; the storage may be given back. */
    void (*forget)(void *context, uint64_t page);
    /*
     * A contiguous window of `pages` pages onto these page numbers; NULL: no room. `slot` counts
     * from 0, the lowest first as a rule; no other window alive has it. Every window of a slot has
     * the same base, whatever ended in between. `room`, in pages, is how much the slot may take
     * of the address space; it belongs to the slot, and pages < room: at least one page that faults is
     * left behind the window. One machine at a time uses a context.
     */
    void *(*map)(void *context, uint32_t slot, uint64_t room, const uint64_t *page_numbers, uint64_t pages,
                 unsigned access);
    /* From here on every access to the window faults, until its slot is mapped again. */
    void (*unmap)(void *context, uint32_t slot, uint64_t pages);
};

#define DXGKMEM_SIM_RANGES 8
#define DXGKMEM_SIM_DEVICES 16
#define DXGKMEM_SIM_PROCESSES 8
#define DXGKMEM_SIM_PAGE_LIMIT ((uint64_t)1 << 18) /* 1 GiB */

struct dxgkmem_sim_config {
    struct dxgkmem_sim_range range[DXGKMEM_SIM_RANGES]; /* ascending, not overlapping, at least one of RAM */
    unsigned ranges;
    unsigned address_bits;  /* physical address width, 32 to 52; every range lies below */
    unsigned iotlb_entries; /* a power of two, 1 to 65536; 0: 64 */
    /*
     * So many pages of RAM may belong to objects at once, whatever there is: each costs 24
     * bytes, and more when mapped. Further ones are refused as if RAM were full; one
     * memory_lock or domain_map of more pages fails. 0: DXGKMEM_SIM_PAGE_LIMIT.
     */
    uint64_t page_limit;
    const struct dxgkmem_sim_windows *windows;
    void *windows_context;
};

/* STATUS_INVALID_PARAMETER for a bad config, STATUS_INSUFFICIENT_RESOURCES. */
NTSTATUS dxgkmem_sim_create(const struct dxgkmem_sim_config *config, struct dxgkmem_sim **sim);
void dxgkmem_sim_destroy(struct dxgkmem_sim *sim);
/*
 * As freshly created, but quicker: nothing allocated, mapped or attached,
 * PASSIVE_LEVEL, process 1, no fault pending. The instance must have been reset
 * or stopped first. Costs what was used, not what is described.
 */
void dxgkmem_sim_reset(struct dxgkmem_sim *sim);

/* For dxgkmem_config.machine. */
struct dxgkmem_machine *dxgkmem_sim_machine(struct dxgkmem_sim *sim);

/* -- the world's controls ------------------------------------------------- */

void dxgkmem_sim_set_irql(struct dxgkmem_sim *sim, unsigned irql);
/* 1 to DXGKMEM_SIM_PROCESSES; 1 at first. */
void dxgkmem_sim_set_process(struct dxgkmem_sim *sim, uint64_t process);

/*
 * Makes the nth fallible call from now (1 is the next) fail, once; 0 cancels.
 * Fallible calls are the instance's pool allocations, memory_create,
 * memory_lock, map, domain_create, domain_attach and domain_map, numbered in
 * the order in which they are made.
 */
void dxgkmem_sim_fail_at(struct dxgkmem_sim *sim, uint64_t nth);
/*
 * A second fault: when the pending one fires, the nth fallible call after it fails too. 0: none. The
 * next sim_fail_at cancels it. With n = 1, 2, ... a program meets each fault in what follows a fault.
 */
void dxgkmem_sim_fail_then(struct dxgkmem_sim *sim, uint64_t nth);
/* How many fallible calls were made since the last sim_fail_at (or reset), and how many faults fired. */
uint64_t dxgkmem_sim_fallible_calls(const struct dxgkmem_sim *sim);
unsigned dxgkmem_sim_fault_fired(const struct dxgkmem_sim *sim);

/*
 * Pages of the driver's own, for MDLs of its own: the nth of them, 0 to DXGKMEM_SIM_DRIVER_PAGES - 1. All are
 * taken from RAM, zeroed, when one is first asked for, and no object gets them. False: there are none left.
 * driver_gives: the driver frees them; those that memory_hold holds go back when the last hold
 * ends. Afterwards the driver has others. Both for one thread at a time.
 */
#define DXGKMEM_SIM_DRIVER_PAGES 16
bool dxgkmem_sim_driver_page(struct dxgkmem_sim *sim, unsigned nth, uint64_t *page);
void dxgkmem_sim_driver_gives(struct dxgkmem_sim *sim);

/* -- use of memory -------------------------------------------------------- */

/*
 * A device (0 to DXGKMEM_SIM_DEVICES - 1; dxgkmem_adapter_config.device) reads
 * or writes bytes at a logical address, through its domain and the IOTLB.
 * Returns false on a fault: then no byte moved. A device in no domain always faults.
 */
bool dxgkmem_sim_dma_read(struct dxgkmem_sim *sim, uint64_t device, uint64_t address, void *to, size_t bytes);
bool dxgkmem_sim_dma_write(struct dxgkmem_sim *sim, uint64_t device, uint64_t address, const void *from,
                           size_t bytes);

/* The CPU, in the current process, reads or writes at the address of a mapping. False: access violation, no byte moved. */
bool dxgkmem_sim_cpu_read(struct dxgkmem_sim *sim, const void *address, void *to, size_t bytes);
bool dxgkmem_sim_cpu_write(struct dxgkmem_sim *sim, void *address, const void *from, size_t bytes);

/* -- the page oracle: what is true, without changing it --------------------- */

struct dxgkmem_sim_translation {
    uint64_t page;                  /* the physical page */
    unsigned access;                /* DXGKMEM_ACCESS_ bits */
    DXGK_MEMORY_CACHING_TYPE cache; /* of a CPU mapping only */
};

/* What the device's I/O page table says of a logical page; the IOTLB is neither asked nor filled. */
bool dxgkmem_sim_device_page(struct dxgkmem_sim *sim, uint64_t device, uint64_t logical_page,
                             struct dxgkmem_sim_translation *translation);
/*
 * Whether the IOTLB holds a translation that the domain's page table no longer has, or has
 * otherwise; of which domain, by the number that domain_create gave it (the lowest that was free).
 */
bool dxgkmem_sim_stale_iotlb(struct dxgkmem_sim *sim, uint64_t *device_or_domain, uint64_t *logical_page);
/* How many logical pages the device can reach. */
uint64_t dxgkmem_sim_device_pages(struct dxgkmem_sim *sim, uint64_t device);
/* What an address means in a process. */
bool dxgkmem_sim_cpu_page(struct dxgkmem_sim *sim, uint64_t process, const void *address,
                          struct dxgkmem_sim_translation *translation);
/* CPU mappings alive in a process (0: of the kernel). */
uint64_t dxgkmem_sim_mappings(struct dxgkmem_sim *sim, uint64_t process);
bool dxgkmem_sim_is_ram(const struct dxgkmem_sim *sim, uint64_t page);
/* A RAM page that belongs to an object or to the driver itself. */
bool dxgkmem_sim_is_allocated(struct dxgkmem_sim *sim, uint64_t page);
uint64_t dxgkmem_sim_free_pages(const struct dxgkmem_sim *sim);
/* Whether memory_create would find pages for this request now (injected faults aside). */
bool dxgkmem_sim_could_create(struct dxgkmem_sim *sim, const struct dxgkmem_memory_request *request);

/*
 * Which rule of host.h the instance broke first since create or reset, or NULL:
 * pages given back while mapped, locked or reachable by a device, something
 * ended twice, mapped twice or never made, pages not zeroed before use.
 */
const char *dxgkmem_sim_complaint(const struct dxgkmem_sim *sim);

/*
 * A number that changes whenever ownership, a mapping, a page table, the
 * IOTLB or the contents of a page change; and a digest of all of that, equal
 * for equal states (contents, IOTLB and history excluded). Both O(1).
 */
uint64_t dxgkmem_sim_changes(const struct dxgkmem_sim *sim);
uint64_t dxgkmem_sim_digest(const struct dxgkmem_sim *sim);

/* Bytes of metadata and storage taken from the host's pool now. */
uint64_t dxgkmem_sim_pool_bytes(const struct dxgkmem_sim *sim);

#ifdef __cplusplus
}
#endif

#endif
