/* SPDX-License-Identifier: MIT */
/*
 * A host whose threads take turns: one thread of the system, in which several
 * fibers run, one at a time, and change places only at points: before a lock is
 * taken, after it is released, before each atomic access. Who goes on is decided
 * by the caller, so a run is repeated exactly by deciding the same again.
 *
 * The services of host.h are in services.c. Core is the same files as everywhere, compiled
 * with atomics.h in front, which puts a point before each atomic access. Memory is sequentially consistent here: what a compiler or a
 * processor may reorder is not seen.
 *
 * While no run is under way there is one thread, and points are nothing.
 */
#ifndef DXGKMEM_SCHEDULED_H
#define DXGKMEM_SCHEDULED_H

#include <dxgkmem/host.h>

#define SCHEDULED_THREADS 4
#define SCHEDULED_NOBODY SCHEDULED_THREADS

enum scheduled_kind {
    SCHEDULED_BEGIN,   /* the thread has not run yet */
    SCHEDULED_ACQUIRE, /* is about to take the lock at `address` */
    SCHEDULED_RELEASE, /* has released it */
    SCHEDULED_READ,    /* is about to read the atomic at `address` */
    SCHEDULED_WRITE,   /* is about to write it */
    SCHEDULED_LINE     /* is about to make its next call */
};

/* Where a thread stands, and what it does when it goes on. */
struct scheduled_point {
    enum scheduled_kind kind;
    uintptr_t address; /* 0: none */
    const char *file;  /* NULL: not in a source file of ours */
    int line;
};

/* What a run looks like to those who decide. */
struct scheduled_state {
    unsigned threads;
    unsigned current; /* who ran until now; SCHEDULED_NOBODY: nobody yet */
    unsigned enabled; /* bit per thread that can go on; never 0. The current one's may be clear */
    uint64_t step;    /* decisions taken before this one */
    struct scheduled_point point[SCHEDULED_THREADS];
};

enum scheduled_end {
    SCHEDULED_DONE,
    SCHEDULED_DEADLOCK, /* every thread that has not ended waits for a lock */
    SCHEDULED_ENDLESS,  /* more steps than the limit */
    SCHEDULED_NO_MEMORY
};

struct scheduled_run {
    unsigned threads; /* 1 to SCHEDULED_THREADS */
    uint64_t steps;   /* limit */
    void *context;
    void (*body)(void *context, unsigned thread);
    /* Which of the enabled threads goes on. */
    unsigned (*choose)(void *context, const struct scheduled_state *state);
    /* The turn goes from one thread (or nobody) to another. May be NULL. */
    void (*turn)(void *context, unsigned from, unsigned to);
};

/*
 * Runs the bodies until all have returned. After an end other than DONE the
 * instance and its locks are as the threads left them: nothing but the end of the
 * process helps then. *state: how it ended; for a deadlock who waits where.
 */
enum scheduled_end scheduled_run(const struct scheduled_run *run, struct scheduled_state *state);

/* Who holds the lock that a point waits for; SCHEDULED_NOBODY: nobody. */
unsigned scheduled_holder(const struct scheduled_point *point);

/* The thread whose turn it is; SCHEDULED_NOBODY outside a run. */
unsigned scheduled_thread(void);

/* A point of the running thread; nothing outside a run. */
void scheduled_point(enum scheduled_kind kind, const volatile void *address, const char *file, int line);

/*
 * Whether a block of dxgkmem_host_alloc was freed in the run under way. Blocks that are go back when the run
 * is over, so that no other block has their address.
 */
bool scheduled_gone(const void *block);

/* Outside a run: `unlocked` is called after each release that leaves the one thread without a lock. NULL: nobody. */
void scheduled_watch(void (*unlocked)(void *context), void *context);

#endif
