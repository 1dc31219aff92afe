/* SPDX-License-Identifier: MIT */
/*
 * Call stacks: taken by walking frame pointers, which costs nanoseconds, kept once each, and
 * named (function, file, line) only when somebody is told. Everything that is walked over is
 * compiled with -fno-omit-frame-pointer; dxgkmem_add_driver_test sees to it.
 */
#ifndef DXGKMEM_KIT_STACK_H
#define DXGKMEM_KIT_STACK_H

#include <stdint.h>
#include <stdio.h>

/* A stack by its number; 0: none. */
typedef uint32_t kit_stack;

/* The stack of the caller of the function that this stands in. */
#define KIT_STACK_HERE() kit_stack_take(__builtin_frame_address(0))
kit_stack kit_stack_take(const void *frame);
/* That of a signal, from the instruction that got it: unwound, because the C library has no frame pointers. */
kit_stack kit_stack_take_signal(uintptr_t pc);

/* Frames at and above this one, of this function, belong to the kit and are left out; NULL: none. */
void kit_stack_set_limit(const void *frame, const void *function);
/* For a thread that gets the turn: its own, and that of the one before comes back. */
void kit_stack_swap_limit(const void **frame, uintptr_t *function);

/* The innermost instruction: what makes two findings the same one. */
uintptr_t kit_stack_top(kit_stack stack);
/* "file.c:12", of the innermost frame; "?" when it is not known. The text lasts until the next call. */
const char *kit_stack_place(kit_stack stack);
/* One line a frame. */
void kit_stack_print(FILE *to, kit_stack stack, const char *indent);

#endif
