/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive writes whatever it is told to, also what no reader should take. */
#include "packer.h"

#include <archive.h>
#include <archive_entry.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct archive *begin(const char *format, const char *filter, const char *password, struct packed *out,
                             size_t room)
{
    struct archive *archive = archive_write_new();
    assert_non_null(archive);
    assert_int_equal(strcmp(format, "raw") ? archive_write_set_format_by_name(archive, format)
                                           : archive_write_set_format_raw(archive),
                     ARCHIVE_OK);
    assert_int_equal(filter ? archive_write_add_filter_by_name(archive, filter) : ARCHIVE_OK, ARCHIVE_OK);
    if (password) {
        assert_int_equal(archive_write_set_options(archive, "zip:encryption=traditional"), ARCHIVE_OK);
        assert_int_equal(archive_write_set_passphrase(archive, password), ARCHIVE_OK);
    }
    out->data = malloc(room);
    assert_non_null(out->data);
    (void)archive_write_set_bytes_in_last_block(archive, 1);
    assert_int_equal(archive_write_open_memory(archive, out->data, room, &out->n), ARCHIVE_OK);
    return archive;
}

static void end(struct archive *archive)
{
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    assert_int_equal(archive_write_free(archive), ARCHIVE_OK);
}

static void write_fill(struct archive *archive, char byte, size_t n)
{
    static char block[1 << 16];
    memset(block, byte, sizeof block);
    while (n > 0) {
        size_t piece = n < sizeof block ? n : sizeof block;
        assert_int_equal(archive_write_data(archive, block, piece), piece);
        n -= piece;
    }
}

static struct archive *begin_stream(const char *filter, struct packed *out, size_t room)
{
    struct archive *archive = begin("raw", filter, NULL, out, room);
    struct archive_entry *entry = archive_entry_new();
    archive_entry_set_pathname(entry, "data");
    archive_entry_set_filetype(entry, AE_IFREG);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    archive_entry_free(entry);
    return archive;
}

struct packed packer_stream(const char *filter, const void *data, size_t n)
{
    struct packed out = {0};
    struct archive *archive = begin_stream(filter, &out, 2 * n + 4096);
    assert_int_equal(n ? archive_write_data(archive, data, n) : 0, n);
    end(archive);
    return out;
}

struct packed packer_fill(const char *filter, char byte, size_t n)
{
    struct packed out = {0};
    struct archive *archive = begin_stream(filter, &out, n / 100 + 4096);
    write_fill(archive, byte, n);
    end(archive);
    return out;
}

static void describe(struct archive_entry *entry, const struct packer_entry *from, size_t n)
{
    static const __LA_MODE_T types[] = {
        [PACKER_FILE] = AE_IFREG,     [PACKER_FOLDER] = AE_IFDIR, [PACKER_SYMLINK] = AE_IFLNK,
        [PACKER_HARDLINK] = AE_IFREG, [PACKER_DEVICE] = AE_IFCHR, [PACKER_FIFO] = AE_IFIFO,
        [PACKER_SPARSE] = AE_IFREG,
    };
    archive_entry_set_pathname(entry, from->name);
    archive_entry_set_filetype(entry, types[from->kind]);
    archive_entry_set_perm(entry, 04777); /* a mode that nobody should take over */
    archive_entry_set_size(entry, (la_int64_t)n);
    if (from->kind == PACKER_SYMLINK) {
        archive_entry_set_symlink(entry, from->text);
    } else if (from->kind == PACKER_HARDLINK) {
        archive_entry_set_hardlink(entry, from->text);
    } else if (from->kind == PACKER_SPARSE) {
        archive_entry_set_size(entry, 1 << 20);
        archive_entry_sparse_add_entry(entry, 1 << 19, (la_int64_t)n);
    }
}

static void add(struct archive *archive, const struct packer_entry *from)
{
    struct archive_entry *entry = archive_entry_new();
    const char *text = from->kind == PACKER_FILE || from->kind == PACKER_SPARSE ? from->text : NULL;
    size_t n = text ? strlen(text) : from->zeros_bytes;
    describe(entry, from, n);
    assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
    if (from->kind == PACKER_SPARSE) {
        write_fill(archive, 0, 1 << 19);
        assert_int_equal(archive_write_data(archive, text, n), n);
        write_fill(archive, 0, (1 << 19) - n);
    } else if (text) {
        assert_int_equal(archive_write_data(archive, text, n), n);
    } else {
        write_fill(archive, 0, n);
    }
    archive_entry_free(entry);
}

struct packed packer_archive(const char *format, const char *filter, const char *password,
                             const struct packer_entry *entries)
{
    struct packed out = {0};
    size_t room = 1 << 21;
    for (const struct packer_entry *entry = entries; entry->name; entry++) {
        room += 4096 + (filter ? entry->zeros_bytes / 100 : entry->zeros_bytes);
    }
    struct archive *archive = begin(format, filter, password, &out, room);
    for (const struct packer_entry *entry = entries; entry->name; entry++) {
        add(archive, entry);
    }
    end(archive);
    return out;
}
