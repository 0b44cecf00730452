/* SPDX-License-Identifier: Apache-2.0 */
/* Positions into sums, choices into picks. */
#include "fidelity/sums.h"

#include "stats/divergence.h"

#include <math.h>
#include <stdlib.h>

const double tare_entropy_edges[TARE_ENTROPY_BUCKETS + 1] = {0, 0.1, 0.5, 1, 2, 4, (double)INFINITY};

static int bucket_of(double entropy)
{
    int b = 0;
    while (b + 1 < TARE_ENTROPY_BUCKETS && entropy >= tare_entropy_edges[b + 1]) {
        b++;
    }
    return b;
}

void tare_fidelity_add(struct tare_fidelity_item *item, const struct tare_position *p)
{
    double *s = item->sums;
    int bucket = bucket_of(p->entropy_t);
    bool same = p->top_t == p->top_s;
    s[TARE_SUM_POSITIONS] += 1;
    s[TARE_SUM_KL_TS] += p->kl_ts;
    s[TARE_SUM_KL_ST] += p->kl_st;
    s[TARE_SUM_JS] += p->js;
    s[TARE_SUM_LOYALTY_E] += 1 - sqrt(p->js);
    s[TARE_SUM_LOYALTY_2] += 1 - sqrt(p->js / log(2));
    s[TARE_SUM_SAME_TOP] += same;
    s[TARE_SUM_COMMON_FEW] += (double)p->common_few / TARE_TOP_FEW;
    s[TARE_SUM_COMMON_MANY] += (double)p->common_many / TARE_TOP_MANY;
    s[TARE_SUM_RANK] += p->rank;
    s[TARE_SUM_SWAPPED] += p->swapped;
    s[TARE_SUM_ENTROPY] += p->entropy_t;
    s[TARE_SUM_NLL_T] -= p->logprob_t;
    s[TARE_SUM_NLL_S] -= p->logprob_s;
    s[TARE_SUM_NLL_DIFFERENCE] += p->logprob_t - p->logprob_s;
    s[TARE_SUM_BUCKETS + bucket] += 1;
    s[TARE_SUM_KL_BUCKETS + bucket] += p->kl_ts;
    s[TARE_SUM_TOP_BUCKETS + bucket] += same;
}

/* Index of the largest score, the first of equal ones. */
static size_t pick(const struct tare_choice_score *of, size_t n, bool student, bool by_bytes)
{
    size_t best = 0;
    double most = (double)-INFINITY;
    for (size_t i = 0; i < n; i++) {
        double score = student ? of[i].logprob_s : of[i].logprob_t;
        score = by_bytes && of[i].n_bytes ? score / of[i].n_bytes : score;
        if (score > most) {
            most = score;
            best = i;
        }
    }
    return best;
}

/* exp and normalise. NaNs where every choice is ruled out. */
static void normalise(const struct tare_choice_score *of, size_t n, bool student, double *p)
{
    double most = (double)-INFINITY, sum = 0;
    for (size_t i = 0; i < n; i++) {
        most = fmax(most, student ? of[i].logprob_s : of[i].logprob_t);
    }
    for (size_t i = 0; i < n; i++) {
        p[i] = exp((student ? of[i].logprob_s : of[i].logprob_t) - most);
        sum += p[i];
    }
    for (size_t i = 0; i < n; i++) {
        p[i] /= sum;
    }
}

int tare_fidelity_choose(struct tare_fidelity_item *item, const struct tare_choice_score *of, size_t n,
                         size_t gold, bool by_bytes, struct tare_err *err)
{
    double *p = calloc(2 * n + 1, sizeof *p);
    if (!p) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    size_t pick_t = pick(of, n, false, by_bytes), pick_s = pick(of, n, true, by_bytes);
    normalise(of, n, false, p);
    normalise(of, n, true, p + n);
    item->is_choice = true;
    item->same_pick = pick_t == pick_s;
    item->right_t = pick_t == gold;
    item->right_s = pick_s == gold;
    double js = tare_js_divergence(p, p + n, n);
    item->choice_js = isnan(js) ? (double)INFINITY : js; /* to be seen in the mean */
    free(p);
    return 0;
}
