/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of sources: in one that is accepted every file has a plain path below the source's name, and
 * what it must be or why that is not known. */
#include "fuzz.h"

#include <tare/data_folder.h>
#include "core/source.h"

#include <string.h>

#define ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define HEAD                                                                                             \
    "{\"tare_source\":1,\"name\":\"s\",\"summary\":\"x\",\"licence\":\"MIT\",\"licence_from\":\"here\"," \
    "\"cite\":\"us\","

static const struct fuzz_seed seeds[] = {
    FUZZ_TEXT(HEAD "\"files\":[{\"file\":\"s/f.txt\",\"bytes\":3,\"sha256\":\"" ABC
                   "\",\"urls\":[\"https://h/f\",\"http://i/g\"]}]}"),
    FUZZ_TEXT(HEAD
              "\"licence_url\":\"https://h/l\",\"note\":\"n\",\"files\":[{\"file\":\"s/a/b\",\"bytes\":3,"
              "\"urls\":[],\"why\":\"not known\"},{\"file\":\"s/c\",\"bytes\":0,\"sha256\":\"" ABC
              "\",\"urls\":[],\"why\":\"w\",\"made_from\":[\"https://h/f\"]}]}"),
};

static const char *const words[] = {"\"tare_source\":1,",
                                    "\"name\":\"s\",",
                                    "\"files\":",
                                    "\"urls\":[]",
                                    "\"sha256\":",
                                    "s/",
                                    "../",
                                    "//",
                                    "/",
                                    "\"why\":\"x\",",
                                    "\"bytes\":-1,",
                                    "null",
                                    "[]",
                                    "{}",
                                    "1e300",
                                    "https://",
                                    "\\u0000",
                                    "\\u001b",
                                    NULL};

static void check(const struct tare_source *s)
{
    size_t n = strlen(s->name);
    fuzz_check(s->n_files > 0 && n > 0 && s->licence && s->licence_from && s->cite && s->summary,
               "a field is missing");
    fuzz_check(!strchr(s->name, '/') && !strchr(s->name, '.'), "the name is a path");
    for (size_t i = 0; i < s->n_files; i++) {
        const struct tare_source_file *f = &s->files[i];
        fuzz_check(tare_data_is_name(f->file) && !strstr(f->file, "/."), "the path is not plain");
        fuzz_check(strncmp(f->file, s->name, n) == 0 && f->file[n] == '/', "the path is another source's");
        fuzz_check(!f->sha256 || (strlen(f->sha256) == 64 && f->bytes >= 0), "a hash without digits or size");
        fuzz_check(f->why || (f->sha256 && tare_json_size(f->urls) > 0), "nobody says why");
        fuzz_check(tare_source_find(s, f->file) == f, "a file is there twice");
    }
}

static int read_source(const char *data, size_t n, struct tare_rng *rng, struct tare_err *err)
{
    struct tare_json *json = NULL;
    struct tare_source *source = NULL;
    (void)rng;
    int r = tare_json_parse(data, n, "fuzz", &json, err);
    r = r == 0 ? tare_source_parse(json, "fuzz", &source, err) : r;
    fuzz_check((r == 0) == (source != NULL), "the output does not fit the outcome");
    if (source) {
        check(source);
    }
    tare_source_destroy(source);
    return r;
}

int main(void)
{
    return fuzz_main(
        &(struct fuzz_target){"source", seeds, sizeof seeds / sizeof *seeds, words, 40000, read_source});
}
