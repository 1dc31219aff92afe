/* SPDX-License-Identifier: MIT */
/*
 * The entry of fuzzing engines, for programs that dxgkmem_add_driver_fuzzer makes. The first byte of an
 * input is the world, the next two are the calls that fail (0: none), the rest is what is chosen.
 */
#include "sweep.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const uint8_t nothing[3]; /* stands for what is shorter */
    static struct kit_world world[KIT_WORLDS];
    static unsigned worlds, current;
    struct kit_count count = {0};
    const char *problem = NULL;

    if (size < sizeof nothing) {
        bytes = nothing;
        size = sizeof nothing;
    }
    if (worlds == 0 && dxgkmem_harness.life == NULL) {
        (void)fprintf(stderr, "dxgkmem_harness has no function 'life': there is no driver to run\n");
        exit(2);
    }
    if (worlds == 0 || current != bytes[0] % worlds) {
        if (worlds != 0)
            kit_world_free();
        else
            kit_faults_install();
        worlds = kit_worlds(world);
        current = bytes[0] % worlds;
        problem = kit_world_make(&world[current]);
    }
    kit_abort_on_finding = true;
    kit_plan = (struct kit_plan){.fail = {bytes[1], bytes[2]}, .input = bytes + 3, .input_left = size - 3};
    if (problem == NULL)
        problem = kit_one_life(&count);
    if (problem != NULL) {
        (void)fprintf(stderr, "world %s: %s\n", world[current].name, problem);
        exit(2);
    }
    return 0;
}
