/** The search for somebody by the beginning of the name. It is loaded when it is used. */

import { getPeople } from "./api.js";
import { user } from "./chats.js";
import { isComposed, setText, soon, the } from "./drawing.js";
import { meet } from "./people.js";
import { links, search, showFound } from "./sidebar.js";

/** @param {string} prefix With what the names begin. */
export async function find(prefix) {
  const found = await getPeople(`prefix=${encodeURIComponent(prefix)}&limit=20`);
  meet(found.users);
  return found;
}

function clear() {
  search.value = "";
  showFound([]);
}

const searchSoon = soon(150, async () => {
  const prefix = search.value.trim();
  if (!prefix) return clear();
  const result = await find(prefix).catch(() => null);
  // Somebody may have typed on.
  if (prefix !== search.value.trim()) return;
  const found = result?.users.filter(({ id }) => id !== user?.id) ?? [];
  const count = `Found · ${found.length}${result?.more ? "+" : ""}`;
  const title = found.length ? count : "Nobody has a name that begins so.";
  setText(the("found-title"), result ? title : "The search failed.");
  showFound(found);
});

search.addEventListener("input", searchSoon);
search.addEventListener("keydown", (event) => {
  if (isComposed(event)) return;
  if (event.key === "Escape") clear();
  if (event.key === "Enter" && search.value) links()[0]?.click();
});
// Who was found is talked to: the search is over.
the("found").addEventListener("click", () => setTimeout(clear));
// Somebody may have typed while this was loaded.
searchSoon();
