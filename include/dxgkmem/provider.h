/* SPDX-License-Identifier: MIT */
/*
 * A provider: an implementation of the physical-memory callbacks that the harness can run programs on.
 *
 * It is a table of functions that starts the implementation on a machine, adds adapters and hands
 * out their DXGKRNL_INTERFACE, as dxgkmem.h does for ours; it offers a device's DMA and what the
 * harness may look at; and it declares what it decided where Windows leaves the choice (struct dxgkmem_profile).
 * What is documented is no choice and cannot be declared away.
 *
 * In a shared object the table is what dxgkmem_provider() returns. Ours is one such table, too:
 * dxgkmem_provider_core in fuzz/program/provider_core.c. fuzz/PROVIDER.md is the guide.
 *
 * One instance at a time. Functions are called by one thread, at PASSIVE_LEVEL, callbacks at the IRQL
 * of the program. A member that is NULL is not offered: what needs it is not tried and not
 * checked. Those marked "required" are not NULL.
 *
 * Source of every rule here: our decision.
 */
#ifndef DXGKMEM_PROVIDER_H
#define DXGKMEM_PROVIDER_H

#include <dxgkmem/profile.h>
#include <dxgkmem/sim.h>

#ifdef __cplusplus
extern "C" {
#endif

/* -- the table ------------------------------------------------------------------- */

#define DXGKMEM_PROVIDER_VERSION 2u

/*
 * Functions of a machine do what those of sim.h with the same name do, and say what those say.
 * struct dxgkmem_sim is defined nowhere in public: a provider with a machine of its own defines it, and one
 * on the simulated machine begins its table with DXGKMEM_PROVIDER_SIM.
 */
struct dxgkmem_provider {
    uint32_t version;                      /* DXGKMEM_PROVIDER_VERSION */
    uint32_t size;                         /* sizeof(struct dxgkmem_provider) */
    const char *name;                      /* required */
    const struct dxgkmem_profile *profile; /* NULL: all zero */

    /*
     * -- the machine. create: STATUS_NOT_SUPPORTED when it cannot be like this; such programs are not run.
     * There may be several, one of them in use. reset: as new; NULL: destroy and create
     */
    NTSTATUS (*create)(const struct dxgkmem_sim_config *config, struct dxgkmem_sim **machine); /* required */
    void (*destroy)(struct dxgkmem_sim *machine);                                              /* required */
    void (*machine_reset)(struct dxgkmem_sim *machine);

    /* conditions; what is NULL stays as it is: PASSIVE_LEVEL, process 1 */
    void (*set_irql)(struct dxgkmem_sim *machine, unsigned irql);
    void (*set_process)(struct dxgkmem_sim *machine, uint64_t process);

    /* failures of the host's fallible calls: all four or none */
    void (*fail_at)(struct dxgkmem_sim *machine, uint64_t nth);
    void (*fail_then)(struct dxgkmem_sim *machine, uint64_t nth);
    uint64_t (*fallible_calls)(const struct dxgkmem_sim *machine);
    unsigned (*fault_fired)(const struct dxgkmem_sim *machine);

    /* use of memory. No cpu_read and cpu_write: the addresses of mappings are used as they are */
    bool (*dma_read)(struct dxgkmem_sim *machine, uint64_t device, uint64_t address, void *to, size_t bytes);
    bool (*dma_write)(struct dxgkmem_sim *machine, uint64_t device, uint64_t address, const void *from,
                      size_t bytes);
    bool (*cpu_read)(struct dxgkmem_sim *machine, const void *address, void *to, size_t bytes);
    bool (*cpu_write)(struct dxgkmem_sim *machine, void *address, const void *from, size_t bytes);

    /* what is true, without changing it */
    bool (*device_page)(struct dxgkmem_sim *machine, uint64_t device, uint64_t logical_page,
                        struct dxgkmem_sim_translation *translation);
    uint64_t (*device_pages)(struct dxgkmem_sim *machine, uint64_t device);
    bool (*stale_iotlb)(struct dxgkmem_sim *machine, uint64_t *device_or_domain, uint64_t *logical_page);
    bool (*cpu_page)(struct dxgkmem_sim *machine, uint64_t process, const void *address,
                     struct dxgkmem_sim_translation *translation);
    uint64_t (*mappings)(struct dxgkmem_sim *machine, uint64_t process);
    /* the driver's own pages; NULL: no MDLs of its own are mapped */
    bool (*driver_page)(struct dxgkmem_sim *machine, unsigned nth, uint64_t *page);
    bool (*is_allocated)(struct dxgkmem_sim *machine, uint64_t page);
    uint64_t (*free_pages)(const struct dxgkmem_sim *machine);
    bool (*could_create)(struct dxgkmem_sim *machine, const struct dxgkmem_memory_request *request);
    const char *(*complaint)(const struct dxgkmem_sim *machine);
    uint64_t (*changes)(const struct dxgkmem_sim *machine);
    uint64_t (*digest)(const struct dxgkmem_sim *machine);

    /*
     * -- the implementation. start: config->machine is NULL, for `machine` is what create made
     */
    NTSTATUS (*start)(struct dxgkmem_sim *machine, const struct dxgkmem_config *config); /* required */
    void (*stop)(struct dxgkmem_leaks *leaks);                                           /* required */
    void (*reset)(void); /* drops everything without reports; NULL: stop does */
    NTSTATUS(*add_adapter)
    (const struct dxgkmem_adapter_config *config, HANDLE *device_handle); /* required */
    NTSTATUS (*remove_adapter)(HANDLE device_handle);
    NTSTATUS (*query_interface)(HANDLE device_handle, DXGKRNL_INTERFACE *dxgkrnl_interface); /* required */
    void (*process_exit)(uint64_t process);
    void (*query_statistics)(struct dxgkmem_statistics *statistics);
    void (*audit)(struct dxgkmem_audit *audit);
};

/* The machine of a provider that runs on the simulated one. */
#define DXGKMEM_PROVIDER_SIM                                                                                 \
    .create = dxgkmem_sim_create, .destroy = dxgkmem_sim_destroy, .machine_reset = dxgkmem_sim_reset,        \
    .set_irql = dxgkmem_sim_set_irql, .set_process = dxgkmem_sim_set_process,                                \
    .fail_at = dxgkmem_sim_fail_at, .fail_then = dxgkmem_sim_fail_then,                                      \
    .fallible_calls = dxgkmem_sim_fallible_calls, .fault_fired = dxgkmem_sim_fault_fired,                    \
    .dma_read = dxgkmem_sim_dma_read, .dma_write = dxgkmem_sim_dma_write, .cpu_read = dxgkmem_sim_cpu_read,  \
    .cpu_write = dxgkmem_sim_cpu_write, .device_page = dxgkmem_sim_device_page,                              \
    .device_pages = dxgkmem_sim_device_pages, .stale_iotlb = dxgkmem_sim_stale_iotlb,                        \
    .cpu_page = dxgkmem_sim_cpu_page, .mappings = dxgkmem_sim_mappings,                                      \
    .driver_page = dxgkmem_sim_driver_page, .is_allocated = dxgkmem_sim_is_allocated,                        \
    .free_pages = dxgkmem_sim_free_pages, .could_create = dxgkmem_sim_could_create,                          \
    .complaint = dxgkmem_sim_complaint, .changes = dxgkmem_sim_changes, .digest = dxgkmem_sim_digest

/* What a shared object has, under this name; its other names may be hidden. */
__attribute__((visibility("default"))) const struct dxgkmem_provider *dxgkmem_provider(void);

#ifdef __cplusplus
}
#endif

#endif
