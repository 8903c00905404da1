#!/usr/bin/env python3
"""Tests of the fixtures: rtsp_server (its program is the argument) and tcp_proxy.py, with ffmpeg as the client."""

import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SERVER = sys.argv.pop(1) if len(sys.argv) > 1 else "rtsp_server"
PROXY = pathlib.Path(__file__).resolve().parent.parent / "tcp_proxy.py"
SKIPPED = 77


def start(*command):
    """Starts a fixture and returns it with its port."""
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    word, _, port = process.stdout.readline().partition(" ")
    assert word == "port", word
    return process, int(port)


def stop(process):
    process.kill()
    process.communicate()


def tell(proxy, command):
    proxy.stdin.write(command + "\n")
    proxy.stdin.flush()
    return proxy.stdout.readline().strip()


def play(port, path, frames):
    return subprocess.Popen(["ffmpeg", "-nostdin", "-v", "error", "-progress", "-", "-analyzeduration", "100000",
                             "-rtsp_transport", "tcp",
                             "-i", f"rtsp://127.0.0.1:{port}{path}", "-frames:v", str(frames), "-f", "null", "-"],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def frames_played(client):
    out, _ = client.communicate(timeout=60)
    return max((int(line[6:]) for line in out.splitlines() if line.startswith("frame=")), default=0)


class Fixtures(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        clip = pathlib.Path(cls.folder.name) / 'a "clip".mp4'
        subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25",
                        "-frames:v", "50", "-c:v", "libx264", "-pix_fmt", "yuv420p", str(clip)], check=True)
        cls.server, cls.port = start(SERVER, "--port", "0", "--mount", f"/clip={clip}",
                                     "--pattern", "/h264=320x240@25", "--pattern", "/jpeg=160x128@25,jpeg")
        cls.addClassCleanup(stop, cls.server)

    def start_proxy(self, *options):
        proxy, port = start(sys.executable, str(PROXY), "--to", str(self.port), *options)
        self.addCleanup(stop, proxy)
        return proxy, port

    def test_a_clip_is_served_whole_at_its_own_speed(self):
        begin = time.monotonic()
        self.assertGreaterEqual(frames_played(play(self.port, "/clip", 45)), 45)
        self.assertGreater(time.monotonic() - begin, 1.2)  # 45 frames last 1.8 s

    def test_patterns_are_served(self):
        self.assertEqual(frames_played(play(self.port, "/h264", 20)), 20)
        self.assertEqual(frames_played(play(self.port, "/jpeg", 5)), 5)

    def test_several_clients_watch_one_pattern(self):
        clients = [play(self.port, "/h264", 20) for _ in range(4)]
        self.assertEqual([frames_played(client) for client in clients], [20] * 4)

    def test_the_proxy_forwards_late(self):
        proxy, port = self.start_proxy("--delay", "30", "--jitter", "10")
        self.assertEqual(frames_played(play(port, "/h264", 20)), 20)
        self.assertGreater(int(tell(proxy, "count").split()[2]), 1000)

    def test_a_cut_ends_the_stream_and_the_next_connection_works(self):
        proxy, port = self.start_proxy()
        client = play(port, "/h264", 1000)
        while int(tell(proxy, "count").split()[2]) < 20000:
            time.sleep(0.02)
        self.assertEqual(tell(proxy, "cut"), "ok")
        self.assertLess(frames_played(client), 1000)
        self.assertEqual(frames_played(play(port, "/h264", 5)), 5)

    def test_a_stalled_stream_goes_on(self):
        proxy, port = self.start_proxy()
        client = play(port, "/h264", 50)
        while int(tell(proxy, "count").split()[2]) < 10000:
            time.sleep(0.02)
        tell(proxy, "stall")
        time.sleep(0.5)
        self.assertIsNone(client.poll())
        tell(proxy, "go")
        self.assertEqual(frames_played(client), 50)

    def test_a_closed_port_refuses_and_opens_again(self):
        proxy, port = self.start_proxy()
        self.assertEqual(tell(proxy, "refuse"), "ok")
        self.assertEqual(frames_played(play(port, "/h264", 5)), 0)
        self.assertEqual(tell(proxy, "accept"), "ok")
        self.assertEqual(frames_played(play(port, "/h264", 5)), 5)

    def test_unknown_commands_are_named(self):
        proxy, _ = self.start_proxy()
        self.assertEqual(tell(proxy, "explode"), "error: unknown command 'explode'")
        self.assertTrue(tell(proxy, "delay soon").startswith("error: "))

    def test_the_server_ends_well_when_asked_to(self):
        server, port = start(SERVER, "--pattern", "/p=160x128@10")
        client = play(port, "/p", 1000)
        time.sleep(0.5)
        server.send_signal(signal.SIGTERM)
        self.assertEqual(server.wait(timeout=10), 0)
        server.communicate()
        frames_played(client)


if __name__ == "__main__":
    if not shutil.which("ffmpeg"):
        print("skipped: there is no ffmpeg")
        sys.exit(SKIPPED)
    unittest.main()
