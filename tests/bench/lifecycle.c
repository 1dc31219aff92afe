/* SPDX-License-Identifier: MIT */
/*
 * How many lives of one page a second: create, open, ADL, map, unmap, free,
 * close, destroy, with a number of other objects alive.
 *
 *   bench_lifecycle core|limited|peer|plain LIVE MILLISECONDS [THREADS [ADAPTERS]]
 *
 * limited is core with quotas, which cost nothing where there are none; peer is peer.h's, plain the implementation of tests/providers/plain, with lists that every call walks.
 * Each live object is open on the first adapter and has one contiguous ADL.
 * Threads live their own lives, each on the next adapter. Prints lives a second
 * of all of them, and for core its bytes of pool for each live object. A second
 * is one of the clock, and for one thread, which waits for nobody, one of its
 * processor: what else the machine does then counts less.
 */
#include "peer.h"

#include <dxgkmem/provider.h>
#include <dxgkmem/sim.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BATCH 1024 /* lives between two looks at the clock */
#define THREADS 16

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

static uint64_t nanoseconds(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
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

/* Core through its table, which is not in the library: the few functions of it that are needed. */
static NTSTATUS start_core(struct dxgkmem_sim *sim, const struct dxgkmem_config *config)
{
    struct dxgkmem_config with_machine = *config;

    with_machine.machine = dxgkmem_sim_machine(sim);
    return dxgkmem_start(&with_machine);
}

static const struct dxgkmem_provider core_table = {
    .start = start_core, .add_adapter = dxgkmem_add_adapter, .query_interface = dxgkmem_query_interface};

/* One interface an adapter. */
static void start(const struct dxgkmem_provider *provider, struct dxgkmem_sim *sim,
                  DXGKRNL_INTERFACE *callbacks, unsigned adapters, bool limited)
{
    /* Limits that nothing here reaches. */
    const struct dxgkmem_quota quota = {.pages = limited ? (uint64_t)1 << 40 : 0};
    struct dxgkmem_config config = {.limits.total = quota};
    struct dxgkmem_adapter_config adapter = {.version = DXGKDDI_INTERFACE_VERSION_WDDM2_9, .quota = quota};
    HANDLE handle;

    adapter.memory_caps.HighestVisibleAddress.QuadPart = -1;
    adapter.iommu_caps.DmaRemappingSupported = 1;
    must(NT_SUCCESS(provider->start(sim, &config)), "start");
    for (unsigned i = 0; i < adapters; i++) {
        adapter.device = i;
        must(NT_SUCCESS(provider->add_adapter(&adapter, &handle)), "adding an adapter");
        must(NT_SUCCESS(provider->query_interface(handle, &callbacks[i])), "query of the interface");
    }
}

static uint64_t pool_bytes(bool core)
{
    struct dxgkmem_statistics statistics = {0};

    if (core)
        dxgkmem_query_statistics(&statistics);
    return statistics.pool_bytes;
}

/* What one thread does, and how fast it was; each on cache lines of its own. */
struct worker {
    const DXGKRNL_INTERFACE *callbacks;
    pthread_barrier_t *start;
    clockid_t clock;
    uint64_t budget, done, elapsed;
    pthread_t thread;
} __attribute__((aligned(128)));

static void *work(void *context)
{
    struct worker *worker = context;
    const DXGKRNL_INTERFACE callbacks = *worker->callbacks;
    uint64_t begun, now, done = 0;

    /* Warm: what is taken once is taken before time is measured. */
    for (unsigned i = 0; i < BATCH; i++)
        one_life(&callbacks);
    pthread_barrier_wait(worker->start);
    begun = nanoseconds(worker->clock);
    do {
        for (unsigned i = 0; i < BATCH; i++)
            one_life(&callbacks);
        done += BATCH;
        now = nanoseconds(worker->clock);
    } while (now - begun < worker->budget);
    worker->done = done;
    worker->elapsed = now - begun;
    return NULL;
}

/* Lives a second of so many threads together. */
static double rate(const DXGKRNL_INTERFACE *callbacks, unsigned adapters, uint64_t budget, unsigned threads)
{
    static struct worker workers[THREADS];
    pthread_barrier_t start;
    double sum = 0;

    pthread_barrier_init(&start, NULL, threads);
    for (unsigned i = 0; i < threads; i++) {
        workers[i].callbacks = &callbacks[i % adapters];
        workers[i].start = &start;
        workers[i].clock = threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
        workers[i].budget = budget;
        must(i == 0 || pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0, "a thread");
    }
    work(&workers[0]);
    for (unsigned i = 1; i < threads; i++)
        pthread_join(workers[i].thread, NULL);
    for (unsigned i = 0; i < threads; i++)
        sum += (double)workers[i].done * 1e9 / (double)workers[i].elapsed;
    return sum;
}

static unsigned number(int count, char **arguments, int which, unsigned otherwise)
{
    unsigned long value = which < count ? strtoul(arguments[which], NULL, 10) : otherwise;

    return value <= THREADS ? (unsigned)value : 0;
}

int main(int count, char **arguments)
{
    bool limited = count > 3 && strcmp(arguments[1], "limited") == 0;
    bool core = limited || (count > 3 && strcmp(arguments[1], "core") == 0);
    bool plain = count > 3 && strcmp(arguments[1], "plain") == 0;
    unsigned threads = number(count, arguments, 4, 1), adapters = number(count, arguments, 5, 1);
    static DXGKRNL_INTERFACE callbacks[THREADS];

    if (count < 4 || count > 6 || threads == 0 || adapters == 0 ||
        (!core && ((!plain && strcmp(arguments[1], "peer") != 0) || adapters != 1))) {
        fputs("usage: bench_lifecycle core|limited|peer|plain LIVE MILLISECONDS [THREADS [ADAPTERS]]\n",
              stderr);
        return 2;
    }
    uint64_t live = strtoull(arguments[2], NULL, 10), budget = strtoull(arguments[3], NULL, 10) * 1000000u;
    struct dxgkmem_sim *sim = make_machine(live);
    if (core || plain)
        start(core ? &core_table : dxgkmem_provider(), sim, callbacks, adapters, limited);
    else
        must(peer_start(dxgkmem_sim_machine(sim), 0, callbacks), "starting the peer");

    uint64_t before = pool_bytes(core);
    struct life *lives = malloc((live ? live : 1) * sizeof *lives);
    must(lives != NULL, "memory");
    for (uint64_t i = 0; i < live; i++)
        begin(&callbacks[0], &lives[i]);
    uint64_t taken = pool_bytes(core) - before;

    printf("lives_per_second %.0f\n", rate(callbacks, adapters, budget, threads));
    if (core && live)
        printf("bytes_per_live %.1f\n", (double)taken / (double)live);
    /* The process ends here: taking ten million lives apart is not what is measured. */
    fflush(stdout);
    _Exit(0);
}
