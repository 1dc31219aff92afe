/* SPDX-License-Identifier: MIT */
/*
 * Bytes of pages. Owns the storage and its free list; which page is whose is no
 * business of it. Pages that are given back keep their bytes until memory_zero, so
 * that a missing zeroing shows.
 */
#include "sim_internal.h"

#include "sim_bytes.h"

#define PAGE_BYTES ((size_t)DXGKMEM_PAGE_BYTES)

struct sim_buffer {
    struct sim_buffer *next;
};

void sim_contents_init(struct dxgkmem_sim *sim)
{
    dxgkmem_host_lock_init(&sim->contents.lock);
}

static uint64_t stored_bit(uint64_t page)
{
    return (uint64_t)1 << (page % 64);
}

static uint64_t *stored_word(struct sim_chunk *chunk, uint64_t page)
{
    return &chunk->stored[(page & SIM_CHUNK_MASK) / 64];
}

static uint8_t *storage_take(struct dxgkmem_sim *sim, uint64_t page)
{
    struct sim_buffer *buffer = sim->contents.ended;

    if (sim->config.windows != NULL)
        return sim->config.windows->page(sim->config.windows_context, page);
    if (buffer == NULL)
        return sim_alloc(sim, PAGE_BYTES);
    sim->contents.ended = buffer->next;
    sim->contents.ended_count--;
    memset(buffer, 0, PAGE_BYTES);
    return (uint8_t *)buffer;
}

static void storage_give(struct dxgkmem_sim *sim, uint64_t page, uint8_t *storage)
{
    struct sim_buffer *buffer = (struct sim_buffer *)(void *)storage;

    if (sim->config.windows != NULL) {
        sim->config.windows->forget(sim->config.windows_context, page);
        return;
    }
    buffer->next = sim->contents.ended;
    sim->contents.ended = buffer;
    sim->contents.ended_count++;
}

static void forget(struct dxgkmem_sim *sim, struct sim_chunk *chunk, uint64_t page)
{
    struct sim_page *known = &chunk->page[page & SIM_CHUNK_MASK];
    uint8_t *storage = known->contents;

    __atomic_store_n(&known->contents, (uint8_t *)NULL, __ATOMIC_RELAXED);
    *stored_word(chunk, page) &= ~stored_bit(page);
    storage_give(sim, page, storage);
}

void sim_contents_forget_chunk(struct dxgkmem_sim *sim, struct sim_chunk *chunk)
{
    uint64_t first = chunk->index << SIM_CHUNK_SHIFT;

    for (unsigned word = 0; word < SIM_CHUNK_WORDS; word++) {
        while (chunk->stored[word] != 0)
            forget(sim, chunk, first + word * 64 + sim_lowest_bit(chunk->stored[word]));
    }
}

void sim_contents_trim(struct dxgkmem_sim *sim, unsigned keep)
{
    struct sim_contents *contents = &sim->contents;

    while (contents->ended_count > keep) {
        struct sim_buffer *buffer = contents->ended;

        contents->ended = buffer->next;
        contents->ended_count--;
        sim_free(sim, buffer, PAGE_BYTES);
    }
}

bool sim_contents_make(struct dxgkmem_sim *sim, uint64_t page)
{
    struct sim_chunk *chunk = sim_chunk_make(sim, page);
    struct sim_page *known;
    bool made = true;

    if (chunk == NULL)
        return false;
    known = &chunk->page[page & SIM_CHUNK_MASK];
    dxgkmem_host_lock_acquire(&sim->contents.lock, SIM_RANK_CONTENTS);
    if (known->contents == NULL) {
        uint8_t *storage = storage_take(sim, page);

        made = storage != NULL;
        if (made) {
            __atomic_store_n(&known->contents, storage, __ATOMIC_RELAXED);
            *stored_word(chunk, page) |= stored_bit(page);
        }
    }
    dxgkmem_host_lock_release(&sim->contents.lock);
    return made;
}

bool sim_contents_zero(struct dxgkmem_sim *sim, struct sim_chunk *chunk, uint64_t page)
{
    struct sim_page *known = &chunk->page[page & SIM_CHUNK_MASK];
    bool had;

    if (__atomic_load_n(&known->contents, __ATOMIC_RELAXED) == NULL)
        return false;
    dxgkmem_host_lock_acquire(&sim->contents.lock, SIM_RANK_CONTENTS);
    had = known->contents != NULL;
    if (had)
        forget(sim, chunk, page);
    dxgkmem_host_lock_release(&sim->contents.lock);
    return had;
}

void sim_contents_read(struct dxgkmem_sim *sim, uint64_t page, unsigned offset, void *to, unsigned bytes)
{
    struct sim_chunk *chunk = sim_chunk_find(sim, page);
    const uint8_t *storage = NULL;

    dxgkmem_host_lock_acquire(&sim->contents.lock, SIM_RANK_CONTENTS);
    if (chunk != NULL)
        storage = chunk->page[page & SIM_CHUNK_MASK].contents;
    if (storage != NULL)
        memcpy(to, storage + offset, bytes);
    else
        memset(to, 0, bytes);
    dxgkmem_host_lock_release(&sim->contents.lock);
}

void sim_contents_write(struct dxgkmem_sim *sim, uint64_t page, unsigned offset, const void *from,
                        unsigned bytes)
{
    struct sim_chunk *chunk = sim_chunk_find(sim, page);

    dxgkmem_host_lock_acquire(&sim->contents.lock, SIM_RANK_CONTENTS);
    if (chunk->page[page & SIM_CHUNK_MASK].contents != NULL)
        memcpy(chunk->page[page & SIM_CHUNK_MASK].contents + offset, from, bytes);
    dxgkmem_host_lock_release(&sim->contents.lock);
}
