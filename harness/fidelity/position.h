/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One position of a text: how far the student's distribution over the next token is from the teacher's.
 * Logits come as float and everything behind them is double; natural logarithms. Pure functions but for
 * the scratch memory of a comparer, which is of one thread.
 */
#ifndef TARE_FIDELITY_POSITION_H
#define TARE_FIDELITY_POSITION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tare/err.h>

/* How many of the most probable tokens are compared as sets. */
enum { TARE_TOP_FEW = 5, TARE_TOP_MANY = 10 };

struct tare_position {
    double kl_ts; /* KL(teacher || student), nats; INFINITY where the student rules out what the teacher does
                     not */
    double kl_st; /* KL(student || teacher) */
    double js;    /* 0 .. ln 2 */
    double entropy_t;                 /* of the teacher, nats */
    double logprob_t, logprob_s;      /* of the token that stands there; -INFINITY where it is ruled out */
    uint32_t top_t, top_s;            /* most probable token; ties go to the lowest id */
    uint32_t rank;                    /* of the teacher's most probable token in the student, from 1 on */
    uint32_t common_few, common_many; /* tokens that both have among their TARE_TOP_FEW and _MANY */
    bool swapped; /* the student ranks the teacher's second above the teacher's first; false for one token */
};

struct tare_comparer {
    size_t n_vocab;
    double *p, *q; /* probabilities */
};

TARE_MUST_CHECK int tare_comparer_init(struct tare_comparer *c, size_t n_vocab, struct tare_err *err);
void tare_comparer_fini(struct tare_comparer *c);
/* Both rows have n_vocab logits, with any constant added to all of a row. -INFINITY is a token that is ruled
 * out. A row that holds a NaN or INFINITY, or rules out all, is refused: *out_bad names its side, and the
 * return is TARE_E_BACKEND; *out is untouched then. target < n_vocab. */
TARE_MUST_CHECK int tare_compare_rows(struct tare_comparer *c, const float *teacher, const float *student,
                                      size_t target, struct tare_position *out, const char **out_bad);
/* The k <= n largest of a row, the largest first; ties go to the lowest id. */
void tare_top(const float *row, size_t n, size_t k, uint32_t *out);

#endif
