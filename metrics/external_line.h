/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The line protocol of an external meter, "TIME WATTS" with '#' comments: bytes in, lines out. Takes any
 * bytes; keeps no more than one line of them. What it does not understand it counts. No I/O.
 */
#ifndef TARE_METRICS_EXTERNAL_LINE_H
#define TARE_METRICS_EXTERNAL_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum tare_line { TARE_LINE_BLANK = 0, TARE_LINE_SAMPLE, TARE_LINE_BAD };

/* One line without its newline. Time is in seconds, at most 1e10 (the year 2286); power in W, from 0 to
 * max_watts. With no_time a line of one number is a power, and the time of one with two is not looked at. */
enum tare_line tare_line_parse(const char *line, size_t n, bool no_time, double max_watts, double *seconds,
                               double *watts);

struct tare_lines {
    char text[160]; /* of the line that is not whole yet */
    size_t n;
    bool too_long; /* the rest of it is thrown away */
};

/* Takes one byte; true when a line is whole: *line and *n are valid until the next byte. A line that is too
 * long comes out as one of a single '?', which no parser takes. */
bool tare_lines_put(struct tare_lines *l, char byte, const char **line, size_t *n);

#endif
