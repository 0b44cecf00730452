/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task text: how many bits a model spends on a byte of text.
 *
 * Every document is one item, whole and untouched; the harness cuts it into windows. The figure is the
 * summed negative log-likelihood in nats over the bytes, divided by ln 2; dividing by bytes makes
 * models with different tokenizers comparable. Nothing is drawn: the seed has no influence.
 */
#include "documents.h"

struct text {
    char *path;
    int64_t items;
    struct tare_documents documents;
};

static const struct tare_metric metrics[] = {
    {.name = "bits_per_byte",
     .rule = TARE_METRIC_RATIO,
     .scale = 1.4426950408889634, /* 1 / ln 2: nats to bits */
     .unit = "bit/B",
     .lower_is_better = true,
     .help = "negative log-likelihood of the text per byte"},
    {0},
};

static const struct tare_opt options[] = {
    {.name = "path",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct text, path),
     .help = "text file, documents apart by NUL bytes; unset: the shipped prose"},
    {.name = "items",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct text, items),
     .def = "0",
     .help = "only the first so many documents; 0: all",
     .min = 0,
     .max = INT64_MAX},
    TARE_OPT_END,
};

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    struct text *text = self;
    (void)seed;
    return tare_documents_open(&text->documents, text->path, data_dir, err);
}

static size_t count(void *self)
{
    const struct text *text = self;
    uint64_t most = text->items ? (uint64_t)text->items : UINT64_MAX;
    return text->documents.n < most ? text->documents.n : (size_t)most;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct text *text = self;
    if (index >= count(self)) {
        return tare_err_set(err, TARE_E_USAGE, "task text: there is no document %zu", index);
    }
    *out = (struct tare_item){.kind = TARE_ITEM_TEXT, .text = text->documents.docs[index]};
    return 0;
}

static const char *source(void *self, size_t i)
{
    return tare_documents_source(&((const struct text *)self)->documents, i);
}

static void close_task(void *self)
{
    tare_documents_close(&((struct text *)self)->documents);
}

const struct tare_task tare_task_text = {
    .header = TARE_TASK_HEADER,
    .name = "text",
    .summary = "bits per byte of a text",
    .version = 1,
    .priv_size = sizeof(struct text),
    .options = options,
    .metrics = metrics,
    .open = open_task,
    .count = count,
    .item = item,
    .source = source,
    .close = close_task,
};
