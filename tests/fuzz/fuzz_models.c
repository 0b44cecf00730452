/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Model files of every architecture and storage, damaged: what is accepted also has to run.
 *
 * Beside the damage that all targets do, every other input gets digits of its header changed, so that the
 * text stays JSON and what it says becomes wrong.
 */
#include "fuzz.h"

#include "backends/native/arch.h"
#include "backends/native/engine.h"
#include "tiny_models.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { longest_ctx = 1024, fed = 9 };

static const char *const words[] = {"\"F16\"",      "\"F32\"",   "\"BF16\"",  "\"I8\"",        "\"U8\"",
                                    "[32,32]",      "[64,32]",   "[4,32]",    ".weight.scale", ".weight.mask",
                                    ".weight.nz",   "65536",     "\"1\"",     "\"0\"",         "4294967296",
                                    "\"low_rank\"", "\"mamba\"", "\"llama\"", "\"hyena\"",     NULL};

static void run(const struct tare_model *model)
{
    struct tare_engine engine = {0};
    struct tare_err err = {0};
    int32_t ids[fed];
    uint32_t n = model->config.n_ctx < fed ? model->config.n_ctx : fed;
    if (tare_engine_open(&engine, model, &(struct tare_engine_options){.threads = 1}, &err) < 0) {
        fuzz_check(err.msg[0] != '\0', "an engine was refused without a line");
        return;
    }
    for (uint32_t i = 0; i < n; i++) {
        ids[i] = (int32_t)((i * 37) % model->config.n_vocab);
    }
    tare_engine_feed(&engine, ids, n > 1 ? n - 1 : 1);
    (void)tare_engine_logits(&engine, 0, n > 1 ? n - 1 : 1);
    if (n > 1) {
        tare_engine_feed(&engine, ids + n - 1, 1);
        (void)tare_engine_logits(&engine, 0, 1);
    }
    tare_engine_close(&engine);
}

static void check_model(const struct tare_model *model)
{
    struct tare_linear_facts facts;
    tare_model_facts(model, &facts);
    fuzz_check(facts.params > 0 && facts.params <= model->config.n_params, "more parameters than it says");
    fuzz_check(facts.stored_bytes == model->file_bytes, "other bytes stored than the file has");
    fuzz_check(facts.non_zero >= 0 && facts.non_zero <= facts.params, "more numbers not 0 than numbers");
    fuzz_check(facts.flops >= 0 && facts.resident_bytes > 0, "a model without work or size");
    if (model->config.n_ctx <= longest_ctx) {
        run(model);
    }
}

/* Another digit in the place of one to three of the header's. */
static void change_digits(char *data, size_t n, struct tare_rng *rng)
{
    uint64_t header = 0;
    if (n > 8) {
        memcpy(&header, data, sizeof header);
    }
    header = header < n - 8 ? header : n - 8;
    for (uint64_t left = n > 8 && header > 0 ? 1 + tare_rng_below(rng, 3) : 0; left > 0; left--) {
        size_t at = 8 + (size_t)tare_rng_below(rng, header);
        for (size_t tries = 0; tries < 100 && at < n && !isdigit((unsigned char)data[at]); tries++) {
            at++;
        }
        if (at < n && at < 8 + header && isdigit((unsigned char)data[at])) {
            data[at] = (char)('0' + tare_rng_below(rng, 10));
        }
    }
}

static int read_bytes(const char *data, size_t n, struct tare_err *err)
{
    struct tare_safetensors st;
    struct tare_model model, before;
    int r = tare_safetensors_parse(&st, (const unsigned char *)data, n, "fuzz", err);
    if (r < 0) {
        return r;
    }
    memset(&model, 0x5a, sizeof model);
    before = model;
    r = tare_model_build(&model, &st, "fuzz", err);
    tare_safetensors_close(&st);
    if (r < 0) {
        fuzz_check(memcmp(&model, &before, sizeof model) == 0, "a failure touched the model");
        return r;
    }
    check_model(&model);
    tare_model_close(&model);
    return r;
}

static int read_file(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    int r = read_bytes(data, n, err);
    if (r == 0 && tare_rng_below(rng, 2) == 0) {
        struct tare_err other = {0};
        char *copy = fuzz_text(data, n);
        change_digits(copy, n, rng);
        fuzz_check(read_bytes(copy, n, &other) == 0 || (other.msg[0] && !strchr(other.msg, '\n')),
                   "a model was refused without a line");
        free(copy);
    }
    return r;
}

int main(void)
{
    static struct fuzz_seed seeds[tiny_archs * tiny_storages];
    struct tare_err err = {0};
    for (unsigned i = 0; i < tiny_archs * tiny_storages; i++) {
        seeds[i] = tiny_model(i / tiny_storages, i % tiny_storages);
        if (!seeds[i].data || read_bytes(seeds[i].data, seeds[i].n, &err) < 0) {
            (void)fprintf(stderr, "models: seed %u: %s\n", i, err.msg);
            return 1;
        }
    }
    int rc =
        fuzz_main(&(struct fuzz_target){"models", seeds, tiny_archs * tiny_storages, words, 6000, read_file});
    for (unsigned i = 0; i < tiny_archs * tiny_storages; i++) {
        free((void *)(uintptr_t)seeds[i].data);
    }
    return rc;
}
