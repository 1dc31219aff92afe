/* SPDX-License-Identifier: MIT */
/*
 * The simulated machine in use: configuration, contents, CPU mappings and processes,
 * device accesses, the IOTLB.
 */
#include "test_sim.h"

static void bad_configurations_are_refused(void **state)
{
    const struct dxgkmem_sim_config good = {
        .range = {{.page = 16, .pages = 16}, {.page = 32, .pages = 16, .io = true}},
        .ranges = 2,
        .address_bits = 32,
    };
    struct dxgkmem_sim_config config[9];
    struct dxgkmem_sim *sim = NULL;

    (void)state;
    for (unsigned i = 0; i < 9; i++)
        config[i] = good;
    config[0].ranges = 0;
    config[1].ranges = DXGKMEM_SIM_RANGES + 1;
    config[2].address_bits = 31;
    config[3].address_bits = 53;
    config[4].iotlb_entries = 3;
    config[5].range[1].page = 31; /* overlaps */
    config[6].range[0].pages = 0;
    config[7].range[0].io = true; /* no RAM */
    config[8].range[1].pages = (uint64_t)1 << 20;
    for (unsigned i = 0; i < 9; i++)
        assert_int_equal(dxgkmem_sim_create(&config[i], &sim), STATUS_INVALID_PARAMETER);
    assert_int_equal(dxgkmem_sim_create(NULL, &sim), STATUS_INVALID_PARAMETER);
    assert_null(sim);
    dxgkmem_sim_destroy(NULL);
}

static void memory_map(void **state)
{
    struct rig rig = rig_small(64);

    (void)state;
    assert_int_equal(rig.ops->highest_ram_page(rig.machine), 79);
    assert_int_equal(rig.ops->highest_page(rig.machine), ((uint64_t)1 << 24) - 1);
    assert_true(rig.ops->touches_ram(rig.machine, (struct dxgkmem_run){0, 17}));
    assert_false(rig.ops->touches_ram(rig.machine, (struct dxgkmem_run){0, 16}));
    assert_true(rig.ops->touches_ram(rig.machine, (struct dxgkmem_run){79, 1}));
    assert_false(rig.ops->touches_ram(rig.machine, (struct dxgkmem_run){80, 1000}));
    assert_true(rig.ops->touches_ram(rig.machine, (struct dxgkmem_run){0, UINT64_MAX}));
    assert_int_equal(rig.ops->irql(rig.machine), PASSIVE_LEVEL);
    dxgkmem_sim_set_irql(rig.sim, DISPATCH_LEVEL);
    assert_int_equal(rig.ops->irql(rig.machine), DISPATCH_LEVEL);
    assert_int_equal(rig.ops->process(rig.machine), 1);
    dxgkmem_sim_set_process(rig.sim, DXGKMEM_SIM_PROCESSES);
    dxgkmem_sim_set_process(rig.sim, 0);
    dxgkmem_sim_set_process(rig.sim, DXGKMEM_SIM_PROCESSES + 1);
    assert_int_equal(rig.ops->process(rig.machine), DXGKMEM_SIM_PROCESSES);
    rig_end(&rig);
}

/* What a write leaves is seen through every mapping and by the device, page by page. */
static void one_memory_many_views(void **state)
{
    struct rig rig = rig_small(64);
    static const DXGK_PHYSICAL_MEMORY_TYPE types[] = {MDL, CONTIGUOUS, SECTION, IO_SPACE};
    static uint8_t out[5 * 4096], in[5 * 4096];
    struct dxgkmem_domain *domain = domain_with(&rig, 3);

    (void)state;
    for (unsigned i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i / 7 + i / 4096);
    for (unsigned i = 0; i < 4; i++) {
        struct dxgkmem_memory *memory =
            types[i] == IO_SPACE ? create_io(&rig, 0x1008, 5) : create(&rig, types[i], 5);
        uint8_t *base = map_kernel(&rig, memory, 0, 5);
        uint8_t *part = map_kernel(&rig, memory, 2, 2);

        expose(&rig, domain, 0x70, memory, 5, ACCESS_RW);
        assert_true(dxgkmem_sim_cpu_read(rig.sim, base, in, sizeof in));
        for (unsigned k = 0; k < sizeof in; k++)
            assert_int_equal(in[k], 0);
        assert_true(dxgkmem_sim_cpu_write(rig.sim, base + 5, out, sizeof out - 5));
        assert_true(dxgkmem_sim_dma_read(rig.sim, 3, 0x70005, in, sizeof in - 5));
        assert_memory_equal(in, out, sizeof in - 5);
        assert_true(dxgkmem_sim_cpu_read(rig.sim, part, in, 8192));
        assert_memory_equal(in, out + 8192 - 5, 8192);
        assert_true(dxgkmem_sim_dma_write(rig.sim, 3, 0x72ff0, out, 32));
        assert_true(dxgkmem_sim_cpu_read(rig.sim, part + 0xff0, in, 32));
        assert_memory_equal(in, out, 32);
        rig.ops->unmap(rig.machine, memory, base, 5, 0);
        rig.ops->unmap(rig.machine, memory, part, 2, 0);
        assert_false(dxgkmem_sim_cpu_read(rig.sim, base, in, 1));
        withdraw(&rig, domain, 0x70, memory, 5);
        assert_false(dxgkmem_sim_dma_read(rig.sim, 3, 0x70000, in, 1));
        destroy(&rig, memory);
    }
    domain_end(&rig, domain, 3);
    rig_end(&rig);
}

/* Without memory_zero the next owner would see what the last one wrote. */
static void contents_outlive_their_owner_until_zeroed(void **state)
{
    struct rig rig = rig_small(4);
    struct dxgkmem_memory *memory = create(&rig, MDL, 1);
    struct dxgkmem_memory_request request = request_of(MDL, 1);
    uint32_t word = 0x12345678;
    void *base = map_kernel(&rig, memory, 0, 1);

    (void)state;
    assert_true(dxgkmem_sim_cpu_write(rig.sim, base, &word, sizeof word));
    rig.ops->unmap(rig.machine, memory, base, 1, 0);
    destroy(&rig, memory);
    memory = create_as(&rig, &request);
    base = map_kernel(&rig, memory, 0, 1);
    word = 0;
    assert_true(dxgkmem_sim_cpu_read(rig.sim, base, &word, sizeof word));
    assert_int_equal(word, 0x12345678);
    assert_string_equal(dxgkmem_sim_complaint(rig.sim),
                        "an object was mapped for the CPU before memory_zero");
    rig.ops->memory_zero(rig.machine, memory);
    assert_true(dxgkmem_sim_cpu_read(rig.sim, base, &word, sizeof word));
    assert_int_equal(word, 0);
    dxgkmem_sim_destroy(rig.sim);
}

static void processes_see_their_own_mappings(void **state)
{
    struct rig rig = rig_small(64);
    struct dxgkmem_memory *first = create(&rig, SECTION, 2), *second = create(&rig, SECTION, 2);
    struct dxgkmem_sim_translation translation;
    void *base[3], *kernel;
    char byte = 1;

    (void)state;
    kernel = map_kernel(&rig, first, 0, 2);
    base[1] = map_user(&rig, first, 0, 2);
    dxgkmem_sim_set_process(rig.sim, 2);
    assert_false(dxgkmem_sim_cpu_read(rig.sim, base[1], &byte, 1));
    assert_true(dxgkmem_sim_cpu_read(rig.sim, kernel, &byte, 1));
    base[2] = map_user(&rig, second, 0, 2);
    assert_ptr_not_equal(base[1], base[2]); /* one address has one meaning at a time */
    assert_true(dxgkmem_sim_cpu_page(rig.sim, 1, base[1], &translation));
    lock(&rig, first, 0, 2);
    lock(&rig, second, 0, 2);
    assert_int_equal(translation.page, nth_page(&rig, first, 0));
    assert_true(dxgkmem_sim_cpu_page(rig.sim, 2, (char *)base[2] + 4096, &translation));
    assert_int_equal(translation.page, nth_page(&rig, second, 1));
    assert_int_equal(translation.access, ACCESS_RW);
    assert_int_equal(translation.cache, DXGK_MEMORY_CACHING_TYPE_CACHED);
    unlock(&rig, first, 0, 2);
    unlock(&rig, second, 0, 2);
    assert_false(dxgkmem_sim_cpu_page(rig.sim, 3, base[1], &translation));
    assert_false(dxgkmem_sim_cpu_page(rig.sim, 0, base[1], &translation));
    assert_false(dxgkmem_sim_cpu_page(rig.sim, 99, base[1], &translation));
    assert_true(dxgkmem_sim_cpu_page(rig.sim, 0, kernel, &translation));
    assert_true(dxgkmem_sim_cpu_page(rig.sim, 7, kernel, &translation));
    for (uint64_t process = 0; process < 3; process++)
        assert_int_equal(dxgkmem_sim_mappings(rig.sim, process), 1);
    rig.ops->unmap(rig.machine, first, base[1], 2, 1);       /* the process is not the current one */
    assert_ptr_equal(map_user(&rig, second, 0, 2), base[1]); /* now it is process 2's */
    assert_true(dxgkmem_sim_cpu_read(rig.sim, base[1], &byte, 1));
    assert_false(dxgkmem_sim_cpu_page(rig.sim, 1, base[1], &translation));
    assert_int_equal(dxgkmem_sim_mappings(rig.sim, 1), 0);
    assert_int_equal(dxgkmem_sim_mappings(rig.sim, 2), 2);
    rig.ops->unmap(rig.machine, second, base[1], 2, 2);
    rig.ops->unmap(rig.machine, second, base[2], 2, 2);
    rig.ops->unmap(rig.machine, first, kernel, 2, 0);
    for (uint64_t process = 0; process < 3; process++)
        assert_int_equal(dxgkmem_sim_mappings(rig.sim, process), 0);
    destroy(&rig, first);
    destroy(&rig, second);
    rig_end(&rig);
}

static void addresses_lead_nowhere_and_come_back_at_once(void **state)
{
    struct rig rig = rig_small(4);
    struct dxgkmem_memory *memory = create(&rig, MDL, 3), *wide;
    void *base[200];

    (void)state;
    for (unsigned i = 0; i < 200; i++) {
        base[i] = i % 2 != 0 ? map_user(&rig, memory, 0, 1) : map_kernel(&rig, memory, 1, 2);
#if UINTPTR_MAX > 0xffffffffu
        /* Not canonical on x86-64, whether addresses have 48 or 57 bits. */
        assert_true((uintptr_t)base[i] >> 56 != 0 && (uintptr_t)base[i] >> 56 != 0xff);
        assert_true((uintptr_t)base[i] >> 47 != 0 && (uintptr_t)base[i] >> 47 != 0x1ffff);
#endif
        for (unsigned k = 0; k < i; k++)
            assert_ptr_not_equal(base[i], base[k]);
    }
    rig.ops->unmap(rig.machine, memory, base[7], 1, 1);
    rig.ops->unmap(rig.machine, memory, base[99], 1, 1);
    assert_ptr_equal(map_user(&rig, memory, 0, 1), base[99]);
    assert_ptr_equal(map_user(&rig, memory, 0, 1), base[7]);
    for (unsigned i = 0; i < 200; i++)
        rig.ops->unmap(rig.machine, memory, base[i], 2 - i % 2, i % 2);
    destroy(&rig, memory);
    wide = create_io(&rig, 0x100000, 0x40000); /* larger than a small slot */
    base[0] = map_kernel(&rig, wide, 0, 0x40000);
    base[1] = map_kernel(&rig, wide, 1, 0x3ffff);
    assert_true(dxgkmem_sim_cpu_write(rig.sim, (char *)base[0] + 0x3fffffff, "x", 1));
    assert_false(dxgkmem_sim_cpu_write(rig.sim, (char *)base[0] + 0x3fffffff, "xy", 2));
    assert_false(dxgkmem_sim_cpu_write(rig.sim, (char *)base[0] + 0x40000000u, "x", 1));
    rig.ops->unmap(rig.machine, wide, base[1], 0x3ffff, 0);
    rig.ops->unmap(rig.machine, wide, base[0], 0x40000, 0);
    destroy(&rig, wide);
    rig_end(&rig);
}

static void no_byte_moves_without_permission(void **state)
{
    struct rig rig = rig_small(64);
    struct dxgkmem_memory *memory = create(&rig, MDL, 3);
    struct dxgkmem_domain *domain = domain_with(&rig, 0);
    struct dxgkmem_run run;
    uint8_t byte[8192] = {1};
    void *base;

    (void)state;
    base = map_as(&rig, memory, 0, 2, DXGK_ACCESS_MODE_USER_MODE, DXGKMEM_ACCESS_READ);
    assert_false(dxgkmem_sim_cpu_write(rig.sim, base, byte, 1));
    assert_true(dxgkmem_sim_cpu_read(rig.sim, base, byte, 8192));
    assert_false(dxgkmem_sim_cpu_read(rig.sim, (char *)base + 1, byte, 8192));
    rig.ops->unmap(rig.machine, memory, base, 2, 1);

    /* Page 0 may be read and written, page 1 read, page 2 is not there. */
    lock(&rig, memory, 0, 3);
    run = (struct dxgkmem_run){nth_page(&rig, memory, 0), 1};
    assert_int_equal(rig.ops->domain_map(rig.machine, domain, 8, run, ACCESS_RW), STATUS_SUCCESS);
    run.page = nth_page(&rig, memory, 1);
    assert_int_equal(rig.ops->domain_map(rig.machine, domain, 9, run, DXGKMEM_ACCESS_READ), STATUS_SUCCESS);
    byte[0] = 0x55;
    assert_false(dxgkmem_sim_dma_write(rig.sim, 0, 0x8fff, byte, 2));
    assert_true(dxgkmem_sim_dma_read(rig.sim, 0, 0x8fff, byte, 2));
    assert_int_equal(byte[0], 0);
    assert_false(dxgkmem_sim_dma_read(rig.sim, 0, 0x8fff, byte, 4098));
    assert_false(dxgkmem_sim_dma_read(rig.sim, 0, 0x7fff, byte, 2));
    assert_false(dxgkmem_sim_dma_read(rig.sim, 0, UINT64_MAX, byte, 2));
    assert_false(dxgkmem_sim_dma_read(rig.sim, 1, 0x8000, byte, 1)); /* in no domain */
    assert_false(dxgkmem_sim_dma_read(rig.sim, 16, 0x8000, byte, 1));
    rig.ops->domain_unmap(rig.machine, domain, 8, 2);
    rig.ops->domain_flush(rig.machine, domain, 8, 2);
    unlock(&rig, memory, 0, 3);
    destroy(&rig, memory);
    domain_end(&rig, domain, 0);
    rig_end(&rig);
}

static void tables_of_every_height(void **state)
{
    struct rig rig = rig_small(64);
    struct dxgkmem_domain *domain = domain_with(&rig, 0), *other = domain_with(&rig, 1);
    struct dxgkmem_memory *memory = create(&rig, CONTIGUOUS, 4);
    struct dxgkmem_sim_translation translation;
    uint64_t bytes, page = nth_page(&rig, memory, 0);
    uint32_t value = 7;

    (void)state;
    lock(&rig, memory, 0, 4);
    for (unsigned bit = 0; bit < 52; bit++) {
        uint64_t logical = ((uint64_t)1 << bit) + (bit > 3 ? (uint64_t)0 - 2 : 0);
        struct dxgkmem_run run = {page, 4};

        assert_int_equal(rig.ops->domain_map(rig.machine, domain, logical, run, ACCESS_RW), STATUS_SUCCESS);
        assert_true(dxgkmem_sim_device_page(rig.sim, 0, logical + 3, &translation));
        assert_int_equal(translation.page, page + 3);
        assert_int_equal(translation.access, ACCESS_RW);
        assert_false(dxgkmem_sim_device_page(rig.sim, 0, logical + 4, &translation));
        assert_false(dxgkmem_sim_device_page(rig.sim, 1, logical, &translation));
        assert_int_equal(dxgkmem_sim_device_pages(rig.sim, 0), 4);
        assert_int_equal(dxgkmem_sim_device_pages(rig.sim, 1), 0);
        assert_true(dxgkmem_sim_dma_read(rig.sim, 0, (logical + 1) * 4096 - 2, &value, sizeof value));
        rig.ops->domain_unmap(rig.machine, domain, logical, 4);
        rig.ops->domain_flush(rig.machine, domain, logical, 4);
        assert_false(dxgkmem_sim_device_page(rig.sim, 0, logical, &translation));
    }
    assert_false(dxgkmem_sim_device_page(rig.sim, 0, UINT64_MAX, &translation));
    unlock(&rig, memory, 0, 4);
    destroy(&rig, memory);
    domain_end(&rig, domain, 0);
    domain_end(&rig, other, 1);
    bytes = dxgkmem_sim_pool_bytes(rig.sim);
    domain_end(&rig, domain_with(&rig, 2), 2);
    assert_int_equal(dxgkmem_sim_pool_bytes(rig.sim), bytes); /* records and tables are used again */
    rig_end(&rig);
}

/* The IOTLB remembers until it is told to forget. */
static void a_missing_flush_shows(void **state)
{
    struct rig rig = rig_small(64);
    struct dxgkmem_domain *domain = domain_with(&rig, 0);
    struct dxgkmem_memory *memory = create(&rig, CONTIGUOUS, 2);
    uint64_t number, logical, changes;
    char byte;

    (void)state;
    expose(&rig, domain, 5, memory, 2, ACCESS_RW);
    assert_true(dxgkmem_sim_dma_read(rig.sim, 0, 0x6000, &byte, 1));
    assert_false(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
    rig.ops->domain_unmap(rig.machine, domain, 5, 2);
    assert_true(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
    assert_int_equal(number, 0);
    assert_int_equal(logical, 6);
    assert_true(dxgkmem_sim_dma_write(rig.sim, 0, 0x6000, "z", 1)); /* as a real one would */
    assert_false(dxgkmem_sim_dma_write(rig.sim, 0, 0x5000, "z", 1));
    changes = dxgkmem_sim_changes(rig.sim);
    rig.ops->domain_flush(rig.machine, domain, 5, 1);
    assert_int_equal(dxgkmem_sim_changes(rig.sim), changes);
    assert_true(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
    rig.ops->domain_flush(rig.machine, domain, 6, 1);
    assert_true(dxgkmem_sim_changes(rig.sim) != changes);
    assert_false(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
    assert_false(dxgkmem_sim_dma_write(rig.sim, 0, 0x6000, "z", 1));
    unlock(&rig, memory, 0, 2);
    destroy(&rig, memory);
    domain_end(&rig, domain, 0);
    rig_end(&rig);
}

/* Another permission for the same logical page is as stale as another page. */
static void changed_permission_is_stale(void **state)
{
    struct rig rig = rig_small(64);
    struct dxgkmem_domain *domain = domain_with(&rig, 0);
    struct dxgkmem_memory *memory = create(&rig, CONTIGUOUS, 1);
    struct dxgkmem_run run = {nth_page(&rig, memory, 0), 1};
    uint64_t number, logical;

    (void)state;
    expose(&rig, domain, 5, memory, 1, ACCESS_RW);
    assert_true(dxgkmem_sim_dma_write(rig.sim, 0, 0x5000, "z", 1));
    rig.ops->domain_unmap(rig.machine, domain, 5, 1);
    assert_int_equal(rig.ops->domain_map(rig.machine, domain, 5, run, DXGKMEM_ACCESS_READ), STATUS_SUCCESS);
    assert_true(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
    assert_true(dxgkmem_sim_dma_write(rig.sim, 0, 0x5000, "z", 1));
    rig.ops->domain_flush(rig.machine, domain, 0, 100);
    assert_false(dxgkmem_sim_dma_write(rig.sim, 0, 0x5000, "z", 1));
    withdraw(&rig, domain, 5, memory, 1);
    destroy(&rig, memory);
    domain_end(&rig, domain, 0);
    rig_end(&rig);
}

static void an_iotlb_of_one_line(void **state)
{
    struct dxgkmem_sim_config config = {
        .range = {{.page = 16, .pages = 64}}, .ranges = 1, .address_bits = 32, .iotlb_entries = 1};
    struct rig rig = rig_make(&config);
    struct dxgkmem_domain *domain = domain_with(&rig, 0);
    struct dxgkmem_memory *memory = create(&rig, MDL, 20);
    static uint8_t out[20 * 4096], in[20 * 4096];
    uint64_t number, logical;

    (void)state;
    for (unsigned i = 0; i < sizeof out; i++)
        out[i] = (uint8_t)(i >> 12 ^ i);
    expose(&rig, domain, 100, memory, 20, ACCESS_RW);
    assert_true(dxgkmem_sim_dma_write(rig.sim, 0, 100 * 4096, out, sizeof out));
    assert_true(dxgkmem_sim_dma_read(rig.sim, 0, 100 * 4096, in, sizeof in));
    assert_memory_equal(in, out, sizeof in);
    rig.ops->domain_unmap(rig.machine, domain, 100, 20);
    assert_true(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
    assert_int_equal(logical, 119);
    rig.ops->domain_flush(rig.machine, domain, 100, 20);
    unlock(&rig, memory, 0, 20);
    destroy(&rig, memory);
    domain_end(&rig, domain, 0);
    rig_end(&rig);
}

static void reset_is_like_new(void **state)
{
    struct rig rig = rig_small(64);
    uint64_t page[2], bytes[2];
    void *base[2];
    char byte = 1;

    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        struct dxgkmem_domain *domain = domain_with(&rig, 2);
        struct dxgkmem_memory *memory = create(&rig, MDL, 3), *io = create_io(&rig, 0x1000, 4);

        expose(&rig, domain, 1, memory, 3, ACCESS_RW);
        expose(&rig, domain, 0x1000, io, 4, ACCESS_RW);
        page[round % 2] = nth_page(&rig, memory, 0);
        base[round % 2] = map_user(&rig, memory, 0, 3);
        assert_true(dxgkmem_sim_cpu_read(rig.sim, base[round % 2], &byte, 1));
        assert_int_equal(byte, 0);
        assert_true(dxgkmem_sim_dma_write(rig.sim, 2, 0x1000, "x", 1));
        assert_true(dxgkmem_sim_dma_write(rig.sim, 2, 0x1000000, "x", 1));
        dxgkmem_sim_set_process(rig.sim, 5);
        (void)map_user(&rig, memory, 0, 3);
        dxgkmem_sim_set_irql(rig.sim, 2);
        dxgkmem_sim_fail_at(rig.sim, 1000);
        if (round > 1) {
            assert_int_equal(page[0], page[1]);
            assert_ptr_equal(base[0], base[1]);
        }
        dxgkmem_sim_reset(rig.sim); /* with everything left behind */
        bytes[round % 2] = dxgkmem_sim_pool_bytes(rig.sim);
        assert_int_equal(dxgkmem_sim_digest(rig.sim), 0);
        assert_int_equal(dxgkmem_sim_changes(rig.sim), 0);
        assert_int_equal(dxgkmem_sim_free_pages(rig.sim), 64);
        assert_int_equal(dxgkmem_sim_device_pages(rig.sim, 2), 0);
        assert_int_equal(dxgkmem_sim_mappings(rig.sim, 5), 0);
        assert_int_equal(dxgkmem_sim_fallible_calls(rig.sim), 0);
        assert_int_equal(rig.ops->process(rig.machine), 1);
        assert_int_equal(rig.ops->irql(rig.machine), 0);
        assert_null(dxgkmem_sim_complaint(rig.sim));
    }
    assert_int_equal(bytes[0], bytes[1]);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_configurations_are_refused),
        cmocka_unit_test(memory_map),
        cmocka_unit_test(one_memory_many_views),
        cmocka_unit_test(contents_outlive_their_owner_until_zeroed),
        cmocka_unit_test(processes_see_their_own_mappings),
        cmocka_unit_test(addresses_lead_nowhere_and_come_back_at_once),
        cmocka_unit_test(no_byte_moves_without_permission),
        cmocka_unit_test(tables_of_every_height),
        cmocka_unit_test(a_missing_flush_shows),
        cmocka_unit_test(changed_permission_is_stale),
        cmocka_unit_test(an_iotlb_of_one_line),
        cmocka_unit_test(reset_is_like_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
