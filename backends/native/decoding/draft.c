/* SPDX-License-Identifier: Apache-2.0 */
/* See draft.h. */
#include "draft.h"

#include <limits.h>
#include <string.h>

/* `path`, or a name in the folder of the model. */
static int place(const struct tare_treatment *treatment, const char *path, char *out, size_t cap)
{
    const char *slash = strchr(path, '/') ? NULL : strrchr(treatment->model_path, '/');
    int folder = slash ? (int)(slash - treatment->model_path) + 1 : 0;
    int n = snprintf(out, cap, "%.*s%s", folder, treatment->model_path, path);
    return n < 0 || (size_t)n >= cap ? -1 : 0;
}

int tare_draft_load(const struct tare_treatment *treatment, const char *path, struct tare_model *model,
                    struct tare_err *err)
{
    const struct tare_model_config *target = &treatment->model->config;
    struct tare_model made = {0};
    char full[PATH_MAX];
    if (place(treatment, path, full, sizeof full) < 0) {
        return tare_err_set(err, TARE_E_USAGE, "draft: the path '%.200s' is too long", path);
    }
    int rc = tare_model_load(&made, full, err);
    if (rc < 0) {
        return rc;
    }
    const struct tare_model_config *draft = &made.config;
    if (strcmp(draft->tokenizer_sha, target->tokenizer_sha) != 0 || draft->n_vocab != target->n_vocab ||
        draft->bos != target->bos) {
        rc =
            tare_err_set(err, TARE_E_FORMAT,
                         "draft %.200s: made for tokenizer %s with %u ids, the model for %s with %u; a draft "
                         "has to speak the same ids",
                         full, draft->tokenizer_sha, draft->n_vocab, target->tokenizer_sha, target->n_vocab);
        tare_model_close(&made);
        return rc;
    }
    *model = made;
    return 0;
}
