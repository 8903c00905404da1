"""`deepedge profile` and `deepedge plan --fit`: a box is calibrated, a model profiled, a configuration judged by it."""
import json
import unittest

import harness
import scene


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class ProfileTest(harness.EndToEndTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = scene.write_model(cls.folder / "scene")
        cls.clip = cls.folder / "yard.mp4"
        scene.write_video(cls.clip, seed=1, frames=25)
        cls.state = cls.folder / "state"
        # As short as may be: some networks are always measured.
        outcome = harness.run("profile", "--calibrate", "--calibrate-seconds", "2", "--state-dir", cls.state)
        assert outcome.code == 0, outcome.err
        outcome = harness.run("profile", cls.model, "--seconds", "4", "--state-dir", cls.state, "--json")
        assert outcome.code == 0, outcome.err
        cls.profile = json.loads(outcome.out)

    def profile_verb(self, *arguments):
        return harness.run("profile", *arguments, "--state-dir", self.state)

    def test_a_profile_holds_every_setting_with_its_error(self):
        self.assertEqual(self.profile["generation"], 1)
        costs = {cost["setting"]: cost for cost in self.profile["costs"]}
        own = costs["fp32@128x128"]
        self.assertGreaterEqual(own["probes"], 3, "its own setting is measured")
        self.assertTrue(any(cost["probes"] == 0 for cost in costs.values()), "others are predicted")
        for name, cost in costs.items():
            self.assertGreater(cost["median_us"], 0, name)
            self.assertGreaterEqual(cost["p99_us"], cost["median_us"], name)
            self.assertGreater(cost["log_sd"], 0, name)
            self.assertGreater(cost["memory_bytes"], 0, name)
            self.assertGreaterEqual(len(cost["stages"]), 1, name)

    def test_profiles_are_listed_explained_and_compared(self):
        self.assertIn("scene", self.profile_verb("--list").out)
        explained = self.profile_verb("--explain", self.model)
        self.assertEqual(explained.code, 0, explained.err)
        self.assertIn("bound by", explained.out)
        same = self.profile_verb("--compare", self.model, self.model)
        self.assertEqual(same.code, 0, same.err)
        unknown = self.profile_verb("--compare", self.model, "nobody")
        self.assertEqual(unknown.code, 2)
        self.assertIn("no profile of 'nobody'", unknown.err)

    def test_what_was_learned_moves_to_another_folder(self):
        file = self.folder / "profiles.ndjson"
        self.assertEqual(self.profile_verb("--export", file).code, 0)
        other = self.folder / "other"
        taken = harness.run("profile", "--import", file, "--state-dir", other)
        self.assertEqual(taken.code, 0, taken.err)
        self.assertIn("added", taken.out)
        listed = harness.run("profile", "--list", "--state-dir", other)
        self.assertIn("scene", listed.out)
        file.write_text("{nonsense\n")
        self.assertEqual(harness.run("profile", "--import", file, "--state-dir", other).code, 2)

    def fit(self, name, streams, task="{ model: scene }"):
        path = self.folder / f"{name}.yaml"
        lines = "".join(f"  s{i}: {{ source: {self.clip}, tasks: [ {task} ] }}\n" for i in range(streams))
        path.write_text(f"state_dir: {self.state}\nmodels: {{ scene: {{ source: {self.model} }} }}\nstreams:\n{lines}")
        return harness.run("plan", "--fit", path, "--json")

    def test_little_fits_and_too_much_is_said_to_be_short(self):
        one = self.fit("one", 1, "{ model: scene, max_rate: 1 }")
        self.assertEqual(one.code, 0, one.err)
        answer = json.loads(one.out)
        self.assertEqual(answer["fit"], "all")
        self.assertEqual([task["rate"] for task in answer["tasks"]], [1])
        # A thousand times more than anything can do.
        cost = next(c for c in self.profile["costs"] if c["setting"] == "fp32@128x128")
        needed = int(64 * 1e6 / max(cost["median_us"], 1) / 10) + 40
        many = json.loads(self.fit("many", min(needed, 400), "{ model: scene, min_rate: 20 }").out)
        if many["least_cores"] > many["capacity_cores"]:
            self.assertEqual(many["fit"], "not")
            self.assertGreater(many["short_of_least_cores"], 0)
        self.assertGreater(many["least_cores"], answer["least_cores"])

    def test_a_model_without_a_profile_is_named(self):
        path = self.folder / "unknown.yaml"
        path.write_text(f"state_dir: {self.folder / 'empty'}\nmodels: {{ scene: {{ source: {self.model} }} }}\n"
                        f"streams: {{ a: {{ source: {self.clip}, tasks: [ {{ model: scene }} ] }} }}\n")
        outcome = harness.run("plan", "--fit", path)
        self.assertEqual(outcome.code, 2)
        self.assertIn("model 'scene': no profile on this box", outcome.err)


if __name__ == "__main__":
    harness.main()
