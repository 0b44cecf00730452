/* SPDX-License-Identifier: Apache-2.0 */
/* Lines out of blocks, and trees out of text; every fault gets its line of the file. */
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "plain.h"

int tare_input_line(struct tare_input *input, struct tare_gather *gather, struct tare_err *err)
{
    unsigned long long line = input->line;
    int r = tare_input_fill(input, err);
    if (r <= 0) {
        return r;
    }
    r = tare_gather_begin(gather, err);
    while (r == 0) {
        const char *end = memchr(input->left.data, '\n', input->left.n);
        size_t n = end ? (size_t)(end - input->left.data) : input->left.n;
        r = tare_gather_add(gather, input->left.data, n, input, line, err);
        input->left.data += n;
        input->left.n -= n;
        if (r < 0 || end) {
            break;
        }
        int more = tare_input_fill(input, err);
        if (more <= 0) {
            return more < 0 ? more : 1; /* the last line has no end */
        }
    }
    if (r < 0) {
        return r;
    }
    tare_input_take(input);
    if (gather->n > 0 && gather->data[gather->n - 1] == '\r') {
        gather->data[--gather->n] = '\0';
    }
    return 1;
}

/* A message of tare_json is "WHAT: line N: ..." or "WHAT: ..."; its lines count from the value's own first.
 */
static const char *relocate(const char *message, unsigned long long *line)
{
    static const char what[] = "?: ", word[] = "line ";
    if (strncmp(message, what, sizeof what - 1) == 0) {
        message += sizeof what - 1;
    }
    if (strncmp(message, word, sizeof word - 1) == 0) {
        char *end;
        unsigned long long within = strtoull(message + sizeof word - 1, &end, 10);
        if (within > 0 && end[0] == ':' && end[1] == ' ') {
            *line += within - 1;
            return end + 2;
        }
    }
    return message;
}

int tare_record_parse(const struct tare_input *input, unsigned long long line, const char *text, size_t n,
                      struct tare_json **out, struct tare_err *err)
{
    struct tare_err fault = {0};
    int r = tare_json_parse_exact(text, n, "?", out, &fault);
    if (r == 0) {
        return 0;
    }
    const char *says = relocate(fault.msg, &line);
    return tare_err_set(err, r, "%s: line %llu: %.300s", input->path, line, says);
}

int tare_record_add_str(struct tare_json *record, const char *key, const char *text, size_t n,
                        const struct tare_input *input, unsigned long long line, struct tare_err *err)
{
    size_t valid = tare_readers_valid(text, n);
    if (valid < n) {
        return tare_input_fault(input, line, err, "%s at byte %zu of a field or line",
                                text[valid] ? "not UTF-8" : "a NUL byte", valid + 1);
    }
    tare_json_add_str(record, key, text); /* which makes the record no object when memory is refused */
    return tare_json_type(record) == TARE_JSON_OBJECT
               ? 0
               : tare_err_set(err, TARE_E_NOMEM, "%s: line %llu: out of memory", input->path, line);
}
