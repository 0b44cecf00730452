/* SPDX-License-Identifier: Apache-2.0 */
/* Packed streams and archives, good and hostile, made in memory by libarchive. */
#ifndef TARE_TESTS_READERS_PACKER_H
#define TARE_TESTS_READERS_PACKER_H

#include <stddef.h>

/* free(data). */
struct packed {
    char *data;
    size_t n;
};

/* filter: "gzip", "xz", "zstd". */
struct packed packer_stream(const char *filter, const void *data, size_t n);
/* n times the byte, which packs well. */
struct packed packer_fill(const char *filter, char byte, size_t n);

enum packer_kind {
    PACKER_FILE,
    PACKER_FOLDER,
    PACKER_SYMLINK,
    PACKER_HARDLINK,
    PACKER_DEVICE,
    PACKER_FIFO,
    PACKER_SPARSE
};

struct packer_entry {
    const char *name;
    enum packer_kind kind;
    const char *text;   /* content, or where a link leads */
    size_t zeros_bytes; /* in the place of text */
};

/* format: "pax", "ustar", "gnutar", "zip"; filter NULL: none. password: zip only. entries end with a NULL
 * name. */
struct packed packer_archive(const char *format, const char *filter, const char *password,
                             const struct packer_entry *entries);

#endif
