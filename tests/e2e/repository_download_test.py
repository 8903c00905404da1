"""Downloads into the model repository from a server that misbehaves."""
import time

import harness
from fake_hub import always, cut_after, endless, gzipped, piece, redirect_to, says_length, slow, status
from repository_case import RepositoryCase, sha256


class RepositoryDownloadTest(RepositoryCase):
    def test_refuses_what_a_server_should_not_do(self):
        path = self.hub.put_plain("net.onnx", self.bin)
        secret = self.hub.url.replace("//", "//user:geheim@") + "/net.onnx"
        cases = {
            "404": (status(404), 2, ["/net.onnx", "404"]),
            "forbidden": (status(403), 1, ["403", "not allowed"]),
            "rate": (status(403, X_RateLimit_Remaining="0", Retry_After="60"), 1, ["too many requests", "60 s"]),
            "429": (status(429), 1, ["too many requests"]),
            "500": (status(500), 1, ["500"]),
            "file": (redirect_to("file:///etc/passwd"), 2, ["file:///etc/passwd", "refused"]),
            "ftp": (redirect_to("ftp://127.0.0.1/x"), 2, ["ftp://", "refused"]),
            "http": (redirect_to("http://example.org/x"), 2, ["http://example.org/x", "refused"]),
            "loop": (redirect_to(path), 2, ["redirects"]),
            "nowhere": (status(302), 1, ["302"]),
            "endless": (endless(), 2, ["--max-size"]),
            "large": (says_length(3_000_000), 2, ["3000000 bytes", "--max-size"]),
            "gzip": (gzipped(True), 1, ["gzip"]),
            "stalls": (slow(10, seconds=20), 1, ["no progress"]),
        }
        for name, (fault, code, words) in cases.items():
            with self.subTest(name):
                self.hub.faults["/net.onnx"] = [always(fault)]
                start = time.monotonic()
                err = self.refused("add", secret, "--max-size", "2", "--timeout", "1", code=code, words=words)
                self.assertLess(time.monotonic() - start, 30)
                self.assertNotIn("geheim", err)
                self.assertEqual(self.names(), {})

    def test_wrong_hash_and_wrong_length(self):
        self.put_model()
        err = self.refused("add", "o/r@main:nets/scene.xml", "--sha256", "0" * 64, words=["0" * 64, sha256(self.xml)])
        self.assertIn("scene.xml", err)
        self.refused("add", self.model / "scene.xml", "--sha256", "0" * 64, words=["0" * 64])
        self.refused("add", self.model / "scene.xml", "--sha256", "xyz", words=["--sha256"])
        # Fewer bytes than there are: the hash tells.
        self.hub.faults["/storage/raw/o/r/main/nets/scene.xml"] = [always(says_length(100))]
        self.refused("add", "o/r@main:nets/scene.xml", "--sha256", sha256(self.xml), words=["sha256"])
        self.assertEqual(self.names(), {})
        self.hub.faults.clear()
        self.good("add", "o/r@main:nets/scene.xml", "--sha256", sha256(self.xml), "--card", self.card)

    def test_tries_again_and_resumes(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [status(500), cut_after(100_000), status(503), cut_after(200_000)]
        self.hub.faults["/raw/o/r/main/nets/scene.xml"] = [status(502)]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        ranges = [headers.get("Range") for headers in self.hub.asked(storage)]
        self.assertEqual(ranges, [None, None, "bytes=100000-", "bytes=100000-", "bytes=300000-"])
        self.assertTrue(self.hub.asked(storage)[-1]["If-Range"].startswith('"'))
        self.good("run", "scene", self.picture)

    def test_a_piece_is_not_the_whole(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [cut_after(100_000), piece(100)]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual([headers.get("Range") for headers in self.hub.asked(storage)],
                         [None, "bytes=100000-", "bytes=100100-"])
        self.assertEqual(self.good("show", "scene")["files"][0]["sha256"], sha256(self.bin))
        self.hub.faults[storage] = [cut_after(100_000), always(piece(0))]
        self.refused("add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "n", code=1,
                     words=["scene.bin", "stops after 100000"])

    def test_a_file_that_shrank_is_read_from_its_start(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [cut_after(100_000), piece(0, total=5)]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual([headers.get("Range") for headers in self.hub.asked(storage)], [None, "bytes=100000-", None])

    def test_the_next_run_goes_on(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.faults[storage] = [cut_after(150_000), always(cut_after(0))]
        self.refused("add", "o/r@main:nets/scene.xml", "--card", self.card, code=1, words=["scene.bin"])
        self.assertEqual(self.names(), {})
        self.hub.faults.clear()
        self.hub.requests.clear()
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.hub.asked(storage)[0]["Range"], "bytes=150000-")
        self.good("run", "scene", self.picture)

    def test_a_changed_file_is_read_from_its_start(self):
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        right, wrong = self.bin, bytes(reversed(self.bin))
        self.hub.files[storage] = wrong
        self.hub.faults[storage] = [cut_after(150_000), always(cut_after(0))]
        self.refused("add", "o/r@main:nets/scene.xml", "--card", self.card, code=1)
        self.hub.faults.clear()
        self.hub.files[storage] = right
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.good("show", "scene")["files"][0]["sha256"], sha256(right))

    def test_encoding_is_not_asked_for(self):
        self.put_model()
        self.hub.faults["/storage/raw/o/r/main/nets/scene.xml"] = [always(gzipped(False))]
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card)
        self.assertEqual(self.good("show", "scene")["files"][1]["sha256"], sha256(self.xml))


if __name__ == "__main__":
    harness.main()
