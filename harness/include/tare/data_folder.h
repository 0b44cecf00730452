/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where data files lie that tare does not ship: those that `tare fetch` takes. It finds paths and opens
 * nothing.
 *
 * A data file is named by its path in that folder, "piqa/valid.jsonl"; the first part is the name of its
 * source (core/source.h).
 */
#ifndef TARE_DATA_FOLDER_H
#define TARE_DATA_FOLDER_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>

#ifdef __cplusplus
extern "C" {
#endif

/* `given` (an option; may be NULL or ""), else $TARE_DATASETS, else $XDG_DATA_HOME/tare/datasets, else
 * ~/.local/share/tare/datasets. It may not be there yet. */
TARE_EXPORT TARE_MUST_CHECK int tare_data_folder(const char *given, char *out, size_t n_out,
                                                 struct tare_err *err);
/* Is this the name of a data file: at least two parts of letters, digits, '.', '_', '+' and '-' with '/'
 * between, none of which begins with a '.' or a '-'? */
TARE_EXPORT bool tare_data_is_name(const char *file);

#ifdef __cplusplus
}
#endif
#endif
