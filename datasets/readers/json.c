/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One JSON document, of which a pointer names an array or object: its children are the records. The file is
 * passed over once, from its begin to its end; nothing is held but the child at hand. What lies beside the
 * path is checked for its grammar alone, save that a key of the path must not stand twice.
 */
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "plain.h"
#include "pointer.h"
#include "scan.h"

struct json {
    struct tare_pointer pointer;
    bool is_object[TARE_POINTER_TOKENS + 1]; /* of the containers on the path, the root first */
    bool first;                              /* no child was read yet */
    bool ended;
    struct tare_gather gather; /* the text of a key or child */
    struct tare_keys seen;     /* the children's keys */
};

/* A key and the colon behind it. *out is the tree of its string. */
static int read_key(struct json *json, struct tare_input *input, struct tare_json **out, struct tare_err *err)
{
    struct tare_scan kept = {.input = input, .gather = &json->gather, .line = input->line};
    struct tare_scan scan = {.input = input};
    int r = tare_gather_begin(&json->gather, err);
    r = r < 0 ? r : tare_scan_string(&kept, err);
    r = r < 0 ? r : tare_scan_space(&scan, err);
    r = r < 0 ? r : tare_scan_byte(&scan, ':', err);
    r = r < 0 ? r : tare_scan_space(&scan, err);
    return r < 0 ? r : tare_record_parse(input, kept.line, json->gather.data, json->gather.n, out, err);
}

/* 1: the key that begins here is the token; 0: it is another. */
static int key_is(struct json *json, struct tare_input *input, const char *token, struct tare_err *err)
{
    struct tare_json *key = NULL;
    int r = read_key(json, input, &key, err);
    if (r == 0) {
        r = strcmp(tare_json_str(key), token) == 0;
        tare_json_destroy(key);
    }
    return r;
}

static int not_found(const struct json *json, const struct tare_input *input, size_t level,
                     struct tare_err *err)
{
    char shown[TARE_READERS_SHOWN];
    return tare_input_fault(
        input, input->line, err, "the %s that ends here has no member \"%s\" of the pointer",
        json->is_object[level] ? "object" : "array", tare_readers_show(json->pointer.tokens[level], shown));
}

/* Passes over members of the container at `level` up to the one that the path goes through. */
static int seek_member(struct json *json, struct tare_input *input, size_t level, struct tare_err *err)
{
    struct tare_scan scan = {.input = input};
    const char *token = json->pointer.tokens[level];
    const bool is_object = json->is_object[level];
    const long long index = tare_pointer_index(token);
    for (long long i = 0;; i++) {
        int r = tare_scan_member(&scan, is_object, i == 0, err);
        if (r == 0) {
            return not_found(json, input, level, err);
        }
        if (r > 0) {
            r = is_object ? key_is(json, input, token, err) : i == index;
        }
        if (r != 0) {
            return r < 0 ? r : 0;
        }
        r = tare_scan_value(&scan, err);
        if (r < 0) {
            return r;
        }
    }
}

/* Into the array or object that begins here. */
static int enter(struct json *json, struct tare_input *input, size_t level, struct tare_err *err)
{
    struct tare_scan scan = {.input = input};
    int r = tare_scan_space(&scan, err);
    int c = r < 0 ? r : tare_input_peek(input, err);
    if (c != '{' && c != '[') {
        return c < 0 && c != TARE_INPUT_END
                   ? c
                   : tare_scan_fault(&scan, "the array or object of the records", err);
    }
    json->is_object[level] = c == '{';
    tare_input_take(input);
    return 0;
}

static int open_json(const struct tare_reader_options *options, struct tare_input *input, void **state,
                     struct tare_err *err)
{
    struct json *json = calloc(1, sizeof *json);
    *state = json;
    if (!json) {
        return tare_err_set(err, TARE_E_NOMEM, "out of memory");
    }
    json->first = true;
    int r = tare_pointer_parse(options->pointer, &json->pointer, err);
    for (size_t level = 0; r == 0; level++) {
        r = enter(json, input, level, err);
        if (r < 0 || level == json->pointer.n) {
            break;
        }
        r = seek_member(json, input, level, err);
    }
    return r;
}

/* What is left of the containers on the path, from the inner ones out, and of the file. */
static int read_tail(struct json *json, struct tare_input *input, struct tare_err *err)
{
    struct tare_scan scan = {.input = input};
    for (size_t level = json->pointer.n; level-- > 0;) {
        int r;
        while ((r = tare_scan_member(&scan, json->is_object[level], false, err)) > 0) {
            r = json->is_object[level] ? key_is(json, input, json->pointer.tokens[level], err) : 0;
            if (r > 0) {
                char shown[TARE_READERS_SHOWN];
                return tare_input_fault(input, input->line, err, "key \"%s\" stands twice in one object",
                                        tare_readers_show(json->pointer.tokens[level], shown));
            }
            r = r < 0 ? r : tare_scan_value(&scan, err);
            if (r < 0) {
                return r;
            }
        }
        if (r < 0) {
            return r;
        }
    }
    int r = tare_scan_space(&scan, err);
    int c = r < 0 ? r : tare_input_peek(input, err);
    if (c == TARE_INPUT_END) {
        json->ended = true;
        return 0;
    }
    return c < 0 ? c : tare_scan_fault(&scan, "the end of the file (or is its format jsonl?)", err);
}

static int gather_text(struct json *json, const char *text, const struct tare_scan *scan,
                       struct tare_err *err)
{
    return tare_gather_add(&json->gather, text, strlen(text), scan->input, scan->line, err);
}

/* A member of an object becomes the text of the record that it is. */
static int gather_member(struct json *json, struct tare_scan *scan, struct tare_err *err)
{
    struct tare_scan colon = {.input = scan->input};
    int r = gather_text(json, "{\"key\":", scan, err);
    r = r < 0 ? r : tare_scan_string(scan, err);
    r = r < 0 ? r : tare_scan_space(scan, err);
    r = r < 0 ? r : tare_scan_byte(&colon, ':', err);
    r = r < 0 ? r : gather_text(json, ",\"value\":", scan, err);
    r = r < 0 ? r : tare_scan_space(scan, err);
    r = r < 0 ? r : tare_scan_value(scan, err);
    return r < 0 ? r : gather_text(json, "}", scan, err);
}

static int check_key(struct json *json, struct tare_input *input, const struct tare_json *record,
                     unsigned long long line, struct tare_err *err)
{
    char shown[TARE_READERS_SHOWN];
    const char *key = tare_json_str(tare_json_get(record, "key"));
    int r = tare_keys_add(&json->seen, key, err);
    return r != 0 ? r
                  : tare_input_fault(input, line, err, "key \"%s\" stands twice in one object",
                                     tare_readers_show(key, shown));
}

/* The child that begins here. */
static int read_child(struct json *json, struct tare_input *input, struct tare_json **out,
                      struct tare_err *err)
{
    struct tare_scan scan = {.input = input, .gather = &json->gather, .line = input->line};
    const bool is_object = json->is_object[json->pointer.n];
    struct tare_json *record = NULL;
    int c = tare_input_peek(input, err);
    if (c < 0 && c != TARE_INPUT_END) {
        return c;
    }
    if (!is_object && c != '{') {
        return tare_scan_fault(&scan, "a record, an object,", err);
    }
    int r = tare_gather_begin(&json->gather, err);
    if (r == 0) {
        r = is_object ? gather_member(json, &scan, err) : tare_scan_value(&scan, err);
    }
    r = r < 0 ? r : tare_record_parse(input, scan.line, json->gather.data, json->gather.n, &record, err);
    if (r == 0 && is_object) {
        r = check_key(json, input, record, scan.line, err);
    }
    if (r < 0) {
        tare_json_destroy(record);
        return r;
    }
    *out = record;
    return 1;
}

static int next_json(void *state, struct tare_input *input, struct tare_json **out, unsigned long long *line,
                     struct tare_err *err)
{
    struct json *json = state;
    struct tare_scan scan = {.input = input};
    if (json->ended) {
        return 0;
    }
    int r = tare_scan_member(&scan, json->is_object[json->pointer.n], json->first, err);
    json->first = false;
    *line = input->line;
    if (r > 0) {
        return read_child(json, input, out, err);
    }
    return r < 0 ? r : read_tail(json, input, err);
}

static void close_json(void *state)
{
    struct json *json = state;
    if (json) {
        tare_pointer_fini(&json->pointer);
        free(json->gather.data);
        free(json->seen.slots);
        free(json);
    }
}

static const char *const suffixes[] = {".json", NULL};

const struct tare_reader_format tare_reader_json = {.name = "json",
                                                    .suffixes = suffixes,
                                                    .takes_pointer = true,
                                                    .open = open_json,
                                                    .next = next_json,
                                                    .close = close_json};
