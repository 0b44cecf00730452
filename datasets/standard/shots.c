/* SPDX-License-Identifier: Apache-2.0 */
#include "shots.h"

#include <stdlib.h>
#include <string.h>
#include <tare/python_random.h>

/* One more than wanted is drawn where the pool may hold the document itself, which is then left out. */
static int draw(struct tare_python_random *random, const struct tare_rendered_documents *pool, uint64_t hash,
                bool beside, size_t *drawn, size_t n_shots, size_t *to, struct tare_err *err)
{
    size_t n = n_shots + beside, kept = 0;
    int r = tare_python_random_sample(random, pool->n, n, drawn, err);
    for (size_t i = 0; r == 0 && i < n && kept < n_shots; i++) {
        if (!beside || pool->all[drawn[i]].hash != hash) {
            to[kept++] = drawn[i];
        }
    }
    return r;
}

int tare_shots_draw(const struct tare_definition *d, size_t n_shots, uint64_t seed,
                    const struct tare_rendered_documents *documents,
                    const struct tare_rendered_documents *pool, struct tare_shots *out, struct tare_err *err)
{
    bool beside = !d->fewshot_first && d->draws_beside;
    if (pool->n < n_shots + beside) {
        return tare_err_set(err, TARE_E_FORMAT, "task %s: %zu examples are wanted and there are %zu", d->name,
                            n_shots + beside, pool->n);
    }
    struct tare_python_random random;
    struct tare_shots shots = {.n_shots = n_shots};
    size_t *drawn = calloc(n_shots + 2, sizeof *drawn);
    shots.all = calloc(documents->n * n_shots + 1, sizeof *shots.all);
    int r = drawn && shots.all
                ? 0
                : tare_err_set(err, TARE_E_NOMEM, "task %s: out of memory for its examples", d->name);
    tare_python_random_init(&random, seed);
    for (size_t i = 0; r == 0 && i < documents->n; i++) {
        size_t *to = shots.all + i * n_shots;
        for (size_t k = 0; d->fewshot_first && k < n_shots; k++) {
            to[k] = k;
        }
        r = d->fewshot_first ? 0
                             : draw(&random, pool, documents->all[i].hash, beside, drawn, n_shots, to, err);
    }
    free(drawn);
    if (r < 0) {
        tare_shots_free(&shots);
        return r;
    }
    *out = shots;
    return 0;
}

void tare_shots_free(struct tare_shots *shots)
{
    free(shots->all);
    memset(shots, 0, sizeof *shots);
}
