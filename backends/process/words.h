/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a line into words. */
#ifndef TARE_PROCESS_WORDS_H
#define TARE_PROCESS_WORDS_H

#include <stddef.h>
#include <tare/err.h>

/* Words as a shell's reader would see them, and nothing else of a shell: blanks separate, '...' and "..."
 * hold together, a backslash takes the next byte as it is (not within '...'). The list ends with NULL; one
 * free() frees it with its words. */
TARE_MUST_CHECK int tare_words_split(const char *text, const char *what, char ***out, size_t *out_n,
                                     struct tare_err *err);

#endif
