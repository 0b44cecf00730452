/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A regular expression in the syntax of Python's re, said in PCRE2's: the two agree in most, and where they
 * do not one must not mean the other silently.
 *
 * Said otherwise: \Z (Python: the very end), \v (one character), \s \S \w \W (Python's sets, spelled out),
 * \uXXXX,
 * {,n}, a brace that is no quantifier, octal and group numbers, [ within a set. Refused: what Python refuses
 * and PCRE2 takes for something (\Q, \K, \R, \h, \p, (?R), (?1), verbs, ...); flags other than i, m and s,
 * and these in the middle; (?x); \N{...}. Taken although Python refuses it: alternatives of different length
 * in a look-behind. Private to datasets/grading/; it compiles nothing.
 */
#ifndef TARE_DATASETS_GRADING_PYTHON_PATTERN_H
#define TARE_DATASETS_GRADING_PYTHON_PATTERN_H

#include "datasets/grading/text.h"

/* Appends the pattern to *out. `what` names it in messages. */
TARE_MUST_CHECK int tare_python_pattern(struct tare_bytes pattern, const char *what, struct tare_string *out,
                                        struct tare_err *err);

#endif
