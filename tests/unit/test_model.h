/* SPDX-License-Identifier: MIT */
/*
 * For test_model.c and test_model_adl.c only: a world, adapters, arguments, and calls that succeed,
 * with made-up handles and ADLs. ask_*() only ask the model what must happen.
 */
#ifndef DXGKMEM_TEST_MODEL_H
#define DXGKMEM_TEST_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "model.h"

#define WDDM24 DXGKDDI_INTERFACE_VERSION_WDDM2_4
#define WDDM29 DXGKDDI_INTERFACE_VERSION_WDDM2_9
#define WDDM32 DXGKDDI_INTERFACE_VERSION_WDDM3_2
#define RAM_TOP 0xFFFFu /* highest page of RAM */
#define ALL_RAM 0x7FFFFFFFFFll
#define LOW 0xFFFFFFll /* an adapter that sees 16 MiB only */
#define PAGE 0x1000u

typedef DXGKARGCB_CREATE_PHYSICAL_MEMORY_OBJECT create_args;

static struct model *model;
static struct model_world world;
static struct model_conditions now;
static struct model_expectation expected;
static unsigned invariant;
static uintptr_t next_handle;
static bool machine_has_pages;
static struct dxgkmem_memory_request asked;
static unsigned times_asked;
static DXGK_ADL adls[64];

static inline bool touches_ram(void *context, struct dxgkmem_run run)
{
    (void)context;
    return run.page <= RAM_TOP;
}

static inline bool could_create(void *context, const struct dxgkmem_memory_request *request)
{
    (void)context;
    asked = *request;
    times_asked++;
    return machine_has_pages;
}

static inline int setup(void **state)
{
    (void)state;
    model = calloc(1, model_size());
    world = (struct model_world){
        .highest_ram_page = RAM_TOP,
        .highest_page = 0x7FFFFFF,
        .object_bytes_limit = 0x40000000,
        .touches_ram = touches_ram,
        .could_create = could_create,
    };
    model_set_world(model, &world);
    now = (struct model_conditions){.process = 1};
    next_handle = 0x50001;
    machine_has_pages = true;
    times_asked = 0;
    memset(adls, 0, sizeof adls);
    return model == NULL;
}

static inline int teardown(void **state)
{
    (void)state;
    free(model);
    return 0;
}

/* -- helpers: calls that succeed, and questions ---------------------------------- */

static inline HANDLE new_handle(void)
{
    next_handle += 0x10;
    return (HANDLE)next_handle;
}

static inline const struct model_conditions *tick(void)
{
    now.operation++;
    return &now;
}

#define EXPECT(code, on, at, by)                                                                             \
    do {                                                                                                     \
        assert_int_equal(expected.violation, DXGKMEM_VIOLATION_##code);                                      \
        assert_true(expected.subject == (uint64_t)(uintptr_t)(on));                                          \
        assert_true(expected.earlier_operation == (uint64_t)(at));                                           \
        assert_int_equal(expected.earlier_call, DXGKMEM_CALL_##by);                                          \
    } while (0)
#define FINE()                                                                                               \
    do {                                                                                                     \
        assert_int_equal(expected.violation, DXGKMEM_VIOLATION_NONE);                                        \
        assert_int_equal(expected.status, STATUS_SUCCESS);                                                   \
        assert_false(expected.must_fail);                                                                    \
        assert_int_equal(expected.resource[0], 0);                                                           \
    } while (0)
#define SHORT(with)                                                                                          \
    do {                                                                                                     \
        assert_int_equal(expected.violation, DXGKMEM_VIOLATION_NONE);                                        \
        assert_true(expected.must_fail);                                                                     \
        assert_int_equal(expected.resource[0], with);                                                        \
    } while (0)
#define WRONG(call, number)                                                                                  \
    do {                                                                                                     \
        invariant = 99;                                                                                      \
        assert_non_null(call);                                                                               \
        assert_int_equal(invariant, number);                                                                 \
    } while (0)

static inline struct dxgkmem_adapter_config config(uint64_t device, uint32_t version, long long visible,
                                                   bool remaps)
{
    struct dxgkmem_adapter_config made = {
        .device = device, .version = version, .frame_buffer_bytes = 4 * PAGE};
    made.memory_caps.HighestVisibleAddress.QuadPart = visible;
    made.iommu_caps.DmaRemappingSupported = remaps;
    return made;
}

static inline NTSTATUS add_status(const struct dxgkmem_adapter_config *of)
{
    model_add_adapter(model, of, &expected);
    return expected.status;
}

static inline HANDLE add(const struct dxgkmem_adapter_config *of)
{
    HANDLE handle = new_handle();
    assert_int_equal(add_status(of), STATUS_SUCCESS);
    assert_null(model_add_adapter_done(model, tick(), of, handle, &invariant));
    return handle;
}

static inline HANDLE identity(uint64_t device)
{
    struct dxgkmem_adapter_config of = config(device, WDDM29, ALL_RAM, true);
    return add(&of);
}

static inline HANDLE remapped(uint64_t device)
{
    struct dxgkmem_adapter_config of = config(device, WDDM32, LOW, true);
    return add(&of);
}

static inline create_args mdl(HANDLE adapter, SIZE_T size)
{
    create_args args = {.hAdapter = adapter, .Size = size, .CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED};
    args.Mdl.HighAddress.QuadPart = -1;
    return args;
}

static inline create_args block(HANDLE adapter, SIZE_T size)
{
    create_args args = mdl(adapter, size);
    args.Type = DXGK_PHYSICAL_MEMORY_TYPE_CONTIGUOUS_MEMORY;
    args.ContiguousMemory.LowestAcceptableAddress.QuadPart = 0;
    args.ContiguousMemory.HighestAcceptableAddress.QuadPart = -1;
    args.ContiguousMemory.BoundaryAddressMultiple.QuadPart = 0;
    return args;
}

static inline create_args section(HANDLE adapter, SIZE_T size, ULONG protection)
{
    create_args args = {.hAdapter = adapter, .Size = size, .CacheType = DXGK_MEMORY_CACHING_TYPE_CACHED};
    args.Type = DXGK_PHYSICAL_MEMORY_TYPE_SECTION;
    args.Section.PageProtection = protection;
    return args;
}

static inline create_args io(HANDLE adapter, long long base, SIZE_T size)
{
    create_args args = {.hAdapter = adapter, .Size = size, .Type = DXGK_PHYSICAL_MEMORY_TYPE_IO_SPACE};
    args.IOSpace.BaseAddress.QuadPart = base;
    return args;
}

static inline void ask_create(const create_args *args)
{
    model_create(model, tick(), args, &expected);
}

static inline create_args created(create_args args)
{
    create_args out;
    ask_create(&args);
    FINE();
    out = args;
    out.hPhysicalMemoryObject = new_handle();
    out.hAdapterMemoryObject = args.hAdapter != NULL ? new_handle() : NULL;
    assert_null(model_create_done(model, &now, &args, &out, &invariant));
    return out;
}

static inline void ask_destroy(HANDLE object, HANDLE opened)
{
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT args = {object, opened};
    model_destroy(model, tick(), &args, &expected);
}

static inline void destroy(HANDLE object, HANDLE opened)
{
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT args = {object, opened};
    ask_destroy(object, opened);
    FINE();
    assert_null(model_destroy_done(model, &now, &args, &invariant));
}

static inline void ask_open(HANDLE object, HANDLE adapter)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT args = {object, adapter, NULL};
    model_open(model, tick(), &args, &expected);
}

static inline HANDLE opened_on(HANDLE object, HANDLE adapter)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT in = {object, adapter, NULL}, out = in;
    ask_open(object, adapter);
    FINE();
    out.hAdapterMemoryObject = new_handle();
    assert_null(model_open_done(model, &now, &in, &out, &invariant));
    return out.hAdapterMemoryObject;
}

static inline void ask_close(HANDLE opened)
{
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT args = {opened};
    model_close(model, tick(), &args, &expected);
}

static inline void closed(HANDLE opened)
{
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT args = {opened};
    ask_close(opened);
    FINE();
    assert_null(model_close_done(model, &now, &args, &invariant));
}

static inline DXGKARGCB_MAP_PHYSICAL_MEMORY map_args(HANDLE object, DXGK_ACCESS_MODE mode, SIZE_T offset,
                                                     SIZE_T size)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY args = {object, mode, offset, size, NULL};
    return args;
}

static inline void ask_map(HANDLE object, unsigned mode, SIZE_T offset, SIZE_T size)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY args = map_args(object, (DXGK_ACCESS_MODE)mode, offset, size);
    model_map(model, tick(), &args, &expected);
}

/* Maps one page at a base. */
static inline const char *map_page(HANDLE object, DXGK_ACCESS_MODE mode, uintptr_t base)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY in = map_args(object, mode, 0, PAGE), out = in;
    ask_map(object, mode, 0, PAGE);
    FINE();
    out.pMappedAddress = (void *)base;
    return model_map_done(model, &now, &in, &out, &invariant);
}

static inline void ask_unmap(HANDLE object, uintptr_t base, SIZE_T size)
{
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY args = {object, (void *)base, size};
    model_unmap(model, tick(), &args, &expected);
}

static inline void unmapped(HANDLE object, uintptr_t base)
{
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY args = {object, (void *)base, PAGE};
    ask_unmap(object, base, PAGE);
    FINE();
    assert_null(model_unmap_done(model, &now, &args, &invariant));
}

static inline DXGKARGCB_ALLOCATE_ADL adl_args(HANDLE opened, SIZE_T offset, SIZE_T size, UINT32 flags)
{
    DXGKARGCB_ALLOCATE_ADL args = {.hAdapterMemoryObject = opened, .Offset = offset, .Size = size};
    args.Flags.Value = flags;
    return args;
}

static inline void ask_adl(HANDLE opened, SIZE_T offset, SIZE_T size, UINT32 flags)
{
    DXGKARGCB_ALLOCATE_ADL args = adl_args(opened, offset, size, flags);
    model_allocate_adl(model, tick(), &args, &expected);
}

static inline const char *adl_done(HANDLE opened, SIZE_T offset, SIZE_T size, UINT32 flags, DXGK_ADL *adl)
{
    DXGKARGCB_ALLOCATE_ADL in = adl_args(opened, offset, size, flags), out = in;
    ask_adl(opened, offset, size, flags);
    assert_int_equal(expected.violation, DXGKMEM_VIOLATION_NONE);
    out.pAdl = adl;
    return model_allocate_adl_done(model, &now, &in, &out, &invariant);
}

static inline DXGK_ADL *range_adl(unsigned place, UINT32 pages, DXGK_PAGE_NUMBER base)
{
    adls[place] = (DXGK_ADL){.PageCount = pages};
    adls[place].Flags.Contiguous = 1;
    adls[place].BasePageNumber = base;
    return &adls[place];
}

static inline DXGK_ADL *array_adl(unsigned place, UINT32 pages, const DXGK_PAGE_NUMBER *array)
{
    adls[place] = (DXGK_ADL){.PageCount = pages, .Pages = array};
    return &adls[place];
}

static inline void ask_free(HANDLE opened, const void *adl)
{
    DXGKARGCB_FREE_ADL args = {opened, (DXGK_ADL *)(uintptr_t)adl};
    model_free_adl(model, tick(), &args, &expected);
}

static inline void freed(HANDLE opened, DXGK_ADL *adl)
{
    DXGKARGCB_FREE_ADL args = {opened, adl};
    ask_free(opened, adl);
    FINE();
    assert_null(model_free_adl_done(model, &now, &args, &invariant));
}

static inline void ask_pin(HANDLE adapter, UINT index, SIZE_T size, UINT flags)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 args = {.PhysicalAdapterIndex = index, .CommitSize = size};
    args.Flags.Value = flags;
    model_pin(model, tick(), adapter, &args, &expected);
}

static inline const char *pin_done(HANDLE adapter, UINT index, SIZE_T size, UINT flags, DXGK_ADL *adl)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 in = {.PhysicalAdapterIndex = index, .CommitSize = size}, out;
    in.Flags.Value = flags;
    model_pin(model, tick(), adapter, &in, &expected);
    FINE();
    out = in;
    out.pAdl = adl;
    return model_pin_done(model, &now, adapter, &in, &out, &invariant);
}

static inline void ask_unpin(HANDLE adapter, UINT index)
{
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE args = {index};
    model_unpin(model, tick(), adapter, &args, &expected);
}

static inline bool device_reaches(uint64_t device, uint64_t address, bool write, uint32_t *memory,
                                  uint64_t *offset)
{
    return model_device_reach(model, device, address, write, memory, offset);
}

#endif
