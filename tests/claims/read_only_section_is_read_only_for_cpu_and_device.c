/* SPDX-License-Identifier: MIT */
/*
 * Claim: protection and cache type of every mapping are those of the object: a section
 * that was made read only (or write-copy, or execute) is written neither by the CPU, in
 * whatever mode, nor by the device.
 */
#include "tests/support/world.h"

static void with_protection(ULONG protection, DXGK_MEMORY_CACHING_TYPE cache, unsigned access)
{
    create_arguments arguments = section_arguments(world.adapter, 2 * PAGE, protection);
    struct dxgkmem_sim_translation translation;
    bool writable = (access & DXGKMEM_ACCESS_WRITE) != 0;
    unsigned char byte = 1;
    struct thing thing;
    DXGK_ADL *adl;

    arguments.CacheType = cache;
    thing = thing_create(arguments);
    for (int mode = DXGK_ACCESS_MODE_KERNEL_MODE; mode <= DXGK_ACCESS_MODE_USER_MODE; mode++) {
        struct view view = view_map(thing.object, 0, 2 * PAGE, (DXGK_ACCESS_MODE)mode);
        assert_int_equal(dxgkmem_sim_cpu_write(world.sim, view.base, &byte, 1), writable);
        assert_true(dxgkmem_sim_cpu_read(world.sim, view.base, &byte, 1));
        assert_true(dxgkmem_sim_cpu_page(world.sim, mode == 0 ? 0 : 1, view.base, &translation));
        assert_int_equal(translation.access, access);
        assert_int_equal(translation.cache, cache);
        view_unmap(thing.object, view);
    }
    adl = adl_allocate(thing.open, 0, 2 * PAGE);
    assert_true(dxgkmem_sim_dma_read(world.sim, 0, adl_page(adl, 0) * PAGE, &byte, 1));
    assert_int_equal(dxgkmem_sim_dma_write(world.sim, 0, adl_page(adl, 0) * PAGE, &byte, 1), writable);
    assert_true(dxgkmem_sim_device_page(world.sim, 0, adl_page(adl, 0), &translation));
    assert_int_equal(translation.access & DXGKMEM_ACCESS_WRITE, writable ? DXGKMEM_ACCESS_WRITE : 0);
    adl_free(thing.open, adl);
    thing_destroy(thing);
}

static void sections(void **state)
{
    const unsigned read = DXGKMEM_ACCESS_READ, write = DXGKMEM_ACCESS_WRITE, execute = DXGKMEM_ACCESS_EXECUTE;
    (void)state;
    with_protection(PAGE_READONLY, DXGK_MEMORY_CACHING_TYPE_CACHED, read);
    with_protection(PAGE_WRITECOPY, DXGK_MEMORY_CACHING_TYPE_CACHED, read);
    with_protection(PAGE_EXECUTE, DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED, read | execute);
    with_protection(PAGE_READWRITE, DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED, read | write);
}

static void other_types_keep_their_cache_type(void **state)
{
    static const DXGK_MEMORY_CACHING_TYPE caches[] = {DXGK_MEMORY_CACHING_TYPE_NON_CACHED,
                                                      DXGK_MEMORY_CACHING_TYPE_CACHED,
                                                      DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        create_arguments arguments[3] = {mdl_arguments(NULL, PAGE), contiguous_arguments(NULL, PAGE),
                                         io_arguments(NULL, IO_PAGE, PAGE)};
        for (unsigned type = 0; type < 3; type++) {
            struct dxgkmem_sim_translation translation;
            struct thing thing;
            struct view view;
            arguments[type].CacheType = caches[i];
            thing = thing_create(arguments[type]);
            view = view_map(thing.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
            assert_true(dxgkmem_sim_cpu_page(world.sim, 0, view.base, &translation));
            assert_int_equal(translation.cache, caches[i]);
            assert_int_equal(translation.access, DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE);
            view_unmap(thing.object, view);
            thing_destroy(thing);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sections, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(other_types_keep_their_cache_type, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
