/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calibration: how text is cut into windows, moments against sums made by hand, and what the shipped text may
 * not hold.
 */
#include "moments.h"

#include "engine.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct text {
    char folder[256];
    char path[300];
};

static void write_text(struct text *t, const char *bytes, size_t n)
{
    struct blob blob = {.bytes = malloc(n + 1), .n = n};
    assert_non_null(blob.bytes);
    memcpy(blob.bytes, bytes, n);
    fixture_folder(t->folder, sizeof t->folder);
    (void)snprintf(t->path, sizeof t->path, "%s/text", t->folder);
    fixture_write(t->path, blob);
}

static void remove_text(const struct text *t)
{
    assert_int_equal(unlink(t->path), 0);
    assert_int_equal(rmdir(t->folder), 0);
}

static struct tare_calibration cut(struct treated *t, const struct text *text, int64_t most, int64_t window)
{
    char path[300];
    struct tare_calibration c;
    struct tare_err err = {0};
    memcpy(path, text->path, sizeof path);
    const struct tare_calibration_choice choice = {.path = path, .most_tok = most, .window_tok = window};
    if (tare_calibration_open_choice(&c, &t->treatment, &choice, &err) < 0) {
        fail_msg("%s", err.msg);
    }
    return c;
}

/* Digits are a token each, so the text is its own list of ids. */
static void test_windows(void **state)
{
    static const char bytes[] = "0123456789\0abc";
    struct treated t;
    struct text text;
    (void)state;
    treated_load(&t, "llama-0.1m");
    write_text(&text, bytes, 11);
    struct tare_calibration c = cut(&t, &text, 100, 4);
    assert_int_equal(c.window, 4);
    assert_int_equal(c.n_windows, 3); /* 11 tokens, 3 whole windows beside their BOS */
    static const int32_t want[] = {0, '0', '1', '2', 0, '3', '4', '5', 0, '6', '7', '8'};
    assert_memory_equal(c.tokens, want, sizeof want);
    assert_int_equal(t.treatment.calibration_tok, 12);
    tare_calibration_close(&c);
    c = cut(&t, &text, 8, 4); /* two windows of three: the first, and the one halfway */
    static const int32_t spread[] = {0, '0', '1', '2', 0, '3', '4', '5'};
    assert_int_equal(c.n_windows, 2);
    assert_memory_equal(c.tokens, spread, sizeof spread);
    assert_int_equal(t.treatment.calibration_tok, 20);
    tare_calibration_close(&c);
    c = cut(&t, &text, 6, 3);
    static const int32_t far[] = {0, '0', '1', 0, '4', '5'};
    assert_memory_equal(c.tokens, far, sizeof far);
    tare_calibration_close(&c);
    c = cut(&t, &text, 100, 0); /* a text shorter than the context makes one window */
    assert_int_equal(c.window, 12);
    assert_int_equal(c.n_windows, 1);
    assert_int_equal(c.tokens[11], 0); /* NUL between documents is the token that begins one */
    tare_calibration_close(&c);
    remove_text(&text);
    treated_stop(&t);
}

static void refuse(struct treated *t, const char *path, int64_t most, int code, const char *says)
{
    struct tare_calibration c = {.window = 77};
    struct tare_err err = {0};
    assert_int_equal(tare_calibration_open(&c, &t->treatment, path, most, &err), code);
    assert_non_null(strstr(err.msg, says));
    assert_int_equal(c.window, 77);
    assert_int_equal(t->treatment.calibration_tok, 0);
}

static void test_refusals(void **state)
{
    struct treated t;
    struct text text;
    (void)state;
    treated_load(&t, "llama-0.1m");
    write_text(&text, "", 0);
    refuse(&t, text.path, 100, TARE_E_USAGE, "no window of two tokens");
    refuse(&t, text.folder, 100, TARE_E_IO, "not a regular file");
    remove_text(&text);
    refuse(&t, text.path, 100, TARE_E_IO, "name another with calib=PATH");
    t.treatment.model_path = text.path;
    refuse(&t, NULL, 100, TARE_E_IO, "calibration.bin");
    treated_stop(&t);
}

/* norm(embed[token]; norm1) is what q, k and v of the first block see. */
static void first_input(const struct treated *t, int32_t token, double *x)
{
    uint32_t d = t->model.config.d_model;
    float *row = malloc(d * sizeof *row);
    const struct tare_vector *weight = tare_model_vector(&t->model, "blocks.0.norm1.weight");
    double squares = 0;
    assert_true(row && weight && weight->n == d);
    t->model.linears[0].storage->unpack(&t->model.linears[0], (uint32_t)token, 1, row);
    for (uint32_t i = 0; i < d; i++) {
        squares += (double)row[i] * (double)row[i] / d;
    }
    for (uint32_t i = 0; i < d; i++) {
        x[i] = (double)row[i] / sqrt(squares + 1e-5) * (double)weight->at[i];
    }
    free(row);
}

static void test_first_block(void **state)
{
    static const char bytes[] =
        "Call it a day, said the old man; and so they did. Then 12 + 30 = 42 was asked.";
    struct treated t;
    struct text text;
    struct tare_moments m[3] = {{0}};
    struct tare_err err = {0};
    double h[48][48] = {{0}};
    double sizes[48] = {0};
    (void)state;
    treated_load(&t, "llama-0.1m");
    write_text(&text, bytes, sizeof bytes - 1);
    struct tare_calibration c = cut(&t, &text, 1000, 16);
    assert_true(c.n_windows >= 2);
    const struct tare_linear *of[3] = {treated_find(&t, "blocks.0.attn.q"),
                                       treated_find(&t, "blocks.0.attn.v"), treated_find(&t, "embed")};
    assert_int_equal(tare_calibration_collect(&c, of, 3, m, &err), 0);
    for (uint32_t i = 0; i < c.window * c.n_windows; i++) {
        double x[48];
        first_input(&t, c.tokens[i], x);
        for (int a = 0; a < 48; a++) {
            sizes[a] += fabs(x[a]);
            for (int b = 0; b < 48; b++) {
                h[a][b] += x[a] * x[b];
            }
        }
    }
    for (int a = 0; a < 48; a++) {
        assert_true(fabs(m[0].abs[a] - sizes[a]) < 1e-5 * sizes[a]);
        for (int b = 0; b < 48; b++) {
            assert_true(fabs(m[0].h[a * 48 + b] - h[a][b]) < 1e-4 * sqrt(h[a][a] * h[b][b]));
        }
    }
    assert_int_equal(m[0].tokens, c.window * c.n_windows);
    assert_memory_equal(m[0].h, m[1].h, sizeof h);
    assert_int_equal(m[2].tokens, 0); /* the head is not multiplied */
    for (int i = 0; i < 3; i++) {
        tare_moments_close(&m[i]);
    }
    tare_calibration_close(&c);
    remove_text(&text);
    treated_stop(&t);
}

/* Sums each product's input by itself. */
struct watch {
    const struct tare_linear *of;
    double *h;
    int64_t tokens;
};

static void watch(void *observer, const struct tare_linear *w, const struct tare_product *p)
{
    struct watch *seen = observer;
    for (uint32_t i = 0; w == seen->of && i < p->n; i++) {
        const float *x = p->from + (size_t)i * p->from_stride;
        for (uint32_t a = 0; a < w->in; a++) {
            for (uint32_t b = 0; b < w->in; b++) {
                seen->h[(size_t)a * w->in + b] += (double)x[a] * (double)x[b];
            }
        }
        seen->tokens++;
    }
}

static void watch_steps(const struct treated *t, const struct tare_calibration *c, struct watch *seen)
{
    struct tare_engine e;
    struct tare_err err = {0};
    const struct tare_engine_options how = {.threads = 1, .block = 1};
    assert_int_equal(tare_engine_open(&e, &t->model, &how, &err), 0);
    e.exec.observe = watch;
    e.exec.observer = seen;
    for (uint32_t i = 0; i < c->n_windows; i++) {
        tare_engine_reset(&e);
        tare_engine_feed(&e, c->tokens + (size_t)i * c->window, c->window);
    }
    tare_engine_close(&e);
}

/* All matrices of a block at once, as blocks of rows, against one at a time, step by step. */
static void check_block(const char *name)
{
    struct treated t;
    struct tare_calibration c;
    struct tare_err err = {0};
    const struct tare_linear *of[16];
    struct tare_moments m[16] = {{0}};
    size_t n = 0;
    const struct tare_calibration_choice choice = {.most_tok = 128, .window_tok = 64};
    treated_load(&t, name);
    assert_int_equal(tare_calibration_open_choice(&c, &t.treatment, &choice, &err), 0);
    for (size_t i = 1; i < t.model.n_linears && n < 16; i++) {
        if (strncmp(t.model.linears[i].name, "blocks.1.", 9) == 0) {
            of[n++] = &t.model.linears[i];
        }
    }
    assert_in_range(n, 4, 16);
    assert_int_equal(tare_calibration_collect(&c, of, n, m, &err), 0);
    for (size_t i = 0; i < n; i++) {
        size_t in = of[i]->in;
        struct watch seen = {.of = of[i], .h = calloc(in * in, sizeof(double))};
        watch_steps(&t, &c, &seen);
        assert_int_equal(m[i].tokens, seen.tokens);
        for (size_t k = 0; k < in * in; k++) {
            double scale = sqrt(seen.h[k / in * in + k / in] * seen.h[k % in * in + k % in]);
            if (!(fabs(m[i].h[k] - seen.h[k]) <= 1e-3 * scale)) {
                fail_msg("%s %s: moment %zu is %g, summed by hand %g", name, of[i]->name, k, m[i].h[k],
                         seen.h[k]);
            }
        }
        free(seen.h);
        tare_moments_close(&m[i]);
    }
    tare_calibration_close(&c);
    treated_stop(&t);
}

static void test_blocks(void **state)
{
    (void)state;
    check_block("llama-0.25m");
    check_block("rwkv4-1m");
    check_block("retnet-1m");
}

static uint32_t crc32_of(const char *bytes, size_t n)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < n; i++) {
        crc ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

/* Bytes of a task line that decide whether it is held out; 0: no task line. */
static size_t prompt_bytes(const char *line, size_t n)
{
    static const struct {
        char task;
        const char *end;
    } ends[] = {{'R', " ?"}, {'C', " ?"}, {'S', " ? "}, {'A', "="}, {'L', "="}};
    if (n < 3 || line[1] != ':') {
        return 0;
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        const char *at = line[0] == ends[i].task ? memmem(line, n, ends[i].end, strlen(ends[i].end)) : NULL;
        if (at) {
            return (size_t)(at - line) + strlen(ends[i].end);
        }
    }
    return line[0] == 'F' ? n : 0;
}

static void test_shipped_text(void **state)
{
    char path[512];
    static char bytes[1 << 18];
    size_t tasks = 0;
    (void)state;
    fixture_zoo("calibration.bin", path, sizeof path);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(bytes, 1, sizeof bytes, f);
    assert_int_equal(fclose(f), 0);
    assert_in_range(n, 100000, 200000);
    for (size_t at = 0; at < n;) {
        size_t end = at;
        while (end < n && bytes[end] != '\n' && bytes[end] != '\0') {
            end++;
        }
        size_t prompt = prompt_bytes(bytes + at, end - at);
        if (prompt > 0 && crc32_of(bytes + at, prompt) % 16 == 0) {
            fail_msg("calibration.bin holds an item that is graded: %.60s", bytes + at);
        }
        tasks += prompt > 0;
        at = end + 1;
    }
    assert_in_range(tasks, 500, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_windows),      cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_first_block),  cmocka_unit_test(test_blocks),
        cmocka_unit_test(test_shipped_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
