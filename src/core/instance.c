/* SPDX-License-Identifier: MIT */
/* The one instance: pool, quotas, counters, the beginning and end of calls. Start and stop are in lifetime.c. */
#include "instance.h"

struct instance instance;

void *pool_alloc(size_t bytes)
{
    struct dxgkmem_machine *machine = instance.machine;
    void *memory;

    if (machine->ops->may_allocate != NULL && !machine->ops->may_allocate(machine))
        return NULL;
    memory = dxgkmem_host_alloc(bytes);
    if (memory != NULL) {
        count_up(COUNT_POOL_BYTES, bytes);
        count_up(COUNT_POOL_BLOCKS, 1);
    }
    return memory;
}

void pool_free(void *memory, size_t bytes)
{
    count_down(COUNT_POOL_BYTES, bytes);
    count_down(COUNT_POOL_BLOCKS, 1);
    dxgkmem_host_free(memory, bytes);
}

static counter limit_of(uint64_t configured)
{
    return configured == 0 || configured > UINTPTR_MAX / 2 ? UINTPTR_MAX / 2 : (counter)configured;
}

void quota_init(struct quota *quota, const struct dxgkmem_quota *limits)
{
    quota->pages_limit = limit_of(limits->pages);
    quota->objects_limit = limit_of(limits->objects);
    quota->adls_limit = limit_of(limits->adls);
    quota->limited = limits->pages != 0 || limits->objects != 0 || limits->adls != 0;
    dxgkmem_host_lock_init(&quota->lock);
}

void quota_destroy(struct quota *quota)
{
    dxgkmem_host_lock_destroy(&quota->lock);
}

static bool fits(counter taken, counter limit, uint64_t by)
{
    return by <= limit && taken <= limit - (counter)by;
}

bool quota_take(struct quota *quota, uint64_t pages, uint32_t objects, uint32_t adls)
{
    bool room;

    if (!quota->limited)
        return true;
    lock_acquire(&quota->lock, RANK_QUOTA);
    room = fits(quota->pages, quota->pages_limit, pages) &&
           fits(quota->objects, quota->objects_limit, objects) && fits(quota->adls, quota->adls_limit, adls);
    if (room) {
        quota->pages += (counter)pages;
        quota->objects += objects;
        quota->adls += adls;
    }
    lock_release(&quota->lock);
    return room;
}

void quota_give(struct quota *quota, uint64_t pages, uint32_t objects, uint32_t adls)
{
    if (!quota->limited)
        return;
    lock_acquire(&quota->lock, RANK_QUOTA);
    quota->pages -= (counter)pages;
    quota->objects -= objects;
    quota->adls -= adls;
    lock_release(&quota->lock);
}

/* -- operations ------------------------------------------------------------- */

#define STAMP_NUMBER_BITS 51
#define STAMP_SHARD_BITS 8

static stamp stamp_make(enum dxgkmem_call name, unsigned shard, counter number)
{
    return (stamp)name << (STAMP_NUMBER_BITS + STAMP_SHARD_BITS) | (stamp)shard << STAMP_NUMBER_BITS |
           ((stamp)number & (((stamp)1 << STAMP_NUMBER_BITS) - 1));
}

uint64_t stamp_operation(stamp when)
{
    uint64_t shard = when >> STAMP_NUMBER_BITS & ((1u << STAMP_SHARD_BITS) - 1);
    return shard << 48 | (when & (((stamp)1 << 48) - 1));
}

enum dxgkmem_call stamp_call(stamp when)
{
    return (enum dxgkmem_call)(when >> (STAMP_NUMBER_BITS + STAMP_SHARD_BITS));
}

void call_number(struct call *call, enum dxgkmem_call name)
{
    /* Asked once: a host may answer differently the next time, and numbers must not repeat. */
    unsigned shard = dxgkmem_host_shard() % INSTANCE_SHARDS;
    call->now = stamp_make(name, shard, ATOMIC_ADD(counter_in(shard, COUNT_CALLS), 1) + 1);
    call->violation.code = DXGKMEM_VIOLATION_NONE;
}

/* -- violations --------------------------------------------------------------- */

static struct dxgkmem_violation violation_make(enum dxgkmem_violation_code code, enum dxgkmem_call name,
                                               uint64_t subject, stamp now, stamp earlier)
{
    struct dxgkmem_violation violation;
    memset(&violation, 0, sizeof(violation));
    violation.code = code;
    violation.call = name;
    violation.operation = stamp_operation(now);
    violation.subject = subject;
    violation.earlier_operation = stamp_operation(earlier);
    violation.earlier_call = stamp_call(earlier);
    /* Destroying with a live ADL: ns-d3dkmddi-_dxgkargcb_destroy_physical_memory_object; IRQL from 3.2: iommu-dma-remapping. */
    violation.documented =
        code == DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_ADL ||
        (code == DXGKMEM_VIOLATION_IRQL_TOO_HIGH && ATOMIC_LOAD(&instance.strict_irql_adapters) != 0);
    return violation;
}

static void violation_report(const struct dxgkmem_violation *violation)
{
    const struct dxgkmem_config *config = &instance.config;

    count_up(COUNT_VIOLATIONS, 1);
    if (config->violation != NULL)
        config->violation(config->violation_context, violation);
    if (config->policy == DXGKMEM_POLICY_BUG_CHECK_ALL ||
        (config->policy == DXGKMEM_POLICY_BUG_CHECK_DOCUMENTED && violation->documented)) {
        const uint64_t parameters[4] = {(uint64_t)violation->code, violation->operation, violation->subject,
                                        violation->earlier_operation};
        dxgkmem_host_bug_check(DXGKMEM_BUG_CHECK_CODE, parameters);
    }
}

NTSTATUS refuse(struct call *call, enum dxgkmem_violation_code code, uint64_t subject, stamp earlier)
{
    call->violation = violation_make(code, stamp_call(call->now), subject, call->now, earlier);
    return dxgkmem_violation_status(code);
}

void report_left(const struct call *call, enum dxgkmem_violation_code code, uint64_t subject, stamp made)
{
    struct dxgkmem_violation violation =
        violation_make(code, stamp_call(call->now), subject, call->now, made);
    violation_report(&violation);
}

void report_unnumbered(enum dxgkmem_call name, enum dxgkmem_violation_code code)
{
    struct dxgkmem_violation violation = violation_make(code, name, 0, 0, 0);
    violation_report(&violation);
}

/* -- every callback ----------------------------------------------------------- */

void capture(const volatile void *from, void *captured, size_t bytes)
{
    const volatile uintptr_t *words = from;
    const volatile char *tail = from;
    char *to = captured;
    size_t i;

    for (i = 0; i + sizeof(*words) <= bytes; i += sizeof(*words)) {
        uintptr_t word = words[i / sizeof(*words)];
        memcpy(to + i, &word, sizeof(word));
    }
    /* Blocks whose size is no multiple of a word (UNPIN's is 4 bytes). */
    for (; i < bytes; i++)
        to[i] = tail[i];
}

bool call_begin(struct call *call, enum dxgkmem_call name, const struct call_arguments *arguments,
                bool *writable)
{
    *writable = false;
    if (ATOMIC_LOAD_ACQUIRE(&instance.started) == 0) {
        call->now = stamp_make(name, 0, 0);
        call->violation.code = DXGKMEM_VIOLATION_NONE;
        refuse(call, DXGKMEM_VIOLATION_NOT_STARTED, 0, 0);
        return false;
    }
    call_number(call, name);
    if (arguments->from == NULL) {
        refuse(call, DXGKMEM_VIOLATION_NULL_ARGUMENTS, 0, 0);
        return false;
    }
    /* An alignment is a power of two; the compiler does not know and would divide. */
    if (((uintptr_t)arguments->from & (arguments->alignment - 1)) != 0) {
        refuse(call, DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS, 0, 0);
        return false;
    }
    *writable = true;
    if (instance.machine->ops->irql(instance.machine) > APC_LEVEL) {
        refuse(call, DXGKMEM_VIOLATION_IRQL_TOO_HIGH, 0, 0);
        return false;
    }
    capture(arguments->from, arguments->to, arguments->bytes);
    return true;
}

void call_end(struct call *call)
{
    if (call->violation.code != DXGKMEM_VIOLATION_NONE)
        violation_report(&call->violation);
}

NTSTATUS call_status(const struct call *call)
{
    return dxgkmem_violation_status(call->violation.code);
}
