/* SPDX-License-Identifier: Apache-2.0 */
/* CUDA has calls of its own; all others that can be asked for by name go through one. */
#include "provider.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PAIRS_MAX 32

struct pairs {
    char *text; /* owned, cut into the others */
    const char *keys[PAIRS_MAX];
    const char *values[PAIRS_MAX];
    size_t n;
};

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

/* Cuts "a=b;c=d". */
static int cut_pairs(struct pairs *p, const char *text, struct tare_err *err)
{
    char *rest = NULL;
    p->n = 0;
    p->text = strdup(text ? text : "");
    if (!p->text) {
        return tare_err_set(err, TARE_E_NOMEM, "onnx: no memory for the provider's options");
    }
    for (char *pair = strtok_r(p->text, ";", &rest); pair; pair = strtok_r(NULL, ";", &rest)) {
        char *equals = strchr(pair, '=');
        if (!equals || equals == pair || p->n == PAIRS_MAX) {
            return tare_err_set(
                err, TARE_E_USAGE,
                "onnx: option 'provider_options': '%.80s' is not key=value, or there are more "
                "than %d; write key=value;key=value",
                pair, PAIRS_MAX);
        }
        *equals = '\0';
        p->keys[p->n] = pair;
        p->values[p->n++] = equals + 1;
    }
    return 0;
}

static int append_cuda(const struct tare_ort *ort, struct OrtSessionOptions *options, const struct pairs *p,
                       struct tare_err *err)
{
    struct OrtCUDAProviderOptionsV2 *cuda = NULL;
    int rc = tare_ort_check(ort, ort->CreateCUDAProviderOptions(&cuda), "execution provider", err);
    if (rc < 0) {
        return rc;
    }
    if (p->n > 0) {
        rc = tare_ort_check(ort, ort->UpdateCUDAProviderOptions(cuda, p->keys, p->values, p->n),
                            "options of the execution provider", err);
    }
    if (rc == 0) {
        rc = tare_ort_check(ort, ort->SessionOptionsAppendExecutionProvider_CUDA_V2(options, cuda),
                            "execution provider", err);
    }
    ort->ReleaseCUDAProviderOptions(cuda);
    return rc;
}

int tare_onnx_provider_append(const struct tare_ort *ort, struct OrtSessionOptions *options, const char *name,
                              const char *pairs, struct tare_err *err)
{
    struct pairs p;
    if (same_provider(name, "CPUExecutionProvider")) {
        return 0;
    }
    int rc = find_provider(ort, name, err);
    if (rc < 0) {
        return rc;
    }
    if (!ort->SessionOptionsAppendExecutionProvider) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "onnx: ONNX Runtime %s cannot be asked for a provider by name; 1.12 can",
                            ort->version);
    }
    rc = cut_pairs(&p, pairs, err);
    if (rc == 0 && same_provider(name, "CUDAExecutionProvider")) {
        rc = append_cuda(ort, options, &p, err);
    } else if (rc == 0) {
        rc = tare_ort_check(ort,
                            ort->SessionOptionsAppendExecutionProvider(options, name, p.keys, p.values, p.n),
                            "execution provider", err);
    }
    free(p.text);
    return rc;
}
