/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens are unescaped in place: they only get shorter. */
#include "pointer.h"

#include <stdlib.h>
#include <string.h>

static int refuse(const char *text, const char *why, struct tare_err *err)
{
    return tare_err_set(err, TARE_E_USAGE, "JSON pointer \"%.80s\": %s", text, why);
}

static int split(const char *text, struct tare_pointer *pointer, struct tare_err *err)
{
    char *to = pointer->text;
    for (const char *at = text; *at; at++) {
        if (*at == '/') {
            if (pointer->n == TARE_POINTER_TOKENS) {
                return refuse(text, "is deeper than 32", err);
            }
            if (at > text) {
                *to++ = '\0';
            }
            pointer->tokens[pointer->n++] = to;
        } else if (*at == '~') {
            at++;
            if (*at != '0' && *at != '1') {
                return refuse(text, "after ~ only 0 (for ~) or 1 (for /) may stand", err);
            }
            *to++ = *at == '0' ? '~' : '/';
        } else {
            *to++ = *at;
        }
    }
    *to = '\0';
    return 0;
}

int tare_pointer_parse(const char *text, struct tare_pointer *out, struct tare_err *err)
{
    struct tare_pointer pointer = {0};
    text = text ? text : "";
    if (*text && *text != '/') {
        return refuse(text, "must begin with /", err);
    }
    pointer.text = malloc(strlen(text) + 1);
    int r = pointer.text ? split(text, &pointer, err) : tare_err_set(err, TARE_E_NOMEM, "out of memory");
    if (r < 0) {
        free(pointer.text);
        return r;
    }
    *out = pointer;
    return 0;
}

long long tare_pointer_index(const char *token)
{
    size_t n = strspn(token, "0123456789");
    if (n == 0 || n > 18 || token[n] || (*token == '0' && n > 1)) {
        return -1;
    }
    return strtoll(token, NULL, 10);
}

void tare_pointer_fini(struct tare_pointer *pointer)
{
    free(pointer->text);
    *pointer = (struct tare_pointer){0};
}
