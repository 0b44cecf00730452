/* SPDX-License-Identifier: Apache-2.0 */
/* The events of libyaml become a tree. */
#include "interop/yaml_tree.h"

#include "interop/yaml_scalar.h"

#include "base/buf.h"
#include "base/plain.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { max_file_bytes = 4 << 20, max_depth = 50, max_values = 20000, max_anchors = 1000 };

struct reader {
    yaml_parser_t parser;
    const char *what;
    struct tare_json *anchors; /* [{"name": value}, ..], the newest last */
    int values, anchors_n;
    struct tare_err *err;
};

static int bad(const struct reader *r, const yaml_mark_t *at, const char *why, const char *text)
{
    return tare_err_set(r->err, TARE_E_FORMAT, "%.200s: line %zu: %s%s%.80s%s", r->what, at->line + 1, why,
                        text ? " '" : "", text ? text : "", text ? "'" : "");
}

static int next(struct reader *r, yaml_event_t *event)
{
    if (!yaml_parser_parse(&r->parser, event)) {
        return r->parser.error == YAML_MEMORY_ERROR
                   ? tare_err_set(r->err, TARE_E_NOMEM, "%.200s: out of memory", r->what)
                   : bad(r, r->parser.error == YAML_READER_ERROR ? &r->parser.mark : &r->parser.problem_mark,
                         r->parser.problem ? r->parser.problem : "not valid YAML", NULL);
    }
    return 0;
}

static int count(struct reader *r, const yaml_mark_t *at, int n)
{
    r->values += n;
    return r->values <= max_values ? 0 : bad(r, at, "too many values, aliases counted as copies", NULL);
}

/* YAML has 1. and .5 and 007.5, JSON does not. */
static bool is_json_number(const char *text)
{
    static const char digits[] = "0123456789";
    const char *whole = text + (*text == '-'), *end = whole + strspn(whole, digits);
    bool has_whole = end == whole + 1 || (end > whole && *whole != '0');
    return has_whole && (*end == '\0' || strspn(end + 1, digits) > 0);
}

static int add_number(struct reader *r, const yaml_event_t *event, const char *text, struct tare_json *to,
                      const char *key)
{
    double value = strtod(text, NULL);
    if (isinf(value)) {
        return bad(r, &event->start_mark, "this number is too large:", text);
    }
    text += *text == '+';
    if (is_json_number(text)) {
        tare_json_add_number_text(to, key, text);
    } else {
        tare_json_add_f64(to, key, value);
    }
    return 0;
}

/* A plain scalar without a tag. */
static int add_plain(struct reader *r, const yaml_event_t *event, const char *text, struct tare_json *to,
                     const char *key)
{
    switch (tare_yaml_scalar_of(text)) {
    case TARE_YAML_NULL:
        tare_json_add_null(to, key);
        return 0;
    case TARE_YAML_TRUE:
        tare_json_add_bool(to, key, true);
        return 0;
    case TARE_YAML_FALSE:
        tare_json_add_bool(to, key, false);
        return 0;
    case TARE_YAML_INTEGER:
    case TARE_YAML_FLOAT:
        return add_number(r, event, text, to, key);
    case TARE_YAML_ODD:
        return bad(r, &event->start_mark,
                   "a number or date in this form is not read; write it in quotes:", text);
    default:
        tare_json_add_str(to, key, text);
        return 0;
    }
}

/* Text without NUL, or an error. */
static int text_of(const struct reader *r, const yaml_event_t *event, const char **out)
{
    *out = (const char *)event->data.scalar.value;
    return strlen(*out) == event->data.scalar.length
               ? 0
               : bad(r, &event->start_mark, "a NUL character has no place in a task", NULL);
}

/* Is the tag the one that the scalar would have without it? */
static bool says_what_it_is(const char *tag, enum tare_yaml_scalar kind)
{
    const char *own = kind == TARE_YAML_NULL                              ? YAML_NULL_TAG
                      : kind == TARE_YAML_TRUE || kind == TARE_YAML_FALSE ? YAML_BOOL_TAG
                      : kind == TARE_YAML_INTEGER                         ? YAML_INT_TAG
                      : kind == TARE_YAML_FLOAT                           ? YAML_FLOAT_TAG
                                                                          : YAML_STR_TAG;
    return strcmp(tag, own) == 0;
}

static int add_scalar(struct reader *r, const yaml_event_t *event, struct tare_json *to, const char *key)
{
    const char *text = NULL, *tag = (const char *)event->data.scalar.tag;
    int result = text_of(r, event, &text);
    if (result < 0) {
        return result;
    }
    if (tag && strcmp(tag, "!function") == 0) {
        tare_json_add_str(tare_json_add_object(to, key), TARE_YAML_FUNCTION, text);
        return 0;
    }
    bool is_text = tag && (strcmp(tag, "!") == 0 || strcmp(tag, YAML_STR_TAG) == 0);
    if (tag && !is_text && !says_what_it_is(tag, tare_yaml_scalar_of(text))) {
        return bad(r, &event->start_mark, "this tag is not known:", tag);
    }
    if (tag ? !is_text : event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE) {
        return add_plain(r, event, text, to, key);
    }
    tare_json_add_str(to, key, text);
    return 0;
}

static int size_of(const struct tare_json *json)
{
    int n = 1;
    for (const struct tare_json *child = tare_json_first(json); child; child = tare_json_next(child)) {
        n += size_of(child);
    }
    return n;
}

static int depth_of(const struct tare_json *json)
{
    int deepest = 0;
    for (const struct tare_json *child = tare_json_first(json); child; child = tare_json_next(child)) {
        int depth = depth_of(child);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

static int add_alias(struct reader *r, const yaml_event_t *event, int depth, struct tare_json *to,
                     const char *key)
{
    const char *name = (const char *)event->data.alias.anchor;
    const struct tare_json *value = NULL;
    for (const struct tare_json *a = tare_json_first(r->anchors); a; a = tare_json_next(a)) {
        const struct tare_json *named = tare_json_get(a, name);
        value = named ? named : value;
    }
    if (!value) {
        return bad(r, &event->start_mark, "no anchor of this name comes before:", name);
    }
    if (depth + depth_of(value) > max_depth) {
        return bad(r, &event->start_mark, "nested too deeply", NULL);
    }
    int result = count(r, &event->start_mark, size_of(value));
    if (result == 0) {
        tare_json_add_copy(to, key, value);
    }
    return result;
}

static int add_node(struct reader *r, const yaml_event_t *event, int depth, struct tare_json *to,
                    const char *key);

/* Only their own tag, or none. */
static int check_tag(const struct reader *r, const yaml_event_t *event, const yaml_char_t *given,
                     const char *own)
{
    const char *tag = (const char *)given;
    return !tag || strcmp(tag, "!") == 0 || strcmp(tag, own) == 0
               ? 0
               : bad(r, &event->start_mark, "this tag is not known:", tag);
}

static int add_sequence(struct reader *r, int depth, struct tare_json *to, const char *key)
{
    struct tare_json *array = tare_json_add_array(to, key);
    bool done = false;
    int result = 0;
    while (result == 0 && !done) {
        yaml_event_t event;
        result = next(r, &event);
        if (result < 0) {
            return result;
        }
        done = event.type == YAML_SEQUENCE_END_EVENT;
        result = done ? 0 : add_node(r, &event, depth - 1, array, NULL);
        yaml_event_delete(&event);
    }
    return result;
}

/* A key: text, or a number, which stands for its text. */
static int key_of(const struct reader *r, const yaml_event_t *event, const struct tare_json *object,
                  const char **out)
{
    if (event->type != YAML_SCALAR_EVENT) {
        return bad(r, &event->start_mark, "a key has to be text", NULL);
    }
    int result = text_of(r, event, out);
    if (result < 0) {
        return result;
    }
    bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !event->data.scalar.tag;
    enum tare_yaml_scalar kind = plain ? tare_yaml_scalar_of(*out) : TARE_YAML_TEXT;
    if (event->data.scalar.tag || (kind != TARE_YAML_TEXT && kind != TARE_YAML_INTEGER)) {
        return bad(r, &event->start_mark, "a key has to be text; write it in quotes:", *out);
    }
    if (plain && strcmp(*out, "<<") == 0) {
        return bad(r, &event->start_mark, "merge keys (<<) are not read", NULL);
    }
    return tare_json_get(object, *out) ? bad(r, &event->start_mark, "this key stands twice:", *out) : 0;
}

/* The value behind a key. */
static int add_member(struct reader *r, const yaml_event_t *event, int depth, struct tare_json *object)
{
    const char *key = NULL;
    yaml_event_t value;
    int result = key_of(r, event, object, &key);
    result = result == 0 ? next(r, &value) : result;
    if (result < 0) {
        return result;
    }
    result = add_node(r, &value, depth - 1, object, key);
    yaml_event_delete(&value);
    return result;
}

static int add_mapping(struct reader *r, int depth, struct tare_json *to, const char *key)
{
    struct tare_json *object = tare_json_add_object(to, key);
    bool done = false;
    int result = 0;
    while (result == 0 && !done) {
        yaml_event_t event;
        result = next(r, &event);
        if (result < 0) {
            return result;
        }
        done = event.type == YAML_MAPPING_END_EVENT;
        result = done ? 0 : add_member(r, &event, depth, object);
        yaml_event_delete(&event);
    }
    return result;
}

static const struct tare_json *last_child(const struct tare_json *json)
{
    const struct tare_json *last = tare_json_first(json);
    for (const struct tare_json *child = last; child; child = tare_json_next(child)) {
        last = child;
    }
    return last;
}

/* What was added last to `to` gets a name. */
static int remember(struct reader *r, const yaml_event_t *event, const yaml_char_t *name,
                    const struct tare_json *to)
{
    const struct tare_json *value = last_child(to);
    if (r->anchors_n++ == max_anchors) {
        return bad(r, &event->start_mark, "too many anchors", NULL);
    }
    int result = count(r, &event->start_mark, size_of(value));
    if (result == 0) {
        tare_json_add_copy(tare_json_add_object(r->anchors, NULL), (const char *)name, value);
    }
    return result;
}

/* Calls itself through the functions above, as deep as `depth` allows. */
static int add_node(struct reader *r, const yaml_event_t *event, int depth, struct tare_json *to,
                    const char *key)
{
    const yaml_char_t *anchor = NULL;
    int result = count(r, &event->start_mark, 1);
    if (result == 0 && depth == 0) {
        return bad(r, &event->start_mark, "nested too deeply", NULL);
    }
    if (result < 0) {
        return result;
    }
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return add_alias(r, event, max_depth - depth, to, key);
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        result = add_scalar(r, event, to, key);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        result = check_tag(r, event, event->data.sequence_start.tag, YAML_SEQ_TAG);
        result = result == 0 ? add_sequence(r, depth, to, key) : result;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        result = check_tag(r, event, event->data.mapping_start.tag, YAML_MAP_TAG);
        result = result == 0 ? add_mapping(r, depth, to, key) : result;
        break;
    default:
        return bad(r, &event->start_mark, "a value is missing", NULL);
    }
    return result == 0 && anchor ? remember(r, event, anchor, to) : result;
}

/* Stream and document begin, the value, and nothing but their ends. */
static int read_document(struct reader *r, struct tare_json *to)
{
    static const yaml_event_type_t frame[] = {YAML_STREAM_START_EVENT, YAML_DOCUMENT_START_EVENT,
                                              YAML_NO_EVENT, YAML_DOCUMENT_END_EVENT, YAML_STREAM_END_EVENT};
    int result = 0;
    for (size_t i = 0; result == 0 && i < sizeof frame / sizeof *frame; i++) {
        yaml_event_t event;
        result = next(r, &event);
        if (result < 0) {
            return result;
        }
        if (frame[i] == YAML_NO_EVENT) {
            result = add_node(r, &event, max_depth, to, NULL);
        } else if (event.type != frame[i]) {
            result = bad(r, &event.start_mark,
                         i < 2 ? "there is no document" : "one document is expected, no more", NULL);
        }
        yaml_event_delete(&event);
    }
    return result;
}

int tare_yaml_parse(const char *text, size_t n, const char *what, struct tare_json **out,
                    struct tare_err *err)
{
    struct reader r = {.what = what, .err = err};
    if (!yaml_parser_initialize(&r.parser)) {
        return tare_err_set(err, TARE_E_NOMEM, "%.200s: out of memory", what);
    }
    struct tare_json *root = tare_json_new_array();
    r.anchors = tare_json_new_array();
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    int result = read_document(&r, root);
    yaml_parser_delete(&r.parser);
    struct tare_json *value = result == 0 ? tare_json_detach(root, 0) : NULL;
    if (result == 0 && !value) {
        result = tare_err_set(err, TARE_E_NOMEM, "%.200s: out of memory", what);
    }
    tare_json_destroy(root);
    tare_json_destroy(r.anchors);
    if (result == 0) {
        *out = value;
    } else {
        tare_plain_err(err); /* it may quote the file */
    }
    return result;
}

int tare_yaml_load(const char *path, struct tare_json **out, struct tare_err *err)
{
    struct tare_buf buf;
    tare_buf_init(&buf, max_file_bytes);
    int r = tare_buf_read_file(&buf, path, err);
    r = r == 0 ? tare_yaml_parse(tare_buf_str(&buf), buf.used, path, out, err) : r;
    tare_buf_fini(&buf);
    return r;
}
