# SPDX-License-Identifier: Apache-2.0
"""Hostile plug-ins: objects that the loader must refuse, and objects that load and then misbehave.

They are compiled here from one small backend, each with its fault switched on.
"""
import concurrent.futures
import os
import shutil
import struct
import subprocess

import hostile
from clilib import Failure, Skip
from hostile import Row

FAILED = 3
INCLUDE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "harness", "include")

SOURCE = r"""
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tare/backend.h>
#include <unistd.h>
struct self { int64_t n; };
#ifndef BEGIN
#define BEGIN
#endif
#ifndef PROBE
#define PROBE return 0;
#endif
#ifndef LOAD
#define LOAD return 0;
#endif
#ifndef DESCRIBE
#define DESCRIBE
#endif
#ifndef TOKENIZE
#define TOKENIZE
#endif
#ifndef SUBMIT
#define SUBMIT for (uint32_t i = q->first; i < q->n_tokens; i++) \
    { sink->score(sink, q->id, i, -1, true); } return 0;
#endif
#ifndef CLOSE
#define CLOSE
#endif
#ifndef OPTIONS
#define OPTIONS TARE_OPT_END
#endif
#ifndef HEADER
#define HEADER TARE_BACKEND_HEADER
#endif
#ifndef MEMBERS
#define MEMBERS .caps = TARE_CAP_SCORE | TARE_CAP_TOKENIZE
#endif
static volatile int never;
static const char source_text[4096] = "x";
__attribute__((constructor)) static void begin(void) { BEGIN }
static int probe(char *why, size_t n) { (void)why; (void)n; PROBE }
static int load(void *s, const struct tare_load *l, struct tare_err *err)
{ (void)s; (void)l; (void)err; LOAD }
static int describe(void *s, struct tare_model_facts *f, struct tare_err *err)
{ (void)s; (void)err; f->n_ctx = 4096; f->n_vocab = 257; f->bos = 256; DESCRIBE return 0; }
static int tokenize(void *s, const char *text, size_t n, int32_t *ids, uint32_t *ends, size_t cap,
                    size_t *out_n, struct tare_err *err)
{ (void)s; (void)err; for (size_t i = 0; i < n && i < cap; i++) { ids[i] = (unsigned char)text[i];
  ends[i] = (uint32_t)i + 1; } *out_n = n; TOKENIZE return 0; }
static int submit(void *s, const struct tare_request *q, struct tare_sink *sink, struct tare_err *err)
{ (void)s; (void)err; (void)q; (void)sink; SUBMIT }
static void finish(void *s) { (void)s; CLOSE }
static const struct tare_opt options[] = {OPTIONS};
TARE_EXPORT extern const struct tare_backend tare_plugin;
const struct tare_backend tare_plugin = {.header = HEADER, .name = "hostile", .summary = "s", .probe = probe,
    .priv_size = sizeof(struct self), .options = options, .load = load, .describe = describe,
    .tokenize = tokenize, .submit = submit, .close = finish, MEMBERS};
"""
SIZE = "(uint32_t)sizeof(struct tare_backend)"

# Refused when they are looked at: reason, what is switched on, part of the message.
REFUSED = [
    ("wrong magic", {"HEADER": "{0x65726175u, TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, %s}" % SIZE}, "magic"),
    ("a magic of zeros", {"HEADER": "{0}"}, "magic"),
    ("a meter", {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_METER, TARE_BACKEND_ABI, %s}" % SIZE}, "kind 2"),
    ("an unknown kind", {"HEADER": "{TARE_PLUGIN_MAGIC, 4000000000u, TARE_BACKEND_ABI, %s}" % SIZE}, "kind"),
    ("ABI 0", {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, 0, %s}" % SIZE}, "ABI 0"),
    ("an ABI to come", {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, 2, %s}" % SIZE}, "ABI 2"),
    ("claims more bytes than its symbol has",
     {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, %s + 8}" % SIZE}, "claims"),
    ("claims 4 GB of operations",
     {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, 0xffffffffu}"}, "claims"),
    ("claims 16 bytes of operations",
     {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, 16}"}, "claims"),
    ("a size that ends before its hooks",
     {"HEADER": "{TARE_PLUGIN_MAGIC, TARE_PLUGIN_BACKEND, TARE_BACKEND_ABI, 56}"}, "is missing"),
    ("no drain, but concurrent", {"MEMBERS": ".caps = TARE_CAP_CONCURRENT"}, "'drain'"),
    ("no tokenize, but the capability", {"MEMBERS": ".caps = TARE_CAP_TOKENIZE, .tokenize = NULL"},
     "'tokenize'"),
    ("an option outside of its data",
     {"OPTIONS": '{.name = "o", .type = TARE_OPT_I64, .offset = 1 << 20, .def = "7"}, TARE_OPT_END'},
     "option"),
    ("an option of an unknown type",
     {"OPTIONS": '{.name = "o", .type = (enum tare_opt_type)99, .def = "7"}, TARE_OPT_END'}, "option"),
    ("a choice without choices",
     {"OPTIONS": '{.name = "o", .type = TARE_OPT_CHOICE, .def = "7"}, TARE_OPT_END'}, "option"),
    ("a name of several lines", {"MEMBERS": ".name = \"a\\nb\\xff\""}, "name"),
    ("a symbol that is not there", {"BEGIN": "extern void tare_nothing(void); tare_nothing();"},
     "tare_nothing"),
    ("a constructor that crashes", {"BEGIN": "raise(SIGSEGV);"}, "crash"),
    ("a constructor that aborts", {"BEGIN": "abort();"}, "crash"),
    ("a constructor that leaves with 0", {"BEGIN": "_exit(0);"}, ""),
    ("a constructor that leaves with 7", {"BEGIN": "_exit(7);"}, ""),
    ("a constructor that kills its process", {"BEGIN": "kill(getpid(), SIGKILL);"}, ""),
    ("a probe that crashes", {"PROBE": "return *(volatile int *)8;"}, "crash"),
    ("a constructor that recurses for ever",
     {"BEGIN": "volatile char deep[1 << 16]; deep[0] = 1; begin(); deep[1] = deep[0];"}, "crash"),
] + [(f"without its hook {hook}", {"MEMBERS": f".{hook} = NULL"}, f"'{hook}'")
     for hook in ("name", "summary", "load", "describe", "submit", "close")]
REFUSED.append(("account without a convention", {"MEMBERS": ".account = (void *)load"},
                "'account_convention'"))

# Looked at for as long as a probe may take.
HANGING = [("a constructor that hangs", {"BEGIN": "for (;;) { pause(); }"}, "after"),
           ("a probe that spins", {"PROBE": "for (;;) { never = 1; }"}, "after"),
           ("a constructor that writes without end",
            {"BEGIN": "for (;;) { if (write(1, source_text, sizeof source_text) < 0) { pause(); } }"}, "")]

# These load; what they do then is the outcome of a cell.
FRAME = "uint32_t frame[2] = {%s, %s}; if (write(3, frame, 8) < 0) { return -1; }"
MISBEHAVING = [
    ("closes the stream and hangs", {"LOAD": "close(3); for (;;) { pause(); }"}),
    ("leaves a child behind that holds the stream",
     {"LOAD": "if (fork() == 0) { close(0); close(1); close(2); sleep(30); } _exit(0);"}),
    ("stops itself", {"LOAD": "raise(SIGSTOP); return 0;"}),
    ("hangs while it is closed", {"CLOSE": "for (;;) { pause(); }"}),
    ("crashes while it is closed", {"CLOSE": "raise(SIGSEGV);"}),
    ("leaves with 0 in load", {"LOAD": "_exit(0);"}),
    ("writes text into the stream", {"LOAD": "return write(3, \"0123456789abcdef\", 16) < 0;"}),
    ("writes a frame of 4 GB", {"LOAD": FRAME % (6, "0xffffffffu") + " return 0;"}),
    ("writes an unknown frame", {"LOAD": FRAME % (77, 0) + " return 0;"}),
    ("writes an empty sample", {"LOAD": FRAME % (6, 0) + " return 0;"}),
    ("fails without a reason", {"LOAD": "return -7;"}),
    ("fails with an unknown code", {"LOAD": "return tare_err_set(err, -12345, \"odd\");"}),
    ("fails with a message that does not end", {"LOAD": "memset(err, 'x', sizeof *err); return -7;"}),
    ("fails with a message of several lines",
     {"LOAD": "return tare_err_set(err, -7, \"a\\nb\\x1b[2J\\xff\");"}),
    ("describes itself with strings that do not end", {"DESCRIBE": "memset(f, 'x', 4 * 32); f->n_ctx = 0;"}),
    ("claims a context of -5", {"DESCRIBE": "f->n_ctx = -5;"}),
    ("claims a context of 0", {"DESCRIBE": "f->n_ctx = 0;"}),
    ("tokenizes to 2^60 tokens", {"TOKENIZE": "*out_n = (size_t)1 << 60;"}),
    ("tokenizes to nothing", {"TOKENIZE": "*out_n = 0;"}),
    ("tokenizes with ends that go back", {"TOKENIZE": "if (n > 1 && cap > 1) { ends[0] = 9; ends[1] = 2; }"}),
    ("tokenizes beyond the text", {"TOKENIZE": "if (n > 0) { ends[n - 1] = 1 << 30; }"}),
    ("scores not a number", {"SUBMIT": "sink->score(sink, q->id, q->first, (double)NAN, true); return 0;"}),
    ("scores above 0", {"SUBMIT": "sink->score(sink, q->id, q->first, 5, true); return 0;"}),
    ("answers another request", {"SUBMIT": "sink->score(sink, q->id + 1, q->first, -1, true); return 0;"}),
    ("answers a position far out", {"SUBMIT": "sink->score(sink, q->id, 1u << 31, -1, true); return 0;"}),
    ("answers twice",
     {"SUBMIT": "for (int i = 0; i < 2; i++) { sink->score(sink, q->id, q->first, -1, true); } return 0;"}),
    ("sends tokens to a score", {"SUBMIT": "(void)sink->token(sink, q->id, 1, \"x\", 1u << 30); return 0;"}),
    ("reports a completion", {"SUBMIT": "sink->done(sink, q->id, 0, NULL); return 0;"}),
    ("answers nothing", {"SUBMIT": "return 0;"}),
    ("fails each request without a word", {"SUBMIT": "return -1;"}),
    ("says it cannot, with a reason that does not end", {"PROBE": "memset(why, 'x', n); return -1;"}),
    ("claims 1 TB of private data", {"MEMBERS": ".priv_size = 0xffffffffu, .load = NULL, .load = load"}),
]


def compiler():
    cc = shutil.which(os.environ.get("CC", "cc").split()[0])
    if not cc:
        raise Skip("there is no C compiler")
    return cc


def build(cc, path, faults):
    quoted = [f"-D{name}={value}" for name, value in faults.items()]
    made = subprocess.run([cc, "-std=c11", "-D_GNU_SOURCE", "-O1", "-w", "-shared", "-fPIC", "-I", INCLUDE,
                           "-x", "c", "-", "-o", path, *quoted], input=SOURCE.encode(), capture_output=True,
                          check=False)
    if made.returncode != 0:
        raise Failure(f"{faults}: {made.stderr.decode()[:2000]}")
    return path


def build_all(folder, table):
    """One object for each line of the table, in its order."""
    cc = compiler()
    paths = [folder.name(".so") for _ in table]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda pair: build(cc, *pair), zip(paths, [line[1] for line in table])))
    return paths


def foreign(folder, cc, code):
    path = folder.name(".so")
    subprocess.run([cc, "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", path], input=code, check=True)
    return path


def dynamic_section(blob):
    """Where the PT_DYNAMIC segment of a 64-bit ELF lies in the file."""
    at, entry, count = struct.unpack_from("<Q", blob, 32)[0], *struct.unpack_from("<HH", blob, 54)
    for i in range(count):
        kind, _, offset, _, _, size = struct.unpack_from("<IIQQQQ", blob, at + i * entry)
        if kind == 2:
            return offset, offset + size
    raise Failure("a shared object without a dynamic section")


def rows(folder):
    """Those whose fate is sealed when they are probed."""
    cc = compiler()
    good = build(cc, folder.name(".so"), {})
    with open(good, "rb") as file:
        blob = file.read()
    for line, path in zip(REFUSED, build_all(folder, REFUSED)):
        yield row(line[0], path, line[2])
    for line, path in zip(HANGING, build_all(folder, HANGING)):
        yield row(line[0], path, line[2])
    cuts = [len(blob) * i // 20 for i in range(20)]
    for reason, data in hostile.truncations(blob, cuts + [-1, 63, 64]):
        yield row(reason, folder.write(data, ".so"), "")
    for reason, code in (("another library", b"int f(void) { return 1; }"),
                         ("a function called tare_plugin", b"int tare_plugin(void) { return 1; }"),
                         ("a pointer called tare_plugin", b"const char *tare_plugin = \"x\";"),
                         ("a byte called tare_plugin", b"const char tare_plugin = 1;"),
                         ("a thread's variable called tare_plugin", b"__thread int tare_plugin[64];"),
                         ("64 zeros called tare_plugin", b"const char tare_plugin[64];")):
        yield row(reason, foreign(folder, cc, code), "")
    for reason, data in (("a text", b"hello\n"), ("a script", b"#!/bin/sh\necho hi\n"), ("an ELF magic",
            b"\x7fELF"),
                         ("a magic and zeros", b"\x7fELF" + b"\0" * 5000), ("zeros", b"\0" * 5000),
                         ("32-bit", blob[:4] + b"\x01" + blob[5:]), ("big-endian",
                                 blob[:5] + b"\x02" + blob[6:]),
                         ("another machine's", blob[:18] + b"\xb7\0" + blob[20:]),
                         ("an executable", blob[:16] + b"\x02\0" + blob[18:]),
                         ("no program headers", blob[:56] + b"\0\0" + blob[58:]),
                         ("65535 program headers", blob[:56] + b"\xff\xff" + blob[58:]),
                         ("program headers at 2^63", blob[:32] + struct.pack("<Q", 2**63) + blob[40:]),
                         ("program headers at 2^64 - 56", blob[:32] + struct.pack("<Q",
                                 2**64 - 56) + blob[40:]),
                         ("a section table at 2^64 - 64", blob[:40] + struct.pack("<Q",
                                 2**64 - 64) + blob[48:])):
        yield row(reason, folder.write(data, ".so"), "")
    begin, end = dynamic_section(blob)
    for reason, data in hostile.flips(blob, 6, 30, begin, end):
        yield row("dynamic section, " + reason, folder.write(data, ".so"), "", {0, FAILED})
    for reason, data in hostile.flips(blob, 7, 20, 0, 64 + 56 * 9):
        yield row("ELF headers, " + reason, folder.write(data, ".so"), "", {0, FAILED})
    for reason, path, nobody in hostile.no_files(folder, blob, ".so"):
        one = row(reason, path, "")
        one.nobody = nobody
        yield one


def row(reason, path, says, want=frozenset({FAILED})):
    argv = ["run", "--model", f"{path},name=h", "--task", "recall,items=1", "--repeats", "1", "--json",
            "--quiet",
            "--time-limit", "10s", "--db", path + ".db"]
    # A link is named by what it leads to.
    return Row("plugin", reason, path, want, says, argv=argv, named=os.path.basename(path) if not
               os.path.islink(path) else "", json_error=want != frozenset({FAILED}))
