/* SPDX-License-Identifier: Apache-2.0 */
/* The process that holds a backend for the referee: `tare worker --verify`. */
#ifndef TARE_VERIFY_SERVE_H
#define TARE_VERIFY_SERVE_H

#include <tare/err.h>

/* Loads what the spec on spec_fd says, then answers frames from in_fd on out_fd until in_fd ends. What the
 * backend prints on standard output is caught and counted, and reaches nobody. */
TARE_MUST_CHECK int tare_verify_serve(int spec_fd, int in_fd, int out_fd, struct tare_err *err);

#endif
