/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a worker's environment is padded. The size of the environment moves the stack, and with it times,
 * by a bias that is the same in every repeat and so in no interval; varied from process to process it becomes
 * noise that the interval shows. (Mytkowicz et al., ASPLOS 2009.)
 */
#ifndef TARE_CORE_PADDING_H
#define TARE_CORE_PADDING_H

#include <stddef.h>
#include <stdint.h>

enum { TARE_PADDING_MAX = 4096 };

/* Bytes, uniform in 0 .. TARE_PADDING_MAX; a pure function of the plan's seed and the repeat. */
size_t tare_environment_padding(int64_t seed, int64_t repeat_id);

#endif
