/* SPDX-License-Identifier: MIT */
/*
 * The inside of the kit: one world at a time, as there is one instance a process.
 *
 *   world.c      the machine, the instance and its adapters, made once and reset for each life
 *   callbacks.c  stands between driver and callbacks: stacks, failures, contrariness
 *   memories.c   the same for the WDDM 2.4 callbacks
 *   mdls.c       the same where the driver maps MDLs of its own, and what stands for their pages
 *   device.c     DMA, and who made the addresses that it uses
 *   windows.c    CPU mappings with a page in front that faults
 *   faults.c     access violations, told in the terms of the callbacks
 *   life.c       one life after another: rounds, sweeps
 */
#ifndef DXGKMEM_KIT_KIT_H
#define DXGKMEM_KIT_KIT_H

#include "ledger.h"
#include "machine.h"

#include <dxgkmem/kit.h>
#include <dxgkmem/user.h>

#define KIT_PAGE ((size_t)DXGKMEM_PAGE_BYTES)
#define KIT_ADAPTERS DXGKMEM_CHAIN_MAX

/* What a world is like. */
struct kit_world {
    const char *name;
    uint32_t version;
    bool remapped;
    unsigned contrary;
};

struct dxgkmem_kit {
    struct kit_world world;
    struct dxgkmem_sim *sim;
    void *windows;
    HANDLE adapter[KIT_ADAPTERS]; /* NULL: removed */
    unsigned adapters;
    DXGKRNL_INTERFACE real[KIT_ADAPTERS]; /* the instance's own */
    unsigned char *interface_pages;       /* two an adapter: one with the interface, one that faults */
    bool in_callback;
};
extern struct dxgkmem_kit kit;

/* world.c. begin and end enclose a life; NULL: done, else what was impossible. */
const char *kit_world_make(const struct kit_world *world);
void kit_world_free(void);
const char *kit_world_begin(void);
void kit_world_end(bool left); /* left: in the middle, so that what is left over means nothing */

/* callbacks.c */
void kit_callbacks_begin(void);
void kit_callbacks_fill(unsigned adapter, DXGKRNL_INTERFACE *to);
void kit_violation(void *context, const struct dxgkmem_violation *violation);
void kit_operation(kit_stack stack); /* the instance takes a number for what is called next */

/* What an address is, for faults.c and device.c. */
#define KIT_AHEAD(base) "in front of what was mapped: the byte asked for is at " base " + Offset"
struct kit_mapping {
    const unsigned char *base; /* what the driver was told */
    size_t bytes;
    size_t lead;       /* bytes in front of what the instance mapped */
    const char *ahead; /* said of an access there, KIT_AHEAD; NULL: there is no lead */
    bool user;         /* for a process */
    kit_stack made, ended;
    const char *made_by, *ended_by;
};
void kit_mapping_made(const struct kit_mapping *mapping);
void kit_mapping_ended(const void *base, kit_stack stack, const char *by);
/* The lead of what is mapped now and answered with an Offset. */
size_t kit_mapping_lead(void);
/* A base as the instance has it. What it mapped behind a lead is no base of the driver's, and becomes none of the instance's. */
void *kit_mapping_inside(const void *base);
const struct kit_mapping *kit_mapping_at(const void *address);

/* What a device reaches pages through. */
#define KIT_AN_ADL "an ADL"
#define KIT_AN_MDL "an MDL"
struct kit_reach {
    const void *key; /* the ADL, or the handle of a memory */
    const void *mdl; /* the driver's own that was mapped; else NULL */
    const char *is;  /* KIT_AN_ADL, "a memory", KIT_AN_MDL */
    uint64_t *page;  /* of the device, in order */
    uint32_t pages;
    bool contiguous;
    kit_stack made, ended;
    const char *made_by, *ended_by;
};
void kit_reach_made(const struct kit_reach *reach, const uint64_t *pages);
void kit_reach_ended(const void *key, kit_stack stack, const char *by);
/* The latest one that holds a page, a live one before others. */
const struct kit_reach *kit_reach_of_page(uint64_t page);
/* Who made the latest map of an MDL with this page; 0: nobody. */
kit_stack kit_map_of_page(uint64_t page);
/* The live contiguous ADL whose base page number is near an address: taken for a pointer. */
const struct kit_reach *kit_adl_as_pointer(uintptr_t address);

/* For each callback: its beginning, with the instance's own interface, and its end; whether the plan has it fail. */
const DXGKRNL_INTERFACE *kit_call_begin(kit_stack stack);
void kit_call_end(void);
bool kit_call_fails(const void *arguments, kit_stack stack);
/* A handle as the driver sees it, and as the instance does. */
HANDLE kit_outside(HANDLE handle);
HANDLE kit_inside(HANDLE handle);

/* memories.c: the WDDM 2.4 callbacks */
NTSTATUS APIENTRY kit_allocate_contiguous(IN_CONST_HANDLE adapter,
                                          INOUT_PDXGKARGCB_ALLOCATECONTIGUOUSMEMORY arguments);
NTSTATUS APIENTRY kit_free_contiguous(IN_CONST_HANDLE adapter,
                                      IN_CONST_PDXGKARGCB_FREECONTIGUOUSMEMORY arguments);
NTSTATUS APIENTRY kit_allocate_pages(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_ALLOCATEPAGESFORMDL arguments);
NTSTATUS APIENTRY kit_free_pages(IN_CONST_HANDLE adapter, IN_CONST_PDXGKARGCB_FREEPAGESFROMMDL arguments);
NTSTATUS APIENTRY kit_map_frame_buffer(IN_CONST_HANDLE adapter,
                                       INOUT_PDXGKARGCB_MAPFRAMEBUFFERPOINTER arguments);
NTSTATUS APIENTRY kit_unmap_frame_buffer(IN_CONST_HANDLE adapter,
                                         IN_CONST_PDXGKARGCB_UNMAPFRAMEBUFFERPOINTER arguments);
NTSTATUS APIENTRY kit_pin_for_save(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE arguments);
void kit_memory_ended(HANDLE handle, kit_stack stack, const char *by);
/* callbacks.c: what UNPIN of this adapter ends, an ADL or an MDL */
void kit_pinned(unsigned index, const void *what);
void kit_memories_begin(void);
/* The MDL whose pages were not mapped, near whose MappedSystemVa an address is. false: it is near none. */
bool kit_mdl_unmapped_at(const void *address, kit_stack *made);

/* mdls.c */
NTSTATUS APIENTRY kit_map_mdl(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_MAPMDLTOIOMMU arguments);
VOID APIENTRY kit_unmap_mdl(IN_CONST_HANDLE adapter, IN_CONST_PDXGKARGCB_UNMAPMDLFROMIOMMU arguments);
void kit_mdls_begin(void);
/* Around an access of a device: what the driver has goes to the pages before it, or back after it. */
void kit_mdls_dma(unsigned adapter, uint64_t address, size_t bytes, bool to_driver);

/* windows.c */
extern const struct dxgkmem_sim_windows kit_windows;

/* faults.c */
void kit_faults_install(void);

/* life.c */
enum kit_sweep { KIT_SWEEP_NONE, KIT_SWEEP_SINGLES, KIT_SWEEP_PAIRS };
bool kit_life(void); /* as kit_plan says; false: it was left in the middle */

/* The stand-ins (src/wdk): told when a life begins and ends. */
void wdk_begin(void);
void wdk_end(bool left);
void wdk_run_pending(void);
void wdk_catch(void); /* raises an access violation in the driver; comes back when no __try is around */
void wdk_registry_add(const char *name, uint32_t type, const void *data, size_t bytes);

#endif
