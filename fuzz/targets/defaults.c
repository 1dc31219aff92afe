/* SPDX-License-Identifier: MIT */
/*
 * What every fuzz target, and what targets are measured against, asks of the sanitizers. The
 * environment (ASAN_OPTIONS) goes before it.
 */

const char *__asan_default_options(void);

/* What is freed in one program is not used in a later one: a short quarantine keeps the caches warm. */
const char *__asan_default_options(void)
{
    return "quarantine_size_mb=8:malloc_context_size=12";
}
