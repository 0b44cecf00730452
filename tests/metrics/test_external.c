/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines of an external meter: the parser against good, bad and random bytes; windows whose joules are known
 * to the last digit; and every fault, which must be told.
 */
#include "external_line.h"
#include "fake_powercap.h"
#include "now.h"

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

extern const struct tare_meter tare_meter_external;

/* The clocks stand still unless a test moves them. */
static int64_t mono_ns, real_ns;
static char folder[64], path[96];

static int64_t mono(void)
{
    return mono_ns;
}

static int64_t real(void)
{
    return real_ns;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof folder, "/tmp/tare-external-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/meter", folder);
    mono_ns = 1000000000000;
    real_ns = 1700000000000000000;
    tare_now_replace(mono, real);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    tare_now_replace(NULL, NULL);
    (void)unlink(path);
    return rmdir(folder);
}

static void append(const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void pass(double seconds)
{
    mono_ns += (int64_t)llround(seconds * 1e9);
    real_ns += (int64_t)llround(seconds * 1e9);
}

static void start(struct bench *b, const char *clock)
{
    const char *const options[] = {"path", path, "clock", clock, "gain", "0.01", NULL};
    bench_open(b, &tare_meter_external, options);
    assert_non_null(b->self);
}

static void test_parse(void **state)
{
    static const struct {
        const char *line;
        enum tare_line kind, without_time;
        double seconds, watts;
    } cases[] = {
        {"12.5 100", TARE_LINE_SAMPLE, TARE_LINE_SAMPLE, 12.5, 100},
        {"  1e3\t4.5e1 \r", TARE_LINE_SAMPLE, TARE_LINE_SAMPLE, 1000, 45},
        {"12 100 # plug 3", TARE_LINE_SAMPLE, TARE_LINE_SAMPLE, 12, 100},
        {"12 0", TARE_LINE_SAMPLE, TARE_LINE_SAMPLE, 12, 0},
        {"100", TARE_LINE_BAD, TARE_LINE_SAMPLE, 0, 100},
        {"", TARE_LINE_BLANK, TARE_LINE_BLANK, 0, 0},
        {"# TIME WATTS", TARE_LINE_BLANK, TARE_LINE_BLANK, 0, 0},
        {" \r", TARE_LINE_BLANK, TARE_LINE_BLANK, 0, 0},
        {"12 100 7", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12,100", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 100W", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 -1", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 nan", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 inf", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 0x10", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 1e999", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"12 100001", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"-1 5", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"1e11 5", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"time watts", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"?", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
        {"1.2.3 4", TARE_LINE_BAD, TARE_LINE_BAD, 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < 2 * (sizeof cases / sizeof *cases); i++) {
        size_t k = i / 2;
        double seconds = -1, watts = -1;
        bool no_time = i % 2 == 1;
        enum tare_line want = no_time ? cases[k].without_time : cases[k].kind;
        enum tare_line kind =
            tare_line_parse(cases[k].line, strlen(cases[k].line), no_time, 1e5, &seconds, &watts);
        if (kind != want || (kind == TARE_LINE_SAMPLE && (fabs(watts - cases[k].watts) > 1e-12 ||
                                                          fabs(seconds - cases[k].seconds) > 1e-12))) {
            fail_msg("\"%s\": %d, %g %g", cases[k].line, (int)kind, seconds, watts);
        }
    }
}

/* 200 W at 1000 s, up by 10 W a second; a window from 1000.5 to 1004.5 s: 4 s at 225 W. */
static void test_edges_are_interpolated(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    append("# TIME WATTS\n999 190\n");
    for (int i = 0; i <= 12; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "%.1f %d\n", 1000 + 0.5 * i, 200 + 5 * i);
        append(line);
    }
    start(&b, "monotonic");
    pass(0.5);
    sink_init(&s);
    b.ops->begin(b.self);
    for (int i = 0; i < 40; i++) {
        pass(0.1);
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "energy_wall");
    fake_expect(&s, "energy_wall", 900, 1e-9);
    assert_string_equal(r->flags, "SAMPLED,FEW_SAMPLES");
    assert_string_equal(r->scope, "wall");
    assert_true(r->gain > 0.0099 && r->gain < 0.0101);
    bench_close(&b);
}

/* Lines come as time goes on: the end is held, and that is in the flags and in u. */
static void test_live(void **state)
{
    struct bench b;
    struct sink s;
    char line[64];
    (void)state;
    append("1700000000 100\n");
    start(&b, "realtime");
    b.ops->begin(b.self);
    for (int i = 1; i <= 20; i++) {
        pass(0.5);
        (void)snprintf(line, sizeof line, "%.1f %s\n", 1700000000 + i * 0.5 - 0.2,
                       i % 2 ? "99.99" : "100.01");
        append(line);
        b.ops->sample(b.self);
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "energy_wall");
    fake_expect(&s, "energy_wall", 1000, 1e-5);
    assert_true(fake_has_flag(r, "EDGE_HELD"));
    assert_true(fabs(r->u - 100 * 0.2 / sqrt(12)) < 0.01);
    bench_close(&b);
}

/* A phase of 10 s at 100 W (99 in even seconds and 101 in odd ones), a line a second; what else is in the
 * file, and what must come of it. */
struct fault {
    const char *what, *extra; /* extra: comes instead of the line of the fifth second */
    int silent_to;            /* no lines from the fifth second to this one */
    const char *flag, *absent;
    double joules;
};

static const struct fault faults[] = {
    {"none", NULL, 0, NULL, NULL, 1000},
    {"malformed", "1005 many\n", 0, "MALFORMED", NULL, 998},
    {"duplicate", "1005 101\n1005 101\n", 0, "DUPLICATE", NULL, 1000},
    {"duplicate with another value", "1005 101\n1005 900\n", 0, "DUPLICATE", NULL, 1000},
    {"out of order", "1005 101\n1003 900\n", 0, "OUT_OF_ORDER", NULL, 1000},
    {"absurd power", "1005 1e30\n", 0, "MALFORMED", NULL, 998},
    {"a line without end",
     "1005 1010000000000000000000000000000000000000000000000000000000000000000000000000000000"
     "0000000000000000000000000000000000000000000000000000000000000000000000000000000000\n",
     0, "MALFORMED", NULL, 998},
    {"gap of 4 s", "", 8, "SENSOR_GAP", NULL, 996},
    {"gap of 9 s", "", 14, "SENSOR_GAP", "SENSOR_GAP", 0},
};

static void run_fault(const struct fault *fault)
{
    struct bench b;
    struct sink s;
    char line[64];
    (void)unlink(path);
    mono_ns = 1000000000000;
    for (int i = -1; i <= 11; i++) {
        (void)snprintf(line, sizeof line, "%d %d\n", 1000 + i, i % 2 ? 101 : 99);
        bool is_silent = i >= 5 && i < fault->silent_to;
        append(i == 5 && fault->extra ? fault->extra : is_silent ? "" : line);
    }
    start(&b, "monotonic");
    sink_init(&s);
    b.ops->begin(b.self);
    for (int i = 0; i < 100; i++) {
        pass(0.1);
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "energy_wall");
    if (fault->absent) {
        fake_expect_absent(&s, "energy_wall", fault->absent);
    } else {
        fake_expect(&s, "energy_wall", fault->joules, 1e-9);
    }
    if (fault->flag ? !fake_has_flag(r, fault->flag) : strcmp(r->flags, "SAMPLED") != 0) {
        fail_msg("%s: flags \"%s\"", fault->what, r->flags);
    }
    print_message("  %-30s %g J, u %.3g, flags \"%s\" %s\n", fault->what, r->value, r->u, r->flags, r->why);
    bench_close(&b);
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        run_fault(&faults[i]);
    }
}

/* A plug that looks every `looks_s` and answers ten times a second, at a square wave of 50 and 250 W. */
static void run_plug(struct sink *s, double looks_s, double period, double shift, double seconds)
{
    struct bench b;
    char line[64];
    (void)unlink(path);
    mono_ns = 1000000000000;
    append("# plug\n");
    start(&b, "monotonic");
    sink_init(s);
    for (int i = -100; i <= 10 * seconds; i++) {
        double t = 100 + 0.1 * i, seen = looks_s > 0 ? floor(t / looks_s) * looks_s : t;
        (void)snprintf(line, sizeof line, "%.1f %s\n", 1000 + 0.1 * i + 1e-9,
                       fmod(seen + shift, period) < period / 2 ? "250" : "50");
        append(line);
        mono_ns = 1000000000000 + i * 100000000LL;
        if (i == 0) {
            b.ops->begin(b.self);
        }
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s->to);
    bench_close(&b);
}

static double square_j(double s, double period)
{
    double whole = floor(s / period), rest = s - whole * period;
    return whole * period * 150 + (rest < period / 2 ? 250 * rest : 125 * period + 50 * (rest - period / 2));
}

/* It looks every 5 s: that, and not the rate of its lines, is what its uncertainty must be of. */
static void test_slow_plug(void **state)
{
    int within = 0, n = 60;
    double worst = 0;
    struct sink s;
    (void)state;
    for (int k = 0; k < n; k++) {
        double shift = 13.7 * k / n;
        run_plug(&s, 5, 13.7, shift, 60);
        const struct sink_reading *r = sink_get(&s, "energy_wall");
        double truth = square_j(160 + shift, 13.7) - square_j(100 + shift, 13.7);
        assert_false(r->absent);
        within += fabs(r->value - truth) <= 2 * r->u;
        worst = fmax(worst, fabs(r->value - truth) / r->u);
    }
    print_message("  a plug that looks every 5 s: %d of %d within 2 u, worst %.2f u\n", within, n, worst);
    assert_true(within >= 0.9 * n);
}

/* It hangs: the same value in every line. */
static void test_hung_plug(void **state)
{
    struct sink s;
    (void)state;
    run_plug(&s, 1e6, 1e9, 0, 30);
    const struct sink_reading *r = sink_get(&s, "energy_wall");
    assert_false(r->absent);
    assert_true(fake_has_flag(r, "STUCK"));
    assert_true(fake_has_flag(r, "INTERVAL_UNKNOWN"));
    assert_true(isnan(r->u));
}

/* Every read fails: a link to an unmapped page of memory. */
static void test_read_error(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    assert_int_equal(symlink("/proc/self/mem", path), 0);
    start(&b, "monotonic");
    sink_init(&s);
    b.ops->begin(b.self);
    pass(1);
    b.ops->sample(b.self);
    b.ops->end(b.self, &s.to);
    fake_expect_absent(&s, "energy_wall", "READ_ERROR");
    assert_true(fake_has_flag(sink_get(&s, "energy_wall"), "READ_ERROR"));
    bench_close(&b);
}

/* The clock of the lines jumps by an hour half-way. */
static void test_clock_step(void **state)
{
    struct bench b;
    struct sink s;
    char line[64];
    (void)state;
    append("1700000000 100\n");
    start(&b, "realtime");
    b.ops->begin(b.self);
    for (int i = 1; i <= 20; i++) {
        pass(0.5);
        real_ns += i == 10 ? 3600000000000 : 0;
        (void)snprintf(line, sizeof line, "%.6f %s\n", (double)real_ns / 1e9, i % 2 ? "99.99" : "100.01");
        append(line);
        b.ops->sample(b.self);
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "energy_wall");
    assert_true(fake_has_flag(r, "CLOCK_STEP"));
    fake_expect(&s, "energy_wall", 1000, 1e-5); /* stamps and clock moved together */
    assert_true(r->u > 1000);                   /* but nobody knows whether they did */
    bench_close(&b);
}

/* Nothing, nothing good, 0 W, stamps of another clock: absent. */
static void test_absent(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {{"# nothing yet\n", "no sample"},
                {"hello\nworld\n", "no line within"},
                {"1 100\n2 100\n3 100\n", "SENSOR_GAP"},
                {"999 0\n1000 0\n1001 0\n1002 0\n1003 0\n1004 0\n1005 0\n1006 0\n", "0 W"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench b;
        struct sink s;
        (void)unlink(path);
        mono_ns = 1000000000000;
        append("# begin\n");
        start(&b, "monotonic");
        sink_init(&s);
        b.ops->begin(b.self);
        append(rows[i].text);
        pass(5);
        b.ops->end(b.self, &s.to);
        fake_expect_absent(&s, "energy_wall", rows[i].why);
        bench_close(&b);
    }
}

/* A pipe without and with a writer, cut in a line, and gone. */
static void test_pipe(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    start(&b, "monotonic"); /* does not wait for a writer */
    b.ops->begin(b.self);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    for (int i = 0; i < 5; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "%d.5 %d\n", 1000 + i, i % 2 ? 101 : 99);
        pass(1);
        assert_true(write(fd, line, strlen(line)) > 0);
        b.ops->sample(b.self);
    }
    assert_int_equal(write(fd, "1004.9 99", 9), 9);
    close(fd);
    b.ops->sample(b.self);
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    const struct sink_reading *r = sink_get(&s, "energy_wall");
    fake_expect(&s, "energy_wall", 499, 1e-9); /* 99 W at either end, held for half a second */
    assert_true(fake_has_flag(r, "CUT_LINE"));
    assert_true(fake_has_flag(r, "SENSOR_END"));
    assert_true(fake_has_flag(r, "EDGE_HELD"));
    bench_close(&b);
}

/* Lines without a time are stamped as they come; many at once count as their mean. */
static void test_arrival(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    start(&b, "arrival");
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(write(fd, "100\n", 4) == 4);
    b.ops->begin(b.self);
    for (int i = 0; i < 50; i++) {
        pass(0.1);
        assert_true(write(fd, i % 2 ? "90\n111\n" : "90\n109\n", 7) == 7);
        b.ops->sample(b.self);
    }
    sink_init(&s);
    b.ops->end(b.self, &s.to);
    fake_expect(&s, "energy_wall", 500, 1e-4);
    assert_true(fake_has_flag(sink_get(&s, "energy_wall"), "ARRIVAL"));
    assert_true(fake_has_flag(sink_get(&s, "energy_wall"), "BATCHED"));
    close(fd);
    bench_close(&b);
}

/* A serial line: raw, at its speed, and what was under way when it was opened is thrown away. */
static void test_serial(void **state)
{
    struct bench b;
    struct sink s;
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    (void)state;
    if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0) {
        skip();
    }
    const char *const options[] = {"path", ptsname(master), "clock", "monotonic", "baud", "9600", NULL};
    bench_open(&b, &tare_meter_external, options);
    assert_non_null(b.self);
    struct termios t;
    assert_int_equal(tcgetattr(master, &t), 0);
    assert_int_equal(cfgetispeed(&t), B9600);
    assert_int_equal(write(master, "00.2 77777\r\n", 12), 12);
    sink_init(&s);
    b.ops->begin(b.self);
    for (int i = 1; i <= 5; i++) {
        char line[32];
        (void)snprintf(line, sizeof line, "%d %d\r\n", 1000 + i, i % 2 ? 51 : 49);
        pass(1);
        assert_true(write(master, line, strlen(line)) > 0);
        usleep(2000);
        b.ops->sample(b.self);
    }
    b.ops->end(b.self, &s.to);
    fake_expect(&s, "energy_wall", 251, 1e-9); /* 51 W is held back to the begin */
    bench_close(&b);
    const char *const odd[] = {"path", ptsname(master), "baud", "12345", NULL};
    bench_open(&b, &tare_meter_external, odd);
    assert_null(b.self);
    assert_non_null(strstr(b.why, "12345"));
    close(master);
}

static void test_not_usable(void **state)
{
    static const char *const none[] = {NULL};
    const char *const missing[] = {"path", "/nowhere/at/all", NULL};
    const char *const directory[] = {"path", folder, NULL};
    const char *const no_time[] = {"path", path, "clock", "arrival", NULL};
    const struct {
        const char *const *options;
        const char *why;
    } rows[] = {
        {none, "option path"}, {missing, "No such file"}, {directory, "neither"}, {no_time, "arrival"}};
    (void)state;
    append("1 2\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct bench b;
        bench_open(&b, &tare_meter_external, rows[i].options);
        assert_null(b.self);
        assert_non_null(strstr(b.why, rows[i].why));
    }
}

/* A sample behind the end is waited for if the user says so. */
static void test_wait(void **state)
{
    struct bench b;
    struct sink s;
    (void)state;
    tare_now_replace(NULL, NULL);
    assert_int_equal(mkfifo(path, 0600), 0);
    const char *const options[] = {"path", path, "clock", "monotonic", "wait", "2s", NULL};
    bench_open(&b, &tare_meter_external, options);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    double t = (double)tare_now_ns() / 1e9;
    char line[64];
    (void)snprintf(line, sizeof line, "%.9f 100\n", t - 0.01);
    assert_true(write(fd, line, strlen(line)) > 0);
    sink_init(&s);
    b.ops->begin(b.self);
    usleep(50000);
    (void)snprintf(line, sizeof line, "%.9f 99\n%.9f 101\n", t + 0.03, (double)tare_now_ns() / 1e9 + 0.3);
    assert_true(write(fd, line, strlen(line)) > 0);
    b.ops->end(b.self, &s.to);
    assert_false(fake_has_flag(sink_get(&s, "energy_wall"), "EDGE_HELD"));
    fake_expect(&s, "energy_wall", 5, 0.3);
    close(fd);
    bench_close(&b);
}

static uint32_t next(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

/* Random bytes, half of them out of what lines are made of: no crash, and never more joules than the most
 * power that a line may have, over the time of the phase. */
static void test_fuzz(void **state)
{
    static const char likely[] = "0123456789.eE+- \t\r\n\n\n#";
    int n_values = 0;
    (void)state;
    for (uint32_t seed = 1; seed <= 400; seed++) {
        uint32_t r = seed * 2654435761u;
        struct bench b;
        struct sink s;
        char bytes[2000];
        (void)unlink(path);
        mono_ns = 1000000000000;
        append("999 5\n1000 5\n");
        start(&b, "monotonic");
        b.ops->begin(b.self);
        for (int k = 0; k < 5; k++) {
            size_t n = 0;
            for (; n < sizeof bytes; n++) {
                bytes[n] = next(&r) % 8 ? likely[next(&r) % (sizeof likely - 1)] : (char)next(&r);
            }
            n = (size_t)snprintf(bytes, 40, "\n%d %u\n", 1001 + k, next(&r) % 100);
            bytes[n] = '\n';
            int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
            assert_int_equal(write(fd, bytes, sizeof bytes), sizeof bytes);
            close(fd);
            pass(1);
            b.ops->sample(b.self);
        }
        sink_init(&s);
        b.ops->end(b.self, &s.to);
        const struct sink_reading *got = sink_get(&s, "energy_wall");
        n_values += !got->absent;
        if (!got->absent) {
            assert_true(got->value >= 0 && got->value <= 1e5 * 5 && !(got->u < 0));
            assert_true(fake_has_flag(got, "MALFORMED"));
        }
        bench_close(&b);
    }
    print_message("  400 random files: %d gave a value, all within the limit and flagged\n", n_values);
    assert_true(n_values > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse),
        cmocka_unit_test_setup_teardown(test_edges_are_interpolated, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_live, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_faults, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_slow_plug, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_hung_plug, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_read_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_clock_step, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_absent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_pipe, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_arrival, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_serial, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_not_usable, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_fuzz, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
