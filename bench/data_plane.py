#!/usr/bin/env python3
"""What the data plane costs besides decoding and inference: runs the program and reads its own summary.

  bench/data_plane.py [--program build/release/bin/deepedge] [--testdata ../shared/testdata] [--repetitions 5] [--only NAME]

Every figure is a ratio, or CPU time of threads, of one run; printed are all runs and their median. Needs the clips and
models of the test data. Ratios against plain loops: `deepedge bench throughput`.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parents[1]
CLIPS_640 = ["street_intersection_640x360", "traffic_topdown_3lanes_640x360", "cows_pasture_640x360",
             "pedestrians_plaza_626x360"]
CLIPS_1080 = ["retail_aisle_1920x1080", "single_face_headturn_1920x1080"]


class Bench:
    def __init__(self, program, testdata):
        self.program, self.testdata = program, testdata
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="deepedge_bench_"))

    def clip(self, name):
        return self.testdata / "videos" / f"{name}.mp4"

    def model(self, name):
        return self.testdata / "models" / name

    def run(self, *arguments):
        done = subprocess.run([self.program, "run", *map(str, arguments), "--json"], stdout=subprocess.PIPE, text=True,
                              stderr=subprocess.PIPE)
        if done.returncode != 0:
            sys.exit(done.stderr)
        return json.loads(done.stdout.splitlines()[-1])

    def config(self, clips, models, **stream_keys):
        text = "models:\n" + "".join(f"  m{i}: {{ source: {self.model(m)} }}\n" for i, m in enumerate(models))
        text += "streams:\n"
        for i, clip in enumerate(clips):
            text += f"  s{i}:\n    source: {self.clip(clip)}\n"
            text += "".join(f"    {key}: {value}\n" for key, value in stream_keys.items())
            text += "    tasks: [ " + ", ".join(f"{{ model: m{m} }}" for m in range(len(models))) + " ]\n"
        path = self.folder / "edge.yaml"
        path.write_text(text)
        return path

    # Everything outside decoding and the engine's kernels, as a share of the CPU time; 8 streams x 2 models.
    def overhead(self):
        path = self.config(CLIPS_640 * 2, ["onnx/yolox_nano", "onnx/ultraface_rfb_320"], loop="true")
        events = self.folder / "events.ndjson"
        events.unlink(missing_ok=True)
        summary = self.run(path, "--duration", "15s", "--events", events)
        seconds = summary["elapsed_s"]
        decode = sum(s["decode_core_ms_per_s"] for s in summary["streams"]) * seconds / 1000
        infer = sum(t["core_ms_per_s"]["infer"] for t in summary["tasks"]) * seconds / 1000
        scale = sum(t["core_ms_per_s"]["scale"] for t in summary["tasks"]) * seconds / 1000
        post = sum(t["core_ms_per_s"]["post"] for t in summary["tasks"]) * seconds / 1000
        cpu = summary["process"]["cpu_s"]
        return {"outside_share": (cpu - decode - infer) / cpu, "scale_share": scale / cpu, "post_share": post / cpu,
                "decode_share": decode / cpu, "infer_share": infer / cpu}

    # 8 paced streams x 1 light model: lanes that woke without finding a job; I/O threads wake for a packet only.
    def wakeups(self):
        path = self.config(CLIPS_640 * 2, ["tflite/vww_96/vww_96_float.tflite"], loop="true")
        summary = self.run(path, "--duration", "8s")
        jobs = sum(core["jobs"] for core in summary["cores"])
        wakeups = sum(core["wakeups"] for core in summary["cores"])
        return {"wakeups_per_job": wakeups / jobs, "busy_share": summary["process"]["cpu_s"] / summary["elapsed_s"]}

    # The same streams with nothing due: share of one core.
    def idle(self):
        path = self.config(CLIPS_640 * 2, ["tflite/vww_96/vww_96_float.tflite"], speed="0.001")
        with_start = self.run(path, "--duration", "2s")
        long = self.run(path, "--duration", "12s")
        cpu = long["process"]["cpu_s"] - with_start["process"]["cpu_s"]
        return {"idle_share": cpu / (long["elapsed_s"] - with_start["elapsed_s"])}

    # From the start of the process to the first result on standard output.
    def first_result(self):
        process = subprocess.Popen([self.program, "run", "--source", self.clip(CLIPS_640[0]), "--model",
                                    self.model("onnx/yolox_nano"), "--events", "-"], stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, text=True)
        began = time.monotonic()
        for line in process.stdout:
            if '"type":"result"' in line:
                break
        took = time.monotonic() - began
        process.terminate()
        process.communicate()
        return {"first_result_s": took}

    # Peak memory against 150 MB + 25 MB a 1080p stream + 1.3 x weights.
    def memory(self):
        models = ["onnx/yolox_nano/yolox_nano.onnx", "onnx/ultraface_rfb_320/version-RFB-320.onnx"]
        weights = sum(self.model(m).stat().st_size for m in models) / 1e6
        result = {}
        for streams in (1, 4, 8):
            path = self.config((CLIPS_1080 * 4)[:streams], models, loop="true")
            summary = self.run(path, "--duration", "6s")
            result[f"peak_mb_{streams}_streams"] = summary["process"]["peak_memory_mb"]
            result[f"limit_mb_{streams}_streams"] = 150 + 25 * streams + 1.3 * weights
        return result

    # A 30 fps clip at four times its speed: every time stamp there, no packet refused.
    def fast_source(self):
        path = self.config(CLIPS_640[:1], ["tflite/vww_96/vww_96_float.tflite"], speed="4")
        events = self.folder / "fast.ndjson"
        events.unlink(missing_ok=True)
        summary = self.run(path, "--events", events)
        task = summary["tasks"][0]
        times = [json.loads(line) for line in events.read_text().splitlines() if '"type":"result"' in line]
        step = [b["pts_us"] - a["pts_us"] for a, b in zip(times, times[1:]) if b["frame"] == a["frame"] + 1]
        return {"captured_per_s": task["captured"] / summary["elapsed_s"], "captured": task["captured"],
                "done": task["done"], "refused_by_full_queue": task["reasons"].get("decoder_behind", 0),
                "largest_step_error_us": max(abs(s - statistics.median(step)) for s in step),
                "p95_ms": task["latency_ms"]["p95"]}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default=str(REPOSITORY / "build" / "release" / "bin" / "deepedge"))
    parser.add_argument("--testdata", type=pathlib.Path,
                        default=os.environ.get("DEEPEDGE_TESTDATA", REPOSITORY.parent / "shared" / "testdata"))
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--only", help="one of: overhead, wakeups, idle, first_result, memory, fast_source")
    arguments = parser.parse_args()
    bench = Bench(arguments.program, pathlib.Path(arguments.testdata))
    for name in ["overhead", "wakeups", "idle", "first_result", "memory", "fast_source"]:
        if arguments.only not in (None, name):
            continue
        runs = [getattr(bench, name)() for _ in range(arguments.repetitions)]
        print(name)
        for key in runs[0]:
            values = [run[key] for run in runs]
            print(f"  {key}: median {statistics.median(values):.4g}  ({', '.join(f'{v:.4g}' for v in values)})", flush=True)


if __name__ == "__main__":
    main()
