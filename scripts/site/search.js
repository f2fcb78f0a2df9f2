// Finds pages, headings and names in the list of index.js.
"use strict";
const box = document.getElementById("search"), list = document.getElementById("found");
box.closest("search").hidden = false;
let chosen = 0;

// The list of pages begins where this one stands in it.
const side = document.querySelector(".side"), here = side.querySelector("[aria-current]");
if (here && side.clientHeight && here.offsetTop > side.clientHeight * 0.7) side.scrollTop = here.offsetTop - side.clientHeight / 3;

function score(name, words) {
  const text = name.toLowerCase();
  let sum = 0;
  for (const word of words) {
    const at = text.indexOf(word);
    if (at < 0) return 0;
    const begins = at === 0 || /[^a-z0-9]/.test(text[at - 1]);
    sum += (text === word ? 100 : 0) + (begins ? 20 : 5) + 10 * word.length / text.length;
  }
  return sum;
}

function choose(number) {
  const rows = list.children;
  if (!rows.length) return;
  rows[chosen]?.classList.remove("chosen");
  chosen = (number + rows.length) % rows.length;
  rows[chosen].classList.add("chosen");
  rows[chosen].scrollIntoView({ block: "nearest" });
}

function show() {
  const words = box.value.toLowerCase().split(/[\s_]+/).filter(Boolean);
  const best = words.length === 0 ? [] : pages
    .map((page) => [score(page[0], words), page])
    .filter(([points]) => points > 0)
    .sort((a, b) => b[0] - a[0])
    .slice(0, 12);
  list.replaceChildren(...best.map(([, [name, kind, address]]) => {
    const link = document.createElement("a"), detail = document.createElement("small"), row = document.createElement("li");
    link.href = address;
    detail.textContent = kind;
    link.append(name, detail);
    row.append(link);
    return row;
  }));
  if (words.length && !best.length) list.replaceChildren(Object.assign(document.createElement("li"), { textContent: "Nothing found" }));
  chosen = 0;
  choose(0);
}

box.addEventListener("input", show);
box.addEventListener("focus", show);
box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
    event.preventDefault();
  } else if (event.key === "Enter") {
    list.children[chosen]?.querySelector("a")?.click();
  } else if (event.key === "Escape") {
    box.blur();
    list.replaceChildren();
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || /INPUT|TEXTAREA/.test(event.target.tagName)) return;
  box.focus();
  event.preventDefault();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("search") || event.target.closest("#found a")) list.replaceChildren();
});
