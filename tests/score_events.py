#!/usr/bin/env python3
"""Compares our events with a reference of tests/reference/: how well do they agree?

  score_events.py EVENTS.ndjson REFERENCE.json [--stream NAME] [--model NAME] [--iou 0.5] [--min 0.98] [--json]

EVENTS: one JSON object a line ("-": standard input). Only results of the given stream and model count (left out: all),
and only frames that both files have.

  objects    F1: an object is right when its own partner of the same label overlaps it by at least --iou; partners are
             found greedily, best score first. `f1` counts everything; `f1_clear` leaves out what has no partner and a
             score within 0.05 over the threshold, and takes the reference's `near` objects as partners too: a score on
             the other side of the threshold by rounding is no error of a detector.
  classes    share of frames with the same best label, and the mean difference of its score
  keypoints  share of the reference's points with a score of 0.3 or more that lie within 0.05 of the picture's size

Exit code 1 when the agreement (f1_clear, same label, close points) is under --min or there is no common frame.
"""

import argparse
import json
import sys

NEAR = 0.05


def iou(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / both if both > 0 else 0.0


def match(seen, expected, limit):
    """Greedy: pairs (index in seen, index in expected), best score of `seen` first, each partner once."""
    pairs, free = [], set(range(len(expected)))
    for i in sorted(range(len(seen)), key=lambda i: -seen[i]["score"]):
        best, best_overlap = None, limit
        for j in sorted(free):
            overlap = iou(seen[i]["box"], expected[j]["box"])
            if expected[j]["label"] == seen[i]["label"] and overlap >= best_overlap:
                if best is None or overlap > best_overlap:
                    best, best_overlap = j, overlap
        if best is not None:
            free.remove(best)
            pairs.append((i, best))
    return pairs


def f1_of(right, wrong, missed):
    return 2 * right / (2 * right + wrong + missed) if right + wrong + missed else 1.0


def score_objects(frames, threshold, limit):
    """`frames`: (our objects, the reference's frame) of every frame both saw."""
    right = wrong = missed = clear_wrong = clear_missed = 0
    overlaps, score_differences = [], []
    for seen, reference in frames:
        expected = reference["objects"]
        pairs = match(seen, expected, limit)
        found, partners = {i for i, _ in pairs}, {j for _, j in pairs}
        right += len(pairs)
        wrong += len(seen) - len(pairs)
        missed += len(expected) - len(pairs)
        for i, j in pairs:
            overlaps.append(iou(seen[i]["box"], expected[j]["box"]))
            score_differences.append(abs(seen[i]["score"] - expected[j]["score"]))
        rest = [o for i, o in enumerate(seen) if i not in found]
        near = {i for i, _ in match(rest, reference.get("near", []), limit)}
        clear_wrong += sum(1 for i, o in enumerate(rest) if i not in near and o["score"] >= threshold + NEAR)
        clear_missed += sum(1 for j, o in enumerate(expected)
                            if j not in partners and o["score"] >= threshold + NEAR)
    count = max(len(overlaps), 1)
    return {
        "agreement": f1_of(right, clear_wrong, clear_missed),
        "f1_clear": f1_of(right, clear_wrong, clear_missed),
        "f1": f1_of(right, wrong, missed),
        "precision": right / (right + wrong) if right + wrong else 1.0,
        "recall": right / (right + missed) if right + missed else 1.0,
        "objects": right + missed,
        "mean_iou": sum(overlaps) / count,
        "mean_score_difference": sum(score_differences) / count,
    }


def score_classes(frames):
    same, differences = 0, []
    for seen, reference in frames:
        expected = reference["classes"][0]
        best = max(seen, key=lambda c: c["score"], default=None)
        if best and best["label"] == expected["label"]:
            same += 1
            differences.append(abs(best["score"] - expected["score"]))
    return {"agreement": same / len(frames), "same_label": same / len(frames),
            "mean_score_difference": sum(differences) / max(len(differences), 1)}


def point_of(keypoint):
    """x, y of a point: a list, or an object with x and y or `point`."""
    if isinstance(keypoint, dict):
        return point_of(keypoint["point"]) if "point" in keypoint else (keypoint["x"], keypoint["y"])
    return keypoint[0], keypoint[1]


def score_keypoints(frames):
    close = total = 0
    for seen, reference in frames:
        for i, (x, y, score) in enumerate(reference["keypoints"]):
            if score < 0.3:
                continue
            total += 1
            if i < len(seen):
                ours = point_of(seen[i])
                close += abs(ours[0] - x) <= NEAR and abs(ours[1] - y) <= NEAR
    share = close / total if total else 1.0
    return {"agreement": share, "close_points": share, "points": total}


def read_events(lines, stream, model):
    """frame -> result event; the last one counts where a frame comes twice (a clip that is played in a loop)."""
    results = {}
    for line in lines:
        line = line.strip()
        if not line:
            continue
        event = json.loads(line)
        if event.get("type") != "result":
            continue
        if (stream and event["stream"] != stream) or (model and event["model"] != model):
            continue
        results[event["frame"]] = event
    return results


def score(results, reference, limit):
    """The figures of one reference against our results."""
    frames = [f for f in reference["frames"] if f["frame"] in results]
    figures = {"model": reference["model"], "clip": reference["clip"], "frames": len(frames)}
    if not frames:
        return {**figures, "agreement": 0.0}
    part = next(name for name in ("objects", "classes", "keypoints") if name in frames[0])
    pairs = [(results[f["frame"]].get(part, []), f) for f in frames]
    if part == "objects":
        return {**figures, **score_objects(pairs, reference.get("threshold", 0.4), limit)}
    return {**figures, **(score_classes(pairs) if part == "classes" else score_keypoints(pairs))}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("events")
    parser.add_argument("reference")
    parser.add_argument("--stream", default="")
    parser.add_argument("--model", default="")
    parser.add_argument("--iou", type=float, default=0.5)
    parser.add_argument("--min", type=float, default=0.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    with open(options.reference, encoding="utf-8") as file:
        reference = json.load(file)
    if options.events == "-":
        results = read_events(sys.stdin, options.stream, options.model)
    else:
        with open(options.events, encoding="utf-8") as file:
            results = read_events(file, options.stream, options.model)
    figures = score(results, reference, options.iou)
    if options.json:
        print(json.dumps(figures))
    else:
        print(", ".join(f"{k} {v:.4f}" if isinstance(v, float) else f"{k} {v}" for k, v in figures.items()))
    return 0 if figures["frames"] and figures["agreement"] >= options.min else 1


if __name__ == "__main__":
    sys.exit(main())
