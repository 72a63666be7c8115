// The style of figures and pages. Colours: Okabe and Ito's set for colour-blind readers (2008),
// lightened for dark backgrounds; roles differ in shape or dashes too. SPDX-License-Identifier:
// BSD-3-Clause
#include "mete/plot/markup.h"

namespace mete {

std::string_view figure_style() {
  return R"css(
:root{color-scheme:light dark;--bg:#fff;--card:#fff;--ink:#1b1f24;--soft:#58606b;--hair:#e3e6ea;--line:#c4c9d0;
--swept:#0072b2;--base:#5d6570;--chosen:#c04e00;--agent:#008a63;--bound:#8a4f7d;--a:#b8860b;--b:#3d9bd6;--c:#c04e00;
--shade:#8a4f7d14;--plot:#fafbfc;--warn:#8a3b00;--warnbg:#fff3e6;--good:#00704f;--bad:#b03a00;--mark:#fff6e0}
@media (prefers-color-scheme:dark){:root{--bg:#14171b;--card:#1a1e23;--ink:#e8eaed;--soft:#a3abb6;--hair:#2b3138;
--line:#464e58;--swept:#56b4e9;--base:#aab2bd;--chosen:#ff9a4d;--agent:#35c99a;--bound:#d9a0cc;--a:#f0c23c;--b:#8fd0ff;
--c:#ff9a4d;--shade:#d9a0cc1c;--plot:#1e2329;--warn:#ffb782;--warnbg:#3a2716;--good:#4fd6aa;--bad:#ff9a6b;--mark:#3a3120}}
.fig{max-width:100%;height:auto;font:12px system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow:visible}
.fig text{fill:var(--ink)}
.fig .tk,.fig .rt{fill:var(--soft);font-variant-numeric:tabular-nums}
.fig .rt{font-size:11px;fill:var(--bound)}
.fig .at{fill:var(--soft)}.fig .pt{font-weight:600}.fig .nt{fill:var(--soft);font-style:italic}
.fig .lb{font-size:11px;paint-order:stroke;stroke:var(--plot);stroke-width:3px;stroke-linejoin:round}
.fig .bg{fill:var(--plot)}.fig .no{fill:none;stroke:var(--line);stroke-dasharray:3 4}
.fig .gr{stroke:var(--hair);fill:none}.fig .zr{stroke:var(--soft);fill:none}
.fig .sh{fill:var(--shade)}.fig .rl{stroke:var(--bound);stroke-width:1.5;stroke-dasharray:6 4;fill:none}
.r-swept{--k:var(--swept)}.r-base{--k:var(--base)}.r-chosen{--k:var(--chosen)}.r-agent{--k:var(--agent)}
.r-bound{--k:var(--bound)}.r-a{--k:var(--a)}.r-b{--k:var(--b)}.r-c{--k:var(--c)}
.ln{stroke:var(--k);fill:none;stroke-width:1.6;stroke-linejoin:round;stroke-linecap:round}
.ln.r-base{stroke-width:1.3}.ln.thin{stroke-width:1.2;stroke-opacity:.55}.ln.dash{stroke-dasharray:5 4}
.mk{fill:var(--k);stroke:var(--plot);stroke-width:1}
.ft .mk{fill-opacity:.55}
.ring{fill:none;stroke:var(--k);stroke-width:2.4}
.bx{fill:var(--k);fill-opacity:.5;stroke:var(--plot);stroke-width:.4}.p:hover .bx{fill-opacity:.9;stroke:var(--ink)}
.lanes .bx{fill-opacity:.8;stroke:none}
.bar{fill:var(--k);fill-opacity:.85}.eb{stroke:var(--k);stroke-width:1.5;fill:none}
.p .bar+.eb,.p .bar~.eb{stroke:var(--ink)}
.fig .lb.r-chosen,.fig .lb.r-agent,.fig .lb.r-base{fill:var(--k);font-weight:600}
.p{outline:none}.p:hover .mk,.p:focus .mk{stroke:var(--ink);stroke-width:2}
)css";
}

std::string_view page_style() {
  return R"css(
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.55 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
main{max-width:940px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 4px;overflow-wrap:anywhere}
h2{font-size:1.15rem;line-height:1.3;margin:0 0 10px}
.sub{color:var(--soft);margin:0 0 10px;overflow-wrap:anywhere}
.lede{font-size:1.06rem;max-width:70ch;margin:16px 0 0}
section{margin:40px 0 0}
.heads{display:flex;flex-wrap:wrap;gap:14px;margin:24px 0 0;padding:0}
.head{flex:1 1 220px;border:1px solid var(--hair);border-top:4px solid var(--line);border-radius:6px;padding:12px 16px 14px;background:var(--card);min-width:0}
.head.good{border-top-color:var(--agent)}.head.bad{border-top-color:var(--chosen)}
.head dt{color:var(--soft);font-size:.92rem}.head dd{margin:0}
.big{font-size:2.3rem;line-height:1.15;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
.good .big{color:var(--good)}.bad .big{color:var(--bad)}
.iv{font-variant-numeric:tabular-nums}.nb{color:var(--soft);font-size:.86rem;margin-top:4px}
.bd{display:inline-block;font-size:.74rem;line-height:1;letter-spacing:.05em;text-transform:uppercase;font-weight:650;padding:4px 7px;border-radius:4px;border:1px solid var(--line);color:var(--soft);margin:0 6px 4px 0;vertical-align:2px;cursor:help}
.bd.w{color:var(--warn);background:var(--warnbg);border-color:currentColor}
.care{border-left:4px solid var(--warn);background:var(--warnbg);padding:10px 16px;margin:20px 0 0;border-radius:0 6px 6px 0}
.care p{margin:0}.care p+p{margin-top:6px}
figure{margin:0}figcaption{color:var(--soft);font-size:.92rem;max-width:75ch;margin-top:8px}
.narrow{display:none}
.tw{overflow-x:auto}
table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums;min-width:50%}
th,td{padding:5px 12px 5px 0;text-align:left;border-bottom:1px solid var(--hair);vertical-align:top}
th{font-weight:600;border-bottom-color:var(--line)}
.n{text-align:right;padding:5px 12px}tr.m td{background:var(--mark);font-weight:600}
details{margin-top:8px;font-size:.9rem}summary{cursor:pointer;color:var(--soft)}details .tw{margin-top:8px;max-height:420px;overflow:auto}
a{color:var(--swept)}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0;font-size:.92rem}
.facts dt{color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere}
code{font:.92em ui-monospace,Menlo,Consolas,monospace;overflow-wrap:anywhere}
.txt p{max-width:72ch;margin:0 0 10px}
footer{color:var(--soft);font-size:.84rem;margin-top:48px;border-top:1px solid var(--hair);padding-top:12px}
#tip{position:absolute;z-index:9;pointer-events:none;background:var(--ink);color:var(--bg);font-size:12.5px;line-height:1.4;padding:6px 9px;border-radius:5px;white-space:pre-line;max-width:290px;font-variant-numeric:tabular-nums}
#tip[hidden]{display:none}
.xh{stroke:var(--ink);stroke-width:1;stroke-dasharray:2 2;pointer-events:none}
.lg{cursor:default}svg.hl .s{opacity:.18}svg.hl .s.on{opacity:1}
@media (max-width:620px){main{padding:20px 14px 40px}.wide{display:none}.narrow{display:block}h1{font-size:1.4rem}
.big{font-size:1.9rem}dl.facts{display:block}.facts dd{margin-bottom:8px}}
@media print{:root{--bg:#fff;--card:#fff;--ink:#000;--soft:#444;--hair:#ddd;--line:#999;--swept:#0072b2;--base:#5d6570;--chosen:#c04e00;--agent:#008a63;--bound:#8a4f7d;--a:#b8860b;--b:#3d9bd6;--c:#c04e00;--plot:#fff;--shade:#8a4f7d14;--warn:#8a3b00;--warnbg:#fff3e6;--good:#00704f;--bad:#b03a00;--mark:#fff6e0}
body{font-size:11pt}main{max-width:none;padding:0}section,.head,figure{break-inside:avoid}.wide{display:block}.narrow,.dl,#tip{display:none}
section{margin-top:24px}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
)css";
}

}  // namespace mete
