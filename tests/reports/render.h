/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All formats of the build, and a table printed into memory: what the tests of this folder share. A
 * format that refuses the table fails the test.
 */
#ifndef TARE_TESTS_REPORTS_RENDER_H
#define TARE_TESTS_REPORTS_RENDER_H

#include <tare/report.h>

struct listed_format {
    const char *listed_as; /* in tare_formats.inc */
    const struct tare_format *format;
};

extern const struct listed_format formats[];
extern const size_t n_formats;

const struct tare_format *format_named(const char *name);
/* The table as text; free() it. */
char *render(const struct tare_format *format, const struct tare_table *table);

#endif
