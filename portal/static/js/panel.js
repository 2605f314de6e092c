// Builds the results while typing, and the sentence a screen reader is told.
import { element, option } from "./element.js";

export function renderResults(box, found, texts, query) {
  const parts = [];
  const others = found.results
    .map((result, index) => ({ ...result, position: index + 1 }))
    .filter((result) => result.id !== found.answer?.id);
  if (found.answer) parts.push(answerCard(found.answer, texts));
  else if (found.results.length && !found.resolved) parts.push(note("typed-note", texts.textUnsure));
  if (others.length) parts.push(...others.map((result) => resultLink(result, texts)));
  else if (!found.answer) parts.push(note("typed-note typed-none", texts.textNone));
  const all = option("typed-all", `${texts.results}?${new URLSearchParams({ q: query })}`);
  all.textContent = texts.textAll.replace("{query}", () => shorten(query));
  parts.push(all);
  box.replaceChildren(...parts);
  box.hidden = false;
  return spoken(found, others.length, texts);
}

function spoken(found, count, texts) {
  if (!count) return found.answer ? texts.textAnswerFound : texts.textNone;
  const number = count === 1 ? texts.textCountOne : texts.textCountMany.replace("{count}", String(count));
  return found.answer ? `${texts.textAnswerFound} ${number}` : number;
}

function note(className, text) {
  const made = element("p", className, text);
  made.setAttribute("role", "presentation"); // a list of options has nothing else in it
  return made;
}

function answerCard(answer, texts) {
  const card = option("typed-answer", answer.url);
  const source = answer.heading && answer.heading !== answer.title ? `${answer.title} › ${answer.heading}` : answer.title;
  const text = element("span", "typed-answer-text", answer.text);
  const from = element("span", "typed-source", source);
  card.dataset.article = answer.id ?? "";
  card.dataset.position = "1";
  if (answer.locale) text.lang = from.lang = answer.locale;
  card.append(element("span", "typed-label", texts.textAnswer), text, from);
  return card;
}

function resultLink(result, texts) {
  const link = option("typed-link", result.url);
  link.dataset.article = result.id;
  link.dataset.position = String(result.position);
  const title = element("span", "typed-result-title", result.title);
  const snippet = element("span", "typed-snippet");
  for (const span of result.snippet_spans ?? [{ text: result.snippet, hit: false }]) {
    snippet.append(span.hit ? element("mark", "", span.text) : span.text);
  }
  link.append(title, snippet);
  if (result.locale !== texts.locale) {
    title.lang = snippet.lang = result.locale;
    link.append(element("span", "typed-meta", result.locale === "en" ? texts.textOnlyEn : texts.textOnlyZh));
  }
  return link;
}

function shorten(query) {
  const characters = [...query];
  return characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : query;
}
