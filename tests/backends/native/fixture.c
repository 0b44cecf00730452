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

static void put_metadata(struct header *h, const struct edit *e)
{
    static const char *const rows[][2] = {
        {"format", "\"tare-zoo-1\""},   {"name", "\"small\""}, {"arch", "\"llama\""},
        {"d_model", "\"8\""},           {"n_layers", "\"1\""}, {"n_heads", "\"2\""},
        {"head_dim", "\"4\""},          {"ffn", "\"8\""},      {"vocab", "\"256\""},
        {"max_ctx", "\"16\""},          {"bos", "\"0\""},      {"n_params", "\"2520\""},
        {"tokenizer_sha", "\"5aa11\""},
    };
    put(h, "{\"__metadata__\":{\"made_by\":\"test\"");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int edited = e && e->meta_key && strcmp(e->meta_key, rows[i][0]) == 0;
        if (!edited) {
            put(h, ",\"%s\":%s", rows[i][0], rows[i][1]);
        } else if (e->meta_value) {
            put(h, ",\"%s\":%s", rows[i][0], e->meta_value);
        }
    }
    put(h, "}");
}

/* Weights between -0.5 and 0.5 from a fixed sequence, 1 for norms. */
static void put_data(struct header *h, size_t n, int is_norm, int zero)
{
    static uint32_t state;
    state = state * 1664525u + 1013904223u + (uint32_t)n;
    for (size_t i = 0; i < n; i++) {
        state = state * 1664525u + 1013904223u;
        uint32_t bits =
            is_norm ? 0x3f800000u : 0x3000u + (state >> 24) * 8u + (state & 0x800000u ? 0x8000u : 0);
        for (int byte = 0; byte < (is_norm ? 4 : 2); byte++) {
            h->data[h->n_data++] = (unsigned char)((zero && !is_norm ? 0 : bits) >> (8 * byte));
        }
    }
}

static void put_tensor(struct header *h, const struct edit *e, const char *name, int rows, int cols)
{
    int edited = e && e->tensor && strcmp(e->tensor, name) == 0;
    if (edited && e->drop) {
        return;
    }
    char shape[40];
    (void)snprintf(shape, sizeof shape, cols ? "[%d,%d]" : "[%d]", rows, cols);
    size_t begin = h->n_data;
    put_data(h, (size_t)rows * (size_t)(cols ? cols : 1), cols == 0, e && e->zero);
    put(h, ",\"%s\":{\"dtype\":\"%s\",\"shape\":%s,\"data_offsets\":[%zu,%zu]}",
        edited && e->rename ? e->rename : name, edited && e->dtype ? e->dtype : (cols ? "F16" : "F32"),
        edited && e->shape ? e->shape : shape, begin, h->n_data);
}

struct blob fixture_model(const struct edit *e)
{
    struct header *h = must(calloc(1, sizeof *h));
    put_metadata(h, e);
    put_tensor(h, e, "blocks.0.norm1.weight", 8, 0);
    put_tensor(h, e, "blocks.0.norm2.weight", 8, 0);
    put_tensor(h, e, "norm_f.weight", 8, 0);
    put_tensor(h, e, "blocks.0.attn.q.weight", 8, 8);
    put_tensor(h, e, "blocks.0.attn.k.weight", 8, 8);
    put_tensor(h, e, "blocks.0.attn.v.weight", 8, 8);
    put_tensor(h, e, "blocks.0.attn.o.weight", 8, 8);
    put_tensor(h, e, "blocks.0.mlp.gate.weight", 8, 8);
    put_tensor(h, e, "blocks.0.mlp.up.weight", 8, 8);
    put_tensor(h, e, "blocks.0.mlp.down.weight", 8, 8);
    put_tensor(h, e, "embed.weight", small_vocab, 8);
    if (e && e->extra) {
        put_tensor(h, NULL, "extra.weight", 2, 2);
    }
    put(h, "}");
    struct blob b = fixture_pack(h->text, h->data, h->n_data);
    free(h);
    return b;
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
