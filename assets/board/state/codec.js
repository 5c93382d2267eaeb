/** Decodes the messages that regviz/scenes/encoding.py writes; the layout is described there. */

/** @import {Header, Message, Numbers} from "./types.d.ts" */

export const MESSAGE_VERSION = 8;
const WORDS = { "<f4": Uint32Array, "<f2": Uint16Array };

/**
 * Decode a message. The browser decompresses it on another thread; the rest takes 10 ms for all
 * networks of the showcase.
 *
 * @param {Uint8Array} bytes
 * @returns {Promise<Message>}
 */
export async function decode(bytes) {
  const length = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  if (header.version !== MESSAGE_VERSION) {
    throw new Error(`RegViz: message version ${header.version}, this page reads ${MESSAGE_VERSION}; reload it`);
  }
  const planes = await inflate(bytes.subarray(4 + length));
  /** @type {Record<string, Numbers>} */
  const arrays = {};
  let at = 0;
  for (const [name, [type, ...shape]] of Object.entries(/** @type {Header} */ (header).arrays)) {
    const size = shape.reduce((product, n) => product * n, 1);
    const coded = new WORDS[type](size);
    for (let shift = 0; shift < 8 * coded.BYTES_PER_ELEMENT; shift += 8) {
      for (let i = 0; i < size; i++) coded[i] |= planes[at++] << shift;
    }
    const words = undo(coded, size / shape[0]);
    arrays[name] = words instanceof Uint16Array ? words : new Float32Array(words.buffer);
  }
  return /** @type {Message} */ (/** @type {unknown} */ ({ header, arrays }));
}

/**
 * Invert the delta coding along time; see regviz/scenes/encoding.py.
 *
 * @param {Uint32Array|Uint16Array} coded
 * @param {number} nNumbers
 */
function undo(coded, nNumbers) {
  const words = coded instanceof Uint16Array ? new Uint16Array(coded.length) : new Uint32Array(coded.length);
  const least = -(2 ** (8 * words.BYTES_PER_ELEMENT - 1)); // coded as a negative difference of 0
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

/**
 * Decompress.
 *
 * @param {Uint8Array} bytes  a zlib stream
 */
async function inflate(bytes) {
  const plain = new Blob([/** @type {Uint8Array<ArrayBuffer>} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

/** @type {Float32Array|null} */
let halves = null;

/** Return all 65536 numbers of half precision, indexed by their bits. */
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
 * Copy `out.length` numbers, the first at `offset`, in single precision.
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
