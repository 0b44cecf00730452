/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Formulas of arXiv 2211.17192: theorem 3.8 supposes that the target takes as long for gamma + 1 tokens as
 * for one. Where it does not, the pass as it was measured stands in the denominator instead.
 */
#include "speculative_readings.h"

#include "readings.h"

static const char counted[] = "counted by speculative decoding";
static const char timed[] = "clock around feeding and the head, median; drawing of tokens left out";
static const char no_test[] = "no proposal was tested";
static const char no_time[] = "no step of that kind was timed";

double tare_speculative_expected(double a, uint32_t g)
{
    double power = 1;
    double sum = 0;
    for (uint32_t i = 0; i <= g; i++, power *= a) {
        sum += power;
    }
    return sum;
}

static void tell_acceptance(const struct tare_speculative *s, struct tare_readings *to)
{
    const struct tare_speculative_counts *c = &s->counts;
    const enum tare_kind kind = TARE_KIND_COUNTED;
    tare_reading_put(to, kind, "drafted_tok", "tok", counted, (double)c->drafted);
    tare_reading_put(to, kind, "tested_tok", "tok", "proposals up to the first refusal of a pass",
                     (double)c->tested);
    tare_reading_put(to, kind, "accepted_tok", "tok", counted, (double)c->accepted);
    tare_reading_put(to, kind, "target_passes", "1", "passes with all gamma proposals", (double)c->passes);
    tare_reading_ratio(to, kind, "acceptance_rate", "1", "accepted / tested proposals", (double)c->accepted,
                       (double)c->tested, no_test);
    tare_reading_ratio(to, kind, "acceptance_overlap", "1", "mean of sum min(p, q) over tested proposals",
                       c->overlap, (double)c->tested, no_test);
    tare_reading_ratio(to, kind, "tokens_per_pass", "tok", "tokens out of passes with all gamma proposals",
                       (double)c->passed_tok, (double)c->passes, "no pass had all gamma proposals");
}

/* Medians, in seconds; 0 where there is none. */
struct times {
    double draft;
    double pass;
    double step;
};

/* A token alone through the target, at the depth that the passes had: what it takes without a draft. Not in
 * a request, and the sequence is another one afterwards. */
static double time_step(const struct tare_speculative *s)
{
    enum { steps = 32 };
    static struct tare_stopwatch watch;
    struct tare_session *target = s->target;
    uint32_t n_ctx = target->engine.model->config.n_ctx;
    uint32_t depth = s->counts.passes > 0 ? (uint32_t)(s->counts.depths / s->counts.passes) : 0;
    if (depth == 0 || n_ctx <= steps) {
        return 0;
    }
    uint32_t begin = depth < steps / 2 ? 0 : depth - steps / 2;
    begin = begin + steps < n_ctx ? begin : n_ctx - steps;
    uint32_t longest = target->most_tokens;
    tare_session_forget(target);
    tare_session_hold(target, s->ids, begin, 0);
    watch.n = 0;
    for (int i = 0; i < steps; i++) {
        tare_stopwatch_begin(&watch);
        (void)tare_session_step(target, s->ids[0]);
        tare_stopwatch_end(&watch);
    }
    tare_session_forget(target);
    target->most_tokens = longest;
    return tare_stopwatch_median(&watch);
}

static void tell_time(const struct times *t, struct tare_readings *to)
{
    const enum tare_kind kind = TARE_KIND_MEASURED;
    tare_reading_ratio(to, kind, "draft_step_time", "s", timed, t->draft, t->draft > 0, no_time);
    tare_reading_ratio(to, kind, "target_pass_time", "s", timed, t->pass, t->pass > 0, no_time);
    tare_reading_ratio(to, kind, "target_step_time", "s",
                       "clock around single tokens behind the last answer, at the mean depth of the passes",
                       t->step, t->step > 0, no_time);
    tare_reading_ratio(to, kind, "draft_cost_ratio", "1", "draft step / target step", t->draft,
                       t->draft > 0 ? t->step : 0, no_time);
    tare_reading_ratio(to, kind, "verify_cost_ratio", "1", "target pass / target step", t->pass,
                       t->pass > 0 ? t->step : 0, no_time);
}

static void tell_prediction(const struct tare_speculative *s, const struct times *t, struct tare_readings *to)
{
    const struct tare_speculative_counts *c = &s->counts;
    double a = c->tested > 0 ? c->overlap / (double)c->tested : 0;
    double expected = c->tested > 0 ? tare_speculative_expected(a, s->gamma) : 0;
    double drafts = s->gamma * t->draft;
    bool timed_all = t->draft > 0 && t->pass > 0 && t->step > 0;
    const enum tare_kind kind = TARE_KIND_MODELLED;
    tare_reading_ratio(to, kind, "expected_tokens_per_pass", "tok",
                       "(1 - a^(gamma+1)) / (1 - a), a the acceptance_overlap", expected, c->tested > 0,
                       no_test);
    tare_reading_ratio(to, kind, "predicted_speedup", "x",
                       "expected_tokens_per_pass / (gamma * draft_cost_ratio + 1)", expected * t->step,
                       timed_all ? drafts + t->step : 0, no_time);
    tare_reading_ratio(to, kind, "predicted_speedup_verified", "x",
                       "expected_tokens_per_pass / (gamma * draft_cost_ratio + verify_cost_ratio)",
                       expected * t->step, timed_all ? drafts + t->pass : 0, no_time);
}

static void tell_size(const struct tare_speculative *s, struct tare_readings *to)
{
    struct tare_linear_facts facts;
    tare_model_facts(&s->draft_model, &facts);
    const enum tare_kind kind = TARE_KIND_COUNTED;
    tare_reading_put(to, kind, "draft_stored_bytes", "B", "weights of the draft model in their stored form",
                     (double)facts.stored_bytes);
    tare_reading_put(to, kind, "draft_resident_bytes", "B", "weights of the draft model as held",
                     (double)facts.resident_bytes);
    tare_reading_put(to, kind, "draft_state_bytes_max", "B", "state of the draft's longest sequence",
                     (double)tare_engine_state_bytes(&s->draft.engine, s->draft.most_tokens));
    tare_reading_put(to, kind, "executed_flops", "FLOP",
                     "both models, prompts as if never reused; of requests that generate",
                     (double)s->counts.executed_flops);
    tare_reading_put(to, kind, "dense_flops", "FLOP", "the target alone for the same tokens",
                     (double)s->counts.dense_flops);
}

void tare_speculative_tell(struct tare_speculative *s, struct tare_readings *to)
{
    const struct times times = {.draft = tare_stopwatch_median(&s->draft_step),
                                .pass = tare_stopwatch_median(&s->target_pass),
                                .step = time_step(s)};
    tell_acceptance(s, to);
    tell_time(&times, to);
    tell_prediction(s, &times, to);
    tell_size(s, to);
}
