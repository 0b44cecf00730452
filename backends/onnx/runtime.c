/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is set before the session exists; nothing of it can be changed later. */
#include "runtime.h"

#include "provider.h"

#include <ctype.h>
#include <string.h>

static void on_log(void *param, unsigned severity, const char *category, const char *id, const char *where,
                   const char *message)
{
    struct tare_onnx_log *log = param;
    (void)category;
    (void)id;
    (void)where;
    if (severity < TARE_ORT_WARNING) {
        return;
    }
    (void)pthread_mutex_lock(&log->lock);
    if (log->n_warnings++ == 0) {
        (void)snprintf(log->first, sizeof log->first, "%s", message ? message : "");
    }
    (void)pthread_mutex_unlock(&log->lock);
}

int64_t tare_onnx_runtime_warnings(struct tare_onnx_runtime *rt)
{
    (void)pthread_mutex_lock(&rt->log.lock);
    int64_t n = rt->log.n_warnings;
    (void)pthread_mutex_unlock(&rt->log.lock);
    return n;
}

int tare_onnx_runtime_open(struct tare_onnx_runtime *rt, const char *library, struct tare_err *err)
{
    memset(rt, 0, sizeof *rt);
    int rc = tare_ort_open(&rt->ort, library, err);
    if (rc < 0) {
        return rc;
    }
    rt->has_lock = pthread_mutex_init(&rt->log.lock, NULL) == 0;
    if (!rt->has_lock) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no lock for the library's log");
    }
    const struct tare_ort *ort = &rt->ort;
    rc = tare_ort_check(ort,
                        ort->CreateEnvWithCustomLogger(on_log, &rt->log, TARE_ORT_WARNING, "tare", &rt->env),
                        "environment", err);
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->GetAllocatorWithDefaultOptions(&rt->standard), "allocator", err);
    }
    if (rc == 0) {
        rc = tare_ort_check(
            ort, ort->CreateCpuMemoryInfo(TARE_ORT_DEVICE_ALLOCATOR, TARE_ORT_MEM_DEFAULT, &rt->memory),
            "memory", err);
    }
    return rc;
}

static int set_config(const struct tare_ort *ort, struct OrtSessionOptions *options, const char *key, bool on,
                      struct tare_err *err)
{
    return tare_ort_check(ort, ort->AddSessionConfigEntry(options, key, on ? "1" : "0"), key, err);
}

static int set_options(const struct tare_ort *ort, struct OrtSessionOptions *options,
                       const struct tare_onnx_choice *choice, struct tare_err *err)
{
    static const unsigned levels[] = {0, 1, 2, 99}; /* GraphOptimizationLevel */
    int rc = tare_ort_check(ort, ort->SetIntraOpNumThreads(options, (int)choice->threads), "threads", err);
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->SetInterOpNumThreads(options, (int)choice->inter_threads),
                            "inter_threads", err);
    }
    if (rc == 0) { /* one after the other, or branches of the graph beside each other */
        rc = tare_ort_check(ort, ort->SetSessionExecutionMode(options, choice->inter_threads > 1), "mode",
                            err);
    }
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->SetSessionGraphOptimizationLevel(options, levels[choice->level]),
                            "optimise", err);
    }
    if (rc == 0) {
        rc = set_config(ort, options, "session.intra_op.allow_spinning", choice->spin, err);
    }
    if (rc == 0) {
        rc = set_config(ort, options, "session.inter_op.allow_spinning", choice->spin, err);
    }
    return rc == 0 ? tare_onnx_provider_append(ort, options, choice->provider, choice->provider_options, err)
                   : rc;
}

/* The session's own arena, for its counts alone: a library that refuses costs a reading. */
static void find_arena(struct tare_onnx_runtime *rt)
{
    const struct tare_ort *ort = &rt->ort;
    struct OrtMemoryInfo *info = NULL;
    if (ort->AllocatorGetStats &&
        tare_ort_ok(ort, ort->CreateCpuMemoryInfo(TARE_ORT_ARENA_ALLOCATOR, TARE_ORT_MEM_DEFAULT, &info))) {
        if (!tare_ort_ok(ort, ort->CreateAllocator(rt->session, info, &rt->arena))) {
            rt->arena = NULL;
        }
        ort->ReleaseMemoryInfo(info);
    }
}

/* The status often says less than what was logged before it. */
static void add_log(struct tare_onnx_runtime *rt, struct tare_err *err)
{
    (void)pthread_mutex_lock(&rt->log.lock);
    size_t used = strlen(err->msg);
    if (rt->log.n_warnings > 0 && used + 32 < sizeof err->msg) {
        (void)snprintf(err->msg + used, sizeof err->msg - used, "; its log: %s", rt->log.first);
    }
    (void)pthread_mutex_unlock(&rt->log.lock);
    for (char *c = err->msg; *c; c++) {
        *c = iscntrl((unsigned char)*c) ? ' ' : *c;
    }
}

int tare_onnx_runtime_load(struct tare_onnx_runtime *rt, const struct tare_onnx_choice *choice,
                           const char *path, struct tare_err *err)
{
    const struct tare_ort *ort = &rt->ort;
    struct OrtSessionOptions *options = NULL;
    int rc = tare_ort_check(ort, ort->CreateSessionOptions(&options), "session options", err);
    if (rc < 0) {
        return rc;
    }
    rc = set_options(ort, options, choice, err);
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->CreateSession(rt->env, path, options, &rt->session), "session", err);
    }
    ort->ReleaseSessionOptions(options);
    if (rc == 0) {
        find_arena(rt);
    } else if (err) {
        add_log(rt, err);
    }
    return rc;
}

void tare_onnx_runtime_unload(struct tare_onnx_runtime *rt)
{
    const struct tare_ort *ort = &rt->ort;
    if (rt->arena) {
        ort->ReleaseAllocator(rt->arena);
    }
    if (rt->session) {
        ort->ReleaseSession(rt->session);
    }
    rt->arena = NULL;
    rt->session = NULL;
}

void tare_onnx_runtime_close(struct tare_onnx_runtime *rt)
{
    const struct tare_ort *ort = &rt->ort;
    tare_onnx_runtime_unload(rt);
    if (rt->memory) {
        ort->ReleaseMemoryInfo(rt->memory);
    }
    if (rt->env) {
        ort->ReleaseEnv(rt->env);
    }
    if (rt->has_lock) {
        (void)pthread_mutex_destroy(&rt->log.lock);
    }
    memset(rt, 0, sizeof *rt);
}
