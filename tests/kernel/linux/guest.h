/* SPDX-License-Identifier: MIT */
/* What the programs of the guest share. */
#ifndef DXGKMEM_TESTS_KERNEL_LINUX_GUEST_H
#define DXGKMEM_TESTS_KERNEL_LINUX_GUEST_H

#include "driver/linux/device.h"
#include "driver/protocol.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The memory that the guest shares with who started it, an ivshmem device. Requests are in its first
 * half, replies go to its second half; messages of protocol.h one behind the other.
 */
#define GUEST_SHARED_BYTES (32u << 20)
#define GUEST_HALF_BYTES (GUEST_SHARED_BYTES / 2)

/*
 * mode=fuzz: the shared memory begins with boxes. The fuzzer, outside, puts a request into one and sets its
 * `turn` to GUEST_ASKED; the guest goes round, sets GUEST_RUNS and then GUEST_ANSWERED. So there is always
 * something to do for both. What is under way stays readable outside when the guest is dead.
 *
 * A guest that goes on from a snapshot begins with GUEST_ANSWERED in the first box, before all of its memory
 * is there. So it is greeted first: it answers when it runs. It only reads while it waits.
 */
#define GUEST_BOXES 33
enum guest_turn { GUEST_BOOTING, GUEST_ANSWERED, GUEST_ASKED, GUEST_RUNS, GUEST_GREETED };

struct guest_box {
    uint32_t turn;   /* enum guest_turn */
    int32_t error;   /* of the ioctl: 0 or errno */
    uint32_t status; /* enum batch_status */
    uint32_t request_bytes, reply_room;
    uint32_t reserved[3];
    uint8_t coverage[DXGKMEM_COVERAGE_BYTES];
    uint8_t reply[4096];
    uint8_t request[32768];
};

/* Prints one line "FAIL ..." and powers off: the console then lacks its line DONE. */
void guest_die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
void guest_load(const char *parameters);
/* 0 or errno. */
int guest_unload(void);
int guest_open(void);
/* 0 or errno. */
int guest_call(int device, const void *request, size_t request_bytes, void *reply, size_t reply_room,
               struct dxgkmem_request *call);

/* Each allocation of each program fails in turn; sweep.c. Needs a kernel with fault injection. */
void sweep(int device, const uint8_t *request, size_t bytes);

/* Arbitrary use by processes that are killed meanwhile; storm.c. How many requests were answered. */
unsigned storm(void);

/* Everything done wrong; misuse.c. Dies at the first thing that is not refused as it must be. */
void misuse(void);

#endif
