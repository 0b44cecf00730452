/* SPDX-License-Identifier: Apache-2.0 */
/* BLEU, chrF and TER from their sums; see tare/corpus_score.h for whose rules they are. */
#include <tare/corpus_score.h>

#include <math.h>
#include <stdbool.h>

static bool any_match(const double *matched)
{
    for (int n = 0; n < TARE_BLEU_ORDER; n++) {
        if (matched[n] > 0) {
            return true;
        }
    }
    return false;
}

static double brevity(double output, double reference)
{
    if (output >= reference) {
        return 1;
    }
    return output > 0 ? exp(1 - reference / output) : 0;
}

double tare_bleu_score(const double stats[TARE_BLEU_STATS])
{
    const double *matched = stats + 2, *total = matched + TARE_BLEU_ORDER;
    if (!any_match(matched)) {
        return 0;
    }
    double smooth = 1, logs = 0;
    for (int n = 0; n < TARE_BLEU_ORDER; n++) {
        if (total[n] <= 0) {
            return 0; /* no precision of this order: the geometric mean is 0 */
        }
        if (matched[n] > 0) {
            logs += log(100 * matched[n] / total[n]);
        } else {
            smooth *= 2;
            logs += log(100 / (smooth * total[n]));
        }
    }
    return brevity(stats[0], stats[1]) * exp(logs / TARE_BLEU_ORDER);
}

double tare_chrf_score(const double stats[TARE_CHRF_STATS])
{
    const double factor = 4; /* beta squared */
    double precision = 0, recall = 0;
    int orders = 0;
    for (int n = 0; n < TARE_CHRF_ORDER; n++) {
        double output = stats[3 * n], reference = stats[3 * n + 1], matched = stats[3 * n + 2];
        if (output > 0 && reference > 0) {
            precision += matched / output;
            recall += matched / reference;
            orders++;
        }
    }
    if (orders == 0 || precision + recall <= 0) {
        return 0;
    }
    precision /= orders;
    recall /= orders;
    return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

double tare_ter_score(const double stats[TARE_TER_STATS])
{
    if (stats[1] > 0) {
        return 100 * (stats[0] / stats[1]);
    }
    return stats[0] > 0 ? 100 : 0;
}
