/* SPDX-License-Identifier: MIT */
/*
 * How many lives of one page a second: create, open, ADL, map, unmap, free,
 * close, destroy, on one core, with a number of other objects alive.
 *
 *   bench_lifecycle core|peer LIVE MILLISECONDS
 *
 * Each live object is open and has one contiguous ADL. Prints lives a second,
 * and for core its bytes of pool for each live object.
 */
#include "peer.h"

#include <dxgkmem/sim.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DEVICE 0
#define BATCH 1024 /* lives between two looks at the clock */

struct life {
    HANDLE object, adapter_object;
    DXGK_ADL *adl;
};

static void must(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "bench_lifecycle: %s failed\n", what);
    exit(2);
}

static uint64_t nanoseconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void begin(const DXGKRNL_INTERFACE *callbacks, struct life *life)
{
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create = {
        .Size = 4096,
        .Type = DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY,
        .CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED,
    };
    create.ContiguousMemory.HighestAcceptableAddress.QuadPart = -1;
    must(NT_SUCCESS(callbacks->DxgkCbCreatePhysicalMemoryObject(&create)), "create");

    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {.hPhysicalMemoryObject = create.hPhysicalMemoryObject,
                                                  .hAdapter = callbacks->DeviceHandle};
    must(NT_SUCCESS(callbacks->DxgkCbOpenPhysicalMemoryObject(&open)), "open");

    DXGKARGCB_ALLOCATE_ADL allocate = {.hAdapterMemoryObject = open.hAdapterMemoryObject, .Size = 4096};
    allocate.Flags.RequireContiguous = 1;
    must(NT_SUCCESS(callbacks->DxgkCbAllocateAdl(&allocate)), "allocate ADL");

    life->object = create.hPhysicalMemoryObject;
    life->adapter_object = open.hAdapterMemoryObject;
    life->adl = allocate.pAdl;
}

static void end(const DXGKRNL_INTERFACE *callbacks, const struct life *life)
{
    DXGKARGCB_FREE_ADL free_adl = {.hAdapterMemoryObject = life->adapter_object, .pAdl = life->adl};
    callbacks->DxgkCbFreeAdl(&free_adl);
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT close = {.hAdapterMemoryObject = life->adapter_object};
    callbacks->DxgkCbClosePhysicalMemoryObject(&close);
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT destroy = {.hPhysicalMemoryObject = life->object};
    callbacks->DxgkCbDestroyPhysicalMemoryObject(&destroy);
}

static void one_life(const DXGKRNL_INTERFACE *callbacks)
{
    struct life life;

    begin(callbacks, &life);
    DXGKARGCB_MAP_PHYSICAL_MEMORY map = {.hPhysicalMemoryObject = life.object, .Size = 4096};
    must(NT_SUCCESS(callbacks->DxgkCbMapPhysicalMemory(&map)), "map");
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY unmap = {
        .hPhysicalMemoryObject = life.object, .pBaseAddress = map.pMappedAddress, .Size = map.Size};
    callbacks->DxgkCbUnmapPhysicalMemory(&unmap);
    end(callbacks, &life);
}

static struct dxgkmem_sim *make_machine(uint64_t live)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = 256, .pages = live + (live >> 3) + 65536}},
        .ranges = 1,
        .address_bits = 48,
        .page_limit = UINT64_MAX /* what is alive here is a benchmark, not an accident */};
    struct dxgkmem_sim *sim = NULL;

    must(NT_SUCCESS(dxgkmem_sim_create(&config, &sim)), "making the machine");
    return sim;
}

static void start_core(struct dxgkmem_machine *machine, DXGKRNL_INTERFACE *callbacks)
{
    struct dxgkmem_config config = {.machine = machine};
    struct dxgkmem_adapter_config adapter = {.device = DEVICE, .version = DXGKDDI_INTERFACE_VERSION_WDDM2_9};
    HANDLE handle;

    adapter.memory_caps.HighestVisibleAddress.QuadPart = -1;
    adapter.iommu_caps.DmaRemappingSupported = 1;
    must(NT_SUCCESS(dxgkmem_start(&config)), "start");
    must(NT_SUCCESS(dxgkmem_add_adapter(&adapter, &handle)), "adding the adapter");
    must(NT_SUCCESS(dxgkmem_query_interface(handle, callbacks)), "query of the interface");
}

static uint64_t pool_bytes(bool core)
{
    struct dxgkmem_statistics statistics = {0};

    if (core)
        dxgkmem_query_statistics(&statistics);
    return statistics.pool_bytes;
}

int main(int count, char **arguments)
{
    bool core = count == 4 && strcmp(arguments[1], "core") == 0;
    DXGKRNL_INTERFACE callbacks = {0};

    if (count != 4 || (!core && strcmp(arguments[1], "peer") != 0)) {
        fputs("usage: bench_lifecycle core|peer LIVE MILLISECONDS\n", stderr);
        return 2;
    }
    uint64_t live = strtoull(arguments[2], NULL, 10), budget = strtoull(arguments[3], NULL, 10) * 1000000u;
    struct dxgkmem_sim *sim = make_machine(live);
    if (core)
        start_core(dxgkmem_sim_machine(sim), &callbacks);
    else
        must(peer_start(dxgkmem_sim_machine(sim), DEVICE, &callbacks), "starting the peer");

    uint64_t before = pool_bytes(core);
    struct life *lives = malloc((live ? live : 1) * sizeof *lives);
    must(lives != NULL, "memory");
    for (uint64_t i = 0; i < live; i++)
        begin(&callbacks, &lives[i]);
    uint64_t taken = pool_bytes(core) - before;
    /* Warm: what is taken once is taken before time is measured. */
    for (unsigned i = 0; i < BATCH; i++)
        one_life(&callbacks);

    uint64_t done = 0, begun = nanoseconds(), now;
    do {
        for (unsigned i = 0; i < BATCH; i++)
            one_life(&callbacks);
        done += BATCH;
        now = nanoseconds();
    } while (now - begun < budget);
    printf("lives_per_second %.0f\n", (double)done * 1e9 / (double)(now - begun));
    if (core && live)
        printf("bytes_per_live %.1f\n", (double)taken / (double)live);
    /* The process ends here: taking ten million lives apart is not what is measured. */
    fflush(stdout);
    _Exit(0);
}
