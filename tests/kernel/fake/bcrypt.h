/* SPDX-License-Identifier: MIT */
/* The one routine of cng.sys that host/nt uses. */
#include "ntifs.h"

#define BCRYPT_USE_SYSTEM_PREFERRED_RNG 2u
NTSTATUS BCryptGenRandom(void *algorithm, PUCHAR to, ULONG bytes, ULONG flags);
