/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of JSON (RFC 8259) over bytes that come block by block, so that one value of a large document
 * can be found, and the others passed over, without holding them. NaN, Infinity and -Infinity are numbers
 * here, as Python writes them. What it lets pass is well-formed; that strings are UTF-8 and keys unlike is
 * the parser's to check.
 */
#ifndef TARE_DATASETS_READERS_SCAN_H
#define TARE_DATASETS_READERS_SCAN_H

#include "input.h"

struct tare_scan {
    struct tare_input *input;
    struct tare_gather *gather; /* gets all that is scanned; NULL: it is not kept */
    unsigned long long line;    /* where the record began, for the message of the limit */
};

/* White space, if any. */
TARE_MUST_CHECK int tare_scan_space(struct tare_scan *scan, struct tare_err *err);
/* One value that begins with the next byte; arrays and objects are nested 64 deep at most. */
TARE_MUST_CHECK int tare_scan_value(struct tare_scan *scan, struct tare_err *err);
TARE_MUST_CHECK int tare_scan_string(struct tare_scan *scan, struct tare_err *err);
/* One certain byte. */
TARE_MUST_CHECK int tare_scan_byte(struct tare_scan *scan, char byte, struct tare_err *err);
/* 1: another member of an array or object begins, white space and comma before it being read; 0: it has
 * ended. `first`: its opening bracket was the last that was read. */
TARE_MUST_CHECK int tare_scan_member(struct tare_scan *scan, bool is_object, bool first,
                                     struct tare_err *err);
/* The error that the next byte has no place here, where `expected` is. */
TARE_MUST_CHECK int tare_scan_fault(struct tare_scan *scan, const char *expected, struct tare_err *err);

#endif
