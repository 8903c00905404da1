"""A loopback server that behaves as GitHub does, and misbehaves when told to.

    with FakeHub() as hub:
        hub.put("o/r/main/net.onnx", data)             # a file of a repository
        hub.environment()                              # makes the program ask here instead of at GitHub
        hub.faults["/storage/raw/o/r/main/net.onnx"] = [cut_after(1000)]   # the first request only

/raw/OWNER/REPO/REF/PATH sends on to /storage/raw/…, as do /hub/OWNER/REPO/raw/… (large files) and
/hub/OWNER/REPO/releases/…; the storage serves ranges and entity tags.
"""
import gzip
import hashlib
import socket
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        path = urllib.parse.unquote(self.path.split("?")[0])
        with self.server.hub.lock:
            self.server.hub.requests.append((path, dict(self.headers)))
            waiting = self.server.hub.faults.get(path, [])
            fault = waiting[0] if waiting else None
            if waiting and not getattr(fault, "stays", False):
                waiting.pop(0)
        if fault is not None:
            self.close_connection = True
            return fault(self, path)
        for prefix in ("/raw/", "/hub/"):
            if path.startswith(prefix) and "/storage" + path in self.server.hub.files:
                return self.redirect(self.server.hub.url + "/storage" + urllib.parse.quote(path))
        if path in self.server.hub.files:
            return self.serve(path)
        return self.answer(404, b"404: Not Found")

    def data(self, path):
        return self.server.hub.files.get(path, b"")

    def redirect(self, to, status=302):
        self.send_response(status)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def serve(self, path):
        data = self.data(path)
        tag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        start = self.start_of_range(len(data), tag)
        if start is None:
            return self.answer(416, b"", Content_Range=f"bytes */{len(data)}")
        headers = {"ETag": tag, "Accept-Ranges": "bytes"}
        if start > 0:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        return self.answer(206 if start > 0 else 200, data[start:], **headers)

    def start_of_range(self, size, tag):
        asked = self.headers.get("Range", "")
        if not asked.startswith("bytes=") or self.headers.get("If-Range", tag) != tag:
            return 0
        start = int(asked[6:].split("-")[0])
        return start if start < size else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass  # a client that went away is what some tests are about


class FakeHub:
    def __init__(self):
        self.files, self.faults, self.requests, self.lock = {}, {}, [], threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.hub = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def put(self, path, data, kind="raw"):
        """`path`: OWNER/REPO/REF/… of a file, or OWNER/REPO/releases/… of an attached one (kind "hub")."""
        self.files[f"/storage/{kind}/{path}"] = data
        return f"/storage/{kind}/{path}"

    def put_plain(self, path, data):
        self.files["/" + path] = data
        return f"{self.url}/{path}"

    def environment(self):
        return {"DEEPEDGE_GITHUB_RAW": self.url + "/raw", "DEEPEDGE_GITHUB": self.url + "/hub"}

    def asked(self, path):
        return [headers for asked, headers in self.requests if asked == path]


def always(fault):
    def stays(handler, path):
        return fault(handler, path)
    stays.stays = True
    return stays


def status(code, **headers):
    return lambda handler, path: handler.answer(code, b"{}", **headers)


def redirect_to(address):
    return lambda handler, path: handler.redirect(address)


def cut_after(count):
    """Tells the whole length, sends so many bytes of what was asked for, and breaks the connection."""
    def fault(handler, path):
        data = handler.data(path)
        tag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        start = handler.start_of_range(len(data), tag) or 0
        handler.send_response(206 if start else 200)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        handler.send_header("ETag", tag)
        handler.send_header("Content-Length", str(len(data) - start))
        handler.end_headers()
        handler.wfile.write(data[start:start + count])
        handler.wfile.flush()
        handler.connection.shutdown(socket.SHUT_RDWR)
    return fault


def piece(count, total=None):
    """Answers a request for the rest with a piece of it and says so: so many bytes, of `total` in all."""
    def fault(handler, path):
        data = handler.data(path)
        tag = '"' + hashlib.sha256(data).hexdigest()[:16] + '"'
        start = handler.start_of_range(len(data), tag) or 0
        body = data[start:start + count]
        all_bytes = len(data) if total is None else total
        handler.answer(206, body, Content_Range=f"bytes {start}-{start + len(body) - 1}/{all_bytes}", ETag=tag)
    return fault


def slow(bytes_per_second, seconds=60):
    def fault(handler, path):
        data = handler.data(path)
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        step = max(1, bytes_per_second // 10)
        try:
            for at in range(0, min(len(data), step * 10 * seconds), step):
                handler.wfile.write(data[at:at + step])
                handler.wfile.flush()
                time.sleep(0.1)
            time.sleep(max(0, seconds - len(data) / bytes_per_second))
        except OSError:
            pass
    return fault


def endless():
    def fault(handler, path):
        handler.send_response(200)
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(1 << 16))
        except OSError:
            pass
    return fault


def says_length(length):
    def fault(handler, path):
        handler.send_response(200)
        handler.send_header("Content-Length", str(length))
        handler.end_headers()
        handler.wfile.write(handler.data(path)[:length])
    return fault


def gzipped(even_if_not_asked):
    def fault(handler, path):
        if not even_if_not_asked and "gzip" not in handler.headers.get("Accept-Encoding", ""):
            return handler.serve(path)
        return handler.answer(200, gzip.compress(handler.data(path)), Content_Encoding="gzip")
    return fault
