// One stream of messages that is kept up for ever: over a WebSocket, or where none comes about, over events by HTTP.
//
// Each time it begins after the last cursor, so that nothing is lost and nothing told twice. Time is what has passed,
// never what a clock says: clocks jump.

const PROTOCOL = "graphql-transport-ws";
const FORBIDDEN = 4403;
const BEAT_MS = 6_000;
const SILENCE_MS = 18_000; // a line that has been dead for so long is found a second later at the latest
const SHORTEST_MS = 1_000;
const LONGEST_MS = 30_000;

export class Line {
  #wish;
  #cursor = null;
  #attempt = 0; // which one it is: what a former one still says is not listened to
  #failures = 0;
  #overEvents = false;
  #heardAt = 0;
  #drop = null;
  #timer = null;

  /** `tell` is told each message, `note` each state: "live", "away" (we come again), "shut" (we are not welcome). */
  constructor({ token, documentId, tell, note }) {
    this.#wish = { token, documentId, tell, note };
  }

  begin() {
    setInterval(() => this.#look(), 1_000);
    this.#open();
  }

  /** There may be a network again: do not wait. */
  hurry() {
    if (this.#timer !== null) this.#open();
  }

  #open() {
    clearTimeout(this.#timer);
    this.#timer = null;
    this.#heardAt = performance.now();
    const attempt = ++this.#attempt;
    const end = (shut) => attempt === this.#attempt && this.#end(shut);
    const hear = () => attempt === this.#attempt && (this.#heardAt = performance.now());
    const take = (result) => attempt === this.#attempt && this.#take(result);
    this.#drop = (this.#overEvents ? followEvents : followSocket)(this.#request(), this.#wish.token, { hear, take, end });
  }

  #request() {
    return { documentId: this.#wish.documentId, variables: { after: this.#cursor } };
  }

  #take({ data }) {
    const message = data?.overlayScene;
    if (!message) return this.#end(false);
    this.#cursor = message.cursor;
    this.#failures = 0;
    this.#wish.note("live");
    try {
      this.#wish.tell(message);
    } catch (error) {
      console.warn("A message could not be shown; the next one may.", error);
    }
  }

  /** Come again: at first soon, then less and less often, and never all at the same time. */
  #end(shut) {
    this.#attempt++;
    this.#drop?.();
    this.#wish.note(shut ? "shut" : "away");
    // What failed before it told anything is tried the other way next.
    this.#overEvents = this.#failures > 0 && !shut && !this.#overEvents;
    const most = Math.min(LONGEST_MS, SHORTEST_MS * 2 ** Math.min(++this.#failures, 5));
    this.#timer = setTimeout(() => this.#open(), SHORTEST_MS + Math.random() * (most - SHORTEST_MS));
  }

  #look() {
    if (this.#timer === null && performance.now() - this.#heardAt > SILENCE_MS) this.#end(false);
  }
}

function followSocket(request, token, { hear, take, end }) {
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/graphql`, PROTOCOL);
  const send = (message) => socket.readyState === WebSocket.OPEN && socket.send(JSON.stringify(message));
  const beat = setInterval(() => send({ type: "ping" }), BEAT_MS);
  const on = {
    connection_ack: () => send({ id: "scene", type: "subscribe", payload: request }),
    ping: () => send({ type: "pong" }),
    pong: () => {},
    next: ({ payload }) => take(payload),
    error: () => end(false),
    complete: () => end(false),
  };
  socket.onopen = () => send({ type: "connection_init", payload: { token } });
  socket.onmessage = ({ data }) => {
    hear();
    const message = JSON.parse(data);
    on[message.type]?.(message);
  };
  socket.onclose = ({ code }) => end(code === FORBIDDEN);
  return () => {
    clearInterval(beat);
    socket.close();
  };
}

function followEvents(request, token, { hear, take, end }) {
  const leaving = new AbortController();
  const headers = { Accept: "text/event-stream", "Content-Type": "application/json", Authorization: `Bearer ${token}` };
  const options = { method: "POST", headers, body: JSON.stringify(request), credentials: "omit", cache: "no-store" };
  fetch("/graphql", { ...options, signal: leaving.signal })
    .then(async (answer) => {
      if (!answer.ok) return end(answer.status === 401 || answer.status === 403);
      let text = "";
      for await (const piece of pieces(answer.body.pipeThrough(new TextDecoderStream()).getReader())) {
        hear();
        const events = (text + piece).split("\n\n");
        text = events.pop();
        for (const event of events) {
          const found = /^data: (.+)$/m.exec(event);
          if (found) take(JSON.parse(found[1]));
        }
      }
      end(false);
    })
    .catch(() => end(false));
  return () => leaving.abort();
}

async function* pieces(reader) {
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}
