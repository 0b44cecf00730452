/* SPDX-License-Identifier: Apache-2.0 */
/* What the flags and the technique labels of a table mean, for those that occur in it. */
#include "survey.h"

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
    {"SLOW_BUILD",
     "SLOW_BUILD: tare was built for debugging or with sanitizers; its times say nothing about the model"},
    {"RESUMED", "RESUMED: a repeat was interrupted and put together from several processes"},
    {"UNEQUAL_WORK", "UNEQUAL_WORK: the two sides of the ratio did not generate the same number of tokens"},
    {"NONDETERMINISTIC",
     "NONDETERMINISTIC: repeats of the same items gave different answers; the first repeat is shown"},
    {"DISAGREE", "DISAGREE: what should be counted alike in every repeat was not; the median is shown"},
    {"FOREIGN_CPU", "FOREIGN_CPU: other processes used over 2 % of the machine's CPU time in a repeat"},
    {"CPU_WAIT", "CPU_WAIT: the process waited for a CPU for over 5 % of a repeat"},
    {"STEAL", "STEAL: the hypervisor took over 1 % of the machine's CPU time in a repeat"},
    {"STREAM_STALL",
     "STREAM_STALL: over 1 % of a repeat went into waiting for our own database; rates are too low"},
    {"APART", "APART: the two sides of a pair ran over an hour apart"},
    {"PAGING", "PAGING: major page faults happened while measuring"},
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

static const char *label_note(struct tare_arena *arena, const struct tare_survey_label *label)
{
    size_t n = strlen(label->label) + strlen(label->tag) + 3;
    char *text = tare_arena_take(arena, n);
    if (text) {
        (void)snprintf(text, n, "%s: %s", label->label, label->tag);
    }
    return text;
}

int tare_survey_explain(struct tare_survey *survey, const struct tare_survey_input *input,
                        struct tare_err *err)
{
    const char **notes = tare_arena_array(&survey->arena, n_meanings + input->n_labels, sizeof *notes);
    size_t n = 0;
    for (size_t i = 0; notes && i < n_meanings; i++) {
        if (occurs(&survey->table, meanings[i].flag)) {
            notes[n++] = meanings[i].text;
        }
    }
    for (size_t i = 0; notes && i < input->n_labels; i++) {
        if (is_used(&survey->table, input->labels[i].label)) {
            notes[n] = label_note(&survey->arena, &input->labels[i]);
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
