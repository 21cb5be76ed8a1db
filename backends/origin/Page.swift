// The page that `/` shows a browser.

/// The page of the origin that answered.
///
/// Its name holds nothing that HTML would take for markup: the command line takes no such name.
func page(_ greeting: Greeting) -> String {
    // Neighbouring ports get hues far apart (the golden angle), so that a reload that reaches another origin shows.
    let hue = Int(greeting.port) * 137 % 360
    return """
        <!doctype html>
        <html lang="en" data-ready="no">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <meta name="color-scheme" content="light dark">
        <title>Origin \(greeting.name)</title>
        <link rel="icon" href="/assets/emblem.svg">
        <link rel="stylesheet" href="/assets/style.css">
        <script src="/assets/script.js" defer></script>
        </head>
        <body style="--hue: \(hue)">
        <main>
        <header>
        <img src="/assets/emblem.svg" width="72" height="72" alt="">
        <div>
        <p class="quiet">This page was made by origin</p>
        <h1>\(greeting.name)</h1>
        </div>
        </header>
        <dl>
        <div><dt>Port</dt><dd>\(greeting.port)</dd></div>
        <div><dt>Process</dt><dd>\(greeting.pid)</dd></div>
        <div><dt>Requests answered</dt><dd>\(greeting.requests)</dd></div>
        </dl>
        <img class="wide" src="/assets/route.svg" width="640" height="150"
          alt="A browser, the load balancer, and three origins behind it">
        <section>
        <h2>Who sent what</h2>
        <table id="senders"><tbody><tr><td>the page</td><td>\(greeting.name)</td></tr></tbody></table>
        </section>
        <section>
        <h2>What the script was told</h2>
        <pre id="echo">asking /echo …</pre>
        </section>
        <p class="quiet">Reload the page: behind a load balancer, the next origin answers.</p>
        </main>
        </body>
        </html>

        """
}
