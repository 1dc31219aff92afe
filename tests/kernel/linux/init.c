/* SPDX-License-Identifier: MIT */
/*
 * The first and only program of the guest: loads the module, does what the kernel's parameter `mode`
 * says, unloads the module, and prints DONE and how many bytes of replies there are.
 *
 *   mode=replay   gives every request of the shared memory to the device
 *   mode=misuse   does everything wrong (misuse.c)
 *   mode=sweep    gives every request to the device as often as it allocates, and lets each
 *                 allocation fail once (sweep.c)
 *   mode=fuzz     says READY and answers a fuzzer outside, until the guest is ended
 */
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

static void power_off(void) __attribute__((noreturn));

static void power_off(void)
{
    fflush(stdout);
    sync();
    reboot(RB_AUTOBOOT); /* QEMU ends: -no-reboot */
    for (;;)
        pause();
}

void guest_die(const char *format, ...)
{
    va_list arguments;

    printf("FAIL ");
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    printf("\n");
    power_off();
}

void guest_load(const char *parameters)
{
    int file = open("/dxgkmem.ko", O_RDONLY);

    if (file < 0 || syscall(SYS_finit_module, file, parameters, 0) != 0)
        guest_die("the module cannot be loaded: %s", strerror(errno));
    close(file);
}

int guest_unload(void)
{
    return syscall(SYS_delete_module, "dxgkmem", O_NONBLOCK) == 0 ? 0 : errno;
}

int guest_open(void)
{
    int device = open("/dev/" DXGKMEM_DEVICE, O_RDWR | O_CLOEXEC);

    if (device < 0)
        guest_die("/dev/%s cannot be opened: %s", DXGKMEM_DEVICE, strerror(errno));
    return device;
}

int guest_call(int device, const void *request, size_t request_bytes, void *reply, size_t reply_room,
               struct dxgkmem_request *call)
{
    *call = (struct dxgkmem_request){
        .request = (uintptr_t)request,
        .reply = (uintptr_t)reply,
        .request_bytes = (uint32_t)request_bytes,
        .reply_room = (uint32_t)reply_room,
    };
    return ioctl(device, DXGKMEM_IOC_CALL, call) == 0 ? 0 : errno;
}

static uint8_t *map_shared(void)
{
    glob_t devices;
    void *memory = MAP_FAILED;

    if (glob("/sys/bus/pci/devices/*/resource2", 0, NULL, &devices) != 0 || devices.gl_pathc != 1)
        guest_die("there is not one device with shared memory");
    int file = open(devices.gl_pathv[0], O_RDWR);
    if (file >= 0)
        memory = mmap(NULL, GUEST_SHARED_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (memory == MAP_FAILED)
        guest_die("the shared memory cannot be mapped: %s", strerror(errno));
    close(file);
    globfree(&devices);
    return memory;
}

/* Gives each request to the device; returns the bytes of all replies. */
static size_t replay(int device)
{
    const uint8_t *shared = map_shared(), *request = shared;
    uint8_t *begin = (uint8_t *)shared + GUEST_HALF_BYTES, *reply = begin;
    const struct batch_header *header = (const void *)request;
    struct dxgkmem_request call;

    for (; header->magic == BATCH_MAGIC; header = (const void *)request) {
        if (header->bytes > (size_t)(shared + GUEST_HALF_BYTES - request) ||
            header->reply_bytes > (size_t)(shared + GUEST_SHARED_BYTES - reply))
            guest_die("requests or replies do not fit into the shared memory");
        int error = guest_call(device, request, header->bytes, reply, header->reply_bytes, &call);
        if (error)
            guest_die("request %zu: %s, status %u", (size_t)(request - shared), strerror(error), call.status);
        request += header->bytes;
        reply += call.reply_bytes;
    }
    return (size_t)(reply - begin);
}

/* Lockdep turns itself off after a report; then nobody was watching any more. */
static void check_lockdep(void)
{
    FILE *file = fopen("/proc/lockdep_stats", "r");
    char line[128];
    int on = 1;

    while (file && fgets(line, sizeof line, file))
        sscanf(line, " debug_locks: %d", &on);
    if (file)
        fclose(file);
    if (!on)
        guest_die("lockdep is off");
}

static void answer(struct guest_box *box, int device, uint8_t *coverage)
{
    /* Not known to the compiler: it would put rep stos here, which an emulator does step by step. */
    static volatile size_t bytes = DXGKMEM_COVERAGE_BYTES;
    struct dxgkmem_request call;

    __atomic_store_n(&box->turn, GUEST_RUNS, __ATOMIC_RELEASE);
    memset(coverage, 0, bytes);
    box->error = guest_call(device, box->request, box->request_bytes, box->reply, box->reply_room, &call);
    box->status = call.status;
    memcpy(box->coverage, coverage, bytes);
    __atomic_store_n(&box->turn, GUEST_ANSWERED, __ATOMIC_RELEASE);
}

#define SPINS 100

static void fuzz(void)
{
    struct guest_box *boxes = (void *)map_shared();
    int device = guest_open();
    uint8_t *coverage = mmap(NULL, DXGKMEM_COVERAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, device, 0);
    unsigned spins = 0;

    if (coverage == MAP_FAILED)
        guest_die("coverage cannot be mapped: %s", strerror(errno));
    printf("READY\n");
    __atomic_store_n(&boxes->turn, GUEST_ANSWERED, __ATOMIC_RELEASE);
    for (unsigned i = 0;; i = (i + 1) % GUEST_BOXES) {
        switch (__atomic_load_n(&boxes[i].turn, __ATOMIC_ACQUIRE)) {
        case GUEST_GREETED:
            __atomic_store_n(&boxes[i].turn, GUEST_ANSWERED, __ATOMIC_RELEASE);
            break;
        case GUEST_ASKED:
            answer(&boxes[i], device, coverage);
            spins = 0;
            break;
        default:
            /* The next question comes soon, unless the processor is needed for that. */
            if (++spins % SPINS == 0)
                usleep(50);
        }
    }
}

int main(void)
{
    const char *mode = getenv("mode");
    size_t bytes = 0;

    setvbuf(stdout, NULL, _IOLBF, 0);
    mount("none", "/dev", "devtmpfs", 0, NULL);
    mount("none", "/proc", "proc", 0, NULL);
    mount("none", "/sys", "sysfs", 0, NULL);
    if (!mode)
        guest_die("the kernel's parameter mode is missing");
    guest_load("seed=1");
    if (strcmp(mode, "misuse") == 0) {
        misuse();
    } else if (strcmp(mode, "replay") == 0) {
        int device = guest_open();

        bytes = replay(device);
        close(device);
    } else if (strcmp(mode, "sweep") == 0) {
        int device = guest_open();

        sweep(device, map_shared(), GUEST_HALF_BYTES);
        close(device);
    } else if (strcmp(mode, "fuzz") == 0) {
        fuzz();
    } else {
        guest_die("unknown mode '%s'", mode);
    }
    int error = guest_unload();
    if (error)
        guest_die("the module cannot be unloaded: %s", strerror(error));
    check_lockdep();
    printf("DONE %zu\n", bytes);
    power_off();
}
