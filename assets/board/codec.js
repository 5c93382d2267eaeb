/**
 * Reads the messages that regviz/board/encoding.py writes; the layout is described there.
 *
 * @typedef {Float32Array|Uint16Array} Numbers  the latter hold numbers in half precision
 * @typedef {{header: Object, arrays: Object<string, Numbers>}} Message
 */

export const VERSION = 4;
const WORDS = { "<f4": Uint32Array, "<f2": Uint16Array };

/**
 * Take a message apart. Decompression runs beside the page; what is left takes 10 ms for all
 * networks of the showcase.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Message>}
 */
export async function decode(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  if (header.version !== VERSION) {
    throw new Error(`RegViz: message version ${header.version}, this page reads ${VERSION}; reload it`);
  }
  const planes = await inflate(bytes.subarray(4 + length));
  const arrays = {};
  let at = 0;
  for (const [name, [type, ...shape]] of Object.entries(header.arrays)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const coded = new WORDS[type](size);
    for (let shift = 0; shift < 8 * coded.BYTES_PER_ELEMENT; shift += 8) {
      for (let i = 0; i < size; i++) coded[i] |= planes[at++] << shift;
    }
    const words = undo(coded, shape[0], size / shape[0]);
    arrays[name] = type === "<f4" ? new Float32Array(words.buffer) : words;
  }
  return { header, arrays };
}

/** Numbers from the changes of each one over time, as the head of regviz/board/encoding.py describes. */
function undo(coded, nTimes, nNumbers) {
  const words = new coded.constructor(coded.length);
  const least = -(2 ** (8 * words.BYTES_PER_ELEMENT - 1)); // its code is that of no change, below 0
  for (let n = 0, i = 0; n < nNumbers; n++) {
    let word = 0;
    for (let at = n; at < words.length; at += nNumbers, i++) {
      const size = coded[i] >>> 1;
      word += coded[i] & 1 ? -size || least : size;
      words[at] = word;
      word = words[at]; // modulo 2 ** bits
    }
  }
  return words;
}

/** @param {Uint8Array} bytes  a zlib stream */
async function inflate(bytes) {
  const plain = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
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
