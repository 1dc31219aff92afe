/* SPDX-License-Identifier: MIT */
/*
 * What the simulated machine notices about those who use it: each rule of host.h
 * broken on purpose, faults by number, and the digest of the state.
 */
#include "test_sim.h"

#include <pthread.h>

/* A small machine with an object, its domain and its mapping, for a rule to be broken. */
struct scene {
    struct rig rig;
    struct dxgkmem_memory *memory; /* three pages, zeroed, not locked */
    struct dxgkmem_domain *domain; /* device 0 is in it */
};

static struct scene scene_make(void)
{
    struct scene scene = {.rig = rig_small(64)};

    scene.memory = create(&scene.rig, CONTIGUOUS, 3);
    scene.domain = domain_with(&scene.rig, 0);
    assert_null(dxgkmem_sim_complaint(scene.rig.sim));
    return scene;
}

static void scene_end(struct scene *scene, const char *complaint)
{
    const char *found = dxgkmem_sim_complaint(scene->rig.sim);

    assert_non_null(found);
    assert_string_equal(found, complaint);
    dxgkmem_sim_reset(scene->rig.sim);
    assert_int_equal(dxgkmem_sim_digest(scene->rig.sim), 0);
    destroy(&scene->rig, create(&scene->rig, CONTIGUOUS, 64)); /* nothing is left of it */
    rig_end(&scene->rig);
}

static struct dxgkmem_run run_of(struct scene *scene, uint64_t first, uint64_t pages)
{
    struct dxgkmem_run run = {nth_page(&scene->rig, scene->memory, first), pages};

    return run;
}

static void broken_rules_of_objects(void **state)
{
    struct dxgkmem_memory_request none = request_of(MDL, 0);
    struct dxgkmem_memory *memory = NULL;
    struct scene s;

    (void)state;
    s = scene_make();
    destroy(&s.rig, s.memory);
    destroy(&s.rig, s.memory);
    scene_end(&s, "an object was destroyed twice");

    s = scene_make();
    (void)map_kernel(&s.rig, s.memory, 0, 1);
    destroy(&s.rig, s.memory);
    scene_end(&s, "an object was destroyed while it was mapped for the CPU");

    s = scene_make();
    lock(&s.rig, s.memory, 2, 1);
    destroy(&s.rig, s.memory);
    scene_end(&s, "an object was destroyed while a page of it was locked");

    s = scene_make();
    expose(&s.rig, s.domain, 1, s.memory, 3, ACCESS_RW);
    unlock(&s.rig, s.memory, 0, 3);
    destroy(&s.rig, s.memory);
    scene_end(&s, "an object was destroyed while a device could reach a page of it");

    s = scene_make();
    expose(&s.rig, s.domain, 1, s.memory, 3, ACCESS_RW);
    assert_true(dxgkmem_sim_dma_write(s.rig.sim, 0, 0x2000, "x", 1));
    unlock(&s.rig, s.memory, 0, 3);
    s.rig.ops->domain_unmap(s.rig.machine, s.domain, 1, 3);
    destroy(&s.rig, s.memory);
    scene_end(&s, "an object was destroyed while the IOTLB held a translation to a page of it");

    s = scene_make();
    destroy(&s.rig, s.memory);
    s.memory = create_io(&s.rig, 0x1004, 8);
    lock(&s.rig, s.memory, 7, 1);
    destroy(&s.rig, s.memory);
    scene_end(&s, "an object was destroyed while a page of it was locked");

    s = scene_make();
    unlock(&s.rig, s.memory, 0, 1);
    scene_end(&s, "a page was unlocked that was not locked");

    s = scene_make();
    assert_int_equal(s.rig.ops->memory_lock(s.rig.machine, s.memory, 1, 3), STATUS_INSUFFICIENT_RESOURCES);
    scene_end(&s, "pages were named that the object does not have");

    s = scene_make();
    destroy(&s.rig, s.memory);
    (void)s.rig.ops->memory_lock(s.rig.machine, s.memory, 0, 1);
    scene_end(&s, "an object was used after memory_destroy");

    s = scene_make();
    s.rig.ops->memory_zero(s.rig.machine, s.memory);
    scene_end(&s, "memory_zero was called twice for an object");

    s = scene_make();
    s.rig.ops->memory_zero(s.rig.machine, create_io(&s.rig, 0x1000, 1));
    scene_end(&s, "memory_zero was called for I/O space");

    s = scene_make();
    (void)nth_page(&s.rig, create(&s.rig, SECTION, 4), 1);
    scene_end(&s, "the run of a section's page was asked for while it was not locked");

    s = scene_make();
    (void)s.rig.ops->memory_create(s.rig.machine, &none, &memory);
    scene_end(&s, "an object of no pages was asked for");
}

static void broken_rules_of_mappings(void **state)
{
    struct dxgkmem_memory_request request = request_of(MDL, 1);
    struct dxgkmem_memory *other;
    struct scene s;
    char *base;

    (void)state;
    s = scene_make();
    (void)map_user(&s.rig, create_as(&s.rig, &request), 0, 1);
    scene_end(&s, "an object was mapped for the CPU before memory_zero");

    s = scene_make();
    base = map_user(&s.rig, s.memory, 0, 2);
    s.rig.ops->unmap(s.rig.machine, s.memory, base + 4096, 1, 1);
    scene_end(&s, "a CPU mapping was unmapped that does not exist");

    s = scene_make();
    base = map_user(&s.rig, s.memory, 0, 2);
    s.rig.ops->unmap(s.rig.machine, s.memory, base, 2, 1);
    s.rig.ops->unmap(s.rig.machine, s.memory, base, 2, 1);
    scene_end(&s, "a CPU mapping was unmapped that does not exist");

    s = scene_make();
    s.rig.ops->unmap(s.rig.machine, s.memory, NULL, 2, 1);
    scene_end(&s, "a CPU mapping was unmapped that does not exist");

    s = scene_make();
    base = map_kernel(&s.rig, s.memory, 0, 2);
    s.rig.ops->unmap(s.rig.machine, s.memory, base, 1, 0);
    assert_int_equal(dxgkmem_sim_mappings(s.rig.sim, 0), 1);
    scene_end(&s, "a CPU mapping was unmapped with a wrong size");

    s = scene_make();
    base = map_user(&s.rig, s.memory, 0, 2);
    s.rig.ops->unmap(s.rig.machine, s.memory, base, 2, 2);
    scene_end(&s, "a CPU mapping was unmapped for the wrong process");

    s = scene_make();
    base = map_kernel(&s.rig, s.memory, 0, 2);
    s.rig.ops->unmap(s.rig.machine, s.memory, base, 2, 1);
    scene_end(&s, "a CPU mapping was unmapped for the wrong process");

    s = scene_make();
    other = create(&s.rig, MDL, 2);
    base = map_kernel(&s.rig, s.memory, 0, 2);
    s.rig.ops->unmap(s.rig.machine, other, base, 2, 0);
    scene_end(&s, "a CPU mapping of another object was unmapped");
}

static void broken_rules_of_domains(void **state)
{
    struct dxgkmem_memory_request request = request_of(MDL, 1);
    struct dxgkmem_memory *memory;
    struct dxgkmem_domain *other;
    struct dxgkmem_run run = {0x1000, 1};
    uint64_t number, logical;
    struct scene s;

    (void)state;
    s = scene_make();
    expose(&s.rig, s.domain, 1, s.memory, 3, ACCESS_RW);
    assert_int_equal(s.rig.ops->domain_map(s.rig.machine, s.domain, 3, run_of(&s, 0, 1), ACCESS_RW),
                     STATUS_SUCCESS);
    scene_end(&s, "a logical page was mapped twice");

    s = scene_make();
    s.rig.ops->domain_unmap(s.rig.machine, s.domain, 1, 1);
    scene_end(&s, "a logical page was unmapped that was not mapped");

    s = scene_make();
    (void)s.rig.ops->domain_map(s.rig.machine, s.domain, 1, run_of(&s, 0, 1), ACCESS_RW);
    scene_end(&s, "a page was mapped for a device while it was not locked");

    s = scene_make();
    memory = create_as(&s.rig, &request);
    lock(&s.rig, memory, 0, 1);
    run.page = nth_page(&s.rig, memory, 0);
    (void)s.rig.ops->domain_map(s.rig.machine, s.domain, 1, run, ACCESS_RW);
    scene_end(&s, "a page was mapped for a device before memory_zero");

    s = scene_make();
    run.page = 16 + 63;
    (void)s.rig.ops->domain_map(s.rig.machine, s.domain, 1, run, ACCESS_RW);
    scene_end(&s, "a page that belongs to no object was mapped for a device");

    s = scene_make();
    run.page = (uint64_t)1 << 24;
    assert_int_equal(s.rig.ops->domain_map(s.rig.machine, s.domain, 1, run, ACCESS_RW),
                     STATUS_INSUFFICIENT_RESOURCES);
    scene_end(&s, "pages beyond the physical address width were mapped for a device");

    s = scene_make();
    run.page = 0x1000;
    run.pages = 2;
    assert_int_equal(s.rig.ops->domain_map(s.rig.machine, s.domain, ((uint64_t)1 << 52) - 1, run, ACCESS_RW),
                     STATUS_INSUFFICIENT_RESOURCES);
    scene_end(&s, "logical pages were named that do not exist");

    s = scene_make();
    expose(&s.rig, s.domain, 1, s.memory, 3, ACCESS_RW);
    s.rig.ops->domain_detach(s.rig.machine, s.domain, 0);
    s.rig.ops->domain_destroy(s.rig.machine, s.domain);
    unlock(&s.rig, s.memory, 0, 3);
    destroy(&s.rig, s.memory); /* no second complaint that would be the first of another rule */
    assert_int_equal(dxgkmem_sim_digest(s.rig.sim), 0);
    scene_end(&s, "a domain was destroyed while pages were mapped in it");

    s = scene_make();
    s.rig.ops->domain_destroy(s.rig.machine, s.domain);
    assert_false(dxgkmem_sim_dma_read(s.rig.sim, 0, 0, &number, 1));
    scene_end(&s, "a domain was destroyed while a device was in it");

    s = scene_make();
    expose(&s.rig, s.domain, 1, s.memory, 3, ACCESS_RW);
    assert_true(dxgkmem_sim_dma_write(s.rig.sim, 0, 0x1000, "x", 1));
    s.rig.ops->domain_unmap(s.rig.machine, s.domain, 1, 3);
    domain_end(&s.rig, s.domain, 0);
    assert_true(dxgkmem_sim_stale_iotlb(s.rig.sim, &number, &logical));
    scene_end(&s, "a domain was destroyed while the IOTLB held translations of it");

    s = scene_make();
    domain_end(&s.rig, s.domain, 0);
    s.rig.ops->domain_flush(s.rig.machine, s.domain, 1, 1);
    scene_end(&s, "a domain was used after domain_destroy");

    s = scene_make();
    assert_int_equal(s.rig.ops->domain_create(s.rig.machine, &other), STATUS_SUCCESS);
    assert_int_equal(s.rig.ops->domain_attach(s.rig.machine, other, 0), STATUS_INSUFFICIENT_RESOURCES);
    scene_end(&s, "a device was attached while it was in a domain");

    s = scene_make();
    assert_int_equal(s.rig.ops->domain_attach(s.rig.machine, s.domain, 16), STATUS_INSUFFICIENT_RESOURCES);
    scene_end(&s, "a device was attached that the machine does not have");

    s = scene_make();
    s.rig.ops->domain_detach(s.rig.machine, s.domain, 1);
    scene_end(&s, "a device was detached from a domain it was not in");
}

static void the_first_complaint_stays(void **state)
{
    struct scene s = scene_make();

    (void)state;
    unlock(&s.rig, s.memory, 0, 1);
    destroy(&s.rig, s.memory);
    destroy(&s.rig, s.memory);
    scene_end(&s, "a page was unlocked that was not locked");
}

/* -- faults --------------------------------------------------------------------------- */

/* Every fallible function once, in a fixed order; says which of them failed (from 1), and with what. */
static unsigned all_fallible(struct rig *rig, NTSTATUS *status)
{
    struct dxgkmem_memory_request request = request_of(MDL, 2);
    struct dxgkmem_memory *memory = NULL;
    struct dxgkmem_domain *domain = NULL;
    unsigned failed = 0;
    void *base;

    *status = STATUS_SUCCESS;
    if (!rig->ops->may_allocate(rig->machine))
        return 1;
    *status = rig->ops->memory_create(rig->machine, &request, &memory);
    if (!NT_SUCCESS(*status))
        return 2;
    rig->ops->memory_zero(rig->machine, memory);
    *status = rig->ops->memory_lock(rig->machine, memory, 0, 2);
    if (!NT_SUCCESS(*status)) {
        failed = 3;
        goto destroy;
    }
    *status = rig->ops->map(rig->machine, memory, 0, 2, DXGK_ACCESS_MODE_KERNEL_MODE, ACCESS_RW, &base);
    if (!NT_SUCCESS(*status)) {
        failed = 4;
        goto unlock;
    }
    *status = rig->ops->domain_create(rig->machine, &domain);
    if (!NT_SUCCESS(*status)) {
        failed = 5;
        goto unmap;
    }
    *status = rig->ops->domain_attach(rig->machine, domain, 4);
    if (!NT_SUCCESS(*status)) {
        failed = 6;
        goto destroy_domain;
    }
    *status = rig->ops->domain_map(rig->machine, domain, 9, rig->ops->memory_run(rig->machine, memory, 0),
                                   ACCESS_RW);
    if (NT_SUCCESS(*status)) {
        rig->ops->domain_unmap(rig->machine, domain, 9, 1);
        rig->ops->domain_flush(rig->machine, domain, 9, 1);
    } else {
        failed = 7;
    }
    rig->ops->domain_detach(rig->machine, domain, 4);
destroy_domain:
    rig->ops->domain_destroy(rig->machine, domain);
unmap:
    rig->ops->unmap(rig->machine, memory, base, 2, 0);
unlock:
    rig->ops->memory_unlock(rig->machine, memory, 0, 2);
destroy:
    rig->ops->memory_destroy(rig->machine, memory);
    return failed;
}

static void faults_by_number(void **state)
{
    struct rig rig = rig_small(64);
    NTSTATUS status;

    (void)state;
    for (unsigned nth = 1; nth <= 7; nth++) {
        dxgkmem_sim_fail_at(rig.sim, nth);
        assert_int_equal(all_fallible(&rig, &status), nth);
        assert_int_equal(status, nth == 1   ? STATUS_SUCCESS
                                 : nth == 2 ? STATUS_NO_MEMORY
                                            : STATUS_INSUFFICIENT_RESOURCES);
        assert_true(dxgkmem_sim_fault_fired(rig.sim));
        assert_int_equal(dxgkmem_sim_fallible_calls(rig.sim), nth);
        assert_int_equal(dxgkmem_sim_digest(rig.sim), 0); /* clean failure */
        assert_int_equal(all_fallible(&rig, &status), 0); /* once */
        assert_int_equal(dxgkmem_sim_fallible_calls(rig.sim), nth + 7);
    }
    for (unsigned then = 1; then <= 7; then++) { /* the 3rd call, and the then-th after it */
        dxgkmem_sim_fail_at(rig.sim, 3);
        dxgkmem_sim_fail_then(rig.sim, then);
        assert_int_equal(all_fallible(&rig, &status), 3);
        assert_int_equal(all_fallible(&rig, &status), then);
        assert_int_equal(dxgkmem_sim_fault_fired(rig.sim), 2);
        assert_int_equal(dxgkmem_sim_digest(rig.sim), 0);
        assert_int_equal(all_fallible(&rig, &status), 0);
    }
    dxgkmem_sim_fail_at(rig.sim, 8);
    assert_int_equal(all_fallible(&rig, &status), 0);
    assert_false(dxgkmem_sim_fault_fired(rig.sim));
    assert_int_equal(all_fallible(&rig, &status), 1);
    dxgkmem_sim_fail_at(rig.sim, 3);
    dxgkmem_sim_fail_at(rig.sim, 0);
    assert_int_equal(all_fallible(&rig, &status), 0);
    rig_end(&rig);
}

/* -- digest and changes ------------------------------------------------------------------ */

/* Each step of use changes the digest, each undoing brings the earlier one back. */
static void the_digest_is_that_of_the_state(void **state)
{
    static const DXGK_PHYSICAL_MEMORY_TYPE types[] = {MDL, CONTIGUOUS, SECTION, IO_SPACE};
    struct rig rig = rig_small(64);
    uint64_t digest[8], changes = 0;
    void *base;

    (void)state;
#define STEP(i)                                                                                              \
    do {                                                                                                     \
        digest[i] = dxgkmem_sim_digest(rig.sim);                                                             \
        assert_true(dxgkmem_sim_changes(rig.sim) > changes);                                                 \
        changes = dxgkmem_sim_changes(rig.sim);                                                              \
        for (int before = 0; before < (i); before++)                                                         \
            assert_true(digest[before] != digest[i]);                                                        \
    } while (0)
#define BACK(i) assert_int_equal(dxgkmem_sim_digest(rig.sim), digest[i])
    for (unsigned round = 0; round < 8; round++) {
        struct dxgkmem_memory *other = create(&rig, MDL, 1 + round), *memory;
        struct dxgkmem_domain *domain;

        STEP(0);
        memory =
            types[round % 4] == IO_SPACE ? create_io(&rig, 0x1010, 3) : create(&rig, types[round % 4], 3);
        STEP(1);
        lock(&rig, memory, 0, 2);
        STEP(2);
        lock(&rig, memory, 1, 1);
        STEP(3);
        base = map_user(&rig, memory, 1, 2);
        STEP(4);
        assert_int_equal(rig.ops->domain_create(rig.machine, &domain), STATUS_SUCCESS);
        STEP(5);
        assert_int_equal(rig.ops->domain_attach(rig.machine, domain, 1), STATUS_SUCCESS);
        STEP(6);
        assert_int_equal(rig.ops->domain_map(rig.machine, domain, 7,
                                             (struct dxgkmem_run){nth_page(&rig, memory, 0), 1}, ACCESS_RW),
                         STATUS_SUCCESS);
        STEP(7);
        assert_true(dxgkmem_sim_dma_write(rig.sim, 1, 0x7000, "x", 1));
        BACK(7);
        assert_true(dxgkmem_sim_changes(rig.sim) > changes);
        rig.ops->domain_unmap(rig.machine, domain, 7, 1);
        rig.ops->domain_flush(rig.machine, domain, 7, 1);
        BACK(6);
        rig.ops->domain_detach(rig.machine, domain, 1);
        BACK(5);
        rig.ops->domain_destroy(rig.machine, domain);
        BACK(4);
        rig.ops->unmap(rig.machine, memory, base, 2, 1);
        BACK(3);
        unlock(&rig, memory, 1, 1);
        BACK(2);
        unlock(&rig, memory, 0, 2);
        BACK(1);
        destroy(&rig, memory);
        BACK(0);
        destroy(&rig, other);
        changes = dxgkmem_sim_changes(rig.sim);
    }
    rig_end(&rig);
}

static void looking_changes_nothing(void **state)
{
    struct rig rig = rig_small(64);
    struct dxgkmem_memory *memory = create(&rig, MDL, 3);
    struct dxgkmem_domain *domain = domain_with(&rig, 0);
    struct dxgkmem_memory_request request = request_of(MDL, 61);
    struct dxgkmem_sim_translation translation;
    uint64_t changes, digest, number, logical;
    uint32_t value;
    void *base = map_user(&rig, memory, 0, 3);

    (void)state;
    expose(&rig, domain, 1, memory, 3, ACCESS_RW);
    changes = dxgkmem_sim_changes(rig.sim);
    digest = dxgkmem_sim_digest(rig.sim);
    dxgkmem_sim_fail_at(rig.sim, 1); /* which the oracle must not use up */
    for (unsigned i = 0; i < 3; i++) {
        assert_true(dxgkmem_sim_could_create(rig.sim, &request));
        assert_true(dxgkmem_sim_device_page(rig.sim, 0, 2, &translation));
        assert_true(dxgkmem_sim_cpu_page(rig.sim, 1, base, &translation));
        assert_true(dxgkmem_sim_cpu_read(rig.sim, base, &value, sizeof value));
        assert_false(dxgkmem_sim_stale_iotlb(rig.sim, &number, &logical));
        assert_int_equal(dxgkmem_sim_device_pages(rig.sim, 0), 3);
    }
    assert_int_equal(dxgkmem_sim_changes(rig.sim), changes);
    assert_int_equal(dxgkmem_sim_digest(rig.sim), digest);
    assert_int_equal(dxgkmem_sim_fallible_calls(rig.sim), 0);
    dxgkmem_sim_fail_at(rig.sim, 0);
    rig.ops->unmap(rig.machine, memory, base, 3, 1);
    withdraw(&rig, domain, 1, memory, 3);
    destroy(&rig, memory);
    domain_end(&rig, domain, 0);
    rig_end(&rig);
}

/* -- threads ------------------------------------------------------------------------------- */

#define THREADS 4
#define ROUNDS 4000

struct worker {
    struct rig *rig;
    struct dxgkmem_domain *domain;
    unsigned number;
    unsigned wrong;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct rig *rig = worker->rig;
    const struct dxgkmem_machine_ops *ops = rig->ops;
    uint64_t logical = 1000 + worker->number * 700;

    for (unsigned round = 0; round < ROUNDS; round++) {
        struct dxgkmem_memory_request request = request_of(round % 3 == 0 ? CONTIGUOUS : MDL, 1 + round % 4);
        struct dxgkmem_memory *memory = NULL;
        uint32_t wrote = round ^ worker->number << 24, read = 0;
        void *base = NULL;

        if (!NT_SUCCESS(ops->memory_create(rig->machine, &request, &memory)))
            continue; /* RAM is short on purpose */
        ops->memory_zero(rig->machine, memory);
        (void)ops->memory_lock(rig->machine, memory, 0, request.pages);
        for (uint64_t i = 0; i < request.pages; i++) {
            struct dxgkmem_run run = {ops->memory_run(rig->machine, memory, i).page, 1};

            (void)ops->domain_map(rig->machine, worker->domain, logical + i, run, ACCESS_RW);
        }
        (void)ops->map(rig->machine, memory, 0, request.pages, DXGK_ACCESS_MODE_USER_MODE, ACCESS_RW, &base);
        worker->wrong +=
            !dxgkmem_sim_dma_read(rig->sim, 0, logical * 4096 + 8, &read, sizeof read) || read != 0;
        worker->wrong += !dxgkmem_sim_dma_write(rig->sim, 0, logical * 4096 + 8, &wrote, sizeof wrote);
        worker->wrong +=
            !dxgkmem_sim_cpu_read(rig->sim, (char *)base + 8, &read, sizeof read) || read != wrote;
        ops->unmap(rig->machine, memory, base, request.pages, 1);
        ops->domain_unmap(rig->machine, worker->domain, logical, request.pages);
        ops->domain_flush(rig->machine, worker->domain, logical, request.pages);
        worker->wrong += dxgkmem_sim_dma_read(rig->sim, 0, logical * 4096, &read, sizeof read);
        ops->memory_unlock(rig->machine, memory, 0, request.pages);
        ops->memory_destroy(rig->machine, memory);
    }
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    struct rig rig = rig_small(12);
    struct dxgkmem_domain *domain = domain_with(&rig, 0);
    struct worker worker[THREADS];
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        worker[i] = (struct worker){&rig, domain, i, 0};
        assert_int_equal(pthread_create(&thread[i], NULL, work, &worker[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(thread[i], NULL), 0);
        assert_int_equal(worker[i].wrong, 0);
    }
    assert_int_equal(dxgkmem_sim_free_pages(rig.sim), 12);
    destroy(&rig, create(&rig, CONTIGUOUS, 12));
    domain_end(&rig, domain, 0);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_rules_of_objects), cmocka_unit_test(broken_rules_of_mappings),
        cmocka_unit_test(broken_rules_of_domains), cmocka_unit_test(the_first_complaint_stays),
        cmocka_unit_test(faults_by_number),        cmocka_unit_test(the_digest_is_that_of_the_state),
        cmocka_unit_test(looking_changes_nothing), cmocka_unit_test(threads_do_not_disturb_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
