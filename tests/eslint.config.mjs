// The page's code, all files as one script: what ESLint has to know of it, and what it must not do.
const browser = ["Blob", "DecompressionStream", "Response", "URL", "URLSearchParams", "XMLSerializer", "atob", "document",
  "history", "location", "module", "performance", "requestAnimationFrame", "structuredClone", "window"];

// As a string each of these could become markup or code.
const markup = ["innerHTML", "outerHTML", "insertAdjacentHTML", "write", "writeln", "createContextualFragment", "srcdoc"]
  .map((property) => ({ property, message: "text is never markup: make elements" }));

export default [{
  languageOptions: { ecmaVersion: 2022, sourceType: "script", globals: Object.fromEntries(browser.map((name) => [name, "readonly"])) },
  linterOptions: { reportUnusedDisableDirectives: "error" },
  rules: Object.fromEntries([
    "array-callback-return", "block-scoped-var", "consistent-return", "default-case", "eqeqeq", "getter-return", "no-await-in-loop",
    "no-caller", "no-case-declarations", "no-cond-assign", "no-const-assign", "no-constant-condition", "no-debugger", "no-dupe-args",
    "no-dupe-class-members", "no-dupe-else-if", "no-dupe-keys", "no-duplicate-case", "no-else-return", "no-empty", "no-eval",
    "no-extra-bind", "no-fallthrough", "no-func-assign", "no-global-assign", "no-implied-eval", "no-irregular-whitespace", "no-loop-func",
    "no-loss-of-precision", "no-new-func", "no-new-wrappers", "no-param-reassign", "no-promise-executor-return", "no-prototype-builtins",
    "no-redeclare", "no-return-assign", "no-self-assign", "no-self-compare", "no-sequences", "no-shadow", "no-shadow-restricted-names",
    "no-sparse-arrays", "no-throw-literal", "no-undef", "no-unexpected-multiline", "no-unmodified-loop-condition", "no-unreachable",
    "no-unreachable-loop", "no-unsafe-finally", "no-unsafe-negation", "no-unused-expressions", "no-unused-vars", "no-use-before-define",
    "no-useless-assignment", "no-useless-concat", "no-useless-escape", "no-useless-return", "no-var", "object-shorthand",
    "prefer-const", "prefer-template", "radix", "require-atomic-updates", "use-isnan", "valid-typeof",
  ].map((rule) => [rule, "error"]).concat([
    ["no-restricted-properties", ["error", ...markup]],
    ["no-use-before-define", ["error", { functions: false, variables: false }]],
  ])),
}];
