#!/usr/bin/env python3
"""Tests of score_events.py with small numbers."""

import contextlib
import io
import json
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import score_events  # noqa: E402


def thing(label, score, box):
    return {"label": label, "score": score, "box": box}


A = [0.0, 0.0, 0.5, 0.5]
A_MOVED = [0.1, 0.0, 0.6, 0.5]  # overlaps A by 0.4 / 0.6
B = [0.6, 0.6, 0.9, 0.9]


class ScoreEvents(unittest.TestCase):
    def objects(self, seen, expected, near=(), limit=0.5):
        return score_events.score_objects([(seen, {"objects": expected, "near": list(near)})], 0.4, limit)

    def test_iou(self):
        self.assertAlmostEqual(score_events.iou(A, A_MOVED), 0.4 / 0.6)
        self.assertEqual(score_events.iou(A, B), 0.0)
        self.assertEqual(score_events.iou([0, 0, 0, 0], [0, 0, 0, 0]), 0.0)

    def test_one_right_one_wrong_one_missed(self):
        figures = self.objects([thing("car", 0.9, A_MOVED), thing("person", 0.8, B)],
                               [thing("car", 0.7, A), thing("car", 0.9, B)])
        self.assertAlmostEqual(figures["f1"], 0.5)
        self.assertAlmostEqual(figures["precision"], 0.5)
        self.assertAlmostEqual(figures["recall"], 0.5)
        self.assertAlmostEqual(figures["mean_iou"], 0.4 / 0.6)
        self.assertAlmostEqual(figures["mean_score_difference"], 0.2)

    def test_a_partner_serves_once_and_the_best_score_chooses_first(self):
        figures = self.objects([thing("car", 0.5, A), thing("car", 0.9, A_MOVED)], [thing("car", 0.9, A)])
        self.assertAlmostEqual(figures["recall"], 1.0)
        self.assertAlmostEqual(figures["precision"], 0.5)
        self.assertAlmostEqual(figures["mean_iou"], 0.4 / 0.6)

    def test_too_little_overlap_is_no_match(self):
        self.assertEqual(self.objects([thing("car", 0.9, A_MOVED)], [thing("car", 0.9, A)], limit=0.7)["f1"], 0.0)

    def test_scores_at_the_threshold_do_not_count_as_clear(self):
        # Ours over, theirs under; theirs over, ours under.
        figures = self.objects([thing("car", 0.47, A)], [thing("car", 0.41, B)], near=[thing("car", 0.39, A)])
        self.assertEqual(figures["f1"], 0.0)
        self.assertEqual(figures["f1_clear"], 1.0)
        figures = self.objects([thing("car", 0.47, A)], [thing("car", 0.5, B)])
        self.assertEqual(figures["f1_clear"], 0.0)

    def test_nothing_where_nothing_is(self):
        self.assertEqual(self.objects([], [])["f1"], 1.0)

    def test_classes_and_points(self):
        figures = score_events.score_classes([
            ([{"label": "a", "score": 0.6}, {"label": "b", "score": 0.4}], {"classes": [{"label": "a", "score": 0.5}]}),
            ([{"label": "b", "score": 0.9}], {"classes": [{"label": "a", "score": 0.5}]}),
            ([], {"classes": [{"label": "a", "score": 0.5}]}),
        ])
        self.assertAlmostEqual(figures["same_label"], 1 / 3)
        self.assertAlmostEqual(figures["mean_score_difference"], 0.1)
        reference = {"keypoints": [[0.5, 0.5, 0.9], [0.1, 0.1, 0.9], [0.9, 0.9, 0.1], [0.3, 0.3, 0.9]]}
        for ours in ([[0.52, 0.5, 1], [0.2, 0.1, 1], [0, 0, 1]],
                     [{"x": 0.52, "y": 0.5}, {"x": 0.2, "y": 0.1}],
                     [{"point": {"x": 0.52, "y": 0.5}}, {"point": [0.2, 0.1]}]):
            self.assertAlmostEqual(score_events.score_keypoints([(ours, reference)])["close_points"], 1 / 3)

    def test_files_streams_and_exit_code(self):
        reference = {"model": "m", "clip": "c", "threshold": 0.4,
                     "frames": [{"frame": 0, "objects": [thing("car", 0.9, A)], "near": []},
                                {"frame": 9, "objects": [thing("car", 0.9, A)], "near": []}]}
        events = [{"type": "stream_up", "stream": "s"},
                  {"type": "result", "stream": "s", "model": "m", "frame": 0, "objects": [thing("car", 0.8, A)]},
                  {"type": "result", "stream": "other", "model": "m", "frame": 9, "objects": []},
                  {"type": "result", "stream": "s", "model": "m", "frame": 5, "objects": []}]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "r.json").write_text(json.dumps(reference))
            (folder / "e.ndjson").write_text("\n".join(json.dumps(e) for e in events) + "\n\n")

            def run(*extra):
                out = io.StringIO()
                with contextlib.redirect_stdout(out):
                    code = score_events.main([str(folder / "e.ndjson"), str(folder / "r.json"), *extra])
                return code, out.getvalue()

            code, text = run("--stream", "s", "--json", "--min", "0.98")
            self.assertEqual(code, 0)
            self.assertEqual(json.loads(text)["frames"], 1)
            self.assertEqual(json.loads(text)["f1"], 1.0)
            self.assertEqual(run("--min", "0.98")[0], 1)  # the other stream misses one
            self.assertEqual(run("--stream", "nobody")[0], 1)
            self.assertIn("frames 2", run()[1])


if __name__ == "__main__":
    unittest.main()
