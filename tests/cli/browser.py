# SPDX-License-Identifier: Apache-2.0
"""A headless Chromium, driven through chromedriver by the WebDriver protocol, and axe-core to judge pages with.

Nothing but Python's library is needed. Both are other people's programs: what is not here is a reason to skip.
"""
import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import urllib.error
import urllib.request

from clilib import Failure, Skip, wait_until

# axe-core is under the MPL 2.0. It is fetched when a test needs it and never part of this project.
AXE = "https://registry.npmjs.org/axe-core/-/axe-core-4.10.2.tgz"
AXE_SHA256 = "9ea2d2d6917da998122bdacfd3b473e31ead53f4b87146c716a12edf89158100"
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"


def axe_source():
    """The text of axe.min.js out of the pinned package, kept in the build folder."""
    folder = os.path.join(os.environ.get("TARE_BUILD_ROOT") or tempfile.gettempdir(), "downloads")
    path = os.path.join(folder, os.path.basename(AXE))
    if not os.path.exists(path):
        try:
            with urllib.request.urlopen(AXE, timeout=20) as answer:
                data = answer.read()
        except (urllib.error.URLError, OSError) as error:
            raise Skip(f"axe-core cannot be fetched: {error}") from error
        os.makedirs(folder, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, delete=False) as file:
            file.write(data)
        os.replace(file.name, path)
    with open(path, "rb") as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != AXE_SHA256:
        os.unlink(path)
        raise Failure(f"{AXE}: sha256 {found}, not the pinned {AXE_SHA256}")
    with tarfile.open(path) as package:
        return package.extractfile("package/axe.min.js").read().decode()


class Browser:
    """One session; used with `with`."""

    def __init__(self, dark=False):
        driver = shutil.which("chromedriver")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not driver or not chromium:
            raise Skip("no chromium with chromedriver here")
        self.folder = tempfile.mkdtemp(prefix="tare-browser-")
        self.log = os.path.join(self.folder, "driver.log")
        with open(self.log, "wb") as log:
            self.driver = subprocess.Popen([driver, "--port=0"], stdout=log, stderr=subprocess.STDOUT,
                                           env={**os.environ, "HOME": self.folder})
        self.session = None
        try:
            port = wait_until(self.port, "the port of chromedriver")
            self.base = f"http://127.0.0.1:{port}"
            args = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1500,1000",
                    "--force-device-scale-factor=1", "--disable-background-networking", "--no-first-run",
                    f"--user-data-dir={self.folder}/profile"] + (["--force-dark-mode"] if dark else [])
            options = {"binary": chromium, "args": args}
            answer = self.ask("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:chromeOptions": options,
                "goog:loggingPrefs": {"browser": "ALL"}}}})
            self.session = answer["sessionId"]
        except BaseException:
            self.close()
            raise

    def port(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            found = re.search(r"started successfully on port (\d+)", file.read())
        return found and found.group(1)

    def ask(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            # No proxy stands between this and its own machine.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise Failure(f"{method} {path}: {error.read().decode()[:1000]}") from error

    def on(self, method, path, body=None):
        return self.ask(method, f"/session/{self.session}{path}", body)

    def open(self, path):
        self.on("POST", "/url", {"url": "file://" + os.path.abspath(path)})

    def run(self, script, *args):
        """The value of a script, which says what it returns."""
        return self.on("POST", "/execute/sync", {"script": script, "args": list(args)})

    def run_async(self, script, *args):
        """The value that a script hands to its last argument, a function."""
        self.on("POST", "/timeouts", {"script": 100000})
        return self.on("POST", "/execute/async", {"script": script, "args": list(args)})

    def find(self, css):
        return self.on("POST", "/element", {"using": "css selector", "value": css})[ELEMENT]

    def click(self, css):
        self.on("POST", f"/element/{self.find(css)}/click", {})

    def type(self, css, text):
        self.on("POST", f"/element/{self.find(css)}/value", {"text": text})

    def press(self, *keys):
        """Keys to whatever has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.on("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def prefer(self, scheme):
        """What the system says it likes: light or dark."""
        self.on("POST", "/goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]}})

    def script(self, enabled):
        self.on("POST", "/goog/cdp/execute", {"cmd": "Emulation.setScriptExecutionDisabled",
                                              "params": {"value": not enabled}})

    def console(self):
        """What the page and the browser complained about since the last call."""
        return [e["message"] for e in self.on("POST", "/se/log", {"type": "browser"}) if e["level"] != "DEBUG"]

    def picture(self, path):
        with open(path, "wb") as to:
            to.write(base64.b64decode(self.on("GET", "/screenshot")))

    def paper(self, path):
        """The page as it is printed, a PDF."""
        with open(path, "wb") as to:
            to.write(base64.b64decode(self.on("POST", "/print", {})))

    def violations(self, axe, rules=None):
        """What axe-core finds wrong with the page, as lines: by all of its rules or by
        these. The page's own policy lets no script in but by this way."""
        self.run(axe + "; window.axe = axe;")
        found = self.run_async("const done = arguments[1];"
                               "axe.run(document, {resultTypes: ['violations'], ...(arguments[0] ? "
                               "{runOnly: {type: 'rule', values: arguments[0]}} : {})}).then("
                               "r => done({violations: r.violations.map(v => v.id + ': ' + v.help + ' at ' + "
                               "v.nodes.slice(0, 3).map(n => n.target + ' ' + n.failureSummary).join(' | ')), "
                               "passes: r.passes.length}), e => done({error: String(e)}));", rules)
        if "error" in found or found["passes"] < (1 if rules else 10):
            raise Failure(f"axe-core did not judge the page: {found}")
        return found["violations"]

    def close(self):
        if self.session:
            try:
                self.ask("DELETE", f"/session/{self.session}")
            except (Failure, OSError):
                pass
        self.driver.terminate()
        try:
            self.driver.wait(10)
        except subprocess.TimeoutExpired:
            self.driver.kill()
            self.driver.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
