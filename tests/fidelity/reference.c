/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The independent path: dumps a model's logits to a file through the backend contract alone, and computes the
 * divergences between two dumps in long double. It shares no code with what it is held against: neither the
 * preparation of items, nor processes, nor the softmax, nor the divergences.
 *
 *   reference dump BACKEND.so MODEL TECHNIQUE|- TEXT OUT   documents of TEXT are apart by NUL
 *   reference kl TEACHER STUDENT N_VOCAB                   prints "positions KL(t||s) KL(s||t) JS same_top"
 *   reference llama BACKEND.so MODEL TEXT OUT N_CTX        a file as llama-perplexity would write it
 */
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <tare/backend.h>

struct dump {
    struct tare_sink sink; /* first */
    FILE *to;
    size_t n_vocab;
    uint32_t next;
    long rows;
    const int32_t *tokens;
    uint32_t from; /* rows before that position are not written */
    bool rounded;  /* as llama-perplexity writes them */
};

static void die(const char *what, const char *why)
{
    (void)fprintf(stderr, "reference: %s: %s\n", what, why);
    exit(1);
}

static void put(const struct dump *d, const void *data, size_t n)
{
    if (fwrite(data, 1, n, d->to) != n) {
        die("dump", "cannot be written");
    }
}

/* scale, lowest, codes, padding: at most 16 nats below the largest. */
static void put_rounded(const struct dump *d, const float *row)
{
    float most = row[0], least = row[0];
    double sum = 0;
    for (size_t i = 1; i < d->n_vocab; i++) {
        most = row[i] > most ? row[i] : most;
        least = row[i] < least ? row[i] : least;
    }
    least = least < most - 16 ? most - 16 : least;
    for (size_t i = 0; i < d->n_vocab; i++) {
        sum += exp((double)row[i] - (double)most);
    }
    const float head[2] = {(most - least) / 65535, least - most - (float)log(sum)};
    put(d, head, sizeof head);
    for (size_t i = 0; i < d->n_vocab + d->n_vocab % 2; i++) {
        float above = i < d->n_vocab && row[i] > least && head[0] > 0 ? (row[i] - least) / head[0] : 0;
        const uint16_t code = (uint16_t)(above + 0.5F);
        put(d, &code, sizeof code);
    }
}

static void on_logits(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct dump *d = (struct dump *)sink;
    (void)id;
    if (position != d->next++) {
        die("dump", "positions out of order");
    }
    if (position < d->from) {
        return;
    }
    d->rows++;
    if (d->rounded) {
        put_rounded(d, row);
    } else {
        put(d, row, d->n_vocab * sizeof *row);
    }
}

/* A backend with its model. */
struct loaded {
    const struct tare_backend *ops;
    void *self;
    struct tare_model_facts facts;
};

static struct loaded load(const char *object, const char *model, const char *technique)
{
    struct loaded l = {.ops = NULL};
    struct tare_err err = {0};
    void *handle = dlopen(object, RTLD_NOW | RTLD_LOCAL);
    l.ops = handle ? dlsym(handle, "tare_plugin") : NULL;
    if (!l.ops) {
        die(object, dlerror());
    }
    l.self = calloc(1, l.ops->priv_size + (size_t)1);
    const struct tare_load from = {
        .size = sizeof from, .path = model, .technique = strcmp(technique, "-") != 0 ? technique : NULL};
    if (!l.self || tare_opts_init(l.ops->options, l.self, &err) < 0 ||
        (l.ops->open && l.ops->open(l.self, &err) < 0) || l.ops->load(l.self, &from, &err) < 0) {
        die(model, err.msg);
    }
    l.facts.n_ctx = l.facts.n_vocab = l.facts.bos = TARE_UNKNOWN;
    if (l.ops->describe(l.self, &l.facts, &err) < 0 || l.facts.n_ctx < 1 || l.facts.n_vocab < 1 ||
        l.facts.bos < 0) {
        die(model, "unfit");
    }
    return l;
}

static void unload(const struct loaded *l)
{
    if (l->ops->unload) {
        l->ops->unload(l->self);
    }
    l->ops->close(l->self);
    tare_opts_fini(l->ops->options, l->self);
    free(l->self);
}

static char *read_text(const char *path, size_t *out_n)
{
    enum { most = 1 << 24 };
    FILE *from = fopen(path, "rb");
    char *text = malloc(most);
    if (!from || !text) {
        die(path, "cannot be read");
    }
    *out_n = fread(text, 1, most, from);
    (void)fclose(from);
    return text;
}

static size_t tokenize(const struct loaded *l, const char *text, size_t n_text, int32_t **out)
{
    struct tare_err err = {0};
    size_t n = 0;
    int32_t *ids = calloc(n_text + 1, sizeof *ids);
    uint32_t *ends = calloc(n_text + 1, sizeof *ends);
    if (!ids || !ends || l->ops->tokenize(l->self, text, n_text, ids, ends, n_text, &n, &err) < 0) {
        die("tokenize", err.msg);
    }
    free(ends);
    *out = ids;
    return n;
}

/* Distributions behind all of ids[0 .. n - 1]. */
static void ask(const struct loaded *l, struct dump *d, const int32_t *ids, uint32_t n)
{
    struct tare_err err = {0};
    const struct tare_request q = {
        .size = sizeof q, .kind = TARE_REQUEST_LOGITS, .id = 1, .tokens = ids, .n_tokens = n, .first = 1};
    d->next = 0;
    if (l->ops->submit(l->self, &q, &d->sink, &err) < 0) {
        die("submit", err.msg);
    }
}

/* A document in windows of the context: each begins with the beginning of sequence, and the last token of
 * each is only predicted. */
static void dump_document(const struct loaded *l, struct dump *d, const char *text, size_t n_text)
{
    int32_t *ids = NULL, *fed = calloc((size_t)l->facts.n_ctx + 1, sizeof *fed);
    size_t n = tokenize(l, text, n_text, &ids), window = (size_t)l->facts.n_ctx;
    if (!fed) {
        die("dump", "out of memory");
    }
    for (size_t begin = 0; begin < n; begin += window) {
        size_t part = n - begin < window ? n - begin : window;
        fed[0] = (int32_t)l->facts.bos;
        memcpy(fed + 1, ids + begin, (part - 1) * sizeof *ids);
        ask(l, d, fed, (uint32_t)part);
    }
    free(fed);
    free(ids);
}

static struct dump begin_dump(const struct loaded *l, const char *out)
{
    struct dump d = {.sink = {.size = sizeof d.sink, .logits = on_logits},
                     .to = fopen(out, "wb"),
                     .n_vocab = (size_t)l->facts.n_vocab};
    if (!d.to) {
        die(out, "cannot be written");
    }
    return d;
}

static int dump(char **words)
{
    const struct loaded l = load(words[0], words[1], words[2]);
    struct dump d = begin_dump(&l, words[4]);
    size_t n_text = 0;
    char *text = read_text(words[3], &n_text);
    for (size_t at = 0; at < n_text;) {
        size_t n = strnlen(text + at, n_text - at);
        dump_document(&l, &d, text + at, n);
        at += n + 1;
    }
    free(text);
    unload(&l);
    (void)printf("%ld rows of %zu\n", d.rows, d.n_vocab);
    return fclose(d.to) != 0;
}

/* The text as one, without the NULs, in chunks; each is computed with the beginning of sequence first. */
static int dump_llama(char **words)
{
    const struct loaded l = load(words[0], words[1], "-");
    struct dump d = begin_dump(&l, words[3]);
    size_t n_text = 0;
    char *text = read_text(words[2], &n_text);
    int32_t *ids = NULL, n_ctx = (int32_t)strtol(words[4], NULL, 10), *all;
    for (size_t i = 0; i < n_text; i++) {
        text[i] = text[i] ? text[i] : '\n';
    }
    size_t n = tokenize(&l, text, n_text, &ids) + 1;
    all = calloc(n, sizeof *all);
    if (!all || n_ctx < 4) {
        die("dump", "out of memory");
    }
    all[0] = (int32_t)l.facts.bos;
    memcpy(all + 1, ids, (n - 1) * sizeof *all);
    const int32_t head[3] = {n_ctx, (int32_t)d.n_vocab, (int32_t)(n / (size_t)n_ctx)};
    put(&d, "_logits_", 8);
    put(&d, head, sizeof head);
    put(&d, all, (size_t)head[2] * (size_t)n_ctx * sizeof *all);
    d.rounded = true;
    d.from = (uint32_t)n_ctx / 2;
    for (int32_t i = 0; i < head[2]; i++) {
        all[i * n_ctx] = (int32_t)l.facts.bos;
        ask(&l, &d, all + (size_t)i * (size_t)n_ctx, (uint32_t)n_ctx - 1);
    }
    free(all);
    free(ids);
    free(text);
    unload(&l);
    (void)printf("%ld rows of %zu\n", d.rows, d.n_vocab);
    return fclose(d.to) != 0;
}

static size_t largest(const float *row, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++) {
        best = row[i] > row[best] ? i : best;
    }
    return best;
}

static long double log_sum(const float *row, size_t n)
{
    long double most = (long double)row[largest(row, n)], sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += expl((long double)row[i] - most);
    }
    return most + logl(sum);
}

static int kl(char **words)
{
    size_t n = strtoul(words[2], NULL, 10);
    FILE *t = fopen(words[0], "rb"), *s = fopen(words[1], "rb");
    float *a = calloc(n + 1, sizeof *a), *b = calloc(n + 1, sizeof *b);
    long double ts = 0, st = 0, js = 0;
    long positions = 0, same = 0;
    if (!t || !s || !a || !b) {
        die("kl", "no dumps");
    }
    while (fread(a, sizeof *a, n, t) == n && fread(b, sizeof *b, n, s) == n) {
        long double sum_a = log_sum(a, n), sum_b = log_sum(b, n);
        for (size_t i = 0; i < n; i++) {
            long double la = (long double)a[i] - sum_a, lb = (long double)b[i] - sum_b;
            long double p = expl(la), q = expl(lb), lm = logl((p + q) / 2);
            ts += p * (la - lb);
            st += q * (lb - la);
            js += (p * (la - lm) + q * (lb - lm)) / 2;
        }
        positions++;
        same += largest(a, n) == largest(b, n);
    }
    (void)printf("%ld %.17Lg %.17Lg %.17Lg %.17g\n", positions, ts / positions, st / positions,
                 js / positions, (double)same / (double)positions);
    (void)fclose(t);
    (void)fclose(s);
    free(a);
    free(b);
    return 0;
}

int main(int argc, char **argv)
{
    return argc == 7 && strcmp(argv[1], "dump") == 0    ? dump(argv + 2)
           : argc == 7 && strcmp(argv[1], "llama") == 0 ? dump_llama(argv + 2)
           : argc == 5 && strcmp(argv[1], "kl") == 0    ? kl(argv + 2)
                                                        : 2;
}
