/* SPDX-License-Identifier: MIT */
/*
 * The model's records, and the helpers its files share.
 *
 * Everything that ever lived in one program stays in an array, so that a
 * handle's past can be told. Nothing is cleared by a reset: the counts go back
 * to zero, and a record is written whole when it is made. The two hash tables
 * hold the number of the reset in each used slot instead.
 *
 * One thread uses a model. Records point at each other; a model does not move.
 */
#ifndef DXGKMEM_MODEL_INTERNAL_H
#define DXGKMEM_MODEL_INTERNAL_H

#include "model.h"
#include "profile.h"

#include <dxgkmem/mdl.h>

#define MODEL_HANDLES (4 * MODEL_THINGS)

/* Page numbers of ADLs with a page array that are remembered in one program; the rest count as unknown. */
#define MODEL_ARENA 32768u
/* Slots of the table of page owners and of the table of contents: powers of two, twice what they hold. */
#define MODEL_OWNER_SLOTS 65536u
#define MODEL_WORD_SLOTS (2u * MODEL_PAGES)

/* The count of an MDL is a ULONG. */
#define MODEL_MDL_BYTES ((uint64_t)0x100000000 - DXGKMEM_PAGE_BYTES)
#define MODEL_UNLIMITED (~(uint64_t)0)
/* More than any page number. */
#define MODEL_NO_PAGE_BOUND (~(uint64_t)0 >> DXGKMEM_PAGE_SHIFT)

/* Memory number of all I/O space: its contents belong to the physical range. Other numbers follow. */
#define MODEL_MEMORY_IO 1u

/* When a thing began and ended, and by what. */
struct model_life {
    bool live;
    enum dxgkmem_call made_by, ended_by;
    uint64_t made, ended;        /* operations */
    uint32_t handles_when_ended; /* handles given out until it ended */
};

struct model_chain { /* a logical adapter */
    bool remapped;
    uint32_t version;
    unsigned indices_used; /* physical indices given out so far */
    unsigned present;      /* adapters in it now */
    uint64_t highest_visible;
    struct dxgkmem_quota quota;
    uint64_t pages;   /* taken of the quota, as the next two */
    uint32_t objects; /* also: adapter memory objects alive */
    uint32_t adls;
    unsigned areas;         /* save areas: each takes of the quota as an object does */
    unsigned frame_buffers; /* pinned now */
    unsigned memories;      /* alive now */
};

struct model_adapter {
    struct model_life life;
    uint64_t handle;
    struct model_chain *chain;
    unsigned physical_index;
    uint64_t device;
    uint64_t frame_buffer_bytes;
    struct model_object *area;      /* where its frame buffer is saved; NULL: nobody needed it yet */
    struct model_adl *frame_buffer; /* of its pinned frame buffer, or NULL */
    bool objects_only;              /* the WDDM 2.4 callbacks are refused */
};

/* Where an object's pages may lie, in page numbers. */
struct model_bounds {
    uint64_t lowest, highest; /* physical, inclusive, resolved; lowest > highest: no page will do */
    uint64_t asked_highest;   /* as the caller bounded it, before the machine and the adapter lowered it */
    uint64_t skip;            /* the window moves up by this; 0: it does not */
    uint64_t boundary;        /* 0: none */
    uint64_t chunk;           /* as dxgkmem_memory_request.chunk_pages */
    bool logical_low, logical_high; /* whether logical pages obey lowest and asked_highest too */
};

struct model_object { /* a physical memory object, a save area, or the pages of a memory */
    struct model_life life;
    uint64_t handle; /* 0: a save area or a memory's */
    DXGK_PHYSICAL_MEMORY_TYPE type;
    DXGK_MEMORY_CACHING_TYPE cache;
    uint64_t size;       /* as asked */
    uint64_t pages;      /* rounded up */
    uint32_t memory;     /* number for contents */
    uint64_t first_page; /* of page 0 within that memory: not 0 for I/O space only */
    struct model_bounds bounds;
    unsigned cpu_access, device_access;
    bool one_block; /* its pages are one block */
    struct model_adapter_object *open;
    unsigned adls, mappings; /* alive */
    uint64_t ended_base;     /* where its most recently ended mapping began; 0: none */
    uint64_t ended_operation;
    enum dxgkmem_call ended_by;
};

struct model_adapter_object {
    struct model_life life;
    uint64_t handle;
    struct model_object *object;
    struct model_chain *chain;
};

struct model_adl {
    struct model_life life;
    uint64_t address; /* 0: what the device reaches of a memory, or of a frame buffer with an MDL */
    uint64_t mdl;     /* of such a frame buffer: the MDL's address */
    struct model_object *object;
    struct model_adapter_object *adapter_object; /* NULL: of a frame buffer or a memory */
    struct model_adapter *adapter;               /* of a frame buffer */
    struct model_chain *chain;
    uint64_t first, pages; /* within the object */
    /* Page numbers: consecutive from base, or `known` of them in the arena. */
    bool consecutive;
    uint64_t base;
    const uint64_t *array;
    uint64_t known;
    uint64_t lowest, highest; /* of the known numbers */
    DXGK_ADL handed_out;      /* what the driver was given */
};

struct model_mapping {
    struct model_life life;
    uint64_t base;
    struct model_object *object;
    uint64_t process; /* 0: kernel */
    uint64_t first, pages;
    uint64_t size; /* that map returned */
};

struct model_memory { /* of the WDDM 2.4 callbacks */
    struct model_life life;
    uint64_t handle;
    struct model_object *object;
    struct model_chain *chain;
    struct model_adl *adl;         /* all of it, for the device */
    struct model_mapping *mapping; /* NULL: a mapped MDL of the driver's */
    const struct dxgkmem_mdl *mdl; /* handed out; else NULL */
};

struct model_handle {
    enum model_kind kind;
    struct model_life *life;
    void *thing;
};

struct model_owner { /* who has a physical page that an ADL's page array named */
    uint64_t page;
    uint32_t stamp; /* used in this program when it equals the model's stamp */
    uint32_t object_page;
    uint32_t object; /* place in model.object */
};

struct model_word {
    uint64_t offset, value;
    uint32_t memory;
    uint32_t stamp;
};

struct model {
    struct model_world world;
    struct dxgkmem_profile profile;
    struct profile_answer answer[DXGKMEM_CALL_COUNT][DXGKMEM_VIOLATION_COUNT]; /* what the profile comes to */
    bool stopped;
    uint32_t resets; /* the stamp is one more, so that zeroed slots are free */

    struct model_adapter *leaving; /* a removal of it is under way; or NULL */
    unsigned handles, live_handles;
    unsigned chains, adapters, objects, adapter_objects, adls, mappings, allocations;
    unsigned live_adls, live_mappings;
    unsigned live_adapters, live_objects, live_adapter_objects, live_frame_buffers;
    unsigned live_memories, live_mdls;   /* the latter count as the former */
    const DXGK_PAGE_NUMBER *driver_page; /* the driver's own */
    unsigned driver_pages;
    struct model_object *driver; /* their record; NULL: none */
    uint64_t live_pages;
    uint64_t mapped_pages;
    struct { /* of all live objects */
        uint64_t pages;
        uint64_t objects;
    } total;
    uint32_t memories; /* memory numbers given out */
    uint32_t arena_used;
    unsigned words;

    uint64_t handle_value[MODEL_HANDLES];
    struct model_handle handle[MODEL_HANDLES];
    struct model_chain chain[MODEL_THINGS];
    struct model_adapter adapter[MODEL_THINGS];
    struct model_object object[MODEL_THINGS];
    struct model_adapter_object adapter_object[MODEL_THINGS];
    struct model_adl adl[MODEL_THINGS];
    struct model_mapping mapping[MODEL_THINGS];
    struct model_memory memory[MODEL_THINGS];
    struct model_adl *live_adl[MODEL_THINGS];         /* oldest first */
    struct model_mapping *live_mapping[MODEL_THINGS]; /* oldest first */

    struct model_word word[MODEL_WORD_SLOTS];
    struct model_owner owner[MODEL_OWNER_SLOTS];
    uint64_t arena[MODEL_ARENA];
};

static inline uint32_t model_stamp(const struct model *model)
{
    return model->resets + 1u;
}

static inline uint64_t model_value(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

static inline uint64_t model_min(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static inline uint64_t model_max(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static inline bool model_page_multiple(uint64_t bytes)
{
    return (bytes & DXGKMEM_PAGE_MASK) == 0;
}

/* No page is used whose number, or the number behind it, a page number of the interface cannot be. */
#define MODEL_PAGE_NUMBERS ((uint64_t)(DXGK_PAGE_NUMBER)-1)

/* One past the last page whose last byte is at or below an address: 0 when there is none. */
static inline uint64_t model_pages_up_to(uint64_t address)
{
    uint64_t whole = (address & DXGKMEM_PAGE_MASK) == DXGKMEM_PAGE_MASK ? 1 : 0;

    return model_min((address >> DXGKMEM_PAGE_SHIFT) + whole, MODEL_PAGE_NUMBERS);
}

static inline bool model_ranges_meet(uint64_t a, uint64_t a_length, uint64_t b, uint64_t b_length)
{
    return a_length != 0 && b_length != 0 && a <= b + (b_length - 1) && b <= a + (a_length - 1);
}

/* -- expect.c: filling in an expectation ------------------------------------ */

/* The checks that every callback begins with; false: the expectation is complete. */
bool model_begin(const struct model *model, const struct model_conditions *conditions,
                 struct model_expectation *expectation);
void model_expect_success(struct model_expectation *expectation);
void model_refuse(struct model_expectation *expectation, enum dxgkmem_violation_code code, uint64_t subject);
/* The status that dxgkmem itself gives with a violation. */
NTSTATUS model_violation_status(enum dxgkmem_violation_code code);
/* Whether this mistake is one: false: the profile ignores it. */
bool model_minds(const struct model *model, enum dxgkmem_call call, enum dxgkmem_violation_code code);
/* With the operation that made it a mistake. */
void model_refuse_after(struct model_expectation *expectation, enum dxgkmem_violation_code code,
                        uint64_t subject, uint64_t earlier, enum dxgkmem_call earlier_call);
/* Resource failures. What was admitted before stays: it is checked earlier, so it may come instead. */
void model_may_fail(struct model_expectation *expectation, NTSTATUS status);
void model_must_fail(struct model_expectation *expectation, NTSTATUS status);
/* Whether room for so many new handles is left; false: the call must fail, the expectation is complete. */
bool model_handle_room(const struct model *model, unsigned needed, struct model_expectation *expectation);
/* Whether the quota of a chain bears this; false: as above. */
bool model_chain_quota(const struct model_chain *chain, uint64_t pages, uint32_t objects, uint32_t adls,
                       struct model_expectation *expectation);
/* A done function's verdict. */
const char *model_wrong(unsigned *invariant, unsigned number, const char *sentence);

/* -- handles.c ---------------------------------------------------------------- */

void model_life_begin(struct model_life *life, uint64_t operation, enum dxgkmem_call by);
void model_life_end(const struct model *model, struct model_life *life, uint64_t operation,
                    enum dxgkmem_call by);
/* The record of a value that was given out as a handle, or NULL. */
const struct model_handle *model_find_handle(const struct model *model, uint64_t value);
/* The live thing of this kind, or NULL. */
void *model_find_live(const struct model *model, enum model_kind kind, uint64_t value);
/* The checks of one handle operand; NULL: refused, the expectation is complete. */
void *model_resolve(const struct model *model, enum model_kind kind, HANDLE handle, enum dxgkmem_call call,
                    struct model_expectation *expectation);
/* Whether nothing new may have this value: it is a handle, or was one and is not given out again. */
bool model_handle_taken(const struct model *model, uint64_t value);
/* Whether a new handle is one; NULL when it is, else what is wrong with it. */
const char *model_check_handle(const struct model *model, HANDLE handle, unsigned *invariant);
void model_give_handle(struct model *model, enum model_kind kind, uint64_t value, struct model_life *life,
                       void *thing);
void model_end_handle(struct model *model, struct model_life *life, uint64_t operation, enum dxgkmem_call by);

/* -- lifetime.c ----------------------------------------------------------------- */

/* Opens an object on a chain; the caller checked the handle and that there is room. */
void model_make_adapter_object(struct model *model, struct model_object *object, struct model_chain *chain,
                               uint64_t handle, uint64_t operation, enum dxgkmem_call by);
void model_end_adapter_object(struct model *model, struct model_adapter_object *opened, uint64_t operation,
                              enum dxgkmem_call by);
void model_end_object(struct model *model, struct model_object *object, uint64_t operation,
                      enum dxgkmem_call by);
struct model_adl *model_oldest_adl(const struct model *model, const struct model_object *object);
struct model_mapping *model_oldest_mapping(const struct model *model, const struct model_object *object);
/* Whether I/O space reaches above what an identity chain can see. */
bool model_io_hidden(const struct model_chain *chain, uint64_t first_page, uint64_t pages);

/* -- create.c -------------------------------------------------------------------- */

typedef DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create_arguments;

/* Everything but the handle and the resources. */
void model_check_fields(const struct model *model, const create_arguments *in,
                        const struct model_chain *chain, struct model_expectation *expectation);
/* The last check: whether the machine has the pages. */
void model_check_pages(const struct model *model, const create_arguments *in, const struct model_chain *chain,
                       struct model_expectation *expectation);
uint64_t model_pages_asked(const create_arguments *in);
/* The record of what a create made, with neither a handle nor a place in the total. */
struct model_object *model_make_pages(struct model *model, const create_arguments *in,
                                      const struct model_chain *chain, uint64_t operation,
                                      enum dxgkmem_call by);
/* Asks the machine; false: the call must fail, the expectation is complete. */
bool model_machine_can(const struct model *model, DXGK_PHYSICAL_MEMORY_TYPE type,
                       DXGK_MEMORY_CACHING_TYPE cache, uint64_t pages, const struct model_bounds *bounds,
                       bool prefer_contiguous, uint32_t protection, struct model_expectation *expectation);

/* -- mapping.c ------------------------------------------------------------------- */

/* So many pages more may be more than the host has room for. */
void model_mapping_may_fail(const struct model *model, uint64_t pages, struct model_expectation *expectation);
/* Checks where a mapping begins and records it; NULL when all is right. */
const char *model_make_mapping(struct model *model, const struct model_mapping *made, uint64_t operation,
                               enum dxgkmem_call by, unsigned *invariant);

/* Whether the process may end the mapping of an object that begins at base; else the mistake. */
void model_check_unmap(struct model *model, uint64_t base, const struct model_object *object,
                       uint64_t process, struct model_expectation *expectation);
void model_end_mapping(struct model *model, struct model_mapping *mapping, uint64_t operation,
                       enum dxgkmem_call by);

/* -- adl.c ------------------------------------------------------------------------ */

/* How an ADL was asked for, and by whom. */
struct model_adl_wish {
    struct model_object *object;
    struct model_adapter_object *adapter_object;
    struct model_adapter *adapter;
    struct model_chain *chain;
    uint64_t first, pages;
    bool require, prefer;
};

/* Checks what was handed out and records it; NULL when all is right. */
const char *model_make_adl(struct model *model, const struct model_adl_wish *wish, const DXGK_ADL *handed_out,
                           uint64_t operation, enum dxgkmem_call by, unsigned *invariant);
/* The same for pages that no ADL was handed out for: `said` tells them. */
const char *model_make_reach(struct model *model, const struct model_adl_wish *wish, const DXGK_ADL *said,
                             uint64_t operation, enum dxgkmem_call by, unsigned *invariant);
void model_end_adl(struct model *model, struct model_adl *adl, uint64_t operation, enum dxgkmem_call by);
/* The live ADL at an address, else the one that ended there last, else NULL. */
struct model_adl *model_find_adl(const struct model *model, uint64_t address);
/* The same by the address of a frame buffer's MDL. */
struct model_adl *model_find_mdl(const struct model *model, uint64_t mdl);

/* -- logical.c --------------------------------------------------------------------- */

/* Whether a remapped chain has logical room; false: the call must fail, the expectation is complete. */
bool model_logical_room(const struct model *model, const struct model_chain *chain,
                        const struct model_bounds *bounds, uint64_t pages,
                        struct model_expectation *expectation);
/* Checks the logical pages of a new ADL of a remapped chain. */
const char *model_check_logical(const struct model *model, const struct model_adl *adl, unsigned *invariant);

/* -- physical.c -------------------------------------------------------------------- */

/* Checks the page numbers of a new ADL of an identity chain, and remembers whose they are. */
const char *model_check_physical(struct model *model, const struct model_adl *adl, unsigned *invariant);

/* -- frame_buffer.c ------------------------------------------------------------------ */

/* The one mapping that an adapter's save area may have, or NULL. */
struct model_mapping *model_mapping_of(const struct model *model, const struct model_adapter *adapter);
/* Ends the save area of an adapter that has ended. */
void model_end_area(struct model *model, struct model_adapter *adapter);
void model_end_frame_buffer(struct model *model, struct model_adapter *adapter, uint64_t operation,
                            enum dxgkmem_call by);

/* -- memory.c ---------------------------------------------------------------------- */

/* The adapter of a WDDM 2.4 memory callback; NULL: refused, the expectation is complete. */
const struct model_adapter *model_resolve_offering(const struct model *model, HANDLE handle,
                                                   enum dxgkmem_call call,
                                                   struct model_expectation *expectation);
/* Whether a new MDL describes so many bytes; NULL when it does. */
const char *model_check_mdl(const struct dxgkmem_mdl *mdl, uint64_t bytes, bool mapped, unsigned *invariant);
/* Records a memory whose parts are recorded; its life begins. */
const char *model_make_memory(struct model *model, const struct model_memory *made, uint64_t operation,
                              enum dxgkmem_call by, unsigned *invariant);

void model_end_memory(struct model *model, struct model_memory *memory, uint64_t operation,
                      enum dxgkmem_call by);

#endif
