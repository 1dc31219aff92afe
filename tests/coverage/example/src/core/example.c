/* SPDX-License-Identifier: MIT */
/* Stands for core where report.py itself is tested: a call that can fail, a condition of two, a line that nobody reaches. */
#include <dxgkmem/host.h>

int build(const struct machine *machine, int first, int second)
{
    NTSTATUS status = machine->ops->populate();

    if (!NT_SUCCESS(status))
        return 1;
    if (first && second)
        return 2;
    return 0;
}
