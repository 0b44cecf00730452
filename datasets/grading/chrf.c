/* SPDX-License-Identifier: Apache-2.0 */
/* Character n-grams of an output and its references; see chrf.h. */
#include "datasets/grading/chrf.h"

#include "datasets/grading/ngrams.h"

#include <stdlib.h>
#include <string.h>

static int characters(struct tare_bytes text, struct tare_ids *out, struct tare_err *err)
{
    struct tare_string valid = {0};
    tare_string_add_repaired(&valid, text);
    int r = tare_string_check(&valid, "a text", err);
    if (r == 0) {
        r = tare_ids_of_characters(tare_string_bytes(&valid), out, err);
    }
    tare_string_fini(&valid);
    return r;
}

static int count(struct tare_ids output, struct tare_ids reference, double *stats, struct tare_err *err)
{
    for (size_t order = 1; order <= TARE_CHRF_ORDER; order++, stats += 3) {
        size_t shared;
        int r = tare_ngrams_shared(output, &reference, 1, order, &shared, err);
        if (r < 0) {
            return r;
        }
        size_t in_reference = tare_ngrams(reference.n, order);
        /* An order that the reference has not counts for nothing. */
        stats[0] = in_reference ? (double)tare_ngrams(output.n, order) : 0;
        stats[1] = (double)in_reference;
        stats[2] = (double)shared;
    }
    return 0;
}

int tare_chrf_count(struct tare_bytes output, const struct tare_bytes *references, size_t n_references,
                    double stats[TARE_CHRF_STATS], struct tare_err *err)
{
    struct tare_ids said = {0};
    double best[TARE_CHRF_STATS] = {0}, best_score = -1;
    int r = characters(output, &said, err);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; r == 0 && i < n_references; i++) {
        struct tare_ids reference = {0};
        double now[TARE_CHRF_STATS];
        r = characters(references[i], &reference, err);
        if (r < 0) {
            break;
        }
        r = count(said, reference, now, err);
        free(reference.ids);
        if (r == 0 && tare_chrf_score(now) > best_score) {
            best_score = tare_chrf_score(now);
            memcpy(best, now, sizeof best);
        }
    }
    free(said.ids);
    if (r == 0) {
        memcpy(stats, best, sizeof best);
    }
    return r;
}
