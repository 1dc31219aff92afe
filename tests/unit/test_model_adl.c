/* SPDX-License-Identifier: MIT */
/*
 * The reference model, second half: ADLs in both kinds of domain, frame
 * buffers, adapters, what is left behind, reach and contents.
 */
#include "model_internal.h" /* for the counter of resets alone */
#include "test_model.h"

static DXGK_PAGE_NUMBER numbers[2];

/* -- ADLs ------------------------------------------------------------------------------ */

static void test_adl_refusals(void **state)
{
    (void)state;
    HANDLE adapter = identity(1);
    HANDLE a = created(mdl(adapter, 2 * PAGE)).hAdapterMemoryObject;
    HANDLE b = created(block(adapter, PAGE)).hAdapterMemoryObject;

    ask_adl(a, 0, PAGE, 4);
    EXPECT(RESERVED_BITS, a, 0, NONE);
    ask_adl(a, 1, PAGE, 1);
    EXPECT(CONTIGUOUS_OF_SCATTERED, a, 0, NONE);
    ask_adl(b, 0, PAGE, 1);
    FINE();
    ask_adl(a, 1, 0, 0);
    EXPECT(UNALIGNED_RANGE, a, 0, NONE);
    ask_adl(a, 0, 0, 0);
    EXPECT(ADL_OUT_OF_RANGE, a, 0, NONE);
    ask_adl(a, PAGE, 2 * PAGE, 0);
    EXPECT(ADL_OUT_OF_RANGE, a, 0, NONE);
    ask_adl(a, (SIZE_T)0 - PAGE, 2 * PAGE, 0);
    EXPECT(ADL_OUT_OF_RANGE, a, 0, NONE);
}

static void test_free_adl(void **state)
{
    (void)state;
    static DXGK_PAGE_NUMBER array[2];
    HANDLE adapter = identity(1);
    HANDLE a = created(mdl(adapter, 2 * PAGE)).hAdapterMemoryObject;
    HANDLE b = created(mdl(adapter, PAGE)).hAdapterMemoryObject;
    DXGKARGCB_FREE_ADL args = {b, &adls[0]};

    array[0] = 5, array[1] = 9;
    assert_null(adl_done(a, 0, 2 * PAGE, 2, array_adl(0, 2, array)));
    uint64_t at = now.operation;
    ask_free(a, NULL);
    EXPECT(ADL_FOREIGN, 0, 0, NONE);
    ask_free(a, &adls[1]);
    EXPECT(ADL_FOREIGN, &adls[1], 0, NONE);
    ask_free(b, &adls[0]);
    EXPECT(ADL_OF_OTHER_OBJECT, &adls[0], at, ALLOCATE_ADL);
    WRONG(model_free_adl_done(model, &now, &args, &invariant), 1);
    array[1] = 8;
    ask_free(a, &adls[0]);
    EXPECT(ADL_SCRIBBLED, &adls[0], at, ALLOCATE_ADL);
    assert_int_equal(expected.status, STATUS_SUCCESS);
    array[1] = 9;
    adls[0].PageCount = 1;
    ask_free(a, &adls[0]);
    EXPECT(ADL_SCRIBBLED, &adls[0], at, ALLOCATE_ADL);
    adls[0].PageCount = 2, adls[0].Flags.Contiguous = 1;
    ask_free(a, &adls[0]);
    EXPECT(ADL_SCRIBBLED, &adls[0], at, ALLOCATE_ADL);
    adls[0].Flags.Contiguous = 0, adls[0].Pages = (const DXGK_PAGE_NUMBER *)(uintptr_t)64;
    ask_free(a, &adls[0]);
    EXPECT(ADL_SCRIBBLED, &adls[0], at, ALLOCATE_ADL);
    adls[0].Pages = array;
    freed(a, &adls[0]);
    at = now.operation;
    ask_free(a, &adls[0]);
    EXPECT(ADL_ALREADY_FREED, &adls[0], at, FREE_ADL);
    args.hAdapterMemoryObject = a;
    WRONG(model_free_adl_done(model, &now, &args, &invariant), 1);

    array[0] = 5, array[1] = 9;
    assert_null(adl_done(a, 0, PAGE, 0, array_adl(0, 1, array))); /* neighbours in an array */
    array[0] = 6;
    ask_free(a, &adls[0]);
    EXPECT(ADL_SCRIBBLED, &adls[0], now.operation - 1, ALLOCATE_ADL);
    array[0] = 5;
    freed(a, &adls[0]);
    assert_null(pin_done(adapter, 0, PAGE, 1, range_adl(3, 1, 0x40)));
    at = now.operation;
    ask_free(a, &adls[3]);
    EXPECT(ADL_OF_FRAME_BUFFER, &adls[3], at, PIN);
}

static void test_adl_form(void **state)
{
    (void)state;
    HANDLE adapter = identity(1), far = remapped(2);
    create_args one = created(mdl(adapter, 4 * PAGE));
    HANDLE a = one.hAdapterMemoryObject, b = created(block(adapter, 4 * PAGE)).hAdapterMemoryObject;
    HANDLE r = created(mdl(far, 4 * PAGE)).hAdapterMemoryObject;
    DXGKARGCB_ALLOCATE_ADL in = adl_args(a, 0, PAGE, 2), out = in;

    numbers[0] = 5, numbers[1] = 9;
    WRONG(adl_done(a, 0, PAGE, 2, NULL), 2);
    WRONG(adl_done(a, 0, PAGE, 2, (DXGK_ADL *)(uintptr_t)0x1001), 2);
    next_handle = (uintptr_t)&adls[7] - 0x10;
    created(mdl(NULL, PAGE));
    WRONG(adl_done(a, 0, PAGE, 2, &adls[7]), 2); /* that handle's value */
    WRONG(adl_done(a, 0, PAGE, 2, range_adl(0, 2, 5)), 6);
    range_adl(0, 1, 5)->Flags.Reserved = 1;
    WRONG(adl_done(a, 0, PAGE, 2, &adls[0]), 6);
    WRONG(adl_done(a, 0, PAGE, 0, range_adl(0, 1, 5)), 6);
    WRONG(adl_done(a, 0, PAGE, 2, array_adl(0, 1, numbers)), 6);
    WRONG(adl_done(a, 0, PAGE, 0, array_adl(0, 1, NULL)), 6);
    WRONG(adl_done(b, 0, 2 * PAGE, 2, array_adl(0, 2, numbers)), 6);
    WRONG(adl_done(b, 0, 2 * PAGE, 0, array_adl(0, 2, numbers)), 6);
    WRONG(adl_done(r, 0, 2 * PAGE, 0, array_adl(0, 2, numbers)), 6);
    out.pAdl = range_adl(0, 1, 5), out.Offset = PAGE;
    WRONG(model_allocate_adl_done(model, &now, &in, &out, &invariant), 22);
    in.hAdapterMemoryObject = one.hPhysicalMemoryObject;
    WRONG(model_allocate_adl_done(model, &now, &in, &out, &invariant), 1);
    assert_null(adl_done(a, 0, 2 * PAGE, 2, array_adl(0, 2, numbers)));
    WRONG(adl_done(a, 0, 2 * PAGE, 2, &adls[0]), 2); /* the address is in use */
    assert_null(adl_done(a, 0, PAGE, 0, array_adl(1, 1, numbers)));
    assert_null(adl_done(a, 0, PAGE, 2, range_adl(2, 1, 5)));
    assert_null(adl_done(b, 0, 2 * PAGE, 1, range_adl(3, 2, 0x20)));
    assert_null(adl_done(r, 0, 2 * PAGE, 0, range_adl(4, 2, 0x20)));
}

static void test_identity_pages(void **state)
{
    (void)state;
    static DXGK_PAGE_NUMBER array[4], other[4];
    HANDLE adapter = identity(1);
    create_args one = created(mdl(adapter, 4 * PAGE));
    HANDLE a = one.hAdapterMemoryObject, b = created(mdl(adapter, 4 * PAGE)).hAdapterMemoryObject;
    HANDLE c = created(block(adapter, 4 * PAGE)).hAdapterMemoryObject;
    HANDLE i = created(io(adapter, 0x20000000, 2 * PAGE)).hAdapterMemoryObject;

    array[0] = 5, array[1] = 9, array[2] = 7, array[3] = 5;
    WRONG(adl_done(a, 0, 4 * PAGE, 0, array_adl(0, 4, array)), 6); /* one page twice */
    array[3] = 3;
    assert_null(adl_done(a, 0, 4 * PAGE, 0, array_adl(0, 4, array)));
    freed(a, &adls[0]);
    WRONG(adl_done(a, PAGE, PAGE, 2, range_adl(1, 1, 10)), 6); /* was 9 */
    other[0] = 9, other[1] = 8;
    WRONG(adl_done(a, PAGE, 2 * PAGE, 0, array_adl(1, 2, other)), 6);
    other[1] = 7;
    assert_null(adl_done(a, PAGE, 2 * PAGE, 0, array_adl(1, 2, other)));
    static DXGK_PAGE_NUMBER stolen[2] = {0x30, 9};
    WRONG(adl_done(b, 0, 2 * PAGE, 0, array_adl(2, 2, stolen)), 4); /* array against array */
    WRONG(adl_done(b, 0, 2 * PAGE, 2, range_adl(2, 2, 4)), 4);      /* range against array */
    assert_null(adl_done(b, 0, 2 * PAGE, 2, range_adl(2, 2, 0x30)));
    WRONG(adl_done(b, 2 * PAGE, 2 * PAGE, 2, range_adl(3, 2, 0x31)), 6); /* 0x31 is page 1 already */
    static DXGK_PAGE_NUMBER again[2] = {0x40, 0x31};
    WRONG(adl_done(b, 2 * PAGE, 2 * PAGE, 0, array_adl(3, 2, again)), 6);
    WRONG(adl_done(c, 0, PAGE, 2, range_adl(3, 1, 0x2E)), 4); /* its block would reach 0x31 */
    assert_null(adl_done(c, PAGE, PAGE, 2, range_adl(3, 1, 0x51)));
    WRONG(adl_done(c, 0, PAGE, 2, range_adl(4, 1, 0x51)), 6);
    static DXGK_PAGE_NUMBER inside[2] = {0x60, 0x53};
    WRONG(adl_done(b, 2 * PAGE, 2 * PAGE, 0, array_adl(4, 2, inside)), 4); /* array against a block */
    WRONG(adl_done(i, 0, PAGE, 2, range_adl(4, 1, 0x20001)), 6);
    assert_null(adl_done(i, PAGE, PAGE, 2, range_adl(4, 1, 0x20001)));
    freed(a, &adls[1]);
    destroy(one.hPhysicalMemoryObject, a);
    assert_null(adl_done(b, 2 * PAGE, PAGE, 2, range_adl(5, 1, 9))); /* free for others now */
}

static void test_identity_bounds(void **state)
{
    (void)state;
    static DXGK_PAGE_NUMBER array[4];
    HANDLE adapter = identity(1);
    create_args args = mdl(adapter, 2 * PAGE);
    args.Mdl.LowAddress.QuadPart = 0x10000, args.Mdl.HighAddress.QuadPart = 0x11FFF;
    args.Mdl.SkipBytes.QuadPart = 0x10000;
    HANDLE windows = created(args).hAdapterMemoryObject;
    args = mdl(adapter, 4 * PAGE), args.Mdl.Flags = MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS;
    args.Mdl.SkipBytes.QuadPart = 2 * PAGE, args.Mdl.HighAddress.QuadPart = 0xFFFFF;
    HANDLE chunks = created(args).hAdapterMemoryObject;
    args = block(adapter, 4 * PAGE), args.ContiguousMemory.BoundaryAddressMultiple.QuadPart = 0x8000;
    args.ContiguousMemory.LowestAcceptableAddress.QuadPart = 0x20000;
    HANDLE bounded = created(args).hAdapterMemoryObject;

    WRONG(adl_done(windows, 0, PAGE, 2, range_adl(0, 1, 0xF)), 7);
    WRONG(adl_done(windows, 0, PAGE, 2, range_adl(0, 1, 0x12)), 7);
    WRONG(adl_done(windows, 0, 2 * PAGE, 2, range_adl(0, 2, 0x21)), 7);
    array[0] = 0x10, array[1] = 0x2F;
    WRONG(adl_done(windows, 0, 2 * PAGE, 0, array_adl(0, 2, array)), 7);
    array[1] = 0x31;
    assert_null(adl_done(windows, 0, 2 * PAGE, 0, array_adl(0, 2, array)));

    static DXGK_PAGE_NUMBER chunk[4] = {0x42, 0x43, 0x47, 0x48};
    WRONG(adl_done(chunks, 0, 4 * PAGE, 0, array_adl(1, 4, chunk)), 7);
    chunk[2] = 0x46, chunk[3] = 0x49;
    WRONG(adl_done(chunks, 0, 4 * PAGE, 0, array_adl(1, 4, chunk)), 7);
    chunk[3] = 0x47;
    WRONG(adl_done(chunks, 0, PAGE, 2, range_adl(1, 1, 0x41)), 7);
    WRONG(adl_done(chunks, 0, PAGE, 2, range_adl(1, 1, 0x100)), 7);
    assert_null(adl_done(chunks, 0, 4 * PAGE, 0, array_adl(1, 4, chunk)));

    WRONG(adl_done(bounded, 0, 4 * PAGE, 1, range_adl(2, 4, 0x1F)), 7);
    WRONG(adl_done(bounded, PAGE, PAGE, 1, range_adl(2, 1, 0x20)), 7); /* page 0 would be 0x1F */
    WRONG(adl_done(bounded, 0, PAGE, 1, range_adl(2, 1, 0x26)), 7);    /* the rest would cross 0x28 */
    WRONG(adl_done(bounded, PAGE, PAGE, 1, range_adl(2, 1, 0)), 7);
    WRONG(adl_done(bounded, 0, PAGE, 1, range_adl(2, 1, 0x7FFFFFF + 1)), 7);
    WRONG(adl_done(bounded, 0, 2 * PAGE, 1, range_adl(2, 2, (DXGK_PAGE_NUMBER)-1)), 7);
    assert_null(adl_done(bounded, 0, PAGE, 1, range_adl(2, 1, 0x24)));
}

static void test_logical_pages(void **state)
{
    (void)state;
    HANDLE adapter = remapped(1); /* sees pages below 0x1000 */
    create_args args = block(adapter, 4 * PAGE);
    args.ContiguousMemory.LowestAcceptableAddress.QuadPart = 0x10000;
    args.ContiguousMemory.HighestAcceptableAddress.QuadPart = 0x1FFFF;
    args.ContiguousMemory.BoundaryAddressMultiple.QuadPart = 0x8000;
    HANDLE a = created(args).hAdapterMemoryObject, b = created(mdl(adapter, 4 * PAGE)).hAdapterMemoryObject;

    WRONG(adl_done(b, 0, PAGE, 0, range_adl(0, 1, 0)), 7);
    WRONG(adl_done(b, 0, 2 * PAGE, 0, range_adl(0, 2, 0xFFF)), 7);
    WRONG(adl_done(a, 0, 2 * PAGE, 0, range_adl(0, 2, 0xF)), 7);
    WRONG(adl_done(a, 0, 2 * PAGE, 0, range_adl(0, 2, 0x1F)), 7);
    WRONG(adl_done(a, 0, 2 * PAGE, 0, range_adl(0, 2, 0x17)), 7);
    assert_null(adl_done(a, 0, 2 * PAGE, 0, range_adl(0, 2, 0x12)));
    WRONG(adl_done(b, 0, 2 * PAGE, 0, range_adl(1, 2, 0x11)), 6);
    WRONG(adl_done(a, 0, 2 * PAGE, 0, range_adl(1, 2, 0x12)), 6);
    assert_null(adl_done(b, 0, 2 * PAGE, 0, range_adl(1, 2, 0x16)));
    ask_adl(a, 0, 4 * PAGE, 0); /* 0x18 to 0x1B is free */
    FINE();
    assert_null(adl_done(a, 0, 4 * PAGE, 0, range_adl(2, 4, 0x1A)));
    ask_adl(a, 0, 4 * PAGE, 0); /* 0x10, 0x11, 0x14, 0x15, 0x18, 0x19, 0x1E, 0x1F are left */
    SHORT(STATUS_INSUFFICIENT_RESOURCES);
    ask_adl(a, 0, 2 * PAGE, 0);
    FINE();
    ask_adl(b, 0, 4 * PAGE, 0);
    FINE();
    args.ContiguousMemory.LowestAcceptableAddress.QuadPart = 0x26000;
    args.ContiguousMemory.HighestAcceptableAddress.QuadPart = 0x2BFFF;
    HANDLE c = created(args).hAdapterMemoryObject;
    ask_adl(c, 0, 4 * PAGE, 0); /* not from 0x26 across 0x28, but from 0x28 */
    FINE();
    args.ContiguousMemory.HighestAcceptableAddress.QuadPart = 0x2AFFF;
    c = created(args).hAdapterMemoryObject;
    ask_adl(c, 0, 4 * PAGE, 0);
    SHORT(STATUS_INSUFFICIENT_RESOURCES);

    /* The machine ends at page 2, the caller's bound does not: both answers are right. */
    world.highest_page = 2;
    model_set_world(model, &world);
    HANDLE d = created(mdl(adapter, 4 * PAGE)).hAdapterMemoryObject;
    ask_adl(d, 0, 4 * PAGE, 0);
    assert_false(expected.must_fail);
    assert_int_equal(expected.resource[0], STATUS_INSUFFICIENT_RESOURCES);
}

/* -- frame buffers ------------------------------------------------------------------------ */

static void test_frame_buffer(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config second = config(2, WDDM29, ALL_RAM, true),
                                  wddm24 = config(3, WDDM24, ALL_RAM, true);
    struct dxgkmem_adapter_config ancient = config(4, DXGKDDI_INTERFACE_VERSION_WDDM2_3, ALL_RAM, true);
    HANDLE lead = identity(1), old = add(&wddm24), oldest = add(&ancient);
    second.link_to = lead;
    HANDLE follower = add(&second);
    uint64_t at;

    ask_pin(old, 0, PAGE, 0);
    EXPECT(WRONG_WDDM_LEVEL, old, 0, NONE);
    ask_unpin(old, 0);
    EXPECT(NOT_PINNED, old, 0, NONE);
    ask_unpin(oldest, 0);
    EXPECT(WRONG_WDDM_LEVEL, oldest, 0, NONE);
    ask_pin(follower, 0, PAGE, 2);
    EXPECT(NOT_LEAD_ADAPTER, follower, 0, NONE);
    ask_unpin(follower, 0);
    EXPECT(NOT_LEAD_ADAPTER, follower, 0, NONE);
    ask_pin(lead, 2, PAGE, 2);
    EXPECT(RESERVED_BITS, lead, 0, NONE);
    ask_pin(lead, 2, PAGE, 0);
    EXPECT(FRAME_BUFFER_INDEX, lead, 0, NONE);
    ask_unpin(lead, 2);
    EXPECT(FRAME_BUFFER_INDEX, lead, 0, NONE);
    ask_pin(lead, 1, 10 * PAGE + 1, 0);
    EXPECT(UNALIGNED_RANGE, lead, 0, NONE);
    ask_pin(lead, 1, 0, 0);
    EXPECT(FRAME_BUFFER_SIZE, lead, 0, NONE);
    ask_pin(lead, 1, 5 * PAGE, 0);
    EXPECT(FRAME_BUFFER_SIZE, lead, 0, NONE);
    machine_has_pages = false;
    ask_pin(lead, 1, PAGE, 0);
    SHORT(STATUS_NO_MEMORY);
    machine_has_pages = true;
    numbers[0] = 0x70, numbers[1] = 0x71;
    WRONG(pin_done(lead, 1, 2 * PAGE, 1, array_adl(0, 2, numbers)), 6);
    WRONG(pin_done(lead, 1, 2 * PAGE, 0, range_adl(0, 2, 0x70)), 6);
    WRONG(pin_done(lead, 1, 2 * PAGE, 0, NULL), 2);
    assert_null(pin_done(lead, 1, 2 * PAGE, 0, array_adl(0, 2, numbers)));
    at = now.operation;
    ask_pin(lead, 1, PAGE, 0);
    EXPECT(PINNED_TWICE, lead, at, PIN);
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 again = {.PhysicalAdapterIndex = 1, .CommitSize = PAGE}, out = again;
    WRONG(model_pin_done(model, &now, lead, &again, &out, &invariant), 1);
    again.PhysicalAdapterIndex = out.PhysicalAdapterIndex = 0, out.CommitSize = 0;
    WRONG(model_pin_done(model, &now, lead, &again, &out, &invariant), 22);
    assert_null(pin_done(lead, 0, PAGE, 1, range_adl(1, 1, 0x80)));
    struct dxgkmem_statistics counts;
    model_statistics(model, &counts);
    assert_true(counts.frame_buffers == 2 && counts.pages == 8 && counts.adls == 0 && counts.objects == 0);
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE args = {1};
    ask_unpin(lead, 1);
    FINE();
    assert_null(model_unpin_done(model, &now, lead, &args, &invariant));
    WRONG(model_unpin_done(model, &now, lead, &args, &invariant), 1);
    HANDLE any = created(mdl(lead, PAGE)).hAdapterMemoryObject;
    ask_free(any, &adls[0]);
    EXPECT(ADL_ALREADY_FREED, &adls[0], now.operation - 2, UNPIN);
    assert_true(model_fate(model, MODEL_ADL, (uintptr_t)&adls[1], 1).frame_buffer);

    struct dxgkmem_violation left[4];
    assert_int_equal(model_remove_adapter_done(model, tick(), lead, left, 4),
                     1); /* not the last of its chain */
    assert_true(left[0].subject == (uintptr_t)&adls[1] && left[0].earlier_call == DXGKMEM_CALL_PIN);
    ask_close(any);
    FINE();
    ask_pin(follower, 1, PAGE, 0); /* leads now */
    FINE();
}

/* -- adapters -------------------------------------------------------------------------------- */

static void test_adapters(void **state)
{
    (void)state;
    struct dxgkmem_adapter_config of = config(1, WDDM29, ALL_RAM, false);

    of.version = 1;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of = config(1, WDDM29, 4095, true);
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of = config(1, WDDM29, ALL_RAM, true), of.frame_buffer_bytes = 1;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of = config(1, WDDM29, ALL_RAM, true), of.remapping = (enum dxgkmem_remapping)2;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of = config(1, WDDM29, ALL_RAM, false), of.remapping = DXGKMEM_REMAPPING_ALWAYS;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of = config(1, WDDM29, 0xFFFFFFE, false); /* misses the last byte of RAM */
    assert_int_equal(add_status(&of), STATUS_NOT_SUPPORTED);
    of.memory_caps.HighestVisibleAddress.QuadPart++;
    HANDLE first = add(&of);
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER); /* the device is in use */
    of = config(2, WDDM29, ALL_RAM, true), of.link_to = (HANDLE)(uintptr_t)0x99;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of.link_to = first, of.version = WDDM32;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of.version = WDDM29, of.memory_caps.HighestVisibleAddress.QuadPart = LOW;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of.memory_caps.HighestVisibleAddress.QuadPart = ALL_RAM;
    WRONG(model_add_adapter_done(model, tick(), &of, NULL, &invariant), 2);
    WRONG(model_add_adapter_done(model, tick(), &of, first, &invariant), 2);
    of.link_to = (HANDLE)(uintptr_t)0x99;
    WRONG(model_add_adapter_done(model, tick(), &of, new_handle(), &invariant), 1);
    of.link_to = first;
    add(&of);
    model_remove_adapter(model, NULL, &expected);
    assert_int_equal(expected.status, STATUS_INVALID_HANDLE);
    model_remove_adapter(model, first, &expected);
    assert_int_equal(expected.status, STATUS_SUCCESS);

    HANDLE far = remapped(3);
    of = config(4, WDDM32, LOW, false), of.link_to = far;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    of.iommu_caps.DmaRemappingSupported = 1;
    assert_int_equal(add_status(&of), STATUS_SUCCESS);
    create_args opened = created(mdl(far, PAGE));
    of.memory_caps.HighestVisibleAddress.QuadPart = LOW - PAGE;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
    closed(opened.hAdapterMemoryObject);
    for (uint64_t device = 4; device < 4 + DXGKMEM_CHAIN_MAX - 1; device++) {
        of.device = device;
        add(&of);
    }
    of.device = 15;
    assert_int_equal(add_status(&of), STATUS_INVALID_PARAMETER);
}

static void test_left_behind(void **state)
{
    (void)state;
    HANDLE adapter = identity(1), other = identity(2);
    create_args a = created(mdl(adapter, PAGE));
    HANDLE b = created(mdl(NULL, 2 * PAGE)).hPhysicalMemoryObject;
    HANDLE opened = opened_on(b, adapter);
    struct dxgkmem_violation left[8];
    struct dxgkmem_leaks leaks;

    assert_null(adl_done(opened, 0, PAGE, 2, range_adl(0, 1, 5)));
    assert_null(adl_done(a.hAdapterMemoryObject, 0, PAGE, 2, range_adl(1, 1, 7)));
    assert_null(adl_done(opened, PAGE, PAGE, 2, range_adl(2, 1, 8)));
    assert_null(pin_done(adapter, 0, PAGE, 1, range_adl(3, 1, 9)));
    assert_int_equal(model_remove_adapter_done(model, tick(), adapter, left, 8), 6);
    const void *order[] = {&adls[3], &adls[1], a.hAdapterMemoryObject, &adls[0], &adls[2], opened};
    const enum dxgkmem_call calls[] = {DXGKMEM_CALL_PIN,          DXGKMEM_CALL_ALLOCATE_ADL,
                                       DXGKMEM_CALL_CREATE,       DXGKMEM_CALL_ALLOCATE_ADL,
                                       DXGKMEM_CALL_ALLOCATE_ADL, DXGKMEM_CALL_OPEN};
    for (unsigned i = 0; i < 6; i++) {
        assert_int_equal(left[i].code, DXGKMEM_VIOLATION_LEFT_AT_REMOVAL);
        assert_int_equal(left[i].call, DXGKMEM_CALL_REMOVE_ADAPTER);
        assert_true(left[i].subject == (uintptr_t)order[i] && left[i].operation == now.operation);
        assert_int_equal(left[i].earlier_call, calls[i]);
    }
    opened = opened_on(b, other);
    ask_free(opened, &adls[0]);
    EXPECT(ADL_ALREADY_FREED, &adls[0], now.operation - 2, REMOVE_ADAPTER);
    assert_null(adl_done(opened, 0, PAGE, 2, range_adl(4, 1, 5)));
    assert_null(map_page(b, DXGK_ACCESS_MODE_USER_MODE, 0x100000));
    assert_null(pin_done(other, 0, PAGE, 1, range_adl(5, 1, 9)));
    assert_int_equal(model_stop(model, tick(), left, 8, &leaks), 6);
    assert_true(leaks.objects == 2 && leaks.adapter_objects == 1 && leaks.adls == 1 && leaks.mappings == 1 &&
                leaks.frame_buffers == 1);
    assert_int_equal(left[5].code, DXGKMEM_VIOLATION_LEFT_AT_STOP);
    assert_int_equal(model_fate(model, MODEL_OBJECT, (uintptr_t)b, 1).ended_by, DXGKMEM_CALL_STOP);
    assert_false(model_fate(model, MODEL_ADAPTER, (uintptr_t)b, 1).known);
    struct dxgkmem_adapter_config late = config(7, WDDM29, ALL_RAM, true);
    assert_int_equal(add_status(&late), STATUS_INVALID_DEVICE_STATE);
    struct dxgkmem_statistics counts;
    model_statistics(model, &counts);
    assert_true(counts.adapters + counts.objects + counts.adapter_objects + counts.adls + counts.mappings +
                    counts.frame_buffers + counts.pages ==
                0);
}

/* -- reach and contents -------------------------------------------------------------------------- */

static void test_reach(void **state)
{
    (void)state;
    HANDLE adapter = identity(1);
    struct dxgkmem_adapter_config linked = config(2, WDDM29, ALL_RAM, true);
    linked.link_to = adapter;
    HANDLE second = add(&linked);
    HANDLE a = created(mdl(adapter, 3 * PAGE)).hAdapterMemoryObject;
    create_args s = created(section(adapter, PAGE, PAGE_READONLY)),
                i = created(io(NULL, 0x20000000, 2 * PAGE));
    uint32_t memory = 0, same = 0;
    uint64_t offset = 0;
    size_t cursor = 0;

    numbers[0] = 5, numbers[1] = 9;
    assert_false(device_reaches(1, 0x5008, false, &memory, &offset));
    assert_null(adl_done(a, PAGE, 2 * PAGE, 0, array_adl(0, 2, numbers)));
    assert_true(device_reaches(1, 0x9008, true, &memory, &offset));
    assert_true(offset == 2 * PAGE + 8 && memory != MODEL_MEMORY_UNKNOWN);
    assert_true(device_reaches(2, 0x5000, true, &same, &offset));
    assert_true(same == memory && offset == PAGE);
    assert_false(device_reaches(1, 0x6000, false, &same, &offset));
    assert_false(device_reaches(3, 0x5000, false, &same, &offset));
    assert_null(adl_done(s.hAdapterMemoryObject, 0, PAGE, 2, range_adl(1, 1, 0x30)));
    assert_true(device_reaches(1, 0x30000, false, &same, &offset) && same != memory);
    assert_false(device_reaches(1, 0x30000, true, &same, &offset));
    assert_null(adl_done(a, PAGE, PAGE, 2, range_adl(2, 1, 5)));
    freed(a, &adls[0]);
    assert_true(device_reaches(1, 0x5000, true, &same, &offset)); /* the other ADL is over it */
    freed(a, &adls[2]);
    assert_false(device_reaches(1, 0x5000, true, &same, &offset));

    assert_null(map_page(s.hPhysicalMemoryObject, DXGK_ACCESS_MODE_USER_MODE, 0x100000));
    assert_true(model_cpu_reach(model, 1, (void *)(uintptr_t)0x100FF8, false, &same, &offset) &&
                offset == 0xFF8);
    assert_false(model_cpu_reach(model, 1, (void *)(uintptr_t)0x100000, true, &same, &offset));
    assert_false(model_cpu_reach(model, 2, (void *)(uintptr_t)0x100000, false, &same, &offset));
    assert_false(model_cpu_reach(model, 1, (void *)(uintptr_t)0x101000, false, &same, &offset));
    create_args x = created(section(NULL, PAGE, PAGE_EXECUTE));
    assert_null(map_page(x.hPhysicalMemoryObject, DXGK_ACCESS_MODE_USER_MODE, 0x400000));
    assert_false(model_cpu_reach(model, 1, (void *)(uintptr_t)0x400000, true, &same, &offset));
    cursor = 1;
    struct model_live_mapping mapping;
    assert_true(model_next_mapping(model, &cursor, &mapping));
    assert_int_equal(mapping.access, DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_EXECUTE);
    cursor = 0;
    unmapped(x.hPhysicalMemoryObject, 0x400000);
    assert_null(map_page(i.hPhysicalMemoryObject, DXGK_ACCESS_MODE_KERNEL_MODE, 0x200000));
    assert_true(model_cpu_reach(model, 7, (void *)(uintptr_t)0x200010, true, &same, &offset));
    assert_true(offset == 0x20000010); /* I/O space is known by its physical address */

    struct model_live_adl adl;
    assert_true(model_next_adl(model, &cursor, &adl));
    assert_true(adl.handed_out == &adls[1] && adl.device_count == 2 && adl.access == DXGKMEM_ACCESS_READ &&
                !adl.remapped);
    assert_false(model_next_adl(model, &cursor, &adl));
    cursor = 1;
    assert_true(model_next_mapping(model, &cursor, &mapping));
    assert_true(mapping.process == 0 && mapping.first_page == 0x20000 && mapping.memory == same);
    struct dxgkmem_violation left[1];
    (void)model_remove_adapter_done(model, tick(), second, left, 1);
    assert_false(device_reaches(2, 0x30000, false, &same, &offset));
}

static void test_contents(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 2; round++) {
        assert_true(model_content(model, 2, 8) == 0);
        for (uint64_t i = 0; i < MODEL_PAGES; i++)
            assert_true(model_write(model, 2 + (uint32_t)(i & 1), i * 8, i + 1));
        assert_false(model_write(model, 9, 0, 1));
        assert_true(model_write(model, 3, 8, 77)); /* written before */
        assert_true(model_content(model, 3, 8) == 77 && model_content(model, 2, 8) == 0);
        assert_true(model_content(model, 2, 16) == 3);
        model_reset(model);
    }
}

/* When the counter of resets goes round, what an old program left must not come back. */
static void test_many_resets(void **state)
{
    (void)state;
    model_reset(model);
    assert_true(model_write(model, 2, 8, 5));
    model->resets = UINT32_MAX - 1;
    model_reset(model);
    assert_int_equal(model->resets, 0);
    model_reset(model);
    assert_true(model_content(model, 2, 8) == 0);
}

static void test_unknown_pages(void **state)
{
    (void)state;
    enum { COUNT = 0x9000 };
    static DXGK_PAGE_NUMBER many[COUNT];
    HANDLE a = created(mdl(identity(1), (SIZE_T)COUNT * PAGE)).hAdapterMemoryObject;
    uint32_t memory = 1;
    uint64_t offset;

    for (unsigned i = 0; i < COUNT; i++)
        many[i] = COUNT - i;
    assert_null(adl_done(a, 0, (SIZE_T)COUNT * PAGE, 0, array_adl(0, COUNT, many)));
    assert_true(device_reaches(1, (uint64_t)COUNT << 12, false, &memory, &offset) && memory > 1);
    assert_true(device_reaches(1, 0x1000, false, &memory, &offset) && memory == MODEL_MEMORY_UNKNOWN);
    freed(a, &adls[0]);
    assert_false(device_reaches(1, 0x1000, false, &memory, &offset));
}

static NTSTATUS removal_of(HANDLE adapter)
{
    model_remove_adapter(model, adapter, &expected);
    return expected.status;
}

/* An implementation that removes no adapter of which something is left: whatever it is. */
static void test_removal_refused(void **state)
{
    static const struct dxgkmem_profile_rule rule = {
        .call = DXGKMEM_CALL_REMOVE_ADAPTER,
        .mistake = DXGKMEM_VIOLATION_LEFT_AT_REMOVAL,
        .answer = DXGKMEM_ANSWER_REFUSE,
    };
    const struct dxgkmem_profile careful = {.rule = &rule, .rules = 1};
    DXGKARGCB_ALLOCATECONTIGUOUSMEMORY in = {.NumberOfBytes = PAGE}, out;
    (void)state;
    model_set_profile(model, &careful);
    HANDLE adapter = identity(1);
    create_args a = created(mdl(adapter, PAGE));

    assert_int_equal(removal_of(adapter), STATUS_DEVICE_BUSY);
    closed(a.hAdapterMemoryObject);
    assert_int_equal(removal_of(adapter), STATUS_SUCCESS);
    in.HighestAcceptableAddress.QuadPart = -1;
    in.CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED;
    out = in;
    out.hMemoryHandle = new_handle();
    out.pMemory = (void *)(uintptr_t)0x100000;
    assert_null(
        model_allocate_contiguous_done(model, tick(), adapter, &in, &out, range_adl(1, 1, 6), &invariant));
    assert_int_equal(removal_of(adapter), STATUS_DEVICE_BUSY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_adl_refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_adl, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adl_form, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_identity_bounds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_logical_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_frame_buffer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_adapters, setup, teardown),
        cmocka_unit_test_setup_teardown(test_left_behind, setup, teardown),
        cmocka_unit_test_setup_teardown(test_removal_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reach, setup, teardown),
        cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_resets, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unknown_pages, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
