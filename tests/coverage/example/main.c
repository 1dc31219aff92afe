/* SPDX-License-Identifier: MIT */
/* Runs the example once for each argument: f the call fails, and two digits, the conditions. */
#include <dxgkmem/host.h>

int build(const struct machine *machine, int first, int second);

static int answer;
static NTSTATUS populate(void)
{
    return answer;
}

int main(int count, char **arguments)
{
    struct operations operations = {populate};
    struct machine machine = {&operations};

    for (int i = 1; i < count; i++) {
        answer = arguments[i][0] == 'f' ? -1 : 0;
        build(&machine, arguments[i][0] == '1', arguments[i][1] == '1');
    }
    return 0;
}
