/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records out of a file, one after the other, each a JSON object.
 *
 * Five formats: JSON Lines, JSON (the children of one array or object), CSV and TSV by RFC 4180, and plain
 * text by lines. The file may be packed by gzip, xz or zstd; that is seen by its first bytes, and a name
 * that ends in .gz, .xz or .zst has to tell the truth. Only regular files are read. What a record means is
 * the caller's: nothing is renamed, trimmed or converted here.
 *
 * Memory does not grow with the file: held are the blocks of the unpacker (below 1 MiB for gzip; the window
 * that the packer chose for xz and zstd, 8 MiB at their default levels), the text of one record and its tree.
 * The one exception are the records of a JSON object, whose keys are told apart at 16 to 32 bytes a key.
 *
 * Limits, each a TARE_E_LIMIT: a record of 64 MiB of text; a packed file that becomes more than 64 MiB and
 * more than 250 times its size, or more than 1 TiB. Text is UTF-8 without NUL; a byte order mark at the head
 * of the file is dropped. Errors name the file and, where there is one, the line.
 *
 * A reader is used by one thread at a time. It is not a query language: one pass, in the order of the file.
 */
#ifndef TARE_DATASETS_READERS_READER_H
#define TARE_DATASETS_READERS_READER_H

#include <tare/err.h>
#include <tare/json.h>

struct tare_reader;

/* How a file is to be read. Zero: by its name. Read by tare_reader_open only. */
struct tare_reader_options {
    const char *format;  /* "jsonl", "json", "csv", "tsv", "text"; NULL: by the name, .gz/.xz/.zst aside */
    const char *pointer; /* json: RFC 6901 pointer to the array or object whose children are the records;
                            NULL: the root */
    const char *columns; /* csv, tsv without a header line: comma-separated names; NULL: the first line has
                            them */
};

/* options may be NULL. tare_reader_close(*out). A CSV header is read here, and a packed file's first block.
 */
TARE_MUST_CHECK int tare_reader_open(const char *path, const struct tare_reader_options *options,
                                     struct tare_reader **out, struct tare_err *err);
/*
 * 1: *out is the next record, an object, valid until the next call; 0: the end; below 0: an error, and the
 * same one again ever after. Only 0 says that the file was whole and right to its end.
 *
 *   jsonl  the object of the line; lines of white space are passed over; anything else than an object is
 * refused json   an array's elements, which must be objects; an object's children as {"key": K, "value": V}
 *   csv    {"column": "field", ...}, every field a string; a row with too many or too few fields is refused
 *   text   {"text": line without its end (LF or CR LF)}; what stands behind the last end is a line if not
 * empty
 *
 * JSON has the grammar of RFC 8259 and NaN, Infinity, -Infinity, as Python writes them. Keys keep their order
 * and numbers their text (tare_json_number_text); a key twice in one object is refused.
 */
TARE_MUST_CHECK int tare_reader_next(struct tare_reader *reader, const struct tare_json **out,
                                     struct tare_err *err);
/* The line of the file on which the last record began, from 1; 0 before the first one. */
unsigned long long tare_reader_line(const struct tare_reader *reader);
/* NULL is fine. */
void tare_reader_close(struct tare_reader *reader);

#endif
