/* SPDX-License-Identifier: MIT */
/* Implements target.h. */
#include "targets/target.h"

#include "targets/status.h"
#include "tool/report.h"

struct runner *target_runner(void)
{
    static const struct runner_options options = {.cell = status_cell};

    status_start();
    return target_made(runner_create(&options));
}

void target_tell(const struct program *program, const struct runner_finding *finding)
{
    status_write();
    fputs("\n", stderr);
    report_finding(stderr, NULL, program, NULL, finding);
}

void target_save(const struct program *program)
{
    fputs("program:\n", stderr);
    report_program(stderr, program);
    fputs("end of program\n", stderr);
    abort();
}

void target_stop(const struct program *program, const struct runner_finding *finding)
{
    target_tell(program, finding);
    target_save(program);
}
