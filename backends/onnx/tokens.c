/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNX Runtime has no tokenizer; the zoo's serves the models that were made with it. Without one the backend
 * takes ids only: tasks that start from text are skipped with the reason.
 */
#include "onnx.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

int tare_onnx_find_tokenizer(struct tare_onnx *o, const char *model_path, struct tare_err *err)
{
    char found[PATH_MAX];
    struct tare_err why = {0};
    if (o->tokenizer_path) {
        int rc = tare_tokenizer_load(&o->tokenizer, o->tokenizer_path, err);
        o->has_tokenizer = rc == 0;
        return rc;
    }
    if (!tare_onnx_find_beside(model_path, "tokenizer.json", found, sizeof found)) {
        (void)snprintf(o->no_tokenizer, sizeof o->no_tokenizer,
                       "no tokenizer.json beside the model; name one with the option 'tokenizer'");
    } else if (tare_tokenizer_load(&o->tokenizer, found, &why) < 0) {
        /* That of another program, most likely. */
        (void)snprintf(o->no_tokenizer, sizeof o->no_tokenizer, "%.190s", why.msg);
    } else {
        o->has_tokenizer = true;
    }
    return 0;
}

int tare_onnx_match_tokenizer(const struct tare_onnx *o, const char *path, struct tare_err *err)
{
    if (!o->has_tokenizer) {
        return 0;
    }
    const char *wanted = o->config.tokenizer_sha;
    if (wanted[0] && strcmp(wanted, o->tokenizer.sha) != 0) {
        return tare_err_set(
            err, TARE_E_FORMAT,
            "%.200s: made for tokenizer %s, but the tokenizer found is %s; name the right one with "
            "the option 'tokenizer'",
            path, wanted, o->tokenizer.sha);
    }
    if (o->tokenizer.n_vocab > o->sequence.n_vocab) {
        return tare_err_set(err, TARE_E_FORMAT, "%.200s: has %lld ids, its tokenizer %u", path,
                            (long long)o->sequence.n_vocab, o->tokenizer.n_vocab);
    }
    return 0;
}
