// Campaigns' creatives, one after the other. What cannot be shown is passed over, and tried again later.

const TURN_MS = 15_000;
const FADE_MS = 500; // as the style has it
const AGAIN_MS = 60_000;
const IDLE_MS = 1_000;

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
    this.#wait(TURN_MS, () => this.#next()); // should it not come about
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
    this.#coming = null;
    this.#frame.classList.add("shown");
    this.#wait(TURN_MS, () => this.#next());
    const next = this.#after(piece);
    if (next && next !== piece) (next.element ??= made(next.creative)).catch(() => {}); // told when its turn comes
  }
}

/** The element that shows a creative, once it can be seen at once. */
async function made({ kind, html }) {
  if (kind !== "HTML") throw new Error(`nothing is known of ${kind}`);
  const element = document.createElement("div");
  element.innerHTML = html; // the server has left nothing in it but a little mark-up
  return element;
}
