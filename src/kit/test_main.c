/* SPDX-License-Identifier: MIT */
/* The program that dxgkmem_add_driver_test makes: options, worlds, counts, exit status. */
#define _GNU_SOURCE
#include "sweep.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

struct options {
    const char *world; /* NULL: all */
    unsigned long rounds, seed;
    enum kit_sweep sweep;
    bool fail; /* one life, with these failures */
    unsigned failure[KIT_FAILURES];
};

static const char usage[] =
    "usage: %s [OPTION]...\n\n"
    "  --world NAME     plain, identity, remapped or old; all that fit unless one is named\n"
    "  --rounds N       lives with different choices in each world (100)\n"
    "  --sweep WHAT     none, singles or pairs: which failures are tried (pairs)\n"
    "  --seed N         where the choices begin (1)\n"
    "  --fail N[,M]     one life in which the Nth, and the Mth, call that can fail does\n\n"
    "exit status: 0 clean, 1 findings, 2 bad usage\n";

static const char *program;

static _Noreturn void bad(const char *what, const char *value)
{
    (void)fprintf(stderr, "%s: %s '%s'; --help lists the options\n", program, what, value);
    exit(2);
}

static unsigned long number(const char *text, const char *what)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || value > 1000000000)
        bad(what, text);
    return value;
}

static void parse_failures(char *text, struct options *options)
{
    char *comma = strchr(text, ',');

    if (comma != NULL)
        *comma = '\0';
    options->fail = true;
    options->failure[0] = (unsigned)number(text, "--fail takes one or two numbers, not");
    if (comma != NULL)
        options->failure[1] = (unsigned)number(comma + 1, "--fail takes one or two numbers, not");
}

static void parse(int count, char **arguments, struct options *options)
{
    static const struct option known[] = {{"world", required_argument, NULL, 'w'},
                                          {"rounds", required_argument, NULL, 'r'},
                                          {"sweep", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'e'},
                                          {"fail", required_argument, NULL, 'f'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    static const char *const sweeps[] = {"none", "singles", "pairs"};
    int option;

    opterr = 0;
    while ((option = getopt_long(count, arguments, ":", known, NULL)) != -1) {
        unsigned i = 0;

        switch (option) {
        case 'w':
            options->world = optarg;
            break;
        case 'r':
            options->rounds = number(optarg, "--rounds takes a number, not");
            break;
        case 's':
            while (i < 3 && strcmp(optarg, sweeps[i]) != 0)
                i++;
            if (i == 3)
                bad("--sweep takes none, singles or pairs, not", optarg);
            options->sweep = (enum kit_sweep)i;
            break;
        case 'e':
            options->seed = number(optarg, "--seed takes a number, not");
            break;
        case 'f':
            parse_failures(optarg, options);
            break;
        case 'h':
            (void)printf(usage, program);
            exit(0);
        case ':':
            bad("a value is missing behind", arguments[optind - 1]);
        default:
            bad("unknown option", arguments[optind - 1]);
        }
    }
    if (optind != count)
        bad("unexpected argument", arguments[optind]);
}

static const char *run_world(const struct kit_world *world, const struct options *options,
                             struct kit_count *count)
{
    const char *problem = kit_world_make(world);

    (void)snprintf(kit_again, sizeof kit_again, "%s --world %s --seed %lu --sweep none --rounds 1", program,
                   world->name, options->seed);
    if (problem == NULL && options->fail) {
        (void)snprintf(kit_again, sizeof kit_again, "%s --world %s --seed %lu", program, world->name,
                       options->seed);
        kit_plan = (struct kit_plan){.random = options->seed};
        memcpy(kit_plan.fail, options->failure, sizeof kit_plan.fail);
        problem = kit_one_life(count);
    } else if (problem == NULL) {
        for (unsigned long i = 0; i < options->rounds && problem == NULL; i++) {
            (void)snprintf(kit_again, sizeof kit_again, "%s --world %s --seed %lu --sweep none --rounds 1",
                           program, world->name, options->seed + i);
            problem = kit_rounds(1, options->seed + i, count);
        }
        (void)snprintf(kit_again, sizeof kit_again, "%s --world %s --seed %lu", program, world->name,
                       options->seed);
        if (problem == NULL && options->sweep != KIT_SWEEP_NONE)
            problem = kit_sweep(options->sweep, options->seed, count);
    }
    kit_world_free();
    return problem;
}

int main(int argc, char **argv)
{
    struct options options = {.rounds = 100, .seed = 1, .sweep = KIT_SWEEP_PAIRS};
    struct kit_world world[KIT_WORLDS];
    unsigned worlds = kit_worlds(world), matched = 0;
    unsigned long lives = 0;

    program = argc > 0 ? argv[0] : "driver test";
    parse(argc, argv, &options);
    if (dxgkmem_harness.life == NULL) {
        (void)fprintf(stderr, "%s: dxgkmem_harness has no function 'life': there is no driver to run\n",
                      program);
        return 2;
    }
    kit_faults_install();
    for (unsigned i = 0; i < worlds; i++) {
        struct kit_count count = {0};
        const char *problem;

        if (options.world != NULL && strcmp(options.world, world[i].name) != 0)
            continue;
        matched++;
        problem = run_world(&world[i], &options, &count);
        if (problem != NULL) {
            (void)fprintf(stderr, "%s: world %s: %s\n", program, world[i].name, problem);
            return 2;
        }
        lives += count.lives;
        (void)printf("%-8s %lu lives; of %u calls that can fail each failed alone (%lu), in pairs (%lu)\n",
                     world[i].name, count.lives, count.calls, count.singles, count.pairs);
    }
    if (matched == 0)
        bad("no world of this harness is called", options.world);
    if (kit_findings() != 0)
        (void)printf("%u findings, seen %lu times, in %lu lives\n", kit_findings(), kit_occurrences(), lives);
    else
        (void)printf("clean: %lu lives\n", lives);
    return kit_findings() != 0;
}
