/* SPDX-License-Identifier: MIT */
/*
 * Watched memory: a page whose every access is told, exactly, with the instruction that made it.
 *
 * While it is watched the page allows no access. Each access faults and is taken down; the page is
 * opened, the one instruction is single-stepped, the page is closed again. A repeated string
 * instruction steps once for each element. x86-64 Linux only; one thread at a time.
 */
#ifndef DXGKMEM_READS_WATCH_H
#define DXGKMEM_READS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_BYTES 4096

struct watch_access {
    unsigned offset; /* in the page, of the lowest byte */
    bool write;
    uintptr_t instruction;
};

/* Called after each access, while the page can be read and written. */
typedef void watch_hook(void *context, const struct watch_access *access);

/* The page, open; NULL: not on this machine, or no memory. */
unsigned char *watch_open(watch_hook *hook, void *context);
void watch_close(void);

/* From here to there accesses are told. Signal handlers are taken, and given back. */
void watch_begin(void);
void watch_end(void);

#endif
