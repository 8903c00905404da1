"""A detector that is a cascade: the four Caffe networks of MTCNN, put together by the configuration alone.

The first one looks at the picture in several sizes and proposes windows, the second and the third judge squares around
what the one before has found, the fourth looks at patches around the points of the third. What comes out is compared
with the faces that another network, UltraFace, sees in the same frames.
"""
import json
import subprocess
import unittest

import harness
import scene

CONFIGURATION = """
models:
  proposals: {{ source: {models}/caffe/mtcnn/det1.prototxt }}
  squares: {{ source: {models}/caffe/mtcnn/det2.prototxt }}
  faces: {{ source: {models}/caffe/mtcnn/det3.prototxt }}
  points: {{ source: {models}/caffe/mtcnn/det4.prototxt }}
  other: {{ source: {models}/onnx/ultraface_rfb_320 }}
streams:
  clip:
    source: {clip}
    tasks:
      - model: other
        track: false
      - model: proposals
        track: false
        report: false
        then:
          - model: squares
            max_objects: 256
            report: false
            then:
              - model: faces
                max_objects: 256
                then:
                  - model: points
events: {{ file: {events} }}
"""

SURE = 0.9     # UltraFace's score of faces that must be found
SAME = 0.45    # IoU of two boxes of one face; the two networks draw them differently
RECALL = 0.9   # share of the sure faces that the cascade finds
EXTRA = 0.5    # faces that only the cascade sees, as a share of all: small ones that UltraFace misses at 320x240


def iou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    area = lambda box: (box[2] - box[0]) * (box[3] - box[1])
    return width * height / (area(a) + area(b) - width * height)


@unittest.skipUnless(harness.testdata() and scene.have_ffmpeg(), "no test data")
class WindowCascadeTest(harness.EndToEndTest):
    def cut(self, clip, numbers):
        """A clip of these frames only, pixel for pixel."""
        out = self.folder / f"{clip}.mkv"
        chosen = "+".join(f"eq(n\\,{number})" for number in numbers)
        subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", "-i", harness.testdata() / "videos" / f"{clip}.mp4",
                        "-vf", f"select={chosen}", "-fps_mode", "passthrough", "-an", "-c:v", "ffv1", out], check=True)
        return out

    def seen(self, clip, numbers):
        """What each model saw, by its name and the frame."""
        events = self.folder / f"{clip}.ndjson"
        config = self.folder / f"{clip}.yaml"
        config.write_text(CONFIGURATION.format(models=harness.testdata() / "models", clip=self.cut(clip, numbers),
                                               events=events))
        outcome = harness.run("run", config, "--pace", "fast", "--json", timeout=500)
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assert_counts_add_up(outcome.summary())
        seen = {}
        for event in harness.lines(events.read_text()):
            if event["type"] == "result":
                seen.setdefault((event["model"], event["frame"]), []).append(event)
        return seen

    def faces(self, seen, model, frame):
        return [found for event in seen.get((model, frame), []) for found in event["objects"]]

    def test_faces_of_a_crowd(self):
        numbers = range(20, 460, 40)
        seen = self.seen("crowd_faces_800x450", numbers)
        sure = found = alone = total = 0
        for frame in range(len(numbers)):
            faces = self.faces(seen, "faces", frame)
            others = self.faces(seen, "other", frame)
            for other in others:
                if other["score"] >= SURE:
                    sure += 1
                    found += any(iou(face["box"], other["box"]) >= SAME for face in faces)
            total += len(faces)
            alone += sum(all(iou(face["box"], other["box"]) < SAME for other in others) for face in faces)
            for i, face in enumerate(faces):
                self.assertTrue(all(iou(face["box"], two["box"]) <= 0.7 for two in faces[:i]), "a face twice")
        print(f"{sure} sure faces, {found} of them found; {total} faces in all, {alone} of them by the cascade alone")
        self.assertGreater(sure, 20)
        self.assertGreaterEqual(found, RECALL * sure)
        self.assertLessEqual(alone, EXTRA * total)

    def test_points_of_a_face(self):
        numbers = [60, 150, 297, 420]
        seen = self.seen("single_face_headturn_1920x1080", numbers)
        for frame in range(len(numbers)):
            with self.subTest(frame=numbers[frame]):
                other = max(self.faces(seen, "other", frame), key=lambda o: o["score"])
                face = max(self.faces(seen, "faces", frame), key=lambda o: o["score"])
                self.assertGreaterEqual(iou(face["box"], other["box"]), SAME)
                event = next(e for e in seen[("points", frame)] if iou(e["parent"]["box"], face["box"]) > 0.99)
                self.check_points(face, event)

    def test_patches_need_points(self):
        clip = self.folder / "grey.mkv"
        subprocess.run(["ffmpeg", "-nostdin", "-y", "-v", "error", "-f", "lavfi", "-i", "color=gray:s=64x64", "-frames:v",
                        "2", clip], check=True)
        models = harness.testdata() / "models" / "caffe" / "mtcnn"
        head = f"models:\n  p: {{ source: {models}/det4.prototxt }}\n  w: {{ source: {models}/det2.prototxt }}\n" \
               f"streams:\n  s:\n    source: {clip}\n    tasks:\n"
        for task, said in (("      - { model: p }", "it belongs into `then` of a model that finds them"),
                           ("      - { model: w, then: [{ model: p }] }", "objects of 'w' have 0")):
            config = self.folder / "bad.yaml"
            config.write_text(head + task + "\n")
            outcome = harness.run("run", config, "--pace", "fast")
            self.assertNotEqual(outcome.code, 0)
            self.assertIn("'p' looks at patches around 5 points", outcome.err)
            self.assertIn(said, outcome.err)

    def check_points(self, face, event):
        left, top, right, bottom = face["box"]
        coarse = [k[:2] for k in face["keypoints"]]
        fine = [k[:2] for k in event["keypoints"]]
        self.assertEqual(len(fine), 5)
        longer_x = max(right - left, (bottom - top) * 9 / 16)  # of the sides, as a share of the width of the picture
        for a, b in zip(coarse, fine):
            self.assertLessEqual(abs(a[0] - b[0]), 0.36 * 0.25 * longer_x + 0.002)
            self.assertLessEqual(abs(a[1] - b[1]), 0.36 * 0.25 * longer_x * 16 / 9 + 0.002)
        self.assertNotEqual(coarse, fine)
        left_eye, right_eye, nose, left_mouth, right_mouth = fine
        self.assertLess(left_eye[0], right_eye[0])
        self.assertLess(max(left_eye[1], right_eye[1]), nose[1])
        self.assertLess(nose[1], min(left_mouth[1], right_mouth[1]))
        for x, y in fine:
            self.assertTrue(left <= x <= right and top <= y <= bottom, (x, y, face["box"]))
        self.assertEqual(event["parent"]["model"], "faces")
        self.assertEqual(event["parent"]["parent"]["model"], "squares")
        self.assertEqual(event["parent"]["parent"]["parent"]["model"], "proposals")


if __name__ == "__main__":
    harness.main()
