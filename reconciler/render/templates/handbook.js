(() => {
  "use strict";
  const rows = JSON.parse(document.getElementById("data").textContent);
  // Accents and capitals do not matter, nor in which of two ways an accent is written.
  const folded = (text) => text.normalize("NFKD").replace(/\p{Mn}+/gu, "").toUpperCase().toLowerCase();
  const texts = rows.map((row) => folded(row.slice(0, 6).join(" ")));
  const box = document.getElementById("search");
  const list = document.getElementById("found");
  const count = document.getElementById("count");
  const MOST = 50;
  const show = () => {
    const words = folded(box.value).split(/\s+/).filter(Boolean);
    const hits = words.length ? rows.filter((_, at) => words.every((word) => texts[at].includes(word))) : [];
    list.replaceChildren(...hits.slice(0, MOST).map(([title, address, kind, description, , , href]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = href;
      link.textContent = title;
      link.dir = "auto";
      const rest = document.createElement("span");
      rest.className = "quiet";
      rest.textContent = " " + kind + ", " + address + (description ? ": " : "");
      const told = document.createElement("bdi");
      told.textContent = description;
      rest.append(told);
      item.append(link, rest);
      return item;
    }));
    const more = hits.length > MOST ? ", the first " + MOST + " are shown" : "";
    count.textContent = words.length ? hits.length + " found" + more : "";
  };
  document.querySelector(".needs-script").hidden = false;
  box.addEventListener("input", show);
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== box && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      box.focus();
    } else if (event.key === "Escape" && document.activeElement === box) {
      box.value = "";
      show();
    }
  });
  show();
})();
