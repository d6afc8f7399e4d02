/**
 * What can be done with a message.
 *
 * @import {Message} from "./api.js"
 */

import { chatOf, user } from "./chats.js";
import { focus, startEditing } from "./composer.js";
import * as outbox from "./outbox.js";
import { nameOf } from "./people.js";
import { isSure, makeItem, showMenu } from "./popover.js";

/**
 * @param {HTMLElement} button The one that opens the menu.
 * @param {Message} message
 */
export const open = (button, message) => showMenu(button, "Options", itemsFor(message));

/** @param {Message} message */
function itemsFor(message) {
  const { id, sender_id, text } = message;
  if (sender_id !== user?.id)
    return [makeItem(`Write to ${nameOf(sender_id)}`, () => (location.hash = String(sender_id)))];
  return [
    makeItem("Edit", () => startEditing({ id, text })),
    makeItem("Withdraw…", async () => {
      const what = ["Nobody will see it any more."];
      if (await isSure("Withdraw this message?", what, "Cancel", "Withdraw"))
        outbox.change(chatOf(message).id, id, "withdraw", text);
      focus();
    }),
  ];
}
