import js from "@eslint/js";

// Folders of assets/board, each with those that it may import from beside itself. Types in comments and
// in .d.ts files, which ESLint does not read, are held to the same by tests/js/imports.test.js.
export const FOLDERS = {
  state: [],
  draw: ["state"],
  panels: ["state", "draw"],
  export: ["state", "draw", "panels"],
};

/** The rules that keep a folder from importing the board's own modules and the other folders. */
function arrows([folder, allowed]) {
  const closed = Object.keys(FOLDERS).filter((other) => other !== folder && !allowed.includes(other));
  const message = `assets/board/${folder} may import from ${[folder, ...allowed].join(", ")} alone`;
  return {
    files: [`assets/board/${folder}/**/*.js`],
    rules: {
      "no-restricted-imports": [
        "error",
        {
          patterns: [
            { regex: String.raw`^\.\./(?!(${Object.keys(FOLDERS).join("|")})/)`, message },
            ...closed.map((other) => ({ regex: String.raw`^\.\./${other}/`, message })),
          ],
        },
      ],
    },
  };
}

export default [
  { ignores: [".venv/", "build/"] },
  js.configs.recommended,
  {
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      "no-undef": "off", // the TypeScript compiler knows the browser's globals
      "no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": ["error", { destructuring: "all" }],
      eqeqeq: "error",
      "no-implicit-coercion": ["error", { boolean: true, number: false, string: true }],
      "no-shadow": "off",
    },
  },
  // the TypeScript compiler reads assets/ alone; Node.js runs these
  {
    files: ["tests/js/**/*.js", "eslint.config.js"],
    languageOptions: { globals: { URL: "readonly" } },
    rules: { "no-undef": "error" },
  },
  ...Object.entries(FOLDERS).map(arrows),
];
