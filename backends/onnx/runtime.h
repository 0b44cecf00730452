/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One environment, one session: options, threads, execution provider, and the library's own log, which is
 * kept off the standard streams: counted, and its first complaint remembered.
 */
#ifndef TARE_ONNX_RUNTIME_H
#define TARE_ONNX_RUNTIME_H

#include "api.h"

#include <pthread.h>
#include <stdbool.h>

enum tare_onnx_level { TARE_ONNX_NONE, TARE_ONNX_BASIC, TARE_ONNX_EXTENDED, TARE_ONNX_ALL };

/* What a plan sets of a session; strings are borrowed. */
struct tare_onnx_choice {
    int64_t threads;
    int64_t inter_threads;
    bool spin;
    int64_t level; /* enum tare_onnx_level */
    const char *provider;
    const char *provider_options; /* "key=value;key=value" */
};

/* Filled on the library's threads. */
struct tare_onnx_log {
    pthread_mutex_t lock;
    int64_t n_warnings; /* and errors */
    char first[320];
};

struct tare_onnx_runtime {
    struct tare_ort ort;
    struct tare_onnx_log log;
    bool has_lock;
    struct OrtEnv *env;
    struct OrtSession *session;
    struct OrtMemoryInfo *memory;  /* the processor's, without an arena */
    struct OrtAllocator *standard; /* the library's; never released */
    struct OrtAllocator *arena;    /* the session's; NULL where it has none to show */
};

/* Opens the library and makes the environment. Close it after a failure, too. */
TARE_MUST_CHECK int tare_onnx_runtime_open(struct tare_onnx_runtime *rt, const char *library,
                                           struct tare_err *err);
TARE_MUST_CHECK int tare_onnx_runtime_load(struct tare_onnx_runtime *rt,
                                           const struct tare_onnx_choice *choice, const char *path,
                                           struct tare_err *err);
/* Without the session, ready for another. */
void tare_onnx_runtime_unload(struct tare_onnx_runtime *rt);
/* A zeroed struct is fine. */
void tare_onnx_runtime_close(struct tare_onnx_runtime *rt);
int64_t tare_onnx_runtime_warnings(struct tare_onnx_runtime *rt);

#endif
