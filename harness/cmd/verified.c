/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of the store into a sentence; models alike share a clause. */
#include "cmd/verified.h"

#include <string.h>

enum { most_named = 8 };

struct caption {
    struct tare_buf *to;
    int64_t n, without;
    struct tare_buf none; /* names of those without */
};

static void add_name(struct tare_buf *to, const struct tare_verified *row)
{
    bool plain = strcmp(row->technique, "baseline") == 0;
    tare_buf_printf(to, "%.60s%s%.60s", row->model, plain ? "" : " with ", plain ? "" : row->technique);
}

static int take(void *ctx, const struct tare_verified *row, struct tare_err *err)
{
    struct caption *c = ctx;
    (void)err;
    c->n++;
    if (row->id == TARE_ABSENT) {
        if (c->without++ < most_named) {
            tare_buf_add_str(&c->none, c->without > 1 ? ", " : "");
            add_name(&c->none, row);
        }
        return 0;
    }
    if (c->n - c->without > most_named) {
        return 0;
    }
    tare_buf_add_str(c->to, " Verified: ");
    add_name(c->to, row);
    tare_buf_printf(
        c->to, ", certificate %lld of %s: %lld checks passed, %lld failed%s%.200s%s, %lld not applicable",
        (long long)row->id, row->made_utc, (long long)row->n_pass, (long long)row->n_fail,
        row->failed ? " (" : "", row->failed ? row->failed : "", row->failed ? ")" : "",
        (long long)row->n_absent);
    tare_buf_printf(c->to, row->reference ? "; against %.100s." : ".", row->reference);
    return 0;
}

int tare_verified_caption(struct tare_store *store, int64_t run_id, struct tare_buf *to, struct tare_err *err)
{
    struct caption c = {.to = to};
    tare_buf_init(&c.none, 1 << 16);
    int r = tare_query_verified(store, run_id, take, &c, err);
    if (r == 0 && c.without == c.n) {
        tare_buf_add_str(to, " No backend verified with these options: run 'tare verify'.");
    } else if (r == 0 && c.without > 0) {
        tare_buf_printf(to, " Not verified ('tare verify'): %s%s.", tare_buf_str(&c.none),
                        c.without > most_named ? " and others" : "");
    }
    tare_buf_fini(&c.none);
    return r;
}
