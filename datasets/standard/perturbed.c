/* SPDX-License-Identifier: Apache-2.0 */
#include "perturbed.h"

#include <stdlib.h>
#include <string.h>

int tare_perturbing_init(const char *kind, double rate, const struct tare_rng *seed,
                         struct tare_perturbing *out, struct tare_err *err)
{
    char known[160] = "";
    if (!kind || !*kind) {
        *out = (struct tare_perturbing){.rate = 0};
        return 0;
    }
    for (int k = 0; k < TARE_PERTURB_KINDS; k++) {
        const char *name = tare_perturb_name((enum tare_perturb_kind)k);
        size_t used = strlen(known);
        if (strcmp(name, kind) == 0) {
            *out = (struct tare_perturbing){.kind = (enum tare_perturb_kind)k, .rate = rate, .seed = *seed};
            return 0;
        }
        (void)snprintf(known + used, sizeof known - used, "%s%s", k > 0 ? ", " : "", name);
    }
    return tare_err_set(err, TARE_E_USAGE, "perturb=%.40s: unknown; there are %s", kind, known);
}

static int add_text(const struct tare_perturbing *how, const struct tare_json *field, struct tare_rng *rng,
                    struct tare_json *to, struct tare_err *err)
{
    const char *text = tare_json_str(field);
    char *changed = NULL;
    size_t n = 0;
    int r = tare_perturb(how->kind, (struct tare_bytes){text, strlen(text)}, how->rate, rng, &changed, &n,
                         NULL, err);
    tare_json_add_str(to, tare_json_key(field), changed);
    free(changed);
    return r;
}

int tare_perturbed_document(const struct tare_perturbing *how, const struct tare_json *document, size_t index,
                            struct tare_json **out, struct tare_err *err)
{
    struct tare_rng rng = tare_rng_split(&how->seed, "perturb", index);
    struct tare_json *copy = tare_json_new_object();
    int r = copy ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory for a perturbed document");
    for (const struct tare_json *v = tare_json_first(document); r == 0 && v; v = tare_json_next(v)) {
        if (tare_json_str(v)) {
            r = add_text(how, v, &rng, copy, err);
        } else {
            tare_json_add_copy(copy, tare_json_key(v), v);
        }
    }
    if (r < 0) {
        tare_json_destroy(copy);
        return r;
    }
    *out = copy;
    return 0;
}
