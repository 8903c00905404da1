#!/usr/bin/env python3
"""What a cascade costs the model above it: the latency of a face detector on a clip, alone, with a heavy child whose gate
never opens, and with the gate open for every face of every frame.

  bench/cascade.py [--program build/release/bin/deepedge] [--testdata ../shared/testdata] [--repetitions 9] [--seconds 10]

The three take turns, so that what else the machine does meets all of them; printed are p50 and p95 from capture to result
of each run, and their medians. Needs the clips and models of the test data.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import tempfile

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
CASES = {"alone": "", "closed": "when: { min_score: 1 }", "open": "answer_s: 0"}


def write_config(path, testdata, keys):
    then = f"\n        then: [ {{ model: child, {keys} }} ]" if keys else ""
    path.write_text(f"models:\n  face: {{ source: {testdata}/models/onnx/ultraface_rfb_320 }}\n"
                    f"  child: {{ source: {testdata}/models/onnx/yolox_nano }}\n"
                    f"streams:\n  crowd:\n    source: {testdata}/videos/crowd_faces_800x450.mp4\n    loop: true\n"
                    f"    tasks:\n      - model: face{then}\n")
    return path


def run(program, config, seconds):
    done = subprocess.run([program, "run", config, "--duration", f"{seconds}s", "--json"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    summary = json.loads(done.stdout.splitlines()[-1])
    task, latency = summary["tasks"][0], summary["tasks"][0]["latency_ms"]
    asked = sum(cascade["asked"] for cascade in summary["cascades"])
    return {"p50_ms": latency["p50"], "p95_ms": latency["p95"], "results": task["done"], "captured": task["captured"],
            "asked": asked, "answered": sum(cascade["answered"] for cascade in summary["cascades"])}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default=REPOSITORY / "build/release/bin/deepedge")
    parser.add_argument("--testdata", type=pathlib.Path, default=REPOSITORY.parent / "shared/testdata")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--seconds", type=int, default=10)
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="deepedge_bench_"))
    runs = {case: [] for case in CASES}
    for i in range(arguments.repetitions):
        for case in (list(CASES) * 2)[i % 3:i % 3 + 3]:  # each comes first, second and last equally often
            config = write_config(folder / f"{case}.yaml", arguments.testdata.resolve(), CASES[case])
            runs[case].append(run(arguments.program, config, arguments.seconds))
            print(case, runs[case][-1], flush=True)
    for case, found in runs.items():
        print(f"{case}: median", {key: statistics.median(r[key] for r in found) for key in found[0]})


if __name__ == "__main__":
    main()
