/**
 * Puts the page together. What is known is in `Chats`, `People` and `Outbox`; each change of them
 * plans a drawing. The part of the URL after `#` says which chat is shown, so the browser's own
 * Back goes back.
 */

import { getChats, Problem } from "./api.js";
import { announce, notifications, showUnread } from "./attention.js";
import { showConnected } from "./banner.js";
import { Chats, GENERAL } from "./chats.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { setText, the } from "./dom.js";
import { Feed } from "./feed.js";
import { atMostEvery, perFrame } from "./frames.js";
import { Loader } from "./history.js";
import { hideDoor, showDoor } from "./join.js";
import { prepareKeys } from "./keys.js";
import { prepareMenu, showUser } from "./menu.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { Reading } from "./reading.js";
import { setOwner } from "./saved.js";
import { Side } from "./side.js";
import { Tabs } from "./tabs.js";
import { today } from "./times.js";

/** After an absence the messages are loaded anew if the log has grown by more than this. */
const GAP = 5000;

/** How often who is online is asked for, in milliseconds. */
const ONLINE_EVERY = 30_000;

/** A page that was hidden for so long asks what was read elsewhere, in milliseconds. */
const ABSENCE = 10_000;

const narrow = matchMedia("(max-width: 44rem)");
const touch = matchMedia("(pointer: coarse)");

const drawChat = perFrame(() => {
  conversation.draw();
  composer.open(
    conversation.chat?.id ?? GENERAL,
    conversation.chat?.id ? conversation.name : "everybody",
  );
});
const drawSide = perFrame(() => side.draw(), 200);
const drawTitle = atMostEvery(300, () => {
  if (!chats.user) return;
  const unread = chats.unread();
  showUnread(conversation.name || "Chat", unread);
  const count = unread - (conversation.chat?.unread ?? 0);
  the("back-count").hidden = count === 0;
  setText(the("back-count"), count > 99 ? "99+" : String(count));
});

function drawAll() {
  drawChat();
  drawSide();
  drawTitle();
}

const chats = new Chats((what) => {
  if (what === "messages") drawChat();
  drawSide();
  drawTitle();
});
const people = new People(drawAll);
const outbox = new Outbox(drawChat, (message) => chats.accept(message));
const loader = new Loader(chats);
const reading = new Reading(chats);
const conversation = new Conversation({ chats, people, outbox, loader, reading });
const side = new Side({ chats, people, current: () => conversation.chat?.id ?? null });
const composer = new Composer({
  send(chat, text) {
    outbox.add(chat, text);
    conversation.toEnd();
  },
  async sendTo(name, text) {
    const found = await people.findByName(name, text);
    if ("explain" in found) return found.explain;
    outbox.add(found.id, found.say);
    location.hash = String(found.id);
    return "";
  },
});

const feed = new Feed({
  position: () => chats.position,
  received(messages, position) {
    conversation.received(messages);
    chats.receive(messages, position);
    for (const message of messages) tell(message);
  },
  connected: showConnected,
  refused: () => void start(),
});
const tabs = new Tabs((mode) => feed.follow(mode));

/** @param {import("./api.js").Message} message */
function tell(message) {
  const chat = chats.chatOf(message);
  if (message.sender_id === chats.user?.id) {
    outbox.notice(chat.id, message.text);
    return;
  }
  const name = people.nameOf(message.sender_id) || "Somebody";
  if (document.hidden) {
    if (chat.id) void notifications.show(name, message.text, chat.id);
  } else if (chat === conversation.chat) announce(`${name}: ${message.text}`);
  else if (chat.id) announce(`A private message from ${name}`);
}

/** The chat that the URL names; on a small screen there may be none, but the list. */
function route() {
  const named = location.hash.slice(1);
  if (/^[1-9]\d{0,15}$/u.test(named)) return Number(named);
  return named === "general" || !narrow.matches ? GENERAL : null;
}

function show() {
  if (!chats.user) return;
  const id = route();
  document.body.classList.toggle("in-chat", id !== null);
  const before = conversation.chat?.id;
  conversation.open(id);
  drawAll();
  if (id !== before && !touch.matches && id !== null) composer.focus();
}

/** Ask who the user is and what there is, and begin. */
async function start() {
  tabs.end();
  const said = setTimeout(() => wait("The chat cannot be reached. Trying again…"), 2000);
  let begun;
  for (let delay = 500; !begun; delay = Math.min(delay * 2, 10_000)) {
    try {
      begun = await getChats();
    } catch (error) {
      if (error instanceof Problem && !error.transient) {
        clearTimeout(said);
        wait(error.message);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, delay * (1 + Math.random())));
    }
  }
  clearTimeout(said);
  wait("");
  if (!begun.user) {
    showDoor(begun.can_join, joined);
    return;
  }
  if (chats.user && chats.user.id !== begun.user.id) {
    // Another user has signed in, in another tab.
    location.reload();
    return;
  }
  begin(begun);
}

/** @param {import("./api.js").Start} begun */
function begin(begun) {
  if (!begun.user) return;
  hideDoor();
  setOwner(begun.user.id);
  people.meet([begun.user]);
  showUser(begun.user, begun.can_join);
  chats.begin(begun, GAP);
  reading.begin();
  outbox.begin();
  show();
  composer.restore();
  tabs.update();
  void people.refreshOnline();
}

async function joined() {
  if (!location.hash) window.history.replaceState(null, "", "#general");
  await start();
  // To somebody new, all is new: nothing is marked so.
  if (chats.user) conversation.toEnd();
}

let hiddenAt = 0;

/** The page is looked at again: what was missed, and what was read elsewhere, is asked for at once. */
async function comeBack() {
  const absence = Date.now() - hiddenAt;
  if (absence > ABSENCE) {
    const begun = await getChats().catch(() => null);
    if (begun && begun.user?.id !== chats.user?.id) {
      void start();
      return;
    }
    // A stream that goes on has no gap.
    if (begun) chats.begin(begun, feed.mode === "off" ? GAP : Infinity);
  }
  tabs.update();
  feed.refresh();
  drawAll();
  void people.refreshOnline();
}

document.addEventListener("visibilitychange", () => {
  if (!chats.user || !the("door").hidden) return;
  if (!document.hidden) {
    void comeBack();
    return;
  }
  hiddenAt = Date.now();
  conversation.markNew();
  void reading.flush();
  tabs.update();
});

window.addEventListener("hashchange", show);
narrow.addEventListener("change", show);
window.addEventListener("online", retryNow);
the("banner-retry").addEventListener("click", retryNow);
the("more-chats").addEventListener("click", async () => {
  const oldest = chats.sorted().at(-1)?.last?.id;
  const page = oldest && (await getChats(oldest).catch(() => null));
  if (page) chats.addOlderChats(page);
});
prepareMenu(() => void start());
prepareKeys({ composer, conversation, side, chats });

function retryNow() {
  feed.refresh();
  outbox.wake();
}

let day = today();
setInterval(() => {
  if (document.hidden || !chats.user) return;
  void people.refreshOnline();
  if (day === today()) return;
  day = today();
  conversation.log.drawAgain();
}, ONLINE_EVERY);

/** @param {string} text What the page waits for. */
function wait(text) {
  the("waiting").hidden = text === "";
  setText(the("waiting"), text);
}

void start();
