/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are not what they should be: each is refused with the place and the reason. */
#include "collect.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct collected got;

#define LLAMA "\"build_commit\": \"a\", \"model_filename\": \"m\""
#define ROW   "{" LLAMA ", \"n_prompt\": 1, \"n_gen\": 0, \"avg_ts\": 2.5}"
#define VLLM  "{\"model_id\": \"m\", \"num_prompts\": 1, \"request_rate\": \"inf\", \"completed\": 1"

static const struct {
    const char *format, *text, *says, *why;
} cases[] = {
    {"llama-bench", "", "no array", "nothing"},
    {"llama-bench", "[]", "no record", "no row"},
    {"llama-bench", "[\n1\n]", "object", "a row that is no object"},
    {"llama-bench", "[" ROW "," ROW, "not valid", "cut off"},
    {"llama-bench", "[{" LLAMA ", \"n_prompt\": 0, \"n_gen\": 0}]", "record 1", "neither test"},
    {"llama-bench", "[{" LLAMA ", \"n_gen\": 1}]", "n_prompt", "a field that every version has"},
    {"llama-bench", "[{" LLAMA ", \"n_prompt\": -1, \"n_gen\": 1}]", "counts", "less than none"},
    {"llama-bench", "[" ROW ",{" LLAMA ", \"n_prompt\": 1, \"n_gen\": 0, \"avg_ts\": \"fast\"}]",
     "record 2: avg_ts: a number is needed, found \"fast\"", "text for a number: which record and field"},
    {"llama-bench", "[{" LLAMA ", \"n_prompt\": 1, \"n_gen\": 0, \"avg_ts\": [1]}]", "found array", "a list"},
    {"llama-bench", "[{" LLAMA ", \"n_prompt\": 1, \"n_prompt\": 2}]", "twice",
     "a key twice: which one counts?"},
    {"llama-bench-jsonl", "log\n" ROW "\n\n{" LLAMA ", \"n_prompt\": 1}\n", "line 4", "the line of the file"},
    {"llama-bench-jsonl", "log only\n", "no record", "a log alone"},
    {"llama-bench-csv", "n_prompt,n_gen\n1\n", "line 2: 1 cells under a header of 2", "a short row"},
    {"llama-bench-csv", "n_prompt,n_gen\n1,2,3\n", "3 cells", "a long row"},
    {"llama-bench-csv", "n_prompt,n_gen\n\"1,2\n", "quote does not end", "an open quote"},
    {"llama-bench-csv", "n_prompt,n_gen\n\"1\"x,2\n", "behind a closing quote", "text behind a quote"},
    {"llama-bench-csv", "n_prompt,n_prompt\n1,2\n", "twice in the header", "a column twice"},
    {"llama-bench-csv", "n_prompt,n_gen\n", "no row", "a header alone"},
    {"llama-bench-csv", "a\xff,n_gen\n1,2\n", "UTF-8", "bytes that are no text"},
    {"llama-bench-sql", "DROP TABLE llama_bench;", "no INSERT", "no statement that is read"},
    {"llama-bench-sql", "INSERT INTO llama_bench (n_prompt) VALUES (1); DROP TABLE x;", "n_prompt and n_gen",
     "a row without its fields"},
    {"llama-bench-sql", "INSERT INTO llama_bench (n_prompt, n_gen) VALUES (1, 0); DROP TABLE x;",
     "another statement at \"DROP\"", "a statement that is not read, behind one that is"},
    {"llama-bench-sql", "INSERT INTO other (a) VALUES (1);", "only the table llama_bench", "another table"},
    {"llama-bench-sql", "INSERT INTO llama_bench (n_prompt, n_gen) VALUES (1);", "is needed", "a value less"},
    {"llama-bench-sql", "INSERT INTO llama_bench (n_prompt, n_gen) VALUES (1, (SELECT 1));",
     "a number or NULL", "an expression"},
    {"llama-bench-sql", "INSERT INTO llama_bench (n_prompt, n_gen) VALUES (1, 'a", "quote does not end",
     "cut off"},
    {"llama-bench-sql", "INSERT INTO llama_bench (a, a) VALUES (1, 2);", "stands twice", "a column twice"},
    {"batched-bench", "{\"pp\": 1, \"tg\": 1}", "line 1", "no pl"},
    {"lm-eval", "{\"results\": {}}", "results", "no task"},
    {"lm-eval", "{\"results\": {\"t\": 1}}", "t: an object", "a task that is no object"},
    {"lm-eval", "{\"results\": {\"t\": {\"acc,none\": \"good\"}}}", "acc,none", "text for a metric"},
    {"lm-eval", "[]", "results", "no object"},
    {"lm-eval-samples", "{\"doc_id\": 1}\nlog\n", "line 2", "a line that is no sample"},
    {"loadgen-summary", "SUT name : x\n", "Scenario", "no verdict"},
    {"loadgen-summary", "Scenario : Server\nResult is : PERHAPS\n", "VALID", "another verdict"},
    {"loadgen-summary", "Scenario : Server\nResult is : VALID\nMean latency (ns) : fast\n", "line 3",
     "text for a number: which line"},
    {"loadgen-detail", "x\ny\n", ":::MLLOG", "no entry"},
    {"loadgen-detail", ":::MLLOG {\"key\": \"a\"}\n:::MLLOG {\"key\"", "line 2", "cut off"},
    {"loadgen-detail", ":::MLLOG 1\n", "object", "an entry that is none"},
    {"loadgen-detail", ":::MLLOG {\"key\": \"a\"}\n\xff\n", "line 2", "a line that is no text"},
    {"loadgen-accuracy", "[{\"seq_id\": 1}]", "record 1", "a response without data"},
    {"loadgen-accuracy", "{}", "array", "no array"},
    {"vllm-bench", "{}", "model_id", "an empty object"},
    {"vllm-bench", VLLM ", \"mean_ttft_ms\": \"x\"}", "mean_ttft_ms", "text for a number"},
    {"vllm-bench", VLLM "}\n{", "line 2", "the second line is cut off"},
    {"vllm-bench", "[" VLLM "}, 7]", "record", "an element that is no object"},
    {"vllm-bench", "7", "object", "a number"},
    {"optimum-benchmark",
     "{\"config\": {\"backend\": {\"model\": \"m\"}}, \"report\": {\"decode\": {\"energy\": "
     "{\"unit\": \"Wh\", \"total\": 1}}}}",
     "\"Wh\"", "a unit that would be wrong by 1000"},
    {"optimum-benchmark",
     "{\"config\": {\"backend\": {\"model\": \"m\"}}, \"report\": {\"decode\": {\"throughput\": "
     "{\"unit\": \"furlongs\", \"value\": 1}}}}",
     "furlongs", "a rate of nobody knows what"},
    {"optimum-benchmark", "{\"report\": {}}", "config.backend.model", "no model"},
    {"guidellm", "{\"benchmarks\": 1}", "array", "no list"},
    {"guidellm", "{\"benchmarks\": [{}]}", "record 1", "no metrics"},
    {"inference-perf", "{\"successes\": []}", "successes", "a list for an object"},
    {"aiperf", "{\"request_latency\": {\"unit\": \"fortnight\", \"avg\": 1}}", "fortnight",
     "an unknown unit"},
    {"aiperf-csv", "Metric,avg\nTime to First Token (fortnight),1\n", "unit", "an unknown unit"},
    {"aiperf-jsonl", "{}", "metadata", "an empty object"},
    {"ml-energy", "{}", "model_id", "an empty object"},
    {"inferencex", "{}", "model", "an empty object"},
    {"codecarbon", "a,b\n1,2\n", "emissions", "another table"},
    {"codecarbon", "emissions,energy_consumed\n1,\"0,5\"\n", "line 2: energy_consumed", "a decimal comma"},
    {"hyperfine", "{\"results\": [{\"mean\": 1}]}", "command", "no command"},
    {"hyperfine", "{\"results\": [{\"command\": \"x\", \"mean\": true}]}", "found boolean", "no number"},
    {"no-such", "x", "unknown", "no format"},
    {"hyperfin", "x", "did you mean hyperfine", "a slip"},
    {NULL, "hello", "no format that is known", "nothing of the kind"},
    {NULL, "", "no format that is known", "nothing"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        int r = collect_read(&got, cases[i].format, "file.x", cases[i].text, strlen(cases[i].text), &err);
        if (r >= 0 || err.code != r || !strstr(err.msg, cases[i].says)) {
            fail_msg("%s, %s: %d, \"%s\" does not say \"%s\"", cases[i].format ? cases[i].format : "any",
                     cases[i].why, r, err.msg, cases[i].says);
        }
        collect_fini(&got);
    }
}

/* What is odd and right all the same. */
static void test_taken(void **state)
{
    static const struct {
        const char *format, *text, *why;
    } good[] = {
        {"llama-bench", "[1] log\nINFO [x]\n[\n  " ROW "\n]\ndone\n", "log lines on both sides of the array"},
        {"llama-bench", "[" ROW "]", "an array on one line"},
        {"llama-bench-sql", "insert into llama_bench (n_prompt, \"n_gen\") values ('1', '0'), (2, 0)",
         "lower case, two rows, no semicolon"},
        {"llama-bench-csv", "\xef\xbb\xbfn_prompt,n_gen\r\n1,0\r\n", "a byte order mark and CRLF"},
        {"vllm-bench", VLLM ", \"errors\": [\"a\\nb\"], \"x\": NaN}", "NaN as Python writes it"},
        {"codecarbon", "emissions,energy_consumed,note\n1,,\"two\nlines, \"\"quoted\"\"\"\n",
         "a cell of two lines"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct tare_err err = {0};
        if (collect_read(&got, good[i].format, "file.x", good[i].text, strlen(good[i].text), &err) < 0) {
            fail_msg("%s: %s", good[i].why, err.msg);
        }
        assert_true(got.n_cells > 0);
        collect_fini(&got);
    }
}

/* A line that never ends is told from a file that is too large, and neither fills the memory. */
static void test_too_large(void **state)
{
    static const char *const formats[] = {"hyperfine", "lm-eval-samples"};
    size_t n = (size_t)tare_interop_max_text + (1 << 20);
    char *text = malloc(n);
    (void)state;
    assert_non_null(text);
    memset(text, ' ', n);
    text[0] = '{';
    for (size_t i = 0; i < 2; i++) {
        struct tare_err err = {0};
        assert_int_equal(collect_read(&got, formats[i], "big.json", text, n, &err), TARE_E_LIMIT);
        assert_non_null(strstr(err.msg, "64 MiB"));
        collect_fini(&got);
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_refused), cmocka_unit_test(test_taken),
                                       cmocka_unit_test(test_too_large)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
