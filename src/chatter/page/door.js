/**
 * The form with which somebody joins, or why nobody can. It is loaded when nobody is signed in:
 * who is has no use for it.
 */

import { connect, newKey, Problem } from "./api.js";
import { setText, the } from "./drawing.js";
import "./panels.js";

/** What the server takes, in code points. */
const LONGEST = 32;

const name = the("name", HTMLInputElement);
const join = the("join", HTMLFormElement);

let changed = (/** @type {boolean} */ _joined) => {};

/**
 * @param {boolean} canJoin
 * @param {typeof changed} whenChanged What the page does when there may be a user.
 */
export function showDoor(canJoin, whenChanged) {
  changed = whenChanged;
  the("door").hidden = false;
  the("app").hidden = true;
  join.hidden = !canJoin;
  the("closed").hidden = canJoin;
  document.title = canJoin ? "Join the chat" : "Chat";
  if (canJoin) name.focus();
}

/** @param {string} wrong */
function refuse(wrong) {
  name.ariaInvalid = String(wrong !== "");
  setText(the("name-error"), wrong);
}

/** The same for each attempt to join with the same name: the response may have been lost. */
let key = newKey();

async function tryToJoin() {
  const wanted = name.value.trim().toWellFormed();
  const tooMany = [...wanted].length - LONGEST;
  if (!wanted) return "Please type a name.";
  if (tooMany > 0) return `${tooMany} characters too many: a name has at most ${LONGEST}.`;
  try {
    await connect(wanted, key);
    key = newKey();
    return "";
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    if (error.type === "urn:chatter:name-taken") return "Somebody has this name already.";
    return error.message.replace(/^name: /u, "A name has ");
  }
}

let joining = false;

join.onsubmit = async (event) => {
  event.preventDefault();
  if (joining) return;
  joining = true;
  refuse(await tryToJoin());
  joining = false;
  if (name.ariaInvalid === "true") name.focus();
  else changed(true);
};
name.oninput = () => {
  key = newKey();
  refuse("");
};
the("closed-retry").onclick = () => changed(false);
