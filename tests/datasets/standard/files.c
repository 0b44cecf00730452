/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "files.h"

static char folder[64], paths[16][128];
static size_t n_paths;

int make_files(void **state)
{
    (void)state;
    n_paths = 0;
    (void)strcpy(folder, "/tmp/tare_standard_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

int remove_files(void **state)
{
    (void)state;
    while (n_paths > 0) {
        (void)unlink(paths[--n_paths]);
    }
    return rmdir(folder);
}

const char *files_folder(void)
{
    return folder;
}

const char *put_file(const char *name, const char *text)
{
    char *path = paths[n_paths++];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    FILE *to = fopen(path, "w");
    assert_non_null(to);
    assert_int_equal(fwrite(text, 1, strlen(text), to), strlen(text));
    assert_int_equal(fclose(to), 0);
    return path;
}

void drop_file(void)
{
    assert_true(n_paths > 0);
    assert_int_equal(unlink(paths[--n_paths]), 0);
}

static int set_options(struct opened_task *t, const char *const *options)
{
    int rc = tare_opts_set(t->task->options, t->self, "data", folder, "test", &t->err);
    for (; rc == 0 && options && *options; options++) {
        char name[64];
        const char *value = strchr(*options, '=') + 1;
        (void)snprintf(name, sizeof name, "%.*s", (int)(value - *options) - 1, *options);
        rc = tare_opts_set(t->task->options, t->self, name, value, "test", &t->err);
    }
    return rc;
}

struct opened_task open_file(const char *path, const char *const *options)
{
    struct opened_task t = {0};
    struct tare_rng seed;
    tare_rng_init(&seed, 1);
    t.rc = tare_standard_load(path, &t.task, &t.err);
    if (t.rc < 0) {
        return t;
    }
    t.self = calloc(1, t.task->priv_size);
    assert_non_null(t.self);
    t.rc = tare_opts_init(t.task->options, t.self, &t.err);
    t.rc = t.rc == 0 ? set_options(&t, options) : t.rc;
    t.rc = t.rc == 0 ? t.task->open(t.self, "", &seed, &t.err) : t.rc;
    return t;
}

void close_file(struct opened_task *t)
{
    if (t->task) {
        if (t->rc == 0) {
            t->task->close(t->self);
        }
        tare_opts_fini(t->task->options, t->self);
        free(t->self);
        tare_standard_free(t->task);
    }
    memset(t, 0, sizeof *t);
}

struct tare_item item_of(struct opened_task *t, size_t i)
{
    struct tare_item item = {0};
    assert_int_equal(t->rc, 0);
    assert_int_equal(t->task->item(t->self, i, &item, &t->err), 0);
    return item;
}

void assert_text(struct tare_bytes text, const char *expected)
{
    char *copy = calloc(text.n + 1, 1); /* the text need not end in a NUL, which strndup may look for */
    assert_non_null(copy);
    memcpy(copy, text.n ? text.data : "", text.n);
    assert_string_equal(copy, expected);
    free(copy);
}
