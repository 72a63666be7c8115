"""mete tune, end to end. SPDX-License-Identifier: BSD-3-Clause"""
import json
import math
import os
import statistics

from mete_cli import MeteCase, main


class Tune(MeteCase):
    QUICK = ["--board", "v100", "--trials", "2", "--repeats", "3", "--epochs", "3"]

    def tune(self, *more, out="t", program="BlackScholes:3s"):
        stdout, _ = self.mete("tune", *self.QUICK, "--out", out, "--json", *more, "--", program)
        return json.loads(stdout)

    def test_figures_hang_together(self):
        result = self.tune("--phi", "1")
        self.assertEqual(result, self.load("t", "tune.json"))
        self.assertEqual(result["source"], "replayed")
        arms = {arm["name"]: arm for arm in result["arms"]}
        base = arms["baseline"]
        for name, arm in arms.items():
            if name == "baseline":
                continue
            for what, change in (("runtime", "time_change"), ("energy", "energy_change")):
                logs = [math.log(a / b) for a, b in zip(arm[what], base[what])]
                expected = math.exp(statistics.mean(logs)) - 1
                self.assertAlmostEqual(arm[change]["estimate"], expected, places=9)
                self.assertLessEqual(arm[change]["low"], expected)
                self.assertGreaterEqual(arm[change]["high"], expected)
        # phi 1 is the clock of least mean energy, by a plain search.
        best = min(result["sweep"], key=lambda c: c["energy"])
        self.assertEqual(result["choice"]["fixed_clock"], best["clock"])
        for run in result["runs"]:
            self.assertTrue(os.path.exists(self.path(run["report"])))
            self.assertTrue(os.path.exists(self.path(run["trace"])))

    def test_arms_are_interleaved(self):
        runs = self.tune("--phi", "1")["runs"]
        arms = {run["arm"] for run in runs}
        for repeat in (1, 2, 3):
            mine = [run for run in runs if run["repeat"] == repeat]
            self.assertEqual({run["arm"] for run in mine}, arms)
            orders = sorted(run["order"] for run in mine)
            self.assertEqual(orders, list(range(orders[0], orders[0] + len(arms))))

    def test_the_page_stands_alone_and_says_replayed(self):
        self.tune("--phi", "1")
        page = self.text("t", "tune.html")
        self.assertIn("replayed", page.lower())
        self.assertIn("BlackScholes", page)
        for outside in ("src=\"http", "href=\"http", "<link", "@import"):
            self.assertNotIn(outside, page)

    def test_the_same_seed_gives_the_same_answer(self):
        def answer(out, seed):
            result = self.tune("--seed", seed, out=out)
            return {k: result[k] for k in ("sweep", "arms", "choice")}
        first = answer("a", "4")
        self.assertEqual(first, answer("b", "4"))
        self.assertEqual(first, answer("a", "4"), "resumed on its own sweep")
        self.assertNotEqual(first, answer("c", "5"))

    def test_a_slowdown_is_kept_by_the_choice(self):
        for bound in ("0%", "5%", "0.3"):
            result = self.tune("--max-slowdown", bound, out="t" + bound.strip("%"))
            limit = result["goal"]["max_slowdown"]
            allowed = [c for c in result["sweep"] if c["slowdown"] <= limit]
            best = min(allowed, key=lambda c: c["energy"])
            self.assertEqual(result["choice"]["fixed_clock"], best["clock"])
            for arm in result["arms"][1:]:
                broken = arm["time_change"]["estimate"] > limit
                said = any("breaks the bound" in c and arm["name"] in c for c in result["cautions"])
                self.assertEqual(broken, said)
                if broken:
                    self.assertNotEqual(result["recommended"]["arm"], arm["name"])

    def test_a_given_model_is_used(self):
        if self.tune("--phi", "0.5")["model"]["path"] is None:
            self.skipTest("this build has no libtorch, and trains no model")
        out, _ = self.mete("tune", "--board", "v100", "--trials", "2", "--repeats", "2", "--model",
                           "t/model.pt", "--out", "u", "--json", "--", "BlackScholes:3s")
        self.assertTrue(json.loads(out)["model"]["given"])

    def test_a_board_without_activities_is_tuned_without_a_model(self):
        out, _ = self.mete("tune", "--board", "jetson-agx", "--phi", "1", "--repeats", "3", "--trials",
                           "1", "--out", "t", "--json", "--", "gemm-float-1024:3s")
        result = json.loads(out)
        self.assertIsNone(result["model"]["path"])
        self.assertIn("ACTIVITY", result["model"]["absent"])
        self.assertEqual([arm["name"] for arm in result["arms"]], ["baseline", "fixed"])
        self.assertTrue(any("torch: not run" in c for c in result["cautions"]))

    def test_wrong_input(self):
        for words, says in (
                (["--phi", "1.5"], "--phi"), (["--phi", "nan"], "--phi"),
                (["--phi", "0.5", "--max-slowdown", "5%"], "give one"),
                (["--max-slowdown", "10"], "10%"), (["--max-slowdown", "fast"], "10%"),
                (["--repeats", "0"], "--repeats"), (["--trials", "0"], "--trials"),
                (["--clocks", "1380MHz"], "one clock"), (["--clocks", "900MHz,1380MHz"], "945 MHz")):
            self.refused("tune", "--board", "v100", *words, "--out", "t", "--", "vectorAdd:1s",
                         says=[says])
        self.refused("tune", "--board", "v100", "--out", "t", says=["nothing to tune"])
        self.refused("tune", "--board", "v100", "--out", "t", "--", "vectorAd", says=["vectorAdd"])
        self.refused("tune", "--board", "v100", "--out", "/dev/null/x", "--", "vectorAdd:1s", says=["/dev/null"])

    def test_a_machine_without_a_clock_to_set(self):
        os.mkdir(self.path("root"))
        self.environment["METE_SYS_ROOT"] = self.path("root")
        self.refused("tune", "--out", "t", "--", "true", code=1, says=["mete doctor"])
        self.assertFalse(os.path.exists(self.path("t")))


if __name__ == "__main__":
    main()
