/* SPDX-License-Identifier: MIT */
/* Implements target.h. Programs run on the implementation of DXGKMEM_PROVIDER, a shared object, if it is set. */
#include "targets/target.h"

#include "provider/load.h"
#include "targets/status.h"
#include "tool/report.h"

struct runner *target_runner(void)
{
    struct runner_options options = {.cell = status_cell};
    const char *path = getenv("DXGKMEM_PROVIDER");
    char wrong[512];

    bool named = path != NULL && *path != '\0';

    options.provider =
        named ? provider_load(path, wrong, sizeof wrong) : provider_linked(wrong, sizeof wrong);
    if (options.provider == NULL && (named || *wrong != '\0')) {
        fprintf(stderr, "fuzz: %s: %s\n", named ? path : "the provider that is linked in", wrong);
        exit(2);
    }
    status_start(options.provider);
    return target_made(runner_create(&options));
}

void target_tell(const struct program *program, const struct runner_finding *finding)
{
    status_write();
    fprintf(stderr, "\nfact: %s\n", report_fact(finding->fact)); /* for triage */
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
