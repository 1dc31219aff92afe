/* SPDX-License-Identifier: MIT */
/*
 * The Windows driver: a device for administrators that takes requests of protocol.h.
 * It owns the device, its link and the batch; everything in a request is batch.c's affair.
 */
#include <ntifs.h>

#include "device.h"
#include "image.h"

#include "../batch.h"

#include "host/nt/nt.h"

#include <dxgkmem/host.h>

static struct batch *batch;

static NTSTATUS complete(PIRP irp, NTSTATUS status, ULONG_PTR information)
{
    irp->IoStatus.Status = status;
    irp->IoStatus.Information = information;
    IoCompleteRequest(irp, IO_NO_INCREMENT);
    return status;
}

/* -- who may open it -------------------------------------------------------------------- */

/* S-1-5-18 and S-1-5-32-544. */
static SID system_account = {SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_LOCAL_SYSTEM_RID}};
static struct {
    SID sid;
    ULONG group;
} administrators = {{SID_REVISION, 2, {SECURITY_NT_AUTHORITY}, {SECURITY_BUILTIN_DOMAIN_RID}},
                    DOMAIN_ALIAS_RID_ADMINS};

/*
 * What IoCreateDeviceSecure does with D:P(A;;GA;;;SY)(A;;GA;;;BA), whose library not every kit has: all
 * access for the system and for administrators, none for anybody else.
 */
static NTSTATUS protect(DEVICE_OBJECT *device)
{
    UCHAR room[128];
    ACL *acl = (ACL *)(void *)room;
    SECURITY_DESCRIPTOR descriptor;
    HANDLE handle;
    NTSTATUS status = RtlCreateSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);

    if (NT_SUCCESS(status))
        status = RtlCreateAcl(acl, sizeof(room), ACL_REVISION);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(acl, ACL_REVISION, GENERIC_ALL, &system_account);
    if (NT_SUCCESS(status))
        status = RtlAddAccessAllowedAce(acl, ACL_REVISION, GENERIC_ALL, &administrators.sid);
    if (NT_SUCCESS(status))
        status = RtlSetDaclSecurityDescriptor(&descriptor, TRUE, acl, FALSE);
    if (!NT_SUCCESS(status))
        return status;
    descriptor.Control |= SE_DACL_PROTECTED;
    status = ObOpenObjectByPointer(device, OBJ_KERNEL_HANDLE, NULL, WRITE_DAC, NULL, KernelMode, &handle);
    if (!NT_SUCCESS(status))
        return status;
    status = ZwSetSecurityObject(handle, DACL_SECURITY_INFORMATION, &descriptor);
    ZwClose(handle);
    return status;
}

/* Who may is settled by then. */
static NTSTATUS open_or_close(DEVICE_OBJECT *device, PIRP irp)
{
    UNREFERENCED_PARAMETER(device);
    return complete(irp, STATUS_SUCCESS, 0);
}

/* -- requests ----------------------------------------------------------------------------- */

static NTSTATUS status_of(enum batch_status status)
{
    static const NTSTATUS statuses[BATCH_STATUS_COUNT] = {
        [BATCH_DONE] = STATUS_SUCCESS,
        [BATCH_CUT_OFF] = STATUS_INFO_LENGTH_MISMATCH,
        [BATCH_BAD_MAGIC] = STATUS_INVALID_PARAMETER,
        [BATCH_BAD_VERSION] = STATUS_REVISION_MISMATCH,
        [BATCH_BAD_FUNCTION] = STATUS_NOT_SUPPORTED,
        [BATCH_BAD_FLAGS] = STATUS_INVALID_PARAMETER_1,
        [BATCH_BAD_LENGTH] = STATUS_INVALID_BUFFER_SIZE,
        [BATCH_BAD_LANGUAGE] = STATUS_REVISION_MISMATCH,
        [BATCH_BAD_COUNT] = STATUS_INVALID_PARAMETER_2,
        [BATCH_BAD_RESERVED] = STATUS_INVALID_PARAMETER_3,
        [BATCH_BAD_PROGRAM] = STATUS_DATA_ERROR,
        [BATCH_NO_ROOM] = STATUS_BUFFER_TOO_SMALL,
        [BATCH_BUSY] = STATUS_DEVICE_BUSY,
        [BATCH_CANCELLED] = STATUS_CANCELLED,
        [BATCH_NO_MEMORY] = STATUS_INSUFFICIENT_RESOURCES,
    };

    return statuses[status];
}

/* The client went away, or changed its mind. */
static bool proceed(void *irp)
{
    return !*(volatile BOOLEAN *)&((PIRP)irp)->Cancel;
}

/*
 * METHOD_BUFFERED: the kernel's buffer has the request, and then the reply. So the request is copied
 * out of it first; the client's own memory is never looked at.
 */
static NTSTATUS control_device(DEVICE_OBJECT *device, PIRP irp)
{
    const IO_STACK_LOCATION *stack = IoGetCurrentIrpStackLocation(irp);
    ULONG bytes = stack->Parameters.DeviceIoControl.InputBufferLength;
    void *request;
    NTSTATUS status;

    UNREFERENCED_PARAMETER(device);
    if (stack->Parameters.DeviceIoControl.IoControlCode != IOCTL_DXGKMEM_CALL)
        return complete(irp, STATUS_INVALID_DEVICE_REQUEST, 0);
    if (bytes < sizeof(struct batch_header))
        return complete(irp, STATUS_INFO_LENGTH_MISMATCH, 0);
    if (bytes > BATCH_REQUEST_BYTES)
        return complete(irp, STATUS_INVALID_BUFFER_SIZE, 0);
    request = dxgkmem_host_alloc(bytes);
    if (request == NULL)
        return complete(irp, STATUS_INSUFFICIENT_RESOURCES, 0);
    RtlCopyMemory(request, irp->AssociatedIrp.SystemBuffer, bytes);

    struct batch_call call = {
        .request = request,
        .request_bytes = bytes,
        .reply = irp->AssociatedIrp.SystemBuffer,
        .reply_room = stack->Parameters.DeviceIoControl.OutputBufferLength,
        .proceed = proceed,
        .context = irp,
    };
    status = status_of(batch_call(batch, &call));
    dxgkmem_host_free(request, bytes);
    return complete(irp, status, call.reply_bytes);
}

/* -- coming and going ------------------------------------------------------------------------ */

static UNICODE_STRING device_name = RTL_CONSTANT_STRING(DEVICE_NAME);
static UNICODE_STRING device_link = RTL_CONSTANT_STRING(DEVICE_LINK);

/* Not while a handle is open: the kernel waits for the last one. */
static VOID NTAPI unload(DRIVER_OBJECT *driver)
{
    IoDeleteSymbolicLink(&device_link);
    IoDeleteDevice(driver->DeviceObject);
    batch_destroy(batch);
    batch = NULL;
}

static NTSTATUS make_device(DRIVER_OBJECT *driver)
{
    DEVICE_OBJECT *device;
    NTSTATUS status =
        IoCreateDevice(driver, 0, &device_name, FILE_DEVICE_UNKNOWN, FILE_DEVICE_SECURE_OPEN, FALSE, &device);

    if (!NT_SUCCESS(status))
        return status;
    status = protect(device);
    if (NT_SUCCESS(status))
        status = IoCreateSymbolicLink(&device_link, &device_name);
    if (!NT_SUCCESS(status)) {
        IoDeleteDevice(device);
        return status;
    }
    device->Flags &= ~(ULONG)DO_DEVICE_INITIALIZING; /* from here on it can be opened */
    return STATUS_SUCCESS;
}

static __attribute__((noinline)) NTSTATUS start(DRIVER_OBJECT *driver)
{
    struct batch_options options = {.host = "nt"};
    NTSTATUS status;

    dxgkmem_nt_seed(1); /* the same handles in every run of a program */
    options.coverage = image_coverage(&options.coverage_bytes);
    batch = batch_create(&options);
    if (batch == NULL)
        return STATUS_INSUFFICIENT_RESOURCES;
    driver->MajorFunction[IRP_MJ_CREATE] = open_or_close;
    driver->MajorFunction[IRP_MJ_CLOSE] = open_or_close;
    driver->MajorFunction[IRP_MJ_CLEANUP] = open_or_close;
    driver->MajorFunction[IRP_MJ_DEVICE_CONTROL] = control_device;
    driver->DriverUnload = unload;
    status = make_device(driver);
    if (!NT_SUCCESS(status)) {
        batch_destroy(batch);
        batch = NULL;
    }
    return status;
}

DRIVER_INITIALIZE DriverEntry;

/* The stack cookie changes under it: it has none itself, and start() is no part of it. */
__attribute__((no_stack_protector)) NTSTATUS NTAPI DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path)
{
    UNREFERENCED_PARAMETER(path);
    image_start();
    return start(driver);
}
