/* SPDX-License-Identifier: Apache-2.0 */
/* One function a group of keys; each key is known to the list below, so that a misspelt one is named. */
#include "definition.h"

#include <stdlib.h>
#include <string.h>

enum { max_definition_bytes = 4 << 20, max_shots = 64, max_new_tok = 1 << 20 };

static const char *const known_keys[] = {"tare_task",
                                         "name",
                                         "version",
                                         "description",
                                         "licence",
                                         "cite",
                                         "sources",
                                         "split",
                                         "fewshot_split",
                                         "samples",
                                         "num_fewshot",
                                         "fewshot",
                                         "hook",
                                         "output",
                                         "context",
                                         "contexts",
                                         "choices",
                                         "target",
                                         "target_delimiter",
                                         "preamble",
                                         "fewshot_delimiter",
                                         "until",
                                         "max_output",
                                         "filters",
                                         "metrics",
                                         "fewshot_forced",
                                         NULL};
static const char *const known_split_keys[] = {"file", "format", "pointer", "columns", "labels", NULL};
static const char *const split_names[TARE_N_SPLITS] = {"test", "validation", "train"};

/* A stranger's key may hold anything: what is no printable ASCII is shown as '?'. */
static int bad(const struct tare_definition *d, const char *key, const char *why, struct tare_err *err)
{
    char shown[64];
    (void)snprintf(shown, sizeof shown, "%s", key);
    for (char *c = shown; *c; c++) {
        *c = *c < ' ' || *c > '~' ? '?' : *c;
    }
    return tare_err_set(err, TARE_E_FORMAT, "task file %s: \"%s\" %s", d->path, shown, why);
}

/* Words that stand in messages, tables and paths: printable ASCII. */
static bool is_plain(const char *text)
{
    while (*text >= ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

static bool is_known(const char *key, const char *const *known)
{
    for (; *known; known++) {
        if (strcmp(key, *known) == 0) {
            return true;
        }
    }
    return false;
}

static int check_keys(const struct tare_definition *d, const struct tare_json *object,
                      const char *const *known, struct tare_err *err)
{
    for (const struct tare_json *v = tare_json_first(object); v; v = tare_json_next(v)) {
        if (!is_known(tare_json_key(v), known)) {
            return bad(d, tare_json_key(v), "is no key of a task file; docs/task-files.md has them", err);
        }
    }
    return 0;
}

/* A string or `otherwise`; anything else is an error. */
static int take_text(const struct tare_definition *d, const struct tare_json *object, const char *key,
                     const char *otherwise, const char **out, struct tare_err *err)
{
    const struct tare_json *v = tare_json_get(object, key);
    if (v && tare_json_type(v) != TARE_JSON_NULL && !tare_json_str(v)) {
        return bad(d, key, "is no string", err);
    }
    const char *text = tare_json_str(v);
    *out = text ? text : otherwise;
    return 0;
}

/* The same of printable ASCII. */
static int take_word(const struct tare_definition *d, const struct tare_json *object, const char *key,
                     const char **out, struct tare_err *err)
{
    int r = take_text(d, object, key, NULL, out, err);
    return r == 0 && *out && (!is_plain(*out) || !**out) ? bad(d, key, "is empty or not printable ASCII", err)
                                                         : r;
}

static int take_i64(const struct tare_definition *d, const char *key, int64_t otherwise, int64_t max,
                    int64_t *out, struct tare_err *err)
{
    const struct tare_json *v = tare_json_get(d->json, key);
    *out = otherwise;
    if (!v) {
        return 0;
    }
    char what[300];
    (void)snprintf(what, sizeof what, "task file %.200s: \"%s\"", d->path, key);
    return tare_json_i64(v, what, 0, max, out, err);
}

static int take_template(const struct tare_definition *d, const char *key, struct tare_template **out,
                         struct tare_err *err)
{
    const char *text = NULL;
    char what[300];
    (void)snprintf(what, sizeof what, "task file %.200s: \"%s\"", d->path, key);
    int r = take_text(d, d->json, key, NULL, &text, err);
    return r == 0 && text ? tare_template_parse(text, what, out, err) : r;
}

static int take_head(struct tare_definition *d, struct tare_err *err)
{
    int64_t form = 0;
    int r = take_i64(d, "tare_task", 0, 1, &form, err);
    if (r == 0 && form != 1) {
        return bad(d, "tare_task", "is not 1: this is no task file, or one of another tare", err);
    }
    r = r == 0 ? check_keys(d, d->json, known_keys, err) : r;
    r = r == 0 ? take_word(d, d->json, "name", &d->name, err) : r;
    if (r == 0 && !d->name) {
        return bad(d, "name", "is missing", err);
    }
    return r == 0 ? take_i64(d, "version", 1, INT32_MAX, &d->version, err) : r;
}

static int take_output(struct tare_definition *d, struct tare_err *err)
{
    static const struct {
        const char *name;
        enum tare_output_type type;
    } types[] = {{"multiple_choice", TARE_OUTPUT_MULTIPLE_CHOICE},
                 {"loglikelihood", TARE_OUTPUT_LOGLIKELIHOOD},
                 {"loglikelihood_rolling", TARE_OUTPUT_ROLLING},
                 {"generate_until", TARE_OUTPUT_GENERATE}};
    const char *text = NULL;
    int r = take_text(d, d->json, "output", "", &text, err);
    for (size_t i = 0; r == 0 && i < sizeof types / sizeof *types; i++) {
        if (text && strcmp(types[i].name, text) == 0) {
            d->output = types[i].type;
            return 0;
        }
    }
    return r < 0
               ? r
               : bad(d, "output",
                     "is none of multiple_choice, loglikelihood, loglikelihood_rolling, generate_until", err);
}

static int take_split(struct tare_definition *d, const struct tare_json *json, struct tare_split *to,
                      struct tare_err *err)
{
    if (tare_json_type(json) != TARE_JSON_OBJECT) {
        return bad(d, tare_json_key(json), "of \"sources\" is no object", err);
    }
    int r = check_keys(d, json, known_split_keys, err);
    r = r == 0 ? take_word(d, json, "file", &to->file, err) : r;
    r = r == 0 ? take_word(d, json, "format", &to->format, err) : r;
    r = r == 0 ? take_word(d, json, "pointer", &to->pointer, err) : r;
    r = r == 0 ? take_word(d, json, "columns", &to->columns, err) : r;
    r = r == 0 ? take_word(d, json, "labels", &to->labels, err) : r;
    return r == 0 && !to->file ? bad(d, "file", "is missing in a source", err) : r;
}

static int find_split(const struct tare_definition *d, const char *key, const char *name,
                      enum tare_split_name *out, struct tare_err *err)
{
    for (int i = 0; i < TARE_N_SPLITS; i++) {
        if (strcmp(split_names[i], name) == 0) {
            *out = (enum tare_split_name)i;
            return 0;
        }
    }
    return bad(d, key, "is none of test, validation, train", err);
}

static int read_sources(struct tare_definition *d, struct tare_err *err)
{
    const struct tare_json *sources = tare_json_get(d->json, "sources");
    enum tare_split_name which = TARE_SPLIT_TEST;
    int r = tare_json_type(sources) == TARE_JSON_OBJECT ? 0 : bad(d, "sources", "is no object", err);
    for (const struct tare_json *v = r == 0 ? tare_json_first(sources) : NULL; r == 0 && v;
         v = tare_json_next(v)) {
        r = find_split(d, tare_json_key(v), tare_json_key(v), &which, err);
        r = r == 0 ? take_split(d, v, &d->splits[which], err) : r;
    }
    return r;
}

/* Documents of the test split, else of validation; examples of train, else of validation, else of test. */
static int take_splits(struct tare_definition *d, struct tare_err *err)
{
    const char *split = NULL, *shots = NULL;
    int r = read_sources(d, err);
    r = r == 0 ? take_text(d, d->json, "split", NULL, &split, err) : r;
    r = r == 0 ? take_text(d, d->json, "fewshot_split", NULL, &shots, err) : r;
    d->split = d->splits[TARE_SPLIT_TEST].file ? TARE_SPLIT_TEST : TARE_SPLIT_VALIDATION;
    d->fewshot_split = d->splits[TARE_SPLIT_TRAIN].file        ? TARE_SPLIT_TRAIN
                       : d->splits[TARE_SPLIT_VALIDATION].file ? TARE_SPLIT_VALIDATION
                                                               : TARE_SPLIT_TEST;
    r = r == 0 && split ? find_split(d, "split", split, &d->split, err) : r;
    r = r == 0 && shots ? find_split(d, "fewshot_split", shots, &d->fewshot_split, err) : r;
    d->draws_beside = !d->splits[TARE_SPLIT_TEST].file && !shots;
    return r == 0 && !d->splits[d->split].file ? bad(d, "sources", "has no split to be asked", err) : r;
}

static int take_fewshot(struct tare_definition *d, struct tare_err *err)
{
    const char *rule = NULL;
    int r = take_i64(d, "num_fewshot", 0, max_shots, &d->num_fewshot, err);
    r = r == 0 ? take_text(d, d->json, "fewshot", "random", &rule, err) : r;
    if (r == 0 && rule && strcmp(rule, "random") != 0 && strcmp(rule, "first") != 0) {
        return bad(d, "fewshot", "is neither \"random\" nor \"first\"", err);
    }
    d->samples = tare_json_get(d->json, "samples");
    if (r == 0 && d->samples && tare_json_type(d->samples) != TARE_JSON_ARRAY) {
        return bad(d, "samples", "is no list of documents", err);
    }
    d->draws_beside = d->draws_beside && !d->samples;
    d->fewshot_first = r == 0 && rule && strcmp(rule, "first") == 0;
    d->fewshot_forced = tare_json_true(tare_json_get(d->json, "fewshot_forced"));
    return r;
}

static int take_choices(struct tare_definition *d, struct tare_err *err)
{
    const struct tare_json *json = tare_json_get(d->json, "choices");
    if (tare_json_type(json) != TARE_JSON_ARRAY) {
        return json ? take_template(d, "choices", &d->choices, err) : 0;
    }
    d->choice_list = calloc(tare_json_size(json) + 1, sizeof *d->choice_list);
    if (!d->choice_list) {
        return tare_err_set(err, TARE_E_NOMEM, "task file %s: out of memory", d->path);
    }
    int r = 0;
    for (const struct tare_json *v = tare_json_first(json); r == 0 && v; v = tare_json_next(v)) {
        const char *text = tare_json_str(v);
        r = text ? tare_template_parse(text, d->path, &d->choice_list[d->n_choice_list], err)
                 : bad(d, "choices", "holds something that is no string", err);
        d->n_choice_list += r == 0;
    }
    return r;
}

static int take_texts(struct tare_definition *d, struct tare_err *err)
{
    int r = take_template(d, "context", &d->context, err);
    r = r == 0 ? take_template(d, "contexts", &d->contexts, err) : r;
    r = r == 0 ? take_template(d, "target", &d->target, err) : r;
    r = r == 0 ? take_template(d, "preamble", &d->preamble, err) : r;
    r = r == 0 ? take_choices(d, err) : r;
    r = r == 0 ? take_text(d, d->json, "target_delimiter", " ", &d->target_delimiter, err) : r;
    r = r == 0 ? take_text(d, d->json, "fewshot_delimiter", "\n\n", &d->fewshot_delimiter, err) : r;
    r = r == 0 ? take_word(d, d->json, "hook", &d->hook, err) : r;
    if (r == 0 && d->output == TARE_OUTPUT_MULTIPLE_CHOICE && !d->choices && !d->choice_list) {
        return bad(d, "choices", "is missing", err);
    }
    return r == 0 && !d->target ? bad(d, "target", "is missing", err) : r;
}

static int take_until(struct tare_definition *d, struct tare_err *err)
{
    const struct tare_json *json = tare_json_get(d->json, "until");
    int r = take_i64(d, "max_output", 256, max_new_tok, &d->max_output, err);
    if (r < 0 || !json) {
        return r;
    }
    if (tare_json_type(json) != TARE_JSON_ARRAY) {
        return bad(d, "until", "is no list", err);
    }
    d->until = calloc(tare_json_size(json) + 1, sizeof *d->until);
    if (!d->until) {
        return tare_err_set(err, TARE_E_NOMEM, "task file %s: out of memory", d->path);
    }
    for (const struct tare_json *v = tare_json_first(json); v; v = tare_json_next(v)) {
        const char *text = tare_json_str(v);
        if (!text || !*text) {
            return bad(d, "until", "holds something that is no text", err);
        }
        d->until[d->n_until++] = (struct tare_bytes){.data = text, .n = strlen(text)};
    }
    return 0;
}

static int take_metrics(struct tare_definition *d, struct tare_err *err)
{
    const struct tare_json *json = tare_json_get(d->json, "metrics");
    const struct tare_json *chains = tare_json_get(d->json, "filters");
    size_t n_chains = tare_json_size(chains) ? tare_json_size(chains) : 1;
    if (tare_json_type(json) != TARE_JSON_ARRAY || tare_json_size(json) == 0) {
        return bad(d, "metrics", "is no list of metrics", err);
    }
    d->metrics = calloc(tare_json_size(json) * n_chains + 1, sizeof *d->metrics);
    if (!d->metrics) {
        return tare_err_set(err, TARE_E_NOMEM, "task file %s: out of memory", d->path);
    }
    for (size_t chain = 0; chain < n_chains; chain++) {
        const struct tare_json *filter = tare_json_first(chains);
        for (size_t i = 0; i < chain; i++) {
            filter = tare_json_next(filter);
        }
        for (const struct tare_json *v = tare_json_first(json); v; v = tare_json_next(v)) {
            struct tare_wanted_metric *m = &d->metrics[d->n_metrics++];
            m->metric = tare_json_str(tare_json_get(v, "metric"));
            m->filter = tare_json_str(tare_json_get(filter, "name"));
            m->options = v;
            m->chain = chain;
            const char *as = tare_json_str(tare_json_get(v, "as"));
            if (!m->metric || !is_plain(m->metric) || (as && !is_plain(as)) ||
                (m->filter && !is_plain(m->filter))) {
                return bad(d, "metrics",
                           "holds one without \"metric\", or a name that is not printable ASCII", err);
            }
        }
    }
    return 0;
}

int tare_definition_load(const char *path, struct tare_definition **out, struct tare_err *err)
{
    struct tare_definition *d = calloc(1, sizeof *d);
    if (!d || !(d->path = strdup(path))) {
        free(d);
        return tare_err_set(err, TARE_E_NOMEM, "task file %s: out of memory", path);
    }
    int r = tare_json_load(path, max_definition_bytes, &d->json, err);
    r = r == 0 ? take_head(d, err) : r;
    r = r == 0 ? take_output(d, err) : r;
    r = r == 0 ? take_splits(d, err) : r;
    r = r == 0 ? take_fewshot(d, err) : r;
    r = r == 0 ? take_texts(d, err) : r;
    r = r == 0 ? take_until(d, err) : r;
    r = r == 0 ? take_metrics(d, err) : r;
    if (r < 0) {
        tare_definition_free(d);
        return r;
    }
    *out = d;
    return 0;
}

void tare_definition_free(struct tare_definition *d)
{
    if (!d) {
        return;
    }
    for (size_t i = 0; i < d->n_choice_list; i++) {
        tare_template_destroy(d->choice_list[i]);
    }
    free(d->choice_list);
    tare_template_destroy(d->choices);
    tare_template_destroy(d->context);
    tare_template_destroy(d->contexts);
    tare_template_destroy(d->target);
    tare_template_destroy(d->preamble);
    free(d->until);
    free(d->metrics);
    free(d->path);
    tare_json_destroy(d->json);
    free(d);
}
