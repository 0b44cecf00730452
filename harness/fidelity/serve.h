/* SPDX-License-Identifier: Apache-2.0 */
/* The process that holds one of two models for `tare fidelity`: `tare worker --lockstep`. */
#ifndef TARE_FIDELITY_SERVE_H
#define TARE_FIDELITY_SERVE_H

#include <tare/err.h>

/* Loads what the spec on spec_fd says, then answers frames from in_fd on out_fd until in_fd ends. */
TARE_MUST_CHECK int tare_lockstep_serve(int spec_fd, int in_fd, int out_fd, struct tare_err *err);

#endif
