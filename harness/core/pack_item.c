/* SPDX-License-Identifier: Apache-2.0 */
/* Written by hand, for a JSON library may change how it escapes. */
#include "core/pack_item.h"

#include "base/plain.h"

#include <inttypes.h>
#include <string.h>

/* A member that is added to an item must be added below, or packs would not see it. (One of four bytes could
 * hide in the padding at its end.) */
_Static_assert(sizeof(void *) != 8 || sizeof(struct tare_item) == 120,
               "an item has a new member: write it in tare_pack_item");

static const char hex[] = "0123456789abcdef";

static void add_hex(struct tare_bytes text, struct tare_buf *to)
{
    tare_buf_add_str(to, "{\"hex\":\"");
    for (size_t i = 0; i < text.n; i++) {
        unsigned char c = (unsigned char)text.data[i];
        tare_buf_add(to, &hex[c >> 4], 1);
        tare_buf_add(to, &hex[c & 15], 1);
    }
    tare_buf_add_str(to, "\"}");
}

/* How many bytes stand for themselves. */
static size_t plain_run(const char *text, size_t n)
{
    size_t i = 0;
    while (i < n && (unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\') {
        i++;
    }
    return i;
}

void tare_pack_text(struct tare_bytes text, struct tare_buf *to)
{
    if (text.n > 0 && tare_plain_valid(text.data, text.n) != text.n) {
        add_hex(text, to);
        return;
    }
    tare_buf_add_str(to, "\"");
    for (size_t i = 0; i < text.n;) {
        size_t n = plain_run(text.data + i, text.n - i);
        tare_buf_add(to, text.data + i, n);
        i += n;
        if (i < text.n) {
            unsigned char c = (unsigned char)text.data[i++];
            if (c == '"' || c == '\\') {
                tare_buf_printf(to, "\\%c", c);
            } else {
                tare_buf_printf(to, "\\u%04x", c);
            }
        }
    }
    tare_buf_add_str(to, "\"");
}

static void add_texts(const char *key, const struct tare_bytes *texts, size_t n, struct tare_buf *to)
{
    tare_buf_printf(to, ",\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        tare_buf_add_str(to, i > 0 ? "," : "");
        tare_pack_text(texts[i], to);
    }
    tare_buf_add_str(to, "]");
}

static void add_spans(const struct tare_item *item, struct tare_buf *to)
{
    tare_buf_add_str(to, ",\"spans\":[");
    for (size_t i = 0; i < item->n_spans; i++) {
        tare_buf_printf(to, "%s[%" PRIu32 ",%" PRIu32 "]", i > 0 ? "," : "", item->spans[i].begin,
                        item->spans[i].end);
    }
    tare_buf_add_str(to, "]");
}

static void add_choice(const struct tare_item *item, struct tare_buf *to)
{
    if (item->contexts) {
        add_texts("contexts", item->contexts, item->n_choices, to);
    }
    add_texts("choices", item->choices, item->n_choices, to);
    tare_buf_printf(to, ",\"gold\":%zu", item->gold);
    if (item->n_picked > 0) {
        tare_buf_printf(to, ",\"n_picked\":%" PRIu32, item->n_picked);
    }
}

static void add_generation(const struct tare_item *item, struct tare_buf *to)
{
    add_texts("stops", item->stops, item->n_stops, to);
    if (item->reference.data) {
        tare_buf_add_str(to, ",\"reference\":");
        tare_pack_text(item->reference, to);
    }
    tare_buf_printf(to, ",\"n_tokens\":%" PRIu32 ",\"max_output\":%" PRIu32, item->n_tokens,
                    item->max_output);
}

int tare_pack_item(const struct tare_item *item, struct tare_buf *to, struct tare_err *err)
{
    static const char *const kinds[] = {NULL, "text", "spans", "choice", "generate", "tokens"};
    if ((size_t)item->kind >= sizeof kinds / sizeof *kinds || !kinds[item->kind]) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "pack: items of kind %d cannot be packed",
                            (int)item->kind);
    }
    tare_buf_printf(to, "{\"kind\":\"%s\",\"text\":", kinds[item->kind]);
    tare_pack_text(item->text, to);
    if (item->kind == TARE_ITEM_SPANS) {
        add_spans(item, to);
    } else if (item->kind == TARE_ITEM_CHOICE) {
        add_choice(item, to);
    } else if (item->kind == TARE_ITEM_GENERATE || item->kind == TARE_ITEM_TOKENS) {
        add_generation(item, to);
    }
    tare_buf_printf(to, ",\"level\":%" PRId32 "}\n", item->level);
    return 0;
}

int tare_pack_items_hash(const struct tare_task *task, void *self, char out[TARE_SHA256_HEX],
                         struct tare_err *err)
{
    struct tare_buf line;
    char digest[TARE_SHA256_HEX];
    struct tare_hasher *hasher = tare_hasher_begin();
    size_t n = task->count(self);
    int r = 0;
    tare_buf_init(&line, 1 << 30);
    for (size_t i = 0; r == 0 && i < n; i++) {
        struct tare_item item = {0};
        r = task->item(self, i, &item, err);
        r = r == 0 ? tare_pack_item(&item, &line, err) : r;
        r = r == 0 ? tare_buf_check(&line, "an item", err) : r;
        tare_hasher_add(hasher, line.data, r == 0 ? line.used : 0);
        tare_buf_drop(&line, line.used);
    }
    tare_buf_fini(&line);
    int ended = tare_hasher_end(hasher, digest, r == 0 ? err : NULL);
    r = r == 0 ? ended : r;
    if (r == 0) {
        memcpy(out, digest, sizeof digest);
    }
    return r;
}
