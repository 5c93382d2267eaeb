/**
 * Reads the messages that regviz/board.py writes; the layout is described there.
 *
 * @typedef {{header: Object, arrays: Object<string, Float32Array>}} Message
 */

export const VERSION = 1;

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
  for (const [name, shape] of Object.entries(header.arrays)) {
    const size = shape.reduce((product, n) => product * n, 1);
    arrays[name] = new Float32Array(body, at, size);
    at += 4 * size;
  }
  return { header, arrays };
}
