/* SPDX-License-Identifier: MIT */
/*
 * The reference model: what every call must answer, and what the device and
 * the CPU may see afterwards.
 *
 * It restates src/core/CONTRACT.md in the plainest way: arrays and loops, every
 * thing that ever lived kept in a list. It includes public headers only and
 * shares no code with core. It knows handles as opaque numbers that were given
 * out, never their bits.
 *
 * Use: for each call model_<call>() says what must happen (struct
 * model_expectation). The runner makes the call, compares, and when the call
 * succeeded tells the model with model_<call>_done(), which checks the outputs
 * and changes the model's state. A refused call is told to nobody: it changes nothing.
 */
#ifndef DXGKMEM_MODEL_H
#define DXGKMEM_MODEL_H

#include <dxgkmem/dxgkmem.h>
#include <dxgkmem/mdl.h>
#include <dxgkmem/profile.h>

#define MODEL_THINGS 256 /* things of each kind in one program: more than operations */
#define MODEL_PAGES 4096 /* page contents remembered: more than one program can write */

struct model; /* in model_internal.h; size for the caller's allocation: */
size_t model_size(void);
/* What was decided where Windows leaves the choice; until then, and NULL: as dxgkmem does. Before the first world. */
void model_set_profile(struct model *model, const struct dxgkmem_profile *profile);
/* Forgets everything; what is described of the machine and the implementation stays. */
void model_reset(struct model *model);

/* What the model must know of the world. */
struct model_world {
    uint64_t highest_ram_page;
    uint64_t highest_page;
    uint64_t object_bytes_limit; /* effective limits.object_bytes */
    struct dxgkmem_quota total;  /* effective: 0 replaced by the default; 0 is taken as unlimited */
    /* Effective limits.handles and limits.generations; 0: unlimited. */
    uint32_t handles_limit, generations_limit;
    bool (*touches_ram)(void *context, struct dxgkmem_run run);
    /* Whether the machine could satisfy this request now. NULL: nobody knows. */
    bool (*could_create)(void *context, const struct dxgkmem_memory_request *request);
    void *context;
};
void model_set_world(struct model *model, const struct model_world *world);

/* What must happen. */
struct model_expectation {
    /* Exactly this violation, and no other; NONE: none at all. ADL_SCRIBBLED goes with success. */
    enum dxgkmem_violation_code violation;
    bool documented;
    uint64_t subject; /* checked when `violation` is set */
    /* In the instance's numbering; checked unless earlier_unknown_allowed and 0 was reported. */
    uint64_t earlier_operation;
    enum dxgkmem_call earlier_call;
    bool earlier_unknown_allowed;
    /*
     * The slot of the ended handle may have had two lives since: then STALE_HANDLE with its status and
     * earlier operation 0 is right as well, whatever `violation` says.
     */
    bool stale_allowed;
    NTSTATUS status; /* of the violation, or STATUS_SUCCESS */
    /* Resource failures that are right here instead of success; 0: unused entry. must_fail: success is wrong. */
    NTSTATUS resource[4];
    bool must_fail;
    /* By the profile: what is done about `violation`, and whether any error will do for `status`. */
    enum dxgkmem_answer answer;
    bool any_status;
};

/*
 * Says what the profile makes of an expectation of this call; after the function below that filled it in.
 * With DXGKMEM_ANSWER_UNCHECKED the call must not be made.
 */
void model_apply_profile(const struct model *model, enum dxgkmem_call call,
                         struct model_expectation *expectation);
/* Whether this call may refuse for this mistake with this error. */
bool model_refuses_with(const struct model *model, enum dxgkmem_call call,
                        enum dxgkmem_violation_code mistake, NTSTATUS status);
/* Whether this error is right although another was expected: mistakes are looked for in any order. */
bool model_may_refuse_with(const struct model *model, enum dxgkmem_call call, NTSTATUS status);
/* The profile's answer to one mistake. */
enum dxgkmem_answer model_answer(const struct model *model, enum dxgkmem_call call,
                                 enum dxgkmem_violation_code mistake);

/* Conditions of a call. */
struct model_conditions {
    uint64_t operation; /* the number this call takes */
    unsigned irql;
    uint64_t process;
    bool null_arguments, misaligned_arguments;
};

/*
 * Callbacks. `arguments` as the driver filled them in. A call without
 * violation may still fail by an injected fault: the runner knows that.
 */
void model_create(struct model *, const struct model_conditions *,
                  const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *, struct model_expectation *);
void model_destroy(struct model *, const struct model_conditions *,
                   const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *, struct model_expectation *);
void model_open(struct model *, const struct model_conditions *,
                const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *, struct model_expectation *);
void model_close(struct model *, const struct model_conditions *,
                 const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *, struct model_expectation *);
void model_map(struct model *, const struct model_conditions *, const DXGKARGCB_MAP_PHYSICAL_MEMORY *,
               struct model_expectation *);
void model_unmap(struct model *, const struct model_conditions *, const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *,
                 struct model_expectation *);
void model_allocate_adl(struct model *, const struct model_conditions *, const DXGKARGCB_ALLOCATE_ADL *,
                        struct model_expectation *);
/* Reads what the DXGK_ADL memory and its page array hold now, when pAdl is a live ADL. */
void model_free_adl(struct model *, const struct model_conditions *, const DXGKARGCB_FREE_ADL *,
                    struct model_expectation *);
void model_pin(struct model *, const struct model_conditions *, HANDLE adapter,
               const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *, struct model_expectation *);
void model_pin_mdl(struct model *, const struct model_conditions *, HANDLE adapter,
                   const DXGKARGCB_PINFRAMEBUFFERFORSAVE *, struct model_expectation *);
void model_map_frame_buffer(struct model *, const struct model_conditions *, HANDLE adapter,
                            const DXGKARGCB_MAPFRAMEBUFFERPOINTER *, struct model_expectation *);
void model_unmap_frame_buffer(struct model *, const struct model_conditions *, HANDLE adapter,
                              const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *, struct model_expectation *);
void model_unpin(struct model *, const struct model_conditions *, HANDLE adapter,
                 const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *, struct model_expectation *);
void model_allocate_contiguous(struct model *, const struct model_conditions *, HANDLE adapter,
                               const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *, struct model_expectation *);
void model_allocate_pages(struct model *, const struct model_conditions *, HANDLE adapter,
                          const DXGKARGCB_ALLOCATEPAGESFORMDL *, struct model_expectation *);
/*
 * The pages that are the driver's own, before the first MDL of them; `page` stays. An MDL as it is handed over;
 * its page numbers follow it. Of how many pages it is.
 */
void model_set_driver_pages(struct model *, const DXGK_PAGE_NUMBER *page, unsigned pages);
void model_map_mdl(struct model *, const struct model_conditions *, HANDLE adapter, const void *mdl,
                   struct model_expectation *);
uint32_t model_mdl_pages(const struct dxgkmem_mdl *mdl);
/* Of either kind of memory, and of a mapped MDL; `call` says by which. Reads what a live MDL holds now. */
void model_free_memory(struct model *, const struct model_conditions *, HANDLE adapter, HANDLE memory,
                       enum dxgkmem_call call, struct model_expectation *);
/* legacy: else unrelated */
void model_other_member(struct model *, bool legacy, struct model_expectation *);
void model_add_adapter(struct model *, const struct dxgkmem_adapter_config *, struct model_expectation *);
void model_remove_adapter(struct model *, HANDLE adapter, struct model_expectation *);
/* Whether the process has mappings that its end would leave. */
bool model_process_leaves(const struct model *, uint64_t process);

/*
 * The call succeeded: checks the outputs, changes the state. Returns NULL, or
 * the sentence of what is wrong; *invariant is then its number in the list of
 * fuzz/model/INVARIANTS.md.
 */
const char *model_create_done(struct model *, const struct model_conditions *,
                              const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *in,
                              const DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *out, unsigned *invariant);
const char *model_destroy_done(struct model *, const struct model_conditions *,
                               const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *, unsigned *invariant);
const char *model_open_done(struct model *, const struct model_conditions *,
                            const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *in,
                            const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *out, unsigned *invariant);
const char *model_close_done(struct model *, const struct model_conditions *,
                             const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *, unsigned *invariant);
const char *model_map_done(struct model *, const struct model_conditions *,
                           const DXGKARGCB_MAP_PHYSICAL_MEMORY *in, const DXGKARGCB_MAP_PHYSICAL_MEMORY *out,
                           unsigned *invariant);
const char *model_unmap_done(struct model *, const struct model_conditions *,
                             const DXGKARGCB_UNMAP_PHYSICAL_MEMORY *, unsigned *invariant);
const char *model_allocate_adl_done(struct model *, const struct model_conditions *,
                                    const DXGKARGCB_ALLOCATE_ADL *in, const DXGKARGCB_ALLOCATE_ADL *out,
                                    unsigned *invariant);
const char *model_free_adl_done(struct model *, const struct model_conditions *, const DXGKARGCB_FREE_ADL *,
                                unsigned *invariant);
const char *model_pin_done(struct model *, const struct model_conditions *, HANDLE adapter,
                           const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *in,
                           const DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *out, unsigned *invariant);
const char *model_pin_mdl_done(struct model *, const struct model_conditions *, HANDLE adapter,
                               const DXGKARGCB_PINFRAMEBUFFERFORSAVE *in,
                               const DXGKARGCB_PINFRAMEBUFFERFORSAVE *out, unsigned *invariant);
const char *model_map_frame_buffer_done(struct model *, const struct model_conditions *, HANDLE adapter,
                                        const DXGKARGCB_MAPFRAMEBUFFERPOINTER *in,
                                        const DXGKARGCB_MAPFRAMEBUFFERPOINTER *out, unsigned *invariant);
const char *model_unmap_frame_buffer_done(struct model *, const struct model_conditions *, HANDLE adapter,
                                          const DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *, unsigned *invariant);
const char *model_unpin_done(struct model *, const struct model_conditions *, HANDLE adapter,
                             const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *, unsigned *invariant);
/* pages: which they are, as the driver finds out from where they are mapped. */
const char *model_allocate_contiguous_done(struct model *, const struct model_conditions *, HANDLE adapter,
                                           const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *in,
                                           const DXGKARGCB_ALLOCATECONTIGUOUSMEMORY *out,
                                           const DXGK_ADL *pages, unsigned *invariant);
const char *model_allocate_pages_done(struct model *, const struct model_conditions *, HANDLE adapter,
                                      const DXGKARGCB_ALLOCATEPAGESFORMDL *in,
                                      const DXGKARGCB_ALLOCATEPAGESFORMDL *out, unsigned *invariant);
/* first: the place of the MDL's first page among the driver's; the others follow in order. */
const char *model_map_mdl_done(struct model *, const struct model_conditions *, HANDLE adapter,
                               unsigned first, const struct dxgkmem_mdl *mdl, HANDLE memory,
                               unsigned *invariant);
const char *model_free_memory_done(struct model *, const struct model_conditions *, HANDLE adapter,
                                   HANDLE memory, enum dxgkmem_call call, unsigned *invariant);
const char *model_add_adapter_done(struct model *, const struct model_conditions *,
                                   const struct dxgkmem_adapter_config *, HANDLE adapter,
                                   unsigned *invariant);

/*
 * Things that end without a callback. All fill `left` with the violations that
 * must be reported (in this order for removal and exit, in any order for stop),
 * at most `room`, and return how many; the state is changed.
 */
size_t model_remove_adapter_done(struct model *, const struct model_conditions *, HANDLE adapter,
                                 struct dxgkmem_violation *left, size_t room);
/*
 * A removal that succeeds, in its steps, between which others may call: first the adapter is out of its chain; then
 * each thing that is left ends, its frame buffer's mapping and pin first (false: none is left; *count: of those in
 * `left`); then device, handle slot and save area are free.
 */
void model_removal_begin(struct model *, const struct model_conditions *, HANDLE adapter);
bool model_removal_next(struct model *, struct dxgkmem_violation *left, size_t room, size_t *count);
void model_removal_end(struct model *);
size_t model_process_exit(struct model *, const struct model_conditions *, uint64_t process,
                          struct dxgkmem_violation *left, size_t room);
size_t model_stop(struct model *, const struct model_conditions *, struct dxgkmem_violation *left,
                  size_t room, struct dxgkmem_leaks *leaks);

/* -- contents and reach ------------------------------------------------------ */

/*
 * What a device access at a logical address must do: false: it must fault.
 * True: it reaches byte *object_offset of the thing numbered *memory (a number
 * of the model's own, never reused; all I/O space is one memory, its offsets are
 * physical addresses). `device` is dxgkmem_adapter_config.device.
 * True with *memory MODEL_MEMORY_UNKNOWN: the model did not remember all page
 * numbers of a page array (together at most 32768 in a program), so it cannot
 * say; the access should not be made.
 */
#define MODEL_MEMORY_UNKNOWN 0u
bool model_device_reach(struct model *, uint64_t device, uint64_t address, bool write, uint32_t *memory,
                        uint64_t *object_offset);
/* The same for the CPU in a process at an address. */
bool model_cpu_reach(struct model *, uint64_t process, const void *address, bool write, uint32_t *memory,
                     uint64_t *object_offset);

/* The eight bytes at an aligned offset of a memory: 0 until written. Written through any path, seen through every other. */
uint64_t model_content(struct model *, uint32_t memory, uint64_t offset);
/* False when MODEL_PAGES would be exceeded (the runner then does not make the access). */
bool model_write(struct model *, uint32_t memory, uint64_t offset, uint64_t value);

/* -- for the runner's sweep and the matrix ------------------------------------- */

/* What a value means now. ended_by is DXGKMEM_CALL_NONE for a live thing. */
enum model_kind {
    MODEL_ADAPTER,
    MODEL_OBJECT,
    MODEL_ADAPTER_OBJECT,
    MODEL_ADL,
    MODEL_MAPPING,
    MODEL_MEMORY,
    MODEL_KINDS
};
struct model_fate {
    bool known;
    bool live;
    enum dxgkmem_call ended_by;
    bool frame_buffer; /* an ADL of a pinned frame buffer */
};
/* For mappings: the live one if any in this process or the kernel, else the last that began there. For ADLs: the live one, else the last. */
struct model_fate model_fate(struct model *, enum model_kind kind, uint64_t value, uint64_t process);

/* Live counts, to compare with dxgkmem_query_statistics. pool fields are left 0. */
void model_statistics(struct model *, struct dxgkmem_statistics *statistics);

/* Live ADLs and mappings one after the other, those of memories included: index from 0, false at the end. */
struct model_live_adl {
    const DXGK_ADL *handed_out; /* the address the driver has; NULL: a memory's */
    uint32_t memory;            /* see model_device_reach */
    uint64_t first_page, pages; /* within the memory */
    /*
     * Logical pages: base + i when consecutive (whether or not the driver was
     * told so), else logical[i] for i < known; those above are unknown.
     */
    bool consecutive;
    uint64_t base;
    const uint64_t *logical;
    uint64_t known;
    bool remapped;   /* else logical pages are physical pages */
    unsigned access; /* DXGKMEM_ACCESS_ bits */
    DXGK_PHYSICAL_MEMORY_TYPE type;
    /* Physical bounds by CREATE, resolved; boundary 0: none. */
    uint64_t lowest_page, highest_page, boundary_pages;
    uint64_t skip_pages;                 /* the window moves up by this; 0: it does not */
    uint64_t chunk_pages;                /* as dxgkmem_memory_request.chunk_pages */
    uint64_t devices[DXGKMEM_CHAIN_MAX]; /* that reach it */
    unsigned device_count;
};
bool model_next_adl(struct model *, size_t *cursor, struct model_live_adl *adl);
struct model_live_mapping {
    const uint8_t *base;
    uint64_t process; /* 0: kernel */
    uint32_t memory;
    uint64_t first_page, pages;
    unsigned access;
    DXGK_MEMORY_CACHING_TYPE cache;
};
bool model_next_mapping(struct model *, size_t *cursor, struct model_live_mapping *mapping);

#endif
