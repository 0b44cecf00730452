/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text that came from outside, made fit to be shown: UTF-8 as RFC 3629 has it, and one line without
 * control characters. It measures and translates nothing; widths are the reports' business.
 */
#ifndef TARE_BASE_PLAIN_H
#define TARE_BASE_PLAIN_H

#include <stddef.h>
#include <tare/err.h>

/* Length of the longest beginning of text[0 .. n) that is UTF-8. */
size_t tare_plain_valid(const char *text, size_t n);
/* Every byte that is no part of a UTF-8 character becomes '?'; the length stays. */
void tare_plain_utf8(char *text);
/* The same, and every control character a space. */
void tare_plain_line(char *text);
/* That of a message, which may quote what it is about; err may be NULL. */
void tare_plain_err(struct tare_err *err);

#endif
