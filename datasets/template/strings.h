/* SPDX-License-Identifier: Apache-2.0 */
/* What methods and filters have in common on strings. Private to datasets/template/. */
#ifndef TARE_TEMPLATE_STRINGS_H
#define TARE_TEMPLATE_STRINGS_H

#include "value.h"

enum tare_tpl_side { TARE_TPL_LEFT = 1, TARE_TPL_RIGHT = 2, TARE_TPL_BOTH = 3 };
enum tare_tpl_case { TARE_TPL_LOWER, TARE_TPL_UPPER, TARE_TPL_CAPITALIZE, TARE_TPL_TITLE };

/* chars NULL or none: white space. */
TARE_MUST_CHECK int tare_tpl_strip(struct tare_tpl_run *run, struct tare_bytes text, enum tare_tpl_side side,
                                   const struct tare_tpl_value *chars, struct tare_tpl_value *out);
TARE_MUST_CHECK int tare_tpl_map_case(struct tare_tpl_run *run, struct tare_bytes text, enum tare_tpl_case to,
                                      struct tare_tpl_value *out);
/* count below 0: all. */
TARE_MUST_CHECK int tare_tpl_replace(struct tare_tpl_run *run, struct tare_bytes text, struct tare_bytes old,
                                     struct tare_bytes with, int64_t count, struct tare_tpl_value *out);
/* Elements with `between` in between them: as they are, which must be strings, or by str(). */
TARE_MUST_CHECK int tare_tpl_join(struct tare_tpl_run *run, struct tare_bytes between,
                                  const struct tare_tpl_value *list, bool any_type,
                                  struct tare_tpl_value *out);
/* An integer argument, or an error that names it. */
TARE_MUST_CHECK int tare_tpl_count(struct tare_tpl_run *run, const struct tare_tpl_value *v, const char *what,
                                   int64_t *out);

#endif
