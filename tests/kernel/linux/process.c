/* SPDX-License-Identifier: MIT */
/*
 * A process that has memory of objects mapped: it sees what the kernel and a device see, has no more access
 * than the object, cannot keep anything, and no other process sees it. With dxgkmem_test.ko, run=user; started
 * by load.c.
 */
#include "test/user.h"

#include <dxgkmem/dxgkmem.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096u
#define DEVICE_BYTES 4088u /* of a page that the device moves */

static unsigned checks, failures;

#define CHECK(holds)                                                                                         \
    do {                                                                                                     \
        checks++;                                                                                            \
        if (!(holds)) {                                                                                      \
            failures++;                                                                                      \
            printf("test: FAIL process.c:%d: %s\n", __LINE__, #holds);                                       \
        }                                                                                                    \
    } while (0)

static int device;

static struct user_call ask(enum user_what what, unsigned object, unsigned page, unsigned value)
{
    struct user_call call = {.what = what, .object = object, .page = page, .value = value};

    if (ioctl(device, USER_IOC_CALL, &call) != 0)
        call.status = -errno;
    return call;
}

/* A mapping of this process. */
struct view {
    uint8_t *base;
    size_t bytes;
};

static int32_t map(unsigned object, size_t offset, size_t bytes, struct view *view)
{
    struct user_call call = {.what = USER_MAP, .object = object, .address = offset, .bytes = bytes};

    CHECK(ioctl(device, USER_IOC_CALL, &call) == 0);
    view->base = (uint8_t *)(uintptr_t)call.address;
    view->bytes = call.bytes;
    return call.status;
}

/* The violation that it was, or 0. */
static uint32_t unmap(unsigned object, const uint8_t *base, size_t bytes)
{
    struct user_call call = {
        .what = USER_UNMAP, .object = object, .address = (uintptr_t)base, .bytes = bytes};

    CHECK(ioctl(device, USER_IOC_CALL, &call) == 0);
    return call.violation;
}

static unsigned mappings(void)
{
    return ask(USER_MAPPINGS, 0, 0, 0).value;
}

/* -- access -------------------------------------------------------------------------- */

static sigjmp_buf back;

static void take_signal(int number)
{
    siglongjmp(back, number);
}

/* 0, or the signal that the access is answered with. */
static int touch(uint8_t *address, bool write)
{
    int number = sigsetjmp(back, 1);

    if (number == 0) {
        uint8_t byte = *(volatile uint8_t *)address;
        if (write)
            *(volatile uint8_t *)address = byte;
    }
    return number;
}

static void fill(uint8_t *page, uint8_t seed)
{
    for (unsigned i = 0; i < PAGE; i++)
        ((volatile uint8_t *)page)[i] = user_byte(i, seed);
}

static bool is_filled(const uint8_t *page, unsigned bytes, uint8_t seed)
{
    for (unsigned i = 0; i < bytes; i++)
        if (((const volatile uint8_t *)page)[i] != user_byte(i, seed))
            return false;
    return true;
}

/* -- one object ------------------------------------------------------------------------ */

/* What the process writes the kernel and the device see, and the other way round. */
static void both_ways(struct view view)
{
    for (unsigned page = 0; page < USER_PAGES; page++) {
        uint8_t *here = view.base + page * PAGE;

        fill(here, (uint8_t)(20 + page));
        CHECK(ask(USER_SEES, 0, page, 20 + page).value == 1);
        CHECK(ask(USER_FILL, 0, page, 40 + page).status == 0);
        CHECK(is_filled(here, PAGE, (uint8_t)(40 + page)));
    }
    CHECK(ask(USER_DEVICE_SEES, 0, 1, 41).value == 1);
    fill(view.base + PAGE, 60);
    CHECK(ask(USER_DEVICE_SEES, 0, 1, 60).value == 1);
    CHECK(ask(USER_DEVICE_FILL, 0, 1, 80).status == 0);
    CHECK(is_filled(view.base + PAGE, DEVICE_BYTES, 80));
}

static void every_kind(void)
{
    /* Of the page table: write-back, PCD (not cached), PWT (write-combined with the kernel's PAT). */
    static const uint32_t cache[USER_KINDS] = {0, 0x10, 0x08, 0};

    for (unsigned kind = 0; kind < USER_KINDS; kind++) {
        bool write = kind != USER_READ_ONLY;
        struct view view;

        CHECK(ask(USER_CREATE, 0, 0, kind).status == 0);
        CHECK(map(0, 0, USER_PAGES * PAGE, &view) == 0);
        CHECK(view.bytes == USER_PAGES * PAGE && (uintptr_t)view.base % PAGE == 0);
        if (write)
            both_ways(view);
        CHECK(touch(view.base, true) == (write ? 0 : SIGSEGV));
        for (unsigned page = 0; page < USER_PAGES; page++) {
            struct user_call call = {.what = USER_CACHE, .address = (uintptr_t)view.base + page * PAGE};
            CHECK(ioctl(device, USER_IOC_CALL, &call) == 0 && call.value == cache[kind]);
        }
        CHECK(unmap(0, view.base, view.bytes + PAGE) == DXGKMEM_VIOLATION_UNMAP_WRONG_SIZE);
        CHECK(touch(view.base, write) == 0);
        CHECK(unmap(0, view.base, view.bytes) == 0);
        for (unsigned page = 0; page < USER_PAGES; page++)
            CHECK(touch(view.base + page * PAGE, false) == SIGSEGV);
        CHECK(unmap(0, view.base, view.bytes) == DXGKMEM_VIOLATION_UNMAP_WRONG_BASE);
        CHECK(ask(USER_DESTROY, 0, 0, 0).violation == 0);
    }
}

/* A mapping shows its pages and no others. */
static void part(void)
{
    struct view view;

    CHECK(ask(USER_CREATE, 0, 0, USER_MDL).status == 0);
    CHECK(ask(USER_FILL, 0, 1, 7).status == 0);
    CHECK(map(0, PAGE + 0x800, 0x100, &view) == 0 && view.bytes == PAGE);
    CHECK(is_filled(view.base, PAGE, 7));
    CHECK(unmap(0, view.base, view.bytes) == 0);
    CHECK(ask(USER_DESTROY, 0, 0, 0).violation == 0);
}

/* -- what a process tries -------------------------------------------------------------------- */

static void cannot_get_more(void)
{
    struct view view;

    CHECK(ask(USER_CREATE, 0, 0, USER_READ_ONLY).status == 0);
    CHECK(map(0, 0, USER_PAGES * PAGE, &view) == 0);
    CHECK(mprotect(view.base, view.bytes, PROT_READ | PROT_WRITE) != 0 && errno == EACCES);
    CHECK(mprotect(view.base, view.bytes, PROT_READ | PROT_EXEC) != 0 && errno == EACCES);
    CHECK(touch(view.base, true) == SIGSEGV);
    CHECK(unmap(0, view.base, view.bytes) == 0);
    CHECK(ask(USER_DESTROY, 0, 0, 0).violation == 0);
}

static void cannot_keep_any(void)
{
    struct view view;
    struct iovec here;
    uint8_t byte;
    int ends[2] = {-1, -1};

    CHECK(ask(USER_CREATE, 0, 0, USER_MDL).status == 0);
    CHECK(map(0, 0, USER_PAGES * PAGE, &view) == 0);
    here = (struct iovec){view.base, PAGE};
    CHECK(mprotect(view.base, view.bytes, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 && errno == EACCES);
    CHECK(mremap(view.base, view.bytes, 2 * view.bytes, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK(mremap(view.base, 0, PAGE, MREMAP_MAYMOVE) == MAP_FAILED);
    CHECK(mremap(view.base, view.bytes, view.bytes, MREMAP_MAYMOVE | MREMAP_FIXED, view.base - (1u << 30)) ==
          MAP_FAILED);
    CHECK(munmap(view.base, PAGE) != 0 && munmap(view.base + PAGE, PAGE) != 0);
    CHECK(mprotect(view.base, PAGE, PROT_NONE) != 0);
    CHECK(madvise(view.base, view.bytes, MADV_DOFORK) != 0);
    CHECK(madvise(view.base, view.bytes, MADV_DONTNEED) != 0);
    CHECK(madvise(view.base, view.bytes, MADV_REMOVE) != 0);
    CHECK(pipe(ends) == 0 && vmsplice(ends[1], &here, 1, 0) < 0);
    CHECK(process_vm_readv(getpid(), &(struct iovec){&byte, 1}, 1, &here, 1, 0) < 0);
    close(ends[0]);
    close(ends[1]);
    for (unsigned page = 0; page < USER_PAGES; page++)
        CHECK(touch(view.base + page * PAGE, true) == 0);
    CHECK(unmap(0, view.base, view.bytes) == 0);
    CHECK(touch(view.base, false) == SIGSEGV);
    CHECK(ask(USER_DESTROY, 0, 0, 0).violation == 0);
}

/* It takes the area out by itself. What is there then, and what comes to the same address, is not touched by UNMAP. */
static void takes_it_out(void)
{
    struct view view, again;
    uint8_t *other;

    CHECK(ask(USER_CREATE, 0, 0, USER_MDL).status == 0);
    CHECK(map(0, 0, USER_PAGES * PAGE, &view) == 0);
    CHECK(munmap(view.base, view.bytes) == 0);
    CHECK(touch(view.base, false) == SIGSEGV);
    /* No second one where the first still is, as far as core knows. */
    if (map(0, 0, USER_PAGES * PAGE, &again) == 0) {
        CHECK(again.base + again.bytes <= view.base || view.base + view.bytes <= again.base);
        CHECK(unmap(0, again.base, again.bytes) == 0);
    }
    other = mmap(view.base, view.bytes, PROT_READ | PROT_WRITE,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    CHECK(other == view.base);
    fill(other, 9);
    CHECK(unmap(0, view.base, view.bytes) == 0);
    CHECK(is_filled(other, PAGE, 9));
    munmap(other, view.bytes);
    CHECK(map(0, 0, USER_PAGES * PAGE, &again) == 0);
    CHECK(touch(again.base, true) == 0);
    CHECK(unmap(0, again.base, again.bytes) == 0);
    CHECK(ask(USER_DESTROY, 0, 0, 0).violation == 0);
}

static void destroy_is_refused(void)
{
    unsigned before = mappings();
    struct view view;

    CHECK(ask(USER_CREATE, 3, 0, USER_MDL).status == 0);
    CHECK(map(3, 0, PAGE, &view) == 0);
    /* All else of the object goes, the object with this mapping stays. */
    CHECK(ask(USER_DESTROY, 3, 0, 0).violation == DXGKMEM_VIOLATION_DESTROY_WITH_LIVE_MAPPING);
    CHECK(mappings() == before + 1);
    CHECK(touch(view.base, true) == 0);
}

/* -- other processes ----------------------------------------------------------------------------- */

static int child(void (*body)(const struct view *view), const struct view *view)
{
    int status = -1;
    pid_t process = fork();

    if (process == 0) {
        unsigned before = failures;
        device = open("/dev/dxgkmem_test", O_RDWR | O_CLOEXEC); /* its own: it ends with it */
        CHECK(device >= 0);
        body(view);
        fflush(stdout);
        _exit(failures != before);
    }
    waitpid(process, &status, 0);
    return status;
}

static void sees_nothing(const struct view *view)
{
    for (unsigned page = 0; page < USER_PAGES; page++)
        CHECK(touch(view->base + page * PAGE, false) == SIGSEGV);
    CHECK(unmap(0, view->base, view->bytes) == DXGKMEM_VIOLATION_UNMAP_WRONG_PROCESS);
}

static void maps_and_ends(const struct view *view)
{
    struct view mine;

    (void)view;
    CHECK(map(0, 0, USER_PAGES * PAGE, &mine) == 0);
    fill(mine.base, 33);
}

static void other_processes(void)
{
    unsigned before;
    struct view view;

    CHECK(ask(USER_CREATE, 0, 0, USER_MDL).status == 0);
    CHECK(map(0, 0, USER_PAGES * PAGE, &view) == 0);
    CHECK(child(sees_nothing, &view) == 0);
    CHECK(touch(view.base, true) == 0);
    before = mappings();
    CHECK(child(maps_and_ends, &view) == 0);
    CHECK(mappings() == before); /* the end of the process undid it */
    CHECK(is_filled(view.base, PAGE, 33));
    CHECK(unmap(0, view.base, view.bytes) == 0);
    CHECK(ask(USER_DESTROY, 0, 0, 0).violation == 0);
}

/* The instance ends while another process has a mapping: that process gets a bus error, and nothing else. */
static void stop_under_a_process(void)
{
    int ready[2] = {-1, -1}, go[2] = {-1, -1}, status = -1;
    unsigned before = mappings();
    char byte;
    pid_t process;

    CHECK(ask(USER_CREATE, 0, 0, USER_MDL).status == 0);
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    process = fork();
    if (process == 0) {
        struct view view;
        bool held = map(0, 0, USER_PAGES * PAGE, &view) == 0 && touch(view.base, true) == 0;

        (void)!write(ready[1], "", 1);
        (void)!read(go[0], &byte, 1);
        held = held && touch(view.base, false) == SIGBUS && touch(view.base, true) == SIGBUS;
        _exit(!held);
    }
    CHECK(read(ready[0], &byte, 1) == 1);
    CHECK(mappings() == before + 2);
    CHECK(ask(USER_STOP, 0, 0, 0).value == before + 2);
    CHECK(write(go[1], "", 1) == 1);
    CHECK(waitpid(process, &status, 0) == process && status == 0);
}

/* load.c calls it between loading and unloading. */
void guest_checks(void);

void guest_checks(void)
{
    struct sigaction action = {.sa_handler = take_signal};

    mount("none", "/dev", "devtmpfs", 0, NULL);
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    device = open("/dev/dxgkmem_test", O_RDWR | O_CLOEXEC);
    CHECK(device >= 0);
    every_kind();
    part();
    cannot_get_more();
    cannot_keep_any();
    takes_it_out();
    other_processes();
    destroy_is_refused();
    stop_under_a_process();
    close(device);
    printf("process: %u checks, %u failed\n", checks, failures);
}
