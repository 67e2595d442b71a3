// The code pane: it follows the text, keeps what is chosen, and puts it into the address.
// Without this script every reference is a link to a page of its own.
"use strict";

(() => {
  const root = document.documentElement;
  const wide = matchMedia("(min-width: 75rem)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // ---------------------------------------------------------------- theme

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const toggle = one("[data-theme-toggle]");

  function isDark() {
    return root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  }

  function showTheme() {
    toggle.setAttribute("aria-pressed", String(isDark()));
  }

  toggle.hidden = false;
  showTheme();
  dark.addEventListener("change", showTheme);
  toggle.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    // What the system says anyway needs no remembering: from then on it is followed again.
    const own = theme !== (dark.matches ? "dark" : "light");
    if (own) root.dataset.theme = theme;
    else delete root.dataset.theme;
    try {
      if (own) localStorage.setItem("nexus-theme", theme);
      else localStorage.removeItem("nexus-theme");
    } catch {
      // Remembered for this page only.
    }
    showTheme();
  });

  // ---------------------------------------------------------------- lines of a source

  function mark(code, lines) {
    all(".is-marked", code).forEach((line) => line.classList.remove("is-marked"));
    const [first, last] = lines ? lines.split("-").map(Number) : [0, -1];
    for (let number = first; number <= (last || first); number++) {
      one(`[id="L${number}"]`, code)?.classList.add("is-marked");
    }
    return first ? one(`[id="L${first}"]`, code) : null;
  }

  // A click on a number chooses the line; with Shift, all lines from the one chosen before.
  function chosenLines(event, before) {
    const line = event.target.closest(".numbered code > span");
    if (!line) return null;
    const gutter = parseFloat(getComputedStyle(line).paddingInlineStart);
    if (event.clientX - line.getBoundingClientRect().left > gutter) return null;
    const number = Number(line.id.slice(1));
    const [from] = before ? before.split("-").map(Number) : [number];
    const [first, last] = event.shiftKey ? [from, number].sort((a, b) => a - b) : [number, number];
    return `${first}-${last}`;
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // From disk there is no clipboard but this one.
      const box = document.createElement("textarea");
      box.value = text;
      box.className = "unseen";
      document.body.append(box);
      box.select();
      document.execCommand("copy");
      box.remove();
    }
  }

  function offerCopy(button, said, address) {
    button.hidden = false;
    let timer = 0;
    button.addEventListener("click", async () => {
      await copyText(address());
      button.textContent = "Copied";
      said.textContent = "Link copied";
      clearTimeout(timer);
      timer = setTimeout(() => {
        button.textContent = "Copy link";
        said.textContent = "";
      }, 2000);
    });
  }

  // ---------------------------------------------------------------- the page of a file

  const leaf = one("[data-file-page]");
  if (leaf) {
    const code = one(".numbered code", leaf);
    const current = () => /^#L(\d+)(?:-L(\d+))?$/.exec(location.hash);
    const show = () => {
      const found = current();
      const line = mark(code, found ? `${found[1]}-${found[2] || found[1]}` : "");
      line?.scrollIntoView({ block: "center" });
    };
    code.addEventListener("click", (event) => {
      const found = current();
      const lines = chosenLines(event, found ? `${found[1]}-${found[2] || found[1]}` : "");
      if (!lines) return;
      const [first, last] = lines.split("-");
      history.replaceState(null, "", first === last ? `#L${first}` : `#L${first}-L${last}`);
      mark(code, lines);
    });
    offerCopy(one("[data-copy]", leaf), one("[data-pane-said]", leaf), () => location.href);
    addEventListener("hashchange", show);
    show();
  }

  // ---------------------------------------------------------------- contents

  const contents = one("[data-contents]");
  if (contents) {
    const links = new Map(all('a[href^="#"]', contents).map((link) => [link.hash.slice(1), link]));
    const sections = all("main h2[id]").filter((each) => links.has(each.id));
    let shownAs = null;
    const tell = () => {
      // One reads in the upper third, and towards the page's end ever lower: short last sections have their turn.
      const left = document.documentElement.scrollHeight - innerHeight - scrollY;
      const line = Math.max(innerHeight * 0.36, innerHeight - left);
      const found = sections.findLast((each) => each.getBoundingClientRect().top < line);
      const link = found ? links.get(found.id) : null;
      if (link === shownAs) return;
      shownAs?.removeAttribute("aria-current");
      link?.setAttribute("aria-current", "true");
      shownAs = link;
      // In a strip the current one scrolls into view, and nothing else does.
      if (link && contents.scrollWidth > contents.clientWidth) contents.scrollLeft = link.offsetLeft - 20;
    };
    addEventListener("scroll", () => requestAnimationFrame(tell), { passive: true });
    tell();
  }

  // What is folded opens for who is sent into it, and for paper.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) target.closest("details")?.setAttribute("open", "");
  };
  addEventListener("hashchange", reveal);
  reveal();
  addEventListener("beforeprint", () => all("details.fold").forEach((each) => (each.open = true)));

  // ---------------------------------------------------------------- the code pane

  const pane = one("[data-pane]");
  if (!pane) return;

  const body = one("[data-pane-body]", pane);
  const name = one("[data-pane-file]", pane);
  const range = one("[data-pane-lines]", pane);
  const said = one("[data-pane-said]", pane);
  const follow = one("[data-follow]", pane);
  const files = one("[data-files]", pane);
  const sources = new Map(all("template[data-file]").map((each) => [each.dataset.file, each]));
  const stations = all("h2, [data-file]:not([data-aside])", one("[data-reading]")).filter(
    (each) => each.localName === "h2" || sources.has(each.dataset.file),
  );
  const references = stations.filter((each) => each.localName !== "h2");
  let shown = { file: "", lines: "" };
  let pinned = null;

  function fragment({ file, lines }) {
    const [first, last] = lines.split("-");
    return `#${file}${lines ? `:${first === last ? first : lines}` : ""}`;
  }

  function inAddress() {
    const found = /^#(.+?)(?::(\d+)(?:-(\d+))?)?$/.exec(decodeURIComponent(location.hash));
    if (!found || !sources.has(found[1])) return null;
    return { file: found[1], lines: found[2] ? `${found[2]}-${found[3] || found[2]}` : "" };
  }

  function show({ file, lines }) {
    if (file === shown.file && lines === shown.lines) return;
    const same = file === shown.file;
    if (!same) {
      const pre = document.createElement("pre");
      pre.className = "numbered";
      pre.append(document.createElement("code"));
      pre.firstChild.append(sources.get(file).content.cloneNode(true));
      body.replaceChildren(pre);
      body.setAttribute("aria-label", `Source of ${file}`);
      all("[data-open]", pane).forEach((link) => {
        if (link.dataset.open === file) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      });
    }
    const [first, last] = lines.split("-");
    name.textContent = file;
    name.href = `files/${file}.html${lines ? `#L${first}-L${last}` : ""}`;
    range.textContent = lines ? (first === last ? `line ${first}` : `lines ${first}–${last}`) : "";
    const line = mark(body, lines);
    const top = line ? line.offsetTop - Math.min(body.clientHeight * 0.2, 140) : 0;
    if (!same || line) body.scrollTo({ top, left: 0, behavior: same && !calm.matches ? "smooth" : "auto" });
    shown = { file, lines };
  }

  function point(current) {
    for (const each of references) {
      each.classList.toggle("is-current", each === current);
    }
  }

  // The line at which one reads: a third down the window, lower at the end of the text, where what is
  // left cannot scroll up to it.
  function readingLine() {
    const height = innerHeight;
    const left = root.scrollHeight - scrollY - height;
    return height * (0.36 + 0.64 * Math.max(0, 1 - left / height));
  }

  function atReadingLine() {
    const line = readingLine();
    let found = null;
    let top = -Infinity;
    let section = false;
    for (const each of stations) {
      const at = each.getBoundingClientRect().top;
      const isSection = each.localName === "h2";
      if (at > line) {
        // Under a heading one reads towards its first reference, not on from the section before.
        return section && !isSection ? each : found;
      }
      section = isSection;
      // Of several on one line, the first.
      if (!isSection && at > top + 4) [found, top] = [each, at];
    }
    return found;
  }

  function followText() {
    if (pinned || !wide.matches) return;
    const current = atReadingLine();
    const { first, firstLines } = pane.dataset;
    if (current) show({ file: current.dataset.file, lines: current.dataset.lines });
    else if (sources.has(first)) show({ file: first, lines: firstLines });
    point(current);
  }

  function pin(target) {
    pinned = target;
    follow.hidden = !target;
    if (!target) return followText();
    show(target);
    point(references.find((each) => each.dataset.file === target.file && each.dataset.lines === target.lines));
  }

  function choose(target) {
    pin(target);
    if (location.hash !== fragment(target)) history.pushState(null, "", fragment(target));
  }

  const plain = (event) => !(event.metaKey || event.ctrlKey || event.shiftKey || event.altKey || event.button);

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a.reference, a[data-open]");
    if (!link || !wide.matches || !plain(event)) return;
    const file = link.dataset.file || link.dataset.open;
    if (!sources.has(file)) return;
    event.preventDefault();
    choose({ file, lines: link.dataset.lines || "" });
    if (link.dataset.open && files.contains(link)) {
      files.open = false;
      body.focus({ preventScroll: true });
    }
  });

  body.addEventListener("click", (event) => {
    const lines = chosenLines(event, shown.lines);
    if (lines) choose({ file: shown.file, lines });
  });

  follow.addEventListener("click", () => {
    history.pushState(null, "", location.pathname + location.search);
    pin(null);
    body.focus({ preventScroll: true });
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && files.open) {
      files.open = false;
      one("summary", files).focus();
    }
  });
  document.addEventListener("click", (event) => {
    if (files.open && !files.contains(event.target)) files.open = false;
  });

  function readAddress() {
    const target = inAddress();
    if (target && !wide.matches) {
      const lines = target.lines ? `#L${target.lines.replace("-", "-L")}` : "";
      location.replace(`files/${target.file}.html${lines}`);
      return;
    }
    pin(target);
  }

  let waiting = false;
  const soon = () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      followText();
    });
  };

  files.open = false;
  files.dataset.ready = "";
  offerCopy(one("[data-copy]", pane), said, () => new URL(fragment(shown), location.href).href);
  addEventListener("scroll", soon, { passive: true });
  addEventListener("resize", soon, { passive: true });
  addEventListener("popstate", readAddress);
  addEventListener("hashchange", readAddress);
  wide.addEventListener("change", soon);

  readAddress();
  if (pinned) {
    references
      .find((each) => each.dataset.file === pinned.file && each.dataset.lines === pinned.lines)
      ?.scrollIntoView({ block: "center" });
  }
})();
