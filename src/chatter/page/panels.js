/** Has the style of panels: of the form to join, of menus and dialogs. */

const link = document.createElement("link");
link.rel = "stylesheet";
link.href = new URL("panels.css", import.meta.url).href;

// Whoever imports this has the style, if it can be had.
await new Promise((resolve) => {
  link.onload = link.onerror = resolve;
  document.head.append(link);
});
