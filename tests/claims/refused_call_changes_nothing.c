/* SPDX-License-Identifier: MIT */
/*
 * Claim: a refused call changes nothing, frees nothing, hands out nothing and says why:
 * for every violation there is a row here that provokes it, with everything else right.
 * After each the digests of core and machine, the pool's balance and every in field are
 * what they were, and every out field is zero.
 */
#include "tests/support/world.h"

/* What the calls of the rows are made on. */
static struct {
    HANDLE adapter, second_of_chain, other, old, narrow; /* narrow: identity domain that sees RAM only */
    struct thing unopened, open, contiguous, section, io, busy, far_io;
    struct thing ended; /* destroyed, both handles */
    HANDLE removed;
    DXGK_ADL *adl, *freed, *others, *frame_buffer;
    unsigned char *saved; /* where that frame buffer is mapped */
    struct view view, user;
    struct handed_memory block, pages;
    HANDLE mapped; /* an MDL of the driver's first page */
} here;

#define PATTERN ((void *)(uintptr_t)0x5a5a5a58u)

static int setup(void **state)
{
    struct dxgkmem_adapter_config config;

    if (world_setup(state) != 0)
        return -1;
    memset(&here, 0, sizeof(here));
    here.adapter = world.adapter;
    config = adapter_identity(1, V31);
    config.link_to = here.adapter;
    here.second_of_chain = adapter_add(&config);
    config = adapter_remapped(2, V31);
    here.other = adapter_add(&config);
    config = adapter_identity(3, V24);
    here.old = adapter_add(&config);
    config = adapter_identity(4, V31);
    config.memory_caps.HighestVisibleAddress.QuadPart = (LONGLONG)(RAM_HIGHEST + 1) * 4096 - 1;
    here.narrow = adapter_add(&config);
    here.unopened = thing_create(mdl_arguments(NULL, 4 * PAGE));
    here.open = thing_create(mdl_arguments(here.adapter, 4 * PAGE));
    here.contiguous = thing_create(contiguous_arguments(here.adapter, 4 * PAGE));
    here.section = thing_create(section_arguments(here.adapter, 4 * PAGE, PAGE_READWRITE));
    here.io = thing_create(io_arguments(here.adapter, IO_PAGE, 4 * PAGE));
    here.far_io = thing_create(io_arguments(NULL, RAM_HIGHEST + 0x100, PAGE));
    here.busy = thing_create(mdl_arguments(here.adapter, 4 * PAGE));
    here.adl = adl_allocate(here.busy.open, 0, PAGE);
    here.others = adl_allocate(here.contiguous.open, 0, PAGE);
    here.view = view_map(here.busy.object, 0, PAGE, DXGK_ACCESS_MODE_KERNEL_MODE);
    here.user = view_map(here.unopened.object, 0, PAGE, DXGK_ACCESS_MODE_USER_MODE);
    assert_int_equal(try_pin(here.adapter, 1, PAGE, 0, &here.frame_buffer), STATUS_SUCCESS);
    assert_int_equal(try_map_frame_buffer(here.adapter, 1, 0, PAGE, &here.saved), STATUS_SUCCESS);
    here.block = contiguous_allocate(here.adapter, 2 * PAGE);
    here.pages = pages_allocate(here.adapter, 2 * PAGE);
    here.mapped = mdl_map(here.adapter, 0, 1);
    /* Last, so that nothing has taken their places. */
    here.freed = adl_allocate(here.busy.open, 0, PAGE);
    adl_free(here.busy.open, here.freed);
    config = adapter_identity(5, V31);
    here.removed = adapter_add(&config);
    here.ended = thing_create(mdl_arguments(here.adapter, PAGE));
    thing_destroy(here.ended);
    adapter_remove(here.removed);
    return 0;
}

static int teardown(void **state)
{
    dxgkmem_sim_set_irql(world.sim, PASSIVE_LEVEL);
    mdl_unmap(here.adapter, here.mapped);
    assert_int_equal(try_unmap_frame_buffer(here.adapter, 1, here.saved), STATUS_SUCCESS);
    assert_int_equal(try_unpin(here.adapter, 1), STATUS_SUCCESS);
    assert_int_equal(try_free_contiguous(here.adapter, here.block.handle), STATUS_SUCCESS);
    assert_int_equal(try_free_pages(here.adapter, here.pages.handle), STATUS_SUCCESS);
    view_unmap(here.unopened.object, here.user);
    view_unmap(here.busy.object, here.view);
    adl_free(here.busy.open, here.adl);
    adl_free(here.contiguous.open, here.others);
    thing_destroy(here.busy);
    thing_destroy(here.far_io);
    thing_destroy(here.io);
    thing_destroy(here.section);
    thing_destroy(here.contiguous);
    thing_destroy(here.open);
    thing_destroy(here.unopened);
    return world_teardown(state);
}

/* -- calls that must be refused: in fields stay, out fields become zero ------------------- */

static NTSTATUS create(create_arguments in)
{
    create_arguments after;
    NTSTATUS status;
    in.hPhysicalMemoryObject = in.hAdapterMemoryObject = PATTERN;
    memcpy(&after, &in, sizeof(in));
    status = world.ddi.DxgkCbCreatePhysicalMemoryObject(&after);
    in.hPhysicalMemoryObject = in.hAdapterMemoryObject = NULL;
    assert_memory_equal(&after, &in, sizeof(in));
    return status;
}

static NTSTATUS open_on(HANDLE object, HANDLE adapter)
{
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT in = {object, adapter, NULL}, after = {object, adapter, PATTERN};
    NTSTATUS status = world.ddi.DxgkCbOpenPhysicalMemoryObject(&after);
    assert_memory_equal(&after, &in, sizeof(in));
    return status;
}

static NTSTATUS map_as(HANDLE object, int mode, SIZE_T offset, SIZE_T bytes)
{
    DXGKARGCB_MAP_PHYSICAL_MEMORY in, after;
    NTSTATUS status;
    memset(&in, 0, sizeof(in));
    in.hPhysicalMemoryObject = object;
    in.AccessMode = (DXGK_ACCESS_MODE)mode;
    in.Offset = offset;
    in.Size = bytes;
    memcpy(&after, &in, sizeof(in));
    after.pMappedAddress = PATTERN;
    status = world.ddi.DxgkCbMapPhysicalMemory(&after);
    assert_memory_equal(&after, &in, sizeof(in));
    return status;
}

static NTSTATUS allocate(HANDLE open, SIZE_T offset, SIZE_T bytes, unsigned flags)
{
    DXGKARGCB_ALLOCATE_ADL in, after;
    NTSTATUS status;
    memset(&in, 0, sizeof(in));
    in.hAdapterMemoryObject = open;
    in.Offset = offset;
    in.Size = bytes;
    in.Flags.Value = flags;
    memcpy(&after, &in, sizeof(in));
    after.pAdl = PATTERN;
    status = world.ddi.DxgkCbAllocateAdl(&after);
    assert_memory_equal(&after, &in, sizeof(in));
    return status;
}

static NTSTATUS pin(HANDLE lead, UINT index, SIZE_T bytes, unsigned flags)
{
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 in, after;
    NTSTATUS status;
    memset(&in, 0, sizeof(in));
    in.PhysicalAdapterIndex = index;
    in.CommitSize = bytes;
    in.Flags.Value = flags;
    memcpy(&after, &in, sizeof(in));
    after.pAdl = PATTERN;
    status = world.ddi.DxgkCbPinFrameBufferForSave2(lead, &after);
    assert_memory_equal(&after, &in, sizeof(in));
    return status;
}

static NTSTATUS create_mdl_flags(unsigned flags, uint64_t skip, SIZE_T bytes)
{
    create_arguments in = mdl_arguments(here.adapter, bytes);
    in.Mdl.Flags = flags;
    in.Mdl.SkipBytes = physical(skip);
    return create(in);
}

/* Those that return nothing are said to have returned what the violation says. */
#define RETURNS_NOTHING(code) dxgkmem_violation_status(DXGKMEM_VIOLATION_##code)

#define ROW(code, name, call)                                                                                \
    static NTSTATUS name(void)                                                                               \
    {                                                                                                        \
        call;                                                                                                \
    }
#define CREATE_WITH(arguments, change)                                                                       \
    create_arguments in = arguments;                                                                         \
    change;                                                                                                  \
    return create(in)

#define SMALL mdl_arguments(here.adapter, PAGE)
#define VOID_CALL(code, call)                                                                                \
    call;                                                                                                    \
    return RETURNS_NOTHING(code)

#define ROWS(X)                                                                                              \
    X(NULL_ARGUMENTS, create_null, return world.ddi.DxgkCbCreatePhysicalMemoryObject(NULL))                  \
    X(NULL_ARGUMENTS, open_null, return world.ddi.DxgkCbOpenPhysicalMemoryObject(NULL))                      \
    X(NULL_ARGUMENTS, map_null, return world.ddi.DxgkCbMapPhysicalMemory(NULL))                              \
    X(NULL_ARGUMENTS, adl_null, return world.ddi.DxgkCbAllocateAdl(NULL))                                    \
    X(NULL_ARGUMENTS, pin_null, return world.ddi.DxgkCbPinFrameBufferForSave2(here.adapter, NULL))           \
    X(NULL_ARGUMENTS, unpin_null, return world.ddi.DxgkCbUnpinFrameBufferForSave(here.adapter, NULL))        \
    X(NULL_ARGUMENTS, destroy_null,                                                                          \
      VOID_CALL(NULL_ARGUMENTS, world.ddi.DxgkCbDestroyPhysicalMemoryObject(NULL)))                          \
    X(NULL_ARGUMENTS, close_null,                                                                            \
      VOID_CALL(NULL_ARGUMENTS, world.ddi.DxgkCbClosePhysicalMemoryObject(NULL)))                            \
    X(NULL_ARGUMENTS, unmap_null, VOID_CALL(NULL_ARGUMENTS, world.ddi.DxgkCbUnmapPhysicalMemory(NULL)))      \
    X(NULL_ARGUMENTS, free_null, VOID_CALL(NULL_ARGUMENTS, world.ddi.DxgkCbFreeAdl(NULL)))                   \
    X(IRQL_TOO_HIGH, create_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL); return create(SMALL))     \
    X(IRQL_TOO_HIGH, map_high, dxgkmem_sim_set_irql(world.sim, HIGH_LEVEL);                                  \
      return map_as(here.open.object, 0, 0, PAGE))                                                           \
    X(IRQL_TOO_HIGH, open_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                             \
      return open_on(here.unopened.object, here.adapter))                                                    \
    X(IRQL_TOO_HIGH, adl_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                              \
      return allocate(here.open.open, 0, PAGE, 0))                                                           \
    X(IRQL_TOO_HIGH, pin_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                              \
      return pin(here.adapter, 0, PAGE, 0))                                                                  \
    X(IRQL_TOO_HIGH, unpin_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                            \
      return try_unpin(here.adapter, 1))                                                                     \
    X(IRQL_TOO_HIGH, destroy_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                          \
      VOID_CALL(IRQL_TOO_HIGH, thing_destroy(here.open)))                                                    \
    X(IRQL_TOO_HIGH, close_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                            \
      VOID_CALL(IRQL_TOO_HIGH, thing_close(here.open.open)))                                                 \
    X(IRQL_TOO_HIGH, unmap_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                            \
      VOID_CALL(IRQL_TOO_HIGH, view_unmap(here.busy.object, here.view)))                                     \
    X(IRQL_TOO_HIGH, free_high, dxgkmem_sim_set_irql(world.sim, DISPATCH_LEVEL);                             \
      VOID_CALL(IRQL_TOO_HIGH, adl_free(here.busy.open, here.adl)))                                          \
    X(WRONG_WDDM_LEVEL, create_old, return create(mdl_arguments(here.old, PAGE)))                            \
    X(WRONG_WDDM_LEVEL, open_old, return open_on(here.unopened.object, here.old))                            \
    X(WRONG_WDDM_LEVEL, pin_old, return pin(here.old, 0, PAGE, 0))                                           \
    X(NULL_HANDLE, open_nothing, return open_on(NULL, here.adapter))                                         \
    X(UNKNOWN_HANDLE, map_unknown, return map_as((HANDLE)&here, 0, 0, PAGE))                                 \
    X(STALE_HANDLE, open_stale, return open_on(here.ended.object, here.adapter))                             \
    X(WRONG_KIND_HANDLE, adl_of_object, return allocate(here.open.object, 0, PAGE, 0))                       \
    X(ADAPTER_REMOVED, create_removed, return create(mdl_arguments(here.removed, PAGE)))                     \
    X(CLOSE_AFTER_DESTROY, close_ended, VOID_CALL(CLOSE_AFTER_DESTROY, thing_close(here.ended.open)))        \
    X(SECOND_OPEN, open_again, return open_on(here.open.object, here.adapter))                               \
    X(SECOND_OPEN, open_on_link, return open_on(here.open.object, here.second_of_chain))                     \
    X(OPEN_ON_OTHER_ADAPTER, open_elsewhere, return open_on(here.open.object, here.other))                   \
    X(NOT_VISIBLE, open_invisible, return open_on(here.far_io.object, here.narrow))                          \
    X(NOT_VISIBLE, create_invisible, return create(io_arguments(here.narrow, RAM_HIGHEST + 0x200, PAGE)))    \
    X(CLOSE_WITH_LIVE_ADL, close_busy, VOID_CALL(CLOSE_WITH_LIVE_ADL, thing_close(here.busy.open)))          \
    X(DESTROY_WITH_LIVE_ADL, destroy_busy, VOID_CALL(DESTROY_WITH_LIVE_ADL, thing_destroy(here.busy)))       \
    X(DESTROY_WITH_LIVE_MAPPING, destroy_mapped,                                                             \
      VOID_CALL(DESTROY_WITH_LIVE_MAPPING, thing_destroy(here.unopened)))                                    \
    X(DESTROY_WHILE_OPEN, destroy_open,                                                                      \
      VOID_CALL(DESTROY_WHILE_OPEN, thing_destroy((struct thing){here.open.object, NULL})))                  \
    X(DESTROY_FOREIGN_ADAPTER_OBJECT, destroy_foreign,                                                       \
      VOID_CALL(DESTROY_FOREIGN_ADAPTER_OBJECT,                                                              \
                thing_destroy((struct thing){here.open.object, here.io.open})))                              \
    X(INVALID_TYPE, type, CREATE_WITH(SMALL, in.Type = (DXGK_PHYSICAL_MEMORY_TYPE)4))                        \
    X(INVALID_CACHE_TYPE, cache, CREATE_WITH(SMALL, in.CacheType = (DXGK_MEMORY_CACHING_TYPE)3))             \
    X(INVALID_CACHE_TYPE, section_cache,                                                                     \
      CREATE_WITH(section_arguments(here.adapter, PAGE, PAGE_READWRITE),                                     \
                  in.CacheType = DXGK_MEMORY_CACHING_TYPE_NON_CACHED))                                       \
    X(INVALID_SIZE, size_zero, return create(mdl_arguments(here.adapter, 0)))                                \
    X(INVALID_SIZE, size_large, return create(contiguous_arguments(here.adapter, (SIZE_T)-1)))               \
    X(INVALID_CONSTRAINTS, mdl_window,                                                                       \
      CREATE_WITH(SMALL, in.Mdl.LowAddress = physical(2); in.Mdl.HighAddress = physical(1)))                 \
    X(INVALID_CONSTRAINTS, mdl_skip, return create_mdl_flags(0, 1, PAGE))                                    \
    X(INVALID_CONSTRAINTS, mdl_hot_remove, return create_mdl_flags(MM_ALLOCATE_AND_HOT_REMOVE, 0, PAGE))     \
    X(INVALID_CONSTRAINTS, mdl_chunks,                                                                       \
      return create_mdl_flags(MM_ALLOCATE_REQUIRE_CONTIGUOUS_CHUNKS, 3 * PAGE, 3 * PAGE))                    \
    X(INVALID_CONSTRAINTS, mdl_large_pages, return create_mdl_flags(MM_ALLOCATE_FAST_LARGE_PAGES, 0, PAGE))  \
    X(INVALID_CONSTRAINTS, contiguous_window,                                                                \
      CREATE_WITH(contiguous_arguments(here.adapter, PAGE),                                                  \
                  in.ContiguousMemory.LowestAcceptableAddress = physical(UINT64_MAX)))                       \
    X(INVALID_CONSTRAINTS, contiguous_boundary,                                                              \
      CREATE_WITH(contiguous_arguments(here.adapter, PAGE),                                                  \
                  in.ContiguousMemory.BoundaryAddressMultiple = physical(0x3000)))                           \
    X(INVALID_CONSTRAINTS, io_beyond,                                                                        \
      return create(io_arguments(here.adapter, ((uint64_t)1 << (ADDRESS_BITS - 12)) - 1, 2 * PAGE)))         \
    X(INVALID_PROTECTION, protection, return create(section_arguments(here.adapter, PAGE, 0x40)))            \
    X(INVALID_ACCESS_MODE, access_mode, return map_as(here.open.object, 2, 0, PAGE))                         \
    X(RESERVED_BITS, mdl_flags, return create_mdl_flags(0x80, 0, PAGE))                                      \
    X(RESERVED_BITS, section_attributes,                                                                     \
      CREATE_WITH(section_arguments(here.adapter, PAGE, PAGE_READWRITE),                                     \
                  in.Section.AllocationAttributes = 1))                                                      \
    X(RESERVED_BITS, adl_second_flag, return allocate(here.open.open, 0, PAGE, 8))                           \
    X(RESERVED_BITS, adl_last_flag, return allocate(here.contiguous.open, 0, PAGE, 0x80000001u))             \
    X(RESERVED_BITS, pin_last_flag, return pin(here.adapter, 0, PAGE, 0x80000000u))                          \
    X(RESERVED_BITS, adl_flags, return allocate(here.open.open, 0, PAGE, 4))                                 \
    X(RESERVED_BITS, pin_flags, return pin(here.adapter, 0, PAGE, 2))                                        \
    X(UNALIGNED_RANGE, io_size, return create(io_arguments(here.adapter, IO_PAGE + 8, PAGE + 1)))            \
    X(UNALIGNED_RANGE, io_base,                                                                              \
      CREATE_WITH(io_arguments(here.adapter, IO_PAGE + 8, PAGE), in.IOSpace.BaseAddress.QuadPart += 8))      \
    X(UNALIGNED_RANGE, adl_offset, return allocate(here.open.open, 1, PAGE, 0))                              \
    X(UNALIGNED_RANGE, adl_size, return allocate(here.open.open, 0, PAGE - 1, 0))                            \
    X(UNALIGNED_RANGE, pin_size, return pin(here.adapter, 0, 1, 0))                                          \
    X(IO_SPACE_OVER_RAM, io_ram, return create(io_arguments(here.adapter, IO_PAGE + 0x80, 0x81 * PAGE)))     \
    X(IO_SPACE_OVERLAP, io_overlap, return create(io_arguments(here.adapter, IO_PAGE + 3, 2 * PAGE)))        \
    X(IO_SPACE_TO_USER, io_user, return map_as(here.io.object, 1, 0, PAGE))                                  \
    X(MAP_OUT_OF_RANGE, map_nothing, return map_as(here.open.object, 0, 0, 0))                               \
    X(MAP_OUT_OF_RANGE, map_past, return map_as(here.open.object, 0, 4 * PAGE, 1))                           \
    X(MAP_OUT_OF_RANGE, map_wraps, return map_as(here.open.object, 0, (SIZE_T)-1, 2))                        \
    X(UNMAP_WRONG_BASE, unmap_base,                                                                          \
      VOID_CALL(UNMAP_WRONG_BASE,                                                                            \
                view_unmap(here.busy.object, (struct view){here.view.base + PAGE, PAGE, 0})))                \
    X(UNMAP_WRONG_BASE, unmap_zero,                                                                          \
      VOID_CALL(UNMAP_WRONG_BASE, view_unmap(here.busy.object, (struct view){NULL, PAGE, 0})))               \
    X(UNMAP_WRONG_SIZE, unmap_size,                                                                          \
      VOID_CALL(UNMAP_WRONG_SIZE, view_unmap(here.busy.object, (struct view){here.view.base, 2 * PAGE, 0}))) \
    X(UNMAP_WRONG_OBJECT, unmap_object,                                                                      \
      VOID_CALL(UNMAP_WRONG_OBJECT, view_unmap(here.open.object, here.view)))                                \
    X(UNMAP_WRONG_PROCESS, unmap_process, dxgkmem_sim_set_process(world.sim, 2);                             \
      VOID_CALL(UNMAP_WRONG_PROCESS, view_unmap(here.unopened.object, here.user)))                           \
    X(CONTIGUOUS_OF_SCATTERED, adl_of_section, return allocate(here.section.open, 0, PAGE, 1))               \
    X(CONTIGUOUS_OF_SCATTERED, adl_contiguous, return allocate(here.open.open, 0, PAGE, 1))                  \
    X(ADL_OUT_OF_RANGE, adl_nothing, return allocate(here.open.open, 0, 0, 0))                               \
    X(ADL_OUT_OF_RANGE, adl_past, return allocate(here.open.open, 4 * PAGE, PAGE, 0))                        \
    X(ADL_OUT_OF_RANGE, adl_far, return allocate(here.open.open, 5 * PAGE, PAGE, 0))                         \
    X(ADL_OUT_OF_RANGE, adl_wraps, return allocate(here.open.open, PAGE, (SIZE_T)-1 & ~(PAGE - 1), 0))       \
    X(ADL_ALREADY_FREED, free_again, VOID_CALL(ADL_ALREADY_FREED, adl_free(here.busy.open, here.freed)))     \
    X(ADL_FOREIGN, free_foreign,                                                                             \
      VOID_CALL(ADL_FOREIGN, adl_free(here.busy.open, (DXGK_ADL *)(void *)&here)))                           \
    X(ADL_FOREIGN, free_inside,                                                                              \
      VOID_CALL(ADL_FOREIGN, adl_free(here.busy.open, (DXGK_ADL *)(void *)((char *)here.adl + 8))))          \
    X(ADL_FOREIGN, free_nothing, VOID_CALL(ADL_FOREIGN, adl_free(here.busy.open, NULL)))                     \
    X(ADL_FOREIGN, free_future, VOID_CALL(ADL_FOREIGN, adl_free(here.busy.open, here.adl + 60)))             \
    X(ADL_OF_OTHER_OBJECT, free_others,                                                                      \
      VOID_CALL(ADL_OF_OTHER_OBJECT, adl_free(here.busy.open, here.others)))                                 \
    X(ADL_OF_FRAME_BUFFER, free_pinned,                                                                      \
      VOID_CALL(ADL_OF_FRAME_BUFFER, adl_free(here.busy.open, here.frame_buffer)))                           \
    X(NOT_LEAD_ADAPTER, pin_second, return pin(here.second_of_chain, 0, PAGE, 0))                            \
    X(NOT_LEAD_ADAPTER, unpin_second, return try_unpin(here.second_of_chain, 1))                             \
    X(FRAME_BUFFER_INDEX, pin_index, return pin(here.adapter, 2, PAGE, 0))                                   \
    X(FRAME_BUFFER_INDEX, pin_far_index, return pin(here.adapter, UINT32_MAX, PAGE, 0))                      \
    X(FRAME_BUFFER_INDEX, unpin_index, return try_unpin(here.adapter, 8))                                    \
    X(FRAME_BUFFER_SIZE, pin_nothing, return pin(here.adapter, 0, 0, 0))                                     \
    X(FRAME_BUFFER_SIZE, pin_more, return pin(here.adapter, 0, (FRAME_BUFFER_PAGES + 1) * PAGE, 0))          \
    X(PINNED_TWICE, pin_again, return pin(here.adapter, 1, PAGE, 0))                                         \
    X(NOT_PINNED, unpin_nothing, return try_unpin(here.adapter, 0))                                          \
    X(LEGACY_CALLBACK, legacy, return try_free_contiguous(here.other, here.block.handle))                    \
    X(LEGACY_CALLBACK, legacy_pages, struct handed_memory memory;                                            \
      return try_pages(here.other, PAGE, 0, &memory))                                                        \
    X(MEMORY_OF_OTHER_ADAPTER, others_block, return try_free_contiguous(here.old, here.block.handle))        \
    X(MEMORY_OF_OTHER_ADAPTER, others_pages, return try_free_pages(here.old, here.pages.handle))             \
    X(MEMORY_OF_OTHER_CALL, block_as_pages, return try_free_pages(here.adapter, here.block.handle))          \
    X(MEMORY_OF_OTHER_CALL, pages_as_block, return try_free_contiguous(here.adapter, here.pages.handle))     \
    X(NOT_LEAD_ADAPTER, pin_mdl_second, return pin_mdl(here.second_of_chain, 0, PAGE))                       \
    X(FRAME_BUFFER_INDEX, pin_mdl_index, return pin_mdl(here.adapter, 2, PAGE))                              \
    X(FRAME_BUFFER_SIZE, pin_mdl_more, return pin_mdl(here.adapter, 0, (FRAME_BUFFER_PAGES + 1) * PAGE))     \
    X(UNALIGNED_RANGE, pin_mdl_part, return pin_mdl(here.adapter, 0, PAGE - 1))                              \
    X(PINNED_TWICE, pin_mdl_again, return pin_mdl(here.adapter, 1, PAGE))                                    \
    X(LEGACY_CALLBACK, pin_mdl_legacy, return pin_mdl(here.other, 0, PAGE))                                  \
    X(NOT_LEAD_ADAPTER, map_save_second, return map_save(here.second_of_chain, 0, 0, PAGE))                  \
    X(FRAME_BUFFER_INDEX, map_save_index, return map_save(here.adapter, 2, 0, PAGE))                         \
    X(UNALIGNED_RANGE, map_save_part, return map_save(here.adapter, 1, 0, PAGE - 1))                         \
    X(UNALIGNED_RANGE, map_save_inside, return map_save(here.adapter, 1, 8, PAGE))                           \
    X(MAP_OUT_OF_RANGE, map_save_nothing, return map_save(here.adapter, 1, 0, 0))                            \
    X(MAP_OUT_OF_RANGE, map_save_past, return map_save(here.adapter, 0, FRAME_BUFFER_PAGES * PAGE, PAGE))    \
    X(MAP_OUT_OF_RANGE, map_save_wraps, return map_save(here.adapter, 1, (SIZE_T)0 - PAGE, 2 * PAGE))        \
    X(FRAME_BUFFER_MAPPED, map_save_again, return map_save(here.adapter, 1, 0, PAGE))                        \
    X(LEGACY_CALLBACK, map_save_legacy, return map_save(here.other, 0, 0, PAGE))                             \
    X(LEGACY_CALLBACK, unmap_save_legacy, return try_unmap_frame_buffer(here.other, 0, here.saved))          \
    X(UNMAP_WRONG_OBJECT, unmap_save_other, return try_unmap_frame_buffer(here.adapter, 0, here.saved))      \
    X(UNMAP_WRONG_BASE, unmap_save_unused,                                                                   \
      return try_unmap_frame_buffer(here.adapter, 0, here.saved + PAGE))                                     \
    X(UNMAP_WRONG_BASE, unmap_save_base, return try_unmap_frame_buffer(here.adapter, 1, here.saved + PAGE))  \
    X(UNMAP_WRONG_OBJECT, unmap_save_object, return try_unmap_frame_buffer(here.adapter, 1, here.view.base)) \
    X(MEMORY_OF_OTHER_CALL, mapped_as_pages, return try_free_pages(here.adapter, here.mapped))               \
    X(MEMORY_OF_OTHER_CALL, block_as_mapped,                                                                 \
      VOID_CALL(MEMORY_OF_OTHER_CALL, mdl_unmap(here.adapter, here.block.handle)))                           \
    X(MEMORY_OF_OTHER_ADAPTER, others_mapped,                                                                \
      VOID_CALL(MEMORY_OF_OTHER_ADAPTER, mdl_unmap(here.old, here.mapped)))                                  \
    X(LEGACY_CALLBACK, legacy_mdl, return map_mdl(here.other, 1, 0))                                         \
    X(INVALID_MDL, no_mdl, HANDLE memory; return try_map_mdl(here.adapter, NULL, &memory))                   \
    X(MDL_PAGE_NOT_HELD, io_page_in_mdl, return map_mdl(here.adapter, 1, IO_PAGE))                           \
    X(NOT_VISIBLE, far_page_in_mdl, return map_mdl(here.narrow, 1, RAM_HIGHEST + 0x100))                     \
    X(MDL_PAGE_TWICE, mapped_twice, return map_mdl(here.adapter, 0, 0))                                      \
    X(INVALID_SIZE, empty_block, struct handed_memory memory;                                                \
      return try_contiguous(here.adapter, 0, &memory))                                                       \
    X(RESERVED_BITS, pages_flags, struct handed_memory memory;                                               \
      return try_pages(here.adapter, PAGE, 0x80, &memory))                                                   \
    X(UNRELATED_CALLBACK, unrelated, return world.ddi.DxgkCbQueueDpc())

static NTSTATUS pin_mdl(HANDLE adapter, UINT index, SIZE_T bytes)
{
    struct dxgkmem_mdl *mdl;
    return try_pin_mdl(adapter, index, bytes, &mdl);
}

static NTSTATUS map_save(HANDLE adapter, UINT index, SIZE_T offset, SIZE_T bytes)
{
    unsigned char *base;
    return try_map_frame_buffer(adapter, index, offset, bytes, &base);
}

/* An MDL of two pages from `first` on; instead: of the second one, or 0. */
static NTSTATUS map_mdl(HANDLE adapter, unsigned first, ULONG_PTR instead)
{
    struct own_mdl mdl = own_mdl(first, 2);
    HANDLE memory;
    if (instead != 0)
        mdl.page[1] = instead;
    return try_map_mdl(adapter, &mdl, &memory);
}

ROWS(ROW)

static const struct row {
    enum dxgkmem_violation_code code;
    const char *name;
    NTSTATUS (*call)(void);
} rows[] = {
#define TABLE_ROW(code, name, call) {DXGKMEM_VIOLATION_##code, #name, name},
    ROWS(TABLE_ROW)
#undef TABLE_ROW
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void every_violation(void **state)
{
    (void)state;
    for (size_t i = 0; i < ROW_COUNT; i++) {
        struct state before = state_now();
        NTSTATUS status = rows[i].call();

        dxgkmem_sim_set_irql(world.sim, PASSIVE_LEVEL);
        dxgkmem_sim_set_process(world.sim, 1);
        if (world.violations != 1 || world.seen[0].code != rows[i].code)
            fail_msg("%s: %u violations, first %s", rows[i].name, world.violations,
                     dxgkmem_violation_name(world.seen[0].code));
        world.violations = 0;
        if (status != dxgkmem_violation_status(rows[i].code))
            fail_msg("%s returned 0x%x", rows[i].name, (unsigned)status);
        assert_true(status != STATUS_SUCCESS);
        if (rows[i].code == DXGKMEM_VIOLATION_MDL_PAGE_TWICE) {
            expect_same_things(&before); /* the machine held the pages for a moment */
            expect_same_pool(&before);
            continue;
        }
        expect_unchanged(&before);
    }
}

/* Arguments at every misalignment: nothing is written, not even out fields. */
static void misaligned_arguments(void **state)
{
    static union {
        unsigned char bytes[sizeof(create_arguments) + 64];
        uint64_t aligned;
    } block;
    unsigned char copy[sizeof(block)];
    struct state before = state_now();
    (void)state;

    memset(&block, 0xc3, sizeof(block));
    memcpy(copy, &block, sizeof(block));
    for (unsigned off = 1; off < sizeof(void *); off++) {
        void *misaligned = block.bytes + off;
        /* Through integers: a pointer of the wrong alignment must not even be made in C. */
        uintptr_t at = (uintptr_t)misaligned;
        assert_int_equal(world.ddi.DxgkCbCreatePhysicalMemoryObject((void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbOpenPhysicalMemoryObject((void *)at), STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbMapPhysicalMemory((void *)at), STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbAllocateAdl((void *)at), STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbPinFrameBufferForSave2(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbAllocateContiguousMemory(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbFreeContiguousMemory(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbAllocatePagesForMdl(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbFreePagesFromMdl(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbPinFrameBufferForSave(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbMapFrameBufferPointer(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbUnmapFrameBufferPointer(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        assert_int_equal(world.ddi.DxgkCbMapMdlToIoMmu(here.adapter, (void *)at),
                         STATUS_DATATYPE_MISALIGNMENT);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        world.ddi.DxgkCbUnmapMdlFromIoMmu(here.adapter, (void *)at);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        if (off % 4 != 0) {
            assert_int_equal(world.ddi.DxgkCbUnpinFrameBufferForSave(here.adapter, (void *)at),
                             STATUS_DATATYPE_MISALIGNMENT);
            (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        }
        world.ddi.DxgkCbDestroyPhysicalMemoryObject((void *)at);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        world.ddi.DxgkCbClosePhysicalMemoryObject((void *)at);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        world.ddi.DxgkCbUnmapPhysicalMemory((void *)at);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
        world.ddi.DxgkCbFreeAdl((void *)at);
        (void)expect_code(DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS);
    }
    assert_memory_equal(copy, &block, sizeof(block));
    expect_unchanged(&before);
}

/* A call while nothing runs touches nothing at all. */
static void not_started(void **state)
{
    create_arguments in, after;
    (void)state;
    (void)world_setup(NULL);
    in = mdl_arguments(world.adapter, PAGE);
    in.hPhysicalMemoryObject = in.hAdapterMemoryObject = PATTERN;
    memcpy(&after, &in, sizeof(in));
    world_end();
    assert_int_equal(world.ddi.DxgkCbCreatePhysicalMemoryObject(&after), STATUS_INVALID_DEVICE_STATE);
    assert_int_equal(expect_code(DXGKMEM_VIOLATION_NOT_STARTED).operation, 0);
    assert_memory_equal(&after, &in, sizeof(in));
    thing_destroy(here.open);
    (void)expect_code(DXGKMEM_VIOLATION_NOT_STARTED);
}

static void every_code_has_a_row(void **state)
{
    (void)state;
    for (int code = DXGKMEM_VIOLATION_NONE + 1; code < DXGKMEM_VIOLATION_COUNT; code++) {
        bool found = code == DXGKMEM_VIOLATION_NOT_STARTED ||
                     code == DXGKMEM_VIOLATION_MISALIGNED_ARGUMENTS ||
                     code == DXGKMEM_VIOLATION_MDL_SCRIBBLED;
        /* What is no refusal: the call is carried out. */
        found = found || code == DXGKMEM_VIOLATION_ADL_SCRIBBLED ||
                code == DXGKMEM_VIOLATION_LEFT_AT_PROCESS_EXIT || code == DXGKMEM_VIOLATION_LEFT_AT_REMOVAL ||
                code == DXGKMEM_VIOLATION_LEFT_AT_STOP;
        for (size_t i = 0; i < ROW_COUNT; i++)
            found = found || rows[i].code == (enum dxgkmem_violation_code)code;
        if (!found)
            fail_msg("no row provokes %s", dxgkmem_violation_name((enum dxgkmem_violation_code)code));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_violation, setup, teardown),
        cmocka_unit_test_setup_teardown(misaligned_arguments, setup, teardown),
        cmocka_unit_test(not_started),
        cmocka_unit_test(every_code_has_a_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
