/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions with the results of Python's re, by PCRE2, which nothing else includes.
 *
 * Both match the leftmost, first alternative first, with backtracking; $ is the end or before one line feed
 * there; a dot is anything but a line feed; \d and \b know Unicode. Differences of syntax: python_pattern.h.
 * What is left:
 * (?i) pairs letters by the Unicode version of PCRE2; \b counts marks as parts of words from PCRE2 10.43 on;
 * and where Python would search for hours, PCRE2 gives up (TARE_E_LIMIT). Text must be UTF-8. One thread at a
 * time.
 */
#ifndef TARE_DATASETS_GRADING_REGEX_H
#define TARE_DATASETS_GRADING_REGEX_H

#include "datasets/grading/text.h"

enum tare_regex_syntax {
    TARE_REGEX_PYTHON = 1,
    TARE_REGEX_LITERAL_ANY_CASE, /* the text itself: re.compile(re.escape(text), re.IGNORECASE) */
    TARE_REGEX_PCRE2             /* for what Python's re has no words: \p{P} */
};

struct tare_regex;

/* `what` names the pattern in messages. */
TARE_MUST_CHECK int tare_regex_compile(struct tare_bytes pattern, enum tare_regex_syntax syntax,
                                       const char *what, struct tare_regex **out, struct tare_err *err);
void tare_regex_destroy(struct tare_regex *regex);
/* How many capturing groups it has. */
size_t tare_regex_groups(const struct tare_regex *regex);

/* Where re.finditer is. Zero-initialise for a new text. */
struct tare_regex_at {
    size_t next;       /* the search goes on here */
    bool not_empty;    /* the last match was empty and ended here: no other empty one */
    size_t begin, end; /* of the match */
};

/* 1: the next match; 0: there is none; below 0: an error. */
TARE_MUST_CHECK int tare_regex_next(struct tare_regex *regex, struct tare_bytes text,
                                    struct tare_regex_at *at, struct tare_err *err);
/* Group i of the last match, which was in text; 0 is all of it. Empty if it took no part. */
struct tare_bytes tare_regex_group(const struct tare_regex *regex, struct tare_bytes text, size_t i);

/* Appends text with each match of the pattern removed: re.sub(pattern, "", text). */
TARE_MUST_CHECK int tare_regex_remove(struct tare_regex *regex, struct tare_bytes text,
                                      struct tare_string *out, struct tare_err *err);
/* Appends text with each match of the pattern replaced: re.sub(pattern, by, text), with `by` as it stands. */
TARE_MUST_CHECK int tare_regex_replace(struct tare_regex *regex, struct tare_bytes text, struct tare_bytes by,
                                       struct tare_string *out, struct tare_err *err);

#endif
