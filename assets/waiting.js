// The first script of the document, inlined. It is a classic script, as browsers block modules where the
// document's origin is opaque, which it reports.

// Delays the icons' font, a quarter of all bytes of the first picture, until that is drawn. The
// page's framework would load it first. Icons are hidden until then.
{
  const ICONS = "Material Symbols Rounded";
  const { fonts, documentElement: root } = document;
  fonts.load = async (font, text) =>
    font.includes(ICONS) ? [] : FontFaceSet.prototype.load.call(fonts, font, text);
  const load = () => {
    delete /** @type {Partial<FontFaceSet>} */ (fonts).load;
    root.dataset.drawn = "";
    fonts.load(`1em "${ICONS}"`).finally(() => (root.dataset.icons = ""));
  };
  addEventListener("regviz-drawn", load, { once: true });
}

// Shows the page's outline in the page's theme, until the first elements of the page are drawn.
{
  const { documentElement: root } = document;
  const query = new URLSearchParams(location.search);
  /** The theme that the visitor has chosen in the page's menu, if there is one. */
  const stored = () => {
    try {
      return localStorage.getItem(`stActiveTheme-${location.pathname}-v2`) ?? "";
    } catch {
      return ""; // a browser may deny storage
    }
  };
  const theme = /dark|light/i.exec(query.getAll("embed_options").join())?.[0] ?? /dark|light/i.exec(stored())?.[0];
  if (theme) root.dataset.theme = theme.toLowerCase();
  if (query.get("embed") === "true") root.dataset.bare = "";

  const DRAWN = ".st-key-board, .st-key-course, [data-testid=stAlert], [data-testid=stDialog]";
  const watch = new MutationObserver(() => {
    // on the page Study nothing else sends this event, which calls `remove`
    if (document.querySelector(".st-key-study")) dispatchEvent(new Event("regviz-drawn"));
    else if (document.querySelector(DRAWN)) remove();
  });
  const remove = () => {
    watch.disconnect();
    document.getElementById("outline")?.remove();
  };
  watch.observe(root, { childList: true, subtree: true });
  addEventListener("regviz-drawn", remove, { once: true });
}

// Reports the cause if the page does not start, or has no connection, for SECONDS.
{
  const SECONDS = 10;
  const failed = new Set();
  let waited = 0;
  let passed = 0;
  let connected = false;
  /** @type {HTMLElement|null} */
  let box = null;

  addEventListener(
    "error",
    ({ target }) => {
      const { src, href } = /** @type {{src?: string, href?: string}} */ (target instanceof Element ? target : {});
      const address = src || href;
      if (address) failed.add(new URL(address).pathname);
    },
    true,
  );

  setInterval(() => {
    const app = /** @type {HTMLElement|null} */ (document.querySelector("[data-testid=stApp]"));
    passed++;
    // on a page that shows no board, such as after an error, nothing else sends this event
    if (passed === 2 * SECONDS) dispatchEvent(new Event("regviz-drawn"));
    if (app?.dataset.testConnectionState === "CONNECTED") {
      connected = true;
      waited = 0;
      show("");
    } else if (++waited % SECONDS === 0) {
      explain(app).then((text) => waited && show(text));
    }
  }, 1000);

  /**
   * Return the cause and its remedy, or "" while files are still loading.
   *
   * @param {Element|null} app
   */
  async function explain(app) {
    if (self.origin === "null") {
      return (
        "RegViz cannot start in this frame: the page around it keeps it from loading its scripts." +
        " Ask whoever runs that page to add allow-same-origin to the frame's sandbox attribute," +
        " beside allow-scripts, or open RegViz in a tab of its own."
      );
    }
    if (!app) {
      return failed.size
        ? `RegViz cannot start: ${[...failed].join(", ")} could not be loaded. Ask your` +
            " administrator to let all files below /static/ and /assets/ through, and reload the page."
        : "";
    }
    const stream = new URL("_stcore/stream", document.baseURI);
    const health = await fetch(new URL("_stcore/health", document.baseURI))
      .then(({ ok }) => ok)
      .catch(() => false);
    if (!health) {
      return `The server at ${stream.host} does not answer. RegViz goes on by itself once it does.`;
    }
    const page = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
    if (page?.status === 503) {
      // reloading would lose the session's state, which the server keeps for a reconnection
      if (connected) return "RegViz is full at the moment. This page connects by itself once a place is free.";
      location.reload(); // shows the server's page about it
      return "";
    }
    return (
      `${connected ? "The connection is lost" : "RegViz gets no connection"}: the server answers, but` +
      ` the WebSocket ${stream.pathname} does not open. Ask your administrator to forward WebSockets` +
      " there (HTTP/1.1 with the headers Upgrade and Connection), in a proxy or firewall on the way." +
      " RegViz goes on by itself once it opens."
    );
  }

  /** @param {string} text */
  function show(text) {
    if (!text) {
      box?.remove();
      box = null;
      return;
    }
    if (!box) {
      box = document.createElement("p");
      box.id = "blocked";
      box.setAttribute("role", "alert");
      document.body.append(box);
    }
    if (box.textContent !== text) box.textContent = text;
  }
}
