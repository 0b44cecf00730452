/* SPDX-License-Identifier: Apache-2.0 */
/* What a server says: heads of answers, line by line, and the addresses that they redirect to. Accepted is
 * only an answer whose bytes fit where they are put, and an address that goes back to the same host. */
#include "fuzz.h"

#include "fetch/head.h"
#include "fetch/url.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { total = 10, from = 4 };

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT("HTTP/1.1 206 X\r\nContent-Length: 6\r\nContent-Range: bytes 4-9/10\r\nETag: \"a\"\r\n\r\n"),
    FUZZ_TEXT(
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nLast-Modified: Wed, 01 Jan 2025 00:00:00 GMT\r\n\r\n"),
    FUZZ_TEXT("HTTP/1.1 200 OK\r\nLocation: https://h/b\r\n\r\n"),
    FUZZ_TEXT("HTTP/1.1 200 OK\r\nLocation: https://h:443/b?c=d\r\n\r\n"),
};

static const char *const words[] = {"Content-Length: ",
                                    "Content-Range: bytes ",
                                    "ETag: ",
                                    "Location: ",
                                    "W/",
                                    "\"",
                                    "bytes */10",
                                    "4-9/10",
                                    "9223372036854775807",
                                    "-1",
                                    "http://",
                                    "https://h",
                                    "file:///",
                                    "@",
                                    "\\",
                                    "[::1]",
                                    ":443",
                                    "//",
                                    "\r\n",
                                    "\r\n\r\n",
                                    NULL};

static void check_location(const char *to)
{
    if (tare_url_follow("https://h/a", to, NULL) == 0) {
        size_t n = strlen("https://h");
        fuzz_check(strncasecmp(to, "https://h", n) == 0 && strchr("/:", to[n]), "another host was accepted");
        fuzz_check(!strpbrk(to, "\r\n\\ ") && !memchr(to + 8, '@', strcspn(to + 8, "/")),
                   "a strange address was accepted");
        fuzz_check(tare_url_check(to, TARE_URL_SOURCE, NULL) == 0, "follow accepts what check refuses");
    }
}

static void check_judged(const struct tare_head *head, long status, int64_t at)
{
    fuzz_check(at == 0 || (status == 206 && at == from && head->first == from && head->total == total),
               "bytes were put where they do not belong");
    fuzz_check(head->length < 0 || head->length == total - at, "a wrong length was accepted");
}

static int read_head(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_head head = {0};
    char *text = fuzz_text(data, n);
    long status = strncmp(text, "HTTP/1.1 206", 12) == 0 ? 206 : 200;
    int64_t at = -1;
    int r = 0;
    (void)rng;
    tare_head_begin(&head);
    for (char *line = text; r == 0 && *line;) {
        size_t length = strcspn(line, "\n") + (line[strcspn(line, "\n")] == '\n');
        r = tare_head_line(&head, line, length, err);
        if (strncmp(line, "Location: ", 10) == 0) {
            char to[TARE_URL_MAX];
            (void)snprintf(to, sizeof to, "%.*s", (int)strcspn(line + 10, "\r\n"), line + 10);
            check_location(to);
        }
        line += length;
    }
    for (const char *c = tare_head_validator(&head); *c; c++) {
        fuzz_check(*c >= 0x20 && *c <= 0x7e, "a validator would break the request");
    }
    r = r == 0 ? tare_head_judge(&head, status, from, total, &at, err) : r;
    fuzz_check((r == 0) == (at >= 0), "the output does not fit the outcome");
    if (r == 0) {
        check_judged(&head, status, at);
    }
    free(text);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"fetch", seeds, sizeof seeds / sizeof *seeds, words, 100000, read_head});
}
