/* SPDX-License-Identifier: MIT */
/* Repeatable random numbers for hosts: splitmix64, a counter, mixed. Any thread, any IRQL. */
#ifndef DXGKMEM_HOST_SPLITMIX_H
#define DXGKMEM_HOST_SPLITMIX_H

/* Aligned as atomic instructions want it, on 32-bit machines too. */
struct splitmix {
    _Alignas(8) uint64_t state;
};

static inline uint64_t splitmix64(struct splitmix *random)
{
    uint64_t x = __atomic_add_fetch(&random->state, 0x9e3779b97f4a7c15u, __ATOMIC_RELAXED);

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

#endif
