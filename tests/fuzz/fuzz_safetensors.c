/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container reader and, behind it, the builder of models: tensors that are handed out lie inside
 * the file, one behind the other, with the bytes that their shape and type need. The seeds are a model
 * of one layer and a container of odd tensors, both made here.
 */
#include "fuzz.h"

#include "backends/native/model.h"

#include <stdint.h>
#include <string.h>

enum { max_file_bytes = 8192 };

static const char metadata[] =
    "\"__metadata__\":{\"format\":\"tare-zoo-1\",\"name\":\"m\",\"n_params\":\"32\",\"tokenizer_sha\":\"00\","
    "\"bos\":\"0\",\"arch\":\"llama\",\"d_model\":\"2\",\"n_layers\":\"1\",\"vocab\":\"2\",\"max_ctx\":\"4\","
    "\"n_heads\":\"1\",\"ffn\":\"1\",\"head_dim\":\"2\"}";

struct piece {
    const char *name, *dtype, *shape;
    unsigned bytes;
};

static const struct piece model_pieces[] = {{"norm_f.weight", "F32", "2", 8},
                                            {"blocks.0.norm1.weight", "F32", "2", 8},
                                            {"blocks.0.norm2.weight", "F32", "2", 8},
                                            {"embed.weight", "F16", "2,2", 8},
                                            {"blocks.0.attn.q.weight", "F16", "2,2", 8},
                                            {"blocks.0.attn.k.weight", "F16", "2,2", 8},
                                            {"blocks.0.attn.v.weight", "F16", "2,2", 8},
                                            {"blocks.0.attn.o.weight", "F16", "2,2", 8},
                                            {"blocks.0.mlp.gate.weight", "F16", "1,2", 4},
                                            {"blocks.0.mlp.up.weight", "F16", "1,2", 4},
                                            {"blocks.0.mlp.down.weight", "F16", "2,1", 4}};
static const struct piece odd_pieces[] = {
    {"a", "F64", "1,1", 8}, {"b", "I16", "2", 4}, {"c", "U8", "", 1}, {"d", "BOOL", "3,1,1", 3}};

static const char *const words[] = {"\"F64\"",
                                    "\"I8\"",
                                    "[1,1]",
                                    "[]",
                                    "-1",
                                    "1e300",
                                    "18446744073709551615",
                                    "4294967296",
                                    "\"x\":",
                                    "null",
                                    "\"shape\":",
                                    "\"data_offsets\":[0,8]",
                                    "\"__metadata__\":{},",
                                    "16384",
                                    "65536",
                                    NULL};

/* Header, padding, and data of increasing bytes. Returns the length. */
static size_t pack(char *to, const char *first, const struct piece *pieces, size_t n)
{
    size_t used = 8, data = 0;
    used += (size_t)snprintf(to + used, max_file_bytes - used, "{%s", first);
    for (size_t i = 0; i < n; i++) {
        used += (size_t)snprintf(to + used, max_file_bytes - used,
                                 "%s\"%s\":{\"dtype\":\"%s\",\"shape\":[%s],\"data_offsets\":[%zu,%zu]}",
                                 i || *first ? "," : "", pieces[i].name, pieces[i].dtype, pieces[i].shape,
                                 data, data + pieces[i].bytes);
        data += pieces[i].bytes;
    }
    to[used++] = '}';
    while (used % 8 != 0) {
        to[used++] = ' ';
    }
    uint64_t header = used - 8;
    memcpy(to, &header, sizeof header);
    for (size_t i = 0; i < data; i++) {
        to[used + i] = (char)i;
    }
    return used + data;
}

static void check_tensors(const struct tare_safetensors *st, const unsigned char *bytes, size_t n)
{
    const unsigned char *next = NULL;
    unsigned sum = 0;
    for (size_t i = 0; i < st->n_tensors; i++) {
        const struct tare_tensor *t = &st->tensors[i];
        fuzz_check(t->data >= bytes && t->n_bytes <= n && t->data + t->n_bytes <= bytes + n,
                   "a tensor beyond the file");
        fuzz_check(!next || t->data == next, "tensors overlap or leave a gap");
        fuzz_check(t->n_elements > 0 && t->n_bytes % t->n_elements == 0,
                   "a tensor whose size is not of its shape");
        next = t->data + t->n_bytes;
        sum += next[-1];
    }
    fuzz_check(!next || next == bytes + n, "bytes of no tensor");
    (void)sum;
}

static void check_model(const struct tare_safetensors *st)
{
    struct tare_model model, before;
    struct tare_err err = {0};
    memset(&model, 0x5a, sizeof model);
    before = model;
    if (tare_model_build(&model, st, "fuzz", &err) < 0) {
        fuzz_check(err.msg[0] && !strchr(err.msg, '\n'), "a model was refused without a line");
        fuzz_check(memcmp(&model, &before, sizeof model) == 0, "a failure touched the model");
        return;
    }
    struct tare_linear_facts facts;
    tare_model_facts(&model, &facts);
    fuzz_check(facts.params == model.config.n_params, "a model of another size than it says");
    fuzz_check(model.config.size[0] * model.config.size[1] == model.config.d_model, "heads that do not fit");
    tare_model_close(&model);
}

static int read_file(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_safetensors st, before;
    (void)rng;
    memset(&st, 0x5a, sizeof st);
    before = st;
    int r = tare_safetensors_parse(&st, (const unsigned char *)data, n, "fuzz", err);
    if (r < 0) {
        fuzz_check(memcmp(&st, &before, sizeof st) == 0, "a failure touched the output");
        return r;
    }
    check_tensors(&st, (const unsigned char *)data, n);
    check_model(&st);
    tare_safetensors_close(&st);
    return r;
}

int main(void)
{
    static char model[max_file_bytes], odd[max_file_bytes];
    struct fuzz_seed seeds[] = {
        {model, pack(model, metadata, model_pieces, sizeof model_pieces / sizeof *model_pieces)},
        {odd, pack(odd, "", odd_pieces, sizeof odd_pieces / sizeof *odd_pieces)}};
    struct tare_safetensors st = {0};
    struct tare_model built = {0};
    struct tare_err err = {0};
    /* The first seed has to be a model, or its half of the target tests nothing. */
    if (tare_safetensors_parse(&st, (const unsigned char *)model, seeds[0].n, "seed", &err) < 0 ||
        tare_model_build(&built, &st, "seed", &err) < 0) {
        (void)fprintf(stderr, "safetensors: %s\n", err.msg);
        return 1;
    }
    tare_model_close(&built);
    tare_safetensors_close(&st);
    return fuzz_main(&(struct fuzz_target){"safetensors", seeds, 2, words, 300000, read_file});
}
