// An overlay in a streaming program or a browser: what we are told is drawn, and nothing here ever gives up.

import { Line } from "./line.js";
import { watchSight } from "./sight.js";
import { Stage } from "./stage.js";

const stage = new Stage(document);

const line = new Line({
  // The token stands in the address alone. No referrer carries it, and nothing else of the page is told where it is.
  token: location.pathname.split("/").pop(),
  documentId: document.body.dataset.document,
  tell: (message) => (message.__typename === "OverlayScene" ? stage.set(message) : stage.raise(message)),
  note: (state) => {
    // Who was shut out stays dark until they are let in again, however often the network fails meanwhile.
    if (state === "away" && document.body.dataset.line !== "live") return;
    document.body.dataset.line = state;
    if (state === "shut") stage.clear();
  },
});

watchSight((seen) => {
  document.body.dataset.seen = seen;
  stage.look(seen);
});
addEventListener("resize", () => stage.fit());
addEventListener("online", () => line.hurry());
line.begin();
