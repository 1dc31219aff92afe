/* SPDX-License-Identifier: MIT */
/* Implements provider.h: the choice. */
#include "tool/provider.h"

#include "tool/tool.h"

#include "provider/load.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOAD_SECONDS 10

bool tool_take_provider(void *context, const char *path)
{
    (void)context;
    setenv("DXGKMEM_PROVIDER", path, 1);
    return true;
}

static _Noreturn void refuse(const char *path, const char *wrong)
{
    tool_error("%s: %s", path, wrong);
    exit(TOOL_BAD);
}

/* Loading runs code of the object's own: once in a child, to see whether it comes back. */
static void try_to_load(const char *path)
{
    char wrong[512];
    int status = 0;

    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        signal(SIGALRM, SIG_DFL);
        alarm(LOAD_SECONDS);
        provider_load(path, wrong, sizeof wrong);
        _exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        refuse(path, "no child process");
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
        refuse(path, "it hangs when it is loaded");
    if (WIFSIGNALED(status)) {
        snprintf(wrong, sizeof wrong, "it crashes when it is loaded: %s", strsignal(WTERMSIG(status)));
        refuse(path, wrong);
    }
    if (WEXITSTATUS(status) != 0)
        refuse(path, "it ends the process when it is loaded");
}

const struct dxgkmem_provider *tool_provider(void)
{
    static const struct dxgkmem_provider *provider;
    const char *path = getenv("DXGKMEM_PROVIDER");
    char wrong[512];

    if (provider != NULL)
        return provider;
    if (path == NULL || *path == '\0') {
        provider = provider_linked(wrong, sizeof wrong);
        if (*wrong != '\0')
            refuse("the provider that is linked in", wrong);
        return provider;
    }
    try_to_load(path);
    provider = provider_load(path, wrong, sizeof wrong);
    if (provider == NULL)
        refuse(path, wrong);
    return provider;
}
