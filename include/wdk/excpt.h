/* SPDX-License-Identifier: MIT */
/*
 * Stand-in for excpt.h: __try and __except, which a driver has around what a process gave it. In C only.
 *
 * What is caught: ProbeForRead and ProbeForWrite, ExRaiseStatus and its kin, and access violations at addresses that
 * a process could have. At addresses of the kernel's no handler is asked, here as there.
 *
 * return and goto leave a __try as they should; break and continue leave no more than the __try. __finally and
 * __leave are not there, nor is the exception's record: they do not compile, and say so. A variable that is written in
 * the __try and read in the handler is volatile, as after setjmp.
 */
#ifndef DXGKMEM_WDK_EXCPT_H
#define DXGKMEM_WDK_EXCPT_H

#include <ntdef.h>
#include <setjmp.h>

#define EXCEPTION_EXECUTE_HANDLER 1
#define EXCEPTION_CONTINUE_SEARCH 0
#define EXCEPTION_CONTINUE_EXECUTION (-1)

#ifndef __cplusplus

/* One __try that is under way; it lives on the driver's stack. */
struct dxgkmem_try {
    struct dxgkmem_try *outer; /* within; and once it raised, the one whose handler it is in */
    int begun, raised, handled;
    NTSTATUS code;
    jmp_buf env;
};
/* Begins it, and ends it when it is asked again: an exception that no handler took goes on to the outer one. */
int DxgkmemTryStep(struct dxgkmem_try *Try);
void DxgkmemTryLeave(struct dxgkmem_try *Try);
/* Of the one whose filter or handler is running. */
int DxgkmemTryFilter(int Filter);
ULONG DxgkmemTryCode(void);

#define DXGKMEM_TRY_NAME(line) dxgkmem_try_##line
#define DXGKMEM_TRY(name)                                                                                    \
    for (struct dxgkmem_try name __attribute__((cleanup(DxgkmemTryLeave))) = {0}; DxgkmemTryStep(&name);)    \
        if (setjmp(name.env) == 0)
#define DXGKMEM_TRY_AT(line) DXGKMEM_TRY(DXGKMEM_TRY_NAME(line))

/* clang-format takes these names for what they are elsewhere. */
/* clang-format off */
#define __try DXGKMEM_TRY_AT(__LINE__)
#define __except(filter) else if (DxgkmemTryFilter(filter))
#define __finally _Static_assert(0, "the stand-ins have no __finally: look at include/wdk/excpt.h");
#define __leave _Static_assert(0, "the stand-ins have no __leave: look at include/wdk/excpt.h")
/* clang-format on */
#define GetExceptionCode() DxgkmemTryCode()
#define _exception_code GetExceptionCode
#define GetExceptionInformation()                                                                            \
    _Pragma("GCC error \"the stand-ins have no GetExceptionInformation: look at include/wdk/excpt.h\"") 0

#endif

#endif
