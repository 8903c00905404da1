"""Bad input: a clear message that names what and where, exit code 2 before the start, and nothing lost while running."""
import json
import os
import resource
import shutil
import signal
import unittest

import harness
import scene


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class BadInputTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = scene.write_model(cls.folder / "scene")
        cls.clip = cls.folder / "yard.mp4"
        scene.write_video(cls.clip, frames=50)
        (cls.folder / "text.mp4").write_text("this is no video\n" * 100)
        (cls.folder / "empty.mp4").write_bytes(b"")
        (cls.folder / "text.onnx").write_text("this is no model\n" * 100)

    def refused(self, *arguments, names):
        outcome = harness.run(*arguments, cwd=self.folder)
        self.assertEqual(outcome.code, 2, outcome.err)
        for name in names:
            self.assertIn(name, outcome.err)
        self.assertLess(len(outcome.err.splitlines()), 8, outcome.err)
        self.assertNotIn("terminate", outcome.err)
        self.assertNotIn("/src/", outcome.err, "no source paths of libraries")

    def test_sources_that_are_none(self):
        for source, words in {
            "missing.mp4": ["missing.mp4", "no such file"],
            "scene": ["scene", "folder"],
            "text.mp4": ["text.mp4"],
            "empty.mp4": ["empty.mp4"],
            "ftp://10.0.0.1/x": ["ftp://10.0.0.1/x", "rtsp://"],
        }.items():
            with self.subTest(source):
                self.refused("run", "--source", source, "--model", "scene", names=words)

    def test_every_bad_source_is_named(self):
        self.refused("run", "--source", "missing.mp4", "--source", "text.mp4", "--model", "scene",
                     names=["missing.mp4", "text.mp4"])

    def test_models_that_are_none(self):
        (self.folder / "two").mkdir(exist_ok=True)
        for name in ("a.tflite", "b.tflite"):
            (self.folder / "two" / name).write_bytes(b"\x1c\0\0\0TFL3" + b"\0" * 64)
        for model, words in {
            "nothing.onnx": ["nothing.onnx", "no such file"],
            "text.onnx": ["text.onnx"],
            "yard.mp4": ["yard.mp4", "not a model"],
            "two": ["a.tflite", "b.tflite"],
        }.items():
            with self.subTest(model):
                self.refused("run", "--source", "yard.mp4", "--model", model, names=words)

    def test_a_model_that_takes_no_picture(self):
        data = harness.testdata()
        if data is None:
            self.skipTest("no test data")
        self.refused("run", "--source", "yard.mp4", "--model", data / "models/tf_savedmodel/kws_ref_model",
                     names=["kws_ref_model", "picture"])

    def test_a_truncated_model_is_refused(self):
        broken = self.folder / "broken"
        shutil.copytree(self.model, broken, dirs_exist_ok=True)
        weights = broken / "scene.bin"
        weights.write_bytes(weights.read_bytes()[:20])
        self.refused("run", "--source", "yard.mp4", "--model", "broken", names=["broken"])

    def test_configurations(self):
        good = ("models: { m: { source: scene } }\n"
                "streams:\n  a:\n    source: yard.mp4\n    tasks: [ { model: m } ]\n")
        for text, words in {
            good + "strems: {}\n": ["strems", ":6:"],
            good.replace("model: m", "model: n"): ["n", "m"],
            good.replace("source: yard.mp4", "source: missing.mp4"): ["missing.mp4"],
            good + "  a:\n    source: yard.mp4\n    tasks: [ { model: m } ]\n": ["a", ":6:"],
            good.replace("{ model: m }", "{ model: m, max_rate: fast }"): ["max_rate", ":5:"],
            good.replace("{ model: m }", "{ model: m, labels: [unicorn] }"): [":5: streams.a.tasks[0].labels[0]", "unicorn", "red"],
            good.replace("yard.mp4", "rtsp://u:${NOT_SET_ANYWHERE}@h/"): ["NOT_SET_ANYWHERE"],
            "models: [": ["YAML"],
            "": ["edge.yaml"],
        }.items():
            with self.subTest(text[-60:]):
                (self.folder / "edge.yaml").write_text(text)
                self.refused("run", "edge.yaml", names=["edge.yaml", *words])

    def test_check_refuses_what_run_refuses(self):
        good = ("models: { m: { source: scene } }\n"
                "streams:\n  a:\n    source: yard.mp4\n    tasks: [ { model: m } ]\n")
        url = "ftp://u:geheim@a.org/m.onnx"
        for text, words in {
            good.replace("scene", "missing.onnx"): [":1: models.m.source", "missing.onnx"],
            good.replace("scene", "text.onnx"): [":1: models.m.source", "text.onnx"],
            good.replace("source: scene", f"source: '{url}', sha256: '{'0' * 64}'"): [":1: models.m.source", "'ftp'"],
            good.replace("source: scene", f"source: scene, sha256: '{'0' * 64}'"): [":1: models.m", "0" * 64],
            good + "limits: { devices: [GPU] }\n": [":6: limits.devices[0]", "CPU"],
            good + "api: { listen: '127.0.0.1:8090' }\n": [":6: api"],
        }.items():
            with self.subTest(text[-60:]):
                (self.folder / "edge.yaml").write_text(text)
                for verb in "check", "run":
                    self.refused(verb, "edge.yaml", names=["edge.yaml", *words])
                    self.assertNotIn("geheim", harness.run(verb, "edge.yaml", cwd=self.folder).err)

    def test_options_that_do_not_fit_together(self):
        self.refused("run", names=["--source"])
        self.refused("run", "--source", "yard.mp4", names=["--model"])
        self.refused("run", "--source", "yard.mp4", "--model", "scene", "--duration", "30", names=["30", "30s"])
        self.refused("run", "--source", "yard.mp4", "--model", "scene", "--pace", "slow", names=["slow", "fast"])
        self.refused("fly", names=[])

    def test_a_truncated_video_is_read_as_far_as_it_goes(self):
        whole = self.folder / "whole.ts"
        scene.write_video(whole, frames=50, codec=("-c:v", "mpeg2video", "-g", "5", "-q:v", "3"))
        cut = self.folder / "cut.ts"
        data = whole.read_bytes()
        cut.write_bytes(data[:len(data) * 3 // 5])
        outcome = harness.run("run", "--source", cut, "--source", self.clip, "--model", self.model, "--pace", "fast",
                              "--events", "-", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        done = {task["stream"]: task["done"] for task in summary["tasks"]}
        self.assertEqual(done["yard"], 50)
        self.assertGreater(done["cut"], 20)
        self.assertLess(done["cut"], 40)

    def test_a_file_name_that_is_not_utf8(self):
        odd = os.path.join(os.fsencode(self.folder), b"caf\xe9.mp4")
        shutil.copy(self.clip, odd)
        outcome = harness.run("run", "--source", os.fsdecode(odd), "--model", self.model, "--pace", "fast", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(outcome.summary()["tasks"][0]["done"], 50)
        self.assertEqual(outcome.summary()["streams"][0]["name"], "caf\ufffd")

    def test_damaged_packets_are_counted_and_the_stream_goes_on(self):
        whole = self.folder / "sound.avi"
        scene.write_video(whole, frames=50, codec=("-c:v", "mjpeg", "-q:v", "3"))
        data = bytearray(whole.read_bytes())
        for at in range(len(data) // 3, len(data) // 2, 97):
            data[at] ^= 0xFF
        damaged = self.folder / "damaged.avi"
        damaged.write_bytes(data)
        outcome = harness.run("run", "--source", damaged, "--model", self.model, "--pace", "fast", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertGreater(summary["tasks"][0]["done"], 20)
        self.assertLess(len(outcome.err), 4000, "a broken stream does not flood the log")

    def test_an_unreachable_camera_is_a_state_and_the_others_go_on(self):
        outcome = harness.run("run", "--source", "rtsp://user:secret@127.0.0.1:9/gate", "--source", self.clip, "--model",
                              self.model, "--duration", "3s", "--events", "-", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        states = {stream["name"]: stream for stream in summary["streams"]}
        self.assertEqual({t["stream"]: t["done"] for t in summary["tasks"]}["yard"], 50)
        downs = [e for e in outcome.events("stream_down") if e["stream"] == "127.0.0.1:9/gate"]
        self.assertGreaterEqual(len(downs), 2, "tried again")
        self.assertIn("refused", downs[0]["reason"].lower())
        self.assertNotIn("secret", outcome.out + outcome.err)
        self.assertIn("127.0.0.1:9/gate", states)

    def test_a_full_disk_loses_no_stream_and_leaves_whole_lines(self):
        out = self.folder / "full.ndjson"
        limit = 4096

        def small_disk():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--pace", "fast", "--events", out,
                              "--json", preexec_fn=small_disk)
        self.assertEqual(outcome.code, 1, outcome.err)
        self.assertIn("full.ndjson", outcome.err)
        summary = outcome.summary()
        self.assert_counts_add_up(summary)
        self.assertEqual(summary["tasks"][0]["done"], 50)
        kept = [json.loads(line) for line in out.read_text().splitlines()]
        self.assertEqual(len(kept), summary["events"]["delivered"])
        self.assertEqual(summary["events"]["accepted"], summary["events"]["delivered"] + summary["events"]["lost"])

    def test_events_of_an_earlier_run_are_kept(self):
        out = self.folder / "kept.ndjson"
        (self.folder / "edge.yaml").write_text(
            "models: { m: { source: scene } }\nevents: { file: kept.ndjson }\n"
            "streams: { a: { source: yard.mp4, tasks: [ { model: m, labels: [unicorn] } ] } }\n")
        out.write_text('{"type":"result","old":1}\n{"type":"res')
        self.refused("run", "edge.yaml", names=["unicorn"])
        self.assertEqual(out.read_text(), '{"type":"result","old":1}\n{"type":"res', "a refusal touches nothing")
        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--pace", "fast", "--events", out)
        self.assertEqual(outcome.code, 0, outcome.err)
        results = [e for e in map(json.loads, out.read_text().splitlines()) if e["type"] == "result"]
        self.assertEqual(len(results), 51)
        self.assertEqual(results[0]["old"], 1)

    def test_an_events_file_that_cannot_be_made(self):
        self.refused("run", "--source", "yard.mp4", "--model", "scene", "--events", "no/such/folder/out.ndjson",
                     names=["no/such/folder/out.ndjson"])

    def test_a_reader_that_goes_away_ends_nothing(self):
        read, write = os.pipe()
        os.close(read)
        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--pace", "fast", "--events",
                              f"/dev/fd/{write}", "--json", pass_fds=[write])
        os.close(write)
        self.assert_counts_add_up(outcome.summary())


if __name__ == "__main__":
    harness.main()
