/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each format makes of a file's bytes: the records, or the error with its line. Each case is read as it
 * is; those that span lines and blocks again with filler in front, so that the seam of two blocks falls on
 * every byte.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "scratch.h"

struct reader_case {
    const char *why;
    const char *bytes;           /* of the file, without NUL */
    const char *records, *fault; /* the one or the other */
    struct tare_reader_options options;
};

static void check_case(const struct reader_case *c, const char *format)
{
    struct tare_reader_options options = c->options;
    struct tare_err err = {0};
    options.format = format;
    const char *path = scratch_write("case", c->bytes, strlen(c->bytes));
    char *records = scratch_records(path, &options, &err);
    if (c->records && (!records || strcmp(records, c->records) != 0)) {
        fail_msg("%s: %s: \"%s\" where \"%s\" is expected", format, c->why, records ? records : err.msg,
                 c->records);
    }
    if (c->fault && (records || !strstr(err.msg, c->fault))) {
        fail_msg("%s: %s: \"%s\" where \"%s\" is expected", format, c->why, records ? records : err.msg,
                 c->fault);
    }
    if (!records && (err.code > TARE_E_USAGE || !strstr(err.msg, err.code == TARE_E_USAGE ? "" : path))) {
        fail_msg("%s: %s: \"%s\" does not name the file", format, c->why, err.msg);
    }
    free(records);
}

#define CHECK(cases, format)                                       \
    for (size_t i = 0; i < sizeof(cases) / sizeof *(cases); i++) { \
        check_case(&(cases)[i], format);                           \
    }

static void test_jsonl(void **state)
{
    (void)state;
    static const struct reader_case cases[] = {
        {"no lines", "", "", NULL, {0}},
        {"two", "{\"a\":1}\n{\"b\":\"x\"}\n", "{\"a\":1}\n{\"b\":\"x\"}\n", NULL, {0}},
        {"no end of the last line", "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n", NULL, {0}},
        {"CR LF", "{\"a\":1}\r\n{\"b\":2}\r\n", "{\"a\":1}\n{\"b\":2}\n", NULL, {0}},
        {"byte order mark", "\xef\xbb\xbf{\"a\":1}\n", "{\"a\":1}\n", NULL, {0}},
        {"a byte order mark alone", "\xef\xbb\xbf", "", NULL, {0}},
        {"blank lines are passed over",
         "\n \t\r\n{\"a\":1}\n\n\n{\"b\":2}\n\n",
         "{\"a\":1}\n{\"b\":2}\n",
         NULL,
         {0}},
        {"blanks around", " {\"a\" : 1 } \n", "{\"a\":1}\n", NULL, {0}},
        {"order of keys", "{\"z\":1,\"a\":2,\"m\":3}\n", "{\"z\":1,\"a\":2,\"m\":3}\n", NULL, {0}},
        {"numbers keep their text",
         "{\"a\":1.0,\"b\":9007199254740993,\"c\":1e2,\"d\":NaN}\n",
         "{\"a\":1.0,\"b\":9007199254740993,\"c\":1e2,\"d\":NaN}\n",
         NULL,
         {0}},
        {"UTF-8 and escapes",
         "{\"a\":\"\xc3\xa9\\u20ac\\ud83d\\ude00\\n\"}\n",
         "{\"a\":\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\\n\"}\n",
         NULL,
         {0}},
        {"an array", "{}\n[1]\n", NULL, "line 2: '[' where a record, an object,", {0}},
        {"a string", "\"x\"\n", NULL, "line 1: '\"' where a record", {0}},
        {"a number", "{}\n\n7\n", NULL, "line 3: '7' where a record", {0}},
        {"two in a line", "{}{}\n", NULL, "line 1: '{' where the end of the line", {0}},
        {"a comma between", "{},\n{}\n", NULL, "line 1: ',' where the end of the line", {0}},
        {"one over two lines", "{\"a\":\n1}\n", NULL, "line 1: the text ends where a value", {0}},
        {"cut", "{\"a\":1}\n{\"b\":[1", NULL, "line 2: the text ends", {0}},
        {"not UTF-8", "{\"a\":1}\n{\"b\":\"\xff\"}\n", NULL, "line 2: not UTF-8", {0}},
        {"Latin-1", "{\"b\":\"caf\xe9\"}\n", NULL, "line 1: not UTF-8", {0}},
        {"an escaped NUL", "{}\n{}\n{\"a\":\"\\u0000\"}\n", NULL, "line 3: a NUL byte", {0}},
        {"half a surrogate", "{\"a\":\"\\ud83d\"}\n", NULL, "line 1: not valid JSON", {0}},
        {"a key twice", "{}\n{\"a\":1,\"a\":2}\n", NULL, "line 2: key \"a\" stands twice", {0}},
        {"a raw tab in a string",
         "{\"a\":\"\t\"}\n",
         NULL,
         "line 1: byte 0x09 where the end of a string",
         {0}},
        {"a leading zero", "{\"a\":01}\n", NULL, "line 1: '1' where", {0}},
        {"a plus", "{\"a\":+1}\n", NULL, "line 1: '+' where a value", {0}},
        {"no digit behind the point", "{\"a\":1.}\n", NULL, "line 1: '}' where a digit", {0}},
        {"no digit in the exponent", "{\"a\":1e+}\n", NULL, "where a digit", {0}},
        {"single quotes", "{'a':1}\n", NULL, "line 1: ''' where", {0}},
        {"a comma at the end", "{\"a\":1,}\n", NULL, "line 1: '}' where", {0}},
        {"a comment", "{\"a\":1} // x\n", NULL, "line 1: '/' where", {0}},
        {"an unknown escape", "{\"a\":\"\\x41\"}\n", NULL, "'x' where an escaped character", {0}},
        {"a bad hexadecimal", "{\"a\":\"\\u12g4\"}\n", NULL, "'g' where a hexadecimal digit", {0}},
        {"a word", "{\"a\":nul}\n", NULL, "'}' where 'l'", {0}},
        {"too large", "{\"a\":1e999}\n", NULL, "line 1: a number is too large", {0}},
        {"UTF-16", "\xff\xfe{", NULL, "line 1: byte 0xff", {0}},
        {"a pointer",
         "{}\n",
         NULL,
         "JSON pointer given, which a jsonl file does not take",
         {.pointer = "/a"}},
        {"columns", "{}\n", NULL, "columns given", {.columns = "a"}},
    };
    CHECK(cases, "jsonl");
}

static void test_json(void **state)
{
    (void)state;
    static const char nested[] =
        "{\"n\":[0,{\"x\":\"]}\"}],\"d/a\":{\"~\":[[{\"q\":1}],\n[{\"q\":2},\n{\"q\":3}]]},\"z\":0}";
    static const struct reader_case cases[] = {
        {"an array", "[{\"a\":1}, {\"b\":[2]}\n]\n", "{\"a\":1}\n{\"b\":[2]}\n", NULL, {0}},
        {"an empty array", " [ ] ", "", NULL, {0}},
        {"an empty object", "{}", "", NULL, {0}},
        {"byte order mark", "\xef\xbb\xbf[{\"a\":1}]", "{\"a\":1}\n", NULL, {0}},
        {"an object, in order",
         "{\"z\":1,\"a\":{\"x\":null},\"m\":[true]}",
         "{\"key\":\"z\",\"value\":1}\n{\"key\":\"a\",\"value\":{\"x\":null}}\n{\"key\":\"m\",\"value\":["
         "true]}\n",
         NULL,
         {0}},
        {"a key with escapes, lines between",
         "{\"a\\\"\\u00e9\"\n:\n\"v\"}",
         "{\"key\":\"a\\\"\xc3\xa9\",\"value\":\"v\"}\n",
         NULL,
         {0}},
        {"a pointer to the root", "[{\"a\":1}]", "{\"a\":1}\n", NULL, {.pointer = ""}},
        {"a pointer to an array",
         "{\"v\":1,\"data\":[{\"a\":1}],\"w\":2}",
         "{\"a\":1}\n",
         NULL,
         {.pointer = "/data"}},
        {"through an array, with escapes", nested, "{\"q\":2}\n{\"q\":3}\n", NULL, {.pointer = "/d~1a/~0/1"}},
        {"to an object", nested, "{\"key\":\"x\",\"value\":\"]}\"}\n", NULL, {.pointer = "/n/1"}},
        {"an escaped key is met", "{\"d\\u0061ta\":[{\"a\":1}]}", "{\"a\":1}\n", NULL, {.pointer = "/data"}},
        {"an empty key", "{\"\":[{\"a\":1}]}", "{\"a\":1}\n", NULL, {.pointer = "/"}},
        {"no such key",
         "{\"a\":[]\n}",
         NULL,
         "line 2: the object that ends here has no member \"b\"",
         {.pointer = "/b"}},
        {"no such index", "[[],[]]", NULL, "the array that ends here has no member \"2\"", {.pointer = "/2"}},
        {"an index that is none", "[[],[]]", NULL, "has no member \"01\"", {.pointer = "/01"}},
        {"to a string", "{\"a\":\"x\"}", NULL, "'\"' where the array or object", {.pointer = "/a"}},
        {"through a number", "{\"a\":5}", NULL, "'5' where the array or object", {.pointer = "/a/b"}},
        {"a bad pointer", "{}", NULL, "must begin with /", {.pointer = "a"}},
        {"the path's key twice",
         "{\"a\":[{\"x\":1}],\n\"a\":[{\"x\":2}]}",
         NULL,
         "line 2: key \"a\" stands twice",
         {.pointer = "/a"}},
        {"a record's key twice", "{\"k\":1,\n\"k\":2}", NULL, "line 2: key \"k\" stands twice", {0}},
        {"a key twice inside", "[{},\n\n{\"k\":1,\n\"k\":2}]", NULL, "line 3: key \"k\" stands twice", {0}},
        {"elements that are no objects", "[{},\n5]", NULL, "line 2: '5' where a record, an object,", {0}},
        {"nothing", "", NULL, "line 1: the text ends where the array or object", {0}},
        {"blanks alone", "\n\n", NULL, "line 3: the text ends", {0}},
        {"a scalar", "7", NULL, "'7' where the array or object", {0}},
        {"cut in an element", "[{\"a\":1},\n{\"b\":", NULL, "line 2: the text ends", {0}},
        {"cut between", "[{\"a\":1}\n", NULL, "line 2: the text ends where ',' or ']'", {0}},
        {"cut behind the array",
         "{\"d\":[{\"a\":1}]",
         NULL,
         "the text ends where ',' or '}'",
         {.pointer = "/d"}},
        {"a comma at the end", "[{},]", NULL, "']' where a record", {0}},
        {"no comma", "[{}{}]", NULL, "'{' where ',' or ']'", {0}},
        {"the wrong bracket", "[{}}", NULL, "'}' where ',' or ']'", {0}},
        {"JSON Lines",
         "[]\n[]\n",
         NULL,
         "line 2: '[' where the end of the file (or is its format jsonl?)",
         {0}},
        {"bad grammar in what is passed over", "{\"a\":[01],\"d\":[]}", NULL, "'1' where", {.pointer = "/d"}},
        {"bad grammar behind", "{\"d\":[],\"a\":tru}", NULL, "'}' where 'e'", {.pointer = "/d"}},
        {"a fault's line in a record", "[\n{\"a\":1,\n\"b\":\"\xff\"}]", NULL, "line 3: not UTF-8", {0}},
        {"an escaped NUL in a key", "{\"a\\u0000b\":1}", NULL, "line 1: a NUL byte", {0}},
    };
    CHECK(cases, "json");
}

static char *repeat(const char *head, const char *unit, size_t n, const char *tail)
{
    char *text = calloc(1, strlen(head) + n * strlen(unit) + strlen(tail) + 1);
    assert_non_null(text);
    char *at = stpcpy(text, head);
    while (n-- > 0) {
        at = stpcpy(at, unit);
    }
    (void)stpcpy(at, tail);
    return text;
}

/* 64 arrays and objects inside each other are fine, one more is not, and a million are no harm. */
static void test_depth(void **state)
{
    (void)state;
    static const struct {
        size_t open, close;
        const char *fault;
    } cases[] = {{63, 63, NULL}, {64, 64, "deeper than 64"}, {1000000, 0, "deeper than 64"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *tail = repeat("", "]", cases[i].close, "}");
        char *text = repeat("{\"a\":", "[", cases[i].open, tail), *records = repeat(text, "\n", 1, "");
        struct reader_case c = {"depth", text, cases[i].fault ? NULL : records, cases[i].fault, {0}};
        check_case(&c, "jsonl");
        char *array = repeat("[", text, 1, "]");
        c.bytes = array;
        check_case(&c, "json");
        free(array);
        free(records);
        free(text);
        free(tail);
    }
}

static void test_csv(void **state)
{
    (void)state;
    static const struct reader_case cases[] = {
        {"a header alone", "a,b\n", "", NULL, {0}},
        {"rows", "a,b\n1,2\n3,4\n", "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n", NULL, {0}},
        {"CR LF, no last end",
         "a,b\r\n1,2\r\n3,4",
         "{\"a\":\"1\",\"b\":\"2\"}\n{\"a\":\"3\",\"b\":\"4\"}\n",
         NULL,
         {0}},
        {"byte order mark",
         "\xef\xbb\xbf"
         "a,b\n1,2\n",
         "{\"a\":\"1\",\"b\":\"2\"}\n",
         NULL,
         {0}},
        {"a quoted name behind the mark",
         "\xef\xbb\xbf\"a\",b\n1,2\n",
         "{\"a\":\"1\",\"b\":\"2\"}\n",
         NULL,
         {0}},
        {"commas, quotes, line feeds",
         "a,b\n\"x,y\",\"he said \"\"no\"\"\"\n\"l1\nl2\r\nl3\",\"\"\"\"\n",
         "{\"a\":\"x,y\",\"b\":\"he said \\\"no\\\"\"}\n{\"a\":\"l1\\nl2\\r\\nl3\",\"b\":\"\\\"\"}\n",
         NULL,
         {0}},
        {"empty fields",
         "a,b,c\n,,\n\"\",x,\"\"\n",
         "{\"a\":\"\",\"b\":\"\",\"c\":\"\"}\n{\"a\":\"\",\"b\":\"x\",\"c\":\"\"}\n",
         NULL,
         {0}},
        {"blanks are kept", "a,b\n x ,\ty\n", "{\"a\":\" x \",\"b\":\"\\ty\"}\n", NULL, {0}},
        {"an empty line is one empty field",
         "a\nx\n\ny\n",
         "{\"a\":\"x\"}\n{\"a\":\"\"}\n{\"a\":\"y\"}\n",
         NULL,
         {0}},
        {"a column without a name", ",b\n1,2\n", "{\"\":\"1\",\"b\":\"2\"}\n", NULL, {0}},
        {"a name with a comma", "\"a,b\",c\n1,2\n", "{\"a,b\":\"1\",\"c\":\"2\"}\n", NULL, {0}},
        {"given columns",
         "1,2\n3,4\n",
         "{\"x\":\"1\",\"y\":\"2\"}\n{\"x\":\"3\",\"y\":\"4\"}\n",
         NULL,
         {.columns = "x,y"}},
        {"given columns, no rows", "", "", NULL, {.columns = "x,y"}},
        {"UTF-8", "a\n\xe2\x82\xac\n", "{\"a\":\"\xe2\x82\xac\"}\n", NULL, {0}},
        {"no header", "", NULL, "line 1: the line with the columns' names is missing", {0}},
        {"too few", "a,b\n1,2\n3\n", NULL, "line 3: 1 field where there are 2 columns", {0}},
        {"too many", "a,b\n1,2,3\n", NULL, "line 2: 3 fields where there are 2 columns", {0}},
        {"an empty line among several columns",
         "a,b\n1,2\n\n",
         NULL,
         "line 3: 1 field where there are 2",
         {0}},
        {"the line of a row behind quoted lines", "a,b\n\"1\n2\n3\",x\n4\n", NULL, "line 5: 1 field", {0}},
        {"names twice", "a,b,a\n", NULL, "two columns are named \"a\"", {0}},
        {"given names twice", "1,2\n", NULL, "two columns are named \"x\"", {.columns = "x,x"}},
        {"a quote inside", "a,b\n1,x\"y\"\n", NULL, "line 2: a quote inside a field", {0}},
        {"a blank before the quote", "a,b\n1, \"x\"\n", NULL, "line 2: a quote inside a field", {0}},
        {"text behind the quote", "a,b\n1,\"x\"y\n", NULL, "line 2: text behind the quote", {0}},
        {"a quote without an end",
         "a,b\n1,2\n3,\"x\n\n\n",
         NULL,
         "line 3: the quoted field that begins here",
         {0}},
        {"old line ends", "a,b\r1,2\r", NULL, "line 1: a carriage return without", {0}},
        {"a carriage return at the end", "a\nx\r", NULL, "line 2: a carriage return without", {0}},
        {"not UTF-8", "a\nx\n\xff\n", NULL, "line 3: not UTF-8", {0}},
        {"a name that is not UTF-8", "\xff\n", NULL, "line 1: a column's name", {0}},
        {"a pointer", "a\n", NULL, "JSON pointer given, which a csv file does not take", {.pointer = "/a"}},
    };
    CHECK(cases, "csv");
}

static void test_tsv(void **state)
{
    (void)state;
    static const struct reader_case cases[] = {
        {"commas are text", "a\tb\n1,5\t\"x\ty\"\n", "{\"a\":\"1,5\",\"b\":\"x\\ty\"}\n", NULL, {0}},
        {"CR LF", "a\tb\r\n\t\r\n", "{\"a\":\"\",\"b\":\"\"}\n", NULL, {0}},
        {"given columns", "1\t2\n", "{\"x\":\"1\",\"y\":\"2\"}\n", NULL, {.columns = "x,y"}},
        {"too few", "a\tb\n1\n", NULL, "line 2: 1 field where there are 2 columns", {0}},
    };
    CHECK(cases, "tsv");
}

static void test_text(void **state)
{
    (void)state;
    static const struct reader_case cases[] = {
        {"nothing", "", "", NULL, {0}},
        {"one empty line", "\n", "{\"text\":\"\"}\n", NULL, {0}},
        {"lines",
         "a\n b \n\nc\n",
         "{\"text\":\"a\"}\n{\"text\":\" b \"}\n{\"text\":\"\"}\n{\"text\":\"c\"}\n",
         NULL,
         {0}},
        {"no last end", "a\nb", "{\"text\":\"a\"}\n{\"text\":\"b\"}\n", NULL, {0}},
        {"CR LF", "a\r\n\r\nb\r\n", "{\"text\":\"a\"}\n{\"text\":\"\"}\n{\"text\":\"b\"}\n", NULL, {0}},
        {"a carriage return on its own is text", "a\rb\r", "{\"text\":\"a\\rb\\r\"}\n", NULL, {0}},
        {"byte order mark",
         "\xef\xbb\xbf"
         "a\n",
         "{\"text\":\"a\"}\n",
         NULL,
         {0}},
        {"a mark elsewhere is text", "a\xef\xbb\xbf\n", "{\"text\":\"a\xef\xbb\xbf\"}\n", NULL, {0}},
        {"a part of a mark", "\xef\xbb", NULL, "line 1: not UTF-8 at byte 1", {0}},
        {"not UTF-8", "a\nab\xc3\n", NULL, "line 2: not UTF-8 at byte 3", {0}},
    };
    CHECK(cases, "text");
    struct tare_err err = {0};
    struct tare_reader_options options = {.format = "text"};
    assert_null(scratch_records(scratch_write("nul", "a\nb\0c\n", 6), &options, &err));
    assert_non_null(strstr(err.msg, "line 2: a NUL byte at byte 2"));
}

/* The blocks of a plain file are 65536 bytes; filler in front moves that seam over every byte of the case. */
static void test_seams(void **state)
{
    (void)state;
    static const struct {
        const char *format, *head, *unit, *body, *records;
    } cases[] = {
        {"jsonl", "", " ", "\n{\"a\":\"\xc3\xa9\\u20ac\",\"b\":[1.5e3,null]}\r\n{\"c\":\"x\"}\n",
         "{\"a\":\"\xc3\xa9\xe2\x82\xac\",\"b\":[1.5e3,null]}\n{\"c\":\"x\"}\n"},
        {"json", "[", " ", "{\"a\":\"\xc3\xa9\\u20ac\",\"b\":[-1.5e+3,true,-Infinity]}\n,{\"c\":\"x\"}]\n",
         "{\"a\":\"\xc3\xa9\xe2\x82\xac\",\"b\":[-1.5e+3,true,-Infinity]}\n{\"c\":\"x\"}\n"},
        {"csv", "a,b", "\n", "\"q\"\"\"\"\r\nq\",x\r\n\"\",\"\xc3\xa9\"\r\n",
         "{\"a\":\"q\\\"\\\"\\r\\nq\",\"b\":\"x\"}\n{\"a\":\"\",\"b\":\"\xc3\xa9\"}\n"},
        {"text", "", "\n", "a\r\n\r\n\xc3\xa9\n\r\r\nz",
         "{\"text\":\"a\"}\n{\"text\":\"\"}\n{\"text\":\"\xc3\xa9\"}\n"
         "{\"text\":\"\\r\"}\n{\"text\":\"z\"}\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t n = strlen(cases[i].body), block = 65536;
        for (size_t k = 0; k <= n; k++) {
            struct tare_err err = {0};
            struct tare_reader_options options = {.format = cases[i].format};
            size_t fill = block - strlen(cases[i].head) - k;
            bool lines = cases[i].unit[0] == '\n';
            /* Where a line feed is a record, the filler is one lengthy field and its end. */
            char *head =
                lines ? repeat(strcmp(cases[i].format, "csv") ? "" : "a,b\n\"", "f", fill - 4, "") : NULL;
            char *file =
                lines ? repeat(head, strcmp(cases[i].format, "csv") ? "\n" : "\",f\n", 1, cases[i].body)
                      : repeat(cases[i].head, cases[i].unit, fill, cases[i].body);
            char *records = scratch_records(scratch_write("seam", file, strlen(file)), &options, &err);
            const char *tail = records ? records : err.msg;
            if (lines && records) {
                tail = strchr(records, '\n') + 1;
            }
            if (strcmp(tail, cases[i].records) != 0) {
                fail_msg("%s, %zu: \"%s\"", cases[i].format, k, tail);
            }
            free(records);
            free(file);
            free(head);
        }
    }
}

static void test_formats_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name, *bytes, *records, *fault;
    } cases[] = {
        {"a.jsonl", "{\"a\":1}\n", "{\"a\":1}\n", NULL},
        {"a.ndjson", "{\"a\":1}\n", "{\"a\":1}\n", NULL},
        {"a.json", "[{\"a\":1}]", "{\"a\":1}\n", NULL},
        {"a.csv", "a\n1\n", "{\"a\":\"1\"}\n", NULL},
        {"a.tsv", "a\tb\n1\t2\n", "{\"a\":\"1\",\"b\":\"2\"}\n", NULL},
        {"a.txt", "x\n", "{\"text\":\"x\"}\n", NULL},
        {"a.parquet", "PAR1", NULL, "does not say a format"},
        {"jsonl", "{}", NULL, "does not say a format"},
        {"a.gz", "{}", NULL, "does not say a format"},
        {"a.JSON", "{}", NULL, "does not say a format"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct tare_err err = {0};
        char *records =
            scratch_records(scratch_write(cases[i].name, cases[i].bytes, strlen(cases[i].bytes)), NULL, &err);
        if (cases[i].records ? !records || strcmp(records, cases[i].records) != 0
                             : records || err.code != TARE_E_USAGE || !strstr(err.msg, cases[i].fault)) {
            fail_msg("%s: \"%s\"", cases[i].name, records ? records : err.msg);
        }
        free(records);
    }
    struct tare_err err = {0};
    struct tare_reader_options options = {.format = "xml"};
    struct tare_reader *untouched = (void *)&err, *reader = untouched;
    assert_int_equal(tare_reader_open(scratch_path("a.csv"), &options, &reader, &err), TARE_E_USAGE);
    assert_ptr_equal(reader, untouched);
    tare_reader_close(NULL);
}

static void test_lines(void **state)
{
    (void)state;
    static const char bytes[] = "a,b\n\"1\n2\",x\n3,4\n";
    struct tare_err err = {0};
    struct tare_reader *reader = NULL;
    const struct tare_json *record = NULL;
    assert_int_equal(tare_reader_open(scratch_write("l.csv", bytes, strlen(bytes)), NULL, &reader, &err), 0);
    assert_int_equal(tare_reader_line(reader), 0);
    assert_int_equal(tare_reader_next(reader, &record, &err), 1);
    assert_int_equal(tare_reader_line(reader), 2);
    assert_int_equal(tare_reader_next(reader, &record, &err), 1);
    assert_int_equal(tare_reader_line(reader), 4);
    assert_int_equal(tare_reader_next(reader, &record, &err), 0);
    assert_int_equal(tare_reader_line(reader), 4);
    tare_reader_close(reader);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jsonl), cmocka_unit_test(test_json),  cmocka_unit_test(test_depth),
        cmocka_unit_test(test_csv),   cmocka_unit_test(test_tsv),   cmocka_unit_test(test_text),
        cmocka_unit_test(test_seams), cmocka_unit_test(test_lines), cmocka_unit_test(test_formats_by_name),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
