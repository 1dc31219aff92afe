/* SPDX-License-Identifier: MIT */
/* MAP and UNMAP: rounding, every answer of UNMAP, many processes whose numbers share a stripe. */
#include "tests/support/wrapped.h"

#include "core/instance.h"

static uint64_t process_now = 1;

static uint64_t any_process(struct dxgkmem_machine *machine)
{
    (void)machine;
    return process_now;
}

/*
 * The simulated machine has eight processes; here only their numbers are of interest, so
 * kernel mappings stand in.
 */
static struct dxgkmem_machine_ops many_processes;
static struct dxgkmem_machine front;
static struct dxgkmem_machine *behind;

/* Unless NULL: where every mapping is said to be, as processes may have one address in common. */
static void *common_base;
static void *base_of_process[3];

static NTSTATUS map_as_kernel(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                              uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base)
{
    NTSTATUS status =
        behind->ops->map(machine, memory, first, pages, DXGK_ACCESS_MODE_KERNEL_MODE, access, base);
    (void)mode;
    if (common_base != NULL && NT_SUCCESS(status)) {
        base_of_process[process_now] = *base;
        *base = common_base;
    }
    return status;
}

static void unmap_as_kernel(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base,
                            uint64_t pages, uint64_t process)
{
    if (common_base != NULL && base == common_base)
        base = base_of_process[process];
    behind->ops->unmap(machine, memory, base, pages, 0);
}

static int setup_many_processes(void **state)
{
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    behind = wrapped_machine();
    many_processes = *behind->ops;
    many_processes.process = any_process;
    many_processes.map = map_as_kernel;
    many_processes.unmap = unmap_as_kernel;
    front.ops = &many_processes;
    memset(&config, 0, sizeof(config));
    config.machine = &front;
    process_now = 1;
    world_start(&config);
    return 0;
}

static void rounding(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, 3 * PAGE - 100));
    struct view view;
    (void)state;
    for (SIZE_T offset = 0; offset < 3 * PAGE - 100; offset += 511) {
        for (SIZE_T bytes = 1; bytes <= 3 * PAGE - 100 - offset; bytes += 777) {
            view = view_map(thing.object, offset, bytes, DXGK_ACCESS_MODE_KERNEL_MODE);
            assert_int_equal(view.offset, offset % PAGE);
            assert_int_equal(view.bytes, ((offset + bytes + PAGE - 1) / PAGE - offset / PAGE) * PAGE);
            view_unmap(thing.object, view);
        }
    }
    /* Up to the size as asked, and not a byte further. */
    view = view_map(thing.object, 0, 3 * PAGE - 100, DXGK_ACCESS_MODE_USER_MODE);
    view_unmap(thing.object, view);
    assert_int_equal(try_map(thing.object, 0, 3 * PAGE - 99, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE);
    assert_int_equal(try_map(thing.object, 3 * PAGE - 100, 1, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE);
    assert_int_equal(try_map(thing.object, 3 * PAGE, 1, DXGK_ACCESS_MODE_KERNEL_MODE, &view),
                     STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_MAP_OUT_OF_RANGE);
    thing_destroy(thing);
}

static void unmap_as(HANDLE object, const void *base, SIZE_T bytes, enum dxgkmem_violation_code code,
                     uint64_t earlier, enum dxgkmem_call call)
{
    struct state before = state_now();
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY arguments = {object, (void *)(uintptr_t)base, bytes};
    world.ddi.DxgkCbUnmapPhysicalMemory(&arguments);
    expect_violation(code, base, earlier, call);
    expect_unchanged(&before);
}

static void every_answer_of_unmap(void **state)
{
    struct thing one = thing_create(mdl_arguments(NULL, 4 * PAGE)),
                 two = thing_create(mdl_arguments(NULL, 4 * PAGE));
    struct view view = view_map(one.object, 0, 2 * PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    uint64_t made = last_operation();
    struct view user = view_map(one.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    (void)state;
    unmap_as(one.object, view.base, PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_SIZE, made, DXGKMEM_CALL_MAP);
    unmap_as(one.object, view.base, 0, DXGKMEM_VIOLATION_UNMAP_WRONG_SIZE, made, DXGKMEM_CALL_MAP);
    unmap_as(two.object, view.base, 2 * PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT, made, DXGKMEM_CALL_MAP);
    unmap_as(two.object, user.base, PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_OBJECT, made + 1, DXGKMEM_CALL_MAP);
    unmap_as(one.object, view.base + PAGE, PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, 0, DXGKMEM_CALL_NONE);
    unmap_as(one.object, view.base + 1, 2 * PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, 0, DXGKMEM_CALL_NONE);
    unmap_as(one.object, NULL, 0, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, 0, DXGKMEM_CALL_NONE);
    unmap_as(one.object, (void *)UINTPTR_MAX, PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, 0, DXGKMEM_CALL_NONE);
    dxgkmem_sim_set_process(world.sim, 2);
    unmap_as(one.object, user.base, PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_PROCESS, made + 1, DXGKMEM_CALL_MAP);
    /* Another object knows nothing of it. */
    unmap_as(two.object, user.base, PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, 0, DXGKMEM_CALL_NONE);
    dxgkmem_sim_set_process(world.sim, 1);
    view_unmap(one.object, user);
    view_unmap(one.object, view);
    made = last_operation();
    unmap_as(one.object, view.base, 2 * PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, made, DXGKMEM_CALL_UNMAP);
    unmap_as(two.object, view.base, 2 * PAGE, DXGKMEM_VIOLATION_UNMAP_WRONG_BASE, 0, DXGKMEM_CALL_NONE);
    thing_destroy(one);
    thing_destroy(two);
}

/* More processes than stripes: their records share lists, and each end takes its own only. */
static void processes_share_stripes(void **state)
{
    enum { PROCESSES = 3 * MAPPING_STRIPES };
    static struct view views[PROCESSES + 1];
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    (void)state;
    for (process_now = 1; process_now <= PROCESSES; process_now++)
        views[process_now] = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    (void)state_now();
    /* From the oldest on: it is last in its list. */
    for (process_now = 1; process_now <= PROCESSES; process_now++) {
        if (process_now % 3 == 0) {
            view_unmap(thing.object, views[process_now]);
            expect_no_violation();
        } else {
            dxgkmem_process_exit(process_now);
            assert_int_equal(expect_code(DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT).subject,
                             (uintptr_t)views[process_now].base);
        }
    }
    process_now = 1;
    thing_destroy(thing);
}

/* One object at one address in two processes: the end of one leaves the other's mapping. */
static void one_address_in_two_processes(void **state)
{
    struct thing thing = thing_create(mdl_arguments(NULL, PAGE));
    struct view first, second;
    uint64_t made;
    (void)state;
    common_base = (void *)(uintptr_t)(64 * PAGE);
    first = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    made = last_operation();
    process_now = 2;
    second = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    assert_ptr_equal(first.base, second.base);
    dxgkmem_process_exit(1);
    expect_violation(DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT, first.base, made, DXGKMEM_CALL_MAP);
    view_unmap(thing.object, second);
    expect_no_violation();
    common_base = NULL;
    process_now = 1;
    thing_destroy(thing);
}

/* The machine's own status is what the caller gets. */
static void status_of_the_machine(void **state)
{
    struct dxgkmem_config config;
    struct thing thing;
    struct view view;
    DXGK_ADL *adl;
    (void)state;
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = wrapped_machine();
    world_start(&config);
    thing = thing_create(mdl_arguments(world.adapter, 4 * PAGE));
    wrapped.failing = OP_MAP;
    wrapped.failure = STATUS_SECTION_TOO_BIG;
    assert_int_equal(try_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE, &view),
                     STATUS_SECTION_TOO_BIG);
    wrapped.failing = OP_MEMORY_LOCK;
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl), STATUS_SECTION_TOO_BIG);
    wrapped.failing = OP_DOMAIN_MAP;
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl), STATUS_SECTION_TOO_BIG);
    expect_no_violation();
    thing_destroy(thing);
    world_end();
}

/* A machine that never refuses memory need not say so. */
static void machine_without_may_allocate(void **state)
{
    struct dxgkmem_machine_ops ops;
    struct dxgkmem_machine machine = {&ops};
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    ops = *wrapped_machine()->ops;
    ops.may_allocate = NULL;
    memset(&config, 0, sizeof(config));
    config.machine = &machine;
    world_start(&config);
    thing_destroy(thing_create(mdl_arguments(world.adapter, PAGE)));
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rounding, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(every_answer_of_unmap, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(processes_share_stripes, setup_many_processes, world_teardown),
        cmocka_unit_test_setup_teardown(one_address_in_two_processes, setup_many_processes, world_teardown),
        cmocka_unit_test(status_of_the_machine),
        cmocka_unit_test(machine_without_may_allocate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
