"""What the tests of events on their way out share: a real broker that is killed, frozen and started again at the same
port, and somebody who listens to it."""
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import harness

PATIENCE = 60  # seconds; everything that is waited for here takes far less on an idle machine


def _program(name):
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")


def missing():
    """What is not installed here, or None."""
    absent = [name for name in ("mosquitto", "mosquitto_sub") if not _program(name)]
    return f"{' and '.join(absent)} not installed" if absent else None


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def wait_until(condition, what, patience=PATIENCE):
    """Returns what the condition gives once that is true."""
    deadline = time.monotonic() + patience
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"nothing for {patience} s: {what() if callable(what) else what}")
        time.sleep(0.02)


class Broker:
    """mosquitto on the loopback interface. What it has is in memory alone: it is gone when the broker is killed."""

    def __init__(self, folder, settings="allow_anonymous true", port=None, starts=True):
        self.port = port or free_port()
        self._config = folder / f"mosquitto_{self.port}.conf"
        self._log = folder / f"mosquitto_{self.port}.log"
        self._config.write_text(f"user root\nlistener {self.port} 127.0.0.1\nmax_queued_messages 0\n{settings}\n")
        self._process = None
        if starts:
            self.start()

    def start(self):
        with self._log.open("ab") as log:
            self._process = subprocess.Popen([_program("mosquitto"), "-c", str(self._config)], stdout=log, stderr=log)
        wait_until(self._answers, lambda: f"the broker does not start: {self._log.read_text()}")

    def _answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


class Subscriber:
    """mosquitto_sub, which connects again by itself. It asks for QoS 0, so that nothing waits in the broker for it: the
    broker writes a message to it before it acknowledges the message to whoever sent it, and what is written arrives also
    when the broker is killed right after."""

    def __init__(self, port, *topics):
        command = [_program("mosquitto_sub"), "-h", "127.0.0.1", "-p", str(port), "-q", "0", "-d", "-F", "> %r %t %p"]
        for topic in topics or ("#",):
            command += ["-t", topic]
        line_by_line = ["stdbuf", "-oL"] if shutil.which("stdbuf") else []
        self._process = subprocess.Popen([*line_by_line, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         text=True, errors="replace", env={**os.environ, "LC_ALL": "C"})
        self._lock = threading.Lock()
        self._messages = []  # (topic, payload, retained)
        self._subscriptions = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        self.wait_for_subscription(1)

    def _read(self):
        for line in self._process.stdout:
            with self._lock:
                if line.startswith("> "):
                    _, retained, topic, payload = line.rstrip("\n").split(" ", 3)
                    self._messages.append((topic, payload, retained == "1"))
                elif line.startswith("Subscribed"):
                    self._subscriptions += 1

    def wait_for_subscription(self, number):
        """Until it has subscribed for the number-th time."""
        wait_until(lambda: self._subscriptions >= number, f"subscription {number}")

    def on(self, topic):
        with self._lock:
            return [payload for where, payload, _ in self._messages if where == topic]

    def events(self):
        return [json.loads(payload) for payload in self.on("deepedge/events")]

    def count(self, topic="deepedge/events"):
        with self._lock:
            return sum(where == topic for where, _, _ in self._messages)

    def close(self):
        self._process.kill()
        self._process.wait()
        self._thread.join()
        self._process.stdout.close()


def deliver_the_rest(test, config):
    """What waits when a run ends is delivered in the next ones, whose streams are slow, until nothing waits. However fast
    that goes on this machine, it has to get on."""
    quiet = config.with_name(f"{config.stem}_rest.yaml")
    quiet.write_text(config.read_text().replace("speed: 8", "speed: 0.05"))
    before = None
    idle = 0
    while True:
        outcome = harness.run("run", quiet, "--duration", "2s" if before is None else "8s", "--json")
        test.assertEqual(outcome.code, 0, outcome.err)
        courier = next(sink for sink in outcome.summary()["sinks"] if sink["name"] == "mqtt")
        test.assertEqual((courier["lost"], courier["refused"]), (0, 0), courier)
        if courier["waiting"] == 0:
            return
        idle = idle + 1 if before is not None and courier["waiting"] >= before else 0
        test.assertLess(idle, 3, f"events still wait: {courier}")
        before = courier["waiting"]
