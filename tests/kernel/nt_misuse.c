/* SPDX-License-Identifier: MIT */
/*
 * A client that does everything wrong, for the Windows driver as it is loaded: bad calls and
 * requests, lengths at every boundary, a client that is killed, two at once, unloading while a handle
 * is open. After each the device must answer a query. Linked with ntdll, so that it sees statuses.
 *
 *   nt_misuse REQUEST CLIENT DRIVER     a good request of `dxgkmem batch write`, the client, the driver
 *
 * Prints a line for what failed, and how many checks passed; exit status 0 when all did.
 */
#define WIN32_NO_STATUS
#include <windows.h>
#undef WIN32_NO_STATUS
#include <ntstatus.h>
#include <winioctl.h>
#include <winternl.h>

#include "driver/nt/device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned passed, failed;
static uint8_t good[BATCH_REQUEST_BYTES], request[BATCH_REQUEST_BYTES + 1], reply[BATCH_REPLY_BYTES + 1];
static DWORD good_bytes;
static HANDLE device;

static void check(int holds, const char *what, unsigned long got)
{
    if (holds) {
        passed++;
        return;
    }
    failed++;
    printf("FAIL %s: %#lx\n", what, got);
    fflush(stdout);
}

static HANDLE open_device(DWORD access)
{
    return CreateFileW(DEVICE_PATH, access, 0, NULL, OPEN_EXISTING, 0, NULL);
}

static NTSTATUS control(HANDLE to, ULONG code, void *in, ULONG in_bytes, void *out, ULONG out_bytes,
                        ULONG_PTR *written)
{
    IO_STATUS_BLOCK block = {0};
    NTSTATUS status = NtDeviceIoControlFile(to, NULL, NULL, NULL, &block, code, in, in_bytes, out, out_bytes);

    if (written)
        *written = block.Information;
    return status;
}

static NTSTATUS call(const void *bytes, ULONG size, ULONG room)
{
    return control(device, IOCTL_DXGKMEM_CALL, (void *)(uintptr_t)bytes, size, reply, room, NULL);
}

static struct batch_header query_header(void)
{
    return (struct batch_header){.magic = BATCH_MAGIC,
                                 .version = BATCH_VERSION,
                                 .function = BATCH_QUERY,
                                 .bytes = sizeof(struct batch_header),
                                 .reply_bytes = sizeof(struct batch_header) + sizeof(struct batch_limits)};
}

/* Whatever was before: the device answers. */
static void check_alive(const char *after)
{
    struct batch_header query = query_header();
    struct batch_limits limits;
    ULONG_PTR written;
    NTSTATUS status =
        control(device, IOCTL_DXGKMEM_CALL, &query, sizeof query, reply, query.reply_bytes, &written);

    memcpy(&limits, reply + sizeof query, sizeof limits);
    check(status == STATUS_SUCCESS && written == query.reply_bytes && strcmp(limits.host, "nt") == 0 &&
              limits.coverage_bytes > 1000,
          after, (unsigned long)status);
}

/* -- calls and requests ----------------------------------------------------------------------- */

static void bad_calls(void)
{
    static const ULONG codes[] = {
        0,
        IOCTL_DXGKMEM_CALL + 4,
        IOCTL_DXGKMEM_CALL - 4,
        CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_NEITHER, FILE_READ_ACCESS | FILE_WRITE_ACCESS),
        CTL_CODE(FILE_DEVICE_UNKNOWN, 0x800, METHOD_BUFFERED, FILE_ANY_ACCESS),
        0xffffffff & ~3u,
    };
    struct batch_header query = query_header();

    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        NTSTATUS status = control(device, codes[i], &query, sizeof query, reply, sizeof reply, NULL);
        check(status == STATUS_INVALID_DEVICE_REQUEST, "another control code", (unsigned long)status);
    }
    check(call(NULL, 0, 0) == STATUS_INFO_LENGTH_MISMATCH, "no request and no room", 0);
    check(call(NULL, 0, 4096) == STATUS_INFO_LENGTH_MISMATCH, "no request", 0);
    check(call(&query, sizeof query, 0) == STATUS_BUFFER_TOO_SMALL, "no room", 0);
    for (ULONG size = 1; size < sizeof query; size++)
        check(call(&query, size, sizeof reply) == STATUS_INFO_LENGTH_MISMATCH, "part of a header", size);
    for (ULONG room = 0; room < query.reply_bytes; room++)
        check(call(&query, sizeof query, room) == STATUS_BUFFER_TOO_SMALL, "less room than the reply", room);
    check(call(request, BATCH_REQUEST_BYTES + 1, 4096) == STATUS_INVALID_BUFFER_SIZE, "a request too long",
          0);
    check_alive("after bad calls");
}

static void bad_header(void)
{
#define WITH(field, value, wanted)                                                                           \
    do {                                                                                                     \
        struct batch_header header = query_header();                                                         \
        header.field = (value);                                                                              \
        NTSTATUS got = call(&header, sizeof header, sizeof reply);                                           \
        check(got == (wanted), "a header with another " #field, (unsigned long)got);                         \
    } while (0)
    WITH(magic, 0, STATUS_INVALID_PARAMETER);
    WITH(version, 0, STATUS_REVISION_MISMATCH);
    WITH(version, BATCH_VERSION + 1, STATUS_REVISION_MISMATCH);
    WITH(function, 0, STATUS_NOT_SUPPORTED);
    WITH(function, BATCH_FUNCTIONS, STATUS_NOT_SUPPORTED);
    WITH(flags, 0x80000000, STATUS_INVALID_PARAMETER_1);
    WITH(language, 1, STATUS_REVISION_MISMATCH);
    WITH(count, 1, STATUS_INVALID_PARAMETER_2);
    WITH(bytes, sizeof(struct batch_header) - 1, STATUS_INVALID_BUFFER_SIZE);
    WITH(bytes, sizeof(struct batch_header) + 1, STATUS_INVALID_BUFFER_SIZE);
    WITH(bytes, 0xffffffff, STATUS_INVALID_BUFFER_SIZE);
    WITH(reply_bytes, 0xffffffff, STATUS_BUFFER_TOO_SMALL);
    WITH(reply_bytes, sizeof(struct batch_header), STATUS_BUFFER_TOO_SMALL);
    WITH(reserved, 1, STATUS_INVALID_PARAMETER_3);
#undef WITH
    check_alive("after bad headers");
}

/* Each length of the good request, off by one and by everything. */
static void bad_programs(void)
{
    static const uint32_t wrong[] = {0x7fffffff, 0xffffffff, 0xfffffffc, 16385};
    struct batch_header header;
    size_t at = sizeof header;
    NTSTATUS status;

    memcpy(&header, good, sizeof header);
    for (uint32_t i = 0; i < header.count && i < 8; i++) {
        uint32_t length;

        memcpy(request, good, good_bytes);
        memcpy(&length, good + at, sizeof length);
        for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++) {
            memcpy(request + at, &wrong[k], sizeof length);
            status = call(request, good_bytes, header.reply_bytes);
            check(status == STATUS_DATA_ERROR, "a program's length", (unsigned long)status);
        }
        at += sizeof length + length;
    }
    memcpy(request, good, good_bytes);
    for (DWORD cut = 1; cut < 70; cut += 17) {
        struct batch_header shorter = header;

        shorter.bytes -= cut;
        memcpy(request, &shorter, sizeof shorter);
        status = call(request, good_bytes - cut, header.reply_bytes);
        check(status == STATUS_DATA_ERROR, "a request that is cut", (unsigned long)status);
        memcpy(request, &header, sizeof header);
        status = call(request, good_bytes - cut, header.reply_bytes);
        check(status == STATUS_INVALID_BUFFER_SIZE, "less than the header says", (unsigned long)status);
    }
    check_alive("after bad programs");
}

/* One program, said to be longer than the request. */
static void long_program(void)
{
    static const uint32_t more[] = {1, 2, 100, 4096};
    struct batch_header header;
    uint32_t length;

    memcpy(&header, good, sizeof header);
    memcpy(&length, good + sizeof header, sizeof length);
    header.count = 1;
    header.bytes = (uint32_t)(sizeof header + sizeof length + length);
    memcpy(request, good, header.bytes);
    memcpy(request, &header, sizeof header);
    check(call(request, header.bytes, header.reply_bytes) == STATUS_SUCCESS, "the first program alone", 0);
    for (size_t i = 0; i < sizeof more / sizeof *more; i++) {
        uint32_t longer = length + more[i];
        memcpy(request + sizeof header, &longer, sizeof longer);
        NTSTATUS status = call(request, header.bytes, header.reply_bytes);
        check(status == STATUS_DATA_ERROR, "a program longer than the request", (unsigned long)status);
    }
    check_alive("after a program longer than the request");
}

/* What comes back ends where it says, and the byte behind it is as it was. */
static void good_request(void)
{
    struct batch_header header, answer;
    ULONG_PTR written;

    memcpy(&header, good, sizeof header);
    memset(reply, 0xa5, sizeof reply);
    NTSTATUS status =
        control(device, IOCTL_DXGKMEM_CALL, good, good_bytes, reply, sizeof reply - 1, &written);
    memcpy(&answer, reply, sizeof answer);
    check(status == STATUS_SUCCESS && answer.bytes == written && answer.count == header.count &&
              written <= header.reply_bytes,
          "the good request", (unsigned long)status);
    check(reply[written] == 0xa5, "the byte behind the reply", reply[written]);
}

/* -- access ------------------------------------------------------------------------------------- */

/* Who may open it at all, Wine does not ask; tests/unit/test_nt_driver.c looks at the descriptor. */
static void access(void)
{
    struct batch_header query = query_header();
    HANDLE handle = open_device(GENERIC_READ);
    NTSTATUS status = control(handle, IOCTL_DXGKMEM_CALL, &query, sizeof query, reply, sizeof reply, NULL);

    check(status == STATUS_ACCESS_DENIED, "a handle that may only read", (unsigned long)status);
    CloseHandle(handle);
}

/* -- several clients ---------------------------------------------------------------------------- */

static DWORD WINAPI another_client(void *context)
{
    HANDLE mine = open_device(GENERIC_READ | GENERIC_WRITE);
    uint8_t *room = malloc(BATCH_REPLY_BYTES);
    DWORD bad = mine == INVALID_HANDLE_VALUE || !room;

    for (unsigned i = 0; !bad && i < 20; i++) {
        NTSTATUS status = control(mine, IOCTL_DXGKMEM_CALL, good, good_bytes, room, BATCH_REPLY_BYTES, NULL);

        if (status == STATUS_SUCCESS)
            bad = memcmp(room, reply, 4096) != 0;
        else
            bad = status != (NTSTATUS)STATUS_DEVICE_BUSY;
    }
    (void)context;
    free(room);
    CloseHandle(mine);
    return bad;
}

static void two_clients(void)
{
    HANDLE threads[2];
    DWORD bad;

    check(call(good, good_bytes, sizeof reply - 1) == STATUS_SUCCESS, "the first client", 0);
    for (unsigned i = 0; i < 2; i++)
        threads[i] = CreateThread(NULL, 0, another_client, NULL, 0, NULL);
    for (unsigned i = 0; i < 2; i++) {
        WaitForSingleObject(threads[i], INFINITE);
        bad = 1;
        GetExitCodeThread(threads[i], &bad);
        check(!bad, "two clients", bad);
        CloseHandle(threads[i]);
    }
    check_alive("after two clients");
}

/* -- a client that dies ---------------------------------------------------------------------------- */

/* As many programs as one request may have, again and again, until somebody kills it. */
static int run_until_killed(void)
{
    static uint8_t many[BATCH_REQUEST_BYTES];
    struct batch_header header;
    size_t size = good_bytes;

    memcpy(&header, good, sizeof header);
    memcpy(many, good, good_bytes);
    while (size + good_bytes < sizeof many && header.count + header.count < BATCH_PROGRAMS) {
        struct batch_header first;

        memcpy(&first, good, sizeof first);
        memcpy(many + size, good + sizeof first, good_bytes - sizeof first);
        size += good_bytes - sizeof first;
        header.count += first.count;
    }
    header.bytes = (uint32_t)size;
    header.reply_bytes = BATCH_REPLY_BYTES;
    memcpy(many, &header, sizeof header);
    for (unsigned i = 0; i < 1000; i++)
        control(device, IOCTL_DXGKMEM_CALL, many, (ULONG)size, reply, BATCH_REPLY_BYTES, NULL);
    return 0;
}

static void killed_clients(const wchar_t *self, const wchar_t *from)
{
    wchar_t line[2048];

    for (unsigned i = 0; i < 4; i++) {
        STARTUPINFOW startup = {.cb = sizeof startup};
        PROCESS_INFORMATION child;

        swprintf(line, sizeof line / sizeof *line, L"\"%ls\" killed \"%ls\"", self, from);
        if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child)) {
            check(0, "starting a client", GetLastError());
            return;
        }
        Sleep(150 + 40 * i);
        check(WaitForSingleObject(child.hProcess, 0) == WAIT_TIMEOUT, "the client to be killed is at it", i);
        TerminateProcess(child.hProcess, 9);
        WaitForSingleObject(child.hProcess, INFINITE);
        CloseHandle(child.hProcess);
        CloseHandle(child.hThread);
        check_alive("after a client was killed");
    }
    check(call(good, good_bytes, sizeof reply - 1) == STATUS_SUCCESS, "a request after clients were killed",
          0);
}

/* -- unloading ------------------------------------------------------------------------------------------ */

static DWORD run_client(const wchar_t *client, const wchar_t *rest)
{
    STARTUPINFOW startup = {.cb = sizeof startup};
    PROCESS_INFORMATION child;
    wchar_t line[2048];
    DWORD status = 99;

    swprintf(line, sizeof line / sizeof *line, L"\"%ls\" %ls", client, rest);
    if (!CreateProcessW(NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &startup, &child))
        return 99;
    if (WaitForSingleObject(child.hProcess, 20000) == WAIT_OBJECT_0)
        GetExitCodeProcess(child.hProcess, &status);
    CloseHandle(child.hProcess);
    CloseHandle(child.hThread);
    return status;
}

static void unload_while_open(const wchar_t *client, const wchar_t *driver)
{
    wchar_t start[1024];
    struct batch_header query = query_header();
    DWORD stopped = run_client(client, L"stop");
    NTSTATUS status =
        control(device, IOCTL_DXGKMEM_CALL, &query, sizeof query, reply, query.reply_bytes, NULL);

    /* Windows keeps it until the handle is closed; Wine takes it away at once. Neither crashes. */
    check(stopped == 0, "unloading while a handle is open", stopped);
    check(status == STATUS_SUCCESS || status == STATUS_FILE_DELETED, "a handle of an unloaded driver",
          (unsigned long)status);
    CloseHandle(device);
    check(open_device(GENERIC_READ) == INVALID_HANDLE_VALUE, "the device after unloading", 0);
    swprintf(start, sizeof start / sizeof *start, L"start \"%ls\"", driver);
    for (unsigned i = 0; i < 3; i++) {
        stopped = run_client(client, start);
        check(stopped == 0, "loading again", stopped);
        device = open_device(GENERIC_READ | GENERIC_WRITE);
        check_alive("after loading again");
        check(call(good, good_bytes, sizeof reply - 1) == STATUS_SUCCESS, "a request after loading again", i);
        CloseHandle(device);
        stopped = run_client(client, L"stop");
        check(stopped == 0, "unloading again", stopped);
    }
}

static int read_good(const wchar_t *path)
{
    FILE *file = _wfopen(path, L"rb");

    if (!file)
        return 0;
    good_bytes = (DWORD)fread(good, 1, sizeof good, file);
    fclose(file);
    return good_bytes > sizeof(struct batch_header);
}

int wmain(int count, wchar_t **arguments);

int wmain(int count, wchar_t **arguments)
{
    if (count < 3 || !read_good(arguments[count == 3 ? 2 : 1])) {
        fputs("usage: nt_misuse REQUEST CLIENT DRIVER\n", stderr);
        return 2;
    }
    device = open_device(GENERIC_READ | GENERIC_WRITE);
    if (device == INVALID_HANDLE_VALUE) {
        fputs("nt_misuse: the device cannot be opened\n", stderr);
        return 2;
    }
    if (count == 3)
        return run_until_killed();
    bad_calls();
    bad_header();
    bad_programs();
    long_program();
    good_request();
    access();
    two_clients();
    killed_clients(arguments[0], arguments[1]);
    unload_while_open(arguments[2], arguments[3]);
    printf("%u checks passed, %u failed\n", passed, failed);
    return failed != 0;
}
