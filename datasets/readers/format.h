/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a format of records gives the reader, and the two things that all of them do: lines, and text that
 * becomes JSON. reader.c holds the list.
 */
#ifndef TARE_DATASETS_READERS_FORMAT_H
#define TARE_DATASETS_READERS_FORMAT_H

#include "input.h"
#include "reader.h"

struct tare_reader_format {
    const char *name;
    const char *const *suffixes; /* of file names, NULL-terminated */
    bool takes_pointer, takes_columns;
    /* *state is the format's own; close is called whether open fails or not. */
    int (*open)(const struct tare_reader_options *options, struct tare_input *input, void **state,
                struct tare_err *err);
    /* 1: *out is a new tree, the reader's, and *line where it began; 0: the end; below 0: an error. */
    int (*next)(void *state, struct tare_input *input, struct tare_json **out, unsigned long long *line,
                struct tare_err *err);
    void (*close)(void *state); /* NULL is fine */
};

extern const struct tare_reader_format tare_reader_jsonl, tare_reader_json, tare_reader_csv, tare_reader_tsv,
    tare_reader_text;

/* 1: the next line without its end is in *gather; 0: the end. A line ends in LF or CR LF. */
TARE_MUST_CHECK int tare_input_line(struct tare_input *input, struct tare_gather *gather,
                                    struct tare_err *err);
/* Parses one JSON value whose text begins on `line` of the input. */
TARE_MUST_CHECK int tare_record_parse(const struct tare_input *input, unsigned long long line,
                                      const char *text, size_t n, struct tare_json **out,
                                      struct tare_err *err);
/* Adds a string that must be UTF-8 without NUL, text[n] being a NUL. `what` names it in a message. */
TARE_MUST_CHECK int tare_record_add_str(struct tare_json *record, const char *key, const char *text, size_t n,
                                        const struct tare_input *input, unsigned long long line,
                                        struct tare_err *err);

#endif
