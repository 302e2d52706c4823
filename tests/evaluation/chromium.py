"""What a browser makes of a report's page."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)"
)

_MEASURE = """
<script>
window.addEventListener("load", () => {
  const pictures = [...document.querySelectorAll("figure svg")].map((svg) => {
    const box = svg.getBoundingClientRect();
    const marks = svg.querySelectorAll("path, use").length;
    return { width: box.width, height: box.height, marks, words: svg.textContent.trim().length };
  });
  const loaded = performance.getEntriesByType("resource").length;
  const overflow = document.documentElement.scrollWidth - window.innerWidth;
  document.title = "measured " + JSON.stringify({ pictures, loaded, overflow });
});
</script>
"""


def drawn(page: Path, folder: Path) -> dict[str, Any]:
    """Open a page, and return its pictures' sizes, marks and words, and what it loaded.

    A word in the browser's console is a failure.
    """
    measured = folder / "measured.html"
    text = page.read_text(encoding="utf-8")
    measured.write_text(text.replace("</body>", _MEASURE + "</body>"), encoding="utf-8")
    command = [
        str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--virtual-time-budget=5000", f"--user-data-dir={folder / 'profile'}", "--dump-dom",
        measured.as_uri(),
    ]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=True)
    assert "CONSOLE" not in done.stderr
    title = done.stdout.split("<title>measured ")[1].split("</title>")[0]
    found: dict[str, Any] = json.loads(
        title.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
    )
    return found


def check_pictures(found: dict[str, Any], count: int) -> None:
    """Check that a page drew so many pictures, and that none of them is empty."""
    assert found["loaded"] == 0
    assert len(found["pictures"]) == count
    for picture in found["pictures"]:
        assert picture["width"] > 300, picture
        assert picture["height"] > 100, picture
        assert picture["marks"] > 20, picture
        assert picture["words"] > 20, picture
