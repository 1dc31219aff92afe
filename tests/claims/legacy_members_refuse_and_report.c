/* SPDX-License-Identifier: MIT */
/*
 * Claim: no member of the interface that a driver gets is NULL, at any version and any
 * Size; what is not offered refuses with a status and a violation, whatever it is passed,
 * also while nothing is started. The WDDM 2.4 memory callbacks are not offered to a driver whose DMA is
 * remapped, nor to one that claims to support that at WDDM 3.0 or above.
 */
#include "tests/support/world.h"

#define HEADER offsetof(DXGKRNL_INTERFACE, DxgkCbEvalAcpiMethod)

static const uint32_t versions[] = {
    DXGKDDI_INTERFACE_VERSION_VISTA,     DXGKDDI_INTERFACE_VERSION_VISTA_SP1,
    DXGKDDI_INTERFACE_VERSION_WIN7,      DXGKDDI_INTERFACE_VERSION_WIN8,
    DXGKDDI_INTERFACE_VERSION_WDDM1_3,   DXGKDDI_INTERFACE_VERSION_WDDM1_3_PATH_INDEPENDENT_ROTATION,
    DXGKDDI_INTERFACE_VERSION_WDDM2_0,   DXGKDDI_INTERFACE_VERSION_WDDM2_1,
    DXGKDDI_INTERFACE_VERSION_WDDM2_1_5, DXGKDDI_INTERFACE_VERSION_WDDM2_1_6,
    DXGKDDI_INTERFACE_VERSION_WDDM2_2,   DXGKDDI_INTERFACE_VERSION_WDDM2_3,
    DXGKDDI_INTERFACE_VERSION_WDDM2_4,   DXGKDDI_INTERFACE_VERSION_WDDM2_5,
    DXGKDDI_INTERFACE_VERSION_WDDM2_6,   DXGKDDI_INTERFACE_VERSION_WDDM2_7,
    DXGKDDI_INTERFACE_VERSION_WDDM2_8,   DXGKDDI_INTERFACE_VERSION_WDDM2_9,
    DXGKDDI_INTERFACE_VERSION_WDDM3_0,   DXGKDDI_INTERFACE_VERSION_WDDM3_1,
    DXGKDDI_INTERFACE_VERSION_WDDM3_2,
};

/* Filled with a pattern before; members through `bytes` were written, none is NULL, nothing behind. */
static void expect_filled(const DXGKRNL_INTERFACE *ddi, size_t bytes, uint32_t version, HANDLE adapter)
{
    const unsigned char *raw = (const unsigned char *)ddi;
    uintptr_t pattern;
    memset(&pattern, 0xd7, sizeof(pattern));
    assert_int_equal(ddi->Size, bytes);
    assert_int_equal(ddi->Version, version);
    assert_ptr_equal(ddi->DeviceHandle, adapter);
    for (size_t at = HEADER; at < sizeof(*ddi); at += sizeof(uintptr_t)) {
        uintptr_t member;
        memcpy(&member, raw + at, sizeof(member));
        if (at < bytes)
            assert_true(member != 0 && member != pattern);
        else
            assert_true(member == pattern);
    }
}

static void every_version_and_size(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++) {
        struct dxgkmem_adapter_config config = adapter_identity(1, versions[i]);
        HANDLE adapter = adapter_add(&config);
        size_t full = dxgkmem_ddi_interface_size(versions[i]);
        for (size_t size = 0; size <= sizeof(DXGKRNL_INTERFACE) + 16; size++) {
            size_t expected =
                size == 0 || size > full ? full : HEADER + (size - HEADER) / sizeof(void *) * sizeof(void *);
            DXGKRNL_INTERFACE ddi;
            memset(&ddi, 0xd7, sizeof(ddi));
            ddi.Size = (ULONG)size;
            if (size != 0 && size < HEADER) {
                DXGKRNL_INTERFACE copy = ddi;
                assert_int_equal(dxgkmem_query_interface(adapter, &ddi), STATUS_INVALID_PARAMETER);
                assert_memory_equal(&copy, &ddi, sizeof(ddi));
                continue;
            }
            assert_int_equal(dxgkmem_query_interface(adapter, &ddi), STATUS_SUCCESS);
            expect_filled(&ddi, expected, versions[i], adapter);
        }
        adapter_remove(adapter);
    }
}

static void query_refuses(void **state)
{
    DXGKRNL_INTERFACE ddi;
    (void)state;
    memset(&ddi, 0, sizeof(ddi));
    assert_int_equal(dxgkmem_query_interface(world.adapter, NULL), STATUS_INVALID_PARAMETER);
    assert_int_equal(dxgkmem_query_interface(NULL, &ddi), STATUS_INVALID_HANDLE);
    assert_int_equal(dxgkmem_query_interface((HANDLE)(uintptr_t)8, &ddi), STATUS_INVALID_HANDLE);
    expect_no_violation();
}

static void expect_legacy(NTSTATUS status)
{
    struct dxgkmem_violation violation = expect_code(DXGKMEM_VIOLATION_LEGACY_CALLBACK);
    assert_int_equal(status, STATUS_NOT_SUPPORTED);
    assert_int_equal(violation.call, DXGKMEM_CALL_LEGACY);
    assert_int_equal(violation.operation, 0);
    assert_int_equal(violation.subject, 0);
}

static void call_every_legacy_member(const DXGKRNL_INTERFACE *ddi)
{
    void *nowhere = (void *)(uintptr_t)8;
    expect_legacy(ddi->DxgkCbAllocateContiguousMemory(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbFreeContiguousMemory(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbAllocatePagesForMdl(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbFreePagesFromMdl(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbPinFrameBufferForSave(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbMapFrameBufferPointer(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbUnmapFrameBufferPointer(nowhere, nowhere));
    expect_legacy(ddi->DxgkCbMapMdlToIoMmu(nowhere, nowhere));
    ddi->DxgkCbUnmapMdlFromIoMmu(nowhere, nowhere);
    expect_legacy(STATUS_NOT_SUPPORTED);
}

/* Members that are typed as unrelated, by their place. */
static unsigned call_every_unrelated_member(const DXGKRNL_INTERFACE *ddi)
{
    unsigned called = 0;
    const size_t typed_first = offsetof(DXGKRNL_INTERFACE, DxgkCbAllocateContiguousMemory);
    const size_t typed_end = offsetof(DXGKRNL_INTERFACE, DxgkCbReportDiagnostic);
    const size_t offered_first = offsetof(DXGKRNL_INTERFACE, DxgkCbCreatePhysicalMemoryObject);
    const size_t offered_end = offsetof(DXGKRNL_INTERFACE, DxgkCbDisconnectDoorbell);
    for (size_t at = HEADER; at < ddi->Size; at += sizeof(DXGKMEM_DDI_UNRELATED)) {
        DXGKMEM_DDI_UNRELATED member;
        if ((at >= typed_first && at < typed_end) || (at >= offered_first && at < offered_end))
            continue;
        memcpy(&member, (const unsigned char *)ddi + at, sizeof(member));
        assert_int_equal(member(), STATUS_NOT_SUPPORTED);
        assert_int_equal(expect_code(DXGKMEM_VIOLATION_UNRELATED_CALLBACK).call, DXGKMEM_CALL_UNRELATED);
        called++;
    }
    return called;
}

/* As its driver gets it; it outlives the adapter. */
static DXGKRNL_INTERFACE interface_of(struct dxgkmem_adapter_config config)
{
    HANDLE adapter = adapter_add(&config);
    DXGKRNL_INTERFACE ddi;
    memset(&ddi, 0, sizeof(ddi));
    assert_int_equal(dxgkmem_query_interface(adapter, &ddi), STATUS_SUCCESS);
    adapter_remove(adapter);
    return ddi;
}

static DXGKRNL_INTERFACE interface_of_claiming(void)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V31);
    config.iommu_caps.DmaRemappingSupported = 1;
    return interface_of(config);
}

/* Who gets them: an identity adapter that makes no claim, or one below WDDM 3.0 whatever it claims. */
static void offered_to_whom(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V29);
    struct handed_memory memory;
    HANDLE claims, old;
    DXGKRNL_INTERFACE ddi;
    (void)state;
    config.iommu_caps.DmaRemappingSupported = 1;
    ddi = interface_of(config);
    assert_true(ddi.DxgkCbAllocateContiguousMemory == world.ddi.DxgkCbAllocateContiguousMemory);
    ddi = interface_of(adapter_identity(1, V24));
    assert_true(ddi.DxgkCbAllocateContiguousMemory == world.ddi.DxgkCbAllocateContiguousMemory);
    ddi = interface_of(adapter_remapped(1, V29));
    call_every_legacy_member(&ddi);
    /* Another adapter's interface does not help. */
    config = adapter_identity(1, (uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM3_0);
    config.iommu_caps.DmaRemappingSupported = 1;
    claims = adapter_add(&config);
    assert_int_equal(try_contiguous(claims, PAGE, &memory), STATUS_NOT_SUPPORTED);
    expect_violation(DXGKMEM_VIOLATION_LEGACY_CALLBACK, claims, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_pages(claims, PAGE, 0, &memory), STATUS_NOT_SUPPORTED);
    expect_violation(DXGKMEM_VIOLATION_LEGACY_CALLBACK, claims, 0, DXGKMEM_CALL_NONE);
    memory = contiguous_allocate(world.adapter, PAGE);
    assert_int_equal(try_free_contiguous(claims, memory.handle), STATUS_NOT_SUPPORTED);
    expect_violation(DXGKMEM_VIOLATION_LEGACY_CALLBACK, claims, 0, DXGKMEM_CALL_NONE);
    assert_int_equal(try_free_contiguous(world.adapter, memory.handle), STATUS_SUCCESS);
    config = adapter_identity(2, (uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM2_3);
    old = adapter_add(&config);
    assert_int_equal(try_pages(old, PAGE, 0, &memory), STATUS_NOT_SUPPORTED);
    expect_violation(DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, old, 0, DXGKMEM_CALL_NONE);
}

static void members_that_are_not_offered(void **state)
{
    DXGKRNL_INTERFACE ddi = interface_of_claiming();
    struct state before = state_now();
    uint64_t calls = last_operation();
    (void)state;
    call_every_legacy_member(&ddi);
    assert_true(call_every_unrelated_member(&world.ddi) > 40);
    expect_unchanged(&before);
    assert_int_equal(last_operation(), calls); /* they take no operation number */
}

static void while_nothing_is_started(void **state)
{
    (void)state;
    (void)world_setup(NULL);
    DXGKRNL_INTERFACE ddi = interface_of_claiming();
    world_end();
    call_every_legacy_member(&ddi);
    (void)call_every_unrelated_member(&world.ddi);
}

/* A driver of WDDM 2.4 has UNPIN, but nothing that pins. */
static void unpin_of_an_old_driver(void **state)
{
    struct dxgkmem_adapter_config config = adapter_identity(1, V24);
    HANDLE old = adapter_add(&config);
    DXGK_ADL *adl;
    (void)state;
    assert_int_equal(try_unpin(old, 0), STATUS_INVALID_DEVICE_STATE);
    (void)expect_code(DXGKMEM_VIOLATION_NOT_PINNED);
    assert_int_equal(try_pin(old, 0, PAGE, 0, &adl), STATUS_NOT_SUPPORTED);
    expect_violation(DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, old, 0, DXGKMEM_CALL_NONE);
    config = adapter_identity(2, (uint32_t)DXGKDDI_INTERFACE_VERSION_WDDM2_3);
    old = adapter_add(&config);
    assert_int_equal(try_unpin(old, 0), STATUS_NOT_SUPPORTED);
    expect_violation(DXGKMEM_VIOLATION_WRONG_WDDM_LEVEL, old, 0, DXGKMEM_CALL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_version_and_size, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(query_refuses, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(offered_to_whom, world_setup, world_teardown),
        cmocka_unit_test_setup_teardown(members_that_are_not_offered, world_setup, world_teardown),
        cmocka_unit_test(while_nothing_is_started),
        cmocka_unit_test_setup_teardown(unpin_of_an_old_driver, world_setup, world_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
