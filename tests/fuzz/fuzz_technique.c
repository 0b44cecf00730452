/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that name techniques, on a model of 32 numbers width: applied, and then the model still runs, or
 * refused in one line. The seeds are all techniques in the list with their parameters' defaults.
 */
#include "fuzz.h"

#include "backends/native/engine.h"
#include "backends/native/technique.h"
#include "tiny_models.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tare/json.h>
#include <unistd.h>

enum { seeds_max = 128, text_cap = 1000, fed = 6 };

static const char *const words[] = {"+",
                                    "{",
                                    "}",
                                    ",",
                                    "=",
                                    "bits=4",
                                    "bits=3,group=8",
                                    "group=0",
                                    "group=7",
                                    "scheme=asym",
                                    "sparsity=1",
                                    "sparsity=nan",
                                    "pattern=2:4",
                                    "pattern=4:8",
                                    "pattern=0:4",
                                    "ratio=0.01",
                                    "rank=1",
                                    "calib_tok=2",
                                    "calib_tok=40",
                                    "damp=1e300",
                                    "damp=-1",
                                    "alpha=1e9",
                                    "keep=1e-9",
                                    "window=1",
                                    "sinks=0",
                                    "gamma=64",
                                    "draft=m.safetensors",
                                    "method=",
                                    "infer.compress.quant.weight",
                                    "infer.compress.prune.unstructured{sparsity=0.9}+",
                                    "infer.compress.low-rank{method=svd}+",
                                    "\n",
                                    NULL};

static char folder[] = "/tmp/tare-fuzz-XXXXXX";
static char model_path[64];
static struct fuzz_seed model_file;
static struct tare_tokenizer tokenizer;

static const char *tried; /* for the message of a failure */

static void check_that(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "%s: ", tried);
    }
    fuzz_check(holds, what);
}

static void check_run(const struct tare_model *model)
{
    static const int32_t ids[fed] = {0, 104, 101, 108, 108, 111};
    struct tare_engine engine = {0};
    struct tare_err err = {0};
    check_that(tare_engine_open(&engine, model, &(struct tare_engine_options){.threads = 1}, &err) == 0,
               err.msg);
    tare_engine_feed(&engine, ids, fed - 1);
    (void)tare_engine_logits(&engine, 0, fed - 1);
    tare_engine_feed(&engine, ids + fed - 1, 1);
    const float *row = tare_engine_logits(&engine, 0, 1);
    for (uint32_t i = 0; i < model->config.n_vocab; i++) {
        check_that(isfinite(row[i]), "a logit that is not finite");
    }
    tare_engine_close(&engine);
}

static void check_facts(const struct tare_model *model)
{
    struct tare_linear_facts facts;
    tare_model_facts(model, &facts);
    check_that(facts.params > 0 && facts.stored_bytes > 0 && facts.resident_bytes > 0 && facts.flops >= 0 &&
                   facts.executed_flops >= 0 && facts.non_zero >= 0 && facts.non_zero <= facts.params,
               "facts that cannot be");
}

static int apply(const char *text, struct tare_model *model, struct tare_err *err)
{
    struct tare_treatment t = {.model = model,
                               .tokenizer = &tokenizer,
                               .model_path = model_path,
                               .threads = 1,
                               .decoding = &tare_decoding_plain};
    tried = text;
    int r = tare_technique_apply(text, &t, err);
    if (r == 0) {
        check_facts(model);
        check_run(model);
    }
    if (t.decoding->close) {
        t.decoding->close(t.decoding_self);
    }
    return r;
}

static int read_text(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_safetensors st;
    struct tare_model model;
    (void)rng;
    char *text = fuzz_text(data, n);
    int built =
        tare_safetensors_parse(&st, (const unsigned char *)model_file.data, model_file.n, "tiny", err);
    if (built == 0) {
        built = tare_model_build(&model, &st, "tiny", err);
        tare_safetensors_close(&st);
    }
    fuzz_check(built == 0, err->msg);
    int r = apply(text, &model, err);
    tare_model_close(&model);
    free(text);
    return r;
}

/* A value that may be out of place but is well-formed. */
static size_t put_value(char *out, const struct tare_opt *o, struct tare_rng *rng)
{
    static const char *const values[] = {"0",   "1",     "2",   "3",   "4",    "5",    "7",   "8",
                                         "16",  "32",    "33",  "64",  "1000", "0.5",  "0.1", "0.9",
                                         "0.0", "1e-30", "1e9", "nan", "inf",  "-1",   "yes", "no",
                                         "2:4", "1:4",   "8:8", "4:8", "x",    "3:32", "0:1"};
    const char *value = values[tare_rng_below(rng, sizeof values / sizeof values[0])];
    size_t n_choices = 0;
    while (o->choices && o->choices[n_choices]) {
        n_choices++;
    }
    if (n_choices > 0 && tare_rng_below(rng, 8) > 0) {
        value = o->choices[tare_rng_below(rng, n_choices)];
    }
    if (strcmp(o->name, "draft") == 0) {
        value = "m.safetensors";
    }
    return (size_t)snprintf(out, 64, ",%s=%s", o->name, value);
}

/* One to three techniques with some of their parameters. */
static size_t compose(char *out, struct tare_rng *rng)
{
    size_t used = 0, n = 0;
    while (tare_techniques[n]) {
        n++;
    }
    for (uint64_t left = 1 + tare_rng_below(rng, 3); left > 0; left--) {
        const struct tare_technique *t = tare_techniques[tare_rng_below(rng, n)];
        size_t n_params = 0;
        used += (size_t)snprintf(out + used, 128, "%s%s{method=%s", used > 0 ? "+" : "", t->tag, t->method);
        while (t->params && t->params[n_params].name) {
            n_params++;
        }
        for (uint64_t more = n_params > 0 ? tare_rng_below(rng, 4) : 0; more > 0; more--) {
            used += put_value(out + used, &t->params[tare_rng_below(rng, n_params)], rng);
        }
        out[used++] = '}';
    }
    return used;
}

/* The text as it is, and often another one that is made here, so that more of them get past the names. */
static int read_texts(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    char text[text_cap];
    if (tare_rng_below(rng, 2) == 0) {
        struct tare_err other = {0};
        size_t n_text = compose(text, rng);
        int r = read_text(text, n_text, rng, &other);
        if (r < 0 && (!other.msg[0] || strpbrk(other.msg, "\r\n") || other.code != r)) {
            (void)fprintf(stderr, "%.*s: %d, '%s'\n", (int)n_text, text, r, other.msg);
            fuzz_check(false, "a technique was refused without a line");
        }
    }
    return read_text(data, n, rng, err);
}

static void write_file(const char *name, const char *data, size_t n)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, n, f) != n || fclose(f) != 0) {
        (void)fprintf(stderr, "%s cannot be written\n", path);
        exit(1);
    }
}

/* Model and calibration text in a folder of their own, and the tokenizer. */
static void prepare(void)
{
    char text[600];
    struct tare_json *json = NULL;
    struct tare_err err = {0};
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = i % 97 == 96 ? '\0' : (char)('a' + i * i % 26);
    }
    model_file = tiny_model(0, 0);
    if (!model_file.data || !mkdtemp(folder) ||
        tare_json_parse(tiny_tokenizer, strlen(tiny_tokenizer), "tokenizer", &json, &err) < 0 ||
        tare_tokenizer_build(&tokenizer, json, "tokenizer", &err) < 0) {
        (void)fprintf(stderr, "%s: %s\n", folder, err.msg);
        exit(1);
    }
    tare_json_destroy(json);
    write_file("m.safetensors", model_file.data, model_file.n);
    write_file("calibration.bin", text, sizeof text);
    (void)snprintf(model_path, sizeof model_path, "%s/m.safetensors", folder);
}

static void clean_up(void)
{
    char path[96];
    (void)snprintf(path, sizeof path, "%s/calibration.bin", folder);
    (void)remove(path);
    (void)remove(model_path);
    (void)remove(folder);
    free((void *)(uintptr_t)model_file.data);
    tare_tokenizer_close(&tokenizer);
}

/* A technique with all its parameters spelt out. */
static size_t spell(const struct tare_technique *t, char *out)
{
    size_t used = (size_t)snprintf(out, text_cap, "%s{method=%s", t->tag, t->method);
    for (const struct tare_opt *o = t->params; o && o->name; o++) {
        const char *value = strcmp(o->name, "draft") == 0 ? "m.safetensors" : o->def;
        if (value) {
            used += (size_t)snprintf(out + used, text_cap - used, ",%s=%s", o->name, value);
        }
    }
    return used + (size_t)snprintf(out + used, text_cap - used, "}");
}

int main(void)
{
    static char texts[seeds_max][text_cap];
    static struct fuzz_seed seeds[seeds_max];
    size_t n = 0;
    prepare();
    for (; n < seeds_max && tare_techniques[n]; n++) {
        seeds[n] = (struct fuzz_seed){texts[n], spell(tare_techniques[n], texts[n])};
    }
    int rc = fuzz_main(&(struct fuzz_target){"technique", seeds, n, words, 3000, read_texts});
    clean_up();
    return rc;
}
