/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of other programs, in and out. A format is one file, NAME.c, that defines `const struct
 * tare_interop_format tare_interop_NAME`, and one line in this folder's meson.build.
 *
 * An importer reads a file and hands over, in this order: who wrote it; every record WHOLE, as JSON on one
 * line with numbers as they stood, so that fields nobody here knows can be given back; and behind a record
 * the cells and figures that it tells of. A figure that a file gives is of kind `reported`, with the flag
 * IMPORTED: it is what that program says, and nobody here measured it. What a file does not say is no
 * figure; it is never a zero.
 *
 * An exporter either gives the records of an imported file back as they came, or puts the figures of a
 * measured run into the other program's form, by name, and leaves out what it does not have.
 *
 * No format knows the database. Strings handed over live until the call returns.
 */
#ifndef TARE_INTEROP_H
#define TARE_INTEROP_H

#include "base/buf.h"
#include "base/record.h"

#include <stdio.h>
#include <tare/err.h>
#include <tare/json.h>
#include <tare/task.h>

/* The flag of every imported figure, and the reason of a cell that its own program calls invalid. */
#define TARE_INTEROP_FLAG    "IMPORTED"
#define TARE_INTEROP_INVALID "REPORTED_INVALID"
/* The technique of imported cells: what was applied is not known, so it is not called a baseline. */
#define TARE_INTEROP_TECHNIQUE "as reported"

/* --- Reading. --- */

enum {
    tare_interop_max_text = 64 << 20, /* bytes of a file that is read whole, and of one line */
    tare_interop_head = 64 << 10      /* bytes that a format is recognised by */
};

struct tare_hasher;

/* A file while it is read, line by line or whole. */
struct tare_interop_reader {
    FILE *from;
    const char *name; /* the file's own, without its folders */
    struct tare_hasher *hasher;
    struct tare_buf pending; /* read and not taken yet, from `taken` on */
    size_t taken;
    int64_t bytes;
    int64_t line;   /* number of the line that was taken last, from 1; 0: it is not read by lines */
    int64_t record; /* of the record that was handed over last, from 1 */
    bool end;
};

void tare_interop_reader_init(struct tare_interop_reader *reader, FILE *from, const char *path);
void tare_interop_reader_fini(struct tare_interop_reader *reader);
/* The beginning of the file, which stays to be read. */
TARE_MUST_CHECK int tare_interop_peek(struct tare_interop_reader *reader, const char **out, size_t *out_n,
                                      struct tare_err *err);
/* The next line without its end: 1, or 0 at the end of the file. Good until the next call. */
TARE_MUST_CHECK int tare_interop_line(struct tare_interop_reader *reader, const char **out, size_t *out_n,
                                      struct tare_err *err);
/* All of the rest. Good until the reader's end. */
TARE_MUST_CHECK int tare_interop_all(struct tare_interop_reader *reader, const char **out, size_t *out_n,
                                     struct tare_err *err);
/* Reads what is left and gives the hash over all bytes of the file. */
TARE_MUST_CHECK int tare_interop_hash(struct tare_interop_reader *reader, char out[65], struct tare_err *err);

/* --- Handing over. --- */

struct tare_interop_cell {
    const char *model, *task, *scenario; /* labels */
    bool invalid;                        /* its own program says so */
};

struct tare_interop_sink {
    void *ctx;
    /* Who wrote the file; version NULL if it does not say. */
    int (*tool)(void *ctx, const char *name, const char *version, struct tare_err *err);
    /* Of the machine: cpu.model, kernel.release, or the other program's own name for it. */
    int (*fact)(void *ctx, const char *key, const char *value, struct tare_err *err);
    /* What stands around the records: see tare_interop_give_back. At most once. */
    int (*envelope)(void *ctx, const char *json, struct tare_err *err);
    int (*record)(void *ctx, const char *json, struct tare_err *err);
    /* Of the latest record. */
    int (*cell)(void *ctx, const struct tare_interop_cell *cell, struct tare_err *err);
    /* Of the latest cell. A second one of the same name is passed over. */
    int (*figure)(void *ctx, const struct tare_figure *figure, struct tare_err *err);
};

/* What an importer works with. */
struct tare_interop_in {
    struct tare_interop_reader *reader;
    const struct tare_interop_sink *sink;
    const char *tool; /* stands in the source of its figures */
    void *state;      /* the format's own */
};

/* --- Writing. --- */

/* A cell of a measured run. */
struct tare_interop_row {
    const char *model, *backend, *technique, *task, *scenario;
    const char *tokenizer;             /* NULL: not known */
    const struct tare_metric *metrics; /* of the task; NULL: not known */
    const struct tare_figure *figures; /* of valid cells only */
    size_t n_figures;
    const struct tare_repeat_sums *repeats; /* of complete repeats */
    size_t n_repeats;
};

struct tare_interop_run {
    int64_t id;
    const char *name, *started_utc, *version;
    const char *cpu, *kernel; /* its release; NULL: not known */
    const struct tare_interop_row *rows;
    size_t n_rows;
    struct tare_buf *notes; /* lines that say what had no place */
};

typedef int (*tare_interop_record_fn)(void *ctx, const char *json, struct tare_err *err);

/* Records that came out of a file. */
struct tare_interop_stored {
    const char *format;   /* that they were imported as */
    const char *envelope; /* NULL: none */
    int (*each)(void *ctx, tare_interop_record_fn fn, void *fn_ctx, struct tare_err *err);
    void *ctx;
    struct tare_buf *notes;
};

struct tare_interop_format {
    const char *name; /* llama-bench */
    const char *summary;
    const char *tool;   /* who writes such files */
    const char *family; /* formats of one family take each other's records; NULL: its name */
    /* How sure it is that this is one of its files, 0 (it is not) to 100; `name` is the file's. */
    int (*sniff)(const char *head, size_t n, const char *name);
    int (*read)(const struct tare_interop_in *in, struct tare_err *err); /* NULL: out only */
    /* Gives imported records back; NULL: in only. A write error shows when the stream is closed. */
    int (*give_back)(const struct tare_interop_stored *stored, FILE *to, struct tare_err *err);
    int (*write)(const struct tare_interop_run *run, FILE *to, struct tare_err *err); /* NULL: cannot */
};

/* NULL-terminated, in the order of meson.build. */
extern const struct tare_interop_format *const tare_interop_formats[];
/* By name; an unknown one is an error that names the nearest. */
TARE_MUST_CHECK int tare_interop_find(const char *name, const struct tare_interop_format **out,
                                      struct tare_err *err);
/* The one that is surest of the file; an error if none or several are. */
TARE_MUST_CHECK int tare_interop_recognise(struct tare_interop_reader *reader,
                                           const struct tare_interop_format **out, struct tare_err *err);
/* Do records of the format `stored` belong to this one? */
bool tare_interop_takes(const struct tare_interop_format *format, const char *stored);

#endif
