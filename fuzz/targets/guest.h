/* SPDX-License-Identifier: MIT */
/*
 * A Linux guest in QEMU that runs programs for a fuzz target: starts it, gives it requests, notices
 * when it dies. The guest's side is tests/kernel/linux/init.c, mode=fuzz.
 */
#ifndef DXGKMEM_TARGETS_GUEST_H
#define DXGKMEM_TARGETS_GUEST_H

#include "tests/kernel/linux/guest.h"

#include <stdbool.h>

/*
 * Boots one. command: a file with the command, an argument a line, in which SHARED and CONSOLE stand
 * for files below the folder. Returns its GUEST_BOXES boxes. NULL: it did not start, and why is on stderr. It
 * ends with this process.
 */
struct guest_box *guest_start(const char *command, const char *folder);
/* Gives it what is in the box. */
void guest_ask(struct guest_box *box);
/*
 * Waits for the answer, and looks for it every so many microseconds. False: it did not come within the
 * seconds; the guest is ended.
 */
bool guest_answers(struct guest_box *box, unsigned seconds, unsigned microseconds);

#endif
