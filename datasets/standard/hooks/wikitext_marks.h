/* SPDX-License-Identifier: Apache-2.0 */
/* The marks that WikiText's tokenizer left in its texts, taken out as lm-evaluation-harness does. Private to
 * the hook wikitext. */
#ifndef TARE_DATASETS_STANDARD_HOOKS_WIKITEXT_MARKS_H
#define TARE_DATASETS_STANDARD_HOOKS_WIKITEXT_MARKS_H

#include <tare/err.h>

/* The text with "= = =" and then "= =" joined; free() it. NULL: out of memory. */
char *tare_wikitext_join_marks(const char *text);
/* The text of a page as it is scored; free(*out). */
TARE_MUST_CHECK int tare_wikitext_unmark(const char *text, char **out, struct tare_err *err);

#endif
