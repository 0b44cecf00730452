/* SPDX-License-Identifier: Apache-2.0 */
/* From the store to derivations and back: the evidence of every cell of a run, judged and derived. */
#ifndef TARE_CMD_EVIDENCE_H
#define TARE_CMD_EVIDENCE_H

#include "core/declared.h"
#include "store/store.h"

#include <stdbool.h>

/* How the cells of a run ended. */
struct tare_judged {
    int64_t valid, invalid, skipped;
    bool failed; /* a crash, timeout, oom or error among the invalid ones */
};

/* Judges and derives every cell of the run and stores verdicts and figures, replacing older ones.
 * Speed-ups refer to the model called `baseline`; NULL for none. Money, carbon and modelled energy go by what
 * is declared; NULL for nothing. */
TARE_MUST_CHECK int tare_derive_run(struct tare_store *store, int64_t run_id, const char *baseline,
                                    const struct tare_declared *declared, struct tare_judged *out,
                                    struct tare_err *err);

#endif
