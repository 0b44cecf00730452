/* SPDX-License-Identifier: Apache-2.0 */
/* Blocks are used where they lie; only what must not end with its block is copied. */
#include "input.h"

#include <stdlib.h>
#include <string.h>

static const char byte_order_mark[3] = "\xef\xbb\xbf";

/* The first three bytes, which may come in pieces, and what stands behind them. */
static int read_head(struct tare_input *input, size_t *n, struct tare_err *err)
{
    *n = 0;
    while (*n < sizeof input->head) {
        struct tare_bytes block = {0};
        int r = tare_packed_read(input->packed, &block, err);
        if (r <= 0) {
            return r;
        }
        size_t more = sizeof input->head - *n < block.n ? sizeof input->head - *n : block.n;
        memcpy(input->head + *n, block.data, more);
        *n += more;
        input->rest = (struct tare_bytes){.data = block.data + more, .n = block.n - more};
    }
    return 1;
}

int tare_input_open(struct tare_input *input, const char *path, struct tare_err *err)
{
    size_t n = 0;
    *input = (struct tare_input){.path = path, .line = 1};
    int r = tare_packed_open_stream(path, &input->packed, err);
    if (r == 0) {
        r = read_head(input, &n, err);
    }
    if (r < 0) {
        return r;
    }
    if (n < sizeof byte_order_mark || memcmp(input->head, byte_order_mark, sizeof byte_order_mark) != 0) {
        input->left = (struct tare_bytes){.data = input->head, .n = n};
    }
    if (r == 0) { /* shorter than a mark: there is no more to read */
        tare_packed_close(input->packed);
        input->packed = NULL;
    }
    return 0;
}

struct tare_input tare_input_of(const char *path, unsigned long long line, struct tare_bytes bytes)
{
    return (struct tare_input){.path = path, .line = line, .left = bytes};
}

int tare_input_fill(struct tare_input *input, struct tare_err *err)
{
    if (input->left.n > 0) {
        return 1;
    }
    if (input->rest.n > 0) {
        input->left = input->rest;
        input->rest.n = 0;
        return 1;
    }
    return input->packed ? tare_packed_read(input->packed, &input->left, err) : 0;
}

int tare_input_peek(struct tare_input *input, struct tare_err *err)
{
    int r = input->left.n > 0 ? 1 : tare_input_fill(input, err);
    return r > 0 ? (unsigned char)*input->left.data : r == 0 ? TARE_INPUT_END : r;
}

void tare_input_take(struct tare_input *input)
{
    input->line += *input->left.data == '\n';
    input->left.data++;
    input->left.n--;
}

void tare_input_close(struct tare_input *input)
{
    tare_packed_close(input->packed);
    input->packed = NULL;
    input->left.n = input->rest.n = 0;
}

int tare_input_fault(const struct tare_input *input, unsigned long long line, struct tare_err *err,
                     const char *fmt, ...)
{
    char what[256];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    return tare_err_set(err, TARE_E_FORMAT, "%s: line %llu: %s", input->path, line, what);
}

static int reserve(struct tare_gather *gather, size_t need, struct tare_err *err)
{
    size_t cap = gather->cap ? gather->cap : 4096;
    while (cap < need) {
        cap *= 2;
    }
    if (cap > gather->cap) {
        char *data = realloc(gather->data, cap);
        if (!data) {
            return tare_err_set(err, TARE_E_NOMEM, "no memory for a record of %zu bytes", need);
        }
        gather->data = data;
        gather->cap = cap;
    }
    return 0;
}

int tare_gather_begin(struct tare_gather *gather, struct tare_err *err)
{
    int r = reserve(gather, 1, err);
    if (r == 0) {
        gather->n = 0;
        gather->data[0] = '\0';
    }
    return r;
}

int tare_gather_add(struct tare_gather *gather, const char *data, size_t n, const struct tare_input *input,
                    unsigned long long line, struct tare_err *err)
{
    if (n > TARE_RECORD_LIMIT_BYTES - gather->n) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: line %llu: a record of more than %zu MiB begins here",
                            input->path, line, TARE_RECORD_LIMIT_BYTES >> 20);
    }
    int r = reserve(gather, gather->n + n + 1, err);
    if (r == 0) {
        memcpy(gather->data + gather->n, data, n);
        gather->n += n;
        gather->data[gather->n] = '\0';
    }
    return r;
}
