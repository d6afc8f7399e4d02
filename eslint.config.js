// The page's scripts. That nothing but text nodes is made of a text is checked here, too.
import js from "@eslint/js";

const BROWSER = [
  "AbortController AbortSignal BroadcastChannel CSS Element HTMLButtonElement HTMLDialogElement",
  "HTMLElement HTMLFormElement HTMLInputElement HTMLTextAreaElement Notification TextDecoder",
  "URL clearInterval clearTimeout crypto document fetch localStorage location matchMedia navigator performance",
  "history innerHeight innerWidth isSecureContext requestAnimationFrame screen sessionStorage setInterval setTimeout window",
];
const UNSAFE = ["innerHTML", "outerHTML", "insertAdjacentHTML", "srcdoc", "write", "writeln"];

export default [
  {
    files: ["src/chatter/page/*.js"],
    ...js.configs.recommended,
    languageOptions: {
      globals: Object.fromEntries(
        BROWSER.flatMap((line) => line.split(" ")).map((name) => [name, "readonly"]),
      ),
    },
    rules: {
      ...js.configs.recommended.rules,
      eqeqeq: "error",
      "no-restricted-properties": ["error", ...UNSAFE.map((property) => ({ property }))],
      "no-shadow": "error",
      "no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-var": "error",
      "prefer-const": "error",
    },
  },
];
