/* SPDX-License-Identifier: Apache-2.0 */
/* L-BFGS by liblbfgs. */
#include "minimise.h"

#include <lbfgs.h>

#include <math.h>
#include <string.h>

struct call {
    tare_minimise_fn fn;
    void *ctx;
    size_t n;
    double best;
    double at[TARE_MINIMISE_MOST]; /* of the best: the library's last point may be worse */
};

static lbfgsfloatval_t evaluate(void *instance, const lbfgsfloatval_t *x, lbfgsfloatval_t *g, int n,
                                lbfgsfloatval_t step)
{
    struct call *c = instance;
    (void)step;
    /* Where the library works in lanes it rounds n up; those unknowns are in no term. */
    memset(g, 0, (size_t)n * sizeof *g);
    double value = c->fn(c->ctx, x, g, c->n);
    if (value < c->best) {
        c->best = value;
        memcpy(c->at, x, c->n * sizeof *x);
    }
    return value;
}

int tare_minimise(tare_minimise_fn fn, void *ctx, double *x, size_t n, int most, double *out,
                  struct tare_err *err)
{
    /* The library wants vectors of its own alignment, in which it works in lanes. */
    _Alignas(32) double point[TARE_MINIMISE_MOST] = {0}; /* room for the rounded n */
    struct call call = {.fn = fn, .ctx = ctx, .n = n, .best = HUGE_VAL};
    lbfgs_parameter_t parameters;
    if (n == 0 || n > TARE_MINIMISE_MOST) {
        return tare_err_set(err, TARE_E_LIMIT, "minimise: %zu unknowns, 1 to %d fit", n, TARE_MINIMISE_MOST);
    }
    memcpy(point, x, n * sizeof *x);
    lbfgs_parameter_init(&parameters);
    parameters.max_iterations = most;
    parameters.epsilon = 1e-9;
    parameters.past = 5;
    parameters.delta = 1e-10;
    parameters.max_linesearch = 40;
    int r = lbfgs((int)n, point, NULL, evaluate, NULL, &call, &parameters);
    if (r == LBFGSERR_OUTOFMEMORY) {
        return tare_err_set(err, TARE_E_NOMEM, "minimise: out of memory");
    }
    if (!isfinite(call.best)) {
        return tare_err_set(err, TARE_E_FORMAT, "minimise: the function has no finite value at its start");
    }
    memcpy(x, call.at, n * sizeof *x);
    *out = call.best;
    return 0;
}
