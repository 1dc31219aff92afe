/* SPDX-License-Identifier: MIT */
/* Start, reset and stop of the instance, and its statistics. */
#include "adl.h"
#include "callbacks.h"
#include "frame_buffer.h"
#include "mapping.h"
#include "memory.h"

#define GENERATIONS_MAX ((1u << DXGKMEM_HANDLE_GENERATION_BITS) - 1)
#define HANDLES_MAX ((1u << DXGKMEM_HANDLE_INDEX_BITS) - 1)

/* Live ADLs have no limit of their own but the quotas; their table ends where its indices do. */
#define ADLS_MAX (1u << 30)

static uint64_t resolve(uint64_t configured, uint64_t highest)
{
    return configured == 0 ? highest : configured;
}

static bool limits_valid(const struct dxgkmem_limits *limits)
{
    return limits->handles <= HANDLES_MAX && limits->generations <= GENERATIONS_MAX &&
           limits->object_bytes <= DXGKMEM_OBJECT_BYTES_MAX;
}

static void keys_make(void)
{
    instance.handle_key[0] = dxgkmem_host_random();
    instance.handle_key[1] = dxgkmem_host_random();
    range_set_key(dxgkmem_host_random());
}

static void locks_init(void)
{
    dxgkmem_host_lock_init(&instance.adapters_lock);
    dxgkmem_host_lock_init(&instance.claims_lock);
    for (unsigned i = 0; i < MAPPING_STRIPES; i++)
        dxgkmem_host_lock_init(&instance.stripe[i].lock);
}

static void locks_destroy(void)
{
    dxgkmem_host_lock_destroy(&instance.adapters_lock);
    dxgkmem_host_lock_destroy(&instance.claims_lock);
    for (unsigned i = 0; i < MAPPING_STRIPES; i++)
        dxgkmem_host_lock_destroy(&instance.stripe[i].lock);
}

NTSTATUS dxgkmem_start(const struct dxgkmem_config *config)
{
    struct dxgkmem_limits *limits = &instance.config.limits;

    if (ATOMIC_LOAD_ACQUIRE(&instance.started) != 0)
        return STATUS_INVALID_DEVICE_STATE;
    if (config == NULL || config->machine == NULL || !limits_valid(&config->limits))
        return STATUS_INVALID_PARAMETER;
    memset(&instance, 0, sizeof(instance));
    instance.config = *config;
    instance.machine = config->machine;
    limits->handles = (uint32_t)resolve(limits->handles, HANDLES_MAX);
    limits->generations = (uint32_t)resolve(limits->generations, GENERATIONS_MAX);
    limits->object_bytes = resolve(limits->object_bytes, DXGKMEM_OBJECT_BYTES_MAX);
    instance.highest_ram_page = config->machine->ops->highest_ram_page(config->machine);
    /* No page that a page number of the interface cannot name. */
    instance.highest_page = least(config->machine->ops->highest_page(config->machine), HIGHEST_PAGE_NUMBER);
    if (!table_start(&instance.handles, sizeof(struct handle_slot), 0, limits->handles))
        return STATUS_INSUFFICIENT_RESOURCES;
    if (!table_start(&instance.adls, sizeof(struct adl), sizeof(DXGK_ADL), ADLS_MAX)) {
        table_stop(&instance.handles);
        return STATUS_INSUFFICIENT_RESOURCES;
    }
    interface_fill(&instance.callbacks[false], false);
    interface_fill(&instance.callbacks[true], true);
    keys_make();
    locks_init();
    quota_init(&instance.total, &limits->total);
    ATOMIC_STORE_RELEASE(&instance.started, 1);
    return STATUS_SUCCESS;
}

/* -- clearing: everything stands still ---------------------------------------------- */

/* What a clearing does with each thing that it meets: counts it, and reports it when `call` is not NULL. */
struct clearing {
    const struct call *call;
    struct dxgkmem_leaks leaks;
};

static void met(const struct clearing *clearing, uint64_t *count, uint64_t subject, stamp made)
{
    ++*count;
    if (clearing->call != NULL)
        report_left(clearing->call, DXGKMEM_VIOLATION_LEFT_AT_STOP, subject, made);
}

static void clear_frame_buffers(struct clearing *clearing)
{
    for (struct list_link *link = instance.adapters; link != NULL;
         link = list_next(instance.adapters, link)) {
        struct adapter *adapter = CONTAINER_OF(link, struct adapter, link);
        struct frame_buffer_left left = frame_buffer_abandon(adapter, 0);
        for (; left.subject != 0; left = frame_buffer_abandon(adapter, 0))
            met(clearing, left.mapping ? &clearing->leaks.mappings : &clearing->leaks.frame_buffers,
                left.subject, left.made);
    }
}

/* Reports are made with no lock held, so each thing is ended first. */
static void clear_adls(struct clearing *clearing, struct object *object)
{
    while (object->adls != NULL) {
        struct adl *adl = adl_oldest(object);
        uint64_t address = (uintptr_t)adl_handed_out(adl);
        stamp made = adl_when(adl);
        handle_lock(object->slot);
        adl_end(adl, 0);
        handle_unlock(object->slot);
        met(clearing, &clearing->leaks.adls, address, made);
    }
}

static void clear_mappings(struct clearing *clearing, struct object *object)
{
    while (object->mappings != NULL) {
        struct mapping *mapping = mapping_oldest(object);
        uint64_t base = mapping->node.start;
        stamp made = mapping->made;
        handle_lock(object->slot);
        mapping_end(mapping, 0);
        handle_unlock(object->slot);
        met(clearing, &clearing->leaks.mappings, base, made);
    }
}

static void clear_object(struct clearing *clearing, struct object *object)
{
    uint64_t handle = object_handle(object);
    stamp made = handle_made(object->slot);

    clear_adls(clearing, object);
    clear_mappings(clearing, object);
    if (object->logical != NULL)
        met(clearing, &clearing->leaks.adapter_objects, object_adapter_handle(object), object_opened(object));
    handle_lock(object->slot);
    object_end(object, 0);
    met(clearing, &clearing->leaks.objects, handle, made);
}

static void clear_memory(struct clearing *clearing, struct memory *memory)
{
    uint64_t handle = handle_of(memory->slot);
    stamp made = handle_made(memory->slot);

    handle_lock(memory->slot);
    memory_end(memory, 0);
    met(clearing, &clearing->leaks.memories, handle, made);
}

static void clear_everything(struct clearing *clearing)
{
    clear_frame_buffers(clearing);
    for (uint32_t i = 0; i < table_used(&instance.handles); i++) {
        struct object *object = handle_thing(i, HANDLE_OBJECT);
        if (object != NULL)
            clear_object(clearing, object);
        if (handle_thing(i, HANDLE_MEMORY) != NULL)
            clear_memory(clearing, handle_thing(i, HANDLE_MEMORY));
    }
    while (instance.adapters != NULL) {
        struct adapter *adapter = CONTAINER_OF(instance.adapters, struct adapter, link);
        /* A bug check's hook may have left a removal half way, with the handle ended. */
        if (handle_thing(adapter->slot, HANDLE_ADAPTER) == adapter)
            handle_end(adapter->slot, 0);
        count_down(COUNT_ADAPTERS, 1);
        adapter_free(adapter);
    }
    handle_clear();
}

void dxgkmem_reset(void)
{
    struct clearing clearing;

    if (ATOMIC_LOAD_ACQUIRE(&instance.started) == 0)
        return;
    memset(&clearing, 0, sizeof(clearing));
    clear_everything(&clearing);
    table_reset(&instance.handles);
    table_reset(&instance.adls);
    instance.strict_irql_adapters = 0;
    for (unsigned i = 0; i < INSTANCE_SHARDS; i++) {
        counter *count = instance.shard[i].count;
        count[COUNT_CALLS] = count[COUNT_VIOLATIONS] = count[COUNT_RETIRED] = 0;
    }
    keys_make();
}

void dxgkmem_stop(struct dxgkmem_leaks *leaks)
{
    struct clearing clearing;
    struct call call;

    memset(&clearing, 0, sizeof(clearing));
    if (ATOMIC_LOAD_ACQUIRE(&instance.started) != 0) {
        call_number(&call, DXGKMEM_CALL_STOP);
        clearing.call = &call;
        clear_everything(&clearing);
        table_stop(&instance.handles);
        table_stop(&instance.adls);
        locks_destroy();
        quota_destroy(&instance.total);
        ATOMIC_STORE_RELEASE(&instance.started, 0);
    }
    if (leaks != NULL)
        *leaks = clearing.leaks;
}

/* -- statistics ------------------------------------------------------------------------ */

void dxgkmem_query_statistics(struct dxgkmem_statistics *statistics)
{
    counter sum[COUNTERS] = {0}; /* a shard may be below zero; only the sum means something */

    for (unsigned i = 0; i < INSTANCE_SHARDS; i++)
        for (unsigned name = 0; name < COUNTERS && ATOMIC_LOAD(&instance.shard[i].used) != 0; name++)
            sum[name] += ATOMIC_LOAD(&instance.shard[i].count[name]);
    statistics->adapters = sum[COUNT_ADAPTERS];
    statistics->objects = sum[COUNT_OBJECTS];
    statistics->adapter_objects = sum[COUNT_ADAPTER_OBJECTS];
    statistics->adls = sum[COUNT_ADLS];
    statistics->mappings = sum[COUNT_MAPPINGS];
    statistics->frame_buffers = sum[COUNT_FRAME_BUFFERS];
    statistics->memories = sum[COUNT_MEMORIES];
    statistics->pages = sum[COUNT_PAGES];
    statistics->pool_bytes = sum[COUNT_POOL_BYTES];
    statistics->pool_blocks = sum[COUNT_POOL_BLOCKS];
    statistics->retired_slots = sum[COUNT_RETIRED];
    statistics->calls = sum[COUNT_CALLS];
    statistics->violations = sum[COUNT_VIOLATIONS];
}
