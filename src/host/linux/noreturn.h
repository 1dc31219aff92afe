/* SPDX-License-Identifier: MIT */
/*
 * Included before every file of the module by Kbuild. The kernel's objtool follows calls
 * from file to file only by names that it knows, and takes what stands behind a call that
 * does not return for reachable. So both functions of host.h that do not return are
 * inlined here, and end in a trap that objtool knows; it lies at the very place that failed.
 */
#ifndef DXGKMEM_HOST_LINUX_NORETURN_H
#define DXGKMEM_HOST_LINUX_NORETURN_H

#include <linux/bug.h>

#include <dxgkmem/host.h>

/* Records the stop and says so. Does not return to a kernel thread. */
void dxgkmem_linux_bug_check(uint32_t code, const uint64_t parameters[4]);
void dxgkmem_linux_panic(const char *file, int line, const char *what);

static __always_inline void __noreturn linux_bug_check(uint32_t code, const uint64_t parameters[4])
{
	dxgkmem_linux_bug_check(code, parameters);
	BUG();
}

static __always_inline void __noreturn linux_panic(const char *file, int line, const char *what)
{
	dxgkmem_linux_panic(file, line, what);
	BUG();
}

#define dxgkmem_host_bug_check linux_bug_check
#define dxgkmem_host_panic linux_panic

#endif
