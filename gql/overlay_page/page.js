// An overlay in a streaming program or a browser: what we are told is drawn, and nothing here ever gives up.

import { Line } from "./line.js";
import { Reports } from "./reports.js";
import { Rota } from "./rota.js";
import { watchSight } from "./sight.js";
import { Stage } from "./stage.js";

const ALONE_MS = 240_000; // what is shown for longer without a line cannot be told in time any more

const page = document.body.dataset;
const stage = new Stage(document);
const rota = new Rota(document);
let alone = null;

// The token stands in the address alone. No referrer carries it, and nothing else of the page is told where it is.
const token = location.pathname.split("/").pop();

const reports = new Reports({ token, documentId: page.reports, visible: () => rota.visible });

const line = new Line({
  token,
  documentId: page.scene,
  tell: (message) => {
    if (message.__typename !== "OverlayScene") return stage.raise(message);
    reports.follow(message);
    rota.set(message.creatives);
    stage.set(message);
  },
  note: (state) => {
    // Who was shut out stays dark until they are let in again, however often the network fails meanwhile.
    if (state === "away" && page.line !== "live") return;
    page.line = state;
    clearTimeout(alone);
    if (state === "away") alone = setTimeout(() => rota.set([]), ALONE_MS);
    if (state === "shut") {
      stage.clear();
      rota.set([]);
    }
  },
});

watchSight((seen) => {
  page.seen = seen;
  stage.look(seen);
  rota.look(seen);
});
addEventListener("resize", () => stage.fit());
addEventListener("online", () => line.hurry());
reports.begin();
line.begin();
