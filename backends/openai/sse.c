/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes into lines, lines into fields, an empty line ends an event. */
#include "sse.h"

#include <string.h>

static int out_of_memory(struct tare_err *err)
{
    return tare_err_set(err, TARE_E_NOMEM, "out of memory for a server's event");
}

static int too_long(const struct sse *sse, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_LIMIT,
                        "an event of the server is longer than %zu bytes; raise event_bytes if that is right",
                        sse->most_bytes);
}

static int dispatch(struct sse *sse, sse_event_fn event, void *ctx, struct tare_err *err)
{
    int r = 0;
    if (sse->has_data) {
        text_add(&sse->data, "", 0);
        r = sse->data.failed ? out_of_memory(err) : event(ctx, sse->data.data, sse->data.n, err);
    }
    text_clear(&sse->data);
    sse->has_data = false;
    return r;
}

/* "data: x", with or without the one space; a field without a colon has an empty value. */
static int take_data(struct sse *sse, const char *line, size_t n, struct tare_err *err)
{
    const char *value = line + 4;
    size_t left = n - 4;
    if (left > 0) { /* the colon */
        value++;
        left--;
    }
    if (left > 0 && *value == ' ') {
        value++;
        left--;
    }
    if (left + 1 > sse->most_bytes - sse->data.n) {
        return too_long(sse, err);
    }
    if (sse->has_data) {
        text_add(&sse->data, "\n", 1);
    }
    text_add(&sse->data, value, left);
    sse->has_data = true;
    return sse->data.failed ? out_of_memory(err) : 0;
}

static int end_line(struct sse *sse, sse_event_fn event, void *ctx, struct tare_err *err)
{
    static const char mark[] = "\xef\xbb\xbf";
    const char *line = sse->line.n ? sse->line.data : "";
    size_t n = sse->line.n;
    if (!sse->begun && n >= 3 && memcmp(line, mark, 3) == 0) {
        line += 3;
        n -= 3;
    }
    sse->begun = true;
    int r = 0;
    if (n == 0) {
        r = dispatch(sse, event, ctx, err);
    } else if (n >= 4 && memcmp(line, "data", 4) == 0 && (n == 4 || line[4] == ':')) {
        r = take_data(sse, line, n, err);
    }
    text_clear(&sse->line);
    return r;
}

/* Adds up to the next end of a line; returns how many bytes were taken. */
static size_t take_line(struct sse *sse, const char *bytes, size_t n, bool *out_ended)
{
    size_t k = 0;
    while (k < n && bytes[k] != '\n' && bytes[k] != '\r') {
        k++;
    }
    text_add(&sse->line, bytes, k);
    *out_ended = k < n;
    sse->after_cr = *out_ended && bytes[k] == '\r';
    return k + *out_ended;
}

int sse_feed(struct sse *sse, const char *bytes, size_t n, sse_event_fn event, void *ctx,
             struct tare_err *err)
{
    int r = 0;
    for (size_t at = 0; r == 0 && at < n;) {
        if (sse->after_cr && bytes[at] == '\n') { /* the second half of an end */
            sse->after_cr = false;
            at++;
            continue;
        }
        bool ended = false;
        at += take_line(sse, bytes + at, n - at, &ended);
        if (sse->line.failed) {
            return out_of_memory(err);
        }
        if (sse->line.n > sse->most_bytes) {
            return too_long(sse, err);
        }
        r = ended ? end_line(sse, event, ctx, err) : 0;
    }
    return r;
}

void sse_reset(struct sse *sse)
{
    text_clear(&sse->line);
    text_clear(&sse->data);
    sse->has_data = sse->after_cr = sse->begun = false;
}

void sse_free(struct sse *sse)
{
    text_free(&sse->line);
    text_free(&sse->data);
}
