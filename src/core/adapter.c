/* SPDX-License-Identifier: MIT */
/* Adding and removing adapters, and the life of logical adapters. */
#include "adapter.h"

#include "adl.h"
#include "frame_buffer.h"
#include "memory.h"
#include "object.h"

/* -- logical adapters -------------------------------------------------------------- */

void logical_refer(struct logical_adapter *logical)
{
    ATOMIC_ADD(&logical->references, 1);
}

void logical_release(struct logical_adapter *logical)
{
    struct dxgkmem_machine *machine = instance.machine;

    /* The last one must see all that the others did. */
    if (__atomic_sub_fetch(&logical->references, 1, __ATOMIC_ACQ_REL) != 0)
        return;
    if (logical->domain != NULL)
        machine->ops->domain_destroy(machine, logical->domain);
    dxgkmem_host_lock_destroy(&logical->lock);
    dxgkmem_host_lock_destroy(&logical->pin_lock);
    quota_destroy(&logical->quota);
    pool_free(logical, sizeof(*logical));
}

uint64_t logical_highest_physical(struct logical_adapter *logical)
{
    uint64_t highest;
    if (logical->remapped)
        return UINT64_MAX;
    lock_acquire(&logical->lock, RANK_LOGICAL);
    highest = logical->highest_visible_page;
    lock_release(&logical->lock);
    return highest;
}

struct adapter *logical_adapter_at(struct logical_adapter *logical, uint32_t physical_index)
{
    struct adapter *adapter = NULL;
    lock_acquire(&logical->lock, RANK_LOGICAL);
    if (physical_index < DXGKMEM_CHAIN_MAX)
        adapter = logical->chain[physical_index];
    lock_release(&logical->lock);
    return adapter;
}

bool logical_is_lead(struct logical_adapter *logical, uint32_t physical_index)
{
    bool lead = true;
    lock_acquire(&logical->lock, RANK_LOGICAL);
    for (uint32_t i = 0; i < physical_index; i++)
        lead = lead && logical->chain[i] == NULL;
    lock_release(&logical->lock);
    return lead;
}

/* Pages that lie wholly at or below the highest visible address. */
static uint64_t visible_pages(const struct dxgkmem_adapter_config *config)
{
    uint64_t highest = (uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart;
    return (highest >> DXGKMEM_PAGE_SHIFT) + ((highest & DXGKMEM_PAGE_MASK) == DXGKMEM_PAGE_MASK);
}

static bool sees_all_ram(const struct dxgkmem_adapter_config *config)
{
    return visible_pages(config) > instance.highest_ram_page;
}

static struct logical_adapter *logical_make(const struct dxgkmem_adapter_config *config, NTSTATUS *status)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct logical_adapter *logical = pool_alloc(sizeof(*logical));

    *status = STATUS_INSUFFICIENT_RESOURCES;
    if (logical == NULL)
        return NULL;
    dxgkmem_host_lock_init(&logical->lock);
    dxgkmem_host_lock_init(&logical->pin_lock);
    quota_init(&logical->quota, &config->quota);
    logical->references = 1;
    logical->version = config->version;
    logical->remapped = config->remapping == DXGKMEM_REMAPPING_ALWAYS || !sees_all_ram(config);
    logical->highest_visible_page = least(visible_pages(config) - 1, HIGHEST_PAGE_NUMBER);
    *status = machine->ops->domain_create(machine, &logical->domain);
    if (!NT_SUCCESS(*status)) {
        logical->domain = NULL;
        logical_release(logical);
        return NULL;
    }
    return logical;
}

/* -- adapters by handle --------------------------------------------------------------- */

bool adapter_acquire(struct call *call, HANDLE handle, uint32_t lowest_version,
                     struct adapter_reference *reference)
{
    struct adapter *adapter = handle_acquire(call, (uintptr_t)handle, HANDLE_ADAPTER);

    if (adapter == NULL)
        return false;
    reference->handle = (uintptr_t)handle;
    reference->logical = adapter->logical;
    reference->physical_index = adapter->physical_index;
    reference->objects_only = adapter->objects_only;
    logical_refer(reference->logical);
    handle_unlock(adapter->slot);
    if (reference->logical->version >= lowest_version)
        return true;
    refuse(call, DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, (uintptr_t)handle, 0);
    adapter_release(reference);
    return false;
}

void adapter_release(struct adapter_reference *reference)
{
    logical_release(reference->logical);
}

NTSTATUS adapter_refuse_removed(struct call *call, const struct adapter_reference *reference, stamp gone_at)
{
    stamp made;

    /* Removals exclude each other in a chain: only the one that emptied it may have its handle yet to end. */
    if (!handle_check(call, reference->handle, HANDLE_ADAPTER, &made))
        return call_status(call);
    return refuse(call, DXGKMEM_VIOLATION_ADAPTER_REMOVED, reference->handle, gone_at);
}

/* -- adding ------------------------------------------------------------------------------- */

static bool config_valid(const struct dxgkmem_adapter_config *config)
{
    /* An adapter that sees nothing but page 0 sees nothing: logical page 0 is never used. */
    return dxgkmem_ddi_version_known(config->version) &&
           (uint64_t)config->memory_caps.HighestVisibleAddress.QuadPart >= 2 * DXGKMEM_PAGE_BYTES - 1 &&
           is_page_multiple(config->frame_buffer_bytes) &&
           config->frame_buffer_bytes <= DXGKMEM_OBJECT_BYTES_MAX &&
           (unsigned)config->remapping <= DXGKMEM_REMAPPING_ALWAYS;
}

/* The lock of the list of adapters is held. */
static bool device_is_free(uint64_t device)
{
    bool taken = false;
    for (struct list_link *link = instance.adapters; link != NULL; link = list_next(instance.adapters, link))
        taken = taken || CONTAINER_OF(link, struct adapter, link)->device == device;
    return !taken;
}

static bool device_would_be_free(uint64_t device)
{
    bool is_free;
    lock_acquire(&instance.adapters_lock, RANK_ADAPTERS);
    is_free = device_is_free(device);
    lock_release(&instance.adapters_lock);
    return is_free;
}

/* Puts the adapter on the list of all, which is what makes its device number its own. */
static bool adapter_enlist(struct adapter *adapter)
{
    lock_acquire(&instance.adapters_lock, RANK_ADAPTERS);
    adapter->enlisted = device_is_free(adapter->device);
    if (adapter->enlisted)
        list_append(&instance.adapters, &adapter->link);
    lock_release(&instance.adapters_lock);
    return adapter->enlisted;
}

/* The chain that an adapter is to be in. */
struct joining {
    struct logical_adapter *logical; /* referred to once for the adapter */
    uint32_t link;    /* physical index of the one that it is linked to; CHAIN_MAX: the chain is new */
    uint64_t highest; /* page that it sees */
};

/* Whether the chain has a place for it, and the one that it is linked to is still there; the lock is held. */
static bool chain_admits(const struct joining *joining)
{
    const struct logical_adapter *logical = joining->logical;

    return (joining->link == DXGKMEM_CHAIN_MAX || logical->chain[joining->link] != NULL) &&
           logical->indices < DXGKMEM_CHAIN_MAX &&
           (logical->opened == 0 || joining->highest >= logical->highest_visible_page);
}

/* No pin is under way between these: one that fails must not have kept anybody out. */
static void chain_lock(struct logical_adapter *logical)
{
    lock_acquire(&logical->pin_lock, RANK_PIN);
    lock_acquire(&logical->lock, RANK_LOGICAL);
}

static void chain_unlock(struct logical_adapter *logical)
{
    lock_release(&logical->lock);
    lock_release(&logical->pin_lock);
}

static bool chain_would_admit(const struct joining *joining)
{
    bool admitted;
    chain_lock(joining->logical);
    admitted = chain_admits(joining);
    chain_unlock(joining->logical);
    return admitted;
}

/* The last step of adding: what it changes in the chain is not undone. */
static NTSTATUS chain_join(const struct joining *joining, struct adapter *adapter)
{
    struct logical_adapter *logical = joining->logical;
    NTSTATUS status = STATUS_INVALID_PARAMETER;

    chain_lock(logical);
    if (chain_admits(joining)) {
        logical->highest_visible_page = least(logical->highest_visible_page, joining->highest);
        adapter->physical_index = logical->indices++;
        logical->chain[adapter->physical_index] = adapter;
        status = STATUS_SUCCESS;
    }
    chain_unlock(logical);
    return status;
}

static bool fits_chain(const struct logical_adapter *logical, const struct dxgkmem_adapter_config *config)
{
    if (logical->version != config->version)
        return false;
    return logical->remapped ? config->iommu_caps.DmaRemappingSupported != 0 : sees_all_ram(config);
}

/* The logical adapter that the new one belongs to. */
static NTSTATUS choose_logical(const struct dxgkmem_adapter_config *config, struct joining *joining)
{
    struct adapter_reference link;
    struct call probe;
    NTSTATUS status;

    if (config->link_to != NULL) {
        memset(&probe, 0, sizeof(probe));
        if (!adapter_acquire(&probe, config->link_to, 0, &link))
            return STATUS_INVALID_PARAMETER;
        joining->logical = link.logical; /* the reference moves here */
        joining->link = link.physical_index;
        return fits_chain(link.logical, config) ? STATUS_SUCCESS : STATUS_INVALID_PARAMETER;
    }
    if (config->remapping == DXGKMEM_REMAPPING_ALWAYS && !config->iommu_caps.DmaRemappingSupported)
        return STATUS_INVALID_PARAMETER;
    if (!sees_all_ram(config) && !config->iommu_caps.DmaRemappingSupported)
        return STATUS_NOT_SUPPORTED;
    joining->logical = logical_make(config, &status);
    return status;
}

static NTSTATUS adapter_build(const struct dxgkmem_adapter_config *config, struct adapter *adapter)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct joining joining = {NULL, DXGKMEM_CHAIN_MAX, visible_pages(config) - 1};
    NTSTATUS status;

    if (!device_would_be_free(adapter->device))
        return STATUS_INVALID_PARAMETER;
    status = choose_logical(config, &joining);
    adapter->logical = joining.logical;
    if (!NT_SUCCESS(status))
        return status;
    adapter->objects_only =
        adapter->logical->remapped ||
        (config->iommu_caps.DmaRemappingSupported && config->version >= DXGKDDI_INTERFACE_VERSION_WDDM3_0);
    if (!chain_would_admit(&joining))
        return STATUS_INVALID_PARAMETER;
    adapter->slot = handle_reserve();
    if (adapter->slot == TABLE_NONE)
        return STATUS_INSUFFICIENT_RESOURCES;
    /* Judged before: one that is refused, or finds no handle, must not be in the way of another with its device. */
    if (!adapter_enlist(adapter))
        return STATUS_INVALID_PARAMETER;
    status = machine->ops->domain_attach(machine, adapter->logical->domain, adapter->device);
    adapter->attached = NT_SUCCESS(status);
    return adapter->attached ? chain_join(&joining, adapter) : status;
}

/* Gives up the place in the chain, if it has one; true when the chain is empty now. */
static bool chain_leave(struct adapter *adapter, stamp when)
{
    struct logical_adapter *logical = adapter->logical;
    bool empty = true;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    if (logical->chain[adapter->physical_index] == adapter)
        logical->chain[adapter->physical_index] = NULL;
    for (unsigned i = 0; i < DXGKMEM_CHAIN_MAX; i++)
        empty = empty && logical->chain[i] == NULL;
    if (empty && logical->gone_at == 0)
        ATOMIC_STORE(&logical->gone_at, when);
    lock_release(&logical->lock);
    return empty;
}

void adapter_free(struct adapter *adapter)
{
    struct dxgkmem_machine *machine = instance.machine;

    if (adapter->attached)
        machine->ops->domain_detach(machine, adapter->logical->domain, adapter->device);
    frame_buffer_forget(adapter);
    if (adapter->logical != NULL) {
        chain_leave(adapter, 0);
        logical_release(adapter->logical);
    }
    if (adapter->enlisted) {
        lock_acquire(&instance.adapters_lock, RANK_ADAPTERS);
        list_remove(&instance.adapters, &adapter->link);
        lock_release(&instance.adapters_lock);
    }
    if (adapter->slot != TABLE_NONE)
        handle_release(adapter->slot);
    pool_free(adapter, sizeof(*adapter));
}

NTSTATUS dxgkmem_add_adapter(const struct dxgkmem_adapter_config *config, HANDLE *device_handle)
{
    struct adapter *adapter;
    struct call call;
    NTSTATUS status;

    if (ATOMIC_LOAD_ACQUIRE(&instance.started) == 0)
        return STATUS_INVALID_DEVICE_STATE;
    call_number(&call, DXGKMEM_CALL_ADD_ADAPTER);
    if (config == NULL || device_handle == NULL)
        return STATUS_INVALID_PARAMETER;
    *device_handle = NULL;
    if (!config_valid(config))
        return STATUS_INVALID_PARAMETER;
    adapter = pool_alloc(sizeof(*adapter));
    if (adapter == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    adapter->slot = TABLE_NONE;
    adapter->device = config->device;
    adapter->frame_buffer_bytes = config->frame_buffer_bytes;
    status = adapter_build(config, adapter);
    if (!NT_SUCCESS(status)) {
        adapter_free(adapter);
        return status;
    }
    count_up(COUNT_ADAPTERS, 1);
    if (config->version >= DXGKDDI_INTERFACE_VERSION_WDDM3_2)
        ATOMIC_ADD(&instance.strict_irql_adapters, 1);
    *device_handle =
        handle_pointer(handle_publish(adapter->slot, HANDLE_ADAPTER, call.now, adapter, adapter->slot));
    return STATUS_SUCCESS;
}

/* -- removing ------------------------------------------------------------------------------ */

/* Ends the oldest thing open on the logical adapter, with its ADLs; false: nothing is open. */
static bool close_oldest(struct call *call, struct logical_adapter *logical)
{
    struct call probe = *call;
    struct object *object;
    struct adl *adl;
    uint64_t handle = 0, address;
    stamp made;

    lock_acquire(&logical->lock, RANK_LOGICAL);
    if (logical->open.first != NULL)
        handle = object_adapter_handle(CONTAINER_OF(logical->open.first, struct object, open_link));
    lock_release(&logical->lock);
    if (handle == 0)
        return false;
    /* Locks of objects come before those of logical adapters: look again under the right one. */
    object = handle_acquire(&probe, handle, HANDLE_ADAPTER_OBJECT);
    if (object == NULL)
        return true;
    adl = adl_oldest(object);
    address = adl != NULL ? (uintptr_t)adl_handed_out(adl) : handle;
    made = adl != NULL ? adl_when(adl) : object_opened(object);
    if (adl != NULL)
        adl_end(adl, call->now);
    else
        object_end_adapter(object, call->now);
    handle_unlock(object->slot);
    report_left(call, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, address, made);
    return true;
}

/*
 * The one step that removes an adapter: its handle ends when it leaves the chain, so whoever is told that it is
 * removed sees what follows from that. What is left is ended after it, each thing in a step of its own. Whoever ends
 * the handle has the adapter; nobody else can reach it any more. NULL: somebody else did. The pin lock is held: no call
 * that found it in the chain is still at work on its frame buffer.
 */
static struct adapter *take_out(const struct call *call, HANDLE device_handle, bool *empty)
{
    struct call probe = *call;
    struct adapter *adapter = handle_acquire(&probe, (uintptr_t)device_handle, HANDLE_ADAPTER);

    if (adapter == NULL)
        return NULL;
    *empty = chain_leave(adapter, call->now);
    handle_end(adapter->slot, call->now);
    if (adapter->logical->version >= DXGKDDI_INTERFACE_VERSION_WDDM3_2)
        ATOMIC_SUB(&instance.strict_irql_adapters, 1);
    handle_unlock(adapter->slot);
    return adapter;
}

/* Ends what is left of the frame buffer, part by part; false: nothing is. */
static bool abandon_part(const struct call *call, struct adapter *adapter)
{
    struct frame_buffer_left left = frame_buffer_abandon(adapter, call->now);

    if (left.subject != 0)
        report_left(call, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, left.subject, left.made);
    return left.subject != 0;
}

NTSTATUS dxgkmem_remove_adapter(HANDLE device_handle)
{
    struct dxgkmem_machine *machine = instance.machine;
    struct adapter_reference reference;
    struct logical_adapter *logical;
    struct adapter *adapter;
    struct call call, probe;
    bool empty = false;

    if (ATOMIC_LOAD_ACQUIRE(&instance.started) == 0)
        return STATUS_INVALID_HANDLE;
    call_number(&call, DXGKMEM_CALL_REMOVE_ADAPTER);
    probe = call;
    if (!adapter_acquire(&probe, device_handle, 0, &reference))
        return STATUS_INVALID_HANDLE;
    lock_acquire(&reference.logical->pin_lock, RANK_PIN);
    adapter = take_out(&call, device_handle, &empty);
    lock_release(&reference.logical->pin_lock);
    adapter_release(&reference); /* the adapter has one of its own */
    if (adapter == NULL)
        return STATUS_INVALID_HANDLE;
    logical = adapter->logical;
    machine->ops->domain_detach(machine, logical->domain, adapter->device);
    adapter->attached = false;
    while (abandon_part(&call, adapter))
        continue;
    while (empty && close_oldest(&call, logical))
        continue;
    while (empty && memory_abandon(&call, logical))
        continue;
    count_down(COUNT_ADAPTERS, 1);
    adapter_free(adapter);
    return STATUS_SUCCESS;
}

NTSTATUS dxgkmem_query_adapter(HANDLE device_handle, struct dxgkmem_adapter_info *info)
{
    struct adapter_reference reference;
    struct logical_adapter *logical;
    struct call probe;

    memset(&probe, 0, sizeof(probe));
    if (ATOMIC_LOAD_ACQUIRE(&instance.started) == 0 || info == NULL)
        return STATUS_INVALID_PARAMETER;
    if (!adapter_acquire(&probe, device_handle, 0, &reference))
        return STATUS_INVALID_HANDLE;
    logical = reference.logical;
    memset(info, 0, sizeof(*info));
    info->remapped = logical->remapped;
    info->version = logical->version;
    info->physical_index = reference.physical_index;
    lock_acquire(&logical->lock, RANK_LOGICAL);
    for (unsigned i = 0; i < DXGKMEM_CHAIN_MAX; i++)
        info->physical_adapters += logical->chain[i] != NULL;
    info->highest_visible_address = (logical->highest_visible_page << DXGKMEM_PAGE_SHIFT) | DXGKMEM_PAGE_MASK;
    lock_release(&logical->lock);
    adapter_release(&reference);
    return STATUS_SUCCESS;
}
