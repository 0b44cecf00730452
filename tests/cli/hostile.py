# SPDX-License-Identifier: Apache-2.0
"""What the hostile rows are made of: rows, mutations, and the ways a path can be no file.

It knows no kind of input and runs nothing; see hostile_*.py for the kinds and test_hostile.py for the
commands. All mutations are seeded: a row is the same in every run.
"""
import os
import random
import stat


class Row:
    """One hostile input.

    want: exit statuses that the manual allows for it. says: what the one line must hold beside the
    name of the file. env: added to the environment. user: run as another user than root.
    """

    def __init__(self, kind, reason, path, want, says="", **more):
        self.kind, self.reason, self.path, self.want, self.says = kind, reason, path, frozenset(want), says
        self.argv = more.pop("argv", None)
        self.named = more.pop("named", None)  # what the line must name instead of the path
        self.env = more.pop("env", {})
        self.stdin = more.pop("stdin", None)
        self.limit_s = more.pop("limit_s", 40)
        self.nobody = more.pop("nobody", False)
        self.options = more.pop("options", {})
        self.json_error = more.pop("json_error", False)
        assert not more, more


class Folder:
    """Where the inputs lie: numbered, so that no two rows share a file."""

    def __init__(self, path):
        self.path = path
        self.n = 0
        os.makedirs(path, exist_ok=True)

    def name(self, suffix=""):
        self.n += 1
        return os.path.join(self.path, f"h{self.n:03}{suffix}")

    def write(self, data, suffix=""):
        path = self.name(suffix)
        with open(path, "wb") as file:
            file.write(data)
        return path


def truncations(data, places):
    """(reason, bytes) for each place; a negative one counts from the end."""
    for at in places:
        cut = at if at >= 0 else len(data) + at
        yield f"cut off after {cut} of {len(data)} bytes", data[:cut]


def flips(data, seed, count, begin=0, end=None):
    """(reason, bytes) with one bit turned over, at seeded places of data[begin:end]."""
    rng = random.Random(seed)
    end = len(data) if end is None else end
    for _ in range(count):
        at, bit = rng.randrange(begin, end), rng.randrange(8)
        changed = bytearray(data)
        changed[at] ^= 1 << bit
        yield f"bit {bit} of byte {at} turned over", bytes(changed)


def replaced(data, old, new):
    """data with the first `old` replaced; the row would test nothing if it were not there."""
    assert old in data, old
    return data.replace(old, new, 1)


def unreadable(path):
    os.chmod(path, 0)
    return path


def make_loop(folder, suffix=""):
    a, b = folder.name(suffix), folder.name(suffix)
    os.symlink(b, a)
    os.symlink(a, b)
    return a


def make_fifo(folder, suffix=""):
    path = folder.name(suffix)
    os.mkfifo(path)
    return path


def make_folder(folder, suffix=""):
    path = folder.name(suffix)
    os.mkdir(path)
    return path


def make_sparse(folder, n_bytes, suffix=""):
    path = folder.write(b"", suffix)
    os.truncate(path, n_bytes)
    return path


def link_to(folder, target, suffix=""):
    path = folder.name(suffix)
    os.symlink(target, path)
    return path


def no_files(folder, data, suffix=""):
    """(reason, path, nobody) of everything a name can stand for that is no readable file."""
    yield "a folder", make_folder(folder, suffix), False
    yield "a named pipe that nobody writes to", make_fifo(folder, suffix), False
    yield "there is no such file", folder.name(suffix), False
    yield "a file that may not be read", unreadable(folder.write(data, suffix)), True
    yield "a loop of symbolic links", make_loop(folder, suffix), False
    yield "a link to nowhere", link_to(folder, folder.path + "/nowhere", suffix), False
    yield "a link to /dev/zero, which never ends", link_to(folder, "/dev/zero", suffix), False
    yield "a link to /dev/null", link_to(folder, "/dev/null", suffix), False
    yield "a file in a file", folder.write(data, suffix) + "/" + "x" + suffix, False


def is_char_device(path):
    return stat.S_ISCHR(os.stat(path).st_mode)
