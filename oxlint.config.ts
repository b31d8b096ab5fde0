import { defineConfig } from "oxlint";

export default defineConfig({
  plugins: ["typescript", "import", "unicorn", "node", "promise"],
  options: { typeAware: true, reportUnusedDisableDirectives: "error" },
  categories: { correctness: "error", suspicious: "error" },
  ignorePatterns: ["src/gen/**", "console/dist/**"],
  rules: {
    "import/no-cycle": "error",
    "import/no-default-export": "error",
    "node/no-process-env": "error",
    "eslint/no-console": "error",
    "eslint/func-style": ["error", "declaration"],
    "unicorn/filename-case": ["error", { case: "kebabCase" }],
    // node:test's describe, it and test return promises that nobody should await.
    "typescript/no-floating-promises": [
      "error",
      {
        allowForKnownSafeCalls: [
          { from: "package", package: "node:test", name: ["describe", "it", "test", "suite"] },
        ],
      },
    ],
    "typescript/no-misused-promises": "error",
    "typescript/switch-exhaustiveness-check": "error",
    "typescript/only-throw-error": "error",
    "typescript/return-await": ["error", "in-try-catch"],
    "typescript/no-explicit-any": "error",
    "typescript/no-non-null-assertion": "error",
    "typescript/consistent-type-imports": "error",
    "typescript/explicit-module-boundary-types": "error",
    "eslint/preserve-caught-error": "error",
    // An exhaustive switch returns on every path; the compiler checks that, this rule cannot.
    "typescript/consistent-return": "off",
    // `await using _service` is how a test owns what it only needs to run.
    "eslint/no-underscore-dangle": "off",
    // It takes chat.postMessage for window.postMessage.
    "unicorn/require-post-message-target-origin": "off",
  },
  overrides: [
    {
      files: ["src/**"],
      rules: {
        "no-restricted-imports": [
          "error",
          { paths: [{ name: "kysely", message: "Only store.ts and src/database speak SQL." }] },
        ],
      },
    },
    {
      files: ["src/**/store.ts", "src/database/**"],
      rules: { "no-restricted-imports": "off" },
    },
    {
      files: ["src/main.ts", "src/config/index.ts", "*.config.ts", "scripts/**"],
      rules: { "node/no-process-env": "off", "import/no-default-export": "off" },
    },
    {
      files: ["test/**", "bench/**", "**/*.test.ts", "kit/src/contract/**"],
      rules: {
        "typescript/no-non-null-assertion": "off",
        "node/no-process-env": "off",
        "eslint/no-console": "off",
        // The far side of a wire speaks JSON.
        "typescript/no-unsafe-type-assertion": "off",
        "typescript/require-array-sort-compare": "off",
        "typescript/unbound-method": "off",
      },
    },
  ],
});
