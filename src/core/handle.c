/* SPDX-License-Identifier: MIT */
/* Making, verifying, ending handles. What the things are belongs to adapter.c, object.c, memory.c and mdl.c. */
#include "handle.h"

#define INDEX_BITS DXGKMEM_HANDLE_INDEX_BITS
#define GENERATION_BITS DXGKMEM_HANDLE_GENERATION_BITS
#define KIND_BITS DXGKMEM_HANDLE_KIND_BITS
#define CHECK_BITS DXGKMEM_HANDLE_CHECK_BITS
#define BODY_BITS (INDEX_BITS + GENERATION_BITS + KIND_BITS)

#define MASK(bits) (((uint64_t)1 << (bits)) - 1)

_Static_assert(BODY_BITS + CHECK_BITS == sizeof(void *) * 8, "a handle fills a pointer");

#define LIFE_LIVE 1u

static uint32_t life_make(uint32_t generation, enum handle_kind kind)
{
    return generation << 3 | (uint32_t)kind << 1;
}

static uint32_t life_generation(uint32_t life)
{
    return life >> 3;
}

static enum handle_kind life_kind(uint32_t life)
{
    return (enum handle_kind)(life >> 1 & 3);
}

static uint64_t check_of(uint64_t body)
{
    uint64_t mixed = mix64(body ^ instance.handle_key[0]) ^ instance.handle_key[1];
    return mix64(mixed) >> (64 - CHECK_BITS);
}

static uint64_t handle_make(uint32_t index, uint32_t generation, enum handle_kind kind)
{
    uint64_t body =
        (uint64_t)kind << (INDEX_BITS + GENERATION_BITS) | (uint64_t)generation << INDEX_BITS | index;
    return check_of(body) << BODY_BITS | body;
}

struct handle_slot *handle_slot(uint32_t index)
{
    return table_at(&instance.handles, 0, index);
}

uint32_t handle_index(uint64_t handle)
{
    return (uint32_t)(handle & MASK(INDEX_BITS));
}

static uint32_t handle_generation(uint64_t handle)
{
    return (uint32_t)(handle >> INDEX_BITS & MASK(GENERATION_BITS));
}

static enum handle_kind handle_kind(uint64_t handle)
{
    return (enum handle_kind)(handle >> (INDEX_BITS + GENERATION_BITS) & MASK(KIND_BITS));
}

uint32_t handle_reserve(void)
{
    uint32_t index = table_take(&instance.handles);
    struct handle_slot *slot = index == TABLE_NONE ? NULL : handle_slot(index);
    if (slot != NULL && !slot->lock_ready) {
        dxgkmem_host_lock_init(&slot->lock);
        slot->lock_ready = 1;
    }
    return index;
}

uint64_t handle_publish(uint32_t index, enum handle_kind kind, stamp when, void *thing, uint32_t owner_index)
{
    struct handle_slot *slot = handle_slot(index);
    uint32_t generation = life_generation(ATOMIC_LOAD(&slot->life)) + 1;

    ATOMIC_STORE_RELEASE(&slot->owner_index, owner_index);
    slot->thing = thing;
    ATOMIC_STORE_RELEASE(&slot->when[generation & 1], when);
    /* Whoever sees this life also sees the complete thing. */
    ATOMIC_STORE_RELEASE(&slot->life, life_make(generation, kind) | LIFE_LIVE);
    return handle_make(index, generation, kind);
}

uint64_t handle_of(uint32_t index)
{
    uint32_t life = ATOMIC_LOAD(&handle_slot(index)->life);
    return handle_make(index, life_generation(life), life_kind(life));
}

stamp handle_made(uint32_t index)
{
    const struct handle_slot *slot = handle_slot(index);
    return ATOMIC_LOAD(&slot->when[life_generation(ATOMIC_LOAD(&slot->life)) & 1]);
}

void handle_end(uint32_t index, stamp when)
{
    struct handle_slot *slot = handle_slot(index);
    uint32_t life = ATOMIC_LOAD(&slot->life);

    CORE_ASSERT((life & LIFE_LIVE) != 0);
    ATOMIC_STORE(&slot->when[life_generation(life) & 1], when);
    ATOMIC_STORE_RELEASE(&slot->life, life & ~LIFE_LIVE);
}

void handle_release(uint32_t index)
{
    struct handle_slot *slot = handle_slot(index);

    if (life_generation(ATOMIC_LOAD(&slot->life)) >= instance.config.limits.generations)
        count_up(COUNT_RETIRED, 1);
    else
        table_give(&instance.handles, index);
}

void *handle_thing(uint32_t index, enum handle_kind kind)
{
    const struct handle_slot *slot = handle_slot(index);
    uint32_t life = ATOMIC_LOAD_ACQUIRE(&slot->life);
    return (life & LIFE_LIVE) != 0 && life_kind(life) == kind ? slot->thing : NULL;
}

void handle_clear(void)
{
    for (uint32_t i = 0; i < table_used(&instance.handles); i++)
        if (handle_slot(i)->lock_ready)
            dxgkmem_host_lock_destroy(&handle_slot(i)->lock);
}

void handle_lock(uint32_t index)
{
    lock_acquire(&handle_slot(index)->lock, RANK_SLOT);
}

void handle_unlock(uint32_t index)
{
    lock_release(&handle_slot(index)->lock);
}

/* A handle is made by one of these; every other call ends it. */
static bool makes_handles(enum dxgkmem_call call)
{
    return call == DXGKMEM_CALL_CREATE || call == DXGKMEM_CALL_OPEN || call == DXGKMEM_CALL_ADD_ADAPTER ||
           call == DXGKMEM_CALL_ALLOCATE_CONTIGUOUS || call == DXGKMEM_CALL_ALLOCATE_PAGES ||
           call == DXGKMEM_CALL_MAP_MDL;
}

/* Which violation the use of an ended handle is, by what ended it. */
static void refuse_ended(struct call *call, uint64_t handle, stamp ended)
{
    enum dxgkmem_violation_code code = DXGKMEM_VIOLATION_STALE_HANDLE;

    if (stamp_call(ended) == DXGKMEM_CALL_REMOVE_ADAPTER)
        code = DXGKMEM_VIOLATION_ADAPTER_REMOVED;
    else if (stamp_call(ended) == DXGKMEM_CALL_DESTROY && stamp_call(call->now) == DXGKMEM_CALL_CLOSE)
        code = DXGKMEM_VIOLATION_CLOSE_AFTER_DESTROY;
    refuse(call, code, handle, ended);
}

/*
 * Judges a handle against its slot's life, which the caller read before: true
 * when they match. The kind of a handle is part of its check, but one guess in
 * 2^18 has a good check: what was guessed must not name a thing of another kind.
 */
static bool life_matches(struct call *call, uint64_t handle, const struct handle_slot *slot, uint32_t life)
{
    uint32_t wanted = handle_generation(handle);
    uint32_t present = life_generation(life);
    stamp ended = 0;

    if (present == wanted && life_kind(life) != handle_kind(handle)) {
        refuse(call, DXGKMEM_VIOLATION_UNKNOWN_HANDLE, handle,
               0); /* this generation was given out for another kind */
        return false;
    }
    if (present == wanted && (life & LIFE_LIVE) != 0)
        return true;
    if (present - wanted <= 1)
        ended = ATOMIC_LOAD_ACQUIRE(&slot->when[wanted & 1]);
    if (life_generation(ATOMIC_LOAD(&slot->life)) - wanted > 1 || makes_handles(stamp_call(ended)))
        ended = 0; /* the stamp's place has gone to another life, which may be about to begin */
    refuse_ended(call, handle, ended);
    return false;
}

/* The slot of a handle that was once given out for this kind, or NULL: the mistake is noted. Takes no lock. */
static struct handle_slot *slot_of(struct call *call, uint64_t handle, enum handle_kind kind)
{
    uint32_t index = handle_index(handle);

    if (handle == 0) {
        refuse(call, DXGKMEM_VIOLATION_NULL_HANDLE, 0, 0);
        return NULL;
    }
    if (handle >> BODY_BITS != check_of(handle & MASK(BODY_BITS)) || index >= table_used(&instance.handles) ||
        handle_generation(handle) == 0 ||
        handle_generation(handle) > life_generation(ATOMIC_LOAD_ACQUIRE(&handle_slot(index)->life))) {
        refuse(call, DXGKMEM_VIOLATION_UNKNOWN_HANDLE, handle, 0);
        return NULL;
    }
    if (handle_kind(handle) != kind) {
        refuse(call, DXGKMEM_VIOLATION_WRONG_KIND_HANDLE, handle, 0);
        return NULL;
    }
    return handle_slot(index);
}

bool handle_check(struct call *call, uint64_t handle, enum handle_kind kind, stamp *made)
{
    struct handle_slot *slot = slot_of(call, handle, kind);
    uint32_t life;

    if (slot == NULL)
        return false;
    do { /* a stamp of the life that was judged; each further turn means that the slot had another one */
        life = ATOMIC_LOAD_ACQUIRE(&slot->life);
        if (!life_matches(call, handle, slot, life))
            return false;
        *made = ATOMIC_LOAD_ACQUIRE(&slot->when[life_generation(life) & 1]);
    } while (life_generation(ATOMIC_LOAD(&slot->life)) != life_generation(life));
    if (makes_handles(stamp_call(*made)))
        return true;
    refuse_ended(call, handle, *made); /* its end is under way: the stamp is written first */
    return false;
}

void *handle_acquire(struct call *call, uint64_t handle, enum handle_kind kind)
{
    struct handle_slot *slot = slot_of(call, handle, kind), *guard = slot;
    void *thing;

    if (slot == NULL || !life_matches(call, handle, slot, ATOMIC_LOAD_ACQUIRE(&slot->life)))
        return NULL;
    if (kind == HANDLE_ADAPTER_OBJECT)
        guard = handle_slot(ATOMIC_LOAD_ACQUIRE(&slot->owner_index));
    lock_acquire(&guard->lock, RANK_SLOT);
    /* It may have ended, and the slot may have a new life, while we waited. Under the lock the answer stays. */
    if (life_matches(call, handle, slot, ATOMIC_LOAD(&slot->life))) {
        thing = guard->thing;
        return thing;
    }
    lock_release(&guard->lock);
    return NULL;
}
