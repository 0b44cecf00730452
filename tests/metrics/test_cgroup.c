/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's cgroup: found in both versions, shared or its own, and absent with a reason. */
#include "cgroup_path.h"
#include "fake_files.h"
#include "sink.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_cgroup;

#define MOUNTS                                                        \
    "23 1 0:21 / /proc rw - proc proc rw\n"                           \
    "34 31 0:31 / /cg/cpuset rw,relatime - cgroup cgroup rw,cpuset\n" \
    "35 31 0:32 / /cg/memory rw,relatime shared:9 - cgroup cgroup rw,memory\n"
#define UNIFIED "41 31 0:38 /box /cg/unified rw,relatime - cgroup2 cgroup2 rw\n"

static void test_find(void **state)
{
    static const struct {
        const char *cgroup, *mountinfo;
        int version; /* 0: not found */
        const char *dir;
    } cases[] = {
        {"4:memory:/a/b\n0::/\n", MOUNTS UNIFIED, 1, "/cg/memory/a/b"},
        {"4:cpu,memory:/\n", "35 31 0:32 / /m rw - cgroup cgroup rw,cpu,memory\n", 1, "/m"},
        {"0::/box/x.scope\n", UNIFIED, 2, "/cg/unified/x.scope"},
        {"0::/box\n", UNIFIED, 2, "/cg/unified"},
        {"0::/boxes\n", UNIFIED, 2, "/cg/unified/boxes"},
        {"0::/../other\n", UNIFIED, 0, NULL},
        {"4:cpuset:/a\n", MOUNTS, 0, NULL},
        {"4:memory:/a\n", UNIFIED, 0, NULL},
        {"nonsense\n\n:\n", MOUNTS UNIFIED, 0, NULL},
        {"", "", 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fake_files f;
        struct tare_cgroup_path path = {0};
        struct tare_err err = {0};
        char expected[600];
        fake_files_open(&f);
        fake_files_put(&f, "7/cgroup", cases[i].cgroup);
        fake_files_put(&f, "self/mountinfo", cases[i].mountinfo);
        int r = tare_cgroup_find(f.dir, "/root", 7, &path, &err);
        assert_int_equal(r, cases[i].version ? 0 : TARE_E_ENVIRONMENT);
        assert_int_equal(path.version, cases[i].version);
        (void)snprintf(expected, sizeof expected, "/root%s", cases[i].dir ? cases[i].dir : "");
        assert_string_equal(path.dir, cases[i].dir ? expected : "");
        assert_true((err.msg[0] != '\0') == (r < 0));
        fake_files_close(&f);
    }
}

static void open_fake(struct bench *b, const struct fake_files *f, const char *own)
{
    char proc[128], root[128];
    (void)snprintf(proc, sizeof proc, "%s/proc", f->dir);
    (void)snprintf(root, sizeof root, "%s/root", f->dir);
    bench_open(b, &tare_meter_cgroup, (const char *const[]){"proc", proc, "root", root, "own", own, NULL});
    assert_non_null(b->self);
}

static void test_version2(void **state)
{
    struct fake_files f;
    struct bench b;
    static struct sink s;
    (void)state;
    fake_files_open(&f);
    fake_files_put(&f, "proc/self/cgroup", "0::/box/shell\n");
    fake_files_put(&f, "proc/42/cgroup", "0::/box/shell\n");
    fake_files_put(&f, "proc/self/mountinfo", UNIFIED);
    fake_files_put(&f, "root/cg/unified/shell/memory.peak", "5000000\n");
    fake_files_put(&f, "root/cg/unified/shell/memory.current", "4000000\n");
    fake_files_put(&f, "root/cg/unified/shell/memory.swap.peak", "0\n");
    fake_files_put(&f, "root/cg/unified/shell/memory.events", "low 0\noom 3\noom_kill 2\noom_group_kill 0\n");
    fake_files_put(&f, "root/cg/unified/shell/cgroup.procs", "41\n42\n");
    open_fake(&b, &f, "no");
    bench_read(&b, &s);
    assert_true(sink_get(&s, "cgroup_peak")->absent); /* nobody is attached */
    b.ops->attach(b.self, 42);
    b.ops->begin(b.self);
    fake_files_put(&f, "root/cg/unified/shell/memory.peak", "5000000\n");
    fake_files_put(&f, "root/cg/unified/shell/memory.swap.peak", "4096\n");
    fake_files_put(&f, "root/cg/unified/shell/memory.events", "low 0\noom 3\noom_kill 3\noom_group_kill 0\n");
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *peak = sink_get(&s, "cgroup_peak");
    assert_true(peak->value == 5000000);
    assert_string_equal(peak->scope, "cgroup");
    assert_string_equal(peak->source, "cgroup v2 memory.peak");
    assert_string_equal(peak->flags, "SHARED_CGROUP");
    assert_true(peak->u > 0);
    assert_true(sink_get(&s, "cgroup_current_end")->value == 4000000);
    assert_true(sink_get(&s, "cgroup_swap_peak")->value == 4096);
    assert_true(sink_get(&s, "cgroup_oom_kills")->value == 1);
    assert_true(sink_get(&s, "cgroup_own")->absent);
    b.ops->attach(b.self, 43); /* gone already */
    bench_read(&b, &s);
    assert_true(sink_get(&s, "cgroup_peak")->absent);
    bench_close(&b);
    fake_files_close(&f);
}

static void test_version1(void **state)
{
    struct fake_files f;
    struct bench b;
    static struct sink s;
    (void)state;
    fake_files_open(&f);
    fake_files_put(&f, "proc/self/cgroup", "4:memory:/x\n0::/\n");
    fake_files_put(&f, "proc/42/cgroup", "4:memory:/x\n0::/\n");
    fake_files_put(&f, "proc/self/mountinfo", MOUNTS UNIFIED);
    fake_files_put(&f, "root/cg/memory/x/memory.max_usage_in_bytes", "7000\n");
    fake_files_put(&f, "root/cg/memory/x/memory.usage_in_bytes", "6000\n");
    fake_files_put(&f, "root/cg/memory/x/memory.oom_control",
                   "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    fake_files_put(&f, "root/cg/memory/x/cgroup.procs", "42\n");
    open_fake(&b, &f, "auto"); /* a plain folder has no controller, so none can be its own */
    b.ops->attach(b.self, 42);
    bench_read(&b, &s);
    assert_true(sink_get(&s, "cgroup_peak")->value == 7000); /* not reset, since it is not its own */
    assert_string_equal(sink_get(&s, "cgroup_peak")->flags, "PEAK_NOT_RESET");
    assert_string_equal(sink_get(&s, "cgroup_peak")->source, "cgroup v1 memory.max_usage_in_bytes");
    assert_true(sink_get(&s, "cgroup_current_end")->value == 6000);
    assert_true(sink_get(&s, "cgroup_swap_peak")->absent);
    assert_true(sink_get(&s, "cgroup_oom_kills")->value == 0);
    assert_non_null(strstr(sink_get(&s, "cgroup_own")->why, "memory controller"));
    bench_close(&b);
    fake_files_close(&f);
}

/* A child that touches 32 MiB when told to, and gives it back. */
static pid_t start_child(int pipe_fds[2])
{
    enum { n = 32 << 20 };
    int ready[2];
    assert_int_equal(pipe(pipe_fds), 0);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        (void)(read(pipe_fds[0], &c, 1) + 0);
        char *at = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        for (size_t i = 0; at != MAP_FAILED && i < n; i += 512) {
            ((volatile char *)at)[i] = 1;
        }
        (void)munmap(at, n);
        (void)(write(ready[1], "r", 1) + 0);
        (void)(read(pipe_fds[0], &c, 1) + 0);
        _exit(0);
    }
    close(ready[1]);
    close(pipe_fds[0]);
    pipe_fds[0] = ready[0];
    return pid;
}

/* On this machine, if it lets us: the peak of a cgroup of the child's own. */
static void test_own(void **state)
{
    struct bench b;
    static struct sink s;
    int fds[2];
    char c;
    struct tare_cgroup_path path;
    struct tare_err err = {0};
    (void)state;
    bench_open(&b, &tare_meter_cgroup, NULL);
    if (!b.self) {
        print_message("%s\n", b.why);
        skip();
    }
    pid_t pid = start_child(fds);
    b.ops->attach(b.self, pid);
    assert_int_equal(tare_cgroup_find("/proc", "", pid, &path, &err), 0);
    b.ops->begin(b.self);
    assert_int_equal(write(fds[1], "g", 1), 1);
    assert_int_equal(read(fds[0], &c, 1), 1);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    bool was_there = access(path.dir, F_OK) == 0;
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    b.ops->attach(b.self, 0);
    bool is_there = access(path.dir, F_OK) == 0;
    bench_close(&b);
    if (sink_get(&s, "cgroup_own")->absent) {
        print_message("%s\n", sink_get(&s, "cgroup_own")->why);
        skip();
    }
    double mib = 1 << 20, peak = sink_get(&s, "cgroup_peak")->value;
    double bound = sink_get(&s, "cgroup_peak")->u * sqrt(3);
    assert_string_equal(sink_get(&s, "cgroup_peak")->flags, "");
    assert_true(peak >= 32 * mib && peak <= 32 * mib * 1.01 + bound + mib);
    assert_true(sink_get(&s, "cgroup_current_end")->value < 16 * mib);
    assert_true(sink_get(&s, "cgroup_oom_kills")->value == 0);
    assert_true(was_there && !is_there); /* removed behind it */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_find), cmocka_unit_test(test_version2),
                                       cmocka_unit_test(test_version1), cmocka_unit_test(test_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
