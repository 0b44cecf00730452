/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML 1.1 as a JSON tree, on top of libyaml, which nothing else includes. For task files: one document, a
 * plain scalar is what PyYAML's safe loader makes of it. What that would read in a surprising way (a date, an
 * octal, hexadecimal, binary or base-60 number, underscores in digits, infinity) is refused with its line: in
 * quotes it is text. So are keys that are no text or number, a key twice in one mapping, merge keys and tags,
 * but for !function, which becomes {"!function": "module.name"}.
 *
 * Aliases are copies. Limits: nesting of 50, 20,000 values, copies counted, 1000 anchors. Text has no NUL.
 */
#ifndef TARE_INTEROP_YAML_TREE_H
#define TARE_INTEROP_YAML_TREE_H

#include <tare/json.h>

/* The key by which a tag !function is found. */
#define TARE_YAML_FUNCTION "!function"

/* `what` names the source in messages. tare_json_destroy(*out). */
TARE_MUST_CHECK int tare_yaml_parse(const char *text, size_t n, const char *what, struct tare_json **out,
                                    struct tare_err *err);
/* A whole file of at most 4 MiB. */
TARE_MUST_CHECK int tare_yaml_load(const char *path, struct tare_json **out, struct tare_err *err);

#endif
