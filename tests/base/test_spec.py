import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import FrozenInstanceError, dataclass, field
from typing import Any, ClassVar, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitlab.base.errors import SpecError
from vitlab.base.identity import identity, spec_id
from vitlab.base.spec import Spec, added, component_names, from_dict, parse_setting, to_dict, whereabouts, with_settings
from vitlab.base.spec import plain as plain_value
from vitlab.models.spec import ViTSpec, preset
from vitlab.nn.pos_embed import learned, sincos2d
from vitlab.nn.pos_embed._base import PosEmbedSpec


@dataclass(frozen=True)
class Inner(Spec):
    rate: float = 0.5
    count: int = 3


@dataclass(frozen=True)
class Plain(Spec):
    required: str
    size: tuple[int, int] = (4, 4)
    steps: tuple[int, ...] = ()
    mode: Literal["on", "off"] = "on"
    flag: bool = False
    limit: float | None = None
    inner: Inner = Inner()
    parts: tuple[Inner, ...] = ()


def plain(**values):
    return from_dict(Plain, {"required": "x"} | values)


# ------------------------------------------------------------------------------------------------------- round trip

variants = {
    family: st.sampled_from(component_names(f"vitlab.nn.{family}"))
    for family in ("patch_embed", "pos_embed", "block", "mixer", "attention", "mlp", "norm", "pool", "head", "init")
}
vit_settings = st.fixed_dictionaries(
    {
        "img_size": st.sampled_from([32, [32, 64], [64, 16]]),
        "patch_size": st.sampled_from([4, 8, [4, 8]]),
        "embed_dim": st.sampled_from([16, 48]),
        "num_heads": st.sampled_from([1, 2, 4]),
    },
    optional=variants
    | {
        "head_dim": st.sampled_from([None, 8]),
        "mlp_ratio": st.floats(0.5, 8.0),
        "cls_token": st.booleans(),
        "num_registers": st.integers(0, 4),
        "layer_scale": st.none() | st.floats(1e-6, 1.0),
        "drop_path": st.floats(0.0, 0.9),
        "final_norm": st.sampled_from(["before_pool", "after_pool", "none"]),
    },
)


@pytest.mark.slow
@given(vit_settings)
def test_what_is_written_reads_back_equal_and_any_refusal_is_a_spec_error(values):
    try:
        spec = from_dict(ViTSpec, values)
    except SpecError:
        return
    written = json.loads(json.dumps(to_dict(spec), allow_nan=False))
    again = from_dict(ViTSpec, written)
    assert again == spec
    assert to_dict(again) == to_dict(spec)
    assert spec_id(again) == spec_id(spec)


def test_every_setting_is_written_out():
    assert to_dict(plain(limit=2, parts=[{"rate": 0.1}])) == {
        "required": "x",
        "size": [4, 4],
        "steps": [],
        "mode": "on",
        "flag": False,
        "limit": 2.0,
        "inner": {"rate": 0.5, "count": 3},
        "parts": [{"rate": 0.1, "count": 3}],
    }


def test_a_component_is_written_with_its_name():
    assert to_dict(ViTSpec())["pos_embed"] == {"name": "learned", "prefix": True, "place": "stem"}


def test_specs_are_frozen():
    with pytest.raises(FrozenInstanceError):
        plain().flag = True


# ---------------------------------------------------------------------------------------------------------- strictness


def test_an_unknown_key_is_answered_with_the_nearest_name():
    with pytest.raises(SpecError, match=r"unknown setting 'embed_dims'; did you mean embed_dim"):
        from_dict(ViTSpec, {"embed_dims": 64})
    with pytest.raises(SpecError, match=r"unknown setting 'inner\.rates'; did you mean inner\.rate"):
        plain(inner={"rates": 1.0})


def test_a_missing_key_is_named():
    with pytest.raises(SpecError, match="required is missing"):
        from_dict(Plain, {})


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"required": 3}, "required=3: expected text"),
        ({"flag": 1}, "flag=1: expected true or false"),
        ({"inner": {"count": True}}, r"inner\.count=True: expected a whole number"),
        ({"inner": {"count": 3.0}}, r"inner\.count=3\.0: expected a whole number"),
        ({"inner": {"count": None}}, r"inner\.count=None: expected a whole number"),
        ({"inner": {"rate": "0.1"}}, r"inner\.rate='0\.1': expected a number"),
        ({"inner": {"rate": False}}, r"inner\.rate=False: expected a number"),
        ({"inner": {"rate": float("nan")}}, r"inner\.rate=nan: not a finite number"),
        ({"limit": float("inf")}, r"limit=inf: not a finite number"),
        ({"inner": 5}, "inner: expected settings, got 5"),
        ({"mode": "of"}, "mode='of': legal: on, off"),
        ({"size": [1, 2, 3]}, "expected 2 values"),
        ({"size": "4"}, "size='4': expected 2 values"),
        ({"size": True}, r"size\.0=True: expected a whole number"),
        ({"size": [4, 4.5]}, r"size\.1=4\.5: expected a whole number"),
        ({"steps": 5}, "steps=5: expected a list"),
        ({"steps": [1, "2"]}, r"steps\.1='2': expected a whole number"),
        ({"parts": [{"rate": "x"}]}, r"parts\.0\.rate='x': expected a number"),
    ],
)
def test_a_wrong_type_is_refused_with_its_place_and_value(values, message):
    with pytest.raises(SpecError, match=message):
        plain(**values)


def test_an_integer_is_a_float_where_a_float_is_meant():
    rate = plain(inner={"rate": 1}).inner.rate
    assert rate == 1.0
    assert isinstance(rate, float)


def test_one_number_stands_for_both_sides():
    assert plain(size=7).size == (7, 7)
    assert plain(size=[7, 9]).size == (7, 9)


# ---------------------------------------------------------------------------------------------------------- components


def test_a_component_is_chosen_by_name_or_by_settings_or_given():
    by_name = from_dict(ViTSpec, {"pos_embed": "sincos2d"})
    by_settings = from_dict(ViTSpec, {"pos_embed": {"name": "sincos2d", "temperature": 10000}})
    given_whole = from_dict(ViTSpec, {"pos_embed": sincos2d.Spec()})
    assert by_name == by_settings == given_whole
    assert from_dict(ViTSpec, {"pos_embed": {"name": "sincos2d", "temperature": 5}}).pos_embed.temperature == 5.0


def test_an_unknown_component_or_setting_of_one_is_answered_with_the_nearest_name():
    with pytest.raises(SpecError, match=r"unknown attention 'sotfmax'; did you mean softmax"):
        from_dict(ViTSpec, {"attention": "sotfmax"})
    with pytest.raises(SpecError, match=r"unknown setting 'attention\.eps'; did you mean|legal"):
        from_dict(ViTSpec, {"attention": {"name": "softmax", "eps": 1.0}})


@pytest.mark.parametrize("value", [3, None, {"eps": 1.0}, {"name": 3}, ["softmax"], sincos2d.Spec()])
def test_a_component_must_be_a_name_or_settings_with_a_name(value):
    with pytest.raises(SpecError, match=r"attention=.*expected a name, or settings with a name"):
        from_dict(ViTSpec, {"attention": value})


def test_the_contract_itself_is_no_variant():
    assert "_base" not in component_names("vitlab.nn.attention")
    with pytest.raises(SpecError, match="unknown attention '_base'"):
        from_dict(ViTSpec, {"attention": "_base"})


@pytest.fixture
def foreign_attention(tmp_path, monkeypatch, trusting_all):
    """A package of somebody else's with an attention in it; gives the attention's dotted name."""
    (tmp_path / "somebodys_parts").mkdir()
    (tmp_path / "somebodys_parts" / "uniform.py").write_text(
        "from dataclasses import dataclass\n"
        "from vitlab.nn.attention._base import AttentionSpec\n"
        "@dataclass(frozen=True)\n"
        "class Spec(AttentionSpec):\n"
        "    gain: float = 1.0\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    yield "somebodys_parts.uniform"
    for name in [name for name in sys.modules if name.startswith("somebodys_parts")]:
        del sys.modules[name]


def test_a_foreign_component_is_chosen_by_its_dotted_name_and_reads_back(foreign_attention):
    spec = from_dict(ViTSpec, {"attention": {"name": foreign_attention, "gain": 2}})
    assert spec.attention.gain == 2.0
    assert spec.attention.name == foreign_attention
    assert from_dict(ViTSpec, to_dict(spec)) == spec


@pytest.mark.parametrize("name", ["no_such_package.part", ".relative", "..", "trailing."])
def test_a_dotted_name_that_is_no_module_is_refused(name):
    with pytest.raises(SpecError, match="a dotted name must be an importable module"):
        from_dict(ViTSpec, {"attention": name})


@pytest.mark.parametrize("name", ["os.path", "vitlab.nn.mixer.identity"])
def test_a_module_without_a_spec_of_the_family_is_refused(name):
    with pytest.raises(SpecError, match=r"no class Spec that extends vitlab\.nn\.attention\._base\.AttentionSpec"):
        from_dict(ViTSpec, {"attention": name})


def test_a_component_alone_reads_back_and_can_be_changed():
    spec = sincos2d.Spec(temperature=5.0)
    assert from_dict(PosEmbedSpec, to_dict(spec)) == spec
    assert from_dict(sincos2d.Spec, to_dict(spec)) == spec
    assert with_settings(spec, {"temperature": 6}).temperature == 6.0
    assert spec_id(spec) != spec_id(sincos2d.Spec())


def test_the_long_name_of_a_variant_is_the_variant():
    assert from_dict(ViTSpec, {"attention": "vitlab.nn.attention.linear"}).attention.name == "linear"


# ------------------------------------------------------------------------------------------ settings by name, and names


@dataclass(frozen=True)
class Named(Spec):
    """Its name is a setting like the others, and stands for nothing; its settings only their user can check."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Holder(Spec):
    one: Named = Named("x")
    many: tuple[Named, ...] = ()
    maybe: Named | None = None


HELD = {"one": {"name": "a", "settings": {"model.depth": 3}}, "many": [{"name": "b"}], "maybe": {"name": "c"}}


def test_a_spec_may_have_a_setting_called_name():
    held = from_dict(Holder, HELD)
    assert held == Holder(Named("a", {"model.depth": 3}), (Named("b"),), Named("c"))
    assert from_dict(Holder, to_dict(held)) == held
    changed = with_settings(held, {"one.name": "d", "many.0.name": "e", "maybe.name": "f", "maybe.settings": {"k": 1}})
    assert changed == Holder(Named("d", {"model.depth": 3}), (Named("e"),), Named("f", {"k": 1}))


@pytest.mark.parametrize("value", ["a", 3, ["a"]])
def test_such_a_name_does_not_stand_for_the_whole(value):
    with pytest.raises(SpecError, match=re.escape(f"one: expected settings, got {value!r}")):
        from_dict(Holder, {"one": value})


@pytest.mark.parametrize("value", [3, "a", [1], {3: 4}, None])
def test_settings_by_name_are_refused_as_anything_else(value):
    with pytest.raises(SpecError, match=re.escape(f"one.settings={value!r}: expected values by name")):
        from_dict(Holder, {"one": {"name": "a", "settings": value}})


def test_settings_by_name_are_read_and_written_as_json_has_them():
    settings = {"pos_embed": learned.Spec(prefix=False), "size": (4, 8), "ops": [sincos2d.Spec()], "deep": {"k": (1,)}}
    written = {
        "pos_embed": to_dict(learned.Spec(prefix=False)),
        "size": [4, 8],
        "ops": [to_dict(sincos2d.Spec())],
        "deep": {"k": [1]},
    }
    held = Holder(Named("a", settings))
    assert to_dict(held)["one"]["settings"] == json.loads(json.dumps(written)) == written
    assert from_dict(Holder, {"one": {"name": "a", "settings": settings}}).one.settings == written
    assert spec_id(held) == spec_id(from_dict(Holder, to_dict(held)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (3, 3),
        (None, None),
        ("a", "a"),
        ((1, (2, 3)), [1, [2, 3]]),
        ({"a": (1,)}, {"a": [1]}),
        ([Inner()], [to_dict(Inner())]),
    ],
)
def test_a_value_as_json_has_it(value, written):
    assert plain_value(value) == written


# ------------------------------------------------------------------------------------------------------------ changing


def test_settings_that_only_make_sense_together_may_come_in_any_order():
    together = {"pool": "mean", "cls_token": False}
    backwards = dict(reversed(together.items()))
    assert with_settings(ViTSpec(), together) == with_settings(ViTSpec(), backwards)


def test_a_part_and_its_setting_may_come_in_any_order():
    forwards = {"pos_embed": "sincos2d", "pos_embed.temperature": 5.0}
    backwards = dict(reversed(forwards.items()))
    assert with_settings(ViTSpec(), forwards).pos_embed == sincos2d.Spec(temperature=5.0)
    assert with_settings(ViTSpec(), backwards).pos_embed == sincos2d.Spec(temperature=5.0)


def test_a_nested_setting_changes_only_itself():
    spec = with_settings(ViTSpec(), {"pos_embed.prefix": False})
    assert spec.pos_embed == learned.Spec(prefix=False)
    assert with_settings(spec, {"pos_embed.prefix": True}) == ViTSpec()


def test_a_part_that_is_replaced_keeps_nothing_of_the_old_one():
    spec = with_settings(ViTSpec(), {"pos_embed.prefix": False})
    assert with_settings(spec, {"pos_embed": "learned"}).pos_embed.prefix is True


def test_an_item_of_a_list_can_be_set():
    assert with_settings(plain(size=[4, 6]), {"size.1": 8}).size == (4, 8)
    assert with_settings(plain(parts=[{}, {}]), {"parts.1.rate": 0.1}).parts == (Inner(), Inner(rate=0.1))


def test_changing_settings_leaves_the_callers_values_alone():
    values = {"inner": {"count": 1}, "inner.rate": 0.1, "size": [1, 2], "size.0": 9}
    with_settings(plain(), values)
    assert values == {"inner": {"count": 1}, "inner.rate": 0.1, "size": [1, 2], "size.0": 9}


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("posembed", "unknown setting 'posembed'; did you mean pos_embed"),
        ("posembed.prefix", r"unknown setting 'posembed\.prefix'; did you mean pos_embed"),
        ("pos_embed.prefixes", r"unknown setting 'pos_embed\.prefixes'; did you mean pos_embed\.prefix"),
        ("depth.x", "depth.x: depth is a plain value and has no setting 'x'"),
        ("img_size.2", "no item '2' in a list of 2"),
        ("img_size.x", "no item 'x' in a list of 2"),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(path, message):
    with pytest.raises(SpecError, match=message):
        with_settings(ViTSpec(), {path: 1})


@dataclass(frozen=True)
class Optional(Spec):
    """Settings that may be null; of some of them `none` is a value of its own."""

    rate: float | None = 0.5
    mode: Literal["on", "none"] | None = "on"
    note: str | None = "x"
    pos_embed: PosEmbedSpec | None = None
    count: int = 1


@pytest.mark.parametrize("text", ["none", "None", "null"])
def test_none_is_null_where_a_setting_is_optional(text):
    assert with_settings(Optional(), {"rate": text}).rate is None


def test_none_stays_what_has_that_name():
    spec = with_settings(Optional(), {"mode": "none", "note": "none", "pos_embed": "none"})
    assert (spec.mode, spec.note, spec.pos_embed.name) == ("none", "none", "none")
    assert with_settings(Optional(), {"mode": "null"}).mode is None


def test_none_is_nothing_where_a_setting_is_required():
    with pytest.raises(SpecError, match="count='none': expected a whole number"):
        with_settings(Optional(), {"count": "none"})


def test_a_setting_that_stands_elsewhere_is_found_there():
    spec = Plain(required="x")
    with pytest.raises(SpecError, match=r"unknown setting 'rate'; did you mean inner\.rate\?"):
        with_settings(spec, {"rate": 1.0})
    with pytest.raises(SpecError, match=r"unknown setting 'outer\.rate'; did you mean inner\.rate\?"):
        with_settings(spec, {"outer.rate": 1.0})
    with pytest.raises(SpecError, match=r"unknown setting 'inner\.counts'; did you mean inner\.count "):
        with_settings(spec, {"inner.counts": 1})


@pytest.mark.parametrize(
    ("text", "setting"),
    [
        ("optim.lr=1e-3", ("optim.lr", 0.001)),
        ("depth=3", ("depth", 3)),
        ("model.attention=linear", ("model.attention", "linear")),
        ("img_size=[32, 64]", ("img_size", [32, 64])),
        ("cls_token=false", ("cls_token", False)),
        ("cls_token=False", ("cls_token", False)),
        ("head_dim=None", ("head_dim", None)),
        ("head_dim=null", ("head_dim", None)),
        ("note=a=b", ("note", "a=b")),
        ("note=", ("note", "")),
        ('note="3"', ("note", "3")),
    ],
)
def test_a_setting_is_json_where_it_is_json_and_else_text(text, setting):
    assert parse_setting(text) == setting


@pytest.mark.parametrize("text", ["depth", "=3", ""])
def test_a_setting_needs_a_path_and_an_equals_sign(text):
    with pytest.raises(SpecError, match="expected PATH=VALUE"):
        parse_setting(text)


# ------------------------------------------------------------------------------------------------------------- presets


@dataclass(frozen=True)
class Run(Spec):
    model: ViTSpec = ViTSpec()
    teacher: ViTSpec | None = None


def test_a_spec_with_names_of_its_own_is_chosen_by_one_alone_or_with_changes():
    assert from_dict(Run, {"model": "r0_vit"}).model == preset("r0_vit")
    changed = from_dict(Run, {"model": {"name": "r0_vit", "depth": 2}}).model
    assert changed == with_settings(preset("r0_vit"), {"depth": 2})


def test_a_preset_and_its_settings_however_deep_may_come_in_any_order():
    settings = {
        "model.pos_embed.prefix": False,
        "model.img_size.0": 64,
        "model.block": "post_norm",
        "model": "vit_tiny_patch16_224",
        "teacher": {"name": "r0_vit", "cls_token": False},
        "teacher.pool": "mean",
        "teacher.norm.eps": 0.1,
    }
    tiny = {"pos_embed.prefix": False, "img_size": [64, 224], "block": "post_norm"}
    r0 = {"cls_token": False, "pool": "mean", "norm.eps": 0.1}
    expected = Run(with_settings(preset("vit_tiny_patch16_224"), tiny), with_settings(preset("r0_vit"), r0))
    assert with_settings(Run(), settings) == expected
    assert with_settings(Run(), dict(reversed(settings.items()))) == expected


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "r0_vt"}, "unknown model 'r0_vt'; did you mean r0_vit"),
        ({"model": "r0_vt", "model.norm.eps": 1.0}, "unknown model 'r0_vt'; did you mean r0_vit"),
        ({"model": {"name": 5}}, "unknown setting 'model.name'"),
        ({"teacher.depth": 3}, "teacher is a plain value and has no setting 'depth'"),
    ],
)
def test_a_name_that_no_preset_has_is_refused(settings, message):
    with pytest.raises(SpecError, match=message):
        with_settings(Run(), settings)


def test_a_spec_without_names_takes_settings_only():
    with pytest.raises(SpecError, match="inner: expected settings, got 'small'"):
        plain(inner="small")


# ------------------------------------------------------------------------------------------------------------------ id


def test_the_id_is_the_same_in_every_process():
    script = (
        "from dataclasses import dataclass\n"
        "from vitlab.base.identity import spec_id\nfrom vitlab.base.spec import Spec\n"
        "@dataclass(frozen=True)\n"
        "class Inner(Spec):\n    count: int = 3\n    rate: float = 0.5\n"  # another order of the fields, too
        "print(spec_id(Inner()))"
    )
    ids = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert ids == {spec_id(Inner())}
    assert len(spec_id(Inner())) == 12


def test_different_specs_have_different_ids():
    changes = [{}, {"depth": 11}, {"attention": "linear"}, {"pos_embed.prefix": False}, {"drop_path": 0.1}]
    assert len({spec_id(with_settings(ViTSpec(), change)) for change in changes}) == len(changes)


def test_equal_specs_have_equal_ids_however_they_were_written():
    whole, fraction = ViTSpec(mlp_ratio=4), ViTSpec(mlp_ratio=4.0)
    assert whole == fraction
    assert spec_id(whole) == spec_id(fraction)


def test_a_components_name_is_the_component():
    changed = with_settings(ViTSpec(), dict([parse_setting("attention.name=linear")]))
    assert to_dict(changed)["attention"] == {"name": "linear", "eps": 1e-6}


# ---------------------------------------------------------------------------------------- former names, whereabouts


@dataclass(frozen=True)
class Renamed(Spec):
    former_names: ClassVar[dict[str, str]] = {"rule": "optimizer"}
    optimizer: str = "adamw"
    inner: Inner = Inner()


@dataclass(frozen=True)
class Source(Spec):
    path: str = whereabouts("")
    checksum: str = ""


def test_a_setting_is_still_read_by_its_former_name_and_written_by_its_own():
    spec = from_dict(Renamed, {"rule": "sgd"})
    assert to_dict(spec)["optimizer"] == "sgd"
    assert with_settings(spec, {"rule": "lion"}) == Renamed("lion")
    with pytest.raises(SpecError, match="did you mean optimizer"):
        from_dict(Renamed, {"optimiser": "sgd"})


def test_what_has_moved_is_the_same():
    here, there = Source("here", "aa"), Source("there", "aa")
    assert spec_id(here) == spec_id(there) != spec_id(Source("here", "bb"))
    assert to_dict(here) == {"path": "here", "checksum": "aa"}
    assert identity(here) == {"checksum": "aa"}


def test_what_single_precision_does_not_have_is_too_large():
    with pytest.raises(SpecError, match=r"layer_scale=1e\+300: too large a number"):
        from_dict(ViTSpec, {"layer_scale": 1e300})


@dataclass(frozen=True)
class Grown(Inner):
    young: bool = added(False)


def test_a_young_setting_that_is_as_it_was_is_not_written():
    """So specs, ids and records of before it existed are equal to those of after."""
    assert to_dict(Grown()) == to_dict(Inner())
    assert spec_id(Grown()) == spec_id(Inner())
    assert to_dict(Grown(young=True)) == {**to_dict(Inner()), "young": True}
    assert spec_id(Grown(young=True)) != spec_id(Grown())
    assert from_dict(Grown, to_dict(Inner())) == Grown()
    assert from_dict(Grown, to_dict(Grown(young=True))) == Grown(young=True)
    assert with_settings(Grown(), {"young": True}) == Grown(young=True)
    assert with_settings(Grown(young=True), {"young": False}) == Grown()
