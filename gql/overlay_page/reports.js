// Tells the server in which seconds creatives could be seen. Told again nothing counts twice, so that whatever got lost
// is told again. Time is the server's, counted on by what has passed here: clocks jump.

const LOOK_MS = 250;
const ASLEEP_MS = 1_500; // whoever did not look for so long does not know what could be seen meanwhile
const SHORTEST_MS = 10_000;
const LONGEST_MS = 15_000;
const ANSWER_MS = 10_000;
const SOON_MS = 3_000;
const KEPT_S = 300; // so old a minute is taken
const NOT_LIVE_YET_MS = 60_000; // the server hears of a stream a while after it began
const MOST = 64; // in one batch

export class Reports {
  #wish;
  #session = null;
  #ahead = 0; // of what has passed here the server's time, in milliseconds
  #span = null; // what has been visible without a break, up to which second it is noted
  #lookedAt = 0;
  #minutes = new Map();
  #timer = null;
  #isTelling = false;
  #quietUntil = 0;

  /** `visible` answers the creative that can be seen at the moment. */
  constructor({ token, documentId, visible }) {
    this.#wish = { token, documentId, visible };
  }

  begin() {
    setInterval(() => this.#look(), LOOK_MS);
    addEventListener("pagehide", () => this.#tell({ keepalive: true }));
    this.#plan();
  }

  /** Whose session it is from now on, and what time it is there. */
  follow({ session, now }) {
    const isNew = session.id !== this.#session?.id;
    this.#session = session;
    this.#ahead = Date.parse(now) - performance.now();
    this.#span = null;
    if (isNew && this.#minutes.size) this.#plan(Math.random() * SOON_MS);
  }

  #now() {
    return (performance.now() + this.#ahead) / 1_000;
  }

  #look() {
    const slept = performance.now() - this.#lookedAt > ASLEEP_MS;
    this.#lookedAt = performance.now();
    const creative = this.#session && this.#wish.visible();
    if (slept || this.#span?.creative.id !== creative?.id) this.#span = null;
    if (!creative) return;
    const now = this.#now();
    this.#span ??= { creative, next: Math.ceil(now) };
    for (; this.#span.next + 1 <= now; this.#span.next++) this.#note(creative, this.#span.next);
  }

  #note({ id, participationId }, second) {
    const minute = second - (second % 60);
    const key = `${minute} ${id}`;
    const kept = this.#minutes.get(key) ?? { minute, id, participationId, untold: new Set(), notBefore: 0 };
    kept.untold.add(second - minute);
    this.#minutes.set(key, kept);
  }

  #plan(ms = SHORTEST_MS + Math.random() * (LONGEST_MS - SHORTEST_MS)) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(async () => {
      await this.#tell();
      this.#plan();
    }, ms);
  }

  async #tell(options = {}) {
    for (const [key, { minute }] of this.#minutes) if (minute + KEPT_S < this.#now()) this.#minutes.delete(key);
    const now = performance.now();
    const due = [...this.#minutes.values()].filter(({ untold, notBefore }) => untold.size && notBefore <= now);
    if (!due.length || this.#isTelling || this.#quietUntil > now) return;
    const told = due.slice(0, MOST).map((kept) => ({ kept, seconds: [...kept.untold].sort((a, b) => a - b) }));
    this.#isTelling = true;
    try {
      this.#take(told, await this.#answer(told.map(reportOf), options));
    } catch {
      // It is told again; whether it was heard does not matter.
    } finally {
      this.#isTelling = false;
    }
  }

  #take(told, { verdicts, retryAfterS }) {
    if (retryAfterS) this.#quietUntil = performance.now() + retryAfterS * 1_000;
    verdicts?.forEach((verdict, place) => {
      const { kept, seconds } = told[place];
      if (verdict === "NOT_LIVE") kept.notBefore = performance.now() + NOT_LIVE_YET_MS;
      else for (const second of seconds) kept.untold.delete(second);
    });
  }

  async #answer(reports, options) {
    const input = { sessionId: this.#session.id, nonce: this.#session.nonce, reports };
    const { token, documentId } = this.#wish;
    const answer = await fetch("/graphql", {
      method: "POST",
      headers: {
        Accept: "application/graphql-response+json",
        "Content-Type": "application/json",
        Authorization: `Bearer ${token}`,
      },
      body: JSON.stringify({ documentId, variables: { input } }),
      credentials: "omit",
      cache: "no-store",
      signal: AbortSignal.timeout(ANSWER_MS),
      ...options,
    });
    return (await answer.json()).data.reportImpressions;
  }
}

function reportOf({ kept: { minute, id, participationId }, seconds }) {
  const visible = [];
  for (const second of seconds) {
    if (visible.at(-1)?.last === second - 1) visible.at(-1).last = second;
    else visible.push({ first: second, last: second });
  }
  return { participationId, creativeId: id, minute: new Date(minute * 1_000).toISOString(), visible };
}
