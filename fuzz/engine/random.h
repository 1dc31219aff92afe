/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-random numbers from a seed: the splitmix64 sequence. Not for secrets.
 */
#ifndef DXGKMEM_ENGINE_RANDOM_H
#define DXGKMEM_ENGINE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* 0 to n - 1; 0 when n is 0. */
static inline unsigned random_below(struct random *random, unsigned n)
{
    return (unsigned)((random_next(random) >> 32) * n >> 32);
}

/* True n times out of 256. */
static inline bool random_chance(struct random *random, unsigned n)
{
    return random_below(random, 256) < n;
}

/* The place of one of the set bits; the mask is not 0. */
static inline unsigned random_bit(struct random *random, unsigned mask)
{
    unsigned bits = 0;

    for (unsigned rest = mask; rest; rest &= rest - 1)
        bits++;
    for (unsigned skip = random_below(random, bits); skip; skip--)
        mask &= mask - 1;
    for (bits = 0; !(mask >> bits & 1); bits++)
        ;
    return bits;
}

/* A place in a list of weights, as often as its weight says; `count` when all are 0. */
static inline unsigned random_weighted(struct random *random, const uint16_t *weight, unsigned count)
{
    unsigned sum = 0, i;

    for (i = 0; i < count; i++)
        sum += weight[i];
    if (!sum)
        return count;
    unsigned at = random_below(random, sum);
    for (i = 0; at >= weight[i]; i++)
        at -= weight[i];
    return i;
}

#endif
