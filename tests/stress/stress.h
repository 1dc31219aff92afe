/* SPDX-License-Identifier: MIT */
/*
 * Real threads that call the callbacks at once: what they do, and what must hold when all of them are done.
 * Freestanding: the same scenes run in a process, where ThreadSanitizer looks on, and in a kernel, where
 * lockdep and KASAN do.
 *
 * Each scene has an instance of its own, from start to stop, and nothing may be left behind it.
 */
#ifndef DXGKMEM_TESTS_STRESS_H
#define DXGKMEM_TESTS_STRESS_H

#include <dxgkmem/dxgkmem.h>

#define STRESS_THREADS 4u

typedef void stress_body(void *argument, unsigned index);

/* What the surroundings offer. */
struct stress_host {
    /* Runs the body in STRESS_THREADS threads at once; returns when all have ended. False: it could not. */
    bool (*run)(stress_body *body, void *argument);
    /* Lets other threads run. */
    void (*pause)(void);
    /* Something does not hold; called by one thread at a time. */
    void (*failed)(const char *scene, int line, const char *what);
};

struct stress_world {
    const struct stress_host *host;
    struct dxgkmem_machine *machine;
    uint64_t device[3]; /* of which adapters are made */
    uint64_t io_page;   /* five pages of I/O space that nobody has; 0: there are none */
    unsigned rounds;
};

struct stress_result {
    unsigned failures;
    uint64_t calls, violations;
};

struct stress;
struct stress_scene {
    const char *name;
    void (*run)(struct stress *stress);
};

extern const struct stress_scene stress_scenes[];
extern const unsigned stress_scene_count;

struct stress_result stress_run(const struct stress_scene *scene, const struct stress_world *world);

#endif
