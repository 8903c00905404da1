"""What `deepedge run` learns while it serves: measurements of models that nothing is known of, kept in the state folder."""
import json
import os
import sqlite3
import unittest

import harness
import scene


@unittest.skipUnless(scene.have_ffmpeg(), "ffmpeg is not there to make clips")
class ProfileWatchTest(harness.EndToEndTest):
    FRAMES = 60

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.model = scene.write_model(cls.folder / "scene")
        cls.clip = cls.folder / "yard.mp4"
        scene.write_video(cls.clip, seed=1, frames=cls.FRAMES)

    def configuration(self, name, state):
        path = self.folder / f"{name}.yaml"
        path.write_text(f"state_dir: {state}\nmodels: {{ scene: {{ source: {self.model} }} }}\n"
                        f"streams: {{ yard: {{ source: {self.clip}, tasks: [ {{ model: scene }} ] }} }}\n")
        return path

    def measurements(self, state):
        """What the store holds, as it is: rows of (setting, measurement)."""
        with sqlite3.connect(state / "profiles.db") as db:
            rows = db.execute("SELECT setting, json FROM measurements ORDER BY at_us").fetchall()
        return [(setting, json.loads(text)) for setting, text in rows]

    def test_a_model_without_a_profile_leaves_measurements(self):
        state = self.folder / "state"
        configuration = self.configuration("first", state)
        outcome = harness.run("run", configuration, "--pace", "fast", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        profile = outcome.summary()["profile"]
        self.assertEqual(profile["stages"], [], "nothing was predicted")
        self.assertEqual(profile["observed"], 0)
        self.assertEqual(profile["questions"], [])
        self.assertEqual(profile["lost"], 0)
        [served] = profile["served"]
        self.assertEqual((served["model"], served["setting"]), ("scene", "fp32@128x128"))
        self.assertEqual(served["runs"], self.FRAMES)
        self.assertGreater(served["median_ms"], 0)

        [(setting, measured)] = self.measurements(state)
        self.assertEqual(setting, served["setting"])
        self.assertEqual(measured["origin"], "serving")
        self.assertEqual(measured["runs"], self.FRAMES)
        self.assertAlmostEqual(measured["median_us"], 1000 * served["median_ms"], delta=1)

    def test_a_model_with_a_profile_is_compared_with_it(self):
        state = self.folder / "known"
        configuration = self.configuration("known", state)
        harness.run("run", configuration, "--pace", "fast")
        cost = {"precision": "fp32", "width": 128, "height": 128, "median_us": 900}
        with sqlite3.connect(state / "profiles.db") as db:
            [(box, sha256)] = db.execute("SELECT box, sha256 FROM measurements").fetchall()
            profile = {"model": "scene", "sha256": sha256, "box": box, "generation": 1, "created_us": 1,
                       "costs": [{**cost, "stages": [cost]}]}
            db.execute("INSERT INTO profiles (box, model, sha256, generation, created_us, reason, json) "
                       "VALUES (?, 'scene', ?, 1, 1, 'asked', ?)", (box, sha256, json.dumps(profile)))
        for time in (1, 2):  # the second goes on with what the first has learned
            outcome = harness.run("run", configuration, "--pace", "fast", "--json")
            self.assertEqual(outcome.code, 0, outcome.err)
            profile = outcome.summary()["profile"]
            self.assertEqual(profile["observed"] + profile["lost"], self.FRAMES)
            self.assertEqual(profile["served"], [])
            [stage] = profile["stages"]
            self.assertEqual((stage["model"], stage["setting"], stage["stage"]), ("scene", "fp32@128x128", 1))
            self.assertEqual(stage["solo_ms"], 0.9)
            self.assertEqual(stage["runs"], time * self.FRAMES)
            self.assertGreater(stage["actual_ms"], 0)
        self.assertEqual(len(self.measurements(state)), 1, "what is known is not measured again")
        with sqlite3.connect(state / "profiles.db") as db:
            [(setting, text)] = db.execute("SELECT setting, json FROM statistics").fetchall()
        self.assertEqual(setting, "fp32@128x128")
        self.assertEqual(json.loads(text)["runs"], 2 * self.FRAMES)

    def test_a_state_folder_that_cannot_be_used_is_said_and_costs_nothing(self):
        state = self.folder / "file"
        state.write_text("not a folder")
        outcome = harness.run("run", self.configuration("second", state), "--pace", "fast", "--json")
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertIn("not kept", outcome.err)
        self.assertEqual(outcome.err.count("warning"), 1, outcome.err)
        [served] = outcome.summary()["profile"]["served"]
        self.assertEqual(served["runs"], self.FRAMES)

    def test_without_a_configuration_the_users_state_folder_serves(self):
        home = self.folder / "home"
        outcome = harness.run("run", "--source", self.clip, "--model", self.model, "--pace", "fast", "--json",
                              env={**os.environ, "XDG_STATE_HOME": str(home)})
        self.assertEqual(outcome.code, 0, outcome.err)
        self.assertEqual(len(self.measurements(home / "deepedge")), 1)


if __name__ == "__main__":
    harness.main()
