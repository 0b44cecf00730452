/* SPDX-License-Identifier: Apache-2.0 */
/* The formats that are compiled in: by name, and by what a file looks like. */
#include "interop.h"

#include "base/nearest.h"

#include <string.h>

#define X(name) extern const struct tare_interop_format tare_interop_##name;
#include "tare_interop.inc"
#undef X

const struct tare_interop_format *const tare_interop_formats[] = {
#define X(name) &tare_interop_##name,
#include "tare_interop.inc"
#undef X
    NULL};

int tare_interop_find(const char *name, const struct tare_interop_format **out, struct tare_err *err)
{
    struct tare_nearest nearest = {.word = name};
    for (size_t i = 0; tare_interop_formats[i]; i++) {
        if (strcmp(tare_interop_formats[i]->name, name) == 0) {
            *out = tare_interop_formats[i];
            return 0;
        }
        tare_nearest_offer(&nearest, tare_interop_formats[i]->name);
    }
    const char *best = tare_nearest_best(&nearest);
    return tare_err_set(err, TARE_E_USAGE,
                        "format \"%.60s\": unknown%s%s%s; 'tare list interop' shows them all", name,
                        best ? "; did you mean " : "", best ? best : "", best ? "?" : "");
}

int tare_interop_recognise(struct tare_interop_reader *reader, const struct tare_interop_format **out,
                           struct tare_err *err)
{
    const char *head = NULL;
    size_t n = 0;
    int best = 0;
    const struct tare_interop_format *found = NULL, *other = NULL;
    int r = tare_interop_peek(reader, &head, &n, err);
    for (size_t i = 0; r == 0 && tare_interop_formats[i]; i++) {
        const struct tare_interop_format *f = tare_interop_formats[i];
        int sure = f->read && f->sniff ? f->sniff(head, n, reader->name) : 0;
        if (sure > best) {
            best = sure;
            found = f;
            other = NULL;
        } else if (sure == best && found) {
            other = f;
        }
    }
    if (r == 0 && !found) {
        return tare_err_set(err, TARE_E_FORMAT,
                            "%.200s: of no format that is known ('tare list interop'); name it with --format",
                            reader->name);
    }
    if (r == 0 && other) {
        return tare_err_set(err, TARE_E_FORMAT, "%.200s: may be %s or %s; say which with --format",
                            reader->name, found->name, other->name);
    }
    if (r == 0) {
        *out = found;
    }
    return r;
}

static const char *family_of(const struct tare_interop_format *format)
{
    return format->family ? format->family : format->name;
}

bool tare_interop_takes(const struct tare_interop_format *format, const char *stored)
{
    for (size_t i = 0; tare_interop_formats[i]; i++) {
        if (strcmp(tare_interop_formats[i]->name, stored) == 0) {
            return strcmp(family_of(tare_interop_formats[i]), family_of(format)) == 0;
        }
    }
    return false;
}
