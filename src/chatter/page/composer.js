/**
 * The box in which messages are written: one draft for each chat, kept over a reload. A text that
 * begins with a slash is a command, as it is in the terminal; one that is not understood is
 * explained, and never sent to anybody.
 */

import { toEnd } from "./conversation.js";
import { setText, soon, the } from "./drawing.js";
import * as outbox from "./outbox.js";
import { findByName } from "./people.js";
import { load, save } from "./saved.js";

/** What the server takes, and from when on is shown what is left, in code points. */
const LONGEST = 4096;
const NEARLY = LONGEST - 300;

const NAME_AND_TEXT = /^\/msg\s+(?:"((?:[^"\\]|\\.)+)"|([^\s"]\S*))\s+(.*\S)/su;

export const box = the("text", HTMLTextAreaElement);

let chat = 0;
let busy = false;

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

/** Go on with the draft of the chat. */
export const restore = () => write(load(`draft ${chat}`) ?? "");

export const focus = () => box.focus({ preventScroll: true });

/** @param {string} text */
function write(text) {
  box.value = text;
  typed();
}

const keep = () => save(`draft ${chat}`, box.value || undefined);
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
const explain = (text) => setText(the("hint"), text);

async function submit() {
  // What no server takes: halves of characters, and NUL.
  const text = box.value.toWellFormed().replaceAll("\0", "").trimEnd();
  if (!text.trim() || busy) return;
  const tooMany = [...text].length - LONGEST;
  if (tooMany > 0) return explain(`${tooMany} characters too many: it takes ${LONGEST}.`);
  if (text.startsWith("/") && !text.startsWith("//")) return command(text);
  outbox.add(chat, text.startsWith("//") ? text.slice(1) : text);
  write("");
  keep();
  toEnd();
}

/** @param {string} text */
async function command(text) {
  if (!/^\/msg(\s|$)/u.test(text))
    return explain("Only /msg NAME TEXT is known. To send a text with a slash, begin with two.");
  const [, quoted, bare, said] = NAME_AND_TEXT.exec(text) ?? [];
  if (!said) return explain('It is /msg NAME TEXT; a name with blanks goes in "quotes".');
  const name = quoted?.replace(/\\(.)/gu, "$1") ?? bare;
  const [typedIn, typedText] = [chat, box.value];
  busy = true;
  let found;
  try {
    found = await findByName(name, said);
    if (!found) explain(`Nobody is called ${name}.`);
  } catch (error) {
    explain(error instanceof Error ? error.message : "");
  } finally {
    busy = false;
  }
  if (!found) return;
  outbox.add(found.id, found.text);
  // Another chat, or another text, may be here by now.
  if (chat === typedIn && box.value === typedText) write("");
  else if (load(`draft ${typedIn}`) === typedText) save(`draft ${typedIn}`, undefined);
  keep();
  location.hash = String(found.id);
}

box.addEventListener("input", typed);
box.addEventListener("keydown", (event) => {
  // Enter also ends the composition of a word, in many languages.
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  void submit();
});
the("composer", HTMLFormElement).addEventListener("submit", (event) => {
  event.preventDefault();
  focus();
  void submit();
});
window.addEventListener("pagehide", keep);
