/* SPDX-License-Identifier: Apache-2.0 */
/* Reading one object by its table. */
#include "core/declared_fields.h"

#include "base/nearest.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static bool is_known(const struct tare_field *table, const char *const *others, const char *key,
                     struct tare_nearest *nearest)
{
    bool known = false;
    for (; table->key; table++) {
        known = known || strcmp(table->key, key) == 0;
        tare_nearest_offer(nearest, table->key);
    }
    for (; others && *others; others++) {
        known = known || strcmp(*others, key) == 0;
        tare_nearest_offer(nearest, *others);
    }
    return known;
}

static int check_keys(const struct tare_field *table, const char *const *others, const struct tare_json *json,
                      const char *what, struct tare_err *err)
{
    for (const struct tare_json *v = tare_json_first(json); v; v = tare_json_next(v)) {
        struct tare_nearest nearest = {.word = tare_json_key(v)};
        if (is_known(table, others, tare_json_key(v), &nearest)) {
            continue;
        }
        const char *best = tare_nearest_best(&nearest);
        return tare_err_set(err, TARE_E_USAGE, "%s: unknown key \"%.40s\"%s%s%s", what, tare_json_key(v),
                            best ? "; did you mean \"" : "", best ? best : "", best ? "\"?" : "");
    }
    return 0;
}

static int bad_type(const struct tare_field *f, const struct tare_json *v, const char *what,
                    const char *should, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is %s, not %s", what, f->key,
                        tare_json_type_name(tare_json_type(v)), should);
}

static int read_number(const struct tare_field *f, const struct tare_json *v, const char *what, void *to,
                       struct tare_err *err)
{
    double value = tare_json_num(v);
    if (tare_json_type(v) != TARE_JSON_NUMBER) {
        return bad_type(f, v, what, "a number", err);
    }
    if (!isfinite(value) || value < f->min || value > f->max) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is %g; it may be %g to %g", what, f->key, value,
                            f->min, f->max);
    }
    if (f->type == TARE_FIELD_WHOLE) {
        int r = tare_json_i64(v, f->key, (int64_t)f->min, (int64_t)f->max, to, err);
        return r == 0 ? 0 : tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is no whole number", what, f->key);
    }
    memcpy(to, &value, sizeof value);
    return 0;
}

/* Copies a text that fits and that a terminal can be shown. */
static int copy_text(const char *text, char *to, size_t size, const char *what, const char *key,
                     struct tare_err *err)
{
    size_t n = strlen(text);
    if (n == 0 || n >= size) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" has %zu bytes; it may have 1 to %zu", what, key, n,
                            size - 1);
    }
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f) {
            return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" holds a control character", what, key);
        }
    }
    memcpy(to, text, n + 1);
    return 0;
}

static bool is_date(const char *text)
{
    static const char form[] = "0000-00-00";
    static const int days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 0, month = 0, day = 0;
    for (size_t i = 0; i < sizeof form; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !digit : text[i] != form[i]) {
            return false;
        }
    }
    return sscanf(text, "%4d-%2d-%2d", &year, &month, &day) == 3 && year >= 1990 && month >= 1 &&
           month <= 12 && day >= 1 && day <= days[month - 1];
}

static int read_text(const struct tare_field *f, const struct tare_json *v, const char *what, void *to,
                     struct tare_err *err)
{
    const char *text = tare_json_str(v);
    if (!text) {
        return bad_type(f, v, what, "a text", err);
    }
    if (f->type == TARE_FIELD_DATE && !is_date(text)) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is no date of the form 2026-11-27", what, f->key);
    }
    return copy_text(text, to, f->size, what, f->key, err);
}

static int read_words(const struct tare_field *f, const struct tare_json *v, const char *what, void *to,
                      struct tare_err *err)
{
    char joined[512] = "";
    size_t used = 0;
    if (tare_json_type(v) != TARE_JSON_ARRAY || tare_json_size(v) == 0) {
        return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is no array with a text", what, f->key);
    }
    for (const struct tare_json *word = tare_json_first(v); word; word = tare_json_next(word)) {
        const char *text = tare_json_str(word);
        if (!text || !*text) {
            return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" holds something that is no text", what,
                                f->key);
        }
        int n = snprintf(joined + used, sizeof joined - used, "%s%s", used ? ", " : "", text);
        if (n < 0 || (size_t)n >= sizeof joined - used) {
            return tare_err_set(err, TARE_E_USAGE, "%s: \"%s\" is too long", what, f->key);
        }
        used += (size_t)n;
    }
    return copy_text(joined, to, f->size, what, f->key, err);
}

static int read_field(const struct tare_field *f, const struct tare_json *v, const char *what, void *to,
                      struct tare_err *err)
{
    switch (f->type) {
    case TARE_FIELD_NUMBER:
    case TARE_FIELD_WHOLE:
        return read_number(f, v, what, to, err);
    case TARE_FIELD_TEXT:
    case TARE_FIELD_DATE:
        return read_text(f, v, what, to, err);
    case TARE_FIELD_WORDS:
        return read_words(f, v, what, to, err);
    case TARE_FIELD_FLAG:
        break;
    }
    if (tare_json_type(v) != TARE_JSON_BOOL) {
        return bad_type(f, v, what, "true or false", err);
    }
    *(bool *)to = tare_json_true(v);
    return 0;
}

int tare_fields_read(const struct tare_field *table, const char *const *others, const struct tare_json *json,
                     const char *what, void *base, struct tare_err *err)
{
    if (tare_json_type(json) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_USAGE, "%s: is %s, not an object", what,
                            tare_json_type_name(tare_json_type(json)));
    }
    int r = check_keys(table, others, json, what, err);
    for (const struct tare_field *f = table; r == 0 && f->key; f++) {
        const struct tare_json *v = tare_json_get(json, f->key);
        void *to = (char *)base + f->offset;
        if (!v && f->needed) {
            return tare_err_set(err, TARE_E_USAGE, "%s: has no \"%s\"", what, f->key);
        }
        if (!v && f->type == TARE_FIELD_NUMBER) {
            double none = (double)NAN;
            memcpy(to, &none, sizeof none);
        }
        r = v ? read_field(f, v, what, to, err) : r;
    }
    return r;
}

int tare_fields_choice(const char *value, const char *const *words, const char *what, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = value};
    for (size_t i = 0; words[i]; i++) {
        if (strcmp(words[i], value) == 0) {
            return 0;
        }
        tare_nearest_offer(&nearest, words[i]);
    }
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE, "%s: \"%.40s\" is unknown; %s \"%s\"", what, value,
                        best ? "did you mean" : "there is", best ? best : words[0]);
}
