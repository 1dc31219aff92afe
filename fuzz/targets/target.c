/* SPDX-License-Identifier: MIT */
/* Implements target.h. Programs run on the implementation of DXGKMEM_PROVIDER, a shared object, if it is set. */
#include "targets/target.h"

#include "provider/load.h"
#include "targets/status.h"
#include "tool/report.h"

#include <dxgkmem/user.h>

static const struct dxgkmem_provider *provider; /* NULL: ours */

struct runner *target_runner(void)
{
    struct runner_options options = {.cell = status_cell};
    const char *path = getenv("DXGKMEM_PROVIDER");
    char wrong[512];

    bool named = path != NULL && *path != '\0';

    provider = named ? provider_load(path, wrong, sizeof wrong) : provider_linked(wrong, sizeof wrong);
    if (provider == NULL && (named || *wrong != '\0')) {
        fprintf(stderr, "fuzz: %s: %s\n", named ? path : "the provider that is linked in", wrong);
        exit(2);
    }
    options.provider = provider;
    status_start(provider);
    return target_made(runner_create(&options));
}

/* Once is enough: an engine runs many such programs. */
static void tell_unlike(const struct program *program)
{
    static bool told;

    if (told)
        return;
    told = true;
    report_unlike(stderr, provider->name, program->world);
    fputc('\n', stderr);
}

void target_run(struct runner *runner, const struct program *program, struct runner_result *result)
{
    dxgkmem_user_seed(1);
    runner_run(runner, program, result);
    status_count(program, result);
    if (result->unlike)
        tell_unlike(program);
    if (result->finding.invariant)
        target_stop(program, &result->finding);
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
