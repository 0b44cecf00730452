/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an output is a gold answer: lm-eval's exact_match (Hugging Face's evaluate, carried over) and
 * `contains`.
 *
 * Before the comparison both sides lose what the regular expressions of the list match, in its order; then
 * case, ASCII punctuation and ASCII digits, each if asked for, in this order. Nothing is stripped. Of several
 * golds one is enough.
 */
#ifndef TARE_DATASETS_GRADING_EXACT_MATCH_H
#define TARE_DATASETS_GRADING_EXACT_MATCH_H

#include <tare/task.h>

struct tare_exact_match;

/* From an object with ignore_case, ignore_punctuation, ignore_numbers (false) and regexes_to_ignore (an array
 * of texts, Python's syntax); NULL sets none. Other keys are refused. `what` names the options in messages.
 */
TARE_MUST_CHECK int tare_exact_match_parse(const struct tare_json *options, const char *what,
                                           struct tare_exact_match **out, struct tare_err *err);
/* *out is 1 if the output is one of the golds, else 0. One thread at a time. */
TARE_MUST_CHECK int tare_exact_match_score(const struct tare_exact_match *m, struct tare_bytes output,
                                           const struct tare_bytes *golds, size_t n_golds, double *out,
                                           struct tare_err *err);
/* NULL is fine. */
void tare_exact_match_destroy(struct tare_exact_match *m);

/* *out is 1 if one of the labels stands somewhere in the output, regardless of case, else 0:
 * squad_completion's. */
TARE_MUST_CHECK int tare_contains_score(struct tare_bytes output, const struct tare_bytes *labels,
                                        size_t n_labels, double *out, struct tare_err *err);

/* Appends text without ASCII punctuation, which is Python's string.punctuation. */
struct tare_string;
void tare_remove_punctuation(struct tare_string *out, struct tare_bytes text);

#endif
