/* SPDX-License-Identifier: Apache-2.0 */
/* Percentiles taken anew from every stored sample, in place of the stored figures of a loaded run. */
#ifndef TARE_CMD_RECOMPUTE_H
#define TARE_CMD_RECOMPUTE_H

#include "cmd/load.h"

/* Every latency percentile that has a stored value gets value and interval of the samples as they lie in the
 * store now; flags and absent figures stay. */
TARE_MUST_CHECK int tare_recompute_percentiles(struct tare_loaded *loaded, struct tare_err *err);

#endif
