/* SPDX-License-Identifier: MIT */
/* Stands for the host's header where report.py itself is tested. */
typedef int NTSTATUS;
#define NT_SUCCESS(status) ((status) >= 0)
struct machine {
    struct operations {
        NTSTATUS (*populate)(void);
    } * ops;
};
