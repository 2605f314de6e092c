// What a page gains with script; without it every form and link still works.
import { typeAhead } from "./typed.js";
import { listenForSlash } from "./shortcut.js";
import { markContents } from "./contents.js";
import { sendVotes } from "./votes.js";

for (const form of document.querySelectorAll("form[data-typed]")) typeAhead(form);
for (const list of document.querySelectorAll("[data-contents]")) markContents(list);
listenForSlash();
sendVotes();
forgetWhereFrom();
document.querySelector(".error-summary")?.focus();

// A copied address should lead to the article, not to one visitor's search.
function forgetWhereFrom() {
  const address = new URL(location.href);
  if (!document.querySelector("[data-article]") || !address.search) return;
  for (const name of ["s", "n", "via", "voted"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
}
