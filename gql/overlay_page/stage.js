// Draws the scene, and shows alerts one after the other while somebody can see them. All words are set as text.

const SHOWN_MS = 6_000;
const BETWEEN_MS = 600; // longer than an alert takes to fade
const MOST_WAITING = 100;

const SENTENCES = {
  TIP: ({ name, amount }) => (amount ? `${name} gave ${money(amount)}` : name),
  FOLLOW: ({ name }) => `${name} is following now`,
};

export class Stage {
  #at;
  #body;
  #scene = null;
  #waiting = [];
  #isShowing = false;
  #seen = true;

  constructor(page) {
    this.#at = (id) => page.getElementById(id);
    this.#body = page.body;
  }

  /** How everything looks from now on. */
  set(scene) {
    this.#scene = scene;
    this.#body.dataset.theme = scene.theme;
    this.#body.dataset.place = scene.place;
    this.#drawGoal(scene.goal);
    this.fit();
  }

  /** The picture has a size of its own, and fills what there is. */
  fit() {
    if (!this.#scene) return;
    const { width, height, safeArea } = this.#scene;
    this.#body.style.setProperty("--height", `${height}px`);
    const scale = Math.min(innerWidth / width, innerHeight / height);
    Object.assign(this.#at("picture").style, {
      width: `${width}px`,
      height: `${height}px`,
      padding: `${(height * safeArea) / 100}px ${(width * safeArea) / 100}px`,
      transform: `scale(${scale})`,
    });
  }

  /** Show something when what waits has been shown; of too much the oldest goes. */
  raise(alert) {
    this.#waiting.push(alert);
    if (this.#waiting.length > MOST_WAITING) this.#waiting.shift();
    this.#next();
  }

  /** Alerts wait while nobody can see them. */
  look(seen) {
    this.#seen = seen;
    this.#next();
  }

  /** The overlay is off: what waits is not for anybody's eyes any more. */
  clear() {
    this.#waiting = [];
    this.#at("alert").classList.remove("shown");
  }

  #next() {
    if (this.#isShowing || !this.#seen || !this.#waiting.length) return;
    this.#isShowing = true;
    try {
      this.#draw(this.#waiting.shift());
      setTimeout(() => this.#fade(), SHOWN_MS);
    } catch (error) {
      console.warn("An alert could not be shown; the next one may.", error);
      this.#fade();
    }
  }

  #fade() {
    this.#at("alert").classList.remove("shown");
    setTimeout(() => {
      this.#isShowing = false;
      this.#next();
    }, BETWEEN_MS);
  }

  #draw(alert) {
    this.#at("who").textContent = SENTENCES[alert.kind]?.(alert) ?? alert.name;
    this.#at("what").textContent = alert.message;
    this.#at("alert").classList.toggle("test", alert.isTest);
    this.#at("alert").classList.add("shown");
  }

  #drawGoal(goal) {
    this.#at("goal").hidden = !goal;
    if (!goal) return;
    this.#at("title").textContent = goal.title;
    this.#at("count").textContent = `${goal.reached} / ${goal.target}`;
    this.#at("fill").style.width = `${Math.min(100, (100 * goal.reached) / goal.target)}%`;
  }
}

function money({ amount, currency }) {
  const digits = { minimumFractionDigits: 0, maximumFractionDigits: 2 };
  return new Intl.NumberFormat("id-ID", { style: "currency", currency, ...digits }).format(Number(amount));
}
