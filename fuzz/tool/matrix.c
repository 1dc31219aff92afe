/* SPDX-License-Identifier: MIT */
/* dxgkmem matrix: which cells of operation x operand x class x fate programs hit, and which stay dark. */
#include "tool/input.h"
#include "tool/tool.h"

#include "program/runner.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] = "usage: dxgkmem matrix [--missing] [--lenient] FILE|FOLDER...\n\n"
                           "Runs programs and prints each feasible cell of the matrix with the number of\n"
                           "programs that hit it.\n\n"
                           "  --missing  print the cells that no program hits, and nothing else\n"
                           "  --lenient  take every byte string as a program, as a fuzz target does\n"
                           "  --help     this text\n\n"
                           "exit status: 0 every feasible cell is hit, 1 not every one, 2 bad input\n";

struct matrix {
    unsigned cells;
    unsigned *programs; /* of each cell, how many programs hit it */
    size_t *last;       /* of each cell, the last program that did, from 1 */
    size_t present;
};

static void hit(void *context, unsigned cell)
{
    struct matrix *matrix = context;

    if (cell >= matrix->cells || matrix->last[cell] == matrix->present)
        return;
    matrix->last[cell] = matrix->present;
    matrix->programs[cell]++;
}

static int run_all(struct matrix *matrix, const struct input_list *list, bool lenient)
{
    static struct input input;
    const struct runner_options options = {.cell = hit, .cell_context = matrix};
    struct runner *runner = runner_create(&options);
    struct runner_result result;
    int status = 0;

    if (!runner)
        return tool_error("no memory");
    for (size_t i = 0; i < list->count; i++) {
        matrix->present = i + 1;
        if (input_read(&input, list->path[i], lenient))
            status = TOOL_BAD;
        else
            runner_run(runner, &input.program, &result);
    }
    runner_destroy(runner);
    return status;
}

static int print(const struct matrix *matrix, bool missing)
{
    unsigned feasible = 0, dark = 0, beyond = 0;
    char name[256];

    for (unsigned cell = 0; cell < matrix->cells; cell++) {
        bool was_hit = matrix->programs[cell] != 0;
        if (!matrix_feasible(cell)) {
            if (was_hit) {
                matrix_name(cell, name, sizeof name);
                printf("hit, but held infeasible: %s\n", name);
                beyond++;
            }
            continue;
        }
        feasible++;
        dark += !was_hit;
        if (missing && was_hit)
            continue;
        matrix_name(cell, name, sizeof name);
        if (missing)
            printf("%s\n", name);
        else
            printf("%6u  %s\n", matrix->programs[cell], name);
    }
    printf("%u of %u feasible cells are hit\n", feasible - dark, feasible);
    return dark || beyond ? TOOL_FINDING : TOOL_CLEAN;
}

int verb_matrix(int count, char **arguments)
{
    static const struct option options[] = {{"missing", no_argument, NULL, 'm'},
                                            {"lenient", no_argument, NULL, 'l'},
                                            {"help", no_argument, NULL, 'h'},
                                            {NULL, 0, NULL, 0}};
    struct matrix matrix = {.cells = matrix_cells()};
    bool missing = false, lenient = false;
    struct input_list list;
    int option, status;

    while ((option = getopt_long(count, arguments, "", options, NULL)) != -1) {
        switch (option) {
        case 'm':
            missing = true;
            break;
        case 'l':
            lenient = true;
            break;
        case 'h':
            fputs(help, stdout);
            return TOOL_CLEAN;
        default:
            return TOOL_BAD;
        }
    }
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    matrix.programs = tool_alloc(matrix.cells * sizeof *matrix.programs);
    matrix.last = tool_alloc(matrix.cells * sizeof *matrix.last);
    status = run_all(&matrix, &list, lenient);
    if (!status)
        status = print(&matrix, missing);
    free(matrix.programs);
    free(matrix.last);
    input_list_free(&list);
    return status;
}
