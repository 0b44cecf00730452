/* SPDX-License-Identifier: Apache-2.0 */
/* Every member is looked at by its name; what has the wrong type is a fault, what is missing is unknown. */
#include "answer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void answer_begin(struct answer *answer)
{
    memset(answer, 0, sizeof *answer);
    answer->prompt_tok = answer->output_tok = answer->cached_tok = -1;
    answer->prompt_ms = answer->output_ms = (double)NAN;
}

static bool is_null(const struct tare_json *json)
{
    return !json || tare_json_type(json) == TARE_JSON_NULL;
}

static int take_count(const struct tare_json *object, const char *key, int64_t *out, struct tare_err *err)
{
    const struct tare_json *value = tare_json_get(object, key);
    return is_null(value) ? 0 : tare_json_i64(value, key, 0, INT32_MAX, out, err);
}

static int take_usage(struct answer *answer, const struct tare_json *usage, struct tare_err *err)
{
    if (is_null(usage)) {
        return 0;
    }
    if (tare_json_type(usage) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "usage is no object");
    }
    int r = take_count(usage, "prompt_tokens", &answer->prompt_tok, err);
    r = r < 0 ? r : take_count(usage, "completion_tokens", &answer->output_tok, err);
    const struct tare_json *details = tare_json_get(usage, "prompt_tokens_details");
    return r < 0 ? r : take_count(details, "cached_tokens", &answer->cached_tok, err);
}

static void take_ms(const struct tare_json *timings, const char *key, double *out)
{
    const struct tare_json *value = tare_json_get(timings, key);
    if (tare_json_type(value) == TARE_JSON_NUMBER && tare_json_num(value) >= 0) {
        *out = tare_json_num(value);
    }
}

/* llama-server's own. */
static int take_timings(struct answer *answer, const struct tare_json *timings, struct tare_err *err)
{
    if (tare_json_type(timings) != TARE_JSON_OBJECT) {
        return 0;
    }
    take_ms(timings, "prompt_ms", &answer->prompt_ms);
    take_ms(timings, "predicted_ms", &answer->output_ms);
    return answer->cached_tok < 0 ? take_count(timings, "cache_n", &answer->cached_tok, err) : 0;
}

/* Two answers in one stream are told by their ids. */
static int take_id(struct answer *answer, const struct tare_json *chunk, struct tare_err *err)
{
    const char *id = tare_json_str(tare_json_get(chunk, "id"));
    if (!id || !*id) {
        return 0;
    }
    if (!answer->id[0]) {
        (void)snprintf(answer->id, sizeof answer->id, "%s", id);
        return 0;
    }
    return strncmp(answer->id, id, sizeof answer->id - 1) == 0
               ? 0
               : tare_err_set(err, TARE_E_FORMAT, "event %lld belongs to another answer",
                              (long long)answer->chunks);
}

static bool has_text(const struct tare_json *object, const char *key)
{
    const char *text = tare_json_str(tare_json_get(object, key));
    return text && *text;
}

/* Where the text of a choice is: completions, chat chunks, chat as a whole. */
static void take_text(const struct tare_json *choice, struct answer_piece *out)
{
    const struct tare_json *delta = tare_json_get(choice, "delta");
    delta = is_null(delta) ? tare_json_get(choice, "message") : delta;
    const char *text = is_null(delta) ? tare_json_str(tare_json_get(choice, "text"))
                                      : tare_json_str(tare_json_get(delta, "content"));
    out->text = text && *text ? text : NULL;
    out->generated = out->text || has_text(delta, "reasoning_content") || has_text(delta, "reasoning") ||
                     tare_json_size(tare_json_get(delta, "tool_calls")) > 0;
}

static int take_choice(struct answer *answer, const struct tare_json *choices, struct answer_piece *out,
                       struct tare_err *err)
{
    const struct tare_json *choice = tare_json_first(choices);
    if (tare_json_type(choices) != TARE_JSON_ARRAY || tare_json_size(choices) > 1 ||
        (choice && tare_json_type(choice) != TARE_JSON_OBJECT)) {
        return tare_err_set(err, TARE_E_FORMAT, "event %lld has choices that were not asked for",
                            (long long)answer->chunks);
    }
    if (!choice) {
        return 0;
    }
    if (tare_json_num(tare_json_get(choice, "index")) > 0) {
        return tare_err_set(err, TARE_E_FORMAT, "event %lld is of a choice that was not asked for",
                            (long long)answer->chunks);
    }
    take_text(choice, out);
    if (out->generated && answer->finished) {
        return tare_err_set(err, TARE_E_FORMAT, "event %lld is out of order: text behind the finish_reason",
                            (long long)answer->chunks);
    }
    answer->events += out->generated;
    answer->finished = answer->finished || !is_null(tare_json_get(choice, "finish_reason"));
    return 0;
}

/* A chunk that says what went wrong, in a stream that began well. */
static int refuse(const struct tare_json *error, struct tare_err *err)
{
    const char *text = tare_json_str(tare_json_get(error, "message"));
    text = text ? text : tare_json_str(error);
    char shown[160];
    answer_error_text(text ? text : "", text ? strlen(text) : 0, shown, sizeof shown);
    return tare_err_set(err, TARE_E_BACKEND, "the server ended the answer with an error: %s", shown);
}

int answer_chunk(struct answer *answer, const struct tare_json *chunk, struct answer_piece *out,
                 struct tare_err *err)
{
    *out = (struct answer_piece){0};
    answer->chunks++;
    if (tare_json_type(chunk) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "event %lld is no object", (long long)answer->chunks);
    }
    if (!is_null(tare_json_get(chunk, "error"))) {
        return refuse(tare_json_get(chunk, "error"), err);
    }
    const struct tare_json *choices = tare_json_get(chunk, "choices");
    int r = take_id(answer, chunk, err);
    r = r < 0 || is_null(choices) ? r : take_choice(answer, choices, out, err);
    r = r < 0 ? r : take_usage(answer, tare_json_get(chunk, "usage"), err);
    return r < 0 ? r : take_timings(answer, tare_json_get(chunk, "timings"), err);
}

int answer_check(const struct answer *answer, bool streamed, struct tare_err *err)
{
    if (!answer->finished && !(streamed && answer->done)) {
        return tare_err_set(err, TARE_E_IO, "the answer was cut off after %lld events, before its end",
                            (long long)answer->chunks);
    }
    if (answer->output_tok < 0 || answer->prompt_tok < 0) {
        return tare_err_set(
            err, TARE_E_BACKEND,
            "the server told no usage: how many tokens there were is not known, for events are no "
            "tokens");
    }
    /* Held-back text may come once more behind the last token. */
    if (answer->events > answer->output_tok + 1) {
        return tare_err_set(err, TARE_E_BACKEND,
                            "the server's usage is wrong: %lld tokens in %lld events with text",
                            (long long)answer->output_tok, (long long)answer->events);
    }
    return 0;
}

void answer_error_text(const char *body, size_t n, char *out, size_t n_out)
{
    struct tare_json *json = NULL;
    struct tare_err ignored;
    const char *text = NULL;
    if (tare_json_parse(body, n, "error", &json, &ignored) == 0) {
        const struct tare_json *error = tare_json_get(json, "error");
        text = tare_json_str(tare_json_get(error, "message"));
        text = text ? text : tare_json_str(error);
        text = text ? text : tare_json_str(tare_json_get(json, "message"));
        text = text ? text : tare_json_str(tare_json_get(json, "detail"));
    }
    size_t length = text ? strlen(text) : n, k = 0;
    text = text ? text : body;
    for (; k < length && k + 1 < n_out; k++) {
        out[k] = text[k] >= ' ' && text[k] <= '~' ? text[k] : '?';
    }
    out[k] = '\0';
    tare_json_destroy(json);
}
