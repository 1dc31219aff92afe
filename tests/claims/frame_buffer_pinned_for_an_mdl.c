/* SPDX-License-Identifier: MIT */
/*
 * Claim: what PinFrameBufferForSave pins all devices of the chain reach from the pin to the unpin, by the pages that
 * its MDL names; the memory is zero when first seen, and what is written there stays; whatever the driver does to the MDL, and
 * whatever the host fails at, nothing of the pin stays.
 */
#include "tests/support/world.h"

#define PAGES 3u

static bool reads(uint64_t device, uint64_t page, uint64_t *word)
{
    return dxgkmem_sim_dma_read(world.sim, device, page << 12, word, sizeof(*word));
}

static void reached(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    ULONG_PTR page[PAGES];
    struct dxgkmem_mdl *mdl;
    uint64_t word;
    (void)state;
    config.link_to = world.adapter;
    (void)adapter_add(&config);
    for (unsigned round = 0; round < 4; round++) {
        assert_int_equal(try_pin_mdl(world.adapter, round % 2, PAGES * PAGE, &mdl), STATUS_SUCCESS);
        assert_int_equal(mdl->ByteCount, PAGES * PAGE);
        assert_int_equal(mdl->ByteOffset, 0);
        assert_int_equal(mdl->MdlFlags, DXGKMEM_MDL_PAGES_LOCKED);
        assert_null(mdl->MappedSystemVa);
        memcpy(page, dxgkmem_mdl_pages(mdl), sizeof(page));
        for (unsigned i = 0; i < PAGES; i++) {
            word = 1;
            assert_true(reads(round % 2, page[i], &word));
            assert_int_equal(word, round < 2 ? 0 : round - 1); /* what the last round but one left */
            word = round + 1;
            assert_true(dxgkmem_sim_dma_write(world.sim, 0, (uint64_t)page[i] << 12, &word, sizeof(word)));
        }
        (void)state_now();                              /* audits */
        memset(mdl, 0xff, sizeof(*mdl) + sizeof(page)); /* is not looked at */
        assert_int_equal(try_unpin(world.adapter, round % 2), STATUS_SUCCESS);
        for (unsigned i = 0; i < PAGES; i++) {
            assert_false(reads(0, page[i], &word));
            assert_false(reads(1, page[i], &word));
            assert_true(dxgkmem_sim_is_allocated(world.sim, page[i])); /* for what is saved */
        }
    }
    expect_no_violation();
}

/* One at a time, by whichever call. */
static void pinned_once(void **state)
{
    struct dxgkmem_mdl *mdl, *again;
    uint64_t made;
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &mdl), STATUS_SUCCESS);
    made = last_operation();
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &adl), STATUS_INVALID_DEVICE_STATE);
    expect_violation(DXGKMEM_VIOLATION_PINNED_TWICE, world.adapter, made, DXGKMEM_CALL_PIN_MDL);
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &again), STATUS_INVALID_DEVICE_STATE);
    expect_violation(DXGKMEM_VIOLATION_PINNED_TWICE, world.adapter, made, DXGKMEM_CALL_PIN_MDL);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(try_pin(world.adapter, 0, PAGE, 0, &adl), STATUS_SUCCESS);
    made = last_operation();
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &mdl), STATUS_INVALID_DEVICE_STATE);
    expect_violation(DXGKMEM_VIOLATION_PINNED_TWICE, world.adapter, made, DXGKMEM_CALL_PIN);
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    expect_no_violation();
}

/* Pages of a save area are never the driver's own: no other mapping outlives the pin, or comes after it. */
static void no_other_way(void **state)
{
    struct {
        struct dxgkmem_mdl header;
        ULONG_PTR page;
    } copy;
    struct dxgkmem_mdl *mdl;
    HANDLE memory;
    uint64_t word;
    (void)state;
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &mdl), STATUS_SUCCESS);
    memcpy(&copy, mdl, sizeof(copy));
    assert_int_equal(try_map_mdl(world.adapter, mdl, &memory), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    assert_true(reads(0, copy.page, &word));
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_int_equal(try_map_mdl(world.adapter, &copy, &memory), STATUS_INVALID_PARAMETER);
    (void)expect_code(DXGKMEM_VIOLATION_MDL_PAGE_NOT_HELD);
    assert_false(reads(0, copy.page, &word));
    expect_no_violation();
}

static void left(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    struct dxgkmem_leaks leaks;
    struct dxgkmem_mdl *mdl;
    HANDLE adapter;
    (void)world_setup(state);
    adapter = adapter_add(&config);
    assert_int_equal(try_pin_mdl(adapter, 0, 2 * PAGE, &mdl), STATUS_SUCCESS);
    adapter_remove(adapter);
    expect_violation(DXGKMEM_VIOLATION_LEFT_AT_REMOVAL, mdl, last_operation() - 1, DXGKMEM_CALL_PIN_MDL);
    assert_int_equal(try_pin_mdl(world.adapter, 0, PAGE, &mdl), STATUS_SUCCESS);
    dxgkmem_stop(&leaks);
    assert_int_equal(leaks.frame_buffers, 1);
    assert_int_equal(leaks.memories + leaks.adls + leaks.objects, 0);
    expect_violation(DXGKMEM_VIOLATION_LEFT_AT_STOP, mdl, last_operation() - 1, DXGKMEM_CALL_PIN_MDL);
    world_end();
}

static void quota_of_the_adapter(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    struct dxgkmem_mdl *mdl;
    HANDLE adapter;
    (void)state;
    config.quota = (struct dxgkmem_quota){.pages = FRAME_BUFFER_PAGES - 1, .adls = 1};
    assert_int_equal(try_pin_mdl(adapter_add(&config), 0, PAGE, &mdl), STATUS_QUOTA_EXCEEDED);
    config.device = 2;
    config.quota = (struct dxgkmem_quota){.pages = FRAME_BUFFER_PAGES, .adls = 1};
    adapter = adapter_add(&config);
    for (unsigned round = 0; round < 3; round++) {
        assert_int_equal(try_pin_mdl(adapter, 0, 2 * PAGE, &mdl), STATUS_SUCCESS);
        assert_int_equal(try_unpin(adapter, 0), STATUS_SUCCESS);
    }
    expect_no_violation();
}

static void host_fails(void **state)
{
    struct dxgkmem_mdl *mdl;
    unsigned failures = 0;
    (void)state;
    for (unsigned nth = 1;; nth++) {
        struct state before = state_now();
        NTSTATUS status;
        dxgkmem_sim_fail_at(world.sim, nth);
        status = try_pin_mdl(world.adapter, 0, PAGES * PAGE, &mdl);
        dxgkmem_sim_fail_at(world.sim, 0);
        if (NT_SUCCESS(status))
            break;
        failures++;
        expect_same_things(&before);
        expect_same_pool(&before);
    }
    assert_int_equal(try_unpin(world.adapter, 0), STATUS_SUCCESS);
    assert_true(failures >= 6); /* area, pages, memory, lock, reach, MDL */
    expect_no_violation();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reached, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(pinned_once, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(no_other_way, world_setup, world_teardown),
        cmocka_unit_test(left),
        cmocka_unit_test_setup_teardown(quota_of_the_adapter, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(host_fails, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
