/* SPDX-License-Identifier: Apache-2.0 */
/* Plain text: every line is a record, the empty ones too. */
#include "format.h"

#include <stdlib.h>

static int open_text(const struct tare_reader_options *options, struct tare_input *input, void **state,
                     struct tare_err *err)
{
    (void)options;
    (void)input;
    *state = calloc(1, sizeof(struct tare_gather));
    return *state ? 0 : tare_err_set(err, TARE_E_NOMEM, "out of memory");
}

static int next_text(void *state, struct tare_input *input, struct tare_json **out, unsigned long long *line,
                     struct tare_err *err)
{
    struct tare_gather *gather = state;
    *line = input->line;
    int r = tare_input_line(input, gather, err);
    if (r <= 0) {
        return r;
    }
    struct tare_json *record = tare_json_new_object();
    r = tare_record_add_str(record, "text", gather->data, gather->n, input, *line, err);
    if (r < 0) {
        tare_json_destroy(record);
        return r;
    }
    *out = record;
    return 1;
}

static void close_text(void *state)
{
    struct tare_gather *gather = state;
    if (gather) {
        free(gather->data);
        free(gather);
    }
}

static const char *const suffixes[] = {".txt", ".text", NULL};

const struct tare_reader_format tare_reader_text = {
    .name = "text", .suffixes = suffixes, .open = open_text, .next = next_text, .close = close_text};
