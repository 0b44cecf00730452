/* SPDX-License-Identifier: Apache-2.0 */
/* Perturbing a text unit by unit; see perturb.h. Which texts, and what is done with answers, is others' work.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "perturb.h"

enum { LETTERS = 26, WORD_MIN = 4, WORD_MAX = 64, FIRST_CAP = 256 };

/* The growing result. A refused allocation is remembered, and looked for once. */
struct text {
    char *bytes;
    size_t n;
    size_t cap;
    bool failed;
};

struct work {
    enum tare_perturb_kind kind;
    double rate;
    struct tare_rng *rng;
    struct text out;
    size_t changed;
};

static const char *const names[TARE_PERTURB_KINDS] = {"swap", "delete", "insert", "keyboard",
                                                      "case", "space",  "synonym"};

/* Keys that touch a letter's key on a QWERTY keyboard, letters only. */
static const char *const neighbours[LETTERS] = {
    "qwsz",   "vghn",  "xdfv", "serfcx", "wsdr", "drtgvc", "ftyhbv", "gyujnb", "ujko",
    "huikmn", "jiolm", "kop",  "njk",    "bhjm", "iklp",   "ol",     "wa",     "edft",
    "awedxz", "rfgy",  "yhji", "cfgb",   "qase", "zsdc",   "tghu",   "asx"};

const char *tare_perturb_name(enum tare_perturb_kind kind)
{
    return (unsigned)kind < TARE_PERTURB_KINDS ? names[kind] : NULL;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_letter(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_word_byte(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '\'' || ((unsigned char)c & 0x80u);
}

static char to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static char other_case(char c)
{
    return is_lower(c) ? (char)(c - 'a' + 'A') : to_lower(c);
}

static void put(struct text *text, const char *bytes, size_t n)
{
    if (text->failed || n == 0) {
        return;
    }
    if (text->cap - text->n < n) {
        size_t cap = 2 * text->cap + n + FIRST_CAP;
        char *grown = realloc(text->bytes, cap);
        if (!grown) {
            text->failed = true;
            return;
        }
        text->bytes = grown;
        text->cap = cap;
    }
    memcpy(text->bytes + text->n, bytes, n);
    text->n += n;
}

static bool taken(struct work *work)
{
    return tare_rng_unit(work->rng) < work->rate;
}

/* One letter inside a word: the bytes before place `at`, then `middle`, then those after `skipped` more. */
static bool put_edited(struct work *work, struct tare_bytes word, size_t at, const char *middle, size_t n,
                       size_t skipped)
{
    put(&work->out, word.data, at);
    put(&work->out, middle, n);
    put(&work->out, word.data + at + skipped, word.n - at - skipped);
    return true;
}

/* A pair of different letters behind the first, each such pair as likely. */
static bool swap_letters(struct work *work, struct tare_bytes word)
{
    size_t pairs = 0;
    for (size_t i = 1; i + 1 < word.n; i++) {
        pairs += word.data[i] != word.data[i + 1];
    }
    if (pairs == 0) {
        return false;
    }
    size_t left = tare_rng_below(work->rng, pairs);
    size_t at = 1;
    while (word.data[at] == word.data[at + 1] || left-- > 0) {
        at++;
    }
    const char swapped[2] = {word.data[at + 1], word.data[at]};
    return put_edited(work, word, at, swapped, 2, 2);
}

static bool insert_letter(struct work *work, struct tare_bytes word)
{
    size_t at = 1 + tare_rng_below(work->rng, word.n - 1);
    const char letter = (char)('a' + (int)tare_rng_below(work->rng, LETTERS));
    return put_edited(work, word, at, &letter, 1, 0);
}

static bool press_neighbour(struct work *work, struct tare_bytes word)
{
    size_t at = 1 + tare_rng_below(work->rng, word.n - 1);
    char letter = word.data[at];
    const char *near = neighbours[to_lower(letter) - 'a'];
    char pressed = near[tare_rng_below(work->rng, strlen(near))];
    pressed = is_lower(letter) ? pressed : other_case(pressed);
    return put_edited(work, word, at, &pressed, 1, 1);
}

static bool change_case(struct work *work, struct tare_bytes word)
{
    size_t at = tare_rng_below(work->rng, word.n);
    const char letter = other_case(word.data[at]);
    return put_edited(work, word, at, &letter, 1, 1);
}

/* The group of a word in any capitals. */
static const char *const *group_of(struct tare_bytes word, size_t *n)
{
    char lower[WORD_MAX];
    if (word.n > sizeof lower) {
        return NULL;
    }
    for (size_t i = 0; i < word.n; i++) {
        lower[i] = to_lower(word.data[i]);
    }
    return tare_perturb_synonyms(lower, word.n, n);
}

/* Written in capitals if the word is, with a first capital if it has one. */
static bool put_synonym(struct work *work, struct tare_bytes word)
{
    size_t n = 0;
    const char *const *group = group_of(word, &n);
    size_t own = 0;
    while (strlen(group[own]) != word.n || strncasecmp(group[own], word.data, word.n) != 0) {
        own++;
    }
    size_t pick = tare_rng_below(work->rng, n - 1);
    const char *synonym = group[pick < own ? pick : pick + 1];
    bool capitals = word.n > 1 && !is_lower(word.data[1]);
    for (size_t i = 0; synonym[i]; i++) {
        bool upper = i == 0 ? !is_lower(word.data[0]) : capitals;
        const char letter = upper ? other_case(synonym[i]) : synonym[i];
        put(&work->out, &letter, 1);
    }
    return true;
}

static bool is_unit(const struct work *work, struct tare_bytes word)
{
    size_t n = 0;
    for (size_t i = 0; i < word.n; i++) {
        if (!is_letter(word.data[i])) {
            return false;
        }
    }
    switch (work->kind) {
    case TARE_PERTURB_SPACE:
        return false;
    case TARE_PERTURB_CASE:
        return true;
    case TARE_PERTURB_SYNONYM:
        return group_of(word, &n) != NULL;
    default:
        return word.n >= WORD_MIN;
    }
}

/* Writes the changed word; false, with nothing written, if this kind cannot change it. */
static bool change_word(struct work *work, struct tare_bytes word)
{
    switch (work->kind) {
    case TARE_PERTURB_SWAP:
        return swap_letters(work, word);
    case TARE_PERTURB_DELETE:
        return put_edited(work, word, 1 + tare_rng_below(work->rng, word.n - 1), "", 0, 1);
    case TARE_PERTURB_INSERT:
        return insert_letter(work, word);
    case TARE_PERTURB_KEYBOARD:
        return press_neighbour(work, word);
    case TARE_PERTURB_CASE:
        return change_case(work, word);
    case TARE_PERTURB_SYNONYM:
        return put_synonym(work, word);
    default:
        return false;
    }
}

static void do_word(struct work *work, struct tare_bytes word)
{
    if (is_unit(work, word) && taken(work) && change_word(work, word)) {
        work->changed++;
    } else {
        put(&work->out, word.data, word.n);
    }
}

/* What stands between words: one byte at a time, but for a single space that the rate takes. */
static void do_other(struct work *work, struct tare_bytes in, size_t at)
{
    bool single = work->kind == TARE_PERTURB_SPACE && in.data[at] == ' ' && at > 0 && at + 1 < in.n &&
                  is_word_byte(in.data[at - 1]) && is_word_byte(in.data[at + 1]);
    if (single && taken(work)) {
        put(&work->out, "  ", tare_rng_below(work->rng, 2) ? 2 : 0);
        work->changed++;
    } else {
        put(&work->out, in.data + at, 1);
    }
}

static void do_text(struct work *work, struct tare_bytes in)
{
    for (size_t at = 0; at < in.n;) {
        size_t end = at;
        while (end < in.n && is_word_byte(in.data[end])) {
            end++;
        }
        if (end > at) {
            do_word(work, (struct tare_bytes){.data = in.data + at, .n = end - at});
            at = end;
        } else {
            do_other(work, in, at++);
        }
    }
    put(&work->out, "", 1);
}

int tare_perturb(enum tare_perturb_kind kind, struct tare_bytes in, double rate, struct tare_rng *rng,
                 char **out, size_t *out_n, size_t *changed, struct tare_err *err)
{
    if (!tare_perturb_name(kind)) {
        return tare_err_set(err, TARE_E_USAGE, "there is no perturbation %d; the last is %d", (int)kind,
                            TARE_PERTURB_KINDS - 1);
    }
    if (!(rate >= 0.0 && rate <= 1.0)) {
        return tare_err_set(err, TARE_E_USAGE, "perturbation %s: a rate of %g is not between 0 and 1",
                            names[kind], rate);
    }
    struct work work = {.kind = kind, .rate = rate, .rng = rng};
    do_text(&work, in);
    if (work.out.failed) {
        free(work.out.bytes);
        return tare_err_set(err, TARE_E_NOMEM, "perturbation %s: no memory for a text of %zu bytes",
                            names[kind], in.n);
    }
    *out = work.out.bytes;
    *out_n = work.out.n - 1;
    if (changed) {
        *changed = work.changed;
    }
    return 0;
}
