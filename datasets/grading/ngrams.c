/* SPDX-License-Identifier: Apache-2.0 */
/* N-grams by sorting their beginnings; see ngrams.h. */
#include "datasets/grading/ngrams.h"

#include "datasets/unicode/unicode.h"

#include <stdlib.h>
#include <string.h>

struct gram {
    const uint32_t *ids;
    size_t order;
};

static int compare_grams(const void *a, const void *b)
{
    const struct gram *x = a, *y = b;
    for (size_t i = 0; i < x->order; i++) {
        if (x->ids[i] != y->ids[i]) {
            return x->ids[i] < y->ids[i] ? -1 : 1;
        }
    }
    return 0;
}

size_t tare_ngrams(size_t n, size_t order)
{
    return n >= order ? n - order + 1 : 0;
}

static size_t sort_grams(struct tare_ids a, size_t order, struct gram *out)
{
    size_t n = tare_ngrams(a.n, order);
    for (size_t i = 0; i < n; i++) {
        out[i] = (struct gram){.ids = a.ids + i, .order = order};
    }
    if (n > 0) {
        qsort(out, n, sizeof *out, compare_grams);
    }
    return n;
}

/* How many grams, from the first on, are equal to it. */
static size_t run_of(const struct gram *grams, size_t n)
{
    size_t same = 1;
    while (same < n && compare_grams(&grams[0], &grams[same]) == 0) {
        same++;
    }
    return same;
}

/* best[i]: how often the other list has gram i of the first one, where that is the first of its run, if more
 * often than best[i] says already. */
static void raise(const struct gram *grams, size_t n, const struct gram *other, size_t n_other, size_t *best)
{
    for (size_t i = 0, k = 0; i < n && k < n_other;) {
        int order = compare_grams(&grams[i], &other[k]);
        size_t run = order <= 0 ? run_of(grams + i, n - i) : 0;
        size_t run_other = order >= 0 ? run_of(other + k, n_other - k) : 0;
        if (order == 0 && run_other > best[i]) {
            best[i] = run_other;
        }
        i += run;
        k += run_other;
    }
}

static size_t sum_clipped(const struct gram *grams, size_t n, const size_t *best)
{
    size_t sum = 0, run;
    for (size_t i = 0; i < n; i += run) {
        run = run_of(grams + i, n - i);
        sum += best[i] < run ? best[i] : run;
    }
    return sum;
}

int tare_ngrams_shared(struct tare_ids a, const struct tare_ids *others, size_t n_others, size_t order,
                       size_t *out, struct tare_err *err)
{
    size_t longest = 0;
    for (size_t i = 0; i < n_others; i++) {
        longest = others[i].n > longest ? others[i].n : longest;
    }
    struct gram *grams = malloc((a.n + 1) * sizeof *grams), *other = malloc((longest + 1) * sizeof *other);
    size_t *best = calloc(a.n + 1, sizeof *best);
    int r = 0;
    if (grams && other && best) {
        size_t n = sort_grams(a, order, grams);
        for (size_t i = 0; i < n_others; i++) {
            raise(grams, n, other, sort_grams(others[i], order, other), best);
        }
        *out = sum_clipped(grams, n, best);
    } else {
        r = tare_err_set(err, TARE_E_NOMEM, "no memory for the n-grams of a text");
    }
    free(grams);
    free(other);
    free(best);
    return r;
}

struct placed {
    struct tare_bytes word;
    uint32_t *id;
};

static int compare_placed(const void *a, const void *b)
{
    struct tare_bytes x = ((const struct placed *)a)->word, y = ((const struct placed *)b)->word;
    int order = memcmp(x.data, y.data, x.n < y.n ? x.n : y.n);
    return order ? order : (x.n > y.n) - (x.n < y.n);
}

static void number(struct placed *all, size_t n)
{
    uint32_t id = 0;
    if (n > 0) {
        qsort(all, n, sizeof *all, compare_placed);
    }
    for (size_t i = 0; i < n; i++) {
        id += i > 0 && compare_placed(&all[i - 1], &all[i]) != 0;
        *all[i].id = id;
    }
}

static void free_ids(struct tare_ids *ids, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(ids[i].ids);
        ids[i] = (struct tare_ids){0};
    }
}

int tare_ids_of_words(const struct tare_words *lists, size_t n_lists, struct tare_ids *out,
                      struct tare_err *err)
{
    size_t n = 0, at = 0;
    bool failed = false;
    for (size_t i = 0; i < n_lists; i++) {
        n += lists[i].n;
        failed |= lists[i].failed;
        out[i] = (struct tare_ids){.ids = malloc((lists[i].n + 1) * sizeof *out[i].ids), .n = lists[i].n};
        failed |= !out[i].ids;
    }
    struct placed *all = malloc((n + 1) * sizeof *all);
    if (failed || !all) {
        free(all);
        free_ids(out, n_lists);
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the words of a text");
    }
    for (size_t i = 0; i < n_lists; i++) {
        for (size_t k = 0; k < lists[i].n; k++) {
            all[at++] = (struct placed){.word = lists[i].list[k], .id = &out[i].ids[k]};
        }
    }
    number(all, n);
    free(all);
    return 0;
}

int tare_ids_of_characters(struct tare_bytes text, struct tare_ids *out, struct tare_err *err)
{
    struct tare_ids made = {.ids = malloc((text.n + 1) * sizeof *made.ids)};
    if (!made.ids) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the characters of a text");
    }
    for (size_t at = 0; at < text.n;) {
        uint32_t c = tare_unicode_next(text, &at);
        if (!tare_unicode_is_space(c)) {
            made.ids[made.n++] = c;
        }
    }
    *out = made;
    return 0;
}
