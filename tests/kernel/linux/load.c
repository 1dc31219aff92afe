/* SPDX-License-Identifier: MIT */
/*
 * The only program of the guest: loads /test.ko, which does all it has to do at once; unloads it, and prints
 * DONE. What the module found stands in the console. Of the kernel's parameters, `module` is the module's
 * name and `options` its parameters. A program that is linked with it may do more meanwhile (process.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What a program that this is linked with does while the module is loaded. */
void guest_checks(void) __attribute__((weak));

static int unload(const char *name)
{
    if (guest_checks)
        guest_checks();
    return name && syscall(SYS_delete_module, name, O_NONBLOCK) == 0;
}

int main(void)
{
    const char *parameters = getenv("options"), *name = getenv("module");
    int file = open("/test.ko", O_RDONLY);

    setvbuf(stdout, NULL, _IOLBF, 0);
    mount("none", "/proc", "proc", 0, NULL);
    if (syscall(SYS_finit_module, file, parameters ? parameters : "", 0) != 0)
        printf("FAIL the module cannot be loaded: %s\n", strerror(errno));
    else if (!unload(name))
        printf("FAIL the module cannot be unloaded: %s\n", strerror(errno));
    else
        printf("DONE\n");
    fflush(stdout);
    reboot(RB_AUTOBOOT); /* QEMU ends: -no-reboot */
    for (;;)
        pause();
}
