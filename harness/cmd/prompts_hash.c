/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes that Python's json.dumps makes of a list of requests, into a hash. */
#include "cmd/prompts.h"

#include "base/hash.h"

#include <stdlib.h>
#include <string.h>
#include <tare/python_random.h>

enum { shuffle_seed = 42 };

static void add_text(struct tare_hasher *to, const char *text)
{
    tare_hasher_add(to, text, strlen(text));
}

/* One character of UTF-8 text; what is none counts as Latin-1, which valid data does not have. */
static uint32_t next(struct tare_bytes text, size_t *at)
{
    const unsigned char *p = (const unsigned char *)text.data + *at;
    size_t left = text.n - *at, n = *p < 0x80       ? 1
                                    : *p >> 5 == 6  ? 2
                                    : *p >> 4 == 14 ? 3
                                    : *p >> 3 == 30 ? 4
                                                    : 1;
    n = n > left ? 1 : n;
    uint32_t c = n == 1 ? *p : *p & (0x7fU >> n);
    for (size_t i = 1; i < n; i++) {
        c = c << 6 | (p[i] & 0x3fU);
    }
    *at += n;
    return c;
}

static void add_escaped(struct tare_hasher *to, uint32_t c)
{
    char text[16];
    if (c > 0xffff) {
        (void)snprintf(text, sizeof text, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10),
                       0xdc00 + ((c - 0x10000) & 0x3ff));
    } else {
        (void)snprintf(text, sizeof text, "\\u%04x", c);
    }
    add_text(to, text);
}

static void add_string(struct tare_hasher *to, struct tare_bytes text)
{
    static const char signs[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
    add_text(to, "\"");
    for (size_t at = 0; at < text.n;) {
        size_t begin = at;
        uint32_t c = next(text, &at);
        const char *sign = c && c < 0x80 ? strchr(signs, (int)c) : NULL;
        if (sign) {
            const char pair[] = {'\\', letters[sign - signs]};
            tare_hasher_add(to, pair, sizeof pair);
        } else if (c < 0x20 || c > 0x7e) {
            add_escaped(to, c);
        } else {
            tare_hasher_add(to, text.data + begin, at - begin);
        }
    }
    add_text(to, "\"");
}

static void add_request(struct tare_hasher *to, const struct tare_item *item, size_t i, bool first)
{
    add_text(to, first ? "[" : ", [");
    add_string(to, item->contexts ? item->contexts[i] : item->text);
    if (item->kind == TARE_ITEM_CHOICE) {
        add_text(to, ", ");
        add_string(to, item->choices[i]);
    }
    add_text(to, "]");
}

static int hash_items(const struct tare_opened_task *task, const size_t *order, size_t n,
                      struct tare_hasher *to, struct tare_err *err)
{
    bool first = true;
    int r = 0;
    add_text(to, "[");
    for (size_t k = 0; r == 0 && k < n; k++) {
        struct tare_item item = {0};
        r = task->task->item(task->self, order[k], &item, err);
        size_t n_requests = item.kind == TARE_ITEM_CHOICE ? item.n_choices : 1;
        for (size_t i = 0; r == 0 && i < n_requests; i++) {
            add_request(to, &item, i, first);
            first = false;
        }
    }
    add_text(to, "]");
    return r;
}

int tare_prompts_hash_v03(const struct tare_opened_task *task, char out[65], struct tare_err *err)
{
    struct tare_python_random random;
    char digest[TARE_SHA256_HEX];
    size_t n = task->task->count(task->self);
    size_t *order = calloc(n + 1, sizeof *order);
    if (!order) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < n; i++) {
        order[i] = i;
    }
    tare_python_random_init(&random, shuffle_seed);
    tare_python_random_shuffle(&random, order, n, sizeof *order);
    struct tare_hasher *hasher = tare_hasher_begin();
    int r = hash_items(task, order, n, hasher, err);
    int ended = tare_hasher_end(hasher, digest, r == 0 ? err : NULL);
    r = r == 0 ? ended : r;
    free(order);
    if (r == 0) {
        memcpy(out, digest, sizeof digest);
    }
    return r;
}
