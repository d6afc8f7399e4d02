/**
 * The form with which somebody joins, or comes back from another device, or why nobody can. It is
 * loaded when nobody is signed in: who is has no use for it.
 *
 * @import {Start} from "./api.js"
 */

import { connect, newKey, Problem } from "./api.js";
import { box } from "./composer.js";
import { make, makeButton, setText, the } from "./drawing.js";
import { forget } from "./forgetting.js";
import "./panels.js";
import { OF_CHAT } from "./saved.js";

/** What the server takes, in code points. */
const LONGEST = 32;

const OF_NAME =
  "There is no password. This browser keeps you signed in, and the name is yours for as long as it does.";
const OF_TOKEN = "You get one where you are signed in: in the menu, at your devices.";

/** Why nobody can join so, by the type of the error. */
const REFUSED = new Map([
  ["urn:chatter:name-taken", "Somebody has this name already."],
  ["urn:chatter:joining-closed", "This chat takes no new people."],
  ["urn:chatter:invitation-needed", "One joins this chat by an invitation: ask for its link."],
  ["urn:chatter:invitation-expired", "The invitation has expired: ask for another one."],
  ["urn:chatter:invitation-used", "The invitation was used already: ask for another one."],
  ["urn:chatter:unauthorized", "Nobody has this token. It may have been revoked."],
]);

const title = make("h1");
const label = make("label");
const name = make("input");
const error = make("p", "error");
const go = make("button", "primary");
const other = makeButton("", () => choose(!byToken));
const hint = make("p", "hint");
const join = make("form", "card", icon(), title, label, name, error, go, other, hint);
name.id = label.htmlFor = "name";
error.id = "name-error";
hint.id = "join-hint";
error.role = "alert";
name.name = "name";
name.spellcheck = false;
name.dir = "auto";
name.setAttribute("aria-describedby", `${error.id} ${hint.id}`);
join.noValidate = true;

const again = make("button", "primary", "Try again");
const closed = make(
  "section",
  "card",
  icon(),
  make("h1", "", "You are not signed in"),
  make(
    "p",
    "",
    "This chat does not take new people from this page. If it belongs to a site where you have ",
    "an account, sign in there first.",
  ),
  again,
);
the("door").append(join, closed);

function icon() {
  const image = make("img");
  image.src = new URL("icon.svg", import.meta.url).href;
  image.alt = "";
  image.width = image.height = 56;
  return image;
}

/** A link with an invitation ends with this, which no server sees when the link is opened. */
const invitation = () => /^#invitation=(.+)$/u.exec(location.hash)?.[1];

let changed = (/** @type {boolean} */ _joined) => {};

/** Whether the form takes a token, and not a name. */
let byToken = false;

/**
 * @param {Start} start
 * @param {typeof changed} whenChanged What the page does when there may be a user.
 */
export function showDoor({ can_join, needs_invitation, uses_tokens }, whenChanged) {
  changed = whenChanged;
  the("door").hidden = false;
  the("app").hidden = true;
  const hasForm = can_join || uses_tokens === true;
  join.hidden = !hasForm;
  closed.hidden = hasForm;
  document.title = hasForm ? "Join the chat" : "Chat";
  if (!hasForm) return;
  // The tab may have ended before it knew that somebody is signed out, and nobody has the token again.
  forget("sessionStorage", OF_CHAT);
  // The browser may have put there what was written.
  box.value = "";
  other.hidden = !can_join;
  choose(!can_join);
  if (!can_join) refuse("This chat takes no new people.");
  else if (needs_invitation && !invitation()) refuse(REFUSED.get("urn:chatter:invitation-needed"));
  name.ariaInvalid = "false";
}

/** @param {boolean} token Whether the form is to take a token. */
function choose(token) {
  byToken = token;
  refuse();
  name.value = "";
  name.type = token ? "password" : "text";
  name.setAttribute("autocomplete", token ? "off" : "nickname");
  setText(title, token ? "Sign in" : "Join the chat");
  setText(label, token ? "Your token" : "Your name");
  setText(go, token ? "Sign in" : "Join");
  setText(other, token ? "Join with a new name" : "Sign in with a token");
  setText(hint, token ? OF_TOKEN : OF_NAME);
  name.focus();
}

/** @param {string} [wrong] */
function refuse(wrong = "") {
  name.ariaInvalid = String(wrong !== "");
  setText(error, wrong);
}

/** The same for each attempt to join with the same name: the response may have been lost. */
let key = newKey();

/** @returns {Promise<string>} What was wrong. */
async function tryToJoin() {
  const wanted = name.value.trim().toWellFormed();
  const tooMany = [...wanted].length - LONGEST;
  if (!wanted) return byToken ? "Please paste a token." : "Please type a name.";
  if (tooMany > 0 && !byToken)
    return `${tooMany} characters too many: a name has at most ${LONGEST}.`;
  if (byToken && !/^[\x21-\x7e]{1,256}$/u.test(wanted)) return "This is no token.";
  try {
    if (byToken) await connect({}, { Authorization: `Bearer ${wanted}` });
    else await connect({ name: wanted, invitation: invitation() }, { "Idempotency-Key": key });
    key = newKey();
    return "";
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    return REFUSED.get(problem.type) ?? problem.message;
  }
}

let joining = false;

join.onsubmit = async (event) => {
  event.preventDefault();
  if (joining) return;
  joining = true;
  refuse(await tryToJoin());
  joining = false;
  if (name.ariaInvalid === "true") return name.focus();
  name.value = "";
  changed(true);
};
name.oninput = () => {
  key = newKey();
  refuse();
};
// Somebody has got a link, and opens it here.
window.addEventListener("hashchange", () => invitation() && refuse());
again.onclick = () => changed(false);
