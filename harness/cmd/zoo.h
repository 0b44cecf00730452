/* SPDX-License-Identifier: Apache-2.0 */
/* The models that are shipped, out of what their files say of themselves. */
#ifndef TARE_CMD_ZOO_H
#define TARE_CMD_ZOO_H

#include "core/paths.h"

#include <tare/json.h>

/* One object a model file of the zoo: name, arch, parameters, file_bytes, what; null where its header does
 * not tell. `summary` is the same as one line. */
void tare_zoo_list(const struct tare_paths *paths, struct tare_json *to);

#endif
