/* SPDX-License-Identifier: MIT */
/* Providers, in shared objects or linked in: what makes one usable. For the tool and for fuzz targets. */
#ifndef DXGKMEM_PROVIDER_LOAD_H
#define DXGKMEM_PROVIDER_LOAD_H

#include <dxgkmem/provider.h>

#include <stddef.h>

/* NULL and one line of what is wrong, without the path. The object stays loaded. */
const struct dxgkmem_provider *provider_load(const char *path, char *wrong, size_t room);

/* That of this program itself, when it was linked with one. NULL: it was not, or it is no good, and *wrong says why. */
const struct dxgkmem_provider *provider_linked(char *wrong, size_t room);

/* Whether a table can be used; else the line says why not. */
bool provider_sound(const struct dxgkmem_provider *provider, char *wrong, size_t room);

#endif
