/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libarchive, held short.
 *
 * libarchive counts neither what comes out nor what a stream was packed with, runs outer programs where it
 * was built without a library, and unpacks layer below layer: each of these is looked after here. Its gzip
 * filter skips the checksum and takes whatever follows for the end, so the last eight bytes of the file,
 * CRC-32 and length of what was packed (RFC 1952), are compared with what came out. A file of several gzip
 * members does not pass that, for which its error has a word.
 */
#include "packed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "crc32.h"
#include "packed_library.h"
#include "plain.h"

enum { block_bytes = 1 << 16, max_ratio = 250, layers = 2 /* the packing and the file below it */ };
static const uint64_t always_fine_bytes = UINT64_C(64) << 20;
static const uint64_t max_stream_bytes = UINT64_C(1) << 40;

struct tare_packed {
    const struct tare_libarchive *la;
    struct archive *archive;
    char *path;
    int fd;
    uint64_t file_bytes;  /* of the file as it lies there */
    uint64_t out_bytes;   /* given out so far, of all entries */
    uint64_t limit_bytes; /* of out_bytes */
    bool is_stream;       /* no archive */
    bool ended;           /* a stream without a byte */
    bool is_packed;
    bool is_gzip; /* and a stream: the checksum is kept */
    struct tare_crc32 crc;
    struct archive_entry *entry;
    uint64_t entry_bytes; /* given out of this entry */
};

/* What libarchive says, in one line. */
static int fail(struct tare_packed *packed, struct tare_err *err)
{
    char shown[TARE_READERS_SHOWN];
    const char *says = packed->la->archive_error_string(packed->archive);
    int code = packed->la->archive_errno(packed->archive);
    return tare_err_set(err,
                        code == ENOMEM ? TARE_E_NOMEM
                        : code == EIO  ? TARE_E_IO
                                       : TARE_E_FORMAT,
                        "%s: cannot be unpacked: %s", packed->path,
                        says ? tare_readers_show(says, shown) : "damaged or cut short");
}

static int open_file(struct tare_packed *packed, struct tare_err *err)
{
    struct stat st;
    /* O_NONBLOCK: opening a FIFO must not wait for a writer. */
    packed->fd = open(packed->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (packed->fd < 0 || fstat(packed->fd, &st) != 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s", packed->path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return tare_err_set(err, TARE_E_IO, "%s: %s; name a file", packed->path,
                            S_ISDIR(st.st_mode) ? "is a directory" : "is not a regular file");
    }
    packed->file_bytes = (uint64_t)st.st_size;
    return 0;
}

/* ARCHIVE_WARN would mean that an outer program does it. The other reader of zip takes one without its
 * directory, which may have been cut between two entries. */
static bool allow(const struct tare_libarchive *la, struct archive *archive, bool stream)
{
    bool formats = stream ? la->archive_read_support_format_raw(archive) == ARCHIVE_OK &&
                                la->archive_read_support_format_empty(archive) == ARCHIVE_OK
                          : la->archive_read_support_format_tar(archive) == ARCHIVE_OK &&
                                la->archive_read_support_format_zip_seekable(archive) == ARCHIVE_OK;
    return formats && la->archive_read_support_filter_gzip(archive) == ARCHIVE_OK &&
           la->archive_read_support_filter_xz(archive) == ARCHIVE_OK &&
           la->archive_read_support_filter_zstd(archive) == ARCHIVE_OK;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n > m && strcmp(text + n - m, end) == 0;
}

/* A file that was cut to nothing, or changed on its way, must not pass for a plain one. */
static int check_name(const struct tare_packed *packed, int filter, struct tare_err *err)
{
    static const struct {
        const char *end;
        int filter;
    } names[] = {{".gz", ARCHIVE_FILTER_GZIP}, {".xz", ARCHIVE_FILTER_XZ}, {".zst", ARCHIVE_FILTER_ZSTD}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (ends_with(packed->path, names[i].end) && filter != names[i].filter) {
            return tare_err_set(err, TARE_E_FORMAT,
                                "%s: is no %s file; get it again, or rename it if it is meant to be so",
                                packed->path, names[i].end);
        }
    }
    return 0;
}

/* The filters are known as soon as libarchive has seen the first bytes. */
static int check_filters(struct tare_packed *packed, bool stream, struct tare_err *err)
{
    int filter = packed->la->archive_filter_code(packed->archive, 0);
    if (packed->la->archive_filter_count(packed->archive) > layers) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: is packed several times over; unpack it once by hand",
                            packed->path);
    }
    packed->is_stream = stream;
    packed->is_packed = filter != ARCHIVE_FILTER_NONE;
    packed->is_gzip = stream && filter == ARCHIVE_FILTER_GZIP;
    return stream ? check_name(packed, filter, err) : 0;
}

static int begin(struct tare_packed *packed, bool stream, struct tare_err *err)
{
    int rc = open_file(packed, err);
    if (rc) {
        return rc;
    }
    packed->la = tare_libarchive_load(err);
    if (!packed->la) {
        return TARE_E_ENVIRONMENT;
    }
    packed->archive = packed->la->archive_read_new();
    if (!packed->archive) {
        return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", packed->path);
    }
    if (!allow(packed->la, packed->archive, stream)) {
        return tare_err_set(err, TARE_E_UNSUPPORTED, "%s: this libarchive lacks gzip, xz or zstd",
                            packed->path);
    }
    if (packed->la->archive_read_open_fd(packed->archive, packed->fd, block_bytes) != ARCHIVE_OK) {
        return fail(packed, err);
    }
    rc = check_filters(packed, stream, err);
    if (rc || !stream) {
        return rc;
    }
    int r = packed->la->archive_read_next_header(packed->archive, &packed->entry);
    packed->ended = r == ARCHIVE_EOF;
    return r == ARCHIVE_OK || r == ARCHIVE_EOF ? 0 : fail(packed, err);
}

static int open_packed(const char *path, bool stream, uint64_t limit_bytes, struct tare_packed **out,
                       struct tare_err *err)
{
    struct tare_packed *packed = calloc(1, sizeof *packed);
    if (packed) {
        packed->fd = -1;
        packed->path = strdup(path);
        packed->limit_bytes = limit_bytes;
        tare_crc32_init(&packed->crc);
    }
    int rc = packed && packed->path ? begin(packed, stream, err)
                                    : tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", path);
    if (rc) {
        tare_packed_close(packed);
        return rc;
    }
    *out = packed;
    return 0;
}

int tare_packed_open_stream(const char *path, struct tare_packed **out, struct tare_err *err)
{
    return open_packed(path, true, max_stream_bytes, out, err);
}

/* All of a stream, for its checksum. */
static int check_stream(const char *path, struct tare_err *err)
{
    struct tare_packed *packed = NULL;
    struct tare_bytes bytes;
    int r = tare_packed_open_stream(path, &packed, err);
    if (r != 0) {
        return r;
    }
    do {
        r = tare_packed_read(packed, &bytes, err);
    } while (r > 0);
    tare_packed_close(packed);
    return r;
}

int tare_packed_open_archive(const char *path, uint64_t limit_bytes, struct tare_packed **out,
                             struct tare_err *err)
{
    struct tare_packed *packed = NULL;
    int r = open_packed(path, false, limit_bytes, &packed, err);
    if (r == 0 && packed->la->archive_filter_code(packed->archive, 0) == ARCHIVE_FILTER_GZIP) {
        r = check_stream(path, err);
    }
    if (r < 0) {
        tare_packed_close(packed);
        return r;
    }
    *out = packed;
    return 0;
}

static enum tare_packed_kind kind_of(const struct tare_libarchive *la, struct archive_entry *entry)
{
    if (la->archive_entry_hardlink(entry) || la->archive_entry_symlink(entry)) {
        return TARE_PACKED_LINK;
    }
    switch (la->archive_entry_filetype(entry)) {
    case AE_IFREG:
        return TARE_PACKED_FILE;
    case AE_IFDIR:
        return TARE_PACKED_FOLDER;
    case AE_IFLNK:
        return TARE_PACKED_LINK;
    default:
        return TARE_PACKED_OTHER;
    }
}

/* A tar ends in at least 1024 bytes of zeros (POSIX), which libarchive does not ask for: without them it was
 * cut between two entries. That a packed one is whole its packing says. */
static int check_tar_end(const struct tare_packed *packed, struct tare_err *err)
{
    static const unsigned char zeros[1024];
    unsigned char tail[sizeof zeros];
    off_t at = (off_t)packed->file_bytes - (off_t)sizeof tail;
    if (packed->is_packed ||
        (packed->la->archive_format(packed->archive) & ARCHIVE_FORMAT_BASE_MASK) != ARCHIVE_FORMAT_TAR) {
        return 0;
    }
    if (at < 0 || pread(packed->fd, tail, sizeof tail, at) != (ssize_t)sizeof tail ||
        memcmp(tail, zeros, sizeof tail) != 0) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: is cut short: the end of the tar archive is missing",
                            packed->path);
    }
    return 0;
}

int tare_packed_next(struct tare_packed *packed, struct tare_packed_entry *out, struct tare_err *err)
{
    int r = packed->la->archive_read_next_header(packed->archive, &packed->entry);
    if (r == ARCHIVE_EOF) {
        return check_tar_end(packed, err);
    }
    /* A warning is that of a name or time which this locale does not know: the name is checked by others. */
    if (r != ARCHIVE_OK && r != ARCHIVE_WARN) {
        return fail(packed, err);
    }
    const char *name = packed->la->archive_entry_pathname(packed->entry);
    packed->entry_bytes = 0;
    *out = (struct tare_packed_entry){
        .name = name ? name : packed->la->archive_entry_pathname_utf8(packed->entry),
        .kind = kind_of(packed->la, packed->entry),
        .encrypted = packed->la->archive_entry_is_encrypted(packed->entry),
    };
    return 1;
}

static int check_limits(const struct tare_packed *packed, struct tare_err *err)
{
    if (packed->is_stream && !packed->is_packed) {
        return 0; /* a plain file is what it is */
    }
    if (packed->out_bytes > packed->limit_bytes) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: holds more than the limit of %llu bytes", packed->path,
                            (unsigned long long)packed->limit_bytes);
    }
    if (packed->out_bytes > always_fine_bytes && packed->out_bytes / max_ratio > packed->file_bytes) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "%s: grows to more than %d times its size: that is a decompression bomb, or "
                            "unpack it by hand",
                            packed->path, max_ratio);
    }
    return 0;
}

/* At the end of a stream. */
static int check_gzip(const struct tare_packed *packed, struct tare_err *err)
{
    unsigned char tail[8];
    off_t at = (off_t)packed->file_bytes - (off_t)sizeof tail;
    if (at < 0 || pread(packed->fd, tail, sizeof tail, at) != (ssize_t)sizeof tail) {
        return tare_err_set(err, TARE_E_IO, "%s: its end cannot be read", packed->path);
    }
    uint32_t sum = 0, length = 0;
    for (int i = 3; i >= 0; i--) {
        sum = sum << 8 | tail[i];
        length = length << 8 | tail[4 + i];
    }
    if (sum == packed->crc.sum && length == (uint32_t)packed->out_bytes) {
        return 0;
    }
    return tare_err_set(err, TARE_E_FORMAT,
                        "%s: its checksum does not fit its content: it is damaged, or made of several gzip "
                        "members; then pack it anew: zcat FILE | gzip > NEW",
                        packed->path);
}

static int end_of_entry(const struct tare_packed *packed, struct tare_err *err)
{
    if (packed->is_gzip) {
        return check_gzip(packed, err);
    }
    if (packed->la->archive_entry_size_is_set(packed->entry) &&
        (uint64_t)packed->la->archive_entry_size(packed->entry) != packed->entry_bytes) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: an entry is sparse or ends early", packed->path);
    }
    return 0;
}

int tare_packed_read(struct tare_packed *packed, struct tare_bytes *out, struct tare_err *err)
{
    const void *data = NULL;
    size_t n = 0;
    la_int64_t offset = 0;
    int r = packed->ended ? ARCHIVE_EOF : ARCHIVE_OK;
    while (r == ARCHIVE_OK && n == 0) {
        r = packed->la->archive_read_data_block(packed->archive, &data, &n, &offset);
    }
    if (r == ARCHIVE_EOF) {
        return packed->ended && !packed->is_gzip ? 0 : end_of_entry(packed, err);
    }
    if (r != ARCHIVE_OK) {
        return fail(packed, err);
    }
    if ((uint64_t)offset != packed->entry_bytes) {
        return tare_err_set(err, TARE_E_FORMAT, "%s: an entry is sparse", packed->path);
    }
    packed->entry_bytes += n;
    packed->out_bytes += n;
    if (packed->is_gzip) {
        tare_crc32_add(&packed->crc, data, n);
    }
    r = check_limits(packed, err);
    if (r < 0) {
        return r;
    }
    *out = (struct tare_bytes){.data = data, .n = n};
    return 1;
}

void tare_packed_close(struct tare_packed *packed)
{
    if (packed) {
        if (packed->archive) {
            (void)packed->la->archive_read_free(packed->archive);
        }
        if (packed->fd >= 0) {
            (void)close(packed->fd);
        }
        free(packed->path);
        free(packed);
    }
}
