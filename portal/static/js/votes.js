// Votes without leaving the page; if sending fails, the form is sent the ordinary way.
export function sendVotes() {
  for (const form of document.querySelectorAll("form[data-vote]")) {
    form.addEventListener("submit", (event) => {
      if (form.dataset.vote === "answer" && event.submitter?.value === "no") return;
      event.preventDefault();
      send(form, event.submitter);
    });
  }
}

async function send(form, button) {
  const fields = new FormData(form, button);
  try {
    const answer = await fetch(form.getAttribute("action"), {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { Accept: "application/json" },
    });
    if (!answer.ok) throw new Error(String(answer.status));
  } catch {
    resend(form, button);
    return;
  }
  if (form.dataset.vote === "answer") thankInPlace(form);
  else next(form, fields.get("helpful") === "no" && form.dataset.vote === "article");
}

function resend(form, button) {
  if (button?.name) {
    const kept = document.createElement("input");
    kept.type = "hidden";
    kept.name = button.name;
    kept.value = button.value;
    form.append(kept);
  }
  HTMLFormElement.prototype.submit.call(form);
}

function thankInPlace(form) {
  const thanks = document.createElement("p");
  thanks.className = "answer-done";
  thanks.setAttribute("role", "status");
  thanks.tabIndex = -1;
  thanks.textContent = form.dataset.textDone;
  form.replaceWith(thanks);
  thanks.focus();
}

function next(form, askWhy) {
  const box = form.closest("[data-votes]");
  const step = box.querySelector(askWhy ? ".vote-why" : ".vote-thanks");
  for (const other of box.children) other.hidden = other !== step;
  (askWhy ? step.querySelector("legend") : step).focus();
}
