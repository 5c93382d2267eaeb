"""Tests of the browser's decoder against messages encoded with NumPy."""

import base64
import json
import struct
import zlib
from itertools import pairwise
from math import prod

import numpy as np
import pytest

from regviz.scenes.encoding import MESSAGE_VERSION
from tests.support.node import evaluate

# decodes a message at an odd offset of a larger buffer; float16 as float32
READ = """async (message) => {
  const { copyNumbers, decode } = await import(assets + "/board/state/codec.js");
  const bytes = Uint8Array.from(atob(message), (c) => c.charCodeAt(0));
  const buffer = new Uint8Array(bytes.length + 8);
  buffer.set(bytes, 3);
  const { header, arrays } = await decode(buffer.subarray(3, 3 + bytes.length));
  const copies = {};
  for (const [name, numbers] of Object.entries(arrays)) {
    const out = copyNumbers(numbers, 0, new Float32Array(numbers.length));
    const text = Array.from(new Uint8Array(out.buffer), (b) => String.fromCharCode(b)).join("");
    copies[name] = btoa(text);
  }
  return { header, copies };
}"""

DECODE_SLICE = """async ([message, offset, length]) => {
  const { copyNumbers, decode } = await import(assets + "/board/state/codec.js");
  const { arrays } = await decode(Uint8Array.from(atob(message), (c) => c.charCodeAt(0)));
  return Array.from(copyNumbers(arrays.parameters, offset, new Float32Array(length)));
}"""


def message(version: int = MESSAGE_VERSION, **arrays: np.ndarray) -> str:
    """Return a message of the layout in regviz/scenes/encoding.py, in base64."""
    listed = {name: [array.dtype.str, *array.shape] for name, array in arrays.items()}
    text = json.dumps({"version": version, "run": "λ₁", "arrays": listed}, ensure_ascii=False)
    head = text.encode()
    head += b" " * (-len(head) % 4)
    body = zlib.compress(b"".join(map(planes, arrays.values())))
    return base64.b64encode(struct.pack("<I", len(head)) + head + body).decode()


def planes(array: np.ndarray) -> bytes:
    """Return the differences between frames as byte planes, lowest bytes first."""
    bits, codes = 8 * array.itemsize, []
    for numbers in (
        array.reshape(len(array), prod(array.shape[1:])).view(f"<u{array.itemsize}").T.tolist()
    ):
        for before, number in pairwise([0, *numbers]):
            change = (number - before + 2 ** (bits - 1)) % 2**bits - 2 ** (bits - 1)
            codes.append((2 * abs(change) + (change < 0)) % 2**bits)
    return b"".join(bytes(code >> shift & 0xFF for code in codes) for shift in range(0, bits, 8))


def read(text: str) -> dict[str, np.ndarray]:
    found = evaluate(READ, text)
    assert found["header"]["run"] == "λ₁"
    return {
        name: np.frombuffer(base64.b64decode(copy), np.float32)
        for name, copy in found["copies"].items()
    }


def test_every_number_of_half_precision_is_what_it_is_in_numpy():
    halves = np.arange(2**16, dtype="<u2").view("<f2")
    found = read(message(parameters=halves))["parameters"]
    expected = halves.astype("<f4")
    number = ~np.isnan(expected)
    assert number.sum() == 2**16 - 2 * (2**10 - 1)
    # compared as bits, so that −0 differs from 0
    assert np.array_equal(found[number].view("<u4"), expected[number].view("<u4"))
    assert np.isnan(found[~number]).all()


def test_arrays_follow_each_other():
    random = np.random.default_rng(0)
    arrays = {
        "parameters": random.normal(size=(3, 1, 5)).astype("<f2"),  # 30 bytes
        "metrics": random.normal(size=(3, 1, 6)).astype("<f4"),
        "nothing": np.zeros((0, 3), "<f4"),
        "flips": np.array([[1.5, -0.0], [-1.5, 0.0], [1.5, -0.0]], "<f4"),
        "train": random.normal(size=(7, 3)).astype("<f4"),
    }
    found = read(message(**arrays))
    for name, array in arrays.items():
        expected = array.ravel().astype("<f4")
        assert np.array_equal(found[name].view("<u4"), expected.view("<u4")), name


@pytest.mark.parametrize("kind", ["<f2", "<f4"])
def test_a_part_of_an_array_is_copied_from_its_place(kind: str):
    numbers = np.linspace(-3, 3, 40).astype(kind)
    found = evaluate(DECODE_SLICE, [message(parameters=numbers), 13, 6])
    assert np.array_equal(found, numbers[13:19].astype(float))


def test_a_message_of_another_version_is_refused():
    message_text = (
        f"message version {MESSAGE_VERSION - 1}, this page reads {MESSAGE_VERSION}; reload it"
    )
    with pytest.raises(Exception, match=message_text):
        read(message(version=MESSAGE_VERSION - 1, parameters=np.zeros(4, "<f4")))
