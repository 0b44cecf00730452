/* SPDX-License-Identifier: Apache-2.0 */
/* Filter chains: JSON to steps, and each step's text out of the one before; see filters.h. */
#include "datasets/grading/filters.h"

#include "datasets/grading/regex.h"
#include "datasets/unicode/unicode.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum kind { REGEX, STRIP, LOWER, UPPER, MAP, FIRST };

struct pair {
    char *from, *to;
};

struct step {
    enum kind kind;
    struct tare_regex *regex;
    bool last;      /* REGEX: the last match, not the first */
    char *fallback; /* REGEX, MAP */
    struct pair *pairs;
    size_t n_pairs;
};

struct tare_filters {
    struct step *steps;
    size_t n;
    char *what;
};

void tare_filters_destroy(struct tare_filters *f)
{
    if (!f) {
        return;
    }
    for (size_t i = 0; i < f->n; i++) {
        struct step *step = &f->steps[i];
        tare_regex_destroy(step->regex);
        free(step->fallback);
        for (size_t k = 0; k < step->n_pairs; k++) {
            free(step->pairs[k].from);
            free(step->pairs[k].to);
        }
        free(step->pairs);
    }
    free(f->steps);
    free(f->what);
    free(f);
}

static int no_memory(const char *what, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for a filter", what);
}

static int copy(const char *text, const char *what, char **out, struct tare_err *err)
{
    *out = strdup(text);
    return *out ? 0 : no_memory(what, err);
}

/* Every key must be one of those named, which end with NULL. */
static int check_keys(const struct tare_json *filter, const char *const *known, const char *what,
                      struct tare_err *err)
{
    for (const struct tare_json *arg = tare_json_first(filter); arg; arg = tare_json_next(arg)) {
        size_t i = 0;
        while (known[i] && strcmp(known[i], tare_json_key(arg)) != 0) {
            i++;
        }
        if (!known[i]) {
            return tare_err_set(err, TARE_E_FORMAT, "%s: filter '%s' has no argument '%s'", what, known[0],
                                tare_json_key(arg));
        }
    }
    return 0;
}

/* An argument that is text; `otherwise` where it is not given. */
static int text_argument(const struct tare_json *filter, const char *key, const char *otherwise,
                         const char *what, const char **out, struct tare_err *err)
{
    const struct tare_json *arg = tare_json_get(filter, key);
    *out = arg ? tare_json_str(arg) : otherwise;
    return *out ? 0 : tare_err_set(err, TARE_E_FORMAT, "%s: '%s' must be a text", what, key);
}

static int parse_regex(const struct tare_json *filter, const char *what, struct step *step,
                       struct tare_err *err)
{
    const char *pattern, *fallback;
    int64_t select = 0;
    int r = text_argument(filter, "regex_pattern", "#### (\\-?[0-9\\.\\,]+)", what, &pattern, err);
    if (r == 0) {
        r = text_argument(filter, "fallback", "[invalid]", what, &fallback, err);
    }
    const struct tare_json *arg = tare_json_get(filter, "group_select");
    if (r == 0 && arg) {
        r = tare_json_i64(arg, "group_select (0: the first match, -1: the last)", -1, 0, &select, err);
    }
    if (r == 0) {
        step->last = select == -1;
        r = copy(fallback, what, &step->fallback, err);
    }
    return r < 0 ? r
                 : tare_regex_compile((struct tare_bytes){pattern, strlen(pattern)}, TARE_REGEX_PYTHON, what,
                                      &step->regex, err);
}

/* What a map maps to: a text, or a whole number as Python prints it. */
static int value_text(const struct tare_json *value, const char *what, char **out, struct tare_err *err)
{
    if (tare_json_type(value) == TARE_JSON_STRING) {
        return copy(tare_json_str(value), what, out, err);
    }
    int64_t number;
    char text[32];
    int r = tare_json_i64(value, "a value of map (a text or a whole number)", -(INT64_C(1) << 53),
                          INT64_C(1) << 53, &number, err);
    if (r < 0) {
        return r;
    }
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    return copy(text, what, out, err);
}

static int parse_map(const struct tare_json *filter, const char *what, struct step *step,
                     struct tare_err *err)
{
    const struct tare_json *dict = tare_json_get(filter, "mapping_dict");
    const struct tare_json *otherwise = tare_json_get(filter, "default_value");
    if (tare_json_type(dict) != TARE_JSON_OBJECT || !otherwise) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%s: map needs 'mapping_dict', an object, and 'default_value'", what);
    }
    int r = value_text(otherwise, what, &step->fallback, err);
    step->pairs = calloc(tare_json_size(dict) + 1, sizeof *step->pairs);
    if (!step->pairs) {
        return no_memory(what, err);
    }
    for (const struct tare_json *pair = tare_json_first(dict); r == 0 && pair; pair = tare_json_next(pair)) {
        struct pair *made = &step->pairs[step->n_pairs++];
        r = copy(tare_json_key(pair), what, &made->from, err);
        if (r == 0) {
            r = value_text(pair, what, &made->to, err);
        }
    }
    return r;
}

static const struct {
    const char *name;
    enum kind kind;
    const char *const *keys;
    int (*parse)(const struct tare_json *filter, const char *what, struct step *step, struct tare_err *err);
} functions[] = {
    {"regex", REGEX, (const char *const[]){"function", "regex_pattern", "group_select", "fallback", NULL},
     parse_regex},
    {"remove_whitespace", STRIP, (const char *const[]){"function", NULL}, NULL},
    {"lowercase", LOWER, (const char *const[]){"function", NULL}, NULL},
    {"uppercase", UPPER, (const char *const[]){"function", NULL}, NULL},
    {"map", MAP, (const char *const[]){"function", "mapping_dict", "default_value", NULL}, parse_map},
    {"take_first", FIRST, (const char *const[]){"function", NULL}, NULL},
};

static const struct {
    const char *name, *why;
} unsupported[] = {
    {"take_first_k", "it takes several responses to one request, and one is asked for"},
    {"majority_vote", "it takes several responses to one request, and one is asked for"},
    {"multi_choice_regex", "it looks for the choices of the document, which a filter here does not see"},
    {"custom", "it is Python code"},
    {"regex_pos", "it gives a list, and a list is not compared here"},
    {"format_span", "it gives spans, which are not compared here"},
};

static int refuse(const char *name, const char *what, struct tare_err *err)
{
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++) {
        if (strcmp(unsupported[i].name, name) == 0) {
            return tare_err_set(err, TARE_E_UNSUPPORTED, "%s: filter '%s': %s", what, name,
                                unsupported[i].why);
        }
    }
    return tare_err_set(
        err, TARE_E_FORMAT,
        "%s: no filter '%.40s': regex, remove_whitespace, lowercase, uppercase, map, take_first", what, name);
}

static int parse_step(const struct tare_json *filter, const char *what, struct step *step,
                      struct tare_err *err)
{
    const char *name = tare_json_str(tare_json_get(filter, "function"));
    if (!name) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: a filter is an object with 'function', a text", what);
    }
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        if (strcmp(functions[i].name, name) == 0) {
            step->kind = functions[i].kind;
            int r = check_keys(filter, functions[i].keys, what, err);
            return r < 0 || !functions[i].parse ? r : functions[i].parse(filter, what, step, err);
        }
    }
    return refuse(name, what, err);
}

static int parse_chain(const struct tare_json *chain, struct tare_filters *f, struct tare_err *err)
{
    for (const struct tare_json *filter = tare_json_first(chain); filter; filter = tare_json_next(filter)) {
        if (f->n > 0 && f->steps[f->n - 1].kind == FIRST) {
            return tare_err_set(
                err, TARE_E_UNSUPPORTED,
                "%s: take_first must be the last filter: behind it lm-eval goes on with the characters "
                "of the response",
                f->what);
        }
        int r = parse_step(filter, f->what, &f->steps[f->n++], err);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int tare_filters_parse(const struct tare_json *chain, const char *what, struct tare_filters **out,
                       struct tare_err *err)
{
    if (chain && tare_json_type(chain) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: a filter chain is an array of objects", what);
    }
    struct tare_filters *f = calloc(1, sizeof *f);
    if (!f) {
        return no_memory(what, err);
    }
    f->what = strdup(what);
    f->steps = calloc(tare_json_size(chain) + 1, sizeof *f->steps);
    int r = f->what && f->steps ? parse_chain(chain, f, err) : no_memory(what, err);
    if (r < 0) {
        tare_filters_destroy(f);
        return tare_plain_fault(r, err);
    }
    *out = f;
    return 0;
}

/* findall's entry for the last match: the group, or of several the first that is not empty. */
static struct tare_bytes entry_of(const struct step *step, struct tare_bytes text)
{
    size_t groups = tare_regex_groups(step->regex);
    if (groups < 2) {
        return tare_regex_group(step->regex, text, groups);
    }
    for (size_t i = 1; i <= groups; i++) {
        struct tare_bytes group = tare_regex_group(step->regex, text, i);
        if (group.n > 0) {
            return group;
        }
    }
    return (struct tare_bytes){.data = step->fallback, .n = strlen(step->fallback)};
}

static int apply_regex(const struct step *step, struct tare_bytes in, struct tare_string *out,
                       struct tare_err *err)
{
    struct tare_regex_at at = {0};
    struct tare_bytes found = {.data = step->fallback, .n = strlen(step->fallback)};
    int r;
    while ((r = tare_regex_next(step->regex, in, &at, err)) > 0) {
        found = tare_unicode_strip(entry_of(step, in));
        if (!step->last) {
            break;
        }
    }
    if (r < 0) {
        return r;
    }
    tare_string_add(out, found.data, found.n);
    return 0;
}

static int apply_case(enum kind kind, struct tare_bytes in, struct tare_string *out, struct tare_err *err)
{
    char *made;
    size_t n;
    int r = kind == LOWER ? tare_unicode_lower(in, &made, &n, err) : tare_unicode_upper(in, &made, &n, err);
    if (r == 0) {
        tare_string_add(out, made, n);
        free(made);
    }
    return r;
}

static void apply_map(const struct step *step, struct tare_bytes in, struct tare_string *out)
{
    const char *to = step->fallback;
    for (size_t i = 0; i < step->n_pairs; i++) {
        const char *from = step->pairs[i].from;
        if (strlen(from) == in.n && memcmp(from, in.data, in.n) == 0) {
            to = step->pairs[i].to;
        }
    }
    tare_string_puts(out, to);
}

static int apply_step(const struct step *step, struct tare_bytes in, struct tare_string *out,
                      struct tare_err *err)
{
    struct tare_bytes stripped;
    switch (step->kind) {
    case REGEX:
        return apply_regex(step, in, out, err);
    case LOWER:
    case UPPER:
        return apply_case(step->kind, in, out, err);
    case MAP:
        apply_map(step, in, out);
        return 0;
    case STRIP:
        stripped = tare_unicode_strip(in);
        tare_string_add(out, stripped.data, stripped.n);
        return 0;
    case FIRST:
        tare_string_add(out, in.data, in.n);
        return 0;
    }
    return 0;
}

int tare_filters_apply(const struct tare_filters *f, struct tare_bytes in, char **out, size_t *out_n,
                       struct tare_err *err)
{
    struct tare_string now = {0}, next = {0};
    tare_string_add_repaired(&now, in);
    int r = tare_string_check(&now, f->what, err);
    for (size_t i = 0; r == 0 && i < f->n; i++) {
        struct tare_string used = now;
        tare_string_clear(&next);
        r = apply_step(&f->steps[i], tare_string_bytes(&now), &next, err);
        if (r == 0) {
            r = tare_string_check(&next, f->what, err);
        }
        now = next;
        next = used;
    }
    if (r == 0) {
        r = tare_string_take(&now, f->what, out, out_n, err);
    }
    tare_string_fini(&now);
    tare_string_fini(&next);
    return r;
}
