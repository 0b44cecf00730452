/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Lines: one object a line. Each line has the grammar of a JSON document, no more and no less. */
#include "format.h"

#include <stdlib.h>
#include <string.h>

#include "scan.h"

static int open_jsonl(const struct tare_reader_options *options, struct tare_input *input, void **state,
                      struct tare_err *err)
{
    (void)options;
    (void)input;
    *state = calloc(1, sizeof(struct tare_gather));
    return *state ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static bool is_empty(const struct tare_gather *line)
{
    return strspn(line->data, " \t\r") == line->n;
}

/* One object and nothing else. */
static int check_line(const struct tare_input *input, unsigned long long line, const struct tare_gather *text,
                      struct tare_err *err)
{
    struct tare_input within =
        tare_input_of(input->path, line, (struct tare_bytes){.data = text->data, .n = text->n});
    struct tare_scan scan = {.input = &within, .line = line};
    int r = tare_scan_space(&scan, err);
    if (r == 0 && tare_input_peek(&within, err) != '{') {
        return tare_scan_fault(&scan, "a record, an object,", err);
    }
    r = r < 0 ? r : tare_scan_value(&scan, err);
    r = r < 0 ? r : tare_scan_space(&scan, err);
    return r == 0 && within.left.n > 0 ? tare_scan_fault(&scan, "the end of the line", err) : r;
}

static int next_jsonl(void *state, struct tare_input *input, struct tare_json **out, unsigned long long *line,
                      struct tare_err *err)
{
    struct tare_gather *gather = state;
    int r;
    do {
        *line = input->line;
        r = tare_input_line(input, gather, err);
    } while (r > 0 && is_empty(gather));
    if (r <= 0) {
        return r;
    }
    r = check_line(input, *line, gather, err);
    r = r < 0 ? r : tare_record_parse(input, *line, gather->data, gather->n, out, err);
    return r < 0 ? r : 1;
}

static void close_jsonl(void *state)
{
    struct tare_gather *gather = state;
    if (gather) {
        free(gather->data);
        free(gather);
    }
}

static const char *const suffixes[] = {".jsonl", ".ndjson", NULL};

const struct tare_reader_format tare_reader_jsonl = {
    .name = "jsonl", .suffixes = suffixes, .open = open_jsonl, .next = next_jsonl, .close = close_jsonl};
