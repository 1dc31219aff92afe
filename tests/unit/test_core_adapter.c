/* SPDX-License-Identifier: MIT */
/* Adding, linking, removing and querying adapters: every rule, and what a refusal leaves. */
#include "tests/support/wrapped.h"

#include "core/object.h"

#include <dxgkmem/user.h>

static const uint32_t known_versions[] = {
    DXGKDDI_INTERFACE_VERSION_VISTA,   DXGKDDI_INTERFACE_VERSION_WIN8,    DXGKDDI_INTERFACE_VERSION_WDDM2_1_5,
    DXGKDDI_INTERFACE_VERSION_WDDM2_9, DXGKDDI_INTERFACE_VERSION_WDDM3_0, DXGKDDI_INTERFACE_VERSION_WDDM3_2,
};

static void expect_refused(struct dxgkmem_adapter_config config, NTSTATUS expected)
{
    struct state before = state_now();
    HANDLE adapter = (HANDLE)(uintptr_t)8;
    assert_int_equal(dxgkmem_add_adapter(&config, &adapter), expected);
    assert_null(adapter);
    expect_no_violation();
    expect_same_pool(&before);
}

static void bad_fields(void **state)
{
    struct dxgkmem_adapter_config config;
    HANDLE adapter;
    (void)state;

    config = adapter_identity(1, 0);
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config = adapter_identity(1, DXGKDDI_INTERFACE_VERSION_WDDM3_2 + 1);
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config = adapter_identity(1, V31);
    config.frame_buffer_bytes = PAGE + 1;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config = adapter_identity(1, V31);
    config.frame_buffer_bytes = DXGKMEM_OBJECT_BYTES_MAX + PAGE;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config.frame_buffer_bytes = DXGKMEM_OBJECT_BYTES_MAX;
    adapter_remove(adapter_add(&config));
    config = adapter_identity(1, V31);
    config.remapping = (enum dxgkmem_remapping)2;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    /* It sees no page, or only the one that is never used. */
    for (unsigned i = 0; i < 3; i++) {
        static const LONGLONG highest[] = {0, 0xfff, 0x1ffe};
        config = adapter_remapped(1, V31);
        config.memory_caps.HighestVisibleAddress.QuadPart = highest[i];
        expect_refused(config, STATUS_INVALID_PARAMETER);
    }
    /* Remapping in any case, without the means. */
    config = adapter_identity(1, V31);
    config.remapping = DXGKMEM_REMAPPING_ALWAYS;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    /* A device number that is taken: nothing else is looked at. */
    config = adapter_identity(0, V31);
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config.memory_caps.HighestVisibleAddress.QuadPart = 0x10000;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    assert_int_equal(dxgkmem_add_adapter(NULL, &adapter), STATUS_INVALID_PARAMETER);
    config = adapter_identity(1, V31);
    assert_int_equal(dxgkmem_add_adapter(&config, NULL), STATUS_INVALID_PARAMETER);
    for (unsigned i = 0; i < sizeof(known_versions) / sizeof(known_versions[0]); i++) {
        config = adapter_identity(1, known_versions[i]);
        adapter_remove(adapter_add(&config));
    }
}

static bool is_remapped(const struct dxgkmem_adapter_config *config)
{
    struct dxgkmem_adapter_info info;
    HANDLE adapter = adapter_add(config);
    assert_int_equal(dxgkmem_query_adapter(adapter, &info), STATUS_SUCCESS);
    assert_int_equal(info.version, config->version);
    assert_int_equal(info.physical_index, 0);
    assert_int_equal(info.physical_adapters, 1);
    adapter_remove(adapter);
    return info.remapped;
}

/* Remapped exactly when asked, or when the adapter cannot see all of RAM. */
static void remapping_decision(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    const LONGLONG all = (LONGLONG)(RAM_HIGHEST + 1) * 4096 - 1;
    (void)state;
    config.iommu_caps.DmaRemappingSupported = 1;
    config.memory_caps.HighestVisibleAddress.QuadPart = all;
    assert_false(is_remapped(&config));
    config.memory_caps.HighestVisibleAddress.QuadPart = all - 1;
    assert_true(is_remapped(&config));
    config.memory_caps.HighestVisibleAddress.QuadPart = -1; /* an unsigned address in a signed field */
    assert_false(is_remapped(&config));
    config.remapping = DXGKMEM_REMAPPING_ALWAYS;
    assert_true(is_remapped(&config));
    config = adapter_identity(1, V31);
    config.memory_caps.HighestVisibleAddress.QuadPart = all - 1;
    expect_refused(config, STATUS_NOT_SUPPORTED);
}

static void link_rules(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct dxgkmem_adapter_info info;
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    HANDLE remapped, second;
    (void)state;

    config.link_to = (HANDLE)(uintptr_t)8;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config.link_to = thing.object;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config.link_to = world.adapter;
    config.version = V29;
    expect_refused(config, STATUS_INVALID_PARAMETER); /* another version */
    config.version = V31;
    config.memory_caps.HighestVisibleAddress.QuadPart = 0x10000;
    expect_refused(config, STATUS_INVALID_PARAMETER); /* an identity chain sees all of RAM */

    config = adapter_remapped(1, V31);
    remapped = adapter_add(&config);
    config.device = 2;
    config.link_to = remapped;
    config.iommu_caps.DmaRemappingSupported = 0;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config.iommu_caps.DmaRemappingSupported = 1;
    /* While anything is open, it may not see less than was promised. */
    thing.open = thing_open(thing.object, remapped);
    config.memory_caps.HighestVisibleAddress.QuadPart = 0xffffff - 0x1000;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    config.memory_caps.HighestVisibleAddress.QuadPart = 0xffffff;
    second = adapter_add(&config);
    adapter_remove(second);
    thing_close(thing.open);
    /* Afterwards it may, and the promise is lowered for all. */
    config.memory_caps.HighestVisibleAddress.QuadPart = 0x7fffff;
    second = adapter_add(&config);
    assert_int_equal(dxgkmem_query_adapter(remapped, &info), STATUS_SUCCESS);
    assert_int_equal(info.highest_visible_address, 0x7fffff);
    assert_int_equal(info.physical_adapters, 2);
    assert_int_equal(dxgkmem_query_adapter(second, &info), STATUS_SUCCESS);
    assert_int_equal(info.physical_index, 2); /* indices are not used again */
    thing.open = NULL;
    thing_destroy(thing);
    adapter_remove(remapped);
    config.device = 3;
    config.link_to = remapped;
    expect_refused(config, STATUS_INVALID_PARAMETER); /* a removed one cannot be linked to */
}

/* A pinned frame buffer counts as something open. */
static void pinned_counts_as_open(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapter = adapter_add(&config);
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin(adapter, 0, PAGE, 0, &adl), STATUS_SUCCESS);
    config.device = 2;
    config.link_to = adapter;
    config.memory_caps.HighestVisibleAddress.QuadPart = 0x7fffff;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    assert_int_equal(try_unpin(adapter, 0), STATUS_SUCCESS);
    (void)adapter_add(&config);
}

static void chain_is_bounded(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    HANDLE chain[DXGKMEM_CHAIN_MAX];
    struct dxgkmem_adapter_info info;
    DXGK_ADL *adl;
    (void)state;
    chain[0] = world.adapter;
    config.link_to = world.adapter;
    for (unsigned i = 1; i < DXGKMEM_CHAIN_MAX; i++) {
        config.device = i;
        chain[i] = adapter_add(&config);
    }
    config.device = DXGKMEM_CHAIN_MAX;
    expect_refused(config, STATUS_INVALID_PARAMETER);
    /* Every device number in the chain is taken. */
    config.link_to = NULL;
    for (unsigned i = 0; i < DXGKMEM_CHAIN_MAX; i++) {
        config.device = i;
        expect_refused(config, STATUS_INVALID_PARAMETER);
    }
    for (unsigned i = 1; i < DXGKMEM_CHAIN_MAX; i++) {
        assert_int_equal(try_pin(chain[i], i, PAGE, 0, &adl), STATUS_INVALID_PARAMETER);
        (void)expect_code(DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER);
    }
    /* Who leads changes as the lower ones go. */
    for (unsigned i = 0; i + 1 < DXGKMEM_CHAIN_MAX; i++) {
        assert_int_equal(try_pin(chain[i], i + 1, PAGE, 0, &adl), STATUS_SUCCESS);
        assert_int_equal(try_unpin(chain[i + 1], i + 1), STATUS_INVALID_PARAMETER);
        (void)expect_code(DXGKMEM_VIOLATION_NOT_LEAD_ADAPTER);
        assert_int_equal(try_unpin(chain[i], i + 1), STATUS_SUCCESS);
        adapter_remove(chain[i]);
        assert_int_equal(dxgkmem_query_adapter(chain[i + 1], &info), STATUS_SUCCESS);
        assert_int_equal(info.physical_adapters, DXGKMEM_CHAIN_MAX - 1 - i);
    }
    config.link_to = chain[DXGKMEM_CHAIN_MAX - 1];
    config.device = 0;
    expect_refused(config, STATUS_INVALID_PARAMETER); /* every index was given out */
}

static void no_slot_left(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct dxgkmem_config limits;
    HANDLE second;
    (void)state;
    memset(&limits, 0, sizeof(limits));
    limits.limits.handles = 2;
    world_make_machine(0);
    world_start(&limits);
    second = adapter_add(&config);
    config.device = 2;
    expect_refused(config, STATUS_INSUFFICIENT_RESOURCES);
    config.link_to = second;
    expect_refused(config, STATUS_INSUFFICIENT_RESOURCES);
    adapter_remove(second);
    config.link_to = NULL;
    (void)adapter_add(&config);
    world_end();
}

static void query_refuses(void **state)
{
    struct dxgkmem_adapter_info info;
    (void)state;
    assert_int_equal(dxgkmem_query_adapter(world.adapter, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(dxgkmem_query_adapter(NULL, &info), STATUS_INVALID_HANDLE);
    assert_int_equal(dxgkmem_remove_adapter(NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(dxgkmem_query_adapter(world.adapter, &info), STATUS_SUCCESS);
    assert_int_equal(info.highest_visible_address, EVERY_ADDRESS);
    expect_no_violation();
}

static void while_nothing_is_started(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct dxgkmem_adapter_info info;
    DXGKRNL_INTERFACE ddi;
    HANDLE adapter;
    (void)state;
    memset(&ddi, 0, sizeof(ddi));
    assert_int_equal(dxgkmem_add_adapter(&config, &adapter), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(dxgkmem_remove_adapter(NULL), STATUS_INVALID_HANDLE);
    assert_int_equal(dxgkmem_query_adapter(NULL, &info), STATUS_INVALID_PARAMETER);
    assert_int_equal(dxgkmem_query_interface(NULL, &ddi), STATUS_INVALID_PARAMETER);
    dxgkmem_process_exit(1);
    dxgkmem_reset();
}

/* The chain vanishes between the first look at it and the moment of joining. */
static HANDLE leaving;

static void remove_at_attach(enum wrapped_op op, uint64_t first, uint64_t pages)
{
    (void)first;
    (void)pages;
    if (op == OP_DOMAIN_ATTACH && leaving != NULL) {
        HANDLE adapter = leaving;
        leaving = NULL;
        adapter_remove(adapter);
    }
}

static void chain_goes_while_one_joins(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct dxgkmem_config machine;
    struct state before;
    HANDLE lead, second = NULL;
    (void)state;
    world_make_machine(0);
    memset(&machine, 0, sizeof(machine));
    machine.machine = wrapped_machine();
    world_start(&machine);
    before = state_now();
    lead = adapter_add(&config);
    config.device = 2;
    config.link_to = lead;
    wrapped.before = remove_at_attach;
    leaving = lead;
    assert_int_equal(dxgkmem_add_adapter(&config, &second), STATUS_INVALID_PARAMETER);
    assert_null(second);
    wrapped.before = NULL;
    assert_int_equal(state_now().pool_blocks, before.pool_blocks);
    expect_no_violation();
    world_end();
}

/* Its own status is what the caller gets, and what it left behind is not looked at. */
static void machine_without_a_domain(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct dxgkmem_config machine;
    struct state before;
    HANDLE adapter = NULL;
    (void)state;
    world_make_machine(0);
    memset(&machine, 0, sizeof(machine));
    machine.machine = wrapped_machine();
    world_start(&machine);
    before = state_now();
    wrapped.failing = OP_DOMAIN_CREATE;
    wrapped.failure = STATUS_UNSUCCESSFUL;
    assert_int_equal(dxgkmem_add_adapter(&config, &adapter), STATUS_UNSUCCESSFUL);
    assert_null(adapter);
    assert_int_equal(wrapped.calls[OP_DOMAIN_DESTROY], 0);
    expect_same_pool(&before);
    expect_no_violation();
    world_end();
}

/* Another adapter of the same device comes while one is looked at: the one that is refused keeps nobody out. */
static NTSTATUS outcome;

static void add_the_same(enum wrapped_op op, uint64_t first, uint64_t pages)
{
    const struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    (void)first;
    (void)pages;
    if (op != OP_DOMAIN_CREATE)
        return;
    wrapped.before = NULL;
    adapter_add(&config);
    wrapped.failing = NT_SUCCESS(outcome) ? WRAPPED_OPS : OP_DOMAIN_CREATE;
    wrapped.failure = outcome;
}

static void same_device_twice_at_once(void **state)
{
    static const NTSTATUS created[] = {STATUS_SUCCESS, STATUS_UNSUCCESSFUL};
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct dxgkmem_config machine;
    HANDLE adapter;
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        world_make_machine(0);
        memset(&machine, 0, sizeof(machine));
        machine.machine = wrapped_machine();
        world_start(&machine);
        outcome = created[i];
        wrapped.before = add_the_same;
        assert_int_equal(dxgkmem_add_adapter(&config, &adapter),
                         NT_SUCCESS(outcome) ? STATUS_INVALID_PARAMETER : outcome);
        assert_null(adapter);
        expect_no_violation();
        world_end();
    }
}

/* A bug check's hook leaves removal where it reports what was left: the handle is gone, the adapter is not. */
static jmp_buf out;

static void leave(void *context, uint32_t code, const uint64_t parameters[4])
{
    (void)context;
    assert_int_equal(code, DXGKMEM_BUG_CHECK_CODE);
    assert_int_equal(parameters[0], DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
    longjmp(out, 1);
}

static void remove_half_way(void)
{
    if (setjmp(out) == 0) {
        (void)dxgkmem_remove_adapter(world.adapter);
        fail_msg("the hook was not called");
    }
    (void)expect_code(DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
    assert_int_equal(dxgkmem_remove_adapter(world.adapter), STATUS_INVALID_HANDLE);
}

static void removal_left_half_way(void **state)
{
    struct dxgkmem_statistics statistics;
    struct dxgkmem_config config;
    DXGK_ADL *adl;
    (void)state;
    memset(&config, 0, sizeof(config));
    config.policy = DXGKMEM_POLICY_BUG_CHECK_ALL;
    dxgkmem_user_set_bug_check_hook(leave, NULL);
    /* A reset ends it, and everything else that is there. */
    world_make_machine(0);
    world_start(&config);
    (void)thing_create(mdl_arguments(world.adapter, PAGE));
    remove_half_way();
    dxgkmem_reset();
    dxgkmem_query_statistics(&statistics);
    assert_int_equal(statistics.adapters, 0);
    assert_int_equal(statistics.objects, 0);
    (void)state_now();
    world_end();
    /* So does the stop, and to it nothing was left: what was open has been closed. */
    world_make_machine(0);
    world_start(&config);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &adl), STATUS_SUCCESS);
    remove_half_way();
    world_end();
    dxgkmem_user_set_bug_check_hook(NULL, NULL);
}

/* A removal that has left the chain, but not yet closed the object, lets no new ADL appear before it. */
static void no_adl_while_a_removal_is_under_way(void **state)
{
    struct thing thing = thing_create(mdl_arguments(world.adapter, PAGE));
    struct object *object = handle_thing(handle_index((uintptr_t)thing.object), HANDLE_OBJECT);
    DXGK_ADL *adl;
    (void)state;
    object->logical->gone_at = 1; /* as the removal leaves it */
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl), STATUS_DEVICE_REMOVED);
    assert_null(adl);
    (void)expect_code(DXGKMEM_VIOLATION_ADAPTER_REMOVED);
    object->logical->gone_at = 0;
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(bad_fields, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(remapping_decision, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(link_rules, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pinned_counts_as_open, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(chain_is_bounded, world_setup, world_teardown),
        cmocka_unit_test(no_slot_left),
        cmocka_unit_test_setup_teardown(query_refuses, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(no_adl_while_a_removal_is_under_way, world_setup, world_teardown),
        cmocka_unit_test(while_nothing_is_started),
        cmocka_unit_test(chain_goes_while_one_joins),
        cmocka_unit_test(machine_without_a_domain),
        cmocka_unit_test(same_device_twice_at_once),
        cmocka_unit_test(removal_left_half_way),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
