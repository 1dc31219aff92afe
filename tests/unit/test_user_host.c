/* SPDX-License-Identifier: MIT */
/*
 * The services of the host for user processes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <dxgkmem/user.h>
#include <dxgkmem/violations.h>

static void pool_memory_is_zero_and_aligned(void **state)
{
    (void)state;
    for (size_t bytes = 1; bytes < 20000; bytes = bytes * 3 / 2 + 1) {
        unsigned char *memory = dxgkmem_host_alloc(bytes);

        assert_non_null(memory);
        assert_int_equal((uintptr_t)memory % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < bytes; i++)
            assert_int_equal(memory[i], 0);
        memset(memory, 0xff, bytes);
        dxgkmem_host_free(memory, bytes);
    }
}

/* -- locks ------------------------------------------------------------------------------ */

#define THREADS 8
#define ROUNDS 20000

static struct dxgkmem_lock lock[2];
static unsigned long count[2];

static void *add(void *argument)
{
    (void)argument;
    for (unsigned i = 0; i < ROUNDS; i++) {
        dxgkmem_host_lock_acquire(&lock[0], 8);
        count[0]++;
        if (i % 4 == 0) {
            dxgkmem_host_lock_acquire(&lock[1], 9);
            count[1]++;
            dxgkmem_host_lock_release(&lock[1]);
        }
        dxgkmem_host_lock_release(&lock[0]);
    }
    return NULL;
}

static void locks_exclude(void **state)
{
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        memset(&lock[i], 0xa5, sizeof lock[i]);
        dxgkmem_host_lock_init(&lock[i]);
        count[i] = 0;
    }
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, add, NULL), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(thread[i], NULL), 0);
    assert_int_equal(count[0], THREADS * ROUNDS);
    assert_int_equal(count[1], THREADS * ROUNDS / 4);
    for (unsigned i = 0; i < 2; i++)
        dxgkmem_host_lock_destroy(&lock[i]);
}

static void *hold_a_while(void *argument)
{
    dxgkmem_host_lock_acquire(&lock[0], 8);
    (void)write(*(int *)argument, "x", 1);
    (void)usleep(20000);
    count[0]++;
    dxgkmem_host_lock_release(&lock[0]);
    return NULL;
}

/* A waiter that sleeps is woken. */
static void a_long_wait_ends(void **state)
{
    pthread_t thread;
    int ends[2];
    char byte;

    (void)state;
    count[0] = 0;
    dxgkmem_host_lock_init(&lock[0]);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(pthread_create(&thread, NULL, hold_a_while, &ends[1]), 0);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    dxgkmem_host_lock_acquire(&lock[0], 8);
    assert_int_equal(count[0], 1);
    dxgkmem_host_lock_release(&lock[0]);
    assert_int_equal(pthread_join(thread, NULL), 0);
    dxgkmem_host_lock_destroy(&lock[0]);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* -- threads and numbers -------------------------------------------------------------------- */

static void *tell_shard(void *argument)
{
    *(unsigned *)argument = dxgkmem_host_shard();
    return NULL;
}

static void shards_number_threads(void **state)
{
    unsigned mine = dxgkmem_host_shard(), other;
    pthread_t thread;

    (void)state;
    assert_int_equal(mine, 0); /* the first thread that asked */
    assert_int_equal(pthread_create(&thread, NULL, tell_shard, &other), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_not_equal(other, mine);
    assert_int_equal(dxgkmem_host_shard(), mine);
}

static void random_numbers(void **state)
{
    uint64_t before = dxgkmem_host_random(), first[4];

    (void)state;
    assert_true(before != dxgkmem_host_random());
    dxgkmem_user_seed(7);
    for (unsigned i = 0; i < 4; i++)
        first[i] = dxgkmem_host_random();
    assert_true(first[0] != first[1]);
    dxgkmem_user_seed(7);
    for (unsigned i = 0; i < 4; i++)
        assert_true(first[i] == dxgkmem_host_random());
    dxgkmem_user_seed(8);
    assert_true(first[0] != dxgkmem_host_random());
}

/* -- the end -------------------------------------------------------------------------------- */

/* Runs `die` in a process of its own, which must abort; gives back what it wrote to stderr. */
static void dies(void (*die)(void), char *said, size_t room)
{
    int ends[2], status;
    size_t length = 0;
    ssize_t got;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(ends[1], 2);
        (void)close(ends[0]);
        die();
        _exit(0);
    }
    (void)close(ends[1]);
    while ((got = read(ends[0], said + length, room - 1 - length)) > 0)
        length += (size_t)got;
    said[length] = 0;
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const uint64_t parameters[4] = {DXGKMEM_VIOLATION_SECOND_OPEN, 17, 0x1234, 16};

static void bug_check(void)
{
    dxgkmem_host_bug_check(0x113, parameters);
}

static void panic(void)
{
    dxgkmem_host_panic("file.c", 12, "something impossible");
}

static void the_end_says_why(void **state)
{
    char said[4096];

    (void)state;
    dies(bug_check, said, sizeof said);
    assert_non_null(strstr(said, "dxgkmem: bug check 0x113 (violation second_open): 0x"));
    assert_non_null(strstr(said, "0x11 0x1234 0x10\n"));
    dies(panic, said, sizeof said);
    assert_non_null(strstr(said, "dxgkmem: file.c:12: something impossible\n"));
}

static jmp_buf back;
static int hook_context;

static void hook(void *context, uint32_t code, const uint64_t given[4])
{
    assert_ptr_equal(context, &hook_context);
    assert_int_equal(code, 0x113);
    assert_memory_equal(given, parameters, sizeof parameters);
    longjmp(back, 1);
}

static void a_hook_comes_first(void **state)
{
    (void)state;
    dxgkmem_user_set_bug_check_hook(hook, &hook_context);
    if (setjmp(back) == 0)
        dxgkmem_host_bug_check(0x113, parameters);
    dxgkmem_user_set_bug_check_hook(NULL, NULL);
}

#if !defined(NDEBUG)

static void out_of_rank(void)
{
    dxgkmem_host_lock_init(&lock[0]);
    dxgkmem_host_lock_init(&lock[1]);
    dxgkmem_host_lock_acquire(&lock[0], 9);
    dxgkmem_host_lock_acquire(&lock[1], 8);
}

static void twice(void)
{
    dxgkmem_host_lock_init(&lock[0]);
    dxgkmem_host_lock_acquire(&lock[0], 9);
    dxgkmem_host_lock_acquire(&lock[0], 10);
}

static void not_held(void)
{
    dxgkmem_host_lock_init(&lock[0]);
    dxgkmem_host_lock_release(&lock[0]);
}

static void debug_builds_check_ranks(void **state)
{
    char said[4096];

    (void)state;
    dies(out_of_rank, said, sizeof said);
    assert_non_null(strstr(said, "a thread took a lock out of rank"));
    dies(twice, said, sizeof said);
    assert_non_null(strstr(said, "a thread took a lock that it holds"));
    dies(not_held, said, sizeof said);
    assert_non_null(strstr(said, "a thread released a lock that it does not hold"));
    /* Released in any order. */
    dxgkmem_host_lock_init(&lock[0]);
    dxgkmem_host_lock_init(&lock[1]);
    dxgkmem_host_lock_acquire(&lock[0], 8);
    dxgkmem_host_lock_acquire(&lock[1], 9);
    dxgkmem_host_lock_release(&lock[0]);
    dxgkmem_host_lock_acquire(&lock[0], 10);
    dxgkmem_host_lock_release(&lock[1]);
    dxgkmem_host_lock_release(&lock[0]);
}

#endif

/* -- real mappings ---------------------------------------------------------------------------- */

static void windows_show_the_file(void **state)
{
    const struct dxgkmem_sim_windows *windows = &dxgkmem_user_windows;
    void *file = dxgkmem_user_windows_create(52);
    const uint64_t pages[5] = {7, 8, ((uint64_t)1 << 40) - 1, 3, 7};
    unsigned char *window, *again, *page;

    (void)state;
    if (file == NULL)
        skip();
    window = windows->map(file, 3, 16, pages, 5, DXGKMEM_ACCESS_READ | DXGKMEM_ACCESS_WRITE);
    assert_non_null(window);
    page = windows->page(file, pages[2]);
    assert_ptr_equal(windows->page(file, pages[2]), page);
    window[2 * 4096 + 5] = 9;
    assert_int_equal(page[5], 9);
    window[0] = 1; /* page 7 is there twice */
    assert_int_equal(window[4 * 4096], 1);
    again = windows->map(file, 0, 2, &pages[2], 1, DXGKMEM_ACCESS_READ);
    assert_int_equal(again[5], 9);
    windows->forget(file, pages[2]);
    assert_int_equal(again[5], 0);
    windows->unmap(file, 0, 1);
    windows->unmap(file, 3, 5);
    for (uint64_t i = 0; i < 100; i++) /* the table of views grows */
        *(uint64_t *)windows->page(file, i * 1000) = i;
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(*(uint64_t *)windows->page(file, i * 1000), i);
    assert_null(windows->map(file, 0, 2, pages, 0, DXGKMEM_ACCESS_READ));
    assert_null(dxgkmem_user_windows_create(64));
    dxgkmem_user_windows_destroy(file);
    dxgkmem_user_windows_destroy(NULL);
}

/* Asks the system, which says no where an access of our own would end the process. */
static bool readable(const unsigned char *address)
{
    int end[2];
    bool could;

    assert_int_equal(pipe(end), 0);
    could = write(end[1], address, 1) == 1;
    close(end[0]);
    close(end[1]);
    return could;
}

static void slots_keep_their_addresses(void **state)
{
    enum { SLOTS = 300 };
    const struct dxgkmem_sim_windows *windows = &dxgkmem_user_windows;
    const uint64_t small = (uint64_t)1 << (UINTPTR_MAX > 0xffffffffu ? 16 : 8); /* the machine's */
    void *file = dxgkmem_user_windows_create(40);
    const uint64_t pages[3] = {5, 6, 9};
    static unsigned char *base[SLOTS];

    (void)state;
    if (file == NULL)
        skip();
    for (uint32_t round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < SLOTS; i++) {
            uint32_t slot = round % 2 != 0 ? SLOTS - 1 - i : i;
            uint64_t length = 1 + (round + slot) % 3;
            unsigned char *window = windows->map(file, slot, small, pages, length, DXGKMEM_ACCESS_READ);

            assert_non_null(window);
            if (round != 0)
                assert_ptr_equal(window, base[slot]);
            base[slot] = window;
            assert_true(readable(window) && readable(window + length * 4096 - 1));
            assert_false(readable(window + length * 4096));
            assert_false(readable(window + (small - 1) * 4096));
        }
        for (uint32_t slot = 0; slot < SLOTS; slot++) {
            windows->unmap(file, slot, 1 + (round + slot) % 3);
            assert_false(readable(base[slot]) || readable(base[slot] + 4096));
        }
    }
    dxgkmem_user_windows_destroy(file);
}

/* A window leaves a guard, and a range is no larger than all the pages that may belong to objects. */
static void a_full_slot_has_no_room(void **state)
{
    const struct dxgkmem_sim_windows *windows = &dxgkmem_user_windows;
    void *file = dxgkmem_user_windows_create(40);
    const uint64_t pages[4] = {1, 2, 3, 4};
    unsigned char *window;

    (void)state;
    if (file == NULL)
        skip();
    assert_null(windows->map(file, 1000, 4, pages, 4, DXGKMEM_ACCESS_READ));
    window = windows->map(file, 1000, 4, pages, 3, DXGKMEM_ACCESS_READ);
    assert_non_null(window);
    assert_false(readable(window + 3 * 4096));
    windows->unmap(file, 1000, 3);
#if UINTPTR_MAX > 0xffffffffu
    {
        const uint64_t most = DXGKMEM_SIM_PAGE_LIMIT, room = (uint64_t)1 << 33;
        uint64_t *list = calloc(most + 1, sizeof *list);

        assert_non_null(list);
        for (uint64_t i = 0; i <= most; i++)
            list[i] = 7 + i;
        assert_null(windows->map(file, 1, room, list, most + 1, DXGKMEM_ACCESS_READ));
        window = windows->map(file, 1, room, list, most, DXGKMEM_ACCESS_READ);
        assert_non_null(window);
        assert_true(readable(window + (size_t)most * 4096 - 1));
        assert_false(readable(window + (size_t)most * 4096));
        windows->unmap(file, 1, most);
        free(list);
    }
#endif
    dxgkmem_user_windows_destroy(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shards_number_threads),
        cmocka_unit_test(pool_memory_is_zero_and_aligned),
        cmocka_unit_test(locks_exclude),
        cmocka_unit_test(a_long_wait_ends),
        cmocka_unit_test(random_numbers),
        cmocka_unit_test(the_end_says_why),
        cmocka_unit_test(a_hook_comes_first),
#if !defined(NDEBUG)
        cmocka_unit_test(debug_builds_check_ranks),
#endif
        cmocka_unit_test(windows_show_the_file),
        cmocka_unit_test(slots_keep_their_addresses),
        cmocka_unit_test(a_full_slot_has_no_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
