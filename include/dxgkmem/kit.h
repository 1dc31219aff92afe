/* SPDX-License-Identifier: MIT */
/*
 * The kit for drivers: runs a miniport's memory code, unmodified, against the callbacks on a
 * simulated machine, and reports every misuse and everything left over with the stack of the
 * call that made it. A harness is one small file: a function `life` that starts the driver, has it work
 * and stops it, and the structure dxgkmem_harness that names it. The kit calls it over and over,
 * in worlds of different kinds, with every call that can fail failing in turn.
 *
 * src/kit/README.md is the guide. Source of every rule here: our decision.
 */
#ifndef DXGKMEM_KIT_H
#define DXGKMEM_KIT_H

#include <dxgkmem/dxgkmem.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dxgkmem_kit;

/* Contrary but legal: what the documentation allows and drivers forget. */
#define DXGKMEM_KIT_OFFSET 0x01u  /* MAP, MapFrameBufferPointer: Offset != 0; MAP: more than was asked */
#define DXGKMEM_KIT_PREFER 0x02u  /* PreferContiguous is not granted */
#define DXGKMEM_KIT_UNASKED 0x04u /* Contiguous is set where nobody asked for it, if the pages allow it */
#define DXGKMEM_KIT_HANDLES 0x08u /* handles differ in their upper halves only */
#define DXGKMEM_KIT_HIGH 0x10u    /* most of RAM lies above 4 GB */
#define DXGKMEM_KIT_UNMAPPED                                                                                 \
    0x20u                       /* pages for an MDL are mapped by MmGetSystemAddressForMdlSafe, not before */
#define DXGKMEM_KIT_STALE 0x40u /* contiguous memory, and pages with MM_DONT_ZERO_ALLOCATION, are not zero */

enum dxgkmem_kit_domains {
    DXGKMEM_KIT_BOTH,     /* worlds with and without DMA remapping */
    DXGKMEM_KIT_IDENTITY, /* page numbers of ADLs are physical */
    DXGKMEM_KIT_REMAPPED  /* page numbers of ADLs are no physical addresses */
};

/* What the harness defines, once, under this very name. 0 in a field: the default. */
struct dxgkmem_harness {
    void (*life)(struct dxgkmem_kit *kit); /* required: one life of the driver, from start to stop */
    uint32_t version;                      /* DXGKDDI_INTERFACE_VERSION_ of the driver; WDDM 3.2 */
    enum dxgkmem_kit_domains domains;
    uint64_t memory_bytes;       /* RAM; 64 MiB; at least 4 MiB, at most 1 GiB */
    uint64_t visible;            /* highest byte address of the device; 2^40 - 1 */
    uint64_t frame_buffer_bytes; /* answer to DXGKQAITYPE_FRAMEBUFFERSAVESIZE; 1 MiB */
    unsigned adapters;           /* of one linked chain; 1 */
};
extern const struct dxgkmem_harness dxgkmem_harness;

/* -- what a life asks of the kit -------------------------------------------- */

/* The interface of an adapter of the chain, as DxgkDdiStartDevice gets it; what lies behind its Size cannot be read. */
DXGKRNL_INTERFACE *dxgkmem_kit_interface(struct dxgkmem_kit *kit, unsigned adapter);

/*
 * A number below `below`: from a seed in tests, from the input in fuzzers. 0 when the input is used
 * up, so let 0 mean the end.
 */
unsigned dxgkmem_kit_choose(struct dxgkmem_kit *kit, unsigned below);

bool dxgkmem_kit_remapped(const struct dxgkmem_kit *kit);
uint32_t dxgkmem_kit_version(const struct dxgkmem_kit *kit);

/* A register range of the device for IO_SPACE objects: no RAM. */
#define DXGKMEM_KIT_IO_BYTES ((uint64_t)1 << 20)
uint64_t dxgkmem_kit_io_base(const struct dxgkmem_kit *kit);

/*
 * The device of an adapter reads or writes at the address that the driver gave it. Where it
 * reaches nothing that is a finding, told with the call that freed the ADL; then false, and no byte moved.
 */
bool dxgkmem_kit_dma_read(struct dxgkmem_kit *kit, unsigned adapter, uint64_t address, void *to,
                          size_t bytes);
bool dxgkmem_kit_dma_write(struct dxgkmem_kit *kit, unsigned adapter, uint64_t address, const void *from,
                           size_t bytes);

/* The current process, from 1 on; and its end: what it left mapped is a finding. */
void dxgkmem_kit_process(struct dxgkmem_kit *kit, unsigned process);
void dxgkmem_kit_process_exit(struct dxgkmem_kit *kit, unsigned process);

/* The adapter goes away; what is open on it is a finding. */
void dxgkmem_kit_remove(struct dxgkmem_kit *kit, unsigned adapter);

/* A value for RtlQueryRegistryValues; forgotten when the life ends. */
void dxgkmem_kit_registry(struct dxgkmem_kit *kit, const char *name, uint32_t type, const void *data,
                          size_t bytes);

/* Runs work items, DPCs and timers that are due. Waits do so, too. */
void dxgkmem_kit_run_pending(struct dxgkmem_kit *kit);

/* Says what should be so; a finding when it is not. */
void dxgkmem_kit_expect(struct dxgkmem_kit *kit, bool so, const char *sentence);

#ifdef __cplusplus
}
#endif

#endif
