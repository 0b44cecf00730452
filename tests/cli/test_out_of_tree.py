# SPDX-License-Identifier: Apache-2.0
"""What is installed suffices: the example backend compiles against it, and the installed tare runs it."""
import atexit
import functools
import math
import os
import shutil
import subprocess
import tempfile

import clilib
from clilib import Failure, Skip, close, contains, equal, main, query, scalar, strict_json, tare, true

BUILD = os.environ.get("TARE_BUILD_ROOT", "")
SOURCE = os.environ.get("TARE_SOURCE_ROOT", "")
LOGPROB = -3.5
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def call(*argv, env=None, cwd=None):
    """The standard output of a command that must succeed."""
    done = subprocess.run(argv, capture_output=True, text=True, check=False, cwd=cwd,
                          env={**os.environ, **(env or {})})
    if done.returncode != 0:
        raise Failure(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed:
    """An installation in a temporary folder."""

    def __init__(self, root):
        self.root = root
        self.pc = self.find("tare.pc")
        self.exe = self.find("tare", "bin")
        self.env = {"PKG_CONFIG_PATH": os.path.dirname(self.pc), "PKG_CONFIG_SYSROOT_DIR": root}
        self.backends = root + self.pkg_config("--variable=backenddir", sysroot=False)
        self.data = os.path.dirname(self.find("text", "tare"))

    def find(self, name, folder=""):
        """The one path below the root that ends in folder/name."""
        found = [os.path.join(at, name) for at, dirs, files in os.walk(self.root)
                 if name in files + dirs and (not folder or os.path.basename(at) == folder)]
        equal(len(found), 1, f"installed paths that end in {folder}/{name}: {found}")
        return found[0]

    def pkg_config(self, what, sysroot=True):
        env = self.env if sysroot else {"PKG_CONFIG_PATH": self.env["PKG_CONFIG_PATH"]}
        return call("pkg-config", what, "tare", env=env).strip()

    def tare(self, *args, rc=0, path=None):
        """Runs the installed tare, told where its files lie since it is not where it was built for."""
        env = {"TARE_DATA": self.data, "TARE_ZOO": os.path.join(self.data, "zoo"),
               "TARE_BACKEND_PATH": self.backends + (":" + path if path else "")}
        built, clilib.EXE = clilib.EXE, self.exe
        try:
            return tare(*args, rc=rc, env=env)
        finally:
            clilib.EXE = built


@functools.lru_cache(maxsize=None)
def installed():
    for tool in ("meson", "pkg-config"):
        if not shutil.which(tool):
            raise Skip(f"{tool} is not here")
    if not BUILD or not SOURCE:
        raise Skip("TARE_BUILD_ROOT or TARE_SOURCE_ROOT is not set")
    root = tempfile.mkdtemp(prefix="tare-installed-")
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    call("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", root)
    return Installed(root)


def example(name):
    return os.path.join(SOURCE, "docs", "examples", "constant-backend", name)


@functools.lru_cache(maxsize=None)
def built_with(compiler):
    """A folder with the example's shared object in it."""
    if not shutil.which(compiler):
        raise Skip(f"{compiler} is not here")
    folder = tempfile.mkdtemp(prefix="tare-example-", dir=installed().root)
    call(compiler, *STRICT, "-fPIC", "-shared", *installed().pkg_config("--cflags").split(), "-o",
         os.path.join(folder, "constant.so"), example("constant.c"), cwd=folder)
    return folder


def any_build():
    for compiler in ("gcc", "clang", "cc"):
        if shutil.which(compiler):
            return built_with(compiler)
    raise Skip("no C compiler is here")


def value(db, name):
    row = query(db, "SELECT value, low, high FROM figure WHERE name = ?", name)
    equal(len(row), 1, f"figures called {name}")
    return row[0]


def check_outcomes(db, repeats):
    equal(query(db, "SELECT DISTINCT outcome, message FROM repeat"), [("ok", None)], "outcomes")
    equal(scalar(db, "SELECT count(*) FROM repeat WHERE outcome = 'ok'"), repeats, "repeats")
    equal(scalar(db, "SELECT verdict FROM cell"), "VALID", "verdict")


def check_compiler(compiler):
    """The object is taken by path, and what it answers becomes the figures that follow from it."""
    os.symlink(os.path.join(built_with(compiler), "constant.so"), "constant.so")
    tare("run", "--db", "recall.db", "--model", "./constant.so", "--task", "recall,items=12", "--repeats", "2")
    check_outcomes("recall.db", 2)
    # Digits are graded and none of them is the byte x.
    equal(value("recall.db", "token_acc")[0], 0, "token_acc of a byte that is no digit")
    equal(value("recall.db", "exact")[0], 0, "exact")
    tare("run", "--db", "text.db", "--model", f"./constant.so,logprob={LOGPROB}", "--task", "text,items=5",
         "--repeats", "2")
    check_outcomes("text.db", 2)
    for got in value("text.db", "bits_per_byte"):
        close(got, -LOGPROB / math.log(2), "bits per byte, with its interval")


def test_compiled_with_gcc():
    check_compiler("gcc")


def test_compiled_with_clang():
    check_compiler("clang")


def test_default_is_the_uniform_distribution():
    tare("run", "--db", "u.db", "--model", "constant", "--task", "text,items=3", "--repeats", "1",
         env={"TARE_BACKEND_PATH": any_build()})
    close(value("u.db", "bits_per_byte")[0], math.log2(257), "bits per byte")


def test_found_by_name():
    env = {"TARE_BACKEND_PATH": f"/nowhere:{any_build()}"}
    listed = strict_json(tare("list", "backends", "--json", env=env).out, "list")["backends"]
    mine = [b for b in listed if b["name"] == "constant"]
    equal(len(mine), 1, "backends called constant")
    equal([o["name"] for o in mine[0]["options"]], ["logprob", "byte"], "its options")
    tare("run", "--db", "n.db", "--model", "constant,byte=55", "--task", "generate,items=3,max_output=5",
         "--repeats", "2", env=env)
    check_outcomes("n.db", 2)
    equal(query("n.db", "SELECT DISTINCT output, output_tok FROM sample"), [(b"77777", 5)], "what it generated")
    wrong = tare("run", "--db", "never.db", "--model", "constant,byt=55", "--task", "recall", env=env, rc=2)
    contains(wrong.err, 'did you mean "byte"', "an option with a typing error")
    wrong = tare("run", "--db", "w.db", "--model", "constant,logprob=1", "--task", "recall", env=env, rc=3)
    contains(wrong.err, "a log-probability is at most 0", "an option that the backend refuses")
    # Without the folder there is no such backend.
    contains(tare("run", "--model", "constant", "--task", "recall", rc=2).err, "no constant.so", "its absence")


def test_makefile_of_the_example():
    if not shutil.which("make"):
        raise Skip("make is not here")
    any_build()
    for name in ("Makefile", "constant.c"):
        shutil.copy(example(name), name)
    call("make", env=installed().env)
    tare("run", "--db", "m.db", "--model", "./constant.so", "--task", "recall,items=4", "--repeats", "1")
    check_outcomes("m.db", 1)


def test_only_the_public_headers_are_installed():
    flags = installed().pkg_config("--cflags").split()
    equal(len(flags), 1, f"flags of pkg-config: {flags}")
    include = flags[0][2:]
    equal(include, os.path.join(installed().root, include[len(installed().root):].lstrip("/")),
          "the include path lies in the installation")
    folder = os.path.join(SOURCE, "harness", "include", "tare")
    equal(sorted(os.listdir(os.path.join(include, "tare"))),
          sorted(n for n in os.listdir(folder) if n.endswith(".h")), "headers")


def files_below(folder):
    return sorted(os.path.relpath(os.path.join(at, n), folder) for at, _, names in os.walk(folder)
                  for n in names)


def test_what_is_shipped_is_installed():
    equal(files_below(os.path.join(installed().data, "text")),
          files_below(os.path.join(SOURCE, "datasets", "text")), "texts")
    # Every backend of the build, and the models of the one that runs them.
    built = sorted(n for n in os.listdir(os.path.join(BUILD, "backends")) if n.endswith(".so"))
    equal(sorted(os.listdir(installed().backends)), built, "backends")
    installed().find("tare.1", "man1")
    if "native.so" in built:
        equal(files_below(os.path.join(installed().data, "zoo")),
              files_below(os.path.join(SOURCE, "backends", "native", "zoo")), "models")


def test_the_installed_tare_finds_its_files():
    result = installed().tare("run", "--db", "i.db", "--model", "constant", "--task", "recall,items=4",
                              "--task", "text,items=2", "--repeats", "1", path=any_build())
    contains(result.err, "2 cells valid, 0 invalid, 0 skipped", "summary")
    paths = {role: path for role, path in query("i.db", "SELECT c.role, a.path FROM cell_artifact c JOIN "
                                                        "artifact a ON a.id = c.artifact_id")}
    for role in ("tare", "backend", "data"):
        true(paths[role].startswith(os.path.realpath(installed().root)), f"{role} was {paths[role]}")


def test_the_installed_tare_runs_a_model_of_the_zoo():
    if not os.path.exists(os.path.join(installed().backends, "native.so")):
        raise Skip("this build has no native backend")
    names = [m["name"] for m in strict_json(installed().tare("list", "models", "--json").out, "list")["models"]]
    true("zoo:llama-0.1m" in names, f"models: {names}")
    installed().tare("run", "--db", "z.db", "--model", "native,path=zoo:llama-0.1m", "--task", "recall,items=8",
                     "--repeats", "1")
    check_outcomes("z.db", 1)
    # Chance is 0.1; the model was trained on this task.
    true(value("z.db", "token_acc")[0] > 0.5, f"token_acc {value('z.db', 'token_acc')[0]}")
    roles = dict(query("z.db", "SELECT c.role, a.path FROM cell_artifact c JOIN artifact a ON a.id = "
                               "c.artifact_id"))
    for role in ("model", "tokenizer"):
        true(roles[role].startswith(installed().root), f"{role} was {roles[role]}")


main(globals())
