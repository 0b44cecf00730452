/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How long the main thread was ready to run but had to wait for a CPU: the cheapest sign that others
 * disturbed the measurement. Other threads are not in it.
 */
#include <tare/meter.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct schedstat {
    int fd;
    uint64_t begin_ns;
    bool begun;
};

static int schedstat_probe(char *why, size_t n_why)
{
    if (access("/proc/self/schedstat", R_OK) == 0) {
        return 0;
    }
    (void)snprintf(why, n_why, "/proc/self/schedstat: %s", strerror(errno));
    return TARE_E_ENVIRONMENT;
}

static int schedstat_open(void *self, struct tare_err *err)
{
    struct schedstat *s = self;
    s->fd = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
    return s->fd >= 0 ? 0
                      : tare_err_set(err, TARE_E_ENVIRONMENT, "/proc/self/schedstat: %s", strerror(errno));
}

/* The second of three numbers. */
static bool read_wait(int fd, uint64_t *out)
{
    char text[128];
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    text[n > 0 ? n : 0] = '\0';
    uint64_t run = 0;
    return sscanf(text, "%" SCNu64 " %" SCNu64, &run, out) == 2;
}

static void schedstat_begin(void *self)
{
    struct schedstat *s = self;
    s->begun = read_wait(s->fd, &s->begin_ns);
}

static void schedstat_end(void *self, struct tare_readings *to)
{
    const struct schedstat *s = self;
    uint64_t end_ns = 0;
    bool ended = read_wait(s->fd, &end_ns);
    struct tare_reading reading = {.name = "run_queue_wait",
                                   .unit = "s",
                                   .scope = "main thread",
                                   .source = "/proc/self/schedstat",
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = !s->begun || !ended,
                                   .value = (double)(end_ns - s->begin_ns) / 1e9,
                                   .why = "/proc/self/schedstat could not be read"};
    to->add(to, &reading);
}

static void schedstat_close(void *self)
{
    close(((struct schedstat *)self)->fd);
}

const struct tare_meter tare_meter_schedstat = {.header = TARE_METER_HEADER,
                                                .name = "schedstat",
                                                .summary = "time spent waiting for a CPU",
                                                .priv_size = sizeof(struct schedstat),
                                                .probe = schedstat_probe,
                                                .open = schedstat_open,
                                                .begin = schedstat_begin,
                                                .end = schedstat_end,
                                                .close = schedstat_close};
