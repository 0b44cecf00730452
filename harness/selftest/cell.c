/* SPDX-License-Identifier: Apache-2.0 */
/* A plan of one cell through the real supervisor. */
#include "selftest/cell.h"

#include "core/plan.h"
#include "core/supervisor.h"
#include "stats/interval.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int on_items(void *ctx, int64_t n, struct tare_err *err)
{
    struct tare_known_cell *c = ctx;
    if (n < 0 || n > 10000000) {
        return tare_err_set(err, TARE_E_LIMIT, "self-test: a cell of %lld items", (long long)n);
    }
    c->latency_ns = calloc((size_t)n + 1, sizeof *c->latency_ns);
    c->cap = (size_t)n;
    return c->latency_ns ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static int on_facts(void *ctx, const char *json, struct tare_err *err)
{
    (void)ctx;
    (void)json;
    (void)err;
    return 0;
}

static int on_phase(void *ctx, const struct tare_phase_frame *phase, struct tare_err *err)
{
    struct tare_known_cell *c = ctx;
    (void)err;
    if (phase->phase == TARE_PHASE_MEASURE && phase->end_ns != TARE_ABSENT) {
        c->measure_ns = phase->end_ns - phase->begin_ns;
    }
    return 0;
}

static int on_reading(void *ctx, const struct tare_reading_record *reading, struct tare_err *err)
{
    (void)ctx;
    (void)reading;
    (void)err;
    return 0;
}

static int64_t add_known(int64_t sum, int64_t more)
{
    return sum == TARE_ABSENT || more == TARE_ABSENT ? TARE_ABSENT : sum + more;
}

static int on_sample(void *ctx, const struct tare_sample *sample, struct tare_err *err)
{
    struct tare_known_cell *c = ctx;
    if (c->n == c->cap) {
        return tare_err_set(err, TARE_E_FORMAT, "self-test: more samples than items");
    }
    c->latency_ns[c->n++] = (double)sample->latency_ns;
    c->prefill_flops = add_known(c->prefill_flops, sample->prefill_flops);
    c->decode_flops = add_known(c->decode_flops, sample->decode_flops);
    return 0;
}

static int conclude(const struct tare_supervised *ended, struct tare_err *err)
{
    return ended->outcome == TARE_OUTCOME_OK ? 0
           : ended->outcome == TARE_OUTCOME_SKIP
               ? tare_err_set(err, TARE_E_UNSUPPORTED, "%.500s", ended->message)
               : tare_err_set(err, TARE_E_BACKEND, "%.500s", ended->message);
}

int tare_known_cell_run(const struct tare_paths *paths, const char *plan_text, struct tare_outside *outside,
                        struct tare_known_cell *out, struct tare_err *err)
{
    static const struct tare_inbox_ops ops = {on_items,  on_facts, on_phase, on_reading,
                                              on_sample, NULL,     NULL,     NULL};
    struct tare_plan plan;
    struct tare_supervised ended = {0};
    memset(out, 0, sizeof *out);
    int r = tare_plan_parse(plan_text, strlen(plan_text), "self-test", NULL, paths, &plan, err);
    if (r < 0) {
        return r;
    }
    struct tare_supervise_args args = {.exe = paths->exe,
                                       .spec = plan.cells[0].spec,
                                       .time_limit_ns = plan.options.time_limit_ns,
                                       .ops = &ops,
                                       .ctx = out,
                                       .outside = outside};
    r = tare_supervise(&args, &ended, err);
    tare_plan_fini(&plan);
    return r == 0 ? conclude(&ended, err) : r;
}

void tare_known_cell_fini(struct tare_known_cell *cell)
{
    free(cell->latency_ns);
    memset(cell, 0, sizeof *cell);
}

double tare_known_cell_median(struct tare_known_cell *cell)
{
    tare_sort(cell->latency_ns, cell->n);
    return cell->n ? tare_quantile(cell->latency_ns, cell->n, 0.5) : (double)NAN;
}
