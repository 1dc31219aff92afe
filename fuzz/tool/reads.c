/* SPDX-License-Identifier: MIT */
/* dxgkmem reads: runs programs with every access of their argument blocks looked at. */
#include "tool/input.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "usage: dxgkmem reads [OPTION]... FILE|FOLDER...\n\n"
    "Runs each program with its argument blocks in watched memory: a byte that a callback\n"
    "reads twice, reads back or writes twice is a finding, told with both places. Then once\n"
    "more with each byte changed right after its first read, which must change nothing.\n"
    "For x86-64 Linux.\n\n"
    "  --quiet   findings and the last line only\n"
    "  --help    this text\n\n"
    "exit status: 0 clean, 1 a finding, 2 bad input, 130 interrupted\n";

#ifdef TOOL_READS

#include "reads/reads.h"

static void print_finding(const char *path, const struct input *input, const struct reads_result *result)
{
    char place[256];

    printf("%s:\n", path);
    report_finding(stdout, path, &input->program, input->line, &result->finding);
    if (!result->first)
        return;
    printf("  first: %s\n", reads_place(result->first, place, sizeof place));
    printf("  then:  %s\n", reads_place(result->second, place, sizeof place));
}

static int run_all(struct reads *reads, const struct input_list *list, bool quiet)
{
    static struct input input;
    struct reads_counts before, counts;
    struct reads_result result;
    unsigned findings = 0;
    int status = 0;

    for (size_t i = 0; i < list->count; i++) {
        before = reads_counts(reads);
        if (input_read(&input, list->path[i], false)) {
            status = TOOL_BAD; /* said already; the other files are still worth running */
            continue;
        }
        reads_run(reads, &input.program, &result);
        counts = reads_counts(reads);
        if (result.finding.invariant) {
            findings++;
            print_finding(list->path[i], &input, &result);
        } else if (!quiet) {
            printf("%6" PRIu64 " blocks %7" PRIu64 " reads  %s\n", counts.blocks - before.blocks,
                   counts.reads - before.reads, list->path[i]);
        }
    }
    if (status)
        return status;
    counts = reads_counts(reads);
    if (findings)
        printf("%u of %zu programs: findings; ", findings, list->count);
    else
        printf("clean: ");
    printf("%zu program%s, %" PRIu64 " argument blocks, %" PRIu64 " reads and %" PRIu64
           " writes of them, %" PRIu64 " accesses of freed ADLs, %" PRIu64
           " bytes changed after they were read\n",
           list->count, list->count == 1 ? "" : "s", counts.blocks, counts.reads, counts.writes,
           counts.adl_accesses, counts.changed);
    return findings ? TOOL_FINDING : TOOL_CLEAN;
}

static int run(const struct input_list *list, bool quiet)
{
    struct reads *reads = reads_open(NULL);

    if (!reads)
        return tool_error("reads: no memory");
    int status = run_all(reads, list, quiet);
    reads_close(reads);
    return status;
}

#else

static int run(const struct input_list *list, bool quiet)
{
    (void)list;
    (void)quiet;
    return tool_error("reads: this build cannot: it takes x86-64 Linux and the library Capstone (Debian: "
                      "libcapstone-dev)");
}

#endif

int verb_reads(int count, char **arguments)
{
    enum { QUIET = 256, HELP };
    static const struct option options[] = {
        {"quiet", no_argument, NULL, QUIET}, {"help", no_argument, NULL, HELP}, {NULL, 0, NULL, 0}};
    struct input_list list;
    bool quiet = false;
    int option;

    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case QUIET:
            quiet = true;
            break;
        case HELP:
            fputs(help, stdout);
            return TOOL_CLEAN;
        default:
            return TOOL_BAD;
        }
    }
    int status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    status = run(&list, quiet);
    input_list_free(&list);
    return status;
}
