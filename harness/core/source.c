/* SPDX-License-Identifier: Apache-2.0 */
/* Every field is checked when a source is read, so that whoever uses one need not. */
#include "core/source.h"

#include "base/nearest.h"
#include "base/plain.h"
#include <tare/data_folder.h>

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { max_name = 64, max_text = 400, max_url = 1500, max_files = 10000, limit_bytes = 16 << 20 };
static const int64_t max_file_bytes = (int64_t)1 << 50;

/* One text of an object. */
struct text_field {
    const char *key;
    bool needed;
    size_t offset;
};

#define SOURCE_TEXT(key_, needed_)                                                      \
    {                                                                                   \
        .key = #key_, .needed = (needed_), .offset = offsetof(struct tare_source, key_) \
    }
static const struct text_field source_texts[] = {
    SOURCE_TEXT(name, true),         SOURCE_TEXT(summary, true),
    SOURCE_TEXT(licence, true),      SOURCE_TEXT(licence_from, true),
    SOURCE_TEXT(licence_url, false), SOURCE_TEXT(cite, true),
    SOURCE_TEXT(note, false),        {.key = NULL}};
static const char *const source_others[] = {"tare_source", "files", NULL};

#define FILE_TEXT(key_, needed_)                                                             \
    {                                                                                        \
        .key = #key_, .needed = (needed_), .offset = offsetof(struct tare_source_file, key_) \
    }
static const struct text_field file_texts[] = {
    FILE_TEXT(file, true), FILE_TEXT(sha256, false), FILE_TEXT(why, false), {.key = NULL}};
static const char *const file_others[] = {"bytes", "urls", "made_from", NULL};

static bool is_known(const struct text_field *texts, const char *const *others, const char *key,
                     struct tare_nearest *nearest)
{
    for (; texts->key; texts++) {
        tare_nearest_offer(nearest, texts->key);
        if (strcmp(texts->key, key) == 0) {
            return true;
        }
    }
    for (; *others; others++) {
        tare_nearest_offer(nearest, *others);
        if (strcmp(*others, key) == 0) {
            return true;
        }
    }
    return false;
}

static int check_keys(const struct tare_json *object, const struct text_field *texts,
                      const char *const *others, const char *what, struct tare_err *err)
{
    if (tare_json_type(object) != TARE_JSON_OBJECT) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: it must be an object", what);
    }
    for (const struct tare_json *v = tare_json_first(object); v; v = tare_json_next(v)) {
        struct tare_nearest nearest = {.word = tare_json_key(v)};
        if (!is_known(texts, others, tare_json_key(v), &nearest)) {
            const char *best = tare_nearest_best(&nearest);
            return tare_err_set(err, TARE_E_FORMAT, "%s: unknown key \"%.60s\"%s%s%s", what, tare_json_key(v),
                                best ? "; is \"" : "", best ? best : "", best ? "\" meant?" : "");
        }
    }
    return 0;
}

/* Shown to people as it is: one line without control characters. */
static bool is_line(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n > max_text || tare_plain_valid(text, n) != n) {
        return false;
    }
    for (; *text; text++) {
        if ((unsigned char)*text < 0x20 || *text == 0x7f) {
            return false;
        }
    }
    return true;
}

static int take_texts(const struct tare_json *object, const struct text_field *texts, void *base,
                      const char *what, struct tare_err *err)
{
    for (; texts->key; texts++) {
        const struct tare_json *v = tare_json_get(object, texts->key);
        const char *text = tare_json_str(v);
        if (!v && !texts->needed) {
            continue;
        }
        if (!text || !is_line(text)) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "%s: \"%s\" must be a text of one line and at most %d bytes", what,
                                texts->key, max_text);
        }
        memcpy((char *)base + texts->offset, &text, sizeof text);
    }
    return 0;
}

/* Which addresses may be used is the business of harness/fetch; here they must only be some. */
static int check_urls(const struct tare_json *urls, const char *what, struct tare_err *err)
{
    if (tare_json_type(urls) != TARE_JSON_ARRAY) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: addresses must be a list", what);
    }
    for (const struct tare_json *v = tare_json_first(urls); v; v = tare_json_next(v)) {
        const char *url = tare_json_str(v);
        bool ok = url && strlen(url) <= max_url &&
                  (strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0);
        for (const char *c = ok ? url : ""; *c; c++) {
            ok = ok && *c > 0x20 && *c < 0x7f;
        }
        if (!ok) {
            return tare_err_set(
                err, TARE_E_FORMAT,
                "%s: an address must begin with https:// or http:// and be ASCII without blanks", what);
        }
    }
    return 0;
}

static bool is_sha256(const char *text)
{
    return strlen(text) == TARE_SHA256_HEX - 1 && strspn(text, "0123456789abcdef") == TARE_SHA256_HEX - 1;
}

static int check_file(const struct tare_source_file *f, const char *name, const char *what,
                      struct tare_err *err)
{
    size_t n = strlen(name);
    if (!tare_data_is_name(f->file) || strncmp(f->file, name, n) != 0 || f->file[n] != '/') {
        return tare_err_set(err, TARE_E_FORMAT, "%s: \"file\" must be a plain path that begins with %s/",
                            what, name);
    }
    if (f->sha256 && (!is_sha256(f->sha256) || f->bytes < 0)) {
        return tare_err_set(
            err, TARE_E_FORMAT,
            "%s: \"sha256\" must have 64 lower-case hexadecimal digits, and \"bytes\" beside it", what);
    }
    bool is_whole = f->sha256 && tare_json_size(f->urls) > 0;
    if (is_whole == (f->why != NULL)) {
        return tare_err_set(err, TARE_E_FORMAT,
                            is_whole ? "%s: \"why\" belongs to a file without address or hash only"
                                     : "%s: without address or hash it must say \"why\"",
                            what);
    }
    return 0;
}

static int parse_file(const struct tare_json *json, const char *name, const char *what,
                      struct tare_source_file *out, struct tare_err *err)
{
    struct tare_source_file f = {
        .bytes = -1, .urls = tare_json_get(json, "urls"), .made_from = tare_json_get(json, "made_from")};
    const struct tare_json *bytes = tare_json_get(json, "bytes");
    int r = check_keys(json, file_texts, file_others, what, err);
    r = r == 0 ? take_texts(json, file_texts, &f, what, err) : r;
    if (r == 0 && bytes && tare_json_i64(bytes, "bytes", 0, max_file_bytes, &f.bytes, NULL) < 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: \"bytes\" must be a whole number of bytes", what);
    }
    r = r == 0 ? check_urls(f.urls, what, err) : r;
    r = r == 0 && f.made_from ? check_urls(f.made_from, what, err) : r;
    r = r == 0 ? check_file(&f, name, what, err) : r;
    if (r == 0) {
        *out = f;
    }
    return r;
}

static int parse_files(struct tare_source *s, const char *what, struct tare_err *err)
{
    const struct tare_json *files = tare_json_get(s->json, "files");
    size_t n = tare_json_size(files);
    if (tare_json_type(files) != TARE_JSON_ARRAY || n == 0 || n > max_files) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: \"files\" must be a list of 1 to %d files", what,
                            max_files);
    }
    s->files = calloc(n, sizeof *s->files);
    if (!s->files) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    for (const struct tare_json *v = tare_json_first(files); v; v = tare_json_next(v)) {
        char which[200];
        const char *file = tare_json_str(tare_json_get(v, "file"));
        (void)snprintf(which, sizeof which, "%.100s: file %zu", what, s->n_files + 1);
        int r = parse_file(v, s->name, which, &s->files[s->n_files], err);
        if (r == 0 && tare_source_find(s, file)) {
            r = tare_err_set(err, TARE_E_FORMAT, "%s: %.100s is there twice", what, file);
        }
        if (r < 0) {
            return r;
        }
        s->n_files++;
    }
    return 0;
}

static bool is_name(const char *name)
{
    size_t n = name ? strlen(name) : 0;
    return n > 0 && n < max_name && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == n &&
           name[0] != '-';
}

static int parse_source(struct tare_source *s, const char *what, struct tare_err *err)
{
    int r = check_keys(s->json, source_texts, source_others, what, err);
    if (r == 0 && tare_json_num(tare_json_get(s->json, "tare_source")) != 1) {
        r = tare_err_set(err, TARE_E_FORMAT,
                         "%s: \"tare_source\" must be 1, the version that this tare reads", what);
    }
    r = r == 0 ? take_texts(s->json, source_texts, s, what, err) : r;
    if (r == 0 && !is_name(s->name)) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: \"name\" must be of a-z, 0-9, '_' and '-'", what);
    }
    return r == 0 ? parse_files(s, what, err) : r;
}

int tare_source_parse(struct tare_json *json, const char *what, struct tare_source **out,
                      struct tare_err *err)
{
    struct tare_source *s = calloc(1, sizeof *s);
    if (!s) {
        tare_json_destroy(json);
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
    }
    s->json = json;
    int r = parse_source(s, what, err);
    if (r != 0) {
        tare_plain_err(err);
        tare_source_destroy(s);
        return r;
    }
    *out = s;
    return 0;
}

void tare_source_destroy(struct tare_source *source)
{
    if (source) {
        free(source->files);
        tare_json_destroy(source->json);
        free(source);
    }
}

/* "NAME.json" */
static int name_length(const struct dirent *entry)
{
    size_t n = strlen(entry->d_name);
    return n > 5 && n < max_name + 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + n - 5, ".json") == 0
               ? (int)n - 5
               : 0;
}

static int sources_folder(const struct tare_paths *paths, char out[TARE_PATH_MAX + 16])
{
    return snprintf(out, TARE_PATH_MAX + 16, "%s/sources", paths->data);
}

int tare_source_names(const struct tare_paths *paths, struct tare_json *to, struct tare_err *err)
{
    char folder[TARE_PATH_MAX + 16];
    struct dirent **entries = NULL;
    (void)sources_folder(paths, folder);
    int n = scandir(folder, &entries, name_length, alphasort);
    if (n < 0) {
        return tare_err_set(err, TARE_E_IO, "sources of data, %s: %s", folder, strerror(errno));
    }
    for (int i = 0; i < n; i++) {
        entries[i]->d_name[name_length(entries[i])] = '\0';
        tare_json_add_str(to, NULL, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return 0;
}

static int unknown_source(const struct tare_paths *paths, const char *name, struct tare_err *err)
{
    struct tare_json *names = tare_json_new_array();
    struct tare_nearest nearest = {.word = name};
    int r = tare_source_names(paths, names, err);
    for (const struct tare_json *v = tare_json_first(names); r == 0 && v; v = tare_json_next(v)) {
        tare_nearest_offer(&nearest, tare_json_str(v));
    }
    const char *best = tare_nearest_best(&nearest);
    if (r == 0) {
        r = tare_err_set(err, TARE_E_USAGE,
                         "no source of data is called \"%.60s\"%s%s%s; 'tare fetch --list' shows all", name,
                         best ? "; is \"" : "", best ? best : "", best ? "\" meant?" : "");
        tare_plain_err(err);
    }
    tare_json_destroy(names);
    return r;
}

int tare_source_load(const struct tare_paths *paths, const char *name, struct tare_source **out,
                     struct tare_err *err)
{
    char path[TARE_PATH_MAX + 128];
    struct stat is_there;
    struct tare_json *json = NULL;
    struct tare_source *source = NULL;
    if (!is_name(name)) {
        return unknown_source(paths, name, err);
    }
    (void)snprintf(path + sources_folder(paths, path), 96, "/%s.json", name);
    if (stat(path, &is_there) != 0) {
        return errno == ENOENT ? unknown_source(paths, name, err)
                               : tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
    }
    int r = tare_json_load(path, limit_bytes, &json, err);
    r = r == 0 ? tare_source_parse(json, path, &source, err) : r;
    if (r == 0 && strcmp(source->name, name) != 0) {
        r = tare_err_set(err, TARE_E_FORMAT, "%s: its name is \"%s\"", path, source->name);
        tare_source_destroy(source);
    } else if (r == 0) {
        *out = source;
    }
    return r;
}

const struct tare_source_file *tare_source_find(const struct tare_source *source, const char *file)
{
    for (size_t i = 0; i < source->n_files; i++) {
        if (strcmp(source->files[i].file, file) == 0) {
            return &source->files[i];
        }
    }
    return NULL;
}

const char *tare_source_state_name(enum tare_source_state state)
{
    static const char *const names[] = {"absent", "present", "changed", "unpinned"};
    return names[state];
}

int tare_source_look(const struct tare_source_file *file, const char *folder, struct tare_source_found *out,
                     struct tare_err *err)
{
    char path[TARE_PATH_MAX];
    struct stat st;
    struct tare_source_found found = {.state = TARE_SOURCE_ABSENT, .bytes = -1};
    if (snprintf(path, sizeof path, "%s/%s", folder, file->file) >= (int)sizeof path) {
        return tare_err_set(err, TARE_E_LIMIT, "path too long: %.100s/%.100s", folder, file->file);
    }
    if (stat(path, &st) != 0) {
        if (errno != ENOENT && errno != ENOTDIR) {
            return tare_err_set(err, TARE_E_IO, "%s: %s", path, strerror(errno));
        }
        *out = found;
        return 0;
    }
    if (!S_ISREG(st.st_mode)) {
        return tare_err_set(err, TARE_E_IO, "%s: it is no file; move it away", path);
    }
    found.bytes = st.st_size;
    found.state = file->sha256 ? TARE_SOURCE_CHANGED : TARE_SOURCE_UNPINNED;
    int r = !file->sha256 || st.st_size == file->bytes
                ? tare_sha256_file(path, found.sha256, &found.bytes, err)
                : 0;
    if (r == 0 && file->sha256 && found.bytes == file->bytes && strcmp(found.sha256, file->sha256) == 0) {
        found.state = TARE_SOURCE_PRESENT;
    }
    if (r == 0) {
        *out = found;
    }
    return r;
}
