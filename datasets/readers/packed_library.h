/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive's functions, found when the first file is opened. Linked in, it would bring thirteen libraries
 * into every start of the program and make that two thirds longer, for readers that most runs do not need.
 */
#ifndef TARE_DATASETS_READERS_PACKED_LIBRARY_H
#define TARE_DATASETS_READERS_PACKED_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>
#include <tare/err.h>

#define TARE_LIBARCHIVE(X)               \
    X(archive_entry_filetype)            \
    X(archive_entry_hardlink)            \
    X(archive_entry_is_encrypted)        \
    X(archive_entry_pathname)            \
    X(archive_entry_pathname_utf8)       \
    X(archive_entry_size)                \
    X(archive_entry_size_is_set)         \
    X(archive_entry_symlink)             \
    X(archive_errno)                     \
    X(archive_error_string)              \
    X(archive_filter_code)               \
    X(archive_filter_count)              \
    X(archive_format)                    \
    X(archive_read_data_block)           \
    X(archive_read_free)                 \
    X(archive_read_new)                  \
    X(archive_read_next_header)          \
    X(archive_read_open_fd)              \
    X(archive_read_support_filter_gzip)  \
    X(archive_read_support_filter_xz)    \
    X(archive_read_support_filter_zstd)  \
    X(archive_read_support_format_empty) \
    X(archive_read_support_format_raw)   \
    X(archive_read_support_format_tar)   \
    X(archive_read_support_format_zip_seekable)

#define TARE_LIBARCHIVE_MEMBER(name) __typeof__(&(name)) name;

/* Each member has the name and type of a function of libarchive. */
struct tare_libarchive {
    TARE_LIBARCHIVE(TARE_LIBARCHIVE_MEMBER)
    void *object; /* that they are in */
};

/* The table, for as long as the program runs; NULL and *err where the library is missing. Any thread. */
const struct tare_libarchive *tare_libarchive_load(struct tare_err *err);

#endif
