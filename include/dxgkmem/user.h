/* SPDX-License-Identifier: MIT */
/*
 * What the host for user processes offers beyond host.h: repeatable random
 * numbers, a say in what a bug check does, and real CPU mappings for the
 * simulated machine.
 *
 * Source of every rule here: our decision.
 */
#ifndef DXGKMEM_USER_H
#define DXGKMEM_USER_H

#include <dxgkmem/sim.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * From now on dxgkmem_host_random() gives the sequence that belongs to the seed,
 * the same in every process. Without it the numbers are the system's.
 */
void dxgkmem_user_seed(uint64_t seed);

/*
 * Called first of all at a bug check; when it returns (or when none is set, the
 * default) the process prints the code and its parameters to stderr and aborts. It
 * may leave by longjmp(). Set it while nothing else runs.
 */
typedef void dxgkmem_user_bug_check_hook(void *context, uint32_t code, const uint64_t parameters[4]);
void dxgkmem_user_set_bug_check_hook(dxgkmem_user_bug_check_hook *hook, void *context);

/*
 * One memory file with the contents of all pages, for dxgkmem_sim_config.windows and
 * .windows_context: CPU mappings are then real and may be dereferenced. It must
 * outlive the machine. Linux only: elsewhere, and when the system refuses, NULL.
 *
 * address_bits: as in the machine's config.
 */
extern const struct dxgkmem_sim_windows dxgkmem_user_windows;
void *dxgkmem_user_windows_create(unsigned address_bits);
void dxgkmem_user_windows_destroy(void *context);

#ifdef __cplusplus
}
#endif

#endif
