/* SPDX-License-Identifier: MIT */
/*
 * dxgkmem drive: fuzzes a driver from outside. The command that it starts takes requests of the drivers'
 * protocol on its standard input and replies on its standard output; whatever is behind it.
 *
 * Programs are made here, by the engine; they run there, with the model and every invariant. The driver
 * says which of them reached something new. When the command ends or does not answer, the programs of the
 * request under way are tried one by one in a new one, so that the culprit is known.
 */
#include "tool/input.h"
#include "tool/options.h"
#include "tool/report.h"
#include "tool/tool.h"

#include "driver/protocol.h"
#include "engine/engine.h"
#include "engine/random.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char help[] =
    "usage: dxgkmem drive --home FOLDER [OPTION]... [FILE|FOLDER]... -- COMMAND [ARGUMENT]...\n\n"
    "Fuzzes a driver. COMMAND takes requests on its standard input and gives replies on its\n"
    "standard output; it is started again when it ends. The files are where it begins.\n\n"
    "  --home FOLDER   what is kept: corpus/, findings/, and log of the command\n"
    "  --seconds N     how long (60)\n"
    "  --seed N        of everything that is chosen (1)\n"
    "  --keep-going    a finding does not end the run\n"
    "  --help          this text\n\n"
    "exit status: 0 nothing found, 1 findings, 2 the command does not work, 130 interrupted\n";

#define AT_ONCE 64u /* programs in a request */
#define PROGRAM_MOST 512u
#define LOG_LINES 12u
#define PATIENCE_MS 60000 /* the command's start is part of it */

struct sample {
    uint32_t size;
    uint8_t bytes[PROGRAM_MOST];
};

struct drive {
    const char *home;
    char *corpus, *findings, *log;
    uint64_t seconds, seed;
    bool keep_going;
    char **command;

    pid_t child;    /* 0: none */
    long log_start; /* where in the log its lines begin */
    int to, from;

    struct random random;
    struct engine engine;
    struct sample *kept;
    size_t count, room;
    struct sample batch[AT_ONCE];
    uint8_t request[sizeof(struct batch_header) + AT_ONCE * (PROGRAM_MOST + 4)];
    uint8_t reply[sizeof(struct batch_header) + AT_ONCE * sizeof(struct batch_result)];

    uint64_t programs, callbacks, successes;
    unsigned found, starts;
};

static struct input input;
static struct program program;

static volatile sig_atomic_t interrupted;

static void interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

/* -- the command ------------------------------------------------------------------------------- */

static int start_command(struct drive *drive)
{
    int requests[2], replies[2];
    struct stat log;

    if (pipe(requests) != 0)
        return tool_error("no pipe: %s", strerror(errno));
    if (pipe(replies) != 0)
        return tool_error("no pipe: %s", strerror(errno));
    drive->starts++;
    drive->log_start = stat(drive->log, &log) == 0 ? (long)log.st_size : 0;
    drive->child = fork();
    if (drive->child < 0)
        return tool_error("%s: cannot be started: %s", drive->command[0], strerror(errno));
    if (drive->child == 0) {
        (void)setpgid(0, 0); /* an interrupt is for us */
        if (!freopen(drive->log, "a", stderr))
            _exit(126);
        dup2(requests[0], STDIN_FILENO);
        dup2(replies[1], STDOUT_FILENO);
        for (unsigned i = 0; i < 2; i++) {
            close(requests[i]);
            close(replies[i]);
        }
        execvp(drive->command[0], drive->command);
        fprintf(stderr, "%s: %s\n", drive->command[0], strerror(errno));
        fflush(stderr);
        _exit(127);
    }
    close(requests[0]);
    close(replies[1]);
    drive->to = requests[1];
    drive->from = replies[0];
    return 0;
}

/* Its input ends, so it does; one that does not answer any more is told to. */
static void end_command(struct drive *drive, bool hangs)
{
    if (drive->child == 0)
        return;
    close(drive->to);
    if (hangs)
        kill(drive->child, SIGTERM);
    close(drive->from);
    while (waitpid(drive->child, NULL, 0) < 0 && errno == EINTR)
        ;
    drive->child = 0;
}

static bool send_all(int file, const uint8_t *bytes, size_t size)
{
    while (size) {
        ssize_t done = write(file, bytes, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return false;
        bytes += done;
        size -= (size_t)done;
    }
    return true;
}

/* *hangs: whether it is alive and says nothing. */
static bool receive_all(int file, uint8_t *bytes, size_t size, bool *hangs)
{
    while (size) {
        struct pollfd poll_file = {.fd = file, .events = POLLIN};
        int ready = poll(&poll_file, 1, PATIENCE_MS);

        if (ready < 0 && errno == EINTR)
            continue;
        *hangs = ready == 0;
        ssize_t got = ready > 0 ? read(file, bytes, size) : -1;
        if (got <= 0)
            return false;
        bytes += got;
        size -= (size_t)got;
    }
    return true;
}

enum answer { ANSWERED, ENDED, HANGS, NO_PROTOCOL };

/* One request and its reply, of which at most `room` is taken. Unless it answered, the command is ended. */
static enum answer ask(struct drive *drive, const uint8_t *request, size_t size, uint8_t *reply, size_t room)
{
    struct batch_header header;
    bool hangs = false;

    if (send_all(drive->to, request, size) && receive_all(drive->from, reply, sizeof header, &hangs)) {
        memcpy(&header, reply, sizeof header);
        if (header.magic != BATCH_MAGIC || header.bytes < sizeof header || header.bytes > room) {
            end_command(drive, true);
            return NO_PROTOCOL;
        }
        if (receive_all(drive->from, reply + sizeof header, header.bytes - sizeof header, &hangs))
            return ANSWERED;
    }
    end_command(drive, hangs);
    return hangs ? HANGS : ENDED;
}

/* -- running programs --------------------------------------------------------------------------- */

static size_t write_request(struct drive *drive, const struct sample *samples, uint32_t count)
{
    struct batch_header header = {
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = BATCH_RUN,
        .flags = BATCH_FLAG_NEWS,
        .language = PROGRAM_VERSION,
        .count = count,
        .reply_bytes = (uint32_t)(sizeof header + count * sizeof(struct batch_result)),
    };
    uint8_t *at = drive->request + sizeof header;

    for (uint32_t i = 0; i < count; i++) {
        memcpy(at, &samples[i].size, 4);
        memcpy(at + 4, samples[i].bytes, samples[i].size);
        at += 4 + samples[i].size;
    }
    header.bytes = (uint32_t)(at - drive->request);
    memcpy(drive->request, &header, sizeof header);
    return header.bytes;
}

static void keep(struct drive *drive, const struct sample *sample, bool save)
{
    if (drive->count == drive->room) {
        size_t room = drive->room ? 2 * drive->room : 256;
        struct sample *kept = tool_alloc(room * sizeof *kept);
        if (drive->count)
            memcpy(kept, drive->kept, drive->count * sizeof *kept);
        free(drive->kept);
        drive->kept = kept;
        drive->room = room;
    }
    drive->kept[drive->count++] = *sample;
    if (!save)
        return;
    char *path =
        tool_format("%s/%016" PRIx64, drive->corpus, tool_hash(TOOL_HASH, sample->bytes, sample->size));
    tool_write_file(path, sample->bytes, sample->size);
    free(path);
}

/* Saves the program of a finding as text, and says how it is run again. */
static void save_finding(struct drive *drive, const struct sample *sample)
{
    static unsigned number;
    char *path = NULL;

    do { /* those of earlier runs stay */
        free(path);
        path = tool_format("%s/finding-%u.txt", drive->findings, ++number);
    } while (access(path, F_OK) == 0);
    FILE *file = fopen(path, "w");

    program_decode(&program, sample->bytes, sample->size);
    if (!file) {
        tool_error("%s: cannot be written: %s", path, strerror(errno));
    } else {
        report_program(file, &program);
        fclose(file);
    }
    report_program(stdout, &program);
    printf("saved: %s\n\n", path);
    fflush(stdout);
    free(path);
}

static void report_result(struct drive *drive, const struct sample *sample, const struct batch_result *result)
{
    struct runner_finding finding = {.invariant = result->invariant, .line = result->line};

    memcpy(finding.message, result->message, sizeof finding.message);
    finding.message[sizeof finding.message - 1] = '\0';
    printf("\nfinding %u: by the driver\n", ++drive->found);
    program_decode(&program, sample->bytes, sample->size);
    report_finding(stdout, NULL, &program, NULL, &finding);
    save_finding(drive, sample);
}

/* Runs samples; those with news are kept. `save`: they are new to the disk as well. */
static enum answer run_samples(struct drive *drive, const struct sample *samples, uint32_t count, bool save)
{
    size_t size = write_request(drive, samples, count);
    enum answer answer = ask(drive, drive->request, size, drive->reply, sizeof drive->reply);
    struct batch_header header;

    if (answer != ANSWERED)
        return answer;
    memcpy(&header, drive->reply, sizeof header);
    if (header.count != count || header.bytes != sizeof header + count * sizeof(struct batch_result))
        return NO_PROTOCOL;
    for (uint32_t i = 0; i < count; i++) {
        struct batch_result result;

        memcpy(&result, drive->reply + sizeof header + i * sizeof result, sizeof result);
        drive->programs++;
        drive->callbacks += result.callbacks;
        drive->successes += result.successes;
        if (result.invariant)
            report_result(drive, &samples[i], &result);
        else if (result.flags & BATCH_RESULT_NEWS)
            keep(drive, &samples[i], save);
    }
    return ANSWERED;
}

/* What the command that ended said of it. */
static void quote_log(const struct drive *drive)
{
    FILE *log = fopen(drive->log, "r");
    char line[256];

    if (log == NULL)
        return;
    if (fseek(log, drive->log_start, SEEK_SET) == 0)
        for (unsigned i = 0; i < LOG_LINES && fgets(line, sizeof line, log) != NULL; i++)
            printf("  %.*s\n", (int)strcspn(line, "\n"), line);
    fclose(log);
}

/* The command ended during these: each by itself, in a new one, until one ends it again. */
static int find_culprit(struct drive *drive, const struct sample *samples, uint32_t count, enum answer before)
{
    for (uint32_t i = 0; i < count; i++) {
        if (drive->child == 0 && start_command(drive))
            return TOOL_BAD;
        enum answer answer = run_samples(drive, &samples[i], 1, true);
        if (answer == ANSWERED)
            continue;
        if (answer == NO_PROTOCOL)
            return tool_error("%s: its replies are not of the protocol", drive->command[0]);
        printf("\nfinding %u: the driver %s; see %s\n", ++drive->found,
               answer == HANGS ? "does not answer" : "stopped", drive->log);
        quote_log(drive);
        save_finding(drive, &samples[i]);
        return 0;
    }
    printf("\nfinding %u: the driver %s during %u programs, and in none of them alone; see %s\n\n",
           ++drive->found, before == HANGS ? "did not answer" : "stopped", count, drive->log);
    return 0;
}

/* Before the first program: whatever goes wrong now, no program is to blame. */
static int try_command(struct drive *drive)
{
    const struct batch_header query = {
        .magic = BATCH_MAGIC,
        .version = BATCH_VERSION,
        .function = BATCH_QUERY,
        .bytes = sizeof query,
        .reply_bytes = sizeof query + sizeof(struct batch_limits),
    };
    struct batch_limits limits;
    struct batch_header header;

    if (start_command(drive))
        return TOOL_BAD;
    if (ask(drive, (const uint8_t *)&query, sizeof query, drive->reply, sizeof drive->reply) != ANSWERED)
        return tool_error("%s: does not work; see %s", drive->command[0], drive->log);
    memcpy(&header, drive->reply, sizeof header);
    memcpy(&limits, drive->reply + sizeof header, sizeof limits);
    if (header.bytes != query.reply_bytes)
        return tool_error("%s: does not work: its replies are not of the protocol", drive->command[0]);
    if (limits.language != PROGRAM_VERSION)
        return tool_error("%s: does not work: it knows version %" PRIu32 " of programs, not %u",
                          drive->command[0], limits.language, PROGRAM_VERSION);
    return 0;
}

static int run_all(struct drive *drive, const struct sample *samples, uint32_t count, bool save)
{
    if (drive->child == 0 && start_command(drive))
        return TOOL_BAD;
    enum answer answer = run_samples(drive, samples, count, save);
    if (answer == NO_PROTOCOL)
        return tool_error("%s: its replies are not of the protocol", drive->command[0]);
    return answer == ANSWERED || interrupted ? 0 : find_culprit(drive, samples, count, answer);
}

/* -- making programs ------------------------------------------------------------------------------- */

static void make_sample(struct drive *drive, struct sample *sample)
{
    const struct sample *parent = &drive->kept[random_below(&drive->random, (unsigned)drive->count)];
    uint64_t seed = random_next(&drive->random);

    if (random_chance(&drive->random, 40)) {
        const struct sample *other = &drive->kept[random_below(&drive->random, (unsigned)drive->count)];
        sample->size = (uint32_t)engine_crossover(&drive->engine, parent->bytes, parent->size, other->bytes,
                                                  other->size, sample->bytes, PROGRAM_MOST, seed);
    } else {
        *sample = *parent;
        sample->size =
            (uint32_t)engine_mutate(&drive->engine, sample->bytes, sample->size, PROGRAM_MOST, seed);
    }
}

/* The programs to begin with: all are kept, whatever they reach. */
static int load(struct drive *drive, const struct input_list *list)
{
    static struct sample sample;

    for (size_t i = 0; i < list->count; i++) {
        if (input_read(&input, list->path[i], true))
            return TOOL_BAD;
        sample.size = (uint32_t)engine_write(&input.program, sample.bytes, PROGRAM_MOST);
        keep(drive, &sample, false);
    }
    if (drive->count == 0) {
        engine_generate(&program, drive->seed, 16);
        sample.size = (uint32_t)engine_write(&program, sample.bytes, PROGRAM_MOST);
        keep(drive, &sample, false);
    }
    size_t loaded = drive->count;
    for (size_t i = 0; i < loaded; i += AT_ONCE) {
        uint32_t count = (uint32_t)(loaded - i < AT_ONCE ? loaded - i : AT_ONCE);
        memcpy(drive->batch, drive->kept + i, count * sizeof drive->batch[0]);
        size_t before = drive->count;
        if (run_all(drive, drive->batch, count, false))
            return TOOL_BAD;
        drive->count = before; /* they are there already */
    }
    return 0;
}

/* -- the run ------------------------------------------------------------------------------------------ */

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int fuzz(struct drive *drive)
{
    uint64_t begin = now_ms(), end = begin + drive->seconds * 1000, shown = begin, before = drive->programs,
             shown_programs = before;
    int status = 0;

    while (!status && !interrupted && now_ms() < end && (drive->found == 0 || drive->keep_going)) {
        for (unsigned i = 0; i < AT_ONCE; i++)
            make_sample(drive, &drive->batch[i]);
        status = run_all(drive, drive->batch, AT_ONCE, true);
        uint64_t now = now_ms();
        if (now - shown < (isatty(STDERR_FILENO) ? 1000u : 10000u))
            continue;
        fprintf(stderr, "%4" PRIu64 " s left  %7" PRIu64 " programs/s  %5zu corpus  %u findings\n",
                end > now ? (end - now) / 1000 : 0, (drive->programs - shown_programs) * 1000 / (now - shown),
                drive->count, drive->found);
        shown = now;
        shown_programs = drive->programs;
    }
    uint64_t took = now_ms() - begin + 1, made = drive->programs - before;
    printf("%" PRIu64 " programs in %" PRIu64 " s: %" PRIu64 " programs/s; of %" PRIu64 " callbacks %" PRIu64
           " succeeded\n",
           made, took / 1000, made * 1000 / took, drive->callbacks, drive->successes);
    printf("%zu programs kept, %s; the command was started %u time%s\n", drive->count, drive->corpus,
           drive->starts, drive->starts == 1 ? "" : "s");
    return status;
}

static int make_home(struct drive *drive)
{
    drive->corpus = tool_format("%s/corpus", drive->home);
    drive->findings = tool_format("%s/findings", drive->home);
    drive->log = tool_format("%s/log", drive->home);
    const char *const folders[] = {drive->home, drive->corpus, drive->findings};
    for (unsigned i = 0; i < 3; i++)
        if (mkdir(folders[i], 0777) != 0 && errno != EEXIST)
            return tool_error("%s: cannot be made: %s", folders[i], strerror(errno));
    (void)unlink(drive->log);
    return 0;
}

/* 0, -1 when help was printed, or TOOL_BAD. */
static int parse(int count, char **arguments, struct drive *drive)
{
    const struct tool_option table[] = {
        {.name = "home", .text = &drive->home},
        {.name = "seconds", .number = &drive->seconds, .least = 1, .most = 1000000},
        {.name = "seed", .number = &drive->seed},
        {.name = "keep-going", .flag = &drive->keep_going},
        {0},
    };
    int status = tool_options(count, arguments, table, help);

    if (status || drive->home)
        return status;
    (void)tool_error("drive: --home FOLDER says where what is found is kept");
    return TOOL_BAD;
}

/* The place of the -- behind which the command stands, or of the end. */
static int find_command(int count, char **arguments)
{
    int at = 1;

    while (at < count && strcmp(arguments[at], "--") != 0)
        at++;
    return at;
}

int verb_drive(int count, char **arguments)
{
    static struct drive drive = {.seconds = 60, .seed = 1};
    const struct sigaction action = {.sa_handler = interrupt};
    struct input_list list = {0};
    int command = find_command(count, arguments), status = parse(command, arguments, &drive);

    if (status)
        return status < 0 ? TOOL_CLEAN : status;
    if (command + 1 >= count)
        return tool_error("drive: -- COMMAND says what to drive");
    drive.command = arguments + command + 1;
    drive.random.state = drive.seed;
    if (optind < command)
        status = input_list_make(&list, command - optind, arguments + optind);
    if (status || make_home(&drive))
        return TOOL_BAD;
    signal(SIGPIPE, SIG_IGN);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    status = try_command(&drive);
    if (!status)
        status = load(&drive, &list);
    if (!status)
        status = fuzz(&drive);
    end_command(&drive, false);
    input_list_free(&list);
    free(drive.kept);
    if (status)
        return status;
    if (drive.found)
        return TOOL_FINDING;
    if (interrupted)
        return TOOL_INTERRUPTED;
    puts("nothing found");
    return TOOL_CLEAN;
}
