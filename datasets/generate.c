/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task generate: greedy continuation of the beginnings of documents.
 *
 * It gives a backend realistic prompts to write on from, for latency, throughput and energy; there is
 * no right answer, hence no metric. Each prompt is the start of another document, cut before a word,
 * or to an exact number of tokens; documents too short to have a word there are passed over. Nothing is
 * drawn: the seed has no influence.
 */
#include <stdlib.h>
#include <string.h>

#include "paragraphs.h"

struct generate {
    char *path;
    int64_t items;
    int64_t prompt_bytes;
    int64_t prompt_tok;
    int64_t max_output;
    char *stop;
    struct tare_documents documents;
    struct tare_bytes *prompts;
    size_t n_prompts;
    char *stop_text; /* `stop` with its escapes resolved */
    struct tare_bytes stops[1];
    size_t n_stops;
};

static const struct tare_metric metrics[] = {{0}};

static const struct tare_opt options[] = {
    {.name = "path",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct generate, path),
     .help = "text file, documents apart by NUL bytes; unset: the shipped prose"},
    {.name = "items",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct generate, items),
     .def = "8",
     .help = "prompts at most, one a document",
     .min = 1,
     .max = 100000},
    {.name = "prompt_bytes",
     .type = TARE_OPT_BYTES,
     .offset = offsetof(struct generate, prompt_bytes),
     .def = "200",
     .help = "length of a prompt, less what cutting before a word takes",
     .unit = "B",
     .min = 1,
     .max = 1 << 24},
    {.name = "prompt_tok",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct generate, prompt_tok),
     .def = "0",
     .help = "length of a prompt in the model's own tokens, cut exactly; 0: by prompt_bytes",
     .unit = "tok",
     .min = 0,
     .max = 1 << 24},
    {.name = "max_output",
     .type = TARE_OPT_I64,
     .offset = offsetof(struct generate, max_output),
     .def = "64",
     .help = "tokens to generate at most",
     .unit = "tok",
     .min = 1,
     .max = 1 << 20},
    {.name = "stop",
     .type = TARE_OPT_STR,
     .offset = offsetof(struct generate, stop),
     .help = "string that ends an answer; \\n means a newline"},
    TARE_OPT_END,
};

/* The longest prompt of at most `most` bytes that ends before " word"; n = 0 if the text has none. */
static struct tare_bytes cut_prompt(struct tare_bytes doc, size_t most)
{
    for (size_t end = most; end > 0 && most < doc.n; end--) {
        if (doc.data[end] == ' ' && end + 1 < doc.n && tare_is_letter(doc.data[end + 1])) {
            return (struct tare_bytes){.data = doc.data, .n = end};
        }
    }
    return (struct tare_bytes){0};
}

static int cut_prompts(struct generate *generate, struct tare_err *err)
{
    const struct tare_documents *documents = &generate->documents;
    generate->prompts = calloc(documents->n, sizeof *generate->prompts);
    if (!generate->prompts) {
        return tare_err_set(err, TARE_E_NOMEM, "task generate: no memory to list %zu prompts", documents->n);
    }
    for (size_t i = 0; i < documents->n && generate->n_prompts < (size_t)generate->items; i++) {
        /* Tokens are the harness's to count: it gets the document, and cuts it. */
        struct tare_bytes prompt = generate->prompt_tok > 0
                                       ? documents->docs[i]
                                       : cut_prompt(documents->docs[i], (size_t)generate->prompt_bytes);
        if (prompt.n > 0) {
            generate->prompts[generate->n_prompts++] = prompt;
        }
    }
    if (generate->n_prompts == 0) {
        return tare_err_set(
            err, TARE_E_FORMAT,
            "task generate: no document is longer than %lld bytes and has a space before a word "
            "there; lower prompt_bytes or choose another text",
            (long long)generate->prompt_bytes);
    }
    return 0;
}

static int set_stop(struct generate *generate, struct tare_err *err)
{
    if (!generate->stop) {
        return 0;
    }
    size_t n = strlen(generate->stop);
    if (n == 0) {
        return tare_err_set(err, TARE_E_USAGE,
                            "task generate: the stop string is empty; leave the option out");
    }
    generate->stop_text = malloc(n);
    if (!generate->stop_text) {
        return tare_err_set(err, TARE_E_NOMEM, "task generate: no memory for the stop string");
    }
    size_t written = 0;
    for (const char *from = generate->stop; *from; from++) {
        bool newline = from[0] == '\\' && from[1] == 'n';
        generate->stop_text[written++] = newline ? '\n' : *from;
        from += newline;
    }
    generate->stops[0] = (struct tare_bytes){.data = generate->stop_text, .n = written};
    generate->n_stops = 1;
    return 0;
}

static void close_task(void *self)
{
    struct generate *generate = self;
    free(generate->stop_text);
    free(generate->prompts);
    generate->stop_text = NULL;
    generate->prompts = NULL;
    generate->n_prompts = 0;
    generate->n_stops = 0;
    tare_documents_close(&generate->documents);
}

static int open_task(void *self, const char *data_dir, const struct tare_rng *seed, struct tare_err *err)
{
    struct generate *generate = self;
    (void)seed;
    int rc = tare_documents_open(&generate->documents, generate->path, data_dir, err);
    if (rc == 0) {
        rc = cut_prompts(generate, err);
    }
    if (rc == 0) {
        rc = set_stop(generate, err);
    }
    if (rc) {
        close_task(self);
    }
    return rc;
}

static size_t count(void *self)
{
    return ((const struct generate *)self)->n_prompts;
}

static int item(void *self, size_t index, struct tare_item *out, struct tare_err *err)
{
    const struct generate *generate = self;
    if (index >= generate->n_prompts) {
        return tare_err_set(err, TARE_E_USAGE, "task generate: there is no prompt %zu", index);
    }
    *out = (struct tare_item){.kind = TARE_ITEM_GENERATE,
                              .text = generate->prompts[index],
                              .stops = generate->n_stops ? generate->stops : NULL,
                              .n_stops = generate->n_stops,
                              .n_tokens = (uint32_t)generate->prompt_tok,
                              .max_output = (uint32_t)generate->max_output};
    return 0;
}

static const char *source(void *self, size_t i)
{
    return tare_documents_source(&((const struct generate *)self)->documents, i);
}

const struct tare_task tare_task_generate = {
    .header = TARE_TASK_HEADER,
    .name = "generate",
    .summary = "greedy continuation of the beginnings of documents, not graded",
    .version = 1,
    .priv_size = sizeof(struct generate),
    .options = options,
    .metrics = metrics,
    .open = open_task,
    .count = count,
    .item = item,
    .source = source,
    .close = close_task,
};
