/* SPDX-License-Identifier: Apache-2.0 */
/* What came of a comparison in lockstep, for people and for programs. */
#ifndef TARE_CMD_FIDELITY_OUTPUT_H
#define TARE_CMD_FIDELITY_OUTPUT_H

#include "base/buf.h"
#include "fidelity/figures.h"
#include "fidelity/lockstep.h"

#include <tare/json.h>

struct tare_fidelity_report {
    const char *teacher, *student; /* as they were named, with what is applied to them */
    const char *task;
    const char *teacher_sha256; /* of its model or file; NULL: it is none */
    const char *unit;           /* "items", "chunks" */
    double positions;
    const struct tare_lockstep_result *result;
    const struct tare_fidelity_figures *figures;
    int64_t run_id; /* TARE_UNKNOWN: not stored */
};

/* A tree; destroy it. */
struct tare_json *tare_fidelity_json(const struct tare_fidelity_report *report);
void tare_fidelity_text(const struct tare_fidelity_report *report, struct tare_buf *to);

#endif
