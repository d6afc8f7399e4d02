/** What moderators can do with the person whose chat is shown: a menu beside the name. */

import { moderates } from "./chats.js";
import { shown } from "./conversation.js";
import { make, the } from "./drawing.js";
import { restrictionItems } from "./moderate.js";
import { nameOf } from "./people.js";
import { showMenu } from "./popover.js";

const button = make("button", "icon", "⋯");
button.type = "button";
button.onclick = () => {
  if (shown) showMenu(button, "Options", restrictionItems(personIn(shown.id)));
};
the("chat-name").parentElement?.after(button);

/** @param {number} id */
const personIn = (id) => ({ id, name: nameOf(id) });

/** The chat, or what the user may do, is another one. */
export function drawOptions() {
  button.hidden = !moderates || !shown?.id || shown.loaded === "missing";
  button.ariaLabel = `Moderate ${nameOf(shown?.id ?? 0)}`;
}
