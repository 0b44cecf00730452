/* SPDX-License-Identifier: Apache-2.0 */
/* Backends as the supervisor sees them: probed in a process of their own, never loaded here. */
#ifndef TARE_CMD_BACKENDS_H
#define TARE_CMD_BACKENDS_H

#include "core/plan.h"

/* Description of a backend by name or path, as JSON. */
TARE_MUST_CHECK int tare_backends_probe(const char *name, const struct tare_paths *paths,
                                        struct tare_json **out, struct tare_err *err);
/* Are the options of every cell known to its backend? Each backend is probed once. */
TARE_MUST_CHECK int tare_backends_check(const struct tare_plan *plan, const struct tare_paths *paths,
                                        struct tare_err *err);
/* Names of all backends found, each once, sorted; to array elements of `list`. */
TARE_MUST_CHECK int tare_backends_list(const struct tare_paths *paths, struct tare_json *list,
                                       struct tare_err *err);

/* Loads the plan's meters out of the tree in a process of their own, and checks their options. */
TARE_MUST_CHECK int tare_meters_probe(const struct tare_plan *plan, const struct tare_paths *paths,
                                      struct tare_err *err);

#endif
