/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is a cell's measurement valid? INVALID cells never enter a table by default, and say why. A flag is
 * a doubt that a reader should know; a reason code is a fault that voids. Which of the two a disturbance is
 * (core/noise.h) is the plan's choice.
 */
#ifndef TARE_CORE_VERDICT_H
#define TARE_CORE_VERDICT_H

#include "base/record.h"
#include "core/noise.h"

#include <stddef.h>

/* Sums over a cell's repeats. */
struct tare_verdict_facts {
    int64_t items; /* TARE_ABSENT: never counted */
    int64_t repeats;
    int64_t ok, error, crash, timeout, oom, skip, pending;
    int64_t samples; /* committed, all repeats */
    int64_t failed_samples;
    bool files_changed;            /* a file was not the same for all attempts */
    int64_t broken_seals;          /* repeats whose stored rows are not what they were */
    tare_noise_set disturbed;      /* what disturbed its complete repeats */
    enum tare_noise_policy policy; /* of the plan */
};

enum tare_verdict { TARE_VALID = 1, TARE_INVALID, TARE_SKIPPED };

/* Writes a comma-separated list of reason codes: CRASH, TIMEOUT, OOM, ERROR, PENDING, FAILED_SAMPLES,
 * INCOMPLETE, FILES_CHANGED, SAMPLES_CHANGED, then the codes of core/noise.h that void; "" when valid. A code
 * that has no room is left out whole, with all behind it. */
enum tare_verdict tare_verdict(const struct tare_verdict_facts *facts, char *reasons, size_t n_reasons);
const char *tare_verdict_text(enum tare_verdict verdict);

#endif
