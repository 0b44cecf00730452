/* SPDX-License-Identifier: Apache-2.0 */
/* Where lm-evaluation-harness cuts: arithmetic on numbers of tokens, and blanks of Unicode. Pure functions.
 */
#ifndef TARE_CORE_CUT_H
#define TARE_CORE_CUT_H

#include <stddef.h>
#include <tare/task.h>

/* Bytes at the end of a UTF-8 text that are white space, as Python's str.rstrip takes them. What is no UTF-8
 * is none. */
size_t tare_cut_blanks(struct tare_bytes text);

/* One window over prefix, token 0, token 1, ...: inputs and targets are `n` of these from `begin` on (0 is
 * the prefix), of which those from `first` on, counted in the window, are scored. */
struct tare_cut_window {
    size_t begin, n, first;
};
/* Windows of a text of n tokens with inputs of at most m >= 1: disjoint in what is scored, with one token of
 * the one before as context; the last is filled up on the left. */
size_t tare_cut_windows(size_t n_tok, size_t m_tok);
struct tare_cut_window tare_cut_window(size_t n_tok, size_t m_tok, size_t i);

/* Tokens to drop at the left so that no more than `most` remain. */
size_t tare_cut_left(size_t n_tok, size_t most_tok);

#endif
