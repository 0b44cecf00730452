/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of matrices, and going through them with their moments. */
#include "targets.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_PREFIX "blocks."

int64_t tare_target_block(const struct tare_linear *w)
{
    char *end = NULL;
    if (strncmp(w->name, BLOCK_PREFIX, strlen(BLOCK_PREFIX)) != 0) {
        return -1;
    }
    const char *digits = w->name + strlen(BLOCK_PREFIX);
    long block = strtol(digits, &end, 10);
    return end == digits || *end != '.' || block < 0 ? -1 : block;
}

const char *tare_target_part(const struct tare_linear *w)
{
    if (tare_target_block(w) < 0) {
        return w->name;
    }
    return strchr(w->name + strlen(BLOCK_PREFIX), '.') + 1;
}

struct listing {
    struct tare_targets *to;
    int64_t block;
};

static int append(void *ctx, struct tare_linear *w, struct tare_err *err)
{
    (void)err;
    const struct listing *l = ctx;
    if (l->block == tare_every_block || tare_target_block(w) == l->block) {
        l->to->of[l->to->n++] = w;
    }
    return 0;
}

static int list(struct tare_targets *targets, struct tare_treatment *treatment, int64_t block, bool whole,
                struct tare_err *err)
{
    size_t most = treatment->model->n_linears * tare_technique_parts_max + 1;
    struct tare_targets made = {.of = calloc(most, sizeof *made.of)};
    struct listing listing = {.to = &made, .block = block};
    int rc = 0;
    if (!made.of) {
        rc = tare_err_set(err, TARE_E_NOMEM, "no memory for a list of matrices");
    } else if (whole) {
        rc = tare_technique_each_whole(treatment, append, &listing, err);
    } else {
        rc = tare_technique_each(treatment, append, &listing, err);
    }
    if (rc < 0) {
        tare_targets_close(&made);
        return rc;
    }
    *targets = made;
    return 0;
}

int tare_targets_open(struct tare_targets *targets, struct tare_treatment *treatment, int64_t block,
                      struct tare_err *err)
{
    return list(targets, treatment, block, false, err);
}

int tare_targets_open_whole(struct tare_targets *targets, struct tare_treatment *treatment, int64_t block,
                            struct tare_err *err)
{
    return list(targets, treatment, block, true, err);
}

void tare_targets_close(struct tare_targets *targets)
{
    free(targets->of);
    memset(targets, 0, sizeof *targets);
}

static int change_all(const struct tare_targets *targets, const struct tare_moments *moments,
                      const struct tare_calibrated *how, struct tare_err *err)
{
    for (size_t i = 0; i < targets->n; i++) {
        if (moments[i].tokens == 0) {
            return tare_err_set(err, TARE_E_UNSUPPORTED, "%s was never multiplied during calibration",
                                targets->of[i]->name);
        }
        int rc = how->change(how->ctx, targets->of[i], &moments[i], err);
        if (rc < 0) {
            return rc;
        }
    }
    return 0;
}

static int collect_and_change(const struct tare_calibration *calibration, const struct tare_targets *targets,
                              const struct tare_calibrated *how, struct tare_err *err)
{
    struct tare_moments *moments = calloc(targets->n + 1, sizeof *moments);
    if (!moments) {
        return tare_err_set(err, TARE_E_NOMEM, "no memory for the moments of %zu matrices", targets->n);
    }
    int rc = tare_calibration_collect(calibration, (const struct tare_linear *const *)targets->of, targets->n,
                                      moments, err);
    if (rc == 0) {
        rc = change_all(targets, moments, how, err);
    }
    for (size_t i = 0; i < targets->n; i++) {
        tare_moments_close(&moments[i]);
    }
    free(moments);
    return rc;
}

int64_t tare_target_last_block(const struct tare_model *model)
{
    int64_t last = tare_every_block;
    for (size_t i = 0; i < model->n_linears; i++) {
        int64_t block = tare_target_block(&model->linears[i]);
        last = block > last ? block : last;
    }
    return last;
}

int tare_calibrated_each(struct tare_treatment *treatment, const struct tare_calibrated *how,
                         struct tare_err *err)
{
    struct tare_calibration calibration = {0};
    int64_t block = how->sequential ? 0 : tare_every_block;
    int64_t last = how->sequential ? tare_target_last_block(treatment->model) : tare_every_block;
    int rc = tare_calibration_open_choice(&calibration, treatment, &how->text, err);
    for (; rc == 0 && block <= last; block++) {
        struct tare_targets targets = {0};
        rc = list(&targets, treatment, block, how->whole, err);
        if (rc == 0 && targets.n > 0) {
            rc = collect_and_change(&calibration, &targets, how, err);
        }
        tare_targets_close(&targets);
    }
    tare_calibration_close(&calibration);
    return rc;
}
