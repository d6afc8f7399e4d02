/**
 * Reports: a user shows a message to the moderators, and these see what was reported.
 *
 * @import {Message} from "./api.js"
 * @typedef {{id: number, message: Message, reporter_id: number, reason: string, at: string}} Report
 */

import { getPeople, json, post } from "./api.js";
import { make, makeButton, setText } from "./drawing.js";
import { briefly } from "./message.js";
import { restrict } from "./moderate.js";
import { meet, nameOf } from "./people.js";
import { attempt, isSure, showDialog, showNotice } from "./popover.js";

/** @param {Message} message One of somebody else. */
export async function report({ id, recipient_id }) {
  const reason = make("input");
  reason.type = "text";
  reason.maxLength = 200;
  const label = make("label", "", make("span", "", "What is wrong with it"), reason);
  const who = recipient_id === null ? "" : " They see this private message only if you report it.";
  const text = make("p", "hint", `The moderators of the chat are told of this message.${who}`);
  const no = make("button", "primary", "Cancel");
  const yes = make("button", "danger", "Report");
  yes.value = "yes";
  const said = await showDialog("Report this message", [text, label], [no, yes]);
  if (said !== "yes") return;
  const body = { message_id: id, reason: reason.value.trim() || undefined };
  if (await attempt(() => post("report", body)))
    await showNotice("Reported", "The moderators can see the message now.");
}

/** Show what was reported, the newest first, until it is closed. */
export async function showReports() {
  const list = make("ul", "reports");
  const status = make("p", "hint", "Loading…");
  status.role = "status";
  let before = 0;
  const older = makeButton("Older reports", () => void load());
  const load = () =>
    attempt(async () => {
      const query = before ? `&before=${before}` : "";
      /** @type {{reports: Report[], more: boolean}} */
      const { reports, more } = await json(`reports?limit=20${query}`);
      await learnNames(reports);
      list.append(...reports.map(drawReport));
      before = reports.at(-1)?.id ?? before;
      older.hidden = !more;
      setText(status, list.children.length ? "" : "Nothing was reported.");
    });
  older.hidden = true;
  const shown = showDialog("Reports", [status, list, older], [make("button", "primary", "Close")]);
  if (!(await load())) setText(status, "The reports could not be loaded.");
  await shown;
}

/** @param {Report[]} reports */
async function learnNames(reports) {
  const ids = new Set(reports.flatMap((one) => [one.reporter_id, one.message.sender_id]));
  if (ids.size) meet((await getPeople(`ids=${[...ids]}`)).users);
}

/** @param {Report} one */
function drawReport({ message, reporter_id, reason }) {
  const { id, sender_id, recipient_id, text } = message;
  const person = { id: sender_id, name: nameOf(sender_id) };
  const where = recipient_id === null ? "" : ", privately";
  const said = make("p", "", make("bdi", "name", person.name), `${where}, ${briefly(message)}`);
  const quote = make("blockquote", "", text);
  quote.dir = "auto";
  // A long one is scrolled in, by keyboard, too.
  quote.tabIndex = 0;
  const why = make("p", "hint", "Reported by ", make("bdi", "", nameOf(reporter_id)));
  if (reason) why.append(": ", make("bdi", "", reason));
  const item = make("li", "", said, quote, why);
  const withdraw = makeButton("Withdraw", async () => {
    const sure = await isSure("Withdraw this message?", [text], "Cancel", "Withdraw");
    if (sure && (await attempt(() => post("withdraw", { message_id: id })))) item.remove();
  });
  const mute = makeButton("Mute…", () => void restrict("mute", person));
  const ban = makeButton("Ban…", () => void restrict("ban", person));
  item.append(make("div", "buttons", withdraw, mute, ban));
  return item;
}
