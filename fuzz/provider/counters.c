/* SPDX-License-Identifier: MIT */
/*
 * A provider that was compiled for the fuzzer's coverage hands its counters over when it is loaded. Where no
 * engine takes them, this does: it can be loaded by every verb. A sanitizer's runtime has these, too.
 */
#include <stdint.h>

#define EXPORTED __attribute__((weak, visibility("default")))

EXPORTED void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop);
EXPORTED void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop);

void __sanitizer_cov_8bit_counters_init(uint8_t *start, uint8_t *stop)
{
    (void)start;
    (void)stop;
}

void __sanitizer_cov_pcs_init(const uintptr_t *start, const uintptr_t *stop)
{
    (void)start;
    (void)stop;
}
