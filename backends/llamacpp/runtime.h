/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must stand before a model is loaded: the right library, its devices, a pool of threads.
 */
#ifndef TARE_LLAMACPP_RUNTIME_H
#define TARE_LLAMACPP_RUNTIME_H

#include <llama.h>
#include <stddef.h>
#include <tare/err.h>

struct tare_llamacpp_runtime {
    ggml_threadpool_t pool;       /* for one token at a time, and for many unless the other is there */
    ggml_threadpool_t pool_batch; /* NULL: the same */
    void (*pool_free)(ggml_threadpool_t pool);
};

/* Parameter structs go by value: a library of another version than the headers would read other fields. */
TARE_MUST_CHECK int tare_llamacpp_check_version(const char *headers, const char *library,
                                                struct tare_err *err);
/* Version, log and devices; idempotent. */
TARE_MUST_CHECK int tare_llamacpp_start(struct tare_err *err);
/* Pools that live as long as the model: without one ggml makes threads anew for every pass, which on a
 * machine with few cores costs tens of milliseconds each. threads_batch equal to threads: one pool. */
TARE_MUST_CHECK int tare_llamacpp_pools(struct tare_llamacpp_runtime *runtime, int threads, int threads_batch,
                                        struct tare_err *err);
/* Frees them; a zeroed struct is fine. The context must be gone. */
void tare_llamacpp_pools_free(struct tare_llamacpp_runtime *runtime);

#endif
