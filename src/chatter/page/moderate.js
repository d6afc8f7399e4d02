/**
 * What moderators do with a member: mute and ban, for a time or for good.
 */

import { post } from "./api.js";
import { make } from "./drawing.js";
import { attempt, makeItem, showDialog } from "./popover.js";

/** For how long, in seconds; without a number until somebody ends it. */
const TIMES = new Map([
  ["10 minutes", 600],
  ["1 hour", 3600],
  ["1 day", 86_400],
  ["1 week", 604_800],
  ["Until it is ended", null],
]);

/** What each does, in words. */
const ACTS = {
  mute: { title: "Mute", text: "Whoever is muted can read, and not write." },
  ban: { title: "Ban", text: "Whoever is banned can neither read nor write." },
};

/**
 * Ask for how long and why, and do it.
 *
 * @param {"mute" | "ban"} action
 * @param {{id: number, name: string}} person
 */
export async function restrict(action, { id, name }) {
  const { title, text } = ACTS[action];
  const time = make("select", "", ...[...TIMES.keys()].map((words) => make("option", "", words)));
  time.value = "1 hour";
  const reason = make("input");
  reason.type = "text";
  reason.maxLength = 200;
  const labels = [
    make("label", "", make("span", "", "For how long"), time),
    make("label", "", make("span", "", "Reason, for the server's log"), reason),
  ];
  const no = make("button", "primary", "Cancel");
  const yes = make("button", "danger", title);
  yes.value = "yes";
  const content = [make("p", "hint", text), ...labels];
  if ((await showDialog(`${title} ${name}`, content, [no, yes])) !== "yes") return;
  const seconds = TIMES.get(time.value) ?? null;
  await attempt(() => post("moderate", { user_id: id, action, seconds, reason: reason.value }));
}

/** @param {{id: number, name: string}} person What a menu has for moderators. */
export const restrictionItems = (person) => [
  makeItem(`Mute ${person.name}…`, () => void restrict("mute", person)),
  makeItem(`Ban ${person.name}…`, () => void restrict("ban", person)),
  makeItem(`End restrictions of ${person.name}`, () => void free(person)),
];

/** @param {{id: number}} person One who is muted or banned. */
async function free({ id }) {
  await attempt(async () => {
    await post("moderate", { user_id: id, action: "unmute" });
    await post("moderate", { user_id: id, action: "unban" });
  });
}
