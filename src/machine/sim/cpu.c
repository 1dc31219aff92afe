/* SPDX-License-Identifier: MIT */
/*
 * CPU mappings: slots, their addresses, and accesses through them. Owns windows and
 * slots; the pages behind them are the object's.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

/*
 * Addresses of slots, by size and by mode. On 64 bit they are canonical nowhere: on
 * x86-64 bits 63 to 56 are neither all 0 nor all 1, with four and with five levels of
 * tables; on arm64, where bits 63 to 56 may be ignored, bit 54 differs from bit 55. So nothing
 * can be there, and every direct access faults. 32 bit has no such addresses.
 *
 * A window leaves the last page of its slot alone: an access that runs past its end does not
 * get into the next slot's.
 */
struct size {
    unsigned shift; /* bytes of a slot */
    uint32_t slots;
    uintptr_t base[2]; /* of the kernel, of the user */
};

#if UINTPTR_MAX > 0xffffffffu
static const struct size sizes[SIM_SIZES] = {
    {28, 1u << 24, {0x8140000000000000u, 0x0140000000000000u}},
    {45, 1u << 9, {0x8240000000000000u, 0x0240000000000000u}},
};
#else
static const struct size sizes[SIM_SIZES] = {
    {20, 1u << 10, {0x80000000u, 0x40000000u}},
    {26, 1u << 3, {0xc0000000u, 0x20000000u}},
};
#endif

void sim_cpu_init(struct dxgkmem_sim *sim)
{
    dxgkmem_host_lock_init(&sim->cpu.lock);
}

/* -- slots ----------------------------------------------------------------------------- */

static struct sim_block **block_place(struct sim_directory *directory, uint32_t number)
{
    struct sim_middle *middle =
        __atomic_load_n(&directory->middle[number / SIM_MIDDLE_BLOCKS], __ATOMIC_ACQUIRE);

    return middle != NULL ? &middle->block[number % SIM_MIDDLE_BLOCKS] : NULL;
}

/* The window of a slot, used or not, or NULL when the slot was never handed out. */
static struct sim_window *slot_find(struct dxgkmem_sim *sim, unsigned space, uint32_t slot)
{
    struct sim_directory *directory = __atomic_load_n(&sim->cpu.space[space], __ATOMIC_ACQUIRE);
    struct sim_block **place = directory != NULL ? block_place(directory, slot / SIM_BLOCK_SLOTS) : NULL;
    struct sim_block *block = place != NULL ? __atomic_load_n(place, __ATOMIC_ACQUIRE) : NULL;

    return block != NULL ? &block->window[slot % SIM_BLOCK_SLOTS] : NULL;
}

static struct sim_shard *home_of(struct sim_window *window, uint32_t slot)
{
    uint8_t *first = (uint8_t *)(window - slot % SIM_BLOCK_SLOTS);
    struct sim_block *block = (struct sim_block *)(void *)(first - offsetof(struct sim_block, window));

    return __atomic_load_n(&block->home, __ATOMIC_ACQUIRE);
}

/* Finds or makes the block with this number. Under sim_cpu.lock. */
static struct sim_block *block_make(struct dxgkmem_sim *sim, unsigned space, uint32_t number)
{
    struct sim_directory *directory = sim->cpu.space[space];
    struct sim_block **place;
    struct sim_block *block;

    if (directory == NULL) {
        directory = sim_alloc(sim, sizeof *directory);
        if (directory == NULL)
            return NULL;
        __atomic_store_n(&sim->cpu.space[space], directory, __ATOMIC_RELEASE);
    }
    place = block_place(directory, number);
    if (place == NULL) {
        struct sim_middle *middle = sim_alloc(sim, sizeof *middle);

        if (middle == NULL)
            return NULL;
        __atomic_store_n(&directory->middle[number / SIM_MIDDLE_BLOCKS], middle, __ATOMIC_RELEASE);
        place = &middle->block[number % SIM_MIDDLE_BLOCKS];
    }
    block = *place;
    if (block == NULL) {
        block = sim_alloc(sim, sizeof *block);
        if (block == NULL)
            return NULL;
        for (unsigned i = 0; i < SIM_BLOCK_SLOTS; i++) {
            block->window[i].slot = number * SIM_BLOCK_SLOTS + i;
            block->window[i].space = (uint8_t)space;
        }
        __atomic_store_n(place, block, __ATOMIC_RELEASE);
    }
    return block;
}

/* Gives the shard its next block of slots. */
static bool slots_add(struct dxgkmem_sim *sim, struct sim_shard *shard, unsigned space)
{
    struct sim_slots *slots = &shard->slots[space];
    uint32_t limit = sizes[space % SIM_SIZES].slots;
    struct sim_block *block = NULL;
    uint32_t number;

    dxgkmem_host_lock_acquire(&sim->cpu.lock, SIM_RANK_CPU);
    number = sim->cpu.blocks[space];
    if (number * SIM_BLOCK_SLOTS < limit)
        block = block_make(sim, space, number);
    if (block != NULL) {
        sim->cpu.blocks[space]++;
        __atomic_store_n(&block->home, shard, __ATOMIC_RELEASE);
        slots->block = block;
        slots->fresh = number * SIM_BLOCK_SLOTS;
        slots->unused = limit - slots->fresh < SIM_BLOCK_SLOTS ? limit - slots->fresh : SIM_BLOCK_SLOTS;
    }
    dxgkmem_host_lock_release(&sim->cpu.lock);
    return block != NULL;
}

static struct sim_window *slot_take(struct dxgkmem_sim *sim, struct sim_shard *shard, unsigned space)
{
    struct sim_slots *slots = &shard->slots[space];
    struct sim_window *window = slots->ended;

    if (window != NULL) {
        slots->ended = window->u.next;
        return window;
    }
    if (slots->unused == 0 && !slots_add(sim, shard, space))
        return NULL;
    slots->unused--;
    return &slots->block->window[slots->fresh++ % SIM_BLOCK_SLOTS];
}

static void slot_give(struct sim_shard *shard, struct sim_window *window)
{
    struct sim_slots *slots = &shard->slots[window->space];

    window->live = false;
    window->u.next = slots->ended;
    slots->ended = window;
}

static uint64_t slot_pages(unsigned size)
{
    return (uint64_t)1 << (sizes[size].shift - DXGKMEM_PAGE_SHIFT);
}

/* Its number among the slots of all spaces. */
static uint32_t slot_number(const struct sim_window *window)
{
    return window->slot * SIM_SPACES + window->space;
}

/* Without real windows. */
static void *slot_address(const struct sim_window *window)
{
    const struct size *size = &sizes[window->space % SIM_SIZES];
    uintptr_t base = size->base[window->space >= SIM_SIZES];

    return (void *)(base + ((uintptr_t)window->slot << size->shift));
}

/* -- the index of real windows, by address; under sim_cpu.lock -------------------------- */

/* How many windows begin at or below the address. */
static size_t index_upper(const struct sim_cpu *cpu, uintptr_t address)
{
    size_t low = 0, high = cpu->index_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if ((uintptr_t)cpu->index[middle]->base <= address)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool index_reserve(struct dxgkmem_sim *sim)
{
    struct sim_cpu *cpu = &sim->cpu;
    size_t room = cpu->index_room != 0 ? cpu->index_room * 2 : 64;
    struct sim_window **index;

    if (cpu->index_count < cpu->index_room)
        return true;
    index = sim_alloc(sim, room * sizeof(struct sim_window *));
    if (index == NULL)
        return false;
    if (cpu->index != NULL) {
        memcpy((void *)index, (void *)cpu->index, cpu->index_count * sizeof(struct sim_window *));
        sim_free(sim, (void *)cpu->index, cpu->index_room * sizeof(struct sim_window *));
    }
    cpu->index = index;
    cpu->index_room = room;
    return true;
}

static bool index_add(struct dxgkmem_sim *sim, struct sim_window *window)
{
    struct sim_cpu *cpu = &sim->cpu;
    bool room;

    dxgkmem_host_lock_acquire(&cpu->lock, SIM_RANK_CPU);
    room = index_reserve(sim);
    if (room) {
        size_t at = index_upper(cpu, (uintptr_t)window->base);

        for (size_t i = cpu->index_count++; i > at; i--)
            cpu->index[i] = cpu->index[i - 1];
        cpu->index[at] = window;
    }
    dxgkmem_host_lock_release(&cpu->lock);
    return room;
}

static void index_remove(struct dxgkmem_sim *sim, const struct sim_window *window)
{
    struct sim_cpu *cpu = &sim->cpu;
    size_t at;

    dxgkmem_host_lock_acquire(&cpu->lock, SIM_RANK_CPU);
    at = index_upper(cpu, (uintptr_t)window->base) - 1;
    cpu->index_count--;
    for (size_t i = at; i < cpu->index_count; i++)
        cpu->index[i] = cpu->index[i + 1];
    dxgkmem_host_lock_release(&cpu->lock);
}

/* -- from address to window -------------------------------------------------------------- */

/* A place in a window: what an address means. */
struct place {
    struct sim_window *window;
    struct sim_shard *home;
    uint64_t offset;
};

static struct sim_window *find_by_address(struct dxgkmem_sim *sim, uintptr_t address)
{
    for (unsigned i = 0; i < SIM_SIZES; i++) {
        for (unsigned user = 0; user < 2; user++) {
            uintptr_t offset = address - sizes[i].base[user];

            if (offset >> sizes[i].shift < sizes[i].slots)
                return slot_find(sim, user * SIM_SIZES + i, (uint32_t)(offset >> sizes[i].shift));
        }
    }
    return NULL;
}

static struct sim_window *find_by_index(struct dxgkmem_sim *sim, uintptr_t address)
{
    struct sim_window *window = NULL;
    size_t upper;

    dxgkmem_host_lock_acquire(&sim->cpu.lock, SIM_RANK_CPU);
    upper = index_upper(&sim->cpu, address);
    if (upper != 0)
        window = sim->cpu.index[upper - 1];
    dxgkmem_host_lock_release(&sim->cpu.lock);
    return window;
}

/* Enters the home of the window, of whatever process, when there is one; the caller leaves it. */
static bool enter_window(struct dxgkmem_sim *sim, const void *address, struct place *place)
{
    struct sim_window *window = sim->config.windows != NULL ? find_by_index(sim, (uintptr_t)address)
                                                            : find_by_address(sim, (uintptr_t)address);

    if (window == NULL)
        return false;
    place->window = window;
    place->home = home_of(window, window->slot);
    sim_enter_shard(place->home);
    if (window->live && (uintptr_t)address >= (uintptr_t)window->base) {
        place->offset = (uintptr_t)address - (uintptr_t)window->base;
        if (place->offset >> DXGKMEM_PAGE_SHIFT < window->pages)
            return true;
    }
    sim_leave(place->home);
    return false;
}

/* The same for a window that the process (0: the kernel alone) can see. */
static bool enter_place(struct dxgkmem_sim *sim, const void *address, uint64_t process, struct place *place)
{
    if (!enter_window(sim, address, place))
        return false;
    if (place->window->process == 0 || place->window->process == process)
        return true;
    sim_leave(place->home);
    return false;
}

/* -- machine functions --------------------------------------------------------------------- */

static uint64_t window_fact(const struct sim_window *window)
{
    const struct sim_set *set = &window->u.memory->u.set;
    uint64_t mixed =
        sim_fact(SIM_FACT_WINDOW, window->process | (uint64_t)slot_number(window) << 8, window->pages);

    if (set->list == NULL)
        mixed = sim_mix(mixed, set->first + window->first);
    for (uint64_t i = 0; set->list != NULL && i < window->pages; i++)
        mixed = sim_mix(mixed, set->list[window->first + i]);
    return sim_mix(mixed, window->access | (uint64_t)window->u.memory->cache << 8);
}

/* A real window onto the pages. False: no memory, no address space. */
static bool make_real(struct dxgkmem_sim *sim, struct sim_window *window)
{
    const struct dxgkmem_sim_windows *windows = sim->config.windows;
    uint64_t *list;
    bool made = true;

    list = sim_alloc(sim, (size_t)window->pages * sizeof *list);
    if (list == NULL)
        return false;
    for (uint64_t i = 0; made && i < window->pages; i++) {
        list[i] = sim_memory_page(window->u.memory, window->first + i);
        /* Whoever has the address writes without our knowledge: the page counts as written. */
        made = sim_contents_make(sim, list[i]);
    }
    if (made) {
        window->base =
            windows->map(sim->config.windows_context, slot_number(window),
                         slot_pages(window->space % SIM_SIZES), list, window->pages, window->access);
        made = window->base != NULL;
    }
    if (made && !index_add(sim, window)) {
        windows->unmap(sim->config.windows_context, slot_number(window), window->pages);
        made = false;
    }
    sim_free(sim, list, (size_t)window->pages * sizeof *list);
    return made;
}

/* The smallest slots that hold so many pages and one that faults; SIM_SIZES: none do. */
static unsigned size_for(uint64_t pages)
{
    unsigned size = 0;

    while (size < SIM_SIZES && pages >= slot_pages(size))
        size++;
    return size;
}

NTSTATUS sim_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                 uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    struct sim_shard *shard = sim_enter(sim);
    uint64_t process = mode == DXGK_ACCESS_MODE_USER_MODE ? sim_process(sim) : 0;
    unsigned size = size_for(pages);
    struct sim_window *window = NULL;

    /* The limit binds both kinds of window, so that traces are the same. */
    if (!sim_fails(sim, shard) && sim_memory_has(sim, memory, first, pages) && size < SIM_SIZES &&
        pages <= sim->pages.limit)
        window = slot_take(sim, shard, (process != 0 ? SIM_SIZES : 0) + size);
    if (window != NULL) {
        if (!memory->zeroed)
            sim_complain(sim, "an object was mapped for the CPU before memory_zero");
        window->u.memory = memory;
        window->first = first;
        window->pages = pages;
        window->access = (uint8_t)access;
        window->process = (uint8_t)process;
        window->base = slot_address(window);
        if (sim->config.windows != NULL && !make_real(sim, window)) {
            slot_give(shard, window);
            window = NULL;
        }
    }
    if (window != NULL) {
        window->live = true;
        window->mixed = window_fact(window);
        __atomic_fetch_add(&memory->windows, 1, __ATOMIC_RELAXED);
        sim_add(&shard->live[process], 1);
        sim_fact_holds(shard, window->mixed);
        sim_changed(shard);
        *base = window->base;
    }
    sim_leave(shard);
    return window != NULL ? STATUS_SUCCESS : STATUS_INSUFFICIENT_RESOURCES;
}

/* The window ends. Its home is entered. */
static void end_window(struct dxgkmem_sim *sim, const struct place *place)
{
    struct sim_window *window = place->window;

    if (sim->config.windows != NULL) {
        index_remove(sim, window);
        sim->config.windows->unmap(sim->config.windows_context, slot_number(window), window->pages);
    }
    __atomic_fetch_sub(&window->u.memory->windows, 1, __ATOMIC_RELAXED);
    sim_add(&place->home->live[window->process], (uint64_t)0 - 1);
    sim_fact_ends(place->home, window->mixed);
    sim_changed(place->home);
    slot_give(place->home, window);
}

void sim_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
               uint64_t process)
{
    struct dxgkmem_sim *sim = sim_of(machine);
    const char *complaint = NULL;
    struct place place;

    if (!enter_window(sim, base, &place)) {
        sim_complain(sim, "a CPU mapping was unmapped that does not exist");
        return;
    }
    if (place.offset != 0 || (place.window->process != process && place.window->u.memory != memory))
        complaint = "a CPU mapping was unmapped that does not exist";
    else if (place.window->process != process)
        complaint = "a CPU mapping was unmapped for the wrong process";
    else if (place.window->u.memory != memory)
        complaint = "a CPU mapping of another object was unmapped";
    else if (place.window->pages != pages)
        complaint = "a CPU mapping was unmapped with a wrong size";
    else
        end_window(sim, &place);
    sim_leave(place.home);
    if (complaint != NULL)
        sim_complain(sim, complaint);
}

/* -- accesses ------------------------------------------------------------------------------ */

static bool cpu_access(struct dxgkmem_sim *sim, const void *address, void *to, const void *from, size_t bytes)
{
    unsigned need = to != NULL ? DXGKMEM_ACCESS_READ : DXGKMEM_ACCESS_WRITE;
    const struct sim_window *window;
    struct place place;
    uint64_t room;
    bool done;

    if (!enter_place(sim, address, sim_process(sim), &place))
        return false;
    window = place.window;
    room = (window->pages << DXGKMEM_PAGE_SHIFT) - place.offset;
    done = (window->access & need) == need && bytes <= room;
    for (uint64_t at = place.offset & ~DXGKMEM_PAGE_MASK; done && from != NULL && at < place.offset + bytes;
         at += DXGKMEM_PAGE_BYTES)
        done = sim_contents_make(
            sim, sim_memory_page(window->u.memory, window->first + (at >> DXGKMEM_PAGE_SHIFT)));
    for (size_t at = 0; done && at < bytes;) {
        uint64_t offset = place.offset + at;
        unsigned in_page = (unsigned)(offset & DXGKMEM_PAGE_MASK);
        unsigned part = (unsigned)sim_least(bytes - at, DXGKMEM_PAGE_BYTES - in_page);
        uint64_t page = sim_memory_page(window->u.memory, window->first + (offset >> DXGKMEM_PAGE_SHIFT));

        if (to != NULL)
            sim_contents_read(sim, page, in_page, (uint8_t *)to + at, part);
        else
            sim_contents_write(sim, page, in_page, (const uint8_t *)from + at, part);
        at += part;
    }
    if (done && from != NULL && bytes != 0)
        sim_changed(place.home);
    sim_leave(place.home);
    return done;
}

bool dxgkmem_sim_cpu_read(struct dxgkmem_sim *sim, const void *address, void *to, size_t bytes)
{
    return cpu_access(sim, address, to, NULL, bytes);
}

bool dxgkmem_sim_cpu_write(struct dxgkmem_sim *sim, void *address, const void *from, size_t bytes)
{
    return cpu_access(sim, address, NULL, from, bytes);
}

bool dxgkmem_sim_cpu_page(struct dxgkmem_sim *sim, uint64_t process, const void *address,
                          struct dxgkmem_sim_translation *translation)
{
    struct place place;

    if (!enter_place(sim, address, process, &place))
        return false;
    translation->page =
        sim_memory_page(place.window->u.memory, place.window->first + (place.offset >> DXGKMEM_PAGE_SHIFT));
    translation->access = place.window->access;
    translation->cache = (DXGK_MEMORY_CACHING_TYPE)place.window->u.memory->cache;
    sim_leave(place.home);
    return true;
}

uint64_t dxgkmem_sim_mappings(struct dxgkmem_sim *sim, uint64_t process)
{
    uint64_t live = 0;

    for (unsigned i = 0; process <= DXGKMEM_SIM_PROCESSES && i < SIM_SHARDS; i++)
        live += sim_read(&sim->shard[i].live[process]);
    return live;
}

/* -- reset --------------------------------------------------------------------------------- */

static void wipe_space(struct dxgkmem_sim *sim, unsigned space)
{
    for (uint32_t slot = 0; slot < sim->cpu.blocks[space] * SIM_BLOCK_SLOTS; slot++) {
        struct sim_window *window = slot_find(sim, space, slot);

        if (window->live && sim->config.windows != NULL)
            sim->config.windows->unmap(sim->config.windows_context, slot_number(window), window->pages);
        window->live = false;
    }
}

void sim_cpu_reset(struct dxgkmem_sim *sim, bool wipe)
{
    for (unsigned space = 0; wipe && space < SIM_SPACES; space++)
        wipe_space(sim, space);
    sim->cpu.index_count = 0;
    memset(sim->cpu.blocks, 0, sizeof sim->cpu.blocks);
}

static void directory_free(struct dxgkmem_sim *sim, struct sim_directory *directory)
{
    for (unsigned i = 0; i < SIM_DIRECTORY_MIDDLES && directory->middle[i] != NULL; i++) {
        struct sim_middle *middle = directory->middle[i];

        for (unsigned j = 0; j < SIM_MIDDLE_BLOCKS && middle->block[j] != NULL; j++)
            sim_free(sim, middle->block[j], sizeof *middle->block[j]);
        sim_free(sim, middle, sizeof *middle);
    }
    sim_free(sim, directory, sizeof *directory);
}

void sim_cpu_destroy(struct dxgkmem_sim *sim)
{
    for (unsigned space = 0; space < SIM_SPACES; space++) {
        if (sim->cpu.space[space] != NULL)
            directory_free(sim, sim->cpu.space[space]);
    }
    if (sim->cpu.index != NULL)
        sim_free(sim, (void *)sim->cpu.index, sim->cpu.index_room * sizeof(struct sim_window *));
    dxgkmem_host_lock_destroy(&sim->cpu.lock);
}
