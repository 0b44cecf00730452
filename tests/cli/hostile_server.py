# SPDX-License-Identifier: Apache-2.0
"""A server for test_fetch.py. The first part of a path says how it behaves: /honest/f, /stall/f ...

Every request is kept in `requests`. It serves BODY, or what is not BODY.
"""
import http.server
import signal
import ssl
import threading
import time

BODY = bytes(i * i % 251 for i in range(200_000))
OTHER = bytes(reversed(BODY))
HALF = len(BODY) // 2
ETAG = '"one"'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = self.path.split("://", 1)[-1].split("/", 1)[-1] if "://" in self.path else self.path[1:]
        self.server.requests.append((self.path, dict(self.headers)))
        self.close_connection = True
        try:
            getattr(self, "do_" + path.split("/")[0])()
        except (BrokenPipeError, ConnectionResetError):
            pass

    def head(self, status, *fields):
        lines = [f"HTTP/1.1 {status} X", "Connection: close", *fields]
        self.wfile.write("".join(line + "\r\n" for line in lines).encode() + b"\r\n")

    def rest(self):
        """The first byte that is asked for; 0 without a Range."""
        field = self.headers.get("Range", "bytes=0-")
        return int(field.removeprefix("bytes=").removesuffix("-"))

    def range(self, begin, body=BODY, shown=None, etag=ETAG):
        shown = begin if shown is None else shown
        self.head(206, f"Content-Length: {len(body) - begin}", f"ETag: {etag}",
                  f"Content-Range: bytes {shown}-{len(body) - 1}/{len(body)}")
        self.wfile.write(body[begin:])

    def whole(self, body=BODY, *fields):
        self.head(200, f"Content-Length: {len(body)}", *fields)
        self.wfile.write(body)

    # What a good server does.
    def do_honest(self):
        begin = self.rest()
        if begin and self.headers.get("If-Range") == ETAG:
            self.range(begin)
        else:
            self.whole(BODY, f"ETag: {ETAG}")

    def do_elsewhere(self):
        self.head(302, "Location: /honest/f", "Content-Length: 3")
        self.wfile.write(b"go!")

    def do_chunked(self):
        self.head(200, "Transfer-Encoding: chunked")
        self.wfile.write(b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))

    def do_old(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + BODY)

    def do_slow(self):
        self.head(200, f"Content-Length: {len(BODY)}", f"ETag: {ETAG}")
        for i in range(0, len(BODY), len(BODY) // 5):
            self.wfile.write(BODY[i:i + len(BODY) // 5])
            time.sleep(0.05)

    # Lies about the length.
    def do_claims_more(self):
        self.head(200, f"Content-Length: {len(BODY) + 1}")
        self.wfile.write(BODY + b"x")

    def do_claims_less(self):
        self.head(200, f"Content-Length: {len(BODY) - 1}")
        self.wfile.write(BODY)

    def do_claims_exabytes(self):
        self.head(200, "Content-Length: 9000000000000000000")
        self.wfile.write(BODY)

    def do_sends_more(self):
        self.head(200, "Transfer-Encoding: chunked")
        for _ in range(1000):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(BODY), BODY))

    # Stops early.
    def do_cut(self):
        begin = self.rest()
        if begin:
            self.do_honest()
        else:
            self.head(200, f"Content-Length: {len(BODY)}", f"ETag: {ETAG}")
            self.wfile.write(BODY[:HALF])

    def do_cut_twice(self):
        """Gives half of what is left, twice; then all of it."""
        begin = self.rest()
        if len([p for p, _ in self.server.requests if p == self.path]) > 2:
            return self.range(begin)
        if begin:
            self.head(206, f"Content-Length: {len(BODY) - begin}", f"ETag: {ETAG}",
                      f"Content-Range: bytes {begin}-{len(BODY) - 1}/{len(BODY)}")
        else:
            self.head(200, f"Content-Length: {len(BODY)}", f"ETag: {ETAG}")
        self.wfile.write(BODY[begin:begin + (len(BODY) - begin) // 2])

    def do_cut_nameless(self):
        self.head(200, f"Content-Length: {len(BODY)}", 'ETag: W/"weak"')
        self.wfile.write(BODY[:HALF])

    def do_cut_chunk(self):
        self.head(200, "Transfer-Encoding: chunked", f"ETag: {ETAG}")
        self.wfile.write(b"%x\r\n%s" % (len(BODY), BODY[:HALF]))

    def do_old_cut(self):
        self.wfile.write(b"HTTP/1.0 200 OK\r\n\r\n" + BODY[:HALF])

    def do_nothing(self):
        pass

    # Is too slow to wait for.
    def do_stall(self):
        self.head(200, f"Content-Length: {len(BODY)}", f"ETag: {ETAG}")
        self.wfile.write(BODY[:HALF])
        self.server.over.wait(30)

    def do_stall_once(self):
        if len([p for p, _ in self.server.requests if p == self.path]) > 1:
            self.do_honest()
        else:
            self.do_stall()

    def do_mute(self):
        self.server.over.wait(30)

    def do_drip_head(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        while not self.server.over.wait(0.1):
            self.wfile.write(b"X: y\r\n")

    def do_drip(self):
        self.head(200, f"Content-Length: {len(BODY)}")
        while not self.server.over.wait(0.1):
            self.wfile.write(b"x")

    # Sends something else.
    def do_wrong(self):
        self.whole(OTHER, f"ETag: {ETAG}")

    def do_status_404(self):
        self.head(404, "Content-Length: 9")
        self.wfile.write(b"not here!")

    def do_status_500(self):
        self.head(500, "Transfer-Encoding: chunked")
        self.do_sends_more()

    def do_status_204(self):
        self.head(204)

    def do_unasked_part(self):
        self.range(0)

    def do_garbage(self):
        self.wfile.write(b"\x00\xff" * 1000)

    def do_long_line(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 1_000_000 + b"\r\n")

    def do_many_lines(self):
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100_000):
            self.wfile.write(b"X: " + b"y" * 100 + b"\r\n")

    # Sends us away.
    def away(self, to):
        self.head(302, f"Location: {to}", "Content-Length: 0")

    def do_to_file(self):
        self.away("file:///etc/passwd")

    def do_to_gopher(self):
        self.away("gopher://127.0.0.1:70/x")

    def do_to_host(self):
        self.away(f"http://localhost:{self.server.server_port}/honest/f")

    def do_to_port(self):
        self.away("http://127.0.0.1:9/honest/f")

    def do_to_itself(self):
        self.away("/to_itself/f")

    def do_to_user(self):
        self.away("http://127.0.0.1:80@evil.invalid/f")

    def do_to_nowhere(self):
        self.head(302, "Content-Length: 0")

    def do_to_endless(self):
        self.head(302, "Location: /honest/f", "Transfer-Encoding: chunked")
        for _ in range(1000):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(BODY), BODY))

    # What happens between two parts: the first request is cut, those after it differ.
    def cut_then(self, then):
        if self.rest():
            then()
        elif len([p for p, _ in self.server.requests if p == self.path]) > 1:
            self.whole(BODY, 'ETag: "two"')
        else:
            self.do_cut()

    def do_then_changed_honestly(self):
        self.cut_then(lambda: self.whole(BODY, 'ETag: "two"'))

    def do_then_other_bytes(self):
        self.cut_then(lambda: self.range(self.rest(), OTHER))

    def do_then_wrong_range(self):
        self.cut_then(lambda: self.range(self.rest(), shown=self.rest() - 1))

    def do_then_416(self):
        self.cut_then(lambda: self.head(416, "Content-Length: 0"))

    def do_then_wrong_for_good(self):
        if self.rest():
            self.range(self.rest(), OTHER)
        elif len([p for p, _ in self.server.requests if p == self.path]) > 1:
            self.whole(OTHER)
        else:
            self.do_cut()


class Server:
    """Runs for as long as the block lasts. certificate: path of a PEM file with key and certificate."""

    def __init__(self, certificate=None):
        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.http.requests, self.http.over = [], threading.Event()
        self.http.handle_error = lambda *_: None  # a refused certificate is no news here
        self.requests = self.http.requests
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self.http.socket = context.wrap_socket(self.http.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.http.server_port}"

    def __enter__(self):
        signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # a client that hangs up must not end the test
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.over.set()
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()
