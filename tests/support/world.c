/* SPDX-License-Identifier: MIT */
/* The default world of tests: machine, instance, adapters, and what was reported. */
#include "world.h"

struct world world;

static HANDLE watched[DXGKMEM_SIM_DEVICES];

void world_violation(void *context, const struct dxgkmem_violation *violation)
{
    unsigned place = __atomic_fetch_add(&world.violations, 1, __ATOMIC_RELAXED);
    (void)context;
    if (place < WORLD_SEEN)
        world.seen[place] = *violation;
}

void world_make_machine(uint64_t page_limit)
{
    struct dxgkmem_sim_config config = sim_config(page_limit);

    memset(&world, 0, sizeof(world));
    memset(watched, 0, sizeof(watched));
    assert_int_equal(dxgkmem_sim_create(&config, &world.sim), STATUS_SUCCESS);
}

void world_start(const struct dxgkmem_config *config)
{
    struct dxgkmem_adapter_config adapter = adapter_identity(0, V31);
    struct dxgkmem_config filled = *config;

    if (filled.machine == NULL)
        filled.machine = dxgkmem_sim_machine(world.sim);
    filled.violation = world_violation;
    assert_int_equal(dxgkmem_start(&filled), STATUS_SUCCESS);
    world.adapter = adapter_add(&adapter);
    memset(&world.ddi, 0, sizeof(world.ddi));
    assert_int_equal(dxgkmem_query_interface(world.adapter, &world.ddi), STATUS_SUCCESS);
}

int world_setup(void **state)
{
    struct dxgkmem_config config;
    (void)state;
    memset(&config, 0, sizeof(config));
    world_make_machine(0);
    world_start(&config);
    return 0;
}

void world_end(void)
{
    struct dxgkmem_statistics statistics;
    struct dxgkmem_leaks leaks, none;
    struct dxgkmem_audit audit;

    expect_no_violation();
    memset(&none, 0, sizeof(none));
    dxgkmem_audit(&audit);
    assert_null(audit.problem);
    dxgkmem_stop(&leaks);
    assert_memory_equal(&leaks, &none, sizeof(leaks));
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.pool_bytes, 0);
    assert_int_equal(statistics.pool_blocks, 0);
    assert_int_equal(statistics.pages, 0);
    assert_int_equal(dxgkmem_sim_free_pages(world.sim), RAM_PAGES);
    assert_null(dxgkmem_sim_complaint(world.sim));
    dxgkmem_sim_destroy(world.sim);
    world.sim = NULL;
}

int world_teardown(void **state)
{
    (void)state;
    world_end();
    return 0;
}

/* -- adapters -------------------------------------------------------------------- */

HANDLE adapter_add(const struct dxgkmem_adapter_config *config)
{
    HANDLE handle = NULL;
    assert_int_equal(dxgkmem_add_adapter(config, &handle), STATUS_SUCCESS);
    assert_non_null(handle);
    state_watch(config->device, handle);
    return handle;
}

void adapter_remove(HANDLE adapter)
{
    assert_int_equal(dxgkmem_remove_adapter(adapter), STATUS_SUCCESS);
}

/* -- what was reported -------------------------------------------------------------------- */

uint64_t last_operation(void)
{
    struct dxgkmem_statistics statistics;
    dxgkmem_query_statistics(&statistics);
    return statistics.calls;
}

struct dxgkmem_violation expect_code(enum dxgkmem_violation_code code)
{
    struct dxgkmem_violation first = world.seen[0];
    assert_int_equal(world.violations, 1);
    assert_string_equal(dxgkmem_violation_name(first.code), dxgkmem_violation_name(code));
    world.violations = 0;
    return first;
}

void expect_violation(enum dxgkmem_violation_code code, const void *subject, uint64_t earlier,
                      enum dxgkmem_call earlier_call)
{
    struct dxgkmem_violation violation = expect_code(code);
    assert_int_equal(violation.subject, (uintptr_t)subject);
    assert_int_equal(violation.operation, last_operation());
    assert_int_equal(violation.earlier_operation, earlier);
    assert_int_equal(violation.earlier_call, earlier_call);
}

void expect_no_violation(void)
{
    if (world.violations != 0)
        assert_string_equal(dxgkmem_violation_name(world.seen[0].code), "no violation at all");
}

/* -- the whole state ------------------------------------------------------------------------ */

void state_watch(uint64_t device, HANDLE adapter)
{
    if (device < DXGKMEM_SIM_DEVICES)
        watched[device] = adapter;
}

struct state state_now(void)
{
    struct dxgkmem_audit audit;
    struct state state;

    memset(&state, 0, sizeof(state));
    dxgkmem_audit(&audit);
    assert_null(audit.problem);
    assert_null(dxgkmem_sim_complaint(world.sim));
    state.core = audit.digest;
    state.machine = dxgkmem_sim_digest(world.sim);
    state.free_pages = dxgkmem_sim_free_pages(world.sim);
    state.sim_changes = dxgkmem_sim_changes(world.sim);
    dxgkmem_query_statistics(&state.statistics);
    state.pool_bytes = state.statistics.pool_bytes;
    state.pool_blocks = state.statistics.pool_blocks;
    state.statistics.pool_bytes = state.statistics.pool_blocks = 0;
    state.statistics.calls = state.statistics.violations = 0;
    for (unsigned i = 0; i < DXGKMEM_SIM_DEVICES; i++)
        if (watched[i] != NULL && !NT_SUCCESS(dxgkmem_query_adapter(watched[i], &state.info[i])))
            memset(&state.info[i], 0, sizeof(state.info[i]));
    return state;
}

void expect_same_things(const struct state *before)
{
    struct state now = state_now();
    assert_int_equal(now.core, before->core);
    assert_int_equal(now.machine, before->machine);
    assert_int_equal(now.free_pages, before->free_pages);
    assert_memory_equal(&now.statistics, &before->statistics, sizeof(now.statistics));
    for (unsigned i = 0; i < DXGKMEM_SIM_DEVICES; i++) {
        assert_int_equal(now.info[i].physical_adapters, before->info[i].physical_adapters);
        assert_int_equal(now.info[i].highest_visible_address, before->info[i].highest_visible_address);
    }
}

void expect_same_pool(const struct state *before)
{
    struct state now = state_now();
    expect_same_things(before);
    assert_int_equal(now.pool_bytes, before->pool_bytes);
    assert_int_equal(now.pool_blocks, before->pool_blocks);
}

void expect_unchanged(const struct state *before)
{
    struct state now = state_now();
    expect_same_pool(before);
    assert_int_equal(now.sim_changes, before->sim_changes);
}
