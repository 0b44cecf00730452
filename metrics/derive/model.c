/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the model is: parameters, stored bytes, bits per weight, state, counted FLOPs. All counted
 * from shapes and tokens, so exact: they carry no interval and need none. FLOPs follow the backend's
 * stated convention and count a fresh request, without reuse of a shared prefix.
 */
#include "derive.h"

#include <string.h>

static const struct {
    const char *name;
    const char *unit;
} facts[] = {
    {"params_total", "1"},       {"params_active", "1"},    {"params_non_embedding", "1"},
    {"params_non_zero", "1"},    {"params_trainable", "1"}, {"stored_bytes", "B"},
    {"kv_bytes_per_token", "B"},
};

/* The model's reading of that name in any repeat. */
static const struct tare_reading_record *fact(const struct tare_evidence *e, const char *name)
{
    const struct tare_reading_record *found = NULL;
    for (size_t i = 0; i < e->n_repeats && !found; i++) {
        found = tare_evidence_find(e, e->repeats[i].id, "load", name);
    }
    return found;
}

static double fact_value(const struct tare_evidence *e, const char *name)
{
    const struct tare_reading_record *r = fact(e, name);
    return r && !r->absent ? r->value : (double)NAN;
}

static int put_exact(struct tare_figure *f, double value, const char *why, struct tare_figures *to,
                     struct tare_err *err)
{
    f->n = 1;
    return tare_figure_exact(f, value, "model", why, to, err);
}

static int derive_facts(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof facts / sizeof *facts; i++) {
        const struct tare_reading_record *reading = fact(e, facts[i].name);
        struct tare_figure f = tare_figure_make(facts[i].name, facts[i].unit, TARE_KIND_COUNTED,
                                                reading ? reading->source : "backend's describe", "model");
        const char *why = reading && reading->absent ? reading->absent : "no model was loaded";
        r = put_exact(&f, fact_value(e, facts[i].name), why, to, err);
    }
    return r;
}

static int derive_bits(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make("bits_per_weight", "bit", TARE_KIND_COUNTED,
                                            "stored bytes x 8 / parameters", "model");
    double params = fact_value(e, "params_total");
    double bits = params > 0 ? fact_value(e, "stored_bytes") * 8 / params : (double)NAN;
    return put_exact(&f, bits, "the backend does not know parameters or stored bytes", to, err);
}

/* The most state that the backend says it held, in a repeat that one process saw whole. It knows what
 * arithmetic on the model's facts cannot: evicted entries and entries kept in fewer bits. */
static const struct tare_reading_record *told_state(const struct tare_evidence *e)
{
    const struct tare_reading_record *most = NULL;
    for (size_t i = 0; i < e->n_repeats; i++) {
        const struct tare_evidence_repeat *repeat = &e->repeats[i];
        const struct tare_reading_record *r =
            repeat->complete && repeat->attempts == 1
                ? tare_evidence_find_own(e, repeat->id, "measure", "state_bytes_max")
                : NULL;
        if (r && !r->absent && (!most || r->value > most->value)) {
            most = r;
        }
    }
    return most;
}

/* Largest state that any request of the task needed. */
static int derive_state(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    struct tare_figure f = tare_figure_make("kv_bytes", "B", TARE_KIND_COUNTED,
                                            "bytes per token x longest request + fixed state", "request");
    int64_t longest = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        longest = e->repeats[i].sums.max_tok > longest ? e->repeats[i].sums.max_tok : longest;
    }
    double state = fact_value(e, "state_bytes");
    double bytes = fact_value(e, "kv_bytes_per_token") * (double)longest + state;
    const char *why = longest ? "the backend does not know its state" : "no token was fed";
    bytes = longest ? bytes : (double)NAN;
    int r = put_exact(&f, bytes, why, to, err);
    struct tare_figure held = tare_figure_make("state_bytes", "B", TARE_KIND_COUNTED, f.source, "request");
    const struct tare_reading_record *told = told_state(e);
    if (told) {
        held.source = told->source;
        held.kind = tare_kind_of(told->kind);
        bytes = told->value;
    }
    return r == 0 ? put_exact(&held, bytes, why, to, err) : r;
}

/* The first complete repeat: the work, and so the count, is the same in all. */
static const struct tare_repeat_sums *counted_sums(const struct tare_evidence *e, const char **why)
{
    const struct tare_repeat_sums *s = NULL;
    for (size_t i = 0; i < e->n_repeats && !s; i++) {
        s = e->repeats[i].complete ? &e->repeats[i].sums : NULL;
    }
    *why = s ? "the backend counts no FLOPs" : "no repeat was completed";
    return s && s->prefill_flops != TARE_ABSENT && s->decode_flops != TARE_ABSENT ? s : NULL;
}

static double per(int64_t flops, int64_t n)
{
    return n > 0 ? (double)flops / (double)n : (double)NAN;
}

static int derive_flops(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    const char *why = NULL;
    const struct tare_repeat_sums *s = counted_sums(e, &why);
    enum tare_kind kind = e->account_kind ? (enum tare_kind)e->account_kind : TARE_KIND_COUNTED;
    const char *source = e->account_convention ? e->account_convention : "backend's account";
    const struct {
        const char *name;
        const char *scope;
        double value;
        const char *why;
    } rows[] = {
        {"prefill_flops_per_tok", "token", s ? per(s->prefill_flops, s->prompt_tok) : (double)NAN, why},
        {"decode_flops_per_tok", "token", s ? per(s->decode_flops, s->decode_tok) : (double)NAN,
         s ? "no request generated two tokens" : why},
        {"flops", "repeat", s ? (double)s->prefill_flops + (double)s->decode_flops : (double)NAN, why},
    };
    int r = 0;
    for (size_t i = 0; r == 0 && i < sizeof rows / sizeof *rows; i++) {
        struct tare_figure f = tare_figure_make(rows[i].name, "FLOP", kind, source, rows[i].scope);
        r = put_exact(&f, rows[i].value, rows[i].why, to, err);
    }
    return r;
}

int tare_derive_model(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err);

int tare_derive_model(const struct tare_evidence *e, struct tare_figures *to, struct tare_err *err)
{
    int r = derive_facts(e, to, err);
    r = r == 0 ? derive_bits(e, to, err) : r;
    r = r == 0 ? derive_state(e, to, err) : r;
    return r == 0 ? derive_flops(e, to, err) : r;
}
