/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON as other programs write it, every number kept as its text: for files that are to be given back as
 * they came. A double loses the end of a long decimal and of a large integer; and Python and others write
 * NaN and Infinity, which JSON does not know. Nothing else is allowed here that tare_json_parse refuses.
 */
#include <tare/json.h>

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

static const char *const no_numbers[] = {"-Infinity", "Infinity", "NaN"};

/* Length of a word for no number that begins here; 0 if there is none. */
static size_t no_number(const char *at, size_t left)
{
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        size_t n = strlen(no_numbers[i]);
        if (n <= left && memcmp(at, no_numbers[i], n) == 0) {
            return n;
        }
    }
    return 0;
}

/* Behind the string that begins at `at`; the end of the text if it does not end. */
static size_t skip_string(const char *text, size_t n, size_t at)
{
    for (at++; at < n && text[at] != '"'; at++) {
        at += text[at] == '\\';
    }
    return at < n ? at + 1 : n;
}

/* Length of the number, or word for none, that begins here. */
static size_t token_length(const char *at, size_t left)
{
    size_t n = no_number(at, left);
    if (n > 0 || left == 0 || !memchr("-0123456789", *at, 11)) {
        return n;
    }
    while (n < left && memchr("+-.0123456789eE", at[n], 15)) {
        n++;
    }
    return n;
}

/* The next of them outside of strings, from *at on. Returns its length, 0 at the end. */
static size_t next_number(const char *text, size_t n, size_t *at)
{
    while (*at < n) {
        size_t length = token_length(text + *at, n - *at);
        if (length > 0) {
            return length;
        }
        *at = text[*at] == '"' ? skip_string(text, n, *at) : *at + 1;
    }
    return 0;
}

/* May a value begin behind this character? */
static bool opens_value(char before)
{
    return memchr(" \t\r\n[,:", before, 7) != NULL;
}

/* A zero and blanks in the place of each word for no number, so that lines and places stay. */
static void blank_words(char *text, size_t n)
{
    for (size_t at = 0; at < n;) {
        if (text[at] == '"') {
            at = skip_string(text, n, at);
            continue;
        }
        size_t length = at == 0 || opens_value(text[at - 1]) ? no_number(text + at, n - at) : 0;
        if (length > 0) {
            memset(text + at, ' ', length);
            text[at] = '0';
        }
        at += length > 0 ? length : 1;
    }
}

struct cursor {
    const char *text;
    size_t n, at;
};

/* Each number of the tree gets the text of the same number of the file: both are in the same order. Depth is
 * at most 64, which the parser has seen to. */
static bool attach(cJSON *item, struct cursor *c)
{
    if (cJSON_IsNumber(item) || cJSON_IsRaw(item)) {
        size_t n = next_number(c->text, c->n, &c->at);
        char *token = n ? strndup(c->text + c->at, n) : NULL;
        if (!token) {
            return false;
        }
        cJSON_free(item->valuestring);
        item->valuestring = token;
        item->type = cJSON_Raw;
        c->at += n;
        return true;
    }
    for (cJSON *child = item->child; child; child = child->next) {
        if (!attach(child, c)) {
            return false;
        }
    }
    return true;
}

int tare_json_parse_exact(const char *text, size_t n, const char *what, struct tare_json **out,
                          struct tare_err *err)
{
    char *copy = malloc(n + 1);
    if (!copy) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    memcpy(copy, text, n);
    copy[n] = '\0';
    blank_words(copy, n);
    struct tare_json *json = NULL;
    int r = tare_json_parse(copy, n, what, &json, err);
    struct cursor c = {.text = text, .n = n};
    free(copy);
    if (r == 0 && !attach((cJSON *)json, &c)) {
        tare_json_destroy(json);
        r = tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    if (r == 0) {
        *out = json;
    }
    return r;
}

const char *tare_json_number_text(const struct tare_json *json)
{
    const cJSON *item = (const cJSON *)json;
    return cJSON_IsRaw(item) ? item->valuestring : NULL;
}

void tare_json_add_number_text(struct tare_json *parent, const char *key, const char *text)
{
    struct tare_json *number = NULL;
    if (tare_json_parse_exact(text, strlen(text), "number", &number, NULL) == 0 &&
        tare_json_type(number) == TARE_JSON_NUMBER) {
        tare_json_add_copy(parent, key, number);
    } else {
        tare_json_add_str(parent, key, text);
    }
    tare_json_destroy(number);
}
