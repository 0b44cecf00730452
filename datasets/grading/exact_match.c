/* SPDX-License-Identifier: Apache-2.0 */
/* Exact match and its normalisation; see exact_match.h. */
#include "datasets/grading/exact_match.h"

#include "datasets/grading/regex.h"
#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

struct tare_exact_match {
    bool ignore_case, ignore_punctuation, ignore_numbers;
    struct tare_regex **ignored;
    size_t n_ignored;
};

void tare_exact_match_destroy(struct tare_exact_match *m)
{
    if (m) {
        for (size_t i = 0; i < m->n_ignored; i++) {
            tare_regex_destroy(m->ignored[i]);
        }
        free(m->ignored);
        free(m);
    }
}

static int parse_patterns(const struct tare_json *list, const char *what, struct tare_exact_match *m,
                          struct tare_err *err)
{
    if (tare_json_type(list) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: 'regexes_to_ignore' is an array of texts", what);
    }
    m->ignored = calloc(tare_json_size(list) + 1, sizeof *m->ignored);
    if (!m->ignored) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for regular expressions", what);
    }
    for (const struct tare_json *item = tare_json_first(list); item; item = tare_json_next(item)) {
        const char *text = tare_json_str(item);
        if (!text) {
            return tare_err_set(err, TARE_E_FORMAT, "%s: 'regexes_to_ignore' is an array of texts", what);
        }
        int r = tare_regex_compile((struct tare_bytes){text, strlen(text)}, TARE_REGEX_PYTHON, what,
                                   &m->ignored[m->n_ignored], err);
        if (r < 0) {
            return r;
        }
        m->n_ignored++;
    }
    return 0;
}

static int parse_option(const struct tare_json *option, const char *what, struct tare_exact_match *m,
                        struct tare_err *err)
{
    const char *key = tare_json_key(option);
    bool *flag = strcmp(key, "ignore_case") == 0          ? &m->ignore_case
                 : strcmp(key, "ignore_punctuation") == 0 ? &m->ignore_punctuation
                 : strcmp(key, "ignore_numbers") == 0     ? &m->ignore_numbers
                                                          : NULL;
    if (flag) {
        *flag = tare_json_true(option);
        return tare_json_type(option) == TARE_JSON_BOOL
                   ? 0
                   : tare_err_set(err, TARE_E_FORMAT, "%s: '%s' is true or false", what, key);
    }
    if (strcmp(key, "regexes_to_ignore") == 0) {
        return parse_patterns(option, what, m, err);
    }
    return tare_err_set(
        err, TARE_E_FORMAT,
        "%s: exact_match has no option '%.40s': ignore_case, ignore_punctuation, ignore_numbers, "
        "regexes_to_ignore",
        what, key);
}

int tare_exact_match_parse(const struct tare_json *options, const char *what, struct tare_exact_match **out,
                           struct tare_err *err)
{
    if (options && tare_json_type(options) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: the options of exact_match are an object", what);
    }
    struct tare_exact_match *m = calloc(1, sizeof *m);
    if (!m) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory", what);
    }
    for (const struct tare_json *option = tare_json_first(options); option; option = tare_json_next(option)) {
        int r = parse_option(option, what, m, err);
        if (r < 0) {
            tare_exact_match_destroy(m);
            return tare_plain_fault(r, err);
        }
    }
    *out = m;
    return 0;
}

static bool is_punctuation(char c)
{
    return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') ||
           (c >= '{' && c <= '~');
}

void tare_remove_punctuation(struct tare_string *out, struct tare_bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (!is_punctuation(text.data[i])) {
            tare_string_putc(out, text.data[i]);
        }
    }
}

static void remove_digits(struct tare_string *out, struct tare_bytes text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') {
            tare_string_putc(out, text.data[i]);
        }
    }
}

static int lower(struct tare_bytes text, struct tare_string *out, struct tare_err *err)
{
    char *made;
    size_t n;
    int r = tare_unicode_lower(text, &made, &n, err);
    if (r == 0) {
        tare_string_add(out, made, n);
        free(made);
    }
    return r;
}

/* The other text becomes the one that is worked on. */
static void swap(struct tare_string *now, struct tare_string *next)
{
    struct tare_string used = *now;
    *now = *next;
    *next = used;
    tare_string_clear(next);
}

/* *now, with *next to work in, becomes what is compared. */
static int normalise(const struct tare_exact_match *m, struct tare_string *now, struct tare_string *next,
                     struct tare_err *err)
{
    for (size_t i = 0; i < m->n_ignored; i++) {
        int r = tare_regex_remove(m->ignored[i], tare_string_bytes(now), next, err);
        if (r < 0) {
            return r;
        }
        swap(now, next);
    }
    if (m->ignore_case) {
        int r = lower(tare_string_bytes(now), next, err);
        if (r < 0) {
            return r;
        }
        swap(now, next);
    }
    if (m->ignore_punctuation) {
        tare_remove_punctuation(next, tare_string_bytes(now));
        swap(now, next);
    }
    if (m->ignore_numbers) {
        remove_digits(next, tare_string_bytes(now));
        swap(now, next);
    }
    int r = tare_string_check(next, "exact_match", err);
    return r < 0 ? r : tare_string_check(now, "exact_match", err);
}

static int normalised(const struct tare_exact_match *m, struct tare_bytes text, struct tare_string *now,
                      struct tare_string *next, struct tare_err *err)
{
    tare_string_clear(now);
    tare_string_clear(next);
    tare_string_add_repaired(now, text);
    return normalise(m, now, next, err);
}

int tare_exact_match_score(const struct tare_exact_match *m, struct tare_bytes output,
                           const struct tare_bytes *golds, size_t n_golds, double *out, struct tare_err *err)
{
    struct tare_string said = {0}, gold = {0}, work = {0};
    bool same = false;
    int r = normalised(m, output, &said, &work, err);
    for (size_t i = 0; r == 0 && !same && i < n_golds; i++) {
        r = normalised(m, golds[i], &gold, &work, err);
        same = r == 0 && gold.n == said.n && (said.n == 0 || memcmp(gold.data, said.data, said.n) == 0);
    }
    tare_string_fini(&said);
    tare_string_fini(&gold);
    tare_string_fini(&work);
    if (r == 0) {
        *out = same;
    }
    return r;
}

static int contains(struct tare_bytes output, struct tare_bytes label, bool *found, struct tare_err *err)
{
    struct tare_regex *regex = NULL;
    struct tare_string valid = {0};
    tare_string_add_repaired(&valid, label);
    int r = tare_string_check(&valid, "a label", err);
    if (r == 0) {
        r = tare_regex_compile(tare_string_bytes(&valid), TARE_REGEX_LITERAL_ANY_CASE, "a label", &regex,
                               err);
    }
    tare_string_fini(&valid);
    if (r < 0) {
        return r;
    }
    struct tare_regex_at at = {0};
    r = tare_regex_next(regex, output, &at, err);
    tare_regex_destroy(regex);
    *found |= r > 0;
    return r < 0 ? r : 0;
}

int tare_contains_score(struct tare_bytes output, const struct tare_bytes *labels, size_t n_labels,
                        double *out, struct tare_err *err)
{
    struct tare_string valid = {0};
    bool found = false;
    tare_string_add_repaired(&valid, output);
    int r = tare_string_check(&valid, "an output", err);
    for (size_t i = 0; r == 0 && !found && i < n_labels; i++) {
        r = contains(tare_string_bytes(&valid), labels[i], &found, err);
    }
    tare_string_fini(&valid);
    if (r == 0) {
        *out = found;
    }
    return r;
}
