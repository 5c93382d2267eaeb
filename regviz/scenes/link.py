"""Convert a `Scene` to the query string of a link, and back.

Parameters at their default are left out, so that links are short. `LINK_VERSION` identifies the
defaults and the meaning of the names. A change of either increments it, and
`regviz.scenes.scene.DEFAULTS` keeps the defaults of all versions. ``tests/scenes/test_link.py`` has
links of each version that must open.
"""

import csv
import dataclasses
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from regviz.data.datasets import make_dataset
from regviz.methods.catalogue import METHODS
from regviz.scenes.claims import CLAIMS, PARAMETER, find_claim
from regviz.scenes.scene import DEFAULTS, MAX_PINS, Scene, phases_of_onset
from regviz.spec.experiment import DataSpec, NetworkSpec, Phase, Regularization
from regviz.spec.points import PointsSpec, pack_split, unpack_split
from regviz.spec.validation import choice, one_of

LINK_VERSION = 2
MAX_LINK_CHARS = 7_000  # characters: many proxies reject requests of more than 8 KiB
MAX_READ_CHARS = 250_000  # characters: a browser sends them twice, in a message of 1 MB at most
TOO_LONG = "too_long"  # parameter that replaces a longer query string; its value is the length
STREAMLITS_OWN = ("embed", "embed_options")  # parameters of Streamlit


@dataclass(frozen=True)
class _Parameter:
    """A parameter of the query string.

    Attributes
    ----------
    get : callable
        ``get(scene)`` returns its value in a scene.
    put : callable
        ``put(scene, value)`` returns the scene with another value. It raises ValueError if the
        value is not allowed.
    read, write : callable
        ``read(text)`` and ``write(value)`` convert the value from and to text.
    """

    get: Callable[[Scene], Any]
    put: Callable[[Scene, Any], Scene]
    read: Callable[[str], Any]
    write: Callable[[Any], str]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise ValueError("must be a number") from error


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise ValueError("must be a whole number") from error


def _plain(value: float) -> str:
    """Return the shortest text that is parsed to the same number."""
    return repr(value).removesuffix(".0")


def _switch(text: str) -> bool:
    return choice("it", text, ("0", "1")) == "1"


def names_in(text: str) -> tuple[str, ...]:
    """Parse names separated by commas; those that contain commas are quoted, as in CSV."""
    return tuple(next(csv.reader([text]), ()))


def listed(names: tuple[str, ...]) -> str:
    """Return names as text from which `names_in` parses them."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow(names)
    return out.getvalue()


def _layers(text: str) -> tuple[int, ...]:
    try:
        hidden = () if text == "none" else tuple(_whole(units) for units in text.split(","))
        return NetworkSpec(hidden).hidden
    except ValueError:
        allowed = "up to six whole numbers from 1 to 32, or one or two from 1 to 64"
        raise ValueError(f"must be none, or {allowed}, with commas between") from None


def _pair(text: str) -> tuple[int, ...]:
    return tuple(_whole(part) for part in text.split("-"))


def _batch(text: str) -> int | None:
    return None if text == "all" else _whole(text)


def _phases(text: str) -> tuple[Phase, ...]:
    """Parse phases separated by commas: the last epoch, and names and values, separated by ``~``.

    The inverse of `_phases_text`.
    """
    phases = []
    for part in text.split(",") if text else ():
        until, *pairs = part.split("~")
        given = dict(zip(pairs[::2], pairs[1::2], strict=False))
        if len(given) * 2 != len(pairs) or not given.keys() <= {*_PHASE_FIELDS, "learning_rate"}:
            raise ValueError(
                "must be phases with commas between, each an epoch and any of"
                f" {', '.join(_PHASE_FIELDS)} and learning_rate with values, as 200~l1~0.01"
            )
        numbers: dict[str, Any] = {name: _number(value) for name, value in given.items()}
        rate = numbers.pop("learning_rate", None)
        for name in _PHASE_SWITCHES & numbers.keys():
            numbers[name] = bool(numbers[name])
        phases.append(Phase(_whole(until), Regularization(**numbers), rate))
    return tuple(phases)


def _phases_text(phases: tuple[Phase, ...]) -> str:
    """Return phases as text: ``"200~l1~0.01~learning_rate~0.03"`` ends after 200 epochs."""
    texts = []
    for phase in phases:
        values = {name: getattr(phase.regularization, name) for name in _PHASE_FIELDS}
        given = {k: float(v) for k, v in values.items() if v != getattr(Regularization, k)}
        if phase.learning_rate is not None:
            given["learning_rate"] = phase.learning_rate
        parts = [str(phase.until), *(text for k, v in given.items() for text in (k, _plain(v)))]
        texts.append("~".join(parts))
    return ",".join(texts)


_PHASE_FIELDS = tuple(
    field.name for field in dataclasses.fields(Regularization) if field.name != "onset"
)
_PHASE_SWITCHES = {name for name in _PHASE_FIELDS if getattr(Regularization, name) is False}


def _part(part: str, field: str, read: Callable[[str], Any], write: Callable[[Any], str]) -> Any:
    """Return the parameter of a field of the scene's data, network or training."""
    return _Parameter(
        lambda scene: getattr(getattr(scene, part), field),
        lambda scene, value: replace(
            scene, **{part: replace(getattr(scene, part), **{field: value})}
        ),
        read,
        write,
    )


def _own(field: str, read: Callable[[str], Any], write: Callable[[Any], str]) -> _Parameter:
    """Return the parameter of a field of the scene itself."""
    return _Parameter(
        lambda scene: getattr(scene, field),
        lambda scene, value: replace(scene, **{field: value}),
        read,
        write,
    )


def _by_method(field: str, key: str) -> _Parameter:
    """Return the parameter of a method's number in the scene's strengths or variants."""

    def put(scene: Scene, value: float) -> Scene:
        numbers = dict(getattr(scene, field)) | {key: value}
        changes: dict[str, Any] = {field: tuple(numbers.items())}
        return replace(scene, **changes)

    return _Parameter(lambda scene: dict(getattr(scene, field)).get(key), put, _number, _plain)


def _of_methods() -> dict[str, _Parameter]:
    """Return the parameters of all methods: strengths, then values of second parameters."""
    strengths = {key: _by_method("strengths", key) for key in METHODS if key != "none"}
    variants = {
        method.variants_parameter: _by_method("variants", key)
        for key, method in METHODS.items()
        if method.variants_parameter
    }
    return strengths | variants


def _put_seed(scene: Scene, seed: int) -> Scene:
    """Set the seeds of points and training; a later ``training_seed`` overrides the second."""
    return replace(
        scene, data=replace(scene.data, seed=seed), training=replace(scene.training, seed=seed)
    )


_DATA = {
    "train_fraction": _part("data", "train_fraction", _number, _plain),
    "validation_fraction": _part("data", "validation_fraction", _number, _plain),
    "standardize": _part("data", "standardize", _switch, lambda on: str(int(on))),
}
_TOY = {
    "data": _part("data", "name", str, str),
    "n_samples": _part("data", "n_samples", _whole, str),
    "noise": _part("data", "noise", _number, _plain),
    "label_noise": _part("data", "label_noise", _number, _plain),
}
_OTHERS = {
    "seed": _Parameter(lambda scene: scene.data.seed, _put_seed, _whole, str),
    "training_seed": _part("training", "seed", _whole, str),
    "hidden": _part(
        "network", "hidden", _layers, lambda units: ",".join(map(str, units)) or "none"
    ),
    "activation": _part("network", "activation", str, str),
    "features": _part("network", "features", names_in, listed),
    "normalization": _part("network", "normalization", str, str),
    "affine": _part("network", "affine", _switch, lambda on: str(int(on))),
    "optimizer": _part("training", "optimizer", str, str),
    "learning_rate": _part("training", "learning_rate", _number, _plain),
    "batch_size": _part(
        "training", "batch_size", _batch, lambda size: "all" if size is None else str(size)
    ),
    "epochs": _part("training", "epochs", _whole, str),
    **{
        name: _part("training", name, _number, _plain)
        for name in ("momentum", "beta1", "beta2", "epsilon")
    },
    "dtype": _part("training", "dtype", str, str),
    "frames": _part("training", "frames", _whole, str),
    "methods": _own("methods", names_in, listed),
    "early_stopping": _own("early_stopping", _switch, lambda on: str(int(on))),
    "corrected": _own("corrected", _switch, lambda on: str(int(on))),
    "phases": _own("phases", _phases, _phases_text),
    "hide": _own("hide", names_in, listed),
    "focus": _own("focus", str, str),
}
# parameters of links of version 1 only
_VERSION_1 = {
    "onset": _Parameter(
        lambda scene: scene.phases,
        lambda scene, n_epochs: replace(scene, phases=phases_of_onset(n_epochs)),
        _whole,
        str,
    )
}
_POINTS = ("points", "task", "names", "split", "columns")
PINS = "pins"  # parameter with the query string of each pin, separated by `_BETWEEN_PINS`
_BETWEEN_PINS = ";"
SAFE = ",*"  # characters that query strings need not quote
LEFT_OUT = "too_many"  # value that replaces points which make a link longer than `MAX_LINK_CHARS`


def field_texts(path: str) -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    """Return the functions that convert a field's value from and to the text of its parameter.

    Parameters
    ----------
    path : str
        Part and field, such as ``"data.noise"``.
    """
    name = "data" if path == "data.name" else path.partition(".")[2]
    parameter = (_TOY | _DATA | _OTHERS)[name]
    return parameter.read, parameter.write


def view_parameters() -> tuple[str, ...]:
    """Return the names of the parameters that determine the view of a recording."""
    return ("focus", *_of_methods(), "epoch", "plane")


def parameter_names(own_points: bool) -> set[str]:
    """Return the names of all parameters that a link to a toy dataset or to own points can have."""
    others = {"v", TOO_LONG, PARAMETER, PINS, *STREAMLITS_OWN}
    return others | {*_parameters(own_points), *_POINTS * own_points}


def _parameters(own_points: bool) -> dict[str, _Parameter]:
    """Return all parameters by name, in their order in links, without those of own points."""
    epoch = {
        "epoch": _own("epoch", _whole, str),
        "plane": _own("plane", _pair, lambda pair: "-".join(map(str, pair))),
    }
    return ({} if own_points else _TOY) | _DATA | _OTHERS | _of_methods() | epoch


def to_query(scene: Scene) -> dict[str, str]:
    """Return the parameters of a scene that are not at their default, as text, without version."""
    start, query = DEFAULTS[LINK_VERSION], {}
    if isinstance(scene.data, PointsSpec):
        data = scene.data
        query["points"] = data.to_text()
        query["task"] = data.task
        if data.names:
            query["names"] = listed(data.names)
        if data.split:
            query["split"] = pack_split(data.split)
        own = PointsSpec(data.points, data.task, seed=start.data.seed)
        if data.columns != own.columns:
            query["columns"] = listed(data.columns)
        start = replace(start, data=own)
    for name, parameter in _parameters(isinstance(scene.data, PointsSpec)).items():
        value = parameter.get(scene)
        default = scene.data.seed if name == "training_seed" else parameter.get(start)
        if value != default:
            query[name] = parameter.write(value)
    if scene.pins:
        query[PINS] = _BETWEEN_PINS.join(_text(pin) for pin in scene.pins)
    return query


def _text(scene: Scene, **others: str) -> str:
    """Return the query string of a scene, with its version."""
    return urlencode({"v": str(LINK_VERSION)} | to_query(scene) | others, safe=SAFE)


def fitting(scene: Scene) -> Scene:
    """Return the scene, without its pins if they make its link longer than `MAX_LINK_CHARS`."""
    fits = not scene.pins or len(_text(scene)) <= MAX_LINK_CHARS
    return scene if fits else replace(scene, pins=())


def settings(scene: Scene) -> dict[str, str]:
    """Return the text of each parameter that determines the training and the line-up of a scene.

    Parameters at their default are included, own points and their task are not.
    """
    others = {*view_parameters(), "hide"}
    return {
        name: parameter.write(parameter.get(scene))
        for name, parameter in _parameters(isinstance(scene.data, PointsSpec)).items()
        if name not in others
    }


def to_short_query(scene: Scene) -> dict[str, str]:
    """Return `to_query` with ``points=too_many`` in place of points, names and split, without pins.

    The page that is opened by such a link shows a message that the points are missing.
    """
    query = to_query(scene)
    left_out = (*_POINTS, PINS)
    return {"points": LEFT_OUT} | {key: query[key] for key in query if key not in left_out}


def link(address: str, scene: Scene, **others: str) -> str:
    """Return the link that opens a scene.

    Parameters
    ----------
    address : str
        Address of the page, without a query string.
    scene : Scene
    **others
        Further parameters, such as Streamlit's ``embed="true"``.

    Returns
    -------
    str

    Examples
    --------
    >>> import regviz
    >>> from regviz.scenes.link import link
    >>> scene = regviz.Scene(focus="l1", epoch=100)
    >>> link("http://localhost:8501/", scene)
    'http://localhost:8501/?v=2&focus=l1&epoch=100'
    """
    return f"{address}?{_text(scene, **others)}"


def from_query(query: Mapping[str, str]) -> tuple[Scene, list[str]]:
    """Return the scene of a query string, and a sentence for each problem with it.

    Parameters that are unknown, malformed or out of range are ignored. Never raises ValueError. A
    claim's key alone stands for the claim's scene; beside other settings it changes nothing.

    Parameters
    ----------
    query : mapping of str to str
        Parameters of the link by name.

    Returns
    -------
    scene : Scene
    problems : list of str

    Examples
    --------
    >>> from regviz.scenes.link import from_query
    >>> scene, problems = from_query({"data": "moons", "epochs": "100", "noise": "9"})
    >>> scene.data.name, scene.training.epochs
    ('moons', 100)
    >>> problems
    ["noise must be a number from 0 to 2, got '9': ignored."]
    """
    scene, problems = _scene_of({name: query[name] for name in query if name != PINS})
    texts = query[PINS].split(_BETWEEN_PINS) if query.get(PINS) else []
    if len(texts) > MAX_PINS:
        problems.append(f"pins must be at most {MAX_PINS}, got {len(texts)}: the rest is ignored.")
    pins = []
    for i, text in enumerate(texts[:MAX_PINS], 1):
        pin, found = _scene_of(dict(parse_qsl(text, keep_blank_values=True)))
        pins.append(pin)
        problems += [f"Pin {i}: {problem}" for problem in found]
    return replace(scene, pins=tuple(pins)), problems


def _scene_of(query: Mapping[str, str]) -> tuple[Scene, list[str]]:
    """Return the scene of a query string without pins, and a sentence for each problem with it."""
    problems: list[str] = []
    if (length := query.get(TOO_LONG, "")).isdecimal():
        problems.append(
            f"It has {int(length[:12]):,} characters, and at most {MAX_READ_CHARS:,} are read:"
            " nothing of it is followed. Pass the experiment on as a file instead."
        )
    version = query.get("v", str(LINK_VERSION))
    versions = {str(number): scene for number, scene in DEFAULTS.items()}
    if version not in versions:
        problems.append(
            f"v must be {one_of(versions)}, got {version[:20]!r}: read as {LINK_VERSION}."
        )
        version = str(LINK_VERSION)
    scene = start = versions[version]
    claim = find_claim(query.get(PARAMETER))
    if PARAMETER in query and claim is None:
        keys = one_of([claim.key for claim in CLAIMS])
        problems.append(f"{PARAMETER} must be {keys}, got {query[PARAMETER][:40]!r}: ignored.")
    elif claim and not set(query) - {"v", PARAMETER, "hide", *STREAMLITS_OWN}:
        scene = start = claim.scene
        version = str(LINK_VERSION)  # of the claim's strengths
    if query.get("points") == LEFT_OUT:
        problems.append(
            "The points are not in the address, as they are too many: these are the default points,"
            " with your settings. Bring your file again to go on with it."
        )
    elif "points" in query:
        try:
            others = {"task": query["task"]} if "task" in query else {}
            names = {"names": names_in(query["names"])} if "names" in query else {}
            split = {"split": unpack_split(query["split"])} if "split" in query else {}
            columns = {"columns": names_in(query["columns"])} if "columns" in query else {}
            seed = start.data.seed
            data = PointsSpec.from_text(
                query["points"], **others, **names, **split, **columns, seed=seed
            )
            scene = start = replace(start, data=data)
        except (ValueError, csv.Error) as error:
            problems.append(f"{error}: ignored.")
    own = isinstance(scene.data, PointsSpec)
    parameters = _parameters(own) | (_VERSION_1 if version == "1" else {})
    allowed_names = (
        parameter_names(own) | parameters.keys() | set(_POINTS if "points" in query else ())
    ) - {PINS}
    problems += [
        f"{name[:40]!r} is not a parameter of a link{' to own points' * own}: ignored."
        for name in query
        if name not in allowed_names
    ]
    for name, parameter in parameters.items():
        if name in query:
            try:
                scene = parameter.put(scene, parameter.read(query[name]))
            except (ValueError, csv.Error) as error:
                problems.append(problem(name, query[name], error))
    try:
        make_dataset(scene.data)
    except ValueError as error:
        problems.append(f"{error}: the points' number and split are ignored.")
        scene = _split_as(scene, start)
    return scene.as_shown_in(int(version)), problems


def problem(name: str, text: str, error: Exception) -> str:
    """Return a sentence on a parameter whose value is not allowed and is ignored.

    Parameters
    ----------
    name : str
        Name of the parameter.
    text : str
        The value, as in the link.
    error : Exception
        The error of reading the value or of using it.
    """
    message = str(error)
    shown = repr(text if len(text) <= 40 else text[:37] + "…")
    if message.startswith("must be"):
        message = f"{message}, got {shown}"
    elif ", got " in message:
        message = message[message.index("must be") : message.rindex(", got ")] + f", got {shown}"
    return f"{name} {message}: ignored."


def _split_as(scene: Scene, start: Scene) -> Scene:
    fields = ["train_fraction", "validation_fraction"]
    if isinstance(scene.data, DataSpec):
        fields.append("n_samples")
    return replace(
        scene, data=replace(scene.data, **{name: getattr(start.data, name) for name in fields})
    )
