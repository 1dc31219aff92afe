/* SPDX-License-Identifier: MIT */
/*
 * Providers that are no good, each in one way: -DBROKEN=NAME says in which. What the harness makes of them is
 * checked by tests/cli/build_provider.sh. With BROKEN=NOTHING it is sound, and refuses every adapter.
 */
#include <dxgkmem/provider.h>

#include <stdlib.h>
#include <unistd.h>

enum {
    NOTHING,
    NO_ENTRY,
    NO_TABLE,
    OTHER_VERSION,
    OTHER_SIZE,
    NO_START,
    HALF_OF_THE_CPU,
    RULE_TWICE,
    RULE_AGAINST_DOCUMENTATION,
    RULE_WITH_SUCCESS,
    STATUS_OF_CLOSE,
    ORDER_AND_REPORTS,
    CRASH_WHEN_LOADED,
    END_WHEN_LOADED,
    CRASH_IN_CALL,
    HANG_IN_CALL,
    END_IN_CALL,
    CRASH_IN_START,
    NO_SUCH_WORLD
};

struct dxgkmem_sim {
    int unused;
};

static NTSTATUS create(const struct dxgkmem_sim_config *config, struct dxgkmem_sim **machine)
{
    static struct dxgkmem_sim only;

    (void)config;
    *machine = &only;
    return BROKEN == NO_SUCH_WORLD ? STATUS_NOT_SUPPORTED : STATUS_SUCCESS;
}

static void destroy(struct dxgkmem_sim *machine)
{
    (void)machine;
}

static NTSTATUS start(struct dxgkmem_sim *machine, const struct dxgkmem_config *config)
{
    (void)machine;
    (void)config;
    if (BROKEN == CRASH_IN_START)
        abort();
    return STATUS_SUCCESS;
}

static void stop(struct dxgkmem_leaks *leaks)
{
    (void)leaks;
}

static NTSTATUS add_adapter(const struct dxgkmem_adapter_config *config, HANDLE *handle)
{
    (void)config;
    (void)handle;
    if (BROKEN == CRASH_IN_CALL)
        abort();
    if (BROKEN == END_IN_CALL)
        exit(0);
    while (BROKEN == HANG_IN_CALL)
        pause();
    return STATUS_NO_MEMORY;
}

static NTSTATUS query_interface(HANDLE handle, DXGKRNL_INTERFACE *interface)
{
    (void)handle;
    (void)interface;
    return STATUS_INVALID_HANDLE;
}

static bool cpu_read(struct dxgkmem_sim *machine, const void *address, void *to, size_t bytes)
{
    (void)machine;
    (void)address;
    (void)to;
    return bytes == 0;
}

static const struct dxgkmem_profile_rule rules[] = {
    {DXGKMEM_CALL_MAP, DXGKMEM_VIOLATION_STALE_HANDLE, DXGKMEM_ANSWER_REFUSE, 0},
#if BROKEN == 7 /* RULE_TWICE */
    {DXGKMEM_CALL_MAP, DXGKMEM_VIOLATION_STALE_HANDLE, DXGKMEM_ANSWER_UNCHECKED, 0},
#elif BROKEN == 8  /* RULE_AGAINST_DOCUMENTATION */
    {DXGKMEM_CALL_NONE, DXGKMEM_VIOLATION_SECOND_OPEN, DXGKMEM_ANSWER_UNCHECKED, 0},
#elif BROKEN == 9  /* RULE_WITH_SUCCESS */
    {DXGKMEM_CALL_OPEN, DXGKMEM_VIOLATION_STALE_HANDLE, DXGKMEM_ANSWER_REFUSE, 1},
#elif BROKEN == 10 /* STATUS_OF_CLOSE */
    {DXGKMEM_CALL_CLOSE, DXGKMEM_VIOLATION_STALE_HANDLE, DXGKMEM_ANSWER_REFUSE, STATUS_INVALID_HANDLE},
#endif
};

static const struct dxgkmem_profile profile = {
    .rule = rules,
    .rules = sizeof rules / sizeof rules[0],
    .any_order = true,
    .reports = BROKEN == ORDER_AND_REPORTS ? DXGKMEM_REPORTS_FULL : DXGKMEM_REPORTS_NONE,
};

static const struct dxgkmem_provider table = {
    .version = DXGKMEM_PROVIDER_VERSION + (BROKEN == OTHER_VERSION),
    .size = sizeof(struct dxgkmem_provider) - (BROKEN == OTHER_SIZE ? 8 : 0),
    .name = "broken",
    .profile = &profile,
    .create = create,
    .destroy = destroy,
    .cpu_read = BROKEN == HALF_OF_THE_CPU ? cpu_read : NULL,
    .start = BROKEN == NO_START ? NULL : start,
    .stop = stop,
    .add_adapter = add_adapter,
    .query_interface = query_interface,
};

#if BROKEN != 1 /* NO_ENTRY */
const struct dxgkmem_provider *dxgkmem_provider(void)
{
    if (BROKEN == CRASH_WHEN_LOADED)
        abort();
    if (BROKEN == END_WHEN_LOADED)
        exit(3);
    return BROKEN == NO_TABLE ? NULL : &table;
}
#endif
