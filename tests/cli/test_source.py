"""Tests of the messages on experiments and options that are not valid."""

from pathlib import Path

import pytest

from regviz.cli import main
from tests.cli.conftest import Run


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train", "none.json"], "FILE must be a file that can be read (No such file or"),
        (["train", "bytes"], "FILE must be an experiment as JSON, which is text in UTF-8, got"),
        (["train", "text"], "text: file must be JSON text (Expecting value: line 1 colum"),
        (["train", "moon"], "moon: name must be one of 'moons', 'circles'"),
        (["train", "arrays"], "arrays: data must be a DataSpec or a PointsSpec, which a link can "),
        (["train", "empty"], "empty: file must be an object with one or more of regviz, data, ne"),
        (["train", "https://"], "LINK must be an address that begins with http:// or https://"),
        (["train", "http://h/?noise=9"], "noise must be a number from 0 to 2, got '9'\n"),
        (["train", "http://h/?v=3"], "v must be one of 1, 2, got '3'\n"),
        (["train", "http://h/?nois=1&hidden=0"], "'nois' is not a parameter of a link; hidden mus"),
        (["train", "http://h/?pins=noise%3D9"], "Pin 1: noise must be a number from 0 to 2, got"),
        (["train", "http://h/?room=ABC123"], "LINK must be a link to a page: a room is on the se"),
        (["train", "ok", "--output", "x.csv"], "--output must be a file name that ends in .npz or"),
        (["train", "ok", "--output", "no/x.npz"], "--output must be a file in a folder that exis"),
        (["train", "ok", "--import", "nope"], "--import (REGVIZ_IMPORTS) must be modules that ar"),
        (["export", "ok", "--html", "no/x.html"], "--html must be a file in a folder that exists"),
        (
            ["export", "ok", "--html"],
            "--html must be followed by the name of a file, as ok.html",
        ),
        (["export", "ok", "--experiment", "ok"], "--experiment must be another file than FILE"),
        (["export", "ok", "--points", "-", "--json"], "--points must be a file, as --json prints"),
        (["export", "ok", "--program", "jax"], "--program must be one of 'pytorch', 'scikit-lea"),
        (["export", "ok", "--program", "keras", "--method", "x"], "--method must be one of none,"),
        (["study", "ok", "--baseline", "x"], "--baseline must be one of none, l1, l2, elastic_ne"),
        (["study", "ok", "--metric", "loss"], "--metric must be one of train_loss, validation_"),
        (["study", "ok", "--methods", "l9"], "--methods must be one of 'none', 'l1', 'l2', 'el"),
        (["study", "ok", "--vary", "noise=1"], "--vary PATH must be one of 'data.name', 'data.n"),
        (["study", "ok", "--vary", "data.noise=x"], "--vary data.noise must be a number, got 'x'"),
        (["study", "ok", "--vary", "data.noise=9"], "vary['data.noise'][0]: noise must be a numb"),
        (["study", "ok", "--strengths", "l2"], "--strengths must be grid, a number of strengths"),
        (["study", "ok", "--figure", "x.png"], "--figure must be a file name that ends in .html"),
        (
            ["study", "base"],
            "base: vary['data.noise'][0]: noise must be a number from 0 to 2, got 9",
        ),
        (["study", "http://h/study?seeds=x"], "seeds must be a number of seeds from 1 to 1000, o"),
        (["open", "http://h/study?vary=x%3D1"], "vary must be one of 'data.name', 'data.n_samples"),
        (["open", "ftp://h/"], "LINK must be an address that begins with http:// or https://"),
        (["open", "http://h/?v=2&epochs=-1"], "epochs must be a whole number from 1 to 1000000"),
        (["open", "http://h/learn?lesson=x"], "lesson must be one of noise, l2, l1"),
        (["open", "http://h/", "--url", "here"], "--url must be an address such as http://localh"),
    ],
)
def test_what_is_not_valid_is_named_with_what_is_allowed_and_nothing_is_trained(
    words: list[str],
    message: str,
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("regviz.engine.recorder.histories", pytest.fail)
    for name in ("ok", "ok.html"):
        Path(name).write_text('{"regviz": 2}')
    Path("empty").write_text("{}")
    Path("bytes").write_bytes(b"\xff\xfe\x00")
    Path("text").write_text("hello")
    Path("moon").write_text('{"data": {"name": "moon"}}')
    Path("base").write_text('{"base": {}, "vary": {"data.noise": [9]}}')
    sizes = '"task": "binary", "n_columns": 2, "n_outputs": 1, "n_train": 9, "n_validation": 0'
    digest = '"n_test": 0, "digest": "0123456789abcdef"'
    Path("arrays").write_text(f'{{"data": {{{sizes}, {digest}}}, "regularizations": [{{}}]}}')
    done = run(*words)
    assert done.code == 2
    assert done.out == ""
    assert done.err.startswith(f"regviz {words[0]}: error: {message}")
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("link", ["localhost:8501/?data=moons", "localhost:8501"])
def test_a_link_without_http_is_no_missing_file(link: str, run: Run):
    done = run("train", link)
    assert done.code == 2
    assert done.err.endswith(f", or a link that begins with http:// or https://, got {link!r}\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["serve", "--port", "abc"], "--port: must be a whole number from 1 to 65535, got 'abc'"),
        (["serve", "--port", "65536"], "--port: must be a whole number from 1 to 65535, got '65"),
        (["serve", "--port", "0"], "--port: must be a whole number from 1 to 65535, got '0'"),
        (["serve", "--host", "a..b"], "--host/--address: must be an address or a known name of t"),
        (
            ["study", "x", "--seeds", "1"],
            "--seeds: must be a number of seeds from 2 to 1000, or seeds",
        ),
        (
            ["study", "x", "--seeds", "9e9"],
            "--seeds: must be a number of seeds from 2 to 1000, or se",
        ),
        (["study", "x", "--interval", "z"], "--interval: invalid choice: 'z' (choose from"),
        (["study", "x", "--json", "--csv"], "--csv: not allowed with argument --json"),
        (["open", "x", "--port", "1", "--url", "x"], "--url: not allowed with argument --port"),
    ],
)
def test_an_option_that_is_not_allowed_is_named(words: list[str], message: str, run: Run):
    done = run(*words)
    assert done.code == 2
    *_, line = done.err.splitlines()
    assert line.startswith(f"regviz {words[0]}: error: argument {message}")


def test_only_serve_passes_on_options_that_it_does_not_know(run: Run):
    done = run("train", "x", "--server.headless", "1")
    assert done.code == 2
    assert done.err.endswith("regviz train: error: unrecognized arguments: --server.headless 1\n")


def test_a_form_is_needed_to_export(run: Run):
    done = run("export", "x")
    assert done.code == 2
    assert "one of the arguments --html --program --points --experiment is required" in done.err


@pytest.mark.parametrize("command", ["serve", "train", "export", "study", "open"])
def test_help_fits_into_a_terminal(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="0"):
        main([command, "--help"])
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 100
    assert ("exit codes:" in text) == (command != "serve")
