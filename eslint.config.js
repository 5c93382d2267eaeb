import js from "@eslint/js";

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
];
