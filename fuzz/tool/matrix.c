/* SPDX-License-Identifier: MIT */
/* dxgkmem matrix: which cells of operation x operand x class x fate programs hit, and which stay dark. */
#include "tool/html.h"
#include "tool/input.h"
#include "tool/options.h"
#include "tool/provider.h"
#include "tool/tool.h"

#include "program/runner.h"

#include <dxgkmem/user.h>

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: dxgkmem matrix [--missing] [--html [-o OUT]] [--lenient] FILE|FOLDER...\n\n"
    "Runs programs and prints each feasible cell of the matrix with the number of\n"
    "programs that hit it.\n\n"
    "  --missing  print the cells that no program hits, and nothing else\n"
    "  --html     as a heat map, on a page for a browser\n"
    "  -o, --output OUT  where the page goes; standard output otherwise\n"
    "  --lenient  take every byte string as a program, as a fuzz target does\n" TOOL_PROVIDER_HELP
    "  --help     this text\n\n"
    "exit status: 0 every feasible cell is hit, 1 not every one, 2 bad input\n";

struct matrix {
    struct runner *runner;
    unsigned cells;
    unsigned *programs; /* of each cell, how many programs hit it */
    size_t *last;       /* of each cell, the last program that did, from 1 */
    size_t present;
    const struct program *program;
    bool ended_badly; /* an implementation from outside did, and that was said */
};

static void hit(void *context, unsigned cell)
{
    struct matrix *matrix = context;

    if (cell >= matrix->cells || matrix->last[cell] == matrix->present)
        return;
    matrix->last[cell] = matrix->present;
    matrix->programs[cell]++;
}

static void run_program(void *context)
{
    struct matrix *matrix = context;
    struct runner_result result;

    dxgkmem_user_seed(1);
    runner_run(matrix->runner, matrix->program, &result);
}

static void run_one(void *context, const struct input *input, const struct input_list *list, size_t at)
{
    struct matrix *matrix = context;

    (void)list;
    matrix->present = at + 1;
    matrix->program = &input->program;
    if (guard_call(run_program, matrix))
        matrix->ended_badly = true;
}

static int run_all(struct matrix *matrix, const struct input_list *list, bool lenient)
{
    struct runner_options options = {.cell = hit, .cell_context = matrix};

    guard_watch(&options);
    matrix->runner = runner_create(&options);
    if (!matrix->runner)
        return tool_error("no memory");
    int status = input_each(list, lenient, run_one, matrix);
    runner_destroy(matrix->runner);
    return status ? status : matrix->ended_badly ? TOOL_FINDING : TOOL_CLEAN;
}

static int print(const struct matrix *matrix, bool missing)
{
    unsigned feasible = 0, dark = 0, beyond = 0;
    char name[256];

    for (unsigned cell = 0; cell < matrix->cells; cell++) {
        bool was_hit = matrix->programs[cell] != 0;
        if (!matrix_expected(tool_provider(), cell)) {
            if (was_hit && tool_provider() == NULL) {
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

/* -- the heat map --------------------------------------------------------------------- */

static void write_cell(FILE *to, const struct matrix *matrix, unsigned cell, unsigned most)
{
    static const char ended[] = "ended-by-";
    unsigned programs = matrix->programs[cell];
    struct matrix_parts parts;

    matrix_name_parts(cell, &parts);
    if (programs)
        fprintf(to, "<span class=\"cell\" style=\"--heat:%u\" title=\"%s %s %s: %u\">%u</span>",
                8 + (most ? 32 * programs / most : 0), parts.row, parts.class, parts.fate, programs,
                programs);
    else
        fprintf(to, "<span class=\"cell dark\" title=\"%s %s %s: none\">0</span>", parts.row, parts.class,
                parts.fate);
    fprintf(to, " <span class=\"soft\">%s</span><br>",
            strncmp(parts.fate, ended, sizeof ended - 1) == 0 ? parts.fate + sizeof ended - 1 : parts.fate);
}

static void write_row(FILE *to, const struct matrix *matrix, unsigned first, unsigned most)
{
    struct matrix_parts parts;

    matrix_name_parts(first, &parts);
    fprintf(to, "<tr><th scope=\"row\" class=\"mono\">%s</th>", parts.row);
    for (unsigned class = 0; class < PROGRAM_CLASSES; class ++) {
        fputs("<td>", to);
        for (unsigned cell = first; cell < matrix->cells && matrix_row(cell) == matrix_row(first); cell++)
            if (matrix_class(cell) == class && matrix_expected(tool_provider(), cell))
                write_cell(to, matrix, cell, most);
        fputs("</td>", to);
    }
    fputs("</tr>\n", to);
}

static void write_page(FILE *to, const void *context)
{
    const struct matrix *matrix = context;
    unsigned feasible = 0, hit_cells = 0, most = 0;

    for (unsigned cell = 0; cell < matrix->cells; cell++) {
        feasible += matrix_expected(tool_provider(), cell);
        hit_cells += matrix_expected(tool_provider(), cell) && matrix->programs[cell];
        if (matrix->programs[cell] > most)
            most = matrix->programs[cell];
    }
    html_begin(to, "The matrix", "The matrix");
    fprintf(
        to,
        "<p class=\"soft\">%u of %u feasible cells are hit, by %zu programs. A cell: which handle of which "
        "callback, what class of value, what had become of the thing (it lives, it was never given out, or "
        "the call that ended it); the number: how many programs.</p>\n"
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Matrix, scrolls sideways\">"
        "<table class=\"heat\">\n<thead><tr><th scope=\"col\">handle</th>",
        hit_cells, feasible, matrix->present);
    for (unsigned class = 0; class < PROGRAM_CLASSES; class ++)
        fprintf(to, "<th scope=\"col\">%s</th>",
                class == PROGRAM_EXACT ? "exact" : program_class_names[class]);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (unsigned cell = 0; cell < matrix->cells; cell++)
        if (cell == 0 || matrix_row(cell) != matrix_row(cell - 1))
            write_row(to, matrix, cell, most);
    fputs("</tbody>\n</table></div>\n", to);
    html_end(to);
}

int verb_matrix(int count, char **arguments)
{
    struct matrix matrix = {.cells = matrix_cells()};
    bool missing = false, lenient = false, html = false;
    const char *out = NULL;
    struct input_list list;
    const struct tool_option table[] = {
        {.name = "missing", .flag = &missing},
        {.name = "html", .flag = &html},
        {.name = "output", .letter = 'o', .text = &out},
        {.name = "lenient", .flag = &lenient},
        TOOL_PROVIDER_OPTION,
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (out && !html)
        return tool_error("matrix: -o goes with --html");
    if (html && missing)
        return tool_error("matrix: --html shows all cells, not those of --missing");
    status = input_list_make(&list, count - optind, arguments + optind);
    if (status)
        return status;
    matrix.programs = guard_memory(matrix.cells * sizeof *matrix.programs);
    matrix.last = guard_memory(matrix.cells * sizeof *matrix.last);
    status = run_all(&matrix, &list, lenient);
    if (!status)
        status = html ? tool_write_page(out, write_page, &matrix) : print(&matrix, missing);
    input_list_free(&list);
    return status;
}
