/* SPDX-License-Identifier: Apache-2.0 */
/* What a figure is, in words: looked up in the documentation of figures, which the build embeds, so that the
 * program and the manual cannot say different things. */
#ifndef TARE_CMD_FORMULAS_H
#define TARE_CMD_FORMULAS_H

#include <tare/json.h>

/* Adds an object for every table row of the documentation that names the figure (`name`, or a pattern such as
 * `latency_p*`): page, section, and the row's columns under their headings. Returns how many were added. */
size_t tare_formulas_add(const char *figure, struct tare_json *to_array);

#endif
