/* SPDX-License-Identifier: MIT */
/*
 * The life of a physical memory object: making, opening, closing, freeing, and
 * the callbacks DESTROY, OPEN and CLOSE. What CREATE checks is in create.c.
 */
#include "object.h"

#include "adl.h"
#include "callbacks.h"
#include "mapping.h"

static size_t object_bytes(const struct object *object)
{
    return object_is_io(object) ? sizeof(struct io_object) : sizeof(struct object);
}

static unsigned cpu_access(const struct dxgkmem_memory_request *request)
{
    if (request->type != DXGK_PHYSICAL_MEMORY_TYPE_SECTION ||
        request->page_protection == DXGKMEM_PAGE_READWRITE)
        return DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE;
    if (request->page_protection == DXGKMEM_PAGE_EXECUTE)
        return DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_EXECUTE;
    return DXGKMEM_ACCESS_READ;
}

/* -- building -------------------------------------------------------------------- */

struct object *object_new(const struct object_plan *plan)
{
    const struct dxgkmem_memory_request *request = &plan->request;
    bool io = request->type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE;
    struct object *object = pool_alloc(io ? sizeof(struct io_object) : sizeof(struct object));

    if (object == NULL)
        return NULL;
    object->slot = object->adapter_slot = TABLE_NONE;
    object->type = (uint32_t)request->type & 3;
    object->access = cpu_access(request) & 7;
    object->pages = (uint32_t)request->pages;
    object->size = plan->size;
    object->context = plan->context;
    object->lowest_page = io ? 0 : request->lowest_page;
    object->highest_page = plan->highest_logical_page;
    if (request->boundary_pages != 0)
        object->boundary_log2 = (64u - (unsigned)__builtin_clzll(request->boundary_pages)) & 63;
    return object;
}

/* The claims lock is held. */
static NTSTATUS claim_check(struct call *call, const struct dxgkmem_memory_request *request)
{
    struct range_node *taken =
        range_first_overlap(&instance.claims, request->lowest_page, request->lowest_page + request->pages);
    if (taken == NULL)
        return STATUS_SUCCESS;
    return refuse(call, DXGKMEM_VIOLATION_IO_SPACE_OVERLAP, 0,
                  CONTAINER_OF(taken, struct io_object, claim)->claimed);
}

NTSTATUS object_check_claim(struct call *call, const struct dxgkmem_memory_request *request)
{
    NTSTATUS status;
    if (request->type != DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE)
        return STATUS_SUCCESS;
    lock_acquire(&instance.claims_lock, RANK_CLAIMS);
    status = claim_check(call, request);
    lock_release(&instance.claims_lock);
    return status;
}

NTSTATUS object_claim(struct call *call, struct object *object, const struct dxgkmem_memory_request *request)
{
    struct io_object *io = (struct io_object *)object;
    NTSTATUS status;

    if (!object_is_io(object))
        return STATUS_SUCCESS;
    lock_acquire(&instance.claims_lock, RANK_CLAIMS);
    status = claim_check(call, request);
    if (NT_SUCCESS(status)) {
        io->claimed = call->now;
        io->claim.start = request->lowest_page;
        io->claim.end = request->lowest_page + request->pages;
        range_insert(&instance.claims, &io->claim);
    }
    lock_release(&instance.claims_lock);
    return status;
}

/* Of an object that was made known: its claim was the last step. */
static void claim_give(struct io_object *io)
{
    lock_acquire(&instance.claims_lock, RANK_CLAIMS);
    range_remove(&instance.claims, &io->claim);
    lock_release(&instance.claims_lock);
    io->claim.end = io->claim.start;
}

static bool claim_is_empty(const struct io_object *io)
{
    return io->claim.start == io->claim.end;
}

NTSTATUS object_charge(struct object *object)
{
    object->charged_total = quota_take(&instance.total, object->pages, 1, 0);
    return object->charged_total ? STATUS_SUCCESS : STATUS_QUOTA_EXCEEDED;
}

NTSTATUS object_prepare(struct object *object, const struct adapter_reference *reference)
{
    struct logical_adapter *logical = reference->logical;

    logical_refer(logical);
    object->logical = logical;
    object->charged_adapter = quota_take(&logical->quota, object->pages, 1, 0);
    if (!object->charged_adapter)
        return STATUS_QUOTA_EXCEEDED;
    object->adapter_slot = handle_reserve();
    return object->adapter_slot != TABLE_NONE ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

NTSTATUS object_populate(struct object *object, const struct dxgkmem_memory_request *request)
{
    struct dxgkmem_machine *machine = instance.machine;
    NTSTATUS status = machine->ops->memory_create(machine, request, &object->memory);

    if (!NT_SUCCESS(status)) {
        object->memory = NULL;
        return status;
    }
    count_up(COUNT_PAGES, object->pages);
    if (!object_is_io(object))
        machine->ops->memory_zero(machine, object->memory);
    return STATUS_SUCCESS;
}

/* Whether the chain sees less than the object's range; its lock is held. request: of an object that has no claim yet. */
static bool is_hidden(const struct logical_adapter *logical, const struct object *object,
                      const struct dxgkmem_memory_request *request)
{
    if (!object_is_io(object) || logical->remapped)
        return false;
    return (request != NULL ? request->lowest_page + request->pages
                            : ((const struct io_object *)object)->claim.end) -
               1 >
           logical->highest_visible_page;
}

/* The last look at what may have changed since the call began; the logical adapter's lock is held. */
static NTSTATUS attach_check(struct call *call, struct object *object,
                             const struct adapter_reference *reference,
                             const struct dxgkmem_memory_request *request)
{
    struct logical_adapter *logical = object->logical;
    bool hidden = is_hidden(logical, object, request); /* a linked adapter that sees less may have joined */
    NTSTATUS status = STATUS_SUCCESS;

    /* The last adapter may have gone away since the handle was looked at. */
    if (logical->gone_at != 0)
        return adapter_refuse_removed(call, reference, logical->gone_at);
    if (request != NULL)
        status = hidden ? object_check_claim(call, request) : object_claim(call, object, request);
    if (NT_SUCCESS(status) && hidden)
        status = refuse(call, DXGKMEM_VIOLATION_NOT_VISIBLE, request == NULL ? object_handle(object) : 0, 0);
    return status;
}

NTSTATUS object_attach(struct call *call, struct object *object, const struct adapter_reference *reference,
                       const struct dxgkmem_memory_request *request)
{
    struct logical_adapter *logical = object->logical;
    NTSTATUS status;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    status = attach_check(call, object, reference, request);
    if (NT_SUCCESS(status)) {
        list_ends_append(&logical->open, &object->open_link);
        object->attached = 1;
        logical->opened++;
        handle_publish(object->adapter_slot, HANDLE_ADAPTER_OBJECT, call->now, NULL, object->slot);
        count_up(COUNT_ADAPTER_OBJECTS, 1);
    }
    lock_release(&logical->lock);
    return status;
}

/* -- undoing ----------------------------------------------------------------------- */

/* Out of the list of what is open on the logical adapter. */
static void object_detach(struct object *object)
{
    struct logical_adapter *logical = object->logical;

    CORE_ASSERT(object->attached);
    lock_acquire(&logical->lock, RANK_LOGICAL);
    list_ends_remove(&logical->open, &object->open_link);
    logical->opened--;
    lock_release(&logical->lock);
    object->attached = 0;
}

void object_close(struct object *object)
{
    struct logical_adapter *logical = object->logical;

    CORE_ASSERT(object->adls == NULL && !object->attached);
    if (logical == NULL)
        return;
    if (object->adapter_slot != TABLE_NONE)
        handle_release(object->adapter_slot);
    if (object->charged_adapter)
        quota_give(&logical->quota, object->pages, 1, 0);
    object->adapter_slot = TABLE_NONE;
    object->charged_adapter = 0;
    object->logical = NULL;
    logical_release(logical);
}

void object_free(struct object *object)
{
    struct dxgkmem_machine *machine = instance.machine;

    CORE_ASSERT(object->mappings == NULL);
    CORE_ASSERT(!object_is_io(object) || claim_is_empty((const struct io_object *)object));
    object_close(object);
    if (object->memory != NULL) {
        machine->ops->memory_destroy(machine, object->memory);
        count_down(COUNT_PAGES, object->pages);
    }
    if (object->charged_total)
        quota_give(&instance.total, object->pages, 1, 0);
    if (object->slot != TABLE_NONE)
        handle_release(object->slot);
    pool_free(object, object_bytes(object));
}

void object_end_adapter(struct object *object, stamp when)
{
    /* First: a removal that found it in the list with its handle ended would ask again and again, without waiting. */
    object_detach(object);
    handle_end(object->adapter_slot, when);
    count_down(COUNT_ADAPTER_OBJECTS, 1);
    object_close(object);
}

void object_end(struct object *object, stamp when)
{
    uint32_t slot = object->slot;

    /* Before anybody can see a handle ended: who does may claim the range, and must not be blamed. */
    if (object_is_io(object))
        claim_give((struct io_object *)object);
    if (object->logical != NULL)
        object_end_adapter(object, when);
    handle_end(slot, when);
    count_down(COUNT_OBJECTS, 1);
    handle_unlock(slot);
    /* Nobody can find it any more. */
    object_free(object);
}

/* -- DxgkCbOpenPhysicalMemoryObject ----------------------------------------------------- */

static NTSTATUS open_check(struct call *call, const struct object *object,
                           const struct adapter_reference *reference, uint64_t subject)
{
    if (object->logical == reference->logical)
        return refuse(call, DXGKMEM_VIOLATION_SECOND_OPEN, subject, object_opened(object));
    if (object->logical != NULL)
        return refuse(call, DXGKMEM_VIOLATION_OPEN_ON_OTHER_ADAPTER, subject, object_opened(object));
    if (object_is_io(object) &&
        ((const struct io_object *)object)->claim.end - 1 > logical_highest_physical(reference->logical))
        return refuse(call, DXGKMEM_VIOLATION_NOT_VISIBLE, subject, 0);
    return STATUS_SUCCESS;
}

/* The object is locked. */
static NTSTATUS open_on_adapter(struct call *call, struct object *object,
                                const struct adapter_reference *reference, uint64_t subject)
{
    NTSTATUS status = open_check(call, object, reference, subject);
    if (!NT_SUCCESS(status))
        return status;
    status = object_prepare(object, reference);
    if (NT_SUCCESS(status))
        status = object_attach(call, object, reference, NULL);
    if (!NT_SUCCESS(status))
        object_close(object);
    return status;
}

static NTSTATUS open_object(struct call *call, const DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *in, uint64_t *out)
{
    uint64_t handle = (uintptr_t)in->hPhysicalMemoryObject;
    struct adapter_reference reference;
    struct call probe = *call;
    struct object *object;
    NTSTATUS status;
    /* Two slot locks are never held together: the adapter is looked at first, its mistake told after the object's. */
    bool on_adapter = adapter_acquire(&probe, in->hAdapter, DXGKDDI_INTERFACE_VERSION_WDDM2_9, &reference);

    object = handle_acquire(call, handle, HANDLE_OBJECT);
    if (object != NULL && on_adapter) {
        status = open_on_adapter(call, object, &reference, handle);
        if (NT_SUCCESS(status))
            *out = object_adapter_handle(object);
    } else {
        if (object != NULL)
            *call = probe;
        status = call_status(call);
    }
    if (object != NULL)
        handle_unlock(object->slot);
    if (on_adapter)
        adapter_release(&reference);
    return status;
}

NTSTATUS APIENTRY CALLBACK dxgkmem_open_physical_memory_object(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT *pArgs)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT in;
    struct call call;
    bool writable;
    uint64_t out = 0;
    NTSTATUS status;

    if (CALL_BEGIN(&call, OPEN, pArgs, in, &writable))
        status = open_object(&call, &in, &out);
    else
        status = call_status(&call);
    if (writable)
        pArgs->hAdapterMemoryObject = handle_pointer(out);
    call_end(&call);
    return status;
}

/* -- DxgkCbClosePhysicalMemoryObject ------------------------------------------------------ */

static void close_object(struct call *call, uint64_t handle)
{
    struct object *object = handle_acquire(call, handle, HANDLE_ADAPTER_OBJECT);
    if (object == NULL)
        return;
    if (object->adls != NULL)
        refuse(call, DXGKMEM_VIOLATION_CLOSE_WITH_LIVE_ADL, handle, adl_when(adl_oldest(object)));
    else
        object_end_adapter(object, call->now);
    handle_unlock(object->slot);
}

VOID APIENTRY CALLBACK
dxgkmem_close_physical_memory_object(const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT *pArgs)
{
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT in;
    struct call call;
    bool writable;

    if (CALL_BEGIN(&call, CLOSE, pArgs, in, &writable))
        close_object(&call, (uintptr_t)in.hAdapterMemoryObject);
    call_end(&call);
}

/* -- DxgkCbDestroyPhysicalMemoryObject ------------------------------------------------------ */

/* The object is locked. */
static NTSTATUS destroy_check(struct call *call, const struct object *object,
                              const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *in)
{
    uint64_t subject = (uintptr_t)in->hPhysicalMemoryObject;
    uint64_t named = (uintptr_t)in->hAdapterMemoryObject;
    stamp named_made;

    if (named != 0 && !handle_check(call, named, HANDLE_ADAPTER_OBJECT, &named_made))
        return call_status(call);
    if (named != 0 && named != object_adapter_handle(object))
        return refuse(call, DXGKMEM_VIOLATION_DESTROY_FOREIGN_ADAPTER_OBJECT, named, named_made);
    if (object->adls != NULL)
        return refuse(call, DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL, subject, adl_when(adl_oldest(object)));
    if (named == 0 && object->logical != NULL)
        return refuse(call, DXGKMEM_VIOLATION_DESTROY_WHILE_OPEN, subject, object_opened(object));
    if (object->mappings != NULL)
        return refuse(call, DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_MAPPING, subject,
                      mapping_made(mapping_oldest(object)));
    return STATUS_SUCCESS;
}

/* Returns when no end of it is under way. */
static void await_end(const struct call *call, uint64_t adapter_object)
{
    struct call probe = *call;
    struct object *object = handle_acquire(&probe, adapter_object, HANDLE_ADAPTER_OBJECT);

    if (object != NULL)
        handle_unlock(object->slot);
}

static void destroy(struct call *call, const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *in)
{
    uint64_t named = (uintptr_t)in->hAdapterMemoryObject;
    struct object *object = handle_acquire(call, (uintptr_t)in->hPhysicalMemoryObject, HANDLE_OBJECT);

    /*
     * The look at another object's handle takes no lock. One that still lives while the rest of its end is done
     * already, a removal's list left or an I/O range given back, would be an answer of no order of calls.
     */
    if (object != NULL && named != 0 && named != object_adapter_handle(object)) {
        handle_unlock(object->slot);
        await_end(call, named);
        object = handle_acquire(call, (uintptr_t)in->hPhysicalMemoryObject, HANDLE_OBJECT);
    }
    if (object == NULL)
        return;
    if (NT_SUCCESS(destroy_check(call, object, in)))
        object_end(object, call->now);
    else
        handle_unlock(object->slot);
}

VOID APIENTRY CALLBACK
dxgkmem_destroy_physical_memory_object(const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT *pArgs)
{
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT in;
    struct call call;
    bool writable;

    if (CALL_BEGIN(&call, DESTROY, pArgs, in, &writable))
        destroy(&call, &in);
    call_end(&call);
}
