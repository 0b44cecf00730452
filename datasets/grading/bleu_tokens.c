/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two tokenizers of BLEU. What 13a looks for is ASCII, so that it goes by bytes; a character of several
 * bytes is never cut, for no rule's match ends within one.
 */
#include "datasets/grading/bleu.h"

#include "datasets/grading/regex.h"
#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

static void swap(struct tare_string *now, struct tare_string *next)
{
    struct tare_string used = *now;
    *now = *next;
    *next = used;
    tare_string_clear(next);
}

/* Every `from`, from the left, becomes `to`. */
static void replace(struct tare_string *now, struct tare_string *next, const char *from, const char *to)
{
    size_t n = strlen(from);
    struct tare_bytes in = tare_string_bytes(now);
    for (size_t i = 0; i < in.n;) {
        if (in.n - i >= n && memcmp(in.data + i, from, n) == 0) {
            tare_string_puts(next, to);
            i += n;
        } else {
            tare_string_putc(next, in.data[i++]);
        }
    }
    swap(now, next);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_stop(char c)
{
    return c == '.' || c == ',';
}

/* Blank and ASCII punctuation, less the apostrophe, the comma, the hyphen and the period. */
static bool is_cut(char c)
{
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/' ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

static void cut_punctuation(struct tare_string *now, struct tare_string *next)
{
    struct tare_bytes in = tare_string_bytes(now);
    for (size_t i = 0; i < in.n; i++) {
        if (is_cut(in.data[i])) {
            tare_string_putc(next, ' ');
            tare_string_putc(next, in.data[i]);
            tare_string_putc(next, ' ');
        } else {
            tare_string_putc(next, in.data[i]);
        }
    }
    swap(now, next);
}

/* Where two characters in a row are as asked, the blanks of a rule go around them; the pair is done with
 * then. */
enum pair_rule { STOP_AFTER_NO_DIGIT, STOP_BEFORE_NO_DIGIT, HYPHEN_AFTER_DIGIT };

static bool is_pair(enum pair_rule rule, char a, char b)
{
    switch (rule) {
    case STOP_AFTER_NO_DIGIT:
        return !is_digit(a) && is_stop(b);
    case STOP_BEFORE_NO_DIGIT:
        return is_stop(a) && !is_digit(b);
    case HYPHEN_AFTER_DIGIT:
        return is_digit(a) && b == '-';
    }
    return false;
}

static void cut_pairs(enum pair_rule rule, struct tare_string *now, struct tare_string *next)
{
    struct tare_bytes in = tare_string_bytes(now);
    for (size_t i = 0; i < in.n; i++) {
        if (i + 1 == in.n || !is_pair(rule, in.data[i], in.data[i + 1])) {
            tare_string_putc(next, in.data[i]);
            continue;
        }
        char first = in.data[i++];
        if (rule == STOP_BEFORE_NO_DIGIT) {
            tare_string_putc(next, ' ');
        }
        tare_string_putc(next, first);
        tare_string_putc(next, ' ');
        tare_string_putc(next, in.data[i]);
        if (rule != STOP_BEFORE_NO_DIGIT) {
            tare_string_putc(next, ' ');
        }
    }
    swap(now, next);
}

static void tokenize_13a(struct tare_string *now, struct tare_string *next)
{
    static const char *const marks[][2] = {{"<skipped>", ""}, {"-\n", ""},   {"\n", " "},  {"&quot;", "\""},
                                           {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"}};
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        replace(now, next, marks[i][0], marks[i][1]);
    }
    tare_string_putc(next, ' ');
    tare_string_add(next, now->data, now->n);
    tare_string_putc(next, ' ');
    swap(now, next);
    cut_punctuation(now, next);
    cut_pairs(STOP_AFTER_NO_DIGIT, now, next);
    cut_pairs(STOP_BEFORE_NO_DIGIT, now, next);
    cut_pairs(HYPHEN_AFTER_DIGIT, now, next);
}

/* The two groups of each match with blanks around them; one group alone has them on both sides. */
struct intl_rule {
    const char *pattern, *before, *between, *behind;
};

static const struct intl_rule intl_rules[] = {
    {"(\\P{N})(\\p{P})", "", " ", " "},
    {"(\\p{P})(\\P{N})", " ", " ", ""},
    {"(\\p{S})()", " ", "", " "},
};

static int apply_intl(const struct intl_rule *rule, struct tare_string *now, struct tare_string *next,
                      struct tare_err *err)
{
    struct tare_regex *regex;
    struct tare_bytes in = tare_string_bytes(now), pattern = {rule->pattern, strlen(rule->pattern)};
    struct tare_regex_at at = {0};
    size_t kept = 0;
    int r = tare_regex_compile(pattern, TARE_REGEX_PCRE2, "the tokenizer intl", &regex, err);
    if (r < 0) {
        return r;
    }
    while ((r = tare_regex_next(regex, in, &at, err)) > 0) {
        struct tare_bytes a = tare_regex_group(regex, in, 1), b = tare_regex_group(regex, in, 2);
        tare_string_add(next, in.data + kept, at.begin - kept);
        tare_string_puts(next, rule->before);
        tare_string_add(next, a.data, a.n);
        tare_string_puts(next, rule->between);
        tare_string_add(next, b.data, b.n);
        tare_string_puts(next, rule->behind);
        kept = at.end;
    }
    tare_string_add(next, in.data + kept, in.n - kept);
    tare_regex_destroy(regex);
    swap(now, next);
    return r;
}

static int tokenize_intl(struct tare_string *now, struct tare_string *next, struct tare_err *err)
{
    for (size_t i = 0; i < sizeof intl_rules / sizeof *intl_rules; i++) {
        int r = apply_intl(&intl_rules[i], now, next, err);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static void join(const struct tare_string *text, struct tare_string *out)
{
    struct tare_words words = {0};
    tare_words_split(&words, tare_string_bytes(text));
    for (size_t i = 0; i < words.n; i++) {
        if (i > 0) {
            tare_string_putc(out, ' ');
        }
        tare_string_add(out, words.list[i].data, words.list[i].n);
    }
    out->failed |= words.failed;
    tare_words_fini(&words);
}

int tare_bleu_tokenize(enum tare_bleu_tokenizer tokenizer, struct tare_bytes text, struct tare_string *out,
                       struct tare_err *err)
{
    struct tare_string now = {0}, next = {0};
    tare_string_add_repaired(&now, text);
    now.n = tare_unicode_rstrip(tare_string_bytes(&now)).n;
    int r = 0;
    if (tokenizer == TARE_BLEU_INTL) {
        r = tokenize_intl(&now, &next, err);
    } else {
        tokenize_13a(&now, &next);
    }
    if (r == 0) {
        join(&now, out);
        out->failed |= now.failed | next.failed;
        r = tare_string_check(out, "the tokens of a text", err);
    }
    tare_string_fini(&now);
    tare_string_fini(&next);
    return r;
}
