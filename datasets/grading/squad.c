/* SPDX-License-Identifier: Apache-2.0 */
/* SQuAD's normalisation and word overlap; see squad.h. */
#include "datasets/grading/squad.h"

#include "datasets/grading/exact_match.h"
#include "datasets/grading/regex.h"
#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

/* A text with its words, which point into it, in order of their bytes. */
struct answer {
    struct tare_string text;
    struct tare_words words;
    struct tare_words sorted;
};

static void fini(struct answer *answer)
{
    tare_string_fini(&answer->text);
    tare_words_fini(&answer->words);
    tare_words_fini(&answer->sorted);
}

static int compare(struct tare_bytes a, struct tare_bytes b)
{
    int order = memcmp(a.data, b.data, a.n < b.n ? a.n : b.n);
    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_words(const void *a, const void *b)
{
    return compare(*(const struct tare_bytes *)a, *(const struct tare_bytes *)b);
}

/* Lower case, no punctuation; articles become blanks. */
static int clean(struct tare_regex *articles, struct tare_bytes text, struct tare_string *out,
                 struct tare_err *err)
{
    struct tare_string valid = {0}, plain = {0};
    char *low = NULL;
    size_t n = 0;
    tare_string_add_repaired(&valid, text);
    int r = tare_string_check(&valid, "an answer", err);
    if (r == 0) {
        r = tare_unicode_lower(tare_string_bytes(&valid), &low, &n, err);
    }
    if (r == 0) {
        tare_remove_punctuation(&plain, (struct tare_bytes){low, n});
        r = tare_string_check(&plain, "an answer", err);
    }
    if (r == 0) {
        r = tare_regex_replace(articles, tare_string_bytes(&plain), (struct tare_bytes){" ", 1}, out, err);
    }
    free(low);
    tare_string_fini(&valid);
    tare_string_fini(&plain);
    return r;
}

static int prepare(struct tare_regex *articles, struct tare_bytes text, struct answer *out,
                   struct tare_err *err)
{
    int r = clean(articles, text, &out->text, err);
    if (r < 0) {
        return r;
    }
    tare_words_split(&out->words, tare_string_bytes(&out->text));
    for (size_t i = 0; i < out->words.n; i++) {
        tare_words_add(&out->sorted, out->words.list[i]);
    }
    if (out->words.failed || out->sorted.failed) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the words of an answer");
    }
    if (out->sorted.n > 0) {
        qsort(out->sorted.list, out->sorted.n, sizeof *out->sorted.list, compare_words);
    }
    return 0;
}

static bool same(const struct answer *a, const struct answer *b)
{
    if (a->words.n != b->words.n) {
        return false;
    }
    for (size_t i = 0; i < a->words.n; i++) {
        if (compare(a->words.list[i], b->words.list[i]) != 0) {
            return false;
        }
    }
    return true;
}

static size_t common(const struct tare_words *a, const struct tare_words *b)
{
    size_t n = 0;
    for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
        int order = compare(a->list[i], b->list[k]);
        n += order == 0;
        i += order <= 0;
        k += order >= 0;
    }
    return n;
}

static double f1_of(enum tare_squad_version version, const struct answer *gold, const struct answer *output)
{
    if (version == TARE_SQUAD_2 && (gold->words.n == 0 || output->words.n == 0)) {
        return gold->words.n == output->words.n;
    }
    size_t both = common(&gold->sorted, &output->sorted);
    if (both == 0) {
        return 0;
    }
    double precision = (double)both / (double)output->words.n, recall = (double)both / (double)gold->words.n;
    return 2 * precision * recall / (precision + recall);
}

/* The best of the golds; *any says whether one counted. */
static int score_golds(enum tare_squad_version version, struct tare_regex *articles,
                       const struct answer *output, const struct tare_bytes *golds, size_t n_golds,
                       double best[2], bool *any, struct tare_err *err)
{
    for (size_t i = 0; i < n_golds; i++) {
        struct answer gold = {0};
        int r = prepare(articles, golds[i], &gold, err);
        if (r == 0 && (version == TARE_SQUAD_1 || gold.words.n > 0)) {
            double exact = same(&gold, output), f1 = f1_of(version, &gold, output);
            best[0] = exact > best[0] ? exact : best[0];
            best[1] = f1 > best[1] ? f1 : best[1];
            *any = true;
        }
        fini(&gold);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int tare_squad_score(enum tare_squad_version version, struct tare_bytes output,
                     const struct tare_bytes *golds, size_t n_golds, double *exact, double *f1,
                     struct tare_err *err)
{
    static const char pattern[] = "\\b(a|an|the)\\b";
    if (version == TARE_SQUAD_1 && n_golds == 0) {
        return tare_err_set(err, TARE_E_USAGE, "a question of SQuAD 1 without an answer");
    }
    struct tare_regex *articles = NULL;
    struct answer said = {0};
    double best[2] = {0};
    bool any = false;
    int r = tare_regex_compile((struct tare_bytes){pattern, sizeof pattern - 1}, TARE_REGEX_PYTHON,
                               "articles", &articles, err);
    if (r == 0) {
        r = prepare(articles, output, &said, err);
    }
    if (r == 0) {
        r = score_golds(version, articles, &said, golds, n_golds, best, &any, err);
    }
    if (r == 0) {
        *exact = any ? best[0] : said.words.n == 0;
        *f1 = any ? best[1] : said.words.n == 0;
    }
    fini(&said);
    tare_regex_destroy(articles);
    return r;
}
