/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An archive that somebody else made, unpacked into a new folder, or not at all.
 *
 * Read are zip and tar, the latter also packed by gzip, xz or zstd. Of files and folders nothing but name and
 * content is taken: no owners, modes, times. Refused, with the name of the entry, is every archive that holds
 *   - a path that is absolute, has a component "..", an empty one or a backslash, is no UTF-8, holds control
 *     characters, is longer than 1024 bytes or deeper than 32 folders ("./" at its head is fine);
 *   - a symbolic link, a hard link, a device, a FIFO, a socket;
 *   - two files with one name, or a file where a folder is;
 *   - encrypted or sparse content, or content whose checksum is wrong, where the format has one;
 *   - more than limit_bytes of content in all, more than 64 MiB and 250 times the archive's size, or more
 * than 100000 entries;
 *   - no file at all.
 */
#ifndef TARE_DATASETS_READERS_ARCHIVE_H
#define TARE_DATASETS_READERS_ARCHIVE_H

#include <stdint.h>
#include <tare/err.h>

/*
 * Unpacks `archive` into `folder`, which must not exist while its parent does. Everything is written to
 * FOLDER.part-XXXXXX beside it, brought to the disk, and renamed at the end; on failure that is removed, so
 * that there is either the whole content or nothing. A process that is killed meanwhile may leave the .part
 * folder.
 */
TARE_MUST_CHECK int tare_archive_unpack(const char *archive, const char *folder, uint64_t limit_bytes,
                                        struct tare_err *err);

#endif
