/* SPDX-License-Identifier: Apache-2.0 */
/* Stripping, case, replacing and joining. */
#include "strings.h"

#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

static bool is_one_of(struct tare_bytes set, uint32_t c)
{
    for (size_t at = 0; at < set.n;) {
        if (tare_unicode_next(set, &at) == c) {
            return true;
        }
    }
    return false;
}

static struct tare_bytes strip_set(struct tare_bytes text, enum tare_tpl_side side, struct tare_bytes set)
{
    size_t begin = 0, end = text.n, next = 0;
    while ((side & TARE_TPL_LEFT) && begin < end && is_one_of(set, tare_unicode_next(text, &next))) {
        begin = next;
    }
    next = end;
    while ((side & TARE_TPL_RIGHT) && end > begin && is_one_of(set, tare_unicode_before(text, &next))) {
        end = next;
    }
    return (struct tare_bytes){text.data + begin, end - begin};
}

int tare_tpl_strip(struct tare_tpl_run *run, struct tare_bytes text, enum tare_tpl_side side,
                   const struct tare_tpl_value *chars, struct tare_tpl_value *out)
{
    if (chars && chars->type == TARE_TPL_V_STR) {
        *out = tare_tpl_string(strip_set(text, side, chars->text));
        /* Every character stripped was looked for in the set. */
        return tare_tpl_step(run, (text.n - out->text.n) * chars->text.n / 64);
    }
    if (chars && chars->type != TARE_TPL_V_NONE) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "characters to strip are a string, found %s",
                             tare_tpl_type_name(chars));
    }
    *out = tare_tpl_string(side == TARE_TPL_LEFT    ? tare_unicode_lstrip(text)
                           : side == TARE_TPL_RIGHT ? tare_unicode_rstrip(text)
                                                    : tare_unicode_strip(text));
    return tare_tpl_step(run, text.n / 64);
}

int tare_tpl_map_case(struct tare_tpl_run *run, struct tare_bytes text, enum tare_tpl_case to,
                      struct tare_tpl_value *out)
{
    static int (*const maps[])(struct tare_bytes text, char **out, size_t *out_n, struct tare_err *err) = {
        tare_unicode_lower, tare_unicode_upper, tare_unicode_capitalize, tare_unicode_title};
    struct tare_err err = {0};
    char *mapped = NULL;
    size_t n = 0;
    int r = tare_tpl_step(run, text.n / 8); /* dearer than a copy */
    if (r < 0) {
        return r;
    }
    r = maps[to](text, &mapped, &n, &err);
    r = r == 0 ? tare_tpl_copy(run, mapped, n, out) : tare_tpl_fail(run, r, "%s", err.msg);
    free(mapped);
    return r;
}

int tare_tpl_count(struct tare_tpl_run *run, const struct tare_tpl_value *v, const char *what, int64_t *out)
{
    if (!tare_tpl_is_integer(v)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "%s is an integer, found %s", what, tare_tpl_type_name(v));
    }
    *out = v->integer;
    return 0;
}

/* How often `old` is replaced: it stands in the text, or, if empty, before every character and at the end. */
static size_t count_places(struct tare_bytes text, struct tare_bytes old, int64_t most)
{
    size_t n = 0, limit = most < 0 ? SIZE_MAX : (size_t)most;
    if (old.n == 0) {
        n = tare_unicode_chars(text) + 1;
        return n < limit ? n : limit;
    }
    const char *at = text.data, *end = text.data + text.n;
    while (n < limit && (at = memmem(at, (size_t)(end - at), old.data, old.n)) != NULL) {
        at += old.n;
        n++;
    }
    return n;
}

/* The next place from `at` on. */
static size_t next_place(struct tare_bytes text, struct tare_bytes old, size_t at, bool first)
{
    if (old.n == 0) {
        if (!first) {
            (void)tare_unicode_next(text, &at);
        }
        return at;
    }
    const char *found = memmem(text.data + at, text.n - at, old.data, old.n);
    return found ? (size_t)(found - text.data) : text.n;
}

int tare_tpl_replace(struct tare_tpl_run *run, struct tare_bytes text, struct tare_bytes old,
                     struct tare_bytes with, int64_t count, struct tare_tpl_value *out)
{
    size_t places = count_places(text, old, count), at = 0, n = 0;
    if (places > 0 && with.n > (size_t)tare_tpl_max_memory_bytes / places) {
        return tare_tpl_fail(run, TARE_E_LIMIT, "the text becomes too long");
    }
    size_t size = text.n - places * old.n + places * with.n;
    char *to = tare_tpl_take(run, size + 1);
    int r = to ? tare_tpl_step(run, places + (text.n + size) / 64) : TARE_E_LIMIT;
    for (size_t i = 0; r == 0 && i < places; i++) {
        size_t place = next_place(text, old, at, i == 0);
        memcpy(to + n, text.data + at, place - at);
        memcpy(to + n + (place - at), with.data, with.n);
        n += place - at + with.n;
        at = place + old.n;
    }
    if (r == 0) {
        memcpy(to + n, text.data + at, text.n - at);
        *out = tare_tpl_string((struct tare_bytes){to, size});
    }
    return r;
}

static int append_element(struct tare_tpl_run *run, const struct tare_tpl_value *v, bool any_type,
                          struct tare_tpl_text *to)
{
    struct tare_bytes text;
    if (!any_type && v->type != TARE_TPL_V_STR) {
        return tare_tpl_fail(run, TARE_E_FORMAT,
                             "the method join takes strings, found %s; the filter takes any",
                             tare_tpl_type_name(v));
    }
    int r = tare_tpl_str(run, v, &text);
    return r == 0 ? tare_tpl_append(run, to, text) : r;
}

int tare_tpl_join(struct tare_tpl_run *run, struct tare_bytes between, const struct tare_tpl_value *list,
                  bool any_type, struct tare_tpl_value *out)
{
    struct tare_tpl_text text = {0};
    struct tare_tpl_value elements;
    int r = tare_tpl_iterate(run, list, &elements);
    for (size_t i = 0; r == 0 && i < elements.n; i++) {
        r = i > 0 ? tare_tpl_append(run, &text, between) : tare_tpl_step(run, elements.n);
        r = r == 0 ? append_element(run, &elements.items[i], any_type, &text) : r;
    }
    r = r == 0 ? tare_tpl_copy(run, text.data ? text.data : "", text.n, out) : r;
    free(text.data);
    return r;
}
