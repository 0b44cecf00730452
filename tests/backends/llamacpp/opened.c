/* SPDX-License-Identifier: Apache-2.0 */
#include "opened.h"

#include "core/plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *opened_env(const char *name)
{
    const char *value = getenv(name);
    if (!value) {
        fail_msg("%s is not set; run this through meson test", name);
    }
    return value;
}

static void keep_row(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct opened *o = (struct opened *)sink;
    assert_int_equal(id, 7);
    assert_true(o->n_rows < opened_rows_max);
    o->first_position = o->n_rows == 0 ? position : o->first_position;
    assert_int_equal(position, o->first_position + o->n_rows);
    memcpy(o->rows + (size_t)o->n_rows++ * (size_t)o->facts.n_vocab, row,
           (size_t)o->facts.n_vocab * sizeof *row);
}

static int keep_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct opened *o = (struct opened *)sink;
    assert_int_equal(id, 7);
    assert_true(o->n_tokens < opened_tokens_max && o->n_text + n_bytes < sizeof o->text);
    o->tokens[o->n_tokens++] = token;
    memcpy(o->text + o->n_text, bytes, n_bytes);
    o->n_text += n_bytes;
    return o->n_tokens == o->stop_after;
}

static void set_options(struct opened *o, const char *const *options)
{
    struct tare_err err = {0};
    assert_int_equal(tare_opts_init(o->ops.options, o->self, &err), 0);
    for (; options && *options; options++) {
        char name[64];
        const char *equals = strchr(*options, '=');
        (void)snprintf(name, sizeof name, "%.*s", (int)(equals - *options), *options);
        if (tare_opts_set(o->ops.options, o->self, name, equals + 1, "test", &err) < 0) {
            fail_msg("%s", err.msg);
        }
    }
}

int opened_try(struct opened *o, const char *object, const char *model, const char *const *options,
               struct tare_err *err)
{
    memset(o, 0, sizeof *o);
    if (tare_backend_open(opened_env(object), &o->ops, err) < 0) {
        fail_msg("%s", err->msg);
    }
    o->sink = (struct tare_sink){.size = sizeof o->sink, .logits = keep_row, .token = keep_token};
    o->self = calloc(1, o->ops.priv_size);
    assert_non_null(o->self);
    set_options(o, options);
    if (o->ops.open && o->ops.open(o->self, err) < 0) {
        fail_msg("%s", err->msg);
    }
    const struct tare_load load = {.size = sizeof load, .path = model};
    return o->ops.load(o->self, &load, err);
}

void opened_start(struct opened *o, const char *object, const char *model, const char *const *options)
{
    struct tare_err err = {0};
    if (opened_try(o, object, model, options, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(o->ops.describe(o->self, &o->facts, &err), 0);
    o->rows = calloc((size_t)opened_rows_max * (size_t)o->facts.n_vocab, sizeof *o->rows);
    assert_non_null(o->rows);
}

void opened_stop(struct opened *o)
{
    o->ops.unload(o->self);
    o->ops.close(o->self);
    tare_opts_fini(o->ops.options, o->self);
    free(o->self);
    free(o->rows);
}

uint32_t opened_tokenize(struct opened *o, const char *text, size_t n, int32_t *ids, uint32_t *ends)
{
    struct tare_err err = {0};
    size_t count = 0;
    if (o->ops.tokenize(o->self, text, n, ids, ends, n + 16, &count, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_true(count <= n + 16);
    return (uint32_t)count;
}

static struct tare_request request_of(enum tare_request_kind kind, const int32_t *ids, uint32_t n)
{
    return (struct tare_request){
        .size = sizeof(struct tare_request), .kind = kind, .id = 7, .tokens = ids, .n_tokens = n, .first = 1};
}

void opened_rows(struct opened *o, enum tare_request_kind kind, const int32_t *ids, uint32_t n,
                 uint32_t first, uint32_t shared_prefix)
{
    struct tare_err err = {0};
    struct tare_request r = request_of(kind, ids, n);
    r.first = first;
    r.shared_prefix = shared_prefix;
    o->n_rows = 0;
    if (o->ops.submit(o->self, &r, &o->sink, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    assert_int_equal(o->first_position, first - 1);
    assert_int_equal(o->n_rows, (kind == TARE_REQUEST_SCORE ? n - 1 : n) - first + 1);
}

void opened_generate(struct opened *o, const int32_t *ids, uint32_t n, uint32_t max_output, float temperature,
                     uint64_t seed)
{
    struct tare_err err = {0};
    struct tare_request r = request_of(TARE_REQUEST_GENERATE, ids, n);
    r.first = n;
    r.max_output = max_output;
    r.temperature = temperature;
    r.seed = seed;
    o->n_tokens = 0;
    o->n_text = 0;
    if (o->ops.submit(o->self, &r, &o->sink, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

struct search {
    struct tare_readings sink;
    const char *name;
    int found;
    double value;
};

static void compare_name(struct tare_readings *to, const struct tare_reading *reading)
{
    struct search *s = (struct search *)to;
    assert_true(reading->unit[0] && reading->scope[0] && reading->source[0]);
    assert_true(!reading->absent || reading->why[0]);
    if (strcmp(reading->name, s->name) == 0) {
        s->found++;
        s->value = reading->absent ? (double)NAN : reading->value;
    }
}

static void compare_doubted(struct tare_readings *to, const struct tare_reading *reading,
                            const struct tare_doubt *doubt)
{
    assert_true(doubt->u >= 0);
    compare_name(to, reading);
}

double opened_reading(struct opened *o, int measured, const char *name)
{
    struct search s = {.sink = {.add = compare_name, .add_doubted = compare_doubted}, .name = name};
    o->ops.readings(o->self, measured, &s.sink);
    assert_int_equal(s.found, 1);
    return s.value;
}

double opened_logprob(const float *row, size_t n_vocab, int32_t id)
{
    double largest = (double)row[0], sum = 0;
    for (size_t i = 1; i < n_vocab; i++) {
        largest = (double)row[i] > largest ? (double)row[i] : largest;
    }
    for (size_t i = 0; i < n_vocab; i++) {
        sum += exp((double)row[i] - largest);
    }
    return (double)row[id] - largest - log(sum);
}

const char *opened_file(const char *path, size_t *out_n)
{
    static char data[opened_text_max];
    FILE *file = fopen(path, "rb");
    if (!file) {
        fail_msg("%s cannot be read", path);
    }
    *out_n = fread(data, 1, sizeof data, file);
    (void)fclose(file);
    assert_true(*out_n > 0 && *out_n < sizeof data);
    return data;
}

void opened_prose(int number, char *out, size_t cap)
{
    (void)snprintf(out, cap, "%s/text/prose/a%02d.txt", opened_env("TARE_DATA"), number);
}
