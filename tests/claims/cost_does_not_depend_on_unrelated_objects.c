/* SPDX-License-Identifier: MIT */
/*
 * Claim: no call's cost grows with the number of unrelated live objects. Counted, not
 * timed: calls of the machine and of the pool for one life of an object, with few and
 * with many others alive; and the depth to which the trees of ranges grow.
 */
#include "tests/support/wrapped.h"

#include "core/instance.h"

static void start(void)
{
    struct dxgkmem_config config;
    world_make_machine(0);
    memset(&config, 0, sizeof(config));
    config.machine = wrapped_machine();
    world_start(&config);
}

static void one_life(HANDLE adapter)
{
    struct thing thing = thing_create(mdl_arguments(adapter, 4 * PAGE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, 4 * PAGE);
    struct view kernel = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    struct view user = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    struct thing io = thing_create(io_arguments(adapter, IO_PAGE + IO_PAGES - 1, PAGE));
    view_unmap(thing.object, user);
    view_unmap(thing.object, kernel);
    adl_free(thing.open, adl);
    thing_close(thing.open);
    thing.open = thing_open(thing.object, adapter);
    thing_destroy(thing);
    thing_destroy(io);
}

/* What one life takes when everything has its place already. */
static struct wrapped cost_of_one_life(HANDLE adapter)
{
    struct wrapped before;
    /* The first one may make a table grow. */
    one_life(adapter);
    before = wrapped;
    one_life(adapter);
    for (unsigned i = 0; i < WRAPPED_OPS; i++)
        before.calls[i] = wrapped.calls[i] - before.calls[i];
    return before;
}

static void same_number_of_calls(void **state)
{
    enum { OTHERS = 1000 };
    static struct thing others[OTHERS], io[OTHERS / 10];
    static DXGK_ADL *adls[OTHERS];
    static struct view views[OTHERS];
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapters[2];
    (void)state;

    start();
    adapters[0] = world.adapter;
    adapters[1] = adapter_add(&config);
    for (unsigned a = 0; a < 2; a++) {
        struct wrapped few = cost_of_one_life(adapters[a]), many;
        for (unsigned i = 0; i < OTHERS; i++) {
            others[i] = thing_create(mdl_arguments(adapters[a], PAGE));
            adls[i] = adl_allocate(others[i].open, 0, PAGE);
            views[i] = view_map(others[i].object, 0, PAGE,
                                i % 2 == 0 ? DXGK_ACCESS_MODE_KERNEL_MODE : DXGK_ACCESS_MODE_USER_MODE);
            if (i % 10 == 0)
                io[i / 10] = thing_create(io_arguments(adapters[a], IO_PAGE + i / 10, PAGE));
        }
        many = cost_of_one_life(adapters[a]);
        for (unsigned op = 0; op < WRAPPED_OPS; op++)
            if (op != OP_MEMORY_RUN && op != OP_DOMAIN_MAP && op != OP_DOMAIN_UNMAP &&
                op != OP_DOMAIN_FLUSH && op != OP_MAY_ALLOCATE)
                assert_int_equal(few.calls[op], many.calls[op]);
        /* How scattered the four pages are is the machine's affair; at most one run each. */
        assert_true(many.calls[OP_DOMAIN_MAP] <= 4 && many.calls[OP_DOMAIN_FLUSH] <= 4);
        assert_true(many.calls[OP_MEMORY_RUN] <= 4 * 4 + 4);
        /* The record of the process is there already; nothing else differs. */
        assert_true(many.calls[OP_MAY_ALLOCATE] <= few.calls[OP_MAY_ALLOCATE]);
        for (unsigned i = 0; i < OTHERS; i++) {
            view_unmap(others[i].object, views[i]);
            adl_free(others[i].open, adls[i]);
            thing_destroy(others[i]);
            if (i % 10 == 0)
                thing_destroy(io[i / 10]);
        }
    }
    world_end();
}

static unsigned depth_of(const struct range_tree *tree)
{
    unsigned deepest = 0;
    for (const struct range_node *node = range_first(tree); node != NULL; node = range_next(node)) {
        unsigned depth = 1;
        for (const struct range_node *up = node; up->parent != NULL; up = up->parent)
            depth++;
        if (depth > deepest)
            deepest = depth;
    }
    return deepest;
}

/* In order, against the order, with every stride: the tree stays about as deep as the logarithm. */
static void trees_stay_flat(void **state)
{
    enum { NODES = 4096 };
    static struct range_node nodes[NODES];
    (void)state;
    for (unsigned stride = 1; stride <= 1u << 20; stride *= 4) {
        for (unsigned backwards = 0; backwards < 2; backwards++) {
            struct range_tree tree = {NULL};
            for (uint64_t i = 0; i < NODES; i++) {
                uint64_t place = backwards ? NODES - 1 - i : i;
                nodes[i].start = 1 + place * stride;
                nodes[i].end = nodes[i].start + 1;
                range_insert(&tree, &nodes[i]);
            }
            assert_true(depth_of(&tree) <= 40); /* 12 is the least; a list would be 4096 */
        }
    }
}

/* A thing costs one block of the pool; the tables grow in few large ones. */
static void growth_of_the_pool_is_per_thing(void **state)
{
    struct dxgkmem_statistics before, after;
    struct thing things[256];
    (void)state;
    start();
    for (unsigned i = 0; i < 256; i++)
        things[i] = thing_create(mdl_arguments(world.adapter, PAGE));
    dxgkmem_query_statistics(&before);
    thing_destroy(things[0]);
    things[0] = thing_create(mdl_arguments(world.adapter, PAGE));
    dxgkmem_query_statistics(&after);
    assert_int_equal(before.pool_blocks, after.pool_blocks);
    /* One block an object beyond what the tables hold in segments. */
    assert_true(after.pool_blocks <= 256 + 32);
    for (unsigned i = 0; i < 256; i++)
        thing_destroy(things[i]);
    world_end();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_number_of_calls),
        cmocka_unit_test(trees_stay_flat),
        cmocka_unit_test(growth_of_the_pool_is_per_thing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
