/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests, byte for byte, and what the options refuse to put into them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "body.h"

#include <tare/json.h>
#include <tare/task.h>

static const struct {
    const char *why;
    const char *text;
    size_t n;
    int64_t endpoint;
    enum cache_way cache;
    bool stream;
    float temperature;
    int stops;
    int64_t limit_name;
    const char *extra;
    const char *body; /* NULL: TARE_E_FORMAT */
} cases[] = {
    {"the plainest", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, true, 0, 0, 0, NULL,
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0,\"stream\":true,"
     "\"stream_options\":{\"include_usage\":true}}"},
    {"chat, as a whole", "Hi", 2, ENDPOINT_CHAT, CACHE_LEFT, false, 0, 0, 1, NULL,
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"max_completion_tokens\":7,"
     "\"temperature\":0,\"stream\":false}"},
    {"what must be escaped", "a\"b\\c\n\t\r\x01\x7f\0z", 12, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0,
     NULL,
     "{\"model\":\"m\",\"prompt\":\"a\\\"b\\\\c\\n\\t\\r\\u0001\\u007f\\u0000z\",\"max_tokens\":7,"
     "\"temperature\":0,"
     "\"stream\":false}"},
    {"UTF-8 of every length stays", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9, ENDPOINT_COMPLETIONS,
     CACHE_LEFT, false, 0, 0, 0, NULL,
     "{\"model\":\"m\",\"prompt\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\",\"max_tokens\":7,\"temperature\":"
     "0,"
     "\"stream\":false}"},
    {"stop strings, four at most", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 5, 0, NULL,
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0,\"stop\":[\"\\n\",\"b\",\"c\","
     "\"d\"],"
     "\"stream\":false}"},
    {"sampling has a seed", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0.5F, 0, 0, NULL,
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0.5,\"seed\":9,\"stream\":false}"},
    {"a cache kept out by a prefix", "Hi", 2, ENDPOINT_CHAT, CACHE_PREFIX, false, 0, 0, 0, NULL,
     "{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"abc-1 Hi\"}],\"max_tokens\":7,"
     "\"temperature\":0,\"stream\":false}"},
    {"by llama-server's flag", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_FLAG_OFF, false, 0, 0, 0, NULL,
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0,\"stream\":false,\"cache_"
     "prompt\":false}"},
    {"by vLLM's salt", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_SALT, false, 0, 0, 0, NULL,
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0,\"stream\":false,"
     "\"cache_salt\":\"abc-1\"}"},
    {"members of the user's", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0,
     "{\"ignore_eos\": true}",
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0,\"stream\":false,\"ignore_eos\":"
     "true}"},
    {"none of them", "Hi", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0, "{}",
     "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":7,\"temperature\":0,\"stream\":false}"},
    {"a byte that begins nothing", "a\xff", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0, NULL, NULL},
    {"a character cut in two", "a\xe2\x82", 3, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0, NULL, NULL},
    {"an overlong form", "\xc0\x80", 2, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0, NULL, NULL},
    {"half a surrogate pair", "\xed\xa0\x80", 3, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0, NULL,
     NULL},
    {"beyond the last character", "\xf4\x90\x80\x80", 4, ENDPOINT_COMPLETIONS, CACHE_LEFT, false, 0, 0, 0,
     NULL, NULL},
};

static const struct tare_bytes stops[] = {{"\n", 1}, {"b", 1}, {"c", 1}, {"d", 1}, {"e", 1}};

static void test_bodies(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct openai_options options = {.url = (char *)(uintptr_t) "http://localhost",
                                         .endpoint = cases[i].endpoint,
                                         .stream = cases[i].stream,
                                         .limit_name = cases[i].limit_name,
                                         .extra = (char *)(uintptr_t)cases[i].extra};
        struct tare_err err = {0};
        assert_int_equal(openai_options_check(&options, &err), 0);
        const struct body_args args = {&options, "m", cases[i].cache, "abc-1"};
        const struct tare_request q = {.kind = TARE_REQUEST_GENERATE,
                                       .text = cases[i].text,
                                       .text_bytes = (uint32_t)cases[i].n,
                                       .max_output = 7,
                                       .temperature = cases[i].temperature,
                                       .seed = 9,
                                       .stops = stops,
                                       .n_stops = (uint32_t)cases[i].stops};
        struct text body = {0};
        int r = body_generate(&body, &args, &q, &err);
        if (r != (cases[i].body ? 0 : TARE_E_FORMAT) || (r == 0 && strcmp(body.data, cases[i].body) != 0)) {
            fail_msg("%s: code %d\n%s\ninstead of\n%s", cases[i].why, r, body.data, cases[i].body);
        }
        struct tare_json *json = NULL;
        if (r == 0 && !memchr(cases[i].text, 0, cases[i].n)) { /* the reader of this tree refuses NUL bytes */
            assert_int_equal(tare_json_parse(body.data, body.n, "body", &json, &err), 0);
        }
        tare_json_destroy(json);
        text_free(&body);
        openai_options_free(&options);
    }
}

static void test_bodies_that_score(void **state)
{
    struct openai_options options = {.url = (char *)(uintptr_t) "http://localhost"};
    const struct body_args args = {&options, "m", CACHE_LEFT, "abc-1"};
    struct text body = {0};
    struct tare_err err = {0};
    (void)state;
    assert_int_equal(body_score(&body, &args, "Hi", 2, true, 0, &err), 0);
    assert_string_equal(body.data,
                        "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":0,\"temperature\":0,\"echo\":true,"
                        "\"logprobs\":1,\"stream\":false}");
    assert_int_equal(body_score(&body, &args, "Hi", 2, false, 1, &err), 0);
    assert_string_equal(body.data, "{\"model\":\"m\",\"prompt\":\"Hi\",\"max_tokens\":1,\"temperature\":0,"
                                   "\"prompt_logprobs\":1,\"stream\":false}");
    text_free(&body);
}

static void test_options(void **state)
{
    static const struct {
        const char *why, *url, *extra, *base; /* base NULL: refused */
        bool is_clear;
    } urls[] = {
        {"a host alone", "http://127.0.0.1:80", NULL, "http://127.0.0.1:80/v1", false},
        {"a slash behind it", "https://a.example/", NULL, "https://a.example/v1", false},
        {"a path stays", "https://a.example/api/v2/", NULL, "https://a.example/api/v2", false},
        {"no TLS to another machine", "http://a.example", NULL, "http://a.example/v1", true},
        {"a name that only begins like this machine's", "http://localhost.example", NULL,
         "http://localhost.example/v1", true},
        {"this machine by IPv6", "http://[::1]:8080/v1", NULL, "http://[::1]:8080/v1", false},
        {"no address", NULL, NULL, NULL, false},
        {"another scheme", "ftp://a.example", NULL, NULL, false},
        {"no host", "http:///v1", NULL, NULL, false},
        {"a password", "http://user:secret@a.example", NULL, NULL, false},
        {"a query", "http://a.example/v1?key=secret", NULL, NULL, false},
        {"a line break", "http://a.example/\nX: y", NULL, NULL, false},
        {"extra is no object", "http://localhost", "[1]", NULL, false},
        {"extra is no JSON", "http://localhost", "{", NULL, false},
        {"extra says what is not its to say", "http://localhost", "{\"stream\":false}", NULL, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct openai_options o = {.url = (char *)(uintptr_t)urls[i].url,
                                   .extra = (char *)(uintptr_t)urls[i].extra};
        struct tare_err err = {0};
        int r = openai_options_check(&o, &err);
        if ((r == 0) != (urls[i].base != NULL) || (r == 0 && strcmp(o.base.data, urls[i].base) != 0) ||
            (r == 0 && o.is_clear != urls[i].is_clear) || strstr(err.msg, "secret")) {
            fail_msg("%s: code %d, %s %s", urls[i].why, r, r == 0 ? o.base.data : "", err.msg);
        }
        openai_options_free(&o);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bodies),
        cmocka_unit_test(test_bodies_that_score),
        cmocka_unit_test(test_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
