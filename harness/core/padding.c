/* SPDX-License-Identifier: Apache-2.0 */
/* One draw from the stream of the repeat. */
#include "core/padding.h"

#include <tare/rng.h>

size_t tare_environment_padding(int64_t seed, int64_t repeat_id)
{
    struct tare_rng root, rng;
    tare_rng_init(&root, (uint64_t)seed);
    rng = tare_rng_split(&root, "environment", (uint64_t)repeat_id);
    return (size_t)tare_rng_below(&rng, TARE_PADDING_MAX + 1);
}
