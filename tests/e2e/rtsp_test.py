"""Cameras by RTSP on loopback that are killed, frozen, restarted and changed, behind good and bad networks."""
import contextlib
import json
import signal
import socket
import unittest

import harness
import live
import scene

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "0", "-g", "25", "-crf", "12")
H264_REORDERED = ("-c:v", "libx264", "-bf", "3", "-g", "25", "-crf", "12")
H265 = ("-c:v", "libx265", "-x265-params", "log-level=error:bframes=3", "-preset", "ultrafast", "-g", "25", "-crf", "12")
JPEG = ("-c:v", "mjpeg", "-q:v", "3", "-huffman", "default")
READ_DEADLINE_S = 3  # of a camera that says nothing
FRAMES = 1500  # of a long clip: a minute, longer than a test needs


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
@unittest.skipUnless(live.rtsp_server_path(), "the RTSP fixture is not built")
class RtspTest(live.NetworkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = scene.write_model(cls.folder / "scene")
        cls.codec = H264 if live.have_encoder("libx264") else JPEG
        cls.clip = cls.make("camera.mp4", seed=1, frames=FRAMES, codec=cls.codec)
        cls.file = cls.make("yard.mp4", seed=2, frames=60, rate=10, codec=("-c:v", "mpeg4", "-q:v", "2"))

    @classmethod
    def make(cls, name, **options):
        path = cls.folder / name
        scene.write_video(path, **options)
        return path

    def serve(self, mounts=None, **options):
        server = live.rtsp_server(mounts or {"/a": self.clip}, **options)
        self.addCleanup(server.kill)
        return server

    def proxy(self, server):
        proxy = live.Proxy(server.port)
        self.addCleanup(proxy.kill)
        return proxy

    @staticmethod
    def names(port, mount="/a"):
        """Address and stream name of a mount."""
        return f"rtsp://viewer:hunter2@127.0.0.1:{port}{mount}", f"127.0.0.1:{port}{mount}"

    def check_file_unharmed(self, run):
        """Beside a camera in trouble the file runs as it does alone: every frame captured and ended, none late."""
        self.assertIn("end of file", run.of("stream_down", "yard")[0]["reason"])
        task = run.task("yard")
        self.assertEqual(task["captured"], 60)
        self.assertEqual(task["failed"], 0)
        self.assertLessEqual(set(task["reasons"]), {"replaced_by_newer"})  # a machine that is busy with something else
        self.assertEqual(run.stream("yard")["connects"], 1)
        results = run.of("result", "yard")
        self.assert_true_boxes(results, seed=2, cycle=60, rate=10)
        for event in results:
            due = results[0]["captured_us"] + event["pts_us"] - results[0]["pts_us"]
            self.assertLess(abs(event["captured_us"] - due), 2000, "captured when it was due")

    def note_recovery(self, run, stream, what, back_us, after):
        """From the camera's return to the first new result; the wait for the next attempt does not count."""
        first = run.wait("result", stream, after=after)
        up = run.wait("stream_up", stream, after=after)
        attempts = [e["at_us"] + e["retry_in_us"] for e in run.of("stream_down", stream)
                    if e["at_us"] < up["at_us"] and "retry_in_us" in e]
        took_us = first["available_us"] - max(back_us, attempts[-1])
        live.note(what, took_us / 1e6)
        self.assertLess(took_us, 10_000_000, "a tenth of a second on an idle machine")

    # What cameras send

    def test_codecs_give_true_boxes_and_true_times(self):
        mounts = {"/jpeg": self.make("jpeg.mp4", seed=3, frames=250, codec=JPEG)}
        if live.have_encoder("libx264"):
            mounts["/h264"] = self.make("h264.mp4", seed=3, frames=250, codec=H264)
            mounts["/reordered"] = self.make("reordered.mp4", seed=3, frames=250, codec=H264_REORDERED)
            mounts["/fast"] = self.make("fast.mp4", seed=3, frames=1200, rate=120, codec=H264)
        if live.have_encoder("libx265"):
            mounts["/h265"] = self.make("h265.mp4", seed=3, frames=250, codec=H265)
        server = self.serve(mounts)
        sources = [argument for mount in mounts for argument in ("--source", self.names(server.port, mount)[0])]
        run = self.run_live(*sources, "--model", self.model)
        for mount in mounts:
            run.wait("result", self.names(server.port, mount)[1], count=60)
        self.end(run, hidden=["hunter2"])
        for mount in mounts:
            with self.subTest(mount):
                name = self.names(server.port, mount)[1]
                rate = 120 if mount == "/fast" else 25
                results = run.of("result", name)
                self.assert_true_boxes(results, seed=3, cycle=10_000, rate=rate)
                for event in results:
                    self.assertLess(abs(event["pts_us"] - event["frame"] * 1e6 / rate), 12, "one tick of RTP's clock")
                task = run.task(name)
                self.assertEqual(task["failed"], 0)
                self.assertNotIn("decoder_behind", task["reasons"])
                self.assertEqual(run.stream(name)["connects"], 1)
                self.assertEqual((run.stream(name)["width"], run.stream(name)["height"]), (256, 256))
                live.note("first result after the connection, " + mount[1:],
                          (results[0]["available_us"] - run.of("stream_up", name)[0]["at_us"]) / 1e6)
                live.note("first result after the start of the program", (results[0]["available_us"] - run.began_us) / 1e6)

    def test_a_login_is_used_and_never_shown(self):
        server = self.serve(login="viewer:hunter2")
        address, name = self.names(server.port)
        wrong = address.replace("hunter2", "letmein").replace("viewer", "guest")
        run = self.run_live("--source", address, "--source", wrong, "--model", self.model)
        run.wait("result", name, count=10)
        refused = run.wait("stream_down", name + "-2", count=2)
        self.assertIn("user name or password refused", refused["reason"])
        self.end(run, hidden=["hunter2", "letmein"])

    def test_a_camera_without_that_address_says_so(self):
        server = self.serve()
        address, name = self.names(server.port, "/nothing")
        run = self.run_live("--source", address, "--model", self.model)
        self.assertIn("nothing under this address", run.wait("stream_down", name)["reason"])
        self.end(run, hidden=["hunter2"])

    # Cameras that fail

    def test_a_killed_camera_is_noticed_at_once_and_found_again(self):
        server = self.serve()
        address, name = self.names(server.port)
        run = self.run_live("--source", address, "--source", self.file, "--model", self.model)
        run.wait("result", "yard")
        run.wait("result", name, count=10)
        place, killed_us = run.mark(), live.now_us()
        server.kill()
        down = run.wait("stream_down", name, after=place)
        live.note("SIGKILL noticed", (down["at_us"] - killed_us) / 1e6)
        self.assertLess(down["at_us"] - killed_us, 1_000_000 * READ_DEADLINE_S, "by the reset, not by a deadline")
        self.assertRegex(down["reason"], "connection|ended")
        place = run.mark()
        refused = run.wait("stream_down", name, after=place)
        self.assertIn("connection refused", refused["reason"])
        run.wait("result", "yard", after=place, count=3)
        place = run.mark()
        server = self.serve(port=server.port)
        run.wait("result", name, after=place, count=10)
        self.note_recovery(run, name, "first result after a restart", server.back_us, place)
        run.wait("stream_down", "yard")
        self.end(run, hidden=["hunter2"])
        self.check_file_unharmed(run)
        self.assertEqual(run.stream(name)["connects"], 2)
        first, second = run.connections(name)
        self.assert_true_boxes(first, seed=1, cycle=FRAMES)
        self.assert_true_boxes(second, seed=1, cycle=FRAMES)
        gap_us = second[0]["captured_us"] - first[-1]["captured_us"]
        self.assertLess(abs(second[0]["pts_us"] - first[-1]["pts_us"] - gap_us), 1_000_000, "media time went on meanwhile")
        self.assertEqual(run.task(name)["failed"], 0)

    def test_a_frozen_camera_is_noticed_within_the_deadline_and_goes_on_when_it_thaws(self):
        server = self.serve()
        address, name = self.names(server.port)
        run = self.run_live("--source", address, "--source", self.file, "--model", self.model)
        run.wait("result", "yard")
        run.wait("result", name, count=10)
        place, frozen_us = run.mark(), live.now_us()
        server.signal(signal.SIGSTOP)
        self.addCleanup(server.signal, signal.SIGCONT)
        down = run.wait("stream_down", name, after=place)
        live.note("SIGSTOP noticed", (down["at_us"] - frozen_us) / 1e6)
        self.assertIn("no answer within 3 s", down["reason"])
        self.assertGreater(down["at_us"] - frozen_us, (READ_DEADLINE_S - 0.5) * 1e6)
        self.assertLess(down["at_us"] - frozen_us, (READ_DEADLINE_S + 5) * 1e6)
        place, thawed_us = run.mark(), live.now_us()
        server.signal(signal.SIGCONT)
        run.wait("result", name, after=place, count=10)
        self.note_recovery(run, name, "first result after SIGCONT", thawed_us, place)
        run.wait("stream_down", "yard")
        self.end(run, hidden=["hunter2"])
        self.check_file_unharmed(run)
        for results in run.connections(name):
            self.assert_true_boxes(results, seed=1, cycle=FRAMES)

    def test_a_camera_that_is_away_at_the_start_is_tried_again_ever_more_slowly(self):
        server = self.serve()
        server.kill()
        address, name = self.names(server.port)
        run = self.run_live("--source", address, "--model", self.model)
        run.wait("stream_down", name, count=3)
        for i, event in enumerate(run.of("stream_down", name)[:3]):
            self.assertIn("connection refused", event["reason"])
            self.assertLess(abs(event["retry_in_us"] / (500_000 * 2**i) - 1), 0.201)
        server = self.serve(port=server.port)
        run.wait("result", name, count=10)
        self.note_recovery(run, name, "first result after a late start", server.back_us, 0)
        self.end(run, hidden=["hunter2"])
        self.assertEqual(run.stream(name)["connects"], 1)
        self.assert_true_boxes(run.of("result", name), seed=1, cycle=FRAMES)

    def test_a_clip_that_ends_is_an_end_and_starts_again(self):
        server = self.serve({"/a": self.make("short.mp4", seed=4, frames=25, codec=self.codec)})
        address, name = self.names(server.port)
        run = self.run_live("--source", address, "--model", self.model)
        run.wait("stream_up", name, count=2)
        run.wait("result", name, after=run.events.index(run.of("stream_up", name)[1]), count=5)
        self.end(run)
        self.assertIn("has ended the stream", run.of("stream_down", name)[0]["reason"])
        for results in run.connections(name):
            self.assert_true_boxes(results, seed=4, cycle=25)
        times = [e["pts_us"] for e in run.of("result", name)]
        self.assertEqual(times, sorted(times))

    # An interrupt

    def test_an_interrupt_ends_the_program_whatever_its_cameras_do(self):
        with contextlib.closing(live.SilentServer()) as silent:
            streaming, frozen = self.serve(), self.serve()
            address, name = self.names(frozen.port)
            closed = socket.create_server(("127.0.0.1", 0))  # a port of ours that nobody listens at
            closed_port = closed.getsockname()[1]
            closed.close()
            others = [argument for port in (streaming.port, silent.port, closed_port)
                      for argument in ("--source", self.names(port)[0])]
            for when in ("reading", "reconnecting"):
                with self.subTest(when):
                    run = self.run_live("--source", address, *others, "--model", self.model)
                    run.wait("result", name, count=5)
                    run.wait("result", self.names(streaming.port)[1], count=5)
                    run.wait("stream_down", self.names(closed_port)[1], count=2)
                    frozen.signal(signal.SIGSTOP)
                    place = run.mark()
                    if when == "reconnecting":  # opening a camera that takes the connection and does not answer
                        run.wait("stream_down", name, after=place)
                        run.wait("result", self.names(streaming.port)[1], after=run.mark(), count=25)
                    live.note(f"end after SIGINT, a camera frozen ({when}), one silent, one away", self.end(run))
                    frozen.signal(signal.SIGCONT)

    # A bad network

    def test_networks_that_stall_cut_delay_and_lose_bytes(self):
        server = self.serve()
        bad = {kind: self.proxy(server) for kind in ("stall", "cut", "late", "lossy", "garbled")}
        name = {kind: self.names(proxy.port)[1] for kind, proxy in bad.items()}
        bad["late"].tell("delay 150")
        bad["late"].tell("jitter 100")
        sources = [argument for proxy in bad.values() for argument in ("--source", self.names(proxy.port)[0])]
        run = self.run_live(*sources, "--source", self.file, "--model", self.model)
        for kind in bad:
            run.wait("result", name[kind], count=10)
        place, told_us = run.mark(), live.now_us()
        bad["stall"].tell("stall")
        bad["cut"].tell("cut")
        bad["lossy"].tell("drop 100")
        bad["garbled"].tell("flip 300")
        cut = run.wait("stream_down", name["cut"], after=place)
        live.note("a reset noticed", (cut["at_us"] - told_us) / 1e6)
        stalled = run.wait("stream_down", name["stall"], after=place)
        live.note("a stall noticed", (stalled["at_us"] - told_us) / 1e6)
        self.assertIn("no answer within 3 s", stalled["reason"])
        bad["stall"].tell("go")
        for kind in bad:
            run.wait("result", name[kind], after=place, count=10)
        place = run.mark()
        bad["lossy"].tell("drop 1")
        bad["garbled"].tell("flip 1")
        for kind in bad:
            run.wait("result", name[kind], after=place, count=10)
        run.wait("stream_down", "yard")
        self.end(run, hidden=["hunter2"])
        self.check_file_unharmed(run)
        self.assertEqual(run.stream(name["late"])["connects"], 1)
        self.assertEqual(run.task(name["late"])["failed"], 0)
        for kind in ("stall", "cut", "late"):
            for results in run.connections(name[kind]):
                self.assert_true_boxes(results, seed=1, cycle=FRAMES)
        for kind in ("lossy", "garbled"):
            times = [e["pts_us"] for e in run.of("result", name[kind])]
            self.assertEqual(times, sorted(times))

    # A camera that changes

    def test_another_size_and_another_codec_after_a_restart(self):
        wide = self.make("wide.mp4", seed=5, frames=250, size=384, codec=self.codec)
        jpeg = self.make("other.mp4", seed=6, frames=250, size=128, codec=JPEG)
        server = self.serve()
        address, name = self.names(server.port)
        run = self.run_live("--source", address, "--model", self.model)
        run.wait("result", name, count=10)
        for clip in (wide, jpeg):
            server.kill()
            server = self.serve({"/a": clip}, port=server.port)
            place = run.mark()
            run.wait("stream_up", name, after=place)
            run.wait("result", name, after=place, count=15)
        self.end(run)
        for results, seed, cycle in zip(run.connections(name), (1, 5, 6), (FRAMES, 250, 250), strict=True):
            self.assert_true_boxes(results, seed=seed, cycle=cycle)
        self.assertEqual(run.task(name)["failed"], 0)
        stream = run.stream(name)
        self.assertEqual((stream["codec"], stream["width"], stream["height"]), ("mjpeg", 128, 128))

    def test_files_that_change_their_size_in_the_middle(self):
        if not live.have_encoder("libx264"):
            self.skipTest("no libx264")
        for ending in ("ts", "h264"):
            for codec in (H264, H264_REORDERED):
                parts = [self.make(f"part{i}.{ending}", seed=7 + i, frames=50, size=size, codec=codec)
                         for i, size in enumerate((256, 384, 128))]
                whole = self.folder / f"whole.{ending}"
                whole.write_bytes(b"".join(part.read_bytes() for part in parts))
                with self.subTest(ending, codec=codec):
                    outcome = harness.run("run", "--source", whole, "--model", self.model, "--pace", "fast", "--events", "-",
                                          "--json")
                    self.assertEqual(outcome.code, 0, outcome.err)
                    self.assert_counts_add_up(outcome.summary())
                    task, stream = outcome.summary()["tasks"][0], outcome.summary()["streams"][0]
                    self.assertEqual((task["captured"], task["done"]), (150, 150), task)
                    self.assertEqual((stream["width"], stream["height"]), (128, 128))
                    for event in outcome.events():
                        part, frame = divmod(event["frame"], 50)
                        self.assertEqual(live.boxes_of(event), live.truth(7 + part, frame), json.dumps(event))
                        self.assertEqual(event["pts_us"], event["frame"] * live.FRAME_US)


if __name__ == "__main__":
    live.main()
