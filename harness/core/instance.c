/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a backend, hook by hook, each failure put into words once. */
#include "core/instance.h"

#include "base/opt.h"
#include "core/plugin.h"

#include <stdlib.h>
#include <string.h>

/* A probe knows no options, and an option may be what makes it work (the path of a library): where some are
 * set, opening and loading tell. */
static int check_probe(const struct tare_backend *ops, const struct tare_spec *spec, struct tare_err *err)
{
    char why[256] = "";
    if (!ops->probe || tare_json_size(spec->options) > 0 || ops->probe(why, sizeof why) >= 0) {
        return 0;
    }
    why[sizeof why - 1] = '\0';
    return tare_err_set(err, TARE_E_UNSUPPORTED, "backend %s does not work here: %s", ops->name, why);
}

int tare_instance_open(struct tare_instance *instance, const struct tare_spec *spec, struct tare_err *err)
{
    memset(instance, 0, sizeof *instance);
    int r = tare_backend_open(spec->backend, &instance->ops, err);
    r = r == 0 ? check_probe(&instance->ops, spec, err) : r;
    if (r < 0) {
        return r;
    }
    const struct tare_backend *ops = &instance->ops;
    char what[96];
    (void)snprintf(what, sizeof what, "backend %.60s", ops->name);
    instance->self = calloc(1, ops->priv_size ? ops->priv_size : 1);
    if (!instance->self) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    r = tare_opts_init(ops->options, instance->self, err);
    r = r < 0 ? r : tare_opts_from_json(ops->options, instance->self, spec->options, NULL, what, err);
    if (r == 0 && ops->open) {
        r = ops->open(instance->self, err);
    }
    if (r < 0) {
        tare_opts_fini(ops->options, instance->self);
        free(instance->self);
        instance->self = NULL;
        return r;
    }
    instance->opened = true;
    return 0;
}

int tare_instance_load(struct tare_instance *instance, const struct tare_spec *spec, struct tare_err *err)
{
    const struct tare_backend *ops = &instance->ops;
    if (spec->technique && !(ops->caps & TARE_CAP_TECHNIQUE)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED,
                            "backend %s applies no techniques; it was asked for %.100s", ops->name,
                            spec->technique);
    }
    struct tare_load load = {.size = sizeof load, .path = spec->model, .technique = spec->technique};
    int r = ops->load(instance->self, &load, err);
    if (r < 0 && err && !err->msg[0]) {
        return tare_err_set(err, r, "backend %s: loading failed without a reason", ops->name);
    }
    return r;
}

/* What the backend says of itself goes into sizes and tables: it must be a count or unknown. */
static int check_facts(const struct tare_instance *instance, struct tare_err *err)
{
    const struct tare_model_facts *f = &instance->facts;
    const int64_t counts[] = {f->params_total,
                              f->params_active,
                              f->params_non_embedding,
                              f->params_non_zero,
                              f->params_trainable,
                              f->stored_bytes,
                              f->kv_bytes_per_token,
                              f->state_bytes,
                              f->n_ctx,
                              f->n_vocab,
                              f->bos};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (counts[i] < 0 && counts[i] != TARE_UNKNOWN) {
            return tare_err_set(err, TARE_E_BACKEND, "backend %s: describes its model with a count of %lld",
                                instance->ops.name, (long long)counts[i]);
        }
    }
    if (f->bos > INT32_MAX || f->n_vocab > INT32_MAX) {
        return tare_err_set(err, TARE_E_BACKEND, "backend %s: describes a vocabulary beyond 32-bit ids",
                            instance->ops.name);
    }
    return 0;
}

/* What shows only with the model at hand; a capability that it lacks is one that the backend has not. */
static int ask_effective(struct tare_instance *instance, struct tare_err *err)
{
    struct tare_effective *e = &instance->effective;
    memset(e, 0, sizeof *e);
    e->size = sizeof *e;
    int r = instance->ops.effective ? instance->ops.effective(instance->self, e, err) : 0;
    e->runtime[sizeof e->runtime - 1] = e->settings[sizeof e->settings - 1] = '\0';
    e->why[e->lacks ? sizeof e->why - 1 : 0] = '\0';
    instance->ops.caps &= ~e->lacks;
    return r < 0 ? r : 0;
}

int tare_instance_describe(struct tare_instance *instance, struct tare_err *err)
{
    struct tare_model_facts *f = &instance->facts;
    memset(f, 0, sizeof *f);
    f->params_total = f->params_active = f->params_non_embedding = TARE_UNKNOWN;
    f->params_non_zero = f->params_trainable = f->stored_bytes = TARE_UNKNOWN;
    f->kv_bytes_per_token = f->state_bytes = f->n_ctx = f->n_vocab = f->bos = TARE_UNKNOWN;
    int r = instance->ops.describe(instance->self, f, err);
    f->arch[sizeof f->arch - 1] = f->name[sizeof f->name - 1] = f->dtype[sizeof f->dtype - 1] = '\0';
    f->tokenizer[sizeof f->tokenizer - 1] = '\0';
    r = r < 0 ? r : check_facts(instance, err);
    return r < 0 ? r : ask_effective(instance, err);
}

void tare_instance_close(struct tare_instance *instance)
{
    if (instance->opened) {
        if (instance->ops.unload) {
            instance->ops.unload(instance->self);
        }
        instance->ops.close(instance->self);
        tare_opts_fini(instance->ops.options, instance->self);
    }
    free(instance->self);
    memset(instance, 0, sizeof *instance);
}

static void add_text(struct tare_json *to, const char *key, const char *value)
{
    tare_json_add_str(to, key, value && *value ? value : NULL);
}

static void add_count(struct tare_json *to, const char *key, int64_t value)
{
    if (value == TARE_UNKNOWN) {
        tare_json_add_null(to, key);
    } else {
        tare_json_add_i64(to, key, value);
    }
}

void tare_instance_facts(const struct tare_instance *instance, struct tare_json *to)
{
    const struct tare_model_facts *f = &instance->facts;
    add_text(to, "backend", instance->ops.name);
    add_text(to, "backend_version", instance->ops.version);
    add_text(to, "runtime", instance->effective.runtime);
    add_text(to, "effective", instance->effective.settings);
    add_text(to, "arch", f->arch);
    add_text(to, "name", f->name);
    add_text(to, "dtype", f->dtype);
    add_text(to, "tokenizer", f->tokenizer);
    add_text(to, "lacks", instance->effective.why);
    tare_json_add_bool(to, "elsewhere", instance->ops.remote != 0);
    add_text(to, "account_convention", instance->ops.account_convention);
    uint32_t kind = instance->ops.account_kind;
    add_text(to, "account_kind", tare_kind_name(kind ? (int)kind : TARE_KIND_COUNTED));
    add_count(to, "n_ctx", f->n_ctx);
    add_count(to, "n_vocab", f->n_vocab);
    add_count(to, "bos", f->bos);
    struct tare_json *options = tare_json_add_object(to, "options");
    tare_opts_to_json(instance->ops.options, instance->self, options);
}
