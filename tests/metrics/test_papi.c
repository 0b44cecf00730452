/* SPDX-License-Identifier: Apache-2.0 */
/* The meter papi: absent with the true reason where there is no PMU, held against known work where there is
 * one; and what it makes of counts, without any counter. */
#include "papi_events.h"
#include "sink.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_papi;

static int64_t now_ns(void)
{
    struct timespec t;
    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What this machine says itself: 0, or the errno. */
static int pmu_errno(void)
{
    struct perf_event_attr attr;
    memset(&attr, 0, sizeof attr);
    attr.size = sizeof attr;
    attr.type = PERF_TYPE_HARDWARE;
    attr.config = PERF_COUNT_HW_INSTRUCTIONS;
    attr.exclude_kernel = attr.exclude_hv = 1;
    long fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    int code = fd < 0 ? errno : 0;
    if (fd >= 0) {
        close((int)fd);
    }
    return code;
}

static void test_no_pmu(void **state)
{
    struct bench b;
    (void)state;
    int code = pmu_errno();
    int64_t begin_ns = now_ns();
    bench_open(&b, &tare_meter_papi, NULL);
    int64_t spent_ns = now_ns() - begin_ns;
    if (strstr(b.why, "built without PAPI")) {
        assert_null(b.self);
        assert_non_null(strstr(b.why, "libpapi-dev"));
        return;
    }
    if (code == 0) {
        bench_close(&b);
        skip();
    }
    assert_null(b.self);
    print_message("%s (%.3f ms)\n", b.why, (double)spent_ns / 1e6);
    if (code == EACCES || code == EPERM) {
        assert_non_null(strstr(b.why, "perf_event_paranoid"));
    } else {
        assert_non_null(strstr(b.why, "no PMU"));
        assert_non_null(strstr(b.why, strerror(code)));
    }
    assert_true(strlen(b.why) < 128); /* what the worker keeps of it */
    assert_true(spent_ns < 5000000);
}

/* With counters: a second run of known work is read as the first one was. */
static void test_known_work(void **state)
{
    struct bench b;
    struct sink s;
    struct tare_papi_work done;
    (void)state;
    bench_open(&b, &tare_meter_papi, NULL);
    if (!b.self) {
        print_message("skipped: %s\n", b.why);
        skip();
    }
    b.ops->begin(b.self);
    bool known = tare_papi_work(1000000, &done);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *ins = sink_get(&s, "papi_tot_ins"), *br = sink_get(&s, "papi_br_ins");
    const struct sink_reading *flops = sink_get(&s, "papi_flops");
    print_message("papi_tot_ins %.0f %s, papi_br_ins %.0f %s, papi_flops %.0f %s\n", ins->value, ins->why,
                  br->value, br->why, flops->value, flops->why);
    if (known && !ins->absent) {
        assert_true(fabs(ins->value / done.instructions - 1) <= 0.01);
    }
    if (known && !br->absent) {
        assert_true(fabs(br->value / done.branches - 1) <= 0.01);
    }
    if (known && !flops->absent) {
        assert_true(fabs(flops->value / (done.flops_sp + done.flops_dp) - 1) <= 0.02);
    }
    assert_false(ins->absent && br->absent && flops->absent && sink_get(&s, "papi_tot_cyc")->absent);
    bench_close(&b);
}

static pthread_barrier_t barrier;

static void *wait_then_work(void *arg)
{
    struct tare_papi_work done;
    (void)pthread_barrier_wait(&barrier); /* the meter is being opened */
    (void)pthread_barrier_wait(&barrier); /* the phase has begun */
    (void)tare_papi_work(200000, &done);
    return arg;
}

static void *work(void *arg)
{
    struct tare_papi_work done;
    (void)tare_papi_work(200000, &done);
    return arg;
}

/* With counters: a thread older than the meter and one that lives within the phase are counted, or the scope
 * says that they are not. */
static void test_threads(void **state)
{
    struct bench b;
    struct sink s;
    pthread_t older, younger;
    struct tare_papi_work done;
    (void)state;
    assert_int_equal(pthread_barrier_init(&barrier, NULL, 2), 0);
    assert_int_equal(pthread_create(&older, NULL, wait_then_work, NULL), 0);
    (void)pthread_barrier_wait(&barrier);
    bench_open(&b, &tare_meter_papi, NULL);
    if (b.self) {
        b.ops->begin(b.self);
    }
    (void)pthread_barrier_wait(&barrier);
    assert_int_equal(pthread_join(older, NULL), 0);
    assert_int_equal(pthread_create(&younger, NULL, work, NULL), 0);
    assert_int_equal(pthread_join(younger, NULL), 0);
    bool known = tare_papi_work(200000, &done);
    assert_int_equal(pthread_barrier_destroy(&barrier), 0);
    if (!b.self) {
        skip();
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *ins = sink_get(&s, "papi_tot_ins");
    double shares = strcmp(ins->scope, "process") == 0 ? 3 : 1;
    print_message("papi_tot_ins %.0f (%s) of %s\n", ins->value, ins->why, ins->scope);
    assert_true(shares == 3 || strcmp(ins->scope, "main thread") == 0);
    assert_true(!known || ins->absent || fabs(ins->value / (shares * done.instructions) - 1) <= 0.02);
    bench_close(&b);
}

/* With counters: multiplexed ones tell their share, and none is believed below a half. */
static void test_taking_turns(void **state)
{
    static const char *const options[] = {"multiplex", "true", NULL};
    struct bench b;
    struct sink s;
    struct tare_papi_work done;
    (void)state;
    bench_open(&b, &tare_meter_papi, options);
    if (!b.self) {
        print_message("skipped: %s\n", b.why);
        skip();
    }
    b.ops->begin(b.self);
    bool known = tare_papi_work(4000000, &done);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *ins = sink_get(&s, "papi_tot_ins"),
                              *ratio = sink_get(&s, "papi_running_ratio");
    print_message("papi_tot_ins %.0f (%s), papi_running_ratio %.3f (%s)\n", ins->value, ins->why,
                  ratio->value, ratio->why);
    assert_true(ratio->absent || (ratio->value >= 0 && ratio->value <= 1.001));
    assert_true(ins->absent || (!ratio->absent && ratio->value >= 0.5));
    assert_true(!known || ins->absent || fabs(ins->value / done.instructions - 1) <= 0.05);
    bench_close(&b);
}

/* Each loop is known to the instruction: sums by hand for every width that this processor can have. */
static void test_work_is_what_it_says(void **state)
{
    struct tare_papi_work w, twice;
    (void)state;
    if (!tare_papi_work(1000, &w)) {
        assert_true(w.instructions == 0 && w.flops_sp == 0);
        skip();
    }
    assert_true(tare_papi_work(2000, &twice));
    double loops = w.branches / 1000;
    assert_true(loops == 2 || loops == 6 || loops == 8);
    assert_true(w.instructions == 10 * w.branches && w.loads == 4 * w.branches);
    double sp = loops == 2 ? 1 : loops == 6 ? 1 + 2 + 16 : 1 + 2 + 16 + 32;
    double dp = loops == 2 ? 1 : loops == 6 ? 1 + 2 + 8 : 1 + 2 + 8 + 16;
    assert_true(w.flops_sp == 4000 * sp && w.flops_dp == 4000 * dp);
    assert_true(twice.flops_sp == 2 * w.flops_sp && twice.instructions == 2 * w.instructions);
    int64_t begin_ns = now_ns();
    assert_true(tare_papi_work(1000000, &w));
    int64_t spent_ns = now_ns() - begin_ns;
    assert_true(spent_ns >
                (int64_t)(w.branches / 10)); /* nobody does ten rounds a nanosecond: it is really done */
}

/* Runs known work in a child, one instruction at a time; how many there were, or -1 if it may not be traced.
 */
static long count_steps(uint64_t n)
{
    struct tare_papi_work done;
    int status = 0;
    long steps = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0) {
            _exit(1);
        }
        (void)raise(SIGSTOP);
        (void)tare_papi_work(n, &done);
        _exit(0);
    }
    while (waitpid(child, &status, 0) == child && WIFSTOPPED(status)) {
        steps++;
        if (ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) != 0) {
            break;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? steps : -1;
}

/* The truth that counters are held against, itself held against one: ten rounds more of every loop are so
 * many instructions more when each of them is stepped through. */
static void test_work_stepped_through(void **state)
{
    struct tare_papi_work ten;
    (void)state;
    if (!tare_papi_work(10, &ten)) {
        skip();
    }
    long few = count_steps(10), more = count_steps(20);
    if (few < 0 || more < 0) {
        print_message("skipped: ptrace is not permitted\n");
        skip();
    }
    print_message("%ld instructions stepped, %.0f known\n", more - few, ten.instructions);
    assert_true((double)(more - few) == ten.instructions);
}

static struct tare_papi_events parsed(const char *list)
{
    struct tare_papi_events e = {.user_only = true, .scope = "process"};
    struct tare_err err = {0};
    if (tare_papi_events_parse(&e, list, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return e;
}

static void test_names(void **state)
{
    static const char *const bad[] = {"",
                                      ",",
                                      "PAPI_TOT_INS,",
                                      "PAPI_TOT_INS,,PAPI_TOT_CYC",
                                      "PAPI_TOT_INS,PAPI_TOT_INS",
                                      "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q",
                                      "a_name_of_more_than_63_bytes_that_no_event_has_and_none_will_have"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct tare_papi_events e = {0};
        struct tare_err err = {0};
        assert_int_equal(tare_papi_events_parse(&e, bad[i], &err), TARE_E_USAGE);
    }
    struct tare_papi_events e = parsed("PAPI_TOT_INS+perf::CYCLES:u,rapl:::x=1");
    assert_int_equal(e.n, 3);
    assert_string_equal(e.list[0].reading, "papi_tot_ins");
    assert_string_equal(e.list[1].reading, "papi_perf_cycles_u");
    assert_string_equal(e.list[1].name, "perf::CYCLES:u");
    assert_string_equal(e.list[2].reading, "papi_rapl_x_1");
    assert_string_equal(e.list[0].source, "PAPI PAPI_TOT_INS, user mode");
}

/* Three events are counted; the second one fails its check, so the third takes its place. */
static void test_judge_renumbers(void **state)
{
    struct tare_papi_events e = parsed("PAPI_TOT_INS,PAPI_SP_OPS,PAPI_DP_OPS");
    const struct tare_papi_work done = {
        .instructions = 1e8, .branches = 1e7, .loads = 1e7, .flops_sp = 4e8, .flops_dp = 2e8};
    const long long read[] = {100000100, 200000000, 200000000};
    const long long begin[] = {10, 20}, end[] = {1010, 5020};
    struct sink s;
    (void)state;
    for (int i = 0; i < 3; i++) {
        e.list[i].at = i;
    }
    e.n_counted = 3;
    tare_papi_events_judge(&e, read, &done);
    assert_int_equal(e.n_counted, 2);
    assert_int_equal(e.list[0].at, 0);
    assert_int_equal(e.list[1].at, -1);
    assert_int_equal(e.list[2].at, 1);
    tare_papi_events_take(&e, begin, end, NULL);
    tare_papi_events_bound(&e, 1, 1e12);
    sink_init(&s);
    tare_papi_events_put(&e, (double)NAN, &s.to);
    assert_true(sink_get(&s, "papi_tot_ins")->value == 1000);
    assert_true(sink_get(&s, "papi_dp_ops")->value == 5000);
    assert_true(sink_get(&s, "papi_sp_ops")->absent);
    assert_non_null(strstr(sink_get(&s, "papi_sp_ops")->why, "4e+08 of known work read as 2e+08 (-50.0 %"));
    assert_true(sink_get(&s, "papi_flops")->absent);
    assert_string_equal(sink_get(&s, "papi_flops")->why, sink_get(&s, "papi_sp_ops")->why);
    assert_string_equal(sink_get(&s, "papi_ipc")->why, "PAPI_TOT_INS and PAPI_TOT_CYC are both needed");
    assert_string_equal(sink_get(&s, "papi_running_ratio")->why, "counters were not shared");
}

static struct tare_papi_events all_counted(bool multiplexed)
{
    struct tare_papi_events e = parsed("PAPI_TOT_INS,PAPI_TOT_CYC,PAPI_SP_OPS,PAPI_DP_OPS,PAPI_L3_TCM");
    for (int i = 0; i < 5; i++) {
        e.list[i].at = i;
    }
    e.n_counted = 5;
    e.multiplexed = multiplexed;
    return e;
}

static void phase(struct tare_papi_events *e, const long long *counts, const char *fault, double ratio,
                  struct sink *s)
{
    static const long long zero[5];
    tare_papi_events_take(e, zero, counts, fault);
    tare_papi_events_bound(e, 1, 1e11);
    sink_init(s);
    tare_papi_events_put(e, ratio, &s->to);
    assert_int_equal(s->n, 8);
}

static void test_phases(void **state)
{
    struct tare_papi_events e = all_counted(false);
    const long long good[] = {2000000000, 1000000000, 700, 50, 3};
    const long long slow[] = {10000000, 1000000000, 700, 50, 3};
    const long long fast[] = {2000000000, 1000000000, 90000000000, 20000000000, 3};
    const long long none[] = {2000000000, 1000000000, 0, 0, 0};
    struct sink s;
    (void)state;
    phase(&e, good, NULL, (double)NAN, &s);
    assert_true(sink_get(&s, "papi_ipc")->value == 2);
    assert_true(sink_get(&s, "papi_flops")->value == 750);
    assert_string_equal(sink_get(&s, "papi_tot_ins")->flags, "");
    assert_string_equal(sink_get(&s, "papi_tot_cyc")->flags, "UNCHECKED");
    assert_string_equal(sink_get(&s, "papi_l3_tcm")->flags, "UNCHECKED");
    phase(&e, slow, NULL, (double)NAN, &s); /* 0.01 instructions a cycle */
    assert_true(sink_get(&s, "papi_tot_ins")->absent && sink_get(&s, "papi_tot_cyc")->absent);
    assert_non_null(strstr(sink_get(&s, "papi_ipc")->why, "0.01 instructions a cycle"));
    assert_true(sink_get(&s, "papi_flops")->value == 750);
    phase(&e, fast, NULL, (double)NAN, &s); /* 110 GFLOP/s at a peak of 100 */
    assert_true(sink_get(&s, "papi_sp_ops")->absent && sink_get(&s, "papi_dp_ops")->absent);
    assert_non_null(strstr(sink_get(&s, "papi_flops")->why, "more than the peak"));
    assert_true(sink_get(&s, "papi_ipc")->value == 2);
    phase(&e, none, NULL, (double)NAN,
          &s); /* counted, and none there: a zero that is one; nothing is carried over */
    assert_true(!sink_get(&s, "papi_flops")->absent && sink_get(&s, "papi_flops")->value == 0);
    assert_true(sink_get(&s, "papi_l3_tcm")->value == 0);
}

/* Below half of the time nothing multiplexed is believed, and the share is told all the same. */
static void test_multiplexed(void **state)
{
    struct tare_papi_events e = all_counted(true);
    const long long good[] = {2000000000, 1000000000, 700, 50, 3};
    char why[128] = "";
    double ratio = 0;
    struct sink s;
    (void)state;
    assert_true(tare_papi_accept_share(100, 60, &ratio, why, sizeof why));
    phase(&e, good, NULL, ratio, &s);
    assert_true(sink_get(&s, "papi_tot_ins")->value == 2e9);
    assert_string_equal(sink_get(&s, "papi_tot_ins")->flags, "MULTIPLEXED");
    assert_string_equal(sink_get(&s, "papi_tot_cyc")->flags, "UNCHECKED,MULTIPLEXED");
    assert_string_equal(sink_get(&s, "papi_flops")->flags, "MULTIPLEXED");
    assert_true(fabs(sink_get(&s, "papi_running_ratio")->value - 0.6) < 1e-12);
    assert_false(tare_papi_accept_share(100, 30, &ratio, why, sizeof why));
    phase(&e, good, why, ratio, &s);
    for (size_t i = 0; i < s.n; i++) {
        bool is_ratio = strcmp(s.list[i].name, "papi_running_ratio") == 0;
        assert_int_equal(s.list[i].absent, !is_ratio);
        assert_true(is_ratio || strstr(s.list[i].why, "30.0 % of the time"));
    }
    assert_true(fabs(sink_get(&s, "papi_running_ratio")->value - 0.3) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_pmu),
        cmocka_unit_test(test_known_work),
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_taking_turns),
        cmocka_unit_test(test_work_is_what_it_says),
        cmocka_unit_test(test_work_stepped_through),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_judge_renumbers),
        cmocka_unit_test(test_phases),
        cmocka_unit_test(test_multiplexed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
