/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Technique tags: a place in the taxonomy with parameters, `infer.compress.quant.weight{bits=4,group=32}`,
 * several of them joined by '+'. This module knows the syntax and nothing of any technique: it renders
 * entries of a plan to such text, refuses what is not of the form, and turns the parameters that name
 * files into paths that a worker understands.
 */
#ifndef TARE_CORE_TAG_H
#define TARE_CORE_TAG_H

#include "core/paths.h"

#include <tare/json.h>

/* Is the text a tag, or several joined by '+'? `what` says where it stands. */
TARE_MUST_CHECK int tare_tag_check(const char *text, const char *what, struct tare_err *err);
/* The checked text of an entry's "technique" (a text, or an array of texts) and "params" (an object);
 * *out is malloc'ed, or NULL if the entry has no technique. */
TARE_MUST_CHECK int tare_tag_render(const struct tare_json *entry, const char *what, char **out,
                                    struct tare_err *err);
/* The same tag with the values of file parameters (draft, calib) as absolute paths; malloc'ed. */
TARE_MUST_CHECK int tare_tag_resolve(const struct tare_paths *paths, const char *tag, char **out,
                                     struct tare_err *err);
/* Calls `each` for every file parameter; a negative return ends the walk and is returned. A text that is no
 * tag has none. */
TARE_MUST_CHECK int tare_tag_files(const char *tag,
                                   int (*each)(void *ctx, const char *param, const char *path), void *ctx);

#endif
