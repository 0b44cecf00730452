/* SPDX-License-Identifier: Apache-2.0 */
/* The head keeps its length: types and places of tensors are changed where they stand. */
#include "requantized.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
/* cmocka needs the four above */
#include <cmocka.h>

enum { block_weights = 32, most_bytes = 8 << 20, alignment = 32 };
enum { type_f32 = 0, type_q4_0 = 2, type_q8_0 = 8 }; /* of tensors in the file */
enum { value_u32 = 4, value_string = 8, value_array = 9 };

/* The input, and the place in it. */
struct file {
    unsigned char *bytes;
    size_t n, at;
};

/* The output behind the head. */
struct body {
    unsigned char *bytes;
    size_t n;
};

static uint64_t take(struct file *f, size_t width)
{
    uint64_t value = 0;
    assert_true(width <= sizeof value && f->at + width <= f->n);
    for (size_t i = 0; i < width; i++) {
        value |= (uint64_t)f->bytes[f->at + i] << 8 * i;
    }
    f->at += width;
    return value;
}

/* The bytes of a text, whose length is returned. */
static size_t take_text(struct file *f, const char **out)
{
    size_t n = (size_t)take(f, 8);
    assert_true(n <= f->n - f->at);
    *out = (const char *)f->bytes + f->at;
    f->at += n;
    return n;
}

static void skip_value(struct file *f, uint32_t type)
{
    static const size_t widths[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
    const char *text;
    assert_true(type < sizeof widths / sizeof *widths && type != value_array);
    if (type == value_string) {
        (void)take_text(f, &text);
    } else {
        (void)take(f, widths[type]);
    }
}

/* Passes all pairs of the head; the file's own word for what it holds is changed. */
static void pass_pairs(struct file *f, uint64_t n, uint32_t file_type)
{
    static const char key_of_type[] = "general.file_type";
    int found = 0;
    for (uint64_t i = 0; i < n; i++) {
        const char *key;
        size_t n_key = take_text(f, &key);
        uint32_t type = (uint32_t)take(f, 4);
        if (n_key == sizeof key_of_type - 1 && memcmp(key, key_of_type, n_key) == 0) {
            assert_int_equal(type, value_u32);
            assert_true(f->n - f->at > sizeof file_type);
            memcpy(f->bytes + f->at, &file_type, sizeof file_type);
            found++;
        }
        uint32_t item = type == value_array ? (uint32_t)take(f, 4) : type;
        uint64_t count = type == value_array ? take(f, 8) : 1;
        for (uint64_t k = 0; k < count; k++) {
            skip_value(f, item);
        }
    }
    assert_int_equal(found, 1);
}

/* The nearest half: 11 bits of fraction, and no exponent below -14. *value gets what it stands for. */
static uint16_t to_half(double x, float *value)
{
    int exponent = 0;
    (void)frexp(x, &exponent);
    exponent = !(fabs(x) > 0) || exponent - 1 < -14 ? -14 : exponent - 1;
    double fraction = rint(ldexp(fabs(x), 10 - exponent));
    assert_true(exponent < 15 && fraction <= 2048);
    *value = (float)copysign(ldexp(fraction, exponent - 10), x);
    return (uint16_t)((signbit(x) ? 0x8000u : 0u) + ((unsigned)(exponent + 14) << 10) + (unsigned)fraction);
}

/* Scale and codes of a block, and the weights that these are. */
struct block {
    uint16_t half;
    int codes[block_weights];
    float weights[block_weights];
};

static void round_block(const float *x, enum requantized_codes kind, struct block *out)
{
    double largest = 0;
    float scale = 0;
    for (int i = 0; i < block_weights; i++) {
        largest = fabs((double)x[i]) > fabs(largest) ? (double)x[i] : largest;
    }
    double d = kind == REQUANTIZED_Q8_0 ? fabs(largest) / 127 : largest / -8;
    out->half = to_half(d, &scale);
    for (int i = 0; i < block_weights; i++) {
        double q = fabs(d) > 0 ? rint((double)x[i] / d) : 0;
        q = kind == REQUANTIZED_Q4_0 && q > 7 ? 7 : q;
        assert_true(q >= -128 && q <= 127);
        out->codes[i] = (int)q;
        out->weights[i] = scale * (float)q;
    }
}

static void put(struct body *to, const void *data, size_t n)
{
    assert_true(to->n + n <= most_bytes);
    memcpy(to->bytes + to->n, data, n);
    to->n += n;
}

/* Codes as the bytes of a block; wrongly: the even ones of its weights before the odd ones. Returns how many.
 */
static size_t pack(const struct block *b, enum requantized_codes kind, bool wrongly, unsigned char *out)
{
    enum { half = block_weights / 2 };
    int codes[block_weights];
    for (int i = 0; i < block_weights; i++) {
        codes[wrongly ? i / 2 + i % 2 * half : i] = b->codes[i];
    }
    for (int i = 0; kind == REQUANTIZED_Q8_0 && i < block_weights; i++) {
        out[i] = (unsigned char)codes[i];
    }
    for (int i = 0; kind == REQUANTIZED_Q4_0 && i < half; i++) {
        out[i] = (unsigned char)((unsigned)(codes[i] + 8) | (unsigned)(codes[i + half] + 8) << 4);
    }
    return kind == REQUANTIZED_Q8_0 ? block_weights : half;
}

static void put_block(struct body *to, const float *x, enum requantized_codes kind,
                      enum requantized_form form)
{
    struct block b;
    unsigned char codes[block_weights];
    round_block(x, kind, &b);
    if (form == REQUANTIZED_FLOATS) {
        put(to, b.weights, sizeof b.weights);
        return;
    }
    size_t n = pack(&b, kind, form == REQUANTIZED_WRONG, codes);
    put(to, &b.half, sizeof b.half);
    put(to, codes, n);
}

/* One tensor: its description changed in place, its weights behind those before. Returns its bytes. */
static size_t pass_tensor(struct file *f, const unsigned char *weights, enum requantized_codes kind,
                          enum requantized_form form, struct body *to)
{
    static const unsigned char zeros[alignment];
    const char *name;
    (void)take_text(f, &name);
    uint32_t rank = (uint32_t)take(f, 4);
    uint64_t shape[2] = {0, 1};
    assert_true(rank == 1 || rank == 2);
    for (uint32_t i = 0; i < rank; i++) {
        shape[i] = take(f, 8);
    }
    size_t at_type = f->at, count = (size_t)(shape[0] * shape[1]);
    assert_int_equal(take(f, 4), type_f32);
    const unsigned char *from = weights + take(f, 8);
    assert_true(from + count * sizeof(float) <= f->bytes + f->n);
    uint64_t offset = to->n;
    bool blocks = rank == 2 && form != REQUANTIZED_FLOATS;
    uint32_t type = !blocks ? type_f32 : kind == REQUANTIZED_Q8_0 ? type_q8_0 : type_q4_0;
    memcpy(f->bytes + at_type, &type, sizeof type);
    memcpy(f->bytes + at_type + sizeof type, &offset, sizeof offset);
    for (size_t i = 0; rank == 2 && i < count; i += block_weights) {
        float x[block_weights];
        assert_int_equal(shape[0] % block_weights, 0); /* no block goes over the end of a row */
        memcpy(x, from + i * sizeof *x, sizeof x);
        put_block(to, x, kind, form);
    }
    if (rank == 1) {
        put(to, from, count * sizeof(float));
    }
    size_t n = to->n - (size_t)offset;
    put(to, zeros, (alignment - to->n % alignment) % alignment);
    return n;
}

/* Where the weights of the input begin: behind what describes its tensors, which is passed once for that. */
static size_t find_weights(struct file f, uint64_t n_tensors)
{
    for (uint64_t i = 0; i < n_tensors; i++) {
        const char *name;
        (void)take_text(&f, &name);
        uint32_t rank = (uint32_t)take(&f, 4);
        f.at += (size_t)rank * 8 + 4 + 8;
        assert_true(f.at < f.n);
    }
    return f.at + (alignment - f.at % alignment) % alignment;
}

static void read_file(const char *path, struct file *out)
{
    FILE *in = fopen(path, "rb");
    *out = (struct file){.bytes = malloc(most_bytes)};
    assert_true(in && out->bytes);
    out->n = fread(out->bytes, 1, most_bytes, in);
    assert_true(out->n > 0 && out->n < most_bytes);
    (void)fclose(in);
}

int64_t requantized_write(const char *from, enum requantized_codes kind, enum requantized_form form,
                          const char *to)
{
    struct file f;
    struct body body = {malloc(most_bytes), 0};
    int64_t total = 0;
    read_file(from, &f);
    assert_non_null(body.bytes);
    assert_int_equal(take(&f, 4), 0x46554747); /* "GGUF" */
    assert_int_equal(take(&f, 4), 3);
    uint64_t n_tensors = take(&f, 8), n_pairs = take(&f, 8);
    pass_pairs(&f, n_pairs, form == REQUANTIZED_FLOATS ? 0 : kind == REQUANTIZED_Q8_0 ? 7 : 2);
    size_t weights = find_weights(f, n_tensors);
    for (uint64_t i = 0; i < n_tensors; i++) {
        total += (int64_t)pass_tensor(&f, f.bytes + weights, kind, form, &body);
    }
    FILE *out = fopen(to, "wb");
    assert_non_null(out);
    assert_int_equal(fwrite(f.bytes, 1, weights, out), weights);
    assert_int_equal(fwrite(body.bytes, 1, body.n, out), body.n);
    assert_int_equal(fclose(out), 0);
    free(f.bytes);
    free(body.bytes);
    return total;
}
