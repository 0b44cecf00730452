/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Templates by which a document becomes text: the part of Jinja2 that task files use, with the results of
 * Jinja2 3.1 on Python 3.11, strict about undefined names and with the last line feed kept. docs/templates.md
 * has the whole language. What is not in it is refused when a template is parsed, with line, column and word;
 * what Jinja2 would do otherwise with a value is refused when it is rendered, and never guessed.
 *
 * A document is JSON. A number is an integer if its text has neither point nor exponent; where the text is
 * not kept (tare_json_parse) a whole number below 2^53 counts as one, so parse documents by
 * tare_json_parse_exact, lest 1.0 prints as 1. Integers beyond 64 bits are an error when used. Keys of the
 * document are the names; strings are UTF-8 without NUL.
 *
 * Limits, each an error (TARE_E_LIMIT, TARE_E_FORMAT when parsing): a template of 1 MiB, nesting of 100 both
 * in templates and values, 16 MiB of output, 64 MiB of memory, 20 million steps (an operation, an element or
 * 64 bytes are one), 100,000 numbers of a range. So no template takes more than a second or so.
 *
 * A parsed template is not written to: threads may render it at the same time. It reads no files and includes
 * no other templates.
 */
#ifndef TARE_DATASETS_TEMPLATE_H
#define TARE_DATASETS_TEMPLATE_H

#include <tare/json.h>

struct tare_template;

/* `what` names the template in messages ("piqa.json: context"); it is copied, as the text is. */
TARE_MUST_CHECK int tare_template_parse(const char *text, const char *what, struct tare_template **out,
                                        struct tare_err *err);
/* The text of the document. free(*out). */
TARE_MUST_CHECK int tare_template_render(const struct tare_template *t, const struct tare_json *doc,
                                         char **out, struct tare_err *err);
/*
 * The value of a template that is one {{ expression }} and nothing else, but for comments: a list stays a
 * list, a number a number. Of any other template its text, as a string. tare_json_destroy(*out).
 */
TARE_MUST_CHECK int tare_template_eval(const struct tare_template *t, const struct tare_json *doc,
                                       struct tare_json **out, struct tare_err *err);
/* NULL is fine. */
void tare_template_destroy(struct tare_template *t);

#endif
