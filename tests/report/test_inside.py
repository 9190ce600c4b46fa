"""The page of a model's inside, in a real browser: what is pointed at is shown, with the right numbers."""

import json
import re
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.interpret.equipped import NAMES, equipped, pictures
from tests.report.browser import PALE, asked, shown
from vitlab.api.insides import Knockouts
from vitlab.base.spec import from_dict, with_settings
from vitlab.interpret import inside
from vitlab.interpret.inside import look_inside
from vitlab.interpret.inside import shown as seen
from vitlab.models.spec import ViTSpec, preset
from vitlab.records.inside import STEPS, Inside
from vitlab.report.inside import inside_page, write_inside_page
from vitlab.report.inside_words import headline

pytestmark = pytest.mark.slow  # a browser is started for each
TINY = {"img_size": (8, 12), "patch_size": (4, 4), "embed_dim": 16, "depth": 2, "num_heads": 2, "num_classes": 5}
# Waits until the page has unpacked its numbers, and then does what is asked
READY = """async (document, window) => {
  const look = document.getElementById("look");
  // the browser's clock runs ahead while it waits, and unpacking takes real time: so does this
  const busy = () => new Response(
    new Blob([new Uint8Array(2e6)]).stream().pipeThrough(new CompressionStream("deflate"))).arrayBuffer();
  const wait = () => busy().then(() => new Promise((done) => setTimeout(done, 20)));
  for (let tries = 0; !look.dataset.ready && tries < 400; tries++) await wait();
  const select = (id, value) => {
    const box = document.getElementById(id);
    box.value = value;
    box.dispatchEvent(new window.Event("change", { bubbles: true }));
  };
  const at = (canvas, down, across) => {
    const box = canvas.getBoundingClientRect();
    return { clientX: box.left + across * box.width, clientY: box.top + down * box.height, bubbles: true };
  };
  const point = (canvas, down, across) =>
    canvas.parentElement.dispatchEvent(new window.PointerEvent("pointermove", at(canvas, down, across)));
  const key = (canvas, name) => canvas.parentElement.dispatchEvent(
    new window.KeyboardEvent("keydown", { key: name, bubbles: true, cancelable: true }));
  const said = () => [...document.querySelectorAll(".read[aria-live]")].map((each) => each.textContent);
  const bytes = (selector) => document.querySelector(selector).toDataURL();
  DO
}"""


def done(page: Path, script: str, width: int = 1200) -> Any:
    return asked(page, READY.replace("DO", script), width)


def spec(**changed: Any) -> ViTSpec:
    return from_dict(ViTSpec, {**TINY, **changed})


def looked(model_spec: ViTSpec, seed: int = 0, count: int = 3, test: bool = False) -> Inside:
    model = equipped(model_spec, seed)
    images = model.prepare(pictures(model_spec, count))
    given = seen(model, images, tuple(map(str, range(count))), (NAMES * 2)[:count])
    if not test:
        return look_inside(model, given, f"model {seed}")
    many = model.prepare(pictures(model_spec, 40))
    batches = lambda: [(many, torch.arange(40) % 5)]  # noqa: E731
    found = Knockouts(*knocked(model, batches)).as_json()
    curve = found.pop("curve")
    return look_inside(model, given, f"model {seed}", batches, {"knockouts": found, "curve": curve})


def knocked(model: Any, batches: Any) -> tuple[Any, Any]:
    from vitlab.interpret.knockout.curve import head_curve
    from vitlab.interpret.knockout.measure import measure
    from vitlab.interpret.knockout.outcome import outcome
    from vitlab.interpret.knockout.parts import knockouts

    parts = knockouts(model)
    found = outcome(parts, [measure(model, batches, parts)], "zero")
    return found, head_curve(model, batches, parts, found)


@pytest.fixture(scope="module")
def found() -> Inside:
    return looked(spec(num_registers=1), test=True)


@pytest.fixture(scope="module")
def page(found: Inside, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("inside")
    found.write(folder)
    return write_inside_page(folder)


@pytest.fixture(scope="module")
def two(found: Inside, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another grid, other tokens, and no attention in one of both."""
    out = tmp_path_factory.mktemp("two") / "inside.html"
    other = looked(spec(img_size=(8, 16), patch_size=(2, 4), num_heads=4, cls_token=False, pool="mean"), seed=1)
    return inside_page([found, other], "files").save(out)


def row(found: Inside, picture: int, layer: int, head: int, query: int) -> np.ndarray:
    kept = found.arrays["attention"][picture, layer, head, query].astype(float)
    return kept / STEPS * found.arrays["attention_most"][picture, layer, head, query]


def test_the_numbers_of_the_patch_pointed_at_are_shown(page: Path, found: Inside) -> None:
    """Head 1 of block 0, picture 2, from the patch of row 2 and column 3, and to that of row 1 and column 2."""
    said = done(
        page,
        """document.querySelectorAll('input[name="picture"]')[2].click();
        select("layer", "0"); select("head", "1");
        point(document.querySelector("canvas.query"), 0.75, 0.9);
        const whole = said()[0];
        point(document.querySelector("canvas.map"), 0.25, 0.5);
        return [whole, said()[0]];""",
    )
    expected = row(found, 2, 0, 1, 2 + 1 * 3 + 2)
    own, patches = expected[:2], expected[2:]
    numbers = [float(each) for each in re.findall(r"([\d.e-]+) %", said[0])]
    np.testing.assert_allclose(numbers, [100 * patches.max(), *(100 * own)], rtol=6e-3)
    most = divmod(int(patches.argmax()), 3)
    assert f"Most: row {most[0] + 1}, column {most[1] + 1}" in said[0]
    assert said[1].startswith("Here: row 1, column 2, ")
    here = float(re.findall(r"Here: row 1, column 2, ([\d.e-]+) %", said[1])[0])
    assert here == pytest.approx(100 * patches[1], rel=6e-3)


def test_the_mean_over_heads_and_over_patches_and_rollout(page: Path, found: Inside) -> None:
    said = done(
        page,
        """select("from", "patches"); select("layer", "1"); select("head", "-1");
        const mean = said()[0];
        select("method", "rollout"); select("from", "cls");
        return [mean, said()[0]];""",
    )
    every = np.mean([row(found, 0, 1, head, 2 + patch) for head in range(2) for patch in range(6)], axis=0)
    kept = found.arrays["rollout"][0, 0] / STEPS * found.arrays["rollout_most"][0, 0]
    for text, expected in zip(said, (every, kept), strict=True):
        numbers = [float(each) for each in re.findall(r"([\d.e-]+) %", text)]
        np.testing.assert_allclose(numbers, [100 * expected[2:].max(), *(100 * expected[:2])], rtol=6e-3)


def test_hover_changes_the_map_within_50_ms_and_keys_do_the_same(page: Path) -> None:
    """The arrow keys go to the patch that the pointer goes to; at the edge they stay."""
    before, pointed, pressed, stayed, slowest = done(
        page,
        """select("from", "patch");
        const query = document.querySelector("canvas.query");
        point(query, 0.1, 0.1);
        const before = bytes("canvas.map");
        let slowest = 0;
        for (let turn = 0; turn < 20; turn++) {
          const began = window.performance.now();
          point(query, 0.75, (turn % 10) / 10);
          slowest = Math.max(slowest, window.performance.now() - began);
        }
        point(query, 0.25, 0.5);
        const pointed = bytes("canvas.map");
        point(query, 0.1, 0.1);
        key(query, "ArrowRight");
        const pressed = bytes("canvas.map");
        key(query, "ArrowUp");
        return [before, pointed, pressed, bytes("canvas.map"), slowest];""",
    )
    assert before != pointed
    assert pressed == pointed == stayed
    assert slowest < 50


def test_every_head_is_shown_and_chosen_by_a_click(page: Path) -> None:
    chosen = done(
        page,
        """const heads = document.querySelector(".heads canvas");
        heads.dispatchEvent(new window.MouseEvent("click", at(heads, 0.2, 0.75)));
        return ["layer", "head", "method"].map((id) => document.getElementById(id).value);""",
    )
    assert chosen == ["0", "1", "attention"]


def test_the_logit_s_parts_are_those_of_the_picture(page: Path, found: Inside) -> None:
    text = done(
        page,
        """document.querySelectorAll('input[name="picture"]')[1].click();
        return [...document.querySelectorAll(".logits caption, .logits td")].map((each) => each.textContent);""",
    )
    values = dict(zip(found.told.parts, found.arrays["logit_parts"][1].tolist(), strict=True))
    expected = [f"{value:.2f}" for part, value in values.items() if part.startswith("blocks.")]
    assert [each.replace("-0.00", "0.00") for each in text[1:]] == [each.replace("-0.00", "0.00") for each in expected]
    name = NAMES[int(found.arrays["logit_classes"][1])]
    assert text[0].startswith(
        f"{name}: logit {found.arrays['logits'][1]:.2f} = all below + embed {values['embed']:.2f}"
    )


def test_two_models_follow_one_pointer(two: Path) -> None:
    said = done(
        two,
        """select("head", "3"); point(document.querySelector("canvas.query"), 0.75, 0.9);
        const missing = said()[0];
        select("head", "-1"); select("from", "cls");
        return [missing, ...said()];""",
    )
    assert said[0] == "this model has 2 blocks of 2 heads"
    assert said[1].startswith("Most: row")
    assert said[2] == "this model has no cls token"


@pytest.mark.parametrize(
    "changed", [{"mixer": "fft"}, {"num_classes": 0}, {"pos_embed": "none"}, {"attention": "sigmoid"}]
)
def test_what_a_model_has_not_is_said_and_all_else_is_there(changed: dict[str, Any], tmp_path: Path) -> None:
    inside_page([looked(spec(**changed))], "files").save(tmp_path / "inside.html")
    ready, text = done(tmp_path / "inside.html", "return [look.dataset.ready, document.body.textContent];")
    assert ready == "yes"
    assert "What is not here" in text


@pytest.mark.parametrize("width", [1200, 390])
@pytest.mark.parametrize("which", ["page", "two"])
def test_nothing_is_wider_than_the_window_and_the_console_is_silent(which: str, width: int, request: Any) -> None:
    path = request.getfixturevalue(which)
    shown(path)  # which fails where anything is said on the console
    # the tints of numbers are mixed by the browser, which tells them otherwise: at most 38 % of a colour
    script = f"""document.querySelectorAll(".logits, .lens").forEach((each) => each.remove());
    return [document.documentElement.scrollWidth, ({PALE})(document, window).pale, look.dataset.ready];"""
    wide, pale, ready = done(path, script, width)
    assert ready == "yes"
    assert wide <= width
    assert pale == []


def test_axe_finds_nothing_serious(two: Path) -> None:
    axe = (files("axe_core_python") / "axe.min.js").read_text(encoding="utf-8")
    tested = two.with_name("tested.html")
    tested.write_text(two.read_text(encoding="utf-8").replace("</body>", f"<script>{axe}</script></body>"))
    passed, serious = done(
        tested,
        """const { violations, passes } = await window.axe.run(document);
        return [passes.length, violations.filter((each) => ["serious", "critical"].includes(each.impact))
          .map((each) => `${each.id}: ${each.nodes.length} × ${each.nodes[0].html.slice(0, 200)}`)];""",
    )
    assert passed > 20
    assert serious == []


def test_figures_stand_beside_it_as_png_and_svg(page: Path) -> None:
    beside = {path.name for path in page.with_name("inside_figures").iterdir()}
    for name in ("distance", "entropy", "norms", "positions", "heads", "heads_gone"):
        assert {f"{name}_model-0.png", f"{name}_model-0.svg"} <= beside


def test_its_headline_is_what_costs_most_of_what_can_be_told(found: Inside) -> None:
    """Of two parts the larger loss may be chance; and of a part that helps it is not said that it costs -1 point."""
    effects = [
        {"site": "blocks.0.attn", "kind": "attention", "layer": 0, "delta_top1": -0.3, "p_adjusted": 0.2},
        {"site": "blocks.1.attn.z.1", "kind": "head", "layer": 1, "delta_top1": -0.1, "p_adjusted": 0.01},
        {"site": "pos_embed", "kind": "pos_embed", "layer": None, "delta_top1": 0.2, "p_adjusted": 0.001},
    ]

    def said(some: list[dict[str, Any]]) -> str:
        told = replace(found.told, knockouts={"knockouts": some, "images": 40})
        return headline([replace(found, told=told)])

    assert said(effects).startswith("Without head 1 of block 1, model 0 loses 10.0 points of accuracy; ")
    assert said([effects[0], effects[2]]) == "No part of model 0 alone costs what could be told on 40 test images"


def test_each_of_two_models_is_shown_the_picture_that_it_saw(two: Path) -> None:
    """One of 8 × 12 pixels, the other of 8 × 16: drawn side by side their pictures are of other shapes."""
    shapes = done(
        two,
        """return [...document.querySelectorAll("canvas.query")]
          .map((each) => [each.width, each.height, each.toDataURL()]);""",
    )
    (wide, high, one), (wider, lower, other) = shapes
    assert wide / high == pytest.approx(12 / 8, abs=0.02)
    assert wider / lower == pytest.approx(16 / 8, abs=0.02)
    assert one != other


@pytest.mark.parametrize(("name", "size"), [("r0_vit", 32), ("vit_tiny_patch16_224", 224)])
def test_a_page_of_eight_pictures_is_below_ten_megabytes(
    name: str, size: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What takes the room are shares of attention; relevance, six numbers a patch, takes the time, and is left out."""
    monkeypatch.setattr(inside, "_relevance", lambda *given: ())
    given = with_settings(preset(name), {"num_classes": 5})
    assert given.img_size == (size, size)
    found = looked(given, count=8)
    path = inside_page([found], "files").save(tmp_path / "inside.html")
    assert path.stat().st_size < 10e6
    told = json.dumps(found.told.pooled)
    assert told in ("[1, 1]", "[2, 2]")
    text = path.read_text(encoding="utf-8")
    assert f"kept in {STEPS}ths" in text
    assert ("keys are means over 2 × 2 patches" in text) == (told == "[2, 2]")
