/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem: the WDDM physical-memory callbacks of Dxgkrnl.
 *
 * There is one instance per process or kernel, as there is one Dxgkrnl: the
 * first eight callbacks carry no context. Start it on a machine, add adapters,
 * hand each driver the interface of its adapter, stop it and read what the
 * drivers left behind.
 *
 * start, reset and stop must not run at the same time as anything else. All
 * other functions, and the callbacks, may be called from any thread. Highest
 * IRQL of all functions here: PASSIVE_LEVEL, except where noted.
 *
 * Source of every rule here: our decision, except where a documentation page is
 * named. What each callback refuses, in which order and with which status, is
 * in src/core/CONTRACT.md.
 */
#ifndef DXGKMEM_DXGKMEM_H
#define DXGKMEM_DXGKMEM_H

#include <dxgkmem/ddi.h>
#include <dxgkmem/ddi_interface.h>
#include <dxgkmem/host.h>
#include <dxgkmem/violations.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Who made a call: the callbacks, then the functions of this header that end things; then what came later,
 * for the numbers are part of traces.
 */
#define DXGKMEM_CALLS(X)                                                                                     \
    X(CREATE, "DxgkCbCreatePhysicalMemoryObject")                                                            \
    X(DESTROY, "DxgkCbDestroyPhysicalMemoryObject")                                                          \
    X(OPEN, "DxgkCbOpenPhysicalMemoryObject")                                                                \
    X(CLOSE, "DxgkCbClosePhysicalMemoryObject")                                                              \
    X(MAP, "DxgkCbMapPhysicalMemory")                                                                        \
    X(UNMAP, "DxgkCbUnmapPhysicalMemory")                                                                    \
    X(ALLOCATE_ADL, "DxgkCbAllocateAdl")                                                                     \
    X(FREE_ADL, "DxgkCbFreeAdl")                                                                             \
    X(PIN, "DxgkCbPinFrameBufferForSave2")                                                                   \
    X(UNPIN, "DxgkCbUnpinFrameBufferForSave")                                                                \
    X(LEGACY, "a WDDM 2.4 memory callback")                                                                  \
    X(UNRELATED, "a callback that is not about memory")                                                      \
    X(ADD_ADAPTER, "dxgkmem_add_adapter")                                                                    \
    X(REMOVE_ADAPTER, "dxgkmem_remove_adapter")                                                              \
    X(PROCESS_EXIT, "dxgkmem_process_exit")                                                                  \
    X(STOP, "dxgkmem_stop")                                                                                  \
    X(ALLOCATE_CONTIGUOUS, "DxgkCbAllocateContiguousMemory")                                                 \
    X(FREE_CONTIGUOUS, "DxgkCbFreeContiguousMemory")                                                         \
    X(ALLOCATE_PAGES, "DxgkCbAllocatePagesForMdl")                                                           \
    X(FREE_PAGES, "DxgkCbFreePagesFromMdl")                                                                  \
    X(MAP_MDL, "DxgkCbMapMdlToIoMmu")                                                                        \
    X(UNMAP_MDL, "DxgkCbUnmapMdlFromIoMmu")                                                                  \
    X(PIN_MDL, "DxgkCbPinFrameBufferForSave")                                                                \
    X(MAP_FRAME_BUFFER, "DxgkCbMapFrameBufferPointer")                                                       \
    X(UNMAP_FRAME_BUFFER, "DxgkCbUnmapFrameBufferPointer")

/* clang-format off */
enum dxgkmem_call {
    DXGKMEM_CALL_NONE,
#define DXGKMEM_CALL_CONSTANT(constant, name) DXGKMEM_CALL_##constant,
    DXGKMEM_CALLS(DXGKMEM_CALL_CONSTANT)
#undef DXGKMEM_CALL_CONSTANT
    DXGKMEM_CALL_COUNT
};
/* clang-format on */

/*
 * One mistake of a caller, or one thing that was left behind.
 *
 * Operations are numbered per thread shard: bits 63..48 are the shard (0 for a
 * program on one thread), bits 47..0 count the calls of that shard from 1 since
 * start or reset. Every call of one of the callbacks that are offered and every call of
 * dxgkmem_add_adapter, dxgkmem_remove_adapter, dxgkmem_process_exit and
 * dxgkmem_stop takes one number, whether it succeeds or not. A callback while
 * nothing is started, and members of the interface that are not offered, have operation 0.
 */
struct dxgkmem_violation {
    enum dxgkmem_violation_code code;
    enum dxgkmem_call call;
    /* The documentation says that the system bug checks here. */
    bool documented;
    uint64_t operation;
    /* The handle, ADL address or base address concerned; 0 when there is none. */
    uint64_t subject;
    /*
     * The operation that made this one a mistake: the call that ended the
     * handle, opened the object, made the mapping or the ADL, owns the range.
     * 0 when there is none or it is no longer known.
     */
    uint64_t earlier_operation;
    enum dxgkmem_call earlier_call;
};

/* The stable name and the sentence of a violation, the status it returns, the name of a call. Any IRQL. */
const char *dxgkmem_violation_name(enum dxgkmem_violation_code code);
const char *dxgkmem_violation_sentence(enum dxgkmem_violation_code code);
NTSTATUS dxgkmem_violation_status(enum dxgkmem_violation_code code);
const char *dxgkmem_call_name(enum dxgkmem_call call);

/* What follows a violation, after the violation callback returned. */
enum dxgkmem_policy {
    DXGKMEM_POLICY_REPORT,               /* the call returns; the default */
    DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED, /* bug check where the documentation says so */
    DXGKMEM_POLICY_BUG_CHECK_ALL         /* bug check on every violation */
};

/*
 * Bug check of a violation: VIDEO_DXGKRNL_FATAL_ERROR (0x113). Windows
 * documents no parameters for it; ours are: the violation code, the operation,
 * the subject, the earlier operation.
 */
#define DXGKMEM_BUG_CHECK_CODE 0x113u

/*
 * Called once per violation, with no lock held, in the thread and at the IRQL
 * of the call that made the mistake. It must not call back into dxgkmem. A driver
 * may call at any time, so it and its context are used after dxgkmem_stop, too.
 */
typedef void dxgkmem_violation_fn(void *context, const struct dxgkmem_violation *violation);

/* What one logical adapter, or everything together, may take. 0 in a field: the default. */
struct dxgkmem_quota {
    uint64_t pages;   /* of live objects, save areas and memories; default: unlimited */
    uint32_t objects; /* live objects and save areas; default: unlimited */
    uint32_t adls;    /* live ADLs, pins and memories included; default: unlimited */
};

/* ADL page counts are 32 bit; a 32-bit process has room for no more than 2^31 bytes. */
#if UINTPTR_MAX > 0xffffffffu
#define DXGKMEM_OBJECT_BYTES_MAX (((uint64_t)1 << 44) - 4096)
#else
#define DXGKMEM_OBJECT_BYTES_MAX ((uint64_t)1 << 31)
#endif

struct dxgkmem_limits {
    /* Live handles of all kinds together. Default 2^24 - 1, also the highest value on 64-bit; 2^14 - 1 on 32-bit. */
    uint32_t handles;
    /* How often one handle slot is used before it is retired. Default and highest 2^20 - 1 (2^8 - 1 on 32-bit). */
    uint32_t generations;
    /* Largest CREATE, in bytes. Default and highest: DXGKMEM_OBJECT_BYTES_MAX. */
    uint64_t object_bytes;
    /*
     * Of all objects together, open or not, save areas and memories of the WDDM 2.4 callbacks
     * excepted (adls is not used). An adapter's own quota counts what is open on it.
     */
    struct dxgkmem_quota total;
};

struct dxgkmem_config {
    struct dxgkmem_machine *machine; /* required; must outlive the instance */
    enum dxgkmem_policy policy;
    dxgkmem_violation_fn *violation; /* may be NULL */
    void *violation_context;
    struct dxgkmem_limits limits;
};

/*
 * Starts the instance. STATUS_INVALID_PARAMETER: no machine, or a limit above
 * its highest value. STATUS_INVALID_DEVICE_STATE: already started.
 * STATUS_INSUFFICIENT_RESOURCES: the host has no memory.
 */
NTSTATUS dxgkmem_start(const struct dxgkmem_config *config);

/* How many things were left, by kind. Each one was also reported as a left_at_stop violation. */
struct dxgkmem_leaks {
    uint64_t objects;
    uint64_t adapter_objects;
    uint64_t adls;
    uint64_t mappings;
    uint64_t frame_buffers;
    uint64_t memories; /* of the WDDM 2.4 callbacks */
};

/*
 * Reports every thing that is left as a left_at_stop violation (its making is
 * the earlier operation), frees everything, adapters included, and ends the
 * instance. leaks may be NULL. Does nothing when not started.
 */
void dxgkmem_stop(struct dxgkmem_leaks *leaks);

/*
 * Frees everything without a report and begins again as after start, with the
 * same config and no adapters: handles, operation numbers and counters too.
 * For fuzzers: much cheaper than stop and start. Does nothing when not started.
 */
void dxgkmem_reset(void);

/* -- adapters ------------------------------------------------------------- */

enum dxgkmem_remapping {
    /* As Windows decides at start: remapped when the adapter cannot see all of RAM, else identity. */
    DXGKMEM_REMAPPING_AUTO,
    /* Remapped in any case (needs DmaRemappingSupported). */
    DXGKMEM_REMAPPING_ALWAYS
};

struct dxgkmem_adapter_config {
    /* The machine's number of the device. No two present adapters share it. */
    uint64_t device;
    /* DXGKDDI_INTERFACE_VERSION_... of the driver. */
    uint32_t version;
    /* As the driver answers DXGKQAITYPE_PHYSICAL_MEMORY_CAPS and DXGKQAITYPE_IOMMU_CAPS. */
    DXGK_PHYSICAL_MEMORY_CAPS memory_caps;
    DXGK_IOMMU_CAPS iommu_caps;
    /* As the driver answers DXGKQAITYPE_FRAMEBUFFERSAVESIZE, in bytes: the size of its save area; 0: it has none. */
    uint64_t frame_buffer_bytes;
    enum dxgkmem_remapping remapping;
    /*
     * Device handle of a present adapter: this one joins its logical adapter
     * (a linked chain) and shares its DMA domain. NULL: a logical adapter of
     * its own. A linked adapter has the same version, and must not see less
     * memory than the chain already promised while anything is open on it. `remapping`
     * is ignored then: it shares what the chain has.
     */
    HANDLE link_to;
    /* Of the logical adapter; of a linked adapter it is ignored. */
    struct dxgkmem_quota quota;
};

/*
 * Adds a physical adapter; *device_handle is its hAdapter.
 * STATUS_INVALID_PARAMETER: a bad field, a linked adapter that does not fit, a
 *   chain of more than DXGKMEM_CHAIN_MAX adapters.
 * STATUS_NOT_SUPPORTED: it cannot see all of RAM and does not support
 *   remapping (display/iommu-dma-remapping: such an adapter does not start).
 * STATUS_INSUFFICIENT_RESOURCES / STATUS_NO_MEMORY: the host or the machine has no room.
 */
NTSTATUS dxgkmem_add_adapter(const struct dxgkmem_adapter_config *config, HANDLE *device_handle);

#define DXGKMEM_CHAIN_MAX 8

/*
 * Removes a physical adapter: its device reaches nothing from now on, its
 * frame buffer is unpinned, what was saved of it is gone. With the last adapter of a logical adapter
 * everything open on it is ended too: ADLs freed, adapter memory objects
 * closed; each is reported as left_at_removal. The physical memory objects
 * live on, unopened. STATUS_INVALID_HANDLE: not a present adapter (no violation).
 */
NTSTATUS dxgkmem_remove_adapter(HANDLE device_handle);

/*
 * Fills the driver's interface: at most `dxgkrnl_interface->Size` bytes when
 * that is not 0, and never more than the adapter's version has. Size and
 * Version say what was filled in. No member is NULL: those that are not
 * offered refuse and report. STATUS_INVALID_HANDLE, STATUS_INVALID_PARAMETER (NULL, or Size smaller than the header fields).
 */
NTSTATUS dxgkmem_query_interface(HANDLE device_handle, DXGKRNL_INTERFACE *dxgkrnl_interface);

/* What was decided for the logical adapter of a device handle. */
struct dxgkmem_adapter_info {
    bool remapped;
    uint32_t version;
    uint32_t physical_index;    /* of this adapter in its chain */
    uint32_t physical_adapters; /* present in the chain */
    uint64_t highest_visible_address;
};
NTSTATUS dxgkmem_query_adapter(HANDLE device_handle, struct dxgkmem_adapter_info *info);

/* The host says that a process ended, none of whose threads runs any more: its user mappings are undone and each reported as left_at_process_exit. */
void dxgkmem_process_exit(uint64_t process);

/* -- looking inside ------------------------------------------------------- */

struct dxgkmem_statistics {
    /* alive now */
    uint64_t adapters, objects, adapter_objects, adls, mappings, frame_buffers, memories;
    uint64_t pages;      /* of live objects, save areas and memories included */
    uint64_t pool_bytes; /* taken from the host's pool */
    uint64_t pool_blocks;
    uint64_t retired_slots; /* handle slots that ran out of generations */
    /* since start or reset */
    uint64_t calls; /* operations, see struct dxgkmem_violation */
    uint64_t violations;
};
void dxgkmem_query_statistics(struct dxgkmem_statistics *statistics);

/* What an audit found. */
struct dxgkmem_audit {
    /* NULL: every structure is sound. Else what is wrong with the first that is not. */
    const char *problem;
    /* A digest of the whole state: equal before and after a refused call. */
    uint64_t digest;
    /* The same without the numbers of operations: equal for a state that other calls led to. */
    uint64_t shape;
};

/* Walks every structure and checks it. Nothing else may run meanwhile. */
void dxgkmem_audit(struct dxgkmem_audit *audit);

/*
 * The bits of a handle that name its slot and its generation, for harnesses that forge handles on
 * purpose: handle = check | kind | generation | index, from the top. The check
 * is keyed: a forged handle is refused because of it.
 */
#if UINTPTR_MAX > 0xffffffffu
#define DXGKMEM_HANDLE_INDEX_BITS 24
#define DXGKMEM_HANDLE_GENERATION_BITS 20
#define DXGKMEM_HANDLE_KIND_BITS 2
#define DXGKMEM_HANDLE_CHECK_BITS 18
#else
#define DXGKMEM_HANDLE_INDEX_BITS 14
#define DXGKMEM_HANDLE_GENERATION_BITS 8
#define DXGKMEM_HANDLE_KIND_BITS 2
#define DXGKMEM_HANDLE_CHECK_BITS 8
#endif

#ifdef __cplusplus
}
#endif

#endif
