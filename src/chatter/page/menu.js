/**
 * What can be done with a message.
 *
 * @import {Message} from "./api.js"
 */

import { chatOf, moderates, user } from "./chats.js";
import { focus, startEditing } from "./composer.js";
import { restrictionItems } from "./moderate.js";
import * as outbox from "./outbox.js";
import { nameOf } from "./people.js";
import { report } from "./reports.js";
import { isSure, makeItem, showMenu } from "./popover.js";

/**
 * @param {HTMLElement} button The one that opens the menu.
 * @param {Message} message
 */
export const open = (button, message) => showMenu(button, "Options", itemsFor(message));

/** @param {Message} message */
function itemsFor(message) {
  const { id, sender_id, text } = message;
  if (sender_id !== user?.id) return itemsForOther(message);
  return [
    makeItem("Edit", () => startEditing({ id, text })),
    makeItem("Withdraw…", () => void withdraw(message)),
  ];
}

/** @param {Message} message One of somebody else. */
function itemsForOther(message) {
  const person = { id: message.sender_id, name: nameOf(message.sender_id) };
  const items = [];
  if (message.recipient_id === null)
    items.push(makeItem(`Write to ${person.name}`, () => (location.hash = String(person.id))));
  items.push(makeItem("Report…", () => void report(message)));
  // Private messages are withdrawn where it is seen that they were reported.
  if (moderates && message.recipient_id === null)
    items.push(makeItem("Withdraw…", () => void withdraw(message)));
  if (moderates) items.push(...restrictionItems(person));
  return items;
}

/** @param {Message} message */
async function withdraw(message) {
  const what = ["Nobody will see it any more."];
  if (await isSure("Withdraw this message?", what, "Cancel", "Withdraw"))
    outbox.change(chatOf(message).id, message.id, "withdraw", message.text);
  focus();
}
