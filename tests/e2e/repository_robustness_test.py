"""The model repository under attack: hostile archives, and being killed, disturbed or out of disk at any moment."""
import io
import os
import random
import resource
import subprocess
import tarfile
import time
import zipfile
from pathlib import Path

import harness
from fake_hub import slow
from repository_case import RepositoryCase, sha256


class RepositoryRobustnessTest(RepositoryCase):
    def test_archives_that_attack(self):
        def tar(*members):
            data = io.BytesIO()
            with tarfile.open(fileobj=data, mode="w:gz") as out:
                for name, kind, link in members:
                    member = tarfile.TarInfo(name)
                    member.type, member.linkname = kind, link
                    content = b"x" * 100 if kind == tarfile.REGTYPE else b""
                    member.size = len(content)
                    out.addfile(member, io.BytesIO(content))
            return data.getvalue()

        def bomb():
            data = io.BytesIO()
            with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as out:
                out.writestr("net.onnx", bytes(100 << 20))
            return data.getvalue()

        file, link, hard, device = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
        cases = {
            "absolute": (tar(("/tmp/deepedge_evil", file, "")), "absolute"),
            "up": (tar(("../../evil", file, "")), "'..'"),
            "link": (tar(("a", link, "/etc"), ("a/evil", file, "")), "symbolic link"),
            "hard link": (tar(("a", file, ""), ("b", hard, "a")), "link"),
            "device": (tar(("d", device, "")), "device"),
            "twice": (tar(("a", file, ""), ("a", file, "")), "twice"),
            "many": (tar(*((f"f{i}", file, "") for i in range(10_001))), "more than 10000 files"),
            "bomb": (bomb(), "200 times"),
            "cut off": (tar(("a", file, ""))[:50], "broken archive"),
            "no model": (tar(("a", file, "")), "holds no model"),
        }
        for name, (data, word) in cases.items():
            with self.subTest(name):
                url = self.hub.put_plain("evil.tar.gz", data)
                err = self.refused("add", url, words=[word, "evil.tar.gz"])
                self.assertNotIn(str(self.repository), err)
                path = self.folder / "evil.bin"
                path.write_bytes(data)
                self.refused("add", path, words=[word, "evil.bin"])
        self.assertFalse(Path("/tmp/deepedge_evil").exists())
        self.assertEqual(list(self.folder.rglob("evil")), [])
        self.assertEqual(self.names(), {})

    def test_killed_while_downloading(self):
        self.good("add", self.model, "--name", "scene")
        self.put_model()
        storage = "/storage/raw/o/r/main/nets/scene.bin"
        self.hub.put("o/r/main/nets/scene.xml", self.variant(2).joinpath("scene.xml").read_bytes())
        self.hub.faults[storage] = [slow(400_000)]
        process = harness.start("model", "add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "scene",
                                env=self.environment)
        while not self.hub.asked(storage):
            time.sleep(0.01)
        time.sleep(0.5)
        process.kill()
        harness.finish(process)
        self.assertEqual(self.names(), {"scene": 1})
        self.good("run", "scene", self.picture)
        self.good("add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", "scene")
        self.assertEqual(self.names(), {"scene": 2})
        self.good("run", "scene", self.picture)
        self.assert_nothing_left_over()

    def test_killed_at_any_moment(self):
        chance = random.Random(4)
        hashes = {sha256(self.variant(n).joinpath("scene.xml").read_bytes()) for n in range(4)}
        self.good("add", self.variant(0), "--name", "s")
        start = time.monotonic()
        self.good("add", self.variant(0), "--name", "s")
        whole = time.monotonic() - start
        for turn in range(24):
            process = harness.start("model", "add", self.variant(turn % 4), "--name", "s", env=self.environment)
            time.sleep(chance.uniform(0.2, 1.1) * whole)
            process.kill()
            harness.finish(process)
            shown = self.good("show", "s")
            self.assertIn(shown["files"][1]["sha256"], hashes)
            self.assertEqual(shown["card"]["sha256"], shown["files"][1]["sha256"])
            if turn % 6 == 0:
                self.assertEqual(len(self.good("run", "s", self.picture)["objects"]), 2)
        self.good("add", self.variant(9), "--name", "s")
        self.assert_nothing_left_over()
        self.assertEqual([path for path in (self.repository / "s").iterdir() if "tmp" in path.name], [])

    def test_disk_full(self):
        self.good("add", self.model, "--name", "scene")
        self.put_model()
        self.hub.put("o/r/main/nets/scene.xml", self.variant(2).joinpath("scene.xml").read_bytes())

        def no_large_files():
            resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

        err = self.refused("add", "o/r@main:nets/scene.xml", "--name", "scene", "--card", self.card, code=1,
                           words=["scene.bin", "too large"], preexec_fn=no_large_files)
        self.assertIn("kept for the next try", err)
        self.refused("add", self.variant(2), "--name", "scene", code=1, words=["scene.bin"], preexec_fn=no_large_files)
        self.assertEqual(self.names(), {"scene": 1})
        self.good("run", "scene", self.picture)
        self.hub.requests.clear()
        self.good("add", "o/r@main:nets/scene.xml", "--name", "scene", "--card", self.card)
        self.assertTrue(self.hub.asked("/storage/raw/o/r/main/nets/scene.bin")[0]["Range"].startswith("bytes="))

    def test_small_disk(self):
        self.repository.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1500k", "tmpfs", self.repository], capture_output=True)
        if mounted.returncode != 0:
            self.skipTest("may not mount a small disk")
        try:
            self.good("add", self.model, "--name", "scene")
            self.put_model()
            self.refused("add", "o/r@main:nets/scene.xml", "--name", "more", "--card", self.card, code=1,
                         words=["the disk is full"])
            self.refused("add", self.variant(2), "--name", "more", code=1, words=["No space left"])
            self.assertEqual(self.names(), {"scene": 1})
            self.good("run", "scene", self.picture)
        finally:
            subprocess.run(["umount", self.repository], check=True)

    def test_read_only_repository(self):
        self.repository.mkdir()
        as_root = os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "tmpfs", self.repository],
                                                       capture_output=True).returncode == 0
        if os.geteuid() == 0 and not as_root:
            self.skipTest("root may write everywhere, and may not mount a disk")
        self.good("add", self.model, "--name", "scene")
        try:
            if as_root:
                subprocess.run(["mount", "-o", "remount,ro", self.repository], check=True)
            else:
                for where, _, _ in os.walk(self.repository):
                    os.chmod(where, 0o555)
            word = "Read-only file system" if as_root else "Permission denied"
            self.assertEqual(self.names(), {"scene": 1})
            self.good("run", "scene", self.picture)
            for arguments in ("add", self.model, "--name", "other"), ("remove", "scene"), ("rollback", "scene"):
                self.refused(*arguments, words=[word])
        finally:
            if as_root:
                subprocess.run(["umount", self.repository], check=True)
            for where, _, _ in os.walk(self.repository):
                os.chmod(where, 0o755)

    def test_many_adds_at_once(self):
        self.put_model()
        processes = [harness.start("model", "add", self.variant(n), "--name", "s", env=self.environment) for n in range(4)]
        processes += [harness.start("model", "add", "o/r@main:nets/scene.xml", "--card", self.card, "--name", f"d{n}",
                                    env=self.environment) for n in range(2)]
        for process in processes:
            outcome = harness.finish(process)
            self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(self.good("show", "s")["versions"], [1, 2, 3, 4])
        self.assertEqual(self.names(), {"s": 4, "d0": 1, "d1": 1})
        self.assert_nothing_left_over()


if __name__ == "__main__":
    harness.main()
