/* SPDX-License-Identifier: MIT */
/*
 * Between the driver and the callbacks. Each function here takes the stack of its caller, may fail
 * because the plan says so, makes the answer as contrary as the world wants it, and passes the rest on.
 */
#include "kit.h"

#include <stdlib.h>
#include <string.h>

/* -- growing lists, emptied when a life begins ------------------------------------------------ */

#define LIST(type, name)                                                                                     \
    static struct {                                                                                          \
        type *item;                                                                                          \
        size_t count, room;                                                                                  \
    } name

LIST(kit_stack, operations);        /* by number, from 1 */
LIST(HANDLE, handles);              /* behind the handles that the driver has */
LIST(struct kit_mapping, mappings); /* living and ended */
LIST(struct kit_reach, reaches);

static void *grown(void *item, size_t *room, size_t bytes)
{
    void *more;

    *room = *room != 0 ? *room * 2 : 256;
    more = realloc(item, *room * bytes);
    if (more == NULL)
        abort();
    return more;
}

#define APPEND(list, value)                                                                                  \
    do {                                                                                                     \
        if ((list).count == (list).room)                                                                     \
            (list).item = grown((list).item, &(list).room, sizeof *(list).item);                             \
        (list).item[(list).count++] = (value);                                                               \
    } while (0)

static kit_stack now; /* of the call under way */

void kit_callbacks_begin(void)
{
    for (size_t i = 0; i < reaches.count; i++)
        free(reaches.item[i].page);
    operations.count = handles.count = mappings.count = reaches.count = 0;
    kit_memories_begin();
    kit_mdls_begin();
    kit.in_callback = false;
    now = 0;
}

void kit_operation(kit_stack stack)
{
    now = stack;
    APPEND(operations, stack);
}

static kit_stack stack_of(uint64_t operation)
{
    uint64_t number = operation & (((uint64_t)1 << 48) - 1);

    return number != 0 && number <= operations.count ? operations.item[number - 1] : 0;
}

void kit_violation(void *context, const struct dxgkmem_violation *violation)
{
    struct kit_finding finding = {.name = dxgkmem_violation_name(violation->code), .stack = now};
    const char *sentence = dxgkmem_violation_sentence(violation->code);

    (void)context;
    if (violation->code == DXGKMEM_VIOLATION_LEFT_AT_STOP ||
        violation->code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL ||
        violation->code == DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT) {
        /* The mistake is where it was made and not ended. */
        finding.call = dxgkmem_call_name(violation->earlier_call);
        finding.stack = stack_of(violation->earlier_operation);
        sentence = violation->code == DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT
                       ? "what was made here was left when its process ended"
                       : "what was made here was left when the driver stopped";
    } else {
        finding.call = dxgkmem_call_name(violation->call);
        if (violation->earlier_operation != 0) {
            finding.earlier_call = dxgkmem_call_name(violation->earlier_call);
            finding.earlier = stack_of(violation->earlier_operation);
        }
    }
    kit_find(&finding, "%s", sentence);
}

/* -- handles that look alike --------------------------------------------------------------------- */

#define ALIKE ((uintptr_t)0xd00dfe40u)

HANDLE kit_outside(HANDLE handle)
{
    if (handle == NULL || (kit.world.contrary & DXGKMEM_KIT_HANDLES) == 0)
        return handle;
    for (size_t i = 0; i < handles.count; i++) {
        if (handles.item[i] == handle)
            return (HANDLE)((uintptr_t)(i + 1) << 32 | ALIKE);
    }
    APPEND(handles, handle);
    return (HANDLE)((uintptr_t)handles.count << 32 | ALIKE);
}

/* What was never given out is passed on as it is, and refused. */
HANDLE kit_inside(HANDLE handle)
{
    uintptr_t number = (uintptr_t)handle >> 32;

    if ((kit.world.contrary & DXGKMEM_KIT_HANDLES) == 0 || ((uintptr_t)handle & 0xffffffffu) != ALIKE ||
        number == 0 || number > handles.count)
        return handle;
    return handles.item[number - 1];
}

/* -- beginning and end of each call ----------------------------------------------------------------- */

const DXGKRNL_INTERFACE *kit_call_begin(kit_stack stack)
{
    kit_operation(stack);
    kit.in_callback = true;
    return &kit.real[0];
}

void kit_call_end(void)
{
    kit.in_callback = false;
}

/* Above the IRQL that is allowed a call is a mistake, not one that may fail. */
bool kit_call_fails(const void *arguments, kit_stack stack)
{
    return arguments != NULL && kit_irql() <= APC_LEVEL && kit_fails(stack);
}

/* -- CREATE, DESTROY, OPEN, CLOSE ------------------------------------------------------------------- */

static NTSTATUS APIENTRY create(IN_OUT_PDXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    NTSTATUS status;
    HANDLE adapter;

    if (kit_call_fails(arguments, stack)) {
        arguments->hPhysicalMemoryObject = arguments->hAdapterMemoryObject = NULL;
        return STATUS_NO_MEMORY;
    }
    if (arguments != NULL) {
        adapter = arguments->hAdapter;
        arguments->hAdapter = kit_inside(adapter);
    }
    status = kit_call_begin(stack)->DxgkCbCreatePhysicalMemoryObject(arguments);
    kit_call_end();
    if (arguments != NULL) {
        arguments->hAdapter = adapter;
        arguments->hPhysicalMemoryObject = kit_outside(arguments->hPhysicalMemoryObject);
        arguments->hAdapterMemoryObject = kit_outside(arguments->hAdapterMemoryObject);
    }
    return status;
}

static void APIENTRY destroy(IN_CONST_PDXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT arguments)
{
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT in = {NULL, NULL};

    if (arguments != NULL) {
        in.hPhysicalMemoryObject = kit_inside(arguments->hPhysicalMemoryObject);
        in.hAdapterMemoryObject = kit_inside(arguments->hAdapterMemoryObject);
    }
    kit_call_begin(KIT_STACK_HERE())->DxgkCbDestroyPhysicalMemoryObject(arguments != NULL ? &in : NULL);
    kit_call_end();
}

static NTSTATUS APIENTRY open_object(IN_OUT_PDXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT in = {NULL, NULL, NULL};
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->hAdapterMemoryObject = NULL;
        return STATUS_NO_MEMORY;
    }
    if (arguments != NULL) {
        in.hPhysicalMemoryObject = kit_inside(arguments->hPhysicalMemoryObject);
        in.hAdapter = kit_inside(arguments->hAdapter);
    }
    status = kit_call_begin(stack)->DxgkCbOpenPhysicalMemoryObject(arguments != NULL ? &in : NULL);
    kit_call_end();
    if (arguments != NULL)
        arguments->hAdapterMemoryObject = kit_outside(in.hAdapterMemoryObject);
    return status;
}

static void APIENTRY close_object(IN_CONST_PDXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT arguments)
{
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT in = {NULL};

    if (arguments != NULL)
        in.hAdapterMemoryObject = kit_inside(arguments->hAdapterMemoryObject);
    kit_call_begin(KIT_STACK_HERE())->DxgkCbClosePhysicalMemoryObject(arguments != NULL ? &in : NULL);
    kit_call_end();
}

/* -- MAP, UNMAP ------------------------------------------------------------------------------------- */

static NTSTATUS APIENTRY map(IN_OUT_PDXGKARGCB_MAP_PHYSICAL_MEMORY arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    size_t lead = kit_mapping_lead();
    DXGKARGCB_MAP_PHYSICAL_MEMORY in;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->pMappedAddress = NULL;
        return STATUS_NO_MEMORY;
    }
    if (arguments != NULL) {
        in = *arguments;
        in.hPhysicalMemoryObject = kit_inside(in.hPhysicalMemoryObject);
    }
    status = kit_call_begin(stack)->DxgkCbMapPhysicalMemory(arguments != NULL ? &in : NULL);
    kit_call_end();
    if (arguments == NULL)
        return status;
    if (NT_SUCCESS(status)) {
        /* A page in front and one behind: mapped, as the documentation allows, and none of the driver's. */
        in.pMappedAddress = (unsigned char *)in.pMappedAddress - lead;
        in.Offset += lead;
        in.Size += 2 * lead;
        kit_mapping_made(&(struct kit_mapping){.base = in.pMappedAddress,
                                               .bytes = in.Size,
                                               .lead = lead,
                                               .ahead = lead != 0 ? KIT_AHEAD("pMappedAddress") : NULL,
                                               .user = in.AccessMode == DXGK_ACCESS_MODE_USER_MODE,
                                               .made = stack,
                                               .made_by = "DxgkCbMapPhysicalMemory"});
    }
    arguments->Offset = in.Offset;
    arguments->Size = in.Size;
    arguments->pMappedAddress = in.pMappedAddress;
    return status;
}

size_t kit_mapping_lead(void)
{
    return (kit.world.contrary & DXGKMEM_KIT_OFFSET) != 0 ? KIT_PAGE : 0;
}

void kit_mapping_made(const struct kit_mapping *mapping)
{
    APPEND(mappings, *mapping);
}

static struct kit_mapping *mapping_from(const void *base)
{
    for (size_t i = mappings.count; i-- != 0;) {
        if (mappings.item[i].base == base)
            return &mappings.item[i];
    }
    return NULL;
}

void *kit_mapping_inside(const void *base)
{
    const struct kit_mapping *mapping = mapping_from(base);

    if (mapping != NULL)
        return (void *)(uintptr_t)(mapping->base + mapping->lead);
    for (size_t i = mappings.count; i-- != 0;) {
        if (mappings.item[i].base + mappings.item[i].lead == base)
            return (void *)(uintptr_t)mappings.item[i].base;
    }
    return (void *)(uintptr_t)base;
}

void kit_mapping_ended(const void *base, kit_stack stack, const char *by)
{
    struct kit_mapping *mapping = mapping_from(base);

    if (mapping != NULL) {
        mapping->ended = stack;
        mapping->ended_by = by;
    }
}

const struct kit_mapping *kit_mapping_at(const void *address)
{
    const unsigned char *at = address;

    for (size_t i = mappings.count; i-- != 0;) {
        const struct kit_mapping *mapping = &mappings.item[i];

        if (at >= mapping->base - KIT_PAGE && at < mapping->base + mapping->bytes + KIT_PAGE)
            return mapping;
    }
    return NULL;
}

static void APIENTRY unmap(IN_CONST_PDXGKARGCB_UNMAP_PHYSICAL_MEMORY arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY in = {NULL, NULL, 0};
    struct kit_mapping *mapping = NULL;
    uint64_t violations;
    struct dxgkmem_statistics statistics;

    if (arguments != NULL) {
        in = *arguments;
        in.hPhysicalMemoryObject = kit_inside(in.hPhysicalMemoryObject);
        mapping = mapping_from(in.pBaseAddress);
        in.pBaseAddress = kit_mapping_inside(in.pBaseAddress);
        if (mapping != NULL && mapping->lead != 0)
            in.Size = in.Size > 2 * mapping->lead ? in.Size - 2 * mapping->lead : 1; /* 1 is never right */
    }
    dxgkmem_query_statistics(&statistics);
    violations = statistics.violations;
    kit_call_begin(stack)->DxgkCbUnmapPhysicalMemory(arguments != NULL ? &in : NULL);
    kit_call_end();
    dxgkmem_query_statistics(&statistics);
    if (mapping != NULL && statistics.violations == violations)
        kit_mapping_ended(mapping->base, stack, "DxgkCbUnmapPhysicalMemory");
}

/* -- ADLs ------------------------------------------------------------------------------------------- */

/* pages: of the device, in order; they are kept. */
void kit_reach_made(const struct kit_reach *reach, const uint64_t *pages)
{
    struct kit_reach made = *reach;

    made.page = calloc(made.pages + 1u, sizeof *made.page);
    if (made.page == NULL)
        abort();
    for (uint32_t i = 0; i < made.pages; i++)
        made.page[i] = made.contiguous ? pages[0] + i : pages[i];
    APPEND(reaches, made);
}

void kit_reach_ended(const void *key, kit_stack stack, const char *by)
{
    for (size_t i = reaches.count; i-- != 0;) {
        if (reaches.item[i].key == key && reaches.item[i].ended_by == NULL) {
            reaches.item[i].ended = stack;
            reaches.item[i].ended_by = by;
            return;
        }
    }
}

static void adl_made(const DXGK_ADL *adl, kit_stack stack, const char *by)
{
    const uint64_t base = adl->BasePageNumber;
    struct kit_reach reach = {.key = adl,
                              .is = KIT_AN_ADL,
                              .pages = adl->PageCount,
                              .contiguous = adl->Flags.Contiguous,
                              .made = stack,
                              .made_by = by};
    uint64_t *pages;

    if (reach.contiguous) {
        kit_reach_made(&reach, &base);
        return;
    }
    pages = calloc(reach.pages + 1u, sizeof *pages);
    if (pages == NULL)
        abort();
    for (uint32_t i = 0; i < reach.pages; i++)
        pages[i] = (uint64_t)adl->Pages[i];
    kit_reach_made(&reach, pages);
    free(pages);
}

static bool has_page(const struct kit_reach *reach, uint64_t page)
{
    if (reach->contiguous)
        return reach->pages != 0 && page >= reach->page[0] && page - reach->page[0] < reach->pages;
    for (uint32_t i = 0; i < reach->pages; i++) {
        if (reach->page[i] == page)
            return true;
    }
    return false;
}

const struct kit_reach *kit_reach_of_page(uint64_t page)
{
    const struct kit_reach *found = NULL;

    for (size_t i = reaches.count; i-- != 0;) {
        const struct kit_reach *reach = &reaches.item[i];

        if ((found == NULL || (found->ended_by != NULL && reach->ended_by == NULL)) && has_page(reach, page))
            found = reach;
    }
    return found;
}

kit_stack kit_map_of_page(uint64_t page)
{
    for (size_t i = reaches.count; i-- != 0;) {
        const struct kit_reach *reach = &reaches.item[i];

        if (strcmp(reach->is, KIT_AN_MDL) == 0 && reach->ended_by == NULL && has_page(reach, page))
            return reach->made;
    }
    return 0;
}

bool kit_mdl_ended(const void *mdl, kit_stack *made)
{
    for (size_t i = reaches.count; i-- != 0;) {
        if (reaches.item[i].mdl == mdl && reaches.item[i].ended_by == NULL) {
            *made = reaches.item[i].made;
            reaches.item[i].mdl = NULL; /* another one may be at its place */
            return true;
        }
    }
    return false;
}

const struct kit_reach *kit_adl_as_pointer(uintptr_t address)
{
    for (size_t i = reaches.count; i-- != 0;) {
        const struct kit_reach *reach = &reaches.item[i];

        if (strcmp(reach->is, KIT_AN_ADL) == 0 && reach->contiguous && reach->pages != 0 &&
            address >= reach->page[0] && address - reach->page[0] < reach->pages * sizeof(DXGK_PAGE_NUMBER))
            return reach;
    }
    return NULL;
}

/* The wish is not granted, or is made where nobody wished. */
static bool prefers(bool asked)
{
    if (asked)
        return (kit.world.contrary & DXGKMEM_KIT_PREFER) == 0;
    return (kit.world.contrary & DXGKMEM_KIT_UNASKED) != 0;
}

static NTSTATUS APIENTRY allocate_adl(IN_OUT_PDXGKARGCB_ALLOCATE_ADL arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_ALLOCATE_ADL in;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->pAdl = NULL;
        return STATUS_NO_MEMORY;
    }
    if (arguments != NULL) {
        in = *arguments;
        in.hAdapterMemoryObject = kit_inside(in.hAdapterMemoryObject);
        in.Flags.PreferContiguous = prefers(in.Flags.PreferContiguous);
    }
    status = kit_call_begin(stack)->DxgkCbAllocateAdl(arguments != NULL ? &in : NULL);
    kit_call_end();
    if (arguments != NULL)
        arguments->pAdl = in.pAdl;
    if (arguments != NULL && NT_SUCCESS(status))
        adl_made(in.pAdl, stack, "DxgkCbAllocateAdl");
    return status;
}

static void APIENTRY free_adl(IN_CONST_PDXGKARGCB_FREE_ADL arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_FREE_ADL in = {NULL, NULL};
    struct dxgkmem_statistics before, after;

    if (arguments != NULL) {
        in = *arguments;
        in.hAdapterMemoryObject = kit_inside(in.hAdapterMemoryObject);
    }
    dxgkmem_query_statistics(&before);
    kit_call_begin(stack)->DxgkCbFreeAdl(arguments != NULL ? &in : NULL);
    kit_call_end();
    dxgkmem_query_statistics(&after);
    if (after.adls < before.adls)
        kit_reach_ended(in.pAdl, stack, "DxgkCbFreeAdl");
}

/* -- the frame buffer -------------------------------------------------------------------------------- */

static const void *pinned[KIT_ADAPTERS];

void kit_pinned(unsigned index, const void *what)
{
    pinned[index % KIT_ADAPTERS] = what;
}

static NTSTATUS APIENTRY pin(IN_CONST_HANDLE adapter, INOUT_PDXGKARGCB_PINFRAMEBUFFERFORSAVE2 arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 in;
    NTSTATUS status;

    if (kit_call_fails(arguments, stack)) {
        arguments->pAdl = NULL;
        return STATUS_NO_MEMORY;
    }
    if (arguments != NULL) {
        in = *arguments;
        in.Flags.PreferContiguous = prefers(in.Flags.PreferContiguous);
    }
    status = kit_call_begin(stack)->DxgkCbPinFrameBufferForSave2(kit_inside(adapter),
                                                                 arguments != NULL ? &in : NULL);
    kit_call_end();
    if (arguments != NULL)
        arguments->pAdl = in.pAdl;
    if (arguments != NULL && NT_SUCCESS(status)) {
        adl_made(in.pAdl, stack, "DxgkCbPinFrameBufferForSave2");
        kit_pinned(in.PhysicalAdapterIndex, in.pAdl);
    }
    return status;
}

static NTSTATUS APIENTRY unpin(IN_CONST_HANDLE adapter, IN_CONST_PDXGKARGCB_UNPINFRAMEBUFFERFORSAVE arguments)
{
    kit_stack stack = KIT_STACK_HERE();
    NTSTATUS status = kit_call_begin(stack)->DxgkCbUnpinFrameBufferForSave(kit_inside(adapter), arguments);

    kit_call_end();
    if (NT_SUCCESS(status))
        kit_memory_ended((HANDLE)(uintptr_t)pinned[arguments->PhysicalAdapterIndex % KIT_ADAPTERS], stack,
                         "DxgkCbUnpinFrameBufferForSave");
    return status;
}

/* -- the interface ----------------------------------------------------------------------------------- */

#define MEMBER(member, function)                                                                             \
    do {                                                                                                     \
        if (DXGKMEM_DDI_THROUGH(member) <= full.Size)                                                        \
            full.member = (function);                                                                        \
    } while (0)

void kit_callbacks_fill(unsigned adapter, DXGKRNL_INTERFACE *to)
{
    DXGKRNL_INTERFACE full = kit.real[adapter];

    full.DeviceHandle = kit_outside(full.DeviceHandle);
    MEMBER(DxgkCbUnpinFrameBufferForSave, unpin);
    MEMBER(DxgkCbCreatePhysicalMemoryObject, create);
    MEMBER(DxgkCbDestroyPhysicalMemoryObject, destroy);
    MEMBER(DxgkCbOpenPhysicalMemoryObject, open_object);
    MEMBER(DxgkCbClosePhysicalMemoryObject, close_object);
    MEMBER(DxgkCbMapPhysicalMemory, map);
    MEMBER(DxgkCbUnmapPhysicalMemory, unmap);
    MEMBER(DxgkCbAllocateAdl, allocate_adl);
    MEMBER(DxgkCbFreeAdl, free_adl);
    MEMBER(DxgkCbPinFrameBufferForSave2, pin);
    MEMBER(DxgkCbPinFrameBufferForSave, kit_pin_for_save);
    MEMBER(DxgkCbMapFrameBufferPointer, kit_map_frame_buffer);
    MEMBER(DxgkCbUnmapFrameBufferPointer, kit_unmap_frame_buffer);
    MEMBER(DxgkCbAllocateContiguousMemory, kit_allocate_contiguous);
    MEMBER(DxgkCbFreeContiguousMemory, kit_free_contiguous);
    MEMBER(DxgkCbAllocatePagesForMdl, kit_allocate_pages);
    MEMBER(DxgkCbFreePagesFromMdl, kit_free_pages);
    MEMBER(DxgkCbMapMdlToIoMmu, kit_map_mdl);
    MEMBER(DxgkCbUnmapMdlFromIoMmu, kit_unmap_mdl);
    memcpy(to, &full, full.Size);
}
