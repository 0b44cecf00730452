/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A known mapping: a file that nobody has read, of which some pages are touched with read-ahead off.
 * RssFile must have grown by those pages, and mincore must name them and no others.
 */
#ifndef TARE_SELFTEST_MAPPED_FILE_H
#define TARE_SELFTEST_MAPPED_FILE_H

#include <stdint.h>
#include <tare/err.h>

struct tare_known_mapped_file {
    int64_t pages;          /* of the file */
    int64_t touched;        /* of them */
    int64_t rss_pages;      /* growth of RssFile */
    int64_t resident_pages; /* that mincore names */
    int64_t wrong_pages;    /* named without having been touched, or the reverse */
    double rss_bound_pages; /* how far rss_pages may be off */
};

/* folder: where the file is made; NULL: TMPDIR or /var/tmp. It is gone afterwards. */
TARE_MUST_CHECK int tare_known_mapped_file(const char *folder, int64_t pages, int64_t touched,
                                           struct tare_known_mapped_file *out, struct tare_err *err);

#endif
