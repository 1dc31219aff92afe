/* SPDX-License-Identifier: MIT */
/* The WDDM 2.4 callbacks that map a piece of a frame-buffer save area for the CPU. */
#include "block.h"

static const struct out_field map_out[] = {
    OUT(DXGKARGCB_MAPFRAMEBUFFERPOINTER, pBaseAddress),
    IN_OUT(DXGKARGCB_MAPFRAMEBUFFERPOINTER, Offset),
};

static bool offered(struct runner *runner)
{
    return BLOCK_OFFERED(runner, DxgkCbMapFrameBufferPointer, DxgkCbUnmapFrameBufferPointer);
}

/* The physical adapter of a chain whose frame buffer was named; NULL: another thread has removed it. */
static const struct runner_thing *member_at(const struct runner *runner, uint32_t chain, uint32_t index)
{
    for (unsigned i = 0; i < runner->things; i++) {
        const struct runner_thing *thing = &runner->thing[i];

        if (thing->live && thing->kind == PROGRAM_ADAPTER && thing->chain == chain && thing->index == index)
            return thing;
    }
    return NULL;
}

void runner_map_fb(struct runner *runner)
{
    DXGKARGCB_MAPFRAMEBUFFERPOINTER *arguments = &runner->arguments.map_fb;
    const struct runner_thing *member;
    struct runner_thing *thing;
    HANDLE adapter;
    void *passed;

    if (!offered(runner))
        return;
    block_begin(runner);
    adapter = runner_handle(runner_resolve(runner, MAP_FB_ADAPTER).value);
    arguments->PhysicalAdapterIndex = (UINT)runner_number(runner, MAP_FB_INDEX);
    arguments->Offset = (SIZE_T)runner_number(runner, MAP_FB_OFFSET);
    arguments->Size = (SIZE_T)runner_number(runner, MAP_FB_SIZE);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_map_frame_buffer(runner->model, &runner->conditions, adapter, &runner->before.map_fb,
                               &runner->expected);
    if (!block_may_call(runner))
        return;
    if (!block_finish(runner, true, runner->offering.DxgkCbMapFrameBufferPointer(adapter, passed),
                      OUTS(map_out)))
        return;
    if (runner->model != NULL)
        runner->wrong =
            model_map_frame_buffer_done(runner->model, &runner->conditions, adapter, &runner->before.map_fb,
                                        arguments, &runner->wrong_invariant);
    if (!block_accepted(runner))
        return;
    member =
        member_at(runner, runner_chain_of(runner, runner_pointer(adapter)), arguments->PhysicalAdapterIndex);
    thing = runner_make(runner, PROGRAM_MAPPING, runner_pointer(arguments->pBaseAddress));
    thing->owner = member != NULL ? member->value : 0;
    thing->size = arguments->Size;
    runner_bind(runner, PROGRAM_MAPPING, (unsigned)runner_number(runner, MAP_FB_MAPPING));
    runner->event.value[0] = arguments->Offset;
    runner->event.value[1] = arguments->Size;
    runner->event.values = 2;
}

void runner_unmap_fb(struct runner *runner)
{
    DXGKARGCB_UNMAPFRAMEBUFFERPOINTER *arguments = &runner->arguments.unmap_fb;
    NTSTATUS status;
    HANDLE adapter;
    void *passed;

    if (!offered(runner))
        return;
    block_begin(runner);
    adapter = runner_handle(runner_resolve(runner, UNMAP_FB_ADAPTER).value);
    arguments->pBaseAddress =
        runner_handle(runner_resolve_shifted(runner, UNMAP_FB_MAPPING, UNMAP_FB_SHIFT).value);
    arguments->PhysicalAdapterIndex = (UINT)runner_number(runner, UNMAP_FB_INDEX);
    passed = block_hand_over(runner);
    if (runner->model != NULL)
        model_unmap_frame_buffer(runner->model, &runner->conditions, adapter, &runner->before.unmap_fb,
                                 &runner->expected);
    if (!block_may_call(runner))
        return;
    status = runner->offering.DxgkCbUnmapFrameBufferPointer(adapter, passed);
    if (!block_finish(runner, true, status, NULL, 0))
        return;
    if (runner->model != NULL)
        runner->wrong = model_unmap_frame_buffer_done(runner->model, &runner->conditions, adapter,
                                                      &runner->before.unmap_fb, &runner->wrong_invariant);
    if (block_accepted(runner))
        runner_end_value(runner, PROGRAM_MAPPING, runner_pointer(arguments->pBaseAddress), 0);
}
