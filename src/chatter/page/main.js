/**
 * Puts the page together: who the user is, which chat is shown, when what is drawn. The part of
 * the URL after `#` says which chat it is, so the browser's own Back goes back.
 *
 * @import {Message, Start} from "./api.js"
 */

import { getChats, Problem } from "./api.js";
import { announce, atMost99, showConnected, showUnread } from "./attention.js";
import * as chats from "./chats.js";
import * as composer from "./composer.js";
import * as conversation from "./conversation.js";
import {
  drawAll,
  pause,
  perFrame,
  plan,
  setAvatar,
  setHidden,
  setText,
  soon,
  the,
} from "./drawing.js";
import * as feed from "./feed.js";
import { firstChats, firstOnline, named, narrow } from "./first.js";
import "./keys.js";
import * as log from "./log.js";
import * as outbox from "./outbox.js";
import { meet, nameOf, refreshOnline, saw } from "./people.js";
import * as reading from "./reading.js";
import { keepSignedIn, setOwner } from "./saved.js";
import * as side from "./sidebar.js";
import * as tabs from "./tabs.js";
import { today } from "./message.js";

/** If the log has grown by more while nobody looked, the chats are loaded anew. */
const GAP = 5000;

/** Who was away for longer requests what was read elsewhere, in milliseconds. */
const ABSENCE = 10_000;

/** How often is requested who is online, in milliseconds. */
const ONLINE_EVERY = 30_000;

/** Between two attempts to begin, in milliseconds. */
const LONGEST_DELAY = 10_000;

/** What nobody needs at first is loaded so long after the page, in milliseconds. */
const OTHERS_AFTER = 2000;

const touch = matchMedia("(pointer: coarse)");

plan.chat = perFrame(
  () => {
    conversation.draw();
    compose();
  },
  0,
  35,
);
plan.side = perFrame(side.draw, 200);
plan.title = soon(300, () => {
  if (!chats.user) return;
  const unread = chats.unread();
  const elsewhere = unread - (conversation.shown?.unread ?? 0);
  showUnread(conversation.title() || "Chat", unread);
  setHidden(the("back-count"), !elsewhere);
  setText(the("back-count"), atMost99(elsewhere));
});

/** Whether the user is, or was, muted or a moderator. */
let hasStanding = false;

/** What is typed goes to the chat that is shown. */
function compose() {
  const { shown } = conversation;
  if (shown) composer.open(shown.id, shown.id ? conversation.title() : "everybody");
  hasStanding ||= chats.moderates || chats.mutedUntil !== "";
  // Without it a refusal says the same. A page that was loaded anew for it might do so for ever.
  if (hasStanding)
    loadStanding().then(
      ({ draw }) => draw(),
      () => {},
    );
}

feed.reader.connected = showConnected;
feed.reader.refused = () => void start();
// Nothing of the page can be trusted then; what was written is kept.
feed.reader.replaced = () => location.reload();
feed.reader.missed = () => {
  chats.forget();
  void start();
};
feed.reader.received = (messages, changes, end) => {
  conversation.expect(messages);
  const altered = chats.receive(messages, changes, end);
  messages.forEach(tell);
  altered.forEach(tellChange);
};

/**
 * @param {chats.Chat} chat Nobody is notified of what is said to all.
 * @param {(notifications: typeof import("./notifications.js")) => unknown} work
 */
function notifying({ id }, work) {
  if (id) import("./notifications.js").then(work, () => {});
}

/** @param {Message} message Tell the user of it, or the outbox. */
function tell(message) {
  const chat = chats.chatOf(message);
  const { sender_id, text } = message;
  if (sender_id === chats.user?.id) return outbox.notice(chat.id, text);
  saw(sender_id);
  const name = nameOf(sender_id) || "Somebody";
  if (document.hidden) {
    notifying(chat, ({ notify }) => notify(chat, message.id));
  } else if (chat === conversation.shown) announce(`${name}: ${text}`);
  else if (chat.id) announce(`A private message from ${name}`);
}

/** @param {Message} message One that was edited or withdrawn. */
function tellChange(message) {
  const chat = chats.chatOf(message);
  const { sender_id, text, withdrawn_by } = message;
  if (document.hidden) return notifying(chat, ({ correct }) => correct(chat, message.id));
  if (chat !== conversation.shown) return;
  const name = sender_id === chats.user?.id ? "you" : nameOf(sender_id) || "somebody";
  if (withdrawn_by === undefined) announce(`A message from ${name} was edited: ${text}`);
  else announce(`A message from ${name} was withdrawn`);
}

// What nobody needs at first.
const loadMenu = () => import("./menu.js");
const loadAccount = () => import("./account.js");
const loadStanding = () => import("./standing.js");

log.around.openMenu = (message, button) =>
  loadMenu().then((menu) => menu.open(button, message), composer.explainMissing);

/** Whether the user has joined here, and is no account of the site. */
let canLeave = false;

the("menu-button").onclick = () =>
  loadAccount().then(
    (account) => account.open(the("menu-button"), canLeave, () => void changed(false)),
    composer.explainMissing,
  );

/** @param {Event} [event] What has changed what is shown; there is none when the page begins. */
function show(event) {
  if (!chats.user) return;
  const id = named();
  const before = conversation.shown?.id;
  document.body.classList.toggle("in-chat", id !== null);
  conversation.open(id);
  // At once: a text must not reach the chat before, and all its readers.
  compose();
  drawAll();
  if (id === (before ?? null)) return;
  // The focus must not stay in what is hidden. On a touch screen the keyboard would cover the
  // messages. To focus costs a layout, which the next frame has anyway.
  requestAnimationFrame(() => {
    if (id === null) side.focusOn(before);
    else if (!touch.matches) composer.focus();
    else if (event) the("scroller").focus();
  });
}

/** Request who the user is and what there is, and begin. */
async function start(requested = getChats()) {
  tabs.end();
  const began = Date.now();
  for (let delay = 250; ; delay = Math.min(2 * delay, LONGEST_DELAY)) {
    try {
      const begun = await requested;
      wait("");
      if (begun.user) begin(begun, begun.user);
      else await showDoor(begun);
      return;
    } catch (error) {
      const lasts = error instanceof Problem && !error.transient;
      if (lasts) return wait(await whyNot(error));
      if (!(error instanceof Problem)) throw error;
      if (Date.now() - began > 1000) wait("The chat cannot be reached. Trying again…");
      await pause(delay * (1 + Math.random()));
      requested = getChats();
    }
  }
}

/** @param {Problem} error */
async function whyNot({ type, message, until }) {
  if (type !== "urn:chatter:banned") return message;
  const standing = await loadStanding().catch(() => null);
  return standing?.banned(until, () => void start()) ?? message;
}

/** @param {Start} begun */
async function showDoor(begun) {
  if (chats.user) {
    keepSignedIn(false);
    return endPage();
  }
  setOwner(0);
  const door = await import("./door.js").catch(() => null);
  if (door) return door.showDoor(begun, changed);
  // The server was reached a moment ago, so it is one with other files: a newer version.
  await pause(1000);
  location.reload();
}

/** The user has left: nothing here must go on without one, nor as whoever is next. */
async function endPage() {
  // Nobody has the token again. An account of the site may come back to what it has written.
  if (canLeave)
    await import("./leaving.js").then(
      ({ forgetAll }) => forgetAll(),
      () => {},
    );
  location.reload();
}

/** @param {string} text What the page waits for, if it does; it covers what is there. */
function wait(text) {
  the("app").inert = text !== "";
  the("waiting").hidden = !text;
  setText(the("waiting"), text);
}

/**
 * @param {Start} begun
 * @param {{id: number, name: string}} user
 */
function begin(begun, user) {
  // Somebody else has joined, in another tab.
  if (chats.user && chats.user.id !== user.id) return void endPage();
  setOwner(user.id);
  meet([user]);
  void refreshOnline(firstOnline());
  showUser(user);
  canLeave = begun.can_join || begun.uses_tokens === true;
  // Who begins again, after a gap, has it: the browser may keep nothing, or not yet what is typed.
  if (!chats.user) outbox.begin();
  chats.begin(begun, GAP);
  reading.begin();
  show();
  tabs.update();
  setTimeout(loadOthers, OTHERS_AFTER);
}

/** Load what is to be there when the server is not, and who has come in the meantime. */
async function loadOthers() {
  // The server looks for who is online once a second; the next time here is far away.
  void refreshOnline();
  const account = await loadAccount().catch(() => null);
  if (canLeave) account?.keepCookie();
  await loadMenu().catch(() => null);
  await import("./upgrade.js").catch(() => null);
}

/** @param {{id: number, name: string}} user */
function showUser(user) {
  the("door").hidden = true;
  the("app").hidden = false;
  setText(the("me"), user.name);
  setAvatar(the("me-avatar"), user.id, user.name);
}

/** @param {boolean} joined The user is somebody else, or nobody, from now on. */
async function changed(joined) {
  if (joined && !/^#(general|\d+)$/u.test(location.hash))
    history.replaceState(null, "", "#general");
  await start();
  // To somebody new all is new, so nothing is marked so.
  if (joined && chats.user) conversation.toEnd();
}

let hiddenAt = 0;

document.addEventListener("visibilitychange", async () => {
  if (!chats.user || the("app").hidden) return;
  if (document.hidden) {
    hiddenAt = Date.now();
    conversation.markNew();
    void reading.flush();
    return tabs.update();
  }
  if (Date.now() - hiddenAt > ABSENCE) {
    const begun = await getChats().catch(() => null);
    if (begun && begun.user?.id !== chats.user.id) return void start();
    // A stream that has gone on has no gap.
    if (begun) chats.begin(begun, feed.mode === "off" ? GAP : Infinity);
  }
  tabs.update();
  feed.refresh();
  drawAll();
  void refreshOnline();
});

function retryNow() {
  feed.refresh();
  outbox.retryNow();
}

let day = today();

setInterval(() => {
  if (document.hidden || !chats.user) return;
  void refreshOnline();
  if (day === today()) return;
  day = today();
  log.drawAgain();
  side.draw();
}, ONLINE_EVERY);

window.addEventListener("hashchange", show);
window.addEventListener("online", retryNow);
narrow.addEventListener("change", show);
the("banner-retry").onclick = retryNow;

void start(firstChats);
