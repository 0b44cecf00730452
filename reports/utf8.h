/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text of unknown origin, made safe to print: decoding of UTF-8, and how many columns of a terminal a
 * text takes. It follows no locale, so that a table comes out the same everywhere. It knows nothing
 * of tables, and shapes no scripts.
 */
#ifndef TARE_REPORTS_UTF8_H
#define TARE_REPORTS_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define TARE_UTF8_BAD   UINT32_MAX     /* what tare_utf8_next finds in place of a character */
#define TARE_UTF8_PROXY "\xef\xbf\xbd" /* U+FFFD, printed in place of what cannot be */

/* Bytes of the first character of `text` (0 at the end); a byte that begins none counts alone. */
size_t tare_utf8_next(const char *text, uint32_t *code);
/* A control character, C1 and DEL included: a terminal would obey it. */
bool tare_utf8_is_control(uint32_t code);
/* Columns that the first n bytes take on a terminal. */
size_t tare_utf8_width(const char *text, size_t n);
/* Writes the text with every invalid byte replaced, controls kept. */
void tare_utf8_put(FILE *to, const char *text);
bool tare_utf8_valid(const char *text);

#endif
