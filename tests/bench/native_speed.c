/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the native engine as fast as this machine lets it be? Prefill against BLAS at the same shapes, decode
 * against the time to read its weights, packed weights against halves, decode at depth 480 against depth 0;
 * on one thread and on two, each figure and its floor in one run.
 *
 * Exit status: 0 every bar holds; 1 one is missed; 77 one is missed, but others used the machine so much that
 * this says nothing. It measures the engine alone, not the harness.
 */
#include "floors.h"
#include "packing.h"
#include "rounds.h"

#include "account.h"
#include "arch.h"
#include "sample.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { prompt_tok = 512, deep = 480, steps = 8, settle = 2, warm = 8, n_shipped = 5, n_engines = 7 };

static const char *const shipped[n_shipped] = {"llama-1m", "rwkv4-1m", "retnet-1m", "h3-1m", "hyena-1m"};

/* One model on its way; the first five as shipped, behind them llama-1m as int8 and int4. */
struct subject {
    char name[32];
    bool is_there;
    struct tare_model model;
    struct tare_engine engine;
    int32_t *tokens;      /* [prompt_tok] */
    unsigned char *state; /* after deep - settle tokens */
    int32_t sink;
    struct stream shallow_bytes; /* what a step reads: weights, and as much as its state has */
    struct stream deep_bytes;
    uint32_t shallow_time; /* numbers of the things measured */
    uint32_t deep_time;
    uint32_t shallow_read_time;
    uint32_t deep_read_time;
};

struct bench {
    uint32_t threads;
    struct subject subjects[n_engines];
    struct stream beyond;
    struct sgemm sgemm;
    struct rounds rounds;
    uint32_t beyond_time;
    uint32_t widen_time;
    uint32_t sgemm_time;
    uint32_t prefill_time;
    int n_missed;
};

static void must(int rc, const struct tare_err *err)
{
    if (rc < 0) {
        fprintf(stderr, "%s\n", err->msg);
        exit(2);
    }
}

static void *room(size_t bytes)
{
    void *at = NULL;
    if (posix_memalign(&at, 64, bytes) != 0) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(2);
    }
    memset(at, 1, bytes);
    return at;
}

static double cost_of(const struct subject *s, uint32_t depth, bool bytes)
{
    struct tare_cost cost;
    struct tare_err err = {0};
    const struct tare_work work = {.prompt_tok = depth + 1, .logits_rows = 1, .output_tok = 2};
    must(tare_account_count(&s->model, &work, &cost, &err), &err);
    return bytes ? (double)cost.decode_bytes : (double)cost.decode_flops;
}

static double bytes_of(const struct tare_model *model)
{
    double bytes = 0;
    for (size_t i = 0; i < model->n_linears; i++) {
        bytes += 2.0 * model->linears[i].out * model->linears[i].in;
    }
    return bytes;
}

static void take_steps(struct subject *s, int n)
{
    uint32_t n_vocab = s->model.config.n_vocab;
    for (int i = 0; i < n; i++) {
        tare_engine_feed(&s->engine, s->tokens + s->engine.n_tokens, 1);
        s->sink += tare_most_probable(tare_engine_logits(&s->engine, 0, 1), n_vocab);
    }
}

/* The steps before warm the caches up, as often as the reading of the weights does. */
static void go_to_start(void *ctx)
{
    struct subject *s = ctx;
    tare_engine_reset(&s->engine);
    take_steps(s, warm);
    tare_engine_reset(&s->engine);
}

static void go_deep(void *ctx)
{
    struct subject *s = ctx;
    if (!(s->engine.n_tokens >= deep - settle && tare_engine_cut(&s->engine, deep - settle))) {
        tare_engine_restore(&s->engine, s->state, deep - settle);
    }
    take_steps(s, settle);
}

static void decode(void *ctx)
{
    take_steps(ctx, steps);
}

static void go_back(void *ctx)
{
    struct subject *s = ctx;
    tare_engine_reset(&s->engine);
}

static void prefill(void *ctx)
{
    struct subject *s = ctx;
    tare_engine_feed(&s->engine, s->tokens, prompt_tok);
    s->sink += tare_most_probable(tare_engine_logits(&s->engine, prompt_tok - 1, 1), s->model.config.n_vocab);
}

static void open_engine(struct bench *b, struct subject *s)
{
    struct tare_err err = {0};
    struct tare_engine_options options = {.threads = b->threads, .pool = b->subjects[0].engine.exec.pool};
    must(tare_engine_open(&s->engine, &s->model, &options, &err), &err);
    s->tokens = room(prompt_tok * sizeof *s->tokens);
    for (int32_t i = 0; i < prompt_tok; i++) {
        s->tokens[i] = 1 + (i * 37) % 900;
    }
    tare_engine_feed(&s->engine, s->tokens, deep - settle);
    s->state = room(tare_engine_state_bytes(&s->engine, deep - settle) + 1);
    tare_engine_save(&s->engine, s->state);
    s->is_there = true;
}

static void open_subject(struct bench *b, struct subject *s, const char *file)
{
    const char *zoo = getenv("TARE_ZOO");
    struct tare_err err = {0};
    char path[600];
    if (!zoo) {
        fprintf(stderr, "TARE_ZOO is not set; it names the folder of the zoo's weights\n");
        exit(2);
    }
    (void)snprintf(path, sizeof path, "%s/%s.safetensors", zoo, file);
    if (access(path, R_OK) != 0) {
        printf("%s is not there and is left out\n", path);
        return;
    }
    must(tare_model_load(&s->model, path, &err), &err);
    if (s == &b->subjects[n_shipped]) {
        must(pack_int8(&s->model, &err), &err);
    } else if (s == &b->subjects[n_shipped + 1]) {
        must(pack_int4(&s->model, &err), &err);
    }
    open_engine(b, s);
}

static void close_subject(struct subject *s)
{
    tare_engine_close(&s->engine);
    tare_model_close(&s->model);
    free(s->tokens);
    free(s->state);
}

static void open_all(struct bench *b)
{
    struct tare_err err = {0};
    size_t beyond_bytes = (size_t)64 << 20;
    for (int i = 0; i < n_engines; i++) {
        const char *name = i < n_shipped ? shipped[i] : i == n_shipped ? "llama-1m int8" : "llama-1m int4";
        (void)snprintf(b->subjects[i].name, sizeof b->subjects[i].name, "%s", name);
        open_subject(b, &b->subjects[i], i < n_shipped ? shipped[i] : shipped[0]);
    }
    if (!b->subjects[0].is_there) {
        fprintf(stderr, "nothing can be said without llama-1m\n");
        exit(2);
    }
    struct tare_pool *pool = b->subjects[0].engine.exec.pool;
    b->beyond =
        (struct stream){.pool = pool, .bytes = room(beyond_bytes), .n_bytes = beyond_bytes, .passes = 1};
    must(sgemm_open(&b->sgemm, pool, &b->subjects[0].model, prompt_tok, &err), &err);
}

/* Weights where they lie, and other memory for the rest of what is counted. */
static void add_reading(struct bench *b, const struct subject *s, uint32_t depth, struct stream *stream,
                        uint32_t *time)
{
    double rest = cost_of(s, depth, true) - bytes_of(&s->model);
    *stream = (struct stream){.pool = b->beyond.pool,
                              .model = &s->model,
                              .bytes = b->beyond.bytes,
                              .n_bytes = depth > 0 && rest > 0 ? (size_t)rest : 0,
                              .passes = steps};
    *time = rounds_add(&b->rounds, (struct thing){"", stream_run, stream_run, stream, steps, NULL, 0});
}

static void list_all(struct bench *b)
{
    struct rounds *r = &b->rounds;
    for (int i = 0; i < n_engines; i++) {
        struct subject *s = &b->subjects[i];
        if (!s->is_there) {
            continue;
        }
        s->shallow_time = rounds_add(r, (struct thing){s->name, go_to_start, decode, s, steps, NULL, 0});
        s->deep_time = rounds_add(r, (struct thing){s->name, go_deep, decode, s, steps, NULL, 0});
        if (i < n_shipped) {
            add_reading(b, s, 0, &s->shallow_bytes, &s->shallow_read_time);
            add_reading(b, s, deep, &s->deep_bytes, &s->deep_read_time);
        }
    }
    b->widen_time =
        rounds_add(r, (struct thing){"", NULL, widen_run, &b->subjects[0].shallow_bytes, steps, NULL, 0});
    b->sgemm_time = rounds_add(r, (struct thing){"", NULL, sgemm_run, &b->sgemm, 1, NULL, 0});
    b->prefill_time = rounds_add(r, (struct thing){"", go_back, prefill, &b->subjects[0], 1, NULL, 0});
    b->beyond_time = rounds_add(r, (struct thing){"", NULL, stream_run, &b->beyond, 1, NULL, 0});
}

static void close_all(struct bench *b)
{
    free((void *)(uintptr_t)b->beyond.bytes);
    sgemm_close(&b->sgemm);
    rounds_close(&b->rounds);
    for (int i = n_engines; i-- > 0;) { /* the first one owns the threads */
        close_subject(&b->subjects[i]);
    }
}

/* Prints the ratio and whether it is at most `most` (or at least, with is_least). */
static void bar(struct bench *b, const char *what, double ratio, double limit, bool is_least)
{
    bool holds = is_least ? ratio >= limit : ratio <= limit;
    printf("  %-46s %6.2f  bar %s %.2f  %s\n", what, ratio, is_least ? ">=" : "<=", limit,
           holds ? "holds" : "MISSED");
    b->n_missed += !holds;
}

static void report_prefill(struct bench *b)
{
    struct tare_cost cost;
    struct tare_err err = {0};
    const struct tare_work work = {.prompt_tok = prompt_tok, .logits_rows = 1, .output_tok = 1};
    must(tare_account_count(&b->subjects[0].model, &work, &cost, &err), &err);
    double engine = (double)cost.prefill_flops / rounds_ns(&b->rounds, b->prefill_time);
    double blas = sgemm_flops(&b->sgemm) / rounds_ns(&b->rounds, b->sgemm_time);
    printf("prefill of %d tokens, llama-1m in halves\n", prompt_tok);
    printf("  cblas_sgemm at its shapes                     %7.1f GFLOP/s\n", blas);
    printf("  the engine, counted                           %7.1f GFLOP/s  (%.2f ms)\n", engine,
           rounds_ns(&b->rounds, b->prefill_time) * 1e-6);
    bar(b, "engine / sgemm", engine / blas, 0.60, true);
}

static void report_floor(const struct bench *b, const char *what, uint32_t thing, double bytes)
{
    double ns = rounds_ns(&b->rounds, thing);
    printf("  %-46s %6.2f us  %6.1f GB/s\n", what, ns * 1e-3, bytes / ns);
}

/* Halves cost three vector operations for 16 weights, two of them to widen; where two a cycle is all that a
 * core does, that is slower than its second cache. */
static void report_decode(struct bench *b)
{
    const struct subject *halves = &b->subjects[0];
    double weights = bytes_of(&halves->model);
    double time = rounds_ns(&b->rounds, halves->shallow_time);
    printf("decode at depth 0, llama-1m, time a token\n");
    report_floor(b, "reading its halves where they lie", halves->shallow_read_time, weights);
    report_floor(b, "widening as many, out of the nearest cache", b->widen_time, weights);
    report_floor(b, "reading 64 MiB", b->beyond_time, (double)b->beyond.n_bytes);
    report_floor(b, "halves", halves->shallow_time, weights);
    double reading = rounds_ns(&b->rounds, halves->shallow_read_time);
    double widening = rounds_ns(&b->rounds, b->widen_time);
    bar(b, "halves / reading them", time / reading, 1.30, false);
    bar(b, "halves / the longer of both", time / (reading > widening ? reading : widening), 1.30, false);
    for (int i = n_shipped; i < n_engines; i++) {
        const struct subject *s = &b->subjects[i];
        printf("  %-46s %6.2f us\n", s->name, rounds_ns(&b->rounds, s->shallow_time) * 1e-3);
        bar(b, i == n_shipped ? "int8 / halves" : "int4 / halves",
            rounds_ns(&b->rounds, s->shallow_time) / time, 0.99, false);
    }
}

/* What the counts and the caches together let a step at depth 480 take: the state of a Transformer does not
 * fit where the weights alone do, so reading its bytes takes longer than their number says. */
static void report_depth(struct bench *b)
{
    printf("decode at depth %d against depth 0, time a token\n", deep);
    for (int i = 0; i < n_shipped; i++) {
        const struct subject *s = &b->subjects[i];
        if (!s->is_there) {
            continue;
        }
        double shallow = rounds_ns(&b->rounds, s->shallow_time);
        double down = rounds_ns(&b->rounds, s->deep_time);
        double read = rounds_ns(&b->rounds, s->deep_read_time) / rounds_ns(&b->rounds, s->shallow_read_time);
        double flops = cost_of(s, deep, false) / cost_of(s, 0, false);
        double bytes = cost_of(s, deep, true) / cost_of(s, 0, true);
        printf("  %-11s %6.2f us %7.2f us  growth %.2f; counted FLOPs %.2f, bytes %.2f, time to read these "
               "%.2f\n",
               s->name, shallow * 1e-3, down * 1e-3, down / shallow, flops, bytes, read);
        bool grows = flops > 1.1;
        double allowed = grows ? (read > flops ? read : flops) : 1.0;
        bar(b, grows ? "growth / the largest of these" : "growth", down / shallow / allowed, 1.15, false);
    }
}

/* 0, 1, or 77. */
static int run_on(uint32_t threads, uint32_t n_rounds)
{
    struct bench *b = calloc(1, sizeof *b);
    if (!b) {
        return 2;
    }
    b->threads = threads;
    open_all(b);
    list_all(b);
    struct noise before = noise_now();
    rounds_run(&b->rounds, n_rounds);
    struct noise_share noise = noise_since(&before);
    printf("== %u thread%s, kernels %s, medians of %u rounds\n", threads, threads == 1 ? "" : "s",
           b->subjects[0].engine.exec.kernels->name, n_rounds);
    report_prefill(b);
    report_decode(b);
    report_depth(b);
    long spare = sysconf(_SC_NPROCESSORS_ONLN) - (long)threads;
    double interrupted = (double)b->rounds.n_interrupted / ((double)b->rounds.n_things * n_rounds);
    bool crowded = noise.steal > 0.02 || noise.foreign > (double)spare + 0.05 || interrupted > 0.05;
    printf("others used %.2f processors; %.1f %% of the time stolen, %.1f %% spent waiting for a processor; "
           "%.1f %% of the figures interrupted%s\n",
           noise.foreign, noise.steal * 100, noise.waited * 100, interrupted * 100,
           crowded ? ": too noisy to tell" : "");
    int missed = b->n_missed;
    close_all(b);
    free(b);
    return missed == 0 ? 0 : crowded ? 77 : 1;
}

int main(int argc, char **argv)
{
    uint32_t n_rounds = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100;
    int worst = 0;
    for (uint32_t threads = 1; threads <= 2; threads++) {
        if ((long)threads > sysconf(_SC_NPROCESSORS_ONLN)) {
            printf("== this machine has no processor for thread %u\n", threads);
            break;
        }
        int rc = run_on(threads, n_rounds > 0 ? n_rounds : 1);
        worst = worst == 1 || rc == 1 ? 1 : rc > worst ? rc : worst;
    }
    printf(worst == 0   ? "every bar holds\n"
           : worst == 1 ? "a bar is missed\n"
                        : "a bar is missed, on a noisy machine\n");
    return worst;
}
