/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same targets under libFuzzer, which looks for new paths: this file in the place of fuzz.c, and the
 * program's main under another name. TARE_FUZZ_TARGET chooses among the targets of a program. docs/readers.md
 * shows how it is built and run; what it finds becomes a corpus that fuzz_replay reads in every test run.
 */
#include "fuzz.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct fuzz_target chosen;

/* libFuzzer begins with what lies in its first folder. */
static void write_seeds(const struct fuzz_target *target)
{
    const char *folder = getenv("TARE_FUZZ_SEEDS");
    for (size_t i = 0; folder && i < target->n_seeds; i++) {
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/seed%zu", folder, i);
        FILE *file = fopen(path, "wb");
        if (!file || fwrite(target->seeds[i].data, 1, target->seeds[i].n, file) != target->seeds[i].n) {
            abort();
        }
        (void)fclose(file);
    }
}

int fuzz_main(const struct fuzz_target *target)
{
    const char *name = getenv("TARE_FUZZ_TARGET");
    if (!name || strcmp(name, target->name) == 0) {
        chosen = *target;
        chosen.seeds = NULL;
        write_seeds(target);
    }
    return 0;
}

int fuzz_replay(const struct fuzz_target *target)
{
    (void)target;
    return 0;
}

void fuzz_check(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s: %s\n", chosen.name, what);
        abort();
    }
}

char *fuzz_text(const char *data, size_t n)
{
    char *text = malloc(n + 1);
    fuzz_check(text != NULL, "out of memory");
    memcpy(text, data, n);
    text[n] = '\0';
    return text;
}

struct fuzz_seed fuzz_file(const char *variable, const char *name)
{
    (void)variable;
    (void)name;
    return (struct fuzz_seed){NULL, 0};
}

void fuzz_file_free(struct fuzz_seed *seed)
{
    (void)seed;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    if (fuzz_targets() != 0 || !chosen.read) {
        (void)fprintf(stderr, "TARE_FUZZ_TARGET names none of the targets\n");
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct tare_rng rng;
    struct tare_err err = {0};
    tare_rng_init(&rng, 1);
    char *exact = malloc(n ? n : 1);
    fuzz_check(exact != NULL, "out of memory");
    if (n > 0) {
        memcpy(exact, data, n);
    }
    int r = chosen.read(exact, n, &rng, &err);
    fuzz_check(r >= 0 || err.code != 0, "a failure without a code");
    fuzz_check(r >= 0 || err.msg[0] != '\0', "a failure without a message");
    fuzz_check(r >= 0 || !strpbrk(err.msg, "\n\r"), "a message of several lines");
    free(exact);
    return 0;
}
