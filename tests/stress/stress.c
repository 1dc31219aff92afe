/* SPDX-License-Identifier: MIT */
/* The scenes. Handles pass between threads as careless drivers pass them: whoever loses a race uses a stale one. */
#include "stress.h"

#include "tests/support/arguments.h"

#define LOAD(pointer) __atomic_load_n(pointer, __ATOMIC_RELAXED)
#define STORE(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELAXED)

struct pair {
    HANDLE object;
    HANDLE open; /* adapter memory object, or NULL */
};

struct stress {
    const struct stress_scene *scene;
    const struct stress_world *world;
    struct stress_result result;
    unsigned rounds;
    DXGKRNL_INTERFACE ddi;
    uint64_t reported; /* violations */
    /* What the threads share. */
    HANDLE adapter;
    struct pair place[4];
    DXGK_ADL *adl_place[8];
    unsigned arrived, turn; /* of meet() */
    uint64_t succeeded[STRESS_THREADS];
};

#define EXPECT(stress, condition) expect(stress, condition, #condition, __LINE__)
static void expect(struct stress *stress, bool holds, const char *what, int line)
{
    if (holds)
        return;
    stress->result.failures++;
    stress->world->host->failed(stress->scene->name, line, what);
}

static void audit(struct stress *stress)
{
    struct dxgkmem_audit found;

    dxgkmem_audit(&found);
    if (found.problem != NULL)
        expect(stress, false, found.problem, __LINE__);
}

static void run_threads(struct stress *stress, stress_body *body)
{
    EXPECT(stress, stress->world->host->run(body, stress));
    audit(stress);
}

static void take_violation(void *context, const struct dxgkmem_violation *violation)
{
    struct stress *stress = context;
    (void)violation;
    (void)__atomic_fetch_add(&stress->reported, 1, __ATOMIC_RELAXED);
}

/* A small generator per thread: what is tried must not depend on the others. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* All threads come here; none goes on before. */
static void meet(struct stress *stress)
{
    unsigned turn = __atomic_load_n(&stress->turn, __ATOMIC_ACQUIRE);

    if (__atomic_add_fetch(&stress->arrived, 1, __ATOMIC_ACQ_REL) == STRESS_THREADS) {
        STORE(&stress->arrived, 0);
        __atomic_store_n(&stress->turn, turn + 1, __ATOMIC_RELEASE);
        return;
    }
    while (__atomic_load_n(&stress->turn, __ATOMIC_ACQUIRE) == turn)
        stress->world->host->pause();
}

/* -- calls; in the scenes a call that fails is no failure of the test ------------ */

static bool create(struct stress *stress, create_arguments arguments, struct pair *pair)
{
    bool made = NT_SUCCESS(stress->ddi.DxgkCbCreatePhysicalMemoryObject(&arguments));
    pair->object = arguments.hPhysicalMemoryObject;
    pair->open = arguments.hAdapterMemoryObject;
    return made;
}

static void destroy(struct stress *stress, struct pair pair)
{
    const DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT arguments = {pair.object, pair.open};
    stress->ddi.DxgkCbDestroyPhysicalMemoryObject(&arguments);
}

static void close(struct stress *stress, HANDLE open)
{
    const DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT arguments = {open};
    stress->ddi.DxgkCbClosePhysicalMemoryObject(&arguments);
}

static DXGK_ADL *allocate(struct stress *stress, HANDLE open, SIZE_T pages)
{
    DXGKARGCB_ALLOCATE_ADL arguments = {.hAdapterMemoryObject = open, .Size = pages * PAGE};
    return NT_SUCCESS(stress->ddi.DxgkCbAllocateAdl(&arguments)) ? arguments.pAdl : NULL;
}

static void free_adl(struct stress *stress, HANDLE open, DXGK_ADL *adl)
{
    const DXGKARGCB_FREE_ADL arguments = {.hAdapterMemoryObject = open, .pAdl = adl};
    stress->ddi.DxgkCbFreeAdl(&arguments);
}

static void map_and_unmap(struct stress *stress, HANDLE object, DXGK_ACCESS_MODE mode)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY map = {.hPhysicalMemoryObject = object, .AccessMode = mode, .Size = PAGE};
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY unmap = {.hPhysicalMemoryObject = object};

    if (!NT_SUCCESS(stress->ddi.DxgkCbMapPhysicalMemory(&map)))
        return;
    unmap.pBaseAddress = map.pMappedAddress;
    unmap.Size = map.Size;
    stress->ddi.DxgkCbUnmapPhysicalMemory(&unmap);
}

/* -- objects of one's own ---------------------------------------------------------- */

static void own_objects(void *argument, unsigned index)
{
    struct stress *stress = argument;

    for (unsigned i = 0; i < stress->rounds; i++) {
        struct pair pair;
        DXGK_ADL *adl;
        if (!create(stress, mdl_arguments(stress->adapter, 4 * PAGE), &pair))
            continue;
        adl = allocate(stress, pair.open, 4);
        map_and_unmap(stress, pair.object, DXGK_ACCESS_MODE_KERNEL_MODE);
        map_and_unmap(stress, pair.object, DXGK_ACCESS_MODE_USER_MODE);
        if (adl != NULL) {
            free_adl(stress, pair.open, adl);
            stress->succeeded[index]++;
        }
        destroy(stress, pair);
    }
}

static void own(struct stress *stress)
{
    run_threads(stress, own_objects);
    for (unsigned i = 0; i < STRESS_THREADS; i++)
        EXPECT(stress, stress->succeeded[i] == stress->rounds);
    EXPECT(stress, stress->reported == 0);
}

/* -- shared objects ------------------------------------------------------------------ */

static void fight_create(struct stress *stress, struct pair *place, HANDLE adapter)
{
    struct pair pair;

    if (!create(stress, mdl_arguments(adapter, 2 * PAGE), &pair))
        return;
    STORE(&place->object, pair.object);
    if (adapter != NULL)
        STORE(&place->open, pair.open);
}

static void fight_open(struct stress *stress, struct pair *place, HANDLE object)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT arguments = {object, LOAD(&stress->adapter), NULL};

    if (NT_SUCCESS(stress->ddi.DxgkCbOpenPhysicalMemoryObject(&arguments)))
        STORE(&place->open, arguments.hAdapterMemoryObject);
}

static void fight_io(struct stress *stress, uint64_t page)
{
    struct pair pair;

    if (stress->world->io_page != 0 &&
        create(stress, io_arguments(LOAD(&stress->adapter), stress->world->io_page + page, 2 * PAGE), &pair))
        destroy(stress, pair);
}

static void fight_once(struct stress *stress, uint32_t *seed)
{
    struct pair *place = &stress->place[next_random(seed) % 4];
    DXGK_ADL **adl_place = &stress->adl_place[next_random(seed) % 8];
    struct pair pair = {LOAD(&place->object), LOAD(&place->open)};
    DXGK_ADL *adl;

    switch (next_random(seed) % 9) {
    case 0:
        fight_create(stress, place, LOAD(&stress->adapter));
        break;
    case 1:
        fight_create(stress, place, NULL);
        break;
    case 2:
        destroy(stress, pair);
        break;
    case 3:
        fight_open(stress, place, pair.object);
        break;
    case 4:
        close(stress, pair.open);
        break;
    case 5:
        adl = allocate(stress, pair.open, 2);
        if (adl != NULL)
            STORE(adl_place, adl);
        break;
    case 6:
        free_adl(stress, pair.open, LOAD(adl_place));
        break;
    case 7:
        map_and_unmap(stress, pair.object, (DXGK_ACCESS_MODE)(next_random(seed) % 2));
        break;
    default:
        fight_io(stress, next_random(seed) % 4);
        break;
    }
}

static void fight(void *argument, unsigned index)
{
    struct stress *stress = argument;
    uint32_t seed = index + 1;

    for (unsigned i = 0; i < stress->rounds * 4; i++)
        fight_once(stress, &seed);
}

static void shared(struct stress *stress)
{
    run_threads(stress, fight);
}

/* -- adapters that go, processes that end ------------------------------------------------ */

static void add_and_remove(struct stress *stress, struct dxgkmem_adapter_config first,
                           struct dxgkmem_adapter_config linked)
{
    HANDLE lead = NULL, second = NULL;

    if (!NT_SUCCESS(dxgkmem_add_adapter(&first, &lead)))
        return;
    STORE(&stress->adapter, lead);
    linked.link_to = lead;
    (void)!NT_SUCCESS(dxgkmem_add_adapter(&linked, &second));
    for (unsigned i = 0; i < 200; i++) {
        DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin = {.CommitSize = PAGE};
        const DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {0};
        (void)!NT_SUCCESS(stress->ddi.DxgkCbPinFrameBufferForSave2(lead, &pin));
        if (i % 2 == 1)
            (void)!NT_SUCCESS(stress->ddi.DxgkCbUnpinFrameBufferForSave(lead, &unpin));
    }
    (void)!NT_SUCCESS(dxgkmem_remove_adapter(lead));
    if (second != NULL)
        (void)!NT_SUCCESS(dxgkmem_remove_adapter(second));
}

static void fight_while_adapters_go(void *argument, unsigned index)
{
    struct stress *stress = argument;
    const uint64_t *device = stress->world->device;

    if (index != 0) {
        fight(stress, index);
        return;
    }
    for (unsigned i = 0; i < stress->rounds / 4; i++) {
        if (i % 2 == 0)
            add_and_remove(stress, adapter_remapped(device[1], V31), adapter_remapped(device[2], V31));
        else
            add_and_remove(stress, adapter_identity(device[1], V32), adapter_identity(device[2], V32));
    }
}

static void adapters_go(struct stress *stress)
{
    run_threads(stress, fight_while_adapters_go);
}

static void fight_while_processes_end(void *argument, unsigned index)
{
    struct stress *stress = argument;

    if (index != 0) {
        fight(stress, index);
        return;
    }
    for (unsigned i = 0; i < stress->rounds; i++)
        dxgkmem_process_exit(1);
}

static void processes_end(struct stress *stress)
{
    run_threads(stress, fight_while_processes_end);
}

/* -- one thing, many who end it -------------------------------------------------------------- */

static void all_end_it(void *argument, unsigned index)
{
    struct stress *stress = argument;
    struct pair *prize = &stress->place[0];

    for (unsigned i = 0; i < stress->rounds; i++) {
        meet(stress);
        if (index == 0) {
            (void)create(stress, mdl_arguments(stress->adapter, 2 * PAGE), prize);
            stress->adl_place[0] = allocate(stress, prize->open, 2);
        }
        meet(stress);
        free_adl(stress, prize->open, stress->adl_place[0]);
        meet(stress);
        if ((index + i) % 2 == 0)
            destroy(stress, *prize);
        else
            close(stress, prize->open);
        meet(stress);
        destroy(stress, (struct pair){prize->object, NULL}); /* when a close won */
    }
}

/* Of all ends of one thing exactly one succeeds; every other one is a violation. */
static void one_ends_it(struct stress *stress)
{
    struct dxgkmem_statistics statistics;

    run_threads(stress, all_end_it);
    dxgkmem_query_statistics(&statistics);
    EXPECT(stress, statistics.objects == 0 && statistics.adapter_objects == 0 && statistics.adls == 0);
    /* Each round: of all frees one is right; the rest depends on who won. */
    EXPECT(stress, statistics.violations >= (uint64_t)stress->rounds * 2 * (STRESS_THREADS - 1));
}

/* -- quotas -------------------------------------------------------------------------------------- */

static void beyond_quota(void *argument, unsigned index)
{
    struct stress *stress = argument;
    SIZE_T pages = index % 2 == 0 ? 1 : 3;

    for (unsigned i = 0; i < stress->rounds * 10; i++) {
        struct pair pair;
        if (!create(stress, mdl_arguments(stress->adapter, pages * PAGE), &pair))
            continue;
        stress->succeeded[index]++;
        destroy(stress, pair);
    }
}

/*
 * Two of four pages are taken for good. Two threads take one each: there is always room
 * for them. Two ask for three: there never is. In no order of these calls would one of the
 * first two fail.
 */
static void refused_do_not_count(struct stress *stress)
{
    struct dxgkmem_adapter_config config = adapter_identity(stress->world->device[1], V31);
    struct pair pair;

    config.quota.pages = 4;
    EXPECT(stress, NT_SUCCESS(dxgkmem_add_adapter(&config, &stress->adapter)));
    EXPECT(stress, create(stress, mdl_arguments(stress->adapter, 2 * PAGE), &pair));
    run_threads(stress, beyond_quota);
    destroy(stress, pair);
    for (unsigned i = 0; i < STRESS_THREADS; i++)
        EXPECT(stress, stress->succeeded[i] == (i % 2 == 0 ? stress->rounds * 10 : 0));
    EXPECT(stress, stress->reported == 0);
}

/* -- a scene from its start to its end --------------------------------------------------------------- */

static bool begin(struct stress *stress)
{
    struct dxgkmem_adapter_config adapter = adapter_identity(stress->world->device[0], V31);
    struct dxgkmem_config config = {
        .machine = stress->world->machine,
        .violation = take_violation,
        .violation_context = stress,
    };
    bool begun;

    if (!NT_SUCCESS(dxgkmem_start(&config)))
        return false;
    begun = NT_SUCCESS(dxgkmem_add_adapter(&adapter, &stress->adapter)) &&
            NT_SUCCESS(dxgkmem_query_interface(stress->adapter, &stress->ddi));
    if (!begun)
        dxgkmem_stop(NULL);
    return begun;
}

/* Ends whatever the threads have left. What is reported then must be all there is. */
static void end(struct stress *stress)
{
    struct dxgkmem_statistics before, after;
    struct dxgkmem_leaks leaks;

    dxgkmem_query_statistics(&before);
    EXPECT(stress, before.violations == stress->reported);
    stress->result.calls = before.calls;
    stress->result.violations = before.violations;
    stress->reported = 0;
    dxgkmem_stop(&leaks);
    EXPECT(stress, leaks.objects == before.objects);
    EXPECT(stress, leaks.adls == before.adls - before.frame_buffers);
    EXPECT(stress, leaks.mappings == before.mappings);
    EXPECT(stress, stress->reported == leaks.objects + leaks.adapter_objects + leaks.adls + leaks.mappings +
                                           leaks.frame_buffers);
    dxgkmem_query_statistics(&after);
    EXPECT(stress, after.pool_bytes == 0 && after.pool_blocks == 0 && after.pages == 0);
}

struct stress_result stress_run(const struct stress_scene *scene, const struct stress_world *world)
{
    /* As many as there are instances; too large for a kernel's stack. */
    static struct stress stress;
    bool begun;

    __builtin_memset(&stress, 0, sizeof(stress));
    stress.scene = scene;
    stress.world = world;
    stress.rounds = world->rounds;
    begun = begin(&stress);
    EXPECT(&stress, begun);
    if (begun) {
        scene->run(&stress);
        end(&stress);
    }
    return stress.result;
}

const struct stress_scene stress_scenes[] = {
    {"own objects", own},         {"shared objects", shared},
    {"adapters go", adapters_go}, {"processes end", processes_end},
    {"one ends it", one_ends_it}, {"refused requests do not count", refused_do_not_count},
};
const unsigned stress_scene_count = sizeof(stress_scenes) / sizeof(stress_scenes[0]);
