/* SPDX-License-Identifier: MIT */
/*
 * The memory callbacks: builds the argument block, makes the call through the
 * driver's interface, has the outcome checked, and takes down what was made or
 * ended.
 */
#include "block.h"
#include "machine.h"

#define OFFERED(runner, member)                                                                              \
    ((runner)->interface.Size >= DXGKMEM_DDI_THROUGH(member) && (runner)->interface.member != NULL)

static const struct out_field create_out[] = {
    OUT(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT, hPhysicalMemoryObject),
    OUT(DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT, hAdapterMemoryObject),
};
static const struct out_field open_out[] = {OUT(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT, hAdapterMemoryObject)};
static const struct out_field map_out[] = {
    OUT(DXGKARGCB_MAP_PHYSICAL_MEMORY, pMappedAddress),
    IN_OUT(DXGKARGCB_MAP_PHYSICAL_MEMORY, Offset),
    IN_OUT(DXGKARGCB_MAP_PHYSICAL_MEMORY, Size),
};
static const struct out_field adl_out[] = {OUT(DXGKARGCB_ALLOCATE_ADL, pAdl)};
static const struct out_field pin_out[] = {OUT(DXGKARGCB_PINFRAMEBUFFERFORSAVE2, pAdl)};

void runner_end_value(struct runner *runner, enum program_kind kind, uint64_t value, uint64_t process)
{
    struct runner_thing *thing = runner_find_live(runner, kind, value, process);

    if (thing != NULL)
        runner_end(runner, thing);
}

/* What belongs to a thing, and ends with it where a call is carried out that others refuse. */
static void end_owned(struct runner *runner, enum program_kind kind, uint64_t owner)
{
    for (unsigned i = 0; i < runner->things; i++)
        if (runner->thing[i].live && runner->thing[i].kind == kind && runner->thing[i].owner == owner)
            runner_end(runner, &runner->thing[i]);
}

uint32_t runner_chain_of(struct runner *runner, uint64_t adapter)
{
    struct runner_thing *thing = runner_find_live(runner, PROGRAM_ADAPTER, adapter, 0);

    return thing != NULL ? thing->chain : RUNNER_NO_CHAIN;
}

/* -- objects --------------------------------------------------------------------------- */

DXGK_MEMORY_CACHING_TYPE runner_cache_type(uint64_t choice)
{
    static const uint8_t caches[] = {
        [PROGRAM_CACHE_CACHED] = DXGK_MEMORY_CACHING_TYPE_CACHED,
        [PROGRAM_CACHE_NONCACHED] = DXGK_MEMORY_CACHING_TYPE_NON_CACHED,
        [PROGRAM_CACHE_WRITECOMBINED] = DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED,
        [PROGRAM_CACHE_INVALID] = 3,
    };

    return (DXGK_MEMORY_CACHING_TYPE)caches[choice];
}

static void fill_create(const struct runner *runner, DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *arguments)
{
    static const uint8_t protections[] = {
        [PROGRAM_PROTECTION_READWRITE] = DXGKMEM_PAGE_READWRITE,
        [PROGRAM_PROTECTION_READONLY] = DXGKMEM_PAGE_READONLY,
        [PROGRAM_PROTECTION_EXECUTE] = DXGKMEM_PAGE_EXECUTE,
        [PROGRAM_PROTECTION_WRITECOPY] = DXGKMEM_PAGE_WRITECOPY,
        [PROGRAM_PROTECTION_INVALID] = 0x40,
    };

    arguments->Size = (SIZE_T)runner_number(runner, CREATE_SIZE);
    arguments->Context = 0;
    arguments->Type = (DXGK_PHYSICAL_MEMORY_TYPE)runner_number(runner, CREATE_TYPE);
    arguments->CacheType = runner_cache_type(runner_number(runner, CREATE_CACHE));
    switch (runner_number(runner, CREATE_TYPE)) {
    case PROGRAM_TYPE_MDL:
        arguments->Mdl.LowAddress.QuadPart = (LONGLONG)runner_number(runner, CREATE_LOW);
        arguments->Mdl.HighAddress.QuadPart = (LONGLONG)runner_number(runner, CREATE_HIGH);
        arguments->Mdl.SkipBytes.QuadPart = (LONGLONG)runner_number(runner, CREATE_SKIP);
        arguments->Mdl.Flags = (UINT)runner_number(runner, CREATE_FLAGS);
        break;
    case PROGRAM_TYPE_CONTIGUOUS:
        arguments->ContiguousMemory.LowestAcceptableAddress.QuadPart =
            (LONGLONG)runner_number(runner, CREATE_LOW);
        arguments->ContiguousMemory.HighestAcceptableAddress.QuadPart =
            (LONGLONG)runner_number(runner, CREATE_HIGH);
        arguments->ContiguousMemory.BoundaryAddressMultiple.QuadPart =
            (LONGLONG)runner_number(runner, CREATE_BOUNDARY);
        break;
    case PROGRAM_TYPE_SECTION:
        arguments->Section.DesiredAccess = 0;
        arguments->Section.ObjectAttributes = NULL;
        arguments->Section.PageProtection = protections[runner_number(runner, CREATE_PROTECTION)];
        arguments->Section.AllocationAttributes = (ULONG)runner_number(runner, CREATE_ATTRIBUTES);
        break;
    default:
        arguments->IOSpace.BaseAddress.QuadPart = (LONGLONG)runner_number(runner, CREATE_BASE);
        break;
    }
}

void runner_create_object(struct runner *runner)
{
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *arguments = &runner->arguments.create;
    struct runner_thing *thing;
    void *passed;

    if (!OFFERED(runner, DxgkCbCreatePhysicalMemoryObject)) {
        runner->event.skipped = true;
        return;
    }
    block_begin_taking(runner);
    fill_create(runner, arguments);
    arguments->hAdapter = runner_handle(runner_resolve(runner, CREATE_ADAPTER).value);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_create(runner->model, &runner->conditions, &runner->before.create, &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->interface.DxgkCbCreatePhysicalMemoryObject(passed),
                      OUTS(create_out)))
        return;
    if (runner->model != NULL)
        runner->wrong = model_create_done(runner->model, &runner->conditions, &runner->before.create,
                                          arguments, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    runner_make(runner, PROGRAM_OBJECT, runner_pointer(arguments->hPhysicalMemoryObject));
    runner_bind(runner, PROGRAM_OBJECT, (unsigned)runner_number(runner, CREATE_OBJECT));
    if (arguments->hAdapterMemoryObject == NULL)
        return;
    thing = runner_make(runner, PROGRAM_ADAPTER_OBJECT, runner_pointer(arguments->hAdapterMemoryObject));
    thing->owner = runner_pointer(arguments->hPhysicalMemoryObject);
    thing->chain = runner_chain_of(runner, runner_pointer(arguments->hAdapter));
    runner_bind(runner, PROGRAM_ADAPTER_OBJECT, (unsigned)runner_number(runner, CREATE_ADAPTER_OBJECT));
}

void runner_destroy_object(struct runner *runner)
{
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *arguments = &runner->arguments.destroy;
    void *passed;

    if (!OFFERED(runner, DxgkCbDestroyPhysicalMemoryObject)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hPhysicalMemoryObject = runner_handle(runner_resolve(runner, DESTROY_OBJECT).value);
    arguments->hAdapterMemoryObject = runner_handle(runner_resolve(runner, DESTROY_WITH).value);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_destroy(runner->model, &runner->conditions, &runner->before.destroy, &runner->expected);
    if (!block_may_call(runner))
        return;
    runner->interface.DxgkCbDestroyPhysicalMemoryObject(passed);
    if (!block_finish(runner, false, STATUS_SUCCESS, NULL, 0))
        return;
    if (runner->model != NULL)
        runner->wrong = model_destroy_done(runner->model, &runner->conditions, &runner->before.destroy,
                                           &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    end_owned(runner, PROGRAM_MAPPING, runner_pointer(arguments->hPhysicalMemoryObject));
    end_owned(runner, PROGRAM_ADAPTER_OBJECT, runner_pointer(arguments->hPhysicalMemoryObject));
    runner_end_value(runner, PROGRAM_OBJECT, runner_pointer(arguments->hPhysicalMemoryObject), 0);
}

void runner_open(struct runner *runner)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *arguments = &runner->arguments.open;
    struct runner_thing *thing;
    void *passed;

    if (!OFFERED(runner, DxgkCbOpenPhysicalMemoryObject)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hPhysicalMemoryObject = runner_handle(runner_resolve(runner, OPEN_OBJECT).value);
    arguments->hAdapter = runner_handle(runner_resolve(runner, OPEN_ADAPTER).value);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_open(runner->model, &runner->conditions, &runner->before.open, &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->interface.DxgkCbOpenPhysicalMemoryObject(passed), OUTS(open_out)))
        return;
    if (runner->model != NULL)
        runner->wrong = model_open_done(runner->model, &runner->conditions, &runner->before.open, arguments,
                                        &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    thing = runner_make(runner, PROGRAM_ADAPTER_OBJECT, runner_pointer(arguments->hAdapterMemoryObject));
    thing->owner = runner_pointer(arguments->hPhysicalMemoryObject);
    thing->chain = runner_chain_of(runner, runner_pointer(arguments->hAdapter));
    runner_bind(runner, PROGRAM_ADAPTER_OBJECT, (unsigned)runner_number(runner, OPEN_ADAPTER_OBJECT));
}

void runner_close(struct runner *runner)
{
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *arguments = &runner->arguments.close;
    void *passed;

    if (!OFFERED(runner, DxgkCbClosePhysicalMemoryObject)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hAdapterMemoryObject = runner_handle(runner_resolve(runner, CLOSE_ADAPTER_OBJECT).value);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_close(runner->model, &runner->conditions, &runner->before.close, &runner->expected);
    if (!block_may_call(runner))
        return;
    runner->interface.DxgkCbClosePhysicalMemoryObject(passed);
    if (!block_finish(runner, false, STATUS_SUCCESS, NULL, 0))
        return;
    if (runner->model != NULL)
        runner->wrong = model_close_done(runner->model, &runner->conditions, &runner->before.close,
                                         &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    end_owned(runner, PROGRAM_ADL, runner_pointer(arguments->hAdapterMemoryObject));
    runner_end_value(runner, PROGRAM_ADAPTER_OBJECT, runner_pointer(arguments->hAdapterMemoryObject), 0);
}

/* -- CPU mappings ------------------------------------------------------------------------ */

void runner_map(struct runner *runner)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY *arguments = &runner->arguments.map;
    struct runner_thing *thing;
    void *passed;

    if (!OFFERED(runner, DxgkCbMapPhysicalMemory)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hPhysicalMemoryObject = runner_handle(runner_resolve(runner, MAP_OBJECT).value);
    arguments->AccessMode = (DXGK_ACCESS_MODE)runner_number(runner, MAP_MODE);
    arguments->Offset = (SIZE_T)runner_number(runner, MAP_OFFSET);
    arguments->Size = (SIZE_T)runner_number(runner, MAP_SIZE);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_map(runner->model, &runner->conditions, &runner->before.map, &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->interface.DxgkCbMapPhysicalMemory(passed), OUTS(map_out)))
        return;
    if (runner->model != NULL)
        runner->wrong = model_map_done(runner->model, &runner->conditions, &runner->before.map, arguments,
                                       &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    thing = runner_make(runner, PROGRAM_MAPPING, runner_pointer(arguments->pMappedAddress));
    thing->owner = runner_pointer(arguments->hPhysicalMemoryObject);
    thing->size = arguments->Size;
    thing->process = arguments->AccessMode == DXGK_ACCESS_MODE_USER_MODE ? runner->process : 0;
    runner_bind(runner, PROGRAM_MAPPING, (unsigned)runner_number(runner, MAP_MAPPING));
    runner->event.value[0] = arguments->Offset;
    runner->event.value[1] = arguments->Size;
    runner->event.values = 2;
}

/* The size that goes with a base: of the mapping it names, else of the variable's, else a page. */
static uint64_t size_of_mapping(const struct runner *runner, const struct runner_value *base)
{
    unsigned current =
        runner->variable[PROGRAM_MAPPING][PROGRAM_VARIABLE_OF(runner_number(runner, UNMAP_MAPPING))].current;

    if (base->thing >= 0 && runner->thing[base->thing].kind == PROGRAM_MAPPING)
        return runner->thing[base->thing].size;
    return current != 0 ? runner->thing[current - 1].size : DXGKMEM_PAGE_BYTES;
}

struct runner_value runner_resolve_shifted(struct runner *runner, unsigned operand, unsigned shift)
{
    enum program_kind kind = program_operations[runner->line->opcode].operand[operand].kind;
    struct runner_value value;

    if (runner_number(runner, shift) == 0)
        return runner_resolve(runner, operand);
    value = runner_resolve_class(runner, kind, runner_number(runner, operand));
    value.value += runner_number(runner, shift);
    runner_note_passed(runner, operand, &value);
    return value;
}

void runner_unmap(struct runner *runner)
{
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY *arguments = &runner->arguments.unmap;
    struct runner_value base;
    void *passed;

    if (!OFFERED(runner, DxgkCbUnmapPhysicalMemory)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hPhysicalMemoryObject = runner_handle(runner_resolve(runner, UNMAP_OBJECT).value);
    base = runner_resolve_shifted(runner, UNMAP_MAPPING, UNMAP_SHIFT);
    arguments->pBaseAddress = runner_handle(base.value);
    arguments->Size = (SIZE_T)(size_of_mapping(runner, &base) + runner_number(runner, UNMAP_EXTRA));
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_unmap(runner->model, &runner->conditions, &runner->before.unmap, &runner->expected);
    if (!block_may_call(runner))
        return;
    runner->interface.DxgkCbUnmapPhysicalMemory(passed);
    if (!block_finish(runner, false, STATUS_SUCCESS, NULL, 0))
        return;
    if (runner->model != NULL)
        runner->wrong = model_unmap_done(runner->model, &runner->conditions, &runner->before.unmap,
                                         &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    runner_end_value(runner, PROGRAM_MAPPING, runner_pointer(arguments->pBaseAddress), runner->process);
}

/* -- ADLs ---------------------------------------------------------------------------------- */

static struct runner_thing *made_adl(struct runner *runner, const DXGK_ADL *adl, unsigned variable)
{
    struct runner_thing *thing = runner_make(runner, PROGRAM_ADL, runner_pointer(adl));

    runner_remember_adl(runner, thing, adl);
    runner_bind(runner, PROGRAM_ADL, variable);
    runner->event.value[0] = thing->pages;
    runner->event.value[1] = thing->array == NULL;
    runner->event.values = 2;
    runner->event.unseen = thing->pages == 0;
    return thing;
}

void runner_allocate_adl(struct runner *runner)
{
    DXGKARGCB_ALLOCATE_ADL *arguments = &runner->arguments.allocate_adl;
    struct runner_thing *thing, *owner;
    void *passed;

    if (!OFFERED(runner, DxgkCbAllocateAdl)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hAdapterMemoryObject = runner_handle(runner_resolve(runner, ADL_ADAPTER_OBJECT).value);
    arguments->Offset = (SIZE_T)runner_number(runner, ADL_OFFSET);
    arguments->Size = (SIZE_T)runner_number(runner, ADL_SIZE);
    arguments->Flags.Value = (UINT32)runner_number(runner, ADL_FLAGS);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_allocate_adl(runner->model, &runner->conditions, &runner->before.allocate_adl,
                           &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->interface.DxgkCbAllocateAdl(passed), OUTS(adl_out)))
        return;
    if (runner->model != NULL)
        runner->wrong =
            model_allocate_adl_done(runner->model, &runner->conditions, &runner->before.allocate_adl,
                                    arguments, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    thing = made_adl(runner, arguments->pAdl, (unsigned)runner_number(runner, ADL_ADL));
    thing->owner = runner_pointer(arguments->hAdapterMemoryObject);
    owner = runner_find_live(runner, PROGRAM_ADAPTER_OBJECT, thing->owner, 0);
    if (owner != NULL)
        thing->chain = owner->chain;
}

void runner_free_adl(struct runner *runner)
{
    DXGKARGCB_FREE_ADL *arguments = &runner->arguments.free_adl;
    struct runner_lent lent[RUNNER_LENT];
    struct runner_value adl;
    void *passed;

    if (!OFFERED(runner, DxgkCbFreeAdl)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    arguments->hAdapterMemoryObject = runner_handle(runner_resolve(runner, FREE_ADL_ADAPTER_OBJECT).value);
    adl = runner_resolve_shifted(runner, FREE_ADL_ADL, FREE_ADL_SHIFT);
    arguments->pAdl = runner_handle(adl.value);
    block_lend(runner_find_live(runner, PROGRAM_ADL, adl.value, 0), lent);
    /* Before the block is handed over, for the model looks at the ADL as well. */
    if (runner->model != NULL)
        model_free_adl(runner->model, &runner->conditions, arguments, &runner->expected);
    if (!runner_may_call(runner))
        return;
    passed = block_hand_over_with(runner, lent);
    runner->interface.DxgkCbFreeAdl(passed);
    if (!block_finish(runner, false, STATUS_SUCCESS, NULL, 0))
        return;
    if (runner->model != NULL)
        runner->wrong = model_free_adl_done(runner->model, &runner->conditions, &runner->before.free_adl,
                                            &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    runner_end_value(runner, PROGRAM_ADL, runner_pointer(arguments->pAdl), 0);
}

/* -- frame buffers --------------------------------------------------------------------------- */

void runner_pin(struct runner *runner)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 *arguments = &runner->arguments.pin;
    struct runner_thing *thing;
    HANDLE adapter;
    void *passed;

    if (!OFFERED(runner, DxgkCbPinFrameBufferForSave2)) {
        runner->event.skipped = true;
        return;
    }
    block_begin_taking(runner);
    adapter = runner_handle(runner_resolve(runner, PIN_ADAPTER).value);
    arguments->PhysicalAdapterIndex = (UINT)runner_number(runner, PIN_INDEX);
    arguments->CommitSize = (SIZE_T)runner_number(runner, PIN_SIZE);
    arguments->Flags.Value = (UINT)runner_number(runner, PIN_FLAGS);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_pin(runner->model, &runner->conditions, adapter, &runner->before.pin, &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->interface.DxgkCbPinFrameBufferForSave2(adapter, passed),
                      OUTS(pin_out)))
        return;
    if (runner->model != NULL)
        runner->wrong = model_pin_done(runner->model, &runner->conditions, adapter, &runner->before.pin,
                                       arguments, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    thing = made_adl(runner, arguments->pAdl, (unsigned)runner_number(runner, PIN_ADL));
    thing->frame_buffer = true;
    thing->index = arguments->PhysicalAdapterIndex;
    thing->chain = runner_chain_of(runner, runner_pointer(adapter));
}

struct runner_thing *runner_pinned(struct runner *runner, uint32_t chain, uint32_t index)
{
    for (unsigned i = 0; i < runner->things; i++) {
        struct runner_thing *thing = &runner->thing[i];

        if (thing->live && thing->frame_buffer && thing->chain == chain && thing->index == index)
            return thing;
    }
    return NULL;
}

static void end_frame_buffer(struct runner *runner, uint32_t chain, uint32_t index)
{
    struct runner_thing *thing;

    while ((thing = runner_pinned(runner, chain, index)) != NULL)
        runner_end(runner, thing);
}

void runner_unpin(struct runner *runner)
{
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE *arguments = &runner->arguments.unpin;
    struct runner_lent lent[RUNNER_LENT];
    NTSTATUS status;
    HANDLE adapter;
    void *passed;

    if (!OFFERED(runner, DxgkCbUnpinFrameBufferForSave)) {
        runner->event.skipped = true;
        return;
    }
    block_begin(runner);
    adapter = runner_handle(runner_resolve(runner, UNPIN_ADAPTER).value);
    arguments->PhysicalAdapterIndex = (UINT)runner_number(runner, UNPIN_INDEX);
    block_lend(runner_pinned(runner, runner_chain_of(runner, runner_pointer(adapter)),
                             arguments->PhysicalAdapterIndex),
               lent);
    passed = block_hand_over_with(runner, lent);
    if (runner->model != NULL)
        model_unpin(runner->model, &runner->conditions, adapter, &runner->before.unpin, &runner->expected);
    if (!block_may_call(runner))
        return;
    status = runner->interface.DxgkCbUnpinFrameBufferForSave(adapter, passed);
    if (!block_finish(runner, true, status, NULL, 0))
        return;
    if (runner->model != NULL)
        runner->wrong = model_unpin_done(runner->model, &runner->conditions, adapter, &runner->before.unpin,
                                         &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    end_frame_buffer(runner, runner_chain_of(runner, runner_pointer(adapter)),
                     arguments->PhysicalAdapterIndex);
}
