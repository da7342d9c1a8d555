// The pages work without it: it only spares reloading. No other host, no library.
"use strict";
const lost = document.getElementById("lost");
const run = document.querySelector("[data-live]");
const fill = document.querySelector("[data-fill]");

function follow() {
  const source = new EventSource(run.dataset.live);
  source.addEventListener("run", (event) => {
    run.innerHTML = event.data;
    lost.hidden = true;
  });
  source.addEventListener("ended", () => {
    source.close();
    location.assign("/login?to=/");
  });
  source.onopen = () => { lost.hidden = true; };
  source.onerror = () => {
    lost.hidden = false;
    // What was refused, or answered by a board that was away, is not tried again by the browser.
    if (source.readyState === EventSource.CLOSED) {
      setTimeout(() => fetch("/", { redirect: "manual" }).then(
        (answer) => (answer.ok ? follow() : location.assign("/login?to=/")), follow), 2000);
    }
  };
}

async function ask() {
  fill.textContent = "The nodes are asked …";
  const answer = await fetch(fill.dataset.fill, { redirect: "error" });
  fill.innerHTML = await answer.text();
}

if (run) follow();
if (fill) ask().catch(() => { fill.textContent = "The nodes could not be asked; load the page again."; });
