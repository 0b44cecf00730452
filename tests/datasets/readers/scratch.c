/* SPDX-License-Identifier: Apache-2.0 */
/* The folder lies in TMPDIR, or in memory where there is such a place: many small files are written, and some
 * brought to the disk. */
#include "scratch.h"

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[256];
static size_t n_seen;

int scratch_make(void **state)
{
    (void)state;
    const char *place = getenv("TMPDIR"), *memory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(folder, sizeof folder, "%s/tare_readers_XXXXXX", place && *place ? place : memory);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)st;
    (void)kind;
    (void)where;
    return remove(path);
}

int scratch_remove_tree(const char *path)
{
    return nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int scratch_remove(void **state)
{
    (void)state;
    return scratch_remove_tree(folder);
}

static int count_one(const char *path, const struct stat *st, int kind, struct FTW *where)
{
    (void)path;
    (void)st;
    (void)kind;
    n_seen += where->level > 0;
    return 0;
}

size_t scratch_count(void)
{
    n_seen = 0;
    assert_int_equal(nftw(folder, count_one, 16, FTW_PHYS), 0);
    return n_seen;
}

const char *scratch_path(const char *name)
{
    static char paths[8][512];
    static size_t at;
    char *path = paths[at++ % 8];
    assert_in_range(snprintf(path, sizeof paths[0], "%s/%s", folder, name), 1, sizeof paths[0] - 1);
    return path;
}

const char *scratch_write(const char *name, const void *data, size_t n)
{
    const char *path = scratch_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, n, file), n);
    assert_int_equal(fclose(file), 0);
    return path;
}

char *scratch_read(const char *path, size_t *n)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        return NULL;
    }
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    assert_true(size >= 0);
    rewind(file);
    char *data = calloc(1, (size_t)size + 1);
    assert_non_null(data);
    *n = fread(data, 1, (size_t)size, file);
    assert_int_equal(*n, size);
    (void)fclose(file);
    return data;
}

char *scratch_records(const char *path, const struct tare_reader_options *options, struct tare_err *err)
{
    struct tare_reader *reader = NULL;
    const struct tare_json *record = NULL;
    char *all = NULL;
    size_t n = 0;
    if (tare_reader_open(path, options, &reader, err) < 0) {
        return NULL;
    }
    FILE *stream = open_memstream(&all, &n);
    assert_non_null(stream);
    int r;
    while ((r = tare_reader_next(reader, &record, err)) > 0) {
        char *text = NULL;
        assert_int_equal(tare_json_type(record), TARE_JSON_OBJECT);
        assert_int_equal(tare_json_print(record, false, &text, err), 0);
        (void)fprintf(stream, "%s\n", text);
        free(text);
    }
    assert_int_equal(fclose(stream), 0);
    /* The end and an error stay what they are. */
    struct tare_err again = {0};
    assert_int_equal(tare_reader_next(reader, &record, &again), r);
    assert_string_equal(again.msg, r < 0 ? err->msg : "");
    tare_reader_close(reader);
    if (r < 0) {
        free(all);
        return NULL;
    }
    return all;
}
