/* SPDX-License-Identifier: Apache-2.0 */
/* The check that a model holds numbers only. */
#include "model.h"

#include <stdbool.h>
#include <stdlib.h>

static bool is_finite(const float *x, size_t n)
{
    float sum = 0.0F; /* of zeros, unless one is infinite or no number */
    for (size_t i = 0; i < n; i++) {
        sum += x[i] * 0.0F;
    }
    return sum == 0.0F;
}

static int check_linear(const struct tare_linear *w, bool *finite, struct tare_err *err)
{
    float *dense = malloc((size_t)w->out * w->in * sizeof *dense + 1);
    if (!dense) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the weights of %s", w->name);
    }
    w->storage->unpack(w, 0, w->out, dense);
    *finite = is_finite(dense, (size_t)w->out * w->in);
    free(dense);
    return 0;
}

int tare_model_check_finite(const struct tare_model *model, const char *what, int code, struct tare_err *err)
{
    const char *culprit = NULL;
    int rc = 0;
    for (size_t i = 0; rc == 0 && !culprit && i < model->n_linears; i++) {
        const struct tare_linear *w = &model->linears[i];
        bool finite = true;
        rc = w->storage ? check_linear(w, &finite, err) : 0;
        culprit = finite ? NULL : w->name;
    }
    for (size_t i = 0; rc == 0 && !culprit && i < model->n_vectors; i++) {
        culprit = is_finite(model->vectors[i].at, model->vectors[i].n) ? NULL : model->vectors[i].name;
    }
    if (culprit) {
        return tare_err_set(err, code,
                            "%s: %s holds numbers that are not finite; no answer would mean anything", what,
                            culprit);
    }
    return rc;
}
