/* SPDX-License-Identifier: MIT */
/*
 * /dev/dxgkmem_test, while the module was loaded with run=user: a process has callbacks called for it, and
 * sees what the kernel and a device see. For the module and for the program that uses it.
 */
#ifndef DXGKMEM_TESTS_USER_H
#define DXGKMEM_TESTS_USER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define USER_OBJECTS 4 /* by number, each of so many pages, mapped for the kernel, with an ADL */
#define USER_PAGES 3

enum user_kind { USER_MDL, USER_NON_CACHED, USER_WRITE_COMBINED, USER_READ_ONLY, USER_KINDS };

enum user_what {
	USER_CREATE, /* value: enum user_kind */
	USER_DESTROY, /* with all that there is of it */
	USER_MAP, /* address, bytes: in, the offset and how much; out, where and how much */
	USER_UNMAP, /* address, bytes */
	USER_FILL, /* the kernel writes a page; value: from which seed */
	USER_SEES, /* whether the kernel sees a page filled so; out: value */
	USER_DEVICE_FILL, /* the same of the device */
	USER_DEVICE_SEES,
	USER_CACHE, /* of the page at an address of the caller; out: value, bits of the page table */
	USER_MAPPINGS, /* how many there are in all; out: value */
	USER_EXIT, /* of the process in value */
	USER_STOP, /* the instance, with whatever is left; out: value, how many mappings were */
};

struct user_call {
	__u32 what; /* enum user_what */
	__u32 object;
	__u32 page;
	__u32 value;
	__u64 address;
	__u64 bytes;
	__s32 status; /* out: NTSTATUS */
	__u32 violation; /* out: the code of the one that the call was; 0: it was none */
};

#define USER_IOC_CALL _IOWR('y', 1, struct user_call)

/* Bytes that tell where they belong: of a page, filled from a seed. */
static inline unsigned char user_byte(unsigned long i, unsigned char seed)
{
	return (unsigned char)(seed + i * 7 + (i >> 8) * 13);
}

#endif
