/* SPDX-License-Identifier: MIT */
/*
 * The worlds programs run in: a machine and the limits of the instance on it.
 *
 * The names are program_world_names (program.h). The runner builds what is
 * described here, the engine takes its addresses from it, and the
 * documentation prints it.
 */
#ifndef DXGKMEM_PROGRAM_WORLD_H
#define DXGKMEM_PROGRAM_WORLD_H

#include "program.h"

#include <dxgkmem/dxgkmem.h>
#include <dxgkmem/sim.h>

struct program_world_description {
    const char *summary; /* one sentence, for help and documentation */
    struct dxgkmem_sim_config machine;
    struct dxgkmem_limits limits; /* 0: the default */
};

extern const struct program_world_description program_worlds[PROGRAM_WORLDS];

#endif
