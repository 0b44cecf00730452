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

/* Until the first token: what no decoding took. Only a task that generates can tell the two apart. */
static int64_t prefill_ns(const struct tare_repeat_sums *s)
{
    return s->output_tok > 0 ? s->busy_ns - s->decode_ns : 0;
}

static double prefill_tokens(const struct tare_repeat_sums *s)
{
    return per_second((double)s->prompt_tok, prefill_ns(s));
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
    {"prefill_throughput", "tok/s", "the task generates no tokens", prefill_tokens},
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

static double window_time(const struct tare_repeat_sums *s)
{
    return (double)s->window_ns;
}

static double prefill_time(const struct tare_repeat_sums *s)
{
    return s->prompt_tok > 0 ? (double)prefill_ns(s) / (double)s->prompt_tok : 0;
}

static double decode_time(const struct tare_repeat_sums *s)
{
    return s->decode_tok > 0 ? (double)s->decode_ns / (double)s->decode_tok : 0;
}

/* What is set against the baseline: a time of a repeat, 0 where there is none. */
static const struct {
    const char *name;
    const char *source; /* NULL: the evidence's, which names the baseline */
    rate_fn time;
} speedups[] = {
    {"speedup", NULL, window_time},
    {"prefill_speedup", "time to the first token per prompt token, same block, baseline over this",
     prefill_time},
    {"decode_speedup", "time per token after the first, same block, baseline over this", decode_time},
};

static int derive_speedup(const struct tare_evidence *e, size_t which, double *values,
                          struct tare_figures *to, struct tare_err *err)
{
    const char *source = speedups[which].source ? speedups[which].source
                         : e->speedup_source    ? e->speedup_source
                                                : "windows of the same block, baseline over this";
    struct tare_figure f = tare_figure_make(speedups[which].name, "x", TARE_KIND_MEASURED, source, "process");
    const char *why = tare_evidence_no_baseline(e);
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    size_t n = 0;
    const char *none = "no block was completed by both";
    tare_figure_flag_noise(&f, e);
    tare_figure_flag_noise(&f, e->baseline);
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_evidence_repeat *base = tare_evidence_partner(e, &e->repeats[i]);
        double here = base ? speedups[which].time(&e->repeats[i].sums) : 0;
        double there = base ? speedups[which].time(&base->sums) : 0;
        none = base ? "the task takes no such time" : none;
        if (base && here > 0 && there > 0) {
            tare_figure_flag_pair(&f, e, &e->repeats[i], base);
            values[n++] = there / here;
        }
    }
    return tare_figure_repeats(&f, values, n, none, to, err);
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
    for (size_t i = 0; r == 0 && i < sizeof speedups / sizeof *speedups; i++) {
        r = derive_speedup(e, i, values, to, err);
    }
    free(values);
    return r;
}
