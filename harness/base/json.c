/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON on top of cJSON, which nothing else includes. A tare_json is a cJSON node. Added to cJSON:
 * duplicate keys, NUL and depth are refused, faults carry a line number, integers are exact.
 */
#include <tare/json.h>

#include "base/buf.h"
#include "base/plain.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { max_depth = 64 };

/* Above this, neighbouring integers become the same double. */
static const double max_exact = 9007199254740991.0;

static const cJSON *node(const struct tare_json *json)
{
    return (const cJSON *)json;
}

static struct tare_json *wrap(cJSON *item)
{
    return (struct tare_json *)item;
}

/* Numbers that were built, not parsed, are kept as their text so that they print exactly. */
static bool is_number(const cJSON *item)
{
    return cJSON_IsNumber(item) || cJSON_IsRaw(item);
}

static int line_of(const char *text, const char *at)
{
    int line = 1;
    for (; text < at; text++) {
        line += *text == '\n';
    }
    return line;
}

/* An escaped NUL would cut a string short without a word. */
static const char *find_nul_escape(const char *text, size_t n)
{
    for (size_t i = 0; i + 6 <= n; i++) {
        if (text[i] != '\\') {
            continue;
        }
        if (memcmp(text + i, "\\u0000", 6) == 0) {
            return text + i;
        }
        i++; /* the escaped character, be it a backslash */
    }
    return NULL;
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The first key that stands twice in an object; *failed when memory was refused. */
static const char *duplicate_key(const cJSON *object, bool *failed)
{
    size_t n = (size_t)cJSON_GetArraySize(object);
    if (n < 2) {
        return NULL;
    }
    const char **keys = malloc(n * sizeof *keys);
    if (!keys) {
        *failed = true;
        return NULL;
    }
    size_t i = 0;
    for (const cJSON *child = object->child; child; child = child->next) {
        keys[i++] = child->string;
    }
    qsort(keys, n, sizeof *keys, compare_keys);
    const char *twice = NULL;
    for (i = 1; i < n && !twice; i++) {
        twice = strcmp(keys[i - 1], keys[i]) == 0 ? keys[i] : NULL;
    }
    free(keys);
    return twice;
}

/* cJSON prints 15 digits where 17 are needed to read the same number again: those are kept as text. */
static int keep_exact(cJSON *item, const char *what, struct tare_err *err)
{
    char text[32];
    if (!cJSON_IsNumber(item)) {
        return 0;
    }
    (void)snprintf(text, sizeof text, "%.15g", item->valuedouble);
    double printed = strtod(text, NULL);
    if (printed >= item->valuedouble && printed <= item->valuedouble) {
        return 0;
    }
    (void)snprintf(text, sizeof text, "%.17g", item->valuedouble);
    item->valuestring = strdup(text);
    if (!item->valuestring) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    item->type = cJSON_Raw;
    return 0;
}

static int check_tree(cJSON *item, int depth, const char *what, struct tare_err *err)
{
    if (depth >= max_depth && (cJSON_IsArray(item) || cJSON_IsObject(item))) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: JSON nested deeper than %d", what, max_depth);
    }
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble)) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: a number is too large", what);
    }
    bool failed = false;
    const char *twice = cJSON_IsObject(item) ? duplicate_key(item, &failed) : NULL;
    if (twice) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: key \"%.80s\" stands twice in one object", what, twice);
    }
    if (failed) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    int kept = keep_exact(item, what, err);
    if (kept < 0) {
        return kept;
    }
    for (cJSON *child = item->child; child; child = child->next) {
        int r = check_tree(child, depth + 1, what, err);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int check_text(const char *text, size_t n, const char *what, struct tare_err *err)
{
    const char *nul = memchr(text, '\0', n);
    if (!nul) {
        nul = find_nul_escape(text, n);
    }
    if (nul) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: line %d: a NUL byte has no place in JSON", what,
                            line_of(text, nul));
    }
    size_t valid = tare_plain_valid(text, n);
    return valid == n ? 0
                      : tare_err_set(err, TARE_E_FORMAT, "%s: line %d: not UTF-8", what,
                                     line_of(text, text + valid));
}

/* cJSON stops behind the value: only white space may follow. */
static int check_tail(const char *text, const char *end, size_t n, const char *what, struct tare_err *err)
{
    for (; end < text + n; end++) {
        if (!strchr(" \t\r\n", *end)) {
            return tare_err_set(err, TARE_E_FORMAT, "%s: line %d: text after the end of the JSON value", what,
                                line_of(text, end));
        }
    }
    return 0;
}

int tare_json_parse(const char *text, size_t n, const char *what, struct tare_json **out,
                    struct tare_err *err)
{
    int r = check_text(text, n, what, err);
    if (r < 0) {
        return r;
    }
    const char *end = text;
    cJSON *root = cJSON_ParseWithLengthOpts(text, n, &end, false);
    if (!root) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: line %d: not valid JSON", what,
                            line_of(text, end <= text + n ? end : text + n));
    }
    r = check_tail(text, end, n, what, err);
    if (r == 0) {
        r = check_tree(root, 0, what, err);
    }
    if (r < 0) {
        cJSON_Delete(root);
        tare_plain_err(err); /* it may quote a key */
        return r;
    }
    *out = wrap(root);
    return 0;
}

int tare_json_load(const char *path, size_t limit_bytes, struct tare_json **out, struct tare_err *err)
{
    struct tare_buf buf;
    tare_buf_init(&buf, limit_bytes);
    int r = tare_buf_read_file(&buf, path, err);
    if (r == 0) {
        r = tare_json_parse(tare_buf_str(&buf), buf.used, path, out, err);
    }
    tare_buf_fini(&buf);
    return r;
}

void tare_json_destroy(struct tare_json *json)
{
    cJSON_Delete((cJSON *)json);
}

enum tare_json_type tare_json_type(const struct tare_json *json)
{
    const cJSON *item = node(json);
    return cJSON_IsBool(item)     ? TARE_JSON_BOOL
           : is_number(item)      ? TARE_JSON_NUMBER
           : cJSON_IsString(item) ? TARE_JSON_STRING
           : cJSON_IsArray(item)  ? TARE_JSON_ARRAY
           : cJSON_IsObject(item) ? TARE_JSON_OBJECT
                                  : TARE_JSON_NULL;
}

const char *tare_json_type_name(enum tare_json_type type)
{
    static const char *const names[] = {"nothing", "null", "boolean", "number", "string", "array", "object"};
    return type >= TARE_JSON_NULL && type <= TARE_JSON_OBJECT ? names[type] : names[0];
}

size_t tare_json_size(const struct tare_json *json)
{
    return json ? (size_t)cJSON_GetArraySize(node(json)) : 0;
}

const struct tare_json *tare_json_first(const struct tare_json *json)
{
    return json ? wrap(node(json)->child) : NULL;
}

const struct tare_json *tare_json_next(const struct tare_json *json)
{
    return json ? wrap(node(json)->next) : NULL;
}

const char *tare_json_key(const struct tare_json *json)
{
    return json ? node(json)->string : NULL;
}

const struct tare_json *tare_json_get(const struct tare_json *object, const char *key)
{
    return cJSON_IsObject(node(object)) ? wrap(cJSON_GetObjectItemCaseSensitive(node(object), key)) : NULL;
}

const char *tare_json_str(const struct tare_json *json)
{
    return cJSON_GetStringValue(node(json));
}

bool tare_json_true(const struct tare_json *json)
{
    return cJSON_IsTrue(node(json));
}

double tare_json_num(const struct tare_json *json)
{
    const cJSON *item = node(json);
    return cJSON_IsRaw(item) ? strtod(item->valuestring, NULL) : cJSON_IsNumber(item) ? item->valuedouble : 0;
}

int tare_json_i64(const struct tare_json *json, const char *what, int64_t min, int64_t max, int64_t *out,
                  struct tare_err *err)
{
    if (tare_json_type(json) != TARE_JSON_NUMBER) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: an integer is needed, found %s", what,
                            json ? tare_json_type_name(tare_json_type(json)) : "nothing");
    }
    double value = tare_json_num(json);
    if (value != floor(value) || fabs(value) > max_exact) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: %.17g is no exact integer", what, value);
    }
    int64_t n = (int64_t)value;
    if (n < min || n > max) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: %" PRId64 " is not in %" PRId64 " .. %" PRId64, what, n,
                            min, max);
    }
    *out = n;
    return 0;
}

struct tare_json *tare_json_new_object(void)
{
    return wrap(cJSON_CreateObject());
}

struct tare_json *tare_json_new_array(void)
{
    return wrap(cJSON_CreateArray());
}

/* The item added, or NULL. A lost child must not go unnoticed: its parent becomes unprintable. */
static cJSON *add(struct tare_json *parent, const char *key, cJSON *item)
{
    cJSON *to = (cJSON *)parent;
    cJSON_bool ok =
        to && item && (key ? cJSON_AddItemToObject(to, key, item) : cJSON_AddItemToArray(to, item));
    if (ok) {
        if (item->string) {
            tare_plain_utf8(item->string); /* what is printed has to be JSON */
        }
        return item;
    }
    cJSON_Delete(item);
    if (to) {
        to->type = cJSON_Invalid;
    }
    return NULL;
}

struct tare_json *tare_json_add_object(struct tare_json *parent, const char *key)
{
    return wrap(add(parent, key, cJSON_CreateObject()));
}

struct tare_json *tare_json_add_array(struct tare_json *parent, const char *key)
{
    return wrap(add(parent, key, cJSON_CreateArray()));
}

void tare_json_add_str(struct tare_json *parent, const char *key, const char *value)
{
    cJSON *item = value ? cJSON_CreateString(value) : cJSON_CreateNull();
    if (item && item->valuestring) {
        tare_plain_utf8(item->valuestring);
    }
    (void)add(parent, key, item);
}

void tare_json_add_i64(struct tare_json *parent, const char *key, int64_t value)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, value);
    (void)add(parent, key, cJSON_CreateRaw(text));
}

void tare_json_add_f64(struct tare_json *parent, const char *key, double value)
{
    char text[32];
    (void)snprintf(text, sizeof text, "%.17g", value);
    (void)add(parent, key, isfinite(value) ? cJSON_CreateRaw(text) : cJSON_CreateNull());
}

void tare_json_add_bool(struct tare_json *parent, const char *key, bool value)
{
    (void)add(parent, key, cJSON_CreateBool(value));
}

void tare_json_add_null(struct tare_json *parent, const char *key)
{
    (void)add(parent, key, cJSON_CreateNull());
}

void tare_json_add_copy(struct tare_json *parent, const char *key, const struct tare_json *value)
{
    (void)add(parent, key, cJSON_Duplicate(node(value), true));
}

struct tare_json *tare_json_detach(struct tare_json *array, size_t i)
{
    cJSON *from = (cJSON *)array;
    bool there = cJSON_IsArray(from) && i < tare_json_size(array);
    return there ? wrap(cJSON_DetachItemFromArray(from, (int)i)) : NULL;
}

int tare_json_print(const struct tare_json *json, bool indented, char **out, struct tare_err *err)
{
    char *text = NULL;
    if (json) {
        text = indented ? cJSON_Print(node(json)) : cJSON_PrintUnformatted(node(json));
    }
    if (!text) {
        return tare_err_set(err, TARE_E_NOMEM, "JSON could not be built: out of memory");
    }
    *out = text;
    return 0;
}
