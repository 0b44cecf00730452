/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An external meter at the wall (or anywhere) that somebody's script or a serial line reports: lines of
 * "TIME WATTS" from a file that grows, a pipe or a serial device, added up by the trapezoid with the ends of
 * the phase interpolated.
 *
 * Scope "wall": everything behind the plug, power supply and fans too, and whatever else hangs on it. Never
 * waits in `sample`; keeps two samples and one line. A line that is not understood, comes twice, out of order
 * or cut, a gap, an end and a step of the clock are each told beside the value or make it absent. How far the
 * meter is off is what the option `gain` declares.
 */
#include "external_line.h"
#include "joules.h"
#include "now.h"
#include "power.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

enum { clock_monotonic, clock_realtime, clock_arrival };
enum { most_bytes = 1 << 20 }; /* that one hook reads */

static const int64_t clock_step_ns = 10000000;  /* slewing moves a clock by 50 us between two hooks */
static const int64_t too_early_ns = 2000000000; /* a live line from the future is a fault */
static const double arrival_late_s = 0.15;      /* longest time between two hooks */
static const char *const clock_names[] = {"monotonic", "realtime", "arrival", NULL};

struct stamp {
    bool is;
    int64_t ns; /* CLOCK_MONOTONIC */
    double watts;
};

/* Of one phase. */
struct window {
    bool is_open, has_begin; /* has_begin: the sample at its begin is made */
    int64_t begin_ns, n_samples, n_bad, n_same, n_back, n_batches, n_cut, n_errors;
    double first_w, gaps_s, held_s, steps_s;
    bool has_backlog;
    struct tare_power power;
};

struct external {
    char *path;
    int64_t baud, clock, gap_ns, wait_ns;
    double max_watts, gain;
    int fd;
    bool is_file, skip_line, has_ended;
    int error;
    struct tare_lines lines;
    char bytes[4096];
    size_t at, n;             /* of bytes: those not looked at yet */
    int64_t offset_ns;        /* CLOCK_REALTIME less CLOCK_MONOTONIC */
    struct stamp last, ahead; /* ahead: read already, but later than now */
    int64_t value_ns;         /* since when the value of `last` has been there */
    double batch_w;
    int64_t n_batch;
    struct window w;
};

static double between(const struct stamp *a, const struct stamp *b, int64_t ns)
{
    return a->watts + (b->watts - a->watts) * (double)(ns - a->ns) / (double)(b->ns - a->ns);
}

/* The part of a silence that lies in the phase, if it is too long for a trapezoid. */
static void note_gap(struct external *x, int64_t from_ns, int64_t to_ns, int64_t phase_to_ns)
{
    int64_t begin_ns = from_ns > x->w.begin_ns ? from_ns : x->w.begin_ns;
    if (to_ns - from_ns > x->gap_ns && phase_to_ns > begin_ns) {
        x->w.gaps_s += (double)(phase_to_ns - begin_ns) / 1e9;
    }
}

/* A sample of the phase; the first one also makes the phase's begin. */
static void commit(struct external *x, const struct stamp *s)
{
    struct window *w = &x->w;
    if (w->is_open && s->ns > w->begin_ns) {
        if (!w->has_begin) {
            bool known = x->last.is && x->last.ns <= w->begin_ns;
            w->first_w = known ? between(&x->last, s, w->begin_ns) : s->watts;
            tare_power_add(&w->power, w->begin_ns, w->first_w);
            w->power.changed_ns = known ? x->value_ns : w->begin_ns;
            w->held_s += known ? 0 : (double)(s->ns - w->begin_ns) / 1e9;
            w->has_begin = true;
        }
        note_gap(x, x->last.is ? x->last.ns : w->begin_ns, s->ns, s->ns);
        tare_power_add(&w->power, s->ns, s->watts);
        w->n_samples++;
    }
    bool is_repeat = x->last.is && !(s->watts < x->last.watts || s->watts > x->last.watts);
    x->value_ns = is_repeat ? x->value_ns : s->ns;
    x->last = *s;
}

static void take_sample(struct external *x, double seconds, double watts, int64_t now_ns)
{
    struct stamp s = {true, (int64_t)(seconds * 1e9), watts};
    if (x->clock == clock_arrival) {
        x->batch_w += watts;
        x->n_batch++;
        return;
    }
    s.ns -= x->clock == clock_realtime ? x->offset_ns : 0;
    if (x->last.is && s.ns <= x->last.ns) {
        x->w.n_same += s.ns == x->last.ns;
        x->w.n_back += s.ns < x->last.ns;
    } else if (!x->is_file && s.ns > now_ns + too_early_ns) {
        x->w.n_bad++;
    } else if (s.ns > now_ns) {
        x->ahead = s;
    } else {
        commit(x, &s);
    }
}

/* Bytes that were read already, up to a sample that is ahead. */
static void take_bytes(struct external *x, int64_t now_ns)
{
    while (x->at < x->n && !x->ahead.is) {
        const char *line = NULL;
        size_t n = 0;
        double seconds = 0, watts = 0;
        if (!tare_lines_put(&x->lines, x->bytes[x->at++], &line, &n)) {
            continue;
        }
        if (x->skip_line) { /* begun before the device was opened */
            x->skip_line = false;
            continue;
        }
        enum tare_line kind =
            tare_line_parse(line, n, x->clock == clock_arrival, x->max_watts, &seconds, &watts);
        x->w.n_bad += kind == TARE_LINE_BAD;
        if (kind == TARE_LINE_SAMPLE) {
            take_sample(x, seconds, watts, now_ns);
        }
    }
}

/* The shortest of three tries: nothing came between the two clocks. */
static int64_t clock_offset_ns(void)
{
    int64_t best_ns = INT64_MAX, offset_ns = 0;
    for (int i = 0; i < 3; i++) {
        int64_t before_ns = tare_now_ns(), real_ns = tare_now_realtime_ns();
        int64_t span_ns = tare_now_ns() - before_ns;
        if (span_ns < best_ns) {
            best_ns = span_ns;
            offset_ns = real_ns - before_ns - span_ns / 2;
        }
    }
    return offset_ns;
}

static void follow_clock(struct external *x)
{
    if (x->clock == clock_realtime) {
        int64_t offset_ns = clock_offset_ns(), step_ns = offset_ns - x->offset_ns;
        bool has_stepped = step_ns > clock_step_ns || step_ns < -clock_step_ns;
        x->w.steps_s += has_stepped ? fabs((double)step_ns) / 1e9 : 0;
        x->offset_ns = offset_ns;
    }
}

/* One read; false if there is nothing more now. */
static bool refill(struct external *x)
{
    ssize_t n = read(x->fd, x->bytes, sizeof x->bytes);
    x->at = 0;
    x->n = n > 0 ? (size_t)n : 0;
    x->error = n < 0 && errno != EAGAIN && errno != EINTR ? errno : 0;
    x->has_ended = n == 0 || x->error;
    x->w.n_errors += x->error != 0;
    if (n == 0 && !x->is_file && x->lines.n > 0) { /* whoever writes next begins a new line */
        x->w.n_cut++;
        x->lines.n = 0;
        x->lines.too_long = false;
    }
    return n > 0;
}

/* Takes all there is up to now. */
static void pump(struct external *x, int64_t now_ns)
{
    size_t n_bytes = 0;
    follow_clock(x);
    if (x->ahead.is && x->ahead.ns <= now_ns) {
        x->ahead.is = false;
        commit(x, &(struct stamp){true, x->ahead.ns, x->ahead.watts});
    }
    for (;;) {
        take_bytes(x, now_ns);
        if (x->ahead.is || n_bytes >= most_bytes || !refill(x)) {
            break;
        }
        n_bytes += x->n;
    }
    x->w.has_backlog = !x->ahead.is && n_bytes >= most_bytes;
    if (x->n_batch > 0) {
        x->w.n_batches += x->n_batch > 1;
        commit(x, &(struct stamp){true, now_ns, x->batch_w / (double)x->n_batch});
        x->batch_w = 0;
        x->n_batch = 0;
    }
}

static int set_line(int fd, int64_t baud, struct tare_err *err, const char *path)
{
    static const struct {
        int64_t baud;
        speed_t speed;
    } speeds[] = {{1200, B1200},     {2400, B2400},     {4800, B4800},    {9600, B9600},
                  {19200, B19200},   {38400, B38400},   {57600, B57600},  {115200, B115200},
                  {230400, B230400}, {460800, B460800}, {921600, B921600}};
    struct termios t;
    bool found = baud == 0;
    if (tcgetattr(fd, &t) < 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    cfmakeraw(&t);
    t.c_cflag |= CLOCAL | CREAD;
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        if (baud == speeds[i].baud) {
            (void)cfsetspeed(&t, speeds[i].speed);
            found = true;
        }
    }
    if (!found) {
        return tare_err_set(err, TARE_E_USAGE, "meter external: a baud rate of %lld is none that is known",
                            (long long)baud);
    }
    return tcsetattr(fd, TCSANOW, &t) == 0 ? 0
                                           : tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
}

static int check_source(struct external *x, struct tare_err *err)
{
    struct stat st;
    if (fstat(x->fd, &st) < 0 || S_ISDIR(st.st_mode)) {
        return tare_err_set(err, TARE_E_IO, "%s: neither a file, a pipe nor a serial device", x->path);
    }
    x->is_file = S_ISREG(st.st_mode);
    x->skip_line = isatty(x->fd) == 1;
    if (x->is_file && x->clock == clock_arrival) {
        return tare_err_set(err, TARE_E_USAGE,
                            "%s is a file: its lines have no time of arrival; set clock to "
                            "monotonic or realtime",
                            x->path);
    }
    return x->skip_line ? set_line(x->fd, x->baud, err, x->path) : 0;
}

static int external_open(void *self, struct tare_err *err)
{
    struct external *x = self;
    x->fd = -1;
    if (!x->path || !x->path[0]) {
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "no external meter is named: set the option path to a file, a pipe or a serial "
                            "device with lines of \"TIME WATTS\"");
    }
    x->fd = open(x->path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (x->fd < 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "%s: %s", x->path, strerror(errno));
    }
    int r = check_source(x, err);
    if (r < 0) {
        close(x->fd);
        return r;
    }
    x->offset_ns = clock_offset_ns();
    do {
        pump(x, tare_now_ns()); /* what a file has from before */
    } while (x->is_file && x->w.has_backlog);
    return 0;
}

static void external_sample(void *self)
{
    pump(self, tare_now_ns());
}

static void external_begin(void *self)
{
    struct external *x = self;
    int64_t now_ns = tare_now_ns();
    pump(x, now_ns);
    memset(&x->w, 0, sizeof x->w);
    x->w.is_open = true;
    x->w.begin_ns = now_ns;
}

/* For a sample behind the phase's end, if the user allows it. */
static void wait_for_ahead(struct external *x, int64_t end_ns)
{
    int64_t deadline_ns = end_ns + x->wait_ns;
    for (int64_t now_ns = tare_now_ns();
         !x->ahead.is && !x->has_ended && x->clock != clock_arrival && now_ns < deadline_ns;
         now_ns = tare_now_ns()) {
        struct pollfd on = {.fd = x->fd, .events = POLLIN};
        (void)poll(&on, 1, (int)((deadline_ns - now_ns) / 1000000) + 1);
        pump(x, end_ns);
    }
}

/* Makes the sample at the phase's end. */
static void close_window(struct external *x, int64_t end_ns)
{
    struct window *w = &x->w;
    w->is_open = false;
    if (!w->has_begin || !x->last.is) {
        return;
    }
    if (x->ahead.is) {
        note_gap(x, x->last.ns, x->ahead.ns, end_ns);
        tare_power_add(&w->power, end_ns, between(&x->last, &x->ahead, end_ns));
    } else if (end_ns > x->last.ns) {
        note_gap(x, x->last.ns, end_ns, end_ns);
        w->held_s += (double)(end_ns - x->last.ns) / 1e9;
        tare_power_add(&w->power, end_ns, x->last.watts);
    }
}

static const char *why_absent(const struct external *x, double seconds)
{
    const struct window *w = &x->w;
    return x->error         ? "READ_ERROR: the external meter could not be read"
           : w->has_backlog ? "more lines than can be read in the time: let the meter report less often"
           : w->n_samples == 0 || w->power.n < 2
               ? (w->n_bad + w->n_back + w->n_same > 0
                      ? "SENSOR_GAP: no line within the phase was good: look at its format and at the clock"
                      : "SENSOR_GAP: the external meter sent no sample within the phase")
           : w->gaps_s + w->held_s > seconds / 2
               ? "SENSOR_GAP: the external meter was silent for half of the phase or more"
           : w->power.joules <= 0 ? "STUCK: the external meter says 0 W through the whole phase"
                                  : NULL;
}

/* A plug may repeat in every line what it has looked at long ago: only a time between two changes of the
 * value says how often it looks. */
static bool is_interval_unknown(const struct window *w)
{
    return w->power.n_changes < 2;
}

static void set_flags(const struct external *x, const char *why, char *flags, size_t n_flags)
{
    const struct window *w = &x->w;
    const struct {
        bool holds;
        const char *word;
    } words[] = {{true, "SAMPLED"},
                 {w->n_errors > 0, "READ_ERROR"},
                 {w->n_samples >= 20 && w->power.n_changes == 0, "STUCK"},
                 {!why && w->n_samples < 10, "FEW_SAMPLES"},
                 {!why && is_interval_unknown(w), "INTERVAL_UNKNOWN"},
                 {w->n_bad > 0, "MALFORMED"},
                 {w->n_same > 0, "DUPLICATE"},
                 {w->n_back > 0, "OUT_OF_ORDER"},
                 {w->gaps_s > 0, "SENSOR_GAP"},
                 {w->held_s > 0, "EDGE_HELD"},
                 {w->n_cut > 0 || (x->has_ended && x->lines.n > 0), "CUT_LINE"},
                 {x->has_ended && !x->is_file, "SENSOR_END"},
                 {w->steps_s > 0, "CLOCK_STEP"},
                 {x->clock == clock_arrival, "ARRIVAL"},
                 {w->n_batches > 0, "BATCHED"}};
    flags[0] = '\0';
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        tare_joules_flag(flags, n_flags, words[i].holds ? words[i].word : "");
    }
}

/* The trapezoid's own; anything from 0 to the peak where nothing was seen; a step of the clock moves the
 * edges; a time of arrival is late. */
static double uncertainty(const struct external *x)
{
    const struct window *w = &x->w;
    double sampling = tare_power_u(&w->power);
    double unseen = w->power.peak_w * (w->gaps_s + w->held_s) / sqrt(12);
    double step = w->power.peak_w * w->steps_s;
    double late = x->clock == clock_arrival ? fabs(w->power.last_w - w->first_w) * arrival_late_s : 0;
    return is_interval_unknown(w) ? (double)NAN
                                  : sqrt(sampling * sampling + unseen * unseen + step * step + late * late);
}

static void external_end(void *self, struct tare_readings *to)
{
    struct external *x = self;
    char flags[192], source[200];
    int64_t end_ns = tare_now_ns();
    pump(x, end_ns);
    wait_for_ahead(x, end_ns);
    close_window(x, end_ns);
    double seconds = (double)(end_ns - x->w.begin_ns) / 1e9;
    const char *why = why_absent(x, seconds);
    set_flags(x, why, flags, sizeof flags);
    (void)snprintf(source, sizeof source, "external meter, %s clock, %.120s", clock_names[x->clock], x->path);
    struct tare_reading reading = {.name = "energy_wall",
                                   .unit = "J",
                                   .scope = "wall",
                                   .source = source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = why != NULL,
                                   .value = x->w.power.joules,
                                   .why = why};
    struct tare_doubt doubt = {why ? (double)NAN : uncertainty(x), x->gain >= 0 ? x->gain : (double)NAN,
                               flags};
    to->add_doubted(to, &reading, &doubt);
}

static void external_close(void *self)
{
    close(((struct external *)self)->fd);
}

static const struct tare_opt external_options[] = {
    {.name = "path",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct external, path),
     .help = "file, pipe or serial device with lines of TIME WATTS"},
    {.name = "baud",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct external, baud),
     .def = "0",
     .help = "speed of a serial device; 0 leaves it as it is"},
    {.name = "clock",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct external, clock),
     .def = "realtime",
     .choices = clock_names,
     .help = "clock of the lines' times, in seconds"},
    {.name = "gap",
     .type = TARE_OPT_NS,
     .offset = offsetof(struct external, gap_ns),
     .def = "2500ms",
     .unit = "ns",
     .help = "a longer time between two samples is a gap"},
    {.name = "wait",
     .type = TARE_OPT_NS,
     .offset = offsetof(struct external, wait_ns),
     .def = "0",
     .unit = "ns",
     .max = INT64_C(10000000000),
     .help = "longest wait behind a phase for the sample that its end is interpolated with"},
    {.name = "max_watts",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct external, max_watts),
     .def = "100000",
     .unit = "W",
     .help = "a line with more is malformed"},
    {.name = "gain",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct external, gain),
     .def = "-1",
     .help = "relative standard uncertainty of the meter as its maker states it; negative if unknown"},
    TARE_OPT_END};

const struct tare_meter tare_meter_external = {.header = TARE_METER_HEADER,
                                               .name = "external",
                                               .summary =
                                                   "energy at the wall, from lines of an external meter",
                                               .priv_size = sizeof(struct external),
                                               .open = external_open,
                                               .begin = external_begin,
                                               .end = external_end,
                                               .close = external_close,
                                               .place = TARE_METER_OUTSIDE,
                                               .options = external_options,
                                               .sample = external_sample,
                                               .late = 1};
