/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much of the machine was used: achieved FLOP/s and B/s, their shares of the peaks (MFU, HFU, MBU), the
 * arithmetic intensity, and what the roofline allows. Counted work over clock time, set against peaks that
 * the evidence brings along; without a peak the shares are absent. A share above 1 is shown as it is and
 * flagged OVER_PEAK: the work fitted into a cache, was not all done, or the peak is wrong.
 *
 * Formulas: MFU and HFU after Chowdhery et al. 2022 (appendix B), for inference with the FLOPs of a forward
 * pass; MBU = (bytes of the weights + of the state) / time per output token / peak bandwidth; roofline after
 * Williams, Waterman and Patterson 2009: attainable = min(peak, intensity x bandwidth).
 */
#include "derive.h"

#include <stdlib.h>
#include <string.h>

static const char no_peak[] =
    "no peak is known; run 'tare selftest' or give --peak-flops and --peak-bandwidth";

/* What a figure needs before it can be computed. */
enum need { NEED_FLOPS = 1, NEED_BYTES = 2, NEED_PEAK_FLOPS = 4, NEED_PEAK_BYTES = 8 };

typedef double (*value_fn)(const struct tare_evidence *e, const struct tare_evidence_repeat *r);

struct share {
    const char *name, *unit, *source;
    const char *none; /* why it is absent although everything it needs is there */
    unsigned needs;
    bool of_peak; /* above 1 it is flagged */
    value_fn value;
};

static int weaker(int a, int b)
{
    return a > b ? a : b;
}

static double over(double a, double b)
{
    return a > 0 && b > 0 ? a / b : (double)NAN;
}

/* Until the first token. A task that generates nothing does nothing else. */
static double prefill_s(const struct tare_repeat_sums *s)
{
    return (double)(s->busy_ns - s->decode_ns) / 1e9;
}

static double decode_s(const struct tare_repeat_sums *s)
{
    return (double)s->decode_ns / 1e9;
}

static double window_s(const struct tare_repeat_sums *s)
{
    return (double)s->window_ns / 1e9;
}

static double counted_flops(const struct tare_repeat_sums *s)
{
    return (double)s->prefill_flops + (double)s->decode_flops;
}

static double prefill_rate(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    (void)e;
    return over((double)r->sums.prefill_flops, prefill_s(&r->sums));
}

static double decode_rate(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    (void)e;
    return over((double)r->sums.decode_flops, decode_s(&r->sums));
}

static double prefill_bandwidth(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    (void)e;
    return over((double)r->sums.prefill_bytes, prefill_s(&r->sums));
}

static double decode_bandwidth(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    (void)e;
    return over((double)r->sums.decode_bytes, decode_s(&r->sums));
}

static double mfu(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    return over(over(counted_flops(&r->sums), window_s(&r->sums)), e->peak_flops);
}

static double mfu_prefill(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    return over(prefill_rate(e, r), e->peak_flops);
}

static double mfu_decode(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    return over(decode_rate(e, r), e->peak_flops);
}

static double mbu_counted(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    return over(decode_bandwidth(e, r), e->peak_bytes_per_s);
}

static double prefill_intensity(const struct tare_repeat_sums *s)
{
    return over((double)s->prefill_flops, (double)s->prefill_bytes);
}

static double decode_intensity(const struct tare_repeat_sums *s)
{
    return over((double)s->decode_flops, (double)s->decode_bytes);
}

/* FLOP/s that the roofline allows at this intensity. */
static double attainable(const struct tare_evidence *e, double intensity)
{
    double by_memory = intensity * e->peak_bytes_per_s;
    return by_memory < e->peak_flops ? by_memory : intensity > 0 ? e->peak_flops : (double)NAN;
}

static double prefill_of_roofline(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    return over(prefill_rate(e, r), attainable(e, prefill_intensity(&r->sums)));
}

static double decode_of_roofline(const struct tare_evidence *e, const struct tare_evidence_repeat *r)
{
    return over(decode_rate(e, r), attainable(e, decode_intensity(&r->sums)));
}

static const char no_decode[] = "no request generated two tokens";
static const char no_prefill[] = "no time was spent before first tokens";

enum { NEED_ROOF = NEED_FLOPS | NEED_BYTES | NEED_PEAK_FLOPS | NEED_PEAK_BYTES };

static const struct share shares[] = {
    {"achieved_flops_prefill", "FLOP/s", "counted FLOPs / time to the first token", no_prefill, NEED_FLOPS,
     false, prefill_rate},
    {"achieved_flops_decode", "FLOP/s", "counted FLOPs / time after the first token", no_decode, NEED_FLOPS,
     false, decode_rate},
    {"achieved_bytes_prefill", "B/s", "counted bytes / time to the first token", no_prefill, NEED_BYTES,
     false, prefill_bandwidth},
    {"achieved_bytes_decode", "B/s", "counted bytes / time after the first token", no_decode, NEED_BYTES,
     false, decode_bandwidth},
    {"mfu", "1", "model FLOPs / (window x peak)", "the window has no length", NEED_FLOPS | NEED_PEAK_FLOPS,
     true, mfu},
    {"mfu_prefill", "1", "model FLOPs / (time to the first token x peak)", no_prefill,
     NEED_FLOPS | NEED_PEAK_FLOPS, true, mfu_prefill},
    {"mfu_decode", "1", "model FLOPs / (time after the first token x peak)", no_decode,
     NEED_FLOPS | NEED_PEAK_FLOPS, true, mfu_decode},
    {"mbu_counted", "1", "counted bytes / (time after the first token x peak bandwidth)", no_decode,
     NEED_BYTES | NEED_PEAK_BYTES, true, mbu_counted},
    {"roofline_share_prefill", "1", "achieved / attainable FLOP/s", no_prefill, NEED_ROOF, true,
     prefill_of_roofline},
    {"roofline_share_decode", "1", "achieved / attainable FLOP/s", no_decode, NEED_ROOF, true,
     decode_of_roofline},
};

static bool has_flops(const struct tare_repeat_sums *s)
{
    return s->prefill_flops != TARE_ABSENT && s->decode_flops != TARE_ABSENT;
}

static bool has_bytes(const struct tare_repeat_sums *s)
{
    return s->prefill_bytes != TARE_ABSENT && s->decode_bytes != TARE_ABSENT;
}

/* The first complete repeat: the counted work is the same in all. NULL if there is none. */
static const struct tare_repeat_sums *complete_sums(const struct tare_evidence *e)
{
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (e->repeats[i].complete) {
            return &e->repeats[i].sums;
        }
    }
    return NULL;
}

static bool has_peak(const struct tare_evidence *e, double peak)
{
    return e->peak_kind != 0 && isfinite(peak) && peak > 0;
}

/* What is missing, or NULL. Counts first: no peak would help a backend that counts nothing. */
static const char *missing(const struct tare_evidence *e, unsigned needs)
{
    const struct tare_repeat_sums *s = complete_sums(e);
    return !s                                                               ? "no repeat was completed"
           : (needs & NEED_FLOPS) && !has_flops(s)                          ? "the backend counts no FLOPs"
           : (needs & NEED_BYTES) && !has_bytes(s)                          ? "the backend counts no bytes"
           : (needs & NEED_PEAK_FLOPS) && !has_peak(e, e->peak_flops)       ? no_peak
           : (needs & NEED_PEAK_BYTES) && !has_peak(e, e->peak_bytes_per_s) ? no_peak
                                                                            : NULL;
}

static int counted_kind(const struct tare_evidence *e)
{
    return e->account_kind ? e->account_kind : TARE_KIND_COUNTED;
}

/* The weakest kind of what goes in. */
static int kind_of(const struct tare_evidence *e, unsigned needs)
{
    int kind = TARE_KIND_MEASURED; /* the clock */
    kind = (needs & (NEED_FLOPS | NEED_BYTES)) ? weaker(kind, counted_kind(e)) : kind;
    return (needs & (NEED_PEAK_FLOPS | NEED_PEAK_BYTES)) ? weaker(kind, e->peak_kind) : kind;
}

enum { n_source = 200 };

/* The source with the peak's own behind it, so that no share stands there without it. */
static const char *with_peak(const struct tare_evidence *e, const char *source, char to[n_source])
{
    if (e->peak_kind == 0 || !e->peak_source) {
        return source;
    }
    (void)snprintf(to, n_source, "%s; peak: %s", source, e->peak_source);
    return to;
}

static int put_share(struct tare_figure *f, bool of_peak, double *values, size_t n, const char *none,
                     struct tare_figures *to, struct tare_err *err)
{
    for (size_t i = 0; of_peak && i < n; i++) {
        if (values[i] > 1) {
            tare_figure_flag(f, "OVER_PEAK");
        }
    }
    return tare_figure_repeats(f, values, n, none, to, err);
}

static int derive_share(const struct tare_evidence *e, const struct share *share, double *values,
                        struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make(
        share->name, share->unit, (enum tare_kind)kind_of(e, share->needs), share->source, "process");
    f.kind = (share->needs & NEED_ROOF) == NEED_ROOF ? weaker(f.kind, TARE_KIND_MODELLED) : f.kind;
    const char *why = missing(e, share->needs);
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    size_t n = 0;
    char source[n_source];
    bool peaked = (share->needs & (NEED_PEAK_FLOPS | NEED_PEAK_BYTES)) != 0;
    f.source = peaked ? with_peak(e, share->source, source) : share->source;
    tare_figure_flag_noise(&f, e);
    for (size_t i = 0; i < e->n_repeats; i++) {
        double value = e->repeats[i].complete ? share->value(e, &e->repeats[i]) : (double)NAN;
        if (isfinite(value)) {
            values[n++] = value;
        }
    }
    return put_share(&f, share->of_peak, values, n, share->none, to, err);
}

/* A reading of the measure phase of a repeat that one process saw whole; NULL if absent. */
static const struct tare_reading_record *whole(const struct tare_evidence *e,
                                               const struct tare_evidence_repeat *r, const char *name,
                                               bool own)
{
    const struct tare_reading_record *found = NULL;
    if (r->complete && r->attempts == 1) {
        found = own ? tare_evidence_find_own(e, r->id, "measure", name)
                    : tare_evidence_find(e, r->id, "measure", name);
    }
    return found && !found->absent && found->value > 0 ? found : NULL;
}

/* What was executed, as the backend counts it, or else as the processor's counters do. */
static const struct tare_reading_record *executed(const struct tare_evidence *e,
                                                  const struct tare_evidence_repeat *r, bool *out_counter)
{
    const struct tare_reading_record *told = whole(e, r, "executed_flops", true);
    *out_counter = !told;
    return told ? told : whole(e, r, "papi_flops", false);
}

static int derive_hfu(const struct tare_evidence *e, double *values, struct tare_figures *to,
                      struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make("hfu", "1", (enum tare_kind)weaker(e->peak_kind, TARE_KIND_MEASURED),
                         "executed FLOPs / (window x peak)", "process");
    const char *why = missing(e, NEED_PEAK_FLOPS);
    char source[n_source];
    size_t n = 0;
    for (size_t i = 0; !why && i < e->n_repeats; i++) {
        bool counter = false;
        const struct tare_reading_record *r = executed(e, &e->repeats[i], &counter);
        double value = r ? over(over(r->value, window_s(&e->repeats[i].sums)), e->peak_flops) : (double)NAN;
        if (r && counter && value > 1) {
            why = "the counter reads more FLOP/s than the peak, so one of the two is wrong";
        } else if (r && isfinite(value)) {
            values[n++] = value;
            f.kind = weaker(f.kind, tare_kind_of(r->kind));
            f.source = counter ? "FLOPs of the processor's counters / (window x peak)" : f.source;
        }
    }
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    f.source = with_peak(e, f.source, source);
    tare_figure_flag_noise(&f, e);
    return put_share(&f, true, values, n, "neither the backend nor a counter says what was executed", to,
                     err);
}

/* A fact of the model or a reading of the backend at load, whichever knows it; NULL if neither. */
static const struct tare_reading_record *at_load(const struct tare_evidence *e, const char *name, bool own)
{
    for (size_t i = 0; i < e->n_repeats; i++) {
        int64_t id = e->repeats[i].id;
        const struct tare_reading_record *r =
            own ? tare_evidence_find_own(e, id, "load", name) : tare_evidence_find(e, id, "load", name);
        if (r && !r->absent) {
            return r;
        }
    }
    return NULL;
}

/* Bytes of the state at the longest request, as told by the backend or from the model's facts; NaN if
 * unknown. Weakens *kind to its own. */
static double state_bytes(const struct tare_evidence *e, const struct tare_evidence_repeat *r, int *kind)
{
    const struct tare_reading_record *told = whole(e, r, "state_bytes_max", true);
    const struct tare_reading_record *grows = at_load(e, "kv_bytes_per_token", false);
    const struct tare_reading_record *fixed = at_load(e, "state_bytes", false);
    if (told) {
        *kind = weaker(*kind, tare_kind_of(told->kind));
        return told->value;
    }
    *kind = weaker(*kind, TARE_KIND_COUNTED);
    return grows && fixed ? grows->value * (double)r->sums.max_tok + fixed->value : (double)NAN;
}

static int derive_mbu(const struct tare_evidence *e, double *values, struct tare_figures *to,
                      struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make("mbu", "1", (enum tare_kind)weaker(e->peak_kind, TARE_KIND_MEASURED),
                         "(bytes of weights + of the longest state) / TPOT / peak bandwidth", "process");
    const struct tare_reading_record *weights = at_load(e, "weights_resident_bytes", true);
    weights = weights ? weights : at_load(e, "stored_bytes", false);
    const char *why = missing(e, NEED_PEAK_BYTES);
    why = !why && !weights ? "the backend does not know the bytes of its weights" : why;
    if (why) {
        return tare_figure_absent(&f, why, to, err);
    }
    const char *none = no_decode;
    char source[n_source];
    size_t n = 0;
    f.kind = weaker(f.kind, tare_kind_of(weights->kind));
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_repeat_sums *s = &e->repeats[i].sums;
        double state = e->repeats[i].complete ? state_bytes(e, &e->repeats[i], &f.kind) : (double)NAN;
        double tpot_s = over(decode_s(s), (double)s->decode_tok);
        double value = over(over(weights->value + state, tpot_s), e->peak_bytes_per_s);
        none = e->repeats[i].complete && !isfinite(state) ? "the backend does not know its state" : none;
        if (isfinite(value)) {
            values[n++] = value;
        }
    }
    f.source = with_peak(e, f.source, source);
    tare_figure_flag_noise(&f, e);
    return put_share(&f, true, values, n, none, to, err);
}

static int derive_intensity(const struct tare_evidence *e, const char *name, bool decode,
                            struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make(name, "FLOP/B", (enum tare_kind)counted_kind(e),
                                            "counted FLOPs / counted bytes", "repeat");
    const char *why = missing(e, NEED_FLOPS | NEED_BYTES);
    double value = (double)NAN;
    if (!why) {
        value = decode ? decode_intensity(complete_sums(e)) : prefill_intensity(complete_sums(e));
        why = decode ? no_decode : "no prompt was processed";
        f.n = 1;
    }
    return tare_figure_exact(&f, value, "repeats", why, to, err);
}

/* A model of one value, out of peaks: no interval. */
static int put_modelled(struct tare_figure *f, double value, const char *why, struct tare_figures *to,
                        struct tare_err *err)
{
    if (!isfinite(value)) {
        return tare_figure_absent(f, why, to, err);
    }
    f->n = 1;
    f->n_what = "peaks";
    f->value = value;
    return to->put(to, f, err);
}

static int derive_roof(const struct tare_evidence *e, const char *name, bool decode, struct tare_figures *to,
                       struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make(name, "FLOP/s", TARE_KIND_MODELLED, "min(peak, intensity x peak bandwidth)", "node");
    const char *why = missing(e, NEED_ROOF);
    char source[n_source];
    double value = (double)NAN;
    if (!why) {
        const struct tare_repeat_sums *s = complete_sums(e);
        double intensity = decode ? decode_intensity(s) : prefill_intensity(s);
        value = attainable(e, intensity);
        why = decode ? no_decode : "no prompt was processed";
        f.kind = weaker(f.kind, weaker(counted_kind(e), e->peak_kind));
        f.source =
            value < e->peak_flops ? "memory side: intensity x peak bandwidth" : "compute side: peak FLOP/s";
        f.source = with_peak(e, f.source, source);
    }
    return put_modelled(&f, value, why, to, err);
}

static int derive_ridge(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    bool known = has_peak(e, e->peak_flops) && has_peak(e, e->peak_bytes_per_s);
    struct tare_figure f =
        tare_figure_make("ridge", "FLOP/B", (enum tare_kind)(known ? e->peak_kind : TARE_KIND_MODELLED),
                         known && e->peak_source ? e->peak_source : "peak FLOP/s / peak bandwidth", "node");
    return put_modelled(&f, known ? e->peak_flops / e->peak_bytes_per_s : (double)NAN, no_peak, to, err);
}

/* Two FLOPs a parameter and token: the rule of thumb that the counts are set against. */
static double analytic_flops(const struct tare_evidence *e, const struct tare_repeat_sums *s)
{
    const struct tare_reading_record *params = at_load(e, "params_active", false);
    return params ? 2 * params->value * ((double)s->prompt_tok + (double)s->decode_tok) : (double)NAN;
}

static int derive_counted_over_analytic(const struct tare_evidence *e, struct tare_figures *to,
                                        struct tare_err *err)
{
    struct tare_figure f =
        tare_figure_make("flops_counted_over_analytic", "x", TARE_KIND_MODELLED,
                         "counted FLOPs / (2 x active parameters x tokens processed)", "repeat");
    const char *why = missing(e, NEED_FLOPS);
    double value = (double)NAN;
    if (!why) {
        const struct tare_repeat_sums *s = complete_sums(e);
        value = over(counted_flops(s), analytic_flops(e, s));
        why = "the backend does not know its active parameters, or no token was processed";
        f.kind = weaker(f.kind, counted_kind(e));
        f.n = 1;
    }
    f.n_what = "repeats";
    f.value = value;
    return isfinite(value) ? to->put(to, &f, err) : tare_figure_absent(&f, why, to, err);
}

/* What the processor's counters saw over what the backend counted, prompts as if never reused. */
static int derive_measured_over_counted(const struct tare_evidence *e, double *values,
                                        struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make("flops_measured_over_counted", "x", TARE_KIND_COUNTED,
                                            "FLOPs of the processor's counters / counted FLOPs", "process");
    const char *why = missing(e, NEED_FLOPS);
    size_t n = 0;
    for (size_t i = 0; !why && i < e->n_repeats; i++) {
        const struct tare_reading_record *r = whole(e, &e->repeats[i], "papi_flops", false);
        double value = r ? over(r->value, counted_flops(&e->repeats[i].sums)) : (double)NAN;
        if (r && isfinite(value)) {
            values[n++] = value;
            f.kind = weaker(f.kind, weaker(counted_kind(e), tare_kind_of(r->kind)));
        }
    }
    return why ? tare_figure_absent(&f, why, to, err)
               : tare_figure_repeats(&f, values, n, "no counter of FLOPs was accepted (see meter papi)", to,
                                     err);
}

int tare_derive_utilisation(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_utilisation(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    double *values = calloc(e->n_repeats + 1, sizeof *values);
    if (!values) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof shares / sizeof *shares; i++) {
        r = derive_share(e, &shares[i], values, to, err);
    }
    r = r == 0 ? derive_hfu(e, values, to, err) : r;
    r = r == 0 ? derive_mbu(e, values, to, err) : r;
    r = r == 0 ? derive_intensity(e, "intensity_prefill", false, to, err) : r;
    r = r == 0 ? derive_intensity(e, "intensity_decode", true, to, err) : r;
    r = r == 0 ? derive_roof(e, "roofline_attainable_prefill", false, to, err) : r;
    r = r == 0 ? derive_roof(e, "roofline_attainable_decode", true, to, err) : r;
    r = r == 0 ? derive_ridge(e, to, err) : r;
    r = r == 0 ? derive_counted_over_analytic(e, to, err) : r;
    r = r == 0 ? derive_measured_over_counted(e, values, to, err) : r;
    free(values);
    return r;
}
