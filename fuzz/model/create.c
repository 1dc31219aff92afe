/* SPDX-License-Identifier: MIT */
/*
 * CREATE: what it must answer, and the object it makes.
 *
 * The checks stand in the contract's order. Opening the object on the adapter
 * that was named, and ending it, are in lifetime.c.
 */
#include "model_internal.h"

#define MDL_FLAGS 0x17Fu
#define LARGE_PAGE ((uint64_t)0x200000)

static bool power_of_two(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static uint64_t round_up_to_pages(uint64_t bytes)
{
    return (bytes >> DXGKMEM_PAGE_SHIFT) + (model_page_multiple(bytes) ? 0u : 1u);
}

static bool bad_cache_type(const create_arguments *in)
{
    return (unsigned)in->CacheType > DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED ||
           (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION &&
            in->CacheType == DXGK_MEMORY_CACHING_TYPE_NON_CACHED);
}

static bool bad_size(const struct model *model, const create_arguments *in)
{
    return in->Size == 0 || (uint64_t)in->Size > model->world.object_bytes_limit ||
           (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_MDL && (uint64_t)in->Size > MODEL_MDL_BYTES);
}

static enum dxgkmem_violation_code mdl_mistake(const create_arguments *in, bool minds_bits)
{
    uint64_t skip = (uint64_t)in->Mdl.SkipBytes.QuadPart;
    uint64_t bytes = round_up_to_pages(in->Size) << DXGKMEM_PAGE_SHIFT;
    bool chunks = (in->Mdl.Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) != 0;

    if ((in->Mdl.Flags & ~MDL_FLAGS) != 0 && minds_bits)
        return DXGKMEM_VIOLATION_RESERVED_BITS;
    if ((uint64_t)in->Mdl.LowAddress.QuadPart > (uint64_t)in->Mdl.HighAddress.QuadPart ||
        !model_page_multiple(skip))
        return DXGKMEM_VIOLATION_INVALID_CONSTRAINTS;
    if (chunks && skip != 0 && (!power_of_two(skip) || bytes % skip != 0))
        return DXGKMEM_VIOLATION_INVALID_CONSTRAINTS;
    if ((in->Mdl.Flags & MM_ALLOCATE_FAST_LARGE_PAGES) != 0 &&
        (!chunks || skip == 0 || skip % LARGE_PAGE != 0))
        return DXGKMEM_VIOLATION_INVALID_CONSTRAINTS;
    if ((in->Mdl.Flags & MM_ALLOCATE_AND_HOT_REMOVE) != 0)
        return DXGKMEM_VIOLATION_INVALID_CONSTRAINTS;
    return DXGKMEM_VIOLATION_NONE;
}

static enum dxgkmem_violation_code contiguous_mistake(const create_arguments *in)
{
    uint64_t boundary = (uint64_t)in->ContiguousMemory.BoundaryAddressMultiple.QuadPart;

    if ((uint64_t)in->ContiguousMemory.LowestAcceptableAddress.QuadPart >
        (uint64_t)in->ContiguousMemory.HighestAcceptableAddress.QuadPart)
        return DXGKMEM_VIOLATION_INVALID_CONSTRAINTS;
    if (boundary != 0 && (!power_of_two(boundary) || boundary < DXGKMEM_PAGE_BYTES))
        return DXGKMEM_VIOLATION_INVALID_CONSTRAINTS;
    return DXGKMEM_VIOLATION_NONE;
}

static enum dxgkmem_violation_code section_mistake(const create_arguments *in, bool minds_bits)
{
    uint32_t protection = (uint32_t)in->Section.PageProtection;

    if (protection != DXGKMEM_PAGE_READONLY && protection != DXGKMEM_PAGE_READWRITE &&
        protection != DXGKMEM_PAGE_EXECUTE && protection != DXGKMEM_PAGE_WRITECOPY)
        return DXGKMEM_VIOLATION_INVALID_PROTECTION;
    if (in->Section.AllocationAttributes != 0 && in->Section.AllocationAttributes != SEC_COMMIT && minds_bits)
        return DXGKMEM_VIOLATION_RESERVED_BITS;
    return DXGKMEM_VIOLATION_NONE;
}

/* The live I/O object with the lowest range that the new one would meet. */
static const struct model_object *io_overlap(const struct model *model, uint64_t first, uint64_t pages)
{
    const struct model_object *lowest = NULL;

    for (unsigned i = 0; i < model->objects; i++) {
        const struct model_object *object = &model->object[i];
        if (object->life.live && object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE &&
            model_ranges_meet(first, pages, object->first_page, object->pages) &&
            (lowest == NULL || object->first_page < lowest->first_page))
            lowest = object;
    }
    return lowest;
}

static void check_io_space(const struct model *model, const create_arguments *in,
                           const struct model_chain *chain, struct model_expectation *expectation)
{
    uint64_t base = (uint64_t)in->IOSpace.BaseAddress.QuadPart;
    struct dxgkmem_run run = {base >> DXGKMEM_PAGE_SHIFT, (uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT};
    const struct model_object *other;

    if (!model_page_multiple(base) || !model_page_multiple(in->Size))
        model_refuse(expectation, DXGKMEM_VIOLATION_UNALIGNED_RANGE, 0);
    else if (run.page + (run.pages - 1) > model->world.highest_page)
        model_refuse(expectation, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS, 0);
    else if (model->world.touches_ram != NULL && model->world.touches_ram(model->world.context, run))
        model_refuse(expectation, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM, 0);
    else if ((other = io_overlap(model, run.page, run.pages)) != NULL)
        model_refuse_after(expectation, DXGKMEM_VIOLATION_IO_SPACE_OVERLAP, 0, other->life.made,
                           DXGKMEM_CALL_CREATE);
    else if (chain != NULL && model_io_hidden(chain, run.page, run.pages))
        model_refuse(expectation, DXGKMEM_VIOLATION_NOT_VISIBLE, 0);
}

void model_check_fields(const struct model *model, const create_arguments *in,
                        const struct model_chain *chain, struct model_expectation *expectation)
{
    enum dxgkmem_violation_code mistake = DXGKMEM_VIOLATION_NONE;
    bool minds_bits = model_minds(model, DXGKMEM_CALL_CREATE, DXGKMEM_VIOLATION_RESERVED_BITS);

    if ((unsigned)in->Type > DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        mistake = DXGKMEM_VIOLATION_INVALID_TYPE;
    else if (bad_cache_type(in))
        mistake = DXGKMEM_VIOLATION_INVALID_CACHE_TYPE;
    else if (bad_size(model, in))
        mistake = DXGKMEM_VIOLATION_INVALID_SIZE;
    else if (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_MDL)
        mistake = mdl_mistake(in, minds_bits);
    else if (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY)
        mistake = contiguous_mistake(in);
    else if (in->Type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION)
        mistake = section_mistake(in, minds_bits);
    else
        check_io_space(model, in, chain, expectation);
    if (mistake != DXGKMEM_VIOLATION_NONE)
        model_refuse(expectation, mistake, 0);
}

/* The window between two byte addresses in whole pages, as the machine and an identity chain lower it. */
static void set_window(const struct model *model, const struct model_chain *chain, LARGE_INTEGER low,
                       LARGE_INTEGER high, struct model_bounds *bounds)
{
    uint64_t end = model_pages_up_to((uint64_t)high.QuadPart);

    bounds->lowest = round_up_to_pages((uint64_t)low.QuadPart);
    if (end != 0)
        bounds->asked_highest = end - 1;
    if (chain != NULL && !chain->remapped)
        end = model_min(end, model_pages_up_to(chain->highest_visible));
    end = model_min(end, model->world.highest_page + 1);
    if (end == 0) { /* not even page 0: an empty window */
        bounds->lowest = 1;
        bounds->highest = 0;
    } else {
        bounds->highest = end - 1;
    }
}

static struct model_bounds resolve_bounds(const struct model *model, const struct model_chain *chain,
                                          const create_arguments *in)
{
    struct model_bounds bounds = {.highest = model->world.highest_ram_page};

    switch (in->Type) {
    case DXGK_PHYSICAL_MEMORY_TYPE_MDL: {
        uint64_t skip = (uint64_t)in->Mdl.SkipBytes.QuadPart >> DXGKMEM_PAGE_SHIFT;
        set_window(model, chain, in->Mdl.LowAddress, in->Mdl.HighAddress, &bounds);
        bounds.logical_low = true;
        bounds.logical_high = skip == 0;
        if ((in->Mdl.Flags & MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS) != 0)
            bounds.chunk = skip != 0 ? skip : DXGKMEM_CHUNK_WHOLE;
        else
            bounds.skip = skip;
        break;
    }
    case DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY:
        set_window(model, chain, in->ContiguousMemory.LowestAcceptableAddress,
                   in->ContiguousMemory.HighestAcceptableAddress, &bounds);
        bounds.boundary =
            (uint64_t)in->ContiguousMemory.BoundaryAddressMultiple.QuadPart >> DXGKMEM_PAGE_SHIFT;
        bounds.logical_low = bounds.logical_high = true;
        break;
    case DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE:
        bounds.lowest = (uint64_t)in->IOSpace.BaseAddress.QuadPart >> DXGKMEM_PAGE_SHIFT;
        bounds.highest = bounds.lowest + (((uint64_t)in->Size >> DXGKMEM_PAGE_SHIFT) - 1);
        break;
    default:
        break;
    }
    if (model->profile.logical_unbounded)
        bounds.logical_low = bounds.logical_high = false;
    return bounds;
}

bool model_machine_can(const struct model *model, DXGK_PHYSICAL_MEMORY_TYPE type,
                       DXGK_MEMORY_CACHING_TYPE cache, uint64_t pages, const struct model_bounds *bounds,
                       bool prefer_contiguous, uint32_t protection, struct model_expectation *expectation)
{
    struct dxgkmem_memory_request request = {
        .type = type,
        .cache = cache,
        .pages = pages,
        .lowest_page = bounds->lowest,
        .highest_page = bounds->highest,
        .skip_pages = bounds->skip,
        .boundary_pages = bounds->boundary,
        .chunk_pages = bounds->chunk,
        .prefer_contiguous = prefer_contiguous,
        .page_protection = protection,
    };

    if (bounds->lowest > bounds->highest || (bounds->boundary != 0 && bounds->boundary < pages)) {
        model_must_fail(expectation, STATUS_NO_MEMORY);
        return false;
    }
    if (model->world.could_create == NULL) {
        model_may_fail(expectation, STATUS_NO_MEMORY);
        model_may_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
        return true;
    }
    if (model->world.could_create(model->world.context, &request))
        return true;
    model_must_fail(expectation, STATUS_NO_MEMORY);
    model_may_fail(expectation, STATUS_INSUFFICIENT_RESOURCES);
    return false;
}

static bool total_quota(const struct model *model, uint64_t pages, struct model_expectation *expectation)
{
    const struct dxgkmem_quota *quota = &model->world.total;

    if ((quota->pages == 0 || model->total.pages + pages <= quota->pages) &&
        (quota->objects == 0 || model->total.objects + 1 <= quota->objects))
        return true;
    model_must_fail(expectation, STATUS_QUOTA_EXCEEDED);
    return false;
}

void model_check_pages(const struct model *model, const create_arguments *in, const struct model_chain *chain,
                       struct model_expectation *expectation)
{
    struct model_bounds bounds = resolve_bounds(model, chain, in);
    bool section = in->Type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION;
    bool prefer =
        in->Type == DXGK_PHYSICAL_MEMORY_TYPE_MDL && (in->Mdl.Flags & MM_ALLOCATE_PREFER_CONTIGUOUS) != 0;

    (void)model_machine_can(model, in->Type, in->CacheType, model_pages_asked(in), &bounds, prefer,
                            section ? (uint32_t)in->Section.PageProtection : 0, expectation);
}

uint64_t model_pages_asked(const create_arguments *in)
{
    return round_up_to_pages(in->Size);
}

void model_create(struct model *model, const struct model_conditions *conditions, const create_arguments *in,
                  struct model_expectation *expectation)
{
    const struct model_adapter *adapter = NULL;
    const struct model_chain *chain = NULL;

    if (!model_begin(model, conditions, expectation))
        return;
    if (in->hAdapter != NULL) {
        adapter = model_resolve(model, MODEL_ADAPTER, in->hAdapter, DXGKMEM_CALL_CREATE, expectation);
        if (adapter == NULL)
            return;
        chain = adapter->chain;
        if (chain->version < DXGKDDI_INTERFACE_VERSION_WDDM2_9 &&
            model_minds(model, DXGKMEM_CALL_CREATE, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL)) {
            model_refuse(expectation, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, adapter->handle);
            return;
        }
    }
    model_check_fields(model, in, chain, expectation);
    if (expectation->violation != DXGKMEM_VIOLATION_NONE)
        return;

    uint64_t pages = round_up_to_pages(in->Size);
    if (!total_quota(model, pages, expectation) ||
        (chain != NULL && !model_chain_quota(chain, pages, 1, 0, expectation)))
        return;
    if (!model_handle_room(model, chain != NULL ? 2 : 1, expectation))
        return;
    model_check_pages(model, in, chain, expectation);
}

static void set_access(const struct model *model, struct model_object *object, const create_arguments *in)
{
    object->cpu_access = object->device_access = DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE;
    if (object->type != DXGK_PHYSICAL_MEMORY_TYPE_SECTION ||
        in->Section.PageProtection == DXGKMEM_PAGE_READWRITE)
        return;
    object->cpu_access = DXGKMEM_ACCESS_READ;
    if (!model->profile.device_writes_sections)
        object->device_access = DXGKMEM_ACCESS_READ;
    if (in->Section.PageProtection == DXGKMEM_PAGE_EXECUTE)
        object->cpu_access |= DXGKMEM_ACCESS_EXECUTE;
}

struct model_object *model_make_pages(struct model *model, const create_arguments *in,
                                      const struct model_chain *chain, uint64_t operation,
                                      enum dxgkmem_call by)
{
    struct model_object *object = &model->object[model->objects++];

    *object = (struct model_object){
        .type = in->Type,
        .cache = in->CacheType,
        .size = in->Size,
        .pages = round_up_to_pages(in->Size),
        .bounds = resolve_bounds(model, chain, in),
    };
    model_life_begin(&object->life, operation, by);
    set_access(model, object, in);
    if (object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE) {
        object->memory = MODEL_MEMORY_IO;
        object->first_page = object->bounds.lowest;
    } else {
        object->memory = MODEL_MEMORY_IO + ++model->memories;
    }
    object->one_block = object->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE ||
                        object->type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY ||
                        object->bounds.chunk == DXGKMEM_CHUNK_WHOLE;
    model->live_pages += object->pages;
    return object;
}

static struct model_object *make_object(struct model *model, const create_arguments *in,
                                        const struct model_chain *chain, uint64_t handle, uint64_t operation)
{
    struct model_object *object = model_make_pages(model, in, chain, operation, DXGKMEM_CALL_CREATE);

    object->handle = handle;
    model->total.pages += object->pages;
    model->total.objects++;
    model->live_objects++;
    model_give_handle(model, MODEL_OBJECT, handle, &object->life, object);
    return object;
}

const char *model_create_done(struct model *model, const struct model_conditions *conditions,
                              const create_arguments *in, const create_arguments *out, unsigned *invariant)
{
    const struct model_adapter *adapter = model_find_live(model, MODEL_ADAPTER, model_value(in->hAdapter));
    const char *wrong;

    if (in->hAdapter != NULL && adapter == NULL)
        return model_wrong(invariant, 1, "a create on an adapter that is not present succeeded");
    if (model->objects == MODEL_THINGS || model->adapter_objects == MODEL_THINGS)
        return model_wrong(invariant, 0, "the model has no room for another object");
    if (out->hAdapter != in->hAdapter || out->Size != in->Size || out->Context != in->Context ||
        out->Type != in->Type || out->CacheType != in->CacheType)
        return model_wrong(invariant, 22, "create wrote to an input field");
    wrong = model_check_handle(model, out->hPhysicalMemoryObject, invariant);
    if (wrong != NULL)
        return wrong;
    if (adapter == NULL && out->hAdapterMemoryObject != NULL)
        return model_wrong(invariant, 2, "create without an adapter handed out an adapter memory object");
    if (adapter != NULL) {
        wrong = model_check_handle(model, out->hAdapterMemoryObject, invariant);
        if (wrong != NULL)
            return wrong;
        if (out->hAdapterMemoryObject == out->hPhysicalMemoryObject)
            return model_wrong(invariant, 2, "create handed out the same handle twice");
    }
    struct model_object *object = make_object(model, in, adapter != NULL ? adapter->chain : NULL,
                                              model_value(out->hPhysicalMemoryObject), conditions->operation);
    if (adapter != NULL)
        model_make_adapter_object(model, object, adapter->chain, model_value(out->hAdapterMemoryObject),
                                  conditions->operation, DXGKMEM_CALL_CREATE);
    return NULL;
}
