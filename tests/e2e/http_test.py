"""Cameras and clips by HTTP on loopback: servers that close, stall, refuse and change, each with a clear message."""
import base64
import http.server
import threading
import time
import unittest

import harness
import live
import scene

JPEG = ("-c:v", "mjpeg", "-q:v", "3")
LOGIN = "viewer:hunter2"


class Camera:
    """An HTTP server of our own. What it does with a path is a function taking the request; `count` says how often a
    path was asked for."""

    def __init__(self, port=0):
        self.paths = {}
        self.count = {}
        self.quit = threading.Event()
        camera = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                camera.count[self.path] = camera.count.get(self.path, 0) + 1
                try:
                    camera.paths.get(self.path, lambda request: request.send_error(404))(self)
                except OSError:
                    pass  # the client hung up

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def close(self):
        if self.quit.is_set():
            return
        self.quit.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def multipart(self, pictures, rate=25, then=lambda: None, login=None):
        """Motion JPEG as cameras send it: a picture when it is due, all of them, then `then()`, then the end."""
        def answer(request):
            if login and request.headers.get("Authorization") != "Basic " + base64.b64encode(login.encode()).decode():
                request.send_response(401)
                request.send_header("WWW-Authenticate", 'Basic realm="camera"')
                request.end_headers()
                return
            request.send_response(200)
            request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            request.end_headers()
            began = time.monotonic()
            for i, picture in enumerate(pictures):
                if self.quit.wait(max(0, began + i / rate - time.monotonic())):
                    return
                request.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture) +
                                    picture + b"\r\n")
            then()
        return answer

    def file(self, data, content_type, sent=None, then=lambda: None):
        """A file, or only its first `sent` bytes."""
        def answer(request):
            request.send_response(200)
            request.send_header("Content-Type", content_type)
            request.send_header("Content-Length", str(len(data)))
            request.end_headers()
            request.wfile.write(data[:sent])
            then()
        return answer

    def stall(self):
        self.quit.wait()


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class HttpTest(live.NetworkTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = scene.write_model(cls.folder / "scene")
        cls.pictures = cls.make_pictures("picture", seed=1, frames=100, size=256)

    @classmethod
    def make_pictures(cls, name, **options):
        scene.write_video(cls.folder / f"{name}_%03d.jpg", codec=JPEG, **options)
        return [path.read_bytes() for path in sorted(cls.folder.glob(f"{name}_*.jpg"))]

    def setUp(self):
        self.camera = Camera()
        self.addCleanup(self.camera.close)

    def start(self, **paths):
        """Serves these and runs the program on them; returns it and the name of each stream."""
        self.camera.paths = {"/" + path: answer for path, answer in paths.items()}
        sources, names = [], {}
        for path in paths:
            sources += ["--source", f"http://{LOGIN}@127.0.0.1:{self.camera.port}/{path}"]
            names[path] = f"127.0.0.1:{self.camera.port}/{path}"
        return self.run_live(*sources, "--model", self.model), names

    def test_motion_jpeg_gives_true_boxes_and_the_time_of_arrival(self):
        run, names = self.start(video=self.camera.multipart(self.pictures))
        run.wait("result", names["video"], count=50)
        first = run.of("result", names["video"])[0]
        live.note("first result after the start of the program", (first["available_us"] - run.began_us) / 1e6)
        self.end(run, hidden=["hunter2"])
        results = run.of("result", names["video"])
        self.assert_true_boxes(results, seed=1, cycle=100, by="frame")
        for event in results:
            since_us = event["captured_us"] - results[0]["captured_us"]
            self.assertLess(abs(event["pts_us"] - results[0]["pts_us"] - since_us), 1000)
        task = run.task(names["video"])
        self.assertEqual(task["failed"], 0)
        self.assertEqual(run.stream(names["video"])["codec"], "mjpeg")

    def test_a_login_is_used_and_a_wrong_one_is_named_but_not_shown(self):
        run, names = self.start(right=self.camera.multipart(self.pictures, login=LOGIN),
                                wrong=self.camera.multipart(self.pictures, login="viewer:letmein"))
        run.wait("result", names["right"], count=5)
        self.assertIn("user name or password refused", run.wait("stream_down", names["wrong"], count=2)["reason"])
        self.end(run, hidden=["hunter2", "letmein"])

    def test_refusals_are_named_and_tried_again(self):
        run, names = self.start(missing=lambda request: request.send_error(404),
                                forbidden=lambda request: request.send_error(403),
                                busy=lambda request: request.send_error(503),
                                page=self.camera.file(b"<html>Please log in</html>" * 200, "text/html"),
                                ours=self.camera.multipart(self.pictures))
        for path, words in {"missing": "nothing under this address", "forbidden": "password refused", "busy": "5XX",
                            "page": "not a video"}.items():
            self.assertIn(words, run.wait("stream_down", names[path], count=2)["reason"], path)
        run.wait("result", names["ours"], count=5)
        self.end(run, hidden=["hunter2"])
        self.assert_true_boxes(run.of("result", names["ours"]), seed=1, cycle=100, by="frame")

    def test_a_camera_that_closes_or_stalls_is_connected_again(self):
        run, names = self.start(
            closes=self.camera.multipart(self.pictures[:20]),
            stalls=self.camera.multipart(self.pictures[:20], then=self.camera.stall),
            silent=lambda request: self.camera.stall(),
            lives=self.camera.multipart(self.pictures * 20))
        place = run.mark()
        closed = run.wait("stream_down", names["closes"])
        self.assertRegex(closed["reason"], "closed the connection|ended the stream")
        stalled = run.wait("stream_down", names["stalls"])
        self.assertIn("no answer within 3 s", stalled["reason"])
        last = [e for e in run.of("result", names["stalls"]) if e["available_us"] < stalled["at_us"]][-1]
        live.note("a stall noticed", (stalled["at_us"] - last["captured_us"]) / 1e6)
        self.assertGreater(stalled["at_us"] - last["captured_us"], 2_500_000)
        self.assertLess(stalled["at_us"] - last["captured_us"], 8_000_000)
        for path in ("closes", "stalls"):
            run.wait("stream_up", names[path], count=2)
        self.assertIn("no answer within 5 s", run.wait("stream_down", names["silent"])["reason"])
        run.wait("result", names["stalls"], after=place, count=25)
        live.note("end after SIGINT, one camera silent", self.end(run, hidden=["hunter2"]))
        for path in ("closes", "stalls"):
            for results in run.connections(names[path])[:2]:
                self.assert_true_boxes(results, seed=1, cycle=20, by="frame")
        self.assertEqual(run.stream(names["lives"])["connects"], 1)
        self.assertEqual(run.task(names["lives"])["failed"], 0)
        self.assert_true_boxes(run.of("result", names["lives"]), seed=1, cycle=100, by="frame")

    def test_a_camera_whose_pictures_change_their_size(self):
        large = self.make_pictures("large", seed=2, frames=20, size=384)
        run, names = self.start(video=self.camera.multipart(self.pictures[:20] + large, then=self.camera.stall))
        run.wait("result", names["video"], where=lambda event: event["frame"] == 39)
        self.end(run)
        results = run.of("result", names["video"])
        self.assert_true_boxes([e for e in results if e["frame"] < 20], seed=1, cycle=20, by="frame")
        self.assert_true_boxes([e for e in results if e["frame"] >= 20], seed=2, cycle=20, by="frame")
        stream = run.stream(names["video"])
        self.assertEqual((stream["width"], stream["height"], stream["connects"]), (384, 384, 1))

    def test_broken_pictures_are_counted_and_the_camera_goes_on(self):
        pictures = list(self.pictures[:40])
        for i in (5, 17):
            pictures[i] = b"\xff\xd8" + b"no picture " * 100 + b"\xff\xd9"
        run, names = self.start(video=self.camera.multipart(pictures, then=self.camera.stall))
        run.wait("result", names["video"], where=lambda event: event["frame"] == 39)
        self.end(run)
        task = run.task(names["video"])
        self.assertEqual(task["reasons"].get("not_decodable"), 2, task)
        self.assertEqual(run.stream(names["video"])["connects"], 1)
        results = run.of("result", names["video"])
        self.assertFalse({5, 17} & {e["frame"] for e in results})
        self.assert_true_boxes(results, seed=1, cycle=100, by="frame")

    def test_clips_by_http_whole_and_cut_short(self):
        """A clip comes as fast as the network is, and is not held back: the newest frames win, and no time is wrong."""
        fast = self.folder / "clip.mp4"
        scene.write_video(fast, seed=3, frames=50, codec=("-c:v", "mpeg4", "-q:v", "2", "-movflags", "+faststart"))
        stream = self.folder / "clip.ts"
        scene.write_video(stream, seed=3, frames=50, codec=("-c:v", "mpeg2video", "-g", "5", "-q:v", "2"))
        mp4, ts = fast.read_bytes(), stream.read_bytes()
        run, names = self.start(
            mp4=self.camera.file(mp4, "video/mp4"),
            ts=self.camera.file(ts, "video/mp2t"),
            cut=self.camera.file(ts, "video/mp2t", sent=len(ts) // 2),
            stuck=self.camera.file(ts, "video/mp2t", sent=len(ts) // 2, then=self.camera.stall))
        for path in names:
            run.wait("result", names[path])
        ends = {path: run.wait("stream_down", names[path])["reason"] for path in names}
        for path in names:
            run.wait("stream_up", names[path], count=2)
        self.end(run, hidden=["hunter2"])
        self.assertIn("ended the stream", ends["mp4"])
        self.assertIn("ended the stream", ends["ts"])
        self.assertRegex(ends["cut"], "closed the connection")
        self.assertIn("no answer within 3 s", ends["stuck"])
        for path in ("mp4", "ts"):
            self.assertEqual(run.task(names[path])["failed"], 0)
            for results in run.connections(names[path]):
                if results:
                    self.assert_true_boxes(results, seed=3, cycle=50, offsets=range(50))

    def test_a_server_that_is_away_at_the_start_is_found_when_it_comes(self):
        self.camera.close()
        address, name = f"http://{LOGIN}@127.0.0.1:{self.camera.port}/video", f"127.0.0.1:{self.camera.port}/video"
        run = self.run_live("--source", address, "--model", self.model)
        self.assertIn("connection refused", run.wait("stream_down", name, count=2)["reason"])
        camera = Camera(self.camera.port)
        self.addCleanup(camera.close)
        camera.paths = {"/video": camera.multipart(self.pictures)}
        run.wait("result", name, count=5)
        self.end(run, hidden=["hunter2"])
        self.assertEqual(run.stream(name)["connects"], 1)
        self.assert_true_boxes(run.of("result", name), seed=1, cycle=100, by="frame")


class FastFileTest(live.NetworkTest):
    @unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
    def test_a_file_of_120_pictures_a_second_keeps_its_times(self):
        clip = self.folder / "fast.mp4"
        scene.write_video(clip, seed=1, frames=360, rate=120, codec=("-c:v", "mpeg4", "-q:v", "2"))
        model = scene.write_model(self.folder / "scene")
        outcome = harness.run("run", "--source", clip, "--model", model, "--events", "-", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        task = outcome.summary()["tasks"][0]
        self.assertEqual(task["captured"], 360)
        self.assertEqual(task["failed"], 0)
        self.assertLessEqual(set(task["reasons"]), {"replaced_by_newer"}, "the queue of packets does not grow")
        results = outcome.events()
        self.assert_true_boxes(results, seed=1, cycle=360, rate=120, offsets=[results[0]["frame"]])
        for event in results:
            self.assertLess(abs(event["pts_us"] - event["frame"] * 1e6 / 120), 1.01)
            due = results[0]["captured_us"] + event["pts_us"] - results[0]["pts_us"]
            self.assertLess(abs(event["captured_us"] - due), 2000, "captured when it was due")


if __name__ == "__main__":
    live.main()
