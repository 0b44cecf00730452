/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is set before the session exists; nothing of it can be changed later. */
#include "runtime.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAIRS_MAX 32

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

/* Providers. "cpu" is in every library and always last in line, so nothing is appended for it. */

/* "XNNPACK" and "XnnpackExecutionProvider" name the same. */
static bool same_provider(const char *asked, const char *available)
{
    static const char suffix[] = "ExecutionProvider";
    size_t n = strlen(available);
    size_t stem = n > sizeof suffix - 1 && strcmp(available + n - (sizeof suffix - 1), suffix) == 0
                      ? n - (sizeof suffix - 1)
                      : n;
    return strcasecmp(asked, available) == 0 ||
           (strlen(asked) == stem && strncasecmp(asked, available, stem) == 0);
}

static int refuse_provider(const char *asked, char *const *names, int n, const char *version,
                           struct tare_err *err)
{
    char list[300] = "";
    for (int i = 0; i < n; i++) {
        size_t used = strlen(list);
        (void)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    }
    return tare_err_set(err, TARE_E_UNSUPPORTED,
                        "onnx: this ONNX Runtime %s has no execution provider '%.60s'; it has %s", version,
                        asked, list);
}

static int find_provider(const struct tare_ort *ort, const char *asked, struct tare_err *err)
{
    char **names = NULL;
    int n = 0;
    int rc = tare_ort_check(ort, ort->GetAvailableProviders(&names, &n), "list of execution providers", err);
    if (rc < 0) {
        return rc;
    }
    bool found = false;
    for (int i = 0; i < n && !found; i++) {
        found = same_provider(asked, names[i]);
    }
    rc = found ? 0 : refuse_provider(asked, names, n, ort->version, err);
    (void)tare_ort_ok(ort, ort->ReleaseAvailableProviders(names, n));
    return rc;
}

/* Cuts "a=b;c=d" in place. */
static int cut_pairs(char *text, const char **keys, const char **values, size_t *out_n, struct tare_err *err)
{
    size_t n = 0;
    char *rest = NULL;
    for (char *pair = strtok_r(text, ";", &rest); pair; pair = strtok_r(NULL, ";", &rest)) {
        char *equals = strchr(pair, '=');
        if (!equals || equals == pair || n == PAIRS_MAX) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "onnx: option 'provider_options': '%.80s' is not key=value, or there are more "
                "than %d; write key=value;key=value",
                pair, PAIRS_MAX);
        }
        *equals = '\0';
        keys[n] = pair;
        values[n++] = equals + 1;
    }
    *out_n = n;
    return 0;
}

static int append_provider(const struct tare_ort *ort, struct OrtSessionOptions *options,
                           const struct tare_onnx_choice *choice, struct tare_err *err)
{
    if (same_provider(choice->provider, "CPUExecutionProvider")) {
        return 0;
    }
    int rc = find_provider(ort, choice->provider, err);
    if (rc < 0) {
        return rc;
    }
    if (!ort->SessionOptionsAppendExecutionProvider) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "onnx: ONNX Runtime %s cannot be asked for a provider by name; 1.12 can",
                            ort->version);
    }
    const char *keys[PAIRS_MAX];
    const char *values[PAIRS_MAX];
    size_t n = 0;
    char *text = strdup(choice->provider_options ? choice->provider_options : "");
    if (!text) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for the provider's options");
    }
    rc = cut_pairs(text, keys, values, &n, err);
    if (rc == 0) {
        rc = tare_ort_check(
            ort, ort->SessionOptionsAppendExecutionProvider(options, choice->provider, keys, values, n),
            "execution provider", err);
    }
    free(text);
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
    return rc == 0 ? append_provider(ort, options, choice, err) : rc;
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
    }
    return rc;
}

void tare_onnx_runtime_close(struct tare_onnx_runtime *rt)
{
    const struct tare_ort *ort = &rt->ort;
    if (rt->arena) {
        ort->ReleaseAllocator(rt->arena);
    }
    if (rt->session) {
        ort->ReleaseSession(rt->session);
    }
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
