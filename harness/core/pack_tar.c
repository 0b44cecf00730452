/* SPDX-License-Identifier: Apache-2.0 */
/* A header is made from name and size alone, so reading one is making it again and comparing. */
#include "core/pack_tar.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const int64_t max_kept_bytes = 64 << 20;
static const int64_t max_bytes = INT64_C(077777777777); /* eleven octal digits */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '+' || c == '-';
}

static bool is_name(const char *name)
{
    size_t n = strlen(name);
    if (n >= TARE_TAR_NAME_MAX) {
        return false;
    }
    for (;; name++) {
        if (*name == '.' || !is_plain(*name)) {
            return false;
        }
        while (is_plain(*name)) {
            name++;
        }
        if (*name != '/') {
            return *name == '\0';
        }
    }
}

/* Fields of the header: offset, size, text. */
static void put(unsigned char out[TARE_TAR_BLOCK], size_t at, const char *text, size_t n)
{
    memcpy(out + at, text, n);
}

int tare_tar_header(const char *name, int64_t bytes, unsigned char out[TARE_TAR_BLOCK], struct tare_err *err)
{
    char size[12], sum_text[8];
    unsigned sum = 0;
    if (!is_name(name)) {
        return tare_err_set(err, TARE_E_LIMIT,
                            "\"%.120s\" is no name of a file in a pack: plain letters, under %d", name,
                            TARE_TAR_NAME_MAX);
    }
    if (bytes < 0 || bytes > max_bytes) {
        return tare_err_set(err, TARE_E_LIMIT, "%s: 8 GiB or more do not go into a pack", name);
    }
    memset(out, 0, TARE_TAR_BLOCK);
    (void)snprintf(size, sizeof size, "%011" PRIo64, bytes);
    put(out, 0, name, strlen(name));
    put(out, 100, "0000644", 7);
    put(out, 108, "0000000", 7);
    put(out, 116, "0000000", 7);
    put(out, 124, size, 11);
    put(out, 136, "00000000000", 11);
    put(out, 148, "        ", 8); /* the checksum counts as blanks */
    put(out, 156, "0", 1);
    put(out, 257, "ustar", 5);
    put(out, 263, "00", 2);
    put(out, 329, "0000000", 7);
    put(out, 337, "0000000", 7);
    for (size_t i = 0; i < TARE_TAR_BLOCK; i++) {
        sum += out[i];
    }
    (void)snprintf(sum_text, sizeof sum_text, "%06o", sum & 0777777);
    put(out, 148, sum_text, 7); /* with its NUL; the blank behind it stays */
    return 0;
}

static int write_bytes(struct tare_tar_writer *w, const void *data, size_t n, struct tare_err *err)
{
    return !w->to || fwrite(data, 1, n, w->to) == n
               ? 0
               : tare_err_set(err, TARE_E_IO, "%s: %s", w->what, strerror(errno));
}

int tare_tar_begin(struct tare_tar_writer *w, const char *name, struct tare_err *err)
{
    unsigned char header[TARE_TAR_BLOCK];
    int r = tare_tar_header(name, 0, header, err);
    if (r < 0) {
        return r;
    }
    w->entry = (struct tare_tar_entry){.bytes = 0};
    (void)snprintf(w->entry.name, sizeof w->entry.name, "%s", name);
    w->header_at = w->to ? (int64_t)ftello(w->to) : 0;
    if (w->header_at < 0) {
        return tare_err_set(err, TARE_E_IO, "%s: %s; a pack is written to a file", w->what, strerror(errno));
    }
    w->hasher = tare_hasher_begin();
    return write_bytes(w, header, sizeof header, err);
}

int tare_tar_add(struct tare_tar_writer *w, const void *data, size_t n, struct tare_err *err)
{
    tare_hasher_add(w->hasher, data, n);
    w->entry.bytes += (int64_t)n;
    return write_bytes(w, data, n, err);
}

static size_t padding_of(int64_t bytes)
{
    return (size_t)((TARE_TAR_BLOCK - bytes % TARE_TAR_BLOCK) % TARE_TAR_BLOCK);
}

int tare_tar_end(struct tare_tar_writer *w, struct tare_tar_entry *out, struct tare_err *err)
{
    static const unsigned char zeros[TARE_TAR_BLOCK];
    unsigned char header[TARE_TAR_BLOCK];
    struct tare_hasher *hasher = w->hasher;
    w->hasher = NULL;
    int r = tare_hasher_end(hasher, w->entry.sha256, err);
    r = r == 0 ? tare_tar_header(w->entry.name, w->entry.bytes, header, err) : r;
    r = r == 0 ? write_bytes(w, zeros, padding_of(w->entry.bytes), err) : r;
    if (r == 0 && w->to && fseeko(w->to, (off_t)w->header_at, SEEK_SET) != 0) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", w->what, strerror(errno));
    }
    r = r == 0 ? write_bytes(w, header, sizeof header, err) : r;
    if (r == 0 && w->to && fseeko(w->to, 0, SEEK_END) != 0) {
        r = tare_err_set(err, TARE_E_IO, "%s: %s", w->what, strerror(errno));
    }
    if (r == 0) {
        *out = w->entry;
    }
    return r;
}

int tare_tar_finish(struct tare_tar_writer *w, struct tare_err *err)
{
    static const unsigned char zeros[2 * TARE_TAR_BLOCK];
    return write_bytes(w, zeros, sizeof zeros, err);
}

void tare_tar_drop(struct tare_tar_writer *w)
{
    char ignored[TARE_SHA256_HEX];
    if (w->hasher) {
        int r = tare_hasher_end(w->hasher, ignored, NULL);
        (void)r;
        w->hasher = NULL;
    }
}

static int refuse(const char *what, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_FORMAT, "%s: %s", what, why);
}

static bool is_zero(const unsigned char *data, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (data[i] != 0) {
            return false;
        }
    }
    return true;
}

static int read_block(FILE *from, const char *what, unsigned char block[TARE_TAR_BLOCK], struct tare_err *err)
{
    return fread(block, 1, TARE_TAR_BLOCK, from) == TARE_TAR_BLOCK ? 0
                                                                   : refuse(what, "the pack is cut off", err);
}

static int read_header(FILE *from, const char *what, struct tare_tar_entry *out, bool *out_end,
                       struct tare_err *err)
{
    unsigned char block[TARE_TAR_BLOCK], again[TARE_TAR_BLOCK];
    int r = read_block(from, what, block, err);
    *out_end = r == 0 && is_zero(block, sizeof block);
    if (r < 0 || *out_end) {
        return r;
    }
    char size[12] = "", *end = NULL;
    memcpy(size, block + 124, 11);
    memcpy(out->name, block, sizeof out->name);
    out->name[sizeof out->name - 1] = '\0';
    out->bytes = (int64_t)strtoll(size, &end, 8);
    if (tare_tar_header(out->name, out->bytes, again, NULL) < 0 || memcmp(block, again, sizeof block) != 0) {
        return refuse(what, "it has a header that no pack of tare has", err);
    }
    return 0;
}

static int read_end(FILE *from, const char *what, struct tare_err *err)
{
    unsigned char block[TARE_TAR_BLOCK];
    int r = read_block(from, what, block, err);
    return r < 0 ? r
           : !is_zero(block, sizeof block) || fgetc(from) != EOF
               ? refuse(what, "something is behind its end", err)
               : 0;
}

/* Content and padding; kept in data if that is not NULL. */
static int read_content(FILE *from, const char *what, struct tare_tar_entry *entry, char *data,
                        struct tare_err *err)
{
    unsigned char block[TARE_TAR_BLOCK];
    struct tare_hasher *hasher = tare_hasher_begin();
    int r = 0;
    for (int64_t at = 0; r == 0 && at < entry->bytes; at += TARE_TAR_BLOCK) {
        int64_t left = entry->bytes - at;
        size_t n = left < TARE_TAR_BLOCK ? (size_t)left : TARE_TAR_BLOCK;
        r = read_block(from, what, block, err);
        if (r == 0 && !is_zero(block + n, TARE_TAR_BLOCK - n)) {
            r = refuse(what, "something is between its files", err);
        }
        if (r == 0) {
            tare_hasher_add(hasher, block, n);
        }
        if (r == 0 && data) {
            memcpy(data + at, block, n);
        }
    }
    int hashed = tare_hasher_end(hasher, entry->sha256, r == 0 ? err : NULL);
    return r == 0 ? hashed : r;
}

static bool is_kept(const char *const *keep, const struct tare_tar_entry *entry)
{
    for (; *keep && strcmp(*keep, entry->name) != 0; keep++) {
    }
    return *keep && entry->bytes <= max_kept_bytes;
}

int tare_tar_next(FILE *from, const char *what, const char *const *keep, struct tare_tar_entry *out,
                  char **out_data, struct tare_err *err)
{
    struct tare_tar_entry entry = {.bytes = 0};
    char *data = NULL;
    bool end = false;
    int r = read_header(from, what, &entry, &end, err);
    if (r < 0 || end) {
        return r < 0 ? r : read_end(from, what, err);
    }
    if (is_kept(keep, &entry)) {
        data = calloc(1, (size_t)entry.bytes + 1);
        if (!data) {
            return tare_err_set(err, TARE_E_NOMEM, "%s: out of memory", what);
        }
    }
    r = read_content(from, what, &entry, data, err);
    if (r < 0) {
        free(data);
        return r;
    }
    *out = entry;
    *out_data = data;
    return 1;
}
