/* SPDX-License-Identifier: MIT */
/*
 * Watched memory: a page, and a few places elsewhere, whose every access is told, exactly, with the
 * instruction that made it.
 *
 * While they are watched their pages allow no access. Each access faults and is taken down; the pages
 * are opened, the one instruction is single-stepped, the pages are closed again. A repeated string
 * instruction steps once for each element. x86-64 Linux only; one thread at a time.
 */
#ifndef DXGKMEM_READS_WATCH_H
#define DXGKMEM_READS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WATCH_BYTES 4096

struct watch_access {
    unsigned place;  /* 0: of the page; N: of the Nth place besides */
    unsigned offset; /* of the lowest byte, from the beginning of it */
    bool write;
    uintptr_t instruction;
};

/* Called after each access, while all of it can be read and written. */
typedef void watch_hook(void *context, const struct watch_access *access);

/* The page, open; NULL: not on this machine, or no memory. */
unsigned char *watch_open(watch_hook *hook, void *context);
void watch_close(void);

/* Another place; bytes 0: none. */
struct watch_place {
    void *from;
    size_t bytes;
};
#define WATCH_PLACES 2

/*
 * From here to there accesses are told: of the page, and of the places. Accesses of what lies beside the latter on
 * their pages are let through. Signal handlers are taken, and given back.
 */
void watch_begin(const struct watch_place place[WATCH_PLACES]);
void watch_end(void);

#endif
