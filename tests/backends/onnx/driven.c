/* SPDX-License-Identifier: Apache-2.0 */
/* One instance at a time, as in a worker. */
#include "driven.h"

#include "base/opt.h"
#include "runtime.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
void __lsan_disable(void);
void __lsan_enable(void);
#endif

extern const struct tare_backend tare_plugin;

/* The library allocates 14 bytes for good with its first environment; that is not our leak. What it allocates
 * later is ours to release, and is looked for. */
static void open_unwatched(void)
{
#if defined(__SANITIZE_ADDRESS__)
    struct tare_onnx_runtime rt;
    __lsan_disable();
    (void)!tare_onnx_runtime_open(&rt, NULL, NULL);
    tare_onnx_runtime_close(&rt);
    __lsan_enable();
#endif
}

const char *driven_library(void)
{
    const char *path = getenv("TARE_ONNXRUNTIME");
    if (!path || access(path, R_OK) != 0) {
        print_message("skipped: no ONNX Runtime at %s; scripts/get-onnxruntime gets one\n",
                      path ? path : "TARE_ONNXRUNTIME, which is not set");
        skip();
    }
    open_unwatched();
    return path;
}

const char *driven_model(const char *name)
{
    static char path[1024];
    const char *folder = getenv("TARE_ONNX_MODELS");
    if (!folder) {
        print_message("skipped: TARE_ONNX_MODELS is not set: no python3 to write the models\n");
        skip();
    }
    (void)snprintf(path, sizeof path, "%s/%s", folder ? folder : "", name);
    return path;
}

float driven_truth(int32_t a, int32_t b)
{
    return (float)((7 * a + 13 * b) % 17) / 4 - 2;
}

static void keep_row(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct driven *d = (struct driven *)sink;
    assert_int_equal(id, 7);
    assert_true(d->n_rows < driven_rows_max);
    if (d->n_rows == 0) {
        d->first_position = position;
    }
    assert_int_equal(position, d->first_position + d->n_rows);
    memcpy(d->rows + (size_t)d->n_rows++ * (size_t)d->facts.n_vocab, row,
           (size_t)d->facts.n_vocab * sizeof *row);
}

static int keep_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct driven *d = (struct driven *)sink;
    assert_int_equal(id, 7);
    assert_true(bytes && d->n_tokens < driven_tokens_max);
    d->tokens[d->n_tokens++] = token;
    d->token_bytes += n_bytes;
    return d->n_tokens == d->stop_after;
}

static void set_options(struct driven *d, const char *const *options)
{
    struct tare_err err = {0};
    assert_int_equal(tare_opts_init(tare_plugin.options, d->self, &err), 0);
    for (size_t i = 0; options && options[i]; i++) {
        char name[64];
        const char *equals = strchr(options[i], '=');
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - options[i]), options[i]);
        if (tare_opts_set(tare_plugin.options, d->self, name, equals + 1, "backend onnx", &err) < 0) {
            fail_msg("%s", err.msg);
        }
    }
}

int driven_try(struct driven *d, const char *model, const char *const *options, struct tare_err *err)
{
    memset(d, 0, sizeof *d);
    d->sink = (struct tare_sink){.size = sizeof d->sink, .logits = keep_row, .token = keep_token};
    d->self = calloc(1, tare_plugin.priv_size);
    assert_non_null(d->self);
    set_options(d, options);
    const struct tare_load load = {.size = sizeof load, .path = model};
    int rc = tare_plugin.open(d->self, err);
    if (rc < 0) {
        return rc;
    }
    rc = tare_plugin.load(d->self, &load, err);
    if (rc == 0) {
        struct tare_model_facts *f = &d->facts;
        f->params_total = f->params_active = f->stored_bytes = f->n_ctx = f->n_vocab = f->bos = TARE_UNKNOWN;
        rc = tare_plugin.describe(d->self, f, err);
        d->rows = calloc(driven_rows_max * (size_t)f->n_vocab, sizeof *d->rows);
        assert_non_null(d->rows);
    }
    return rc;
}

void driven_start(struct driven *d, const char *model, const char *const *options)
{
    struct tare_err err = {0};
    if (driven_try(d, model, options, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

void driven_stop(struct driven *d)
{
    tare_plugin.unload(d->self);
    tare_plugin.close(d->self);
    tare_opts_fini(tare_plugin.options, d->self);
    free(d->self);
    free(d->rows);
    memset(d, 0, sizeof *d);
}

int driven_submit(struct driven *d, struct tare_request *request, struct tare_err *err)
{
    d->n_rows = d->n_tokens = d->token_bytes = 0;
    request->size = sizeof *request;
    request->id = 7;
    return tare_plugin.submit(d->self, request, &d->sink, err);
}

void driven_rows(struct driven *d, const int32_t *ids, uint32_t n, uint32_t first, uint32_t shared_prefix)
{
    struct tare_err err = {0};
    struct tare_request r = {.kind = TARE_REQUEST_LOGITS,
                             .tokens = ids,
                             .n_tokens = n,
                             .first = first,
                             .shared_prefix = shared_prefix};
    if (driven_submit(d, &r, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(d->first_position, first - 1);
    assert_int_equal(d->n_rows, n - first + 1);
}

struct catcher {
    struct tare_readings to; /* first */
    const char *name;
    bool found;
    double value;
};

static void catch (struct tare_readings *to, const struct tare_reading *reading)
{
    struct catcher *c = (struct catcher *)to;
    if (strcmp(reading->name, c->name) == 0) {
        assert_true(!c->found && reading->unit && reading->source && (!reading->absent || reading->why));
        c->found = true;
        c->value = reading->absent ? (double)NAN : reading->value;
    }
}

double driven_reading(struct driven *d, const char *name)
{
    struct catcher c = {.to = {.add = catch}, .name = name};
    tare_plugin.readings(d->self, 1, &c.to);
    if (!c.found) {
        fail_msg("no reading %s", name);
    }
    return c.value;
}
