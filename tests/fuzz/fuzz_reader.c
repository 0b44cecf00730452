/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The readers of records, each by a target of its own. What they accept is a list of objects that can be
 * printed; JSON Lines and the same values as one array are the same records; rows have all columns; lines are
 * not lost.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <tare/json.h>
#include <unistd.h>

#include "datasets/readers/reader.h"
#include "tests/datasets/readers/packer.h"

/* A file in memory, by a name that can be opened. */
static int make_file(const char *data, size_t n, char path[64])
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    fuzz_check(fd >= 0 && write(fd, data, n) == (ssize_t)n, "no file in memory");
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

struct records {
    char *text; /* JSON, one a line; free() */
    size_t n_text, n;
    size_t columns; /* the number of members that all have; SIZE_MAX: they differ */
};

static void add_record(struct records *out, FILE *stream, const struct tare_json *record)
{
    struct tare_err err = {0};
    char *text = NULL;
    fuzz_check(tare_json_type(record) == TARE_JSON_OBJECT, "a record that is no object");
    fuzz_check(tare_json_print(record, false, &text, &err) == 0, "a record that cannot be printed");
    fuzz_check(!strchr(text, '\n'), "a record of several lines");
    (void)fprintf(stream, "%s\n", text);
    free(text);
    out->columns = out->n == 0 || out->columns == tare_json_size(record) ? tare_json_size(record) : SIZE_MAX;
    out->n++;
}

/* 0 or the error; *out is given away on success alone. */
static int read_records(const char *data, size_t n, const struct tare_reader_options *options,
                        struct records *out, struct tare_err *err)
{
    struct tare_reader *reader = NULL;
    const struct tare_json *record = NULL;
    struct records all = {0};
    char path[64];
    int fd = make_file(data, n, path);
    FILE *stream = open_memstream(&all.text, &all.n_text);
    fuzz_check(stream != NULL, "out of memory");
    int r = tare_reader_open(path, options, &reader, err);
    while (r >= 0 && (r = tare_reader_next(reader, &record, err)) > 0) {
        add_record(&all, stream, record);
    }
    fuzz_check(r == 0 || strstr(err->msg, path) || err->code == TARE_E_USAGE,
               "an error without the file's name");
    tare_reader_close(reader);
    (void)fclose(stream);
    (void)close(fd);
    if (r < 0) {
        free(all.text);
        return r;
    }
    *out = all;
    return 0;
}

/* The records as one array. */
static char *as_array(const struct records *records)
{
    char *text = malloc(records->n_text + 3);
    fuzz_check(text != NULL, "out of memory");
    text[0] = '[';
    memcpy(text + 1, records->text, records->n_text);
    for (size_t i = 1; i < records->n_text; i++) {
        text[i] = text[i] == '\n' ? ',' : text[i]; /* a string has no line feed of its own */
    }
    memcpy(text + 1 + records->n_text - (records->n_text > 0), "]", 2);
    return text;
}

static int read_jsonl(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    static const struct tare_reader_options lines = {.format = "jsonl"}, array = {.format = "json"};
    struct records records, again;
    struct tare_err fault = {0};
    (void)rng;
    int r = read_records(data, n, &lines, &records, err);
    if (r < 0) {
        return r;
    }
    char *text = as_array(&records);
    fuzz_check(read_records(text, strlen(text), &array, &again, &fault) == 0, fault.msg);
    fuzz_check(strcmp(records.text, again.text) == 0, "lines and array are not the same records");
    free(text);
    free(again.text);
    free(records.text);
    return 0;
}

/* The first byte chooses the pointer. */
static int read_json(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    static const char *const pointers[] = {NULL, "/data", "/a/1", "/", "/a~1b/0/~0"};
    static const struct tare_reader_options lines = {.format = "jsonl"};
    struct tare_reader_options options = {.format = "json"};
    struct records records, again;
    struct tare_err fault = {0};
    (void)rng;
    if (n == 0) {
        return tare_err_set(err, TARE_E_FORMAT, "nothing");
    }
    options.pointer = pointers[(unsigned char)data[0] % (sizeof pointers / sizeof *pointers)];
    int r = read_records(data + 1, n - 1, &options, &records, err);
    if (r < 0) {
        return r;
    }
    fuzz_check(read_records(records.text, records.n_text, &lines, &again, &fault) == 0, fault.msg);
    fuzz_check(strcmp(records.text, again.text) == 0, "records and their lines are not the same");
    free(again.text);
    free(records.text);
    return 0;
}

/* The first byte chooses the separator and where the names are. */
static int read_csv(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct records records;
    (void)rng;
    if (n == 0) {
        return tare_err_set(err, TARE_E_FORMAT, "nothing");
    }
    struct tare_reader_options options = {
        .format = data[0] & 1 ? "tsv" : "csv",
        .columns = data[0] & 2 ? "a,b" : NULL,
    };
    int r = read_records(data + 1, n - 1, &options, &records, err);
    if (r == 0) {
        fuzz_check(records.columns != SIZE_MAX, "rows of unlike length");
        fuzz_check(records.n == 0 || !options.columns || records.columns == 2, "rows of another length");
        free(records.text);
    }
    return r;
}

static int read_text(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    static const struct tare_reader_options options = {.format = "text"};
    struct records records;
    (void)rng;
    int r = read_records(data, n, &options, &records, err);
    if (r == 0 && !memchr("\x1f\xfd(", n ? data[0] : 0, 3)) { /* not packed */
        size_t skip = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0, lines = 0;
        for (size_t i = skip; i < n; i++) {
            lines += data[i] == '\n';
        }
        lines += n > skip && data[n - 1] != '\n';
        fuzz_check(records.n == lines, "lines were lost or made up");
    }
    if (r == 0) {
        free(records.text);
    }
    return r;
}

static const struct fuzz_seed jsonl_seeds[] = {
    FUZZ_TEXT("{\"a\": 1, \"b\": [true, null, -0.5e+3]}\r\n\n{\"c\": \"\\u20ac\\ud83d\\ude00\xc3\xa9\"}\n"),
    FUZZ_TEXT("\xef\xbb\xbf{\"id\":9007199254740993,\"x\":NaN,\"y\":-Infinity,\"z\":{\"w\":[[],{}]}}"),
    FUZZ_TEXT("{}\n{}\n{\"\":\"\"}\n"),
};
static const struct fuzz_seed json_seeds[] = {
    FUZZ_TEXT("\0[{\"a\": 1},\n {\"b\": [\"x\", {\"c\": null}]}]\n"),
    FUZZ_TEXT("\1{\"version\": \"1.1\", \"data\": [{\"q\": \"\\\"\"}, {}], \"tail\": [1, 2.5]}"),
    FUZZ_TEXT("\2{\"a\": [0, {\"k\": [1], \"l\": \"\\u00e9\"}], \"b\": false}"),
    FUZZ_TEXT("\3{\"x\": 0, \"\": [{\"n\": 1e5}]}"),
    FUZZ_TEXT("\4{\"a/b\": [{\"~\": [{\"z\": true}]}]}"),
};
static const struct fuzz_seed csv_seeds[] = {
    FUZZ_TEXT("\0a,b,c\r\n1,\"x,y\",\"he said \"\"no\"\"\"\r\n,\"l1\nl2\",\xc3\xa9\r\n"),
    FUZZ_TEXT("\1a\tb\n1\t\"x\ty\"\n,,\t3"),
    FUZZ_TEXT("\2"
              "1,2\n\"\",\"\"\n"),
    FUZZ_TEXT("\3"
              "1\t2\n"),
};
static const struct fuzz_seed text_seeds[] = {
    FUZZ_TEXT("one\r\n\ntwo \xe2\x82\xac\nthree"),
    FUZZ_TEXT("\xef\xbb\xbfmarked\n"),
};
static const char *const words[] = {"\"",        "\"\"",
                                    ",",         "\t",
                                    "\r\n",      "\n",
                                    "\r",        "\xef\xbb\xbf",
                                    "{\"a\":",   "[",
                                    "]",         "}",
                                    "\\u0000",   "\\ud800",
                                    "NaN",       "Infinity",
                                    "-",         "1e9",
                                    "\"data\":", "\"a\"",
                                    "\xff",      "[[[[[[[[[[[[[[[[",
                                    "{\"x\":{",  "\"\":",
                                    "\\",        "true",
                                    NULL};

static int run(const struct fuzz_target *target)
{
    return fuzz_main(target) || fuzz_replay(target);
}

/* Packed text, which libarchive makes here; mutations hardly get through a checksum, which is the point of
 * it. */
static int fuzz_packed(void)
{
    static const char text[] = "one\ntwo\r\nthree, and some more text that packs well well well well well\n";
    static const char *const filters[] = {"gzip", "xz", "zstd"};
    struct fuzz_seed seeds[3];
    struct packed packed[3];
    for (size_t i = 0; i < 3; i++) {
        packed[i] = packer_stream(filters[i], text, strlen(text));
        seeds[i] = (struct fuzz_seed){packed[i].data, packed[i].n};
    }
    int r = run(&(struct fuzz_target){"reader_packed", seeds, 3, words, 5000, read_text});
    for (size_t i = 0; i < 3; i++) {
        free(packed[i].data);
    }
    return r;
}

#define TARGET(name, iterations)                                                                         \
    run(&(struct fuzz_target){"reader_" #name, name##_seeds, sizeof name##_seeds / sizeof *name##_seeds, \
                              words, iterations, read_##name})

int main(void)
{
    return TARGET(jsonl, 5000) || TARGET(json, 5000) || TARGET(csv, 5000) || TARGET(text, 5000) ||
           fuzz_packed();
}
