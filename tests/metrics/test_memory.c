/* SPDX-License-Identifier: Apache-2.0 */
/* Resident memory against pages that were touched on purpose; what is private, shared and mapped. */
#include "fake_files.h"
#include "sink.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_memory, tare_meter_smaps, tare_meter_mapped;

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED true /* its shadow is resident memory, too */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { ballast = 4096 }; /* pages */

static double page(void)
{
    return (double)sysconf(_SC_PAGESIZE);
}

static char *map(size_t pages)
{
    size_t n = pages * (size_t)sysconf(_SC_PAGESIZE);
    char *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(at != MAP_FAILED);
    (void)madvise(at, n, MADV_NOHUGEPAGE);
    return at;
}

static void touch(char *at, size_t pages)
{
    for (size_t i = 0; i < pages; i++) {
        ((volatile char *)at)[i * (size_t)sysconf(_SC_PAGESIZE)] = 1;
    }
}

/* The peak of a phase is that of the phase: what was freed before does not count, what was freed in it does.
 */
static void test_peak(void **state)
{
    static struct sink s[2];
    struct bench b;
    (void)state;
    bench_open(&b, &tare_meter_memory, NULL);
    bench_read(&b, &s[0]); /* what the meter itself needs is touched now */
    char *early = map(4 * ballast);
    touch(early, 4 * ballast);
    assert_int_equal(munmap(early, 4 * ballast * (size_t)page()), 0);
    bench_read(&b, &s[0]);
    b.ops->begin(b.self);
    char *at = map(ballast);
    touch(at, ballast);
    assert_int_equal(munmap(at, ballast * (size_t)page()), 0);
    sink_init(&s[1]);
    b.ops->end(b.self, &s[1].to);
    const struct sink_reading *before = sink_get(&s[0], "peak_rss"), *peak = sink_get(&s[1], "peak_rss");
    double bound = sink_get(&s[1], "peak_rss_error_bound")->value;
    assert_true(bound > 0 && fabs(peak->u - bound / sqrt(3)) < 1e-6);
    /* Both peaks are off by up to the bound. */
    assert_true(fabs(peak->value - before->value - ballast * page()) <= 2 * bound + 16 * page());
    assert_true(fabs(sink_get(&s[1], "rss_anon")->value - sink_get(&s[0], "rss_anon")->value) <=
                2 * sink_get(&s[1], "rss_error_bound")->value + 16 * page());
    bench_close(&b);
}

/* On a kernel that sums exactly, what is held shows to the page. */
static void test_held(void **state)
{
    static struct sink s[2];
    struct bench b;
    (void)state;
    bench_open(&b, &tare_meter_memory, NULL);
    char *at = map(ballast);
    bench_read(&b, &s[1]);
    bench_read(&b, &s[0]);
    bench_read(&b, &s[0]); /* and once more: what reading touches is there */
    touch(at, ballast);
    bench_read(&b, &s[1]);
    double bound = sink_get(&s[1], "rss_error_bound")->value;
    double grown = sink_get(&s[1], "rss_anon")->value - sink_get(&s[0], "rss_anon")->value;
    assert_true(fabs(grown - ballast * page()) <= (SANITIZED ? 0.1 * ballast : 1) * page() + 2 * bound);
    assert_true(sink_get(&s[1], "address_space_peak")->value >= sink_get(&s[1], "peak_rss")->value);
    (void)munmap(at, ballast * (size_t)page());
    bench_close(&b);
}

static void test_private(void **state)
{
    static struct sink s[2];
    struct bench b;
    (void)state;
    bench_open(&b, &tare_meter_smaps, NULL);
    if (!b.self) {
        print_message("%s\n", b.why);
        skip();
    }
    char *at = map(ballast);
    bench_read(&b, &s[1]);
    bench_read(&b, &s[0]);
    touch(at, ballast);
    bench_read(&b, &s[1]);
    /* Libraries change sides when other processes come and go: the ballast shows, but not to the page. */
    const double room = 4 << 20;
    double uss = sink_get(&s[1], "uss")->value, pss = sink_get(&s[1], "pss")->value;
    assert_true(fabs(uss - sink_get(&s[0], "uss")->value - ballast * page()) <= room);
    assert_true(fabs(pss - sink_get(&s[0], "pss")->value - ballast * page()) <= room);
    assert_true(uss >= ballast * page() && pss >= uss - 1024);
    (void)munmap(at, ballast * (size_t)page());
    bench_close(&b);
}

static void test_fake_smaps(void **state)
{
    struct fake_files f;
    struct bench b;
    static struct sink s;
    (void)state;
    fake_files_open(&f);
    fake_files_put(
        &f, "smaps_rollup",
        "00400000-7ffe r--p 00000000 00:00 0 [rollup]\nRss:  100 kB\nPss:  40 kB\nPss_Dirty: 7 kB\n"
        "Private_Clean:  3 kB\nPrivate_Dirty:  20 kB\n");
    bench_open(&b, &tare_meter_smaps, (const char *const[]){"proc", f.dir, NULL});
    bench_read(&b, &s);
    assert_true(sink_get(&s, "pss")->value == 40 * 1024);
    assert_true(sink_get(&s, "uss")->value == 23 * 1024);
    fake_files_put(&f, "smaps_rollup", "Pss:  40 kB\nPrivate_Clean:  3 kB\n");
    bench_read(&b, &s);
    assert_true(sink_get(&s, "pss")->value == 40 * 1024);
    assert_true(sink_get(&s, "uss")->absent);
    bench_close(&b);
    bench_open(&b, &tare_meter_smaps, (const char *const[]){"proc", "/nowhere", NULL});
    assert_null(b.self);
    fake_files_close(&f);
}

/* A file of 1024 pages that is not cached, of which every 16th is touched with read-ahead off. */
static void test_mapped(void **state)
{
    enum { pages = 1024, step = 16 };
    char path[] = "/var/tmp/tare-mapped-XXXXXX";
    static struct sink s[2];
    struct bench b;
    (void)state;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, pages * sysconf(_SC_PAGESIZE)), 0);
    bench_open(&b, &tare_meter_mapped, NULL);
    assert_non_null(b.self);
    bench_read(&b, &s[0]);
    char *at = mmap(NULL, pages * (size_t)page(), PROT_READ, MAP_SHARED, fd, 0);
    assert_true(at != MAP_FAILED);
    assert_int_equal(madvise(at, pages * (size_t)page(), MADV_RANDOM), 0);
    for (size_t i = 0; i < pages; i += step) {
        (void)((volatile char *)at)[i * (size_t)page()];
    }
    bench_read(&b, &s[1]);
    assert_true(sink_get(&s[1], "mapped_bytes")->value - sink_get(&s[0], "mapped_bytes")->value ==
                pages * page());
    assert_true(sink_get(&s[1], "mapped_resident_bytes")->value -
                    sink_get(&s[0], "mapped_resident_bytes")->value ==
                pages / step * page());
    assert_true(sink_get(&s[1], "locked")->value == 0);
    assert_string_equal(sink_get(&s[1], "mapped_bytes")->flags, "");
    bench_close(&b);
    /* Below the least size it does not count. */
    bench_open(&b, &tare_meter_mapped, (const char *const[]){"least", "1GiB", NULL});
    bench_read(&b, &s[0]);
    assert_true(sink_get(&s[0], "mapped_bytes")->value == 0);
    bench_close(&b);
    (void)munmap(at, pages * (size_t)page());
    close(fd);
    (void)unlink(path);
}

/* Libraries, anonymous memory and small mappings are left out; more files than there is room for show. */
static void test_fake_maps(void **state)
{
    struct fake_files f;
    struct bench b;
    static struct sink s;
    static char many[300 * 80];
    (void)state;
    fake_files_open(&f);
    fake_files_put(&f, "status", "VmLck:\t     12 kB\nVmSwap:\t       8 kB\n");
    fake_files_put(&f, "maps",
                   "10000000-10200000 r--p 00000000 08:01 11 /lib/libx.so\n"
                   "10200000-10300000 r-xp 00200000 08:01 11 /lib/libx.so\n"
                   "20000000-20200000 rw-p 00000000 00:00 0 \n"
                   "30000000-30001000 r--p 00000000 08:01 12 /small\n"
                   "40000000-40400000 rw-p 00000000 00:00 0 [heap]\n");
    bench_open(&b, &tare_meter_mapped, (const char *const[]){"proc", f.dir, NULL});
    bench_read(&b, &s);
    assert_true(sink_get(&s, "mapped_bytes")->value == 0);
    assert_true(sink_get(&s, "locked")->value == 12 * 1024);
    assert_true(sink_get(&s, "swapped")->value == 8 * 1024);
    /* What is not mapped here cannot be asked about. */
    fake_files_put(&f, "maps", "10000-210000 r--s 00000000 08:01 13 /model with blanks in its name\n");
    bench_read(&b, &s);
    assert_true(sink_get(&s, "mapped_bytes")->value == 2 * 1024 * 1024);
    assert_true(sink_get(&s, "mapped_resident_bytes")->absent);
    size_t used = 0;
    for (int i = 0; i < 300; i++) {
        used += (size_t)snprintf(many + used, sizeof many - used, "10000-210000 r--s 00000000 08:01 %d /m\n",
                                 i + 1);
    }
    fake_files_put(&f, "maps", many);
    bench_read(&b, &s);
    assert_string_equal(sink_get(&s, "mapped_bytes")->flags, "LOWER_BOUND");
    bench_close(&b);
    fake_files_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_peak),    cmocka_unit_test(test_held),
                                       cmocka_unit_test(test_private), cmocka_unit_test(test_fake_smaps),
                                       cmocka_unit_test(test_mapped),  cmocka_unit_test(test_fake_maps)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
