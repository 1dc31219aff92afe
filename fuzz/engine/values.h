/* SPDX-License-Identifier: MIT */
/*
 * Numbers worth trying, by what they stand for.
 */
#ifndef DXGKMEM_ENGINE_VALUES_H
#define DXGKMEM_ENGINE_VALUES_H

#include "random.h"

#include "program/program.h"

/* A value for a NUMBER operand that has `old` now. */
uint64_t values_number(struct random *random, uint8_t world, const struct program_operand *operand,
                       uint64_t old);
/* The address where one of the world's ranges begins or ends. */
uint64_t values_range_end(struct random *random, uint8_t world);
/* A page near the beginning of one of its RAM ranges, as an address. */
uint64_t values_ram_page(struct random *random, uint8_t world);
/* A page in an I/O range of the world, as an address. */
uint64_t values_io_page(struct random *random, uint8_t world);

#endif
