/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a file that may be packed, or of the files in an archive. packed.c and packed_library.c are
 * the only files that see libarchive; here it is made strict: few formats, no outer programs, one layer of
 * packing, limits on what comes out, and the checksum of gzip, which libarchive reads over. What names and
 * kinds are fine is archive.c's.
 */
#ifndef TARE_DATASETS_READERS_PACKED_H
#define TARE_DATASETS_READERS_PACKED_H

#include <stdbool.h>
#include <stdint.h>
#include <tare/task.h>

struct tare_packed;

enum tare_packed_kind { TARE_PACKED_FILE = 1, TARE_PACKED_FOLDER, TARE_PACKED_LINK, TARE_PACKED_OTHER };

struct tare_packed_entry {
    const char *name; /* NULL where it cannot be told; valid until the next entry */
    enum tare_packed_kind kind;
    bool encrypted;
};

/* The file itself, or what gzip, xz or zstd made it from. tare_packed_close(*out). */
TARE_MUST_CHECK int tare_packed_open_stream(const char *path, struct tare_packed **out, struct tare_err *err);
/* zip or tar, whose files hold at most limit_bytes together. tare_packed_close(*out). */
TARE_MUST_CHECK int tare_packed_open_archive(const char *path, uint64_t limit_bytes, struct tare_packed **out,
                                             struct tare_err *err);
/* Of an archive. 1: *out is the next entry; 0: there is none. */
TARE_MUST_CHECK int tare_packed_next(struct tare_packed *packed, struct tare_packed_entry *out,
                                     struct tare_err *err);
/* 1: *out are the next bytes of the stream or entry, at least one, valid until the next call; 0: its end. */
TARE_MUST_CHECK int tare_packed_read(struct tare_packed *packed, struct tare_bytes *out,
                                     struct tare_err *err);
/* NULL is fine. */
void tare_packed_close(struct tare_packed *packed);

#endif
