"""`vitlab list`: what there is, with one line about each."""

from collections.abc import Sequence
from typing import Annotated

import typer

from vitlab.cli import complete, output
from vitlab.cli.options import JsonOption

SITES = "sites"  # the activations of a model
PAGES = ("systems", "compatibility")  # more than a family, and each a page in docs/

WHAT = (
    "A family, models, studies, systems, compatibility, sites; a component (softmax, attention.linear), "
    "a setting (lr), or a module of your own (my_package.my_attention, my_attention.py)."
)


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("list", help="List components, models, recipes, data, studies, systems.")(list_)


def list_(
    what: Annotated[str | None, typer.Argument(metavar="[WHAT]", help=WHAT, autocompletion=complete.listed)] = None,
    of: Annotated[
        str | None, typer.Argument(metavar="[MODEL]", help="Whose sites: a model's name, a run, a checkpoint.")
    ] = None,
    json: JsonOption = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Systems or compatibility as Markdown.")] = False,
) -> None:
    """Print one family, the models, the studies, or all of these; the systems; or one component."""
    from vitlab.base.errors import UserError
    from vitlab.base.foreign import is_path
    from vitlab.catalogue.families import FAMILIES, LISTS
    from vitlab.catalogue.settings import named as settings_named

    if markdown and (what not in PAGES or json):
        raise UserError(f"--markdown: only for `vitlab list` with {' or '.join(PAGES)}, and not with --json")
    if (what == SITES) != (of is not None):
        raise UserError(f"vitlab list {what or SITES}: " + ("of which MODEL?" if of is None else f"takes no {of}"))
    family, dot, _ = (what or "").partition(".")
    if of is not None:
        _sites(of, json)
    elif what == "systems":
        _systems(json, markdown)
    elif what == "compatibility":
        _compatibility(json, markdown)
    elif what and (is_path(what) or (dot and (family in FAMILIES or not settings_named(what)))):
        _component(what, json)
    elif what and what not in LISTS:
        _found(what, json)
    else:
        _families(what, json)


def _families(what: str | None, json: bool) -> None:
    from vitlab.catalogue.families import LISTS

    rows = {name: LISTS[name]() for name in ([what] if what else LISTS)}
    if json:
        output.print_json({name: [row.as_json() for row in listed] for name, listed in rows.items()})
        return
    for name, listed in rows.items():
        output.print_table(name, ("name", "what it is"), [(row.name, row.as_text()) for row in listed])
        output.console().print()


def _found(name: str, json: bool) -> None:
    """What has this name: a component or several, settings, a file of one's own. Raises UserError if nothing has it."""
    from vitlab.base.errors import UserError, unknown
    from vitlab.base.foreign import file_of
    from vitlab.base.spec import component_names
    from vitlab.catalogue.families import FAMILIES, LISTS, named
    from vitlab.catalogue.settings import RUN
    from vitlab.catalogue.settings import named as settings_named
    from vitlab.catalogue.settings import settings as settings_of
    from vitlab.names import elsewhere

    components, settings = named(name), settings_named(name)
    if len(components) == 1 or (not components and not settings and file_of(name)):
        _component(components[0].name if components else name, json)
    elif components:
        rows = [(row.name, row.as_text()) for row in components]
        _table(f"components called {name}", ("name", "what it is"), rows, json)
    elif settings:
        _table(f"settings called {name}", ("setting", "type", "default"), settings, json)
    else:
        names = {component for package in FAMILIES.values() for component in component_names(package)}
        names |= {setting.path.rpartition(".")[2] for setting in settings_of(RUN)}
        known = {*LISTS, *PAGES, *names}
        raise UserError(elsewhere("family", name) or unknown("family, component or setting", name.lower(), known))


def _table(title: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], json: bool) -> None:
    if json:
        output.print_json({title.split()[0]: [dict(zip(columns, row, strict=True)) for row in rows]})
    else:
        output.print_table(title, columns, rows)


def _component(what: str, json: bool) -> None:
    output.waiting(json)
    from vitlab.catalogue.component import about as about_component

    about = about_component(what)
    if json:
        output.print_json({"component": about.as_json()})
        return
    console = output.console()
    console.print(f"{about.name} ({about.family})\n")
    output.print_prose(f"{about.docstring}\n")
    if about.settings_docstring:
        output.print_prose(f"{about.settings_docstring}\n")
    if about.settings:
        rows = [(name, type_, output.json_text(default)) for name, type_, default in about.settings]
        output.print_table("settings", ("setting", "type", "default"), rows)


def _systems(json: bool, markdown: bool) -> None:
    """For people 140 columns wide; docs/reproductions.md says more of every row."""
    waiting = output.waiting(json)
    from vitlab.base.going_on import going_on
    from vitlab.catalogue import systems

    if markdown:
        print(systems.page(), end="")
        return
    with going_on(waiting, "counting parameters", at_once=False):
        counted, (rows, reasons) = systems.rows(), systems.table()
    if json:
        output.print_json({"systems": [system.as_json(count) for system, count in counted]})
        return
    output.print_table("systems", systems.COLUMNS, rows)
    console = output.console()
    for line in reasons:
        console.print(line)
    console.print("Accuracies are top-1 in percent; --json and docs/reproductions.md say what each of them is.")


def _sites(model: str, json: bool) -> None:
    waiting = output.waiting(json)
    output.load_torch(waiting)
    from vitlab.catalogue import sites

    rows = list(sites.rows(model))
    if json:
        output.print_json({"sites": [{"site": name, "shape": list(shape)} for name, shape in rows]})
        return
    cells = [(name, " × ".join(["B", *map(str, shape[1:])])) for name, shape in rows]
    output.print_table(f"sites of {model}", sites.COLUMNS, cells)
    output.console().print("B: images. blocks.* are all blocks; `.in` behind a part's name is what that is given.")


def _compatibility(json: bool, markdown: bool) -> None:
    output.waiting(json)
    from vitlab.catalogue import compatibility

    if markdown:
        print(compatibility.page(), end="")
    elif json:
        keys = ("choice", "other", "why")
        rows = [dict(zip(keys, row, strict=True)) for row in compatibility.refused()]
        output.print_json({"compatibility": rows})
    else:
        output.print_table("compatibility", compatibility.COLUMNS, list(compatibility.refused()))
        output.console().print(compatibility.ASIDE)
        output.console().print(compatibility.count())
