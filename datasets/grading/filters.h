/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lm-eval's filter chains over one response of a model: what of it is compared with the gold answer.
 *
 * A chain is an array of objects, each with "function" and its arguments, as the list under "filter" in a
 * task of lm-eval's: regex              regex_pattern ("#### (\-?[0-9\.\,]+)"), group_select (0: first match,
 * -1: last), fallback
 *                      ("[invalid]"). Of a match: its one group, else all of it; of several groups the first
 * that is not empty, else the fallback; stripped of white space. Without a match the fallback as it stands.
 *   remove_whitespace  str.strip()
 *   lowercase, uppercase
 *   map                mapping_dict, default_value: the text that the whole response is mapped to. lm-eval's
 * default value None is no text, so one must be given. take_first         of several responses; there is one.
 * It stands last: whatever follows it in lm-eval would see the characters of the response one by one. A chain
 * without take_first, or an empty one, scores the same as one with it. Refused, with the reason: what needs
 * several responses (take_first_k, majority_vote), the choices of the document (multi_choice_regex), code
 * (custom), or gives a list (regex_pos, format_span); and unknown arguments.
 */
#ifndef TARE_DATASETS_GRADING_FILTERS_H
#define TARE_DATASETS_GRADING_FILTERS_H

#include <tare/task.h>

struct tare_filters;

/* `what` names the chain in messages. chain NULL is an empty one. */
TARE_MUST_CHECK int tare_filters_parse(const struct tare_json *chain, const char *what,
                                       struct tare_filters **out, struct tare_err *err);
/* Output that is no UTF-8 is first made so, as Python's errors="replace" does. free(*out), which ends in a
 * NUL behind *out_n bytes. TARE_E_LIMIT where a regular expression needs too many steps. One thread at a
 * time. */
TARE_MUST_CHECK int tare_filters_apply(const struct tare_filters *f, struct tare_bytes in, char **out,
                                       size_t *out_n, struct tare_err *err);
/* NULL is fine. */
void tare_filters_destroy(struct tare_filters *f);

#endif
