/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The decoder of the results stream: a worker that writes anything at all cannot make it read what is
 * not there. Every record that comes out is read to its last byte. The seed is a stream that the
 * writing end has made; the input is fed in pieces of any size.
 */
#include "fuzz.h"

#include "core/stream.h"

#include <string.h>
#include <tare/task.h>
#include <sys/mman.h>
#include <unistd.h>

enum { max_stream_bytes = 1 << 16 };

static unsigned long long sum; /* of what was read, so that no read is left out by the compiler */

static void read_bytes(const void *data, size_t n)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < n; i++) {
        sum += at[i];
    }
}

static int see_items(void *ctx, int64_t n, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    sum += (unsigned long long)n;
    return 0;
}

static int see_facts(void *ctx, const char *json, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    read_bytes(json, strlen(json));
    return 0;
}

static int see_phase(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    read_bytes(phase, sizeof *phase);
    fuzz_check(tare_phase_text(phase->phase)[0] != '\0', "a phase without a name");
    return 0;
}

static int see_reading(void *ctx, const struct tare_reading_record *r, struct tare_err *err)
{
    const char *texts[] = {r->phase, r->meter, r->name, r->unit, r->kind, r->scope, r->source, r->flags};
    (void)ctx;
    (void)err;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        read_bytes(texts[i], strlen(texts[i]));
    }
    fuzz_check(!r->absent || r->absent[0] != '\0', "absent for an empty reason");
    return 0;
}

/* The output lies in the decoder's own buffer, where a sanitizer does not see its end. */
static int see_sample(void *ctx, const struct tare_sample *s, struct tare_err *err)
{
    const struct tare_buf *buf = &((const struct tare_inbox *)ctx)->buf;
    (void)err;
    fuzz_check(s->output >= buf->data && s->n_output <= buf->used &&
                   s->output + s->n_output <= buf->data + buf->used,
               "a sample's output lies beyond what has come");
    read_bytes(s->records, s->n_records * sizeof *s->records);
    read_bytes(s->token_ns, s->n_token_ns * sizeof *s->token_ns);
    read_bytes(s->output, s->n_output);
    return 0;
}

static int see_end(void *ctx, const struct tare_end_frame *end, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    read_bytes(end->message, strlen(end->message));
    fuzz_check(memchr(end->message, '\0', sizeof end->message) != NULL, "a last word that does not end");
    fuzz_check(strpbrk(end->message, "\n\r\x1b") == NULL, "a last word of several lines");
    return 0;
}

static int see_scores(void *ctx, int64_t item, const double *values, size_t n, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    sum += (unsigned long long)item;
    fuzz_check(n <= TARE_MAX_COLUMNS, "more scores than a task may have");
    read_bytes(values, n * sizeof *values);
    return 0;
}

static int see_prompts(void *ctx, const char *sha256, struct tare_err *err)
{
    (void)ctx;
    (void)err;
    fuzz_check(strspn(sha256, "0123456789abcdef") == 64 && sha256[64] == '\0', "a hash that is none");
    return 0;
}

static const struct tare_inbox_ops ops = {see_items,  see_facts, see_phase,  see_reading,
                                          see_sample, see_end,   see_scores, see_prompts};

static int read_stream(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_inbox box;
    int r = 0;
    tare_inbox_init(&box);
    for (size_t at = 0; r == 0 && at < n;) {
        size_t left = n - at, piece = 1 + (size_t)tare_rng_below(rng, left);
        r = tare_inbox_feed(&box, data + at, piece, &ops, &box, err);
        at += piece;
    }
    tare_inbox_fini(&box);
    return r;
}

static void put_samples(struct tare_outbox *box)
{
    static const int64_t times[] = {100, 200, 300};
    static struct tare_request_record records[2];
    static struct tare_sample sample;
    records[0].loglik = -1;
    records[1].loglik = -2;
    sample.item = 1;
    sample.n_requests = sample.n_records = 2;
    sample.n_token_ns = 3;
    sample.n_output = 5;
    sample.records = records;
    sample.token_ns = times;
    sample.output = "hello";
    tare_outbox_put_sample(box, &sample);
    sample.n_records = sample.n_token_ns = sample.n_output = 0;
    tare_outbox_put_sample(box, &sample);
}

/* Static records: their padding is zero in every run. */
static void fill(struct tare_outbox *box)
{
    static const int64_t items = 3;
    static struct tare_phase_frame phase;
    static struct tare_end_frame end;
    struct tare_reading_record reading = {"load",      "rusage", "cpu", "s", "measured", "process",
                                          "getrusage", 1.5,      NULL,  0.5, 0.01,       "SAMPLED"};
    phase.phase = TARE_PHASE_LOAD;
    phase.end_ns = TARE_ABSENT;
    (void)snprintf(end.message, sizeof end.message, "a last word");
    tare_outbox_put(box, TARE_FRAME_PHASE, &phase, sizeof phase, NULL, 0);
    tare_outbox_put(box, TARE_FRAME_FACTS, "{\"a\":1}", 7, NULL, 0);
    tare_outbox_put_reading(box, &reading);
    reading.absent = "no such counter";
    tare_outbox_put_reading(box, &reading);
    tare_outbox_put(box, TARE_FRAME_ITEMS, &items, sizeof items, NULL, 0);
    put_samples(box);
    tare_outbox_put(box, TARE_FRAME_END, &end, sizeof end, NULL, 0);
}

/* Samples travel with the addresses of their tails, which no two runs share and nobody reads. */
static void blank_addresses(char *data, size_t n)
{
    const size_t from = offsetof(struct tare_sample, records);
    uint32_t head[2];
    for (size_t at = 0; at + sizeof head <= n; at += sizeof head + head[1]) {
        memcpy(head, data + at, sizeof head);
        if (head[0] == TARE_FRAME_SAMPLE) {
            memset(data + at + sizeof head + from, 0, sizeof(struct tare_sample) - from);
        }
    }
}

int main(void)
{
    static const char *const words[] = {"\x06\0\0\0\xff\xff\xff\x7f", NULL};
    static char data[max_stream_bytes];
    struct tare_outbox box;
    struct tare_err err = {0};
    int fd = memfd_create("stream", MFD_CLOEXEC);
    if (fd < 0 || tare_outbox_init(&box, fd, &err) < 0) {
        (void)fprintf(stderr, "stream: no memory file: %s\n", err.msg);
        return 1;
    }
    fill(&box);
    tare_outbox_flush(&box);
    tare_outbox_fini(&box);
    ssize_t n = pread(fd, data, sizeof data, 0);
    (void)close(fd);
    struct fuzz_seed seed = {data, n > 0 ? (size_t)n : 0};
    blank_addresses(data, seed.n);
    return fuzz_main(&(struct fuzz_target){"stream", &seed, 1, words, 500000, read_stream});
}
