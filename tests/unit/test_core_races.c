/* SPDX-License-Identifier: MIT */
/*
 * What another thread may do between two steps of a call: to handles, processes, I/O ranges and the table. When
 * adapters go is in test_core_removal.c.
 */
#include "test_races.h"

/* -- handles end while somebody waits for their lock -------------------------------------- */

static struct view view;

static void destroy_thing(void)
{
    thing_destroy(thing);
}

static void handle_ends_while_waiting(void **state)
{
    (void)state;
    thing = thing_create(mdl_arguments(world.adapter, PAGE));
    at_lock(RANK_SLOT, 0, close_thing);
    thing_close(thing.open);
    expect_hooked();
    /* The one that waited came second, by number and by fact. */
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_STALE_HANDLE).earlier_operation, last_operation());
    at_lock(RANK_SLOT, 0, destroy_unopened);
    destroy_unopened();
    expect_hooked();
    (void)expect_code(DXGKMEM_VIOLATION_STALE_HANDLE);
}

static void object_ends_during_open(void **state)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open;
    (void)state;
    thing = thing_create(mdl_arguments(NULL, PAGE));
    open = (DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT){thing.object, world.adapter, NULL};
    at_lock(RANK_SLOT, 1, destroy_thing); /* the adapter's slot, then the object's */
    assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject(&open), STATUS_INVALID_HANDLE);
    expect_hooked();
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_STALE_HANDLE).subject, (uintptr_t)thing.object);
    assert_null(open.hAdapterMemoryObject);
}

/* -- processes end ---------------------------------------------------------------------------- */

static void unmap_view(void)
{
    view_unmap(thing.object, view);
}

static void unmap_and_destroy(void)
{
    view_unmap(thing.object, view);
    destroy_unopened();
}

/* The owner ends the mapping and makes another one at its address, of the same object or of another. */
static struct dxgkmem_machine_ops fixed_ops;
static struct dxgkmem_machine fixed_machine;

static NTSTATUS map_fixed(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, uint64_t first,
                          uint64_t pages, DXGK_ACCESS_MODE mode, unsigned access, void **base)
{
    (void)machine, (void)memory, (void)first, (void)pages, (void)mode, (void)access;
    *base = (void *)(uintptr_t)0x7000;
    return STATUS_SUCCESS;
}

static void unmap_fixed(struct dxgkmem_machine *machine, struct dxgkmem_memory *memory, void *base,
                        uint64_t pages, uint64_t process)
{
    (void)machine, (void)memory, (void)base, (void)pages, (void)process;
}

static void unmap_and_map_again(void)
{
    view_unmap(thing.object, view);
    view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
}

static struct thing other_thing;

static void unmap_and_map_the_other(void)
{
    view_unmap(thing.object, view);
    view = view_map(other_thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
}

static void replaced_during_exit(void (*replace)(void))
{
    struct dxgkmem_config config;
    uint64_t remade;
    hook = NULL;
    world_make_machine(0);
    fixed_ops = *wrapped_machine()->ops;
    fixed_ops.map = map_fixed;
    fixed_ops.unmap = unmap_fixed;
    fixed_machine.ops = &fixed_ops;
    memset(&config, 0, sizeof(config));
    config.machine = &fixed_machine;
    world_start(&config);
    thing = thing_create(mdl_arguments(NULL, PAGE));
    other_thing = thing_create(mdl_arguments(NULL, PAGE));
    view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    at_lock(RANK_SLOT, 0, replace);
    dxgkmem_process_exit(1);
    expect_hooked();
    /* The new one ends too, and it is the one that is reported. */
    remade = last_operation();
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT).earlier_operation, remade);
    destroy_unopened();
    thing_destroy(other_thing);
    world_end();
}

static void another_mapping_at_the_same_address(void **state)
{
    (void)state;
    replaced_during_exit(unmap_and_map_again);
    replaced_during_exit(unmap_and_map_the_other);
}

static void owner_is_quicker_than_the_end(void **state)
{
    (void)state;
    thing = thing_create(mdl_arguments(NULL, PAGE));
    view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    at_lock(RANK_SLOT, 0, unmap_view);
    dxgkmem_process_exit(1);
    expect_hooked();
    expect_no_violation();
    view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    at_lock(RANK_SLOT, 0, unmap_and_destroy);
    dxgkmem_process_exit(1);
    expect_hooked();
    expect_no_violation();
}

/* -- I/O ranges ----------------------------------------------------------------------------------- */

static NTSTATUS inner_status;

static void claim_the_same(void)
{
    struct thing other;
    inner_status = try_create(io_arguments(NULL, IO_PAGE, PAGE), &other);
}

/* A range that another call takes meanwhile is that call's; this one is refused and leaves nothing. */
static void claimed_meanwhile(void **state)
{
    struct thing made;
    (void)state;
    (void)thing_create(io_arguments(NULL, IO_PAGE + 9, PAGE));
    thing_destroy(thing_create(mdl_arguments(NULL, PAGE))); /* its slot waits on a list */
    at_lock(RANK_SHARD, 0, claim_the_same);
    inner_status = STATUS_UNSUCCESSFUL;
    assert_int_equal(try_create(io_arguments(NULL, IO_PAGE, PAGE), &made), STATUS_CONFLICTING_ADDRESSES);
    expect_hooked();
    assert_int_equal(inner_status, STATUS_SUCCESS);
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_IO_SPACE_OVERLAP).earlier_operation, last_operation());
    dxgkmem_reset();
}

/* -- pages of an MDL ------------------------------------------------------------------------------- */

static HANDLE last_mapped;

static void map_last(void)
{
    last_mapped = mdl_map(world.adapter, 2, 1);
}

/* A map that loses its last page to another, after it was judged, keeps nothing of the first one. */
static void a_claim_that_does_not_stand(void **state)
{
    struct own_mdl mdl = own_mdl(0, 2);
    HANDLE refused;
    (void)state;
    mdl.page[1] = own_mdl(2, 1).page[0];
    at_lock(RANK_LOGICAL, 2, map_last); /* what is visible, the judgement, and the last step */
    assert_false(NT_SUCCESS(try_map_mdl(world.adapter, &mdl, &refused)));
    expect_hooked();
    (void)expect_code(DXGKMEM_VIOLATION_MDL_PAGE_TWICE);
    mdl_unmap(world.adapter, mdl_map(world.adapter, 0, 1));
    mdl_unmap(world.adapter, last_mapped);
}

/* -- the table ------------------------------------------------------------------------------------- */

static struct table table;
static uint32_t taken_meanwhile;

static void take_one(void)
{
    taken_meanwhile = table_take(&table);
}

static void entry_goes_meanwhile(void **state)
{
    uint32_t index;
    (void)state;
    assert_true(table_start(&table, sizeof(struct table_entry), 0, 1000));
    index = table_take(&table);
    table_give(&table, index);
    /* Seen on the list, gone under the lock. */
    at_lock(RANK_SHARD, 0, take_one);
    assert_int_equal(table_take(&table), 1);
    expect_hooked();
    assert_int_equal(taken_meanwhile, index);
    /* Two want the same new entry, and the segment that it lies in. */
    while (table_used(&table) < 64)
        (void)table_take(&table);
    at_lock(RANK_GROWTH, 0, take_one);
    assert_int_equal(table_take(&table), 65);
    expect_hooked();
    assert_int_equal(taken_meanwhile, 64);
    table_stop(&table);
}

/* -- memory --------------------------------------------------------------------------------------------- */

/* The host itself has none, whatever the machine thinks of it. */
static void host_has_no_memory(void **state)
{
    struct state before = state_now();
    (void)state;
    no_memory = true;
    assert_int_equal(try_create(mdl_arguments(NULL, PAGE), &thing), STATUS_INSUFFICIENT_RESOURCES);
    no_memory = false;
    expect_no_violation();
    expect_same_pool(&before);
}

/* What one shard counts up another may count down; numbers of operations belong to their shard. */
static void counts_are_summed(void **state)
{
    struct dxgkmem_violation violation;
    (void)state;
    for (shard = 0; shard < 40; shard += 3)
        thing_destroy(thing_create(mdl_arguments(NULL, PAGE)));
    shard = 2;
    thing = thing_create(mdl_arguments(NULL, PAGE));
    shard = 9;
    thing_destroy(thing);
    thing_destroy(thing);
    violation = expect_code(DXGKMEM_VIOLATION_STALE_HANDLE);
    assert_int_equal(violation.operation >> 48, 9);
    assert_int_equal(violation.earlier_operation >> 48, 9);
    assert_int_equal(violation.earlier_operation + 1, violation.operation);
    shard = 0;
    (void)state_now();
}

/* -- core's own assertions ------------------------------------------------------------------------------- */

static void expect_panic(void (*wrong)(void))
{
    jmp_buf here;
    panic_exit = &here;
    if (setjmp(here) == 0) {
        wrong();
        panic_exit = NULL;
        fail_msg("nothing stopped the system");
    }
    panic_exit = NULL;
}

static struct object *the_object(void)
{
    return handle_thing(handle_index((uintptr_t)thing.object), HANDLE_OBJECT);
}

static void end_what_is_not_live(void)
{
    handle_end(handle_reserve(), 0);
}

static void free_it(void)
{
    object_free(the_object());
}

static void close_it(void)
{
    object_close(the_object());
}

static void end_adapter_of_it(void)
{
    object_end_adapter(the_object(), 0);
}

/* A tree that promises a gap which is not there. */
static void look_for_a_lie(void)
{
    for (uint64_t shift = 1;; shift++) {
        struct range_node node[3];
        struct range_tree tree_of_three = {NULL};
        uint64_t start;
        memset(node, 0, sizeof(node));
        range_set_key(shift); /* every other tree is empty by now */
        for (unsigned i = 0; i < 3; i++) {
            node[i].start = shift + i;
            node[i].end = shift + i + 1;
            range_insert(&tree_of_three, &node[i]);
        }
        if (node[1].right != &node[2])
            continue; /* another shape; try another key */
        node[2].max_gap = 100;
        (void)range_find_gap(&tree_of_three, shift, shift + 1000, 5, 0, &start);
        return;
    }
}

static void assertions_stop_the_system(void **state)
{
    DXGK_ADL *adl;
    (void)state;
    expect_panic(end_what_is_not_live);
    thing = thing_create(mdl_arguments(world.adapter, PAGE));
    view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    expect_panic(free_it);
    view_unmap(thing.object, view);
    adl = adl_allocate(thing.open, 0, PAGE);
    expect_panic(close_it);
    adl_free(thing.open, adl);
    expect_panic(close_it); /* it is still among what is open on the adapter */
    thing_destroy(thing);
    thing = thing_create(io_arguments(NULL, IO_PAGE, PAGE));
    expect_panic(free_it); /* its range is still claimed */
    expect_panic(end_adapter_of_it);
    destroy_unopened();
    expect_panic(look_for_a_lie);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(handle_ends_while_waiting, setup, world_teardown),
        cmocka_unit_test_setup_teardown(object_ends_during_open, setup, world_teardown),
        cmocka_unit_test(another_mapping_at_the_same_address),
        cmocka_unit_test_setup_teardown(owner_is_quicker_than_the_end, setup, world_teardown),
        cmocka_unit_test_setup_teardown(claimed_meanwhile, setup, world_teardown),
        cmocka_unit_test_setup_teardown(a_claim_that_does_not_stand, setup, world_teardown),
        cmocka_unit_test_setup_teardown(entry_goes_meanwhile, setup, world_teardown),
        cmocka_unit_test_setup_teardown(host_has_no_memory, setup, world_teardown),
        cmocka_unit_test_setup_teardown(counts_are_summed, setup, world_teardown),
        cmocka_unit_test_setup_teardown(assertions_stop_the_system, setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
