/* SPDX-License-Identifier: MIT */
/*
 * Claim: what one logical adapter, or everything together, may take is bounded:
 * pages, objects and ADLs. Beyond it a call fails with STATUS_QUOTA_EXCEEDED, changes
 * nothing, and others are not affected; what ends is given back.
 */
#include "tests/support/world.h"

static void start_with(struct dxgkmem_quota total)
{
    struct dxgkmem_config config;
    memset(&config, 0, sizeof(config));
    config.limits.total = total;
    world_make_machine(0);
    world_start(&config);
}

static HANDLE add_with(uint64_t device, struct dxgkmem_quota quota)
{
    struct dxgkmem_adapter_config config = adapter_identity(device, V31);
    config.quota = quota;
    return adapter_add(&config);
}

static void expect_exceeded(create_arguments arguments)
{
    struct state before = state_now();
    struct thing thing;
    assert_int_equal(try_create(arguments, &thing), STATUS_QUOTA_EXCEEDED);
    expect_no_violation(); /* running out is no mistake */
    expect_unchanged(&before);
}

static void pages(void **state)
{
    HANDLE adapter = add_with(1, (struct dxgkmem_quota){.pages = 10});
    struct thing six = thing_create(mdl_arguments(adapter, 6 * PAGE)), four;
    (void)state;
    expect_exceeded(mdl_arguments(adapter, 5 * PAGE));
    four = thing_create(mdl_arguments(adapter, 3 * PAGE + 1)); /* counts as four */
    expect_exceeded(io_arguments(adapter, IO_PAGE, PAGE));     /* a range counts too */
    thing_destroy(thing_create(mdl_arguments(world.adapter, 100 * PAGE)));
    thing_destroy(four);
    thing_destroy(thing_create(contiguous_arguments(adapter, 4 * PAGE)));
    /* Closed, it does not count any more; opened it does again. */
    thing_close(six.open);
    four = thing_create(mdl_arguments(adapter, 10 * PAGE));
    {
        DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {six.object, adapter, NULL};
        struct state before = state_now();
        assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_QUOTA_EXCEEDED);
        expect_unchanged(&before);
        thing_destroy(four);
        six.open = thing_open(six.object, adapter);
    }
    thing_destroy(six);
    thing_destroy(thing_create(mdl_arguments(adapter, 10 * PAGE)));
}

/* The total is of pages and objects: a limit of ADLs in it bounds nothing, least of all objects. */
static void total_has_no_adls(void **state)
{
    struct thing one, two;
    (void)state;
    start_with((struct dxgkmem_quota){.adls = 1});
    one = thing_create(mdl_arguments(world.adapter, PAGE));
    two = thing_create(mdl_arguments(world.adapter, PAGE));
    thing_destroy(two);
    thing_destroy(one);
    world_end();
}

static void objects(void **state)
{
    HANDLE adapter = add_with(1, (struct dxgkmem_quota){.objects = 2});
    struct thing one = thing_create(mdl_arguments(adapter, PAGE)),
                 two = thing_create(mdl_arguments(adapter, PAGE));
    (void)state;
    expect_exceeded(mdl_arguments(adapter, PAGE));
    thing_destroy(one);
    one = thing_create(mdl_arguments(adapter, PAGE));
    thing_destroy(one);
    thing_destroy(two);
}

/* What is a mistake whatever is left is told as one: a range one page beyond what the adapter sees. */
static void mistakes_come_first(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing one, io = thing_create(io_arguments(NULL, RAM_HIGHEST + 1, PAGE));
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {io.object, NULL, NULL};
    (void)state;
    config.quota.objects = 1;
    config.memory_caps.HighestVisibleAddress.QuadPart = (RAM_HIGHEST + 1) * (LONGLONG)PAGE - 1;
    open.hAdapter = adapter_add(&config);
    one = thing_create(mdl_arguments(open.hAdapter, PAGE));
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open),
                     dxgkmem_violation_status(DXGKMEM_VIOLATION_NOT_VISIBLE));
    expect_violation(DXGKMEM_VIOLATION_NOT_VISIBLE, io.object, 0, DXGKMEM_CALL_NONE);
    thing_destroy(one);
    thing_destroy(io);
}

static void adls(void **state)
{
    HANDLE adapter = add_with(1, (struct dxgkmem_quota){.adls = 2});
    struct thing thing = thing_create(mdl_arguments(adapter, 4 * PAGE));
    DXGK_ADL *one = adl_allocate(thing.open, 0, PAGE), *two = adl_allocate(thing.open, 0, PAGE), *three;
    struct state before = state_now();
    (void)state;
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &three), STATUS_QUOTA_EXCEEDED);
    expect_no_violation();
    expect_unchanged(&before);
    /* Frame buffers count. */
    assert_int_equal(try_pin(adapter, 0, PAGE, 0, &three), STATUS_QUOTA_EXCEEDED);
    expect_same_pool(&before);
    adl_free(thing.open, one);
    assert_int_equal(try_pin(adapter, 0, PAGE, 0, &three), STATUS_SUCCESS);
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &one), STATUS_QUOTA_EXCEEDED);
    assert_int_equal(try_unpin(adapter, 0), STATUS_SUCCESS);
    adl_free(thing.open, two);
    thing_destroy(thing);
}

static void pages_of_a_frame_buffer(void **state)
{
    HANDLE adapter = add_with(1, (struct dxgkmem_quota){.pages = FRAME_BUFFER_PAGES + 1, .objects = 2});
    HANDLE one_object = add_with(2, (struct dxgkmem_quota){.objects = 1});
    struct thing thing = thing_create(mdl_arguments(adapter, 2 * PAGE));
    struct thing other = thing_create(mdl_arguments(one_object, PAGE));
    DXGK_ADL *adl;
    (void)state;
    /* The save area counts as a whole, and as an object: from the first call that needs it, to the end. */
    assert_int_equal(try_pin(adapter, 0, PAGE, 0, &adl), STATUS_QUOTA_EXCEEDED);
    assert_int_equal(try_pin(one_object, 0, PAGE, 0, &adl), STATUS_QUOTA_EXCEEDED);
    expect_no_violation();
    thing_destroy(thing);
    thing_destroy(other);
    assert_int_equal(try_pin(adapter, 0, PAGE, 0, &adl), STATUS_SUCCESS);
    assert_int_equal(try_unpin(adapter, 0), STATUS_SUCCESS);
    expect_exceeded(mdl_arguments(adapter, 2 * PAGE));
    thing_destroy(thing_create(mdl_arguments(adapter, PAGE)));
}

/* A pin that fails, at whatever step, has taken nothing: as much as there is can be pinned afterwards. */
static void failed_pin_takes_nothing(void **state)
{
    HANDLE adapter =
        add_with(1, (struct dxgkmem_quota){.pages = FRAME_BUFFER_PAGES + 4, .objects = 2, .adls = 1});
    unsigned failures = 0;
    DXGK_ADL *adl;
    (void)state;
    for (unsigned nth = 1;; nth++) {
        NTSTATUS status;
        dxgkmem_sim_fail_at(world.sim, nth);
        status = try_pin(adapter, 0, 4 * PAGE, 0, &adl);
        dxgkmem_sim_fail_at(world.sim, 0);
        if (NT_SUCCESS(status))
            break;
        failures++;
        (void)state_now(); /* audits */
    }
    assert_true(failures >= 3); /* record, object, pages */
    assert_int_equal(try_unpin(adapter, 0), STATUS_SUCCESS);
    thing_destroy(thing_create(mdl_arguments(adapter, 4 * PAGE)));
    expect_no_violation();
}

static void everything_together(void **state)
{
    struct thing one, two;
    HANDLE open;
    (void)state;
    start_with((struct dxgkmem_quota){.pages = 6, .objects = 2});
    one = thing_create(mdl_arguments(NULL, 3 * PAGE));
    expect_exceeded(mdl_arguments(NULL, 4 * PAGE));
    two = thing_create(mdl_arguments(NULL, PAGE));
    expect_exceeded(mdl_arguments(NULL, PAGE));
    /* Whether something is open makes no difference: neither opening frees a share nor does closing. */
    open = thing_open(one.object, world.adapter);
    expect_exceeded(mdl_arguments(NULL, PAGE));
    expect_exceeded(mdl_arguments(world.adapter, PAGE));
    thing_close(open);
    expect_exceeded(mdl_arguments(NULL, PAGE));
    thing_destroy(one);
    thing_destroy(thing_create(mdl_arguments(NULL, 5 * PAGE)));
    one = thing_create(mdl_arguments(world.adapter, 5 * PAGE));
    thing_close(one.open);
    one.open = NULL;
    expect_exceeded(mdl_arguments(world.adapter, PAGE));
    thing_destroy(one);
    thing_destroy(two);
    world_end();
}

/* A chain shares one quota; that of the one that joins is ignored. */
static void of_the_logical_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(2, V31);
    HANDLE lead = add_with(1, (struct dxgkmem_quota){.objects = 1}), second;
    struct thing thing;
    (void)state;
    config.link_to = lead;
    config.quota.objects = 5;
    second = adapter_add(&config);
    thing = thing_create(mdl_arguments(second, PAGE));
    expect_exceeded(mdl_arguments(lead, PAGE));
    expect_exceeded(mdl_arguments(second, PAGE));
    thing_destroy(thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pages, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(objects, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(mistakes_come_first, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(adls, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pages_of_a_frame_buffer, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(failed_pin_takes_nothing, world_setup, world_teardown),
        cmocka_unit_test(everything_together),
        cmocka_unit_test(total_has_no_adls),
        cmocka_unit_test_setup_teardown(of_the_logical_adapter, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
