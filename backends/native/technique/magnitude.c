/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Magnitude pruning: the smallest |w| go, by the share of each matrix, of all matrices together, or by a
 * pattern. Needs no text and changes no weight that stays; mag50 of the zoo is scope=layer, sparsity=0.5.
 */
#include "mask.h"
#include "targets.h"

#include <math.h>
#include <stdlib.h>

enum { scope_layer, scope_global };

struct params {
    double sparsity;
    char *pattern;
    int64_t scope;
};

static const char *const scopes[] = {"layer", "global", NULL};

static const struct tare_opt options[] = {
    {.name = "sparsity",
     .type = TARE_OPT_F64,
     .offset = offsetof(struct params, sparsity),
     .def = "0.5",
     .help = "share of the weights that go"},
    {.name = "pattern",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct params, pattern),
     .help = "N:M instead of a share: of each M in a row N stay"},
    {.name = "scope",
     .type = TARE_OPT_CHOICE,
     .offset = offsetof(struct params, scope),
     .def = "layer",
     .help = "the share is of each matrix, or of all of them together",
     .choices = scopes},
    TARE_OPT_END,
};

struct pruning {
    struct tare_mask_rule rule;
    bool by_border;
    float border; /* with by_border: what is not above goes */
};

static void magnitudes(float *to, const float *w, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = fabsf(w[i]);
    }
}

static void drop(const struct pruning *p, float *dense, const float *score, float *work,
                 const struct tare_linear *w)
{
    size_t n = (size_t)w->out * w->in;
    if (p->by_border) {
        for (size_t i = 0; i < n; i++) {
            dense[i] = score[i] > p->border ? dense[i] : 0.0F;
        }
    } else if (p->rule.of == 0) {
        tare_mask_share(dense, score, n, p->rule.sparsity, work);
    } else {
        for (uint32_t r = 0; r < w->out; r++) {
            tare_mask_row(dense + (size_t)r * w->in, score + (size_t)r * w->in, w->in, &p->rule, work);
        }
    }
}

static int prune(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    const struct pruning *p = ctx;
    size_t n = (size_t)w->out * w->in;
    float *dense = NULL;
    float *score = malloc(2 * n * sizeof *score);
    int rc = score ? tare_mask_rule_fits(&p->rule, w, err)
                   : tare_err_set(err, TARE_E_NOMEM, "no memory for the scores of %s", w->name);
    if (rc == 0) {
        rc = tare_technique_dense(w, &dense, err);
    }
    if (rc == 0) {
        magnitudes(score, dense, n);
        drop(p, dense, score, score + n, w);
        rc = tare_mask_store(w, dense, &p->rule, err);
    }
    free(dense);
    free(score);
    return rc;
}

/* |w| of all matrices, one after the other. */
static int all_magnitudes(const struct tare_targets *targets, float *to, struct tare_err *err)
{
    for (size_t i = 0; i < targets->n; i++) {
        size_t n = (size_t)targets->of[i]->out * targets->of[i]->in;
        float *dense = NULL;
        int rc = tare_technique_dense(targets->of[i], &dense, err);
        if (rc < 0) {
            return rc;
        }
        magnitudes(to, dense, n);
        free(dense);
        to += n;
    }
    return 0;
}

static int find_border(struct pruning *p, struct tare_treatment *treatment, struct tare_err *err)
{
    struct tare_targets targets = {0};
    size_t n = 0;
    int rc = tare_targets_open(&targets, treatment, tare_every_block, err);
    for (size_t i = 0; rc == 0 && i < targets.n; i++) {
        n += (size_t)targets.of[i]->out * targets.of[i]->in;
    }
    float *all = malloc((n + 1) * sizeof *all);
    if (rc == 0) {
        rc = all ? all_magnitudes(&targets, all, err)
                 : tare_err_set(err, TARE_E_NOMEM, "no memory for %zu magnitudes", n);
    }
    size_t k = (size_t)((double)n * p->rule.sparsity);
    if (rc == 0 && k > 0) {
        p->by_border = true;
        p->border = tare_kth_smallest(all, n, k);
    }
    free(all);
    tare_targets_close(&targets);
    return rc;
}

static int apply(const void *params, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct params *given = params;
    struct pruning p = {0};
    int rc = tare_mask_rule_parse(&p.rule, given->sparsity, given->pattern, err);
    if (rc == 0 && given->scope == scope_global && given->pattern) {
        rc = tare_err_set(err, TARE_E_USAGE,
                          "magnitude: a pattern is chosen group by group; leave out scope=global");
    }
    if (rc == 0 && given->scope == scope_global) {
        rc = find_border(&p, treatment, err);
    }
    return rc < 0 ? rc : tare_technique_each(treatment, prune, &p, err);
}

const struct tare_technique tare_technique_magnitude = {
    .tag = "infer.compress.prune.unstructured",
    .method = "magnitude",
    .summary = "the smallest weights are set to zero",
    .is_default = true,
    .params_size = sizeof(struct params),
    .params = options,
    .apply = apply,
};
