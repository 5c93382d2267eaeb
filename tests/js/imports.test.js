/** Tests of the import rules: a folder of the board imports only from itself and earlier ones. */

import assert from "node:assert/strict";
import test from "node:test";

import { ESLint } from "eslint";

const FOLDERS = ["state", "draw", "panels", "export"];
const eslint = new ESLint();

/** Return ESLint's messages about an import in a module of a folder. */
async function messages(folder, specifier) {
  const filePath = `assets/board/${folder}/module.js`;
  const [{ messages: found }] = await eslint.lintText(`import "${specifier}";\n`, { filePath });
  return found.map(({ message }) => message);
}

for (const [i, folder] of FOLDERS.entries()) {
  test(`${folder} imports from ${FOLDERS.slice(0, i + 1).join(", ")}, and from nowhere else`, async () => {
    for (const other of FOLDERS.slice(0, i)) assert.deepEqual(await messages(folder, `../${other}/other.js`), []);
    assert.deepEqual(await messages(folder, "./other.js"), []);
    const closed = FOLDERS.slice(i + 1).map((other) => `../${other}/other.js`);
    for (const specifier of [...closed, "../board.js", "../../draw/pad.js"]) {
      const [message] = await messages(folder, specifier);
      assert.match(message, new RegExp(`assets/board/${folder} may import from`), specifier);
    }
  });
}
