// Whether anybody can see the page: as OBS tells it, or where there is no OBS, as the browser does.

/** Tell `change` whether the page is seen, now and whenever that changes. */
export function watchSight(change) {
  if (!window.obsstudio) {
    const tell = () => change(document.visibilityState === "visible");
    document.addEventListener("visibilitychange", tell);
    return tell();
  }
  // Visible is what the scene of the streaming program has; active is what goes out to viewers.
  const now = { visible: true, active: true };
  const tell = (news) => {
    Object.assign(now, news);
    change(now.visible && now.active);
  };
  addEventListener("obsSourceVisibleChanged", ({ detail }) => tell({ visible: detail.visible }));
  addEventListener("obsSourceActiveChanged", ({ detail }) => tell({ active: detail.active }));
  tell({});
}
