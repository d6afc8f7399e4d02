/**
 * The box in which messages are written: one draft for each chat, kept over a reload. An own
 * message can be edited in it; the draft waits meanwhile.
 */

import { chatWith } from "./chats.js";
import { toEnd } from "./conversation.js";
import { isComposed, setText, soon, the } from "./drawing.js";
import * as outbox from "./outbox.js";
import { load, save } from "./saved.js";

/** What the server takes, and from when on is shown what is left, in code points. */
const LONGEST = 4096;
const NEARLY = LONGEST - 300;

export const box = the("text", HTMLTextAreaElement);

/** The chat to write to. There is none at first, so nothing is kept as the draft of one. */
let chat = NaN;
let busy = false;

/** @type {{id: number, text: string} | null} The message that is edited, with its text so far. */
let editing = null;

/**
 * @param {number} wanted The chat to write to.
 * @param {string} name Whom that reaches.
 */
export function open(wanted, name) {
  const label = `Message ${name}`;
  if (box.placeholder !== label) {
    box.placeholder = label;
    box.ariaLabel = label;
  }
  if (wanted === chat) return;
  keep();
  chat = wanted;
  restore();
}

/** Go on with the draft of the chat, or with the edit in it. */
function restore() {
  const edit = load(`edit ${chat}`);
  editing = edit?.of ?? null;
  write(edit?.text ?? load(`draft ${chat}`) ?? "");
}

/** @param {{id: number, text: string}} message An own one of the chat that is shown. */
export function startEditing({ id, text }) {
  keep();
  editing = { id, text };
  write(text.startsWith("/") ? `/${text}` : text);
  keep();
  focus();
}

/** @returns {boolean} Whether there was an edit to leave. */
export function stopEditing() {
  if (!editing) return false;
  save(`edit ${chat}`, undefined);
  restore();
  return true;
}

export const focus = () => box.focus({ preventScroll: true });

/** @param {string} text */
function write(text) {
  box.value = text;
  setText(the("editing"), editing ? "Editing a message" : "");
  the("stop-editing").hidden = !editing;
  the("send").ariaLabel = editing ? "Save" : "Send";
  typed();
}

function keep() {
  if (editing) save(`edit ${chat}`, { of: editing, text: box.value });
  // The browser may have put something there before there is a chat.
  else if (chat >= 0) save(`draft ${chat}`, box.value || undefined);
}

const keepSoon = soon(300, keep);

function typed() {
  explain("");
  const { value } = box;
  // The browser counts UTF-16, of which some characters have two.
  const length = value.length > NEARLY ? [...value].length : 0;
  const left = LONGEST - length;
  setText(the("count"), length < NEARLY ? "" : left < 0 ? `${-left} too many` : `${left} left`);
  box.ariaInvalid = String(left < 0);
  if (!CSS.supports("field-sizing", "content")) {
    box.style.height = "auto";
    box.style.height = `${box.scrollHeight + 2}px`;
  }
  keepSoon();
}

/** @param {string} text Why nothing was sent. */
export const explain = (text) => setText(the("hint"), text);

/**
 * A part of the page could not be loaded. A browser does not load it again, but with another page.
 *
 * @param {unknown} error
 * @returns {Promise<string>} What to tell the user.
 */
const whyMissing = (error) =>
  import("./upgrade.js").then(
    ({ loadAnew }) => loadAnew(error),
    () => "Please reload the page.",
  );

/** @param {unknown} error As above. */
export const explainMissing = async (error) => explain(await whyMissing(error));

async function submit() {
  // What no server takes: halves of characters, and NUL.
  const text = box.value.toWellFormed().replaceAll("\0", "").trimEnd();
  if (busy || box.readOnly) return;
  if (!text.trim()) return explain(editing ? "A message is withdrawn in its menu." : "");
  const tooMany = [...text].length - LONGEST;
  if (tooMany > 0) return explain(`${tooMany} characters too many: it takes ${LONGEST}.`);
  if (/^\/(?!\/)/u.test(text))
    return editing ? explain("A text with a slash begins with two.") : command(text);
  const said = text.startsWith("//") ? text.slice(1) : text;
  if (editing) {
    if (said !== editing.text) outbox.change(chat, editing.id, "edit", said);
    return stopEditing();
  }
  outbox.add(chat, said);
  write("");
  keep();
  toEnd();
}

/**
 * @param {string} text
 * @returns {Promise<string>} Why nothing was sent, if so.
 */
async function runAlone(text) {
  busy = true;
  try {
    return await import("./commands.js").then(({ run }) => run(text), whyMissing);
  } finally {
    busy = false;
  }
}

/** @param {string} text */
async function command(text) {
  const [typedIn, typedText] = [chat, box.value];
  const wrong = await runAlone(text);
  if (wrong) return explain(wrong);
  // Another chat, or another text, may be here by now.
  if (chat === typedIn && box.value === typedText) write("");
  else if (load(`draft ${typedIn}`) === typedText) save(`draft ${typedIn}`, undefined);
  keep();
}

/** Edit the newest own message, if there is one. */
function editLast() {
  const last = chatWith(chat).lastOwn();
  const pending = last && outbox.changeOf(last.id);
  if (last && pending?.does !== "withdraw")
    startEditing({ id: last.id, text: pending?.text ?? last.text });
}

box.addEventListener("input", typed);
box.addEventListener("keydown", (event) => {
  const { key, altKey, ctrlKey, metaKey, shiftKey } = event;
  if (key === "ArrowUp" && !box.value && !(editing || altKey || ctrlKey || metaKey || shiftKey)) {
    event.preventDefault();
    return editLast();
  }
  // Enter also ends the composition of a word, in many languages.
  if (key !== "Enter" || shiftKey || isComposed(event)) return;
  event.preventDefault();
  void submit();
});
the("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  focus();
  void submit();
});
the("stop-editing").onclick = () => {
  stopEditing();
  focus();
};
window.addEventListener("pagehide", keep);
