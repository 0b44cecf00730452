/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Throughput: work done in the window from the first request's start to the last answer's end, one
 * value a repeat; and the speed-up against the baseline, one ratio a block, for blocks run both
 * within minutes of each other.
 */
#include "derive.h"

#include <stdlib.h>

typedef double (*rate_fn)(const struct tare_repeat_sums *s);

static double per_second(double amount, int64_t window_ns)
{
    return amount > 0 && window_ns > 0 ? amount * 1e9 / (double)window_ns : (double)NAN;
}

static double requests(const struct tare_repeat_sums *s)
{
    return per_second((double)s->requests, s->window_ns);
}

static double all_tokens(const struct tare_repeat_sums *s)
{
    return per_second((double)s->prompt_tok + (double)s->output_tok, s->window_ns);
}

static double output_tokens(const struct tare_repeat_sums *s)
{
    return per_second((double)s->output_tok, s->window_ns);
}

static double decode_tokens(const struct tare_repeat_sums *s)
{
    return per_second((double)s->decode_tok, s->decode_ns);
}

static const struct {
    const char *name;
    const char *unit;
    const char *none;
    rate_fn rate;
} rates[] = {
    {"request_throughput", "request/s", "no request was answered", requests},
    {"token_throughput", "tok/s", "no token was processed", all_tokens},
    {"output_throughput", "tok/s", "the task generates no tokens", output_tokens},
    {"decode_throughput", "tok/s", "no request generated two tokens", decode_tokens},
};

static int derive_rate(const struct tare_evidence *e, size_t which, double *values, struct tare_figures *to,
                       struct tare_err *err)
{
    struct tare_figure f = tare_figure_make(rates[which].name, rates[which].unit, TARE_KIND_MEASURED,
                                            "CLOCK_MONOTONIC, tokens counted", "process");
    size_t n = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        double rate = e->repeats[i].complete ? rates[which].rate(&e->repeats[i].sums) : (double)NAN;
        if (isfinite(rate)) {
            values[n++] = rate;
        }
    }
    tare_figure_flag_noise(&f, e);
    return tare_figure_repeats(
        &f, values, n, tare_evidence_complete(e) ? rates[which].none : "no repeat was completed", to, err);
}

/* The baseline's repeat of the same block, if both are complete. */
static const struct tare_repeat_sums *partner(const struct tare_evidence *e,
                                              const struct tare_evidence_repeat *r)
{
    for (size_t i = 0; r->complete && i < e->baseline->n_repeats; i++) {
        const struct tare_evidence_repeat *other = &e->baseline->repeats[i];
        if (other->complete && other->block == r->block) {
            return &other->sums;
        }
    }
    return NULL;
}

static int derive_speedup(const struct tare_evidence *e, double *values, struct tare_figures *to,
                          struct tare_err *err)
{
    struct tare_figure f = tare_figure_make("speedup", "x", TARE_KIND_MEASURED,
                                            "windows of the same block, baseline over this", "process");
    if (e->is_baseline) {
        return tare_figure_absent(&f, "this is the baseline", to, err);
    }
    if (!e->baseline) {
        return tare_figure_absent(
            &f, e->baseline_name ? "the baseline has no such task" : "the plan names no baseline", to, err);
    }
    size_t n = 0;
    tare_figure_flag_noise(&f, e);
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_repeat_sums *mine = &e->repeats[i].sums, *base = partner(e, &e->repeats[i]);
        if (!base || mine->window_ns <= 0) {
            continue;
        }
        if (base->samples != mine->samples || base->output_tok != mine->output_tok) {
            tare_figure_flag(&f, "UNEQUAL_WORK");
        }
        values[n++] = (double)base->window_ns / (double)mine->window_ns;
    }
    return tare_figure_repeats(&f, values, n, "no block was completed by both", to, err);
}

int tare_derive_throughput(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_throughput(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    double *values = calloc(e->n_repeats + 1, sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof rates / sizeof *rates; i++) {
        r = derive_rate(e, i, values, to, err);
    }
    r = r == 0 ? derive_speedup(e, values, to, err) : r;
    free(values);
    return r;
}
