/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Execution providers: what runs operators elsewhere than on the processor. The processor's own is in every
 * library and always last in line; another is put before it and takes what it can.
 */
#ifndef TARE_ONNX_PROVIDER_H
#define TARE_ONNX_PROVIDER_H

#include "api.h"

/* `name` as the library calls it, with or without "ExecutionProvider"; `pairs` is "key=value;key=value" or
 * NULL. A name that the library does not have is refused with the list of those that it has. */
TARE_MUST_CHECK int tare_onnx_provider_append(const struct tare_ort *ort, struct OrtSessionOptions *options,
                                              const char *name, const char *pairs, struct tare_err *err);

#endif
