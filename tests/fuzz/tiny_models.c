/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of tensors, and a writer of each storage as zoo files have it. */
#include "tiny_models.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { d = 32, vocab = 256, file_max = 1 << 18, header_max = 1 << 14, rank = 4 };

enum storage {
    stored_f16,
    stored_f32,
    stored_bf16,
    stored_int8,
    stored_int4,
    stored_bitmap,
    stored_low_rank
};

const char tiny_tokenizer[] =
    "{\"type\": \"tare-byte-bpe-1\", \"vocab_size\": 256, \"bos\": 0, \"pretokenizer\": \" "
    "?[A-Za-z\\\\x80-\\\\xff]+(?:'[A-Za-z\\\\x80-\\\\xff]+)*|[0-9]|\\\\n+| "
    "?[^A-Za-z0-9\\\\x80-\\\\xff\\\\s\\\\x00]+|\\\\x00|\\\\s\", \"sha\": \"00\", \"merges\": []}";

struct piece {
    const char *name;
    unsigned rows, cols; /* cols 0: a vector */
    bool is_matrix;      /* a linear layer, ".weight" to be put behind */
};

struct recipe {
    const char *arch, *keys;
    unsigned ffn, derived;              /* parameters of a layer that are not in the file */
    struct piece shared[4], pieces[20]; /* shared: without the embedding; both end with no name */
};

#define NORM(name)                         \
    {                                      \
        "norm" name ".weight", d, 0, false \
    }
#define BIAS(name)                       \
    {                                    \
        "norm" name ".bias", d, 0, false \
    }
#define END               \
    {                     \
        NULL, 0, 0, false \
    }

static const struct recipe recipes[tiny_archs] = {
    {"llama",
     "\"n_heads\":\"2\",\"head_dim\":\"16\"",
     64,
     0,
     {NORM("_f"), END},
     {NORM("1"),
      NORM("2"),
      {"attn.q", d, d, true},
      {"attn.k", d, d, true},
      {"attn.v", d, d, true},
      {"attn.o", d, d, true},
      {"mlp.gate", 64, d, true},
      {"mlp.up", 64, d, true},
      {"mlp.down", d, 64, true},
      END}},
    {"rwkv4",
     "\"unused\":\"\"",
     64,
     0,
     {NORM("_f"), BIAS("_f"), {"embed_norm.weight", d, 0, false}, {"embed_norm.bias", d, 0, false}},
     {NORM("1"),
      BIAS("1"),
      {"att.mix_r", d, 0, false},
      {"att.mix_k", d, 0, false},
      {"att.mix_v", d, 0, false},
      {"att.decay", d, 0, false},
      {"att.bonus", d, 0, false},
      {"att.r", d, d, true},
      {"att.k", d, d, true},
      {"att.v", d, d, true},
      {"att.o", d, d, true},
      NORM("2"),
      BIAS("2"),
      {"ffn.mix_k", d, 0, false},
      {"ffn.mix_r", d, 0, false},
      {"ffn.k", 64, d, true},
      {"ffn.v", d, 64, true},
      {"ffn.r", d, d, true},
      END}},
    {"h3",
     "\"n_heads\":\"4\",\"head_dim\":\"8\",\"d_state\":\"3\",\"shift\":\"4\"",
     64,
     4,
     {NORM("_f"), BIAS("_f"), END},
     {NORM("1"),
      BIAS("1"),
      {"mix.q", d, d, true},
      {"mix.k", d, d, true},
      {"mix.v", d, d, true},
      {"mix.o", d, d, true},
      {"mix.shift", d, 4, false},
      {"mix.ssm.lam_log", 4, 3, false},
      {"mix.ssm.lam_arg", 4, 3, false},
      {"mix.ssm.c_re", 4, 3, false},
      {"mix.ssm.c_im", 4, 3, false},
      {"mix.ssm.skip", 4, 0, false},
      NORM("2"),
      BIAS("2"),
      {"mlp.up", 64, d, true},
      {"mlp.down", d, 64, true},
      END}},
    {"hyena",
     "\"short\":\"3\",\"filter_bands\":\"2\",\"filter_width\":\"6\"",
     64,
     0,
     {NORM("_f"), BIAS("_f"), END},
     {NORM("1"),
      BIAS("1"),
      {"mix.in", 3 * d, d, true},
      {"mix.short.weight", 3 * d, 3, false},
      {"mix.short.bias", 3 * d, 0, false},
      {"mix.filter.w0", 6, 5, false},
      {"mix.filter.b0", 6, 0, false},
      {"mix.filter.w1", 6, 6, false},
      {"mix.filter.b1", 6, 0, false},
      {"mix.filter.w2", d, 6, false},
      {"mix.filter.decay", d, 0, false},
      {"mix.skip", d, 0, false},
      {"mix.o", d, d, true},
      NORM("2"),
      BIAS("2"),
      {"mlp.up", 64, d, true},
      {"mlp.down", d, 64, true},
      END}},
    {"retnet",
     "\"n_heads\":\"2\",\"head_dim\":\"16\",\"v_head_dim\":\"32\"",
     64,
     0,
     {NORM("_f"), END},
     {NORM("1"),
      {"ret.q", d, d, true},
      {"ret.k", d, d, true},
      {"ret.v", 64, d, true},
      {"ret.g", 64, d, true},
      {"ret.o", d, 64, true},
      NORM("2"),
      {"mlp.up", 64, d, true},
      {"mlp.down", d, 64, true},
      END}},
    {"mamba",
     "\"d_state\":\"8\",\"d_conv\":\"4\",\"dt_rank\":\"16\"",
     64,
     0,
     {NORM("_f"), END},
     {NORM("1"),
      {"ssm.in", 128, d, true},
      {"ssm.conv.weight", 64, 4, false},
      {"ssm.conv.bias", 64, 0, false},
      {"ssm.x", 32, 64, true},
      {"ssm.dt", 64, 16, true},
      {"ssm.dt.bias", 64, 0, false},
      {"ssm.a_log", 64, 8, false},
      {"ssm.skip", 64, 0, false},
      {"ssm.out", d, 64, true},
      END}},
};

/* A file that grows; both parts are put together at the end. */
struct file {
    char header[header_max];
    size_t n_header;
    unsigned char data[file_max];
    size_t n_data;
    size_t params;
    uint32_t sequence;
};

__attribute__((format(printf, 2, 3))) static void say(struct file *f, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    f->n_header += (size_t)vsnprintf(f->header + f->n_header, header_max - f->n_header, fmt, args);
    va_end(args);
}

static uint32_t next(struct file *f)
{
    f->sequence = f->sequence * 1664525u + 1013904223u;
    return f->sequence >> 8;
}

/* One number of that type: halves and bfloats of 0.03 to 0.25, floats of -0.5 to 0.5, bytes of any value. */
static void put_number(struct file *f, const char *dtype)
{
    uint32_t bits = next(f), n = 1;
    if (strcmp(dtype, "F32") == 0) {
        float value = (float)bits / (1 << 24) - 0.5F;
        memcpy(&bits, &value, n = 4);
    } else if (strcmp(dtype, "F16") == 0 || strcmp(dtype, "BF16") == 0) {
        bits = (bits & 0x8000u) | (dtype[0] == 'B' ? 0x3d00u + bits % 0x80u : 0x2800u + bits % 0x400u);
        n = 2;
    }
    memcpy(f->data + f->n_data, &bits, n);
    f->n_data += n;
}

static void put_tensor(struct file *f, const char *name, const char *suffix, const char *dtype, size_t rows,
                       size_t cols)
{
    size_t begin = f->n_data;
    for (size_t i = 0; i < rows * (cols ? cols : 1); i++) {
        put_number(f, dtype);
    }
    say(f, ",\"%s%s\":{\"dtype\":\"%s\",\"shape\":[%zu", name, suffix, dtype, rows);
    say(f, cols ? ",%zu" : "%.0zu", cols);
    say(f, "],\"data_offsets\":[%zu,%zu]}", begin, f->n_data);
}

/* The mask is what comes out of the sequence; as many values follow as it has bits. */
static void put_bitmap(struct file *f, const char *name, size_t rows, size_t cols)
{
    size_t begin = f->n_data, stored = 0;
    put_tensor(f, name, ".weight.mask", "U8", rows, cols / 8);
    for (size_t i = begin; i < f->n_data; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            stored += f->data[i] >> bit & 1u;
        }
    }
    put_tensor(f, name, ".weight.nz", "F16", stored, 0);
}

static void put_matrix(struct file *f, const char *name, enum storage storage, size_t rows, size_t cols)
{
    bool fits = storage != stored_int4 || cols % 32 == 0;
    f->params += storage == stored_low_rank ? rank * (rows + cols) : rows * cols;
    switch (fits ? storage : stored_f16) {
    case stored_f32:
        put_tensor(f, name, ".weight", "F32", rows, cols);
        break;
    case stored_bf16:
        put_tensor(f, name, ".weight", "BF16", rows, cols);
        break;
    case stored_int8:
        put_tensor(f, name, ".weight", "I8", rows, cols);
        put_tensor(f, name, ".weight.scale", "F32", rows, 0);
        break;
    case stored_int4:
        put_tensor(f, name, ".weight", "U8", rows, cols / 2);
        put_tensor(f, name, ".weight.scale", "F16", rows, cols / 32);
        break;
    case stored_bitmap:
        put_bitmap(f, name, rows, cols);
        break;
    case stored_low_rank:
        put_tensor(f, name, ".a.weight", "F16", rank, cols);
        put_tensor(f, name, ".b.weight", "F16", rows, rank);
        break;
    default:
        put_tensor(f, name, ".weight", "F16", rows, cols);
        break;
    }
}

static void put_vectors(struct file *f, const char *prefix, const struct piece *pieces, size_t most)
{
    for (size_t i = 0; i < most && pieces[i].name; i++) {
        if (!pieces[i].is_matrix) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s%s", prefix, pieces[i].name);
            put_tensor(f, name, "", "F32", pieces[i].rows, pieces[i].cols);
            f->params += (size_t)pieces[i].rows * (pieces[i].cols ? pieces[i].cols : 1);
        }
    }
}

static void put_matrices(struct file *f, const char *prefix, const struct piece *pieces, enum storage storage)
{
    for (size_t i = 0; pieces[i].name; i++) {
        if (pieces[i].is_matrix) {
            char name[64];
            (void)snprintf(name, sizeof name, "%s%s", prefix, pieces[i].name);
            put_matrix(f, name, storage, pieces[i].rows, pieces[i].cols);
        }
    }
}

/* The number of parameters is known at the end: blanks are kept for it. */
static struct fuzz_seed put_together(struct file *f, size_t params_at)
{
    char text[16];
    size_t padded = (f->n_header + 8) / 8 * 8;
    char *file = calloc(1, 8 + padded + f->n_data);
    (void)snprintf(text, sizeof text, "\"%zu\"", f->params);
    memcpy(f->header + params_at, text, strlen(text));
    f->header[f->n_header++] = '}';
    uint64_t n = padded;
    if (file) {
        memcpy(file, &n, sizeof n);
        memset(file + 8, ' ', padded);
        memcpy(file + 8, f->header, f->n_header);
        memcpy(file + 8 + padded, f->data, f->n_data);
    }
    return (struct fuzz_seed){file, file ? 8 + padded + f->n_data : 0};
}

struct fuzz_seed tiny_model(unsigned arch, unsigned storage)
{
    const struct recipe *r = &recipes[arch];
    enum storage embedding = storage == stored_low_rank ? stored_f16 : (enum storage)storage;
    struct file *f = calloc(1, sizeof *f);
    if (!f) {
        return (struct fuzz_seed){NULL, 0};
    }
    say(f,
        "{\"__metadata__\":{\"format\":\"tare-zoo-1\",\"name\":\"m\",\"tokenizer_sha\":\"00\",\"bos\":\"0\","
        "\"arch\":\"%s\",\"d_model\":\"%d\",\"n_layers\":\"2\",\"vocab\":\"%d\",\"max_ctx\":\"16\","
        "\"ffn\":\"%u\",%s,\"n_params\":",
        r->arch, d, vocab, r->ffn, r->keys);
    size_t params_at = f->n_header;
    say(f, "          }");
    put_vectors(f, "", r->shared, 4);
    put_vectors(f, "blocks.0.", r->pieces, 20);
    put_vectors(f, "blocks.1.", r->pieces, 20);
    put_matrices(f, "blocks.0.", r->pieces, (enum storage)storage);
    put_matrices(f, "blocks.1.", r->pieces, (enum storage)storage);
    put_matrix(f, "embed", embedding, vocab, d);
    f->params += (size_t)2 * r->derived;
    struct fuzz_seed seed = put_together(f, params_at);
    free(f);
    return seed;
}
