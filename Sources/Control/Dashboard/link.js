// The link to the balancer: its events, read with fetch since EventSource cannot send a token, and changes asked of it.

/** The operator's token, for as long as the tab lives. */
const token = {
  key: "curl-lb-token",
  get value() {
    return sessionStorage.getItem(this.key);
  },
  set value(text) {
    sessionStorage.setItem(this.key, text);
  },
  get fields() {
    return this.value ? { Authorization: `Bearer ${this.value}` } : {};
  },
};

/** An answer that is a refusal, in the balancer's own words (RFC 9457). */
async function refusalOf(response) {
  const text = await response.text().catch(() => "");
  let problem = {};
  try {
    problem = JSON.parse(text) ?? {};
  } catch {
    // Not a problem document: the status has to do.
  }
  const words = [problem.title, problem.detail].filter((part) => typeof part === "string" && part);
  return new Error(words.length ? words.join(": ") : `${response.status} ${response.statusText}`.trim());
}

class TokenNeeded extends Error {}

/** What to say about an error; fetch has one kind for whatever keeps it from an answer. */
const wordsFor = (error) => (error instanceof TypeError ? "The balancer cannot be reached." : error.message);

/** Takes a text/event-stream apart as it comes (HTML Living Standard, 9.2.6). */
class EventParser {
  constructor(take) {
    this.take = take;
    this.rest = "";
    this.clear();
  }

  clear() {
    this.kind = "";
    this.data = [];
  }

  push(text) {
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop();
    for (const line of lines) this.line(line);
  }

  line(line) {
    if (line === "") {
      if (this.data.length) this.take(this.kind || "message", this.data.join("\n"));
      this.clear();
      return;
    }
    const colon = line.indexOf(":");
    if (colon === 0) return;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this.kind = value;
    if (name === "data") this.data.push(value);
  }
}

/** Keeps reading events; says how the link stands. */
class Link {
  /** The server says something every 15 s at the latest. */
  static silence = 20_000;
  static shortest = 1000;
  static longest = 15_000;

  /** `take` gets each event; `changed` gets "connecting", "live", "lost" with why and the time of the next try, or "token". */
  constructor(take, changed) {
    this.take = take;
    this.changed = changed;
    this.pause = Link.shortest;
    this.wake = () => {};
  }

  /** Reads for ever. */
  async run() {
    for (;;) {
      let isTokenWanted = false;
      let why = "The balancer has ended the connection.";
      try {
        this.changed("connecting");
        await this.read();
      } catch (error) {
        isTokenWanted = error instanceof TokenNeeded;
        why = wordsFor(error);
      }
      const pause = this.pause * (0.8 + Math.random() * 0.4);
      if (isTokenWanted) this.changed("token", why);
      else this.changed("lost", why, Date.now() + pause);
      await new Promise((resolve) => {
        const timer = isTokenWanted ? undefined : setTimeout(resolve, pause);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.pause = Math.min(this.pause * 2, Link.longest);
    }
  }

  /** Tries now. */
  retry() {
    this.pause = Link.shortest;
    this.wake();
  }

  async read() {
    const abort = new AbortController();
    let timer;
    let isSilent = false;
    const listen = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        isSilent = true;
        abort.abort();
      }, Link.silence);
    };
    listen();
    try {
      const response = await fetch("events", {
        headers: { Accept: "text/event-stream", ...token.fields },
        cache: "no-store",
        signal: abort.signal,
      });
      if (response.status === 401) {
        const wanted = "The balancer asks for its token (LB_ADMIN_TOKEN).";
        throw new TokenNeeded(token.value ? "The balancer refuses this token." : wanted);
      }
      if (!response.ok) throw await refusalOf(response);
      const parser = new EventParser((kind, data) => this.event(kind, data));
      const decoder = new TextDecoder();
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        listen();
        parser.push(decoder.decode(value, { stream: true }));
      }
    } catch (error) {
      if (isSilent) throw new Error("The balancer has said nothing for 20 s.");
      throw error;
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
  }

  event(kind, data) {
    const value = JSON.parse(data);
    if (kind === "stats") {
      this.pause = Link.shortest;
      this.changed("live");
    }
    try {
      this.take(kind, value);
    } catch (error) {
      // A mistake of this page is no loss of the link.
      reportError(error);
    }
  }
}

/** Asks for a change of a backend; returns the member that comes of it. */
async function changeBackend(name, change) {
  const response = await fetch(`backends/${encodeURIComponent(name)}`, {
    method: "PATCH",
    headers: { "Content-Type": "application/json", ...token.fields },
    body: JSON.stringify(change),
    cache: "no-store",
  });
  if (response.status === 401) throw new TokenNeeded("The balancer refuses changes without the right token.");
  if (!response.ok) throw await refusalOf(response);
  return response.json();
}
