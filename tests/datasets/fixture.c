/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holding a task for a test; see fixture.h. It checks nothing of its own but that the test's own steps
 * worked.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/opt.h"
#include "fixture.h"

struct fixture fixture_make(const struct tare_task *task)
{
    struct fixture f = {.task = task, .self = calloc(1, task->priv_size)};
    assert_non_null(f.self);
    assert_int_equal(tare_opts_init(task->options, f.self, &f.err), 0);
    return f;
}

void fixture_set_text(struct fixture *f, const char *name, const char *value)
{
    int rc = tare_opts_set(f->task->options, f->self, name, value, f->task->name, &f->err);
    if (rc) {
        fail_msg("%s", f->err.msg);
    }
}

void fixture_set(struct fixture *f, const char *words)
{
    char *copy = strdup(words ? words : "");
    char *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *equals = strchr(word, '=');
        assert_non_null(equals);
        *equals = '\0';
        fixture_set_text(f, word, equals + 1);
    }
    free(copy);
}

int fixture_open_in(struct fixture *f, uint64_t seed, const char *data_dir)
{
    struct tare_rng rng;
    tare_rng_init(&rng, seed);
    return f->task->open(f->self, data_dir, &rng, &f->err);
}

int fixture_open(struct fixture *f, uint64_t seed)
{
    return fixture_open_in(f, seed, fixture_data_dir());
}

struct fixture fixture_opened(const struct tare_task *task, const char *words, uint64_t seed)
{
    struct fixture f = fixture_make(task);
    fixture_set(&f, words);
    if (fixture_open(&f, seed)) {
        fail_msg("%s", f.err.msg);
    }
    return f;
}

struct tare_item fixture_item(struct fixture *f, size_t index)
{
    struct tare_item item = {0};
    assert_int_equal(f->task->item(f->self, index, &item, &f->err), 0);
    return item;
}

void fixture_done(struct fixture *f)
{
    f->task->close(f->self);
    tare_opts_fini(f->task->options, f->self);
    free(f->self);
    memset(f, 0, sizeof *f);
}

const char *fixture_data_dir(void)
{
    const char *dir = getenv("TARE_DATA");
    if (!dir) {
        fail_msg("set TARE_DATA to the folder datasets/");
    }
    return dir;
}

char *fixture_read(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("%s cannot be read", path);
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *bytes = calloc((size_t)size + 1, 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, (size_t)size, file), size);
    (void)fclose(file);
    *n = (size_t)size;
    return bytes;
}

bool fixture_contains(struct tare_bytes all, struct tare_bytes part)
{
    return memmem(all.data, all.n, part.data, part.n) != NULL;
}

void fixture_assert_bytes(struct tare_bytes got, const char *want, size_t n)
{
    assert_int_equal(got.n, n);
    assert_memory_equal(got.data, want, n);
}
