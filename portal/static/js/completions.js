// The ways to go on that stand above the results while typing. A title opens its article, a
// question is searched for.
import { element, option } from "./element.js";

const MOST = 4;

// What is found stands below; an article that is there already is not offered twice.
export function renderCompletions(box, completions, found, texts, query) {
  const below = new Set((found?.results ?? []).map((result) => result.url.split("#")[0]));
  const offered = completions.filter((completion) => (completion.kind === "title"
    ? !below.has(completion.url)
    : completion.text.toLowerCase() !== query.toLowerCase()));
  box.replaceChildren(...offered.slice(0, MOST).map((completion) => row(completion, texts)));
  box.hidden = !offered.length;
}

function row(completion, texts) {
  const isTitle = completion.kind === "title";
  const href = isTitle ? completion.url : `${texts.results}?${new URLSearchParams({ q: completion.text })}`;
  const link = option(`typed-completion typed-${completion.kind}`, href);
  const text = element("span", "typed-completion-text");
  const characters = [...completion.text]; // the API counts code points
  let done = 0;
  for (const [start, end] of completion.highlight) {
    text.append(characters.slice(done, start).join(""), element("b", "", characters.slice(start, end).join("")));
    done = end;
  }
  text.append(characters.slice(done).join(""));
  if (completion.locale !== texts.locale) text.lang = completion.locale;
  link.append(text);
  if (isTitle) link.append(element("span", "typed-kind", texts.textArticle));
  return link;
}
