/* SPDX-License-Identifier: MIT */
/*
 * The determinism gate, one process of it: runs every program, then every one again in the opposite
 * order, so that each comes after another one, and prints its trace's hash and what it executed of
 * src/core. Both runs of a program must be the same, block by block; whether two processes print the
 * same is for gate.sh to say.
 *
 * Core is compiled with -fsanitize-coverage=trace-pc, which calls here at the start of every basic block.
 */
#include "program/runner.h"
#include "tool/input.h"
#include "tool/tool.h"

#include <dxgkmem/user.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void __sanitizer_cov_trace_pc(void);
extern const char
    __executable_start; /* of the linker: addresses differ from process to process, distances do not */

/* How often each block ran; open addressing, and far more room than core has blocks. */
#define BLOCKS 65536
struct blocks {
    unsigned distinct;
    uint64_t executed, order; /* order: a hash over the blocks in the order of their execution */
    uint32_t place[BLOCKS], count[BLOCKS];
};
static struct blocks blocks;

void __sanitizer_cov_trace_pc(void)
{
    uint32_t place = (uint32_t)((uintptr_t)__builtin_return_address(0) - (uintptr_t)&__executable_start);
    uint32_t at = place * 0x9e3779b1u >> 16;

    while (blocks.place[at] != place && blocks.place[at] != 0)
        at = (at + 1) % BLOCKS;
    if (blocks.place[at] == 0) {
        blocks.place[at] = place;
        blocks.distinct++;
    }
    blocks.count[at]++;
    blocks.executed++;
    blocks.order = (blocks.order ^ place) * 0x9e3779b97f4a7c15u;
    blocks.order ^= blocks.order >> 29;
}

struct outcome {
    uint64_t trace, executed, order;
    unsigned distinct;
};

static struct outcome run(struct runner *runner, const char *path)
{
    static struct input input;
    struct runner_result result;

    if (input_read(&input, path, false))
        exit(TOOL_BAD);
    memset(&blocks, 0, sizeof blocks);
    dxgkmem_user_seed(1);
    runner_run(runner, &input.program, &result);
    if (result.finding.invariant) {
        printf("%s: %s\n", path, result.finding.message);
        exit(TOOL_FINDING);
    }
    return (struct outcome){result.trace_hash, blocks.executed, blocks.order, blocks.distinct};
}

static bool same(const struct outcome *one, const struct outcome *other)
{
    return one->trace == other->trace && one->executed == other->executed && one->order == other->order &&
           one->distinct == other->distinct;
}

static void print(const char *name, const struct outcome *outcome)
{
    printf("trace %016" PRIx64 "  blocks %5u  executed %9" PRIu64 "  order %016" PRIx64 "  %s\n",
           outcome->trace, outcome->distinct, outcome->executed, outcome->order, name);
}

int main(int count, char **arguments)
{
    static const struct runner_options options;
    struct input_list list;
    struct runner *runner = runner_create(&options);
    unsigned different = 0;
    int status = input_list_make(&list, count - 1, arguments + 1);

    if (status || runner == NULL)
        return TOOL_BAD;
    struct outcome *first = tool_alloc(list.count * sizeof *first);
    for (size_t i = 0; i < list.count; i++) {
        first[i] = run(runner, list.path[i]);
        print(list.name[i], &first[i]);
    }
    for (size_t i = list.count; i-- > 0;) {
        struct outcome again = run(runner, list.path[i]);

        if (same(&first[i], &again))
            continue;
        different++;
        printf("the second time, another run:\n");
        print(list.name[i], &again);
    }
    free(first);
    runner_destroy(runner);
    input_list_free(&list);
    return different ? TOOL_FINDING : TOOL_CLEAN;
}
