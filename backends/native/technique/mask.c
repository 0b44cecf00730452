/* SPDX-License-Identifier: Apache-2.0 */
/* Reading the rule, choosing by it, storing what is left. */
#include "mask.h"

#include "storage/storages.h"

#include <stdlib.h>
#include <string.h>

enum { most_of = 64 };

static int parse_pattern(struct tare_mask_rule *rule, const char *pattern, struct tare_err *err)
{
    char *end = NULL;
    long keep = strtol(pattern, &end, 10);
    long of = *end == ':' ? strtol(end + 1, &end, 10) : 0;
    if (*end != '\0' || keep < 1 || of <= keep || of > most_of) {
        return tare_err_set(err, TARE_E_USAGE,
                            "pattern '%.20s' is not N:M with 1 <= N < M <= %d; write for instance 2:4",
                            pattern, most_of);
    }
    rule->keep = (uint32_t)keep;
    rule->of = (uint32_t)of;
    return 0;
}

int tare_mask_rule_parse(struct tare_mask_rule *rule, double sparsity, const char *pattern,
                         struct tare_err *err)
{
    struct tare_mask_rule made = {.sparsity = sparsity};
    int rc = 0;
    if (!(sparsity >= 0.0 && sparsity < 1.0)) {
        return tare_err_set(err, TARE_E_USAGE, "sparsity %g is not in [0, 1)", sparsity);
    }
    if (pattern) {
        rc = parse_pattern(&made, pattern, err);
    }
    if (rc == 0) {
        *rule = made;
    }
    return rc;
}

int tare_mask_rule_fits(const struct tare_mask_rule *rule, const struct tare_linear *w, struct tare_err *err)
{
    if (rule->of != 0 && w->in % rule->of != 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "%s: %u columns are no multiple of the pattern's %u",
                            w->name, w->in, rule->of);
    }
    return 0;
}

/* Hoare's selection: the part that holds the k-th is cut down until it is one number. */
float tare_kth_smallest(float *numbers, size_t n, size_t k)
{
    size_t from = 0;
    size_t to = n;
    while (to - from > 1) {
        float pivot = numbers[from + (to - from) / 2];
        size_t less = from;
        size_t more = to;
        for (size_t i = from; i < more;) {
            float x = numbers[i];
            if (x < pivot) {
                numbers[i++] = numbers[less];
                numbers[less++] = x;
            } else if (x > pivot) {
                numbers[i] = numbers[--more];
                numbers[more] = x;
            } else {
                i++;
            }
        }
        if (k - 1 >= less && k - 1 < more) {
            return pivot;
        }
        to = k - 1 < less ? less : to;
        from = k - 1 < less ? from : more;
    }
    return numbers[from];
}

void tare_mask_share(float *w, const float *score, size_t n, double sparsity, float *work)
{
    size_t k = (size_t)((double)n * sparsity);
    if (k == 0) {
        return;
    }
    memcpy(work, score, n * sizeof *work);
    float border = tare_kth_smallest(work, n, k);
    for (size_t i = 0; i < n; i++) {
        w[i] = score[i] > border ? w[i] : 0.0F;
    }
}

/* How many of the group come before number i. */
static uint32_t rank_of(const float *score, uint32_t of, uint32_t i)
{
    uint32_t rank = 0;
    for (uint32_t j = 0; j < of; j++) {
        rank += score[j] > score[i] || (score[j] == score[i] && j < i);
    }
    return rank;
}

void tare_mask_group(float *w, const float *score, uint32_t keep, uint32_t of)
{
    for (uint32_t i = 0; i < of; i++) {
        w[i] = rank_of(score, of, i) < keep ? w[i] : 0.0F;
    }
}

void tare_mask_row(float *w, const float *score, uint32_t n, const struct tare_mask_rule *rule, float *work)
{
    if (rule->of == 0) {
        tare_mask_share(w, score, n, rule->sparsity, work);
        return;
    }
    for (uint32_t i = 0; i + rule->of <= n; i += rule->of) {
        tare_mask_group(w + i, score + i, rule->keep, rule->of);
    }
}

int tare_mask_store(struct tare_linear *w, const float *dense, const struct tare_mask_rule *rule,
                    struct tare_err *err)
{
    struct tare_linear fresh = {.out = w->out, .in = w->in};
    memcpy(fresh.name, w->name, sizeof fresh.name);
    int rc = rule->keep == 2 && rule->of == 4 ? tare_storage_two_four(&fresh, dense, err)
                                              : tare_storage_bitmap(&fresh, dense, err);
    if (rc == 0) {
        tare_linear_replace(w, &fresh);
    }
    return rc;
}
