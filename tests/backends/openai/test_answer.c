/* SPDX-License-Identifier: Apache-2.0 */
/* What answers say: chunks of the servers that are known, contradictions, failures in words,
 * log-probabilities. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "answer.h"
#include "echo.h"
#include "retry.h"

enum { max_chunks = 6 };

static const struct {
    const char *why;
    const char *chunks[max_chunks]; /* "[DONE]" is the end */
    const char *text;               /* what is generated, '.' for something that is no part of the answer */
    int64_t prompt_tok, output_tok, cached_tok;
    int code;         /* of a chunk or of the check */
    const char *says; /* part of the message */
} cases[] = {
    {"completions, usage in a chunk without choices",
     {"{\"id\":\"1\",\"choices\":[{\"index\":0,\"text\":\"a\",\"finish_reason\":null}]}",
      "{\"id\":\"1\",\"choices\":[{\"index\":0,\"text\":\"b\",\"finish_reason\":\"stop\"}]}",
      "{\"id\":\"1\",\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":5}}", "[DONE]"},
     "ab",
     3,
     5,
     -1,
     0,
     NULL},
    {"chat, a role first, usage in the last choice's chunk",
     {"{\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}",
      "{\"choices\":[{\"delta\":{\"content\":\"a\"}}]}",
      "{\"choices\":[{\"delta\":{},\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":3,"
      "\"completion_tokens\":1,\"prompt_tokens_details\":{\"cached_tokens\":2}}}"},
     "a",
     3,
     1,
     2,
     0,
     NULL},
    {"thoughts and calls are generated, but no answer",
     {"{\"choices\":[{\"delta\":{\"reasoning_content\":\"hm\"}}]}",
      "{\"choices\":[{\"delta\":{\"tool_calls\":[{\"index\":0}]}}]}",
      "{\"choices\":[{\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_"
      "tokens\":1,"
      "\"completion_tokens\":3}}"},
     "..a",
     1,
     3,
     -1,
     0,
     NULL},
    {"usage with every chunk: the last one counts",
     {"{\"choices\":[{\"text\":\"a\"}],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":1}}",
      "{\"choices\":[{\"text\":\"b\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
      "\"completion_tokens\":2}}"},
     "ab",
     1,
     2,
     -1,
     0,
     NULL},
    {"what a cache gave, as llama-server tells it",
     {"{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,"
      "\"completion_tokens\":1},\"timings\":{\"cache_n\":4,\"prompt_ms\":1.5,\"predicted_ms\":2}}"},
     "a",
     5,
     1,
     4,
     0,
     NULL},
    {"no token at all is an answer",
     {"{\"choices\":[{\"text\":\"\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":5,"
      "\"completion_tokens\":0}}"},
     "",
     5,
     0,
     -1,
     0,
     NULL},
    {"no usage",
     {"{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}],\"usage\":null}", "[DONE]"},
     "a",
     -1,
     -1,
     -1,
     TARE_E_BACKEND,
     "no usage"},
    {"half a usage",
     {"{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}],\"usage\":{\"completion_tokens\":1}}"},
     "a",
     -1,
     1,
     -1,
     TARE_E_BACKEND,
     "no usage"},
    {"fewer tokens than events",
     {"{\"choices\":[{\"text\":\"a\"}]}", "{\"choices\":[{\"text\":\"a\"}]}",
      "{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1,"
      "\"completion_tokens\":1}}"},
     "aaa",
     1,
     1,
     -1,
     TARE_E_BACKEND,
     "usage is wrong: 1 tokens in 3 events"},
    {"a negative count",
     {"{\"choices\":[],\"usage\":{\"prompt_tokens\":1,\"completion_tokens\":-1}}"},
     "",
     1,
     -1,
     -1,
     TARE_E_FORMAT,
     "completion_tokens"},
    {"a count that is no integer",
     {"{\"choices\":[],\"usage\":{\"prompt_tokens\":1.5,\"completion_tokens\":1}}"},
     "",
     -1,
     -1,
     -1,
     TARE_E_FORMAT,
     "prompt_tokens"},
    {"the end is missing", {"{\"choices\":[{\"text\":\"a\"}]}"}, "a", -1, -1, -1, TARE_E_IO, "cut off"},
    {"text behind the end",
     {"{\"choices\":[{\"text\":\"a\",\"finish_reason\":\"stop\"}]}", "{\"choices\":[{\"text\":\"b\"}]}"},
     "a",
     -1,
     -1,
     -1,
     TARE_E_FORMAT,
     "out of order"},
    {"a chunk of another answer",
     {"{\"id\":\"1\",\"choices\":[{\"text\":\"a\"}]}", "{\"id\":\"2\",\"choices\":[{\"text\":\"b\"}]}"},
     "a",
     -1,
     -1,
     -1,
     TARE_E_FORMAT,
     "another answer"},
    {"a second choice",
     {"{\"choices\":[{\"index\":1,\"text\":\"a\"}]}"},
     "",
     -1,
     -1,
     -1,
     TARE_E_FORMAT,
     "not asked for"},
    {"two choices",
     {"{\"choices\":[{\"text\":\"a\"},{\"text\":\"b\"}]}"},
     "",
     -1,
     -1,
     -1,
     TARE_E_FORMAT,
     "not asked for"},
    {"an error in the stream",
     {"{\"error\":{\"message\":\"out of \\u0007memory\"}}"},
     "",
     -1,
     -1,
     -1,
     TARE_E_BACKEND,
     "out of ?memory"},
    {"no object", {"[]"}, "", -1, -1, -1, TARE_E_FORMAT, "no object"},
};

static int read_chunk(struct answer *answer, const char *chunk, char *text, struct tare_err *err)
{
    struct tare_json *json = NULL;
    struct answer_piece piece;
    if (strcmp(chunk, "[DONE]") == 0) {
        answer->done = true;
        return 0;
    }
    int r = tare_json_parse(chunk, strlen(chunk), "chunk", &json, err);
    assert_int_equal(r, 0);
    r = answer_chunk(answer, json, &piece, err);
    if (r == 0 && piece.generated) {
        (void)strcat(text, piece.text ? piece.text : ".");
    }
    tare_json_destroy(json);
    return r;
}

static void test_chunks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct answer answer;
        struct tare_err err = {0};
        char text[64] = "";
        int r = 0;
        answer_begin(&answer);
        for (size_t k = 0; r == 0 && k < max_chunks && cases[i].chunks[k]; k++) {
            r = read_chunk(&answer, cases[i].chunks[k], text, &err);
        }
        r = r < 0 ? r : answer_check(&answer, true, &err);
        if (r != cases[i].code || strcmp(text, cases[i].text) != 0 ||
            answer.prompt_tok != cases[i].prompt_tok || answer.output_tok != cases[i].output_tok ||
            answer.cached_tok != cases[i].cached_tok || (cases[i].says && !strstr(err.msg, cases[i].says))) {
            fail_msg("%s: code %d \"%s\", text \"%s\", usage %lld %lld %lld", cases[i].why, r, err.msg, text,
                     (long long)answer.prompt_tok, (long long)answer.output_tok,
                     (long long)answer.cached_tok);
        }
    }
}

static void test_words_of_a_failure(void **state)
{
    static const struct {
        const char *body, *words;
    } all[] = {
        {"{\"error\":{\"message\":\"no such model\"}}", "no such model"},
        {"{\"error\":\"plain\"}", "plain"},
        {"{\"message\":\"m\"}", "m"},
        {"{\"detail\":\"d\"}", "d"},
        {"<html>\n502</html>", "<html>?502</html>"},
        {"", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char words[40];
        answer_error_text(all[i].body, strlen(all[i].body), words, sizeof words);
        assert_string_equal(words, all[i].words);
    }
    char few[4];
    answer_error_text("abcdef", 6, few, sizeof few);
    assert_string_equal(few, "abc");
}

static const struct {
    const char *why;
    bool echoed;
    const char *answer, *prompt;
    const char *tokens; /* begin-end:logprob with g for greedy; NULL: refused */
} echoes[] = {
    {"echo", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"ab\",\"c\"],\"token_logprobs\":[null,-1.5],"
     "\"top_logprobs\":[null,{\"c\":-1.5,\"d\":-2}]}}]}",
     "abc", "0-2:nan 2-3:-1.5g "},
    {"another token is likelier", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"ab\",\"c\"],\"token_logprobs\":[null,-1.5],"
     "\"top_logprobs\":[null,{\"d\":-1}]}}]}",
     "abc", "0-2:nan 2-3:-1.5 "},
    {"a special token before it, one generated behind it", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"<s>\",\"ab\",\"c\",\"!\"],\"token_logprobs\":[null,-1,-2,-3]"
     "}}]}",
     "abc", "0-2:-1 2-3:-2 "},
    {"bytes, not characters, are counted", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"\xe2\x82\xac\",\"c\"],\"token_logprobs\":[-1,-2]}}]}",
     "\xe2\x82\xac"
     "c",
     "0-3:-1 3-4:-2 "},
    {"prompt_logprobs: the one without rank 1 is the prompt's", false,
     "{\"choices\":[{\"prompt_logprobs\":[null,{\"5\":{\"logprob\":-3,\"rank\":9,\"decoded_token\":\"b\"},"
     "\"6\":{\"logprob\":-0.1,\"rank\":1,\"decoded_token\":\"x\"}},{\"7\":{\"logprob\":-0.2,\"rank\":1,"
     "\"decoded_token\":\"c\"}}]}]}",
     "abc", "1-2:-3 2-3:-0.2g "},
    {"the answer is not about the prompt (echo ignored)", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"x\"],\"token_logprobs\":[-1]}}]}", "abc", NULL},
    {"in the shape of a chat", true,
     "{\"choices\":[{\"logprobs\":{\"content\":[{\"token\":\"x\",\"logprob\":-1}]}}]}", "abc", NULL},
    {"no log-probabilities", true, "{\"choices\":[{\"logprobs\":null}]}", "abc", NULL},
    {"too few of them", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"ab\",\"c\"],\"token_logprobs\":[null]}}]}", "abc", NULL},
    {"the end of the prompt is missing", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"ab\"],\"token_logprobs\":[null]}}]}", "abc", NULL},
    {"a token that runs over the end", true,
     "{\"choices\":[{\"logprobs\":{\"tokens\":[\"ab\",\"cd\"],\"token_logprobs\":[null,-1]}}]}", "abc", NULL},
    {"no prompt_logprobs", false, "{\"choices\":[{\"text\":\"x\"}]}", "abc", NULL},
};

static void test_echoes(void **state)
{
    struct echo echo = {0};
    (void)state;
    for (size_t i = 0; i < sizeof echoes / sizeof *echoes; i++) {
        struct tare_json *json = NULL;
        struct tare_err err = {0};
        char seen[200] = "";
        assert_int_equal(tare_json_parse(echoes[i].answer, strlen(echoes[i].answer), "a", &json, &err), 0);
        int r = echo_read(json, echoes[i].echoed, echoes[i].prompt, strlen(echoes[i].prompt), &echo, &err);
        for (size_t t = 0; r == 0 && t < echo.n; t++) {
            size_t n = strlen(seen);
            (void)snprintf(seen + n, sizeof seen - n, "%zu-%zu:%g%s ", echo.tokens[t].begin,
                           echo.tokens[t].end, echo.tokens[t].logprob, echo.tokens[t].greedy ? "g" : "");
        }
        tare_json_destroy(json);
        if ((r == 0) != (echoes[i].tokens != NULL) || (r == 0 && strcmp(seen, echoes[i].tokens) != 0)) {
            fail_msg("%s: code %d \"%s\", %s", echoes[i].why, r, err.msg, seen);
        }
    }
    echo_free(&echo);
}

static void test_retries(void **state)
{
    const int64_t ms = 1000000, s = 1000000000;
    const struct retry_policy policy = {2, 100 * ms, 5 * s};
    static const struct {
        const char *why;
        struct retry_case c;
        int64_t wait_ms;
    } all[] = {
        {"the first time", {.status = 500}, 100},
        {"twice as long the second time", {.status = 503, .attempt = 1}, 200},
        {"not a third time", {.status = 503, .attempt = 2}, -1},
        {"the server names a time", {.status = 429, .retry_after_s = 3}, 3000},
        {"which is too long", {.status = 429, .retry_after_s = 6}, -1},
        {"without one", {.status = 429}, 100},
        {"what is wrong stays wrong", {.status = 400}, -1},
        {"so does a key", {.status = 401}, -1},
        {"the line may come back", {.line_failed = true}, 100},
        {"never when a part of the answer was taken", {.line_failed = true, .begun = true}, -1},
        {"no answer, and not for the line", {0}, -1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        const char *why = NULL;
        int64_t wait_ns = retry_after(&policy, &all[i].c, &why);
        if (wait_ns != (all[i].wait_ms < 0 ? -1 : all[i].wait_ms * ms)) {
            fail_msg("%s: %lld ns", all[i].why, (long long)wait_ns);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_words_of_a_failure),
        cmocka_unit_test(test_echoes),
        cmocka_unit_test(test_retries),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
