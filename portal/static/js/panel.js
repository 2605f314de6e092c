// Builds the panel of results while typing, and the sentence a screen reader is told.
export function renderPanel(panel, found, texts, query) {
  const parts = [];
  const answered = found.answer?.id;
  const others = found.results
    .map((result, index) => ({ ...result, position: index + 1 }))
    .filter((result) => result.id !== answered);
  if (found.answer) parts.push(answerCard(found.answer, texts));
  else if (found.results.length && !found.resolved) parts.push(element("p", "typed-note", texts.textUnsure));
  if (others.length) parts.push(resultList(others, texts));
  else if (!found.answer) parts.push(element("p", "typed-note", texts.textNone));
  const all = element("a", "typed-all", texts.textAll.replace("{query}", () => shorten(query)));
  all.href = `${texts.results}?${new URLSearchParams({ q: query })}`;
  parts.push(all);
  panel.replaceChildren(...parts);
  return spoken(found, others.length, texts);
}

function spoken(found, count, texts) {
  if (!count) return found.answer ? texts.textAnswerFound : texts.textNone;
  const number = count === 1 ? texts.textCountOne : texts.textCountMany.replace("{count}", String(count));
  return found.answer ? `${texts.textAnswerFound} ${number}` : number;
}

function answerCard(answer, texts) {
  const card = element("div", "typed-answer");
  const text = element("p", "typed-answer-text", answer.text);
  const source = element("a", "typed-source");
  source.textContent = answer.heading && answer.heading !== answer.title ? `${answer.title} › ${answer.heading}` : answer.title;
  source.href = answer.url;
  source.dataset.article = answer.id ?? "";
  source.dataset.position = "1";
  if (answer.locale) text.lang = source.lang = answer.locale;
  card.append(element("p", "typed-label", texts.textAnswer), text, source);
  return card;
}

function resultList(results, texts) {
  const list = element("ol", "typed-list");
  for (const result of results) {
    const link = element("a", "typed-link");
    link.href = result.url;
    link.dataset.article = result.id;
    link.dataset.position = String(result.position);
    const title = element("span", "typed-title", result.title);
    const snippet = element("span", "typed-snippet");
    for (const span of result.snippet_spans ?? [{ text: result.snippet, hit: false }]) {
      snippet.append(span.hit ? element("mark", "", span.text) : span.text);
    }
    link.append(title, snippet);
    if (result.locale !== texts.locale) {
      title.lang = snippet.lang = result.locale;
      link.append(element("span", "typed-meta", result.locale === "en" ? texts.textOnlyEn : texts.textOnlyZh));
    }
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  return list;
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function shorten(query) {
  const characters = [...query];
  return characters.length > 60 ? `${characters.slice(0, 60).join("")}…` : query;
}
