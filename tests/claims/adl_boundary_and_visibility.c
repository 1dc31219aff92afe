/* SPDX-License-Identifier: MIT */
/*
 * Claim: every page and every logical address lies within what CREATE's constraints and
 * the adapter's highest visible address allow, and no block crosses its boundary multiple:
 * physically in an identity domain, logically in a remapped one.
 */
#include "tests/support/world.h"

static uint64_t physical_page(HANDLE object, SIZE_T index)
{
    struct view view = view_map(object, index * PAGE, 1, DXGK_ACCESS_MODE_KERNEL_MODE);
    struct dxgkmem_sim_translation translation;
    assert_true(dxgkmem_sim_cpu_page(world.sim, 0, view.base, &translation));
    view_unmap(object, view);
    return translation.page;
}

static create_arguments within(create_arguments arguments, uint64_t low, uint64_t high)
{
    if (arguments.Type == DXGK_PHYSICAL_MEMORY_TYPE_MDL) {
        arguments.Mdl.LowAddress = physical(low);
        arguments.Mdl.HighAddress = physical(high);
    } else {
        arguments.ContiguousMemory.LowestAcceptableAddress = physical(low);
        arguments.ContiguousMemory.HighestAcceptableAddress = physical(high);
    }
    return arguments;
}

static void physical_bounds(void **state)
{
    (void)state;
    for (unsigned contiguous = 0; contiguous < 2; contiguous++) {
        create_arguments base =
            contiguous ? contiguous_arguments(NULL, 8 * PAGE) : mdl_arguments(NULL, 8 * PAGE);
        struct thing thing = thing_create(within(base, 0x100 * 4096, 0x108 * 4096 - 1)), none;
        for (SIZE_T i = 0; i < 8; i++)
            assert_in_range(physical_page(thing.object, i), 0x100, 0x107);
        thing_destroy(thing);
        /* Bounds that name parts of pages leave those out. */
        assert_int_equal(try_create(within(base, 0x100 * 4096 + 1, 0x108 * 4096 - 1), &none),
                         STATUS_NO_MEMORY);
        assert_int_equal(try_create(within(base, 0x100 * 4096, 0x108 * 4096 - 2), &none), STATUS_NO_MEMORY);
        assert_int_equal(try_create(within(base, 0x100 * 4096 + 1, 0x109 * 4096 - 2), &none),
                         STATUS_NO_MEMORY);
        base.Size = PAGE;
        assert_int_equal(try_create(within(base, 0, 4094), &none), STATUS_NO_MEMORY);
        thing_destroy(thing_create(within(base, 0, 4095)));
        thing_destroy(thing_create(within(base, 0, UINT64_MAX)));
        assert_int_equal(try_create(within(base, UINT64_MAX, UINT64_MAX), &none), STATUS_NO_MEMORY);
        expect_no_violation();
    }
}

/* An identity adapter that sees less than an object's bounds allow lowers them. */
static void visible_pages_only(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing all, none;
    HANDLE narrow;
    (void)state;
    config.memory_caps.HighestVisibleAddress.QuadPart = (LONGLONG)(RAM_HIGHEST + 1) * 4096 - 1;
    narrow = adapter_add(&config);
    all =
        thing_create(mdl_arguments(narrow, RAM_PAGES * PAGE)); /* it sees all of RAM, or it would not start */
    thing_destroy(all);
    config.device = 2;
    config.memory_caps.HighestVisibleAddress.QuadPart -= 4096;
    {
        HANDLE refused = NULL;
        assert_int_equal(dxgkmem_add_adapter(&config, &refused), STATUS_NOT_SUPPORTED);
        config.iommu_caps.DmaRemappingSupported = 1;
        narrow = adapter_add(&config); /* remapped then */
    }
    all = thing_create(mdl_arguments(narrow, RAM_PAGES * PAGE));
    assert_int_equal(try_create(mdl_arguments(narrow, PAGE), &none), STATUS_NO_MEMORY);
    thing_destroy(all);
}

static void logical_window(HANDLE adapter, create_arguments base, uint64_t low, uint64_t high)
{
    struct thing thing;
    DXGK_ADL *adl[16];
    NTSTATUS status;
    unsigned made = 0;
    base.hAdapter = adapter;
    thing = thing_create(within(base, low * 4096, high * 4096 + 4095));
    while (made < 16 && NT_SUCCESS(status = try_adl(thing.open, 0, 4 * PAGE, 0, &adl[made]))) {
        assert_true(adl[made]->BasePageNumber >= (low == 0 ? 1 : low));
        assert_true(adl[made]->BasePageNumber + 3 <= high);
        made++;
    }
    expect_no_violation();
    /* As many as there is room for. */
    assert_int_equal(made,
                     (high - (low == 0 ? 1 : low) + 1) / 4 < 16 ? (high - (low == 0 ? 1 : low) + 1) / 4 : 16);
    if (made < 16)
        assert_int_equal(status, STATUS_INSUFFICIENT_RESOURCES);
    while (made > 0)
        adl_free(thing.open, adl[--made]);
    thing_destroy(thing);
}

static void logical_bounds(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapter = adapter_add(&config);
    (void)state;
    for (unsigned contiguous = 0; contiguous < 2; contiguous++) {
        create_arguments base =
            contiguous ? contiguous_arguments(NULL, 4 * PAGE) : mdl_arguments(NULL, 4 * PAGE);
        logical_window(adapter, base, 0x200, 0x20f);
        logical_window(adapter, base, 0, 0x10);
        logical_window(adapter, base, 0x7f0, 0x810);
    }
}

/* Logical addresses end at the highest visible address, whatever the object allows. */
static void highest_visible_address(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    struct thing thing;
    HANDLE adapter;
    DXGK_ADL *adl[16];
    (void)state;
    config.memory_caps.HighestVisibleAddress.QuadPart = 0x10fff; /* pages 1 to 16 */
    adapter = adapter_add(&config);
    thing = thing_create(section_arguments(adapter, 4 * PAGE, PAGE_READWRITE));
    for (unsigned i = 0; i < 4; i++) {
        adl[i] = adl_allocate(thing.open, 0, 4 * PAGE);
        assert_int_equal(adl[i]->BasePageNumber, 1 + 4 * i);
    }
    assert_int_equal(try_adl(thing.open, 0, PAGE, 0, &adl[4]), STATUS_INSUFFICIENT_RESOURCES);
    adl_free(thing.open, adl[1]);
    assert_int_equal(try_adl(thing.open, 0, 4 * PAGE, 0, &adl[1]), STATUS_SUCCESS);
    assert_int_equal(adl[1]->BasePageNumber, 5);
    for (unsigned i = 0; i < 4; i++)
        adl_free(thing.open, adl[i]);
    thing_destroy(thing);
}

static void boundaries(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE adapters[2] = {world.adapter, adapter_add(&config)};
    (void)state;
    for (unsigned a = 0; a < 2; a++) {
        for (uint64_t boundary = 1; boundary <= 64; boundary *= 2) {
            for (SIZE_T pages = 1; pages <= 5; pages++) {
                create_arguments arguments = contiguous_arguments(adapters[a], pages * PAGE);
                struct thing odd, thing;
                DXGK_ADL *in_the_way, *adl;
                arguments.ContiguousMemory.BoundaryAddressMultiple = physical(boundary * 4096);
                if (pages > boundary) {
                    assert_int_equal(try_create(arguments, &thing), STATUS_NO_MEMORY);
                    continue;
                }
                odd = thing_create(mdl_arguments(adapters[a], 3 * PAGE));
                in_the_way = adl_allocate(odd.open, 0, 3 * PAGE);
                thing = thing_create(arguments);
                adl = adl_allocate(thing.open, 0, pages * PAGE);
                assert_true(adl->Flags.Contiguous || a == 0);
                assert_int_equal(adl_page(adl, 0) / boundary, adl_page(adl, (uint32_t)pages - 1) / boundary);
                assert_int_equal(physical_page(thing.object, 0) / boundary,
                                 physical_page(thing.object, pages - 1) / boundary);
                adl_free(thing.open, adl);
                adl_free(odd.open, in_the_way);
                thing_destroy(thing);
                thing_destroy(odd);
            }
        }
    }
    expect_no_violation();
}

/* Contiguous only where asked or allowed, and always where it is promised. */
static void contiguity(void **state)
{
    struct thing contiguous = thing_create(contiguous_arguments(world.adapter, 4 * PAGE));
    struct thing io = thing_create(io_arguments(world.adapter, IO_PAGE, 4 * PAGE));
    struct thing scattered = thing_create(mdl_arguments(world.adapter, 4 * PAGE));
    DXGK_ADL *adl;
    (void)state;
    for (unsigned flags = 0; flags < 4; flags++) {
        HANDLE opens[2] = {contiguous.open, io.open};
        for (unsigned i = 0; i < 2; i++) {
            assert_int_equal(try_adl(opens[i], PAGE, 2 * PAGE, flags, &adl), STATUS_SUCCESS);
            assert_int_equal(adl->Flags.Contiguous, flags != 0);
            assert_int_equal(adl_page(adl, 1), adl_page(adl, 0) + 1);
            adl_free(opens[i], adl);
        }
    }
    assert_int_equal(try_adl(scattered.open, 0, 4 * PAGE, 2, &adl), STATUS_SUCCESS);
    assert_false(adl->Flags.Contiguous); /* only a wish */
    adl_free(scattered.open, adl);
    assert_int_equal(try_adl(scattered.open, 2 * PAGE, PAGE, 2, &adl), STATUS_SUCCESS);
    assert_true(adl->Flags.Contiguous); /* one page always is */
    adl_free(scattered.open, adl);
    thing_destroy(contiguous);
    thing_destroy(io);
    thing_destroy(scattered);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(physical_bounds, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(visible_pages_only, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(logical_bounds, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(highest_visible_address, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(boundaries, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(contiguity, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
