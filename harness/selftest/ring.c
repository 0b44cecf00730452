/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ring: in n - 1 steps each rank passes a part on that it has added its own to, so that each ends up
 * with one part of the sums; in n - 1 more steps the finished parts go round. Whole numbers, so that sums
 * are exact.
 */
#include "selftest/ring.h"

#include "selftest/loopback.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { unit = 840 }; /* least common multiple of 1 .. 8 */

struct rank {
    int64_t index, ranks, n; /* n: numbers of the array */
    int to, from;            /* sockets */
    int64_t *values, *incoming;
    int64_t sent_bytes;
    int code;
    struct tare_err err;
    pthread_t id;
};

static int64_t first_value(int64_t rank, int64_t i)
{
    return (rank + 1) * (i % 1009) + rank;
}

/* Sends one part and takes another. */
static int step(struct rank *r, int64_t send_part, int64_t take_part, bool adds)
{
    int64_t n = r->n / r->ranks, *mine = r->values + take_part * n;
    size_t bytes = (size_t)n * sizeof *mine;
    int code =
        tare_loopback_exchange(r->to, r->values + send_part * n, bytes, r->from, r->incoming, bytes, &r->err);
    r->sent_bytes += code == 0 ? (int64_t)bytes : 0;
    for (int64_t i = 0; code == 0 && i < n; i++) {
        mine[i] = adds ? mine[i] + r->incoming[i] : r->incoming[i];
    }
    return code;
}

static void *run_rank(void *arg)
{
    struct rank *r = arg;
    int64_t n = r->ranks;
    for (int64_t k = 0; r->code == 0 && k < n - 1; k++) {
        r->code = step(r, (r->index - k + n) % n, (r->index - k - 1 + n) % n, true);
    }
    for (int64_t k = 0; r->code == 0 && k < n - 1; k++) {
        r->code = step(r, (r->index - k + 1 + n) % n, (r->index - k + n) % n, false);
    }
    return NULL;
}

static int64_t count_wrong(const struct rank *r)
{
    int64_t wrong = 0;
    for (int64_t i = 0; i < r->n; i++) {
        int64_t sum = 0;
        for (int64_t k = 0; k < r->ranks; k++) {
            sum += first_value(k, i);
        }
        wrong += r->values[i] != sum;
    }
    return wrong;
}

static int prepare(struct rank *ranks, int64_t n_ranks, int64_t n, struct tare_err *err)
{
    for (int64_t k = 0; k < n_ranks; k++) {
        struct rank *r = &ranks[k];
        int ends[2];
        r->index = k;
        r->ranks = n_ranks;
        r->n = n;
        r->values = malloc((size_t)n * sizeof *r->values);
        r->incoming = malloc((size_t)(n / n_ranks) * sizeof *r->incoming);
        if (!r->values || !r->incoming) {
            return tare_err_set(err, TARE_E_NOMEM, "known ring: out of memory");
        }
        for (int64_t i = 0; i < n; i++) {
            r->values[i] = first_value(k, i);
        }
        int code = tare_loopback_pair(ends, err);
        if (code < 0) {
            return code;
        }
        r->to = ends[0];
        ranks[(k + 1) % n_ranks].from = ends[1];
    }
    return 0;
}

/* Starts all, waits for all. */
static int run_all(struct rank *ranks, int64_t n_ranks, struct tare_err *err)
{
    int64_t started = 0;
    int r = 0;
    while (r == 0 && started < n_ranks) {
        r = pthread_create(&ranks[started].id, NULL, run_rank, &ranks[started]);
        started += r == 0;
    }
    /* Those that run wait for one that does not, and give up after their time. */
    for (int64_t k = 0; k < started; k++) {
        (void)pthread_join(ranks[k].id, NULL);
    }
    if (r != 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "known ring: thread: %s", strerror(r));
    }
    for (int64_t k = 0; k < n_ranks; k++) {
        if (ranks[k].code < 0) {
            return tare_err_set(err, ranks[k].code, "known ring: rank %lld: %.400s", (long long)k,
                                ranks[k].err.msg);
        }
    }
    return 0;
}

static int collect(const struct rank *ranks, struct tare_known_ring *out, struct tare_err *err)
{
    for (int64_t k = 0; k < out->ranks; k++) {
        struct tare_loopback_count count;
        int r = tare_loopback_count(ranks[k].to, &count, err);
        if (r < 0) {
            return r;
        }
        out->sent_bytes[k] = ranks[k].sent_bytes;
        out->kernel_bytes[k] = count.sent - count.again;
        out->wrong_values += count_wrong(&ranks[k]);
    }
    return 0;
}

static void clean(struct rank *ranks, int64_t n_ranks)
{
    for (int64_t k = 0; k < n_ranks; k++) {
        free(ranks[k].values);
        free(ranks[k].incoming);
        if (ranks[k].to >= 0) {
            close(ranks[k].to);
        }
        if (ranks[k].from >= 0) {
            close(ranks[k].from);
        }
    }
}

int tare_known_ring(int64_t ranks, int64_t scale, struct tare_known_ring *out, struct tare_err *err)
{
    struct rank list[TARE_KNOWN_RING_MAX];
    if (ranks < 2 || ranks > TARE_KNOWN_RING_MAX || scale < 1 || scale > 100000) {
        return tare_err_set(err, TARE_E_USAGE, "known ring: %lld ranks with scale %lld cannot be",
                            (long long)ranks, (long long)scale);
    }
    memset(list, 0, sizeof list);
    for (size_t k = 0; k < TARE_KNOWN_RING_MAX; k++) {
        list[k].to = list[k].from = -1;
    }
    struct tare_known_ring result = {.ranks = ranks, .array_bytes = unit * scale * (int64_t)sizeof(int64_t)};
    int r = prepare(list, ranks, unit * scale, err);
    r = r == 0 ? run_all(list, ranks, err) : r;
    r = r == 0 ? collect(list, &result, err) : r;
    clean(list, ranks);
    if (r == 0) {
        *out = result;
    }
    return r;
}
