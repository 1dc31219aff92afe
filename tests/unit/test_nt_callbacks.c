/* SPDX-License-Identifier: MIT */
/*
 * The callbacks on the Windows machine, on the stand-in kernel of tests/kernel/fake; then each failure of
 * that kernel in turn.
 */
#include "test_nt.h"

#include <dxgkmem/dxgkmem.h>

static unsigned violations;

static void count_violation(void *context, const struct dxgkmem_violation *violation)
{
    (void)context;
    (void)violation;
    violations++;
}

static NTSTATUS create_object(const DXGKRNL_INTERFACE *ddi, HANDLE adapter, DXGK_PHYSICAL_MEMORY_TYPE type,
                              DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT *arguments)
{
    *arguments = (DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT){
        .hAdapter = adapter, .Size = 0x5000, .Type = type, .CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED};
    if (type == DXGK_PHYSICAL_MEMORY_TYPE_MDL)
        arguments->Mdl.HighAddress.QuadPart = INT64_MAX;
    else if (type == DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY)
        arguments->ContiguousMemory.HighestAcceptableAddress.QuadPart = INT64_MAX;
    else if (type == DXGK_PHYSICAL_MEMORY_TYPE_SECTION)
        arguments->Section.PageProtection = PAGE_READWRITE;
    else
        arguments->IOSpace.BaseAddress.QuadPart = (LONGLONG)IO_PAGE << 12;
    return ddi->DxgkCbCreatePhysicalMemoryObject(arguments);
}

/* A life of one object: whatever fails, what succeeded is undone. True: nothing failed. */
static bool life(const DXGKRNL_INTERFACE *ddi, HANDLE adapter, DXGK_PHYSICAL_MEMORY_TYPE type)
{
    DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT object;
    bool io = type == DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE, whole = true;

    if (!NT_SUCCESS(create_object(ddi, adapter, type, &object)))
        return false;
    DXGKARGCB_ALLOCATE_ADL adl = {
        .hAdapterMemoryObject = object.hAdapterMemoryObject, .Size = 0x3000, .Offset = 0x1000};
    bool has_adl = NT_SUCCESS(ddi->DxgkCbAllocateAdl(&adl));
    whole = whole && has_adl;
    fake_set_process(2);
    DXGKARGCB_MAP_PHYSICAL_MEMORY windows[2];
    bool mapped[2] = {false, false};
    for (unsigned i = 0; i < 2; i++) {
        windows[i] = (DXGKARGCB_MAP_PHYSICAL_MEMORY){.hPhysicalMemoryObject = object.hPhysicalMemoryObject,
                                                     .AccessMode = i && !io ? USER : KERNEL,
                                                     .Offset = 0x800,
                                                     .Size = 0x2000};
        mapped[i] = NT_SUCCESS(ddi->DxgkCbMapPhysicalMemory(&windows[i]));
        whole = whole && mapped[i];
    }
    for (unsigned i = 0; i < 2; i++) {
        DXGKARGCB_UNMAP_PHYSICAL_MEMORY undo = {.hPhysicalMemoryObject = object.hPhysicalMemoryObject,
                                                .pBaseAddress = windows[i].pMappedAddress,
                                                .Size = windows[i].Size};
        if (mapped[i])
            ddi->DxgkCbUnmapPhysicalMemory(&undo);
    }
    fake_set_process(1);
    DXGKARGCB_FREE_ADL free_adl = {.pAdl = adl.pAdl, .hAdapterMemoryObject = object.hAdapterMemoryObject};
    if (has_adl)
        ddi->DxgkCbFreeAdl(&free_adl);
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT destroy = {.hPhysicalMemoryObject = object.hPhysicalMemoryObject,
                                                        .hAdapterMemoryObject = object.hAdapterMemoryObject};
    ddi->DxgkCbDestroyPhysicalMemoryObject(&destroy);
    return whole;
}

static void with_callbacks(void (*body)(const DXGKRNL_INTERFACE *ddi, HANDLE adapter))
{
    struct dxgkmem_config config = {.machine = machine, .violation = count_violation};
    struct dxgkmem_adapter_config adapter = {.device = 7, .version = DXGKDDI_INTERFACE_VERSION_WDDM3_2};
    struct dxgkmem_leaks leaks, none = {0};
    DXGKRNL_INTERFACE ddi = {0};
    HANDLE handle;

    violations = 0;
    adapter.memory_caps.HighestVisibleAddress.QuadPart = INT64_MAX;
    assert_int_equal(dxgkmem_start(&config), STATUS_SUCCESS);
    assert_int_equal(dxgkmem_add_adapter(&adapter, &handle), STATUS_SUCCESS);
    assert_int_equal(domains.attached, 1);
    assert_int_equal(dxgkmem_query_interface(handle, &ddi), STATUS_SUCCESS);
    body(&ddi, handle);
    assert_int_equal(violations, 0);
    assert_int_equal(dxgkmem_remove_adapter(handle), STATUS_SUCCESS);
    dxgkmem_stop(&leaks);
    assert_memory_equal(&leaks, &none, sizeof leaks);
}

static const DXGK_PHYSICAL_MEMORY_TYPE all_types[] = {
    DXGK_PHYSICAL_MEMORY_TYPE_MDL, DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY,
    DXGK_PHYSICAL_MEMORY_TYPE_SECTION, DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE};

static void lives(const DXGKRNL_INTERFACE *ddi, HANDLE adapter)
{
    for (size_t i = 0; i < 4; i++) {
        assert_true(life(ddi, adapter, all_types[i]));
        assert_int_equal(fake_left(), 0);
    }
    fake_set_irql(1);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(life(ddi, adapter, all_types[i]), all_types[i] != DXGK_PHYSICAL_MEMORY_TYPE_SECTION);
    fake_set_irql(0);
}

static void test_callbacks(void **state)
{
    (void)state;
    with_callbacks(lives);
}

/* Each routine of the kernel that can fail, in turn: nothing is left, and the next life is whole. */
static void failing_lives(const DXGKRNL_INTERFACE *ddi, HANDLE adapter)
{
    for (size_t i = 0; i < 4; i++) {
        unsigned nth = 1;

        for (;; nth++) {
            fake_fail_at(nth);
            bool whole = life(ddi, adapter, all_types[i]);
            assert_int_equal(fake_left(), 0);
            assert_int_equal(domains.mapped, 0);
            if (!fake_failed()) {
                assert_true(whole);
                break;
            }
            /* Only the caution about RAM survives a failure: then IO_SPACE is refused, and reported. */
            assert_false(whole);
            violations = 0;
        }
        fake_fail_at(0);
        assert_true(nth > 2);
        assert_true(life(ddi, adapter, all_types[i]));
    }
}

static void test_failures(void **state)
{
    (void)state;
    with_callbacks(failing_lives);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_callbacks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failures, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
