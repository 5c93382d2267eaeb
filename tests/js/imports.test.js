/** The board's folders import from those before them alone: state, draw, panels, export; types, too. */

import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";

import { ESLint } from "eslint";

import { FOLDERS } from "../../eslint.config.js";

const BOARD = fileURLToPath(new URL("../../assets/board", import.meta.url));
const NAMES = Object.keys(FOLDERS);
const eslint = new ESLint();

/** Return ESLint's messages about an import in a module of a folder. */
async function messages(folder, specifier) {
  const filePath = `assets/board/${folder}/module.js`;
  const [{ messages: found }] = await eslint.lintText(`import "${specifier}";\n`, { filePath });
  return found.map(({ message }) => message);
}

/** The folders, or modules beside them, that a text in a folder imports anything from: types included. */
function targets(folder, text) {
  const found = text.matchAll(/(?:\bfrom|\bimport\()\s*"(\.[^"]+)"/g);
  return [...found].map(([, specifier]) => relative(BOARD, join(BOARD, folder, specifier)).split(sep)[0]);
}

for (const [i, folder] of NAMES.entries()) {
  test(`${folder} imports from ${NAMES.slice(0, i + 1).join(", ")}, and from nowhere else`, async () => {
    for (const other of NAMES.slice(0, i)) assert.deepEqual(await messages(folder, `../${other}/other.js`), []);
    assert.deepEqual(await messages(folder, "./other.js"), []);
    const closed = NAMES.slice(i + 1).map((other) => `../${other}/other.js`);
    for (const specifier of [...closed, "../board.js", "../../draw/pad.js"]) {
      const [message] = await messages(folder, specifier);
      assert.match(message, new RegExp(`assets/board/${folder} may import from`), specifier);
    }
  });

  test(`types in ${folder} come from ${NAMES.slice(0, i + 1).join(", ")}, and from nowhere else`, () => {
    const open = [folder, ...FOLDERS[folder]];
    for (const file of globSync(`${folder}/**/*.{js,ts}`, { cwd: BOARD })) {
      for (const target of targets(dirname(file), readFileSync(join(BOARD, file), "utf8"))) {
        assert.ok(open.includes(target), `${file} imports from ${target}`);
      }
    }
  });
}

test("types are found in comments and declarations", () => {
  const text = `
    /** @import {Card, Recording} from "../state/types.d.ts" */
    /** @param {import("../board.js").Board} board */
    import type { SvgContext } from "../export/svg.js";`;
  assert.deepEqual(targets("panels", text), ["state", "board.js", "export"]);
});
