/* SPDX-License-Identifier: Apache-2.0 */
/* From the reads of a counter to the energy of a phase and what is to be doubted in it. */
#include "joules.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Steps that a phase must have for its edges to be within 10 % (two standard uncertainties: 0.82 / steps). */
static const double few_steps = 8.2;

void tare_joules_flag(char *flags, size_t n_flags, const char *word)
{
    size_t n = strlen(flags), n_word = strlen(word);
    for (const char *at = flags; n_word > 0 && (at = strstr(at, word)) != NULL; at += n_word) {
        if ((at == flags || at[-1] == ',') && (at[n_word] == '\0' || at[n_word] == ',')) {
            return;
        }
    }
    if (n_word > 0 && n + n_word + 2 <= n_flags) {
        (void)snprintf(flags + n, n_flags - n, "%s%s", n ? "," : "", word);
    }
}

void tare_joules_word(char *to, size_t n_to, const char *text)
{
    size_t n = 0;
    for (; text[n] && n + 1 < n_to; n++) {
        char c = text[n];
        bool small = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        bool capital = c >= 'A' && c <= 'Z';
        to[n] = small ? c : capital ? (char)(c - 'A' + 'a') : '_';
    }
    to[n] = '\0';
}

/* A counter whose modulus is unknown has been out of sight for as long as the smallest one lasts. */
static bool may_have_wrapped(const struct tare_joules *j, int64_t now_ns)
{
    const struct tare_counter *c = &j->counter;
    return c->begun && c->modulus <= 0 && j->least_modulus > 0 && c->max_rate > 0 &&
           (double)(now_ns - c->last_ns) / 1e9 * c->max_rate >= j->least_modulus;
}

void tare_joules_take(struct tare_joules *j, int code, uint64_t raw, int64_t before_ns, int64_t after_ns)
{
    j->error = -code;
    if (code < 0) {
        j->n_errors++;
        return;
    }
    int64_t at_ns = before_ns + (after_ns - before_ns) / 2;
    int64_t since_ns = j->counter.begun ? at_ns - j->counter.last_ns : 0;
    if (may_have_wrapped(j, at_ns)) {
        j->counter.n_lost++;
        j->counter.begun = false;
    }
    enum tare_counter_event event = tare_counter_read(&j->counter, raw, at_ns);
    j->n_still += event == TARE_COUNTER_STILL && (double)since_ns / 1e9 > 2 * j->period_s;
    j->longest_ns = since_ns > j->longest_ns ? since_ns : j->longest_ns;
    j->at_ns = at_ns;
    j->half_s = (double)(after_ns - before_ns) / 2e9;
}

void tare_joules_begin(struct tare_joules *j)
{
    const struct tare_counter *c = &j->counter;
    j->begin = (struct tare_joules_mark){
        j->error == 0, j->at_ns, j->half_s, c->total, c->n_lost, c->n_resets, c->n_moves,
    };
    j->n_errors = j->n_still = j->longest_ns = 0;
}

/* What came of a phase. */
struct outcome {
    double seconds, counts, period_s; /* period_s 0: not known */
    double bound_s;                   /* what the period is at most */
    int64_t n_moves;
    char flags[128];
    const char *why; /* NULL: there is a value */
};

/* Longer than the burst said if reads that should have seen it move did not. */
static void find_period(const struct tare_joules *j, struct outcome *o)
{
    double mean_s = j->n_still > 0 && o->n_moves > 1 ? o->seconds / (double)o->n_moves : 0;
    o->period_s = mean_s > j->period_s ? mean_s : j->period_s;
    double longest_s = (double)j->longest_ns / 1e9;
    o->bound_s = o->period_s > 0 ? o->period_s : longest_s < o->seconds ? longest_s : o->seconds;
}

static const char *why_still(const struct tare_joules *j, struct outcome *o)
{
    bool is_short = j->period_s > 0 ? o->seconds < few_steps * j->period_s : o->seconds < 0.1;
    tare_joules_flag(o->flags, sizeof o->flags, is_short ? "SHORT_WINDOW" : "STUCK");
    return is_short ? "the counter did not move in the phase, which is no longer than a few of its steps: "
                      "make the phase longer"
                    : "the counter stood still through the whole phase: switched off, or not counting here";
}

/* A hole in the phase that nothing can be said about. */
static const char *why_lost(const struct tare_joules *j, struct outcome *o)
{
    int64_t n_resets = j->counter.n_resets - j->begin.n_resets;
    int64_t n_lost = j->counter.n_lost - j->begin.n_lost - n_resets;
    if (n_lost > 0) {
        tare_joules_flag(o->flags, sizeof o->flags, "WRAP_LOST");
    }
    if (n_resets > 0) {
        tare_joules_flag(o->flags, sizeof o->flags, "RESET");
    }
    return n_lost > 0 ? "WRAP_LOST: between two reads the counter may have gone round more often than once; "
                        "read more often"
           : n_resets > 0 ? "RESET: the counter jumped by more than power or one wrap can explain"
                          : NULL;
}

static const char *why_unread(struct tare_joules *j)
{
    if (j->never[0]) {
        return j->never;
    }
    if (j->begin.read && j->error == 0) {
        return NULL;
    }
    (void)snprintf(j->why, sizeof j->why, "READ_ERROR: the counter could not be read at the phase's %s%s%s",
                   j->begin.read ? "end" : "begin", j->error ? ": " : "", j->error ? strerror(j->error) : "");
    return j->why;
}

static void judge(struct tare_joules *j, struct outcome *o)
{
    (void)snprintf(o->flags, sizeof o->flags, "%s", j->flags);
    o->why = why_unread(j);
    if (o->why) {
        tare_joules_flag(o->flags, sizeof o->flags, j->never[0] ? "" : "READ_ERROR");
        return;
    }
    o->seconds = (double)(j->at_ns - j->begin.at_ns) / 1e9;
    o->counts = j->counter.total - j->begin.total;
    o->n_moves = j->counter.n_moves - j->begin.n_moves;
    find_period(j, o);
    if (j->n_errors > 0) {
        tare_joules_flag(o->flags, sizeof o->flags, "READ_ERROR");
    }
    o->why = why_lost(j, o);
    if (!o->why && (o->n_moves == 0 || o->seconds <= 0)) {
        o->why = why_still(j, o);
    }
    if (!o->why && o->period_s > 0 && o->seconds < few_steps * o->period_s) {
        tare_joules_flag(o->flags, sizeof o->flags, "SHORT_WINDOW");
    }
    if (!o->why && o->period_s <= 0) {
        tare_joules_flag(o->flags, sizeof o->flags, "PERIOD_UNKNOWN");
    }
}

/* Both edges: late by up to a period, and somewhere within the time that the read took. */
static double uncertainty(const struct tare_joules *j, const struct outcome *o)
{
    double watts = o->counts * j->joule / o->seconds;
    return tare_counter_edge_u(watts, o->bound_s) + watts * (j->begin.half_s + j->half_s);
}

void tare_joules_report(struct tare_joules *j, struct tare_readings *to)
{
    struct outcome o = {0};
    judge(j, &o);
    struct tare_reading reading = {.name = j->name,
                                   .unit = "J",
                                   .scope = j->scope,
                                   .source = j->source,
                                   .kind = TARE_KIND_MEASURED,
                                   .absent = o.why != NULL,
                                   .value = o.counts * j->joule,
                                   .why = o.why};
    struct tare_doubt doubt = {o.why ? (double)NAN : uncertainty(j, &o), j->gain, o.flags};
    to->add_doubted(to, &reading, &doubt);
    char name[64];
    (void)snprintf(name, sizeof name, "%s_period", j->name);
    bool known = o.period_s > 0 || (j->period_s > 0 && !j->never[0]);
    reading = (struct tare_reading){.name = name,
                                    .unit = "s",
                                    .scope = j->scope,
                                    .source = j->source,
                                    .kind = TARE_KIND_MEASURED,
                                    .absent = !known,
                                    .value = o.period_s > 0 ? o.period_s : j->period_s,
                                    .why = j->never[0] ? j->never
                                                       : "no two steps were seen apart: the counter moved at "
                                                         "every read, or at none"};
    to->add(to, &reading);
}
