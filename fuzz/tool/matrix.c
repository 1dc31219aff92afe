/* SPDX-License-Identifier: MIT */
/* dxgkmem matrix: which cells of operation x operand x class x fate programs hit, and which stay dark. */
#include "tool/course.h"
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
    "usage: dxgkmem matrix [--missing | --files | --html [--campaign CSV] [-o OUT]] [--lenient]\n"
    "                      FILE|FOLDER...\n\n"
    "Runs programs and prints each feasible cell of the matrix with the number of\n"
    "programs that hit it.\n\n"
    "  --missing  print the cells that no program hits, and nothing else\n"
    "  --files    print of each program how many cells it hits and the invariants that its\n"
    "             mistakes try, and by name those that no other program does\n"
    "  --html     as a heat map, on a page for a browser\n"
    "  --campaign CSV  above the heat map the course of a campaign, from the file that\n"
    "             ./dev fuzz writes; programs need not be named then\n"
    "  -o, --output OUT  where the page goes; standard output otherwise\n"
    "  --lenient  take every byte string as a program, as a fuzz target does\n" TOOL_PROVIDER_HELP
    "  --help     this text\n\n"
    "exit status: 0 every feasible cell is hit, 1 not every one, or a provider crashed, 2 bad input\n";

struct matrix {
    struct runner *runner;
    unsigned cells;
    unsigned *programs; /* of each cell, how many programs hit it */
    unsigned char *hit; /* of each program, then of each cell: whether it did */
    unsigned *tries;    /* of each program: a bit for each invariant that its mistakes would break */
    size_t present;     /* the program that runs */
    size_t count;
    const struct program *program;
    struct course *course; /* for the page; NULL: of no campaign */
    bool ended_badly;      /* an implementation from outside did, and that was said */
};

static bool has_hit(const struct matrix *matrix, size_t program, unsigned cell)
{
    return matrix->hit[program * matrix->cells + cell] != 0;
}

static void hit(void *context, unsigned cell)
{
    struct matrix *matrix = context;

    if (cell >= matrix->cells || has_hit(matrix, matrix->present, cell))
        return;
    matrix->hit[matrix->present * matrix->cells + cell] = 1;
    matrix->programs[cell]++;
}

static void look(void *context, const struct program *program, const struct runner_event *event)
{
    struct matrix *matrix = context;

    (void)program;
    for (unsigned i = 0; i < event->reports && i < RUNNER_REPORTS; i++)
        matrix->tries[matrix->present] |= 1u << runner_invariant_of(event->report[i].code);
    if (event->mistake != DXGKMEM_VIOLATION_NONE)
        matrix->tries[matrix->present] |= 1u << runner_invariant_of(event->mistake);
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
    matrix->present = at;
    matrix->program = &input->program;
    if (guard_call(run_program, matrix))
        matrix->ended_badly = true;
}

static int run_all(struct matrix *matrix, const struct input_list *list, bool lenient)
{
    struct runner_options options = {
        .cell = hit, .cell_context = matrix, .event = look, .event_context = matrix};

    guard_watch(&options);
    matrix->runner = runner_create(&options);
    if (!matrix->runner)
        return tool_error("no memory");
    int status = input_each(list, lenient, run_one, matrix);
    runner_destroy(matrix->runner);
    return status;
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

/* -- what each program is for -------------------------------------------------------------- */

/* The invariants that this program tries and no other one. */
static unsigned tries_alone(const struct matrix *matrix, size_t program)
{
    unsigned others = 0;

    for (size_t i = 0; i < matrix->count; i++)
        if (i != program)
            others |= matrix->tries[i];
    return matrix->tries[program] & ~others;
}

static void print_invariants(unsigned invariants)
{
    if (invariants == 0)
        fputs(" none", stdout);
    for (unsigned i = 0; i < 32; i++)
        if (invariants >> i & 1)
            printf(" %u", i);
}

/* Programs that serve something alone, or the others: how many. */
static size_t print_some(const struct matrix *matrix, const struct input_list *list, bool alone)
{
    size_t printed = 0;
    char name[256];

    for (size_t program = 0; program < matrix->count; program++) {
        unsigned cells = 0, own = 0, tries = tries_alone(matrix, program);

        for (unsigned cell = 0; cell < matrix->cells; cell++) {
            cells += has_hit(matrix, program, cell);
            own += has_hit(matrix, program, cell) && matrix->programs[cell] == 1;
        }
        if ((own != 0 || tries != 0) != alone)
            continue;
        printed++;
        printf("%4u cells, %3u alone; invariants", cells, own);
        print_invariants(matrix->tries[program]);
        printf(": %s\n", list->name[program]);
        for (unsigned cell = 0; cell < matrix->cells; cell++) {
            if (!has_hit(matrix, program, cell) || matrix->programs[cell] != 1)
                continue;
            matrix_name(cell, name, sizeof name);
            printf("      %s\n", name);
        }
        if (tries != 0) {
            fputs("      invariants", stdout);
            print_invariants(tries);
            putchar('\n');
        }
    }
    return printed;
}

static int print_files(const struct matrix *matrix, const struct input_list *list)
{
    size_t alone = print_some(matrix, list, true);

    fputs("what these serve, others serve too:\n", stdout);
    print_some(matrix, list, false);
    printf("%zu of %zu programs hit a cell or try an invariant that no other does\n", alone, matrix->count);
    return TOOL_CLEAN;
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

static void write_heat(FILE *to, const struct matrix *matrix)
{
    unsigned feasible = 0, hit_cells = 0, most = 0;

    for (unsigned cell = 0; cell < matrix->cells; cell++) {
        feasible += matrix_expected(tool_provider(), cell);
        hit_cells += matrix_expected(tool_provider(), cell) && matrix->programs[cell];
        if (matrix->programs[cell] > most)
            most = matrix->programs[cell];
    }
    fprintf(
        to,
        "<p class=\"soft\">%u of %u feasible cells are hit, by %zu programs. A cell: which handle of which "
        "callback, what class of value, what had become of the thing (it lives, it was never given out, or "
        "the call that ended it); the number: how many programs.</p>\n"
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Matrix, scrolls sideways\">"
        "<table class=\"heat\">\n<thead><tr><th scope=\"col\">handle</th>",
        hit_cells, feasible, matrix->count);
    for (unsigned class = 0; class < PROGRAM_CLASSES; class ++)
        fprintf(to, "<th scope=\"col\">%s</th>",
                class == PROGRAM_EXACT ? "exact" : program_class_names[class]);
    fputs("</tr></thead>\n<tbody>\n", to);
    for (unsigned cell = 0; cell < matrix->cells; cell++)
        if (cell == 0 || matrix_row(cell) != matrix_row(cell - 1))
            write_row(to, matrix, cell, most);
    fputs("</tbody>\n</table></div>\n", to);
}

static void write_page(FILE *to, const void *context)
{
    const struct matrix *matrix = context;

    html_begin(to, matrix->course ? "A campaign" : "The matrix",
               matrix->course ? "A campaign" : "The matrix");
    if (matrix->course)
        course_write(to, matrix->course);
    if (matrix->course && matrix->count)
        fputs("<h2>The matrix</h2>\n", to);
    if (matrix->count)
        write_heat(to, matrix);
    html_end(to);
}

int verb_matrix(int count, char **arguments)
{
    struct matrix matrix = {.cells = matrix_cells()};
    bool missing = false, files = false, lenient = false, html = false;
    const char *out = NULL, *campaign = NULL;
    struct input_list list = {0};
    const struct tool_option table[] = {
        {.name = "missing", .flag = &missing},
        {.name = "files", .flag = &files},
        {.name = "html", .flag = &html},
        {.name = "campaign", .text = &campaign},
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
    if (campaign && !html)
        return tool_error("matrix: --campaign goes with --html");
    if (html && missing)
        return tool_error("matrix: --html shows all cells, not those of --missing");
    if (files && (html || missing))
        return tool_error("matrix: --files goes with neither --missing nor --html");
    if (campaign && course_read(&matrix.course, campaign))
        return TOOL_BAD;
    if (!campaign || optind < count)
        status = input_list_make(&list, count - optind, arguments + optind);
    if (status) {
        course_free(matrix.course);
        return status;
    }
    matrix.programs = guard_memory(matrix.cells * sizeof *matrix.programs);
    matrix.count = list.count;
    if (list.count) {
        matrix.hit = guard_memory(list.count * matrix.cells);
        matrix.tries = guard_memory(list.count * sizeof *matrix.tries);
        status = run_all(&matrix, &list, lenient);
    }
    if (!status)
        status = html    ? tool_write_page(out, write_page, &matrix)
                 : files ? print_files(&matrix, &list)
                         : print(&matrix, missing);
    if (!status && matrix.ended_badly) /* the other programs count all the same */
        status = TOOL_FINDING;
    input_list_free(&list);
    course_free(matrix.course);
    return status;
}
