"""What the tests over real networks share: the program while it runs, cameras that come and go, and a bad network.

Nothing here depends on speed: tests wait for events, and every wait ends after PATIENCE with a message. Times that are
worth knowing are kept by `note` and printed at the end.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import harness
import scene

PATIENCE = 40  # seconds; an idle machine needs far less for anything that is waited for here
FRAME_US = 40_000  # of a scene at 25 pictures a second

_notes = {}


def note(what, seconds):
    _notes.setdefault(what, []).append(seconds)


def print_notes():
    for what, values in sorted(_notes.items()):
        print(f"measured: {what}: " + ", ".join(f"{value:.3f} s" for value in values))


def now_us():
    return time.time_ns() // 1000


class LiveRun:
    """`deepedge run`, and its events as they come; `events` grows while it runs."""

    def __init__(self, *arguments):
        self.began_us = now_us()
        self.process = harness.start("run", *arguments, "--events", "-", "--json")
        self.events = []
        self._err = []
        self._changed = threading.Condition()
        self._ended = False
        self._threads = [threading.Thread(target=self._read, daemon=True),
                         threading.Thread(target=lambda: self._err.extend(self.process.stderr), daemon=True)]
        for thread in self._threads:
            thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        if self.process.poll() is None:
            self.process.kill()
        self._join()

    def _read(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                with self._changed:
                    self.events.append(json.loads(line))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _join(self):
        for thread in self._threads:
            thread.join()
        self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()

    @property
    def err(self):
        return "".join(self._err)

    def mark(self):
        """A place in the events: what comes later is found by wait(..., after=place)."""
        with self._changed:
            return len(self.events)

    def wait(self, kind, stream=None, after=0, count=1, where=lambda event: True):
        """The count-th event of this kind after a place. Returns it."""
        deadline = time.monotonic() + PATIENCE
        with self._changed:
            while True:
                found = [e for e in self.events[after:]
                         if e["type"] == kind and (stream is None or e["stream"] == stream) and where(e)]
                if len(found) >= count:
                    return found[count - 1]
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "the program ended" if self._ended else f"nothing for {PATIENCE} s"
                    seen = [e for e in self.events if e["type"] != "result"]
                    raise AssertionError(f"waiting for {count} {kind} of {stream}: {len(found)} came, then {why}\n"
                                         f"{seen}\n{self.err}")
                self._changed.wait(left)

    def of(self, kind, stream):
        with self._changed:
            return [e for e in self.events if e["type"] == kind and e["stream"] == stream]

    def connections(self, stream):
        """The results of each connection by itself."""
        found = []
        with self._changed:
            for event in self.events:
                if event.get("stream") != stream:
                    continue
                if event["type"] == "stream_up":
                    found.append([])
                elif event["type"] == "result" and found:
                    found[-1].append(event)
        return found

    def interrupt(self):
        """SIGINT; returns how many seconds the program then took to end."""
        asked = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("does not end when interrupted") from None
        took = time.monotonic() - asked
        self._join()
        return took

    def wait_for_end(self):
        self.process.wait(timeout=PATIENCE)
        self._join()

    def summary(self):
        found = [e for e in self.events if e["type"] == "summary"]
        assert len(found) == 1, self.err
        return found[0]

    def task(self, stream):
        return next(t for t in self.summary()["tasks"] if t["stream"] == stream)

    def stream(self, name):
        return next(s for s in self.summary()["streams"] if s["name"] == name)


class NetworkTest(harness.EndToEndTest):
    def run_live(self, *arguments):
        run = LiveRun(*arguments)
        self.addCleanup(run.__exit__)
        return run

    def end(self, run, hidden=()):
        """Interrupts the program and checks what holds for every run. Returns the seconds that it took."""
        took = run.interrupt()
        self.assertEqual(run.process.returncode, 0, run.err)
        self.assertLess(took, 10, "a second on an idle machine; sanitizers and load take longer")
        summary = run.summary()
        self.assert_counts_add_up(summary)
        self.assertEqual(summary["events"]["lost"], 0)
        for task in summary["tasks"]:
            results = run.of("result", task["stream"])
            self.assertEqual(len([e for e in results if e["model"] == task["model"]]), task["done"])
        for stream in summary["streams"]:
            self.assertEqual(stream["state"], "ended")
            last = run.of("stream_down", stream["name"])[-1]
            self.assertNotIn("retry_in_us", last)
        for word in hidden:
            self.assertNotIn(word, json.dumps(run.events) + run.err)
        return took

    def assert_true_boxes(self, results, seed, cycle, by="pts", rate=25, offsets=range(25)):
        """Every result shows a frame of the scene, at the place in the scene that its time (or number) tells, counted
        from the first one. The first ones may not have been looked at: `offsets` are tried."""
        self.assertTrue(results)

        def place(event):
            return event["frame"] if by == "frame" else round(event["pts_us"] * rate / 1e6)

        first = place(results[0])
        wrong = []
        for offset in offsets:
            wrong = [event for event in results
                     if boxes_of(event) != truth(seed, (place(event) - first + offset) % cycle)]
            if not wrong:
                return
        self.fail(f"{len(wrong)} of {len(results)} results differ from the truth, the first one: {wrong[0]}")


def boxes_of(event):
    found = []
    for o in event["objects"]:
        if any(abs(v * scene.CELLS - round(v * scene.CELLS)) > 0.02 for v in o["box"]):
            return [("between the cells", *o["box"])]
        found.append((o["label"], *(round(v * scene.CELLS) / scene.CELLS for v in o["box"])))
    return sorted(found)


def truth(seed, frame):
    return sorted((label, *scene.box_of(column, row)) for label, column, row in scene.truth_of_frame(seed, frame))


class Process:
    """A fixture that says on which port it listens."""

    def __init__(self, *command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        word, _, port = self.process.stdout.readline().partition(" ")
        assert word == "port", f"{command[0]} does not start: {word}"
        self.port = int(port)
        self.back_us = now_us()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.communicate()


def rtsp_server_path():
    path = os.environ.get("RTSP_SERVER") or str(harness.REPOSITORY / "build/dev/bin/rtsp_server")
    return path if os.path.exists(path) else None


def rtsp_server(mounts, port=0, login=None):
    options = ["--login", login] if login else []
    for mount, clip in mounts.items():
        options += ["--mount", f"{mount}={clip}"]
    return Process(rtsp_server_path(), "--port", str(port), *options)


class Proxy(Process):
    def __init__(self, port):
        super().__init__(sys.executable, str(harness.REPOSITORY / "tests/tcp_proxy.py"), "--to", str(port))

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().strip()
        assert answer.startswith("ok"), answer


class SilentServer:
    """Takes connections and never says a word."""

    def __init__(self):
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]

    def close(self):
        self._socket.close()


def have_encoder(name):
    if not scene.have_ffmpeg():
        return False
    listed = subprocess.run(["ffmpeg", "-hide_banner", "-encoders"], capture_output=True, text=True, check=False).stdout
    return any(line.split()[1:2] == [name] for line in listed.splitlines())


def main():
    # Printed also when a test fails, since harness.main ends the program.
    try:
        harness.main()
    finally:
        print_notes()
