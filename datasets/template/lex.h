/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words of a template: the text between tags, and the tokens inside of them, by the rules of Jinja2's lexer
 * in its default setting (no line statements, no trim_blocks, no lstrip_blocks). Private to
 * datasets/template/.
 */
#ifndef TARE_TEMPLATE_LEX_H
#define TARE_TEMPLATE_LEX_H

#include "tree.h"

enum tare_tpl_token_kind {
    TARE_TPL_T_END,      /* of the template */
    TARE_TPL_T_CLOSE,    /* of the tag */
    TARE_TPL_T_NAME,     /* text */
    TARE_TPL_T_STRING,   /* text, its escapes resolved */
    TARE_TPL_T_INT,      /* integer */
    TARE_TPL_T_FLOAT,    /* number */
    TARE_TPL_T_OPERATOR, /* op; text as written */
};

/* Two-character operators get one letter in op: = (==) ! l (<=) g (>=) d (//) p (**); the assignment is a. */
struct tare_tpl_token {
    enum tare_tpl_token_kind kind;
    char op;
    size_t at;
    struct tare_bytes text;
    int64_t integer;
    double number;
};

enum tare_tpl_tag { TARE_TPL_TAG_NONE, TARE_TPL_TAG_PRINT, TARE_TPL_TAG_STATEMENT };

struct tare_tpl_lexer {
    struct tare_template *t;
    size_t at;
    enum tare_tpl_tag inside;  /* which tag is open */
    size_t tag_at;             /* where it began */
    int open;                  /* brackets in it */
    struct tare_tpl_token now; /* inside of a tag */
};

/*
 * The text up to the next tag, without comments' text: one call gives one piece, empty or not, and says in
 * *tag what tag was opened behind it (none: go on if at < n, else the end).
 */
TARE_MUST_CHECK int tare_tpl_lex_text(struct tare_tpl_lexer *lexer, struct tare_bytes *text,
                                      enum tare_tpl_tag *tag, struct tare_err *err);
/* Reads the next token of the open tag into `now`. TARE_TPL_T_CLOSE closes it, once. */
TARE_MUST_CHECK int tare_tpl_lex_next(struct tare_tpl_lexer *lexer, struct tare_err *err);
/* Resolves the escapes of a string literal's inside. In lex_string.c. */
TARE_MUST_CHECK int tare_tpl_lex_unescape(struct tare_tpl_lexer *lexer, size_t begin, size_t end,
                                          struct tare_bytes *out, struct tare_err *err);

#endif
