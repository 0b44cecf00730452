/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A task with its options, as the harness would hold it, for the tests of datasets/.
 *
 * Options go through the real parser, so a wrong table fails here too. Everything but the calls under
 * test is asserted.
 */
#ifndef TARE_TESTS_DATASETS_FIXTURE_H
#define TARE_TESTS_DATASETS_FIXTURE_H

#include <tare/task.h>

struct fixture {
    const struct tare_task *task;
    void *self;
    struct tare_err err;
};

/* A task with default options, not yet opened. */
struct fixture fixture_make(const struct tare_task *task);
/* Sets options from "name=value" words, space apart; NULL sets none. */
void fixture_set(struct fixture *f, const char *words);
/* Sets one option whose value may hold anything. */
void fixture_set_text(struct fixture *f, const char *name, const char *value);
/* Opens with a seed and the data folder of the environment; the task's return code. */
int fixture_open(struct fixture *f, uint64_t seed);
int fixture_open_in(struct fixture *f, uint64_t seed, const char *data_dir);
/* make, set and open in one, which must succeed. */
struct fixture fixture_opened(const struct tare_task *task, const char *words, uint64_t seed);
struct tare_item fixture_item(struct fixture *f, size_t index);
/* Closes (harmless after a failed open) and frees. */
void fixture_done(struct fixture *f);

/* The shipped data, from TARE_DATA. */
const char *fixture_data_dir(void);
/* The whole file, NUL-terminated; free it. */
char *fixture_read(const char *path, size_t *n);
bool fixture_contains(struct tare_bytes all, struct tare_bytes part);
void fixture_assert_bytes(struct tare_bytes got, const char *want, size_t n);

#endif
