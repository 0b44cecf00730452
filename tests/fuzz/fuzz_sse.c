/* SPDX-License-Identifier: Apache-2.0 */
/* Streams of a server: they mean the same however they are cut, and nothing in them breaks their reader. */
#include "fuzz.h"

#include "backends/openai/answer.h"
#include "backends/openai/echo.h"
#include "backends/openai/sse.h"

#include <stdlib.h>
#include <string.h>

enum { most_bytes = 2000 };

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT(
        "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":null}]}\n\n"
        "data: {\"id\":\"1\",\"choices\":[{\"index\":0,\"text\":\"b\",\"finish_reason\":\"stop\"}]}\n\n"
        "data: {\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}\n\n"
        "data: [DONE]\n\n"),
    FUZZ_TEXT(
        ": hi\r\nevent: x\r\nid: 1\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"a\"}}]}\r\n\r\n"
        "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":3,"
        "\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":2}}}\r\n\r\n"),
    FUZZ_TEXT("data: {\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\",\n"
              "data: \"logprobs\":{\"tokens\":[\"ab\",\"c\"],\"token_logprobs\":[null,-1.5],"
              "\"top_logprobs\":[null,{\"c\":-1.5}]}}],\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":"
              "0}}\n\n"),
    FUZZ_TEXT(
        "data: {\"choices\":[{\"text\":\"x\",\"finish_reason\":\"stop\",\"prompt_logprobs\":[null,"
        "{\"5\":{\"logprob\":-3,\"rank\":9,\"decoded_token\":\"bc\"}}]}],\"usage\":{\"prompt_tokens\":2,"
        "\"completion_tokens\":1},\"timings\":{\"prompt_ms\":1,\"predicted_ms\":2,\"cache_n\":0}}\n\n"),
};

static const char *const words[] = {
    "\n\n",        "\r",           "\r\n",      "data",       "data:",       "data: [DONE]\n\n",
    ": ",          "null",         "\"\"",      "-1",         "1e400",       "{}",
    "[]",          "\"error\":1,", "\"id\":",   "\xff",       "\"index\":1", "\"usage\"",
    "\"choices\"", "\xef\xbb\xbf", "\"text\":", "2147483648", "\"delta\":",  NULL};

struct reading {
    struct answer answer;
    struct echo echo;
    struct text seen;
};

static int read_event(void *ctx, const char *data, size_t n, struct tare_err *err)
{
    struct reading *to = ctx;
    struct tare_json *json = NULL;
    struct answer_piece piece;
    fuzz_check(data[n] == '\0', "an event does not end in a NUL");
    if (n == 6 && memcmp(data, "[DONE]", 6) == 0) {
        to->answer.done = true;
        return 0;
    }
    int r = tare_json_parse(data, n, "event", &json, err);
    r = r < 0 ? r : answer_chunk(&to->answer, json, &piece, err);
    if (r == 0 && piece.text) {
        text_puts(&to->seen, piece.text);
    }
    for (int echoed = 0; r == 0 && echoed < 2; echoed++) {
        struct tare_err ignored;
        if (echo_read(json, echoed, "abc", 3, &to->echo, &ignored) == 0) {
            fuzz_check(to->echo.n > 0 && to->echo.tokens[to->echo.n - 1].end == 3,
                       "tokens miss the prompt's end");
        }
    }
    tare_json_destroy(json);
    return r;
}

/* Reads in pieces of at most `most` bytes. */
static int read_all(const char *data, size_t n, size_t most, struct tare_rng *rng, struct reading *to,
                    struct tare_err *err)
{
    struct sse sse = {.most_bytes = most_bytes};
    int r = 0;
    memset(to, 0, sizeof *to);
    answer_begin(&to->answer);
    text_add(&to->seen, "", 0);
    for (size_t at = 0, piece; r == 0 && at < n; at += piece) {
        piece = most < n ? 1 + tare_rng_below(rng, most) : n;
        piece = piece < n - at ? piece : n - at;
        r = sse_feed(&sse, data + at, piece, read_event, to, err);
    }
    sse_free(&sse);
    return r < 0 ? r : answer_check(&to->answer, true, err);
}

static void forget(struct reading *reading)
{
    echo_free(&reading->echo);
    text_free(&reading->seen);
}

static int read_stream(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct reading whole, cut;
    struct tare_err ignored = {0};
    int r = read_all(data, n, n, rng, &whole, err);
    int again = read_all(data, n, 7, rng, &cut, &ignored);
    fuzz_check(r == again, "a stream ends otherwise when it is cut");
    fuzz_check(strcmp(whole.seen.data, cut.seen.data) == 0, "a stream says something else when it is cut");
    fuzz_check(whole.answer.output_tok == cut.answer.output_tok && whole.answer.events == cut.answer.events,
               "a stream counts otherwise when it is cut");
    char words_seen[100];
    answer_error_text(data, n, words_seen, sizeof words_seen);
    forget(&whole);
    forget(&cut);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"sse", seeds, sizeof seeds / sizeof *seeds, words, 100000, read_stream});
}
