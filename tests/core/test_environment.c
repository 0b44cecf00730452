/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment of a made-up machine, and of this one: values are where the kernel shows them, what names a
 * machine leaves only as a hash, and the fingerprint moves with settings alone.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/clock.h"
#include "core/environment.h"
#include "core/padding.h"

static char root[] = "/tmp/tare-environment-XXXXXX";
static char sys_root[64], proc_root[64];
static struct tare_environment_roots roots;

static void put(const char *path, const char *text)
{
    char full[400];
    (void)snprintf(full, sizeof full, "%s/%s", root, path);
    for (char *at = strchr(full + strlen(root) + 1, '/'); at; at = strchr(at + 1, '/')) {
        *at = '\0';
        assert_true(mkdir(full, 0700) == 0 || errno == EEXIST);
        *at = '/';
    }
    FILE *f = fopen(full, "w");
    assert_non_null(f);
    (void)fputs(text, f);
    (void)fclose(f);
}

static void wipe(void)
{
    char command[100];
    (void)snprintf(command, sizeof command, "find %s -mindepth 1 -delete", root);
    assert_int_equal(system(command), 0);
}

/* What was walked. */
struct list {
    size_t n;
    struct {
        char key[64], value[1024], absent[256];
    } items[256];
};

static int take(void *ctx, const char *key, const char *value, const char *absent, struct tare_err *err)
{
    struct list *l = ctx;
    (void)err;
    assert_true(l->n < 256);
    assert_true((value == NULL) != (absent == NULL)); /* one of the two */
    assert_true(!absent || *absent);
    for (size_t i = 0; i < l->n; i++) {
        assert_string_not_equal(l->items[i].key, key); /* a key comes once */
    }
    (void)snprintf(l->items[l->n].key, sizeof l->items[0].key, "%s", key);
    (void)snprintf(l->items[l->n].value, sizeof l->items[0].value, "%s", value ? value : "");
    (void)snprintf(l->items[l->n].absent, sizeof l->items[0].absent, "%s", absent ? absent : "");
    l->n++;
    return 0;
}

/* NULL: absent. */
static const char *value_of(const struct list *l, const char *key)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(l->items[i].key, key) == 0) {
            return l->items[i].absent[0] ? NULL : l->items[i].value;
        }
    }
    fail_msg("no key is called %s", key);
    return NULL;
}

static struct list *walk(const struct tare_environment_roots *from)
{
    static struct list l;
    struct tare_err err = {0};
    l.n = 0;
    assert_int_equal(tare_environment_walk_at(from, take, &l, &err), 0);
    return &l;
}

static const char uuid[] = "0d1c2b3a-4455-6677-8899-aabbccddeeff",
                  machine_id[] = "deadbeef0123456789abcdef00112233";

static void put_machine(void)
{
    char text[600];
    wipe();
    put("proc/cpuinfo",
        "processor\t: 0\nvendor_id\t: Maker\ncpu family\t: 6\nmodel\t\t: 85\nmodel name\t: Chip 9\n"
        "stepping\t: 4\nmicrocode\t: 0x2\nflags\t\t: fpu avx2 hypervisors avx512f fma\n");
    put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "performance\n");
    put("sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "powersave\n");
    put("sys/devices/system/cpu/cpu0/topology/physical_package_id", "0\n");
    put("sys/devices/system/cpu/cpu0/topology/core_id", "0\n");
    put("sys/devices/system/cpu/cpu1/topology/physical_package_id", "0\n");
    put("sys/devices/system/cpu/cpu1/topology/core_id", "0\n");
    put("sys/devices/system/cpu/cpu2/topology/physical_package_id", "1\n");
    put("sys/devices/system/cpu/cpu2/topology/core_id", "0\n");
    put("sys/devices/system/cpu/cpu0/cache/index0/level", "1\n");
    put("sys/devices/system/cpu/cpu0/cache/index0/type", "Data\n");
    put("sys/devices/system/cpu/cpu0/cache/index0/size", "48K\n");
    put("sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "3\n");
    put("sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "5\n");
    put("sys/devices/system/cpu/cpu1/thermal_throttle/core_throttle_count", "4\n");
    put("sys/devices/system/cpu/cpu1/thermal_throttle/package_throttle_count", "5\n");
    put("sys/devices/system/cpu/smt/control", "on\n");
    put("sys/devices/system/cpu/vulnerabilities/meltdown", "Not affected\n");
    put("sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
    put("proc/sys/kernel/randomize_va_space", "2\n");
    put("sys/class/thermal/thermal_zone0/type", "x86_pkg_temp\n");
    put("sys/class/thermal/thermal_zone0/temp", "45500\n");
    put("sys/class/powercap/intel-rapl:0/name", "package-0\n");
    put("sys/class/powercap/intel-rapl:0/constraint_0_name", "long_term\n");
    put("sys/class/powercap/intel-rapl:0/constraint_0_power_limit_uw", "125000000\n");
    put("sys/class/net/lo/operstate", "unknown\n");
    put("sys/class/net/eth9/operstate", "up\n");
    put("sys/class/net/eth9/speed", "25000\n");
    put("sys/class/net/eth9/address", "02:42:ac:11:00:02\n");
    put("sys/class/dmi/id/product_name", "Box 3\n");
    put("sys/class/dmi/id/product_serial", "SERIAL12345\n");
    put("sys/class/dmi/id/product_uuid", uuid);
    put("sys/fs/cgroup/cgroup.controllers", "cpu memory\n");
    put("sys/fs/cgroup/some/group/memory.max", "1073741824\n");
    put("sys/fs/cgroup/some/group/cpu.max", "200000 100000\n");
    put("proc/self/cgroup", "0::/some/group\n");
    put("proc/self/status", "Name:\ttare\nCpus_allowed_list:\t0-3\nMems_allowed_list:\t0\n");
    put("proc/1/cgroup", "0::/docker/abc\n");
    put("proc/12/comm", "irqbalance\n");
    put("proc/loadavg", "1.50 1.00 0.50 4/200 999\n");
    put("etc/machine-id", machine_id);
    struct utsname u;
    assert_int_equal(uname(&u), 0);
    (void)snprintf(text, sizeof text, "root=UUID=%s ip=02:42:ac:11:00:02 lv=%s-vg/x%s quiet isolcpus=2,3\n",
                   uuid, u.nodename, u.nodename);
    put("proc/cmdline", text);
}

static void test_made_up(void **state)
{
    static const char *const pairs[][2] = {
        {"cpu.model", "Chip 9"},
        {"cpu.vendor", "Maker"},
        {"cpu.family", "6"},
        {"cpu.model_number", "85"},
        {"cpu.stepping", "4"},
        {"cpu.microcode", "0x2"},
        {"cpu.governor", "performance"},
        {"cpu.governors", "performance, powersave"},
        {"cpu.sockets", "2"},
        {"cpu.cores", "2"},
        {"cpu.caches", "L1 Data 48K"},
        {"cpu.isa", "avx2 fma avx512f"},
        {"cpu.mitigations", "meltdown: Not affected"},
        {"cpu.affinity", "0-3"},
        {"numa.allowed", "0"},
        {"throttle.core", "7"},
        {"throttle.package", "5"},
        {"temperature.cpu", "45.5 degC"},
        {"power.caps", "package-0 long_term 125000000 uW"},
        {"net.interfaces", "eth9 up 25000 Mbit/s"},
        {"hypervisor", "none seen"}, /* a longer word is another flag */
        {"container", "docker"},
        {"cgroup.version", "2"},
        {"cgroup.memory_max", "1073741824"},
        {"cgroup.cpu_max", "200000 100000"},
        {"kernel.irqbalance", "running"},
        {"kernel.aslr", "2"},
        {"load.runnable", "4"},
        {"machine.product", "Box 3"},
    };
    (void)state;
    put_machine();
    struct list *l = walk(&roots);
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const char *value = value_of(l, pairs[i][0]);
        if (!value || strcmp(value, pairs[i][1]) != 0) {
            fail_msg("%s: %s, not %s", pairs[i][0], value ? value : "absent", pairs[i][1]);
        }
    }
    assert_null(value_of(l, "machine.bios"));
}

/* On a machine that shows nothing every key of the made-up one is there, and none has a made-up value. */
static void test_nothing(void **state)
{
    (void)state;
    put_machine();
    size_t n = walk(&roots)->n;
    wipe();
    struct list *l = walk(&roots);
    assert_int_equal(l->n, n);
    assert_null(value_of(l, "cpu.model"));
    assert_null(value_of(l, "cpu.sockets"));
    assert_null(value_of(l, "throttle.core"));
    assert_null(value_of(l, "temperature.cpu"));
    assert_null(value_of(l, "machine.id"));
    assert_null(value_of(l, "load.runnable"));
}

static void assert_nowhere(const struct list *l, const char *secret)
{
    for (size_t i = 0; i < l->n; i++) {
        if (strstr(l->items[i].value, secret) || strstr(l->items[i].absent, secret)) {
            fail_msg("%s shows %s: %s", l->items[i].key, secret, l->items[i].value);
        }
    }
}

static void test_secrets(void **state)
{
    static const char *const secrets[] = {uuid, machine_id, "SERIAL12345", "02:42:ac"};
    struct utsname u;
    char volume[200], inner[200];
    (void)state;
    put_machine();
    assert_int_equal(uname(&u), 0);
    struct list *l = walk(&roots);
    for (size_t i = 0; i < sizeof secrets / sizeof *secrets; i++) {
        assert_nowhere(l, secrets[i]);
    }
    (void)snprintf(volume, sizeof volume, "lv=%s", u.nodename);
    assert_nowhere(l, volume);
    /* only whole words: a name like "a" must not tear the line to pieces */
    (void)snprintf(inner, sizeof inner, "x%s quiet isolcpus=2,3", u.nodename);
    assert_non_null(strstr(value_of(l, "kernel.cmdline"), inner));
    assert_non_null(strstr(value_of(l, "kernel.cmdline"), "root=UUID=sha256:"));
    static const char *const hashed[] = {"machine.id", "machine.host", "machine.serial", "machine.uuid"};
    for (size_t i = 0; i < 4; i++) {
        const char *value = value_of(l, hashed[i]);
        assert_non_null(value);
        assert_int_equal(strlen(value), 23);
        assert_int_equal(strncmp(value, "sha256:", 7), 0);
    }
}

/* The id of a machine is of its id, product and processor; each of them makes another machine. */
static void test_machine_id(void **state)
{
    char first[64];
    (void)state;
    put_machine();
    (void)snprintf(first, sizeof first, "%s", value_of(walk(&roots), "machine.id"));
    put("proc/loadavg", "9.50 1.00 0.50 4/200 999\n");
    assert_string_equal(value_of(walk(&roots), "machine.id"), first);
    put("sys/class/dmi/id/product_name", "Box 4\n");
    assert_string_not_equal(value_of(walk(&roots), "machine.id"), first);
    put_machine();
    put("etc/machine-id", "00000000000000000000000000000001\n");
    assert_string_not_equal(value_of(walk(&roots), "machine.id"), first);
}

static void test_fingerprint(void **state)
{
    static const struct {
        const char *path, *text;
        bool moves;
    } cases[] = {
        {"sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n", true},
        {"sys/devices/system/cpu/cpu1/cpufreq/scaling_governor", "schedutil\n", true},
        {"sys/devices/system/cpu/intel_pstate/no_turbo", "1\n", true},
        {"sys/devices/system/cpu/smt/control", "off\n", true},
        {"sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n", true},
        {"proc/sys/kernel/randomize_va_space", "0\n", true},
        {"sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n", true},
        {"proc/cpuinfo", "model name : Chip 9\nmicrocode : 0x3\n", true},
        {"proc/self/status", "Cpus_allowed_list: 1\n", true},
        {"proc/loadavg", "7 7 7 7/7 7\n", false},
        {"sys/class/thermal/thermal_zone0/temp", "91000\n", false},
        {"sys/devices/system/cpu/cpu0/thermal_throttle/core_throttle_count", "4\n", false},
        {"proc/uptime", "5 5\n", false},
    };
    char first[TARE_SHA256_HEX], second[TARE_SHA256_HEX];
    struct tare_err err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_machine();
        assert_int_equal(tare_environment_fingerprint(&roots, first, &err), 0);
        put(cases[i].path, cases[i].text);
        assert_int_equal(tare_environment_fingerprint(&roots, second, &err), 0);
        if ((strcmp(first, second) != 0) != cases[i].moves) {
            fail_msg("case %zu: %s", i, cases[i].path);
        }
    }
    assert_true(tare_environment_is_setting("kernel.release", 14));
    assert_true(tare_environment_is_setting("cpu.governor (resumed)", 12));
    assert_false(tare_environment_is_setting("cpu.governor (resumed)", 22));
    assert_false(tare_environment_is_setting("load.average", 12));
}

/* This machine: nothing that names it is in clear; the state is part of the whole and quickly read. */
static void test_here(void **state)
{
    static struct list part;
    struct tare_err err = {0};
    struct utsname u;
    char id[64] = "";
    (void)state;
    struct list *l = walk(NULL);
    FILE *f = fopen("/etc/machine-id", "r");
    if (f) {
        if (fgets(id, sizeof id, f)) {
            id[strcspn(id, "\n")] = '\0';
        }
        (void)fclose(f);
    }
    if (strlen(id) >= 16) {
        assert_nowhere(l, id);
        assert_non_null(value_of(l, "machine.id"));
    }
    assert_int_equal(uname(&u), 0);
    for (size_t i = 0; i < l->n; i++) { /* it may be a word like "vm" that stands within others */
        assert_string_not_equal(l->items[i].value, u.nodename);
    }
    if (strlen(u.nodename) >= 8) {
        assert_nowhere(l, u.nodename);
    }
    assert_non_null(value_of(l, "tare.commit"));
    int64_t best_ns = INT64_MAX;
    for (int i = 0; i < 5; i++) {
        part.n = 0;
        int64_t begin_ns = tare_clock_ns();
        assert_int_equal(tare_environment_state_walk(NULL, take, &part, &err), 0);
        int64_t took_ns = tare_clock_ns() - begin_ns;
        best_ns = took_ns < best_ns ? took_ns : best_ns;
    }
    assert_true(part.n >= 10);
    for (size_t i = 0; i < part.n; i++) {
        (void)value_of(l, part.items[i].key); /* fails if the whole walk has no such key */
    }
    print_message("state walk: %lld us\n", (long long)(best_ns / 1000));
    assert_true(best_ns < 20000000); /* 2 ms is the aim; sanitizers and a loaded machine are slower */
}

/* Fixed by seed and repeat, spread over the whole range. */
static void test_padding(void **state)
{
    enum { n = 20000 };
    double sum = 0;
    size_t least = TARE_PADDING_MAX, most = 0, equal = 0;
    (void)state;
    for (int64_t i = 0; i < n; i++) {
        size_t length = tare_environment_padding(7, i);
        assert_true(length <= TARE_PADDING_MAX);
        assert_int_equal(length, tare_environment_padding(7, i));
        equal += length == tare_environment_padding(8, i);
        least = length < least ? length : least;
        most = length > most ? length : most;
        sum += (double)length;
    }
    assert_true(least == 0 && most == TARE_PADDING_MAX);
    assert_true(sum / n > 2048 - 34 && sum / n < 2048 + 34); /* 4 standard errors of 1183 / sqrt(n) */
    assert_true(equal < 25);                                 /* another seed is another draw: 5 expected */
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_made_up),     cmocka_unit_test(test_nothing),
                                       cmocka_unit_test(test_secrets),     cmocka_unit_test(test_machine_id),
                                       cmocka_unit_test(test_fingerprint), cmocka_unit_test(test_here),
                                       cmocka_unit_test(test_padding)};
    if (!mkdtemp(root)) {
        return 1;
    }
    (void)snprintf(sys_root, sizeof sys_root, "%s/sys", root);
    (void)snprintf(proc_root, sizeof proc_root, "%s/proc", root);
    roots = (struct tare_environment_roots){proc_root, sys_root, root, root};
    int r = cmocka_run_group_tests(tests, NULL, NULL);
    wipe();
    (void)rmdir(root);
    return r;
}
