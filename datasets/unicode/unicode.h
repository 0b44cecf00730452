/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text as Python's str sees it: characters are code points, white space and upper and lower case are
 * Unicode's. On top of libunistring, which nothing else includes.
 *
 * Case mappings are the full ones of the Unicode standard without a locale: one character may become several
 * (sharp s -> SS), capital sigma at the end of a word becomes the final sigma, and title and capitalize use
 * title case (the digraph dz with caron has one). Title begins a word behind every character that has no
 * case, as Python does, not at the word boundaries of Unicode. The data is that of libunistring (Unicode 14.0
 * in 1.0, as in Python 3.11); a Python of another Unicode version differs in the letters that came in
 * between.
 *
 * Input is UTF-8. What is not: counting and stripping take a byte that belongs to no character for one
 * character that is no space; a case mapping is an error (TARE_E_FORMAT). NUL is a character as any other. No
 * state; all functions may be called from any thread. It knows no regular expressions and normalises nothing.
 */
#ifndef TARE_DATASETS_UNICODE_H
#define TARE_DATASETS_UNICODE_H

#include <tare/task.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What tare_unicode_next gives for a byte that belongs to no character. */
#define TARE_UNICODE_INVALID UINT32_MAX

/* The character at *at, which is below text.n; *at moves behind it, by one byte if it is none. */
uint32_t tare_unicode_next(struct tare_bytes text, size_t *at);
/* The character that ends before *at, which is above 0; *at moves to its beginning. */
uint32_t tare_unicode_before(struct tare_bytes text, size_t *at);
/* Writes 1 to 4 bytes to `to` and returns how many; 0 if c is no character (a surrogate, or too large). */
size_t tare_unicode_put(uint32_t c, char to[4]);

size_t tare_unicode_chars(struct tare_bytes text);
/* Where the i-th character begins; text.n if there are not so many. */
size_t tare_unicode_offset(struct tare_bytes text, size_t i);
/* Offset of the first byte that is no UTF-8; text.n if all is. */
size_t tare_unicode_valid(struct tare_bytes text);

/* str.isspace of one character. */
bool tare_unicode_is_space(uint32_t c);
/* May the character stand in an identifier, or begin one: XID_Continue, XID_Start or the underscore. */
bool tare_unicode_in_name(uint32_t c);
bool tare_unicode_begins_name(uint32_t c);
/* str.isprintable of one character: repr shows it as it is. */
bool tare_unicode_is_printable(uint32_t c);

/* The same bytes, less those of white space at both ends or at one. */
struct tare_bytes tare_unicode_strip(struct tare_bytes text);
struct tare_bytes tare_unicode_lstrip(struct tare_bytes text);
struct tare_bytes tare_unicode_rstrip(struct tare_bytes text);

/* str.lower, upper, capitalize and title. free(*out), which ends in a NUL behind *out_n bytes. */
TARE_MUST_CHECK int tare_unicode_lower(struct tare_bytes text, char **out, size_t *out_n,
                                       struct tare_err *err);
TARE_MUST_CHECK int tare_unicode_upper(struct tare_bytes text, char **out, size_t *out_n,
                                       struct tare_err *err);
TARE_MUST_CHECK int tare_unicode_capitalize(struct tare_bytes text, char **out, size_t *out_n,
                                            struct tare_err *err);
TARE_MUST_CHECK int tare_unicode_title(struct tare_bytes text, char **out, size_t *out_n,
                                       struct tare_err *err);

#endif
