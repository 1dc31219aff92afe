/* SPDX-License-Identifier: MIT */
/*
 * What fuzz_16.c is compared with: the same engine under the same sanitizers doing, 16 times an
 * input, what the smallest stateful target does: allocate, lock, write, unlock, free.
 */
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    for (unsigned i = 0; i < 16; i++) {
        /* volatile: or the compiler sees that nobody reads it */
        void *volatile block = malloc(64);
        if (!block)
            return 0;
        pthread_mutex_lock(&lock);
        memset(block, size ? bytes[i % size] : 0, 64);
        pthread_mutex_unlock(&lock);
        free(block);
    }
    return 0;
}
