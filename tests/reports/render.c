/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of formats comes from the same generated file as the program's own, so that a format that
 * is built is a format that is tested.
 */
#include "render.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define X(name) extern const struct tare_format tare_format_##name;
#include "tare_formats.inc"
#undef X

#define X(name) {#name, &tare_format_##name},
const struct listed_format formats[] = {
#include "tare_formats.inc"
};
#undef X

const size_t n_formats = sizeof formats / sizeof *formats;

const struct tare_format *format_named(const char *name)
{
    for (size_t i = 0; i < n_formats; i++) {
        if (strcmp(formats[i].format->name, name) == 0) {
            return formats[i].format;
        }
    }
    fail_msg("no format is called %s", name);
    return NULL;
}

char *render(const struct tare_format *format, const struct tare_table *table)
{
    char *text = NULL;
    size_t n = 0;
    struct tare_err err = {0};
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    int r = format->write(table, to, &err);
    assert_int_equal(fclose(to), 0);
    if (r != 0) {
        fail_msg("%s: %s", format->name, err.msg);
    }
    assert_int_equal(strlen(text), n);
    return text;
}
