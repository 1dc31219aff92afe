/* SPDX-License-Identifier: MIT */
/*
 * Random numbers, bug check and panic of a user process.
 */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#if defined(_WIN32)
#define _CRT_RAND_S
#endif

#include <dxgkmem/user.h>
#include <dxgkmem/violations.h>

#include "../splitmix.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__linux__)
#include <sys/random.h>
#endif

/* -- random numbers ---------------------------------------------------------------------- */

static bool seeded;
static struct splitmix seed_state;

void dxgkmem_user_seed(uint64_t seed)
{
    __atomic_store_n(&seed_state.state, seed, __ATOMIC_RELAXED);
    __atomic_store_n(&seeded, true, __ATOMIC_RELEASE);
}

static bool system_random(uint64_t *random)
{
#if defined(__linux__)
    return getrandom(random, sizeof *random, 0) == (ssize_t)sizeof *random;
#elif defined(_WIN32)
    unsigned low, high;

    if (rand_s(&low) != 0 || rand_s(&high) != 0)
        return false;
    *random = (uint64_t)high << 32 | low;
    return true;
#else
    FILE *file = fopen("/dev/urandom", "rb");
    bool done = file != NULL && fread(random, sizeof *random, 1, file) == 1;

    if (file != NULL)
        (void)fclose(file);
    return done;
#endif
}

uint64_t dxgkmem_host_random(void)
{
    uint64_t random = 0;

    if (__atomic_load_n(&seeded, __ATOMIC_ACQUIRE))
        return splitmix64(&seed_state);
    if (!system_random(&random))
        dxgkmem_host_panic(__FILE__, __LINE__, "the system has no random numbers");
    return random;
}

/* -- the end ----------------------------------------------------------------------------- */

static dxgkmem_user_bug_check_hook *bug_check_hook;
static void *bug_check_context;

void dxgkmem_user_set_bug_check_hook(dxgkmem_user_bug_check_hook *hook, void *context)
{
    bug_check_hook = hook;
    bug_check_context = context;
}

/* Violation codes by number begin at 1, in the order of the list. */
static const char *violation_name(uint64_t code)
{
    static const char *const names[] = {"none",
#define NAME(constant, name, status, sentence) #name,
                                        DXGKMEM_VIOLATIONS(NAME)
#undef NAME
    };

    return code < sizeof names / sizeof *names ? names[code] : "unknown";
}

void dxgkmem_host_bug_check(uint32_t code, const uint64_t parameters[4])
{
    if (bug_check_hook != NULL)
        bug_check_hook(bug_check_context, code, parameters);
    (void)fprintf(stderr, "dxgkmem: bug check 0x%" PRIX32, code);
    if (code == VIDEO_DXGKRNL_FATAL_ERROR)
        (void)fprintf(stderr, " (violation %s)", violation_name(parameters[0]));
    (void)fprintf(stderr, ": 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 " 0x%" PRIx64 "\n", parameters[0],
                  parameters[1], parameters[2], parameters[3]);
    abort();
}

void dxgkmem_host_panic(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "dxgkmem: %s:%d: %s\n", file, line, what);
    abort();
}
