/* SPDX-License-Identifier: Apache-2.0 */
/* Methods of str and list. */
#include "call.h"
#include "strings.h"

#include "datasets/unicode/unicode.h"

#include <string.h>

static int need_str(struct tare_tpl_run *run, const struct tare_tpl_value *v, const char *what)
{
    return v->type == TARE_TPL_V_STR
               ? 0
               : tare_tpl_fail(run, TARE_E_FORMAT, "%s is a str, found %s", what, tare_tpl_type_name(v));
}

static int strip_side(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                      const struct tare_tpl_value *args, size_t n, enum tare_tpl_side side,
                      struct tare_tpl_value *out)
{
    int r = need_str(run, self, "what is stripped");
    return r == 0 ? tare_tpl_strip(run, self->text, side, n > 0 ? args : NULL, out) : r;
}

static int strip(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    return strip_side(run, self, args, n, TARE_TPL_BOTH, out);
}

static int lstrip(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                  const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    return strip_side(run, self, args, n, TARE_TPL_LEFT, out);
}

static int rstrip(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                  const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    return strip_side(run, self, args, n, TARE_TPL_RIGHT, out);
}

/* A list of strings as it grows, in the arena. */
struct pieces {
    struct tare_tpl_value *items;
    size_t n, cap;
};

static int add_piece(struct tare_tpl_run *run, struct pieces *pieces, const char *begin, const char *end)
{
    if (pieces->n == pieces->cap) {
        size_t cap = pieces->cap ? 2 * pieces->cap : 16;
        struct tare_tpl_value *items = tare_tpl_take(run, cap * sizeof *items);
        if (!items) {
            return TARE_E_LIMIT;
        }
        if (pieces->n > 0) {
            memcpy(items, pieces->items, pieces->n * sizeof *items);
        }
        pieces->items = items;
        pieces->cap = cap;
    }
    pieces->items[pieces->n++] = tare_tpl_string((struct tare_bytes){begin, (size_t)(end - begin)});
    return tare_tpl_step(run, 1);
}

static int split_at(struct tare_tpl_run *run, struct tare_bytes text, struct tare_bytes separator,
                    int64_t most, struct pieces *pieces)
{
    const char *at = text.data, *end = text.data + text.n, *found = NULL;
    int r = separator.n > 0 ? 0 : tare_tpl_fail(run, TARE_E_FORMAT, "split at an empty string");
    while (r == 0 && most != 0 &&
           (found = memmem(at, (size_t)(end - at), separator.data, separator.n)) != NULL) {
        r = add_piece(run, pieces, at, found);
        at = found + separator.n;
        most--;
    }
    return r == 0 ? add_piece(run, pieces, at, end) : r;
}

/* Where the word that begins here ends. */
static size_t word_end(struct tare_bytes text, size_t at)
{
    size_t next = at;
    while (next < text.n && !tare_unicode_is_space(tare_unicode_next(text, &next))) {
        at = next;
    }
    return at;
}

static int split_words(struct tare_tpl_run *run, struct tare_bytes text, int64_t most, struct pieces *pieces)
{
    int r = 0;
    for (text = tare_unicode_lstrip(text); r == 0 && text.n > 0; text = tare_unicode_lstrip(text)) {
        size_t end = most == 0 ? text.n : word_end(text, 0);
        r = add_piece(run, pieces, text.data, text.data + end);
        text = (struct tare_bytes){text.data + end, text.n - end};
        most--;
    }
    return r;
}

static int split(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct pieces pieces = {0};
    int64_t most = -1;
    bool words = n == 0 || args[0].type == TARE_TPL_V_NONE;
    int r = need_str(run, self, "what is split");
    r = r == 0 && !words ? need_str(run, &args[0], "the separator") : r;
    r = r == 0 && n > 1 ? tare_tpl_count(run, &args[1], "the number of splits", &most) : r;
    most = most < 0 ? -1 : most; /* all; it is counted down */
    r = r == 0 ? tare_tpl_step(run, self->text.n / 64) : r;
    r = r < 0   ? r
        : words ? split_words(run, self->text, most, &pieces)
                : split_at(run, self->text, args[0].text, most, &pieces);
    if (r == 0) {
        *out = (struct tare_tpl_value){
            .type = TARE_TPL_V_LIST, .items = pieces.n > 0 ? pieces.items : self, .n = pieces.n};
    }
    return r;
}

static int replace(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                   const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    int64_t count = -1;
    int r = need_str(run, self, "what is replaced in");
    r = r == 0 ? need_str(run, &args[0], "what is replaced") : r;
    r = r == 0 ? need_str(run, &args[1], "what replaces") : r;
    r = r == 0 && n > 2 ? tare_tpl_count(run, &args[2], "the number of replacements", &count) : r;
    return r == 0 ? tare_tpl_replace(run, self->text, args[0].text, args[1].text, count, out) : r;
}

static int lower(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    int r = need_str(run, self, "what becomes lower case");
    return r == 0 ? tare_tpl_map_case(run, self->text, TARE_TPL_LOWER, out) : r;
}

static int upper(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    int r = need_str(run, self, "what becomes upper case");
    return r == 0 ? tare_tpl_map_case(run, self->text, TARE_TPL_UPPER, out) : r;
}

static int title(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                 const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    int r = need_str(run, self, "what becomes title case");
    return r == 0 ? tare_tpl_map_case(run, self->text, TARE_TPL_TITLE, out) : r;
}

static int capitalize(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                      const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)args, (void)n;
    int r = need_str(run, self, "what is capitalized");
    return r == 0 ? tare_tpl_map_case(run, self->text, TARE_TPL_CAPITALIZE, out) : r;
}

static int starts_with(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                       const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)n;
    int r = need_str(run, self, "what begins");
    r = r == 0 ? need_str(run, args, "the beginning") : r;
    if (r == 0) {
        struct tare_bytes text = self->text, with = args->text;
        *out = tare_tpl_bool(text.n >= with.n && memcmp(text.data, with.data, with.n) == 0);
    }
    return r;
}

static int ends_with(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                     const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)n;
    int r = need_str(run, self, "what ends");
    r = r == 0 ? need_str(run, args, "the end") : r;
    if (r == 0) {
        struct tare_bytes text = self->text, with = args->text;
        *out =
            tare_tpl_bool(text.n >= with.n && memcmp(text.data + (text.n - with.n), with.data, with.n) == 0);
    }
    return r;
}

static int index_in_text(struct tare_tpl_run *run, struct tare_bytes text, const struct tare_tpl_value *part,
                         struct tare_tpl_value *out)
{
    int r = need_str(run, part, "what is looked for in a str");
    if (r < 0) {
        return r;
    }
    const char *found =
        part->text.n == 0 ? text.data : memmem(text.data, text.n, part->text.data, part->text.n);
    if (!found) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "index: the text is not in the str");
    }
    *out = tare_tpl_int(
        (int64_t)tare_unicode_chars((struct tare_bytes){text.data, (size_t)(found - text.data)}));
    return tare_tpl_step(run, text.n / 64);
}

static int index_of(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                    const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    struct tare_bytes text = {"", 0};
    bool found = false;
    (void)n;
    if (self->type == TARE_TPL_V_STR) {
        return index_in_text(run, self->text, args, out);
    }
    if (!tare_tpl_is_list(self)) {
        return tare_tpl_fail(run, TARE_E_FORMAT, "%s has no method index", tare_tpl_type_name(self));
    }
    int r = 0;
    for (size_t i = 0; r == 0 && i < self->n; i++) {
        r = tare_tpl_equal(run, &self->items[i], args, &found);
        if (r == 0 && found) {
            *out = tare_tpl_int((int64_t)i);
            return 0;
        }
    }
    r = r == 0 ? tare_tpl_str(run, args, &text) : r;
    return r < 0 ? r
                 : tare_tpl_fail(run, TARE_E_FORMAT, "index: '%.*s' is not in the list of %zu",
                                 (int)(text.n < 60 ? text.n : 60), text.data, self->n);
}

static int join(struct tare_tpl_run *run, const struct tare_tpl_value *self,
                const struct tare_tpl_value *args, size_t n, struct tare_tpl_value *out)
{
    (void)n;
    int r = need_str(run, self, "what is joined by");
    return r == 0 ? tare_tpl_join(run, self->text, args, false, out) : r;
}

static const struct tare_tpl_call methods[] = {
    {"strip", 0, 1, false, strip},
    {"lstrip", 0, 1, false, lstrip},
    {"rstrip", 0, 1, false, rstrip},
    {"split", 0, 2, false, split},
    {"replace", 2, 3, false, replace},
    {"lower", 0, 0, false, lower},
    {"upper", 0, 0, false, upper},
    {"title", 0, 0, false, title},
    {"capitalize", 0, 0, false, capitalize},
    {"startswith", 1, 1, false, starts_with},
    {"endswith", 1, 1, false, ends_with},
    {"index", 1, 1, false, index_of},
    {"join", 1, 1, false, join},
};

/* All names of methods, each between blanks. */
static const char of_str[] = " capitalize casefold center count encode endswith expandtabs find format "
                             "format_map index isalnum isalpha "
                             "isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace "
                             "istitle isupper join ljust lower "
                             "lstrip maketrans partition removeprefix removesuffix replace rfind rindex "
                             "rjust rpartition rsplit rstrip split "
                             "splitlines startswith strip swapcase title translate upper zfill ";
static const char of_list[] = " append clear copy count extend index insert pop remove reverse sort ";
static const char of_dict[] = " clear copy fromkeys get items keys pop popitem setdefault update values ";

const struct tare_tpl_call *tare_tpl_method(struct tare_bytes name)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (name.n == strlen(methods[i].name) && memcmp(name.data, methods[i].name, name.n) == 0) {
            return &methods[i];
        }
    }
    return NULL;
}

bool tare_tpl_is_python_method(enum tare_tpl_type type, struct tare_bytes name)
{
    const char *names = type == TARE_TPL_V_STR    ? of_str
                        : type == TARE_TPL_V_LIST ? of_list
                        : type == TARE_TPL_V_DICT ? of_dict
                                                  : " count index start stop step "; /* of range */
    for (const char *at = names; (at = memmem(at, strlen(at), name.data, name.n)) != NULL && name.n > 0;
         at++) {
        if (at[-1] == ' ' && at[name.n] == ' ') {
            return true;
        }
    }
    return false;
}
