/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What items scored by a task's own metric (TARE_METRIC_SCORES), so that two systems are paired by item.
 *
 * Only where the figure is sum(num) / sum(den) over items: means, and bits per byte. A perplexity or a score
 * of a whole set is not, and what another column says must never stand in for it.
 */
#ifndef TARE_CMD_SCORE_ITEMS_H
#define TARE_CMD_SCORE_ITEMS_H

#include "store/query.h"

#include <tare/task.h>

/* Why items of the metric cannot be paired; NULL: they can, or the metric is none of these. */
const char *tare_score_unpaired(const struct tare_metric *metric);
/* Of one repeat, in the order of items; free() both. The figure is scale x sum(num) / sum(den). None at all
 * (*n 0) where an item has no number: those behind it would be paired with others' items. */
TARE_MUST_CHECK int tare_score_items(struct tare_store *store, int64_t repeat_id,
                                     const struct tare_metric *metric, double **num, double **den, size_t *n,
                                     struct tare_err *err);

#endif
