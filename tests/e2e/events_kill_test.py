"""kill -9 in the middle: what was kept is not lost, what was not acknowledged comes again with the same ids, and the next
start works at once."""
import json
import time
import unittest

import broker
import harness
import live
import scene

KILLS = 4
EVENTS = 300  # at least, that arrive before each kill

CONFIGURATION = """
models: {{ m: {{ source: scene }} }}
streams:
  gate: {{ source: gate.mp4, speed: 8, loop: true, tasks: [ {{ model: m }} ] }}
  barn: {{ source: barn.mp4, speed: 8, loop: true, tasks: [ {{ model: m }} ] }}
events:
  file: {name}.ndjson
  mqtt: {{ broker: "tcp://127.0.0.1:{port}", topic: {name} }}
state_dir: {name}_state
"""


def whole_lines(path):
    """The events of the lines that are complete; of what follows the last line's end, a half line, nothing."""
    return [json.loads(line) for line in path.read_bytes().split(b"\n")[:-1]]


@unittest.skipIf(broker.missing() or not scene.have_ffmpeg(), broker.missing() or "ffmpeg is not there to make clips")
class EventsKillTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        scene.write_model(cls.folder / "scene")
        scene.write_video(cls.folder / "gate.mp4", seed=1, frames=500)
        scene.write_video(cls.folder / "barn.mp4", seed=2, frames=500)
        cls.broker = broker.Broker(cls.folder)
        cls.addClassCleanup(cls.broker.kill)
        cls.subscriber = broker.Subscriber(cls.broker.port)
        cls.addClassCleanup(cls.subscriber.close)
        cls.proxy = live.Proxy(cls.broker.port)
        cls.addClassCleanup(cls.proxy.kill)

    def configure(self, name, port):
        config = self.folder / f"{name}.yaml"
        config.write_text(CONFIGURATION.format(name=name, port=port))
        return config

    def start(self, config):
        process = harness.start("run", config, "--json")
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def kill(self, process):
        self.assertIsNone(process.poll(), "it has ended by itself")
        process.kill()
        out, err = process.communicate()
        self.assertEqual(out, "", "no summary: it had no time for anything")
        return err

    def in_outbox(self, config):
        outcome = harness.run("events", "--config", config, "--json", "--limit", 1000000)
        self.assertEqual(outcome.code, 0, outcome.err)
        return harness.lines(outcome.out)

    def arrived(self, name):
        return [json.loads(text) for text in self.subscriber.on(f"{name}/events")]

    def wait_for_arrivals(self, name, process, more=EVENTS):
        count = lambda: self.subscriber.count(f"{name}/events")
        before = count()
        broker.wait_until(lambda: process.poll() is not None or count() >= before + more, f"{more} events of {name}")

    def test_killed_while_events_flow(self):
        config = self.configure("flow", self.broker.port)
        file = self.folder / "flow.ndjson"
        for kill in range(KILLS):
            process = self.start(config)
            self.wait_for_arrivals("flow", process)
            err = self.kill(process)
            for word in "damaged", "lost", "uses it":
                self.assertNotIn(word, err)
            broker.wait_until(lambda: self.subscriber.on("flow/available").count("offline") == kill + 1, "the last will")
            kept = {event["id"] for event in self.in_outbox(config)}
            acknowledged = {event["id"] for event in self.arrived("flow")}
            self.assertEqual(acknowledged - kept, set(), "nobody has heard of what is not kept")
            whole_lines(file)
        broker.deliver_the_rest(self, config)

        kept = self.in_outbox(config)
        by_id = {event["id"]: event for event in kept}
        self.assertEqual(len(kept), len(by_id))
        broker.wait_until(lambda: {e["id"] for e in self.arrived("flow")} >= set(by_id), "all that was kept")
        arrived = self.arrived("flow")
        for event in arrived:
            self.assertEqual(event, by_id[event["id"]], "one id, one event, in all runs")

        self.assertTrue(file.read_bytes().endswith(b"\n"))
        written = {event["id"]: event for event in whole_lines(file)}
        self.assertEqual(len(written), len(whole_lines(file)))
        for id_ in written.keys() & by_id.keys():
            self.assertEqual(written[id_], by_id[id_])
        print(f"{KILLS} kills: {len(kept)} events kept, {len(arrived)} messages; in the file alone "
              f"{len(written.keys() - by_id.keys())}, in the outbox alone {len(by_id.keys() - written.keys())}")
        self.assertGreater(len(written.keys() & by_id.keys()), KILLS * EVENTS // 2)

    def test_what_was_not_acknowledged_comes_again(self):
        config = self.configure("again", self.proxy.port)
        process = self.start(config)
        self.wait_for_arrivals("again", process)
        self.proxy.tell("drop 1000000000")  # of the broker's bytes: events arrive, their acknowledgements do not
        file = self.folder / "again.ndjson"
        lines = lambda: file.read_bytes().count(b"\n")
        count = -1
        while count != self.subscriber.count("again/events"):  # until no more is sent, although there is more
            count = self.subscriber.count("again/events")
            enough = lines() + EVENTS
            broker.wait_until(lambda: lines() >= enough, "events in the file")
            time.sleep(1)
        unacknowledged = self.arrived("again")[-1]  # those before it may be of the same delivery, and acknowledged
        self.kill(process)
        self.proxy.tell("cut")
        self.proxy.tell("drop 0")
        kept = {event["id"] for event in self.in_outbox(config)}
        process = self.start(config)
        broker.wait_until(lambda: self.arrived("again").count(unacknowledged) >= 2, f"again: {unacknowledged}")
        broker.wait_until(lambda: kept <= {event["id"] for event in self.arrived("again")}, "all that was kept")
        self.kill(process)

    def test_killed_before_there_ever_was_a_broker(self):
        """The first run of all, killed with everything still to be delivered."""
        self.proxy.tell("refuse")
        config = self.configure("never", self.proxy.port)
        file = self.folder / "never.ndjson"
        process = self.start(config)
        broker.wait_until(lambda: process.poll() is not None or
                          (file.exists() and file.read_bytes().count(b"\n") >= EVENTS), "events in the file")
        err = self.kill(process)
        self.assertIn(f"broker 127.0.0.1:{self.proxy.port}", err)
        kept = {event["id"] for event in self.in_outbox(config)}
        self.assertGreater(len(kept), EVENTS // 2)
        self.assertEqual(self.arrived("never"), [])
        self.proxy.tell("accept")
        process = self.start(config)
        broker.wait_until(lambda: kept <= {event["id"] for event in self.arrived("never")}, "all that was kept")
        self.kill(process)

    def test_the_end_of_a_half_written_line(self):
        """What a kill may leave of the last line is cut off, and the lines before stay."""
        config = self.configure("half", self.broker.port)
        file = self.folder / "half.ndjson"
        process = self.start(config)
        self.wait_for_arrivals("half", process)
        self.kill(process)
        before = whole_lines(file)
        with file.open("ab") as out:
            out.write(b'{"type":"result","stream":"ga')
        outcome = harness.run("run", config, "--duration", "1s", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertTrue(file.read_bytes().endswith(b"\n"))
        after = whole_lines(file)
        self.assertEqual(after[:len(before)], before)
        self.assertGreater(len(after), len(before))


if __name__ == "__main__":
    harness.main()
