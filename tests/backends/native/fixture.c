/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makers of small files. They write JSON by hand on purpose: the reader under test must not also be
 * the judge of what it reads.
 */
#include "fixture.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void *must(void *p)
{
    if (!p) {
        fail_msg("out of memory");
    }
    return p;
}

struct blob fixture_pack(const char *header, const void *data, size_t n_data)
{
    size_t text = strlen(header);
    size_t padded = (text + 7) / 8 * 8;
    struct blob b = {.bytes = must(malloc(8 + padded + n_data + 1)), .n = 8 + padded + n_data};
    for (unsigned i = 0; i < 8; i++) {
        b.bytes[i] = (unsigned char)((uint64_t)padded >> (8 * i));
    }
    memset(b.bytes + 8, ' ', padded);
    memcpy(b.bytes + 8, header, text);
    if (n_data > 0) {
        memcpy(b.bytes + 8 + padded, data, n_data);
    }
    return b;
}

struct header {
    char text[8192];
    size_t n;
    unsigned char data[16384];
    size_t n_data;
};

__attribute__((format(printf, 2, 3))) static void put(struct header *h, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(h->text + h->n, sizeof h->text - h->n, fmt, args);
    va_end(args);
    assert_in_range(n, 0, sizeof h->text - h->n - 1);
    h->n += (size_t)n;
}

/* What a tensor is filled with. */
enum fill { halves, ones, numbers, negatives };

struct piece {
    const char *name;
    int rows;
    int cols; /* 0: a vector */
    enum fill fill;
};

/* A small model of an architecture: width 8, 16 positions. */
struct recipe {
    const char *arch;
    int n_layers;
    int ffn;
    const char *keys[8];     /* name, value, ... of its own metadata */
    struct piece shared[4];  /* beside embed and norm_f.weight */
    struct piece pieces[24]; /* of each layer */
};

static const struct recipe recipes[] = {
    {"llama",
     1,
     8,
     {"n_heads", "2", "head_dim", "4"},
     {{NULL, 0, 0, ones}},
     {{"norm1.weight", 8, 0, ones},
      {"norm2.weight", 8, 0, ones},
      {"attn.q.weight", 8, 8, halves},
      {"attn.k.weight", 8, 8, halves},
      {"attn.v.weight", 8, 8, halves},
      {"attn.o.weight", 8, 8, halves},
      {"mlp.gate.weight", 8, 8, halves},
      {"mlp.up.weight", 8, 8, halves},
      {"mlp.down.weight", 8, 8, halves}}},
    {"rwkv4",
     2,
     10,
     {NULL},
     {{"norm_f.bias", 8, 0, numbers}, {"embed_norm.weight", 8, 0, ones}, {"embed_norm.bias", 8, 0, numbers}},
     {{"norm1.weight", 8, 0, ones},
      {"norm1.bias", 8, 0, numbers},
      {"att.mix_r", 8, 0, numbers},
      {"att.mix_k", 8, 0, numbers},
      {"att.mix_v", 8, 0, numbers},
      {"att.decay", 8, 0, numbers},
      {"att.bonus", 8, 0, numbers},
      {"att.r.weight", 8, 8, halves},
      {"att.k.weight", 8, 8, halves},
      {"att.v.weight", 8, 8, halves},
      {"att.o.weight", 8, 8, halves},
      {"norm2.weight", 8, 0, ones},
      {"norm2.bias", 8, 0, numbers},
      {"ffn.mix_k", 8, 0, numbers},
      {"ffn.mix_r", 8, 0, numbers},
      {"ffn.k.weight", 10, 8, halves},
      {"ffn.v.weight", 8, 10, halves},
      {"ffn.r.weight", 8, 8, halves}}},
    {"h3",
     2,
     10,
     {"n_heads", "2", "head_dim", "4", "d_state", "3", "shift", "4"},
     {{"norm_f.bias", 8, 0, numbers}},
     {{"norm1.weight", 8, 0, ones},
      {"norm1.bias", 8, 0, numbers},
      {"mix.q.weight", 8, 8, halves},
      {"mix.k.weight", 8, 8, halves},
      {"mix.v.weight", 8, 8, halves},
      {"mix.o.weight", 8, 8, halves},
      {"mix.shift", 8, 4, numbers},
      {"mix.ssm.lam_log", 2, 3, negatives},
      {"mix.ssm.lam_arg", 2, 3, numbers},
      {"mix.ssm.c_re", 2, 3, numbers},
      {"mix.ssm.c_im", 2, 3, numbers},
      {"mix.ssm.skip", 2, 0, numbers},
      {"norm2.weight", 8, 0, ones},
      {"norm2.bias", 8, 0, numbers},
      {"mlp.up.weight", 10, 8, halves},
      {"mlp.down.weight", 8, 10, halves}}},
    {"hyena",
     2,
     10,
     {"short", "3", "filter_bands", "2", "filter_width", "6"},
     {{"norm_f.bias", 8, 0, numbers}},
     {{"norm1.weight", 8, 0, ones},
      {"norm1.bias", 8, 0, numbers},
      {"mix.in.weight", 24, 8, halves},
      {"mix.short.weight", 24, 3, numbers},
      {"mix.short.bias", 24, 0, numbers},
      {"mix.filter.w0", 6, 5, numbers},
      {"mix.filter.b0", 6, 0, numbers},
      {"mix.filter.w1", 6, 6, numbers},
      {"mix.filter.b1", 6, 0, numbers},
      {"mix.filter.w2", 8, 6, numbers},
      {"mix.filter.decay", 8, 0, negatives},
      {"mix.skip", 8, 0, numbers},
      {"mix.o.weight", 8, 8, halves},
      {"norm2.weight", 8, 0, ones},
      {"norm2.bias", 8, 0, numbers},
      {"mlp.up.weight", 10, 8, halves},
      {"mlp.down.weight", 8, 10, halves}}},
    {"retnet",
     2,
     10,
     {"n_heads", "2", "head_dim", "4", "v_head_dim", "6"},
     {{NULL, 0, 0, ones}},
     {{"norm1.weight", 8, 0, ones},
      {"ret.q.weight", 8, 8, halves},
      {"ret.k.weight", 8, 8, halves},
      {"ret.v.weight", 12, 8, halves},
      {"ret.g.weight", 12, 8, halves},
      {"ret.o.weight", 8, 12, halves},
      {"norm2.weight", 8, 0, ones},
      {"mlp.up.weight", 10, 8, halves},
      {"mlp.down.weight", 8, 10, halves}}},
    {"mamba",
     2,
     20,
     {"d_state", "5", "d_conv", "4", "dt_rank", "3"},
     {{NULL, 0, 0, ones}},
     {{"norm1.weight", 8, 0, ones},
      {"ssm.in.weight", 40, 8, halves},
      {"ssm.conv.weight", 20, 4, numbers},
      {"ssm.conv.bias", 20, 0, numbers},
      {"ssm.x.weight", 13, 20, halves},
      {"ssm.dt.weight", 20, 3, halves},
      {"ssm.dt.bias", 20, 0, numbers},
      {"ssm.a_log", 20, 5, numbers},
      {"ssm.skip", 20, 0, numbers},
      {"ssm.out.weight", 8, 20, halves}}},
};

static const struct recipe *recipe_of(const char *arch)
{
    for (size_t i = 0; i < sizeof recipes / sizeof recipes[0]; i++) {
        if (strcmp(recipes[i].arch, arch) == 0) {
            return &recipes[i];
        }
    }
    fail_msg("no recipe for a %s", arch);
    return NULL;
}

static long elements(const struct piece *p)
{
    return (long)p->rows * (p->cols ? p->cols : 1);
}

/* What the metadata has to say; h3 counts a step size per head and layer that is not in the file. */
static long params_of(const struct recipe *r)
{
    long n = 8 + (long)small_vocab * 8;
    for (const struct piece *p = r->shared; p->name; p++) {
        n += elements(p);
    }
    for (const struct piece *p = r->pieces; p->name; p++) {
        n += elements(p) * r->n_layers;
    }
    return n + (strcmp(r->arch, "h3") == 0 ? (long)2 * r->n_layers : 0);
}

static void put_key(struct header *h, const struct edit *e, const char *key, const char *value)
{
    int edited = e && e->meta_key && strcmp(e->meta_key, key) == 0;
    if (!edited) {
        put(h, ",\"%s\":\"%s\"", key, value);
    } else if (e->meta_value) {
        put(h, ",\"%s\":%s", key, e->meta_value);
    }
}

static void put_number(struct header *h, const struct edit *e, const char *key, long value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%ld", value);
    put_key(h, e, key, text);
}

static void put_metadata(struct header *h, const struct recipe *r, const struct edit *e)
{
    put(h, "{\"__metadata__\":{\"made_by\":\"test\"");
    put_key(h, e, "format", "tare-zoo-1");
    put_key(h, e, "name", "small");
    put_key(h, e, "arch", r->arch);
    put_key(h, e, "tokenizer_sha", "5aa11");
    put_key(h, e, "d_model", "8");
    put_key(h, e, "bos", "0");
    put_number(h, e, "n_layers", r->n_layers);
    put_number(h, e, "ffn", r->ffn);
    put_number(h, e, "vocab", small_vocab);
    put_number(h, e, "max_ctx", small_ctx);
    put_number(h, e, "n_params", params_of(r));
    for (int i = 0; i < 8 && r->keys[i]; i += 2) {
        put_key(h, e, r->keys[i], r->keys[i + 1]);
    }
    put(h, "}");
}

/* Between -0.5 and 0.5 from a fixed sequence. */
static float next_number(uint32_t *sequence)
{
    *sequence = *sequence * 1664525u + 1013904223u;
    return (float)((double)(*sequence >> 8) / (1 << 24) - 0.5);
}

static void put_data(struct header *h, size_t n, enum fill fill, int zero)
{
    static uint32_t sequence;
    sequence = sequence * 1664525u + 1013904223u + (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        float value = next_number(&sequence);
        uint32_t bits = 0x3000u + (sequence >> 24) * 8u + (sequence & 0x800000u ? 0x8000u : 0);
        if (fill != halves) {
            value = fill == ones ? 1.0F : fill == negatives && value > 0 ? -value : value;
            memcpy(&bits, &value, sizeof bits);
        }
        for (int byte = 0; byte < (fill == halves ? 2 : 4); byte++) {
            assert_true(h->n_data < sizeof h->data);
            h->data[h->n_data++] = (unsigned char)((zero && fill == halves ? 0 : bits) >> (8 * byte));
        }
    }
}

static void put_tensor(struct header *h, const struct edit *e, const struct piece *p, const char *name)
{
    int edited = e && e->tensor && strcmp(e->tensor, name) == 0;
    if (edited && e->drop) {
        return;
    }
    char shape[40];
    (void)snprintf(shape, sizeof shape, p->cols ? "[%d,%d]" : "[%d]", p->rows, p->cols);
    size_t begin = h->n_data;
    put_data(h, (size_t)elements(p), p->fill, e && e->zero);
    put(h, ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
        edited && e->rename ? e->rename : name,
        edited && e->dtype ? e->dtype : (p->fill == halves ? "F16" : "F32"),
        edited && e->shape ? e->shape : shape, begin, h->n_data);
}

static size_t count(const struct piece *pieces)
{
    size_t n = 0;
    while (pieces[n].name) {
        n++;
    }
    return n;
}

/* Tensor number i of the file; its name into full. NULL behind the last. */
static const struct piece *nth_piece(const struct recipe *r, size_t i, char *full, size_t cap)
{
    static const struct piece common[] = {{"norm_f.weight", 8, 0, ones},
                                          {"embed.weight", small_vocab, 8, halves}};
    size_t n = count(r->pieces);
    if (i < n * (size_t)r->n_layers) {
        (void)snprintf(full, cap, "blocks.%zu.%s", i / n, r->pieces[i % n].name);
        return &r->pieces[i % n];
    }
    i -= n * (size_t)r->n_layers;
    if (i >= count(r->shared) + 2) {
        return NULL;
    }
    const struct piece *p = i < count(r->shared) ? &r->shared[i] : &common[i - count(r->shared)];
    (void)snprintf(full, cap, "%s", p->name);
    return p;
}

size_t fixture_tensor(const char *arch, size_t i, char *name, size_t cap)
{
    const struct piece *p = nth_piece(recipe_of(arch), i, name, cap);
    return p ? (size_t)elements(p) : 0;
}

const char *fixture_key(const char *arch, size_t i)
{
    return i < 4 ? recipe_of(arch)->keys[2 * i] : NULL;
}

struct blob fixture_model_of(const char *arch, const struct edit *e)
{
    const struct recipe *r = recipe_of(arch);
    const struct piece extra = {"extra.weight", 2, 2, halves};
    struct header *h = must(calloc(1, sizeof *h));
    put_metadata(h, r, e);
    char name[64];
    const struct piece *p;
    for (size_t i = 0; (p = nth_piece(r, i, name, sizeof name)) != NULL; i++) {
        put_tensor(h, e, p, name);
    }
    if (e && e->extra) {
        put_tensor(h, NULL, &extra, extra.name);
    }
    put(h, "}");
    struct blob b = fixture_pack(h->text, h->data, h->n_data);
    free(h);
    return b;
}

struct blob fixture_model(const struct edit *e)
{
    return fixture_model_of("llama", e);
}

struct blob fixture_tokenizer(const char *sha)
{
    struct blob b = {.bytes = must(malloc(1024))};
    int n = snprintf((char *)b.bytes, 1024,
                     "{\"type\":\"tare-byte-bpe-1\",\"vocab_size\":256,\"bos\":0,\"pretokenizer\":\"%s\","
                     "\"sha\":\"%s\",\"merges\":[]}",
                     " ?[A-Za-z\\\\x80-\\\\xff]+(?:'[A-Za-z\\\\x80-\\\\xff]+)*|[0-9]|\\\\n+|"
                     " ?[^A-Za-z0-9\\\\x80-\\\\xff\\\\s\\\\x00]+|\\\\x00|\\\\s",
                     sha);
    assert_in_range(n, 1, 1023);
    b.n = (size_t)n;
    return b;
}

void fixture_write(const char *path, struct blob blob)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(blob.bytes, 1, blob.n, f) != blob.n || fclose(f) != 0) {
        fail_msg("%s cannot be written", path);
    }
    free(blob.bytes);
}

void fixture_folder(char *out, size_t cap)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(out, cap, "%s/tare-native-XXXXXX", base && *base ? base : "/tmp");
    if (!mkdtemp(out)) {
        fail_msg("%s cannot be made", out);
    }
}

int fixture_path(const char *variable, const char *name, char *out, size_t cap)
{
    const char *base = getenv(variable);
    if (!base || !*base) {
        return 0;
    }
    int n = snprintf(out, cap, "%s/%s", base, name);
    assert_in_range(n, 1, cap - 1);
    return 1;
}

void fixture_zoo(const char *name, char *out, size_t cap)
{
    if (!fixture_path("TARE_ZOO", name, out, cap)) {
        fail_msg("TARE_ZOO is not set; it names the folder backends/native/zoo");
    }
}

void fixture_shared(const char *name, char *out, size_t cap)
{
    if (!fixture_path("TARE_SHARED", name, out, cap)) {
        print_message("skipped: TARE_SHARED names no folder of reference data\n");
        skip();
    }
    if (access(out, R_OK) != 0) {
        print_message("skipped: %s is not there\n", out);
        skip();
    }
}
