/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From calibration text to second moments: reading and cutting, running the model, summing up.
 *
 * The text is encoded as one stream, in which a NUL between documents is itself the token that begins
 * a window. Windows lie evenly over the whole text and each begins with that token. Sums are kept in
 * double; matrices that share an input (q, k and v) share the product. It changes no weight.
 */
#include "calibration.h"

#include "engine.h"

#include <cblas.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define DEFAULT_NAME   "calibration.bin"
#define TEXT_BYTES_MAX ((int64_t)256 << 20)

struct text {
    char *bytes; /* owned */
    size_t n;
};

/* The shipped text lies in the folder of the model. */
static int default_path(const char *model_path, char *out, size_t cap, struct tare_err *err)
{
    const char *slash = strrchr(model_path, '/');
    int folder = slash ? (int)(slash - model_path) + 1 : 0;
    int n = snprintf(out, cap, "%.*s%s", folder, model_path, DEFAULT_NAME);
    if (n < 0 || (size_t)n >= cap) {
        return tare_err_set(err, TARE_E_LIMIT, "calibration: the path of the model is too long");
    }
    return 0;
}

/* The caller frees what was taken, whatever comes back. */
static int read_all(FILE *f, const char *path, struct text *out, struct tare_err *err)
{
    struct stat st;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode)) {
        return tare_err_set(err, TARE_E_IO, "%s: not a regular file", path);
    }
    if (st.st_size > TEXT_BYTES_MAX) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: calibration text of more than %" PRId64 " bytes; cut it",
                            path, TEXT_BYTES_MAX);
    }
    out->n = (size_t)st.st_size;
    out->bytes = malloc(out->n + 1);
    if (!out->bytes) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: no memory for %zu bytes", path, out->n);
    }
    if (fread(out->bytes, 1, out->n, f) != out->n) {
        return tare_err_set(err, TARE_E_IO, "%s: could not be read to the end", path);
    }
    return 0;
}

static int read_text(const char *path, struct text *out, struct tare_err *err)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        return tare_err_set(err, TARE_E_IO, "calibration text %s: %s; name another with calib=PATH", path,
                            strerror(errno));
    }
    int rc = read_all(f, path, out, err);
    (void)fclose(f);
    return rc;
}

/* The encoder needs work memory of its own: the treatment's tokenizer is only read. *ids is the caller's to
 * free in any case. */
static int encode(const struct tare_tokenizer *tokenizer, const struct text *text, int32_t **ids, size_t *n,
                  struct tare_err *err)
{
    struct tare_tokenizer own = *tokenizer;
    own.work = (struct tare_bpe_work){0};
    *ids = malloc((text->n + 1) * sizeof **ids);
    uint32_t *ends = malloc((text->n + 1) * sizeof *ends);
    int rc =
        *ids && ends ? 0 : tare_err_set(err, TARE_E_NOMEM, "calibration: no memory for %zu ids", text->n);
    if (rc == 0) {
        rc = tare_tokenizer_encode(&own, text->bytes, text->n, *ids, ends, text->n, n, err);
    }
    free(ends);
    tare_bpe_work_free(&own.work);
    return rc;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Window i of n begins at token i/n of the way through the whole windows that the text has. */
static int cut_windows(struct tare_calibration *c, const int32_t *ids, size_t n_ids,
                       const struct tare_calibration_choice *choice, const char *path, struct tare_err *err)
{
    const struct tare_model_config *config = &c->treatment->model->config;
    size_t most = choice->most_tok > 0 ? (size_t)choice->most_tok : 0;
    size_t wanted = choice->window_tok > 0 ? (size_t)choice->window_tok : config->n_ctx;
    size_t window = least(least(least(wanted, config->n_ctx), n_ids + 1), most);
    if (window < 2) {
        return tare_err_set(err, TARE_E_USAGE,
                            "calibration text %s gives no window of two tokens (calib_tok is %" PRId64
                            ", calib_window %" PRId64 ")",
                            path, choice->most_tok, choice->window_tok);
    }
    size_t body = window - 1;
    size_t whole = n_ids / body;
    size_t n = least(whole, most / window);
    c->tokens = malloc(n * window * sizeof *c->tokens);
    if (!c->tokens) {
        return tare_err_set(err, TARE_E_NOMEM, "calibration: no memory for %zu windows", n);
    }
    for (size_t i = 0; i < n; i++) {
        c->tokens[i * window] = config->bos;
        memcpy(c->tokens + i * window + 1, ids + i * whole / n * body, body * sizeof *ids);
    }
    c->window = (uint32_t)window;
    c->n_windows = (uint32_t)n;
    return 0;
}

int tare_calibration_open_choice(struct tare_calibration *calibration, struct tare_treatment *treatment,
                                 const struct tare_calibration_choice *choice, struct tare_err *err)
{
    struct tare_calibration made = {.treatment = treatment};
    struct text text = {0};
    int32_t *ids = NULL;
    size_t n_ids = 0;
    char shipped[4096];
    int rc = choice->path ? 0 : default_path(treatment->model_path, shipped, sizeof shipped, err);
    const char *path = choice->path ? choice->path : shipped;
    if (rc == 0) {
        rc = read_text(path, &text, err);
    }
    if (rc == 0) {
        rc = encode(treatment->tokenizer, &text, &ids, &n_ids, err);
    }
    if (rc == 0) {
        rc = cut_windows(&made, ids, n_ids, choice, path, err);
    }
    free(text.bytes);
    free(ids);
    if (rc == 0) {
        treatment->calibration_tok += (int64_t)made.window * made.n_windows;
        *calibration = made;
    }
    return rc;
}

int tare_calibration_open(struct tare_calibration *calibration, struct tare_treatment *treatment,
                          const char *path, int64_t most_tokens, struct tare_err *err)
{
    char *same = NULL; /* the choice is an option's, whose string is not const */
    if (path && !(same = strdup(path))) {
        return tare_err_set(err, TARE_E_NOMEM, "calibration: out of memory");
    }
    const struct tare_calibration_choice choice = {.path = same, .most_tok = most_tokens};
    int rc = tare_calibration_open_choice(calibration, treatment, &choice, err);
    free(same);
    return rc;
}

void tare_calibration_close(struct tare_calibration *calibration)
{
    free(calibration->tokens);
    memset(calibration, 0, sizeof *calibration);
}

/* What one run over the windows adds up. `seen` and `gram` belong to the last input that was met. */
struct collector {
    const struct tare_linear *const *of;
    struct tare_moments *out;
    size_t n;
    size_t n_unmet; /* of the n, in this window */
    bool *met;      /* owned, [n], in this window */
    float *seen;    /* owned, [rows, most_in] */
    double *wide;   /* owned, the same as doubles */
    double *gram;   /* owned, [most_in, most_in], upper half; of seen */
    double *abs;    /* owned, [most_in] */
    uint32_t seen_rows;
    uint32_t seen_in;
};

static bool is_seen(const struct collector *c, const struct tare_product *p, uint32_t in)
{
    bool same = c->seen_rows == p->n && c->seen_in == in;
    for (uint32_t i = 0; same && i < p->n; i++) {
        same =
            memcmp(c->seen + (size_t)i * in, p->from + (size_t)i * p->from_stride, in * sizeof(float)) == 0;
    }
    return same;
}

static void take_in(struct collector *c, const struct tare_product *p, uint32_t in)
{
    memset(c->abs, 0, in * sizeof *c->abs);
    for (uint32_t i = 0; i < p->n; i++) {
        const float *x = p->from + (size_t)i * p->from_stride;
        double *wide = c->wide + (size_t)i * in;
        memcpy(c->seen + (size_t)i * in, x, in * sizeof *x);
        for (uint32_t k = 0; k < in; k++) {
            wide[k] = (double)x[k];
            c->abs[k] += wide[k] < 0 ? -wide[k] : wide[k];
        }
    }
    cblas_dsyrk(CblasRowMajor, CblasUpper, CblasTrans, (int)in, (int)p->n, 1.0, c->wide, (int)in, 0.0,
                c->gram, (int)in);
    c->seen_rows = p->n;
    c->seen_in = in;
}

static void add_up(struct tare_moments *m, const struct collector *c)
{
    size_t in = m->in;
    for (size_t i = 0; i < in; i++) {
        for (size_t k = i; k < in; k++) {
            m->h[i * in + k] += c->gram[i * in + k];
        }
        m->abs[i] += c->abs[i];
    }
    m->tokens += c->seen_rows;
}

static void observe(void *observer, const struct tare_linear *w, const struct tare_product *p)
{
    struct collector *c = observer;
    for (size_t i = 0; i < c->n; i++) {
        if (c->of[i] != w) {
            continue;
        }
        if (!is_seen(c, p, w->in)) {
            take_in(c, p, w->in);
        }
        add_up(&c->out[i], c);
        c->n_unmet -= !c->met[i];
        c->met[i] = true;
    }
}

static void mirror(struct tare_moments *m)
{
    size_t in = m->in;
    for (size_t i = 0; i < in; i++) {
        for (size_t k = 0; k < i; k++) {
            m->h[i * in + k] = m->h[k * in + i];
        }
    }
}

/* Layers behind the last one that is asked for are not computed, once it is known which that is. */
static void run(struct collector *c, struct tare_engine *e, const struct tare_calibration *calibration)
{
    uint32_t last = e->model->config.n_layers;
    for (uint32_t i = 0; i < calibration->n_windows; i++) {
        uint32_t layer = 0;
        c->n_unmet = c->n;
        memset(c->met, 0, c->n * sizeof *c->met);
        tare_engine_reset(e);
        tare_engine_embed(e, calibration->tokens + (size_t)i * calibration->window, calibration->window);
        for (; layer < last && (c->n_unmet > 0 || i > 0); layer++) {
            tare_engine_layer(e, layer, calibration->window);
        }
        last = layer;
    }
}

static int take_memory(struct collector *c, uint32_t rows, struct tare_err *err)
{
    size_t in = 1;
    bool ok = true;
    for (size_t i = 0; i < c->n; i++) {
        size_t own = c->of[i]->in;
        in = own > in ? own : in;
        c->out[i] = (struct tare_moments){
            .in = c->of[i]->in, .h = calloc(own * own, sizeof(double)), .abs = calloc(own, sizeof(double))};
        ok = ok && c->out[i].h && c->out[i].abs;
    }
    c->met = calloc(c->n + 1, sizeof *c->met);
    c->seen = malloc(rows * in * sizeof *c->seen);
    c->wide = malloc(rows * in * sizeof *c->wide);
    c->gram = malloc(in * in * sizeof *c->gram);
    c->abs = malloc(in * sizeof *c->abs);
    if (!ok || !c->met || !c->seen || !c->wide || !c->gram || !c->abs) {
        return tare_err_set(err, TARE_E_NOMEM, "calibration: no memory for the moments of %zu matrices",
                            c->n);
    }
    return 0;
}

int tare_calibration_collect(const struct tare_calibration *calibration, const struct tare_linear *const *of,
                             size_t n, struct tare_moments *out, struct tare_err *err)
{
    struct collector c = {.of = of, .out = out, .n = n};
    struct tare_engine engine = {0};
    const struct tare_treatment *t = calibration->treatment;
    int rc = take_memory(&c, calibration->window, err);
    if (rc == 0) {
        rc = tare_engine_open(&engine, t->model, &(struct tare_engine_options){.threads = t->threads}, err);
    }
    if (rc == 0) {
        engine.exec.observe = observe;
        engine.exec.observer = &c;
        run(&c, &engine, calibration);
    }
    tare_engine_close(&engine);
    for (size_t i = 0; i < n; i++) {
        if (rc == 0) {
            mirror(&out[i]);
        } else {
            tare_moments_close(&out[i]);
        }
    }
    free(c.met);
    free(c.seen);
    free(c.wide);
    free(c.gram);
    free(c.abs);
    return rc;
}

void tare_moments_close(struct tare_moments *moments)
{
    free(moments->h);
    free(moments->abs);
    memset(moments, 0, sizeof *moments);
}
