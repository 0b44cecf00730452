/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small seeded mutator for the readers of foreign bytes. Every run of a target sees the same inputs,
 * so that a failure is a regression with an address: the target, the seed and the iteration. It looks
 * for no new paths, as a coverage-guided fuzzer would; TARE_FUZZ_ITERATIONS and TARE_FUZZ_SEED let it
 * search further than the test does.
 */
#ifndef TARE_TESTS_FUZZ_H
#define TARE_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>
#include <tare/rng.h>

struct fuzz_seed {
    const char *data;
    size_t n;
};

#define FUZZ_TEXT(text)          \
    {                            \
        (text), sizeof(text) - 1 \
    }

struct fuzz_target {
    const char *name;
    const struct fuzz_seed *seeds; /* each is valid */
    size_t n_seeds;
    const char *const *words; /* NULL-terminated; what mutations put in */
    unsigned iterations;
    /* Reads data[0 .. n), a block of exactly that size. Returns what the reader returned; checks with
     * fuzz_check whatever must hold. */
    int (*read)(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err);
};

/* Runs all iterations. The exit status of the program: 0, unless something stopped it before. Input of
 * which nothing, or everything, is accepted is a fault of the target. */
int fuzz_main(const struct fuzz_target *target);
/* Reads every input of the target's corpus, which libFuzzer once found (guided.c):
 * $TARE_FUZZ_CORPUS/NAME.txt, an input a line, bytes written as in the message of a failure. None may crash
 * or fail a check; accepted or not does not matter. Returns 0. */
int fuzz_replay(const struct fuzz_target *target);
/* What main is called where guided.c calls it. */
int fuzz_targets(void);
/* Ends the program with the iteration and the input when the condition does not hold. */
void fuzz_check(bool holds, const char *what);
/* A copy that ends in a NUL; free() it. */
char *fuzz_text(const char *data, size_t n);
/* A whole file of the folder that the environment variable names; NULL if there is none. */
struct fuzz_seed fuzz_file(const char *variable, const char *name);
void fuzz_file_free(struct fuzz_seed *seed);

#endif
