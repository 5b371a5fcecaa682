// What the pages do beyond links and forms. Every page works without this file, except the live tail of the log.
(() => {
  "use strict";
  const root = document.documentElement;
  root.classList.add("js");

  const announce = (text) => {
    const region = document.getElementById("announce");
    if (region) region.textContent = text;
  };

  // ---- copy: <button data-copy="ID"> copies the text or value of the element with that id ----
  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source) return;
    const text = "value" in source ? source.value : source.textContent;
    const label = button.querySelector("[data-label]") || button;
    const before = label.textContent;
    try {
      await navigator.clipboard.writeText(text);
      label.textContent = "Copied";
      announce("Copied");
    } catch {
      getSelection().selectAllChildren(source);
      label.textContent = "Press Ctrl+C";
    }
    setTimeout(() => { label.textContent = before; }, 1500);
  };

  // ---- menus: one open at a time; Esc and a click elsewhere close them ----
  const openMenus = () => document.querySelectorAll("details.menu[open]");
  const closeMenus = (except) => {
    for (const menu of openMenus()) if (menu !== except) menu.open = false;
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const live = event.target.closest("[data-live]");
    if (live) toggleLive(live);
    closeMenus(event.target.closest("details.menu"));
  });

  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      const [menu] = openMenus();
      if (menu) {
        closeMenus();
        menu.querySelector("summary").focus();
      }
    } else if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      const filter = document.querySelector("[data-slash]");
      if (filter) {
        event.preventDefault();
        const drawer = filter.closest("details");
        if (drawer) drawer.open = true;
        filter.focus();
        filter.select?.();
      }
    }
  });

  // ---- policy editor: line numbers follow the text ----
  const number = (editor) => {
    const text = editor.querySelector("textarea");
    const gutter = editor.querySelector(".gutter");
    const lines = Math.max(text.value.split("\n").length, 1);
    text.rows = Math.max(lines, 16);
    while (gutter.children.length > lines) gutter.lastElementChild.remove();
    while (gutter.children.length < lines) {
      const line = document.createElement("li");
      line.textContent = String(gutter.children.length + 1);
      gutter.append(line);
    }
  };
  document.addEventListener("input", (event) => {
    const editor = event.target.closest(".editor");
    if (editor) number(editor);
  });
  // The editor proper is loaded where there is something to edit; it takes the place of the plain field.
  const loadEditor = () => {
    const area = document.querySelector("textarea[data-editor]");
    if (!area || document.querySelector("script[data-editor]")) return;
    const script = document.createElement("script");
    script.src = area.dataset.editor;
    script.dataset.editor = "";
    document.head.append(script);
  };
  loadEditor();
  // A problem's line number puts the caret on that line of the plain field.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("[data-line]");
    const text = document.querySelector(".editor:not([hidden]) textarea");
    if (!link || !text) return;
    event.preventDefault();
    const lines = text.value.split("\n");
    const line = Math.min(Number(link.dataset.line), lines.length) - 1;
    const start = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
    text.focus();
    text.setSelectionRange(start, start + lines[line].length);
  });
  // A change in the tool table is written into the text at once.
  document.addEventListener("change", (event) => {
    const table = event.target.closest("[data-apply]");
    if (table) document.getElementById(table.dataset.apply)?.click();
  });

  // ---- live tail: rows come as HTML, newest first; at most 200 stay ----
  let tail = null;
  const stopLive = () => {
    if (!tail) return;
    tail.source.close();
    tail.button.setAttribute("aria-pressed", "false");
    tail = null;
  };
  const toggleLive = (button) => {
    if (tail) {
      stopLive();
      announce("Live tail off");
      return;
    }
    const source = new EventSource(button.dataset.live);
    source.addEventListener("decisions", (event) => {
      const body = document.getElementById("decisions");
      if (!body) return;
      const rows = document.createElement("template");
      rows.innerHTML = event.data;
      // A row that was seen before has ended since: it takes the old one's place.
      for (const row of rows.content.querySelectorAll("tr")) {
        const old = document.getElementById(row.id);
        if (old) old.replaceWith(row);
        else row.classList.add("fresh");
      }
      document.getElementById("no-decisions")?.remove();
      body.closest(".table-wrap").hidden = false;
      body.prepend(rows.content);
      while (body.children.length > 200) body.lastElementChild.remove();
    });
    tail = { source, button };
    button.setAttribute("aria-pressed", "true");
    announce("Live tail on");
  };

  // ---- after a part of the page was replaced: focus goes to what changed ----
  const settle = (event) => {
    if (tail && !document.contains(tail.button)) stopLive();
    loadEditor();
    const elt = event.detail?.requestConfig?.elt;
    const keep = event.detail?.target?.dataset?.keepFocus !== undefined || elt?.dataset?.keepFocus !== undefined;
    // What is wrong beside the part that was replaced has been shown before.
    const wrong = [...document.querySelectorAll('[aria-invalid="true"]')].find((field) => !keep || event.target.contains(field));
    const wanted = document.querySelector("[autofocus]") || wrong;
    if (wanted) wanted.focus();
    else if (!keep) document.querySelector("main h1")?.focus({ preventScroll: true });
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (target) target.scrollIntoView({ block: "center" });
  };
  document.addEventListener("htmx:afterSettle", settle);
  window.addEventListener("pagehide", stopLive);
})();
