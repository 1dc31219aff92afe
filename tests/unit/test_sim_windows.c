/* SPDX-License-Identifier: MIT */
/*
 * Real CPU mappings against addresses that nothing backs: the same machine, the same
 * slots, the same accesses that fault.
 */
#include "test_sim.h"

#include <dxgkmem/user.h>

/* A fixed mixture of everything; what is seen goes into `seen`. */
static void play(struct rig *rig, uint8_t *seen, size_t room)
{
    struct dxgkmem_domain *domain = domain_with(rig, 0);
    size_t at = 0;

    for (unsigned round = 0; round < 40; round++) {
        struct dxgkmem_memory *memory = create(rig, round % 3 == 0 ? CONTIGUOUS : MDL, 1 + round % 5);
        struct dxgkmem_memory *io = create_io(rig, 0x1000 + round, 2);
        uint64_t pages = 1 + round % 5;
        uint8_t *kernel = map_kernel(rig, memory, 0, pages), *user = map_user(rig, memory, 0, pages);
        uint8_t *device = map_kernel(rig, io, 0, 2);

        expose(rig, domain, 50, memory, pages, ACCESS_RW);
        assert_true(dxgkmem_sim_cpu_read(rig->sim, kernel + 4000, seen + at, 64));
        assert_true(dxgkmem_sim_cpu_write(rig->sim, kernel + 4000, &round, 1));
        assert_true(dxgkmem_sim_dma_write(rig->sim, 0, 50 * 4096 + 4010, &round, 2));
        assert_true(dxgkmem_sim_cpu_read(rig->sim, user + 4000, seen + at + 64, 64));
        assert_true(dxgkmem_sim_cpu_write(rig->sim, device + 4090, &round, 4));
        assert_true(dxgkmem_sim_cpu_read(rig->sim, device, seen + at + 128, 16));
        seen[at + 144] = (uint8_t)dxgkmem_sim_dma_read(rig->sim, 0, (50 + pages) * 4096, seen, 1);
        seen[at + 145] = (uint8_t)dxgkmem_sim_free_pages(rig->sim);
        rig->ops->unmap(rig->machine, memory, kernel, pages, 0);
        rig->ops->unmap(rig->machine, io, device, 2, 0);
        rig->ops->unmap(rig->machine, memory, user, pages, 1);
        withdraw(rig, domain, 50, memory, pages);
        destroy(rig, memory);
        destroy(rig, io);
        at += 150;
        assert_true(at <= room);
    }
    domain_end(rig, domain, 0);
}

static void real_mappings_are_the_same_machine(void **state)
{
    static uint8_t seen[2][6000];
    struct dxgkmem_sim_config config = {
        .range = {{.page = 16, .pages = 64}, {.page = 0x1000, .pages = 64, .io = true}},
        .ranges = 2,
        .address_bits = 48,
    };
    void *windows = dxgkmem_user_windows_create(48);

    (void)state;
    if (windows == NULL)
        skip();
    for (unsigned i = 0; i < 2; i++) {
        struct rig rig;

        config.windows = i != 0 ? &dxgkmem_user_windows : NULL;
        config.windows_context = i != 0 ? windows : NULL;
        rig = rig_make(&config);
        play(&rig, seen[i], sizeof seen[i]);
        rig_end(&rig);
    }
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
    dxgkmem_user_windows_destroy(windows);
}

enum { WINDOWS = 200, STEPS = 1000 };

/* Maps and unmaps in a fixed disorder; which windows began at one address goes into `seen`. */
static void play_windows(struct rig *rig, uint32_t *seen)
{
    struct dxgkmem_memory *memory = create(rig, MDL, 3);
    static uint8_t *base[WINDOWS], *known[STEPS];
    static uint64_t process[WINDOWS], pages[WINDOWS];
    unsigned count = 0;

    memset(base, 0, sizeof base);
    for (unsigned step = 0, number = 1; step < STEPS; step++, number = number * 1103515245u + 12345u) {
        unsigned i = (number >> 16) % WINDOWS, at = 0;
        uint8_t byte;

        if (base[i] != NULL) {
            rig->ops->unmap(rig->machine, memory, base[i], pages[i], process[i]);
            seen[step] = dxgkmem_sim_cpu_read(rig->sim, base[i], &byte, 1);
            base[i] = NULL;
            continue;
        }
        process[i] = (number >> 8) % 4;
        pages[i] = 1 + step % 3;
        dxgkmem_sim_set_process(rig->sim, process[i] != 0 ? process[i] : 1);
        base[i] = process[i] != 0 ? map_user(rig, memory, 0, pages[i]) : map_kernel(rig, memory, 0, pages[i]);
        while (at < count && known[at] != base[i])
            at++;
        known[at] = base[i];
        count += at == count;
        seen[step] = 2 + at;
        /* Past the end and before the beginning there is nothing. */
        assert_false(dxgkmem_sim_cpu_read(rig->sim, base[i] + pages[i] * 4096, &byte, 1));
        assert_false(dxgkmem_sim_cpu_read(rig->sim, base[i] - 1, &byte, 1));
    }
    assert_in_range(count, 1, WINDOWS); /* used again, whoever had them */
    for (unsigned i = 0; i < WINDOWS; i++) {
        if (base[i] != NULL)
            rig->ops->unmap(rig->machine, memory, base[i], pages[i], process[i]);
    }
    destroy(rig, memory);
}

static void real_mappings_have_the_same_slots(void **state)
{
    static uint32_t seen[3][STEPS];
    struct dxgkmem_sim_config config = {
        .range = {{.page = 16, .pages = 64}}, .ranges = 1, .address_bits = 36};
    void *windows = dxgkmem_user_windows_create(36);

    (void)state;
    if (windows == NULL)
        skip();
    for (unsigned i = 0; i < 3; i++) { /* the second machine on the same file is like the first */
        struct rig rig;

        config.windows = i != 0 ? &dxgkmem_user_windows : NULL;
        config.windows_context = i != 0 ? windows : NULL;
        rig = rig_make(&config);
        play_windows(&rig, seen[i]);
        rig_end(&rig);
    }
    assert_memory_equal(seen[0], seen[1], sizeof seen[0]);
    assert_memory_equal(seen[0], seen[2], sizeof seen[0]);
    dxgkmem_user_windows_destroy(windows);
}

#if UINTPTR_MAX > 0xffffffffu

/* A window that fills its slot and the next slot's window: nothing reaches from one into the other. */
static void full_slots_do_not_touch(void **state)
{
    enum { FULL = 1 << 16 };
    struct dxgkmem_sim_config config = {
        .range = {{.page = 16, .pages = 64}, {.page = 0x1000, .pages = 2 * FULL, .io = true}},
        .ranges = 2,
        .address_bits = 36,
    };
    void *windows = dxgkmem_user_windows_create(36);

    (void)state;
    for (unsigned i = 0; i < (windows != NULL ? 2u : 1u); i++) {
        struct rig rig;
        struct dxgkmem_memory *io;

        config.windows = i != 0 ? &dxgkmem_user_windows : NULL;
        config.windows_context = i != 0 ? windows : NULL;
        rig = rig_make(&config);
        io = create_io(&rig, 0x1000, 2 * FULL);
        for (uint64_t pages = FULL - 2; pages <= FULL + 1; pages++) {
            uint8_t *base[3], byte = 0;

            for (unsigned k = 0; k < 3; k++)
                base[k] = map_kernel(&rig, io, k, pages);
            for (unsigned k = 0; k < 3; k++) {
                assert_true(dxgkmem_sim_cpu_write(rig.sim, base[k] + pages * 4096 - 1, &byte, 1));
                assert_false(dxgkmem_sim_cpu_write(rig.sim, base[k] + pages * 4096, &byte, 1));
                assert_false(dxgkmem_sim_cpu_write(rig.sim, base[k] + pages * 4096 - 1, "xy", 2));
            }
            for (unsigned k = 0; k < 3; k++)
                rig.ops->unmap(rig.machine, io, base[k], pages, 0);
        }
        destroy(&rig, io);
        rig_end(&rig);
    }
    dxgkmem_user_windows_destroy(windows);
}

#endif

static void real_mappings_may_be_dereferenced(void **state)
{
    void *windows = dxgkmem_user_windows_create(36);
    struct dxgkmem_sim_config config = {
        .range = {{.page = 16, .pages = 64}},
        .ranges = 1,
        .address_bits = 36,
        .windows = &dxgkmem_user_windows,
        .windows_context = windows,
    };
    struct dxgkmem_sim_translation translation;
    struct dxgkmem_memory *memory;
    struct rig rig;
    uint8_t *base, *other, byte;

    (void)state;
    if (windows == NULL)
        skip();
    rig = rig_make(&config);
    memory = create(&rig, MDL, 4);
    base = map_user(&rig, memory, 0, 4);
    other = map_kernel(&rig, memory, 3, 1);
    base[3 * 4096 + 9] = 77;
    assert_int_equal(other[9], 77);
    assert_true(dxgkmem_sim_cpu_read(rig.sim, other + 9, &byte, 1));
    assert_int_equal(byte, 77);
    assert_true(dxgkmem_sim_cpu_page(rig.sim, 1, base + 3 * 4096, &translation));
    assert_int_equal(translation.page, nth_page(&rig, memory, 3));
    assert_false(dxgkmem_sim_cpu_page(rig.sim, 2, base, &translation));
    rig.ops->unmap(rig.machine, memory, base, 4, 1);
    rig.ops->unmap(rig.machine, memory, other, 1, 0);
    destroy(&rig, memory);
    memory = create(&rig, MDL, 4); /* zeroed, though nobody told the machine of the write */
    base = map_user(&rig, memory, 0, 4);
    for (unsigned i = 0; i < 4 * 4096; i++)
        assert_int_equal(base[i], 0);
    base[0] = 1;
    dxgkmem_sim_reset(rig.sim); /* ends the mapping, forgets the byte */
    memory = create(&rig, MDL, 4);
    base = map_user(&rig, memory, 0, 4);
    for (unsigned i = 0; i < 4 * 4096; i++)
        assert_int_equal(base[i], 0);
    rig.ops->unmap(rig.machine, memory, base, 4, 1);
    destroy(&rig, memory);
    rig_end(&rig);
    dxgkmem_user_windows_destroy(windows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(real_mappings_are_the_same_machine),
        cmocka_unit_test(real_mappings_have_the_same_slots),
#if UINTPTR_MAX > 0xffffffffu
        cmocka_unit_test(full_slots_do_not_touch),
#endif
        cmocka_unit_test(real_mappings_may_be_dereferenced),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
