/* SPDX-License-Identifier: MIT */
/*
 * The reference model, driven directly with made-up handles and ADLs: each
 * violation is expected where the contract has it, and each check of an output
 * notices a wrong one and lets the right one pass. Nothing of core is linked.
 */
#include "test_model.h"

/* -- what every call checks ---------------------------------------------------------- */

static void test_prologue(void **state)
{
    (void)state;
    struct dxgkmem_leaks leaks;
    create_args args = mdl(NULL, PAGE);
    struct dxgkmem_adapter_config newest = config(1, WDDM32, ALL_RAM, false);

    now.null_arguments = true;
    now.misaligned_arguments = true;
    model_create(model, tick(), NULL, &expected);
    EXPECT(NULL_ARGUMENTS, 0, 0, NONE);
    assert_int_equal(expected.status, STATUS_INVALID_PARAMETER);
    now.null_arguments = false;
    ask_create(&args);
    EXPECT(MISALIGNED_ARGUMENTS, 0, 0, NONE);
    assert_int_equal(expected.status, STATUS_DATATYPE_MISALIGNMENT);
    now.misaligned_arguments = false;
    now.irql = DISPATCH_LEVEL;
    ask_create(&args);
    EXPECT(IRQL_TOO_HIGH, 0, 0, NONE);
    assert_false(expected.documented);
    add(&newest);
    ask_close(NULL);
    EXPECT(IRQL_TOO_HIGH, 0, 0, NONE);
    assert_true(expected.documented);
    now.irql = APC_LEVEL;
    ask_create(&args);
    FINE();
    model_stop(model, tick(), NULL, 0, &leaks);
    ask_create(&args);
    EXPECT(NOT_STARTED, 0, 0, NONE);
    assert_int_equal(expected.status, STATUS_INVALID_DEVICE_STATE);
    model_reset(model);
    ask_create(&args);
    FINE();
    model_other_member(model, true, &expected);
    EXPECT(LEGACY_CALLBACK, 0, 0, NONE);
    model_other_member(model, false, &expected);
    EXPECT(UNRELATED_CALLBACK, 0, 0, NONE);
}

static void test_handles(void **state)
{
    (void)state;
    HANDLE adapter = identity(1);
    create_args a = created(mdl(adapter, PAGE));
    uint64_t ended;

    ask_map(NULL, 0, 0, 1);
    EXPECT(NULL_HANDLE, 0, 0, NONE);
    ask_map((HANDLE)(uintptr_t)0x7777, 0, 0, 1);
    EXPECT(UNKNOWN_HANDLE, 0x7777, 0, NONE);
    assert_int_equal(expected.status, STATUS_INVALID_HANDLE);
    ask_map(a.hAdapterMemoryObject, 0, 0, 1);
    EXPECT(WRONG_KIND_HANDLE, a.hAdapterMemoryObject, 0, NONE);
    destroy(a.hPhysicalMemoryObject, a.hAdapterMemoryObject);
    ended = now.operation;
    ask_map(a.hAdapterMemoryObject, 0, 0, 1);
    EXPECT(WRONG_KIND_HANDLE, a.hAdapterMemoryObject, 0, NONE);
    ask_map(a.hPhysicalMemoryObject, 0, 0, 1);
    EXPECT(STALE_HANDLE, a.hPhysicalMemoryObject, ended, DESTROY);
    ask_close(a.hAdapterMemoryObject);
    EXPECT(CLOSE_AFTER_DESTROY, a.hAdapterMemoryObject, ended, DESTROY);
    assert_false(expected.earlier_unknown_allowed);
    ask_adl(a.hAdapterMemoryObject, 0, PAGE, 0);
    EXPECT(STALE_HANDLE, a.hAdapterMemoryObject, ended, DESTROY);

    create_args b = created(mdl(NULL, PAGE));
    ask_close(a.hAdapterMemoryObject);
    assert_false(expected.earlier_unknown_allowed || expected.stale_allowed);
    HANDLE opened = opened_on(b.hPhysicalMemoryObject, adapter);
    ask_close(a.hAdapterMemoryObject);
    EXPECT(CLOSE_AFTER_DESTROY, a.hAdapterMemoryObject, ended, DESTROY);
    assert_true(expected.earlier_unknown_allowed && expected.stale_allowed);
    closed(opened);
    ask_close(opened);
    EXPECT(STALE_HANDLE, opened, now.operation - 1, CLOSE);
    opened = opened_on(b.hPhysicalMemoryObject, adapter);
    struct dxgkmem_violation left[4];
    assert_int_equal(model_remove_adapter_done(model, tick(), adapter, left, 4), 1);
    ended = now.operation;
    ask_close(opened);
    EXPECT(ADAPTER_REMOVED, opened, ended, REMOVE_ADAPTER);
    ask_open(b.hPhysicalMemoryObject, adapter);
    EXPECT(ADAPTER_REMOVED, adapter, ended, REMOVE_ADAPTER);
    assert_int_equal(expected.status, STATUS_DEVICE_REMOVED);
}

/* -- CREATE -------------------------------------------------------------------------- */

#define REFUSED(args, code)                                                                                  \
    do {                                                                                                     \
        ask_create(&(args));                                                                                 \
        EXPECT(code, 0, 0, NONE);                                                                            \
    } while (0)

static void test_create_fields(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config old = config(1, WDDM24, ALL_RAM, false);
    HANDLE adapter = add(&old);
    create_args a = mdl(adapter, PAGE);

    ask_create(&a);
    EXPECT(WRONG_WDDM_LEVEL, adapter, 0, NONE);
    a = mdl(NULL, PAGE), a.Type = (DXGK_PHYSICAL_MEMORY_TYPE)4;
    REFUSED(a, INVALID_TYPE);
    a = mdl(NULL, PAGE), a.CacheType = (DXGK_MEMORY_CACHING_TYPE)3;
    REFUSED(a, INVALID_CACHE_TYPE);
    a = section(NULL, PAGE, PAGE_READWRITE), a.CacheType = DXGK_MEMORY_CACHING_TYPE_NON_CACHED;
    REFUSED(a, INVALID_CACHE_TYPE);
    a = mdl(NULL, 0);
    REFUSED(a, INVALID_SIZE);
    a = mdl(NULL, 0x40000001);
    REFUSED(a, INVALID_SIZE);
    a = mdl(NULL, PAGE), a.Mdl.Flags = 0x80;
    REFUSED(a, RESERVED_BITS);
    a.Mdl.Flags = MM_ALLOCATE_AND_HOT_REMOVE;
    REFUSED(a, INVALID_CONSTRAINTS);
    a.Mdl.Flags = MM_ALLOCATE_FAST_LARGE_PAGES;
    REFUSED(a, INVALID_CONSTRAINTS);
    a.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS, a.Mdl.SkipBytes.QuadPart = 2 * PAGE;
    REFUSED(a, INVALID_CONSTRAINTS); /* one page is no multiple of the chunk */
    a.Size = 0x200000, a.Mdl.SkipBytes.QuadPart = 0x200000;
    a.Mdl.Flags |= MM_ALLOCATE_FAST_LARGE_PAGES | MM_ALLOCATE_AND_HOT_REMOVE;
    REFUSED(a, INVALID_CONSTRAINTS); /* fit to be large pages, but hot removal is refused */
    a = mdl(NULL, 2 * PAGE), a.Mdl.SkipBytes.QuadPart = 2 * PAGE;
    a.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS | MM_ALLOCATE_FAST_LARGE_PAGES;
    REFUSED(a, INVALID_CONSTRAINTS);
    a = mdl(NULL, PAGE), a.Mdl.SkipBytes.QuadPart = 1;
    REFUSED(a, INVALID_CONSTRAINTS);
    a = mdl(NULL, PAGE), a.Mdl.LowAddress.QuadPart = 2, a.Mdl.HighAddress.QuadPart = 1;
    REFUSED(a, INVALID_CONSTRAINTS);
    a = block(NULL, PAGE), a.ContiguousMemory.BoundaryAddressMultiple.QuadPart = 0x3000;
    REFUSED(a, INVALID_CONSTRAINTS);
    a = section(NULL, PAGE, 0x40);
    REFUSED(a, INVALID_PROTECTION);
    a = section(NULL, PAGE, PAGE_EXECUTE), a.Section.AllocationAttributes = 1;
    REFUSED(a, RESERVED_BITS);
    a = io(NULL, 0x10000800, PAGE);
    REFUSED(a, UNALIGNED_RANGE);
    a = io(NULL, 0x7FFFFFFll << 12, 2 * PAGE);
    REFUSED(a, INVALID_CONSTRAINTS);
    a = io(NULL, 0xFFFF000, PAGE);
    REFUSED(a, IO_SPACE_OVER_RAM);
    assert_int_equal(times_asked, 0);
}

static void test_create_io(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config narrow = config(1, WDDM29, 0x1FFFFFFF, false);
    HANDLE adapter = add(&narrow);
    create_args high = created(io(NULL, 0x20002000, PAGE));
    uint64_t at_high = now.operation;
    create_args low = created(io(NULL, 0x20000000, PAGE));
    uint64_t at_low = now.operation;
    create_args a = io(NULL, 0x20000000, 3 * PAGE);

    ask_create(&a);
    EXPECT(IO_SPACE_OVERLAP, 0, at_low, CREATE);
    destroy(low.hPhysicalMemoryObject, NULL);
    ask_create(&a);
    EXPECT(IO_SPACE_OVERLAP, 0, at_high, CREATE);
    a = io(adapter, 0x1FFFF000, 2 * PAGE);
    REFUSED(a, NOT_VISIBLE);
    a.Size = PAGE;
    ask_create(&a);
    FINE();
    ask_open(high.hPhysicalMemoryObject, adapter);
    EXPECT(NOT_VISIBLE, high.hPhysicalMemoryObject, 0, NONE);
}

static void test_create_request(void **state)
{
    (void)state;
    HANDLE adapter = identity(1);
    create_args a = mdl(adapter, PAGE + 1);

    a.Mdl.LowAddress.QuadPart = 1, a.Mdl.HighAddress.QuadPart = 0x4FFE;
    ask_create(&a);
    assert_int_equal(asked.lowest_page, 1);
    assert_int_equal(asked.highest_page, 3);
    assert_int_equal(asked.pages, 2);
    a.Mdl.HighAddress.QuadPart = 0x4FFF, a.Mdl.Flags = MM_ALLOCATE_PREFER_CONTIGUOUS,
    a.Mdl.SkipBytes.QuadPart = PAGE;
    ask_create(&a);
    assert_int_equal(asked.highest_page, 4);
    assert_true(asked.prefer_contiguous && asked.skip_pages == 1 && asked.chunk_pages == 0);
    a.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
    ask_create(&a);
    assert_true(asked.skip_pages == 0 && asked.chunk_pages == 1);
    a.Mdl.SkipBytes.QuadPart = 0, a.Mdl.HighAddress.QuadPart = -1;
    ask_create(&a);
    assert_true(asked.chunk_pages == DXGKMEM_CHUNK_WHOLE && asked.highest_page == 0x7FFFFFF);
    a = section(NULL, PAGE, PAGE_EXECUTE);
    ask_create(&a);
    assert_true(asked.lowest_page == 0 && asked.highest_page == RAM_TOP &&
                asked.page_protection == PAGE_EXECUTE);

    times_asked = 0;
    a = mdl(NULL, PAGE), a.Mdl.LowAddress.QuadPart = 1, a.Mdl.HighAddress.QuadPart = 0x1FFE;
    ask_create(&a);
    SHORT(STATUS_NO_MEMORY);
    a.Mdl.LowAddress.QuadPart = 0, a.Mdl.HighAddress.QuadPart = 1;
    ask_create(&a);
    SHORT(STATUS_NO_MEMORY);
    a = block(NULL, 2 * PAGE), a.ContiguousMemory.BoundaryAddressMultiple.QuadPart = PAGE;
    ask_create(&a);
    SHORT(STATUS_NO_MEMORY);
    assert_int_equal(expected.resource[1], 0);
    assert_int_equal(times_asked, 0);
    machine_has_pages = false;
    a = mdl(NULL, PAGE);
    ask_create(&a);
    SHORT(STATUS_NO_MEMORY);
    assert_int_equal(expected.resource[1], STATUS_INSUFFICIENT_RESOURCES);
}

static void test_create_done(void **state)
{
    (void)state;
    HANDLE adapter = identity(1);
    create_args old = created(mdl(adapter, PAGE)), in = mdl(adapter, PAGE), out = in, bad;

    destroy(old.hPhysicalMemoryObject, old.hAdapterMemoryObject);
    ask_create(&in);
    out.hPhysicalMemoryObject = new_handle();
    out.hAdapterMemoryObject = new_handle();
    bad = out, bad.hPhysicalMemoryObject = NULL;
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.hAdapterMemoryObject = NULL;
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.hAdapterMemoryObject = bad.hPhysicalMemoryObject;
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.hPhysicalMemoryObject = old.hPhysicalMemoryObject; /* ended, but lived */
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.hAdapterMemoryObject = adapter; /* of another kind */
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.Size++;
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 22);
    assert_null(model_create_done(model, &now, &in, &out, &invariant));
    assert_null(map_page(out.hPhysicalMemoryObject, DXGK_ACCESS_MODE_KERNEL_MODE, 0x900000));
    assert_null(adl_done(out.hAdapterMemoryObject, 0, PAGE, 2, range_adl(0, 1, 7)));
    in = mdl(NULL, PAGE), out = in, out.hPhysicalMemoryObject = new_handle();
    bad = out, bad.hAdapterMemoryObject = new_handle();
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.hPhysicalMemoryObject = &adls[0];
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    bad = out, bad.hPhysicalMemoryObject = (HANDLE)(uintptr_t)0x900000;
    WRONG(model_create_done(model, &now, &in, &bad, &invariant), 2);
    assert_null(model_create_done(model, &now, &in, &out, &invariant));
    in.hAdapter = (HANDLE)(uintptr_t)0x1234;
    WRONG(model_create_done(model, &now, &in, &out, &invariant), 1);
}

/* -- DESTROY, OPEN, CLOSE -------------------------------------------------------------- */

static void test_destroy(void **state)
{
    (void)state;
    HANDLE adapter = identity(1);
    create_args a = created(mdl(adapter, PAGE));
    uint64_t at_a = now.operation;
    create_args b = created(mdl(NULL, PAGE));
    HANDLE opened = opened_on(b.hPhysicalMemoryObject, adapter);
    uint64_t at_open = now.operation, at;

    ask_destroy(a.hPhysicalMemoryObject, opened);
    EXPECT(DESTROY_FOREIGN_ADAPTER_OBJECT, opened, at_open, OPEN);
    ask_destroy(b.hPhysicalMemoryObject, a.hAdapterMemoryObject);
    EXPECT(DESTROY_FOREIGN_ADAPTER_OBJECT, a.hAdapterMemoryObject, at_a, CREATE);
    ask_destroy(a.hPhysicalMemoryObject, NULL);
    EXPECT(DESTROY_WHILE_OPEN, a.hPhysicalMemoryObject, at_a, CREATE);
    assert_false(expected.documented);
    assert_null(map_page(a.hPhysicalMemoryObject, DXGK_ACCESS_MODE_KERNEL_MODE, 0x900000));
    at = now.operation;
    assert_null(map_page(a.hPhysicalMemoryObject, DXGK_ACCESS_MODE_KERNEL_MODE, 0x800000));
    ask_destroy(a.hPhysicalMemoryObject, a.hAdapterMemoryObject);
    EXPECT(DESTROY_WITH_LIVE_MAPPING, a.hPhysicalMemoryObject, at, MAP);
    assert_null(adl_done(a.hAdapterMemoryObject, 0, PAGE, 2, range_adl(0, 1, 7)));
    at = now.operation;
    assert_null(adl_done(a.hAdapterMemoryObject, 0, PAGE, 2, range_adl(1, 1, 7)));
    ask_destroy(a.hPhysicalMemoryObject, NULL);
    EXPECT(DESTROY_WITH_LIVE_ADL, a.hPhysicalMemoryObject, at, ALLOCATE_ADL);
    assert_true(expected.documented);
    assert_int_equal(expected.status, STATUS_DEVICE_BUSY);
    ask_close(a.hAdapterMemoryObject);
    EXPECT(CLOSE_WITH_LIVE_ADL, a.hAdapterMemoryObject, at, ALLOCATE_ADL);
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT args = {opened, NULL};
    WRONG(model_destroy_done(model, &now, &args, &invariant), 1);
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT close_args = {a.hPhysicalMemoryObject};
    WRONG(model_close_done(model, &now, &close_args, &invariant), 1);
}

static void test_open(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config old = config(3, WDDM24, ALL_RAM, false);
    HANDLE one = identity(1), two = identity(2), ancient = add(&old);
    create_args a = created(mdl(one, PAGE)), b = created(mdl(NULL, PAGE));
    uint64_t at = now.operation - 1;
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT in = {b.hPhysicalMemoryObject, two, NULL}, out = in;

    ask_open(a.hPhysicalMemoryObject, one);
    EXPECT(SECOND_OPEN, a.hPhysicalMemoryObject, at, CREATE);
    ask_open(a.hPhysicalMemoryObject, two);
    EXPECT(OPEN_ON_OTHER_ADAPTER, a.hPhysicalMemoryObject, at, CREATE);
    ask_open(a.hPhysicalMemoryObject, ancient);
    EXPECT(WRONG_WDDM_LEVEL, ancient, 0, NONE);
    ask_open(a.hPhysicalMemoryObject, NULL);
    EXPECT(NULL_HANDLE, 0, 0, NONE);
    WRONG(model_open_done(model, &now, &in, &out, &invariant), 2);
    out.hAdapterMemoryObject = a.hAdapterMemoryObject;
    WRONG(model_open_done(model, &now, &in, &out, &invariant), 2);
    out.hAdapterMemoryObject = new_handle();
    in.hPhysicalMemoryObject = NULL;
    WRONG(model_open_done(model, &now, &in, &out, &invariant), 1);
    in.hPhysicalMemoryObject = b.hPhysicalMemoryObject, out.hAdapter = one;
    WRONG(model_open_done(model, &now, &in, &out, &invariant), 22);
    out.hAdapter = two;
    assert_null(model_open_done(model, &now, &in, &out, &invariant));
    WRONG(model_open_done(model, &now, &in, &out, &invariant), 1);
    closed(a.hAdapterMemoryObject);
    opened_on(a.hPhysicalMemoryObject, two);
    ask_open(a.hPhysicalMemoryObject, two);
    EXPECT(SECOND_OPEN, a.hPhysicalMemoryObject, now.operation - 1, OPEN);
}

/* -- MAP, UNMAP ---------------------------------------------------------------------------- */

static void test_map(void **state)
{
    (void)state;
    create_args a = created(mdl(NULL, 2 * PAGE + 10)), i = created(io(NULL, 0x20000000, PAGE));
    HANDLE object = a.hPhysicalMemoryObject;
    DXGKARGCB_MAP_PHYSICAL_MEMORY in = map_args(object, DXGK_ACCESS_MODE_USER_MODE, 0xFFF, 2), out = in, bad;

    ask_map(object, 2, 0, PAGE);
    EXPECT(INVALID_ACCESS_MODE, object, 0, NONE);
    ask_map(i.hPhysicalMemoryObject, 1, 0, PAGE);
    EXPECT(IO_SPACE_TO_USER, i.hPhysicalMemoryObject, 0, NONE);
    ask_map(object, 0, 0, 0);
    EXPECT(MAP_OUT_OF_RANGE, object, 0, NONE);
    ask_map(object, 0, 1, 2 * PAGE + 10);
    EXPECT(MAP_OUT_OF_RANGE, object, 0, NONE);
    ask_map(object, 0, (SIZE_T)-1, 2);
    EXPECT(MAP_OUT_OF_RANGE, object, 0, NONE);
    model_map(model, tick(), &in, &expected);
    FINE();
    out.pMappedAddress = (void *)(uintptr_t)0x100000, out.Offset = 0xFFF, out.Size = 2 * PAGE;
    bad = out, bad.Offset = 0;
    WRONG(model_map_done(model, &now, &in, &bad, &invariant), 10);
    bad = out, bad.Size = PAGE;
    WRONG(model_map_done(model, &now, &in, &bad, &invariant), 10);
    bad = out, bad.pMappedAddress = (void *)(uintptr_t)0x100001;
    WRONG(model_map_done(model, &now, &in, &bad, &invariant), 10);
    bad = out, bad.pMappedAddress = NULL;
    WRONG(model_map_done(model, &now, &in, &bad, &invariant), 10);
    bad = out, bad.AccessMode = DXGK_ACCESS_MODE_KERNEL_MODE;
    WRONG(model_map_done(model, &now, &in, &bad, &invariant), 22);
    assert_null(model_map_done(model, &now, &in, &out, &invariant));
    WRONG(map_page(object, DXGK_ACCESS_MODE_USER_MODE, 0x101000), 10);
    WRONG(map_page(object, DXGK_ACCESS_MODE_KERNEL_MODE, 0x101000), 10);
    now.process = 2;
    assert_null(map_page(object, DXGK_ACCESS_MODE_USER_MODE, 0x101000));
    bad = out, bad.pMappedAddress = (void *)((uintptr_t)0 - PAGE); /* two pages: it would wrap */
    WRONG(model_map_done(model, &now, &in, &bad, &invariant), 10);
    next_handle = 0x300000 - 0x10;
    created(mdl(NULL, PAGE));
    WRONG(map_page(object, DXGK_ACCESS_MODE_USER_MODE, 0x300000), 2); /* that handle's value */
    struct model_fate fate = model_fate(model, MODEL_MAPPING, 0x101000, 2);
    assert_true(fate.known && fate.live);
    unmapped(object, 0x101000);
    fate = model_fate(model, MODEL_MAPPING, 0x101000, 2);
    assert_true(fate.known && !fate.live && fate.ended_by == DXGKMEM_CALL_UNMAP);
    assert_true(model_fate(model, MODEL_MAPPING, 0x100000, 2).live); /* elsewhere */
    assert_false(model_fate(model, MODEL_MAPPING, 0x200000, 2).known);
    in.hPhysicalMemoryObject = NULL;
    WRONG(model_map_done(model, &now, &in, &out, &invariant), 1);
}

static void test_unmap(void **state)
{
    (void)state;
    HANDLE a = created(mdl(NULL, PAGE)).hPhysicalMemoryObject,
           b = created(mdl(NULL, PAGE)).hPhysicalMemoryObject;
    struct dxgkmem_violation left[4];
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY args = {b, (void *)(uintptr_t)0x100000, PAGE};

    assert_null(map_page(a, DXGK_ACCESS_MODE_USER_MODE, 0x100000));
    uint64_t at = now.operation;
    ask_unmap(a, 0x100000, 2 * PAGE);
    EXPECT(UNMAP_WRONG_SIZE, 0x100000, at, MAP);
    ask_unmap(b, 0x100000, 2 * PAGE);
    EXPECT(UNMAP_WRONG_OBJECT, 0x100000, at, MAP);
    WRONG(model_unmap_done(model, &now, &args, &invariant), 1);
    ask_unmap(a, 0x100001, PAGE);
    EXPECT(UNMAP_WRONG_BASE, 0x100001, 0, NONE);
    now.process = 2;
    ask_unmap(a, 0x100000, 2 * PAGE);
    EXPECT(UNMAP_WRONG_PROCESS, 0x100000, at, MAP);
    assert_int_equal(expected.status, STATUS_ACCESS_DENIED);
    ask_unmap(b, 0x100000, PAGE);
    EXPECT(UNMAP_WRONG_BASE, 0x100000, 0, NONE);
    now.process = 1;
    unmapped(a, 0x100000);
    ask_unmap(a, 0x100000, PAGE);
    EXPECT(UNMAP_WRONG_BASE, 0x100000, now.operation - 1, UNMAP);
    ask_unmap(b, 0x100000, PAGE);
    EXPECT(UNMAP_WRONG_BASE, 0x100000, 0, NONE);

    assert_null(map_page(a, DXGK_ACCESS_MODE_USER_MODE, 0x300000));
    at = now.operation;
    assert_null(map_page(b, DXGK_ACCESS_MODE_USER_MODE, 0x200000));
    assert_null(map_page(b, DXGK_ACCESS_MODE_KERNEL_MODE, 0x400000));
    assert_int_equal(model_process_exit(model, tick(), 1, left, 4), 2);
    assert_int_equal(left[0].code, DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT);
    assert_true(left[0].subject == 0x300000 && left[0].earlier_operation == at);
    assert_true(left[1].subject == 0x200000 && left[1].earlier_call == DXGKMEM_CALL_MAP);
    ask_unmap(a, 0x300000, PAGE);
    EXPECT(UNMAP_WRONG_BASE, 0x300000, now.operation - 1, PROCESS_EXIT);
}

/* -- resources ------------------------------------------------------------------------------ */

static void test_quotas(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config of = config(1, WDDM29, ALL_RAM, true);
    of.quota.pages = 4, of.quota.objects = 2, of.quota.adls = 1;
    of.frame_buffer_bytes = 2 * PAGE;
    HANDLE adapter = add(&of);
    world.total.pages = 6;
    world.total.objects = 3;
    model_set_world(model, &world);
    create_args a = created(mdl(adapter, 3 * PAGE)), more = mdl(adapter, 2 * PAGE);

    ask_create(&more);
    SHORT(STATUS_QUOTA_EXCEEDED);
    closed(a.hAdapterMemoryObject); /* charges the adapter no more */
    create_args b = created(mdl(NULL, PAGE)), c = created(mdl(NULL, 2 * PAGE));
    more = mdl(NULL, PAGE);
    ask_create(&more);
    SHORT(STATUS_QUOTA_EXCEEDED);
    HANDLE opened = opened_on(b.hPhysicalMemoryObject, adapter);
    HANDLE other = opened_on(c.hPhysicalMemoryObject, adapter);
    ask_open(a.hPhysicalMemoryObject, adapter);
    SHORT(STATUS_QUOTA_EXCEEDED);
    ask_pin(adapter, 0, PAGE, 0); /* its save area is two pages */
    SHORT(STATUS_QUOTA_EXCEEDED);
    assert_null(adl_done(opened, 0, PAGE, 2, range_adl(0, 1, 7)));
    ask_adl(opened, 0, PAGE, 2);
    SHORT(STATUS_QUOTA_EXCEEDED);
    freed(opened, &adls[0]);
    destroy(b.hPhysicalMemoryObject, opened);
    assert_null(adl_done(other, 0, PAGE, 2, range_adl(0, 1, 7)));
    ask_pin(adapter, 0, PAGE, 0);
    SHORT(STATUS_QUOTA_EXCEEDED);
    freed(other, &adls[0]);
    ask_pin(adapter, 0, PAGE, 0);
    FINE();
    ask_create(&more);
    FINE();
}

static void test_handle_limit(void **state)
{
    (void)state;
    world.handles_limit = 3;
    model_set_world(model, &world);
    HANDLE adapter = identity(1);
    create_args a = created(mdl(NULL, PAGE)), both = mdl(adapter, PAGE), alone = mdl(NULL, PAGE);
    struct dxgkmem_adapter_config of = config(2, WDDM29, ALL_RAM, true);

    ask_create(&both);
    SHORT(STATUS_INSUFFICIENT_RESOURCES);
    created(alone);
    ask_open(a.hPhysicalMemoryObject, adapter);
    SHORT(STATUS_INSUFFICIENT_RESOURCES);
    assert_int_equal(add_status(&of), STATUS_SUCCESS);
    assert_true(expected.must_fail);
    destroy(a.hPhysicalMemoryObject, NULL);
    ask_create(&alone); /* the fourth handle: a slot is used again */
    FINE();
    world.generations_limit = 2;
    model_set_world(model, &world);
    ask_create(&alone);
    assert_false(expected.must_fail);
    assert_int_equal(expected.resource[0], STATUS_INSUFFICIENT_RESOURCES);
    world.generations_limit = 1;
    model_set_world(model, &world);
    ask_create(&alone);
    SHORT(STATUS_INSUFFICIENT_RESOURCES);
}

/* The last value that is right, and counts that come back after use. */
static void test_edges(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config of = config(1, WDDM29, ALL_RAM, true);
    of.remapping = DXGKMEM_REMAPPING_ALWAYS, of.quota.pages = 4, of.quota.adls = 2;
    of.frame_buffer_bytes = 3 * PAGE;
    HANDLE adapter = add(&of);
    create_args a = mdl(NULL, 0x40000000);

    ask_create(&a);
    FINE();
    a = io(NULL, 0x7FFFFFFll << 12, PAGE), a.CacheType = DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED;
    ask_create(&a);
    FINE();
    a = mdl(NULL, PAGE), a.Mdl.HighAddress.QuadPart = 0xFFF; /* page 0 alone */
    ask_create(&a);
    FINE();
    a = block(NULL, PAGE), a.ContiguousMemory.BoundaryAddressMultiple.QuadPart = PAGE;
    ask_create(&a);
    FINE();
    world.total.pages = world.total.objects = 1;
    model_set_world(model, &world);
    for (unsigned round = 0; round < 3; round++) {
        create_args one = created(mdl(NULL, PAGE)), two = mdl(NULL, PAGE);
        DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {0};
        ask_create(&two);
        SHORT(STATUS_QUOTA_EXCEEDED);
        HANDLE opened = opened_on(one.hPhysicalMemoryObject, adapter);
        assert_null(adl_done(opened, 0, PAGE, 0, range_adl(0, 1, 0x20)));
        assert_null(pin_done(adapter, 0, 3 * PAGE, 0, range_adl(1, 3, 0x30)));
        two = mdl(adapter, PAGE);
        ask_create(&two);
        SHORT(STATUS_QUOTA_EXCEEDED);
        ask_adl(opened, 0, PAGE, 0);
        SHORT(STATUS_QUOTA_EXCEEDED);
        assert_null(map_page(one.hPhysicalMemoryObject, DXGK_ACCESS_MODE_KERNEL_MODE, 0x100000));
        unmapped(one.hPhysicalMemoryObject, 0x100000);
        freed(opened, &adls[0]);
        ask_unpin(adapter, 0);
        assert_null(model_unpin_done(model, &now, adapter, &unpin, &invariant));
        destroy(one.hPhysicalMemoryObject, opened);
        struct dxgkmem_adapter_config less = config(2, WDDM29, ALL_RAM - PAGE, true);
        less.link_to = adapter; /* nothing is open or pinned any more */
        assert_int_equal(add_status(&less), STATUS_SUCCESS);
    }
    assert_null(pin_done(adapter, 0, 3 * PAGE, 0, range_adl(1, 3, 0x30)));
    of = config(2, WDDM29, ALL_RAM - PAGE, true), of.link_to = adapter;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER); /* a frame buffer is pinned */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_prologue, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handles, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_fields, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_io, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_request, setup, teardown),
        cmocka_unit_test_setup_teardown(test_create_done, setup, teardown),
        cmocka_unit_test_setup_teardown(test_destroy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_open, setup, teardown),
        cmocka_unit_test_setup_teardown(test_map, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unmap, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quotas, setup, teardown),
        cmocka_unit_test_setup_teardown(test_handle_limit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_edges, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
