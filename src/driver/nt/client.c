/* SPDX-License-Identifier: MIT */
/*
 * The client of the Windows driver:
 *
 *   dxgkmem_client start PATH\dxgkmem.sys   makes a service of it and starts it
 *   dxgkmem_client call REQUESTS REPLIES    files of dxgkmem batch: gives every message to the device
 *   dxgkmem_client serve                    the same from standard input to standard output, at once
 *   dxgkmem_client stop                     stops the service and takes it away
 *
 * Exit status: 0 done, 2 anything else, after one line that says what and which error of Windows.
 */
#include <windows.h>
#include <winioctl.h>

#include "driver/nt/device.h"

#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SERVICE L"dxgkmem"

static int failed(const wchar_t *what)
{
    fwprintf(stderr, L"dxgkmem_client: %ls: error %lu\n", what, GetLastError());
    return 2;
}

/* -- the service ------------------------------------------------------------------------ */

static int start(const wchar_t *path)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS), service;
    int status = 0;

    if (!manager)
        return failed(L"the service manager");
    service = CreateServiceW(manager, SERVICE, SERVICE, SERVICE_ALL_ACCESS, SERVICE_KERNEL_DRIVER,
                             SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, path, NULL, NULL, NULL, NULL, NULL);
    if (!service && GetLastError() == ERROR_SERVICE_EXISTS) {
        /* A driver that stopped the system left it, and that may have been another file. */
        service = OpenServiceW(manager, SERVICE, SERVICE_ALL_ACCESS);
        if (service && !ChangeServiceConfigW(service, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE, SERVICE_NO_CHANGE,
                                             path, NULL, NULL, NULL, NULL, NULL, NULL))
            status = failed(L"pointing the service at the driver");
    }
    if (!service)
        status = failed(L"making the service");
    else if (!status && !StartServiceW(service, 0, NULL))
        status = failed(path);
    if (service)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return status;
}

static int stop(void)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS), service;
    SERVICE_STATUS about;
    int status = 0;

    if (!manager)
        return failed(L"the service manager");
    service = OpenServiceW(manager, SERVICE, SERVICE_ALL_ACCESS);
    if (!service)
        status = failed(L"the service");
    else if (!ControlService(service, SERVICE_CONTROL_STOP, &about) || !DeleteService(service))
        status = failed(L"stopping the service");
    if (service)
        CloseServiceHandle(service);
    CloseServiceHandle(manager);
    return status;
}

/* -- messages ------------------------------------------------------------------------------ */

static HANDLE open_device(void)
{
    return CreateFileW(DEVICE_PATH, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
}

/* Reads the next message into `request`; its length, 0 at the end of the file, -1 when it is bad. */
static long read_message(FILE *file, uint8_t *request, struct batch_header *header)
{
    size_t got = fread(request, 1, sizeof *header, file);

    if (got == 0 && feof(file))
        return 0;
    if (got != sizeof *header)
        return -1;
    memcpy(header, request, sizeof *header);
    if (header->bytes < sizeof *header || header->bytes > BATCH_REQUEST_BYTES ||
        header->reply_bytes > BATCH_REPLY_BYTES)
        return -1;
    got = fread(request + sizeof *header, 1, header->bytes - sizeof *header, file);
    return got == header->bytes - sizeof *header ? (long)header->bytes : -1;
}

static int call_all(HANDLE device, FILE *requests, FILE *replies)
{
    static uint8_t request[BATCH_REQUEST_BYTES], reply[BATCH_REPLY_BYTES];
    struct batch_header header;
    long bytes;

    while ((bytes = read_message(requests, request, &header)) > 0) {
        DWORD got = 0;

        if (!DeviceIoControl(device, IOCTL_DXGKMEM_CALL, request, (DWORD)bytes, reply, header.reply_bytes,
                             &got, NULL))
            return failed(L"the device refuses");
        if (fwrite(reply, 1, got, replies) != got || fflush(replies) != 0)
            return failed(L"writing the reply");
    }
    if (bytes < 0) {
        fputs("dxgkmem_client: the requests are cut off, or none\n", stderr);
        return 2;
    }
    return 0;
}

static int serve(void)
{
    HANDLE device = open_device();

    if (device == INVALID_HANDLE_VALUE)
        return failed(L"opening the device");
    _setmode(_fileno(stdin), _O_BINARY);
    _setmode(_fileno(stdout), _O_BINARY);
    return call_all(device, stdin, stdout);
}

static int call(const wchar_t *from, const wchar_t *to)
{
    FILE *requests = _wfopen(from, L"rb"), *replies;
    HANDLE device;
    int status;

    if (!requests)
        return failed(from);
    device = open_device();
    if (device == INVALID_HANDLE_VALUE)
        return failed(L"opening the device");
    replies = _wfopen(to, L"wb");
    if (!replies)
        return failed(to);
    status = call_all(device, requests, replies);
    fclose(requests);
    if (fclose(replies) != 0 && status == 0)
        status = failed(to);
    CloseHandle(device);
    return status;
}

int wmain(int count, wchar_t **arguments);

int wmain(int count, wchar_t **arguments)
{
    if (count == 3 && wcscmp(arguments[1], L"start") == 0)
        return start(arguments[2]);
    if (count == 4 && wcscmp(arguments[1], L"call") == 0)
        return call(arguments[2], arguments[3]);
    if (count == 2 && wcscmp(arguments[1], L"serve") == 0)
        return serve();
    if (count == 2 && wcscmp(arguments[1], L"stop") == 0)
        return stop();
    fputs("usage: dxgkmem_client start PATH | call REQUESTS REPLIES | serve | stop\n", stderr);
    return 2;
}
