/* SPDX-License-Identifier: MIT */
/*
 * The argument blocks of callbacks: filled with a pattern first, so that whatever the callee writes, or
 * leaves, shows; handed over and taken back; compared with what the outcome allows.
 */
#include "block.h"
#include "machine.h"

#include <dxgkmem/mdl.h>

#define PATTERN 0xcccccccccccccccc
#define ARGUMENT_WORDS (sizeof(union runner_arguments) / sizeof(uint64_t))

/* Called several times an operation: sanitizers make memcmp dear. */
static bool same_arguments(const union runner_arguments *one, const union runner_arguments *other)
{
    uint64_t difference = 0;

    for (size_t i = 0; i < ARGUMENT_WORDS; i++)
        difference |= one->word[i] ^ other->word[i];
    return difference == 0;
}

void block_begin(struct runner *runner)
{
    for (size_t i = 0; i < ARGUMENT_WORDS; i++)
        runner->arguments.word[i] = PATTERN;
    runner_begin_call(runner, true);
}

void block_begin_taking(struct runner *runner)
{
    static const struct dxgkmem_memory_request nothing = {.pages = 0};

    block_begin(runner);
    if (OFFERS(runner, could_create))
        runner->provider->could_create(runner->sim, &nothing);
}

/* The block that was filled in, as well aligned as it shall be. */
static void *the_block(struct runner *runner)
{
    if (runner->conditions.misaligned_arguments)
        return runner->misaligned + 1;
    return &runner->arguments;
}

void block_lend(const struct runner_thing *thing, struct runner_lent lent[RUNNER_LENT])
{
    lent[0] = lent[1] = (struct runner_lent){NULL, NULL, 0};
    if (thing == NULL || !thing->live || thing->drivers)
        return;
    DXGK_PAGE_NUMBER *array = (DXGK_PAGE_NUMBER *)(uintptr_t)thing->array;
    size_t bytes = (size_t)thing->pages * sizeof(*array);
    if (thing->mdl) {
        lent[0] =
            (struct runner_lent){"MDL", runner_handle(thing->value), sizeof(struct dxgkmem_mdl) + bytes};
    } else if (thing->kind == PROGRAM_ADL) {
        lent[0] = (struct runner_lent){"ADL", runner_handle(thing->value), sizeof(DXGK_ADL)};
        if (array != NULL)
            lent[1] = (struct runner_lent){"page array of the ADL", array, bytes};
    } else if (thing->kind == PROGRAM_MEMORY && array != NULL) {
        struct dxgkmem_mdl *mdl = runner_mdl_of(thing);

        lent[0] = (struct runner_lent){"MDL", mdl, sizeof(*mdl) + bytes};
    }
}

void *block_hand_over_with(struct runner *runner, const struct runner_lent lent[RUNNER_LENT])
{
    const struct runner_options *options = &runner->options;

    runner->before = runner->arguments;
    if (runner->conditions.null_arguments)
        return NULL;
    if (runner->conditions.misaligned_arguments)
        memcpy(runner->misaligned + 1, runner->arguments.byte, sizeof(runner->arguments.byte));
    if (options->hand_over != NULL)
        return options->hand_over(options->arguments_context, runner->at, the_block(runner),
                                  sizeof(runner->arguments.byte), lent);
    return the_block(runner);
}

void *block_hand_over(struct runner *runner)
{
    static const struct runner_lent nothing[RUNNER_LENT] = {{NULL, NULL, 0}};

    return block_hand_over_with(runner, nothing);
}

static void take_back(struct runner *runner)
{
    const struct runner_options *options = &runner->options;

    if (options->take_back != NULL && !runner->conditions.null_arguments)
        options->take_back(options->arguments_context, the_block(runner), sizeof(runner->arguments.byte));
    if (runner->conditions.misaligned_arguments)
        memcpy(runner->arguments.byte, runner->misaligned + 1, sizeof(runner->arguments.byte));
}

bool block_may_call(struct runner *runner)
{
    if (runner_may_call(runner))
        return true;
    take_back(runner);
    return false;
}

/* What a call that came to nothing leaves in an output field: written over what it had before. */
static void leave_output(const struct runner *runner, const struct out_field *out, uint8_t *field)
{
    const uint8_t *now = runner->arguments.byte + out->offset;

    if (runner->profile.outputs == DXGKMEM_OUTPUTS_ANYTHING)
        memcpy(field, now, out->bytes);
    else if (runner->profile.outputs == DXGKMEM_OUTPUTS_ZERO && !out->kept)
        memset(field, 0, out->bytes);
}

/* Whether nothing but the outputs changed, and those as the outcome says. */
static void check_arguments(struct runner *runner, const struct out_field *out, size_t outs)
{
    bool unseen = runner->conditions.null_arguments ||
                  (runner->conditions.misaligned_arguments && runner->outcome != RUNNER_DONE);

    if (same_arguments(&runner->arguments, &runner->before) && (outs == 0 || unseen || !runner->started))
        return;
    runner->compared = runner->before;
    for (size_t i = 0; i < outs && !unseen; i++) {
        uint8_t *field = runner->compared.byte + out[i].offset;

        if (runner->outcome == RUNNER_DONE)
            memcpy(field, runner->arguments.byte + out[i].offset, out[i].bytes);
        else
            leave_output(runner, &out[i], field);
    }
    if (same_arguments(&runner->arguments, &runner->compared))
        return;
    if (runner->outcome == RUNNER_DONE)
        runner_find_that(runner, 22, "wrote to a field that is no output");
    else if (outs == 0 || unseen)
        runner_find_that(runner, 22, "was refused and wrote to the argument block");
    else
        runner_find_that(runner, 3,
                         runner->profile.outputs == DXGKMEM_OUTPUTS_ZERO
                             ? "did not succeed, and the output fields are not zero or others changed"
                             : "did not succeed, and wrote to fields that it must leave");
}

bool block_finish(struct runner *runner, bool has_status, NTSTATUS status, const struct out_field *out,
                  size_t outs)
{
    bool succeeded;

    take_back(runner);
    succeeded = runner_end_call(runner, has_status, status);
    if (runner->model != NULL && !runner_found(runner))
        check_arguments(runner, out, outs);
    return succeeded && !runner_found(runner) && !runner->conditions.null_arguments;
}

bool block_accepted(struct runner *runner)
{
    if (runner->wrong == NULL)
        return true;
    runner_find_that(runner, runner->wrong_invariant, runner->wrong);
    return false;
}
