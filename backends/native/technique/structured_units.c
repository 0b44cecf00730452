/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heads and channels: the rows of some matrices and the columns of one behind them go together.
 *
 * A unit counts by the norm of what it adds to the residual stream on calibration text: sum over tokens of
 * |C_u x_u|^2, with C_u its columns of the matrix behind and x_u its inputs there, which is the sum over
 * rows r of c_ru H_uu c_ru.
 */
#include "structured.h"

#include "arch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Parts of a block that share units. */
struct group {
    const char *arch;
    const char *rows[4];
    const char *columns;
};

static const struct group head_groups[] = {{"llama", {"attn.q", "attn.k", "attn.v"}, "attn.o"}, {0}};

static const struct group channel_groups[] = {
    {"llama", {"mlp.gate", "mlp.up"}, "mlp.down"},
    {"retnet", {"mlp.up"}, "mlp.down"},
    {"rwkv4", {"ffn.k"}, "ffn.v"},
    {"h3", {"mlp.up"}, "mlp.down"},
    {"hyena", {"mlp.up"}, "mlp.down"},
    {0},
};

struct pruning {
    const struct tare_structured *how;
    struct tare_model *model;
    const struct group *group;
    uint32_t unit;     /* columns */
    uint32_t multiple; /* of units that stay */
};

/* The matrix `part` of the block that `of` belongs to. */
static struct tare_linear *sibling(const struct pruning *p, const struct tare_linear *of, const char *part)
{
    char name[96];
    (void)snprintf(name, sizeof name, "blocks.%lld.%s", (long long)tare_target_block(of), part);
    for (size_t i = 1; i < p->model->n_linears; i++) {
        if (p->model->linears[i].storage && strcmp(p->model->linears[i].name, name) == 0) {
            return &p->model->linears[i];
        }
    }
    return NULL;
}

static double score_unit(const struct pruning *p, const struct tare_linear *w, const float *dense,
                         const double *h, uint32_t first)
{
    size_t in = w->in;
    double sum = 0;
    for (uint32_t r = 0; r < w->out; r++) {
        const float *c = dense + r * in;
        for (uint32_t i = first; i < first + p->unit; i++) {
            double row = 0;
            for (uint32_t k = first; k < first + p->unit; k++) {
                row += h[i * in + k] * (double)c[k];
            }
            sum += row * (double)c[i];
        }
    }
    return sum;
}

static uint32_t count_kept(const struct pruning *p, uint32_t n)
{
    double left = (double)n * (1.0 - p->how->ratio);
    uint32_t kept = (uint32_t)lround(left / p->multiple) * p->multiple;
    kept = kept < p->multiple ? p->multiple : kept;
    return kept < n ? kept : n;
}

/* The columns of the n_kept units with the greatest scores, ascending; of equal ones the further left. */
static void choose(const struct pruning *p, const double *score, uint32_t n, uint32_t n_kept,
                   uint32_t *columns)
{
    uint32_t at = 0;
    for (uint32_t u = 0; u < n; u++) {
        uint32_t before = 0;
        for (uint32_t v = 0; v < n; v++) {
            before += score[v] > score[u] || (score[v] == score[u] && v < u);
        }
        for (uint32_t k = 0; before < n_kept && k < p->unit; k++) {
            columns[at++] = u * p->unit + k;
        }
    }
}

static int shrink_group(const struct pruning *p, struct tare_linear *w, const float *dense,
                        const uint32_t *kept, uint32_t n_kept, struct tare_err *err)
{
    int rc = tare_shrink_columns(w, dense, kept, n_kept, err);
    for (size_t i = 0; rc == 0 && p->group->rows[i]; i++) {
        rc = tare_shrink_rows(sibling(p, w, p->group->rows[i]), kept, n_kept, err);
    }
    return rc;
}

static int check_group(const struct pruning *p, const struct tare_linear *w, struct tare_err *err)
{
    int rc = tare_shrink_check(w, err);
    for (size_t i = 0; rc == 0 && p->group->rows[i]; i++) {
        const struct tare_linear *rows = sibling(p, w, p->group->rows[i]);
        if (!rows || rows->out != w->in) {
            return tare_err_set(err, TARE_E_UNSUPPORTED,
                                "%s: '%s' of the same block is not there with %u rows", w->name,
                                p->group->rows[i], w->in);
        }
        rc = tare_shrink_check(rows, err);
    }
    return rc;
}

static int prune_group(const struct pruning *p, struct tare_linear *w, const struct tare_moments *moments,
                       float *dense, struct tare_err *err)
{
    uint32_t n = w->in / p->unit;
    uint32_t n_kept = count_kept(p, n);
    double *score = calloc((size_t)n + 1, sizeof *score);
    uint32_t *kept = malloc(w->in * sizeof *kept + 1);
    int rc = score && kept ? 0 : tare_err_set(err, TARE_E_NOMEM, "no memory for %u scores", n);
    for (uint32_t u = 0; rc == 0 && u < n; u++) {
        score[u] = score_unit(p, w, dense, moments->h, u * p->unit);
    }
    if (rc == 0 && n_kept < n) {
        choose(p, score, n, n_kept, kept);
        rc = p->how->update ? tare_make_up(w, dense, moments, p->how->damp, kept, n_kept * p->unit, err) : 0;
        rc = rc < 0 ? rc : shrink_group(p, w, dense, kept, n_kept * p->unit, err);
    }
    free(score);
    free(kept);
    return rc;
}

static int prune(void *ctx, struct tare_linear *w, const struct tare_moments *moments, struct tare_err *err)
{
    const struct pruning *p = ctx;
    float *dense = NULL;
    if (strcmp(tare_target_part(w), p->group->columns) != 0) {
        return 0;
    }
    int rc = check_group(p, w, err);
    if (rc == 0) {
        rc = tare_technique_dense(w, &dense, err);
    }
    if (rc == 0) {
        rc = prune_group(p, w, moments, dense, err);
    }
    free(dense);
    return rc;
}

static const struct group *find_group(const struct group *groups, const struct tare_model *model)
{
    while (groups->arch && strcmp(groups->arch, model->arch->name) != 0) {
        groups++;
    }
    return groups->arch ? groups : NULL;
}

static int prune_all(struct pruning *p, struct tare_treatment *treatment, struct tare_err *err)
{
    const struct tare_calibrated each = {
        .text = p->how->text, .sequential = p->how->sequential, .change = prune, .ctx = p};
    return tare_calibrated_each(treatment, &each, err);
}

static uint32_t head_dim_of(const struct tare_model *model)
{
    for (size_t i = 0; model->arch->keys[i].name; i++) {
        if (strcmp(model->arch->keys[i].name, "head_dim") == 0) {
            return model->config.size[i];
        }
    }
    return 0;
}

int tare_structured_heads(const struct tare_structured *how, struct tare_treatment *treatment,
                          struct tare_err *err)
{
    struct pruning p = {.how = how,
                        .model = treatment->model,
                        .group = find_group(head_groups, treatment->model),
                        .unit = head_dim_of(treatment->model),
                        .multiple = 1};
    if (!p.group || p.unit == 0) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "infer.compress.prune.structured: heads of '%s' cannot be taken out one by one: "
                            "its state or its norms are made for all "
                            "of them; take target=channels or target=layers",
                            treatment->model->arch->name);
    }
    return prune_all(&p, treatment, err);
}

int tare_structured_channels(const struct tare_structured *how, struct tare_treatment *treatment,
                             struct tare_err *err)
{
    struct pruning p = {.how = how,
                        .model = treatment->model,
                        .group = find_group(channel_groups, treatment->model),
                        .unit = 1,
                        .multiple = (uint32_t)how->multiple};
    if (!p.group) {
        return tare_err_set(
            err, TARE_E_UNSUPPORTED,
            "infer.compress.prune.structured: '%s' has no feed-forward channels that are known here; "
            "take target=layers",
            treatment->model->arch->name);
    }
    return prune_all(&p, treatment, err);
}
