/* SPDX-License-Identifier: Apache-2.0 */
/* One backend with one model in this process: its operations, its private memory, its facts. */
#ifndef TARE_CORE_INSTANCE_H
#define TARE_CORE_INSTANCE_H

#include "core/spec.h"

#include <tare/backend.h>

struct tare_instance {
    struct tare_backend ops;
    void *self;
    bool opened;
    struct tare_model_facts facts;
    struct tare_effective effective;
};

/* Opens the shared object and its options; no model yet. */
TARE_MUST_CHECK int tare_instance_open(struct tare_instance *instance, const struct tare_spec *spec,
                                       struct tare_err *err);
/* The load hook: the only part of a backend's life that the load phase measures. */
TARE_MUST_CHECK int tare_instance_load(struct tare_instance *instance, const struct tare_spec *spec,
                                       struct tare_err *err);
TARE_MUST_CHECK int tare_instance_describe(struct tare_instance *instance, struct tare_err *err);
void tare_instance_close(struct tare_instance *instance);
/* Facts as JSON for the store. */
void tare_instance_facts(const struct tare_instance *instance, struct tare_json *to);

#endif
