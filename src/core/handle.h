/* SPDX-License-Identifier: MIT */
/*
 * Handles: check | kind | generation | index, and the slots they name.
 *
 * A slot is never freed, so a handle is verified without touching the thing it
 * may once have named. Physical memory objects, adapters and the memories
 * of the WDDM 2.4 callbacks have the lock of their slot; an adapter memory object has none of its own, it lives under the
 * lock of the object it belongs to. A slot whose generations run out is retired.
 */
#ifndef DXGKMEM_CORE_HANDLE_H
#define DXGKMEM_CORE_HANDLE_H

#include "instance.h"

enum handle_kind { HANDLE_ADAPTER, HANDLE_OBJECT, HANDLE_ADAPTER_OBJECT, HANDLE_MEMORY };

struct handle_slot {
    struct table_entry entry;
    /*
     * Atomic: generation << 3 | kind << 1 | live. Changes under the lock that guards the thing, or while nobody
     * can name it. Released when published or ended; acquired by who judges a handle without a lock. So who sees a
     * life sees the thing complete and the stamp of that life, by whatever way the handle came to him. Relaxed
     * under the lock, which orders more; and to ask whether the generation is still the same, behind an acquire.
     */
    uint32_t life;
    struct dxgkmem_lock lock;
    void *thing; /* of all kinds but HANDLE_ADAPTER_OBJECT; under the slot's lock */
    /*
     * HANDLE_ADAPTER_OBJECT, atomic: slot of the physical memory object. Not
     * shared with `thing`: a late reader must find a valid index here whatever
     * the slot is used for by then. Released and acquired by itself: what the reader finds may be of a later life than
     * he saw, and that slot in a segment newer than any he knows of. Life is judged again under that slot's lock.
     */
    uint32_t owner_index;
    uint32_t lock_ready; /* under nobody's lock: looked at by who takes the slot from the table */
    /*
     * Atomic, by the parity of the generation: when it was made, while it
     * lives; when it ended, afterwards. So the last two lives are known. Who reads one without a lock acquires
     * it and then looks whether the generation is still the same (or the next): a stamp that a
     * later life wrote was released by it, so that its reader sees that the generation went on; or it is of a
     * life that is about to begin: no end is the work of a call that makes handles. The
     * stamp of an end is relaxed: the life that it belongs to is released after it.
     */
    stamp when[2];
};

/* A slot that nobody can name yet, or TABLE_NONE. */
uint32_t handle_reserve(void);
/* From now on the handle is good; returns it. The thing is complete. */
uint64_t handle_publish(uint32_t index, enum handle_kind kind, stamp when, void *thing, uint32_t owner_index);
/* The handle of a live slot, and when it was published. */
uint64_t handle_of(uint32_t index);
stamp handle_made(uint32_t index);
/* Ends the handle; the caller holds the lock that guards the thing. */
void handle_end(uint32_t index, stamp when);
/* The slot may be used again (unless its generations ran out). */
void handle_release(uint32_t index);

struct handle_slot *handle_slot(uint32_t index);
/* The thing of a slot that is live with this kind, or NULL. For walks while everything stands still. */
void *handle_thing(uint32_t index, enum handle_kind kind);
/* Ends the use of every slot's lock, before the table is reset. */
void handle_clear(void);
/* The index in a handle that is known to be good. */
uint32_t handle_index(uint64_t handle);

static inline HANDLE handle_pointer(uint64_t handle)
{
    return (HANDLE)(uintptr_t)handle;
}

/*
 * The thing of a handle with its slot's lock held, or NULL: then the mistake is
 * noted in the call. For HANDLE_ADAPTER_OBJECT it is the physical memory object.
 */
void *handle_acquire(struct call *call, uint64_t handle, enum handle_kind kind);
/* The lock of a slot by itself, for a thing that is not published yet. */
void handle_lock(uint32_t index);
/* Ends what handle_acquire or handle_lock began; index is that of the slot whose lock is held. */
void handle_unlock(uint32_t index);
/*
 * Whether a handle names a live thing of this kind, and when that was made; notes the mistake if not. Without
 * the lock of the thing the answer may be outdated at once, but it was true at one moment.
 */
bool handle_check(struct call *call, uint64_t handle, enum handle_kind kind, stamp *made);

#endif
