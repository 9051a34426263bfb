// Campaigns' creatives, one after the other. What cannot be shown is passed over, and tried again later.

const TURN_MS = 15_000;
const FADE_MS = 500; // as the style has it
const AGAIN_MS = 60_000;
const IDLE_MS = 1_000;
const LOAD_MS = 15_000;
const LONGEST_MS = 60_000; // of a video, whatever it says of itself

export class Rota {
  #frame;
  #pieces = []; // all that there is to show, in turn
  #shown = null;
  #coming = null;
  #turn = 0; // which one it is: what a former one still waits for does not matter
  #timer = null;
  #seen = true;

  constructor(page) {
    this.#frame = page.getElementById("creative");
  }

  /** What can be seen at this moment, as the scene told it; null where that is nothing. */
  get visible() {
    return this.#seen && this.#frame.classList.contains("shown") ? this.#shown.creative : null;
  }

  /** All that may be shown from now on. What is no longer among it goes at once. */
  set(creatives) {
    const known = new Map(this.#pieces.map((piece) => [piece.creative.id, piece]));
    const now = performance.now();
    this.#pieces = creatives.map((creative) => {
      const piece = known.get(creative.id) ?? { creative, element: null, notBefore: 0 };
      return Object.assign(piece, { creative, from: now + creative.startsInS * 1_000 });
    });
    const isGone = (piece) => piece !== null && !this.#pieces.includes(piece);
    if (isGone(this.#shown)) this.#hide();
    if (!this.#shown || isGone(this.#coming)) this.#next();
  }

  look(seen) {
    this.#seen = seen;
  }

  #hide() {
    this.#frame.classList.remove("shown");
    this.#frame.replaceChildren();
    this.#shown = null;
  }

  #wait(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }

  /** The one whose turn it is after `piece`; null where there is none that can be shown now. */
  #after(piece) {
    const now = performance.now();
    const at = this.#pieces.indexOf(piece) + 1;
    const inTurn = [...this.#pieces.slice(at), ...this.#pieces.slice(0, at)];
    return inTurn.find(({ from, notBefore }) => from <= now && notBefore <= now) ?? null;
  }

  async #next() {
    const turn = ++this.#turn;
    const piece = (this.#coming = this.#after(this.#shown));
    if (!piece) {
      this.#hide();
      return this.#wait(IDLE_MS, () => this.#next());
    }
    clearTimeout(this.#timer);
    try {
      const element = await (piece.element ??= made(piece.creative));
      if (turn !== this.#turn) return;
      await this.#show(piece, element, turn);
    } catch (error) {
      console.warn("A creative could not be shown; the next one may.", String(error));
      Object.assign(piece, { element: null, notBefore: performance.now() + AGAIN_MS });
      if (turn === this.#turn) this.#next();
    }
  }

  async #show(piece, element, turn) {
    if (piece !== this.#shown) {
      this.#frame.classList.remove("shown");
      if (this.#shown) await new Promise((faded) => setTimeout(faded, FADE_MS));
      if (turn !== this.#turn) return;
      this.#frame.replaceChildren(element);
      this.#frame.dataset.kind = piece.creative.kind;
      this.#shown = piece;
    }
    await element.play?.();
    if (turn !== this.#turn) return;
    this.#coming = null;
    this.#frame.classList.add("shown");
    this.#wait(turnOf(element), () => this.#next());
    const next = this.#after(piece);
    if (next && next !== piece) (next.element ??= made(next.creative)).catch(() => {}); // told when its turn comes
  }
}

/** How long an element is shown: a video to its end, but not for ever; a short one again and again. */
function turnOf({ duration = 0 }) {
  return Math.min(LONGEST_MS, Math.max(TURN_MS, Number.isFinite(duration) ? duration * 1_000 : 0));
}

const makers = {
  HTML({ html }) {
    const element = document.createElement("div");
    element.innerHTML = html; // the server has left nothing in it but a little mark-up
    return element;
  },
  IMAGE({ path }) {
    const element = new Image();
    element.src = path;
    return element.decode().then(() => element);
  },
  VIDEO({ path }) {
    const element = document.createElement("video");
    Object.assign(element, { muted: true, playsInline: true, loop: true, preload: "auto", src: path });
    return new Promise((ready, broken) => {
      element.oncanplay = () => ready(element);
      element.onerror = () => broken(new Error("the video cannot be played"));
    });
  },
};

/** The element that shows a creative, once it can be seen at once. Whatever takes too long has failed. */
async function made(creative) {
  const late = new Promise((_, tooLong) => setTimeout(() => tooLong(new Error("it took too long to load")), LOAD_MS));
  return Promise.race([makers[creative.kind](creative), late]);
}
