/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The replay backend: answers from a file instead of a model, to grade log-likelihoods and texts that
 * were made elsewhere, and to test the grading itself. Its tokens are bytes.
 *
 * The file is JSON lines. A score line is {"context": "...", "continuation": "...", "logprob": x,
 * "greedy": true}; logprob is the sum over the continuation or an array of one value a byte, greedy a
 * boolean or an array of one boolean a byte. A generation line is {"context": "...", "text": "..."}.
 * A file whose name ends in .tsv has log-likelihoods by number instead (numbered.h).
 * A request that the file does not hold is an error of that request, never a guess. Times of a replay
 * are times of a look-up, and mean nothing about a model.
 */
#include <tare/backend.h>
#include <tare/json.h>

#include "numbered.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { bos_token = 256, max_line_bytes = 64 << 20, max_file_bytes = 1 << 30 };

struct entry {
    uint64_t key;
    char *bytes; /* context, then continuation */
    uint32_t n_context;
    uint32_t n_continuation;
    bool generates;
    double *logprob; /* one a byte of the continuation */
    bool *greedy;
    char *text;
};

struct replay {
    char *path;
    int64_t ctx_tok;
    struct entry *entries;
    size_t n_entries, cap_entries;
    uint32_t *table; /* open addressing: 1 + index, 0 for empty */
    size_t n_table;
    char *scratch; /* bytes of the request in flight */
    size_t n_scratch;
    struct tare_numbered numbered; /* of a .tsv */
};

#define MEMBER(type_, member_) .name = #member_, .type = type_, .offset = offsetof(struct replay, member_)

static const struct tare_opt options[] = {
    {MEMBER(TARE_OPT_STR, path), .help = "JSON lines to answer from, if the model gives no path"},
    {MEMBER(TARE_OPT_I64, ctx_tok), .def = "1048576", .min = 1, .max = 1 << 30, .unit = "tok",
     .help = "context size that it claims, in bytes"},
    TARE_OPT_END};

static uint64_t hash(const char *bytes, size_t n, uint32_t n_context, bool generates)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325) ^ n_context ^ ((uint64_t)generates << 40);
    for (size_t i = 0; i < n; i++) {
        h = (h ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    }
    return h;
}

static void entry_fini(struct entry *e)
{
    free(e->bytes);
    free(e->logprob);
    free(e->greedy);
    free(e->text);
    memset(e, 0, sizeof *e);
}

static int bad(const char *path, size_t line, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_FORMAT, "replay %s: line %zu: %s", path, line, why);
}

/* Spreads a sum over the first byte; an array is taken as it is. */
static const char *take_logprob(struct entry *e, const struct tare_json *json)
{
    bool array = tare_json_type(json) == TARE_JSON_ARRAY;
    if (!json || (!array && tare_json_type(json) != TARE_JSON_NUMBER)) {
        return "\"logprob\" is no number and no array";
    }
    if (array && tare_json_size(json) != e->n_continuation) {
        return "\"logprob\" has not one value for each byte of the continuation";
    }
    e->logprob[0] = array ? 0 : tare_json_num(json);
    size_t i = 0;
    for (const struct tare_json *v = array ? tare_json_first(json) : NULL; v; v = tare_json_next(v)) {
        if (tare_json_type(v) != TARE_JSON_NUMBER) {
            return "\"logprob\" holds something that is no number";
        }
        e->logprob[i++] = tare_json_num(v);
    }
    return NULL;
}

static const char *take_greedy(struct entry *e, const struct tare_json *json)
{
    bool array = tare_json_type(json) == TARE_JSON_ARRAY;
    if (array && tare_json_size(json) != e->n_continuation) {
        return "\"greedy\" has not one value for each byte of the continuation";
    }
    for (size_t i = 0; i < e->n_continuation && !array; i++) {
        e->greedy[i] = tare_json_true(json);
    }
    size_t i = 0;
    for (const struct tare_json *v = array ? tare_json_first(json) : NULL; v; v = tare_json_next(v)) {
        e->greedy[i++] = tare_json_true(v);
    }
    return NULL;
}

static const char *take_score(struct entry *e, const struct tare_json *json)
{
    if (e->n_continuation == 0) {
        return "the continuation is empty";
    }
    e->logprob = calloc(e->n_continuation, sizeof *e->logprob);
    e->greedy = calloc(e->n_continuation, sizeof *e->greedy);
    if (!e->logprob || !e->greedy) {
        return "out of memory";
    }
    const char *why = take_logprob(e, tare_json_get(json, "logprob"));
    return why ? why : take_greedy(e, tare_json_get(json, "greedy"));
}

/* NULL, or what is wrong with the line. */
static const char *take_line(struct entry *e, const struct tare_json *json)
{
    const char *context = tare_json_str(tare_json_get(json, "context"));
    const char *continuation = tare_json_str(tare_json_get(json, "continuation"));
    const char *text = tare_json_str(tare_json_get(json, "text"));
    if (!context || !continuation == !text) {
        return "needs \"context\" and either \"continuation\" or \"text\", as strings";
    }
    size_t n_context = strlen(context), n_continuation = continuation ? strlen(continuation) : 0;
    e->bytes = malloc(n_context + n_continuation + 1);
    if (!e->bytes) {
        return "out of memory";
    }
    memcpy(e->bytes, context, n_context);
    if (continuation) {
        memcpy(e->bytes + n_context, continuation, n_continuation);
    }
    e->n_context = (uint32_t)n_context;
    e->n_continuation = (uint32_t)n_continuation;
    e->generates = text != NULL;
    e->key = hash(e->bytes, n_context + n_continuation, e->n_context, e->generates);
    if (!text) {
        return take_score(e, json);
    }
    e->text = strdup(text);
    return e->text ? NULL : "out of memory";
}

static int add_line(struct replay *p, const char *path, size_t number, const char *line, size_t n,
                    struct tare_err *err)
{
    if (p->n_entries == p->cap_entries) {
        size_t cap = p->cap_entries ? 2 * p->cap_entries : 256;
        struct entry *entries = realloc(p->entries, cap * sizeof *entries);
        if (!entries) {
            return tare_err_set(err, TARE_E_NOMEM, "replay %s: out of memory", path);
        }
        p->entries = entries;
        p->cap_entries = cap;
    }
    char what[300];
    (void)snprintf(what, sizeof what, "replay %.200s, line %zu", path, number);
    struct tare_json *json = NULL;
    int r = tare_json_parse(line, n, what, &json, err);
    if (r < 0) {
        return r;
    }
    struct entry *e = &p->entries[p->n_entries];
    memset(e, 0, sizeof *e);
    const char *why = take_line(e, json);
    tare_json_destroy(json);
    if (why) {
        entry_fini(e);
        return bad(path, number, why, err);
    }
    p->n_entries++;
    return 0;
}

static int read_lines(struct replay *p, const char *path, FILE *file, struct tare_err *err)
{
    char *line = NULL;
    size_t cap = 0, number = 0;
    ssize_t n;
    int r = 0;
    while (r == 0 && (n = getline(&line, &cap, file)) > 0) {
        number++;
        if (n > max_line_bytes) {
            r = bad(path, number, "is too long", err);
        } else if (strspn(line, " \t\r\n") != (size_t)n) {
            r = add_line(p, path, number, line, (size_t)n, err);
        }
    }
    free(line);
    if (r == 0 && ferror(file)) {
        r = tare_err_set(err, TARE_E_IO, "replay %s: %s", path, strerror(errno));
    }
    return r;
}

static bool same(const struct entry *e, const char *bytes, size_t n, uint32_t n_context, bool generates)
{
    return e->generates == generates && e->n_context == n_context &&
           e->n_context + (size_t)e->n_continuation == n && memcmp(e->bytes, bytes, n) == 0;
}

/* Where the entry is, or the empty place where it would be. */
static uint32_t *find(const struct replay *p, const char *bytes, size_t n, uint32_t n_context, bool generates)
{
    size_t at = (size_t)hash(bytes, n, n_context, generates) & (p->n_table - 1);
    while (p->table[at] && !same(&p->entries[p->table[at] - 1], bytes, n, n_context, generates)) {
        at = (at + 1) & (p->n_table - 1);
    }
    return &p->table[at];
}

static int build_table(struct replay *p, const char *path, struct tare_err *err)
{
    p->n_table = 16;
    while (p->n_table < 2 * p->n_entries) {
        p->n_table *= 2;
    }
    p->table = calloc(p->n_table, sizeof *p->table);
    for (size_t i = 0; p->table && i < p->n_entries; i++) {
        const struct entry *e = &p->entries[i];
        uint32_t *slot =
            find(p, e->bytes, e->n_context + (size_t)e->n_continuation, e->n_context, e->generates);
        if (*slot) {
            return tare_err_set(err, TARE_E_FORMAT, "replay %s: the same request is answered twice", path);
        }
        *slot = (uint32_t)i + 1;
        size_t n = e->n_context + (size_t)e->n_continuation + 1;
        p->n_scratch = n > p->n_scratch ? n : p->n_scratch;
    }
    p->scratch = malloc(p->n_scratch + 1);
    return p->table && p->scratch ? 0 : tare_err_set(err, TARE_E_NOMEM, "replay %s: out of memory", path);
}

/* Regular files only: a device need not end, and a named pipe need not begin. */
static int open_file(const char *path, FILE **out, struct tare_err *err)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int saved = errno;
        if (fd >= 0) {
            (void)close(fd);
        }
        return tare_err_set(err, TARE_E_IO, "replay %s: %s", path, strerror(saved));
    }
    if (!S_ISREG(st.st_mode) || st.st_size > max_file_bytes) {
        (void)close(fd);
        return tare_err_set(err, TARE_E_FORMAT, "replay %s: is no regular file of at most %d MiB", path,
                            max_file_bytes >> 20);
    }
    *out = fdopen(fd, "r");
    if (!*out) {
        (void)close(fd);
        return tare_err_set(err, TARE_E_NOMEM, "replay %s: out of memory", path);
    }
    return 0;
}

static int replay_load(void *self, const struct tare_load *load, struct tare_err *err)
{
    struct replay *p = self;
    const char *path = load->path ? load->path : p->path;
    if (!path) {
        return tare_err_set(err, TARE_E_USAGE, "replay: name a file of answers as the model's path");
    }
    FILE *file = NULL;
    int opened = open_file(path, &file, err);
    if (opened < 0) {
        return opened;
    }
    size_t n = strlen(path);
    if (n > 4 && strcmp(path + n - 4, ".tsv") == 0) {
        opened = tare_numbered_read(file, path, &p->numbered, err);
        (void)fclose(file);
        return opened;
    }
    int r = read_lines(p, path, file, err);
    (void)fclose(file);
    if (r == 0 && p->n_entries == 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "replay %s: holds no answer", path);
    }
    return r == 0 ? build_table(p, path, err) : r;
}

static int replay_describe(void *self, struct tare_model_facts *out, struct tare_err *err)
{
    const struct replay *p = self;
    (void)err;
    (void)snprintf(out->arch, sizeof out->arch, "replay");
    (void)snprintf(out->name, sizeof out->name, "replay");
    (void)snprintf(out->tokenizer, sizeof out->tokenizer, "bytes");
    out->n_ctx = p->ctx_tok;
    out->n_vocab = bos_token + 1;
    out->bos = bos_token;
    return 0;
}

static int replay_tokenize(void *self, const char *text, size_t n_text, int32_t *ids, uint32_t *ends,
                           size_t cap, size_t *out_n, struct tare_err *err)
{
    (void)self;
    (void)err;
    for (size_t i = 0; i < n_text && i < cap; i++) {
        ids[i] = (unsigned char)text[i];
        ends[i] = (uint32_t)i + 1;
    }
    *out_n = n_text;
    return 0;
}

/* The recorded answer to a request, or NULL. Token 0 is the beginning of sequence. */
static const struct entry *look_up(struct replay *p, const struct tare_request *q, bool generates)
{
    size_t n = q->n_tokens - (size_t)1;
    if (n > p->n_scratch) {
        return NULL;
    }
    for (size_t i = 0; i < n; i++) {
        p->scratch[i] = (char)(unsigned char)q->tokens[i + 1];
    }
    uint32_t n_context = generates ? (uint32_t)n : q->first - 1;
    uint32_t index = *find(p, p->scratch, n, n_context, generates);
    return index ? &p->entries[index - 1] : NULL;
}

/* The sum stands at the first token, as where a file gives no more than the sum. */
static int submit_numbered(const struct replay *p, const struct tare_request *q, struct tare_sink *sink,
                           struct tare_err *err)
{
    const struct tare_numbered_answer *a = tare_numbered_find(&p->numbered, q->id);
    if (!a || q->kind != TARE_REQUEST_SCORE) {
        return tare_err_set(err, a ? TARE_E_UNSUPPORTED : TARE_E_BACKEND,
                            a ? "replay: log-likelihoods answer no other request"
                              : "replay: the file does not answer request %llu of item %llu",
                            (unsigned long long)(q->id & 0xfffff), (unsigned long long)(q->id >> 20));
    }
    for (uint32_t i = q->first; i < q->n_tokens; i++) {
        sink->score(sink, q->id, i, i == q->first ? a->loglik : 0, a->greedy);
    }
    return 0;
}

static int replay_submit(void *self, const struct tare_request *q, struct tare_sink *sink,
                         struct tare_err *err)
{
    struct replay *p = self;
    bool generates = q->kind == TARE_REQUEST_GENERATE;
    if (q->kind == TARE_REQUEST_LOGITS || q->n_tokens < 1) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "replay: has no logits");
    }
    if (p->numbered.n > 0) {
        return submit_numbered(p, q, sink, err);
    }
    const struct entry *e = look_up(p, q, generates);
    if (!e) {
        return tare_err_set(err, TARE_E_BACKEND, "replay: the file does not answer a request of %u bytes",
                            q->n_tokens - 1);
    }
    for (uint32_t i = 0; !generates && i < e->n_continuation; i++) {
        sink->score(sink, q->id, q->first + i, e->logprob[i], e->greedy[i]);
    }
    for (uint32_t i = 0; generates && e->text[i] && i < q->max_output; i++) {
        if (sink->token(sink, q->id, (unsigned char)e->text[i], &e->text[i], 1)) {
            break;
        }
    }
    return 0;
}

static void replay_close(void *self)
{
    struct replay *p = self;
    for (size_t i = 0; i < p->n_entries; i++) {
        entry_fini(&p->entries[i]);
    }
    tare_numbered_free(&p->numbered);
    free(p->entries);
    free(p->table);
    free(p->scratch);
    p->entries = NULL;
    p->table = NULL;
    p->scratch = NULL;
    p->n_entries = p->cap_entries = 0;
}

TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {
    .header = TARE_BACKEND_HEADER,
    .name = "replay",
    .summary = "answers from a file of log-likelihoods and texts",
    .caps = TARE_CAP_SCORE | TARE_CAP_GENERATE | TARE_CAP_TOKENIZE,
    .priv_size = sizeof(struct replay),
    .options = options,
    .load = replay_load,
    .describe = replay_describe,
    .tokenize = replay_tokenize,
    .submit = replay_submit,
    .close = replay_close,
};
