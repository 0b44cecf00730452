/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a figure is made of, found and not claimed: every column of samples, every sum and every reading of
 * the evidence is changed in turn, and what makes the figure another one is an input.
 */
#ifndef TARE_CMD_EXPLAIN_INPUTS_H
#define TARE_CMD_EXPLAIN_INPUTS_H

#include "cmd/evidence_load.h"

#include <tare/json.h>

/* The figure as derived now from the whole evidence: copied, strings of the evidence or constant.
 * TARE_E_USAGE if nothing derives a figure of that name. */
TARE_MUST_CHECK int tare_explain_derive(const struct tare_evidence *e, const char *figure,
                                        struct tare_figure *out, struct tare_err *err);
/* Adds an object an input: {"input": "samples", "name": "latency_ns"} and the like; readings with meter,
 * phase, unit, kind, source and the value of every repeat. */
TARE_MUST_CHECK int tare_explain_inputs(const struct tare_evidence *e, const char *figure,
                                        struct tare_json *to_array, struct tare_err *err);

#endif
