# SPDX-License-Identifier: Apache-2.0
"""What the checks share: which files there are, and how a check reports. It knows no check."""
import os
import shutil
import subprocess
import sys

SCRIPTS = os.path.dirname(os.path.abspath(__file__))


class Check:
    """One run of one check over one checkout."""

    def __init__(self, name):
        if len(sys.argv) > 2:
            sys.exit(f"usage: check-{name} [CHECKOUT]")
        self.name = name
        self.root = os.path.abspath(sys.argv[1] if len(sys.argv) == 2 else os.path.dirname(SCRIPTS))
        self.findings = []
        self._files = self._list_files()

    def _list_files(self):
        # The checkout may belong to another user than the one who checks.
        command = ["git", "-c", f"safe.directory={self.root}", "-C", self.root, "ls-files", "-z",
                   "--cached", "--others", "--exclude-standard"]
        listing = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if listing.returncode != 0:
            sys.exit(f"check-{self.name}: {self.root} is not a git checkout")
        names = sorted(set(os.fsdecode(listing.stdout).split("\0")) - {""})
        return [name for name in names if os.path.isfile(os.path.join(self.root, name))]

    def files(self, *suffixes, under=()):
        """Paths, relative to the checkout, of what is tracked or could be. Ignored files are not."""
        return [name for name in self._files
                if (not suffixes or name.endswith(suffixes)) and (not under or name.startswith(under))]

    def exists(self, name):
        return os.path.isfile(os.path.join(self.root, name))

    def read(self, name):
        with open(os.path.join(self.root, name), "rb") as file:
            return file.read().decode("utf-8", errors="replace")

    def find(self, where, what):
        self.findings.append(f"{where}: {what}")

    def need(self, things, what):
        """A check that looked at nothing has not passed."""
        if not things:
            self.find(self.root, f"no {what} found, nothing was checked")
        return things

    def tool(self, name):
        """The path of a program, which is missing only if scripts/install-deps dev was not run."""
        path = shutil.which(name)
        if not path:
            sys.exit(f"check-{self.name}: {name} is not installed; run: scripts/install-deps dev")
        return path

    def run(self, command, **options):
        return subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, errors="replace", check=False, **options)

    def end(self):
        """Prints the outcome; the value is the exit status."""
        for finding in self.findings:
            print(f"{self.name}: {finding}")
        if not self.findings:
            print(f"ok {self.name}")
        return 1 if self.findings else 0
