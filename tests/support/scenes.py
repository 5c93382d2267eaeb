"""Hypothesis strategies for scenes, and parameters of links."""

from urllib.parse import parse_qsl, urlsplit

from hypothesis import strategies as st

from regviz import DataSpec, NetworkSpec, Phase, PointsSpec, TrainingSpec
from regviz.methods.catalogue import EARLY_STOPPING, METHODS
from regviz.scenes.scene import GROUPS, Scene
from regviz.spec.experiment import ACTIVATIONS, DTYPES, FEATURES, OPTIMIZERS
from regviz.spec.toy import DATASETS

PENALTIES = st.floats(0, 1000)
STRENGTHS = {
    "l1": PENALTIES,
    "l2": PENALTIES,
    "elastic_net": PENALTIES,
    "dropout": st.floats(0, 0.999),
    "max_norm": st.floats(0, 1000, exclude_min=True),
}
VARIANTS = {"elastic_net": st.floats(0, 1), "max_norm": st.floats(0, 0.999)}
SEEDS = st.integers(0, 2**32 - 1)
NAME = st.text(min_size=1, max_size=8).filter(str.isprintable)
FRACTIONS = dict(
    train_fraction=st.floats(0.3, 0.7),
    validation_fraction=st.just(0.0) | st.floats(0.1, 0.5),
    seed=SEEDS,
)


def subsets(names):
    return st.lists(st.sampled_from(names), unique=True).map(tuple)


def toy_data(name):
    label_noise = st.just(0.0) if DATASETS[name].task == "regression" else st.floats(0, 0.5)
    return st.builds(
        DataSpec,
        st.just(name),
        n_samples=st.integers(100, DATASETS[name].most_samples),
        noise=st.floats(0, 2),
        label_noise=label_noise,
        standardize=st.booleans(),
        **FRACTIONS,
    )


@st.composite
def own_data(draw):
    n_classes = draw(st.integers(2, 3))
    names = draw(st.lists(NAME, min_size=n_classes, max_size=n_classes, unique=True))
    X = draw(st.lists(st.tuples(*[st.floats(-9, 9)] * 2), min_size=30, max_size=40))
    return PointsSpec(
        [(*x, i % n_classes) for i, x in enumerate(X)],
        "binary" if n_classes == 2 else "multiclass",
        draw(st.sampled_from([(), tuple(names)])),
        **{name: draw(values) for name, values in FRACTIONS.items()},
    )


NETWORKS = st.builds(
    NetworkSpec,
    st.one_of(
        st.lists(st.integers(1, 64), max_size=2), st.lists(st.integers(1, 32), max_size=6)
    ).map(tuple),
    st.sampled_from(ACTIVATIONS),
    subsets(FEATURES).filter(len),
    st.sampled_from(["none", "layer"]),  # batch needs batches of two points
    st.booleans(),
)
DECAYS = st.floats(0, 1, exclude_max=True)
TRAININGS = st.builds(
    TrainingSpec,
    st.sampled_from(OPTIMIZERS),
    st.floats(1e-5, 10),
    st.none() | st.integers(1, 10**9),
    st.integers(1, 10**6),
    st.floats(0, 0.999),
    DECAYS,
    DECAYS,
    st.floats(1e-30, 1),
    st.sampled_from(DTYPES),
    st.integers(1, 10_000),
    SEEDS,
)


@st.composite
def phases_within(draw, epochs):
    """Draw up to two phases of a training."""
    untils = draw(st.sets(st.integers(1, epochs - 1), max_size=2)) if epochs > 1 else ()
    rate = st.none() | st.floats(1e-5, 10)
    keys = st.sampled_from(list(STRENGTHS))
    rows = []
    for key in draw(st.tuples(keys, keys)):
        method = METHODS[key]
        value = method.values(DataSpec(), NetworkSpec(), TrainingSpec())[0]
        rows.append(method.regularization(draw(STRENGTHS[key]), value))
    return tuple(
        Phase(until, row, draw(rate)) for until, row in zip(sorted(untils), rows, strict=False)
    )


@st.composite
def scenes(draw, max_pins=2):
    """Draw a scene with random settings."""
    training = draw(TRAININGS)
    methods = draw(subsets(list(METHODS)).filter(len))
    early_stopping = draw(st.booleans())
    stops_early = early_stopping and "none" in methods
    return Scene(
        draw(st.one_of(own_data(), *map(toy_data, DATASETS))),
        draw(NETWORKS),
        training,
        methods,
        early_stopping=early_stopping,
        corrected=draw(st.booleans()),
        phases=draw(phases_within(training.epochs)),
        focus=draw(st.sampled_from([None, *methods, *[EARLY_STOPPING] * stops_early])),
        strengths={k: draw(STRENGTHS[k]) for k in draw(subsets(list(STRENGTHS)))},
        variants={k: draw(VARIANTS[k]) for k in draw(subsets(list(VARIANTS)))},
        epoch=draw(st.none() | st.integers(0, training.epochs)),
        hide=draw(subsets(GROUPS)),
        pins=draw(st.lists(scenes(0), max_size=max_pins)) if max_pins else (),
    )


def link_parameters(address):
    """Return the query parameters of a link, as Streamlit passes them to the page."""
    return dict(parse_qsl(urlsplit(address).query, keep_blank_values=True))
