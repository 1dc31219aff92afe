/* SPDX-License-Identifier: MIT */
/* dxgkmem reads: runs programs with every access of their argument blocks looked at. */
#include "tool/input.h"
#include "tool/options.h"
#include "tool/report.h"
#include "tool/tool.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

static const char help[] =
    "usage: dxgkmem reads [OPTION]... FILE|FOLDER...\n\n"
    "Runs each program with its argument blocks in watched memory: a byte that a callback\n"
    "reads twice, reads back, writes twice or writes before its last call that can fail is a\n"
    "finding, told with the places; so is a byte of an ADL that is freed, of its page array or of\n"
    "an MDL that is read twice. Then once more with each byte changed right after its first\n"
    "read, which must change nothing.\n"
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
    if (result->second)
        printf("  then:  %s\n", reads_place(result->second, place, sizeof place));
}

struct run {
    struct reads *reads;
    bool quiet;
    unsigned findings;
};

static void run_one(void *context, const struct input *input, const struct input_list *list, size_t at)
{
    struct run *run = context;
    struct reads_counts before = reads_counts(run->reads), counts;
    struct reads_result result;

    reads_run(run->reads, &input->program, &result);
    counts = reads_counts(run->reads);
    if (result.finding.invariant) {
        run->findings++;
        print_finding(list->path[at], input, &result);
    } else if (!run->quiet) {
        printf("%6" PRIu64 " blocks %7" PRIu64 " reads  %s\n", counts.blocks - before.blocks,
               counts.reads - before.reads, list->path[at]);
    }
}

static int run_all(struct run *run, const struct input_list *list)
{
    int status = input_each(list, false, run_one, run);

    if (status)
        return status;
    struct reads_counts counts = reads_counts(run->reads);
    if (run->findings)
        printf("%u of %zu programs: findings; ", run->findings, list->count);
    else
        printf("clean: ");
    printf("%zu program%s, %" PRIu64 " argument blocks, %" PRIu64 " reads and %" PRIu64
           " writes of them, %" PRIu64 " accesses of ADLs, page arrays and MDLs, %" PRIu64
           " bytes changed after they were read\n",
           list->count, list->count == 1 ? "" : "s", counts.blocks, counts.reads, counts.writes,
           counts.lent_accesses, counts.changed);
    return run->findings ? TOOL_FINDING : TOOL_CLEAN;
}

static int open_and_run(const struct input_list *list, bool quiet)
{
    struct run run = {.reads = reads_open(NULL), .quiet = quiet};

    if (!run.reads)
        return tool_error("reads: no memory");
    int status = run_all(&run, list);
    reads_close(run.reads);
    return status;
}

#else

static int open_and_run(const struct input_list *list, bool quiet)
{
    (void)list;
    (void)quiet;
    return tool_error("reads: this build cannot: it takes x86-64 Linux and the library Capstone (Debian: "
                      "libcapstone-dev)");
}

#endif

int verb_reads(int count, char **arguments)
{
    struct input_list list;
    bool quiet = false;
    const struct tool_option table[] = {{.name = "quiet", .flag = &quiet}, TOOL_NO_PROVIDER_OPTION, {0}};
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    status = open_and_run(&list, quiet);
    input_list_free(&list);
    return status;
}
