"""A page in a real browser, headless: what it prints to the console, a picture of it, what a script finds out there."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader

_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--enable-logging=stderr"),
)
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def browse(page: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Open a page; what the browser says."""
    browser = shutil.which("chromium")
    if browser is None:
        pytest.skip("no chromium on this machine")
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [browser, *_OPTIONS, profile, *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True)


def shown(page: Path) -> str:
    """The page's document after its own scripts have run, which its policy must let. No word on the console."""
    done = browse(page, "--dump-dom")
    assert "CONSOLE" not in done.stderr
    return done.stdout


def printed(page: Path) -> list[list[str]]:
    """The lines of every sheet of paper that a page is printed on."""
    paper = page.with_suffix(".pdf")
    browse(page, "--no-pdf-header-footer", f"--print-to-pdf={paper}")
    return [
        [line.strip() for line in sheet.extract_text().splitlines() if line.strip()] for sheet in PdfReader(paper).pages
    ]


def asked(page: Path, function: str, width: int = 1200, dark: bool = False) -> Any:
    """What a JavaScript function of the page's document returns, in a window of that width."""
    source = _POLICY.sub("", page.read_text(encoding="utf-8"))
    around = page.with_name(f"around_{page.name}")
    around.write_text(
        f'<!doctype html><meta charset="utf-8"><iframe width="{width}" height="2000" srcdoc="{html.escape(source)}">'
        "</iframe>"
        '<pre id="answer"></pre><script>document.querySelector("iframe").addEventListener("load", (event) => {'
        f"Promise.resolve(({function})(event.target.contentDocument, event.target.contentWindow)).then((answer) => "
        '{ document.getElementById("answer").textContent = JSON.stringify(answer); }); });</script>',
        encoding="utf-8",
    )
    scheme = ("--blink-settings=preferredColorScheme=0",) if dark else ()
    done = browse(around, "--window-size=1400,2200", *scheme, "--virtual-time-budget=10000", "--dump-dom")
    found = re.search(r'<pre id="answer">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None
    return json.loads(html.unescape(found[1]))


# The texts whose colour stands out too little from what is behind them: WCAG's ratio below 4.5
PALE = """(document, window) => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = numbers(colour).slice(0, 3).map((c) => c / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const colour = window.getComputedStyle(each).backgroundColor;
      const [, , , alpha = 1] = numbers(colour);
      if (alpha > 0) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const pale = [];
  let texts = 0;
  for (const element of document.body.querySelectorAll("*")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || ["SCRIPT", "STYLE", "style"].includes(element.tagName)) continue;
    texts += 1;
    const style = window.getComputedStyle(element);
    const [a, b] = [light(element instanceof window.SVGElement ? style.fill : style.color), light(behind(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) pale.push(`${element.textContent.trim()}: ${ratio.toFixed(2)}`);
  }
  return { texts, pale, paper: window.getComputedStyle(document.body).backgroundColor };
}"""
