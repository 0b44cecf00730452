/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of one phase under the name of another, and the counts that go with them. */
#include "energy_view.h"

#include <stdlib.h>
#include <string.h>

static bool in_phase(const struct tare_evidence_reading *r, const char *phase)
{
    return strcmp(r->r.phase, phase) == 0;
}

/* A count of the phase; TARE_ABSENT if it is not there. */
static int64_t count_of(const struct tare_evidence *e, int64_t repeat_id, const char *name)
{
    const struct tare_reading_record *r = tare_evidence_find(e, repeat_id, "sustain", name);
    return r && !r->absent ? (int64_t)r->value : TARE_ABSENT;
}

/* The phase was there from begin to end: its length and all of its counts are known. */
static bool has_phase(const struct tare_evidence *e, int64_t repeat_id)
{
    const struct tare_reading_record *wall = tare_evidence_find(e, repeat_id, "sustain", "wall");
    return wall && !wall->absent && wall->value > 0 && count_of(e, repeat_id, "sustain_passes") > 0 &&
           count_of(e, repeat_id, "sustain_items") > 0 && count_of(e, repeat_id, "sustain_requests") > 0 &&
           count_of(e, repeat_id, "sustain_prompt_tok") >= 0 &&
           count_of(e, repeat_id, "sustain_output_tok") >= 0 &&
           count_of(e, repeat_id, "sustain_correct") >= 0;
}

static bool counts(const struct tare_evidence_repeat *r)
{
    return r->complete && r->attempts == 1;
}

/* Every repeat that counts has the phase. */
static bool is_sustained(const struct tare_evidence *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_repeats; i++) {
        if (counts(&e->repeats[i])) {
            if (!has_phase(e, e->repeats[i].id)) {
                return false;
            }
            n++;
        }
    }
    return n > 0;
}

static void take_counts(struct tare_energy_view *view, const struct tare_evidence *e, size_t i)
{
    struct tare_evidence_repeat *to = &view->repeats[i];
    view->correct[i] = view->passes[i] = (double)NAN;
    if (!counts(to)) {
        return;
    }
    to->sums.requests = count_of(e, to->id, "sustain_requests");
    to->sums.prompt_tok = count_of(e, to->id, "sustain_prompt_tok");
    to->sums.output_tok = count_of(e, to->id, "sustain_output_tok");
    to->sums.samples = count_of(e, to->id, "sustain_items");
    to->sums.window_ns = (int64_t)tare_evidence_find(e, to->id, "sustain", "wall")->value;
    view->passes[i] = (double)count_of(e, to->id, "sustain_passes");
    view->correct[i] = (double)count_of(e, to->id, "sustain_correct");
}

static void take_readings(struct tare_energy_view *view, const struct tare_evidence *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->n_readings; i++) {
        const struct tare_evidence_reading *r = &e->readings[i];
        if (in_phase(r, "measure") && strcmp(r->r.meter, TARE_METER_OF_BACKEND) != 0) {
            continue;
        }
        view->readings[n] = *r;
        if (in_phase(r, "sustain")) {
            view->readings[n].r.phase = "measure";
        }
        n++;
    }
    view->e.readings = view->readings;
    view->e.n_readings = n;
}

int tare_energy_view_init(struct tare_energy_view *view, const struct tare_evidence *e, struct tare_err *err)
{
    memset(view, 0, sizeof *view);
    view->e = *e;
    if (!is_sustained(e)) {
        return 0;
    }
    view->sustained = true;
    view->repeats = calloc(e->n_repeats + 1, sizeof *view->repeats);
    view->readings = calloc(e->n_readings + 1, sizeof *view->readings);
    view->correct = calloc(e->n_repeats + 1, sizeof *view->correct);
    view->passes = calloc(e->n_repeats + 1, sizeof *view->passes);
    if (!view->repeats || !view->readings || !view->correct || !view->passes) {
        tare_energy_view_fini(view);
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    memcpy(view->repeats, e->repeats, e->n_repeats * sizeof *view->repeats);
    for (size_t i = 0; i < e->n_repeats; i++) {
        take_counts(view, e, i);
    }
    view->e.repeats = view->repeats;
    take_readings(view, e);
    return 0;
}

void tare_energy_view_fini(struct tare_energy_view *view)
{
    free(view->repeats);
    free(view->readings);
    free(view->correct);
    free(view->passes);
    memset(view, 0, sizeof *view);
}

double tare_energy_view_once(const struct tare_energy_view *view, size_t repeat)
{
    return view->passes ? 1 / view->passes[repeat] : 1;
}

const char *tare_energy_view_text(const struct tare_energy_view *view)
{
    return view->sustained ? "; one pass: phase sustain / its passes" : "";
}

void tare_energy_view_flag(const struct tare_energy_view *view, struct tare_figure *f)
{
    if (view->sustained) {
        tare_figure_flag(f, "SUSTAINED");
    }
}
