/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which addresses may be asked. Stricter than RFC 3986: what is not plainly an http or https address of a
 * host is refused before libcurl sees it, so that two parsers cannot disagree about whom it names.
 */
#ifndef TARE_FETCH_URL_H
#define TARE_FETCH_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <tare/err.h>

enum { TARE_URL_MAX = 2048 };

/* Whose word an address is. */
enum tare_url_from {
    TARE_URL_SOURCE, /* a source's: https, or http where the source says so (the hash holds either way) */
    TARE_URL_MIRROR, /* the user's: https, or http to this machine itself */
};

/* Scheme (lower case), "//", a host of letters, digits, '.', '-' and '_' or an address in brackets, perhaps a
 * port, then visible ASCII; no user name, no backslash. */
TARE_MUST_CHECK int tare_url_check(const char *url, enum tare_url_from from, struct tare_err *err);
/* May an answer of `from` (which was checked) send us on to `to`? Only within its host and port, or from http
 * to https on the same host: another host is not what was pinned. */
TARE_MUST_CHECK int tare_url_follow(const char *from, const char *to, struct tare_err *err);
/* base, "/" if it does not end with one, and file. */
TARE_MUST_CHECK int tare_url_join(const char *base, const char *file, char out[TARE_URL_MAX],
                                  struct tare_err *err);

#endif
