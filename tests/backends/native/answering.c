/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of native.c without the backend around them, and a sink that keeps everything. */
#include "answering.h"

#include "loaded.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void keep_row(struct tare_sink *sink, uint64_t id, uint32_t position, const float *row)
{
    struct answering *t = (struct answering *)sink;
    size_t n_vocab = t->model.config.n_vocab;
    assert_int_equal(id, 7);
    assert_true(t->n_rows < t->model.config.n_ctx);
    if (t->n_rows == 0) {
        t->first_position = position;
    }
    assert_int_equal(position, t->first_position + t->n_rows);
    memcpy(t->rows + t->n_rows++ * n_vocab, row, n_vocab * sizeof *row);
}

static int keep_token(struct tare_sink *sink, uint64_t id, int32_t token, const char *bytes, uint32_t n_bytes)
{
    struct answering *t = (struct answering *)sink;
    assert_int_equal(id, 7);
    assert_true(bytes && n_bytes > 0 && t->n_tokens < answering_tokens_max);
    t->tokens[t->n_tokens++] = token;
    return 0;
}

static int start(struct answering *t, const char *name, const char *technique, uint32_t block,
                 struct tare_err *err)
{
    const struct tare_engine_options how = {.threads = 1, .block = block};
    char tokenizer[512];
    memset(t, 0, sizeof *t);
    t->sink = (struct tare_sink){.size = sizeof t->sink, .logits = keep_row, .token = keep_token};
    loaded_find_zoo(name, t->path, sizeof t->path);
    fixture_zoo("tokenizer.json", tokenizer, sizeof tokenizer);
    t->treatment = (struct tare_treatment){.model = &t->model,
                                           .tokenizer = &t->tokenizer,
                                           .model_path = t->path,
                                           .threads = 1,
                                           .decoding = &tare_decoding_plain};
    assert_int_equal(tare_tokenizer_load(&t->tokenizer, tokenizer, err), 0);
    assert_int_equal(tare_model_load(&t->model, t->path, err), 0);
    int rc = technique ? tare_technique_apply(technique, &t->treatment, err) : 0;
    if (rc == 0) {
        rc = tare_session_open(&t->session, &t->model, &t->tokenizer, &how, err);
    }
    if (rc == 0 && t->treatment.decoding->open) {
        rc = t->treatment.decoding->open(t->treatment.decoding_self, &t->session, err);
    }
    t->rows = calloc((size_t)t->model.config.n_ctx * t->model.config.n_vocab, sizeof *t->rows);
    assert_non_null(t->rows);
    return rc;
}

void answering_start(struct answering *t, const char *name, const char *technique, uint32_t block)
{
    struct tare_err err = {0};
    if (start(t, name, technique, block, &err) < 0) {
        fail_msg("%s", err.msg);
    }
}

void answering_stop(struct answering *t)
{
    if (t->treatment.decoding->close) {
        t->treatment.decoding->close(t->treatment.decoding_self);
    }
    tare_session_close(&t->session);
    tare_model_close(&t->model);
    tare_tokenizer_close(&t->tokenizer);
    free(t->rows);
}

void answering_refused(const char *name, const char *technique, int code, const char *words)
{
    static struct answering t;
    struct tare_err err = {0};
    int rc = start(&t, name, technique, 0, &err);
    answering_stop(&t);
    if (rc != code || !strstr(err.msg, words)) {
        fail_msg("%s on %s: %d '%s', not %d with '%s'", technique, name, rc, err.msg, code, words);
    }
}

static struct tare_request request_of(enum tare_request_kind kind, const int32_t *ids, uint32_t n)
{
    return (struct tare_request){
        .size = sizeof(struct tare_request), .kind = kind, .id = 7, .tokens = ids, .n_tokens = n, .first = 1};
}

void answering_rows(struct answering *t, const int32_t *ids, uint32_t n, uint32_t first,
                    uint32_t shared_prefix)
{
    struct tare_request r = request_of(TARE_REQUEST_LOGITS, ids, n);
    r.first = first;
    r.shared_prefix = shared_prefix;
    t->n_rows = 0;
    t->treatment.decoding->rows(t->treatment.decoding_self, &t->session, &r, &t->sink);
    assert_int_equal(t->n_rows, n - first + 1);
    assert_int_equal(t->first_position, first - 1);
}

void answering_generate(struct answering *t, const int32_t *ids, uint32_t n, uint32_t max_output,
                        double temperature, uint64_t seed)
{
    struct tare_request r = request_of(TARE_REQUEST_GENERATE, ids, n);
    r.max_output = max_output;
    r.temperature = (float)temperature;
    r.seed = seed;
    r.shared_prefix = n;
    t->n_tokens = 0;
    t->treatment.decoding->generate(t->treatment.decoding_self, &t->session, &r, &t->sink);
}

struct search {
    struct tare_readings sink;
    const char *name;
    int found;
    double value;
};

static void compare_name(struct tare_readings *to, const struct tare_reading *reading)
{
    struct search *s = (struct search *)to;
    assert_true(reading->unit[0] && reading->scope[0] && reading->source[0]);
    assert_true(!reading->absent || reading->why[0]);
    if (strcmp(reading->name, s->name) == 0) {
        s->found++;
        s->value = reading->absent ? (double)NAN : reading->value;
    }
}

double answering_reading(struct answering *t, const char *name)
{
    struct search s = {.sink = {.add = compare_name}, .name = name};
    t->treatment.decoding->readings(t->treatment.decoding_self, &s.sink);
    assert_int_equal(s.found, 1);
    return s.value;
}

static const char text[] =
    "It was a cold evening in the month of November, and the old gentleman sat by the fire with a book upon "
    "his "
    "knees. He had not turned a page for half an hour. \"My dear,\" he said at last, \"I have been thinking "
    "of "
    "the day when we first came to this house, and of all that has happened since. You were a little girl "
    "then, "
    "and you ran about the garden as if the world belonged to you.\" She looked up from her work and smiled. "
    "\"I "
    "remember it very well,\" she answered, \"and I remember the great tree under which we used to sit in "
    "the "
    "summer. They have cut it down now.\" The wind was rising, and the rain beat against the windows. For "
    "some "
    "time neither of them spoke. Then there came a knock at the door, and the servant brought in a letter, "
    "which "
    "had been left by a boy from the village. The old man opened it, and read it twice over before he put it "
    "down. \"Well,\" said he, \"it is from your brother. He has come back from the war, and he will be with "
    "us in "
    "the morning, if the roads are good and the coach is not too late. We must have his room made ready, and "
    "there must be a fire in it.\" She rose at once, with tears in her eyes, and went to give the orders.";

uint32_t answering_text(struct answering *t, int32_t *ids, uint32_t cap)
{
    uint32_t ends[answering_tokens_max];
    struct tare_err err = {0};
    size_t n = 0;
    assert_true(cap <= answering_tokens_max);
    ids[0] = t->model.config.bos;
    assert_int_equal(
        tare_tokenizer_encode(&t->tokenizer, text, sizeof text - 1, ids + 1, ends, cap - 1, &n, &err), 0);
    return n + 1 < cap ? (uint32_t)n + 1 : cap;
}
