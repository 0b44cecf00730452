/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The same weights through the torch worker and through the native backend: every token's log-probability
 * within 2e-3, and the same token is the most probable one. Skipped where Python has no PyTorch.
 */
#include <dlfcn.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <tare/backend.h>

enum { most_tok = 500 };

static const char text[] = "Once upon a time there was a little dog named Max. He didn't like the rain, but "
                           "one day it rained 27 times!\n"
                           "\"Why are you sad?\" asked the bird. \xc3\xa9t\xc3\xa9 and odd bytes \xff "
                           "too.\n\n  Two blanks\tand a tab. ";

struct heard {
    struct tare_sink sink;
    const struct tare_request *q;
    size_t n_vocab, n;
    double logprob[most_tok];
    bool greedy[most_tok];
};

static void on_score(struct tare_sink *sink, uint64_t id, uint32_t index, double logprob, bool greedy)
{
    struct heard *h = (struct heard *)(void *)sink;
    assert_int_equal(id, h->q->id);
    assert_int_equal(index, h->q->first + h->n);
    h->logprob[h->n] = logprob;
    h->greedy[h->n++] = greedy;
}

static void on_logits(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    const struct heard *h = (const struct heard *)(const void *)sink;
    int32_t target = h->q->tokens[position + 1];
    double most = (double)row[0], sum = 0;
    for (size_t i = 0; i < h->n_vocab; i++) {
        most = (double)row[i] > most ? (double)row[i] : most;
    }
    for (size_t i = 0; i < h->n_vocab; i++) {
        sum += exp((double)row[i] - most);
    }
    on_score(sink, id, position + 1, (double)row[target] - most - log(sum), (double)row[target] >= most);
}

/* A loaded backend. */
struct model {
    const struct tare_backend *ops;
    void *self;
    struct tare_model_facts facts;
};

static void load(struct model *m, const struct tare_backend *ops, const char *const *options)
{
    char path[4096];
    struct tare_err err = {0};
    m->ops = ops;
    m->self = calloc(1, ops->priv_size);
    int r = tare_opts_init(ops->options, m->self, &err);
    for (; r == 0 && *options; options += 2) {
        r = tare_opts_set(ops->options, m->self, options[0], options[1], "test", &err);
    }
    (void)snprintf(path, sizeof path, "%s/llama-1m.safetensors", getenv("TARE_ZOO"));
    const struct tare_load how = {.size = sizeof how, .path = path};
    r = r == 0 && ops->open ? ops->open(m->self, &err) : r;
    r = r == 0 ? ops->load(m->self, &how, &err) : r;
    r = r == 0 ? ops->describe(m->self, &m->facts, &err) : r;
    if (r < 0) {
        fail_msg("%s: %s", ops->name, err.msg);
    }
}

static void unload(struct model *m)
{
    m->ops->unload(m->self);
    m->ops->close(m->self);
    tare_opts_fini(m->ops->options, m->self);
    free(m->self);
}

static size_t tokenize(const struct model *m, int32_t *ids, uint32_t *ends)
{
    size_t n = 0;
    struct tare_err err = {0};
    ids[0] = (int32_t)m->facts.bos;
    if (m->ops->tokenize(m->self, text, sizeof text - 1, ids + 1, ends, most_tok - 1, &n, &err) < 0) {
        fail_msg("%s: %s", m->ops->name, err.msg);
    }
    return n + 1;
}

static void score(struct model *m, const int32_t *ids, size_t n, uint32_t first, struct heard *h)
{
    struct tare_err err = {0};
    const struct tare_request q = {.size = sizeof q,
                                   .kind = TARE_REQUEST_SCORE,
                                   .id = 77,
                                   .tokens = ids,
                                   .n_tokens = (uint32_t)n,
                                   .first = first,
                                   .shared_prefix = first > 1 ? first : 0};
    memset(h, 0, sizeof *h);
    h->sink = (struct tare_sink){.size = sizeof h->sink, .logits = on_logits, .score = on_score};
    h->q = &q;
    h->n_vocab = (size_t)m->facts.n_vocab;
    if (m->ops->submit(m->self, &q, &h->sink, &err) < 0) {
        fail_msg("%s: %s", m->ops->name, err.msg);
    }
    assert_int_equal(h->n, n - first);
    h->q = NULL;
}

static const char *python_with_torch(void)
{
    static const char *const names[] = {"python3", "/usr/bin/python3"};
    for (size_t i = 0; i < 2; i++) {
        char command[128];
        (void)snprintf(command, sizeof command, "%s -c 'import torch' 2>/dev/null", names[i]);
        if (system(command) == 0) { /* NOLINT(cert-env33-c): a test's own words */
            return names[i];
        }
    }
    return NULL;
}

/* The backend in the shared object that this variable names. */
static const struct tare_backend *find(const char *variable)
{
    const char *path = getenv(variable);
    void *object = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const struct tare_backend *ops = object ? dlsym(object, "tare_plugin") : NULL;
    if (!ops) {
        fail_msg("%s: %s", variable, path ? dlerror() : "not set");
    }
    return ops;
}

static void compare(struct model *native, const char *python, const char *settings)
{
    static int32_t ids[2][most_tok];
    static uint32_t ends[2][most_tok];
    static struct heard heard[2];
    const char *const options[] = {"command", "torch_worker.py", "set", settings, "python", python, NULL};
    struct model torch = {0};
    load(&torch, find("TARE_PROCESS"), options);
    assert_int_equal(torch.facts.params_total, native->facts.params_total);
    assert_int_equal(torch.facts.stored_bytes, native->facts.stored_bytes);
    assert_string_equal(torch.facts.tokenizer, native->facts.tokenizer);
    size_t n = tokenize(native, ids[0], ends[0]);
    assert_int_equal(tokenize(&torch, ids[1], ends[1]), n);
    assert_memory_equal(ids[0], ids[1], n * sizeof **ids);
    assert_memory_equal(ends[0], ends[1], (n - 1) * sizeof **ends);
    double worst = 0;
    for (uint32_t first = 1; first < n; first += 40) { /* the later ones start from the prefix in the cache */
        score(native, ids[0], n, first, &heard[0]);
        score(&torch, ids[0], n, first, &heard[1]);
        for (size_t i = 0; i < heard[0].n; i++) {
            worst = fmax(worst, fabs(heard[0].logprob[i] - heard[1].logprob[i]));
            assert_int_equal(heard[0].greedy[i], heard[1].greedy[i]);
        }
    }
    print_message("%zu tokens, %s: largest difference %.2e nat\n", n - 1, settings, worst);
    assert_true(n > 60 && worst < 2e-3);
    unload(&torch);
}

static void test_agrees(void **state)
{
    (void)state;
    const char *python = python_with_torch();
    if (!python) {
        print_message("skipped: no Python with PyTorch here\n");
        skip();
    }
    const char *const none[] = {NULL};
    struct model reference = {0};
    load(&reference, find("TARE_NATIVE"), none);
    compare(&reference, python, "logits=no");
    compare(&reference, python, "logits=yes reuse_prefix=no");
    unload(&reference);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
