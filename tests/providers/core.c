/* SPDX-License-Identifier: MIT */
/* Our own implementation as a provider in a shared object, with a host and a machine of its own. */
#include "program/runner.h"

#include <dxgkmem/user.h>

const struct dxgkmem_provider *dxgkmem_provider(void)
{
    dxgkmem_user_seed(1); /* the same handles in every process */
    return &dxgkmem_provider_core;
}
