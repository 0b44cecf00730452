/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's end of the results stream: bytes into frames, frames into calls. */
#include "core/stream.h"

#include "base/plain.h"
#include "core/stream_version.h"

#include <tare/task.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { max_frame_bytes = 8 * 1024 * 1024, read_bytes = 256 * 1024 };

void tare_inbox_init(struct tare_inbox *box)
{
    tare_buf_init(&box->buf, max_frame_bytes + read_bytes);
    box->greeted = false;
    box->ended = false;
}

void tare_inbox_fini(struct tare_inbox *box)
{
    tare_buf_fini(&box->buf);
}

static int bad_frame(const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_FORMAT, "results stream of the worker: %s", why);
}

static int take_sample(const struct tare_inbox_ops *ops, void *ctx, const char *data, size_t n,
                       struct tare_err *err)
{
    struct tare_sample s;
    if (n < sizeof s) {
        return bad_frame("a sample is cut short", err);
    }
    memcpy(&s, data, sizeof s);
    uint64_t records = (uint64_t)s.n_records * sizeof *s.records;
    uint64_t times = (uint64_t)s.n_token_ns * sizeof *s.token_ns;
    if (sizeof s + records + times + s.n_output != n) {
        return bad_frame("a sample's parts do not add up", err);
    }
    /* The tails are moved to aligned memory: the stream packs them. */
    char *tails = malloc((size_t)(records + times) + 1);
    if (!tails) {
        return tare_err_set(err, TARE_E_NOMEM, "results stream: out of memory");
    }
    memcpy(tails, data + sizeof s, (size_t)(records + times));
    s.records = (const struct tare_request_record *)(void *)tails;
    s.token_ns = (const int64_t *)(void *)(tails + records);
    s.output = data + sizeof s + records + times;
    int r = ops->sample(ctx, &s, err);
    free(tails);
    return r;
}

static int take_reading(const struct tare_inbox_ops *ops, void *ctx, const char *data, size_t n,
                        struct tare_err *err)
{
    struct tare_reading_record r = {0};
    const char **texts[] = {&r.phase, &r.meter,  &r.name,   &r.unit, &r.kind,
                            &r.scope, &r.source, &r.absent, &r.flags};
    double numbers[3];
    if (n < sizeof numbers) {
        return bad_frame("a reading is cut short", err);
    }
    memcpy(numbers, data, sizeof numbers);
    r.value = numbers[0];
    r.u = numbers[1];
    r.gain = numbers[2];
    size_t at = sizeof numbers;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const char *end = memchr(data + at, '\0', n - at);
        if (!end) {
            return bad_frame("a reading is cut short", err);
        }
        *texts[i] = data + at;
        at = (size_t)(end - data) + 1;
    }
    r.absent = *r.absent ? r.absent : NULL;
    return ops->reading(ctx, &r, err);
}

static int take_hello(struct tare_inbox *box, const char *data, size_t n, struct tare_err *err)
{
    uint32_t version = 0;
    if (n == sizeof version) {
        memcpy(&version, data, sizeof version);
    }
    if (version != TARE_STREAM_VERSION) {
        return bad_frame("the worker is a tare whose results stream has another version than ours", err);
    }
    box->greeted = true;
    return 0;
}

/* Fixed-size payloads. */
static int take_plain(const struct tare_inbox_ops *ops, void *ctx, uint32_t type, const char *data, size_t n,
                      struct tare_err *err)
{
    union {
        int64_t items;
        struct tare_phase_frame phase;
        struct tare_end_frame end;
    } u;
    memset(&u, 0, sizeof u);
    size_t size = type == TARE_FRAME_ITEMS   ? sizeof u.items
                  : type == TARE_FRAME_PHASE ? sizeof u.phase
                                             : sizeof u.end;
    if (n != size) {
        return bad_frame("a frame has the wrong size", err);
    }
    memcpy(&u, data, n);
    if (type == TARE_FRAME_ITEMS) {
        return ops->items(ctx, u.items, err);
    }
    if (type == TARE_FRAME_PHASE) {
        return ops->phase(ctx, &u.phase, err);
    }
    u.end.message[sizeof u.end.message - 1] = '\0';
    tare_plain_line(u.end.message); /* a backend's words */
    return ops->end(ctx, &u.end, err);
}

static int take_facts(const struct tare_inbox_ops *ops, void *ctx, const char *data, size_t n,
                      struct tare_err *err)
{
    char *text = strndup(data, n);
    int r = text ? ops->facts(ctx, text, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    free(text);
    return r;
}

static int take_scores(const struct tare_inbox_ops *ops, void *ctx, const char *data, size_t n,
                       struct tare_err *err)
{
    double values[TARE_MAX_COLUMNS];
    int64_t item = 0;
    if (n < sizeof item || (n - sizeof item) % sizeof *values != 0 || n - sizeof item > sizeof values) {
        return bad_frame("scores have the wrong size", err);
    }
    memcpy(&item, data, sizeof item);
    memcpy(values, data + sizeof item, n - sizeof item);
    return ops->scores(ctx, item, values, (n - sizeof item) / sizeof *values, err);
}

static int take_prompts(const struct tare_inbox_ops *ops, void *ctx, const char *data, size_t n,
                        struct tare_err *err)
{
    char sha256[65];
    if (n != sizeof sha256 - 1) {
        return bad_frame("a hash has the wrong size", err);
    }
    for (size_t i = 0; i < n; i++) {
        if (!strchr("0123456789abcdef", data[i]) || !data[i]) {
            return bad_frame("a hash is none", err);
        }
    }
    memcpy(sha256, data, n);
    sha256[n] = '\0';
    return ops->prompts(ctx, sha256, err);
}

static int take_frame(struct tare_inbox *box, uint32_t type, const char *data, size_t n,
                      const struct tare_inbox_ops *ops, void *ctx, struct tare_err *err)
{
    if (!box->greeted && type != TARE_FRAME_HELLO) {
        return bad_frame("it does not begin with a greeting", err);
    }
    if (box->ended) {
        return bad_frame("something follows its end", err);
    }
    box->ended = type == TARE_FRAME_END;
    switch (type) {
    case TARE_FRAME_HELLO:
        return take_hello(box, data, n, err);
    case TARE_FRAME_FACTS:
        return take_facts(ops, ctx, data, n, err);
    case TARE_FRAME_READING:
        return take_reading(ops, ctx, data, n, err);
    case TARE_FRAME_SAMPLE:
        return take_sample(ops, ctx, data, n, err);
    case TARE_FRAME_SCORES:
        return take_scores(ops, ctx, data, n, err);
    case TARE_FRAME_PROMPTS:
        return take_prompts(ops, ctx, data, n, err);
    case TARE_FRAME_ITEMS:
    case TARE_FRAME_PHASE:
    case TARE_FRAME_END:
        return take_plain(ops, ctx, type, data, n, err);
    default:
        return bad_frame("unknown frame", err);
    }
}

int tare_inbox_feed(struct tare_inbox *box, const void *data, size_t n, const struct tare_inbox_ops *ops,
                    void *ctx, struct tare_err *err)
{
    tare_buf_add(&box->buf, data, n);
    int r = tare_buf_check(&box->buf, "results stream", err);
    size_t at = 0;
    while (r == 0 && box->buf.used - at >= 8) {
        uint32_t head[2];
        memcpy(head, box->buf.data + at, sizeof head);
        if (head[1] > max_frame_bytes - 8) {
            return bad_frame("a frame claims to be too large", err);
        }
        if (box->buf.used - at - 8 < head[1]) {
            break;
        }
        r = take_frame(box, head[0], box->buf.data + at + 8, head[1], ops, ctx, err);
        at += 8 + (size_t)head[1];
    }
    tare_buf_drop(&box->buf, at);
    return r;
}

int tare_inbox_read(struct tare_inbox *box, int fd, const struct tare_inbox_ops *ops, void *ctx,
                    struct tare_err *err)
{
    static char chunk[read_bytes];
    ssize_t n = read(fd, chunk, sizeof chunk);
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return 1;
    }
    if (n < 0) {
        return tare_err_set(err, TARE_E_IO, "results stream: %s", strerror(errno));
    }
    if (n == 0) {
        return 0;
    }
    int r = tare_inbox_feed(box, chunk, (size_t)n, ops, ctx, err);
    return r < 0 ? r : 1;
}
