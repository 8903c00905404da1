"""`deepedge events` beside a program that runs: what is there, what comes, and what was asked for only."""
import json
import signal
import subprocess
import threading
import time
import unittest

import broker
import harness
import scene

CONFIGURATION = """
models: { m: { source: scene } }
streams:
  gate: { source: gate.mp4, loop: true, tasks: [ { model: m } ] }
  barn: { source: barn.mp4, loop: true, tasks: [ { model: m } ] }
events: { file: NAME.ndjson, outbox: {} }
state_dir: NAME_state
"""


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class EventsCommandTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scene.write_model(cls.folder / "scene")
        scene.write_video(cls.folder / "gate.mp4", seed=1, frames=100)
        scene.write_video(cls.folder / "barn.mp4", seed=2, frames=100)

    def setUp(self):
        name = self.id().rsplit(".", 1)[-1]
        self.config = self.folder / f"{name}.yaml"
        self.config.write_text(CONFIGURATION.replace("NAME", name))
        self.out = self.folder / f"{name}.ndjson"
        self.state = self.folder / f"{name}_state"

    def start_run(self):
        process = harness.start("run", self.config, "--json")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def interrupt(self, process):
        process.send_signal(signal.SIGINT)
        outcome = harness.finish(process)
        self.assertEqual(outcome.code, 0, outcome.err)
        return outcome

    def written(self):
        return [json.loads(line) for line in self.out.read_bytes().split(b"\n")[:-1]] if self.out.exists() else []

    def wait_for_lines(self, more):
        before = len(self.written())
        broker.wait_until(lambda: len(self.written()) >= before + more, f"{more} events in the file")

    def shown(self, *options):
        outcome = harness.run("events", "--config", self.config, "--json", *options)
        self.assertEqual(outcome.code, 0, outcome.err)
        return harness.lines(outcome.out)

    def test_follow_shows_what_comes(self):
        self.assertFalse(self.state.exists())
        follower = harness.start("events", "--config", self.config, "--follow", "--json")  # waits for the file
        self.addCleanup(follower.communicate)
        self.addCleanup(follower.kill)
        followed = []
        reader = threading.Thread(target=lambda: followed.extend(map(json.loads, follower.stdout)), daemon=True)
        reader.start()
        process = self.start_run()
        self.wait_for_lines(200)
        early = {event["id"] for event in self.written()}
        self.assertTrue((self.state / "events.db").exists())
        broker.wait_until(lambda: early <= {event["id"] for event in list(followed)}, "what has come while it runs")
        self.assertIsNone(process.poll())
        summary = self.interrupt(process).summary()
        self.assertEqual(summary["events"]["lost"], 0, "nobody is held up by a reader")
        everything = {event["id"]: event for event in self.written()}
        broker.wait_until(lambda: len(followed) >= len(everything), "the last events")
        follower.send_signal(signal.SIGINT)
        self.assertEqual(follower.wait(timeout=broker.PATIENCE), 0)
        reader.join()
        self.assertEqual(len(followed), len(everything), "each once")
        self.assertEqual({event["id"]: event for event in followed}, everything, "the same objects")

    def test_what_was_asked_for(self):
        process = self.start_run()
        self.wait_for_lines(200)
        started = self.shown("--type", "track_started", "--limit", 1000000)
        self.interrupt(process)
        self.assertTrue(started)
        self.assertEqual({event["type"] for event in started}, {"track_started"})

        everything = self.shown("--since", "1h")
        self.assertLessEqual({event["id"] for event in self.written()}, {event["id"] for event in everything})
        self.assertEqual(len(self.shown()), 100)
        self.assertEqual(self.shown(), everything[-100:])
        self.assertEqual(self.shown("--limit", 3), everything[-3:])
        self.assertEqual(self.shown("--stream", "gate", "--since", "1h"),
                         [event for event in everything if event["stream"] == "gate"])
        some = self.shown("--type", "stream_up", "--type", "counts", "--since", "1h")
        self.assertEqual(some, [event for event in everything if event["type"] in ("stream_up", "counts")])
        for event in self.shown("--label", "red", "--type", "track_started", "--since", "1h"):
            self.assertEqual(event["label"], "red")

        time.sleep(2)
        between = int(time.time())
        self.interrupt_after(50)
        late = self.shown("--since", between)
        self.assertGreaterEqual(len(late), 50)
        self.assertEqual(self.shown("--until", between), everything)
        self.assertEqual(self.shown("--since", "1h"), everything + late)
        self.assertEqual(self.shown("--since", int(time.time()) + 3600), [])

    def test_lines_for_people(self):
        self.interrupt_after(50)
        outcome = harness.run("events", "--config", self.config, "--type", "stream_up", "--type", "track_started")
        self.assertEqual(outcome.code, 0, outcome.err)
        lines = outcome.out.splitlines()
        self.assertTrue(any("gate" in line for line in lines), lines)
        self.assertTrue(any("red" in line for line in lines), lines)
        self.assertFalse(any(line.startswith("{") for line in lines), lines)

    def interrupt_after(self, more):
        process = self.start_run()
        self.wait_for_lines(more)
        self.interrupt(process)

    def test_a_reader_that_goes_away(self):
        """As with `deepedge events | head -1`."""
        self.interrupt_after(50)
        pipe = subprocess.Popen([harness.deepedge(), "events", "--config", self.config, "--since", "1h", "--json"],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        pipe.stdout.readline()
        pipe.stdout.close()
        self.assertNotIn("terminate", pipe.stderr.read())
        self.assertIsNotNone(pipe.wait(timeout=broker.PATIENCE))
        pipe.stderr.close()

    def test_what_cannot_be_asked_for(self):
        self.interrupt_after(1)
        for options, words in {
            ("--since", "yesterday"): ["yesterday"],
            ("--type", "everything"): ["everything", "track_started"],
            ("--state-dir", "/nowhere/at/all"): ["/nowhere/at/all"],
        }.items():
            with self.subTest(options):
                outcome = harness.run("events", *options, *([] if "--state-dir" in options else ["--config", self.config]))
                self.assertEqual(outcome.code, 2, outcome.out)
                for word in words:
                    self.assertIn(word, outcome.err)


if __name__ == "__main__":
    harness.main()
