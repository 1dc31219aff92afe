/* SPDX-License-Identifier: MIT */
/* Runs a fuzz target on the files it is given, where there is no fuzzing engine. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerInitialize(int *count, char ***arguments) __attribute__((weak));
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

#define INPUT_BYTES (1u << 20)

int main(int count, char **arguments)
{
    static uint8_t bytes[INPUT_BYTES];

    if (count < 2) {
        fprintf(stderr, "usage: %s FILE...\n", arguments[0]);
        return 2;
    }
    if (LLVMFuzzerInitialize)
        LLVMFuzzerInitialize(&count, &arguments);
    for (int i = 1; i < count; i++) {
        FILE *file = fopen(arguments[i], "rb");
        size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;

        if (!file || ferror(file)) {
            fprintf(stderr, "%s: %s: %s\n", arguments[0], arguments[i], strerror(errno));
            return 2;
        }
        fclose(file);
        /* A block of the input's own size, so that a sanitizer sees a read past its end. */
        uint8_t *input = malloc(size ? size : 1);
        if (!input)
            return 2;
        memcpy(input, bytes, size);
        LLVMFuzzerTestOneInput(input, size);
        free(input);
    }
    printf("%d files: nothing found\n", count - 1);
    return 0;
}
