/* SPDX-License-Identifier: MIT */
/*
 * CPU mappings. A mapping is a window: a slot of the kernel's or of the user's addresses,
 * of one of two sizes. All processes share the user's slots; a window says whose it is. The
 * address follows from the slot; without real windows the address leads back to the slot.
 * The slot of the mapping that ended last is used again first.
 *
 * Slots belong, in blocks, to the shard that first used them, so that threads that
 * map their own objects do not meet.
 */
#ifndef DXGKMEM_SIM_CPU_H
#define DXGKMEM_SIM_CPU_H

#include <dxgkmem/sim.h>

#define SIM_SIZES 2u
/* Space of a mode (0: the kernel, 1: the user) and a size: mode * SIM_SIZES + size. */
#define SIM_SPACES (2u * SIM_SIZES)

#define SIM_BLOCK_SLOTS 64u
#define SIM_MIDDLE_BLOCKS 512u
#if UINTPTR_MAX > 0xffffffffu
#define SIM_DIRECTORY_MIDDLES 512u
#else
#define SIM_DIRECTORY_MIDDLES 1u
#endif

struct sim_window {
    union {
        struct dxgkmem_memory *memory;
        struct sim_window *next; /* of a slot that ended */
    } u;
    uint64_t first; /* page of the object */
    uint64_t pages;
    void *base;
    uint64_t mixed; /* what it adds to the digest */
    uint32_t slot;
    uint8_t space;
    uint8_t access;
    uint8_t process; /* 0: the kernel's */
    bool live;
};

struct sim_block {
    struct sim_shard *home;
    struct sim_window window[SIM_BLOCK_SLOTS];
};

struct sim_middle {
    struct sim_block *block[SIM_MIDDLE_BLOCKS];
};

struct sim_directory {
    struct sim_middle *middle[SIM_DIRECTORY_MIDDLES];
};

/* What a shard has of a space. */
struct sim_slots {
    struct sim_window *ended;
    struct sim_block *block; /* the block that is being used for the first time */
    uint32_t unused;         /* slots of it that are left */
    uint32_t fresh;          /* number of the next one */
};

struct sim_cpu {
    struct dxgkmem_lock lock;
    struct sim_directory *space[SIM_SPACES];
    uint32_t blocks[SIM_SPACES]; /* handed to shards since the last reset */
    /* With real windows: those alive, by address. */
    struct sim_window **index;
    size_t index_count;
    size_t index_room;
};

void sim_cpu_init(struct dxgkmem_sim *sim);
/* wipe: windows may be left. */
void sim_cpu_reset(struct dxgkmem_sim *sim, bool wipe);
void sim_cpu_destroy(struct dxgkmem_sim *sim);

/* Machine functions. */
NTSTATUS sim_map(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                 uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base);
void sim_unmap(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base, uint64_t pages,
               uint64_t process);

#endif
