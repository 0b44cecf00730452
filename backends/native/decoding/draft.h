/* SPDX-License-Identifier: Apache-2.0 */
/* A second, smaller model beside the one that answers: found, read, and checked to speak the same ids. */
#ifndef TARE_NATIVE_DRAFT_H
#define TARE_NATIVE_DRAFT_H

#include "technique.h"

/* Reads the model file `path`; without a '/' it lies beside the model that is treated. */
TARE_MUST_CHECK int tare_draft_load(const struct tare_treatment *treatment, const char *path,
                                    struct tare_model *model, struct tare_err *err);

#endif
