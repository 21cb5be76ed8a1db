// What the page loads: a style sheet, a script and two pictures, by file name.

let assets: [String: Answer] = [
    "style.css": .text(style, type: "text/css"),
    "script.js": .text(script, type: "text/javascript"),
    "emblem.svg": .text(emblem, type: "image/svg+xml"),
    "route.svg": .text(route, type: "image/svg+xml"),
]

private let style = """
    :root {
      color-scheme: light dark;
      --ink: #1d2430; --quiet: #5b6576; --paper: #f3f5f8; --card: #ffffff; --line: #dde2ea;
      --depth: 70% 33%;
    }
    @media (prefers-color-scheme: dark) {
      :root {
        --ink: #e8ebf1; --quiet: #98a2b3; --paper: #12161d; --card: #1b212b; --line: #2c3441;
        --depth: 75% 70%;
      }
    }
    * { box-sizing: border-box; margin: 0; }
    body {
      --accent: hsl(var(--hue) var(--depth));
      min-height: 100vh; padding: 2rem 1rem; display: grid; grid-template-columns: minmax(0, 44rem);
      place-content: center;
      background: var(--paper); color: var(--ink);
      font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
    }
    main {
      padding: 2rem; display: grid; grid-template-columns: minmax(0, 1fr); gap: 1.5rem;
      background: var(--card); border: 1px solid var(--line); border-top: 6px solid var(--accent);
      border-radius: 14px; box-shadow: 0 12px 40px rgb(0 0 0 / .08);
    }
    header { display: flex; align-items: center; gap: 1.25rem; }
    h1 { font-size: 3rem; line-height: 1.1; color: var(--accent); overflow-wrap: anywhere; }
    h2 { font-size: 1rem; margin-bottom: .5rem; }
    .quiet, dt { color: var(--quiet); font-size: .9rem; }
    dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 1rem; }
    dl div { padding: .75rem 1rem; border: 1px solid var(--line); border-radius: 10px; }
    dd { font-size: 1.4rem; font-variant-numeric: tabular-nums; }
    .wide { width: 100%; height: auto; }
    table { width: 100%; border-collapse: collapse; }
    td { padding: .35rem 0; border-top: 1px solid var(--line); }
    td + td { text-align: right; font-weight: 600; }
    pre {
      padding: 1rem; border-radius: 10px; background: var(--paper); white-space: pre-wrap; overflow-wrap: anywhere;
      font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
    }

    """

private let script = """
    "use strict";
    // Asks the origin once more, shows what it said and who sent each part of the page, then marks the page as ready.
    const loaded = new Promise(resolve => addEventListener("load", resolve));

    function show(part, sender) {
      const row = document.querySelector("#senders tbody").insertRow();
      row.insertCell().textContent = part;
      row.insertCell().textContent = sender;
    }

    function showParts() {
      for (const entry of performance.getEntriesByType("resource")) {
        const path = new URL(entry.name).pathname;
        const sender = (entry.serverTiming || []).find(timing => timing.name === "origin");
        if (sender && path.startsWith("/assets/")) show(path.slice("/assets/".length), sender.description);
      }
    }

    async function main() {
      const response = await fetch("/echo", { method: "POST", body: "hello from the page" });
      const echo = await response.json();
      document.getElementById("echo").textContent = JSON.stringify(echo, null, 2);
      await loaded;
      showParts();
      show("the answer to the script", echo.name);
      document.title += " · ready";
      document.documentElement.dataset.ready = "yes";
    }

    main().catch(error => {
      document.getElementById("echo").textContent = String(error);
      document.documentElement.dataset.ready = "failed";
    });

    """

private let emblem = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" aria-label="origin">
      <rect x="2" y="2" width="60" height="60" rx="14" fill="#2f6fed"/>
      <g fill="none" stroke="#fff" stroke-width="4" stroke-linecap="round" stroke-linejoin="round">
        <rect x="14" y="15" width="36" height="14" rx="4"/>
        <rect x="14" y="35" width="36" height="14" rx="4"/>
        <path d="M30 22h12M30 42h12"/>
      </g>
      <circle cx="22" cy="22" r="3" fill="#8ff0b4"/>
      <circle cx="22" cy="42" r="3" fill="#8ff0b4"/>
    </svg>

    """

private let route = """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 150" role="img" aria-label="the way of a request">
      <g fill="none" stroke="#8a94a6" stroke-width="2">
        <path d="M150 75H245"/>
        <path d="M395 75C440 75 440 25 485 25M395 75H485M395 75C440 75 440 125 485 125" stroke-dasharray="5 5"/>
      </g>
      <g fill="#2f6fed">
        <rect x="10" y="52" width="140" height="46" rx="10" fill="#64748b"/>
        <rect x="245" y="52" width="150" height="46" rx="10"/>
        <rect x="485" y="6" width="145" height="38" rx="10" fill="#0f8a5f"/>
        <rect x="485" y="56" width="145" height="38" rx="10" fill="#0f8a5f"/>
        <rect x="485" y="106" width="145" height="38" rx="10" fill="#0f8a5f"/>
      </g>
      <g fill="#fff" font-family="system-ui, sans-serif" font-size="16" text-anchor="middle">
        <text x="80" y="81">browser</text>
        <text x="320" y="81">load balancer</text>
        <text x="557" y="31">origin</text>
        <text x="557" y="81">origin</text>
        <text x="557" y="131">origin</text>
      </g>
    </svg>

    """
