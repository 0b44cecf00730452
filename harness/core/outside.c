/* SPDX-License-Identifier: Apache-2.0 */
/* The thread's loop: commands, edges, samples. */
#include "core/outside.h"

#include "base/clock.h"
#include "base/reading.h"
#include "core/interrupt.h"
#include "core/meters.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <tare/rng.h>
#include <time.h>
#include <unistd.h>

enum { answer_ms = 10000, ask_ms = 20000, step_ms = 100, end_bit = 0x80 };
/* An edge that takes longer, and is worth more than a hundredth of the phase, spoils the windows of others.
 */
#define SLOW_EDGE_NS      INT64_C(5000000)
#define DEFAULT_PERIOD_NS INT64_C(100000000)

/* What the caller asks of the thread, over a socket of packets. Each is answered by one double. */
enum ask { ASK_STOP = 1, ASK_READY, ASK_LISTEN, ASK_ATTACH, ASK_EDGE, ASK_TEMPERATURE };

struct message {
    enum ask ask;
    int64_t value; /* descriptor, process, edge */
};

struct readings {
    struct tare_reading_record *list; /* owned, strings too */
    size_t n, cap;
    bool lost; /* memory was refused: some are missing */
};

struct tare_outside {
    struct tare_meters meters;
    double cost_ns[tare_max_meters];
    size_t n_working;
    pthread_t thread;
    int ask_fd;    /* the caller's end */
    int answer_fd; /* the thread's end */
    /* The thread's alone. */
    int worker_fd; /* -1: no worker */
    int64_t pid;   /* the worker's; 0: none, and it is not listened to */
    bool attached; /* the meters know it: from its first edge on, when it has moved to where it will stay */
    int64_t next_ns[tare_max_meters];
    int64_t begin_cpu_ns;    /* at the begin of the phase */
    int64_t begun_ns;        /* when the last meter had begun */
    int64_t slow_ns;         /* what the begin took, and then the end */
    struct readings pending; /* of the edge that is being served */
    bool dead;               /* the caller's: the thread hangs in a meter and is not asked any more */
    struct tare_rng rng;
    /* Both sides', under the lock. */
    pthread_mutex_t lock;
    struct readings kept;
};

struct collector {
    struct tare_readings sink;
    struct tare_outside *outside;
    const char *phase, *meter;
};

static void add(struct readings *to, const struct tare_reading_record *record)
{
    if (to->n == to->cap) {
        size_t cap = to->cap ? 2 * to->cap : 256;
        struct tare_reading_record *larger = realloc(to->list, cap * sizeof *larger);
        to->list = larger ? larger : to->list;
        to->cap = larger ? cap : to->cap;
    }
    if (to->n < to->cap && tare_reading_copy(record, &to->list[to->n], NULL) == 0) {
        to->n++;
    } else {
        to->lost = true;
    }
}

static void free_readings(struct readings *r)
{
    for (size_t i = 0; i < r->n; i++) {
        tare_reading_free(&r->list[i]);
    }
    free(r->list);
    memset(r, 0, sizeof *r);
}

/* Hands over what an edge has given; all of it is doubtful where the edge was slow. */
static void keep_pending(struct tare_outside *o, bool slow)
{
    (void)pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->pending.n; i++) {
        struct tare_reading_record record = o->pending.list[i];
        char flags[200];
        if (slow && !record.absent) {
            (void)snprintf(flags, sizeof flags, "%.160s%sEDGE_SLOW", record.flags ? record.flags : "",
                           record.flags && record.flags[0] ? "," : "");
            record.flags = flags;
        }
        add(&o->kept, &record);
    }
    o->kept.lost = o->kept.lost || o->pending.lost;
    (void)pthread_mutex_unlock(&o->lock);
    free_readings(&o->pending);
}

static void collect_doubted(struct tare_readings *to, const struct tare_reading *reading,
                            const struct tare_doubt *doubt)
{
    struct collector *c = (struct collector *)to;
    if (!tare_reading_fault(reading)) {
        struct tare_reading_record record = tare_reading_record_of(c->phase, c->meter, reading, doubt);
        add(&c->outside->pending, &record);
    }
}

static void collect(struct tare_readings *to, const struct tare_reading *reading)
{
    collect_doubted(to, reading, NULL);
}

static int64_t thread_cpu_ns(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* What this thread itself has used since the begin of the phase: the price of looking. */
static void keep_own_cpu(struct tare_outside *o, const char *phase)
{
    const struct tare_reading_record record = {.phase = phase,
                                               .meter = "harness",
                                               .name = "metering_cpu_time",
                                               .unit = "s",
                                               .kind = "measured",
                                               .scope = "supervisor's metering thread",
                                               .source = "CLOCK_THREAD_CPUTIME_ID",
                                               .value = (double)(thread_cpu_ns() - o->begin_cpu_ns) / 1e9,
                                               .u = (double)NAN,
                                               .gain = (double)NAN,
                                               .flags = ""};
    add(&o->pending, &record);
}

static void serve_meters(struct tare_outside *o, const char *phase, bool end, bool late)
{
    for (size_t i = 0; i < o->meters.n; i++) {
        const struct tare_opened_meter *m = &o->meters.list[i];
        struct collector c = {{collect, collect_doubted}, o, phase, m->ops.name};
        if (!m->opened || (m->ops.late != 0) != late) {
            continue;
        }
        if (end) {
            m->ops.end(m->self, &c.sink);
        } else {
            m->ops.begin(m->self);
        }
    }
}

static void serve_begin(struct tare_outside *o, const char *phase)
{
    free_readings(&o->pending);
    serve_meters(o, phase, false,
                 true); /* those that take long do not stand between the others and the phase */
    int64_t from_ns = tare_clock_ns();
    serve_meters(o, phase, false, false);
    o->begin_cpu_ns = thread_cpu_ns();
    o->begun_ns = tare_clock_ns();
    o->slow_ns = o->begun_ns - from_ns;
}

static void serve_end(struct tare_outside *o, const char *phase)
{
    int64_t from_ns = tare_clock_ns();
    keep_own_cpu(o, phase);
    serve_meters(o, phase, true, false);
    int64_t slow_ns = o->slow_ns + tare_clock_ns() - from_ns;
    serve_meters(o, phase, true, true);
    keep_pending(o, slow_ns > SLOW_EDGE_NS && slow_ns > (from_ns - o->begun_ns) / 100);
}

static void serve_edge(struct tare_outside *o, int edge)
{
    const char *phase = tare_phase_text(edge & ~end_bit);
    if (edge & end_bit) {
        serve_end(o, phase);
    } else {
        serve_begin(o, phase);
    }
}

/* Half to one and a half of the period, so that no load can stay in step with it. */
static void plan_sample(struct tare_outside *o, size_t i, int64_t now_ns)
{
    int64_t period_ns = o->meters.list[i].ops.period_ns;
    double period = (double)(period_ns > 0 ? period_ns : DEFAULT_PERIOD_NS);
    o->next_ns[i] = now_ns + (int64_t)(period * (0.5 + tare_rng_unit(&o->rng)));
}

static bool is_sampled(const struct tare_outside *o, size_t i)
{
    return o->meters.list[i].opened && o->meters.list[i].ops.sample;
}

static void sample_due(struct tare_outside *o)
{
    for (size_t i = 0; i < o->meters.n; i++) {
        int64_t now_ns = tare_clock_ns();
        if (is_sampled(o, i) && now_ns >= o->next_ns[i]) {
            o->meters.list[i].ops.sample(o->meters.list[i].self);
            plan_sample(o, i, now_ns);
        }
    }
}

static int wait_ms(const struct tare_outside *o)
{
    int64_t first_ns = INT64_MAX, now_ns = tare_clock_ns();
    for (size_t i = 0; i < o->meters.n; i++) {
        first_ns = is_sampled(o, i) && o->next_ns[i] < first_ns ? o->next_ns[i] : first_ns;
    }
    return first_ns == INT64_MAX ? -1 : first_ns <= now_ns ? 0 : (int)((first_ns - now_ns) / 1000000) + 1;
}

static void drop_worker(struct tare_outside *o)
{
    if (o->worker_fd >= 0) {
        close(o->worker_fd);
        o->worker_fd = -1;
    }
}

static void tell_meters(struct tare_outside *o, int64_t pid)
{
    for (size_t i = 0; i < o->meters.n; i++) {
        if (o->meters.list[i].opened && o->meters.list[i].ops.attach) {
            o->meters.list[i].ops.attach(o->meters.list[i].self, pid);
        }
    }
    o->attached = pid != 0;
}

static void serve_worker(struct tare_outside *o)
{
    unsigned char edge = 0;
    ssize_t n = read(o->worker_fd, &edge, 1);
    if (n == 1) {
        if (!o->attached) {
            tell_meters(o, o->pid);
        }
        serve_edge(o, edge);
        n = send(o->worker_fd, &edge, 1, MSG_NOSIGNAL);
    }
    if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) {
        drop_worker(o);
    }
}

static void attach(struct tare_outside *o, int64_t pid)
{
    o->pid = pid;
    if (pid == 0) {
        if (o->attached) {
            tell_meters(o, 0);
        }
        drop_worker(o);
    }
}

static double hottest_c(struct tare_outside *o)
{
    double hottest = (double)NAN;
    for (size_t i = 0; i < o->meters.n; i++) {
        const struct tare_opened_meter *m = &o->meters.list[i];
        hottest = m->opened && m->ops.temperature_c ? fmax(hottest, m->ops.temperature_c(m->self)) : hottest;
    }
    return hottest;
}

/* False: it was told to stop. */
static bool serve_caller(struct tare_outside *o)
{
    struct message m;
    double answer = 0;
    if (recv(o->answer_fd, &m, sizeof m, 0) != (ssize_t)sizeof m) {
        return errno == EINTR;
    }
    switch (m.ask) {
    case ASK_LISTEN:
        drop_worker(o);
        o->worker_fd = (int)m.value;
        break;
    case ASK_ATTACH:
        attach(o, m.value);
        break;
    case ASK_EDGE:
        serve_edge(o, (int)m.value);
        break;
    case ASK_TEMPERATURE:
        answer = hottest_c(o);
        break;
    case ASK_READY:
    case ASK_STOP:
    default:
        break;
    }
    (void)send(o->answer_fd, &answer, sizeof answer, MSG_NOSIGNAL);
    return m.ask != ASK_STOP;
}

/* An edge goes first: a worker waits for it. Answers to the caller go before it all the same, since what it
 * says (here is a worker) comes before what the worker says. */
static void *run_thread(void *arg)
{
    struct tare_outside *o = arg;
    bool go_on = true;
    for (size_t i = 0; i < o->meters.n; i++) {
        o->cost_ns[i] = tare_meter_cost_ns(&o->meters.list[i]);
    }
    while (go_on) {
        struct pollfd p[2] = {{.fd = o->answer_fd, .events = POLLIN},
                              {.fd = o->pid ? o->worker_fd : -1, .events = POLLIN}};
        (void)poll(p, 2, wait_ms(o));
        if (p[0].revents) {
            go_on = serve_caller(o);
        } else if (p[1].revents) {
            serve_worker(o);
        }
        if (go_on) {
            sample_due(o);
        }
    }
    drop_worker(o);
    return NULL;
}

/* False: no answer in time, or the user will not wait for one. The thread then hangs in some meter. */
static bool await_answer(struct tare_outside *o)
{
    struct pollfd p = {.fd = o->ask_fd, .events = POLLIN};
    for (int waited_ms = 0; waited_ms < ask_ms; waited_ms += step_ms) {
        if (poll(&p, 1, step_ms) > 0) {
            return true;
        }
        if (waited_ms >= 10 * step_ms && tare_interrupted()) {
            return false;
        }
    }
    return false;
}

static double ask(struct tare_outside *o, enum ask what, int64_t value)
{
    struct message m;
    memset(&m, 0, sizeof m);
    m.ask = what;
    m.value = value;
    double answer = (double)NAN;
    if (o->dead || send(o->ask_fd, &m, sizeof m, MSG_NOSIGNAL) != (ssize_t)sizeof m) {
        return answer;
    }
    o->dead = !await_answer(o);
    if (!o->dead && recv(o->ask_fd, &answer, sizeof answer, 0) != (ssize_t)sizeof answer) {
        answer = (double)NAN;
    }
    return answer;
}

static int hangs(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_ENVIRONMENT, "a meter outside hangs; turn it off: --meter NAME,off=true");
}

/* Signals are the main thread's: it is the one that waits in poll. */
static int start_thread(struct tare_outside *o, struct tare_err *err)
{
    int fd[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "meters: socket: %s", strerror(errno));
    }
    o->ask_fd = fd[0];
    o->answer_fd = fd[1];
    sigset_t all, before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&o->thread, NULL, run_thread, o);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r != 0) {
        close(fd[0]);
        close(fd[1]);
        return tare_err_set(err, TARE_E_ENVIRONMENT, "meters: thread: %s", strerror(r));
    }
    return 0;
}

static void prepare(struct tare_outside *o)
{
    int64_t now_ns = tare_clock_ns();
    o->worker_fd = -1;
    tare_rng_init(&o->rng, (uint64_t)now_ns); /* distances shall differ in every run */
    (void)pthread_mutex_init(&o->lock, NULL);
    for (size_t i = 0; i < o->meters.n; i++) {
        o->n_working += o->meters.list[i].opened;
        plan_sample(o, i, now_ns);
    }
}

int tare_outside_open(const struct tare_json *choices, struct tare_outside **out, struct tare_err *err)
{
    struct tare_outside *o = calloc(1, sizeof *o);
    if (!o) {
        return tare_err_set(err, TARE_E_NOMEM, "meters: out of memory");
    }
    int r = tare_meters_open(&o->meters, TARE_METER_OUTSIDE, choices, err);
    if (r < 0) {
        free(o);
        return r;
    }
    prepare(o);
    r = start_thread(o, err);
    if (r < 0) {
        tare_meters_close(&o->meters);
        (void)pthread_mutex_destroy(&o->lock);
        free(o);
        return r;
    }
    *out = o;
    return 0;
}

void tare_outside_close(struct tare_outside *o)
{
    if (!o) {
        return;
    }
    (void)ask(o, ASK_STOP, 0);
    if (o->dead) {
        return; /* a thread that hangs in a meter still uses all of it; the process ends soon */
    }
    (void)pthread_join(o->thread, NULL);
    close(o->ask_fd);
    close(o->answer_fd);
    free_readings(&o->pending);
    free_readings(&o->kept);
    tare_meters_close(&o->meters);
    (void)pthread_mutex_destroy(&o->lock);
    free(o);
}

int tare_outside_walk(struct tare_outside *o, tare_outside_meter_fn fn, void *ctx, struct tare_err *err)
{
    (void)ask(o, ASK_READY, 0); /* the thread has measured the costs first of all */
    int r = o->dead ? hangs(err) : 0;
    for (size_t i = 0; r == 0 && i < o->meters.n; i++) {
        const struct tare_opened_meter *m = &o->meters.list[i];
        r = fn(ctx, m->ops.name, m->opened ? NULL : m->absent, o->cost_ns[i], err);
    }
    return r;
}

int tare_outside_connect(struct tare_outside *o, int *out_fd, struct tare_err *err)
{
    int fd[2];
    if (!o || o->n_working == 0) {
        *out_fd = -1;
        return 0;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "meters: socket: %s", strerror(errno));
    }
    (void)ask(o, ASK_LISTEN, fd[1]);
    *out_fd = fd[0];
    return 0;
}

void tare_outside_attach(struct tare_outside *o, int64_t pid)
{
    if (o && o->n_working > 0) {
        (void)ask(o, ASK_ATTACH, pid);
    }
}

void tare_outside_edge(struct tare_outside *o, enum tare_phase_name phase, bool end)
{
    if (o && o->n_working > 0) {
        (void)ask(o, ASK_EDGE, (int64_t)phase | (end ? end_bit : 0));
    }
}

double tare_outside_temperature_c(struct tare_outside *o)
{
    return o && o->n_working > 0 ? ask(o, ASK_TEMPERATURE, 0) : (double)NAN;
}

int tare_outside_drain(struct tare_outside *o, tare_outside_reading_fn fn, void *ctx, struct tare_err *err)
{
    if (!o) {
        return 0;
    }
    (void)pthread_mutex_lock(&o->lock);
    struct readings kept = o->kept;
    memset(&o->kept, 0, sizeof o->kept);
    (void)pthread_mutex_unlock(&o->lock);
    int r = o->dead     ? hangs(err)
            : kept.lost ? tare_err_set(err, TARE_E_NOMEM, "meters: out of memory for readings")
                        : 0;
    for (size_t i = 0; r == 0 && i < kept.n; i++) {
        r = fn(ctx, &kept.list[i], err);
    }
    free_readings(&kept);
    return r;
}

bool tare_outside_say(int fd, enum tare_phase_name phase, bool end)
{
    unsigned char edge = (unsigned char)((int)phase | (end ? end_bit : 0)), answer = 0;
    if (fd < 0) {
        return true;
    }
    if (send(fd, &edge, 1, MSG_NOSIGNAL) != 1) {
        return false;
    }
    struct pollfd p = {.fd = fd, .events = POLLIN};
    int n = 0;
    while ((n = poll(&p, 1, answer_ms)) < 0 && errno == EINTR) {
    }
    if (n <= 0 || recv(fd, &answer, 1, 0) != 1) {
        (void)shutdown(fd, SHUT_RDWR); /* an answer that comes after all must not pass for the next one */
        return false;
    }
    return true;
}
