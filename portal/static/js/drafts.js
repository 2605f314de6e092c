// Checks and previews an article while it is written, and follows proofs and publishes.
// Without it the buttons of the form do the same.

const PAUSE = 800; // ms after the last key
const LOOK = 1000; // ms between two looks at a run

for (const form of document.querySelectorAll("form[data-draft]")) watch(form);
for (const run of document.querySelectorAll("[data-run]")) follow(run);

function watch(form) {
  const field = form.elements.text;
  let saved = field.value;
  let timer = 0;
  let asked = null;

  async function check() {
    asked?.abort();
    asked = new AbortController();
    const typed = new FormData(form);
    typed.delete("opened"); // only saving has to know it
    try {
      const answer = await fetch(form.dataset.draft, {
        method: "POST",
        body: typed,
        headers: { Accept: "application/json" },
        signal: asked.signal,
      });
      if (!answer.ok) return; // the last findings stay; saving checks again
      const found = await answer.json();
      // Both are made by the server, the preview by the sanitiser that publishes.
      show("#draft-problems", found.problems);
      show("#draft-preview", found.preview);
    } catch (error) {
      if (error.name !== "AbortError" && !(error instanceof TypeError)) throw error;
    }
  }

  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(check, PAUSE);
  });
  form.addEventListener("submit", () => {
    saved = field.value;
  });
  addEventListener("beforeunload", (event) => {
    if (field.value !== saved) event.preventDefault();
  });
}

// A parsed document runs no script, and the pages' policy would not let it either.
function show(place, html) {
  const made = new DOMParser().parseFromString(html, "text/html");
  document.querySelector(place).replaceChildren(...made.body.childNodes);
}

function follow(run) {
  const bar = run.querySelector("progress");
  const stage = run.querySelector(".run-stage");
  run.querySelector(".run-look").hidden = true;

  async function look() {
    let found = null;
    try {
      const answer = await fetch(run.dataset.run, { headers: { Accept: "application/json" } });
      if (answer.ok) found = await answer.json();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error; // the network; try again
    }
    if (found && found.state !== "running") {
      location.reload();
      return;
    }
    if (found) {
      bar.max = Math.max(1, found.total);
      bar.value = found.done;
      if (stage.textContent !== found.stage) stage.textContent = found.stage;
    }
    setTimeout(look, LOOK);
  }
  setTimeout(look, LOOK);
}
