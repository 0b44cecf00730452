/* SPDX-License-Identifier: Apache-2.0 */
/* How a process that serves a backend begins: the cell is read from a pipe, and the model loaded as a worker
 * does. What is then asked is the referee's (verify/serve.h) or a comparison's (fidelity/serve.h). */
#ifndef TARE_CORE_SERVING_H
#define TARE_CORE_SERVING_H

#include "core/instance.h"

/* Reads fd to its end, isolates the process, opens, loads and describes. Both are the caller's to finish,
 * also after a failure; both are zero before. */
TARE_MUST_CHECK int tare_serving_load(int spec_fd, struct tare_spec *spec, struct tare_instance *instance,
                                      struct tare_err *err);

#endif
