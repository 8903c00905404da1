"""Published networks on published clips (scripts/fetch-demo): people, cars and faces are seen, and one network in three
formats computes the same. What the cache lacks is skipped."""
import math
import os
import struct
import subprocess
import unittest
from ast import literal_eval
from pathlib import Path

import harness
import scene

CACHE = Path(os.environ.get("DEEPEDGE_CACHE") or
             Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "deepedge") / "demo"
SCORE = 0.4


def write_npy(path, shape, values):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {tuple(shape)}, }}"
    header += " " * (-(len(header) + 11) % 64) + "\n"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() +
                     struct.pack(f"<{len(values)}f", *values))


def read_npy(path):
    """(shape, values) of a file of floats."""
    data = path.read_bytes()
    if data[:7] != b"\x93NUMPY\x01":
        raise AssertionError(f"{path} is no NumPy file of version 1")
    end = 10 + struct.unpack_from("<H", data, 8)[0]
    header = literal_eval(data[10:end].decode())
    if header["descr"] != "<f4" or header["fortran_order"]:
        raise AssertionError(f"{path}: {header}")
    return header["shape"], struct.unpack(f"<{(len(data) - end) // 4}f", data[end:])


class DemoModelsTest(harness.EndToEndTest):
    def model(self, name):
        folder = CACHE / "models" / name
        if not (folder / "ORIGIN.json").is_file():  # written last
            self.skipTest(f"the cache has no {name} (scripts/fetch-demo)")
        return folder

    def clip(self, name, frames):
        """The beginning of a clip, as its own packets: an exact run over it ends soon."""
        whole = CACHE / "videos" / name
        if not whole.is_file():
            self.skipTest(f"the cache has no {name} (scripts/fetch-demo)")
        if not scene.have_ffmpeg():
            self.skipTest("ffmpeg is not there to cut clips")
        cut = self.folder / f"{frames}_{name}"
        subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", "-i", whole, "-c", "copy", "-an", "-frames:v", str(frames),
                        cut], check=True)
        return cut

    def objects_of(self, model, clip, frames):
        """The objects over SCORE of each frame."""
        outcome = harness.run("run", "--source", self.clip(clip, frames), "--model", self.model(model), "--pace", "fast",
                              "--events", "-", "--json", timeout=300)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        events = outcome.events()
        self.assertGreaterEqual(len(events), frames - 4)  # the last packets may need some that were cut off
        return [[o for o in event.get("objects", []) if o["score"] >= SCORE] for event in events]

    def test_tensorflow_sees_the_people_in_the_street(self):
        frames = self.objects_of("pedestrian_ssdlite", "vtest.avi", 30)
        self.assertEqual({o["label"] for objects in frames for o in objects}, {"person"})
        several = sum(len(objects) >= 2 for objects in frames)
        self.assertGreaterEqual(several, 0.75 * len(frames), [len(objects) for objects in frames])
        for o in (o for objects in frames for o in objects):  # all are on foot, and far away
            left, top, right, bottom = o["box"]
            self.assertGreater((bottom - top) * 576, (right - left) * 768, o)
            self.assertLess(bottom - top, 0.4, o)

    def test_tflite_sees_the_cars(self):
        frames = self.objects_of("objectron_oidv4", "bikes.mp4", 60)
        with_cars = sum(any(o["label"] == "Car" for o in objects) for objects in frames)
        self.assertGreaterEqual(with_cars, 0.5 * len(frames), frames)
        self.assertLessEqual({o["label"] for objects in frames for o in objects}, {"Car", "Person", "Bicycle", "Van", "Bus"})

    def test_tflite_sees_the_one_face(self):
        models = ("face_detection_front", "face_detection_back", "face_detection_full_range")
        for model in models:
            self.model(model)  # all are of one package
        for model in models:
            with self.subTest(model=model):
                frames = self.objects_of(model, "carphone_pristine.mp4", 40)
                one = [objects[0] for objects in frames if len(objects) == 1]
                self.assertGreaterEqual(len(one), 0.95 * len(frames), [len(objects) for objects in frames])
                for o in one:
                    left, top, right, bottom = o["box"]
                    self.assertEqual(o["label"], "face")
                    self.assertTrue(left < 0.42 < right and top < 0.5 < bottom, o)
                    self.assertLess(right - left, 0.5, o)

    def test_onnx_text_detection_runs_on_every_frame(self):
        """Its answer is not decoded; that it is computed counts."""
        self.objects_of("ppocrv4_det", "bikes.mp4", 8)

    def test_one_network_in_three_formats_computes_the_same(self):
        """SavedModel, ONNX and TFLite of one network for music; its outputs go by shape and, where two are alike, by
        order of name: the names differ by format."""
        sound = [0.3 * math.sin(440 * 2 * math.pi * i / 22050) + 0.2 * math.sin(660 * 2 * math.pi * i / 22050)
                 for i in range(43844)]
        write_npy(self.folder / "sound.npy", (1, len(sound), 1), sound)
        outputs = {}
        for form in ("savedmodel", "onnx", "tflite"):
            model = self.model(f"basic_pitch_{form}")
            outcome = harness.run("model", "infer", model, "--input", self.folder / "sound.npy", "--output",
                                  self.folder / form, "--json")
            self.assertEqual(outcome.code, 0, outcome.err)
            outputs[form] = [read_npy(path) for path in sorted((self.folder / form).glob("*.npy"))]
            self.assertEqual([shape for shape, _ in outputs[form]], [(1, 172, 264), (1, 172, 88), (1, 172, 88)])
        for form in ("onnx", "tflite"):
            for (_, ours), (_, theirs) in zip(outputs["savedmodel"], outputs[form]):
                self.assertGreater(max(ours), 0.3)  # it hears the two tones
                self.assertLess(max(abs(a - b) for a, b in zip(ours, theirs)), 1e-3, form)


if __name__ == "__main__":
    harness.main()
