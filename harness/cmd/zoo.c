/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the headers of safetensors files: eight bytes of length, then JSON with "__metadata__". It does not
 * look at tensors, and a header that cannot be read leaves the file in the list, by its name alone.
 */
#include "cmd/zoo.h"

#include "base/buf.h"
#include "base/plain.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { max_header_bytes = 4 << 20, n_ending = sizeof ".safetensors" - 1 };

static int is_model(const struct dirent *e)
{
    size_t n = strlen(e->d_name);
    return n > n_ending && strcmp(e->d_name + n - n_ending, ".safetensors") == 0;
}

/* The header's text; NULL if it is none. */
static char *read_header(FILE *file)
{
    unsigned char length[8];
    if (fread(length, 1, sizeof length, file) != sizeof length) {
        return NULL;
    }
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) {
        n = n << 8 | length[i];
    }
    char *text = n > 0 && n <= max_header_bytes ? malloc((size_t)n + 1) : NULL;
    if (text && fread(text, 1, (size_t)n, file) != n) {
        free(text);
        return NULL;
    }
    if (text) {
        text[n] = '\0';
    }
    return text;
}

static struct tare_json *parse_header(const char *path)
{
    FILE *file = fopen(path, "rbe");
    char *text = file ? read_header(file) : NULL;
    struct tare_json *json = NULL;
    struct tare_err ignored = {0};
    if (text && tare_json_parse(text, strlen(text), path, &json, &ignored) < 0) {
        json = NULL;
    }
    free(text);
    if (file) {
        (void)fclose(file);
    }
    return json;
}

/* In metadata every value is a text. */
static const char *text_of(const struct tare_json *metadata, const char *key)
{
    return tare_json_str(tare_json_get(metadata, key));
}

static void describe(const struct tare_json *metadata, struct tare_buf *to)
{
    const char *what = text_of(metadata, "method"), *base = text_of(metadata, "base");
    const char *tokens = text_of(metadata, "train_tokens"), *bits = text_of(metadata, "test_bpb");
    what = what ? what : text_of(metadata, "what");
    if (what) {
        tare_buf_printf(to, "%s%s%s", base ? base : "", base ? ": " : "", what);
    } else if (tokens && bits) {
        tare_buf_printf(to, "trained on %s tokens, %s bits per byte of its test split", tokens, bits);
    }
}

static void add_number(struct tare_json *to, const char *key, const char *text)
{
    char *end = NULL;
    long long value = text ? strtoll(text, &end, 10) : -1;
    if (text && end != text && *end == '\0' && value >= 0) {
        tare_json_add_i64(to, key, value);
    } else {
        tare_json_add_null(to, key);
    }
}

static void add_model(const char *folder, const char *file, struct tare_json *to)
{
    char path[TARE_PATH_MAX + 256], name[256];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/%s", folder, file);
    (void)snprintf(name, sizeof name, "zoo:%.*s", (int)(strlen(file) - n_ending), file);
    bool there = stat(path, &st) == 0;
    struct tare_json *header = there && S_ISREG(st.st_mode) ? parse_header(path) : NULL;
    const struct tare_json *metadata = tare_json_get(header, "__metadata__");
    const char *arch = text_of(metadata, "arch"), *params = text_of(metadata, "n_params");
    struct tare_buf what, summary;
    tare_buf_init(&what, 1 << 16);
    tare_buf_init(&summary, 1 << 16);
    describe(metadata, &what);
    tare_buf_printf(&summary, "%-7.20s %9.20s parameters %9lld bytes  %.300s", arch ? arch : "-",
                    params ? params : "-", there ? (long long)st.st_size : 0LL, tare_buf_str(&what));
    if (summary.data) {
        tare_plain_line(summary.data); /* it goes to a terminal */
    }
    struct tare_json *o = tare_json_add_object(to, NULL);
    tare_json_add_str(o, "name", name);
    tare_json_add_str(o, "summary", tare_buf_str(&summary));
    tare_json_add_str(o, "arch", arch);
    add_number(o, "parameters", params);
    if (there) {
        tare_json_add_i64(o, "file_bytes", st.st_size);
    } else {
        tare_json_add_null(o, "file_bytes");
    }
    tare_json_add_str(o, "what", what.used ? tare_buf_str(&what) : NULL);
    tare_buf_fini(&summary);
    tare_buf_fini(&what);
    tare_json_destroy(header);
}

void tare_zoo_list(const struct tare_paths *paths, struct tare_json *to)
{
    struct dirent **entries = NULL;
    int n = scandir(paths->zoo, &entries, is_model, alphasort);
    for (int i = 0; i < n; i++) {
        add_model(paths->zoo, entries[i]->d_name, to);
        free(entries[i]);
    }
    free(entries);
}
