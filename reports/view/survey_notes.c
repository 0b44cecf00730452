/* SPDX-License-Identifier: Apache-2.0 */
/* What the flags and the technique labels of a table mean, for those that occur in it. The words of
 * disturbances are those of core/noise.h. */
#include "survey.h"

#include "core/noise.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *flag;
    const char *text;
} meanings[] = {
    {"FEW_REPEATS",
     "FEW_REPEATS: too few repeats for a 95 % interval; the range of all is shown, at the level it reaches"},
    {"ONE_REPEAT",
     "ONE_REPEAT: the interval is over the requests of one process, which share its fate; it is too narrow"},
    {"ELSEWHERE",
     "ELSEWHERE: the model ran in another process, perhaps on another machine; this is what the client "
     "took, not what the model took"},
    {"EVENTS_NOT_TOKENS",
     "EVENTS_NOT_TOKENS: gaps between events of a server, which are more or fewer than its tokens"},
    {"COALESCED", "COALESCED: several events came in one read, so that some gaps are 0"},
    {"RESUMED", "RESUMED: a repeat was interrupted and put together from several processes"},
    {"UNEQUAL_WORK", "UNEQUAL_WORK: the two sides of the ratio did not generate the same number of tokens"},
    {"NONDETERMINISTIC",
     "NONDETERMINISTIC: repeats of the same items gave different answers; the first repeat is shown"},
    {"DISAGREE", "DISAGREE: what should be counted alike in every repeat was not; the median is shown"},
    {"APART", "APART: the two sides of a pair ran over an hour apart"},
    {"SUSTAINED",
     "SUSTAINED: over the phase sustain, in which the same items were asked again for a longer window"},
    {"EDGE_SLOW",
     "EDGE_SLOW: reading the meters took over 5 ms and a hundredth of the phase; windows are too wide"},
    {"DUTY_UNKNOWN", "DUTY_UNKNOWN: it is not documented whether the board's sensor sees all of the time"},
    {"SAMPLED", "SAMPLED: added up from samples; what happens between two of them is not seen"},
    {"AVERAGED", "AVERAGED: the sensor smooths over about a second and is late by as much"},
    {"LOWER_BOUND", "LOWER_BOUND: it may have been more"},
    {"MIRRORED", "MIRRORED: two zones carry the same counter; one is kept"},
    {"TWIN", "TWIN: the same zone is there under two control types; one is kept"},
    {"FILTERED", "FILTERED: this processor can blur its energy counters (SGX)"},
    {"READ_ERROR", "READ_ERROR: a read failed in the window; the counter was carried on over it"},
    {"NO_RANGE", "NO_RANGE: the counter's range is not readable; a wrap could not be told from a reset"},
    {"GAIN_UNKNOWN", "GAIN_UNKNOWN: nobody states how exact the sensor is; the interval leaves that out"},
    {"MIG", "MIG: the board is split; the energy is that of the whole board"},
    {"SHARED_CGROUP", "SHARED_CGROUP: other processes are in the control group too"},
    {"SHARED_INTERFACES", "SHARED_INTERFACES: other processes use the interfaces too"},
    {"SOCKETS_CLOSED", "SOCKETS_CLOSED: connections ended in the phase; their bytes are missing"},
    {"SOCKETS_UNSEEN", "SOCKETS_UNSEEN: connections came and went unseen; their bytes are missing"},
    {"UNEXPLAINED", "UNEXPLAINED: the traffic is not within 0.98 to 1.05 of the formula"},
    {"OVER_PEAK", "OVER_PEAK: above the peak that it is divided by: a cache, or a wrong peak"},
    {"SHORT_WINDOW", "SHORT_WINDOW: the window is shorter than 82 steps of the energy counter, so that its "
                     "edges are worth over 1 %"},
    {"GAIN_DIFFERS",
     "GAIN_DIFFERS: the two sides were read by different meters; the errors of their gains do not cancel"},
    {"CPU_SHARE", "CPU_SHARE: shared out by CPU time; threads on one core, turbo and waiting for memory "
                  "break the proportion"},
    {"DEVICES_LEFT_OUT",
     "DEVICES_LEFT_OUT: a second meter reads devices too, the same or others; it is not added"},
    {"NEVER_RANKED",
     "NEVER_RANKED: modelled, wrong by a factor; not to be ranked, nor added to what was measured"},
    {"DEFAULT",
     "DEFAULT: the world's average carbon intensity; declare that of the place with --carbon FILE"},
    {"TEMPERATURE", "TEMPERATURE: the two sides of a pair began over 5 K apart"},
    {"WARMUP_SEEN", "WARMUP_SEEN: the first requests of a repeat were slower than those it settled to"},
    {"IMPORTED", "IMPORTED: what another program reports of itself; nobody here measured it"},
    {"SLOW_DOWN", "SLOW_DOWN: a repeat settled to a slower pace than it had before"},
    {"NO_STEADY_STATE", "NO_STEADY_STATE: the latencies of a repeat did not settle within its first half"},
};

enum { n_meanings = sizeof meanings / sizeof *meanings };

/* Is the flag one of a comma-separated list? */
static bool holds(const char *list, const char *flag)
{
    size_t n = strlen(flag);
    for (const char *at = list; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
        if (strncmp(at, flag, n) == 0 && (at[n] == ',' || at[n] == '\0')) {
            return true;
        }
    }
    return false;
}

static bool occurs(const struct tare_table *table, const char *flag)
{
    for (size_t i = 0; i < table->n_rows * table->n_columns; i++) {
        if (table->cells[i].type == TARE_CELL_QUANTITY && holds(table->cells[i].q.flags, flag)) {
            return true;
        }
    }
    return false;
}

/* Is the label one of a row's technique, which may be of the form "own + applied"? */
static bool is_used(const struct tare_table *table, const char *label)
{
    size_t n = strlen(label);
    for (size_t row = 0; row < table->n_rows; row++) {
        const char *text = table->cells[row * table->n_columns + 1].text, *plus = strstr(text, " + ");
        bool own = strncmp(text, label, n) == 0 && (text[n] == '\0' || text + n == plus);
        if (own || (plus && strcmp(plus + 3, label) == 0)) {
            return true;
        }
    }
    return false;
}

/* "what: meaning"; NULL when memory is refused. */
static const char *note(struct tare_arena *arena, const char *what, const char *meaning)
{
    size_t n = strlen(what) + strlen(meaning) + 3;
    char *text = tare_arena_take(arena, n);
    if (text) {
        (void)snprintf(text, n, "%s: %s", what, meaning);
    }
    return text;
}

/* Is it the first rule of its code? */
static bool is_first(size_t rule)
{
    for (size_t i = 0; i < rule; i++) {
        if (strcmp(tare_noise_rules[i].code, tare_noise_rules[rule].code) == 0) {
            return false;
        }
    }
    return true;
}

int tare_survey_explain(struct tare_survey *survey, const struct tare_report_input *input,
                        struct tare_err *err)
{
    const char **notes =
        tare_arena_array(&survey->arena, n_meanings + tare_noise_n_rules + input->n_labels, sizeof *notes);
    size_t n = 0;
    for (size_t i = 0; notes && i < n_meanings; i++) {
        if (occurs(&survey->table, meanings[i].flag)) {
            notes[n++] = meanings[i].text;
        }
    }
    for (size_t i = 0; notes && i < tare_noise_n_rules; i++) {
        if (is_first(i) && occurs(&survey->table, tare_noise_rules[i].code)) {
            notes[n] = note(&survey->arena, tare_noise_rules[i].code, tare_noise_rules[i].text);
            notes = notes[n++] ? notes : NULL;
        }
    }
    for (size_t i = 0; notes && i < input->n_labels; i++) {
        if (is_used(&survey->table, input->labels[i].label)) {
            notes[n] = note(&survey->arena, input->labels[i].label, input->labels[i].tag);
            notes = notes[n++] ? notes : NULL;
        }
    }
    if (!notes) {
        return tare_err_set(err, TARE_E_NOMEM, "table: out of memory");
    }
    survey->table.notes = notes;
    survey->table.n_notes = n;
    return 0;
}
