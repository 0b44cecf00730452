/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large JSONL file, plain, gzip, xz and zstd, streams in little memory: bench_stream [MiB]. The file is
 * made here, read by a process of its own, and that process's largest resident set is the figure; above 50 MB
 * it is a failure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>
#include <cmocka.h>

#include "scratch.h"

enum { limit_kb = 50000 };
static long size_mib = 1000;

/* Records of some 300 bytes until there are `bytes`. filter NULL: plain. Returns how many. */
static uint64_t write_records(const char *path, const char *filter, uint64_t bytes)
{
    struct archive *archive = archive_write_new();
    struct archive_entry *entry = archive_entry_new();
    uint64_t n = 0, written = 0, draw = 1;
    assert_int_equal(archive_write_set_format_raw(archive), ARCHIVE_OK);
    assert_int_equal(filter ? archive_write_add_filter_by_name(archive, filter) : ARCHIVE_OK, ARCHIVE_OK);
    if (filter && strcmp(filter, "zstd") != 0) {
        assert_int_equal(archive_write_set_options(archive, "compression-level=1"), ARCHIVE_OK);
    }
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    while (written < bytes) {
        char line[512];
        int length =
            snprintf(line, sizeof line, "{\"id\":%llu,\"choices\":[\"a\",\"b\"],\"gold\":%llu,\"text\":\"",
                     (unsigned long long)n, (unsigned long long)(n & 1));
        for (int word = 0; word < 24; word++) {
            draw = draw * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
            length += snprintf(line + length, sizeof line - (size_t)length, "word%llu ",
                               (unsigned long long)(draw >> 52));
        }
        length += snprintf(line + length, sizeof line - (size_t)length, "\"}\n");
        assert_int_equal(archive_write_data(archive, line, (size_t)length), length);
        written += (uint64_t)length;
        n++;
    }
    archive_entry_free(entry);
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
    return n;
}

/* In the child: 0 if there are n records whose ids count up. */
static int read_records(const char *path, uint64_t n)
{
    struct tare_reader *reader = NULL;
    const struct tare_json *record = NULL;
    struct tare_err err = {0};
    uint64_t found = 0;
    int64_t id;
    int r = tare_reader_open(path, NULL, &reader, &err);
    while (r == 0 && (r = tare_reader_next(reader, &record, &err)) > 0) {
        r = tare_json_i64(tare_json_get(record, "id"), "id", (int64_t)found, (int64_t)found, &id, &err);
        found++;
    }
    tare_reader_close(reader);
    if (r < 0) {
        (void)fprintf(stderr, "%s\n", err.msg);
    }
    return r < 0 || found != n;
}

static double now_s(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* The child is a program of its own, so that what the parent held does not count: argv[1] "read" PATH N. */
static long measure(const char *program, const char *path, uint64_t n, double *seconds)
{
    struct rusage usage;
    char count[32];
    int status;
    double begin = now_s();
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)n);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)execl(program, program, "read", path, count, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(wait4(pid, &status, 0, &usage), pid);
    assert_int_equal(status, 0);
    *seconds = now_s() - begin;
    return usage.ru_maxrss;
}

static void test_stream(void **state)
{
    static const struct {
        const char *filter, *name;
    } kinds[] = {{NULL, "s.jsonl"}, {"gzip", "s.jsonl.gz"}, {"zstd", "s.jsonl.zst"}, {"xz", "s.jsonl.xz"}};
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        const char *path = scratch_path(kinds[i].name);
        double seconds;
        uint64_t n = write_records(path, kinds[i].filter, (uint64_t)size_mib << 20);
        long rss_kb = measure("/proc/self/exe", path, n, &seconds);
        print_message("%s: %ld MiB, %llu records, %.2f s, largest resident set %ld kB\n", kinds[i].name,
                      size_mib, (unsigned long long)n, seconds, rss_kb);
        assert_true(rss_kb < limit_kb);
        assert_int_equal(unlink(path), 0);
    }
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "read") == 0) {
        return read_records(argv[2], strtoull(argv[3], NULL, 10));
    }
    (void)setenv("TMPDIR", "/tmp", 0); /* not in memory */
    size_mib = argc > 1 ? strtol(argv[1], NULL, 10) : size_mib;
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_stream)};
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
