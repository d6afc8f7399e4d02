/** More chats than the newest: few have so many. */

import { getChats } from "./api.js";
import { addChats, noteChanges, oldest, settle } from "./chats.js";

/** Load chats which come after those that are known. */
export async function load() {
  const changes = noteChanges();
  const page = await getChats(oldest).catch(() => null);
  if (page) addChats(page);
  settle(changes, page ? page.last_id : undefined);
}
