// The page tells everything without this script; it adds a text filter, zoom and shortcuts.
"use strict";
(() => {
  for (const part of document.querySelectorAll(".script")) part.hidden = false;
  const list = document.getElementById("list");
  if (list) {
    const items = [...list.querySelectorAll(".item")];
    const groups = [...list.querySelectorAll(".group")].map((group) => [group, [...group.querySelectorAll(".item")]]);
    const search = document.getElementById("search");
    const count = document.getElementById("count");
    const boxes = [...document.querySelectorAll(".filters input[type=checkbox]")];
    const checked = (name) => document.getElementById(name)?.checked ?? true;
    // Accents and capitals do not matter, nor in which of two ways an accent is written.
    const folded = (text) => text.normalize("NFKD").replace(/\p{Mn}+/gu, "").toUpperCase().toLowerCase();
    let texts = null;
    let due = false;
    const passes = (item) => {
      const action = [...item.classList].find((name) => name.startsWith("a-")).slice(2);
      return checked(`f-${action}`)
        && (!checked("f-risky") || item.classList.contains("is-risky"))
        && (!checked("f-drift") || item.classList.contains("is-drift"));
    };
    const apply = () => {
      due = false;
      const words = folded(search.value).split(/\s+/).filter(Boolean);
      // Read once and only when a reader searches: two thousand texts take a few milliseconds.
      if (words.length && !texts) texts = items.map((item) => folded(item.textContent));
      let shown = 0;
      items.forEach((item, index) => {
        const found = words.every((word) => texts[index].includes(word));
        if (item.hidden === found) item.hidden = !found;
        if (found && passes(item)) shown += 1;
      });
      for (const [group, mine] of groups) group.hidden = !mine.some((item) => !item.hidden && passes(item));
      count.textContent = `${shown} of ${items.length}`;
    };
    const schedule = () => {
      if (!due) requestAnimationFrame(apply);
      due = true;
    };
    search.addEventListener("input", schedule);
    for (const box of boxes) box.addEventListener("change", schedule);
    const unfold = (open) => () => {
      for (const item of items) if (!item.hidden && passes(item)) item.open = open;
    };
    document.getElementById("open").addEventListener("click", unfold(true));
    document.getElementById("close").addEventListener("click", unfold(false));
    document.addEventListener("keydown", (event) => {
      if (event.key === "/" && event.target.tagName !== "INPUT" && !event.ctrlKey && !event.metaKey && !event.altKey) {
        event.preventDefault();
        search.focus();
      } else if (event.key === "Escape" && event.target === search) {
        search.value = "";
        schedule();
      }
    });
    const follow = () => {
      const target = location.hash.startsWith("#c-") && document.getElementById(location.hash.slice(1));
      if (!target) return;
      target.hidden = false;
      target.closest(".group").hidden = false;
      target.open = true;
      target.scrollIntoView();
    };
    addEventListener("hashchange", follow);
    follow();
    apply();
  }
  const graph = document.getElementById("graph");
  if (graph) {
    const width = Number(graph.getAttribute("width"));
    const height = Number(graph.getAttribute("height"));
    let scale = 1;
    const zoom = (to) => {
      scale = Math.min(Math.max(to, 0.05), 4);
      graph.setAttribute("width", width * scale);
      graph.setAttribute("height", height * scale);
    };
    for (const button of document.querySelectorAll("[data-zoom]")) {
      const by = button.dataset.zoom;
      button.addEventListener("click", () => {
        if (by === "fit") zoom(Math.min(graph.parentElement.clientWidth / width, 1));
        else zoom(by === "0" ? 1 : scale * Number(by));
      });
    }
    graph.parentElement.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      zoom(scale * (event.deltaY < 0 ? 1.1 : 1 / 1.1));
    }, { passive: false });
  }
})();
