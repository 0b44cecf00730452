/* SPDX-License-Identifier: Apache-2.0 */
/* The state of the machine and of this build: what a reader needs to judge or repeat a run. */
#ifndef TARE_CORE_ENVIRONMENT_H
#define TARE_CORE_ENVIRONMENT_H

#include <stddef.h>
#include <tare/err.h>

/* value NULL: absent, with the reason. Strings live during the call. */
typedef int (*tare_environment_fn)(void *ctx, const char *key, const char *value, const char *absent,
                                   struct tare_err *err);
TARE_MUST_CHECK int tare_environment_walk(tare_environment_fn fn, void *ctx, struct tare_err *err);

#endif
