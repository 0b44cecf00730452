/* SPDX-License-Identifier: Apache-2.0 */
/* What a gate has found, printed and written to files, and the exit status that follows. */
#ifndef TARE_CMD_CHECK_OUTPUT_H
#define TARE_CMD_CHECK_OUTPUT_H

#include "cmd/check_run.h"

struct tare_check_show {
    struct tare_store *store;
    const char *db;
    int64_t run_id;
    const char *rules_path;
    const char *format;  /* on standard output */
    const char *outputs; /* FORMAT=FILE, a line each; NULL: none */
};

/* Are these formats, and can their files be written? */
TARE_MUST_CHECK int tare_check_outputs(const char *format, const char *outputs, struct tare_err *err);
/* Returns the exit status, or an error. */
TARE_MUST_CHECK int tare_check_show(const struct tare_check_show *to, const struct tare_gate_rules *rules,
                                    const struct tare_check_state *state, struct tare_err *err);

#endif
