/* SPDX-License-Identifier: MIT */
/*
 * Claim: each byte of pArgs is read at most once, out fields are written once and last,
 * and a change of the block after it was read has no effect.
 *
 * The block lies in watched memory (reads/watch.h). x86-64 Linux only. Whole programs are
 * looked at like this by `dxgkmem reads`.
 */
#include "tests/support/world.h"

#if defined(__x86_64__) && defined(__linux__)

#include "reads/watch.h"

#define ACCESSES 256

static unsigned char *page;
static struct watch_access access_made[ACCESSES];
static unsigned accesses;
/* After so many reads the block is overwritten, as another thread would. 0: never. */
static unsigned disturb_after;

static void note(void *context, const struct watch_access *access)
{
    (void)context;
    assert_true(accesses < ACCESSES);
    access_made[accesses++] = *access;
    if (disturb_after == 0 || accesses < disturb_after)
        return;
    disturb_after = 0;
    memset(page, 0xff, 256);
}

static int setup(void **state)
{
    page = watch_open(note, NULL);
    if (page == NULL)
        return -1;
    return world_setup(state);
}

static int teardown(void **state)
{
    watch_close();
    return world_teardown(state);
}

/* Calls of each callback with the block at `page`. */
enum callback { CREATE, DESTROY, OPEN, CLOSE, MAP, UNMAP, ALLOCATE_ADL, FREE_ADL, PIN, UNPIN, CALLBACKS };

static const struct {
    size_t bytes;
    unsigned outputs; /* words at most that it writes */
} form[CALLBACKS] = {
    [CREATE] = {sizeof(create_arguments), 2},
    [DESTROY] = {sizeof(DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT), 0},
    [OPEN] = {sizeof(DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT), 1},
    [CLOSE] = {sizeof(DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT), 0},
    [MAP] = {sizeof(DXGKARGCB_MAP_PHYSICAL_MEMORY), 3},
    [UNMAP] = {sizeof(DXGKARGCB_UNMAP_PHYSICAL_MEMORY), 0},
    [ALLOCATE_ADL] = {sizeof(DXGKARGCB_ALLOCATE_ADL), 1},
    [FREE_ADL] = {sizeof(DXGKARGCB_FREE_ADL), 0},
    [PIN] = {sizeof(DXGKARGCB_PINFRAMEBUFFERFORSAVE2), 1},
    [UNPIN] = {sizeof(DXGKARGCB_UNPINFRAMEBUFFERFORSAVE), 0},
};

static NTSTATUS call(enum callback callback)
{
    switch (callback) {
    case CREATE:
        return world.ddi.DxgkCbCreatePhysicalMemoryObject((void *)page);
    case DESTROY:
        world.ddi.DxgkCbDestroyPhysicalMemoryObject((void *)page);
        return STATUS_SUCCESS;
    case OPEN:
        return world.ddi.DxgkCbOpenPhysicalMemoryObject((void *)page);
    case CLOSE:
        world.ddi.DxgkCbClosePhysicalMemoryObject((void *)page);
        return STATUS_SUCCESS;
    case MAP:
        return world.ddi.DxgkCbMapPhysicalMemory((void *)page);
    case UNMAP:
        world.ddi.DxgkCbUnmapPhysicalMemory((void *)page);
        return STATUS_SUCCESS;
    case ALLOCATE_ADL:
        return world.ddi.DxgkCbAllocateAdl((void *)page);
    case FREE_ADL:
        world.ddi.DxgkCbFreeAdl((void *)page);
        return STATUS_SUCCESS;
    case PIN:
        return world.ddi.DxgkCbPinFrameBufferForSave2(world.adapter, (void *)page);
    default:
        return world.ddi.DxgkCbUnpinFrameBufferForSave(world.adapter, (void *)page);
    }
}

static NTSTATUS watched_call(enum callback callback, const void *arguments)
{
    NTSTATUS status;
    memcpy(page, arguments, form[callback].bytes);
    accesses = 0;
    watch_begin((const struct watch_place[WATCH_PLACES]){{NULL, 0}});
    status = call(callback);
    watch_end();
    return status;
}

/* Reads: every word once, in any order; single bytes after the last whole word. Writes: after all reads. */
static void judge(enum callback callback)
{
    unsigned reads = 0, writes = 0;
    unsigned char read[256];
    memset(read, 0, sizeof(read));
    for (unsigned i = 0; i < accesses; i++) {
        unsigned at = access_made[i].offset;
        assert_true(at < form[callback].bytes);
        if (access_made[i].write) {
            writes++;
            continue;
        }
        assert_int_equal(writes, 0);
        assert_int_equal(read[at], 0);
        read[at] = 1;
        assert_true(at % sizeof(uintptr_t) == 0 || at >= form[callback].bytes / 8 * 8);
        reads++;
    }
    assert_int_equal(reads, form[callback].bytes / 8 + form[callback].bytes % 8);
    assert_true(writes <= form[callback].outputs);
}

/* One whole life, with every block watched; disturbed: overwritten after the last read. */
static void whole_life(bool disturbed)
{
#define WATCHED(callback, arguments)                                                                         \
    (disturb_after = disturbed ? (unsigned)(form[callback].bytes / 8 + form[callback].bytes % 8) : 0,        \
     watched_call(callback, arguments))
    create_arguments create = mdl_arguments(NULL, 4 * PAGE);
    DXGKARGCB_OPEN_PHYSICAL_MEMORY_OBJECT open = {NULL, world.adapter, NULL};
    DXGKARGCB_MAP_PHYSICAL_MEMORY map = {NULL, DXGK_ACCESS_MODE_KERNEL_MODE, 5, PAGE, NULL};
    DXGKARGCB_UNMAP_PHYSICAL_MEMORY unmap;
    DXGKARGCB_ALLOCATE_ADL allocate;
    DXGKARGCB_FREE_ADL free_it;
    DXGKARGCB_CLOSE_PHYSICAL_MEMORY_OBJECT close_it;
    DXGKARGCB_DESTROY_PHYSICAL_MEMORY_OBJECT destroy = {NULL, NULL};
    DXGKARGCB_PINFRAMEBUFFERFORSAVE2 pin;
    DXGKARGCB_UNPINFRAMEBUFFERFORSAVE unpin = {0};

    assert_int_equal(WATCHED(CREATE, &create), STATUS_SUCCESS);
    judge(CREATE);
    memcpy(&create, page, sizeof(create));
    open.hPhysicalMemoryObject = map.hPhysicalMemoryObject = destroy.hPhysicalMemoryObject =
        create.hPhysicalMemoryObject;
    assert_int_equal(WATCHED(OPEN, &open), STATUS_SUCCESS);
    judge(OPEN);
    memcpy(&open, page, sizeof(open));
    assert_int_equal(WATCHED(MAP, &map), STATUS_SUCCESS);
    judge(MAP);
    memcpy(&map, page, sizeof(map));
    assert_int_equal(map.Offset, 5);
    assert_int_equal(map.Size, 2 * PAGE);
    memset(&allocate, 0, sizeof(allocate));
    allocate.hAdapterMemoryObject = open.hAdapterMemoryObject;
    allocate.Size = 4 * PAGE;
    assert_int_equal(WATCHED(ALLOCATE_ADL, &allocate), STATUS_SUCCESS);
    judge(ALLOCATE_ADL);
    memcpy(&allocate, page, sizeof(allocate));
    assert_int_equal(allocate.pAdl->PageCount, 4);
    memset(&pin, 0, sizeof(pin));
    pin.CommitSize = PAGE;
    assert_int_equal(WATCHED(PIN, &pin), STATUS_SUCCESS);
    judge(PIN);
    assert_int_equal(WATCHED(UNPIN, &unpin), STATUS_SUCCESS);
    judge(UNPIN);
    free_it.hAdapterMemoryObject = open.hAdapterMemoryObject;
    free_it.pAdl = allocate.pAdl;
    (void)WATCHED(FREE_ADL, &free_it);
    judge(FREE_ADL);
    unmap.hPhysicalMemoryObject = create.hPhysicalMemoryObject;
    unmap.pBaseAddress = map.pMappedAddress;
    unmap.Size = map.Size;
    (void)WATCHED(UNMAP, &unmap);
    judge(UNMAP);
    close_it.hAdapterMemoryObject = open.hAdapterMemoryObject;
    (void)WATCHED(CLOSE, &close_it);
    judge(CLOSE);
    (void)WATCHED(DESTROY, &destroy);
    judge(DESTROY);
    expect_no_violation();
#undef WATCHED
}

static void each_byte_once(void **state)
{
    (void)state;
    whole_life(false);
}

/* Whoever overwrites the block meanwhile loses: out fields are written over it, nothing else is affected. */
static void later_changes_have_no_effect(void **state)
{
    (void)state;
    whole_life(true);
}

/* A refused call looks no more often than one that succeeds. */
static void refused_calls(void **state)
{
    struct thing stale = thing_create(mdl_arguments(NULL, PAGE));
    unsigned char block[256];
    (void)state;
    thing_destroy(stale);
    memset(block, 0, sizeof(block));
    for (int i = CREATE; i < CALLBACKS; i++) {
        memcpy(block, &stale.object, sizeof(stale.object));
        disturb_after = 0;
        (void)watched_call((enum callback)i, block);
        judge((enum callback)i);
        assert_int_equal(world.violations, 1);
        world.violations = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_byte_once, setup, teardown),
        cmocka_unit_test_setup_teardown(later_changes_have_no_effect, setup, teardown),
        cmocka_unit_test_setup_teardown(refused_calls, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void skipped(void **state)
{
    (void)state;
    skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(skipped)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
