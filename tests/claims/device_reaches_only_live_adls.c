/* SPDX-License-Identifier: MIT */
/*
 * Claim: the device reaches exactly the pages of live ADLs of its logical adapter; every
 * other address faults: of objects without an ADL, of parts outside the ADL, of freed
 * ADLs, of other adapters. Overlapping ADLs hold a page until the last one ends.
 */
#include "tests/support/world.h"

static bool reaches(uint64_t device, uint64_t logical_page)
{
    struct dxgkmem_sim_translation translation;
    unsigned char byte = 0;
    bool read = dxgkmem_sim_dma_read(world.sim, device, logical_page * PAGE, &byte, 1);
    assert_int_equal(dxgkmem_sim_device_page(world.sim, device, logical_page, &translation), read);
    return read;
}

/* Physical pages of an object, by way of a throw-away kernel mapping. */
static uint64_t physical_page(HANDLE object, SIZE_T index)
{
    struct view view = view_map(object, index * PAGE, 1, DXGK_ACCESS_MODE_KERNEL_MODE);
    struct dxgkmem_sim_translation translation;
    assert_true(dxgkmem_sim_cpu_page(world.sim, 0, view.base, &translation));
    view_unmap(object, view);
    return translation.page;
}

/* The ADL names the object's pages in order, and the device reaches those and no more. */
static void expect_exactly(uint64_t device, HANDLE object, const DXGK_ADL *adl, SIZE_T first)
{
    for (uint32_t i = 0; i < adl->PageCount; i++) {
        struct dxgkmem_sim_translation translation;
        assert_true(reaches(device, adl_page(adl, i)));
        assert_true(dxgkmem_sim_device_page(world.sim, device, adl_page(adl, i), &translation));
        assert_int_equal(translation.page, physical_page(object, first + i));
    }
}

static void one_object(create_arguments arguments, uint64_t device, unsigned flags)
{
    struct thing thing = thing_create(arguments);
    DXGK_ADL *adl;
    uint64_t pages[4];

    assert_int_equal(dxgkmem_sim_device_pages(world.sim, device), 0);
    assert_false(reaches(device, physical_page(thing.object, 0)));
    assert_int_equal(try_adl(thing.open, 2 * PAGE, 4 * PAGE, flags, &adl), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, device), 4);
    expect_exactly(device, thing.object, adl, 2);
    for (uint32_t i = 0; i < 4; i++)
        pages[i] = adl_page(adl, i);
    adl_free(thing.open, adl);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, device), 0);
    for (uint32_t i = 0; i < 4; i++)
        assert_false(reaches(device, pages[i]));
    thing_destroy(thing);
}

static void every_type(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    HANDLE remapped = adapter_add(&config);
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        HANDLE adapter = i == 0 ? world.adapter : remapped;
        one_object(mdl_arguments(adapter, 8 * PAGE), i, 0);
        one_object(mdl_arguments(adapter, 8 * PAGE), i, 2);
        one_object(section_arguments(adapter, 8 * PAGE, PAGE_READWRITE), i, 0);
        for (unsigned flags = 0; flags < 4; flags++) { /* RequireContiguous, PreferContiguous */
            one_object(contiguous_arguments(adapter, 8 * PAGE), i, flags);
            one_object(io_arguments(adapter, IO_PAGE, 8 * PAGE), i, flags);
        }
    }
}

static void other_adapters_see_nothing(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    struct thing thing = thing_create(mdl_arguments(world.adapter, 2 * PAGE));
    DXGK_ADL *adl = adl_allocate(thing.open, 0, 2 * PAGE);
    (void)state;
    (void)adapter_add(&config);
    assert_false(reaches(1, adl_page(adl, 0)));
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1), 0);
    assert_false(reaches(7, adl_page(adl, 0))); /* a device that nobody added */
    adl_free(thing.open, adl);
    thing_destroy(thing);
}

/* ADLs [0,4), [2,6), [5,8) and [3,4) end in every order; a page is reachable while one over it lives. */
static void overlapping_adls(void **state)
{
    static const SIZE_T first[4] = {0, 2, 5, 3}, pages[4] = {4, 4, 3, 1};
    struct thing thing = thing_create(mdl_arguments(world.adapter, 8 * PAGE));
    uint64_t page[8];
    (void)state;

    for (SIZE_T i = 0; i < 8; i++)
        page[i] = physical_page(thing.object, i);
    for (unsigned order = 0; order < 24; order++) {
        unsigned rest[4] = {0, 1, 2, 3}, choice = order;
        DXGK_ADL *adl[4];
        bool live[4] = {true, true, true, true};

        for (unsigned i = 0; i < 4; i++)
            adl[i] = adl_allocate(thing.open, first[i] * PAGE, pages[i] * PAGE);
        for (unsigned left = 4; left > 0; left--) {
            unsigned at = choice % left, ended = rest[at];
            choice /= left;
            rest[at] = rest[left - 1];
            adl_free(thing.open, adl[ended]);
            live[ended] = false;
            for (SIZE_T p = 0; p < 8; p++) {
                bool covered = false;
                for (unsigned i = 0; i < 4; i++)
                    covered = covered || (live[i] && p >= first[i] && p < first[i] + pages[i]);
                assert_int_equal(reaches(0, page[p]), covered);
            }
        }
    }
    thing_destroy(thing);
}

/* Any two ADLs over six pages: when one ends, the other one's pages are left, and no more. */
static void every_pair_on(create_arguments arguments)
{
    enum { PAGES = 6 };
    struct thing thing = thing_create(arguments);
    uint64_t page[PAGES];

    for (SIZE_T i = 0; i < PAGES; i++)
        page[i] = physical_page(thing.object, i);
    for (unsigned code = 0; code < PAGES * PAGES * PAGES * PAGES; code++) {
        SIZE_T a = code % PAGES, b = code / PAGES % PAGES, c = code / PAGES / PAGES % PAGES,
               d = code / PAGES / PAGES / PAGES;
        DXGK_ADL *one, *two;
        if (a > b || c > d)
            continue; /* [a, b] and [c, d] */
        one = adl_allocate(thing.open, a * PAGE, (b - a + 1) * PAGE);
        two = adl_allocate(thing.open, c * PAGE, (d - c + 1) * PAGE);
        adl_free(thing.open, one);
        for (SIZE_T i = 0; i < PAGES; i++)
            assert_int_equal(reaches(0, page[i]), i >= c && i <= d);
        adl_free(thing.open, two);
        assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
    }
    assert_null(dxgkmem_sim_complaint(world.sim));
    thing_destroy(thing);
}

static void every_pair_of_adls(void **state)
{
    (void)state;
    every_pair_on(mdl_arguments(world.adapter, 6 * PAGE));
    every_pair_on(contiguous_arguments(world.adapter, 6 * PAGE)); /* one run, to be cut */
}

/* In a remapped domain every ADL has logical pages of its own, none of them page 0 or a physical number. */
static void logical_pages_are_its_own(void **state)
{
    struct dxgkmem_adapter_config config = adapter_remapped(1, V31);
    struct thing thing = thing_create(mdl_arguments(adapter_add(&config), 4 * PAGE));
    DXGK_ADL *one = adl_allocate(thing.open, 0, 4 * PAGE), *two = adl_allocate(thing.open, 0, 4 * PAGE);
    (void)state;
    assert_true(one->Flags.Contiguous && two->Flags.Contiguous);
    assert_true(one->BasePageNumber + 4 <= two->BasePageNumber ||
                two->BasePageNumber + 4 <= one->BasePageNumber);
    assert_true(one->BasePageNumber != 0 && two->BasePageNumber != 0);
    expect_exactly(1, thing.object, one, 0);
    expect_exactly(1, thing.object, two, 0);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1), 8);
    adl_free(thing.open, one);
    expect_exactly(1, thing.object, two, 0);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 1), 4);
    adl_free(thing.open, two);
    thing_destroy(thing);
}

static void frame_buffer(void **state)
{
    DXGK_ADL *adl;
    uint64_t page;
    (void)state;
    assert_int_equal(try_pin(world.adapter, 0, 3 * PAGE, 0, &adl), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 3);
    page = adl_page(adl, 2);
    assert_true(reaches(0, page));
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_false(reaches(0, page));
    assert_int_equal(dxgkmem_sim_device_pages(world.sim, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_type, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(other_adapters_see_nothing, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(overlapping_adls, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(every_pair_of_adls, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(logical_pages_are_its_own, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(frame_buffer, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
