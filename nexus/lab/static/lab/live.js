// The live half of the pages: starts and stops examples, runs claims, hurts services, follows logs.
// Everything shown comes from /events/; a page that reconnects, or is reloaded, is told where things stand.
"use strict";

(() => {
  const root = document.documentElement.dataset.root || "";
  const examples = new Map();
  const runs = new Map();

  // ---------------------------------------------------------------- small things

  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name === "onclick") made.addEventListener("click", value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false && value != null) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }

  async function post(path, fields = {}) {
    const body = new URLSearchParams(fields);
    try {
      const answer = await fetch(root + path, { method: "POST", body });
      if (answer.ok) return await answer.json();
      const said = (answer.headers.get("content-type") || "").includes("json") ? await answer.json() : {};
      return { error: said.error || `The lab answered ${answer.status}.` };
    } catch {
      return { error: "The lab does not answer; is it still running in its terminal?" };
    }
  }

  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const one = (selector, within) => within.querySelector(selector);

  function show(target, visible) {
    if (target) target.hidden = !visible;
  }

  function say(target, text) {
    // Unchanged text is left alone: a screen reader would read it out again.
    if (target && target.textContent !== text) target.textContent = text;
  }

  // ---------------------------------------------------------------- examples

  const words = {
    stopped: "Stopped",
    starting: "Starting …",
    running: "Running",
    reloading: "Loading your variant …",
    stopping: "Stopping …",
    failed: "Failed",
    elsewhere: "Runs in another terminal",
  };

  function drawExample(example) {
    examples.set(example.name, example);
    for (const place of all(`[data-example-state="${example.name}"]`)) {
      place.dataset.state = example.state;
      say(one("[data-state-word]", place), words[example.state]);
      show(one("form[data-start]", place), ["stopped", "failed"].includes(example.state));
      show(one("form[data-stop]", place), example.state === "running");
      drawSteps(one("[data-steps]", place), example);
      drawError(one("[data-error]", place), example);
      drawLinks(one("[data-links]", place), example);
      drawLogs(one("[data-logs]", place), example);
    }
    drawStrip(example);
    for (const panel of all(`[data-claim][data-example="${example.name}"]`)) drawPanel(panel);
  }

  function drawStrip(example) {
    const strip = document.querySelector(`[data-strip="${example.name}"]`);
    if (!strip) return;
    show(strip, Boolean(example.mine));
    if (!example.mine) return strip.replaceChildren();
    const { file, fault, won, lost } = example.mine;
    const claims = all("[data-mine]").length;
    const open = claims - won.length - lost.length;
    const said = fault
      ? [element("p", {}, element("strong", {}, "Your variant is not loaded."), " Mend the file and save it."), element("pre", { role: "group", tabindex: "0", "aria-label": "Why it is not loaded" }, fault)]
      : [element("p", {}, element("strong", {}, `${won.length} of ${claims} claims won`), ` by your variant, ${lost.length} refuted, ${open} not run since it was saved.`)];
    strip.replaceChildren(...said, element("p", { class: "hint" }, element("code", {}, file)));
  }

  function drawSteps(list, example) {
    if (!list) return;
    show(list, example.state === "starting" && example.steps.length > 0);
    while (list.children.length > example.steps.length) list.lastChild.remove();
    example.steps.forEach((step, at) => {
      const item = list.children[at] || list.appendChild(element("li"));
      say(item, step);
      item.classList.toggle("is-done", at < example.steps.length - 1);
    });
  }

  function drawError(box, example) {
    if (!box) return;
    show(box, Boolean(example.error));
    const parts = [element("p", {}, example.error)];
    if (example.log) parts.push(element("pre", { role: "group", tabindex: "0", "aria-label": "Last log lines" }, example.log));
    box.replaceChildren(...(example.error ? parts : []));
  }

  function drawLinks(nav, example) {
    if (!nav) return;
    show(nav, example.links.length > 0 || example.state === "elsewhere");
    const links = example.state === "elsewhere" && example.url ? [["API", `${example.url}/api/`]] : example.links;
    nav.replaceChildren(
      ...links.map(([label, href]) => element("a", { href, target: "_blank", rel: "noopener" }, label)),
    );
  }

  // ---------------------------------------------------------------- logs

  let tail = null;

  function drawLogs(box, example) {
    if (!box) return;
    const programs = example.state === "running" ? example.programs : [];
    show(box, programs.length > 0);
    if (box.dataset.programs === programs.join()) return;
    box.dataset.programs = programs.join();
    closeTail();
    if (!programs.length) return box.replaceChildren();
    const output = element("pre", { tabindex: "0", role: "log", "aria-label": "Log", hidden: true });
    const buttons = programs.map((program) =>
      element("button", { type: "button", "aria-pressed": "false", onclick: (event) => follow(event.currentTarget, program) }, program),
    );
    function follow(button, program) {
      const again = button.getAttribute("aria-pressed") === "true";
      closeTail();
      buttons.forEach((each) => each.setAttribute("aria-pressed", "false"));
      show(output, !again);
      output.replaceChildren();
      if (again) return;
      button.setAttribute("aria-pressed", "true");
      output.setAttribute("aria-label", `Log of ${program}`);
      tail = new EventSource(`${root}${example.name}/logs/${program}/`);
      tail.onopen = () => output.replaceChildren();
      tail.onmessage = (event) => {
        const atEnd = output.scrollTop + output.clientHeight >= output.scrollHeight - 4;
        output.append(`${JSON.parse(event.data).join("\n")}\n`);
        while (output.childNodes.length > 400) output.firstChild.remove();
        if (atEnd) output.scrollTop = output.scrollHeight;
      };
    }
    box.replaceChildren(element("span", { class: "logs-label" }, "Logs"), ...buttons, output);
  }

  function closeTail() {
    tail?.close();
    tail = null;
  }

  // ---------------------------------------------------------------- panels

  function latestRun(panel) {
    const mine = [...runs.values()].filter(
      (run) => run.example === panel.dataset.example && run.claim === panel.dataset.claim,
    );
    return mine.findLast((run) => run.state === "running") || mine.at(-1);
  }

  function drawPanel(panel) {
    const example = examples.get(panel.dataset.example);
    const run = latestRun(panel);
    const running = example?.state === "running";
    const form = one("form[data-run]", panel);
    show(form, running);
    drawMine(one("[data-mine]", panel), example);
    show(one("[data-start-first]", panel), example && ["stopped", "failed", "starting"].includes(example.state));
    const ended = !run || ["done", "cancelled", "failed"].includes(run.state);
    show(one("[data-cancel]", panel), running && !ended);
    panel.classList.toggle("is-running", Boolean(run) && !ended);
    say(one("[data-status]", panel), run ? statusOf(run) : "");
    if (!run) return;
    drawVerdicts(one("[data-verdicts]", panel), run);
    drawExchanges(one("[data-exchanges]", panel), run);
    drawFaults(one("[data-faults]", panel), example, run);
    drawChart(panel, run);
  }

  // The reader's own variant: its latest line, whatever was run beside it or since.
  function drawMine(line, example) {
    show(line, Boolean(example?.mine));
    if (!line || !example?.mine) return;
    const button = one("button", line);
    button.disabled = example.state !== "running" || Boolean(example.mine.fault);
    const slug = line.dataset.mine;
    const kept = example.mine.won.includes(slug) ? "holds" : example.mine.lost.includes(slug) ? "refuted" : "";
    const found = [...runs.values()]
      .filter((run) => run.example === example.name && run.claim === slug)
      .map((run) => [run, run.lines.find((each) => each.variant === "mine")])
      .findLast(([, each]) => each);
    const [run, latest] = found || [];
    const going = run && ["queued", "running"].includes(run.state);
    const verdict = going || kept ? latest?.verdict : null; // of a file that is gone since, it says nothing
    let word = verdict ? (verdict.holds ? "holds" : "refuted") + (latest.state === "done" ? "" : " so far") : kept;
    if (!word) word = run?.state === "failed" ? "open" : going ? "waiting" : "not run";
    line.className = `mine ${word.startsWith("holds") ? "is-holds" : word.startsWith("refuted") ? "is-refuted" : "is-open"}`;
    say(one("[data-mine-word]", line), word);
    say(one("[data-mine-figure]", line), verdict?.figure || (word === "open" ? run.error : ""));
  }

  function statusOf(run) {
    if (run.cancelling) return "Cancelling …";
    if (run.state === "queued") {
      const ahead = [...runs.values()].filter((each) => each.id < run.id && ["queued", "running"].includes(each.state));
      if (!ahead.length) return "Queued.";
      return ahead.length === 1 ? "Queued: one run is ahead." : `Queued: ${ahead.length} runs are ahead.`;
    }
    if (run.state === "cancelled") return "Cancelled; everything that was hurt is put back.";
    if (run.state === "failed") return run.error;
    if (run.state === "done") return run.faults.some((each) => each.own) ? "Done, with faults of your own." : "Done, just now, on this machine.";
    const line = run.lines.find((each) => each.state === "running");
    return line ? `Running against ${line.variant} …` : "Running …";
  }

  function drawVerdicts(list, run) {
    if (!list) return;
    const others = run.lines.filter((line) => line.variant !== "mine"); // that one has a place of its own
    show(list, others.length > 0);
    const live = ["queued", "running"].includes(run.state);
    list.replaceChildren(
      ...others.map((line) => {
        const verdict = line.verdict;
        let word = line.state === "waiting" ? (live ? "waiting" : "not judged") : line.samples ? "no verdict yet" : "measuring";
        if (verdict) word = (verdict.holds ? "holds" : "refuted") + (line.state === "done" ? "" : " so far");
        const item = element("li", { "data-variant": line.variant, "data-line-state": line.state });
        item.className = verdict ? (verdict.holds ? "is-holds" : "is-refuted") : "is-open";
        item.append(
          element("code", {}, line.variant),
          " ",
          element("strong", { "data-word": word }, word),
          " ",
          element("span", { class: "figure" }, [verdict?.figure, ...line.now].filter(Boolean).join("; ")),
        );
        return item;
      }),
    );
  }

  function drawExchanges(box, run) {
    if (!box) return;
    const shown = run.lines.flatMap((line) => line.exchanges.map((exchange) => [line, exchange]));
    const key = shown.map(([line, exchange]) => `${run.id} ${line.variant} ${exchange.status}`).join();
    if (box.dataset.shown === key) return; // open ones stay open
    box.dataset.shown = key;
    box.replaceChildren(...shown.map(([line, exchange]) => exchangeOf(line, exchange)));
    show(box.closest("[data-exchanges-fold]"), shown.length > 0);
  }

  function exchangeOf(line, exchange) {
    const headers = (found) => Object.entries(found).map(([name, value]) => `${name}: ${value}`).join("\n");
    const answer = exchange.status ? `HTTP ${exchange.status}` : "no answer";
    const milliseconds = (exchange.seconds * 1000).toFixed(1);
    return element(
      "details",
      { class: "exchange" },
      element("summary", {}, element("code", {}, line.variant), ` answered `, element("strong", {}, answer), ` after ${milliseconds} ms`),
      element("pre", { role: "group", tabindex: "0", "aria-label": "Request" }, `${exchange.method} ${exchange.path}\n${headers(exchange.request_headers)}`),
      element("pre", { role: "group", tabindex: "0", "aria-label": "Answer" }, `${answer}\n${headers(exchange.headers)}\n\n${exchange.body}`),
    );
  }

  const faults = [
    ["pause", "Pause"],
    ["resume", "Resume"],
    ["stop", "Stop"],
    ["kill", "Kill"],
    ["start", "Start"],
  ];

  function drawFaults(box, example, run) {
    if (!box) return;
    const active = run.state === "running" && example?.state === "running";
    show(box, active);
    const key = active ? `${run.id} ${example.targets.join()}` : "";
    if (box.dataset.shown !== key) {
      box.dataset.shown = key;
      box.replaceChildren(
        ...(active ? example.targets : []).map((target) =>
          element(
            "div",
            { role: "group", "aria-label": `Faults of ${target}` },
            element("code", {}, target),
            ...faults.map(([action, label]) =>
              element(
                "button",
                {
                  type: "button",
                  "aria-label": `${label} ${target}`,
                  onclick: () => hurt(run.id, action, target, box),
                },
                label,
              ),
            ),
          ),
        ),
      );
      if (active) box.append(element("p", { "data-fault-said": true, role: "status" }));
    }
    const last = run.faults.at(-1);
    if (active && last) say(one("[data-fault-said]", box), `${last.label}, ${last.seconds.toFixed(1)} s into ${last.variant}`);
  }

  async function hurt(id, action, target, box) {
    const { error } = await post(`runs/${id}/fault/`, { action, target });
    if (error) say(one("[data-fault-said]", box), error);
  }

  // One picture at a time: a slow machine gets fewer of them, never a queue.
  const drawing = new Map();

  async function drawChart(panel, run) {
    const chart = one("[data-chart]", panel);
    const stamp = `${run.id} ${run.state} ${run.faults.length} ${run.lines.map((line) => `${line.samples}${line.state}`)}`;
    if (!chart || chart.dataset.stamp === stamp) return;
    const fold = chart.closest("[data-chart-fold]");
    // Never the recorded chart of another machine under the verdicts of this run.
    if (Number(chart.dataset.run) !== run.id) {
      chart.dataset.run = run.id;
      chart.replaceChildren(element("p", { class: "hint" }, "No sample of this run yet."));
    }
    if (run.state === "running" && Number(fold.dataset.opened) !== run.id) {
      fold.dataset.opened = run.id; // once: whoever folds it has seen it
      fold.open = true;
    }
    if (drawing.has(panel)) return drawing.set(panel, true);
    if (run.state === "queued" || !run.lines.some((line) => line.points.length)) return;
    drawing.set(panel, false);
    try {
      const answer = await fetch(`${root}runs/${run.id}/chart/`);
      const drawn = await answer.text();
      // Another run may have taken the panel meanwhile.
      if (answer.ok && Number(chart.dataset.run) === run.id) {
        chart.innerHTML = drawn; // our own SVG
        chart.dataset.stamp = stamp;
      }
    } catch {
      // The stream says when the lab is gone.
    }
    const again = drawing.get(panel);
    drawing.delete(panel);
    if (again) drawPanel(panel);
  }

  // ---------------------------------------------------------------- what people press

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (form.matches("form[data-start], form[data-stop]")) {
      event.preventDefault();
      const name = form.closest("[data-example-state], [data-example]");
      const example = name.dataset.exampleState || name.dataset.example;
      const { error } = await post(`${example}/${form.matches("[data-start]") ? "start" : "stop"}/`);
      if (error) all(`[data-example-state="${example}"] [data-error]`).forEach((box) => {
        show(box, true);
        box.replaceChildren(element("p", {}, error));
      });
    } else if (form.matches("form[data-run], form[data-mine]")) {
      event.preventDefault();
      const panel = form.closest("[data-claim]");
      const { error } = await post(`${panel.dataset.example}/claims/${panel.dataset.claim}/run/`, new FormData(form));
      if (error) say(one("[data-status]", panel), error);
    }
  });

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-cancel]");
    if (!button) return;
    const panel = button.closest("[data-claim]");
    const run = latestRun(panel);
    const { error } = run ? await post(`runs/${run.id}/cancel/`) : {};
    if (error) say(one("[data-status]", panel), error);
  });

  // ---------------------------------------------------------------- the stream

  let stream = null;

  function connect() {
    stream = new EventSource(`${root}events/`);
    stream.addEventListener("open", () => document.documentElement.classList.remove("is-cut-off"));
    stream.addEventListener("error", () => document.documentElement.classList.add("is-cut-off"));
    on("snapshot", (state) => {
      runs.clear();
      state.runs.forEach((run) => runs.set(run.id, run));
      state.examples.forEach(drawExample);
    });
    on("example", drawExample);
    on("run", (run) => {
      runs.set(run.id, run);
      // Whatever waits behind it may have moved up.
      [run, ...[...runs.values()].filter((each) => each.state === "queued")].forEach(redraw);
    });
    on("points", ({ run: id, ...line }) => {
      const run = runs.get(id);
      const at = run?.lines.findIndex((each) => each.variant === line.variant) ?? -1;
      if (at < 0) return;
      run.lines[at] = line;
      redraw(run);
    });
  }

  function on(kind, handle) {
    stream.addEventListener(kind, (event) => handle(JSON.parse(event.data)));
  }

  function redraw(run) {
    all(`[data-example="${run.example}"][data-claim="${run.claim}"]`).forEach(drawPanel);
  }

  // A browser keeps six connections to one host for all its tabs: those that nobody sees give theirs back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      stream?.close();
      stream = null;
    } else if (!stream) connect();
  });
  if (!document.hidden) connect();
})();
