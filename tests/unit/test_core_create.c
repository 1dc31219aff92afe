/* SPDX-License-Identifier: MIT */
/* CREATE: every check in its order, every rounding, and what is asked of the machine. */
#include "tests/support/wrapped.h"

static struct dxgkmem_memory_request asked;
static struct dxgkmem_machine_ops listening;
static struct dxgkmem_machine ear;
static struct dxgkmem_machine *passed_to;

static NTSTATUS listen(struct dxgkmem_machine *machine, const struct dxgkmem_memory_request *request,
                       struct dxgkmem_memory **memory)
{
    asked = *request;
    return passed_to->ops->memory_create(machine, request, memory);
}

/* The wrapped machine never looks at its own address, so its functions serve this one as well. */
static int setup(void **state)
{
    struct dxgkmem_config config;
    (void)state;
    world_make_machine(0);
    passed_to = wrapped_machine();
    listening = *passed_to->ops;
    listening.memory_create = listen;
    ear.ops = &listening;
    memset(&config, 0, sizeof(config));
    config.machine = &ear;
    config.limits.object_bytes = 0x1000 * PAGE;
    world_start(&config);
    return 0;
}

static void expect_refused(create_arguments arguments, enum dxgkmem_violation_code code)
{
    struct state before = state_now();
    struct thing thing;
    assert_int_equal(try_create(arguments, &thing), dxgkmem_violation_status(code));
    expect_violation(code, NULL, 0, DXGKMEM_CALL_NONE);
    expect_unchanged(&before);
}

static void make(create_arguments arguments)
{
    memset(&asked, 0, sizeof(asked));
    thing_destroy(thing_create(arguments));
}

static void no_memory(create_arguments arguments)
{
    struct thing thing;
    assert_int_equal(try_create(arguments, &thing), STATUS_NO_MEMORY);
    expect_no_violation();
}

static create_arguments mdl(uint64_t low, uint64_t high, uint64_t skip, UINT flags, SIZE_T bytes)
{
    create_arguments arguments = mdl_arguments(world.adapter, bytes);
    arguments.Mdl.LowAddress = physical(low);
    arguments.Mdl.HighAddress = physical(high);
    arguments.Mdl.SkipBytes = physical(skip);
    arguments.Mdl.Flags = flags;
    return arguments;
}

static void types_caches_sizes(void **state)
{
    create_arguments arguments = mdl_arguments(world.adapter, PAGE);
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        static const int types[3] = {-1, 4, INT32_MAX};
        arguments.Type = (DXGK_PHYSICAL_MEMORY_TYPE)types[i];
        expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_TYPE);
    }
    arguments = mdl_arguments(world.adapter, PAGE);
    for (int cache = -1; cache <= 3; cache++) {
        arguments.CacheType = (DXGK_MEMORY_CACHING_TYPE)cache;
        if (cache < 0 || cache > 2)
            expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_CACHE_TYPE);
        else
            make(arguments);
        assert_true(cache < 0 || cache > 2 || (int)asked.cache == cache);
    }
    expect_refused(mdl_arguments(world.adapter, 0), DXGKMEM_VIOLATION_INVALID_SIZE);
    expect_refused(mdl_arguments(world.adapter, 0x1000 * PAGE + 1), DXGKMEM_VIOLATION_INVALID_SIZE);
    no_memory(mdl_arguments(world.adapter, 0x1000 * PAGE)); /* allowed, but there is not so much */
    for (SIZE_T bytes = 1; bytes < 3 * PAGE; bytes += PAGE / 2) {
        make(mdl_arguments(world.adapter, bytes));
        assert_int_equal(asked.pages, (bytes + PAGE - 1) / PAGE);
    }
}

/* The order of the checks: what comes first is what is said. */
static void order_of_checks(void **state)
{
    create_arguments arguments = mdl(2, 1, 1, 0x80, 0);
    (void)state;
    arguments.Type = (DXGK_PHYSICAL_MEMORY_TYPE)9;
    arguments.CacheType = (DXGK_MEMORY_CACHING_TYPE)9;
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_TYPE);
    arguments.Type = DXGK_PHYSICAL_MEMORY_TYPE_MDL;
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_CACHE_TYPE);
    arguments.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_SIZE);
    arguments.Size = PAGE;
    expect_refused(arguments, DXGKMEM_VIOLATION_RESERVED_BITS);
    arguments.Mdl.Flags = 0;
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    arguments = io_arguments(world.adapter, 0, PAGE + 1);
    expect_refused(arguments, DXGKMEM_VIOLATION_UNALIGNED_RANGE);
    arguments.Size = PAGE;
    expect_refused(arguments, DXGKMEM_VIOLATION_IO_SPACE_OVER_RAM);
    arguments = section_arguments(world.adapter, PAGE, 0x20);
    arguments.Section.AllocationAttributes = 1;
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_PROTECTION);
}

static void mdl_rules(void **state)
{
    const UINT chunks = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS, large = MM_ALLOCATE_FAST_LARGE_PAGES;
    const uint64_t two_mb = (uint64_t)2 << 20;
    (void)state;
    for (unsigned bit = 0; bit < 32; bit++) {
        UINT flag = (UINT)1 << bit;
        if ((flag & 0x17f) == 0)
            expect_refused(mdl(0, UINT64_MAX, 0, flag, PAGE), DXGKMEM_VIOLATION_RESERVED_BITS);
        else if (flag == MM_ALLOCATE_AND_HOT_REMOVE || flag == large)
            expect_refused(mdl(0, UINT64_MAX, 0, flag, PAGE), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
        else
            make(mdl(0, UINT64_MAX, 0, flag, PAGE));
    }
    expect_refused(mdl(0, UINT64_MAX, PAGE / 2, 0, PAGE), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    expect_refused(mdl(0x2000, 0x1fff, 0, 0, PAGE), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    /* Chunks. */
    expect_refused(mdl(0, UINT64_MAX, 3 * PAGE, chunks, 3 * PAGE), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    expect_refused(mdl(0, UINT64_MAX, 4 * PAGE, chunks, 3 * PAGE), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    make(mdl(0, UINT64_MAX, 4 * PAGE, chunks, 3 * PAGE + 1));
    assert_int_equal(asked.chunk_pages, 4);
    assert_int_equal(asked.skip_pages, 0);
    make(mdl(0, UINT64_MAX, 0, chunks, 3 * PAGE));
    assert_true(asked.chunk_pages == DXGKMEM_CHUNK_WHOLE);
    /* Large pages are chunks of two megabytes. */
    expect_refused(mdl(0, UINT64_MAX, 0, chunks | large, two_mb), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    expect_refused(mdl(0, UINT64_MAX, PAGE, chunks | large, two_mb), DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    expect_refused(mdl(0, UINT64_MAX, two_mb / 2, chunks | large, two_mb),
                   DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    make(mdl(0, UINT64_MAX, two_mb, chunks | large, two_mb));
    assert_int_equal(asked.chunk_pages, 512);
    /* A wish, and windows that move. */
    make(mdl(0, UINT64_MAX, 0, MM_ALLOCATE_PREFER_CONTIGUOUS, PAGE));
    assert_true(asked.prefer_contiguous);
    make(mdl(0, 0xfff, 4 * PAGE, 0, 3 * PAGE));
    assert_int_equal(asked.skip_pages, 4);
    assert_int_equal(asked.lowest_page, 0);
    assert_int_equal(asked.highest_page, 0);
    assert_int_equal(asked.chunk_pages, 0);
}

static void window_rounding(void **state)
{
    (void)state;
    make(mdl(1, 0x3fff, 0, 0, PAGE));
    assert_int_equal(asked.lowest_page, 1);
    assert_int_equal(asked.highest_page, 3);
    make(mdl(0x1000, 0x3ffe, 0, 0, PAGE));
    assert_int_equal(asked.lowest_page, 1);
    assert_int_equal(asked.highest_page, 2);
    no_memory(mdl(0, 0xffe, 0, 0, PAGE)); /* not even page 0 */
    no_memory(mdl(0x1001, 0x1fff, 0, 0, PAGE));
    make(mdl(0, UINT64_MAX, 0, 0, PAGE)); /* cut to what there is */
    assert_int_equal(asked.highest_page, ((uint64_t)1 << (ADDRESS_BITS - 12)) - 1);
}

/* The memories of the WDDM 2.4 callbacks are cut alike. */
static void memory_window(void **state)
{
    struct handed_memory memory;
    (void)state;
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(try_contiguous(world.adapter, PAGE, &memory), STATUS_SUCCESS);
    assert_int_equal(asked.highest_page, ((uint64_t)1 << (ADDRESS_BITS - 12)) - 1);
    assert_int_equal(try_free_contiguous(world.adapter, memory.handle), STATUS_SUCCESS);
}

/* What a frame buffer is saved to is memory like any other, and as much as may ever be saved. */
static void memory_of_a_frame_buffer(void **state)
{
    DXGK_ADL *adl;
    (void)state;
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(try_pin(world.adapter, 0, 2 * PAGE, 0, &adl), STATUS_SUCCESS);
    assert_int_equal(asked.cache, DXGK_MEMORY_CACHING_TYPE_CACHED);
    assert_int_equal(asked.pages, FRAME_BUFFER_PAGES);
    assert_int_equal(asked.highest_page, RAM_HIGHEST);
    assert_false(asked.prefer_contiguous);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    /* It is there now: whoever pins next asks for nothing. */
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 1, &adl), STATUS_SUCCESS);
    assert_int_equal(asked.pages, 0);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
}

/* Whoever needs it first is heard. */
static void contiguous_memory_of_a_frame_buffer(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    HANDLE adapter = adapter_add(&config);
    DXGK_ADL *adl;
    (void)state;
    memset(&asked, 0, sizeof(asked));
    assert_int_equal(try_pin(adapter, 0, PAGE, 1, &adl), STATUS_SUCCESS);
    assert_int_equal(asked.pages, FRAME_BUFFER_PAGES);
    assert_true(asked.prefer_contiguous);
    assert_int_equal(try_unpin(adapter, 0), STATUS_SUCCESS);
    adapter_remove(adapter);
}

/* A window over a range that somebody owns has no RAM: nobody's mistake. */
static void window_over_an_owned_range(void **state)
{
    struct thing owner = thing_create(io_arguments(NULL, IO_PAGE, PAGE)), none;
    (void)state;
    assert_int_equal(try_create(mdl(IO_PAGE * PAGE, IO_PAGE * PAGE + PAGE - 1, 0, 0, PAGE), &none),
                     STATUS_NO_MEMORY);
    expect_no_violation();
    thing_destroy(owner);
}

static void contiguous_rules(void **state)
{
    create_arguments arguments = contiguous_arguments(world.adapter, 2 * PAGE);
    (void)state;
    for (uint64_t boundary = 1; boundary != 0; boundary <<= 1) {
        arguments.ContiguousMemory.BoundaryAddressMultiple = physical(boundary);
        if (boundary < 4096) {
            expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
        } else if (boundary < 2 * 4096) {
            no_memory(arguments); /* smaller than the block */
        } else {
            make(arguments);
            assert_int_equal(asked.boundary_pages, boundary >> 12);
        }
    }
    arguments.ContiguousMemory.BoundaryAddressMultiple = physical(0x6000);
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
    arguments = contiguous_arguments(world.adapter, 2 * PAGE);
    arguments.ContiguousMemory.LowestAcceptableAddress = physical(2);
    arguments.ContiguousMemory.HighestAcceptableAddress = physical(1);
    expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_CONSTRAINTS);
}

static void section_rules(void **state)
{
    create_arguments arguments;
    (void)state;
    for (ULONG protection = 0; protection < 0x100; protection++) {
        arguments = section_arguments(world.adapter, PAGE, protection);
        if (protection == PAGE_READONLY || protection == PAGE_READWRITE || protection == PAGE_WRITECOPY ||
            protection == PAGE_EXECUTE)
            make(arguments);
        else
            expect_refused(arguments, DXGKMEM_VIOLATION_INVALID_PROTECTION);
    }
    arguments = section_arguments(world.adapter, PAGE, PAGE_READONLY);
    arguments.Section.AllocationAttributes = SEC_COMMIT;
    arguments.Section.DesiredAccess = 0x12345;
    arguments.Section.ObjectAttributes = (POBJECT_ATTRIBUTES)(void *)&asked;
    make(arguments);
    assert_int_equal(asked.highest_page, RAM_HIGHEST);
    assert_int_equal(asked.desired_access, 0x12345);
    assert_ptr_equal(asked.object_attributes, (POBJECT_ATTRIBUTES)(void *)&asked);
    assert_int_equal(asked.page_protection, PAGE_READONLY);
    arguments.Section.AllocationAttributes = SEC_COMMIT | 1;
    expect_refused(arguments, DXGKMEM_VIOLATION_RESERVED_BITS);
}

/* An MDL object ends one page below four gigabytes, even where others may be larger. */
static void largest_mdl(void **state)
{
#if UINTPTR_MAX > 0xffffffffu
    struct dxgkmem_config config;
    struct thing thing;
    (void)state;
    memset(&config, 0, sizeof(config));
    world_make_machine(0);
    world_start(&config);
    expect_refused(mdl_arguments(NULL, (SIZE_T)0x100000000u - PAGE + 1), DXGKMEM_VIOLATION_INVALID_SIZE);
    assert_int_equal(try_create(mdl_arguments(NULL, (SIZE_T)0x100000000u - PAGE), &thing), STATUS_NO_MEMORY);
    assert_int_equal(try_create(contiguous_arguments(NULL, (SIZE_T)0x100000000u), &thing), STATUS_NO_MEMORY);
    assert_int_equal(try_create(contiguous_arguments(NULL, ((SIZE_T)1 << 44) - PAGE), &thing),
                     STATUS_NO_MEMORY);
    expect_refused(contiguous_arguments(NULL, ((SIZE_T)1 << 44) - PAGE + 1), DXGKMEM_VIOLATION_INVALID_SIZE);
    world_end();
#else
    (void)state;
#endif
}

/* The machine's own status is what the caller gets. */
static void status_of_the_machine(void **state)
{
    struct thing thing;
    (void)state;
    wrapped.failing = OP_MEMORY_CREATE;
    wrapped.failure = STATUS_UNSUCCESSFUL;
    assert_int_equal(try_create(mdl_arguments(world.adapter, PAGE), &thing), STATUS_UNSUCCESSFUL);
    expect_no_violation();
    assert_int_equal(wrapped.calls[OP_MEMORY_ZERO] + wrapped.calls[OP_MEMORY_DESTROY], 0);
}

/* The last adapter goes away while CREATE is on its way: nothing is opened on what is gone. */
static void remove_now(enum wrapped_op op, uint64_t first, uint64_t pages)
{
    (void)first;
    (void)pages;
    if (op == OP_MEMORY_CREATE) {
        wrapped.before = NULL;
        adapter_remove(world.adapter);
    }
}

static void adapter_goes_meanwhile(void **state)
{
    struct thing thing;
    (void)state;
    wrapped.before = remove_now;
    assert_int_equal(try_create(mdl_arguments(world.adapter, PAGE), &thing), STATUS_DEVICE_REMOVED);
    (void)expect_code(DXGKMEM_VIOLATION_ADAPTER_REMOVED);
    assert_int_equal(dxgkmem_sim_free_pages(world.sim), RAM_PAGES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(types_caches_sizes, setup, world_teardown),
        cmocka_unit_test_setup_teardown(order_of_checks, setup, world_teardown),
        cmocka_unit_test_setup_teardown(mdl_rules, setup, world_teardown),
        cmocka_unit_test_setup_teardown(window_rounding, setup, world_teardown),
        cmocka_unit_test_setup_teardown(memory_window, setup, world_teardown),
        cmocka_unit_test_setup_teardown(memory_of_a_frame_buffer, setup, world_teardown),
        cmocka_unit_test_setup_teardown(contiguous_memory_of_a_frame_buffer, setup, world_teardown),
        cmocka_unit_test_setup_teardown(window_over_an_owned_range, setup, world_teardown),
        cmocka_unit_test_setup_teardown(contiguous_rules, setup, world_teardown),
        cmocka_unit_test_setup_teardown(section_rules, setup, world_teardown),
        cmocka_unit_test(largest_mdl),
        cmocka_unit_test_setup_teardown(status_of_the_machine, setup, world_teardown),
        cmocka_unit_test_setup_teardown(adapter_goes_meanwhile, setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
