/* SPDX-License-Identifier: MIT */
/*
 * The tree of page metadata and the bitmaps in it. Owns chunks and nodes; leaves
 * the choice of pages to choose.c and their bytes to contents.c.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

/* Chunks beyond this many are not kept by a reset. */
#define KEPT_CHUNKS 64u

static unsigned child_of(const struct sim_node *node, uint64_t index)
{
    return (unsigned)(index >> node->shift) & SIM_CHUNK_MASK;
}

/* Whether the node's children reach as far as this chunk; meant for the root. */
static bool covers(const struct sim_node *node, uint64_t index)
{
    return node != NULL && index >> node->shift < SIM_CHUNK_PAGES;
}

static bool bit_is_set(const uint64_t *words, unsigned bit)
{
    return (words[bit / 64] >> (bit % 64) & 1) != 0;
}

static void bit_set(uint64_t *words, unsigned bit)
{
    words[bit / 64] |= (uint64_t)1 << (bit % 64);
}

static void bit_clear(uint64_t *words, unsigned bit)
{
    words[bit / 64] &= ~((uint64_t)1 << (bit % 64));
}

/* The first bit from `from` on that is `set`, or 512. */
static unsigned next_bit(const uint64_t *words, unsigned from, bool set)
{
    uint64_t flip = set ? 0 : ~(uint64_t)0;
    unsigned word = from / 64;
    uint64_t bits = (words[word] ^ flip) & (~(uint64_t)0 << (from % 64));

    while (bits == 0) {
        if (++word == SIM_CHUNK_WORDS)
            return SIM_CHUNK_PAGES;
        bits = words[word] ^ flip;
    }
    return word * 64 + sim_lowest_bit(bits);
}

static bool all_set(const uint64_t *words)
{
    return next_bit(words, 0, false) == SIM_CHUNK_PAGES;
}

bool sim_run_touches_ram(const struct dxgkmem_sim *sim, uint64_t first, uint64_t pages)
{
    for (unsigned i = 0; i < sim->pages.ranges; i++) {
        const struct sim_range *ram = &sim->pages.ram[i];

        if (first <= ram->last && (first >= ram->first || pages > ram->first - first))
            return true;
    }
    return false;
}

void sim_pages_init(struct dxgkmem_sim *sim)
{
    struct sim_pages *pages = &sim->pages;

    dxgkmem_host_lock_init(&pages->lock);
    for (unsigned i = 0; i < sim->config.ranges; i++) {
        const struct dxgkmem_sim_range *range = &sim->config.range[i];

        if (range->io)
            continue;
        pages->ram_pages += range->pages;
        if (pages->ranges == 0 || pages->ram[pages->ranges - 1].last + 1 != range->page)
            pages->ram[pages->ranges++].first = range->page;
        pages->ram[pages->ranges - 1].last = range->page + range->pages - 1;
    }
    pages->lowest = pages->ram[0].first;
    pages->end = (uint64_t)1 << (sim->config.address_bits - DXGKMEM_PAGE_SHIFT);
    pages->limit = sim->config.page_limit != 0 ? sim->config.page_limit : DXGKMEM_SIM_PAGE_LIMIT;
}

/* -- the tree ------------------------------------------------------------------ */

struct sim_chunk *sim_chunk_find(const struct dxgkmem_sim *sim, uint64_t page)
{
    uint64_t index = page >> SIM_CHUNK_SHIFT;
    const struct sim_node *node = __atomic_load_n(&sim->pages.root, __ATOMIC_ACQUIRE);

    if (!covers(node, index))
        return NULL;
    while (node->shift != 0) {
        node = __atomic_load_n(&node->child[child_of(node, index)], __ATOMIC_ACQUIRE);
        if (node == NULL)
            return NULL;
    }
    return __atomic_load_n(&node->child[child_of(node, index)], __ATOMIC_ACQUIRE);
}

/* A node whose first child begins at chunk `base`. */
static struct sim_node *node_make(struct dxgkmem_sim *sim, uint64_t base, unsigned shift)
{
    struct sim_node *node = sim_alloc(sim, sizeof *node);

    if (node == NULL)
        return NULL;
    node->shift = shift;
    for (unsigned child = 0; child < SIM_CHUNK_PAGES; child++) {
        uint64_t first = (base + ((uint64_t)child << shift)) << SIM_CHUNK_SHIFT;

        if (!sim_run_touches_ram(sim, first, (uint64_t)1 << (shift + SIM_CHUNK_SHIFT)))
            bit_set(node->full, child);
    }
    node->next = sim->pages.nodes;
    sim->pages.nodes = node;
    return node;
}

/* Makes the tree high enough for this chunk. */
static bool grow(struct dxgkmem_sim *sim, uint64_t index)
{
    struct sim_node *root = sim->pages.root;

    while (!covers(root, index)) {
        unsigned shift = root != NULL ? root->shift + SIM_CHUNK_SHIFT : 0;
        struct sim_node *higher = node_make(sim, 0, shift);

        if (higher == NULL)
            return false;
        if (root != NULL) {
            higher->child[0] = root;
            if (all_set(root->full))
                bit_set(higher->full, 0);
        }
        root = higher;
        __atomic_store_n(&sim->pages.root, root, __ATOMIC_RELEASE);
    }
    return true;
}

/* Nothing is locked, mapped or owned. */
static void chunk_wipe(struct sim_chunk *chunk)
{
    memset(chunk->page, 0, sizeof chunk->page);
    for (unsigned i = 0; i < SIM_CHUNK_PAGES; i++) {
        if (!bit_is_set(chunk->no_ram, i))
            chunk->page[i].flags = SIM_PAGE_RAM;
    }
}

/* Nothing is taken. */
static void chunk_release(struct sim_chunk *chunk)
{
    memcpy(chunk->taken, chunk->no_ram, sizeof chunk->taken);
    chunk->available = chunk->ram;
}

static struct sim_chunk *chunk_make(struct dxgkmem_sim *sim, uint64_t index)
{
    struct sim_chunk *chunk = sim_alloc(sim, sizeof *chunk);
    uint64_t first = index << SIM_CHUNK_SHIFT;

    if (chunk == NULL)
        return NULL;
    chunk->index = index;
    memset(chunk->no_ram, 0xff, sizeof chunk->no_ram);
    for (unsigned i = 0; i < sim->pages.ranges; i++) {
        const struct sim_range *ram = &sim->pages.ram[i];
        uint64_t page = ram->first > first ? ram->first : first;
        uint64_t last = sim_least(ram->last, first + SIM_CHUNK_MASK);

        for (; page <= last; page++) {
            bit_clear(chunk->no_ram, (unsigned)page & SIM_CHUNK_MASK);
            chunk->ram++;
        }
    }
    chunk_wipe(chunk);
    chunk_release(chunk);
    chunk->next = sim->pages.chunks;
    sim->pages.chunks = chunk;
    sim->pages.chunk_count++;
    return chunk;
}

static void touch(struct dxgkmem_sim *sim, struct sim_chunk *chunk)
{
    if (chunk->touched)
        return;
    __atomic_store_n(&chunk->touched, true, __ATOMIC_RELEASE);
    chunk->next_touched = sim->pages.touched;
    sim->pages.touched = chunk;
}

struct sim_chunk *sim_chunk_make_locked(struct dxgkmem_sim *sim, uint64_t page)
{
    uint64_t index = page >> SIM_CHUNK_SHIFT;
    struct sim_chunk *chunk;
    struct sim_node *node;

    if (!grow(sim, index))
        return NULL;
    node = sim->pages.root;
    while (node->shift != 0) {
        struct sim_node *child = node->child[child_of(node, index)];

        if (child == NULL) {
            child = node_make(sim, index >> node->shift << node->shift, node->shift - SIM_CHUNK_SHIFT);
            if (child == NULL)
                return NULL;
            __atomic_store_n(&node->child[child_of(node, index)], (void *)child, __ATOMIC_RELEASE);
        }
        node = child;
    }
    chunk = node->child[child_of(node, index)];
    if (chunk == NULL) {
        chunk = chunk_make(sim, index);
        if (chunk == NULL)
            return NULL;
        __atomic_store_n(&node->child[child_of(node, index)], (void *)chunk, __ATOMIC_RELEASE);
    }
    touch(sim, chunk);
    return chunk;
}

struct sim_chunk *sim_chunk_make(struct dxgkmem_sim *sim, uint64_t page)
{
    struct sim_chunk *chunk = sim_chunk_find(sim, page);

    if (chunk != NULL && __atomic_load_n(&chunk->touched, __ATOMIC_ACQUIRE))
        return chunk;
    dxgkmem_host_lock_acquire(&sim->pages.lock, SIM_RANK_PAGES);
    chunk = sim_chunk_make_locked(sim, page);
    dxgkmem_host_lock_release(&sim->pages.lock);
    return chunk;
}

const struct sim_chunk *sim_chunk_next(const struct dxgkmem_sim *sim, uint64_t first, uint64_t end)
{
    uint64_t index = first >> SIM_CHUNK_SHIFT;
    uint64_t last = (end - 1) >> SIM_CHUNK_SHIFT;
    const struct sim_node *root = __atomic_load_n(&sim->pages.root, __ATOMIC_ACQUIRE);

    while (index <= last && covers(root, index)) {
        const struct sim_node *node = root;
        const void *child = __atomic_load_n(&node->child[child_of(node, index)], __ATOMIC_ACQUIRE);

        while (child != NULL && node->shift != 0) {
            node = child;
            child = __atomic_load_n(&node->child[child_of(node, index)], __ATOMIC_ACQUIRE);
        }
        if (child != NULL)
            return child;
        index = ((index >> node->shift) + 1) << node->shift;
    }
    return NULL;
}

/* -- what is taken --------------------------------------------------------------- */

/* The chunk has no page left: says so in its node, and upwards as far as it is true. */
static void mark_full(struct dxgkmem_sim *sim, uint64_t index)
{
    struct sim_node *path[8];
    unsigned depth = 0;
    struct sim_node *node = sim->pages.root;

    path[0] = node;
    while (node->shift != 0) {
        node = node->child[child_of(node, index)];
        path[++depth] = node;
    }
    for (;;) {
        node = path[depth];
        bit_set(node->full, child_of(node, index));
        if (depth == 0 || !all_set(node->full))
            return;
        depth--;
    }
}

static void mark_available(struct dxgkmem_sim *sim, uint64_t index)
{
    struct sim_node *node = sim->pages.root;

    for (;;) {
        bit_clear(node->full, child_of(node, index));
        if (node->shift == 0)
            return;
        node = node->child[child_of(node, index)];
    }
}

void sim_tree_take(struct dxgkmem_sim *sim, uint64_t first, uint64_t pages)
{
    uint64_t end = first + pages;

    sim->pages.taken += pages;
    while (first < end) {
        struct sim_chunk *chunk = sim_chunk_find(sim, first);
        uint64_t stop = sim_least(end, (first | SIM_CHUNK_MASK) + 1);

        chunk->available -= (uint32_t)(stop - first);
        if (stop - first == SIM_CHUNK_PAGES) {
            memset(chunk->taken, 0xff, sizeof chunk->taken);
            first = stop;
        }
        for (; first < stop; first++)
            bit_set(chunk->taken, (unsigned)first & SIM_CHUNK_MASK);
        if (chunk->available == 0)
            mark_full(sim, chunk->index);
    }
}

void sim_tree_give(struct dxgkmem_sim *sim, uint64_t first, uint64_t pages)
{
    uint64_t end = first + pages;

    sim->pages.taken -= pages;
    if (first < sim->pages.lowest)
        sim->pages.lowest = first;
    while (first < end) {
        struct sim_chunk *chunk = sim_chunk_find(sim, first);
        uint64_t stop = sim_least(end, (first | SIM_CHUNK_MASK) + 1);

        if (chunk->available == 0)
            mark_available(sim, chunk->index);
        chunk->available += (uint32_t)(stop - first);
        if (stop - first == SIM_CHUNK_PAGES) {
            memset(chunk->taken, 0, sizeof chunk->taken);
            first = stop;
        }
        for (; first < stop; first++)
            bit_clear(chunk->taken, (unsigned)first & SIM_CHUNK_MASK);
    }
}

/*
 * One step down from the root towards a page: the page itself when nothing below is
 * taken (free is set), the first page of what comes next when all of it is, or the
 * chunk to look into.
 */
struct step {
    struct sim_chunk *chunk;
    uint64_t page;
    bool free;
};

static struct step step_to_free(const struct dxgkmem_sim *sim, uint64_t page)
{
    uint64_t index = page >> SIM_CHUNK_SHIFT;
    const struct sim_node *node = sim->pages.root;

    if (!covers(node, index))
        return (struct step){.page = page, .free = true};
    for (;;) {
        unsigned child = child_of(node, index);
        unsigned next = next_bit(node->full, child, false);

        if (next != child) {
            uint64_t base = index >> node->shift >> SIM_CHUNK_SHIFT << SIM_CHUNK_SHIFT;

            return (struct step){.page = (base + next) << node->shift << SIM_CHUNK_SHIFT};
        }
        if (node->child[child] == NULL)
            return (struct step){.page = page, .free = true};
        if (node->shift == 0)
            return (struct step){.chunk = node->child[child], .page = page};
        node = node->child[child];
    }
}

uint64_t sim_tree_free(struct dxgkmem_sim *sim, uint64_t from, uint64_t to)
{
    bool lowest = from <= sim->pages.lowest;
    uint64_t page = lowest ? sim->pages.lowest : from;

    while (page <= to) {
        struct step step = step_to_free(sim, page);

        page = step.page;
        if (step.chunk != NULL) {
            unsigned bit = next_bit(step.chunk->taken, (unsigned)page & SIM_CHUNK_MASK, false);

            page = (page & ~(uint64_t)SIM_CHUNK_MASK) + bit;
            step.free = bit != SIM_CHUNK_PAGES;
        }
        if (step.free)
            break;
    }
    if (lowest && sim->pages.lowest <= to)
        sim->pages.lowest = page <= to ? page : to + 1;
    return page <= to ? page : SIM_NONE;
}

uint64_t sim_tree_taken(const struct dxgkmem_sim *sim, uint64_t first, uint64_t end)
{
    while (first < end) {
        uint64_t index = first >> SIM_CHUNK_SHIFT;
        const struct sim_node *node = sim->pages.root;
        const struct sim_chunk *chunk;
        unsigned bit;

        if (!covers(node, index))
            return end;
        while (node->shift != 0 && node->child[child_of(node, index)] != NULL)
            node = node->child[child_of(node, index)];
        chunk = node->child[child_of(node, index)];
        if (chunk == NULL) {
            first = ((index >> node->shift) + 1) << node->shift << SIM_CHUNK_SHIFT;
            continue;
        }
        bit = next_bit(chunk->taken, (unsigned)first & SIM_CHUNK_MASK, true);
        first = (first & ~(uint64_t)SIM_CHUNK_MASK) + bit;
        if (bit != SIM_CHUNK_PAGES)
            break;
    }
    return sim_least(first, end);
}

/* -- reset ----------------------------------------------------------------------- */

static void drop_tree(struct dxgkmem_sim *sim)
{
    struct sim_pages *pages = &sim->pages;

    while (pages->chunks != NULL) {
        struct sim_chunk *chunk = pages->chunks;

        pages->chunks = chunk->next;
        sim_free(sim, chunk, sizeof *chunk);
    }
    while (pages->nodes != NULL) {
        struct sim_node *node = pages->nodes;

        pages->nodes = node->next;
        sim_free(sim, node, sizeof *node);
    }
    pages->chunk_count = 0;
    pages->root = NULL;
}

void sim_pages_reset(struct dxgkmem_sim *sim, bool wipe)
{
    struct sim_pages *pages = &sim->pages;
    struct sim_chunk *next;

    for (struct sim_chunk *chunk = pages->touched; chunk != NULL; chunk = next) {
        bool full = chunk->available == 0;

        next = chunk->next_touched;
        sim_contents_forget_chunk(sim, chunk);
        if (wipe)
            chunk_wipe(chunk);
        chunk_release(chunk);
        if (full && chunk->available != 0)
            mark_available(sim, chunk->index);
        chunk->touched = false;
    }
    pages->touched = NULL;
    if (pages->chunk_count > KEPT_CHUNKS)
        drop_tree(sim);
    pages->taken = 0;
    pages->lowest = pages->ram[0].first;
}

void sim_pages_destroy(struct dxgkmem_sim *sim)
{
    sim_pages_reset(sim, false);
    drop_tree(sim);
    dxgkmem_host_lock_destroy(&sim->pages.lock);
}
