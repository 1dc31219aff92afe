/* SPDX-License-Identifier: MIT */
/*
 * The engine: makes programs, changes them, crosses them. It knows operations
 * and things, not bytes, so that what it makes is a program that a driver could
 * have written, with a few mistakes in it.
 *
 * Everything is a function of its arguments: the same inputs and seed give the
 * same outputs on every host. The engine takes no memory; the workspace is the
 * caller's, one for each thread, and holds nothing between calls.
 *
 * Each seed is a swarm of its own: it favours some operations and some kinds of
 * mistake and leaves others out, so that different executions go deep in
 * different directions.
 */
#ifndef DXGKMEM_ENGINE_H
#define DXGKMEM_ENGINE_H

#include "program/program.h"

/* Insertions become rare above this many lines; short programs run faster and say more. */
#define ENGINE_LINES 20

struct engine {
    struct program program[3];
};

/* A fresh program of `lines` operations (at most PROGRAM_OPERATIONS). */
void engine_generate(struct program *program, uint64_t seed, unsigned lines);

/*
 * Binary programs. The result is a valid program in its canonical form and
 * never longer than max: operations that do not fit are dropped from the end. With
 * max below 2 it is the empty program cut to max bytes. max is at least size.
 */
size_t engine_mutate(struct engine *engine, uint8_t *data, size_t size, size_t max, uint64_t seed);
/* `out` overlaps neither input. */
size_t engine_crossover(struct engine *engine, const uint8_t *a, size_t an, const uint8_t *b, size_t bn,
                        uint8_t *out, size_t max, uint64_t seed);

/* The same on programs. */
void engine_mutate_program(struct program *program, uint64_t seed);
void engine_cross_programs(const struct program *a, const struct program *b, struct program *result,
                           uint64_t seed);

/*
 * Programs of several threads (schedule/section.h). weave: gives lines of any program to threads; `room`
 * is a workspace. mutate_woven: changes the lines, who runs them, or the schedule.
 */
void engine_weave(struct program *program, struct program *room, uint64_t seed);
void engine_mutate_woven(struct program *program, struct program *room, uint64_t seed);
bool engine_is_woven(const struct program *program);

/* Drops operations from the end until the binary form fits, and writes it. */
size_t engine_write(struct program *program, uint8_t *bytes, size_t max);

#endif
