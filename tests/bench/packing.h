/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model's halves as int8 by row or int4 by 32 columns, by the nearest code: enough for speed, which does
 * not depend on the values. The techniques that care for quality are the engine's own.
 */
#ifndef TARE_BENCH_PACKING_H
#define TARE_BENCH_PACKING_H

#include "model.h"

TARE_MUST_CHECK int pack_int8(struct tare_model *model, struct tare_err *err);
/* The embedding as int8. */
TARE_MUST_CHECK int pack_int4(struct tare_model *model, struct tare_err *err);

#endif
