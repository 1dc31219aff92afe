/* SPDX-License-Identifier: MIT */
/* A rule of the stand-ins or of the kit, broken once or kept; rules.c runs those of every file. */
#ifndef DXGKMEM_TESTS_DRIVERS_RULES_H
#define DXGKMEM_TESTS_DRIVERS_RULES_H

#include <stddef.h>

struct rule {
    const char *name; /* of the finding; NULL: nothing may be found */
    void (*life)(void);
};
extern const struct rule rules_more[], rules_memories[];
extern const struct rule rules_offset[]; /* in a world with DXGKMEM_KIT_OFFSET */
extern const size_t rules_more_count, rules_memories_count, rules_offset_count;

#endif
