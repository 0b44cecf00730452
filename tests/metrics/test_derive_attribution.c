/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Energy shared between two processes that really run: they spin side by side for 1 and 3 parts of CPU time
 * by their own clocks, the meter rusage reads what they took, and the joules of a made-up meter, which are
 * those of an idle machine and a constant power for each CPU second, are shared out by it.
 */
#include "evidence.h"
#include "sink.h"

#include "metrics/derive/energy_parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_rusage;

int tare_derive_energy(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

static const double idle_w = 2, busy_w = 40, wall_s = 10;

/* CPU time of one process: by the meter, and by its own clock. */
struct spun {
    double user_s, system_s, own_s;
};

static double own_clock_s(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* In a child: nothing here may fail the test. */
static void spin(double seconds, int to_fd)
{
    struct bench b;
    static struct sink s;
    struct spun out;
    bench_open(&b, &tare_meter_rusage, NULL);
    sink_init(&s);
    double begin_s = own_clock_s();
    b.ops->begin(b.self);
    while (own_clock_s() - begin_s < seconds) {
    }
    b.ops->end(b.self, &s.to);
    out.own_s = own_clock_s() - begin_s;
    out.user_s = sink_get(&s, "cpu_user")->value;
    out.system_s = sink_get(&s, "cpu_system")->value;
    bool sent = write(to_fd, &out, sizeof out) == (ssize_t)sizeof out;
    _exit(sent ? 0 : 1);
}

/* Both at once, so that they wait for CPUs and for each other as they like. */
static void run(const double seconds[2], struct spun out[2])
{
    int fds[2][2], status;
    pid_t pids[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pipe(fds[i]), 0);
        pids[i] = fork();
        assert_true(pids[i] >= 0);
        if (pids[i] == 0) {
            spin(seconds[i], fds[i][1]);
        }
    }
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(close(fds[i][1]), 0);
        assert_int_equal(read(fds[i][0], &out[i], sizeof out[i]), sizeof out[i]);
        assert_int_equal(close(fds[i][0]), 0);
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
}

/* energy_process of one of them, the other one being foreign. */
static double share_of(const struct spun *own, const struct spun *foreign, double meter_j)
{
    static struct made made;
    static struct made_figures figures;
    made_init(&made, 3);
    double capacity_s = wall_s * (double)made.e.cpus;
    made_all(&made, "measure", "fake", "package", "energy_package_0", meter_j, 0, 0);
    made_wall(&made, "idle_before", 5);
    made_wall(&made, "idle_after", 5);
    made_all(&made, "idle_before", "fake", "package", "energy_package_0", 5 * idle_w, 0, 0);
    made_all(&made, "idle_after", "fake", "package", "energy_package_0", 5 * idle_w, 0, 0);
    made_all(&made, "measure", "rusage", "process", "cpu_user", own->user_s, 0, 0);
    made_all(&made, "measure", "rusage", "process", "cpu_system", own->system_s, 0, 0);
    made_all(&made, "measure", "foreign", "node", "supervisor_cpu", 0, 0, 0);
    made_all(&made, "measure", "foreign", "node", "foreign_cpu",
             100 * (foreign->user_s + foreign->system_s) / capacity_s, 0, 0);
    made_derive(&made, tare_derive_energy, &figures);
    const struct made_figure *f = made_get(&figures, "energy_process");
    assert_false(f->is_absent);
    return f->value;
}

static void test_two_spinners(void **state)
{
    static const double seconds[2] = {0.4, 1.2};
    struct spun spun[2];
    (void)state;
    run(seconds, spun);
    assert_true(fabs(spun[1].own_s / spun[0].own_s - 3) <= 0.01 * 3); /* the premise */
    double meter_j = idle_w * wall_s + busy_w * (spun[0].own_s + spun[1].own_s);
    double share_j[2] = {share_of(&spun[0], &spun[1], meter_j), share_of(&spun[1], &spun[0], meter_j)};
    for (size_t i = 0; i < 2; i++) {
        double truth_j = busy_w * spun[i].own_s;
        print_message("%.3f s by its own clock, %.3f s by rusage: %.3f J of %.3f J\n", spun[i].own_s,
                      spun[i].user_s + spun[i].system_s, share_j[i], truth_j);
        assert_true(fabs(share_j[i] - truth_j) <= 0.01 * truth_j);
    }
    assert_true(fabs(share_j[1] / share_j[0] - 3) <= 0.01 * 3);
    assert_true(fabs(share_j[0] + share_j[1] + idle_w * wall_s - meter_j) <= 1e-3 * meter_j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_two_spinners)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
