// Search: the index is loaded when it is first asked for, and everything happens in the page.
// It works from a file on disk, as a script may be loaded there and nothing else.
"use strict";

(() => {
  const dialog = document.querySelector("[data-search]");
  const opener = document.querySelector("[data-search-open]");
  const input = dialog.querySelector("input");
  const found = dialog.querySelector("[data-search-found]");
  const said = dialog.querySelector("[data-search-said]");
  const root = document.documentElement.dataset.root;
  const MOST = 5; // of a group
  // How much a match in the title, in the name of the example and in the text tells.
  const WEIGHTS = { Claims: [6, 4, 3], Pages: [8, 4, 1], Commands: [3, 2, 1], Code: [4, 3, 1] };
  let entries = null;
  let common = null;

  const split = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];

  function load() {
    if (entries) return Promise.resolve();
    return new Promise((loaded, failed) => {
      const script = document.createElement("script");
      script.src = `${root}search-index.js`;
      script.onload = loaded;
      script.onerror = failed;
      document.head.append(script);
    }).then(() => {
      common = new Set(window.nexusSearch.common);
      entries = window.nexusSearch.entries.map(([kind, title, where, href]) => ({
        // What speaks of one thing everywhere: an example, or a page of the hub.
        kind, title, where, href, whole: /^(docs|resources)\//.test(href) ? href.split("#")[0] : href.split("/")[0],
        fields: [split(title), split(where), []],
      }));
      // Of each word the steps from one entry that has it to the next.
      const at = window.nexusSearch.at.split(" ");
      window.nexusSearch.words.split(" ").forEach((word, number) => {
        let entry = 0;
        for (const step of at[number].split(",")) entries[(entry += parseInt(step, 36))].fields[2].push(word);
      });
    });
  }

  // 1 for the word itself, less for its beginning, or for one that it goes little beyond ("tasks", "task").
  function match(word, term) {
    if (word === term) return 1;
    if (term.length >= 3 && word.startsWith(term)) return 0.4 + (0.5 * term.length) / word.length;
    const share = word.length / term.length;
    return share >= 0.6 && term.startsWith(word) ? 0.4 + 0.5 * share : 0;
  }

  function strength(entry, term) {
    const weights = WEIGHTS[entry.kind];
    return Math.max(
      ...entry.fields.map((words, at) => weights[at] * Math.max(0, ...words.map((word) => match(word, term)))),
    );
  }

  // A term counts for more the fewer entries have it, and an entry for more the more terms it has.
  function ranked(query) {
    const asked = [...new Set(split(query))];
    const telling = asked.filter((term) => term.length > 1 && !common.has(term));
    const terms = telling.length ? telling : asked;
    const scores = entries.map(() => ({ sum: 0, hits: 0 }));
    for (const term of terms) {
      const strengths = entries.map((entry) => strength(entry, term));
      const having = strengths.filter((each) => each > 0).length;
      const rarity = Math.log(1 + entries.length / (1 + having));
      strengths.forEach((each, at) => {
        scores[at].sum += each * rarity;
        scores[at].hits += each > 0;
      });
    }
    // An example or page that speaks of it everywhere comes before one that names it once.
    const score = ({ sum, hits }) => (sum * hits) / (terms.length || 1);
    const wholes = new Map();
    entries.forEach(({ whole }, at) => wholes.set(whole, (wholes.get(whole) || 0) + score(scores[at])));
    const all = wholes.values().reduce((sum, each) => sum + each, 0);
    return entries
      .map((entry, at) => ({ ...entry, score: score(scores[at]) * (1 + wholes.get(entry.whole) / all) }))
      .filter((entry) => entry.score > 0)
      .sort((a, b) => b.score - a.score);
  }

  function element(name, text, className = "") {
    const made = document.createElement(name);
    made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function line(entry) {
    const link = document.createElement("a");
    link.href = root + entry.href;
    const isCode = entry.kind === "Claims" || entry.kind === "Code" || entry.kind === "Commands";
    link.append(element(isCode ? "code" : "span", entry.title, "search-title"));
    if (entry.where) link.append(" ", element("span", entry.where, "search-where"));
    const item = document.createElement("li");
    item.append(link);
    return item;
  }

  function show() {
    const all = ranked(input.value);
    const groups = Map.groupBy(all, (entry) => entry.kind); // in the order of their best
    found.replaceChildren();
    for (const [kind, hits] of groups) {
      const list = document.createElement("ul");
      list.append(...hits.slice(0, MOST).map(line));
      found.append(element("h2", kind), list);
    }
    const asked = input.value.trim();
    said.textContent = asked ? `${all.length || "Nothing"} found` : "";
    if (asked && !all.length) found.append(element("p", "Nothing found: try another word, or fewer.", "search-where"));
  }

  async function open() {
    if (!dialog.open) dialog.showModal();
    input.select();
    if (!entries) found.replaceChildren(element("p", "Loading…", "search-where"));
    try {
      await load();
      show();
    } catch {
      said.textContent = "The index could not be loaded; reload the page.";
      found.replaceChildren(element("p", said.textContent, "search-where"));
    }
  }

  opener.hidden = false;
  opener.addEventListener("click", open);
  input.addEventListener("input", () => entries && show());
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (event.key !== "/" || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    open();
  });
  dialog.addEventListener("keydown", (event) => {
    const links = [...found.querySelectorAll("a")];
    const at = links.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    // Chromium would empty the box first, and close it at the second press.
    if (event.key === "Escape") dialog.close();
    if (event.key === "Enter" && document.activeElement === input) links[0]?.click();
    if (to === undefined) return;
    event.preventDefault();
    (links[to] || input).focus();
  });
  // A click beside the box, or on what was found, which may be on this page.
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog || event.target.closest("a")) dialog.close();
  });
})();
