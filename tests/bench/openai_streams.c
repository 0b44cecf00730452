/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the openai backend adds to the times that it measures, and whether it keeps up: against the scripted
 * server, whose events say when they were sent, on the same clock. One stream; 256 at a time; 10,000 streams
 * of 100 events.
 *
 * Two references: `sent`, the stamp in the event, taken before the server's own send call, which leaves the
 * kernel's way through loopback and ours; `nominal`, the time that the server was told to keep, which has its
 * own lateness in it, too. Usage: openai_streams MOCK_SERVER [streams at a time of the last part]. Loopback
 * only.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <tare/backend.h>
#include <time.h>
#include <unistd.h>

enum { most_streams = 10000, most_events = 128, us = 1000 };
extern const struct tare_backend tare_plugin;

struct stream {
    int64_t begin_ns, received_ns;
    int64_t arrived_ns[most_events], sent_ns[most_events];
    int n;
    int64_t output_tok;
    bool ended, failed;
};

static struct {
    struct tare_sink sink; /* first */
    struct stream *streams;
    int ended, failed;
    int64_t events;
    bool keep; /* the times of every event */
    char message[300];
    double *values;
    int missed; /* aims */
} bench;

static int64_t now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int on_event(struct tare_sink *sink, const struct tare_event *event)
{
    struct stream *s = &bench.streams[event->id];
    (void)sink;
    if (bench.keep && s->n < most_events) {
        s->arrived_ns[s->n] = event->arrived_ns;
        char *rest = NULL;
        s->sent_ns[s->n] = (int64_t)strtoull(event->bytes, &rest, 16);
        s->received_ns = (int64_t)strtoull(rest, NULL, 16);
    }
    s->n++;
    bench.events++;
    return 0;
}

static void on_usage(struct tare_sink *sink, uint64_t id, int64_t prompt_tok, int64_t output_tok)
{
    (void)sink;
    (void)prompt_tok;
    bench.streams[id].output_tok = output_tok;
}

static void on_done(struct tare_sink *sink, uint64_t id, int code, const char *message)
{
    (void)sink;
    bench.streams[id].ended = true;
    bench.streams[id].failed = code != 0;
    bench.ended++;
    if (code != 0 && bench.failed++ == 0) {
        (void)snprintf(bench.message, sizeof bench.message, "%s", message);
    }
}

static void fail(const char *what)
{
    fprintf(stderr, "openai_streams: %s\n", what);
    exit(1);
}

/* The server as a child; it ends when its standard input is closed, which it is when we end. */
static int start_server(const char *path)
{
    int in[2], out[2];
    char line[32] = "";
    if (pipe(in) != 0 || pipe(out) != 0) {
        fail("no pipes");
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, 9);
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        close(in[0]);
        close(in[1]);
        close(out[0]);
        close(out[1]);
        (void)execl(path, path, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    if (pid < 0 || read(out[0], line, sizeof line - 1) <= 0) {
        fail("the server does not start");
    }
    close(out[0]);
    return atoi(line);
}

static void *load(int port, const char *script)
{
    struct tare_err err = {0};
    char url[64];
    void *self = calloc(1, tare_plugin.priv_size);
    (void)snprintf(url, sizeof url, "http://127.0.0.1:%d", port);
    struct tare_load how = {.size = sizeof how, .path = script};
    if (!self || tare_opts_init(tare_plugin.options, self, &err) < 0 ||
        tare_opts_set(tare_plugin.options, self, "url", url, "openai", &err) < 0 ||
        tare_plugin.open(self, &err) < 0 || tare_plugin.load(self, &how, &err) < 0) {
        fail(err.msg);
    }
    return self;
}

static void unload(void *self)
{
    tare_plugin.unload(self);
    tare_plugin.close(self);
    tare_opts_fini(tare_plugin.options, self);
    free(self);
}

/* `total` streams, `width` at a time. */
static double run(void *self, int total, int width, int events, bool keep)
{
    struct tare_err err = {0};
    int begun = 0;
    bench.ended = bench.failed = 0;
    bench.events = 0;
    bench.keep = keep;
    memset(bench.streams, 0, (size_t)total * sizeof *bench.streams);
    int64_t from_ns = now();
    while (bench.ended < total) {
        while (begun < total && begun - bench.ended < width) {
            const struct tare_request q = {.size = sizeof q,
                                           .kind = TARE_REQUEST_GENERATE,
                                           .id = (uint64_t)begun,
                                           .text = "prompt",
                                           .text_bytes = 6,
                                           .max_output = (uint32_t)events};
            bench.streams[begun].begin_ns = now();
            if (tare_plugin.submit(self, &q, &bench.sink, &err) < 0) {
                fail(err.msg);
            }
            begun++;
        }
        if (tare_plugin.drain(self, &bench.sink, INT64_C(1000000000), &err) < 0) {
            fail(err.msg);
        }
    }
    return (double)(now() - from_ns) / 1e9;
}

static void line(const char *name, double value, const char *unit, const char *aim, bool ok)
{
    bench.missed += !ok;
    printf("%s %.6g %s %s %s\n", name, value, unit, aim, ok ? "ok" : "MISS");
    (void)fflush(stdout);
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void percentiles(const char *name, size_t n, double aim_us)
{
    char label[100], aim[40];
    qsort(bench.values, n, sizeof *bench.values, ascending);
    double median = n ? bench.values[n / 2] : (double)NAN;
    (void)snprintf(label, sizeof label, "%s_p50", name);
    (void)snprintf(aim, sizeof aim, "|x|<%g", aim_us);
    line(label, median, "us", aim, fabs(median) < aim_us);
    printf("# %s p1 %.1f p10 %.1f p90 %.1f p99 %.1f us, n %zu\n", name, bench.values[n / 100],
           bench.values[n / 10], bench.values[n * 9 / 10], bench.values[n * 99 / 100], n);
}

enum reference { TTFT_SENT, TTFT_SERVER, TTFT_NOMINAL, ITL_SENT, ITL_NOMINAL, REFERENCES };

/* What was measured less what was so, ns. k: of the gap behind event k. */
static double difference(const struct stream *s, enum reference which, int k, double ttft_us, double itl_us)
{
    double ttft = (double)(s->arrived_ns[0] - s->begin_ns);
    switch (which) {
    case TTFT_SENT:
        return (double)(s->arrived_ns[0] - s->sent_ns[0]);
    case TTFT_SERVER:
        return ttft - (double)(s->sent_ns[0] - s->received_ns);
    case TTFT_NOMINAL:
        return ttft - ttft_us * us;
    case ITL_SENT:
        return (double)(s->arrived_ns[k + 1] - s->arrived_ns[k] - (s->sent_ns[k + 1] - s->sent_ns[k]));
    default:
        return (double)(s->arrived_ns[k + 1] - s->arrived_ns[k]) - itl_us * us;
    }
}

static void biases(const char *name, int total, double ttft_us, double itl_us, double aim_us)
{
    static const char *const kinds[REFERENCES] = {"ttft_sent", "ttft_server", "ttft_nominal", "itl_sent",
                                                  "itl_nominal"};
    for (int which = 0; which < REFERENCES; which++) {
        char label[80];
        size_t n = 0;
        for (int i = 0; i < total; i++) {
            const struct stream *s = &bench.streams[i];
            for (int k = 0; k < (which < ITL_SENT ? 1 : s->n - 1); k++) {
                bench.values[n++] = difference(s, (enum reference)which, k, ttft_us, itl_us) / us;
            }
        }
        (void)snprintf(label, sizeof label, "%s_%s", name, kinds[which]);
        percentiles(label, n, aim_us);
    }
}

static void timed(int port, const char *name, int total, int width, int events, int ttft_us, int itl_us,
                  double aim_us)
{
    char script[100];
    (void)snprintf(script, sizeof script, "ok;stamp:1;ttft_us:%d;itl_us:%d", ttft_us, itl_us);
    void *self = load(port, script);
    (void)run(self, width, width, 2, false); /* connections */
    (void)run(self, total, width, events, true);
    if (bench.failed) {
        fail(bench.message);
    }
    biases(name, total, ttft_us, itl_us, aim_us);
    unload(self);
}

static double peak_mb(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1e3; /* KiB, but for 2 % */
}

static void many(int port, int width)
{
    enum { events = 100 };
    void *self = load(port, "ok;stamp:1");
    double before_mb = peak_mb();
    double seconds = run(self, most_streams, width, events, false);
    int lost = bench.failed;
    for (int i = 0; i < most_streams; i++) {
        const struct stream *s = &bench.streams[i];
        lost += !s->failed && (!s->ended || s->n != events || s->output_tok != events);
    }
    printf("# %d streams of %d events, %d at a time: %.2f s, %.0f events/s%s%s\n", most_streams, events,
           width, seconds, (double)bench.events / seconds, bench.failed ? ", " : "",
           bench.failed ? bench.message : "");
    line("streams_lost", lost, "1", "==0", lost == 0);
    line("peak_rss", peak_mb(), "MB", "<200", peak_mb() < 200);
    printf("# of that %.1f MB before the first stream: times of the parts above\n", before_mb);
    unload(self);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    if (argc < 2) {
        fail("usage: openai_streams MOCK_SERVER [streams at a time]");
    }
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    bench.sink =
        (struct tare_sink){.size = sizeof bench.sink, .event = on_event, .usage = on_usage, .done = on_done};
    bench.streams = calloc(most_streams, sizeof *bench.streams);
    bench.values = calloc((size_t)1 << 17, sizeof *bench.values);
    if (!bench.streams || !bench.values) {
        fail("no memory");
    }
    int port = start_server(argv[1]);
    if (argc > 2) {
        many(port, atoi(argv[2]));
        return bench.missed > 0;
    }
    many(port, 256); /* first, while nothing else is in the peak */
    timed(port, "one", 40, 1, 50, 10000, 2000, 100);
    timed(port, "many", 1024, 256, 50, 50000, 20000, 1000);
    return bench.missed > 0;
}
