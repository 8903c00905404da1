"""A broker that dies under load: every event arrives all the same.

A real mosquitto is killed and started again while two streams make about a thousand events a second, and a proxy keeps
the program away from it until mosquitto_sub has subscribed again: what arrives there is then all that the broker ever
acknowledged. The events file says what there has been."""
import json
import signal
import unittest

import broker
import harness
import live
import scene

OUTAGES = 3
EVENTS = 400  # at least, in each time with a broker and in each without

CONFIGURATION = """
models: {{ m: {{ source: scene }} }}
streams:
  gate: {{ source: gate.mp4, speed: 8, loop: true, tasks: [ {{ model: m }} ] }}
  barn: {{ source: barn.mp4, speed: 8, loop: true, tasks: [ {{ model: m }} ] }}
events:
  file: out.ndjson
  mqtt: {{ broker: "tcp://127.0.0.1:{port}", client_id: box, types: [{types}] }}
state_dir: state
"""
ALL_TYPES = "result, track_started, track_ended, counts, stream_up, stream_down"


@unittest.skipIf(broker.missing() or not scene.have_ffmpeg(), broker.missing() or "ffmpeg is not there to make clips")
class EventsOutageTest(harness.EndToEndTest):
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
        cls.config = cls.folder / "edge.yaml"
        cls.config.write_text(CONFIGURATION.format(port=cls.proxy.port, types=ALL_TYPES))
        cls.out = cls.folder / "out.ndjson"

    def written(self):
        return self.out.read_bytes().count(b"\n") if self.out.exists() else 0

    def wait_for(self, count, process, what):
        """Until `count` has grown by EVENTS."""
        before = count()
        broker.wait_until(lambda: process.poll() is not None or count() >= before + EVENTS, what)
        self.assertIsNone(process.poll(), "the program has ended")

    def run_through_outages(self):
        process = harness.start("run", self.config, "--json")
        self.addCleanup(process.kill)
        for outage in range(OUTAGES):
            self.wait_for(self.subscriber.count, process, "events at the subscriber")
            self.broker.kill()  # SIGKILL, with messages on their way
            self.proxy.tell("refuse")
            self.wait_for(self.written, process, "events in the file during the outage")
            self.broker.start()
            self.subscriber.wait_for_subscription(outage + 2)
            self.proxy.tell("accept")
        self.wait_for(self.subscriber.count, process, "events after the last outage")
        process.send_signal(signal.SIGINT)
        outcome = harness.finish(process)
        self.assertEqual(outcome.code, 0, outcome.err)
        return outcome

    def test_every_event_arrives(self):
        outcome = self.run_through_outages()
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        for sink in summary["sinks"]:
            self.assertEqual(sink["lost"], 0, sink)
        self.assertIn(f"broker 127.0.0.1:{self.proxy.port}", outcome.err)
        self.assertIn("delivers again", outcome.err)
        self.assertLess(len(outcome.err.splitlines()), 10 * OUTAGES, outcome.err)
        broker.deliver_the_rest(self, self.config)

        written = [json.loads(line) for line in self.out.read_text().splitlines()]
        ids = [event["id"] for event in written]
        self.assertEqual(len(ids), len(set(ids)))
        broker.wait_until(lambda: set(ids) <= {event["id"] for event in self.subscriber.events()}, "all events")
        arrived = self.subscriber.events()
        print(f"{len(ids)} events in the file, {len(arrived)} messages on deepedge/events, {OUTAGES} outages")
        first = {}
        for event in arrived:
            self.assertEqual(first.setdefault(event["id"], event), event, "one id, one event")
        self.assertEqual(set(first), set(ids))
        self.assertEqual(first, {event["id"]: event for event in written})
        for stream in "gate", "barn":
            frames = [e["captured_us"] for e in first.values() if e["type"] == "result" and e["stream"] == stream]
            self.assertEqual(frames, sorted(frames), "in order, apart from what comes again")

        by_type = self.subscriber.on("deepedge/gate/result")
        self.assertEqual({json.loads(text)["id"] for text in by_type},
                         {e["id"] for e in written if e["type"] == "result" and e["stream"] == "gate"})

    def test_what_the_broker_forgot_is_said_again(self):
        """Its states and entities, although it keeps nothing on disk."""
        self.broker.kill()
        self.broker.start()
        with live.LiveRun(self.config) as run:
            run.wait("result", count=100)
            self.broker.kill()
            self.broker.start()
            late = broker.Subscriber(self.broker.port)
            self.addCleanup(late.close)
            for topic, payload in {"deepedge/available": "online", "deepedge/gate/status": "online",
                                   "deepedge/barn/status": "online"}.items():
                broker.wait_until(lambda: payload in late.on(topic), topic)
            for topic in ("homeassistant/binary_sensor/box/gate-red-occupancy/config",
                          "homeassistant/sensor/box/barn-blue-count/config"):
                broker.wait_until(lambda: late.on(topic), topic)
                config = json.loads(late.on(topic)[-1])
                self.assertTrue(config["unique_id"] and config["state_topic"].startswith("deepedge/"), config)
            run.interrupt()
            self.assertEqual(run.process.returncode, 0, run.err)
        broker.wait_until(lambda: late.on("deepedge/available")[-1] == "offline", "the farewell")


if __name__ == "__main__":
    harness.main()
