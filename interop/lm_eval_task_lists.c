/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics with what lm-evaluation-harness takes for granted made explicit, filters, and when to stop. */
#include "interop/lm_eval_task_lists.h"

#include "base/nearest.h"

#include <math.h>
#include <string.h>

int tare_lm_eval_task_bad(const struct tare_lm_eval_task *t, const char *fmt, ...)
{
    char message[400];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    return tare_err_set(t->err, TARE_E_FORMAT, "%.100s: %s", t->what, message);
}

int tare_lm_eval_task_known(const struct tare_lm_eval_task *t, const struct tare_json *object,
                            const char *where, const char *const *words)
{
    if (object && tare_json_type(object) != TARE_JSON_OBJECT) {
        return tare_lm_eval_task_bad(t, "%s%sa mapping is expected, found %s", where, *where ? ": " : "",
                                     tare_json_type_name(tare_json_type(object)));
    }
    for (const struct tare_json *v = tare_json_first(object); v; v = tare_json_next(v)) {
        struct tare_nearest nearest = {.word = tare_json_key(v)};
        bool known = false;
        for (const char *const *word = words; *word && !known; word++) {
            known = strcmp(*word, tare_json_key(v)) == 0;
            tare_nearest_offer(&nearest, *word);
        }
        const char *best = known ? NULL : tare_nearest_best(&nearest);
        if (!known) {
            return tare_lm_eval_task_bad(t, "%s%s'%.60s' is no key that is converted%s%s%s", where,
                                         *where ? ": " : "", tare_json_key(v), best ? "; did you mean '" : "",
                                         best ? best : "", best ? "'?" : "");
        }
    }
    return 0;
}

const struct tare_json *tare_lm_eval_task_get(const struct tare_json *object, const char *key)
{
    const struct tare_json *v = tare_json_get(object, key);
    return v && tare_json_type(v) != TARE_JSON_NULL ? v : NULL;
}

int tare_lm_eval_task_str(const struct tare_lm_eval_task *t, const struct tare_json *v, const char *where,
                          char room[64], const char **out)
{
    const char *text = tare_json_number_text(v);
    switch (tare_json_type(v)) {
    case TARE_JSON_STRING:
        *out = tare_json_str(v);
        return 0;
    case TARE_JSON_BOOL:
        *out = tare_json_true(v) ? "True" : "False";
        return 0;
    case TARE_JSON_NUMBER:
        if (text && strspn(text, "-0123456789") == strlen(text) && strlen(text) < 64) {
            (void)snprintf(room, 64, "%s", text);
            *out = room;
            return 0;
        }
        return tare_lm_eval_task_bad(t, "%s: write this number in quotes", where);
    default:
        return tare_lm_eval_task_bad(t, "%s: text is expected, found %s", where,
                                     tare_json_type_name(tare_json_type(v)));
    }
}

/* What a metric is aggregated by, and which way is better, if its file does not say. */
static const struct {
    const char *name, *aggregation;
    bool higher_is_better;
} defaults[] = {
    {"acc", "mean", true},
    {"acc_norm", "mean", true},
    {"acc_bytes", "mean", true},
    {"acc_mutual_info", "mean", true},
    {"exact_match", "mean", true},
    {"likelihood", "mean", true},
    {"brier_score", "brier_score", false},
    {"f1", "f1", true},
    {"mcc", "matthews_corrcoef", true},
    {"bleu", "bleu", true},
    {"chrf", "chrf", true},
    {"ter", "ter", false},
    {"perplexity", "perplexity", false},
    {"word_perplexity", "weighted_perplexity", false},
    {"byte_perplexity", "weighted_perplexity", false},
    {"bits_per_byte", "bits_per_byte", false},
};

/* -1 if it is none of them. */
static int default_of(const char *metric)
{
    for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++) {
        if (strcmp(defaults[i].name, metric) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static int add_metric(const struct tare_lm_eval_task *t, const struct tare_json *given,
                      struct tare_json *list)
{
    static const char *const words[] = {"metric",
                                        "aggregation",
                                        "higher_is_better",
                                        "ignore_case",
                                        "ignore_punctuation",
                                        "ignore_numbers",
                                        "regexes_to_ignore",
                                        NULL};
    const char *name = tare_json_str(tare_json_get(given, "metric"));
    int r = tare_lm_eval_task_known(t, given, "metric_list", words);
    if (r == 0 && !name) {
        return tare_lm_eval_task_bad(t, "metric_list: each entry has a metric");
    }
    int known = r == 0 ? default_of(name) : -1;
    const struct tare_json *aggregation = tare_lm_eval_task_get(given, "aggregation");
    const struct tare_json *higher = tare_lm_eval_task_get(given, "higher_is_better");
    if (r == 0 && known < 0 && (!aggregation || !higher)) {
        return tare_lm_eval_task_bad(t, "metric_list: '%.60s' needs aggregation and higher_is_better", name);
    }
    if (r < 0) {
        return r;
    }
    struct tare_json *to = tare_json_add_object(list, NULL);
    tare_json_add_str(to, "metric", name);
    tare_json_add_str(to, "aggregation",
                      aggregation ? tare_json_str(aggregation) : defaults[known].aggregation);
    tare_json_add_bool(to, "higher_is_better",
                       higher ? tare_json_true(higher) : defaults[known].higher_is_better);
    for (size_t i = 3; words[i]; i++) {
        if (tare_json_get(given, words[i])) {
            tare_json_add_copy(to, words[i], tare_json_get(given, words[i]));
        }
    }
    return 0;
}

/* The metrics of a task that names none. */
static void add_defaults(const char *output, struct tare_json *list)
{
    static const char *const of[][4] = {
        {"multiple_choice", "acc", "acc_norm", NULL},
        {"loglikelihood", "perplexity", "acc", NULL},
        {"loglikelihood_rolling", "word_perplexity", "byte_perplexity", "bits_per_byte"},
        {"generate_until", "exact_match", NULL, NULL}};
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        for (size_t k = 1; strcmp(of[i][0], output) == 0 && k < 4 && of[i][k]; k++) {
            struct tare_json *to = tare_json_add_object(list, NULL);
            int known = default_of(of[i][k]);
            tare_json_add_str(to, "metric", of[i][k]);
            tare_json_add_str(to, "aggregation", defaults[known].aggregation);
            tare_json_add_bool(to, "higher_is_better", defaults[known].higher_is_better);
        }
    }
}

int tare_lm_eval_task_metrics(const struct tare_lm_eval_task *t, const char *output)
{
    struct tare_json *list = tare_json_add_array(t->to, "metrics");
    const struct tare_json *given = tare_lm_eval_task_get(t->from, "metric_list");
    if (!given) {
        add_defaults(output, list);
        return 0;
    }
    if (tare_json_type(given) != TARE_JSON_ARRAY || tare_json_size(given) == 0) {
        return tare_lm_eval_task_bad(t, "metric_list: a list of metrics is expected");
    }
    int r = 0;
    for (const struct tare_json *v = tare_json_first(given); r == 0 && v; v = tare_json_next(v)) {
        r = add_metric(t, v, list);
    }
    return r;
}

static const char *const filter_words[] = {
    "function",           "regex_pattern",     "group_select", "fallback",      "k", "ignore_case",
    "ignore_punctuation", "regexes_to_ignore", "mapping_dict", "default_value", NULL};

static int add_step(const struct tare_lm_eval_task *t, const struct tare_json *given, struct tare_json *chain)
{
    static const char *const functions[] = {
        "regex",      "regex_pos",    "remove_whitespace",  "lowercase", "uppercase",
        "take_first", "take_first_k", "multi_choice_regex", "map",       "majority_vote",
        NULL};
    const char *name = tare_json_str(tare_json_get(given, "function"));
    int r = tare_lm_eval_task_known(t, given, "filter_list", filter_words);
    bool known = false;
    if (r == 0 && !name) {
        return tare_lm_eval_task_bad(t, "filter_list: each step has a function");
    }
    for (size_t i = 0; r == 0 && functions[i]; i++) {
        known |= strcmp(functions[i], name) == 0;
    }
    if (r == 0 && !known) {
        return tare_lm_eval_task_bad(t, "filter_list: function '%.60s' is not converted", name);
    }
    if (r == 0) {
        tare_json_add_copy(chain, NULL, given);
    }
    return r;
}

static int add_filter(const struct tare_lm_eval_task *t, const struct tare_json *given,
                      struct tare_json *list)
{
    static const char *const words[] = {"name", "filter", NULL};
    const struct tare_json *steps = tare_json_get(given, "filter");
    const char *name = tare_json_str(tare_json_get(given, "name"));
    int r = tare_lm_eval_task_known(t, given, "filter_list", words);
    if (r == 0 && (!name || tare_json_type(steps) != TARE_JSON_ARRAY)) {
        return tare_lm_eval_task_bad(t, "filter_list: each entry has a name and a list named filter");
    }
    struct tare_json *to = tare_json_add_object(list, NULL);
    tare_json_add_str(to, "name", name);
    struct tare_json *chain = tare_json_add_array(to, "chain");
    for (const struct tare_json *v = tare_json_first(steps); r == 0 && v; v = tare_json_next(v)) {
        r = add_step(t, v, chain);
    }
    return r;
}

int tare_lm_eval_task_filters(const struct tare_lm_eval_task *t)
{
    const struct tare_json *given = tare_lm_eval_task_get(t->from, "filter_list");
    if (!given) {
        return 0;
    }
    if (tare_json_type(given) != TARE_JSON_ARRAY) {
        return tare_lm_eval_task_bad(t, "filter_list: a list is expected");
    }
    struct tare_json *list = tare_json_add_array(t->to, "filters");
    int r = 0;
    for (const struct tare_json *v = tare_json_first(given); r == 0 && v; v = tare_json_next(v)) {
        r = add_filter(t, v, list);
    }
    return r;
}

/* Only what greedy decoding is. */
static int check_greedy(const struct tare_lm_eval_task *t, const struct tare_json *given)
{
    const struct tare_json *sample = tare_lm_eval_task_get(given, "do_sample");
    const struct tare_json *heat = tare_lm_eval_task_get(given, "temperature");
    const struct tare_json *beams = tare_lm_eval_task_get(given, "num_beams");
    if (sample && (tare_json_type(sample) != TARE_JSON_BOOL || tare_json_true(sample))) {
        return tare_lm_eval_task_bad(t, "generation_kwargs: only do_sample: false is converted");
    }
    if (heat && (tare_json_type(heat) != TARE_JSON_NUMBER || fabs(tare_json_num(heat)) > 0.0)) {
        return tare_lm_eval_task_bad(t, "generation_kwargs: only temperature: 0 is converted");
    }
    if (beams && (tare_json_type(beams) != TARE_JSON_NUMBER || fabs(tare_json_num(beams) - 1.0) > 0.0)) {
        return tare_lm_eval_task_bad(t, "generation_kwargs: only num_beams: 1 is converted");
    }
    return 0;
}

static int add_until(const struct tare_lm_eval_task *t, const struct tare_json *until, const char *delimiter)
{
    struct tare_json *list = tare_json_add_array(t->to, "until");
    if (!until || tare_json_str(until)) {
        tare_json_add_str(list, NULL, until ? tare_json_str(until) : delimiter);
        return 0;
    }
    for (const struct tare_json *v = tare_json_first(until); v; v = tare_json_next(v)) {
        if (!tare_json_str(v)) {
            return tare_lm_eval_task_bad(t, "generation_kwargs: until is a text or a list of texts");
        }
        tare_json_add_str(list, NULL, tare_json_str(v));
    }
    return tare_json_type(until) == TARE_JSON_ARRAY
               ? 0
               : tare_lm_eval_task_bad(t, "generation_kwargs: until is a text or a list of texts");
}

int tare_lm_eval_task_generation(const struct tare_lm_eval_task *t, const char *delimiter)
{
    static const char *const words[] = {"until",       "max_gen_toks", "do_sample",
                                        "temperature", "num_beams",    NULL};
    const struct tare_json *given = tare_lm_eval_task_get(t->from, "generation_kwargs");
    const struct tare_json *most = tare_lm_eval_task_get(given, "max_gen_toks");
    int64_t max_output = 256;
    if (given && tare_json_type(given) != TARE_JSON_OBJECT) {
        return tare_lm_eval_task_bad(t, "generation_kwargs: a mapping is expected");
    }
    int r = tare_lm_eval_task_known(t, given, "generation_kwargs", words);
    r = r == 0 ? check_greedy(t, given) : r;
    r = r == 0 ? add_until(t, tare_lm_eval_task_get(given, "until"), delimiter) : r;
    r = r == 0 && most
            ? tare_json_i64(most, "generation_kwargs: max_gen_toks", 1, 1 << 20, &max_output, t->err)
            : r;
    tare_json_add_i64(t->to, "max_output", max_output);
    return r;
}
