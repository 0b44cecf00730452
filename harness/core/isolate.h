/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a worker puts between itself and the machine before it does anything else: a cgroup that it
 * enters, a network namespace of its own. Call it while the process has one thread.
 */
#ifndef TARE_CORE_ISOLATE_H
#define TARE_CORE_ISOLATE_H

#include "core/spec.h"

/*
 * Where the kernel refuses, TARE_E_UNSUPPORTED with the reason: the cell is skipped, and never measured
 * in the machine's namespace or cgroup instead. Sets TARE_NETWORK for the meters that say whose the
 * interfaces are.
 *
 * Without the right to make a network namespace it makes a user namespace first, in which only the user's
 * own id exists: rights stay, but files of others seem to be nobody's and no capability reaches them.
 */
TARE_MUST_CHECK int tare_isolate(const struct tare_spec *spec, struct tare_err *err);

#endif
