/* SPDX-License-Identifier: MIT */
/*
 * driver.c of the Windows driver on a stand-in for the I/O manager: who may open the device, that every
 * failure at loading leaves nothing, that requests and replies share one buffer, and what is refused how.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <ntifs.h>

#include "driver/nt/device.h"
#include "driver/nt/image.h"
#include "host/nt/nt.h"
#include "program/program.h"

#include <dxgkmem/user.h>

NTSTATUS DriverEntry(DRIVER_OBJECT *driver, UNICODE_STRING *path);

/* -- the I/O manager --------------------------------------------------------------------------- */

static DEVICE_OBJECT device;
static unsigned devices, links, handles, countdown, started;
static bool protected_before_link;
static ACL dacl;
static USHORT control;

static bool fails(void)
{
    return countdown != 0 && --countdown == 0;
}

void image_start(void)
{
    started++;
}

uint8_t *image_coverage(size_t *bytes)
{
    static uint8_t counters[33];

    *bytes = sizeof counters;
    return counters;
}

void dxgkmem_nt_seed(uint64_t seed)
{
    dxgkmem_user_seed(seed);
}

void IoCompleteRequest(PIRP irp, int boost)
{
    (void)boost;
    assert_int_equal(irp->Completed, 0);
    irp->Completed = 1;
}

NTSTATUS RtlCreateSecurityDescriptor(SECURITY_DESCRIPTOR *descriptor, ULONG revision)
{
    assert_int_equal(revision, SECURITY_DESCRIPTOR_REVISION);
    *descriptor = (SECURITY_DESCRIPTOR){0};
    return STATUS_SUCCESS;
}

NTSTATUS RtlCreateAcl(ACL *acl, ULONG bytes, ULONG revision)
{
    assert_int_equal(revision, ACL_REVISION);
    assert_true(bytes >= sizeof *acl);
    *acl = (ACL){0};
    return STATUS_SUCCESS;
}

NTSTATUS RtlAddAccessAllowedAce(ACL *acl, ULONG revision, ACCESS_MASK mask, SID *sid)
{
    (void)revision;
    assert_true(acl->Aces < 4);
    acl->Mask[acl->Aces] = mask;
    acl->Sid[acl->Aces++] = sid;
    return STATUS_SUCCESS;
}

NTSTATUS RtlSetDaclSecurityDescriptor(SECURITY_DESCRIPTOR *descriptor, BOOLEAN present, ACL *acl,
                                      BOOLEAN preset)
{
    assert_true(present && acl != NULL && !preset);
    descriptor->Dacl = acl;
    return STATUS_SUCCESS;
}

NTSTATUS ObOpenObjectByPointer(void *object, ULONG attributes, void *state, ACCESS_MASK access, void *type,
                               KPROCESSOR_MODE mode, HANDLE *handle)
{
    (void)state;
    (void)type;
    assert_ptr_equal(object, &device);
    assert_true((attributes & OBJ_KERNEL_HANDLE) != 0 && (access & WRITE_DAC) != 0 && mode == KernelMode);
    if (fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    handles++;
    *handle = &device;
    return STATUS_SUCCESS;
}

NTSTATUS ZwSetSecurityObject(HANDLE handle, ULONG what, SECURITY_DESCRIPTOR *descriptor)
{
    assert_ptr_equal(handle, &device);
    assert_int_equal(what, DACL_SECURITY_INFORMATION);
    if (fails())
        return STATUS_ACCESS_DENIED;
    dacl = *descriptor->Dacl;
    control = descriptor->Control;
    protected_before_link = links == 0 && (device.Flags & DO_DEVICE_INITIALIZING) != 0;
    return STATUS_SUCCESS;
}

NTSTATUS ZwClose(HANDLE handle)
{
    assert_ptr_equal(handle, &device);
    handles--;
    return STATUS_SUCCESS;
}

NTSTATUS IoCreateDevice(DRIVER_OBJECT *driver, ULONG extension, UNICODE_STRING *name, ULONG type, ULONG flags,
                        BOOLEAN exclusive, DEVICE_OBJECT **made)
{
    (void)extension;
    (void)name;
    (void)exclusive;
    assert_int_equal(type, FILE_DEVICE_UNKNOWN);
    assert_true((flags & FILE_DEVICE_SECURE_OPEN) != 0);
    if (fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    devices++;
    device.Flags = DO_DEVICE_INITIALIZING;
    *made = driver->DeviceObject = &device;
    return STATUS_SUCCESS;
}

void IoDeleteDevice(DEVICE_OBJECT *gone)
{
    assert_ptr_equal(gone, &device);
    devices--;
}

NTSTATUS IoCreateSymbolicLink(UNICODE_STRING *link, UNICODE_STRING *name)
{
    (void)link;
    (void)name;
    if (fails())
        return STATUS_INSUFFICIENT_RESOURCES;
    links++;
    return STATUS_SUCCESS;
}

NTSTATUS IoDeleteSymbolicLink(UNICODE_STRING *link)
{
    (void)link;
    links--;
    return STATUS_SUCCESS;
}

/* -- loading --------------------------------------------------------------------------------------- */

static DRIVER_OBJECT driver;

static int load(void **state)
{
    UNICODE_STRING path = {NULL};

    (void)state;
    driver = (DRIVER_OBJECT){0};
    started = 0;
    assert_int_equal(DriverEntry(&driver, &path), STATUS_SUCCESS);
    assert_int_equal(started, 1);
    return 0;
}

static int unload(void **state)
{
    (void)state;
    driver.DriverUnload(&driver);
    assert_int_equal(devices + links + handles, 0);
    return 0;
}

static void test_protection(void **state)
{
    (void)state;
    assert_int_equal(dacl.Aces, 2);
    assert_int_equal(dacl.Mask[0], GENERIC_ALL);
    assert_int_equal(dacl.Mask[1], GENERIC_ALL);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(dacl.Sid[i]->IdentifierAuthority[5], 5);
    assert_int_equal(dacl.Sid[0]->SubAuthorityCount, 1);
    assert_int_equal(dacl.Sid[0]->SubAuthority[0], 18);
    assert_int_equal(dacl.Sid[1]->SubAuthorityCount, 2);
    assert_int_equal(dacl.Sid[1]->SubAuthority[0], 32);
    /* The last field of a SID is as long as its count says; it lies behind the structure. */
    ULONG group;
    memcpy(&group, (const uint8_t *)dacl.Sid[1] + sizeof(SID), sizeof group);
    assert_int_equal(group, 544);
    assert_true((control & SE_DACL_PROTECTED) != 0);
    assert_true(protected_before_link);
    assert_int_equal(device.Flags & DO_DEVICE_INITIALIZING, 0);
    assert_int_equal(handles, 0);
}

static void test_failures(void **state)
{
    UNICODE_STRING path = {NULL};

    (void)state;
    for (unsigned nth = 1; nth <= 4; nth++) {
        driver = (DRIVER_OBJECT){0};
        countdown = nth;
        assert_false(NT_SUCCESS(DriverEntry(&driver, &path)));
        assert_int_equal(devices + links + handles, 0);
    }
    countdown = 0;
}

/* -- requests ----------------------------------------------------------------------------------------- */

#define ROOM 4096u

static uint8_t buffer[ROOM];

static struct _IRP request_irp(const void *request, ULONG bytes, ULONG room)
{
    struct _IRP irp = {.AssociatedIrp = {buffer}};

    memset(buffer, 0xa5, sizeof buffer);
    if (bytes)
        memcpy(buffer, request, bytes < ROOM ? bytes : ROOM);
    irp.Stack.Parameters.DeviceIoControl.IoControlCode = IOCTL_DXGKMEM_CALL;
    irp.Stack.Parameters.DeviceIoControl.InputBufferLength = bytes;
    irp.Stack.Parameters.DeviceIoControl.OutputBufferLength = room;
    return irp;
}

static NTSTATUS send(struct _IRP *irp)
{
    NTSTATUS status = driver.MajorFunction[IRP_MJ_DEVICE_CONTROL](&device, irp);

    assert_int_equal(irp->Completed, 1);
    assert_int_equal(irp->IoStatus.Status, status);
    if (!NT_SUCCESS(status))
        assert_int_equal(irp->IoStatus.Information, 0);
    return status;
}

static struct batch_header header_of(uint16_t function)
{
    return (struct batch_header){.magic = BATCH_MAGIC,
                                 .version = BATCH_VERSION,
                                 .function = function,
                                 .bytes = sizeof(struct batch_header),
                                 .reply_bytes = ROOM};
}

static void test_open_and_close(void **state)
{
    static const int functions[] = {IRP_MJ_CREATE, IRP_MJ_CLEANUP, IRP_MJ_CLOSE};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct _IRP irp = {.Completed = 0};
        assert_int_equal(driver.MajorFunction[functions[i]](&device, &irp), STATUS_SUCCESS);
        assert_int_equal(irp.Completed, 1);
    }
}

static void test_query(void **state)
{
    struct batch_header header = header_of(BATCH_QUERY);
    struct _IRP irp = request_irp(&header, sizeof header, ROOM);
    struct batch_limits limits;

    (void)state;
    assert_int_equal(send(&irp), STATUS_SUCCESS);
    assert_int_equal(irp.IoStatus.Information, sizeof header + sizeof limits);
    memcpy(&limits, buffer + sizeof header, sizeof limits);
    assert_string_equal(limits.host, "nt");
    assert_int_equal(limits.coverage_bytes, 33);
    assert_int_equal(buffer[irp.IoStatus.Information], 0xa5);
}

/* Several programs, in the buffer that their results overwrite. */
static uint8_t run[ROOM];

static ULONG make_run(unsigned programs)
{
    static const uint8_t program[] = {PROGRAM_VERSION, 0};
    const uint32_t length = sizeof program;
    struct batch_header header = header_of(BATCH_RUN);
    ULONG at = sizeof header;

    for (unsigned i = 0; i < programs; i++) {
        memcpy(run + at, &length, sizeof length);
        memcpy(run + at + sizeof length, program, sizeof program);
        at += sizeof length + sizeof program;
    }
    header.language = PROGRAM_VERSION;
    header.count = programs;
    header.bytes = at;
    memcpy(run, &header, sizeof header);
    return at;
}

static void test_run(void **state)
{
    ULONG bytes = make_run(9);
    struct _IRP irp = request_irp(run, bytes, ROOM);
    struct batch_result first, result;

    (void)state;
    assert_int_equal(send(&irp), STATUS_SUCCESS);
    assert_int_equal(irp.IoStatus.Information, sizeof(struct batch_header) + 9 * sizeof result);
    memcpy(&first, buffer + sizeof(struct batch_header), sizeof first);
    for (unsigned i = 0; i < 9; i++) {
        memcpy(&result, buffer + sizeof(struct batch_header) + i * sizeof result, sizeof result);
        assert_int_equal(result.invariant, 0);
        assert_int_equal(result.trace_hash, first.trace_hash);
    }
}

static void test_cancelled(void **state)
{
    ULONG bytes = make_run(9);
    struct _IRP irp = request_irp(run, bytes, ROOM);

    (void)state;
    irp.Cancel = TRUE;
    assert_int_equal(send(&irp), STATUS_CANCELLED);
    irp = request_irp(run, bytes, ROOM);
    assert_int_equal(send(&irp), STATUS_SUCCESS);
}

static void test_refused(void **state)
{
    struct batch_header header = header_of(BATCH_QUERY);
    struct _IRP irp = request_irp(&header, sizeof header, ROOM);

    (void)state;
    irp.Stack.Parameters.DeviceIoControl.IoControlCode ^= 4;
    assert_int_equal(send(&irp), STATUS_INVALID_DEVICE_REQUEST);
    for (ULONG bytes = 0; bytes < sizeof header; bytes++) {
        irp = request_irp(&header, bytes, ROOM);
        if (bytes == 0)
            irp.AssociatedIrp.SystemBuffer = NULL; /* so it is when nothing goes in or out */
        assert_int_equal(send(&irp), STATUS_INFO_LENGTH_MISMATCH);
    }
    irp = request_irp(run, BATCH_REQUEST_BYTES + 1, ROOM);
    assert_int_equal(send(&irp), STATUS_INVALID_BUFFER_SIZE);
    irp = request_irp(&header, sizeof header, ROOM - 1);
    assert_int_equal(send(&irp), STATUS_BUFFER_TOO_SMALL);
    assert_int_equal(buffer[sizeof header], 0xa5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_protection, load, unload),
        cmocka_unit_test(test_failures),
        cmocka_unit_test_setup_teardown(test_open_and_close, load, unload),
        cmocka_unit_test_setup_teardown(test_query, load, unload),
        cmocka_unit_test_setup_teardown(test_run, load, unload),
        cmocka_unit_test_setup_teardown(test_cancelled, load, unload),
        cmocka_unit_test_setup_teardown(test_refused, load, unload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
