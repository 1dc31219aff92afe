/* SPDX-License-Identifier: MIT */
/*
 * The Windows machine by itself, on the stand-in kernel of tests/kernel/fake, which stops the test when a
 * documented rule of a routine is broken; and that it does.
 */
#include "test_nt.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static void test_config(void **state)
{
    struct nt_machine_config config = {.address_bits = 31};
    struct nt_machine *other;
    struct dxgkmem_domain *domain;

    (void)state;
    assert_int_equal(nt_machine_create(&config, &other), STATUS_INVALID_PARAMETER);
    config.address_bits = 53;
    assert_int_equal(nt_machine_create(&config, &other), STATUS_INVALID_PARAMETER);
    assert_null(other);
    config.address_bits = 52;
    assert_int_equal(nt_machine_create(&config, &other), STATUS_SUCCESS);
    struct dxgkmem_machine *without = nt_machine_of(other);
    assert_int_equal(without->ops->highest_page(without), ((uint64_t)1 << 40) - 1);
    assert_int_equal(without->ops->domain_create(without, &domain), STATUS_NOT_SUPPORTED);
    nt_machine_destroy(other);
#if defined(__x86_64__)
    config.address_bits = 0;
    assert_int_equal(nt_machine_create(&config, &other), STATUS_SUCCESS);
    assert_true(nt_machine_of(other)->ops->highest_page(nt_machine_of(other)) >= 0xfffff);
    nt_machine_destroy(other);
#endif
}

static void test_ram(void **state)
{
    (void)state;
    assert_int_equal(machine->ops->highest_ram_page(machine), FAKE_RAM_HIGH_END - 1);
    static const struct {
        struct dxgkmem_run run;
        bool ram;
    } runs[] = {
        {{0, FAKE_RAM_LOW}, false},
        {{0, FAKE_RAM_LOW + 1}, true},
        {{FAKE_RAM_LOW_END - 1, 1}, true},
        {{FAKE_RAM_LOW_END, FAKE_RAM_HIGH - FAKE_RAM_LOW_END}, false},
        {{FAKE_RAM_LOW_END, FAKE_RAM_HIGH - FAKE_RAM_LOW_END + 1}, true},
        {{FAKE_RAM_HIGH_END - 1, 5}, true},
        {{FAKE_RAM_HIGH_END, 1000}, false},
        {{0, (uint64_t)1 << (BITS - 12)}, true},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        assert_int_equal(machine->ops->touches_ram(machine, runs[i].run), runs[i].ram);
    /* Without an answer it is cautious. */
    fake_fail_at(1);
    assert_true(machine->ops->touches_ram(machine, runs[0].run));
    fake_fail_at(1);
    assert_int_equal(machine->ops->highest_ram_page(machine), ((uint64_t)1 << (BITS - 12)) - 1);
    fake_set_irql(1);
    assert_int_equal(machine->ops->irql(machine), 1);
    assert_false(machine->ops->touches_ram(machine, runs[0].run));
    fake_set_process(3);
    assert_int_equal(machine->ops->process(machine), 3);
}

/* The pages of an object, from its runs. */
static void pages_of(struct dxgkmem_memory *memory, uint64_t pages, uint64_t *page)
{
    for (uint64_t at = 0; at < pages;) {
        struct dxgkmem_run run = machine->ops->memory_run(machine, memory, at);

        assert_true(run.pages > 0 && at + run.pages <= pages);
        for (uint64_t i = 0; i < run.pages; i++)
            page[at++] = run.page + i;
    }
}

static void test_mdl(void **state)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_MDL, 8);
    struct dxgkmem_memory *memory;
    uint64_t page[64];

    (void)state;
    request.lowest_page = 100;
    request.highest_page = 120;
    memory = create(&request);
    pages_of(memory, 8, page);
    for (unsigned i = 0; i < 8; i++)
        assert_in_range(page[i], 100, 120);
    assert_int_not_equal(page[1], page[0] + 1); /* scattered, or this tests little */
    machine->ops->memory_destroy(machine, memory);

    /* All or none. */
    request.pages = 22;
    assert_int_equal(machine->ops->memory_create(machine, &request, &memory), STATUS_NO_MEMORY);
    request.skip_pages = 21;
    memory = create(&request);
    pages_of(memory, 22, page);
    assert_in_range(page[21], 121, 141);
    machine->ops->memory_destroy(machine, memory);

    /* Chunks: each aligned and in one piece. One whole piece needs no alignment. */
    request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_MDL, 64);
    request.chunk_pages = 16;
    memory = create(&request);
    pages_of(memory, 64, page);
    for (unsigned i = 0; i < 64; i++)
        assert_int_equal(page[i], page[i & ~15u] + (i & 15));
    for (unsigned i = 0; i < 64; i += 16)
        assert_int_equal(page[i] % 16, 0);
    machine->ops->memory_destroy(machine, memory);
    request.chunk_pages = DXGKMEM_CHUNK_WHOLE;
    request.pages = 61;
    memory = create(&request);
    assert_int_equal(machine->ops->memory_run(machine, memory, 0).pages, 61);
    machine->ops->memory_destroy(machine, memory);

    request.pages = 0x100000; /* 4 GB: an MDL cannot say that */
    assert_int_equal(machine->ops->memory_create(machine, &request, &memory), STATUS_INSUFFICIENT_RESOURCES);
}

static void test_contiguous(void **state)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY, 12);
    struct dxgkmem_memory *memory;
    struct dxgkmem_run run;

    (void)state;
    request.lowest_page = 1000;
    request.boundary_pages = 16;
    memory = create(&request);
    run = machine->ops->memory_run(machine, memory, 0);
    assert_int_equal(run.pages, 12);
    assert_in_range(run.page, 1000, FAKE_RAM_LOW_END);
    assert_int_equal(run.page / 16, (run.page + 11) / 16);
    run = machine->ops->memory_run(machine, memory, 5);
    assert_int_equal(run.pages, 7);
    for (uint64_t i = 0; i < 12 * 4096; i++)
        assert_int_equal(fake_page(run.page - 5)[i], 0);
    machine->ops->memory_destroy(machine, memory);
    request.highest_page = 1005;
    assert_int_equal(machine->ops->memory_create(machine, &request, &memory), STATUS_NO_MEMORY);
}

static void test_section_locks(void **state)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 20);
    struct dxgkmem_memory *memory = create(&request);
    struct dxgkmem_run run;

    (void)state;
    /* Counted, and each lock is undone by itself. */
    assert_int_equal(machine->ops->memory_lock(machine, memory, 2, 6), STATUS_SUCCESS);
    assert_int_equal(machine->ops->memory_lock(machine, memory, 4, 10), STATUS_SUCCESS);
    assert_int_equal(machine->ops->memory_lock(machine, memory, 2, 6), STATUS_SUCCESS);
    run = machine->ops->memory_run(machine, memory, 5);
    machine->ops->memory_unlock(machine, memory, 2, 6);
    assert_int_equal(machine->ops->memory_run(machine, memory, 5).page, run.page);
    machine->ops->memory_unlock(machine, memory, 4, 10);
    assert_int_equal(machine->ops->memory_run(machine, memory, 5).page, run.page);
    machine->ops->memory_unlock(machine, memory, 2, 6);
    fake_set_irql(1);
    assert_int_equal(machine->ops->memory_lock(machine, memory, 0, 20), STATUS_SUCCESS);
    machine->ops->memory_unlock(machine, memory, 0, 20);
    /* ZwCreateSection wants PASSIVE_LEVEL, and core may be called at APC_LEVEL. */
    struct dxgkmem_memory *other;
    assert_int_equal(machine->ops->memory_create(machine, &request, &other), STATUS_INSUFFICIENT_RESOURCES);
    machine->ops->memory_destroy(machine, memory);
    fake_set_irql(0);
}

static void test_object_attributes(void **state)
{
    OBJECT_ATTRIBUTES attributes = {0};
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 1);

    (void)state;
    request.object_attributes = &attributes;
    machine->ops->memory_destroy(machine, create(&request));
    assert_int_equal(attributes.Attributes, 0); /* the driver's are not written to */
}

static const DXGK_PHYSICAL_MEMORY_TYPE types[] = {DXGK_PHYSICAL_MEMORY_TYPE_MDL,
                                                  DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY,
                                                  DXGK_PHYSICAL_MEMORY_TYPE_SECTION};

/* One memory on every path; each mapping has its own addresses, exactly its pages, the object's cache type. */
static void test_mappings(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        struct dxgkmem_memory_request request = request_of(types[i], 6);
        struct dxgkmem_memory *memory = create(&request);
        uint64_t page[6];

        assert_int_equal(machine->ops->memory_lock(machine, memory, 0, 6), STATUS_SUCCESS);
        pages_of(memory, 6, page);
        fake_set_process(2);
        uint8_t *one = map(memory, 1, 3, KERNEL, READ_WRITE), *two = map(memory, 1, 3, KERNEL, READ_WRITE),
                *user = map(memory, 2, 2, USER, READ_WRITE);
        assert_ptr_not_equal(one, two);
        const struct fake_mapping *made = fake_mapping_at(user);
        assert_non_null(made);
        assert_int_equal(made->mode, UserMode);
        assert_int_equal(made->process, 2);
        assert_int_equal(made->pages, 2);
        assert_int_equal(made->cache, (MEMORY_CACHING_TYPE)request.cache);
        assert_true(made->writable && !made->executable);
        for (unsigned k = 0; k < 3 * 4096; k += 512)
            assert_int_equal(one[k], 0);
        one[4096 + 5] = 42;
        assert_int_equal(two[4096 + 5], 42);
        assert_int_equal(user[5], 42);
        assert_int_equal(fake_page(page[2])[5], 42);

        /* A user mapping ends in its process, whoever ends it. */
        fake_set_process(1);
        unmap(memory, user, 2, 2);
        assert_int_equal(PsGetCurrentProcessId() == (HANDLE)1, 1);
        unmap(memory, one, 3, 0);
        assert_null(fake_mapping_at(one));
        assert_non_null(fake_mapping_at(two));
        unmap(memory, two, 3, 0);
        machine->ops->memory_unlock(machine, memory, 0, 6);
        machine->ops->memory_destroy(machine, memory);
    }
}

static void test_protections(void **state)
{
    static const struct {
        uint32_t protection;
        unsigned access;
    } kinds[] = {{PAGE_READONLY, DXGKMEM_ACCESS_READ},
                 {PAGE_WRITECOPY, DXGKMEM_ACCESS_READ},
                 {PAGE_EXECUTE, DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_EXECUTE},
                 {PAGE_READWRITE, READ_WRITE}};

    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 2);

        request.page_protection = kinds[i].protection;
        struct dxgkmem_memory *memory = create(&request);
        for (unsigned mode = 0; mode < 2; mode++) {
            void *base = map(memory, 0, 2, mode ? USER : KERNEL, kinds[i].access);
            const struct fake_mapping *made = fake_mapping_at(base);
            assert_int_equal(made->writable, (kinds[i].access & DXGKMEM_ACCESS_WRITE) != 0);
            assert_int_equal(made->executable, (kinds[i].access & DXGKMEM_ACCESS_EXECUTE) != 0);
            unmap(memory, base, 2, mode ? 1 : 0);
        }
        machine->ops->memory_destroy(machine, memory);
    }
}

static void test_io(void **state)
{
    static const DXGK_MEMORY_CACHING_TYPE caches[] = {DXGK_MEMORY_CACHING_TYPE_NON_CACHED,
                                                      DXGK_MEMORY_CACHING_TYPE_CACHED,
                                                      DXGK_MEMORY_CACHING_TYPE_WRITE_COMBINED};
    void *base;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE, 5);

        request.cache = caches[i];
        struct dxgkmem_memory *memory = create(&request);
        struct dxgkmem_run run = machine->ops->memory_run(machine, memory, 2);
        assert_int_equal(run.page, IO_PAGE + 2);
        assert_int_equal(run.pages, 3);
        base = map(memory, 1, 4, KERNEL, READ_WRITE);
        assert_int_equal(fake_mapping_at(base)->cache, (MEMORY_CACHING_TYPE)caches[i]);
        assert_int_equal(fake_mapping_at(base)->pages, 4);
        unmap(memory, base, 4, 0);
        /* Core refuses it before; so does the machine. */
        assert_int_equal(machine->ops->map(machine, memory, 0, 5, USER, READ_WRITE, &base),
                         STATUS_INSUFFICIENT_RESOURCES);
        machine->ops->memory_destroy(machine, memory);
    }
}

/* -- that the stand-in looks --------------------------------------------------------------------------- */

static void break_irql(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_MDL, 1);

    fake_set_irql(2);
    create(&request);
}

static void break_pages_mapped(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_MDL, 2);
    struct dxgkmem_memory *memory = create(&request);

    map(memory, 0, 1, KERNEL, READ_WRITE);
    machine->ops->memory_destroy(machine, memory);
}

static void break_section_locked(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 2);
    struct dxgkmem_memory *memory = create(&request);

    machine->ops->memory_lock(machine, memory, 0, 1);
    machine->ops->memory_destroy(machine, memory);
}

static void break_io_over_ram(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE, 2);

    request.lowest_page = FAKE_RAM_LOW - 1;
    map(create(&request), 0, 2, KERNEL, READ_WRITE);
}

static void break_unmapped_twice(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY, 2);
    struct dxgkmem_memory *memory = create(&request);
    void *base = map(memory, 0, 1, KERNEL, READ_WRITE);

    unmap(memory, base, 1, 0);
    unmap(memory, base, 1, 0);
}

static void break_writable_over_read_only(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 2);

    request.page_protection = PAGE_READONLY;
    map(create(&request), 0, 1, KERNEL, READ_WRITE);
}

static void break_unlocked_twice(void)
{
    struct dxgkmem_memory_request request = request_of(DXGK_PHYSICAL_MEMORY_TYPE_SECTION, 2);
    struct dxgkmem_memory *memory = create(&request);

    machine->ops->memory_lock(machine, memory, 0, 2);
    machine->ops->memory_unlock(machine, memory, 0, 2);
    machine->ops->memory_unlock(machine, memory, 0, 2);
}

static void test_rules(void **state)
{
    static void (*const mistakes[])(void) = {break_irql,           break_pages_mapped,
                                             break_section_locked, break_io_over_ram,
                                             break_unmapped_twice, break_writable_over_read_only,
                                             break_unlocked_twice};

    (void)state;
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            signal(SIGABRT, SIG_DFL); /* cmocka would print and go on */
            (void)freopen("/dev/null", "w", stderr);
            mistakes[i]();
            _exit(0);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT)
            fail_msg("mistake %zu went unnoticed", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_config, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ram, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mdl, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_contiguous, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_section_locks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_object_attributes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_mappings, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_protections, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_io, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_rules, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
