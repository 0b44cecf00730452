/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed files: each packing gives back what went in; whatever was cut, bent, packed twice, named falsely or
 * grows too much is an error, and never a shorter file.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "packer.h"
#include "scratch.h"

static const struct packing {
    const char *filter, *name;
} packings[] = {{"gzip", "a.jsonl.gz"}, {"xz", "a.jsonl.xz"}, {"zstd", "a.jsonl.zst"}};
enum { n_packings = sizeof packings / sizeof *packings };

/* Some thousand bytes of records that do not pack to nothing. */
static char *make_records(size_t n, size_t *bytes)
{
    char *text = NULL;
    unsigned draw = 1;
    FILE *stream = open_memstream(&text, bytes);
    assert_non_null(stream);
    for (size_t i = 0; i < n; i++) {
        draw = draw * 1664525U + 1013904223U;
        (void)fprintf(stream, "{\"id\":%zu,\"draw\":\"%08x\"}\n", i, draw);
    }
    assert_int_equal(fclose(stream), 0);
    return text;
}

static void test_round_trip(void **state)
{
    (void)state;
    size_t n;
    char *text = make_records(20000, &n); /* several blocks */
    for (size_t i = 0; i < n_packings; i++) {
        struct tare_err err = {0};
        struct packed packed = packer_stream(packings[i].filter, text, n);
        assert_true(packed.n < n);
        char *records = scratch_records(scratch_write(packings[i].name, packed.data, packed.n), NULL, &err);
        if (!records) {
            fail_msg("%s", err.msg);
        }
        assert_string_equal(records, text);
        free(records);
        /* Seen by its bytes, whatever its name does not say. */
        records = scratch_records(scratch_write("b.jsonl", packed.data, packed.n), NULL, &err);
        assert_string_equal(records, text);
        free(records);
        free(packed.data);
    }
    free(text);
}

static void assert_refused(const char *path, int code, const char *says)
{
    struct tare_err err = {0};
    char *records = scratch_records(path, NULL, &err);
    if (records || err.code != code || !strstr(err.msg, says) || !strstr(err.msg, path)) {
        fail_msg("%s: %s, \"%s\"", path, records ? "taken" : "refused", err.msg);
    }
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    size_t n;
    char *text = make_records(40, &n);
    for (size_t i = 0; i < n_packings; i++) {
        struct packed packed = packer_stream(packings[i].filter, text, n);
        for (size_t cut = 0; cut < packed.n; cut++) {
            assert_refused(scratch_write(packings[i].name, packed.data, cut), TARE_E_FORMAT, "");
        }
        free(packed.data);
    }
    free(text);
}

/* One bit anywhere: an error, or all the same records (a header has bytes that mean nothing). */
static void check_bent(const char *name, const struct packed *packed, const char *text)
{
    size_t n_refused = 0;
    for (size_t at = 0; at < packed->n; at++) {
        struct tare_err err = {0};
        packed->data[at] ^= (char)(1 << at % 8);
        char *records = scratch_records(scratch_write(name, packed->data, packed->n), NULL, &err);
        packed->data[at] ^= (char)(1 << at % 8);
        if (records && strcmp(records, text) != 0) {
            fail_msg("%s: byte %zu was bent, and other records came out", name, at);
        }
        n_refused += !records;
        free(records);
    }
    assert_true(n_refused > packed->n * 8 / 10);
}

static void test_bent_anywhere(void **state)
{
    (void)state;
    size_t n;
    char *text = make_records(20, &n);
    for (size_t i = 0; i < 2; i++) {
        struct packed packed = packer_stream(packings[i].filter, text, n);
        check_bent(packings[i].name, &packed, text);
        free(packed.data);
    }
    free(text);
    /* libarchive writes no checksum into zstd; this is what the program zstd makes of the text below. */
    char frame[] = "\x28\xb5\x2f\xfd\x04\x58\xf1\x00\x00\x7b\x22\x61\x22\x3a\x31\x7d"
                   "\x0a\x7b\x22\x62\x22\x3a\x22\x74\x77\x6f\x22\x7d\x0a\x7b\x22\x63"
                   "\x22\x3a\x5b\x33\x5d\x7d\x0a\x70\x6e\xc0\x4f";
    struct packed packed = {frame, sizeof frame - 1};
    check_bent("a.jsonl.zst", &packed, "{\"a\":1}\n{\"b\":\"two\"}\n{\"c\":[3]}\n");
}

static void test_gzip_members(void **state)
{
    (void)state;
    static const char one[] = "{\"a\":1}\n", two[] = "{\"a\":2}\n";
    struct packed a = packer_stream("gzip", one, strlen(one)), b = packer_stream("gzip", two, strlen(two));
    char both[512];
    memcpy(both, a.data, a.n);
    memcpy(both + a.n, b.data, b.n);
    assert_refused(scratch_write("m.jsonl.gz", both, a.n + b.n), TARE_E_FORMAT, "several gzip members");
    memcpy(both + a.n, "garbage behind it", 17);
    assert_refused(scratch_write("m.jsonl.gz", both, a.n + 17), TARE_E_FORMAT, "checksum");
    free(a.data);
    free(b.data);
}

static void test_packed_twice(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1}\n";
    for (size_t i = 0; i < n_packings; i++) {
        struct packed once = packer_stream("gzip", text, strlen(text));
        struct packed twice = packer_stream(packings[i].filter, once.data, once.n);
        assert_refused(scratch_write(packings[i].name, twice.data, twice.n), TARE_E_FORMAT, "several times");
        free(once.data);
        free(twice.data);
    }
}

static void test_names_and_files(void **state)
{
    (void)state;
    static const char text[] = "{\"a\":1}\n";
    assert_refused(scratch_write("plain.jsonl.gz", text, strlen(text)), TARE_E_FORMAT, "no .gz file");
    assert_refused(scratch_write("empty.jsonl.xz", "", 0), TARE_E_FORMAT, "no .xz file");
    struct packed packed = packer_stream("gzip", text, strlen(text));
    assert_refused(scratch_write("gzip.jsonl.zst", packed.data, packed.n), TARE_E_FORMAT, "no .zst file");
    free(packed.data);
    assert_refused(scratch_path("absent.jsonl"), TARE_E_IO, "No such file");
    assert_int_equal(mkdir(scratch_path("folder.jsonl"), 0700), 0);
    assert_refused(scratch_path("folder.jsonl"), TARE_E_IO, "directory");
    assert_int_equal(mkfifo(scratch_path("fifo.jsonl"), 0600), 0);
    assert_refused(scratch_path("fifo.jsonl"), TARE_E_IO, "not a regular file");
}

static void test_nothing_packed(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_packings; i++) {
        struct tare_err err = {0};
        struct packed packed = packer_stream(packings[i].filter, "", 0);
        char *records = scratch_records(scratch_write(packings[i].name, packed.data, packed.n), NULL, &err);
        assert_string_equal(records ? records : err.msg, "");
        free(records);
        free(packed.data);
    }
}

/* 70 MiB of blanks before a value that never comes: no record grows, the file does. */
static void test_bomb(void **state)
{
    (void)state;
    struct packed bomb = packer_fill("zstd", ' ', (size_t)70 << 20);
    assert_refused(scratch_write("b.json.zst", bomb.data, bomb.n), TARE_E_LIMIT, "decompression bomb");
    free(bomb.data);
    bomb = packer_fill("gzip", ' ', (size_t)10 << 20); /* 1000 times as large, but as much is always fine */
    assert_refused(scratch_write("b.json.gz", bomb.data, bomb.n), TARE_E_FORMAT, "the text ends");
    free(bomb.data);
}

static void test_record_limit(void **state)
{
    (void)state;
    const char *path = scratch_path("long.jsonl");
    assert_int_equal(truncate(scratch_write("long.jsonl", "{}\n{", 4), ((off_t)64 << 20) + 8),
                     0); /* sparse */
    assert_refused(path, TARE_E_LIMIT, "line 2: a record of more than 64 MiB");
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),     cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_bent_anywhere),  cmocka_unit_test(test_gzip_members),
        cmocka_unit_test(test_packed_twice),   cmocka_unit_test(test_names_and_files),
        cmocka_unit_test(test_nothing_packed), cmocka_unit_test(test_bomb),
        cmocka_unit_test(test_record_limit),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
