/* SPDX-License-Identifier: Apache-2.0 */
/* Which format a file has, and the one record that is held. */
#include "reader.h"

#include <stdlib.h>
#include <string.h>

#include "format.h"

struct tare_reader {
    char *path;
    struct tare_input input;
    const struct tare_reader_format *format;
    void *state;
    struct tare_json *record;
    unsigned long long line; /* of the record */
    bool ended;
    struct tare_err fault; /* code 0: none so far */
};

static const struct tare_reader_format *const formats[] = {
    &tare_reader_jsonl, &tare_reader_json, &tare_reader_csv, &tare_reader_tsv, &tare_reader_text,
};
enum { n_formats = sizeof formats / sizeof *formats };

/* Length of the path without an ending that says how it is packed. */
static size_t unpacked_length(const char *path)
{
    static const char *const packings[] = {".gz", ".xz", ".zst"};
    size_t n = strlen(path);
    for (size_t i = 0; i < sizeof packings / sizeof *packings; i++) {
        size_t m = strlen(packings[i]);
        if (n > m && strcmp(path + n - m, packings[i]) == 0) {
            return n - m;
        }
    }
    return n;
}

static bool has_suffix(const struct tare_reader_format *format, const char *path, size_t n)
{
    for (const char *const *suffix = format->suffixes; *suffix; suffix++) {
        size_t m = strlen(*suffix);
        if (n >= m && memcmp(path + n - m, *suffix, m) == 0) {
            return true;
        }
    }
    return false;
}

static int choose_format(const char *path, const char *name, const struct tare_reader_format **out,
                         struct tare_err *err)
{
    size_t n = unpacked_length(path);
    for (size_t i = 0; i < n_formats; i++) {
        if (name ? strcmp(formats[i]->name, name) == 0 : has_suffix(formats[i], path, n)) {
            *out = formats[i];
            return 0;
        }
    }
    static const char *const known = "jsonl, json, csv, tsv, text";
    return name ? tare_err_set(err, TARE_E_USAGE, "%s: no format \"%.40s\"; there are %s", path, name, known)
                : tare_err_set(err, TARE_E_USAGE, "%s: its name does not say a format; give one of %s", path,
                               known);
}

static int check_options(const char *path, const struct tare_reader_options *options,
                         const struct tare_reader_format *format, struct tare_err *err)
{
    const char *unfit = options->pointer && !format->takes_pointer   ? "JSON pointer"
                        : options->columns && !format->takes_columns ? "columns"
                                                                     : NULL;
    return unfit ? tare_err_set(err, TARE_E_USAGE, "%s: %s given, which a %s file does not take", path, unfit,
                                format->name)
                 : 0;
}

static int begin(struct tare_reader *reader, const struct tare_reader_options *options, struct tare_err *err)
{
    int r = choose_format(reader->path, options->format, &reader->format, err);
    r = r < 0 ? r : check_options(reader->path, options, reader->format, err);
    r = r < 0 ? r : tare_input_open(&reader->input, reader->path, err);
    return r < 0 ? r : reader->format->open(options, &reader->input, &reader->state, err);
}

int tare_reader_open(const char *path, const struct tare_reader_options *options, struct tare_reader **out,
                     struct tare_err *err)
{
    static const struct tare_reader_options none = {0};
    struct tare_reader *reader = calloc(1, sizeof *reader);
    if (reader) {
        reader->path = strdup(path);
    }
    int r = reader && reader->path ? begin(reader, options ? options : &none, err)
                                   : tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", path);
    if (r < 0) {
        tare_reader_close(reader);
        return r;
    }
    *out = reader;
    return 0;
}

static int read_record(struct tare_reader *reader)
{
    unsigned long long line = reader->line;
    int r = reader->format->next(reader->state, &reader->input, &reader->record, &line, &reader->fault);
    if (r > 0) {
        reader->line = line;
    }
    reader->ended = r == 0;
    return r;
}

int tare_reader_next(struct tare_reader *reader, const struct tare_json **out, struct tare_err *err)
{
    tare_json_destroy(reader->record);
    reader->record = NULL;
    if (reader->ended) {
        return 0;
    }
    if (reader->fault.code == 0 && read_record(reader) >= 0) {
        if (reader->record) {
            *out = reader->record;
        }
        return reader->record != NULL;
    }
    return tare_err_set(err, reader->fault.code, "%s", reader->fault.msg);
}

unsigned long long tare_reader_line(const struct tare_reader *reader)
{
    return reader->line;
}

void tare_reader_close(struct tare_reader *reader)
{
    if (reader) {
        tare_json_destroy(reader->record);
        if (reader->state) {
            reader->format->close(reader->state);
        }
        tare_input_close(&reader->input);
        free(reader->path);
        free(reader);
    }
}
