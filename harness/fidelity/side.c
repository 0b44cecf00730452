/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to a child and back, each held against what it may be. */
#include "fidelity/side.h"

#include "base/buf.h"
#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <tare/backend.h>

static int64_t deadline(const struct tare_side *s)
{
    return tare_clock_ns() + s->child.time_limit_ns;
}

static int nonsense(struct tare_side *s, const char *doing)
{
    return tare_child_condemn(&s->child, "crash: the process talks nonsense in %s", doing);
}

static int no_memory(struct tare_side *s, struct tare_err *err)
{
    tare_child_drop(&s->child);
    return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", s->who);
}

static int send_frame(struct tare_side *s, enum tare_lockstep_frame type, const void *a, size_t n_a,
                      const void *b, size_t n_b, struct tare_err *err)
{
    const struct tare_lockstep_frame_head head = {(uint32_t)type, (uint32_t)(n_a + n_b)};
    int r = tare_child_send(&s->child, &head, sizeof head, "a request", err);
    r = r == 0 ? tare_child_send(&s->child, a, n_a, "a request", err) : r;
    return r == 0 && n_b ? tare_child_send(&s->child, b, n_b, "a request", err) : r;
}

static int read_head(struct tare_side *s, struct tare_lockstep_frame_head *head, const char *doing,
                     struct tare_err *err)
{
    return tare_child_read(&s->child, head, sizeof *head, doing, deadline(s), err);
}

/* A frame of this type, which has exactly n bytes and then ids; *out_rest how many bytes of those. */
static int expect(struct tare_side *s, enum tare_lockstep_frame type, void *to, size_t n, size_t *out_rest,
                  const char *doing, struct tare_err *err)
{
    struct tare_lockstep_frame_head head = {0, 0};
    int r = read_head(s, &head, doing, err);
    if (r != 0) {
        return r;
    }
    bool fits = head.bytes >= n && head.bytes <= TARE_LOCKSTEP_MOST_BYTES && (out_rest || head.bytes == n);
    if (head.type != (uint32_t)type || !fits) {
        return nonsense(s, doing);
    }
    if (out_rest) {
        *out_rest = head.bytes - n;
    }
    return tare_child_read(&s->child, to, n, doing, deadline(s), err);
}

/* n_bytes of ids. */
static int read_ids(struct tare_side *s, size_t n_bytes, const char *doing, struct tare_err *err)
{
    size_t n = n_bytes / sizeof *s->ids;
    if (n_bytes % sizeof *s->ids != 0) {
        return nonsense(s, doing);
    }
    if (n > s->cap_ids) {
        int32_t *ids = realloc(s->ids, n * sizeof *ids);
        if (!ids) {
            return no_memory(s, err);
        }
        s->ids = ids;
        s->cap_ids = n;
    }
    s->n_ids = n;
    return n ? tare_child_read(&s->child, s->ids, n_bytes, doing, deadline(s), err) : 0;
}

static int read_facts(struct tare_side *s, size_t n, struct tare_err *err)
{
    char *facts = calloc(n + 1, 1);
    if (!facts) {
        return no_memory(s, err);
    }
    int r = n ? tare_child_read(&s->child, facts, n, "load", deadline(s), err) : 0;
    free(s->facts);
    s->facts = facts;
    return r;
}

static int make_row(struct tare_side *s, struct tare_err *err)
{
    if (s->hello.n_vocab < 1 || s->hello.n_vocab > INT32_MAX / 8) {
        tare_child_drop(&s->child);
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "the %s does not say how many tokens its vocabulary has, so that its rows have no "
            "length",
            s->who);
    }
    free(s->row);
    s->row = calloc((size_t)s->hello.n_vocab, sizeof *s->row);
    return s->row ? 0 : no_memory(s, err);
}

int tare_side_open(struct tare_side *s, struct tare_err *err)
{
    size_t rest = 0;
    if (s->child.running) {
        return 0;
    }
    s->prepared = s->pending = false;
    int r = tare_child_start(&s->child, s->spec, err);
    r = r == 0 ? expect(s, TARE_LOCKSTEP_HELLO, &s->hello, sizeof s->hello, &rest, "load", err) : r;
    s->hello.message[sizeof s->hello.message - 1] = '\0';
    r = r == 0 ? read_facts(s, rest, err) : r;
    if (r == 0 && s->hello.code < 0) {
        tare_child_drop(&s->child);
        return tare_err_set(err, s->hello.code, "%s: %.480s", s->who, s->hello.message);
    }
    return r == 0 ? make_row(s, err) : r;
}

int tare_side_prepare(struct tare_side *s, const struct tare_lockstep_prepare *wanted, struct tare_err *err)
{
    if (s->prepared) {
        return 0;
    }
    int r = send_frame(s, TARE_LOCKSTEP_PREPARE, wanted, sizeof *wanted, NULL, 0, err);
    r = r == 0 ? expect(s, TARE_LOCKSTEP_PREPARED, &s->told, sizeof s->told, NULL, "tokenize", err) : r;
    s->told.message[sizeof s->told.message - 1] = '\0';
    if (r == 0 && s->told.code < 0) {
        return tare_err_set(err, s->told.code, "%s: %.480s", s->who, s->told.message);
    }
    s->prepared = r == 0;
    return r;
}

int tare_side_ask(struct tare_side *s, size_t item, uint32_t request, struct tare_err *err)
{
    const struct tare_lockstep_ask ask = {.item = item, .request = request};
    s->pending = true;
    return send_frame(s, TARE_LOCKSTEP_ASK, &ask, sizeof ask, NULL, 0, err);
}

int tare_side_feed(struct tare_side *s, const int32_t *ids, uint32_t n, uint32_t first, struct tare_err *err)
{
    const struct tare_lockstep_feed feed = {.first = first, .n = n};
    s->pending = true;
    return send_frame(s, TARE_LOCKSTEP_FEED, &feed, sizeof feed, ids, n * sizeof *ids, err);
}

int tare_side_head(struct tare_side *s, struct tare_err *err)
{
    size_t rest = 0;
    int r = expect(s, TARE_LOCKSTEP_HEAD, &s->head, sizeof s->head, &rest, "a request", err);
    r = r == 0 ? read_ids(s, rest, "a request", err) : r;
    if (r == 0 && (s->n_ids != s->head.n_tokens || s->head.first > s->head.n_tokens)) {
        return nonsense(s, "a request");
    }
    return r;
}

static int read_end(struct tare_side *s, uint32_t bytes, struct tare_err *err)
{
    if (bytes != sizeof s->end) {
        return nonsense(s, "a request");
    }
    int r = tare_child_read(&s->child, &s->end, sizeof s->end, "a request", deadline(s), err);
    s->end.message[sizeof s->end.message - 1] = '\0';
    s->pending = r != 0;
    return r == 0 ? 2 : r;
}

int tare_side_row(struct tare_side *s, struct tare_err *err)
{
    struct tare_lockstep_frame_head head = {0, 0};
    size_t n_row = (size_t)s->hello.n_vocab * sizeof *s->row;
    int r = read_head(s, &head, "a logits request", err);
    if (r != 0) {
        return r;
    }
    if (head.type == TARE_LOCKSTEP_END) {
        return read_end(s, head.bytes, err);
    }
    if (head.type != TARE_LOCKSTEP_ROW || head.bytes != sizeof s->position + n_row) {
        return nonsense(s, "a logits request");
    }
    r = tare_child_read(&s->child, &s->position, sizeof s->position, "a logits request", deadline(s), err);
    return r == 0 ? tare_child_read(&s->child, s->row, n_row, "a logits request", deadline(s), err) : r;
}

int tare_side_tokens(struct tare_side *s, struct tare_err *err)
{
    struct tare_lockstep_frame_head head = {0, 0};
    int r = read_head(s, &head, "a generate request", err);
    if (r == 0 && head.type == TARE_LOCKSTEP_TOKENS && head.bytes <= TARE_LOCKSTEP_MOST_BYTES) {
        r = read_ids(s, head.bytes, "a generate request", err);
        r = r == 0 ? read_head(s, &head, "a generate request", err) : r;
    }
    if (r == 0) {
        r = head.type == TARE_LOCKSTEP_END ? read_end(s, head.bytes, err) : nonsense(s, "a generate request");
    }
    return r == 2 ? 0 : r;
}

/* n bytes of no interest. */
static int pass_over(struct tare_side *s, size_t n, struct tare_err *err)
{
    char dropped[4096];
    int r = 0;
    while (r == 0 && n > 0) {
        size_t part = n < sizeof dropped ? n : sizeof dropped;
        r = tare_child_read(&s->child, dropped, part, "a request", deadline(s), err);
        n -= part;
    }
    return r;
}

int tare_side_skip(struct tare_side *s, struct tare_err *err)
{
    int r = 0;
    while (r == 0 && s->child.running && s->pending) {
        struct tare_lockstep_frame_head head = {0, 0};
        r = read_head(s, &head, "a request", err);
        r = r != 0                           ? r
            : head.type == TARE_LOCKSTEP_END ? read_end(s, head.bytes, err)
                                             : pass_over(s, head.bytes, err);
    }
    return r == 2 ? 0 : r;
}

void tare_side_look(struct tare_side *s)
{
    char path[64];
    struct tare_buf buf;
    if (!s->child.running) {
        return;
    }
    tare_buf_init(&buf, 1 << 16);
    (void)snprintf(path, sizeof path, "/proc/%d/status", (int)s->child.process.pid);
    bool read = tare_buf_read_file(&buf, path, NULL) == 0;
    const char *at = read ? strstr(tare_buf_str(&buf), "\nVmHWM:") : NULL;
    int64_t bytes = at ? strtoll(at + 7, NULL, 10) * 1024 : -1;
    s->peak_rss_bytes = bytes > s->peak_rss_bytes ? bytes : s->peak_rss_bytes;
    tare_buf_fini(&buf);
}

void tare_side_fini(struct tare_side *s)
{
    tare_child_drop(&s->child);
    free(s->facts);
    free(s->ids);
    free(s->row);
    memset(s, 0, sizeof *s);
}
