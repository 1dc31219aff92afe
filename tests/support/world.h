/* SPDX-License-Identifier: MIT */
/*
 * One simulated machine with one started instance and one adapter, for tests: what
 * almost every test needs before and after what it is about.
 *
 * It owns the machine, the instance and the list of violations that were reported.
 * Helpers that make something fail the test when it cannot be made; calls that are
 * expected to be refused are made by the tests themselves, through world.ddi.
 */
#ifndef DXGKMEM_TESTS_SUPPORT_WORLD_H
#define DXGKMEM_TESTS_SUPPORT_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "arguments.h"

#include <dxgkmem/mdl.h>

#define WORLD_SEEN 64u

struct world {
    struct dxgkmem_sim *sim;
    HANDLE adapter;        /* identity, device 0, WDDM 3.1, with a frame buffer */
    DXGKRNL_INTERFACE ddi; /* of that adapter */
    /* Violations since the last world_expect: the first WORLD_SEEN, and how many there were. */
    struct dxgkmem_violation seen[WORLD_SEEN];
    unsigned violations;
};
extern struct world world;

/* For cmocka: the default world, and its end, at which nothing may be left. */
int world_setup(void **state);
int world_teardown(void **state);

/* The machine alone; then the instance with this config (violation is filled in) and the adapter. */
void world_make_machine(uint64_t page_limit);
void world_start(const struct dxgkmem_config *config);
/* Ends both. Whatever is left, or was done against the rules of host.h, fails the test. */
void world_end(void);
/* For dxgkmem_config.violation. */
void world_violation(void *context, const struct dxgkmem_violation *violation);

/* -- adapters -------------------------------------------------------------------- */

HANDLE adapter_add(const struct dxgkmem_adapter_config *config);
void adapter_remove(HANDLE adapter);

/* -- calls that succeed ------------------------------------------------- */

struct thing {
    HANDLE object;
    HANDLE open; /* adapter memory object, or NULL */
};

struct view {
    unsigned char *base;
    SIZE_T bytes;
    SIZE_T offset;
};

NTSTATUS try_create(create_arguments arguments, struct thing *made);
struct thing thing_create(create_arguments arguments);
HANDLE thing_open(HANDLE object, HANDLE adapter);
void thing_close(HANDLE open);
void thing_destroy(struct thing thing);
NTSTATUS try_adl(HANDLE open, SIZE_T offset, SIZE_T bytes, unsigned flags, DXGK_ADL **adl);
DXGK_ADL *adl_allocate(HANDLE open, SIZE_T offset, SIZE_T bytes);
void adl_free(HANDLE open, DXGK_ADL *adl);
NTSTATUS try_map(HANDLE object, SIZE_T offset, SIZE_T bytes, DXGK_ACCESS_MODE mode, struct view *view);
struct view view_map(HANDLE object, SIZE_T offset, SIZE_T bytes, DXGK_ACCESS_MODE mode);
void view_unmap(HANDLE object, struct view view);
NTSTATUS try_pin(HANDLE lead, UINT index, SIZE_T bytes, unsigned flags, DXGK_ADL **adl);
NTSTATUS try_pin_mdl(HANDLE lead, UINT index, SIZE_T bytes, struct dxgkmem_mdl **mdl);
NTSTATUS try_unpin(HANDLE lead, UINT index);
NTSTATUS try_map_frame_buffer(HANDLE lead, UINT index, SIZE_T offset, SIZE_T bytes, unsigned char **base);
NTSTATUS try_unmap_frame_buffer(HANDLE lead, UINT index, void *base);

/* The WDDM 2.4 callbacks. A memory: its handle, where it is mapped, and its MDL if it has one. */
struct handed_memory {
    HANDLE handle;
    void *base;
    PMDL mdl;
};
NTSTATUS try_contiguous(HANDLE adapter, SIZE_T bytes, struct handed_memory *memory);
NTSTATUS try_pages(HANDLE adapter, SIZE_T bytes, ULONG flags, struct handed_memory *memory);
struct handed_memory contiguous_allocate(HANDLE adapter, SIZE_T bytes);
struct handed_memory pages_allocate(HANDLE adapter, SIZE_T bytes);
NTSTATUS try_free_contiguous(HANDLE adapter, HANDLE memory);
NTSTATUS try_free_pages(HANDLE adapter, HANDLE memory);

/* An MDL of the driver's own pages, from the first-th on; mapped for the device and unmapped. */
struct own_mdl {
    struct dxgkmem_mdl header;
    ULONG_PTR page[DXGKMEM_SIM_DRIVER_PAGES];
};
struct own_mdl own_mdl(unsigned first, unsigned pages);
NTSTATUS try_map_mdl(HANDLE adapter, const void *mdl, HANDLE *memory);
HANDLE mdl_map(HANDLE adapter, unsigned first, unsigned pages);
void mdl_unmap(HANDLE adapter, HANDLE memory);

/* The i-th page number of an ADL, whichever form it has. */
uint64_t adl_page(const DXGK_ADL *adl, uint32_t i);

/* -- what was reported -------------------------------------------------------------------- */

/* Number of the call made last (single-threaded tests). */
uint64_t last_operation(void);
/* Exactly one violation since the last look; with this code (and subject, and earlier operation). */
struct dxgkmem_violation expect_code(enum dxgkmem_violation_code code);
void expect_violation(enum dxgkmem_violation_code code, const void *subject, uint64_t earlier,
                      enum dxgkmem_call earlier_call);
void expect_no_violation(void);

/* -- the whole state ------------------------------------------------------------------------ */

struct state {
    uint64_t core, machine; /* digests */
    uint64_t pool_bytes, pool_blocks, free_pages, sim_changes;
    struct dxgkmem_statistics statistics; /* without what counts calls */
    struct dxgkmem_adapter_info info[DXGKMEM_SIM_DEVICES];
};

/* Audits on the way: a problem, or a complaint of the machine, fails the test. */
struct state state_now(void);
/* Everything that is alive; with the pool's balance; and not even a touch of the machine. */
void expect_same_things(const struct state *before);
void expect_same_pool(const struct state *before);
void expect_unchanged(const struct state *before);

/* Adapters whose info is part of the state, by device; world_start and adapter_add put them there. */
void state_watch(uint64_t device, HANDLE adapter);

#endif
