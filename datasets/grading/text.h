/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text while it is graded: a growing string, its words, and output that is no UTF-8 made fit.
 *
 * A refused allocation is remembered in `failed`, so that a writer goes on without checks and its caller
 * looks once. Characters and white space are Python's (datasets/unicode/). It grades nothing. Private to
 * datasets/grading/.
 */
#ifndef TARE_DATASETS_GRADING_TEXT_H
#define TARE_DATASETS_GRADING_TEXT_H

#include <tare/task.h>

/* Zero-initialise. Owns data, which may be NULL while n is 0. */
struct tare_string {
    char *data;
    size_t n;
    size_t cap;
    bool failed;
};

void tare_string_add(struct tare_string *text, const char *data, size_t n);
void tare_string_puts(struct tare_string *text, const char *data);
void tare_string_putc(struct tare_string *text, char c);
/* Empties it and keeps its memory. */
void tare_string_clear(struct tare_string *text);
void tare_string_fini(struct tare_string *text);
struct tare_bytes tare_string_bytes(const struct tare_string *text);
/* 0, or TARE_E_NOMEM that names `what`. */
TARE_MUST_CHECK int tare_string_check(const struct tare_string *text, const char *what, struct tare_err *err);
/* Gives the memory away with a NUL behind it and leaves the text empty; free(*out). Checks as
 * tare_string_check. */
TARE_MUST_CHECK int tare_string_take(struct tare_string *text, const char *what, char **out, size_t *out_n,
                                     struct tare_err *err);

/* Appends data as bytes.decode("utf-8", errors="replace") has it: U+FFFD for each maximal piece that begins
 * as a character and is none, and for each byte that begins none. */
void tare_string_add_repaired(struct tare_string *text, struct tare_bytes data);

/* Zero-initialise. Owns the list, not what it points at. */
struct tare_words {
    struct tare_bytes *list;
    size_t n;
    size_t cap;
    bool failed;
};

/* Appends the words of text, as str.split() has them: what stands between white space. */
void tare_words_split(struct tare_words *words, struct tare_bytes text);
void tare_words_add(struct tare_words *words, struct tare_bytes word);
void tare_words_fini(struct tare_words *words);

/* A message may quote what it is about: what is no UTF-8 becomes '?', and a control character a blank.
 * Returns the code that it was given; err may be NULL. */
int tare_plain_fault(int code, struct tare_err *err);

#endif
