/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's counts against known truths: time spun, pages touched, times slept, threads of all ages. */
#include "sink.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_perf;

static double cpu_s(clockid_t clock)
{
    struct timespec t;
    assert_int_equal(clock_gettime(clock, &t), 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Spends CPU time of the calling thread. */
static void spin(double seconds)
{
    double until = cpu_s(CLOCK_THREAD_CPUTIME_ID) + seconds;
    while (cpu_s(CLOCK_THREAD_CPUTIME_ID) < until) {
    }
}

static void *spin_30ms(void *arg)
{
    (void)arg;
    spin(0.03);
    return NULL;
}

static void open_or_skip(struct bench *b)
{
    bench_open(b, &tare_meter_perf, NULL);
    if (!b->self) {
        print_message("skipped: %s\n", b->why);
        skip();
    }
}

/* CPU time of this thread and of one that began and ended within the phase, as the process clock has it. */
static void test_task_clock(void **state)
{
    struct bench b;
    struct sink s;
    pthread_t thread;
    (void)state;
    open_or_skip(&b);
    double before = cpu_s(CLOCK_PROCESS_CPUTIME_ID);
    b.ops->begin(b.self);
    spin(0.05);
    assert_int_equal(pthread_create(&thread, NULL, spin_30ms, NULL), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    double truth = cpu_s(CLOCK_PROCESS_CPUTIME_ID) - before;
    const struct sink_reading *r = sink_get(&s, "perf_task_clock");
    assert_false(r->absent);
    assert_string_equal(r->unit, "s");
    assert_string_equal(r->scope, "process");
    assert_int_equal(r->kind, TARE_KIND_MEASURED);
    assert_true(r->value > 0.08 * 0.999);
    assert_true(fabs(r->value - truth) < 0.001 + 0.001 * truth);
    bench_close(&b);
}

static pthread_barrier_t barrier;

static void *wait_then_spin(void *arg)
{
    (void)arg;
    (void)pthread_barrier_wait(&barrier); /* the meter is being opened */
    (void)pthread_barrier_wait(&barrier); /* the phase has begun */
    spin(0.03);
    return NULL;
}

/* A thread older than the meter counts too: libraries start theirs before any meter. */
static void test_older_thread(void **state)
{
    struct bench b;
    struct sink s;
    pthread_t thread;
    (void)state;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&thread, NULL, wait_then_spin, NULL), 0);
    (void)pthread_barrier_wait(&barrier);
    bench_open(&b, &tare_meter_perf, NULL);
    if (b.self) {
        b.ops->begin(b.self);
    }
    (void)pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(pthread_barrier_destroy(&barrier), 0);
    if (!b.self) {
        skip();
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    assert_true(sink_get(&s, "perf_task_clock")->value > 0.03 * 0.999);
    bench_close(&b);
}

/* Each page of fresh memory faults once; what was there before does not count. */
static void test_page_faults(void **state)
{
    enum { pages = 500 };
    struct bench b;
    struct sink s;
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    (void)state;
    open_or_skip(&b);
    char *memory = mmap(NULL, pages * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(madvise(memory, pages * page, MADV_NOHUGEPAGE), 0);
    b.ops->begin(b.self);
    for (size_t i = 0; i < pages; i++) {
        ((volatile char *)memory)[i * page] = 1;
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    double value = sink_get(&s, "perf_page_faults")->value;
    assert_true(value >= pages && value <= 1.5 * pages); /* more: stack, and what a sanitizer shadows */
    bench_read(&b, &s);                                  /* the next phase begins anew */
    assert_true(sink_get(&s, "perf_page_faults")->value < 0.5 * pages);
    assert_int_equal(munmap(memory, pages * page), 0);
    bench_close(&b);
}

/* Every sleep gives the CPU away once. */
static void test_context_switches(void **state)
{
    enum { sleeps = 50 };
    struct bench b;
    struct sink s;
    (void)state;
    open_or_skip(&b);
    b.ops->begin(b.self);
    for (int i = 0; i < sleeps; i++) {
        const struct timespec ms = {.tv_nsec = 100000};
        (void)nanosleep(&ms, NULL);
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    double value = sink_get(&s, "perf_context_switches")->value;
    assert_true(value >= sleeps); /* being preempted adds some */
    assert_true(value <= 20 * sleeps);
    assert_true(sink_get(&s, "perf_migrations")->value <= value);
    bench_close(&b);
}

/* What a child process does is not this process's. */
static void test_child_process(void **state)
{
    struct bench b;
    struct sink s;
    int status = 0;
    (void)state;
    open_or_skip(&b);
    b.ops->begin(b.self);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        spin(0.1);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "perf_task_clock");
    if (strcmp(r->scope, "process") == 0) {
        assert_true(r->value < 0.05);
    } else {
        assert_true(r->value > 0.1 * 0.999);
    }
    bench_close(&b);
}

/* Descriptors are given back, also in a second life. */
static void test_closes_what_it_opened(void **state)
{
    struct bench b;
    (void)state;
    int before = dup(0);
    assert_true(before >= 0);
    assert_int_equal(close(before), 0);
    for (int i = 0; i < 3; i++) {
        open_or_skip(&b);
        bench_close(&b);
    }
    int after = dup(0);
    assert_int_equal(after, before);
    assert_int_equal(close(after), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_task_clock),    cmocka_unit_test(test_older_thread),
        cmocka_unit_test(test_page_faults),   cmocka_unit_test(test_context_switches),
        cmocka_unit_test(test_child_process), cmocka_unit_test(test_closes_what_it_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
