/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of threads: every part runs once and has ended when `run` returns, whether the threads spin or
 * sleep in between; shares cover everything once.
 */
#include "fixture.h"

#include "pool.h"

#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { most_threads = 8, runs = 100000, sleepy_runs = 60 };

struct count {
    uint32_t expected_parts;
    uint64_t done[most_threads * 16]; /* one cache line a part; plain numbers: `run` must order them */
    _Atomic uint32_t wrong;
};

static void count_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    struct count *c = ctx;
    if (n_parts != c->expected_parts || part >= n_parts) {
        atomic_fetch_add(&c->wrong, 1);
        return;
    }
    c->done[part * 16]++;
}

static struct tare_pool *open_pool(uint32_t threads)
{
    struct tare_pool *pool = NULL;
    struct tare_err err = {0};
    if (tare_pool_create(&pool, threads, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(tare_pool_threads(pool), threads);
    return pool;
}

static void expect_count(const struct count *c, uint64_t want)
{
    assert_int_equal(c->wrong, 0);
    for (uint32_t part = 0; part < c->expected_parts; part++) {
        assert_int_equal(c->done[part * 16], want);
    }
}

/* As many as it takes for an order that goes wrong once in a hundred thousand to show. With more threads than
 * processors each run waits for the scheduler, so there are fewer. */
static void test_many_runs(void **state)
{
    static const uint32_t threads[] = {1, 2, 4, 8};
    (void)state;
    for (int i = 0; i < 4; i++) {
        struct tare_pool *pool = open_pool(threads[i]);
        struct count c = {.expected_parts = threads[i]};
        uint32_t n = threads[i] <= 2 ? runs : runs / 20;
        for (uint32_t run = 0; run < n; run++) {
            tare_pool_run(pool, count_part, &c);
            for (uint32_t part = 0; part < threads[i]; part++) {
                assert_true(c.done[part * 16] == run + 1);
            }
        }
        expect_count(&c, n);
        tare_pool_destroy(pool);
    }
}

static void rest(long ns)
{
    const struct timespec t = {.tv_nsec = ns};
    (void)nanosleep(&t, NULL);
}

/* Pauses around the time that threads spin, so that some runs find them spinning, some falling asleep and
 * some asleep. */
static void test_sleeping(void **state)
{
    (void)state;
    for (uint32_t threads = 2; threads <= most_threads; threads *= 2) {
        struct tare_pool *pool = open_pool(threads);
        struct count c = {.expected_parts = threads};
        for (long run = 0; run < sleepy_runs; run++) {
            rest(run % 6 * 20000 + 1000);
            tare_pool_run(pool, count_part, &c);
        }
        expect_count(&c, sleepy_runs);
        tare_pool_destroy(pool);
    }
}

static void slow_part(void *ctx, uint32_t part, uint32_t n_parts)
{
    if (part != 0) {
        rest(300000); /* the caller falls asleep meanwhile */
    }
    count_part(ctx, part, n_parts);
}

static void test_caller_sleeps(void **state)
{
    (void)state;
    struct tare_pool *pool = open_pool(4);
    struct count c = {.expected_parts = 4};
    for (int run = 0; run < 40; run++) {
        tare_pool_run(pool, slow_part, &c);
    }
    expect_count(&c, 40);
    tare_pool_destroy(pool);
}

static int64_t process_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* An idle pool takes no processor time: far below what four spinning threads would. */
static void test_idle(void **state)
{
    (void)state;
    struct tare_pool *pool = open_pool(4);
    struct count c = {.expected_parts = 4};
    tare_pool_run(pool, count_part, &c);
    rest(20000000);
    int64_t before = process_ns();
    rest(100000000);
    int64_t used = process_ns() - before;
    assert_true(used < 10000000);
    tare_pool_destroy(pool);
}

/* Also at once, before the threads have looked around. */
static void test_open_close(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 200; i++) {
        struct tare_pool *pool = open_pool(1 + i % most_threads);
        if (i % 3 == 0) {
            struct count c = {.expected_parts = 1 + i % most_threads};
            tare_pool_run(pool, count_part, &c);
            expect_count(&c, 1);
        }
        tare_pool_destroy(pool);
    }
    tare_pool_destroy(NULL);
}

static void test_shares(void **state)
{
    static const uint32_t sizes[] = {0, 1, 7, 8, 9, 128, 384, 1000, UINT32_MAX};
    static const uint32_t grains[] = {1, 4, 16};
    (void)state;
    for (int s = 0; s < 9; s++) {
        for (int g = 0; g < 3; g++) {
            for (uint32_t n_parts = 1; n_parts <= most_threads; n_parts++) {
                uint32_t next = 0;
                for (uint32_t part = 0; part < n_parts; part++) {
                    uint32_t from;
                    uint32_t to;
                    tare_pool_share(sizes[s], grains[g], part, n_parts, &from, &to);
                    assert_true(from == next && to >= from);
                    assert_true(to == sizes[s] || to % grains[g] == 0);
                    next = to;
                }
                assert_int_equal(next, sizes[s]);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many_runs),     cmocka_unit_test(test_sleeping),
        cmocka_unit_test(test_caller_sleeps), cmocka_unit_test(test_idle),
        cmocka_unit_test(test_open_close),    cmocka_unit_test(test_shares),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
