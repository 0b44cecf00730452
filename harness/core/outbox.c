/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's end of the results stream: a linear buffer that empties into a non-blocking pipe. */
#include "core/stream.h"

#include "base/clock.h"
#include "core/stream_version.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { outbox_bytes = 1024 * 1024, due_bytes = 32 * 1024, due_ns = 100 * 1000 * 1000 };

int tare_outbox_init(struct tare_outbox *box, int fd, struct tare_err *err)
{
    memset(box, 0, sizeof *box);
    box->fd = fd;
    box->cap = outbox_bytes;
    box->data = malloc(box->cap);
    if (!box->data) {
        return tare_err_set(err, TARE_E_NOMEM, "results stream: out of memory");
    }
    /* Touched now, not inside the measured window. With 0 the compiler would make it a calloc, which
     * touches nothing. */
    memset(box->data, 0xff, box->cap);
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        tare_outbox_fini(box);
        return tare_err_set(err, TARE_E_IO, "results stream: %s", strerror(errno));
    }
    (void)fcntl(fd, F_SETPIPE_SZ, 1024 * 1024);
    uint32_t version = TARE_STREAM_VERSION;
    tare_outbox_put(box, TARE_FRAME_HELLO, &version, sizeof version, NULL, 0);
    return 0;
}

void tare_outbox_fini(struct tare_outbox *box)
{
    free(box->data);
    memset(box, 0, sizeof *box);
}

/* Writes as much as the pipe takes; false when it takes no more. */
static bool write_some(struct tare_outbox *box)
{
    while (box->sent < box->used && !box->broken) {
        ssize_t n = write(box->fd, box->data + box->sent, box->used - box->sent);
        if (n > 0) {
            box->sent += (size_t)n;
        } else if (n < 0 && errno == EAGAIN) {
            return false;
        } else if (n < 0 && errno != EINTR) {
            box->broken = true;
        }
    }
    box->used = box->sent = 0;
    return true;
}

void tare_outbox_flush(struct tare_outbox *box)
{
    while (!write_some(box)) {
        struct pollfd p = {.fd = box->fd, .events = POLLOUT};
        (void)poll(&p, 1, -1);
    }
}

/* Copies the bytes in; where they are more than there is room for, waits for the supervisor to take
 * what is there, so that a frame of any size gets through. */
static void append(struct tare_outbox *box, const void *data, size_t n)
{
    const char *from = data;
    while (n > 0 && !box->broken) {
        size_t room = box->cap - box->used;
        size_t part = n < room ? n : room;
        memcpy(box->data + box->used, from, part);
        box->used += part;
        from += part;
        n -= part;
        if (n > 0) {
            int64_t begin_ns = tare_clock_ns();
            tare_outbox_flush(box);
            box->stalls++;
            box->stall_ns += tare_clock_ns() - begin_ns;
        }
    }
}

static void begin_frame(struct tare_outbox *box, enum tare_frame_type type, size_t n)
{
    uint32_t head[2] = {(uint32_t)type, (uint32_t)n};
    append(box, head, sizeof head);
}

void tare_outbox_put(struct tare_outbox *box, enum tare_frame_type type, const void *a, size_t n_a,
                     const void *b, size_t n_b)
{
    begin_frame(box, type, n_a + n_b);
    append(box, a, n_a);
    append(box, b, n_b);
}

void tare_outbox_put_sample(struct tare_outbox *box, const struct tare_sample *s)
{
    size_t n_records = s->n_records * sizeof *s->records;
    size_t n_times = s->n_token_ns * sizeof *s->token_ns;
    begin_frame(box, TARE_FRAME_SAMPLE, sizeof *s + n_records + n_times + s->n_output);
    append(box, s, sizeof *s);
    append(box, s->records, n_records);
    append(box, s->token_ns, n_times);
    append(box, s->output, s->n_output);
}

void tare_outbox_put_reading(struct tare_outbox *box, const struct tare_reading_record *r)
{
    const char *texts[] = {r->phase,
                           r->meter,
                           r->name,
                           r->unit,
                           r->kind,
                           r->scope,
                           r->source,
                           r->absent ? r->absent : "",
                           r->flags ? r->flags : ""};
    const double numbers[] = {r->value, r->u, r->gain};
    char packed[1200];
    size_t used = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        size_t n = strnlen(texts[i], 120);
        memcpy(packed + used, texts[i], n);
        packed[used + n] = '\0';
        used += n + 1;
    }
    tare_outbox_put(box, TARE_FRAME_READING, numbers, sizeof numbers, packed, used);
}

void tare_outbox_pump(struct tare_outbox *box, int64_t now_ns)
{
    size_t pending = box->used - box->sent;
    if (pending >= due_bytes || (pending > 0 && now_ns - box->last_flush_ns >= due_ns)) {
        (void)write_some(box);
        box->last_flush_ns = now_ns;
    }
}
