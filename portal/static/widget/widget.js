// Articles beside a form's text field, while a customer writes. One file without dependencies;
// attributes, variables, events and functions are described in docs/widget.md.
//
// Two rules hold throughout. The form works as if this file were not there: whatever goes wrong,
// the panel goes away and nothing else happens. And what a server sends becomes text, never markup.
(() => {
  "use strict";

  const script = document.currentScript ?? document.querySelector('script[data-form][src*="widget.js"]');
  const optionsOf = ({ src, nonce, dataset }) => ({ base: new URL(".", src || location.href).href, nonce, ...dataset });
  const whenParsed = (act) => {
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", act, { once: true });
    else act();
  };
  if (window.kbWidget?.mount) {
    // A second script tag on the page is a second form, not a second program.
    if (script?.dataset.form) whenParsed(() => window.kbWidget.mount(optionsOf(script)));
    return;
  }

  const PAUSE = 300;
  const TIMEOUT = 2500;
  const MOST_CHARACTERS = 5000;
  const MOST_SUGGESTIONS = 3;
  const ENOUGH_WORDS = 3; // or twice as many characters of a script that is written without spaces
  const BACK_OFF = [5_000, 15_000, 60_000];
  const LONGEST_WAIT = 300_000;

  const LABELS = {
    en: {
      title: "This may already answer it",
      hint: "You can still send your request.",
      one: "1 article may answer this.",
      many: "{count} articles may answer this.",
      close: "Hide suggestions",
      closed: "Suggestions hidden.",
      read: "Read the whole article",
      rule: "The policy it is based on",
      newTab: "opens in a new tab",
      window: "Time limit",
      postage: "Return postage",
      refund: "Refund",
      evidence: "Please have ready",
      conditions: "Conditions",
      separator: ", ",
      inEnglish: "In English",
      inChinese: "In Chinese",
      solved: "Did this solve it?",
      solvedYes: "Yes",
      solvedNo: "No",
      notSolved: "Thank you for telling us. Your request is still here to send.",
      stop: "Stop the request?",
      stopYes: "Yes, no need to send it",
      stopNo: "No, I will send it",
      goesOn: "Good. Your request stays as you wrote it.",
      doneTitle: "Good that this is settled",
      doneText: "Nothing was sent. What you wrote is still in the form, and you can leave this page.",
      doneBack: "Go on with the request",
    },
    "zh-Hans": {
      title: "这些内容也许能帮到您",
      hint: "不影响您继续提交申请。",
      one: "找到 1 篇可能有用的文章。",
      many: "找到 {count} 篇可能有用的文章。",
      close: "收起建议",
      closed: "建议已收起。",
      read: "查看全文",
      rule: "查看相关政策",
      newTab: "在新标签页打开",
      window: "时限",
      postage: "退货运费",
      refund: "退款",
      evidence: "请准备好",
      conditions: "条件",
      separator: "、",
      inEnglish: "英文",
      inChinese: "中文",
      solved: "问题解决了吗？",
      solvedYes: "解决了",
      solvedNo: "没解决",
      notSolved: "谢谢您的反馈，您可以继续提交申请。",
      stop: "那这次申请就不提交了？",
      stopYes: "好，不用提交了",
      stopNo: "还是要提交",
      goesOn: "好的，您填写的内容都还在。",
      doneTitle: "问题解决了就好",
      doneText: "申请没有提交，您填写的内容还在表单里，可以放心离开此页。",
      doneBack: "继续填写申请",
    },
  };

  // Every colour and measure can be set by the page; dark follows the page's own `color-scheme`.
  const COLOURS = {
    paper: ["#ffffff", "#161c19"],
    wash: ["#eef5f2", "#1e2925"],
    ink: ["#15211c", "#e4eae7"],
    soft: ["#4c5a54", "#a7b3ad"],
    line: ["#d8dfdb", "#2f3a35"],
    edge: ["#74827b", "#7b8a83"],
    accent: ["#0b6650", "#76d2b3"],
    "on-accent": ["#ffffff", "#06231b"],
  };
  const colours = (pick) =>
    Object.entries(COLOURS).map(([name, pair]) => `--${name}:var(--kb-${name},${pick(pair)});`).join("");
  const CSS = `
    :host { display: block; }
    :host(:not([open])) { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
    .kb { all: initial; color-scheme: inherit; display: block; ${colours(([light]) => light)} }
    @supports (color: light-dark(#000, #fff)) {
      .kb { ${colours(([light, dark]) => `light-dark(${light},${dark})`)} }
    }
    .kb[data-theme="light"] { color-scheme: light; }
    .kb[data-theme="dark"] { color-scheme: dark; }
    .kb * { box-sizing: border-box; }
    .kb [hidden] { display: none; }
    .kb {
      color: var(--ink); font-family: var(--kb-font, inherit); line-height: 1.55; text-align: start;
      font-size: max(14px, var(--kb-font-size, 1em)); overflow-wrap: anywhere; text-autospace: normal;
    }
    .kb:lang(zh) { line-height: 1.7; line-break: strict; }
    p, ul, dl, dd { margin: 0; padding: 0; }
    p, dt, dd, span { unicode-bidi: plaintext; text-align: -webkit-match-parent; text-align: match-parent; }
    ul { list-style: none; }
    button { font: inherit; color: inherit; letter-spacing: inherit; text-align: inherit; background: none; border: 0; margin: 0; cursor: pointer; }
    a { color: var(--accent); text-underline-offset: .18em; }
    a:hover { text-decoration-thickness: 2px; }
    :focus { outline: none; }
    :focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; border-radius: 3px; }
    svg { flex: none; inline-size: 1.2em; block-size: 1.2em; fill: none; stroke: currentcolor; stroke-width: 1.7; stroke-linecap: round; stroke-linejoin: round; }
    .hide { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .panel { border: 1px solid var(--edge); border-radius: var(--kb-radius, .5em); background: var(--paper); }
    :host(:not([placed])) .panel { margin-block: var(--kb-gap, .75em); }
    .head { display: grid; grid-template-columns: 1fr auto; align-items: start; padding-inline-start: 1.125em; }
    .head > div { padding-block: .7em .6em; }
    .title { font-weight: 650; line-height: 1.4; }
    .hint { color: var(--soft); font-size: .9em; line-height: 1.5; }
    .close { display: grid; place-items: center; inline-size: 44px; block-size: 44px; padding: 0; color: var(--soft); }
    .close:hover { color: var(--ink); }
    li { border-block-start: 1px solid var(--line); }
    .ask { position: relative; padding: .15em 1.125em .7em; }
    .open .ask { padding-block-end: 0; }
    .toggle { display: flex; gap: .75em; align-items: center; justify-content: space-between; inline-size: 100%; min-block-size: 44px; padding: .35em 0; color: var(--accent); font-weight: 600; line-height: 1.4; }
    .toggle::after { content: ""; position: absolute; inset: 0; }
    .toggle:focus-visible { outline: none; }
    .toggle:focus-visible::after { outline: 3px solid var(--accent); outline-offset: -3px; border-radius: var(--kb-radius, .5em); }
    .toggle:hover span { text-decoration: underline; text-underline-offset: .18em; }
    .toggle svg { transition: rotate .12s; rotate: 90deg; }
    .open .toggle svg { rotate: -90deg; }
    .excerpt:empty { display: none; }
    .excerpt { color: var(--soft); font-size: .94em; white-space: pre-line; }
    li:not(.open) .toggle { margin-block-end: -.3em; }
    li:not(.open) .excerpt { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; white-space: normal; }
    .open .excerpt { color: var(--ink); font-size: 1em; padding-inline-start: .9em; border-inline-start: 3px solid var(--accent); }
    .body { padding: .9em 1.125em 0; }
    .tag { display: inline-block; margin-block-end: .35em; padding-inline: .5em; border: 1px solid var(--edge); border-radius: 1em; color: var(--ink); font-size: .82em; }
    .facts { margin-block-end: .7em; font-size: .94em; line-height: 1.5; }
    .facts div { display: grid; grid-template-columns: minmax(5em, 30%) 1fr; gap: 0 1em; padding-block: .4em; border-block-start: 1px solid var(--line); }
    dt { grid-row: 1 / span 9; color: var(--soft); }
    dd { grid-column: 2; }
    .short dd { font-weight: 600; }
    .links { display: flex; flex-wrap: wrap; column-gap: 1.5em; }
    .links a { display: inline-flex; align-items: center; gap: .4em; min-block-size: 44px; font-size: .94em; }
    .links svg { inline-size: .95em; block-size: .95em; }
    .question { display: flex; flex-wrap: wrap; align-items: center; gap: .5em 1em; margin-inline: -1.125em; padding: .65em 1.125em; background: var(--wash); border-block-start: 1px solid var(--line); border-radius: 0 0 var(--kb-radius, .5em) var(--kb-radius, .5em); }
    li:not(:last-child) .question { border-radius: 0; }
    .question p { flex: 1 1 9em; font-weight: 600; }
    .question .plain { font-weight: 400; }
    .choice { display: flex; flex-wrap: wrap; gap: .5em; }
    .button { min-block-size: 44px; min-inline-size: 4.5em; padding: .4em 1em; border: 1px solid var(--edge); border-radius: var(--kb-radius, .5em); background: var(--paper); font-weight: 600; line-height: 1.3; text-align: center; }
    .button:hover { border-color: var(--accent); background: var(--wash); }
    .first { border-color: var(--accent); background: var(--accent); color: var(--on-accent); }
    .first:hover { background: var(--accent); text-decoration: underline; text-underline-offset: .18em; }
    .done { display: grid; gap: .5em; justify-items: start; padding: 0 1.125em 1.125em; }
    @media (prefers-reduced-motion: reduce) { .toggle svg { transition: none; } }
    @media (forced-colors: active) { .first { border-width: 3px; } }
    @media print { :host { display: none; } }
  `;

  const SHAPES = {
    chevron: "m7.5 4.5 5.5 5.5-5.500 5.500",
    close: "m5 5 10 10M15 5 5 15",
    external: "M8 4.500H4.500v11h11V12M11.500 3.500h5v5M16 4l-7 7",
  };

  // Small helpers

  const element = (name, attributes = {}, ...children) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
    made.append(...children.filter((child) => child !== undefined && child !== ""));
    return made;
  };

  const icon = (name) => {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 20 20");
    svg.setAttribute("aria-hidden", "true");
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", SHAPES[name]);
    svg.append(path);
    return svg;
  };

  // `crypto.randomUUID` exists on https pages only.
  const randomId = () =>
    [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

  const SPACELESS = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/gu;
  const isEnough = (text) => {
    const characters = text.match(SPACELESS)?.length ?? 0;
    const words = text.replace(SPACELESS, " ").match(/\p{L}[\p{L}\p{M}\p{N}'’-]*/gu)?.length ?? 0;
    return words + characters / 2 >= ENOUGH_WORDS;
  };

  const cut = (text) => {
    const short = text.trim().slice(0, MOST_CHARACTERS);
    return short.toWellFormed?.() ?? short.replace(/[\ud800-\udbff]$/, "");
  };

  const localeOf = (tag) => {
    const language = (tag ?? "").toLowerCase().split(/[-_]/)[0];
    return { zh: "zh-Hans", en: "en" }[language];
  };

  // Reading answers: whatever is not as it should be is left out.

  const aText = (value, most = 3000) => (typeof value === "string" ? value.slice(0, most).trim() : "");
  const texts = (value) => (Array.isArray(value) ? value.map((each) => aText(each, 300)).filter(Boolean).slice(0, 12) : []);
  const address = (value, base) => {
    try {
      const url = new URL(aText(value), base);
      return /^https?:$/.test(url.protocol) ? url.href : "";
    } catch {
      return "";
    }
  };

  const readPolicy = (raw, base) => {
    if (!raw || typeof raw !== "object") return undefined;
    const policy = { url: address(raw.section_url || undefined, base) };
    for (const name of ["window", "postage", "refund"]) policy[name] = aText(raw[name], 300);
    for (const name of ["evidence", "conditions"]) policy[name] = texts(raw[name]);
    return policy;
  };

  const readAnswer = (answer, base) => {
    if (!Array.isArray(answer?.suggestions)) throw new TypeError("no suggestions in the answer");
    const items = [];
    for (const raw of answer.held_out ? [] : answer.suggestions) {
      const id = aText(raw?.id, 200);
      const title = aText(raw?.title, 300);
      if (!id || !title || items.some((item) => item.id === id)) continue;
      const url = raw.url ? address(raw.url, base) : "";
      items.push({ id, title, url, excerpt: aText(raw.excerpt), locale: aText(raw.locale, 20), policy: readPolicy(raw.policy, base) });
    }
    return { id: aText(answer.suggestion_id, 100) || undefined, items: items.slice(0, MOST_SUGGESTIONS) };
  };

  class Refused extends Error {
    constructor(status, after) {
      super(`status ${status}`);
      this.status = status;
      this.after = after;
    }
  }

  // The session id says which filling-in of which form an event belongs to. It is random, stays in
  // this tab, and a new one begins once the form was sent.
  class Session {
    constructor(key, given) {
      this.key = key;
      this.given = given;
      this.begin(this.stored());
    }

    begin(id = "") {
      this.id = this.given || (/^[\w-]{8,64}$/.test(id) ? id : randomId());
      this.sent = false;
      if (!this.given) this.keep((storage) => storage.setItem(this.key, this.id));
    }

    stored() {
      return this.keep((storage) => storage.getItem(this.key)) ?? "";
    }

    end() {
      this.sent = true;
      this.keep((storage) => storage.removeItem(this.key));
    }

    // Storage may be forbidden or full; then the id lives as long as the page.
    keep(use) {
      try {
        return use(window.sessionStorage);
      } catch {
        return undefined;
      }
    }
  }

  // The panel: what is shown, and which buttons were pressed. Knows no server and no form.
  class Panel {
    constructor(options, labels, on) {
      this.labels = labels;
      this.on = on;
      this.host = document.createElement("kb-suggestions");
      this.root = this.host.attachShadow({ mode: "open" });
      this.adoptStyle(options.nonce);
      this.live = element("p", { class: "hide", role: "status", "aria-live": "polite" });
      this.title = element("p", { class: "title", id: "title", tabindex: "-1" });
      this.hint = element("p", { class: "hint" });
      this.close = element("button", { class: "close", type: "button" }, icon("close"));
      this.close.addEventListener("click", () => on.close());
      this.list = element("ul");
      this.done = element("div", { class: "done", hidden: "" });
      const head = element("div", { class: "head" }, element("div", {}, this.title, this.hint), this.close);
      this.box = element("section", { class: "panel", "aria-labelledby": "title", hidden: "" }, head, this.list, this.done);
      this.frame = element("div", { class: "kb", lang: options.lang, dir: options.dir, "data-theme": options.theme }, this.live, this.box);
      this.root.append(this.frame);
      this.items = new Map();
      this.label(labels);
    }

    // A constructed stylesheet needs no permission from the page's policy; browsers before 2023 get
    // an element, with the nonce of the script if there is one.
    adoptStyle(nonce) {
      try {
        const sheet = new CSSStyleSheet();
        sheet.replaceSync(CSS);
        this.root.adoptedStyleSheets = [sheet];
      } catch {
        const style = element("style", { nonce: nonce || undefined });
        style.textContent = CSS;
        this.root.append(style);
      }
    }

    label(labels) {
      this.labels = labels;
      this.title.textContent = labels.title;
      this.hint.textContent = labels.hint;
      this.close.setAttribute("aria-label", labels.close);
    }

    get isOpen() {
      return !this.box.hidden;
    }

    get hasFocus() {
      return this.root.activeElement !== null;
    }

    get isInUse() {
      return this.isOpen && (this.hasFocus || !this.done.hidden || [...this.items.values()].some((item) => item.touched));
    }

    say(text) {
      this.live.textContent = text;
    }

    // Items that a customer has opened stay as they are; nothing is drawn anew without need.
    show(items) {
      const kept = new Map();
      items.forEach((suggestion, index) => {
        const key = JSON.stringify(suggestion);
        const old = this.items.get(suggestion.id);
        const item = old && (old.key === key || old.touched) ? old : this.item(suggestion, key);
        item.position = index + 1;
        kept.set(suggestion.id, item);
      });
      this.items = kept;
      this.list.replaceChildren(...[...kept.values()].map((item) => item.node));
      this.done.hidden = true;
      this.list.hidden = false;
      this.label(this.labels);
      this.hint.hidden = false;
      this.toggle(true);
    }

    hide() {
      this.toggle(false);
      this.items = new Map();
      this.list.replaceChildren();
    }

    toggle(open) {
      this.box.hidden = !open;
      this.host.toggleAttribute("open", open);
    }

    item(suggestion, key) {
      const { labels } = this;
      const lang = suggestion.locale || undefined;
      const made = { key, touched: false, position: 0 };
      const bodyId = `body-${randomId()}`;
      const toggle = element(
        "button",
        { class: "toggle", type: "button", "aria-expanded": "false", "aria-controls": bodyId },
        element("span", { lang }, suggestion.title),
        icon("chevron"),
      );
      const body = element("div", { class: "body", id: bodyId, hidden: "" });
      const excerpt = element("p", { class: "excerpt", lang }, suggestion.excerpt);
      made.node = element("li", {}, element("div", { class: "ask" }, toggle, this.tag(lang), excerpt), body);
      body.append(...this.body(suggestion, () => this.on.read(suggestion, made.position)));
      body.append(this.questions(suggestion, made));
      toggle.addEventListener("click", () => {
        const open = body.hidden;
        body.hidden = !open;
        toggle.setAttribute("aria-expanded", String(open));
        made.node.classList.toggle("open", open);
        made.touched = true;
        if (open) this.on.read(suggestion, made.position);
      });
      return made;
    }

    tag(lang) {
      const name = { en: "inEnglish", "zh-Hans": "inChinese" }[lang];
      return name && lang !== this.frame.lang ? element("span", { class: "tag" }, this.labels[name]) : undefined;
    }

    body({ url, policy, locale }, onRead) {
      const { labels } = this;
      const parts = [];
      const lang = locale || undefined;
      const rows = ["window", "postage", "refund", "evidence", "conditions"].flatMap((name) => {
        let values = [policy?.[name] ?? []].flat().filter(Boolean);
        if (name === "evidence" && values.length) values = [values.join(labels.separator)];
        if (!values.length) return [];
        const facts = values.map((value) => element("dd", { lang }, value));
        return [element("div", { class: name === "conditions" || name === "evidence" ? "long" : "short" }, element("dt", {}, labels[name]), ...facts)];
      });
      if (rows.length) parts.push(element("dl", { class: "facts" }, ...rows));
      const links = [[url, labels.read], [rows.length && policy.url !== url ? policy.url : "", labels.rule]]
        .filter(([href]) => href)
        .map(([href, text]) => this.link(href, text, onRead));
      if (links.length) parts.push(element("p", { class: "links" }, ...links));
      return parts;
    }

    link(href, text, onRead) {
      const hidden = element("span", { class: "hide" }, ` (${this.labels.newTab})`);
      const made = element("a", { href, target: "_blank", rel: "noopener" }, element("span", {}, text, hidden), icon("external"));
      made.addEventListener("click", onRead);
      return made;
    }

    // "Did this solve it?" and, if so, "Stop the request?"
    questions(suggestion, item) {
      const { labels, on } = this;
      const row = element("div", { class: "question" });
      const answer = (text) => this.replace(row, element("p", { class: "plain", tabindex: "-1" }, text));
      const ask = (question, choices) => {
        const id = `question-${randomId()}`;
        const prompt = element("p", { id, tabindex: "-1" }, question);
        const buttons = choices.map(([text, act, className]) => {
          const made = element("button", { class: className, type: "button" }, text);
          made.addEventListener("click", () => {
            item.touched = true;
            act();
          });
          return made;
        });
        return [prompt, element("div", { class: "choice", role: "group", "aria-labelledby": id }, ...buttons)];
      };
      row.append(
        ...ask(labels.solved, [
          [labels.solvedYes, () => {
            on.answer("helpful", suggestion, item.position);
            this.replace(row, ...ask(labels.stop, [
              [labels.stopYes, () => on.resolve(suggestion, item.position), "button first"],
              [labels.stopNo, () => answer(labels.goesOn), "button"],
            ]));
          }, "button"],
          [labels.solvedNo, () => {
            on.answer("not_helpful", suggestion, item.position);
            answer(labels.notSolved);
          }, "button"],
        ]),
      );
      return row;
    }

    // The pressed button vanishes: whoever pressed it with a keyboard goes on where it was.
    replace(row, ...children) {
      const focused = row.contains(this.root.activeElement);
      row.replaceChildren(...children);
      if (focused) children[0].focus();
    }

    showDone() {
      const { labels } = this;
      const focused = this.hasFocus;
      const back = element("button", { class: "button", type: "button" }, labels.doneBack);
      back.addEventListener("click", () => this.on.close());
      this.done.replaceChildren(element("p", {}, labels.doneText), back);
      this.done.hidden = false;
      this.list.hidden = true;
      this.hint.hidden = true;
      this.title.textContent = labels.doneTitle;
      if (focused) this.title.focus();
      this.say(`${labels.doneTitle}. ${labels.doneText}`);
    }
  }

  // One form: listens to it, asks the server, tells it what happened.
  class Suggester {
    constructor(form, options) {
      this.form = form;
      this.options = options;
      this.base = options.base;
      this.stop = new AbortController();
      this.dismissed = new Set();
      this.done = new Set(); // events that are sent once
      this.failures = 0;
      this.quietUntil = 0;
      const lang = options.locale || form.closest("[lang]")?.getAttribute("lang") || "";
      this.locale = localeOf(lang);
      const identity = form.getAttribute("id") ?? form.getAttribute("name") ?? "";
      this.session = new Session(`kb:${options.key}:${identity}`, options.session);
      this.panel = new Panel(
        {
          lang: this.locale ?? "en",
          dir: options.dir || getComputedStyle(form).direction,
          theme: options.theme,
          nonce: options.nonce,
        },
        { ...LABELS[this.locale ?? "en"] },
        {
          close: () => this.guard(() => this.close()),
          read: (...each) => this.guard(() => this.opened(...each)),
          answer: (...each) => this.guard(() => this.answered(...each)),
          resolve: (...each) => this.guard(() => this.resolve(...each)),
        },
      );
      this.place();
      this.listen();
      this.nameSession();
    }

    ready() {
      this.fire("kb:ready", { form: this.options.key, locale: this.locale ?? null });
    }

    // Whatever is thrown here ends here, now or later.
    guard(act) {
      const end = (error) => this.failed("script", error);
      try {
        const result = act();
        return result?.catch ? result.catch(end) : result;
      } catch (error) {
        return end(error);
      }
    }

    failed(kind, error) {
      try {
        this.clear();
        this.fire("kb:error", { kind, status: error?.status ?? null, message: String(error?.message ?? error) });
      } catch {
        // Nothing is left to be done, and the form does not need it.
      }
    }

    fire(name, detail, cancelable = false) {
      return this.form.dispatchEvent(new CustomEvent(name, { bubbles: true, composed: true, cancelable, detail }));
    }

    place() {
      const target = this.options.target && document.querySelector(this.options.target);
      if (target) {
        this.panel.host.toggleAttribute("placed", true);
        target.append(this.panel.host);
        return;
      }
      const field = this.fields(this.options.text)[0] ?? this.fields(this.options.reason).at(-1);
      if (!field) throw new Error("neither data-text nor data-reason is on the page");
      (field.closest("label") ?? field).after(this.panel.host);
    }

    // Inside the form first, so that a class may name the field of each of several forms.
    fields(selector) {
      if (!selector) return [];
      const inside = [...this.form.querySelectorAll(selector)];
      return inside.length ? inside : [...document.querySelectorAll(selector)];
    }

    isOf(event, selector) {
      return Boolean(selector) && this.fields(selector).some((field) => field.contains(event.target));
    }

    listen() {
      const { text, reason } = this.options;
      const outside = [...this.fields(text), ...this.fields(reason)].filter((field) => !this.form.contains(field));
      const on = (target, name, act) =>
        target.addEventListener(name, (event) => this.guard(() => act(event)), { signal: this.stop.signal, passive: name !== "keydown" });
      for (const target of [this.form, ...outside]) {
        on(target, "input", (event) => {
          if (this.isOf(event, text)) this.typed(event);
        });
        on(target, "change", (event) => {
          if (!this.isOf(event, reason)) return;
          this.forced = undefined;
          this.later();
        });
        on(target, "compositionstart", (event) => {
          if (!this.isOf(event, text)) return;
          this.composing = true;
          this.cancel();
        });
        on(target, "compositionend", (event) => {
          if (!this.isOf(event, text)) return;
          this.composing = false;
          this.later();
        });
        on(target, "keydown", (event) => {
          if (this.isOf(event, text)) this.escape(event);
        });
      }
      on(this.panel.host, "keydown", (event) => this.escape(event));
      on(this.form, "submit", () => this.submitted());
      on(this.form, "reset", () => this.cleared());
      on(window, "pageshow", (event) => {
        if (!event.persisted || !this.session.sent) return;
        this.session.begin();
        this.nameSession();
      });
    }

    // A hidden field with the session's id, for pages that want to know what was read.
    nameSession() {
      const { sessionField } = this.options;
      if (!sessionField) return;
      this.hidden ??= element("input", { type: "hidden", name: sessionField });
      this.hidden.value = this.session.id;
      if (!this.hidden.isConnected) this.form.append(this.hidden);
    }

    escape(event) {
      if (event.key !== "Escape" || event.isComposing || !this.panel.isOpen) return;
      event.preventDefault(); // a dialog around the form stays open
      this.close();
    }

    typed(event) {
      if (!event.isComposing && !this.composing) this.later();
      else this.cancel();
    }

    cancel() {
      clearTimeout(this.timer);
      if (!this.running) return;
      this.running.abort();
      this.running = undefined;
      this.asked = undefined;
    }

    later() {
      this.cancel();
      if (!this.composing) this.timer = setTimeout(() => this.guard(() => this.look()), PAUSE);
    }

    reason() {
      if (this.forced !== undefined) return { key: this.forced, words: "" };
      for (const field of this.fields(this.options.reason)) {
        const inputs = "value" in field ? [field] : [...field.querySelectorAll("input, select")];
        for (const input of inputs) {
          const chosen = input.selectedOptions ? input.selectedOptions[0] : /^(radio|checkbox)$/.test(input.type) && !input.checked ? null : input;
          const key = chosen && (chosen.dataset.kbReason ?? chosen.value);
          if (key) return { key, words: chosen.text ?? chosen.labels?.[0]?.textContent ?? "" };
        }
      }
      return { key: "", words: "" };
    }

    platform() {
      const { platform = "" } = this.options;
      if (!/^[#.[]/.test(platform)) return platform;
      const field = this.fields(platform).find((each) => each.type !== "radio" || each.checked);
      return field?.value ?? "";
    }

    // What is asked: the text, or on a page without one the words of the chosen reason.
    text(reason) {
      if (!this.options.text) return reason.words.trim();
      const field = this.fields(this.options.text)[0];
      if (!field || field.type === "password") return "";
      const text = field.isContentEditable ? field.innerText : String(field.value ?? "");
      return isEnough(text) ? cut(text) : "";
    }

    async look() {
      const reason = this.reason();
      const text = this.text(reason);
      if (text) await this.search(text, reason.key);
      else this.clear();
    }

    // Gives the suggestions, or none; never fails.
    async search(text, reason = this.reason().key) {
      const platform = this.platform();
      const asked = JSON.stringify([text, reason, platform]);
      if (this.asked === asked) return [];
      this.cancel();
      if (this.refused || Date.now() < this.quietUntil) {
        this.clear();
        return [];
      }
      this.asked = asked;
      const answer = await this.ask({
        text,
        locale: this.locale,
        reason: reason || undefined,
        platform: platform || undefined,
        form: this.options.key,
        limit: MOST_SUGGESTIONS,
        session: this.session.id,
      });
      if (!answer) return [];
      this.guard(() => this.show(answer));
      return answer.items;
    }

    // The answer, read and checked; none when it failed or was outdated before it came.
    async ask(question) {
      const mine = new AbortController();
      this.running = mine;
      let kind = "network";
      const timer = setTimeout(() => {
        kind = "timeout";
        mine.abort();
      }, TIMEOUT);
      try {
        const url = new URL("api/v1/suggest", this.base);
        const answer = await fetch(url, {
          method: "POST",
          headers: { "Content-Type": "application/json", Accept: "application/json" },
          body: JSON.stringify(question),
          credentials: "omit",
          signal: mine.signal,
        });
        kind = answer.ok ? "answer" : "status";
        if (!answer.ok) throw new Refused(answer.status, Number(answer.headers.get("Retry-After")) * 1000);
        const found = readAnswer(await answer.json(), url);
        this.failures = 0;
        return mine.signal.aborted ? undefined : found;
      } catch (error) {
        if (mine.signal.aborted && kind !== "timeout") return undefined; // outdated
        this.pauseAfter(error);
        this.failed(kind, error);
        return undefined;
      } finally {
        clearTimeout(timer);
        if (this.running === mine) this.running = undefined;
      }
    }

    // A server in trouble is left alone for a while, one that says no for good.
    pauseAfter(error) {
      const { status, after } = error;
      this.refused = status === 401 || status === 403 || status === 404;
      const wait = after > 0 ? after : BACK_OFF[Math.min(this.failures, BACK_OFF.length - 1)];
      this.failures += 1;
      this.asked = undefined;
      if (status !== 400 && status !== 413) this.quietUntil = Date.now() + Math.min(wait, LONGEST_WAIT);
    }

    show({ id, items }) {
      const { panel } = this;
      if (panel.hasFocus) return;
      if (items.every((item) => this.dismissed.has(item.id))) {
        this.clear();
        return;
      }
      const ids = items.map((item) => item.id).join(" ");
      const isNew = !panel.isOpen || ids !== this.ids;
      panel.show(items);
      if (!isNew) return; // what was shown before keeps its name, so that it is counted once
      this.ids = ids;
      this.suggestionId = id;
      const { one, many } = panel.labels;
      panel.say(items.length === 1 ? one : many.replace("{count}", String(items.length)));
      this.whenSeen(() => {
        this.send("shown");
        this.fire("kb:shown", { suggestionId: id ?? null, suggestions: items.map(({ id: article, title, url }) => ({ id: article, title, url })) });
      });
    }

    // Shown is what was on the screen, not what was drawn below its edge.
    whenSeen(act) {
      this.seen?.disconnect();
      const seen = new IntersectionObserver((entries) => {
        if (!entries.some((entry) => entry.isIntersecting)) return;
        seen.disconnect();
        this.guard(act);
      });
      this.seen = seen;
      seen.observe(this.panel.title);
    }

    // Nothing (more) to suggest. What a customer is reading is not taken away.
    clear() {
      if (this.panel.isInUse) return;
      this.hide();
    }

    hide() {
      this.seen?.disconnect();
      this.ids = undefined;
      this.asked = undefined;
      this.panel.say("");
      this.panel.hide();
    }

    close() {
      this.cancel();
      if (!this.panel.isOpen) return;
      const focused = this.panel.hasFocus;
      for (const id of this.panel.items.keys()) this.dismissed.add(id);
      this.hide();
      this.panel.say(this.panel.labels.closed);
      if (focused) (this.fields(this.options.text)[0] ?? this.fields(this.options.reason)[0])?.focus?.();
      this.fire("kb:closed", {});
    }

    opened(suggestion, position) {
      if (this.send("opened", suggestion.id, position)) this.fire("kb:opened", { id: suggestion.id, url: suggestion.url, position });
    }

    answered(type, suggestion, position) {
      this.send(type, suggestion.id, position);
    }

    // The request is the customer's and the page's: this asks the page, and touches nothing.
    resolve(suggestion, position) {
      this.send("resolved", suggestion.id, position);
      const detail = { id: suggestion.id, url: suggestion.url, session: this.session.id, suggestionId: this.suggestionId ?? null };
      if (this.fire("kb:resolved", detail, true)) this.panel.showDone();
      else this.close();
    }

    submitted() {
      this.cancel();
      if (this.options.submit === "ignore") return;
      this.send("submitted");
      this.session.end();
    }

    cleared() {
      this.cancel();
      this.hide();
      this.dismissed.clear();
      if (!this.session.sent) return;
      this.session.begin();
      this.nameSession();
    }

    // Tells the server what happened; whether it arrives is not waited for. True the first time.
    send(type, article, position) {
      const { id: session } = this.session;
      const about = type === "submitted" ? undefined : this.suggestionId;
      const once = [session, type, article ?? about].join(" ");
      if (this.done.has(once)) return false;
      this.done.add(once);
      const event = {
        id: randomId(),
        type,
        form: this.options.key,
        session,
        suggestion_id: about,
        article,
        position,
        at: new Date().toISOString(),
        locale: this.locale,
      };
      const url = new URL("api/v1/events", this.base);
      const body = JSON.stringify(event);
      // Text needs no preflight, for which a page that is being left has no time.
      if (!navigator.sendBeacon?.(url, body)) {
        fetch(url, { method: "POST", body, keepalive: true, credentials: "omit" }).catch(() => {});
      }
      return true;
    }

    setLabels(labels) {
      const next = { ...this.panel.labels };
      for (const [name, text] of Object.entries(labels)) if (name in next) next[name] = String(text);
      const { isOpen } = this.panel;
      this.hide();
      this.panel.label(next);
      if (isOpen) this.later();
    }

    setReason(reason) {
      this.forced = aText(reason, 100);
      this.later();
    }

    destroy() {
      this.stop.abort();
      this.cancel();
      this.seen?.disconnect();
      this.hidden?.remove();
      this.panel.host.remove();
    }
  }

  // The functions of the page

  const mounted = new Map();

  const chosen = (form) => {
    const wanted = typeof form === "string" ? document.querySelector(form) : form;
    return wanted ? [mounted.get(wanted)].filter(Boolean) : [...mounted.values()];
  };

  const each = (form, act) => {
    for (const one of chosen(form)) one.guard(() => act(one));
  };

  // What a page that calls `mount` need not say again; fields and places are each form's own.
  const { base, nonce, key } = script ? optionsOf(script) : {};
  const inherited = Object.fromEntries(Object.entries({ base, nonce, key }).filter(([, value]) => value));

  const mount = (options) => {
    try {
      const forms = options.form instanceof Element ? [options.form] : [...document.querySelectorAll(options.form)];
      if (!forms.length) console.warn(`kb widget: no form matches ${options.form}`);
      for (const form of forms) {
        if (mounted.has(form)) continue;
        const suggester = new Suggester(form, { ...inherited, ...options });
        mounted.set(form, suggester);
        suggester.ready();
      }
    } catch (error) {
      console.warn(`kb widget: ${error.message}`);
    }
  };

  window.kbWidget = Object.freeze({
    mount,
    search: async (text, form) => {
      const [first] = chosen(form);
      const asked = cut(String(text ?? ""));
      if (!first || !asked) return [];
      first.asked = undefined;
      first.dismissed.clear();
      return (await first.guard(() => first.search(asked))) ?? [];
    },
    setLabels: (labels, form) => each(form, (one) => one.setLabels(labels ?? {})),
    setReason: (reason, form) => each(form, (one) => one.setReason(reason)),
    close: (form) => each(form, (one) => one.close()),
    destroy: (form) =>
      each(form, (one) => {
        one.destroy();
        mounted.delete(one.form);
      }),
  });

  if (script?.dataset.form) {
    whenParsed(() => mount(optionsOf(script)));
  }
})();
