"""mete run --page, from the outside. SPDX-License-Identifier: BSD-3-Clause"""
import re

from mete_cli import MeteCase, main

BOARD = """benchmark,core_mhz,time,power_w
work,500,20,50
work,750,12,70
work,1000,10,100
"""


class RunPage(MeteCase):
    def page(self, *more, program="work:20s"):
        with open(self.path("tiny.csv"), "w", encoding="utf-8") as out:
            out.write(BOARD)
        self.mete("run", "--board", self.path("tiny.csv"), "--agent", "frontier",
                  "--page", self.path("p.html"), *more, "--", program)
        return self.text("p.html")

    def test_the_best_clock_is_that_of_the_table(self):
        # Times 2, 1.2, 1 and energies 1, 0.84, 1 of the top clock's: within 30 % the middle one.
        page = self.page("--policy", "MAX_SLOWDOWN=0.3")
        row = re.search(r"<tr[^>]*>\s*<t[hd][^>]*>best clock there was.*?</tr>", page, re.S)
        self.assertIsNotNone(row)
        cells = re.sub(r"<[^>]*>|\s|\u00a0", " ", row.group(0))
        for figure in ("+20.0", "\u221216.0", "750.0"):
            self.assertIn(figure, cells)

    def test_it_stands_alone_and_lies_beside_its_files(self):
        page = self.page()
        self.assertIn("replayed", page.lower())
        for outside in ("src=\"http", "href=\"http", "<link", "@import"):
            self.assertNotIn(outside, page)
        self.assertIn("TIME|", self.text("p.trace"))
        self.assertIn("Hosts", self.text("p.report"))

    def test_a_place_that_cannot_be_written(self):
        self.refused("run", "--board", "v100", "--page", "/proc/x.html", "--", "vectorAdd:1s",
                     says=["/proc/x"])
        self.refused("run", "--board", "v100", "--page", self.path(), "--", "vectorAdd:1s",
                     says=["is a folder"])


if __name__ == "__main__":
    main()
