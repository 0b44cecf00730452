/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates: whatever is accepted renders, or fails, within its limits, the same each time; text that comes
 * out is UTF-8; the value of a template that is one expression prints as its text does, where it is text.
 */
#include "fuzz.h"

#include "base/plain.h"
#include "datasets/template/template.h"

#include <stdlib.h>
#include <string.h>

static const char doc_text[] = "{\"text\": \"In a word, or \\u00e9 \\u03a3 two \", \"question\": \" What? "
                               "\", \"choices\": {\"text\": [\"a\", "
                               "\"it's\", \"\\ud83d\\ude00\"], \"label\": [\"A\", \"B\", \"C\"]}, "
                               "\"answerKey\": \"B\", \"answer\": 2, \"f\": "
                               "1.5, \"n\": null, \"b\": true, \"l\": [1, [2, [3]], 2.0], \"loop\": 1}";

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("{{text.split(' ')[:-1]|join(' ')}}"),
    FUZZ_TEXT("{{question.strip()}}\nA. {{choices.text[0]}}\nB. {{choices['text'][1]}}\nAnswer:"),
    FUZZ_TEXT("{{choices.label.index(answerKey)}}"),
    FUZZ_TEXT("{% for i in range(choices['text']|length) -%}\n{{ 'ABCD'[i] }}. {{ choices['text'][i] }}\n{%- "
              "endfor "
              "%}{% for x in l %}{{ loop.index }}{% else %}none{% endfor %}"),
    FUZZ_TEXT("{% set x = 'a\\n\\u00e9' ~ 1 + 2 %}{% if x is defined and answer is not none %}{{ x[::-1] "
              "}}{% elif not b "
              "%}{{ x|title }}{% else %}{# c #}{% endif %}"),
    FUZZ_TEXT("{{ [answer - 1, f // 2, f % -2, -answer, n, b, text.replace('a', '', 1).title(), "
              "l]|string|length }}"),
    FUZZ_TEXT("{{ x|default('d') if 'a' in text and answer >= 1 or not f == 2 else choices }}"),
};

static const char *const words[] = {"{{",
                                    "}}",
                                    "{%",
                                    "%}",
                                    "{#",
                                    "#}",
                                    "-",
                                    "{%- if b -%}",
                                    "{% endif %}",
                                    "{% else %}",
                                    "{% for x in l %}",
                                    "{% endfor %}",
                                    "{% set x = ",
                                    "|join('')",
                                    "|length",
                                    "|int",
                                    "|list",
                                    "|first",
                                    "|default",
                                    ".split()",
                                    ".replace('', text)",
                                    ".strip('a')",
                                    "[1:]",
                                    "[::-1]",
                                    "[-1]",
                                    "range(9)",
                                    " in ",
                                    " not ",
                                    " is defined",
                                    " if ",
                                    " else ",
                                    "text",
                                    "choices",
                                    "l",
                                    "'\\x41'",
                                    "\"",
                                    "~",
                                    "//",
                                    "**",
                                    "9223372036854775807",
                                    "1e308",
                                    "loop.index",
                                    "(",
                                    ")",
                                    "[",
                                    "]",
                                    "\xc3\xa9",
                                    NULL};

static struct tare_json *doc; /* of all iterations */

static void check_value(const struct tare_template *t, const char *text, int rendered)
{
    struct tare_err err = {0};
    struct tare_json *value = NULL;
    int r = tare_template_eval(t, doc, &value, &err);
    const char *as_text = r == 0 ? tare_json_str(value) : NULL;
    fuzz_check(rendered < 0 || !as_text || strcmp(as_text, text) == 0, "text and value differ");
    fuzz_check(r == 0 || err.msg[0], "a failure without a message");
    tare_json_destroy(value);
}

static int read_template(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_template *t = NULL;
    char *source = fuzz_text(data, n), *text = NULL, *again = NULL;
    (void)rng;
    int r = tare_template_parse(source, "fuzz", &t, err);
    fuzz_check((r == 0) == (t != NULL), "a template after a failure, or none after success");
    free(source);
    if (r < 0) {
        return r;
    }
    r = tare_template_render(t, doc, &text, err);
    fuzz_check((r == 0) == (text != NULL), "text after a failure, or none after success");
    fuzz_check(r < 0 || tare_plain_valid(text, strlen(text)) == strlen(text), "text that is not UTF-8");
    fuzz_check(tare_template_render(t, doc, &again, err) == r && (r < 0 || strcmp(text, again) == 0),
               "the second rendering differs");
    check_value(t, text, r);
    free(text);
    free(again);
    tare_template_destroy(t);
    return r;
}

int main(void)
{
    if (tare_json_parse_exact(doc_text, sizeof doc_text - 1, "doc", &doc, NULL) < 0) {
        return 1;
    }
    const struct fuzz_target target = {"template", seeds, sizeof seeds / sizeof *seeds,
                                       words,      60000, read_template};
    return fuzz_main(&target) || fuzz_replay(&target);
}
