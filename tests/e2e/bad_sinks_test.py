"""Brokers, web servers and disks that do not do what they should: clear messages, bounded memory, streams unaffected."""
import http.server
import json
import os
import resource
import signal
import subprocess
import threading
import unittest
import unittest.mock

import broker
import harness
import live
import scene

FRAMES = 500
SECRET = "kein-Wort-davon"

CONFIGURATION = """
models: {{ m: {{ source: scene }} }}
streams:
  gate: {{ source: gate.mp4, {play}tasks: [ {{ model: m }} ] }}
  barn: {{ source: barn.mp4, {play}tasks: [ {{ model: m }} ] }}
events: {{ file: {name}.ndjson, {events} }}
state_dir: {name}_state
"""
AS_FAST_AS_IT_CAN = ("--pace", "fast")
FLOWING = "speed: 8, loop: true, "


class WebServer:
    """Takes events. `answers` are given one after the other, then 200; `delay_s` before each."""

    def __init__(self, port=0, answers=(), delay_s=0):
        self.got = []  # (status answered, id of the header, event)
        self.headers = []
        answers = list(answers)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer._stop.wait(delay_s)
                status = answers.pop(0) if answers else 200
                outer.headers.append(dict(self.headers))
                outer.got.append((status, self.headers["X-DeepEdge-Event-Id"], json.loads(body)))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._stop = threading.Event()
        self._connections = []
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._server.daemon_threads = True
        accept = self._server.get_request

        def get_request():
            connection, address = accept()
            self._connections.append(connection)
            return connection, address

        self._server.get_request = get_request
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def taken(self):
        return [event for status, _, event in list(self.got) if status == 200]

    def vanish(self):
        """Port closed, connections broken."""
        self._stop.set()
        self._server.shutdown()
        self._server.socket.close()
        for connection in self._connections:
            try:
                connection.shutdown(2)
            except OSError:
                pass
        self._thread.join()


class SinkTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scene.write_model(cls.folder / "scene")
        scene.write_video(cls.folder / "gate.mp4", seed=1, frames=FRAMES)
        scene.write_video(cls.folder / "barn.mp4", seed=2, frames=FRAMES)

    def configure(self, name, events, play=""):
        config = self.folder / f"{name}.yaml"
        config.write_text(CONFIGURATION.format(name=name, events=events, play=play))
        return config

    def start(self, config):
        process = harness.start("run", config, "--json")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        return harness.finish(process)

    def written(self, name):
        file = self.folder / f"{name}.ndjson"
        return file.read_bytes().count(b"\n") if file.exists() else 0

    def wait_for_lines(self, name, more, process):
        before = self.written(name)
        broker.wait_until(lambda: process.poll() is not None or self.written(name) >= before + more,
                          f"{more} lines in {name}.ndjson")
        self.assertIsNone(process.poll(), "the program has ended")

    def ids_in_file(self, name):
        return {json.loads(line)["id"] for line in (self.folder / f"{name}.ndjson").read_text().splitlines()}

    def courier(self, outcome, name):
        return next(sink for sink in outcome.summary()["sinks"] if sink["name"] == name)

    def assert_streams_unaffected(self, outcome):
        """Every frame at full speed, and every event in the file."""
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertEqual({task["done"] for task in summary["tasks"]}, {FRAMES})
        file = next(sink for sink in summary["sinks"] if sink["name"].endswith(".ndjson"))
        self.assertEqual(file["lost"], 0)
        self.assertEqual(file["delivered"], file["accepted"])


@unittest.skipIf(broker.missing() or not scene.have_ffmpeg(), broker.missing() or "ffmpeg is not there to make clips")
class BadBrokerTest(SinkTest):
    def mqtt(self, port, more=""):
        return f'mqtt: {{ broker: "tcp://127.0.0.1:{port}"{more} }}'

    def test_a_broker_that_is_not_there(self):
        dead = broker.Broker(self.folder, starts=False)
        self.addCleanup(dead.kill)
        without = harness.run("run", self.configure("without", "outbox: {}"), *AS_FAST_AS_IT_CAN, "--json")
        self.assertEqual(without.code, 0, without.err)
        config = self.configure("dead", self.mqtt(dead.port))
        outcome = harness.run("run", config, *AS_FAST_AS_IT_CAN, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_streams_unaffected(outcome)
        self.assertIn(f"broker 127.0.0.1:{dead.port}: Connection refused", outcome.err)
        self.assertLess(len(outcome.err.splitlines()), 8, outcome.err)
        courier = self.courier(outcome, "mqtt")
        accepted = outcome.summary()["events"]["accepted"]
        self.assertEqual((courier["delivered"], courier["lost"], courier["waiting"]), (0, 0, accepted))
        more = outcome.summary()["process"]["peak_memory_mb"] - without.summary()["process"]["peak_memory_mb"]
        self.assertLess(more, 64, "memory for events that wait on disk")

        missed = self.ids_in_file("dead")
        dead.start()
        subscriber = broker.Subscriber(dead.port, "deepedge/events")
        self.addCleanup(subscriber.close)
        process = self.start(self.configure("dead", self.mqtt(dead.port), play=FLOWING))
        broker.wait_until(lambda: missed <= {event["id"] for event in subscriber.events()}, "what it missed")
        self.assertEqual(self.interrupt(process).code, 0)

    def test_a_wrong_password(self):
        refusing = broker.Broker(self.folder, "allow_anonymous false")
        self.addCleanup(refusing.kill)
        login = ", user: edge, password: '${EDGE_PASSWORD}'"
        config = self.configure("login", self.mqtt(refusing.port, login), play=FLOWING)
        environment = {**os.environ, "EDGE_PASSWORD": SECRET}
        with unittest.mock.patch.dict(os.environ, environment), live.LiveRun(config) as run:
            broker.wait_until(lambda: "events wait" in run.err, "the message")
            run.wait("result", stream="gate", after=run.mark(), count=50)
            run.interrupt()
        self.assertEqual(run.process.returncode, 0, run.err)
        self.assert_counts_add_up(run.summary())
        self.assertIn(f"broker 127.0.0.1:{refusing.port}: refuses the login of user 'edge'", run.err)
        courier = next(sink for sink in run.summary()["sinks"] if sink["name"] == "mqtt")
        self.assertIn("wrong user name or password", courier["last_error"])
        self.assertEqual(courier["lost"], 0)
        checked = harness.run("check", config, "--json", env=environment)
        self.assertEqual(checked.code, 0, checked.err)
        shown = harness.run("events", "--config", config, "--limit", 1000000, "--json", env=environment)
        for said in json.dumps(run.events) + run.err, checked.out + checked.err, shown.out + shown.err:
            self.assertNotIn(SECRET, said)
        for file in (self.folder / "login_state").iterdir():
            self.assertNotIn(SECRET.encode(), file.read_bytes(), file)

    def test_a_frozen_broker(self):
        frozen = broker.Broker(self.folder)
        self.addCleanup(frozen.kill)
        self.addCleanup(frozen.thaw)
        subscriber = broker.Subscriber(frozen.port, "deepedge/events")
        self.addCleanup(subscriber.close)
        process = self.start(self.configure("frozen", self.mqtt(frozen.port), play=FLOWING))
        self.wait_for_lines("frozen", 300, process)
        frozen.freeze()
        self.wait_for_lines("frozen", 2000, process)
        frozen.thaw()
        missed = self.ids_in_file("frozen")
        broker.wait_until(lambda: missed <= {event["id"] for event in subscriber.events()}, "what it missed")
        self.assertIsNone(process.poll())

        frozen.freeze()
        self.wait_for_lines("frozen", 100, process)
        outcome = self.interrupt(process)  # ends although nobody answers
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        self.assertEqual(self.courier(outcome, "mqtt")["lost"], 0)

        left = self.ids_in_file("frozen")
        with live.LiveRun(self.configure("frozen", self.mqtt(frozen.port), play=FLOWING)) as run:
            # After the time that connecting may take.
            broker.wait_until(lambda: f"broker 127.0.0.1:{frozen.port}: does not answer" in run.err, "the message")
            frozen.thaw()
            broker.wait_until(lambda: left <= {event["id"] for event in subscriber.events()}, "what was left")
            run.interrupt()
        self.assertEqual(run.process.returncode, 0, run.err)


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class BadServerTest(SinkTest):
    def webhook(self, port, types="track_ended"):
        return (f'webhook: {{ url: "http://edge:{SECRET}@127.0.0.1:{port}/hook/{SECRET}", types: [{types}], '
                f"headers: {{ X-Token: {SECRET} }} }}")

    def ended(self, name, stream=None):
        events = harness.lines((self.folder / f"{name}.ndjson").read_text())
        return [event["id"] for event in events if event["type"] == "track_ended" and stream in (None, event["stream"])]

    def assert_no_secret(self, outcome):
        self.assertNotIn(SECRET, outcome.out + outcome.err)

    def test_a_server_in_trouble(self):
        server = WebServer(answers=[500, 500])
        self.addCleanup(server.vanish)
        process = self.start(self.configure("trouble", self.webhook(server.port), play=FLOWING))
        broker.wait_until(lambda: len(server.taken()) >= 50, "events taken")
        outcome = self.interrupt(process)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("500", outcome.err)
        self.assertIn(f"http://127.0.0.1:{server.port}", outcome.err)
        self.assert_no_secret(outcome)
        self.assertEqual(self.courier(outcome, "webhook")["lost"], 0)
        self.assertEqual([status for status, _, _ in server.got[:3]], [500, 500, 200])
        self.assertEqual(len({id_ for _, id_, _ in server.got[:3]}), 1, "the same event comes again")
        for _, id_, event in server.got:
            self.assertEqual(event["id"], id_)
        for stream in "gate", "barn":
            taken = list(dict.fromkeys(event["id"] for event in server.taken() if event["stream"] == stream))
            self.assertEqual(taken, self.ended("trouble", stream)[:len(taken)], "in order, none left out")
        self.assertEqual(server.headers[0]["X-Token"], SECRET)

    def test_a_slow_server(self):
        server = WebServer(delay_s=0.2)
        self.addCleanup(server.vanish)
        outcome = harness.run("run", self.configure("slow", self.webhook(server.port)), *AS_FAST_AS_IT_CAN, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_streams_unaffected(outcome)
        courier = self.courier(outcome, "webhook")
        self.assertEqual(courier["lost"], 0)
        self.assertGreater(courier["waiting"], 0, "it waits for nobody at the end")
        self.assertEqual(courier["waiting"] + courier["delivered"], len(self.ended("slow")))

    def test_a_server_that_vanishes(self):
        server = WebServer()
        process = self.start(self.configure("gone", self.webhook(server.port), play=FLOWING))
        broker.wait_until(lambda: len(server.taken()) >= 50, "events taken")
        server.vanish()
        self.wait_for_lines("gone", 1000, process)
        again = WebServer(port=server.port)
        self.addCleanup(again.vanish)
        missed = self.ended("gone")
        got = lambda: {event["id"] for event in server.taken() + again.taken()}
        broker.wait_until(lambda: set(missed) <= got(), lambda: f"{len(set(missed) - got())} that it missed")
        outcome = self.interrupt(process)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("delivers again", outcome.err)
        self.assert_no_secret(outcome)
        self.assertEqual(self.courier(outcome, "webhook")["lost"], 0)


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class BadStateFolderTest(SinkTest):
    def in_folder(self, name, state):
        config = self.configure(name, "outbox: {}")
        config.write_text(config.read_text().replace(f"{name}_state", str(state)))
        return config

    def assert_full(self, outcome):
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assertIn("events.db: ", outcome.err)
        self.assertIn("could not be kept", outcome.err)
        self.assertLess(len(outcome.err.splitlines()), 8, outcome.err)
        self.assert_streams_unaffected(outcome)
        outbox = next(sink for sink in outcome.summary()["sinks"] if sink["name"] == "outbox")
        self.assertGreater(outbox["lost"], 0)
        self.assertEqual(outbox["accepted"], outbox["delivered"] + outbox["lost"])

    def test_a_full_disk(self):
        folder = self.folder / "small"
        folder.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], capture_output=True,
                                 check=False)
        if mounted.returncode != 0:
            self.skipTest("a small file system cannot be mounted here")
        self.addCleanup(subprocess.run, ["umount", folder], check=False)
        config = self.in_folder("full", folder)
        outcome = harness.run("run", config, *AS_FAST_AS_IT_CAN, "--json")
        self.assert_full(outcome)
        self.assertIn("the disk is full", outcome.err)
        self.assert_whole(config, outcome)

    def test_a_file_that_may_not_grow(self):
        limit = 300_000

        def small():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        config = self.configure("limit", "outbox: {}")
        config.write_text(config.read_text().replace("file: limit.ndjson, ", ""))
        outcome = harness.run("run", config, *AS_FAST_AS_IT_CAN, "--json", preexec_fn=small)
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assertIn("could not be kept", outcome.err)
        self.assertEqual({task["done"] for task in outcome.summary()["tasks"]}, {FRAMES})
        self.assert_whole(config, outcome)

    def assert_whole(self, config, outcome):
        """What was kept can be read, to the last event."""
        shown = harness.run("events", "--config", config, "--limit", 1000000, "--json")
        self.assertEqual(shown.code, 0, shown.err)
        outbox = next(sink for sink in outcome.summary()["sinks"] if sink["name"] == "outbox")
        self.assertEqual(len(harness.lines(shown.out)), outbox["delivered"])

    def test_a_folder_that_cannot_be(self):
        (self.folder / "plain").write_text("no folder")
        for state in "plain", "plain/below", "/proc/deepedge/below":
            with self.subTest(state):
                outcome = harness.run("run", self.in_folder("nowhere", state), *AS_FAST_AS_IT_CAN, "--json")
                self.assertEqual(outcome.code, 2, outcome.err)
                self.assertIn("state_dir", outcome.err)
                self.assertIn(state, outcome.err)
                self.assertEqual(outcome.out, "", "nothing has been started")

    def test_a_folder_that_may_not_be_written(self):
        folder = self.folder / "locked"
        folder.mkdir(mode=0o555)
        before = []
        if os.geteuid() == 0:  # root may write everywhere, as long as it has its capabilities
            before = ["setpriv", "--bounding-set", "-all", "--inh-caps", "-all"]
            if subprocess.run([*before, "true"], capture_output=True, check=False).returncode != 0:
                self.skipTest("root without its capabilities cannot be had here")
        config = self.in_folder("locked", folder)
        config.write_text(config.read_text().replace("file: locked.ndjson, ", ""))
        done = subprocess.run([*before, harness.deepedge(), "run", config], capture_output=True, text=True, timeout=120,
                              check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn(str(folder), done.stderr)
        self.assertIn("Permission denied", done.stderr)

    def test_a_second_program_on_the_same_folder(self):
        config = self.configure("shared", "outbox: {}", play=FLOWING)
        first = self.start(config)
        self.wait_for_lines("shared", 100, first)
        other = self.configure("other", "outbox: {}")
        other.write_text(other.read_text().replace("other_state", "shared_state"))
        second = harness.run("run", other, *AS_FAST_AS_IT_CAN, "--json")
        self.assertEqual(second.code, 1, second.err)
        self.assertIn(f"process {first.pid} uses it", second.err)
        self.assertIn("events.db", second.err)
        self.assertEqual(second.out, "")
        self.wait_for_lines("shared", 100, first)
        outcome = self.interrupt(first)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.summary()["events"]["lost"], 0)


if __name__ == "__main__":
    harness.main()
