"""`deepedge run` on scenes with exact truth: every frame, the right boxes, and counts that add up."""
import os
import signal
import time
import unittest

import harness
import scene


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class RunTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = scene.write_model(cls.folder / "scene")
        cls.slow = scene.write_model(cls.folder / "slow", work=60)
        cls.clip = cls.folder / "yard.mp4"
        scene.write_video(cls.clip, seed=1, frames=60)
        cls.other = cls.folder / "barn.avi"
        scene.write_video(cls.other, seed=2, frames=40, rate=10, codec=("-c:v", "mjpeg", "-q:v", "3"))

    def check_against_truth(self, events, seed, frames):
        self.assertEqual(sorted(event["frame"] for event in events), list(range(frames)))
        for event in events:
            squares = scene.truth_of_frame(seed, event["frame"])
            expected = sorted((label, *scene.box_of(column, row)) for label, column, row in squares)
            seen = sorted((o["label"], *(round(v * 8) / 8 for v in o["box"])) for o in event["objects"])
            self.assertEqual(seen, expected, f"frame {event['frame']}")
            for o in event["objects"]:
                for value in o["box"]:
                    self.assertLess(abs(value * 8 - round(value * 8)), 0.02, o)

    def test_every_frame_at_full_speed_gives_the_exact_truth(self):
        outcome = harness.run("run", "--source", self.clip, "--source", self.other, "--model", self.model, "--pace", "fast",
                              "--events", "-", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        results = outcome.events()
        self.check_against_truth([e for e in results if e["stream"] == "yard"], seed=1, frames=60)
        self.check_against_truth([e for e in results if e["stream"] == "barn"], seed=2, frames=40)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertEqual(summary["events"]["lost"], 0)

    def test_media_times_are_those_of_the_file(self):
        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--pace", "fast", "--events", "-", "--json")
        for event in outcome.events():
            self.assertEqual(event["pts_us"], event["frame"] * 40000)
            self.assertGreaterEqual(event["available_us"], event["captured_us"])
            self.assertEqual(event["variant"], "fp32@128x128")

    def test_a_paced_file_takes_its_own_time(self):
        began = time.monotonic()
        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--events", "-", "--json")
        took = time.monotonic() - began
        self.assertGreater(took, 2.3)  # 60 frames at 25 a second
        events = outcome.events()
        first = events[0]
        for event in events:
            due = first["captured_us"] + event["pts_us"] - first["pts_us"]
            self.assertLess(abs(event["captured_us"] - due), 2000, "captured when it was due")
        self.assert_counts_add_up(outcome.summary())

    def test_overload_drops_frames_and_counts_them(self):
        sources = []
        for i in range(4):
            copy = self.folder / f"copy{i}.mp4"
            copy.write_bytes(self.clip.read_bytes())
            sources += ["--source", copy]
        outcome = harness.run("run", *sources, "--model", self.slow, "--model", self.model, "--cores", 1, "--json")
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertEqual({t["captured"] for t in summary["tasks"]}, {60})
        for task in summary["tasks"]:
            self.assertGreater(task["done"], 0, "nobody starves")

    def test_interrupt_ends_within_a_second_with_all_counts(self):
        process = harness.start("run", "--source", self.clip, "--source", self.other, "--model", self.slow, "--loop",
                                "--events", "-", "--json")
        while True:  # the first event: it is running
            line = process.stdout.readline()
            if '"type":"result"' in line:
                break
            self.assertTrue(line, "ended too early")
        time.sleep(0.3)
        asked = time.monotonic()
        process.send_signal(signal.SIGINT)
        outcome = harness.finish(process)
        self.assertLess(time.monotonic() - asked, 5)  # a second on an idle machine; sanitizers and load take longer
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())

    def test_loop_goes_on_in_media_time(self):
        outcome = harness.run("run", "--source", self.other, "--model", self.model, "--loop", "--duration", "6s",
                              "--events", "-", "--json")
        times = [event["pts_us"] for event in outcome.events()]
        self.assertGreater(max(times), 4_300_000)
        self.assertEqual(times, sorted(times))
        self.assert_counts_add_up(outcome.summary())

    def test_a_configuration_file_says_the_same(self):
        config = self.folder / "edge.yaml"
        config.write_text("models:\n  bricks: { source: scene }\n"
                          "streams:\n  yard:\n    source: yard.mp4\n    tasks:\n"
                          "      - { model: bricks, max_rate: 5, labels: [red] }\n"
                          "events: { file: out.ndjson }\n")
        checked = harness.run("check", config)
        self.assertEqual(checked.code, 0, checked.err)
        outcome = harness.run("run", config, "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        events = [e for e in harness.lines((self.folder / "out.ndjson").read_text()) if e["type"] == "result"]
        self.assertEqual({e["model"] for e in events}, {"bricks"})
        self.assertLessEqual(len(events), 13)
        self.assertEqual({o["label"] for e in events for o in e["objects"]}, {"red"})
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertGreaterEqual(summary["tasks"][0]["reasons"]["above_max_rate"], 47)

    def watch(self, *arguments, lanes):
        """Runs the program for 3 s and watches its threads from the moment when its lanes are there."""
        process = harness.start("run", *arguments, "--loop", "--duration", "3s", "--cores", str(lanes), "--json")
        watch = ThreadWatch(process.pid, lanes)
        try:
            while process.poll() is None:
                watch.sample()
                time.sleep(0.002)
        finally:
            outcome = harness.finish(process)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        self.assertGreater(watch.samples, 20)
        self.assertLess(watch.main_share, 0.05, "the main thread sleeps until the end")
        return watch

    def test_the_program_computes_on_its_lanes_only(self):
        """Nobody else is there to compute: the main thread sleeps until the end, the others read packets or look now and then."""
        watch = self.watch("--source", self.clip, "--source", self.other, "--model", self.slow, lanes=1)
        self.assertIn("lane-0", watch.names)
        self.assertLessEqual(watch.names, {"deepedge", "lane-0", "in:yard", "in:barn", "profiler", "profiler-idle"})
        self.assertEqual(watch.excess, set())

    def test_no_more_threads_compute_than_there_are_lanes(self):
        """A large network is computed by threads of the engine while its lane waits: still one for each lane."""
        lanes = min(2, len(os.sched_getaffinity(0)))
        heavy = scene.write_model(self.folder / "heavy", work=20, weights_mb=40)
        watch = self.watch("--source", self.clip, "--source", self.other, "--model", self.slow, "--model", heavy,
                           lanes=lanes)
        self.assertEqual(watch.excess, set())
        if lanes > 1:
            self.assertGreater(watch.threads, 3 + lanes, "the engine has threads of its own here")

    def test_a_network_with_large_weights_sees_the_same(self):
        heavy = scene.write_model(self.folder / "heavy2", weights_mb=40)
        outcome = harness.run("run", "--source", self.clip, "--model", heavy, "--pace", "fast", "--events", "-", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.check_against_truth(outcome.events(), seed=1, frames=60)


class ThreadWatch:
    """Finds out whether more threads of a program compute at once than it has lanes; readers, the writer of events, the
    main thread, and who has the lowest priority and so takes nothing from anybody, aside.

    That more are runnable at one moment proves nothing: whoever hands over work is runnable until it waits, and on a
    loaded machine that takes long, although it needs microseconds of a core. So the watch begins where more than `lanes`
    threads are runnable, and they are too many when each of them gets COMPUTES_NS of a core before any of them waits."""

    COMPUTES_NS = 1_500_000

    def __init__(self, pid, lanes):
        self.pid, self.lanes = pid, lanes
        self.names, self.samples, self.threads = set(), 0, 0
        self.excess = set()  # names of the threads that were too many
        self.main_share = 0.0  # of the time that all threads computed
        self._window = {}  # thread -> (times it waited, nanoseconds on a core) when it joined the others
        self._began = None

    def sample(self):
        threads = threads_of(self.pid)
        if not any(name.startswith("lane-") for name, *_ in threads.values()):
            return  # models are being loaded, or it has ended
        self.samples += 1
        self.threads = max(self.threads, len(threads))
        self.names.update(name for name, *_ in threads.values())
        spent = {thread: nanoseconds for thread, (_, _, _, nanoseconds) in threads.items()}
        self._began = self._began or spent
        gained = {thread: spent[thread] - self._began.get(thread, 0) for thread in spent}
        self.main_share = gained.get(self.pid, 0) / max(sum(gained.values()), 1)

        running = {thread: seen for thread, seen in threads.items()
                   if seen[1] == "R" and thread != self.pid and not seen[0].startswith(("in:", "events", "profiler-idle"))}
        # Who waited since, or has ended, leaves; when too few are left, the watch begins anew.
        self._window = {thread: began for thread, began in self._window.items()
                        if thread in running and running[thread][2] == began[0]}
        if len(running) <= self.lanes:
            self._window = {}
            return
        if len(self._window) <= self.lanes:
            self._window = {thread: (waits, nanoseconds) for thread, (_, _, waits, nanoseconds) in running.items()}
            return
        computing = [thread for thread, (_, began) in self._window.items() if spent[thread] - began >= self.COMPUTES_NS]
        if len(computing) > self.lanes:
            self.excess = {f"{threads[thread][0]} ({thread})" for thread in computing}


def threads_of(pid):
    """thread -> (name, state, how often it waited, nanoseconds on a core)"""
    found = {}
    for task in (harness.Path("/proc") / str(pid) / "task").glob("*"):
        try:
            status = dict(line.split(":", 1) for line in (task / "status").read_text().splitlines() if ":" in line)
            spent = int((task / "schedstat").read_text().split()[0])
            found[int(task.name)] = (status["Name"].strip(), status["State"].split()[0],
                                     int(status["voluntary_ctxt_switches"]), spent)
        except (OSError, KeyError, IndexError, ValueError):
            pass  # it has just ended
    return found


if __name__ == "__main__":
    harness.main()
