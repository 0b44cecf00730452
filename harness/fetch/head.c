/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are taken as they come; a number that cannot be read counts as not said. */
#include "fetch/head.h"

#include <inttypes.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

void tare_head_begin(struct tare_head *head)
{
    *head = (struct tare_head){.length = -1, .first = -1, .total = -1, .bytes = head->bytes};
}

/* Digits at *at, which is moved past them; -1 if there are none or too many. */
static int64_t take_number(const char **at)
{
    int64_t value = 0;
    const char *begin = *at;
    for (; **at >= '0' && **at <= '9'; (*at)++) {
        if (value > (INT64_MAX - 9) / 10) {
            return -1;
        }
        value = value * 10 + (**at - '0');
    }
    return *at > begin ? value : -1;
}

static int64_t parse_length(const char *text)
{
    int64_t n = take_number(&text);
    return *text == '\0' ? n : -1;
}

/* "bytes FIRST-LAST/TOTAL"; the last byte must be that of the whole, for the rest is what is asked for. */
static void parse_range(const char *text, struct tare_head *head)
{
    head->first = head->total = -1;
    if (strncasecmp(text, "bytes ", 6) != 0) {
        return;
    }
    text += 6;
    int64_t first = take_number(&text);
    bool ok = first >= 0 && *text++ == '-';
    int64_t last = ok ? take_number(&text) : -1;
    ok = ok && last >= first && *text++ == '/';
    int64_t total = ok ? take_number(&text) : -1;
    if (ok && *text == '\0' && total == last + 1) {
        head->first = first;
        head->total = total;
    }
}

/* A weak one says nothing about bytes. */
static bool is_strong_etag(const char *text)
{
    size_t n = strlen(text);
    return n >= 2 && text[0] == '"' && text[n - 1] == '"' && !memchr(text + 1, '"', n - 2);
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* A value without blanks around it; "" if it is too long or not plain: it might go back to the server as it
 * is. */
static void copy_value(const char *text, size_t n, char out[TARE_VALIDATOR_MAX])
{
    for (; n > 0 && is_blank(*text); n--) {
        text++;
    }
    while (n > 0 && is_blank(text[n - 1])) {
        n--;
    }
    bool ok = n < TARE_VALIDATOR_MAX;
    for (size_t i = 0; ok && i < n; i++) {
        ok = text[i] >= 0x20 && text[i] <= 0x7e;
    }
    n = ok ? n : 0;
    memcpy(out, text, n);
    out[n] = '\0';
}

/* True, and the value, if the line is this field's. */
static bool is_field(const char *line, size_t n, const char *name, char out[TARE_VALIDATOR_MAX])
{
    size_t n_name = strlen(name);
    if (n <= n_name || line[n_name] != ':' || strncasecmp(line, name, n_name) != 0) {
        return false;
    }
    copy_value(line + n_name + 1, n - n_name - 1, out);
    return true;
}

int tare_head_line(struct tare_head *head, const char *line, size_t n, struct tare_err *err)
{
    char value[TARE_VALIDATOR_MAX] = "";
    head->bytes += (int64_t)n;
    if (head->bytes > TARE_HEAD_BYTES_MAX) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "its head is longer than %d bytes", TARE_HEAD_BYTES_MAX);
    }
    if (is_field(line, n, "Content-Length", value)) {
        head->length = parse_length(value);
    } else if (is_field(line, n, "Content-Range", value)) {
        parse_range(value, head);
    } else if (is_field(line, n, "ETag", value)) {
        (void)snprintf(head->etag, sizeof head->etag, "%s", is_strong_etag(value) ? value : "");
    } else if (is_field(line, n, "Last-Modified", value)) {
        (void)snprintf(head->modified, sizeof head->modified, "%s", value);
    }
    return 0;
}

const char *tare_head_validator(const struct tare_head *head)
{
    return head->etag[0] ? head->etag : head->modified;
}

static int judge_range(const struct tare_head *head, int64_t from, int64_t total, struct tare_err *err)
{
    if (from == 0) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "it sends a part (status 206), which nobody asked for");
    }
    if (head->first != from || head->total != total) {
        return tare_err_set(err, TARE_E_ENVIRONMENT,
                            "it sends another part than bytes %" PRId64 " to the end of %" PRId64
                            " that were asked for",
                            from, total);
    }
    return 0;
}

int tare_head_judge(const struct tare_head *head, long status, int64_t from, int64_t total, int64_t *out_at,
                    struct tare_err *err)
{
    if (status != 200 && status != 206) {
        return tare_err_set(err, TARE_E_ENVIRONMENT, "it answers with status %ld", status);
    }
    int64_t at = status == 206 ? from : 0;
    int r = status == 206 ? judge_range(head, from, total, err) : 0;
    if (r == 0 && head->length >= 0 && head->length != total - at) {
        r = tare_err_set(err, TARE_E_ENVIRONMENT,
                         "it says that it sends %" PRId64 " bytes, where %" PRId64 " are expected",
                         head->length, total - at);
    }
    if (r == 0) {
        *out_at = at;
    }
    return r;
}
