/**
 * Reads the messages that regviz/board.py writes; the layout is described there.
 *
 * @typedef {Float32Array|Uint16Array} Numbers  the latter hold numbers in half precision
 * @typedef {{header: Object, arrays: Object<string, Numbers>}} Message
 */

export const VERSION = 2;
const TYPES = { "<f4": Float32Array, "<f2": Uint16Array };

/**
 * Take a message apart. The arrays are copies: the bytes may stand anywhere in a larger buffer, at
 * an address that a Float32Array cannot start at.
 *
 * @param {Uint8Array} bytes
 * @returns {Message}
 */
export function decode(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  if (header.version !== VERSION) {
    throw new Error(`RegViz: message version ${header.version}, this page reads ${VERSION}; reload it`);
  }
  const body = bytes.slice(4 + length).buffer;
  const arrays = {};
  let at = 0;
  for (const [name, [type, ...shape]] of Object.entries(header.arrays)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const numbers = new TYPES[type](body, at, size);
    arrays[name] = numbers;
    at += 4 * Math.ceil(numbers.byteLength / 4);
  }
  return { header, arrays };
}

let halves = null;

/** All 65536 numbers of half precision, by their bits. */
function halfTable() {
  halves ??= Float32Array.from({ length: 65536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 0x1f;
    const fraction = bits & 0x3ff;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    return exponent === 0
      ? sign * fraction * 2 ** -24
      : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
  return halves;
}

/**
 * Copy `out.length` numbers from `offset` on.
 *
 * @param {Numbers} numbers
 * @param {number} offset
 * @param {Float32Array} out
 */
export function copyNumbers(numbers, offset, out) {
  if (numbers instanceof Float32Array) {
    for (let i = 0; i < out.length; i++) out[i] = numbers[offset + i];
  } else {
    const table = halfTable();
    for (let i = 0; i < out.length; i++) out[i] = table[numbers[offset + i]];
  }
  return out;
}
